//! All threads of a process, held while something is read.

use super::maps;
use crate::platform::Architecture;
use crate::target::Registers;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a thread may take to stop. One that waits for a disk in the kernel does not stop before it has the data.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often threads are looked for that others have started meanwhile. No round finds new ones when all are held.
const MOST_ROUNDS: usize = 32;

/// `PTRACE_EVENT_STOP` where the kernel puts it in the status of a stop.
const EVENT_STOP: i32 = 128;

/// The threads, until this is dropped.
///
/// They are seized with ptrace and interrupted: neither is seen by the process or its parent, and when we die the kernel
/// lets all of them go on.
#[derive(Debug)]
pub(super) struct Hold {
    threads: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    id: libc::pid_t,
    /// A signal that was about to be delivered, which must not be lost.
    signal: i32,
}

impl Hold {
    /// Holds all threads of a process.
    pub(super) fn new(directory: &Path) -> Result<Hold, String> {
        let mut hold = Hold {
            threads: Vec::new(),
        };
        for _ in 0..MOST_ROUNDS {
            let threads = maps::threads(directory).map_err(|error| error.to_string())?;
            let held = hold.threads.len();
            for id in threads
                .into_iter()
                .filter_map(|id| libc::pid_t::try_from(id).ok())
            {
                if !hold.threads.iter().any(|thread| thread.id == id) {
                    hold.threads.extend(seize(id)?);
                }
            }
            if hold.threads.len() == held {
                return Ok(hold);
            }
        }
        Err("it starts threads faster than they can be stopped".to_owned())
    }

    /// The registers of a thread.
    pub(super) fn registers(&self, id: u64, architecture: Architecture) -> Option<Registers> {
        let id = libc::pid_t::try_from(id).ok()?;
        self.threads.iter().find(|thread| thread.id == id)?;
        let mut words = [0u64; 64];
        let mut vector = libc::iovec {
            iov_base: words.as_mut_ptr().cast(),
            iov_len: size_of_val(&words),
        };
        let vector: *mut libc::iovec = &mut vector;
        // SAFETY: the kernel fills at most `iov_len` bytes of `words`, which lives until after the call.
        let result = unsafe { libc::ptrace(libc::PTRACE_GETREGSET, id, libc::NT_PRSTATUS, vector) };
        (result == 0)
            .then(|| Registers::from_bytes(architecture, object::pod::bytes_of_slice(&words)))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        for thread in &self.threads {
            request(libc::PTRACE_DETACH, thread.id, thread.signal);
        }
    }
}

/// A request that passes no memory.
fn request(request: libc::c_uint, thread: libc::pid_t, data: i32) -> libc::c_long {
    let none = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: these requests (seize, interrupt, detach) read and write no memory of ours.
    unsafe { libc::ptrace(request, thread, none, libc::c_long::from(data)) }
}

/// Stops one thread; `None` if it ended meanwhile.
fn seize(id: libc::pid_t) -> Result<Option<Held>, String> {
    if request(libc::PTRACE_SEIZE, id, 0) != 0 {
        let error = io::Error::last_os_error();
        return match error.raw_os_error() {
            Some(libc::ESRCH) => Ok(None),
            _ => Err(format!("thread {id} cannot be stopped: {error}")),
        };
    }
    request(libc::PTRACE_INTERRUPT, id, 0);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let mut status = 0;
        // SAFETY: `status` is one integer, as the call wants it.
        let found = unsafe { libc::waitpid(id, &raw mut status, libc::__WALL | libc::WNOHANG) };
        match found {
            0 => std::thread::sleep(Duration::from_micros(200)),
            _ if found == id && libc::WIFSTOPPED(status) => {
                let is_event = status >> 16 == EVENT_STOP;
                let signal = if is_event { 0 } else { libc::WSTOPSIG(status) };
                return Ok(Some(Held { id, signal }));
            }
            _ => return Ok(None),
        }
    }
    Err(format!("thread {id} does not stop: it waits in the kernel"))
}
