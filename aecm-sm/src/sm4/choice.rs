//! Which form of the cipher runs.

#[cfg(target_arch = "x86_64")]
use crate::backend::{sm4_aesni, sm4_gfni};

/// The forms of the cipher: [`Sm4::new`](super::cipher::KeyInit::new) takes the fastest that the CPU can run. For
/// tests and measurements; not part of the API.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// GFNI and AVX-512.
    Gfni,
    /// AES-NI and AVX2.
    AesNi,
    /// Safe Rust, in bit planes.
    Portable,
}

impl Backend {
    /// All, the fastest first.
    pub const ALL: [Self; 3] = [Self::Gfni, Self::AesNi, Self::Portable];

    /// Whether this CPU, and the system it runs, know what the form needs.
    #[must_use]
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Gfni => sm4_gfni::available(),
            #[cfg(target_arch = "x86_64")]
            Self::AesNi => sm4_aesni::available(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Gfni | Self::AesNi => false,
            Self::Portable => true,
        }
    }

    /// The fastest that is available.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.into_iter().find(|backend| backend.is_available()).unwrap_or(Self::Portable)
    }

    /// A name for tables: "gfni", "aes-ni" or "portable".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gfni => "gfni",
            Self::AesNi => "aes-ni",
            Self::Portable => "portable",
        }
    }
}
