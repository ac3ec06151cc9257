//! Tests of the registry.

use std::pin::pin;
use std::sync::Weak;
use std::task::Poll;

use super::*;
use crate::net::Runtime;
use crate::server::stream::flv_sink::FlvSink;
use crate::server::stream::message::Batch;
use crate::server::stream::message_sink::MessageSink;
use crate::wire::rtmp::auth::{Challenge, Method, next_query};
use crate::wire::rtmp::url::Credentials;

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

#[test]
fn a_reload_keeps_the_successors_of_a_request_to_drain() {
    let runtime = Runtime::start().unwrap();
    let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
    let registry = Registry::new(Config::default(), Clock::start(), sender, runtime.handle());
    let http = |text: &str| text.parse::<HttpSuccessor>().unwrap();
    let reload = |successor: &str, http_successor| {
        let successor = Some(successor.to_owned());
        registry.reload(&Config { successor, http_successor, ..Config::default() });
        (registry.successor.lock().clone().unwrap(), registry.http_successor())
    };
    assert_eq!(reload("rtmp://first/live", None), ("rtmp://first/live".to_owned(), None));
    registry.drain(Some("rtmp://named/live".to_owned()), None);
    let after = reload("rtmp://first/live", Some(http("http://first:8088")));
    assert_eq!(after, ("rtmp://named/live".to_owned(), Some(http("http://first:8088"))));
    registry.drain(None, Some(http("http://named:8088")));
    let after = reload("rtmp://second/live", None);
    assert_eq!(after, ("rtmp://named/live".to_owned(), Some(http("http://named:8088"))));
}

#[test]
fn a_server_that_ends_waits_for_its_files_even_if_a_client_stays() {
    let runtime = Runtime::start().unwrap();
    let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
    let registry = Registry::new(Config::default(), Clock::start(), sender, runtime.handle());
    let registry = Arc::new(registry);
    let here = IpAddr::from([127, 0, 0, 1]);
    let stream = Stream::new("live".to_owned(), "show".to_owned(), here, Limits::default());
    registry.files.begin(&Arc::new(stream), &FlvSink::for_file(7, 10), 1);
    let _client = registry.admit("127.0.0.1:5".parse().unwrap()).unwrap();
    registry.stop();
    runtime.block_on(async {
        assert!(!registry.finished(Duration::ZERO).await);
        let disk = async { registry.file_ended(7) };
        let (is_finished, ()) = tokio::join!(registry.finished(Duration::from_secs(60)), disk);
        assert!(is_finished && !registry.drained(Duration::ZERO).await);
    });
}

#[test]
fn ports_accept_clients_after_evicted_connections_have_closed() {
    let runtime = Runtime::start().unwrap();
    let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
    let limits = Limits { connections: 64, ..Limits::default() };
    let config = Config { limits, ..Config::default() };
    let registry = Arc::new(Registry::new(config, Clock::start(), sender, runtime.handle()));
    // Each of these connections evicts an earlier one, whose task has not ended yet.
    let admit = |_| registry.admit("127.0.0.1:5".parse().unwrap()).unwrap();
    let mut slots: Vec<_> = (0..64 + MAX_CLOSING_TO_ACCEPT).map(admit).collect();
    runtime.block_on(async {
        let mut room = pin!(registry.has_room());
        assert!(!poll_fn(|cx| Poll::Ready(room.as_mut().poll(cx).is_ready())).await);
        drop(slots.pop());
        assert!(poll_fn(|cx| Poll::Ready(room.as_mut().poll(cx).is_ready())).await);
    });
}

#[test]
fn a_reload_keeps_the_challenges_of_logins() {
    let runtime = Runtime::start().unwrap();
    let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
    let credentials = Credentials { user: "me".to_owned(), password: Secret::new("secret") };
    let login = config::Login { method: Method::Adobe, credentials: credentials.clone() };
    let config = Config { login: Some(login), ..Config::default() };
    let registry = Registry::new(config.clone(), Clock::start(), sender, runtime.handle());
    let check = |app: &str| registry.check_login(app, IpAddr::from([192, 0, 2, 1])).unwrap();
    let Verdict::Rejected(text) = check("live?authmod=adobe&user=me") else {
        panic!("no challenge")
    };
    let challenge = Challenge::parse(&text).unwrap();
    let answer = next_query(&challenge, &credentials, "live", "0a0b0c0d").unwrap();
    registry.reload(&config);
    assert_eq!(check(&format!("live?{answer}")), Verdict::Welcome);
}

#[test]
fn only_viewers_are_reported_and_counted() {
    let runtime = Runtime::start().unwrap();
    let (sender, events) = queue::bounded("test", 16, queue::Full::DropOldest);
    let registry = Registry::new(Config::default(), Clock::start(), sender, runtime.handle());
    let address: SocketAddr = "127.0.0.1:5".parse().unwrap();
    let viewer: Arc<dyn Sink> = FlvSink::for_viewer(1, 1_000, Protocol::HttpFlv);
    // Like this sink, onair's own player does not count as a viewer.
    let other: Arc<dyn Sink> = MessageSink::new(2, 1_000);
    let join = |sink| registry.join("live", "show", (sink, 0), address).unwrap();
    let stream = join(viewer);
    join(other);
    for id in [1, 2] {
        let ended = Ended { reason: "gone".into(), after: Duration::ZERO, bytes: 0 };
        registry.leave(&stream, id, address, ended);
    }
    let reported: Vec<_> = std::iter::from_fn(|| events.try_recv().ok()).collect();
    assert!(matches!(reported[..], [Event::Join(_), Event::Leave(..)]), "{reported:?}");
    assert_eq!(registry.reporter.log.lock().peak(), 1);
}

#[test]
fn a_viewer_gets_its_first_data_while_others_find_their_streams() {
    /// A viewer that records for each use of its socket whether other clients can find their streams.
    #[derive(Debug)]
    struct Player(Weak<Registry>, Mutex<Vec<bool>>);

    impl Sink for Player {
        fn id(&self) -> u64 {
            1
        }

        fn queue(&self, _batch: &Batch<'_>) {}

        fn send_queued(&self) {
            let registry = self.0.upgrade().unwrap();
            self.1.lock().push(registry.streams.try_lock().is_some());
        }

        fn deliver(&self, _batch: &Batch<'_>) {
            self.send_queued();
        }

        fn end(&self) {}

        fn resume(&self) {}
    }

    let runtime = Runtime::start().unwrap();
    let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
    let registry = Registry::new(Config::default(), Clock::start(), sender, runtime.handle());
    let registry = Arc::new(registry);
    let player = Arc::new(Player(Arc::downgrade(&registry), Mutex::default()));
    let viewer: Arc<dyn Sink> = Arc::<Player>::clone(&player);
    registry.join("live", "show", (viewer, 0), "127.0.0.1:5".parse().unwrap()).unwrap();
    assert_eq!(*player.1.lock(), [true]);
}

#[test]
fn a_refusal_names_the_limit_of_the_stream_or_of_the_server() {
    let runtime = Runtime::start().unwrap();
    let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
    let limits = Limits { streams: 1, viewers: 1, ..Limits::default() };
    let config = Config { limits, ..Config::default() };
    let registry = Registry::new(config, Clock::start(), sender, runtime.handle());
    let address: SocketAddr = "127.0.0.1:5".parse().unwrap();
    let join = |name: &str, id| {
        let viewer: Arc<dyn Sink> = FlvSink::for_viewer(id, 1_000, Protocol::HttpFlv);
        registry.join("live", name, (viewer, 0), address)
    };
    join("show", 1).unwrap();
    let why = join("show", 2).unwrap_err();
    assert_eq!(why, NoRoom::Stream(1));
    let text = "The stream already has 1 viewer, which is its limit.";
    assert_eq!(why.problem().to_string(), text);
    // Too many viewers wait for other streams.
    assert_eq!(join("other", 3).unwrap_err(), NoRoom::Server);
}
