use super::maker::Maker;
use super::*;
use std::path::PathBuf;

fn read(core: &Core, address: u64, length: usize) -> Result<Vec<u8>, Fault> {
    let mut bytes = vec![0; length];
    core.read(Address(address), &mut bytes).map(|()| bytes)
}

fn whole() -> Maker {
    Maker::x86_64()
        .thread(71, 6)
        .process(70, "python3.15")
        .auxiliary(&[(9, 0x1234), (3, 0x40)])
        .files(&[
            (0x1000, 0x3000, 2, "/usr/bin/python3.15"),
            (0x8000, 0x9000, 0, "/lib/x.so"),
        ])
        .thread(72, 0)
        .memory(6, 0x5000, b"world")
        .memory(6, 0x4ffa, b"hello ")
        .partly(5, 0x1000, b"\x7fELF", 0x2000)
}

#[test]
fn reads_across_segments_and_not_beyond() {
    let core = Core::from_bytes(whole().finish()).unwrap();
    assert_eq!(core.findings(), []);
    assert_eq!(read(&core, 0x4ffb, 10).unwrap(), b"ello world");
    assert_eq!(read(&core, 0x4ffb, 11).unwrap_err().readable, 10);
    assert_eq!(read(&core, 0x1000, 4).unwrap(), b"\x7fELF");
    // What the kernel left out is not zero.
    assert_eq!(read(&core, 0x1000, 5).unwrap_err().readable, 4);
    assert!(read(&core, 0x3000, 1).is_err());
    assert!(read(&core, u64::MAX, 2).is_err());
}

#[test]
fn the_notes_tell_threads_process_and_files() {
    let core = Core::from_bytes(whole().finish()).unwrap();
    let notes = core.notes();
    assert_eq!(
        (notes.process, notes.command.as_deref()),
        (Some(70), Some("python3.15"))
    );
    assert_eq!(
        (notes.auxiliary(9), notes.auxiliary(7)),
        (Some(0x1234), None)
    );
    let crashed = core.thread(None).unwrap();
    assert_eq!(
        (crashed.id, crashed.signal, crashed.registers.get("rip")),
        (71, 6, Some(17))
    );
    assert_eq!(core.thread(Some(72)).unwrap().id, 72);
    assert!(core.thread(Some(73)).is_none());
    let first = &notes.mappings[0];
    assert_eq!((first.range.size, first.offset), (0x2000, 0x2000));
    assert_eq!(notes.mappings[1].path, PathBuf::from("/lib/x.so"));
}

#[test]
fn knows_the_registers_of_aarch64() {
    let core = Core::from_bytes(Maker::aarch64().thread(1, 11).finish()).unwrap();
    let registers = &core.thread(None).unwrap().registers;
    assert_eq!(core.architecture(), Architecture::Aarch64);
    assert_eq!(
        (
            registers.get("x0"),
            registers.get("sp"),
            registers.get("pc")
        ),
        (Some(1), Some(32), Some(33))
    );
}

#[test]
fn a_core_that_is_cut_off_gives_what_is_left() {
    let bytes = whole().finish();
    let cut = Core::from_bytes(bytes[..bytes.len() - 8].to_vec()).unwrap();
    assert_eq!(read(&cut, 0x4ffa, 2).unwrap(), b"he");
    assert_eq!(read(&cut, 0x4ffa, 6).unwrap_err().readable, 2);
    assert!(
        cut.findings()[0].what.contains("8 bytes of memory"),
        "{:?}",
        cut.findings()
    );
}

#[test]
fn every_length_of_a_core_is_read_without_harm() {
    let bytes = whole().finish();
    for length in 0..bytes.len() {
        match Core::from_bytes(bytes[..length].to_vec()) {
            Ok(core) => assert!(!core.findings().is_empty(), "{length}"),
            Err(reason) => assert!(length < 64, "{length}: {reason}"),
        }
    }
}

#[test]
fn every_changed_byte_is_read_without_harm() {
    let bytes = whole().finish();
    for place in 0..bytes.len() {
        for value in [0, 0x7f, 0xff] {
            let mut bytes = bytes.clone();
            bytes[place] = value;
            if let Ok(core) = Core::from_bytes(bytes) {
                let _ = (read(&core, 0x4ffa, 11), read(&core, 0x1000, 0x1000));
            }
        }
    }
}

#[test]
fn segments_that_overlap_do_not_hide_others() {
    let core = Maker::x86_64()
        .memory(4, 0x1000, &[1; 0x100])
        .memory(4, 0x1080, &[2; 0x10]);
    let core = Core::from_bytes(core.finish()).unwrap();
    assert_eq!(read(&core, 0x107f, 2).unwrap(), [1, 2]);
    assert!(read(&core, 0x1090, 1).is_err());
}

#[test]
fn says_what_is_no_core() {
    let refused = |bytes: &[u8]| Core::from_bytes(bytes.to_vec()).unwrap_err();
    assert!(refused(b"").contains("empty"));
    assert!(refused(b"MDMP....").contains("minidump"));
    assert!(refused(&[7; 100]).contains("no core"));
    let mut executable = whole().finish();
    executable[16] = 2;
    assert!(refused(&executable).contains("--exe"));
    let mut other = whole().finish();
    other[18] = 40;
    assert!(refused(&other).contains("ELF machine 40"));
}

#[test]
fn opens_files_also_when_they_are_compressed() {
    use std::io::Write;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("core");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&whole().finish()).unwrap();
    let packed = encoder.finish().unwrap();
    for content in [whole().finish(), packed.clone()] {
        std::fs::write(&path, content).unwrap();
        let core = Core::open(&path, &mut |_| {}).unwrap();
        assert_eq!(read(&core, 0x5000, 5).unwrap(), b"world");
    }
    std::fs::write(&path, &packed[..packed.len() - 12]).unwrap();
    let cut = Core::open(&path, &mut |_| {}).unwrap();
    assert!(cut.findings()[0].what.contains("could be unpacked"));
    assert!(Core::open(directory.path(), &mut |_| {}).is_err());
}
