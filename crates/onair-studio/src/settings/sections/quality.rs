//! The stream's quality in the settings file: `[quality]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::encode::{self, video};
use crate::media::{BitsPerSecond, ExtraTrack, FrameRate, Size};
use crate::studio::live::second_canvas::SecondCanvas;
use crate::studio::settings::reading::values::{self, form, within};
use crate::studio::targets::quality::{Adapt, Quality, SAMPLE_RATES};
use crate::text::problem::problem;

#[derive(Debug, Serialize, Deserialize)]
#[serde(remote = "Quality", default = "Quality::default", deny_unknown_fields)]
pub struct QualityLayout {
    #[serde(with = "values::text")]
    size: Size,
    #[serde(
        rename = "fps",
        serialize_with = "exact_rate",
        deserialize_with = "values::text::deserialize"
    )]
    frame_rate: FrameRate,
    #[serde(with = "bitrate")]
    video_bitrate: BitsPerSecond,
    #[serde(serialize_with = "adapt_word", deserialize_with = "values::text::deserialize")]
    adapt: Adapt,
    #[serde(with = "bitrate")]
    least_bitrate: BitsPerSecond,
    adapt_frames: bool,
    adapt_size: bool,
    #[serde(
        rename = "keyframe_interval_ms",
        serialize_with = "values::as_millis",
        deserialize_with = "keyframe_interval"
    )]
    keyframe_interval: Duration,
    #[serde(serialize_with = "codec_word", deserialize_with = "values::text::deserialize")]
    video_codec: encode::CodecChoice,
    #[serde(serialize_with = "encoder_word", deserialize_with = "values::text::deserialize")]
    encoder: encode::Choice,
    #[serde(serialize_with = "preset_word", deserialize_with = "values::text::deserialize")]
    preset: encode::Preset,
    #[serde(with = "values::text")]
    rate_control: encode::RateControl,
    #[serde(deserialize_with = "b_frames")]
    b_frames: u8,
    #[serde(deserialize_with = "look_ahead")]
    look_ahead: u8,
    #[serde(with = "bitrate")]
    audio_bitrate: BitsPerSecond,
    #[serde(serialize_with = "audio_codec_word", deserialize_with = "values::text::deserialize")]
    audio_codec: encode::AudioCodecChoice,
    #[serde(serialize_with = "profile_word", deserialize_with = "values::text::deserialize")]
    audio_profile: encode::AudioProfile,
    #[serde(deserialize_with = "sample_rate")]
    sample_rate: u32,
    #[serde(deserialize_with = "channels")]
    channels: u16,
}

/// The second canvas in the settings file: `[canvas]`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(remote = "SecondCanvas", default = "SecondCanvas::default", deny_unknown_fields)]
pub struct CanvasLayout {
    enabled: bool,
    #[serde(with = "values::text")]
    size: Size,
    #[serde(deserialize_with = "values::short_text")]
    scene: String,
    record: bool,
    #[serde(with = "super::targets::mix", skip_serializing_if = "Option::is_none")]
    mix: Option<ExtraTrack>,
}

form! {
    bitrate: BitsPerSecond;
    write bitrate => bitrate.0;
    read bits: bits_per_second => Ok(BitsPerSecond(bits));
}

/// Writes the frame rate without rounding, unlike the displayed rate.
fn exact_rate<S: Serializer>(rate: &FrameRate, to: S) -> Result<S::Ok, S::Error> {
    match rate.den() {
        1 => to.collect_str(&rate.num()),
        den => to.collect_str(&format_args!("{}/{den}", rate.num())),
    }
}

fn adapt_word<S: Serializer>(adapt: &Adapt, to: S) -> Result<S::Ok, S::Error> {
    adapt.name().serialize(to)
}

fn codec_word<S: Serializer>(codec: &encode::CodecChoice, to: S) -> Result<S::Ok, S::Error> {
    codec.name().serialize(to)
}

fn encoder_word<S: Serializer>(encoder: &encode::Choice, to: S) -> Result<S::Ok, S::Error> {
    encoder.name().serialize(to)
}

fn preset_word<S: Serializer>(preset: &encode::Preset, to: S) -> Result<S::Ok, S::Error> {
    preset.name().serialize(to)
}

fn audio_codec_word<S: Serializer>(
    codec: &encode::AudioCodecChoice,
    to: S,
) -> Result<S::Ok, S::Error> {
    codec.name().serialize(to)
}

fn profile_word<S: Serializer>(profile: &encode::AudioProfile, to: S) -> Result<S::Ok, S::Error> {
    profile.name().serialize(to)
}

fn keyframe_interval<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    values::millis(from, Quality::KEYFRAME_INTERVAL_MILLIS_RANGE)
}

within! {
    bits_per_second: u32 = Quality::BITRATE_RANGE, "bit/s";
    channels: u16 = 1..=2;
    b_frames: u8 = 0..=video::Config::MAX_B_FRAMES;
    look_ahead: u8 = 0..=video::Config::MAX_LOOK_AHEAD;
}

fn sample_rate<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let rate = values::bounded(from, 8_000..=96_000, "Hz")?;
    if SAMPLE_RATES.contains(&rate) {
        return Ok(rate);
    }
    Err(values::refuse(problem!("value-sample-rate", rate = rate.to_string())))
}
