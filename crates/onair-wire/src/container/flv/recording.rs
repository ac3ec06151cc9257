//! Writes an FLV recording. Tags are written as they arrive. At the end, duration, size and an
//! index of keyframes replace reserved space in the metadata.

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    MAX_BODY_BYTES, TAG_HEADER_BYTES, TagKind, file_header, metadata_body, tag_header, tag_trailer,
    write_tag,
};
use crate::base::Timestamp;
use crate::media::{EncodedPacket, Metadata, StreamConfig, StreamEvent, TrackConfig};
use crate::wire::amf0::Value;
use crate::wire::container::flv::metadata::{IGNORED_INDEX_NAME, metadata};
use crate::wire::container::flv::tag_body;
use crate::wire::container::{
    Chapter, Error, FilePart, Muxer, MuxerOutput, ReadAt, SampleLocation, TrackId, Tracks, read,
};

/// Capacity of the index in keyframes. In longer files, only every second, fourth… keyframe is
/// listed. With two numbers per keyframe, the index stays below the 4,096 values that readers,
/// including onair's, accept in a script tag.
const MAX_INDEX_KEYFRAMES: usize = 1_800;
/// Minimum number of index entries without a warning from FFmpeg. A shorter index gets another name
/// of the same length, which readers ignore.
const MIN_INDEX_ENTRIES: usize = 2;
/// Position of the metadata body.
const METADATA_POSITION: u64 = 13 + TAG_HEADER_BYTES as u64;

/// The FLV writer.
#[derive(Debug)]
pub struct Recording {
    tracks: Tracks,
    /// Whole tags that were not taken yet.
    buffer: BytesMut,
    /// Keyframes in `buffer`, with the time in seconds and the position in `buffer`.
    new_keyframes: Vec<(f64, usize)>,
    /// Position of `buffer` in the file.
    handed_at: u64,
    index: Keyframes,
}

/// Index of keyframes.
#[derive(Debug)]
struct Keyframes {
    /// Time in seconds, and position in the file.
    entries: Vec<(f64, f64)>,
    /// Every n-th keyframe is listed; this field is n.
    every: u64,
    seen: u64,
}

/// Converts a time to rounded milliseconds, modulo 2³².
fn millis(at: Timestamp) -> u32 {
    (at.offset(500).as_millis().max(0) & i64::from(u32::MAX)) as u32
}

impl Recording {
    /// Creates a writer for these tracks. Further audio tracks are written as multitrack bodies of
    /// Enhanced RTMP, which other players ignore.
    pub fn new(tracks: Tracks) -> Self {
        Self {
            tracks,
            buffer: BytesMut::new(),
            new_keyframes: Vec::new(),
            handed_at: 0,
            index: Keyframes { entries: Vec::new(), every: 1, seen: 0 },
        }
    }

    /// Continues a file that onair wrote and that was cut off. The file contains these samples.
    pub fn resume(tracks: Tracks, samples: &[SampleLocation]) -> Self {
        let mut recording = Self::new(tracks);
        for place in samples.iter().filter(|place| place.track == TrackId::Video && place.keyframe)
        {
            // The position is that of the data, after the headers of the tag and of the frame.
            let codec = recording.tracks.video.as_ref().map(|video| video.codec);
            let front = codec.and_then(|codec| tag_body::frame_front(codec, true, 0));
            let front = front.map_or(5, |front| front.len());
            let at = place.at.saturating_sub((TAG_HEADER_BYTES + front) as u64);
            recording.index.add(f64::from(millis(place.dts)) / 1_000.0, at as f64);
        }
        recording
    }

    /// Returns true if the file's metadata contains the space that onair reserves in a file with
    /// these tracks.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub fn has_room(source: &mut dyn ReadAt, tracks: &Tracks) -> Result<bool, Error> {
        let head =
            read(source, METADATA_POSITION - TAG_HEADER_BYTES as u64, 4, 4, FilePart::Structure)?;
        let length = Self::new(tracks.clone()).metadata(None).len();
        let length = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        Ok(head.first() == Some(&TagKind::Script.id()) && head.get(1..) == length.get(1..))
    }

    /// Makes the body of `onMetaData`, whose length does not depend on its values.
    fn metadata(&self, end: Option<(Timestamp, u64)>) -> Bytes {
        let parameters = StreamConfig {
            video: self.tracks.video.clone(),
            audio: self.tracks.audio.first().map(|audio| audio.config.clone()),
        };
        let mut entries = match metadata(&parameters) {
            Value::EcmaArray(entries) | Value::Object(entries) => entries,
            _ => Vec::new(),
        };
        if let Some((duration, size)) = end {
            for (name, value) in &mut entries {
                match name.as_str() {
                    "duration" => *value = Value::Number(duration.as_secs_f64()),
                    "fileSize" | "filesize" => *value = Value::Number(size as f64),
                    _ => {}
                }
            }
        }
        if self.tracks.video.is_some() {
            let listed = if end.is_some() { self.index.entries.as_slice() } else { &[] };
            let places = listed.iter().map(|(_, at)| Value::Number(*at)).collect();
            let times = listed.iter().map(|(time, _)| Value::Number(*time)).collect();
            let index = vec![
                ("filepositions".to_owned(), Value::StrictArray(places)),
                ("times".to_owned(), Value::StrictArray(times)),
            ];
            let name =
                if listed.len() < MIN_INDEX_ENTRIES { IGNORED_INDEX_NAME } else { "keyframes" };
            entries.push((name.to_owned(), Value::Object(index)));
            // Zeros fill the unused space, because FFmpeg accepts no string longer than 1,023 bytes.
            let room = MAX_INDEX_KEYFRAMES.saturating_sub(listed.len()) * 2;
            let zeros = std::iter::repeat_n(Value::Number(0.0), room).collect();
            entries.push(("spacer".to_owned(), Value::StrictArray(zeros)));
        }
        metadata_body(&Value::EcmaArray(entries))
    }

    /// Appends a tag whose body has two parts.
    fn tag(&mut self, kind: TagKind, at: Timestamp, head: &[u8], data: &[u8]) {
        let length = head.len() + data.len();
        if length > MAX_BODY_BYTES {
            return;
        }
        self.buffer.reserve(TAG_HEADER_BYTES + length + 4);
        self.buffer.put_slice(&tag_header(kind, millis(at), length));
        self.buffer.put_slice(head);
        self.buffer.put_slice(data);
        self.buffer.put_slice(&tag_trailer(length));
    }
}

impl Recording {
    fn packet(&mut self, packet: &EncodedPacket) {
        match TrackId::from(packet.track) {
            TrackId::Video => {
                let Some(codec) = self.tracks.video.as_ref().map(|video| video.codec) else {
                    return;
                };
                if packet.keyframe {
                    let seconds = f64::from(millis(packet.dts)) / 1_000.0;
                    self.new_keyframes.push((seconds, self.buffer.len()));
                }
                let composition =
                    packet.pts.offset(500).as_millis() - packet.dts.offset(500).as_millis();
                let composition = i32::try_from(composition).unwrap_or(0);
                let front = tag_body::frame_front(codec, packet.keyframe, composition);
                let Some(front) = front else { return };
                // Bodies of some codecs contain only one time.
                let at =
                    if tag_body::has_composition_time(codec) { packet.dts } else { packet.pts };
                self.tag(TagKind::Video, at, &front, &packet.data);
            }
            TrackId::Audio(index) => {
                let Some(audio) = self.tracks.audio.get(usize::from(index)) else { return };
                let front = tag_body::audio_front(audio.config.codec, index, &packet.data);
                let Some(front) = front else { return };
                self.tag(TagKind::Audio, packet.dts, &front, &packet.data);
            }
        }
    }

    fn chapter(&mut self, chapter: &Chapter) {
        let point = Value::ecma_array([
            ("name", Value::String(chapter.title.clone())),
            ("time", Value::Number(chapter.at.as_secs_f64())),
            ("type", Value::String("navigation".to_owned())),
        ]);
        let body = crate::wire::amf0::encode(&[Value::String("onCuePoint".to_owned()), point]);
        self.tag(TagKind::Script, chapter.at, &[], &body);
    }
}

impl Muxer for Recording {
    fn begin(&mut self) -> Bytes {
        let Tracks { video, audio } = &self.tracks;
        let mut out = BytesMut::from(&file_header(!audio.is_empty(), video.is_some())[..]);
        write_tag(TagKind::Script, 0, &self.metadata(None), &mut out);
        let video = video.clone().map(TrackConfig::Video);
        if let Some(head) = video.as_ref().and_then(tag_body::config_body) {
            write_tag(TagKind::Video, 0, &head, &mut out);
        }
        for (index, audio) in (0..).zip(audio) {
            if let Some(head) = tag_body::audio_config_body(&audio.config, index) {
                write_tag(TagKind::Audio, 0, &head, &mut out);
            }
        }
        out.freeze()
    }

    fn write(&mut self, event: &StreamEvent) {
        match event {
            StreamEvent::Packet(packet) => self.packet(packet),
            StreamEvent::Metadata(Metadata::Chapter(chapter)) => self.chapter(chapter),
            _ => {}
        }
    }

    fn waiting(&self) -> usize {
        self.buffer.len()
    }

    fn flush(&mut self, at: u64) -> MuxerOutput {
        self.handed_at = at;
        MuxerOutput { append: self.buffer.split().freeze(), patches: Vec::new() }
    }

    fn commit(&mut self) {
        for (seconds, at) in self.new_keyframes.drain(..) {
            self.index.add(seconds, (self.handed_at + at as u64) as f64);
        }
    }

    fn discard(&mut self) {
        self.buffer.clear();
        self.new_keyframes.clear();
    }

    fn finish(&mut self, at: u64, end: Timestamp) -> MuxerOutput {
        let mut out = BytesMut::new();
        if !self.index.entries.is_empty()
            && let Some(body) =
                self.tracks.video.as_ref().and_then(|video| tag_body::end_body(video.codec))
        {
            write_tag(TagKind::Video, millis(end), &body, &mut out);
        }
        let patches = self.close(at + out.len() as u64, end);
        MuxerOutput { append: out.freeze(), patches }
    }

    fn close(&mut self, at: u64, end: Timestamp) -> Vec<(u64, Bytes)> {
        vec![(METADATA_POSITION, self.metadata(Some((end, at))))]
    }

    fn index_weight(&self) -> usize {
        64
    }
}

impl Keyframes {
    fn add(&mut self, seconds: f64, at: f64) {
        let listed = self.seen.is_multiple_of(self.every);
        self.seen += 1;
        if !listed {
            return;
        }
        if self.entries.len() == MAX_INDEX_KEYFRAMES {
            // The index is full: remove every second entry, and list half as many from here on.
            let mut keep = false;
            self.entries.retain(|_| {
                keep = !keep;
                keep
            });
            self.every *= 2;
        }
        self.entries.push((seconds, at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{BitsPerSecond, FrameRate, Rotation, Size, Track, VideoCodec, VideoConfig};
    use crate::wire::container::flv::metadata::parse_script;
    use crate::wire::container::flv::{Demuxer, Tag};

    fn tracks() -> Tracks {
        let video = VideoConfig {
            codec: VideoCodec::H264,
            size: Size::new(640, 360),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(1_000_000),
            codec_config: Bytes::from_static(&[1, 100, 0, 30, 0xff, 0xe0, 0]),
            pixel_aspect: None,
            rotation: Rotation::None,
        };
        Tracks { video: Some(video), audio: Vec::new() }
    }

    fn video(millis: i64, keyframe: bool) -> StreamEvent {
        let at = Timestamp::from_millis(millis);
        let data = Bytes::from_static(&[9]);
        StreamEvent::Packet(EncodedPacket::received(Track::Video, (at, at), keyframe, data))
    }

    /// Writes a complete file of these frames, each separately.
    fn file(samples: impl Iterator<Item = StreamEvent>, end: Timestamp) -> Vec<u8> {
        let mut recording = Recording::new(tracks());
        let mut file = recording.begin().to_vec();
        for sample in samples {
            recording.write(&sample);
            file.extend(recording.flush(file.len() as u64).append);
            recording.commit();
        }
        let piece = recording.finish(file.len() as u64, end);
        file.extend(piece.append);
        for (at, bytes) in piece.patches {
            file[at as usize..at as usize + bytes.len()].copy_from_slice(&bytes);
        }
        file
    }

    fn tags(file: &[u8]) -> Vec<Tag> {
        let mut demuxer = Demuxer::new();
        demuxer.push(file);
        let tags = std::iter::from_fn(|| demuxer.next_tag().unwrap()).collect();
        assert_eq!(demuxer.pending(), 0, "ends within a tag");
        tags
    }

    #[test]
    fn the_index_points_at_keyframes_and_fits_however_long_the_file_is() {
        let samples = (0..5_000)
            .flat_map(|second| [video(second * 2_000, true), video(second * 2_000 + 33, false)]);
        let file = file(samples, Timestamp::from_millis(10_000_000));
        let tags = tags(&file);
        let metadata = parse_script(&tags[0].body).unwrap().unwrap();
        assert_eq!(metadata.get_number("duration"), Some(10_000.0));
        assert_eq!(metadata.get_number("fileSize"), Some(file.len() as f64));
        let index = metadata.get("keyframes").unwrap();
        let list = |name| match index.get(name) {
            Some(Value::StrictArray(values)) => {
                values.iter().map(|value| value.as_number().unwrap()).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        let (places, times) = (list("filepositions"), list("times"));
        assert!(
            places.len() == times.len()
                && places.len() > MAX_INDEX_KEYFRAMES / 2
                && places.len() <= MAX_INDEX_KEYFRAMES
        );
        for (place, time) in places.iter().zip(&times) {
            let tag = &file[*place as usize..];
            let ms = u32::from_be_bytes([tag[7], tag[4], tag[5], tag[6]]);
            assert_eq!((tag[0], f64::from(ms)), (9, time * 1_000.0));
            assert_eq!(tag[11], 0x17);
        }
    }

    #[test]
    fn an_index_of_less_than_two_keyframes_is_none() {
        for (keyframes, indexed) in [(0, false), (1, false), (2, true)] {
            let samples = (0..keyframes).map(|n| video(n * 2_000, true));
            let file = file(samples, Timestamp::from_millis(2_000));
            let metadata = parse_script(&tags(&file)[0].body).unwrap().unwrap();
            assert_eq!(metadata.get("keyframes").is_some(), indexed, "{keyframes}");
        }
    }
}
