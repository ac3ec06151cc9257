//! Writes media bodies of FLV tags and RTMP messages: H.264, AAC and MP3 in the legacy form that
//! every server reads (Annex E.4.2, E.4.3), and other codecs in the enhanced form (Enhanced RTMP
//! v2, "Enhanced Video", "Enhanced Audio"). Codecs that FLV does not support have no bodies.

use bytes::{BufMut, Bytes, BytesMut};

use crate::media::{
    AudioCodec, AudioConfig, Codec, EncodedPacket, TrackConfig, VideoCodec, VideoConfig,
};
use crate::wire::codec::four_cc::FourCc;
use crate::wire::codec::{self, Colors, FLAC_STREAM_HEADER, mpeg_audio};
use crate::wire::container::flv::enhanced::{AUDIO_MULTITRACK, VIDEO_MULTITRACK};

/// Packet types in the enhanced headers.
const SEQUENCE_START: u8 = 0;
const CODED_FRAMES: u8 = 1;
const SEQUENCE_END: u8 = 2;
const METADATA: u8 = 4;
/// The frame type of a command, in its place in the first byte.
const COMMAND_FRAME: u8 = 0x50;

/// Codec numbers of the legacy form.
const LEGACY_AVC: f64 = 7.0;
const LEGACY_AAC: f64 = 10.0;
const LEGACY_MP3: f64 = 2.0;

/// Returns true if FLV supports a codec.
pub fn carries(codec: Codec) -> bool {
    match codec {
        Codec::Video(codec) => codec == VideoCodec::H264 || video_four_cc(codec).is_some(),
        Codec::Audio(codec) => audio_four_cc(codec).is_some(),
    }
}

/// Returns the number of a codec in `onMetaData` ("Enhanced onMetaData"): legacy, or a FourCC.
pub fn codec_id(codec: Codec) -> Option<f64> {
    let four_cc = match codec {
        Codec::Video(VideoCodec::H264) => return Some(LEGACY_AVC),
        Codec::Audio(AudioCodec::Aac) => return Some(LEGACY_AAC),
        Codec::Audio(AudioCodec::Mp3) => return Some(LEGACY_MP3),
        Codec::Video(codec) => video_four_cc(codec)?,
        Codec::Audio(codec) => audio_four_cc(codec)?,
    };
    Some(four_cc.as_u32().into())
}

/// Makes the config body that precedes the packets of a track. Returns `None` if the codec has no
/// config, or no form in FLV.
pub fn config_body(config: &TrackConfig) -> Option<Bytes> {
    match config {
        TrackConfig::Video(video) => {
            let mut out = video_front(video.codec, true, SEQUENCE_START, 0)?;
            if video.codec != VideoCodec::H264 && video.codec_config.is_empty() {
                return None;
            }
            out.put_slice(&video.codec_config);
            Some(out.freeze())
        }
        TrackConfig::Audio(audio) => audio_config_body(audio, 0),
    }
}

/// Makes the config body of the further video track with this number (from 1), in the multitrack form,
/// which states the codec by a FourCC (Enhanced RTMP v2, "Multitrack Streaming via Enhanced RTMP").
pub fn video_config_body(video: &VideoConfig, track: u8) -> Option<Bytes> {
    let mut out = enhanced_video(video.codec, true, SEQUENCE_START, track)?;
    if video.codec_config.is_empty() {
        return None;
    }
    out.put_slice(&video.codec_config);
    Some(out.freeze())
}

/// Makes the body of a frame of the further video track with this number, like
/// [`video_config_body`].
pub fn video_track_body(codec: VideoCodec, packet: &EncodedPacket, track: u8) -> Option<Bytes> {
    let mut out = enhanced_video(codec, packet.keyframe, CODED_FRAMES, track)?;
    out.reserve(3 + packet.data.len());
    if has_composition_time(codec) {
        out.put_slice(&composition_bytes(composition_ms(packet)));
    }
    out.put_slice(&packet.data);
    Some(out.freeze())
}

/// Makes the [`config_body`] of the audio track with this number.
pub fn audio_config_body(audio: &AudioConfig, track: u8) -> Option<Bytes> {
    let config = match audio.codec {
        AudioCodec::Opus => codec::opus_head(audio),
        AudioCodec::Aac | AudioCodec::Flac => audio.codec_config.clone(),
        // Every packet of these codecs contains its parameters.
        _ => return None,
    };
    let mut out = if audio.codec == AudioCodec::Aac && track == 0 {
        BytesMut::from(&[0xAF, 0][..])
    } else {
        enhanced_audio(audio.codec, SEQUENCE_START, track)?
    };
    if audio.codec == AudioCodec::Flac {
        out.put_slice(FLAC_STREAM_HEADER);
    }
    out.put_slice(&config);
    Some(out.freeze())
}

/// Makes the body of a packet. Returns `None` if FLV does not support the codec.
pub fn packet_body(codec: Codec, packet: &EncodedPacket) -> Option<Bytes> {
    let front = packet_front(codec, packet)?;
    let mut out = BytesMut::with_capacity(front.len() + packet.data.len());
    out.put_slice(&front);
    out.put_slice(&packet.data);
    Some(out.freeze())
}

/// Returns the size in bytes of a [`packet_body`], without making the body.
pub fn packet_body_size(codec: Codec, packet: &EncodedPacket) -> Option<usize> {
    packet_front(codec, packet).map(|front| front.len() + packet.data.len())
}

fn packet_front(codec: Codec, packet: &EncodedPacket) -> Option<BytesMut> {
    match codec {
        Codec::Video(codec) => frame_front(codec, packet.keyframe, composition_ms(packet)),
        Codec::Audio(codec) => audio_front(codec, 0, &packet.data),
    }
}

/// Makes the body with the `colorInfo` of a video (Enhanced RTMP v2, "Enhanced Video": Metadata
/// Frame). Returns `None` if nothing is known about its colors, and for H.264, whose legacy form has
/// no such body: its parameter sets declare the colors.
pub fn color_body(video: &VideoConfig, declared: Colors) -> Option<Bytes> {
    let four_cc = video_four_cc(video.codec)?;
    let info = codec::video_info(video.codec, &video.codec_config).unwrap_or_default();
    let depth = codec::bit_depth(video.codec, &video.codec_config);
    let values = info.colors.or(declared).enhanced(depth)?;
    // With the frame type of a command, as other programs send it.
    let mut out = BytesMut::from(&[0x80 | COMMAND_FRAME | METADATA][..]);
    out.put_slice(&four_cc.0);
    out.put_slice(&crate::wire::amf0::encode(&values));
    Some(out.freeze())
}

/// Returns the time from the DTS to the PTS of a frame.
fn composition_ms(packet: &EncodedPacket) -> i32 {
    let composition_ms = packet.pts.as_millis().saturating_sub(packet.dts.as_millis());
    i32::try_from(composition_ms).unwrap_or(0)
}

/// Returns the 24 bits of a composition time; real values are under a few seconds.
fn composition_bytes(composition_ms: i32) -> [u8; 3] {
    let [_, composition @ ..] = composition_ms.clamp(-0x80_0000, 0x7F_FFFF).to_be_bytes();
    composition
}

/// Makes the body that ends a video track.
pub fn end_body(codec: VideoCodec) -> Option<Bytes> {
    video_front(codec, true, SEQUENCE_END, 0).map(BytesMut::freeze)
}

/// Returns true if bodies of a codec have a composition time in addition to the DTS.
pub const fn has_composition_time(codec: VideoCodec) -> bool {
    matches!(codec, VideoCodec::H264 | VideoCodec::Hevc | VideoCodec::Vvc)
}

/// Returns the bytes of a body before the frame data, with this composition time.
pub fn frame_front(codec: VideoCodec, keyframe: bool, composition_ms: i32) -> Option<BytesMut> {
    video_front(codec, keyframe, CODED_FRAMES, composition_ms)
}

/// Returns the bytes of a body before an audio packet of this track. The first track has the form
/// that every player reads.
pub fn audio_front(codec: AudioCodec, track: u8, data: &[u8]) -> Option<BytesMut> {
    match (codec, mp3_head(data)) {
        (AudioCodec::Aac, _) if track == 0 => Some(BytesMut::from(&[0xAF, 1][..])),
        (AudioCodec::Mp3 | AudioCodec::Mp2, Some(head)) if track == 0 => {
            Some(BytesMut::from(&[head][..]))
        }
        _ => enhanced_audio(codec, CODED_FRAMES, track),
    }
}

fn video_front(
    codec: VideoCodec,
    keyframe: bool,
    packet_type: u8,
    composition_ms: i32,
) -> Option<BytesMut> {
    let frame_type = if keyframe { 0x10 } else { 0x20 };
    let composition = composition_bytes(composition_ms);
    let mut out = BytesMut::with_capacity(8);
    if codec == VideoCodec::H264 {
        out.put_slice(&[frame_type | 7, packet_type]);
        out.put_slice(&composition);
        return Some(out);
    }
    out.put_u8(0x80 | frame_type | packet_type);
    out.put_slice(&video_four_cc(codec)?.0);
    if packet_type == CODED_FRAMES && has_composition_time(codec) {
        out.put_slice(&composition);
    }
    Some(out)
}

/// Returns the header of a multitrack body with one video track.
fn enhanced_video(
    codec: VideoCodec,
    keyframe: bool,
    packet_type: u8,
    track: u8,
) -> Option<BytesMut> {
    let four_cc = match codec {
        VideoCodec::H264 => FourCc(*b"avc1"),
        codec => video_four_cc(codec)?,
    };
    let frame_type = if keyframe { 0x10 } else { 0x20 };
    let mut out = BytesMut::with_capacity(10);
    out.put_slice(&[0x80 | frame_type | VIDEO_MULTITRACK, packet_type]);
    out.put_slice(&four_cc.0);
    out.put_u8(track);
    Some(out)
}

/// Returns the enhanced header of an audio body, for the first track or for one of several.
fn enhanced_audio(codec: AudioCodec, packet_type: u8, track: u8) -> Option<BytesMut> {
    let four_cc = audio_four_cc(codec)?;
    let mut out = BytesMut::with_capacity(8);
    if track == 0 {
        out.put_u8(0x90 | packet_type);
        out.put_slice(&four_cc.0);
    } else {
        // Multitrack body with one track.
        out.put_slice(&[0x90 | AUDIO_MULTITRACK, packet_type]);
        out.put_slice(&four_cc.0);
        out.put_u8(track);
    }
    Some(out)
}

const fn video_four_cc(codec: VideoCodec) -> Option<FourCc> {
    Some(FourCc(match codec {
        VideoCodec::Hevc => *b"hvc1",
        VideoCodec::Vvc => *b"vvc1",
        VideoCodec::Av1 => *b"av01",
        VideoCodec::Vp9 => *b"vp09",
        VideoCodec::Vp8 => *b"vp08",
        _ => return None,
    }))
}

const fn audio_four_cc(codec: AudioCodec) -> Option<FourCc> {
    Some(FourCc(match codec {
        AudioCodec::Aac => *b"mp4a",
        AudioCodec::Mp3 | AudioCodec::Mp2 => *b".mp3",
        AudioCodec::Opus => *b"Opus",
        AudioCodec::Flac => *b"fLaC",
        AudioCodec::Ac3 => *b"ac-3",
        AudioCodec::Eac3 => *b"ec-3",
        _ => return None,
    }))
}

/// Returns the legacy header of an MPEG audio frame (Annex E.4.2.1), if one exists for its rate.
fn mp3_head(frame: &[u8]) -> Option<u8> {
    let header = mpeg_audio::header(frame)?;
    let format_and_rate = match header.sample_rate {
        44_100 => 0x2C,
        22_050 => 0x28,
        11_025 => 0x24,
        8_000 => 0xE0,
        _ => return None,
    };
    // The sample size is 16 bits.
    Some(format_and_rate | 2 | u8::from(header.channels > 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::media::{BitsPerSecond, FrameRate, Priority, Rotation, Size, Track, VideoConfig};
    use crate::wire::codec::four_cc::{AudioFormat, VideoFormat};
    use crate::wire::container::flv::audio::AudioPacket;
    use crate::wire::container::flv::video::VideoPacket;
    use crate::wire::container::flv::{parse_audio, parse_video};

    fn packet(keyframe: bool, late_ms: i64, data: &'static [u8]) -> EncodedPacket {
        let dts = Timestamp::from_millis(1_000);
        EncodedPacket {
            track: Track::Video,
            pts: dts.offset(late_ms * 1_000),
            dts,
            keyframe,
            priority: Priority::Key,
            data: Bytes::from_static(data),
            captured: dts,
            rendition: None,
        }
    }

    #[test]
    fn frames_are_read_back_as_they_were() {
        use VideoCodec::{Av1, H264, Hevc, Vp9, Vvc};
        for (codec, late) in [(H264, 40), (Hevc, -80), (Vvc, 20), (Av1, 0), (Vp9, 0)] {
            let config = VideoConfig {
                codec,
                size: Size::new(640, 360),
                frame_rate: FrameRate::FPS_30,
                bitrate: BitsPerSecond(0),
                codec_config: Bytes::from_static(b"\x01config"),
                pixel_aspect: None,
                rotation: Rotation::None,
            };
            let head = config_body(&TrackConfig::Video(config)).unwrap();
            let head = parse_video(&head).unwrap();
            let format = VideoFormat::from(codec);
            assert!(head.is_sequence_start() && head.track.format == format, "{format}");
            for keyframe in [true, false] {
                let body = packet_body(Codec::Video(codec), &packet(keyframe, late, b"data"));
                let tag = parse_video(&body.unwrap()).unwrap();
                let data = Bytes::from_static(b"data");
                let read = VideoPacket::Frame { composition_ms: late as i32, data };
                assert_eq!((tag.is_keyframe(), tag.track.packet), (keyframe, read), "{format}");
            }
            let end = parse_video(&end_body(codec).unwrap()).unwrap();
            assert_eq!(end.track.packet, VideoPacket::SequenceEnd);
        }
        assert!(!carries(Codec::Video(VideoCodec::Mpeg2)) && end_body(VideoCodec::Mpeg2).is_none());
    }

    #[test]
    fn audio_is_read_back_as_it_was() {
        // 44.1 kHz stereo in the legacy form, 48 kHz in the enhanced one.
        let (low, high) = (b"\xFF\xFB\x90\x00more".as_slice(), b"\xFF\xFB\x94\x00more".as_slice());
        for (codec, data, first) in [
            (AudioCodec::Aac, b"more".as_slice(), 0xAF),
            (AudioCodec::Mp3, low, 0x2F),
            (AudioCodec::Mp3, high, 0x91),
            (AudioCodec::Opus, b"more", 0x91),
            (AudioCodec::Flac, b"more", 0x91),
            (AudioCodec::Ac3, b"more", 0x91),
            (AudioCodec::Eac3, b"more", 0x91),
        ] {
            let config = AudioConfig {
                codec,
                sample_rate: 48_000,
                channels: 2,
                bitrate: BitsPerSecond(0),
                codec_config: Bytes::from_static(b"config"),
            };
            let has = matches!(codec, AudioCodec::Aac | AudioCodec::Opus | AudioCodec::Flac);
            for track in [0, 1] {
                let start = audio_config_body(&config, track).map(|it| parse_audio(&it).unwrap());
                assert_eq!(start.is_some_and(|tag| tag.is_sequence_start()), has, "{codec:?}");
            }
            let body = packet_body(Codec::Audio(codec), &packet(true, 0, data)).unwrap();
            let tag = parse_audio(&body).unwrap();
            assert_eq!((body[0], tag.track.format), (first, AudioFormat::from(codec)));
            assert_eq!(tag.track.packet, AudioPacket::Frame(Bytes::from_static(data)), "{codec:?}");
        }
        assert!(!carries(Codec::Audio(AudioCodec::Vorbis)));
    }

    #[test]
    fn further_video_tracks_are_read_back_with_their_numbers() {
        use VideoCodec::{Av1, H264, Hevc};
        for (codec, late, front) in [
            (H264, 40, &b"\x96\x01avc1\x02\0\0\x28"[..]),
            (Hevc, -80, b"\x96\x01hvc1\x02\xFF\xFF\xB0"),
            (Av1, 0, b"\x96\x01av01\x02"),
        ] {
            let config = VideoConfig {
                codec,
                size: Size::new(640, 360),
                frame_rate: FrameRate::FPS_30,
                bitrate: BitsPerSecond(0),
                codec_config: Bytes::from_static(b"\x01config"),
                pixel_aspect: None,
                rotation: Rotation::None,
            };
            let head = parse_video(&video_config_body(&config, 2).unwrap()).unwrap();
            assert!(head.is_multitrack && head.is_sequence_start());
            assert_eq!((head.track.id, head.track.format), (2, VideoFormat::from(codec)));
            let body = video_track_body(codec, &packet(true, late, b"data"), 2).unwrap();
            assert_eq!(body, [front, b"data"].concat());
            let tag = parse_video(&body).unwrap();
            let data = Bytes::from_static(b"data");
            let read = VideoPacket::Frame { composition_ms: late as i32, data };
            assert_eq!((tag.is_keyframe(), tag.track.packet), (true, read));
            let inter = video_track_body(codec, &packet(false, late, b"data"), 2).unwrap();
            assert!(!parse_video(&inter).unwrap().is_keyframe());
            let empty = VideoConfig { codec_config: Bytes::new(), ..config };
            assert_eq!(video_config_body(&empty, 2), None);
        }
        let other = video_track_body(VideoCodec::Mpeg2, &packet(true, 0, b"data"), 1);
        assert_eq!(other, None);
    }

    /// The body is that of the specification: a command frame with the metadata packet type, the
    /// FourCC, and the name and value in AMF 0.
    #[test]
    fn colors_are_written_for_codecs_with_an_enhanced_form() {
        let video = |codec| VideoConfig {
            codec,
            size: Size::new(640, 360),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(0),
            codec_config: Bytes::from_static(&[0x81, 0, 0x4C, 0]),
            pixel_aspect: None,
            rotation: Rotation::None,
        };
        let declared = Colors::of(9, 16, 9);
        let body = color_body(&video(VideoCodec::Av1), declared).unwrap();
        assert_eq!(body[..5], *b"\xD4av01");
        assert_eq!(body[5..17], *b"\x02\0\x09colorInfo");
        let VideoPacket::Metadata(read) = parse_video(&body).unwrap().track.packet else {
            panic!("not metadata")
        };
        let values = crate::wire::amf0::decode(&read).unwrap();
        assert_eq!(Colors::of_enhanced(&values), Some(declared));
        let depth = values[1].get("colorConfig").unwrap().get_number("bitDepth");
        assert_eq!(depth, Some(10.0));
        assert_eq!(color_body(&video(VideoCodec::Av1), Colors::default()), None);
        assert_eq!(color_body(&video(VideoCodec::H264), declared), None);
    }
}
