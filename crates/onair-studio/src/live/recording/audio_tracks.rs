//! The extra audio tracks of recordings: their names and their encoders. Each encoder runs on a
//! separate thread while a recording or the replay buffer needs its track.

use std::time::Duration;

use crate::audio::AudioChoice;
use crate::base::queue::{self, Full, Sender};
use crate::base::worker::Stuck;
use crate::broadcast::Hub;
use crate::broadcast::recorder::{ExtraAudioTrack, RecordedTracks};
use crate::encode::{self, AudioEncoder};
use crate::media::{EncodedPacket, ExtraTrack, ExtraTracks, MAX_TRACKS, ProgramId, Track};
use crate::studio::mixer::AudioStrip;
use crate::studio::program::Program;
use crate::text::Problem;

/// Maximum number of audio blocks (10 ms) that wait for an encoder, so that an encoder that hangs
/// affects only its own track.
const MAX_QUEUED_AUDIO_BLOCKS: usize = 64;

/// The name of the program's track if there are other tracks.
const PROGRAM_TRACK_NAME: &str = "Program";

/// The names of the tracks, by their numbers from 1. A track without a name gets the names of its
/// strips.
pub type TrackNames = [String; MAX_TRACKS as usize];

/// Returns the tracks that strips use.
pub fn used<'a>(strips: impl IntoIterator<Item = &'a AudioStrip>) -> ExtraTracks {
    strips.into_iter().fold(ExtraTracks::NONE, |all, strip| all.and(strip.strip.tracks))
}

/// Returns the name of a strip: the user's, or the name of its device or source.
pub(crate) fn label(strip: &AudioStrip, choice: &AudioChoice, device: &str) -> String {
    if !strip.name.is_empty() {
        return strip.name.clone();
    }
    if !device.is_empty() {
        return device.to_owned();
    }
    match choice {
        AudioChoice::Mic(_) => "Microphone".into(),
        AudioChoice::System(_) => "System audio".into(),
        AudioChoice::Application(name) => name.clone(),
        AudioChoice::Tone => "Tone".into(),
        AudioChoice::Silence | AudioChoice::None => "Silence".into(),
        AudioChoice::Stream(_) => "Stream".into(),
        AudioChoice::Guest(_) => "Guest".into(),
        AudioChoice::File(path) => path
            .file_stem()
            .map_or_else(|| "File".into(), |name| name.to_string_lossy().into_owned()),
    }
}

/// Returns the names of the tracks. A track without a name gets the labels of its strips.
pub(crate) fn names(given: &TrackNames, strips: &[(&AudioStrip, String)]) -> TrackNames {
    std::array::from_fn(|place| {
        let own = given.get(place).filter(|name| !name.is_empty());
        let number = u8::try_from(place + 1).unwrap_or(u8::MAX);
        own.cloned().unwrap_or_else(|| match ExtraTrack::new(number) {
            None => String::new(),
            Some(track) => {
                let in_it = strips.iter().filter(|(strip, _)| strip.strip.tracks.has(track));
                let labels: Vec<&str> = in_it.map(|(_, label)| label.as_str()).collect();
                labels.join(" + ")
            }
        })
    })
}

/// The running encoders of extra tracks.
#[derive(Debug)]
pub(crate) struct ExtraTrackEncoders {
    /// The program whose outputs get the tracks.
    program: ProgramId,
    /// The queue for the encoders' packets, shared with the program's encoders.
    packets: Sender<EncodedPacket>,
    /// The configuration, as for the program's encoder.
    config: crate::encode::audio::Config,
    running: Vec<(ExtraTrack, AudioEncoder)>,
    /// True if the encoders are not available.
    failed: bool,
}

impl ExtraTrackEncoders {
    /// Creates the list; no encoder runs yet.
    pub fn new(
        program: ProgramId,
        packets: Sender<EncodedPacket>,
        config: crate::encode::audio::Config,
    ) -> Self {
        Self { program, packets, config, running: Vec::new(), failed: false }
    }

    /// Starts the required encoders, and ends those that are no longer required.
    ///
    /// # Errors
    /// Fails once if an encoder is not available, with the reason.
    pub fn follow(
        &mut self,
        wanted: ExtraTracks,
        program: &Program,
        hub: &Hub,
    ) -> Result<(), Problem> {
        let before = self.running();
        let id = self.program;
        self.running.retain(|(track, encoder)| {
            let stays = wanted.has(*track) && !encoder.is_finished();
            if !stays {
                program.mixer().set_track_of(id, *track, None);
            }
            stays
        });
        let mut result = Ok(());
        for track in wanted.iter() {
            if self.failed || self.running.iter().any(|(its, _)| *its == track) {
                continue;
            }
            let (blocks, waiting) =
                queue::bounded("extra audio", MAX_QUEUED_AUDIO_BLOCKS, Full::DropOldest);
            let packets = self.packets.clone();
            let track_of = Track::Extra(track);
            match AudioEncoder::spawn_track(self.config, track_of, waiting, packets) {
                Ok(encoder) => {
                    program.mixer().set_track_of(id, track, Some(blocks));
                    self.running.push((track, encoder));
                }
                Err(error) => {
                    self.failed = true;
                    result = Err(Problem::from(&error));
                }
            }
        }
        let now = self.running();
        if now != before {
            hub.set_extras(now);
        }
        result
    }

    /// Returns the tracks whose encoders are running.
    pub fn running(&self) -> ExtraTracks {
        self.running.iter().map(|(track, _)| *track).collect()
    }

    /// Returns the reason why an encoder ended early.
    pub fn failure(&self) -> Option<encode::Error> {
        self.running.iter().find_map(|(_, encoder)| encoder.failed())
    }

    /// Returns the audio tracks of a recording: of these extra tracks, only those that are
    /// currently encoded. With a mix, its track is the first one.
    pub fn audio_tracks(
        &self,
        mix: Option<ExtraTrack>,
        tracks: ExtraTracks,
        names: &TrackNames,
    ) -> RecordedTracks {
        let name = |number: u8| names.get(usize::from(number) - 1).cloned().unwrap_or_default();
        let extra = |(track, encoder): &(ExtraTrack, AudioEncoder)| ExtraAudioTrack {
            track: *track,
            name: Some(name(track.number()))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| format!("Track {track}")),
            config: encoder.config().clone(),
        };
        let is_wanted = |track| tracks.has(track) && Some(track) != mix;
        let wanted = self.running.iter().filter(|(track, _)| is_wanted(*track));
        let mut extras: Vec<ExtraAudioTrack> = wanted.map(extra).collect();
        extras.sort_by_key(|extra| extra.track);
        let mut program = name(mix.map_or(1, ExtraTrack::number));
        if program.is_empty() && !extras.is_empty() {
            PROGRAM_TRACK_NAME.clone_into(&mut program);
        }
        RecordedTracks { program, extras }
    }

    /// Waits for the encoders at the end of the broadcast, after the program has detached them.
    pub fn join(self, limit: Duration) -> Result<(), Stuck> {
        let Self { packets, running, .. } = self;
        drop(packets);
        running.into_iter().map(|(_, encoder)| encoder.join(limit)).fold(Ok(()), Result::and)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::StripId;

    #[test]
    fn tracks_have_their_given_names_or_those_of_their_strips() {
        let (two, three) = (ExtraTrack::new(2).unwrap(), ExtraTrack::new(3).unwrap());
        let mut voice = AudioStrip::new(StripId(1), AudioChoice::Mic(None));
        voice.strip.tracks = [two, three].into_iter().collect();
        let mut music = AudioStrip::new(StripId(2), AudioChoice::File("/a/My song.wav".into()));
        music.strip.tracks = ExtraTracks::NONE.with(three, true);
        let strips = [voice, music];
        assert_eq!(used(&strips), [two, three].into_iter().collect());
        let labelled: Vec<_> =
            strips.iter().map(|strip| (strip, label(strip, &strip.choice, ""))).collect();
        let mut given = TrackNames::default();
        let called = names(&given, &labelled);
        assert_eq!(called[..4], ["", "Microphone", "Microphone + My song", ""]);
        given[2] = "Both".into();
        assert_eq!(names(&given, &labelled)[2], "Both");
        assert_eq!(label(&strips[0], &AudioChoice::Mic(None), "USB mic"), "USB mic");
    }
}
