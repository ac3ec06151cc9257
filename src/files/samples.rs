//! The samples of a file with an index as stream events: its configs and its packets. Of several audio
//! tracks the first.

use crate::files::MediaFile;
use crate::media::{AudioConfig, EncodedPacket, Metadata, StreamEvent, TrackConfig};
use crate::wire::container::{
    Error, FilePart, Hole, Index, ReadAt, SampleLocation, TrackId, audio, read_around,
};

/// A larger sample is invalid.
const MAX_SAMPLE: usize = 32 << 20;

/// Everything that is in a file, for who plays it.
///
/// # Errors
/// The problem.
pub fn indexed(disk: &mut MediaFile) -> Result<Index, Error> {
    match disk.format() {
        Ok(format) => disk.index_to_play(format),
        Err(error) => match audio::index(disk) {
            // What was said of it first.
            Err(Error::UnknownFormat) => Err(error),
            found => found,
        },
    }
}

/// Reads one sample; `None` for audio tracks beyond the first, which are not played.
///
/// # Errors
/// An unreadable or oversized sample.
pub fn sample(
    source: &mut dyn ReadAt,
    holes: &[Hole],
    place: &SampleLocation,
) -> Result<Option<EncodedPacket>, Error> {
    if matches!(place.track, TrackId::Audio(1..)) {
        return Ok(None);
    }
    if place.size as usize > MAX_SAMPLE {
        return Err(Error::TooMuch(FilePart::Samples));
    }
    let data = read_around(source, place, holes, MAX_SAMPLE)?;
    let (track, times) = (place.track.track(), (place.dts, place.pts));
    Ok(Some(EncodedPacket::received(track, times, place.keyframe, data.into())))
}

/// The events before the samples: skipped tracks, and the codec configs of the others.
pub fn heads(index: &Index) -> impl Iterator<Item = StreamEvent> {
    let missed = index.missed().cloned().map(Metadata::Unsupported).map(StreamEvent::Metadata);
    let video = index.tracks.video.clone().map(TrackConfig::Video);
    let audio = index.tracks.audio.first().map(|audio| audio_config(&audio.parameters));
    missed.chain(video.map(StreamEvent::Config)).chain(audio)
}

/// The same for one audio track.
pub fn audio_config(config: &AudioConfig) -> StreamEvent {
    StreamEvent::Config(TrackConfig::Audio(config.clone()))
}
