//! The bytes by which an entry of `.debug_info` mentions a name.

use memchr::memmem;

/// At how many places of `.debug_str` a name may end. The linker merges a string into the tail of a longer one, so the
/// place of `Foo` can be within `PyFoo`; more than a few such places do not happen.
const MOST_PLACES: usize = 16;

/// Up to this length a compiler writes the name into the entry itself: with its zero byte it is no longer than the
/// reference would be.
const LONGEST_INLINE: usize = 3;

/// What to look for, the likeliest first.
pub(super) fn needles(name: &str, strings: &[u8]) -> Vec<Vec<u8>> {
    let inline = [name.as_bytes(), b"\0"].concat();
    if strings.is_empty() || name.len() <= LONGEST_INLINE {
        return vec![inline];
    }
    let mut places: Vec<usize> = memmem::find_iter(strings, &inline)
        .take(MOST_PLACES)
        .collect();
    places.sort_by_key(|place| !is_whole(strings, *place));
    // DW_FORM_strp; of the 8 bytes of the 64-bit format these are the lower half.
    (places.into_iter())
        .filter_map(|place| u32::try_from(place).ok())
        .map(|place| place.to_le_bytes().to_vec())
        .collect()
}

fn is_whole(strings: &[u8], place: usize) -> bool {
    match place.checked_sub(1) {
        Some(before) => strings.get(before) == Some(&0),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_for_the_reference_to_the_string() {
        let strings = b"\0PyObject\0StencilGroup\0";
        assert_eq!(needles("StencilGroup", strings), [10u32.to_le_bytes()]);
        assert_eq!(needles("PyOb", strings), [[0u8; 0]; 0]);
    }

    #[test]
    fn finds_a_string_in_the_tail_of_another_but_prefers_the_whole_one() {
        let merged = b"_PyStencilGroup\0";
        assert_eq!(needles("StencilGroup", merged), [3u32.to_le_bytes()]);
        let both = b"_Foobar\0Foobar\0";
        assert_eq!(
            needles("Foobar", both),
            [8u32.to_le_bytes(), 1u32.to_le_bytes()]
        );
    }

    #[test]
    fn short_names_and_files_without_strings_have_the_name_inline() {
        assert_eq!(needles("_ts", b"_ts\0"), [b"_ts\0".to_vec()]);
        assert_eq!(needles("PyObject", b""), [b"PyObject\0".to_vec()]);
    }

    #[test]
    fn the_number_of_places_is_bounded() {
        let strings = b"Foobar\0".repeat(1000);
        assert_eq!(needles("Foobar", &strings).len(), MOST_PLACES);
    }
}
