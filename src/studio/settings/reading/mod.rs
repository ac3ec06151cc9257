//! Reads files that users can edit. Reading never fails; it reports bad values.

pub(in crate::studio::settings) mod lenient;
pub(in crate::studio::settings) mod parts;
pub(crate) mod syntax;
pub(in crate::studio::settings) mod values;
