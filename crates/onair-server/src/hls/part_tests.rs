//! Tests of the durations of parts (RFC 8216bis §4.4.4.9) and of their frames at all frame rates.

use std::time::Duration;

use super::Lengths;
use super::cutter::Cutter;
use super::part::Cut;
use super::tests::{TARGET_LENGTHS, audio_config, cut, packet, parts, video_config};
use crate::base::Timestamp;
use crate::media::{StreamEvent, Track};
use crate::wire::container::mp4::boxes::child;

/// Parts last 85 to 100 % of PART-TARGET (RFC 8216bis §4.4.4.9) at usual frame rates, with times in whole
/// milliseconds as in RTMP, and for every duration that the server accepts.
#[test]
fn parts_keep_the_promised_duration_at_every_rate() {
    let rates = [5.0, 8.0, 10.0, 12.0, 12.5, 15.0, 20.0, 23.976, 24.0, 25.0, 29.97, 30.0, 48.0];
    for fps in rates.into_iter().chain([50.0, 59.94, 60.0, 90.0, 120.0, 144.0]) {
        for millis in [100, 150, 200, 250, 333, 350, 500, 750, 1_000, 1_500, 2_000] {
            let lengths =
                Lengths { part: Duration::from_millis(millis), segment: Duration::from_secs(4) };
            let mut cutter = Cutter::new(lengths, None);
            let mut all = vec![video_config(1_280)];
            all.extend((0..(fps * 30.0) as i64).map(|index| {
                let at = (index as f64 * 1_000.0 / fps).round() as i64;
                packet(Track::Video, at, index % (fps * 4.0).round() as i64 == 0)
            }));
            let cuts = cut(&mut cutter, &all);
            let target = |it: &Cut| match it {
                Cut::PartTarget(target) => Some(*target),
                _ => None,
            };
            let targets: Vec<_> = cuts.iter().filter_map(target).collect();
            let [target] = targets[..] else { panic!("{fps} {millis}: {targets:?}") };
            let frame = Duration::from_secs_f64(1.0 / fps);
            let most = lengths.part.max(frame * 11 / 10) * 101 / 100 + Duration::from_millis(2);
            assert!(target <= most, "{fps} {millis}: {target:?}");
            let mut checked = 0;
            for pair in cuts.windows(2) {
                let [Cut::Part(part), next] = pair else { continue };
                assert!(part.duration <= target, "{fps} {millis} {target:?}: {:?}", part.duration);
                if !matches!(next, Cut::SegmentEnd) {
                    let ratio = part.duration.as_secs_f64() / target.as_secs_f64();
                    assert!(ratio >= 0.85, "{fps} {millis} {target:?}: {:?}", part.duration);
                    checked += 1;
                }
            }
            assert!(checked >= 5, "{fps} {millis}: {checked}");
        }
    }
}

/// Creates the packets of a publisher with this frame rate, a keyframe every 2 s, and AAC.
fn events_at(fps: f64, has_audio: bool, from: i64, seconds: f64) -> Vec<StreamEvent> {
    let mut all = Vec::new();
    if has_audio {
        all.extend((0..(seconds * 48_000.0 / 1_024.0) as i64).map(|index| {
            packet(Track::Audio, from + (index as f64 * 1_024.0 / 48.0).round() as i64, true)
        }));
    }
    let gop = (fps * 2.0).round().max(1.0) as i64;
    all.extend((0..(fps * seconds) as i64).map(|index| {
        let at = from + (index as f64 * 1_000.0 / fps).round() as i64;
        packet(Track::Video, at, index % gop == 0)
    }));
    let at = |event: &StreamEvent| match event {
        StreamEvent::Packet(packet) => packet.dts,
        _ => Timestamp::ZERO,
    };
    all.sort_by_key(at);
    all
}

/// PART-TARGET must not change in a playlist, and a part that exceeds it makes some players refuse the whole
/// playlist. So parts keep the promise when the next publisher has another frame rate.
#[test]
fn parts_keep_the_promised_duration_when_the_frame_rate_changes() {
    let rates = [24.0, 2.0, 3.0, 5.0, 7.0, 7.5, 8.0, 9.0, 10.0, 12.0, 15.0, 25.0, 30.0, 60.0];
    for (before, after) in rates.iter().flat_map(|a| rates.iter().map(move |b| (*a, *b))) {
        for has_audio in [true, false] {
            let mut cutter = Cutter::new(TARGET_LENGTHS, None);
            let mut cuts = Vec::new();
            for (publisher, fps) in [before, after].into_iter().enumerate() {
                cutter.event(&video_config(1_280), &mut cuts);
                if has_audio {
                    cutter.event(&audio_config(), &mut cuts);
                }
                let from = publisher as i64 * 20_000;
                cuts.extend(cut(&mut cutter, &events_at(fps, has_audio, from, 13.3)));
                cutter.forget(&mut cuts);
            }
            let name = format!("{before} {after} {has_audio}");
            let targets = cuts.iter().filter_map(|cut| match cut {
                Cut::PartTarget(target) => Some(*target),
                _ => None,
            });
            let targets: Vec<_> = targets.collect();
            let [target] = targets[..] else { panic!("{name}: {targets:?}") };
            let mut checked = 0;
            for (index, item) in cuts.iter().enumerate() {
                let Cut::Part(part) = item else { continue };
                assert!(part.duration <= target, "{name} {target:?}: {:?}", part.duration);
                if matches!(cuts.get(index + 1), Some(Cut::Part(_))) {
                    let ratio = part.duration.as_secs_f64() / target.as_secs_f64();
                    assert!(ratio >= 0.85, "{name} {target:?}: {:?}", part.duration);
                    checked += 1;
                }
            }
            assert!(checked >= 20, "{name}: {checked}");
            if has_audio {
                let lasted: Duration = parts(&cuts).iter().map(|part| part.duration).sum();
                assert!(lasted.as_secs_f64() > 2.0 * 13.3 - 2.0, "{name}: {lasted:?}");
            }
        }
    }
}

/// Returns the start of the first frame in a chunk and the declared end of the last one, in ticks.
fn span(chunk: &[u8]) -> (u64, u64) {
    let traf = child(child(chunk, *b"moof").unwrap(), *b"traf").unwrap();
    let start = u64::from_be_bytes(child(traf, *b"tfdt").unwrap()[4..12].try_into().unwrap());
    let frames = child(traf, *b"trun").unwrap()[12..].chunks(16);
    let lasted = frames.map(|it| u32::from_be_bytes(it[..4].try_into().unwrap()));
    (start, start + lasted.map(u64::from).sum::<u64>())
}

/// A new span continues the stream, so the previous one lasts until the keyframe that begins it.
#[test]
fn there_is_no_gap_before_a_new_span_where_frames_are_rare() {
    let mut cutter = Cutter::new(TARGET_LENGTHS, None);
    let mut cuts = cut(&mut cutter, &[video_config(1_280), audio_config()]);
    let events = events_at(0.5, true, 0, 20.0);
    let (before, after) = events.split_at(events.len() / 2);
    cuts.extend(cut(&mut cutter, before));
    cutter.begin_span();
    cuts.extend(cut(&mut cutter, after));
    assert_eq!(cuts.iter().filter(|it| matches!(it, Cut::Begin(_))).count(), 2);
    for pair in parts(&cuts).windows(2) {
        assert_eq!(pair[0].start + pair[0].duration, pair[1].start);
    }
}

/// Players stop at a gap in the video, and drop the frames after it until the next keyframe.
#[test]
fn the_video_has_no_gap_where_frames_are_rare_or_pause() {
    let mut pause = events_at(30.0, true, 0, 12.0);
    pause.retain(|event| match event {
        StreamEvent::Packet(it) => {
            it.track != Track::Video || !(4_100..7_000).contains(&it.dts.as_millis())
        }
        _ => true,
    });
    let slides = |fps, has_audio| events_at(fps, has_audio, 0, 30.0);
    let all = [slides(0.5, true), slides(0.15, true), slides(0.8, false), pause];
    for (number, events) in all.into_iter().enumerate() {
        let mut cutter = Cutter::new(TARGET_LENGTHS, None);
        assert!(cut(&mut cutter, &[video_config(1_280)]).is_empty());
        let has_audio = number != 2;
        assert!(!has_audio || cut(&mut cutter, &[audio_config()]).is_empty());
        let cuts = cut(&mut cutter, &events);
        let parts = parts(&cuts);
        let spans: Vec<_> =
            parts.iter().filter_map(|it| it.video.as_deref()).map(span).skip(1).collect();
        assert!(spans.len() >= 3, "{number}: {spans:?}");
        for pair in spans.windows(2) {
            assert!(pair[0].1 >= pair[1].0, "{number}: {pair:?}");
        }
    }
}
