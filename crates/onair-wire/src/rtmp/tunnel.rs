//! RTMPT: RTMP in HTTP requests, for networks that allow nothing else. This module is sans-IO.
//!
//! Adobe never specified RTMPT, so this module follows FFmpeg, librtmp and Adobe's servers. All
//! requests are POSTs. The reply to `/open/1` is the session name and a line break. `/send/NAME/N`
//! sends bytes to the server, and `/idle/NAME/N` (with a zero byte) polls. The reply to both begins
//! with one byte, the polling interval in units of 16 ms, before the bytes for the client.
//! `/close/NAME/N` ends the session. N counts the requests after `/open`. With TLS, the protocol is
//! called RTMPTS.

use std::time::Duration;

/// Content type of the bodies.
pub const CONTENT_TYPE: &str = "application/x-fcs";
/// Maximum length of a session name in bytes. FFmpeg reserves 64 bytes for a name.
pub const MAX_SESSION_NAME_BYTES: usize = 63;
/// Unit of the first byte of a reply.
const POLL_DELAY_UNIT: Duration = Duration::from_millis(16);
/// Maximum polling interval, whatever the server requests.
const MAX_POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Minimum polling interval.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Kind of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Opens a session.
    Open,
    /// Sends bytes to the server.
    Send(Address),
    /// Polls for bytes for the client.
    Idle(Address),
    /// Closes the session.
    Close(Address),
}

/// Session name and request number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub name: String,
    pub number: u64,
}

/// The reason why a session cannot continue.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the server gave the session no usable name")]
    Name,
    #[error("a request was lost, repeated or overtaken")]
    Order,
}

impl Request {
    /// Parses the path of a request. Returns `None` if the path does not belong to the tunnel.
    pub fn parse(path: &str) -> Option<Self> {
        let mut parts = path.split('/').skip(1);
        let (command, second, third, end) =
            (parts.next()?, parts.next()?, parts.next(), parts.next());
        if end.is_some() {
            return None;
        }
        if (command, third) == ("open", None) {
            return Some(Self::Open);
        }
        let number = third?;
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|_| digits)?;
        let name = second.to_owned();
        is_name(&name).then_some(())?;
        let address = Address { name, number };
        match command {
            "send" => Some(Self::Send(address)),
            "idle" => Some(Self::Idle(address)),
            "close" => Some(Self::Close(address)),
            _ => None,
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=MAX_SESSION_NAME_BYTES).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
}

/// Server-side check of a session's request numbers. Each number must follow the previous one,
/// because otherwise bytes would be lost or duplicated. The first number may be any, because some
/// clients count from 0 and some from 1.
#[derive(Clone, Debug, Default)]
pub struct TunnelCommand(Option<u64>);

impl TunnelCommand {
    /// Checks the next number.
    ///
    /// # Errors
    /// Fails with [`Error::Order`].
    pub fn take(&mut self, number: u64) -> Result<(), Error> {
        let expected = self.0.map(|last| last.wrapping_add(1));
        self.0 = Some(number);
        if expected.is_none_or(|expected| expected == number) { Ok(()) } else { Err(Error::Order) }
    }
}

/// Returns the polling interval from the first byte of a reply.
pub fn interval(byte: u8) -> Duration {
    (POLL_DELAY_UNIT * u32::from(byte)).clamp(MIN_POLL_INTERVAL, MAX_POLL_INTERVAL)
}

/// Client side of a tunnel: makes the next request.
#[derive(Clone, Debug)]
pub struct Client {
    /// `host:port` in HTTP form.
    host: String,
    /// Session name; empty before the session is open.
    name: String,
    number: u64,
}

impl Client {
    /// Creates a tunnel to this host, `name:port`, with IPv6 in brackets.
    pub fn new(host: impl Into<String>) -> Self {
        Self { host: host.into(), name: String::new(), number: 0 }
    }

    /// Makes the first request.
    pub fn open(&self) -> Vec<u8> {
        self.request("/open/1", &[0])
    }

    /// Handles the reply to the first request.
    ///
    /// # Errors
    /// Fails with [`Error::Name`].
    pub fn opened(&mut self, answer: &[u8]) -> Result<(), Error> {
        let name = answer.trim_ascii();
        let name = std::str::from_utf8(name).ok().filter(|name| is_name(name));
        self.name = name.ok_or(Error::Name)?.to_owned();
        Ok(())
    }

    /// Makes the next request, which contains bytes for the server, or is a poll.
    pub fn exchange(&mut self, data: &[u8]) -> Vec<u8> {
        if data.is_empty() { self.next("idle", &[0]) } else { self.next("send", data) }
    }

    /// Makes the last request.
    pub fn close(&mut self) -> Vec<u8> {
        self.next("close", &[0])
    }

    fn next(&mut self, command: &str, body: &[u8]) -> Vec<u8> {
        let path = format!("/{command}/{}/{}", self.name, self.number);
        self.number += 1;
        self.request(&path, body)
    }

    fn request(&self, path: &str, body: &[u8]) -> Vec<u8> {
        let (host, length) = (&self.host, body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Shockwave Flash\r\n\
             Accept: */*\r\nConnection: Keep-Alive\r\nCache-Control: no-cache\r\n\
             Content-Type: {CONTENT_TYPE}\r\nContent-Length: {length}\r\n\r\n"
        );
        [head.as_bytes(), body].concat()
    }
}

/// Makes a server's reply with this body. The header names have the capitalization that librtmp
/// expects.
pub fn answer(body: &[u8], keep_alive: bool) -> Vec<u8> {
    let (length, connection) = (body.len(), if keep_alive { "Keep-Alive" } else { "close" });
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {CONTENT_TYPE}\r\nContent-Length: {length}\r\n\
         Connection: {connection}\r\nCache-Control: no-cache\r\n\
         X-Content-Type-Options: nosniff\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Makes a server's reply to a rejected request.
pub fn refusal(status: u16, reason: &str, keep_alive: bool) -> Vec<u8> {
    let connection = if keep_alive { "Keep-Alive" } else { "close" };
    let length = reason.len() + 1;
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\
         Connection: {connection}\r\nX-Content-Type-Options: nosniff\r\n\r\n{reason}\n"
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::http;

    #[test]
    fn paths_are_read() {
        let address = |number| Address { name: "aB-9".into(), number };
        assert_eq!(Request::parse("/open/1"), Some(Request::Open));
        assert_eq!(Request::parse("/send/aB-9/0"), Some(Request::Send(address(0))));
        assert_eq!(Request::parse("/idle/aB-9/17"), Some(Request::Idle(address(17))));
        assert_eq!(Request::parse("/close/aB-9/18"), Some(Request::Close(address(18))));
        let long = format!("/send/{}/1", "a".repeat(64));
        for bad in [
            "",
            "/",
            "/open",
            "/open/1/2",
            "/send/a",
            "/send//1",
            "/send/a/",
            "/send/a/-1",
            "/send/a/+1",
            "/send/a/99999999999999999999",
            "/send/a/1/2",
            "/send/a b/1",
            "/fcs/ident2",
            "/poke/a/1",
            &long,
        ] {
            assert_eq!(Request::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn requests_follow_each_other() {
        let mut order = TunnelCommand::default();
        assert_eq!([7, 8, 9].map(|number| order.take(number)), [Ok(()); 3]);
        assert_eq!(order.take(9), Err(Error::Order));
        assert_eq!(TunnelCommand::default().take(u64::MAX), Ok(()));
    }

    #[test]
    fn both_ends_understand_each_other() {
        let mut client = Client::new("h:80");
        let parse = |text: &[u8]| {
            let length = http::head_length(text).unwrap().unwrap();
            let request = http::Request::parse(&text[..length]).unwrap();
            assert_eq!((request.method.as_str(), request.keep_alive), ("POST", true));
            let stated = request.fields.get("content-length").unwrap().parse();
            assert_eq!(stated, Ok(text.len() - length));
            Request::parse(&request.target).unwrap()
        };
        assert_eq!(parse(&client.open()), Request::Open);
        assert_eq!(client.opened(b"abc\n"), Ok(()));
        let address = |number| Address { name: "abc".into(), number };
        assert_eq!(parse(&client.exchange(b"data")), Request::Send(address(0)));
        assert_eq!(parse(&client.exchange(b"")), Request::Idle(address(1)));
        assert_eq!(parse(&client.close()), Request::Close(address(2)));
        for bad in [b"".as_slice(), b" \n", b"a/b", b"\xff", &[b'a'; 64]] {
            assert_eq!(client.opened(bad), Err(Error::Name));
        }
        for text in [answer(b"\x01data", true), refusal(404, "Nothing here", false)] {
            let length = http::head_length(&text).unwrap().unwrap();
            let response = http::Response::parse(&text[..length]).unwrap();
            assert_eq!(response.keep_alive, response.status == 200);
            let stated = response.fields.get("content-length").unwrap().parse();
            assert_eq!(stated, Ok(text.len() - length));
        }
    }

    #[test]
    fn nobody_waits_long_or_asks_without_pause() {
        let millis = [0, 1, 10, 255].map(|byte| interval(byte).as_millis());
        assert_eq!(millis, [10, 16, 160, 500]);
    }
}
