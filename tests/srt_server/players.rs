//! Tests with further programs over SRT: VLC plays, and the newest ffmpeg publishes and plays.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{PASSPHRASE, check, is_event, publish, serve};
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, wait_for};

/// Returns the command for VLC, which does not run as root.
fn vlc(home: &Path) -> Command {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0);
    let mut command = Command::new(if is_root { "setpriv" } else { "env" });
    if is_root {
        command.args(["--reuid=65534", "--clear-groups", "env"]);
    }
    command.arg(format!("HOME={}", home.display())).arg("cvlc");
    command
}

/// Returns true, and says so, if VLC is missing or has no SRT.
fn has_no_vlc(home: &Path) -> bool {
    if peers::missing(&["cvlc"]) {
        return true;
    }
    let list = vlc(home).arg("--list").output().unwrap();
    let has_srt = String::from_utf8_lossy(&list.stdout).contains("access_srt");
    !has_srt && peers::skipped("VLC has no SRT (package vlc-plugin-access-extra)")
}

#[test]
fn vlc_plays_a_stream_by_srt() {
    peers::in_real_time!(vlc_plays_a_stream_by_srt);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    if has_no_vlc(folder.path()) {
        return;
    }
    let secret = folder.path().join("passphrase");
    std::fs::write(&secret, PASSPHRASE).unwrap();
    for (name, key) in [("plain", None), ("encrypted", Some(PASSPHRASE))] {
        let more = ["--srt-passphrase-file", secret.to_str().unwrap()];
        let (mut server, srt, _) = serve(if key.is_some() { &more } else { &[] });
        let key = key.map(|key| format!("&passphrase={key}")).unwrap_or_default();
        let mut publisher = publish(&format!("{srt}?streamid=publish:live/show{key}"));
        server.wait_event("the publisher", is_event("publish", "srt"));
        // VLC writes what it has received and taken apart.
        let file = folder.path().join(format!("{name}.ts"));
        let mut player = vlc(folder.path());
        player.args(["-I", "dummy", "--quiet", "--sout"]);
        player.arg(format!("#std{{access=file,mux=ts,dst={}}}", file.display()));
        player.arg(format!("{srt}?streamid=read:live/show{key}"));
        let mut player = Peer::start_command(&mut player);
        server.wait_event("the viewer", is_event("join", "srt"));
        wait_for("some seconds", LIMIT, || {
            std::fs::metadata(&file).is_ok_and(|file| file.len() > 800_000)
        });
        player.interrupt();
        player.wait(LIMIT);
        let probe = ffmpeg::probe(&file);
        assert_eq!(probe.stream("video")["codec_name"], "h264", "{name}");
        assert_eq!(probe.stream("audio")["codec_name"], "aac", "{name}");
        assert!(probe.packets("video").len() > 60, "{name}: {}", probe.packets("video").len());
        publisher.kill();
        server.stop(LIMIT);
    }
}

#[test]
fn a_server_of_srt_and_of_whip_is_checked_before_a_broadcast() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("passphrase");
    std::fs::write(&secret, PASSPHRASE).unwrap();
    let words = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--srt", "127.0.0.1:0"];
    let passphrase = ["--srt-passphrase-file", secret.to_str().unwrap()];
    let mut server = Onair::start(&[&words[..], &passphrase].concat());
    let ready = server.wait_named("ready");
    let srt = format!("{}?streamid=publish:live/show", ready["srt"].as_str().unwrap());
    let whip = ready["http"].as_str().unwrap().replace("http://", "whip://") + "/live/show/whip";
    for (url, key, code) in [(&srt, PASSPHRASE, 0), (&srt, "Another-Passphrase", 7), (&whip, "", 0)]
    {
        let words = ["check", url, "--key-env", "ONAIR_TEST_KEY"];
        let words = if key.is_empty() { &words[..2] } else { &words[..] };
        let mut check = Onair::start_with(words, &[("ONAIR_TEST_KEY", key)]);
        assert_eq!(check.peer.wait(LIMIT).code(), Some(code), "{url}: {}", check.peer.errors());
        let report = &check.events()[0];
        assert_eq!(report["ok"], code == 0, "{report}");
        assert!(!check.peer.output().contains("Passphrase"), "{report}");
    }
    server.stop(LIMIT);
}

/// Returns an ffmpeg that has SRT, or `None` (with a message) if there is none.
fn newest_ffmpeg() -> Option<PathBuf> {
    let program = peers::fetched("ONAIR_FFMPEG")?;
    let list = Command::new(&program).args(["-hide_banner", "-protocols"]).output().unwrap();
    let has_srt = String::from_utf8_lossy(&list.stdout).lines().any(|line| line.trim() == "srt");
    if !has_srt {
        peers::skipped("the ffmpeg of ONAIR_FFMPEG has no SRT");
    }
    has_srt.then_some(program)
}

#[test]
fn the_newest_ffmpeg_publishes_and_plays_by_srt() {
    peers::in_real_time!(the_newest_ffmpeg_publishes_and_plays_by_srt);
    peers::require!("ffmpeg", "ffprobe");
    let Some(program) = newest_ffmpeg() else { return };
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("passphrase");
    std::fs::write(&secret, PASSPHRASE).unwrap();
    let (mut server, srt, _) = serve(&["--srt-passphrase-file", secret.to_str().unwrap()]);
    let key = format!("&passphrase={PASSPHRASE}&pbkeylen=32");
    let words = "-nostdin -v error -re -f lavfi -i testsrc2=s=640x360:r=30 -f lavfi -i sine=r=48000 \
                 -c:v libx264 -preset ultrafast -g 30 -b:v 1500k -pix_fmt yuv420p -c:a aac -f mpegts";
    let mut publisher = Command::new(&program);
    publisher.args(words.split_whitespace());
    publisher.arg(format!("{srt}?streamid=publish:live/show{key}"));
    let mut publisher = Peer::start_command(&mut publisher);
    server.wait_event("the publisher", is_event("publish", "srt"));
    let file = folder.path().join("received.ts");
    let mut player = Command::new(&program);
    player.args(["-nostdin", "-v", "error", "-y", "-i"]);
    player.arg(format!("{srt}?streamid=read:live/show{key}"));
    player.args(["-t", "4", "-c", "copy"]).arg(&file);
    let mut player = Peer::start_command(&mut player);
    player.wait_success(LIMIT);
    check(&file, 100);
    publisher.kill();
    server.stop(LIMIT);
}
