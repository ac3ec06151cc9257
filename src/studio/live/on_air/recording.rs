//! The recording and the replay buffer of a broadcast, and the extra audio tracks that are made for them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::OnAir;
use crate::base::Worker;
use crate::base::queue::Sender;
use crate::broadcast::recorder::replay::Clip;
use crate::broadcast::recorder::{self, RecordedTracks, Replay};
use crate::media::ExtraTracks;
use crate::studio::event::{self, Event};
use crate::studio::live::recording::audio_tracks::TrackNames;
use crate::studio::live::recording::{RecordingChoices, RecordingOutput};
use crate::studio::program::Program;

/// How long finishing a file may take in the background of a stream that continues.
const END_BESIDE: Duration = Duration::from_secs(30);

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
        let recording = RecordingOutput::start(path, &self.hub, choices, journal, sounds)?;
        let told = recording.event();
        self.outputs.add(recording);
        Ok(told)
    }

    /// The recording, if there is one.
    pub(in crate::studio) fn recording(&self) -> Option<&RecordingOutput> {
        self.outputs.all().next()
    }

    /// Finishes the recording in the background while the stream continues. Until the worker has
    /// ended, its last word is still to come.
    pub(in crate::studio) fn finish_recording(&mut self, told: Sender<Event>) -> Option<Worker> {
        self.outputs.take(|_: &RecordingOutput| true).stop_beside(END_BESIDE, told)
    }

    /// Keeps as much of the past as is chosen.
    pub(in crate::studio) fn keep_replay(&mut self, choices: &RecordingChoices) {
        let room = choices.room();
        if self.replay().map(Replay::room) != room {
            drop(self.outputs.take(|_: &Replay| true));
            if let Some(room) = room {
                self.outputs.add(Replay::start(&self.hub, room));
            }
        }
    }

    /// The replay buffer, if there is one.
    pub(in crate::studio) fn replay(&self) -> Option<&Replay> {
        self.outputs.all().next()
    }

    /// What the replay buffer has, with those of these audio tracks that it has; `None` where it has
    /// nothing.
    pub(in crate::studio) fn clip(&self, tracks: ExtraTracks, names: &TrackNames) -> Option<Clip> {
        let clip = self.replay().map(|replay| replay.clip(self.sounds(tracks, names)));
        clip.filter(|clip| !clip.is_empty())
    }

    /// The extra audio tracks that somebody wants, where these are used.
    fn wanted_tracks(&self, used: ExtraTracks) -> ExtraTracks {
        let kept = if self.replay().is_some() { used } else { ExtraTracks::NONE };
        self.recording().map_or(ExtraTracks::NONE, |recording| recording.tracks).and(kept)
    }

    /// These extra audio tracks are used now: their encoders run while a recording that has begun
    /// with them, or the replay buffer, wants them.
    pub(in crate::studio) fn follow_tracks(
        &mut self,
        used: ExtraTracks,
        program: &Program,
    ) -> Result<(), String> {
        let wanted = self.wanted_tracks(used);
        self.extras.as_mut().map_or(Ok(()), |it| it.follow(wanted, program, &self.hub))
    }

    /// The audio tracks of a file that is to have these, as far as they are made now.
    fn sounds(&self, tracks: ExtraTracks, names: &TrackNames) -> RecordedTracks {
        self.extras.as_ref().map(|extras| extras.sounds(tracks, names)).unwrap_or_default()
    }
}
