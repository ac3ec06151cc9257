//! Tests of the registry.

use super::*;
use crate::net::Runtime;

#[test]
fn tokens_expire_by_the_current_clock_of_the_system() {
    let runtime = Runtime::start().unwrap();
    let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
    // The system's clock was set after the server started.
    let clock = Clock::start_at(0);
    let registry = Registry::new(Config::default(), clock, sender, runtime.handle());
    let now = u64::try_from(Clock::system_micros() / 1_000_000).unwrap();
    assert!((now..now + 60).contains(&registry.unix_seconds()));
}
