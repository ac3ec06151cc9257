//! The figures of the last line of `serve`.

use crate::server::{Event, RecordingState};
use crate::text::Problem;

/// What happened while the server ran.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub publishers: u64,
    pub viewers: u64,
    pub received: u64,
    pub sent: u64,
    pub faults: u64,
    pub recordings: u64,
    pub unwritten: u64,
    /// True if the folder of recordings could not be written to.
    pub is_folder_unusable: bool,
}

/// Returns true if a recording failed because of the folder, and not because of its publisher or the server's limits.
fn is_of_folder(reason: Option<&Problem>) -> bool {
    let others = ["recorded-nothing", "recorded-too-many", "recorded-too-often"];
    reason.is_none_or(|reason| others.iter().all(|other| !reason.contains(other)))
}

impl Totals {
    /// Counts an event.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Publish(_) => self.publishers += 1,
            Event::Join(_) => self.viewers += 1,
            Event::Unpublish(_, ended) => self.received += ended.bytes,
            Event::Leave(_, ended) => self.sent += ended.bytes,
            Event::Fault(_) => self.faults += 1,
            Event::Disk(..)
            | Event::Held(..)
            | Event::Rendition(_)
            | Event::Unusual(_)
            | Event::Relay(_)
            | Event::Drain { .. }
            | Event::Refused(_)
            | Event::Callback(_) => {}
            Event::Recording(recording) => match recording.state {
                RecordingState::Writing => {}
                RecordingState::Finished => self.recordings += 1,
                RecordingState::Failed => {
                    self.unwritten += 1;
                    self.is_folder_unusable |= is_of_folder(recording.reason.as_ref());
                }
                RecordingState::Deleted => {}
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::problem::problem;

    #[test]
    fn only_a_folder_that_cannot_be_used_has_its_exit_code() {
        let failed = |why: Problem| is_of_folder(Some(&why));
        assert!(
            failed(problem!("file-full")) && failed(problem!("recorded-no-disk", seconds = 20))
        );
        assert!(failed(problem!("file-other", reason = problem!("recorded-no-more-files"))));
        for other in [
            problem!("recorded-nothing"),
            problem!("recorded-too-many", count = 64),
            problem!("file-other", reason = problem!("recorded-too-often")),
        ] {
            assert!(!failed(other.clone()), "{other}");
        }
    }
}
