//! The time limits of a pull, which depend on the number of its addresses.

use std::time::Duration;

use crate::server::registry::relays::state::REQUEST_TIMEOUT;
use crate::server::relay::cycle::FAIL_OVER_CONNECT_TIMEOUT;

/// With further addresses: a server that sends nothing for this long has failed.
const FAIL_OVER_SILENCE_TIMEOUT: Duration = Duration::from_secs(8);
/// The only server has failed if it sends nothing for this long. The limit exceeds the time for which a server keeps a
/// silent publisher: until then, a new connection would only get the last frames again.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
/// The range of [`start_timeout`].
const START_TIMEOUT_RANGE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(4));

/// Returns the time after which a server that sends nothing has failed.
pub(super) fn silence_timeout(addresses: usize) -> Duration {
    if addresses > 1 { FAIL_OVER_SILENCE_TIMEOUT } else { SILENCE_TIMEOUT }
}

/// Returns the time after which the pull leaves a server that does not have the stream, or `None` without further
/// addresses. All servers share the time for which the HTTP request of a viewer waits.
pub(super) fn start_timeout(addresses: usize) -> Option<Duration> {
    let (min, max) = START_TIMEOUT_RANGE;
    (addresses > 1).then(|| (REQUEST_TIMEOUT / count(addresses)).clamp(min, max))
}

/// Returns how long a pull without viewers tries its addresses: at least once each.
pub(super) fn first_round(addresses: usize) -> Duration {
    let each = start_timeout(addresses).map(|start| FAIL_OVER_CONNECT_TIMEOUT + start);
    each.map_or(REQUEST_TIMEOUT, |each| REQUEST_TIMEOUT.max(each * count(addresses)))
}

fn count(addresses: usize) -> u32 {
    u32::try_from(addresses).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::access::limits::Limits;
    use crate::server::registry::relays::rules::MAX_TARGETS;
    use crate::server::relay::task::CHECK_INTERVAL;

    #[test]
    fn one_request_reaches_the_last_of_several_servers() {
        for addresses in 2..=5 {
            let others = count(addresses) - 1;
            let each = start_timeout(addresses).unwrap() + CHECK_INTERVAL;
            assert!(each * others < REQUEST_TIMEOUT, "{addresses}");
        }
        // With more servers, the pull continues for the next request.
        let most = start_timeout(MAX_TARGETS).unwrap() * count(MAX_TARGETS);
        assert!(most > REQUEST_TIMEOUT && first_round(MAX_TARGETS) > most);
        assert_eq!((start_timeout(1), first_round(1)), (None, REQUEST_TIMEOUT));
    }

    #[test]
    fn the_only_server_keeps_a_silent_publisher_for_less_time_than_a_pull_waits() {
        assert!(silence_timeout(1) > Limits::default().silent_publisher);
        assert!(silence_timeout(2) < silence_timeout(1));
    }
}
