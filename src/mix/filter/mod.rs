//! Audio filters of a strip: the settings of each ([`Filter`]) and the chain that applies them. A
//! filter with look-ahead delays its audio by the chain's latency; the mixer compensates that, so
//! lip sync stays.

mod chain;
mod denoise;
mod dynamics;
mod equalizer;
#[cfg(test)]
mod expected_gains;
mod limiter;
mod loudness;
mod settings;

pub(super) use crate::mix::filter::chain::Chain;
pub use crate::mix::filter::settings::{Filter, MAX_FILTERS, Parameter, Slot, TEN_BANDS_HZ, Unit};
