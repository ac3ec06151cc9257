//! What is being done in the dialog of scene collections and profiles.

use crate::studio::settings::part::PartKind;
use crate::text::problem::Problem;

/// What is being done in the dialog.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Step {
    #[default]
    List,
    Name(Naming, String, Option<Problem>),
    Delete(String),
    Versions,
    Import,
}

/// What a name is typed for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Naming {
    New,
    Duplicate,
    Rename(String),
}

/// What is chosen and typed in the dialog.
#[derive(Clone, Debug)]
pub struct PartsDraft {
    pub(super) kind: PartKind,
    pub(super) step: Step,
    /// The stream key of an imported profile comes too.
    pub(super) with_key: bool,
}

impl Default for PartsDraft {
    fn default() -> Self {
        Self { kind: PartKind::Collection, step: Step::default(), with_key: false }
    }
}

impl PartsDraft {
    /// Begins with the list of this kind.
    pub fn of(kind: PartKind) -> Self {
        Self { kind, ..Self::default() }
    }
}
