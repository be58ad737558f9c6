//! A core of any bytes, compressed or not: threads, memory, files; then every command on it.

use super::Body;
use super::file::with_file;
use super::meter::{Meter, Metered};
use super::session::every_command;
use cpyjit::session::Session;
use cpyjit::target::{Core, Dump, FileSearch, Memory, NoExpressions};

#[path = "../../../src/target/core/maker.rs"]
#[allow(dead_code)]
mod maker;

use maker::Maker;

pub const BODY: Body = Body {
    name: "core",
    run,
    seeds,
};

/// Segments that are read from; a real core has a few hundred.
const MOST_SEGMENTS: usize = 64;

fn run(bytes: &[u8]) {
    with_file(bytes, |path| {
        let mut last = 0;
        let opened = Core::open(path, &mut |bytes| {
            assert!(bytes >= last, "progress goes back from {last} to {bytes}");
            last = bytes;
        });
        if let Ok(core) = opened {
            read_segments(&core);
            every_command(&session(core));
        }
    });
}

fn read_segments(core: &Core) {
    for segment in core.segments().take(MOST_SEGMENTS) {
        let start = segment.range.start;
        assert!(segment.held <= segment.range.size, "{segment:?}");
        let held = core.held_at(start).len() as u64;
        assert!(held <= segment.range.size, "{segment:?}: {held}");
        for at in [0, held.wrapping_sub(1), held, segment.range.size] {
            let mut into = [0; 16];
            if let Err(fault) = core.read(start.wrapping_add(at), &mut into) {
                assert!(fault.readable < fault.length, "{fault:?}");
            }
        }
    }
}

fn session(core: Core) -> Session {
    let dump = Dump::new(core, &FileSearch::default());
    let stop = dump.stop();
    let description = dump.description(&[], Vec::new());
    let metered = Metered {
        memory: dump,
        meter: Meter::default(),
    };
    let mut session = Session::new(Box::new(metered), Box::new(NoExpressions), description);
    session.select(stop);
    session
}

fn seeds() -> Vec<Vec<u8>> {
    let core = |maker: Maker| {
        maker
            .thread(7, 6)
            .thread(8, 0)
            .process(7, "python3.15")
            .auxiliary(&[(9, 0x40_1000), (33, 0x7fff_0000)])
            .files(&[
                (0x40_0000, 0x40_2000, 0, "/bin/python3.15"),
                (0x7f00_0000, 0x7f00_1000, 1, "/lib/libc.so.6"),
            ])
            .memory(4, 0x40_0000, &[0x7f, b'E', b'L', b'F', 2, 1, 1, 0])
            .partly(6, 0x60_0000, &[1; 64], 0x2000)
            .memory(5, 0x7f00_0000, &[0xc3; 32])
            .finish()
    };
    vec![core(Maker::x86_64()), core(Maker::aarch64())]
}
