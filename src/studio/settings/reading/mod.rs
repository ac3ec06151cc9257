//! How files that a person may have edited are read: never failing, and telling what is bad.

pub(in crate::studio::settings) mod lenient;
pub(in crate::studio::settings) mod parts;
pub(crate) mod syntax;
pub(in crate::studio::settings) mod values;
