//! The state of a video or audio source, reported by the thread of its device and read by its
//! owner. The state is in a shared cell, which is readable at any time. Each change is queued for
//! followers.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::base::named;
use crate::base::queue::{self, Full, Receiver, Sender};
use crate::media::frame::Size;
use crate::text::Problem;

named! {
    /// The state of a source.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
    pub enum SourceState {
        /// The source is being opened.
        #[default]
        Opening = "opening",
        /// The source delivers data.
        Open = "open",
        /// The source is open, but has delivered no data for a while. A placeholder or silence
        /// replaces the data.
        Stalled = "stalled",
        /// The device disappeared. onair reopens the device when it returns.
        Lost = "lost",
        /// The source cannot be opened (absent, busy, denied, unsupported format). onair repeats
        /// the attempt.
        Failed = "failed",
    }
    /// Returns the name in events.
    fn name;
}

impl SourceState {
    /// Returns true if the source does not deliver data and the user was informed.
    pub const fn is_down(self) -> bool {
        matches!(self, Self::Stalled | Self::Lost | Self::Failed)
    }
}

/// The format of a source.
#[derive(Copy, Clone, Debug, PartialEq, Default)]
pub enum SourceFormat {
    /// The format is not known yet.
    #[default]
    Unknown,
    /// Frames of this size and rate.
    Video { size: Size, fps: f64 },
    /// Audio with this sample rate and channel count.
    Audio { rate: u32, channels: u16 },
}

/// A problem with the content of a source.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum SourceAlarm {
    /// The video is black.
    Black,
    /// The same frame is repeated.
    Frozen,
    /// Black video of a remote stream.
    BlackStream,
    FrozenStream,
    /// Black video of a media file that has a fallback.
    BlackFile,
    FrozenFile,
    /// Black video of a display, a part of it, or a window.
    BlackScreen,
    BlackWindow,
    /// A camera does not support the chosen format, and uses a similar format.
    OtherFormat,
    /// Digital silence, as from a device that is switched off.
    Zero,
    /// The audio is too quiet to be a voice.
    Silent,
    /// The voice is too quiet to be understood.
    Quiet,
    /// The audio is clipped at full scale.
    Clipped,
    /// A speaker or an application is silent, and has a fallback.
    SystemSilent,
    /// A file or stream is silent, and has a fallback.
    PlayedSilent,
}

impl SourceAlarm {
    /// Returns true if frames arrive but show nothing meaningful.
    pub const fn is_blank(self) -> bool {
        matches!(
            self,
            Self::Black
                | Self::Frozen
                | Self::BlackStream
                | Self::FrozenStream
                | Self::BlackFile
                | Self::FrozenFile
                | Self::BlackScreen
                | Self::BlackWindow
        )
    }

    /// Returns true if audio arrives but is silent.
    pub const fn is_silence(self) -> bool {
        matches!(self, Self::Zero | Self::Silent | Self::SystemSilent | Self::PlayedSilent)
    }
}

/// A report about a source at one moment.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SourceReport {
    pub state: SourceState,
    /// The id of the device, which is stable across replugging and restarts. The id is empty for
    /// sources without a device.
    pub id: String,
    /// The display name.
    pub name: String,
    pub format: SourceFormat,
    /// The reason why the source is not open, and the cure. The problem is empty while the source
    /// is open.
    pub reason: Problem,
    /// The system's message, unchanged. The text is empty while the source is open.
    pub detail: String,
    /// Deviation of the device's clock from the session clock in parts per million, once measured.
    pub drift_ppm: Option<f64>,
    /// The problem with the content of the source.
    pub alarm: Option<SourceAlarm>,
}

/// The cell that holds the newest [`SourceReport`].
#[derive(Debug)]
pub struct SourceStatus {
    report: Mutex<SourceReport>,
    changes: Sender<SourceReport>,
    unread: Mutex<Option<Receiver<SourceReport>>>,
}

impl SourceStatus {
    /// Creates the status of a source that is being opened.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Arc<Self> {
        let (changes, unread) = queue::bounded("source-status", 32, Full::DropOldest);
        let report = SourceReport { id: id.into(), name: name.into(), ..SourceReport::default() };
        Arc::new(Self { report: Mutex::new(report), changes, unread: Mutex::new(Some(unread)) })
    }

    /// Returns the current report.
    pub fn report(&self) -> SourceReport {
        self.report.lock().clone()
    }

    /// Returns the current state without the rest of the report.
    pub fn state(&self) -> SourceState {
        self.report.lock().state
    }

    /// Returns the state and the alarm without the rest of the report.
    pub fn state_and_alarm(&self) -> (SourceState, Option<SourceAlarm>) {
        let report = self.report.lock();
        (report.state, report.alarm)
    }

    /// Returns the receiver of later changes of state, name or format. If the queue is full, the
    /// oldest changes are dropped. Only the first caller gets the receiver.
    pub fn changes(&self) -> Option<Receiver<SourceReport>> {
        self.unread.lock().take()
    }

    /// Updates the report. A change is queued for followers, unless only the drift changed.
    pub fn update(&self, change: impl FnOnce(&mut SourceReport)) {
        let mut report = self.report.lock();
        let before = report.clone();
        change(&mut report);
        let quiet = SourceReport { drift_ppm: report.drift_ppm, ..before };
        if *report != quiet {
            // The lock keeps the reports of two threads in order. There may be no follower.
            let _ = self.changes.send(report.clone());
        }
    }

    /// Records that the source delivers data in this format.
    pub fn open(&self, format: SourceFormat) {
        self.update(|report| {
            report.state = SourceState::Open;
            report.format = format;
            report.reason = Problem::default();
            report.detail.clear();
        });
    }

    /// Records that the source does not deliver data, with the reason and the detail (the system's
    /// message).
    pub fn down(&self, state: SourceState, reason: impl Into<Problem>, detail: impl Into<String>) {
        let (reason, detail) = (reason.into(), detail.into());
        self.update(|report| {
            report.state = state;
            report.reason = reason;
            report.detail = detail;
            report.drift_ppm = None;
            report.alarm = None;
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn changes_are_queued_but_not_repetitions_or_drift() {
        let status = SourceStatus::new("id", "Camera");
        let changes = status.changes().unwrap();
        assert!(status.changes().is_none());
        let format = SourceFormat::Audio { rate: 48_000, channels: 2 };
        status.open(format);
        status.open(format);
        status.update(|report| report.drift_ppm = Some(12.0));
        status.down(SourceState::Lost, "gone", "ENODEV");
        assert_eq!(changes.try_recv().unwrap().state, SourceState::Open);
        let lost = changes.try_recv().unwrap();
        assert_eq!((lost.state, lost.reason), (SourceState::Lost, "gone".into()));
        assert!(changes.try_recv().is_err());
        assert_eq!(status.state(), SourceState::Lost);
    }

    #[test]
    fn reports_of_two_threads_are_queued_in_order() {
        let status = SourceStatus::new("id", "");
        let changes = status.changes().unwrap();
        let next = AtomicU32::new(1);
        let change = |report: &mut SourceReport| {
            let rate = next.fetch_add(1, Ordering::Relaxed);
            report.format = SourceFormat::Audio { rate, channels: 2 };
        };
        let report_often = || (0..20_000).for_each(|_| status.update(change));
        let rates = std::thread::scope(|scope| {
            let threads = [scope.spawn(report_often), scope.spawn(report_often)];
            let mut rates = Vec::new();
            while threads.iter().any(|it| !it.is_finished()) {
                rates.extend(changes.try_recv().map(|report| match report.format {
                    SourceFormat::Audio { rate, .. } => rate,
                    _ => 0,
                }));
            }
            rates
        });
        assert!(rates.is_sorted(), "{rates:?}");
    }
}
