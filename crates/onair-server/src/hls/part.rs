//! Parts of segments, and initialization segments. This module is pure.

use std::time::Duration;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::{AudioConfig, VideoCodec, VideoConfig};
use crate::wire::codec::{self, Hdr};
use crate::wire::container::mp4::codec_names::{audio_codec_name, video_codec_name};
use crate::wire::container::mp4::live::{self, FIRST_TRACK_ID, SECOND_TRACK_ID};
use crate::wire::container::ts;

/// The output of the cutter, in order.
#[derive(Clone, Debug)]
pub(crate) enum Cut {
    /// The maximum duration of all parts, before the first one.
    PartTarget(Duration),
    /// The following parts use this initialization segment, and their times do not continue the
    /// earlier ones.
    Begin(Box<Initialization>),
    Part(Part),
    /// The segment is complete.
    SegmentEnd,
    /// The next segment begins here.
    SegmentStart(StartTime),
    /// The next segment begins where a segment of the stream itself begins.
    Aligned(SegmentStart),
}

/// The start times of a segment.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct StartTime {
    /// The decode time.
    pub start: Timestamp,
    /// The presentation time of the first video frame. Without video, the decode time.
    pub shown: Timestamp,
}

/// The start of a segment of the stream itself. Segments of its renditions begin at the same time, and have the
/// same number.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentStart {
    pub number: u64,
    /// The presentation time of the first video frame. Without video, the decode time at which
    /// the segment starts.
    pub shown: Timestamp,
    /// Wall-clock time, in microseconds since 1970.
    pub made: i64,
    pub discontinuity: bool,
    /// Number of discontinuities before the segment.
    pub discontinuities: u64,
}

/// An initialization segment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Initialization {
    /// The initialization segment of all tracks.
    pub whole: Bytes,
    /// The initialization segment of a single track.
    pub video: Option<Bytes>,
    pub audio: Option<Bytes>,
    /// Codec names in track order.
    pub codecs: Vec<String>,
    pub size: Option<(u32, u32)>,
    pub frame_rate: Option<f64>,
    /// The kind of HDR that the codec config declares; `None` for SDR.
    pub hdr: Option<Hdr>,
    pub sample_rate: Option<u32>,
    /// Writes the same tracks as MPEG-TS; `None` if MPEG-TS does not support their codecs.
    pub ts: Option<ts::Writer>,
}

impl Initialization {
    pub fn new(video: Option<&VideoConfig>, audio: Option<&AudioConfig>) -> Self {
        let second = if video.is_some() { SECOND_TRACK_ID } else { FIRST_TRACK_ID };
        let whole = live::initialization(&live::tracks(video, audio), FIRST_TRACK_ID);
        let alone = |tracks, number| live::initialization(&tracks, number);
        let names = video.and_then(video_codec_name).into_iter();
        Self {
            whole,
            video: video.map(|_| alone(live::tracks(video, None), FIRST_TRACK_ID)),
            audio: audio.map(|_| alone(live::tracks(None, audio), second)),
            codecs: names.chain(audio.map(audio_codec_name)).collect(),
            size: video
                .map(VideoConfig::displayed_size)
                .map(|size| (size.width, size.height))
                .filter(|(width, height)| *width > 0 && *height > 0),
            frame_rate: video.map(|video| video.frame_rate.as_f64()),
            hdr: video.and_then(hdr),
            sample_rate: audio.map(live::audio_timescale),
            ts: ts::Writer::new(video, audio),
        }
    }
}

/// Returns the kind of HDR that a codec config declares.
fn hdr(video: &VideoConfig) -> Option<Hdr> {
    let info = match video.codec {
        VideoCodec::Hevc => codec::hevc(&video.codec_config),
        VideoCodec::Av1 => codec::av1(&video.codec_config),
        VideoCodec::Vp9 => codec::vp9(&video.codec_config),
        _ => None,
    };
    info?.colors.hdr()
}

/// A part of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub start: Timestamp,
    pub duration: Duration,
    /// True if the part begins with a keyframe, or the stream has no video.
    pub independent: bool,
    /// The chunk of each track. Together, the chunks form the part.
    pub video: Option<Bytes>,
    pub audio: Option<Bytes>,
}

impl Part {
    /// Returns the chunks in order.
    pub fn chunks(&self) -> impl Iterator<Item = &Bytes> {
        self.video.iter().chain(&self.audio)
    }

    /// Returns the total size of the chunks in bytes.
    pub fn size(&self) -> usize {
        self.chunks().map(Bytes::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::container::track_config::bare_video_config;

    #[test]
    fn the_codec_config_tells_whether_the_video_is_hdr() {
        // A record of HEVC with one SEI message: the preferred transfer function.
        let hdr = |transfer| {
            let mut config = vec![1_u8, 2];
            config.resize(22, 0);
            config.extend([1, 39, 0, 1, 0, 6, 0x4E, 1, 147, 1, transfer, 0x80]);
            let config = bare_video_config(VideoCodec::Hevc, config.into(), &[]);
            Initialization::new(Some(&config), None).hdr
        };
        assert_eq!((hdr(16), hdr(18), hdr(1)), (Some(Hdr::Pq), Some(Hdr::Hlg), None));
    }
}
