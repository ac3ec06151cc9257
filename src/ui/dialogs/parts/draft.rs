//! The state of the dialog for scene collections and profiles.

use crate::studio::settings::part::PartKind;
use crate::text::problem::Problem;

/// The current step of the dialog.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Step {
    #[default]
    List,
    Name(Naming, String, Option<Problem>),
    Delete(String),
    /// The versions of the collection or profile of this name.
    Versions(String),
    Import,
}

/// The purpose of the name being entered.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Naming {
    New,
    Duplicate,
    Rename(String),
}

/// The selection and input in the dialog.
#[derive(Clone, Debug)]
pub struct PartsDraft {
    pub(super) kind: PartKind,
    pub(super) step: Step,
    /// Set if the keyboard focus moves next: in the list, to the *Delete* of the collection or
    /// profile of this name as soon as it is listed, and in another step to its first button, or to
    /// *Keep it*.
    pub(super) focused: Option<String>,
    /// True if the stream key of a profile is imported too.
    pub(super) with_key: bool,
}

impl Default for PartsDraft {
    fn default() -> Self {
        let kind = PartKind::Collection;
        Self { kind, step: Step::default(), focused: None, with_key: false }
    }
}

impl PartsDraft {
    /// Creates the state with the list of this kind.
    pub fn of(kind: PartKind) -> Self {
        Self { kind, ..Self::default() }
    }
}
