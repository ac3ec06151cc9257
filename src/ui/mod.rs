//! Floor 6: the window's screens, dialogs, widgets, theme and words. Reads a
//! [`Snapshot`](crate::studio::Snapshot), emits [`Command`](crate::studio::Command)s; owns no media.
//! Thread: the main one.

pub mod actions;
pub mod bars;
pub mod causes;
pub mod clip;
pub mod control_room;
pub mod dialogs;
mod elsewhere;
pub mod fonts;
pub mod format;
pub mod go_live;
pub mod icons;
pub mod keystrokes;
pub mod mixer;
pub mod notices;
pub mod pick;
pub mod picture;
pub mod scenes;
pub mod screen;
pub mod slots;
pub mod sounds;
pub mod sources;
mod spacing;
pub mod stage;
pub mod talk;
pub mod target;
pub mod text;
pub mod theme;
pub mod view;
pub mod watch;
pub mod widgets;

pub use bars::Page;
pub use dialogs::Dialog;
pub use elsewhere::{Elsewhere, Reply};
pub use screen::Screen;
pub use view::{Renderer, View, Wish};
pub use watch::{is_address, name_of};
