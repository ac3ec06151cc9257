//! The end behavior of the audio of a strip, and the control of its file.

use crate::media::Transport;
use crate::media::playback_control::{EndBehavior, TransportCommand};

/// The end behavior of a strip's audio.
#[derive(Debug, Default)]
pub struct StripEnd {
    pub at_end: EndBehavior,
    transport: Transport,
}

impl StripEnd {
    /// Applies the end behavior to the source that was opened on the strip.
    pub fn follow(&mut self, transport: Transport) {
        self.transport = transport;
    }

    pub fn set(&mut self, at_end: EndBehavior) {
        if std::mem::replace(&mut self.at_end, at_end) != at_end {
            self.transport.set_at_end(at_end);
        }
    }

    pub fn restart(&self) {
        self.transport.ask(TransportCommand::Restart);
    }
}
