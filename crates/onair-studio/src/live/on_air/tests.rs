//! Tests that a broadcast also handles an output that is not one of the studio's own: a packager
//! that counts segments.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use parking_lot::Mutex;

use super::*;
use crate::audio::AudioChoice;
use crate::base::Latest;
use crate::base::queue::{self, Full};
use crate::broadcast::{LinkEstimate, Output, OutputState, SharedPacket, Sink};
use crate::media::playback_control::EndBehavior;
use crate::media::{ExtraTrack, Track};
use crate::mix::{Strip, StripId};
use crate::net::Runtime;
use crate::studio::event;
use crate::studio::live::outputs::LiveOutput;
use crate::studio::live::recording::RecordingChoices;
use crate::studio::live::recording::audio_tracks::TrackNames;
use crate::studio::notices::message::StudioMessage;
use crate::studio::sources::open::SourceOpener;
use crate::wire::rtmp::url::Url;

const TEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A packager that begins a segment with every keyframe.
#[derive(Debug, Default)]
struct Packager {
    segments: AtomicUsize,
    packets: AtomicUsize,
    stopped: AtomicBool,
    stream_ended: AtomicBool,
}

impl Sink for Packager {
    fn offer(&self, packet: &Arc<SharedPacket>) {
        self.packets.fetch_add(1, Ordering::SeqCst);
        self.segments.fetch_add(usize::from(packet.starts_gop()), Ordering::SeqCst);
    }

    fn end(&self) {
        self.stream_ended.store(true, Ordering::SeqCst);
    }
}

#[derive(Debug)]
struct PackagerOutput {
    packager: Arc<Packager>,
    reported: usize,
}

impl PackagerOutput {
    fn message(&self, text: &str) -> OutputNews {
        let (host, text) = ("packager".to_owned(), text.to_owned());
        OutputNews::Message(StudioMessage::ServerSays { host, text })
    }
}

impl Output for PackagerOutput {
    fn state(&self) -> OutputState {
        match self.packager.stopped.load(Ordering::SeqCst) {
            true => OutputState::Ended,
            false => OutputState::Running,
        }
    }

    fn estimate(&self) -> Option<LinkEstimate> {
        Some(LinkEstimate { carried: 1_000_000, ..LinkEstimate::default() })
    }

    fn backlog(&self) -> Duration {
        Duration::from_millis(20)
    }

    fn ask_to_stop(&self, _: Duration) {
        self.packager.stopped.store(true, Ordering::SeqCst);
    }

    fn stop(&mut self, limit: Duration) {
        self.ask_to_stop(limit);
    }
}

impl LiveOutput for PackagerOutput {
    fn output(&self) -> &dyn Output {
        self
    }

    fn output_mut(&mut self) -> &mut dyn Output {
        self
    }

    fn poll(&mut self, _: Timestamp) -> Vec<OutputNews> {
        let segments = self.packager.segments.load(Ordering::SeqCst);
        let new = segments - std::mem::replace(&mut self.reported, segments);
        (0..new).map(|_| self.message("segment")).collect()
    }

    fn last_words(&mut self) -> Vec<OutputNews> {
        vec![self.message("playlist ended")]
    }
}

/// An output with or without a link that notes how much time it gets to end.
#[derive(Debug)]
struct TimedOutput {
    state: OutputState,
    link: Option<LinkEstimate>,
    limits: Arc<Mutex<Vec<Duration>>>,
}

impl Output for TimedOutput {
    fn state(&self) -> OutputState {
        self.state
    }

    fn estimate(&self) -> Option<LinkEstimate> {
        self.link
    }

    fn backlog(&self) -> Duration {
        Duration::ZERO
    }

    fn ask_to_stop(&self, limit: Duration) {
        self.limits.lock().push(limit);
    }

    fn stop(&mut self, limit: Duration) {
        self.ask_to_stop(limit);
    }
}

impl LiveOutput for TimedOutput {
    fn output(&self) -> &dyn Output {
        self
    }

    fn output_mut(&mut self) -> &mut dyn Output {
        self
    }
}

fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < TEST_TIMEOUT, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Begins a broadcast of the test pattern.
fn begin(clock: Clock) -> (Program, OnAir) {
    let (size, keyframe_interval) = (Size::new(320, 180), Duration::from_millis(500));
    let quality = Quality { size, keyframe_interval, ..Quality::default() };
    let media = SourceOpener::opened_by(crate::capture::open_by);
    let mut program = Program::start(clock, &quality, Latest::default(), media).unwrap();
    assert!(program.select_video(crate::capture::VideoChoice::Test).is_none());
    assert!(program.select_audio(AudioChoice::Tone, EndBehavior::Loop).is_none());
    let (on_air, _) = OnAir::begin(&program, &quality, clock).unwrap();
    (program, on_air)
}

/// Ends a broadcast with its late audio.
fn end(program: &Program, on_air: OnAir) {
    program.detach(ProgramId::MAIN, OnAir::max_audio_wait(false));
    let (sender, _words) = queue::bounded("last words", 16, Full::DropOldest);
    assert!(on_air.end(false, sender).unwrap().join(TEST_TIMEOUT).is_ok());
}

#[test]
fn a_file_on_a_slow_disk_has_time_to_end_unless_onair_quits() {
    for (quits, file_limit) in [(false, FILE_END_TIMEOUT), (true, QUIT_FILE_END_TIMEOUT)] {
        let clock = Clock::start();
        let (program, mut on_air) = begin(clock);
        let limits: Arc<Mutex<Vec<Duration>>> = Arc::default();
        for link in [None, Some(LinkEstimate::default())] {
            let (state, limits) = (OutputState::Running, Arc::clone(&limits));
            on_air.outputs.add(TimedOutput { state, link, limits });
        }
        program.detach(ProgramId::MAIN, OnAir::max_audio_wait(false));
        let (sender, _words) = queue::bounded("last words", 16, Full::DropOldest);
        assert!(on_air.end(quits, sender).unwrap().join(TEST_TIMEOUT).is_ok());
        // The targets do not wait for the file.
        let [link, file] = [OUTPUTS_END_TIMEOUT, file_limit];
        assert_eq!(*limits.lock(), [link, file, link, file]);
        program.end();
    }
}

#[test]
fn a_target_that_is_not_live_stops_before_the_late_audio() {
    for (state, requests) in
        [(OutputState::Running, 2), (OutputState::Starting, 3), (OutputState::Recovering, 3)]
    {
        let clock = Clock::start();
        let (program, mut on_air) = begin(clock);
        let limits: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let (link, its_limits) = (Some(LinkEstimate::default()), Arc::clone(&limits));
        on_air.outputs.add(TimedOutput { state, link, limits: its_limits });
        end(&program, on_air);
        assert_eq!(*limits.lock(), vec![OUTPUTS_END_TIMEOUT; requests], "{state:?}");
        program.end();
    }
}

#[test]
fn the_end_waits_for_late_audio_only_if_an_output_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::start();
    let (program, mut on_air) = begin(clock);
    assert_eq!(on_air.late_audio_wait(false), Duration::ZERO);
    let replay = Some(Duration::from_secs(10));
    let choices = RecordingChoices { replay, ..RecordingChoices::default() };
    on_air.keep_replay(&choices);
    let (state, link) = (OutputState::Recovering, Some(LinkEstimate::default()));
    on_air.outputs.add(TimedOutput { state, link, limits: Arc::default() });
    assert_eq!(on_air.late_audio_wait(false), Duration::ZERO);
    let (path, names) = (folder.path().join("show.mp4"), TrackNames::default());
    on_air.record(&path, &choices, None, (ExtraTracks::NONE, &names), &program, None).unwrap();
    assert_eq!(on_air.late_audio_wait(false), Duration::MAX);
    assert_eq!(on_air.late_audio_wait(true), late_audio::QUIT_AUDIO_WAIT);
    let ending = on_air.take_recording();
    assert_eq!(on_air.late_audio_wait(false), Duration::MAX, "the recording is ending");
    drop(ending);
    assert_eq!(on_air.late_audio_wait(false), Duration::ZERO);
    end(&program, on_air);
    program.end();
}

/// The DTS of the last packets of video and audio.
#[derive(Default)]
struct LastTimes(Mutex<[Timestamp; 2]>);

impl Sink for LastTimes {
    fn offer(&self, packet: &Arc<SharedPacket>) {
        self.0.lock()[usize::from(packet.track != Track::Video)] = packet.dts;
    }

    fn end(&self) {}
}

#[test]
fn a_broadcast_with_late_audio_has_audio_until_its_end() {
    let clock = Clock::start();
    let (program, on_air) = begin(clock);
    let strip = Strip { offset_us: -1_000_000, ..Strip::default() };
    program.mixer().set_strip(StripId::MAIN, strip);
    await_that("the delay", || program.mixer().lag() == Duration::from_secs(1));
    on_air.set_audio_delay(program.mixer().lag());
    let last = Arc::new(LastTimes::default());
    on_air.hub().attach(&last);
    await_that("audio", || last.0.lock()[1] > Timestamp::ZERO);
    let asked = clock.now();
    end(&program, on_air);
    let [video, audio] = *last.0.lock();
    let packets = Duration::from_millis(200);
    assert!(audio + packets >= asked.max(video), "{audio:?} and {video:?}, not {asked:?}");
    program.end();
}

#[test]
fn the_extra_tracks_of_a_recording_are_encoded_until_it_has_ended() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::start();
    let (program, mut on_air) = begin(clock);
    let tracks = ExtraTracks::NONE.with(ExtraTrack::new(2).unwrap(), true);
    let (path, names) = (folder.path().join("show.mp4"), TrackNames::default());
    let choices = RecordingChoices::default();
    on_air.record(&path, &choices, None, (tracks, &names), &program, None).unwrap();
    let encoded = |on_air: &OnAir| {
        on_air.extras.as_ref().map(|extras| extras.audio_tracks(None, tracks, &names).wanted())
    };
    assert_eq!(encoded(&on_air), Some(tracks));
    let mut ending = on_air.take_recording();
    on_air.follow_tracks(tracks, &program).unwrap();
    assert_eq!(encoded(&on_air), Some(tracks), "the last audio of the track is missing");
    ending.stop(TEST_TIMEOUT, TEST_TIMEOUT, drop);
    drop(ending);
    on_air.follow_tracks(tracks, &program).unwrap();
    assert_eq!(encoded(&on_air), Some(ExtraTracks::NONE));
    end(&program, on_air);
    program.end();
}

#[test]
fn viewers_may_ask_for_keyframes_unless_the_stream_is_delayed() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::start();
    let (program, mut on_air) = begin(clock);
    let request = on_air.keyframe_request().cloned();
    assert!(request.is_some());
    assert_eq!(on_air.keyframe_request(), request.as_ref(), "the server gets it once");
    on_air.start_stream_delay(Duration::from_secs(5), folder.path().to_owned(), clock).unwrap();
    assert!(on_air.keyframe_request().is_none(), "a keyframe would arrive 5 s later");
    end(&program, on_air);
    program.end();
}

#[test]
fn the_second_encode_ends_after_its_target_has_ended() {
    let clock = Clock::start();
    let (program, mut on_air) = begin(clock);
    on_air.set_quality(&Quality { adapt: Adapt::SecondRendition, ..Quality::default() });
    let runtime = Runtime::start().unwrap();
    // Nothing listens on this port.
    let target = publisher::Target::new(Url::parse("rtmp://127.0.0.1:1/app/key").unwrap());
    let wanted = [1, 2, 3].map(|id| WantedTarget {
        id,
        label: format!("host{id}"),
        built_in: false,
        floor: None,
        mix: None,
        tracks: crate::media::ExtraTracks::NONE,
        renditions: Vec::new(),
        target: target.clone(),
    });
    assert!(on_air.publish(&runtime, clock, wanted.into()).is_empty());
    let terms = Terms { second: true, alone: false, sends: true };
    for step in 0..60 {
        let at = Timestamp::from_millis(step * 250);
        let (queued, silent) = (Duration::from_secs(1), Duration::ZERO);
        let sample = Sample { at, live: true, queued, carried: 700_000, silent };
        let (built_in, floor, reconnecting) = (false, None, false);
        let slow = TargetSample { id: 2, built_in, floor, reconnecting, sample };
        on_air.adaptation.update(at, std::iter::once(slow), terms);
    }
    assert!(on_air.second().is_some());
    let slow = on_air.targets().find(|it| it.id == 2).unwrap();
    assert!(slow.publisher.stop(TEST_TIMEOUT).state.is_over());
    on_air.adapt(Timestamp::from_millis(30_000), &program);
    assert_eq!(on_air.second(), None);
    end(&program, on_air);
    program.end();
}

#[test]
fn after_a_change_of_the_wanted_frame_rate_only_whole_seconds_count() {
    let clock = Clock::start();
    let (program, mut on_air) = begin(clock);
    let is_encoding =
        |on_air: &OnAir| on_air.video.as_ref().is_some_and(|video| video.figures().encoded > 0);
    await_that("a frame", || is_encoding(&on_air));
    let mut at = clock.now();
    let mut is_pending_after_second = |on_air: &mut OnAir| {
        at += Duration::from_secs(1);
        on_air.stats(None, (0.0, 0), at);
        on_air.live_figures().fps_pending
    };
    assert!(is_pending_after_second(&mut on_air), "the second of the first frames");
    assert!(!is_pending_after_second(&mut on_air));
    // The connection was slow, and carries every frame again.
    on_air.frame_step = 2;
    on_air.set_quality(&Quality::default());
    assert!(on_air.live_figures().fps_pending, "every other frame was encoded");
    assert!(is_pending_after_second(&mut on_air), "the second of the change");
    assert!(!is_pending_after_second(&mut on_air));
    // The same frame rate again changes nothing.
    on_air.set_quality(&Quality::default());
    assert!(!on_air.live_figures().fps_pending);
    end(&program, on_air);
    program.end();
}

#[test]
fn an_output_of_any_kind_is_watched_and_stopped_with_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::start();
    let (program, mut on_air) = begin(clock);

    let packager = Arc::new(Packager::default());
    on_air.hub().attach(&packager);
    on_air.outputs.add(PackagerOutput { packager: Arc::clone(&packager), reported: 0 });
    let replay = Some(Duration::from_secs(10));
    let choices = RecordingChoices { replay, ..RecordingChoices::default() };
    on_air.keep_replay(&choices);
    let (path, names) = (folder.path().join("show.mp4"), TrackNames::default());
    on_air.record(&path, &choices, None, (ExtraTracks::NONE, &names), &program, None).unwrap();

    let mut segments = 0;
    await_that("two segments", || {
        let is_message = |news: &OutputNews| matches!(news, OutputNews::Message(_));
        segments += on_air.poll(clock.now()).iter().filter(|news| is_message(news)).count();
        segments >= 2
    });
    assert!(packager.packets.load(Ordering::SeqCst) > 2, "audio too");
    let sample =
        Sample::of(&PackagerOutput { packager: Arc::clone(&packager), reported: 0 }, clock.now());
    assert!(sample.live && sample.carried == 1_000_000 && sample.queued.as_millis() == 20);
    await_that("a clip", || on_air.clip(ExtraTracks::NONE, &names).is_some());
    let replay = Some(Duration::from_secs(20));
    on_air.keep_replay(&RecordingChoices { replay, ..choices });
    let is_kept = on_air.clip(ExtraTracks::NONE, &names).is_some();
    assert!(is_kept, "a longer buffer keeps its contents");
    assert!(on_air.recording().is_some_and(|it| it.recorder.state() == OutputState::Running));

    program.detach(ProgramId::MAIN, OnAir::max_audio_wait(false));
    let (sender, words) = queue::bounded("last words", 16, Full::DropOldest);
    let worker = on_air.end(false, sender).unwrap();
    assert!(worker.join(TEST_TIMEOUT).is_ok());
    assert!(packager.stopped.load(Ordering::SeqCst));
    assert!(packager.stream_ended.load(Ordering::SeqCst));
    let words: Vec<Event> = words.waiting().collect();
    let finished = |it: &event::Recording| it.state == event::RecordingState::Finished;
    let [Event::Notice(_), Event::Recording(recording), Event::Totals(totals)] = &words[..] else {
        panic!("{words:?}")
    };
    assert!(finished(recording));
    assert!(totals.video.is_some_and(|(frames, keyframes)| frames >= keyframes && keyframes > 0));
    program.end();
}
