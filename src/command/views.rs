//! What the debuggers' own commands show of JIT code: remarks in their disassembly, names of frames, values of CPython's
//! structures, and a window that follows the pc. Only what is found without a long search: nobody asked for one.

use super::executor::nothing_compiled;
use super::reply::Failure;
use super::settings::{NoteLevel, Settings};
use super::{all, executor};
use crate::address::{Address, Range};
use crate::error::Result;
use crate::listing::{Detail, ExecutorHeader, Level, Syntax, WhereData};
use crate::render::{self, TextStyle, Window};
use crate::session::{Selection, Session, Uops};

/// Remarks on the instructions of one executor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notes {
    /// Where its machine code is.
    pub range: Range,
    /// By instruction.
    pub notes: Vec<(Address, String)>,
}

/// The remarks on the executor whose machine code contains `address`; `None` outside of JIT code.
pub fn notes(session: &Session, address: Address, settings: Settings) -> Result<Option<Notes>> {
    let Some(executor) = session.executor_at(address)? else {
        return Ok(None);
    };
    let selection = Selection {
        uops: Uops::All,
        stubs: true,
    };
    let detail = Detail {
        instructions: true,
        notes: true,
        source: false,
        parents: false,
        exits: false,
        verify: false,
        syntax: Syntax::default(),
    };
    let listings = session.listings(&[executor], &selection, detail)?;
    let level = match settings.notes {
        NoteLevel::All => Level::All,
        NoteLevel::None | NoteLevel::Some => Level::Readable,
    };
    Ok(listings.first().map(|listing| Notes {
        range: Range::new(listing.executor.code.address, listing.executor.code.mapped),
        notes: match settings.notes {
            NoteLevel::None => Vec::new(),
            NoteLevel::Some | NoteLevel::All => render::instruction_notes(listing, level),
        },
    }))
}

/// How a frame of JIT code is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// `f [uop 12 _GUARD_TOS_INT]`.
    pub name: String,
    /// `uop 12 _GUARD_TOS_INT`.
    pub inside: String,
    /// `co_filename`, without control characters.
    pub filename: Option<String>,
    /// The line that the uop comes from.
    pub line: Option<i32>,
}

/// The frame whose pc is `pc`; `None` outside of JIT code. Of frames that have called something, `pc` is the last byte of
/// the call: what follows may be of another uop.
pub fn frame(session: &Session, pc: Address) -> Result<Option<Frame>> {
    Ok(session.place_near(pc)?.map(|place| Frame {
        name: render::frame_name(&place),
        inside: render::frame_place(&place),
        filename: (place.frame.as_ref()).map(|frame| render::harmless(&frame.filename)),
        line: place.frame.as_ref().and_then(|frame| frame.line),
    }))
}

/// The structure of this name at `address` in words; `None` for other structures, and where nothing is known of it.
pub fn describe(session: &Session, structure: &str, address: Address) -> Result<Option<String>> {
    Ok(match structure {
        "_PyExecutorObject" => Some(render::executor_line(&session.brief_header(address)?)),
        "_PyExitData" => session
            .exit_at(address)?
            .map(|(executor, exit)| render::exit_line(&executor, &exit)),
        "_PyUOpInstruction" => {
            let (executor, row) = session.uop_in_memory(address)?;
            Some(render::uop_line(executor.as_ref(), &row))
        }
        "_object" => session.object_text(address)?,
        _ => None,
    })
}

/// What a window shows at this stop: the listing that the pc is in, or in one line where the target is.
///
/// Where JIT code waits for a call to return, its listing stands below that line.
pub fn window(session: std::result::Result<&Session, Failure>, style: TextStyle) -> Window {
    let shown = session.and_then(|session| content(session, style));
    let content = shown.unwrap_or_else(|failure| Content {
        text: failure.sentence(),
        ..Content::default()
    });
    let title = content.title.unwrap_or_else(|| "JIT".to_owned());
    render::window(title, &content.text, &content.stack, style)
}

#[derive(Default)]
struct Content {
    title: Option<String>,
    text: String,
    stack: String,
}

fn content(session: &Session, style: TextStyle) -> std::result::Result<Content, Failure> {
    let here = match session.stop().pc {
        Some(pc) => session.place_near(pc)?,
        None => None,
    };
    if let Some(place) = here
        && let Some(executor) = &place.executor
    {
        return Ok(Content {
            title: Some(title(&place)),
            text: listing(session, executor.address, style),
            stack: stack(session, style),
        });
    }
    let text = match session.running()? {
        Some(waiting) => {
            let place = outside(session, &session.brief_header(waiting)?);
            format!("{place}\n\n{}", listing(session, waiting, style))
        }
        None => interpreting(session)?,
    };
    Ok(Content {
        text,
        ..Content::default()
    })
}

fn title(place: &WhereData) -> String {
    let number = place.executor.as_ref().and_then(|header| header.index);
    let number = number.map_or_else(String::new, |number| format!("#{number} "));
    let line = place
        .frame
        .as_ref()
        .and_then(|frame| Some((frame, frame.line?)));
    let line = line.map_or_else(String::new, |(frame, line)| {
        let name = render::file_name(&frame.filename);
        format!(" {}:{line}", render::harmless(name))
    });
    format!("JIT {number}{}{line}", render::frame_name(place))
}

/// Windows with less columns than this show offsets: addresses would leave no room for remarks.
const WIDE: usize = 100;

/// What `jit-dis` says of the executor, always with the colour that marks the pc.
fn listing(session: &Session, executor: Address, style: TextStyle) -> String {
    let places = if style.width < WIDE { " --offsets" } else { "" };
    let style = TextStyle {
        color: true,
        ..style
    };
    let arguments = format!("{executor}{places}");
    all::run(Ok(session), "jit-dis", &arguments, style).text
}

/// What `jit-stack` says, where there is that command and it knows an answer.
fn stack(session: &Session, style: TextStyle) -> String {
    let reply = all::run(Ok(session), "jit-stack", "", style);
    match reply.failed {
        true => String::new(),
        false => reply.text,
    }
}

fn outside(session: &Session, waiting: &ExecutorHeader) -> String {
    let place = match session.innermost_function() {
        Ok(Some(function)) => format!("in {}, ", render::harmless(function.qualname())),
        _ => String::new(),
    };
    let waiting = render::executor_name(waiting);
    format!("Not in JIT code: {place}{waiting} waits for a call to return.")
}

fn interpreting(session: &Session) -> std::result::Result<String, Failure> {
    if session.executors()?.is_empty() {
        return Ok(format!("Not in JIT code: {}.", nothing_compiled(session)));
    }
    let Some(function) = session.innermost_function()? else {
        return Ok("Not in JIT code, and no Python function runs in this thread.".to_owned());
    };
    let next: Vec<String> = session
        .entered_by(function.address())?
        .iter()
        .map(executor::choice)
        .collect();
    let next = match next.is_empty() {
        true => "no executor is entered by it".to_owned(),
        false => format!("next may be {}", next.join("; ")),
    };
    Ok(format!(
        "Not in JIT code: {} is interpreted, {next}.",
        render::harmless(function.qualname())
    ))
}
