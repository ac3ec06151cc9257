//! Reads and writes scene collections as tables.

pub mod amounts;
pub mod collection;
pub(in crate::studio::settings) mod layout;
pub(in crate::studio::settings) mod properties;
pub(in crate::studio::settings) mod transition_words;
