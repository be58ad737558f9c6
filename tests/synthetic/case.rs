//! A case file: a description, and exchanges of a command and the reply that is expected.

use super::json;
use super::target::{Made, Target};
use super::view;
use cpyjit::address::Address;
use cpyjit::command::{self, Action, Reply, TextStyle};
use cpyjit::target::Stop;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// One case file.
pub struct Case {
    pub path: PathBuf,
    /// All up to the first command: comment and description.
    pub preamble: String,
    pub exchanges: Vec<Exchange>,
}

/// A command line of a case, with what stands around it.
pub struct Exchange {
    /// Comments and blank lines before the command.
    pub before: String,
    /// The command as written, without `> `.
    pub command: String,
    /// The reply as written.
    pub expected: String,
}

/// A command ready to be run.
struct Call {
    stop: Stop,
    style: TextStyle,
    complete: bool,
    name: String,
    arguments: String,
}

/// The case files, by name.
pub fn all() -> Vec<Case> {
    let directory = directory();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "case")
        })
        .collect();
    paths.sort();
    paths.into_iter().map(Case::read).collect()
}

/// Where they are; `CASES` names another directory.
fn directory() -> PathBuf {
    match std::env::var_os("CASES") {
        Some(directory) => directory.into(),
        None => own_directory(),
    }
}

fn own_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

impl Case {
    fn read(path: PathBuf) -> Case {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut case = Case {
            path,
            preamble: String::new(),
            exchanges: Vec::new(),
        };
        let mut before = String::new();
        for line in text.lines() {
            if let Some(command) = line.strip_prefix("> ") {
                case.exchanges.push(Exchange {
                    before: std::mem::take(&mut before),
                    command: command.to_owned(),
                    expected: String::new(),
                });
                continue;
            }
            let into = match case.exchanges.last_mut() {
                None => &mut case.preamble,
                Some(exchange) if is_reply(line) => &mut exchange.expected,
                Some(_) => &mut before,
            };
            into.push_str(line);
            into.push('\n');
        }
        assert!(
            before.trim().is_empty(),
            "{}: text behind the last reply",
            case.name()
        );
        case
    }

    /// The name of the file.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// Makes the target that the case describes.
    pub fn make(&self) -> Made {
        Target::make(
            &self.name(),
            &self.preamble,
            &own_directory().join("targets"),
        )
    }

    /// The file with these replies.
    pub fn text(&self, replies: &[String]) -> String {
        let mut text = self.preamble.clone();
        for (exchange, reply) in self.exchanges.iter().zip(replies) {
            text.push_str(&exchange.before);
            text.push_str("> ");
            text.push_str(&exchange.command);
            text.push('\n');
            text.push_str(reply);
        }
        text
    }
}

/// Whether a line belongs to a reply rather than to what stands between two exchanges.
fn is_reply(line: &str) -> bool {
    let words = ["failed ", "writes ", "stops"];
    line.starts_with('|') || words.iter().any(|word| line.starts_with(word))
}

impl Exchange {
    /// What the library answers, written as in a case file.
    pub fn answer(&self, made: &mut Made) -> String {
        let call = Call::parse(&self.command, &made.names);
        made.session.select(call.stop);
        if let Some(reply) = super::control::happening(made, &call.name, &call.arguments) {
            return match written(&reply) {
                nothing if nothing.is_empty() => "| nothing to do\n".to_owned(),
                answer => answer,
            };
        }
        if call.complete {
            let candidates = command::complete(Some(&made.session), &call.name, &call.arguments);
            return quoted(&(candidates.join("\n") + "\n"));
        }
        if call.is_view() {
            let (name, arguments) = (&call.name, &call.arguments);
            return quoted(&view::answer(&made.session, call.style, name, arguments));
        }
        written(&call.steer(made))
    }

    /// The reply to the same command as JSON, unless it completes, is a view or writes a file.
    pub fn json(&self, made: &mut Made) -> Option<Reply> {
        let call = Call::parse(&self.command, &made.names);
        made.session.select(call.stop);
        let more = match call.arguments.contains("--json") {
            true => "",
            false => " --json",
        };
        (!call.complete && !call.is_view()).then(|| call.run(made, more))
    }
}

impl Call {
    /// `[pc=ADDRESS] [thread=ID] [width=COLUMNS] [color] [complete] jit-NAME ARGUMENTS`, or a view in place of a command.
    fn parse(text: &str, names: &HashMap<String, u64>) -> Call {
        let text = with_addresses(text, names);
        let mut call = Call {
            stop: Stop::default(),
            style: TextStyle::default(),
            complete: false,
            name: String::new(),
            arguments: String::new(),
        };
        let mut rest = text.as_str();
        while call.name.is_empty() {
            let (word, behind) = rest.split_once(' ').unwrap_or((rest, ""));
            rest = behind;
            match word.split_once('=').unwrap_or((word, "")) {
                ("pc", value) => {
                    let digits = value.trim_start_matches("0x");
                    call.stop.pc = Some(Address(u64::from_str_radix(digits, 16).unwrap()));
                }
                ("thread", value) => call.stop.thread = Some(value.parse().unwrap()),
                ("width", value) => call.style.width = value.parse().unwrap(),
                ("color", "") => call.style.color = true,
                ("complete", "") => call.complete = true,
                (name, _) => call.name = name.to_owned(),
            }
        }
        rest.clone_into(&mut call.arguments);
        call
    }

    fn is_view(&self) -> bool {
        self.name.starts_with("view-")
    }

    /// In a debugger, whose breakpoints stay from one command to the next.
    fn steer(&self, made: &mut Made) -> Reply {
        let (session, control) = (Ok(&made.session), &mut made.control);
        command::run_in_debugger(session, control, &self.name, &self.arguments, self.style)
    }

    fn run(&self, made: &Made, more: &str) -> Reply {
        let arguments = format!("{}{more}", self.arguments);
        command::run(Ok(&made.session), &self.name, &arguments, self.style)
    }
}

/// `{NAME}` and `{NAME+N}` become addresses.
fn with_addresses(text: &str, names: &HashMap<String, u64>) -> String {
    let mut out = String::new();
    for (index, part) in text.split(['{', '}']).enumerate() {
        if index % 2 == 0 || part.is_empty() {
            out.push_str(part);
            continue;
        }
        let (name, more) = part.split_once('+').unwrap_or((part, "0"));
        let more: u64 = more.parse().unwrap();
        match names.get(name) {
            Some(address) => out.push_str(&format!("{:#x}", address + more)),
            None => panic!("nothing is called {{{name}}}: > {text}"),
        }
    }
    out
}

/// A reply in the form of case files.
fn written(reply: &Reply) -> String {
    let stop = if reply.stop { "stops\n" } else { "" };
    let mut out = String::new();
    if reply.failed || reply.status != 0 {
        out.push_str(&format!("failed with status {}\n", reply.status));
    }
    out.push_str(&quoted(&reply.text));
    for action in &reply.actions {
        match action {
            Action::WriteFile { path, content } => {
                out.push_str(&format!("writes {path}\n{}", quoted(content)));
            }
            Action::Control(action) => out.push_str(&quoted(&super::control::written(action))),
        }
    }
    out + stop
}

/// Characters that do something to a terminal or to the order of text, as ones that don't.
fn visible(character: char) -> char {
    match character {
        '\n' => character,
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(character)).unwrap(),
        '\u{80}'..='\u{9f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => '␦',
        _ => character,
    }
}

/// How often memory was asked is no fact about the target.
fn without_requests(text: &str) -> String {
    let mut out = text.to_owned();
    for key in ["memory requests ", "\"memory_requests\":"] {
        if let Some((before, after)) = text.split_once(key) {
            let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
            out = format!("{before}{key}…{after}");
        }
    }
    out
}

/// Each line behind a `|`; JSON laid out; escapes of colours visible.
fn quoted(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let is_document = text.starts_with("{\"schema\"") && text.matches('\n').count() == 1;
    let (content, end) = match text.strip_suffix('\n') {
        Some(content) => (content, ""),
        None => (text, "|(no line break at the end)\n"),
    };
    let content = match is_document {
        true => json::laid_out(content),
        false => content.to_owned(),
    };
    let content: String = content.chars().map(visible).collect();
    let content = without_requests(&content);
    let lines = content.split('\n').map(|line| match line {
        "" => "|\n".to_owned(),
        _ => format!("| {line}\n"),
    });
    lines.chain([end.to_owned()]).collect()
}
