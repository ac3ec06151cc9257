//! Tests of a pull: its publication, its viewers, and the addresses that it connects to.

use std::sync::Weak;

use super::*;
use crate::base::{Clock, queue};
use crate::net::Runtime;
use crate::server::access::grant::AdmittedViewer;
use crate::server::event::relay::Direction;
use crate::server::registry::Registry;
use crate::server::registry::config::Config;
use crate::server::registry::relays::rules::RelayRule;
use crate::server::registry::relays::state::RelayWay;
use crate::server::registry::relays::target::RelayTarget;
use crate::server::stream::flv_sink::FlvSink;
use crate::server::stream::message::Batch;
use crate::server::stream::sink::Sink;
use crate::server::webrtc::endpoint::Arrival;
use crate::server::webrtc::whep::session;
use crate::server::webrtc::whep::session::tests::{AUDIO_OFFER, publish, start_registry};

/// Returns the rule of a pull of `live/show`.
fn rule(on_demand: bool, linger: Duration) -> RelayRule {
    let target = |text| RelayTarget::parse(text, None).unwrap();
    RelayRule {
        direction: Direction::Pull,
        streams: "live/show".to_owned(),
        on_demand,
        targets: vec![target("rtmp://a.example/live/one"), target("rtmp://b.example/live/two")],
        linger,
        options: Options::default(),
    }
}

fn pull(registry: Arc<Registry>, rule: RelayRule) -> Pull {
    let way = RelayWay { path: RelayPath::default(), stream: Weak::new() };
    let (rule, start) = (Arc::new(rule), (1, registry.clock.now()));
    let relay = Arc::new(Relay::new(start, rule, ("live", "show"), way, None));
    Pull::new(RelayTask { registry, relay })
}

/// An edge with this id and path.
#[derive(Debug)]
struct Edge(u64, &'static str);

impl Sink for Edge {
    fn id(&self) -> u64 {
        self.0
    }

    fn relay_path(&self) -> RelayPath {
        RelayPath::parse(self.1).unwrap()
    }

    fn deliver(&self, _: &Batch<'_>) {}

    fn end(&self) {}

    fn resume(&self) {}
}

#[test]
fn the_server_of_a_pulled_stream_is_known_even_if_its_name_fits_no_address() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let targets = vec![RelayTarget::parse("rtmp://a.example/live", None).unwrap()];
    let rule = Arc::new(RelayRule { targets, ..rule(false, RelayRule::DEFAULT_LINGER) });
    let way = RelayWay { path: RelayPath::default(), stream: Weak::new() };
    let start = (1, registry.clock.now());
    let relay = Arc::new(Relay::new(start, rule, ("live", "my show"), way, None));
    let mut pull = Pull::new(RelayTask { registry: Arc::clone(&registry), relay });
    pull.server = "a.example:1935".to_owned();
    assert!(runtime.block_on(async { pull.publish().is_ok() }));
    let source = registry.find("live", "my show").unwrap().source();
    assert_eq!(source.origin.as_deref(), Some("a.example:1935"));
}

#[test]
fn the_next_stream_of_the_same_connection_is_no_reconnect() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let mut pull = pull(Arc::clone(&registry), rule(false, RelayRule::DEFAULT_LINGER));
    let reconnects = |pull: &Pull| pull.task.relay.reconnects.load(Ordering::Relaxed);
    runtime.block_on(async {
        assert!(pull.go_live().is_ok());
        pull.unpublish("gone".into());
        assert!(pull.go_live().is_ok());
    });
    assert_eq!(reconnects(&pull), 0);
    pull.disconnected(registry.clock.now());
    assert!(runtime.block_on(async { pull.go_live().is_ok() }));
    assert_eq!(reconnects(&pull), 1);
}

#[test]
fn a_pull_continues_while_a_viewer_of_webrtc_connects() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    publish(&registry, 1);
    let mut pull = pull(Arc::clone(&registry), rule(true, Duration::ZERO));
    pull.live_since = Some(registry.clock.now());
    assert_eq!(pull.check(), Err(problem!("relay-no-viewers")));
    runtime.block_on(async {
        let viewer = AdmittedViewer { id: 7, done: None, expelled: 0 };
        let client = (any, Arrival { local: None, host: None, meets: false });
        let offer = (AUDIO_OFFER, None);
        session::begin(&registry, ("live", "show"), offer, client, viewer).await.unwrap();
        assert_eq!(pull.check(), Ok(()));
    });
}

#[test]
fn a_pull_ends_if_its_viewers_can_move_to_the_successor_of_a_draining_server() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let mut pulls = [true, false]
        .map(|on_demand| pull(Arc::clone(&registry), rule(on_demand, RelayRule::DEFAULT_LINGER)));
    assert!(runtime.block_on(async { pulls[0].publish().is_ok() }));
    let mut check = || pulls.each_mut().map(Pull::check);
    let has_moved = || registry.moved_to("live", "show").is_some();
    let join = |id, protocol| {
        let viewer: Arc<dyn Sink> = FlvSink::for_viewer(id, 1_000, protocol);
        let address = "127.0.0.1:5".parse().unwrap();
        registry.join("live", "show", (viewer, 0), address).unwrap();
    };
    registry.drain(Some("rtmp://next/live".to_owned()), None);
    assert!(!has_moved(), "viewers over HTTP stay here");
    registry.drain(None, Some("http://next:8088".parse().unwrap()));
    assert_eq!(check(), [Ok(()), Ok(())], "pushes and recordings go on");
    assert!(has_moved(), "a new viewer does not end them");
    join(2, Protocol::HttpFlv);
    assert_eq!(check(), [Err(problem!("left-moved")), Err(problem!("left-moved"))]);
    join(3, Protocol::Rtmp);
    assert_eq!(check(), [Ok(()), Ok(())]);
    assert!(!has_moved());
}

#[test]
fn a_redirected_pull_keeps_the_name_in_the_address_of_its_server() {
    let runtime = Runtime::start().unwrap();
    let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
    let registry = Registry::new(Config::default(), Clock::start(), sender, runtime.handle());
    let rule = rule(false, RelayRule::DEFAULT_LINGER);
    let home = rule.targets[1].of("live", "show");
    let mut pull = pull(Arc::new(registry), rule.clone());
    let tc_url = Some("rtmp://c.example/live".to_owned());
    let event = Event::ReconnectRequest { tc_url, description: String::new() };
    let end = pull.take(event, Destination { home: &home, url: &home, rule: &rule });
    let Some(End::Elsewhere(next)) = end else { panic!("no other address") };
    assert_eq!((next.host.as_str(), next.stream.expose()), ("c.example", "two"));
}

#[test]
fn another_server_gets_its_own_time_to_have_the_stream() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let since = registry.clock.now();
    let mut pull = pull(registry, rule(false, RelayRule::DEFAULT_LINGER));
    let [first, second] = ["rtmp://a/live/x", "rtmp://b/live/x"].map(|it| Url::parse(it).unwrap());
    for (url, expected) in [(&first, Some(since)), (&second, None)] {
        pull.missing_since = Some((first.clone(), since));
        assert_eq!(pull.take_missing_since(url), expected);
        assert_eq!(pull.take_missing_since(url), None);
    }
}

#[test]
fn the_path_of_a_pull_changes_when_an_edge_leaves() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let mut pull = pull(Arc::clone(&registry), rule(true, RelayRule::DEFAULT_LINGER));
    for (id, path) in [(2, "a"), (3, "b")] {
        let edge: Arc<dyn Sink> = Arc::new(Edge(id, path));
        registry.join("live", "show", (edge, 0), "127.0.0.1:5".parse().unwrap()).unwrap();
    }
    let used = pull.path();
    let own = pull.task.own_id();
    assert_eq!(used.to_string(), "a,b");
    assert!(!pull.waiting_servers(&used).replaces(&used, &own));
    assert!(registry.find("live", "show").unwrap().leave(2).is_some());
    assert!(pull.waiting_servers(&used).replaces(&used, &own));
    assert_eq!(pull.path().to_string(), "b");
}

#[test]
fn a_stream_has_another_id_under_another_name() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let relays = &registry.relays;
    let [path, other] = ["in", "live"].map(|app| {
        let path = RelayPath::default().with(&relays.id_of((app, "show"))).unwrap();
        assert!(path.passes(&relays.id) && RelayPath::parse(&path.to_string()).is_some());
        path
    });
    // A server can push a stream, and pull it back under another name.
    assert!(!path.shares(&other) && path.shares(&path));
}
