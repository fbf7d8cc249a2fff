#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| aecm_acme::email::fuzzing::challenge_mail(data));
