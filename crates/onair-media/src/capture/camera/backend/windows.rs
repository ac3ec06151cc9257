//! The cameras of Windows, which onair does not open yet.

use crate::capture::camera::control::CameraControl;
use crate::capture::camera::driver::{Camera, Driver, Fault, FoundCamera, OfferedCamera};

/// A system without cameras.
pub(super) struct NoCameras;

fn missing() -> Fault {
    Fault::NotOnThisSystem
}

impl Driver for NoCameras {
    fn cameras(&self) -> Vec<FoundCamera> {
        Vec::new()
    }

    fn open(&self, _id: &str, _offer: OfferedCamera) -> Result<Box<dyn Camera>, Fault> {
        Err(missing())
    }

    fn controls(&self, _id: &str) -> Result<Vec<CameraControl>, Fault> {
        Err(missing())
    }

    fn set_control(&self, _id: &str, _name: &str, _value: Option<i64>) -> Result<(), Fault> {
        Err(missing())
    }
}
