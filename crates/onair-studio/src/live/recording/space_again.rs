//! Detects when a disk on which a recording, replay or screenshot failed has free space again, so
//! that its notice can be withdrawn. A disk can hang, so a thread queries each folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::Timestamp;
use crate::files::free_space;
use crate::studio::notices::Notice;
use crate::studio::notices::row::Group;
use crate::studio::sources::background_search::{Outcome, Search};
use crate::studio::targets::quality::Quality;
use crate::text::Value;

/// Interval between queries of a full disk.
const QUERY_INTERVAL: Duration = Duration::from_secs(2);

/// Maximum number of queries at a time, of which some may never end.
const MAX_QUERIES: usize = 8;

/// A disk counts as full unless it has space for this duration of the stream.
const MIN_FREE_DURATION: Duration = Duration::from_secs(10 * 60);

/// Notices about files that could not be written.
const UNWRITTEN_FILE_NOTICES: &[&str] = &[
    "recording-failed",
    "recording-not-started",
    "recording-held",
    "replay-failed",
    "screenshot-failed",
];

/// The space check; see the module documentation.
#[derive(Debug, Default)]
pub struct SpaceAgain {
    asked_at: Option<Timestamp>,
    /// Whether there is space in each folder. A disk that hangs must not delay the other answers.
    queries: BTreeMap<PathBuf, Search<bool>>,
}

/// Returns the folder of a notice about a full disk; `recording` is the open file. On air, a
/// recording that ended stays a problem until the next one starts, whether there is space or not.
fn folder_of(notice: &Notice, recording: Option<&Path>, on_air: bool) -> Option<PathBuf> {
    let parent = |path: &Path| path.parent().map(Path::to_owned);
    let ended = Group::RecordingEnded.keys().contains(&notice.key());
    if ended && on_air && recording.is_none() {
        return None;
    }
    if !UNWRITTEN_FILE_NOTICES.contains(&notice.key()) || !notice.problem.contains("file-full") {
        return None;
    }
    let args = notice.problem.args().iter();
    args.filter(|(name, _)| *name == "path").find_map(|(_, value)| match value {
        Value::Text(path) => parent(Path::new(&**path)),
        _ => None,
    })
}

/// Returns the free space that is sufficient, in bytes.
fn enough(quality: &Quality) -> u64 {
    quality.bitrate() / 8 * MIN_FREE_DURATION.as_secs()
}

impl SpaceAgain {
    /// Queries the disks at intervals, and returns the ids of notices that no longer apply.
    /// `on_air` is true while a stream is sent to a target.
    pub fn poll(
        &mut self,
        now: Timestamp,
        notices: &[Notice],
        recording: Option<&Path>,
        on_air: bool,
        quality: &Quality,
    ) -> Vec<u64> {
        let folder_of = |it: &Notice| Some((it.id, folder_of(it, recording, on_air)?));
        let folders: Vec<(u64, PathBuf)> = notices.iter().filter_map(folder_of).collect();
        let mut with_space = Vec::new();
        self.queries.retain(|folder, query| {
            let outcome = query.poll();
            if let Outcome::Over(Some(true)) = outcome {
                with_space.push(folder.clone());
            }
            matches!(outcome, Outcome::Waiting)
        });
        if self.asked_at.is_none_or(|at| now.since(at) >= QUERY_INTERVAL) && !folders.is_empty() {
            self.asked_at = Some(now);
            let enough = enough(quality);
            for (_, folder) in &folders {
                let is_known = self.queries.contains_key(folder) || with_space.contains(folder);
                if !is_known && self.queries.len() < MAX_QUERIES {
                    let mut query = Search::default();
                    let of = folder.clone();
                    query.begin("disk-space", move || {
                        free_space(&of).is_some_and(|free| free > enough)
                    });
                    self.queries.insert(folder.clone(), query);
                }
            }
        }
        let over = folders.into_iter().filter(|(_, folder)| with_space.contains(folder));
        over.map(|(id, _)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::notices::message::StudioMessage;
    use crate::text::problem::problem;

    #[test]
    fn only_a_full_disk_that_has_room_again_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = |folder: &Path| folder.join("a.mp4").display().to_string();
        let gone = Path::new("/no/such/folder");
        let failed =
            |folder: &Path, reason| StudioMessage::RecordingFailed { path: path(folder), reason };
        let messages = [
            failed(folder.path(), problem!("file-full")),
            failed(folder.path(), problem!("file-forbidden")),
            failed(gone, problem!("file-full")),
            StudioMessage::SettingsNotSaved {
                path: path(folder.path()),
                reason: problem!("file-full"),
            },
            StudioMessage::DiskSpace { minutes: "1".into(), megabytes: "9".into() },
        ];
        let notices: Vec<Notice> =
            (1..).zip(&messages).map(|(id, message)| message.notice(id, "")).collect();
        let quality = Quality::default();
        let mut watch = SpaceAgain::default();
        // The disk of another folder hangs.
        let (release, held) = crossbeam_channel::bounded::<()>(0);
        let mut hanging = Search::default();
        hanging.begin("hanging-disk", move || held.recv().is_ok());
        watch.queries.insert("/mnt/hanging".into(), hanging);
        let mut look = |recording: Option<&Path>, now: i64| {
            let begin = std::time::Instant::now();
            let mut over = Vec::new();
            let now = Timestamp::from_micros(now * 1_000_000);
            while over.is_empty() && begin.elapsed() < Duration::from_secs(5) {
                over = watch.poll(now, &notices, recording, false, &quality);
            }
            over
        };
        assert_eq!(look(None, 1), [1]);
        // The recording itself reports when its disk is no longer nearly full.
        let file = folder.path().join("b.mp4");
        assert_eq!(look(Some(&file), 10), [1]);
        assert!(watch.queries.contains_key(Path::new("/mnt/hanging")));
        drop(release);
        let huge =
            Quality { video_bitrate: crate::media::BitsPerSecond(u32::MAX), ..Quality::default() };
        assert!(enough(&huge) > enough(&quality) * 100);
    }

    #[test]
    fn on_air_a_recording_that_ended_stays_a_problem_until_the_next_one_starts() {
        let path = || "/home/ada/Videos/a.mp4".to_owned();
        let (file, reason) = (Path::new("/home/ada/Videos/b.mp4"), || problem!("file-full"));
        let ended = [
            StudioMessage::RecordingFailed { path: path(), reason: reason() },
            StudioMessage::RecordingNotStarted { path: path(), reason: reason() },
        ];
        let is_over = |message: &StudioMessage, recording, on_air| {
            folder_of(&message.notice(1, ""), recording, on_air).is_some()
        };
        for message in &ended {
            assert!(!is_over(message, None, true), "{message:?}");
            assert!(is_over(message, None, false), "{message:?}");
            assert!(is_over(message, Some(file), true), "{message:?}");
        }
        let replay = StudioMessage::ReplayFailed { path: path(), reason: reason() };
        assert!(is_over(&replay, None, true));
    }
}
