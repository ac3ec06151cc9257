//! `onair devices`: what there is to choose from.

use crate::base::Clock;
use crate::cli::{Exit, Globals};

/// Runs the command.
pub fn run(_globals: &Globals, _clock: Clock) -> Exit {
    Exit::Error
}
