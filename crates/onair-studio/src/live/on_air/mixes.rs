//! Other sound for single outputs: a target or a recording can have an extra audio track in the
//! place of the program's audio. The track is encoded once, however many outputs have it. These
//! outputs subscribe to a hub of the mix, which shares the frames of the broadcast.

use super::OnAir;
use crate::broadcast::Hub;
use crate::broadcast::recorder::ExtraAudioTrack;
use crate::media::{ExtraTrack, ExtraTracks};
use crate::studio::live::outputs::target::WantedTarget;
use crate::studio::live::recording::RecordingOutput;
use crate::studio::live::recording::audio_tracks::TrackNames;
use crate::studio::live::recording::own_encode::OwnEncode;
use crate::studio::live::stream_delay::StreamDelay;
use crate::studio::program::Program;
use crate::text::Problem;

impl OnAir {
    /// Starts the encoders of these targets' mixes before the targets are added.
    ///
    /// # Errors
    /// Fails if an encoder is not available, with the reason. The targets then get no audio.
    pub fn encode_mixes(
        &mut self,
        wanted: &[WantedTarget],
        used: ExtraTracks,
        program: &Program,
    ) -> Result<(), Problem> {
        let mixes = sent(wanted.iter().map(|it| (it.mix, it.tracks)));
        if mixes.is_empty() {
            return Ok(());
        }
        self.encode_tracks(self.wanted_tracks(used).and(mixes), program)
    }

    /// Starts and ends the encoders of extra tracks. A hub whose track begins anew begins anew
    /// too, because its outputs would otherwise start without audio.
    pub(super) fn encode_tracks(
        &mut self,
        wanted: ExtraTracks,
        program: &Program,
    ) -> Result<(), Problem> {
        let Some(extras) = &mut self.extras else { return Ok(()) };
        let before = extras.running();
        let result = extras.follow(wanted, program, &self.hub);
        let recordings = self.outputs.all::<RecordingOutput>();
        recordings.filter_map(|it| it.own.as_ref()).for_each(|own| own.set_extras(wanted));
        for track in wanted.iter().filter(|track| !before.has(*track)) {
            self.mixes.sent.remove(&track);
            self.mixes.recorded.remove(&track);
        }
        result
    }

    /// Returns the mixes and the extra tracks of the targets that are not over.
    pub(super) fn sent_mixes(&self) -> ExtraTracks {
        let targets = self.targets().filter(|it| !it.is_over());
        sent(targets.map(|it| (it.mix, it.tracks)))
    }

    /// Returns those of a target's extra tracks that are encoded.
    pub(super) fn sent_tracks(
        &self,
        mix: Option<ExtraTrack>,
        tracks: ExtraTracks,
    ) -> Vec<ExtraAudioTrack> {
        let extras = self.extras.as_ref().filter(|_| !tracks.is_empty());
        let found = extras.map(|it| it.audio_tracks(mix, tracks, &TrackNames::default()));
        found.unwrap_or_default().extras
    }

    /// Makes the hub of a target's mix.
    pub(super) fn open_sent(&mut self, mix: Option<ExtraTrack>) {
        let followed = self.stream_delay.as_ref().map_or(&self.hub, StreamDelay::hub);
        if let Some(track) = mix.filter(|_| self.extras.is_some()) {
            self.mixes.sent.entry(track).or_insert_with(|| followed.with_mix(track));
        }
    }

    /// Returns the hub for a target with this mix, after [`OnAir::open_sent`].
    pub(super) fn sent_hub(&self, mix: Option<ExtraTrack>) -> &Hub {
        let followed = self.stream_delay.as_ref().map_or(&self.hub, StreamDelay::hub);
        mix.and_then(|track| self.mixes.sent.get(&track)).unwrap_or(followed)
    }

    /// Returns why the audio of outputs cannot be encoded as Opus, once for each hub.
    pub(super) fn opus_failures(&self) -> Vec<Problem> {
        let delayed = self.stream_delay.iter().map(StreamDelay::hub);
        let mixes = self.mixes.sent.values().chain(self.mixes.recorded.values());
        let own = self.outputs.all::<RecordingOutput>().filter_map(|it| it.own.as_ref());
        let hubs = std::iter::once(&self.hub).chain(delayed).chain(mixes);
        hubs.chain(own.flat_map(OwnEncode::hubs)).filter_map(Hub::take_opus_failure).collect()
    }

    /// Returns the hub for a recording with this mix.
    pub(super) fn recorded_hub(&mut self, mix: Option<ExtraTrack>) -> &Hub {
        match mix {
            Some(track) => {
                self.mixes.recorded.entry(track).or_insert_with(|| self.hub.with_mix(track))
            }
            None => &self.hub,
        }
    }
}

/// Returns the extra tracks that targets with these mixes and further tracks need.
fn sent(targets: impl Iterator<Item = (Option<ExtraTrack>, ExtraTracks)>) -> ExtraTracks {
    targets.fold(ExtraTracks::NONE, |all, (mix, tracks)| {
        all.and(tracks).and(mix.into_iter().collect())
    })
}
