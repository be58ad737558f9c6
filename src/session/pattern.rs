//! Patterns with `*` and `?`.

/// Whether all of `text` matches `pattern`. Only the last `*` is ever tried again, so the time is bounded by the product
/// of the lengths.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(expected) if *expected == '?' || text.get(t) == Some(expected) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern
        .get(p..)
        .is_some_and(|rest| rest.iter().all(|left| *left == '*'))
}

/// Whether the path of a file ends with what the user wrote, at the border of a directory.
pub fn is_file(path: &str, wanted: &str) -> bool {
    path.strip_suffix(wanted)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('/') || wanted.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn matches_whole_names() {
        assert!(matches("_GUARD_*", "_GUARD_TOS_INT"));
        assert!(matches("*INT*", "_GUARD_TOS_INT_r22"));
        assert!(matches("*_r?2", "_GUARD_TOS_INT_r22"));
        assert!(matches("f", "f"));
        assert!(!matches("f", "ff"));
        assert!(!matches("*a?", "a"));
        assert!(matches("**", ""));
        assert!(!matches(&"a*".repeat(30), &"a".repeat(29)));
    }
}
