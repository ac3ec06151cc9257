//! Tests of remuxing between the file formats, of files that are cut off at any point, and of files
//! with false contents. The packets must stay identical, all complete data must be recovered, and
//! nothing may panic.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::film::Film;
use crate::peers::{self, LIMIT, Peer, ffmpeg};
use onair::base::Timestamp;
use onair::broadcast::recorder::remux::{Failure, RepairMethod};
use onair::broadcast::recorder::{remux, repair};
use onair::media::{EncodedPacket, Metadata, StreamEvent, Track};
use onair::text::{Language, Problem};
use onair::wire::container::{Chapter, Format, Index, Muxer, SampleLocation, TrackId, Tracks};
use onair::wire::container::{flv, mkv, mp4};
use serde_json::Value;

fn ffmpeg_makes(file: &Path, words: &[&str]) {
    let mut all = vec!["-hide_banner", "-nostdin", "-y", "-v", "error"];
    all.extend(words);
    all.push(file.to_str().unwrap());
    Peer::start("ffmpeg", all).wait_success(LIMIT);
}

/// Type and hash of each stream's packets.
fn hashes(file: &Path) -> Vec<String> {
    let words = ["-hide_banner", "-nostdin", "-v", "error", "-i", file.to_str().unwrap()];
    let copy = ["-map", "0", "-c", "copy", "-f", "streamhash", "-"];
    let mut peer = Peer::start("ffmpeg", words.into_iter().chain(copy));
    peer.wait_success(LIMIT);
    // Without the stream numbers, which differ between formats. FFmpeg takes chapter titles for
    // data.
    let mut lines: Vec<_> = peer
        .output()
        .lines()
        .map(|line| line[line.find(',').unwrap()..].to_owned())
        .filter(|line| !line.starts_with(",d,"))
        .collect();
    lines.sort();
    lines
}

fn times(file: &Path, kind: &str) -> Vec<(f64, f64)> {
    let probe = ffmpeg::probe(file);
    assert_eq!(probe.warnings, "", "{file:?}");
    probe.packets(kind).iter().map(|packet| (packet.pts, packet.dts)).collect()
}

/// Asserts that times differ by no more than two roundings to milliseconds.
fn assert_same_times(a: &[(f64, f64)], b: &[(f64, f64)], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (n, (a, b)) in a.iter().zip(b).enumerate() {
        // Not every format stores the DTS.
        let dts = if a.1.is_nan() { 0.0 } else { a.1 - b.1 };
        let apart = (a.0 - b.0).abs().max(dts.abs());
        assert!(apart <= 0.0011, "{what}: packet {n} at {a:?} and {b:?}");
    }
}

#[test]
fn packets_come_through_every_way_bit_by_bit() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name);
    // With reordered frames, three B-frames deep.
    let first = name("first.flv");
    let mut words = vec!["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=5"];
    words.extend(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=5"]);
    words.extend(["-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "60"]);
    words.extend(["-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2"]);
    ffmpeg_makes(&first, &words);
    let expected = hashes(&first);
    assert_eq!(expected.len(), 2);
    let (video, audio) = (times(&first, "video"), times(&first, "audio"));
    assert!(video.iter().any(|(pts, dts)| pts != dts));
    let mut last = first.clone();
    for (n, format) in ["mp4", "mkv", "flv", "mkv", "mp4", "flv"].into_iter().enumerate() {
        let next = name(&format!("{n}.{format}"));
        let report = remux(&last, &next, &|| false).unwrap();
        assert_eq!((report.how, &report.path), (RepairMethod::Copied, &next));
        assert_eq!(hashes(&next), expected, "{next:?}");
        assert_same_times(&times(&next, "video"), &video, &format!("{next:?} video"));
        assert_same_times(&times(&next, "audio"), &audio, &format!("{next:?} audio"));
        assert_eq!(ffmpeg::decode(&next), "", "{next:?}");
        last = next;
    }
    // Files written by other software.
    for foreign in ["foreign.mp4", "foreign.mkv", "fragments.mp4"] {
        let file = name(foreign);
        let fragments = ["-movflags", "frag_keyframe+empty_moov+default_base_moof"];
        let more = if foreign == "fragments.mp4" { &fragments[..] } else { &[] };
        let copy = ["-i", first.to_str().unwrap(), "-c", "copy"];
        ffmpeg_makes(&file, &[&copy[..], more].concat());
        // FFmpeg's file may offset audio and video differently, so ours is compared with that file.
        let (pictures, sounds) = (times(&file, "video"), times(&file, "audio"));
        for format in ["flv", "mp4", "mkv"] {
            let ours = name(&format!("of {foreign}.{format}"));
            remux(&file, &ours, &|| false).unwrap();
            assert_eq!(hashes(&ours), expected, "{ours:?}");
            assert_eq!(ffmpeg::decode(&ours), "", "{ours:?}");
            let (a, b) = (times(&ours, "video"), times(&ours, "audio"));
            let between = (a[0].0 - b[0].0) - (pictures[0].0 - sounds[0].0);
            assert!(between.abs() <= 0.0011, "{ours:?}: {between}");
        }
    }
    let taken = remux(&first, &name("0.mp4"), &|| false);
    assert!(matches!(taken, Err(Failure::Exists(_))), "nothing is overwritten");
}

/// The MD5 of every decoded frame.
fn frames(file: &Path) -> Vec<String> {
    let words = ["-hide_banner", "-nostdin", "-v", "error", "-i", file.to_str().unwrap()];
    let decode = ["-an", "-fps_mode", "passthrough", "-f", "framemd5", "-"];
    let mut peer = Peer::start("ffmpeg", words.into_iter().chain(decode));
    peer.wait_success(LIMIT);
    let lines = peer.output();
    let lines = lines.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit(',').next().unwrap().trim().to_owned()).collect()
}

#[test]
fn a_part_begins_at_a_keyframe_and_has_the_same_frames() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name);
    let mut words = vec!["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=10"];
    words.extend(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:duration=10"]);
    words.extend(["-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-g", "60"]);
    words.extend(["-sc_threshold", "0", "-pix_fmt", "yuv420p", "-c:a", "aac"]);
    for from in ["flv", "mkv", "mp4"] {
        let whole = name(&format!("whole.{from}"));
        ffmpeg_makes(&whole, &words);
        let all = frames(&whole);
        assert_eq!(all.len(), 300);
        for to in ["flv", "mkv", "mp4"] {
            let part = name(&format!("part of {from}.{to}"));
            let cut = ["--from", "5.3s", "--to", "8s", "--json"];
            let run = || {
                let mut onair = Command::new(env!("CARGO_BIN_EXE_onair"));
                onair.arg("remux").arg(&whole).arg(&part).args(cut).output().unwrap()
            };
            let ended = run();
            assert_eq!(ended.status.code(), Some(0), "{part:?}: {ended:?}");
            let event: Value = serde_json::from_slice(&ended.stdout).unwrap();
            let begins = event["from"].as_f64().unwrap();
            // FFmpeg's FLV files begin later, by the delay of their codecs.
            assert!((begins - 4.0).abs() < 0.1, "{part:?}: {event}");
            let kept = frames(&part);
            assert!(kept.len() >= 120 && all[120..].starts_with(&kept[..119]), "{part:?}");
            // After the end, only those frames that the last kept ones need.
            assert!(kept.len() <= 124, "{part:?}: {}", kept.len());
            assert_eq!(ffmpeg::decode(&part), "", "{part:?}");
            let (video, audio) = (times(&part, "video"), times(&part, "audio"));
            let apart = |at: f64, expected: f64| (at - expected).abs();
            assert!(
                apart(audio[0].0, video[0].0) < 0.03,
                "{part:?}: {:?}, {:?}",
                video[0],
                audio[0]
            );
            assert!(apart(audio.last().unwrap().0 - audio[0].0, 4.0) < 0.1, "{part:?}");
            // A file with this name exists now, and stays unchanged.
            let before = fs::read(&part).unwrap();
            assert_eq!(run().status.code(), Some(3), "{part:?}");
            assert!(fs::read(&part).unwrap() == before);
        }
    }
    let (whole, part) = (name("whole.mkv"), name("none.mkv"));
    let paths = [whole.to_str().unwrap(), part.to_str().unwrap()];
    for (cut, exit) in [(["--from", "5s", "--to", "5s"], 2), (["--from", "11s", "--to", "12s"], 3)]
    {
        let mut onair = Command::new(env!("CARGO_BIN_EXE_onair"));
        let ended = onair.arg("remux").args(paths).args(cut).arg("--json").output().unwrap();
        assert_eq!(ended.status.code(), Some(exit), "{cut:?}: {ended:?}");
        let summary: Value = serde_json::from_slice(&ended.stdout).unwrap();
        assert!(summary["event"] == "summary" && summary["exit"] == exit, "{cut:?}: {summary}");
        assert!(summary["error"].is_string(), "{cut:?}: {summary}");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(exit == 2 || said.contains("in the chosen time range"), "{said}");
        assert!(!part.exists());
    }
}

#[test]
fn frames_before_a_cut_stay_hidden() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name);
    let (whole, cut) = (name("whole.mp4"), name("cut.mp4"));
    // The only keyframe is before the cut, so that an edit list hides the first two seconds.
    let mut words = vec!["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=4"];
    words.extend(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=44100:duration=4"]);
    words.extend(["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "120"]);
    words.extend(["-pix_fmt", "yuv420p", "-c:a", "aac"]);
    ffmpeg_makes(&whole, &words);
    ffmpeg_makes(&cut, &["-ss", "2", "-i", whole.to_str().unwrap(), "-c", "copy"]);
    let found = mp4::index_to_play(&mut &fs::read(&cut).unwrap()[..]).unwrap();
    let from = found.shown_from.unwrap();
    let video = found.samples.iter().filter(|it| it.track == TrackId::Video);
    let (hidden, shown): (Vec<&SampleLocation>, Vec<&SampleLocation>) =
        video.partition(|it| it.pts < from);
    assert_eq!((hidden.len(), shown.len()), (60, 60));
    let audio = found.samples.iter().filter(|it| it.track != TrackId::Video);
    assert!((80..95).contains(&audio.count()));
    let copy = name("copy.mp4");
    remux(&cut, &copy, &|| false).unwrap();
    assert_eq!(frames(&cut).len(), 60);
    assert_eq!(frames(&copy), frames(&cut));
    // The other formats have no edit lists.
    for format in ["mkv", "flv"] {
        let failed = remux(&cut, &name(&format!("copy.{format}")), &|| false);
        assert!(matches!(failed, Err(Failure::Lacking { .. })), "{failed:?}");
    }
}

#[test]
fn two_audio_tracks_and_chapters_are_kept() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name);
    let film = Film::make();
    let mut tracks = Tracks::from(film.parameters.clone());
    tracks.audio.push(tracks.audio[0].clone());
    let mut samples = samples(&film);
    let second: Vec<_> = samples.iter().filter(|it| it.track == Track::Audio).cloned().collect();
    // The second track has every second packet only, so that its content differs.
    let track = TrackId::Audio(1).track();
    samples.extend(second.into_iter().step_by(2).map(|it| EncodedPacket { track, ..it }));
    samples.sort_by_key(|sample| (sample.dts, TrackId::from(sample.track)));
    let chapters = [Chapter::new(at(0), "Beginning"), Chapter::new(at(2_500), "中 Middle")];
    let first = name("first.mkv");
    fs::write(&first, build(Format::Mkv, &tracks, &samples, &chapters, true)).unwrap();
    let expected = hashes(&first);
    assert_eq!(expected.len(), 3);
    let mut last = first;
    for (n, format) in ["mp4", "flv", "mp4", "mkv"].into_iter().enumerate() {
        let next = name(&format!("{n}.{format}"));
        remux(&last, &next, &|| false).unwrap();
        if format != "flv" {
            assert_eq!(hashes(&next), expected, "{next:?}");
            assert_eq!(ffmpeg::decode(&next), "", "{next:?}");
            assert_eq!(ffmpeg::probe(&next).warnings, "");
            let found = chapters_of(&next);
            assert_eq!(found, [(0.0, "Beginning".to_owned()), (2.5, "中 Middle".to_owned())]);
        }
        last = next;
    }
}

/// The chapters that mpv finds in a file.
fn chapters_for_mpv(file: &Path) -> Vec<(f64, String)> {
    let words = ["--no-config", "--vo=null", "--ao=null", "--frames=1", "--really-quiet=no"];
    let show = "--term-playing-msg=CHAPTERS ${=chapter-list}";
    let mut peer = Peer::start("mpv", words.into_iter().chain([show, file.to_str().unwrap()]));
    peer.wait_success(LIMIT);
    let output = peer.output() + &peer.errors();
    let list = output.lines().find_map(|line| line.strip_prefix("CHAPTERS "));
    let list = list.unwrap_or_else(|| panic!("{output}"));
    let json: serde_json::Value = serde_json::from_str(list).unwrap_or_else(|_| panic!("{output}"));
    let one = |it: &serde_json::Value| {
        (it["time"].as_f64().unwrap(), it["title"].as_str().unwrap().to_owned())
    };
    json.as_array().unwrap().iter().map(one).collect()
}

#[test]
fn chapters_of_mp4_are_a_text_track_that_every_player_reads() {
    peers::require!("ffmpeg", "ffprobe", "mpv");
    let folder = tempfile::tempdir().unwrap();
    let name = |name: &str| folder.path().join(name);
    let film = Film::make();
    let tracks = Tracks::from(film.parameters.clone());
    let samples = samples(&film);
    for begin in [0, 1_250] {
        let expected = vec![
            (f64::from(begin) / 1_000.0, "Beginning".to_owned()),
            (2.5, "中 Middle".to_owned()),
            (3.75, "End".to_owned()),
        ];
        let chapters = expected
            .iter()
            .map(|(time, title)| Chapter::new(at((time * 1_000.0) as i64), title))
            .collect::<Vec<_>>();
        let ours = name(&format!("ours-{begin}.mp4"));
        let mut bytes = build(Format::Mp4, &tracks, &samples, &chapters, true);
        fs::write(&ours, &bytes).unwrap();
        let probe = ffmpeg::probe(&ours);
        assert_eq!(probe.warnings, "");
        // Video, audio, and the chapter titles, which FFmpeg takes for data.
        assert_eq!(probe.json["streams"].as_array().unwrap().len(), 3);
        assert_eq!(chapters_of(&ours), expected);
        assert_eq!(chapters_for_mpv(&ours), expected);
        // Without the older list, all three readers find the chapters in the track.
        let list = bytes.windows(4).position(|name| name == b"chpl").unwrap();
        bytes[list..list + 4].copy_from_slice(b"free");
        let alone = name(&format!("alone-{begin}.mp4"));
        fs::write(&alone, &bytes).unwrap();
        assert_eq!(chapters_of(&alone), expected);
        assert_eq!(chapters_for_mpv(&alone), expected);
        for format in ["mkv", "mp4", "flv"] {
            let to = name(&format!("to-{begin}.{format}"));
            remux(&alone, &to, &|| false).unwrap();
            if format == "flv" {
                let back = name(&format!("back-{begin}.mkv"));
                remux(&to, &back, &|| false).unwrap();
                assert_eq!(chapters_of(&back), expected);
            } else {
                assert_eq!(chapters_of(&to), expected, "{to:?}");
            }
        }
    }
    // QuickTime files have no such list.
    let words = "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1500\ntitle=One\n\
                 [CHAPTER]\nTIMEBASE=1/1000\nSTART=1500\nEND=4000\ntitle=Zwei ü\n";
    fs::write(name("chapters.txt"), format!(";FFMETADATA1\n{words}")).unwrap();
    let (from, list) = (name("ours-0.mp4"), name("chapters.txt"));
    let inputs = ["-i", from.to_str().unwrap(), "-i", list.to_str().unwrap()];
    let copy = ["-map", "0:v", "-map", "0:a", "-map_chapters", "1", "-c", "copy", "-f", "mov"];
    ffmpeg_makes(&name("foreign.mp4"), &[&inputs[..], &copy].concat());
    remux(&name("foreign.mp4"), &name("of-foreign.mkv"), &|| false).unwrap();
    let found = chapters_of(&name("of-foreign.mkv"));
    assert_eq!(found, [(0.0, "One".to_owned()), (1.5, "Zwei ü".to_owned())]);
}

fn chapters_of(file: &Path) -> Vec<(f64, String)> {
    let words = ["-v", "error", "-show_chapters", "-of", "json", file.to_str().unwrap()];
    let mut peer = Peer::start("ffprobe", words);
    peer.wait_success(LIMIT);
    let json: serde_json::Value = serde_json::from_str(&peer.output()).unwrap();
    let chapters = json["chapters"].as_array().unwrap();
    let one = |chapter: &serde_json::Value| {
        let start = chapter["start_time"].as_str().unwrap().parse().unwrap();
        (start, chapter["tags"]["title"].as_str().unwrap().to_owned())
    };
    chapters.iter().map(one).collect()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// The clip's packets with times that start at the file's zero.
fn samples(film: &Film) -> Vec<EncodedPacket> {
    let origin = film.packets().iter().find(|it| it.track == Track::Video).unwrap().dts;
    let kept = film.packets().iter().filter(|packet| packet.dts >= origin);
    let mut samples: Vec<_> = kept
        .map(|packet| EncodedPacket {
            dts: at(0) + packet.dts.since(origin),
            pts: at(0) + packet.pts.since(origin),
            ..packet.clone()
        })
        .collect();
    samples.sort_by_key(|sample| (sample.dts, TrackId::from(sample.track)));
    samples
}

fn muxer(format: Format, tracks: &Tracks) -> Box<dyn Muxer> {
    match format {
        Format::Flv => Box::new(flv::Recording::new(tracks.clone())),
        Format::Mp4 => Box::new(mp4::Writer::new(tracks.clone())),
        Format::Mkv => Box::new(mkv::Writer::new(tracks.clone())),
    }
}

/// A file that is flushed every half second; either finished, or as a crash leaves it.
fn build(
    format: Format,
    tracks: &Tracks,
    samples: &[EncodedPacket],
    chapters: &[Chapter],
    finish: bool,
) -> Vec<u8> {
    let mut muxer = muxer(format, tracks);
    let mut file = muxer.begin().to_vec();
    let mut apply = |piece: onair::wire::container::MuxerOutput| {
        file.extend_from_slice(&piece.append);
        for (at, bytes) in piece.patches {
            file[at as usize..at as usize + bytes.len()].copy_from_slice(&bytes);
        }
        file.len() as u64
    };
    let mut length = apply(Default::default());
    let mut chapters = chapters.iter().peekable();
    let mut flushed = at(0);
    for sample in samples {
        while let Some(chapter) = chapters.next_if(|chapter| chapter.at <= sample.dts) {
            muxer.write(&StreamEvent::Metadata(Metadata::Chapter(chapter.clone())));
        }
        if sample.dts.since(flushed).as_millis() >= 500 {
            length = apply(muxer.flush(length));
            muxer.commit();
            flushed = sample.dts;
        }
        muxer.write(&StreamEvent::Packet(sample.clone()));
    }
    length = apply(muxer.flush(length));
    muxer.commit();
    if finish {
        apply(muxer.finish(length, samples.last().unwrap().pts));
    }
    file
}

fn index(format: Format, mut bytes: &[u8]) -> Result<Index, onair::wire::container::Error> {
    match format {
        Format::Flv => flv::index(&mut bytes),
        Format::Mp4 => mp4::index(&mut bytes),
        Format::Mkv => mkv::index(&mut bytes),
    }
}

/// Pseudorandom numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn a_file_that_was_cut_anywhere_is_made_whole_with_all_that_was_whole() {
    peers::require!("ffmpeg", "ffprobe");
    let film = Film::make();
    let tracks = Tracks::from(film.parameters.clone());
    let samples = samples(&film);
    let folder = tempfile::tempdir().unwrap();
    for format in Format::ALL {
        let running = build(format, &tracks, &samples, &[Chapter::new(at(600), "one")], false);
        let head = muxer(format, &tracks).begin().len();
        let mut dice = Dice(7);
        for n in 0..200 {
            let cut = dice.below(running.len() + 1);
            let path: PathBuf = folder.path().join(format!("{n}.{format}"));
            fs::write(&path, &running[..cut]).unwrap();
            let repaired = repair(&path, &|_| false);
            if cut < head {
                assert!(repaired.is_err(), "{path:?} cut at {cut}");
                continue;
            }
            let Ok(report) = repaired else {
                let before = index(format, &running[..cut]).unwrap();
                assert!(before.whole as usize <= head + 64, "{path:?} cut at {cut}: {repaired:?}");
                continue;
            };
            assert_eq!((report.how, &report.path), (RepairMethod::InPlace, &path));
            let bytes = fs::read(&path).unwrap();
            let found = index(format, &bytes).unwrap();
            assert!(found.finished, "{path:?} cut at {cut}");
            assert_eq!(found.samples.len(), report.packets);
            // At most one fragment of half a second is lost.
            let last = found.samples.iter().map(|it| it.dts).max().unwrap();
            let cut_at = index(format, &running[..cut]).unwrap().samples.len();
            assert!(cut_at - found.samples.len() <= 45, "{path:?} cut at {cut}: {last:?}");
            for (place, sample) in found.samples.iter().zip(&samples) {
                let data = &bytes[place.at as usize..place.at as usize + place.size as usize];
                assert_eq!(
                    (place.track.track(), data),
                    (sample.track, &sample.data[..]),
                    "{path:?}"
                );
            }
            // A second repair has nothing to do.
            assert_eq!(repair(&path, &|_| false).unwrap().how, RepairMethod::Whole, "{path:?}");
            assert_eq!(fs::read(&path).unwrap(), bytes);
            if n % 40 == 0 || cut == running.len() {
                assert_eq!(ffmpeg::probe(&path).warnings, "", "{path:?} cut at {cut}");
                assert_eq!(ffmpeg::decode(&path), "", "{path:?} cut at {cut}");
            }
        }
    }
}

/// A Matroska file that lost its end after it was finished, as in an interrupted copy. Its header
/// says where it ended.
#[test]
fn a_finished_matroska_file_that_lost_its_end_is_not_called_whole() {
    peers::require!("ffmpeg", "ffprobe");
    let film = Film::make();
    let tracks = Tracks::from(film.parameters.clone());
    let samples = samples(&film);
    let folder = tempfile::tempdir().unwrap();
    let chapters = [Chapter::new(at(600), "one")];
    let whole = build(Format::Mkv, &tracks, &samples, &chapters, true);
    let path = folder.path().join("show.mkv");
    fs::write(&path, &whole).unwrap();
    assert_eq!(repair(&path, &|_| false).unwrap().how, RepairMethod::Whole);
    let copy = remux(&path, &folder.path().join("copy.mp4"), &|| false).unwrap();
    assert_eq!(copy.cut, 0, "the index at the end is not damaged");
    for cut in [whole.len() - 1, whole.len() - 200, whole.len() * 3 / 4, whole.len() / 2] {
        fs::write(&path, &whole[..cut]).unwrap();
        assert!(!index(Format::Mkv, &whole[..cut]).unwrap().finished, "cut at {cut}");
        let report = repair(&path, &|_| false).unwrap();
        assert_eq!((report.how, &report.path), (RepairMethod::InPlace, &path), "cut at {cut}");
        let found = index(Format::Mkv, &fs::read(&path).unwrap()).unwrap();
        assert!(found.finished && found.samples.len() == report.packets, "cut at {cut}");
        assert_eq!(ffmpeg::probe(&path).warnings, "", "cut at {cut}");
        assert_eq!(ffmpeg::decode(&path), "", "cut at {cut}");
        assert_eq!(repair(&path, &|_| false).unwrap().how, RepairMethod::Whole, "cut at {cut}");
    }
}

/// An MP4 file whose index was at its lost end, as in an interrupted download.
#[test]
fn a_file_that_repair_cannot_repair_is_not_advised_to_be_repaired() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.mp4");
    let words = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30:duration=2", "-c:v"];
    ffmpeg_makes(&path, &[&words[..], &["libx264", "-pix_fmt", "yuv420p"]].concat());
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let failure = repair(&path, &|_| false).unwrap_err();
    let advice = Language::English.cure(&Problem::from(&failure)).unwrap();
    assert!(advice.contains("cannot repair"), "{failure}: {advice}");
    let failure = repair(folder.path(), &|_| false).unwrap_err();
    assert!(failure.to_string().ends_with("the path points to a folder, not a file"), "{failure}");
}

#[test]
fn files_that_lie_are_read_without_harm() {
    peers::require!("ffmpeg");
    let film = Film::make();
    let tracks = Tracks::from(film.parameters.clone());
    let samples: Vec<_> = samples(&film).into_iter().take(60).collect();
    let mut dice = Dice(11);
    for format in Format::ALL {
        for finish in [false, true] {
            let file = build(format, &tracks, &samples, &[Chapter::new(at(0), "x")], finish);
            for _ in 0..3_000 {
                let mut bytes = file.clone();
                for _ in 0..=dice.below(4) {
                    // Mostly in the first and last bytes, where the structure is.
                    let room =
                        if dice.below(2) == 0 { bytes.len() } else { bytes.len().min(1_500) };
                    let place = dice.below(room);
                    let place = if dice.below(3) == 0 { bytes.len() - 1 - place } else { place };
                    bytes[place] = [0, 1, 0x7F, 0x80, 0xFF, dice.below(256) as u8][dice.below(6)];
                }
                if let Ok(index) = index(format, &bytes) {
                    let inside = |it: &onair::wire::container::SampleLocation| {
                        it.at + u64::from(it.size) <= bytes.len() as u64
                    };
                    assert!(index.samples.iter().all(inside));
                }
            }
        }
    }
}
