//! The state of a missing separate audio playlist. The video continues without it, and a parallel
//! task checks repeatedly whether the audio is available again.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::net::Cause;
use crate::net::web::WebUrl;
use crate::player::buffer::pace::BufferTarget;
use crate::player::input::http::hls::fetch::Fetch;
use crate::player::input::http::hls::follow::Track;
use crate::player::input::http::pull_error::PullError;
use crate::player::state::FailureKind;
use crate::text::Problem;

/// The first pause between checks. Each loss and each failed check doubles the pause.
const FIRST_CHECK_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between checks.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(60);
/// Time limit of a check.
const POLL_TIMEOUT: Duration = Duration::from_secs(20);
/// The video waits at least this long for its audio. Usually it waits for two thirds of the buffer,
/// which is two target durations.
const MIN_AUDIO_WAIT: Duration = Duration::from_secs(4);

/// Returns the time for which the video waits for its audio.
pub(super) fn patience(hold_back: Duration) -> Duration {
    (hold_back * 2 / 3).max(MIN_AUDIO_WAIT)
}

/// Returns the reason if only the audio is missing; a failure of the whole stream is passed on.
pub(super) fn cause(problem: PullError) -> Result<Problem, PullError> {
    match problem {
        PullError::Stalls(failure) => Ok(failure.problem),
        PullError::Failed(failure)
            if matches!(
                failure.kind,
                FailureKind::Lost | FailureKind::NoSuchStream | FailureKind::Unreachable
            ) =>
        {
            Ok(failure.problem)
        }
        PullError::Net(error) if matches!(error.cause, Cause::Answer { .. }) => {
            Ok(error.with_peer())
        }
        problem => Err(problem),
    }
}

/// See the module documentation.
#[derive(Debug)]
pub(super) struct AudioRendition {
    /// The running check of whether the audio has returned.
    look: JoinSet<bool>,
    pause: Duration,
    /// The offset of the audio's segment numbers from those of the video.
    ahead: i64,
}

impl Default for AudioRendition {
    /// Returns the state of audio that is missing from the beginning.
    fn default() -> Self {
        Self { look: JoinSet::new(), pause: FIRST_CHECK_PAUSE, ahead: 0 }
    }
}

impl AudioRendition {
    /// Creates the state after a loss; `before` is the state of the previous loss. `video` and
    /// `audio` are the numbers of a video segment and of the matching audio segment.
    pub fn new(before: Option<Self>, video: u64, audio: u64) -> Self {
        let pause =
            before.map_or(FIRST_CHECK_PAUSE, |before| (before.pause * 2).min(MAX_POLL_INTERVAL));
        let ahead = audio.wrapping_sub(video).cast_signed();
        Self { look: JoinSet::new(), pause, ahead }
    }

    /// Returns the number of the audio segment for this video segment; the same number if the
    /// audio has never arrived.
    pub fn number(&self, video: u64) -> u64 {
        video.saturating_add_signed(self.ahead)
    }

    /// Returns true if the audio has returned. Otherwise, starts another check if none is running.
    /// `wanted` is the wanted segment of the playlist at `url`: its number and, in a recording, its
    /// position, which counts instead.
    pub fn comes(
        &mut self,
        fetch: &Fetch,
        url: &WebUrl,
        buffer: &Arc<BufferTarget>,
        wanted: (u64, Option<Duration>),
    ) -> bool {
        match self.look.try_join_next() {
            Some(Ok(true)) => return true,
            Some(_) => self.pause = (self.pause * 2).min(MAX_POLL_INTERVAL),
            None => {}
        }
        if self.look.is_empty() {
            let (fetch, url, buffer) = (fetch.beside(), url.clone(), Arc::clone(buffer));
            let pause = self.pause;
            self.look.spawn(async move {
                sleep(pause).await;
                timeout(POLL_TIMEOUT, is_playable(fetch, &url, &buffer, wanted))
                    .await
                    .unwrap_or(false)
            });
        }
        false
    }
}

/// Returns true if the playlist at `url` delivers the wanted segment. In a broadcast, the nearest
/// listed segment suffices: with dates, the number may belong to other content.
async fn is_playable(
    mut fetch: Fetch,
    url: &WebUrl,
    buffer: &Arc<BufferTarget>,
    (number, place): (u64, Option<Duration>),
) -> bool {
    let Ok(mut track) = Track::open(&mut fetch, url, buffer, None).await else { return false };
    if let Some(place) = place {
        track.seek(&mut fetch, place).await;
    } else {
        track.begin_at(number);
    }
    matches!(track.next(&mut fetch).await, Ok(Some(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::state::Failure;

    #[test]
    fn only_some_failures_of_an_audio_rendition_end_playback() {
        let error = |kind| PullError::Failed(Failure::new(kind, "why".into()));
        for kind in [FailureKind::Lost, FailureKind::NoSuchStream, FailureKind::Unreachable] {
            assert_eq!(cause(error(kind)).unwrap(), "why");
        }
        assert_eq!(
            cause(PullError::Stalls(Failure::new(FailureKind::Lost, "it".into()))).unwrap(),
            "it"
        );
        assert!(cause(error(FailureKind::Codec)).is_err());
    }

    #[test]
    fn segments_that_belong_together_stay_together_and_pauses_grow() {
        let mut missing = AudioRendition::new(None, 40, 7);
        assert_eq!((missing.number(50), missing.number(3)), (17, 0));
        assert_eq!(AudioRendition::default().number(50), 50);
        for _ in 0..9 {
            missing = AudioRendition::new(Some(missing), 7, 40);
        }
        assert_eq!((missing.pause, missing.number(10)), (MAX_POLL_INTERVAL, 43));
        assert_eq!(patience(Duration::from_secs(9)), Duration::from_secs(6));
    }
}
