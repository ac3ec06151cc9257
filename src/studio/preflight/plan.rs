//! What *Ready?* is to try.

use std::path::PathBuf;

use crate::base::Clock;
use crate::broadcast::publisher;
use crate::encode;
use crate::net::Runtime;
use crate::studio::Quality;

/// What is to be tried on the thread.
pub(in crate::studio) struct Plan {
    pub runtime: Runtime,
    pub clock: Clock,
    pub quality: Quality,
    pub encoder: encode::Choice,
    /// Where recordings go, if any will be made.
    pub folder: Option<PathBuf>,
    pub targets: Vec<Asked>,
}

/// A target that is switched on.
pub(in crate::studio) struct Asked {
    pub id: u32,
    pub host: String,
    /// What a publisher would use.
    pub target: publisher::Target,
    /// What asks its service to test only, where it has such a mode.
    pub test_query: Option<&'static str>,
    /// It is the server inside the program, to which there is no way to be measured.
    pub built_in: bool,
}
