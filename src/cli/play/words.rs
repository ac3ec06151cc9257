//! What a player's failure comes to on the command line.

use crate::cli::Exit;
use crate::player::{Failure, Kind};

/// In one sentence, with what to do.
pub fn sentence(failure: &Failure) -> String {
    format!("{}. {}", failure.cause, failure.advice).trim_end().to_owned()
}

/// The exit code.
pub const fn exit_of(kind: Kind) -> Exit {
    match kind {
        Kind::System => Exit::Error,
        Kind::Usage => Exit::Usage,
        Kind::File => Exit::File,
        Kind::Codec => Exit::Codec,
        Kind::Unreachable => Exit::Unreachable,
        Kind::Refused => Exit::Refused,
        Kind::Lost => Exit::Lost,
        Kind::NoSuchStream => Exit::NoStream,
    }
}
