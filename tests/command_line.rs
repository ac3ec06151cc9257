//! Tests of the command line as scripts and shells use it: stream keys through pipes, flags that
//! contradict each other, the effect of quality flags on the file, manual pages, and shell
//! completions.

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, Command, Output, Stdio};

use crate::peers::{self, LIMIT, Onair, ffmpeg, wait_for};
use serde_json::Value;

const SMALL: [&str; 8] =
    ["--video", "test", "--audio", "tone", "--size", "480x270", "--video-bitrate", "600k"];

fn onair(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_onair")).args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a command with one line on its standard input, which stays open; returns the events that it
/// printed.
fn with_an_open_pipe(words: &[&str], line: &str) -> Vec<Value> {
    struct Ended(Child);
    impl Drop for Ended {
        fn drop(&mut self) {
            drop(self.0.kill());
            drop(self.0.wait());
        }
    }
    let settings = tempfile::tempdir().unwrap();
    let mut child = Ended(
        Command::new(env!("CARGO_BIN_EXE_onair"))
            .args(words)
            .arg("--json")
            .env("XDG_CONFIG_HOME", settings.path())
            .env("XDG_STATE_HOME", settings.path())
            .stdin(Stdio::piped())
            .stdout(fs::File::create(settings.path().join("out")).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut pipe = child.0.stdin.take().unwrap();
    pipe.write_all(line.as_bytes()).unwrap();
    wait_for("the end, with the pipe open", LIMIT, || child.0.try_wait().unwrap().is_some());
    drop(pipe);
    let mut output = String::new();
    fs::File::open(settings.path().join("out")).unwrap().read_to_string(&mut output).unwrap();
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_key_is_one_line_of_a_pipe_that_may_stay_open() {
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let app = format!("{}/live", serve.wait_named("ready")["rtmp"].as_str().unwrap());
    let words = [&["live", "--to", &app, "--key-stdin", "--duration", "1s"], &SMALL[..]].concat();
    let events = with_an_open_pipe(&words, " planted-key \nmore");
    assert_eq!(events.last().unwrap()["exit"], 0, "{events:?}");
    assert_eq!(serve.wait_named("publish")["stream"], "planted-key");
    let answer = with_an_open_pipe(&["check", &app, "--key-stdin"], "planted-key\n");
    assert_eq!(answer[0]["ok"], true, "{answer:?}");
    assert_eq!(answer[0]["key_visible"], false, "{answer:?}");
    // A line without an end is no key: the command stops reading at a limit.
    let events = with_an_open_pipe(&words, &"x".repeat(8_193));
    assert_eq!(events.last().unwrap()["exit"], 3, "{events:?}");
}

#[test]
fn settings_that_were_asked_for_and_are_none_are_an_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let file = path.to_str().unwrap();
    for (written, why) in [
        (&b"delay_ms = 1\n[[targets]\n"[..], "line 2, column 11: this is not valid TOML"),
        (&b"\xFF\xFE\0"[..], "it must be a UTF-8 text file"),
    ] {
        fs::write(&path, written).unwrap();
        let record = folder.path().join("out.mkv");
        let record = record.to_str().unwrap();
        let live = ["live", "--settings", file, "--duration", "1s", "--record", record];
        for words in [&[&live[..], &SMALL].concat()[..], &["check", "--settings", file]] {
            let output = onair(words);
            let errors = text(&output.stderr) + &text(&output.stdout);
            assert_eq!(output.status.code(), Some(3), "{words:?} {errors}");
            assert!(errors.contains("mine.toml") && errors.contains(why), "{errors}");
        }
    }
}

#[test]
fn an_event_log_that_cannot_be_written_is_an_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (why, record) = (folder.path().to_str().unwrap(), folder.path().join("a.mp4"));
    let words = ["live", "--video", "test", "--duration", "1s", "--record"];
    let output = onair(&[&words[..], &[record.to_str().unwrap(), "--why", why]].concat());
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert!(errors.contains(&format!("--why {why}: a folder with this name")), "{errors}");
    assert!(errors.contains("Choose another name"), "{errors}");
    assert!(!record.exists());
}

#[test]
fn a_sample_rate_that_aac_does_not_have_is_a_usage_error() {
    let output = onair(&["live", "--video", "test", "--sample-rate", "50000"]);
    assert_eq!(output.status.code(), Some(2));
    let errors = text(&output.stderr);
    assert!(errors.contains("44100, 48000, 64000"), "{errors}");
}

#[test]
fn flags_of_quality_are_what_comes_out() {
    peers::in_real_time!(flags_of_quality_are_what_comes_out);
    peers::require!("ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("show.flv");
    let mut words = vec!["live", "--video", "test", "--audio", "tone", "--size", "480x270"];
    words.extend(["--encoder", "openh264", "--sample-rate", "44100", "--audio-bitrate", "64k"]);
    words.extend(["--channels", "1", "--keyframe-interval", "1s", "--fps", "25"]);
    words.extend(["--duration", "4s", "--record", file.to_str().unwrap()]);
    let mut live = Onair::start(&words);
    assert_eq!(live.peer.wait(LIMIT).code(), Some(0), "{}", live.peer.errors());
    let encoder = |track: &str| {
        let of = |event: &Value| event["event"] == "encoder" && event["track"] == track;
        live.events().into_iter().find(of).unwrap()
    };
    assert!(
        encoder("video")["name"].as_str().unwrap().contains("openh264"),
        "{}",
        encoder("video")
    );
    assert_eq!(encoder("audio")["bitrate"], 64_000);
    let probe = ffmpeg::probe(&file);
    assert_eq!(probe.warnings, "");
    let (video, audio) = (probe.stream("video"), probe.stream("audio"));
    assert_eq!((&video["codec_name"], &video["r_frame_rate"]), (&"h264".into(), &"25/1".into()));
    assert_eq!((&audio["sample_rate"], &audio["channels"]), (&"44100".into(), &1.into()));
    let keys: Vec<f64> =
        probe.packets("video").iter().filter(|it| it.keyframe).map(|it| it.dts).collect();
    assert!(
        keys.len() >= 3 && keys.windows(2).all(|it| (it[1] - it[0] - 1.0).abs() < 0.002),
        "{keys:?}"
    );
}

/// If both `--reconnect` and `--no-reconnect` are given, the last one counts.
#[test]
fn a_player_reconnects_or_does_not_as_the_last_option_says() {
    let port = peers::free_port().to_string();
    let address = format!("127.0.0.1:{port}");
    let serve = || {
        let mut serve = Onair::start(&["serve", "--rtmp", &address, "--http", "127.0.0.1:0"]);
        serve.wait_named("ready");
        serve
    };
    let url = format!("rtmp://{address}/live/show");
    let mut first = serve();
    let mut live = Onair::start(&[&["live", "--to", &url], &SMALL[..]].concat());
    live.wait_event("a live target", |event| event["state"] == "live");
    let play = |flags: [&str; 2]| {
        let mut play = Onair::start(&["play", &url, "--headless", flags[0], flags[1]]);
        play.wait_event("pictures", |event| event["shown"].as_u64() > Some(5));
        play
    };
    let mut comes_back = play(["--no-reconnect", "--reconnect"]);
    let mut does_not = play(["--reconnect", "--no-reconnect"]);
    first.peer.kill();
    assert_eq!(does_not.peer.wait(LIMIT).code(), Some(8), "{}", does_not.peer.output());
    comes_back.wait_event("the loss", |event| event["state"] == "reconnecting");
    let _second = serve();
    comes_back.wait_event("the stream again", |event| event["reconnects"].as_u64() > Some(0));
    assert_eq!(comes_back.stop(LIMIT).code(), Some(0));
    live.stop(LIMIT);
}

#[test]
fn a_target_without_its_key_names_the_flags_for_the_key() {
    for words in [
        &["live", "--service", "twitch"][..],
        &["live", "--to", "rtmp://127.0.0.1/live"],
        &["check", "rtmp://127.0.0.1/live"],
    ] {
        let output = onair(words);
        let why = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words:?} {why}");
        assert!(why.contains("key is missing") && why.contains("--key-env"), "{words:?} {why}");
    }
}

#[test]
fn the_last_line_of_play_repeats_what_it_refuses() {
    for words in [
        &["play", "--headless", "show.flv", "--save", "copy.mp4"][..],
        &["play", "--headless", "a.flv", "b.flv", "--snapshot", "x.png"],
        &["play", "--headless", "show.flv", "--chat", "nonsense"],
        &["play", "show.flv", "--chat", "nonsense"],
        &["play", "show.flv", "--log", "loud"],
    ] {
        let mut play = Onair::start(words);
        assert_eq!(play.peer.wait(LIMIT).code(), Some(2), "{words:?} {}", play.peer.errors());
        let [summary] = &play.events()[..] else { panic!("{words:?} {}", play.peer.output()) };
        assert_eq!((&summary["event"], &summary["exit"]), (&"summary".into(), &2.into()));
        let why = summary["error"].as_str().unwrap();
        assert!(why.len() > 20 && play.peer.errors().contains(why), "{why}");
    }
}

#[test]
fn a_player_without_a_display_says_so_in_its_last_line() {
    for more in [&[][..], &["b.flv"]] {
        let mut play = Onair::start(&[&["play", "a.flv"], more].concat());
        assert_eq!(play.peer.wait(LIMIT).code(), Some(4), "{}", play.peer.errors());
        let events = play.events();
        let last = events.last().unwrap();
        assert_eq!((&last["event"], &last["exit"]), (&"summary".into(), &4.into()), "{last}");
        let why = last["error"].as_str().unwrap();
        assert!(
            why.starts_with("onair cannot show its window: ") && why.contains("onair live"),
            "{why}"
        );
        assert!(play.peer.errors().contains(why), "{why}");
    }
}

/// A run that the system does not let start prints why, and what to do, in its last line too.
#[test]
fn a_run_without_files_to_open_is_refused_in_its_last_line_too() {
    let live = ["live", "--video", "test", "--to", "rtmp://127.0.0.1:1/a/b"];
    let play = ["play", "show.flv"];
    for words in [&live[..], &play, &["play", "--headless", "show.flv"]] {
        // With 6 files, onair cannot listen for signals; with 8, the studio cannot start.
        for files in ["6", "8"] {
            let mut command = Command::new("sh");
            // Descriptors that the test inherited would leave even less.
            let close = "exec 3>&- 4>&- 5>&- 6>&- 7>&-";
            let script = format!("{close}; ulimit -n \"$1\" && shift && exec \"$@\"");
            command.args(["-c", &script, "sh", files, env!("CARGO_BIN_EXE_onair")]);
            command.args(words).args(["--json", "--lang", "en"]);
            let mut run = Onair::start_command(&mut command, &[]);
            assert_eq!(run.peer.wait(LIMIT).code(), Some(1), "{words:?} {}", run.peer.errors());
            let [summary] = &run.events()[..] else { panic!("{words:?} {}", run.peer.output()) };
            assert_eq!((&summary["event"], &summary["exit"]), (&"summary".into(), &1.into()));
            let why = summary["error"].as_str().unwrap();
            assert!(why.contains("ulimit -n") && run.peer.errors().contains(why), "{why}");
        }
    }
}

#[test]
fn what_was_saved_before_is_not_written_over() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.flv");
    ffmpeg::make(&film, "160x90", "1", &[]);
    let (film, saved) = (film.to_str().unwrap(), folder.path().join("saved.flv"));
    fs::write(&saved, "precious").unwrap();
    let words = ["play", "--headless", "--mute", film, "--save", saved.to_str().unwrap()];
    let mut play = Onair::start(&words);
    assert_eq!(play.peer.wait(LIMIT).code(), Some(0), "{}", play.peer.errors());
    assert_eq!(fs::read(&saved).unwrap(), b"precious");
    let other = folder.path().join("saved-1.flv");
    assert_eq!(ffmpeg::decode(&other), "");
    let events = play.events();
    let notice = events.iter().find(|event| event["key"] == "player-save-renamed");
    let notice = notice.unwrap_or_else(|| panic!("{events:?}"));
    assert_eq!(notice["detail"], other.to_str().unwrap(), "{notice}");
    // The plain-text output names the file too.
    let output = onair(&words);
    assert!(text(&output.stdout).contains("saved-2.flv"), "{}", text(&output.stdout));
    // A path that is not a regular file has nothing to lose.
    let words = ["play", "--headless", "--mute", film, "--save", "/dev/null"];
    let other = onair(&words);
    assert!(!text(&other.stdout).contains("null-1"), "{}", text(&other.stdout));
}

/// The other files that `play` writes do not overwrite existing files either.
#[test]
fn existing_images_and_audio_files_are_not_overwritten() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.mp4");
    ffmpeg::make(&film, "160x90", "1", &[]);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (picture, sound) = (path("last.png"), path("heard.wav"));
    for taken in [&picture, &sound] {
        fs::write(taken, "precious").unwrap();
    }
    let words = ["play", "--headless", "--mute", film.to_str().unwrap(), "--snapshot", &picture];
    let words = [&words[..], &["--audio-dump", &sound]].concat();
    let mut play = Onair::start(&words);
    assert_eq!(play.peer.wait(LIMIT).code(), Some(0), "{}", play.peer.errors());
    assert_eq!(fs::read(&picture).unwrap(), b"precious");
    assert_eq!(fs::read(&sound).unwrap(), b"precious");
    assert!(fs::read(path("last-1.png")).unwrap().starts_with(b"\x89PNG"));
    assert!(fs::read(path("heard-1.wav")).unwrap().starts_with(b"RIFF"));
    let events = play.events();
    let assert_event = |name: &str, path: &str| {
        let of = |it: &Value| it["event"] == name && (it["path"] == path || it["detail"] == path);
        assert!(events.iter().any(of), "{path}: {events:?}");
    };
    assert_event("snapshot", &path("last-1.png"));
    assert_event("notice", &path("heard-1.wav"));
}

/// A program that waits for the picture learns that there is none.
#[test]
fn an_image_that_cannot_be_written_is_reported_as_an_event() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.mp4");
    ffmpeg::make(&film, "160x90", "1", &[]);
    let picture = folder.path().join("no folder").join("last.png");
    let picture = picture.to_str().unwrap();
    let words = ["play", "--headless", "--mute", film.to_str().unwrap(), "--snapshot", picture];
    let mut play = Onair::start(&words);
    assert_eq!(play.peer.wait(LIMIT).code(), Some(3), "{}", play.peer.errors());
    let events = play.events();
    let failed = |it: &Value| it["event"] == "snapshot" && it["state"] == "failed";
    let event = events.iter().find(|it| failed(it)).unwrap_or_else(|| panic!("{events:?}"));
    assert!(event["path"] == picture && event["reason"].is_string(), "{event}");
    assert_eq!(events.last().unwrap()["event"], "summary");
}

/// Output that could not be written because the disk is full is missing, so the command fails. A
/// reader that has read enough and closes the pipe is no failure.
#[test]
fn a_result_that_finds_no_room_is_no_success() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let made = |name: &str| {
        let path = folder.path().join(name);
        ffmpeg::make(&path, "160x90", "1", &[]);
        path.to_str().unwrap().to_owned()
    };
    let film = made("film.flv");
    let other = folder.path().join("other.mp4").to_str().unwrap().to_owned();
    let run = |words: &[&str], out: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
        command.args(words).stdout(out).env("XDG_STATE_HOME", folder.path());
        command.env("XDG_CONFIG_HOME", folder.path()).env_remove("DISPLAY");
        command.output().unwrap()
    };
    let full = || Stdio::from(fs::File::options().write(true).open("/dev/full").unwrap());
    let live = ["live", "--video", "test", "--audio", "tone", "--size", "320x180"];
    let record = folder.path().join("live.mp4").to_str().unwrap().to_owned();
    let live = [&live[..], &["--duration", "1s", "--record", &record, "--json"]].concat();
    for words in [
        &["probe", &film][..],
        &["probe", "--json", &film],
        &["man"],
        &["man", "live"],
        &["completions", "bash"],
        &["--help"],
        &["help", "live"],
        &["--version"],
        &["devices"],
        &["remux", &film, &other],
        &["repair", &film],
        &["play", "--headless", "--mute", &film],
        &live,
    ] {
        let ended = run(words, full());
        let errors = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(3), "{words:?}: {errors}");
        assert_eq!(errors.matches("cannot write to standard output").count(), 1, "{errors}");
    }
    for words in [&["man"][..], &["probe", &film], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = run(words, writer.into());
        assert_eq!(
            (ended.status.code(), text(&ended.stderr)),
            (Some(0), String::new()),
            "{words:?}"
        );
    }
}

/// The command line accepts any name that a file can have.
#[test]
fn a_file_name_need_be_no_text() {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &[u8]| folder.path().join(OsStr::from_bytes(name)).into_os_string();
    let plain = folder.path().join("plain.mp4");
    ffmpeg::make(&plain, "160x90", "1", &[]);
    let odd = path(b"\xE9t\xE9 100%\n.mp4");
    fs::copy(&plain, &odd).unwrap();
    fs::copy(&plain, path(b" rtmp:")).unwrap();
    let word = |text: &str| OsString::from(text);
    let mut file = word("file:");
    file.push(&odd);
    let (remuxed, film) = (path(b"\xFE.mkv"), path(b" rtmp:"));
    let (recorded, seen) = (path(b"\xFD.mkv"), path(b"seen-\xFF.png"));
    let line = |words: &[&str], more: &[&OsString]| -> Vec<OsString> {
        words.iter().map(OsString::from).chain(more.iter().copied().cloned()).collect()
    };
    let (audio, record) = (word("--audio"), word("--record"));
    let live = ["live", "--size", "320x180", "--duration", "1s", "--video"];
    for words in [
        line(&["probe"], &[&odd]),
        line(&["probe"], &[&film]),
        line(&["remux"], &[&odd, &remuxed]),
        line(&["repair"], &[&remuxed]),
        line(&["play", "--headless", "--mute", "--snapshot"], &[&seen, &odd]),
        line(&live, &[&file, &audio, &file, &record, &recorded]),
        line(&["probe"], &[&recorded]),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
        command.args(&words).env("XDG_STATE_HOME", folder.path()).env_remove("DISPLAY");
        let ended = command.env("XDG_CONFIG_HOME", folder.path()).output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{words:?}: {}", text(&ended.stderr));
    }
    assert!(fs::read(seen).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn a_speaker_and_a_side_are_flags_of_play_and_wrong_ones_are_usage() {
    for (flag, value, why) in [
        ("--balance", "101", "-100 (left only) to 100 (right only)"),
        ("--balance", "left", "-100 (left only) to 100 (right only)"),
        ("--speaker", "", "`onair devices` lists the speaker IDs"),
    ] {
        let output = onair(&["play", "--headless", "show.flv", flag, value]);
        assert_eq!(output.status.code(), Some(2), "{flag} {value}");
        assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    }
    // The options are known: the file is what is wrong here.
    let there = ["play", "--headless", "/nowhere/show.flv", "--speaker=usb", "--balance", "-5"];
    assert_eq!(onair(&there).status.code(), Some(3), "{}", text(&onair(&there).stderr));
    let page = text(&onair(&["man", "play"]).stdout);
    assert!(page.contains("speaker") && page.contains("balance"), "{page}");
}

#[test]
fn every_command_has_a_page_and_every_shell_its_completions() {
    let page = |words: &[&str]| {
        let output = onair(&[&["man"], words].concat());
        assert_eq!(output.status.code(), Some(0), "{words:?} {}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(page(&[]).contains(".TH onair 1"), "{}", page(&[]));
    let live = page(&["live"]);
    assert!(live.contains(".TH onair-live 1") && live.contains("keyframe"), "{live}");
    assert!(page(&["scenes", "import"]).contains(".TH onair-scenes-import 1"));
    let none = onair(&["man", "nonsense"]);
    assert_eq!(none.status.code(), Some(2));

    let folder = tempfile::tempdir().unwrap();
    let all = folder.path().join("man1");
    page(&["--all", all.to_str().unwrap()]);
    let help = text(&onair(&["--help"]).stdout);
    let commands = help.split("Commands:").nth(1).unwrap().split("\n\n").next().unwrap();
    let commands: Vec<&str> = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.contains(&"live") && commands.contains(&"man"), "{commands:?}");
    for command in &commands {
        let written = fs::read_to_string(all.join(format!("onair-{command}.1"))).unwrap();
        assert_eq!(written, page(&[command]), "{command}");
    }
    assert_eq!(fs::read_to_string(all.join("onair.1")).unwrap(), page(&[]));

    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = onair(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let completions = text(&output.stdout);
        for command in &commands {
            assert!(completions.contains(command), "{shell}: {command}");
        }
        assert!(completions.contains("video-bitrate"), "{shell}");
    }
    assert_eq!(onair(&["completions", "nonsense"]).status.code(), Some(2));
    // bash accepts the script written for it.
    let script = folder.path().join("onair.bash");
    fs::write(&script, onair(&["completions", "bash"]).stdout).unwrap();
    assert!(Command::new("bash").arg("-n").arg(&script).status().unwrap().success());
}

#[test]
fn what_is_printed_steers_no_terminal_and_repeats_no_password() {
    let evil = "/none/\u{1B}]0;owned\u{7}\u{9B}31m\u{202E}.flv";
    for words in
        [&["probe", evil][..], &["remux", evil, "x.mp4"], &["play", evil, "--headless", "--json"]]
    {
        let output = onair(words);
        for shown in [text(&output.stdout), text(&output.stderr)] {
            let steers = |sign: char| sign != '\n' && (sign.is_control() || sign == '\u{202E}');
            assert!(!shown.contains(steers), "{words:?}: {shown:?}");
        }
    }
    let url = "rtmp://me:Pl4nted@127.0.0.1:1/app/stream";
    for (words, code) in [
        (&["serve", "--successor", url][..], 2),
        (&["serve", "--successor", "http://me:Pl4nted@h/"], 2),
        (&["serve", "--rtmp", url], 2),
        (&["remux", url, "x.mp4"], 3),
        (&["repair", url], 3),
        (&["live", "--copy", url, "--built-in"], 2),
        (&["live", "--copy", url, "--to", "rtmp://127.0.0.1:1/a/b"], 3),
        (&["live", "--proxy", "ftp://me:Pl4nted@h"], 2),
        (&["play", url, "--headless", "--no-reconnect"], 6),
        (
            &[
                "play",
                "rtmp://127.0.0.1:1/a/b",
                "--headless",
                "--no-reconnect",
                "--proxy",
                "http://me:Pl4nted@127.0.0.1:1",
            ],
            6,
        ),
        (&["probe", url], 6),
    ] {
        let output = onair(words);
        let shown = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {shown}");
        assert!(!shown.contains("Pl4nted"), "{words:?}: {shown}");
        let warned = shown.contains("password is on the command line");
        assert!(warned || code == 2, "{words:?}: {shown}");
    }
}
