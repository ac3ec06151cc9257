//! The exit codes of commands.

use std::process::{ExitCode, Termination};

/// Exit codes, public and stable.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Ended as requested, including by Ctrl-C.
    Ok = 0,
    /// An error without a more specific code.
    Error = 1,
    /// The command line is not valid.
    Usage = 2,
    /// Settings or an input file cannot be read, or an output cannot be written.
    File = 3,
    /// A device cannot be used.
    Device = 4,
    /// A codec is missing or fails.
    Codec = 5,
    /// The target or source cannot be reached (DNS, TCP, TLS, handshake).
    Unreachable = 6,
    /// The server refused.
    Refused = 7,
    /// The connection was lost and not restored.
    Lost = 8,
    /// There is no such stream.
    NoStream = 9,
}

impl Exit {
    /// Returns the number for the shell.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}
