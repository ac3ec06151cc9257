//! The recording of a broadcast, and the extra sound tracks that are made for it and for the replay
//! buffer.

use std::path::{Path, PathBuf};

use super::OnAir;
use crate::broadcast::recorder::{self, RecordedTracks};
use crate::media::ExtraTracks;
use crate::studio::event;
use crate::studio::live::recording::RecordingChoices;
use crate::studio::live::recording::audio_tracks::TrackNames;
use crate::studio::program::Program;

impl OnAir {
    /// Records into this file too.
    pub(in crate::studio) fn record(
        &mut self,
        path: &Path,
        choices: &RecordingChoices,
        journal: Option<PathBuf>,
        (tracks, names): (ExtraTracks, &TrackNames),
        program: &Program,
    ) -> Result<event::Recording, recorder::Error> {
        let wanted = self.wanted_tracks(tracks).and(tracks);
        let followed = self.extras.as_mut().map(|it| it.follow(wanted, program, &self.hub));
        if let Some(Err(reason)) = followed {
            tracing::warn!(%reason, "an extra sound track");
        }
        let sounds = self.sounds(tracks, names);
        self.recording.record(path, &self.hub, choices, journal, sounds)
    }

    /// The extra sound tracks that somebody wants, where these are used.
    fn wanted_tracks(&self, used: ExtraTracks) -> ExtraTracks {
        let kept = if self.recording.replay().is_some() { used } else { ExtraTracks::NONE };
        self.recording.tracks().and(kept)
    }

    /// These extra sound tracks are used now: their encoders run while a recording that has begun
    /// with them, or the replay buffer, wants them.
    pub(in crate::studio) fn follow_tracks(
        &mut self,
        used: ExtraTracks,
        program: &Program,
    ) -> Result<(), String> {
        let wanted = self.wanted_tracks(used);
        self.extras.as_mut().map_or(Ok(()), |it| it.follow(wanted, program, &self.hub))
    }

    /// The sound tracks of a file that is to have these, as far as they are made now.
    pub(in crate::studio) fn sounds(
        &self,
        tracks: ExtraTracks,
        names: &TrackNames,
    ) -> RecordedTracks {
        self.extras.as_ref().map(|extras| extras.sounds(tracks, names)).unwrap_or_default()
    }
}
