//! Reads files that users can edit. Reading never fails; it reports bad values.

pub(in crate::settings) mod lenient;
pub(in crate::settings) mod parts;
pub(crate) mod syntax;
pub(in crate::settings) mod values;
