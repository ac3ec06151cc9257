//! Connects to the server at which guests meet the studio, or is such a server.

use std::sync::Arc;

use crate::net::Runtime;
use crate::server::http::webrtc::meeting::studio;
use crate::server::registry::Registry;
use crate::server::registry::config::Config;

/// Begins what the configuration says.
pub(super) fn begin(runtime: &Runtime, registry: &Arc<Registry>) {
    if registry.config.meeting.is_some() {
        registry.webrtc.public.answer_others();
    }
    if let Some(guests) = registry.config.guests.clone() {
        runtime.spawn(studio::run(Arc::clone(registry), guests));
    }
}

/// Returns true if studios need another key, or may meet their guests in one configuration only.
pub(super) fn differs(one: &Config, other: &Config) -> bool {
    let key = |it: &Config| it.meeting.as_ref().map(|meeting| meeting.key().clone());
    key(one) != key(other)
}
