//! A plugin without a process, for tests: its audio is negative and late.

use std::sync::Arc;

use crate::mix::block::Shape;
use crate::mix::plugin::backend::ring::Ring;
use crate::mix::plugin::plugin_id::PluginId;
use crate::mix::plugin::runner::Runner;
use crate::mix::plugin::session::Session;
use crate::mix::plugin::settings::Plugin;

/// The delay of the plugin in samples.
pub(in crate::mix) const DELAY: u64 = 100;

/// The other side of a runner.
pub(in crate::mix) struct SimulatedPlugin {
    pub(in crate::mix::plugin) session: Arc<Session>,
    pub(in crate::mix::plugin) ring: Arc<Ring>,
    channels: usize,
}

/// Returns a runner, and the plugin, which does not run yet.
pub(in crate::mix) fn plugin(shape: Shape) -> (Runner, SimulatedPlugin) {
    let session = Arc::new(Session::default());
    let plugin = Arc::new(Plugin::new(PluginId::default()));
    let runner = Runner::new(&plugin, Arc::clone(&session), shape, None);
    let channels = shape.channels;
    (runner, SimulatedPlugin { session, ring: Arc::new(Ring::new(channels).unwrap()), channels })
}

impl SimulatedPlugin {
    /// Begins to run.
    pub(in crate::mix) fn run(&self) {
        self.session.run(Arc::clone(&self.ring), DELAY as usize);
    }

    /// Filters all audio that came.
    pub(in crate::mix) fn filter(&self) {
        while self.ring.processed() < self.ring.written() {
            let at = self.ring.processed();
            let mut frame = vec![0.0; self.channels];
            if let Some(from) = at.checked_sub(DELAY) {
                self.ring.read_input(from, &mut frame);
            }
            self.ring.write_output(at, &frame.iter().map(|it| -it).collect::<Vec<f32>>());
        }
    }
}
