//! The time limits of a pull, which depend on the number of its addresses.

use std::time::Duration;

use crate::server::relay::cycle::FAIL_OVER_CONNECT_TIMEOUT;

/// With further addresses: a server that sends nothing for this long has failed.
const FAIL_OVER_SILENCE_TIMEOUT: Duration = Duration::from_secs(8);
/// The only server has failed if it sends nothing for this long. The limit exceeds the time for which a server keeps a
/// silent publisher: until then, a new connection would only get the last frames again.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a pull checks whether a name is still published on this server, and how long it waits
/// after the name has become free. Servers that pull from each other must not pass on the rest of one
/// stream as a new one.
pub(super) const NAME_CHECK_INTERVAL: Duration = Duration::from_secs(3);
/// With further addresses: a server that has no stream for this long has failed. The limit exceeds
/// [`NAME_CHECK_INTERVAL`], for which another server may wait before it pulls the stream itself.
const START_TIMEOUT: Duration = Duration::from_secs(4);
/// How long the HTTP request of a viewer waits for a pull on demand with a single address.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);
/// Maximum time for which an HTTP request waits for a pull with many addresses.
const MAX_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns the time after which a server that sends nothing has failed.
pub(super) fn silence_timeout(addresses: usize) -> Duration {
    if addresses > 1 { FAIL_OVER_SILENCE_TIMEOUT } else { SILENCE_TIMEOUT }
}

/// Returns the time after which the pull leaves a server that does not have the stream, or `None` without further
/// addresses.
pub(super) fn start_timeout(addresses: usize) -> Option<Duration> {
    (addresses > 1).then_some(START_TIMEOUT)
}

/// Returns how long a pull without viewers tries its addresses: at least once each. This can take
/// several HTTP requests of a viewer.
pub(super) fn first_round(addresses: usize) -> Duration {
    let count = u32::try_from(addresses).unwrap_or(u32::MAX);
    let each = start_timeout(addresses).map(|start| FAIL_OVER_CONNECT_TIMEOUT + start);
    each.map_or(REQUEST_TIMEOUT, |each| REQUEST_TIMEOUT.max(each * count))
}

/// Returns how long the HTTP request of a viewer waits for a pull: with few addresses, until the pull has tried each.
pub(super) fn request_timeout(addresses: usize) -> Duration {
    first_round(addresses).min(MAX_REQUEST_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::access::limits::Limits;
    use crate::server::registry::relays::rules::MAX_TARGETS;
    use crate::server::relay::task::CHECK_INTERVAL;

    #[test]
    fn a_server_gets_the_time_to_pull_the_stream_itself() {
        assert!(start_timeout(2).unwrap() > NAME_CHECK_INTERVAL + CHECK_INTERVAL);
        assert_eq!((start_timeout(1), first_round(1)), (None, REQUEST_TIMEOUT));
    }

    #[test]
    fn one_request_reaches_the_third_server() {
        let before = (start_timeout(3).unwrap() + CHECK_INTERVAL) * 2;
        assert!(request_timeout(3) > before + FAIL_OVER_CONNECT_TIMEOUT * 3);
        assert_eq!(request_timeout(1), REQUEST_TIMEOUT);
        assert_eq!(request_timeout(MAX_TARGETS), MAX_REQUEST_TIMEOUT);
    }

    #[test]
    fn the_only_server_keeps_a_silent_publisher_for_less_time_than_a_pull_waits() {
        assert!(silence_timeout(1) > Limits::default().silent_publisher);
        assert!(silence_timeout(2) < silence_timeout(1));
    }
}
