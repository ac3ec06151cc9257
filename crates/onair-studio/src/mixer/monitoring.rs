//! Plays audio for the operator: strips with monitoring or solo, on the chosen speakers or
//! headphones. Playback runs on a separate thread, because opening a device can take a long time.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::audio::AudioChoice;
use crate::audio::speaker::{SpeakerOutput, SpeakerPace};
use crate::base::queue::{self, Empty, Full, Receiver};
use crate::base::{Clock, Stop, Worker};
use crate::media::SampleBlock;
use crate::mix::Mixer;
use crate::text::problem::{Problem, problem};

/// The monitoring device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Monitoring {
    /// No monitoring.
    #[default]
    Off,
    /// The system's default speakers.
    Default,
    /// The speakers with this id.
    Device(String),
}

/// The suffix of a device id that captures speakers.
const CAPTURE_SUFFIX: &str = ".monitor";

impl Monitoring {
    /// Returns whether this source captures the monitoring device, or `None` if this is still
    /// unknown. `captured` is the id of the device that the source uses, and `played` the id of the
    /// speakers that monitoring uses; both are empty until the devices are open.
    pub(crate) fn is_captured_by(
        &self,
        choice: &AudioChoice,
        captured: &str,
        played: &str,
    ) -> Option<bool> {
        let AudioChoice::System(wanted) = choice else { return Some(false) };
        let (captured, played) = match (self, wanted) {
            (Self::Off, _) => return Some(false),
            (Self::Default, None) => return Some(true),
            (Self::Default, Some(id)) => (id.as_str(), played),
            (Self::Device(device), None) => (captured, device.as_str()),
            (Self::Device(device), Some(id)) => (id.as_str(), device.as_str()),
        };
        if captured.is_empty() || played.is_empty() {
            return None;
        }
        Some(captured.strip_suffix(CAPTURE_SUFFIX).unwrap_or(captured) == played)
    }
}

/// Maximum number of 10 ms blocks that wait for the device. The oldest are dropped, because late
/// monitoring is useless.
const MAX_WAITING_BLOCKS: usize = 16;
/// Maximum duration that waits for the device's requests, without the latency of the device. Audio
/// beyond this is dropped; it accumulates because the clocks differ.
const MAX_WAITING_DURATION: Duration = Duration::from_millis(120);
/// Pause after a device error.
const ERROR_PAUSE: Duration = Duration::from_secs(3);
/// Interval between checks for a stop request.
const STOP_POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Time limit for the end of the thread, after which it is abandoned.
const STOP_TIMEOUT: Duration = Duration::from_millis(200);

/// A thread that plays the monitoring mix on a device.
#[derive(Debug)]
pub(crate) struct MonitoringOutput {
    worker: Option<Worker>,
    /// The id of the speakers in use; empty before they are open.
    device: Arc<Mutex<String>>,
    news: Arc<Mutex<Option<MonitoringNews>>>,
}

/// The news that monitoring plays after a failure, or the reason why nothing is audible.
pub(crate) type MonitoringNews = Result<(), Problem>;

impl MonitoringOutput {
    /// Creates a state that plays nothing.
    pub fn off() -> Self {
        Self { worker: None, device: Arc::default(), news: Arc::default() }
    }

    /// Plays the monitoring audio of `mixer` on these speakers.
    pub fn start(monitoring: Monitoring, mixer: &Mixer, clock: Clock) -> Self {
        let device = match monitoring {
            Monitoring::Off => {
                mixer.set_monitoring(None);
                return Self::off();
            }
            Monitoring::Default => None,
            Monitoring::Device(id) => Some(id),
        };
        let (tx, rx) = queue::bounded("monitoring", MAX_WAITING_BLOCKS, Full::DropOldest);
        mixer.set_monitoring(Some(tx));
        let news: Arc<Mutex<Option<MonitoringNews>>> = Arc::default();
        let in_use: Arc<Mutex<String>> = Arc::default();
        let (its_device, its_news) = (Arc::clone(&in_use), Arc::clone(&news));
        let run = move |stop: &Stop| {
            play((device.as_deref(), &its_device), clock, &rx, &its_news, stop);
        };
        let worker = match Worker::spawn("onair-monitoring", run) {
            Ok(worker) => Some(worker),
            Err(error) => {
                let reason = problem!("source-no-thread", reason = error.to_string());
                *news.lock() = Some(Err(reason));
                None
            }
        };
        Self { worker, device: in_use, news }
    }

    /// Returns the id of the speakers in use; empty before they are open.
    pub fn device(&self) -> String {
        self.device.lock().clone()
    }

    /// Returns the news since the last call.
    pub fn news(&self) -> Option<MonitoringNews> {
        self.news.lock().take()
    }

    /// Ends the playback.
    pub fn end(self, mixer: &Mixer) {
        mixer.set_monitoring(None);
        if let Some(Err(stuck)) = self.worker.map(|worker| worker.join(STOP_TIMEOUT)) {
            tracing::warn!(%stuck, "ending audio monitoring failed");
        }
    }
}

fn play(
    (device, in_use): (Option<&str>, &Mutex<String>),
    clock: Clock,
    blocks: &Receiver<SampleBlock>,
    news: &Mutex<Option<MonitoringNews>>,
    stop: &Stop,
) {
    let mut is_reported = false;
    while !stop.is_set() {
        match blocks.recv_timeout(STOP_POLL_INTERVAL) {
            Ok(first) => {
                let format = (first.rate, first.channels);
                let opened = SpeakerOutput::open(device, format, SpeakerPace::Prompt, clock);
                let mut output = match opened {
                    Ok(output) => output,
                    Err(error) => {
                        if !std::mem::replace(&mut is_reported, true) {
                            *news.lock() = Some(Err(Problem::from(&error)));
                        }
                        if stop.wait(ERROR_PAUSE) {
                            return;
                        }
                        continue;
                    }
                };
                output.device_id().clone_into(&mut in_use.lock());
                if std::mem::take(&mut is_reported) {
                    *news.lock() = Some(Ok(()));
                }
                while !stop.is_set() {
                    match blocks.recv_timeout(STOP_POLL_INTERVAL) {
                        Ok(block) if output.waiting_time() < MAX_WAITING_DURATION => {
                            output.write(&block.data);
                        }
                        Ok(_) | Err(Empty::Waiting) => {}
                        Err(Empty::Closed) => return,
                    }
                    if output.failed().is_some() || output.has_moved() {
                        break;
                    }
                }
            }
            Err(Empty::Waiting) => {}
            Err(Empty::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_audio_of_the_monitoring_device_captures_monitoring() {
        let device = |id: &str| Monitoring::Device(id.into());
        // The columns: monitoring, source, the source's device, the speakers in use.
        for (monitoring, choice, captured, played, expected) in [
            (Monitoring::Off, "system", "pulse:a.monitor", "", Some(false)),
            (Monitoring::Default, "system", "", "", Some(true)),
            (Monitoring::Default, "system:pulse:a", "", "pulse:a", Some(true)),
            (Monitoring::Default, "system:pulse:a", "", "pulse:b", Some(false)),
            (Monitoring::Default, "system:pulse:a", "", "", None),
            (device("pulse:a"), "system", "pulse:a.monitor", "", Some(true)),
            (device("pulse:a"), "system", "pulse:b.monitor", "", Some(false)),
            (device("pulse:a"), "system", "", "", None),
            (device("pulse:a"), "system:pulse:a", "", "", Some(true)),
            (device("pulse:a"), "system:pulse:a.monitor", "", "", Some(true)),
            (device("pulse:a"), "system:pulse:b", "", "", Some(false)),
            (Monitoring::Default, "mic", "", "", Some(false)),
            (Monitoring::Default, "app:Game", "", "", Some(false)),
        ] {
            let choice: AudioChoice = choice.parse().unwrap();
            let found = monitoring.is_captured_by(&choice, captured, played);
            assert_eq!(found, expected, "{monitoring:?}, {choice}, {captured}, {played}");
        }
    }
}
