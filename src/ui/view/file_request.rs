//! Requests for files on the disk that become part of a scene.

use std::path::PathBuf;

use crate::capture::text::Content;
use crate::capture::{self, VideoChoice};
use crate::compose::filter::Slot;
use crate::compose::scene::{SceneId, SourceId};

/// The filter that needs a file. The filter's position and its old file identify it, because the
/// list may change in the meantime.
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

    /// Returns the current position of the filter: the old position, or else the position of the
    /// only matching filter.
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
    /// The first image in a list of slides.
    Slide,
    Video,
    /// A text file, which is monitored for changes.
    Text,
}

impl FileRequest {
    /// Returns the kind of file that can replace the content of a source, if that content is on the
    /// disk.
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

    /// Returns the content of a source with the chosen file.
    pub fn choice(self, path: PathBuf) -> VideoChoice {
        match self {
            Self::Image => VideoChoice::Image(path),
            Self::Slides | Self::Slide => VideoChoice::Slides(path),
            Self::Video => VideoChoice::File(path),
            Self::Text => VideoChoice::Text(Content::File(path)),
        }
    }
}

/// A request for files that a source plays or shows after its first file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaylistRequest {
    pub source: SourceId,
    pub pick: FileRequest,
    /// The position of the file to replace and its path; `None` appends the files.
    pub at: Option<(usize, PathBuf)>,
}

/// The transition that needs a file. It is stored because the dialog may show other options before
/// the user chooses a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct TransitionFile {
    /// The scene of the transition; `None` means the common transition of all other scenes.
    pub scene: Option<SceneId>,
    pub means: TransitionFilePart,
}

/// The part of a transition that is a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TransitionFilePart {
    /// The grayscale image of a wipe.
    Image,
    /// The clip of a stinger.
    Clip,
    /// A folder of images that form a stinger.
    Folder,
}
