//! What the *Recordings* page remembers between two frames.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::Latest;
use crate::broadcast::recorder::remux::Cut;
use crate::media::VideoFrame;
use crate::studio::Command;
use crate::studio::live::recording::library::RecordingsCommand;
use crate::studio::live::recording::library::view::{RecordingFile, RecordingsView};
use crate::ui::video::FrameView;
use crate::ui::view::WindowRequest;
use crate::wire::container::Format;

/// See the module.
#[derive(Debug, Default)]
pub struct Draft {
    /// The page is shown, and the studio knows.
    is_open: bool,
    /// It was opened, and nothing is selected yet.
    is_fresh: bool,
    pub(super) selected: Option<PathBuf>,
    /// A selection was made elsewhere: the list shows it.
    pub(super) scroll_to: bool,
    pub(super) search: String,
    /// What the name is to be, while it is edited.
    pub(super) name: Option<String>,
    /// The trash is asked about.
    pub(super) asks_trash: bool,
    pub(super) cut: CutDraft,
    pub(super) thumbnails: Thumbnails,
    /// The number of the outcome that was taken notice of.
    seen_outcome: u64,
}

/// A part of the selected recording, to be copied.
#[derive(Debug, Default)]
pub struct CutDraft {
    pub from: Duration,
    /// `None`: its end.
    pub to: Option<Duration>,
    /// Typed times, while they are edited.
    pub typed: [Option<String>; 2],
    pub format: Option<Format>,
    /// The frame that was asked for last.
    pub asked: Option<Duration>,
}

impl CutDraft {
    pub fn part(&self) -> Cut {
        Cut { from: self.from, to: self.to }
    }
}

/// Frames that are drawn, by the file.
#[derive(Debug, Default)]
pub struct Thumbnails {
    views: HashMap<PathBuf, (VideoFrame, FrameView)>,
    seen: Vec<PathBuf>,
}

impl Thumbnails {
    /// The view of this frame.
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

    /// Forgets those that were not drawn in this frame.
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
        }
        self.scroll_to = path.is_some();
        self.selected = path;
    }

    /// The page is shown or not: the studio reads the folder as long as it is.
    pub fn follow(&mut self, is_shown: bool, wishes: &mut Vec<WindowRequest>) {
        if is_shown == self.is_open {
            return;
        }
        self.is_open = is_shown;
        self.is_fresh = is_shown;
        if !is_shown {
            self.thumbnails = Thumbnails::default();
        }
        let command = if is_shown { RecordingsCommand::Open } else { RecordingsCommand::Close };
        wishes.push(WindowRequest::Command(Command::Recordings(command)));
    }

    /// What was renamed stays selected, and what is gone is not.
    pub(super) fn learn(&mut self, view: &RecordingsView) {
        if let Some(outcome) = view.outcome.as_ref().filter(|it| it.number != self.seen_outcome) {
            self.seen_outcome = outcome.number;
            let is_it = self.selected.as_ref() == Some(&outcome.path);
            if is_it && !outcome.failed && outcome.now.as_ref() != Some(&outcome.path) {
                // Of a copy the original stays selected.
                let copied = outcome.text.id() == "recordings-copied";
                if !copied {
                    self.select(outcome.now.clone());
                }
            }
        }
    }

    /// As the page opens, the first recording is selected where none is.
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

    /// The recordings that are looked for.
    pub(super) fn found<'a>(&self, view: &'a RecordingsView) -> Vec<&'a RecordingFile> {
        let wanted = self.search.trim().to_lowercase();
        let all = view.files.iter();
        all.filter(|file| file.name().to_lowercase().contains(&wanted)).collect()
    }
}
