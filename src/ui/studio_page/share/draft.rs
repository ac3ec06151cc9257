//! The state of the *Share* panel between two frames.

use crate::ui::studio_page::share::code::AddressCode;

/// The state of the *Share* panel between two frames.
#[derive(Debug, Default)]
pub struct Draft {
    /// The index of the link that was copied last, and when (seconds).
    pub(super) copied: Option<(usize, f64)>,
    pub(super) code: AddressCode,
}
