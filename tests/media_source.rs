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

use std::time::Duration;

use onair::base::queue::{self, Full};
use onair::base::{Clock, Latest, Timestamp};
use onair::compose::{self, Compositor};
use onair::media::markers::{self, FlashReader, LipSync, OnsetReader};
use onair::media::source::State;
use onair::media::transport::Go;
use onair::media::{FrameGrid, Samples, Size, VideoFrame};
use onair::mix::{self, Mixer, Strip, StripId};
use onair::net::Runtime;
use onair::player::source::{self, Context, Media};
use onair::player::{Config, Source};
use peers::{LIMIT, Onair, wait_for};

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
    let context = Context { clock, rate: 44_100, channels: 2, again: true };
    let config = Config::new(Source::File(path.clone()));
    let media = source::open(&config, &context, &runtime).unwrap();
    let status = std::sync::Arc::clone(&media.audio_status);
    let times = in_step(media, clock, 44_100, 7, 20.0);
    let rounds = times.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(rounds >= 1, "it went around");
    assert_eq!((status.state(), status.report().name.as_str()), (State::Open, "clip.mp4"));

    // Once only: it says that it is over.
    let once = Context { again: false, ..context };
    let media = source::open(&config, &once, &runtime).unwrap();
    let status = std::sync::Arc::clone(&media.video_status);
    wait_for("the end", LIMIT, || status.report().reason.contains("to its end"));
    drop(media);
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
    let context = Context { clock, rate: 48_000, channels: 2, again: true };
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
    let context = Context { clock, rate: 48_000, channels: 2, again: false };
    let media = source::open(&Config::new(Source::Url(url)), &context, &runtime).unwrap();
    let status = std::sync::Arc::clone(&media.video_status);
    in_step(media, clock, 48_000, 5, 25.0);
    assert_eq!(status.state(), State::Open);
    drop(onair);
}
