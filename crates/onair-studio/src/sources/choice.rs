//! The common part of the choices of video and audio sources.

use std::fmt::Display;
use std::path::Path;

use crate::audio::AudioChoice;
use crate::capture::{VideoChoice, browser};
use crate::studio::notices::message::StudioMessage;
use crate::text::Problem;

/// A choice of a source.
pub trait SourceChoice: Display {
    /// Returns the file or folder of the choice.
    fn file(&self) -> Option<&Path>;
}

impl SourceChoice for VideoChoice {
    fn file(&self) -> Option<&Path> {
        self.path()
    }
}

impl SourceChoice for AudioChoice {
    fn file(&self) -> Option<&Path> {
        self.path()
    }
}

/// Returns the text of a choice for display, with a stream's address but without its secrets.
pub fn label(choice: &impl Display) -> String {
    let words = choice.to_string();
    match words.split_once(':') {
        Some(("stream", url)) => format!("stream:{}", crate::player::source::plain(url)),
        Some(("browser", page)) => format!("browser:{}", browser::label(page)),
        _ => words,
    }
}

/// Returns the message that a source cannot be opened.
pub(super) fn failure(choice: &impl SourceChoice, reason: Problem) -> StudioMessage {
    StudioMessage::FileFailed { path: label(choice), reason, is_file: choice.file().is_some() }
}
