//! The state of the programs beside the main one, without the engine that changes it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::base::{Latest, Timestamp};
use crate::compose::scene::SourceId;
use crate::media::{ExtraTracks, VideoFrame};
use crate::studio::event::stats::Video;
use crate::studio::live::source_recordings::SourcePlace;

/// The recordings of single sources.
#[derive(Debug, Default)]
pub struct SourceRecordings {
    /// The sources that are recorded from the next broadcast or recording on, with their files.
    pub wanted: BTreeMap<SourceId, PathBuf>,
    pub running: BTreeMap<SourceId, SourcePlace>,
    /// The ended recordings whose last audio is still being mixed until this time.
    pub ending: Vec<(SourceId, SourcePlace, Timestamp)>,
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
        let running = self.running.iter().map(|(source, place)| (*source, *place));
        let ending = self.ending.iter().map(|(source, place, _)| (*source, *place));
        let own = running.chain(ending).filter(|(source, _)| is_of(*source));
        own.fold(ExtraTracks::NONE, |all, (_, place)| all.with(place.track(), true))
    }

    pub fn free_place(&self) -> Option<SourcePlace> {
        let ending = self.ending.iter().map(|(_, place, _)| *place);
        let used: BTreeSet<SourcePlace> = self.running.values().copied().chain(ending).collect();
        SourcePlace::all().find(|place| !used.contains(place))
    }

    /// Keeps the audio of ended recordings until this time, because it can be late.
    pub fn end_at(&mut self, ended: &[(SourceId, SourcePlace)], until: Timestamp) {
        self.ending.extend(ended.iter().map(|(source, place)| (*source, *place, until)));
    }

    /// Forgets ended recordings whose audio is complete. Returns true if there was one.
    pub fn forget_ended(&mut self, now: Timestamp) -> bool {
        let before = self.ending.len();
        self.ending.retain(|(.., until)| *until > now);
        self.ending.len() < before
    }
}

/// The state of the second canvas.
#[derive(Debug, Default)]
pub struct SecondProgram {
    /// The file to which the next broadcast or recording records it.
    pub wanted_file: Option<PathBuf>,
    /// The figures of the last second, while it is sent or recorded.
    pub figures: Option<Video>,
    /// True while the window shows the canvas.
    pub is_shown: bool,
    /// The newest frame.
    pub frames: Latest<VideoFrame>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_recording_keeps_its_track_until_its_late_audio_is_mixed() {
        let mut recordings = SourceRecordings::default();
        let place = recordings.free_place().unwrap();
        let source = SourceId(1);
        recordings.running.insert(source, place);
        let tracks = |it: &SourceRecordings| it.tracks_of(|id| id == source);
        let its = ExtraTracks::NONE.with(place.track(), true);
        assert_eq!(tracks(&recordings), its);
        recordings.running.clear();
        let at = Timestamp::from_millis;
        recordings.end_at(&[(source, place)], at(500));
        assert!(!recordings.forget_ended(at(499)));
        assert_eq!(tracks(&recordings), its);
        assert_ne!(recordings.free_place(), Some(place));
        assert!(recordings.forget_ended(at(500)));
        assert!(tracks(&recordings).is_empty() && recordings.free_place() == Some(place));
    }
}
