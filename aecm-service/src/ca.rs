//! The certification authorities: three roots in each suite, each with one issuer, and what they issue.
//!
//! S/MIME, timestamp authority and mailbox timestamping never share a root: who may say what time it is, is
//! decided by the root alone (DESIGN §5), and the S/MIME rules forbid `timeStamping` below an S/MIME root.

mod authority;
mod pki;
mod template;

pub use authority::{Authority, IssueError};
pub(crate) use authority::{KeyPair, SERIAL, new_key, serial_number};
pub(crate) use pki::BranchKeys;
pub use pki::{Anchors, Pki, PkiAnchors, Realm};
pub use template::{
    POLICY_MAILBOX_TIMESTAMP, POLICY_SM2_INDIVIDUAL, POLICY_SM2_MAILBOX, POLICY_SM2_ORGANIZATION,
    POLICY_SM2_SPONSOR, POLICY_TSA, SubjectAttribute, Template,
};
