#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aecm_timestamp::fuzzing::tst_info(data));
