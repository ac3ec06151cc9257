//! (being written)

use crate::base::Clock;
use crate::cli::{Exit, Globals};

/// Arguments.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// An rtmp:// or rtmps:// URL, or an FLV file
    #[arg(value_name = "URL|FILE")]
    pub source: String,
}

/// Runs the command.
pub fn run(_args: &Args, _globals: &Globals, _clock: Clock) -> Exit {
    Exit::Error
}
