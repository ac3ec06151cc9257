//! Tests of callers who never finish, and of many players at once: the server's memory comes back, and a real publisher
//! stays on air.

use std::future::poll_fn;
use std::net::UdpSocket;
use std::time::Duration;

use super::{is_event, publish, serve};
use crate::peers::resources::Resources;
use crate::peers::{self, LIMIT, Onair, wait_for};
use onair::base::Clock;
use onair::net::connect::Options;
use onair::net::srt::handshake::Request;
use onair::net::srt::{SrtUrl, connect};

/// Number of callers who never finish.
const CALLERS: u32 = 10_000;
/// Number of players at once.
const PLAYERS: usize = 200;

/// Makes a question of the handshake (draft-sharabayko-srt-01, 3.2.1): the induction if there is no cookie yet, otherwise
/// the conclusion, which wants to publish a stream of its own.
fn question(id: u32, cookie: Option<u32>) -> Vec<u8> {
    let words = |text: &str| -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        // Each word of the text is reversed.
        bytes.chunks(4).flat_map(|word| word.iter().rev().copied().collect::<Vec<_>>()).collect()
    };
    let (version, extensions, kind): (u32, u16, u32) = match cookie {
        None => (4, 2, 1),
        Some(_) => (5, 1 | 4, u32::MAX),
    };
    let mut out = vec![0x80, 0, 0, 0];
    // Type-specific information, time, and no destination.
    out.extend([0; 12]);
    out.extend(version.to_be_bytes());
    out.extend([0, 0]);
    out.extend(extensions.to_be_bytes());
    for field in [1_000, 1_500, 8_192, kind, id, cookie.unwrap_or(0)] {
        out.extend(u32::to_be_bytes(field));
    }
    out.extend([127, 0, 0, 1]);
    out.extend([0; 12]);
    if cookie.is_some() {
        // The version, the abilities and the delays of SRT, and then the id of the stream.
        out.extend([0, 1, 0, 3, 0, 1, 5, 0, 0, 0, 0, 0xBF, 0, 120, 0, 120]);
        let id = words(&format!("publish:live/flood{id}"));
        out.extend([0, 5]);
        out.extend(u16::try_from(id.len() / 4).unwrap().to_be_bytes());
        out.extend(id);
    }
    out
}

/// Returns the cookie that the server gives to this socket. The answer must not be larger than the question.
fn cookie(socket: &UdpSocket) -> u32 {
    let (asked, mut answer) = (question(7, None), [0; 1_500]);
    socket.send(&asked).unwrap();
    let length = socket.recv(&mut answer).unwrap();
    assert!(length <= asked.len(), "{length} bytes for {}", asked.len());
    u32::from_be_bytes(answer[44..48].try_into().unwrap())
}

#[test]
fn ten_thousand_callers_who_never_finish_cost_no_memory_and_take_no_stream() {
    peers::in_real_time!(ten_thousand_callers_who_never_finish_cost_no_memory_and_take_no_stream);
    peers::require!("ffmpeg");
    let (mut server, srt, _) = serve(&[]);
    let mut publisher = publish(&format!("{srt}?streamid=publish:live/show"));
    server.wait_event("the publisher", is_event("publish", "srt"));
    let start = Resources::of(server.peer.id());
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    socket.connect(srt.strip_prefix("srt://").unwrap()).unwrap();
    let cookie = cookie(&socket);
    socket.set_nonblocking(true).unwrap();
    let (mut answers, mut buffer) = (0, [0; 1_500]);
    for id in 1..=CALLERS {
        // The system may have no room for a moment.
        while socket.send(&question(1_000 + id, Some(cookie))).is_err() {
            std::thread::yield_now();
        }
        while socket.recv(&mut buffer).is_ok() {
            answers += 1;
        }
    }
    wait_for("answers", LIMIT, || {
        answers += usize::from(socket.recv(&mut buffer).is_ok());
        answers > 0
    });
    let grown = start.growth();
    println!("{CALLERS} callers: {answers} answers, {} KiB more at once", grown >> 10);
    assert!(grown < 64 << 20, "{grown} bytes");
    drop(socket);
    // Each waits for a while for data that never comes.
    start.returned("the callers who never finished");
    let url = format!("{srt}?streamid=read:live/show");
    let mut player = Onair::start(&["play", "--headless", "--mute", &url]);
    player.wait_event("pictures", |event| {
        event["event"] == "play_stats" && event["shown"].as_u64() > Some(30)
    });
    player.stop(LIMIT);
    publisher.interrupt();
    publisher.wait(LIMIT);
    server.stop(LIMIT);
}

#[test]
fn two_hundred_players_get_the_stream_and_leave_no_memory_behind() {
    peers::in_real_time!(two_hundred_players_get_the_stream_and_leave_no_memory_behind);
    let (mut server, srt, _) = serve(&["--max-per-address", "1000"]);
    let to = format!("{srt}?streamid=publish:live/show");
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "480x270"];
    let mut live = Onair::start(&[&words[..], &["--video-bitrate", "300k", "--to", &to]].concat());
    server.wait_event("the publisher", is_event("publish", "srt"));
    let start = Resources::of(server.peer.id());
    let (clock, runtime) = (Clock::start(), onair::net::Runtime::start().unwrap());
    let received = runtime.block_on(async {
        let url = format!("{srt}?streamid=read:live/show");
        let mut players = tokio::task::JoinSet::new();
        for _ in 0..PLAYERS {
            let (clock, url) = (clock, url.clone());
            players.spawn(async move { watch(&url, clock).await });
        }
        players.join_all().await
    });
    let least = received.iter().min().unwrap();
    println!("{PLAYERS} players: at least {least} bytes each");
    assert!(*least > 20_000, "{received:?}");
    runtime.shutdown(Duration::from_secs(5));
    start.returned("two hundred players");
    live.stop(LIMIT);
    server.stop(LIMIT);
}

/// Plays for some seconds, and returns the number of received bytes.
async fn watch(url: &str, clock: Clock) -> usize {
    let url = SrtUrl::parse(url, None).unwrap();
    let net = Options::default();
    let request = Request { net: &net, limit: LIMIT, bitrate: None, clock, on_step: &|_| {} };
    let mut socket = connect(&url, &request).await.unwrap();
    let mut bytes = 0;
    let receive = async {
        while let Ok((payload, _)) = poll_fn(|cx| socket.poll_next(cx)).await {
            bytes += payload.len();
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(5), receive).await;
    socket.close(Duration::from_millis(500)).await;
    bytes
}
