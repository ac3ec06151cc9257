//! Determines which parts of a file the format of its copy supports, and adds metadata that the
//! copy needs but the file lacks.

use bytes::Bytes;

use crate::files::{MediaFile, samples};
use crate::media::{AudioCodec, Rotation, Size, VideoCodec};
use crate::problems::ToProblem;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::codec;
use crate::wire::codec::{Colors, Light, mpeg_audio};
use crate::wire::container::track_config::has_own_pixel_aspect;
use crate::wire::container::{
    AudioTrack, Error, FilePart, Format, Index, MAX_AUDIO_TRACKS, Part, SampleLocation, TrackId,
    UnsupportedContent, audio_track, read,
};

/// Maximum size in bytes of a packet that is examined.
const MAX_PACKET_BYTES: usize = 64 << 20;

/// Parts that a format does not support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedParts {
    what: Vec<UnsupportedContent>,
    /// The parts to drop; empty if dropping is not possible.
    parts: Vec<Part>,
}

impl UnsupportedParts {
    /// Returns the problem of a file that cannot contain these parts, with the remedy that drops
    /// them.
    pub(super) fn problem(&self, path: &str) -> Problem {
        let lack: Vec<Problem> = self.what.iter().map(ToProblem::to_problem).collect();
        if self.parts.is_empty() {
            return problem!("remux-lacking", path = path, lack = lack);
        }
        let drop: Vec<_> = self.parts.iter().map(|it| it.name()).collect();
        problem!("remux-droppable", path = path, lack = lack, drop = drop.join(" --drop "))
    }

    /// Describes a packet of `size` bytes, which is too large for the format.
    pub(super) fn packet(track: TrackId, size: usize) -> Self {
        let what = match track {
            TrackId::Video => UnsupportedContent::VideoPacket(size),
            TrackId::Audio(_) => UnsupportedContent::AudioPacket(size),
        };
        Self { what: vec![what], parts: Vec::new() }
    }

    fn add(&mut self, part: Part, what: &UnsupportedContent) {
        self.what.push(what.clone());
        if !self.parts.contains(&part) {
            self.parts.push(part);
        }
    }
}

/// Drops the parts in `drop` that this format does not support.
///
/// # Errors
/// Fails if any other part is not supported.
pub(super) fn fit(
    index: &mut Index,
    format: Format,
    drop: &[Part],
) -> Result<(), UnsupportedParts> {
    // Only MP4 can hide frames.
    let has_no_start = format != Format::Mp4 && index.skip_hidden().is_err();
    let mut lack = UnsupportedParts { what: Vec::new(), parts: Vec::new() };
    let of_a_part =
        index.unsupported_contents.iter().filter_map(|(part, what)| Some(((*part)?, what)));
    for (part, what) in of_a_part.filter(|(part, _)| !drop.contains(part)) {
        lack.add(part, what);
    }
    let video = index.tracks.video.as_ref();
    let is_rotated = video.is_some_and(|video| video.rotation != Rotation::None);
    let video = video.filter(|video| {
        let configured = !video.codec.needs_config() || !video.codec_config.is_empty();
        !format.carries_video(video.codec) || !configured
    });
    let unfit = |track: &AudioTrack| !format.carries_audio(track.config.codec);
    let mut unfit_contents = Vec::new();
    if let Some(video) = video {
        unfit_contents.push((Part::Video, UnsupportedContent::VideoTrack(video.codec.name())));
    } else if has_no_start {
        unfit_contents.push((Part::Video, UnsupportedContent::CutStart));
    } else if is_rotated && format == Format::Flv {
        unfit_contents.push((Part::Rotation, UnsupportedContent::Rotation));
    }
    for track in index.tracks.audio.iter().filter(|track| unfit(track)) {
        let codec = track.config.codec.name();
        unfit_contents.push((Part::Audio, UnsupportedContent::AudioTrack(codec)));
    }
    for (part, what) in unfit_contents.iter().filter(|(part, _)| !drop.contains(part)) {
        lack.add(*part, what);
    }
    if !lack.what.is_empty() {
        return Err(lack);
    }
    let no_video = video.is_some() || has_no_start;
    if no_video {
        index.tracks.video = None;
    }
    // The remaining tracks are renumbered.
    let mut numbers = [None; MAX_AUDIO_TRACKS];
    let mut kept = 0;
    for (number, track) in numbers.iter_mut().zip(&index.tracks.audio) {
        if !unfit(track) {
            *number = Some(audio_track(kept));
            kept += 1;
        }
    }
    index.tracks.audio.retain(|track| !unfit(track));
    let new = |id: TrackId| match id {
        TrackId::Video => (!no_video).then_some(id),
        TrackId::Audio(number) => numbers.get(usize::from(number)).copied().flatten(),
    };
    index.samples.retain_mut(|place| match new(place.track) {
        Some(track) => {
            place.track = track;
            true
        }
        None => false,
    });
    index.timescales.retain_mut(|(id, _)| match new(*id) {
        Some(track) => {
            *id = track;
            true
        }
        None => false,
    });
    let lost = unfit_contents.into_iter().map(|(part, what)| (Some(part), what));
    index.unsupported_contents.extend(lost);
    Ok(())
}

/// Returns true if the format does not support the HDR metadata in the container. The video stream
/// often contains the same metadata.
pub(super) fn loses_hdr_metadata(index: &Index, format: Format) -> bool {
    let Colors { light, .. } = &index.colors;
    let loses = match format {
        Format::Flv => index.colors.hdr().is_some() || *light != Light::default(),
        // The box needs the primaries of the display.
        Format::Mp4 => light.display.is_some(),
        Format::Mkv => false,
    };
    loses && index.tracks.video.is_some()
}

/// Returns true if the format does not support the pixel aspect in the container.
pub(super) fn loses_pixel_aspect(index: &Index, format: Format) -> bool {
    format == Format::Flv && index.tracks.video.as_ref().is_some_and(has_own_pixel_aspect)
}

/// Adds metadata that only the packets contain and other formats need.
///
/// # Errors
/// Fails if the first packets cannot be read.
pub(super) fn complete(source: &mut MediaFile, index: &mut Index) -> Result<(), Error> {
    samples::take_config(source, index)?;
    index.measure_frame_rate();
    let compressions = Index { compressions: index.compressions.clone(), ..Index::default() };
    let Index { tracks, samples, .. } = index;
    let first = |track: TrackId| samples.iter().find(|it| it.track == track && it.keyframe);
    let mut packet = |place: Option<&SampleLocation>| -> Result<Bytes, Error> {
        let Some(place) = place else { return Ok(Bytes::new()) };
        let data = read(source, place.at, place.size.into(), MAX_PACKET_BYTES, FilePart::Samples)?;
        Ok(compressions.converted(place.track, data))
    };
    if let Some(video) = &mut tracks.video
        && matches!(video.codec, VideoCodec::Vp9 | VideoCodec::Av1 | VideoCodec::Vp8)
    {
        let key = packet(first(TrackId::Video))?;
        let size = match video.codec {
            VideoCodec::Vp9 => codec::vp9_key_size(&key),
            VideoCodec::Av1 => codec::av1_key(&key).and_then(|info| info.size),
            VideoCodec::Vp8 => codec::vp8_key_size(&key),
            _ => None,
        };
        let is_unknown = video.size.width == 0 || video.size.height == 0;
        if let Some((width, height)) = size.filter(|_| is_unknown) {
            video.size = Size::new(width, height);
        }
        if video.codec == VideoCodec::Vp9 && video.codec_config.is_empty() {
            let record = codec::vp9_record(&key, video.frame_rate.as_f64());
            video.codec_config = record.unwrap_or_default();
        }
    }
    for (number, track) in tracks.audio.iter_mut().enumerate() {
        let audio = &mut track.config;
        let info = match audio.codec {
            AudioCodec::Opus => codec::opus(&audio.codec_config),
            AudioCodec::Flac => codec::flac(&audio.codec_config),
            AudioCodec::Ac3 | AudioCodec::Eac3 => {
                let data = packet(first(audio_track(number)))?;
                let info = codec::ac3(&data);
                let rate = info.map_or(audio.sample_rate, |info| info.sample_rate);
                // A packet has six blocks.
                let bits = (data.len() as u64 * 8).saturating_mul(rate.into()) / 1_536;
                let bits = u32::try_from(bits).unwrap_or(u32::MAX);
                audio.codec_config = codec::ac3_record(&data, bits).unwrap_or_default();
                info
            }
            AudioCodec::Mp3 | AudioCodec::Mp2 => {
                let header = mpeg_audio::header(&packet(first(audio_track(number)))?);
                if let Some(header) = &header {
                    let third = header.layer == 3;
                    audio.codec = if third { AudioCodec::Mp3 } else { AudioCodec::Mp2 };
                }
                header.map(|header| codec::AudioInfo {
                    sample_rate: header.sample_rate,
                    channels: header.channels,
                })
            }
            _ => None,
        };
        if let Some(info) = info {
            (audio.sample_rate, audio.channels) = (info.sample_rate, info.channels);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::media::{AudioConfig, BitsPerSecond, FrameRate, PixelAspect, VideoConfig};
    use crate::text::Language;
    use crate::wire::container::Tracks;

    fn index(video: VideoCodec, audio: &[AudioCodec]) -> Index {
        let config = Bytes::from_static(b"config");
        let audio_config = |codec| AudioConfig {
            codec,
            sample_rate: 48_000,
            channels: 2,
            bitrate: BitsPerSecond(0),
            codec_config: Bytes::new(),
        };
        let audio: Vec<AudioTrack> =
            audio.iter().map(|codec| audio_config(*codec).into()).collect();
        let video = VideoConfig {
            codec: video,
            size: Size::new(640, 360),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(0),
            codec_config: config,
            pixel_aspect: None,
            rotation: Rotation::None,
        };
        let tracks = Tracks { video: Some(video), audio };
        let (dts, pts) = (Timestamp::ZERO, Timestamp::ZERO);
        let place = |track| SampleLocation { track, keyframe: true, dts, pts, at: 0, size: 1 };
        let samples = tracks.ids().map(place).collect();
        Index { tracks, samples, ..Index::default() }
    }

    #[test]
    fn nothing_is_left_out_that_nobody_named() {
        let hevc = |audio: &[AudioCodec]| index(VideoCodec::Hevc, audio);
        for format in Format::ALL {
            let mut all = hevc(&[AudioCodec::Opus, AudioCodec::Eac3]);
            assert_eq!(fit(&mut all, format, &[]), Ok(()));
            assert_eq!((all.samples.len(), all.unsupported_contents.len()), (3, 0));
        }
        let codecs = [AudioCodec::Vorbis, AudioCodec::Opus, AudioCodec::Pcm];
        let lack = fit(&mut hevc(&codecs), Format::Mp4, &[Part::Video]).unwrap_err();
        let text =
            |lack: &UnsupportedParts| Language::English.say_with_cure(&lack.problem("a.mp4"));
        assert_eq!(
            text(&lack),
            "a.mp4 cannot contain an audio track in Vorbis; an audio track in PCM of other kinds. Choose another \
             format, or drop these parts (command line: --drop audio)."
        );
        let chinese = Language::Chinese.say(&lack.problem("a.mp4"));
        assert_eq!(chinese, "a.mp4 的格式不支持 Vorbis 音轨；PCM of other kinds 音轨");
        let mut some = hevc(&codecs);
        assert_eq!(fit(&mut some, Format::Mp4, &[Part::Audio]), Ok(()));
        let tracks: Vec<_> = some.samples.iter().map(|place| place.track).collect();
        assert_eq!(tracks, [TrackId::Video, TrackId::Audio(0)]);
        assert_eq!((some.tracks.audio.len(), some.unsupported_contents.len()), (1, 2));
        // Parts that no reader supports are listed too.
        let mut subtitled = hevc(&[]);
        subtitled.note_unsupported(
            Some(Part::Subtitles),
            UnsupportedContent::Track("S_TEXT/UTF8".to_owned()),
        );
        let lack = fit(&mut subtitled, Format::Mkv, &[Part::Audio]).unwrap_err();
        assert!(text(&lack).ends_with("(command line: --drop subtitles)."), "{lack:?}");
        assert_eq!(fit(&mut subtitled, Format::Mkv, &[Part::Subtitles]), Ok(()));
        let mut movie = index(VideoCodec::Mpeg2, &[AudioCodec::Ac3]);
        assert!(fit(&mut movie, Format::Flv, &[]).is_err());
        assert_eq!(fit(&mut movie, Format::Flv, &[Part::Video]), Ok(()));
        assert!(movie.tracks.video.is_none() && movie.samples.len() == 1);
    }

    #[test]
    fn only_mp4_hides_frames() {
        let hidden = || {
            let mut index = index(VideoCodec::H264, &[AudioCodec::Aac]);
            index.shown_from = Some(Timestamp::from_millis(1));
            index
        };
        assert_eq!(fit(&mut hidden(), Format::Mp4, &[]), Ok(()));
        for format in [Format::Flv, Format::Mkv] {
            let lack = fit(&mut hidden(), format, &[]).unwrap_err();
            assert_eq!(lack.what, [UnsupportedContent::CutStart]);
            let mut dropped = hidden();
            assert_eq!(fit(&mut dropped, format, &[Part::Video]), Ok(()));
            assert_eq!((dropped.tracks.video, dropped.samples.len()), (None, 1));
        }
    }

    #[test]
    fn losses_of_a_copy_are_reported_after_any_number_of_unsupported_contents() {
        let mut index = index(VideoCodec::H264, &[AudioCodec::Vorbis]);
        for _ in 0..1_000 {
            index.note_unsupported(Some(Part::Data), UnsupportedContent::UnreadableTrack);
        }
        let noted = index.unsupported_contents.len();
        // The first frame is shown, but the copy begins at the keyframe after it.
        index.shown_from = Some(Timestamp::ZERO);
        let (dts, pts) = (Timestamp::from_millis(1), Timestamp::from_millis(1));
        let keyframe = SampleLocation { dts, pts, ..index.samples[0] };
        index.samples[0].keyframe = false;
        index.samples.push(keyframe);
        assert_eq!(fit(&mut index, Format::Flv, &[Part::Data, Part::Audio]), Ok(()));
        let vorbis = UnsupportedContent::AudioTrack(AudioCodec::Vorbis.name());
        let lost = [(None, UnsupportedContent::CutStart), (Some(Part::Audio), vorbis)];
        assert_eq!(index.unsupported_contents[noted..], lost);
    }

    #[test]
    fn only_flv_has_no_rotation() {
        let rotated = || {
            let mut index = index(VideoCodec::H264, &[AudioCodec::Aac]);
            index.tracks.video.as_mut().unwrap().rotation = Rotation::Right;
            index
        };
        for format in [Format::Mp4, Format::Mkv] {
            assert_eq!(fit(&mut rotated(), format, &[]), Ok(()));
        }
        let lack = fit(&mut rotated(), Format::Flv, &[]).unwrap_err();
        assert_eq!(
            (&lack.what[..], &lack.parts[..]),
            (&[UnsupportedContent::Rotation][..], &[Part::Rotation][..])
        );
        let mut dropped = rotated();
        assert_eq!(fit(&mut dropped, Format::Flv, &[Part::Rotation]), Ok(()));
        assert_eq!(
            (dropped.samples.len(), dropped.unsupported_contents),
            (2, vec![(Some(Part::Rotation), UnsupportedContent::Rotation)])
        );
    }

    #[test]
    fn only_flv_loses_a_pixel_aspect_of_the_container() {
        let mut index = index(VideoCodec::H264, &[]);
        assert!(!loses_pixel_aspect(&index, Format::Flv));
        index.tracks.video.as_mut().unwrap().pixel_aspect = PixelAspect::new(64, 45);
        let losing = Format::ALL.into_iter().filter(|format| loses_pixel_aspect(&index, *format));
        assert_eq!(losing.collect::<Vec<_>>(), [Format::Flv]);
    }
}
