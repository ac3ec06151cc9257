//! The loudness that the program should have, and the loudness of the last minutes.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::mix::Reading;
use crate::studio::targets::Target;
use crate::studio::targets::services::ServiceList;

/// Length of the loudness history in seconds.
const HISTORY_SECONDS: usize = 600;
/// The range of loudness targets in LUFS.
pub const LOUDNESS_TARGET_RANGE_LUFS: RangeInclusive<i8> = -40..=-5;
/// The usual loudness in LUFS at which streaming services play.
const DEFAULT_LUFS: i8 = -14;
/// The deviation in LU that EBU R 128 permits for live programs.
const TOLERANCE_LU: f32 = 1.0;

/// The loudness that the program should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoudnessTarget {
    pub lufs: i8,
    /// The name of the service that states this value.
    pub service: Option<String>,
}

impl LoudnessTarget {
    /// Returns the chosen target. `None` means the lowest value of the services that get the
    /// stream, or the usual value if none of them states a value.
    pub fn of<'a>(
        chosen: Option<i8>,
        targets: impl Iterator<Item = &'a Target>,
        services: &ServiceList,
    ) -> Self {
        if let Some(lufs) = chosen {
            return Self { lufs, service: None };
        }
        let enabled = targets.filter(|target| target.enabled);
        let known = enabled.filter_map(|it| services.of_target(&it.service, it.server()));
        let stated = known.filter_map(|service| {
            Some(Self { lufs: service.loudness?, service: Some(service.name.to_string()) })
        });
        stated.min_by_key(|it| it.lufs).unwrap_or(Self { lufs: DEFAULT_LUFS, service: None })
    }

    /// Compares the integrated loudness of the program with the target.
    pub fn judge(&self, integrated_lufs: Option<f32>) -> LoudnessVerdict {
        let Some(lufs) = integrated_lufs else { return LoudnessVerdict::Unknown };
        let above = lufs - f32::from(self.lufs);
        if above.abs() <= TOLERANCE_LU {
            LoudnessVerdict::OnTarget
        } else if above > 0.0 {
            LoudnessVerdict::Above(above)
        } else {
            LoudnessVerdict::Below(-above)
        }
    }
}

/// The result of a comparison with the target, with the difference in LU.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum LoudnessVerdict {
    /// The program has been silent so far.
    Unknown,
    OnTarget,
    Above(f32),
    Below(f32),
}

/// The short-term loudness of the program in LUFS at each of the last seconds, oldest first. `None`
/// means silence.
pub type LoudnessHistory = VecDeque<Option<f32>>;

/// Adds the reading of another second.
pub(crate) fn note(history: &mut Arc<LoudnessHistory>, reading: &Reading) {
    let history = Arc::make_mut(history);
    if history.len() >= HISTORY_SECONDS {
        history.pop_front();
    }
    history.push_back(reading.short_term_lufs);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::targets::TargetPlace;

    fn target(service: &str, server: &str, enabled: bool) -> Target {
        let place = TargetPlace::Custom { server: server.to_owned(), key: String::new().into() };
        Target { service: service.to_owned(), place, enabled, ..Target::built_in() }
    }

    #[test]
    fn the_target_is_the_chosen_one_or_that_of_a_service_in_use() {
        let services = ServiceList::default();
        let of = |chosen, all: &[Target]| {
            let target = LoudnessTarget::of(chosen, all.iter(), &services);
            (target.lufs, target.service)
        };
        let usual = (-14, None);
        assert_eq!(of(None, &[]), usual);
        let youtube = (-14, Some("YouTube".to_owned()));
        assert_eq!(of(None, &[target("twitch", "", true), target("youtube", "", true)]), youtube);
        // A service is also recognized by its address.
        let server = "rtmps://a.rtmps.youtube.com:443/live2";
        assert_eq!(of(None, &[target("", server, true)]), youtube);
        assert_eq!(of(None, &[target("youtube", "", false)]), usual);
        assert_eq!(of(Some(-23), &[target("youtube", "", true)]), (-23, None));
    }

    #[test]
    fn a_live_program_may_be_one_unit_off() {
        let target = LoudnessTarget { lufs: -14, service: None };
        assert_eq!(target.judge(None), LoudnessVerdict::Unknown);
        for lufs in [-13.0, -14.2, -15.0] {
            assert_eq!(target.judge(Some(lufs)), LoudnessVerdict::OnTarget);
        }
        assert_eq!(target.judge(Some(-11.5)), LoudnessVerdict::Above(2.5));
        assert_eq!(target.judge(Some(-23.0)), LoudnessVerdict::Below(9.0));
    }

    #[test]
    fn ten_minutes_are_kept() {
        let mut history = Arc::new(LoudnessHistory::new());
        let reading = |lufs| Reading { short_term_lufs: lufs, ..Reading::default() };
        note(&mut history, &reading(None));
        let before = Arc::clone(&history);
        for second in 0..HISTORY_SECONDS {
            note(&mut history, &reading(Some(-(second as f32) / 100.0)));
        }
        assert_eq!((history.len(), history.front()), (HISTORY_SECONDS, Some(&Some(0.0))));
        assert_eq!(*before, [None], "what the window reads does not change under it");
    }
}
