//! Encoders that take frames in the memory of a graphics card, without a graphics card: a stand-in for a driver of VAAPI
//! (`vaapi_stub.c`), which the system's libva loads and FFmpeg's own code calls. It works, lacks rate controls, has only
//! the low-power mode, crashes and hangs.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::encoders::{notice, video_encoders};
use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Onair, ffmpeg};

const STUB: &str = include_str!("vaapi_stub.c");
const WRITER: &str = include_str!("h264_stub.h");

/// A driver, and the display through which libva reaches it, because there is no device.
struct Driver {
    folder: TempDir,
    desktop: Desktop,
}

impl Driver {
    /// Returns `None` (with a message) if the driver cannot be built.
    fn build() -> Option<Self> {
        if peers::missing(&["cc", "ffmpeg", "ffprobe", "Xvfb", "dbus-daemon"]) {
            return None;
        }
        if !Path::new("/usr/include/va/va_backend.h").exists() {
            peers::skipped("no va_backend.h (libva-dev)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("stub.c");
        std::fs::write(&source, STUB).unwrap();
        std::fs::write(folder.path().join("h264_stub.h"), WRITER).unwrap();
        let mut command = Command::new("cc");
        command.args(["-w", "-O1", "-shared", "-fPIC", "-o"]);
        command.arg(folder.path().join("stub_drv_video.so")).arg(&source);
        assert!(command.status().unwrap().success());
        let driver = Self { folder, desktop: Desktop::start() };
        let vaapi = driver.listed("works", "h264-vaapi");
        if vaapi["reason"].to_string().contains("without this encoder") {
            peers::skipped_even_in_ci("this computer's FFmpeg has no VAAPI");
            return None;
        }
        Some(driver)
    }

    fn variables(&self, mode: &str) -> [(&'static str, String); 4] {
        [
            ("LIBVA_DRIVER_NAME", "stub".to_owned()),
            ("LIBVA_DRIVERS_PATH", self.folder.path().display().to_string()),
            ("LIBVA_STUB_MODE", mode.to_owned()),
            ("DISPLAY", self.desktop.display()),
        ]
    }

    fn listed(&self, mode: &str, encoder: &str) -> Value {
        let variables = self.variables(mode);
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        let all = video_encoders(&variables);
        all.into_iter().find(|it| it["name"] == encoder).expect("the encoder is listed")
    }

    /// Starts a broadcast of one color that is recorded into this file.
    fn live(&self, mode: &str, file: &Path, more: &[&str]) -> Onair {
        let variables = self.variables(mode);
        let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
        let words = ["live", "--video", "color:#c83214", "--audio", "tone", "--size", "480x270"];
        let more_words = ["--encoder", "h264-vaapi", "--record", file.to_str().unwrap()];
        Onair::start_with(&[&words[..], &more_words, more].concat(), &variables)
    }
}

/// Returns the mean color of the first frame of a file: red, green and blue.
fn color(file: &Path) -> [u8; 3] {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i", file.to_str().unwrap(), "-an", "-frames:v", "1"])
        .args(["-vf", "format=rgb24,scale=1:1:flags=area", "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    <[u8; 3]>::try_from(output.stdout.as_slice()).unwrap()
}

#[test]
fn an_encoder_that_takes_frames_on_the_card_gets_each_frame_and_says_why_it_cannot() {
    let Some(driver) = Driver::build() else { return };
    let works = driver.listed("works", "h264-vaapi");
    assert_eq!((&works["available"], &works["hardware"]), (&true.into(), &true.into()), "{works}");
    // The stand-in encodes only H.264.
    let hevc = driver.listed("works", "hevc-vaapi");
    assert_eq!(hevc["available"], false);
    assert!(hevc["reason"].to_string().contains("No usable encoding profile"), "{hevc}");
    let folder = tempfile::tempdir().unwrap();
    // A driver with neither CBR nor VBR gets a constant quality, and one with low power only gets that.
    for (mode, used) in [("works", "asked for"), ("cqp", "uses cq"), ("low", "asked for")] {
        let file = folder.path().join(format!("{mode}.mkv"));
        let mut onair = driver.live(mode, &file, &["--duration", "4s"]);
        let encoder = onair.wait_event("the encoder", |event| {
            event["event"] == "encoder" && event["track"] == "video"
        });
        assert_eq!(encoder["name"], "h264-vaapi");
        assert!(encoder["why"].to_string().contains(used), "{mode}: {encoder}");
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
        assert_eq!(ffmpeg::decode(&file), "");
        let probe = ffmpeg::probe(&file);
        assert_eq!(
            (&probe.stream("video")["width"], &probe.stream("video")["height"]),
            (&480.into(), &270.into())
        );
        let packets = probe.packets("video");
        assert!(packets.len() > 60, "{} packets", packets.len());
        let keyframes = packets.iter().filter(|it| it.keyframe).map(|it| it.pts - packets[0].pts);
        assert!(keyframes.into_iter().any(|at| (at - 2.0).abs() < 0.5));
        let shown = color(&file);
        let is_near = |(shown, sent): (&u8, u8)| shown.abs_diff(sent) < 6;
        assert!(shown.iter().zip([0xc8, 0x32, 0x14]).all(is_near), "{mode}: {shown:?}");
    }
}

#[test]
fn a_driver_of_vaapi_that_crashes_or_hangs_on_air_is_replaced_and_the_recording_goes_on() {
    let Some(driver) = Driver::build() else { return };
    for mode in ["crash", "hang"] {
        let folder = tempfile::tempdir().unwrap();
        let mut onair = driver.live(mode, &folder.path().join("show.mkv"), &[]);
        notice(&mut onair, "started it again");
        notice(&mut onair, "openh264 took over");
        let now = onair.events().last().and_then(|event| event["t"].as_f64()).unwrap();
        onair.wait_event("some seconds", |event| {
            event["event"] == "stats" && event["t"].as_f64() > Some(now + 2.5)
        });
        onair.peer.interrupt();
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{mode}: {}", onair.peer.errors());
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap().path();
            assert_eq!(ffmpeg::decode(&file), "", "{mode}: {file:?}");
        }
    }
}
