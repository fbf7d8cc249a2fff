//! Who the service is: the private keys and certificates that stay the same as long as its folder does.

use std::path::Path;
use std::sync::Arc;

use aecm_acme::jws::{decode, encode};
use aecm_core::certificate::Certificate;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use crate::acme::EscrowKeys;
use crate::ca::{BranchKeys, KeyPair, Pki, Realm, new_key};
use crate::error::Error;
use crate::folder::StateError;
use crate::net::TlsKeys;
use crate::options::ServiceOptions;
use crate::tsa::Tsa;

/// Keys and certificates of everything that signs.
pub(crate) struct Identity {
    pub(crate) branches: Vec<BranchKeys>,
    pub(crate) tsa_classic: KeyPair,
    pub(crate) tsa_sm2: KeyPair,
    pub(crate) tls: TlsKeys,
    pub(crate) dkim: SoftwareKey,
    /// Made when the options first ask for it.
    pub(crate) escrow: Option<EscrowKeys>,
}

/// Wiped when dropped.
#[derive(Serialize, Deserialize)]
struct StoredKey(String);

impl Drop for StoredKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[derive(Serialize, Deserialize)]
struct StoredPair {
    key: StoredKey,
    certificate: String,
}

#[derive(Serialize, Deserialize)]
struct StoredBranch {
    realm: String,
    suite: String,
    root: StoredPair,
    issuer: StoredPair,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    branches: Vec<StoredBranch>,
    tsa_classic: StoredPair,
    tsa_sm2: StoredPair,
    tls_ca: StoredPair,
    tls_server: StoredPair,
    dkim: StoredKey,
    #[serde(default)]
    escrow: Option<StoredEscrow>,
}

#[derive(Serialize, Deserialize)]
struct StoredEscrow {
    encryption: StoredPair,
    signing: StoredPair,
}

impl Identity {
    /// Makes all of it.
    pub(crate) async fn generate(options: &ServiceOptions, now: Time) -> Result<Self, Error> {
        let rng = &options.rng;
        let branches = Pki::generate_keys(options.classic_ca, rng, now).await?;
        let pki = Pki::restore(branches.clone(), Arc::clone(rng));
        Ok(Self {
            branches,
            tsa_classic: Tsa::generate_unit(&pki, Suite::Classic, options.classic_tsa, rng, now).await?,
            tsa_sm2: Tsa::generate_unit(&pki, Suite::Sm2, KeySpec::Sm2, rng, now).await?,
            tls: TlsKeys::generate(rng, now).await?,
            dkim: new_key(KeySpec::Rsa(2048), rng)?,
            escrow: None,
        })
    }

    /// Makes what the options ask for and is not there yet, and what is about to expire; whether anything was.
    pub(crate) async fn complete(&mut self, options: &ServiceOptions, now: Time) -> Result<bool, Error> {
        let mut changed = self.tls.renew(&options.rng, now).await?;
        let pki = || Pki::restore(self.branches.clone(), Arc::clone(&options.rng));
        match (&mut self.escrow, &options.acme.escrow) {
            (None, Some(escrow)) => {
                self.escrow = Some(EscrowKeys::generate(&pki(), escrow.key, &options.rng, now).await?);
                changed = true;
            }
            (Some(keys), Some(_)) => changed |= keys.renew(&pki(), &options.rng, now).await?,
            (_, None) => {}
        }
        Ok(changed)
    }

    /// For the folder.
    pub(crate) fn to_json(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let stored = Stored {
            branches: self.branches.iter().map(StoredBranch::new).collect(),
            tsa_classic: StoredPair::new(&self.tsa_classic),
            tsa_sm2: StoredPair::new(&self.tsa_sm2),
            tls_ca: StoredPair::new(&self.tls.ca),
            tls_server: StoredPair::new(&self.tls.server),
            dkim: StoredKey::new(&self.dkim),
            escrow: self.escrow.as_ref().map(|escrow| StoredEscrow {
                encryption: StoredPair::new(&escrow.encryption),
                signing: StoredPair::new(&escrow.signing),
            }),
        };
        let json = serde_json::to_vec(&stored).map(Zeroizing::new);
        json.map_err(|error| StateError::damaged(Path::new("identity"), error.to_string()).into())
    }

    /// From the folder, the file at `path`.
    pub(crate) fn from_json(json: &[u8], path: &Path) -> Result<Self, StateError> {
        let read = || {
            let stored: Stored = serde_json::from_slice(json).map_err(|error| error.to_string())?;
            let branches: Result<Vec<BranchKeys>, String> =
                stored.branches.iter().map(StoredBranch::read).collect();
            Ok::<_, String>(Self {
                branches: branches?,
                tsa_classic: stored.tsa_classic.read()?,
                tsa_sm2: stored.tsa_sm2.read()?,
                tls: TlsKeys { ca: stored.tls_ca.read()?, server: stored.tls_server.read()? },
                dkim: stored.dkim.read()?,
                escrow: match &stored.escrow {
                    None => None,
                    Some(escrow) => Some(EscrowKeys {
                        encryption: escrow.encryption.read()?,
                        signing: escrow.signing.read()?,
                    }),
                },
            })
        };
        let identity = read().map_err(|detail| StateError::damaged(path, detail))?;
        for realm in Realm::ALL {
            for suite in Suite::ALL {
                if !identity.branches.iter().any(|branch| branch.realm == realm && branch.suite == suite) {
                    return Err(StateError::damaged(path, format!("no {suite} authority for {realm:?}")));
                }
            }
        }
        Ok(identity)
    }
}

impl StoredKey {
    fn new(key: &SoftwareKey) -> Self {
        Self(encode(&key.to_pkcs8_der()))
    }

    fn read(&self) -> Result<SoftwareKey, String> {
        let der = decode(&self.0).map(Zeroizing::new).ok_or("a key is not base64url")?;
        SoftwareKey::from_pkcs8_der(&der).map_err(|error| error.to_string())
    }
}

impl StoredPair {
    fn new(pair: &KeyPair) -> Self {
        Self { key: StoredKey::new(&pair.key), certificate: encode(pair.certificate.as_der()) }
    }

    /// The certificate has to be that of the key (THREATS K8).
    fn read(&self) -> Result<KeyPair, String> {
        let key = self.key.read()?;
        let der = decode(&self.certificate).ok_or("a certificate is not base64url")?;
        let certificate = Certificate::from_der(&der).map_err(|error| error.to_string())?;
        if certificate.public_key() != Some(key.public_key()) {
            return Err(format!("the key of {} is another's", certificate.subject_text()));
        }
        Ok(KeyPair { key, certificate })
    }
}

impl StoredBranch {
    fn new(branch: &BranchKeys) -> Self {
        Self {
            realm: branch.realm.word().to_owned(),
            suite: branch.suite.word().to_owned(),
            root: StoredPair::new(&branch.root),
            issuer: StoredPair::new(&branch.issuer),
        }
    }

    fn read(&self) -> Result<BranchKeys, String> {
        let realm = Realm::ALL.into_iter().find(|realm| realm.word() == self.realm);
        Ok(BranchKeys {
            realm: realm.ok_or_else(|| format!("there is no realm {:?}", self.realm))?,
            suite: Suite::from_word(&self.suite)
                .ok_or_else(|| format!("there is no suite {:?}", self.suite))?,
            root: self.root.read()?,
            issuer: self.issuer.read()?,
        })
    }
}
