//! Tests of servers that stall or send too much data: the error messages, and the tracks that
//! continue. The file is long because all cases share the servers and the playback at its top.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::media::StreamEvent;
use crate::net::web::WebUrl;
use crate::net::{Cause, ConnectStage};
use crate::player::input::http::hls::fetch::{Fetch, Limits};
use crate::player::input::http::hls::loader::{Batch, Loader, LoaderRequest};
use crate::player::input::http::pull_error::PullError;
use crate::player::input::http::request::{Item, PullRequest};

/// Time limit for silence: much longer than these servers take to answer.
const SHORT_TIMEOUT: Duration = Duration::from_secs(2);
/// Time limit for slow data.
const LONG_TIMEOUT: Duration = Duration::from_secs(40);

/// A server's reaction to a request.
enum Does {
    Sends(Vec<u8>),
    /// Sends nothing.
    Stalls,
    /// Reports a missing file.
    NotFound,
    /// Sends this byte repeatedly, this many bytes at a time.
    Trickles(u8, usize),
}

/// A test server, and the requests it received.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(does: impl Fn(&str) -> Does + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (requests, does) = (Arc::clone(&asked), Arc::new(does));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (requests, does) = (Arc::clone(&requests), Arc::clone(&does));
                tokio::spawn(async move {
                    // The client may close the connection.
                    let _ = answer(socket, &requests, &*does).await;
                });
            }
        });
        Self { port, asked }
    }

    fn url(&self, path: &str) -> WebUrl {
        WebUrl::parse(&format!("http://127.0.0.1:{}{path}", self.port)).unwrap()
    }

    fn count(&self, path: &str) -> usize {
        self.asked.lock().iter().filter(|asked| *asked == path).count()
    }

    /// Opens this playlist as `/list.m3u8` with these limits.
    async fn open(&self, list: &str, limits: Limits) -> Result<Loader, PullError> {
        let url = self.url("/list.m3u8");
        let ask = PullRequest::usual(url.clone());
        let mut fetch = Fetch::new(&ask);
        fetch.limits = limits;
        Loader::open_by(fetch, &Bytes::copy_from_slice(list.as_bytes()), &url, &ask).await
    }
}

async fn answer(
    mut socket: TcpStream,
    asked: &Mutex<Vec<String>>,
    does: &(dyn Fn(&str) -> Does + Send + Sync),
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    asked.lock().push(path.to_owned());
    match does(path) {
        Does::Sends(body) => {
            let length = format!("Content-Length: {}", body.len());
            let head = ["HTTP/1.1 200 OK", &length, "Connection: close", "", ""].join("\r\n");
            socket.write_all(head.as_bytes()).await?;
            socket.write_all(&body).await
        }
        Does::Stalls => socket.read_u8().await.map(|_| ()),
        Does::NotFound => socket.write_all(b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n").await,
        Does::Trickles(byte, bytes) => {
            socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            loop {
                socket.write_all(&vec![byte; bytes]).await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Returns AAC data of this many frames (47 per second), 215 bytes each.
fn aac_frames(frames: usize) -> Vec<u8> {
    let length = 215_usize;
    let head = [
        0xFF,
        0xF1,
        0x4C,
        0x80 | (length >> 11) as u8,
        (length >> 3) as u8,
        ((length & 7) << 5) as u8 | 0x1F,
        0xFC,
    ];
    let frame: Vec<u8> = head.into_iter().chain(std::iter::repeat_n(0x21, length - 7)).collect();
    frame.repeat(frames)
}

/// Returns the same AAC data after an ID3 tag of this many bytes.
fn padded(bytes: usize, frames: usize) -> Vec<u8> {
    let size = [21, 14, 7, 0].map(|by| (bytes >> by) as u8 & 0x7F);
    let mut data = [&b"ID3\x04\0\0"[..], &size].concat();
    data.resize(10 + bytes, 0);
    data.extend(aac_frames(frames));
    data
}

fn list(segments: &[&str], more: &str) -> String {
    let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-VERSION:3\n{more}");
    for segment in segments {
        text.push_str(&format!("#EXTINF:1,\n{segment}\n"));
    }
    text + "#EXT-X-ENDLIST\n"
}

/// Returns all items until the end or an error.
async fn all(loader: Loader) -> (Vec<Batch>, Option<PullError>) {
    let (out, mut batches) = mpsc::channel(1);
    let (_requests, receiver) = watch::channel(LoaderRequest::default());
    let task = tokio::spawn(async move {
        if let Err(problem) = loader.run(&out, receiver).await {
            let _ = out.send(Err(problem)).await;
        }
    });
    let mut came = Vec::new();
    let problem = loop {
        match batches.recv().await {
            Some(Ok(batch)) if !is_end(&batch) => came.push(batch),
            Some(Err(problem)) => break Some(problem),
            Some(Ok(_)) | None => break None,
        }
    };
    task.abort();
    (came, problem)
}

/// Returns the message of the error.
fn cause(problem: Option<PullError>) -> String {
    match problem {
        Some(PullError::Failed(failure) | PullError::Stalls(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_list_a_segment_and_a_key_that_stall_or_trickle_are_each_waited_for_once() {
    let key = "#EXT-X-KEY:METHOD=AES-128,URI=\"key\"\n";
    let variants = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=300000\na.m3u8\n".to_owned();
    let cases = [
        (variants.clone(), "/a.m3u8", (|| Does::Stalls) as fn() -> Does, "playlist"),
        (variants, "/a.m3u8", || Does::Trickles(b'#', 1), "playlist"),
        (list(&["a.ts"], ""), "/a.ts", || Does::Stalls, "segment"),
        // The first bytes are inspected as they arrive.
        (list(&["a.ts"], ""), "/a.ts", || Does::Trickles(0x47, 1), "segment"),
        // The segment is read completely.
        (list(&["a.ts"], key), "/a.ts", || Does::Trickles(0x47, 1), "segment"),
        (list(&["a.ts"], key), "/key", || Does::Stalls, "decryption key"),
    ];
    let runs =
        cases.map(|(text, path, does, name)| {
            tokio::spawn(async move {
                let stalls = path.to_owned();
                let server = Server::start(move |asked| {
                    if asked == stalls { does() } else { Does::Sends(vec![0; 1_600]) }
                })
                .await;
                let limits = Limits { quiet: SHORT_TIMEOUT, whole: LONG_TIMEOUT };
                let problem = match server.open(&text, limits).await {
                    Ok(loader) => all(loader).await.1,
                    Err(problem) => Some(problem),
                };
                let message = cause(problem);
                assert!(
                    message.contains(&format!("onair requested a {name}, but "))
                        && message.contains(" sent almost no data for 2 s"),
                    "{message}"
                );
                assert_eq!(server.count(path), 1, "{name}");
            })
        });
    for run in runs {
        run.await.unwrap();
    }
}

#[tokio::test]
async fn what_comes_and_is_slow_has_a_limit_too() {
    // Data of a plausible stream, without an end.
    let server = Server::start(|_| Does::Trickles(0x47, 8 << 10)).await;
    let limits = Limits { quiet: LONG_TIMEOUT, whole: SHORT_TIMEOUT };
    let loader = server.open(&list(&["a.ts"], ""), limits).await.unwrap();
    let message = cause(all(loader).await.1);
    assert!(message.contains("took more than 2 s to send a segment"), "{message}");
}

#[tokio::test]
async fn an_unreadable_segment_is_skipped_once_media_was_read() {
    // The length of encrypted data is a multiple of 16.
    let cut = "#EXT-X-KEY:METHOD=AES-128,URI=\"key\"\ncut.ts";
    let clear = "#EXT-X-KEY:METHOD=NONE\na3.aac";
    let server = Server::start(|path| match path {
        "/page.ts" => Does::Sends(b"<html>".to_vec()),
        "/key" => Does::Sends(vec![0; 16]),
        "/cut.ts" => Does::Sends(vec![0; 17]),
        _ => Does::Sends(aac_frames(47)),
    })
    .await;
    let cases: [(&[&str], usize, Option<&str>); 4] = [
        (&["a1.aac", "page.ts", "page.ts", "a4.aac", "page.ts", "a6.aac"], 3, None),
        (&["a1.aac", cut, clear], 2, None),
        (&["a1.aac", "page.ts", "page.ts", "page.ts", "a5.aac"], 1, Some("web page")),
        (&["page.ts", "a2.aac"], 0, Some("web page")),
    ];
    for (segments, count, why) in cases {
        let loader = server.open(&list(segments, ""), Limits::default()).await.unwrap();
        let (came, problem) = all(loader).await;
        assert_eq!(came.len(), count, "{segments:?}");
        let is_seam = |item: &Item| matches!(item, Item::Event(StreamEvent::Discontinuity));
        let resumed = came.iter().skip(1).all(|batch| batch.items.iter().any(is_seam));
        assert!(resumed, "{segments:?}");
        match why {
            Some(why) => assert!(cause(problem).contains(why), "{segments:?}"),
            None => assert!(problem.is_none(), "{problem:?}"),
        }
    }
}

#[tokio::test]
async fn a_variant_that_stalls_is_left_alone_while_the_other_plays() {
    let segments = ["1.aac", "2.aac", "3.aac", "4.aac"];
    // The second server is never silent for long, and would continue for an hour.
    let stalls = [(|| Does::Stalls) as fn() -> Does, || Does::Trickles(b'#', 512)];
    let limits = Limits { whole: Duration::from_secs(3_600), ..Limits::default() };
    let runs = stalls.map(|does| {
        tokio::spawn(async move {
            let text = list(&segments, "");
            let server = Server::start(move |path| match path {
                "/a.m3u8" => Does::Sends(text.clone().into_bytes()),
                "/b.m3u8" => does(),
                _ => Does::Sends(aac_frames(47)),
            })
            .await;
            let variants = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1000\na.m3u8\n\
                            #EXT-X-STREAM-INF:BANDWIDTH=2000\nb.m3u8\n";
            let loader = server.open(variants, limits).await.unwrap();
            let (came, problem) = timeout(LONG_TIMEOUT, all(loader)).await.unwrap();
            assert!(problem.is_none(), "{problem:?}");
            assert_eq!(came.len(), segments.len());
            // The playlist was loaded after the first segment, and is not requested again within a
            // minute.
            assert_eq!(server.count("/b.m3u8"), 1);
        })
    });
    for run in runs {
        run.await.unwrap();
    }
}

const MULTIVARIANT_PLAYLIST: &str = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2000\na.m3u8\n\
                        #EXT-X-STREAM-INF:BANDWIDTH=1000\nb.m3u8\n";

#[tokio::test]
async fn where_segments_of_a_variant_do_not_come_those_of_a_lesser_one_do() {
    let key = "#EXT-X-KEY:METHOD=AES-128,URI=\"key\"\n";
    let cases = [
        ("/a1.aac", (|| Does::Stalls) as fn() -> Does, ""),
        ("/a3.aac", || Does::Stalls, ""),
        ("/a3.aac", || Does::Trickles(0, 1), ""),
        // The key is requested after the segment that it decrypts.
        ("/key", || Does::Stalls, key),
    ];
    let runs = cases.map(|(stalls, does, more)| {
        tokio::spawn(async move {
            let (upper, lower) = (
                list(&["a1.aac", "a2.aac", "a3.aac", "a4.aac"], more),
                list(&["b1.aac", "b2.aac", "b3.aac", "b4.aac"], ""),
            );
            let server = Server::start(move |path| match path {
                "/a.m3u8" => Does::Sends(upper.clone().into_bytes()),
                "/b.m3u8" => Does::Sends(lower.clone().into_bytes()),
                path if path == stalls => does(),
                _ => Does::Sends(aac_frames(47)),
            })
            .await;
            let loader = server.open(MULTIVARIANT_PLAYLIST, Limits::default()).await.unwrap();
            let (came, problem) = timeout(LONG_TIMEOUT, all(loader)).await.unwrap();
            assert!(problem.is_none(), "{stalls}: {problem:?}");
            assert_eq!(came.len(), 4, "{stalls}");
            let asked = server.asked.lock().clone();
            let segments: Vec<&str> =
                asked.iter().map(String::as_str).filter(|path| path.ends_with(".aac")).collect();
            let wanted: &[&str] = match stalls {
                "/a3.aac" => &["/a1.aac", "/a2.aac", "/a3.aac", "/b3.aac", "/b4.aac"],
                _ => &["/a1.aac", "/b1.aac", "/b2.aac", "/b3.aac", "/b4.aac"],
            };
            assert_eq!(segments, wanted);
            assert_eq!(server.count(stalls), 1);
        })
    });
    for run in runs {
        run.await.unwrap();
    }
}

#[tokio::test]
async fn where_the_lesser_variant_does_not_come_either_the_one_that_plays_has_its_time() {
    let upper = list(&["a1.aac", "a2.aac"], "");
    let server = Server::start(move |path| match path {
        "/a.m3u8" => Does::Sends(upper.clone().into_bytes()),
        "/a1.aac" => Does::Sends(aac_frames(47)),
        _ => Does::Stalls,
    })
    .await;
    let limits = Limits { quiet: Duration::from_secs(4), whole: LONG_TIMEOUT };
    let loader = server.open(MULTIVARIANT_PLAYLIST, limits).await.unwrap();
    let (came, problem) = all(loader).await;
    assert_eq!(came.len(), 1);
    let message = cause(problem);
    assert!(
        message.contains("onair requested a segment, but ")
            && message.contains(" sent almost no data for 4 s"),
        "{message}"
    );
    assert_eq!((server.count("/a2.aac"), server.count("/b.m3u8")), (2, 1));
}

#[tokio::test]
async fn a_seek_names_its_segment_and_the_requested_position() {
    let text = list(&["1.aac", "2.aac", "3.aac", "4.aac", "5.aac", "6.aac"], "");
    let recorded = text.replace("EXTINF:1,", "EXTINF:10,").replace("DURATION:1", "DURATION:10");
    let live = recorded.replace("#EXT-X-ENDLIST\n", "");
    // A live position keeps its distance of three target durations from the end.
    for (text, to, place, sought) in
        [(&recorded, 17, 10, 17), (&recorded, 27, 20, 27), (&live, 17, 10, 17), (&live, 90, 30, 30)]
    {
        let its = live.clone();
        let server = Server::start(move |path| match path {
            "/list.m3u8" => Does::Sends(its.clone().into_bytes()),
            _ => Does::Sends(aac_frames(47)),
        })
        .await;
        let loader = server.open(text, Limits::default()).await.unwrap();
        let (out, mut batches) = mpsc::channel(1);
        let (requests, receiver) = watch::channel(LoaderRequest::default());
        let task = tokio::spawn(async move { loader.run(&out, receiver).await });
        requests.send_replace(LoaderRequest { number: 1, to: Duration::from_secs(to) });
        let batch = loop {
            let batch = timeout(LONG_TIMEOUT, batches.recv()).await.unwrap().unwrap().unwrap();
            if batch.request == 1 {
                break batch;
            }
        };
        let is =
            |wanted: &Item| batch.items.iter().any(|it| format!("{it:?}") == format!("{wanted:?}"));
        assert!(is(&Item::Place(Duration::from_secs(place))), "{to}: {batch:?}");
        assert!(is(&Item::Sought(Duration::from_secs(sought))), "{to}: {batch:?}");
        task.abort();
    }
}

#[tokio::test]
async fn a_tls_timeout_is_not_reported_as_a_stall() {
    // The server accepts connections, but never completes TLS.
    let server = Server::start(|_| Does::Stalls).await;
    for more in ["", "#EXT-X-KEY:METHOD=AES-128,URI=\"key\"\n"] {
        let text = list(&[&format!("https://127.0.0.1:{}/a.ts", server.port)], more);
        let loader =
            server.open(&text, Limits { quiet: SHORT_TIMEOUT, whole: LONG_TIMEOUT }).await.unwrap();
        let Some(PullError::Net(error)) = all(loader).await.1 else { panic!("{more}") };
        assert_eq!(
            (error.stage, error.cause),
            (ConnectStage::Tls, Cause::TimedOut { after: SHORT_TIMEOUT })
        );
    }
}

/// Video and audio in separate playlists.
const SEPARATE_AUDIO_PLAYLIST: &str = "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"s\",NAME=\"s\",DEFAULT=YES,URI=\"s.m3u8\"\n\
                     #EXT-X-STREAM-INF:BANDWIDTH=100000,AUDIO=\"s\"\na.m3u8\n";

fn is_end(batch: &Batch) -> bool {
    batch.items.iter().any(|item| matches!(item, Item::Event(StreamEvent::End)))
}

fn is_packet(item: &Item) -> bool {
    matches!(item, Item::Event(StreamEvent::Packet(_)))
}

/// Plays video and audio from two playlists until the audio returns or `most` segments have
/// arrived. Returns the messages and the number of segments. `each` gets the items of each segment
/// and whether the audio is reported missing. If `each` returns true, the next segment follows at
/// playback speed.
async fn until_audio_returns(
    server: &Server,
    most: usize,
    mut each: impl FnMut(&[Item], bool) -> bool,
) -> (Vec<&'static str>, usize) {
    let loader = server
        .open(SEPARATE_AUDIO_PLAYLIST, Limits { quiet: SHORT_TIMEOUT, whole: LONG_TIMEOUT })
        .await
        .unwrap();
    let (out, mut batches) = mpsc::channel(1);
    let (_requests, receiver) = watch::channel(LoaderRequest::default());
    let task = tokio::spawn(async move { loader.run(&out, receiver).await });
    let (mut reports, mut came) = (Vec::new(), 0);
    while !reports.contains(&"heard") && came < most {
        let batch = timeout(LONG_TIMEOUT, batches.recv()).await.unwrap().unwrap().unwrap();
        came += 1;
        let items = batch.items;
        for item in &items {
            match item {
                Item::AudioMissing(why) => {
                    assert!(!why.is_empty());
                    reports.push("unheard");
                }
                Item::AudioReturned => reports.push("heard"),
                _ => {}
            }
        }
        if each(&items, reports.contains(&"unheard")) {
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }
    task.abort();
    (reports, came)
}

/// One of the audio segments stalls, or all later ones are missing or unreadable.
#[tokio::test]
async fn where_the_audio_alone_does_not_come_the_video_goes_on_and_the_audio_comes_back() {
    const SEGMENT_COUNT: usize = 60;
    let does =
        [(|| Does::Stalls) as fn() -> Does, || Does::NotFound, || Does::Sends(b"<html>".to_vec())];
    let runs = does.map(|does| {
        tokio::spawn(async move {
            let names = |letter: char| -> Vec<String> {
                (0..SEGMENT_COUNT).map(|number| format!("{letter}{number}.aac")).collect()
            };
            let lists = ['a', 's'].map(|letter| {
                let names = names(letter);
                list(&names.iter().map(String::as_str).collect::<Vec<_>>(), "")
            });
            let away = Arc::new(AtomicBool::new(true));
            let its = Arc::clone(&away);
            let server = Server::start(move |path| {
                let number = path.strip_prefix("/s").and_then(|it| it.strip_suffix(".aac"));
                let late = number.is_some_and(|number| number.parse::<u32>().unwrap() >= 2);
                match path {
                    "/a.m3u8" => Does::Sends(lists[0].clone().into_bytes()),
                    "/s.m3u8" => Does::Sends(lists[1].clone().into_bytes()),
                    _ if late && its.load(Ordering::Relaxed) => does(),
                    _ => Does::Sends(aac_frames(47)),
                }
            })
            .await;
            // Segments follow at playback speed, so that some are left when the audio returns.
            let (reports, _) = until_audio_returns(&server, SEGMENT_COUNT, |_, is_missing| {
                if is_missing {
                    away.store(false, Ordering::Relaxed);
                }
                is_missing
            })
            .await;
            assert_eq!(reports, ["unheard", "heard"]);
            // The audio continues with the next video segment; skipped segments are not requested.
            let asked = server.asked.lock().clone();
            let skipped =
                (0..SEGMENT_COUNT).filter(|it| !asked.contains(&format!("/s{it}.aac"))).count();
            assert!(skipped > 0 && server.count("/a.m3u8") == 1, "{asked:?}");
        })
    });
    for run in runs {
        run.await.unwrap();
    }
}

/// Tries each error of the audio playlist. Audio segments are twice as long as those of the video.
#[tokio::test]
async fn where_the_list_of_the_audio_cannot_be_opened_at_first_the_video_is_played_and_the_audio_taken_up()
 {
    const VIDEO_SEGMENT_COUNT: usize = 60;
    let does = [
        (|| Does::NotFound) as fn() -> Does,
        || Does::Stalls,
        || Does::Trickles(b'#', 1),
        || Does::Sends(b"<html>".to_vec()),
    ];
    let runs = does.map(|does| {
        tokio::spawn(async move {
            let names: Vec<String> =
                (0..VIDEO_SEGMENT_COUNT).map(|number| format!("a{number}.aac")).collect();
            let main = list(&names.iter().map(String::as_str).collect::<Vec<_>>(), "");
            let names: Vec<String> =
                (0..VIDEO_SEGMENT_COUNT / 2).map(|number| format!("s{number}.aac")).collect();
            let audio = list(&names.iter().map(String::as_str).collect::<Vec<_>>(), "");
            let audio = audio.replace("EXTINF:1,", "EXTINF:2,").replace("DURATION:1", "DURATION:2");
            let away = Arc::new(AtomicBool::new(true));
            let its = Arc::clone(&away);
            let server = Server::start(move |path| match path {
                "/a.m3u8" => Does::Sends(main.clone().into_bytes()),
                "/s.m3u8" if its.load(Ordering::Relaxed) => does(),
                "/s.m3u8" => Does::Sends(audio.clone().into_bytes()),
                path if path.starts_with("/s") => Does::Sends(aac_frames(94)),
                _ => Does::Sends(aac_frames(47)),
            })
            .await;
            let (reports, came) = until_audio_returns(&server, VIDEO_SEGMENT_COUNT, |items, _| {
                assert!(items.iter().any(is_packet), "no picture");
                away.store(false, Ordering::Relaxed);
                true
            })
            .await;
            assert_eq!(reports, ["unheard", "heard"]);
            // The audio continues at the position of the video.
            let asked = server.asked.lock().clone();
            let there = (came - 1) / 2;
            assert!(asked.contains(&format!("/s{there}.aac")), "{came} {asked:?}");
        })
    });
    for run in runs {
        run.await.unwrap();
    }
}

/// A seek arrives while the first segment waits for room in the channel.
#[tokio::test]
async fn a_seek_loses_no_notice_of_a_waiting_segment() {
    let main = list(&["a0.aac", "a1.aac"], "");
    let server = Server::start(move |path| match path {
        "/a.m3u8" => Does::Sends(main.clone().into_bytes()),
        "/s.m3u8" => Does::NotFound,
        _ => Does::Sends(aac_frames(47)),
    })
    .await;
    let loader = server.open(SEPARATE_AUDIO_PLAYLIST, Limits::default()).await.unwrap();
    let (out, mut batches) = mpsc::channel(1);
    out.send(Ok(Batch { request: 0, items: Vec::new() })).await.unwrap();
    let (requests, receiver) = watch::channel(LoaderRequest::default());
    let task = tokio::spawn(async move { loader.run(&out, receiver).await });
    let waits = async {
        while server.count("/a0.aac") == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // The notice is also there if the segment has not arrived by then.
        tokio::time::sleep(Duration::from_millis(150)).await;
    };
    timeout(LONG_TIMEOUT, waits).await.unwrap();
    requests.send_replace(LoaderRequest { number: 1, to: Duration::ZERO });
    assert!(batches.recv().await.unwrap().unwrap().items.is_empty());
    let batch = timeout(LONG_TIMEOUT, batches.recv()).await.unwrap().unwrap().unwrap();
    assert!(batch.items.iter().any(|item| matches!(item, Item::AudioMissing(_))), "{batch:?}");
    task.abort();
}

#[tokio::test]
async fn audio_that_is_much_too_large_is_read_with_several_segments() {
    const LARGE_SEGMENT_BYTES: usize = 12 << 20;
    let main = list(&["1.aac", "2.aac"], "");
    let names: Vec<String> = (0..16).map(|number| format!("s{number}.aac")).collect();
    let audio = list(&names.iter().map(String::as_str).collect::<Vec<_>>(), "");
    let large = padded(LARGE_SEGMENT_BYTES, 1);
    let server = Server::start(move |path| match path {
        "/a.m3u8" => Does::Sends(main.clone().into_bytes()),
        "/s.m3u8" => Does::Sends(audio.clone().into_bytes()),
        path if path.starts_with("/s") => Does::Sends(large.clone()),
        _ => Does::Sends(aac_frames(47)),
    })
    .await;
    let loader = server.open(SEPARATE_AUDIO_PLAYLIST, Limits::default()).await.unwrap();
    let (came, problem) = all(loader).await;
    assert!(problem.is_none(), "{problem:?}");
    let tags = |batch: &Batch| batch.items.iter().filter(|item| is_packet(item)).count();
    assert_eq!(came.len(), 2, "{:?}", came.iter().map(tags).collect::<Vec<_>>());
    // 36 MiB are more than half of the limit: a fourth segment might exceed the limit. Without a
    // limit, all sixteen audio segments would come with the first video segment.
    let audio = server
        .asked
        .lock()
        .iter()
        .filter(|path| path.starts_with("/s") && path.ends_with(".aac"))
        .count();
    assert_eq!(audio, 6);
}
