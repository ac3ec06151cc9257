//! Tests of fallbacks. If a source is black, frozen or silent, onair shows or plays the fallback
//! that the user chose. It returns to the source when the source recovers.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command as Program, Stdio};

use crate::peers::{self, LIMIT, missing, wait_for};
use onair::audio::AudioChoice;
use onair::base::Clock;
use onair::capture::{VideoChoice, VideoFallback};
use onair::media::Size;
use onair::mix::StripId;
use onair::studio::{self, Command, Edit, Quality, Settings, Studio};

const BRIGHT: u8 = 180;
const OTHER: u8 = 100;

/// A clip at ten frames per second: `each` black frames, then as many bright ones that move.
fn clip(path: &Path, each: usize) {
    let mut file = b"YUV4MPEG2 W64 H36 F10:1 C420mpeg2\n".to_vec();
    for number in 0..each * 2 {
        let luma = if number < each { 16 } else { BRIGHT + (number % 2) as u8 * 4 };
        file.extend(b"FRAME\n");
        file.extend([luma; 64 * 36]);
        file.extend([128; 64 * 36 / 2]);
    }
    fs::write(path, file).unwrap();
}

fn start(settings: Settings) -> Studio {
    let studio = Studio::start(studio::Config::new(Clock::start(), settings)).unwrap();
    wait_for("the strips", LIMIT, || !studio.snapshot().strips.is_empty());
    studio
}

/// The darkest and the brightest luma of the program's frame.
fn luma(studio: &Studio) -> (u8, u8) {
    let Some(frame) = studio.program().get() else { return (0, 0) };
    let y = &frame.planes().y;
    (*y.iter().min().unwrap(), *y.iter().max().unwrap())
}

fn has_notice(studio: &Studio, key: &str) -> bool {
    studio.snapshot().notices.iter().any(|it| it.key() == key)
}

#[test]
fn the_fallback_replaces_a_black_clip_until_it_moves() {
    peers::in_real_time!(the_fallback_replaces_a_black_clip_until_it_moves);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.y4m");
    clip(&path, 80);
    let (toml, other) = (folder.path().join("settings.toml"), "color:#626262");
    let settings = format!(
        "video = 'none'\naudio = 'silence'\n[quality]\nsize = '480x270'\nfps = '15'\n\
         [collection]\ncurrent = 'Show'\n\
         [[collection.sources]]\nname = 'Clip'\nsource = 'file:{}'\nif_black = '{other}'\n\
         [[collection.scenes]]\nname = 'Show'\n\
         [[collection.scenes.items]]\nsource = 'Clip'\n",
        path.display()
    );
    fs::write(&toml, settings).unwrap();
    let (settings, bad) = Settings::read(&toml);
    assert!(bad.is_empty(), "{bad:?}");
    let studio = start(settings);
    let near = |luma: u8, wanted: u8| luma.abs_diff(wanted) <= 6;
    let is = |wanted: u8| {
        let (low, high) = luma(&studio);
        near(low, wanted) && near(high, wanted)
    };
    // Two rounds: each time, the source returns automatically.
    for _ in 0..2 {
        wait_for("the other source", LIMIT, || is(OTHER));
        assert!(has_notice(&studio, "clip-black"), "{:?}", studio.snapshot().notices);
        wait_for("the clip itself", LIMIT, || is(BRIGHT));
        wait_for("the notice taken back", LIMIT, || !has_notice(&studio, "clip-black"));
    }
    // A placeholder with the source's name: dark, with text on it.
    let id = studio.snapshot().scenes.collection.sources[0].id;
    studio.send(Command::Edit(Edit::SetFallback(id, VideoFallback::Placeholder)));
    wait_for("the slate", LIMIT, || {
        let (low, high) = luma(&studio);
        low > 20 && low < 40 && (110..170).contains(&high)
    });
    // With `Keep`, black stays visible to viewers. A notice appears and then ends.
    studio.send(Command::Edit(Edit::SetFallback(id, VideoFallback::Keep)));
    wait_for("black", LIMIT, || is(16) && has_notice(&studio, "clip-black"));
    wait_for("the clip moves", LIMIT, || is(BRIGHT) && !has_notice(&studio, "clip-black"));
    let lasted = |studio: &Studio| {
        let log = studio.snapshot().event_log;
        log.iter().filter(|it| it.notice.key() == "clip-black").all(|it| it.lasted.is_some())
    };
    assert!(lasted(&studio), "{:?}", studio.snapshot().event_log);
    studio.send(Command::Undo);
    wait_for("the slate again", LIMIT, || luma(&studio).0 > 20 && luma(&studio).0 < 40);
    studio.end(LIMIT).unwrap();
}

#[test]
fn the_fallback_replaces_the_main_video_too_when_it_is_frozen() {
    peers::in_real_time!(the_fallback_replaces_the_main_video_too_when_it_is_frozen);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A video file for the player: thirteen seconds of one image, which the encoder turns into new
    // frames.
    let path = folder.path().join("still.mkv");
    let picture = "color=c=0xb4b4b4:s=64x36:r=10:d=13";
    let words = ["-hide_banner", "-nostdin", "-v", "error", "-f", "lavfi", "-i", picture];
    let words = words.into_iter().chain(["-c:v", "libx264", "-pix_fmt", "yuv420p"]);
    peers::Peer::start("ffmpeg", words.chain([path.to_str().unwrap()])).wait_success(LIMIT);
    let video = Some(VideoChoice::File(path));
    let audio = Some(AudioChoice::Silence);
    let quality = Quality { size: Size::new(320, 180), ..Quality::default() };
    let studio = start(Settings { video, audio, quality, ..Settings::default() });
    wait_for("its picture", LIMIT, || luma(&studio).0 > 140);
    let fallback = VideoFallback::Source("color:#202020".parse().unwrap());
    let main = onair::studio::scenes::MAIN_SOURCE;
    studio.send(Command::Edit(Edit::SetFallback(main, fallback)));
    wait_for("the other", LIMIT, || luma(&studio).1 < 60 && has_notice(&studio, "clip-frozen"));
    studio.send(Command::SelectVideo(VideoChoice::Test));
    wait_for("another picture", LIMIT, || {
        luma(&studio).1 > 140 && !has_notice(&studio, "clip-frozen")
    });
    studio.end(LIMIT).unwrap();
}

/// A tone of 440 Hz at 48,000 samples per second: silent for some seconds, then with this amplitude
/// for others.
fn wav(path: &Path, silent: u32, sounds: u32, amplitude: f64) {
    let samples = (silent + sounds) * 48_000;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + samples * 2).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16_u32.to_le_bytes());
    file.extend([1_u16, 1].map(u16::to_le_bytes).concat());
    file.extend([48_000_u32, 96_000].map(u32::to_le_bytes).concat());
    file.extend([2_u16, 16].map(u16::to_le_bytes).concat());
    file.extend(b"data");
    file.extend((samples * 2).to_le_bytes());
    for number in 0..samples {
        let phase = f64::from(number) / 48_000.0 * 440.0 * std::f64::consts::TAU;
        let level = if number < silent * 48_000 { 0.0 } else { amplitude * 32_767.0 };
        file.extend(((phase.sin() * level) as i16).to_le_bytes());
    }
    fs::write(path, file).unwrap();
}

#[test]
fn the_fallback_replaces_a_silent_strip_until_it_has_audio() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    wav(&path("voice.wav"), 9, 6, 0.5);
    wav(&path("other.wav"), 0, 5, 0.02);
    let settings = format!(
        "video = 'none'\naudio = 'file:{}'\n[[strips]]\nif_silent = 'file:{}'\n\
         [[strips]]\nname = 'Second'\nsource = 'file:{}'\n",
        path("voice.wav").display(),
        path("other.wav").display(),
        path("voice.wav").display()
    );
    fs::write(path("settings.toml"), settings).unwrap();
    let (settings, bad) = Settings::read(&path("settings.toml"));
    assert!(bad.is_empty(), "{bad:?}");
    let studio = start(settings);
    wait_for("both strips", LIMIT, || studio.snapshot().strips.len() == 2);
    let rms = |strip: usize| studio.snapshot().strips[strip].meter.rms_dbfs;
    let other = |strip: usize| (-40.0..-34.0).contains(&rms(strip));
    let own = |strip: usize| (-12.0..-6.0).contains(&rms(strip));
    for _ in 0..2 {
        wait_for("the other", LIMIT, || other(0) && has_notice(&studio, "played-silent"));
        wait_for("the voice itself", LIMIT, || own(0) && !has_notice(&studio, "played-silent"));
    }
    // Another strip with the same source, which has no fallback yet.
    let id = studio.snapshot().strips[1].audio.id;
    assert_ne!(id, StripId::MAIN);
    wait_for("silence", LIMIT, || rms(1) <= -60.0);
    let choice = Some(AudioChoice::File(path("other.wav")));
    studio.send(Command::SetIfSilent { id, choice });
    wait_for("the other there", LIMIT, || other(1));
    studio.send(Command::SetIfSilent { id, choice: None });
    studio.send(Command::SetIfSilent { id: StripId::MAIN, choice: None });
    wait_for("silence of both", LIMIT, || {
        rms(0) <= -60.0 && rms(1) <= -60.0 && !has_notice(&studio, "played-silent")
    });
    studio.end(LIMIT).unwrap();
}

#[test]
fn an_audio_fallback_that_could_not_be_opened_plays_as_soon_as_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // The source is always silent, so only the retry interval makes onair open the fallback again.
    wav(&path("voice.wav"), 7, 0, 0.0);
    let settings = format!(
        "video = 'none'\naudio = 'file:{}'\n[[strips]]\nif_silent = 'file:{}'\n",
        path("voice.wav").display(),
        path("other.wav").display(),
    );
    fs::write(path("settings.toml"), settings).unwrap();
    let (settings, bad) = Settings::read(&path("settings.toml"));
    assert!(bad.is_empty(), "{bad:?}");
    let studio = start(settings);
    wait_for("the failure", LIMIT, || has_notice(&studio, "file-failed"));
    wav(&path("other.new"), 0, 5, 0.02);
    fs::rename(path("other.new"), path("other.wav")).unwrap();
    wait_for("the other", LIMIT, || {
        let rms = studio.snapshot().strips[0].meter.rms_dbfs;
        (-40.0..-34.0).contains(&rms) && !has_notice(&studio, "file-failed")
    });
    studio.end(LIMIT).unwrap();
}

#[test]
fn lines_that_set_a_fallback_for_a_source_that_has_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.y4m");
    clip(&path, 10);
    let toml = folder.path().join("settings.toml");
    let settings = format!(
        "[collection]\ncurrent = 'Show'\n\
         [[collection.sources]]\nname = 'Clip'\nsource = 'file:{}'\n\
         [[collection.sources]]\nname = 'Words'\nsource = 'text:Hello'\n\
         [[collection.scenes]]\nname = 'Show'\n\
         [[collection.scenes.items]]\nmain = true\n\
         [[collection.scenes.items]]\nsource = 'Clip'\n\
         [[collection.scenes.items]]\nsource = 'Words'\n",
        path.display()
    );
    fs::write(&toml, settings).unwrap();
    let mut child = Program::new(env!("CARGO_BIN_EXE_onair"))
        .args(["live", "--json", "--video", "test", "--audio", "none", "--size", "320x180"])
        .args(["--fps", "10", "--scene", "Show", "--control", "--settings"])
        .arg(&toml)
        .arg("--record")
        .arg(folder.path().join("out.mkv"))
        .env("XDG_STATE_HOME", folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut control = child.stdin.take().unwrap();
    let lines = [
        "placeholder",
        "keep",
        "Words: placeholder",
        "Words: keep",
        "Clip: placeholder",
        "Nobody: placeholder",
    ];
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        if event["event"] == "stats" {
            lines.iter().for_each(|line| writeln!(control, "if-black {line}").unwrap());
            writeln!(control, "stop").unwrap();
            break;
        }
    }
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(child.wait().unwrap().success(), "{errors}");
    let refused: Vec<&str> = errors.lines().filter(|line| !line.trim().is_empty()).collect();
    assert_eq!(refused.len(), 3, "{errors}");
    assert!(refused[0].contains("--video") && refused[0].contains("(test)"), "{errors}");
    assert!(refused[1].contains("Words (text)") && refused[1].contains("fallback"), "{errors}");
    assert!(refused[2].contains("no source 'Nobody'"), "{errors}");
}
