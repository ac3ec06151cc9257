//! FLV bodies of sound that is no AAC, as the player's own demuxer reads them.

use bytes::{BufMut, Bytes, BytesMut};

use crate::media::{AudioCodec, AudioParameters};
use crate::wire::flv;

/// An enhanced body's head, and what stands behind it.
pub(super) fn enhanced(first: u8, fourcc: &[u8; 4], rest: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(5 + rest.len());
    out.put_u8(first);
    out.put_slice(fourcc);
    out.put_slice(rest);
    out.freeze()
}

/// A legacy body.
pub(super) fn raw(head: &[u8], data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(head.len() + data.len());
    out.put_slice(head);
    out.put_slice(data);
    out.freeze()
}

/// The body that begins a track, where it needs one.
pub(super) fn beginning(audio: &AudioParameters) -> Option<Bytes> {
    match audio.codec {
        AudioCodec::Aac => Some(flv::audio_sequence_header(audio)),
        AudioCodec::Opus => Some(enhanced(0x90, b"Opus", &audio.config)),
        AudioCodec::Flac => Some(enhanced(0x90, b"fLaC", &audio.config)),
        _ => None,
    }
}

/// The body of an access unit.
pub(super) fn unit(codec: AudioCodec, data: &[u8]) -> Bytes {
    match codec {
        AudioCodec::Opus => enhanced(0x91, b"Opus", data),
        AudioCodec::Flac => enhanced(0x91, b"fLaC", data),
        AudioCodec::Mp3 => raw(&[0x2F], data),
        _ => raw(&[0xAF, 1], data),
    }
}
