//! A camera that another reader takes over after its first frame. The library nokhwa waits for its
//! first frame without a limit, and its handles share one device, so a camera that is silent at
//! first would stay blocked. The direct reader takes the first frame, with a limit.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::capture::camera::driver::{Camera, Fault, RawFrame};

type Wake = Arc<Mutex<Box<dyn Fn() + Send>>>;

/// See the module documentation.
pub(super) struct HandOver<F> {
    reader: Reader,
    wake: Wake,
    /// Opens the camera with the other reader.
    again: F,
    /// The first frame, until the other reader has a frame too.
    first: Option<Vec<u8>>,
}

enum Reader {
    /// Reads directly, until the first frame.
    First(Box<dyn Camera>),
    /// Reads after the first frame.
    Then(Box<dyn Camera>),
    /// Neither reader could reopen the camera.
    Gone,
}

impl<F: FnMut() -> Result<Box<dyn Camera>, Fault>> HandOver<F> {
    pub(super) fn new(direct: Box<dyn Camera>, again: F) -> Self {
        let wake = Arc::new(Mutex::new(direct.waker()));
        Self { reader: Reader::First(direct), wake, again, first: None }
    }

    fn hand_over(&mut self) -> Result<(), Fault> {
        // Only one reader may have buffers of the camera.
        self.reader = Reader::Gone;
        let taken = (self.again)()?;
        *self.wake.lock() = taken.waker();
        self.reader = Reader::Then(taken);
        Ok(())
    }
}

impl<F: FnMut() -> Result<Box<dyn Camera>, Fault>> Camera for HandOver<F> {
    fn frame(&mut self, limit: Duration) -> Result<Option<RawFrame<'_>>, Fault> {
        if let Reader::First(direct) = &mut self.reader {
            if self.first.is_none() {
                let Some(raw) = direct.frame(limit)? else { return Ok(None) };
                let (age, layout) = (raw.age, raw.layout);
                // The buffer is released together with the reader.
                let data = self.first.insert(raw.data.to_vec());
                return Ok(Some(RawFrame::new(data, age, layout)));
            }
            self.hand_over()?;
        }
        match &mut self.reader {
            Reader::Then(camera) => {
                let raw = camera.frame(limit)?;
                let first = if raw.is_some() { self.first.take() } else { None };
                // A driver may return the last frame to each new reader: skip the repetition.
                Ok(raw.filter(|raw| first.is_none_or(|first| first != raw.data)))
            }
            Reader::First(_) | Reader::Gone => {
                Err(Fault::Absent("it was not there again".to_owned()))
            }
        }
    }

    fn waker(&self) -> Box<dyn Fn() + Send> {
        let wake = Arc::clone(&self.wake);
        Box::new(move || (wake.lock())())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::camera::driver::Layout;
    use crate::media::Color;

    /// A test camera that returns these frames of one byte each, or no frame for 0.
    struct FakeFrames(std::vec::IntoIter<u8>, [u8; 1]);

    impl FakeFrames {
        fn of(frames: &[u8]) -> Box<dyn Camera> {
            Box::new(Self(Vec::from(frames).into_iter(), [0]))
        }
    }

    impl Camera for FakeFrames {
        fn frame(&mut self, _: Duration) -> Result<Option<RawFrame<'_>>, Fault> {
            let next = self.0.next().ok_or_else(|| Fault::Absent("over".to_owned()))?;
            self.1 = [next];
            let layout = Layout { stride: 0, color: Color::WEBCAM };
            let raw = RawFrame::new(&self.1, Duration::ZERO, layout);
            Ok((next != 0).then_some(raw))
        }

        fn waker(&self) -> Box<dyn Fn() + Send> {
            Box::new(|| {})
        }
    }

    /// Returns the frames of a camera with these readers, until it ends.
    fn seen(first: &[u8], then: &[u8]) -> Vec<u8> {
        let then = then.to_vec();
        let mut camera = HandOver::new(FakeFrames::of(first), move || Ok(FakeFrames::of(&then)));
        let mut seen = Vec::new();
        while let Ok(raw) = camera.frame(Duration::ZERO) {
            seen.push(raw.map_or(0, |raw| raw.data[0]));
        }
        seen
    }

    #[test]
    fn every_frame_is_handed_on_also_the_first_of_both_readers() {
        assert_eq!(seen(&[0, 1, 9], &[0, 2, 3]), [0, 1, 0, 2, 3], "and the first one no more");
    }

    #[test]
    fn one_that_is_left_over_for_everyone_comes_once() {
        assert_eq!(seen(&[1], &[1, 2, 1]), [1, 0, 2, 1]);
    }

    #[test]
    fn a_camera_that_cannot_be_opened_again_is_gone() {
        let refused = || Err(Fault::Busy("EBUSY".to_owned()));
        let mut camera = HandOver::new(FakeFrames::of(&[1]), refused);
        assert!(camera.frame(Duration::ZERO).unwrap().is_some());
        assert!(matches!(camera.frame(Duration::ZERO), Err(Fault::Busy(_))));
        assert!(matches!(camera.frame(Duration::ZERO), Err(Fault::Absent(_))));
    }
}
