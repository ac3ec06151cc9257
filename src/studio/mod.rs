//! Floor 5: the product's state machine. A [`Command`] goes in, [`Event`]s and a [`Snapshot`] come
//! out. The window and the command line drive the same studio.

pub mod command;
pub mod event;
pub mod notice;
pub mod quality;
pub mod settings;
pub mod snapshot;

pub use command::{Command, TargetChoice};
pub use event::Event;
pub use notice::{Level, Notice, Remedy};
pub use quality::Quality;
pub use settings::{Language, Preferences, Settings, Theme};
pub use snapshot::Snapshot;
