//! Sums in the prime field of SM2 on every x86-64: in assembly so that the carry stays in its flag, a third of the
//! instructions of the safe twins in `field`. No address and no branch depends on the operands.

use core::arch::asm;

/// a + b mod p, for a and b below p.
#[inline(always)]
pub(crate) fn add(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let (r0, r1, r2, r3);
    // SAFETY: reads four limbs behind each of two references, writes nothing but the registers it names.
    unsafe {
        asm!(
            "mov {r0}, [{a}]",
            "mov {r1}, [{a} + 8]",
            "mov {r2}, [{a} + 16]",
            "mov {r3}, [{a} + 24]",
            "xor {top:e}, {top:e}",
            "add {r0}, [{b}]",
            "adc {r1}, [{b} + 8]",
            "adc {r2}, [{b} + 16]",
            "adc {r3}, [{b} + 24]",
            "adc {top}, 0",
            // Less p, unless that borrows.
            "mov {t0}, {r0}",
            "mov {t1}, {r1}",
            "mov {t2}, {r2}",
            "mov {t3}, {r3}",
            "sub {t0}, -1",
            "sbb {t1}, {p1}",
            "sbb {t2}, -1",
            "sbb {t3}, {p3}",
            "sbb {top}, 0",
            "cmovnc {r0}, {t0}",
            "cmovnc {r1}, {t1}",
            "cmovnc {r2}, {t2}",
            "cmovnc {r3}, {t3}",
            a = in(reg) a.as_ptr(), b = in(reg) b.as_ptr(),
            p1 = in(reg) 0xffff_ffff_0000_0000_u64, p3 = in(reg) 0xffff_fffe_ffff_ffff_u64,
            r0 = out(reg) r0, r1 = out(reg) r1, r2 = out(reg) r2, r3 = out(reg) r3,
            t0 = out(reg) _, t1 = out(reg) _, t2 = out(reg) _, t3 = out(reg) _, top = out(reg) _,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

/// a − b mod p, for a and b below p.
#[inline(always)]
pub(crate) fn subtract(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let (r0, r1, r2, r3);
    // SAFETY: as above.
    unsafe {
        asm!(
            "mov {r0}, [{a}]",
            "mov {r1}, [{a} + 8]",
            "mov {r2}, [{a} + 16]",
            "mov {r3}, [{a} + 24]",
            "sub {r0}, [{b}]",
            "sbb {r1}, [{b} + 8]",
            "sbb {r2}, [{b} + 16]",
            "sbb {r3}, [{b} + 24]",
            // Where that borrowed, p comes back: limbs of ones, ones above 2³², ones, ones but bit 32.
            "sbb {m}, {m}",
            "mov {m1}, {m}",
            "shl {m1}, 32",
            "mov {m3}, {m}",
            "btr {m3}, 32",
            "add {r0}, {m}",
            "adc {r1}, {m1}",
            "adc {r2}, {m}",
            "adc {r3}, {m3}",
            a = in(reg) a.as_ptr(), b = in(reg) b.as_ptr(),
            r0 = out(reg) r0, r1 = out(reg) r1, r2 = out(reg) r2, r3 = out(reg) r3,
            m = out(reg) _, m1 = out(reg) _, m3 = out(reg) _,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

/// a/2 mod p, for a below p.
#[inline(always)]
pub(crate) fn halve(a: &[u64; 4]) -> [u64; 4] {
    let [mut r0, mut r1, mut r2, mut r3] = *a;
    // SAFETY: changes nothing but the registers it names.
    unsafe {
        asm!(
            // a + p where a is odd, then shifted with the carry on top.
            "mov {m}, {r0}",
            "and {m}, 1",
            "neg {m}",
            "mov {m1}, {m}",
            "shl {m1}, 32",
            "mov {m3}, {m}",
            "btr {m3}, 32",
            "add {r0}, {m}",
            "adc {r1}, {m1}",
            "adc {r2}, {m}",
            "adc {r3}, {m3}",
            "sbb {m}, {m}",
            "shrd {r0}, {r1}, 1",
            "shrd {r1}, {r2}, 1",
            "shrd {r2}, {r3}, 1",
            "shrd {r3}, {m}, 1",
            r0 = inout(reg) r0, r1 = inout(reg) r1, r2 = inout(reg) r2, r3 = inout(reg) r3,
            m = out(reg) _, m1 = out(reg) _, m3 = out(reg) _,
            options(pure, nomem, nostack),
        );
    }
    [r0, r1, r2, r3]
}
