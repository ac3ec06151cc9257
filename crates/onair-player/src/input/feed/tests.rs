//! Tests of saving, and of messages about undecodable data.

use super::*;
use crate::base::Clock;
use crate::media::TrackConfig;
use crate::player::buffer::pace::LiveDistance;
use crate::player::buffer::packets::Popped;
use crate::player::input::save;
use crate::player::session::config::{Config, Source};
use crate::player::state::Failure;
use crate::text::Language;
use crate::wire::container::flv::metadata::bare_metadata;
use crate::wire::container::flv::{self, Reader, Tag};
use crate::wire::container::track_config::aac_config;

/// Saves a stream without headers (Sorenson H.263) from its middle.
#[test]
fn what_has_no_headers_is_written_from_a_keyframe_on_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("watched.flv");
    let source = Source::Url("rtmp://host/app/name".into());
    let (shared, _events) = Shared::new(&Config::new(source), Clock::start());
    let shared = Arc::new(shared);
    let mut feed = InputFeed::new(Arc::clone(&shared), None, true);
    let mut reader = Reader::new(|_| true);
    let mut take = |feed: &mut InputFeed, kind, body: &'static [u8]| {
        let body = Bytes::from_static(body);
        feed.take_tag(reader.read(Tag { kind, time_ms: 0, body }), Timestamp::ZERO);
    };
    take(&mut feed, TagKind::Video, b"\x12key");
    take(&mut feed, TagKind::Video, b"\x22one");
    shared.requests.filing.lock().want(Some(save::make(&path).unwrap()));
    take(&mut feed, TagKind::Video, b"\x22two");
    take(&mut feed, TagKind::Audio, b"\x2Fsound");
    take(&mut feed, TagKind::Video, b"\x12new");
    take(&mut feed, TagKind::Video, b"\x22four");
    shared.requests.filing.lock().want(None);
    take(&mut feed, TagKind::Video, b"\x22five");
    let mut written = flv::Demuxer::new();
    written.push(&std::fs::read(&path).unwrap());
    let bodies: Vec<Bytes> =
        std::iter::from_fn(|| written.next_tag().unwrap()).map(|tag| tag.body).collect();
    assert_eq!(bodies, [&bare_metadata()[..], b"\x12new", b"\x22four"]);
}

/// Saves an audio stream after a connection with video.
#[test]
fn audio_alone_waits_for_no_keyframe_and_no_header_of_another_connection_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.flv");
    let source = Source::Url("rtmp://host/app/name".into());
    for (kind, before) in [
        (TagKind::Video, &b"\x12key"[..]),
        (TagKind::Video, b"\x17\0\0\0\0config"),
        (TagKind::Audio, b"\xAF\0\x11\x90"),
        (TagKind::Script, b"\x02\0\x0aonMetaData"),
    ] {
        let (shared, _events) = Shared::new(&Config::new(source.clone()), Clock::start());
        let shared = Arc::new(shared);
        let mut feed = InputFeed::new(Arc::clone(&shared), None, true);
        let mut reader = Reader::new(|_| true);
        let mut take = |feed: &mut InputFeed, kind, body: &'static [u8]| {
            let body = Bytes::from_static(body);
            feed.take_tag(reader.read(Tag { kind, time_ms: 0, body }), Timestamp::ZERO);
        };
        take(&mut feed, kind, before);
        feed.restart();
        // The end of video, and a color description, are not frames.
        take(&mut feed, TagKind::Video, b"\x17\x02\0\0\0");
        take(&mut feed, TagKind::Video, b"\x94hvc1\x02\0\x09colorInfo");
        shared.requests.filing.lock().want(Some(save::make(&path).unwrap()));
        take(&mut feed, TagKind::Audio, b"\x2Fmore");
        shared.requests.filing.lock().want(None);
        take(&mut feed, TagKind::Audio, b"\x2Frest");
        let mut written = flv::Demuxer::new();
        written.push(&std::fs::read(&path).unwrap());
        let bodies: Vec<Bytes> =
            std::iter::from_fn(|| written.next_tag().unwrap()).map(|tag| tag.body).collect();
        assert_eq!(bodies, [&bare_metadata()[..], b"\x2Fmore"], "after {before:?}");
    }
}

/// Feeds the audio of a recorded playlist.
struct AudioList {
    shared: Arc<Shared>,
    feed: InputFeed,
}

impl AudioList {
    fn new() -> Self {
        let source = Source::Url("http://host/list.m3u8".into());
        let (shared, _events) = Shared::new(&Config::new(source), Clock::start());
        let shared = Arc::new(shared);
        let mut feed = InputFeed::new(Arc::clone(&shared), None, true);
        feed.set_pace(PlayPace::Recorded);
        let mut list = Self { shared, feed };
        list.config();
        list
    }

    fn config(&mut self) {
        let config = aac_config(Bytes::from_static(b"\x11\x90")).unwrap();
        self.feed.take_event(StreamEvent::Config(TrackConfig::Audio(config)));
    }

    fn packet(&mut self, ms: i64) {
        let at = Timestamp::from_millis(ms);
        let data = Bytes::from_static(b"audio");
        let packet = EncodedPacket::received(Track::Audio, (at, at), true, data);
        self.feed.take_event(StreamEvent::Packet(packet));
    }

    /// Returns the waiting boundaries and packets in milliseconds.
    fn waiting(&self) -> Vec<(&'static str, i64)> {
        let mut waiting = Vec::new();
        while let (_, Popped::Unit(unit)) = self.shared.packets.audio.pop(Duration::ZERO) {
            match unit {
                BufferedPacket::Packet(packet) => waiting.push(("packet", packet.dts.as_millis())),
                BufferedPacket::Seam(at) => waiting.push(("seam", at.as_millis())),
                BufferedPacket::Configure(_) | BufferedPacket::Gap => {}
            }
        }
        waiting
    }
}

#[test]
fn a_seek_in_a_playlist_presents_the_requested_position() {
    let seconds = Duration::from_secs;
    let mut list = AudioList::new();
    for at in [0, 20, 40] {
        list.packet(at);
    }
    list.shared.timeline.set_position(Timestamp::from_millis(12_000));
    // A step of five seconds within a segment of ten seconds.
    list.feed.move_here(Timestamp::ZERO);
    list.feed.set_place(seconds(10));
    list.feed.set_sought(seconds(17));
    for at in [910_000, 910_020, 917_000] {
        list.packet(at);
    }
    assert_eq!(list.shared.timeline.place(), seconds(17));
    let moved = list.shared.moved.lock().take().unwrap();
    assert_eq!((moved.at, moved.exact), (Timestamp::from_millis(12_000), true));
    let waiting = list.waiting();
    assert_eq!(waiting[..2], [("seam", 12_000), ("packet", 5_000)]);
    // The beginning of a segment needs no earlier data.
    list.feed.move_here(Timestamp::ZERO);
    list.feed.set_place(seconds(20));
    list.feed.set_sought(seconds(20));
    list.packet(920_000);
    assert!(list.waiting().iter().all(|(what, _)| *what == "packet"));
    assert!(!list.shared.moved.lock().take().unwrap().exact);
}

/// The segments from two to eight seconds are missing.
#[test]
fn a_gap_in_a_playlist_moves_the_position_when_it_plays_and_not_when_it_is_loaded() {
    let mut list = AudioList::new();
    list.feed.set_place(Duration::ZERO);
    (0..100).for_each(|number| list.packet(number * 20));
    list.feed.take_event(StreamEvent::Discontinuity);
    list.feed.set_place(Duration::from_secs(8));
    list.config();
    (0..100).for_each(|number| list.packet(8_000 + number * 20));
    for (position, place) in [(0, 0), (1_000, 1_000), (1_980, 1_980), (2_500, 8_500)] {
        list.shared.timeline.set_position(Timestamp::from_millis(position));
        assert_eq!(list.shared.timeline.place(), Duration::from_millis(place));
    }
}

/// Saves an HLS stream from its beginning. Segments arrive all at once, so arrival times have no
/// meaning.
#[test]
fn a_discontinuity_between_segments_leaves_no_gap_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.flv");
    let source = Source::Url("http://host/list.m3u8".into());
    let (shared, _events) = Shared::new(&Config::new(source), Clock::start());
    let save = Save::into_file(save::make(&path).unwrap(), true);
    let mut feed = InputFeed::new(Arc::new(shared), Some(save), true);
    let distance =
        LiveDistance { hold_back: Duration::ZERO, least: Duration::ZERO, at_once: false };
    feed.set_pace(PlayPace::Followed(distance));
    let mut reader = Reader::new(|_| true);
    let mut take = |feed: &mut InputFeed, time_ms, now| {
        let tag = Tag { kind: TagKind::Video, time_ms, body: Bytes::from_static(b"\x12key") };
        feed.take_tag(reader.read(tag), Timestamp::from_millis(now));
    };
    take(&mut feed, 0, 0);
    take(&mut feed, 40, 0);
    feed.restart();
    take(&mut feed, 900_000, 6_000);
    feed.finish();
    let mut written = flv::Demuxer::new();
    written.push(&std::fs::read(&path).unwrap());
    let times: Vec<u32> =
        std::iter::from_fn(|| written.next_tag().unwrap()).map(|tag| tag.time_ms).collect();
    assert_eq!(times, [0, 0, 40, 80], "the metadata and three frames");
}

#[test]
fn what_cannot_be_decoded_is_named_with_the_reason_and_what_to_do() {
    let cure = |failure: &Failure| Language::English.cure(&failure.problem).unwrap();
    let failure = unsupported("HEVC video", Some(NoDecoder::NotBuilt));
    assert_eq!(failure.kind, FailureKind::Codec);
    assert!(failure.to_string().contains("HEVC video"), "{failure}");
    assert!(failure.to_string().ends_with("does not include the FFmpeg libraries"), "{failure}");
    assert!(cure(&failure).contains("feature `ffmpeg`"), "{failure:?}");
    assert!(cure(&failure).contains("--save"), "{failure:?}");
    let failure = unsupported("VVC video", Some(NoDecoder::NotInLibrary));
    assert!(failure.to_string().contains("no decoder for this codec"), "{failure}");
    let failure = unsupported("video codec 15", None);
    assert!(failure.to_string().ends_with("onair cannot decode"), "{failure}");
    assert!(cure(&failure).starts_with("Ask the broadcaster"), "{failure:?}");
}
