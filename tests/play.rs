//! Tests of the player with files made by ffmpeg and with a real server: the frames it shows, the
//! audio it plays, the files it writes and the events it reports. Times come from the player's own
//! clock. Only generous time limits decide whether a test passes.

mod obs;
mod sooner;
mod streams;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::peers::{self, LIMIT};
use onair::base::queue::Empty;
use onair::base::{Clock, Latest};
use onair::media::VideoFrame;
use onair::net::{Options, Runtime};
use onair::player::present::screenshot;
use onair::player::probe;
use onair::player::{
    Config, Event, FailureKind, Figures, Open, Player, Source, Speaker, State, WAITING_MESSAGE_ID,
};
use parking_lot::Mutex;

/// Makes a file with ffmpeg.
fn make(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let words = ["-hide_banner", "-nostdin", "-y", "-v", "error"].into_iter();
    let words = words.chain(options.iter().copied()).chain([path.to_str().unwrap()]);
    let mut peer = peers::Peer::start("ffmpeg", words);
    peer.wait_success(LIMIT);
    path
}

const PICTURE: [&str; 4] = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"];
const TONE: [&str; 4] = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
const AAC: [&str; 4] = ["-c:a", "aac", "-b:a", "64k"];
const H264: [&str; 8] =
    ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25"];

fn with<'a>(parts: &[&[&'a str]]) -> Vec<&'a str> {
    parts.iter().flat_map(|part| part.iter().copied()).collect()
}

/// The result of a run of the player.
struct Outcome {
    state: State,
    figures: Figures,
    events: Vec<Event>,
    /// The times of the frames shown, in the order in which they were published.
    shown: Vec<i64>,
    picture: Option<VideoFrame>,
}

impl Outcome {
    fn failure(&self) -> FailureKind {
        match &self.state {
            State::Failed(failure) => failure.kind,
            other => panic!("{other:?}"),
        }
    }
}

/// Plays to the end, or until `enough` returns true.
fn play(config: &Config, speaker: Option<Arc<Open>>, enough: impl Fn(&Player) -> bool) -> Outcome {
    let runtime = Runtime::start().unwrap();
    let clock = Clock::start();
    let screen = Latest::<VideoFrame>::default();
    let shown = Arc::new(Mutex::new(Vec::new()));
    let (seen, watched) = (Arc::clone(&shown), screen.clone());
    screen.on_change(move || {
        if let Some(frame) = watched.get() {
            seen.lock().push(frame.pts.as_micros());
        }
    });
    let mut player = Player::open_with(config, &runtime, clock, screen, speaker).unwrap();
    let mut events = Vec::new();
    while !player.state().is_final() && !enough(&player) {
        assert!(clock.now().as_secs_f64() < LIMIT.as_secs_f64(), "{:?}", player.figures());
        match player.events().recv_timeout(Duration::from_millis(5)) {
            Ok(event) => events.push(event),
            Err(error) => assert_eq!(error, Empty::Waiting),
        }
    }
    let state = player.state();
    assert!(player.stop(Duration::from_secs(30)), "a thread hangs");
    events.extend(std::iter::from_fn(|| player.events().try_recv().ok()));
    let (figures, picture) = (player.figures(), player.last_frame());
    drop(player);
    runtime.shutdown(Duration::from_secs(2));
    let shown = std::mem::take(&mut *shown.lock());
    Outcome { state, figures, events, shown, picture }
}

fn file(path: &Path) -> Config {
    Config::new(Source::File(path.to_owned()))
}

fn to_the_end(config: &Config) -> Outcome {
    play(config, None, |_| false)
}

#[test]
fn b_frames_and_aac_come_out_whole_and_in_order() {
    peers::in_real_time!(b_frames_and_aac_come_out_whole_and_in_order);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let made = make(
        folder.path(),
        "a.flv",
        &with(&[&PICTURE, &TONE, &["-t", "3"], &H264, &AAC, &["-preset", "veryfast", "-bf", "3"]]),
    );
    let (saved, dumped) = (folder.path().join("saved.flv"), folder.path().join("sound.wav"));
    let config =
        Config { save: Some(saved.clone()), audio_dump: Some(dumped.clone()), ..file(&made) };
    let outcome = to_the_end(&config);
    assert_eq!(outcome.state, State::Ended);
    let figures = &outcome.figures;
    assert_eq!(figures.decoded, 75, "{figures:?}");
    assert_eq!(figures.shown + figures.dropped + figures.skipped, 75, "{figures:?}");
    // A busy machine may lose some frames, but not many.
    assert!(figures.shown > 60, "{figures:?}");
    assert!(outcome.shown.is_sorted(), "{:?}", outcome.shown);
    assert_eq!(figures.damaged, 0);
    // 3 s of audio, except for the decoder's delay and the padding of the last packet.
    let sound = figures.audio_samples as i64;
    assert!((sound - 3 * 48_000).abs() < 4 * 1_024, "{sound}");
    let wav = hound::WavReader::open(&dumped).unwrap();
    let length = i64::from(wav.duration());
    assert!((length - sound).abs() < 4_800, "{length} {sound}");
    // The saved file holds the same packets.
    let (before, after) = (peers::ffmpeg::probe(&made), peers::ffmpeg::probe(&saved));
    for kind in ["video", "audio"] {
        let sizes = |probe: &peers::ffmpeg::Probe| {
            probe.packets(kind).iter().map(|packet| packet.size).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&before), sizes(&after), "{kind}");
    }
    assert_eq!(after.warnings, "");
    // The last frame can be saved as an image.
    let png = folder.path().join("last.png");
    screenshot::write(&png, outcome.picture.as_ref().unwrap()).unwrap();
    let stream = peers::ffmpeg::probe(&png);
    assert_eq!(stream.stream("video")["width"], 320);
}

#[test]
fn video_alone_and_mono_audio_alone() {
    peers::in_real_time!(video_alone_and_mono_audio_alone);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let video = make(folder.path(), "v.flv", &with(&[&PICTURE, &["-t", "1"], &H264]));
    let outcome = to_the_end(&file(&video));
    assert_eq!((outcome.state, outcome.figures.audio_samples), (State::Ended, 0));
    assert!(outcome.figures.shown > 15 && outcome.figures.underruns == 0, "{:?}", outcome.figures);

    let sound = with(&[&TONE, &["-t", "1", "-c:a", "aac", "-ac", "1", "-ar", "44100"]]);
    let outcome = to_the_end(&file(&make(folder.path(), "a.flv", &sound)));
    assert_eq!((outcome.state, outcome.figures.shown), (State::Ended, 0));
    let samples = outcome.figures.audio_samples as i64;
    assert!((samples - 44_100).abs() < 4 * 1_024, "{samples}");
    assert!(outcome.figures.audio.contains("44.1 kHz mono"), "{}", outcome.figures.audio);
}

/// A speaker that consumes samples at its own pace by the test's clock, and keeps them.
struct Fake {
    clock: Clock,
    rate: u32,
    channels: usize,
    opened: f64,
    written: usize,
    pace: f64,
    played: Arc<Mutex<Vec<f32>>>,
    fails_at: Option<f64>,
}

impl Fake {
    fn consumed(&self) -> usize {
        let seconds = self.clock.now().as_secs_f64() - self.opened;
        ((seconds * f64::from(self.rate) * self.pace) as usize).min(self.written)
    }
}

impl Speaker for Fake {
    fn write(&mut self, data: &[f32]) -> usize {
        if self.consumed() == self.written {
            // The buffer ran empty: the next samples play from now on.
            self.opened = self.clock.now().as_secs_f64()
                - self.written as f64 / (f64::from(self.rate) * self.pace);
        }
        let frames = data.len() / self.channels;
        self.written += frames;
        self.played.lock().extend_from_slice(data);
        frames
    }

    fn queued(&self) -> usize {
        self.written - self.consumed()
    }

    fn set_volume(&mut self, _volume: f32) {}

    fn underruns(&self) -> u64 {
        0
    }

    fn failed(&self) -> Option<String> {
        let at = self.fails_at?;
        (self.clock.now().as_secs_f64() > at).then(|| "unplugged".to_owned())
    }
}

fn fake(played: &Arc<Mutex<Vec<f32>>>, pace: f64, fails_after: Option<f64>) -> Arc<Open> {
    let played = Arc::clone(played);
    let opened = AtomicUsize::new(0);
    Arc::new(move |rate, channels, clock: Clock| {
        let first = opened.fetch_add(1, Ordering::Relaxed) == 0;
        let now = clock.now().as_secs_f64();
        if !first {
            return Err("none".into());
        }
        Ok(Box::new(Fake {
            clock,
            rate,
            channels: usize::from(channels),
            opened: now,
            written: 0,
            pace,
            played: Arc::clone(&played),
            fails_at: fails_after.map(|after| now + after),
        }) as Box<dyn Speaker>)
    })
}

#[test]
fn a_speaker_is_the_master_and_its_loss_stops_nothing() {
    peers::in_real_time!(a_speaker_is_the_master_and_its_loss_stops_nothing);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let made = make(
        folder.path(),
        "a.flv",
        &with(&[&PICTURE, &TONE, &["-t", "3", "-ac", "2"], &H264, &AAC]),
    );
    // A device that runs 2 % slow: video follows it.
    let played = Arc::default();
    let outcome = play(&file(&made), Some(fake(&played, 0.98, None)), |_| false);
    assert_eq!(outcome.state, State::Ended);
    assert!(outcome.figures.device, "{:?}", outcome.figures);
    let span = (outcome.shown.last().unwrap() - outcome.shown[1]) as f64 / 1e6;
    assert!(span > 2.8, "{span}");
    let frames = played.lock().len() / 2;
    assert!(frames > 48_000 * 2, "{frames}");

    let played = Arc::default();
    let outcome = play(&file(&made), Some(fake(&played, 1.0, Some(1.0))), |_| false);
    assert_eq!(outcome.state, State::Ended);
    assert!(!outcome.figures.device);
    assert!(outcome.figures.shown > 50, "{:?}", outcome.figures);
    let notices = outcome.events.iter().filter(
        |event| matches!(event, Event::Message(message) if message.key() == "player-no-speaker"),
    );
    assert_eq!(notices.count(), 1);
}

#[test]
fn a_named_speaker_that_is_missing_is_reported_by_its_name() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let made = make(folder.path(), "a.flv", &with(&[&TONE, &["-t", "1"], &AAC]));
    let config = Config { device: Some("hdmi".to_owned()), ..file(&made) };
    let none: Arc<Open> = Arc::new(|_, _, _| Err("it is not there".into()));
    let outcome = play(&config, Some(none), |_| false);
    assert_eq!(outcome.state, State::Ended);
    let text = outcome.events.iter().find_map(|event| match event {
        Event::Message(message) if message.key() == "player-no-speaker" => {
            Some(message.problem.to_string())
        }
        _ => None,
    });
    assert_eq!(text.unwrap(), "Cannot use the speaker hdmi: it is not there.");
}

#[test]
fn mono_is_played_on_both_sides_and_balance_moves_it_to_one() {
    peers::in_real_time!(mono_is_played_on_both_sides_and_balance_moves_it_to_one);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let made = make(folder.path(), "a.flv", &with(&[&TONE, &["-t", "2", "-ac", "1"], &AAC]));
    for (balance, loud) in [(0.0, [true, true]), (-1.0, [true, false]), (1.0, [false, true])] {
        let (played, dumped) = (Arc::default(), folder.path().join("as it came.wav"));
        let config = Config { balance, audio_dump: Some(dumped.clone()), ..file(&made) };
        let outcome = play(&config, Some(fake(&played, 1.0, None)), |_| false);
        assert_eq!(outcome.state, State::Ended);
        let samples = played.lock();
        assert!(samples.len() > 48_000 * 2, "two sides: {}", samples.len());
        let side = |side: usize| samples.iter().skip(side).step_by(2).any(|it| it.abs() > 0.05);
        assert_eq!([side(0), side(1)], loud, "{balance}");
        // The balance does not affect the dumped audio.
        let spec = hound::WavReader::open(&dumped).unwrap().spec();
        assert_eq!(spec.channels, 1);
    }
}

#[test]
fn another_speaker_is_taken_while_it_plays() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let made = make(
        folder.path(),
        "long.flv",
        &with(&[&PICTURE, &TONE, &["-t", "20", "-ac", "2"], &H264, &AAC]),
    );
    let opened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&opened);
    let open: Arc<Open> = Arc::new(move |rate, channels, clock: Clock| {
        count.fetch_add(1, Ordering::Relaxed);
        let channels = usize::from(channels);
        let (opened, played) = (clock.now().as_secs_f64(), Arc::default());
        Ok(Box::new(Fake {
            clock,
            rate,
            channels,
            opened,
            written: 0,
            pace: 1.0,
            played,
            fails_at: None,
        }) as Box<dyn Speaker>)
    });
    let runtime = Runtime::start().unwrap();
    let config = file(&made);
    let clock = Clock::start();
    let mut player =
        Player::open_with(&config, &runtime, clock, Latest::default(), Some(open)).unwrap();
    peers::wait_for("the speaker", LIMIT, || player.figures().device && player.figures().shown > 5);
    player.set_speaker(Some("another".to_owned()));
    peers::wait_for("the other one", LIMIT, || opened.load(Ordering::Relaxed) == 2);
    let samples = player.figures().audio_samples;
    peers::wait_for("its sound", LIMIT, || player.figures().audio_samples > samples + 48_000);
    assert!(player.figures().device);
    assert_eq!(player.state(), State::Playing);
    assert!(player.stop(LIMIT));
    runtime.shutdown(Duration::from_secs(2));
}

#[test]
fn a_speaker_that_never_opens_holds_nothing_up() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let made = make(folder.path(), "a.flv", &with(&[&PICTURE, &TONE, &["-t", "1"], &H264, &AAC]));
    let waiting = Arc::new(AtomicI64::new(0));
    let (release, hold) = crossbeam_channel::bounded::<()>(0);
    let count = Arc::clone(&waiting);
    let open: Arc<Open> = Arc::new(move |_, _, _| {
        count.fetch_add(1, Ordering::Relaxed);
        let _ = hold.recv();
        Err("never".into())
    });
    let outcome = play(&file(&made), Some(open), |_| false);
    assert_eq!(outcome.state, State::Ended);
    assert_eq!(waiting.load(Ordering::Relaxed), 1);
    drop(release);
}

#[test]
fn what_is_no_flv_or_cannot_be_decoded_is_named() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no.flv");
    assert_eq!(to_the_end(&file(&path)).failure(), FailureKind::File);
    assert_eq!(to_the_end(&file(folder.path())).failure(), FailureKind::File);
    for garbage in [&b""[..], b"FLV", b"<html>not a film</html>", &[0; 4_096]] {
        fs::write(&path, garbage).unwrap();
        assert_eq!(to_the_end(&file(&path)).failure(), FailureKind::File, "{garbage:?}");
    }
    // With FFmpeg's libraries these codecs play (tests/decoders/decoded.rs).
    if cfg!(not(feature = "ffmpeg")) {
        let old = with(&[&PICTURE, &["-t", "1", "-c:v", "flv1"]]);
        let outcome = to_the_end(&file(&make(folder.path(), "old.flv", &old)));
        assert_eq!(outcome.failure(), FailureKind::Codec);
        let State::Failed(failure) = &outcome.state else { unreachable!() };
        assert!(failure.to_string().contains("Sorenson H.263"), "{failure}");
        let nelly = with(&[&TONE, &["-t", "9", "-c:a", "nellymoser", "-ar", "44100"]]);
        let outcome = to_the_end(&file(&make(folder.path(), "nelly.flv", &nelly)));
        assert_eq!(outcome.failure(), FailureKind::Codec);
        let State::Failed(failure) = &outcome.state else { unreachable!() };
        assert!(failure.to_string().contains("Nellymoser"), "{failure}");
    }
    // If a file cannot be written, opening fails before anything plays.
    let config = Config { save: Some("/nowhere/at/all.flv".into()), ..file(&path) };
    let runtime = Runtime::start().unwrap();
    let error = Player::open(&config, &runtime, Clock::start(), Latest::default()).unwrap_err();
    assert_eq!(error.kind, FailureKind::File);
}

#[test]
fn mutated_and_cut_files_end_in_time_and_leave_no_thread() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let short = with(&[&PICTURE, &TONE, &["-t", "0.3", "-s", "64x64"], &H264, &AAC, &["-bf", "2"]]);
    let whole = fs::read(make(folder.path(), "a.flv", &short)).unwrap();
    let mut seed = 0x5EED_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 16) as usize % below.max(1)
    };
    let runtime = Runtime::start().unwrap();
    let before = threads();
    let path = folder.path().join("bad.flv");
    let clock = Clock::start();
    let mut running: Vec<Player> = Vec::new();
    for round in 0..500 {
        let mut bytes = whole.clone();
        for _ in 0..=random(20) {
            let at = random(bytes.len());
            match random(4) {
                0 => bytes[at] = random(256) as u8,
                1 => bytes[at] ^= 1 << random(8),
                2 => {
                    let end = (at + random(200)).min(bytes.len());
                    bytes.drain(at..end);
                }
                _ => {
                    let piece: Vec<u8> = bytes[at..(at + random(60)).min(bytes.len())].to_vec();
                    let to = random(bytes.len());
                    bytes.splice(to..to, piece);
                }
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        if round % 5 == 0 {
            bytes.truncate(random(bytes.len()));
        }
        let path = path.with_extension(format!("{round}.flv"));
        fs::write(&path, &bytes).unwrap();
        running.push(
            Player::open_with(&file(&path), &runtime, clock, Latest::default(), None).unwrap(),
        );
        // Many at the same time: each mostly waits until its frames are due.
        if running.len() == 25 {
            let start = clock.now();
            for mut player in running.drain(..) {
                // Timestamps in a damaged file may lie hours ahead: ten seconds per file are
                // enough.
                while !player.state().is_final() && clock.now().since(start).as_secs() < 10 {
                    std::thread::sleep(Duration::from_millis(5));
                }
                assert!(player.stop(Duration::from_secs(30)), "round {round}: a thread hangs");
            }
        }
    }
    peers::wait_for("the player's threads to end", LIMIT, || threads() <= before);
}

/// The number of player threads in this process (other tests run in other processes).
fn threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.starts_with("player-"))
        .count()
}

#[test]
fn frames_before_a_cut_are_not_shown() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    // The only keyframe is before the cut, so that an edit list hides the first two seconds.
    let more = ["-t", "4", "-preset", "veryfast", "-bf", "2", "-g", "100"];
    let whole = make(folder.path(), "whole.mp4", &with(&[&PICTURE, &TONE, &H264, &AAC, &more]));
    let cut = ["-ss", "2", "-i", whole.to_str().unwrap(), "-c", "copy"];
    let cut = make(folder.path(), "cut.mp4", &cut);
    let outcome = to_the_end(&file(&cut));
    assert_eq!((outcome.state, outcome.figures.decoded), (State::Ended, 50));
    let (source, runtime) = (Source::File(cut), Runtime::start().unwrap());
    let report = probe::probe(&source, &Options::default(), &runtime, Clock::start(), &|| false);
    let duration = report.unwrap().duration.unwrap();
    assert!((duration - 2.0).abs() < 0.1, "{duration}");
}

#[test]
fn probe_tells_what_ffprobe_tells() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let made = make(
        folder.path(),
        "a.flv",
        &with(&[
            &PICTURE,
            &TONE,
            &["-t", "4", "-ac", "2"],
            &H264,
            &AAC,
            &["-profile:v", "high", "-preset", "veryfast", "-bf", "2"],
        ]),
    );
    let runtime = Runtime::start().unwrap();
    let source = Source::File(made.clone());
    let report =
        probe::probe(&source, &Options::default(), &runtime, Clock::start(), &|| false).unwrap();
    let theirs = peers::ffmpeg::probe(&made);
    let (video, audio) = (report.video.unwrap(), report.audio.unwrap());
    let their_video = theirs.stream("video");
    assert_eq!(video.profile.as_deref(), their_video["profile"].as_str());
    assert_eq!(video.level.map(u64::from), their_video["level"].as_u64());
    assert_eq!(video.size, Some((320, 180)));
    assert_eq!(video.fps, Some(25.0));
    assert_eq!((audio.sample_rate, audio.channels), (Some(48_000), Some(2)));
    assert_eq!(report.gop_s, Some(1.0));
    assert!((report.duration.unwrap() - 4.0).abs() < 0.1, "{:?}", report.duration);
    assert!(report.metadata.is_some());
}
