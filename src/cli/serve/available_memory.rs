//! The memory that this process may still use: what the system has, and what its control groups allow.

use std::fs;
use std::path::Path;

/// Bytes that are available to this process; `None` if the system does not say.
pub(super) fn available() -> Option<u64> {
    let system = fs::read_to_string("/proc/meminfo").ok().as_deref().and_then(available_of);
    let group = fs::read_to_string("/proc/self/cgroup").ok();
    let group = group.as_deref().and_then(group_of);
    let group = group.and_then(|group| left_in_groups(Path::new("/sys/fs/cgroup"), group));
    system.into_iter().chain(group).min()
}

/// The figure of `/proc/meminfo`, in bytes.
fn available_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

/// The control group (version 2) in `/proc/self/cgroup`, relative to the root.
fn group_of(groups: &str) -> Option<&str> {
    groups.lines().find_map(|line| line.strip_prefix("0::/"))
}

/// The smallest remainder of this group and those around it, in bytes.
fn left_in_groups(root: &Path, group: &str) -> Option<u64> {
    let number = |folder: &Path, name| {
        fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok()
    };
    // A group outside the root (another namespace) has no files here.
    let folder = root.join(group);
    let folders = folder.ancestors().take_while(|folder| folder.starts_with(root));
    let left = folders.filter_map(|folder| {
        // "max" is no number: this group has no limit.
        let limit = number(folder, "memory.max")?;
        Some(limit.saturating_sub(number(folder, "memory.current").unwrap_or(0)))
    });
    left.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_and_every_group_around_count() {
        assert_eq!(available_of("MemTotal: 9 kB\nMemAvailable:    2048 kB\n"), Some(2 << 20));
        assert_eq!(available_of("MemTotal: 9 kB\n"), None);
        assert_eq!(available_of("MemAvailable: many kB\n"), None);
        assert_eq!(
            group_of("1:cpu:/x\n0::/system.slice/onair.service\n"),
            Some("system.slice/onair.service")
        );

        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("system.slice/onair.service");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("memory.max"), "max\n").unwrap();
        let left = || left_in_groups(root.path(), "system.slice/onair.service");
        assert_eq!(left(), None);
        fs::write(root.path().join("system.slice/memory.max"), "1000\n").unwrap();
        fs::write(root.path().join("system.slice/memory.current"), "400\n").unwrap();
        assert_eq!(left(), Some(600));
        fs::write(inner.join("memory.max"), "300\n").unwrap();
        assert_eq!(left(), Some(300));
        fs::write(inner.join("memory.current"), "900\n").unwrap();
        assert_eq!(left(), Some(0));
        assert_eq!(left_in_groups(root.path(), "../elsewhere"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_computer_says_how_much_there_is() {
        assert!(available().is_some_and(|bytes| bytes > 0));
    }
}
