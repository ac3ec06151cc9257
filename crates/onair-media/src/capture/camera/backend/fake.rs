//! Cameras that a test controls.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use crate::capture::camera::control::{CameraControl, CameraControls};
use crate::capture::camera::driver::{
    Camera, Driver, Fault, FoundCamera, Layout, OfferedCamera, RawFrame,
};
use crate::media::Color;

/// The camera system, controlled by the test.
#[derive(Clone, Default)]
pub(in crate::capture) struct FakeCameras(Arc<Mutex<Plugged>>);

#[derive(Default)]
struct Plugged {
    found: Vec<FoundCamera>,
    refused: Option<Fault>,
    open: Vec<(String, Sender<Bytes>)>,
    wakers: u32,
    asked: u32,
    controls: Vec<CameraControl>,
    board: CameraControls,
    /// The controls that were set, in order.
    set: Vec<(String, Option<i64>)>,
}

impl FakeCameras {
    pub(in crate::capture) fn plug(&self, found: FoundCamera) {
        self.0.lock().found.push(found);
    }

    pub(in crate::capture) fn unplug(&self, id: &str) {
        let mut plugged = self.0.lock();
        plugged.found.retain(|found| found.id != id);
        plugged.open.retain(|(open, _)| open != id);
    }

    pub(in crate::capture) fn refuse(&self, fault: Option<Fault>) {
        self.0.lock().refused = fault;
    }

    /// Delivers a frame of the camera. Returns false if the camera is not open, or has not read its
    /// earlier frames.
    pub(in crate::capture) fn shoot(&self, id: &str, data: &[u8]) -> bool {
        let plugged = self.0.lock();
        let open = plugged.open.iter().rev().find(|(open, _)| open == id);
        open.is_some_and(|(_, sender)| sender.try_send(Bytes::copy_from_slice(data)).is_ok())
    }

    /// Gives the camera these controls.
    pub(in crate::capture) fn equip(&self, controls: Vec<CameraControl>) {
        self.0.lock().controls = controls;
    }

    /// Returns the wanted settings of the cameras.
    pub(in crate::capture) fn board(&self) -> CameraControls {
        self.0.lock().board.clone()
    }

    /// Takes the controls that were set since the last call.
    pub(in crate::capture) fn taken(&self) -> Vec<(String, Option<i64>)> {
        std::mem::take(&mut self.0.lock().set)
    }

    /// Returns the number of attempts to open a camera.
    pub(in crate::capture) fn asked(&self) -> u32 {
        self.0.lock().asked
    }

    pub(in crate::capture) fn woken(&self) -> u32 {
        self.0.lock().wakers
    }
}

struct Opened {
    frames: Receiver<Bytes>,
    last: Bytes,
    bench: FakeCameras,
}

/// Rows without padding, as webcams deliver them.
const WEBCAM_LAYOUT: Layout = Layout { stride: 0, color: Color::WEBCAM };

impl Camera for Opened {
    fn frame(&mut self, limit: Duration) -> Result<Option<RawFrame<'_>>, Fault> {
        match self.frames.recv_timeout(limit) {
            Ok(data) => {
                self.last = data;
                let age = Duration::from_millis(5);
                Ok(Some(RawFrame::new(&self.last, age, WEBCAM_LAYOUT)))
            }
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => Ok(None),
            Err(_) => Err(Fault::Absent("ENODEV".to_owned())),
        }
    }

    fn waker(&self) -> Box<dyn Fn() + Send> {
        let bench = self.bench.clone();
        Box::new(move || bench.0.lock().wakers += 1)
    }
}

impl Driver for FakeCameras {
    fn cameras(&self) -> Vec<FoundCamera> {
        self.0.lock().found.clone()
    }

    fn open(&self, id: &str, _: OfferedCamera) -> Result<Box<dyn Camera>, Fault> {
        let mut plugged = self.0.lock();
        plugged.asked += 1;
        if let Some(fault) = &plugged.refused {
            return Err(fault.clone());
        }
        let (sender, receiver) = bounded(4);
        plugged.open.push((id.to_owned(), sender));
        Ok(Box::new(Opened { frames: receiver, last: Bytes::new(), bench: self.clone() }))
    }

    fn controls(&self, _: &str) -> Result<Vec<CameraControl>, Fault> {
        Ok(self.0.lock().controls.clone())
    }

    fn set_control(&self, _: &str, name: &str, value: Option<i64>) -> Result<(), Fault> {
        let mut plugged = self.0.lock();
        plugged.set.push((name.to_owned(), value));
        let control = plugged.controls.iter_mut().find(|control| control.name == name);
        let control = control.ok_or_else(|| Fault::Other("EINVAL".to_owned()))?;
        control.value = control.span.bounded(value.unwrap_or(control.default));
        Ok(())
    }
}
