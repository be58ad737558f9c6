//! Executors come and go: their places with them.

use super::hooks::{self, OPTIMIZED, REGISTERED, UNMAPPED};
use super::regions::Region;
use super::subject::Summary;
use super::{Breakpoints, Gone, Kind, Settled};
use crate::address::{Address, Range};
use crate::control::{Action, Place, Registers, Told};
use crate::cpython::{Announced, CPython};
use crate::disasm::Architecture;
use crate::error::Result;
use crate::listing::Finding;
use crate::map::MappedExecutor;
use crate::session::Session;

/// As many remarks on single uops are made; more help nobody.
const MOST_REMARKS: usize = 5;

/// Debug registers of an x86-64; most AArch64 processors have as many for instructions. A place more, and the debugger
/// could not let the program go on.
const DEBUG_REGISTERS: usize = 4;

/// What is being done for the breakpoints.
struct Work<'s> {
    session: &'s Session,
    python: &'s CPython,
    architecture: Architecture,
    /// The breakpoint that is being set: of it, remarks are made.
    new: Option<u32>,
    remarks: Vec<String>,
    /// Places for which there was no debug register.
    left_out: usize,
}

impl<'s> Work<'s> {
    fn new(session: &'s Session, new: Option<u32>) -> Result<Work<'s>> {
        Ok(Work {
            session,
            python: session.python()?,
            architecture: session.program()?.architecture,
            new,
            remarks: Vec::new(),
            left_out: 0,
        })
    }
}

impl Breakpoints {
    /// Brings places and hooks to what they should be in this process.
    pub fn refresh(&mut self, session: &Session) -> Told {
        self.refresh_for(session, None)
    }

    pub(super) fn refresh_for(&mut self, session: &Session, new: Option<u32>) -> Told {
        let mut told = Told::default();
        if let Err(error) = self.try_refresh(session, new, &mut told) {
            let finding = Finding::warning(error.to_string());
            told.findings.push(match session.description().pid {
                Some(_) => finding,
                None => Finding::note(format!(
                    "it is looked for when the program runs: {}",
                    finding.what
                )),
            });
        }
        told
    }

    fn try_refresh(&mut self, session: &Session, new: Option<u32>, told: &mut Told) -> Result<()> {
        let architecture = session.program()?.architecture;
        self.architecture = Some(architecture);
        self.is_movable = session.is_movable();
        let hooks = hooks::needed(session, architecture)?;
        let posts = self.posts_of(session, new, told);
        told.actions.extend(self.put_posts(architecture, posts));
        told.actions.extend(self.put_hooks(hooks));
        self.settled = Settled::BeforeStart;
        if session.description().pid.is_none() {
            return Ok(());
        }
        let mut work = Work::new(session, new)?;
        told.actions.extend(self.all_executors(&mut work)?);
        self.settled = Settled::Yes;
        told.findings.extend(remarks(&work.remarks));
        if work.left_out > 0 && new.is_some() {
            told.findings.push(
                Finding::warning(format!(
                    "{} places are left out: a processor has {DEBUG_REGISTERS} debug registers",
                    work.left_out
                ))
                .hint("name fewer uops, or leave out --hardware"),
            );
        }
        Ok(())
    }

    /// Where the catches are.
    fn posts_of(&self, session: &Session, new: Option<u32>, told: &mut Told) -> Vec<Place> {
        let mut posts = Vec::new();
        for set in &self.set {
            let Kind::Catch(caught) = &set.kind else {
                continue;
            };
            match caught.kind.addresses(session) {
                Ok(addresses) => posts.extend(addresses.into_iter().map(|address| Place {
                    breakpoint: set.id,
                    label: set.label.clone(),
                    address,
                    arguments: String::new(),
                })),
                Err(error) if new == Some(set.id) => {
                    told.findings.push(Finding::warning(error.to_string()));
                }
                Err(_) => {}
            }
        }
        posts
    }

    fn all_executors(&mut self, work: &mut Work<'_>) -> Result<Vec<Action>> {
        let mut actions = Vec::new();
        let mut starts = Vec::new();
        for known in work.session.executors()? {
            let Ok(mapped) = work.session.mapped(known.address) else {
                continue;
            };
            starts.push(mapped.executor.jit_code);
            actions.extend(self.put(work, &mapped));
        }
        actions.extend(self.regions.leave_others(&starts));
        Ok(actions)
    }

    /// Sets the places in one executor.
    fn put(&mut self, work: &mut Work<'_>, mapped: &MappedExecutor) -> Vec<Action> {
        let executor = &mapped.executor;
        if executor.jit_code.is_null() || executor.jit_size == 0 {
            return Vec::new();
        }
        let range = Range::new(executor.jit_code, executor.jit_size);
        let mut places = self.places(work, mapped);
        let all = places.len();
        // Whoever is told that this memory is freed could not take them out.
        places.retain(|place| range.contains(place.address));
        if places.len() != all && work.new.is_some() {
            work.remarks.push(format!(
                "the allocation of executor {} does not fit its machine code: places outside of it are left out",
                executor.address
            ));
        }
        let region = Region {
            executor: (executor.address, executor.trace),
            range,
            places,
            summary: Summary::of(work.python, mapped),
        };
        self.regions.put(work.architecture, region)
    }

    fn places(&self, work: &mut Work<'_>, mapped: &MappedExecutor) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for set in &self.set {
            let Kind::Uops(wanted) = &set.kind else {
                continue;
            };
            for found in wanted.find(work.python, mapped) {
                if work.new == Some(set.id)
                    && let Some(owner) = found.bound_to
                {
                    work.remarks.push(format!(
                        "uop {} {} at {} has no code of its own: the breakpoint is at uop {owner}, which follows it",
                        found.index, found.name, found.address
                    ));
                }
                let is_there = places
                    .iter()
                    .any(|place| place.breakpoint == set.id && place.address == found.address);
                if is_there {
                    continue;
                }
                if set.is_hardware && self.hardware_places(mapped, &places) >= DEBUG_REGISTERS {
                    work.left_out += 1;
                } else {
                    places.push(Place {
                        breakpoint: set.id,
                        label: set.label.clone(),
                        address: found.address,
                        arguments: String::new(),
                    });
                }
            }
        }
        places
    }

    /// How many places take debug registers: those in other executors, and those of this one so far.
    fn hardware_places(&self, mapped: &MappedExecutor, here: &[Place]) -> usize {
        let others = self.regions.iter();
        let others = others.filter(|region| region.range.start != mapped.executor.jit_code);
        let all = others.flat_map(|region| &region.places).chain(here);
        let is_hardware = |place: &&Place| {
            let mut sets = self.set.iter();
            sets.any(|set| set.id == place.breakpoint && set.is_hardware)
        };
        all.filter(is_hardware).count()
    }

    /// A hook was hit.
    pub fn hook(&mut self, session: &Session, kind: &str, registers: &Registers) -> Told {
        let done = match kind {
            REGISTERED => self.registered(session),
            OPTIMIZED if hooks::result(registers) == Some(1) => self.compiled(session),
            UNMAPPED => Ok(hooks::argument(registers)
                .into_iter()
                .flat_map(|start| self.freed(start))
                .collect()),
            _ => Ok(Vec::new()),
        };
        told(done)
    }

    fn registered(&mut self, session: &Session) -> Result<Vec<Action>> {
        match session.announced()? {
            Some(Announced::Gone(start)) => Ok(self.freed(start).into_iter().collect()),
            Some(Announced::Code(_)) if !self.hooks.iter().any(|hook| hook.kind == OPTIMIZED) => {
                self.compiled(session)
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Sets places in what is new among the executors that were compiled last.
    fn compiled(&mut self, session: &Session) -> Result<Vec<Action>> {
        let mut work = Work::new(session, None)?;
        let mut actions = Vec::new();
        let mut recent = Vec::new();
        for address in session.newest_executors()? {
            let mapped = session.mapped(address)?;
            let executor = &mapped.executor;
            let identity = (executor.address, executor.trace);
            let known = self.regions.get(executor.jit_code);
            if known.is_some_and(|region| region.executor == identity) {
                continue;
            }
            actions.extend(self.put(&mut work, &mapped));
            recent.push((executor.jit_code, Summary::of(work.python, &mapped)));
        }
        if !recent.is_empty() {
            self.recent = recent;
            self.gone = None;
        }
        Ok(actions)
    }

    /// The memory at `start` is given back.
    fn freed(&mut self, start: Address) -> Option<Action> {
        let summary = self.regions.get(start)?.summary.clone();
        self.gone = Some(Gone {
            start,
            summary,
            told: Vec::new(),
        });
        self.regions.leave(start)
    }
}

fn told(done: Result<Vec<Action>>) -> Told {
    match done {
        Ok(actions) => Told::to_do(actions),
        Err(error) => Told {
            findings: vec![Finding::warning(error.to_string())],
            ..Told::default()
        },
    }
}

fn remarks(all: &[String]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = all.iter().take(MOST_REMARKS).map(Finding::note).collect();
    let more = all.len().saturating_sub(MOST_REMARKS);
    if more > 0 {
        findings.push(Finding::note(format!("and {more} more of this kind")));
    }
    findings
}
