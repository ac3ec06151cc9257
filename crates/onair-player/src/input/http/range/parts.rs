//! Range requests for a recording on a web server, one at a time. The server's range header is
//! checked, and bytes of a wrong range are discarded. An interrupted or shortened range continues
//! where it stopped.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::net::web::{Client, Flow, Span, StallTimeout, Unavailable, WebResponse, WebUrl};
use crate::net::{self, Cause, ConnectStage, Options, WebProblem};

/// Time limit for silence.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(4);
/// Time limit for a whole range.
const RANGE_TIMEOUT: Duration = Duration::from_secs(8);
/// Maximum number of requests for a range.
const MAX_RANGE_REQUESTS: u32 = 64;
/// Maximum number of consecutive requests without any data.
const MAX_EMPTY_RESPONSES: u32 = 2;

/// See the module documentation.
#[derive(Debug)]
pub(in crate::input::http) struct RangeParts {
    client: Client,
    options: Options,
    url: WebUrl,
    /// The address before redirects, because a redirection target may be temporary.
    original_url: WebUrl,
    whole: u64,
    /// The validator of the file's version, once known.
    mark: Option<String>,
}

impl RangeParts {
    /// Creates range requests for a file of `whole` bytes.
    pub fn new(url: WebUrl, options: Options, whole: u64) -> Self {
        let (client, original_url) = (Client::new(options.clone()), url.clone());
        Self { client, options, url, original_url, whole, mark: None }
    }

    /// Sets the address before redirects.
    pub fn found_by(self, original_url: &WebUrl) -> Self {
        Self { original_url: original_url.clone(), ..self }
    }

    /// Sets the version: ranges of another version are rejected.
    pub fn of(self, mark: Option<&str>) -> Self {
        Self { mark: mark.map(str::to_owned), ..self }
    }

    /// Returns range requests for the same file on a separate connection.
    pub fn anew(&self) -> Self {
        let its = Self::new(self.url.clone(), self.options.clone(), self.whole);
        its.found_by(&self.original_url).of(self.mark.as_deref())
    }

    /// Returns the size of the whole file, in bytes.
    pub fn whole(&self) -> u64 {
        self.whole
    }

    /// Requests the rest of the file from a position, and returns its data as a flow. Returns
    /// `None` if the server sends something else.
    ///
    /// # Errors
    /// Returns the network error.
    pub async fn rest(&self, from: u64) -> Result<Option<Flow>, net::Error> {
        let span = Span { from, until: self.whole };
        let (mark, options) = (self.mark.as_deref(), &self.options);
        let rest = Flow::open_span(&self.url, span, mark, options, &|_| {}).await;
        if self.url != self.original_url && rest.as_ref().is_err_and(is_gone) {
            return Ok(Flow::open_span(&self.original_url, span, mark, options, &|_| {})
                .await?
                .ok());
        }
        Ok(rest?.ok())
    }

    /// Requests `length` bytes from `from`; fewer bytes arrive only at the end of the file. Returns
    /// `None` if the server sends something else.
    ///
    /// # Errors
    /// Returns the network error.
    pub async fn read(&mut self, from: u64, length: u64) -> Result<Option<Bytes>, net::Error> {
        Ok(self.part(from, length).await?.ok())
    }

    /// Works like [`read`](Self::read), but returns the reason if it fails.
    ///
    /// # Errors
    /// Fails with the same errors as [`read`](Self::read).
    pub async fn part(
        &mut self,
        from: u64,
        length: u64,
    ) -> Result<Result<Bytes, Unavailable>, net::Error> {
        let until = from.saturating_add(length).min(self.whole);
        let Ok(most) = usize::try_from(until.saturating_sub(from)) else {
            return Ok(Err(Unavailable::OtherPart));
        };
        let mut bytes = BytesMut::new();
        // The limit starts with the first answer; the caller limits the time before that.
        let mut patience = None;
        let (mut asked, mut in_vain) = (0, 0);
        while bytes.len() < most {
            let before = bytes.len();
            let span = Span { from: from.saturating_add(before as u64), until };
            let came = match self.ask(span).await {
                Ok(Ok((answer, length))) => {
                    let patience = patience
                        .get_or_insert_with(|| StallTimeout::new(SILENCE_TIMEOUT, RANGE_TIMEOUT));
                    let came = self.client.read_into(&mut bytes, answer, length, patience).await;
                    match came {
                        Ok(()) if bytes.len() - before < length => Err(self.too_little()),
                        came => came,
                    }
                }
                Ok(Err(lack)) => return Ok(Err(lack)),
                Err(error) => Err(error),
            };
            asked += 1;
            in_vain = if bytes.len() > before { 0 } else { in_vain + 1 };
            let over = patience.as_ref().is_some_and(StallTimeout::is_over);
            let again = asked < MAX_RANGE_REQUESTS && in_vain < MAX_EMPTY_RESPONSES && !over;
            match came {
                Ok(()) if again || bytes.len() >= most => {}
                Ok(()) => return Err(self.too_little()),
                Err(error) if again && broke_off(&error) => {
                    tracing::debug!(%error, "a partial response ended early");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Ok(bytes.freeze()))
    }

    fn too_little(&self) -> net::Error {
        self.problem(WebProblem::TooLittle)
    }

    /// Returns the error for a wrong answer, which counts as temporary.
    pub fn other(&self) -> net::Error {
        self.problem(WebProblem::OtherPart)
    }

    /// Returns the error for an answer that did not arrive within this time.
    pub fn late(&self, after: Duration) -> net::Error {
        self.failed(Cause::TimedOut { after })
    }

    fn problem(&self, problem: WebProblem) -> net::Error {
        self.failed(Cause::Web(problem))
    }

    fn failed(&self, cause: Cause) -> net::Error {
        let (stage, peer) = (ConnectStage::Media, self.url.endpoint().to_string());
        net::Error { stage, cause, peer }
    }

    /// Requests a range. The server may send only the first part of it.
    async fn ask(
        &mut self,
        span: Span,
    ) -> Result<Result<(WebResponse, usize), Unavailable>, net::Error> {
        let mut asked = self.client.get(&self.url, Some(span), &|_| {}).await;
        if self.url != self.original_url && asked.as_ref().is_err_and(is_gone) {
            asked = self.client.get(&self.original_url, Some(span), &|_| {}).await;
        }
        let answer = match asked {
            Ok(answer) => answer,
            // The file was longer earlier, so it has changed.
            Err(error) if error.is_past_the_end() => return Ok(Err(Unavailable::Changed)),
            Err(error) => return Err(error),
        };
        if answer.is_other(self.mark.as_deref()) {
            return Ok(Err(Unavailable::Changed));
        }
        let Some((part, whole)) = answer.part() else { return Ok(Err(Unavailable::OtherPart)) };
        if whole.is_some_and(|whole| whole != self.whole) {
            return Ok(Err(Unavailable::Changed));
        }
        let length = usize::try_from(part.until - part.from).ok();
        let begins = part.from == span.from && part.until <= span.until;
        let Some(length) = length.filter(|_| begins) else {
            return Ok(Err(Unavailable::OtherPart));
        };
        if self.mark.is_none() {
            self.mark = answer.mark().map(str::to_owned);
        }
        self.url = answer.url().clone();
        Ok(Ok((answer, length)))
    }
}

/// Returns true if this address is no longer valid, or its server is unreachable.
fn is_gone(error: &net::Error) -> bool {
    matches!(
        error.cause,
        Cause::Answer { status: 401 | 403 | 404 | 410, .. }
            | Cause::ConnectionRefused
            | Cause::HostUnreachable
            | Cause::NoSuchHost
    )
}

/// Returns true if a request for the rest may help.
fn broke_off(error: &net::Error) -> bool {
    matches!(
        error.cause,
        Cause::Closed | Cause::Reset | Cause::Io(_) | Cause::Web(WebProblem::TooLittle)
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    /// `/original_url` redirects to an address that is valid for three requests.
    async fn answer(mut socket: TcpStream, asked: &AtomicU32) -> std::io::Result<()> {
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(socket.read_u8().await?);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default();
            let number = asked.load(Ordering::Relaxed) / 3;
            let answer = if path == "/door" {
                format!("302 x\r\nLocation: /film?until={number}\r\nContent-Length: 0\r\n\r\n")
            } else if path == format!("/film?until={number}") {
                asked.fetch_add(1, Ordering::Relaxed);
                let span = head.split("bytes=").nth(1).and_then(|span| span.lines().next());
                let (from, last) = span.and_then(|span| span.split_once('-')).unwrap();
                let length = last.parse::<usize>().unwrap() + 1 - from.parse::<usize>().unwrap();
                let range = format!("Content-Range: bytes {from}-{last}/1000");
                let body = "x".repeat(length);
                format!("206 x\r\n{range}\r\nContent-Length: {length}\r\n\r\n{body}")
            } else {
                "403 x\r\nContent-Length: 0\r\n\r\n".to_owned()
            };
            socket.write_all(format!("HTTP/1.1 {answer}").as_bytes()).await?;
        }
    }

    #[tokio::test]
    async fn where_an_address_holds_no_longer_the_one_that_led_to_it_is_asked_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(AtomicU32::new(0));
        let its = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let asked = Arc::clone(&its);
                // The client closes the connection.
                tokio::spawn(async move { drop(answer(socket, &asked).await) });
            }
        });
        let url = |path: &str| WebUrl::parse(&format!("http://{address}{path}")).unwrap();
        let (film, original_url) = (url("/film?until=0"), url("/door"));
        let mut parts =
            RangeParts::new(film.clone(), Options::default(), 1_000).found_by(&original_url);
        for number in 0..10 {
            let part = parts.part(number * 100, 100).await.unwrap();
            assert_eq!(part.map(|bytes| bytes.len()), Ok(100), "{number}");
        }
        assert_eq!(asked.load(Ordering::Relaxed), 10);
        // Without another address, the error is reported.
        let mut parts = RangeParts::new(film, Options::default(), 1_000);
        let error = parts.part(0, 100).await.unwrap_err();
        assert!(matches!(error.cause, Cause::Answer { status: 403, .. }), "{error:?}");
    }
}
