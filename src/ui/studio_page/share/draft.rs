//! The state of the *Share* panel, which is kept between frames.

use crate::ui::studio_page::share::code::AddressCode;

/// The state of the *Share* panel, which is kept between frames.
#[derive(Debug, Default)]
pub struct Draft {
    /// The index of the link that was copied last, and the time of the copy in seconds.
    pub(super) copied: Option<(usize, f64)>,
    pub(super) code: AddressCode,
}
