//! The state of the dialog for scene collections and profiles.

use egui::Id;

use crate::studio::settings::part::PartKind;
use crate::studio::snapshot::PartsView;
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
#[derive(Clone, Debug, Default)]
pub struct PartsDraft {
    pub(super) kind: PartKind,
    pub(super) step: Step,
    /// Set if the keyboard focus moves next: in the list, to the row of the collection or profile of
    /// this name as soon as it is listed, and in another step to its first button, or to *Keep it*.
    pub(super) focused: Option<String>,
    /// True after a deletion or its question: the focus then moves to *Delete*, else to *Rename*.
    pub(super) focuses_delete: bool,
    /// The name whose deletion was requested, while it is still listed.
    pub(super) deleting: Option<String>,
    /// The button that got the keyboard focus after the last deletion was requested.
    pub(super) next_button: Option<Id>,
    /// The awaited name for which the row in use has already had the keyboard focus.
    stood_in: Option<String>,
    /// The last pass in which the list of versions was known, but another control had the focus.
    pub(super) waited_in: Option<u64>,
    /// The last problem that the dialog has shown.
    pub(super) seen_problem: Option<u64>,
    /// True if the stream key of a profile is imported too.
    pub(super) with_key: bool,
}

impl PartsDraft {
    /// Creates the state with the list of this kind.
    pub fn of(kind: PartKind) -> Self {
        Self { kind, ..Self::default() }
    }

    /// Stops waiting for a row.
    pub(super) fn forget_awaited(&mut self) {
        (self.focused, self.stood_in) = (None, None);
    }

    /// After a failed request, stops waiting for a row that does not come. The row whose deletion
    /// failed gets the keyboard focus back, unless the user has moved the focus. `problem` is the
    /// number of the shown problem, and `control` has the focus.
    pub(super) fn learn(&mut self, problem: Option<u64>, parts: &PartsView, control: Option<Id>) {
        let is_new = problem.is_some() && problem != self.seen_problem;
        self.seen_problem = problem;
        let names = parts.names(self.kind);
        let is_awaited = self.focused.as_ref().is_some_and(|it| !names.contains(it));
        if is_new && is_awaited && self.step == Step::List {
            let has_focus = self.stood_in.is_some();
            self.forget_awaited();
            self.focused = (!has_focus).then(|| parts.in_use.name(self.kind).to_owned());
        }
        self.deleting.take_if(|it| !names.contains(it));
        let has_moved = self.focused.is_none() && control.is_some() && control != self.next_button;
        if is_new
            && let Some(name) = self.deleting.take()
            && !has_moved
        {
            self.forget_awaited();
            (self.focused, self.focuses_delete) = (Some(name), true);
        }
    }

    /// Returns true if the row of this name gets the keyboard focus now. Until the row that gets
    /// the focus is listed, the row in use has it, once, if the focus `is_free`.
    pub(super) fn focuses(&mut self, name: &str, parts: &PartsView, is_free: bool) -> bool {
        let Some(focused) = &self.focused else { return false };
        if focused == name {
            self.forget_awaited();
            return true;
        }
        let is_awaited = !parts.names(self.kind).contains(focused);
        let is_in_use = parts.in_use.name(self.kind) == name;
        let stands_in = is_awaited && is_in_use && is_free && self.stood_in != self.focused;
        if stands_in {
            self.stood_in.clone_from(&self.focused);
        }
        stands_in
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns collections of which the first is in use.
    fn parts(names: &[&str]) -> PartsView {
        let collections = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parts = PartsView { collections, ..PartsView::default() };
        parts.in_use.collection = names[0].to_owned();
        parts
    }

    #[test]
    fn a_failed_request_leaves_no_row_to_wait_for() {
        let parts = parts(&["A"]);
        let awaits = || {
            let mut draft = PartsDraft::default();
            draft.learn(Some(1), &parts, None);
            draft.focused = Some("B".into());
            // The problem of an earlier request is still shown.
            draft.learn(Some(1), &parts, None);
            assert_eq!(draft.focused.as_deref(), Some("B"));
            draft
        };
        let mut draft = awaits();
        assert!(!draft.focuses("A", &parts, false), "another control has the focus");
        assert!(draft.focuses("A", &parts, true));
        assert!(!draft.focuses("A", &parts, true), "only once");
        draft.learn(Some(2), &parts, None);
        assert_eq!(draft.focused, None);
        // The problem arrives before the row in use has the focus.
        let mut draft = awaits();
        draft.learn(Some(2), &parts, None);
        assert!(draft.focuses("A", &parts, false));
        assert_eq!(draft.focused, None);
    }

    #[test]
    fn after_a_failed_deletion_the_same_row_has_the_focus() {
        let after = |names: &[&str]| {
            let (deleting, focused) = (Some("A".into()), Some("B".into()));
            let mut draft = PartsDraft { deleting, focused, ..PartsDraft::default() };
            draft.learn(Some(1), &parts(names), None);
            draft.focused
        };
        assert_eq!(after(&["A", "B"]).as_deref(), Some("A"));
        assert_eq!(after(&["B"]).as_deref(), Some("B"));
    }

    #[test]
    fn a_failed_deletion_leaves_the_focus_where_the_user_has_moved_it() {
        let next = Id::unique("next");
        let after = |control| {
            let (deleting, next_button) = (Some("A".into()), Some(next));
            let mut draft = PartsDraft { deleting, next_button, ..PartsDraft::default() };
            draft.learn(Some(1), &parts(&["A", "B"]), Some(control));
            draft.focused
        };
        assert_eq!(after(next).as_deref(), Some("A"));
        assert_eq!(after(Id::unique("another")), None);
    }

    #[test]
    fn an_awaited_row_gets_the_focus_once_it_is_listed() {
        let mut draft = PartsDraft { focused: Some("B".into()), ..PartsDraft::default() };
        assert!(draft.focuses("A", &parts(&["A"]), true));
        let parts = parts(&["A", "B"]);
        assert!(!draft.focuses("A", &parts, true));
        assert!(draft.focuses("B", &parts, false));
        assert!(!draft.focuses("B", &parts, true));
    }
}
