//! Tests of a recording and of onair's own stream as media sources. Video and audio must leave the
//! compositor and the mixer in sync, as the markers show. A file in a loop must continue from its
//! end to its beginning.

mod damaged;
mod in_studio;
mod pulled;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::peers::{self, LIMIT, Onair, Peer, missing, wait_for};
use onair::audio::AudioChoice;
use onair::base::queue::{self, Full};
use onair::base::{Clock, Latest, Stop, Timestamp};
use onair::capture::{Properties, VideoChoice, WhenHidden};
use onair::compose::scene::Content;
use onair::compose::{self, Compositor};
use onair::media::markers::{self, FlashReader, LipSync, OnsetReader};
use onair::media::playback_control::{EndBehavior, TransportCommand};
use onair::media::source_status::SourceState;
use onair::media::{FrameGrid, Pulled as Filled, SampleBlock, Size, VideoFrame};
use onair::mix::{self, Mixer, Strip, StripId};
use onair::net::Runtime;
use onair::player::source::{self, Context, MediaSource};
use onair::player::{Config, Source};
use onair::studio::{self, Command, Edit, Quality, Settings, Snapshot, Studio, TalkMode};
use pulled::{NUMBERED, Pulled, at, numbered, quietest};

const TEST: [&str; 9] =
    ["live", "--video", "test", "--audio", "tone", "--size", "640x360", "--video-bitrate", "1500k"];

/// Shows a source in its own program until this many flashes are measured and the median offset of
/// tone and flash is within `most` ms. A busy machine may delay frames for a while; a lasting
/// offset fails at the limit. Returns the times coded in the frames.
fn in_step(
    media: MediaSource,
    clock: Clock,
    rate: u32,
    flashes_wanted: usize,
    most: f64,
) -> Vec<u64> {
    let grid = FrameGrid { origin: Timestamp::from_micros(4_321), rate: "60".parse().unwrap() };
    let size = Size::new(640, 360);
    let config = compose::Config { size, grid, clock };
    let compositor = Compositor::spawn(config, Latest::default()).unwrap();
    let (channels, origin) = (2, grid.origin);
    let mixer = Mixer::spawn(mix::Config { rate, channels, origin, clock }).unwrap();
    let (frames, pictures) = queue::bounded::<VideoFrame>("test-video", 256, Full::DropOldest);
    let (blocks, sounds) = queue::bounded::<SampleBlock>("test-audio", 2_048, Full::DropOldest);
    let status = std::sync::Arc::clone(&media.video_status);
    compositor.set_feed(Some(media.video));
    mixer.set_strip(StripId::MAIN, Strip::default());
    mixer.set_feed(StripId::MAIN, Some(media.audio));
    compositor.attach_encoder(frames);
    mixer.attach_encoder(blocks);
    let (mut flashes, mut onsets, mut sync) =
        (FlashReader::default(), OnsetReader::new(rate), LipSync::default());
    let (mut seen, mut times) = (0, Vec::new());
    let limit = clock.now() + LIMIT;
    while seen < flashes_wanted || sync.offset_ms().is_none_or(|offset| offset.abs() > most) {
        let offset = sync.offset_ms();
        assert!(clock.now() < limit, "{seen} flashes, {offset:?} ms: {:?}", status.report());
        let frame = pictures.recv_timeout(LIMIT).unwrap();
        let planes = frame.planes();
        if let Some(time) = markers::read_band(&planes.y, planes.luma_stride(), size) {
            let flash = markers::is_flash(&planes.y, planes.luma_stride(), size);
            // Each frame of the clip is shown twice.
            if times.last() != Some(&time) {
                times.push(time);
                if flashes.on_frame(time, flash) {
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
    compositor.join(Duration::from_secs(30)).unwrap();
    mixer.join(Duration::from_secs(30)).unwrap();
    times
}

#[test]
fn a_clip_loops_with_its_audio_in_sync() {
    peers::in_real_time!(a_clip_loops_with_its_audio_in_sync);
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
    // A rate other than the clip's.
    let context = Context { clock, rate: 44_100, channels: 2, at_end: EndBehavior::Loop };
    let config = Config::new(Source::File(path.clone()));
    let media = source::open(&config, &context, &runtime).unwrap();
    let status = std::sync::Arc::clone(&media.audio_status);
    let times = in_step(media, clock, 44_100, 7, 20.0);
    let rounds = times.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(rounds >= 1, "it went around");
    assert_eq!((status.state(), status.report().name.as_str()), (SourceState::Open, "clip.mp4"));

    let absent = Config::new(Source::File("/nonexistent.mp4".into()));
    assert!(source::open(&absent, &context, &runtime).is_err());
    std::fs::write(&path, b"no clip at all, but long enough to be looked at").unwrap();
    if let Ok(media) = source::open(&config, &context, &runtime) {
        wait_for("a word", LIMIT, || media.video_status.state() == SourceState::Failed);
    }
}

#[test]
fn a_clip_is_paused_moved_about_in_and_stays_in_step() {
    peers::in_real_time!(a_clip_is_paused_moved_about_in_and_stays_in_step);
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
    let context = Context { clock, rate: 48_000, channels: 2, at_end: EndBehavior::Loop };
    let config = Config::new(Source::File(path));
    let media = source::open(&config, &context, &runtime).unwrap();
    let transport = media.transport.clone();
    let at = || transport.position().map(|it| it.at.as_secs_f64());
    wait_for("the clip to begin", LIMIT, || at().is_some_and(|at| at > 0.3));
    let whole = transport.position().unwrap().whole.unwrap().as_secs_f64();
    assert!((7.0..9.0).contains(&whole), "{whole}");
    transport.ask(TransportCommand::Pause);
    wait_for("the pause", LIMIT, || transport.position().is_some_and(|it| it.paused));
    // Longer than a source may give nothing before it counts as stalled.
    let (held, since) = (at().unwrap(), clock.now());
    wait_for("three seconds", LIMIT, || clock.now().since(since) > Duration::from_secs(3));
    assert!((at().unwrap() - held).abs() < 0.5, "{held} {:?}", at());
    assert_ne!(media.video_status.state(), SourceState::Stalled, "it stands because it is to");
    transport.ask(TransportCommand::To(Duration::from_secs(5)));
    transport.ask(TransportCommand::Resume);
    wait_for("the other place", LIMIT, || {
        transport.position().is_some_and(|it| !it.paused && it.at >= Duration::from_secs(4))
    });
    transport.ask(TransportCommand::Restart);
    wait_for("the beginning", LIMIT, || at().is_some_and(|at| at < 2.0));
    in_step(media, clock, 48_000, 5, 25.0);
}

#[test]
fn a_stream_is_shown_with_its_audio_in_sync() {
    let mut onair = Onair::start(&TEST);
    let url = onair.play_url();
    let clock = Clock::start();
    let runtime = Runtime::start().unwrap();
    let context = Context { clock, rate: 48_000, channels: 2, at_end: EndBehavior::Loop };
    let media = source::open(&Config::new(Source::Url(url)), &context, &runtime).unwrap();
    let status = std::sync::Arc::clone(&media.video_status);
    in_step(media, clock, 48_000, 5, 25.0);
    assert_eq!(status.state(), SourceState::Open);
    drop(onair);
}

#[test]
fn a_clip_that_is_played_once_ends_with_its_audio_and_can_be_played_again() {
    peers::in_real_time!(a_clip_that_is_played_once_ends_with_its_audio_and_can_be_played_again);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tone = "aevalsrc='0.5*sin(2*PI*1000*t)':s=48000:c=mono";
    for (name, codec) in [("once.mkv", ["-c:a", "flac"]), ("once.flv", ["-c:a", "aac"])] {
        let path = folder.path().join(name);
        numbered(&path, "2", tone, &codec);
        let (mut pulled, _runtime) = Pulled::open(&path, EndBehavior::Hold);
        let transport = pulled.media.transport.clone();
        let last = |it: &Pulled| it.shown.last().copied();
        let over = |it: &Pulled| it.paused() && it.silent;
        // The whole clip is shown, and its last frame stays for longer than the stall limit.
        pulled.until("its end", over);
        assert_eq!((pulled.shown[0], last(&pulled)), (0, Some(49)), "{name}");
        assert!(pulled.samples.iter().any(|it| it.abs() > 0.3), "{name} is heard");
        let (shown, audio_start) = (pulled.shown.len(), pulled.samples.len());
        (0..250).for_each(|_| pulled.step());
        assert_eq!(pulled.shown.len(), shown, "{name}: {:?}", pulled.shown);
        assert!(pulled.samples[audio_start..].iter().all(|it| *it == 0.0), "{name}");
        let place = transport.position().unwrap();
        assert_eq!(Some(place.at), place.whole, "{name}");
        assert_eq!(pulled.media.video_status.state(), SourceState::Open, "that is no fault");

        // With `Clear`, the source becomes transparent at the same size.
        let blank = |it: &mut Pulled| {
            let frame = it.media.video.frame(it.next).unwrap();
            let alpha = frame.planes().alpha.as_ref();
            let clear = alpha.is_some_and(|alpha| alpha.iter().all(|it| *it == 0));
            (clear, frame.size())
        };
        let size = Size::new(320, 192);
        assert_eq!(blank(&mut pulled), (false, size), "{name}");
        transport.set_at_end(EndBehavior::Clear);
        let limit = pulled.clock.now() + LIMIT;
        while blank(&mut pulled) != (true, size) {
            assert!(pulled.clock.now() < limit, "{name} is still shown");
            pulled.step();
        }

        // It plays again: from its beginning, and from a position.
        for (go, first) in [
            (TransportCommand::Resume, 0),
            (TransportCommand::Restart, 0),
            (TransportCommand::To(Duration::from_millis(1_001)), at(Duration::from_millis(1_001))),
        ] {
            (pulled.shown, pulled.samples) = (Vec::new(), Vec::new());
            transport.ask(TransportCommand::Pause);
            transport.ask(go);
            pulled.until("its beginning", |it| !it.paused());
            pulled.until("its end", over);
            let shown: Vec<u64> = pulled.shown.drain(..).filter(|it| *it > 0).collect();
            let wanted: Vec<u64> = (first.max(1)..50).collect();
            // A busy machine drops frames; no frame comes twice.
            assert!(shown.is_sorted() && shown.len() > 5, "{name} {go:?} {shown:?}");
            assert!(shown.iter().all(|it| wanted.contains(it)), "{name} {go:?} {shown:?}");
            assert!(pulled.samples.iter().any(|it| it.abs() > 0.3), "{name} {go:?}");
            assert!(blank(&mut pulled).0, "{name} {go:?}");
        }

        // Now it loops. With `Hold` it then ends after the current pass, although the next one has
        // been read.
        transport.set_at_end(EndBehavior::Loop);
        pulled.shown.clear();
        pulled.until("another time", |it| it.shown.windows(2).any(|two| two[1] < two[0]));
        pulled.until("its middle", |it| last(it).is_some_and(|it| it > 10));
        transport.set_at_end(EndBehavior::Hold);
        pulled.shown.clear();
        pulled.until("its end", over);
        let back = pulled.shown.windows(2).any(|two| two[1] + 1 < two[0]);
        assert!(!back, "{name}: {:?}", pulled.shown);
        assert_eq!(last(&pulled), Some(49), "{name}");
    }
}

#[test]
fn a_requested_position_is_shown_and_played_exactly() {
    peers::in_real_time!(a_requested_position_is_shown_and_played_exactly);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A lossless ramp shows the number of each sample; with AAC, the phase of a slow tone does.
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
        let (mut pulled, _runtime) = Pulled::open(&path, EndBehavior::Loop);
        pulled.until("the beginning", |it| it.shown.len() > 10);
        assert_eq!(pulled.shown[0], 0, "{name}");
        pulled.pause();
        // Seeks back and forth: between keyframes (0, 4 and 8 s), on them, next to frame borders,
        // and at the end.
        for millis in [1_001, 3_999, 7_960, 4_000, 2_479, 2_480, 9_990, 0, 5_333] {
            pulled.stand_at(name, Duration::from_millis(millis));
        }
        // Audio continues at exactly the right sample.
        let wanted = 5_333 * 48;
        pulled.media.transport.ask(TransportCommand::Resume);
        let audio_start = pulled.samples.len();
        let is_audio = |it: &f32| *it != 0.0;
        pulled.until("sound", |it| {
            it.samples[audio_start..].iter().filter(|it| is_audio(it)).count() > 9_600
        });
        let begins = pulled.samples[audio_start..].iter().position(is_audio).unwrap() + audio_start;
        let sound = pulled.samples[begins..begins + 4_800].to_vec();
        assert!(!sound.windows(2).any(|two| two == [0.0; 2]), "{name}: a hole");
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
            // FLV timestamps have whole milliseconds.
            assert!(off.abs() < if name.ends_with("flv") { 50.0 } else { 1.5 }, "{name}: {off}");
        }
        // While it plays, too: the first new frame after a seek is the one at the position asked
        // for.
        pulled.until("it plays", |it| {
            it.shown.last().is_some_and(|it| *it >= at(Duration::from_millis(5_500)))
        });
        let before = pulled.shown.len();
        pulled.media.transport.ask(TransportCommand::To(Duration::from_millis(3_210)));
        pulled.until("the place", |it| it.shown.last().is_some_and(|it| *it < 100));
        let shown = &pulled.shown[before..];
        let first = shown.iter().find(|it| **it < 100);
        assert_eq!(first, Some(&80), "{name}: {shown:?}");
    }
}

#[test]
fn the_end_and_the_beginning_of_a_file_that_goes_around_follow_each_other() {
    peers::in_real_time!(the_end_and_the_beginning_of_a_file_that_goes_around_follow_each_other);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A whole number of waves in the three seconds.
    let tone = "aevalsrc='0.5*sin(2*PI*200*t)':s=48000:c=mono";
    // Where timestamps have whole milliseconds, the waves may be off by as much at the seam.
    for (name, most) in [("round.mp4", 0.03), ("round.mkv", 0.7), ("round.flv", 0.7)] {
        let path = folder.path().join(name);
        numbered(&path, "3", tone, &["-c:a", "aac", "-b:a", "160k"]);
        let (mut pulled, _runtime) = Pulled::open(&path, EndBehavior::Loop);
        pulled.until("the beginning", |it| it.shown.len() > 10);
        // A busy machine may be late once: the test waits for a seam without that.
        let (mut pictures, mut sound, mut rounds) = (false, false, 0);
        while !(pictures && sound) {
            rounds += 1;
            assert!(rounds < 10, "{name}: pictures {pictures}, sound {sound}");
            let (seen, audio_start) = (pulled.shown.len(), pulled.samples.len());
            let starts = |it: &Pulled| it.shown[seen..].iter().position(|it| *it == 0);
            pulled.until("the end", |it| starts(it).is_some());
            let seam = starts(&pulled).unwrap() + seen;
            pulled.until("the beginning", |it| it.shown.len() > seam + 10);
            let around = &pulled.shown[seam - 10..seam + 10];
            let wanted: Vec<u64> = (65..75).chain(0..10).collect();
            pictures |= around == wanted;
            let part = &pulled.samples[audio_start..];
            // A wave has 240 samples; each must equal the one before it.
            let worst = part.windows(241).map(|it| (it[240] - it[0]).abs()).fold(0.0, f32::max);
            let lowest = part
                .windows(240)
                .map(|it| it.iter().copied().fold(0.0, f32::max))
                .fold(1.0, f32::min);
            eprintln!(
                "  {name}: {around:?}, waves differ by {worst:.4}, the faintest is {lowest:.3}"
            );
            sound |= worst < most && lowest > 0.45;
        }
    }
}

#[test]
fn files_of_a_list_follow_each_other_without_a_gap() {
    peers::in_real_time!(files_of_a_list_follow_each_other_without_a_gap);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A whole number of waves in the three seconds.
    let tone = "aevalsrc='0.5*sin(2*PI*200*t)':s=48000:c=mono";
    let aac: &[&str] = &["-c:a", "aac", "-b:a", "160k"];
    for (first, second, codec, most) in [
        ("first.mp4", "second.mp4", aac, 0.03),
        // With whole milliseconds, the waves may be off by as much at the seam.
        ("first.mkv", "second.mkv", ["-c:a", "flac"].as_slice(), 0.7),
        ("first.flv", "second.mp4", aac, 0.7),
        ("first.flv", "second.flv", aac, 0.7),
    ] {
        let [first, second] = [first, second].map(|name| folder.path().join(name));
        for path in [&first, &second] {
            numbered(path, "3", tone, codec);
        }
        let (mut pulled, _runtime) = Pulled::open(&first, EndBehavior::Loop);
        pulled.media.transport.set_then(std::slice::from_ref(&second));
        let item = |it: &Pulled| it.media.transport.position().and_then(|it| it.item);
        pulled.until("the first", |it| it.shown.len() > 10 && item(it) == Some((0, 2)));
        // A busy machine may be late once: the test waits for a clean seam in both directions.
        for other in [1, 0] {
            let (mut pictures, mut sound, mut rounds) = (false, false, 0);
            while !(pictures && sound) {
                rounds += 1;
                assert!(rounds < 6, "{second:?}: pictures {pictures}, sound {sound}");
                pulled.until("the one before", |it| {
                    item(it) == Some((1 - other, 2)) && it.shown.last().is_some_and(|it| *it > 30)
                });
                let (seen, audio_start) = (pulled.shown.len(), pulled.samples.len());
                let starts = |it: &Pulled| it.shown[seen..].iter().position(|it| *it == 0);
                pulled.until("its end", |it| starts(it).is_some());
                let joint = starts(&pulled).unwrap() + seen;
                pulled.until("the other one", |it| it.shown.len() > joint + 10);
                pulled.until("its number", |it| item(it) == Some((other, 2)));
                let place = pulled.media.transport.position().unwrap();
                let seconds = |it: Duration| it.as_secs_f64();
                assert!((2.9..3.1).contains(&seconds(place.whole.unwrap())), "{place:?}");
                assert!(seconds(place.at) < 2.0, "{place:?}");
                let around = &pulled.shown[joint - 10..joint + 10];
                let wanted: Vec<u64> = (65..75).chain(0..10).collect();
                pictures |= around == wanted;
                let part = &pulled.samples[audio_start..];
                // A wave has 240 samples; each must equal the one before it.
                let worst = part.windows(241).map(|it| (it[240] - it[0]).abs()).fold(0.0, f32::max);
                let lowest = quietest(part, 240);
                eprintln!("  {around:?}, waves differ by {worst:.4}, the faintest is {lowest:.3}");
                sound |= worst < most && lowest > 0.45;
            }
        }
        // A seek goes to a position in the file that plays.
        let transport = pulled.media.transport.clone();
        let now = item(&pulled);
        transport.ask(TransportCommand::To(Duration::from_millis(1_001)));
        let before = pulled.shown.len();
        pulled.until("the place", |it| {
            it.shown[before..].contains(&at(Duration::from_millis(1_001)))
        });
        assert_eq!(item(&pulled), now);
    }
}

/// The lengths in seconds of loud (`true`) and silent runs, without the first and the last run.
fn lasting(samples: &[f32]) -> Vec<(bool, f64)> {
    // Five milliseconds hold a whole wave.
    let loud = samples.chunks(240).map(|part| part.iter().any(|it| it.abs() > 0.2));
    let mut runs: Vec<(bool, usize)> = Vec::new();
    for is in loud {
        match runs.last_mut() {
            Some((was, count)) if *was == is => *count += 1,
            _ => runs.push((is, 1)),
        }
    }
    runs.pop();
    runs.into_iter().skip(1).map(|(is, count)| (is, count as f64 * 0.005)).collect()
}

#[test]
fn files_without_video_or_without_audio_follow_others_without_a_gap() {
    peers::in_real_time!(files_without_video_or_without_audio_follow_others_without_a_gap);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let tone = "aevalsrc='0.5*sin(2*PI*200*t)':s=48000:c=mono";
    for (film, sound, mute) in
        [("film.mp4", "sound.flac", "mute.mp4"), ("film.flv", "sound.flv", "mute.flv")]
    {
        numbered(&path(film), "3", tone, &["-c:a", "aac", "-b:a", "160k"]);
        numbered(&path(mute), "2", tone, &["-an"]);
        let other = format!("{tone}:d=1");
        let quiet = ["-hide_banner", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &other];
        Peer::start("ffmpeg", quiet.into_iter().chain([path(sound).to_str().unwrap()]))
            .wait_success(LIMIT);
        let (mut pulled, _runtime) = Pulled::open(&path(film), EndBehavior::Loop);
        pulled.media.transport.set_then(&[path(sound), path(mute)]);
        // A busy machine may be late once.
        let mut rounds = 0;
        loop {
            rounds += 1;
            assert!(rounds < 6, "{film}");
            let (seen, audio_start) = (pulled.shown.len(), pulled.samples.len());
            let item = |it: &Pulled| it.media.transport.position().and_then(|it| it.item);
            for wanted in [1, 2, 0, 1] {
                pulled.until("the next", |it| item(it) == Some((wanted, 3)));
            }
            let before = pulled.samples.len();
            pulled.until("some of it", |it| it.samples.len() > before + 9_600);
            let shown = &pulled.shown[seen..];
            let lasting = lasting(&pulled.samples[audio_start..]);
            eprintln!("  {film}: {lasting:.2?} {shown:?}");
            // One silence, that of the file without audio. (FLV does not mark an encoder's padding
            // before audio: a frame or two.)
            let silent = lasting.iter().filter(|it| !it.0 && it.1 > 0.06);
            let silent: Vec<f64> = silent.map(|it| it.1).collect();
            let exact = silent.len() == 1 && (1.95..2.05).contains(&silent[0]);
            // The last frame of the first file stays while the second file plays.
            let joint = shown.iter().position(|it| *it == 0);
            let (mute, film) = shown[joint.unwrap()..].split_at(50);
            let whole = mute.iter().copied().eq(0..50) && film[..75].iter().copied().eq(0..75);
            if exact && whole && shown.len() <= 50 + 75 + joint.unwrap() {
                break;
            }
        }
    }
}

#[test]
fn audio_files_of_a_list_follow_each_other_without_a_gap_also_at_other_rates() {
    peers::in_real_time!(audio_files_of_a_list_follow_each_other_without_a_gap_also_at_other_rates);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, rate: u32, hertz: u32| {
        let path = folder.path().join(name);
        let tone = format!("aevalsrc='0.5*sin(2*PI*{hertz}*t)':s={rate}:c=mono:d=2");
        let words = ["-hide_banner", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &tone];
        Peer::start("ffmpeg", words.into_iter().chain([path.to_str().unwrap()]))
            .wait_success(LIMIT);
        path
    };
    // The second file's waves are half as long, which identifies it. Missing samples are zero; 5 ms
    // hold a whole wave of the first file. Between rates, some milliseconds stay in the resampler.
    for (name, rate, longest) in [("same.flac", 48_000, 240), ("other.flac", 44_100, 960)] {
        let (first, second) = (make("first.flac", 48_000, 200), make(name, rate, 400));
        let (mut pulled, _runtime) = Pulled::open(&first, EndBehavior::Loop);
        pulled.media.transport.set_then(&[second]);
        let upwards = |sound: &[f32]| {
            let crossings = sound.windows(2).filter(|it| it[0] < 0.0 && it[1] >= 0.0);
            crossings.count()
        };
        // Counts the waves of the last tenth of a second.
        let waves = |it: &Pulled| upwards(&it.samples[it.samples.len().saturating_sub(4_800)..]);
        let mut rounds = 0;
        loop {
            rounds += 1;
            assert!(rounds < 12, "{name}");
            pulled.until("the first", |it| (18..22).contains(&waves(it)));
            let from = pulled.samples.len() - 4_800;
            pulled.until("the second", |it| (38..42).contains(&waves(it)));
            let lowest = quietest(&pulled.samples[from..], longest);
            eprintln!("  {name}: the faintest is {lowest:.3}");
            if lowest > 0.4 {
                break;
            }
        }
    }
}

#[test]
fn clips_of_an_obs_collection_keep_their_size_and_are_audible_if_they_have_audio() {
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
    let audible = make("heard.mp4", &both);
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
    let sources = [source("Heard", &audible), source("Silent", &silent), scene];
    let collection = serde_json::json!({"current_scene": "A", "scene_order": [{"name": "A"}],
        "resolution": {"x": 1280, "y": 720}, "sources": sources});
    std::fs::write(&file, collection.to_string()).unwrap();
    let to = folder.path().join("scenes.json");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_onair"))
        .args(["scenes", "import", file.to_str().unwrap(), "--json", "--to", to.to_str().unwrap()])
        .output()
        .unwrap();
    let event: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let not = "'Silent': transparency (for this type of file, onair supports it only in stingers)";
    assert_eq!(event["left_out"], serde_json::json!([not]), "{event}");
    let text = std::fs::read_to_string(&to).unwrap();
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    for item in written["collection"]["scenes"][0]["items"].as_array().unwrap() {
        assert_eq!((item["width"].as_f64(), item["height"].as_f64()), (Some(0.5), Some(0.5)));
    }
    let strips = written["strips"].as_array().unwrap();
    assert_eq!(strips.len(), 1, "{text}");
    assert_eq!(strips[0]["source"], serde_json::json!(format!("file:{audible}")));

    // The plain-text output says the same. An import writes only new files.
    let again = folder.path().join("again.json");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_onair"))
        .args(["scenes", "import", file.to_str().unwrap(), "--to", again.to_str().unwrap()])
        .output()
        .unwrap();
    let wanted =
        format!("Scenes: A\nAudio sources: Heard (file:{audible})\nLeft out or changed: {not}\n");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), wanted);
}
