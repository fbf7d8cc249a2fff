//! What the commands that keep a vault and talk to a service share.

pub(super) mod stop;
