//! Tests of the whole player with streams whose timestamps, tracks or tags do not follow the
//! standards. One table of such streams is sent live over HTTP. Thousands of mutated streams are
//! played from files, over HTTP and over RTMP.

mod mutated;
mod other_sound;
mod over_rtmp;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::peers::{self, ffmpeg, web};
use crate::watch::{config, play};
use bytes::{Bytes, BytesMut};
use onair::player::{Config, State};
use onair::wire::codec::h264::{DecoderConfig, NalType, avcc_nals};
use onair::wire::container::flv;
use onair::wire::container::flv::video::VideoPacket;
use onair::wire::container::flv::{Demuxer, Tag, TagKind};

/// The tags of an FLV file made with ffmpeg.
fn clip(folder: &Path, size: &str, rate: &str, channels: &str, seconds: &str) -> Vec<Tag> {
    let path = folder.join(format!("{size}-{rate}.flv"));
    ffmpeg::make(&path, size, seconds, &["-g", "10", "-ar", rate, "-ac", channels]);
    tags(&fs::read(path).unwrap())
}

fn tags(data: &[u8]) -> Vec<Tag> {
    let mut demuxer = Demuxer::new();
    demuxer.push(data);
    std::iter::from_fn(|| demuxer.next_tag().unwrap()).collect()
}

fn is_header(tag: &Tag) -> bool {
    match tag.kind {
        TagKind::Script => true,
        TagKind::Video => flv::parse_video(&tag.body).is_ok_and(|tag| tag.is_sequence_start()),
        TagKind::Audio => flv::parse_audio(&tag.body).is_ok_and(|tag| tag.is_sequence_start()),
    }
}

/// Sends each tag at its due time, which may differ from its timestamp.
fn broadcast(tags: Vec<(u64, Tag)>) -> u16 {
    web::canned(move |_, socket| {
        let start = Instant::now();
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: video/x-flv\r\n\r\n");
        let _ = socket.write_all(&flv::file_header(true, true));
        for (due, tag) in &tags {
            std::thread::sleep((start + Duration::from_millis(*due)) - Instant::now());
            let mut out = BytesMut::new();
            flv::write_tag(tag.kind, tag.time_ms, &tag.body, &mut out);
            if socket.write_all(&out).is_err() {
                return;
            }
        }
    })
}

/// Puts the parameter sets of a sequence header before the keyframe in a tag.
fn in_band(header: &Bytes, tag: &mut Tag) {
    if tag.kind != TagKind::Video || !flv::parse_video(&tag.body).unwrap().is_keyframe() {
        return;
    }
    let sets = DecoderConfig::parse(&header.slice(5..)).unwrap();
    let mut body = BytesMut::from(&tag.body[..5]);
    for set in sets.parameter_sets() {
        body.extend_from_slice(&(set.len() as u32).to_be_bytes());
        body.extend_from_slice(set);
    }
    body.extend_from_slice(&tag.body[5..]);
    tag.body = body.freeze();
}

type Change = fn(&mut Vec<(u64, Tag)>, &[Tag]);

/// A change to three seconds of a healthy stream; the number of frames and the seconds of audio
/// that must survive; and the expected notices.
const TABLE: [(&str, Change, u64, f64, &[&str]); 16] = [
    ("as it is", |_, _| {}, 60, 2.2, &[]),
    (
        "starts high",
        |tags, _| tags.iter_mut().for_each(|(_, tag)| tag.time_ms += 4_000_000_000),
        60,
        2.2,
        &["player-times-high"],
    ),
    (
        "wraps",
        |tags, _| {
            let near = u32::MAX - 1_500;
            tags.iter_mut().for_each(|(_, tag)| tag.time_ms = tag.time_ms.wrapping_add(near));
        },
        60,
        2.2,
        &["player-times-high", "player-times-wrapped"],
    ),
    (
        "jumps ahead by an hour",
        |tags, _| {
            let late = tags.iter_mut().filter(|(due, _)| *due > 1_500);
            late.for_each(|(_, tag)| tag.time_ms += 3_600_000);
        },
        55,
        2.0,
        &["player-times-jumped"],
    ),
    (
        "jumps back to its beginning",
        |tags, _| {
            let late = tags.iter_mut().filter(|(due, _)| *due > 1_500);
            late.for_each(|(_, tag)| tag.time_ms = tag.time_ms.saturating_sub(1_500));
        },
        55,
        2.0,
        &["player-times-jumped"],
    ),
    (
        "runs backwards now and then",
        |tags, _| {
            let some = tags.iter_mut().enumerate().filter(|(at, _)| at % 9 == 5);
            some.for_each(|(_, (_, tag))| tag.time_ms = tag.time_ms.saturating_sub(30));
        },
        50,
        2.0,
        &["player-times-backwards"],
    ),
    (
        "sound counts from another zero",
        |tags, _| {
            let sound = tags.iter_mut().filter(|(_, tag)| tag.kind == TagKind::Audio);
            sound.for_each(|(_, tag)| tag.time_ms += 7_200_000);
        },
        60,
        2.2,
        &["player-times-differ"],
    ),
    (
        "without sound",
        |tags, _| tags.retain(|(_, tag)| tag.kind != TagKind::Audio),
        60,
        0.0,
        &["player-no-audio"],
    ),
    (
        "without a picture",
        |tags, _| tags.retain(|(_, tag)| tag.kind != TagKind::Video),
        0,
        2.2,
        &["player-no-video"],
    ),
    (
        "without metadata",
        |tags, _| tags.retain(|(_, tag)| tag.kind != TagKind::Script),
        60,
        2.2,
        &["player-no-metadata"],
    ),
    (
        "sound comes late in the stream",
        |tags, _| {
            tags.retain(|(due, tag)| tag.kind != TagKind::Audio || is_header(tag) || *due > 1_500);
        },
        60,
        1.0,
        &["player-late-audio"],
    ),
    (
        "another encoder goes on",
        |tags, other| {
            tags.retain(|(due, _)| *due <= 1_500);
            tags.extend(other.iter().map(|tag| (1_540 + u64::from(tag.time_ms), tag.clone())));
            tags.retain(|(due, _)| *due <= 3_000);
        },
        50,
        1.8,
        &["player-changed-audio", "player-changed-size", "player-times-jumped"],
    ),
    (
        "garbage between the tags",
        |tags, _| {
            let kinds = [TagKind::Video, TagKind::Audio, TagKind::Script];
            for at in (20..tags.len()).step_by(7).collect::<Vec<_>>().into_iter().rev() {
                let due = tags[at].0;
                let body = Bytes::from(vec![(at * 37) as u8; at % 50]);
                let tag = Tag { kind: kinds[at % 3], time_ms: at as u32 * 7_919, body };
                tags.insert(at, (due, tag));
            }
        },
        20,
        1.0,
        &["player-damaged-stream"],
    ),
    (
        "nothing that makes sense at first",
        |tags, _| {
            let legacy = [&[0x1F, 1, 2][..], &[0x28, 9, 9, 9], &[0x10], &[0x2B; 300]];
            // One track of a multitrack body.
            let enhanced = [&b"\x96\x01abcd\x25picture"[..], b"\x90zzzz"];
            for (at, body) in legacy.into_iter().chain(enhanced).enumerate() {
                let body = Bytes::copy_from_slice(body);
                let tag = Tag { kind: TagKind::Video, time_ms: 0, body };
                // Before the sequence headers and after them.
                tags.insert(at % 2 * 4, (0, tag));
            }
        },
        60,
        2.2,
        &["player-damaged-stream"],
    ),
    (
        "without headers",
        |tags, _| tags.retain(|(_, tag)| tag.kind != TagKind::Video || !is_header(tag)),
        0,
        2.2,
        &["player-no-headers"],
    ),
    (
        "headers in the pictures alone",
        |tags, _| {
            let header = tags.iter().find(|(_, tag)| tag.kind == TagKind::Video && is_header(tag));
            let header = header.unwrap().1.body.clone();
            tags.retain(|(_, tag)| tag.kind != TagKind::Video || !is_header(tag));
            tags.iter_mut().for_each(|(_, tag)| in_band(&header, tag));
        },
        60,
        2.2,
        &[],
    ),
];

#[test]
fn anomalous_streams_are_played_on() {
    peers::in_real_time!(anomalous_streams_are_played_on);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let healthy = clip(folder.path(), "320x180", "48000", "2", "3");
    let other = clip(folder.path(), "160x90", "22050", "1", "3");
    let results = std::thread::scope(|scope| {
        let runs: Vec<_> = TABLE
            .iter()
            .map(|(name, change, pictures, seconds, expected)| {
                let mut tags: Vec<(u64, Tag)> =
                    healthy.iter().map(|tag| (tag.time_ms.into(), tag.clone())).collect();
                change(&mut tags, &other);
                scope.spawn(move || {
                    let port = broadcast(tags);
                    let url = format!("http://127.0.0.1:{port}/x.flv");
                    let outcome = play(&Config { reconnect: false, ..config(&url) }, |_| false);
                    (name, outcome, *pictures, *seconds, *expected)
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect::<Vec<_>>()
    });
    for (name, outcome, pictures, seconds, expected) in results {
        let figures = &outcome.figures;
        println!(
            "{name}: {} shown, {} dropped, {} samples, {} underruns",
            figures.shown, figures.dropped, figures.audio_samples, figures.underruns
        );
        assert_eq!(outcome.state, State::Ended, "{name}: {:?}", outcome.events);
        assert!(figures.decoded >= pictures, "{name}: {figures:?}");
        // A busy machine may be late for some frames.
        assert!(figures.shown >= pictures / 2, "{name}: {figures:?}");
        let audio_seconds = figures.audio_samples as f64 / 48_000.0;
        assert!(audio_seconds >= seconds * 0.9, "{name}: {audio_seconds} s {figures:?}");
        let mut keys = outcome.notice_keys();
        // These depend on how busy the machine is.
        keys.retain(|key| {
            !["player-stalled", "player-jumped-ahead", "player-too-slow"].contains(key)
        });
        keys.sort_unstable();
        if name.starts_with("garbage") {
            // Garbage may cause other notices too.
            assert!(keys.contains(&expected[0]), "{name}: {keys:?}");
            let each: BTreeSet<_> = keys.iter().collect();
            assert_eq!(each.len(), keys.len(), "{keys:?}");
        } else {
            assert_eq!(keys, expected, "{name}: {:?}", outcome.events);
        }
    }
}

/// The frames of an HEVC file in MP4, as Enhanced FLV bodies.
fn hevc(file: &Path) -> Vec<Tag> {
    let data = fs::read(file).unwrap();
    let body = |head: u8, rest: &[u8]| Bytes::from([&[head], &b"hvc1"[..], rest].concat());
    let tag = |time_ms, body| Tag { kind: TagKind::Video, time_ms, body };
    let at = data.windows(4).position(|it| it == b"hvcC").unwrap();
    let size = u32::from_be_bytes(data[at - 4..at].try_into().unwrap()) as usize;
    let mut all = vec![tag(0, body(0x90, &data[at + 4..at - 4 + size]))];
    let entries = "packet=pts_time,size,pos,flags";
    let words = ["-v", "error", "-select_streams", "v", "-show_entries", entries, "-of", "compact"];
    let output = std::process::Command::new("ffprobe").args(words).arg(file).output().unwrap();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let field = |name: &str| {
            let found = line.split('|').find_map(|it| it.strip_prefix(name)?.strip_prefix('='));
            found.unwrap_or_else(|| panic!("{name}: {line}")).to_owned()
        };
        let (from, size): (usize, usize) =
            (field("pos").parse().unwrap(), field("size").parse().unwrap());
        let time_ms = (field("pts_time").parse::<f64>().unwrap() * 1_000.0).round() as u32;
        let head = if field("flags").contains('K') { 0x93 } else { 0xA3 };
        all.push(tag(time_ms, body(head, &data[from..from + size])));
    }
    all
}

/// Another encoder continues the stream with other codecs; timestamps continue too.
#[test]
fn another_codec_in_the_middle_is_played_on() {
    peers::in_real_time!(another_codec_in_the_middle_is_played_on);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let first = clip(folder.path(), "320x180", "48000", "2", "4");
    for (name, options, expected) in [
        ("mp3", &["-g", "10", "-c:a", "libmp3lame", "-ar", "44100"][..], "player-changed-codec"),
        ("flv1", &["-g", "10", "-c:v", "flv1"], "player-changed-codec"),
        (
            "hevc",
            &["-c:v", "libx265", "-x265-params", "keyint=10:bframes=0:log-level=error"],
            "player-changed-codec",
        ),
    ] {
        if name != "mp3" && cfg!(not(feature = "ffmpeg")) {
            continue;
        }
        let ending = if name == "hevc" { "mp4" } else { "flv" };
        let path = folder.path().join(format!("{name}.{ending}"));
        ffmpeg::make(&path, "320x180", "4", options);
        let other = if name == "hevc" {
            // The audio codec stays the same.
            let sound = first.iter().filter(|tag| tag.kind == TagKind::Audio).cloned();
            let mut all: Vec<Tag> = hevc(&path).into_iter().chain(sound).collect();
            all.sort_by_key(|tag| tag.time_ms);
            all
        } else {
            tags(&fs::read(path).unwrap())
        };
        let heads = other.iter().filter(|tag| is_header(tag)).map(|tag| (1_500, tag.clone()));
        let due = |tag: &Tag| (u64::from(tag.time_ms), tag.clone());
        let all: Vec<_> = first
            .iter()
            .filter(|tag| tag.time_ms <= 1_500)
            .map(due)
            .chain(heads)
            .chain(other.iter().filter(|tag| tag.time_ms > 1_500 && !is_header(tag)).map(due))
            .collect();
        let url = format!("http://127.0.0.1:{}/x.flv", broadcast(all));
        let outcome = play(&Config { reconnect: false, ..config(&url) }, |_| false);
        let figures = &outcome.figures;
        assert_eq!(outcome.state, State::Ended, "{name}: {:?}", outcome.events);
        assert!(figures.decoded > 60, "{name}: {figures:?}");
        assert!(figures.audio_samples > 130_000, "{name}: {figures:?}");
        let keys: Vec<_> =
            outcome.notice_keys().into_iter().filter(|key| *key == expected).collect();
        assert_eq!(keys, [expected], "{name}: {:?}", outcome.events);
    }
}

/// Streams that a player joins in the middle and that have no further IDR frame: with intra
/// refresh, and with open GOPs.
#[test]
fn streams_without_idr_frames_are_shown() {
    peers::in_real_time!(streams_without_idr_frames_are_shown);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let refresh = "intra-refresh=1:keyint=25:bframes=0";
    let open = "open-gop=1:keyint=25:min-keyint=25:bframes=2:scenecut=0";
    for (name, options) in [("refresh", refresh), ("open", open)] {
        let path = folder.path().join(format!("{name}.flv"));
        let options = ["-x264-params", options, "-preset", "veryfast"];
        ffmpeg::make(&path, "320x180", "6", &options);
        let whole = tags(&fs::read(path).unwrap());
        let idr = |tag: &Tag| {
            let picture = flv::parse_video(&tag.body).unwrap().track.packet;
            let VideoPacket::Frame { data, .. } = picture else { return false };
            avcc_nals(&data, 4).flatten().any(|nal| NalType::of(nal) == Some(NalType::Idr))
        };
        let pictures = |tag: &&Tag| tag.kind == TagKind::Video && !is_header(tag);
        assert_eq!(whole.iter().filter(pictures).filter(|tag| idr(tag)).count(), 1, "{name}");
        // From the middle of the first GOP, in real time.
        let joined: Vec<(u64, Tag)> = whole
            .iter()
            .filter(|tag| is_header(tag) || tag.time_ms > 400)
            .map(|tag| (u64::from(tag.time_ms.saturating_sub(400)), tag.clone()))
            .collect();
        let there = joined.iter().filter(|(_, tag)| pictures(&tag)).count() as u64;
        let url = format!("http://127.0.0.1:{}/x.flv", broadcast(joined));
        let outcome = play(&Config { reconnect: false, ..config(&url) }, |_| false);
        let figures = &outcome.figures;
        assert_eq!(outcome.state, State::Ended, "{name}: {:?}", outcome.events);
        let unseen = outcome.notice_keys().contains(&"player-no-keyframe");
        if cfg!(feature = "ffmpeg") {
            // Every frame except those before the refresh is complete.
            assert!(figures.decoded + 65 >= there, "{name}: {there} {figures:?}");
            assert!(!unseen, "{:?}", outcome.notice_keys());
        } else {
            assert!(unseen, "{:?}", outcome.notice_keys());
        }
        assert_eq!(figures.damaged, 0, "{name}");
    }
}
