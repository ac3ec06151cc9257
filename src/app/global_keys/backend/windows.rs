//! The keys in other windows of Windows, which onair does not receive yet. A window of Windows has no
//! [`KeySource`](crate::app::global_keys), so none of this is called.

use std::collections::BTreeMap;
use std::sync::Arc;

use eframe::egui;

use crate::app::global_keys::key_state::KeyState;
use crate::base::Stop;
use crate::studio::PushToTalkKey;
use crate::studio::settings::hotkeys::Hotkey;
use crate::ui::{AnyCommand, GlobalKeyReply};

/// Hotkeys that cannot be grabbed.
#[derive(Clone, Default)]
pub(in crate::app::global_keys) struct RefusedHotkeys {
    pub taken: Vec<AnyCommand>,
    pub no_key: Vec<AnyCommand>,
}

/// Reports all hotkeys as keys that do not exist.
pub(in crate::app::global_keys) fn listen(
    hotkeys: &[(AnyCommand, Hotkey)],
    _window: u32,
    _stop: &Stop,
    _pressed: &dyn Fn(&AnyCommand, bool),
    refused: &dyn Fn(RefusedHotkeys),
) {
    let no_key = hotkeys.iter().map(|(command, _)| command.clone()).collect();
    refused(RefusedHotkeys { no_key, ..RefusedHotkeys::default() });
}

/// Reports that there is no such key.
pub(in crate::app::global_keys) fn watch_key(
    _key: PushToTalkKey,
    _stop: &Stop,
    change: &dyn Fn(Option<bool>),
) {
    change(None);
}

/// A push-to-talk key.
pub(in crate::app::global_keys) struct WantedKey {
    pub key: PushToTalkKey,
    pub on: bool,
    pub listens: bool,
}

/// The keys of a portal, which is a service of Linux desktops.
pub(in crate::app::global_keys) struct PortalKeys {}

impl PortalKeys {
    /// Creates no keys.
    pub fn new(
        _line: Arc<KeyState>,
        _pressed: Arc<dyn Fn(&str) + Send + Sync>,
        _wake: egui::Context,
    ) -> Self {
        Self {}
    }

    /// Returns no reply.
    pub fn reply(&self) -> GlobalKeyReply {
        GlobalKeyReply::Nothing
    }

    /// Returns no reply.
    pub fn talk_reply(&self) -> GlobalKeyReply {
        GlobalKeyReply::Nothing
    }

    /// Returns no names.
    pub fn refusable(&self) -> Vec<String> {
        Vec::new()
    }

    /// Returns no descriptions.
    pub fn given(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }

    /// Requests nothing.
    pub fn follow(
        &mut self,
        talk: WantedKey,
        _commands: &[(AnyCommand, Option<Hotkey>)],
        _called: impl Fn(Option<&AnyCommand>) -> String,
    ) {
        let WantedKey { key, on, listens } = talk;
        tracing::trace!(?key, on, listens, "no portal");
    }
}
