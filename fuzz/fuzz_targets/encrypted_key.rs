#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aecm_core::fuzzing::encrypted_key(data));
