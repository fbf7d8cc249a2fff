//! A process that dies at the k-th thing it does: an HTTP client and a key store that stop there and are never
//! heard of again, or that fail there once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aecm::core::certificate::Certificate;
use aecm::core::embed::{Http, HttpError, HttpRequest, HttpResponse};
use aecm::core::key::{Decryptor, KeyError, Signer};
use aecm::core::mailbox::Mailbox;
use aecm::core::software::KeySpec;
use aecm::core::suite::Suite;
use aecm::core::time::Time;
use aecm::store::{DeviceId, Entry, ImportedKey, KeyId, KeyStore, Lease, Slot, StoreError};
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// What happens at the k-th call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The process ends before the call does anything.
    EndBefore,
    /// The process ends after the call did everything, its result lost.
    EndAfter,
    /// The call fails and did nothing.
    FailBefore,
    /// The call fails although it did everything.
    FailAfter,
}

/// When.
pub struct Cut {
    refuses_imports: bool,
    at: usize,
    how: How,
    calls: AtomicUsize,
    ended: Notify,
}

impl Cut {
    /// At the call of that number, counted from 1.
    pub fn new(at: usize, how: How) -> Arc<Self> {
        Arc::new(Self { refuses_imports: false, at, how, calls: AtomicUsize::new(0), ended: Notify::new() })
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Whether the cut came.
    pub fn reached(&self) -> bool {
        self.calls() >= self.at
    }

    /// What `work` gives, or nothing when the process ended in it.
    pub async fn survive<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            output = work => Some(output),
            () = self.ended.notified() => None,
        }
    }

    async fn around<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>>,
        error: impl FnOnce() -> E,
    ) -> Result<T, E> {
        if self.calls.fetch_add(1, Ordering::SeqCst) + 1 != self.at {
            return call.await;
        }
        match self.how {
            How::FailBefore => return Err(error()),
            How::FailAfter => {
                call.await?;
                return Err(error());
            }
            How::EndBefore => {}
            How::EndAfter => {
                let _lost = call.await;
            }
        }
        self.ended.notify_one();
        core::future::pending().await
    }
}

/// An HTTP client that is cut.
pub struct CutHttp {
    pub inner: Arc<dyn Http>,
    pub cut: Arc<Cut>,
}

#[async_trait::async_trait]
impl Http for CutHttp {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = request.url.clone();
        let error = || HttpError::Connection { url, detail: "cut".to_owned() };
        self.cut.around(self.inner.send(request), error).await
    }
}

/// A store that is cut.
pub struct CutStore {
    pub inner: Arc<dyn KeyStore>,
    pub cut: Arc<Cut>,
    /// Whether reading counts too.
    pub reading: bool,
    /// What is made of the entries.
    pub view: Option<fn(Vec<Entry>) -> Vec<Entry>>,
}

fn broken() -> StoreError {
    StoreError::Key(KeyError::Transport("cut".to_owned()))
}

impl CutStore {
    /// One that takes no keys from elsewhere, for good.
    pub fn refusing_imports(inner: Arc<dyn KeyStore>) -> Arc<Self> {
        let cut = Cut {
            refuses_imports: true,
            at: usize::MAX,
            how: How::FailBefore,
            calls: AtomicUsize::new(0),
            ended: Notify::new(),
        };
        Arc::new(Self { inner, cut: Arc::new(cut), reading: false, view: None })
    }

    async fn write<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.cut.around(call, broken).await
    }

    async fn read<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        if self.reading { self.cut.around(call, broken).await } else { call.await }
    }
}

#[async_trait::async_trait]
impl KeyStore for CutStore {
    async fn generate(
        &self,
        mailbox: &Mailbox,
        slot: &Slot,
        spec: KeySpec,
        now: Time,
    ) -> Result<KeyId, StoreError> {
        self.write(self.inner.generate(mailbox, slot, spec, now)).await
    }
    async fn entries(&self, mailbox: &Mailbox) -> Result<Vec<Entry>, StoreError> {
        let entries = self.read(self.inner.entries(mailbox)).await?;
        Ok(self.view.map_or(entries.clone(), |view| view(entries)))
    }
    async fn mailboxes(&self) -> Result<Vec<Mailbox>, StoreError> {
        self.read(self.inner.mailboxes()).await
    }
    async fn install(
        &self,
        mailbox: &Mailbox,
        id: &KeyId,
        chain: Vec<Certificate>,
    ) -> Result<(), StoreError> {
        self.write(self.inner.install(mailbox, id, chain)).await
    }
    async fn import(
        &self,
        mailbox: &Mailbox,
        keys: Vec<ImportedKey>,
        now: Time,
    ) -> Result<Vec<KeyId>, StoreError> {
        if self.cut.refuses_imports {
            return Err(StoreError::TooLarge { what: "the number of keys of a mailbox", limit: 1_024 });
        }
        self.write(self.inner.import(mailbox, keys, now)).await
    }
    async fn signer(&self, mailbox: &Mailbox, id: &KeyId) -> Result<Arc<dyn Signer>, StoreError> {
        self.read(self.inner.signer(mailbox, id)).await
    }
    async fn decryptor(&self, mailbox: &Mailbox, id: &KeyId) -> Result<Arc<dyn Decryptor>, StoreError> {
        self.read(self.inner.decryptor(mailbox, id)).await
    }
    async fn remove(&self, mailbox: &Mailbox, id: &KeyId) -> Result<(), StoreError> {
        self.write(self.inner.remove(mailbox, id)).await
    }
    async fn purge(&self, mailbox: &Mailbox, id: &KeyId) -> Result<(), StoreError> {
        self.write(self.inner.purge(mailbox, id)).await
    }
    async fn export(&self, mailbox: &Mailbox, id: &KeyId) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        self.read(self.inner.export(mailbox, id)).await
    }
    async fn account_key(&self, directory: &str, now: Time) -> Result<Arc<dyn Signer>, StoreError> {
        self.write(self.inner.account_key(directory, now)).await
    }
    async fn load_state(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StoreError> {
        self.read(self.inner.load_state(name)).await
    }
    async fn save_state(&self, name: &str, octets: &[u8]) -> Result<(), StoreError> {
        self.write(self.inner.save_state(name, octets)).await
    }
    async fn delete_state(&self, name: &str) -> Result<(), StoreError> {
        self.write(self.inner.delete_state(name)).await
    }
    async fn device(&self) -> Result<DeviceId, StoreError> {
        self.read(self.inner.device()).await
    }
    async fn lease(&self, name: &str) -> Result<Lease, StoreError> {
        self.read(self.inner.lease(name)).await
    }
    async fn default_suite(&self, mailbox: &Mailbox) -> Result<Option<Suite>, StoreError> {
        self.read(self.inner.default_suite(mailbox)).await
    }
    async fn set_default_suite(&self, mailbox: &Mailbox, suite: Option<Suite>) -> Result<(), StoreError> {
        self.write(self.inner.set_default_suite(mailbox, suite)).await
    }
    async fn default_signer(&self, mailbox: &Mailbox) -> Result<Option<Slot>, StoreError> {
        self.read(self.inner.default_signer(mailbox)).await
    }
    async fn set_default_signer(&self, mailbox: &Mailbox, slot: Option<Slot>) -> Result<(), StoreError> {
        self.write(self.inner.set_default_signer(mailbox, slot)).await
    }
}
