//! The hubs of the outputs of a broadcast that get other audio than the program's.

use std::collections::BTreeMap;

use crate::broadcast::Hub;
use crate::media::ExtraTrack;

/// The hubs of the mixes in use.
#[derive(Debug, Default)]
pub struct Mixes {
    /// After the stream delay, for targets.
    pub sent: BTreeMap<ExtraTrack, Hub>,
    /// Before the stream delay, for recordings.
    pub recorded: BTreeMap<ExtraTrack, Hub>,
}

impl Mixes {
    /// Ends the hubs of the targets, because the stream that they follow ends or changes.
    pub fn end_sent(&mut self) {
        self.sent.clear();
    }
}
