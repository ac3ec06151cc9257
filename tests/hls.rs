//! HLS as ffmpeg and nginx make it, and as nobody should.

mod elsewhere;
mod ended;
mod low;
#[cfg(feature = "ffmpeg")]
mod mixed;
mod origin;
mod sealed;
mod slow;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::peers::certificates::Authority;
use crate::peers::{self, LIMIT, Peer, web};
use crate::watch::{Outcome, Watching, config, play};
use onair::base::Clock;
use onair::net::{Options, Runtime};
use onair::player::{Config, Kind, Source, State, probe};

const PICTURE: [&str; 4] = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"];
const TONE: [&str; 4] = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
const CODE: [&str; 14] = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "25",
    "-sc_threshold",
    "0",
    "-c:a",
    "aac",
    "-ac",
    "2",
];

fn ffmpeg(folder: &Path, parts: &[&[&str]]) -> Peer {
    let words = ["-hide_banner", "-nostdin", "-y", "-v", "error"].into_iter();
    let words = words.chain(parts.iter().flat_map(|part| part.iter().copied()));
    let mut command = std::process::Command::new("ffmpeg");
    Peer::start_command(command.current_dir(folder).args(words))
}

fn serve(folder: &Path) -> web::Web {
    let good = Authority::new().good_kept();
    web::Web::start(folder, &good.certificate, &good.key)
}

/// Makes a list of each kind, `name.m3u8`, coded and cut by `how` and its own options, and serves them.
fn made_and_served(at: &Path, how: &[&[&str]], kinds: &[(&str, &[&str])]) -> web::Web {
    for (name, options) in kinds {
        let list = format!("{name}.m3u8");
        let out = [list.as_str()];
        let parts = [&[&PICTURE[..], &TONE], how, &[*options, &out]].concat();
        ffmpeg(at, &parts).wait_success(LIMIT);
    }
    serve(at)
}

/// Plays a list of so many seconds to its end; all of it came, picture and sound (in packets of so
/// many samples).
fn whole(web: &web::Web, name: &str, seconds: u64, packet: i64) -> Outcome {
    let url = format!("http://127.0.0.1:{}/{name}.m3u8", web.http);
    let outcome = play(&config(&url), |_| false);
    assert_eq!(outcome.state, State::Ended, "{name}");
    let figures = &outcome.figures;
    assert_eq!((figures.decoded, figures.damaged), (seconds * 25, 0), "{name}");
    let off = figures.audio_samples.cast_signed() - seconds.cast_signed() * 48_000;
    assert!(off.abs() < 5 * packet, "{name} {off}");
    outcome
}

#[test]
fn recorded_lists_of_every_kind_are_played_whole() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("key.bin"), [7; 16]).unwrap();
    fs::write(at.join("key.txt"), "key.bin\nkey.bin\n").unwrap();
    let hls = ["-t", "4", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
    let kinds: [(&str, &[&str]); 5] = [
        ("ts", &[]),
        ("fmp4", &["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4"]),
        ("sealed", &["-hls_key_info_file", "key.txt"]),
        ("ranges", &["-hls_flags", "single_file"]),
        ("bframes", &["-bf", "2"]),
    ];
    let web = made_and_served(at, &[&CODE, &hls], &kinds);
    for (name, _) in kinds {
        whole(&web, name, 4, 1_024);
    }
    let runtime = Runtime::start().unwrap();
    let source = Source::parse(&format!("http://127.0.0.1:{}/fmp4.m3u8", web.http));
    let report = probe::probe(&source, &Options::default(), &runtime, Clock::start(), &|| false);
    let report = report.unwrap();
    assert_eq!((report.format, report.gop_s), ("hls", Some(1.0)));
    assert_eq!(report.video.unwrap().size, Some((320, 180)));
    assert_eq!(report.audio.unwrap().sample_rate, Some(48_000));
}

/// What the system's FFmpeg libraries decode comes in segments too.
#[cfg(feature = "ffmpeg")]
#[test]
fn hevc_and_ac3_are_played_from_segments_of_both_kinds() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let code = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-tag:v", "hvc1"];
    let keys = ["-x265-params", "log-level=none:keyint=25:scenecut=0", "-c:a", "ac3", "-ac", "2"];
    let hls = ["-t", "3", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
    let kinds: [(&str, &[&str]); 2] = [("ts", &[]), ("fmp4", &["-hls_segment_type", "fmp4"])];
    let web = made_and_served(at, &[&code, &keys, &hls], &kinds);
    for (name, _) in kinds {
        let outcome = whole(&web, name, 3, 1_536);
        assert!(outcome.figures.video.starts_with("HEVC"), "{name}: {}", outcome.figures.video);
    }
}

#[test]
fn one_goes_about_in_recorded_lists() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let hls = ["-t", "12", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
    let split = ["-map", "0:v", "-map", "1:a", "-var_stream_map", "v:0,agroup:s a:0,agroup:s"];
    let kinds: [(&str, &str, &[&str]); 3] = [
        ("ts.m3u8", "ts.m3u8", &[]),
        ("fmp4.m3u8", "fmp4.m3u8", &["-hls_segment_type", "fmp4"]),
        // Picture and sound in lists of their own.
        ("split.m3u8", "split%v.m3u8", &[&split[..], &["-master_pl_name", "split.m3u8"]].concat()),
    ];
    for (_, list, options) in kinds {
        let parts: [&[&str]; 6] = [&PICTURE, &TONE, &CODE, &hls, options, &[list]];
        ffmpeg(at, &parts).wait_success(LIMIT);
    }
    let web = serve(at);
    for (name, ..) in kinds {
        let url = format!("http://127.0.0.1:{}/{name}", web.http);
        let watching = Watching::start(&config(&url));
        let place = |it: &Watching| it.player.position().as_secs_f64();
        watching.wait("the first pictures", |it| it.player.figures().shown > 15);
        let length = watching.player.duration().expect(name).as_secs_f64();
        assert!((length - 12.0).abs() < 0.2, "{name} {length}");
        assert!(place(&watching) < 5.0, "{name}");

        for (wanted, paused) in [(9.5, false), (2.5, false), (10.0, true), (0.5, true)] {
            watching.player.pause(paused);
            let shown = watching.player.figures().shown;
            assert!(watching.player.seek(Duration::from_secs_f64(wanted)), "{name}");
            // From the beginning of a segment of a second.
            let there = |it: &Watching| (wanted - 1.1..wanted + 1.0).contains(&place(it));
            let seen = |it: &Watching| it.player.figures().shown > shown;
            watching.wait("the picture of the place", |it| seen(it) && there(it));
        }
        let (shown, sound) =
            (watching.player.figures().shown, watching.player.figures().audio_samples);
        watching.player.pause(false);
        watching.wait("going on", |it| it.player.figures().shown > shown + 10);
        watching.wait("sound", |it| it.player.figures().audio_samples > sound);
        assert!(watching.player.seek(Duration::from_secs(11)), "{name}");
        watching.wait("the end", |it| it.player.state().is_final());
        assert_eq!(watching.player.state(), State::Ended, "{name}");
        assert_eq!(watching.player.figures().damaged, 0, "{name}");
        watching.end();

        let late = Config { start: Some(Duration::from_millis(10_200)), ..config(&url) };
        let outcome = play(&late, |_| false);
        assert_eq!(outcome.state, State::Ended, "{name}");
        // The two segments from 10 s on.
        assert_eq!(outcome.figures.decoded, 50, "{name}");
    }
}

#[test]
fn a_master_leads_to_a_variant_and_to_its_sound() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    for kind in ["mpegts", "fmp4"] {
        let at = folder.path().join(kind);
        fs::create_dir(&at).unwrap();
        let map =
            "v:0,agroup:s,name:high v:1,agroup:s,name:low a:0,agroup:s,name:sound,default:yes";
        let options: &[&str] = &[
            "-t",
            "4",
            "-map",
            "0:v",
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-b:v:0",
            "900k",
            "-b:v:1",
            "200k",
            "-s:v:1",
            "160x90",
            "-f",
            "hls",
            "-hls_time",
            "1",
            "-hls_list_size",
            "0",
            "-hls_segment_type",
            kind,
            "-master_pl_name",
            "master.m3u8",
            "-var_stream_map",
            map,
            "list-%v.m3u8",
        ];
        ffmpeg(&at, &[&PICTURE, &TONE, &CODE, options]).wait_success(LIMIT);
    }
    let web = serve(folder.path());
    for kind in ["mpegts", "fmp4"] {
        let url = format!("http://127.0.0.1:{}/{kind}/master.m3u8", web.http);
        let outcome = play(&config(&url), |_| false);
        assert_eq!(outcome.state, State::Ended, "{kind}");
        assert_eq!((outcome.figures.decoded, outcome.figures.damaged), (100, 0), "{kind}");
        let sound = outcome.figures.audio_samples as i64;
        assert!((sound - 4 * 48_000).abs() < 6 * 1_024, "{kind} {sound}");
        assert_eq!(outcome.figures.size.unwrap().width, 320, "{kind}");
    }
}

/// A picture and its sound, in a list each. Of each a segment is missing once.
#[test]
fn a_segment_that_is_missing_of_one_list_takes_nothing_of_the_other() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let missing = [("picture", 75, 4), ("sound", 100, 3)];
    for (kind, ending) in [("mpegts", "ts"), ("fmp4", "m4s")] {
        let map = "v:0,agroup:s,name:picture a:0,agroup:s,name:sound,default:yes";
        let lists = ["-hls_segment_type", kind, "-var_stream_map", map, "list-%v.m3u8"];
        let options = ["-t", "4", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
        for (track, ..) in missing {
            let at = folder.path().join(format!("{kind}-{track}"));
            fs::create_dir(&at).unwrap();
            let master = ["-master_pl_name", "master.m3u8"];
            let parts = [&PICTURE[..], &TONE, &CODE, &options, &master, &lists];
            ffmpeg(&at, &parts).wait_success(LIMIT);
            fs::remove_file(at.join(format!("list-{track}1.{ending}"))).unwrap();
        }
    }
    let web = serve(folder.path());
    for kind in ["mpegts", "fmp4"] {
        for (track, pictures, seconds) in missing {
            let name = format!("{kind}-{track}");
            let url = format!("http://127.0.0.1:{}/{name}/master.m3u8", web.http);
            let outcome = play(&config(&url), |_| false);
            assert_eq!(outcome.state, State::Ended, "{name}");
            let figures = &outcome.figures;
            assert_eq!((figures.decoded, figures.damaged), (pictures, 0), "{name}");
            let off = figures.audio_samples as i64 - seconds * 48_000;
            assert!(off.abs() < 10 * 1_024, "{name}: {off} samples");
        }
    }
}

/// The picture of both variants is the same film; one has the sound in it, one beside it.
#[test]
fn the_sound_follows_from_a_variant_that_has_it_to_one_that_has_it_apart_and_back() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let tracks = ["-t", "8", "-map", "0:v", "-map", "1:a", "-map", "0:v", "-map", "1:a"];
    let sizes = ["-b:v:0", "300k", "-s:v:0", "160x90", "-f", "hls", "-hls_time", "1"];
    let map = "v:0,a:0,name:whole v:1,agroup:s,name:picture a:1,agroup:s,name:sound";
    let lists = ["-hls_list_size", "0", "-var_stream_map", map, "%v.m3u8"];
    ffmpeg(at, &[&PICTURE, &TONE, &CODE, &tracks, &sizes, &lists]).wait_success(LIMIT);
    let sound = "#EXTM3U\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"s\",NAME=\"s\",DEFAULT=YES,URI=\"sound.m3u8\"\n";
    let whole = |rate: u32| format!("#EXT-X-STREAM-INF:BANDWIDTH={rate}\nwhole.m3u8\n");
    let apart =
        |rate: u32| format!("#EXT-X-STREAM-INF:BANDWIDTH={rate},AUDIO=\"s\"\npicture.m3u8\n");
    // The second is gone over to once the first has shown how fast this machine is.
    let masters = [
        ("to-apart", [whole(100_000), apart(200_000)], 320),
        ("to-whole", [apart(100_000), whole(200_000)], 160),
    ];
    for (name, variants, _) in &masters {
        fs::write(at.join(format!("{name}.m3u8")), [sound, &variants.concat()].concat()).unwrap();
    }
    let web = serve(at);
    for (name, _, width) in masters {
        let dump = at.join(format!("{name}.wav"));
        let url = format!("http://127.0.0.1:{}/{name}.m3u8", web.http);
        let outcome = play(&Config { audio_dump: Some(dump.clone()), ..config(&url) }, |_| false);
        assert_eq!(outcome.state, State::Ended, "{name}");
        let figures = &outcome.figures;
        assert_eq!((figures.decoded, figures.damaged), (200, 0), "{name}");
        assert_eq!(figures.size.unwrap().width, width, "{name}: the other variant");
        let off = figures.audio_samples as i64 - 8 * 48_000;
        assert!(off.abs() < 6 * 1_024, "{name}: {off} samples");
        // Of the part after the change: a tone, all the time.
        let heard = hound::WavReader::open(&dump).unwrap().into_samples::<i16>();
        let heard: Vec<_> = heard.step_by(2).map(Result::unwrap).skip(3 * 48_000).collect();
        let silent = heard.chunks(480).filter(|part| part.iter().all(|it| it.abs() < 500)).count();
        assert!(heard.len() > 4 * 48_000 && silent < 20, "{name}: {} {silent}", heard.len());
    }
}

/// The sound has a list of its own, whose segments stall for a while: what is seen goes on, and then both.
#[test]
fn where_the_sound_alone_stalls_the_picture_goes_on_and_the_sound_comes_back() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().to_owned();
    let map = "v:0,agroup:s,name:picture a:0,agroup:s,name:sound,default:yes";
    let options = ["-t", "60", "-g", "25", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
    let lists = ["-master_pl_name", "master.m3u8", "-var_stream_map", map, "list-%v.m3u8"];
    ffmpeg(&at, &[&PICTURE, &TONE, &CODE, &options, &lists]).wait_success(LIMIT);
    let (stalls, begun) = (Arc::new(AtomicU32::new(0)), std::time::Instant::now());
    let does = Arc::clone(&stalls);
    let port = web::canned(move |head, socket| {
        let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
        let body = if let Some(track) = path.strip_suffix(".m3u8").filter(|it| *it != "master") {
            // Live: a window of five that goes on.
            let first = begun.elapsed().as_secs();
            let mut text =
                format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
            for number in first..first + 5 {
                text.push_str(&format!("#EXTINF:1,\n{track}{number}.ts\n"));
            }
            text.into_bytes()
        } else {
            while path.starts_with("list-sound") && does.load(Ordering::Relaxed) == 1 {
                std::thread::sleep(Duration::from_millis(20));
            }
            fs::read(at.join(path)).unwrap_or_default()
        };
        let length = format!("Content-Length: {}", body.len());
        let head = ["HTTP/1.1 200 OK", &length, "Connection: close", "", ""].join("\r\n");
        let _ = socket.write_all(head.as_bytes());
        let _ = socket.write_all(&body);
    });
    let watching = Watching::start(&config(&format!("http://127.0.0.1:{port}/master.m3u8")));
    let heard = |it: &Watching| it.player.figures().audio_samples;
    watching.wait("picture and sound", |it| it.shown() > 25 && heard(it) > 24_000);
    stalls.store(1, Ordering::Relaxed);
    watching.wait("a word of it", |it| it.said().contains(&"player-sound-missing"));
    let shown = watching.shown();
    watching.wait("the picture going on", |it| it.shown() > shown + 75);
    let silent = heard(&watching);
    stalls.store(0, Ordering::Relaxed);
    watching.wait("the sound again", |it| heard(it) > silent + 96_000);
    let figures = watching.player.figures();
    assert_eq!((figures.reconnects, figures.damaged), (0, 0), "{figures:?}");
    let said = watching.said();
    assert_eq!(said.iter().filter(|it| **it == "player-sound-missing").count(), 1, "{said:?}");
    assert!(!said.iter().any(|it| it.starts_with("player-times")), "{said:?}");
    watching.end();
}

#[test]
fn a_live_list_is_followed_at_its_distance() {
    peers::in_real_time!(a_live_list_is_followed_at_its_distance);
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let options = [
        "-f",
        "hls",
        "-hls_time",
        "1",
        "-hls_list_size",
        "5",
        "-hls_flags",
        "delete_segments",
        "live.m3u8",
    ];
    let _live = ffmpeg(folder.path(), &[&["-re"], &PICTURE, &["-re"], &TONE, &CODE, &options]);
    let web = serve(folder.path());
    let list = folder.path().join("live.m3u8");
    peers::wait_for("four segments", LIMIT, || {
        fs::read_to_string(&list).is_ok_and(|text| text.matches("#EXTINF").count() >= 4)
    });
    let url = format!("http://127.0.0.1:{}/live.m3u8", web.http);
    let outcome = play(&config(&url), |figures| figures.shown > 200);
    assert_eq!(outcome.state, State::Playing);
    let figures = &outcome.figures;
    assert_eq!((figures.damaged, figures.reconnects), (0, 0), "{figures:?}");
    assert!(figures.underruns < 3, "{figures:?}");
    // Three target durations from the end, of which some are always received.
    assert!(figures.buffer < Duration::from_secs(5), "{figures:?}");
}

#[test]
fn one_goes_back_in_what_a_live_list_holds() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let options = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "20", "-hls_flags"];
    let last = ["delete_segments", "live.m3u8"];
    let parts: [&[&str]; 7] = [&["-re"], &PICTURE, &["-re"], &TONE, &CODE, &options, &last];
    let _live = ffmpeg(folder.path(), &parts);
    let web = serve(folder.path());
    let list = folder.path().join("live.m3u8");
    peers::wait_for("twelve segments", LIMIT, || {
        fs::read_to_string(&list).is_ok_and(|text| text.matches("#EXTINF").count() >= 12)
    });
    let watching = Watching::start(&config(&format!("http://127.0.0.1:{}/live.m3u8", web.http)));
    let rewind = |it: &Watching| it.player.figures().rewind.unwrap_or_default();
    let shown = |it: &Watching| it.player.figures().shown;
    let behind = |it: &Watching| rewind(it).behind.as_secs_f64();
    watching.wait("the first pictures", |it| shown(it) > 15);
    watching.wait("the list", |it| rewind(it).range > Duration::from_secs(5));
    assert_eq!(behind(&watching), 0.0);

    assert!(watching.player.rewind(Duration::from_secs(6)));
    let before = shown(&watching);
    watching
        .wait("the place behind", |it| shown(it) > before + 30 && (4.5..8.5).contains(&behind(it)));

    // A pause makes it later; what is gone to is seen in it.
    watching.player.pause(true);
    let (was, before) = (behind(&watching), shown(&watching));
    watching.wait("more behind", |it| behind(it) > was + 1.0);
    assert!(watching.player.rewind(Duration::from_secs(3)));
    watching.wait("the picture of the place", |it| shown(it) > before && behind(it) < was);
    assert!(watching.player.figures().paused);

    watching.player.go_live();
    let before = shown(&watching);
    watching.wait("the live end", |it| shown(it) > before + 50 && behind(it) == 0.0);
    let figures = watching.player.figures();
    assert!(!figures.paused && figures.damaged == 0 && figures.reconnects == 0, "{figures:?}");
    watching.end();
}

#[test]
fn a_transport_stream_is_played_as_it_comes() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let port = peers::free_port();
    let url = format!("http://127.0.0.1:{port}/x.ts");
    let options = ["-f", "mpegts", "-listen", "1", &url];
    let mut live = ffmpeg(folder.path(), &[&["-re"], &PICTURE, &["-re"], &TONE, &CODE, &options]);
    peers::wait_listening(&mut live, port);
    let outcome =
        play(&config(&url), |figures| figures.shown > 40 && figures.audio_samples > 48_000);
    assert_eq!((outcome.state, outcome.figures.damaged), (State::Playing, 0));
}

/// Serves texts by path; everything else is not there.
fn texts(pages: &[(&str, &str)]) -> u16 {
    let pages: Vec<(String, String)> =
        pages.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    web::canned(move |head, socket| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let page = pages.iter().find(|(known, _)| path.split('?').next() == Some(known));
        let _ = match page {
            Some((_, text)) => write!(
                socket,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
                text.len()
            ),
            None => write!(socket, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
        };
    })
}

#[test]
fn lists_that_lie_get_a_sentence() {
    const HEAD: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n";
    let ended = |text: &str| format!("{HEAD}{text}#EXT-X-ENDLIST\n");
    let huge = format!("{HEAD}{}", "#EXTINF:1,\na.ts\n".repeat(100_001));
    type Case = (Vec<(&'static str, String)>, Kind, &'static str);
    let cases: Vec<Case> = vec![
        // A circle of masters.
        (
            vec![("/x", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nx\n".into())],
            Kind::Unreachable,
            "lead to playlists",
        ),
        (
            vec![("/x", ended("#EXTINF:1,\nmissing.ts\n#EXTINF:1,\nm.ts\n#EXTINF:1,\nm.ts\n"))],
            Kind::NoSuchStream,
            "404",
        ),
        (
            vec![
                ("/x", ended("#EXTINF:1,\na.ts\n")),
                ("/a.ts", "<html>please log in</html>".into()),
            ],
            Kind::Unreachable,
            "web page",
        ),
        (
            vec![("/x", ended("#EXTINF:1,\nfile:///etc/passwd\n"))],
            Kind::Unreachable,
            "nothing can be read",
        ),
        (
            vec![
                ("/x", ended("#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXTINF:1,\na.ts\n")),
                ("/a.ts", "0123456789abcdef".into()),
                ("/k", "too short".into()),
            ],
            Kind::Refused,
            "9 bytes",
        ),
        (
            vec![
                ("/x", ended("#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://k\"\n#EXTINF:1,\na.ts\n")),
                ("/a.ts", "0123456789abcdef".into()),
            ],
            Kind::Codec,
            "protected",
        ),
        (vec![("/x", huge)], Kind::Unreachable, "more than 100000"),
        (vec![("/x", "#EXTM3U\n#EXTINF:1,\na.ts\n".into())], Kind::Unreachable, "target duration"),
        (vec![("/x", ended(""))], Kind::NoSuchStream, "no picture"),
        (
            vec![
                ("/x", ended("#EXT-X-MAP:URI=\"m\"\n#EXTINF:1,\na.mp4\n")),
                ("/m", "no mp4".into()),
                ("/a.mp4", "neither is this".into()),
            ],
            Kind::Unreachable,
            "cannot be played",
        ),
    ];
    for (pages, kind, word) in cases {
        let pages: Vec<(&str, &str)> = pages.iter().map(|(p, text)| (*p, text.as_str())).collect();
        let port = texts(&pages);
        let url = format!("http://127.0.0.1:{port}/x?token=secret");
        let outcome = play(&Config { reconnect: false, ..config(&url) }, |_| false);
        let failure = outcome.failure();
        assert_eq!(failure.kind, kind, "{word}: {failure:?}");
        assert!(failure.cause.contains(word), "{word}: {failure:?}");
        assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
    }
}

#[test]
fn a_live_list_of_nothing_ends_with_a_sentence() {
    // A new segment a second, of nothing but padding.
    let padding: Vec<u8> = std::iter::repeat_n([0x47, 0x1F, 0xFF, 0x10], 20)
        .flat_map(|head| head.into_iter().chain([0xFF; 184]))
        .collect();
    let begun = std::time::Instant::now();
    let port = web::canned(move |head, socket| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let body = if path == "/live.m3u8" {
            let first = begun.elapsed().as_secs();
            let mut text =
                format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{first}\n");
            (first..first + 5).for_each(|at| text.push_str(&format!("#EXTINF:1,\na{at}.ts\n")));
            text.into_bytes()
        } else {
            padding.clone()
        };
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let _ = socket.write_all(head.as_bytes());
        let _ = socket.write_all(&body);
    });
    let outcome = play(&config(&format!("http://127.0.0.1:{port}/live.m3u8")), |_| false);
    let failure = outcome.failure();
    assert_eq!(failure.kind, Kind::NoSuchStream, "{failure:?}");
    assert!(failure.cause.contains("no picture and no sound"), "{failure:?}");
}

#[test]
fn a_broadcast_that_begins_anew_is_followed_on() {
    peers::in_real_time!(a_broadcast_that_begins_anew_is_followed_on);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let hls = ["-t", "6", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "a.m3u8"];
    ffmpeg(folder.path(), &[&PICTURE, &TONE, &CODE, &hls]).wait_success(LIMIT);
    // A live window of three over the six segments, whose numbers begin anew half-way.
    let at = folder.path().to_owned();
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let port = web::canned(move |head, socket| {
        let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
        let body = if path == "live.m3u8" {
            let step = count.fetch_add(1, Ordering::Relaxed);
            let (first, sequence) = if step < 2 { (step, 100 + step) } else { (3, step - 2) };
            let mut text =
                format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{sequence}\n");
            for number in first..first + 3 {
                text.push_str(&format!("#EXTINF:1,\na{}.ts\n", number.min(5)));
            }
            if step > 4 {
                text.push_str("#EXT-X-ENDLIST\n");
            }
            text.into_bytes()
        } else {
            fs::read(at.join(path)).unwrap_or_default()
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let _ = socket.write_all(head.as_bytes());
        let _ = socket.write_all(&body);
    });
    let outcome = play(&config(&format!("http://127.0.0.1:{port}/live.m3u8")), |_| false);
    assert_eq!(outcome.state, State::Ended, "{:?}", outcome.events);
    assert!(outcome.figures.decoded >= 150, "{:?}", outcome.figures);
    assert_eq!(outcome.figures.damaged, 0);
}
