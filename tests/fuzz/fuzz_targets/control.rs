#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cpyjit_fuzz::run("control", bytes));
