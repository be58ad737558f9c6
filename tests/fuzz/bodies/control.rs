//! Breakpoints, steps and symbols in a target with damage, which comes and goes while they are there.

use super::Body;
use super::choices::Choices;
use super::damage::{Damaged, session, targets};
use super::front_end::FrontEnd;
use super::views;
use cpyjit::address::Address;
use cpyjit::command::{self, Reply, TextStyle};
use cpyjit::control::stepping::{Event, Reason};
use cpyjit::control::symbols::{Carrier, Mode, Wishes};
use cpyjit::control::{Control, Debugger};
use cpyjit::session::Session;
use cpyjit::target::{Kind, Stop};

pub const BODY: Body = Body {
    name: "control",
    run,
    seeds,
};

/// What the user may type.
const COMMANDS: [(&str, &str); 18] = [
    ("jit-symbols", "on"),
    ("jit-symbols", "on --view py"),
    ("jit-symbols", "on --view both"),
    ("jit-symbols", "auto"),
    ("jit-symbols", "off"),
    ("jit-symbols", "status"),
    ("jit-break-uop", "*"),
    ("jit-break-uop", "_JUMP_TO_TOP"),
    ("jit-break-uop", "--hardware _SET_IP*"),
    ("jit-break-exit", ""),
    ("jit-break-deopt", ""),
    ("jit-catch", "compile"),
    ("jit-catch", "invalidate"),
    ("jit-catch", "free"),
    ("jit-step-uop", "3"),
    ("jit-next-uop", ""),
    ("jit-step-bytecode", ""),
    ("jit-finish", ""),
];
const KINDS: [&str; 4] = ["optimized", "unmapped", "registered", "compile"];
const REASONS: [Reason; 6] = [
    Reason::Place,
    Reason::Breakpoint,
    Reason::Signal,
    Reason::Exited,
    Reason::Interrupt,
    Reason::Other,
];
/// Things that happen to one target.
const MOST: usize = 12;
/// A look may run damaged emitters until they have taken too long.
const MOST_LOOKS: usize = 2;

/// What happens, as the low bits of a byte. All others: a command.
const COMMAND: u8 = 0;
const STOP: u8 = 3;
const HOOK: u8 = 4;
const CAUGHT: u8 = 5;
const RESUMED: u8 = 6;
const DELETED: u8 = 7;
const GONE: u8 = 8;
const KINDS_OF_HAPPENINGS: u8 = 9;
/// The debugger looks at the place where the program is.
const LOOK: u8 = 64;
/// The target is damaged by then.
const DAMAGED: u8 = 128;

fn run(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let parts = choices.one(targets());
    let way = choices.u8();
    let kind = if way & 1 == 0 { Kind::Live } else { Kind::Core };
    let count = usize::from(choices.u8()) % MOST;
    let happenings = choices.take(2 * count);
    let mut damaged = Damaged::new(&parts.memory);
    damaged.damage(parts, &mut choices);
    let sound = session(parts, &parts.memory, Damaged::new(&parts.memory), kind);
    let damaged = session(parts, &parts.memory, damaged, kind);
    let (Some(sound), Some(damaged)) = (sound, damaged) else {
        return;
    };
    let mut control = Control::default();
    let carrier = Carrier {
        debugger: [Debugger::Gdb, Debugger::Lldb][usize::from(way >> 1 & 1)],
        folder: "/listings".to_owned(),
        loses_registers: way & 4 != 0,
        next: None,
    };
    control.begin_symbols(carrier, [Mode::On, Mode::Auto][usize::from(way >> 3 & 1)]);
    let mut target = Target {
        sessions: [sound, damaged],
        control,
        front_end: FrontEnd::default(),
        pc: parts.names.get("A:3").copied().map(Address),
        looks: 0,
    };
    for pair in happenings.chunks(2) {
        if let [what, how] = *pair {
            target.happen(what, how);
        }
    }
    target.happen(GONE, 1);
    target.front_end.ended();
}

struct Target {
    /// The same target without and with damage.
    sessions: [Session; 2],
    control: Control,
    front_end: FrontEnd,
    /// Where the program has stopped.
    pc: Option<Address>,
    /// How often the debugger has looked.
    looks: usize,
}

impl Target {
    fn happen(&mut self, what: u8, how: u8) {
        let which = usize::from(what & DAMAGED != 0);
        self.sessions[which].select(Stop {
            pc: self.pc,
            thread: Some(7),
            in_file: false,
        });
        let reply = self.reply(which, what % LOOK % KINDS_OF_HAPPENINGS, how);
        self.front_end.carry_out(&reply);
        if let Some(address) = self.front_end.wanted() {
            self.pc = Some(address);
        }
        if what & LOOK != 0 && self.looks < MOST_LOOKS {
            self.looks += 1;
            let pc = self.pc.unwrap_or_default();
            let reason = command::misplaced(&self.control, pc, u32::from(how));
            assert!(!reason.is_some_and(|reason| reason.contains(char::is_control)));
            views::look(&self.sessions[which], pc);
        }
    }

    fn reply(&mut self, which: usize, what: u8, how: u8) -> Reply {
        let style = TextStyle::default();
        let (session, control) = (&self.sessions[which], &mut self.control);
        match what {
            STOP => {
                let wishes = Wishes {
                    keep: how & 1 != 0,
                    all: how & 2 != 0,
                };
                command::refresh(session, control, wishes, style)
            }
            HOOK => {
                let hooks = self.front_end.hooks();
                let Some(hook) = hooks.get(usize::from(how) % hooks.len().max(1)) else {
                    return Reply::default();
                };
                // 1: something was compiled. The others: what is compiled, or is to be freed.
                let value = |name: &str| match name {
                    "rax" | "x0" => 1,
                    _ => self.pc.unwrap_or_default().0 & !0xfff,
                };
                let registers = hook.registers.iter();
                let registers = registers.map(|name| ((*name).to_owned(), value(name)));
                let hit = (hook.kind, &registers.collect());
                command::hook(session, control, hit, how & 16 != 0, style)
            }
            CAUGHT => {
                let kind = KINDS[usize::from(how) % KINDS.len()];
                let id = u32::from(how >> 4);
                command::caught(session, control, id, (kind, &[].into()), style)
            }
            RESUMED => {
                let event = Event {
                    reason: REASONS[usize::from(how) % REASONS.len()],
                    address: self.pc,
                    hits: self.pc.map(|pc| (pc, 1)).into_iter().collect(),
                    text: String::new(),
                };
                command::resume(session, control, &event, style)
            }
            DELETED => command::breakpoint_deleted(control, u32::from(how)),
            GONE => command::process_gone(control, how & 1 != 0),
            _ => {
                let (name, arguments) = COMMANDS[usize::from(how) % COMMANDS.len()];
                command::run_in_debugger(Ok(session), control, name, arguments, style)
            }
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let targets = 0..targets().len() as u8;
    // Live and core, in GDB and LLDB: symbols and places come, the program stops, executors are compiled and freed.
    let ways = [0, 1, 2, 3, 12];
    targets
        .flat_map(|target| {
            ways.map(|way| {
                let happenings = [
                    [COMMAND, 7],
                    [LOOK | STOP, 2],
                    [COMMAND, 14],
                    [RESUMED, 0],
                    [HOOK, 16],
                    [DAMAGED | STOP, 0],
                    [HOOK, 1],
                    [LOOK | STOP, 0],
                    [COMMAND, 1],
                    [DAMAGED | HOOK, 0],
                    [COMMAND, 2],
                ];
                let mut seed = vec![target, way, happenings.len() as u8];
                seed.extend(happenings.as_flattened());
                // Damage of the code of an executor.
                seed.extend([0, 0, 3, 0, 64, 0, 1]);
                seed
            })
        })
        .collect()
}
