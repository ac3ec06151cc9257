//! What is looked for on the disk to be put into a scene.

use std::path::PathBuf;

use crate::capture::text::Content;
use crate::capture::{self, VideoChoice};
use crate::compose::filter::Slot;
use crate::compose::scene::{SceneId, SourceId};

/// The filter for which a file is asked: where it stood, and what it was, since the list may change
/// meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterFile {
    pub source: SourceId,
    pub index: usize,
    pub kind: &'static str,
    pub was: PathBuf,
}

impl FilterFile {
    fn is(&self, slot: &Slot) -> bool {
        let file = slot.filter.file();
        slot.filter.kind() == self.kind && file.is_some_and(|(_, path)| path == self.was)
    }

    /// Where it stands by now: where it stood, or else the only one that is as it was.
    pub fn among(&self, slots: &[Slot]) -> Option<usize> {
        if slots.get(self.index).is_some_and(|slot| self.is(slot)) {
            return Some(self.index);
        }
        let mut all = slots.iter().enumerate().filter(|(_, slot)| self.is(slot));
        let (at, _) = all.next()?;
        all.next().is_none().then_some(at)
    }
}

/// A kind of file or folder.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum FileRequest {
    Image,
    /// A folder of slides.
    Slides,
    /// The first frame of a list of slides.
    Slide,
    Video,
    /// Words, watched.
    Text,
}

impl FileRequest {
    /// What is looked for in the place of what a source shows, if that is on the disk.
    pub fn of(choice: &VideoChoice) -> Option<Self> {
        match choice {
            VideoChoice::Image(_) => Some(Self::Image),
            VideoChoice::Slides(path) if capture::names_image(path) => Some(Self::Slide),
            VideoChoice::Slides(_) => Some(Self::Slides),
            VideoChoice::File(_) => Some(Self::Video),
            VideoChoice::Text(Content::File(_)) => Some(Self::Text),
            _ => None,
        }
    }

    /// The source for what was found.
    pub fn choice(self, path: PathBuf) -> VideoChoice {
        match self {
            Self::Image => VideoChoice::Image(path),
            Self::Slides | Self::Slide => VideoChoice::Slides(path),
            Self::Video => VideoChoice::File(path),
            Self::Text => VideoChoice::Text(Content::File(path)),
        }
    }
}

/// Files that a source plays or shows after its first one; the dialog begins in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Then {
    pub source: SourceId,
    pub pick: FileRequest,
    /// In the place of this one of them, which was there; else behind the last.
    pub at: Option<(usize, PathBuf)>,
}

/// The transition for which a file is asked, since other options may be shown by the time it is chosen.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct TransitionFile {
    /// That of this scene; else that of all scenes without one of their own.
    pub scene: Option<SceneId>,
    pub means: TransitionFilePart,
}

/// What a transition works with.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TransitionFilePart {
    /// The gray frame of a wipe.
    Image,
    /// The clip of a stinger.
    Clip,
    /// A folder of frames that are one.
    Folder,
}
