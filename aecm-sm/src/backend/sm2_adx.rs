//! Multiplication in the prime field of SM2 with MULX and two chains of carries (BMI2, ADX).
//!
//! In assembly because compilers know one carry flag at most and lose that one too: the safe twin in
//! [`field`](crate::sm2) takes half as many instructions again. No address, no branch and no instruction with a
//! time of its own depends on the operands.
//!
//! The product grows row by row in the registers t0 to t7; after each row its lowest limb is brought to zero: p ≡ −1
//! mod 2⁶⁴, so that this limb q is itself the multiple of p to add. What q·p adds above it is q·(2¹⁹² − 2¹⁶⁰ − 2³² + 1),
//! the difference of two products: q·(2⁶⁴ − 2³²)·2¹²⁸ and q·(2³² − 1). That leaves no carry, and the register that held q
//! takes in the new top limb; these four are added to the upper half of the product at the end.
//!
//! Additions with carry, shifts and conditional moves share two ports of the CPU; MULX has two others. That is why
//! products stand where two shifts would do.

use core::arch::asm;

use core::sync::atomic::{AtomicU8, Ordering};

cpufeatures::new!(cpu, "bmi2", "adx");

/// Whether this CPU knows the instructions.
#[inline(always)]
pub(crate) fn available() -> bool {
    // Asked for each product: one load and one branch, what the answer needs kept out of the way.
    static ANSWER: AtomicU8 = AtomicU8::new(UNASKED);
    const UNASKED: u8 = 0;
    const YES: u8 = 1;
    const NO: u8 = 2;

    #[cold]
    #[inline(never)]
    fn ask() -> bool {
        let known = cpu::get();
        ANSWER.store(if known { YES } else { NO }, Ordering::Relaxed);
        known
    }

    match ANSWER.load(Ordering::Relaxed) {
        UNASKED => ask(),
        answer => answer == YES,
    }
}

/// The factors of a [`step!`].
static LOW: u64 = 0xffff_ffff;
static HIGH: u64 = 0xffff_ffff_0000_0000;

/// One row of the product: the five registers from the first one named take in a·(the limb of b at the place).
macro_rules! row {
    ($b:literal, $t0:literal, $t1:literal, $t2:literal, $t3:literal, $t4:literal) => {
        concat!(
            "mov rdx, [",
            $b,
            "]\n",
            "xor {lo:e}, {lo:e}\n", // both carries to zero
            "mulx {hi}, {lo}, [{a}]\n",
            "adcx {",
            $t0,
            "}, {lo}\n",
            "adox {",
            $t1,
            "}, {hi}\n",
            "mulx {hi}, {lo}, [{a} + 8]\n",
            "adcx {",
            $t1,
            "}, {lo}\n",
            "adox {",
            $t2,
            "}, {hi}\n",
            "mulx {hi}, {lo}, [{a} + 16]\n",
            "adcx {",
            $t2,
            "}, {lo}\n",
            "adox {",
            $t3,
            "}, {hi}\n",
            "mulx {",
            $t4,
            "}, {lo}, [{a} + 24]\n",
            "adcx {",
            $t3,
            "}, {lo}\n",
            "mov {hi:e}, 0\n",
            "adox {",
            $t4,
            "}, {hi}\n",
            "adcx {",
            $t4,
            "}, {hi}\n",
        )
    };
}

/// The limb q to zero; its register takes in the new limb on top of the three others.
macro_rules! step {
    ($q:literal, $t1:literal, $t2:literal, $t3:literal) => {
        concat!(
            "mov rdx, {",
            $q,
            "}\n",
            "mulx {hi}, {lo}, [rip + {low}]\n",
            "sub {",
            $t1,
            "}, {lo}\n",
            "mulx {",
            $q,
            "}, {lo}, [rip + {high}]\n",
            "sbb {",
            $t2,
            "}, {hi}\n",
            "sbb {",
            $t3,
            "}, 0\n",
            "sbb {",
            $q,
            "}, 0\n",
            "add {",
            $t3,
            "}, {lo}\n",
            "adc {",
            $q,
            "}, 0\n",
        )
    };
}

/// The sum of both halves in t4…t7, below p.
macro_rules! settle {
    () => {
        concat!(
            "xor {lo:e}, {lo:e}\n",
            "add {t4}, {t0}\n",
            "adc {t5}, {t1}\n",
            "adc {t6}, {t2}\n",
            "adc {t7}, {t3}\n",
            "adc {lo}, 0\n",
            // Less p, unless that borrows.
            "mov {t0}, {t4}\n",
            "mov {t1}, {t5}\n",
            "mov {t2}, {t6}\n",
            "mov {t3}, {t7}\n",
            "mov rdx, 0xffffffff00000000\n",
            "mov {hi}, 0xfffffffeffffffff\n",
            "sub {t4}, -1\n",
            "sbb {t5}, rdx\n",
            "sbb {t6}, -1\n",
            "sbb {t7}, {hi}\n",
            "sbb {lo}, 0\n",
            "cmovc {t4}, {t0}\n",
            "cmovc {t5}, {t1}\n",
            "cmovc {t6}, {t2}\n",
            "cmovc {t7}, {t3}\n",
        )
    };
}

/// a·b/2²⁵⁶ mod p, below p, for a and b below p.
///
/// To be called where [`available`] said yes.
#[inline(always)]
pub(crate) fn multiply(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let (r0, r1, r2, r3);
    // SAFETY: reads four limbs behind each of two references, writes nothing but the registers it names; the CPU
    // was asked for BMI2 and ADX.
    unsafe {
        asm!(
            "mov rdx, [{b}]",
            "mulx {t1}, {t0}, [{a}]",
            "mulx {t2}, {lo}, [{a} + 8]",
            "add {t1}, {lo}",
            "mulx {t3}, {lo}, [{a} + 16]",
            "adc {t2}, {lo}",
            "mulx {t4}, {lo}, [{a} + 24]",
            "adc {t3}, {lo}",
            "adc {t4}, 0",
            step!("t0", "t1", "t2", "t3"),
            row!("{b} + 8", "t1", "t2", "t3", "t4", "t5"),
            step!("t1", "t2", "t3", "t0"),
            row!("{b} + 16", "t2", "t3", "t4", "t5", "t6"),
            step!("t2", "t3", "t0", "t1"),
            row!("{b} + 24", "t3", "t4", "t5", "t6", "t7"),
            step!("t3", "t0", "t1", "t2"),
            settle!(),
            a = in(reg) a.as_ptr(), b = in(reg) b.as_ptr(), low = sym LOW, high = sym HIGH,
            t0 = out(reg) _, t1 = out(reg) _, t2 = out(reg) _, t3 = out(reg) _,
            t4 = out(reg) r0, t5 = out(reg) r1, t6 = out(reg) r2, t7 = out(reg) r3,
            lo = out(reg) _, hi = out(reg) _, out("rdx") _,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

/// a²/2²⁵⁶ mod p, below p, for a below p.
///
/// To be called where [`available`] said yes.
#[inline(always)]
pub(crate) fn square(a: &[u64; 4]) -> [u64; 4] {
    let (r0, r1, r2, r3);
    // SAFETY: as above, with one reference.
    unsafe {
        asm!(
            // The products of different limbs, once.
            "mov rdx, [{a}]",
            "mulx {t2}, {t1}, [{a} + 8]",
            "mulx {t3}, {lo}, [{a} + 16]",
            "add {t2}, {lo}",
            "mulx {t4}, {lo}, [{a} + 24]",
            "adc {t3}, {lo}",
            "adc {t4}, 0",
            "mov rdx, [{a} + 8]",
            "mulx {hi}, {lo}, [{a} + 16]",
            "mulx {t5}, {t6}, [{a} + 24]",
            "add {t6}, {hi}",
            "adc {t5}, 0",
            "add {t3}, {lo}",
            "adc {t4}, {t6}",
            "adc {t5}, 0",
            "mov rdx, [{a} + 16]",
            "mulx {t6}, {lo}, [{a} + 24]",
            "add {t5}, {lo}",
            "adc {t6}, 0",
            // Doubled.
            "mov {t7}, {t6}",
            "shr {t7}, 63",
            "shld {t6}, {t5}, 1",
            "shld {t5}, {t4}, 1",
            "shld {t4}, {t3}, 1",
            "shld {t3}, {t2}, 1",
            "shld {t2}, {t1}, 1",
            "add {t1}, {t1}",
            // The squares.
            "mov rdx, [{a}]",
            "mulx {hi}, {t0}, rdx",
            "mov rdx, [{a} + 8]",
            "add {t1}, {hi}",
            "mulx {hi}, {lo}, rdx",
            "adc {t2}, {lo}",
            "adc {t3}, {hi}",
            "mov rdx, [{a} + 16]",
            "mulx {hi}, {lo}, rdx",
            "adc {t4}, {lo}",
            "adc {t5}, {hi}",
            "mov rdx, [{a} + 24]",
            "mulx {hi}, {lo}, rdx",
            "adc {t6}, {lo}",
            "adc {t7}, {hi}",
            step!("t0", "t1", "t2", "t3"),
            step!("t1", "t2", "t3", "t0"),
            step!("t2", "t3", "t0", "t1"),
            step!("t3", "t0", "t1", "t2"),
            settle!(),
            a = in(reg) a.as_ptr(), low = sym LOW, high = sym HIGH,
            t0 = out(reg) _, t1 = out(reg) _, t2 = out(reg) _, t3 = out(reg) _,
            t4 = out(reg) r0, t5 = out(reg) r1, t6 = out(reg) r2, t7 = out(reg) r3,
            lo = out(reg) _, hi = out(reg) _, out("rdx") _,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}
