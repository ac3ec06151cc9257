//! Tests of multitrack messages (Enhanced RTMP v2, "Enhanced Audio", "Enhanced Video"). An
//! independent reader, written from the specification alone, reads what onair writes. ffmpeg 8 or
//! later writes and reads multitrack streams too (`ONAIR_FFMPEG`, or the ffmpeg on the path).

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, wait_for};

/// One track in a file: its FourCC (for legacy bodies, the equivalent one), and the packet types in
/// order.
type Tracks = BTreeMap<(char, u8), (String, Vec<u8>)>;

/// Reads the fields of a body, one after the other.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn u8(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn u24(&mut self) -> usize {
        self.take(3).iter().fold(0, |all, byte| all << 8 | usize::from(*byte))
    }

    fn four_cc(&mut self) -> String {
        String::from_utf8(self.take(4).to_vec()).unwrap()
    }
}

/// Reads an FLV file strictly by the specification; any deviation fails.
fn read(file: &[u8]) -> Tracks {
    let mut tracks = Tracks::new();
    let mut bytes = Bytes(file);
    assert_eq!(bytes.take(3), b"FLV");
    assert_eq!(bytes.take(10)[2..6], [0, 0, 0, 9]);
    while !bytes.0.is_empty() {
        let kind = bytes.u8();
        let size = bytes.u24();
        bytes.take(7);
        let body = bytes.take(size);
        assert_eq!(u32::from_be_bytes(bytes.take(4).try_into().unwrap()) as usize, size + 11);
        match kind {
            8 => body_of('a', body, body[0] >> 4 == 9, &mut tracks),
            9 => body_of('v', body, body[0] & 0x80 != 0, &mut tracks),
            18 => {}
            other => panic!("a tag of type {other}"),
        }
    }
    tracks
}

fn body_of(kind: char, body: &[u8], enhanced: bool, tracks: &mut Tracks) {
    let mut bytes = Bytes(body);
    let first = bytes.u8();
    let mut note = |track, four_cc: &str, packet_type| {
        let entry = tracks.entry((kind, track)).or_insert_with(|| (four_cc.into(), Vec::new()));
        assert_eq!(entry.0, four_cc, "a track changes its codec");
        entry.1.push(packet_type);
    };
    if !enhanced {
        // Legacy AVC and AAC: the packet type follows.
        let four_cc = match (kind, first) {
            ('v', 0x17 | 0x27) => "avc1",
            ('a', 0xAF) => "mp4a",
            other => panic!("a body that begins with {other:?}"),
        };
        return note(0, four_cc, bytes.u8());
    }
    let (multitrack, mod_ex) = if kind == 'a' { (5, 7) } else { (6, 7) };
    let mut packet_type = first & 0x0F;
    while packet_type == mod_ex {
        let mut size = usize::from(bytes.u8()) + 1;
        if size == 256 {
            size = usize::from(u16::from_be_bytes(bytes.take(2).try_into().unwrap())) + 1;
        }
        bytes.take(size);
        packet_type = bytes.u8() & 0x0F;
    }
    if packet_type != multitrack {
        return note(0, &bytes.four_cc(), packet_type);
    }
    let head = bytes.u8();
    let (shape, packet_type) = (head >> 4, head & 0x0F);
    assert!(shape <= 2, "a multitrack type of {shape}");
    assert_ne!(packet_type, multitrack, "multitrack in multitrack");
    let common = (shape != 2).then(|| bytes.four_cc());
    loop {
        let four_cc = common.clone().unwrap_or_else(|| bytes.four_cc());
        let track = bytes.u8();
        if shape == 0 {
            // One track: the rest of the body belongs to it.
            return note(track, &four_cc, packet_type);
        }
        let size = bytes.u24();
        bytes.take(size);
        note(track, &four_cc, packet_type);
        if bytes.0.is_empty() {
            return;
        }
    }
}

/// An ffmpeg that writes several tracks into FLV, or `None` with a loud message.
fn new_ffmpeg() -> Option<PathBuf> {
    let named = std::env::var_os("ONAIR_FFMPEG").map(PathBuf::from);
    let program = named.clone().unwrap_or_else(|| "ffmpeg".into());
    let output = Command::new(&program).arg("-version").output().ok();
    let text = output.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
    let version = text.and_then(|text| {
        let word = text.split_whitespace().nth(2)?.trim_start_matches('n').to_owned();
        word.split('.').next()?.parse::<u32>().ok()
    });
    if version.is_some_and(|version| version >= 8) {
        return Some(program);
    }
    assert!(named.is_none(), "{named:?} is older than version 8");
    peers::skipped("no ffmpeg of version 8 or later (set ONAIR_FFMPEG to one)");
    None
}

/// A file of four seconds with several video tracks and two audio tracks.
fn film(ffmpeg: &Path, format: &str, pictures: usize, file: &Path) {
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-y"]);
    command.args(["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30"]);
    command.args(["-f", "lavfi", "-i", "testsrc=size=160x90:rate=30"]);
    command.args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]);
    command.args(["-f", "lavfi", "-i", "sine=frequency=880:sample_rate=48000"]);
    for input in 0..pictures {
        command.args(["-map", &format!("{input}:v")]);
    }
    command.args(["-map", "2:a", "-map", "3:a", "-t", "4"]);
    command.args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30"]);
    command.args(["-c:a", "aac", "-ac", "1", "-f", format]).arg(file);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A checksum of each packet of a track, as ffmpeg reads it.
fn packets(ffmpeg: &Path, file: &Path, track: &str) -> Vec<String> {
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-i"]).arg(file);
    command.args(["-map", track, "-c", "copy", "-f", "framemd5", "-"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{track}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    // Stream, DTS, PTS, duration, size, checksum; side data may follow.
    lines.filter_map(|line| line.split(',').nth(5)).map(|it| it.trim().to_owned()).collect()
}

/// Asserts that ffmpeg decodes the whole file without a warning.
fn decodes(ffmpeg: &Path, file: &Path) {
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-i"]).arg(file);
    let output = command.args(["-map", "0"]).args(ffmpeg::DECODE_ONLY).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && errors.is_empty(), "{}: {errors}", file.display());
}

/// Asserts that the tracks of one file are in another, packet by packet and in order, except for
/// some packets at the beginning and end.
fn same(ffmpeg: &Path, sent: &Path, got: &Path, tracks: &[&str]) {
    for track in tracks {
        let (sent, got) = (packets(ffmpeg, sent, track), packets(ffmpeg, got, track));
        let from = sent.iter().position(|it| Some(it) == got.first());
        let from = from.unwrap_or_else(|| panic!("{track}: begins with what was not sent"));
        assert_eq!(got[..], sent[from..from + got.len()], "{track}");
        assert!(got.len() + 12 >= sent.len(), "{track}: {} of {}", got.len(), sent.len());
    }
}

#[test]
fn our_files_with_several_audio_tracks_follow_the_specification_and_ffmpeg_reads_them() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let (mkv, flv) = (folder.path().join("two.mkv"), folder.path().join("two.flv"));
    film(Path::new("ffmpeg"), "matroska", 1, &mkv);
    let words = ["remux", mkv.to_str().unwrap(), flv.to_str().unwrap()];
    let output = Command::new(env!("CARGO_BIN_EXE_onair")).args(words).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let tracks = read(&std::fs::read(&flv).unwrap());
    let found: Vec<_> = tracks.iter().map(|(id, (codec, _))| (*id, codec.as_str())).collect();
    assert_eq!(found, [(('a', 0), "mp4a"), (('a', 1), "mp4a"), (('v', 0), "avc1")]);
    for ((kind, track), (_, types)) in &tracks {
        // A codec config, and then only packets (and a sequence end).
        assert_eq!(types[0], 0, "{kind}{track}");
        let rest = &types[1..];
        let packets = rest.iter().filter(|it| **it == 1).count();
        assert!(packets >= 118 && packets + 1 >= rest.len(), "{kind}{track}: {rest:?}");
    }
    let Some(ffmpeg) = new_ffmpeg() else { return };
    decodes(&ffmpeg, &flv);
    same(&ffmpeg, &mkv, &flv, &["0:v:0", "0:a:0", "0:a:1"]);
}

#[test]
fn several_video_and_audio_tracks_go_from_ffmpeg_through_our_server_to_ffmpeg() {
    let Some(ffmpeg) = new_ffmpeg() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("four.flv");
    film(&ffmpeg, "flv", 2, &file);
    let all = ["0:v:0", "0:v:1", "0:a:0", "0:a:1"];
    let keys = |tracks: &Tracks| tracks.keys().copied().collect::<Vec<_>>();
    let four = [('a', 0), ('a', 1), ('v', 0), ('v', 1)];
    assert_eq!(keys(&read(&std::fs::read(&file).unwrap())), four);

    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let base = server.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    for name in ["ffmpeg", "onair"] {
        let url = format!("{base}/live/{name}");
        // One player accepts multiple tracks. The other does not announce that, and gets the first
        // track of each kind.
        let (saved, plain) = (
            folder.path().join(format!("{name}.flv")),
            folder.path().join(format!("{name}-plain.flv")),
        );
        let words = ["play", &url, "--headless", "--save", saved.to_str().unwrap()];
        let mut player = Onair::start(&words);
        let mut command = Command::new(&ffmpeg);
        command.args(["-hide_banner", "-nostdin", "-v", "error", "-y", "-i", &url]);
        command.args(["-map", "0", "-c", "copy", "-f", "flv"]).arg(&plain);
        let mut viewer = Peer::start_command(&mut command);
        let joined =
            |event: &serde_json::Value| event["event"] == "join" && event["stream"] == name;
        wait_for("both viewers", LIMIT, || {
            server.events().iter().filter(|event| joined(event)).count() == 2
        });
        if name == "ffmpeg" {
            let mut command = Command::new(&ffmpeg);
            command.args(["-hide_banner", "-nostdin", "-v", "error", "-re", "-i"]).arg(&file);
            command.args(["-map", "0", "-c", "copy", "-f", "flv", &url]);
            let mut sender = Peer::start_command(&mut command);
            assert_eq!(sender.wait(LIMIT).code(), Some(0), "{}", sender.errors());
        } else {
            let words = ["live", "--copy", file.to_str().unwrap(), "--to", &url];
            let mut sender = Onair::start(&words);
            assert_eq!(sender.peer.wait(LIMIT).code(), Some(0), "{}", sender.peer.errors());
        }
        server.wait_event("the end", |event| {
            event["event"] == "unpublish" && event["stream"] == name
        });
        player.stop(LIMIT);
        viewer.wait(LIMIT);

        assert_eq!(keys(&read(&std::fs::read(&saved).unwrap())), four, "{name}");
        decodes(&ffmpeg, &saved);
        same(&ffmpeg, &file, &saved, &all);
        let plain_tracks = read(&std::fs::read(&plain).unwrap());
        assert_eq!(keys(&plain_tracks), [('a', 0), ('v', 0)], "{name}");
        decodes(&ffmpeg, &plain);
        same(&ffmpeg, &file, &plain, &["0:v:0", "0:a:0"]);
        let sent: HashSet<_> = packets(&ffmpeg, &file, "0:v:1").into_iter().collect();
        let got = packets(&ffmpeg, &plain, "0:v:0");
        assert!(!got.iter().any(|it| sent.contains(it)), "{name}: another track's pictures");
    }
    assert!(server.stop(LIMIT).success());
}
