use super::*;
use crate::address::Range;
use crate::target::core::maker::Maker;
use crate::target::{Core, Dump};
use std::fs;
use tempfile::TempDir;

/// A position-independent file: a page with header and build id, one of code, one of constants, one of variables.
fn elf(build_id: &[u8], fill: u8) -> Vec<u8> {
    let notes = if build_id.is_empty() {
        0
    } else {
        16 + build_id.len() as u64
    };
    let headers: [(u32, u32, u64, u64); 5] = [
        (1, 4, 0, 0x1000),
        (1, 5, 0x1000, 0x1000),
        (1, 4, 0x2000, 0x1000),
        (1, 6, 0x3000, 0x1000),
        (4, 4, 0x800, notes),
    ];
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([3, 0, 62, 0, 1, 0, 0, 0]);
    for word in [0x1100u64, 64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend([0; 4]);
    for half in [64u16, 56, 5, 64, 0, 0] {
        file.extend(half.to_le_bytes());
    }
    for (kind, flags, place, size) in headers {
        file.extend([kind, flags].iter().flat_map(|word| word.to_le_bytes()));
        for word in [place, place, place, size, size, 4] {
            file.extend(word.to_le_bytes());
        }
    }
    file.resize(0x800, 0);
    for word in [4, u32::try_from(build_id.len()).unwrap(), 3] {
        file.extend(word.to_le_bytes());
    }
    file.extend(b"GNU\0");
    file.extend(build_id);
    file.resize(0x1000, 0);
    file.resize(0x4000, fill);
    file
}

const BASE: u64 = 0x7000_0000;

/// A core of a process that had `elf` loaded under this name: only the page with the header is in it.
fn core(name: &str, elf: &[u8]) -> Core {
    let core = Maker::x86_64()
        .thread(7, 6)
        .auxiliary(&[(9, BASE + 0x1100)])
        .files(&[
            (BASE, BASE + 0x1000, 0, name),
            (BASE + 0x1000, BASE + 0x2000, 1, name),
            (BASE + 0x2000, BASE + 0x3000, 2, name),
            (BASE + 0x3000, BASE + 0x4000, 3, name),
            (0x9000, 0xa000, 0, "/usr/lib/locale/C.utf8"),
        ])
        .partly(4, BASE, &elf[..0x1000], 0x1000)
        .partly(5, BASE + 0x1000, &[], 0x1000)
        .partly(4, BASE + 0x2000, &[], 0x1000)
        .partly(6, BASE + 0x3000, &[], 0x1000)
        .memory(6, 0x5000, b"heap");
    Core::from_bytes(core.finish()).unwrap()
}

fn read(dump: &Dump, address: u64, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    dump.read(Address(address), &mut bytes).ok().map(|()| bytes)
}

fn named(paths: &[&Path]) -> FileSearch {
    FileSearch {
        named: paths.iter().map(|path| path.to_path_buf()).collect(),
        ..FileSearch::default()
    }
}

/// Files in a folder.
fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

#[test]
fn the_same_build_stands_in_for_what_the_core_leaves_out() {
    let file = elf(&[1, 2, 3], 0xcc);
    let folder = folder(&[("python3.15", file.clone())]);
    let search = named(&[&folder.path().join("python3.15")]);
    let dump = Dump::new(core("/gone/python3.15", &file), &search);
    assert_eq!(dump.findings(), []);
    assert_eq!(
        read(&dump, BASE + 0xffc, 8).unwrap(),
        [0, 0, 0, 0, 0xcc, 0xcc, 0xcc, 0xcc]
    );
    assert_eq!(read(&dump, BASE + 0x1ff0, 0x20).unwrap(), [0xcc; 0x20]);
    // Variables may have had any value.
    assert_eq!(read(&dump, BASE + 0x3000, 1), None);
    assert_eq!(read(&dump, BASE + 0x2ff0, 0x20), None);
    let found = &dump.files().found(&[PathBuf::from("/x.debug")])[0];
    assert_eq!((found.bias, found.debug_files.len()), (Some(BASE), 1));
    assert!(!dump.files().misses_python());
}

#[test]
fn nothing_is_taken_from_another_build() {
    let folder = folder(&[("python3.15", elf(&[9, 9, 9], 0xcc))]);
    let search = named(&[&folder.path().join("python3.15")]);
    let dump = Dump::new(core("/gone/python3.15", &elf(&[1, 2, 3], 0xcc)), &search);
    assert_eq!(read(&dump, BASE + 0x1000, 1), None);
    assert!(dump.files().found(&[]).is_empty() && dump.files().misses_python());
    let findings = format!("{:?}", dump.findings());
    for expected in [
        "build id 010203",
        "has build id 090909",
        "--exe",
        "is not used",
    ] {
        assert!(findings.contains(expected), "{expected}: {findings}");
    }
}

#[test]
fn a_file_that_cannot_be_checked_is_used_with_a_warning() {
    let file = elf(&[], 0xcc);
    let folder = folder(&[("python3.15", file.clone())]);
    let search = named(&[&folder.path().join("python3.15")]);
    let dump = Dump::new(core("/gone/python3.15", &file), &search);
    assert_eq!(read(&dump, BASE + 0x1000, 1), Some(vec![0xcc]));
    assert!(
        dump.findings()[0].what.contains("nothing says whether"),
        "{:?}",
        dump.findings()
    );
}

#[test]
fn files_are_found_in_all_places() {
    let file = elf(&[1, 2, 3], 0xcc);
    let other = || elf(&[4, 5, 6], 0xdd);
    let folder = folder(&[
        ("root/gone/python3.15", file.clone()),
        ("beside/python3.15", file.clone()),
        ("debug/.build-id/01/0203", file.clone()),
        ("fetched/010203/executable", file.clone()),
        ("fetched/010203/debuginfo", other()),
        ("copy", file.clone()),
        ("other/gone/python3.15", other()),
    ]);
    let place = |name: &str| folder.path().join(name);
    let searches = [
        FileSearch {
            roots: vec![place("other"), place("root")],
            ..FileSearch::default()
        },
        FileSearch {
            beside: Some(place("beside")),
            ..FileSearch::default()
        },
        FileSearch {
            debug_directories: vec![place("debug")],
            ..FileSearch::default()
        },
        FileSearch {
            fetched: vec![place("fetched")],
            ..FileSearch::default()
        },
        FileSearch {
            last_roots: vec![place("root")],
            ..FileSearch::default()
        },
        FileSearch {
            main_copy: Some(place("copy")),
            ..FileSearch::default()
        },
    ];
    for search in searches {
        let dump = Dump::new(core("/gone/python3.15 (deleted)", &file), &search);
        assert_eq!(
            read(&dump, BASE + 0x1000, 1),
            Some(vec![0xcc]),
            "{search:?}"
        );
        let found = dump.files().found(&[]);
        assert_eq!(found[0].debug_files.len(), search.fetched.len());
    }
    let dump = Dump::new(core("/gone/python3.15", &file), &FileSearch::default());
    assert!(dump.findings()[0].what.contains("is not on this machine"));
}

#[test]
fn a_core_that_names_no_files_is_read_with_the_named_executable() {
    let file = elf(&[1, 2, 3], 0xcc);
    let folder = folder(&[("python3.15", file.clone())]);
    let core = || {
        let core = Maker::x86_64()
            .thread(7, 6)
            .auxiliary(&[(9, BASE + 0x1100)])
            .memory(4, BASE, &file[..0x1000])
            .memory(6, 0x5000, b"heap");
        Core::from_bytes(core.finish()).unwrap()
    };
    let dump = Dump::new(core(), &named(&[&folder.path().join("python3.15")]));
    assert_eq!(read(&dump, BASE + 0x1000, 1), Some(vec![0xcc]));
    assert_eq!(dump.files().found(&[])[0].bias, Some(BASE));
    assert_eq!(dump.findings(), []);
    assert!(
        Dump::new(core(), &FileSearch::default())
            .files()
            .found(&[])
            .is_empty()
    );
}

#[test]
fn a_library_that_is_missing_is_told_only_when_it_is_needed() {
    let file = elf(&[1, 2, 3], 0xcc);
    let mapping = |page: u64, offset: u64| FileMapping {
        range: Range::new(Address(BASE + page * 0x1000), 0x1000),
        offset: offset * 0x1000,
        path: PathBuf::from("/gone/libm.so.6"),
    };
    let core = core("/gone/libm.so.6", &file);
    let files = Files::locate(
        &core,
        &[mapping(0, 0), mapping(1, 1)],
        None,
        &FileSearch::default(),
    );
    assert_eq!(files.findings(), []);
    assert_eq!(files.page_at(Address(BASE + 0x1000)), None);
    assert!(files.findings()[0].what.contains("libm.so.6"));
    assert!(!files.misses_python());
}

#[test]
fn a_file_that_the_program_read_itself_is_not_where_it_is_loaded() {
    // Variables lie a page further on than in the file, as linkers do it.
    let mut file = elf(&[1, 2, 3], 0xcc);
    let variables = 64 + 3 * 56 + 16;
    file[variables..variables + 8].copy_from_slice(&0x4000u64.to_le_bytes());
    let name = "/gone/libpython3.15.so.1.0";
    let lower = BASE - 0x10_0000;
    let core = Maker::x86_64()
        .files(&[
            (lower, lower + 0x4000, 0, name),
            (BASE, BASE + 0x3000, 0, name),
            (BASE + 0x4000, BASE + 0x5000, 3, name),
        ])
        .memory(4, lower, &file)
        .partly(4, BASE, &file[..0x1000], 0x3000);
    let core = Core::from_bytes(core.finish()).unwrap();
    let folder = folder(&[("libpython3.15.so.1.0", file)]);
    let search = named(&[&folder.path().join("libpython3.15.so.1.0")]);
    let dump = Dump::new(core, &search);
    assert_eq!(dump.files().found(&[])[0].bias, Some(BASE));
    assert_eq!(read(&dump, BASE + 0x1000, 1), Some(vec![0xcc]));
}

#[test]
fn headers_with_any_byte_changed_do_no_harm() {
    let file = elf(&[1, 2, 3], 0xcc);
    for place in 0..0x180 {
        let mut changed = file.clone();
        changed[place] ^= 0xff;
        let core = core("/gone/python3.15", &changed);
        let folder = folder(&[("python3.15", changed)]);
        let dump = Dump::new(core, &named(&[&folder.path().join("python3.15")]));
        let _ = (
            read(&dump, BASE, 0x4000),
            read(&dump, BASE + 0x1000, 1),
            dump.findings(),
        );
    }
}
