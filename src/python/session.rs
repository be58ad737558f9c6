//! `cpyjit.Session`: one target of a front-end.

use super::actions::{Reply, event};
use super::host::{Host, Interrupt, description};
use super::unwinding;
use super::{refusal, settings, views};
use crate::address::Address;
use crate::command::{self, Failure, Settings, TextStyle};
use crate::control::symbols::{Carrier, Mode, Wishes};
use crate::control::{Control, Debugger, Registers};
use crate::session;
use crate::target::Stop;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, TryLockError};

/// One target of a debugger. Needs an object with the methods `read_memory(address, length) -> bytes`,
/// `evaluate(text) -> int`, `registers(names) -> ([int | None], waits for a function it called)` of the selected frame,
/// and `describe() -> dict`.
#[pyclass(module = "cpyjit")]
pub struct Session {
    host: Py<PyAny>,
    interrupt: Interrupt,
    session: Mutex<Option<session::Session>>,
    control: Mutex<Control>,
}

#[pymethods]
impl Session {
    #[new]
    fn new(host: Py<PyAny>) -> Session {
        Session {
            host,
            interrupt: Interrupt::default(),
            session: Mutex::new(None),
            control: Mutex::default(),
        }
    }

    /// Runs a command with its arguments as they were typed.
    fn run(
        &self,
        py: Python<'_>,
        name: &str,
        arguments: &str,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<Reply> {
        let context = Context::of(context)?;
        let mut control = self.control()?;
        let reply = self.with(py, &context, |session| {
            let session = match context.is_running() {
                true => Err(Failure::running()),
                false => Ok(&*session),
            };
            Ok(command::run_in_debugger(
                session,
                &mut control,
                name,
                arguments,
                context.style,
            ))
        })?;
        Reply::new(py, reply)
    }

    /// A hook was hit: what to do, and whether to stop. `all_symbols`: all executors get some, also with `auto`.
    #[pyo3(signature = (kind, registers, context, all_symbols = false))]
    fn hook(
        &self,
        py: Python<'_>,
        kind: &str,
        registers: Registers,
        context: &Bound<'_, PyDict>,
        all_symbols: bool,
    ) -> PyResult<Reply> {
        self.happened(py, context, |session, control, style| {
            command::hook(session, control, (kind, &registers), all_symbols, style)
        })
    }

    /// The catch with this number was hit: whether to stop.
    fn caught(
        &self,
        py: Python<'_>,
        id: u32,
        kind: &str,
        registers: Registers,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<Reply> {
        self.happened(py, context, |session, control, style| {
            command::caught(session, control, id, (kind, &registers), style)
        })
    }

    /// A `run` or `single-step` has ended: the next one, or what to say.
    fn resume(
        &self,
        py: Python<'_>,
        event: &Bound<'_, PyDict>,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<Reply> {
        let event = self::event(event)?;
        self.happened(py, context, |session, control, style| {
            command::resume(session, control, &event, style)
        })
    }

    /// The front-end can load symbol files, made for `gdb` or `lldb`, and puts their listings into this folder;
    /// so many executors are to have some, until the user chooses otherwise (`off`, `on`, `auto`). `loses_registers`: it
    /// finds wrong registers in frames that have called a function.
    #[pyo3(signature = (debugger, folder, mode, loses_registers = false))]
    fn load_symbols(
        &self,
        debugger: &str,
        folder: String,
        mode: &str,
        loses_registers: bool,
    ) -> PyResult<()> {
        let debugger = match debugger {
            "gdb" => Debugger::Gdb,
            "lldb" => Debugger::Lldb,
            other => {
                let refusal = format!("symbol files are made for gdb and lldb, not for '{other}'");
                return Err(PyValueError::new_err(refusal));
            }
        };
        let carrier = Carrier {
            debugger,
            folder,
            loses_registers,
            next: None,
        };
        self.control()?
            .begin_symbols(carrier, Mode::of_word(mode).unwrap_or_default());
        Ok(())
    }

    /// Whether `refresh` could find more than is known.
    fn wants_refresh(&self) -> PyResult<bool> {
        Ok(self.control()?.wants_refresh())
    }

    /// A process has started, files were loaded, or the program has stopped. `keep_symbols`: no executor gets any now;
    /// `all_symbols`: all do, also with `auto`.
    #[pyo3(signature = (context, keep_symbols = false, all_symbols = false))]
    fn refresh(
        &self,
        py: Python<'_>,
        context: &Bound<'_, PyDict>,
        keep_symbols: bool,
        all_symbols: bool,
    ) -> PyResult<Reply> {
        let wishes = Wishes {
            keep: keep_symbols,
            all: all_symbols,
        };
        self.happened(py, context, |session, control, style| {
            command::refresh(session, control, wishes, style)
        })
    }

    /// The user has deleted a breakpoint, or a temporary one is spent.
    fn breakpoint_deleted(&self, py: Python<'_>, id: u32) -> PyResult<Reply> {
        let reply = command::breakpoint_deleted(&mut *self.control()?, id);
        Reply::new(py, reply)
    }

    /// Why the place that a debugger has given to a breakpoint at line `asked` of a Python file is not of that line; or None
    /// ([`command::misplaced`]).
    fn misplaced(&self, address: u64, asked: u32) -> PyResult<Option<String>> {
        Ok(command::misplaced(
            &*self.control()?,
            Address(address),
            asked,
        ))
    }

    /// The process has ended or was detached from; `replaced`: it is another program now. What to take out.
    fn process_gone(&self, py: Python<'_>, replaced: bool) -> PyResult<Reply> {
        let reply = command::process_gone(&mut *self.control()?, replaced);
        Reply::new(py, reply)
    }

    /// What a stop at a uop prints; nothing outside JIT code.
    fn stop_text(&self, py: Python<'_>, context: &Bound<'_, PyDict>) -> PyResult<String> {
        let context = Context::of(context)?;
        self.with(py, &context, |session| {
            Ok(command::stop_text(session, context.settings, context.style))
        })
    }

    /// Tells that the target may have changed; `written`: that somebody else than itself has written into it.
    #[pyo3(signature = (written=false))]
    fn invalidate(&self, written: bool) -> PyResult<()> {
        if let Some(session) = self.lock()?.as_mut() {
            match written {
                true => session.invalidate_all(),
                false => session.invalidate(),
            }
        }
        Ok(())
    }

    /// Tells that another program is loaded, or other files.
    fn forget(&self) -> PyResult<()> {
        *self.lock()? = None;
        Ok(())
    }

    /// The words that the last one of `text` can become.
    fn complete(
        &self,
        py: Python<'_>,
        name: &str,
        text: &str,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<Vec<String>> {
        let context = Context::of(context)?;
        self.with(py, &context, |session| {
            let session = (!context.is_running()).then_some(&*session);
            Ok(command::complete(session, name, text))
        })
    }

    /// The address of the executor that `text` names.
    fn executor(&self, py: Python<'_>, text: &str, context: &Bound<'_, PyDict>) -> PyResult<u64> {
        self.with(py, &Context::of(context)?, |session| {
            command::find_executor(session, text)
                .map(|address| address.0)
                .map_err(|failure| PyValueError::new_err(failure.sentence()))
        })
    }

    /// The object that stack item `number` of the frame at the pc refers to, counted from the top.
    fn stack_item(
        &self,
        py: Python<'_>,
        number: usize,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<u64> {
        self.with(py, &Context::of(context)?, |session| {
            session.stack_item(number).map_err(refusal)
        })
    }

    /// The object that a local variable of the frame at the pc refers to; 0 if it has no value.
    fn local_variable(
        &self,
        py: Python<'_>,
        name: &str,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<u64> {
        self.with(py, &Context::of(context)?, |session| {
            session.local_variable(name).map_err(refusal)
        })
    }

    /// The uop whose machine code contains an address: a dictionary, or None.
    fn uop_at<'py>(
        &self,
        py: Python<'py>,
        address: u64,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let found = self.with(py, &Context::of(context)?, |session| {
            session.uop_at(Address(address)).map_err(refusal)
        })?;
        let Some((executor, row, offset)) = found else {
            return Ok(None);
        };
        let uop = PyDict::new(py);
        uop.set_item("executor", executor.0)?;
        uop.set_item("index", row.index.0)?;
        uop.set_item("name", &*row.name)?;
        uop.set_item("base", &*row.base)?;
        uop.set_item("offset", offset)?;
        Ok(Some(uop))
    }

    /// The allocation of the executor whose machine code contains an address: (start, end), or None.
    fn jit_region(
        &self,
        py: Python<'_>,
        address: u64,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<Option<(u64, u64)>> {
        let context = Context::of(context)?;
        self.with(py, &context, |session| unwinding::region(session, address))
    }

    /// The caller of JIT code: (canonical frame address, registers by name), or None. `registers` are those of the
    /// frame in JIT code, the pc among them.
    fn jit_caller(
        &self,
        py: Python<'_>,
        registers: HashMap<String, u64>,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<Option<(u64, HashMap<&'static str, u64>)>> {
        let context = Context::of(context)?;
        self.with(py, &context, |session| {
            unwinding::caller(session, &registers)
        })
    }

    /// Remarks for the debugger's own disassembly of the machine code around an address: a dictionary, or None.
    fn notes<'py>(
        &self,
        py: Python<'py>,
        address: u64,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        views::notes(self, py, Address(address), context)
    }

    /// The name and place of a frame of JIT code with this pc: a dictionary, or None.
    fn frame<'py>(
        &self,
        py: Python<'py>,
        pc: u64,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        views::frame(self, py, Address(pc), context)
    }

    /// The structure of that name at an address, in words, or None.
    fn describe(
        &self,
        py: Python<'_>,
        structure: &str,
        address: u64,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<Option<String>> {
        views::describe(self, py, structure, Address(address), context)
    }

    /// The listing around the pc for a window as wide as the context says: a dictionary.
    fn window<'py>(
        &self,
        py: Python<'py>,
        context: &Bound<'_, PyDict>,
    ) -> PyResult<Bound<'py, PyDict>> {
        views::window(self, py, context)
    }
}

impl Session {
    /// The session, made when it is first needed, with what is selected now. Ctrl-C while it worked ends the command.
    pub(super) fn with<T>(
        &self,
        py: Python<'_>,
        context: &Context,
        work: impl FnOnce(&mut session::Session) -> PyResult<T>,
    ) -> PyResult<T> {
        let mut guard = self.lock()?;
        let session = match guard.as_mut() {
            Some(session) => session,
            None => guard.insert(self.open(py)?),
        };
        session.select(context.stop);
        let result = work(session);
        match self.interrupt.take() {
            Some(interrupt) => {
                // What was read until then may be half of it, or a failure that was none.
                *guard = None;
                Err(interrupt)
            }
            None => result,
        }
    }

    /// Tells the core of something that has happened in the target, which has run since.
    fn happened(
        &self,
        py: Python<'_>,
        context: &Bound<'_, PyDict>,
        work: impl FnOnce(&session::Session, &mut Control, TextStyle) -> command::Reply,
    ) -> PyResult<Reply> {
        let context = Context::of(context)?;
        let mut control = self.control()?;
        let reply = self.with(py, &context, |session| {
            session.invalidate();
            Ok(work(session, &mut control, context.style))
        })?;
        Reply::new(py, reply)
    }

    fn open(&self, py: Python<'_>) -> PyResult<session::Session> {
        let described = self.host.bind(py).call_method0("describe")?;
        let host = || Box::new(Host::new(self.host.clone_ref(py), self.interrupt.clone()));
        let description = description(described.cast::<PyDict>()?)?;
        Ok(session::Session::new(host(), host(), description))
    }

    /// Never waits either.
    fn control(&self) -> PyResult<MutexGuard<'_, Control>> {
        match self.control.try_lock() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(at_work()),
        }
    }

    /// Never waits: who holds it may be waiting for the lock of Python that the caller has.
    fn lock(&self) -> PyResult<MutexGuard<'_, Option<session::Session>>> {
        match self.session.try_lock() {
            Ok(guard) => Ok(guard),
            Err(TryLockError::Poisoned(poisoned)) => {
                let mut guard = poisoned.into_inner();
                *guard = None;
                Ok(guard)
            }
            Err(TryLockError::WouldBlock) => Err(at_work()),
        }
    }
}

fn at_work() -> PyErr {
    PyRuntimeError::new_err("another command is still working on this target")
}

/// What the front-end says with each call.
pub(super) struct Context {
    pub(super) style: TextStyle,
    pub(super) settings: Settings,
    stop: Stop,
    process: String,
}

impl Context {
    pub(super) fn of(context: &Bound<'_, PyDict>) -> PyResult<Context> {
        Ok(Context {
            style: TextStyle {
                width: value(context, "width")?.unwrap_or(0),
                color: value(context, "color")?.unwrap_or(false),
                ascii: value(context, "ascii")?.unwrap_or(false),
            },
            settings: settings::chosen(context)?,
            stop: Stop {
                pc: value(context, "pc")?.map(Address),
                thread: value(context, "thread")?,
                in_file: value(context, "in_file")?.unwrap_or(false),
            },
            process: value(context, "process")?.unwrap_or_else(|| "stopped".to_owned()),
        })
    }

    pub(super) fn is_running(&self) -> bool {
        self.process == "running"
    }
}

/// An item that may be missing or None.
fn value<'py, T: for<'a> FromPyObject<'a, 'py, Error = PyErr>>(
    context: &Bound<'py, PyDict>,
    name: &str,
) -> PyResult<Option<T>> {
    match context.get_item(name)? {
        Some(value) if !value.is_none() => value.extract().map(Some),
        _ => Ok(None),
    }
}
