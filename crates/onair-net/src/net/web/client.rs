//! A web client: sends a request, follows redirects, and returns a response whose body arrives in
//! pieces. One connection is kept for the next request to the same server.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::timeout;

use super::{StallTimeout, UrlError, WebUrl};
use crate::base::Secret;
use crate::net::connect;
use crate::net::connect::{Endpoint, Options};
use crate::net::error::{Cause, ConnectStage, Error, Step, WebProblem};
use crate::net::web::http::{Fault, Http};
use crate::wire::http::{Body, Fields, Response};

/// Time limit for the start of a response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of redirects.
const MAX_REDIRECTS: usize = 5;
/// Maximum number of interim responses (1xx).
const MAX_INTERIM_RESPONSES: usize = 8;

/// The byte range `from..until`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    pub from: u64,
    pub until: u64,
}

/// A web client.
#[derive(Debug)]
pub struct Client {
    options: Options,
    kept: Option<(Endpoint, Http)>,
}

/// A response. The body follows in pieces.
#[derive(Debug)]
pub struct WebResponse {
    http: Http,
    body: Body,
    endpoint: Endpoint,
    url: WebUrl,
    fields: Fields,
    status: u16,
    keep_alive: bool,
}

/// A request with a method of its own.
#[derive(Clone, Debug, Default)]
pub struct Message<'a> {
    /// The method, such as `PATCH`.
    pub method: &'static str,
    /// The type of the body, if there is one.
    pub content_type: Option<&'static str>,
    pub body: &'a [u8],
    /// The token for the server (RFC 6750).
    pub bearer: Option<&'a Secret>,
    /// A header field whose value is secret, such as the key of an interface.
    pub secret_field: Option<(&'static str, &'a Secret)>,
    /// The entity tag that the resource must have.
    pub if_match: Option<&'a str>,
}

/// The purpose of a request.
#[derive(Copy, Clone, Debug)]
enum RequestPurpose<'a> {
    /// Anything else.
    Message(&'a Message<'a>),
    /// The file, or a part of it.
    File(Option<Span>),
    /// The response to a posted body.
    AnswerTo { content_type: &'a str, body: &'a [u8] },
}

/// Formats the header of a request.
fn request(url: &WebUrl, wanting: RequestPurpose<'_>) -> String {
    let method = match wanting {
        RequestPurpose::File(_) => "GET",
        RequestPurpose::AnswerTo { .. } => "POST",
        RequestPurpose::Message(message) => message.method,
    };
    let mut head = format!(
        "{method} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: onair/{}\r\nAccept: */*\r\n\
         Accept-Encoding: identity\r\n",
        url.target(),
        url.authority(),
        env!("CARGO_PKG_VERSION"),
    );
    match wanting {
        RequestPurpose::File(None) => {}
        RequestPurpose::File(Some(span)) => {
            let last = span.until.saturating_sub(1);
            head.push_str(&format!("Range: bytes={}-{last}\r\n", span.from));
        }
        RequestPurpose::AnswerTo { content_type, body } => {
            let length = body.len();
            head.push_str(&format!("Content-Type: {content_type}\r\nContent-Length: {length}\r\n"));
        }
        RequestPurpose::Message(message) => {
            if let Some(content_type) = message.content_type {
                let length = message.body.len();
                head.push_str(&format!(
                    "Content-Type: {content_type}\r\nContent-Length: {length}\r\n"
                ));
            }
            if let Some(tag) = message.if_match {
                head.push_str(&format!("If-Match: {tag}\r\n"));
            }
            if let Some((name, value)) = message.secret_field {
                head.push_str(&format!("{name}: {}\r\n", value.expose()));
            }
            if let Some(token) = message.bearer {
                head.push_str(&format!("Authorization: Bearer {}\r\n\r\n", token.expose()));
                return head;
            }
        }
    }
    if let Some(authorization) = url.authorization() {
        head.push_str(&format!("Authorization: {authorization}\r\n"));
    }
    head.push_str("\r\n");
    head
}

impl Client {
    /// Creates a client with these options.
    pub fn new(options: Options) -> Self {
        Self { options, kept: None }
    }

    /// Returns another client with the same options, on a separate connection.
    pub fn beside(&self) -> Self {
        Self::new(self.options.clone())
    }

    /// Requests a URL, or a part of the file there, and follows redirects.
    ///
    /// # Errors
    /// Fails with the stage and the cause. A status other than 200, or 206 for a part, is an error
    /// too.
    pub async fn get(
        &mut self,
        url: &WebUrl,
        span: Option<Span>,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<WebResponse, Error> {
        let has_credentials = url.has_credentials();
        let (mut url, mut cookie) = (url.clone(), false);
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.ask(&url, RequestPurpose::File(span), on_step).await?;
            let fail = |cause| answer.error(ConnectStage::Request, cause);
            match answer.status {
                200 => {}
                206 if span.is_some() => {}
                301 | 302 | 303 | 307 | 308 => {
                    cookie |= answer.fields.get("set-cookie").is_some();
                    let to = answer.fields.get("location").unwrap_or_default();
                    url = redirected(&url, to).map_err(fail)?;
                    let with_password = url.has_credentials() || !has_credentials;
                    on_step(Step::Elsewhere { to: &url.to_string(), with_password });
                    continue;
                }
                status => {
                    let reason = answer.reason().to_owned();
                    return Err(fail(Cause::Answer { status, reason, cookie }));
                }
            }
            let packed = answer.fields.get("content-encoding").unwrap_or("identity");
            if !packed.eq_ignore_ascii_case("identity") {
                let packed = WebProblem::Packed(packed.chars().take(20).collect());
                return Err(fail(Cause::Web(packed)));
            }
            return Ok(answer);
        }
        let cause = Cause::Web(WebProblem::RoundAndRound);
        Err(Error { stage: ConnectStage::Request, cause, peer: url.endpoint().to_string() })
    }

    /// Posts a body to a URL. Every status counts as a valid response, and redirects are not
    /// followed. If the server has closed a kept connection in the meantime, the request is sent
    /// again on a new connection.
    ///
    /// # Errors
    /// Fails with the stage and the cause.
    pub async fn post(
        &mut self,
        url: &WebUrl,
        content_type: &str,
        body: &[u8],
    ) -> Result<WebResponse, Error> {
        self.ask(url, RequestPurpose::AnswerTo { content_type, body }, &|_| {}).await
    }

    /// Sends a message to a URL. Every status counts as a valid response, and redirects are not
    /// followed.
    ///
    /// # Errors
    /// Fails with the stage and the cause.
    pub async fn send(
        &mut self,
        url: &WebUrl,
        message: &Message<'_>,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<WebResponse, Error> {
        self.ask(url, RequestPurpose::Message(message), on_step).await
    }

    /// Sends one request.
    async fn ask(
        &mut self,
        url: &WebUrl,
        wanting: RequestPurpose<'_>,
        on_step: &(dyn Fn(Step<'_>) + Send + Sync),
    ) -> Result<WebResponse, Error> {
        let endpoint = url.endpoint();
        let fail =
            |cause| Error { stage: ConnectStage::Request, cause, peer: endpoint.to_string() };
        let late = Cause::TimedOut { after: RESPONSE_TIMEOUT };
        if let Some((_, http)) = self.kept.take().filter(|(its, _)| *its == endpoint) {
            // The server may have closed the connection in the meantime: use a new one.
            match timeout(RESPONSE_TIMEOUT, talk(http, &endpoint, url, wanting)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Fault::Http(error))) => return Err(fail(Fault::Http(error).cause())),
                Ok(Err(_)) => {}
                Err(_) => return Err(fail(late)),
            }
        }
        let stream = connect(&endpoint, &self.options, on_step).await?;
        on_step(Step::Stage(ConnectStage::Request));
        match timeout(RESPONSE_TIMEOUT, talk(Http::new(stream), &endpoint, url, wanting)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(fault)) => Err(fail(fault.cause())),
            Err(_) => Err(fail(late)),
        }
    }

    /// Reads the rest of a response, at most `most` bytes and within `patience`, and keeps the
    /// connection if possible.
    ///
    /// # Errors
    /// Fails if the connection fails, or the response is too long or too slow.
    pub async fn read(
        &mut self,
        answer: WebResponse,
        most: usize,
        patience: &mut StallTimeout,
    ) -> Result<Bytes, Error> {
        let mut whole = BytesMut::new();
        self.read_into(&mut whole, answer, most, patience).await?;
        Ok(whole.freeze())
    }

    /// Reads the rest of a response, and appends it to `whole`. If reading fails, `whole` keeps the
    /// received part.
    ///
    /// # Errors
    /// Fails with the same errors as [`read`](Self::read).
    pub async fn read_into(
        &mut self,
        whole: &mut BytesMut,
        mut answer: WebResponse,
        most: usize,
        patience: &mut StallTimeout,
    ) -> Result<(), Error> {
        let mut room = most;
        let too_much = || Cause::Web(WebProblem::TooMuch { kib: most.div_ceil(1 << 10) });
        if answer.length().is_some_and(|claimed| claimed > most as u64) {
            return Err(answer.error(ConnectStage::Media, too_much()));
        }
        loop {
            let piece = patience.wait(answer.piece()).await;
            let piece = piece.map_err(|cause| answer.error(ConnectStage::Media, cause))??;
            let Some(piece) = piece else { break };
            patience.came(piece.len());
            room = room
                .checked_sub(piece.len())
                .ok_or_else(|| answer.error(ConnectStage::Media, too_much()))?;
            whole.extend_from_slice(&piece);
        }
        if answer.keep_alive && answer.body.is_done() {
            self.kept = Some((answer.endpoint, answer.http));
        }
        Ok(())
    }
}

/// Sends a request on a connection, and reads the header of the response.
async fn talk(
    mut http: Http,
    endpoint: &Endpoint,
    url: &WebUrl,
    wanting: RequestPurpose<'_>,
) -> Result<WebResponse, Fault> {
    let mut bytes = request(url, wanting).into_bytes();
    match wanting {
        RequestPurpose::AnswerTo { body, .. } => bytes.extend_from_slice(body),
        RequestPurpose::Message(message) => bytes.extend_from_slice(message.body),
        RequestPurpose::File(_) => {}
    }
    http.send(&bytes).await?;
    for _ in 0..MAX_INTERIM_RESPONSES {
        let head = http.head().await?.ok_or(Fault::Closed)?;
        let response = Response::parse(&head)?;
        if (100..=199).contains(&response.status) {
            continue;
        }
        let body = Body::of_response(response.status, &response.fields)?;
        let Response { status, keep_alive, fields, .. } = response;
        let (endpoint, url) = (endpoint.clone(), url.clone());
        return Ok(WebResponse { http, body, endpoint, url, fields, status, keep_alive });
    }
    Err(Fault::Closed)
}

/// Parses `bytes 0-99/1000` (RFC 9110, 14.4). The total can be unknown.
fn content_range(text: &str) -> Option<(Span, Option<u64>)> {
    let (unit, rest) = text.trim().split_once(' ')?;
    let (range, whole) = rest.split_once('/')?;
    let (from, last) = range.trim().split_once('-')?;
    let number = |text: &str| text.parse::<u64>().ok();
    let span = Span { from: number(from)?, until: number(last)?.checked_add(1)? };
    let whole = match whole.trim() {
        "*" => None,
        whole => Some(number(whole)?),
    };
    let fits = span.from < span.until && whole.is_none_or(|whole| span.until <= whole);
    (fits && unit.eq_ignore_ascii_case("bytes")).then_some((span, whole))
}

/// Returns the destination of a redirect.
fn redirected(from: &WebUrl, to: &str) -> Result<WebUrl, Cause> {
    let nowhere = |error: UrlError| Cause::Web(WebProblem::Nowhere(error));
    let url = from.join(to).map_err(nowhere)?;
    if from.is_secure() && !url.is_secure() {
        return Err(Cause::Web(WebProblem::Unsafe));
    }
    if from.is_websocket() != url.is_websocket() {
        return Err(Cause::Web(WebProblem::OtherProtocol));
    }
    Ok(url)
}

impl WebResponse {
    /// Returns the next piece of the body, or `None` at its end. This function is cancel-safe, and
    /// waits without a limit.
    ///
    /// # Errors
    /// Fails if the connection is interrupted.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Error> {
        match self.http.piece(&mut self.body).await {
            Ok(piece) => Ok(piece),
            Err(fault) => Err(self.error(ConnectStage::Media, fault.cause())),
        }
    }

    /// Returns the URL after all redirects.
    pub fn url(&self) -> &WebUrl {
        &self.url
    }

    /// Returns the status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the destination of a redirect, as the server wrote it.
    pub fn location(&self) -> Option<&str> {
        self.fields.get("location")
    }

    /// Returns the value of a header field; `name` is lowercase.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name)
    }

    /// Returns all values of a header field; `name` is lowercase.
    pub fn fields(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields.all(name)
    }

    /// Returns all header fields with their names in lowercase.
    pub(in crate::net) fn all_fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter()
    }

    /// Returns the content type, without parameters.
    pub fn content_type(&self) -> Option<&str> {
        let name = self.fields.get("content-type")?.split(';').next()?.trim();
        (!name.is_empty()).then_some(name)
    }

    /// Returns the validator of the returned version of the file (RFC 9110, 8.8): an entity tag, or
    /// the modification time.
    pub fn mark(&self) -> Option<&str> {
        self.fields.get("etag").or_else(|| self.fields.get("last-modified"))
    }

    /// Returns the announced length in bytes.
    pub fn length(&self) -> Option<u64> {
        match &self.body {
            Body::Length(left) => Some(*left),
            Body::Chunked(_) | Body::UntilClose => None,
        }
    }

    /// Returns true if the response is the requested part, not the whole file.
    pub fn is_partial(&self) -> bool {
        self.status == 206
    }

    /// Returns the range of a part, and the total length if announced.
    pub fn part(&self) -> Option<(Span, Option<u64>)> {
        self.is_partial().then(|| content_range(self.fields.get("content-range")?))?
    }

    /// Returns true if both validators are known, and the returned version differs from the one
    /// with this validator.
    pub fn is_other(&self, mark: Option<&str>) -> bool {
        mark.zip(self.mark()).is_some_and(|(mark, its)| mark != its)
    }

    fn reason(&self) -> &'static str {
        match self.status {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            410 => "Gone",
            416 => "Range Not Satisfiable",
            429 => "Too Many Requests",
            500 => "Internal Server Error",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            504 => "Gateway Timeout",
            _ => "",
        }
    }

    fn error(&self, stage: ConnectStage, cause: Cause) -> Error {
        Error { stage, cause, peer: self.endpoint.to_string() }
    }
}

/// Returns the destination of a redirect in a WebSocket handshake.
pub(super) fn follow(from: &WebUrl, to: &str) -> Result<WebUrl, Cause> {
    // Servers redirect to the page's address, not to that of the WebSocket.
    let to = match to.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}"),
        Some(("https", rest)) => format!("wss://{rest}"),
        _ => to.to_owned(),
    };
    redirected(from, &to)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_refusal_after_a_redirect_with_a_cookie_names_the_cookie() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(socket.read_u8().await.unwrap());
                }
                let answer = if head.starts_with(b"GET /cookie ") {
                    "302 x\r\nLocation: /film\r\nSet-Cookie: a=b\r\n"
                } else if head.starts_with(b"GET /plain ") {
                    "302 x\r\nLocation: /film\r\n"
                } else {
                    "403 x\r\n"
                };
                let answer = format!("HTTP/1.1 {answer}Content-Length: 0\r\n\r\n");
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        for (path, expected) in [("cookie", true), ("plain", false), ("film", false)] {
            let url = WebUrl::parse(&format!("http://{address}/{path}")).unwrap();
            let answer = Client::new(Options::default()).get(&url, None, &|_| {}).await;
            let Cause::Answer { status: 403, cookie, .. } = answer.unwrap_err().cause else {
                panic!("{path}");
            };
            assert_eq!(cookie, expected, "{path}");
        }
    }

    #[test]
    fn parts_are_what_they_say_or_none() {
        let part = |from, until, whole| Some((Span { from, until }, whole));
        for (text, found) in [
            ("bytes 0-99/1000", part(0, 100, Some(1_000))),
            (" Bytes 900-999/1000 ", part(900, 1_000, Some(1_000))),
            ("bytes 5-5/*", part(5, 6, None)),
            ("bytes 5-4/1000", None),
            ("bytes 0-1000/1000", None),
            ("bytes */1000", None),
            ("bytes 0-18446744073709551615/*", None),
            ("bytes 0-99/9223372036854775808", part(0, 100, Some(1 << 63))),
            ("bytes 0-99/18446744073709551616", None),
            ("lines 0-99/1000", None),
            ("bytes -1-99/1000", None),
            ("", None),
        ] {
            assert_eq!(content_range(text), found, "{text}");
        }
    }
}
