//! Systems on which onair runs no plugins.

use std::path::Path;
use std::sync::Arc;

use crate::base::Stop;
use crate::mix::block::Shape;
use crate::mix::plugin::link::LinkState;
use crate::mix::plugin::session::Session;
use crate::mix::plugin::settings::Plugin;
use crate::mix::plugin::trouble::{PluginDescription, PluginTrouble};

/// Says that there are no plugins, and passes the audio on.
pub(super) fn supervise(plugin: &Plugin, _: Shape, session: &Arc<Session>, _: &Stop) {
    session.bypass();
    plugin.link.update(|it| it.state = LinkState::Bypassed(PluginTrouble::NotOnThisSystem));
}

/// Returns the plugins in a file.
///
/// # Errors
/// Fails because onair runs no plugins on this system.
pub fn scan(_: &Path) -> Result<Vec<PluginDescription>, PluginTrouble> {
    Err(PluginTrouble::NotOnThisSystem)
}
