//! The state that the desktop displays, and the desktop's requests.

use std::sync::atomic::{AtomicU32, Ordering};

use eframe::egui;
use parking_lot::Mutex;

use crate::base::queue;
use crate::studio::notices::Level;
use crate::studio::notices::health::{Activity, Health};
use crate::text::{Language, Texts};

/// A request from the desktop.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DesktopRequest {
    /// Shows the window.
    Raise,
    /// Has the effect of the *Go Live* button.
    GoLiveOrStop,
}

/// The state that the desktop displays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesktopState {
    pub activity: Activity,
    /// True if there is a warning or an error.
    pub trouble: bool,
    /// True if the window has the keyboard focus.
    pub seen: bool,
    /// True if the window is not in use, and there is an error, or a warning during a broadcast or
    /// recording.
    pub alarm: bool,
    /// The message key of the health sentence.
    pub key: &'static str,
    pub sentence: String,
    pub detail: String,
    /// The texts of the menu's entries.
    pub go_live: String,
    pub show: String,
}

impl DesktopState {
    /// Derives the state from the health sentence in `language`; `seen` is true if the window has
    /// the keyboard focus.
    pub fn of(health: &Health, language: Language, seen: bool) -> Self {
        let (sentence, detail) = health.words(language);
        let texts = Texts::new(language);
        let go_live = match health.activity {
            Activity::OnAir | Activity::Reconnecting | Activity::Connecting => "stop",
            Activity::Stopping => "stopping-button",
            _ => "go-live",
        };
        let alarming = match health.activity {
            Activity::OnAir | Activity::Reconnecting | Activity::Recording => Level::Warning,
            _ => Level::Error,
        };
        Self {
            activity: health.activity,
            trouble: health.is_trouble(),
            seen,
            alarm: !seen && health.level >= Some(alarming),
            key: health.sentence.id(),
            sentence,
            detail,
            go_live: texts.get(go_live).to_string(),
            show: texts.get("desktop-show").to_string(),
        }
    }
}

/// State that the thread and the window share.
#[derive(Debug)]
pub(super) struct Shared {
    pub state: Mutex<Option<DesktopState>>,
    /// The number of changes of the menu. Panels that use libdbusmenu read the menu again only if
    /// this number has grown.
    pub revision: AtomicU32,
    /// The revision that a panel read last.
    pub read_revision: AtomicU32,
    pub asks: queue::Sender<DesktopRequest>,
    /// The activation token that came with the newest request.
    pub token: Mutex<Option<String>>,
    pub wake: egui::Context,
}

impl Shared {
    pub fn set(&self, state: DesktopState) {
        let mut shared = self.state.lock();
        let menu = |state: &DesktopState| {
            (state.sentence.clone(), state.go_live.clone(), state.show.clone(), state.activity)
        };
        let changes_menu = shared.as_ref().map(menu) != Some(menu(&state));
        *shared = Some(state);
        // A panel that reads the new revision must also read the new state.
        if changes_menu {
            self.revision.fetch_add(1, Ordering::Release);
        }
    }

    pub fn ask(&self, request: DesktopRequest) {
        // The window is being closed.
        let _ = self.asks.send(request);
        self.wake.request_repaint();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::live::view::LiveState;
    use crate::studio::notices::message::StudioMessage;
    use crate::studio::{Notice, Snapshot};

    #[test]
    fn while_the_window_is_not_in_use_errors_are_alarms_and_on_air_warnings_too() {
        let of_live = |notices: &[Notice], live, seen| {
            let notices = notices.to_vec();
            let snapshot = Snapshot { notices, live, ..Snapshot::default() };
            DesktopState::of(&Health::of(&snapshot), Language::English, seen)
        };
        let of = |notices: &[Notice], seen| of_live(notices, LiveState::Idle, seen);
        let (path, reason) = ("a.mp4".to_owned(), "the disk is full".into());
        let error = StudioMessage::RecordingFailed { path, reason }.notice(1, "");
        let errors = std::slice::from_ref(&error);
        let alarm = of(errors, false);
        assert!(alarm.alarm && alarm.trouble);
        assert_eq!((alarm.key, alarm.sentence), (error.key(), error.summary()));
        let seen = of(errors, true);
        assert!(!seen.alarm && seen.trouble);
        // Without a target, there is only a warning.
        let warning = of(&[], false);
        assert_eq!(warning.key, "health-no-target");
        assert!(!warning.alarm && warning.trouble);
        let lost = StudioMessage::CameraLost { device: "Cam".into() }.notice(2, "");
        let lost = std::slice::from_ref(&lost);
        let on_air = of_live(lost, LiveState::OnAir, false);
        assert!(on_air.alarm, "{on_air:?}");
        assert!(!of_live(lost, LiveState::OnAir, true).alarm);
        assert!(!of_live(lost, LiveState::Stopping, false).alarm);
        assert!(!of_live(&[], LiveState::Stopping, false).alarm);
    }
}
