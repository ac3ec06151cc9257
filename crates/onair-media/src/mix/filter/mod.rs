//! The audio filters of a strip: the settings of each filter ([`Filter`]), and the chain that
//! applies the filters. Filters with look-ahead delay the audio by the chain's latency. The mixer
//! compensates for this latency, so that lip sync is kept.

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
pub use crate::mix::filter::settings::{
    Filter, MAX_FILTERS, Parameter, Slot, TEN_BAND_FREQUENCIES_HZ, Unit,
};
