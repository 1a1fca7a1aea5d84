#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| enoexec_fuzz::toc(data));
