//! Decides when an error becomes a notification, and when onair replaces or withdraws the
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
    key: Option<&'static str>,
}

impl Notification {
    /// Evaluates the next state of the studio, and returns the next action. A sentence is not
    /// displayed again when only its figures change.
    pub fn look(&mut self, state: &DesktopState) -> Option<Step> {
        let key = state.alarm.then_some(state.key);
        if key == std::mem::replace(&mut self.key, key) {
            return None;
        }
        Some(match key {
            None => Step::Close,
            Some(_) => Step::Show {
                summary: state.sentence.clone(),
                // Notification servers interpret some markup in the text.
                body: escaped(&state.detail),
            },
        })
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::notices::health::Activity;

    #[test]
    fn an_error_is_shown_once_replaced_by_another_and_taken_back() {
        let state = |alarm, key, detail: &str| DesktopState {
            activity: Activity::OnAir,
            trouble: true,
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
        assert_eq!(notification.look(&lost), show("health-lost!", "&lt;b&gt; &amp; 3 s"));
        assert_eq!(notification.look(&state(true, "health-lost", "2 s")), None);
        let full = state(true, "health-recording-ended", "");
        assert_eq!(notification.look(&full), show("health-recording-ended!", ""));
        assert_eq!(
            notification.look(&state(false, "health-recording-ended", "")),
            Some(Step::Close)
        );
        assert_eq!(notification.look(&state(false, "health-good", "")), None);
    }
}
