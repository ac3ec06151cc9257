//! Tests of the compositor's ticks.

use super::*;
use crate::base::Pooled;
use crate::base::queue::{self, Full};
use crate::media::{Color, FrameRate, Planes};

#[test]
fn ticks_on_the_grid_and_lets_a_closed_encoder_go() {
    let clock = Clock::start();
    let grid = FrameGrid { origin: Timestamp::from_micros(123), rate: "120".parse().unwrap() };
    let preview = Latest::default();
    let config = Config { size: Size::new(64, 36), grid, clock };
    let compositor = Compositor::spawn(config, preview.clone()).unwrap();
    let (tx, rx) = queue::bounded("test", 64, Full::DropOldest);
    compositor.attach_encoder(tx);
    let mut last = None;
    for _ in 0..20 {
        let frame = rx.recv_timeout(Duration::from_secs(30)).unwrap();
        let index = grid.index_at(frame.pts);
        assert_eq!(grid.instant(index), frame.pts);
        assert!(last.is_none_or(|last| index > last));
        last = Some(index);
    }
    compositor.detach_encoder();
    while rx.recv_timeout(Duration::from_secs(30)).is_ok() {}
    assert_eq!(rx.try_recv().unwrap_err(), queue::Empty::Closed);
    assert!(compositor.figures().captured >= 20 && preview.version() == 1);
    compositor.join(Duration::from_secs(30)).unwrap();
}

/// A feed that returns one frame forever, or a new frame at every tick.
struct Scene(VideoFrame, bool);

impl VideoFeed for Scene {
    fn frame(&mut self, _: Timestamp) -> Option<VideoFrame> {
        if self.1 {
            let planes = Arc::new(Pooled::unpooled(self.0.planes().clone()));
            self.0.surface = planes.into();
        }
        Some(self.0.clone())
    }
}

#[test]
fn a_still_program_wakes_nobody_and_a_moving_one_does_at_every_tick() {
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
    let (size, preview) = (Size::new(64, 36), Latest::default());
    let config = Config { size, grid, clock: Clock::start() };
    let (compositor, mut ticker) = Compositor::by_hand(config, preview.clone());
    let mut wakes_of = |ticks: std::ops::Range<i64>| {
        let before = preview.version();
        ticks.for_each(|number| ticker.tick(number));
        preview.version() - before
    };
    assert_eq!(wakes_of(0..10), 1, "the placeholder");
    let surface = Arc::new(Pooled::unpooled(Planes::black(size))).into();
    let frame = VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface };
    let show = |moves| compositor.set_feed(Some(Box::new(Scene(frame.clone(), moves))));
    show(false);
    assert_eq!(wakes_of(10..20), 1);
    show(true);
    assert_eq!(wakes_of(20..30), 10);
    assert_eq!(compositor.figures().captured, 30);
    // Nobody sees these frames.
    compositor.set_unseen(true);
    assert_eq!(wakes_of(30..60), 3);
    let (encoder, frames) = queue::bounded("test", 64, Full::DropOldest);
    compositor.attach_encoder(encoder);
    assert_eq!(wakes_of(60..90), 30);
    assert_eq!(frames.len(), 30);
    compositor.detach_encoder();
    assert_eq!(wakes_of(90..120), 3);
    compositor.set_unseen(false);
    assert_eq!(wakes_of(120..150), 30);
}

#[test]
fn a_compositor_that_nobody_needs_rests_until_its_next_frame_or_a_command() {
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
    let config = Config { size: Size::new(64, 36), grid, clock: Clock::start() };
    let (compositor, mut ticker) = Compositor::by_hand(config, Latest::default());
    ticker.tick(3);
    assert_eq!(ticker.next_after(3), 4);
    compositor.set_unseen(true);
    assert!(ticker.rest(Duration::from_secs(30)));
    ticker.tick(4);
    assert_eq!(ticker.next_after(4), 10);
    // The frames between are not missing.
    assert_eq!(compositor.figures().captured, 7);
    let (encoder, _frames) = queue::bounded("test", 64, Full::DropOldest);
    compositor.attach_encoder(encoder);
    assert!(ticker.rest(Duration::from_secs(30)));
    ticker.tick(5);
    assert_eq!(ticker.next_after(5), 6);
    compositor.detach_encoder();
    ticker.tick(6);
    compositor.set_unseen(false);
    assert_eq!(ticker.next_after(6), 7);
    ticker.tick(7);
    assert_eq!(ticker.next_after(7), 8);
}

#[test]
fn impossible_sizes_are_refused() {
    let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
    let config = Config { size: Size::new(641, 0), grid, clock: Clock::start() };
    assert!(matches!(Compositor::spawn(config, Latest::default()), Err(Error::Size(_))));
}
