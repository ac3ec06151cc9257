//! A test encoder without a codec. The encoder pipelines and reorders frames like a hardware
//! encoder: it turns a group of three frames into the third frame (a reference frame) and two
//! B-frames. The packets are small and cannot be decoded. A bitrate of 0 makes it panic. With [`CRASHING_BITRATE`],
//! and at each whole minute unless that is its first frame, it fails like an encoder whose process has
//! crashed.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::encode::backend::process::Trouble;
use crate::encode::backend::traits::{Description, VideoBackend};
use crate::encode::error::Error;
use crate::encode::{avcc, config};
use crate::media::{
    BitsPerSecond, EncodedPacket, Priority, Rotation, Track, VideoCodec, VideoConfig, VideoFrame,
};

/// The distance between reference frames.
pub(crate) const REFERENCE_FRAME_DISTANCE: usize = 3;

/// The bitrate with which no frame can be encoded.
pub(crate) const CRASHING_BITRATE: BitsPerSecond = BitsPerSecond(654_321);

/// The test encoder.
pub(crate) struct Encoder {
    config: VideoConfig,
    /// Frames of the incomplete group: the PTS of each, and whether it is a keyframe.
    group: Vec<(Timestamp, bool)>,
    /// Presentation times that have not been used as a DTS yet, oldest first.
    times: VecDeque<Timestamp>,
    ready: VecDeque<EncodedPacket>,
    has_begun: bool,
}

impl Encoder {
    pub(super) fn open(config: &config::Video) -> Result<Self, Error> {
        // A Baseline SPS of 160x120, which suffices for components that only pass it on.
        let (sps, pps) = ([0x67, 66, 0xc0, 10, 0xda, 0x0a, 0x1f, 0x90], [0x68, 0xce, 0x38, 0x80]);
        let config = VideoConfig {
            codec: VideoCodec::H264,
            size: config.size,
            frame_rate: config.frame_rate,
            bitrate: config.bitrate,
            codec_config: avcc::configuration(&sps, &pps, config.frame_rate)?,
            pixel_aspect: None,
            rotation: Rotation::None,
        };
        let (group, times, ready) = (Vec::new(), VecDeque::new(), VecDeque::new());
        Ok(Self { config, group, times, ready, has_begun: false })
    }

    fn put(&mut self, (pts, keyframe): (Timestamp, bool), priority: Priority) {
        // The DTS is one frame period before the oldest PTS, so that no packet has a DTS after its
        // PTS.
        let delay = self.config.frame_rate.period();
        let dts = self.times.pop_front().unwrap_or(pts);
        let dts = dts.offset(-i64::try_from(delay.as_micros()).unwrap_or(0));
        self.ready.push_back(EncodedPacket {
            track: Track::Video,
            pts,
            dts,
            keyframe,
            priority,
            data: Bytes::from_static(&[0, 0, 0, 1, 0x65]),
            captured: pts,
            rendition: None,
        });
    }

    /// Outputs the group, its last frame first.
    fn leave(&mut self) {
        let mut group = std::mem::take(&mut self.group).into_iter();
        if let Some(last) = group.next_back() {
            let priority = if last.1 { Priority::Key } else { Priority::Inter };
            self.put(last, priority);
        }
        for frame in group {
            self.put(frame, Priority::Disposable);
        }
    }
}

impl VideoBackend for Encoder {
    fn send_frame(&mut self, frame: &VideoFrame, key: bool) -> Result<(), Error> {
        let is_minute = self.has_begun && frame.pts.as_micros() % 60_000_000 == 0;
        self.has_begun = true;
        if self.config.bitrate == CRASHING_BITRATE || is_minute {
            return Err(Error::Process { encoder: "pipelined", trouble: Trouble::Ended });
        }
        if key {
            // Frames before a keyframe do not refer to it.
            self.leave();
        }
        self.times.push_back(frame.pts);
        self.group.push((frame.pts, key));
        if key || self.group.len() == REFERENCE_FRAME_DISTANCE {
            self.leave();
        }
        Ok(())
    }

    fn receive_packet(&mut self) -> Result<Option<EncodedPacket>, Error> {
        Ok(self.ready.pop_front())
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.leave();
        Ok(())
    }

    fn set_bitrate(&mut self, bitrate: BitsPerSecond) -> Result<BitsPerSecond, Error> {
        assert_ne!(bitrate, BitsPerSecond(0));
        self.config.bitrate = bitrate;
        Ok(bitrate)
    }

    fn changes_bitrate(&self) -> bool {
        true
    }

    fn config(&self) -> &VideoConfig {
        &self.config
    }

    fn description(&self) -> Description {
        Description { name: "pipelined", profile: "Main", level: "1.0".into(), preset: None }
    }
}
