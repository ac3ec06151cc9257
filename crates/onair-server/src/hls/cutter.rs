//! Cuts a stream into segments, and segments into parts (RFC 8216bis §4.4.4.9, §6.2.2). A segment
//! begins with a keyframe. If keyframes are too far apart, the next segment begins without one,
//! because no segment may be longer than the playlist promised. No part may be longer than promised
//! either, or shorter than 85 % of that. The promise stays the same when the frame rate changes: if
//! whole frames no longer fill a part, the part ends within a frame. This module is pure: its only
//! clock is the stream's.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::{AudioConfig, EncodedPacket, StreamEvent, Track, TrackConfig, VideoConfig};
use crate::server::hls::alignment::Alignment;
use crate::server::hls::part::{Cut, Initialization, SegmentStart, StartTime};
use crate::server::hls::timeline::Timeline;
use crate::wire::container::mp4::live;

/// The longest segment, whether or not the keyframe interval is known.
const MAX_SEGMENT_DURATION: Duration = Duration::from_secs(10);
/// A segment may exceed the whole-second target duration by this much, because its rounded length
/// counts (§4.4.3.1).
pub(super) const SEGMENT_ROUNDING: Duration = Duration::from_millis(400);
/// Times in whole milliseconds can make a part longer than its frames by this much.
const PART_ROUNDING: Duration = Duration::from_millis(2);
/// Maximum time by which a keyframe may be early.
const MAX_EARLY_KEYFRAME: Duration = Duration::from_millis(50);
/// A forward step of the times that is larger than this is a discontinuity.
const MAX_FORWARD_JUMP: Duration = Duration::from_secs(3);
/// A backward step of the times that is larger than this is a discontinuity.
const MAX_BACKWARD_JUMP: Duration = Duration::from_secs(1);
/// How long to wait for the other track at the beginning.
const OTHER_TRACK_TIMEOUT: Duration = Duration::from_secs(1);
/// How long to wait for a keyframe if there is audio.
const FIRST_KEYFRAME_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of packets that wait for the beginning, and their maximum size in bytes. Hostile
/// publishers send large packets whose times stand still.
const MAX_WAITING_PACKETS: usize = 1_024;
const MAX_WAITING_BYTES: usize = 16 << 20;
/// The minimum duration of a part as a fraction of the promised one, unless the part ends its segment.
const MIN_PART_FRACTION: f64 = 0.85;
/// A part ends at this size in bytes.
const MAX_PART_BYTES: usize = 4 << 20;
/// A segment ends at this size in bytes.
const MAX_SEGMENT_BYTES: usize = 16 << 20;

/// The lengths of parts and segments.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Lengths {
    /// Maximum duration of a part, unless a frame is longer.
    pub part: Duration,
    /// A segment ends at the first keyframe after this duration.
    pub segment: Duration,
}

/// Cutter of one stream into segments and parts.
#[derive(Debug)]
pub(crate) struct Cutter {
    lengths: Lengths,
    /// Target duration in whole seconds; the first segment sets it, and it stays constant.
    target: Option<Duration>,
    /// Target duration of parts; the first part sets it, and it stays constant.
    part_target: Option<Duration>,
    /// The end of a part that ends within its last frame or packet. The next frame or packet
    /// outputs this part.
    exceeded: Option<Timestamp>,
    /// The longest keyframe interval.
    key_interval: Duration,
    /// The time of the last keyframe.
    last_key: Option<Timestamp>,
    video: Option<VideoConfig>,
    audio: Option<AudioConfig>,
    /// Packets that wait until the beginning is possible.
    waiting: Vec<EncodedPacket>,
    /// The time since which packets have been waiting.
    waiting_since: Option<Timestamp>,
    timeline: Option<Timeline>,
    /// True if the tracks have changed: everything restarts at the next keyframe.
    outdated: bool,
    /// True if a new span must begin, because the clock of the publisher has drifted.
    drifted: bool,
    sequence: u32,
    /// For a rendition: the segments of the stream itself.
    alignment: Option<Alignment>,
}

impl Cutter {
    /// Creates a cutter; `key_interval` is the previous keyframe interval, if known.
    pub fn new(lengths: Lengths, key_interval: Option<Duration>) -> Self {
        Self {
            lengths,
            target: None,
            part_target: None,
            exceeded: None,
            key_interval: key_interval.unwrap_or_default().min(MAX_SEGMENT_DURATION),
            last_key: None,
            video: None,
            audio: None,
            waiting: Vec::new(),
            waiting_since: None,
            timeline: None,
            outdated: false,
            drifted: false,
            sequence: 0,
            alignment: None,
        }
    }

    /// Creates the cutter of a rendition. Its segments begin where those of the stream itself begin, after
    /// the segment with this number.
    pub fn aligned(lengths: Lengths, after: Option<u64>) -> Self {
        Self { alignment: Some(Alignment::after(after)), ..Self::new(lengths, None) }
    }

    /// Takes the segments of the stream itself, and their target duration.
    pub fn align(&mut self, starts: &[SegmentStart], target: Option<Duration>) {
        self.target = self.target.or(target);
        if let Some(alignment) = &mut self.alignment {
            alignment.add(starts);
        }
    }

    /// Returns the maximum segment length in whole seconds, or `None` before the first one is
    /// complete.
    pub fn target_duration(&self) -> Option<Duration> {
        self.target
    }

    /// Returns the newest time of the current span.
    pub fn newest(&self) -> Option<Timestamp> {
        self.timeline.as_ref().map(Timeline::newest)
    }

    /// Takes the next event.
    pub fn event(&mut self, event: &StreamEvent, cuts: &mut Vec<Cut>) {
        match event {
            StreamEvent::Config(TrackConfig::Video(config)) => {
                let config = Some(config).filter(|config| live::is_live_video(config.codec));
                if self.video.as_ref() != config {
                    self.interrupt(cuts);
                    self.video = config.cloned();
                }
            }
            StreamEvent::Config(TrackConfig::Audio(config)) => {
                let config = Some(config).filter(|config| live::is_live_audio(config.codec));
                if self.audio.as_ref() != config {
                    self.audio = config.cloned();
                    match &mut self.timeline {
                        Some(timeline) if timeline.has_video() => {
                            timeline.drop_audio();
                            self.outdated = true;
                        }
                        _ => self.interrupt(cuts),
                    }
                }
            }
            StreamEvent::Packet(packet) => self.packet(packet, cuts),
            StreamEvent::Discontinuity | StreamEvent::End => self.interrupt(cuts),
            StreamEvent::Metadata(_) => {}
        }
    }

    /// Begins a new span at the next keyframe, or at once if there is no video.
    pub fn begin_span(&mut self) {
        self.drifted = true;
    }

    /// Handles a pause of the stream: outputs the remaining samples, and begins again with the next
    /// packets.
    pub fn interrupt(&mut self, cuts: &mut Vec<Cut>) {
        self.end_span(self.timeline.as_ref().and_then(Timeline::end), cuts);
    }

    /// Ends the span at `dts`, where the next one begins with a keyframe.
    fn end_span_at(&mut self, dts: Timestamp, cuts: &mut Vec<Cut>) {
        let Some(timeline) = &mut self.timeline else { return };
        let (dts, lasts) = timeline.expect_video(dts);
        self.cut_exceeded(dts, cuts);
        self.cut_pause((dts, dts), lasts, cuts);
        self.end_span(Some(dts), cuts);
    }

    /// Ends the span. `end` is the end of its last frame, or of its audio if there is no video.
    fn end_span(&mut self, end: Option<Timestamp>, cuts: &mut Vec<Cut>) {
        self.waiting.clear();
        self.waiting_since = None;
        self.last_key = None;
        (self.outdated, self.drifted) = (false, false);
        if let Some(end) = end {
            self.cut_exceeded(end, cuts);
            self.cut_last_frame(end, cuts);
        }
        self.exceeded = None;
        if let Some(mut timeline) = self.timeline.take() {
            if let Some(end) = end {
                timeline.finish(end, &mut self.sequence, cuts);
            }
            let lasted = timeline.segment_lasted();
            self.end_segment(lasted, cuts);
        }
    }

    /// Resets the configs after the publisher left, because the next publisher has its own.
    pub fn forget(&mut self, cuts: &mut Vec<Cut>) {
        self.interrupt(cuts);
        (self.video, self.audio) = (None, None);
    }

    fn packet(&mut self, packet: &EncodedPacket, cuts: &mut Vec<Cut>) {
        let known = match packet.track {
            Track::Video => self.video.is_some(),
            Track::Audio => self.audio.is_some(),
            Track::Extra(_) | Track::Rendition(_) => false,
        };
        if !known {
            return;
        }
        let Some(timeline) = &self.timeline else { return self.wait(packet, cuts) };
        let dts = packet.dts;
        let jumps = dts > timeline.newest() + MAX_FORWARD_JUMP
            || timeline.newest_of(packet.track).is_some_and(|last| dts + MAX_BACKWARD_JUMP < last);
        let is_video = packet.track == Track::Video;
        // The track did not exist at the beginning.
        let is_new = if is_video { !timeline.has_video() } else { !timeline.has_audio() };
        let begins_span = is_video && packet.keyframe && (is_new || self.outdated || self.drifted)
            || self.drifted && !timeline.has_video();
        if jumps || begins_span || is_new && !is_video && !timeline.has_video() {
            if jumps || is_new || !is_video {
                self.interrupt(cuts);
            } else {
                self.end_span_at(dts, cuts);
            }
            return self.wait(packet, cuts);
        }
        if is_new {
            self.outdated = true;
        } else if is_video {
            self.take_video(packet, cuts);
        } else {
            self.take_audio(packet, cuts);
        }
    }

    /// Waits for the beginning: the tracks must be known, and video begins with a keyframe.
    fn wait(&mut self, packet: &EncodedPacket, cuts: &mut Vec<Cut>) {
        let has = |waiting: &[EncodedPacket], track| waiting.iter().any(|it| it.track == track);
        let is_video = packet.track == Track::Video;
        if is_video && !packet.keyframe && !has(&self.waiting, Track::Video) {
            return;
        }
        self.waiting.push(packet.clone());
        let since = *self.waiting_since.get_or_insert(packet.dts);
        let (video, audio) = (has(&self.waiting, Track::Video), has(&self.waiting, Track::Audio));
        let waited = packet.dts.since(since);
        let begins = match (self.video.is_some(), video, audio) {
            (true, true, true) => true,
            (true, false, _) => waited >= FIRST_KEYFRAME_TIMEOUT,
            _ => waited >= OTHER_TRACK_TIMEOUT || self.is_waiting_full(),
        };
        if begins {
            self.begin(cuts);
        } else if !video && (waited >= OTHER_TRACK_TIMEOUT || self.is_waiting_full()) {
            // Audio before the first keyframe is not used.
            self.waiting.clear();
        }
    }

    /// Returns true if no more packets may wait.
    fn is_waiting_full(&self) -> bool {
        let bytes: usize = self.waiting.iter().map(|packet| packet.data.len()).sum();
        self.waiting.len() >= MAX_WAITING_PACKETS || bytes >= MAX_WAITING_BYTES
    }

    fn begin(&mut self, cuts: &mut Vec<Cut>) {
        let packets = std::mem::take(&mut self.waiting);
        self.waiting_since = None;
        let first = |track| packets.iter().find(|it| it.track == track).map(|it| it.dts);
        let (first_video, first_audio) = (first(Track::Video), first(Track::Audio));
        let video = self.video.as_ref().filter(|_| first_video.is_some());
        let audio = self.audio.as_ref().filter(|_| first_audio.is_some());
        let Some(mut start) = first_video.or(first_audio) else { return };
        let mut aligned = None;
        if let Some(alignment) = &mut self.alignment {
            let leading = if video.is_some() { Track::Video } else { Track::Audio };
            let times = packets.iter().filter(|it| it.track == leading);
            let times = times.filter(|it| it.keyframe).map(|it| it.pts);
            // Without a match, the rendition waits for the next segment.
            let Some((at, of_stream)) = alignment.begin(times) else { return };
            (start, aligned) = (at, Some(of_stream));
        }
        cuts.push(Cut::Begin(Box::new(Initialization::new(video, audio))));
        let leads = |it: &&EncodedPacket| it.track == Track::Video && it.dts >= start;
        let shown = packets.iter().find(leads).map_or(start, |it| it.pts);
        begin_segment(aligned, StartTime { start, shown }, cuts);
        self.timeline = Some(Timeline::new(video, audio, start));
        for packet in packets.iter().filter(|it| it.dts >= start) {
            match packet.track {
                Track::Video => self.take_video(packet, cuts),
                _ => self.take_audio(packet, cuts),
            }
        }
    }

    fn take_video(&mut self, packet: &EncodedPacket, cuts: &mut Vec<Cut>) {
        let limit = self.limit();
        let Some(timeline) = &mut self.timeline else { return };
        let (dts, lasts) = timeline.expect_video(packet.dts);
        self.cut_exceeded(dts, cuts);
        self.cut_pause((dts, dts), lasts, cuts);
        let part = self.part_limit(lasts);
        let Some(timeline) = &mut self.timeline else { return };
        if packet.keyframe {
            let interval = self.last_key.map_or(Duration::ZERO, |last| dts.since(last));
            self.key_interval = self.key_interval.max(interval.min(MAX_SEGMENT_DURATION));
            self.last_key = Some(dts);
        }
        let since = dts.since(timeline.segment_start());
        let aligned = self.alignment.as_mut().map(|it| it.due(packet.pts));
        let keyframe_suits = packet.keyframe
            && !since.is_zero()
            && (since + MAX_EARLY_KEYFRAME >= self.lengths.segment
                || since + self.key_interval > limit);
        let too_long = since + lasts > limit || timeline.segment_bytes() > MAX_SEGMENT_BYTES;
        let ends = aligned.map_or(keyframe_suits || too_long, |due| due.is_some());
        if ends {
            timeline.cut(dts, &mut self.sequence, cuts);
            self.end_segment(since, cuts);
            let at = StartTime { start: dts, shown: packet.pts };
            begin_segment(aligned.flatten(), at, cuts);
        } else if dts.since(timeline.part_start()) + lasts > part {
            self.end_part(dts, lasts, cuts);
        } else if timeline.part_bytes() > MAX_PART_BYTES {
            timeline.cut(dts, &mut self.sequence, cuts);
        }
        if let Some(timeline) = &mut self.timeline {
            timeline.push_video(packet, dts);
        }
    }

    fn take_audio(&mut self, packet: &EncodedPacket, cuts: &mut Vec<Cut>) {
        let longest = self.lengths.part;
        let Some(timeline) = &mut self.timeline else { return };
        let Some((begins, lasts)) = timeline.expect_audio(packet) else { return };
        let has_video = timeline.has_video();
        if !has_video {
            self.cut_exceeded(begins, cuts);
        }
        let Some(timeline) = &mut self.timeline else { return };
        // If no more frames arrive, audio continues without them.
        if !has_video || timeline.is_video_stalled(begins, longest) {
            let shown = timeline.stopped_frame_end().unwrap_or(begins);
            self.cut_pause((begins, shown), lasts, cuts);
        }
        let part = self.part_limit(lasts);
        let Some(timeline) = &mut self.timeline else { return };
        if !has_video {
            let since = begins.since(timeline.segment_start());
            let aligned = self.alignment.as_mut().map(|it| it.due(begins));
            if aligned.map_or(since + lasts > self.lengths.segment, |due| due.is_some()) {
                timeline.cut(begins, &mut self.sequence, cuts);
                self.end_segment(since, cuts);
                let at = StartTime { start: begins, shown: begins };
                begin_segment(aligned.flatten(), at, cuts);
            } else if begins.since(timeline.part_start()) + lasts > part {
                self.end_part(begins, lasts, cuts);
            }
        }
        if let Some(timeline) = &mut self.timeline {
            timeline.push_audio(packet);
        }
    }

    /// Ends a part before a frame or packet at `at`, which lasts `lasts`. If the part would then be shorter than
    /// promised, it ends within this frame or packet instead.
    fn end_part(&mut self, at: Timestamp, lasts: Duration, cuts: &mut Vec<Cut>) {
        let Some(timeline) = &mut self.timeline else { return };
        let lasted = at.since(timeline.part_start());
        if let Some(target) = self.part_target {
            let is_long_enough = lasted >= target.mul_f64(MIN_PART_FRACTION);
            if !is_long_enough || !timeline.cut(at, &mut self.sequence, cuts) {
                self.exceeded = Some(timeline.part_start() + target);
            }
            return;
        }
        promise(&mut self.part_target, part_target(lasted, lasts, self.lengths.part), cuts);
        timeline.cut(at, &mut self.sequence, cuts);
    }

    /// Outputs complete parts within the last frame, which ends at `end`.
    fn cut_last_frame(&mut self, end: Timestamp, cuts: &mut Vec<Cut>) {
        let (Some(target), Some(timeline)) = (self.part_target, &mut self.timeline) else { return };
        while end.since(timeline.part_start()) > target {
            let until = timeline.part_start() + target;
            if !timeline.cut_within(until, end, &mut self.sequence, cuts) {
                return;
            }
        }
    }

    /// Outputs the part that ends within its last frame or packet, which lasts until `until`.
    fn cut_exceeded(&mut self, until: Timestamp, cuts: &mut Vec<Cut>) {
        let (Some(end), Some(target)) = (self.exceeded.take(), self.part_target) else { return };
        let Some(timeline) = &mut self.timeline else { return };
        if end == timeline.part_start() + target && until > end {
            // After a pause, the frame does not last until the next one.
            let shown = if until.since(end) < MAX_FORWARD_JUMP { until } else { end };
            timeline.cut_within(end, shown, &mut self.sequence, cuts);
        }
    }

    /// Cuts complete parts whose end is before `until`. After a pause, they contain the audio that
    /// continued, or nothing, and the last frame lasts until `shown`. `lasts` is the usual duration of a
    /// frame or packet, which is no pause.
    fn cut_pause(
        &mut self,
        (until, shown): (Timestamp, Timestamp),
        lasts: Duration,
        cuts: &mut Vec<Cut>,
    ) {
        let (longest, limit) = (self.part_limit(lasts), self.limit());
        while let Some(timeline) = &mut self.timeline
            && until.since(timeline.part_start()) > longest
        {
            promise(&mut self.part_target, self.lengths.part, cuts);
            let part = self.part_target.unwrap_or(self.lengths.part);
            let end = timeline.part_start() + part;
            if !timeline.cut_within(end, shown, &mut self.sequence, cuts) {
                timeline.skip_to(until);
            }
            let (lasted, start) = (timeline.segment_lasted(), timeline.part_start());
            let aligned = self.alignment.as_mut().map(|it| it.due(start));
            if aligned.map_or(lasted + part > limit, |due| due.is_some()) {
                self.end_segment(lasted, cuts);
                begin_segment(aligned.flatten(), StartTime { start, shown: start }, cuts);
            }
        }
    }

    /// Returns the maximum duration of a part. Before the first part is complete, it depends on the usual duration of
    /// a frame or packet, because every part has at least one.
    fn part_limit(&self, lasts: Duration) -> Duration {
        let first = (self.lengths.part + PART_ROUNDING).max(lasts + lasts / 10);
        self.part_target.unwrap_or(first)
    }

    /// Returns the maximum duration of a segment.
    fn limit(&self) -> Duration {
        self.target.map_or(MAX_SEGMENT_DURATION, |target| target + SEGMENT_ROUNDING)
    }

    fn end_segment(&mut self, lasted: Duration, cuts: &mut Vec<Cut>) {
        let longest =
            lasted.max(self.lengths.segment).max(self.key_interval).min(MAX_SEGMENT_DURATION);
        self.target.get_or_insert_with(|| {
            let seconds = (longest.as_secs_f64() - 0.1).ceil().max(1.0);
            Duration::from_secs_f64(seconds)
        });
        if let Some(timeline) = &mut self.timeline {
            timeline.begin_segment();
        }
        cuts.push(Cut::SegmentEnd);
    }
}

/// Returns the target duration of parts after the first one, whose frames or packets usually last `lasts`. A part must
/// last at least 85 % of it (RFC 8216bis §4.4.4.9), so it follows the length of whole frames, with room for rounded
/// times. If frames differ in length, it is the longest part.
fn part_target(lasted: Duration, lasts: Duration, longest: Duration) -> Duration {
    let count = (lasted.as_secs_f64() / lasts.as_secs_f64().max(0.001)).round().max(1.0);
    let regular = lasts.mul_f64(count);
    let tolerance = Duration::from_millis(1).mul_f64(count + 1.0);
    if lasted.abs_diff(regular) > tolerance {
        return longest.max(lasted);
    }
    let room = (lasts / 4).min(lasted / 10);
    let target = lasted + room;
    let most = longest + PART_ROUNDING;
    let target = if lasted < most { target.min(most) } else { target };
    Duration::from_millis(u64::try_from(target.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX))
}

/// Sets the target duration of parts, unless it is known.
fn promise(known: &mut Option<Duration>, target: Duration, cuts: &mut Vec<Cut>) {
    if known.is_none() {
        *known = Some(target);
        cuts.push(Cut::PartTarget(target));
    }
}

/// Reports the start of a segment.
fn begin_segment(aligned: Option<SegmentStart>, at: StartTime, cuts: &mut Vec<Cut>) {
    cuts.push(aligned.map_or(Cut::SegmentStart(at), Cut::Aligned));
}
