//! Reads the details of a recording: its duration, its tracks, and a thumbnail frame. The data that
//! it reads can be hostile.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::files::{MediaFile, samples};
use crate::media::scale::FrameScaler;
use crate::media::{AudioCodec, Planes, Size, VideoCodec, VideoConfig, VideoFrame};
use crate::problems::ToProblem;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::mkv::Outline;
use crate::wire::container::{Format, Index, SampleLocation, TrackId};

/// Maximum size of a thumbnail.
const MAX_THUMBNAIL_SIZE: Size = Size::new(192, 108);
/// Maximum size of the displayed frame at which a part begins or ends.
const MAX_FRAME_SIZE: Size = Size::new(560, 316);
/// Maximum number of packets that are decoded for one frame.
const MAX_PACKETS: usize = 48;
/// Maximum number of packets that are decoded for a frame if the only keyframe is hidden.
const MAX_HIDDEN_PACKETS: usize = 600;
/// Maximum position of the thumbnail. It is not at zero, because recordings often begin black.
const MAX_THUMBNAIL_POSITION: Duration = Duration::from_secs(10);
/// Maximum number of keyframes that are kept as possible beginnings of a part. Of more keyframes, only
/// every second, third… is kept, so that a part can begin anywhere in a long recording.
const MAX_KEYFRAMES: usize = 20_000;

/// The details of a recording.
#[derive(Clone, Debug)]
pub struct Details {
    pub duration: Duration,
    pub video: Option<VideoTrack>,
    pub audio: Vec<AudioTrackSummary>,
    /// The times at which a copied part of the recording can begin.
    pub keyframes: Vec<Duration>,
    pub thumbnail: Option<VideoFrame>,
    /// True if the recording was cut off and has no index yet.
    pub unfinished: bool,
}

/// The video track of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoTrack {
    pub codec: VideoCodec,
    pub size: Size,
    /// Frames per second, if known.
    pub fps: Option<f64>,
}

/// One audio track of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioTrackSummary {
    /// The name of the track; empty if it has none.
    pub name: String,
    pub codec: AudioCodec,
    pub sample_rate: u32,
    pub channels: u16,
}

fn problem(error: &crate::wire::container::Error) -> Problem {
    error.to_problem()
}

/// A recording that is open.
pub(super) struct Opened {
    file: MediaFile,
    /// The contents; without samples if there is an outline.
    index: Index,
    /// The contents of a finished MKV file, whose frames need not be read.
    outline: Option<Outline>,
}

impl Opened {
    pub fn new(path: &Path) -> Result<Self, Problem> {
        let mut file = MediaFile::open(path).map_err(|error| problem(&error.into()))?;
        let format = file.format().map_err(|error| problem(&error))?;
        let outline = match format {
            // An index that cannot be read is not needed.
            Format::Mkv => Outline::read(&mut file).ok().flatten(),
            Format::Flv | Format::Mp4 => None,
        };
        // The index is the same as for copying, so that a part that begins at one of these times
        // begins exactly there.
        let mut index = match &outline {
            Some(outline) => outline.index().clone(),
            None => file.index().map_err(|error| problem(&error))?,
        };
        samples::take_config(&mut file, &mut index).map_err(|error| problem(&error))?;
        Ok(Self { file, index, outline })
    }

    fn video(&self) -> impl DoubleEndedIterator<Item = &SampleLocation> {
        self.index.samples.iter().filter(|place| place.track == TrackId::Video)
    }

    /// Returns the keyframes that are shown.
    fn shown_keyframes(&self) -> impl DoubleEndedIterator<Item = &SampleLocation> {
        self.video().filter(|it| it.keyframe && self.index.shows(it.pts))
    }

    fn is_empty(&self) -> bool {
        self.outline.is_none() && self.index.samples.is_empty()
    }

    fn zero(&self) -> Timestamp {
        let first = match &self.outline {
            Some(outline) => Some(outline.begins),
            None => self.index.samples.iter().map(|place| place.pts).min(),
        };
        first.unwrap_or_default().max(Timestamp::ZERO)
    }

    fn end(&self) -> Timestamp {
        self.outline.as_ref().map_or_else(|| self.index.end(), |outline| outline.ends)
    }

    /// Returns the times of the keyframes.
    fn keyframes(&self) -> Vec<Timestamp> {
        match &self.outline {
            // An index of a file without video lists audio.
            Some(_) if self.index.tracks.video.is_none() => Vec::new(),
            Some(outline) => outline.keyframes.iter().map(|unit| unit.time).collect(),
            None => self.shown_keyframes().map(|place| place.pts).collect(),
        }
    }

    /// Returns the first packets from the last keyframe at or before `at`.
    fn packets(&mut self, at: Timestamp) -> Option<Vec<SampleLocation>> {
        if let Some(outline) = &self.outline {
            let after = outline.keyframes.partition_point(|unit| unit.time <= at);
            let keyframe = *outline.keyframes.get(after.saturating_sub(1))?;
            return outline.frames(&mut self.file, keyframe, MAX_PACKETS).ok();
        }
        let keys = || self.shown_keyframes();
        let shown = keys().rfind(|place| place.pts <= at).or_else(|| keys().next());
        // After a cut in the only GOP, the shown frames depend on a hidden keyframe.
        let hidden = || self.video().rfind(|place| place.keyframe);
        let most = if shown.is_some() { MAX_PACKETS } else { MAX_HIDDEN_PACKETS };
        let key = shown.or_else(hidden).copied()?;
        Some(self.video().filter(|it| it.dts >= key.dts).take(most).copied().collect())
    }

    /// Returns the frame of the last keyframe at or before `at`, at the size of the page.
    pub fn frame_at(&mut self, at: Duration) -> Option<VideoFrame> {
        self.frame(at, MAX_FRAME_SIZE)
    }

    /// Returns the frame of the last keyframe at or before `at`.
    fn frame(&mut self, at: Duration, fit: Size) -> Option<VideoFrame> {
        let config = self.index.tracks.video.clone()?;
        let at = self.zero().offset(i64::try_from(at.as_micros()).ok()?);
        let packets = self.packets(at)?;
        let shown = decode(&mut self.file, &self.index, &config, &packets)?;
        shrunk(&shown, fit)
    }
}

fn decode(
    file: &mut MediaFile,
    index: &Index,
    config: &VideoConfig,
    packets: &[SampleLocation],
) -> Option<VideoFrame> {
    let is_shown = |frame: &VideoFrame| index.shows(frame.pts);
    let mut decoder = crate::decode::open_video(config).ok()?;
    for place in packets {
        let packet = samples::sample(file, index, place).ok()??;
        if let Some(frame) = decoder.decode(&packet).ok()?.into_iter().find(is_shown) {
            return Some(frame);
        }
    }
    decoder.flush().into_iter().find(is_shown)
}

fn shrunk(frame: &VideoFrame, fit: Size) -> Option<VideoFrame> {
    let own = frame.size();
    let size = own.fitted_into(fit);
    if size.width >= own.width {
        return Some(frame.clone());
    }
    let mut planes = Planes::pool(size, 1).take();
    let Planes { y, u, v, .. } = &mut *planes;
    FrameScaler::default().scale(frame.planes(), [y, u, v], size).ok()?;
    Some(VideoFrame { surface: Arc::new(planes).into(), ..frame.clone() })
}

/// Returns at most `most` of these times, evenly distributed.
fn thinned(times: Vec<Duration>, most: usize) -> Vec<Duration> {
    let every = times.len().div_ceil(most.max(1)).max(1);
    times.into_iter().step_by(every).collect()
}

/// Reads the details of a recording.
///
/// # Errors
/// Fails with the reason why the details cannot be read.
pub fn details(path: &Path) -> Result<Details, Problem> {
    let mut opened = Opened::new(path)?;
    let index = &opened.index;
    if opened.is_empty() {
        return Err(problem!("play-nothing-in", place = path.display().to_string()));
    }
    let zero = opened.zero();
    let duration = opened.end().since(zero);
    let video = index.tracks.video.as_ref().map(|video| VideoTrack {
        codec: video.codec,
        size: video.displayed_size(),
        fps: Some(video.frame_rate.as_f64()).filter(|fps| *fps > 0.0),
    });
    let audio = index.tracks.audio.iter().map(|track| AudioTrackSummary {
        name: track.name.clone(),
        codec: track.config.codec,
        sample_rate: track.config.sample_rate,
        channels: track.config.channels,
    });
    let audio = audio.collect();
    let keyframes = opened.keyframes().into_iter().map(|at| at.since(zero)).collect();
    let keyframes = thinned(keyframes, MAX_KEYFRAMES);
    let unfinished = !index.finished;
    let thumbnail = opened.frame(MAX_THUMBNAIL_POSITION.min(duration / 3), MAX_THUMBNAIL_SIZE);
    Ok(Details { duration, video, audio, keyframes, thumbnail, unfinished })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_can_begin_near_the_end_of_a_recording_with_many_keyframes() {
        let seconds = |count: u64| (0..count).map(Duration::from_secs).collect::<Vec<_>>();
        assert_eq!(thinned(seconds(10), 10), seconds(10));
        assert!(thinned(Vec::new(), 10).is_empty());
        let thin = thinned(seconds(95), 10);
        assert!(thin.len() <= 10, "{thin:?}");
        assert_eq!(thin.first(), Some(&Duration::ZERO));
        assert!(thin.last() >= Some(&Duration::from_secs(85)), "{thin:?}");
    }
}
