//! Tests of a WHEP session.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};

use str0m::change::SdpAnswer;
use str0m::media::{Direction, MediaKind, Pt};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Output};
use tokio::sync::oneshot;

use super::*;
use crate::base::{Clock, Secret, queue};
use crate::net::Runtime;
use crate::net::webrtc::{Certificate, DatagramSocket, UdpPath, crypto};
use crate::server::access::limits::Limits;
use crate::server::event::Event;
use crate::server::outputs::renditions::start::rendition_of;
use crate::server::registry::config::{Config, OwnStream};
use crate::server::registry::{Publication, PublishRight};
use crate::server::renditions::ladder::Ladder;
use crate::server::renditions::refusal::Refusal;
use crate::server::stream::Incoming;
use crate::server::webrtc::mailbox::{ChosenRendition, Role};
use crate::server::webrtc::path::Path;
use crate::server::webrtc::whep::choice::selection::Variant;
use crate::server::webrtc::whep::negotiation::VideoRoute;
use crate::server::webrtc::whep::negotiation::tests::CHROMIUM_OFFER;
use crate::server::webrtc::whep::production::keyframe_request::KeyframeRequest;
use crate::server::webrtc::whep::production::productions::WantedTracks;
use crate::server::webrtc::whep::production::start;
use crate::server::webrtc::whep::tracks::{Tracks, VideoFormat};
use crate::wire::container::flv::TagKind;
use crate::wire::rtmp::stream_name::StreamName;

pub(crate) const AUDIO_OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\na=fingerprint:sha-256 \
    6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\n\
    a=rtpmap:111 opus/48000/2\r\n";

/// Returns the registry of a server with this configuration and with WHEP, and its events.
pub(crate) fn start_registry(
    runtime: &Runtime,
    config: Config,
) -> (Arc<Registry>, queue::Receiver<Event>) {
    let (sender, events) = queue::bounded("test", 16, queue::Full::DropOldest);
    let registry = Registry::new(config, Clock::start(), sender, runtime.handle());
    let any = "127.0.0.1:0".parse().unwrap();
    let socket = Arc::new(DatagramSocket::bind_or_next(runtime.handle(), any, 0).unwrap());
    registry.webrtc.open(socket, Certificate::generate().unwrap(), false);
    (Arc::new(registry), events)
}

/// Returns the address of every client.
fn any() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// Publishes `live/show`.
pub(crate) fn publish(registry: &Registry, id: u64) -> Publication {
    let name = StreamName::resolve("rtmp://localhost/live", "live", "show");
    let right = PublishRight { proven: true, relayed: false, limits: Default::default() };
    registry.publish(id, any(), &name, right).unwrap()
}

/// Sends an H.264 config with this profile, constraints and level.
fn configure(publication: &Publication, profile: &[u8]) {
    let sets: &[u8] =
        b"\xff\xe1\0\x19\x67\x64\0\x20\xac\xd9\x40\xc0\x29\xb0\x11\0\0\x03\0\x01\0\0\x03\0\x32\
        \x0f\x18\x31\x96\x01\0\x06\x68\xeb\xe3\xcb\x22\xc0";
    let body = [&b"\x17\0\0\0\0\x01"[..], profile, sets].concat().into();
    let config = Incoming { kind: TagKind::Video, time_ms: 0, body, metadata: false };
    publication.stream.take(1, &mut vec![config], Timestamp::ZERO);
}

/// Begins to watch `live/show` with this offer.
async fn begin(registry: &Arc<Registry>, offer: &str) -> (Session, ConnectionSlot, BegunSession) {
    let viewer = AdmittedViewer { id: 7, done: None, expelled: 0 };
    let client = (any(), Arrival { local: None, host: None, meets: false });
    prepare(registry, ("live", "show"), (offer, None), client, viewer).await.unwrap()
}

/// Publishes a keyframe of 1 MiB, and waits until a session can use it. Returns the number of its packets.
async fn publish_large_keyframe(publication: &Publication, session: &Session) -> usize {
    let nal = vec![0x65; 1 << 20];
    let length = (nal.len() as u32).to_be_bytes();
    let body = [&b"\x17\x01\0\0\0"[..], &length, &nal].concat().into();
    let key = Incoming { kind: TagKind::Video, time_ms: 0, body, metadata: false };
    publication.stream.take(1, &mut vec![key], Timestamp::ZERO);
    loop {
        session.transport.mailbox.news().await;
        if session.transport.mailbox.take().frames.iter().any(|frame| frame.is_video()) {
            return session.video.as_ref().unwrap().used.group()[0].payloads.len();
        }
    }
}

/// Returns the datagrams that a side sends until it waits, and the time until which it waits.
fn drain(rtc: &mut Rtc) -> (Vec<Vec<u8>>, Instant) {
    let mut sent = Vec::new();
    loop {
        match rtc.poll_output().unwrap() {
            Output::Timeout(until) => return (sent, until),
            Output::Transmit(transmit) => sent.push(transmit.contents.to_vec()),
            Output::Event(_) => {}
        }
    }
}

/// Passes datagrams to a side.
fn pass(rtc: &mut Rtc, datagrams: &[Vec<u8>], [from, to]: [SocketAddr; 2], now: Instant) {
    for datagram in datagrams {
        let receive = Receive::new(Protocol::Udp, from, to, datagram).unwrap();
        // A session only logs the error of a datagram that cannot be read.
        let _ = rtc.handle_input(Input::Receive(now, receive));
    }
}

/// Connects a viewer at this address to a session, without a network. Returns the simulated time.
fn connect(session: &mut Session, viewer: &mut Rtc, home: SocketAddr) -> Instant {
    let (ours, begun) = (session.transport.local[0], Instant::now());
    let mut now = begun;
    while !(session.transport.rtc.is_connected() && viewer.is_connected()) {
        assert!(now < begun + CONNECT_TIMEOUT, "the viewer does not connect");
        let (sent, viewer_waits) = drain(viewer);
        pass(&mut session.transport.rtc, &sent, [home, ours], now);
        let (sent, session_waits) = drain(&mut session.transport.rtc);
        pass(viewer, &sent, [ours, home], now);
        let (soon, late) = (Duration::from_millis(1), Duration::from_millis(100));
        now = viewer_waits.min(session_waits).clamp(now + soon, now + late);
        viewer.handle_input(Input::Timeout(now)).unwrap();
        session.transport.rtc.handle_input(Input::Timeout(now)).unwrap();
    }
    now
}

/// Begins to watch `live/show`, and connects without a network. Returns the simulated time.
async fn watch(registry: &Arc<Registry>) -> (Session, ConnectionSlot, Instant) {
    let home = "127.0.0.1:9".parse().unwrap();
    let mut viewer = Rtc::builder().set_crypto_provider(crypto()).build(Instant::now());
    viewer.add_local_candidate(Candidate::host(home, "udp").unwrap());
    let mut change = viewer.sdp_api();
    change.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
    let (offer, pending) = change.apply().unwrap();
    drain(&mut viewer);
    let (mut session, slot, begun) = begin(registry, &offer.to_sdp_string()).await;
    let answer = SdpAnswer::from_sdp_string(&begun.answer).unwrap();
    viewer.sdp_api().accept_answer(pending, answer).unwrap();
    let now = connect(&mut session, &mut viewer, home);
    session.connected(registry, &slot).unwrap();
    (session, slot, now)
}

#[test]
fn requests_for_keyframes_do_not_fill_the_queue_of_a_slow_link() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let publication = publish(&registry, 1);
    configure(&publication, b"\x64\0\x20");
    runtime.block_on(async {
        let (mut session, _slot, now) = watch(&registry).await;
        let packets = publish_large_keyframe(&publication, &session).await;
        // Nothing is polled, so no packet leaves.
        let mut waiting_after = |millis| {
            let now = now + Duration::from_millis(millis);
            session.restore_video(&registry, now);
            session.transport.rtc.handle_input(Input::Timeout(now)).unwrap();
            (session.waiting_packets(), session.video.as_ref().unwrap().cursor.is_waiting())
        };
        let (first, is_waiting) = waiting_after(0);
        assert!(first >= packets && !is_waiting, "{first} of {packets}");
        assert_eq!(waiting_after(300), (first, false), "the first ones are still waiting");
        assert_eq!(waiting_after(600), (first, false));
        assert_eq!(waiting_after(1_100), (first, true), "the link is too slow for the frames");
    });
}

#[test]
fn a_link_that_is_too_slow_for_the_cached_frames_gets_the_next_keyframe() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let publication = publish(&registry, 1);
    configure(&publication, b"\x64\0\x20");
    runtime.block_on(async {
        let (mut session, slot, _) = begin(&registry, CHROMIUM_OFFER).await;
        session.connected(&registry, &slot).unwrap();
        let packets = publish_large_keyframe(&publication, &session).await;
        let begun = Instant::now();
        // The number of written packets, for an estimate in bits per second.
        let mut written = |millis, estimate| {
            session.switching.estimate = Some(estimate);
            session.restore_video(&registry, begun + Duration::from_millis(millis));
            (session.unsent, session.video.as_ref().unwrap().cursor.is_waiting())
        };
        assert_eq!(written(0, 8_000_000), (0, true));
        assert_eq!(written(300, 9_000_000), (packets, false));
    });
}

#[test]
fn a_fast_link_gets_all_cached_frames_of_a_long_gop() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let publication = publish(&registry, 1);
    configure(&publication, b"\x64\0\x20");
    runtime.block_on(async {
        let (mut session, _slot, begun) = watch(&registry).await;
        let production = session.video.as_ref().unwrap().used.production.id();
        // Frames of 1 Mbit/s.
        let payload: Arc<[u8]> = Arc::from([0_u8; 1_000]);
        let frame = |index: u64| {
            Arc::new(Frame {
                production,
                is_av1: false,
                kind: if index == 0 { FrameKind::Key } else { FrameKind::Inter },
                index,
                at: index as i64 * 40_000,
                wallclock: begun,
                arrived: begun,
                payloads: vec![Arc::clone(&payload); 5],
            })
        };
        let group: Vec<_> = (0..150).map(frame).collect();
        session.switching.estimate = Some(4_000_000);
        session.restart(&group, begun);
        assert_eq!(session.unsent, 750, "six seconds");
        session.restart(&group, begun + Duration::from_millis(1_400));
        assert_eq!(session.unsent, 750, "the link needs 1.5 s for the first ones");
        session.transport.rtc.handle_input(Input::Timeout(begun)).unwrap();
        // Nothing is polled, so no packet leaves.
        let mut waits_after = |millis, index| {
            let now = begun + Duration::from_millis(millis);
            session.transport.rtc.handle_input(Input::Timeout(now)).unwrap();
            session.send(&frame(index), now);
            session.video.as_ref().unwrap().cursor.is_waiting()
        };
        assert!(!waits_after(1_400, 150));
        assert!(waits_after(2_600, 151), "the link is slower than its estimate");
        // The link is slower than the stream.
        let later = begun + Duration::from_secs(3);
        session.switching.estimate = Some(900_000);
        session.restart(&group, later);
        assert_eq!(session.unsent, 755);
        session.switching.estimate = Some(4_000_000);
        session.restart(&group, later);
        assert_eq!(session.unsent, 1_505);
        // The number of waiting packets stays limited.
        for index in 150..1_000 {
            session.send(&frame(index), later);
        }
        session.transport.rtc.handle_input(Input::Timeout(later)).unwrap();
        assert!(!session.video.as_ref().unwrap().cursor.is_waiting());
        session.send(&frame(1_000), later);
        assert!(session.video.as_ref().unwrap().cursor.is_waiting());
    });
}

#[test]
fn a_session_whose_code_panics_leaves_nothing_behind() {
    let runtime = Runtime::start().unwrap();
    let (registry, events) = start_registry(&runtime, Config::default());
    let publication = publish(&registry, 1);
    let begin = |expelled| {
        let viewer = AdmittedViewer { id: 7, done: None, expelled };
        let arrival = Arrival { local: None, host: None, meets: false };
        prepare(&registry, ("live", "show"), (AUDIO_OFFER, None), (any(), arrival), viewer)
    };
    let home: SocketAddr = "192.0.2.1:5".parse().unwrap();
    runtime.block_on(async {
        let (mut session, slot, begun) = begin(0).await.unwrap();
        session.transport.note_path(&registry, &Path::Udp(home.into()));
        session.connected(&registry, &slot).unwrap();
        let mailbox = Arc::clone(&session.transport.mailbox);
        registry.webrtc.deliver(&[22, 254, 253], home.into());
        assert_eq!(mailbox.take().datagrams.len(), 1);
        assert_eq!(
            (registry.connections(), publication.stream.viewers(Timestamp::ZERO).len()),
            (1, 1)
        );
        session.run(Arc::clone(&registry), slot, |_, _, _| panic!("in a test")).await;
        assert!(mailbox.is_over() && registry.webrtc.ice(Role::Viewer, &begun.resource).is_none());
        registry.webrtc.deliver(&[22, 254, 253], home.into());
        assert!(mailbox.take().datagrams.is_empty());
    });
    assert!(publication.stream.viewers(Timestamp::ZERO).is_empty());
    assert_eq!(registry.connections(), 0);
    let ended = std::iter::from_fn(|| events.try_recv().ok()).last();
    let Some(Event::Leave(peer, ended)) = ended else { panic!("{ended:?}") };
    assert_eq!((peer.id, ended.reason), (7, problem!("left-unexpected")));
    // A session that was admitted before the others had to leave does not begin.
    registry.expelled.send_modify(|count| *count += 1);
    let refused = runtime.block_on(begin(0)).map(|_| ());
    assert!(matches!(refused, Err(Refused::Expelled)), "{refused:?}");
    assert_eq!(registry.webrtc.end_viewers(|_| true, &"the end".into()), 0);
    assert_eq!(registry.connections(), 0);
    runtime.block_on(begin(1)).map(|_| ()).unwrap();
}

#[test]
fn a_viewer_gets_answers_from_the_address_that_it_used_last() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let _publication = publish(&registry, 1);
    let mut session = runtime.block_on(begin(&registry, AUDIO_OFFER)).0;
    let [first, second] = [1, 2].map(|host| {
        let local = Some(Ipv4Addr::new(192, 0, 2, host).into());
        UdpPath { peer: SocketAddr::from(([198, 51, 100, 7], 5)), local }
    });
    for path in [first, second] {
        session.transport.note_path(&registry, &Path::Udp(path));
        assert_eq!(session.transport.paths, [path]);
    }
}

#[test]
fn a_viewer_of_our_own_stream_waits_for_a_keyframe_only_if_the_encoder_can_answer() {
    let runtime = Runtime::start().unwrap();
    let (app, stream) = ("live".to_owned(), "show".to_owned());
    let own_stream = Some(OwnStream { app, stream, key: Secret::new("of-this-run") });
    let (registry, _events) = start_registry(&runtime, Config { own_stream, ..Config::default() });
    let publication = publish(&registry, 1);
    let mut session = runtime.block_on(begin(&registry, AUDIO_OFFER)).0;
    let wanted = WantedTracks { video: true, audio: false };
    let used = start::of_stream(&registry, &publication.stream, wanted).unwrap();
    let route = VideoRoute { mid: "1".into(), h264: None, av1: None };
    session.video = Some(VideoTrack::new(route, (Variant::Main, used)));
    let arrived = Instant::now();
    let key = Frame {
        production: 1,
        is_av1: false,
        kind: FrameKind::Key,
        index: 0,
        at: 0,
        wallclock: arrived,
        arrived,
        payloads: Vec::new(),
    };
    let cached = [Arc::new(key)];
    let mut asks = |millis| {
        let now = arrived + Duration::from_millis(millis);
        let waits = session.ask_encoder(&registry, &cached, now);
        (waits, session.video.as_mut().and_then(|it| it.keyframe_deadline.take()))
    };
    // For a file and with a stream delay, the studio sets no request.
    assert_eq!(asks(1_000), (false, None), "the viewer gets the cached frames at once");
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let request = KeyframeRequest(Arc::new(move || {
        counted.fetch_add(1, Ordering::Relaxed);
    }));
    *registry.webrtc.keyframe_request.write() = Some(request);
    let limit = arrived + Duration::from_millis(2_000) + KEYFRAME_TIMEOUT;
    assert_eq!(asks(2_000), (true, Some(limit)));
    assert_eq!(requests.load(Ordering::Relaxed), 1);
    *registry.webrtc.keyframe_request.write() = None;
    assert_eq!(asks(4_000), (false, None), "the broadcast has a stream delay now");
}

#[test]
fn a_session_ends_if_the_publisher_returns_with_a_codec_that_the_viewer_does_not_decode() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let publication = publish(&registry, 1);
    let mut session = runtime.block_on(begin(&registry, AUDIO_OFFER)).0;
    let wanted = WantedTracks { video: true, audio: false };
    let used = start::of_stream(&registry, &publication.stream, wanted).unwrap();
    let (production, now) = (used.production.id(), Instant::now());
    let route = VideoRoute { mid: "1".into(), h264: Some(Pt::from(102)), av1: None };
    session.video = Some(VideoTrack::new(route, (Variant::Main, used)));
    let mut end_after = |index, is_av1| {
        let frame = Frame {
            production,
            is_av1,
            kind: FrameKind::Key,
            index,
            at: 0,
            wallclock: now,
            arrived: now,
            payloads: Vec::new(),
        };
        session.send(&Arc::new(frame), now);
        session.transport.mailbox.take().end
    };
    assert_eq!(end_after(0, false), None);
    assert_eq!(end_after(1, true), Some(problem!("left-other-codec")));
}

#[test]
fn a_session_ends_if_the_publisher_returns_with_a_profile_that_the_viewer_does_not_decode() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let publication = publish(&registry, 1);
    configure(&publication, b"\x42\xe0\x20");
    // Only the Baseline profile.
    let offer = CHROMIUM_OFFER.replace("64001f", "42e01f").replace("4d001f", "42001f");
    runtime.block_on(async {
        let (mut session, slot, _) = begin(&registry, &offer).await;
        session.connected(&registry, &slot).unwrap();
        session.step(&registry, &slot).unwrap();
        configure(&publication, b"\x64\0\x20");
        let mut tracks = session.switching.variants.main.tracks();
        let is_high = |it: &Tracks| it.video == Some(VideoFormat::H264(0x64_00_20));
        drop(tracks.wait_for(is_high).await.unwrap());
        let ended = session.step(&registry, &slot).unwrap_err();
        assert_eq!(ended, problem!("left-other-codec"));
    });
}

#[test]
fn a_session_without_the_video_that_its_viewer_wants_ends_when_the_stream_gets_video() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let publication = publish(&registry, 1);
    runtime.block_on(async {
        let (mut session, slot, _) = begin(&registry, AUDIO_OFFER).await;
        session.connected(&registry, &slot).unwrap();
        assert!(!session.lacks_video, "it wants audio alone");
        configure(&publication, b"\x64\0\x20");
        let mut tracks = session.switching.variants.main.tracks();
        drop(tracks.wait_for(Tracks::is_known).await.unwrap());
        session.step(&registry, &slot).unwrap();
        session.lacks_video = true;
        let ended = session.step(&registry, &slot).unwrap_err();
        assert_eq!(ended, problem!("left-other-codec"));
    });
}

#[test]
fn a_viewer_who_connects_after_the_publisher_has_left_waits_no_longer_than_others() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let publication = publish(&registry, 1);
    runtime.block_on(async {
        let (mut session, slot, _) = begin(&registry, AUDIO_OFFER).await;
        registry.unpublish(&publication, 1, any(), problem!("left-unpublished"));
        session.connected(&registry, &slot).unwrap();
        assert!(session.gone_since.is_some());
        publish(&registry, 2);
        assert_eq!(session.transport.mailbox.take().published, Some(true), "the publisher is back");
    });
}

#[test]
fn a_session_ends_if_the_server_stops_the_rendition_that_its_viewer_has_chosen() {
    let runtime = Runtime::start().unwrap();
    let ladder: Ladder = "240p,120p".parse().unwrap();
    let mut config = Config::default();
    config.media.renditions.others = ladder.clone();
    config.media.renditions.cpu = 100.0;
    let (registry, _events) = start_registry(&runtime, config);
    let publication = publish(&registry, 1);
    configure(&publication, b"\x64\0\x20");
    runtime.block_on(async {
        let [large, small] = [0, 1].map(|index| {
            rendition_of(&registry, &publication.stream, ladder.video[index]).unwrap()
        });
        let begin = async |id: u64, rendition: &'static str| {
            let viewer = AdmittedViewer { id, done: None, expelled: 0 };
            let client = (any(), Arrival { local: None, host: None, meets: false });
            let offer = (CHROMIUM_OFFER, Some(rendition));
            let begun = prepare(&registry, ("live", "show"), offer, client, viewer).await;
            let (mut session, slot, _) = begun.unwrap();
            session.connected(&registry, &slot).unwrap();
            (session, slot)
        };
        // The rendition that the viewer gets.
        let (mut session, slot) = begin(7, "240p").await;
        large.running.end(Refusal::TooSlow);
        let ended = session.step(&registry, &slot).unwrap_err();
        assert_eq!(ended, problem!("left-rendition-ended"));
        // The rendition that the viewer is about to get.
        let (mut session, slot) = begin(8, "main").await;
        let (answer, mut answered) = oneshot::channel();
        let (video, mailbox) = (session.video.as_mut().unwrap(), Some(&session.transport.mailbox));
        let chosen = ChosenRendition { rendition: Some("120p".to_owned()), answer };
        session.switching.take_choice(&registry, video, chosen, mailbox);
        assert_eq!(answered.try_recv(), Ok(Ok(())));
        small.running.end(Refusal::TooSlow);
        let ended = session.step(&registry, &slot).unwrap_err();
        assert_eq!(ended, problem!("left-rendition-ended"));
    });
}

#[test]
fn the_link_of_a_viewer_who_joins_early_is_probed_for_the_bitrate_of_the_stream() {
    let runtime = Runtime::start().unwrap();
    let (registry, _events) = start_registry(&runtime, Config::default());
    let publication = publish(&registry, 1);
    let stream = &publication.stream;
    let mut session = runtime.block_on(begin(&registry, AUDIO_OFFER)).0;
    let wanted = WantedTracks { video: true, audio: false };
    let used = start::of_stream(&registry, stream, wanted).unwrap();
    let route = VideoRoute { mid: "1".into(), h264: None, av1: None };
    let mut video = VideoTrack::new(route, (Variant::Main, used));
    let (mailbox, begun) = (Arc::clone(&session.transport.mailbox), Instant::now());
    let mut needed = |millis| {
        let now = begun + Duration::from_millis(millis);
        session.switching.check(&registry, &mut video, Some(&mailbox), now).unwrap()
    };
    assert_eq!(needed(0), None, "nothing has arrived");
    let body = vec![0; 100_000].into();
    let data = Incoming { kind: TagKind::Audio, time_ms: 0, body, metadata: false };
    let later = registry.clock.now() + Duration::from_secs(1);
    stream.take(1, &mut vec![data], later);
    let rate = stream.last_bitrate();
    assert!(rate > 0);
    assert_eq!((needed(500), needed(1_000)), (None, Some(rate)));
    assert_eq!(needed(2_000), None, "the estimator knows the bitrate");
}

#[test]
fn a_viewer_for_whom_the_stream_has_no_room_gets_no_session() {
    let runtime = Runtime::start().unwrap();
    let limits = Limits { viewers: 1, ..Limits::default() };
    let (registry, _events) = start_registry(&runtime, Config { limits, ..Config::default() });
    let _publication = publish(&registry, 1);
    runtime.block_on(async {
        let (mut session, slot, _) = begin(&registry, AUDIO_OFFER).await;
        session.connected(&registry, &slot).unwrap();
        let viewer = AdmittedViewer { id: 8, done: None, expelled: 0 };
        let client = (any(), Arrival { local: None, host: None, meets: false });
        let offer = (AUDIO_OFFER, None);
        let refused = prepare(&registry, ("live", "show"), offer, client, viewer).await;
        let refused = refused.map(|_| ());
        assert!(matches!(refused, Err(Refused::Full(NoRoom::Stream(1)))), "{refused:?}");
    });
}
