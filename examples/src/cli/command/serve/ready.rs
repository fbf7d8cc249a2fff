//! What the file of `--ready` says: where the service is, and whom to trust.

use aecm_core::suite::Suite;
use aecm_service::Service;
use aecm_service::ca::Anchors;
use serde_json::{Map, Value, json};

pub(super) fn page(service: &Service, domain: &str) -> Value {
    let roots = service.anchors();
    let (name, record) = service.post_office().dkim_record(domain);
    let mut dkim = Map::new();
    dkim.insert(name, record.into());
    json!({
        "directory": service.directory_url(),
        "tls_ca": service.tls_ca_pem(),
        "anchors": {
            "smime": pair(&roots.smime),
            "tsa": pair(&roots.tsa),
            "mailbox_timestamp": pair(&roots.mailbox_timestamp),
        },
        "tsa": { "classic": service.tsa_url(Suite::Classic), "sm2": service.tsa_url(Suite::Sm2) },
        "dkim": dkim,
        "pid": std::process::id(),
    })
}

fn pair(anchors: &Anchors) -> Value {
    json!({ "classic": anchors.classic.to_pem(), "sm2": anchors.sm2.to_pem() })
}
