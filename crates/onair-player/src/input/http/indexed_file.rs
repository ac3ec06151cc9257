//! An MP4, Matroska or audio file on a web server. The index and samples load on demand at any
//! position, with the same result as for a local file. Without range support, the file plays as it
//! arrives.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::base::Timestamp;
use crate::files::samples::{self, sample};
use crate::media::StreamEvent;
use crate::net::web::{Flow, WebUrl};
use crate::player::demux::file_samples::{is_needed, span, start_of, unplayable_at};
use crate::player::input::file::{FIRST_DTS_MICROS, micros};
use crate::player::input::http::index_seek::{IndexedPlace, SEEK_TIMEOUT, Search, last_unit};
use crate::player::input::http::pull_error::PullError;
use crate::player::input::http::range::blocks::{Blocks, RangeSupport};
use crate::player::input::http::request::{Item, PullRequest};
use crate::player::input::http::sniff;
use crate::player::state::{Failure, FailureKind};
use crate::problems::ToProblem;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::{self, Demuxer, Error, Format, Index, SampleLocation, TrackId};

/// Number of samples that suffice to determine when video and audio begin.
const TRACK_START_SAMPLES: usize = 24;

/// A file on a web server that is read by its index.
#[derive(Debug)]
pub(super) struct IndexedFile {
    url: WebUrl,
    reader: Box<dyn Demuxer>,
    blocks: Blocks,
    next: Next,
    /// Start of the file on its own timeline, in microseconds.
    begins: i64,
    /// Duration of the file in microseconds.
    length: Option<i64>,
    /// Items to return first.
    first: VecDeque<Item>,
    /// True once playback has begun.
    begun: bool,
    /// True once it was reported how long the file is, or that seeking is impossible.
    is_reported: bool,
    /// Number of chained audio streams that have begun.
    links: usize,
    /// The requested position.
    wanted: Option<Duration>,
    /// The search for the requested position.
    search: Option<Box<Search>>,
}

/// The next samples.
#[derive(Debug)]
enum Next {
    /// All samples are known. The [needed](is_needed) samples begin with this number.
    Whole { number: usize, start: (usize, Timestamp) },
    /// These samples, and then the following ones, if any.
    On { places: VecDeque<SampleLocation>, goes_on: bool },
}

impl IndexedFile {
    /// Opens a file from `flow`, and reads its contents; `start` is the part that was already read.
    /// `whole` is the total length in bytes, if known.
    pub async fn open(
        format: Option<Format>,
        flow: Flow,
        start: &[u8],
        whole: Option<u64>,
        ask: &PullRequest,
    ) -> Result<Self, PullError> {
        let url = flow.url().clone();
        let unknown = sniff::unknown(start, &flow);
        let mut blocks = Blocks::new(flow, start, whole, ask);
        let to_pull_error = |error: &Error| PullError::Failed(unplayable_at(&url, error));
        let mut begun = None;
        let mut reader = loop {
            match begin(format, &mut begun, &mut blocks) {
                Ok(reader) => break reader,
                // The file only resembled the format.
                Err(Error::UnknownFormat) => return Err(unknown),
                Err(error) if !error.is_missing() => return Err(to_pull_error(&error)),
                Err(_) => {}
            }
            if let Err(problem) = blocks.bring().await {
                let blind = begun.as_ref().is_some_and(|reader| reader.is_blind());
                return Err(match problem {
                    PullError::Failed(_) if blind && blocks.gives() == RangeSupport::Whole => {
                        PullError::file(problem!("play-index-at-end"))
                    }
                    other => other,
                });
            }
        };
        let mut places = Vec::new();
        let mut goes_on = !reader.is_whole();
        // After this loop, both tracks have begun.
        while goes_on && !has_begun(reader.as_ref(), &places) {
            match reader.read_on(&mut blocks, &mut places) {
                Ok(more) => goes_on = more,
                Err(error) if error.is_missing() => blocks.bring().await?,
                Err(error) => return Err(to_pull_error(&error)),
            }
        }
        let all = if reader.is_whole() { &reader.index().samples } else { &places };
        let shown_from = reader.index().shown_from;
        let mut seen = span(all, shown_from).ok_or_else(|| PullError::Failed(nothing(&url)))?;
        if let Some(begins) = reader.audible_from() {
            seen.begins = begins.as_micros();
        }
        let mut length = reader.is_whole().then(|| seen.micros());
        let from = |end: Timestamp| end.as_micros().saturating_sub(seen.begins);
        if length.is_none() {
            length = reader.end().map(from).filter(|length| *length > 0);
        }
        if length.is_none() && blocks.answer().await == RangeSupport::Parts {
            // The file can play without a known length.
            let end = timeout(SEEK_TIMEOUT, end(reader.as_ref(), &mut blocks)).await;
            length = end.ok().flatten().map(from).filter(|length| *length > 0);
            blocks.leave();
        }
        let next = if reader.is_whole() {
            let begins = Timestamp::from_micros(seen.begins);
            let start = shown_from.and_then(|_| start_of(all, begins));
            Next::Whole { number: 0, start: start.unwrap_or((0, Timestamp::from_micros(i64::MIN))) }
        } else {
            Next::On { places: places.into(), goes_on }
        };
        Ok(Self {
            url,
            reader,
            blocks,
            next,
            begins: seen.begins,
            length,
            first: VecDeque::new(),
            links: 0,
            begun: false,
            is_reported: false,
            wanted: None,
            search: None,
        })
    }

    /// Returns the name of the format.
    pub fn format(&self) -> &'static str {
        self.reader.name()
    }

    /// Returns the contents of the file.
    pub fn index(&self) -> &Index {
        self.reader.index()
    }

    /// Returns the duration, if it is known and seeking is possible.
    pub fn duration(&mut self) -> Option<Duration> {
        let length = self.length.filter(|_| self.blocks.gives() == RangeSupport::Parts)?;
        u64::try_from(length).ok().map(Duration::from_micros)
    }

    /// Returns the duration, as declared or as found on the server.
    pub fn length(&self) -> Option<Duration> {
        u64::try_from(self.length?).ok().map(Duration::from_micros)
    }

    /// Returns the duration after waiting for the server's answer about ranges. This function is
    /// cancel-safe.
    pub async fn settle(&mut self) -> Option<Duration> {
        // After a failure, only a need for the answer repeats the request.
        if self.blocks.unanswered().is_none() {
            self.blocks.answer().await;
        }
        self.length()
    }

    /// Returns true if the server may support ranges.
    pub fn may_be_moved(&mut self) -> bool {
        self.length.is_some() && self.blocks.gives() != RangeSupport::Whole
    }

    /// Returns true during the search for a requested position. The search has a separate time
    /// limit.
    pub fn is_looking(&self) -> bool {
        self.search.is_some() || self.wanted.is_some()
    }

    /// Returns true if an interrupted download can continue, as far as is known.
    pub fn can_go_on(&mut self) -> bool {
        self.blocks.gives() != RangeSupport::Whole
    }

    /// Starts a seek to this position. Playback continues there once the position is found.
    pub fn seek(&mut self, to: Duration) {
        self.wanted = Some(to);
    }

    /// Returns the next item. After the end, seeking back is still possible. The call is
    /// cancel-safe and waits without a limit.
    pub async fn next(&mut self) -> Result<Item, PullError> {
        loop {
            if let Some(item) = self.first.pop_front() {
                return Ok(item);
            }
            if let Some(to) = self.wanted {
                // The range support of the server is not known yet.
                self.blocks.answer().await;
                self.wanted = None;
                if !self.begin_search(to) {
                    if let Some(error) = self.blocks.unanswered() {
                        return Ok(Item::Unmoved(error.with_peer()));
                    }
                    self.is_reported = true;
                    return Ok(Item::Unmoved(problem!("play-seek-from-start")));
                }
            }
            if let Some(search) = self.search.take() {
                if let Some(why) = self.look(search).await {
                    self.search = None;
                    return Ok(Item::Unmoved(why));
                }
                continue;
            }
            if !std::mem::replace(&mut self.begun, true) {
                let (raw, place) = (FIRST_DTS_MICROS, Duration::ZERO);
                // As after a seek, the frames before the start are decoded first.
                self.first.push_back(match self.reader.index().shown_from {
                    Some(_) => Item::Moved { raw, place, firm: true },
                    None => Item::Begin(raw),
                });
                self.begin();
                continue;
            }
            if let Some(item) = self.tell() {
                return Ok(item);
            }
            match self.body() {
                Ok(Some(item)) => return Ok(item),
                Ok(None) => {
                    // Seeking back from the end is possible once range support is known.
                    self.blocks.answer().await;
                    return Ok(self.tell().unwrap_or(Item::END));
                }
                Err(error) if error.is_missing() => self.blocks.bring().await?,
                Err(error) => return Err(PullError::Failed(unplayable_at(&self.url, &error))),
            }
        }
    }

    /// Returns an item with the new information about seeking, if any.
    fn tell(&mut self) -> Option<Item> {
        if self.is_reported {
            return None;
        }
        let item = match self.blocks.gives() {
            RangeSupport::Asking => return None,
            RangeSupport::Whole => Item::Fixed,
            RangeSupport::Parts => Item::Length(self.duration()?),
        };
        self.is_reported = true;
        Some(item)
    }

    /// Queues the skipped tracks and the codec configs.
    fn begin(&mut self) {
        let Self { first, reader, .. } = self;
        first.extend(samples::configs(reader.index()).map(Item::Event));
    }

    /// Returns the next event.
    fn body(&mut self) -> Result<Option<Item>, Error> {
        loop {
            let Self { reader, blocks, next, first, links, begins, .. } = self;
            let place = match next {
                Next::Whole { number, start } => {
                    let samples = reader.index().samples.iter().enumerate().skip(*number);
                    let plays =
                        |place: &SampleLocation| !matches!(place.track, TrackId::Audio(1..));
                    let mut needed =
                        samples.filter(|(number, it)| plays(it) && is_needed(*start, *number, it));
                    let Some((its, place)) = needed.next() else { return Ok(None) };
                    *number = its;
                    *place
                }
                Next::On { places, goes_on } => match places.front() {
                    Some(place) => *place,
                    None if !*goes_on => return Ok(None),
                    None => {
                        let mut found = Vec::new();
                        *goes_on = reader.read_on(blocks, &mut found)?;
                        places.extend(found);
                        continue;
                    }
                },
            };
            let index = reader.index();
            // Another chained audio stream begins with this sample.
            if let Some(link) = index.links.get(*links).filter(|link| place.at >= link.at) {
                *links += 1;
                let at = link
                    .audible_from
                    .as_micros()
                    .saturating_add(FIRST_DTS_MICROS.saturating_sub(*begins));
                first.push_back(Item::Event(samples::audio_config(&link.config)));
                return Ok(Some(Item::Seam(at)));
            }
            let packet = sample(blocks, index, &place)?;
            blocks.read_ahead(place.at.saturating_add(place.size.into()));
            match next {
                Next::Whole { number, .. } => *number += 1,
                Next::On { places, .. } => {
                    places.pop_front();
                }
            }
            let Some(mut packet) = packet else { continue };
            let shift = FIRST_DTS_MICROS.saturating_sub(*begins);
            (packet.dts, packet.pts) = (packet.dts.offset(shift), packet.pts.offset(shift));
            return Ok(Some(Item::Event(StreamEvent::Packet(packet))));
        }
    }

    /// Starts a search. Returns false if seeking is impossible.
    fn begin_search(&mut self, to: Duration) -> bool {
        self.search = None;
        self.blocks.leave();
        let Some(length) = self.duration() else { return false };
        let to = to.min(length);
        let at =
            |place: Duration| Timestamp::from_micros(self.begins.saturating_add(micros(place)));
        let reader = (!self.reader.is_whole()).then(|| self.reader.clone());
        self.search = Some(Box::new(Search::new(reader, to, at(to), at(length))));
        true
    }

    /// Continues the search, and then playback at the found position. Returns the problem if the
    /// search failed.
    async fn look(&mut self, mut search: Box<Search>) -> Option<Problem> {
        if search.began.elapsed() > SEEK_TIMEOUT {
            return Some(problem!("play-seek-slow", seconds = SEEK_TIMEOUT.as_secs()));
        }
        match search.step(&self.reader.index().samples, &mut self.blocks) {
            Ok(found) => {
                self.land(search.to, found);
                None
            }
            Err(error) if error.is_missing() => {
                // The wait takes place here, where it can be canceled.
                self.search = Some(search);
                self.blocks.bring().await.err().map(Problem::from)
            }
            Err(error) => Some(error.to_problem()),
        }
    }

    /// Continues at the found position.
    fn land(&mut self, place: Duration, found: IndexedPlace) {
        self.next = match found {
            IndexedPlace::Whole(start) => {
                let number = start.0;
                // The audio for the position may precede the frame.
                let samples = self.reader.index().samples.iter().enumerate();
                let mut needed = samples.filter(|(number, it)| is_needed(start, *number, it));
                let number = needed.next().map_or(number, |(number, _)| number);
                Next::Whole { number, start }
            }
            IndexedPlace::On(reader, places, goes_on) => {
                self.reader = reader;
                self.links = 0;
                Next::On { places: places.into(), goes_on }
            }
        };
        let at = match &self.next {
            Next::Whole { number, .. } => self.reader.index().samples.get(*number).copied(),
            Next::On { places, .. } => places.front().copied(),
        };
        if let Some(at) = at {
            self.blocks.go_on_at(at.at);
        }
        let raw = FIRST_DTS_MICROS.saturating_add(micros(place));
        self.begun = true;
        self.first = [Item::Moved { raw, place, firm: true }].into();
        self.begin();
    }
}

/// Creates the demuxer of a file from its header. If bytes are missing, `begun` keeps the state for
/// the next call.
fn begin(
    format: Option<Format>,
    begun: &mut Option<Box<dyn Demuxer>>,
    blocks: &mut Blocks,
) -> Result<Box<dyn Demuxer>, Error> {
    let mut reader = match begun.take() {
        Some(reader) => reader,
        None => container::open(format, blocks)?,
    };
    if let Err(error) = reader.head(blocks) {
        *begun = Some(reader);
        return Err(error);
    }
    Ok(reader)
}

/// Returns true if these samples show when the file begins.
fn has_begun(reader: &dyn Demuxer, places: &[SampleLocation]) -> bool {
    // An audio-only file declares its start.
    if reader.audible_from().is_some() {
        return !places.is_empty();
    }
    let tracks = &reader.index().tracks;
    let came = |track: TrackId| places.iter().any(|place| place.track == track);
    let has_video = tracks.video.is_none() || came(TrackId::Video);
    let has_audio = tracks.audio.is_empty() || came(TrackId::Audio(0));
    places.len() >= TRACK_START_SAMPLES && has_video && has_audio
        || places.len() >= TRACK_START_SAMPLES * 20
}

/// Finds the end of a file that does not declare it.
async fn end(reader: &dyn Demuxer, blocks: &mut Blocks) -> Option<Timestamp> {
    let mut reader = reader.boxed();
    let (mut places, mut landed, mut goes_on) = (Vec::new(), false, true);
    let began = Instant::now();
    while goes_on && began.elapsed() < SEEK_TIMEOUT {
        let mut step = || -> Result<bool, Error> {
            if !landed {
                reader.look_up(blocks)?;
                if reader.end().is_some() {
                    return Ok(false);
                }
                let Some(unit) = last_unit(reader.as_ref(), blocks)? else { return Ok(false) };
                reader.go_to(unit);
                landed = true;
            }
            reader.read_on(blocks, &mut places)
        };
        match step() {
            Ok(more) => goes_on = more,
            Err(error) if error.is_missing() => blocks.bring().await.ok()?,
            Err(_) => return None,
        }
    }
    reader.end().or_else(|| span(&places, None).map(|span| Timestamp::from_micros(span.ends)))
}

fn nothing(url: &WebUrl) -> Failure {
    Failure::new(FailureKind::File, problem!("play-nothing-in", place = url.to_string()))
}
