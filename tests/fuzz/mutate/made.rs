//! Makes the files that are to be damaged: kernel cores of real CPythons, and their executables with less and less in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A CPython, its core, and what the library may be given to read it with.
pub struct Target {
    pub name: &'static str,
    pub core: PathBuf,
    /// The executable, as the core needs it.
    pub executable: PathBuf,
    /// The separate debug file; the debug builds have all in the executable.
    pub debug_file: Option<PathBuf>,
}

const NAMES: [&str; 4] = ["python3.15", "python3.14", "python3.15d", "python3.14d"];

/// The program that warms up a few functions and is stopped inside the machine code of one.
const PROGRAM: &str = "tests/debugger/programs/stop_in_loop.py";

/// Without randomisation, where that is allowed: the same case then damages the same thing in another run.
const RUN: &str = "ulimit -c unlimited; if setarch -R true 2>/dev/null; then exec setarch -R \"$@\"; fi; exec \"$@\"";

/// Seconds for one core.
const PATIENCE: &str = "120";

/// Where the files of each target are below `kept`.
pub fn targets(testbed: &Path, kept: &Path) -> Vec<Target> {
    let usr = testbed.join("targets/usr");
    let target = |name: &'static str| {
        let executable = usr.join("bin").join(name);
        Target {
            core: kept.join(format!("core-{name}")),
            debug_file: debug_file(&usr, &executable),
            executable,
            name,
        }
    };
    NAMES.into_iter().map(target).collect()
}

/// The file below `.build-id` of the testbed.
fn debug_file(usr: &Path, executable: &Path) -> Option<PathBuf> {
    let bytes = fs::read(executable).ok()?;
    let (_, note) = super::elf::Elf::read(&bytes)
        .sections
        .into_iter()
        .find(|(name, _)| name == ".note.gnu.build-id")?;
    // Behind three words and `GNU\0`.
    let id: String = bytes[note]
        .get(16..)?
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let (directory, file) = id.split_at_checked(2)?;
    let path = usr
        .join("lib/debug/.build-id")
        .join(directory)
        .join(format!("{file}.debug"));
    path.exists().then_some(path)
}

/// Makes all cores.
pub fn make(testbed: &Path, kept: &Path) -> Result<(), String> {
    for target in targets(testbed, kept) {
        make_core(&target, kept).map_err(|reason| format!("{}: {reason}", target.name))?;
    }
    Ok(())
}

fn make_core(target: &Target, kept: &Path) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = kept.join(format!("run-{}", target.name));
    fs::create_dir_all(&place).map_err(|error| error.to_string())?;
    Command::new("timeout")
        .args([PATIENCE, "sh", "-c", RUN, "sh"])
        .args([&target.executable, &root.join(PROGRAM)])
        .envs([("PYTHON_JIT", "1"), ("PYTHONHASHSEED", "0")])
        .current_dir(&place)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("cannot run it: {error}"))?;
    let core = fs::read_dir(&place)
        .map_err(|error| error.to_string())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("core"))
        });
    let core = core.ok_or(
        "it left no core in its directory: /proc/sys/kernel/core_pattern has to begin with core",
    )?;
    fs::rename(core, &target.core).map_err(|error| error.to_string())
}
