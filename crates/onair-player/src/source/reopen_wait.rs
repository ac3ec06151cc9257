//! The wait before a looping file that failed is reopened although its stamp is the same.

use std::time::Duration;

use crate::player::state::FailureKind;

/// The first wait.
const MIN_REOPEN_WAIT: Duration = Duration::from_secs(2);
/// The longest wait.
const MAX_REOPEN_WAIT: Duration = Duration::from_secs(60);

/// See the module documentation. The wait doubles with each attempt until the file is read
/// completely. Otherwise, a file with an unreadable part would appear and disappear every few
/// seconds.
#[derive(Copy, Clone, Debug)]
pub(super) struct ReopenWait(Duration);

impl Default for ReopenWait {
    fn default() -> Self {
        Self(MIN_REOPEN_WAIT)
    }
}

impl ReopenWait {
    /// Returns true if a file with this failure is reopened after this time.
    pub(super) fn is_over(self, failed: FailureKind, after: Duration) -> bool {
        // The same file still has the same codec.
        failed != FailureKind::Codec && after >= self.0
    }

    /// Returns the wait after another attempt. A changed file has not failed yet.
    pub(super) fn after_attempt(self, is_changed: bool) -> Self {
        if is_changed { Self::default() } else { Self((self.0 * 2).min(MAX_REOPEN_WAIT)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_looping_file_that_fails_again_is_reopened_less_and_less_often() {
        let mut wait = ReopenWait::default();
        for seconds in [2, 4, 8, 16, 32, 60, 60] {
            let due = Duration::from_secs(seconds);
            assert!(!wait.is_over(FailureKind::File, due - Duration::from_millis(1)), "{due:?}");
            assert!(wait.is_over(FailureKind::File, due), "{due:?}");
            assert!(!wait.is_over(FailureKind::Codec, Duration::MAX), "only if it changes");
            wait = wait.after_attempt(false);
        }
        assert!(wait.after_attempt(true).is_over(FailureKind::File, MIN_REOPEN_WAIT));
    }
}
