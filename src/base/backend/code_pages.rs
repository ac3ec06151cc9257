//! Frees the memory of code that is used only at startup. A software renderer compiles its shaders
//! with LLVM once, and that alone leaves 40 MB of LLVM's code in memory. Of a server's 14 MB, a third is
//! needed only until it listens.

#![allow(unsafe_code)]

#[cfg(target_os = "linux")]
use std::ffi::c_void;
use std::time::{Duration, Instant};

/// Time from the first poll to the first release of pages.
const AFTER_START: Duration = Duration::from_secs(5);
/// Interval between releases. After a release, the system reads the code in use again, so releases
/// must be rare.
const INTERVAL: Duration = Duration::from_secs(60);

/// Releases, at intervals, the pages of code that is no longer used.
#[derive(Debug, Default)]
pub struct CodePages {
    /// When the next release is due.
    next: Option<Instant>,
}

impl CodePages {
    /// Releases the pages if the time for the next release has come.
    pub fn poll(&mut self, now: Instant) {
        if now >= *self.next.get_or_insert(now + AFTER_START) {
            self.next = Some(now + INTERVAL);
            release();
        }
    }
}

/// Releases the pages of all code in memory. Pages that are used again are read from the system's
/// file cache, which takes about a microsecond for each 64 KB.
#[cfg(target_os = "linux")]
fn release() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    for (start, length) in maps.lines().filter_map(code_of_file) {
        // SAFETY: the range is a private mapping of a file without write permission, so its pages equal
        // the file. The system reads released pages from that file again, and ignores a range that no
        // longer exists.
        unsafe { libc::madvise(start as *mut c_void, length, libc::MADV_DONTNEED) };
    }
}

#[cfg(not(target_os = "linux"))]
fn release() {}

/// Returns the start and length of the mapping that `line` describes (proc_pid_maps(5)), if the
/// mapping contains code from a file.
#[cfg(target_os = "linux")]
fn code_of_file(line: &str) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (range, rights, path) = (fields.next()?, fields.next()?, fields.nth(3)?);
    let (start, end) = range.split_once('-')?;
    let [start, end] = [start, end].map(|it| usize::from_str_radix(it, 16).ok());
    let (start, end) = (start?, end?);
    (rights == "r-xp" && path.starts_with('/')).then_some((start, end.checked_sub(start)?))
}

#[cfg(all(test, target_os = "linux"))]
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
    fn code_runs_on_after_its_release() {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        assert!(maps.lines().filter_map(code_of_file).count() > 1, "{maps}");
        release();
        assert_eq!(maps.lines().filter_map(code_of_file).map(|(_, it)| it % 4_096).max(), Some(0));
    }
}
