//! Tests of HLS with video and audio in separate playlists. Missing or late segments of one
//! playlist do not affect the other track.

use std::fs;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{CODE, PICTURE, TONE, ffmpeg, serve};
use crate::peers::{self, LIMIT, web};
use crate::watch::{Watching, config, play};
use onair::player::{Config, State};

#[test]
fn a_multivariant_playlist_leads_to_a_variant_and_to_its_audio() {
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

/// Video and audio have separate playlists. In each case, one segment of one playlist is missing.
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

/// Both variants have the same video. One contains the audio, and the other has it in a separate
/// playlist.
#[test]
fn the_audio_continues_between_a_variant_with_it_and_one_with_it_apart() {
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
    // The player switches to the second variant after it has measured its throughput with the first
    // one.
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
        // After the switch, the tone must go on without interruption.
        let samples = hound::WavReader::open(&dump).unwrap().into_samples::<i16>();
        let samples: Vec<_> = samples.step_by(2).map(Result::unwrap).skip(3 * 48_000).collect();
        let silent =
            samples.chunks(480).filter(|part| part.iter().all(|it| it.abs() < 500)).count();
        assert!(samples.len() > 4 * 48_000 && silent < 20, "{name}: {} {silent}", samples.len());
    }
}

/// The audio has its own playlist, whose segments stall for a while. The video continues, and then
/// the audio comes back.
#[test]
fn if_only_the_audio_stalls_the_video_continues_and_the_audio_returns() {
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
            // A live playlist with a moving window of five segments.
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
    let played = |it: &Watching| it.player.figures().audio_samples;
    watching.wait("picture and sound", |it| it.shown() > 25 && played(it) > 24_000);
    stalls.store(1, Ordering::Relaxed);
    watching.wait("a word of it", |it| it.notice_keys().contains(&"player-audio-missing"));
    let shown = watching.shown();
    watching.wait("the picture going on", |it| it.shown() > shown + 75);
    let silent = played(&watching);
    stalls.store(0, Ordering::Relaxed);
    watching.wait("the sound again", |it| played(it) > silent + 96_000);
    let figures = watching.player.figures();
    assert_eq!((figures.reconnects, figures.damaged), (0, 0), "{figures:?}");
    let keys = watching.notice_keys();
    assert_eq!(keys.iter().filter(|it| **it == "player-audio-missing").count(), 1, "{keys:?}");
    assert!(!keys.iter().any(|it| it.starts_with("player-times")), "{keys:?}");
    watching.end();
}
