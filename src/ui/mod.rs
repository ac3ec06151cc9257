//! Floor 6: the screens, dialogs, widgets, theme and texts of the window. The window reads a
//! [`Snapshot`](crate::studio::Snapshot), sends [`Command`](crate::studio::Command)s, and owns no
//! media. It runs on the main thread.

pub mod dialogs;
pub mod input;
pub mod notices;
pub mod recordings;
pub mod scenes;
pub mod screen;
pub mod studio_page;
pub mod style;
pub mod targets;
pub mod text;
pub mod video;
pub mod view;
pub mod watch;
pub mod widgets;

pub use dialogs::Dialog;
pub use dialogs::file_chooser::ChooserKind;
pub use input::actions::Action;
pub use input::global_key::{GlobalHotkeys, GlobalKeyReply, GlobalKeySupport, PUSH_TO_TALK_ID};
pub use input::hotkeys::unknown_names;
pub use input::named::AnyCommand;
pub use screen::Screen;
pub use screen::bars::Page;
pub use studio_page::projectors::display::Display;
pub use view::{Renderer, View, WindowRequest};
pub use watch::{is_address, name_of};
