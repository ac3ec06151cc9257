//! The page that is displayed in *Add source*.

/// A list that a card opens.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::ui::scenes) enum Page {
    Cameras,
    Screens,
    Windows,
    /// Existing sources and scenes.
    Again,
    /// The address of a stream.
    Stream,
    /// The address or file of a browser page.
    Browser,
}

/// The state of the dialog.
#[derive(Debug, Default)]
pub(in crate::ui::scenes) struct Adding {
    pub(super) page: Option<Page>,
    pub(super) search: String,
    /// The text entered as the address of a stream or page.
    pub(super) address: String,
    /// True if the page has been drawn before, with a row if the page is a list.
    pub(super) shown: bool,
}
