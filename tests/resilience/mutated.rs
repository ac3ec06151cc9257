//! Tests of the whole player with streams that a mutator damages from a fixed seed: from files,
//! over HTTP and over RTMP. No stream may cause a panic, a hang or growing memory. If the player
//! shows and plays nothing, it must report why. Some streams return damaged after a connection loss
//! and undamaged after the next loss, to test a player that reconnects.
//!
//! `ONAIR_MUTATED_FILES=10000` runs the whole corpus. By default, the tests run a part of it.

use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use onair::base::{Clock, Latest};
use onair::media::VideoFrame;
use onair::net::Runtime;
use onair::player::{Event as PlayerEvent, Player, PlayerMessage, Source};
use onair::wire::rtmp::message::chunk_stream;
use onair::wire::rtmp::server::{Config as ServerConfig, Event, Output, Session};
use onair::wire::rtmp::{Kind, Message, Time, chunk};

use super::*;
use crate::random::Random;

static PANICS: AtomicUsize = AtomicUsize::new(0);

impl Random {
    /// Returns a clip with random damage to its tags.
    fn damage(&mut self, clips: &[Vec<Tag>]) -> Vec<Tag> {
        let mut tags = clips[self.below(clips.len())].clone();
        let other = &clips[self.below(clips.len())];
        for _ in 0..=self.below(4) {
            let (at, to) = (self.below(tags.len()), self.below(tags.len()));
            match self.below(9) {
                0 => drop(tags.remove(at)),
                1 => tags.swap(at, to),
                2 => tags.insert(at, other[self.below(other.len())].clone()),
                3 => tags[at].time_ms = self.next() as u32,
                4 => {
                    let shift = self.next() as u32;
                    let rest = tags.iter_mut().skip(at);
                    rest.for_each(|tag| tag.time_ms = tag.time_ms.wrapping_add(shift));
                }
                5 => {
                    let mut body = tags[at].body.to_vec();
                    for _ in 0..=self.below(20) {
                        if !body.is_empty() {
                            let place = self.below(body.len());
                            body[place] = self.next() as u8;
                        }
                    }
                    tags[at].body = body.into();
                }
                6 => tags[at].body = tags[at].body.slice(..self.below(tags[at].body.len())),
                7 => {
                    let length = self.below(200_000);
                    let body = Bytes::from(vec![self.next() as u8; length]);
                    let kind = [TagKind::Script, TagKind::Video, TagKind::Audio][self.below(3)];
                    tags.insert(at, Tag { kind, time_ms: 0, body });
                }
                _ => tags.retain(|tag| !is_header(tag)),
            }
            if tags.is_empty() {
                break;
            }
        }
        tags
    }

    /// Changes a few bytes, or cuts off the end, or does nothing. Sizes and types can be affected
    /// too.
    fn spoil(&mut self, out: &mut Vec<u8>) {
        match self.below(4) {
            0 => {
                for _ in 0..=self.below(6) {
                    let place = self.below(out.len());
                    if let Some(byte) = out.get_mut(place) {
                        *byte = self.next() as u8;
                    }
                }
            }
            1 => out.truncate(self.below(out.len())),
            _ => {}
        }
    }

    /// Returns a file that consists of damaged tags and may itself be damaged.
    fn file(&mut self, clips: &[Vec<Tag>]) -> Vec<u8> {
        let mut out = BytesMut::from(&flv::file_header(true, true)[..]);
        for tag in self.damage(clips) {
            flv::write_tag(tag.kind, tag.time_ms, &tag.body, &mut out);
        }
        let mut out = out.to_vec();
        self.spoil(&mut out);
        out
    }

    /// Returns such a file as the response to a GET: with a known length, in chunks, or until the
    /// connection ends; complete, or cut in the middle.
    fn answer(&mut self, clips: &[Vec<Tag>]) -> Reply {
        let file = self.file(clips);
        let half = file.len() / 2;
        let head = |more: &str| {
            format!("HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\n{more}\r\n\r\n").into_bytes()
        };
        let known = format!("Content-Length: {}", file.len());
        let (bytes, end) = match self.below(5) {
            0 => ([head(&known), file].concat(), End::Held),
            1 => ([head(&known), file[..half].to_vec()].concat(), End::Closed),
            2 => ([head("Connection: close"), file].concat(), End::Closed),
            way => {
                let mut bytes = head("Transfer-Encoding: chunked");
                let mut left = file.as_slice();
                while !left.is_empty() {
                    let (piece, rest) = left.split_at((1 + self.below(4_000)).min(left.len()));
                    left = rest;
                    bytes.extend(format!("{:x}\r\n", piece.len()).bytes());
                    bytes.extend(piece);
                    bytes.extend(b"\r\n");
                }
                bytes.extend(b"0\r\n\r\n");
                if way == 3 {
                    (bytes, End::Held)
                } else {
                    bytes.truncate(bytes.len() / 2);
                    (bytes, End::Closed)
                }
            }
        };
        Reply { bytes, end }
    }

    /// Returns damaged tags as RTMP messages, which may themselves be damaged.
    fn publication(&mut self, clips: &[Vec<Tag>]) -> Reply {
        let mut bytes = messages(self.damage(clips));
        self.spoil(&mut bytes);
        Reply { bytes, end: [End::Announced, End::Held, End::Closed][self.below(3)] }
    }

    /// Returns the replies for a client that reconnects. The first one is a whole clip, because a
    /// player does not retry a stream that it has never played. The second one is damaged. The
    /// connection ends after each of these. From then on, the client gets the whole clip, and the
    /// connection stays open.
    fn recovery(
        &mut self,
        clips: &[Vec<Tag>],
        bad: fn(&mut Self, &[Vec<Tag>]) -> Reply,
        whole: fn(&[Tag]) -> Vec<u8>,
    ) -> Vec<Reply> {
        let bytes = whole(&clips[self.below(clips.len())]);
        let bad = Reply { end: End::Closed, ..bad(self, clips) };
        let first = Reply { bytes: bytes.clone(), end: End::Closed };
        vec![first, bad, Reply { bytes, end: End::Held }]
    }
}

/// Returns tags as the RTMP messages of a stream.
fn messages(tags: Vec<Tag>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for tag in tags {
        let (chunk_stream, kind) = match tag.kind {
            TagKind::Script => (chunk_stream::DATA, Kind::DATA),
            TagKind::Video => (chunk_stream::VIDEO, Kind::VIDEO),
            TagKind::Audio => (chunk_stream::AUDIO, Kind::AUDIO),
        };
        let (time, stream, body) = (Time(tag.time_ms), 1, tag.body);
        let message = Message { chunk_stream, kind, stream, time, body };
        bytes.extend(chunk::standalone(&message, ServerConfig::default().chunk_size));
    }
    bytes
}

/// Returns tags as an HTTP response that does not end.
fn whole_answer(tags: &[Tag]) -> Vec<u8> {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\nConnection: close\r\n\r\n";
    let mut out = BytesMut::from(&head[..]);
    out.extend_from_slice(&flv::file_header(true, true));
    for tag in tags {
        flv::write_tag(tag.kind, tag.time_ms, &tag.body, &mut out);
    }
    out.to_vec()
}

/// What a client receives.
#[derive(Clone)]
struct Reply {
    bytes: Vec<u8>,
    end: End,
}

/// How a reply ends.
#[derive(Copy, Clone, PartialEq)]
enum End {
    /// With a message that the stream has ended (RTMP).
    Announced,
    /// With the connection.
    Closed,
    /// Not at all: the connection stays open until the client leaves.
    Held,
}

/// The replies by number. Each number has replies for the first, second and later requests; the
/// last one is repeated. Numbers of earlier batches are no longer served.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Rows>>);

#[derive(Default)]
struct Rows {
    first: usize,
    replies: Vec<Vec<Reply>>,
    asked: Vec<usize>,
}

impl Shelf {
    /// Replaces all replies, and returns their numbers.
    fn fill(&self, replies: Vec<Vec<Reply>>) -> Range<usize> {
        let mut rows = self.0.lock().unwrap();
        rows.first += rows.replies.len();
        rows.asked = vec![0; replies.len()];
        rows.replies = replies;
        rows.first..rows.first + rows.replies.len()
    }

    fn give(&self, place: usize) -> Reply {
        let mut rows = self.0.lock().unwrap();
        let gone = Reply { bytes: Vec::new(), end: End::Closed };
        let Some(at) = place.checked_sub(rows.first).filter(|at| *at < rows.asked.len()) else {
            return gone;
        };
        rows.asked[at] += 1;
        let replies = &rows.replies[at];
        replies[(rows.asked[at] - 1).min(replies.len() - 1)].clone()
    }

    /// Returns true if every reply has been requested.
    fn is_given(&self) -> bool {
        self.0.lock().unwrap().asked.iter().all(|asked| *asked > 0)
    }
}

/// Returns the number in a name.
fn place_of(name: &str) -> usize {
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// Serves the replies over HTTP.
fn web_server(shelf: Shelf) -> u16 {
    web::canned(move |head, socket| {
        let path = head.split(' ').nth(1).unwrap();
        let reply = shelf.give(place_of(path));
        let written = socket.write_all(&reply.bytes);
        if written.is_ok() && reply.end == End::Held {
            while matches!(socket.read(&mut [0; 512]), Ok(1..)) {}
        }
    })
}

/// Serves the replies over RTMP.
fn rtmp_server(shelf: Shelf) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let shelf = shelf.clone();
            // Clients that leave early are a part of this test, so errors do not matter.
            thread::spawn(move || drop(serve(socket, &shelf)));
        }
    });
    port
}

/// Serves one client, which plays.
fn serve(mut socket: TcpStream, shelf: &Shelf) -> io::Result<()> {
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(Duration::from_secs(30)))?;
    let clock = Clock::start();
    let mut session = Session::new(ServerConfig::default(), clock.now(), 7);
    let mut buffer = vec![0; 65_536];
    let mut asked = None;
    loop {
        loop {
            match session.poll_output() {
                Output::Transmit(bytes) => socket.write_all(&bytes)?,
                Output::Event(Event::ConnectRequested(_)) => session.accept_connect().unwrap(),
                Output::Event(Event::PlayRequested { name, .. }) => {
                    session.accept_play().unwrap();
                    asked = Some(place_of(&name.stream));
                }
                Output::Event(_) => {}
                Output::Timeout(_) | Output::Idle => break,
            }
        }
        if let Some(place) = asked.take() {
            let reply = shelf.give(place);
            socket.write_all(&reply.bytes)?;
            match reply.end {
                End::Closed => return Ok(()),
                End::Announced => session.end_play(),
                End::Held => {}
            }
            continue;
        }
        let length = match socket.read(&mut buffer) {
            // The process was suspended, and has resumed.
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if length == 0 || session.handle_input(clock.now(), &buffer[..length]).is_err() {
            return Ok(());
        }
    }
}

/// Returns the resident memory in KiB.
fn resident() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Checks that a stopped player has reported what happened, in complete sentences. Returns true if
/// it played any video or audio.
fn check_reports(player: &Player) -> bool {
    let events = std::iter::from_fn(|| player.events().try_recv().ok());
    let (mut messages, mut lost) = (Vec::<PlayerMessage>::new(), 0);
    for event in events {
        match event {
            PlayerEvent::Message(message) => messages.push(message),
            PlayerEvent::State(State::Reconnecting { cause, .. }) => {
                assert!(cause.to_string().contains(' '), "{cause:?}");
                lost += 1;
            }
            PlayerEvent::State(_) | PlayerEvent::Over(_) | PlayerEvent::Line(_) => {}
        }
    }
    for message in &messages {
        let summary = message.problem.to_string();
        assert!(summary.contains(' ') && summary.ends_with('.'), "{}: {summary:?}", message.key());
    }
    let (state, figures) = (player.state(), player.figures());
    assert!(lost > 0 || figures.reconnects == 0, "it came back without a word: {figures:?}");
    if let State::Failed(failure) = &state {
        assert!(failure.to_string().contains(' '), "{failure:?}");
    }
    let nothing = figures.shown == 0 && figures.audio_samples == 0;
    assert!(!(state == State::Ended && nothing && messages.is_empty()), "not a word: {figures:?}");
    !nothing
}

/// How the damaged streams are played.
struct Run {
    /// The number of players that run at the same time. They mostly wait.
    at_once: usize,
    /// True if players reconnect.
    reconnect: bool,
}

/// The number of simultaneous players for streams from a server. It is larger than for files,
/// because some connections stay open and those players wait longer.
const CONNECTED: usize = 40;
/// A player has recovered if it plays after this many reconnections.
const TRIES: u32 = 2;

/// Plays damaged streams in batches. `next` creates the sources of a batch, and `given` returns
/// true when the players have requested all of them. Returns how many streams were played, and how
/// many players recovered.
fn all_end(
    run: &Run,
    mut next: impl FnMut(&mut Random, usize, &[Vec<Tag>]) -> Vec<Source>,
    given: impl Fn() -> bool,
) -> (usize, usize) {
    /// A player is stopped after this time, because its stream may contain gaps of minutes.
    const ENOUGH: Duration = Duration::from_millis(1_500);
    /// The same limit for players that wait before each reconnection.
    const PATIENT: Duration = Duration::from_millis(4_500);
    let count = std::env::var("ONAIR_MUTATED_FILES").ok().and_then(|text| text.parse().ok());
    let count: usize = count.unwrap_or(240);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        usual(info);
    }));
    let folder = tempfile::tempdir().unwrap();
    let clips = [
        clip(folder.path(), "160x90", "48000", "2", "0.5"),
        clip(folder.path(), "96x64", "22050", "1", "0.5"),
    ];
    let runtime = Runtime::start().unwrap();
    let mut random = Random(0x0DD5_EED5);
    let (mut done, mut early, mut ended, mut seen, mut back) = (0, 0, 0, 0, 0);
    let is_back =
        |player: &Player| player.figures().reconnects >= TRIES && player.state() == State::Playing;
    while done < count {
        let batch = run.at_once.min(count - done);
        let sources = next(&mut random, batch, &clips);
        let open = |source| {
            let reconnect = run.reconnect;
            let config = Config { speaker: false, reconnect, ..Config::new(source) };
            let screen = Latest::<VideoFrame>::default();
            Player::open(&config, &runtime, Clock::start(), screen).unwrap()
        };
        let mut players: Vec<Player> = sources.into_iter().map(open).collect();
        peers::wait_for("the beginning", peers::LIMIT, &given);
        let (start, enough) = (Instant::now(), if run.reconnect { PATIENT } else { ENOUGH });
        let is_over = |player: &Player| player.is_finished() || is_back(player);
        // On a slow computer, players need more time to recover.
        let few = || players.iter().filter(|it| is_back(it)).count() * 2 <= batch;
        let waited = || start.elapsed() >= enough && (!run.reconnect || !few());
        while !players.iter().all(is_over) && !waited() && start.elapsed() < peers::LIMIT {
            thread::sleep(Duration::from_millis(5));
        }
        for player in &mut players {
            ended += usize::from(player.state().is_final());
            back += usize::from(is_back(player));
            assert!(player.stop(Duration::from_secs(20)), "a player hangs");
            seen += usize::from(check_reports(player));
        }
        assert_eq!(PANICS.load(Ordering::Relaxed), 0, "a thread panicked");
        done += batch;
        if early == 0 && done * 4 >= count {
            early = resident();
        }
    }
    let growth = resident() - early;
    println!(
        "{done}, {ended} of them to their end, {back} back again, {seen} seen or heard; {growth} KiB more at \
         the end"
    );
    assert!(growth < 48 << 10, "memory grew by {growth} KiB");
    assert!(seen > 0, "the damage leaves something");
    runtime.shutdown(Duration::from_secs(2));
    (done, back)
}

#[test]
fn mutated_files_end_without_a_panic_a_hang_or_growth() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    all_end(
        &Run { at_once: 24, reconnect: false },
        |random, batch, clips| {
            let file = |at| {
                let file = folder.path().join(format!("{at}.flv"));
                fs::write(&file, random.file(clips)).unwrap();
                Source::File(file)
            };
            (0..batch).map(file).collect()
        },
        || true,
    );
}

/// Plays damaged streams from a server. `address` returns the URL for a number, and `replies`
/// creates what the server sends.
fn all_served(
    shelf: &Shelf,
    reconnect: bool,
    address: impl Fn(usize) -> String,
    mut replies: impl FnMut(&mut Random, &[Vec<Tag>]) -> Vec<Reply>,
) {
    let (played, back) = all_end(
        &Run { at_once: CONNECTED, reconnect },
        |random, batch, clips| {
            let places = shelf.fill((0..batch).map(|_| replies(random, clips)).collect());
            places.map(|place| Source::parse(&address(place))).collect()
        },
        || shelf.is_given(),
    );
    // Some players do not recover: because of the damage, the stream has another codec, ends as a
    // recording, or cannot be resumed.
    assert!(!reconnect || back * 2 > played, "{back} of {played} came back");
    assert!(reconnect || back == 0);
}

#[test]
fn mutated_streams_over_http_end_without_a_panic_a_hang_or_growth() {
    peers::require!("ffmpeg");
    let shelf = Shelf::default();
    let port = web_server(shelf.clone());
    let address = |place| format!("http://127.0.0.1:{port}/{place}.flv");
    all_served(&shelf, false, address, |random, clips| vec![random.answer(clips)]);
}

#[test]
fn mutated_streams_over_rtmp_end_without_a_panic_a_hang_or_growth() {
    peers::require!("ffmpeg");
    let shelf = Shelf::default();
    let port = rtmp_server(shelf.clone());
    let address = |place| format!("rtmp://127.0.0.1:{port}/live/{place}");
    all_served(&shelf, false, address, |random, clips| vec![random.publication(clips)]);
}

#[test]
fn players_recover_from_mutated_streams_over_http() {
    peers::require!("ffmpeg");
    let shelf = Shelf::default();
    let port = web_server(shelf.clone());
    let address = |place| format!("http://127.0.0.1:{port}/{place}.flv");
    all_served(&shelf, true, address, |random, clips| {
        random.recovery(clips, Random::answer, whole_answer)
    });
}

#[test]
fn players_recover_from_mutated_streams_over_rtmp() {
    peers::require!("ffmpeg");
    let shelf = Shelf::default();
    let port = rtmp_server(shelf.clone());
    let address = |place| format!("rtmp://127.0.0.1:{port}/live/{place}");
    all_served(&shelf, true, address, |random, clips| {
        random.recovery(clips, Random::publication, |tags| messages(tags.to_vec()))
    });
}
