//! Audio plugins (CLAP) as filters of a strip, each in a process of its own.
//!
//! A plugin is a program of somebody else, which crashes, hangs and has windows, so none of its code
//! runs in onair. [`base::launcher`](crate::base::launcher) starts this program with the hidden
//! command `plugin-process`, which loads the plugin. Audio goes through two rings in memory that both
//! processes have mapped. The mixer's thread never waits: it writes a block, wakes the process, and
//! reads the block of one fixed latency earlier (`runner`). A missing block is silence. Everything else goes over a
//! socket (`wire`), by a thread for each plugin (`backend/supervisor`). `backend/host` is the
//! process.
//!
//! A process that ends, hangs or sends nonsense is killed. Its filter is then silent, until another
//! process runs; if that one fails too, the audio passes unfiltered.
//!
//! [`Plugin`] is what is saved: the file, the plugin's id, its state and parameters. [`Link`]
//! connects it with its process: the state comes back when the plugin changes it.
//!
//! What must never happen: the mixer's thread waits for the process; a file of a plugin is loaded in
//! onair's process; a number from the process is used without a check.

#[cfg(target_os = "linux")]
mod backend;
mod inventory;
mod link;
#[cfg(not(target_os = "linux"))]
mod no_plugins;
#[cfg(not(target_os = "linux"))]
mod no_ring;
mod parameter;
mod plugin_id;
mod runner;
mod session;
mod settings;
#[cfg(test)]
#[cfg(target_os = "linux")]
pub(super) mod simulated;
mod start;
mod trouble;
#[cfg(any(target_os = "linux", test))]
mod wire;

#[cfg(target_os = "linux")]
pub use backend::{run, scan::scan};
pub use inventory::{FoundPlugins, found};
pub use link::{Link, LinkState, Report, Saved};
#[cfg(not(target_os = "linux"))]
pub use no_plugins::scan;
pub use parameter::{MAX_STATE, PluginParameter, PluginValues};
pub use plugin_id::{PluginId, files};
pub(super) use runner::Runner;
pub use settings::Plugin;
pub(super) use start::start;
pub use trouble::{PluginDescription, PluginTrouble, Refusal};
