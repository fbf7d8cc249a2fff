//! The bodies of the fuzz targets over messages that exist, and over what is left of them after damage.

use aecm_timestamp::fuzzing;

use crate::maker::{CLASSIC, Draft, Info, NATIONAL, noon};

const ANSWERS: [&[u8]; 3] = [
    include_bytes!("../vectors/tsp/openssl30-rsa-sha256.tsr"),
    include_bytes!("../vectors/tsp/bc186-sm2-sm3.tsr"),
    include_bytes!("../vectors/tsp/openssl30-rejection-status.tsr"),
];
const REQUESTS: [&[u8]; 2] =
    [include_bytes!("../vectors/tsp/sha256.tsq"), include_bytes!("../vectors/tsp/sm3.tsq")];

/// The seed, cut anywhere, and with every octet set to what ASN.1 readers trip over.
fn damaged(seed: &[u8], step: usize) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = (0..=seed.len()).step_by(step).map(|end| seed[..end].to_vec()).collect();
    for place in (0..seed.len()).step_by(step) {
        for value in [0x00, 0x80, 0xff, seed[place] ^ 0x20, seed[place].wrapping_add(1)] {
            let mut changed = seed.to_vec();
            changed[place] = value;
            all.push(changed);
        }
    }
    all
}

#[test]
fn requests() {
    for seed in REQUESTS {
        damaged(seed, 1).iter().for_each(|data| fuzzing::request(data));
    }
}

#[test]
fn answers() {
    for seed in ANSWERS {
        damaged(seed, 13).iter().for_each(|data| fuzzing::answer(data));
    }
}

#[test]
fn tokens() {
    for world in [&*CLASSIC, &*NATIONAL] {
        for holder in [&world.tsa, &world.mailbox] {
            let token = Draft::new(holder, &Info::new(noon())).der();
            damaged(&token, 17).iter().for_each(|data| fuzzing::token(data));
        }
    }
}

#[test]
fn contents() {
    damaged(&Info::new(noon()).der(), 1).iter().for_each(|data| fuzzing::tst_info(data));
}
