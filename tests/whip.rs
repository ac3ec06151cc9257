//! Tests of publishers by WHIP: ffmpeg's muxer, aiortc and Chromium publish, and others play the stream. The tests
//! also send HTTP requests directly, both valid and invalid.

mod publishers;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::peers::{self, LIMIT, Peer, ffmpeg, wait_for};
use crate::whep::browser::Browser;
use crate::whep::page::OFFER;
use crate::whep::{Running, aiortc, ask, ask_with, start_with};
use onair::base::Secret;
use onair::server::{Ended, Event, Protocol, PublisherFigures};

const SCRIPT: &str = include_str!("whip/publish.py");
const PAGE: &str = include_str!("whip/page.html");
/// What ffmpeg encodes: 640×360 at 30 fps with a keyframe per second, and stereo.
const SOURCES: &str = "-hide_banner -nostdin -v warning -re -f lavfi -i testsrc2=size=640x360:rate=30 \
    -f lavfi -i sine=frequency=440:sample_rate=48000 -c:v libx264 -preset veryfast -tune zerolatency \
    -g 30 -pix_fmt yuv420p -b:v 800k -c:a libopus -ac 2";

/// Returns an ffmpeg with WHIP, or `None` (with a message) if there is none.
fn new_ffmpeg() -> Option<PathBuf> {
    peers::fetched("ONAIR_FFMPEG")
}

/// The URL of a stream, with this end.
fn url(running: &Running, end: &str) -> String {
    format!("http://{}/live/show{end}", running.http())
}

/// Publishes with ffmpeg until stopped.
fn publish(program: &Path, running: &Running, options: &[&str]) -> Peer {
    let mut command = Command::new(program);
    command.args(SOURCES.split_whitespace()).args(options);
    Peer::start_command(command.args(["-f", "whip", &url(running, "/whip")]))
}

/// Publishes with aiortc for some seconds, and reports as JSON.
fn publish_by_aiortc(python: &Path, endpoint: &str, seconds: &str, token: &str) -> Peer {
    Peer::start_command(Command::new(python).args(["-c", SCRIPT, endpoint, seconds, token]))
}

/// Returns the report of aiortc.
fn report(peer: &mut Peer) -> Value {
    peer.wait_success(LIMIT);
    serde_json::from_str(peer.output().lines().last().unwrap()).unwrap()
}

/// Returns the publisher.
fn publisher(running: &Running) -> Option<PublisherFigures> {
    running.server.streams().into_iter().find_map(|stream| stream.publisher)
}

/// Waits for a publisher with both tracks.
fn wait_published(running: &Running) -> PublisherFigures {
    let complete =
        || publisher(running).filter(|it| it.video.is_some() && it.audio.is_some() && it.bytes > 0);
    wait_for("the stream", LIMIT, || complete().is_some());
    complete().unwrap()
}

/// Waits for the end of the publisher, and returns it.
fn wait_unpublished(running: &Running, limit: Duration) -> (Protocol, Ended) {
    let mut found = None;
    wait_for("the end of the publisher", limit, || {
        while let Ok(event) = running.server.events().try_recv() {
            if let Event::Unpublish(peer, ended) = event {
                found = Some((peer.protocol, ended));
            }
        }
        found.is_some()
    });
    found.unwrap()
}

/// Decodes some seconds of a URL or a file with this ffmpeg. Fails if it says anything.
fn decode(program: &Path, input: &str, seconds: &str) {
    let mut command = Command::new(program);
    command.args(["-hide_banner", "-nostdin", "-v", "warning", "-xerror", "-i", input]);
    let mut peer = Peer::start_command(command.args(["-t", seconds]).args(ffmpeg::DECODE_ONLY));
    peer.wait_success(LIMIT);
    // ffmpeg 5.1 reads the initialization segment of HLS again with each segment, and says so.
    let is_known = |line: &str| {
        line.contains("duplicated MOOV Atom") || line.contains("Last message repeated")
    };
    let errors: Vec<String> =
        peer.errors().lines().filter(|line| !is_known(line)).map(str::to_owned).collect();
    assert!(errors.is_empty(), "{input}: {errors:?}");
}

/// Checks that players that do not take Opus get AAC.
fn check_aac(running: &Running) {
    for end in [".m3u8?audio=aac", "/hls/ts.m3u8", "/hls/ts-list.m3u8", ".mpd?audio=aac"] {
        let url = url(running, end);
        let probe = ffmpeg::probe(&url);
        assert_eq!(probe.stream("video")["codec_name"], "h264", "{end}");
        assert_eq!(probe.stream("audio")["codec_name"], "aac", "{end}");
        decode(Path::new("ffmpeg"), &url, "3");
    }
    // Apple's player is known. The answer is for it alone.
    let agent = "User-Agent: AppleCoreMedia/1.0.0.22A3354 (iPhone; U; CPU OS 18_0)\r\n";
    let (of_phone, of_others) = (
        ask_with(running.http(), "GET", "/live/show.m3u8", ("", agent), ""),
        ask(running.http(), "GET", "/live/show.m3u8", "", ""),
    );
    assert!(of_phone.2.contains("mp4a.40.2") && !of_phone.2.contains("Opus"), "{of_phone:?}");
    assert!(of_phone.1.contains("cache-control: no-store"), "{of_phone:?}");
    assert!(of_others.2.contains("Opus") && !of_others.2.contains("mp4a"), "{of_others:?}");
}

#[test]
fn the_stream_of_ffmpeg_is_played_by_all_protocols_and_recorded() {
    let Some(program) = new_ffmpeg() else { return };
    let Some(mut viewer) = aiortc::program() else { return };
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let running = start_with(|config| config.record = Some(folder.path().to_owned()));
    let mut source = publish(&program, &running, &[]);
    let figures = wait_published(&running);
    assert_eq!(figures.protocol, Protocol::Whip);
    assert!(figures.encoder.is_some_and(|it| it.starts_with("Lavf/")));
    let (video, audio) = (figures.video.unwrap(), figures.audio.unwrap());
    assert_eq!((video.codec.as_str(), video.size), ("H.264", Some((640, 360))));
    assert_eq!(
        (audio.codec.as_str(), audio.sample_rate, audio.channels),
        ("Opus", Some(48_000), Some(2))
    );
    decode(&program, &url(&running, ".flv"), "2");
    decode(&program, &format!("rtmp://{}/live/show", running.server.addresses().rtmp), "2");
    decode(&program, &url(&running, ".mpd"), "2");
    let hls = ffmpeg::probe(url(&running, ".m3u8"));
    assert_eq!(hls.stream("video")["codec_name"], "h264");
    assert_eq!(hls.stream("audio")["codec_name"], "opus");
    check_aac(&running);
    let mut viewer = viewer.start(&url(&running, "/whep"));
    let seen = report(&mut viewer);
    assert!(seen["video"].as_u64() > Some(30) && seen["audio"].as_u64() > Some(50), "{seen}");
    assert!(seen["loud"].as_f64() > Some(0.01), "the tone is heard: {seen}");
    let metrics = ask(running.http(), "GET", "/metrics", "", "").2;
    assert!(
        metrics.contains("onair_stream_loss_ratio{app=\"live\",stream=\"show\"} 0\n"),
        "{metrics}"
    );
    source.interrupt();
    let (protocol, ended) = wait_unpublished(&running, LIMIT);
    assert_eq!((protocol, ended.reason.to_string().as_str()), (Protocol::Whip, "unpublished"));
    assert!(ended.bytes > 100_000, "{ended:?}");
    source.wait(LIMIT);
    let recorded = || std::fs::read_dir(folder.path()).unwrap().next();
    let file = recorded().unwrap().unwrap().path();
    wait_for("the recording", LIMIT, || running.server.streams().is_empty());
    decode(&program, file.to_str().unwrap(), "60");
}

#[test]
fn frames_of_ffmpeg_keep_their_intervals_and_stay_with_the_audio() {
    let Some(program) = new_ffmpeg() else { return };
    if peers::missing(&["ffprobe"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let running = start_with(|_| ());
    let _source = publish(&program, &running, &[]);
    wait_published(&running);
    let file = folder.path().join("show.mkv");
    let mut command = Command::new(&program);
    command.args(["-hide_banner", "-nostdin", "-v", "warning", "-i", &url(&running, ".flv")]);
    let mut saved = Peer::start_command(command.args(["-t", "5", "-c", "copy"]).arg(&file));
    saved.wait_success(LIMIT);
    let probe = ffmpeg::probe(&file);
    let times = |kind| probe.packets(kind).iter().map(|it| it.pts).collect::<Vec<_>>();
    let (video, audio) = (times("video"), times("audio"));
    assert!(video.len() > 100 && audio.len() > 200, "{} {}", video.len(), audio.len());
    let is_regular = |times: &[f64], interval: f64| {
        times.windows(2).all(|two| (two[1] - two[0] - interval).abs() < 0.004)
    };
    assert!(is_regular(&video, 1.0 / 30.0), "{video:?}");
    assert!(is_regular(&audio, 0.02), "{audio:?}");
    assert!(probe.packets("video").iter().filter(|it| it.keyframe).count() >= 4);
}

#[test]
fn aiortc_publishes_with_a_key_and_only_its_own_url_ends_the_session() {
    let Some(python) = peers::fetched("ONAIR_AIORTC") else { return };
    let running = start_with(|config| config.publish_keys = vec![Secret::new("sesame")]);
    let endpoint = url(&running, "/whip");
    let mut first = publish_by_aiortc(&python, &endpoint, "6", "sesame");
    wait_published(&running);
    // A key in the address is the same publisher, so another address must tell them apart.
    let wrong = report(&mut publish_by_aiortc(&python, &endpoint, "0", "guess"));
    assert_eq!(wrong["posted"], 401, "{wrong}");
    let none = report(&mut publish_by_aiortc(&python, &endpoint, "0", ""));
    assert_eq!(none["posted"], 401, "{none}");
    let told = report(&mut first);
    assert_eq!(
        (&told["posted"], &told["foreign"], &told["viewer"]),
        (&201.into(), &404.into(), &404.into())
    );
    assert_eq!((&told["deleted"], &told["again"]), (&200.into(), &404.into()));
    let (protocol, ended) = wait_unpublished(&running, LIMIT);
    assert_eq!((protocol, ended.reason.to_string().as_str()), (Protocol::Whip, "unpublished"));
}

#[test]
fn a_busy_stream_stays_with_its_publisher() {
    let Some(python) = peers::fetched("ONAIR_AIORTC") else { return };
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&[]);
    let second = report(&mut publish_by_aiortc(&python, &url(&running, "/whip"), "0", ""));
    assert_eq!(second["posted"], 409, "{second}");
    assert!(second["why"].as_str().unwrap().contains("already"), "{second}");
    assert_eq!(publisher(&running).unwrap().protocol, Protocol::Rtmp);
}

#[test]
fn a_publisher_that_vanishes_is_ended_with_the_reason() {
    let Some(python) = peers::fetched("ONAIR_AIORTC") else { return };
    let running = start_with(|_| ());
    let mut source = publish_by_aiortc(&python, &url(&running, "/whip"), "600", "");
    wait_published(&running);
    source.kill();
    let (protocol, ended) = wait_unpublished(&running, LIMIT);
    assert_eq!(
        (protocol, ended.reason.to_string().as_str()),
        (Protocol::Whip, "the connection was lost")
    );
}

#[test]
fn chromium_publishes_and_sends_the_keyframes_that_segments_need() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, PAGE).unwrap();
    let running = start_with(|config| config.cors = vec!["*".to_owned()]);
    let address = format!("file://{}?endpoint={}", page.display(), url(&running, "/whip"));
    let mut browser = Browser::open(&address);
    browser.wait("the stream of Chromium", || {
        publisher(&running).is_some_and(|it| it.video.is_some())
    });
    assert_eq!(publisher(&running).unwrap().protocol, Protocol::Whip);
    // A browser sends keyframes only on request, and a playlist needs several.
    decode(Path::new("ffmpeg"), &url(&running, ".m3u8"), "6");
    drop(browser);
    let reason = wait_unpublished(&running, LIMIT).1.reason.to_string();
    assert!(
        ["closed by the peer", "the connection was lost"].contains(&reason.as_str()),
        "{reason}"
    );
}

#[test]
fn offers_that_cannot_be_published_are_refused_with_the_reason() {
    let running = start_with(|_| ());
    let http = running.http();
    let offer = OFFER.replace("a=recvonly", "a=sendonly");
    let post = |kind: &str, body: &str| {
        let (status, _, body) = ask(http, "POST", "/live/show/whip", kind, body);
        (status, body)
    };
    let sdp = |body: &str| post("application/sdp", body);
    assert_eq!(post("text/plain", &offer).0, 415);
    for (body, status, why) in [
        ("", 422, "The offer is no SDP.\n"),
        ("v=0\r\ns=-\r\n", 422, "The offer sends neither video nor audio.\n"),
        (OFFER, 422, "The offer sends neither video nor audio.\n"),
        (
            &offer.replace("H264/90000", "VP8/90000"),
            422,
            "The offer has no H.264, HEVC or AV1, one of which this server needs.\n",
        ),
        (
            &offer.replace("opus/48000/2", "PCMU/8000"),
            422,
            "The offer has no Opus, which this server needs.\n",
        ),
    ] {
        assert_eq!(sdp(body), (status, why.to_owned()));
    }
    assert_eq!(sdp(&"v=0\r\n".repeat(30_000)).0, 413);
    assert_eq!(ask(http, "GET", "/live/show/whip", "", "").0, 204);
    assert_eq!(ask(http, "PUT", "/live/show/whip", "", "").0, 405);
    assert_eq!(ask(http, "POST", "/live//whip", "application/sdp", &offer).0, 404);
    let (status, head, _) = ask(http, "OPTIONS", "/live/show/whip", "", "");
    assert!(status == 204 && head.contains("accept-post: application/sdp"), "{head}");
    assert!(running.server.streams().is_empty());
}

#[test]
fn an_offer_takes_no_stream_before_the_publisher_has_connected() {
    let running = start_with(|_| ());
    let http: SocketAddr = running.http();
    let offer = OFFER.replace("a=recvonly", "a=sendonly");
    let (status, head, answer) = ask(http, "POST", "/live/show/whip", "application/sdp", &offer);
    assert_eq!(status, 201, "{answer}");
    assert!(answer.contains("a=recvonly") && answer.contains("stereo=1"), "{answer}");
    let field = |name: &str| {
        let name = format!("{name}: ");
        head.lines().find_map(|line| line.strip_prefix(&name)).unwrap_or_default().to_owned()
    };
    let session = field("location");
    assert!(session.starts_with("/live/show/whip/") && field("etag").starts_with('"'), "{head}");
    assert!(running.server.streams().is_empty(), "nothing is published");
    let kind = "application/trickle-ice-sdpfrag";
    let patch = |more: &str, body: &str| ask_with(http, "PATCH", &session, (kind, more), body).0;
    let trickle = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=candidate:1 1 udp 1 10.0.0.1 5 typ host\r\n";
    assert_eq!(patch("", trickle), 428);
    assert_eq!(patch("If-Match: \"old\"\r\n", trickle), 412);
    assert_eq!(patch("If-Match: *\r\n", trickle), 204);
    let restart = "a=ice-ufrag:Next\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui2\r\n";
    let (status, _, fragment) =
        ask_with(http, "PATCH", &session, (kind, "If-Match: *\r\n"), restart);
    assert_eq!(status, 200, "{fragment}");
    assert!(fragment.contains("a=ice-ufrag:") && fragment.contains("a=candidate:"), "{fragment}");
    assert_eq!(ask(http, "DELETE", &session.replace("/whip/", "/whep/"), "", "").0, 404);
    assert_eq!(ask(http, "DELETE", &session, "", "").0, 200);
    wait_for("the end of the session", LIMIT, || ask(http, "GET", &session, "", "").0 == 404);
}

#[test]
fn a_server_with_a_login_accepts_only_publishers_who_know_it() {
    let login = |password: &str| onair::server::Login {
        method: onair::wire::rtmp::auth::Method::Adobe,
        credentials: onair::wire::rtmp::url::Credentials {
            user: "anna".to_owned(),
            password: Secret::new(password.to_owned()),
        },
    };
    let running = start_with(|config| config.login = Some(login("sesame")));
    let offer = OFFER.replace("a=recvonly", "a=sendonly");
    let post = |more: &str| {
        let kind = ("application/sdp", more);
        ask_with(running.http(), "POST", "/live/show/whip", kind, &offer)
    };
    let (status, head, _) = post("");
    assert!(status == 401 && head.contains("www-authenticate: basic"), "{head}");
    // anna:guess, anna:sesame.
    assert_eq!(post("Authorization: Basic YW5uYTpndWVzcw==\r\n").0, 401);
    assert_eq!(post("Authorization: Basic YW5uYTpzZXNhbWU=\r\n").0, 201);
    assert_eq!(post("Authorization: Bearer anna:sesame\r\n").0, 201, "OBS has only tokens");
}
