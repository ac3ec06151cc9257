//! Notices about settings that exceed the limits of the targets' services.

use crate::studio::notices::message::StudioMessage;
use crate::studio::targets::Target;
use crate::studio::targets::quality::Quality;
use crate::studio::targets::services::{Misfit, ServiceList};

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
            (rich, "Twitch allows at most 6\u{a0}000 kbps of video; your setting is 8\u{a0}000."),
            (loud, "Twitch allows at most 320 kbps of audio; your setting is 384."),
            (rare, "Twitch needs a keyframe at least every 2 s; your setting is 5 s."),
            (tall, "Twitch allows a maximum video height of 1080 pixels; your setting is 1440."),
            (fast, "Twitch allows at most 60 fps; your setting is 120."),
        ] {
            assert_eq!(messages(&quality), [sentence]);
        }
    }
}
