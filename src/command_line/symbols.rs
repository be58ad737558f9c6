//! `cpyjit symbols`: JIT code as objects and source files for tools that know nothing of it.

use super::perf_data::Recording;
use super::target::Opened;
use super::target_options::TargetOptions;
use crate::command::{Failure, Reply};
use crate::session::Session;
use crate::symbols::{
    Debugger, ExecutorCode, Jitdump, Listing, Member, SymbolOptions, View, perf_map as perf_lines,
    write as write_symbols,
};
use clap::ValueEnum;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const EXAMPLES: &str = "\
Examples:
  cpyjit symbols --core core -o syms            one object and one listing for each executor
  gdb python3.15 core -x syms/load.gdb          then bt, info locals, list, x/i know them
  cpyjit symbols --core core -o syms --for lldb
  lldb python3.15 -c core -s syms/load.lldb
  cpyjit symbols --pid 4242 --stop -o syms --view both

With perf, of a process that still runs when it has been recorded (perf looks for names in /tmp/perf-PID.map):
  perf record -e cpu-clock -p 4242 -- sleep 5
  cpyjit symbols --pid 4242 --stop --perf-map -o /tmp/syms && cp /tmp/syms/perf-4242.map /tmp
  perf report --sort sym                        the hottest uops

The same, with samples at each instruction under its uop:
  perf record -k mono -e cpu-clock -p 4242 -- sleep 5
  cpyjit symbols --pid 4242 --stop --perf-data perf.data -o syms
  perf inject --jit -i syms/perf-4242.data -o syms/perf.jit.data
  perf annotate -i syms/perf.jit.data --stdio -l -s f@18";

/// Write JIT code as ELF objects that debuggers and other tools understand
///
/// Each executor becomes an object with symbols of its uops, a line table, Python functions as inlined frames with their
/// variables, and unwind rules; and a listing of its uops, which is the source file that the lines refer to. All of it is
/// made from the outside: the target is only read. The objects hold for this very process or core: code that is freed or
/// compiled later is another.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct WriteSymbols {
    #[command(flatten)]
    target: TargetOptions,

    /// Write into this directory, which is made if need be
    #[arg(short, long, value_name = "DIR", required = true)]
    output: PathBuf,

    /// The debugger that the objects are for; GDB's also suit other tools
    #[arg(long = "for", value_name = "DEBUGGER", default_value = "gdb")]
    debugger: For,

    /// What is a line: a uop (frames), a line of Python (py), or both, with uops as inlined frames
    #[arg(long, value_name = "VIEW", default_value = "frames")]
    view: Lines,

    /// Also write perf-PID.map, from which perf report takes the names of uops
    #[arg(long)]
    perf_map: bool,

    /// Also write jit-PID.dump, and a copy of this perf.data that tells of it, for perf inject --jit and perf annotate. What
    /// was freed or compiled while perf was recording is named by what is there now
    #[arg(long, value_name = "PERF.DATA")]
    perf_data: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum For {
    Gdb,
    Lldb,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Lines {
    Frames,
    Py,
    Both,
}

impl WriteSymbols {
    /// Writes them all.
    pub fn run(&self) -> Result<Reply, Failure> {
        let opened = Opened::new(&self.target)?;
        let session = opened.session()?;
        let folder = prepare(&self.output)?;
        let options = self.options(&folder);
        let mut written = Written::default();
        let mut perf = self.perf(session, &folder)?;
        for (number, known) in (1..).zip(session.executors()?) {
            let address = known.address;
            let code = session.executor_code(address);
            let symbols = code.and_then(|code| {
                let member = Member {
                    code: &code,
                    number,
                };
                let symbols = write_symbols(&[member], &options)?;
                Ok((code, symbols))
            });
            match symbols {
                Ok((code, symbols)) => {
                    for listing in &symbols.listings {
                        written.add(&folder, &address.to_string(), listing, &symbols.elf)?;
                        if let Some(perf) = &mut perf {
                            perf.add(&code, &folder.join(&listing.name));
                        }
                    }
                }
                Err(reason) => written.leave_out(&format!("{address}: {reason}")),
            }
        }
        if let Some(perf) = perf.filter(|_| !written.objects.is_empty()) {
            written.text.push_str(&perf.finish(&folder)?);
        }
        written.finish(&folder, self.debugger)
    }

    /// What perf gets, if it gets anything. A recording that cannot be used is refused before anything is written.
    fn perf(&self, session: &Session, folder: &Path) -> Result<Option<ForPerf>, Failure> {
        if !self.perf_map && self.perf_data.is_none() {
            return Ok(None);
        }
        let pid = session
            .description()
            .pid
            .and_then(|pid| u32::try_from(pid).ok());
        let pid = pid.ok_or_else(|| {
            Failure::new("the core does not tell the id of its process")
                .hint("without it perf does not know whose names they are")
        })?;
        let architecture = session.program().map_err(Failure::from)?.architecture;
        let recording = match &self.perf_data {
            Some(path) => Some(Recording::open(path).map_err(Failure::new)?),
            None => None,
        };
        if let Some(recording) = &recording {
            recording
                .is_apart_from(&copy_path(folder, pid))
                .map_err(Failure::new)?;
        }
        Ok(Some(ForPerf {
            pid,
            map: self.perf_map.then(String::new),
            dump: recording.map(|recording| (recording, Jitdump::new(architecture, pid))),
        }))
    }

    fn options(&self, folder: &Path) -> SymbolOptions {
        SymbolOptions {
            debugger: match self.debugger {
                For::Gdb => Debugger::Gdb,
                For::Lldb => Debugger::Lldb,
            },
            view: match self.view {
                Lines::Frames => View::Frames,
                Lines::Py => View::Python,
                Lines::Both => View::Both,
            },
            folder: folder.display().to_string(),
            loses_registers: false,
        }
    }
}

/// What is written for perf.
struct ForPerf {
    pid: u32,
    map: Option<String>,
    /// With what perf has recorded.
    dump: Option<(Recording, Jitdump)>,
}

impl ForPerf {
    fn add(&mut self, code: &ExecutorCode, listing: &Path) {
        if let Some(map) = &mut self.map {
            map.push_str(&perf_lines(code));
        }
        if let Some((_, dump)) = &mut self.dump {
            dump.add(code, &listing.display().to_string());
        }
    }

    /// Writes all of it: what to do with it.
    fn finish(self, folder: &Path) -> Result<String, Failure> {
        if let Some(map) = &self.map {
            write(
                &folder.join(format!("perf-{}.map", self.pid)),
                map.as_bytes(),
            )?;
        }
        let Some((recording, dump)) = self.dump else {
            return Ok(String::new());
        };
        let dump_path = folder.join(format!("jit-{}.dump", self.pid));
        write(&dump_path, &dump.finish())?;
        let (copy, result) = (copy_path(folder, self.pid), folder.join("perf.jit.data"));
        recording
            .with_dump(&copy, self.pid, &dump_path)
            .map_err(Failure::new)?;
        let (copy, result) = (
            quoted(&copy.display().to_string()),
            quoted(&result.display().to_string()),
        );
        Ok(format!(
            "perf inject --jit -i {copy} -o {result}\nperf annotate -i {result} --stdio -l\n"
        ))
    }
}

/// Where the copy of what perf has recorded goes.
fn copy_path(folder: &Path, pid: u32) -> PathBuf {
    folder.join(format!("perf-{pid}.data"))
}

/// The directory, with its whole path: debuggers look for listings by it.
fn prepare(folder: &Path) -> Result<PathBuf, Failure> {
    fs::create_dir_all(folder)
        .and_then(|()| folder.canonicalize())
        .map_err(|error| Failure::new(format!("cannot make {}: {error}", folder.display())))
}

/// What was written so far.
#[derive(Default)]
struct Written {
    text: String,
    objects: Vec<String>,
    left_out: usize,
}

impl Written {
    fn add(
        &mut self,
        folder: &Path,
        executor: &str,
        listing: &Listing,
        elf: &[u8],
    ) -> Result<(), Failure> {
        let object = object_name(&listing.name);
        write(&folder.join(&listing.name), listing.text.as_bytes())?;
        write(&folder.join(&object), elf)?;
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{executor}  {object}  {}", listing.executor);
        self.objects.push(object);
        Ok(())
    }

    fn leave_out(&mut self, reason: &str) {
        self.left_out += 1;
        let _ = writeln!(self.text, "warning: no symbols of the executor at {reason}");
    }

    /// The script that loads them, and what is told.
    fn finish(mut self, folder: &Path, debugger: For) -> Result<Reply, Failure> {
        if self.objects.is_empty() && self.left_out == 0 {
            return Err(Failure::new(
                "there are no executors: the JIT has compiled nothing",
            ));
        }
        let (name, script) = match debugger {
            For::Gdb => ("load.gdb", gdb_script(folder, &self.objects)),
            For::Lldb => ("load.lldb", lldb_script(folder, &self.objects)),
        };
        let script_path = folder.join(name);
        write(&script_path, script.as_bytes())?;
        let count = self.objects.len();
        let _ = writeln!(
            self.text,
            "{count} objects; {} loads them",
            script_path.display()
        );
        Ok(Reply {
            text: self.text,
            failed: false,
            ..Reply::default()
        })
    }
}

fn object_name(listing: &str) -> String {
    let stem = listing.strip_suffix(".uops").unwrap_or(listing);
    format!("{stem}.elf")
}

/// GDB asks before it adds a file, unless it is told not to.
fn gdb_script(folder: &Path, objects: &[String]) -> String {
    let mut script = String::from("set confirm off\n");
    for object in objects {
        let path = folder.join(object).display().to_string();
        let _ = writeln!(script, "add-symbol-file {}", quoted(&path));
    }
    script.push_str("set confirm on\n");
    script
}

fn lldb_script(folder: &Path, objects: &[String]) -> String {
    let mut script = String::new();
    for object in objects {
        let path = quoted(&folder.join(object).display().to_string());
        let _ = writeln!(script, "target modules add {path}");
        let _ = writeln!(script, "target modules load --file {path} --slide 0");
    }
    script
}

/// One word for a debugger.
fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("cannot write {}: {error}", path.display()));
    fs::write(path, bytes).map_err(failed)
}
