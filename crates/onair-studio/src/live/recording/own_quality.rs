//! The encoder, quality and size that recordings have instead of those of the stream. This module is
//! pure.

use std::fmt;
use std::str::FromStr;

use crate::encode::{self, Choice, RateControl, video};
use crate::media::{BitsPerSecond, Size};
use crate::studio::targets::quality::Quality;
use crate::studio::targets::renditions::fitted_size;
use crate::text::Problem;
use crate::text::problem::problem;

/// The bits per pixel that constant quality may use at most, which no usual video reaches.
const MAX_BITS_PER_PIXEL: f64 = 1.0;

/// The quality of recordings.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RecordQuality {
    /// This quality, whatever the bitrate is. Lower numbers are better.
    Crf(u8),
    /// This bitrate on average.
    Bitrate(BitsPerSecond),
}

impl fmt::Display for RecordQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crf(number) => RateControl::Crf(*number).fmt(f),
            Self::Bitrate(bitrate) => bitrate.0.fmt(f),
        }
    }
}

impl FromStr for RecordQuality {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        if let Ok(RateControl::Crf(number)) = text.parse() {
            return Ok(Self::Crf(number));
        }
        let bitrate = text.parse::<BitsPerSecond>().ok();
        let bitrate = bitrate.filter(|it| Quality::BITRATE_RANGE.contains(&it.0));
        bitrate.map(Self::Bitrate).ok_or_else(|| problem!("value-record-quality"))
    }
}

/// The encoder, quality and size of recordings. If none is set, recordings get the frames of the
/// stream.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnQuality {
    pub encoder: Option<Choice>,
    pub quality: Option<RecordQuality>,
    pub size: Option<Size>,
}

impl OwnQuality {
    /// Returns the encoder and quality of recordings that keep the size of what they record.
    #[must_use]
    pub const fn at_any_size(self) -> Self {
        Self { size: None, ..self }
    }

    /// Returns the size of recordings of a program with this size, which has its aspect ratio.
    pub fn size_for(&self, program: Size) -> Size {
        self.size.map_or(program, |chosen| fitted_size(program, chosen))
    }

    /// Returns the size at which the program is composed, which is the larger one of the stream and
    /// the recording, so that neither is scaled up.
    pub fn composed_size(&self, stream: Size) -> Size {
        let recorded = self.size_for(stream);
        if recorded.pixels() > stream.pixels() { recorded } else { stream }
    }

    /// Returns the configurations of the recording's encoder, the best first, or nothing if
    /// recordings get the frames of the stream.
    pub fn configs(&self, stream: &Quality) -> Vec<video::Config> {
        let size = self.size_for(stream.size);
        if self.encoder.is_none() && self.quality.is_none() && size == stream.size {
            return Vec::new();
        }
        let encoder = self.encoder.unwrap_or_else(|| stream.video_config().encoder);
        let quality = self.quality.unwrap_or(match encoder {
            // The built-in encoder keeps a bitrate.
            Choice::Auto | Choice::OpenH264 => RecordQuality::Bitrate(bitrate_at(size, stream)),
            _ => RecordQuality::Crf(RateControl::USUAL_CRF),
        });
        // *Auto* may be the built-in encoder, which has no constant quality.
        let encoders: &[Choice] = match (encoder, quality) {
            (Choice::Auto, RecordQuality::Crf(_)) => &[Choice::Auto, Choice::X264],
            _ => &[encoder],
        };
        let stream = Quality { size, ..stream.clone() };
        encoders.iter().map(|it| config(*it, quality, &stream)).collect()
    }

    /// Returns the quality of a program that is only recorded, at its own size.
    pub fn applied_to(&self, stream: &Quality) -> Option<Quality> {
        let config = self.at_any_size().configs(stream).pop()?;
        Some(Quality {
            video_bitrate: config.bitrate,
            video_codec: encode::CodecChoice::Auto,
            encoder: config.encoder,
            preset: config.preset,
            rate_control: config.rate_control,
            b_frames: config.b_frames,
            look_ahead: config.look_ahead,
            ..stream.clone()
        })
    }
}

/// Returns the bitrate of the stream in proportion to the pixels of this size.
fn bitrate_at(size: Size, stream: &Quality) -> BitsPerSecond {
    let share = size.pixels() as f64 / stream.size.pixels().max(1) as f64;
    let wanted = f64::from(stream.video_bitrate.0) * share;
    BitsPerSecond(
        (wanted as u32).clamp(*Quality::BITRATE_RANGE.start(), *Quality::BITRATE_RANGE.end()),
    )
}

fn config(encoder: Choice, quality: RecordQuality, stream: &Quality) -> video::Config {
    let its = stream.video_config();
    let pixels = f64::from(its.size.width) * f64::from(its.size.height);
    let most = pixels * its.frame_rate.as_f64() * MAX_BITS_PER_PIXEL;
    let (least, highest) = (*Quality::BITRATE_RANGE.start(), *Quality::BITRATE_RANGE.end());
    let (rate_control, bitrate) = match quality {
        RecordQuality::Crf(number) => {
            (RateControl::Crf(number), BitsPerSecond((most as u32).clamp(least, highest)))
        }
        RecordQuality::Bitrate(bitrate) => match encoder {
            Choice::Auto | Choice::OpenH264 | Choice::SvtAv1 => (RateControl::Cbr, bitrate),
            _ => (RateControl::Vbr, bitrate),
        },
    };
    let preset = if encoder == its.encoder { its.preset } else { encode::Preset::Auto };
    video::Config {
        encoder,
        preset,
        rate_control,
        bitrate,
        b_frames: its.b_frames.min(encoder.max_b_frames()),
        look_ahead: its.look_ahead.min(encoder.max_look_ahead()),
        ..its
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualities_are_read_as_they_are_written() {
        for text in ["crf=0", "crf=18", "crf=51", "20000000"] {
            assert_eq!(text.parse::<RecordQuality>().unwrap().to_string(), text);
        }
        let of = |text: &str| text.parse::<RecordQuality>();
        assert_eq!(of("20M"), Ok(RecordQuality::Bitrate(BitsPerSecond(20_000_000))));
        for text in ["", "crf=52", "cq=20", "cbr", "vbr", "1k", "900M", "good"] {
            assert!(of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn recordings_have_the_frames_of_the_stream_unless_something_is_chosen() {
        let stream = Quality::default();
        assert_eq!(OwnQuality::default().configs(&stream), []);
        assert_eq!(OwnQuality::default().applied_to(&stream), None);
    }

    #[test]
    fn constant_quality_has_an_encoder_that_offers_it_and_room_for_any_video() {
        let stream = Quality { b_frames: 2, ..Quality::default() };
        let quality = Some(RecordQuality::Crf(18));
        let configs = OwnQuality { quality, ..OwnQuality::default() }.configs(&stream);
        let encoders: Vec<_> = configs.iter().map(|it| (it.encoder, it.b_frames)).collect();
        assert_eq!(encoders, [(Choice::Auto, 0), (Choice::X264, 2)]);
        assert!(configs.iter().all(|it| it.rate_control == RateControl::Crf(18)));
        assert_eq!(configs[1].bitrate, BitsPerSecond(27_648_000));
        let own = OwnQuality { encoder: Some(Choice::X265), ..OwnQuality::default() };
        let config = own.configs(&stream)[0];
        assert_eq!((config.encoder, config.rate_control), (Choice::X265, RateControl::Crf(23)));
        assert_eq!(own.applied_to(&stream).unwrap().video_config(), config);
    }

    #[test]
    fn a_bitrate_is_kept_as_the_encoder_can() {
        let quality = Some(RecordQuality::Bitrate(BitsPerSecond(20_000_000)));
        let of = |encoder| {
            let own = OwnQuality { encoder: Some(encoder), quality, size: None };
            let config = own.configs(&Quality::default())[0];
            (config.rate_control, config.bitrate.0)
        };
        assert_eq!(of(Choice::OpenH264), (RateControl::Cbr, 20_000_000));
        assert_eq!(of(Choice::X264), (RateControl::Vbr, 20_000_000));
    }
    #[test]
    fn a_recording_of_another_size_has_the_aspect_ratio_of_the_program() {
        let of = |program: (u32, u32), chosen: (u32, u32)| {
            let own =
                OwnQuality { size: Some(Size::new(chosen.0, chosen.1)), ..OwnQuality::default() };
            let program = Size::new(program.0, program.1);
            [own.size_for(program), own.composed_size(program)].map(|it| (it.width, it.height))
        };
        assert_eq!(of((1280, 720), (1920, 1080)), [(1920, 1080); 2]);
        assert_eq!(of((1280, 720), (640, 360)), [(640, 360), (1280, 720)]);
        // 854×480 is not exactly 16:9.
        assert_eq!(of((854, 480), (1920, 1080)), [(1920, 1080); 2]);
        assert_eq!(of((960, 720), (1920, 1080)), [(1440, 1080); 2]);
        assert_eq!(of((720, 1280), (1920, 1080)), [(606, 1080), (720, 1280)]);
    }

    #[test]
    fn the_size_alone_gives_recordings_their_own_encode_with_bits_for_its_pixels() {
        let stream = Quality { encoder: Choice::OpenH264, ..Quality::default() };
        let at = |width, height| {
            let size = Some(Size::new(width, height));
            OwnQuality { size, ..OwnQuality::default() }
        };
        let config = at(1920, 1080).configs(&stream)[0];
        assert_eq!(config.size, Size::new(1920, 1080));
        assert_eq!(config.bitrate.0, stream.video_bitrate.0 / 4 * 9);
        assert_eq!(at(1280, 720).configs(&stream), []);
        assert_eq!(at(1920, 1080).applied_to(&stream), None);
        let sharp = OwnQuality { quality: Some(RecordQuality::Crf(18)), ..at(1920, 1080) };
        let sizes: Vec<_> = sharp.configs(&stream).iter().map(|it| it.size.height).collect();
        assert_eq!(sizes, [1080]);
        assert_eq!(sharp.applied_to(&stream).unwrap().size, stream.size);
    }
}
