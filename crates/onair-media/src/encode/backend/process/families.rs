//! All encoders of FFmpeg's libraries that onair knows.

use crate::encode::backend::process::family::Family;
use crate::encode::backend::process::hardware::HARDWARE;
use crate::encode::backend::process::software::SOFTWARE;
use crate::encode::config::Choice;

/// Returns all encoders.
pub(in crate::encode) fn families() -> impl Iterator<Item = &'static Family> {
    SOFTWARE.iter().chain(HARDWARE)
}

/// Returns the encoder of a choice.
pub(in crate::encode) fn family_of(choice: Choice) -> Option<&'static Family> {
    families().find(|family| family.choice == choice)
}
