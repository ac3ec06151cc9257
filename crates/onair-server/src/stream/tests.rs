//! Tests of a stream: publishers that replace each other, and viewers that join, leave and receive.
//! The file is long because all of them use the same publishers and viewers.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;

use super::*;
use crate::server::access::admission::Purpose;
use crate::server::stream::flv_sink::FlvSink;
use crate::server::stream::message::Takes;
use crate::server::stream::receivers::aac_need::AacBody;
use crate::server::stream::relayed::RelayPath;
use crate::wire::amf0::Value;
use crate::wire::container::flv::metadata_body;

#[test]
fn times_go_on_for_viewers_who_stay() {
    let at = Timestamp::from_millis(1_000);
    let later = Timestamp::from_millis(4_000);
    assert_eq!(publisher::shift(None, 5, later), 0);
    assert_eq!(publisher::shift(Some((10_000, at)), 0, later), 13_000);
    assert_eq!(publisher::shift(Some((10_000, at)), 13_001, later), 0, "goes on by itself");
    assert_eq!(publisher::shift(Some((10_000, at)), 9_999, later), 3_001);
}

#[test]
fn metadata_at_zero_do_not_move_a_publisher_that_continues_its_own_times() {
    let (stream, viewers) = published(1);
    assert!(stream.take(1, &mut frame(8_000, true), Timestamp::ZERO).is_none());
    let (home, back) = ("127.0.0.1:6".parse().unwrap(), Timestamp::from_millis(5_000));
    assert!(stream.publish(claim(2, home, ""), back).is_some(), "a ghost");
    let body = Bytes::from_static(b"title");
    let title = Incoming { kind: TagKind::Script, time_ms: 0, body, metadata: true };
    assert!(stream.take(2, &mut vec![title], back).is_none());
    assert!(stream.take(2, &mut frame(13_000, true), back).is_none());
    let times: Vec<u32> = viewers[0].1.lock().iter().flat_map(|it| it.0.clone()).collect();
    assert_eq!(times, [8_000, 0, 13_000]);
}

#[test]
fn configs_from_the_cache_of_another_server_do_not_move_a_stream_that_goes_on() {
    let (stream, viewers) = published(1);
    assert!(stream.take(1, &mut frame(3_600_000, true), Timestamp::ZERO).is_none());
    // A pull has lost its connection. The other server got the config at the start of the stream.
    let back = Timestamp::from_millis(5_000);
    stream.renew(1);
    let body = Bytes::from_static(&[0x17, 0, 0, 0, 0, 1]);
    let config = Incoming { kind: TagKind::Video, time_ms: 0, body, metadata: false };
    assert!(stream.take(1, &mut vec![config], back).is_none());
    assert!(stream.take(1, &mut frame(3_605_000, true), back).is_none());
    let times: Vec<u32> = viewers[0].1.lock().iter().flat_map(|it| it.0.clone()).collect();
    assert_eq!(times, [3_600_000, 3_600_000, 3_605_000]);
}

#[test]
fn metadata_between_frames_does_not_set_the_time_of_the_stream_back() {
    let (stream, viewers) = published(1);
    assert!(stream.take(1, &mut frame(8_000, true), Timestamp::ZERO).is_none());
    let body = Bytes::from_static(b"title");
    let title = Incoming { kind: TagKind::Script, time_ms: 0, body, metadata: true };
    assert!(stream.take(1, &mut vec![title], Timestamp::ZERO).is_none());
    let (home, back) = ("127.0.0.1:6".parse().unwrap(), Timestamp::from_millis(5_000));
    assert!(stream.publish(claim(2, home, ""), back).is_some(), "a ghost");
    assert!(stream.take(2, &mut frame(0, true), back).is_none());
    let times: Vec<u32> = viewers[0].1.lock().iter().flat_map(|it| it.0.clone()).collect();
    assert_eq!(times.last(), Some(&13_000));
}

#[test]
fn viewers_get_no_end_of_a_live_stream_and_recordings_keep_what_the_publisher_declares() {
    let (stream, _viewers) = published(1);
    let viewer = FlvSink::for_viewer(7, 1 << 20, Protocol::HttpFlv);
    let file = FlvSink::for_file(8, 1 << 20);
    assert!(stream.join(Arc::<FlvSink>::clone(&viewer)));
    assert!(stream.join(Arc::<FlvSink>::clone(&file)));
    let names = ["duration", "filesize", "width"];
    let body = metadata_body(&Value::ecma_array(names.map(|name| (name, Value::Number(60.0)))));
    let title = Incoming { kind: TagKind::Script, time_ms: 0, body, metadata: true };
    assert!(stream.take(1, &mut vec![title], Timestamp::ZERO).is_none());
    let late = FlvSink::for_viewer(9, 1 << 20, Protocol::HttpFlv);
    assert!(stream.join(Arc::<FlvSink>::clone(&late)));
    // The file header of viewers waits for media.
    let media =
        [(TagKind::Audio, &[0xAF, 0, 0x11, 0x90][..]), (TagKind::Video, &[0x17, 0, 0, 0, 0])];
    let media = media.map(|(kind, body)| {
        let body = Bytes::from_static(body);
        Incoming { kind, time_ms: 0, body, metadata: false }
    });
    assert!(stream.take(1, &mut Vec::from(media), Timestamp::ZERO).is_none());
    stream.flush();
    let found = |sink: &FlvSink| {
        let sent = sink.waiting().concat();
        names.map(|name| sent.windows(name.len()).any(|it| it == name.as_bytes()))
    };
    assert_eq!(found(&viewer), [false, false, true]);
    assert_eq!(found(&late), [false, false, true]);
    assert_eq!(found(&file), [true, true, true]);
}

#[test]
fn a_publisher_that_keeps_changing_its_configs_is_dismissed_and_sends_nothing_more() {
    let (stream, viewers) = published(1);
    let (home, now) = ("127.0.0.1:6".parse().unwrap(), Timestamp::from_millis(9_000));
    let dismissal = stream.publish(claim(2, home, ""), now).unwrap();
    let video = |body: [u8; 6]| {
        let body = Bytes::copy_from_slice(&body);
        Incoming { kind: TagKind::Video, time_ms: 0, body, metadata: false }
    };
    let (config, key) =
        (|number| video([0x17, 0, 0, 0, 0, number]), || video([0x17, 1, 0, 0, 0, 7]));
    // The same config again is no change.
    let mut repeated: Vec<_> = (0..100).flat_map(|_| [config(0), key()]).collect();
    stream.take(2, &mut repeated, now);
    stream.finish();
    let received = || viewers[0].1.lock().iter().map(|it| it.0.len()).sum::<usize>();
    assert_eq!(received(), 200);
    let mut flood: Vec<_> = (0..100).flat_map(|it| [config(it % 2 + 1), key()]).collect();
    stream.take(2, &mut flood, now);
    stream.take(2, &mut frame(1, true), now);
    stream.finish();
    assert_eq!(received(), 220, "ten changes");
    let mut reason = pin!(dismissal.stop_reason());
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(reason) = reason.as_mut().poll(&mut cx) else { panic!("it stays") };
    assert_eq!(reason.id(), "left-config-changes");
}

/// Returns a claim of a client whose credentials the server has not checked.
fn claim(id: u64, address: SocketAddr, credentials: &str) -> Claim<'_> {
    Claim {
        id,
        protocol: Protocol::Rtmp,
        address,
        credentials,
        proven: false,
        relayed: false,
        limits: AppLimits::default(),
    }
}

#[test]
fn a_second_publisher_is_refused_unless_it_has_proven_to_be_the_same_one() {
    let stream =
        Stream::new("live".into(), "a".into(), IpAddr::from([127, 0, 0, 1]), Limits::default());
    let (far, other) = ("192.0.2.1:7".parse().unwrap(), "192.0.2.2:7".parse().unwrap());
    let now = Timestamp::ZERO;
    let tested = |id, address, credentials| {
        stream.publish(Claim { proven: true, ..claim(id, address, credentials) }, now)
    };
    assert!(tested(3, far, "key=1").is_some());
    assert!(tested(4, other, "key=1").is_none(), "from elsewhere: it may be a colleague");
    assert!(tested(4, far, "key=2").is_none(), "another key");
    assert!(tested(4, far, "key=1").is_some());
    assert!(!stream.unpublish(3), "no longer the publisher");
    assert!(stream.unpublish(4));
}

#[test]
fn a_pull_gives_way_to_a_publisher_whose_key_was_checked() {
    let (stream, viewers) = published(1);
    let source = RelaySource { origin: Some("origin.example:1935".into()), ..Default::default() };
    stream.set_source(1, source);
    let (home, now) = ("127.0.0.1:6".parse().unwrap(), Timestamp::ZERO);
    assert!(stream.publish(claim(2, home, "key=1"), now).is_none(), "anybody could take it over");
    let silent = Timestamp::from_millis(5_000);
    assert!(stream.publish(claim(2, home, ""), silent).is_none(), "nobody has its credentials");
    let proven = |id| Claim { proven: true, ..claim(id, home, "key=1") };
    let echo = Claim { relayed: true, ..proven(2) };
    assert!(stream.publish(echo, now).is_none(), "the pulled stream may come back");
    assert!(stream.publish(proven(2), now).is_some());
    assert!(!stream.unpublish(1), "no longer the publisher");
    assert!(stream.take(2, &mut frame(0, true), now).is_none());
    assert!(!viewers[0].1.lock().is_empty(), "the viewers stay");
    let other = "192.0.2.1:7".parse().unwrap();
    assert!(stream.publish(Claim { address: other, ..proven(3) }, now).is_none(), "no pull");
}

#[test]
fn a_stream_that_another_server_pushes_gives_way_to_its_publisher() {
    let pushed = || {
        let (stream, _) = published(0);
        let path = RelayPath::parse("first").unwrap();
        stream.set_source(1, RelaySource { path, origin: None });
        stream.take(1, &mut frame(0, true), Timestamp::from_millis(1_000));
        stream
    };
    let far: SocketAddr = "192.0.2.1:7".parse().unwrap();
    let (soon, late) = (Timestamp::from_millis(4_900), Timestamp::from_millis(5_000));
    let open = || claim(2, far, "");
    assert!(pushed().publish(open(), soon).is_none(), "anybody could take it over");
    assert!(pushed().publish(open(), late).is_some(), "the other server is lost");
    let proven = || Claim { proven: true, ..claim(2, far, "key=1") };
    assert!(pushed().publish(proven(), soon).is_some());
    let echo = Claim { relayed: true, ..proven() };
    assert!(pushed().publish(echo, late).is_none(), "the pushed stream may come back");
}

#[test]
fn behind_one_address_only_the_silent_give_way() {
    let limit = [("127.0.0.1:5", LOCAL_GHOST_TIMEOUT), ("192.0.2.1:7", GHOST_TIMEOUT)];
    for ((address, patience), credentials) in
        limit.into_iter().flat_map(|it| [(it, ""), (it, "token=untested")])
    {
        let stream =
            Stream::new("live".into(), "a".into(), IpAddr::from([127, 0, 0, 1]), Limits::default());
        let address: SocketAddr = address.parse().unwrap();
        let start = Timestamp::ZERO;
        assert!(stream.publish(claim(1, address, credentials), start).is_some());
        // The client keeps sending.
        for second in 1..20 {
            let at = start + Duration::from_secs(second);
            stream.take(1, &mut frame(second as u32 * 1_000, true), at);
            let refused = stream.publish(claim(2, address, credentials), at);
            assert!(refused.is_none(), "{address} {credentials}: it still sends");
        }
        let last = start + Duration::from_secs(19);
        let soon = last + patience - Duration::from_millis(1);
        assert!(stream.publish(claim(2, address, credentials), soon).is_none());
        assert!(stream.publish(claim(2, address, credentials), last + patience).is_some());
        assert!(!stream.unpublish(1), "no longer the publisher");
    }
}

#[test]
fn a_silent_publisher_is_replaced_from_another_address_and_one_that_sends_is_not() {
    let stream =
        Stream::new("live".into(), "a".into(), IpAddr::from([127, 0, 0, 1]), Limits::default());
    let (old, new) = ("192.0.2.1:7".parse().unwrap(), "198.51.100.2:7".parse().unwrap());
    let at = Timestamp::from_millis;
    assert!(stream.publish(claim(1, old, "key=1"), at(0)).is_some());
    stream.take(1, &mut frame(0, true), at(60_000));
    assert!(stream.publish(claim(2, new, "key=1"), at(63_900)).is_none(), "it may come back yet");
    assert!(stream.publish(claim(2, new, ""), at(70_000)).is_none(), "somebody else");
    stream.take(1, &mut frame(1_000, true), at(64_000));
    assert!(stream.publish(claim(2, new, "key=1"), at(67_900)).is_none(), "it has come back");
    assert!(stream.publish(claim(2, new, "key=1"), at(68_000)).is_some());
    assert!(!stream.unpublish(1), "no longer the publisher");
}

#[test]
fn the_bytes_of_a_replaced_publisher_are_kept() {
    let (stream, _) = published(0);
    let (home, back) = ("127.0.0.1:6".parse().unwrap(), Timestamp::from_millis(5_000));
    let first = stream.publish(claim(2, home, ""), back).unwrap();
    let mut sent = frame(0, true);
    let bytes = sent[0].body.len() as u64;
    stream.take(2, &mut sent, back);
    assert_eq!(stream.received(2), Some(bytes));
    let again = back + LOCAL_GHOST_TIMEOUT;
    assert!(stream.publish(claim(3, home, ""), again).is_some());
    assert_eq!((stream.received(2), first.received()), (None, bytes));
}

/// A viewer that records its deliveries: the times of the messages, and whether they came in
/// one piece.
#[derive(Debug, Default)]
struct Viewer(u64, Mutex<Vec<(Vec<u32>, bool)>>);

impl Sink for Viewer {
    fn id(&self) -> u64 {
        self.0
    }

    fn deliver(&self, batch: &Batch<'_>) {
        let times = batch.messages.iter().map(|message| message.time_ms).collect();
        let length: usize = batch.messages.iter().map(|message| message.weight()).sum();
        let joined = batch.joined.as_ref();
        assert!(joined.is_none_or(|bytes| bytes.len() == length));
        self.1.lock().push((times, joined.is_some()));
    }

    fn end(&self) {
        self.1.lock().push((Vec::new(), false));
    }

    fn resume(&self) {}
}

fn frame(time_ms: u32, key: bool) -> Vec<Incoming> {
    let first = if key { 0x17 } else { 0x27 };
    let body = Bytes::from(vec![first, 1, 0, 0, 0, 0, 0, 0, 1, 0x65]);
    vec![Incoming { kind: TagKind::Video, time_ms, body, metadata: false }]
}

fn published(viewers: usize) -> (Stream, Vec<Arc<Viewer>>) {
    let limits = Limits { hold: Duration::from_millis(1), ..Limits::default() };
    let stream = Stream::new("live".into(), "a".into(), IpAddr::from([127, 0, 0, 1]), limits);
    let home: SocketAddr = "127.0.0.1:5".parse().unwrap();
    assert!(stream.publish(claim(1, home, ""), Timestamp::ZERO).is_some());
    let viewers: Vec<_> =
        (0..viewers).map(|id| Arc::new(Viewer(id as u64, Mutex::default()))).collect();
    for viewer in &viewers {
        assert!(stream.join(Arc::<Viewer>::clone(viewer)));
        assert_eq!(std::mem::take(&mut *viewer.1.lock()), [(vec![], false)], "nothing yet");
    }
    (stream, viewers)
}

#[test]
fn a_burst_leaves_in_one_piece_where_there_are_many_viewers() {
    let (stream, viewers) = published(MIN_HOLD_VIEWERS);
    assert!(stream.take(1, &mut frame(0, true), Timestamp::ZERO).is_some(), "held back");
    assert!(stream.take(1, &mut frame(33, false), Timestamp::ZERO).is_some());
    assert!(viewers[0].1.lock().is_empty());
    stream.flush();
    stream.flush();
    assert!(stream.take(1, &mut frame(66, false), Timestamp::from_millis(5)).is_some());
    let after_limit = Timestamp::from_millis(6);
    assert!(stream.take(1, &mut frame(99, false), after_limit).is_none(), "without a flush");
    stream.finish();
    for viewer in &viewers {
        assert_eq!(*viewer.1.lock(), [(vec![0, 33], true), (vec![66, 99], true)]);
    }
}

#[test]
fn a_burst_does_not_copy_the_list_of_viewers() {
    let (stream, viewers) = published(MIN_HOLD_VIEWERS);
    stream.take(1, &mut frame(0, true), Timestamp::ZERO);
    stream.flush();
    let last = viewers.last().unwrap();
    assert!(last.1.lock().is_empty(), "the delivery is not over");
    assert_eq!(Arc::strong_count(last), 2, "one in the list, and one here");
}

#[test]
fn few_viewers_get_each_message_at_once() {
    let (stream, viewers) = published(MIN_HOLD_VIEWERS - 1);
    assert!(stream.take(1, &mut frame(0, true), Timestamp::ZERO).is_none());
    assert!(stream.take(1, &mut frame(33, false), Timestamp::ZERO).is_none());
    stream.finish();
    assert_eq!(*viewers[0].1.lock(), [(vec![0], true), (vec![33], true)]);
}

#[test]
fn a_new_viewer_waits_for_a_keyframe_if_none_is_stored() {
    let send = |stream: &Stream, kind, time_ms, body: &'static [u8]| {
        let body = Bytes::from_static(body);
        let mut one = vec![Incoming { kind, time_ms, body, metadata: false }];
        stream.take(1, &mut one, Timestamp::ZERO);
    };
    // Joins after a config, while the group is empty, and returns the number of pieces that follow.
    let join_and_count = |stream: &Stream, config: &'static [u8]| {
        send(stream, TagKind::Video, 2_010, config);
        let late = FlvSink::for_viewer(7, 1 << 20, Protocol::HttpFlv);
        assert!(stream.join(Arc::<FlvSink>::clone(&late)));
        send(stream, TagKind::Audio, 2_011, &[0xAF, 0, 0x11, 0x90]);
        assert_eq!(late.waiting().len(), 3, "the file header and the configs");
        let count_after = |key| {
            stream.take(1, &mut frame(2_020, key), Timestamp::ZERO);
            send(stream, TagKind::Audio, 2_021, &[0xAF, 1, 7]);
            late.waiting().len()
        };
        [false, true, false].map(count_after)
    };
    let (stream, _viewers) = published(0);
    let count = join_and_count(&stream, &[0x17, 0, 0, 0, 0, 1]);
    assert_eq!(count, [2, 2, 2], "the stream may have no keyframes");
    let (stream, _viewers) = published(0);
    send(&stream, TagKind::Video, 0, &[0x17, 0, 0, 0, 0, 2]);
    stream.take(1, &mut frame(0, true), Timestamp::ZERO);
    stream.take(1, &mut frame(2_000, true), Timestamp::ZERO);
    let count = join_and_count(&stream, &[0x17, 0, 0, 0, 0, 1]);
    assert_eq!(count, [1, 2, 2], "only audio before the keyframe");
}

#[test]
fn what_a_new_viewer_gets_has_room_in_its_queue() {
    let (queue_bytes, home) = (10_000, "127.0.0.1:5".parse().unwrap());
    let limits = Limits { group_bytes: queue_bytes, queue_bytes, ..Limits::default() };
    let stream = Stream::new("live".into(), "a".into(), IpAddr::from([127, 0, 0, 1]), limits);
    assert!(stream.publish(claim(1, home, ""), Timestamp::ZERO).is_some());
    let config = Bytes::from_static(&[0x17, 0, 0, 0, 0, 1]);
    let config = Incoming { kind: TagKind::Video, time_ms: 0, body: config, metadata: false };
    let sound = Bytes::from_static(&[0xAF, 0, 0x11, 0x90]);
    let sound = Incoming { kind: TagKind::Audio, time_ms: 0, body: sound, metadata: false };
    stream.take(1, &mut vec![config, sound], Timestamp::ZERO);
    stream.take(1, &mut frame(0, true), Timestamp::ZERO);
    let mut viewers = 0;
    while stream.keyframe().is_some() {
        viewers += 1;
        let late = FlvSink::for_viewer(viewers, queue_bytes, Protocol::HttpFlv);
        assert!(stream.join(Arc::<FlvSink>::clone(&late)));
        // The waiting data begins with the file header.
        assert_eq!(late.waiting().len() as u64, viewers + 3, "the configs, the keyframe and audio");
        assert_eq!(late.skipped(), 0);
        assert!(stream.leave(viewers).is_some());
        let body = Bytes::from_static(&[0xAF, 1, 7]);
        let audio = Incoming { kind: TagKind::Audio, time_ms: 1, body, metadata: false };
        stream.take(1, &mut vec![audio], Timestamp::ZERO);
    }
    assert!(viewers > 100, "{viewers}");
}

#[test]
fn what_is_held_back_is_bounded_and_goes_before_anything_else_happens() {
    let (stream, viewers) = published(MIN_HOLD_VIEWERS);
    for time in 1..MAX_HELD_MESSAGES as u32 {
        assert!(stream.take(1, &mut frame(time, time == 1), Timestamp::ZERO).is_some());
    }
    let full = stream.take(1, &mut frame(MAX_HELD_MESSAGES as u32, false), Timestamp::ZERO);
    assert!(full.is_none(), "full");
    stream.finish();
    let all: Vec<u32> = (1..=MAX_HELD_MESSAGES as u32).collect();
    assert_eq!(std::mem::take(&mut *viewers[0].1.lock()), [(all, true)]);

    assert!(stream.take(1, &mut frame(100, false), Timestamp::ZERO).is_some());
    assert!(stream.unpublish(1));
    assert_eq!(*viewers[0].1.lock(), [(vec![100], true), (vec![], false)]);
}

#[test]
fn a_new_viewer_gets_held_messages_once_and_does_not_end_the_hold() {
    let (stream, viewers) = published(MIN_HOLD_VIEWERS);
    assert!(stream.take(1, &mut frame(0, true), Timestamp::ZERO).is_some());
    let late: Vec<_> = (0..2).map(|id| Arc::new(Viewer(id, Mutex::default()))).collect();
    assert!(stream.join(Arc::<Viewer>::clone(&late[0])));
    assert!(stream.take(1, &mut frame(33, false), Timestamp::ZERO).is_some());
    assert!(stream.join(Arc::<Viewer>::clone(&late[1])));
    assert!(viewers[0].1.lock().is_empty(), "still held");
    stream.flush();
    assert!(stream.take(1, &mut frame(66, false), Timestamp::ZERO).is_some());
    stream.flush();
    stream.finish();
    assert_eq!(*viewers[0].1.lock(), [(vec![0, 33], true), (vec![66], true)]);
    let first = [(vec![0], false), (vec![33], false), (vec![66], true)];
    assert_eq!(*late[0].1.lock(), first, "each message once");
    assert_eq!(*late[1].1.lock(), [(vec![0, 33], false), (vec![66], true)]);
}

#[test]
fn a_crowd_is_served_in_parts_and_each_viewer_gets_each_message_once() {
    let (stream, viewers) = published(MIN_HOLD_VIEWERS + PART_VIEWERS);
    let [.., leaving, last] = &viewers[..] else { panic!("a crowd") };
    let got = |viewer: &Viewer| viewer.1.lock().iter().map(|it| it.0.clone()).collect::<Vec<_>>();
    let send = |time| {
        stream.take(1, &mut frame(time, time == 0), Timestamp::ZERO);
        stream.flush();
    };
    let admission = Admission::new(&Limits::default());
    let joining = admission.admit(IpAddr::from([127, 0, 0, 1]), false, Timestamp::ZERO).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    send(0);
    let rest = pin!(stream.send_rest(&admission, Timestamp::ZERO));
    assert!(rest.poll(&mut cx).is_pending());
    assert_eq!((got(&viewers[0]), got(last)), (vec![vec![0]], vec![]));
    let late = Arc::new(Viewer(u64::MAX, Mutex::default()));
    assert!(stream.join(Arc::<Viewer>::clone(&late)));
    assert!(stream.leave(leaving.0).is_some());
    assert_eq!((got(leaving), got(last)), (vec![], vec![]), "others do not get it at once");
    send(33);
    assert_eq!(got(last).len() + got(&late).len(), 2);
    let others = async { assert_eq!(got(last).len() + got(&late).len(), 2, "others run first") };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async { tokio::join!(stream.send_rest(&admission, Timestamp::ZERO), others) });
    for viewer in [&viewers[0], last, &late] {
        assert_eq!(got(viewer), [vec![0], vec![33]]);
    }
    assert!(got(leaving).is_empty(), "it has left");
    assert!(admission.settle(&joining, Purpose::Play));
    send(66);
    let mut rest = pin!(stream.send_rest(&admission, Timestamp::ZERO));
    let parts = std::iter::repeat_with(|| rest.as_mut().poll(&mut cx)).take_while(Poll::is_pending);
    assert_eq!(parts.count(), viewers.len().div_ceil(PART_VIEWERS), "nobody is joining");
    assert_eq!(got(last), [vec![0], vec![33], vec![66]]);
}

#[test]
fn the_figures_of_a_stream_ask_no_viewer() {
    /// A receiver that counts the questions about what it is.
    #[derive(Debug)]
    struct Receiver(u64, Option<Protocol>, Arc<AtomicUsize>);

    impl Sink for Receiver {
        fn id(&self) -> u64 {
            self.0
        }

        fn is_viewer(&self) -> bool {
            self.2.fetch_add(1, Ordering::Relaxed);
            self.1.is_some()
        }

        fn protocol(&self) -> Protocol {
            self.2.fetch_add(1, Ordering::Relaxed);
            self.1.unwrap_or(Protocol::Rtmp)
        }

        fn deliver(&self, _batch: &Batch<'_>) {}

        fn end(&self) {}

        fn resume(&self) {}
    }

    let (stream, _) = published(0);
    let asked = Arc::new(AtomicUsize::new(0));
    let join = |id: u64| {
        let protocol = [Some(Protocol::Rtmp), Some(Protocol::Whep), None][id as usize % 3];
        stream.join_within(Arc::new(Receiver(id, protocol, Arc::clone(&asked))), 200)
    };
    assert!((0..300).all(join), "receivers that are no viewers do not count");
    let before = asked.load(Ordering::Relaxed);
    for _ in 0..100 {
        let figures = stream.figures(Timestamp::ZERO);
        assert_eq!((figures.viewers, figures.whep_viewers, stream.viewer_count()), (200, 100, 200));
        assert!(stream.has_viewer(Protocol::Rtmp) && !stream.has_viewer(Protocol::HttpFlv));
    }
    assert_eq!(asked.load(Ordering::Relaxed), before);
    assert!(!join(300), "full");
    assert!((0..300).step_by(3).all(|id| stream.leave(id).is_some()));
    let figures = stream.figures(Timestamp::ZERO);
    assert_eq!(figures.protocols, BTreeMap::from([(Protocol::Whep, 100)]));
    assert!(join(300));
}

#[test]
fn a_viewer_joins_while_the_stream_sends_and_leaves_only_afterwards() {
    /// A viewer that waits in its first delivery with data until it is let go.
    #[derive(Debug)]
    struct Slow(Mutex<mpsc::SyncSender<()>>, Mutex<mpsc::Receiver<()>>, Arc<AtomicBool>);

    impl Sink for Slow {
        fn id(&self) -> u64 {
            7
        }

        fn deliver(&self, batch: &Batch<'_>) {
            if !batch.messages.is_empty() {
                let _ = self.0.lock().send(());
                let _ = self.1.lock().recv();
                self.2.store(true, Ordering::Release);
            }
        }

        fn end(&self) {}

        fn resume(&self) {}
    }

    let (stream, _) = published(0);
    let (begun, has_begun) = mpsc::sync_channel(1);
    let (let_go, gate) = mpsc::sync_channel::<()>(1);
    let received = Arc::new(AtomicBool::new(false));
    let slow = Slow(Mutex::new(begun), Mutex::new(gate), Arc::clone(&received));
    assert!(stream.join(Arc::new(slow)));
    let late = Arc::new(Viewer(8, Mutex::default()));
    thread::scope(|scope| {
        scope.spawn(|| stream.take(1, &mut frame(0, true), Timestamp::ZERO));
        has_begun.recv().unwrap();
        assert!(stream.join(Arc::<Viewer>::clone(&late)), "without waiting for the slow one");
        let leaving = scope.spawn(|| {
            assert!(stream.leave(7).is_some());
            received.load(Ordering::Acquire)
        });
        drop(let_go);
        assert!(leaving.join().unwrap(), "nothing comes after the end");
    });
    assert_eq!(*late.1.lock(), [(vec![0], false)], "from the cache only");
}

#[test]
fn tracks_are_kept_apart_for_those_who_know_one_only() {
    /// A viewer without multitrack support that records its messages and their number.
    #[derive(Debug, Default)]
    struct Plain(Mutex<(Vec<Bytes>, usize)>);

    impl Sink for Plain {
        fn id(&self) -> u64 {
            1
        }

        fn deliver(&self, batch: &Batch<'_>) {
            let mut got = self.0.lock();
            let plain =
                batch.messages.iter().filter_map(|message| message.for_viewer(Takes::ONE_TRACK));
            got.0.extend(plain.map(|message| message.body()));
            got.1 += batch.messages.len();
        }

        fn end(&self) {}

        fn resume(&self) {}
    }

    let (stream, _) = published(0);
    let send = |body: &'static [u8]| {
        let body = Bytes::from_static(body);
        let mut one = vec![Incoming { kind: TagKind::Video, time_ms: 5, body, metadata: false }];
        stream.take(1, &mut one, Timestamp::ZERO)
    };
    // A keyframe of both tracks, a frame of the second track, and a frame of the first.
    send(b"\x96\x11avc1\x00\x00\x00\x05\x00\x00\x00AB\x01\x00\x00\x04\x00\x00\x00C");
    send(b"\x96\x01avc1\x01\x00\x00\x00D");
    send(b"\x27\x01\x00\x00\x00E");
    let late = Arc::new(Plain::default());
    assert!(stream.join(Arc::<Plain>::clone(&late)));
    let expected: [&[u8]; 2] = [b"\x17\x01\x00\x00\x00AB", b"\x27\x01\x00\x00\x00E"];
    assert_eq!(*late.0.lock(), (expected.map(Bytes::from_static).to_vec(), 3));
}

#[test]
fn flv_viewers_and_files_declare_only_tracks_that_arrive() {
    let config = |kind, body: &'static [u8]| Incoming {
        kind,
        time_ms: 0,
        body: Bytes::from_static(body),
        metadata: false,
    };
    let video = || config(TagKind::Video, &[0x17, 0, 0, 0, 0, 1]);
    let audio = || config(TagKind::Audio, &[0xAF, 0, 0x11, 0x90]);
    for (tracks, flags) in [(vec![video(), audio()], 5), (vec![video()], 1), (vec![audio()], 4)] {
        let (stream, _viewers) = published(1);
        let has_video = tracks.iter().any(|track| track.kind == TagKind::Video);
        let viewer = FlvSink::for_viewer(7, 1 << 20, Protocol::HttpFlv);
        assert!(stream.join(Arc::<FlvSink>::clone(&viewer)));
        assert!(stream.take(1, &mut { tracks }, Timestamp::ZERO).is_none());
        for time_ms in [0, 500, 1_000] {
            let mut media = match has_video {
                true => frame(time_ms, true),
                false => vec![Incoming { time_ms, ..config(TagKind::Audio, &[0xAF, 1, 0x21]) }],
            };
            let now = Timestamp::from_millis(time_ms.into());
            assert!(stream.take(1, &mut media, now).is_none());
            let head = viewer.waiting().first().map(|head| head[4]);
            let due = if flags == 5 { 0 } else { 1_000 };
            assert_eq!(head.filter(|_| time_ms <= due), (time_ms == due).then_some(flags));
        }
    }
}

#[test]
fn repeated_metadata_has_the_time_0_for_late_viewers() {
    let (stream, _viewers) = published(1);
    assert!(stream.take(1, &mut frame(8_000, true), Timestamp::ZERO).is_none());
    let body = Bytes::from_static(b"title");
    let title = Incoming { kind: TagKind::Script, time_ms: 8_010, body, metadata: true };
    assert!(stream.take(1, &mut vec![title], Timestamp::ZERO).is_none());
    let cached = stream.inner.lock().cache.for_late_joiner();
    assert_eq!(cached.first().map(|it| (it.kind, it.time_ms)), Some((TagKind::Script, 0)));
}

#[test]
fn viewers_without_opus_get_aac_instead_of_it() {
    let stream =
        Stream::new("live".into(), "a".into(), IpAddr::from([127, 0, 0, 1]), Limits::default());
    let woken = Arc::new(Notify::new());
    let stream = stream.waking(&woken);
    let home = "127.0.0.1:6".parse().unwrap();
    assert!(stream.publish(claim(2, home, ""), Timestamp::ZERO).is_some());
    let modern = FlvSink::for_viewer(7, 1 << 20, Protocol::HttpFlv);
    let old = FlvSink::for_viewer_without_opus(8, 1 << 20, Protocol::HttpFlv);
    assert!(stream.join(Arc::<FlvSink>::clone(&modern)));
    assert!(stream.join(Arc::<FlvSink>::clone(&old)));
    assert!(!stream.claim_aac(), "the codec is not known");
    let message = |kind, time_ms, body: &[u8]| Incoming {
        kind,
        time_ms,
        body: Bytes::copy_from_slice(body),
        metadata: kind == TagKind::Script,
    };
    let codec = ("audiocodecid", Value::Number(f64::from(0x4F70_7573_u32)));
    let head = b"\x90OpusOpusHead\x01\x02\0\0\x80\xBB\0\0\0\0\0";
    let title = metadata_body(&Value::ecma_array([codec]));
    let video = [0x17, 1, 0, 0, 0, 7];
    let mut sent = vec![
        message(TagKind::Script, 0, &title),
        message(TagKind::Video, 0, &[0x17, 0, 0, 0, 0, 1]),
        message(TagKind::Audio, 0, head),
        message(TagKind::Video, 0, &video),
        message(TagKind::Audio, 20, b"\x91Opus\xFCsound"),
    ];
    stream.take(2, &mut sent, Timestamp::ZERO);
    let mut wake = pin!(woken.notified());
    assert!(wake.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
    assert!(stream.claim_aac() && !stream.claim_aac(), "one thread");
    let (epoch, is_needed) = stream.aac_need();
    assert!(is_needed);
    let aac = |epoch| {
        let body = |body: &[u8], is_config| {
            let body = Bytes::copy_from_slice(body);
            AacBody { time_ms: 25, body, is_config }
        };
        stream
            .add_aac(epoch, vec![body(&[0xAF, 0, 0x11, 0x90], true), body(b"\xAF\x01song", false)]);
    };
    aac(epoch - 1);
    aac(epoch);
    let late = FlvSink::for_viewer_without_opus(9, 1 << 20, Protocol::HttpFlv);
    assert!(stream.join(Arc::<FlvSink>::clone(&late)));
    let found = |sink: &FlvSink| {
        let sent = sink.waiting().concat();
        let count = |part: &[u8]| sent.windows(part.len()).filter(|it| *it == part).count();
        [count(b"sound"), count(b"song"), count(&0x4F70_7573_u32.to_be_bytes()), count(&video)]
    };
    assert_eq!(found(&modern)[..2], [1, 0]);
    assert_eq!(found(&old), [0, 1, 0, 1]);
    assert_eq!(found(&late), [0, 1, 0, 1]);
    stream.leave(8);
    stream.leave(9);
    assert!(!stream.aac_need().1 && stream.end_aac(), "nobody needs it");
}

#[test]
fn if_aac_cannot_be_encoded_every_viewer_gets_opus() {
    let stream =
        Stream::new("live".into(), "a".into(), IpAddr::from([127, 0, 0, 1]), Limits::default());
    let home = "127.0.0.1:6".parse().unwrap();
    assert!(stream.publish(claim(2, home, ""), Timestamp::ZERO).is_some());
    let old = FlvSink::for_viewer_without_opus(8, 1 << 20, Protocol::HttpFlv);
    assert!(stream.join(Arc::<FlvSink>::clone(&old)));
    let audio = |time_ms, body| {
        let body = Bytes::from_static(body);
        vec![Incoming { kind: TagKind::Audio, time_ms, body, metadata: false }]
    };
    let packet = |time_ms| audio(time_ms, b"\x91Opus\xFCsound");
    let head = b"\x90OpusOpusHead\x01\x02\0\0\x80\xBB\0\0\0\0\0";
    stream.take(2, &mut audio(0, head), Timestamp::ZERO);
    stream.take(2, &mut packet(0), Timestamp::ZERO);
    assert!(stream.claim_aac());
    stream.fail_aac();
    let late = FlvSink::for_viewer_without_opus(9, 1 << 20, Protocol::HttpFlv);
    assert!(stream.join(Arc::<FlvSink>::clone(&late)));
    // The file header of viewers waits for the other track.
    for number in 1..70 {
        stream.take(2, &mut packet(number * 20), Timestamp::ZERO);
    }
    for sink in [old, late] {
        let sent = sink.waiting().concat();
        let count = |part: &[u8]| sent.windows(part.len()).filter(|it| *it == part).count();
        assert_eq!((count(b"OpusHead"), count(b"sound")), (1, 69));
    }
    assert!(!stream.claim_aac());
}
