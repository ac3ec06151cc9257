//! A recording and a stream of our own as sources: picture and sound leave the compositor and the
//! mixer in step, by the markers; a file goes around.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code: a panic is how it fails"
)]

#[path = "peers/mod.rs"]
mod peers;

use std::path::Path;
use std::time::Duration;

use onair::audio::AudioChoice;
use onair::base::queue::{self, Full};
use onair::base::{Clock, Latest, Stop, Timestamp};
use onair::capture::VideoChoice;
use onair::compose::scene::Content;
use onair::compose::{self, Compositor};
use onair::decode::inventory;
use onair::media::markers::{self, FlashReader, LipSync, OnsetReader};
use onair::media::source::State;
use onair::media::transport::{AtEnd, Go};
use onair::media::{FrameGrid, Pulled as Filled, Samples, Size, VideoCodec, VideoFrame};
use onair::mix::{self, Mixer, Strip, StripId};
use onair::net::Runtime;
use onair::player::source::{self, Context, Media};
use onair::player::{Config, Source};
use onair::studio::snapshot::SourceState;
use onair::studio::{self, Command, Edit, Settings, Studio, Talk};
use peers::{LIMIT, Onair, Peer, missing, wait_for};

const TEST: [&str; 9] =
    ["live", "--video", "test", "--audio", "tone", "--size", "640x360", "--video-bitrate", "1500k"];

/// Shows and hears a source in a program of its own until so many flashes have been measured and tone
/// and flash, by the median of the last five, are within `most` milliseconds. A machine that is busy
/// makes pictures late and not the sound: that passes, what is out of step does not, and ends the
/// test at its limit. The times that were seen in the pictures.
fn in_step(media: Media, clock: Clock, rate: u32, flashes_wanted: usize, most: f64) -> Vec<u64> {
    let grid = FrameGrid { origin: Timestamp::from_micros(4_321), rate: "60".parse().unwrap() };
    let size = Size::new(640, 360);
    let config = compose::Config { size, grid, clock };
    let compositor = Compositor::spawn(config, Latest::default()).unwrap();
    let (channels, origin) = (2, grid.origin);
    let mixer = Mixer::spawn(mix::Config { rate, channels, origin, clock }).unwrap();
    let (frames, pictures) = queue::bounded::<VideoFrame>("test-video", 256, Full::DropOldest);
    let (blocks, sounds) = queue::bounded::<Samples>("test-audio", 2_048, Full::DropOldest);
    let status = std::sync::Arc::clone(&media.video_status);
    compositor.set_feed(Some(media.video));
    mixer.set_strip(StripId::MAIN, Strip::default());
    mixer.set_feed(StripId::MAIN, Some(media.audio));
    compositor.attach_encoder(frames);
    mixer.attach_encoder(blocks);
    let (mut flashes, mut onsets, mut sync) =
        (FlashReader::new(), OnsetReader::new(rate), LipSync::new());
    let (mut seen, mut times) = (0, Vec::new());
    let limit = clock.now() + LIMIT;
    while seen < flashes_wanted || sync.offset_ms().is_none_or(|offset| offset.abs() > most) {
        let offset = sync.offset_ms();
        assert!(clock.now() < limit, "{seen} flashes, {offset:?} ms: {:?}", status.report());
        let frame = pictures.recv_timeout(LIMIT).unwrap();
        let planes = &frame.planes;
        if let Some(time) = markers::read_band(&planes.y, planes.luma_stride(), size) {
            let flash = markers::is_flash(&planes.y, planes.luma_stride(), size);
            // Each picture of the clip is shown twice.
            if times.last() != Some(&time) {
                times.push(time);
                if flashes.picture(time, flash) {
                    sync.flash(frame.pts);
                    seen += 1;
                }
            }
        }
        while let Ok(block) = sounds.try_recv() {
            onsets.push(block.pts, block.channels, &block.data, |onset| sync.onset(onset));
        }
    }
    eprintln!("  tone {:+.1?} ms after the flash, {} pictures", sync.offset_ms(), times.len());
    compositor.join(Duration::from_secs(5)).unwrap();
    mixer.join(Duration::from_secs(5)).unwrap();
    times
}

#[test]
fn a_clip_goes_around_with_its_sound_in_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    let name = path.display().to_string();
    let words: Vec<&str> =
        TEST.into_iter().chain(["--record", name.as_str(), "--duration", "4s"]).collect();
    let mut onair = Onair::start(&words);
    onair.wait_named("summary");
    drop(onair);

    let clock = Clock::start();
    let runtime = Runtime::start().unwrap();
    // Another rate than the clip's.
    let context = Context { clock, rate: 44_100, channels: 2, at_end: AtEnd::Loop };
    let config = Config::new(Source::File(path.clone()));
    let media = source::open(&config, &context, &runtime).unwrap();
    let status = std::sync::Arc::clone(&media.audio_status);
    let times = in_step(media, clock, 44_100, 7, 20.0);
    let rounds = times.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(rounds >= 1, "it went around");
    assert_eq!((status.state(), status.report().name.as_str()), (State::Open, "clip.mp4"));

    let absent = Config::new(Source::File("/nonexistent.mp4".into()));
    assert!(source::open(&absent, &context, &runtime).is_err());
    std::fs::write(&path, b"no clip at all, but long enough to be looked at").unwrap();
    if let Ok(media) = source::open(&config, &context, &runtime) {
        wait_for("a word", LIMIT, || media.video_status.state() == State::Failed);
    }
}

#[test]
fn a_clip_is_paused_moved_about_in_and_stays_in_step() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    let name = path.display().to_string();
    let words: Vec<&str> =
        TEST.into_iter().chain(["--record", name.as_str(), "--duration", "8s"]).collect();
    let mut onair = Onair::start(&words);
    onair.wait_named("summary");
    drop(onair);
    let clock = Clock::start();
    let runtime = Runtime::start().unwrap();
    let context = Context { clock, rate: 48_000, channels: 2, at_end: AtEnd::Loop };
    let config = Config::new(Source::File(path));
    let media = source::open(&config, &context, &runtime).unwrap();
    let transport = media.transport.clone();
    let at = || transport.position().map(|it| it.at.as_secs_f64());
    wait_for("the clip to begin", LIMIT, || at().is_some_and(|at| at > 0.3));
    let whole = transport.position().unwrap().whole.unwrap().as_secs_f64();
    assert!((7.0..9.0).contains(&whole), "{whole}");
    transport.ask(Go::Pause);
    wait_for("the pause", LIMIT, || transport.position().is_some_and(|it| it.paused));
    // Longer than after which a source that gives nothing is told to stand.
    let (held, since) = (at().unwrap(), clock.now());
    wait_for("three seconds", LIMIT, || clock.now().since(since) > Duration::from_secs(3));
    assert!((at().unwrap() - held).abs() < 0.5, "{held} {:?}", at());
    assert_ne!(media.video_status.state(), State::Stalled, "it stands because it is to");
    transport.ask(Go::To(Duration::from_secs(5)));
    transport.ask(Go::Resume);
    wait_for("the other place", LIMIT, || {
        transport.position().is_some_and(|it| !it.paused && it.at >= Duration::from_secs(4))
    });
    transport.ask(Go::Restart);
    wait_for("the beginning", LIMIT, || at().is_some_and(|at| at < 2.0));
    in_step(media, clock, 48_000, 5, 25.0);
}

#[test]
fn a_stream_is_shown_with_its_sound_in_step() {
    let mut onair = Onair::start(&TEST);
    let url = onair.play_url();
    let clock = Clock::start();
    let runtime = Runtime::start().unwrap();
    let context = Context { clock, rate: 48_000, channels: 2, at_end: AtEnd::Loop };
    let media = source::open(&Config::new(Source::Url(url)), &context, &runtime).unwrap();
    let status = std::sync::Arc::clone(&media.video_status);
    in_step(media, clock, 48_000, 5, 25.0);
    assert_eq!(status.state(), State::Open);
    drop(onair);
}

/// A film of 25 pictures a second whose pictures carry their number: eight columns of bright or dark, the
/// lowest bit on the left. It has B pictures that others refer to, and a keyframe every four seconds.
const NUMBERED: &str =
    "color=black:s=320x192:r=25,geq=lum='if(bitand(N,pow(2,floor(X/40))),200,40)':cb=128:cr=128";
const RATE: f64 = 25.0;

fn numbered(path: &Path, seconds: &str, sound: &str, codec: &[&str]) {
    let mut words =
        vec!["-hide_banner", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", NUMBERED];
    words.extend(["-f", "lavfi", "-i", sound, "-t", seconds]);
    words.extend(["-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-b_strategy", "0"]);
    words.extend(["-g", "100", "-sc_threshold", "0", "-pix_fmt", "yuv420p"]);
    words.extend(codec);
    words.push(path.to_str().unwrap());
    Peer::start("ffmpeg", words).wait_success(LIMIT);
}

/// The number of a picture.
fn number(frame: &VideoFrame) -> u64 {
    let planes = &frame.planes;
    let row = planes.luma_stride() * 96;
    (0..8).filter(|bit| planes.y[row + bit * 40 + 20] > 120).map(|bit| 1 << bit).sum()
}

/// A source as the compositor and the mixer pull it, in real time.
struct Pulled {
    media: Media,
    clock: Clock,
    next: Timestamp,
    /// Numbers of the pictures shown, each once while it stands.
    shown: Vec<u64>,
    /// The first channel of what was heard, without what had to be filled up.
    heard: Vec<f32>,
    silent: bool,
}

impl Pulled {
    fn open(path: &Path, at_end: AtEnd) -> (Self, Runtime) {
        let clock = Clock::start();
        let runtime = Runtime::start().unwrap();
        let context = Context { clock, rate: 48_000, channels: 1, at_end };
        let config = Config::new(Source::File(path.to_owned()));
        let media = source::open(&config, &context, &runtime).unwrap();
        let next = clock.now();
        (Self { media, clock, next, shown: Vec::new(), heard: Vec::new(), silent: true }, runtime)
    }

    /// Ten milliseconds of the program.
    fn step(&mut self) {
        let mut block = [0.0; 480];
        self.silent = self.media.audio.pull(self.next, &mut block) == Filled::Silence;
        self.heard.extend(block);
        if let Some(frame) = self.media.video.picture(self.next) {
            let number = number(&frame);
            if self.shown.last() != Some(&number) {
                self.shown.push(number);
            }
        }
        self.next += Duration::from_millis(10);
        let ahead = self.next.since(self.clock.now());
        onair::base::Stop::new().wait(ahead);
    }

    fn until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let limit = self.clock.now() + LIMIT;
        while !is_so(self) {
            assert!(self.clock.now() < limit, "never: {what}; {:?}", self.shown);
            self.step();
        }
    }

    fn paused(&self) -> bool {
        self.media.transport.position().is_some_and(|it| it.paused)
    }

    /// Pauses and waits until nothing of before is on its way.
    fn pause(&mut self) {
        self.media.transport.ask(Go::Pause);
        self.until("the pause", Self::paused);
        let since = self.clock.now();
        self.until("stillness", |it| {
            it.silent && it.clock.now().since(since) > Duration::from_millis(400)
        });
    }
}

#[test]
fn a_clip_that_is_played_once_ends_with_its_sound_and_can_be_played_again() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tone = "aevalsrc='0.5*sin(2*PI*1000*t)':s=48000:c=mono";
    for (name, codec) in [("once.mkv", ["-c:a", "flac"]), ("once.flv", ["-c:a", "aac"])] {
        let path = folder.path().join(name);
        numbered(&path, "2", tone, &codec);
        let (mut pulled, _runtime) = Pulled::open(&path, AtEnd::Hold);
        let transport = pulled.media.transport.clone();
        let last = |it: &Pulled| it.shown.last().copied();
        let over = |it: &Pulled| it.paused() && it.silent;
        // All of it is seen, and its last picture stays, longer than a source may stand.
        pulled.until("its end", over);
        assert_eq!((pulled.shown[0], last(&pulled)), (0, Some(49)), "{name}");
        assert!(pulled.heard.iter().any(|it| it.abs() > 0.3), "{name} is heard");
        let (shown, heard) = (pulled.shown.len(), pulled.heard.len());
        (0..250).for_each(|_| pulled.step());
        assert_eq!(pulled.shown.len(), shown, "{name}: {:?}", pulled.shown);
        assert!(pulled.heard[heard..].iter().all(|it| *it == 0.0), "{name}");
        let place = transport.position().unwrap();
        assert_eq!(Some(place.at), place.whole, "{name}");
        assert_eq!(pulled.media.video_status.state(), State::Open, "that is no fault");

        // Or nothing is shown, of the same size.
        let blank = |it: &mut Pulled| {
            let frame = it.media.video.picture(it.next).unwrap();
            let alpha = frame.planes.alpha.as_ref();
            let clear = alpha.is_some_and(|alpha| alpha.iter().all(|it| *it == 0));
            (clear, frame.size())
        };
        let size = Size::new(320, 192);
        assert_eq!(blank(&mut pulled), (false, size), "{name}");
        transport.set_at_end(AtEnd::Clear);
        let limit = pulled.clock.now() + LIMIT;
        while blank(&mut pulled) != (true, size) {
            assert!(pulled.clock.now() < limit, "{name} is still shown");
            pulled.step();
        }

        // Played again, from its beginning and from a place.
        for (go, first) in [
            (Go::Resume, 0),
            (Go::Restart, 0),
            (Go::To(Duration::from_millis(1_001)), at(Duration::from_millis(1_001))),
        ] {
            (pulled.shown, pulled.heard) = (Vec::new(), Vec::new());
            transport.ask(Go::Pause);
            transport.ask(go);
            pulled.until("its beginning", |it| !it.paused());
            pulled.until("its end", over);
            let shown: Vec<u64> = pulled.shown.drain(..).filter(|it| *it > 0).collect();
            let wanted: Vec<u64> = (first.max(1)..50).collect();
            // A machine that is busy leaves pictures out; none comes twice.
            assert!(shown.is_sorted() && shown.len() > 5, "{name} {go:?} {shown:?}");
            assert!(shown.iter().all(|it| wanted.contains(it)), "{name} {go:?} {shown:?}");
            assert!(pulled.heard.iter().any(|it| it.abs() > 0.3), "{name} {go:?}");
            assert!(blank(&mut pulled).0, "{name} {go:?}");
        }

        // It goes around after all; and ends with the time through it that is played then, though
        // the next one has been read.
        transport.set_at_end(AtEnd::Loop);
        pulled.shown.clear();
        pulled.until("another time", |it| it.shown.windows(2).any(|two| two[1] < two[0]));
        pulled.until("its middle", |it| last(it).is_some_and(|it| it > 10));
        transport.set_at_end(AtEnd::Hold);
        pulled.shown.clear();
        pulled.until("its end", over);
        let back = pulled.shown.windows(2).any(|two| two[1] + 1 < two[0]);
        assert!(!back, "{name}: {:?}", pulled.shown);
        assert_eq!(last(&pulled), Some(49), "{name}");
    }
}

/// The number of the picture whose time holds a place.
fn at(place: Duration) -> u64 {
    (place.as_secs_f64() * RATE + 1e-6) as u64
}

#[test]
fn a_place_that_was_asked_for_is_shown_and_heard_itself() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Lossless sound tells each sample's number; of AAC the phase of a slow tone does.
    let ramp = "aevalsrc='(mod(n,60000)-30000)/32768':s=48000:c=mono";
    let tone = "aevalsrc='0.5*sin(2*PI*20*t)':s=48000:c=mono";
    let aac: &[&str] = &["-c:a", "aac", "-b:a", "160k"];
    for (name, sound, codec, exact) in [
        ("numbers.mkv", ramp, ["-c:a", "flac"].as_slice(), true),
        ("numbers.mp4", tone, aac, false),
        ("numbers.flv", tone, aac, false),
    ] {
        let path = folder.path().join(name);
        numbered(&path, "10", sound, codec);
        let (mut pulled, _runtime) = Pulled::open(&path, AtEnd::Loop);
        pulled.until("the beginning", |it| it.shown.len() > 10);
        assert_eq!(pulled.shown[0], 0, "{name}");
        pulled.pause();
        // Backwards and forwards, between keyframes (0, 4 and 8 s), on them, beside a picture's borders, at the end.
        for millis in [1_001, 3_999, 7_960, 4_000, 2_479, 2_480, 9_990, 0, 5_333] {
            let place = Duration::from_millis(millis);
            let before = pulled.shown.len();
            let last = pulled.shown[before - 1];
            pulled.media.transport.ask(Go::To(place));
            pulled.until(&format!("another picture in {name} at {place:?}"), |it| {
                it.shown.len() > before || last == at(place)
            });
            let first = pulled.shown.get(before).copied().unwrap_or(last);
            assert_eq!(first, at(place), "{name} at {place:?}");
            // It stands, and sound waits with it.
            let heard = pulled.heard.len();
            (0..20).for_each(|_| pulled.step());
            assert_eq!(pulled.shown.last(), Some(&at(place)), "{name} at {place:?}");
            assert!(pulled.heard[heard..].iter().all(|it| *it == 0.0), "{name} at {place:?}");
        }
        // The sound goes on at the very sample.
        let heard = pulled.heard.len();
        pulled.media.transport.ask(Go::Resume);
        pulled
            .until("sound", |it| it.heard[heard..].iter().filter(|it| **it != 0.0).count() > 9_600);
        let begins = pulled.heard[heard..].iter().position(|it| *it != 0.0).unwrap() + heard;
        let sound = &pulled.heard[begins..begins + 4_800];
        let wanted = 5_333 * 48;
        if exact {
            let sample = (sound[0] * 32_768.0).round() as i64 + 30_000;
            let next = (sound[1_000] * 32_768.0).round() as i64 + 30_000;
            assert_eq!((sample, next), (wanted % 60_000, (wanted + 1_000) % 60_000), "{name}");
        } else {
            let (mut sine, mut cosine) = (0.0, 0.0);
            for (number, sample) in sound.iter().enumerate() {
                let phase = number as f64 / 48_000.0 * 20.0 * std::f64::consts::TAU;
                sine += f64::from(*sample) * phase.sin();
                cosine += f64::from(*sample) * phase.cos();
            }
            let phase = cosine.atan2(sine) / std::f64::consts::TAU;
            let off = (phase - wanted as f64 / 48_000.0 * 20.0).rem_euclid(1.0);
            let off = if off > 0.5 { off - 1.0 } else { off } * 48_000.0 / 20.0;
            eprintln!("  {name}: {off:+.1} samples");
            // FLV has whole milliseconds.
            assert!(off.abs() < if name.ends_with("flv") { 50.0 } else { 1.5 }, "{name}: {off}");
        }
        // While it plays, too: the first picture after those of before is that of the place.
        pulled.until("it plays", |it| {
            it.shown.last().is_some_and(|it| *it >= at(Duration::from_millis(5_500)))
        });
        let before = pulled.shown.len();
        pulled.media.transport.ask(Go::To(Duration::from_millis(3_210)));
        pulled.until("the place", |it| it.shown.last().is_some_and(|it| *it < 100));
        let first = pulled.shown[before..].iter().find(|it| **it < 100);
        assert_eq!(first, Some(&80), "{name}: {:?}", &pulled.shown[before..]);
    }
}

#[test]
fn the_end_and_the_beginning_of_a_file_that_goes_around_follow_each_other() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A whole number of waves in the three seconds.
    let tone = "aevalsrc='0.5*sin(2*PI*200*t)':s=48000:c=mono";
    // Where times are whole milliseconds the waves may meet by as much beside each other.
    for (name, most) in [("round.mp4", 0.03), ("round.mkv", 0.7), ("round.flv", 0.7)] {
        let path = folder.path().join(name);
        numbered(&path, "3", tone, &["-c:a", "aac", "-b:a", "160k"]);
        let (mut pulled, _runtime) = Pulled::open(&path, AtEnd::Loop);
        pulled.until("the beginning", |it| it.shown.len() > 10);
        // A machine that is busy may be late once: a seam without that is wanted.
        let (mut pictures, mut sound, mut rounds) = (false, false, 0);
        while !(pictures && sound) {
            rounds += 1;
            assert!(rounds < 10, "{name}: pictures {pictures}, sound {sound}");
            let (seen, heard) = (pulled.shown.len(), pulled.heard.len());
            let starts = |it: &Pulled| it.shown[seen..].iter().position(|it| *it == 0);
            pulled.until("the end", |it| starts(it).is_some());
            let seam = starts(&pulled).unwrap() + seen;
            pulled.until("the beginning", |it| it.shown.len() > seam + 10);
            let around = &pulled.shown[seam - 10..seam + 10];
            let wanted: Vec<u64> = (65..75).chain(0..10).collect();
            pictures |= around == wanted;
            let part = &pulled.heard[heard..];
            // A wave is 240 samples long: each is as the one before it.
            let worst = part.windows(241).map(|it| (it[240] - it[0]).abs()).fold(0.0, f32::max);
            let faint = part
                .windows(240)
                .map(|it| it.iter().copied().fold(0.0, f32::max))
                .fold(1.0, f32::min);
            eprintln!(
                "  {name}: {around:?}, waves differ by {worst:.4}, the faintest is {faint:.3}"
            );
            sound |= worst < most && faint > 0.45;
        }
    }
}

#[test]
fn clips_of_a_collection_of_obs_are_as_large_as_they_are_and_heard_where_there_is_sound() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, words: &[&str]| {
        let path = folder.path().join(name).to_str().unwrap().to_owned();
        let all = ["-hide_banner", "-nostdin", "-y", "-v", "error"].iter().chain(words).copied();
        Peer::start("ffmpeg", all.chain([path.as_str()])).wait_success(LIMIT);
        path
    };
    let picture = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=10:duration=1"];
    let tone = ["-f", "lavfi", "-i", "sine=duration=1"];
    let both = [&picture[..], &tone, &["-c:v", "libx264", "-c:a", "aac"]].concat();
    let heard = make("heard.mp4", &both);
    let clear = ["-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-deadline", "realtime"];
    let silent = make("silent.webm", &[&picture[..], &clear].concat());
    let source = |name: &str, file: &str| {
        let settings = serde_json::json!({"local_file": file, "looping": true});
        serde_json::json!({"id": "ffmpeg_source", "name": name, "settings": settings})
    };
    let file = folder.path().join("obs.json");
    let items: Vec<_> = ["Heard", "Silent"]
        .map(|name| serde_json::json!({"name": name, "scale": {"x": 2, "y": 2}}))
        .into();
    let scene = serde_json::json!({"id": "scene", "name": "A", "settings": {"items": items}});
    let sources = [source("Heard", &heard), source("Silent", &silent), scene];
    let collection = serde_json::json!({"current_scene": "A", "scene_order": [{"name": "A"}],
        "resolution": {"x": 1280, "y": 720}, "sources": sources});
    std::fs::write(&file, collection.to_string()).unwrap();
    let to = folder.path().join("scenes.json");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_onair"))
        .args(["scenes", "import", file.to_str().unwrap(), "--json", "--to", to.to_str().unwrap()])
        .output()
        .unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let not = "'Silent': its transparency: only stingers have that of such a file";
    assert_eq!(told["left_out"], serde_json::json!([not]), "{told}");
    let text = std::fs::read_to_string(&to).unwrap();
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    for item in written["collection"]["scenes"][0]["items"].as_array().unwrap() {
        assert_eq!((item["width"].as_f64(), item["height"].as_f64()), (Some(0.5), Some(0.5)));
    }
    let strips = written["strips"].as_array().unwrap();
    assert_eq!(strips.len(), 1, "{text}");
    assert_eq!(strips[0]["source"], serde_json::json!(format!("file:{heard}")));

    // People are told the same.
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_onair"))
        .args(["scenes", "import", file.to_str().unwrap(), "--to", to.to_str().unwrap()])
        .output()
        .unwrap();
    let wanted = format!("Scenes: A\nSound strips: Heard (file:{heard})\nNot taken in: {not}\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), wanted);
}

/// A studio with one silent strip that shows nothing.
fn studio() -> Studio {
    studio_with(VideoChoice::None)
}

fn studio_with(video: VideoChoice) -> Studio {
    let settings =
        Settings { video: Some(video), audio: Some(AudioChoice::Silence), ..Settings::default() };
    let studio = Studio::start(studio::Config::new(Clock::start(), settings)).unwrap();
    wait_for("the strips", LIMIT, || studio.snapshot().strips.len() == 1);
    studio
}

#[test]
fn a_strip_tells_whether_its_own_talk_key_is_held() {
    let studio = studio();
    studio.send(Command::AddStrip(AudioChoice::Tone));
    wait_for("both strips", LIMIT, || studio.snapshot().strips.len() == 2);
    let strips = || studio.snapshot().strips;
    let id = strips()[1].sound.id;
    studio.send(Command::SetTalk { id, talk: Talk::PushToTalk });
    wait_for("it waits for its key", LIMIT, || strips()[1].sound.talk == Talk::PushToTalk);
    let held = || strips().iter().map(|strip| strip.held).collect::<Vec<_>>();
    assert_eq!(held(), [false, false]);
    studio.send(Command::TalkKeyOf { id, held: true });
    wait_for("its own key", LIMIT, || held() == [false, true]);
    wait_for("its tone", LIMIT, || strips()[1].meter.peak_dbfs > -60.0);
    studio.send(Command::TalkKeyOf { id, held: false });
    wait_for("no key", LIMIT, || held() == [false, false]);
    studio.send(Command::TalkKey(true));
    wait_for("the key of all", LIMIT, || held() == [true, true]);
    studio.end(LIMIT).unwrap();
}

#[test]
fn a_strip_plays_its_file_once_if_it_is_to_and_again_when_asked() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // One is read by the mixer's own reader, one by the player.
    for name in ["jingle.wav", "jingle.mka"] {
        let path = folder.path().join(name);
        let tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "1"];
        let codec = if name.ends_with("wav") { "pcm_s16le" } else { "aac" };
        let words = [&tone[..], &["-c:a", codec, path.to_str().unwrap()]].concat();
        Peer::start("ffmpeg", [&["-hide_banner", "-nostdin", "-v", "error"][..], &words].concat())
            .wait_success(LIMIT);
        let studio = studio();
        studio.send(Command::AddStrip(AudioChoice::File(path)));
        wait_for("the strip", LIMIT, || studio.snapshot().strips.len() == 2);
        let strip = || studio.snapshot().strips.remove(1);
        let id = strip().sound.id;
        let heard = || strip().meter.rms_dbfs > -30.0;
        let silent = || strip().meter.rms_dbfs <= -60.0;
        // It goes round: longer than it is, it is heard.
        wait_for("its sound", LIMIT, heard);
        let clock = Clock::start();
        while clock.now() < Timestamp::from_millis(2_500) {
            assert!(!silent(), "{name} does not go round");
            Stop::new().wait(Duration::from_millis(20));
        }
        studio.send(Command::SetStripEnd { id, at_end: AtEnd::Clear });
        wait_for("its end", LIMIT, silent);
        let stays = Clock::start();
        while stays.now() < Timestamp::from_millis(1_500) {
            assert!(!heard(), "{name} goes round");
            Stop::new().wait(Duration::from_millis(20));
        }
        studio.send(Command::RestartStrip(id));
        wait_for("it once more", LIMIT, heard);
        wait_for("its end again", LIMIT, silent);
        studio.send(Command::SetStripEnd { id, at_end: AtEnd::Loop });
        wait_for("its beginning", LIMIT, heard);
        assert_eq!(strip().sound.at_end, AtEnd::Loop);
        studio.end(LIMIT).unwrap();
    }
}

fn add(studio: &Studio, name: &str, path: &Path) {
    let scene = studio.snapshot().scenes.collection.current;
    let choice = VideoChoice::File(path.to_owned());
    studio.send(Command::Edit(Edit::AddSource { scene, name: name.into(), choice }));
}

#[test]
fn a_clip_that_is_added_to_a_scene_is_heard_on_a_strip_of_its_own() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mkv");
    numbered(&path, "3", "sine=frequency=1000:sample_rate=48000,volume=6", &["-c:a", "flac"]);
    let studio = studio();
    add(&studio, "Opening", &path);
    let strips = || studio.snapshot().strips;
    let ids = || strips().iter().map(|strip| strip.sound.id).collect::<Vec<_>>();
    wait_for("the strip", LIMIT, || strips().len() == 2);
    let strip = strips().pop().unwrap();
    assert_eq!(
        (strip.sound.name.as_str(), &strip.sound.choice),
        ("Opening", &AudioChoice::File(path))
    );
    // The strip hears it, and so does the program.
    wait_for("its sound", LIMIT, || strips()[1].meter.peak_dbfs > -30.0);
    wait_for("the program's", LIMIT, || {
        studio.snapshot().loudness.momentary_lufs.is_some_and(|loud| loud > -30.0)
    });
    // Picture and sound come out of one player: what pauses one pauses the other.
    let source = studio.snapshot().scenes.collection.sources[0].id;
    studio.send(Command::Media(source, Go::Pause));
    wait_for("silence", LIMIT, || strips()[1].meter.peak_dbfs <= -60.0);
    studio.send(Command::Media(source, Go::Resume));
    wait_for("its sound again", LIMIT, || strips()[1].meter.peak_dbfs > -30.0);

    // Viewers do not hear what they cannot see, unless that is wished.
    studio.send(Command::Edit(Edit::AddScene("Talk".into())));
    wait_for("the other scene", LIMIT, || studio.snapshot().scenes.collection.scenes.len() == 2);
    let collection = studio.snapshot().scenes.collection;
    let (first, other) = (collection.scenes[0].id, collection.scenes[1].id);
    studio.send(Command::SwitchScene(other));
    wait_for("silence elsewhere", LIMIT, || strips()[1].meter.peak_dbfs <= -60.0);
    studio.send(Command::SetTalk { id: strip.sound.id, talk: Talk::Open });
    wait_for("sound without its picture", LIMIT, || strips()[1].meter.peak_dbfs > -30.0);
    studio.send(Command::SetTalk { id: strip.sound.id, talk: Talk::WhileShown });
    studio.send(Command::SwitchScene(first));
    wait_for("its sound with its picture", LIMIT, || {
        strips()[1].shown && strips()[1].meter.peak_dbfs > -30.0
    });

    // Another use is no other strip; the last one takes it away, and undoing brings it back.
    let scene = studio.snapshot().scenes.collection.current;
    studio.send(Command::Edit(Edit::ShowSource { scene, source }));
    let items = || -> Vec<_> {
        let collection = studio.snapshot().scenes.collection;
        let shown = collection.current().unwrap().items.clone();
        let of = |item: &&onair::compose::scene::Item| item.content == Content::Source(source);
        shown.iter().filter(of).map(|item| item.id).collect()
    };
    wait_for("the other use", LIMIT, || items().len() == 2);
    let before = ids();
    assert_eq!(before.len(), 2);
    let all = items();
    studio.send(Command::Edit(Edit::RemoveItem(all[0])));
    wait_for("one use", LIMIT, || items().len() == 1);
    assert_eq!(ids(), before);
    studio.send(Command::Edit(Edit::RemoveItem(all[1])));
    wait_for("no strip", LIMIT, || strips().len() == 1);
    studio.send(Command::Undo);
    wait_for("the strip again", LIMIT, || ids() == before && items().len() == 1);
    wait_for("its sound after that", LIMIT, || strips()[1].meter.peak_dbfs > -30.0);
    assert_eq!(studio.snapshot().notices, []);
    studio.end(LIMIT).unwrap();
}

#[test]
fn a_clip_without_sound_has_a_strip_that_says_so_and_no_failure_is_told() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mute.mp4");
    numbered(&path, "3", "anullsrc", &["-an"]);
    let studio = studio();
    add(&studio, "Mute", &path);
    wait_for("a word", LIMIT, || studio.snapshot().strips.get(1).is_some_and(|it| it.soundless));
    // What cannot be played is told once: of the source, not of its strip too.
    let bad = folder.path().join("bad.mp4");
    std::fs::write(&bad, b"no clip at all, but long enough to be looked at").unwrap();
    assert_eq!(studio.snapshot().notices, []);
    add(&studio, "Bad", &bad);
    wait_for("the failure", LIMIT, || {
        studio.snapshot().strips.get(2).is_some_and(|it| it.state == SourceState::Failed)
    });
    wait_for("its notice", LIMIT, || !studio.snapshot().notices.is_empty());
    let notices = studio.snapshot().notices;
    let keys: Vec<&str> = notices.iter().map(|notice| notice.key).collect();
    assert_eq!(keys, ["scene-source-failed"], "{notices:?}");
    studio.end(LIMIT).unwrap();
}

#[test]
fn webm_is_shown_and_heard() {
    if missing(&["ffmpeg"]) {
        return;
    }
    if let Err(lack) = inventory::video_decoder(VideoCodec::Vp9) {
        eprintln!("skipped: {lack}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, picture, sound) in
        [("new.webm", "libvpx-vp9", "libopus"), ("old.webm", "libvpx", "libvorbis")]
    {
        let path = folder.path().join(name);
        let tone = "aevalsrc='0.5*sin(2*PI*1000*t)':s=48000:c=mono";
        let mut words = vec!["-hide_banner", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"];
        words.extend([NUMBERED, "-f", "lavfi", "-i", tone, "-t", "2", "-pix_fmt", "yuv420p"]);
        words.extend(["-c:v", picture, "-deadline", "realtime", "-b:v", "1M", "-c:a", sound]);
        words.push(path.to_str().unwrap());
        Peer::start("ffmpeg", words).wait_success(LIMIT);
        let (mut pulled, _runtime) = Pulled::open(&path, AtEnd::Loop);
        pulled.until("its pictures", |it| it.shown.len() > 20);
        assert!(pulled.shown.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", pulled.shown);
        pulled.until("the tone", |it| {
            let last = it.heard.len().saturating_sub(4_800);
            let (mut sine, mut cosine) = (0.0, 0.0);
            for (number, sample) in it.heard[last..].iter().enumerate() {
                let phase = number as f64 / 48.0 * std::f64::consts::TAU;
                sine += f64::from(*sample) * phase.sin();
                cosine += f64::from(*sample) * phase.cos();
            }
            (sine.hypot(cosine) / 2_400.0 - 0.5).abs() < 0.05
        });
    }
}

#[test]
fn a_clip_of_a_scene_is_played_once_and_is_silent_then() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mkv");
    numbered(&path, "2", "sine=frequency=1000:sample_rate=48000,volume=6", &["-c:a", "flac"]);
    let studio = studio();
    add(&studio, "Clip", &path);
    wait_for("its strip", LIMIT, || studio.snapshot().strips.len() == 2);
    let id = studio.snapshot().scenes.collection.sources[0].id;
    let playing = || studio.snapshot().scenes.source(id).and_then(|it| it.playing);
    let peak = || studio.snapshot().strips[1].meter.peak_dbfs;
    wait_for("its sound", LIMIT, || peak() > -30.0);
    studio.send(Command::AtEnd(id, AtEnd::Clear));
    wait_for("its end", LIMIT, || playing().is_some_and(|it| it.paused) && peak() <= -60.0);
    let snapshot = studio.snapshot();
    assert_eq!(snapshot.scenes.collection.sources[0].properties.at_end, AtEnd::Clear);
    let source = snapshot.scenes.source(id).unwrap();
    assert_eq!((source.state, source.reason.as_str()), (SourceState::Open, ""));
    // The media bar plays it once more.
    studio.send(Command::Media(id, Go::Resume));
    wait_for("its sound once more", LIMIT, || {
        playing().is_some_and(|it| !it.paused) && peak() > -30.0
    });
    wait_for("its end", LIMIT, || playing().is_some_and(|it| it.paused) && peak() <= -60.0);
}

#[test]
fn a_stream_that_is_black_is_told_until_something_is_seen_and_a_black_clip_is_not() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("black.mkv");
    let black = "color=black:s=320x192:r=15:d=2";
    let quiet = ["-hide_banner", "-nostdin", "-v", "error"];
    let words = [&quiet[..], &["-f", "lavfi", "-i", black, "-c:v", "libx264"]].concat();
    Peer::start("ffmpeg", words.into_iter().chain([clip.to_str().unwrap()])).wait_success(LIMIT);
    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let ready = server.wait_named("ready");
    let url = format!("{}/live/guest", ready["rtmp"].as_str().unwrap().trim_end_matches('/'));
    let send = |picture: &str| {
        let mut words = [&quiet[..], &["-re", "-f", "lavfi", "-i", picture]].concat();
        words.extend(["-c:v", "libx264", "-preset", "ultrafast", "-g", "15"]);
        words.extend(["-pix_fmt", "yuv420p", "-f", "flv", &url]);
        Peer::start("ffmpeg", words)
    };
    let guest = send("color=black:s=320x192:r=15");

    // Where nothing is shown nothing is looked at.
    let studio = studio_with(VideoChoice::Test);
    add(&studio, "Clip", &clip);
    let scene = studio.snapshot().scenes.collection.current;
    let choice = VideoChoice::Stream(url.clone());
    studio.send(Command::Edit(Edit::AddSource { scene, name: "Guest".into(), choice }));
    let told = || -> Vec<(&'static str, String)> {
        let notices = studio.snapshot().notices;
        notices.iter().map(|it| (it.key, it.summary.clone())).collect()
    };
    let black = |it: &(&str, String)| it.0 == "stream-black";
    wait_for("the notice", LIMIT, || told().iter().any(black));
    let notices = told();
    assert!(notices.iter().filter(|it| black(it)).all(|it| it.1.contains("Guest")), "{notices:?}");
    // Another one sends what can be seen.
    drop(guest);
    let guest = send("testsrc2=s=320x192:r=15");
    let open = || {
        let scenes = studio.snapshot().scenes;
        let id = scenes.collection.sources[1].id;
        scenes.source(id).is_some_and(|it| it.state == SourceState::Open)
    };
    wait_for("a picture", LIMIT, || open() && !told().iter().any(black));
    let notices = told();
    assert!(!notices.iter().any(|it| it.1.contains("Clip")), "{notices:?}");
    drop(guest);
}

/// Two seconds of one gray and one tone.
fn gray_clip(folder: &Path, name: &str, gray: &str, size: &str, hz: u32) -> std::path::PathBuf {
    let path = folder.join(name);
    let picture = format!("color=c={gray}:s={size}:r=15:d=2");
    let tone = format!("sine=frequency={hz}:sample_rate=48000:duration=2,volume=6");
    let mut words = vec!["-hide_banner", "-nostdin", "-v", "error", "-f", "lavfi"];
    words.extend(["-i", &picture, "-f", "lavfi", "-i", &tone, "-c:v", "libx264"]);
    words.extend(["-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest", path.to_str().unwrap()]);
    Peer::start("ffmpeg", words).wait_success(LIMIT);
    path
}

/// The luma in the middle of what goes out.
fn middle(studio: &Studio) -> u8 {
    let Some(frame) = studio.program().get() else { return 0 };
    let (width, size) = (frame.planes.luma_stride(), frame.size());
    frame.planes.y[size.height as usize / 2 * width + size.width as usize / 2]
}

#[test]
fn files_of_a_list_follow_each_other_and_end_together() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clip = |name, gray, size, hz| gray_clip(folder.path(), name, gray, size, hz);
    let first = clip("first.mp4", "0x404040", "320x180", 440);
    let second = clip("second.mkv", "0xa0a0a0", "640x360", 1_000);
    let studio = studio();
    add(&studio, "Clips", &first);
    wait_for("its strip", LIMIT, || studio.snapshot().strips.len() == 2);
    let id = studio.snapshot().scenes.collection.sources[0].id;
    studio.send(Command::Edit(Edit::AddFile(id, folder.path().join("absent.mp4"))));
    studio.send(Command::Edit(Edit::AddFile(id, second)));
    let playing = || studio.snapshot().scenes.source(id).and_then(|it| it.playing);
    let is = |index: usize| playing().is_some_and(|it| it.item == Some((index, 3)) && !it.paused);
    let luma = || middle(&studio);
    let peak = || studio.snapshot().strips[1].meter.peak_dbfs;
    // Around twice, over one that is not there, with the sound of each.
    for _ in 0..2 {
        wait_for("the first", LIMIT, || is(0) && (55..85).contains(&luma()) && peak() > -30.0);
        let fails = || {
            let report = studio.snapshot().scenes.source(id).cloned().unwrap();
            report.reason.contains("absent.mp4")
        };
        wait_for("one that fails", LIMIT, fails);
        wait_for("the second", LIMIT, || is(2) && (140..170).contains(&luma()) && peak() > -30.0);
    }
    studio.send(Command::Edit(Edit::RemoveFile(id, 0)));
    let of_two = |index: usize| playing().is_some_and(|it| it.item == Some((index, 2)));
    studio.send(Command::AtEnd(id, AtEnd::Hold));
    // The last picture of the last one stays.
    let held =
        || of_two(1) && playing().is_some_and(|it| it.paused) && (140..170).contains(&luma());
    wait_for("its end", LIMIT, held);
    studio.send(Command::Media(id, Go::Restart));
    wait_for("the first again", LIMIT, || of_two(0) && (55..85).contains(&luma()));
    studio.send(Command::Media(id, Go::Next));
    wait_for("the second at once", LIMIT, || of_two(1) && (140..170).contains(&luma()));
    studio.end(LIMIT).unwrap();
}

#[test]
fn a_list_goes_on_whatever_is_taken_out_of_it_fails_or_is_asked_for_at_its_end() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clip = |name, gray| gray_clip(folder.path(), name, gray, "320x180", 440);
    let first = clip("first.mp4", "0x404040");
    let (second, third) = (clip("second.mp4", "0xa0a0a0"), clip("third.mp4", "0xd0d0d0"));
    let (dark, light, lightest) = (55..85, 140..170, 190..225);
    let studio = studio();
    add(&studio, "Clips", &first);
    wait_for("the source", LIMIT, || !studio.snapshot().scenes.collection.sources.is_empty());
    let id = studio.snapshot().scenes.collection.sources[0].id;
    let edit = |edit| studio.send(Command::Edit(edit));
    let playing = || studio.snapshot().scenes.source(id).and_then(|it| it.playing);
    let shows = |item, luma: &std::ops::Range<u8>| {
        playing().is_some_and(|it| it.item == item) && luma.contains(&middle(&studio))
    };

    // What is taken out while it plays is played to its end, and not once more.
    edit(Edit::AddFile(id, second.clone()));
    wait_for("the second", LIMIT, || shows(Some((1, 2)), &light));
    edit(Edit::RemoveFile(id, 0));
    wait_for("the first alone", LIMIT, || shows(None, &dark));

    // At the end of all a place is one in the file that was shown last.
    edit(Edit::AddFile(id, second));
    studio.send(Command::AtEnd(id, AtEnd::Hold));
    let stands = || playing().is_some_and(|it| it.paused);
    wait_for("the end", LIMIT, || stands() && shows(Some((1, 2)), &light));
    studio.send(Command::Media(id, Go::To(Duration::ZERO)));
    let mut seen = Vec::new();
    wait_for("its beginning", LIMIT, || {
        let it = playing().unwrap();
        seen.push((it.item, dark.contains(&middle(&studio))));
        !it.paused && it.at > Duration::ZERO
    });
    wait_for("the end again", LIMIT, || {
        seen.push((playing().unwrap().item, dark.contains(&middle(&studio))));
        stands()
    });
    assert!(seen.iter().all(|it| *it == (Some((1, 2)), false)), "{seen:?}");
    studio.send(Command::Media(id, Go::Previous));
    wait_for("the one before it", LIMIT, || shows(Some((0, 2)), &dark));

    // One that cannot be played and is the last is played when it can be.
    let late = folder.path().join("late.mp4");
    edit(Edit::AddFile(id, late.clone()));
    let fails = || {
        let source = studio.snapshot().scenes.source(id).cloned().unwrap();
        source.reason.contains("late.mp4") && source.playing.is_some_and(|it| it.paused)
    };
    wait_for("the failure", LIMIT, fails);
    std::fs::rename(third, late).unwrap();
    wait_for("the third", LIMIT, || shows(Some((2, 3)), &lightest));
    studio.end(LIMIT).unwrap();
}
