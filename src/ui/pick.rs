//! What is looked for on the disk to be put into a scene.

use std::path::PathBuf;

use crate::capture::VideoChoice;

/// A kind of file or folder.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    Image,
    Slides,
    Video,
}

impl Pick {
    /// The source for what was found.
    pub fn choice(self, path: PathBuf) -> VideoChoice {
        match self {
            Self::Image => VideoChoice::Image(path),
            Self::Slides => VideoChoice::Slides(path),
            Self::Video => VideoChoice::File(path),
        }
    }
}

/// What a transition works with.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Means {
    /// The grey picture of a wipe.
    Picture,
    /// The clip of a stinger.
    Clip,
    /// A folder of pictures that are one.
    Folder,
}
