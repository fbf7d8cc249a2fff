//! Many signatures verified together.

use aecm_sm::sm2::{DEFAULT_ID, PrivateKey, SignedHash, verify_many};
use getrandom::SysRng;

#[test]
fn many_together_get_the_answers_of_each_alone() {
    let mut rng = SysRng;
    let keys: Vec<_> = (0..7).map(|_| PrivateKey::generate(&mut rng).unwrap()).collect();
    for count in (0..28).chain([64, 101]) {
        let signed: Vec<_> = (0..count)
            .map(|place| {
                let key = &keys[place % keys.len()];
                let e = key.public_key().e(DEFAULT_ID, &[place.try_into().unwrap()]).unwrap();
                // Every third by another key, every fifth over another hash.
                let signer = if place % 3 == 2 { &keys[(place + 1) % keys.len()] } else { key };
                let signature = signer.sign_e(&e, &mut rng).unwrap();
                let e = if place % 5 == 4 { [9; 32] } else { e };
                (key.public_key(), e, signature)
            })
            .collect();
        let together = verify_many(
            &signed
                .iter()
                .map(|(public_key, e, signature)| SignedHash { public_key, e: *e, signature })
                .collect::<Vec<_>>(),
        );
        let alone: Vec<_> = signed.iter().map(|(key, e, signature)| key.verify_e(e, signature)).collect();
        assert_eq!(together, alone, "{count} signatures");
        let good = (0..count).filter(|place| place % 3 != 2 && place % 5 != 4).count();
        assert_eq!(alone.iter().filter(|answer| answer.is_ok()).count(), good);
    }
}
