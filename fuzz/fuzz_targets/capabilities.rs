#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aecm_smime::fuzzing::capabilities(data));
