//! What runs on the CPU at hand: every fast path has a safe portable twin, is picked at run time by what the
//! CPU says of itself, and is tested against the twin and an independent crate.
//!
//! The only room of the workspace in which `unsafe` may stand: to call a function that needs a CPU feature from
//! one that does not, after the CPU was asked; and to load and store vectors.

#[cfg(target_arch = "x86_64")]
pub(crate) mod ghash_vpclmul;
#[cfg(target_arch = "x86_64")]
pub(crate) mod select_avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sm2_adx;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sm2_ifma;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sm2_x86;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sm3_bmi;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sm3_lanes;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sm4_aesni;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sm4_field;
#[cfg(target_arch = "x86_64")]
pub(crate) mod sm4_gfni;
