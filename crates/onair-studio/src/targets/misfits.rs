//! Settings that exceed the limits of a service, and the notices about them.

use crate::studio::notices::message::StudioMessage;
use crate::studio::targets::Target;
use crate::studio::targets::quality::Quality;
use crate::studio::targets::services::{Limits, Service, ServiceList};
use crate::text::problem::{Problem, problem};

/// A property of a stream that exceeds a service's limit: `most` is the limit, and `is` the
/// configured value.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The video bitrate is too high, in kbit/s.
    Video { most: u32, is: u32 },
    /// The audio bitrate is too high, in kbit/s.
    Audio { most: u32, is: u32 },
    /// The keyframe interval is too long, in seconds.
    Keyframes { most: u64, is: u64 },
    /// The frame has too many lines.
    Height { most: u32, is: u32 },
    /// The frame rate is too high.
    Rate { most: u32, is: u32 },
}

impl Misfit {
    /// Returns the limit of the service, and the configured value.
    pub fn numbers(self) -> (u64, u64) {
        match self {
            Self::Video { most, is }
            | Self::Audio { most, is }
            | Self::Height { most, is }
            | Self::Rate { most, is } => (most.into(), is.into()),
            Self::Keyframes { most, is } => (most, is),
        }
    }

    /// Returns the text of the misfit, with the limit of the service with this name, and the
    /// configured value.
    pub fn problem(self, service: &str) -> Problem {
        let (most, is) = self.numbers();
        let (service, most, is) = (service.to_owned(), most.to_string(), is.to_string());
        match self {
            Self::Video { .. } => problem!("misfit-video", service = service, most = most, is = is),
            Self::Audio { .. } => problem!("misfit-audio", service = service, most = most, is = is),
            Self::Keyframes { .. } => {
                problem!("misfit-keyframes", service = service, most = most, is = is)
            }
            Self::Height { .. } => {
                problem!("misfit-height", service = service, most = most, is = is)
            }
            Self::Rate { .. } => problem!("misfit-rate", service = service, most = most, is = is),
        }
    }
}

impl Service {
    /// Returns the limits of the service that a stream of this quality exceeds.
    pub fn misfits(&self, quality: &Quality) -> Vec<Misfit> {
        let Limits { video, audio, keyframe_seconds, height, fps } = self.limits;
        let mut misfits = Vec::new();
        if let Some(most) = video.filter(|most| quality.video_bitrate.0 > most.0) {
            let (most, is) = (most.0 / 1_000, quality.video_bitrate.0 / 1_000);
            misfits.push(Misfit::Video { most, is });
        }
        if let Some(most) = audio.filter(|most| quality.audio_bitrate.0 > most.0) {
            let (most, is) = (most.0 / 1_000, quality.audio_bitrate.0 / 1_000);
            misfits.push(Misfit::Audio { most, is });
        }
        let every = quality.keyframe_interval.as_millis();
        if every > u128::from(keyframe_seconds) * 1_000 {
            let is = u64::try_from(every.div_ceil(1_000)).unwrap_or(u64::MAX);
            misfits.push(Misfit::Keyframes { most: keyframe_seconds, is });
        }
        if let Some(most) = height.filter(|most| quality.size.height > *most) {
            misfits.push(Misfit::Height { most, is: quality.size.height });
        }
        let rate = quality.frame_rate.num().div_ceil(quality.frame_rate.den());
        if let Some(most) = fps.filter(|most| rate > *most) {
            misfits.push(Misfit::Rate { most, is: rate });
        }
        misfits
    }

    /// Returns the quality with excessive values reduced to the limits of the service. The frame
    /// size stays unchanged, because only the user can decide how to change it.
    pub fn fit(&self, quality: &Quality) -> Quality {
        let mut fit = quality.clone();
        if let Some(most) = self.limits.video {
            fit.video_bitrate.0 = fit.video_bitrate.0.min(most.0);
        }
        if let Some(most) = self.limits.audio {
            fit.audio_bitrate.0 = fit.audio_bitrate.0.min(most.0);
        }
        let most = std::time::Duration::from_secs(self.limits.keyframe_seconds);
        fit.keyframe_interval = fit.keyframe_interval.min(most);
        fit
    }
}

/// Returns one notice for each limit that a stream of this quality exceeds at an enabled target.
pub fn misfits(
    targets: &[Target],
    services: &ServiceList,
    quality: &Quality,
) -> Vec<StudioMessage> {
    let enabled = targets.iter().filter(|target| target.enabled);
    let known = enabled.filter_map(|it| services.of_target(&it.service, it.server()));
    known
        .flat_map(|service| service.misfits(quality).into_iter().map(move |it| (service, it)))
        .map(|(service, misfit)| StudioMessage::Misfit {
            reason: misfit.problem(&service.name),
            kbps: match misfit {
                Misfit::Video { most, .. } => Some(most),
                _ => None,
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{BitsPerSecond, FrameRate, Size};
    use crate::studio::notices::Remedy;
    use std::time::Duration;

    #[test]
    fn each_limit_of_each_enabled_service_is_named_with_its_value() {
        let target = |service: &str, enabled| Target {
            service: service.to_owned(),
            enabled,
            ..Target::built_in()
        };
        let targets = [target("twitch", true), target("kick", false), target("school", true)];
        let messages = |quality: &Quality| -> Vec<String> {
            misfits(&targets, &ServiceList::default(), quality)
                .iter()
                .map(|it| it.problem().to_string())
                .collect()
        };
        let usual = Quality::default();
        assert_eq!(messages(&usual), Vec::<String>::new());
        let rich = Quality { video_bitrate: BitsPerSecond(8_000_000), ..usual };
        let lowered = misfits(&targets, &ServiceList::default(), &rich);
        assert_eq!(lowered[0].remedies(), [Remedy::LowerBitrate(6_000)]);
        let loud = Quality { audio_bitrate: BitsPerSecond(384_000), ..usual };
        let rare = Quality { keyframe_interval: Duration::from_secs(5), ..usual };
        let tall = Quality { size: Size { width: 2_560, height: 1_440 }, ..usual };
        let fast = Quality { frame_rate: FrameRate::new(120, 1).unwrap(), ..usual };
        for (quality, sentence) in [
            (
                rich,
                "Twitch allows at most 6\u{a0}000\u{a0}kbps of video; your setting is 8\u{a0}000.",
            ),
            (loud, "Twitch allows at most 320\u{a0}kbps of audio; your setting is 384."),
            (rare, "Twitch needs a keyframe at least every 2 s; your setting is 5 s."),
            (tall, "Twitch allows a maximum video height of 1080 pixels; your setting is 1440."),
            (fast, "Twitch allows at most 60 fps; your setting is 120."),
        ] {
            assert_eq!(messages(&quality), [sentence]);
        }
    }

    #[test]
    fn settings_that_a_service_does_not_accept_are_named_and_can_be_adapted() {
        let book = ServiceList::default();
        let twitch = book.find("twitch").unwrap();
        assert_eq!(twitch.misfits(&Quality::default()), []);
        let rich = Quality {
            video_bitrate: BitsPerSecond(8_000_000),
            audio_bitrate: BitsPerSecond(384_000),
            keyframe_interval: Duration::from_millis(2_500),
            ..Quality::default()
        };
        assert_eq!(
            twitch.misfits(&rich),
            [
                Misfit::Video { most: 6_000, is: 8_000 },
                Misfit::Audio { most: 320, is: 384 },
                Misfit::Keyframes { most: 2, is: 3 },
            ]
        );
        assert_eq!(twitch.misfits(&twitch.fit(&rich)), []);
    }
}
