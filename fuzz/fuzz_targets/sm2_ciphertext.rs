#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aecm_sm::fuzzing::sm2_ciphertext(data));
