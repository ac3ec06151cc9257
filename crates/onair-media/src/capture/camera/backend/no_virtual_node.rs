//! The virtual camera in a build without PipeWire: there is none.

use crate::media::{FrameRate, Size};
use crate::text::Problem;
use crate::text::problem::problem;

/// A camera, which never exists.
pub(in crate::capture::camera) enum Node {}

impl Node {
    pub(in crate::capture::camera) fn open(_: Size, _: FrameRate) -> Result<Self, Problem> {
        Err(problem!("virtual-camera-not-built"))
    }

    pub(in crate::capture::camera) fn is_used(&self) -> Result<bool, Problem> {
        match *self {}
    }

    pub(in crate::capture::camera) fn send(&self, _: &[u8]) {
        match *self {}
    }
}
