//! In place of v4l2loopback, on systems without Video4Linux.

use crate::media::Size;
use crate::text::Problem;
use crate::text::problem::problem;

/// A device that cannot exist.
pub(in crate::capture::camera) enum Loopback {}

impl Loopback {
    pub(in crate::capture::camera) fn open(_: Size) -> Result<Self, Problem> {
        Err(problem!("virtual-camera-no-loopback"))
    }

    pub(in crate::capture::camera) fn send(&mut self, _: &[u8]) -> Result<(), Problem> {
        match *self {}
    }
}
