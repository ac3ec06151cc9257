//! Repairs unfinished recordings of an earlier run, on a separate thread.

use std::io::ErrorKind;
use std::path::Path;

use crate::base::queue::{self, Full, Receiver};
use crate::base::{Stop, Worker};
use crate::broadcast::recorder::journal::{self, Entry};
use crate::broadcast::recorder::remux::{Failure, RepairMethod, repair};
use crate::studio::notices::message::StudioMessage;
use crate::wire::container::{Error, FilePart};

/// Maximum number of unread results.
const MAX_UNREAD_RESULTS: usize = 64;

/// The running repairs of earlier recordings.
#[derive(Debug)]
pub struct Repairs {
    messages: Receiver<StudioMessage>,
    _worker: Worker,
}

impl Repairs {
    /// Repairs the recordings in the journal that no program is still writing.
    pub fn start(journal: &Path) -> Option<Self> {
        let left = journal::unfinished(journal);
        if left.is_empty() {
            return None;
        }
        let (tell, messages) = queue::bounded("repairs", MAX_UNREAD_RESULTS, Full::DropOldest);
        let worker = Worker::spawn("onair-repair", move |stop| {
            for entry in left {
                if stop.is_set() {
                    return;
                }
                if let Some(message) = mend(entry, stop) {
                    let _ = tell.send(message);
                }
            }
        });
        let worker =
            worker.inspect_err(|error| tracing::error!(%error, "repairing recordings failed"));
        Some(Self { messages, _worker: worker.ok()? })
    }

    /// Returns the results since the last call.
    pub fn messages(&self) -> Vec<StudioMessage> {
        self.messages.waiting().collect()
    }
}

fn mend(entry: Entry, stop: &Stop) -> Option<StudioMessage> {
    let recording = entry.recording().to_owned();
    if !recording.exists() {
        // If the folder is missing or unreadable, its disk may be available at a later start.
        let has_folder = recording.parent().is_some_and(Path::is_dir);
        if has_folder && recording.try_exists().is_ok() {
            entry.done();
        }
        return None;
    }
    let repaired = repair(&recording, &|_| stop.is_set());
    if stop.is_set() || matches!(repaired, Err(Failure::BeingWritten(_))) {
        // The next run repairs the rest.
        return None;
    }
    // A later start may be able to repair these recordings.
    let is_kept = |failure: &Failure| is_disk_failure(failure) || is_too_long(failure);
    if !repaired.as_ref().is_err_and(is_kept) {
        entry.done();
    }
    match repaired {
        Ok(report) if report.how == RepairMethod::Whole => None,
        Ok(report) => {
            Some(StudioMessage::RecordingRepaired { path: report.path.display().to_string() })
        }
        Err(failure) => {
            let (path, reason) = (recording.display().to_string(), (&failure).into());
            Some(match is_disk_failure(&failure) {
                true => StudioMessage::RecordingNotRepaired { path, reason },
                false => StudioMessage::RecordingLost { path, reason },
            })
        }
    }
}

/// Returns true if the disk failed or was full.
fn is_disk_failure(failure: &Failure) -> bool {
    match failure {
        Failure::Write(_) => true,
        // The positions in a damaged file can be behind its end.
        Failure::Read { reason: Error::Io(error), .. } => error.kind() != ErrorKind::UnexpectedEof,
        _ => false,
    }
}

/// Returns true if the recording exceeds the limits for long recordings, which may be higher in a
/// later version of onair. Other parts exceed their limits only if the file is damaged.
fn is_too_long(failure: &Failure) -> bool {
    let Failure::Read { reason: Error::TooMuch(part), .. } = failure else { return false };
    matches!(part, FilePart::Samples | FilePart::Index)
}

#[cfg(test)]
mod tests {
    use std::{fs, io};

    #[cfg(unix)]
    use bytes::BytesMut;

    use super::*;
    #[cfg(unix)]
    use crate::wire::container::flv::{TagKind, file_header, write_tag};

    #[test]
    fn a_recording_on_a_missing_disk_is_repaired_at_a_later_start() {
        let folder = tempfile::tempdir().unwrap();
        let (state, disk) = (folder.path().join("state"), folder.path().join("disk"));
        drop(Entry::create(&state, &disk.join("show.mkv")).unwrap());
        let left_after_start = || {
            for entry in journal::unfinished(&state) {
                assert!(mend(entry, &Stop::new()).is_none());
            }
            fs::read_dir(&state).unwrap().count()
        };
        assert_eq!(left_after_start(), 1);
        // The disk is mounted, and the user has deleted the recording.
        fs::create_dir(&disk).unwrap();
        assert_eq!(left_after_start(), 0);
    }

    #[test]
    fn a_recording_that_exceeds_the_limits_can_be_repaired_later() {
        let folder = tempfile::tempdir().unwrap();
        // An MP4 index of 513 MiB, and a damaged MKV header of 5 MiB.
        for (name, start, size, left) in [
            ("show.mp4", &b"\0\0\0\x08ftyp\x20\x10\0\0moov"[..], 8 + (513 << 20), 1),
            ("show.mkv", &[0x1A, 0x45, 0xDF, 0xA3, 0x10, 0x50, 0, 0][..], 8, 0),
        ] {
            let state = folder.path().join(format!("state of {name}"));
            let path = folder.path().join(name);
            fs::write(&path, start).unwrap();
            fs::File::options().write(true).open(&path).unwrap().set_len(size).unwrap();
            drop(Entry::create(&state, &path).unwrap());
            for entry in journal::unfinished(&state) {
                let message = mend(entry, &Stop::new());
                let is_lost = matches!(message, Some(StudioMessage::RecordingLost { .. }));
                assert!(is_lost, "{name}: {message:?}");
            }
            assert_eq!(fs::read_dir(&state).unwrap().count(), left, "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_recording_that_the_disk_does_not_take_is_repaired_at_a_later_start() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let (state, path) = (folder.path().join("state"), folder.path().join("show.flv"));
        let mut file = BytesMut::from(&file_header(true, false)[..]);
        write_tag(TagKind::Audio, 0, &[0xAF, 0, 0x11, 0x90], &mut file);
        write_tag(TagKind::Audio, 0, &[0xAF, 1, 2, 3], &mut file);
        fs::write(&path, &file).unwrap();
        // Another program wrote this file, so onair makes a copy. No file can be created in this
        // folder.
        let opened = fs::File::open(&path).unwrap();
        let path = std::path::PathBuf::from(format!("/proc/self/fd/{}", opened.as_raw_fd()));
        drop(Entry::create(&state, &path).unwrap());
        for start in 1..3 {
            let entry = journal::unfinished(&state).pop().unwrap();
            let message = mend(entry, &Stop::new());
            let is_kept = matches!(message, Some(StudioMessage::RecordingNotRepaired { .. }));
            assert!(is_kept, "start {start}: {message:?}");
        }
    }

    #[test]
    fn a_drive_that_fails_is_a_failure_of_the_disk() {
        let path = || "show.flv".into();
        let read = |error: io::Error| Failure::Read { path: path(), reason: error.into() };
        assert!(is_disk_failure(&read(io::Error::other("the drive failed"))));
        assert!(!is_disk_failure(&read(ErrorKind::UnexpectedEof.into())));
    }
}
