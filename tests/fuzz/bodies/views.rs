//! What a debugger asks without being told to: names of frames, remarks in a disassembly, values, the window. And what
//! `perf` is told.

use cpyjit::address::Address;
use cpyjit::command::{self, NoteLevel, Settings, TextStyle};
use cpyjit::session::Session;
use cpyjit::symbols::{Jitdump, perf_map};

/// CPython's structures that are shown in words.
const STRUCTURES: [&str; 4] = [
    "_PyExecutorObject",
    "_PyExitData",
    "_PyUOpInstruction",
    "_object",
];
/// Bytes of the jitdump of an executor, whose code has 100,000 at most in real targets.
const LONGEST_DUMP: usize = 16 << 20;
/// Stack items and locals that are asked for.
const ITEMS: usize = 3;

/// Asks for all of it at one address, which is taken for a pc and for any object.
pub fn look(session: &Session, address: Address) {
    let mut texts = Vec::new();
    if let Ok(Some(frame)) = command::frame(session, address) {
        texts.extend([frame.name, frame.inside]);
        texts.extend(frame.filename);
    }
    let settings = Settings {
        notes: NoteLevel::All,
        ..Settings::default()
    };
    if let Ok(Some(found)) = command::notes(session, address, settings) {
        for (at, note) in found.notes {
            assert!(found.range.contains(at), "{at}: {note}");
            texts.push(note);
        }
    }
    for structure in STRUCTURES {
        texts.extend(
            command::describe(session, structure, address)
                .ok()
                .flatten(),
        );
    }
    if let Ok(Some(executor)) = session.executor_at(address)
        && let Ok(code) = session.executor_code(executor)
    {
        texts.extend(perf_map(&code).lines().map(str::to_owned));
        let mut dump = Jitdump::new(code.architecture, 1);
        dump.add(&code, "/listings/f");
        assert!(dump.finish().len() < LONGEST_DUMP);
    }
    let style = TextStyle {
        width: 80,
        ..TextStyle::default()
    };
    let window = command::window(Ok(session), style);
    assert!(window.mark.is_none_or(|line| line < window.lines.len()));
    texts.push(window.title);
    texts.extend(window.lines.into_iter().chain(window.stack));
    let stopped = command::stop_text(session, settings, style);
    texts.extend(stopped.lines().map(str::to_owned));
    for text in texts {
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    for number in 0..ITEMS {
        let _ = session.stack_item(number);
    }
    let _ = session.local_variable("a");
    let _ = session.uop_at(address);
    let _ = command::find_executor(session, "f");
}
