//! Floor 5: the product's state machine. A [`Command`] goes in, [`Event`]s and a [`Snapshot`] come
//! out. The window and the command line drive the same studio.

mod adaptation;
mod backend;
mod built_in;
pub mod chronicle;
pub mod command;
pub mod copy;
pub mod crashes;
mod devices;
mod engine;
pub mod event;
pub mod handle;
mod history;
pub mod holding;
mod keys;
mod ledger;
pub mod message;
pub mod monitor;
pub mod notice;
mod on_air;
pub mod preflight;
mod process;
mod program;
pub mod quality;
mod repairs;
pub mod services;
pub mod settings;
pub mod snapshot;
pub mod stats;
mod surroundings;
pub mod tape;
pub mod target;
pub mod targets;
mod watch;

pub use built_in::Serve;
pub use command::Command;
pub use event::Event;
pub use handle::{Config, Studio};
pub use keys::Place as KeyPlace;
pub use notice::{Level, Notice, Remedy};
pub use quality::{Adapt, Quality};
pub use settings::{Language, Preferences, Settings, Theme};
pub use snapshot::Snapshot;
pub use stats::{DelayFigures, DelayState};
pub use tape::RecordingChoices;
pub use target::{Place, Target};
