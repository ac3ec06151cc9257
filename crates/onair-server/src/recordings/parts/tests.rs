//! Tests of the writer of split recordings.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::*;
use crate::server::recordings::file::CreatedHook;
use crate::server::recordings::name::RecordedStream;
use crate::wire::amf0::Value;
use crate::wire::codec::h264::DecoderConfig;
use crate::wire::container::flv::metadata::{is_metadata, parse_script};
use crate::wire::container::flv::{self, write_tag};
use crate::wire::container::{SampleLocation, TrackId, mp4};

const AVC_SEQUENCE_HEADER: [u8; 5] = [0x17, 0, 0, 0, 0];

fn tag(kind: TagKind, time_ms: u32, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    write_tag(kind, time_ms, body, &mut out);
    out.freeze()
}

fn frame(time_ms: u32, is_key: bool) -> Bytes {
    let mut body = vec![if is_key { 0x17 } else { 0x27 }, 1, 0, 0, 0];
    body.resize(1_000, 7);
    tag(TagKind::Video, time_ms, &body)
}

fn writer(folder: &Path, rules: FileRules) -> PartsWriter {
    let stream = RecordedStream { app: "live".to_owned(), stream: "show".to_owned() };
    let created = CreatedHook(Arc::new(|_| {}));
    let (folder, disk) = (folder.to_owned(), Arc::default());
    let task = RecordingTask { folder, stream, rules, created, disk };
    PartsWriter::create(task).unwrap()
}

fn finished(events: &[PartEvent]) -> impl Iterator<Item = &PartFigures> {
    events.iter().filter_map(|event| match event {
        PartEvent::Finished(figures) => Some(figures),
        _ => None,
    })
}

/// Returns the times of the frames in each file, in order.
fn frames(events: &[PartEvent]) -> Vec<Vec<u32>> {
    let read = |figures: &PartFigures| {
        let mut demuxer = flv::Demuxer::new();
        let bytes = fs::read(&figures.path).unwrap();
        assert_eq!(figures.bytes, bytes.len() as u64);
        demuxer.push(&bytes);
        let mut times = Vec::new();
        while let Some(tag) = demuxer.next_tag().unwrap() {
            match (tag.kind, tag.body[1]) {
                (TagKind::Script, _) => {
                    assert!(is_metadata(&tag.body) || tag.body[..] == [2, 0]);
                }
                (_, 0) => assert!(tag.body.starts_with(&AVC_SEQUENCE_HEADER)),
                _ => {
                    let is_first = tag.body[0] == 0x17 && tag.time_ms == 0;
                    assert_eq!(times.is_empty(), is_first);
                    times.push(tag.time_ms);
                }
            }
        }
        times
    };
    finished(events).map(read).collect()
}

#[test]
fn a_file_begins_at_a_keyframe_and_no_frame_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let time = Some(Duration::from_millis(1_500));
    let rules = FileRules { split_time: time, ..FileRules::default() };
    let mut writer = writer(folder.path(), rules);
    // The publisher's times do not begin at zero, and wrap around.
    let start = u32::MAX - 1_000;
    let head = [tag(TagKind::Script, 0, &[2, 0]), tag(TagKind::Video, 0, &AVC_SEQUENCE_HEADER)];
    writer.write(&head).unwrap();
    for number in 0..100 {
        let time_ms = start.wrapping_add(number * 40);
        writer.write(&[frame(time_ms, number == 0 || number % 50 == 0)]).unwrap();
    }
    // A repeated config does not begin a new file.
    writer.write(&[tag(TagKind::Video, 0, &AVC_SEQUENCE_HEADER)]).unwrap();
    writer.finish().unwrap();
    let events = writer.take_events();
    let first = |event: &PartEvent| matches!(event, PartEvent::Begun(_));
    assert_eq!(events.iter().filter(|event| first(event)).count(), 2);
    let half: Vec<u32> = (0..50).map(|number| number * 40).collect();
    assert_eq!(frames(&events), [half.clone(), half]);
}

#[test]
fn a_stream_whose_times_begin_again_is_recorded_with_increasing_times() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(folder.path(), FileRules::default());
    writer.write(&[tag(TagKind::Video, 0, &AVC_SEQUENCE_HEADER)]).unwrap();
    for begin in [3_600_000, 0] {
        for number in 0..10 {
            writer.write(&[frame(begin + number * 40, number == 0)]).unwrap();
        }
    }
    writer.finish().unwrap();
    let begun_again = (0..10).map(|number| 380 + number * 40);
    let expected: Vec<u32> = (0..10).map(|number| number * 40).chain(begun_again).collect();
    assert_eq!(writer.figures().after.as_millis(), 740);
    assert_eq!(frames(&writer.take_events()), [expected]);
}

#[test]
fn a_file_stays_below_its_size() {
    let folder = tempfile::tempdir().unwrap();
    let rules = FileRules { split_bytes: Some(25_000), ..FileRules::default() };
    let mut writer = writer(folder.path(), rules);
    writer.write(&[tag(TagKind::Video, 0, &AVC_SEQUENCE_HEADER)]).unwrap();
    for number in 0..100 {
        writer.write(&[frame(number * 40, number % 10 == 0)]).unwrap();
    }
    writer.finish().unwrap();
    let all = frames(&writer.take_events());
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [20; 5]);
}

#[test]
fn a_file_stays_short_enough_to_be_played() {
    for format in [Format::Flv, Format::Mp4] {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(folder.path(), FileRules { format, ..FileRules::default() });
        writer.max_samples = 100;
        writer.write(&[audio(0, 0, true), audio(3, 0, true)]).unwrap();
        for number in 0..125 {
            let at = number * 1_024 / 48;
            writer.write(&[audio(0, at, false), audio(3, at, false)]).unwrap();
        }
        writer.finish().unwrap();
        assert_eq!(finished(&writer.take_events()).count(), 3, "{format}");
    }
}

#[test]
fn another_config_begins_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(folder.path(), FileRules::default());
    let head = tag(TagKind::Video, 0, &AVC_SEQUENCE_HEADER);
    writer.write(&[head, frame(0, true), frame(40, false)]).unwrap();
    let other = [&AVC_SEQUENCE_HEADER[..], &[1]].concat();
    writer.write(&[tag(TagKind::Video, 80, &other), frame(80, true)]).unwrap();
    writer.finish().unwrap();
    let begun = |event: &PartEvent| matches!(event, PartEvent::Begun(_));
    assert_eq!(writer.take_events().into_iter().filter(begun).count(), 2);
}

#[test]
fn the_end_of_the_video_begins_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let split_time = Some(Duration::from_secs(1));
    let mut writer = writer(folder.path(), FileRules { split_time, ..FileRules::default() });
    writer.write(&[tag(TagKind::Video, 0, &AVC_SEQUENCE_HEADER), frame(0, true)]).unwrap();
    let end = tag(TagKind::Video, 2_000, &[0x17, 2, 0, 0, 0]);
    writer.write(&[frame(1_960, false), end]).unwrap();
    writer.finish().unwrap();
    let events = writer.take_events();
    let begun = |event: &&PartEvent| matches!(event, PartEvent::Begun(_));
    assert_eq!(events.iter().filter(begun).count(), 1);
}

/// Records three seconds of one kind of media, and then three seconds of both kinds, every 100 ms. Returns the number
/// of frames and of audio packets in each file.
fn with_late_track(format: Format, late: TagKind) -> Vec<[usize; 2]> {
    const FRAME: &[u8] = b"\x91vp09a frame";
    const AUDIO: &[u8] = b"\xAF\x01a sample";
    let folder = tempfile::tempdir().unwrap();
    let mut writer = writer(folder.path(), FileRules { format, ..FileRules::default() });
    let video_config: &[u8] = b"\x90vp09\x01\0\0\0\0\x0A\x82\x02\x02\x02\0\0";
    let audio_config: &[u8] = &[0xAF, 0, 0x11, 0x90];
    let kinds = [(TagKind::Video, video_config, FRAME), (TagKind::Audio, audio_config, AUDIO)];
    for number in 0..60 {
        let at = number * 100;
        let mut tags = Vec::new();
        for (kind, config, media) in kinds {
            let first = if kind == late { 30 } else { 0 };
            tags.extend((number == first).then(|| tag(kind, at, config)));
            tags.extend((number >= first).then(|| tag(kind, at, media)));
        }
        writer.write(&tags).unwrap();
    }
    writer.finish().unwrap();
    let counts = |figures: &PartFigures| {
        let bytes = fs::read(&figures.path).unwrap();
        [b"a frame".as_slice(), b"a sample"]
            .map(|media| bytes.windows(media.len()).filter(|it| *it == media).count())
    };
    finished(&writer.take_events()).map(counts).collect()
}

#[test]
fn a_late_track_begins_a_file() {
    for format in [Format::Mp4, Format::Flv] {
        let files = with_late_track(format, TagKind::Video);
        assert_eq!(files, [[0, 30], [30, 30]], "{format:?}");
        // A file begins with a frame. FLV keeps the audio before it.
        let files = with_late_track(format, TagKind::Audio);
        let early = usize::from(format == Format::Flv);
        assert_eq!(files, [[31, early], [29, 29]], "{format:?}");
    }
}

/// Returns a tag of an audio track (Enhanced RTMP v2): AAC of one track with this id.
fn audio(track: u8, time_ms: u32, is_config: bool) -> Bytes {
    let data: &[u8] = if is_config { &[0x11, 0x90] } else { &[1, 2, 3] };
    let body = match (track, is_config) {
        (0, _) => [&[0xAF, u8::from(!is_config)], data].concat(),
        _ => [&[0x95, u8::from(!is_config)], &b"mp4a"[..], &[track], data].concat(),
    };
    tag(TagKind::Audio, time_ms, &body)
}

/// Writes a stream to files of a minute. Returns each file's duration in seconds, and whether it announces video.
fn files(seconds: impl Iterator<Item = Vec<Bytes>>) -> Vec<(u64, bool)> {
    let folder = tempfile::tempdir().unwrap();
    let time = Some(Duration::from_mins(1));
    let mut writer = writer(folder.path(), FileRules { split_time: time, ..FileRules::default() });
    writer.write(&[tag(TagKind::Video, 0, &AVC_SEQUENCE_HEADER), audio(0, 0, true)]).unwrap();
    seconds.for_each(|tags| writer.write(&tags).unwrap());
    writer.finish().unwrap();
    let events = writer.take_events().into_iter();
    let file = |event| match event {
        PartEvent::Finished(figures) => {
            let bytes = fs::read(figures.path).unwrap();
            let has_config = bytes.windows(5).any(|it| it == AVC_SEQUENCE_HEADER);
            assert_eq!(has_config, bytes[4] & 1 != 0, "as in the header");
            Some((figures.after.as_secs(), has_config))
        }
        _ => None,
    };
    events.filter_map(file).collect()
}

#[test]
fn files_begin_with_audio_after_the_video_has_ended() {
    let seconds = (0..201).map(|second| match second {
        0 | 200 => vec![frame(second * 1_000, true), audio(0, second * 1_000, false)],
        _ => vec![audio(0, second * 1_000, false)],
    });
    assert_eq!(files(seconds), [(59, true), (59, false), (59, false), (19, false), (0, true)]);
}

#[test]
fn files_begin_with_a_keyframe_if_the_audio_is_ahead_of_the_video() {
    let seconds = (0..200).map(|second| {
        let (at, is_key) = (second * 1_000, second % 20 == 0);
        vec![frame(at, is_key), audio(0, at + 30_000, false)]
    });
    assert_eq!(files(seconds), [89, 89, 89, 49].map(|lasted| (lasted, true)));
}

#[test]
fn mp4_has_all_audio_tracks_from_the_file_in_which_they_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let rules = FileRules { format: Format::Mp4, ..FileRules::default() };
    let mut writer = writer(folder.path(), rules);
    writer.write(&[audio(0, 0, true), audio(3, 0, true)]).unwrap();
    for number in 0..100 {
        let at = number * 1_024 / 48;
        writer.write(&[audio(0, at, false), audio(3, at, false)]).unwrap();
    }
    // Another track begins another file, because a file cannot get a track later.
    writer.write(&[audio(9, 2_133, true)]).unwrap();
    for number in 100..200 {
        let at = number * 1_024 / 48;
        writer.write(&[0, 3, 9].map(|track| audio(track, at, false))).unwrap();
    }
    writer.finish().unwrap();
    let counts: Vec<Vec<usize>> = finished(&writer.take_events())
        .map(|figures| {
            let bytes = fs::read(&figures.path).unwrap();
            let index = mp4::index(&mut &bytes[..]).unwrap();
            assert!(index.tracks.audio.iter().all(|it| it.config.sample_rate == 48_000));
            let of = |track| index.samples.iter().filter(|it| it.track == track).count();
            let tracks = 0..index.tracks.audio.len() as u8;
            tracks.map(|number| of(TrackId::Audio(number))).collect()
        })
        .collect();
    assert_eq!(counts, [vec![100; 2], vec![100; 3]]);
}

/// Returns the only finished file, and its samples.
fn only_mp4(events: &[PartEvent]) -> (PartFigures, Vec<SampleLocation>) {
    let mut finished = finished(events);
    let (figures, next) = (finished.next().unwrap().clone(), finished.next());
    assert_eq!(next, None);
    let bytes = fs::read(&figures.path).unwrap();
    let index = mp4::index(&mut &bytes[..]).unwrap();
    (figures, index.samples)
}

#[test]
fn mp4_has_no_gap_if_the_times_of_one_track_begin_again_before_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let rules = FileRules { format: Format::Mp4, ..FileRules::default() };
    let mut writer = writer(folder.path(), rules);
    let times = |begin: u32| (0..50).map(move |number| begin + number * 1_024 / 48);
    writer.write(&[audio(0, 0, true), audio(3, 0, true)]).unwrap();
    for time_ms in times(3_600_000) {
        writer.write(&[audio(0, time_ms, false), audio(3, time_ms, false)]).unwrap();
    }
    // The first track begins again, before the last audio of the other track.
    writer.write(&[audio(0, 0, false), audio(3, 3_601_066, false)]).unwrap();
    for time_ms in times(0).skip(1) {
        writer.write(&[audio(0, time_ms, false), audio(3, time_ms, false)]).unwrap();
    }
    writer.finish().unwrap();
    let (figures, samples) = only_mp4(&writer.take_events());
    let end = samples.iter().map(|it| it.dts.as_millis()).max().unwrap();
    assert!((2_050..2_150).contains(&end), "{end}");
    assert!((2_050..2_150).contains(&figures.after.as_millis()), "{:?}", figures.after);
    assert_eq!(samples.len(), 200);
}

#[test]
fn mp4_keeps_its_tracks_in_sync_after_one_wrong_time() {
    let folder = tempfile::tempdir().unwrap();
    let rules = FileRules { format: Format::Mp4, ..FileRules::default() };
    let mut writer = writer(folder.path(), rules);
    writer.write(&[audio(0, 0, true), audio(3, 0, true)]).unwrap();
    for number in 0..100 {
        let at = number * 1_024 / 48;
        let wrong = if number == 60 { 3_600_000 } else { at };
        writer.write(&[audio(0, wrong, false), audio(3, at, false)]).unwrap();
    }
    writer.finish().unwrap();
    let (_, samples) = only_mp4(&writer.take_events());
    let ends = [0, 1].map(|number| {
        let of_track = samples.iter().filter(|it| it.track == TrackId::Audio(number));
        let times: Vec<_> = of_track.map(|it| it.dts.as_millis()).collect();
        assert!(times.len() == 100 && times.is_sorted_by(|a, b| a < b), "{times:?}");
        times[99]
    });
    assert!((ends[0] - ends[1]).abs() < 100, "{ends:?}");
}

#[test]
fn a_file_without_media_is_removed() {
    for format in [Format::Mp4, Format::Flv] {
        let folder = tempfile::tempdir().unwrap();
        let rules = FileRules { format, ..FileRules::default() };
        let mut writer = writer(folder.path(), rules);
        writer.write(&[metadata(100.0), tag(TagKind::Video, 0, &AVC_SEQUENCE_HEADER)]).unwrap();
        writer.finish().unwrap();
        assert!(matches!(writer.take_events()[..], [PartEvent::Empty(_)]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{format:?}");
    }
}

/// Returns metadata in which the publisher declares a duration.
fn metadata(seconds: f64) -> Bytes {
    let value =
        Value::ecma_array([("duration", Value::Number(seconds)), ("width", Value::Number(640.0))]);
    tag(TagKind::Script, 0, &flv::metadata_body(&value))
}

/// Writes 3 s of video to files of 2 s. Returns the duration and the width that each file declares.
fn declared(metadata: Bytes) -> Vec<(Option<f64>, Option<f64>)> {
    let folder = tempfile::tempdir().unwrap();
    let time = Some(Duration::from_secs(2));
    let rules = FileRules { split_time: time, ..FileRules::default() };
    let mut writer = writer(folder.path(), rules);
    writer.write(&[metadata, tag(TagKind::Video, 0, &AVC_SEQUENCE_HEADER)]).unwrap();
    for number in 0..75 {
        writer.write(&[frame(number * 40, number % 25 == 0)]).unwrap();
    }
    writer.finish().unwrap();
    finished(&writer.take_events()).map(|figures| declared_in(&figures.path)).collect()
}

/// Returns the duration and the width that an FLV file declares.
fn declared_in(path: &Path) -> (Option<f64>, Option<f64>) {
    let mut demuxer = flv::Demuxer::new();
    demuxer.push(&fs::read(path).unwrap());
    let first = demuxer.next_tag().unwrap().unwrap();
    let value = parse_script(&first.body).unwrap().unwrap();
    (value.get_number("duration"), value.get_number("width"))
}

#[test]
fn flv_files_declare_their_own_duration_instead_of_that_of_the_publisher() {
    let expected = [(Some(1.96), Some(640.0)), (Some(0.96), Some(640.0))];
    assert_eq!(declared(metadata(100.0)), expected);
    // An origin removes the duration of its publisher.
    let live = Value::ecma_array([("width", Value::Number(640.0))]);
    let live = tag(TagKind::Script, 0, &flv::metadata_body(&live));
    assert_eq!(declared(live), expected);
    // Without metadata, the recorder writes it.
    let other = tag(TagKind::Script, 0, &[2, 0]);
    assert_eq!(declared(other), [(Some(1.96), None), (Some(0.96), None)]);
}

#[test]
fn a_file_is_completed_when_the_disk_is_full() {
    for format in [Format::Mp4, Format::Flv] {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(folder.path(), FileRules { format, ..FileRules::default() });
        writer.write(&[audio(0, 0, true)]).unwrap();
        let tags: Vec<_> = (0..20).map(|number| audio(0, number * 100, false)).collect();
        writer.write(&tags).unwrap();
        writer.file.fill_disk();
        let error = writer.write(&[audio(0, 2_000, false)]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        let path = writer.figures().path;
        if format == Format::Flv {
            assert_eq!(declared_in(&path).0, Some(2.0));
            continue;
        }
        let index = mp4::index(&mut &fs::read(&path).unwrap()[..]).unwrap();
        assert_eq!((index.finished, index.samples.len()), (true, 21));
    }
}

/// Returns a config of 1280x720 with one of two levels.
fn avc_config(number: u32) -> Vec<u8> {
    let level = if number == 0 { 31 } else { 40 };
    let sps = [0x67, 66, 0xC0, level, 0xDA, 0x01, 0x40, 0x16, 0xE4];
    let [sps, pps] = [&sps[..], &[0x68, 0xCE, 0x38, 0x80]].map(Bytes::copy_from_slice);
    let config = DecoderConfig::new(sps, pps).unwrap().build().unwrap();
    [&AVC_SEQUENCE_HEADER[..], &config].concat()
}

#[test]
fn a_publisher_that_keeps_changing_its_config_gets_few_files_and_loses_no_frame() {
    for format in [Format::Flv, Format::Mp4] {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = writer(folder.path(), FileRules { format, ..FileRules::default() });
        for number in 0..300 {
            let config = avc_config(number % 2);
            writer.write(&[tag(TagKind::Video, number, &config), frame(number, true)]).unwrap();
        }
        writer.finish().unwrap();
        let events = writer.take_events();
        assert!(events.contains(&PartEvent::Flood));
        // Writing them takes a moment, in which a file or two more are due.
        let files = finished(&events).count();
        assert!((1..40).contains(&files), "{format:?}: {files}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), files, "{format:?}");
    }
}
