//! `onair` and `onair studio`: the window around the studio.

use crate::base::Clock;
use crate::cli::{Exit, Globals};

/// Opens the window and runs it to its end.
pub fn run(_globals: &Globals, _clock: Clock) -> Exit {
    Exit::Error
}
