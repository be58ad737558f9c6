//! The block of lines in an init file: found, put in, taken out. All other bytes of the file stay as they are.

use std::ops::Range;

/// What the first line of a block begins with, and what its last line is.
const BEGIN: &str = "# >>> cpyjit >>>";
const END: &str = "# <<< cpyjit <<<";

/// Why a file cannot be changed; the line counts from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Broken {
    /// A block has no end.
    NoEnd(usize),
    /// A block has no beginning.
    NoBegin(usize),
    /// There are several blocks.
    Several(usize),
}

/// The block that loads `command`, with the command that takes it out again.
pub fn block(command: &[u8], debugger: &str) -> Vec<u8> {
    let mut block = format!(
        "{BEGIN} (`cpyjit install {debugger}` wrote this; `cpyjit install {debugger} --uninstall` takes it out)\n"
    )
    .into_bytes();
    block.extend_from_slice(command);
    block.extend_from_slice(format!("\n{END}\n").as_bytes());
    block
}

/// Where the blocks of a file are, each with the line break behind it.
pub fn find(content: &[u8]) -> Result<Vec<Range<usize>>, Broken> {
    let mut blocks = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    let mut start = 0;
    for (line, text) in (1..).zip(content.split_inclusive(|byte| *byte == b'\n')) {
        // Some editors end lines their own way.
        let bare = text.trim_ascii();
        if bare.starts_with(BEGIN.as_bytes()) {
            if let Some((_, line)) = open {
                return Err(Broken::NoEnd(line));
            }
            open = Some((start, line));
        } else if bare == END.as_bytes() {
            let (begin, _) = open.take().ok_or(Broken::NoBegin(line))?;
            blocks.push(begin..start + text.len());
        }
        start += text.len();
    }
    match open {
        Some((_, line)) => Err(Broken::NoEnd(line)),
        None => Ok(blocks),
    }
}

/// The file with this block: in the place of the one that is there, or behind all else.
///
/// Behind a file that exists stands an empty line first, which [`without`] takes out as well: where the file did not end
/// with a line break, that is the line break.
pub fn with(content: Option<&[u8]>, block: &[u8]) -> Result<Vec<u8>, Broken> {
    let before = content.unwrap_or_default();
    let mut blocks = find(before)?.into_iter();
    if blocks.len() > 1 {
        return Err(Broken::Several(blocks.len()));
    }
    let mut new = before.to_vec();
    match (blocks.next(), content) {
        (Some(range), _) => drop(new.splice(range, block.iter().copied())),
        (None, Some(_)) => {
            new.push(b'\n');
            new.extend_from_slice(block);
        }
        (None, None) => new.extend_from_slice(block),
    }
    Ok(new)
}

/// The file without its blocks, as it was before; `None` if nothing was there before.
pub fn without(content: &[u8]) -> Result<Option<Vec<u8>>, Broken> {
    let mut content = content.to_vec();
    // One after the other: what is taken out with one may touch the next.
    while let Some(range) = find(&content)?.pop() {
        let start = start_of_block(&content, &range);
        if range == (0..content.len()) {
            return Ok(None);
        }
        content.drain(start..range.end);
    }
    Ok(Some(content))
}

/// Where a block begins with the line break before it, unless two lines would become one without that.
fn start_of_block(content: &[u8], block: &Range<usize>) -> usize {
    let is_last = block.end == content.len();
    match content
        .get(..block.start)
        .and_then(|before| before.strip_suffix(b"\n"))
    {
        Some(before) if is_last || before.is_empty() || before.ends_with(b"\n") => before.len(),
        _ => block.start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Vec<u8> {
        block(b"source /a/b.py", "gdb")
    }

    #[test]
    fn what_was_put_in_is_taken_out_to_the_byte() {
        let files: [&[u8]; 7] = [
            b"",
            b"\n",
            b"set x 1",
            b"set x 1\n",
            b"set x 1\r\n\r\n",
            b"\xff\x00no text\n\n\n",
            b"# cpyjit >>>\n",
        ];
        for file in files {
            let installed = with(Some(file), &ours()).unwrap();
            assert!(installed.ends_with(&ours()) && installed.starts_with(file));
            assert_eq!(with(Some(&installed), &ours()).unwrap(), installed);
            assert_eq!(without(&installed).unwrap().unwrap(), file);
        }
        assert_eq!(with(None, &ours()).unwrap(), ours());
        assert_eq!(without(&ours()).unwrap(), None);
    }

    #[test]
    fn a_block_is_renewed_where_it_is() {
        let old = block(b"source /old.py", "gdb");
        let file = [b"a\n\n", old.as_slice(), b"b\n"].concat();
        let new = with(Some(&file), &ours()).unwrap();
        assert_eq!(new, [b"a\n\n", ours().as_slice(), b"b\n"].concat());
        assert_eq!(without(&new).unwrap().unwrap(), b"a\nb\n");
        // A line that the user took away does not join two others.
        let tight = [b"a\n", ours().as_slice(), b"b\n"].concat();
        assert_eq!(without(&tight).unwrap().unwrap(), b"a\nb\n");
        let dos = String::from_utf8(new).unwrap().replace('\n', "\r\n");
        assert_eq!(find(dos.as_bytes()).unwrap().len(), 1);
        assert_eq!(without(dos.as_bytes()).unwrap().unwrap(), b"a\r\n\r\nb\r\n");
        let first = [ours().as_slice(), b"b\n"].concat();
        assert_eq!(without(&first).unwrap().unwrap(), b"b\n");
    }

    #[test]
    fn half_a_block_is_left_alone() {
        let half = format!("x\n{BEGIN} (…)\nsource x\n");
        assert_eq!(with(Some(half.as_bytes()), &ours()), Err(Broken::NoEnd(2)));
        assert_eq!(without(half.as_bytes()), Err(Broken::NoEnd(2)));
        let other = format!("x\n\n{END}\n");
        assert_eq!(without(other.as_bytes()), Err(Broken::NoBegin(3)));
        let nested = [half.as_bytes(), ours().as_slice()].concat();
        assert_eq!(find(&nested), Err(Broken::NoEnd(2)));
        let twice = [ours(), ours()].concat();
        assert_eq!(with(Some(&twice), &ours()), Err(Broken::Several(2)));
        assert_eq!(without(&twice).unwrap(), None);
    }
}
