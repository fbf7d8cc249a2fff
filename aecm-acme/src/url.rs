//! URLs of a server: one origin, the directory's (RFC 6454, THREATS N2).

use core::fmt;

use crate::brief::Brief;

/// The longest URL that is accepted, in octets.
const MAX_URL: usize = 2048;
/// How much of one is shown.
const SHOWN: usize = 120;

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

/// Why a URL is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// Not an absolute http or https URL in plain ASCII without user, fragment or white space.
    Malformed {
        /// The URL, cut to its limit.
        url: String,
    },
    /// http, which is for loopback alone and only where it was allowed.
    NotSecure {
        /// The URL.
        url: String,
    },
    /// Another origin than the directory's.
    ForeignOrigin {
        /// The URL.
        url: String,
        /// The directory's origin.
        expected: String,
    },
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { url } => write!(
                f,
                "not a usable URL, given or named by the server: \"{}\"",
                Brief(url.escape_debug(), SHOWN)
            ),
            Self::NotSecure { url } => write!(f, "{} is not https; give an https URL", Brief(url, SHOWN)),
            Self::ForeignOrigin { url, expected } => write!(
                f,
                "the server names {}, which is not of its own origin {}",
                Brief(url, SHOWN),
                Brief(expected, SHOWN)
            ),
        }
    }
}

impl core::error::Error for UrlError {}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", if self.secure { "https" } else { "http" }, self.host, self.port)
    }
}

impl Origin {
    /// The origin of a directory. http is taken only for a loopback host and where `allow_loopback_http` says so.
    ///
    /// # Errors
    /// [`UrlError::Malformed`], [`UrlError::NotSecure`].
    pub fn of_directory(url: &str, allow_loopback_http: bool) -> Result<Self, UrlError> {
        let origin = Self::parse(url)?;
        if origin.secure || (allow_loopback_http && origin.is_loopback()) {
            Ok(origin)
        } else {
            Err(UrlError::NotSecure { url: url.to_owned() })
        }
    }

    /// Checks that `url` is one of this origin's.
    ///
    /// # Errors
    /// [`UrlError::Malformed`], [`UrlError::ForeignOrigin`].
    pub fn check(&self, url: &str) -> Result<(), UrlError> {
        if Self::parse(url)? == *self {
            Ok(())
        } else {
            Err(UrlError::ForeignOrigin { url: url.to_owned(), expected: self.to_string() })
        }
    }

    fn parse(url: &str) -> Result<Self, UrlError> {
        let parts = || -> Option<Self> {
            let plain =
                |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'#' | b'\\' | b'"' | b'<' | b'>');
            if url.len() > MAX_URL || !url.bytes().all(plain) {
                return None;
            }
            let (scheme, rest) = url.split_once("://")?;
            let secure = match scheme.to_ascii_lowercase().as_str() {
                "https" => true,
                "http" => false,
                _ => return None,
            };
            let authority = rest.split(['/', '?']).next()?;
            let (host, port) = match authority.strip_prefix('[') {
                Some(literal) => {
                    let (address, port) = literal.split_once(']')?;
                    let address: core::net::Ipv6Addr = address.parse().ok()?;
                    (format!("[{address}]"), port.strip_prefix(':').or(port.is_empty().then_some("")))
                }
                None => match authority.split_once(':') {
                    Some((host, port)) => (host.to_ascii_lowercase(), Some(port)),
                    None => (authority.to_ascii_lowercase(), Some("")),
                },
            };
            let port = match port? {
                "" => {
                    if secure {
                        443
                    } else {
                        80
                    }
                }
                digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
                _ => return None,
            };
            let name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            let is_host = host.starts_with('[') || (!host.is_empty() && host.bytes().all(name));
            is_host.then_some(Self { secure, host, port })
        };
        parts().ok_or_else(|| UrlError::Malformed { url: url.chars().take(256).collect() })
    }

    fn is_loopback(&self) -> bool {
        let address = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost"
            || address.parse::<core::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // N2: only the directory's origin.
    #[test]
    fn foreign_origins_are_refused() {
        let origin = Origin::of_directory("https://CA.example/acme/directory", false).unwrap();
        for url in
            ["https://ca.example/x", "https://ca.example:443/x", "HTTPS://ca.EXAMPLE?y", "https://ca.example"]
        {
            assert_eq!(origin.check(url), Ok(()), "{url}");
        }
        for url in [
            "https://ca.example.evil.test/x",
            "https://ca.example:444/x",
            "http://ca.example/x",
            "https://127.0.0.1/x",
            "https://[::1]/x",
            "https://ca.example./x",
        ] {
            assert!(matches!(origin.check(url), Err(UrlError::ForeignOrigin { .. })), "{url}");
        }
        for url in [
            "",
            "/relative",
            "ftp://ca.example/x",
            "https://user@ca.example/x",
            "https://ca.example@evil.test/x",
            "https://ca.example/x#fragment",
            "https://ca.example/x y",
            "https://ca.example/x\r\nHost: evil",
            "https://ca.example\\@evil.test/",
            "https://ca.example:99999/x",
            "https://ca.example:+443/x",
            "https://[::1/x",
            "https://[::1]x/",
            "https://ca.ex\u{430}mple/x",
            "https:///x",
            &format!("https://ca.example/{}", "a".repeat(MAX_URL)),
        ] {
            assert!(matches!(origin.check(url), Err(UrlError::Malformed { .. })), "{url}");
        }
    }

    #[test]
    fn http_is_for_loopback_and_only_where_allowed() {
        for url in ["http://127.0.0.1:8080/d", "http://localhost/d", "http://[::1]:80/d"] {
            assert!(Origin::of_directory(url, true).is_ok(), "{url}");
            assert!(matches!(Origin::of_directory(url, false), Err(UrlError::NotSecure { .. })), "{url}");
        }
        for url in ["http://ca.example/d", "http://10.0.0.1/d", "http://localhost.evil.test/d"] {
            assert!(matches!(Origin::of_directory(url, true), Err(UrlError::NotSecure { .. })), "{url}");
        }
    }
}
