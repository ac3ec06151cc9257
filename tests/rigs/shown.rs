//! An open video source for tests. It waits for frames and states and compares colors by value.

use std::time::Duration;

use onair::base::queue::Receiver;
use onair::base::{Clock, Stop, Timestamp};
use onair::capture::{
    self, Context, DisplayTarget, LiveProperties, Properties, Source, VideoChoice,
};
use onair::media::source_status::{SourceReport, SourceState};
use onair::media::{FrameGrid, FrameRate, Size, VideoFrame};

use crate::peers::LIMIT;

/// Converts an RGB color to limited-range BT.709.
pub fn numbers(color: u32) -> (u8, u8, u8) {
    let [_, r, g, b] = color.to_be_bytes().map(|c| f64::from(c) / 255.0);
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let byte = |value: f64| value.round() as u8;
    let (u, v) = ((b - y) / 1.8556, (r - y) / 1.5748);
    (byte(16.0 + 219.0 * y), byte(128.0 + 224.0 * u), byte(128.0 + 224.0 * v))
}

pub fn color_at(frame: &VideoFrame, x: usize, y: usize) -> (u8, u8, u8) {
    let width = frame.size().width as usize;
    let chroma = y / 2 * (width / 2) + x / 2;
    (frame.planes().y[y * width + x], frame.planes().u[chroma], frame.planes().v[chroma])
}

pub fn is(frame: &VideoFrame, x: usize, y: usize, color: u32) -> bool {
    let (found, want) = (color_at(frame, x, y), numbers(color));
    found.0.abs_diff(want.0) <= 2 && found.1.abs_diff(want.1) <= 2 && found.2.abs_diff(want.2) <= 2
}

pub struct Shown {
    pub source: Source,
    pub changes: Receiver<SourceReport>,
    pub clock: Clock,
}

impl Shown {
    pub fn open(open: impl FnOnce(&Context) -> Result<Source, capture::Error>) -> Self {
        let clock = Clock::start();
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        let source = open(&Context { clock, grid, size: Size::new(640, 480) }).unwrap();
        let changes = source.status.changes().unwrap();
        Self { source, changes, clock }
    }

    pub fn screen(screen: &DisplayTarget) -> Self {
        Self::open(|context| capture::open(&VideoChoice::Screen(screen.clone()), context))
    }

    pub fn without_pointer(choice: &VideoChoice) -> Self {
        let properties = Properties { without_pointer: true, ..Properties::default() };
        let dials = LiveProperties::new(&properties);
        Self::open(|context| capture::open_by(choice, &dials, context))
    }

    pub fn window(id: &str) -> Self {
        Self::without_pointer(&VideoChoice::Window(id.to_owned()))
    }

    pub fn frame(&mut self) -> Option<VideoFrame> {
        self.source.feed.frame(self.clock.now())
    }

    pub fn await_frame(&mut self, what: &str, wanted: impl Fn(&VideoFrame) -> bool) -> VideoFrame {
        let clock = Clock::start();
        loop {
            if let Some(frame) = self.frame().filter(|frame| wanted(frame)) {
                return frame;
            }
            let report = self.source.status.report();
            assert!(clock.now() < Timestamp::ZERO + LIMIT, "never {what}: {report:?}");
            Stop::new().wait(Duration::from_millis(5));
        }
    }

    pub fn await_state(&self, state: SourceState) -> SourceReport {
        loop {
            let report = self.changes.recv_timeout(LIMIT).unwrap();
            eprintln!("  {:?} {} {}", report.state, report.name, report.reason);
            if report.state == state {
                return report;
            }
        }
    }

    /// Waits until the source no longer delivers, for whatever reason.
    pub fn await_down(&self) -> SourceReport {
        loop {
            let report = self.changes.recv_timeout(LIMIT).unwrap();
            eprintln!("  {:?} {} {}", report.state, report.name, report.reason);
            if matches!(report.state, SourceState::Failed | SourceState::Lost) {
                return report;
            }
        }
    }
}
