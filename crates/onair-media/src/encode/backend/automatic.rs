//! Chooses encoders and presets from the measured speeds: for *Automatic*, and for the three aims
//! that the window offers. This module is pure.

use crate::encode::backend::inventory::KnownEncoder;
use crate::encode::choice::{Choice, Preset};
use crate::media::{FrameRate, Size};

/// An encoder must be this much faster than the frames come, so that a third of the computer stays
/// free for everything else.
const MIN_SPEED_FACTOR: f64 = 1.5;

/// The size at which encoders are measured.
const MEASURED_SIZE: Size = Size::new(1280, 720);

/// The encoders of graphics cards that write H.264, the best first.
const H264_OF_CARDS: [Choice; 4] =
    [Choice::H264Nvenc, Choice::H264Qsv, Choice::H264Amf, Choice::H264Mf];

/// The presets that are chosen automatically, and the time that each takes in relation to the usual
/// preset, the slowest first. Measured with x264 164, x265 199 and SVT-AV1 4.1 at 720p.
const X264_COSTS: [(&str, f64); 6] = [
    ("medium", 2.6),
    ("fast", 2.2),
    ("faster", 1.7),
    ("veryfast", 1.0),
    ("superfast", 0.7),
    ("ultrafast", 0.5),
];
const X265_COSTS: [(&str, f64); 3] = [("veryfast", 1.8), ("superfast", 1.5), ("ultrafast", 1.0)];
const SVT_AV1_COSTS: [(&str, f64); 5] =
    [("8", 1.6), ("9", 1.2), ("10", 1.0), ("11", 0.95), ("12", 0.85)];

/// What a user wants from the encoder.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The best picture that this computer can encode, whatever the codec is.
    BestQuality,
    /// As little work for the processor as possible.
    LeastCpu,
    /// The best picture that every target and viewer takes.
    WidestReach,
}

/// An encoder with its preset.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Selection {
    pub encoder: Choice,
    pub preset: Preset,
    /// The measured speed with this preset for the size, in frames per second.
    pub speed: Option<f64>,
}

impl Selection {
    const BUILT_IN: Self = Self { encoder: Choice::OpenH264, preset: Preset::Auto, speed: None };
}

/// Returns the encoder for an aim.
pub fn select(known: &[KnownEncoder], aim: Aim, size: Size, rate: FrameRate) -> Selection {
    let fits = |encoder: &Choice| fastest_enough(known, *encoder, size, rate);
    let of_cards = || H264_OF_CARDS.iter().find_map(fits);
    let found = match aim {
        Aim::BestQuality => {
            let all = [Choice::SvtAv1, Choice::X265, Choice::X264];
            all.iter().find_map(fits).or_else(of_cards)
        }
        Aim::LeastCpu => of_cards(),
        Aim::WidestReach => of_cards().or_else(|| fits(&Choice::X264)),
    };
    found.unwrap_or(Selection::BUILT_IN)
}

/// Returns the lightest presets below a preset, the nearest first.
pub(in crate::encode) fn lighter(encoder: Choice, preset: &str) -> Option<&'static str> {
    let all = encoder.presets();
    let place = all.iter().position(|name| *name == preset)?;
    all.get(place.checked_sub(1)?).copied()
}

/// Returns an encoder with the best preset for which this computer is fast enough.
fn fastest_enough(
    known: &[KnownEncoder],
    encoder: Choice,
    size: Size,
    rate: FrameRate,
) -> Option<Selection> {
    let known = known.iter().find(|it| it.choice == Some(encoder))?;
    let measured = known.speed_720p.filter(|_| known.unavailable.is_none())?;
    let pixels = size.pixels().max(1) as f64;
    let speed = measured * MEASURED_SIZE.pixels() as f64 / pixels;
    let enough = |cost: f64| speed / cost >= MIN_SPEED_FACTOR * rate.as_f64();
    let costs: &[(&'static str, f64)] = match encoder {
        Choice::X264 => &X264_COSTS,
        Choice::X265 => &X265_COSTS,
        Choice::SvtAv1 => &SVT_AV1_COSTS,
        // The presets of graphics cards cost no time of the processor.
        _ => {
            let chosen = Selection { encoder, preset: Preset::Auto, speed: Some(speed) };
            return enough(1.0).then_some(chosen);
        }
    };
    let (preset, cost) = costs.iter().find(|(_, cost)| enough(*cost))?;
    Some(Selection { encoder, preset: Preset::Named(preset), speed: Some(speed / cost) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::backend::process::Trouble;
    use crate::encode::error::Error;
    use crate::media::{Codec, VideoCodec};

    fn known(encoder: Choice, speed: Option<f64>) -> KnownEncoder {
        let trouble = Trouble::NotTried;
        let error = Error::Process { encoder: encoder.name(), trouble };
        KnownEncoder {
            choice: Some(encoder),
            name: encoder.name(),
            library: "",
            codec: Codec::Video(encoder.codec().unwrap_or(VideoCodec::H264)),
            hardware: false,
            unavailable: speed.is_none().then_some(error),
            speed_720p: speed,
        }
    }

    fn of(all: &[(Choice, f64)], aim: Aim, height: u32) -> (Choice, &'static str) {
        let all: Vec<_> = all.iter().map(|(it, speed)| known(*it, Some(*speed))).collect();
        let size = Size::new(height * 16 / 9, height);
        let chosen = select(&all, aim, size, FrameRate::FPS_30);
        (chosen.encoder, chosen.preset.name())
    }

    #[test]
    fn the_best_preset_that_leaves_a_third_of_the_computer_is_chosen() {
        let reach = |speed, height| of(&[(Choice::X264, speed)], Aim::WidestReach, height);
        assert_eq!(reach(120.0, 720), (Choice::X264, "medium"));
        assert_eq!(reach(100.0, 720), (Choice::X264, "fast"));
        assert_eq!(reach(46.0, 720), (Choice::X264, "veryfast"));
        assert_eq!(reach(30.0, 720), (Choice::X264, "ultrafast"));
        // A slower computer uses the built-in encoder.
        assert_eq!(reach(22.0, 720), (Choice::OpenH264, "auto"));
        assert_eq!(reach(120.0, 1080), (Choice::X264, "veryfast"));
    }

    #[test]
    fn each_aim_has_its_order_of_encoders() {
        let all = [(Choice::X264, 90.0), (Choice::SvtAv1, 60.0), (Choice::H264Nvenc, 400.0)];
        assert_eq!(of(&all, Aim::BestQuality, 720), (Choice::SvtAv1, "9"));
        assert_eq!(of(&all, Aim::LeastCpu, 720), (Choice::H264Nvenc, "auto"));
        assert_eq!(of(&all, Aim::WidestReach, 720), (Choice::H264Nvenc, "auto"));
        // SVT-AV1 is too slow for 1080p here.
        assert_eq!(of(&all[..2], Aim::BestQuality, 1080), (Choice::X264, "superfast"));
        assert_eq!(of(&all[..2], Aim::LeastCpu, 720).0, Choice::OpenH264);
        let none = [known(Choice::X264, None), known(Choice::OpenH264, None)];
        let size = Size::new(1280, 720);
        let chosen = select(&none, Aim::WidestReach, size, FrameRate::FPS_30);
        assert_eq!(chosen, Selection::BUILT_IN);
    }

    #[test]
    fn every_preset_but_the_fastest_has_a_lighter_one() {
        assert_eq!(lighter(Choice::X264, "veryfast"), Some("superfast"));
        assert_eq!(lighter(Choice::X264, "ultrafast"), None);
        assert_eq!(lighter(Choice::SvtAv1, "9"), Some("10"));
        assert_eq!(lighter(Choice::OpenH264, "auto"), None);
        for costs in [&X264_COSTS[..], &X265_COSTS, &SVT_AV1_COSTS] {
            assert!(costs.is_sorted_by(|one, next| one.1 > next.1), "{costs:?}");
        }
    }
}
