//! Reads the samples of an indexed file as stream events: its configs and its packets. If there are
//! several audio tracks, only the first one is read.

use crate::files::MediaFile;
use crate::media::{AudioConfig, EncodedPacket, Metadata, StreamEvent, TrackConfig};
use crate::wire::container::{
    Error, FilePart, Hole, Index, ReadAt, SampleLocation, TrackId, audio, read_around,
};

/// Maximum size of a sample in bytes. A larger sample is invalid.
const MAX_SAMPLE_BYTES: usize = 32 << 20;

/// Reads the index of a file for playback.
///
/// # Errors
/// Fails with the problem that prevents reading.
pub fn indexed(disk: &mut MediaFile) -> Result<Index, Error> {
    match disk.format() {
        Ok(format) => disk.index_to_play(format),
        Err(error) => match audio::index(disk) {
            // The first error is more helpful.
            Err(Error::UnknownFormat) => Err(error),
            found => found,
        },
    }
}

/// Reads one sample. Returns `None` for audio tracks after the first, because they are not played.
///
/// # Errors
/// Fails if the sample cannot be read or is too large.
pub fn sample(
    source: &mut dyn ReadAt,
    holes: &[Hole],
    place: &SampleLocation,
) -> Result<Option<EncodedPacket>, Error> {
    if matches!(place.track, TrackId::Audio(1..)) {
        return Ok(None);
    }
    if place.size as usize > MAX_SAMPLE_BYTES {
        return Err(Error::TooMuch(FilePart::Samples));
    }
    let data = read_around(source, place, holes, MAX_SAMPLE_BYTES)?;
    let (track, times) = (place.track.track(), (place.dts, place.pts));
    Ok(Some(EncodedPacket::received(track, times, place.keyframe, data.into())))
}

/// Returns the events before the samples: the skipped tracks, and the codec configs of the other
/// tracks.
pub fn heads(index: &Index) -> impl Iterator<Item = StreamEvent> {
    let missed = index.missed().cloned().map(Metadata::Unsupported).map(StreamEvent::Metadata);
    let video = index.tracks.video.clone().map(TrackConfig::Video);
    let audio = index.tracks.audio.first().map(|audio| audio_config(&audio.parameters));
    missed.chain(video.map(StreamEvent::Config)).chain(audio)
}

/// Returns the codec config event of one audio track.
pub fn audio_config(config: &AudioConfig) -> StreamEvent {
    StreamEvent::Config(TrackConfig::Audio(config.clone()))
}
