//! Tests of a saved stream whose disk becomes full.

use std::fs::{self, OpenOptions};

use super::*;
use crate::base::Clock;
use crate::player::session::config::{Config, Source};
use crate::wire::amf0::Value;
use crate::wire::container::flv::Demuxer;
use crate::wire::container::flv::metadata::parse_script;

/// Adds audio tags, one every 20 ms. They are written ten seconds later, because there is no video.
fn add_audio(save: &mut Save, shared: &Shared, millis: std::ops::RangeInclusive<u32>) {
    let mut reader = flv::Reader::new(|_| true);
    for time_ms in millis.step_by(20) {
        let (kind, body) = (TagKind::Audio, Bytes::from_static(&[0xAF, 1, 2]));
        let read = reader.read(Tag { kind, time_ms, body });
        save.add_tag(shared, &read, Timestamp::ZERO);
    }
}

#[test]
fn a_full_disk_ends_a_file_after_a_complete_tag_with_its_duration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.flv");
    let config = Config::new(Source::Url("http://host/live.flv".into()));
    let (shared, _events) = Shared::new(&config, Clock::start());
    let mut save = Save::into_file(make(&path).unwrap(), false);
    save.free_space = |_| Some(with_recording_reserve(0));
    save.add_header(&shared, TagKind::Audio, &Bytes::from_static(&[0xAF, 0, 0x11, 0x90]));
    add_audio(&mut save, &shared, 0..=20_000);
    assert!(shared.report.output_failure.lock().is_none());
    // The space is checked every two seconds, and the file has a part of a tag at its end.
    save.free_space = |_| Some(with_recording_reserve(0) - 1);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(&[0; 4_096]).unwrap();
    add_audio(&mut save, &shared, 20_020..=30_000);
    assert!(shared.report.output_failure.lock().is_some());
    save.finish(&shared);
    let file = fs::read(&path).unwrap();
    let index = flv::index(&mut &file[..]).unwrap();
    assert_eq!((index.finished, index.whole), (true, file.len() as u64));
    let mut demuxer = Demuxer::new();
    demuxer.push(&file);
    let first = demuxer.next_tag().unwrap().unwrap();
    let last = std::iter::from_fn(|| demuxer.next_tag().unwrap()).last().unwrap();
    let metadata = parse_script(&first.body).unwrap().unwrap();
    let duration = Duration::from_millis(11_980);
    assert_eq!(metadata.get("duration"), Some(&Value::Number(duration.as_secs_f64())));
    assert_eq!(Duration::from_millis(last.time_ms.into()), duration);
}

#[test]
fn metadata_that_the_disk_did_not_take_gets_no_duration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("saved.flv");
    let config = Config::new(Source::Url("http://host/live.flv".into()));
    let (shared, _events) = Shared::new(&config, Clock::start());
    let mut save = Save::into_file(make(&path).unwrap(), false);
    save.durations.reserve(&bare_metadata(), save.end + TAG_HEADER_BYTES as u64);
    save.give_up(&shared, &io::ErrorKind::StorageFull.into());
    assert_eq!(fs::read(&path).unwrap().len() as u64, save.end);
}
