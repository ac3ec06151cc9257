//! Floor 3: the compositor, which turns scenes into program frames, tick by tick.

mod compositor;
pub mod degradation;
mod draw;
pub mod filter;
pub mod layout;
mod other_program;
pub mod placeholder;
mod preview;
mod program;
pub mod scene;
mod side_views;
mod source_frames;
pub mod transition;
mod view;

pub use crate::compose::other_program::OtherProgram;
pub use crate::compose::program::Program;
pub use crate::compose::side_views::{SideView, ViewDetail, ViewOf};
pub use crate::compose::source_frames::SourceFrame;
pub use crate::compose::view::DrawResult;

pub use compositor::inbox::MAX_SMALLER_LAYERS;
pub use compositor::{ChangeGuard, Compositor, Config, Error, Figures, Ticker};
