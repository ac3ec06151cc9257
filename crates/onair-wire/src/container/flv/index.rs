//! Indexes an FLV file, complete or truncated, without reading its video and audio data.

use bytes::Bytes;

use super::{
    FrameType, Metadata, TAG_HEADER_BYTES, TAG_TRAILER_BYTES, TagKind, parse_audio, parse_video,
};
use crate::base::Timestamp;
use crate::media::{AudioCodec, AudioConfig, BitsPerSecond, Size, VideoCodec, VideoConfig};
use crate::wire::codec::cadence;
use crate::wire::codec::four_cc::{AudioFormat, VideoFormat};
use crate::wire::container::flv::WireTime;
use crate::wire::container::flv::audio::AudioPacket;
use crate::wire::container::flv::enhanced::is_multitrack;
use crate::wire::container::flv::events::audio_codec;
use crate::wire::container::flv::metadata::{MAX_SCRIPT_BYTES, parse_script};
use crate::wire::container::flv::video::VideoPacket;
use crate::wire::container::track_config::{
    MAX_CONFIG_BYTES, aac_config_with_metadata, audio_config, bare_video_config,
    h264_config_with_metadata,
};
use crate::wire::container::{
    Chapter, Error, FilePart, Format, Index, MAX_AUDIO_TRACKS, Part, ReadAt, SampleLocation,
    TrackId, UnsupportedContent, audio_track, max_samples, read,
};

/// Number of bytes at the start of a body that identify its content.
const TAG_PREFIX_BYTES: usize = 64;

/// Indexes the file. Invalid bodies are skipped.
///
/// # Errors
/// Fails if the file is not FLV, cannot be read, or has no usable track.
pub fn index(source: &mut dyn ReadAt) -> Result<Index, Error> {
    let mut scan = Scan::default();
    scan.index.max_samples = max_samples(source.size());
    scan.read_on(source, usize::MAX)?;
    scan.finish()
}

/// Indexes a file from its start to its end, also while it grows.
#[derive(Debug, Default)]
pub struct Scan {
    index: Index,
    time: WireTime,
    metadata: Metadata,
    /// The audio tracks of the index.
    known_audio: Vec<KnownAudio>,
    /// True if some audio does not match the first configuration of its track.
    has_changed_audio: bool,
    /// True if some frames do not match the first configuration.
    resized: bool,
    was_resized: bool,
    /// Formats of other configurations, which have no effect on the index.
    other_video: Option<VideoFormat>,
    other_audio: Option<AudioFormat>,
    /// For video and for audio: true if the file has further tracks. These tracks are not read.
    more_tracks: (bool, bool),
}

/// An audio track of the index.
#[derive(Copy, Clone, Debug)]
struct KnownAudio {
    /// Number of the track in FLV.
    id: u8,
    format: AudioFormat,
    /// True if its frames do not match the first configuration.
    is_changed: bool,
}

/// The body of a tag in the file.
struct BodySpan {
    time_ms: u32,
    /// Position of the body.
    at: u64,
    size: u32,
    /// The start of the body, which identifies its content.
    prefix: Bytes,
}

impl BodySpan {
    /// Returns the position and size of the part whose start in the prefix is `start`. The part
    /// extends to the end of the body.
    fn part(&self, start: &Bytes) -> (u64, u32) {
        let head = self.prefix.len() - start.len();
        let size = self.size.saturating_sub(u32::try_from(head).unwrap_or(u32::MAX));
        (self.at + head as u64, size)
    }

    /// Reads the config whose start is `start`.
    fn config(&self, source: &mut dyn ReadAt, start: &Bytes) -> Result<Bytes, Error> {
        let (at, size) = self.part(start);
        read(source, at, size.into(), MAX_CONFIG_BYTES, FilePart::CodecConfig)
    }

    /// Reads a config that follows another one. Returns `None` if it is too large, and therefore
    /// differs.
    fn later_config(&self, source: &mut dyn ReadAt, start: &Bytes) -> Result<Option<Bytes>, Error> {
        match self.config(source, start) {
            Err(Error::TooMuch(_)) => Ok(None),
            config => config.map(Some),
        }
    }
}

impl Scan {
    /// Reads the tags that are complete, until the index has `most` samples. Returns true if that
    /// limit ended the read.
    ///
    /// # Errors
    /// Fails if the file is not FLV, or cannot be read.
    pub fn read_on(&mut self, source: &mut dyn ReadAt, most: usize) -> Result<bool, Error> {
        let mut at = match self.index.whole {
            0 => beginning(source)?,
            whole => whole,
        };
        self.index.whole = at;
        let mut header = [0; TAG_HEADER_BYTES];
        while at + TAG_HEADER_BYTES as u64 <= source.size() {
            if self.index.samples.len() >= most {
                return Ok(true);
            }
            source.read_at(at, &mut header)?;
            let [kind, s2, s1, s0, t2, t1, t0, t3, ..] = header;
            let size = u32::from_be_bytes([0, s2, s1, s0]);
            let body = at + TAG_HEADER_BYTES as u64;
            let end = body + u64::from(size) + TAG_TRAILER_BYTES as u64;
            if end > source.size() {
                break;
            }
            if let Some(kind) = TagKind::from_id(kind & 0x3F) {
                let time_ms = u32::from_be_bytes([t3, t2, t1, t0]);
                self.tag(source, kind, time_ms, body, size)?;
            }
            at = end;
            self.index.whole = at;
        }
        Ok(false)
    }

    /// Returns the index so far, with the samples in the order of the file.
    pub fn index(&mut self) -> &mut Index {
        &mut self.index
    }

    fn tag(
        &mut self,
        source: &mut dyn ReadAt,
        kind: TagKind,
        time_ms: u32,
        at: u64,
        size: u32,
    ) -> Result<(), Error> {
        let length = u64::from(size);
        let prefix = read(
            source,
            at,
            length.min(TAG_PREFIX_BYTES as u64),
            TAG_PREFIX_BYTES,
            FilePart::Structure,
        )?;
        let body = BodySpan { time_ms, at, size, prefix };
        match kind {
            TagKind::Script if size as usize <= MAX_SCRIPT_BYTES => {
                let script = read(source, at, length, MAX_SCRIPT_BYTES, FilePart::Metadata)?;
                self.script(&script);
                Ok(())
            }
            TagKind::Script => Ok(()),
            TagKind::Video => self.video(source, &body),
            TagKind::Audio => self.audio(source, &body),
        }
    }

    fn script(&mut self, body: &[u8]) {
        if let Ok(Some(value)) = parse_script(body) {
            self.metadata = Metadata::from_value(&value);
            self.index.finished |= self.metadata.duration.is_some();
            return;
        }
        let Ok(values) = crate::wire::amf0::decode(body) else { return };
        if let [name, point, ..] = values.as_slice()
            && name.as_str() == Some("onCuePoint")
            && let Some(seconds) = point.get_number("time").filter(|time| *time >= 0.0)
        {
            let micros = (seconds * 1e6).round() as i64;
            let title = point.get_str("name").unwrap_or_default();
            self.index.push_chapter(Chapter::new(Timestamp::from_micros(micros), title));
        }
    }

    fn video(&mut self, source: &mut dyn ReadAt, body: &BodySpan) -> Result<(), Error> {
        self.more_tracks.0 |= is_shared(TagKind::Video, &body.prefix);
        let Ok(tag) = parse_video(&body.prefix) else { return Ok(()) };
        if tag.track.id != 0 || !tag.more_tracks.is_empty() {
            self.more_tracks.0 = true;
            return Ok(());
        }
        let format = tag.track.format;
        let known = self.index.tracks.video.as_ref().map(|video| video.codec);
        let codec = format.codec().filter(|codec| known.is_none_or(|known| known == *codec));
        let Some(codec) = codec.filter(|codec| is_carried(*codec)) else {
            if !matches!(tag.track.packet, VideoPacket::Command(_)) {
                self.other_video = Some(format);
            }
            return Ok(());
        };
        if known.is_none() && codec == VideoCodec::Vp9 {
            // The frames of this codec contain all parameters.
            self.index.tracks.video = Some(self.video_of(codec, Bytes::new()));
        }
        match tag.track.packet {
            VideoPacket::SequenceStart(start) if self.is_config_missing() => {
                let config = body.config(source, &start)?;
                self.index.tracks.video = match codec {
                    VideoCodec::H264 => h264_config_with_metadata(config, &self.metadata),
                    _ if config.is_empty() => None,
                    _ => Some(self.video_of(codec, config)),
                };
                Ok(())
            }
            VideoPacket::SequenceStart(start) => {
                let config = body.later_config(source, &start)?;
                let known = self.index.tracks.video.as_ref();
                self.resized =
                    known.is_some_and(|known| Some(&known.codec_config) != config.as_ref());
                self.was_resized |= self.resized;
                Ok(())
            }
            VideoPacket::Frame { .. } if self.resized => Ok(()),
            VideoPacket::Frame { composition_ms, data } => {
                let dts = self.at(body.time_ms, tag.offset_nanos);
                let pts = dts.offset(i64::from(composition_ms) * 1_000);
                let keyframe = matches!(tag.frame_type, FrameType::Key | FrameType::GeneratedKey);
                self.sample(TrackId::Video, (dts, pts), keyframe, body.part(&data))
            }
            _ => Ok(()),
        }
    }

    fn audio(&mut self, source: &mut dyn ReadAt, body: &BodySpan) -> Result<(), Error> {
        self.more_tracks.1 |= is_shared(TagKind::Audio, &body.prefix);
        let Ok(tag) = parse_audio(&body.prefix) else { return Ok(()) };
        if !tag.more_tracks.is_empty() {
            return Ok(());
        }
        let (id, format) = (tag.track.id, tag.track.format);
        let known = self.known_audio.iter().position(|it| (it.id, it.format) == (id, format));
        // A track whose codec changes is a different track.
        let changed = known.is_none() && self.known_audio.iter().any(|other| other.id == id);
        if changed || matches!(format, AudioFormat::Legacy(_) | AudioFormat::Other(_)) {
            self.other_audio = Some(format);
            return Ok(());
        }
        let is_new = known.is_none();
        let audio = match &tag.track.packet {
            AudioPacket::SequenceStart(start) if is_new && !start.is_empty() => {
                let config = body.config(source, start)?;
                self.audio_of(format, config, &[])
            }
            AudioPacket::Frame(data) if is_new => self.audio_of(format, Bytes::new(), data),
            _ => None,
        };
        let known = match audio.filter(|_| self.known_audio.len() < MAX_AUDIO_TRACKS) {
            Some(audio) => {
                self.index.tracks.audio.push(audio.into());
                self.known_audio.push(KnownAudio { id, format, is_changed: false });
                Some(self.known_audio.len() - 1)
            }
            None => known,
        };
        match (tag.track.packet, known) {
            (AudioPacket::SequenceStart(start), Some(place)) if !is_new && !start.is_empty() => {
                let now = match body.later_config(source, &start)? {
                    Some(config) => self.audio_of(format, config, &[]).map(|now| now.codec_config),
                    None => Some(Bytes::new()),
                };
                let first = self.index.tracks.audio.get(place).map(|it| &it.config.codec_config);
                if let Some((now, first)) = now.zip(first.filter(|it| !it.is_empty()))
                    && let Some(known) = self.known_audio.get_mut(place)
                {
                    known.is_changed = now != *first;
                    self.has_changed_audio |= known.is_changed;
                }
                Ok(())
            }
            (AudioPacket::Frame(data), Some(place))
                if !self.known_audio.get(place).is_some_and(|known| known.is_changed) =>
            {
                let dts = self.at(body.time_ms, tag.offset_nanos);
                self.sample(audio_track(place), (dts, dts), true, body.part(&data))
            }
            _ => Ok(()),
        }
    }

    /// Returns true if nothing is known about the frames except that they exist.
    fn is_config_missing(&self) -> bool {
        self.index.tracks.video.as_ref().is_none_or(|video| video.codec_config.is_empty())
    }

    /// Returns the video config for codecs other than H.264.
    fn video_of(&self, codec: VideoCodec, config: Bytes) -> VideoConfig {
        let parsed = bare_video_config(codec, config, &[]);
        let size = Some((parsed.size.width, parsed.size.height)).filter(|(width, _)| *width > 0);
        let size = size.or(self.metadata.width.zip(self.metadata.height)).unwrap_or((0, 0));
        let rate = self.metadata.frame_rate.and_then(cadence::fraction);
        VideoConfig {
            size: Size::new(size.0.min(0xFFFF), size.1.min(0xFFFF)),
            frame_rate: rate.unwrap_or(parsed.frame_rate),
            bitrate: BitsPerSecond(self.metadata.video_bitrate.unwrap_or(0)),
            ..parsed
        }
    }

    /// Returns the audio config from a codec config or, without one, from a frame.
    fn audio_of(&self, format: AudioFormat, config: Bytes, frame: &[u8]) -> Option<AudioConfig> {
        let codec = audio_codec(format, None)?;
        let is_carried = Format::ALL.iter().any(|format| format.carries_audio(codec));
        match codec {
            AudioCodec::Aac => aac_config_with_metadata(config, &self.metadata),
            codec => audio_config(codec, None, &config, frame).filter(|_| is_carried),
        }
    }

    fn at(&mut self, time_ms: u32, offset_nanos: u32) -> Timestamp {
        Timestamp::from_micros(self.time.micros(time_ms)).offset(i64::from(offset_nanos / 1_000))
    }

    fn sample(
        &mut self,
        track: TrackId,
        (dts, pts): (Timestamp, Timestamp),
        keyframe: bool,
        (at, size): (u64, u32),
    ) -> Result<(), Error> {
        let undecodable = track == TrackId::Video && self.index.tracks.video.is_none();
        if size == 0 || undecodable {
            return Ok(());
        }
        self.index.push(SampleLocation { track, keyframe, dts, pts, at, size })
    }

    fn finish(mut self) -> Result<Index, Error> {
        let video = self.other_video.map(|it| UnsupportedContent::Codec(it.to_string()));
        let audio = self.other_audio.map(|it| UnsupportedContent::Codec(it.to_string()));
        if self.index.is_empty() {
            return Err(video.or(audio).map_or(Error::Empty, Error::Unsupported));
        }
        let has_more = self.more_tracks;
        for (part, content) in [
            (Part::Video, video),
            (Part::Audio, audio),
            (Part::Video, has_more.0.then_some(UnsupportedContent::SecondVideoTrack)),
            (Part::Audio, has_more.1.then_some(UnsupportedContent::SharedTags)),
            (Part::Resized, self.was_resized.then_some(UnsupportedContent::ResizedFrames)),
            (Part::Audio, self.has_changed_audio.then_some(UnsupportedContent::ChangedAudio)),
        ] {
            if let Some(content) = content {
                self.index.note_unsupported(Some(part), content);
            }
        }
        self.index.arrange();
        Ok(self.index)
    }
}

/// Returns the position of the first tag.
fn beginning(source: &mut dyn ReadAt) -> Result<u64, Error> {
    let start = read(source, 0, 9, 9, FilePart::Header)?;
    let [b'F', b'L', b'V', _, _, a, b, c, d] = start[..] else {
        return Err(Error::Damaged(FilePart::Header));
    };
    let at = u64::from(u32::from_be_bytes([a, b, c, d]));
    if !(9..=4_096).contains(&at) {
        return Err(Error::Damaged(FilePart::Header));
    }
    Ok(at + TAG_TRAILER_BYTES as u64)
}

/// Returns true if one of onair's muxers supports the codec. VP8 in FLV is left out, although the
/// Matroska muxer supports VP8.
fn is_carried(codec: VideoCodec) -> bool {
    Format::ALL.iter().any(|format| format.carries_video(codec)) && codec != VideoCodec::Vp8
}

/// Returns true if the body is a multitrack body, whose tracks are not read.
fn is_shared(kind: TagKind, body: &[u8]) -> bool {
    is_multitrack(kind, body) && body.get(1).is_some_and(|form| form >> 4 > 0)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::wire::container::flv::{file_header, write_tag};

    #[test]
    fn audio_of_another_config_is_skipped_until_the_first_config_returns() {
        // The configs of 48 and 44.1 kHz, one that is too large, and a frame after each config.
        let mut large = vec![0xAF, 0, 0x11, 0x90];
        large.resize(MAX_CONFIG_BYTES + 3, 0);
        let bodies: [&[u8]; 8] = [
            &[0xAF, 0, 0x11, 0x90],
            &[0xAF, 1, 1],
            &[0xAF, 0, 0x12, 0x10],
            &[0xAF, 1, 2],
            &[0xAF, 0, 0x11, 0x90],
            &[0xAF, 1, 3],
            &large,
            &[0xAF, 1, 4],
        ];
        let mut file = BytesMut::from(&file_header(true, false)[..]);
        for (time_ms, body) in (0..).zip(bodies) {
            write_tag(TagKind::Audio, time_ms, body, &mut file);
        }
        let found = index(&mut &file[..]).unwrap();
        let frames: Vec<_> = found.samples.iter().map(|it| file[it.at as usize]).collect();
        assert_eq!(frames, [1, 3]);
        assert_eq!(
            found.unsupported_contents,
            [(Some(Part::Audio), UnsupportedContent::ChangedAudio)]
        );
    }
}
