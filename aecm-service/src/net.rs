//! The wire: HTTP/1.1 over TLS on the loopback interface, and nothing else.

mod server;
mod tls;

pub(crate) use server::{Answer, Ask, Handler, Server, takes_packages};
pub(crate) use tls::TlsKeys;
