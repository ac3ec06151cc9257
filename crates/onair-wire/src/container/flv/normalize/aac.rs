//! AAC without a config: derives it from the frames. A frame has 1,024 samples, so the times of frames show the sample
//! rate, and the first element of a frame shows whether it is mono or stereo (ISO/IEC 14496-3, Table 4.3).

use bytes::Bytes;

use super::remark::{MIN_BARE_BODIES, Remark};
use crate::wire::codec::aac::AudioSpecificConfig;
use crate::wire::codec::four_cc::AudioFormat;
use crate::wire::container::flv::audio::AudioPacket;
use crate::wire::container::flv::{Metadata, parse_audio};

/// Samples of a frame.
const FRAME_SAMPLES: u64 = 1_024;
/// The shortest observation, in milliseconds.
const MIN_OBSERVATION_MS: u32 = 1_000;
/// Maximum distance of times that belong to one observation, in milliseconds.
const MAX_FRAME_STEP_MS: u32 = 300;
/// Sample rates, and their maximum error in percent. They differ by more than twice that.
const SAMPLE_RATES: [u32; 12] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000];
const MAX_ERROR_PERCENT: u64 = 3;

/// The AAC track of a publisher.
#[derive(Debug, Default)]
pub(super) struct AacTrack {
    has_config: bool,
    /// The number of channels in the metadata.
    declared: Option<u16>,
    /// The time of the first and the last frame of the observation, and the number of frames after the first.
    observed: Option<(u32, u32, u32)>,
    /// Frames without a config.
    bare: u32,
}

impl AacTrack {
    pub fn declare(&mut self, metadata: &Metadata) {
        self.declared = metadata.channels.or(self.declared);
    }

    /// Takes a body. Returns a config that must precede it, if any.
    pub fn take(
        &mut self,
        time_ms: u32,
        body: &Bytes,
        remark: &mut dyn FnMut(Remark),
    ) -> Option<Bytes> {
        if self.has_config {
            return None;
        }
        let tag = parse_audio(body).ok()?;
        if tag.is_multitrack || tag.track.format != AudioFormat::Aac {
            return None;
        }
        match &tag.track.packet {
            AudioPacket::SequenceStart(config) => {
                self.has_config = AudioSpecificConfig::parse(config).is_ok();
                None
            }
            AudioPacket::Frame(data) if !data.is_empty() => {
                self.bare = self.bare.saturating_add(1);
                let config = self.observe(time_ms, data);
                if config.is_some() {
                    self.has_config = true;
                    remark(Remark::AudioConfigDerived);
                } else if self.bare == 2 * MIN_BARE_BODIES {
                    remark(Remark::NoAudioConfig);
                }
                config
            }
            _ => None,
        }
    }

    /// Observes a frame. Returns the config once it is known.
    fn observe(&mut self, time_ms: u32, data: &[u8]) -> Option<Bytes> {
        let next = self.observed.and_then(|(since, last, frames)| {
            let step = time_ms.wrapping_sub(last);
            (step <= MAX_FRAME_STEP_MS).then_some((since, time_ms, frames + 1))
        });
        let (since, last, frames) = next.unwrap_or((time_ms, time_ms, 0));
        self.observed = Some((since, last, frames));
        let elapsed_ms = last.wrapping_sub(since);
        if elapsed_ms < MIN_OBSERVATION_MS {
            return None;
        }
        let measured = u64::from(frames) * FRAME_SAMPLES * 1_000 / u64::from(elapsed_ms);
        let error = |rate: u32| measured.abs_diff(rate.into()) * 100 / u64::from(rate);
        let rate = SAMPLE_RATES.into_iter().find(|rate| error(*rate) < MAX_ERROR_PERCENT);
        let channels = match (self.declared, data.first()? >> 5) {
            // A single or a pair of channels comes first. Without metadata, more channels are unlikely.
            (Some(3..), _) => None,
            (_, 0) => Some(1),
            (_, 1) => Some(2),
            _ => None,
        };
        let Some((rate, channels)) = rate.zip(channels) else {
            // Frames may have been lost.
            self.observed = None;
            return None;
        };
        let config = AudioSpecificConfig::lc(rate, channels).ok()?.build().ok()?;
        Some([&[0xAF, 0], &config[..]].concat().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the config after this number of frames, which last this many microseconds.
    fn derived(
        frames: u32,
        micros: u32,
        head: u8,
        channels: Option<u16>,
    ) -> (Option<Bytes>, Vec<Remark>) {
        let (mut track, mut remarks) = (AacTrack::default(), Vec::new());
        track.declare(&Metadata { channels, ..Metadata::default() });
        let body = Bytes::copy_from_slice(&[0xAF, 1, head, 0x10, 4]);
        let found = (0..frames)
            .find_map(|at| track.take(at * micros / 1_000, &body, &mut |it| remarks.push(it)));
        (found, remarks)
    }

    #[test]
    fn the_config_follows_from_the_times_and_the_first_element() {
        let config = |rate, channels| {
            let config = AudioSpecificConfig::lc(rate, channels).unwrap().build().unwrap();
            Some(Bytes::from([&[0xAF, 0], &config[..]].concat()))
        };
        for (micros, head, expected) in [
            (21_333, 0x21, config(48_000, 2)),
            (23_220, 0x21, config(44_100, 2)),
            (42_667, 0x00, config(24_000, 1)),
            (21_333, 0x60, None),
            (26_122, 0x21, None),
        ] {
            assert_eq!(derived(60, micros, head, None).0, expected, "{micros} {head}");
        }
        assert_eq!(derived(60, 21_333, 0, Some(6)).0, None, "surround sound");
    }

    #[test]
    fn audio_that_stays_unknown_is_remarkable_once() {
        assert_eq!(derived(500, 21_333, 0x60, None).1, [Remark::NoAudioConfig]);
        assert_eq!(derived(60, 21_333, 0x21, None).1, [Remark::AudioConfigDerived]);
    }

    #[test]
    fn a_config_of_the_publisher_ends_the_search() {
        let mut track = AacTrack::default();
        let mut take = |time, body: &'static [u8]| {
            track.take(time, &Bytes::from_static(body), &mut |remark| panic!("{remark:?}"))
        };
        assert_eq!(take(0, &[0xAF, 0, 0x11, 0x90]), None);
        assert!((0..200).all(|at| take(at * 21, &[0xAF, 1, 0x21, 0]).is_none()));
    }
}
