//! Decides when a problem becomes a notification, and when onair replaces or withdraws the
//! notification. This module is pure.

use crate::app::desktop::state::DesktopState;

/// An action for the notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Shows this notification, and replaces the previous one.
    Show {
        summary: String,
        body: String,
    },
    Close,
}

/// The notification that the desktop shows now.
#[derive(Debug, Default)]
pub(super) struct Notification {
    /// The sentence of the last state, if the user knows it from a notification or from the window.
    known: Option<&'static str>,
    is_shown: bool,
}

impl Notification {
    /// Evaluates the next state of the studio, and returns the next action. A sentence is not
    /// displayed again when only its figures change, or after the user has seen it in the window.
    pub fn look(&mut self, state: &DesktopState) -> Option<Step> {
        let is_known = self.known == Some(state.key);
        self.known = (is_known || state.alarm || state.seen).then_some(state.key);
        if !state.alarm {
            return std::mem::take(&mut self.is_shown).then_some(Step::Close);
        }
        if is_known {
            return None;
        }
        self.is_shown = true;
        Some(Step::Show { summary: state.sentence.clone(), body: state.detail.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::notices::health::Activity;

    #[test]
    fn a_problem_is_shown_once_replaced_by_another_and_taken_back() {
        let state = |alarm: bool, key, detail: &str| DesktopState {
            activity: Activity::OnAir,
            trouble: true,
            seen: !alarm,
            alarm,
            key,
            sentence: format!("{key}!"),
            detail: detail.into(),
            go_live: String::new(),
            show: String::new(),
        };
        let mut notification = Notification::default();
        assert_eq!(notification.look(&state(false, "health-good", "")), None);
        let show = |summary: &str, body: &str| {
            Some(Step::Show { summary: summary.into(), body: body.into() })
        };
        let lost = state(true, "health-lost", "<b> & 3 s");
        assert_eq!(notification.look(&lost), show("health-lost!", "<b> & 3 s"));
        assert_eq!(notification.look(&state(true, "health-lost", "2 s")), None);
        let full = state(true, "health-recording-ended", "");
        assert_eq!(notification.look(&full), show("health-recording-ended!", ""));
        assert_eq!(
            notification.look(&state(false, "health-recording-ended", "")),
            Some(Step::Close)
        );
        // The user has seen this sentence in the window.
        assert_eq!(notification.look(&full), None);
        assert_eq!(notification.look(&state(true, "health-muted", "")), show("health-muted!", ""));
        let good = state(false, "health-good", "");
        assert_eq!(notification.look(&good), Some(Step::Close));
        assert_eq!(notification.look(&good), None);
        // Before the broadcast, this sentence was no reason for a notification.
        let unseen = DesktopState { seen: false, ..state(false, "health-muted", "") };
        assert_eq!(notification.look(&unseen), None);
        assert_eq!(notification.look(&state(true, "health-muted", "")), show("health-muted!", ""));
    }
}
