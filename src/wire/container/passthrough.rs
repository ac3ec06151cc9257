//! Bodies for packets that are only passed on, of every codec that FLV and Enhanced RTMP v2 carry:
//! H.264, AAC and MP3 in the legacy form that every server knows (Annex E.4.2, E.4.3), the others in
//! the enhanced one ("Enhanced Video", "Enhanced Audio").

use bytes::{BufMut, Bytes, BytesMut};

use crate::media::{AudioCodec, AudioConfig, VideoCodec, VideoConfig};
use crate::wire::amf0::Value;
use crate::wire::codec;
use crate::wire::codec::four_cc::{AudioFormat, FourCc, VideoFormat};
use crate::wire::codec::{FLAC_HEAD, mpeg_audio};

/// The first picture and sound track of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassthroughPacket {
    pub video: Option<PassthroughVideo>,
    pub audio: Option<PassthroughAudio>,
}

/// A picture track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassthroughVideo {
    /// H.264, HEVC, AV1 or VP9.
    pub format: VideoFormat,
    /// avcC, hvcC, av1C, or vpcC with its version and flags.
    pub config: Bytes,
}

/// A sound track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassthroughAudio {
    /// AAC, MP3, Opus, FLAC, AC-3 or E-AC-3.
    pub format: AudioFormat,
    /// An AudioSpecificConfig, an OpusHead, FLAC's STREAMINFO; empty where packets tell all.
    pub config: Bytes,
}

impl PassthroughPacket {
    /// What `onMetaData` can say of it: codecs as numbers (Enhanced RTMP v2, "Enhanced onMetaData"),
    /// and what configurations tell.
    pub fn metadata(&self) -> Value {
        let number = Value::Number;
        let mut entries = Vec::new();
        if let Some(video) = &self.video {
            entries.push(("videocodecid", number(video.codec_id())));
            if let Some((width, height)) = video.size() {
                entries.push(("width", number(width.into())));
                entries.push(("height", number(height.into())));
            }
        }
        if let Some(audio) = &self.audio {
            entries.push(("audiocodecid", number(audio.codec_id())));
        }
        let encoder = concat!("onair/", env!("CARGO_PKG_VERSION"));
        entries.push(("encoder", Value::String(encoder.into())));
        Value::ecma_array(entries)
    }
}

/// Packet types of the enhanced headers.
const SEQUENCE_START: u8 = 0;
const CODED_FRAMES: u8 = 1;
const SEQUENCE_END: u8 = 2;

impl PassthroughVideo {
    /// `None` for a codec that is not written into FLV.
    pub fn of(video: &VideoConfig) -> Option<Self> {
        let format = match video.codec {
            VideoCodec::H264 => VideoFormat::H264,
            VideoCodec::Hevc => VideoFormat::Hevc,
            VideoCodec::Av1 => VideoFormat::Av1,
            VideoCodec::Vp9 => VideoFormat::Vp9,
            _ => return None,
        };
        Some(Self { format, config: video.config.clone() })
    }

    /// The codec as a number in the metadata.
    pub fn codec_id(&self) -> f64 {
        self.four_cc().map_or(7.0, |it| it.as_u32().into())
    }

    /// `None` for H.264, which goes out in the legacy form.
    fn four_cc(&self) -> Option<FourCc> {
        match self.format {
            VideoFormat::Hevc => Some(FourCc(*b"hvc1")),
            VideoFormat::Av1 => Some(FourCc(*b"av01")),
            VideoFormat::Vp9 => Some(FourCc(*b"vp09")),
            _ => None,
        }
    }

    fn size(&self) -> Option<(u32, u32)> {
        match self.format {
            VideoFormat::Hevc => codec::hevc(&self.config)?.size,
            VideoFormat::Av1 => codec::av1(&self.config)?.size,
            _ => None,
        }
    }

    /// The body that stands before the pictures.
    pub fn head(&self) -> Option<Bytes> {
        Some(self.put(true, SEQUENCE_START, 0, &self.config))
    }

    /// The body that ends the pictures.
    pub fn end(&self) -> Bytes {
        self.put(true, SEQUENCE_END, 0, &[])
    }

    /// Whether a body tells when its picture is decoded beside when it is shown.
    pub fn has_composition_time(&self) -> bool {
        self.format.has_composition_time()
    }

    /// The body of one picture, which is shown so much later than it is decoded.
    pub fn body(&self, keyframe: bool, composition_ms: i32, data: &[u8]) -> Bytes {
        self.put(keyframe, CODED_FRAMES, composition_ms, data)
    }

    fn put(&self, keyframe: bool, packet_type: u8, composition_ms: i32, data: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(8 + data.len());
        self.put_front(keyframe, packet_type, composition_ms, &mut out);
        out.put_slice(data);
        out.freeze()
    }

    /// What stands in a body before a picture, which is shown so much later than it is decoded.
    pub fn front(&self, keyframe: bool, composition_ms: i32) -> BytesMut {
        let mut out = BytesMut::with_capacity(8);
        self.put_front(keyframe, CODED_FRAMES, composition_ms, &mut out);
        out
    }

    fn put_front(&self, keyframe: bool, packet_type: u8, composition_ms: i32, out: &mut BytesMut) {
        let frame_type = if keyframe { 0x10 } else { 0x20 };
        // 24 bits; real ones are under a few seconds.
        let [_, composition @ ..] = composition_ms.clamp(-0x80_0000, 0x7F_FFFF).to_be_bytes();
        match self.four_cc() {
            None => {
                out.put_slice(&[frame_type | 7, packet_type]);
                out.put_slice(&composition);
            }
            Some(FourCc(name)) => {
                out.put_u8(0x80 | frame_type | packet_type);
                out.put_slice(&name);
                if packet_type == CODED_FRAMES && self.format.has_composition_time() {
                    out.put_slice(&composition);
                }
            }
        }
    }
}

impl PassthroughAudio {
    /// `None` for a codec that is not written into FLV.
    pub fn of(audio: &AudioConfig) -> Option<Self> {
        let format = match audio.codec {
            AudioCodec::Aac => AudioFormat::Aac,
            AudioCodec::Mp3 => AudioFormat::Mp3,
            AudioCodec::Opus => {
                let config = codec::opus_head(audio);
                return Some(Self { format: AudioFormat::Opus, config });
            }
            AudioCodec::Flac => AudioFormat::Flac,
            AudioCodec::Ac3 => AudioFormat::Ac3,
            AudioCodec::Eac3 => AudioFormat::Eac3,
            _ => return None,
        };
        Some(Self { format, config: audio.config.clone() })
    }

    /// The codec as a number in the metadata.
    pub fn codec_id(&self) -> f64 {
        match self.format {
            AudioFormat::Aac => 10.0,
            AudioFormat::Mp3 => 2.0,
            _ => self.four_cc().as_u32().into(),
        }
    }

    /// What stands in a body before a packet, in the track of this number: of the first in the form that
    /// everybody reads.
    pub fn front(&self, track: u8, data: &[u8]) -> BytesMut {
        let mut out = BytesMut::with_capacity(8);
        if track == 0 {
            self.put_front(data, &mut out);
        } else {
            self.put_multitrack(CODED_FRAMES, track, &mut out);
        }
        out
    }

    /// [`head`](Self::head) of the track of this number.
    pub fn track_head(&self, track: u8) -> Option<Bytes> {
        let whole = self.head()?;
        if track == 0 {
            return Some(whole);
        }
        let front = if self.format == AudioFormat::Aac { 2 } else { 5 };
        let mut out = BytesMut::with_capacity(8 + whole.len());
        self.put_multitrack(SEQUENCE_START, track, &mut out);
        out.put_slice(whole.get(front..).unwrap_or_default());
        Some(out.freeze())
    }

    /// Enhanced audio, multitrack, one track.
    fn put_multitrack(&self, packet_type: u8, track: u8, out: &mut BytesMut) {
        out.put_slice(&[0x95, packet_type]);
        out.put_slice(&self.four_cc().0);
        out.put_u8(track);
    }

    fn four_cc(&self) -> FourCc {
        FourCc(match self.format {
            AudioFormat::Mp3 => *b".mp3",
            AudioFormat::Opus => *b"Opus",
            AudioFormat::Flac => *b"fLaC",
            AudioFormat::Ac3 => *b"ac-3",
            AudioFormat::Eac3 => *b"ec-3",
            _ => *b"mp4a",
        })
    }

    /// The body that stands before the sound, where the codec has one.
    pub fn head(&self) -> Option<Bytes> {
        let mut out = BytesMut::with_capacity(16 + self.config.len());
        match self.format {
            AudioFormat::Aac => out.put_slice(&[0xAF, 0]),
            AudioFormat::Opus | AudioFormat::Flac => self.put_enhanced(SEQUENCE_START, &mut out),
            // Every packet says all.
            _ => return None,
        }
        if self.format == AudioFormat::Flac {
            out.put_slice(FLAC_HEAD);
        }
        out.put_slice(&self.config);
        Some(out.freeze())
    }

    /// The body of one packet.
    pub fn body(&self, data: &[u8]) -> Bytes {
        let mut out = BytesMut::with_capacity(5 + data.len());
        self.put_front(data, &mut out);
        out.put_slice(data);
        out.freeze()
    }

    fn put_front(&self, data: &[u8], out: &mut BytesMut) {
        match (self.format, mp3_head(data)) {
            (AudioFormat::Aac, _) => out.put_slice(&[0xAF, 1]),
            (AudioFormat::Mp3, Some(head)) => out.put_u8(head),
            _ => self.put_enhanced(CODED_FRAMES, out),
        }
    }

    fn put_enhanced(&self, packet_type: u8, out: &mut BytesMut) {
        out.put_u8(0x90 | packet_type);
        out.put_slice(&self.four_cc().0);
    }
}

/// The legacy head of an MP3 frame (Annex E.4.2.1), where there is one for its rate.
fn mp3_head(frame: &[u8]) -> Option<u8> {
    let header = mpeg_audio::header(frame)?;
    let format_and_rate = match header.sample_rate {
        44_100 => 0x2C,
        22_050 => 0x28,
        11_025 => 0x24,
        8_000 => 0xE0,
        _ => return None,
    };
    // 16 bits.
    Some(format_and_rate | 2 | u8::from(header.channels > 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::container::flv::audio::AudioPacket;
    use crate::wire::container::flv::video::VideoPacket;
    use crate::wire::container::flv::{parse_audio, parse_video};

    #[test]
    fn pictures_are_read_back_as_they_were() {
        for (format, late) in [
            (VideoFormat::H264, 40),
            (VideoFormat::Hevc, -80),
            (VideoFormat::Av1, 0),
            (VideoFormat::Vp9, 0),
        ] {
            let video = PassthroughVideo { format, config: Bytes::from_static(b"\x01config") };
            let head = parse_video(&video.head().unwrap()).unwrap();
            assert!(head.is_sequence_start() && head.track.format == format, "{format}");
            for keyframe in [true, false] {
                let tag = parse_video(&video.body(keyframe, late, b"data")).unwrap();
                let data = Bytes::from_static(b"data");
                let packet = VideoPacket::Frame { composition_ms: late, data };
                assert_eq!((tag.is_keyframe(), tag.track.packet), (keyframe, packet), "{format}");
            }
        }
    }

    #[test]
    fn sound_is_read_back_as_it_was() {
        // 44.1 kHz stereo in the legacy form, 48 kHz in the enhanced one.
        let (low, high) = (b"\xFF\xFB\x90\x00more".as_slice(), b"\xFF\xFB\x94\x00more".as_slice());
        for (format, packet, first) in [
            (AudioFormat::Aac, b"more".as_slice(), 0xAF),
            (AudioFormat::Mp3, low, 0x2F),
            (AudioFormat::Mp3, high, 0x91),
            (AudioFormat::Opus, b"more", 0x91),
            (AudioFormat::Flac, b"more", 0x91),
            (AudioFormat::Ac3, b"more", 0x91),
            (AudioFormat::Eac3, b"more", 0x91),
        ] {
            let audio = PassthroughAudio { format, config: Bytes::from_static(b"config") };
            let told = audio.head().map(|head| parse_audio(&head).unwrap());
            let has = matches!(format, AudioFormat::Aac | AudioFormat::Opus | AudioFormat::Flac);
            assert_eq!(told.is_some_and(|tag| tag.is_sequence_start()), has, "{format}");
            let body = audio.body(packet);
            let tag = parse_audio(&body).unwrap();
            assert_eq!((body[0], tag.track.format), (first, format));
            let data = Bytes::copy_from_slice(packet);
            assert_eq!(tag.track.packet, AudioPacket::Frame(data), "{format}");
        }
    }

    #[test]
    fn metadata_name_the_codecs() {
        let passed = PassthroughPacket {
            video: Some(PassthroughVideo { format: VideoFormat::Hevc, config: Bytes::new() }),
            audio: Some(PassthroughAudio { format: AudioFormat::Opus, config: Bytes::new() }),
        };
        let told = passed.metadata();
        let number = |four: &[u8; 4]| Some(f64::from(u32::from_be_bytes(*four)));
        assert_eq!(told.get_number("videocodecid"), number(b"hvc1"));
        assert_eq!(told.get_number("audiocodecid"), number(b"Opus"));
        assert_eq!(PassthroughPacket::default().metadata().get_number("videocodecid"), None);
    }
}
