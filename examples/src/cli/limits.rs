//! `--limits k=v,…`: the bounds of the work on outside data.

use aecm_core::limits::Limits;

macro_rules! names {
    ($($name:ident),* $(,)?) => {
        /// The bounds that can be set, in the order of their page.
        pub(super) const NAMES: &[&str] = &[$(stringify!($name)),*];

        fn set(limits: &mut Limits, name: &str, value: &str) -> Result<(), String> {
            let number = || format!("{name} wants a whole number, not {value:?}");
            match name {
                $(stringify!($name) => limits.$name = value.parse().map_err(|_| number())?,)*
                _ => return Err(format!("there is no limit {name:?}; there are {}", NAMES.join(", "))),
            }
            Ok(())
        }
    };
}

names!(
    message_bytes,
    asn1_depth,
    asn1_elements,
    signer_infos,
    recipient_infos,
    private_key_operations,
    certificates,
    certificate_bytes,
    extensions,
    crl_bytes,
    attributes,
    attribute_values,
    mime_depth,
    mime_parts,
    header_bytes,
    header_count,
    decompressed_bytes,
    decompression_ratio,
    decompression_layers,
    crypto_layers,
    tsa_answer_bytes,
    acme_json_bytes,
    acme_json_depth,
    acme_chain_bytes,
    acme_chain_certificates,
    signature_checks,
    intermediates,
    name_comparisons,
    pbkdf2_iterations,
    scrypt_memory,
    rsa_modulus_bits,
    rsa_exponent_bits,
);

/// Reads `k=v,…`; what is not named keeps its default.
pub(super) fn parse(text: &str) -> Result<Limits, String> {
    let mut limits = Limits::default();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| format!("{pair:?} is not name=number"))?;
        set(&mut limits, name.trim(), value.trim())?;
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_named_and_numbers() {
        assert_eq!(parse("asn1_depth=7, certificates=3").unwrap().asn1_depth, 7);
        assert_eq!(parse("").unwrap().asn1_depth, Limits::default().asn1_depth);
        for wrong in ["asn1_depth", "asn1_depth=", "asn1_depth=-1", "depth=1", "asn1_depth=1e3"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    /// A bound that is added to the page has to be settable here.
    #[test]
    fn every_limit_can_be_set() {
        let printed = format!("{:?}", Limits::default());
        let fields = printed.matches(": ").count();
        assert_eq!(NAMES.len(), fields, "{printed}");
    }
}
