//! Tests of slide shows.

use std::fs;

use image::{Rgba as Pixel, RgbaImage};

use super::*;
use crate::base::{Clock, Stop};
use crate::media::{FrameGrid, FrameRate, Size};

/// Time between two requests of a visible show.
const STEP: Duration = Duration::from_millis(400);

fn slide(luma: u8) -> VideoFrame {
    let mut planes = Planes::black(Size::new(4, 2));
    planes.y.fill(luma);
    source::frame(Pooled::unpooled(planes))
}

#[test]
fn slides_stay_and_fade_by_the_time() {
    let mut show = Show {
        pace: Pace {
            time: Duration::from_secs(2),
            fade: Duration::from_secs(1),
            ..Pace::default()
        },
        pool: Planes::alpha_pool(Size::new(4, 2), 4),
        now: None,
        next: None,
        blended: None,
        hurry: false,
    };
    let mut slides = vec![slide(50), slide(200), slide(100)];
    let mut luma = |millis: i64| {
        let next = || slides.pop();
        show.frame(Timestamp::from_millis(millis), next).map(|frame| frame.planes().y[0])
    };
    let seen: Vec<_> = [0, 1_999, 2_000, 2_500, 2_999, 3_000, 4_999, 5_000, 5_500, 6_000, 60_000]
        .into_iter()
        .map(|at| luma(at).unwrap())
        .collect();
    assert_eq!(seen, [100, 100, 100, 150, 200, 200, 200, 200, 125, 50, 50]);
}

#[test]
fn a_large_folder_is_shown_from_its_first_image_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |number: u32, ending: &str| folder.path().join(format!("{number:02}.{ending}"));
    for number in (0..60).rev() {
        fs::write(path(number, "png"), b"").unwrap();
        fs::write(path(number, "txt"), b"").unwrap();
    }
    // A folder with the name of an image.
    fs::create_dir(folder.path().join("00a.png")).unwrap();
    let wanted: Vec<_> = (0..10).map(|number| path(number, "png")).collect();
    assert_eq!(images_in(folder.path(), 10, Path::to_owned), Ok(wanted));
}

#[test]
fn a_folder_is_shown_in_order_and_broken_images_are_skipped() {
    let folder = tempfile::tempdir().unwrap();
    let save = |name: &str, grey: u8, width: u32| {
        let pixel = Pixel([grey, grey, grey, 255]);
        RgbaImage::from_pixel(width, 36, pixel).save(folder.path().join(name)).unwrap();
    };
    save("b.png", 255, 64);
    save("a.png", 0, 36);
    fs::write(folder.path().join("ab.png"), b"broken").unwrap();
    fs::write(folder.path().join("notes.txt"), b"no picture").unwrap();
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
    let context = Context { clock: Clock::start(), grid, size: Size::new(64, 36) };
    let fade = Duration::ZERO;
    let pace = Pace { fade, ..Pace::default() };
    let mut source =
        open(folder.path(), LiveSetting::new(pace), Transport::default(), &context).unwrap();
    let mut at = Timestamp::ZERO;
    for luma in [16, 235, 16, 235] {
        let found = (0..15_000).any(|_| {
            at += STEP;
            let frame = source.feed.frame(at);
            if frame.as_ref().is_none_or(|frame| frame.planes().y[32] != luma) {
                Stop::new().wait(Duration::from_millis(2));
                return false;
            }
            true
        });
        assert!(found, "{luma}");
        let frame = source.feed.frame(at).unwrap();
        assert_eq!(frame.size(), context.size);
        if luma == 16 {
            // The middle 36 of 64 columns are visible.
            let alpha = frame.planes().alpha.as_ref().unwrap();
            assert_eq!((alpha[0], alpha[13], alpha[14], alpha[49], alpha[50]), (0, 0, 255, 255, 0));
        }
    }
    // The show plays once: after the last slide, nothing follows until repeat is set.
    let dial = LiveSetting::new(Pace { repeat: false, ..pace });
    let mut source = open(folder.path(), dial.clone(), Transport::default(), &context).unwrap();
    let mut luma = |at: &mut Timestamp| {
        *at += STEP;
        source.feed.frame(*at).map(|frame| frame.planes().y[32])
    };
    let mut await_luma = |wanted: u8, at: &mut Timestamp| {
        for _ in 0..15_000 {
            if luma(at) == Some(wanted) {
                return;
            }
            Stop::new().wait(Duration::from_millis(2));
        }
        panic!("never {wanted}");
    };
    await_luma(16, &mut at);
    await_luma(235, &mut at);
    for _ in 0..200 {
        await_luma(235, &mut at);
    }
    dial.set(pace);
    await_luma(16, &mut at);
    let empty = tempfile::tempdir().unwrap();
    assert!(open(empty.path(), dial, Transport::default(), &context).is_err());
}

#[test]
fn a_show_is_paused_turned_on_and_back_and_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    for (name, grey) in [("a.png", 0), ("b.png", 128), ("c.png", 255)] {
        let pixel = Pixel([grey, grey, grey, 255]);
        RgbaImage::from_pixel(64, 36, pixel).save(folder.path().join(name)).unwrap();
    }
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
    let context = Context { clock: Clock::start(), grid, size: Size::new(64, 36) };
    let transport = Transport::default();
    let dial = LiveSetting::new(Pace::default());
    let mut source = open(folder.path(), dial, transport.clone(), &context).unwrap();
    let mut at = Timestamp::ZERO;
    // Waits until this slide is shown; each step takes a millisecond, so that the display time
    // of the slide does not end.
    let mut wait_for = |wanted: usize, go: Option<TransportCommand>| {
        if let Some(go) = go {
            transport.ask(go);
        }
        for _ in 0..30_000 {
            at += Duration::from_millis(1);
            let seen = source.feed.frame(at).map(|frame| frame.planes().y[32]);
            if seen == [16, 126, 235].get(wanted).copied() {
                let position = transport.position().unwrap();
                assert_eq!(position.item, Some((wanted, 3)));
                return position;
            }
            Stop::new().wait(Duration::from_millis(1));
        }
        panic!("never {wanted} after {go:?}");
    };
    wait_for(0, None);
    assert!(wait_for(0, Some(TransportCommand::Pause)).paused);
    assert!(wait_for(1, Some(TransportCommand::Next)).paused, "turned while it stands");
    wait_for(0, Some(TransportCommand::Previous));
    wait_for(2, Some(TransportCommand::Previous));
    wait_for(0, Some(TransportCommand::Restart));
    // A pause of a minute does not count; then the show continues.
    for _ in 0..60 {
        at += Duration::from_secs(1);
        assert_eq!(source.feed.frame(at).map(|frame| frame.planes().y[32]), Some(16));
    }
    transport.ask(TransportCommand::Resume);
    for _ in 0..30_000 {
        at += Duration::from_millis(100);
        if source.feed.frame(at).map(|frame| frame.planes().y[32]) == Some(126) {
            assert!(!transport.position().unwrap().paused);
            return;
        }
        Stop::new().wait(Duration::from_millis(1));
    }
    panic!("it does not go on");
}

#[test]
fn a_list_is_shown_in_its_order_and_what_is_taken_out_is_not_seen_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, grey) in [("c.png", 0), ("a.png", 128), ("b.png", 255), ("private.png", 64)] {
        let pixel = Pixel([grey, grey, grey, 255]);
        RgbaImage::from_pixel(64, 36, pixel).save(path(name)).unwrap();
    }
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
    let context = Context { clock: Clock::start(), grid, size: Size::new(64, 36) };
    let transport = Transport::default();
    transport.set_then(&[path("a.png"), path("b.png")]);
    let dial = LiveSetting::new(Pace { fade: Duration::ZERO, ..Pace::default() });
    let (mut feed, _) = start(&path("c.png"), dial, transport.clone(), &context).unwrap();
    let mut at = Timestamp::ZERO;
    // Waits for the next different image; `step` is the time between checks.
    let mut after = |feed: &mut SlideFeed, luma, step| next_seen(feed, &mut at, luma, step);
    let (c, a, b) = (Some(16), Some(126), Some(235));
    assert_eq!(after(&mut feed, None, STEP), c);
    for (luma, wanted) in [(c, a), (a, b), (b, c), (c, a)] {
        assert_eq!(after(&mut feed, luma, STEP), wanted);
    }
    assert_eq!(transport.position().unwrap().item, Some((1, 3)));
    // The list changes during a slide: the show continues after that slide, although its
    // position changed.
    transport.set_then(&[path("b.png"), path("a.png")]);
    for (luma, wanted) in [(a, c), (c, b), (b, a)] {
        assert_eq!(after(&mut feed, luma, STEP), wanted);
    }
    // A removed slide disappears immediately: the time hardly advances, even if the next slide
    // is ready and another one waits for space.
    while !feed.ready.is_awaited() {
        std::thread::yield_now();
    }
    transport.set_then(&[path("b.png")]);
    assert_eq!(after(&mut feed, a, Duration::from_micros(1)), c);
    for (luma, wanted) in [(c, b), (b, c), (c, b)] {
        assert_eq!(after(&mut feed, luma, STEP), wanted);
    }
}

/// Returns the luma of the visible slide.
fn seen(feed: &mut SlideFeed, at: Timestamp) -> Option<u8> {
    let frame = feed.frame(at)?;
    let planes = frame.planes();
    let visible = planes.alpha.as_ref().is_none_or(|alpha| alpha[32] > 0);
    visible.then(|| planes.y[32])
}

/// Requests frames at these intervals until another slide is visible.
fn next_seen(
    feed: &mut SlideFeed,
    at: &mut Timestamp,
    before: Option<u8>,
    step: Duration,
) -> Option<u8> {
    for _ in 0..30_000 {
        *at += step;
        let now = seen(feed, *at);
        if now.is_some() && now != before {
            return now;
        }
        Stop::new().wait(Duration::from_millis(1));
    }
    panic!("nothing after {before:?}");
}

#[test]
fn a_folder_without_a_name_has_its_path_as_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep").join("..");
    fs::create_dir(folder.path().join("deep")).unwrap();
    RgbaImage::from_pixel(64, 36, Pixel([0; 4])).save(folder.path().join("a.png")).unwrap();
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
    let context = Context { clock: Clock::start(), grid, size: Size::new(64, 36) };
    let dial = LiveSetting::new(Pace::default());
    let (_feed, status) = start(&path, dial, Transport::default(), &context).unwrap();
    assert_eq!(status.report().name, path.display().to_string());
}

#[test]
fn a_hidden_show_is_paused_begins_again_or_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    for (name, grey) in [("a.png", 255), ("b.png", 128), ("c.png", 0)] {
        let pixel = Pixel([grey, grey, grey, 255]);
        RgbaImage::from_pixel(64, 36, pixel).save(folder.path().join(name)).unwrap();
    }
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
    let context = Context { clock: Clock::start(), grid, size: Size::new(64, 36) };
    let transport = Transport::default();
    let pace = Pace { fade: Duration::ZERO, ..Pace::default() };
    let dial = LiveSetting::new(pace);
    let (mut feed, _) = start(folder.path(), dial, transport.clone(), &context).unwrap();
    let (a, b, c) = (Some(235), Some(126), Some(16));
    let (tick, hour) = (Duration::from_millis(1), Duration::from_secs(3_600));
    let mut at = Timestamp::ZERO;
    // The next slide is ready, and would be shown at once.
    let is_ready = |feed: &SlideFeed| {
        while !feed.ready.is_awaited() {
            std::thread::yield_now();
        }
    };
    assert_eq!(next_seen(&mut feed, &mut at, None, tick), a);
    is_ready(&feed);
    for go in [TransportCommand::Pause, TransportCommand::Resume] {
        transport.ask(go);
    }
    at += hour;
    assert_eq!(seen(&mut feed, at), a, "it was paused");
    for _ in 0..10 {
        at += STEP;
        assert_eq!(seen(&mut feed, at), a, "it has its whole time");
    }
    assert_eq!(next_seen(&mut feed, &mut at, a, STEP), b);
    let (pause, restart) = (TransportCommand::Pause, TransportCommand::Restart);
    for hidden in [[pause, restart], [restart, pause]] {
        is_ready(&feed);
        for go in hidden.into_iter().chain([TransportCommand::Resume]) {
            transport.ask(go);
        }
        at += hour;
        assert!(feed.frame(at).is_some(), "no placeholder is shown");
        assert_eq!(next_seen(&mut feed, &mut at, None, tick), a, "the old slide is not shown");
        for _ in 0..10 {
            at += STEP;
            assert_eq!(seen(&mut feed, at), a, "it has its whole time");
        }
        assert!(!transport.position().unwrap().paused);
        assert_eq!(next_seen(&mut feed, &mut at, a, STEP), b);
    }
    // It goes on for eleven seconds: the slide in between is over.
    is_ready(&feed);
    at += Duration::from_secs(11);
    assert_eq!(next_seen(&mut feed, &mut at, b, tick), a);
    // A show that is played once goes on to its last slide.
    let once = LiveSetting::new(Pace { repeat: false, ..pace });
    let (mut feed, _) = start(folder.path(), once, Transport::default(), &context).unwrap();
    assert_eq!(next_seen(&mut feed, &mut at, None, tick), a);
    is_ready(&feed);
    at += hour;
    assert_eq!(next_seen(&mut feed, &mut at, a, tick), c);
    at += hour;
    assert_eq!(seen(&mut feed, at), c);
}
