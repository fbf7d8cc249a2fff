//! U-labels to A-labels (RFC 3492, RFC 5890 §2.3.2.1): the encoding alone, without Unicode mapping.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 128;

/// Every label that is not ASCII as `xn--` and its Punycode.
pub(super) fn to_ascii(domain: &str) -> Cow<'_, str> {
    if domain.is_ascii() {
        return Cow::Borrowed(domain);
    }
    let mut out = String::new();
    for (index, label) in domain.split('.').enumerate() {
        if index > 0 {
            out.push('.');
        }
        if label.is_ascii() {
            out.push_str(label);
        } else {
            out.push_str("xn--");
            encode(label, &mut out);
        }
    }
    Cow::Owned(out)
}

// Labels are at most 253 octets here, so no sum below comes near 2^32 (RFC 3492 §6.4):
// 0x10FFFF * 254 < 2^29.
fn encode(label: &str, out: &mut String) {
    let points: Vec<u32> = label.chars().map(u32::from).collect();
    let basic = points.iter().filter(|point| **point < INITIAL_N).count();
    out.extend(label.chars().filter(char::is_ascii));
    if basic > 0 {
        out.push('-');
    }
    let length = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let (mut n, mut delta, mut bias) = (INITIAL_N, 0u32, INITIAL_BIAS);
    let mut handled = basic;
    while handled < points.len() {
        let Some(next) = points.iter().copied().filter(|point| *point >= n).min() else { return };
        delta = delta.saturating_add((next - n).saturating_mul(length(handled).saturating_add(1)));
        n = next;
        for &point in &points {
            if point < n {
                delta = delta.saturating_add(1);
            }
            if point == n {
                push_number(delta, bias, out);
                bias = adapt(delta, length(handled).saturating_add(1), handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.saturating_add(1);
        n += 1;
    }
}

fn push_number(mut q: u32, bias: u32, out: &mut String) {
    let mut k = BASE;
    loop {
        let t = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if q < t {
            out.push(digit(q));
            return;
        }
        out.push(digit(t + (q - t) % (BASE - t)));
        q = (q - t) / (BASE - t);
        k += BASE;
    }
}

fn digit(value: u32) -> char {
    char::from_digit(if value < 26 { value + 10 } else { value - 26 }, 36).unwrap_or('0')
}

fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / DAMP } else { delta / 2 };
    delta = delta.saturating_add(delta / points);
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}
