//! Floor 3: the mixer, which combines strips into program audio, block by block.

mod block;
mod delay_line;
pub mod filter;
mod loudness_window;
mod meter;
mod mix_minus;
mod mixer;
pub mod plugin;
#[cfg(any(test, feature = "test-support"))]
#[allow(
    clippy::unwrap_used,
    missing_debug_implementations,
    reason = "for tests, which fail by panicking"
)]
mod simulated;
mod strip;
mod strip_id;
mod strips;

pub use crate::mix::meter::{FLOOR_DBFS, MeterFall, Reading};
#[cfg(any(test, feature = "test-support"))]
pub use crate::mix::simulated::Mix;
pub use crate::mix::strip::{MonitoringMode, Strip};
pub use crate::mix::strip_id::{StripId, StripLamp};
pub use crate::mix::strips::MAX_STRIPS;

pub use mixer::{Config, Error, Figures, Mixer};
