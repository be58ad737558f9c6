//! Breakpoints in case files: what happens in the target between two commands, and what the front-end is to do.
//!
//! `> hook KIND [REGISTER=VALUE]…` is a hook that was hit, `> caught ID KIND [REGISTER=VALUE]…` a catch, `> deleted ID` a
//! breakpoint that the user deleted, `> gone` and `> replaced` the end of the process, `> refresh` a stop. `all` behind
//! `hook` or `refresh` says that all executors are to have symbols, `keep` behind `refresh` that none comes now.

use super::target::Made;
use cpyjit::command::{self, Reply, TextStyle};
use cpyjit::control::symbols::Wishes;
use cpyjit::control::{Action, Place, Registers};

/// What the core answers to something that happens; `None` if the name is that of a command.
pub fn happening(made: &mut Made, name: &str, arguments: &str) -> Option<Reply> {
    let words: Vec<&str> = arguments.split_whitespace().collect();
    let style = TextStyle::default();
    let id = |word: usize| words[word].parse().unwrap();
    let (session, control) = (&made.session, &mut made.control);
    Some(match name {
        "hook" => {
            let hit = (words[0], &registers(&words[1..]));
            command::hook(session, control, hit, words.contains(&"all"), style)
        }
        "caught" => {
            let event = (words[1], &registers(&words[2..]));
            command::caught(session, control, id(0), event, style)
        }
        "deleted" => command::breakpoint_deleted(control, id(0)),
        "refresh" => {
            let wishes = Wishes {
                all: words.contains(&"all"),
                keep: words.contains(&"keep"),
            };
            command::refresh(session, control, wishes, style)
        }
        "gone" => command::process_gone(control, false),
        "replaced" => command::process_gone(control, true),
        _ => return None,
    })
}

fn registers(words: &[&str]) -> Registers {
    let pairs = words.iter().filter_map(|word| word.split_once('='));
    let value = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap();
    pairs
        .map(|(name, text)| (name.to_owned(), value(text)))
        .collect()
}

/// An action as lines.
pub fn written(action: &Action) -> String {
    match action {
        Action::SetBreakpoint(one) => {
            let mut out = format!("set-breakpoint {} {}\n", one.id, one.label);
            for (is_asked, word) in [(one.temporary, "temporary"), (one.hardware, "hardware")] {
                out.push_str(if is_asked { word } else { "" });
                out.push_str(if is_asked { "\n" } else { "" });
            }
            if one.ignore != 0 {
                out.push_str(&format!("ignore {}\n", one.ignore));
            }
            let settings = [("condition", &one.condition), ("thread", &one.thread)];
            for (word, text) in settings
                .into_iter()
                .filter_map(|(word, text)| Some((word, text.as_ref()?)))
            {
                out.push_str(&format!("{word} {text}\n"));
            }
            out + &places(&one.places)
        }
        Action::UpdateRegion(region) => {
            assert_eq!(region.places.is_empty(), region.probes.is_empty());
            format!(
                "update-region {}+{}\n{}",
                region.range.start,
                region.range.size,
                places(&region.places)
            )
        }
        Action::Hooks(hooks) => {
            let all = hooks.iter().map(|hook| {
                format!(
                    "  {} {} {}\n",
                    hook.kind,
                    hook.address,
                    hook.registers.join(" ")
                )
            });
            format!("hooks\n{}", all.collect::<String>())
        }
        Action::AddSymbols(file) => {
            assert!(file.symbols.elf.starts_with(b"\x7fELF"));
            let executors = file.symbols.listings.iter().map(|listing| {
                let first = listing.text.lines().next().unwrap_or_default();
                let (range, name) = (listing.range, &listing.name);
                format!("  {}+{} {name}\n    {first}\n", range.start, range.size)
            });
            format!(
                "add-symbols {}\n{}",
                file.number,
                executors.collect::<String>()
            )
        }
        Action::RemoveSymbols(number) => format!("remove-symbols {number}\n"),
        Action::Choose { name, value } => format!("choose {name} {value}\n"),
        other => format!("{other:?}\n"),
    }
}

fn places(places: &[Place]) -> String {
    let lines = places
        .iter()
        .map(|place| format!("  {} of {}\n", place.address, place.label));
    lines.collect()
}
