//! Follows one media playlist: loads its segments in order, and part by part near the end. This
//! module reloads a growing playlist (RFC 8216 §6.3.4), and handles a playlist that stalls, jumps
//! back or no longer lists the wanted segment. The file is long because these cases share one state.

#[cfg(test)]
mod tests;
mod variant_position;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, sleep_until};

use crate::base::Timestamp;
use crate::media::StreamEvent;
use crate::net::Cause;
use crate::net::web::WebUrl;
use crate::player::buffer::dvr_window::WindowRange;
use crate::player::buffer::pace::BufferTarget;
use crate::player::input::http::hls::event_order::skip_played;
use crate::player::input::http::hls::fetch::{Fetch, FetchRange, PartialBody, join};
use crate::player::input::http::hls::low_latency_trust::{PrefetchedPart, Trust};
use crate::player::input::http::hls::segment::{SegmentProbe, SegmentReader, is_of_track};
use crate::player::input::http::pull_error::PullError;
use crate::player::state::{Failure, FailureKind};
use crate::problems::ToProblem;
use crate::text::problem::problem;
use crate::wire::hls::{self, Key, Map, Media, Playlist};

/// Minimum interval between requests for a playlist.
const MIN_PLAYLIST_INTERVAL: Duration = Duration::from_millis(300);
/// A playlist counts as ended if it has not changed for this long, and for several segment
/// durations. The same limit applies to a playlist that adds only gaps.
const STALE_PLAYLIST_TIMEOUT: Duration = Duration::from_secs(12);
/// The maximum difference between two dates of the same segment, which can be sums of rounded
/// durations.
const MAX_DATE_ERROR: Duration = Duration::from_secs(1);
/// The maximum difference between matching segment boundaries of two variants.
const MAX_BOUNDARY_ERROR: Duration = Duration::from_millis(500);
/// Maximum number of consecutive segments that are missing or unreadable.
const MAX_MISSING_SEGMENTS: u32 = 3;
/// The shortest target duration that counts: playback needs some distance from the end.
const MIN_TARGET_DURATION: Duration = Duration::from_secs(1);
/// Distance from the end in target durations, if the server declares no hold-back.
const HOLD_BACK_TARGET_DURATIONS: u32 = 3;
/// Minimum distance from the end in part target durations, for a playlist with parts.
const MIN_HOLD_BACK_PARTS: u32 = 2;
/// The maximum distance from the end.
const MAX_HOLD_BACK: Duration = Duration::from_secs(60);

/// The content of a segment or a part.
#[derive(Debug, Default)]
pub(super) struct Arrival {
    pub events: Vec<StreamEvent>,
    /// True if the content does not continue the previous data.
    pub restart: bool,
    /// The time at which the playlist was read, and the distance from this content to the
    /// playlist's end.
    pub edge: Option<(Instant, Duration)>,
    /// Distance of the segment from the first known one; `None` if the content continues a segment.
    pub place: Option<Duration>,
    /// In a broadcast, the content's wall-clock time by the sender's clock, in microseconds since
    /// 1970.
    pub made: Option<i64>,
    /// In a broadcast, the time at which the playlist was read, and its range.
    pub listed: Option<(Instant, WindowRange)>,
    /// Downloaded bytes for the bandwidth measurement; 0 if the part was requested in advance.
    pub bytes: usize,
    /// Size of the segment's data in memory, which several events can share.
    pub size: usize,
    pub took: Duration,
}

/// The next item: a segment or a part.
#[derive(Clone, Debug)]
struct NextPart {
    number: u64,
    uri: String,
    range: Option<(u64, u64)>,
    map: Option<Arc<Map>>,
    key: Option<Arc<Key>>,
    discontinuity: bool,
    gap: bool,
    /// Index of the part; `None` for a whole segment.
    part: Option<usize>,
    /// True if this part completes the segment.
    ends: bool,
}

/// A playlist that the loader follows.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) url: WebUrl,
    pub(super) media: Media,
    text: Bytes,
    pub(super) loaded: Instant,
    /// Time of the last change.
    pub(super) changed: Instant,
    /// Number of the next segment.
    pub(super) next: u64,
    /// Index of the next part of the next segment.
    pub(super) part: usize,
    live: bool,
    restart: bool,
    /// Number of consecutive segments that were missing or unreadable.
    misses: u32,
    /// True once media was read, so that a later unreadable segment is an exception.
    readable: bool,
    /// The time of the first of consecutive gaps.
    gap_since: Option<Instant>,
    unpack: SegmentReader,
    buffer: Arc<BufferTarget>,
    /// The longest target duration so far. It sets the distance from the end, because each change
    /// of the distance interrupts its correction.
    longest_target: Duration,
    /// Total duration of the segments that have left the playlist.
    gone: Duration,
    /// True if the viewer went back: when the playlist moves on, the first segment that it lists is
    /// next.
    behind: bool,
    pub(super) trust: Trust,
    pub(super) early: Option<PrefetchedPart>,
    /// True if the first frame of the next segment is passed on before the rest has arrived.
    hurry: bool,
    begun: Option<PartialSegment>,
    /// The number of a segment whose beginning came from another variant, and the duration of that
    /// beginning.
    overlap: Option<(u64, Duration)>,
}

/// A segment whose first events were passed on.
#[derive(Debug)]
struct PartialSegment {
    piece: NextPart,
    place: FetchRange,
    begun: PartialBody,
    /// Number of events that were passed on.
    given: usize,
    since: Instant,
}

/// Parses a media playlist. `before` is its previous version.
pub(super) fn media(text: &[u8], before: Option<&Media>) -> Result<Media, PullError> {
    let read = match before {
        Some(before) => hls::parse_update(text, before),
        None => hls::parse(text),
    };
    match read {
        Ok(Playlist::Media(mut media)) => {
            media.target_duration = target_duration(&media);
            Ok(media)
        }
        Ok(Playlist::Master(_)) => Err(PullError::no_stream(problem!("play-playlist-nested"))),
        Err(error) => {
            let reason = error.to_problem();
            Err(PullError::no_stream(problem!("play-playlist-unreadable", reason = reason)))
        }
    }
}

/// Returns the declared target duration, or the longest segment if the server declares too short a
/// duration. Segments count in whole seconds, as in RFC 8216 §4.3.3.1, up to the duration that
/// leads to the maximum distance from the end.
fn target_duration(media: &Media) -> Duration {
    let longest = media.segments.iter().map(|segment| segment.duration).max().unwrap_or_default();
    let rounded = Duration::from_secs((longest + Duration::from_millis(500)).as_secs());
    let counted = rounded.min(MAX_HOLD_BACK / HOLD_BACK_TARGET_DURATIONS);
    media.target_duration.max(counted).max(MIN_TARGET_DURATION)
}

/// Returns the difference between two times in microseconds since 1970.
fn apart(one: i64, other: i64) -> Duration {
    Duration::from_micros(one.abs_diff(other))
}

impl Track {
    /// Begins to follow the playlist `text` from `url`; `buffer` is the user's buffer.
    pub fn new(url: &WebUrl, text: Bytes, buffer: &Arc<BufferTarget>) -> Result<Self, PullError> {
        let media = media(&text, None)?;
        let now = Instant::now();
        let mut track = Self {
            url: url.asking(&[]),
            live: !media.ended,
            longest_target: media.target_duration,
            media,
            text,
            loaded: now,
            changed: now,
            next: 0,
            part: 0,
            restart: false,
            misses: 0,
            readable: false,
            gap_since: None,
            unpack: SegmentReader::default(),
            buffer: Arc::clone(buffer),
            gone: Duration::ZERO,
            behind: false,
            trust: Trust::default(),
            early: None,
            hurry: false,
            begun: None,
            overlap: None,
        };
        (track.next, track.part) = track.start();
        Ok(track)
    }

    /// Loads the playlist at `url` and follows it. `other` is a related playlist, which may know
    /// the newest state of this one.
    pub async fn open(
        fetch: &mut Fetch,
        url: &WebUrl,
        buffer: &Arc<BufferTarget>,
        other: Option<&Self>,
    ) -> Result<Self, PullError> {
        let quiet = fetch.limits.quiet;
        if let Some(question) = other.and_then(|other| other.question(url)) {
            let began = Instant::now();
            match fetch.playlist_within(&question, quiet).await {
                Ok((text, from)) => {
                    if let Ok(track) = Self::new(&from, text, buffer) {
                        return Ok(track);
                    }
                }
                Err(problem) if began.elapsed() >= quiet => return Err(problem),
                Err(_) => {}
            }
        }
        let (text, from) = fetch.playlist_within(url, quiet).await?;
        Self::new(&from, text, buffer)
    }

    /// Returns true if the list can be followed part by part.
    pub fn has_parts(&self) -> bool {
        self.live && !self.trust.is_lost() && self.media.is_low_latency()
    }

    /// Returns true while the list is followed with low latency, near its end.
    pub fn is_low(&self) -> bool {
        self.has_parts() && !self.behind
    }

    /// Returns true if the next item begins a segment.
    pub fn is_between_segments(&mut self) -> bool {
        let all = self.media.segment(self.next).is_some_and(|it| it.parts.len() == self.part);
        if self.part > 0 && all {
            (self.next, self.part) = (self.next + 1, 0);
        }
        self.part == 0 && self.begun.is_none()
    }

    /// Sets whether the first frame of the next segment is passed on before the rest has arrived,
    /// if possible.
    pub fn hurry(&mut self, hurry: bool) {
        self.hurry = hurry;
    }

    /// Returns the maximum duration of a part.
    pub fn part_target(&self) -> Option<Duration> {
        self.media.part_target.filter(|_| self.is_low())
    }

    /// Returns true if the broadcast is still running.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Returns the distance of playback from the playlist's end.
    pub fn hold_back(&self) -> Duration {
        self.least().max(self.buffer.get()).min(MAX_HOLD_BACK)
    }

    /// Returns the server's minimum distance from the end.
    pub fn least(&self) -> Duration {
        let (wanted, unit, least) = if self.has_parts() {
            let target = self.media.part_target.unwrap_or_default();
            (self.media.control.part_hold_back, target, target * MIN_HOLD_BACK_PARTS)
        } else {
            (self.media.control.hold_back, self.longest_target, Duration::ZERO)
        };
        wanted.unwrap_or(unit * HOLD_BACK_TARGET_DURATIONS).max(least).min(MAX_HOLD_BACK)
    }

    /// Returns the total duration.
    pub fn duration(&self) -> Duration {
        self.media.duration()
    }

    /// Returns the remaining duration from this part of this segment to the end.
    fn left(&self, number: u64, part: usize) -> Duration {
        if self.is_low() { self.media.from_part(number, part) } else { self.media.from(number) }
    }

    /// Returns the duration of all listed segments.
    fn whole(&self) -> Duration {
        self.left(self.media.sequence, 0)
    }

    /// Returns the distance of this part of this segment from the first known one.
    fn place(&self, number: u64, part: usize) -> Duration {
        self.gone + self.whole().saturating_sub(self.left(number, part))
    }

    /// Moves to the segment at this position, and returns its start.
    pub async fn seek(&mut self, fetch: &mut Fetch, to: Duration) -> Duration {
        // Include the changes since the last load.
        if self.live
            && self.loaded.elapsed() > MIN_PLAYLIST_INTERVAL
            && let Err(error) = self.refresh(fetch).await
        {
            tracing::debug!(?error, "reloading the playlist failed");
        }
        let (mut number, mut begins) = self.media.at(to.saturating_sub(self.gone));
        if self.live && number > self.start().0 {
            // The position is an estimate of the live edge.
            number = self.start().0;
            begins = self.whole().saturating_sub(self.left(number, 0));
        }
        (self.next, self.part, self.restart, self.misses) = (number, 0, false, 0);
        // With parts, a live position may be one more segment away from the end.
        let segments = 1 + u32::from(self.has_parts());
        let usual = self.hold_back() + self.media.target_duration * segments;
        self.behind = self.live && self.media.from(number) > usual;
        self.unpack.restart();
        (self.begun, self.overlap, self.gap_since) = (None, None, None);
        self.gone + begins
    }

    /// Returns the position that is presented first after a seek to `to`, whose segment begins at
    /// `begins`. In a broadcast, it is not closer to the end than the hold-back.
    pub fn sought(&self, to: Duration, begins: Duration) -> Duration {
        let hold_back = if self.live { self.hold_back() } else { Duration::ZERO };
        to.min((self.gone + self.whole()).saturating_sub(hold_back)).max(begins)
    }

    fn start(&self) -> (u64, usize) {
        let hold_back = self.hold_back();
        if self.is_low() {
            self.media.part_before_end(hold_back)
        } else if self.live {
            (self.media.before_end(hold_back), 0)
        } else {
            (self.media.sequence, 0)
        }
    }

    /// Sets the next segment: the one with this number, or the nearest one.
    pub fn begin_at(&mut self, number: u64) {
        self.next = number.clamp(self.media.sequence, self.media.end());
        (self.part, self.restart) = (0, false);
    }

    /// Returns the position of the next segment in a recording; `None` in a broadcast.
    pub fn recorded_place(&self) -> Option<Duration> {
        (!self.live).then(|| self.place(self.next, 0))
    }

    /// Skips the next segment, because parts of it came from another variant.
    pub fn leave_segment(&mut self) {
        (self.next, self.part, self.restart) = (self.next + 1, 0, true);
        self.overlap = None;
    }

    /// Returns the next item, if available.
    fn piece(&mut self) -> Option<NextPart> {
        let (number, part) = (self.next, self.part);
        let segment = self.media.segment(number);
        if part == 0
            && let Some(segment) = segment.cloned()
        {
            self.next += 1;
            let hls::Segment { uri, range, map, key, discontinuity, gap, .. } = segment;
            let (part, ends) = (None, true);
            return Some(NextPart { number, uri, range, map, key, discontinuity, gap, part, ends });
        }
        let is_whole = segment.is_some();
        if let Some(found) = self.media.parts(number).get(part).cloned()
            && (is_whole || self.is_low())
        {
            self.part += 1;
            let hls::Part { uri, range, map, key, discontinuity, gap, .. } = found;
            let ends = is_whole && self.part == self.media.parts(number).len();
            let part = Some(part);
            return Some(NextPart { number, uri, range, map, key, discontinuity, gap, part, ends });
        }
        if is_whole {
            // All parts arrived, or the list no longer contains the parts of the segment.
            self.restart |= self.media.parts(number).len() != part;
            (self.next, self.part) = (number + 1, 0);
            return self.piece();
        }
        None
    }

    /// Returns the next segment or part, or `None` after the last.
    pub async fn next(&mut self, fetch: &mut Fetch) -> Result<Option<Arrival>, PullError> {
        if let Some(rest) = self.begun.take() {
            let piece = rest.piece.clone();
            match self.rest(fetch, rest).await {
                Ok(arrival) => return Ok(Some(arrival)),
                Err(problem) => {
                    let problem = self.kept(problem, &piece, false);
                    self.skip(fetch, &piece, problem).await?;
                }
            }
        }
        self.keep_current(fetch).await;
        loop {
            if self.next < self.media.sequence {
                // The list has moved past the next segment.
                tracing::debug!(
                    next = self.next,
                    first = self.media.sequence,
                    "segments have left the playlist"
                );
                // A viewer who paused is behind too.
                self.behind |= fetch.dvr_window.is_behind();
                let first = (self.media.sequence, 0);
                (self.next, self.part) = if self.behind { first } else { self.start() };
                self.restart = true;
            }
            let Some(piece) = self.piece() else {
                if self.media.ended {
                    return Ok(None);
                }
                if self.is_low() {
                    self.reload_part(fetch).await?;
                } else {
                    self.reload(fetch).await?;
                }
                continue;
            };
            if piece.gap {
                self.restart = true;
                self.check_gaps()?;
                continue;
            }
            let restart = self.restart;
            let came = match self.begin(fetch, &piece).await.transpose() {
                Some(came) => came,
                None => self.fetch(fetch, &piece).await,
            };
            match came {
                Ok(arrival) => {
                    (self.misses, self.gap_since) = (0, None);
                    self.readable |= arrival.events.iter().any(is_of_track);
                    return Ok(Some(arrival));
                }
                Err(problem) => {
                    let problem = self.kept(problem, &piece, restart);
                    self.skip(fetch, &piece, problem).await?;
                }
            }
        }
    }

    /// Returns the time after which a playlist without a change counts as ended.
    fn stale_timeout(&self) -> Duration {
        STALE_PLAYLIST_TIMEOUT.max(self.media.target_duration * 4)
    }

    /// Notes a gap. Fails if a live playlist has added only gaps for too long: after the buffered
    /// media has played, or soon if there is none.
    fn check_gaps(&mut self) -> Result<(), PullError> {
        let gaps = self.gap_since.get_or_insert_with(Instant::now).elapsed();
        let limit = if self.readable {
            self.stale_timeout().max(self.hold_back())
        } else {
            STALE_PLAYLIST_TIMEOUT
        };
        if !self.live || gaps <= limit {
            return Ok(());
        }
        let why = problem!("play-playlist-gaps", seconds = gaps.as_secs());
        Err(PullError::Failed(Failure::new(FailureKind::NoSuchStream, why)))
    }

    /// Skips an item that is missing, or one that is unreadable although media was read before.
    ///
    /// # Errors
    /// Returns `problem` if it has another cause, or after too many skipped segments.
    async fn skip(
        &mut self,
        fetch: &mut Fetch,
        piece: &NextPart,
        problem: PullError,
    ) -> Result<(), PullError> {
        let can_skip = match &problem {
            PullError::Net(error) => matches!(error.cause, Cause::Answer { .. }),
            PullError::Failed(failure) => self.readable && failure.kind == FailureKind::Unreachable,
            PullError::Stalls(_) => false,
        };
        if !can_skip {
            return Err(problem);
        }
        self.misses += 1;
        self.restart = true;
        if piece.part.is_some() {
            self.trust.broken("a part is missing at its announced address, or unreadable");
        } else if self.misses >= MAX_MISSING_SEGMENTS {
            return Err(problem);
        }
        tracing::debug!(?problem, piece.number, "skipped a missing or unreadable segment");
        if self.live && self.loaded.elapsed() > self.media.target_duration {
            // The segment may have left the list.
            self.refresh(fetch).await?;
        }
        Ok(())
    }

    /// Keeps the item as the next one after a stalled request, for this or another variant.
    fn kept(&mut self, problem: PullError, piece: &NextPart, restart: bool) -> PullError {
        if matches!(problem, PullError::Stalls(_)) {
            (self.next, self.part) = (piece.number, piece.part.unwrap_or(0));
            self.restart |= restart;
        }
        problem
    }

    async fn fetch(&mut self, fetch: &mut Fetch, piece: &NextPart) -> Result<Arrival, PullError> {
        let restart = std::mem::take(&mut self.restart) || piece.discontinuity;
        if restart {
            self.unpack.restart();
        }
        let map = match &piece.map {
            Some(map) => Some(fetch.map(&self.url, map).await?),
            None => None,
        };
        let began = Instant::now();
        let place: FetchRange = (join(&self.url, &piece.uri)?, piece.range);
        let early = PrefetchedPart::take(&mut self.early, &place);
        let is_early = early.is_some();
        let data = match early {
            Some(data) => Ok(data),
            None => fetch.piece(&place).await,
        };
        let data = match data {
            Ok(data) => data,
            Err(problem) => {
                self.restart = restart;
                return Err(problem);
            }
        };
        let took = began.elapsed();
        let (bytes, size) = (if is_early { 0 } else { data.len() }, data.len());
        let key = piece.key.as_deref();
        let (data, decryption) = fetch.open(&self.url, data, key, piece.number).await?;
        let events = self.unpack.read(&data, map.as_ref(), piece.ends, decryption.as_ref())?;
        Ok(Arrival { bytes, size, took, ..self.arrival(piece, events, restart) })
    }

    /// Makes an arrival from a part, or from the beginning of a segment.
    fn arrival(
        &mut self,
        piece: &NextPart,
        mut events: Vec<StreamEvent>,
        restart: bool,
    ) -> Arrival {
        let at = (piece.number, piece.part.unwrap_or(0));
        let overlap = self.overlap.take().filter(|(number, _)| *number == at.0);
        let played = overlap.map_or(Duration::ZERO, |(_, played)| played);
        let skipped = if played.is_zero() || piece.part.is_some() {
            Duration::ZERO
        } else {
            skip_played(&mut events, played)
        };
        // Repeated frames do not continue the previous ones.
        let restart = restart || played > skipped + MAX_BOUNDARY_ERROR;
        let left = self.left(at.0, at.1).saturating_sub(skipped);
        let edge = self.live.then_some((self.changed, left));
        let range = WindowRange {
            from: self.gone,
            until: self.gone + self.whole(),
            grows: !self.media.ended,
            slides: !self.media.keeps_all,
        };
        let listed = self.live.then_some((self.changed, range));
        let place = Some(self.place(at.0, at.1) + skipped);
        let made = self.media.made(at.0, at.1).filter(|_| self.live);
        let made = made.map(|made| (Timestamp::from_micros(made) + skipped).as_micros());
        Arrival { events, restart, edge, place, made, listed, ..Arrival::default() }
    }

    /// Returns the first frame of a segment and the data before it, as soon as they arrive. Returns
    /// nothing if that is impossible: the segment is then loaded normally.
    async fn begin(
        &mut self,
        fetch: &mut Fetch,
        piece: &NextPart,
    ) -> Result<Option<Arrival>, PullError> {
        let plain = piece.part.is_none() && piece.range.is_none();
        let clear = piece.map.is_none() && piece.key.is_none();
        if !std::mem::take(&mut self.hurry) || !plain || !clear {
            return Ok(None);
        }
        let (url, since) = (join(&self.url, &piece.uri)?, Instant::now());
        let mut look = SegmentProbe::default();
        let begun = fetch.begin(&url, &mut |data| look.take(data)).await?;
        let events = look.events();
        let Some(begun) = begun else { return Ok(None) };
        let restart = std::mem::take(&mut self.restart) || piece.discontinuity;
        if restart {
            self.unpack.restart();
        }
        let rest = PartialSegment {
            piece: piece.clone(),
            place: (url, piece.range),
            begun,
            given: events.len(),
            since,
        };
        if events.is_empty() {
            let whole = self.rest(fetch, rest).await?;
            let Arrival { events, bytes, size, took, .. } = whole;
            let arrival = self.arrival(piece, events, restart);
            return Ok(Some(Arrival { bytes, size, took, ..arrival }));
        }
        self.begun = Some(rest);
        Ok(Some(self.arrival(piece, events, restart)))
    }

    /// Loads the rest of a segment.
    async fn rest(
        &mut self,
        fetch: &mut Fetch,
        rest: PartialSegment,
    ) -> Result<Arrival, PullError> {
        let PartialSegment { piece, place, begun, given, since } = rest;
        let data = match fetch.rest(begun).await? {
            Some(data) => data,
            None => fetch.piece(&place).await?,
        };
        let (bytes, size, took) = (data.len(), data.len(), since.elapsed());
        self.unpack.begin_anew();
        let mut events = self.unpack.read(&data, None, piece.ends, None)?;
        let mut left = given;
        events.retain(|event| {
            let was_given = left > 0 && is_of_track(event);
            left -= usize::from(was_given);
            !was_given
        });
        Ok(Arrival { events, bytes, size, took, ..Arrival::default() })
    }

    /// Reloads the playlist after the required pause.
    async fn reload(&mut self, fetch: &mut Fetch) -> Result<(), PullError> {
        let target = self.media.target_duration;
        // The pause is shorter after a list without changes.
        let pause = if self.changed == self.loaded { target } else { target / 2 };
        sleep_until(self.loaded + pause.clamp(MIN_PLAYLIST_INTERVAL, STALE_PLAYLIST_TIMEOUT)).await;
        self.refresh(fetch).await
    }

    /// Reloads the playlist.
    pub(super) async fn refresh(&mut self, fetch: &mut Fetch) -> Result<(), PullError> {
        self.refresh_within(fetch, fetch.limits.quiet).await
    }

    /// Works like [`refresh`](Self::refresh), but with this time limit for silence.
    pub(super) async fn refresh_within(
        &mut self,
        fetch: &mut Fetch,
        quiet: Duration,
    ) -> Result<(), PullError> {
        let (text, from) = fetch.playlist_within(&self.url, quiet).await?;
        let media = media(&text, None)?;
        self.take_list(text, &from, media)
    }

    /// Applies a playlist that was loaded from `from`.
    pub(super) fn take_list(
        &mut self,
        text: Bytes,
        from: &WebUrl,
        media: Media,
    ) -> Result<(), PullError> {
        (self.url, self.loaded) = (from.asking(&[]), Instant::now());
        let stale = self.changed.elapsed();
        if text == self.text || self.is_earlier(&media) {
            if stale > self.stale_timeout() {
                let why = problem!("play-playlist-stale", seconds = stale.as_secs());
                return Err(PullError::Failed(Failure::new(FailureKind::Lost, why)));
            }
            return Ok(());
        }
        if self.has_parts() && !media.is_low_latency() && !media.ended {
            self.trust.broken("the playlist has no parts any more");
        }
        (self.text, self.changed) = (text, self.loaded);
        let anew = media.end() < self.next;
        let kept = if anew { Duration::ZERO } else { self.media.from(media.sequence) };
        self.gone += self.media.duration().saturating_sub(kept);
        if !anew && media.sequence > self.media.end() {
            // After a long pause, segments have come and gone unseen. The end of the playlist has
            // advanced by the time since the last change.
            self.gone += stale.saturating_sub(media.duration());
        }
        let before = if anew { Duration::ZERO } else { self.longest_target };
        self.longest_target = media.target_duration.max(before);
        self.media = media;
        if anew {
            // The sequence numbers restarted: this is another broadcast.
            (self.next, self.part) = self.start();
            self.restart = true;
        }
        Ok(())
    }

    /// Returns true if this is an earlier version of the playlist, as caches with different ages
    /// return it: it ends earlier, and the segments that both versions list are the same. After a
    /// while, it is a broadcast that began again with the same names.
    fn is_earlier(&self, media: &Media) -> bool {
        let mut both = media.sequence.max(self.media.sequence)..media.end();
        let same = |number| match (media.segment(number), self.media.segment(number)) {
            (Some(its), Some(known)) => {
                let made = its.made.zip(known.made);
                its.uri == known.uri
                    && its.range == known.range
                    && made.is_none_or(|(its, known)| apart(its, known) < MAX_DATE_ERROR)
            }
            _ => false,
        };
        let is_recent = self.changed.elapsed() < self.media.target_duration * 4;
        is_recent && media.end() < self.media.end() && !both.is_empty() && both.all(same)
    }
}
