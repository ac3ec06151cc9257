//! Bytes of a file on a web server, for readers with random access: a reader gets an error for
//! missing bytes, and is called again when they have arrived. A few blocks are cached; nearby
//! missing bytes come from the first response, others from range requests. At most
//! [`CACHE_BYTES`], or the bytes of one read, are cached, whatever the server sends.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::net;
use crate::net::web::{Flow, StallTimeout, Unavailable};
use crate::player::input::http::pull_error::PullError;
use crate::player::input::http::range::download::Download;
use crate::player::input::http::range::parts::RangeParts;
use crate::player::input::http::range_retry::RangeRefusal;
use crate::player::input::http::request::PullRequest;
use crate::text::problem::problem;
use crate::wire::container::ReadAt;

/// Block size in bytes.
const BLOCK_BYTES: u64 = 64 << 10;
/// Size of the cache in bytes.
const CACHE_BYTES: u64 = 12 << 20;
/// Maximum size of a read in bytes, enough for the index of a recording of half a day.
const MAX_READ_BYTES: usize = 48 << 20;
/// Missing bytes come from the first response if they are at most this far ahead of it.
const MAX_AHEAD_BYTES: u64 = 512 << 10;
/// Without range support, at most this many bytes are skipped.
const MAX_SKIPPED_BYTES: u64 = 8 << 20;
/// Target duration of a range request in seconds.
const RANGE_REQUEST_SECONDS: f64 = 1.0;
/// Minimum size of a range request in bytes.
const MIN_RANGE_BYTES: u64 = 128 << 10;
/// Maximum size of a range request in bytes.
const MAX_RANGE_BYTES: u64 = 2 << 20;
/// Size of the read-ahead in bytes.
const READ_AHEAD_BYTES: u64 = 4 << 20;
/// Number of bytes at the end of the file whose request shows whether the server supports ranges.
const TAIL_BYTES: u64 = 64 << 10;
/// Time limit of the request for the end of the file.
const TAIL_TIMEOUT: Duration = Duration::from_secs(5);
/// If the first response is silent for this long, range requests replace it. The first response has
/// no total time limit.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(4);
const NO_TOTAL_LIMIT: Duration = Duration::from_secs(1 << 20);

/// The server's answer about range requests.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::input::http) enum RangeSupport {
    /// Not known yet.
    Asking,
    Parts,
    /// The server sends the file only from its beginning.
    Whole,
}

/// The bytes at the end of the file, or `None` if the server sends something else.
type TailAnswer = Result<Option<Bytes>, net::Error>;

/// A fetched range, and how long the request took.
type FetchedPart = (RangeParts, u64, Duration, Result<Result<Bytes, Unavailable>, net::Error>);

/// See the module documentation.
#[derive(Debug)]
pub(in crate::input::http) struct Blocks {
    size: u64,
    /// True if the server announced the length.
    size_known: bool,
    kept: BTreeMap<u64, Block>,
    uses: u64,
    line: Option<TailBytes>,
    gives: RangeSupport,
    asked: JoinSet<TailAnswer>,
    /// The reason why the server gave no answer about range requests.
    unanswered: Option<net::Error>,
    /// The reason why the first response ended early.
    lost: Option<net::Error>,
    /// The range requests, on the most recent connection.
    parts: RangeParts,
    idle: Option<RangeParts>,
    fetched: JoinSet<FetchedPart>,
    /// The requested range.
    span: (u64, u64),
    /// The size of the next range.
    part: u64,
    /// True if the read-ahead failed.
    failed: bool,
    /// The missing range of a read.
    missing: Option<(u64, u64)>,
}

#[derive(Debug)]
struct Block {
    bytes: Bytes,
    /// Counter value of the last use.
    used: u64,
}

/// The bytes of the first response that follow the last complete block.
#[derive(Debug)]
struct TailBytes {
    flow: Download,
    begins: u64,
    rest: BytesMut,
    /// The time limit while the first response is awaited.
    patience: Option<StallTimeout>,
}

impl TailBytes {
    fn new(flow: Download) -> Self {
        Self { flow, begins: 0, rest: BytesMut::new(), patience: None }
    }
}

impl Blocks {
    /// Creates the blocks for `flow`; `start` is the part that was already read. `whole` is the
    /// total length in bytes, if known.
    pub fn new(flow: Flow, start: &[u8], whole: Option<u64>, ask: &PullRequest) -> Self {
        let size = whole.unwrap_or(u64::MAX / 4);
        let parts = RangeParts::new(flow.url().clone(), ask.net.clone(), size);
        let parts = parts.found_by(&ask.url).of(flow.mark());
        let flow = Download::new(flow, start.len() as u64, whole);
        let mut blocks = Self {
            size,
            size_known: whole.is_some(),
            kept: BTreeMap::new(),
            uses: 0,
            line: Some(TailBytes::new(flow)),
            gives: if whole.is_some() { RangeSupport::Asking } else { RangeSupport::Whole },
            asked: JoinSet::new(),
            unanswered: None,
            lost: None,
            parts,
            idle: None,
            fetched: JoinSet::new(),
            span: (0, 0),
            part: MIN_RANGE_BYTES,
            failed: false,
            missing: None,
        };
        blocks.come(start);
        blocks.ask_for_tail();
        blocks
    }

    /// Requests the end of the file, unless the answer about range requests is known or awaited.
    fn ask_for_tail(&mut self) {
        if self.gives != RangeSupport::Asking || !self.asked.is_empty() {
            return;
        }
        let (mut parts, size) = (self.parts.anew(), self.size);
        self.asked.spawn(async move {
            let from = last_block(size);
            match timeout(TAIL_TIMEOUT, parts.read(from, size - from)).await {
                Ok(answer) => answer,
                Err(_) => Err(parts.late(TAIL_TIMEOUT)),
            }
        });
    }

    /// Returns the server's range support, as far as it is known.
    pub fn gives(&mut self) -> RangeSupport {
        if let Some(answer) = self.asked.try_join_next() {
            self.answered(answer.unwrap_or(Ok(None)));
        }
        self.gives
    }

    /// Returns the range support, after waiting for the answer. If an earlier request for the answer failed, asks
    /// again. This function is cancel-safe.
    pub async fn answer(&mut self) -> RangeSupport {
        self.ask_for_tail();
        if let Some(answer) = self.asked.join_next().await {
            self.answered(answer.unwrap_or(Ok(None)));
        }
        self.gives
    }

    /// Returns the reason why the server's range support is not known, after a failed request.
    pub fn unanswered(&self) -> Option<&net::Error> {
        self.unanswered.as_ref()
    }

    fn answered(&mut self, answer: TailAnswer) {
        self.unanswered = None;
        match answer {
            Ok(Some(tail)) => {
                self.gives = RangeSupport::Parts;
                self.put(last_block(self.size), &tail);
            }
            // A broken network says nothing about the server.
            Err(error)
                if matches!(RangeRefusal::of(&error), None | Some(RangeRefusal::Passing)) =>
            {
                tracing::debug!(%error, "requesting the end of a file failed");
                self.unanswered = Some(error);
            }
            // The file then plays as it arrives.
            Ok(None) | Err(_) => self.gives = RangeSupport::Whole,
        }
    }

    /// Moves to another position without waiting for the pending request.
    pub fn leave(&mut self) {
        self.fetched = JoinSet::new();
        self.failed = false;
        self.wait_no_more();
    }

    /// Resets the waiting time for the first response.
    fn wait_no_more(&mut self) {
        if let Some(line) = &mut self.line {
            line.patience = None;
        }
    }

    /// Continues playback at this position. Abandons the first response if the position is not near
    /// and the server supports ranges.
    pub fn go_on_at(&mut self, at: u64) {
        if self.gives == RangeSupport::Parts && !self.is_near(at, MAX_AHEAD_BYTES) {
            self.line = None;
        }
    }

    /// Requests the following bytes in advance.
    pub fn read_ahead(&mut self, at: u64) {
        if self.gives != RangeSupport::Parts || self.failed {
            return;
        }
        while let Some(part) = self.fetched.try_join_next() {
            self.failed |= part.map_or(true, |part| self.take(part).is_err());
        }
        let missing = self.first_missing(at, at.saturating_add(READ_AHEAD_BYTES));
        let from =
            missing.filter(|from| self.fetched.is_empty() && !self.is_near(*from, MAX_AHEAD_BYTES));
        if let Some(from) = from {
            self.ask_for(from);
        }
    }

    /// Fetches the missing bytes of a read. The call is cancel-safe. While it is not known that the
    /// server supports ranges, the wait for the first response has no limit.
    ///
    /// # Errors
    /// Fails if the bytes do not arrive.
    pub async fn bring(&mut self) -> Result<(), PullError> {
        while let Some((from, until)) = self.missing {
            let Some(at) = self.first_missing(from, until) else {
                self.missing = None;
                self.wait_no_more();
                break;
            };
            let near = if self.gives() == RangeSupport::Whole || self.unanswered.is_some() {
                MAX_SKIPPED_BYTES
            } else {
                MAX_AHEAD_BYTES
            };
            if self.is_near(at, near) {
                self.read_line().await?;
                continue;
            }
            match self.gives {
                RangeSupport::Asking => {
                    self.answer().await;
                    let is_near = self.is_near(at, MAX_SKIPPED_BYTES);
                    if let Some(error) = self.unanswered.as_ref().filter(|_| !is_near) {
                        return Err(error.clone().into());
                    }
                }
                RangeSupport::Whole => {
                    let needs_range = || PullError::file(problem!("play-needs-range"));
                    return Err(self.lost.take().map_or_else(needs_range, PullError::from));
                }
                RangeSupport::Parts => {
                    if self.fetched.is_empty() {
                        self.ask_for(at);
                    }
                    let Some(Ok(part)) = self.fetched.join_next().await else { continue };
                    self.take(part)?;
                    self.failed = false;
                }
            }
        }
        Ok(())
    }

    /// Returns true if the first response will soon reach this position.
    fn is_near(&self, at: u64, near: u64) -> bool {
        self.line.as_ref().is_some_and(|line| {
            let taken = line.flow.taken();
            (taken..=taken.saturating_add(near)).contains(&at)
        })
    }

    /// Reads the first response; if it stalls and the server supports ranges, abandons it. If it
    /// stalls after a failed request for the end of the file, repeats that request.
    async fn read_line(&mut self) -> Result<(), PullError> {
        let Self { line, asked, gives, unanswered, .. } = self;
        let asking = !asked.is_empty();
        let bounded = *gives == RangeSupport::Parts || unanswered.is_some();
        let Some(TailBytes { flow, patience, .. }) = line else { return Ok(()) };
        let patience =
            patience.get_or_insert_with(|| StallTimeout::new(SILENCE_TIMEOUT, NO_TOTAL_LIMIT));
        let next = async {
            let next = flow.next();
            if bounded { patience.wait(next).await } else { Ok(next.await) }
        };
        let came = tokio::select! {
            came = next => came,
            // After a positive answer, ranges can replace this response.
            answer = asked.join_next(), if asking => {
                self.answered(answer.and_then(Result::ok).unwrap_or(Ok(None)));
                return Ok(());
            }
        };
        match came {
            Ok(Ok(Some(bytes))) => {
                patience.came(bytes.len());
                self.come(&bytes);
            }
            Ok(Ok(None)) => {
                let ends = flow.taken();
                // A body shorter than its announced length would have been an error.
                if !self.size_known {
                    (self.size, self.size_known) = (ends, true);
                    self.come(&[]);
                }
                self.line = None;
            }
            Ok(Err(error)) => {
                self.line = None;
                if self.gives == RangeSupport::Whole {
                    return Err(error.into());
                }
                self.lost = Some(error);
            }
            Err(_) if self.gives == RangeSupport::Asking => {
                self.wait_no_more();
                self.ask_for_tail();
            }
            Err(cause) => {
                tracing::debug!(%cause, "the first response for a file stalls");
                self.line = None;
            }
        }
        Ok(())
    }

    /// Adds bytes of the first response.
    fn come(&mut self, bytes: &[u8]) {
        let Some(line) = &mut self.line else { return };
        line.rest.extend_from_slice(bytes);
        let is_all = line.begins.saturating_add(line.rest.len() as u64) >= self.size;
        let mut whole = Vec::new();
        while line.rest.len() as u64 >= BLOCK_BYTES || is_all && !line.rest.is_empty() {
            let length = line.rest.len().min(BLOCK_BYTES as usize);
            whole.push((line.begins, Bytes::copy_from_slice(&line.rest.split_to(length))));
            line.begins += length as u64;
        }
        whole.into_iter().for_each(|(at, bytes)| self.keep(at, bytes));
    }

    /// Requests missing bytes from `at` on.
    fn ask_for(&mut self, at: u64) {
        let from = at / BLOCK_BYTES * BLOCK_BYTES;
        let most = from.saturating_add(self.part).min(self.size);
        let until = self.kept.range(from..most).next().map_or(most, |(next, _)| *next);
        let mut parts = self.idle.take().unwrap_or_else(|| self.parts.anew());
        self.span = (from, until);
        self.fetched.spawn(async move {
            let began = Instant::now();
            let bytes = parts.part(from, until - from).await;
            (parts, from, began.elapsed(), bytes)
        });
    }

    /// Handles a range that arrived or failed.
    fn take(&mut self, (parts, from, took, bytes): FetchedPart) -> Result<(), PullError> {
        self.idle = Some(parts);
        let bytes = bytes.inspect_err(|_| self.part = MIN_RANGE_BYTES)?;
        let bytes = bytes.map_err(|lack| match lack {
            Unavailable::Changed => PullError::changed(),
            Unavailable::OtherPart => self.parts.other().into(),
        })?;
        let a_second = bytes.len() as f64 / took.as_secs_f64().max(0.001) * RANGE_REQUEST_SECONDS;
        self.part =
            (a_second as u64 / BLOCK_BYTES * BLOCK_BYTES).clamp(MIN_RANGE_BYTES, MAX_RANGE_BYTES);
        self.put(from, &bytes);
        Ok(())
    }

    /// Caches data that begins at a block boundary.
    fn put(&mut self, from: u64, bytes: &[u8]) {
        let mut at = from;
        for block in bytes.chunks(BLOCK_BYTES as usize) {
            self.keep(at, Bytes::copy_from_slice(block));
            at += block.len() as u64;
        }
    }

    fn keep(&mut self, at: u64, bytes: Bytes) {
        self.uses += 1;
        self.kept.insert(at, Block { bytes, used: self.uses });
        let wanted = self.missing.map_or(0, |(from, until)| until - from);
        let most = CACHE_BYTES.max(wanted.saturating_add(2 * MAX_RANGE_BYTES)) / BLOCK_BYTES;
        while self.kept.len() as u64 > most {
            let oldest = self.kept.iter().min_by_key(|(_, block)| block.used);
            let Some(oldest) = oldest.map(|(at, _)| *at) else { break };
            self.kept.remove(&oldest);
        }
    }

    /// Returns the cached bytes from `at` to the end of their block.
    fn there(&self, at: u64) -> Option<&[u8]> {
        let begins = at / BLOCK_BYTES * BLOCK_BYTES;
        let of = |bytes: &'_ [u8], begins: u64| -> Option<std::ops::Range<usize>> {
            let from = usize::try_from(at.checked_sub(begins)?).ok()?;
            (from < bytes.len()).then_some(from..bytes.len())
        };
        if let Some(block) = self.kept.get(&begins) {
            return block.bytes.get(of(&block.bytes, begins)?);
        }
        let line = self.line.as_ref()?;
        line.rest.get(of(&line.rest, line.begins)?)
    }

    fn first_missing(&self, from: u64, until: u64) -> Option<u64> {
        let mut at = from;
        while at < until.min(self.size) {
            let Some(bytes) = self.there(at) else { return Some(at) };
            at += bytes.len() as u64;
        }
        None
    }
}

/// Returns the block boundary at which the request for the end of the file begins.
fn last_block(size: u64) -> u64 {
    size.saturating_sub(TAIL_BYTES) / BLOCK_BYTES * BLOCK_BYTES
}

impl ReadAt for Blocks {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = self.end(at, buffer.len())?;
        if self.first_missing(at, end).is_some() {
            self.missing = Some((at, end));
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.uses += 1;
        let (mut at, mut left) = (at, buffer);
        while !left.is_empty() {
            let bytes = self.there(at).ok_or(io::ErrorKind::UnexpectedEof)?;
            let length = bytes.len().min(left.len());
            let (now, rest) = left.split_at_mut(length);
            now.copy_from_slice(bytes.get(..length).unwrap_or_default());
            if let Some(block) = self.kept.get_mut(&(at / BLOCK_BYTES * BLOCK_BYTES)) {
                block.used = self.uses;
            }
            left = rest;
            at += length as u64;
        }
        Ok(())
    }

    fn most(&self) -> usize {
        MAX_READ_BYTES
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::Notify;

    use super::*;
    use crate::net::web::WebUrl;

    /// Size of the file, most of which the first response does not reach.
    const FILE_BYTES: u64 = 16 << 20;
    /// Size of the part that the first response contains.
    const START_BYTES: u64 = 1_000;

    /// A web server.
    #[derive(Debug, Default)]
    struct Server {
        /// True if it answers range requests with the whole file, and ends the first response early.
        is_simple: bool,
        /// True if its network works.
        is_reachable: AtomicBool,
        /// Lets the simple server answer a range request.
        answers: Notify,
    }

    impl Server {
        async fn answer(&self, mut socket: TcpStream) -> io::Result<()> {
            loop {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(socket.read_u8().await?);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let span = head.split("bytes=").nth(1).and_then(|span| span.lines().next());
                let whole = format!("HTTP/1.1 200 x\r\nContent-Length: {FILE_BYTES}\r\n\r\n");
                let Some((from, last)) = span.and_then(|span| span.split_once('-')) else {
                    socket.write_all(whole.as_bytes()).await?;
                    socket.write_all(&[7; START_BYTES as usize]).await?;
                    if !self.is_simple {
                        socket.read_u8().await?;
                    }
                    return Ok(());
                };
                if self.is_simple {
                    self.answers.notified().await;
                    return socket.write_all(whole.as_bytes()).await;
                }
                if !self.is_reachable.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let length = last.parse::<usize>().unwrap() + 1 - from.parse::<usize>().unwrap();
                let range = format!("Content-Range: bytes {from}-{last}/{FILE_BYTES}");
                let head = format!("HTTP/1.1 206 x\r\n{range}\r\nContent-Length: {length}\r\n\r\n");
                socket.write_all(head.as_bytes()).await?;
                socket.write_all(&vec![7; length]).await?;
            }
        }

        /// Opens the file on this server.
        async fn open(self: &Arc<Self>) -> Blocks {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/film.mp4", listener.local_addr().unwrap());
            let server = Arc::clone(self);
            tokio::spawn(async move {
                while let Ok((socket, _)) = listener.accept().await {
                    let server = Arc::clone(&server);
                    // The client closes the connection.
                    tokio::spawn(async move { drop(server.answer(socket).await) });
                }
            });
            let ask = PullRequest::usual(WebUrl::parse(&url).unwrap());
            let flow = Flow::open(&ask.url, &ask.net, &|_| {}).await.unwrap();
            Blocks::new(flow, &[], Some(FILE_BYTES), &ask)
        }
    }

    #[tokio::test]
    async fn after_a_failure_of_the_network_the_server_is_asked_again() {
        let server = Arc::new(Server::default());
        let mut blocks = server.open().await;
        assert_eq!(blocks.answer().await, RangeSupport::Asking);
        assert!(blocks.read_at(FILE_BYTES - 1, &mut [0]).is_err());
        let failed = blocks.bring().await;
        assert!(matches!(failed, Err(PullError::Net(_))), "{failed:?}");
        assert!(blocks.unanswered().is_some());
        server.is_reachable.store(true, Ordering::Relaxed);
        blocks.bring().await.unwrap();
        assert_eq!((blocks.gives(), blocks.unanswered()), (RangeSupport::Parts, None));
        blocks.read_at(FILE_BYTES - 1, &mut [0]).unwrap();
    }

    #[tokio::test]
    async fn a_lost_response_of_a_server_without_ranges_is_a_failure_of_the_network() {
        let server = Arc::new(Server { is_simple: true, ..Server::default() });
        let mut blocks = server.open().await;
        while blocks.line.is_some() {
            blocks.read_line().await.unwrap();
        }
        assert!(blocks.read_at(START_BYTES, &mut [0]).is_err());
        server.answers.notify_one();
        let failed = blocks.bring().await;
        assert!(matches!(failed, Err(PullError::Net(_))), "{failed:?}");
        assert_eq!(blocks.gives(), RangeSupport::Whole);
    }
}
