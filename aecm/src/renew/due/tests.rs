use super::*;

const PEM: &str = include_str!("../../../../aecm-smime/tests/vectors/keys/rsa-enc.crt");

fn window(certificate: &Certificate, from: i64, to: i64) -> Option<RenewalWindow> {
    let start = certificate.not_before();
    let at = |days: i64| Time::from_unix(start.unix() + days * 86_400);
    Some(RenewalWindow { start: at(from), end: at(to) })
}

fn days(certificate: &Certificate, moment: Time) -> i64 {
    (moment.unix() - certificate.not_before().unix()) / 86_400
}

#[test]
fn without_a_window_the_last_third_begins() {
    let certificate = Certificate::from_pem(PEM).unwrap();
    let life = days(&certificate, certificate.not_after());
    assert_eq!(days(&certificate, moment(&certificate, None, "laptop")), life * 2 / 3);
    // RFC 9773 §4.2: a window that ends before it begins is none.
    for nonsense in [window(&certificate, 20, 10), window(&certificate, 10, 10)] {
        assert_eq!(moment(&certificate, nonsense, "laptop"), moment(&certificate, None, "laptop"));
    }
}

#[test]
fn the_moment_lies_in_the_window_and_stays() {
    let certificate = Certificate::from_pem(PEM).unwrap();
    let wish = window(&certificate, 10, 40);
    let moments: Vec<Time> =
        ["laptop", "phone", "desk"].map(|device| moment(&certificate, wish, device)).to_vec();
    for one in &moments {
        assert!((10..40).contains(&days(&certificate, *one)), "{one}");
    }
    assert_eq!(moments[0], moment(&certificate, wish, "laptop"));
    assert!(moments[0] != moments[1] && moments[1] != moments[2], "spread over devices");
}

// N10: neither a renewal at every call, nor one that comes too late.
#[test]
fn windows_out_of_measure_are_clamped() {
    let certificate = Certificate::from_pem(PEM).unwrap();
    let life = certificate.not_after().since(certificate.not_before());
    let past = window(&certificate, -20, -10);
    assert_eq!(moment(&certificate, past, "laptop"), certificate.not_before().plus(SHORTEST));
    let far = window(&certificate, 40_000, 50_000);
    assert_eq!(moment(&certificate, far, "laptop"), certificate.not_after().minus(life / 12));
}
