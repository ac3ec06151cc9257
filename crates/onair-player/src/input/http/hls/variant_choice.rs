//! Chooses the variant of a master playlist: the best one that fits the measured bandwidth and that
//! this computer can decode in time. This module is pure.

use std::time::Duration;

use crate::media::VideoCodec;
use crate::player::session::decode_budget::DecodeBudget;
use crate::wire::hls::{Variant, VariantVideo};
use onair_media::decode::inventory;

/// The share of the bandwidth that the current variant may use.
const CURRENT_VARIANT_SHARE: f64 = 0.9;
/// The share of the bandwidth that a newly chosen variant may use.
const NEW_VARIANT_SHARE: f64 = 0.7;
/// The weight of a new measurement.
const MEASUREMENT_WEIGHT: f64 = 0.4;
/// The assumed frame rate of a variant that declares none.
const DEFAULT_FRAME_RATE: f64 = 30.0;
/// Minimum size in bytes of a download that is used for the bandwidth measurement.
const MIN_SAMPLE_BYTES: usize = 8 << 10;

/// The measured bandwidth to the server.
#[derive(Debug, Default)]
pub(super) struct Bandwidth {
    /// Estimate in bits per second.
    estimate: Option<f64>,
}

impl Bandwidth {
    /// Records that this many bytes arrived in this time.
    pub fn note(&mut self, bytes: usize, took: Duration) {
        if bytes < MIN_SAMPLE_BYTES {
            return;
        }
        let rate = bytes as f64 * 8.0 / took.as_secs_f64().max(0.001);
        let weight = |old: f64| old + (rate - old) * MEASUREMENT_WEIGHT;
        self.estimate = Some(self.estimate.map_or(rate, weight));
    }

    /// Chooses the next variant; `now` is the current one.
    pub fn choose(
        &self,
        variants: &[Variant],
        now: usize,
        can: &dyn Fn(&Variant) -> bool,
    ) -> usize {
        let Some(estimate) = self.estimate else { return now };
        let playing = variants.get(now);
        let rate = playing.map_or(0, |variant| variant.bandwidth);
        let fits = |variant: &Variant| {
            let share =
                if variant.bandwidth > rate { NEW_VARIANT_SHARE } else { CURRENT_VARIANT_SHARE };
            variant.bandwidth as f64 <= estimate * share
        };
        // Another codec causes an interruption, so it is chosen only if nothing else fits.
        let alike =
            |variant: &Variant| playing.is_none_or(|playing| playing.video() == variant.video());
        let of = |wanted: &dyn Fn(&Variant) -> bool| {
            let those = candidates(variants, can).filter(|(_, variant)| wanted(variant));
            those.max_by_key(|(_, variant)| rank(variant)).map(|(at, _)| at)
        };
        let least = || {
            candidates(variants, can).min_by_key(|(_, variant)| variant.bandwidth).map(|(at, _)| at)
        };
        of(&|it| fits(it) && alike(it)).or_else(|| of(&fits)).or_else(least).unwrap_or(now)
    }
}

/// Returns the best variant below the current one, with the same codec if possible.
pub(super) fn lesser(
    variants: &[Variant],
    now: usize,
    can: &dyn Fn(&Variant) -> bool,
) -> Option<usize> {
    let playing = variants.get(now)?;
    let those = candidates(variants, can).filter(|(_, it)| it.bandwidth < playing.bandwidth);
    let alike = |it: &Variant| it.video() == playing.video();
    those.max_by_key(|(_, it)| (alike(it), rank(it))).map(|(at, _)| at)
}

/// Returns the rank of fitting variants: the highest bitrate, then the least decoding work.
fn rank(variant: &Variant) -> (u64, bool, bool) {
    (variant.bandwidth, !variant.hdr, variant.video() == VariantVideo::Of(VideoCodec::H264))
}

/// Returns the decodable variants with video, or else those with a known codec, or else all
/// variants.
fn candidates<'a>(
    variants: &'a [Variant],
    can: &dyn Fn(&Variant) -> bool,
) -> impl Iterator<Item = (usize, &'a Variant)> {
    let good = |variant: &Variant| can(variant) && !variant.is_audio_only();
    let known = |variant: &Variant| is_known(variant) && !variant.is_audio_only();
    // If all variants are too demanding, those with a known codec are candidates.
    let level = if variants.iter().any(good) { 2 } else { u8::from(variants.iter().any(known)) };
    let chosen: Vec<_> = variants
        .iter()
        .enumerate()
        .filter(|(_, variant)| match level {
            2 => good(variant),
            1 => known(variant),
            _ => true,
        })
        .collect();
    chosen.into_iter()
}

/// Returns true if the variant's video codec has a decoder, or is not declared.
fn is_known(variant: &Variant) -> bool {
    match variant.video() {
        VariantVideo::Of(codec) => inventory::video_decoder(codec).is_ok(),
        VariantVideo::Unknown => false,
        VariantVideo::Undeclared => true,
    }
}

/// Returns true if the variant's video can be decoded in time.
pub(super) fn is_playable(variant: &Variant, decode_budget: &DecodeBudget) -> bool {
    let in_time = || {
        let (VariantVideo::Of(codec), Some((width, height))) =
            (variant.video(), variant.resolution)
        else {
            return true;
        };
        let pixels = f64::from(width) * f64::from(height);
        decode_budget.carries(codec, pixels * variant.frame_rate.unwrap_or(DEFAULT_FRAME_RATE))
    };
    is_known(variant) && in_time()
}

/// Returns the variant to begin with: the first candidate in the playlist, as its author intended.
/// If an H.264 candidate has the same size or bitrate, that one is returned instead.
pub(super) fn first(variants: &[Variant], can: &dyn Fn(&Variant) -> bool) -> usize {
    let all = || candidates(variants, can);
    let Some((at, first)) = all().next() else { return 0 };
    let same = |variant: &Variant| {
        let alike = variant.bandwidth == first.bandwidth
            || variant.resolution.is_some() && variant.resolution == first.resolution;
        alike && variant.video() == VariantVideo::Of(VideoCodec::H264)
    };
    if same(first) {
        return at;
    }
    all().find(|(_, variant)| same(variant)).map_or(at, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(bandwidth: u64, codecs: &str) -> Variant {
        Variant {
            uri: String::new(),
            bandwidth,
            resolution: codecs.contains("avc1").then_some((16, 16)),
            codecs: Some(codecs.to_owned()),
            frame_rate: None,
            hdr: false,
            audio: None,
        }
    }

    #[test]
    fn the_line_decides_and_does_not_waver() {
        let variants = [
            variant(9_000_000, "hvc1.1"),
            variant(1_000_000, "avc1.4d,mp4a.40.2"),
            variant(3_000_000, "avc1.4d,mp4a.40.2"),
            variant(64_000, "mp4a.40.2"),
        ];
        // Without an HEVC decoder.
        let can = |variant: &Variant| variant.video() == VariantVideo::Of(VideoCodec::H264);
        assert_eq!(first(&variants, &can), 1);
        let mut line = Bandwidth::default();
        assert_eq!(line.choose(&variants, 1, &can), 1);
        let second = Duration::from_secs(1);
        let mut at = |kbps: usize, times: usize, now| {
            (0..times).for_each(|_| line.note(kbps * 125, second));
            line.choose(&variants, now, &can)
        };
        assert_eq!(at(4_000, 1, 1), 1, "not enough to go up");
        assert_eq!(at(5_000, 12, 1), 2);
        assert_eq!(at(3_500, 20, 2), 2, "enough to stay");
        assert_eq!(at(2_000, 20, 2), 1);
        assert_eq!(at(100, 30, 1), 1, "the least of them, and not the sound alone");
        assert_eq!(first(&variants[3..], &can), 0);
    }

    #[test]
    fn a_variant_that_does_not_load_is_followed_by_the_best_lower_one_of_its_codec() {
        let all = |_: &Variant| true;
        let variants = [
            variant(9_000_000, "avc1.64"),
            variant(6_000_000, "hvc1.1"),
            variant(5_000_000, "avc1.64"),
            variant(500_000, "hvc1.1"),
            variant(64_000, "mp4a.40.2"),
        ];
        let below = |now| lesser(&variants, now, &all);
        assert_eq!([0, 1, 2].map(below), [Some(2), Some(3), Some(3)]);
        // An audio-only variant is not a lower quality of the video.
        assert_eq!((below(3), below(9)), (None, None));
        let small = |it: &Variant| it.bandwidth < 1_000_000;
        assert_eq!(lesser(&variants, 0, &small), Some(3));
    }

    #[test]
    fn a_codec_is_kept_and_h264_is_first_among_equals() {
        let all = |variant: &Variant| variant.video() != VariantVideo::Unknown;
        let variants = [
            variant(3_000_000, "dvh1.05"),
            variant(3_000_000, "hvc1.1"),
            variant(3_000_000, "avc1.64"),
            variant(6_000_000, "av01.0"),
            variant(5_000_000, "avc1.64"),
            variant(500_000, "hvc1.1"),
        ];
        assert_eq!(first(&variants, &all), 2);
        assert_eq!(first(&variants[3..], &all), 0, "no H.264 is the same");
        let second = Duration::from_secs(1);
        let mut line = Bandwidth::default();
        let mut at = |kbps: usize, now| {
            (0..30).for_each(|_| line.note(kbps * 125, second));
            line.choose(&variants, now, &all)
        };
        assert_eq!(at(50_000, 2), 4, "the best of its own codec");
        assert_eq!(at(50_000, 3), 3);
        assert_eq!(at(1_000, 4), 5, "another codec where nothing else fits");
        assert_eq!(at(100, 4), 5);
        // Variants that are too slow to decode are avoided, as long as another exists.
        let decode_budget = DecodeBudget::default();
        let slow = Duration::from_millis(20);
        (0..25).for_each(|_| decode_budget.note(VideoCodec::H264, 1_000_000, slow));
        let big = Variant { resolution: Some((3_840, 2_160)), ..variants[4].clone() };
        let small = Variant { resolution: Some((640, 360)), ..variants[2].clone() };
        assert!(!is_playable(&big, &decode_budget) && is_playable(&small, &decode_budget));
        let slow = |variant: &Variant| is_playable(variant, &decode_budget);
        let both = [big, small];
        assert_eq!((first(&both, &slow), first(&both[..1], &slow)), (1, 0));
    }
}
