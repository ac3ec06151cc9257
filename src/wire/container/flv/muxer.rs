//! Writes FLV: pieces for streams (HTTP-FLV), and a muxer for files that can put the duration in
//! when it is known.

use bytes::{BufMut, Bytes, BytesMut};

use super::{
    MAX_BODY, TAG_HEADER, TAG_TRAILER, TagKind, audio_body, audio_sequence_header, video_body,
    video_end_of_sequence, video_sequence_header,
};
use crate::base::Timestamp;
use crate::media::{EncodedPacket, StreamConfig, Track};
use crate::wire::amf0::Value;
use crate::wire::container::flv::metadata;

/// The file header, with the size of the tag before the first, which is none.
pub fn file_header(audio: bool, video: bool) -> Bytes {
    let flags = if audio { 4 } else { 0 } | u8::from(video);
    Bytes::copy_from_slice(&[b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0])
}

/// The header of a tag whose body has `length` bytes (at most [`MAX_BODY`]).
pub fn tag_header(kind: TagKind, time_ms: u32, length: usize) -> [u8; TAG_HEADER] {
    let [t3, t2, t1, t0] = time_ms.to_be_bytes();
    let [_, s2, s1, s0] = (length.min(MAX_BODY) as u32).to_be_bytes();
    [kind.id(), s2, s1, s0, t2, t1, t0, t3, 0, 0, 0]
}

/// What follows the body of a tag.
pub fn tag_trailer(length: usize) -> [u8; TAG_TRAILER] {
    ((length.min(MAX_BODY) + TAG_HEADER) as u32).to_be_bytes()
}

/// Bodies are copied in pieces so short that the C library never takes to the processor's string
/// instructions, which on several processors are slower where source and target lie unluckily.
const COPY_BYTES: usize = 2_048 - 64;

/// Appends a whole tag. A body that is too long for a tag (16 MiB) is left out.
pub fn write_tag(kind: TagKind, time_ms: u32, body: &[u8], out: &mut BytesMut) {
    if body.len() <= MAX_BODY {
        out.reserve(TAG_HEADER + body.len() + TAG_TRAILER);
        out.put_slice(&tag_header(kind, time_ms, body.len()));
        for piece in body.chunks(COPY_BYTES) {
            out.extend_from_slice(piece);
        }
        out.put_slice(&tag_trailer(body.len()));
    }
}

/// The script body that names the metadata.
pub fn metadata_body(value: &Value) -> Bytes {
    crate::wire::amf0::encode(&[Value::String("onMetaData".to_owned()), value.clone()]).into()
}

/// Turns packets into an FLV file. The first packet's decoding time is the file's zero.
#[derive(Debug)]
pub struct Muxer {
    parameters: StreamConfig,
    start: Option<Timestamp>,
    /// In milliseconds, of the last tag.
    last_ms: u32,
    written: u64,
    duration_at: Option<u64>,
    file_size_at: Option<u64>,
}

/// What makes a file whole when everything has been written.
#[derive(Clone, Debug)]
pub struct Finish {
    /// To be appended.
    pub tail: Bytes,
    /// Numbers to be written over, with their place in the file. Not to be written where the file
    /// cannot be rewound: it is legal without.
    pub patches: Vec<(u64, [u8; 8])>,
}

impl Muxer {
    /// For a stream with these parameters.
    pub fn new(parameters: StreamConfig) -> Self {
        Self {
            parameters,
            start: None,
            last_ms: 0,
            written: 0,
            duration_at: None,
            file_size_at: None,
        }
    }

    /// The start of the file: header, metadata, sequence headers. To be written first.
    pub fn start(&mut self) -> Bytes {
        let (audio, video) = (&self.parameters.audio, &self.parameters.video);
        let mut out = BytesMut::from(&file_header(audio.is_some(), video.is_some())[..]);
        let body = metadata_body(&metadata(&self.parameters));
        let body_at = (out.len() + TAG_HEADER) as u64;
        let place = |name| number_at(&body, name).map(|at| body_at + at as u64);
        self.duration_at = place(b"duration");
        self.file_size_at = place(b"fileSize");
        write_tag(TagKind::Script, 0, &body, &mut out);
        if let Some(video) = video {
            write_tag(TagKind::Video, 0, &video_sequence_header(video), &mut out);
        }
        if let Some(audio) = audio {
            write_tag(TagKind::Audio, 0, &audio_sequence_header(audio), &mut out);
        }
        self.written = out.len() as u64;
        out.freeze()
    }

    /// The tag of a packet. A packet from before the first one is put at the file's start.
    pub fn packet(&mut self, packet: &EncodedPacket) -> Bytes {
        let (kind, body) = match packet.track {
            Track::Video => (TagKind::Video, video_body(packet)),
            Track::Audio | Track::Extra(_) => (TagKind::Audio, audio_body(packet)),
        };
        let start = *self.start.get_or_insert(packet.dts);
        // Modulo 2³², as the format has it.
        let time_ms = (packet.dts.micros_since(start).max(0) / 1_000) as u32;
        self.last_ms = self.last_ms.max(time_ms);
        let mut out = BytesMut::with_capacity(TAG_HEADER + body.len() + TAG_TRAILER);
        write_tag(kind, time_ms, &body, &mut out);
        self.written += out.len() as u64;
        out.freeze()
    }

    /// The end of the file.
    pub fn finish(&mut self) -> Finish {
        let mut tail = BytesMut::new();
        if self.parameters.video.is_some() {
            write_tag(TagKind::Video, self.last_ms, &video_end_of_sequence(), &mut tail);
        }
        self.written += tail.len() as u64;
        let frame =
            self.parameters.video.as_ref().map_or(0.0, |video| 1.0 / video.frame_rate.as_f64());
        let duration = f64::from(self.last_ms) / 1_000.0 + frame;
        let numbers = [(self.duration_at, duration), (self.file_size_at, self.written as f64)];
        let patches = numbers
            .into_iter()
            .filter_map(|(at, number)| at.map(|at| (at, number.to_be_bytes())))
            .collect();
        Finish { tail: tail.freeze(), patches }
    }

    /// Bytes of the file so far.
    pub fn written(&self) -> u64 {
        self.written
    }
}

/// Where the number of a property stands in an AMF0 body.
fn number_at(body: &[u8], name: &[u8]) -> Option<usize> {
    let marker =
        body.windows(name.len() + 1).position(|window| window.split_last() == Some((&0, name)))?;
    Some(marker + name.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{BitsPerSecond, FrameRate, Priority, Size, VideoCodec, VideoConfig};
    use crate::wire::container::flv::metadata::parse_script;
    use crate::wire::container::flv::{Demuxer, Metadata, parse_video};

    fn packet(ms: i64, keyframe: bool) -> EncodedPacket {
        let at = Timestamp::from_millis(ms);
        EncodedPacket {
            track: Track::Video,
            pts: at,
            dts: at,
            keyframe,
            priority: if keyframe { Priority::Key } else { Priority::Inter },
            data: Bytes::from_static(&[0, 0, 0, 1, 0x65]),
            captured: at,
            rendition: None,
        }
    }

    #[test]
    fn a_file_is_read_back_with_its_duration() {
        let video = VideoConfig {
            codec: VideoCodec::H264,
            size: Size::new(640, 360),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(1_000_000),
            config: Bytes::from_static(&[1, 2, 3]),
        };
        let mut muxer = Muxer::new(StreamConfig { video: Some(video), audio: None });
        let mut file = muxer.start().to_vec();
        for (ms, key) in [(10_000, true), (10_033, false), (9_000, false), (12_000, false)] {
            file.extend(muxer.packet(&packet(ms, key)));
        }
        let finish = muxer.finish();
        file.extend(&finish.tail);
        for (at, bytes) in finish.patches {
            file[at as usize..at as usize + 8].copy_from_slice(&bytes);
        }
        assert_eq!(muxer.written(), file.len() as u64);
        let mut demuxer = Demuxer::new();
        demuxer.push(&file);
        let tags: Vec<_> = std::iter::from_fn(|| demuxer.next_tag().unwrap()).collect();
        let value = parse_script(&tags[0].body).unwrap().unwrap();
        let duration = Metadata::from_value(&value).duration.unwrap();
        assert!((duration - (2.0 + 1.0 / 30.0)).abs() < 1e-9, "{duration}");
        assert_eq!(value.get_number("fileSize"), Some(file.len() as f64));
        let times: Vec<_> = tags.iter().map(|tag| tag.time_ms).collect();
        assert_eq!(times, [0, 0, 0, 33, 0, 2_000, 2_000]);
        assert!(parse_video(&tags[2].body).unwrap().is_keyframe());
        assert_eq!(demuxer.pending(), 0);
    }
}
