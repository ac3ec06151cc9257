//! Shows a file in the Explorer, with the file selected.

use std::ffi::OsString;
use std::io;
use std::os::windows::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use crate::text::Problem;

/// Shows a file in its folder.
///
/// # Errors
/// Fails if the system cannot start the Explorer.
pub fn show(path: &Path) -> Result<(), Problem> {
    // A path contains no quotation marks. The Explorer's exit code means nothing.
    let mut argument = OsString::from("/select,\"");
    argument.push(path);
    argument.push("\"");
    Command::new("explorer.exe").raw_arg(argument).spawn()?;
    Ok(())
}

/// Returns `None`: the library does not report the error of the file system here.
pub fn trash_cause(_error: &trash::Error) -> Option<&io::Error> {
    None
}
