//! Tests of passthrough of files: `onair live --copy` and the studio send a file, and nginx-rtmp
//! receives it.

mod whole;

use crate::peers::{self, LIMIT, Nginx, Onair, Peer, ffmpeg};

#[test]
fn mp4_and_mkv_files_arrive_packet_by_packet() {
    peers::in_real_time!(mp4_and_mkv_files_arrive_packet_by_packet);
    peers::require!("nginx", "ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let nginx = Nginx::start();
    for format in ["mp4", "mkv"] {
        let file = folder.path().join(format!("film.{format}"));
        let mut words = vec!["-hide_banner", "-nostdin", "-y"];
        words.extend(["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=4"]);
        words.extend(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=4"]);
        // With B-frames, whose PTS is later than their DTS.
        words.extend(["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "30"]);
        words.extend(["-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2"]);
        words.push(file.to_str().unwrap());
        Peer::start("ffmpeg", words).wait_success(ffmpeg::limit(30));

        let url = nginx.url("recorded", format);
        let mut onair = Onair::start(&["live", "--copy", file.to_str().unwrap(), "--to", &url]);
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.output());
        nginx.wait_unpublished(format);
        let got = nginx.recordings().join(format!("{format}.flv"));
        assert_eq!(ffmpeg::decode(&got), "");
        let (sent, got) = (ffmpeg::probe(&file), ffmpeg::probe(&got));
        assert_eq!(got.warnings, "");
        for track in ["video", "audio"] {
            let (sent, got) = (sent.packets(track), got.packets(track));
            // The file may begin before its time zero (AAC priming samples, packets with a negative
            // DTS).
            assert!(sent.len() - got.len() <= 2, "{format} {track}: {} {}", sent.len(), got.len());
            assert!(got.windows(2).all(|pair| pair[0].dts < pair[1].dts), "{format} {track}");
        }
        let pictures = got.packets("video");
        assert_eq!(pictures.len(), 120);
        assert!(pictures[0].keyframe);
        assert!(pictures.iter().any(|picture| picture.pts > picture.dts), "no late pictures");
    }
}

/// As the window does it: the studio sends a file, reports its position, and says when it has
/// ended.
#[test]
fn the_studio_sends_a_file_and_tells_of_its_end() {
    peers::in_real_time!(the_studio_sends_a_file_and_tells_of_its_end);
    use onair::base::Clock;
    use onair::studio::live::view::LiveState;
    use onair::studio::{Command, Config, Settings, Studio, Target};
    use peers::wait_for;

    peers::require!("nginx", "ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let nginx = Nginx::start();
    let file = folder.path().join("tour.mkv");
    let mut words = vec!["-hide_banner", "-nostdin", "-y"];
    words.extend(["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=3"]);
    words.extend(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=3"]);
    words.extend(["-c:v", "libx264", "-preset", "veryfast", "-g", "30", "-pix_fmt", "yuv420p"]);
    words.extend(["-c:a", "libmp3lame", "-ac", "2", file.to_str().unwrap()]);
    Peer::start("ffmpeg", words).wait_success(ffmpeg::limit(30));

    let settings = Settings {
        video: Some(onair::capture::VideoChoice::Test),
        audio: Some(onair::audio::AudioChoice::Silence),
        ..Settings::default()
    };
    let studio = Studio::start(Config::new(Clock::start(), settings)).unwrap();
    let has_notice = |key: &str| studio.snapshot().notices.iter().any(|notice| notice.key() == key);
    let send = |path: &std::path::Path, again| {
        studio.send(Command::SendFile { path: path.to_owned(), again });
    };
    // A file that is no media is reported, and nothing is sent.
    let text = folder.path().join("a.mp4");
    std::fs::write(&text, "no film").unwrap();
    send(&text, false);
    wait_for("the refusal", LIMIT, || has_notice("passthrough-failed"));
    assert_eq!(studio.snapshot().live, LiveState::Idle);

    let target = Target::custom(1, &nginx.url("recorded", "tour"), Default::default());
    studio.send(Command::SetTargets(vec![target]));
    send(&file, false);
    wait_for("the file on air", LIMIT, || studio.snapshot().live == LiveState::OnAir);
    let film = studio.snapshot().passthrough.unwrap();
    assert!(!film.opening && film.path == file && !film.again, "{film:?}");
    assert!(film.duration.is_some_and(|it| (2.5..3.5).contains(&it.as_secs_f64())), "{film:?}");
    wait_for("its end", LIMIT, || has_notice("passthrough-ended"));
    wait_for("the studio at rest", LIMIT, || {
        let snapshot = studio.snapshot();
        snapshot.live == LiveState::Idle && snapshot.passthrough.is_none()
    });
    nginx.wait_unpublished("tour");
    let got = nginx.recordings().join("tour.flv");
    assert_eq!(ffmpeg::decode(&got), "");
    let got = ffmpeg::probe(&got);
    assert_eq!(got.stream("audio")["codec_name"], "mp3");
    assert_eq!(got.packets("video").len(), 90);
    assert_eq!(got.packets("audio").len(), ffmpeg::probe(&file).packets("audio").len());

    // The file repeats until the operator ends it; meanwhile nothing is recorded.
    let target = Target::custom(1, &nginx.url("live", "again"), Default::default());
    studio.send(Command::SetTargets(vec![target]));
    send(&file, true);
    wait_for("the file on air", LIMIT, || studio.snapshot().live == LiveState::OnAir);
    studio.send(Command::StartRecording(folder.path().join("none.mp4")));
    wait_for("the refusal", LIMIT, || has_notice("recording-not-started"));
    wait_for("the second round", LIMIT, || {
        studio.snapshot().passthrough.is_some_and(|it| it.rounds > 0)
    });
    studio.send(Command::StopLive);
    wait_for("the end", LIMIT, || studio.snapshot().live == LiveState::Idle);
    studio.end(LIMIT).unwrap();
}
