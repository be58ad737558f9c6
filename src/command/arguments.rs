//! A line as typed → arguments, by the rules that shells have in common.

/// Splits at blanks; quotes keep blanks, and a backslash keeps the next character, except within single quotes.
///
/// Within parentheses and brackets nothing splits and quotes stay: that is an expression of the debugger, as in
/// `(char *) x` or `$_jit_executor("f")`.
pub fn split(text: &str) -> Result<Vec<String>, String> {
    let mut arguments = Vec::new();
    let mut current: Option<String> = None;
    let mut depth = 0usize;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' | '\n' if depth == 0 => arguments.extend(current.take()),
            '\'' | '"' => {
                let argument = current.get_or_insert_default();
                let keep = depth != 0;
                argument.extend(keep.then_some(character));
                quoted(character, &mut characters, argument)?;
                argument.extend(keep.then_some(character));
            }
            '\\' => match characters.next() {
                Some(next) => current.get_or_insert_default().push(next),
                None => return Err("a backslash at the end escapes nothing".to_owned()),
            },
            _ => {
                depth = match character {
                    '(' | '[' => depth + 1,
                    ')' | ']' => depth.saturating_sub(1),
                    _ => depth,
                };
                current.get_or_insert_default().push(character);
            }
        }
    }
    if depth != 0 {
        return Err("a parenthesis or bracket is not closed".to_owned());
    }
    arguments.extend(current);
    Ok(arguments)
}

fn quoted(
    quote: char,
    characters: &mut std::str::Chars<'_>,
    into: &mut String,
) -> Result<(), String> {
    while let Some(character) = characters.next() {
        match character {
            _ if character == quote => return Ok(()),
            '\\' if quote == '"' => into.extend(characters.next()),
            _ => into.push(character),
        }
    }
    Err(format!("a quotation that begins with {quote} does not end"))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn splits_as_shells_do() {
        assert_eq!(
            split(" a  --b=c\t'd e' \"f \\\" g\" h\\ i ").unwrap(),
            ["a", "--b=c", "d e", "f \" g", "h i"]
        );
        assert_eq!(split("").unwrap(), Vec::<String>::new());
        assert_eq!(split("''").unwrap(), [""]);
    }

    #[test]
    fn keeps_expressions_together() {
        assert_eq!(
            split("*(long *) ($sp + 8) --json").unwrap(),
            ["*(long *)", "($sp + 8)", "--json"]
        );
        assert_eq!(
            split("((T *) x)->f[i + 1]").unwrap(),
            ["((T *) x)->f[i + 1]"]
        );
        let call = ["$_jit_executor(\"a b\")"];
        assert_eq!(split("$_jit_executor(\"a b\")").unwrap(), call);
    }

    #[test]
    fn says_what_is_not_closed() {
        assert!(split("'a").unwrap_err().contains('\''));
        assert!(split("(a").unwrap_err().contains("parenthesis"));
        assert!(split("a\\").unwrap_err().contains("backslash"));
    }
}
