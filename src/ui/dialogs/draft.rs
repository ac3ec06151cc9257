//! What is chosen and typed in dialogs and stays while they are closed.

use std::path::PathBuf;

use crate::studio::settings::{Own, OwnPart};

/// Of the dialog that sends a media file.
#[derive(Clone, Debug, Default)]
pub struct Film {
    pub path: Option<PathBuf>,
    pub again: bool,
}

/// About one of the person's own services.
#[derive(Clone, Debug, Default)]
pub struct Services {
    /// The id that it had, where it is not new.
    pub(super) was: Option<String>,
    pub(super) typed: Option<Own>,
    /// What was wrong when it was to be kept.
    pub(super) wrong: Option<(OwnPart, String)>,
}
