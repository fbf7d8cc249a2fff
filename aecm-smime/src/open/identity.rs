//! Who the mail says it is from: outer and protected From (THREATS M1).

use aecm_core::header;
use aecm_core::mailbox::Mailbox;

use super::OpenOptions;
use crate::mime::{Entity, ProtectedHeaders};
use crate::verify::Reason;

/// Whom the signature has to be from, and what is wrong with From.
#[derive(Debug)]
pub(super) struct Sender {
    /// The mailbox the signer's certificate has to name.
    pub(super) expected: Option<Mailbox>,
    /// The one mailbox of the outer From.
    pub(super) outer: Option<Mailbox>,
    /// Why no signature can be bound to the sender; none where one can, or where nobody is named at all.
    pub(super) reason: Option<Reason>,
}

pub(super) fn sender(
    outer: &Entity<'_>,
    protected: Option<&ProtectedHeaders>,
    options: &OpenOptions<'_>,
) -> Sender {
    let outer_from = outer_from(outer);
    let shown = outer_from.as_ref().and_then(|from| from.as_ref().ok()).cloned();
    let sender = |expected, reason| Sender { expected, outer: shown.clone(), reason };
    if let Some(email) = &options.email {
        return Sender { outer: Some(email.clone()), ..sender(Some(email.clone()), None) };
    }
    let inner_from = match protected {
        Some(headers) if headers.several_from => Some(Err(Reason::FromAmbiguous)),
        Some(headers) => headers.from.as_deref().map(single_mailbox),
        None => None,
    };
    match (outer_from, inner_from) {
        (_, Some(Err(reason))) | (Some(Err(reason)), _) => sender(None, Some(reason)),
        (Some(Ok(outside)), Some(Ok(inner))) => {
            let agree =
                outside.matches(&inner) || options.rewriters.iter().any(|known| known.matches(&outside));
            sender(Some(inner), (!agree).then_some(Reason::OuterFromDiffers))
        }
        (Some(Ok(mailbox)), None) | (None, Some(Ok(mailbox))) => sender(Some(mailbox), None),
        // A bare entity names nobody; a mail has to.
        (None, None) if is_bare_entity(outer) => sender(None, None),
        (None, None) => sender(None, Some(Reason::FromMissing)),
    }
}

/// The single mailbox of the From field of `entity`.
fn outer_from(entity: &Entity<'_>) -> Option<Result<Mailbox, Reason>> {
    match entity.headers().single("from") {
        Ok(field) => field.map(|field| single_mailbox(field.value_raw)),
        Err(_) => Some(Err(Reason::FromAmbiguous)),
    }
}

fn single_mailbox(value: &[u8]) -> Result<Mailbox, Reason> {
    // A group, even of one, is not a single mailbox.
    header::parse_single_address(value).map(|address| address.mailbox).map_err(|_| Reason::FromAmbiguous)
}

fn is_bare_entity(entity: &Entity<'_>) -> bool {
    entity.headers().iter().all(|field| {
        let name = field.name.to_ascii_lowercase();
        name.starts_with("content-") || name == "mime-version"
    })
}
