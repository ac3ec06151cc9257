//! The quality of the stream: size, frame rate, bitrates.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::base::named;
use crate::encode::{self, video};
use crate::media::{BitsPerSecond, FrameRate, Size, VideoCodec};
use crate::text::problem::{Problem, problem};

named! {
    /// How the video bitrate follows the bandwidth of the connections.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
    pub enum Adapt {
        /// The bitrate stays as set, and frames that do not fit are dropped.
        Off = "off",
        /// The bitrate follows the slowest target.
        #[default]
        Slowest = "slowest",
        /// The bitrate follows the first live target in the list; the built-in server counts last.
        /// The other targets drop frames that do not fit.
        First = "first",
        /// The bitrate stays as set, and targets with too slow a connection get a second encode.
        SecondRendition = "rendition",
    }
    /// Returns the name on the command line and in the settings file.
    fn name;
}

impl std::str::FromStr for Adapt {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let known = Self::ALL.into_iter().find(|adapt| adapt.name() == text);
        known.ok_or_else(|| problem!("value-none-of", known = Self::ALL.map(Self::name).as_slice()))
    }
}

/// Video and audio quality of a broadcast. While idle, changes apply at once. On air, only changes
/// of `video_bitrate` and of the adaptation (`adapt`, `least_bitrate`, `adapt_frames`,
/// `adapt_size`) apply at once. Other changes apply to the next broadcast.
#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    pub size: Size,
    pub frame_rate: FrameRate,
    pub video_bitrate: BitsPerSecond,
    /// How the bitrate is reduced for a slow connection.
    pub adapt: Adapt,
    /// The minimum to which the bitrate is reduced.
    pub least_bitrate: BitsPerSecond,
    /// True to drop every other frame if less than half of the bitrate remains, so that the
    /// remaining frames stay sharp.
    pub adapt_frames: bool,
    /// True to encode frames at three quarters or half of the size if the bitrate is too low for
    /// the full size.
    pub adapt_size: bool,
    pub keyframe_interval: Duration,
    /// The codec. An encoder that is chosen must fit it.
    pub video_codec: encode::CodecChoice,
    pub encoder: encode::Choice,
    pub preset: encode::Preset,
    pub rate_control: encode::RateControl,
    /// The maximum number of B-frames in a row, at most [`video::Config::MAX_B_FRAMES`].
    pub b_frames: u8,
    /// The number of frames that the encoder looks ahead, at most
    /// [`video::Config::MAX_LOOK_AHEAD`].
    pub look_ahead: u8,
    pub audio_bitrate: BitsPerSecond,
    /// The audio codec of MKV recordings and of transport streams.
    pub audio_codec: encode::AudioCodecChoice,
    /// HE-AAC needs at most [`encode::AudioProfile::MAX_HE_BITRATE`].
    pub audio_profile: encode::AudioProfile,
    /// The sample rate in Hz; one of [`SAMPLE_RATES`].
    pub sample_rate: u32,
    pub channels: u16,
}

/// Sample rates in Hz that AAC supports (ISO/IEC 14496-3, table 1.18).
pub const SAMPLE_RATES: [u32; 12] =
    [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000];

/// A usual video quality.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Preset {
    pub size: Size,
    pub frame_rate: FrameRate,
    pub video_bitrate: BitsPerSecond,
}

const fn preset(width: u32, height: u32, fps: u32, kbps: u32) -> Preset {
    let frame_rate = match FrameRate::new(fps, 1) {
        Some(rate) => rate,
        None => FrameRate::FPS_30,
    };
    let video_bitrate = BitsPerSecond(kbps * 1_000);
    Preset { size: Size::new(width, height), frame_rate, video_bitrate }
}

/// The usual qualities, the lowest first.
pub const PRESETS: [Preset; 4] = [
    preset(854, 480, 30, 1_200),
    preset(1280, 720, 30, 2_500),
    preset(1280, 720, 60, 4_500),
    preset(1920, 1080, 30, 4_500),
];

impl Preset {
    /// Returns true if a quality has the size and frame rate of this preset.
    pub fn is_of(&self, quality: &Quality) -> bool {
        (quality.size, quality.frame_rate) == (self.size, self.frame_rate)
    }

    /// Returns the quality with the video settings of this preset.
    pub fn applied_to(&self, quality: &Quality) -> Quality {
        let Self { size, frame_rate, video_bitrate } = *self;
        Quality { size, frame_rate, video_bitrate, ..quality.clone() }
    }
}

impl Quality {
    /// The range of bitrates in bits per second.
    pub const BITRATE_RANGE: RangeInclusive<u32> = 8_000..=200_000_000;
    /// The range of the keyframe interval in milliseconds.
    pub const KEYFRAME_INTERVAL_MILLIS_RANGE: RangeInclusive<u64> = 100..=20_000;

    /// Returns the configuration for the video encoder.
    pub fn video_config(&self) -> video::Config {
        video::Config {
            size: self.size,
            frame_rate: self.frame_rate,
            bitrate: self.video_bitrate,
            keyframe_interval: self.keyframe_interval,
            encoder: self.encoder.for_codec(self.video_codec),
            preset: self.preset,
            rate_control: self.rate_control,
            b_frames: self.b_frames,
            look_ahead: self.look_ahead,
        }
    }

    /// Returns the codec of the video.
    pub fn codec(&self) -> VideoCodec {
        let encoder = self.encoder.for_codec(self.video_codec);
        encoder.codec().unwrap_or(VideoCodec::H264)
    }

    /// Returns the configuration of the second encode, for slow targets. If the video is not H.264,
    /// the second encode is, for targets that do not take the codec of the video. It has no B-frames.
    pub fn second_config(&self) -> video::Config {
        // Targets that do not support B-frames get this encode too.
        let config = video::Config { b_frames: 0, look_ahead: 0, ..self.video_config() };
        if self.codec() == VideoCodec::H264 {
            return config;
        }
        video::Config {
            encoder: encode::Choice::Auto,
            preset: encode::Preset::Auto,
            rate_control: encode::RateControl::Cbr,
            ..config
        }
    }

    /// Returns the bitrate of the encoded audio, which AAC limits to 6 bits per sample and channel.
    pub fn actual_audio_bitrate(&self) -> BitsPerSecond {
        let most = self.sample_rate.saturating_mul(6).saturating_mul(u32::from(self.channels));
        self.audio_bitrate.min(BitsPerSecond(most))
    }

    /// Returns the bitrate of video and audio together, in bits per second.
    pub fn bitrate(&self) -> u64 {
        u64::from(self.video_bitrate.0) + u64::from(self.actual_audio_bitrate().0)
    }
}

impl Default for Quality {
    fn default() -> Self {
        Self {
            size: Size::new(1280, 720),
            frame_rate: FrameRate::FPS_30,
            video_bitrate: BitsPerSecond(2_500_000),
            adapt: Adapt::default(),
            least_bitrate: BitsPerSecond(300_000),
            adapt_frames: false,
            adapt_size: false,
            keyframe_interval: Duration::from_secs(2),
            video_codec: encode::CodecChoice::Auto,
            encoder: encode::Choice::Auto,
            preset: encode::Preset::Auto,
            rate_control: encode::RateControl::Cbr,
            b_frames: 0,
            look_ahead: 0,
            audio_bitrate: BitsPerSecond(128_000),
            audio_codec: encode::AudioCodecChoice::Aac,
            audio_profile: encode::AudioProfile::Lc,
            sample_rate: 48_000,
            channels: 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::queue;
    use crate::encode::{AudioEncoder, audio};

    #[test]
    fn the_audio_bitrate_is_at_most_that_of_aac() {
        let of = |kbps: u32, sample_rate, channels| {
            let audio_bitrate = BitsPerSecond(kbps * 1_000);
            let quality = Quality { audio_bitrate, sample_rate, channels, ..Quality::default() };
            (quality.actual_audio_bitrate().0, quality.bitrate())
        };
        assert_eq!(of(128, 48_000, 2), (128_000, 2_628_000));
        assert_eq!(of(8_000, 48_000, 2), (576_000, 3_076_000));
        assert_eq!(of(8_000, 48_000, 1), (288_000, 2_788_000));
    }

    #[test]
    fn audio_is_encoded_at_each_of_its_rates_and_at_no_other() {
        let opens = |rate: u32| {
            let (_sounds, waiting) = queue::bounded("sounds", 1, queue::Full::Block);
            let (packets, _taken) = queue::bounded("packets", 1, queue::Full::Block);
            let bitrate = BitsPerSecond(rate * 2);
            let profile = encode::AudioProfile::Lc;
            let config = audio::Config { sample_rate: rate, channels: 2, bitrate, profile };
            AudioEncoder::spawn(config, waiting, packets).is_ok()
        };
        for rate in SAMPLE_RATES {
            assert!(opens(rate), "{rate}");
        }
        assert!(![7_350, 50_000, 192_000].into_iter().any(opens));
    }
}
