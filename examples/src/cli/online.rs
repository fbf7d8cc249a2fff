//! What the commands that keep a vault and talk to a service share.

pub(super) mod conflicts;
pub(super) mod desk;
pub(super) mod discover;
pub(super) mod dns;
pub(super) mod keyfolder;
pub(super) mod mailboxes;
pub(super) mod people;
pub(super) mod progress;
pub(super) mod settings;
pub(super) mod slots;
pub(super) mod stop;
pub(super) mod time;
pub(super) mod vault;
pub(super) mod waits;
pub(super) mod words;
pub(super) mod world;
