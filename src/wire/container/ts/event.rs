//! What a transport stream gives.

use bytes::Bytes;

/// Ticks a second of all times here.
pub const CLOCK: i64 = 90_000;

/// A codec as it is called.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    H264,
    Hevc,
    Aac,
    /// MPEG audio of any layer.
    Mpeg,
    Opus,
    Ac3,
    Eac3,
    /// Uncompressed (SMPTE 302M).
    S302m,
    /// The same as Blu-ray has it.
    BluRayPcm,
    /// `stream_type` of the programme map.
    Other(u8),
}

/// What comes out. Times are in 90,000ths of a second, without wrap-arounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The decoder configuration record of the codec, from here on.
    VideoConfig { codec: Codec, config: Bytes },
    /// An access unit, its NAL units with 4-byte lengths.
    Picture { codec: Codec, dts: i64, pts: i64, keyframe: bool, data: Bytes },
    /// AudioSpecificConfig, from here on.
    AudioConfig(Bytes),
    /// An access unit of sound.
    Sound { codec: Codec, pts: i64, data: Bytes },
    /// Something that is not taken apart here; told once.
    Unsupported(Codec),
    /// Pictures and sounds are encrypted one by one (SAMPLE-AES); told once, before the first of them.
    Sealed,
    /// It is encrypted packet by packet; told once.
    Scrambled,
    /// Packets are missing, or damaged.
    Lost,
}
