//! A service of Windows has another interface, which onair does not use.

use std::io;

/// Does nothing: there is no service manager.
pub(in crate::net) fn ready() -> io::Result<()> {
    Ok(())
}

/// Does nothing: there is no service manager.
pub(in crate::net) fn stopping() -> io::Result<()> {
    Ok(())
}
