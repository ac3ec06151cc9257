//! Raises the limit of open descriptors once, and computes the share for connections.

use std::sync::OnceLock;

use crate::net::backend::descriptors::{self, RESERVED_DESCRIPTORS};

/// The assumed limit if the system does not report it.
const DEFAULT_DESCRIPTOR_LIMIT: u64 = 1_024;

/// Returns the limit of open descriptors. The first call raises the limit as far as the system
/// allows.
pub fn limit() -> u64 {
    static DESCRIPTOR_LIMIT: OnceLock<u64> = OnceLock::new();
    *DESCRIPTOR_LIMIT.get_or_init(|| descriptors::raise_limit().unwrap_or(DEFAULT_DESCRIPTOR_LIMIT))
}

/// Returns the number of connections, at most `wanted`, that leaves enough descriptors for files.
pub fn for_connections(wanted: usize) -> usize {
    share(limit(), wanted)
}

fn share(limit: u64, wanted: usize) -> usize {
    let left = limit.saturating_sub(RESERVED_DESCRIPTORS).max(limit / 4);
    wanted.min(usize::try_from(left).unwrap_or(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::backend::descriptors::MAX_DESCRIPTORS;

    #[test]
    fn a_service_can_have_the_maximum_number_of_connections() {
        assert_eq!(share(MAX_DESCRIPTORS, 65_536), 65_536);
        let unit = include_str!("../../../../../packaging/systemd/onair.service");
        let limit = unit.lines().find_map(|line| line.strip_prefix("LimitNOFILE=")).unwrap();
        assert!(limit.parse::<u64>().unwrap() >= MAX_DESCRIPTORS, "{limit}");
    }

    #[test]
    fn connections_leave_descriptors_for_files() {
        assert_eq!(share(65_536, 4_096), 4_096);
        assert_eq!(share(1_024, 4_096), 768);
        assert_eq!(share(64, 4_096), 16);
        assert!(for_connections(4_096) as u64 <= limit());
    }
}
