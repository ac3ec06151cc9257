//! One event.

use serde_json::Value;

/// An event for the clients that want it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: &'static str,
    /// The group of the event, one of [`subscription`](crate::protocol::subscription).
    pub intent: u32,
    pub data: Value,
}

impl Event {
    pub const fn new(name: &'static str, intent: u32, data: Value) -> Self {
        Self { name, intent, data }
    }
}
