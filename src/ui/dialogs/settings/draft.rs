//! The selection and input in the settings dialog.

use crate::base::partial_debug;
use crate::studio::settings::Rule;
use crate::ui::dialogs::settings::table::{Setting, SettingsPage};
use crate::ui::input::named::AnyCommand;
use crate::ui::text::Texts;

/// The selection and input in the settings dialog, which can be a secret.
pub struct SettingsDraft {
    pub(super) page: SettingsPage,
    pub(super) query: String,
    /// The setting to which the user navigated. The page highlights it, and scrolls to it once.
    pub(super) lit: Option<Setting>,
    pub(super) found: Option<Setting>,
    /// The command whose hotkey is being chosen; the flag is true if the last keys were not
    /// allowed.
    pub(super) hotkey: Option<(AnyCommand, bool)>,
    /// Set while the push-to-talk key is being chosen; the flag is true if the last key was not
    /// allowed.
    pub(super) talk_key: Option<bool>,
    /// The text entered as host names of the built-in server.
    pub(super) server_names: Option<String>,
    /// The text entered as origins of the built-in server.
    pub(super) server_origins: Option<String>,
    /// The texts entered as the files of the built-in server's certificate.
    pub(super) server_certificate: Option<[String; 2]>,
    /// The text entered as domains of the built-in server.
    pub(super) server_domains: Option<String>,
    /// The text entered as the passphrase of SRT.
    pub(super) srt_passphrase: String,
    /// The text entered as the key of YouTube.
    pub(super) youtube_key: String,
    /// The text entered as the port of remote control.
    pub(super) remote_port: Option<String>,
    /// The rules, while the user types in one of them.
    pub(super) rules: Option<Vec<Rule>>,
    /// The time at which the password of remote control was copied, in seconds.
    pub(super) password_copied_at: Option<f64>,
    /// True if this frame already explains why settings cannot be changed on air.
    pub(super) explained: bool,
    /// The texts of the language that the window does not use.
    pub(super) other: Option<Texts>,
}

partial_debug!(SettingsDraft { page, query });

impl Default for SettingsDraft {
    fn default() -> Self {
        Self {
            page: SettingsPage::General,
            query: String::new(),
            lit: None,
            found: None,
            hotkey: None,
            talk_key: None,
            server_names: None,
            server_origins: None,
            server_certificate: None,
            server_domains: None,
            srt_passphrase: String::new(),
            youtube_key: String::new(),
            remote_port: None,
            rules: None,
            password_copied_at: None,
            explained: false,
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

    /// Returns true if a key is being chosen by pressing it, so that keys have no other effect.
    pub fn waits_for_keys(&self) -> bool {
        self.hotkey.is_some() || self.talk_key.is_some()
    }
}
