//! A process that tries cases, one after the other, and tells the supervisor of each.
//!
//! Its lines: `try CASE`, then `ok CASE MICROSECONDS BYTES ANSWERED` or `panic CASE MESSAGE`; `peak BYTES` at the end.

use super::choices::Dice;
use super::files::Copy;
use super::heap;
use super::made::{self, Target};
use super::mutation::Mutation;
use super::options::Options;
use super::places::Places;
use super::trial::{self, Files};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Instant;

/// Of so many cases one damages the executable, and one the debug file; the others damage the core.
const OF_WHICH_ONE: usize = 8;

thread_local! {
    /// What the last panic said, and where.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A target with this worker's own copies of its files.
struct Own {
    name: &'static str,
    core: Subject,
    executable: Subject,
    debug_file: Option<Subject>,
    /// Machine code, bytecode and objects, for jit-where.
    addresses: Vec<u64>,
}

struct Subject {
    copy: Copy,
    places: Places,
}

/// What a case damages.
#[derive(Clone, Copy, Debug)]
enum What {
    Core,
    Executable,
    DebugFile,
}

pub fn run(options: &Options, first: u64, step: u64) -> Result<(), String> {
    let targets = own(options)?;
    remember_panics();
    for case in (first..options.cases).step_by(step as usize) {
        println!("try {case}");
        println!("{}", attempt(options, &targets, case, false));
    }
    println!("peak {}", heap::resident());
    Ok(())
}

pub fn replay(options: &Options, case: u64) -> Result<(), String> {
    let targets = own(options)?;
    remember_panics();
    println!("{}", attempt(options, &targets, case, true));
    Ok(())
}

fn attempt(options: &Options, targets: &[Own], case: u64, tell: bool) -> String {
    let mut dice = Dice::new(options.seed.wrapping_mul(0x1_0000_0001).wrapping_add(case));
    let own = &targets[dice.below(targets.len())];
    let (what, subject) = own.choose(&mut dice);
    // A build without debug information has its own ways: tables and scans.
    let stripped =
        matches!(what, What::Executable) || matches!(what, What::Core) && dice.below(3) == 0;
    let live = dice.below(2) == 0;
    let mutation = Mutation::choose(&mut dice, subject.copy.whole(), &subject.places);
    if tell {
        println!(
            "{}, {what:?}, stripped: {stripped}, live: {live}:",
            own.name
        );
        for text in &mutation.what {
            println!("  {text}");
        }
    }
    subject.copy.damage(&mutation.edits, mutation.length);
    let files = own.files(what, stripped, live);
    heap::start();
    let start = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| own.try_it(&files)));
    let took = start.elapsed().as_micros();
    let peak = heap::peak();
    subject.copy.mend(&mutation.edits, mutation.length);
    match outcome {
        Ok(answered) => format!("ok {case} {took} {peak} {answered}"),
        Err(_) => format!("panic {case} {}", PANIC.take().replace('\n', " ")),
    }
}

fn remember_panics() {
    std::panic::set_hook(Box::new(|panic| {
        PANIC.set(panic.to_string().chars().take(500).collect());
    }));
}

impl Own {
    fn choose(&self, dice: &mut Dice) -> (What, &Subject) {
        match (dice.below(OF_WHICH_ONE), &self.debug_file) {
            (0, _) => (What::Executable, &self.executable),
            (1, Some(debug_file)) => (What::DebugFile, debug_file),
            _ => (What::Core, &self.core),
        }
    }

    /// How many commands answered.
    fn try_it(&self, files: &Files<'_>) -> usize {
        match trial::open(files) {
            Ok(session) => trial::run(&session, &self.addresses),
            Err(_) => 0,
        }
    }

    /// What is looked at when this is damaged. The cache serves undamaged files only: it knows them by size and build id,
    /// which damage may leave as they are.
    fn files(&self, what: What, stripped: bool, live: bool) -> Files<'_> {
        let debug_file = self
            .debug_file
            .as_ref()
            .map(|file| file.copy.path.as_path());
        Files {
            core: &self.core.copy.path,
            executable: &self.executable.copy.path,
            debug_file: debug_file.filter(|_| !stripped),
            cache: matches!(what, What::Core),
            live,
        }
    }
}

fn own(options: &Options) -> Result<Vec<Own>, String> {
    let place = options.scratch.join(std::process::id().to_string());
    std::fs::create_dir_all(&place).map_err(|error| error.to_string())?;
    let targets = made::targets(&options.testbed, &options.kept);
    let own = targets.iter().map(|target| {
        let own = own_target(target, &place);
        own.map_err(|reason| format!("{}: {reason}", target.name))
    });
    own.collect()
}

fn own_target(target: &Target, place: &Path) -> Result<Own, String> {
    let copy =
        |path: &Path, kind: &str| Copy::new(path, place.join(format!("{kind}-{}", target.name)));
    let files = Files {
        core: &target.core,
        executable: &target.executable,
        debug_file: target.debug_file.as_deref(),
        cache: true,
        live: false,
    };
    let session = trial::open(&files)?;
    let core = copy(&target.core, "core")?;
    let places = Places::of_core(core.whole(), &session)?;
    let mut addresses = places.values.clone();
    // One of each kind and executor will do.
    addresses.truncate(8);
    let answered = trial::run(&session, &addresses);
    if answered < addresses.len() {
        return Err(format!(
            "only {answered} commands answer on its undamaged core"
        ));
    }
    let file = |path: &Path, kind: &str| -> Result<Subject, String> {
        let copy = copy(path, kind)?;
        Ok(Subject {
            places: Places::of_file(copy.whole()),
            copy,
        })
    };
    Ok(Own {
        name: target.name,
        core: Subject { copy: core, places },
        executable: file(&target.executable, "exe")?,
        debug_file: target
            .debug_file
            .as_deref()
            .map(|path| file(path, "debug"))
            .transpose()?,
        addresses,
    })
}
