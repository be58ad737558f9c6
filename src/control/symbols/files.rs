//! The files that make a debugger understand some executors.

use super::{Again, Code, Met, Shown};
use crate::control::{Action, SymbolFile};
use crate::error::Result;
use crate::session::Session;
use crate::symbols::{ExecutorCode, Listing, Member, SymbolOptions, Symbols, write};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers that are unique in the whole debugger, which keeps sources by name.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Gives out numbers of files and listings.
pub struct Numbers(Option<u64>);

impl Numbers {
    /// From `next` on; or those of the whole debugger.
    pub fn new(next: Option<u64>) -> Numbers {
        Numbers(next)
    }

    /// The next one if they are not those of the whole debugger.
    pub fn own(self) -> Option<u64> {
        self.0
    }

    fn take(&mut self) -> u64 {
        match &mut self.0 {
            Some(next) => {
                *next += 1;
                *next - 1
            }
            None => NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }
}

/// Makes files and remembers what is in them.
pub struct Files<'s> {
    pub session: &'s Session,
    pub options: SymbolOptions,
    pub numbers: Numbers,
    /// What was met.
    pub met: Vec<Met>,
    /// What the debugger has to load.
    pub actions: Vec<Action>,
}

/// An executor that has been read.
struct Read {
    code: Code,
    /// How its listing was written before.
    before: Option<Again>,
    content: ExecutorCode,
    number: u64,
}

impl Files<'_> {
    /// Makes one file about all of these, if that can be.
    pub fn add(&mut self, some: &[(Code, Option<Again>)]) {
        let mut read = Vec::new();
        for (code, before) in some {
            match self.session.executor_code(code.executor) {
                Ok(content) => read.push(Read {
                    code: *code,
                    before: *before,
                    content,
                    number: before.map_or_else(|| self.numbers.take(), |before| before.number),
                }),
                Err(reason) => self.leave_out(*code, reason.to_string()),
            }
        }
        self.write(read);
    }

    fn write(&mut self, mut read: Vec<Read>) {
        if read.is_empty() {
            return;
        }
        match self.written(&mut read) {
            Ok(symbols) => self.tell(&read, symbols),
            // One that cannot be written does not take the others along.
            Err(_) if read.len() > 1 => read.into_iter().for_each(|one| self.write(vec![one])),
            Err(reason) => {
                let reason = reason.to_string();
                read.iter()
                    .for_each(|one| self.leave_out(one.code, reason.clone()));
            }
        }
    }

    /// The file. What the text of a listing tells of objects may have changed: then it needs another name.
    fn written(&mut self, read: &mut [Read]) -> Result<Symbols> {
        let symbols = self.once(read)?;
        let mut is_same = true;
        for (one, listing) in read.iter_mut().zip(&symbols.listings) {
            if one
                .before
                .is_some_and(|before| before.hash != hash(listing))
            {
                one.number = self.numbers.take();
                is_same = false;
            }
        }
        match is_same {
            true => Ok(symbols),
            false => self.once(read),
        }
    }

    fn once(&self, read: &[Read]) -> Result<Symbols> {
        let members: Vec<Member<'_>> = read
            .iter()
            .map(|one| Member {
                code: &one.content,
                number: one.number,
            })
            .collect();
        write(&members, &self.options)
    }

    fn tell(&mut self, read: &[Read], symbols: Symbols) {
        let Some(file) = read.first().map(|one| one.number) else {
            return;
        };
        for (one, listing) in read.iter().zip(&symbols.listings) {
            let again = Again {
                code: one.code,
                number: one.number,
                hash: hash(listing),
            };
            let frames = one.content.frames.iter();
            let shown = Shown {
                file,
                name: listing.name.clone(),
                lines: one.content.python_lines(),
                functions: frames.filter_map(|frame| frame.function.clone()).collect(),
                again,
            };
            self.meet(one.code, Ok(shown));
        }
        let file = SymbolFile {
            number: file,
            symbols,
        };
        self.actions.push(Action::AddSymbols(Box::new(file)));
    }

    fn leave_out(&mut self, code: Code, reason: String) {
        self.meet(code, Err(reason));
    }

    fn meet(&mut self, code: Code, listing: std::result::Result<Shown, String>) {
        let identity = self.session.code_identity(code.executor);
        self.met.push(Met {
            code,
            identity,
            listing,
        });
    }
}

/// The name of a listing may change with its number, its text must not.
fn hash(listing: &Listing) -> u64 {
    let mut hasher = DefaultHasher::new();
    listing.text.hash(&mut hasher);
    hasher.finish()
}
