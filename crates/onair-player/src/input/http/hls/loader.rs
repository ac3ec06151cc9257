//! The task that plays from playlists: chooses the variant, follows it and its separate audio, and
//! passes on events in order of time.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::media::{StreamEvent, Track as MediaTrack, TrackConfig};
use crate::net::web::WebUrl;
use crate::player::buffer::pace::{BufferTarget, LiveDistance, PlayPace};
use crate::player::clock::of_track;
use crate::player::input::http::hls::audio_rendition::{self, AudioRendition};
use crate::player::input::http::hls::event_order::{end, in_order};
use crate::player::input::http::hls::fetch::{Fetch, Limits, MAX_SEGMENT_BYTES, join};
use crate::player::input::http::hls::follow::{Arrival, Track};
use crate::player::input::http::hls::variant_choice::{Bandwidth, first, is_playable, lesser};
use crate::player::input::http::pull_error::PullError;
use crate::player::input::http::request::{Item, PullRequest};
use crate::player::session::decode_budget::DecodeBudget;
use crate::player::state::{Failure, FailureKind};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::hls::{Master, Playlist, Variant, parse};

/// Audio is loaded first if it is further behind the video than this, in µs.
const MAX_AUDIO_LAG_MICROS: i64 = 20_000;
/// The stream ends after this many consecutive segments or parts without media, if they last this
/// long.
const MAX_EMPTY_SEGMENTS: u32 = 3;
const NO_MEDIA_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of audio segments per video segment.
const MAX_AUDIO_SEGMENTS: usize = 16;
/// Maximum size of a video segment with its audio, in bytes.
const MAX_BATCH_BYTES: usize = 2 * MAX_SEGMENT_BYTES;
/// Opening another variant may take half the duration of the buffer, but at least this time and at
/// most [`MAX_OPEN_TIMEOUT`].
const MIN_OPEN_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_OPEN_TIMEOUT: Duration = Duration::from_secs(3);
/// If a lower variant exists, a variant may stall for half the duration of the buffer, but at least
/// for this time and at most for [`MAX_STALL_TIMEOUT`].
const MIN_STALL_TIMEOUT: Duration = Duration::from_secs(2);
const MAX_STALL_TIMEOUT: Duration = Duration::from_secs(5);
/// A failed variant is not tried again for this long.
const FAILED_VARIANT_PAUSE: Duration = Duration::from_secs(60);
/// Tracks that are further apart than this, in µs, have different time origins.
const MAX_TRACK_DISTANCE_MICROS: i64 = 60_000_000;

/// The requested position, and the number of requests.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct LoaderRequest {
    pub number: u32,
    pub to: Duration,
}

/// The content of one segment, or the end of the playlist.
#[derive(Debug)]
pub(super) struct Batch {
    /// Number of the request to which the content belongs.
    pub request: u32,
    pub items: Vec<Item>,
}

/// See the module documentation.
#[derive(Debug)]
pub(super) struct Loader {
    fetch: Fetch,
    limits: Limits,
    master: Option<(WebUrl, Master)>,
    variant: usize,
    bandwidth: Bandwidth,
    main: Track,
    audio: Option<Track>,
    buffer: Arc<BufferTarget>,
    /// True after a seek: audio before the next frame belongs to the skipped part.
    moved: bool,
    /// The position that is presented first after a seek, until it is reported.
    sought: Option<Duration>,
    /// True if the playlist was followed part by part. The distance from the end then applies at
    /// once.
    was_low: bool,
    /// The last reported pace.
    reported_pace: Option<PlayPace>,
    decode_budget: Arc<DecodeBudget>,
    /// True if the next data has another codec.
    codec_changed: bool,
    /// URLs of failed variants, and the time until which they are not tried.
    left_out: Vec<(String, Instant)>,
    /// The last codec configs of video and audio, for streams whose audio has a separate playlist.
    configs: [Option<TrackConfig>; 2],
    /// The state of missing audio.
    missing_audio: Option<AudioRendition>,
    /// True if the audio has returned, but its return has not been reported yet.
    audio_returned: bool,
    /// The reason why the audio is missing from the beginning, until it is reported.
    silent: Option<Problem>,
}

impl Loader {
    /// Opens the first playlist.
    pub async fn open(text: &Bytes, url: &WebUrl, ask: &PullRequest) -> Result<Self, PullError> {
        Self::open_by(Fetch::new(ask), text, url, ask).await
    }

    /// Opens the playlist like [`open`](Self::open), with a given [`Fetch`].
    pub(super) async fn open_by(
        mut fetch: Fetch,
        text: &Bytes,
        url: &WebUrl,
        ask: &PullRequest,
    ) -> Result<Self, PullError> {
        let buffer = &ask.buffer;
        if let Ok(Playlist::Master(master)) = parse(text) {
            let can = |variant: &Variant| is_playable(variant, &ask.decode_budget);
            let variant = first(&master.variants, &can);
            let main = open_video(&mut fetch, url, &master, variant, buffer, None).await?;
            let opening = open_audio(&mut fetch, url, &master, variant, buffer, &main);
            let opened = match timeout(audio_rendition::patience(main.hold_back()), opening).await {
                // The video can be opened, so it plays alone.
                Ok(opened) => opened.map_err(Problem::from),
                Err(_) => Err(problem!("play-playlist-slow")),
            };
            let (audio, silent) = match opened {
                Ok(audio) => (audio, None),
                Err(why) => (None, Some(why)),
            };
            let master = Some((url.clone(), master));
            let mut loader = Self::of(fetch, master, variant, main, audio, ask);
            loader.missing_audio = silent.as_ref().map(|_| AudioRendition::default());
            loader.silent = silent;
            return Ok(loader);
        }
        let main = Track::new(url, text.clone(), buffer)?;
        Ok(Self::of(fetch, None, 0, main, None, ask))
    }

    fn of(
        fetch: Fetch,
        master: Option<(WebUrl, Master)>,
        variant: usize,
        main: Track,
        audio: Option<Track>,
        ask: &PullRequest,
    ) -> Self {
        let (bandwidth, was_low) = (Bandwidth::default(), main.has_parts());
        let (moved, reported_pace, codec_changed) = (false, None, false);
        let (buffer, decode_budget) = (Arc::clone(&ask.buffer), Arc::clone(&ask.decode_budget));
        let limits = fetch.limits;
        let mut loader = Self {
            fetch,
            limits,
            master,
            variant,
            bandwidth,
            main,
            audio,
            buffer,
            moved,
            sought: None,
            was_low,
            reported_pace,
            decode_budget,
            codec_changed,
            left_out: Vec::new(),
            configs: [None, None],
            missing_audio: None,
            audio_returned: false,
            silent: None,
        };
        loader.reported_pace = Some(loader.pace());
        loader
    }

    /// Returns the pace of playback.
    pub fn pace(&self) -> PlayPace {
        if !self.main.is_live() {
            return PlayPace::Recorded;
        }
        let (hold_back, least) = (self.main.hold_back(), self.main.least());
        PlayPace::Followed(LiveDistance { hold_back, least, at_once: self.was_low })
    }

    /// Returns the duration of a recording.
    pub fn duration(&self) -> Option<Duration> {
        (!self.main.is_live()).then(|| self.main.duration())
    }

    /// Reads from any requested position until the receiver is gone.
    pub async fn run(
        mut self,
        out: &mpsc::Sender<Result<Batch, PullError>>,
        mut requests: watch::Receiver<LoaderRequest>,
    ) -> Result<(), PullError> {
        let mut followed = 0;
        loop {
            let request = *requests.borrow_and_update();
            let before = std::mem::replace(&mut followed, request.number);
            let to = (before != request.number).then_some(request.to);
            // A new request aborts the current download.
            tokio::select! {
                biased;
                changed = requests.changed() => if changed.is_err() { return Ok(()) },
                ended = self.read(request.number, to, out) => return ended,
            }
        }
    }

    /// Loads from `to`, or from the current position, to the end, and waits there. It ends when the
    /// receiver is gone.
    async fn read(
        &mut self,
        request: u32,
        to: Option<Duration>,
        out: &mpsc::Sender<Result<Batch, PullError>>,
    ) -> Result<(), PullError> {
        if let Some(to) = to {
            self.seek(to).await;
        }
        // Without separate audio, a segment contains its audio, so the first frame does not wait for
        // the rest.
        self.main.hurry(self.audio.is_none());
        let mut bare = (0, Instant::now());
        while let Some(mut arrival) = self.next().await? {
            self.bandwidth.note(arrival.bytes, arrival.took);
            let lost = self.add_audio(&mut arrival).await?;
            let Ok(room) = out.reserve().await else { return Ok(()) };
            // The loader waits for nothing until the items are sent, so a seek loses no notice.
            let items = self.items(arrival, lost);
            let is_packet = |item: &Item| matches!(item, Item::Event(StreamEvent::Packet(_)));
            let holds = items.iter().any(is_packet);
            room.send(Ok(Batch { request, items }));
            // The time counts from here, because `reserve` waits for room in the channel.
            bare = if holds { (0, Instant::now()) } else { (bare.0 + 1, bare.1) };
            if bare.0 >= MAX_EMPTY_SEGMENTS && bare.1.elapsed() >= NO_MEDIA_TIMEOUT {
                let why = problem!("play-segments-empty");
                return Err(PullError::Failed(Failure::new(FailureKind::NoSuchStream, why)));
            }
            self.change().await;
            self.listen().await;
        }
        let items = vec![Item::END];
        if out.send(Ok(Batch { request, items })).await.is_err() {
            return Ok(());
        }
        pending().await
    }

    /// Moves to the segment at this position.
    async fn seek(&mut self, to: Duration) {
        let begins = self.main.seek(&mut self.fetch, to).await;
        self.sought = Some(self.main.sought(to, begins));
        if let Some(audio) = &mut self.audio {
            audio.seek(&mut self.fetch, begins).await;
        }
        self.moved = true;
    }

    /// Returns the next video segment, from a lower variant if the current one stalls.
    async fn next(&mut self) -> Result<Option<Arrival>, PullError> {
        if let Some(lesser) = self.lesser() {
            let patience = (self.main.hold_back() / 2).clamp(MIN_STALL_TIMEOUT, MAX_STALL_TIMEOUT);
            self.fetch.limits.quiet = patience.min(self.limits.quiet);
            let came = self.main.next(&mut self.fetch).await;
            self.fetch.limits = self.limits;
            let Err(PullError::Stalls(failure)) = came else { return came };
            tracing::info!(cause = %failure, "loading this variant failed");
            let (left, in_parts) = (self.variant, self.main.part > 0);
            if self.go_to(lesser).await {
                self.leave_out(left);
                if in_parts {
                    self.main.leave_segment();
                }
            }
        }
        // The other variant or, if that fails too, this one again.
        self.main.next(&mut self.fetch).await
    }

    /// Returns the next lower variant.
    fn lesser(&self) -> Option<usize> {
        self.choose(|variants, can| lesser(variants, self.variant, can))
    }

    /// Chooses among the playable variants.
    fn choose(
        &self,
        by: impl Fn(&[Variant], &dyn Fn(&Variant) -> bool) -> Option<usize>,
    ) -> Option<usize> {
        let (_, master) = self.master.as_ref()?;
        let can = |it: &Variant| is_playable(it, &self.decode_budget) && !self.is_out(it);
        // `by` may choose a failed variant if there is no other.
        let stays = |at: &usize| master.variants.get(*at).is_some_and(|it| !self.is_out(it));
        by(&master.variants, &can).filter(stays)
    }

    fn is_out(&self, variant: &Variant) -> bool {
        let now = Instant::now();
        self.left_out.iter().any(|(uri, until)| *until > now && *uri == variant.uri)
    }

    fn leave_out(&mut self, at: usize) {
        self.left_out.retain(|(_, until)| *until > Instant::now());
        let variant = self.master.as_ref().and_then(|(_, master)| master.variants.get(at));
        let until = Instant::now() + FAILED_VARIANT_PAUSE;
        self.left_out.extend(variant.map(|variant| (variant.uri.clone(), until)));
    }

    /// Adds its audio to a video segment. If the audio is missing, returns the reason and the
    /// number of the audio segment.
    async fn add_audio(
        &mut self,
        arrival: &mut Arrival,
    ) -> Result<Option<(Problem, u64)>, PullError> {
        // With parts, audio that comes with the next part of the video is not awaited.
        let part = self.main.part_target().map_or(0, |part| part.as_micros() / 2);
        let together = i64::try_from(part).unwrap_or(i64::MAX).max(MAX_AUDIO_LAG_MICROS);
        let until = Instant::now() + audio_rendition::patience(self.main.hold_back());
        let moved = self.moved;
        let Some(audio) = &mut self.audio else { return Ok(None) };
        let stands = audio.next;
        let last = end(&arrival.events);
        let first = arrival.events.iter().find_map(|it| it.packet_of(MediaTrack::Video));
        let first = first.map(|packet| packet.dts.as_micros());
        for _ in 0..MAX_AUDIO_SEGMENTS {
            // The rest is loaded with the next segment.
            if arrival.size + MAX_SEGMENT_BYTES > MAX_BATCH_BYTES {
                break;
            }
            let came = match timeout_at(until, audio.next(&mut self.fetch)).await {
                Ok(Err(problem)) => Err(audio_rendition::cause(problem)?),
                Ok(Ok(came)) => Ok(came),
                Err(_) => Err(problem!("play-audio-slow")),
            };
            let more = match came {
                Ok(Some(more)) => more,
                Ok(None) => break,
                Err(why) => return Ok(Some((why, stands))),
            };
            arrival.size += more.size;
            arrival.restart |= more.restart;
            let end = end(&more.events);
            let early = |event: &StreamEvent| {
                let audio = event.packet_of(MediaTrack::Audio).filter(|_| moved);
                audio.zip(first).is_some_and(|(audio, first)| {
                    (1..MAX_TRACK_DISTANCE_MICROS)
                        .contains(&first.saturating_sub(audio.dts.as_micros()))
                })
            };
            arrival.events.extend(more.events.into_iter().filter(|event| !early(event)));
            let (Some(last), Some(end)) = (last, end) else { break };
            let ahead = end.saturating_sub(last);
            if ahead >= -together || ahead.abs() > MAX_TRACK_DISTANCE_MICROS {
                break;
            }
        }
        Ok(None)
    }

    /// Returns the items of a segment. `lost` is the result of [`add_audio`](Self::add_audio).
    fn items(&mut self, arrival: Arrival, lost: Option<(Problem, u64)>) -> Vec<Item> {
        let Arrival { mut events, mut restart, edge, place, made, listed, .. } = arrival;
        self.moved = false;
        restart |= std::mem::take(&mut self.codec_changed);
        if self.audio.is_some() {
            in_order(&mut events);
            self.repeat_configs(&mut events, restart);
        }
        let mut items = Vec::with_capacity(events.len() + 8);
        if std::mem::take(&mut self.audio_returned) {
            items.push(Item::AudioReturned);
        }
        items.extend(self.silent.take().map(Item::AudioMissing));
        if let Some((why, stands)) = lost {
            tracing::info!(%why, "loading audio failed: video continues");
            self.audio = None;
            // The next segment number does not advance within parts.
            let video = self.main.next.saturating_sub(u64::from(self.main.part == 0));
            self.missing_audio =
                Some(AudioRendition::new(self.missing_audio.take(), video, stands));
            items.push(Item::AudioMissing(why));
        }
        let pace = self.pace();
        if self.reported_pace.replace(pace) != Some(pace) {
            items.push(Item::Pace(pace));
        }
        if restart {
            items.push(Item::Event(StreamEvent::Discontinuity));
        }
        items.extend(place.map(Item::Place));
        items.extend(self.sought.take().map(Item::Sought));
        items.extend(place.map(|_| Item::Made(made)));
        items.extend(listed.map(|(seen, range)| Item::Listed { seen, range }));
        items.extend(edge.map(|(seen, distance)| Item::Edge { seen, distance }));
        items.extend(events.into_iter().map(Item::Event));
        items
    }

    /// Resumes audio that has returned, from the next video segment on.
    async fn listen(&mut self) {
        if self.audio.is_some() || !self.main.is_between_segments() {
            return;
        }
        let url = self.audio_url();
        let Self { fetch, buffer, main, missing_audio, .. } = self;
        let Some((missing_audio, url)) = missing_audio.as_mut().zip(url) else { return };
        let number = missing_audio.number(main.next);
        if !missing_audio.comes(fetch, &url, buffer, (number, main.recorded_place())) {
            return;
        }
        let opening = Track::open(fetch, &url, buffer, Some(&*main));
        if let Ok(Ok(mut audio)) = timeout(MIN_OPEN_TIMEOUT, opening).await {
            audio.go_on_from(main, number);
            tracing::info!("audio is back");
            (self.audio, self.moved, self.audio_returned) = (Some(audio), true, true);
        }
    }

    /// Returns the URL of the separate audio playlist of the current variant, if any.
    fn audio_url(&self) -> Option<WebUrl> {
        let (url, master) = self.master.as_ref()?;
        let audio = master.audio_of(master.variants.get(self.variant)?)?;
        join(url, audio.uri.as_deref()?).ok()
    }

    /// Repeats the codec config of one playlist if only the other was interrupted.
    fn repeat_configs(&mut self, events: &mut Vec<StreamEvent>, restart: bool) {
        for config in self.configs.iter().flatten().filter(|_| restart) {
            let track = config.track();
            if let Some(at) = events.iter().position(|event| event.track() == Some(track))
                && let Some(StreamEvent::Packet(_)) = events.get(at)
            {
                events.insert(at, StreamEvent::Config(config.clone()));
            }
        }
        for event in &*events {
            if let StreamEvent::Config(config) = event {
                *of_track(&mut self.configs, config.track()) = Some(config.clone());
            }
        }
    }

    /// Switches the variant if the bandwidth requires it.
    async fn change(&mut self) {
        if !self.main.is_between_segments() {
            return;
        }
        let (line, now) = (&self.bandwidth, self.variant);
        let wanted = self.choose(|variants, can| Some(line.choose(variants, now, can)));
        if let Some(wanted) = wanted.filter(|wanted| *wanted != now) {
            self.go_to(wanted).await;
        }
    }

    /// Switches to another variant. Returns false if that variant cannot be opened in time; the
    /// current one then continues.
    async fn go_to(&mut self, wanted: usize) -> bool {
        let Some((url, master)) = &self.master else { return false };
        let quiet = (self.main.hold_back() / 2).clamp(MIN_OPEN_TIMEOUT, MAX_OPEN_TIMEOUT);
        // Missing audio does not prevent a switch of the video.
        let with_audio = self.missing_audio.is_none() || self.audio.is_some();
        let (fetch, buffer, now) = (&mut self.fetch, &self.buffer, Some(&self.main));
        let opening = async {
            let main = open_video(fetch, url, master, wanted, buffer, now).await?;
            let audio = if with_audio {
                open_audio(fetch, url, master, wanted, buffer, &main).await?
            } else {
                None
            };
            Ok::<_, PullError>((main, audio))
        };
        // One time limit for the whole switch, because playback must not run dry.
        match timeout(quiet, opening).await {
            Ok(Ok((mut main, audio))) => {
                tracing::info!(from = self.variant, to = wanted, "switching to another variant");
                let video = |at: usize| master.variants.get(at).map(Variant::video);
                self.codec_changed |= video(self.variant) != video(wanted);
                main.go_on_from(&self.main, self.main.next);
                let audio = audio.map(|mut new| {
                    // If the video contained the audio, the audio playlist continues at the video's
                    // position.
                    let other = self.audio.as_ref().unwrap_or(&self.main);
                    new.go_on_from(other, other.next);
                    new
                });
                self.moved |= audio.is_some() && self.audio.is_none();
                self.audio = audio;
                (self.main, self.variant) = (main, wanted);
                if !with_audio && self.audio_url().is_none() {
                    // The new variant contains its audio.
                    (self.missing_audio, self.audio_returned) = (None, true);
                }
                true
            }
            failed => {
                let problem = failed.ok().and_then(Result::err);
                tracing::debug!(?problem, ?quiet, "switching to another variant failed");
                self.leave_out(wanted);
                false
            }
        }
    }
}

/// Opens the video playlist of a variant, which can include its audio.
async fn open_video(
    fetch: &mut Fetch,
    url: &WebUrl,
    master: &Master,
    at: usize,
    buffer: &Arc<BufferTarget>,
    now: Option<&Track>,
) -> Result<Track, PullError> {
    let uri = master.variants.get(at).map_or("", |variant| variant.uri.as_str());
    Track::open(fetch, &join(url, uri)?, buffer, now).await
}

/// Opens the separate audio playlist, if any; `main` is the video playlist.
async fn open_audio(
    fetch: &mut Fetch,
    url: &WebUrl,
    master: &Master,
    at: usize,
    buffer: &Arc<BufferTarget>,
    main: &Track,
) -> Result<Option<Track>, PullError> {
    let audio = master.variants.get(at).and_then(|variant| master.audio_of(variant));
    let Some(uri) = audio.and_then(|audio| audio.uri.as_deref()) else { return Ok(None) };
    Track::open(fetch, &join(url, uri)?, buffer, Some(main)).await.map(Some)
}
