//! Starts a plugin in the chain of a strip, with the thread that supervises its process.

use std::sync::Arc;

use crate::base::Worker;
use crate::mix::block::Shape;
#[cfg(target_os = "linux")]
use crate::mix::plugin::backend::supervisor::supervise;
use crate::mix::plugin::link::LinkState;
#[cfg(not(target_os = "linux"))]
use crate::mix::plugin::no_plugins::supervise;
use crate::mix::plugin::runner::Runner;
use crate::mix::plugin::session::Session;
use crate::mix::plugin::settings::Plugin;
use crate::mix::plugin::trouble::PluginTrouble;

/// Starts a plugin. This does not wait for its process.
pub(in crate::mix) fn start(plugin: &Arc<Plugin>, shape: Shape) -> Runner {
    let session = Arc::new(Session::default());
    let (its_plugin, its_session) = (Arc::clone(plugin), Arc::clone(&session));
    plugin.link.update(|it| it.state = LinkState::Starting);
    let supervisor = Worker::spawn("plugin", move |stop| {
        supervise(&its_plugin, shape, &its_session, stop);
    });
    if let Err(error) = &supervisor {
        let trouble = PluginTrouble::NotStarted { reason: error.to_string() };
        plugin.link.update(|it| it.state = LinkState::Bypassed(trouble));
        session.bypass();
    }
    Runner::new(plugin, session, shape, supervisor.ok())
}
