//! Watch of the speakers in use. Audio servers move a stream to other speakers without notice, for
//! example from unplugged headphones to loudspeakers beside a microphone. One thread lists the
//! speakers for all outputs, and ends after the last output.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use crate::audio::source::DeviceInfo;
use crate::audio::system::{Direction, Played};
use crate::base::{Stop, Worker};

/// Interval between lists of the speakers.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The outputs in use, and the thread that watches them.
static SPEAKER_WATCH: Mutex<SpeakerWatch> =
    Mutex::new(SpeakerWatch { outputs: Vec::new(), worker: None });

struct SpeakerWatch {
    outputs: Vec<Weak<WatchedOutput>>,
    worker: Option<Worker>,
}

/// An output in use.
pub(super) struct WatchedOutput {
    /// The id that the output was opened for. `None` means the system's default.
    id: Option<String>,
    /// The id of the device in use.
    device: String,
    played: Arc<Played>,
    has_moved: AtomicBool,
}

/// Returns the speakers with this id, or the system's default.
pub(super) fn find<'a>(devices: &'a [DeviceInfo], id: Option<&str>) -> Option<&'a DeviceInfo> {
    match id {
        Some(id) => devices.iter().find(|device| device.id == id),
        None => devices.iter().find(|device| device.default).or_else(|| devices.first()),
    }
}

/// Returns the audio system of an id.
fn host(id: &str) -> &str {
    id.split(':').next().unwrap_or_default()
}

/// Watches an output until it is dropped.
pub(super) fn watch(output: WatchedOutput) -> Arc<WatchedOutput> {
    let output = Arc::new(output);
    let mut watch = SPEAKER_WATCH.lock();
    watch.outputs.push(Arc::downgrade(&output));
    watch.ensure_thread(run);
    output
}

impl SpeakerWatch {
    /// Starts the thread, unless it runs. A thread that panicked has left its handle here.
    fn ensure_thread(&mut self, body: fn(&Stop)) {
        if self.worker.as_ref().is_none_or(Worker::is_finished) {
            match Worker::spawn("speaker-watch", body) {
                Ok(worker) => self.worker = Some(worker),
                Err(fault) => tracing::warn!(%fault, "nothing watches the speakers"),
            }
        }
    }
}

fn run(stop: &Stop) {
    let mut system = crate::audio::backend::system();
    while !stop.wait(CHECK_INTERVAL) {
        let outputs: Vec<Arc<WatchedOutput>> = {
            let mut watch = SPEAKER_WATCH.lock();
            watch.outputs.retain(|output| output.strong_count() > 0);
            if watch.outputs.is_empty() {
                watch.worker = None;
                return;
            }
            watch.outputs.iter().filter_map(Weak::upgrade).collect()
        };
        // If the server does not answer, the streams themselves fail.
        if let Ok(devices) = system.devices(Direction::Output) {
            outputs.iter().for_each(|output| output.check(&devices));
        }
    }
}

impl WatchedOutput {
    /// Creates the state of an output that was opened for the speakers with this id.
    pub(super) fn new(id: Option<&str>, device: &DeviceInfo, played: Arc<Played>) -> Self {
        let (id, device) = (id.map(str::to_owned), device.id.clone());
        Self { id, device, played, has_moved: AtomicBool::new(false) }
    }

    /// Returns true if another device is now the system's default.
    pub(super) fn has_moved(&self) -> bool {
        self.has_moved.load(Ordering::Relaxed)
    }

    /// Compares the device in use with the present devices.
    fn check(&self, devices: &[DeviceInfo]) {
        // The ids of PulseAudio say nothing about a device that was opened with ALSA.
        let is_comparable = devices.iter().any(|it| host(&it.id) == host(&self.device));
        let found = find(devices, self.id.as_deref());
        if !is_comparable || found.is_some_and(|found| found.id == self.device) {
            return;
        }
        if self.id.is_some() {
            self.played.latch.set(|| "the device is no longer there".to_owned());
        } else {
            self.has_moved.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::system;
    use crate::base::Clock;

    fn list(ids: &[&str]) -> Vec<DeviceInfo> {
        let info = |(place, id): (usize, &&str)| DeviceInfo {
            id: (*id).to_owned(),
            name: String::new(),
            default: place == 0,
        };
        ids.iter().enumerate().map(info).collect()
    }

    #[test]
    fn a_missing_device_has_failed_and_another_default_is_another_device() {
        let (headphones, speakers) = ("pulseaudio:headphones", "pulseaudio:speakers");
        let used = list(&[headphones]);
        // Returns whether the output has failed, and whether it has moved.
        let check = |id: Option<&str>, present: &[&str]| {
            let (_samples, played, _tap) = system::playback(Clock::start(), 48_000, 2, 480);
            let output = WatchedOutput::new(id, &used[0], Arc::clone(&played));
            output.check(&list(present));
            (played.latch.is_set(), output.has_moved())
        };
        let named = Some(headphones);
        assert_eq!(check(named, &[speakers, headphones]), (false, false));
        assert_eq!(check(named, &[speakers]), (true, false));
        assert_eq!(check(None, &[headphones, speakers]), (false, false));
        assert_eq!(check(None, &[speakers, headphones]), (false, true));
        assert_eq!(check(None, &[speakers]), (false, true));
        for id in [named, None] {
            assert_eq!(check(id, &["alsa:default"]), (false, false), "another list");
            assert_eq!(check(id, &[]), (false, false));
        }
    }

    #[test]
    fn a_thread_that_panicked_starts_again() {
        fn wait(stop: &Stop) {
            stop.wait(Duration::from_secs(60));
        }
        let mut ended = Worker::spawn("ended", |_| ()).unwrap();
        ended.wait(Duration::from_secs(60)).unwrap();
        let mut watch = SpeakerWatch { outputs: Vec::new(), worker: Some(ended) };
        watch.ensure_thread(wait);
        assert!(watch.worker.as_ref().is_some_and(|worker| !worker.is_finished()));
    }
}
