//! Reads the resources of this process: CPU time and resident memory.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::base::partial_debug;

/// Reader of this process's figures, to be called about once per second.
pub struct Process {
    system: Option<System>,
    pid: Option<Pid>,
}

partial_debug!(Process { pid });

impl Process {
    pub fn new() -> Self {
        Self { system: System::new().ok(), pid: sysinfo::get_current_pid().ok() }
    }

    /// Returns the CPU use since the last reading (1.0 is one core), and the resident memory in
    /// bytes.
    pub fn read(&mut self) -> (f32, u64) {
        let (Some(pid), Some(system)) = (self.pid, &mut self.system) else { return (0.0, 0) };
        system.refresh_processes_specifics(
            ProcessesToUpdate::Some(&[pid]),
            false,
            ProcessRefreshKind::nothing().with_cpu().with_memory(),
        );
        let process = system.process(pid);
        process.map_or((0.0, 0), |process| (process.cpu_usage() / 100.0, process.memory()))
    }
}
