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
pub(crate) fn push_on(registry: &Arc<Registry>, stream: &Arc<Stream>) {
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
        // The push would end at once, and begin again whenever there may be room for refused relays.
        if !path.has_room() {
            let (app, stream) = names;
            tracing::debug!(app, stream, "no push: the stream has passed through too many servers");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Runtime;
    use crate::net::rtmp::Options;
    use crate::server::registry::config::Config;
    use crate::server::registry::relays::target::RelayTarget;
    use crate::server::stream::relayed::RelayPath;
    use crate::server::webrtc::whep::session::tests::{publish, start_registry};

    #[test]
    fn a_stream_that_has_passed_through_too_many_servers_is_not_pushed() {
        let runtime = Runtime::start().unwrap();
        let rule = RelayRule {
            direction: Direction::Push,
            streams: "live/*".to_owned(),
            on_demand: false,
            // No server has this port.
            targets: vec![RelayTarget::parse("rtmp://127.0.0.1:1/live", None).unwrap()],
            linger: RelayRule::DEFAULT_LINGER,
            options: Options::default(),
        };
        let config = Config { relays: vec![rule], ..Config::default() };
        let (registry, _events) = start_registry(&runtime, config);
        let publication = publish(&registry, 1);
        for (path, pushes) in [("a,b,c,d,e,f,g,h", 0), ("a,b,c,d,e,f,g", 1)] {
            let path = RelayPath::parse(path).unwrap();
            publication.stream.set_source(1, RelaySource { path, origin: None });
            push_on(&registry, &publication.stream);
            assert_eq!(registry.relays.count(), pushes);
        }
        registry.stop();
    }
}
