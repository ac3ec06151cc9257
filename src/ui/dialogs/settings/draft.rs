//! What is looked at and typed in the settings.

use crate::ui::dialogs::settings::table::{Setting, SettingsPage};
use crate::ui::input::actions::Action;
use crate::ui::text::Texts;

/// What is looked at and typed in the settings.
#[derive(Debug)]
pub struct SettingsDraft {
    pub(super) page: SettingsPage,
    pub(super) query: String,
    /// What was gone to: it is lit, and scrolled to once.
    pub(super) lit: Option<Setting>,
    pub(super) found: Option<Setting>,
    /// The command whose hotkey is chosen, and whether the last keys could not be it.
    pub(super) hotkey: Option<(Action, bool)>,
    /// While the talk key is waited for: whether the last one could not be it.
    pub(super) talk_key: Option<bool>,
    /// The language that the window does not speak.
    pub(super) other: Option<Texts>,
}

impl Default for SettingsDraft {
    fn default() -> Self {
        Self {
            page: SettingsPage::General,
            query: String::new(),
            lit: None,
            found: None,
            hotkey: None,
            talk_key: None,
            other: None,
        }
    }
}

impl SettingsDraft {
    /// Shows this setting.
    pub fn show(&mut self, setting: Setting) {
        *self = Self { page: setting.page(), ..Self::default() };
        (self.lit, self.found) = (Some(setting), Some(setting));
    }

    /// Keys are chosen by pressing them: they do nothing else.
    pub fn waits_for_keys(&self) -> bool {
        self.hotkey.is_some() || self.talk_key.is_some()
    }
}
