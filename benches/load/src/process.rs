//! The CPU time and memory of a process, as reported by the kernel.

use std::{fs, io};

pub struct Process {
    /// The CPU time of all its threads so far, in seconds.
    pub cpu: f64,
    pub rss_kb: u64,
}

impl Process {
    /// Reads the figures of the process with this id.
    pub fn read(pid: u32) -> io::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name may contain spaces, and ends with the last parenthesis.
        let fields: Vec<&str> =
            stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
        let cpu = (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let rss_kb = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .unwrap_or(0);
        Ok(Self { cpu, rss_kb })
    }
}
