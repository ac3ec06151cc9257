//! A fake audio backend under the control of a test.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::audio::source::{ApplicationInfo, DeviceInfo};
use crate::audio::system::{AudioSystem, Direction, Fault, Sink, Stream, Tap};

/// The audio system's side of the backend.
pub(in crate::audio) struct Fake(Bench);

/// The test's side of the backend.
#[derive(Clone, Default)]
pub(in crate::audio) struct Bench(Arc<Mutex<Devices>>);

#[derive(Default)]
struct Devices {
    present: Vec<(Direction, String)>,
    refused: BTreeMap<String, Fault>,
    /// The sample rates of devices that accept only one rate. Other devices accept all rates.
    rates: BTreeMap<String, u32>,
    recording: BTreeMap<String, Sink>,
    playing: BTreeMap<String, Tap>,
    applications: Vec<ApplicationInfo>,
}

impl Fake {
    pub(in crate::audio) fn new() -> (Self, Bench) {
        let bench = Bench::default();
        (Self(bench.clone()), bench)
    }
}

impl Bench {
    /// Adds a device. The first device of each direction is the default.
    pub(in crate::audio) fn plug(&self, direction: Direction, id: &str) {
        self.0.lock().present.push((direction, id.to_owned()));
    }

    /// Sets the connected applications.
    pub(in crate::audio) fn applications(&self, names: &[&str]) {
        let info = |name: &&str| ApplicationInfo {
            name: (*name).to_owned(),
            program: String::new(),
            playing: true,
        };
        self.0.lock().applications = names.iter().map(info).collect();
    }

    pub(in crate::audio) fn unplug(&self, id: &str) {
        let mut devices = self.0.lock();
        devices.present.retain(|(_, present)| present != id);
        if let Some(sink) = devices.recording.remove(id) {
            sink.capture_state().latch.set(|| "gone".to_owned());
        }
        if let Some(tap) = devices.playing.remove(id) {
            tap.played().latch.set(|| "gone".to_owned());
        }
    }

    pub(in crate::audio) fn refuse(&self, id: &str, fault: Option<Fault>) {
        let mut devices = self.0.lock();
        match fault {
            Some(fault) => devices.refused.insert(id.to_owned(), fault),
            None => devices.refused.remove(id),
        };
    }

    /// Limits a device to this rate.
    pub(in crate::audio) fn limit(&self, id: &str, rate: u32) {
        self.0.lock().rates.insert(id.to_owned(), rate);
    }

    /// Simulates input of a device. Returns false if nothing captures the device.
    pub(in crate::audio) fn speak(&self, id: &str, samples: &[f32], channels: u16) -> bool {
        let mut devices = self.0.lock();
        let sink = devices.recording.get_mut(id);
        sink.map(|sink| sink.push(samples, channels, 10_000)).is_some()
    }

    /// Simulates an output callback.
    pub(in crate::audio) fn ask(&self, id: &str, out: &mut [f32], latency_micros: i64) {
        if let Some(tap) = self.0.lock().playing.get_mut(id) {
            tap.fill(out, latency_micros);
        }
    }
}

struct Silent;

impl Stream for Silent {}

impl AudioSystem for Fake {
    fn devices(&mut self, direction: Direction) -> Result<Vec<DeviceInfo>, Fault> {
        let devices = self.0.0.lock();
        let ids = devices.present.iter().filter(|(its, _)| *its == direction).map(|(_, id)| id);
        Ok(ids
            .enumerate()
            .map(|(n, id)| DeviceInfo {
                id: id.clone(),
                name: format!("The {id}"),
                default: n == 0,
            })
            .collect())
    }

    fn applications(&mut self) -> Result<Vec<ApplicationInfo>, Fault> {
        Ok(self.0.0.lock().applications.clone())
    }

    fn record_application(
        &mut self,
        name: &str,
        rate: u32,
        sink: Sink,
    ) -> Result<Box<dyn Stream>, Fault> {
        self.record(name, rate, sink)
    }

    fn record(&mut self, id: &str, rate: u32, sink: Sink) -> Result<Box<dyn Stream>, Fault> {
        let mut devices = self.0.0.lock();
        if let Some(fault) = devices.refused.get(id) {
            return Err(fault.clone());
        }
        if devices.rates.get(id).is_some_and(|only| *only != rate) {
            return Err(Fault::Format(format!("no {rate} Hz")));
        }
        devices.recording.insert(id.to_owned(), sink);
        Ok(Box::new(Silent))
    }

    fn play(&mut self, id: &str, _: u32, _: u32, tap: Tap) -> Result<Box<dyn Stream>, Fault> {
        let mut devices = self.0.0.lock();
        if let Some(fault) = devices.refused.get(id) {
            return Err(fault.clone());
        }
        devices.playing.insert(id.to_owned(), tap);
        Ok(Box::new(Silent))
    }
}
