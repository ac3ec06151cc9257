//! The server to which HTTP viewers move.

use std::fmt;
use std::str::FromStr;

use url::Url;

use crate::text::problem::{Problem, problem};

/// The origin of another server's HTTP interface, such as `https://other.example:8088`. A stream has
/// the same path there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSuccessor(String);

impl FromStr for HttpSuccessor {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let url = Url::parse(text.trim()).ok();
        let url = url.filter(|url| {
            // Every viewer sees the address, so it must not contain a password.
            let has_login = !url.username().is_empty() || url.password().is_some();
            let is_origin = url.path() == "/" && url.query().or(url.fragment()).is_none();
            matches!(url.scheme(), "http" | "https") && is_origin && !has_login
        });
        let url = url.ok_or_else(|| problem!("serve-successor-http"))?;
        Ok(Self(url.origin().ascii_serialization()))
    }
}

impl fmt::Display for HttpSuccessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_successor_is_an_origin() {
        for (text, origin) in [
            ("http://192.0.2.1:8088", "http://192.0.2.1:8088"),
            ("HTTPS://Other.example/", "https://other.example"),
            ("http://[2001:db8::1]:80", "http://[2001:db8::1]"),
        ] {
            assert_eq!(text.parse::<HttpSuccessor>().unwrap().to_string(), origin);
        }
        for text in [
            "",
            "other.example",
            "rtmp://other.example",
            "http://other.example/live",
            "http://other.example?x",
            "http://other.example#x",
            "http://u:p@other.example",
            "javascript:alert(1)",
        ] {
            assert!(text.parse::<HttpSuccessor>().is_err(), "{text}");
        }
    }
}
