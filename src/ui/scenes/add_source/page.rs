//! Where a person is in *Add source*.

/// A list that a card leads to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::ui::scenes) enum Page {
    Cameras,
    Screens,
    Windows,
    /// What there is already: sources and scenes.
    Again,
}

/// What a person has chosen in the dialog so far.
#[derive(Debug, Default)]
pub(in crate::ui::scenes) struct Adding {
    pub(super) page: Option<Page>,
    pub(super) search: String,
    /// It has been drawn before.
    pub(super) shown: bool,
}
