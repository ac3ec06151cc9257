//! Handles the recording and the replay buffer of a broadcast, and their extra audio tracks.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use super::{FILE_END_TIMEOUT, OnAir, encoder_message};
use crate::base::queue::Sender;
use crate::base::{Timestamp, Worker};
use crate::broadcast::recorder::replay::Clip;
use crate::broadcast::recorder::{self, RecordedTracks, Replay};
use crate::media::{ExtraTrack, ExtraTracks};
use crate::studio::event::{self, Event};
use crate::studio::live::outputs::{OutputNews, Outputs};
use crate::studio::live::recording::audio_tracks::TrackNames;
use crate::studio::live::recording::own_encode::OpenedEncode;
use crate::studio::live::recording::{RecordingChoices, RecordingOutput};
use crate::studio::notices::message::StudioMessage;
use crate::studio::program::Program;
use crate::text::Problem;

impl OnAir {
    /// Starts to record to this file, in addition to the other outputs. The recording has the frames
    /// of its own encoder, if there is one.
    pub fn record(
        &mut self,
        path: &Path,
        choices: &RecordingChoices,
        journal: Option<PathBuf>,
        (tracks, names): (ExtraTracks, &TrackNames),
        program: &Program,
        own: Option<OpenedEncode>,
    ) -> Result<event::Recording, recorder::Error> {
        let mix = choices.mix.filter(|_| self.extras.is_some());
        let wanted = self.wanted_tracks(tracks).and(tracks).and(mix.into_iter().collect());
        if let Err(reason) = self.encode_tracks(wanted, program) {
            tracing::warn!(%reason, "an additional audio track failed");
        }
        let audio_tracks = (self.audio_tracks(mix, tracks, names), mix);
        let name = self.name.clone();
        let after = self.record_after.take();
        let from = after.unwrap_or(self.began_at);
        let begun = own.and_then(|own| {
            let begun = own.begin(&self.hub, (program, self.program), from);
            begun.inspect_err(|error| tracing::error!(%error, "no thread for a recording")).ok()
        });
        let recording = match begun {
            Some(mut own) => {
                let hub = own.recorded_hub(mix);
                // The first frame of the own encoder is a keyframe.
                let mut recording =
                    RecordingOutput::start(name, path, hub, choices, journal, audio_tracks, None)?;
                recording.own = Some(own);
                recording
            }
            None => {
                let hub = self.recorded_hub(mix);
                RecordingOutput::start(name, path, hub, choices, journal, audio_tracks, after)?
            }
        };
        let event = recording.event();
        self.outputs.add(recording);
        Ok(event)
    }

    /// Follows the encode of the recording, if it has its own.
    pub(super) fn poll_own_encode(&mut self) -> Vec<OutputNews> {
        let mut recordings = self.outputs.all_mut::<RecordingOutput>();
        let Some(own) = recordings.find_map(|it| it.own.as_mut()) else { return Vec::new() };
        let incidents = own.take_incidents().into_iter().map(encoder_message);
        let failed = own.follow(&self.hub);
        let failed = failed.map(|reason| StudioMessage::RecordingEncoderFailed { reason });
        incidents.chain(failed).map(OutputNews::Message).collect()
    }

    /// Makes the next recording begin with a keyframe after this instant, together with recordings of
    /// other programs that begin then.
    pub fn record_after(&mut self, from: Timestamp) {
        self.record_after = Some(from);
    }

    /// Returns the recording, if any.
    pub fn recording(&self) -> Option<&RecordingOutput> {
        self.outputs.all().next()
    }

    /// Finalizes the recording in the background while the stream continues. The recording's last
    /// event follows when the worker ends.
    pub fn finish_recording(&mut self, events: Sender<Event>) -> Option<Worker> {
        self.take_recording().stop_beside(FILE_END_TIMEOUT, events)
    }

    /// Removes and returns the recording. Its extra audio tracks are encoded until it is dropped,
    /// because their last audio can arrive later.
    pub(super) fn take_recording(&mut self) -> Outputs {
        self.ending_tracks.retain(|tracks| tracks.strong_count() > 0);
        let ending = self.recording().map(|recording| Arc::downgrade(&recording.tracks));
        self.ending_tracks.extend(ending);
        self.outputs.take(|_: &RecordingOutput| true)
    }

    /// Starts, changes or stops the replay buffer according to the user's choices.
    pub fn keep_replay(&mut self, choices: &RecordingChoices) {
        if self.passthrough.is_some() {
            // The hub does not know the tracks of the file.
            return;
        }
        match (self.replay(), choices.room()) {
            (Some(replay), Some(room)) => replay.set_room(room),
            (Some(_), None) => drop(self.outputs.take(|_: &Replay| true)),
            (None, Some(room)) => self.outputs.add(Replay::start(&self.hub, room)),
            (None, None) => {}
        }
    }

    /// Returns the replay buffer, if any.
    pub fn replay(&self) -> Option<&Replay> {
        self.outputs.all().next()
    }

    /// Returns a copy of the replay buffer, with these audio tracks if they are present, or `None`
    /// if it is empty.
    pub fn clip(&self, tracks: ExtraTracks, names: &TrackNames) -> Option<Clip> {
        let clip = self.replay().map(|replay| replay.clip(self.audio_tracks(None, tracks, names)));
        clip.filter(|clip| !clip.is_empty())
    }

    /// Returns the extra audio tracks that must be encoded, given the tracks that strips use.
    pub(super) fn wanted_tracks(&self, used: ExtraTracks) -> ExtraTracks {
        let kept = if self.replay().is_some() { used } else { ExtraTracks::NONE };
        let running = self.recording().map(|recording| Arc::clone(&recording.tracks));
        let ending = self.ending_tracks.iter().filter_map(Weak::upgrade);
        let kept = kept.and(self.sent_mixes());
        running.into_iter().chain(ending).fold(kept, |all, tracks| all.and(*tracks))
    }

    /// Sets the extra audio tracks in use, whose encoders run while a recording or the replay
    /// buffer needs them. Ends the further renditions that no target needs any longer.
    pub fn follow_tracks(&mut self, used: ExtraTracks, program: &Program) -> Result<(), Problem> {
        self.encode_renditions(&[], program);
        self.encode_tracks(self.wanted_tracks(used), program)
    }

    /// Returns the audio tracks of a file: of these extra tracks, only those that are currently
    /// encoded.
    fn audio_tracks(
        &self,
        mix: Option<ExtraTrack>,
        tracks: ExtraTracks,
        names: &TrackNames,
    ) -> RecordedTracks {
        let extras = self.extras.as_ref();
        extras.map(|extras| extras.audio_tracks(mix, tracks, names)).unwrap_or_default()
    }
}
