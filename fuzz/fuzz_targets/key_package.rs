#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aecm_store::fuzzing::key_package(data));
