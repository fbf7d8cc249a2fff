//! What AECM adds to ACME after a certificate is there: transfers between devices, escrow, events. The service
//! carries sealed packages; what is in them is the caller's matter.

use aecm_core::time::Time;

use super::session::By;
use super::{Client, ClientError};
use crate::jws;
use crate::wire::{
    AecmMeta, DeviceList, Directory, Escrow, EventList, NewTransfer, Transfer, TransferAnswer, TransferList,
    TransferStatus,
};

impl Client {
    async fn offers(&self, deadline: Time) -> Result<(Directory, AecmMeta), ClientError> {
        let directory = self.directory(deadline).await?;
        let meta = directory.meta.aecm.clone().ok_or(ClientError::NotOffered { resource: "meta.aecm" })?;
        Ok((directory, meta))
    }

    /// Posts a signed request for the encrypting keys of a mailbox; the URL of the transfer and what it says. The
    /// same octets may be posted again when the answer was lost.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn new_transfer(
        &self,
        request: &[u8],
        deadline: Time,
    ) -> Result<(String, Transfer), ClientError> {
        let (directory, meta) = self.offers(deadline).await?;
        let url = meta.new_transfer.ok_or(ClientError::NotOffered { resource: "newTransfer" })?;
        let payload = NewTransfer { request: jws::encode(request) };
        let answer = self.post(&directory, &url, By::Account, Some(&payload), deadline).await?;
        let transfer: Transfer = self.read(&answer)?;
        let location = answer.header("location").map(str::to_owned).or_else(|| transfer.url.clone());
        let location = location.ok_or(ClientError::Answer { status: answer.status })?;
        self.origin()?.check(&location)?;
        Ok((location, transfer))
    }

    /// Reads a transfer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn transfer(&self, url: &str, deadline: Time) -> Result<Transfer, ClientError> {
        let directory = self.directory(deadline).await?;
        let answer = self.post::<()>(&directory, url, By::Account, None, deadline).await?;
        self.read(&answer)
    }

    /// The transfers that await an answer of this account.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn transfers(&self, deadline: Time) -> Result<TransferList, ClientError> {
        let (directory, meta) = self.offers(deadline).await?;
        let url = meta.transfers.ok_or(ClientError::NotOffered { resource: "transfers" })?;
        let answer = self.post::<()>(&directory, &url, By::Account, None, deadline).await?;
        self.read(&answer)
    }

    /// Answers a transfer with a sealed package.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn answer_transfer(
        &self,
        url: &str,
        response: &[u8],
        deadline: Time,
    ) -> Result<(), ClientError> {
        let answer = TransferAnswer { response: Some(jws::encode(response)), ..TransferAnswer::default() };
        self.post_answer(url, &answer, deadline).await
    }

    /// Refuses a transfer.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn refuse_transfer(&self, url: &str, deadline: Time) -> Result<(), ClientError> {
        let answer = TransferAnswer { status: Some(TransferStatus::Refused), ..TransferAnswer::default() };
        self.post_answer(url, &answer, deadline).await
    }

    /// Tells the service that the keys of a transfer are here: it forgets the package.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn finish_transfer(&self, url: &str, deadline: Time) -> Result<(), ClientError> {
        let answer = TransferAnswer { status: Some(TransferStatus::Done), ..TransferAnswer::default() };
        self.post_answer(url, &answer, deadline).await
    }

    async fn post_answer(
        &self,
        url: &str,
        answer: &TransferAnswer,
        deadline: Time,
    ) -> Result<(), ClientError> {
        let directory = self.directory(deadline).await?;
        self.post(&directory, url, By::Account, Some(answer), deadline).await.map(|_| ())
    }

    /// Posts to the escrow: a package with its consent, or its withdrawal.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn escrow(&self, escrow: &Escrow, deadline: Time) -> Result<(), ClientError> {
        let (directory, meta) = self.offers(deadline).await?;
        let url = meta.escrow.ok_or(ClientError::NotOffered { resource: "escrow" })?.url;
        self.post(&directory, &url, By::Account, Some(escrow), deadline).await.map(|_| ())
    }

    /// What happened to the mailboxes of this account, the newest last.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn events(&self, deadline: Time) -> Result<EventList, ClientError> {
        let (directory, meta) = self.offers(deadline).await?;
        let url = meta.events.ok_or(ClientError::NotOffered { resource: "events" })?;
        let answer = self.post::<()>(&directory, &url, By::Account, None, deadline).await?;
        self.read(&answer)
    }

    /// The devices of this account's mailboxes, by what certificates they have.
    ///
    /// # Errors
    /// [`ClientError::NotOffered`] where the service names no such resource; [`ClientError::Answer`] where the answer
    /// is not within [`DeviceList`]'s bounds; [`ClientError`].
    pub async fn devices(&self, deadline: Time) -> Result<DeviceList, ClientError> {
        let (directory, meta) = self.offers(deadline).await?;
        let url = meta.devices.ok_or(ClientError::NotOffered { resource: "devices" })?;
        let answer = self.post::<()>(&directory, &url, By::Account, None, deadline).await?;
        let list: DeviceList = self.read(&answer)?;
        if list.is_bounded() { Ok(list) } else { Err(ClientError::Answer { status: answer.status }) }
    }
}
