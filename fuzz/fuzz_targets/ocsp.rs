#![no_main]

#[path = "../bodies/core.rs"]
#[allow(dead_code)]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::ocsp(data));
