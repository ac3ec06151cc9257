//! Tests of the recordings that are being watched.

use std::io::{Seek as _, Write as _};
use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::media::{EncodedPacket, StreamEvent, Track};
use crate::net::Runtime;
use crate::server::access::grant::AdmittedViewer;
use crate::server::hls::viewers::ViewerLimit;
use crate::wire::container::Muxer;
use crate::wire::container::flv::{TagKind, file_header, write_tag};
use crate::wire::container::mp4::Writer;
use crate::wire::container::mp4::live::simulated::aac;

const VIEWER_KEY: ViewerKey =
    ViewerKey { address: IpAddr::V4(Ipv4Addr::LOCALHOST), client_hash: 1, protocol: Protocol::Hls };

/// Adds a recording with this viewer. Returns the recording, and the viewers of displaced
/// recordings.
fn add(
    open: &OpenRecordings,
    number: usize,
    viewer: Option<u64>,
    now: Timestamp,
) -> (Arc<OpenRecording>, Vec<(String, u64)>) {
    let path = PathBuf::from(format!("/r/live-{number} 2026-11-25 18-00-00.mp4"));
    let recording = OpenRecording::new(path, tempfile::tempfile().unwrap()).unwrap();
    let recording = open.add(recording);
    if let Some(id) = viewer {
        let peer = SocketAddr::new(VIEWER_KEY.address, 5);
        let viewer = AdmittedViewer { id, done: None, expelled: 0 };
        let limit = ViewerLimit { most: 9, others: 0, is_shared: false };
        recording.viewers.lock().note(VIEWER_KEY, peer, viewer, limit, now).unwrap();
    }
    let left = open.remember(&recording, now);
    (recording, left.into_iter().map(|(name, viewer)| (name, viewer.id)).collect())
}

#[test]
fn a_recording_that_another_client_is_reading_is_not_forgotten() {
    let (runtime, open) = (Runtime::start().unwrap(), OpenRecordings::default());
    let (clock, folder) = (Clock::start(), tempfile::tempdir().unwrap());
    let path = folder.path().join("live-show 2026-11-25 18-00-00.mp4");
    let file = File::create(&path).unwrap();
    let recording = open.add(OpenRecording::new(path.clone(), file).unwrap());
    let is_known = || open.all().iter().any(|it| Arc::ptr_eq(it, &recording));
    let (reading, since) = (recording.file.lock(), clock.now());
    let opened = runtime.block_on(open.open(&path, clock, || false));
    assert!(matches!(opened, Err(OpenError::Busy)), "{opened:?}");
    assert!(is_known() && recording.used.load(Ordering::Acquire) >= since.as_micros());
    drop(reading);
    // The file is empty.
    let opened = runtime.block_on(open.open(&path, clock, || false));
    assert!(matches!(opened, Err(OpenError::Unreadable(_))), "{opened:?}");
    assert!(!is_known());
}

#[test]
fn a_finished_recording_with_too_many_samples_is_refused() {
    let (at, data) = (Timestamp::ZERO, Bytes::from_static(b"a"));
    let packet = EncodedPacket::received(Track::Audio, (at, at), true, data);
    let mut writer = Writer::new(live::tracks(None, Some(&aac())));
    let mut bytes = writer.begin().to_vec();
    writer.write(&StreamEvent::Packet(packet));
    bytes.extend(writer.flush(bytes.len() as u64).append);
    writer.commit();
    bytes.extend(writer.finish(bytes.len() as u64, Timestamp::from_millis(21)).append);
    let sizes = bytes.windows(4).rposition(|name| name == b"stsz").unwrap();
    let count = u32::try_from(MAX_SAMPLES + 1).unwrap();
    bytes[sizes + 12..sizes + 16].copy_from_slice(&count.to_be_bytes());
    let file = tempfile::tempfile().unwrap();
    let newest = file.try_clone().unwrap();
    (&file).write_all(&bytes).unwrap();
    (&file).rewind().unwrap();
    // Other readers accept even more samples in a file of this size.
    file.set_len(20 * MAX_SAMPLES as u64).unwrap();
    let path = PathBuf::from("/r/live-show 2026-11-25 18-00-00.mp4");
    let recording = OpenRecording::new(path, file).unwrap();
    let read = recording.refresh(newest, Timestamp::from_millis(1_000), || false);
    let too_much = OpenError::Unreadable(Error::TooMuch(FilePart::Samples));
    assert_eq!(format!("{read:?}"), format!("{:?}", Err::<(), _>(too_much)));
}

#[test]
fn a_growing_recording_with_too_many_samples_plays_up_to_the_limit() {
    let mut bytes = bytes::BytesMut::from(&file_header(true, true)[..]);
    write_tag(TagKind::Audio, 0, &[0xAF, 0, 0x11, 0x90], &mut bytes);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("live-show 2026-11-25 18-00-00.flv");
    std::fs::write(&path, &bytes).unwrap();
    let recording = OpenRecording::new(path.clone(), File::open(&path).unwrap()).unwrap();
    recording.file.lock().max_samples = 1_500;
    let mut counts = Vec::new();
    for (step, is_writing) in [true, true, true, false].into_iter().enumerate() {
        for packet in step as u32 * 1_000..(step as u32 + 1) * 1_000 {
            write_tag(TagKind::Audio, packet * 20, &[0xAF, 1, 0x21, 0x10], &mut bytes);
        }
        // Like the recorder, this changes the file in place.
        let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.write_all(&bytes).unwrap();
        let now = Timestamp::from_millis(step as i64 * 1_000);
        recording.refresh(folder::open(&path).unwrap(), now, || is_writing).unwrap();
        let segment = recording.read_segment(RecordedTracks::All, 0).unwrap();
        assert!(segment.is_some_and(|it| !it.is_empty()), "{step}");
        assert!(recording.file.lock().growing.as_mut().unwrap().index().samples.is_empty());
        let content = recording.content();
        counts.push((content.index.audio.samples.len(), content.ended));
    }
    assert_eq!(counts, [(1_000, false), (1_000, false), (1_000, false), (1_000, true)]);
}

/// Makes a recording with this number of AAC packets.
fn audio_file(packets: i64) -> Vec<u8> {
    let mut writer = Writer::new(live::tracks(None, Some(&aac())));
    let mut bytes = writer.begin().to_vec();
    for number in 0..packets {
        let (at, data) = (Timestamp::from_millis(number * 20), Bytes::from_static(b"a"));
        let packet = EncodedPacket::received(Track::Audio, (at, at), true, data);
        writer.write(&StreamEvent::Packet(packet));
    }
    bytes.extend(writer.flush(bytes.len() as u64).append);
    writer.commit();
    let end = Timestamp::from_millis(packets * 20);
    let end = writer.finish(bytes.len() as u64, end);
    bytes.extend(end.append);
    for (at, patch) in end.patches {
        let at = at as usize;
        bytes[at..at + patch.len()].copy_from_slice(&patch);
    }
    bytes
}

#[test]
fn a_replaced_file_is_read_again() {
    let (runtime, open) = (Runtime::start().unwrap(), OpenRecordings::default());
    let (clock, folder) = (Clock::start(), tempfile::tempdir().unwrap());
    let path = folder.path().join("live-show 2026-11-25 18-00-00.mp4");
    let opened = || runtime.block_on(open.open(&path, clock, || false)).unwrap().0;
    std::fs::write(&path, audio_file(10)).unwrap();
    let recording = opened();
    let count = || recording.content().index.audio.samples.len();
    assert_eq!((count(), Arc::ptr_eq(&recording, &opened())), (10, true));
    let version = recording.content().version;
    // Another file takes its name, and is then written again.
    for packets in [20, 30] {
        if packets == 20 {
            std::fs::rename(&path, folder.path().join("old.mp4")).unwrap();
        }
        std::fs::write(&path, audio_file(packets)).unwrap();
        let refused = recording.reopen(version);
        assert!(matches!(refused, Err(OpenError::Busy)), "{refused:?}");
        if packets == 30 {
            // The file keeps its identity, as if another program added data.
            let read_at = recording.file.lock().refreshed.unwrap();
            for (after, expected) in [(Duration::ZERO, 20), (REFRESH_INTERVAL, 30)] {
                let newest = folder::open(&path).unwrap();
                recording.refresh(newest, read_at + after, || false).unwrap();
                assert_eq!(count(), expected);
                assert!(recording.reopen(recording.content().version).is_ok());
            }
        }
        assert!(Arc::ptr_eq(&recording, &opened()), "its viewers stay");
        assert_eq!(count(), packets as usize);
        assert!(recording.reopen(recording.content().version).is_ok());
    }
    // A file that has become smaller is read at once.
    std::fs::write(&path, audio_file(5)).unwrap();
    let read_at = recording.file.lock().refreshed.unwrap();
    recording.refresh(folder::open(&path).unwrap(), read_at, || false).unwrap();
    assert_eq!(count(), 5);
}

#[test]
fn watched_recordings_stay_longer_and_disconnected_viewers_stay_out() {
    let (open, now) = (OpenRecordings::default(), Timestamp::from_millis(1_000_000));
    let is_open = |it: &Arc<OpenRecording>| open.all().iter().any(|known| Arc::ptr_eq(known, it));
    let (barred, _) = add(&open, 0, Some(7), now);
    assert_eq!(barred.viewers.lock().disconnect(|id| id == 7, Some(now)).len(), 1);
    let (watched, _) = add(&open, 1, Some(8), now);
    for number in 2..MAX_OPEN_RECORDINGS * 2 {
        assert_eq!(add(&open, number, None, now).1, []);
    }
    assert_eq!(open.all().len(), MAX_OPEN_RECORDINGS);
    assert!(is_open(&barred) && is_open(&watched));
    // When all other recordings are watched as well, the oldest one goes, and its viewers are
    // returned.
    let more = (0..MAX_OPEN_RECORDINGS - 1).flat_map(|it| add(&open, 100 + it, Some(9), now).1);
    assert_eq!(more.collect::<Vec<_>>(), [(watched.name.clone(), 8)]);
    assert!(is_open(&barred) && !is_open(&watched));
    let files = [barred.path.clone()];
    assert!(open.is_barred(&files, VIEWER_KEY, now) && !open.is_barred(&[], VIEWER_KEY, now));
    open.forget_idle(now);
    assert!(is_open(&barred), "it keeps a viewer out");
    open.forget_idle(now + WATCHED_WINDOW);
    assert!(!is_open(&barred));
}
