//! Cameras that do what a test tells them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use crate::capture::device::{Camera, Driver, Fault, Found, Offer, Raw};

/// The system and the test's hand on it.
#[derive(Clone, Default)]
pub(in crate::capture) struct Bench(Arc<Mutex<Plugged>>);

#[derive(Default)]
struct Plugged {
    found: Vec<Found>,
    refused: Option<Fault>,
    open: Vec<(String, Sender<Bytes>)>,
    wakers: u32,
}

impl Bench {
    pub(in crate::capture) fn plug(&self, found: Found) {
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

    /// The camera takes a picture. False while nobody has it open.
    pub(in crate::capture) fn shoot(&self, id: &str, data: &[u8]) -> bool {
        let plugged = self.0.lock();
        let open = plugged.open.iter().rev().find(|(open, _)| open == id);
        open.is_some_and(|(_, sender)| sender.try_send(Bytes::copy_from_slice(data)).is_ok())
    }

    pub(in crate::capture) fn woken(&self) -> u32 {
        self.0.lock().wakers
    }
}

struct Opened(Receiver<Bytes>, Bench);

impl Camera for Opened {
    fn frame(&mut self, limit: Duration) -> Result<Option<Raw>, Fault> {
        match self.0.recv_timeout(limit) {
            Ok(data) => Ok(Some(Raw { data, age: Duration::from_millis(5) })),
            Err(crossbeam_channel::RecvTimeoutError::Timeout) => Ok(None),
            Err(_) => Err(Fault::Absent("ENODEV".to_owned())),
        }
    }

    fn waker(&self) -> Box<dyn Fn() + Send> {
        let bench = self.1.clone();
        Box::new(move || bench.0.lock().wakers += 1)
    }
}

impl Driver for Bench {
    fn cameras(&self) -> Vec<Found> {
        self.0.lock().found.clone()
    }

    fn open(&self, id: &str, _: Offer) -> Result<Box<dyn Camera>, Fault> {
        let mut plugged = self.0.lock();
        if let Some(fault) = &plugged.refused {
            return Err(fault.clone());
        }
        let (sender, receiver) = bounded(4);
        plugged.open.push((id.to_owned(), sender));
        Ok(Box::new(Opened(receiver, self.clone())))
    }
}
