//! Filters of a strip's audio: what each is set to ([`Filter`]) and the chain that carries them out.
//! A filter that looks ahead makes its audio late by the chain's latency; the mixer takes that back,
//! so that lips and audio stay together.

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
