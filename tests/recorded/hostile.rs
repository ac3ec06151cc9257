//! Tests of web servers that answer range requests for a film or an audio file in every wrong way.
//! A test plays from all of them at the same time, and from one correct server. Each playback must
//! reach the end of the file or fail with a clear message.

use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use crate::peers::{self, LIMIT, ffmpeg, web};
use crate::watch::{config, cure};
use onair::base::{Clock, Latest};
use onair::media::VideoFrame;
use onair::net::Runtime;
use onair::player::{Config, Event, FailureKind, Figures, Player, State};

/// The number of frames in the film.
const PICTURES: u64 = 100;
/// The most that onair may accept of an endless answer. Socket buffers hold some of it.
const MOST: usize = 24 << 20;

/// The part of a film that a request asks for.
struct Asked<'a> {
    film: &'a [u8],
    from: usize,
    last: usize,
}

impl Asked<'_> {
    fn part(&self) -> &[u8] {
        &self.film[self.from..=self.last]
    }

    /// Returns the header of a partial response with this range.
    fn head(&self, range: &str, more: &str) -> String {
        format!("HTTP/1.1 206 x\r\nContent-Range: bytes {range}\r\n{more}\r\n")
    }

    /// Returns a correct header without the length of the body.
    fn right(&self, more: &str) -> String {
        self.head(&format!("{}-{}/{}", self.from, self.last, self.film.len()), more)
    }

    /// Returns a correct response.
    fn answer(&self, more: &str) -> Vec<u8> {
        let length = self.part().len();
        let head = self.right(&format!("{more}Content-Length: {length}\r\n"));
        [head.as_bytes(), self.part()].concat()
    }

    /// Returns a response with another range, but with the right bytes.
    fn headed(&self, range: &str) -> Vec<u8> {
        let length = self.part().len();
        let head = self.head(range, &format!("Content-Length: {length}\r\n"));
        [head.as_bytes(), self.part()].concat()
    }

    /// Returns a response that ends after this many bytes of the body.
    fn cut(&self, bytes: usize) -> Vec<u8> {
        let mut answer = self.answer("");
        answer.truncate(answer.len() - self.part().len().saturating_sub(bytes));
        answer
    }
}

/// What the server sends instead of a correct response.
type Habit = Box<dyn Fn(&Asked<'_>, &mut TcpStream) + Send + Sync>;

/// The expected outcome.
#[derive(Copy, Clone, Debug)]
enum Then {
    Plays,
    /// Playback fails, and the cause contains these words.
    Lost(&'static str),
}

struct Case {
    name: &'static str,
    does: Habit,
    then: Then,
}

fn case(
    name: &'static str,
    then: Then,
    does: impl Fn(&Asked<'_>, &mut TcpStream) + Send + Sync + 'static,
) -> Case {
    Case { name, does: Box::new(does), then }
}

/// Creates a case in which the server only sends bytes.
fn sends(
    name: &'static str,
    then: Then,
    answer: impl Fn(&Asked<'_>) -> Vec<u8> + Send + Sync + 'static,
) -> Case {
    // The client may have closed the connection.
    case(name, then, move |asked, socket| drop(socket.write_all(&answer(asked))))
}

fn moved(to: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 x\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

fn cases(elsewhere: u16, endless: &Arc<AtomicUsize>) -> Vec<Case> {
    use Then::{Lost, Plays};
    const OTHER: Then = Lost("did not send the requested part of the file");
    const CHANGED: Then = Lost("changed during playback");
    let endless = Arc::clone(endless);
    vec![
        sends("as it should be", Plays, |it| it.answer("")),
        sends("of how many is not said", Plays, |it| {
            it.headed(&format!("{}-{}/*", it.from, it.last))
        }),
        sends("more than was asked for", Lost("sent more than"), |it| {
            let head = it.right(&format!("Content-Length: {}\r\n", it.part().len() + 1_000));
            [head.as_bytes(), it.part(), &[9; 1_000]].concat()
        }),
        case("chunks without end", Lost("sent more than"), move |it, socket| {
            let head = it.right("Transfer-Encoding: chunked\r\n");
            let chunk = [&b"10000\r\n"[..], &[9; 0x10000], b"\r\n"].concat();
            let mut goes_on = socket.write_all(head.as_bytes()).is_ok();
            while goes_on && endless.load(Ordering::Relaxed) < 4 * MOST {
                goes_on = socket.write_all(&chunk).is_ok();
                endless.fetch_add(chunk.len(), Ordering::Relaxed);
            }
        }),
        sends("less than it says", Plays, |it| {
            let half = it.part().len().div_ceil(2);
            let head = it.right(&format!("Content-Length: {half}\r\n"));
            [head.as_bytes(), &it.part()[..half]].concat()
        }),
        sends("the beginning of what was asked for", Plays, |it| {
            let last = it.last.min(it.from + 49_999);
            Asked { last, ..*it }.answer("")
        }),
        sends("416", CHANGED, |_| b"HTTP/1.1 416 x\r\nContent-Length: 0\r\n\r\n".to_vec()),
        sends("another part", OTHER, |it| {
            it.headed(&format!("{}-{}/{}", it.from - 1, it.last - 1, it.film.len()))
        }),
        sends("no part that makes sense", OTHER, |it| it.headed("x")),
        sends("another length", CHANGED, |it| {
            it.headed(&format!("{}-{}/{}", it.from, it.last, it.film.len() + 1))
        }),
        sends("an absurd length", CHANGED, |it| {
            it.headed(&format!("{}-{}/{}", it.from, it.last, 1_u64 << 63))
        }),
        sends("the whole", OTHER, |it| {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", it.film.len());
            [head.as_bytes(), it.film].concat()
        }),
        sends("another film", CHANGED, |it| it.answer("ETag: \"two\"\r\n")),
        sends("packed", Lost("sent compressed data (gzip)"), |it| {
            it.answer("Content-Encoding: gzip\r\n")
        }),
        sends("on and on", Lost("redirects in a loop"), |_| moved("/a.mp4")),
        sends("to another scheme", Lost("onair cannot read"), |_| moved("ftp://127.0.0.1/a.mp4")),
        sends("to a socket", Lost("another protocol"), |_| moved("ws://127.0.0.1/a.mp4")),
        sends("to another host", Plays, move |_| {
            moved(&format!("http://127.0.0.2:{elsewhere}/a.mp4"))
        }),
        sends("broken off in the middle", Plays, |it| it.cut(it.part().len().div_ceil(2))),
        sends("broken off always after some", Plays, |it| it.cut(30_000)),
        case("byte by byte", Plays, |it, socket| {
            let _ = socket.set_nodelay(true);
            let answer = it.answer("");
            let (few, rest) = answer.split_at(2_000);
            let _ = few.iter().try_for_each(|byte| socket.write_all(&[*byte]));
            let _ = socket.write_all(rest);
        }),
        case("next to nothing", Lost("no response within 4 s"), |it, socket| {
            let head = it.right(&format!("Content-Length: {}\r\n", it.part().len()));
            let _ = socket.write_all(head.as_bytes());
            for byte in it.part() {
                if socket.write_all(&[*byte]).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }),
        case("nothing any more", Lost("no response within 4 s"), |it, socket| {
            let _ = socket.write_all(&it.cut(1_000));
            std::thread::sleep(LIMIT);
        }),
    ]
}

/// How much of the film the first response contains, and whether it then breaks off or stalls.
#[derive(Copy, Clone)]
enum First {
    Whole,
    BreaksOff,
    Stalls,
}

/// Starts a server that answers the first `right` requests for parts correctly, and applies `does`
/// to all others.
fn serve(film: &Arc<Vec<u8>>, first: First, right: u32, does: Habit) -> String {
    let (film, asked) = (Arc::clone(film), AtomicU32::new(0));
    let port = web::canned(move |head, socket| {
        let span = head.split("Range: bytes=").nth(1).and_then(|span| span.lines().next());
        let Some((from, last)) = span.and_then(|span| span.split_once('-')) else {
            let head = "HTTP/1.1 200 OK\r\nETag: \"one\"\r\n";
            let head = format!("{head}Content-Length: {}\r\n\r\n", film.len());
            let come = if matches!(first, First::Whole) { film.len() } else { film.len() / 4 };
            let _ = socket.write_all(&[head.as_bytes(), &film[..come]].concat());
            if matches!(first, First::Stalls) {
                std::thread::sleep(LIMIT);
            }
            return;
        };
        let asked_for =
            Asked { film: &film, from: from.parse().unwrap(), last: last.parse().unwrap() };
        if asked.fetch_add(1, Ordering::Relaxed) < right {
            let _ = socket.write_all(&asked_for.answer("ETag: \"one\"\r\n"));
        } else {
            does(&asked_for, socket);
        }
    });
    format!("http://127.0.0.1:{port}/a.mp4")
}

/// Plays all URLs at the same time. Returns the final state, the figures and the notices of each.
fn play(urls: &[String]) -> Vec<(State, Figures, Vec<&'static str>)> {
    let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
    let mut players: Vec<(Player, Vec<&'static str>)> = urls
        .iter()
        .map(|url| {
            let config = Config { reconnect: false, ..config(url) };
            let screen = Latest::<VideoFrame>::default();
            (Player::open(&config, &runtime, clock, screen).unwrap(), Vec::new())
        })
        .collect();
    peers::wait_for("all of them to end", 2 * LIMIT, || {
        for (player, keys) in &mut players {
            let messages = std::iter::from_fn(|| player.events().try_recv().ok());
            keys.extend(messages.filter_map(|event| match event {
                Event::Message(message) => Some(message.key()),
                Event::State(_) | Event::Over(_) | Event::Line(_) => None,
            }));
        }
        players.iter().all(|(player, _)| player.state().is_final())
    });
    let ended = players.into_iter().map(|(mut player, keys)| {
        let ended = (player.state(), player.figures(), keys);
        assert!(player.stop(LIMIT), "a thread hangs");
        ended
    });
    let ended = ended.collect();
    runtime.shutdown(Duration::from_secs(2));
    ended
}

/// A file to be played.
struct Piece {
    bytes: Arc<Vec<u8>>,
    /// Returns true if the whole file was played.
    is_whole: fn(&Figures) -> bool,
    /// The keys of the notices that are always expected.
    expected_keys: &'static [&'static str],
}

/// Makes four seconds of noise in this format. The file is larger than one request for a part.
fn song(name: &str, codec: &str) -> Piece {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let words = ["-hide_banner", "-nostdin", "-v", "error", "-f", "lavfi", "-i"];
    let noise = ["anoisesrc=r=48000:a=0.5:d=4", "-ac", "2", "-c:a", codec, path.to_str().unwrap()];
    peers::Peer::start("ffmpeg", words.into_iter().chain(noise)).wait_success(LIMIT);
    Piece {
        bytes: Arc::new(std::fs::read(&path).unwrap()),
        is_whole: |figures| (190_000..200_000).contains(&figures.audio_samples),
        expected_keys: &["player-no-video"],
    }
}

/// Makes a film of four seconds with a constant bitrate, and with the index at the front.
fn film() -> Piece {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp4");
    let options = ["-g", "25", "-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-bufsize", "1M"];
    let steady = ["-x264-params", "nal-hrd=cbr:force-cfr=1", "-movflags", "+faststart"];
    ffmpeg::make(&path, "320x180", "4", &[&options[..], &steady].concat());
    Piece {
        bytes: Arc::new(std::fs::read(&path).unwrap()),
        is_whole: |figures| figures.decoded == PICTURES,
        expected_keys: &[],
    }
}

/// Serves the same film correctly at another address.
fn elsewhere(film: &Arc<Vec<u8>>) -> u16 {
    let film = Arc::clone(film);
    web::canned_at(Ipv4Addr::new(127, 0, 0, 2), move |head, socket| {
        let span = head.split("Range: bytes=").nth(1).and_then(|span| span.lines().next());
        let (from, last) = span.and_then(|span| span.split_once('-')).unwrap();
        let asked = Asked { film: &film, from: from.parse().unwrap(), last: last.parse().unwrap() };
        let _ = socket.write_all(&asked.answer(""));
    })
}

/// Runs every case after one correct part.
fn in_the_middle(piece: &Piece) {
    let endless = Arc::new(AtomicUsize::new(0));
    let cases = cases(elsewhere(&piece.bytes), &endless);
    let (expected, habits): (Vec<_>, Vec<_>) =
        cases.into_iter().map(|case| ((case.name, case.then), case.does)).unzip();
    let urls: Vec<String> =
        habits.into_iter().map(|does| serve(&piece.bytes, First::BreaksOff, 1, does)).collect();
    for ((name, then), (state, figures, keys)) in expected.into_iter().zip(play(&urls)) {
        match (then, state) {
            (Then::Plays, State::Ended) => {
                assert!((piece.is_whole)(&figures), "{name}: {figures:?}");
            }
            (Then::Lost(words), State::Failed(failure)) => {
                assert_eq!(failure.kind, FailureKind::Lost, "{name}: {failure:?}");
                assert!(failure.to_string().contains(words), "{name}: {failure:?}");
                let cure = cure(&failure);
                assert!(!cure.is_empty() && !cure.contains("RTMP"), "{name}");
            }
            (then, state) => panic!("{name}: {state:?} instead of {then:?}"),
        }
        // This notice appears whenever playback waits for data.
        let known = |it: &&str| *it == "player-stalled" || piece.expected_keys.contains(it);
        assert!(keys.iter().all(known), "{name}: {keys:?}");
    }
    let taken = endless.load(Ordering::Relaxed);
    assert!(taken < MOST, "{taken} bytes of what has no end");
}

/// Runs every case for all parts. The whole film also comes with the first response.
fn from_the_beginning(piece: &Piece) {
    let endless = Arc::new(AtomicUsize::new(0));
    let cases = cases(elsewhere(&piece.bytes), &endless);
    let names: Vec<_> = cases.iter().map(|case| case.name).collect();
    let habits = cases.into_iter().map(|case| case.does);
    let urls: Vec<String> = habits.map(|does| serve(&piece.bytes, First::Whole, 0, does)).collect();
    for (name, (state, figures, keys)) in names.into_iter().zip(play(&urls)) {
        assert_eq!(state, State::Ended, "{name}");
        assert!((piece.is_whole)(&figures), "{name}: {figures:?}");
        let rest: Vec<_> = keys.iter().filter(|it| !piece.expected_keys.contains(it)).collect();
        assert!(rest.is_empty() || rest == [&"player-fixed"], "{name}: {keys:?}");
    }
}

#[test]
fn whatever_a_server_gives_for_a_range_midway_the_file_plays_on_or_ends_with_a_message() {
    peers::require!("ffmpeg");
    in_the_middle(&film());
}

#[test]
fn whatever_a_server_gives_for_ranges_from_the_beginning_the_file_is_played() {
    peers::require!("ffmpeg");
    from_the_beginning(&film());
}

#[test]
fn whatever_a_server_gives_for_a_part_in_mid_song_it_is_played_on_or_lost_in_words() {
    peers::require!("ffmpeg");
    in_the_middle(&song("a.wav", "pcm_f32le"));
    in_the_middle(&song("a.flac", "flac"));
}

#[test]
fn whatever_a_server_gives_for_parts_from_the_beginning_the_song_is_played() {
    peers::require!("ffmpeg");
    from_the_beginning(&song("a.wav", "pcm_s24le"));
    from_the_beginning(&song("a.ogg", "libvorbis"));
}

#[test]
fn a_first_answer_that_stalls_is_gone_on_with_in_parts() {
    peers::require!("ffmpeg");
    for piece in [film(), song("a.flac", "flac")] {
        let right = || -> Habit { Box::new(|it, socket| drop(socket.write_all(&it.answer("")))) };
        let urls = [serve(&piece.bytes, First::Stalls, 0, right())];
        for (state, figures, keys) in play(&urls) {
            assert_eq!(state, State::Ended);
            assert!((piece.is_whole)(&figures), "{figures:?}");
            // This notice appears whenever playback waits for data.
            let known = |it: &&str| *it == "player-stalled" || piece.expected_keys.contains(it);
            assert!(keys.iter().all(known), "{keys:?}");
        }
    }
}
