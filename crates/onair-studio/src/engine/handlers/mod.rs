//! The work of the engine by subject: each file handles the commands and events of one part.

pub(in crate::engine) mod live;
pub(in crate::engine) mod mixer;
pub(in crate::engine) mod monitor;
pub(in crate::engine) mod network;
pub(in crate::engine) mod passthrough;
pub(in crate::engine) mod poll;
pub(in crate::engine) mod preflight;
pub(in crate::engine) mod recording;
pub(in crate::engine) mod scenes;
pub(in crate::engine) mod services;
pub(in crate::engine) mod snapshot;
pub(in crate::engine) mod startup;
pub(in crate::engine) mod targets;
pub(in crate::engine) mod watch;
