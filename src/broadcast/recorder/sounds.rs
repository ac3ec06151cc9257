//! Which sound tracks a file has beside the picture: the program's, then the extra ones.

use crate::media::{AudioParameters, ExtraTrack, ExtraTracks, StreamParameters, Track};
use crate::wire::container::{AudioTrack, TrackId, Tracks, audio_track};

/// The sound tracks of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sounds {
    /// What the program's track is called; empty: nothing in particular.
    pub program: String,
    /// In the order in which they follow the program's.
    pub extras: Vec<Extra>,
}

/// An extra sound track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extra {
    pub track: ExtraTrack,
    pub name: String,
    pub parameters: AudioParameters,
}

impl Sounds {
    /// The extra ones.
    pub fn wanted(&self) -> ExtraTracks {
        self.extras.iter().map(|extra| extra.track).collect()
    }

    /// What a file of a stream with these parameters has in it.
    pub(super) fn tracks(&self, stream: &StreamParameters) -> Tracks {
        let program = stream.audio.iter().cloned();
        let program = program.map(|audio| AudioTrack::named(audio, &self.program));
        let extras = self.extras.iter();
        let extras = extras.map(|it| AudioTrack::named(it.parameters.clone(), &it.name));
        Tracks { video: stream.video.clone(), audio: program.chain(extras).collect() }
    }

    /// Where in such a file a packet belongs; `None`: nowhere.
    pub(super) fn place(&self, stream: &StreamParameters, track: Track) -> Option<TrackId> {
        match track {
            Track::Video => Some(TrackId::Video),
            Track::Audio => Some(TrackId::Audio(0)),
            Track::Extra(track) => {
                let before = usize::from(stream.audio.is_some());
                let place = self.extras.iter().position(|extra| extra.track == track)?;
                Some(audio_track(before + place))
            }
        }
    }

    /// Bits a second of the extra ones.
    pub(super) fn bitrate(&self) -> u64 {
        self.extras.iter().map(|extra| u64::from(extra.parameters.bitrate.0)).sum()
    }
}
