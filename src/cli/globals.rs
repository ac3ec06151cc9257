//! Flags that every command takes.

use std::path::PathBuf;

/// Flags that every command takes.
#[derive(Clone, Debug, clap::Args)]
pub struct Globals {
    /// One JSON object a line on standard output, nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// Read settings from this file instead of the user's
    #[arg(long, global = true, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// What to log to standard error: error, warn, info, debug, trace, or a filter such as onair=debug
    #[arg(long, global = true, value_name = "LEVEL", default_value = "warn")]
    pub log: String,
}
