//! The span between two discontinuities: the samples of the current part, and the start times of
//! the part and of its segment. A frame lasts until the next one, and audio as long as its codec
//! specifies, so the decode times of chunks are continuous, although times on the wire are rounded.
//! This module is pure.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::{AudioCodec, AudioConfig, EncodedPacket, Track, VideoConfig};
use crate::server::hls::part::{Cut, Part};
use crate::wire::container::audio::opus_lasts;
use crate::wire::container::audio_frame;
use crate::wire::container::mp4::live::{
    self, ChunkSample, ChunkTrack, FIRST_TRACK_ID, SECOND_TRACK_ID, VIDEO_TIMESCALE,
};
use crate::wire::container::mp4::sample_table::{Entry, micros, ticks};

/// A frame of at least this duration does not define the duration of the next one.
const LONG_FRAME_DURATION: Duration = Duration::from_secs(1);
/// Minimum and maximum declared duration of the last frame if the video has stopped. Players stop where a track has no
/// frame, and drop the frames after a gap until the next keyframe. If the next frame is earlier, it ends the last one.
const STOPPED_FRAME_DURATION: (Duration, Duration) =
    (Duration::from_secs(4), Duration::from_secs(10));
/// Audio continues the previous packet if the gap is at most this long.
const MAX_AUDIO_JITTER: Duration = Duration::from_millis(50);
/// Video that is this much behind the audio has stopped.
const MAX_VIDEO_LAG: Duration = Duration::from_secs(1);

/// The span between two discontinuities.
#[derive(Debug)]
pub(super) struct Timeline {
    video: Option<VideoSamples>,
    audio: Option<AudioSamples>,
    part_start: Timestamp,
    segment_start: Timestamp,
    part_bytes: usize,
    segment_bytes: usize,
}

#[derive(Debug)]
struct VideoSamples {
    samples: Vec<ChunkSample>,
    last: Option<Timestamp>,
    /// The usual duration of a frame.
    lasts: Duration,
    /// The time between the last two frames.
    interval: Duration,
}

#[derive(Debug)]
struct AudioSamples {
    track: ChunkTrack,
    codec: AudioCodec,
    rate: u32,
    /// The duration of a packet in ticks, unless it declares its own.
    frame: u32,
    samples: Vec<ChunkSample>,
    /// The end of the last packet in ticks.
    end: Option<i64>,
    last: Option<Timestamp>,
    last_duration: u32,
}

impl Timeline {
    pub fn new(video: Option<&VideoConfig>, audio: Option<&AudioConfig>, start: Timestamp) -> Self {
        let number = if video.is_some() { SECOND_TRACK_ID } else { FIRST_TRACK_ID };
        Self {
            video: video.map(|video| VideoSamples {
                samples: Vec::new(),
                last: None,
                lasts: video.frame_rate.period(),
                interval: Duration::ZERO,
            }),
            audio: audio.map(|audio| {
                let (frame, rate) = audio_frame(audio);
                AudioSamples {
                    track: ChunkTrack { number, video: false },
                    codec: audio.codec,
                    rate,
                    frame,
                    samples: Vec::new(),
                    end: None,
                    last: None,
                    last_duration: frame,
                }
            }),
            part_start: start,
            segment_start: start,
            part_bytes: 0,
            segment_bytes: 0,
        }
    }

    pub fn has_video(&self) -> bool {
        self.video.is_some()
    }

    pub fn has_audio(&self) -> bool {
        self.audio.is_some()
    }

    pub fn part_start(&self) -> Timestamp {
        self.part_start
    }

    pub fn segment_start(&self) -> Timestamp {
        self.segment_start
    }

    pub fn part_bytes(&self) -> usize {
        self.part_bytes
    }

    pub fn segment_bytes(&self) -> usize {
        self.segment_bytes
    }

    /// Returns the duration of the segment up to the end of the last part.
    pub fn segment_lasted(&self) -> Duration {
        self.part_start.since(self.segment_start)
    }

    /// Returns the newest time of a track.
    pub fn newest_of(&self, track: Track) -> Option<Timestamp> {
        match track {
            Track::Video => self.video.as_ref()?.last,
            _ => self.audio.as_ref()?.last,
        }
    }

    /// Returns the end of the newest frame, or of the audio if there is no video.
    pub fn end(&self) -> Option<Timestamp> {
        let shown = self.video.as_ref().and_then(|video| Some(video.last? + video.lasts));
        let audio_end =
            || self.audio.as_ref().and_then(|audio| Some(micros(audio.end?, audio.rate)));
        shown.or_else(audio_end)
    }

    /// Returns the newest time of all tracks.
    pub fn newest(&self) -> Timestamp {
        let newest = self.newest_of(Track::Video).max(self.newest_of(Track::Audio));
        newest.unwrap_or(self.part_start)
    }

    /// Ends the audio, because another format follows.
    pub fn drop_audio(&mut self) {
        self.audio = None;
    }

    pub fn begin_segment(&mut self) {
        self.segment_start = self.part_start;
        self.segment_bytes = self.part_bytes;
    }

    /// Returns the decode time of a frame with this `dts`, and its duration.
    pub fn expect_video(&mut self, dts: Timestamp) -> (Timestamp, Duration) {
        let Some(video) = &mut self.video else { return (dts, Duration::ZERO) };
        let Some(last) = video.last else { return (dts, video.lasts) };
        let dts = dts.max(last + Duration::from_millis(1));
        let lasted = dts.since(last);
        video.interval = lasted;
        if lasted < LONG_FRAME_DURATION {
            video.lasts = lasted;
        }
        (dts, video.lasts)
    }

    pub fn push_video(&mut self, packet: &EncodedPacket, dts: Timestamp) {
        let Some(video) = &mut self.video else { return };
        let Ok(size) = u32::try_from(packet.data.len()) else { return };
        let (at, shown) = (ticks(dts, VIDEO_TIMESCALE), ticks(packet.pts, VIDEO_TIMESCALE));
        let composition = i32::try_from(shown - at).unwrap_or(0);
        let entry = Entry { dts: at, composition, size, keyframe: packet.keyframe };
        video.samples.push(ChunkSample { entry, data: packet.data.clone() });
        video.last = Some(dts);
        self.count(packet.data.len());
    }

    /// Returns the start and duration of a packet, or `None` if it begins well before the end of
    /// the previous one, or if there is no audio track.
    pub fn expect_audio(&mut self, packet: &EncodedPacket) -> Option<(Timestamp, Duration)> {
        let audio = self.audio.as_mut()?;
        audio.last = audio.last.max(Some(packet.dts));
        let at = audio.place(packet)?;
        let lasts = audio.lasts(packet);
        let lasts = u64::from(lasts) * 1_000_000 / u64::from(audio.rate.max(1));
        Some((micros(at, audio.rate), Duration::from_micros(lasts)))
    }

    pub fn push_audio(&mut self, packet: &EncodedPacket) {
        let Some(audio) = &mut self.audio else { return };
        let Ok(size) = u32::try_from(packet.data.len()) else { return };
        let Some(at) = audio.place(packet) else { return };
        let entry = Entry { dts: at, composition: 0, size, keyframe: true };
        audio.samples.push(ChunkSample { entry, data: packet.data.clone() });
        audio.last_duration = audio.lasts(packet);
        audio.end = Some(at + i64::from(audio.last_duration));
        self.count(packet.data.len());
    }

    fn count(&mut self, bytes: usize) {
        self.part_bytes += bytes;
        self.segment_bytes += bytes;
    }

    /// Returns true if audio is so far ahead that video must have stopped.
    pub fn is_video_stalled(&self, audio: Timestamp, part: Duration) -> bool {
        let last = self.newest_of(Track::Video).unwrap_or(self.part_start);
        audio.since(last) > MAX_VIDEO_LAG.max(part * 2)
    }

    /// Returns the declared end of the last frame if the video has stopped. The next frame may be a
    /// little later than the last interval suggests.
    pub fn stopped_frame_end(&self) -> Option<Timestamp> {
        let video = self.video.as_ref()?;
        let expected = video.interval + video.interval / 4;
        Some(video.last? + expected.clamp(STOPPED_FRAME_DURATION.0, STOPPED_FRAME_DURATION.1))
    }

    /// Skips time without data: the next part begins at `start`.
    pub fn skip_to(&mut self, start: Timestamp) {
        self.part_start = start;
    }

    /// Outputs a part with everything before `end`. Returns false if the part is empty.
    pub fn cut(&mut self, end: Timestamp, sequence: &mut u32, cuts: &mut Vec<Cut>) -> bool {
        self.cut_within(end, end, sequence, cuts)
    }

    /// Outputs a part with everything that begins before `end`. Its last frame lasts until `shown`.
    pub fn cut_within(
        &mut self,
        end: Timestamp,
        shown: Timestamp,
        sequence: &mut u32,
        cuts: &mut Vec<Cut>,
    ) -> bool {
        let audio = self.audio.as_ref().map_or(0, |audio| {
            let end = ticks(end, audio.rate);
            audio.samples.partition_point(|sample| sample.entry.dts < end)
        });
        self.cut_samples((end, shown), audio, sequence, cuts)
    }

    /// Outputs all remaining samples, up to `end`.
    pub fn finish(&mut self, end: Timestamp, sequence: &mut u32, cuts: &mut Vec<Cut>) {
        let audio = self.audio.as_ref().map_or(0, |audio| audio.samples.len());
        let end = end.max(self.part_start);
        self.cut_samples((end, end), audio, sequence, cuts);
    }

    fn cut_samples(
        &mut self,
        (end, shown): (Timestamp, Timestamp),
        audio: usize,
        sequence: &mut u32,
        cuts: &mut Vec<Cut>,
    ) -> bool {
        let mut next_chunk = |track, samples: &[ChunkSample], last_duration| {
            *sequence = sequence.wrapping_add(1);
            live::chunk(track, *sequence, samples, last_duration)
        };
        let mut independent = self.video.is_none();
        let video = self.video.as_mut().and_then(|video| {
            let samples = std::mem::take(&mut video.samples);
            independent = samples.first()?.entry.keyframe;
            let last = samples.last()?.entry.dts;
            let lasts = u32::try_from(ticks(shown, VIDEO_TIMESCALE) - last).unwrap_or(1).max(1);
            let track = ChunkTrack { number: FIRST_TRACK_ID, video: true };
            Some(next_chunk(track, &samples, lasts))
        });
        let audio = self.audio.as_mut().and_then(|it| {
            let samples: Vec<_> = it.samples.drain(..audio.min(it.samples.len())).collect();
            let last = samples.last()?.entry.dts;
            let next = it.samples.first().map(|next| next.entry.dts).or(it.end);
            let lasts = next.and_then(|next| u32::try_from(next - last).ok());
            Some(next_chunk(it.track, &samples, lasts.unwrap_or(it.last_duration)))
        });
        if video.is_none() && audio.is_none() {
            return false;
        }
        let duration = end.since(self.part_start);
        let start = self.part_start;
        cuts.push(Cut::Part(Part { start, duration, independent, video, audio }));
        self.part_start = end;
        self.part_bytes = self
            .audio
            .as_ref()
            .map_or(0, |audio| audio.samples.iter().map(|sample| sample.data.len()).sum());
        true
    }
}

impl AudioSamples {
    /// Returns the position of a packet in ticks, or `None` if the packet begins well before the
    /// end of the last one.
    fn place(&self, packet: &EncodedPacket) -> Option<i64> {
        let start = ticks(packet.dts, self.rate);
        let Some(end) = self.end else { return Some(start) };
        let jitter = ticks(Timestamp::ZERO + MAX_AUDIO_JITTER, self.rate);
        match start - end {
            off if off.abs() <= jitter => Some(end),
            off if off < 0 => None,
            _ => Some(start),
        }
    }

    /// Returns the duration of a packet in ticks.
    fn lasts(&self, packet: &EncodedPacket) -> u32 {
        match self.codec {
            AudioCodec::Opus => opus_lasts(&packet.data).unwrap_or(self.frame),
            _ => self.frame,
        }
    }
}
