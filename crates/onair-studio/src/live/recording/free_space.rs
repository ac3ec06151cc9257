//! The free space for recordings, and the time until the disk is full. A disk can hang, so a thread
//! queries it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::Timestamp;
use crate::files::free_space_for;
use crate::studio::sources::background_search::{Outcome, Search};

/// Interval between queries.
const QUERY_INTERVAL: Duration = Duration::from_secs(5);
/// Minimum time over which the rate of a recording is measured. A muxer writes in portions.
const MIN_MEASURED_TIME: Duration = Duration::from_secs(4);
/// Maximum time over which the rate is measured. A longer time means that the recording was paused.
const MAX_MEASURED_DURATION: Duration = Duration::from_secs(12);

/// The free space in the recordings folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskSpace {
    /// The folder of the current recording, otherwise the folder of the next one.
    pub folder: PathBuf,
    /// The number of bytes that the user can still write.
    pub free: u64,
    /// The time until a recording at the present rate fills the disk.
    pub left: Duration,
}

/// The state of the current recording: its file, and the number of bytes written.
pub(crate) type Written = (PathBuf, u64);

/// The queries; see the module documentation.
#[derive(Debug, Default)]
pub(crate) struct FreeSpace {
    space: Option<DiskSpace>,
    query: Search<Option<u64>>,
    /// The folder of the last query, and when that query began.
    asked: Option<(PathBuf, Timestamp)>,
    /// The recording at an earlier time, from which the rate is measured.
    before: Option<(Timestamp, Written)>,
    /// The measured bytes per second of the current recording.
    rate: Option<f64>,
}

/// Returns the time in which a recording at this rate in bytes per second fills the space.
fn time_left(free: u64, rate: f64) -> Duration {
    // A hundred years are enough, and every rate leads to a valid duration.
    let seconds = (free as f64 / rate.max(1.0)).min(100.0 * 365.25 * 86_400.0);
    Duration::from_secs_f64(seconds)
}

impl FreeSpace {
    /// Queries the disk at intervals. The next recording goes to `folder`; `recording` is the
    /// current one. `expected` is the bitrate of a recording that has just begun.
    pub fn poll(
        &mut self,
        now: Timestamp,
        folder: &Path,
        recording: Option<Written>,
        expected: u64,
    ) {
        let folder = match &recording {
            Some((file, _)) => file.parent().unwrap_or(folder).to_owned(),
            None => folder.to_owned(),
        };
        self.measure(now, recording);
        let asked_at = self.asked.as_ref().filter(|(of, _)| *of == folder).map(|(_, at)| *at);
        let Some(asked_at) = asked_at else {
            // The space of another disk must not be displayed for this folder.
            self.space = None;
            return self.ask(now, folder);
        };
        match self.query.poll() {
            Outcome::Over(free) => {
                let rate = self.rate.unwrap_or(expected as f64 / 8.0);
                let space = |free| DiskSpace { folder, free, left: time_left(free, rate) };
                self.space = free.flatten().map(space);
            }
            Outcome::Idle if now.since(asked_at) >= QUERY_INTERVAL => self.ask(now, folder),
            Outcome::Idle | Outcome::Waiting => {}
        }
    }

    /// Returns the space, once known.
    pub fn space(&self) -> Option<DiskSpace> {
        self.space.clone()
    }

    /// Begins a query, which replaces one that the disk of an earlier folder may never answer.
    fn ask(&mut self, now: Timestamp, folder: PathBuf) {
        let of = folder.clone();
        // The folder itself is created with the first recording.
        self.query.begin("free-space", move || free_space_for(&of));
        self.asked = Some((folder, now));
    }

    /// Measures the rate of the current recording. A new file begins a new measurement.
    fn measure(&mut self, now: Timestamp, recording: Option<Written>) {
        let Some(written) = recording else {
            (self.before, self.rate) = (None, None);
            return;
        };
        match &mut self.before {
            Some((since, (file, bytes))) if *file == written.0 && *bytes < written.1 => {
                let time = now.since(*since);
                if time >= MIN_MEASURED_TIME {
                    if time <= MAX_MEASURED_DURATION {
                        self.rate = Some((written.1 - *bytes) as f64 / time.as_secs_f64());
                    }
                    self.before = Some((now, written));
                }
            }
            // Paused time is not measured.
            Some((since, before)) if *before == written => *since = now,
            _ => self.before = Some((now, written)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: i64) -> Timestamp {
        Timestamp::from_micros(number * 1_000_000)
    }

    /// Polls until the disk was queried.
    fn queried(
        space: &mut FreeSpace,
        now: i64,
        folder: &Path,
        recording: Option<&Written>,
    ) -> Option<DiskSpace> {
        let begin = std::time::Instant::now();
        loop {
            space.poll(second(now), folder, recording.cloned(), 8_000_000);
            if !space.query.is_under_way() || begin.elapsed() > Duration::from_secs(5) {
                return space.space();
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_space_of_a_folder_that_does_not_exist_yet_is_that_of_its_disk() {
        let folder = tempfile::tempdir().unwrap();
        let later = folder.path().join("not/yet/made");
        let mut space = FreeSpace::default();
        let found = queried(&mut space, 1, &later, None).unwrap();
        assert_eq!(found.folder, later);
        assert!(found.free > 0);
        // 8 Mbit/s is one megabyte per second.
        assert_eq!(found.left.as_secs(), found.free / 1_000_000);
        assert!(!later.exists());
        // A relative path is below the current folder.
        assert!(queried(&mut space, 2, Path::new("no/such/place"), None).is_some());
    }

    #[test]
    fn a_recording_is_measured_and_its_folder_counts() {
        let (set, recorded) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = recorded.path().join("a.mp4");
        let mut space = FreeSpace::default();
        let found = queried(&mut space, 1, set.path(), Some(&(file.clone(), 0))).unwrap();
        assert_eq!(found.folder, recorded.path());
        assert_eq!(found.left.as_secs(), found.free / 1_000_000, "nothing is measured yet");
        for now in 2..=10_i64 {
            let written = (file.clone(), 250_000 * (now as u64 - 1));
            queried(&mut space, now, set.path(), Some(&written));
        }
        assert_eq!(space.rate, Some(250_000.0));
        // While paused, the last rate counts.
        let paused = (file, 250_000 * 9);
        let found = queried(&mut space, 60, set.path(), Some(&paused)).unwrap();
        assert_eq!(found.left.as_secs(), found.free / 250_000);
        let found = queried(&mut space, 70, set.path(), None).unwrap();
        assert_eq!((found.folder.as_path(), space.rate), (set.path(), None));
    }

    #[test]
    fn every_rate_leads_to_a_time() {
        assert_eq!(time_left(3_600_000_000, 1_000_000.0), Duration::from_secs(3_600));
        assert!(time_left(u64::MAX, 0.0) > Duration::from_secs(1_000_000));
        assert_eq!(time_left(0, f64::MAX), Duration::ZERO);
    }
}
