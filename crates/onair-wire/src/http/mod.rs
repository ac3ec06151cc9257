//! HTTP/1.1 for tunnels and proxies (RFC 9112): headers of requests and responses, and the end of a
//! body. This module is sans-IO. Headers are limited in size; body data is passed on and not
//! stored.

mod body;
mod host;

pub use body::Body;
pub use host::{is_host_name, is_known_host, is_loopback_host, is_origin, is_same_origin};

/// Maximum length of a header in bytes, including the first line and the blank line.
pub const MAX_HEAD: usize = 16 << 10;
/// Maximum number of header fields.
const MAX_FIELDS: usize = 100;

/// The reason why bytes are not usable HTTP.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the head is longer than {MAX_HEAD} bytes or has more than {MAX_FIELDS} fields")]
    TooLong,
    #[error("the first line is none of HTTP/1")]
    FirstLine,
    #[error("a header field cannot be read")]
    Field,
    #[error("the length of the body is contradictory or unreadable")]
    Length,
    #[error("the chunked body cannot be read")]
    Chunk,
}

/// Header fields in order, with lowercase names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Returns the first value of a field; `name` is lowercase.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Returns all fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns all values of a field in order; `name` is lowercase.
    pub fn all(&self, name: &str) -> impl DoubleEndedIterator<Item = &str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Returns true if the word list of a field contains this word. Both are lowercase.
    fn lists(&self, name: &str, word: &str) -> bool {
        let words = self.all(name).flat_map(|value| value.split(','));
        words.map(str::trim).any(|known| known.eq_ignore_ascii_case(word))
    }
}

/// The header of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// The unchanged path with its query.
    pub target: String,
    /// True if another request may follow on the connection.
    pub keep_alive: bool,
    pub fields: Fields,
}

/// The header of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// The reason phrase, truncated and printable.
    pub reason: String,
    /// True if another request may follow on the connection.
    pub keep_alive: bool,
    pub fields: Fields,
}

/// Returns the length of the header at the start of `input`, including the blank line, or `None` if
/// the header is incomplete.
///
/// # Errors
/// Fails with [`Error::TooLong`].
pub fn head_length(input: &[u8]) -> Result<Option<usize>, Error> {
    let looked_at = input.get(..MAX_HEAD).unwrap_or(input);
    let mut line_start = 0;
    for (at, _) in looked_at.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        let line = looked_at.get(line_start..at).unwrap_or_default();
        if line_start > 0 && matches!(line, [] | [b'\r']) {
            return Ok(Some(at + 1));
        }
        line_start = at + 1;
    }
    if input.len() >= MAX_HEAD { Err(Error::TooLong) } else { Ok(None) }
}

impl Request {
    /// Parses a complete header.
    ///
    /// # Errors
    /// Fails if the header is invalid.
    pub fn parse(head: &[u8]) -> Result<Self, Error> {
        let (first, fields) = split(head)?;
        let mut words = first.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(Error::FirstLine);
        };
        let is_token = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_token || !target.starts_with('/') {
            return Err(Error::FirstLine);
        }
        // Two servers could take a different one each.
        if fields.all("host").nth(1).is_some() {
            return Err(Error::Field);
        }
        let keep_alive = keep_alive(version, &fields)?;
        Ok(Self { method: method.to_owned(), target: target.to_owned(), keep_alive, fields })
    }
}

impl Response {
    /// Parses a complete header.
    ///
    /// # Errors
    /// Fails if the header is invalid.
    pub fn parse(head: &[u8]) -> Result<Self, Error> {
        let (first, fields) = split(head)?;
        let mut words = first.splitn(3, ' ');
        let (version, status) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let keep_alive = keep_alive(version, &fields)?;
        let digits = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
        let status = status.parse().ok().filter(|status| digits && *status >= 100);
        let reason = words.next().unwrap_or("").chars().filter(|c| !c.is_control()).take(80);
        let reason = reason.collect();
        Ok(Self { status: status.ok_or(Error::FirstLine)?, reason, keep_alive, fields })
    }
}

/// Splits off the first line, and parses the fields.
fn split(head: &[u8]) -> Result<(String, Fields), Error> {
    if head.len() > MAX_HEAD {
        return Err(Error::TooLong);
    }
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let first = lines.next().unwrap_or("").to_owned();
    let mut fields = Vec::new();
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or(Error::Field)?;
        // Folded lines and spaces before the colon enable attacks on proxies.
        if name.is_empty() || name.bytes().any(|byte| byte <= b' ' || byte >= 0x7f) {
            return Err(Error::Field);
        }
        if fields.len() == MAX_FIELDS {
            return Err(Error::TooLong);
        }
        fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok((first, Fields(fields)))
}

fn keep_alive(version: &str, fields: &Fields) -> Result<bool, Error> {
    match version {
        "HTTP/1.1" => Ok(!fields.lists("connection", "close")),
        "HTTP/1.0" => Ok(fields.lists("connection", "keep-alive")),
        _ => Err(Error::FirstLine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_and_read() {
        let text = b"POST /open/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n\0rest";
        assert_eq!(head_length(text), Ok(Some(text.len() - 5)));
        assert_eq!(head_length(&text[..40]), Ok(None));
        let request = Request::parse(&text[..text.len() - 5]).unwrap();
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/open/1"));
        assert!(request.keep_alive);
        assert_eq!(request.fields.get("content-length"), Some("1"));
        let old = Request::parse(b"POST / HTTP/1.0\n\n").unwrap();
        assert!(!old.keep_alive);
        let response =
            Response::parse(b"HTTP/1.1 407 Who are\x07 you\r\nconnection: x, Close\r\n\r\n");
        let response = response.unwrap();
        assert_eq!((response.status, response.reason.as_str()), (407, "Who are you"));
        assert!(!response.keep_alive);
        assert_eq!(Response::parse(b"HTTP/1.1 200\r\n\r\n").unwrap().reason, "");
    }

    #[test]
    fn nonsense_is_turned_down() {
        for bad in [
            "",
            "GET\r\n\r\n",
            "GET /\r\n\r\n",
            "GET / HTTP/2\r\n\r\n",
            "GET  / HTTP/1.1\r\n\r\n",
            "get / HTTP/1.1\r\n\r\n",
            "GET http://h/ HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\nname : x\r\n\r\n",
            "GET / HTTP/1.1\r\n: x\r\n\r\n",
            "GET / HTTP/1.1\r\n folded: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
        ] {
            assert!(Request::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
        for bad in
            ["HTTP/1.1", "HTTP/1.1 20\r\n\r\n", "HTTP/1.1 +20 x\r\n\r\n", "ICY 200 OK\r\n\r\n"]
        {
            assert!(Response::parse(bad.as_bytes()).is_err(), "{bad:?}");
        }
        assert_eq!(head_length(&vec![b'a'; MAX_HEAD]), Err(Error::TooLong));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(MAX_FIELDS + 1));
        assert_eq!(Request::parse(many.as_bytes()), Err(Error::TooLong));
        // Blank lines alone are not a header.
        assert_eq!(head_length(b"\r\n"), Ok(None));
    }
}
