//! FLV bodies of what is not H.264 and AAC, as the player's own demuxer reads them.

use bytes::{BufMut, Bytes, BytesMut};

use crate::media::{AudioCodec, AudioConfig, EncodedPacket, VideoCodec, VideoConfig};
use crate::wire::codec::{pcm, vorbis};
use crate::wire::container::flv;

/// An enhanced body's head, and what stands behind it.
pub(in crate::player) fn enhanced(first: u8, fourcc: &[u8; 4], rest: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(5 + rest.len());
    out.put_u8(first);
    out.put_slice(fourcc);
    out.put_slice(rest);
    out.freeze()
}

/// A legacy body.
pub(in crate::player) fn raw(head: &[u8], data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(head.len() + data.len());
    out.put_slice(head);
    out.put_slice(data);
    out.freeze()
}

/// How a codec is called in enhanced bodies, and whether a composition time stands before its
/// pictures. The last two are names of our own.
const fn four_letters(codec: VideoCodec) -> Option<(&'static [u8; 4], bool)> {
    Some(match codec {
        VideoCodec::Hevc => (b"hvc1", true),
        VideoCodec::Vvc => (b"vvc1", true),
        VideoCodec::Av1 => (b"av01", false),
        VideoCodec::Vp9 => (b"vp09", false),
        VideoCodec::Vp8 => (b"vp08", false),
        VideoCodec::Mpeg4 => (b"mp4v", true),
        VideoCodec::Mpeg2 => (b"mp2v", true),
        VideoCodec::H264
        | VideoCodec::H263
        | VideoCodec::Screen
        | VideoCodec::Screen2
        | VideoCodec::Vp6
        | VideoCodec::Vp6Alpha => return None,
    })
}

/// The body that begins pictures, where they need one.
pub(in crate::player) fn video_beginning(video: &VideoConfig) -> Option<Bytes> {
    match four_letters(video.codec) {
        Some((name, _)) if !video.config.is_empty() => Some(enhanced(0x90, name, &video.config)),
        Some(_) => None,
        None => Some(flv::video_sequence_header(video)),
    }
}

/// The body of a picture.
pub(in crate::player) fn picture(codec: VideoCodec, packet: &EncodedPacket) -> Bytes {
    let Some((name, composed)) = four_letters(codec) else { return flv::video_body(packet) };
    let mut out = BytesMut::with_capacity(8 + packet.data.len());
    out.put_u8(if packet.keyframe { 0x91 } else { 0xA1 });
    out.put_slice(name);
    if composed {
        let composition_ms = packet.pts.as_millis().saturating_sub(packet.dts.as_millis());
        // 24 bits, signed.
        out.put_int(composition_ms.clamp(-0x80_0000, 0x7F_FFFF), 3);
    }
    out.put_slice(&packet.data);
    out.freeze()
}

/// The body that begins a track of sound, where it needs one.
pub(in crate::player) fn beginning(audio: &AudioConfig) -> Option<Bytes> {
    match audio.codec {
        AudioCodec::Aac => Some(flv::audio_sequence_header(audio)),
        AudioCodec::Opus => Some(enhanced(0x90, b"Opus", &audio.config)),
        AudioCodec::Flac => Some(enhanced(0x90, b"fLaC", &audio.config)),
        AudioCodec::Vorbis => Some(enhanced(0x90, vorbis::MARK, &audio.config)),
        AudioCodec::Pcm => Some(enhanced(0x90, pcm::MARK, &audio.config)),
        _ => None,
    }
}

/// The body of an access unit of sound.
pub(in crate::player) fn unit(codec: AudioCodec, data: &[u8]) -> Bytes {
    match codec {
        AudioCodec::Opus => enhanced(0x91, b"Opus", data),
        AudioCodec::Flac => enhanced(0x91, b"fLaC", data),
        AudioCodec::Vorbis => enhanced(0x91, vorbis::MARK, data),
        AudioCodec::Ac3 => enhanced(0x91, b"ac-3", data),
        AudioCodec::Eac3 => enhanced(0x91, b"ec-3", data),
        AudioCodec::Pcm => enhanced(0x91, pcm::MARK, data),
        // What layer it is stands in each frame.
        AudioCodec::Mp3 | AudioCodec::Mp2 => raw(&[0x2F], data),
        _ => raw(&[0xAF, 1], data),
    }
}
