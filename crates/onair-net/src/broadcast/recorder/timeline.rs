//! Converts session time to file time. A file begins at zero with a keyframe, and a pause leaves no
//! gap. This module is pure.

use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::media::{MAX_TRACKS, StreamConfig, Track};
use crate::wire::container::{TrackId, Tracks};

/// A video track without a frame for this long has ended, and audio no longer waits for a keyframe.
const VIDEO_TIMEOUT: Duration = Duration::from_secs(10);

/// The timeline of one file.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    has_video: bool,
    frame: Duration,
    audio: Duration,
    /// The session DTS that corresponds to `base` in the file; `None` before the start and while
    /// paused.
    origin: Option<Timestamp>,
    base: Timestamp,
    /// The DTS at which the next frame follows without a gap.
    video_end: Timestamp,
    /// The DTS at which the next audio of each track follows without a gap, by the track's index.
    audio_ends: [Timestamp; MAX_TRACKS as usize],
    /// The end of the content.
    end: Timestamp,
    /// The DTS of the last frame, or of the first packet if there was no frame since.
    last_frame: Option<Timestamp>,
    /// True if the file began or resumed without a frame, so that frames wait for a keyframe.
    awaits_keyframe: bool,
}

impl Timeline {
    /// Creates the timeline of a file for a stream with this config.
    pub fn new(config: &StreamConfig) -> Self {
        let tracks = Tracks::from(config.clone());
        Self {
            has_video: config.video.is_some(),
            frame: tracks.length(TrackId::Video),
            audio: tracks.length(TrackId::Audio(0)),
            ..Self::default()
        }
    }

    /// Creates the timeline of the next file of the same recording.
    pub fn next_file(&self, config: &StreamConfig) -> Self {
        Self { last_frame: self.last_frame, ..Self::new(config) }
    }

    /// Returns true if this packet is audio, and the video track has ended.
    pub fn is_after_video(&self, tag: &SharedPacket) -> bool {
        let last = self.last_frame.filter(|_| self.has_video && tag.track != Track::Video);
        last.is_some_and(|last| tag.dts.since(last) >= VIDEO_TIMEOUT)
    }

    /// Returns the DTS and PTS of a packet in the file. Returns `None` for packets outside the
    /// file: packets before its first keyframe, and packets that overlap after a pause. If the
    /// video track has ended, audio begins the file.
    pub fn place(&mut self, tag: &SharedPacket) -> Option<(Timestamp, Timestamp)> {
        match tag.track {
            Track::Video => self.last_frame = Some(tag.dts),
            Track::Audio | Track::Extra(_) | Track::Rendition(_) => {
                self.last_frame.get_or_insert(tag.dts);
            }
        }
        if self.origin.is_none() && self.has_video && !tag.starts_gop() {
            if !self.is_after_video(tag) {
                return None;
            }
            self.awaits_keyframe = true;
        }
        if tag.track == Track::Video {
            if self.awaits_keyframe && !tag.starts_gop() {
                return None;
            }
            self.awaits_keyframe = false;
        }
        let origin = *self.origin.get_or_insert(tag.dts);
        let since = tag.dts.micros_since(origin);
        if since < 0 {
            return None;
        }
        let dts = self.base.offset(since);
        let audio = match tag.track {
            Track::Video | Track::Rendition(_) => None,
            Track::Audio => self.audio_ends.first_mut(),
            Track::Extra(track) => self.audio_ends.get_mut(track.place() + 1),
        };
        if audio.as_ref().is_some_and(|end| dts + self.audio / 2 < **end) {
            return None;
        }
        let pts = dts.offset(tag.pts.micros_since(tag.dts));
        let length = match audio {
            None => {
                self.video_end = dts + self.frame;
                self.frame
            }
            Some(end) => {
                *end = dts + self.audio;
                // A file with video ends with a frame.
                if self.has_video { Duration::ZERO } else { self.audio }
            }
        };
        self.end = self.end.max(pts + length);
        Some((dts, pts))
    }

    /// Pauses until the next call of [`Timeline::place`], which resumes with a keyframe at the end
    /// of the file.
    pub fn pause(&mut self) {
        // Frames may come again after the pause.
        (self.origin, self.last_frame) = (None, None);
        let [audio, ..] = self.audio_ends;
        let is_video_over = audio.since(self.video_end) >= VIDEO_TIMEOUT;
        self.base = if self.has_video && !is_video_over { self.video_end } else { audio };
    }

    /// Returns true if the file has begun and is not paused.
    pub fn is_running(&self) -> bool {
        self.origin.is_some()
    }

    /// Returns the end of the file.
    pub fn end(&self) -> Duration {
        self.end.since(Timestamp::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::hub::gop::tests::tag;
    use crate::media::{
        AudioCodec, AudioConfig, BitsPerSecond, FrameRate, Rotation, Size, VideoCodec, VideoConfig,
    };

    /// Returns the config of video with 25 frames per second, and audio in packets of 20 ms.
    fn config() -> StreamConfig {
        StreamConfig {
            video: Some(VideoConfig {
                codec: VideoCodec::H264,
                size: Size::new(640, 360),
                frame_rate: FrameRate::new(25, 1).unwrap(),
                bitrate: BitsPerSecond(1_000_000),
                codec_config: Default::default(),
                pixel_aspect: None,
                rotation: Rotation::None,
            }),
            audio: Some(AudioConfig {
                codec: AudioCodec::Aac,
                sample_rate: 51_200,
                channels: 2,
                bitrate: BitsPerSecond(128_000),
                codec_config: Default::default(),
            }),
        }
    }

    /// Returns the results for both tracks between `from` and `to`.
    fn feed(line: &mut Timeline, from: i64, to: i64) -> Vec<(Track, i64)> {
        let mut placed = Vec::new();
        for dts in (from..to).step_by(10) {
            let mut place = |track, dts| {
                let at = line.place(&tag(track, dts));
                placed.extend(at.map(|(dts, _)| (track, dts.as_millis())));
            };
            if dts % 40 == 0 {
                place(Track::Video, dts);
            }
            if dts % 20 == 10 {
                place(Track::Audio, dts);
            }
        }
        placed
    }

    #[test]
    fn begins_with_a_keyframe_at_zero() {
        let mut line = Timeline::new(&config());
        let placed = feed(&mut line, 1_900, 2_060);
        assert_eq!(placed[..3], [(Track::Video, 0), (Track::Audio, 10), (Track::Audio, 30)]);
        assert_eq!(line.end(), Duration::from_millis(80));
    }

    #[test]
    fn audio_waits_for_no_keyframe_of_a_video_track_that_has_ended() {
        let mut line = Timeline::new(&config());
        feed(&mut line, 2_000, 2_500);
        let feed_audio = |line: &mut Timeline, from: i64, to: i64| -> Vec<i64> {
            let times = (from..to).step_by(20);
            let placed = times.filter_map(|dts| line.place(&tag(Track::Audio, dts)));
            placed.map(|(dts, _)| dts.as_millis()).collect()
        };
        assert!(!line.is_after_video(&tag(Track::Audio, 12_470)), "the last frame was at 2,480");
        assert!(line.is_after_video(&tag(Track::Audio, 12_490)));
        feed_audio(&mut line, 2_510, 12_520);
        // The next file begins at once, and a resumed one after the wait.
        let mut next = line.next_file(&config());
        assert_eq!(feed_audio(&mut next, 12_530, 12_590), [0, 20, 40]);
        line.pause();
        assert_eq!(feed_audio(&mut line, 20_010, 30_040), [10_530, 10_550]);
        // Video that returns begins with a keyframe.
        assert_eq!(next.place(&tag(Track::Video, 13_000)), None);
        assert!(next.place(&tag(Track::Video, 14_000)).is_some());
        assert!(next.place(&tag(Track::Video, 14_040)).is_some());
    }

    #[test]
    fn a_pause_leaves_no_gap_and_nothing_doubled() {
        let mut line = Timeline::new(&config());
        feed(&mut line, 2_000, 2_500);
        line.pause();
        assert!(!line.is_running());
        assert!(feed(&mut line, 3_500, 4_000).is_empty(), "waits for a keyframe");
        let placed = feed(&mut line, 4_000, 4_200);
        let of = |track| {
            let times = placed.iter().filter(move |(its, _)| *its == track).map(|(_, at)| *at);
            times.collect::<Vec<_>>()
        };
        // The last frame before the pause was at 480.
        assert_eq!(of(Track::Video), [520, 560, 600, 640, 680]);
        // The last audio packet before the pause was at 490.
        assert_eq!(of(Track::Audio)[..2], [530, 550]);
    }
}
