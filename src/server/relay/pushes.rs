//! Starts the pushes of a stream.

use std::sync::Arc;

use crate::server::event::relay::Direction;
use crate::server::registry::Registry;
use crate::server::registry::relays::rules::RelayRule;
use crate::server::registry::relays::state::{Relay, RelayWay};
use crate::server::relay::push;
use crate::server::relay::task::RelayTask;
use crate::server::stream::Stream;
use crate::server::stream::relayed::RelaySource;

/// Starts the pushes of a published stream that are not running yet.
pub(in crate::server) fn push_on(registry: &Arc<Registry>, stream: &Arc<Stream>) {
    let relays = &registry.relays;
    let names = (stream.app.as_str(), stream.name.as_str());
    let RelaySource { path, origin } = stream.source();
    for rule in relays.rules() {
        if rule.direction != Direction::Push || !rule.applies_to(names.0, names.1) {
            continue;
        }
        // The server from which the stream comes already has it.
        let is_back = |origin: &str| rule.targets.iter().all(|it| it.authority() == origin);
        let is_back = origin.as_deref().is_some_and(is_back);
        for old in relays.all() {
            // The name may now belong to another stream, or to one that has passed through other
            // servers.
            if is_push_of(&old, &rule, names) && (is_back || !old.way.is_of(stream, &path)) {
                old.stop();
            }
        }
        if is_back || registry.is_stopping() {
            continue;
        }
        let start = (registry.next_id(), registry.clock.now());
        let way = RelayWay { path: path.clone(), stream: Arc::downgrade(stream) };
        let relay = Relay::new(start, Arc::clone(&rule), names, way, None);
        if let Some(task) = RelayTask::begin(registry, relay, |it| is_push_of(it, &rule, names)) {
            relays.runtime.spawn(push::run(task, Arc::clone(stream)));
        }
    }
}

fn is_push_of(relay: &Relay, rule: &Arc<RelayRule>, (app, stream): (&str, &str)) -> bool {
    Arc::ptr_eq(&relay.rule(), rule) && relay.app == app && relay.stream == stream
}
