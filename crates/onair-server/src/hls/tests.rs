//! Tests that cut streams by the streams' own clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;

use super::cutter::Cutter;
use super::listing::{AwaitedItem, EMPTY_SEGMENT, File, Listing, WaitState};
use super::part::{Cut, Part};
use super::window::{MAX_TOTAL_BYTES, Share, Window};
use super::{Lengths, Settings};
use crate::base::Timestamp;
use crate::media::{
    AudioCodec, BitsPerSecond, EncodedPacket, FrameRate, Rotation, Size, StreamEvent, Track,
    TrackConfig, VideoCodec, VideoConfig,
};
use crate::wire::codec::AudioInfo;
use crate::wire::container::mp4::index;
use crate::wire::hls::{Media, Playlist, parse, parse_update};

pub(super) const TARGET_LENGTHS: Lengths =
    Lengths { part: Duration::from_millis(350), segment: Duration::from_secs(2) };
const FIRST_MEDIA_SEQUENCE: u64 = 1_700_000_000;
const DISCONTINUITY_SEQUENCE: u64 = 470_000;

pub(super) fn video_config(width: u32) -> StreamEvent {
    StreamEvent::Config(TrackConfig::Video(VideoConfig {
        codec: VideoCodec::H264,
        size: Size::new(width, 720),
        frame_rate: FrameRate::FPS_30,
        bitrate: BitsPerSecond(0),
        codec_config: Bytes::from(vec![1, 0x64, 0, 0x1F, 0xFF, (width / 16) as u8]),
        pixel_aspect: None,
        rotation: Rotation::None,
    }))
}

pub(super) fn audio_config() -> StreamEvent {
    let codec_config = Bytes::from_static(&[0x11, 0x90]);
    let config =
        AudioInfo { sample_rate: 48_000, channels: 2 }.config(AudioCodec::Aac, codec_config);
    StreamEvent::Config(TrackConfig::Audio(config))
}

pub(super) fn packet(track: Track, dts_ms: i64, keyframe: bool) -> StreamEvent {
    let at = Timestamp::from_millis(dts_ms);
    let data = Bytes::from(dts_ms.to_be_bytes().to_vec());
    StreamEvent::Packet(EncodedPacket::received(track, (at, at), keyframe, data))
}

/// Creates frames from `from` to `until`, with a keyframe every `gop` ms from `from` on, and audio.
/// Times are in milliseconds, as in RTMP.
fn events(from: i64, until: i64, gop: i64, tracks: &[Track]) -> Vec<StreamEvent> {
    let mut all = Vec::new();
    let (mut frame_index, mut audio_index) = (0, 0);
    loop {
        let (video_at, audio_at) =
            (from + frame_index * 1_000 / 30, from + audio_index * 1_024 / 48);
        let next_is_video = tracks.contains(&Track::Video)
            && (video_at <= audio_at || !tracks.contains(&Track::Audio));
        let at = if next_is_video { video_at } else { audio_at };
        if at >= until {
            return all;
        }
        if next_is_video {
            let keyframe = (frame_index * 1_000 / 30) / gop
                != ((frame_index - 1) * 1_000).div_euclid(30).div_euclid(gop);
            all.push(packet(Track::Video, video_at, keyframe));
            frame_index += 1;
        } else {
            all.push(packet(Track::Audio, audio_at, true));
            audio_index += 1;
        }
    }
}

const BOTH_TRACKS: &[Track] = &[Track::Video, Track::Audio];

/// Cuts events and returns the result.
pub(super) fn cut(cutter: &mut Cutter, events: &[StreamEvent]) -> Vec<Cut> {
    let mut cuts = Vec::new();
    events.iter().for_each(|event| cutter.event(event, &mut cuts));
    cuts
}

pub(super) fn parts(cuts: &[Cut]) -> Vec<Part> {
    let part = |cut: &Cut| match cut {
        Cut::Part(part) => Some(part.clone()),
        _ => None,
    };
    cuts.iter().filter_map(part).collect()
}

/// Returns the durations of the complete segments in milliseconds.
fn segments(cuts: &[Cut]) -> Vec<u128> {
    let (mut all, mut now) = (Vec::new(), Duration::ZERO);
    for cut in cuts {
        match cut {
            Cut::PartTarget(_) | Cut::Begin(_) | Cut::SegmentStart(_) | Cut::Aligned(_) => {}
            Cut::Part(part) => now += part.duration,
            Cut::SegmentEnd => all.push(std::mem::take(&mut now).as_millis()),
        }
    }
    all
}

fn begun(tracks: &[Track]) -> Cutter {
    let mut cutter = Cutter::new(TARGET_LENGTHS, None);
    let mut none = Vec::new();
    if tracks.contains(&Track::Video) {
        cutter.event(&video_config(1_280), &mut none);
    }
    if tracks.contains(&Track::Audio) {
        cutter.event(&audio_config(), &mut none);
    }
    assert!(none.is_empty());
    cutter
}

#[test]
fn segments_begin_with_keyframes_and_no_part_is_too_long_or_too_short() {
    for tracks in [BOTH_TRACKS, &[Track::Video], &[Track::Audio]] {
        let mut cutter = begun(tracks);
        let cuts = cut(&mut cutter, &events(5_000, 17_000, 2_000, tracks));
        assert_eq!(cuts.iter().filter(|it| matches!(it, Cut::Begin(_))).count(), 1);
        let lengths = segments(&cuts);
        assert!(lengths.len() >= 4, "{tracks:?}: {lengths:?}");
        assert!(lengths.iter().all(|it| (1_970..=2_001).contains(it)), "{tracks:?}: {lengths:?}");
        assert_eq!(cutter.target_duration(), Some(Duration::from_secs(2)));
        let (mut first, mut end) = (true, Timestamp::from_millis(5_000));
        let mut chunks = cuts.iter().peekable();
        while let Some(next) = chunks.next() {
            if matches!(next, Cut::PartTarget(_)) {
                continue;
            }
            let Cut::Part(part) = next else {
                first = true;
                continue;
            };
            let last = matches!(chunks.peek(), Some(Cut::SegmentEnd));
            assert!(part.duration <= TARGET_LENGTHS.part, "{part:?}");
            assert!(last || part.duration >= TARGET_LENGTHS.part * 85 / 100, "{part:?}");
            assert_eq!(part.start, end, "no gap between parts");
            assert_eq!(part.independent, first || !tracks.contains(&Track::Video));
            (first, end) = (false, part.start + part.duration);
        }
    }
}

#[test]
fn every_frame_is_in_its_place_once() {
    let mut cutter = begun(&[Track::Audio]);
    let mut cuts = Vec::new();
    // A codec whose config may be incomplete when it is read back.
    let StreamEvent::Config(TrackConfig::Video(config)) = video_config(1_280) else { panic!() };
    let (codec, av1c) = (VideoCodec::Av1, Bytes::from_static(&[0x81, 0x04, 0x0C, 0]));
    let config = VideoConfig { codec, codec_config: av1c, ..config };
    cutter.event(&StreamEvent::Config(TrackConfig::Video(config)), &mut cuts);
    let all = events(5_000, 12_000, 2_000, BOTH_TRACKS);
    cuts.extend(cut(&mut cutter, &all));
    cutter.interrupt(&mut cuts);
    let mut file = Vec::new();
    for cut in &cuts {
        match cut {
            Cut::Begin(initialization) => file.extend_from_slice(&initialization.whole),
            Cut::Part(part) => part.chunks().for_each(|chunk| file.extend_from_slice(chunk)),
            _ => {}
        }
    }
    let index = index(&mut &file[..]).unwrap();
    assert_eq!(index.samples.len(), all.len());
    for sample in &index.samples {
        let at = sample.at as usize;
        let sent_at = i64::from_be_bytes(file[at..at + 8].try_into().unwrap());
        assert!((sample.dts.as_millis() - sent_at).abs() <= 1, "{sample:?} was sent for {sent_at}");
    }
}

#[test]
fn audio_is_as_long_as_its_samples_though_times_are_rounded() {
    let mut cutter = begun(&[Track::Audio]);
    let mut cuts = cut(&mut cutter, &events(0, 60_000, 1, &[Track::Audio]));
    cutter.interrupt(&mut cuts);
    let total: Duration = parts(&cuts).iter().map(|part| part.duration).sum();
    assert_eq!(total.as_millis(), 2_813 * 1_024 / 48, "2,813 packets follow each other");
}

#[test]
fn keyframes_that_are_far_apart_set_the_target_duration_and_then_it_stays() {
    let mut cutter = begun(BOTH_TRACKS);
    let mut cuts = cut(&mut cutter, &events(0, 16_000, 4_000, BOTH_TRACKS));
    assert_eq!(segments(&cuts), [4_000; 3]);
    assert_eq!(cutter.target_duration(), Some(Duration::from_secs(4)));
    // Keyframes are further apart now: segments end without one.
    cutter.interrupt(&mut cuts);
    let cuts = cut(&mut cutter, &events(16_000, 40_000, 20_000, BOTH_TRACKS));
    assert!(segments(&cuts).iter().all(|it| *it <= 4_400), "{:?}", segments(&cuts));
    assert_eq!(cutter.target_duration(), Some(Duration::from_secs(4)));
    // The keyframe interval of the stream is already known.
    let mut cutter = Cutter::new(TARGET_LENGTHS, Some(Duration::from_secs(6)));
    let mut none = Vec::new();
    cutter.event(&video_config(1_280), &mut none);
    let cuts = cut(&mut cutter, &events(0, 2_500, 2_000, &[Track::Video]));
    assert_eq!(segments(&cuts), [2_000]);
    assert_eq!(cutter.target_duration(), Some(Duration::from_secs(6)));
}

#[test]
fn keyframes_in_between_do_not_make_segments_too_long() {
    let mut cutter = begun(&[Track::Video]);
    // A keyframe every 2 s, and an additional one 1.5 s after each.
    let mut all = events(0, 20_000, 2_000, &[Track::Video]);
    for event in &mut all {
        if let StreamEvent::Packet(packet) = event {
            packet.keyframe |= packet.dts.as_millis() % 2_000 == 1_500;
        }
    }
    let lengths = segments(&cut(&mut cutter, &all));
    assert!(lengths.iter().skip(1).all(|it| *it <= 2_400), "{lengths:?}");
}

#[test]
fn a_changed_config_begins_a_new_part() {
    let begins = |cuts: &[Cut]| cuts.iter().filter(|it| matches!(it, Cut::Begin(_))).count();
    let mut cutter = begun(BOTH_TRACKS);
    let mut cuts = cut(&mut cutter, &events(0, 5_000, 2_000, BOTH_TRACKS));
    assert_eq!(begins(&cuts), 1);
    // The same config again is not a change.
    cutter.event(&video_config(1_280), &mut cuts);
    cutter.event(&audio_config(), &mut cuts);
    assert_eq!(begins(&cuts), 1);
    // A config with another size, at a keyframe.
    cutter.event(&video_config(640), &mut cuts);
    assert!(matches!(cuts.last(), Some(Cut::SegmentEnd)));
    cuts.extend(cut(&mut cutter, &events(5_000, 8_000, 2_000, BOTH_TRACKS)));
    assert_eq!(begins(&cuts), 2);
    // Times that jump forward and back.
    cuts.extend(cut(&mut cutter, &events(60_000, 63_000, 2_000, BOTH_TRACKS)));
    assert_eq!(begins(&cuts), 3);
    cuts.extend(cut(&mut cutter, &events(1_000, 4_000, 2_000, BOTH_TRACKS)));
    assert_eq!(begins(&cuts), 4);
    // Another publisher, without audio.
    cutter.forget(&mut cuts);
    cutter.event(&video_config(1_280), &mut cuts);
    cuts.extend(cut(&mut cutter, &events(4_000, 7_000, 2_000, &[Track::Video])));
    assert_eq!(begins(&cuts), 5);
    let Some(Cut::Begin(last)) = cuts.iter().rfind(|it| matches!(it, Cut::Begin(_))) else {
        panic!()
    };
    assert_eq!((last.codecs.len(), last.audio.is_some()), (1, false));
}

#[test]
fn a_track_that_comes_late_is_there_from_the_next_keyframe_on() {
    let mut cutter = begun(&[Track::Video]);
    let mut cuts = cut(&mut cutter, &events(0, 3_000, 2_000, &[Track::Video]));
    cutter.event(&audio_config(), &mut cuts);
    cuts.extend(cut(&mut cutter, &events(4_000, 7_000, 2_000, BOTH_TRACKS)));
    let codecs: Vec<_> = cuts
        .iter()
        .filter_map(|cut| match cut {
            Cut::Begin(initialization) => Some(initialization.codecs.len()),
            _ => None,
        })
        .collect();
    assert_eq!(codecs, [1, 2]);
}

#[test]
fn audio_goes_on_where_video_stops() {
    let mut cutter = begun(BOTH_TRACKS);
    let mut cuts = cut(&mut cutter, &events(0, 3_000, 2_000, BOTH_TRACKS));
    let before = parts(&cuts).len();
    cuts.extend(cut(&mut cutter, &events(3_000, 8_000, 1, &[Track::Audio])));
    let after = parts(&cuts);
    assert!(after.len() > before + 10, "{} after {before}", after.len());
    assert!(after.iter().all(|part| part.duration <= TARGET_LENGTHS.part));
    assert!(segments(&cuts).iter().all(|it| *it <= 2_400));
    // DASH players get an empty segment, because some of them stop for good after an error.
    let listing = window(cuts, &cutter, Duration::from_secs(12)).listing();
    let mut frozen = listing.segments.iter();
    let frozen = frozen.find(|it| it.parts.iter().all(|part| part.video.is_none())).unwrap();
    let name = format!("tag-v{FIRST_MEDIA_SEQUENCE}-{}.m4s", frozen.number);
    assert_eq!(listing.chunks(listing.file(&name).unwrap()).unwrap(), [EMPTY_SEGMENT]);
    // If all media pauses, the player is ahead of the stream, and waits.
    let next = listing.next_number;
    assert!(listing.is_expected(next + 4) && !listing.is_expected(next + 90));
}

#[test]
fn times_that_make_no_sense_cost_little() {
    let mut cutter = begun(BOTH_TRACKS);
    let mut cuts = Vec::new();
    let wild = [0, i64::MAX / 1_000, i64::MIN / 1_000, 5, 5, 5, 4, 1 << 40, 0, 1];
    for round in 0..200 {
        for at in wild {
            for (track, key) in [(Track::Video, round % 3 == 0), (Track::Audio, true)] {
                cutter.event(&packet(track, at, key), &mut cuts);
            }
        }
    }
    assert!(parts(&cuts).iter().all(|part| part.duration <= TARGET_LENGTHS.part));
    assert!(cuts.len() < 20_000);
}

#[test]
fn packets_that_wait_for_the_beginning_are_limited_in_bytes() {
    let mut cutter = begun(BOTH_TRACKS);
    let at = Timestamp::ZERO;
    let data = Bytes::from(vec![0; 1 << 20]);
    let frame = StreamEvent::Packet(EncodedPacket::received(Track::Video, (at, at), true, data));
    // The audio never comes, and the times stand still.
    let cuts = cut(&mut cutter, &vec![frame; 16]);
    assert!(matches!(cuts.first(), Some(Cut::Begin(_))), "the audio is not awaited any longer");
}

/// Creates a window after these cuts.
fn window(cuts: Vec<Cut>, cutter: &Cutter, length: Duration) -> Window {
    let settings = Settings { lengths: TARGET_LENGTHS, window: length, ..Settings::default() };
    let mut window = Window::new(settings, "tag", (FIRST_MEDIA_SEQUENCE, DISCONTINUITY_SEQUENCE));
    window.take(cuts, cutter.target_duration(), 1_000_000_000_000_000);
    window
}

fn list(text: &[u8]) -> Media {
    match parse(text) {
        Ok(Playlist::Media(media)) => media,
        other => panic!("{other:?} of {}", String::from_utf8_lossy(text)),
    }
}

fn twenty_seconds() -> Listing {
    let mut cutter = begun(BOTH_TRACKS);
    let cuts = cut(&mut cutter, &events(0, 21_000, 2_000, BOTH_TRACKS));
    window(cuts, &cutter, Duration::from_secs(14)).listing()
}

#[test]
fn lists_say_what_players_of_low_latency_need() {
    let listing = twenty_seconds();
    let media = list(&listing.media(false));
    assert_eq!(media.target_duration, Duration::from_secs(2));
    // Ten frames and some room.
    let part = Duration::from_millis(342);
    assert_eq!(media.part_target, Some(part));
    assert!(media.control.can_block && !media.ended);
    assert_eq!(media.control.part_hold_back, Some(part * 3));
    assert_eq!((media.sequence, media.segments.len()), (FIRST_MEDIA_SEQUENCE + 3, 7));
    let without_parts: Vec<_> = media.segments.iter().map(|it| it.parts.is_empty()).collect();
    assert_eq!(
        without_parts,
        [true, true, true, true, false, false, false],
        "parts of the last ones"
    );
    assert_eq!(media.segments[0].made, Some(1_000_000_000_000_000 + 6_000_000));
    assert!(!media.pending.is_empty());
    let hint = media.hint.clone().unwrap().uri;
    assert_eq!(hint, format!("tag-{}.{}.m4s", FIRST_MEDIA_SEQUENCE + 10, media.pending.len()));
    // All listed resources exist, and no others.
    let segments = media.segments.iter();
    for uri in segments.flat_map(|it| it.parts.iter().map(|part| &part.uri).chain([&it.uri])) {
        assert!(listing.chunks(listing.file(uri).unwrap()).is_some(), "{uri}");
    }
    let map = &media.segments[0].map.as_ref().unwrap().uri;
    assert!(listing.chunks(listing.file(map).unwrap()).is_some(), "{map}");
    let next = listing.file(&hint).unwrap();
    assert!(listing.chunks(next).is_none() && listing.is_next(next));
    let (segment, part) = (FIRST_MEDIA_SEQUENCE + 10, media.pending.len() as u64 + 1);
    let later = File::Part { segment, part, discontinuity: false };
    assert!(listing.chunks(later).is_none() && !listing.is_next(later));
    for other in ["tag-x.m4s", "other-1700000005.m4s", "tag-1.1.1.m4s", "tag-.mp4", "..", "tag-"] {
        assert_eq!(listing.file(other), None, "{other}");
    }
}

#[test]
fn an_update_is_shorter_and_tells_the_same() {
    let listing = twenty_seconds();
    let (whole, update) = (listing.media(false), listing.media(true));
    assert!(update.len() < whole.len());
    let media = list(&whole);
    let Ok(Playlist::Media(updated)) = parse_update(&update, &media) else { panic!() };
    assert_eq!(updated, media);
}

#[test]
fn nobody_waits_for_what_is_there_or_for_what_is_too_far() {
    let listing = twenty_seconds();
    let (open, there) =
        (FIRST_MEDIA_SEQUENCE + 10, list(&listing.media(false)).pending.len() as u64);
    let patience = |segment, part| listing.patience(AwaitedItem { segment, part });
    for (segment, part, expected) in [
        (0, None, WaitState::Over),
        (open - 1, None, WaitState::Over),
        (open - 1, Some(0), WaitState::Over),
        (open - 1, Some(6), WaitState::Over),
        (open, Some(there - 1), WaitState::Over),
        (open, Some(there), WaitState::Wait),
        (open, None, WaitState::Wait),
        (open + 1, Some(0), WaitState::Wait),
        (open + 1, None, WaitState::Wait),
        (open + 2, None, WaitState::TooFar),
        (open, Some(there + 20), WaitState::TooFar),
        (open + 1, Some(20), WaitState::TooFar),
        (open - 1, Some(u64::MAX), WaitState::TooFar),
        (u64::MAX, Some(u64::MAX), WaitState::TooFar),
    ] {
        assert_eq!(patience(segment, part), expected, "{segment} {part:?}");
    }
}

#[test]
fn discontinuities_are_counted_when_they_leave_the_list() {
    let mut cutter = begun(BOTH_TRACKS);
    let mut cuts = Vec::new();
    for publisher in 0..6 {
        let from = publisher * 6_000;
        cuts.extend(cut(&mut cutter, &events(from, from + 6_000, 2_000, BOTH_TRACKS)));
        cutter.forget(&mut cuts);
        cutter.event(&video_config(1_280), &mut cuts);
        cutter.event(&audio_config(), &mut cuts);
    }
    let mut window = window(cuts, &cutter, Duration::from_secs(12));
    let text = window.listing().media(false);
    let media = list(&text);
    let breaks = media.segments.iter().filter(|it| it.discontinuity).count() as u64;
    assert_eq!(breaks, 2);
    // The start of the first publisher is not a discontinuity; three segments have left the list.
    let expected =
        format!("#EXT-X-DISCONTINUITY-SEQUENCE:{}\n", DISCONTINUITY_SEQUENCE + 5 - breaks);
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(text.contains(&expected), "{text}");
    assert_eq!(window.next_discontinuity(), DISCONTINUITY_SEQUENCE + 6);
    let maps: std::collections::HashSet<_> =
        media.segments.iter().map(|it| it.map.clone().unwrap().uri.clone()).collect();
    // One of the spans began before the list.
    assert_eq!(maps.len() as u64, breaks + 1, "each publisher has an initialization: {maps:?}");
    // The part that was hinted for the previous publisher is not a part of this one.
    let listing = window.listing();
    let first = media.segments.iter().rfind(|it| it.discontinuity && !it.parts.is_empty());
    let first = &first.unwrap().parts[0].uri;
    let hinted = listing.file(&first.replace(".d0.", ".0.")).unwrap();
    assert!(listing.chunks(listing.file(first).unwrap()).is_some(), "{first}");
    let File::Part { segment, discontinuity, .. } = hinted else { panic!("{hinted:?}") };
    assert!(listing.chunks(hinted).is_none() && listing.is_replaced(segment, discontinuity));
    // An ended list has no preload hint.
    window.end();
    let ended = list(&window.listing().media(false));
    assert!(ended.ended && ended.hint.is_none());
    assert_eq!(
        window.listing().patience(AwaitedItem { segment: u64::MAX, part: None }),
        WaitState::Over
    );
}

#[test]
fn periods_of_dash_keep_their_start_and_follow_one_another() {
    let mut cutter = begun(BOTH_TRACKS);
    let mut cuts = cut(&mut cutter, &events(0, 6_000, 2_000, BOTH_TRACKS));
    cutter.forget(&mut cuts);
    cutter.event(&video_config(640), &mut cuts);
    cutter.event(&audio_config(), &mut cuts);
    cuts.extend(cut(&mut cutter, &events(0, 5_000, 2_000, BOTH_TRACKS)));
    let mut window = window(cuts, &cutter, Duration::from_secs(12));
    // For each period: its id, its start, and the number of its segments.
    let periods = |window: &Window| -> Vec<(u64, f64, usize)> {
        let text = String::from_utf8(window.listing().manifest("show", "", &[]).to_vec()).unwrap();
        let all = text.split("<Period id=\"").skip(1).map(|period| {
            let id = period.split('"').next().unwrap().parse().unwrap();
            let start = period.split("start=\"PT").nth(1).unwrap().split('S').next().unwrap();
            (id, start.parse().unwrap(), period.matches("<S t=").count() / 2)
        });
        all.collect()
    };
    let before = periods(&window);
    let [(FIRST_MEDIA_SEQUENCE, first, 3), (second_id, second, 3)] = before[..] else {
        panic!("{before:?}")
    };
    assert!(second >= first + 5.9, "{before:?}");
    let more = cut(&mut cutter, &events(5_000, 15_000, 2_000, BOTH_TRACKS));
    window.take(more, cutter.target_duration(), 0);
    let after = periods(&window);
    assert!(after.contains(&(second_id, second, after.last().unwrap().2)), "{after:?}");
    assert_ne!(after, before);
}

#[test]
fn no_segment_of_dash_is_longer_than_its_manifest_says() {
    let mut cutter = begun(BOTH_TRACKS);
    // 50 frames at 24 fps.
    let cuts = cut(&mut cutter, &events(0, 15_000, 2_083, BOTH_TRACKS));
    let listing = window(cuts, &cutter, Duration::from_secs(12)).listing();
    let text = String::from_utf8(listing.manifest("show", "", &[]).to_vec()).unwrap();
    let most = text.split("maxSegmentDuration=\"PT").nth(1).unwrap().split('S').next().unwrap();
    let most: f64 = most.parse().unwrap();
    let lengths: Vec<_> = listing.segments.iter().map(|it| it.duration().as_secs_f64()).collect();
    assert!(lengths.iter().any(|it| *it > 2.05), "{lengths:?}");
    assert!(lengths.iter().all(|it| *it <= most), "{most}: {lengths:?}");
}

#[test]
fn memory_is_bounded_however_long_it_goes_on() {
    let mut cutter = begun(BOTH_TRACKS);
    let settings =
        Settings { lengths: TARGET_LENGTHS, window: Duration::from_secs(6), ..Settings::default() };
    let mut window = Window::new(settings, "tag", (FIRST_MEDIA_SEQUENCE, DISCONTINUITY_SEQUENCE));
    for minute in 0..3_i64 {
        let from = minute * 60_000;
        let cuts = cut(&mut cutter, &events(from, from + 60_000, 2_000, BOTH_TRACKS));
        window.take(cuts, cutter.target_duration(), 0);
        let listing = window.listing();
        assert!(listing.chunks(File::Segment(listing.next_number - 10)).is_none());
        assert!(
            listing.chunks(File::Segment(listing.next_number - 8)).is_some(),
            "for late requests"
        );
        assert_eq!(list(&listing.media(false)).segments.len(), 3);
    }
}

#[test]
fn a_stream_keeps_less_while_all_streams_together_have_too_much() {
    let total: &'static AtomicU64 = Box::leak(Box::new(AtomicU64::new(0)));
    let mut cutter = begun(BOTH_TRACKS);
    let mut window = window(Vec::new(), &cutter, Duration::from_secs(12));
    window.share = Share::of(total);
    let mut others = Share::of(total);
    let mut stored_at = |from: i64| {
        let cuts = cut(&mut cutter, &events(from, from + 30_000, 2_000, BOTH_TRACKS));
        window.take(cuts, cutter.target_duration(), 0);
        window.listing().segments.len()
    };
    assert_eq!(stored_at(0), 14, "twice the length of the playlist, and two more segments");
    let alone = total.load(Ordering::Relaxed);
    assert!(alone > 0);
    others.set(MAX_TOTAL_BYTES);
    assert_eq!(stored_at(30_000), 3, "the playlist stays usable");
    others.set(MAX_TOTAL_BYTES - 2 * alone);
    assert_eq!(stored_at(60_000), 14);
    drop(window);
    assert_eq!(total.load(Ordering::Relaxed), MAX_TOTAL_BYTES - 2 * alone);
    drop(others);
    assert_eq!(total.load(Ordering::Relaxed), 0);
}

#[test]
fn the_list_of_variants_tells_codecs_and_size() {
    let text = String::from_utf8(twenty_seconds().master("show/hls/", &[]).to_vec()).unwrap();
    assert!(text.contains("CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720"), "{text}");
    assert!(text.contains("#EXT-X-INDEPENDENT-SEGMENTS"), "{text}");
    assert!(text.ends_with("\nshow/hls/main.m3u8\n"), "{text}");
}

#[test]
fn segments_of_a_rendition_have_the_numbers_and_times_of_the_stream() {
    let mut main =
        Window::new(Settings::default(), "a", (FIRST_MEDIA_SEQUENCE, DISCONTINUITY_SEQUENCE));
    let mut cutter = begun(BOTH_TRACKS);
    // A pause causes a discontinuity.
    let mut all = events(2_000, 10_500, 2_000, BOTH_TRACKS);
    all.extend(events(20_000, 31_000, 2_000, BOTH_TRACKS));
    let cuts = cut(&mut cutter, &all);
    main.take(cuts, cutter.target_duration(), 5_000_000);
    for tracks in [BOTH_TRACKS, &[Track::Audio]] {
        let mut window = Window::of_rendition(Settings::default(), "a_240p");
        let mut cutter = Cutter::aligned(TARGET_LENGTHS, None);
        cutter.align(main.starts(), Some(Duration::from_secs(2)));
        let mut none = Vec::new();
        if tracks.contains(&Track::Video) {
            cutter.event(&video_config(640), &mut none);
        }
        cutter.event(&audio_config(), &mut none);
        // The rendition begins in the middle of a segment. Its keyframes are those of the stream.
        let of = |event: &&StreamEvent| match event {
            StreamEvent::Packet(packet) => {
                tracks.contains(&packet.track) && packet.dts >= Timestamp::from_millis(5_000)
            }
            _ => true,
        };
        let all: Vec<_> = all.iter().filter(of).cloned().collect();
        let cuts = cut(&mut cutter, &all);
        window.take(cuts, cutter.target_duration(), main.offset());
        let (main, rendition) = (main.listing(), window.listing());
        let known = |number| main.segments.iter().find(|it| it.number == number).unwrap();
        assert!(rendition.segments.len() >= 6, "{tracks:?} {}", rendition.segments.len());
        for segment in &rendition.segments {
            let of_stream = known(segment.number);
            assert_eq!(segment.made, of_stream.made, "{tracks:?} {}", segment.number);
            assert_eq!(segment.discontinuity, of_stream.discontinuity);
            let off = segment.start().micros_since(of_stream.start());
            assert!((0..30_000).contains(&off), "{tracks:?} {}: {off}", segment.number);
        }
        let before = main.segments.iter().take_while(|it| it.number < rendition.segments[0].number);
        let before = before.filter(|it| it.discontinuity).count() as u64;
        assert_eq!(rendition.discontinuities, DISCONTINUITY_SEQUENCE + before, "{tracks:?}");
    }
}
