//! Refuses to run media with limits of the system under which onair would fail in the middle of its work.

use std::fs;

use crate::net::listener::descriptors;
use crate::text::problem::{Problem, problem};

/// Number of open files that a broadcast, a server or a player needs.
const MIN_FILES: u64 = 64;
/// The address space in MiB that their threads need.
const MIN_MEMORY_MIB: u64 = 1_024;

/// Checks the limits of this process.
///
/// # Errors
/// Fails with the limit that is too small.
pub fn check() -> Result<(), Problem> {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    suffices(descriptors::limit(), memory_mib(&limits))
}

fn suffices(files: u64, memory: Option<u64>) -> Result<(), Problem> {
    if files < MIN_FILES {
        return Err(problem!("cli-few-files", limit = files, least = MIN_FILES));
    }
    match memory.filter(|limit| *limit < MIN_MEMORY_MIB) {
        Some(limit) => Err(problem!("cli-little-memory", limit = limit, least = MIN_MEMORY_MIB)),
        None => Ok(()),
    }
}

/// Returns the limit of the address space in MiB, if there is one.
fn memory_mib(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok().map(|bytes: u64| bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_are_too_small_are_named() {
        let limits = |soft: &str| {
            format!(
                "Limit  Soft\nMax address space         {soft}   unlimited   bytes\nMax nice 0\n"
            )
        };
        assert_eq!(memory_mib(&limits("unlimited")), None);
        assert_eq!(memory_mib(&limits("268435456")), Some(256));
        assert!(suffices(64, None).is_ok() && suffices(1_024, Some(1_024)).is_ok());
        let few = suffices(16, None).unwrap_err().to_string();
        assert!(few.contains("16") && few.contains("64"), "{few}");
        let little = suffices(64, Some(256)).unwrap_err().to_string();
        assert!(little.contains("256") && little.contains("1024"), "{little}");
    }
}
