//! Descriptions as text: blocks of a head at the margin and indented items, each a line of words.

/// A line: the words of it, and where it stands for messages.
#[derive(Clone, Debug)]
pub struct Line {
    pub place: String,
    pub words: Vec<String>,
    /// What follows a ` : `, unsplit.
    pub tail: Option<String>,
}

/// A line at the margin with the indented lines below it.
#[derive(Clone, Debug)]
pub struct Block {
    pub head: Line,
    pub items: Vec<Line>,
}

impl Line {
    fn parse(place: String, text: &str) -> Line {
        let text = without_comment(text);
        let (words, tail) = match text.split_once(" :") {
            Some((words, tail)) if tail.is_empty() || tail.starts_with(' ') => {
                (words, Some(tail.trim().to_owned()))
            }
            _ => (text, None),
        };
        Line {
            place,
            words: split(words),
            tail,
        }
    }

    /// The word at this place.
    pub fn word(&self, index: usize) -> &str {
        match self.words.get(index) {
            Some(word) => word,
            None => self.fail("a word is missing"),
        }
    }

    /// The value of `key=value`.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.words
            .iter()
            .find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }

    /// Whether a word stands there.
    pub fn has(&self, word: &str) -> bool {
        self.words.iter().any(|other| other == word)
    }

    /// The number behind `key=`, or `default`.
    pub fn number(&self, key: &str, default: u64) -> u64 {
        self.value(key).map_or(default, |text| self.parsed(text))
    }

    /// A number; `-1` is all ones.
    pub fn parsed(&self, text: &str) -> u64 {
        match number(text) {
            Some(number) => number,
            None => self.fail(&format!("{text} is no number")),
        }
    }

    /// Says what is wrong with the description.
    pub fn fail(&self, what: &str) -> ! {
        panic!("{}: {what}: {}", self.place, self.words.join(" "))
    }
}

/// A number as descriptions have them: decimal, `0x…`, or negative in two's complement.
pub fn number(text: &str) -> Option<u64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok();
    }
    if let Some(digits) = text.strip_prefix('-') {
        return digits.parse().ok().map(u64::wrapping_neg);
    }
    text.parse().ok()
}

/// The blocks of a description.
pub fn blocks(file: &str, text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (index, text) in text.lines().enumerate() {
        if without_comment(text).trim().is_empty() {
            continue;
        }
        let line = Line::parse(format!("{file}:{}", index + 1), text);
        match (text.starts_with(' '), blocks.last_mut()) {
            (false, _) => blocks.push(Block {
                head: line,
                items: Vec::new(),
            }),
            (true, Some(block)) => block.items.push(line),
            (true, None) => line.fail("an indented line needs a head"),
        }
    }
    blocks
}

/// A `#` at the start of a word begins a comment.
fn without_comment(text: &str) -> &str {
    match text.starts_with('#') {
        true => "",
        false => text.split(" #").next().unwrap_or_default(),
    }
}

/// Words are separated by blanks; quotes keep blanks together and stay in the word.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for character in text.chars() {
        quoted ^= character == '"';
        if character == ' ' && !quoted {
            words.push(std::mem::take(&mut word));
        } else {
            word.push(character);
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}
