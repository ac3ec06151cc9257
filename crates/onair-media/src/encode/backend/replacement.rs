//! Replaces an encoder whose process failed: by the same encoder in a new process, or, if that
//! failed a short time ago too, by the built-in encoder.

use std::time::Duration;

use crate::base::Timestamp;
use crate::encode::backend::{self, Opened, VideoBackend};
use crate::encode::config::Video as Config;
use crate::encode::error::Error;

/// An encoder that worked for this long may be started again. One that fails more often would cost
/// a gap each time.
const GOOD_TIME: Duration = Duration::from_secs(60);

/// The failures of an encoder, and what opens in its place.
#[derive(Debug, Default)]
pub(crate) struct Replacement {
    /// The time of the last failure on the frame grid.
    last: Option<Timestamp>,
    /// True once the built-in encoder has taken over, for the rest of the broadcast.
    is_final: bool,
    /// True if the built-in encoder must not take over.
    is_sole: bool,
}

impl Replacement {
    /// Returns the replacement of an encoder that only the same encoder may replace.
    pub fn sole() -> Self {
        Self { is_sole: true, ..Self::default() }
    }

    /// Opens the encoder of the broadcast, or the one that has taken over.
    pub fn open(&self, config: &Config) -> Result<Opened<dyn VideoBackend>, Error> {
        match self.is_final {
            true => backend::open_builtin(config),
            false => backend::open_video(config),
        }
    }

    /// Opens an encoder in the place of one that failed at a frame. Fails with the same error if
    /// no other encoder helps.
    pub fn after(
        &mut self,
        error: Error,
        pts: Timestamp,
        config: &Config,
    ) -> Result<Opened<dyn VideoBackend>, Error> {
        if !matches!(error, Error::Process { .. }) || self.is_final {
            return Err(error);
        }
        let is_rare = self.last.is_none_or(|last| pts.since(last) >= GOOD_TIME);
        self.last = Some(pts);
        if is_rare {
            match backend::open_video(config) {
                Ok(opened) => return Ok(opened),
                Err(error) => tracing::warn!(%error, "starting the encoder again failed"),
            }
        }
        if self.is_sole {
            return Err(error);
        }
        self.is_final = true;
        backend::open_builtin(config)
    }
}
