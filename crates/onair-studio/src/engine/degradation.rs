//! Chooses the messages about the degradation of the program. This module is pure.

use crate::compose::degradation::Degradation;
use crate::studio::notices::message::StudioMessage;

/// The parts of the program that only some users have, and that degradation affects.
#[derive(Copy, Clone, Debug)]
pub struct DegradableParts {
    /// True if there is a preview, a multiview, or a projector of a scene or source.
    pub views: bool,
    /// True if there are filters that degradation skips.
    pub costly_filters: bool,
}

/// The degradation, and the last message about it.
#[derive(Copy, Clone, Debug, Default)]
pub struct ReportedDegradation {
    level: Degradation,
    /// The highest level up to `level` that affects a part of the program.
    noticed: Degradation,
}

impl ReportedDegradation {
    /// Returns the current level.
    pub fn level(&self) -> Degradation {
        self.level
    }

    /// Takes the current level. Returns a message if the level affects something else than before.
    /// `is_reported` is true if a notice about degradation is active: without one, because the user has
    /// dismissed it, an improvement is not reported.
    pub fn update(
        &mut self,
        level: Degradation,
        parts: DegradableParts,
        is_reported: bool,
    ) -> Option<StudioMessage> {
        let noticed = match level {
            Degradation::Preview if !parts.views => Degradation::None,
            Degradation::Filters if !parts.costly_filters => Degradation::Transitions,
            level => level,
        };
        // A user who closes a view or removes a filter does not make the computer faster.
        if level == self.level && noticed <= self.noticed {
            return None;
        }
        self.level = level;
        let before = std::mem::replace(&mut self.noticed, noticed);
        if noticed == before || noticed < before && !is_reported {
            return None;
        }
        Some(match noticed {
            Degradation::None => StudioMessage::FullQuality {},
            Degradation::Preview => StudioMessage::PreviewDropped {},
            Degradation::Transitions => StudioMessage::TransitionsDropped {},
            Degradation::Filters => StudioMessage::FiltersDropped {},
            Degradation::Rate => StudioMessage::RateHalved {},
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: DegradableParts = DegradableParts { views: false, costly_filters: false };
    const ALL: DegradableParts = DegradableParts { views: true, costly_filters: true };

    /// Returns the names of the messages about these levels.
    fn names(
        parts: DegradableParts,
        is_reported: bool,
        levels: &[Degradation],
    ) -> Vec<&'static str> {
        let mut reported = ReportedDegradation::default();
        let messages =
            levels.iter().filter_map(|level| reported.update(*level, parts, is_reported));
        messages.map(|message| message.problem().id()).collect()
    }

    #[test]
    fn each_step_down_names_what_is_still_missing() {
        use Degradation::{Filters, None, Preview, Rate, Transitions};
        let levels = [Preview, Transitions, Filters, Rate, Rate, Filters, Transitions, Preview];
        let up = ["degradation-preview", "degradation-transitions", "degradation-filters"];
        let down = ["degradation-rate", "degradation-filters", "degradation-transitions"];
        let mut wanted = [up, down].concat();
        wanted.push("degradation-preview");
        assert_eq!(names(ALL, true, &levels), wanted);
        wanted.push("degradation-over");
        assert_eq!(names(ALL, true, &[&levels[..], &[None]].concat()), wanted);
    }

    #[test]
    fn a_step_that_affects_nothing_here_is_not_reported() {
        use Degradation::{Filters, None, Preview, Rate, Transitions};
        let up = [Preview, Transitions, Filters, Rate];
        let wanted = ["degradation-transitions", "degradation-rate"];
        assert_eq!(names(PLAIN, true, &up), wanted);
        let down = [&up[..], &[Filters, Transitions, Preview, None]].concat();
        let wanted = [&wanted[..], &["degradation-transitions", "degradation-over"]].concat();
        assert_eq!(names(PLAIN, true, &down), wanted);
        assert!(names(PLAIN, true, &[Preview, None]).is_empty());
    }

    #[test]
    fn a_dismissed_notice_stays_away_while_the_computer_recovers() {
        use Degradation::{Filters, None, Preview, Rate, Transitions};
        let levels = [Rate, Filters, Transitions, Preview, None];
        assert_eq!(names(ALL, false, &levels), ["degradation-rate"]);
    }

    #[test]
    fn a_view_or_filter_that_is_added_on_a_slow_computer_is_reported() {
        let mut reported = ReportedDegradation::default();
        let mut name = |level, views, costly_filters| {
            let parts = DegradableParts { views, costly_filters };
            let message = reported.update(level, parts, true);
            message.map(|message| message.problem().id())
        };
        assert_eq!(name(Degradation::Preview, false, false), None);
        assert_eq!(name(Degradation::Preview, true, false), Some("degradation-preview"));
        // Closing and opening it again is no news.
        assert_eq!(name(Degradation::Preview, false, false), None);
        assert_eq!(name(Degradation::Preview, true, false), None);
        assert_eq!(name(Degradation::Transitions, true, false), Some("degradation-transitions"));
        assert_eq!(name(Degradation::Filters, true, false), None);
        assert_eq!(name(Degradation::Filters, true, true), Some("degradation-filters"));
    }
}
