//! Frees the memory of code that is used only at startup. A software renderer compiles its shaders
//! with LLVM once, and that alone leaves 40 MB of LLVM's code in memory. A third of a server's 14
//! MB of memory is needed only until the server listens.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::time::{Duration, Instant};

/// Time from the first poll to the first release of pages.
const FIRST_RELEASE_DELAY: Duration = Duration::from_secs(5);
/// Interval between releases. After a release, the system reads the code in use again, so releases
/// must be rare.
const RELEASE_INTERVAL: Duration = Duration::from_secs(60);

/// Releases, at intervals, the pages of code that is no longer used.
#[derive(Debug, Default)]
pub struct CodePages {
    /// The time of the next release, or `None` before the first poll.
    next: Option<Instant>,
}

impl CodePages {
    /// Releases the pages if the time for the next release has come.
    pub fn poll(&mut self, now: Instant) {
        if now >= *self.next.get_or_insert(now + FIRST_RELEASE_DELAY) {
            self.next = Some(now + RELEASE_INTERVAL);
            release();
        }
    }
}

/// Releases the pages of all code in memory. Pages that are used again are read from the system's
/// file cache, which takes about a microsecond for each 64 KB.
fn release() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/smaps") else { return };
    for (start, length) in unchanged_code(&maps) {
        // SAFETY: the range is a private mapping of a file without write permission and without pages of
        // its own, so its pages equal the file. The system reads released pages from that file again, and
        // ignores a range that no longer exists.
        unsafe { libc::madvise(start as *mut c_void, length, libc::MADV_DONTNEED) };
    }
}

/// Returns the start and length of each mapping with code from a file, except mappings that the program
/// has changed, for example to relocate the code. `maps` is proc_pid_smaps(5).
fn unchanged_code(maps: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut code = None;
    for line in maps.lines() {
        match line.split_once(':') {
            Some(("Anonymous", changed)) if changed.trim() == "0 kB" => found.extend(code.take()),
            // A field of the mapping. Only the first line of a mapping has spaces before its first colon.
            Some((name, _)) if !name.contains(' ') => {}
            _ => code = code_of_file(line),
        }
    }
    found
}

/// Returns the start and length of the mapping that `line` describes (proc_pid_maps(5)), if the
/// mapping contains code from a file.
fn code_of_file(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (range, rights, path) = (fields.next()?, fields.next()?, fields.nth(3)?);
    let (start, end) = range.split_once('-')?;
    let [start, end] = [start, end].map(|it| usize::from_str_radix(it, 16).ok());
    let (start, end) = (start?, end?);
    (rights == "r-xp" && path.starts_with('/')).then_some((start, end.checked_sub(start)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_files_is_released() {
        let code = "7f00-7f80 r-xp 00000000 fe:00 1234   /usr/lib/libLLVM-15.so.1";
        assert_eq!(code_of_file(code), Some((0x7f00, 0x80)));
        for other in [
            "7f00-7f80 r--p 00001000 fe:00 1234   /usr/lib/libLLVM-15.so.1",
            "7f00-7f80 rw-p 00001000 fe:00 1234   /usr/lib/libLLVM-15.so.1",
            "7f00-7f80 rwxp 00001000 fe:00 1234   /usr/lib/libLLVM-15.so.1",
            // Compiled shaders, and the code that the system provides.
            "7f00-7f80 r-xp 00000000 00:00 0",
            "7f00-7f80 r-xp 00000000 00:00 0      [vdso]",
            "7f80-7f00 r-xp 00000000 fe:00 1234   /usr/lib/libLLVM-15.so.1",
            "",
        ] {
            assert_eq!(code_of_file(other), None, "{other}");
        }
    }

    #[test]
    fn changed_code_is_kept() {
        let mapping = |start: &str, changed: u32| {
            format!(
                "{start}-8000 r-xp 00000000 fe:00 1234   /usr/lib/lib:GL.so.1\nSize:  4 kB\n\
                 Anonymous:         {changed} kB\nVmFlags: rd ex mr mw me\n"
            )
        };
        let maps = [mapping("1000", 0), mapping("2000", 4), mapping("3000", 0)].concat();
        assert_eq!(unchanged_code(&maps), [(0x1000, 0x7000), (0x3000, 0x5000)]);
    }

    #[test]
    fn code_runs_on_after_its_release() {
        let code = unchanged_code(&std::fs::read_to_string("/proc/self/smaps").unwrap());
        assert!(code.len() > 1, "{code:?}");
        release();
        assert_eq!(code.iter().map(|(_, it)| it % 4_096).max(), Some(0));
    }
}
