//! Finds everything in an FLV file, whole or cut off, without reading the pictures and sounds
//! themselves.

use bytes::Bytes;

use super::audio::AudioPacket;
use super::metadata::{MAX_SCRIPT, parse_script};
use super::reader::{Unwrap, audio_parameters, video_parameters};
use super::video::VideoPacket;
use super::{
    AudioFormat, FrameType, Metadata, TAG_HEADER, TAG_TRAILER, TagKind, VideoFormat, parse_audio,
    parse_video,
};
use crate::base::Timestamp;
use crate::wire::amf0;
use crate::wire::container::{
    Chapter, Error, Index, MAX_AUDIO_TRACKS, Place, ReadAt, TrackId, audio_track, read,
};

/// What is read of a body to know what it is.
const PREFIX: usize = 64;
/// The longest decoder configuration that is read.
const MAX_CONFIG: usize = 64 << 10;

/// Finds what is in the file. A body that makes no sense is passed over.
///
/// # Errors
/// Where it is no FLV, cannot be read, or has nothing that can be used.
pub fn index(source: &mut dyn ReadAt) -> Result<Index, Error> {
    let start = read(source, 0, 9, 9, "header")?;
    let [b'F', b'L', b'V', _, _, a, b, c, d] = start[..] else {
        return Err(Error::Damaged("this is no FLV file"));
    };
    let mut at = u64::from(u32::from_be_bytes([a, b, c, d]));
    if !(9..=4_096).contains(&at) {
        return Err(Error::Damaged("the length of the FLV header"));
    }
    at += TAG_TRAILER as u64;
    let mut scan = Scan::default();
    scan.index.whole = at;
    let mut header = [0; TAG_HEADER];
    while at + TAG_HEADER as u64 <= source.size() {
        source.read_at(at, &mut header)?;
        let [kind, s2, s1, s0, t2, t1, t0, t3, ..] = header;
        let size = u32::from_be_bytes([0, s2, s1, s0]);
        let body = at + TAG_HEADER as u64;
        let end = body + u64::from(size) + TAG_TRAILER as u64;
        if end > source.size() {
            break;
        }
        if let Some(kind) = TagKind::from_id(kind & 0x3F) {
            let time_ms = u32::from_be_bytes([t3, t2, t1, t0]);
            scan.tag(source, kind, time_ms, body, size)?;
        }
        at = end;
        scan.index.whole = at;
    }
    scan.finish()
}

#[derive(Debug, Default)]
struct Scan {
    index: Index,
    time: Unwrap,
    metadata: Metadata,
    /// The track number in the file of each sound track of the index.
    audio_ids: Vec<u8>,
    /// The pictures are not those that the first configuration describes.
    resized: bool,
    was_resized: bool,
    /// Configurations beside the first were seen and change nothing here.
    other_video: Option<VideoFormat>,
    other_audio: Option<AudioFormat>,
}

impl Scan {
    fn tag(
        &mut self,
        source: &mut dyn ReadAt,
        kind: TagKind,
        time_ms: u32,
        at: u64,
        size: u32,
    ) -> Result<(), Error> {
        let length = u64::from(size);
        let prefix = read(source, at, length.min(PREFIX as u64), PREFIX, "tags")?;
        match kind {
            TagKind::Script if size as usize <= MAX_SCRIPT => {
                let body = read(source, at, length, MAX_SCRIPT, "metadata")?;
                self.script(&body);
                Ok(())
            }
            TagKind::Script => Ok(()),
            TagKind::Video => self.video(source, time_ms, at, size, &prefix),
            TagKind::Audio => self.audio(source, time_ms, at, size, &prefix),
        }
    }

    fn script(&mut self, body: &[u8]) {
        if let Ok(Some(value)) = parse_script(body) {
            self.metadata = Metadata::from_value(&value);
            self.index.finished |= self.metadata.duration.is_some();
            return;
        }
        let Ok(values) = amf0::decode(body) else { return };
        if let [name, point, ..] = values.as_slice()
            && name.as_str() == Some("onCuePoint")
            && let Some(seconds) = point.get_number("time").filter(|time| *time >= 0.0)
        {
            let micros = (seconds * 1e6).round() as i64;
            let title = point.get_str("name").unwrap_or_default();
            self.index.push_chapter(Chapter::new(Timestamp::from_micros(micros), title));
        }
    }

    fn video(
        &mut self,
        source: &mut dyn ReadAt,
        time_ms: u32,
        at: u64,
        size: u32,
        prefix: &Bytes,
    ) -> Result<(), Error> {
        let Ok(tag) = parse_video(prefix) else { return Ok(()) };
        if tag.track.id != 0 || !tag.more_tracks.is_empty() {
            return Ok(());
        }
        if tag.track.format != VideoFormat::H264 {
            if !matches!(tag.track.packet, VideoPacket::Command(_)) {
                self.other_video = Some(tag.track.format);
            }
            return Ok(());
        }
        match tag.track.packet {
            VideoPacket::SequenceStart(start) if self.index.tracks.video.is_none() => {
                let config = rest(source, at, size, prefix.len() - start.len())?;
                if let Ok((video, _)) = video_parameters(config, &self.metadata) {
                    self.index.tracks.video = Some(video);
                }
                Ok(())
            }
            VideoPacket::SequenceStart(start) => {
                let config = rest(source, at, size, prefix.len() - start.len())?;
                let known = self.index.tracks.video.as_ref();
                self.resized = known.is_some_and(|known| known.config != config);
                self.was_resized |= self.resized;
                Ok(())
            }
            VideoPacket::Frame { .. } if self.resized => Ok(()),
            VideoPacket::Frame { composition_ms, data } => {
                let head = prefix.len() - data.len();
                let dts = self.at(time_ms, tag.offset_nanos);
                let pts = dts.offset(i64::from(composition_ms) * 1_000);
                let keyframe = matches!(tag.frame_type, FrameType::Key | FrameType::GeneratedKey);
                self.sample(TrackId::Video, dts, pts, keyframe, at, head, size)
            }
            _ => Ok(()),
        }
    }

    fn audio(
        &mut self,
        source: &mut dyn ReadAt,
        time_ms: u32,
        at: u64,
        size: u32,
        prefix: &Bytes,
    ) -> Result<(), Error> {
        let Ok(tag) = parse_audio(prefix) else { return Ok(()) };
        if !tag.more_tracks.is_empty() {
            return Ok(());
        }
        if tag.track.format != AudioFormat::Aac {
            self.other_audio = Some(tag.track.format);
            return Ok(());
        }
        let known = self.audio_ids.iter().position(|id| *id == tag.track.id);
        match (tag.track.packet, known) {
            (AudioPacket::SequenceStart(start), None) if !start.is_empty() => {
                let config = rest(source, at, size, prefix.len() - start.len())?;
                if self.audio_ids.len() < MAX_AUDIO_TRACKS
                    && let Ok(audio) = audio_parameters(config, &self.metadata)
                {
                    self.index.tracks.audio.push(audio.into());
                    self.audio_ids.push(tag.track.id);
                }
                Ok(())
            }
            (AudioPacket::Frame(data), Some(place)) => {
                let head = prefix.len() - data.len();
                let dts = self.at(time_ms, tag.offset_nanos);
                self.sample(audio_track(place), dts, dts, true, at, head, size)
            }
            _ => Ok(()),
        }
    }

    fn at(&mut self, time_ms: u32, offset_nanos: u32) -> Timestamp {
        Timestamp::from_millis(self.time.next(time_ms)).offset(i64::from(offset_nanos / 1_000))
    }

    #[allow(clippy::too_many_arguments, reason = "what a sample is made of")]
    fn sample(
        &mut self,
        track: TrackId,
        dts: Timestamp,
        pts: Timestamp,
        keyframe: bool,
        at: u64,
        head: usize,
        size: u32,
    ) -> Result<(), Error> {
        let size = size.saturating_sub(u32::try_from(head).unwrap_or(u32::MAX));
        let undecodable = track == TrackId::Video && self.index.tracks.video.is_none();
        if size == 0 || undecodable {
            return Ok(());
        }
        self.index.push(Place { track, keyframe, dts, pts, at: at + head as u64, size })
    }

    fn finish(mut self) -> Result<Index, Error> {
        let tracks = &self.index.tracks;
        if tracks.video.is_none() && tracks.audio.is_empty() {
            return Err(match (self.other_video, self.other_audio) {
                (Some(video), _) => Error::Unsupported(video.to_string()),
                (None, Some(audio)) => Error::Unsupported(audio.to_string()),
                (None, None) => Error::Empty,
            });
        }
        self.index.left_out.extend(self.other_video.map(|format| format.to_string()));
        self.index.left_out.extend(self.other_audio.map(|format| format.to_string()));
        if self.was_resized {
            self.index.left_out.push("pictures after a change of their size".to_owned());
        }
        self.index.arrange();
        Ok(self.index)
    }
}

/// A body after its head.
fn rest(source: &mut dyn ReadAt, at: u64, size: u32, head: usize) -> Result<Bytes, Error> {
    let length = u64::from(size).saturating_sub(head as u64);
    read(source, at + head as u64, length, MAX_CONFIG, "configurations")
}
