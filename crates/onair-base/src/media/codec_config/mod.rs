//! The data that a decoder needs before the first packet.

mod bitrate;
mod pixel_aspect;

use bytes::Bytes;

use crate::base::named;
use crate::media::frame::{Rotation, Size};
use crate::media::frame_grid::FrameRate;

pub use bitrate::BitsPerSecond;
pub use pixel_aspect::PixelAspect;
pub use pixel_aspect::gcd;

named! {
    /// A video codec. onair encodes H.264, and can play the other codecs.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
    pub enum VideoCodec {
        H264 = "H.264",
        Hevc = "HEVC",
        Vvc = "VVC",
        Av1 = "AV1",
        Vp9 = "VP9",
        Vp8 = "VP8",
        /// Sorenson H.263 in FLV.
        H263 = "Sorenson H.263",
        /// Screen Video of FLV, both versions.
        Screen = "Screen video",
        Screen2 = "Screen video 2",
        /// VP6 in FLV. The config is the byte before each frame, which defines the cropping.
        Vp6 = "VP6",
        Vp6Alpha = "VP6 with alpha",
        /// MPEG-4 part 2.
        Mpeg4 = "MPEG-4 part 2",
        /// MPEG-1 and MPEG-2.
        Mpeg2 = "MPEG-2",
    }
    /// Returns the name of the codec.
    fn name;
}

impl VideoCodec {
    /// Returns true if decoding needs a config.
    pub const fn needs_config(self) -> bool {
        matches!(self, Self::H264 | Self::Hevc | Self::Vvc | Self::Av1)
    }
}

named! {
    /// An audio codec.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
    pub enum AudioCodec {
        Aac = "AAC",
        Mp3 = "MP3",
        Opus = "Opus",
        Flac = "FLAC",
        Vorbis = "Vorbis",
        /// PCM with 16 bits per sample, little-endian.
        PcmS16Le = "PCM",
        /// PCM with 8 bits per sample, where 128 is silence.
        PcmU8 = "PCM of 8 bits",
        /// G.711 A-law.
        PcmAlaw = "G.711 A-law",
        /// G.711 μ-law.
        PcmMulaw = "G.711 µ-law",
        Speex = "Speex",
        Ac3 = "AC-3",
        Eac3 = "E-AC-3",
        /// MPEG audio of layers I and II.
        Mp2 = "MP2",
        Nellymoser = "Nellymoser",
        /// Adobe's ADPCM, in FLV.
        AdpcmSwf = "ADPCM",
        /// PCM in another format, which the config defines.
        Pcm = "PCM of other kinds",
    }
    /// Returns the name of the codec.
    fn name;
}

/// The codec of a track.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    Video(VideoCodec),
    Audio(AudioCodec),
}

impl Codec {
    /// Returns the name of the codec.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Video(codec) => codec.name(),
            Self::Audio(codec) => codec.name(),
        }
    }
}

/// The config of an encoded video stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoConfig {
    pub codec: VideoCodec,
    /// The frame size, or 0×0 if only the frames define it.
    pub size: Size,
    pub frame_rate: FrameRate,
    pub bitrate: BitsPerSecond,
    /// H.264: AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1), 4-byte NAL lengths. Other
    /// codecs: as in MP4 and Enhanced RTMP (hvcC, av1C, vpcC…); empty if there is no config.
    pub codec_config: Bytes,
    /// The aspect of the pixels, or `None` if the codec config has square pixels and the container
    /// declares no aspect. A player stretches the decoded frames.
    pub pixel_aspect: Option<PixelAspect>,
    /// The rotation that a player applies to the stretched frames.
    pub rotation: Rotation,
}

impl VideoConfig {
    /// Returns the size of the frames with square pixels, before the rotation.
    pub fn stretched_size(&self) -> Size {
        self.pixel_aspect.map_or(self.size, |aspect| aspect.stretched(self.size))
    }

    /// Returns the size of the displayed frames.
    pub fn displayed_size(&self) -> Size {
        self.rotation.size(self.stretched_size())
    }

    /// Returns true if a decoder of this stream also decodes the other stream.
    pub fn has_same_codec_config(&self, other: &Self) -> bool {
        self.codec == other.codec && self.codec_config == other.codec_config
    }
}

/// The config of an encoded audio stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioConfig {
    pub codec: AudioCodec,
    /// Samples per second and channel.
    pub sample_rate: u32,
    pub channels: u16,
    pub bitrate: BitsPerSecond,
    /// AAC: AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1). Opus: OpusHead (RFC 7845 §5.1). FLAC:
    /// STREAMINFO. Vorbis: the first and the third header. Other kinds of PCM: as written by
    /// `wire::codec::pcm`. Empty for other codecs.
    pub codec_config: Bytes,
}

/// The configs of the tracks of a stream. A broadcast has at least one of the two tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamConfig {
    pub video: Option<VideoConfig>,
    pub audio: Option<AudioConfig>,
}
