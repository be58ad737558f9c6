//! Starts workers, waits for each case no longer than it may take, and starts anew behind a case that ended a worker.

use super::made;
use super::options::Options;
use super::totals::Totals;
use std::fs;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// A case that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// A worker that has not copied its files and read its undamaged targets by then never will.
const START: Duration = Duration::from_secs(120);

/// After so many failures the rest would tell nothing new.
const MOST_FAILURES: u64 = 50;

/// Makes the cores, tries all cases; whether all went well.
pub fn run(options: &Options) -> Result<bool, String> {
    fs::create_dir_all(&options.kept).map_err(|error| error.to_string())?;
    made::make(&options.testbed, &options.kept)?;
    let totals = Mutex::new(Totals::default());
    let outcomes: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let shares: Vec<_> = (0..options.workers)
            .map(|first| (first, &totals))
            .map(|(first, totals)| scope.spawn(move || share(options, first, totals)))
            .collect();
        let ended = shares.into_iter().map(|share| share.join());
        ended
            .map(|outcome| outcome.unwrap_or(Err("a thread of the supervisor panicked".to_owned())))
            .collect()
    });
    outcomes.into_iter().collect::<Result<(), String>>()?;
    let totals = totals.into_inner().map_err(|error| error.to_string())?;
    println!("{totals}");
    Ok(totals.is_good() && totals.tried == options.cases)
}

/// All cases of one worker, and of those that take its place.
fn share(options: &Options, first: u64, totals: &Mutex<Totals>) -> Result<(), String> {
    let mut next = first;
    while next < options.cases {
        let mut worker = Worker::start(options, next)?;
        let ended = worker.watch(options, totals);
        worker.end(options);
        match ended {
            Ended::Done => break,
            Ended::At(case) => next = case + options.workers,
            Ended::TooMany => break,
            Ended::Start(reason) => return Err(reason),
        }
    }
    Ok(())
}

fn lock(totals: &Mutex<Totals>) -> std::sync::MutexGuard<'_, Totals> {
    totals.lock().expect("no thread panics while it counts")
}

/// How a worker ended.
enum Ended {
    /// It has tried all its cases.
    Done,
    /// This case ended it.
    At(u64),
    /// There were too many failures by then.
    TooMany,
    /// It never got to its first case.
    Start(String),
}

struct Worker {
    process: Child,
    lines: Receiver<String>,
    errors: std::thread::JoinHandle<String>,
}

impl Worker {
    fn start(options: &Options, first: u64) -> Result<Worker, String> {
        let told = |error: std::io::Error| format!("cannot start a worker: {error}");
        let mut process = Command::new(std::env::current_exe().map_err(told)?)
            .arg(options.cases.to_string())
            .args(["--seed", &options.seed.to_string()])
            .args(["--worker", &first.to_string(), &options.workers.to_string()])
            .arg("--testbed")
            .arg(&options.testbed)
            .arg("--kept")
            .arg(&options.kept)
            .arg("--scratch")
            .arg(&options.scratch)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(told)?;
        let (out, err) = (process.stdout.take(), process.stderr.take());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let Some(out) = out else { return };
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let errors = std::thread::spawn(move || {
            let mut text = String::new();
            if let Some(mut err) = err {
                let _ = err.read_to_string(&mut text);
            }
            text
        });
        Ok(Worker {
            process,
            lines,
            errors,
        })
    }

    /// Takes in what it says until it ends or hangs.
    fn watch(&mut self, options: &Options, totals: &Mutex<Totals>) -> Ended {
        let mut running = None;
        loop {
            let patience = if running.is_some() { PATIENCE } else { START };
            match (self.lines.recv_timeout(patience), running) {
                (Ok(line), _) => {
                    let mut totals = lock(totals);
                    running = take_in(&line, options, &mut totals, running);
                    if line.starts_with("peak ") {
                        return Ended::Done;
                    }
                    if totals.failures() >= MOST_FAILURES {
                        return Ended::TooMany;
                    }
                }
                (Err(RecvTimeoutError::Timeout), Some(case)) => {
                    let mut totals = lock(totals);
                    totals.hangs += 1;
                    totals.tried += 1;
                    note(options, case, "hang");
                    return Ended::At(case);
                }
                (Err(RecvTimeoutError::Disconnected), Some(case)) => {
                    self.died(options, case, totals);
                    return Ended::At(case);
                }
                (Err(_), None) => return Ended::Start(self.last_words()),
            }
        }
    }

    fn died(&mut self, options: &Options, case: u64, totals: &Mutex<Totals>) {
        let words = self.last_words();
        let mut totals = lock(totals);
        totals.tried += 1;
        // The allocation that the limit refused (`heap`) ends the process with these words.
        if words.contains("memory allocation of") {
            totals.over += 1;
        } else {
            totals.crashes += 1;
        }
        note(options, case, &words);
    }

    fn last_words(&mut self) -> String {
        let _ = self.process.kill();
        let status = self.process.wait();
        let errors = std::mem::replace(&mut self.errors, std::thread::spawn(String::new));
        let text = errors.join().unwrap_or_default();
        format!(
            "worker ended ({}): {}",
            status.map_or_else(|e| e.to_string(), |s| s.to_string()),
            text.trim()
        )
    }

    /// Ends it, and takes its copies away.
    fn end(&mut self, options: &Options) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(options.scratch.join(self.process.id().to_string()));
    }
}

/// Counts what a line says; which case runs now.
fn take_in(
    line: &str,
    options: &Options,
    totals: &mut Totals,
    running: Option<u64>,
) -> Option<u64> {
    let mut words = line.splitn(3, ' ');
    let (what, number) = (words.next()?, words.next()?.parse().ok()?);
    let rest = words.next().unwrap_or_default();
    match what {
        "try" => return Some(number),
        "ok" => {
            let mut numbers = rest.split(' ').map(|word| word.parse().unwrap_or(0));
            let mut value = || numbers.next().unwrap_or(0);
            totals.slowest.see(value(), number);
            totals.largest.see(value(), number);
            totals.answered += u64::from(value() > 0);
        }
        "panic" => {
            totals.panics += 1;
            note(options, number, rest);
        }
        "peak" => {
            totals.resident = totals.resident.max(number);
            return running;
        }
        _ => return running,
    }
    totals.tried += 1;
    progress(totals, options);
    // The next case is on its way: the same patience is for it.
    Some(number)
}

fn progress(totals: &Totals, options: &Options) {
    if std::io::stderr().is_terminal() && totals.tried.is_multiple_of(50) {
        let _ = write!(
            std::io::stderr(),
            "\r{} of {} cases",
            totals.tried,
            options.cases
        );
    }
}

/// Tells of a failure, and writes it down.
fn note(options: &Options, case: u64, what: &str) {
    let line = format!("case {case} of seed {}: {what}\n", options.seed);
    eprint!("{line}");
    let file = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(options.kept.join("failures"));
    let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
}
