//! Reading and writing ASN.1 values octet by octet: lazy, span-based, with hard limits.
//!
//! [`Reader`] walks over the received octets and hands out spans of them, so that a signature can be checked
//! over exactly what was received. It allocates only where a BER sender cut a string into pieces. BER (X.690
//! §8) is accepted where [`Rules::Ber`] says so, DER (X.690 §10) is enforced where [`Rules::Der`] does.
//! [`mod@write`] makes DER.
//!
//! ```
//! use aecm_core::{limits::Limits, tlv::{Reader, Rules, write}};
//!
//! let der = write::sequence(&[&write::small(7), &write::octet_string(b"mail")]);
//! let mut reader = Reader::new(&der, Rules::Der, &Limits::default());
//! let mut fields = reader.sequence()?;
//! assert_eq!(fields.small()?, 7);
//! assert_eq!(*fields.octet_string()?, *b"mail");
//! fields.finish()?;
//! reader.finish()?;
//! # Ok::<(), aecm_core::tlv::TlvError>(())
//! ```

mod deviation;
mod element;
mod error;
mod head;
mod reader;
mod value;
pub mod write;

pub use deviation::deviates_from_der;
pub use element::{AlgorithmId, Tlv};
pub use error::{TlvError, TlvErrorKind};
pub use reader::Reader;

use core::fmt;

/// The class bits of an identifier octet (X.690 §8.1.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Types of X.680 itself.
    Universal,
    /// Not used by mail.
    Application,
    /// Tags such as `[0]`, whose meaning the enclosing type gives.
    ContextSpecific,
    /// Not used by mail.
    Private,
}

/// An identifier: class, primitive or constructed, number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// The class.
    pub class: Class,
    /// Whether the content is itself a series of values.
    pub constructed: bool,
    /// The number, below 2^28.
    pub number: u32,
}

impl Tag {
    /// BOOLEAN
    pub const BOOLEAN: Self = Self::universal(1);
    /// INTEGER
    pub const INTEGER: Self = Self::universal(2);
    /// BIT STRING, primitive
    pub const BIT_STRING: Self = Self::universal(3);
    /// OCTET STRING, primitive
    pub const OCTET_STRING: Self = Self::universal(4);
    /// NULL
    pub const NULL: Self = Self::universal(5);
    /// OBJECT IDENTIFIER
    pub const OID: Self = Self::universal(6);
    /// ENUMERATED
    pub const ENUMERATED: Self = Self::universal(10);
    /// UTF8String
    pub const UTF8_STRING: Self = Self::universal(12);
    /// SEQUENCE and SEQUENCE OF
    pub const SEQUENCE: Self = Self { class: Class::Universal, constructed: true, number: 16 };
    /// SET and SET OF
    pub const SET: Self = Self { class: Class::Universal, constructed: true, number: 17 };
    /// NumericString
    pub const NUMERIC_STRING: Self = Self::universal(18);
    /// PrintableString
    pub const PRINTABLE_STRING: Self = Self::universal(19);
    /// TeletexString (T61String)
    pub const TELETEX_STRING: Self = Self::universal(20);
    /// IA5String
    pub const IA5_STRING: Self = Self::universal(22);
    /// UTCTime
    pub const UTC_TIME: Self = Self::universal(23);
    /// GeneralizedTime
    pub const GENERALIZED_TIME: Self = Self::universal(24);
    /// VisibleString
    pub const VISIBLE_STRING: Self = Self::universal(26);
    /// UniversalString
    pub const UNIVERSAL_STRING: Self = Self::universal(28);
    /// BMPString
    pub const BMP_STRING: Self = Self::universal(30);

    const fn universal(number: u32) -> Self {
        Self { class: Class::Universal, constructed: false, number }
    }

    /// `[number]`, constructed: EXPLICIT, or IMPLICIT over a constructed type.
    #[must_use]
    pub const fn context(number: u32) -> Self {
        Self { class: Class::ContextSpecific, constructed: true, number }
    }

    /// `[number]`, primitive: IMPLICIT over a primitive type.
    #[must_use]
    pub const fn context_primitive(number: u32) -> Self {
        Self { class: Class::ContextSpecific, constructed: false, number }
    }

    /// Whether both are the same but for primitive or constructed.
    #[must_use]
    pub fn same_type(self, other: Self) -> bool {
        self.class == other.class && self.number == other.number
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let universal = match self.number {
            1 => "BOOLEAN",
            2 => "INTEGER",
            3 => "BIT STRING",
            4 => "OCTET STRING",
            5 => "NULL",
            6 => "OBJECT IDENTIFIER",
            10 => "ENUMERATED",
            12 => "UTF8String",
            16 => "SEQUENCE",
            17 => "SET",
            19 => "PrintableString",
            22 => "IA5String",
            23 => "UTCTime",
            24 => "GeneralizedTime",
            _ => "",
        };
        match self.class {
            Class::Universal if !universal.is_empty() => f.write_str(universal),
            Class::Universal => write!(f, "[UNIVERSAL {}]", self.number),
            Class::Application => write!(f, "[APPLICATION {}]", self.number),
            Class::ContextSpecific => write!(f, "[{}]", self.number),
            Class::Private => write!(f, "[PRIVATE {}]", self.number),
        }
    }
}

/// Which encoding rules a [`Reader`] holds its input to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rules {
    /// The basic rules: indefinite lengths, long lengths, strings in pieces are accepted (X.690 §8).
    Ber,
    /// The distinguished rules: one encoding for each value (X.690 §10). SET OF order is not looked at.
    Der,
}

#[cfg(test)]
mod tests;
