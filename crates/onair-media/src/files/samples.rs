//! Reads the samples of an indexed file as stream events: its configs and its packets. If there are
//! several audio tracks, only the first one is read.

use crate::files::MediaFile;
use crate::media::{AudioConfig, EncodedPacket, Metadata, StreamEvent, TrackConfig, VideoCodec};
use crate::wire::container::track_config::in_band;
use crate::wire::container::{
    Error, FilePart, Index, ReadAt, SampleLocation, TrackId, audio, read_around,
};

/// Maximum size of a sample in bytes. A larger sample is invalid.
const MAX_SAMPLE_BYTES: usize = 32 << 20;

/// Reads the index of a file for playback.
///
/// # Errors
/// Fails with the problem that prevents reading.
pub fn indexed(disk: &mut MediaFile) -> Result<Index, Error> {
    let mut index = match disk.format() {
        Ok(format) => disk.index_to_play(format),
        Err(error) => match audio::index(disk) {
            // The first error is more helpful.
            Err(Error::UnknownFormat) => Err(error),
            found => found,
        },
    }?;
    take_config(disk, &mut index)?;
    Ok(index)
}

/// If the container has no config of H.264, takes the config from the first keyframe.
///
/// # Errors
/// Fails if the keyframe cannot be read.
pub fn take_config(source: &mut dyn ReadAt, index: &mut Index) -> Result<(), Error> {
    let video = index.tracks.video.as_ref();
    let is_missing =
        video.is_some_and(|it| it.codec == VideoCodec::H264 && it.codec_config.is_empty());
    let mut keys = index.samples.iter().filter(|it| it.track == TrackId::Video && it.keyframe);
    let Some(place) = is_missing.then(|| keys.next()).flatten() else { return Ok(()) };
    let packet = sample(source, index, place)?;
    let found = packet.and_then(|packet| in_band(&packet.data));
    if let Some((video, found)) = index.tracks.video.as_mut().zip(found) {
        (video.codec_config, video.size) = (found.codec_config, found.size);
        video.pixel_aspect = video.pixel_aspect.or(found.pixel_aspect);
    }
    Ok(())
}

/// Reads one sample. Returns `None` for audio tracks after the first, because they are not played.
///
/// # Errors
/// Fails if the sample cannot be read or is too large.
pub fn sample(
    source: &mut dyn ReadAt,
    index: &Index,
    place: &SampleLocation,
) -> Result<Option<EncodedPacket>, Error> {
    if matches!(place.track, TrackId::Audio(1..)) {
        return Ok(None);
    }
    if place.size as usize > MAX_SAMPLE_BYTES {
        return Err(Error::TooMuch(FilePart::Samples));
    }
    let data = read_around(source, place, &index.holes, MAX_SAMPLE_BYTES)?;
    let data = index.converted(place.track, data.into());
    let (track, times) = (place.track.track(), (place.dts, place.pts));
    Ok(Some(EncodedPacket::received(track, times, place.keyframe, data)))
}

/// Returns the events before the samples: the skipped tracks, and the codec configs of the other
/// tracks.
pub fn configs(index: &Index) -> impl Iterator<Item = StreamEvent> {
    let missed =
        index.missed_by_user().cloned().map(Metadata::Unsupported).map(StreamEvent::Metadata);
    let video = index.tracks.video.clone().map(TrackConfig::Video);
    let audio = index.tracks.audio.first().map(|audio| audio_config(&audio.config));
    missed.chain(video.map(StreamEvent::Config)).chain(audio)
}

/// Returns the codec config event of one audio track.
pub fn audio_config(config: &AudioConfig) -> StreamEvent {
    StreamEvent::Config(TrackConfig::Audio(config.clone()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::Timestamp;
    use crate::media::{PixelAspect, Size, Track, VideoConfig};
    use crate::wire::codec::h264::DecoderConfig;
    use crate::wire::container::track_config::bare_video_config;
    use crate::wire::container::{Muxer, Tracks, mkv};

    const SPS: &[u8] = &[0x67, 66, 0xC0, 10, 0xDA, 0x0A, 0x1F, 0x90];
    const PPS: &[u8] = &[0x68, 0xCE, 0x38, 0x80];
    const SLICE: &[u8] = &[0x65, 7];

    /// Makes an MKV file with this video, whose only frame has this data.
    fn file(video: VideoConfig, data: Vec<u8>) -> Vec<u8> {
        let mut writer = mkv::Writer::new(Tracks { video: Some(video), audio: Vec::new() });
        let mut file = writer.begin().to_vec();
        let times = (Timestamp::ZERO, Timestamp::ZERO);
        let packet = EncodedPacket::received(Track::Video, times, true, data.into());
        writer.write(&StreamEvent::Packet(packet));
        file.extend(writer.flush(file.len() as u64).append);
        file
    }

    #[test]
    fn a_missing_config_is_in_the_first_keyframe() {
        // Browsers record Annex B. Other programs write lengths.
        let start = &[0, 0, 0, 1][..];
        let annex_b = [start, SPS, start, PPS, start, SLICE].concat();
        let avcc = [&[0, 0, 0, 8][..], SPS, &[0, 0, 0, 4], PPS, &[0, 0, 0, 2], SLICE].concat();
        let [sps, pps] = [SPS, PPS].map(Bytes::from_static);
        let config = DecoderConfig::new(sps, pps).unwrap().build().unwrap();
        for data in [annex_b, avcc.clone()] {
            let file = file(bare_video_config(VideoCodec::H264, Bytes::new(), &[]), data);
            let mut source = &file[..];
            let mut index = mkv::index_to_play(&mut source).unwrap();
            take_config(&mut source, &mut index).unwrap();
            let video = index.tracks.video.as_ref().unwrap();
            assert_eq!((&video.codec_config, video.size), (&config, Size::new(160, 240)));
            let packet = sample(&mut source, &index, &index.samples[0]).unwrap().unwrap();
            assert_eq!(packet.data, avcc);
        }
    }

    #[test]
    fn square_pixels_of_a_file_override_the_aspect_in_its_frames() {
        // 720×576 pixels with the aspect 64:45.
        let sps = b"\x67\x42\xc0\x1e\xda\x02\xd0\x49\xbf\xf0\x04\x00\x02\xd0\x08";
        let data = [&[0, 0, 0, 15][..], sps, &[0, 0, 0, 4], PPS, &[0, 0, 0, 2], SLICE].concat();
        let (size, bare) =
            (Size::new(720, 576), bare_video_config(VideoCodec::H264, Bytes::new(), &[]));
        for (declared, found) in [
            (None, PixelAspect::new(64, 45)),
            (Some(PixelAspect::SQUARE), Some(PixelAspect::SQUARE)),
        ] {
            let video = VideoConfig { size, pixel_aspect: declared, ..bare.clone() };
            let file = file(video, data.clone());
            let mut source = &file[..];
            let mut index = mkv::index_to_play(&mut source).unwrap();
            take_config(&mut source, &mut index).unwrap();
            let video = index.tracks.video.unwrap();
            assert_eq!((video.pixel_aspect, video.codec_config.is_empty()), (found, false));
            // A copy with the config still has the declared aspect.
            let copy = mkv::Writer::new(Tracks { video: Some(video), audio: Vec::new() }).begin();
            let copied = mkv::index(&mut &copy[..]).unwrap().tracks.video.unwrap();
            assert_eq!(copied.pixel_aspect, found);
        }
    }
}
