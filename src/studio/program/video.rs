//! Determines whether the program has video, and its source.

use crate::capture::VideoChoice;
use crate::compose::scene::SourceId;
use crate::media::source_status::SourceState;
use crate::studio::program::Program;
use crate::studio::scenes::{Collection, MAIN_SOURCE};

impl Program {
    /// From now on, shows black video for a scene without a source.
    pub(in crate::studio) fn keep_video(&mut self) {
        self.keeps_video = true;
    }

    /// Returns the name of the source in the current scene that delivers video, or `None` if there
    /// is none.
    pub(in crate::studio) fn open_video(&self, collection: &Collection) -> Option<String> {
        let open = |id: &SourceId| self.source_report(*id).state == SourceState::Open;
        let id = self.plans.0.sources().find(open)?;
        let name = collection.source(id).map(|source| source.name.clone());
        Some(name.unwrap_or_else(|| self.video.report().name))
    }

    /// Returns true if there is a frame to encode.
    pub(in crate::studio) fn has_video(&self) -> bool {
        self.keeps_video
            || self.video.choice != VideoChoice::None
            || self.plans.0.sources().any(|source| source != MAIN_SOURCE)
    }
}
