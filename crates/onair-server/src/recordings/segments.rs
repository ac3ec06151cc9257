//! The segments of a recording: their samples, and the positions of the samples in the file. A segment begins with a
//! keyframe, unless there is no video for a while. If the video begins late, the audio before it has its own segments.
//! The start of a segment depends only on earlier samples, so segments never change while the file grows.
//! This module is pure.

use std::ops::Range;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::audio_tracks::MAX_TRACKS;
use crate::media::{AudioConfig, VideoConfig};
use crate::server::recordings::samples::{Sample, SampleList};
use crate::wire::container::mp4::live::{
    self, FIRST_TRACK_ID, SECOND_TRACK_ID, VIDEO_TIMESCALE, is_live_audio, is_live_video,
};
use crate::wire::container::mp4::sample_table::{micros, ticks};
use crate::wire::container::{AudioTrack, SampleLocation, TrackId, Tracks, audio_frame};

/// A segment ends at the first keyframe after this duration, or at the first audio packet before the video begins.
const MIN_SEGMENT_DURATION: Duration = Duration::from_secs(4);
/// A segment ends without a keyframe at this duration, or at this size in bytes.
const MAX_SEGMENT_DURATION: Duration = Duration::from_secs(20);
const MAX_SEGMENT_BYTES: u64 = 64 << 20;
/// While a file grows, its other track may be behind by this much.
const MAX_TRACK_LAG: Duration = Duration::from_secs(1);
/// Maximum size of a sample in bytes. A larger one counts as damaged, and is skipped.
const MAX_SAMPLE_BYTES: u32 = 32 << 20;

/// The tracks in a segment.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum RecordedTracks {
    /// The video and the first audio track.
    All,
    Video,
    /// The audio track with this index.
    Audio(u8),
}

/// An audio track after the first one.
#[derive(Debug)]
pub(crate) struct OtherAudio {
    /// The index of the track in the file.
    pub index: u8,
    /// The title, which can be empty.
    pub name: String,
    pub config: AudioConfig,
    pub list: SampleList,
    /// The index of the first sample that is in no segment.
    next: usize,
}

/// A segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentSpan {
    pub start: Timestamp,
    pub duration: Duration,
    /// The samples of the video track.
    pub video: Range<usize>,
    /// The samples of the first audio track.
    pub audio: Range<usize>,
    /// The samples of each other audio track.
    pub others: Vec<Range<usize>>,
    /// The total size of the samples in bytes, without other audio tracks.
    pub bytes: u64,
}

/// The samples of a recording, in segments.
#[derive(Debug, Default)]
pub(crate) struct SegmentIndex {
    pub video_config: Option<VideoConfig>,
    pub audio_config: Option<AudioConfig>,
    /// The title of the first audio track, which can be empty.
    pub audio_name: String,
    pub video: SampleList,
    pub audio: SampleList,
    /// The other audio tracks, in the order of the file.
    pub others: Vec<OtherAudio>,
    pub segments: Vec<SegmentSpan>,
    /// Time zero of the recording in the file.
    origin: Option<Timestamp>,
    /// The index of the first video sample that is in no segment.
    next_video: usize,
    /// The index of the first audio sample that is in no segment.
    next_audio: usize,
    /// The start of the next segment.
    next_start: Option<Timestamp>,
    /// True if the video leads. Before the video begins, the audio leads.
    video_leads: bool,
    /// The index of the first sample that has not been checked as the end of a segment, in the track that leads.
    checked: usize,
}

impl SegmentIndex {
    /// Adds samples, in the order of the file.
    pub fn add(&mut self, tracks: &Tracks, samples: &[SampleLocation]) {
        if self.origin.is_none() {
            self.video_config = tracks.video.clone().filter(|it| is_live_video(it.codec));
            let audio = tracks.audio.first().filter(|it| is_live_audio(it.config.codec));
            self.audio_config = audio.map(|audio| audio.config.clone());
            self.audio_name = audio.map(|audio| audio.name.clone()).unwrap_or_default();
            self.origin = samples.iter().map(|sample| sample.dts).min();
            if let Some(video) = &self.video_config {
                let period = ticks(Timestamp::ZERO + video.frame_rate.period(), VIDEO_TIMESCALE);
                self.video.last_duration = u32::try_from(period).unwrap_or(1).max(1);
                self.video.timescale = VIDEO_TIMESCALE;
            }
            if let Some(audio) = &self.audio_config {
                (self.audio.last_duration, self.audio.timescale) = audio_frame(audio);
                debug_assert_eq!(self.audio.timescale, live::audio_timescale(audio));
            }
        }
        let Some(origin) = self.origin else { return };
        self.add_tracks(&tracks.audio);
        for sample in samples.iter().filter(|sample| sample.size <= MAX_SAMPLE_BYTES) {
            let dts = Timestamp::from_micros(sample.dts.micros_since(origin).max(0));
            match sample.track {
                TrackId::Video if self.video_config.is_some() => self.add_video(sample, dts),
                TrackId::Audio(0) => {
                    if let Some(config) = &self.audio_config {
                        self.audio.push_audio(config.codec, sample, dts);
                    }
                }
                TrackId::Audio(index) => {
                    if let Some(other) = self.others.iter_mut().find(|it| it.index == index) {
                        other.list.push_audio(other.config.codec, sample, dts);
                    }
                }
                TrackId::Video => {}
            }
        }
    }

    /// Adds the audio tracks after the first one. In a file that grows, they may appear later than the others.
    fn add_tracks(&mut self, tracks: &[AudioTrack]) {
        if self.audio_config.is_none() {
            return;
        }
        for (index, track) in (0..MAX_TRACKS).zip(tracks).skip(1) {
            let is_known = self.others.iter().any(|it| it.index == index);
            if is_known || !is_live_audio(track.config.codec) {
                continue;
            }
            let (name, config) = (track.name.clone(), track.config.clone());
            let (last_duration, timescale) = audio_frame(&config);
            let list = SampleList { samples: Vec::new(), last_duration, timescale };
            self.others.push(OtherAudio { index, name, config, list, next: 0 });
            self.segments.iter_mut().for_each(|segment| segment.others.push(0..0));
        }
    }

    fn add_video(&mut self, sample: &SampleLocation, dts: Timestamp) {
        if self.video.samples.is_empty() && !sample.keyframe {
            return;
        }
        let dts = ticks(dts, VIDEO_TIMESCALE);
        // Times on the wire are rounded, and may be wrong. Decoding times increase anyway.
        let dts = self.video.samples.last().map_or(dts, |last| dts.max(last.dts + 1));
        let shift =
            ticks(Timestamp::from_micros(sample.pts.micros_since(sample.dts)), VIDEO_TIMESCALE);
        self.video.samples.push(Sample {
            at: sample.at,
            dts,
            composition: i32::try_from(shift).unwrap_or(0),
            size: sample.size,
            keyframe: sample.keyframe,
        });
    }

    /// Completes segments; with `ended`, also the last one.
    pub fn cut(&mut self, ended: bool) {
        // Players would wait for the first frame of a video track.
        if ended && self.segments.is_empty() && self.video.samples.is_empty() {
            self.video_config = None;
        }
        let newest = |list: &SampleList| list.time(list.samples.len());
        let newest = newest(&self.video).max(newest(&self.audio));
        loop {
            let start = self.next_start.unwrap_or_else(|| self.beginning());
            let first_frame = (!self.video.samples.is_empty()).then(|| self.video.time(0));
            let begins = |at: Timestamp| at.since(start) <= MIN_SEGMENT_DURATION;
            if !self.video_leads && first_frame.is_some_and(begins) {
                (self.video_leads, self.checked) = (true, 0);
            }
            let by_video = self.video_leads;
            let list = if by_video { &self.video } else { &self.audio };
            let first = if by_video { self.next_video } else { self.next_audio };
            // Audio before the video ends at the first frame.
            let first_frame = first_frame.filter(|_| !by_video);
            let mut bytes = list.bytes(&(first..self.checked.max(first)));
            // Without video, each segment has audio, so that their number has a limit.
            let audio = self.audio.samples.get(self.next_audio).filter(|_| by_video);
            let audio = audio.map(|it| micros(it.dts, self.audio.timescale));
            let limit = audio.map(|audio| audio.max(start) + MAX_SEGMENT_DURATION).or(first_frame);
            // After a cut without video, the next frame begins later than its segment.
            let is_led = list.samples.get(first).is_some_and(|_| list.time(first) <= start);
            let is_led = is_led || self.next_start.is_none();
            let mut at = self.checked.max(first + usize::from(is_led));
            let end = loop {
                let Some(sample) = list.samples.get(at) else {
                    let lag = match (ended, by_video) {
                        (true, false) => Duration::ZERO,
                        (true, true) => MAX_TRACK_LAG,
                        (false, _) => MAX_TRACK_LAG * 2,
                    };
                    break limit.filter(|limit| newest.since(*limit) >= lag);
                };
                let time = list.time(at);
                if let Some(limit) = limit.filter(|limit| time.since(*limit) >= MAX_TRACK_LAG) {
                    break Some(limit);
                }
                bytes += u64::from(sample.size);
                let since = time.since(start);
                let is_due = sample.keyframe && since >= MIN_SEGMENT_DURATION;
                let is_full = since >= MAX_SEGMENT_DURATION || bytes > MAX_SEGMENT_BYTES;
                let has_samples = at > first || audio.is_some_and(|audio| audio < time);
                if has_samples && (is_due || is_full) {
                    break Some(first_frame.map_or(time, |frame| frame.min(time)));
                }
                at += 1;
            };
            self.checked = at;
            let Some(end_time) = end else { break };
            if !ended && newest.since(end_time) < MAX_TRACK_LAG {
                break;
            }
            let ends = match by_video {
                true => (at, self.audio.until(self.next_audio, end_time)),
                false => (self.next_video, at),
            };
            self.close(ends, start, end_time, false);
        }
        let left = self.next_video < self.video.samples.len()
            || self.next_audio < self.audio.samples.len();
        if ended && left {
            let start = self.next_start.unwrap_or_else(|| self.beginning());
            let ends = (self.video.samples.len(), self.audio.samples.len());
            self.close(ends, start, newest.max(start), true);
        }
    }

    /// Returns the start of the first segment, which may have audio before its first frame.
    fn beginning(&self) -> Timestamp {
        let first = |list: &SampleList| (!list.samples.is_empty()).then(|| list.time(0));
        let times = [first(&self.video), first(&self.audio)];
        times.into_iter().flatten().min().unwrap_or_default()
    }

    /// Completes a segment that ends before these samples of the video and of the first audio track. The last segment
    /// has all samples.
    fn close(
        &mut self,
        (video_end, audio_end): (usize, usize),
        start: Timestamp,
        end_time: Timestamp,
        is_last: bool,
    ) {
        let (video, audio) = (self.next_video..video_end, self.next_audio..audio_end);
        let bytes = self.video.bytes(&video) + self.audio.bytes(&audio);
        let duration = end_time.since(start);
        let others = self.others.iter_mut().map(|other| {
            let end = match is_last {
                true => other.list.samples.len(),
                false => other.list.until(other.next, end_time),
            };
            let range = other.next..end;
            other.next = range.end;
            range
        });
        let others = others.collect();
        self.segments.push(SegmentSpan { start, duration, video, audio, others, bytes });
        (self.next_video, self.next_audio) = (video_end, audio_end);
        self.next_start = Some(end_time);
    }

    /// Returns the number of the audio track in segments.
    pub fn audio_number(&self) -> u32 {
        if self.video_config.is_some() { SECOND_TRACK_ID } else { FIRST_TRACK_ID }
    }

    /// Returns true if there is no sample yet.
    pub fn is_empty(&self) -> bool {
        self.video.samples.is_empty() && self.audio.samples.is_empty()
    }

    /// Returns the number of samples in memory.
    pub fn sample_count(&self) -> usize {
        let others: usize = self.others.iter().map(|other| other.list.samples.len()).sum();
        self.video.samples.len() + self.audio.samples.len() + others
    }

    /// Returns the config and the samples of an audio track, and its place among the others if it is not the first.
    pub fn audio_track(&self, index: u8) -> Option<(&AudioConfig, &SampleList, Option<usize>)> {
        if index == 0 {
            return self.audio_config.as_ref().map(|config| (config, &self.audio, None));
        }
        let place = self.others.iter().position(|it| it.index == index)?;
        self.others.get(place).map(|it| (&it.config, &it.list, Some(place)))
    }

    /// Returns the samples of an audio track in a segment.
    pub fn audio_range(&self, index: u8, segment: &SegmentSpan) -> Option<Range<usize>> {
        match self.audio_track(index)?.2 {
            None => Some(segment.audio.clone()),
            Some(place) => segment.others.get(place).cloned(),
        }
    }

    /// Returns the maximum size of a segment's files in bytes.
    pub fn segment_bytes(&self, segment: &SegmentSpan) -> u64 {
        segment.bytes.max(self.largest_audio(segment))
    }

    /// Returns the size of the largest audio track of a segment in bytes.
    pub fn largest_audio(&self, segment: &SegmentSpan) -> u64 {
        let others =
            self.others.iter().zip(&segment.others).map(|(it, range)| it.list.bytes(range));
        others.fold(self.audio.bytes(&segment.audio), u64::max)
    }

    /// Returns the duration of all complete segments.
    pub fn duration(&self) -> Duration {
        self.segments.iter().map(|segment| segment.duration).sum()
    }

    /// Returns the duration of the longest segment, or of a usual one if that is longer.
    pub fn longest(&self) -> Duration {
        let durations = self.segments.iter().map(|segment| segment.duration);
        durations.fold(MIN_SEGMENT_DURATION, Duration::max)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::{FrameRate, Size, VideoCodec};
    use crate::server::recordings::opened::RecordingContent;

    fn tracks() -> Tracks {
        let video = VideoConfig {
            size: Size::new(640, 360),
            frame_rate: FrameRate::FPS_30,
            ..crate::wire::container::track_config::bare_video_config(
                VideoCodec::Vp9,
                Bytes::new(),
                &[],
            )
        };
        live::tracks(Some(&video), Some(&live::simulated::aac()))
    }

    /// Returns samples for this many seconds, with a keyframe every 2 s, and with times in whole
    /// milliseconds, as in FLV.
    fn samples(seconds: i64, origin: i64) -> Vec<SampleLocation> {
        let mut all = Vec::new();
        for frame in 0..seconds * 30 {
            all.push((TrackId::Video, frame * 1_000 / 30, frame % 60 == 0));
        }
        for packet in 0..seconds * 48_000 / 1_024 {
            all.push((TrackId::Audio(0), packet * 1_024_000 / 48_000, true));
        }
        all.sort_by_key(|(track, at, _)| (*at, *track));
        let at = |millis: i64| Timestamp::from_millis(millis + origin);
        let located = all.into_iter().enumerate().map(|(index, (track, millis, keyframe))| {
            let (dts, at) = (at(millis), 100 * index as u64);
            SampleLocation { track, keyframe, dts, pts: dts, at, size: 100 }
        });
        located.collect()
    }

    #[test]
    fn segments_begin_with_keyframes_and_have_every_sample() {
        let mut index = SegmentIndex::default();
        index.add(&tracks(), &samples(21, 5_000_000));
        index.cut(true);
        let segments = &index.segments;
        let starts: Vec<_> = segments.iter().map(|it| it.start.as_millis()).collect();
        assert_eq!(starts, [0, 4_000, 8_000, 12_000, 16_000, 20_000]);
        assert!(segments.iter().all(|it| index.video.samples[it.video.start].keyframe));
        for pair in segments.windows(2) {
            assert_eq!(pair[0].start + pair[0].duration, pair[1].start);
            assert_eq!(pair[0].video.end, pair[1].video.start);
            assert_eq!(pair[0].audio.end, pair[1].audio.start);
        }
        let last = segments.last().unwrap();
        assert_eq!(last.video.end, index.video.samples.len());
        assert_eq!(last.audio.end, index.audio.samples.len());
        assert_eq!((index.video.samples.len(), index.audio.samples.len()), (630, 984));
        // The rounding to milliseconds is removed.
        let even = (0..983).all(|at| index.audio.duration(at) == 1_024);
        assert!(even && index.longest() == Duration::from_secs(4));
        let all = index.duration().as_secs_f64();
        assert!((20.99..21.05).contains(&all), "{all}");
    }

    #[test]
    fn other_audio_tracks_are_cut_at_the_same_times() {
        let mut tracks = tracks();
        let second = AudioTrack { name: "Comments".to_owned(), ..tracks.audio[0].clone() };
        let first_only = tracks.clone();
        tracks.audio.push(second);
        let mut all = samples(21, 0);
        let others = all.iter().filter(|it| it.track == TrackId::Audio(0));
        let others = others.map(|it| SampleLocation { track: TrackId::Audio(1), size: 150, ..*it });
        all.extend(others.collect::<Vec<_>>());
        all.sort_by_key(|it| it.dts);
        let mut index = SegmentIndex::default();
        // The track appears after the first segment.
        let (early, late) =
            all.split_at(all.iter().position(|it| it.dts.as_millis() > 6_000).unwrap());
        index.add(&first_only, early);
        index.cut(false);
        index.add(&tracks, late);
        index.cut(true);
        assert_eq!(index.others[0].name, "Comments");
        let span = &index.segments[0];
        assert_eq!(index.audio_range(1, span), Some(0..0), "a gap");
        for span in &index.segments[2..] {
            let others = index.audio_range(1, span).unwrap();
            assert_eq!(others.len(), span.audio.len());
            assert_eq!(index.largest_audio(span), 150 * others.len() as u64);
        }
        assert_eq!(
            index.audio_range(1, index.segments.last().unwrap()).unwrap().end,
            index.others[0].list.samples.len()
        );
        assert_eq!(
            (index.audio_track(2).is_none(), index.sample_count()),
            (true, 630 + 984 + index.others[0].list.samples.len())
        );
    }

    #[test]
    fn segments_are_the_same_while_the_file_grows() {
        let all = samples(34, 0);
        let mut whole = SegmentIndex::default();
        whole.add(&tracks(), &all);
        whole.cut(true);
        let mut growing = SegmentIndex::default();
        for piece in all.chunks(37) {
            growing.add(&tracks(), piece);
            growing.cut(false);
            let count = growing.segments.len();
            assert_eq!(growing.segments[..], whole.segments[..count]);
        }
        assert_eq!(growing.segments.len() + 1, whole.segments.len());
        growing.cut(true);
        assert_eq!(growing.segments, whole.segments);
    }

    #[test]
    fn audio_alone_and_rare_keyframes_are_cut_too() {
        let mut audio = SegmentIndex::default();
        let only: Vec<_> =
            samples(9, 0).into_iter().filter(|it| it.track != TrackId::Video).collect();
        audio.add(&Tracks { video: None, ..tracks() }, &only);
        audio.cut(true);
        assert_eq!(audio.segments.len(), 3);
        let mut without_frames = SegmentIndex::default();
        without_frames.add(&tracks(), &only);
        without_frames.cut(true);
        assert_eq!(without_frames.segments, audio.segments);
        assert_eq!(without_frames.video_config, None);
        // A viewer who came before the end gets an initialization segment without the video, too.
        let mut content = RecordingContent::default();
        content.index.add(&tracks(), &only[..20]);
        content.complete(false);
        assert!(content.initialization.as_ref().unwrap().video.is_some());
        content.complete(true);
        assert!(content.initialization.unwrap().video.is_none());
        let mut rare = SegmentIndex::default();
        let mut all = samples(45, 0);
        all.iter_mut().filter(|it| it.dts > Timestamp::ZERO).for_each(|it| it.keyframe = false);
        rare.add(&tracks(), &all);
        rare.cut(true);
        assert_eq!(rare.segments.len(), 3);
        assert!(rare.segments.iter().all(|it| it.duration <= MAX_SEGMENT_DURATION + MAX_TRACK_LAG));
    }

    /// Returns the segments of all samples, which are the same if the samples arrive one by one.
    fn segments(all: &[SampleLocation]) -> (SegmentIndex, Vec<usize>) {
        let mut whole = SegmentIndex::default();
        whole.add(&tracks(), all);
        whole.cut(true);
        let mut growing = SegmentIndex::default();
        for piece in all.chunks(13) {
            growing.add(&tracks(), piece);
            growing.cut(false);
        }
        let early = growing.segments.len();
        assert_eq!(growing.segments[..], whole.segments[..early]);
        growing.cut(true);
        assert_eq!(growing.segments, whole.segments);
        assert!(whole.segments.len() - early <= 2, "the others were there in time");
        assert!(whole.longest() <= MAX_SEGMENT_DURATION + MAX_TRACK_LAG);
        for pair in whole.segments.windows(2) {
            assert_eq!(pair[0].start + pair[0].duration, pair[1].start);
        }
        let frames = whole.segments.iter().map(|it| it.video.len()).collect();
        (whole, frames)
    }

    #[test]
    fn audio_after_the_video_is_cut_by_time() {
        let mut all = samples(65, 0);
        let is_gap = |it: &SampleLocation, end: i64| {
            it.track == TrackId::Video && (10_000..end).contains(&it.dts.as_millis())
        };
        all.retain(|it| !is_gap(it, i64::MAX));
        let (index, frames) = segments(&all);
        assert_eq!(frames, [120, 120, 60, 0, 0]);
        let last = index.segments.last().unwrap();
        assert_eq!((last.video.end, last.audio.end), (300, index.audio.samples.len()));
        // The video returns.
        let mut all = samples(65, 0);
        all.retain(|it| !is_gap(it, 36_000));
        let (index, frames) = segments(&all);
        assert_eq!(frames[..4], [120, 120, 60, 0]);
        assert!(index.segments.iter().all(|it| index.video.samples[it.video.start].keyframe));
        assert!(index.segments.iter().all(|it| !it.audio.is_empty()));
    }

    #[test]
    fn audio_long_before_the_video_is_cut_like_audio_alone() {
        let of = |seconds, audio_end: i64, frames: Range<i64>| {
            let mut all = samples(seconds, 0);
            all.retain(|it| match it.track {
                TrackId::Video => frames.contains(&it.dts.as_millis()),
                TrackId::Audio(_) => it.dts.as_millis() < audio_end,
            });
            segments(&all)
        };
        let (index, frames) = of(45, i64::MAX, 32_000..i64::MAX);
        assert_eq!(frames, [0, 0, 0, 0, 0, 0, 0, 60, 120, 120, 90]);
        assert!(index.longest() < Duration::from_secs(6), "{:?}", index.longest());
        assert!(index.segments.iter().all(|it| !it.audio.is_empty()));
        // The audio ends before the video begins.
        let (index, frames) = of(25, 10_000, 16_000..i64::MAX);
        assert_eq!(frames, [0, 0, 0, 120, 120, 30]);
        assert_eq!(index.segments[3].start.as_millis(), 16_000);
        assert_eq!(of(25, 10_000, 16_000..16_200).1, [0, 0, 0, 6]);
    }

    #[test]
    fn frames_after_audio_alone_are_all_checked() {
        let all = samples(21, 0);
        let is_early = |it: &SampleLocation| it.dts.as_millis() < 3_000;
        let mut index = SegmentIndex::default();
        let early: Vec<_> =
            all.iter().filter(|it| it.track != TrackId::Video && is_early(it)).copied().collect();
        index.add(&tracks(), &early);
        index.cut(false);
        let late: Vec<_> = all.iter().filter(|it| it.dts.as_millis() >= 4_000).copied().collect();
        index.add(&tracks(), &late);
        index.cut(true);
        assert_eq!(index.segments[0].video, 0..60);
    }

    #[test]
    fn nothing_and_nonsense_are_no_segments() {
        let mut index = SegmentIndex::default();
        index.cut(true);
        index.add(&tracks(), &[]);
        index.cut(true);
        assert_eq!((index.segments.len(), index.duration()), (0, Duration::ZERO));
        let mut wild = samples(30, 0);
        for (number, sample) in wild.iter_mut().enumerate() {
            sample.dts = Timestamp::from_micros(if number % 2 == 0 { i64::MAX / 4 } else { 0 });
            sample.size = u32::MAX >> (number % 16);
        }
        index.add(&tracks(), &wild);
        index.cut(true);
        let bytes = index.segments.iter().map(|it| index.video.bytes(&it.video)).max();
        assert!(bytes <= Some(MAX_SEGMENT_BYTES + 2 * u64::from(MAX_SAMPLE_BYTES)), "{bytes:?}");
    }
}
