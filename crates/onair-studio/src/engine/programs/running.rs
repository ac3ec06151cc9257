//! The state of the programs beside the main one, without the engine that changes it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::base::Latest;
use crate::compose::scene::SourceId;
use crate::media::{ExtraTracks, VideoFrame};
use crate::studio::live::source_recordings::SourcePlace;

/// The recordings of single sources.
#[derive(Debug, Default)]
pub struct SourceRecordings {
    /// The sources that are recorded from the next broadcast or recording on, with their files.
    pub wanted: BTreeMap<SourceId, PathBuf>,
    pub running: BTreeMap<SourceId, SourcePlace>,
    /// The sources whose switch was on when the program's recording last looked.
    pub switched_on: BTreeSet<SourceId>,
}

impl SourceRecordings {
    /// Returns the recorded sources.
    pub fn sources(&self) -> impl Iterator<Item = SourceId> {
        self.running.keys().copied()
    }

    /// Returns the tracks that a strip with this audio needs for recordings.
    pub fn tracks_of(&self, is_of: impl Fn(SourceId) -> bool) -> ExtraTracks {
        let own = self.running.iter().filter(|(source, _)| is_of(**source));
        own.fold(ExtraTracks::NONE, |all, (_, place)| all.with(place.track(), true))
    }

    pub fn free_place(&self) -> Option<SourcePlace> {
        SourcePlace::all().find(|place| !self.running.values().any(|used| used == place))
    }
}

/// The state of the second canvas.
#[derive(Debug, Default)]
pub struct SecondProgram {
    /// The file to which the next broadcast or recording records it.
    pub wanted_file: Option<PathBuf>,
    /// True while the window shows the canvas.
    pub is_shown: bool,
    /// The newest frame.
    pub frames: Latest<VideoFrame>,
}
