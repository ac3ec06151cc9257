//! The memory that this process may still use, within the limits of the system and of the process's
//! control group.

use sysinfo::{MemoryRefreshKind, ProcessRefreshKind, ProcessesToUpdate, System};

/// Returns how many bytes are available to this process, or `None` if the system does not report
/// it.
pub(super) fn available() -> Option<u64> {
    let pid = sysinfo::get_current_pid().ok()?;
    let mut system = System::new().ok()?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    system.refresh_processes_specifics(
        ProcessesToUpdate::Some(&[pid]),
        false,
        ProcessRefreshKind::nothing(),
    );
    let group = system.process(pid).and_then(sysinfo::Process::cgroup_limits);
    // Without a limit, the figures of a control group mean nothing, because its usage includes the
    // file cache.
    let group = group.filter(|group| group.total_memory < system.total_memory());
    let available = system.available_memory();
    Some(group.map_or(available, |group| available.min(group.free_memory)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_computer_says_how_much_there_is() {
        assert!(available().is_some_and(|bytes| bytes > 0));
    }
}
