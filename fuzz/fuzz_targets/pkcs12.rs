#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aecm_store::fuzzing::pkcs12(data));
