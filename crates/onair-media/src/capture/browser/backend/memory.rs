//! The memory of a process and everything that it started.

use std::collections::BTreeMap;
use std::fs;

/// Returns a process and everything that it started.
pub(super) fn family(root: u32) -> Vec<u32> {
    let processes = processes();
    let (mut family, mut next) = (vec![root], 0);
    while let Some(process) = family.get(next).copied() {
        // A process is listed below exactly one parent, so this ends.
        family.extend(processes.get(&process).into_iter().flatten());
        next += 1;
    }
    family
}

/// Returns the memory of processes in bytes, without what they share with files.
pub(super) fn used_by(processes: &[u32]) -> u64 {
    processes.iter().map(|process| anonymous(*process)).sum()
}

/// Returns the children of every process.
fn processes() -> BTreeMap<u32, Vec<u32>> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name of the program, in parentheses, can contain anything.
        let rest = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
        let parent: Option<u32> = rest.split_whitespace().nth(1).and_then(|it| it.parse().ok());
        if let Some(parent) = parent.filter(|parent| *parent != process) {
            children.entry(parent).or_default().push(process);
        }
    }
    children
}

fn anonymous(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok()
    };
    let kib = value("RssAnon:").unwrap_or(0) + value("RssShmem:").unwrap_or(0);
    (kib + value("VmSwap:").unwrap_or(0)) << 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_children_counts() {
        let own = anonymous(std::process::id());
        assert!(own > 100 << 10, "{own}");
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert!(processes()[&std::process::id()].contains(&child.id()));
        let family = family(std::process::id());
        assert!(family.contains(&child.id()));
        assert!(used_by(&family) > anonymous(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
