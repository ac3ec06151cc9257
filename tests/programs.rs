//! Test of two programs with the same sources: each has its own canvas, encoders and recording.

use std::path::Path;
use std::time::Duration;

use crate::peers::{self, LIMIT, ffmpeg, wait_for};
use onair::audio::AudioChoice;
use onair::base::Clock;
use onair::capture::VideoChoice;
use onair::media::{BitsPerSecond, ProgramId, Size};
use onair::studio::event::RecordingState;
use onair::studio::{Command, Config, Event, Quality, Settings, Studio};

/// Width, height, frame rate and length of a file whose audio and video belong together.
fn shape(path: &Path) -> (u64, u64, String, f64) {
    let probe = ffmpeg::probe(path);
    assert_eq!(probe.warnings, "", "{path:?}");
    let (video, audio) = (probe.packets("video"), probe.packets("audio"));
    assert!(video[0].keyframe && video.windows(2).all(|pair| pair[1].dts > pair[0].dts));
    assert!((video[0].pts - audio[0].pts).abs() < 0.05, "{path:?}");
    let end = video.last().unwrap().pts;
    assert!((end - audio.last().unwrap().pts).abs() < 0.2, "{path:?}");
    let streams = probe.json["streams"].as_array().unwrap();
    let video = streams.iter().find(|it| it["codec_type"] == "video").unwrap();
    let side = |name: &str| video[name].as_u64().unwrap();
    let rate = video["r_frame_rate"].as_str().unwrap().to_owned();
    (side("width"), side("height"), rate, end)
}

#[test]
fn a_second_program_records_the_same_sources_on_its_own_canvas() {
    peers::require!("ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let (wide, tall) = (folder.path().join("wide.mp4"), folder.path().join("tall.mp4"));
    let quality = Quality {
        size: Size::new(320, 180),
        video_bitrate: BitsPerSecond(400_000),
        keyframe_interval: Duration::from_secs(1),
        ..Quality::default()
    };
    let settings = Settings {
        video: Some(VideoChoice::Test),
        audio: Some(AudioChoice::Tone),
        quality,
        ..Settings::default()
    };
    let scene = settings.collection.current;
    let config = Config { keyring: false, ..Config::new(Clock::start(), settings) };
    let mut studio = Studio::start(config).unwrap();
    let events = studio.events().unwrap();
    let mut done = Vec::new();
    let mut listen = |until: &dyn Fn(&[onair::studio::event::Recording]) -> bool| {
        wait_for("the recordings", LIMIT, || {
            while let Ok(event) = events.try_recv() {
                if let Event::Recording(recording) = event {
                    done.push(recording);
                }
            }
            until(&done)
        });
    };
    studio.send(Command::StartRecording(wide.clone()));
    listen(&|recordings| recordings.len() == 1);
    let (id, size, rate) = (ProgramId(1), Size::new(180, 320), "15".parse().unwrap());
    studio.send(Command::StartProgram { id, scene, size, rate, path: tall.clone() });
    listen(&|recordings| recordings.len() >= 2);
    wait_for("three seconds of it", LIMIT, || {
        let recording = studio.snapshot().recording;
        recording.is_some_and(|it| it.duration >= Duration::from_secs(3))
    });
    studio.send(Command::StopProgram(id));
    // The main recording continues meanwhile.
    listen(&|recordings| recordings.iter().any(|it| it.state == RecordingState::Finished));
    studio.send(Command::StopRecording);
    let is_finished = |it: &&onair::studio::event::Recording| it.state == RecordingState::Finished;
    listen(&|recordings| recordings.iter().filter(is_finished).count() == 2);
    studio.end(LIMIT).unwrap();
    let (width, height, rate, wide_end) = shape(&wide);
    assert_eq!((width, height, &*rate), (320, 180, "30/1"));
    let (width, height, rate, tall_end) = shape(&tall);
    assert_eq!((width, height, &*rate), (180, 320, "15/1"));
    assert!(tall_end >= 2.0 && wide_end >= tall_end, "{tall_end} of {wide_end}");
}
