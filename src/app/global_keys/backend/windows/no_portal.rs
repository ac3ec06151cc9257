//! The portal, a service of Linux desktops, which Windows does not have. None of this is called there.

use std::collections::BTreeMap;
use std::sync::Arc;

use eframe::egui;

use crate::app::global_keys::key_state::KeyState;
use crate::studio::PushToTalkKey;
use crate::studio::settings::hotkeys::Hotkey;
use crate::ui::{AnyCommand, GlobalKeyReply};

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
