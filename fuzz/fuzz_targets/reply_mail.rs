#![no_main]

#[path = "../bodies/acme.rs"]
#[allow(dead_code)]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::reply_mail(data));
