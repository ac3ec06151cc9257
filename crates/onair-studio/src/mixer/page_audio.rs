//! The audio of browser pages.

use crate::audio::AudioChoice;
use crate::capture::{VideoChoice, browser};

/// Returns the audio of a browser page, which is the monitor of its own sink, or `None` for other
/// sources.
pub(super) fn of(choice: &VideoChoice) -> Option<AudioChoice> {
    let VideoChoice::Browser(page) = choice else { return None };
    Some(AudioChoice::System(Some(format!("pulseaudio:{}.monitor", browser::sink_name(page)))))
}
