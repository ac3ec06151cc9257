//! Tests with streams that real publishers and encoders sent, read from `../shared/vectors` if that
//! folder exists. The streams pass through onair's server to a viewer, a player and a file. No part
//! of the folder belongs to this project.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::peers::client::Client;
use crate::peers::{self, LIMIT, Onair, Peer, wait_for};
use crate::vectors::{folder, load, unhex};
use bytes::Bytes;
use onair::wire::container::flv::audio::AudioPacket;
use onair::wire::container::flv::metadata::parse_script;
use onair::wire::container::flv::video::VideoPacket;
use onair::wire::container::flv::{Demuxer, Tag, TagKind, parse_audio, parse_video};
use onair::wire::rtmp::chunk::{Limits, Reader};
use serde_json::Value;

/// A server that records.
struct Server {
    onair: Onair,
    rtmp: String,
    http: String,
}

impl Server {
    fn start(into: &Path) -> Self {
        let words = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--record"];
        let mut onair = Onair::start(&[&words[..], &[into.to_str().unwrap()]].concat());
        let ready = onair.wait_named("ready");
        let [rtmp, http] = ["rtmp", "http"].map(|name| ready[name].as_str().unwrap().to_owned());
        Self { onair, rtmp, http }
    }

    /// The number of viewers of all streams.
    fn viewers(&self) -> usize {
        let metrics = peers::web::ask(self.http.trim_start_matches("http://"), "GET", "/metrics");
        let lines = metrics.lines().filter(|line| line.starts_with("onair_stream_viewers"));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
    }

    /// The file of this publication, once it is complete. `None` if it had no media, and is removed.
    fn recorded(&self, stream: &str) -> Option<PathBuf> {
        let find = || {
            let mut events = self.onair.events().into_iter();
            events.find(|it| {
                let has_ended = it["state"] == "finished" || it["state"] == "deleted";
                it["event"] == "recording" && has_ended && it["stream"] == stream
            })
        };
        wait_for(stream, LIMIT, || find().is_some());
        let event = find().unwrap();
        (event["state"] == "finished").then(|| event["path"].as_str().unwrap().into())
    }
}

/// The messages of a case.
fn messages(case: &Value) -> Vec<(TagKind, u32, Bytes)> {
    let wire = unhex(case["wire_hex"].as_str().unwrap());
    let (mut reader, mut input) = (Reader::new(Limits::default()), &wire[..]);
    let mut found = Vec::new();
    while let Some(message) = reader.read(&mut input).unwrap() {
        let kind = TagKind::from_id(message.kind.0).unwrap();
        found.push((kind, message.time.0, message.body));
    }
    found
}

/// The video and audio tags of a file.
fn bodies(file: &Path) -> Vec<Tag> {
    let mut demuxer = Demuxer::new();
    demuxer.push(&std::fs::read(file).unwrap());
    let next = || demuxer.next_tag().unwrap();
    std::iter::from_fn(next).filter(|tag| tag.kind != TagKind::Script).collect()
}

/// True for a frame or audio, false for a configuration.
fn is_media(kind: TagKind, body: &Bytes) -> bool {
    match kind {
        TagKind::Video => !parse_video(body).is_ok_and(|it| it.is_sequence_start()),
        TagKind::Audio => !parse_audio(body).is_ok_and(|it| it.is_sequence_start()),
        TagKind::Script => false,
    }
}

fn probe(input: &str) -> Peer {
    Peer::start(env!("CARGO_BIN_EXE_onair"), ["probe", input])
}

/// The codecs that `onair probe` found, as the vectors call them.
fn found(probing: &mut Peer) -> Vec<&'static str> {
    probing.wait(LIMIT * 2);
    let report: Value = serde_json::from_str(&probing.output()).unwrap_or_default();
    let name = |stream: &Value| match stream["codec"].as_str().unwrap() {
        "h264" => "codecs.H264",
        "hevc" => "codecs.H265",
        "av1" => "codecs.AV1",
        "aac" => "codecs.MPEG4Audio",
        "mp3" => "codecs.MPEG1Audio",
        "pcm_alaw" | "pcm_mulaw" => "codecs.G711",
        "pcm_s16le" => "codecs.LPCM",
        "ac3" => "codecs.AC3",
        "opus" => "codecs.Opus",
        "flac" => "codecs.FLAC",
        other => panic!("{other}"),
    };
    report["streams"].as_array().into_iter().flatten().map(name).collect()
}

#[test]
fn beginnings_of_real_publishers_are_relayed_played_and_recorded() {
    let Some(vectors) = load("gortmplib/read_tracks.json") else { return };
    let cases = ["cases", "errors"].into_iter().flat_map(|of| vectors[of].as_array().unwrap());
    let cases: Vec<&Value> = cases.collect();
    let into = tempfile::tempdir().unwrap();
    let server = Server::start(into.path());
    let url = |case: usize| format!("{}/live/case{case}", server.rtmp);
    let mut publishers: Vec<_> = (0..cases.len()).map(|it| Client::publish(&url(it))).collect();
    let mut viewers: Vec<_> = (0..cases.len()).map(|it| Client::play(&url(it))).collect();
    let mut players: Vec<_> = (0..cases.len()).map(|it| probe(&url(it))).collect();
    wait_for("viewers and players", LIMIT, || server.viewers() == 2 * cases.len());
    let mut bodies_sent = Vec::new();
    let mut has_media = vec![false; cases.len()];
    for (at, ((publisher, viewer), case)) in
        publishers.iter_mut().zip(&mut viewers).zip(&cases).enumerate()
    {
        let mut sent = Vec::new();
        for message in messages(case) {
            if message.0 == TagKind::Script {
                let metadata = parse_script(&message.2).unwrap().unwrap();
                publisher.session.send_metadata(metadata);
                publisher.pump();
                continue;
            }
            publisher.send(&message);
            if !message.2.is_empty() {
                assert_eq!(viewer.media().2, message.2, "{}", case["name"]);
                has_media[at] |= is_media(message.0, &message.2);
                sent.push(message.2);
            }
        }
        bodies_sent.push(sent);
    }
    let count: usize = bodies_sent.iter().map(Vec::len).sum();
    assert!(count > 50, "{count}");

    let played: Vec<_> = players.iter_mut().map(found).collect();
    drop((publishers, viewers));
    for (at, case) in cases.iter().enumerate() {
        let name = &case["name"];
        let file = server.recorded(&format!("case{at}"));
        assert_eq!(file.is_some(), has_media[at], "{name}");
        if let Some(file) = &file {
            let kept: Vec<Bytes> = bodies(file).into_iter().map(|tag| tag.body).collect();
            assert_eq!(kept, bodies_sent[at], "{name}");
        }
        // Two cases have no tracks that their own reader would name; here they harm nothing.
        let Some(expected) = case["expected_tracks"].as_array() else { continue };
        let mut expected: Vec<_> =
            expected.iter().map(|track| track["Codec"]["_type"].as_str().unwrap()).collect();
        // Where a stream has several video tracks, the first is played.
        expected.dedup_by(|next, before| next == before && *next == "codecs.H264");
        if let Some(file) = &file {
            assert_eq!(found(&mut probe(file.to_str().unwrap())), expected, "{name}, the file");
        }
        // Over RTMP, a player gets only the first audio track, unless it asks for more.
        expected.dedup();
        assert_eq!(played[at], expected, "{name}, live");
    }
}

/// As the vectors' `README.md` asks: the same bodies, with one constant offset of the times.
#[test]
fn files_of_other_encoders_are_sent_relayed_and_recorded_body_by_body() {
    let Some(folder) = folder() else { return };
    let into = tempfile::tempdir().unwrap();
    let server = Server::start(into.path());
    let names = [
        "membrane/testsrc",
        "scuffle/avc_aac",
        "scuffle/hevc_aac",
        "scuffle/av1_aac",
        "enhanced-rtmp/testsrc",
        "enhanced-rtmp/testsrc2",
        "enhanced-rtmp/mptestsrc",
    ];
    let file = |name: &str| folder.join(format!("{name}.flv"));
    let stream = |name: &str| name.replace('/', "-");
    let send = |name: &&str| {
        let url = format!("{}/live/{}", server.rtmp, stream(name));
        Onair::start(&["live", "--copy", file(name).to_str().unwrap(), "--to", &url])
    };
    let mut sending: Vec<Onair> = names.iter().map(send).collect();
    for onair in &mut sending {
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.output());
    }
    for name in names {
        let (sent, kept) = (bodies(&file(name)), bodies(&server.recorded(&stream(name)).unwrap()));
        for kind in [TagKind::Video, TagKind::Audio] {
            let of = |tags: &[Tag]| -> Vec<Tag> {
                tags.iter().filter(|tag| tag.kind == kind).cloned().collect()
            };
            let (sent, kept) = (of(&sent), of(&kept));
            assert_eq!(sent.len(), kept.len(), "{name} {kind:?}");
            let mut pairs = sent.iter().zip(&kept);
            assert!(
                pairs.all(|(sent, kept)| sent.body == kept.body),
                "{name} {kind:?}: other bodies"
            );
            // Codec configs come first, with their own times. One of the files gives the sequence
            // end the time 0.
            let coded = |tag: &Tag| match kind {
                TagKind::Video => matches!(
                    parse_video(&tag.body).unwrap().track.packet,
                    VideoPacket::Frame { .. }
                ),
                _ => matches!(parse_audio(&tag.body).unwrap().track.packet, AudioPacket::Frame(_)),
            };
            let pairs = sent.iter().zip(&kept).filter(|(tag, _)| coded(tag));
            let offsets: BTreeSet<i64> = pairs
                .map(|(sent, kept)| i64::from(kept.time_ms) - i64::from(sent.time_ms))
                .collect();
            assert_eq!(offsets.len(), 1, "{name} {kind:?}: {offsets:?}");
        }
    }
}
