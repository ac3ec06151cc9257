//! Computes the timestamps of a copy. The timestamps stay unchanged, or all of them are shifted if
//! the format does not support negative ones.

use std::time::Duration;

use crate::base::Timestamp;
use crate::wire::container::{Format, Index, SampleLocation, Timing, TrackId, TrackTiming};

/// Maximum number of samples over which the period of a track is measured.
const MAX_MEASURED_SAMPLES: usize = 2_000;

/// The timestamps of a copy.
#[derive(Clone, Debug)]
pub(super) struct CopyTimeline {
    pub timing: Timing,
    /// The shift in microseconds.
    pub shift: i64,
    /// The end of the copy.
    pub end: Timestamp,
}

impl CopyTimeline {
    pub fn of(index: &Index, format: Format) -> Self {
        let of = |id: TrackId| index.samples.iter().filter(move |place| place.track == id);
        let lowest = |places: &mut dyn Iterator<Item = &SampleLocation>| {
            let lowest = places.map(|place| place.dts.min(place.pts)).min();
            lowest.map_or(0, |at| at.as_micros().min(0).unsigned_abs())
        };
        let below = lowest(&mut index.samples.iter());
        // The shift is in whole milliseconds, so that rounded timestamps are not rounded again.
        let (shift, zero) = match format {
            Format::Flv => (below.div_ceil(1_000) * 1_000, 0),
            // The shift is in whole seconds, which every timescale represents exactly; edit lists
            // reverse the shift.
            Format::Mp4 => (0, below.div_ceil(1_000_000) * 1_000_000),
            // MKV has no decoding times, and audio before time zero is the codec's delay.
            Format::Mkv => {
                let shown = of(TrackId::Video).map(|place| place.pts).min();
                let below = shown.map_or(0, |at| at.as_micros().min(0).unsigned_abs());
                (below.div_ceil(1_000) * 1_000, 0)
            }
        };
        let (shift, zero) = (signed(shift), signed(zero));
        let track = |id: TrackId| {
            let entry = index.timescales.iter().find(|(track, _)| *track == id);
            let begins = of(id).map(|place| place.pts).min().unwrap_or_default();
            // Frames before time zero are hidden anyway.
            let from =
                index.shown_from.filter(|from| id == TrackId::Video && *from > Timestamp::ZERO);
            let shown =
                |from: Timestamp| of(id).map(|place| place.pts).filter(|pts| *pts >= from).min();
            TrackTiming {
                track: id,
                timescale: entry.map_or(0, |(_, timescale)| *timescale),
                period: period(of(id)).unwrap_or_else(|| index.tracks.length(id)),
                begins: begins.offset(shift),
                shown_from: from.and_then(shown).map(|from| from.offset(shift)),
            }
        };
        let tracks: Vec<_> = index.tracks.ids().map(track).collect();
        let zero = Timestamp::from_micros(zero);
        let timing = Timing { zero, tracks };
        let reach = |place: &SampleLocation| {
            let period = timing.of(place.track).map_or(Duration::ZERO, |its| its.period);
            place.pts + period
        };
        let end = index.samples.iter().map(reach).max().unwrap_or_default();
        Self { end: end.offset(shift).max(Timestamp::ZERO), timing, shift }
    }

    /// Returns the DTS and PTS of a sample for the muxer.
    pub fn place(&self, place: &SampleLocation) -> (Timestamp, Timestamp) {
        let shift = self.shift.saturating_add(self.timing.zero.as_micros());
        (place.dts.offset(shift), place.pts.offset(shift))
    }
}

fn signed(micros: u64) -> i64 {
    i64::try_from(micros).unwrap_or(i64::MAX / 4)
}

/// Returns the median interval between the first samples, or `None` if no interval is positive.
fn period<'a>(places: impl Iterator<Item = &'a SampleLocation>) -> Option<Duration> {
    let times: Vec<_> = places.take(MAX_MEASURED_SAMPLES).map(|place| place.dts).collect();
    let steps = times.iter().zip(times.iter().skip(1)).map(|(a, b)| b.micros_since(*a));
    let mut steps: Vec<i64> = steps.filter(|step| *step > 0).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).map(|step| Duration::from_micros(step.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{
        AudioCodec, AudioConfig, BitsPerSecond, FrameRate, Rotation, Size, VideoCodec, VideoConfig,
    };
    use crate::wire::container::Tracks;

    /// Makes an index of video with a first DTS of −66.667 ms, and of audio that begins at −21.333
    /// ms.
    fn index() -> Index {
        let video = VideoConfig {
            codec: VideoCodec::H264,
            size: Size::new(640, 360),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(0),
            codec_config: Default::default(),
            pixel_aspect: None,
            rotation: Rotation::None,
        };
        let audio = AudioConfig {
            codec: AudioCodec::Aac,
            sample_rate: 48_000,
            channels: 2,
            bitrate: BitsPerSecond(0),
            codec_config: Default::default(),
        };
        let tracks = Tracks { video: Some(video), audio: vec![audio.into()] };
        let place = |track, dts: i64, pts: i64| SampleLocation {
            track,
            keyframe: true,
            dts: Timestamp::from_micros(dts),
            pts: Timestamp::from_micros(pts),
            at: 0,
            size: 1,
        };
        let samples = vec![
            place(TrackId::Video, -66_667, 0),
            place(TrackId::Video, -33_333, 100_000),
            place(TrackId::Audio(0), -21_333, -21_333),
            place(TrackId::Video, 0, 33_333),
            place(TrackId::Audio(0), 0, 0),
            place(TrackId::Video, 33_333, 66_667),
        ];
        let timescales = vec![(TrackId::Video, 15_360), (TrackId::Audio(0), 48_000)];
        Index { tracks, samples, timescales, ..Index::default() }
    }

    #[test]
    fn only_a_format_without_times_below_zero_moves_anything() {
        let index = index();
        let times = |format| {
            let course = CopyTimeline::of(&index, format);
            let (dts, pts) = course.place(&index.samples[0]);
            let zero = course.timing.zero.as_micros();
            (dts.as_micros() - zero, pts.as_micros() - zero, course.end.as_micros())
        };
        assert_eq!(times(Format::Mp4), (-66_667, 0, 133_333));
        assert_eq!(times(Format::Mkv), (-66_667, 0, 133_333));
        // All timestamps are shifted by whole milliseconds.
        assert_eq!(times(Format::Flv), (333, 67_000, 200_333));
        let mp4 = CopyTimeline::of(&index, Format::Mp4);
        assert!(index.samples.iter().all(|place| mp4.place(place).0 >= Timestamp::ZERO));
        assert_eq!(mp4.timing.zero, Timestamp::from_millis(1_000));
        let audio_timing = mp4.timing.of(TrackId::Audio(0)).unwrap();
        assert_eq!((audio_timing.timescale, audio_timing.begins.as_micros()), (48_000, -21_333));
    }
}
