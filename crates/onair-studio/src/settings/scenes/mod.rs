//! Reads and writes scene collections as tables.

pub mod amounts;
pub mod collection;
pub(in crate::settings) mod layout;
pub(in crate::settings) mod properties;
pub(in crate::settings) mod transition_words;
