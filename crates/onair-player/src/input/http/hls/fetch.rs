//! Loads playlists, keys and segments with size limits, and decrypts them (RFC 8216 §5.2).

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::time::timeout;

use crate::base::partial_debug;
use crate::net::web::{Client, Span, StallTimeout, WebResponse, WebUrl};
use crate::net::{self, Cause, ConnectStage, Step};
use crate::player::buffer::dvr_window::DvrWindow;
use crate::player::input::connection::MEDIA_TIMEOUT;
use crate::player::input::http::hls::decrypt::Decryption;
use crate::player::input::http::pull_error::PullError;
use crate::player::input::http::request::PullRequest;
use crate::player::input::open_deadline::OpenDeadline;
use crate::player::state::{Failure, FailureKind};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::hls::{Key, MAX_PLAYLIST_BYTES, Map, Method, System};

/// Maximum size of a segment in bytes: a minute at 4 Mbit/s, or ten seconds at 25 Mbit/s.
pub(super) const MAX_SEGMENT_BYTES: usize = 32 << 20;
/// Maximum size of an MP4's initialization segment in bytes.
const MAX_INIT_SEGMENT_BYTES: usize = 1 << 20;
/// Maximum number of cached keys, and of cached initialization segments.
const MAX_CACHE_ENTRIES: usize = 8;
/// Pauses before repeating a request that may succeed later, in ms.
const RETRY_DELAYS_MS: [u64; 3] = [300, 1_000, 2_000];

/// Address, byte range and data of an initialization segment.
type InitSegment = (WebUrl, Option<(u64, u64)>, Bytes);

/// The loader of playlists and segments. Playlists have a separate connection, which can block
/// until a future part exists.
pub(super) struct Fetch {
    pub limits: Limits,
    /// The player's DVR window.
    pub dvr_window: Arc<DvrWindow>,
    client: Client,
    lists: Client,
    keys: Vec<(WebUrl, [u8; 16])>,
    maps: Vec<InitSegment>,
    opening: Arc<OpenDeadline>,
}

partial_debug!(Fetch {});

/// A segment whose first bytes have arrived.
#[derive(Debug)]
pub(super) struct PartialBody {
    answer: WebResponse,
    data: BytesMut,
}

/// Time limits of a request, including retries.
#[derive(Copy, Clone, Debug)]
pub(super) struct Limits {
    /// Time limit for a server that sends no data, or almost none.
    pub quiet: Duration,
    /// Total time limit for slow data.
    pub whole: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { quiet: MEDIA_TIMEOUT, whole: Duration::from_secs(60) }
    }
}

impl Limits {
    fn patience(self) -> StallTimeout {
        StallTimeout::new(self.quiet, self.whole)
    }
}

/// Kind of a request in error messages.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum FetchName {
    List,
    Segment,
    InitSegment,
    Key,
}

/// The kind of a request, and the opening to which it may belong.
#[derive(Copy, Clone, Debug)]
struct WantedFetch<'a> {
    what: FetchName,
    opening: &'a OpenDeadline,
}

impl FetchName {
    fn name(self) -> &'static str {
        match self {
            Self::List => "playlist",
            Self::Segment => "segment",
            Self::InitSegment => "init",
            Self::Key => "key",
        }
    }

    /// Converts a timeout to an error that names the kind of the request, because users do not know
    /// the addresses. Other errors stay unchanged.
    fn problem(self, error: net::Error, limits: Limits) -> PullError {
        let Cause::TimedOut { after } = error.cause else { return error.into() };
        if error.stage < ConnectStage::Request {
            return error.into();
        }
        let awaited = problem!("play-awaited", what = self.name());
        let (server, seconds) = (error.peer, after.as_secs_f64().round().to_string());
        let why = if after == limits.whole {
            problem!("play-request-slow", server = server, seconds = seconds, awaited = awaited)
        } else {
            problem!("play-request-stalled", server = server, seconds = seconds, awaited = awaited)
        };
        PullError::Stalls(Failure::new(FailureKind::Unreachable, why))
    }
}

/// An address to request, completely or as a byte range.
pub(super) type FetchRange = (WebUrl, Option<(u64, u64)>);

/// Returns the error for content whose keys are unavailable.
fn protected(system: System) -> PullError {
    let by = match system {
        System::FairPlay => Some("FairPlay"),
        System::Widevine => Some("Widevine"),
        System::PlayReady => Some("PlayReady"),
        System::Other => None,
    };
    let why = by.map_or_else(
        || problem!("play-protected"),
        |system| problem!("play-protected-by", system = system),
    );
    PullError::Failed(Failure::new(FailureKind::Codec, why))
}

fn damaged() -> PullError {
    PullError::no_stream(problem!("play-segment-damaged"))
}

/// Resolves a URI of a playlist.
pub(super) fn join(base: &WebUrl, uri: &str) -> Result<WebUrl, PullError> {
    let bad = |reason| PullError::no_stream(problem!("play-playlist-bad-url", reason = reason));
    let url = base.join(uri).map_err(|error| bad(Problem::from(&error)))?;
    if base.is_secure() && !url.is_secure() {
        return Err(bad(problem!("play-playlist-without-tls")));
    }
    if url.is_websocket() {
        return Err(bad(problem!("play-playlist-websocket")));
    }
    Ok(url)
}

impl Fetch {
    pub fn new(ask: &PullRequest) -> Self {
        let (client, lists) = (Client::new(ask.net.clone()), Client::new(ask.net.clone()));
        let (keys, maps, opening) = (Vec::new(), Vec::new(), Arc::clone(&ask.opening));
        let (limits, dvr_window) = (Limits::default(), Arc::clone(&ask.dvr_window));
        Self { limits, dvr_window, client, lists, keys, maps, opening }
    }

    /// Creates another loader with its own connections.
    pub fn beside(&self) -> Self {
        let (client, lists) = (self.client.beside(), self.lists.beside());
        let (keys, maps, opening) = (Vec::new(), Vec::new(), Arc::clone(&self.opening));
        let (limits, dvr_window) = (self.limits, Arc::clone(&self.dvr_window));
        Self { limits, dvr_window, client, lists, keys, maps, opening }
    }

    /// Loads a playlist and returns its final address. The server may be silent for `quiet`.
    pub async fn playlist_within(
        &mut self,
        url: &WebUrl,
        quiet: Duration,
    ) -> Result<(Bytes, WebUrl), PullError> {
        let limits = Limits { quiet, ..self.limits };
        let wanted = WantedFetch { what: FetchName::List, opening: &self.opening };
        read(&mut self.lists, (url, None), MAX_PLAYLIST_BYTES, wanted, limits).await
    }

    /// Loads a playlist with a blocking request, within `limit`, and the announced `part`. The part
    /// may arrive up to `grace` after the playlist. The playlist and the part are requested only
    /// once.
    pub async fn playlist_and_part(
        &mut self,
        url: &WebUrl,
        limit: Duration,
        part: Option<&FetchRange>,
        grace: Duration,
    ) -> (Option<(Bytes, WebUrl)>, Option<Bytes>) {
        let Self { client, lists, opening, .. } = self;
        let (mut first, mut second) = (self.limits.patience(), self.limits.patience());
        let wanted = |what| WantedFetch { what, opening };
        let text =
            try_read(lists, (url, None), MAX_PLAYLIST_BYTES, wanted(FetchName::List), &mut first);
        let mut list = pin!(timeout(limit, text));
        let mut early = pin!(async {
            let (url, range) = part?;
            let wanted = wanted(FetchName::Segment);
            Some(
                try_read(client, (url, *range), MAX_SEGMENT_BYTES, wanted, &mut second)
                    .await
                    .ok()?
                    .0,
            )
        });
        let mut came = None;
        let list = loop {
            tokio::select! {
                list = &mut list => break list,
                part = &mut early, if came.is_none() => came = Some(part),
            }
        };
        let part = match came {
            Some(part) => part,
            None => timeout(grace, early).await.ok().flatten(),
        };
        let list = match list {
            Ok(Ok(list)) => Some(list),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a delayed playlist failed");
                None
            }
            Err(_) => None,
        };
        (list, part)
    }

    /// Loads the data at an address.
    pub async fn piece(&mut self, place: &FetchRange) -> Result<Bytes, PullError> {
        let (url, range) = place;
        let place = (url, *range);
        let wanted = WantedFetch { what: FetchName::Segment, opening: &self.opening };
        Ok(read(&mut self.client, place, MAX_SEGMENT_BYTES, wanted, self.limits).await?.0)
    }

    /// Loads a segment until `enough` accepts the data or all has arrived. Returns `None` if that
    /// is impossible; a request for the whole segment reports the reason.
    ///
    /// # Errors
    /// Fails if no data arrives, because the whole segment would not arrive either.
    pub async fn begin(
        &mut self,
        url: &WebUrl,
        enough: &mut (dyn FnMut(&[u8]) -> bool + Send),
    ) -> Result<Option<PartialBody>, PullError> {
        let mut patience = self.limits.patience();
        let late = |error| FetchName::Segment.problem(error, self.limits);
        let wanted = WantedFetch { what: FetchName::Segment, opening: &self.opening };
        let answer = ask(&mut self.client, (url, None), wanted, &mut patience).await;
        let answer = answer.map_err(late)?;
        let Ok(mut answer) = answer else { return Ok(None) };
        let late = |cause| {
            let peer = url.endpoint().to_string();
            FetchName::Segment
                .problem(net::Error { stage: ConnectStage::Media, cause, peer }, self.limits)
        };
        let mut data = BytesMut::new();
        loop {
            let Ok(piece) = patience.wait(answer.piece()).await.map_err(late)? else {
                return Ok(None);
            };
            let Some(piece) = piece else { break };
            patience.came(piece.len());
            if data.len() + piece.len() > MAX_SEGMENT_BYTES {
                return Ok(None);
            }
            data.extend_from_slice(&piece);
            if enough(&piece) {
                break;
            }
        }
        Ok(Some(PartialBody { answer, data }))
    }

    /// Loads the rest of a segment. Returns `None` in the same cases as [`Fetch::begin`].
    ///
    /// # Errors
    /// Fails with the same errors as [`Fetch::begin`].
    pub async fn rest(&mut self, begun: PartialBody) -> Result<Option<Bytes>, PullError> {
        let PartialBody { answer, mut data } = begun;
        let most = MAX_SEGMENT_BYTES.saturating_sub(data.len());
        // The waiting time starts now, not with the first bytes: there may have been no room for the
        // rest.
        let mut patience = self.limits.patience();
        match self.client.read(answer, most, &mut patience).await {
            Ok(rest) => data.extend_from_slice(&rest),
            Err(error) if patience.is_over() => {
                return Err(FetchName::Segment.problem(error, self.limits));
            }
            Err(_) => return Ok(None),
        }
        Ok(Some(data.freeze()))
    }

    /// Decrypts the segment with this number if it is wholly encrypted. For a partly encrypted one,
    /// returns the decryption.
    pub async fn open(
        &mut self,
        base: &WebUrl,
        data: Bytes,
        key: Option<&Key>,
        number: u64,
    ) -> Result<(Bytes, Option<Decryption>), PullError> {
        let Some(key) = key else { return Ok((data, None)) };
        let secret = self.key(base, key).await?;
        let decryption =
            Decryption { key: secret, iv: key.iv.unwrap_or(number.into()).to_be_bytes() };
        if key.method != Method::Aes128 {
            return Ok((data, Some(decryption)));
        }
        Ok((decryption.segment(&data).ok_or_else(damaged)?, None))
    }

    /// Loads the initialization segment.
    pub async fn map(&mut self, base: &WebUrl, map: &Map) -> Result<Bytes, PullError> {
        let url = join(base, &map.uri)?;
        let known = self.maps.iter().find(|(its, range, _)| (its, range) == (&url, &map.range));
        if let Some((_, _, data)) = known {
            return Ok(data.clone());
        }
        let place = (&url, map.range);
        let wanted = WantedFetch { what: FetchName::InitSegment, opening: &self.opening };
        let mut data =
            read(&mut self.client, place, MAX_INIT_SEGMENT_BYTES, wanted, self.limits).await?.0;
        if let Some(key) = map.key.as_ref().filter(|key| key.method == Method::Aes128) {
            data = self.open(base, data, Some(key), 0).await?.0;
        }
        if self.maps.len() >= MAX_CACHE_ENTRIES {
            self.maps.remove(0);
        }
        self.maps.push((url, map.range, data.clone()));
        Ok(data)
    }

    async fn key(&mut self, base: &WebUrl, key: &Key) -> Result<[u8; 16], PullError> {
        if let Method::Licensed(system) = key.method {
            return Err(protected(system));
        }
        let url = join(base, &key.uri)?;
        if let Some((_, secret)) = self.keys.iter().find(|(its, _)| *its == url) {
            return Ok(*secret);
        }
        let wanted = WantedFetch { what: FetchName::Key, opening: &self.opening };
        let data = read(&mut self.client, (&url, None), 1_024, wanted, self.limits).await?.0;
        let secret: [u8; 16] = data.as_ref().try_into().map_err(|_| {
            let why = problem!("play-key-length", bytes = data.len());
            PullError::Failed(Failure::new(FailureKind::Refused, why))
        })?;
        if self.keys.len() >= MAX_CACHE_ENTRIES {
            self.keys.remove(0);
        }
        self.keys.push((url, secret));
        Ok(secret)
    }
}

/// Loads at most `most` bytes. Retries within the time limit if that can help.
async fn read(
    client: &mut Client,
    place: (&WebUrl, Option<(u64, u64)>),
    most: usize,
    wanted: WantedFetch<'_>,
    limits: Limits,
) -> Result<(Bytes, WebUrl), PullError> {
    let (mut pauses, mut patience) = (RETRY_DELAYS_MS.iter(), limits.patience());
    loop {
        match try_read(client, place, most, wanted, &mut patience).await {
            Ok(read) => return Ok(read),
            Err(error) => {
                let gone = matches!(&error.cause, Cause::Answer { .. });
                let again = error.may_pass() && !gone && !patience.is_over();
                let Some(pause) = pauses.next().filter(|_| again) else {
                    return Err(wanted.what.problem(error, limits));
                };
                tracing::debug!(%error, "requesting again");
                tokio::time::sleep(Duration::from_millis(*pause)).await;
            }
        }
    }
}

/// Sends one request. A timeout error names the stage that was reached, and the last server.
async fn ask(
    client: &mut Client,
    (url, range): (&WebUrl, Option<(u64, u64)>),
    wanted: WantedFetch<'_>,
    patience: &mut StallTimeout,
) -> Result<Result<WebResponse, net::Error>, net::Error> {
    wanted.opening.ask(url.endpoint().to_string(), wanted.what.name());
    let span = range.map(|(from, until)| Span { from, until });
    // A reused connection has no earlier stages.
    let reached = Mutex::new((ConnectStage::Request, url.endpoint().to_string()));
    let on_step = |step: Step<'_>| match step {
        Step::Stage(stage) => reached.lock().0 = stage,
        Step::Elsewhere { to, .. } => {
            let peer = WebUrl::parse(to).map(|url| url.endpoint().to_string());
            *reached.lock() = (ConnectStage::Request, peer.unwrap_or_default());
        }
        _ => {}
    };
    let answer = patience.wait(client.get(url, span, &on_step)).await;
    let answer = answer.map_err(|cause| {
        let (stage, peer) = reached.lock().clone();
        net::Error { stage, cause, peer }
    })?;
    if answer.is_ok() {
        patience.answered();
        if wanted.what == FetchName::Segment {
            wanted.opening.media();
        }
    }
    Ok(answer)
}

async fn try_read(
    client: &mut Client,
    (url, range): (&WebUrl, Option<(u64, u64)>),
    most: usize,
    wanted: WantedFetch<'_>,
    patience: &mut StallTimeout,
) -> Result<(Bytes, WebUrl), net::Error> {
    let answer = ask(client, (url, range), wanted, patience).await??;
    let (partial, from) = (answer.is_partial(), answer.url().clone());
    let whole = client.read(answer, most, patience).await?;
    Ok(match range {
        // The server does not support ranges and sent the whole file.
        Some((from_byte, until)) if !partial => {
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(whole.len());
            (whole.slice(place(from_byte)..place(until).max(place(from_byte))), from)
        }
        _ => (whole, from),
    })
}
