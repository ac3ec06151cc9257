//! `onair serve`: the built-in server alone.

use std::net::SocketAddr;

use crate::base::Clock;
use crate::cli::{Exit, Globals};

/// Flags of `onair serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Where to publish and play by RTMP; port 0 picks a free one
    /// [default: 127.0.0.1:1935, or the next free port]
    #[arg(long, value_name = "ADDR")]
    pub rtmp: Option<SocketAddr>,
    /// Where to serve HTTP-FLV and figures; port 0 picks a free one
    /// [default: 127.0.0.1:8088, or the next free port]
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
}

/// Runs the command.
pub fn run(_args: &Args, _globals: &Globals, _clock: Clock) -> Exit {
    Exit::Error
}
