//! What is said and asked for.

use super::super::code::Code;
use super::super::world::World;
use super::{Machine, Phase};
use crate::address::Address;
use crate::control::{Action, Run, RunPlace, Told};
use crate::listing::Finding;

impl Machine {
    pub(super) fn say(&mut self, world: &dyn World, code: &Code, place: usize, last: bool) {
        if let Some(node) = code.node(place) {
            let source = |file: &str, line: i32| world.source(file, line);
            self.shown.uop(&mut self.lines, code, node, last, source);
        }
    }

    pub(super) fn run(&mut self, phase: Phase, places: Vec<Address>) -> Told {
        self.phase = phase;
        self.run_places(stopping(places))
    }

    pub(super) fn run_places(&mut self, places: Vec<RunPlace>) -> Told {
        // As in a damaged trace, whose exits lead nowhere. The program would run on.
        if places.is_empty() {
            return self.end(
                "where the program goes from here is not known: stepi goes on by one instruction",
            );
        }
        self.ask(Action::Run(Run {
            thread: None,
            places,
            suppress: true,
        }))
    }

    pub(super) fn instruction(&mut self, phase: Phase) -> Told {
        self.phase = phase;
        self.ask(Action::SingleStep { thread: None })
    }

    pub(super) fn ask(&mut self, action: Action) -> Told {
        Told {
            lines: std::mem::take(&mut self.lines),
            findings: std::mem::take(&mut self.findings),
            actions: vec![action],
            stop: false,
        }
    }

    pub(super) fn done(&mut self) -> Told {
        Told {
            lines: std::mem::take(&mut self.lines),
            findings: std::mem::take(&mut self.findings),
            actions: Vec::new(),
            stop: true,
        }
    }

    pub(super) fn end(&mut self, why: &str) -> Told {
        self.findings.push(Finding::warning(why));
        self.done()
    }
}

/// Places at which the thread stops each time.
pub(super) fn stopping(mut places: Vec<Address>) -> Vec<RunPlace> {
    places.sort_unstable();
    places.dedup();
    let stopping = places.into_iter().map(|address| RunPlace {
        address,
        ignore: 0,
        any_thread: false,
    });
    stopping.collect()
}
