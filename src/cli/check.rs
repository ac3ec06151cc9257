//! `onair check`: tries a target stage by stage and never goes live.

use std::path::PathBuf;

use crate::base::Clock;
use crate::cli::{Exit, Globals};

/// Flags of `onair check`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The target: an RTMP(S) URL whose last part is the key, or an application's URL with a --key-…
    #[arg(value_name = "URL")]
    pub url: String,
    /// The key is in this environment variable
    #[arg(long, value_name = "NAME")]
    pub key_env: Option<String>,
    /// The key is in this file
    #[arg(long, value_name = "PATH")]
    pub key_file: Option<PathBuf>,
    /// The key is the first line of standard input
    #[arg(long)]
    pub key_stdin: bool,
    /// Certificate authority (PEM) to trust for rtmps:// beside the system's
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// SHA-256 of the server's certificate (DER, hex) to trust for rtmps://
    #[arg(long, value_name = "SHA256")]
    pub tls_pin: Option<String>,
}

/// Runs the command.
pub fn run(_args: &Args, _globals: &Globals, _clock: Clock) -> Exit {
    Exit::Error
}
