//! The work of the engine by subject: each file handles the commands and events of one part.

pub(in crate::studio::engine) mod live;
pub(in crate::studio::engine) mod mixer;
pub(in crate::studio::engine) mod monitor;
pub(in crate::studio::engine) mod network;
pub(in crate::studio::engine) mod passthrough;
pub(in crate::studio::engine) mod poll;
pub(in crate::studio::engine) mod preflight;
pub(in crate::studio::engine) mod recording;
pub(in crate::studio::engine) mod scenes;
pub(in crate::studio::engine) mod services;
pub(in crate::studio::engine) mod snapshot;
pub(in crate::studio::engine) mod startup;
pub(in crate::studio::engine) mod targets;
pub(in crate::studio::engine) mod watch;
