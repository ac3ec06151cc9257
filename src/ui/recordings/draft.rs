//! The state of the *Recordings* page, which is kept between frames.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use egui::Id;

use crate::base::Latest;
use crate::broadcast::recorder::remux::Cut;
use crate::media::VideoFrame;
use crate::studio::Command;
use crate::studio::live::recording::library::RecordingsCommand;
use crate::studio::live::recording::library::change::check_name;
use crate::studio::live::recording::library::view::{RecordingFile, RecordingsView};
use crate::ui::video::FrameView;
use crate::ui::view::WindowRequest;
use crate::wire::container::Format;

/// Returns the id of a row, which can get the keyboard focus while its recording is selected.
pub fn row_id(path: &Path) -> Id {
    Id::unique("recording-row").with(path)
}

/// The state of the page; see the module documentation.
#[derive(Debug, Default)]
pub struct Draft {
    /// True if the page is displayed, and the studio was informed of this.
    is_open: bool,
    /// True from the opening of the page until its selection has been checked.
    is_fresh: bool,
    pub(super) selected: Option<PathBuf>,
    /// True if the selection was changed elsewhere, so that the list scrolls to it.
    pub(super) scroll_to: bool,
    pub(super) search: String,
    /// The new name, while it is being edited.
    pub(super) name: Option<String>,
    /// True if the field for the name gets the keyboard focus next.
    pub(super) names: bool,
    /// True while the confirmation for the trash is displayed.
    pub(super) asks_trash: bool,
    /// True if the confirmation has just appeared, and its *Cancel* gets the keyboard focus next.
    pub(super) focuses_cancel: bool,
    pub(super) cut: CutDraft,
    pub(super) thumbnails: Thumbnails,
    /// The recording to select after the selected one was moved to the trash.
    next_selected: Option<PathBuf>,
    /// If the row of the selected recording gets the keyboard focus next: the row that had it.
    pub(super) focused_before: Option<Id>,
    /// The number of the last handled result.
    seen_outcome: u64,
    /// True from the last result until the selection changes or the page closes.
    pub(super) shows_outcome: bool,
}

/// A part of the selected recording, to be copied.
#[derive(Debug, Default)]
pub struct CutDraft {
    pub from: Duration,
    /// The end of the part; `None` means the end of the recording.
    pub to: Option<Duration>,
    /// The entered times, while they are being edited.
    pub typed: [Option<String>; 2],
    pub format: Option<Format>,
    /// The position of the last requested frame.
    pub asked: Option<Duration>,
}

impl CutDraft {
    pub fn part(&self) -> Cut {
        Cut { from: self.from, to: self.to }
    }
}

/// The views of the frames that have been drawn, by file.
#[derive(Debug, Default)]
pub struct Thumbnails {
    views: HashMap<PathBuf, (VideoFrame, FrameView)>,
    seen: Vec<PathBuf>,
}

impl Thumbnails {
    /// Returns the view for this frame.
    pub fn view(&mut self, path: &Path, frame: &VideoFrame) -> &mut FrameView {
        self.seen.push(path.to_owned());
        let known = self.views.get(path).is_some_and(|(known, _)| known.is_same(frame));
        if !known {
            let slot = Latest::default();
            slot.publish(frame.clone());
            let view = FrameView::new("thumbnail", slot);
            self.views.insert(path.to_owned(), (frame.clone(), view));
        }
        let (_, view) = self
            .views
            .entry(path.to_owned())
            .or_insert_with(|| (frame.clone(), FrameView::new("thumbnail", Latest::default())));
        view
    }

    /// Drops the views that were not drawn in this frame.
    pub fn forget_unseen(&mut self) {
        let seen = std::mem::take(&mut self.seen);
        self.views.retain(|path, _| seen.contains(path));
    }
}

impl Draft {
    /// Selects this recording.
    pub fn select(&mut self, path: Option<PathBuf>) {
        if self.selected != path {
            (self.name, self.asks_trash, self.cut) = (None, false, CutDraft::default());
            self.shows_outcome = false;
        }
        self.focused_before = None;
        self.scroll_to = path.is_some();
        self.selected = path;
    }

    /// Asks for confirmation before the selected recording is moved to the trash.
    pub(super) fn ask_trash(&mut self) {
        (self.asks_trash, self.focuses_cancel) = (true, true);
    }

    /// Remembers the next recording in the list, or else the previous one, to select it when `path`
    /// is in the trash.
    pub(super) fn remember_next(&mut self, view: &RecordingsView, path: &Path) {
        let found = self.found(view);
        let at = found.iter().position(|file| file.path == path);
        let next = at.and_then(|at| found.get(at + 1).or_else(|| found.get(at.checked_sub(1)?)));
        self.next_selected = next.map(|file| file.path.clone());
    }

    /// Begins to edit the name of the selected recording.
    pub(super) fn begin_name(&mut self, name: String) {
        (self.name, self.names) = (Some(name), true);
    }

    /// Ends the editing of the name. Returns the command that renames the selected recording, if
    /// the new name is valid.
    pub(super) fn end_name(&mut self) -> Option<Command> {
        let (name, path) = (self.name.take()?, self.selected.clone()?);
        let is_new = path.file_stem().is_none_or(|stem| stem.to_string_lossy() != name.trim());
        let is_valid = is_new && check_name(&name).is_ok();
        is_valid.then(|| Command::Recordings(RecordingsCommand::Rename(path, name)))
    }

    /// Reports whether the page is displayed, because the studio reads the folder only then.
    pub fn follow(&mut self, is_shown: bool, requests: &mut Vec<WindowRequest>) {
        if is_shown == self.is_open {
            return;
        }
        self.is_open = is_shown;
        self.is_fresh = is_shown;
        if !is_shown {
            self.thumbnails = Thumbnails::default();
            self.shows_outcome = false;
        }
        let command = if is_shown { RecordingsCommand::Open } else { RecordingsCommand::Close };
        requests.push(WindowRequest::Command(Command::Recordings(command)));
    }

    /// Keeps a renamed recording selected, and selects another one after a removed one. The row of
    /// the recording that is now selected gets the keyboard focus, unless another control has it.
    pub(super) fn learn(&mut self, view: &RecordingsView, focused: Option<Id>) {
        let outcome = view.outcome.as_ref().filter(|it| it.number != self.seen_outcome);
        let Some(outcome) = outcome else { return };
        self.seen_outcome = outcome.number;
        let is_it = self.selected.as_ref() == Some(&outcome.path);
        // After a copy, the original stays selected.
        let is_copied = outcome.text.id() == "recordings-copied";
        if is_it && !is_copied && !outcome.failed && outcome.now.as_ref() != Some(&outcome.path) {
            let row = row_id(&outcome.path);
            let next = outcome.now.clone().or_else(|| self.next_selected.take());
            self.select(next);
            let moves = self.selected.is_some() && focused.is_none_or(|it| it == row);
            self.focused_before = moves.then_some(row);
        }
        // That a recording was copied is shown only with this recording.
        self.shows_outcome = is_it || outcome.failed || !is_copied;
    }

    /// Forgets the row that had the keyboard focus when another control has the focus, or when the list
    /// no longer contains the row. Call this after the list was drawn.
    pub(super) fn forget_focus(&mut self, view: &RecordingsView, focused: Option<Id>) {
        let is_listed = |row: Id| view.files.iter().any(|file| row_id(&file.path) == row);
        self.focused_before.take_if(|row| focused.is_some_and(|it| it != *row) || !is_listed(*row));
    }

    /// Returns true if the recording of a row is selected because the row gets the keyboard focus.
    /// The row of a recording under its previous name can still have the focus.
    pub(super) fn follows_focus(&self, row: Id) -> bool {
        self.focused_before != Some(row)
    }

    /// Selects the first recording when the page opens, if none is selected.
    pub(super) fn begin(&mut self, view: &RecordingsView) {
        if !self.is_fresh || !view.is_read {
            return;
        }
        self.is_fresh = false;
        let selected = self.selected.as_ref();
        let is_there = view.files.iter().any(|file| Some(&file.path) == selected);
        if !is_there && let Some(first) = self.found(view).first().map(|file| file.path.clone()) {
            self.select(Some(first));
            self.scroll_to = false;
        }
    }

    /// Returns the recordings that match the search.
    pub(super) fn found<'a>(&self, view: &'a RecordingsView) -> Vec<&'a RecordingFile> {
        let wanted = self.search.trim().to_lowercase();
        let all = view.files.iter();
        all.filter(|file| file.name().to_lowercase().contains(&wanted)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::live::recording::library::view::{FileState, Outcome};
    use crate::text::problem::{Problem, problem};

    /// Returns a page with this selected recording, after a change of the recording `a.mkv`.
    fn after(selected: &str, now: Option<&str>, text: Problem) -> Draft {
        let (number, now) = (1, now.map(Into::into));
        let outcome = Outcome { number, path: "a.mkv".into(), now, failed: false, text };
        let view = RecordingsView { outcome: Some(outcome), ..RecordingsView::default() };
        let mut draft = Draft { selected: Some(selected.into()), ..Draft::default() };
        draft.learn(&view, None);
        draft
    }

    #[test]
    fn a_row_follows_the_focus_even_if_the_selected_one_is_not_drawn() {
        let [a, b, c] = ["a.mkv", "b.mkv", "c.mkv"].map(|path| row_id(Path::new(path)));
        // The search hides the new name.
        let mut renamed = after("a.mkv", Some("b.mkv"), problem!("recordings-renamed"));
        assert!(!renamed.follows_focus(a));
        assert!(renamed.follows_focus(b) && renamed.follows_focus(c));
        let file = RecordingFile {
            path: "a.mkv".into(),
            bytes: 0,
            wall_micros: 0,
            state: FileState::Waiting,
        };
        let before = RecordingsView { files: vec![file], ..RecordingsView::default() };
        renamed.forget_focus(&before, Some(a));
        assert!(!renamed.follows_focus(a), "the list still has the old name");
        renamed.forget_focus(&RecordingsView::default(), None);
        assert!(renamed.follows_focus(a), "the list has been read again");
        let mut renamed = after("a.mkv", Some("b.mkv"), problem!("recordings-renamed"));
        renamed.forget_focus(&before, Some(c));
        assert!(renamed.follows_focus(a), "another row has the focus");
        // No other recording was found.
        let trashed = after("a.mkv", None, problem!("recordings-trashed"));
        assert!(trashed.selected.is_none() && trashed.focused_before.is_none());
    }

    #[test]
    fn the_result_of_a_copy_is_not_shown_with_another_recording() {
        let copied = |selected| {
            after(selected, Some("a copy.mkv"), problem!("recordings-copied")).shows_outcome
        };
        assert!(copied("a.mkv") && !copied("b.mkv"));
        assert!(after("b.mkv", None, problem!("recordings-trashed")).shows_outcome);
    }
}
