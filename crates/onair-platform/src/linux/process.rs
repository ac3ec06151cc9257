//! This process and others.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Returns the path of this program. The path stays valid when an update replaces the program.
pub fn own_program() -> PathBuf {
    "/proc/self/exe".into()
}

/// Returns true if the process with this number runs, and its program is this one.
pub fn runs_this_program(process: u32) -> bool {
    let program = std::fs::read_link(format!("/proc/{process}/exe")).ok();
    let own = std::env::current_exe().ok();
    program.is_some() && program.as_deref().map(installed) == own.as_deref().map(installed)
}

/// Returns the path of a program without the system's mark for a file that an upgrade has replaced.
fn installed(program: &Path) -> &Path {
    let bytes = program.as_os_str().as_bytes();
    bytes.strip_suffix(b" (deleted)").map_or(program, |path| Path::new(OsStr::from_bytes(path)))
}

/// Returns the number of open files and sockets of this process, if it is known.
pub fn open_files() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_program_is_that_of_the_own_process() {
        let own = std::env::current_exe().unwrap();
        assert_eq!(own_program().canonicalize().unwrap(), own.canonicalize().unwrap());
        assert!(runs_this_program(std::process::id()) && !runs_this_program(u32::MAX));
        assert!(open_files().is_some_and(|count| count > 2));
    }

    #[test]
    fn a_program_that_an_upgrade_replaced_is_the_same() {
        let program = Path::new("/usr/bin/onair");
        assert_eq!(installed(Path::new("/usr/bin/onair (deleted)")), program);
        assert_eq!(installed(program), program);
    }
}
