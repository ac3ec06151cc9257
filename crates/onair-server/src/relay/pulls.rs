//! Starts pulls: those that always run, and those on demand. A pull on demand starts when a viewer
//! requests a stream that is not on this server. Callers have checked the viewer's access.

use std::net::IpAddr;
use std::sync::{Arc, Weak};

use crate::net::subscriber::subscriber;
use crate::server::event::relay::{Direction, RelayState};
use crate::server::registry::Registry;
use crate::server::registry::relays::rules::RelayRule;
use crate::server::registry::relays::state::{Relay, RelayWay};
use crate::server::relay::pull;
use crate::server::relay::pushes::push_on;
use crate::server::relay::task::RelayTask;
use crate::server::relay::waits;
use crate::server::stream::Stream;
use crate::server::stream::relayed::RelayPath;
use crate::wire::rtmp::stream_name::StreamName;

/// Starts the pulls that always run.
pub(crate) fn begin(registry: &Arc<Registry>) {
    for rule in registry.relays.rules().iter().filter(|rule| rule.is_static_pull()) {
        if let Some(names) = rule.only_stream() {
            start(registry, rule, names, None);
        }
    }
}

/// Replaces the rules: pulls go on by new rules, other relays of removed rules end, and relays of new rules begin.
pub(crate) fn set_rules(registry: &Arc<Registry>, rules: &[RelayRule]) {
    registry.relays.set_rules(rules);
    begin(registry);
    for stream in &registry.streams() {
        start_missing(registry, stream);
    }
}

/// Starts the pull of a stream if a rule applies to the stream. Returns the pull, even if it is already running, or
/// `None` if the stream is on this server. `path` contains the servers on the way to the viewer.
pub(crate) fn demand(
    registry: &Arc<Registry>,
    (app, stream): (&str, &str),
    viewer: IpAddr,
    path: &RelayPath,
) -> Option<Arc<Relay>> {
    // For another server, a name that is not plain may mean a stream that this viewer may not play.
    let name = StreamName::resolve("", app, stream);
    let is_exact = name.app == app && name.stream == stream && name.query.is_empty();
    if !is_exact || !name.is_plain() {
        return None;
    }
    // A full path would end the pull for all viewers. One viewer of the server before this one can invent servers until
    // the path is full, so this server asks without them.
    let none = RelayPath::default();
    let path = if path.has_room() { path } else { &none };
    let relays = &registry.relays;
    let rule = relays.demand_rule(app, stream)?;
    let is_here = registry.find(app, stream).is_some_and(|stream| stream.is_published());
    if let Some(known) = relays.pull_of(app, stream) {
        known.note_asked(registry.clock.now());
        known.set_asker(path);
        return Some(known).filter(|_| !is_here);
    }
    if is_here {
        return None;
    }
    let demand = (subscriber(viewer), path);
    start(registry, &rule, (app, stream), Some(demand))
}

/// Starts the pull on demand of a stream without a publisher, for the viewers who stay. HLS and DASH viewers
/// request the stream again.
pub(crate) fn resume(registry: &Arc<Registry>, stream: &Stream) {
    let names = (stream.app.as_str(), stream.name.as_str());
    if registry.relays.demand_rule(names.0, names.1).is_some()
        && let Some(viewer) = stream.waiting_viewer()
    {
        // The pull finds the servers that wait.
        demand(registry, names, viewer, &RelayPath::default());
    }
}

/// Works like [`demand`], but for an HTTP request. Waits until the stream is on this server or no
/// server has it, at most [`waits::request_timeout`].
pub(crate) async fn demand_and_wait(registry: &Arc<Registry>, names: (&str, &str), viewer: IpAddr) {
    let Some(relay) = demand(registry, names, viewer, &RelayPath::default()) else { return };
    let mut reports = relay.reports();
    let decided = reports.wait_for(|report| {
        matches!(report.state, RelayState::Live | RelayState::Stopped) || report.has_tried_all
    });
    let limit = waits::request_timeout(relay.rule().targets.len());
    let _ = tokio::time::timeout(limit, decided).await;
}

/// Starts the pulls and pushes that were refused, whenever there may be room.
pub(crate) async fn start_refused(registry: Arc<Registry>) {
    loop {
        tokio::select! {
            () = registry.stopped() => return,
            () = registry.relays.freed() => {}
        }
        registry.relays.retry(|| {
            begin(&registry);
            for stream in registry.streams().iter().take_while(|_| !registry.relays.is_full()) {
                start_missing(&registry, stream);
            }
        });
    }
}

/// Starts the pushes or the pull of a stream that are not running yet.
fn start_missing(registry: &Arc<Registry>, stream: &Arc<Stream>) {
    match stream.is_published() {
        true => push_on(registry, stream),
        false => resume(registry, stream),
    }
}

/// Starts a pull. Returns `None` if the pull is already running, or cannot start. For a pull on
/// demand, the arguments include the viewer's network, and the servers on the way to the viewer.
fn start(
    registry: &Arc<Registry>,
    rule: &Arc<RelayRule>,
    (app, stream): (&str, &str),
    demand: Option<(IpAddr, &RelayPath)>,
) -> Option<Arc<Relay>> {
    if registry.is_stopping() || registry.releases_pull(app, stream) {
        return None;
    }
    let (opened_by, path) = demand.unzip();
    let way = RelayWay { path: path.cloned().unwrap_or_default(), stream: Weak::new() };
    let now = (registry.next_id(), registry.clock.now());
    let relay = Relay::new(now, Arc::clone(rule), (app, stream), way, opened_by);
    let is_same =
        |it: &Relay| it.rule().direction == Direction::Pull && it.app == app && it.stream == stream;
    let task = RelayTask::begin(registry, relay, is_same)?;
    let relay = Arc::clone(&task.relay);
    let (its, ended) = (Arc::clone(registry), Arc::clone(&relay));
    registry.relays.runtime.spawn(async move {
        pull::run(task).await;
        // Viewers stay if another rule replaces that of the pull, or if they arrive while the pull ends. A pull that
        // ends for another reason would end again; only `start_refused` tries it again.
        if ended.is_stopped()
            && let Some(stream) = its.find(&ended.app, &ended.stream)
        {
            resume(&its, &stream);
        }
    });
    Some(relay)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::base::{Clock, queue};
    use crate::net::Runtime;
    use crate::net::rtmp::Options;
    use crate::server::access::rules::AppLimits;
    use crate::server::event::{Event, Protocol};
    use crate::server::registry::PublishRight;
    use crate::server::registry::config::Config;
    use crate::server::registry::relays::target::RelayTarget;
    use crate::server::registry::relays::{Addition, MAX_EMPTY_PULLS_PER_ADDRESS, MAX_RELAYS};
    use crate::server::stream::Incoming;
    use crate::server::stream::flv_sink::FlvSink;
    use crate::server::stream::sink::Sink;
    use crate::server::webrtc::whep::session::tests::publish;
    use crate::text::problem::problem;
    use crate::wire::container::flv::TagKind;

    /// Maximum wait for an event.
    const LIMIT: Duration = Duration::from_secs(60);

    /// Returns a rule for pulls of these streams from a server that does not exist.
    fn rule(streams: &str, on_demand: bool) -> RelayRule {
        RelayRule {
            direction: Direction::Pull,
            streams: streams.to_owned(),
            on_demand,
            targets: vec![RelayTarget::parse("rtmp://127.0.0.1:1/live", None).unwrap()],
            linger: RelayRule::DEFAULT_LINGER,
            options: Options::default(),
        }
    }

    fn start_registry(
        runtime: &Runtime,
        rule: RelayRule,
    ) -> (Arc<Registry>, queue::Receiver<Event>) {
        let (sender, events) = queue::bounded("test", 64, queue::Full::DropOldest);
        let config = Config { relays: vec![rule], ..Config::default() };
        let registry = Registry::new(config, Clock::start(), sender, runtime.handle());
        (Arc::new(registry), events)
    }

    /// Adds a viewer of `live/show`.
    fn watch(registry: &Registry, protocol: Protocol) {
        let viewer: Arc<dyn Sink> = FlvSink::for_viewer(2, 1_000, protocol);
        registry.join("live", "show", (viewer, 0), "127.0.0.1:5".parse().unwrap()).unwrap();
    }

    /// Adds a pull on demand of another stream, which does not run.
    fn fill(registry: &Registry, number: usize, opened_by: Option<IpAddr>) -> Arc<Relay> {
        let way = RelayWay { path: RelayPath::default(), stream: Weak::new() };
        let start = (1_000 + number as u64, registry.clock.now());
        let rule = Arc::new(rule("other/*", true));
        let relay = Arc::new(Relay::new(start, rule, ("other", "x"), way, opened_by));
        assert_eq!(registry.relays.add(&relay, |_| false), Addition::Added);
        relay
    }

    #[test]
    fn viewers_who_stay_get_the_pull_of_a_new_rule() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, rule("live/show", false));
        begin(&registry);
        watch(&registry, Protocol::HttpFlv);
        set_rules(&registry, &[rule("live/*", true)]);
        let running = || registry.relays.all().into_iter().filter(|it| !it.is_stopped());
        assert!(running().count() == 1 && running().all(|it| it.rule().on_demand));
        // Without a rule, nothing is pulled.
        set_rules(&registry, &[]);
        assert_eq!(running().count(), 0);
        set_rules(&registry, &[rule("live/*", true)]);
        assert_eq!(running().count(), 1);
        registry.stop();
    }

    #[test]
    fn a_viewer_who_stays_in_a_drain_gets_the_pull_of_a_new_rule() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, rule("live/*", true));
        registry.drain(None, Some("http://other:8088".parse().unwrap()));
        let pull = || registry.relays.pull_of("live", "show").map(|it| it.rule().streams.clone());
        let ask = || {
            let viewer = "127.0.0.1".parse().unwrap();
            demand(&registry, ("live", "show"), viewer, &RelayPath::default()).is_some()
        };
        assert!(!ask(), "viewers over HTTP move");
        watch(&registry, Protocol::Rtmp);
        assert!(ask());
        for streams in ["live/show", "live/s*"] {
            set_rules(&registry, &[rule(streams, true)]);
            assert_eq!(pull().as_deref(), Some(streams));
        }
        registry.stop();
    }

    #[test]
    fn a_permanent_pull_takes_the_place_of_one_on_demand() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, rule("live/*", true));
        let viewer = "127.0.0.1".parse().unwrap();
        let pull = demand(&registry, ("live", "show"), viewer, &RelayPath::default()).unwrap();
        set_rules(&registry, &[rule("live/*", true), rule("live/show", false)]);
        assert!(!pull.is_stopped() && pull.rule().is_static_pull());
        assert_eq!(registry.relays.count(), 1);
        set_rules(&registry, &[rule("live/*", true)]);
        assert!(!pull.is_stopped() && pull.rule().on_demand);
        registry.stop();
    }

    #[test]
    fn nobody_waits_for_a_pull_whose_stream_a_publisher_sends() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, rule("live/*", true));
        let (names, viewer) = (("live", "show"), "127.0.0.1".parse().unwrap());
        let ask = || demand(&registry, names, viewer, &RelayPath::default());
        let relay = ask().unwrap();
        publish(&registry, 1);
        assert!(ask().is_none() && !relay.is_stopped());
        registry.stop();
    }

    #[test]
    fn a_viewer_who_arrives_while_a_pull_ends_gets_another_one() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, rule("live/*", true));
        let names = ("live", "show");
        let viewer = "127.0.0.1".parse().unwrap();
        let ending = demand(&registry, names, viewer, &RelayPath::default()).unwrap();
        watch(&registry, Protocol::HttpFlv);
        ending.stop();
        let another = async {
            while !registry.relays.all().iter().any(|it| !it.is_stopped()) {
                sleep(Duration::from_millis(1)).await;
            }
        };
        let found = runtime.block_on(async { timeout(Duration::from_secs(10), another).await });
        assert!(found.is_ok());
        registry.stop();
    }

    #[test]
    fn viewers_who_stay_get_a_pull_when_the_publisher_leaves() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, rule("live/*", true));
        let address: SocketAddr = "127.0.0.1:5".parse().unwrap();
        let leaves = |stream: &str, has_viewer| {
            let name = StreamName::resolve("", "live", stream);
            let right = PublishRight { proven: true, relayed: false, limits: AppLimits::default() };
            let publication = registry.publish(1, address, &name, right).unwrap();
            if has_viewer {
                let viewer: Arc<dyn Sink> = FlvSink::for_viewer(2, 1_000, Protocol::HttpFlv);
                registry.join("live", stream, (viewer, 0), address).unwrap();
            }
            resume(&registry, &publication.stream);
            assert!(registry.relays.pull_of("live", stream).is_none(), "it is still published");
            registry.unpublish(&publication, 1, address, "gone".into());
            resume(&registry, &publication.stream);
            registry.relays.pull_of("live", stream).is_some()
        };
        assert!(!leaves("alone", false));
        assert!(leaves("watched", true));
        registry.drain(None, Some("http://other:8088".parse().unwrap()));
        assert!(!leaves("moved", true), "the viewer follows the publisher to the successor");
        set_rules(&registry, &[rule("live/fixed", false)]);
        assert!(registry.relays.pull_of("live", "fixed").is_none());
        registry.stop();
    }

    #[test]
    fn a_pull_for_viewers_who_stay_waits_for_the_rest_of_the_stream() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, rule("live/*", true));
        let publication = publish(&registry, 1);
        watch(&registry, Protocol::HttpFlv);
        let body = Bytes::from_static(&[0x17, 1, 0, 0, 0]);
        let frame = Incoming { kind: TagKind::Video, time_ms: 0, body, metadata: false };
        let late = registry.clock.now() + Duration::from_hours(1);
        publication.stream.take(1, &mut vec![frame], late);
        registry.unpublish(&publication, 1, "127.0.0.1:5".parse().unwrap(), "gone".into());
        resume(&registry, &publication.stream);
        let mut reports = registry.relays.pull_of("live", "show").unwrap().reports();
        let decided = reports.wait_for(|report| report.cause.is_some());
        let decided = runtime.block_on(async { timeout(LIMIT, decided).await });
        assert_eq!(decided.unwrap().unwrap().state, RelayState::Waiting, "no connection yet");
        registry.stop();
    }

    #[test]
    fn a_refused_pull_is_reported_and_begins_once_another_relay_has_ended() {
        let runtime = Runtime::start().unwrap();
        let (registry, events) = start_registry(&runtime, rule("live/*", true));
        let relays: Vec<_> = (0..MAX_RELAYS).map(|number| fill(&registry, number, None)).collect();
        watch(&registry, Protocol::HttpFlv);
        resume(&registry, &registry.find("live", "show").unwrap());
        assert!(registry.relays.pull_of("live", "show").is_none());
        let reported = loop {
            if let Event::Relay(change) = events.recv_timeout(LIMIT).unwrap() {
                break change;
            }
        };
        let cause = Some(problem!("relay-no-room"));
        assert_eq!((reported.state, reported.cause), (RelayState::Stopped, cause));
        runtime.handle().spawn(start_refused(Arc::clone(&registry)));
        registry.relays.remove(&relays[0]);
        let begun = async {
            while registry.relays.pull_of("live", "show").is_none() {
                sleep(Duration::from_millis(1)).await;
            }
        };
        assert!(runtime.block_on(async { timeout(LIMIT, begun).await }).is_ok());
        registry.stop();
    }

    #[test]
    fn a_pull_that_is_refused_again_counts_once_and_begins_once_another_one_gets_data() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, rule("live/*", true));
        let relays = &registry.relays;
        let opened_by = Some(subscriber("127.0.0.1".parse().unwrap()));
        let empty: Vec<_> = (0..MAX_EMPTY_PULLS_PER_ADDRESS)
            .map(|number| fill(&registry, number, opened_by))
            .collect();
        watch(&registry, Protocol::HttpFlv);
        let stream = registry.find("live", "show").unwrap();
        let is_freed = || {
            relays.free();
            runtime.block_on(async { timeout(Duration::ZERO, relays.freed()).await.is_ok() })
        };
        assert!(!is_freed(), "none was refused");
        resume(&registry, &stream);
        let retry = || relays.retry(|| start_missing(&registry, &stream));
        retry();
        assert_eq!((relays.refused(), is_freed()), (1, true));
        let later = registry.clock.now() + Duration::from_hours(1);
        relays.retry(|| assert!(!relays.is_refusal_reported(later)));
        assert!(relays.is_refusal_reported(later));
        empty[0].bytes.fetch_add(1, Ordering::Relaxed);
        retry();
        assert!(relays.pull_of("live", "show").is_some());
        assert_eq!((relays.refused(), is_freed()), (1, false));
        registry.stop();
    }

    #[test]
    fn a_full_path_keeps_no_viewer_from_the_stream() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, rule("live/*", true));
        let (names, viewer) = (("live", "show"), "127.0.0.1".parse().unwrap());
        let full = RelayPath::parse("a,b,c,d,e,f,g,h").unwrap();
        let path = RelayPath::parse("a").unwrap();
        for (path, asker) in
            [(&full, &RelayPath::default()), (&path, &path), (&full, &RelayPath::default())]
        {
            let relay = demand(&registry, names, viewer, path).unwrap();
            assert_eq!(relay.asker(), *asker);
        }
        registry.stop();
    }
}
