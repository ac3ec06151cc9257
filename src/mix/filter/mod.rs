//! Filters of a strip's sound: what each is set to ([`Filter`]) and the chain that carries them out.
//! A filter that looks ahead makes its sound late by the chain's latency; the desk takes that back,
//! so that lips and sound stay together.

mod chain;
mod denoise;
mod dynamics;
mod equalizer;
#[cfg(test)]
mod gains;
mod limiter;
mod loudness;
mod setting;

pub(super) use self::chain::Chain;
pub use self::setting::{Filter, MOST_FILTERS, Parameter, Slot, TEN_BANDS_HZ, Unit};
