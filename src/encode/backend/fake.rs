//! An encoder without a codec, for tests of the pipeline: each picture becomes a small packet that
//! no decoder understands, at exactly the bitrate that was asked for.

use bytes::{BufMut, Bytes, BytesMut};

use crate::encode::backend::traits::{Description, VideoBackend};
use crate::encode::error::Error;
use crate::encode::{avcc, config};
use crate::media::{
    BitsPerSecond, EncodedPacket, Priority, Track, VideoCodec, VideoConfig, VideoFrame,
};

/// The encoder.
pub(crate) struct Video {
    parameters: VideoConfig,
    bitrate: BitsPerSecond,
}

impl Video {
    pub(super) fn open(config: &config::Video) -> Result<Self, Error> {
        // A Baseline SPS of 160x120: enough for what only passes it on.
        let (sps, pps) = ([0x67, 66, 0xc0, 10, 0xda, 0x0a, 0x1f, 0x90], [0x68, 0xce, 0x38, 0x80]);
        let config_bytes = avcc::configuration(&sps, &pps, config.frame_rate)?;
        let parameters = VideoConfig {
            codec: VideoCodec::H264,
            size: config.size,
            frame_rate: config.frame_rate,
            bitrate: config.bitrate,
            config: config_bytes,
        };
        Ok(Self { parameters, bitrate: config.bitrate })
    }
}

impl VideoBackend for Video {
    fn encode(&mut self, frame: &VideoFrame, key: bool) -> Result<EncodedPacket, Error> {
        let bytes = f64::from(self.bitrate.0) / 8.0 / self.parameters.frame_rate.as_f64();
        let len = (bytes as usize).clamp(16, 1 << 20) - 4;
        let mut data = BytesMut::with_capacity(len + 4);
        data.put_u32(u32::try_from(len).unwrap_or(0));
        data.put_u8(if key { 0x65 } else { 0x41 });
        data.put_bytes(0x55, len - 1);
        Ok(EncodedPacket {
            track: Track::Video,
            pts: frame.pts,
            dts: frame.pts,
            keyframe: key,
            priority: if key { Priority::Key } else { Priority::Inter },
            data: Bytes::from(data),
            captured: frame.pts,
            rendition: None,
        })
    }

    fn flush(&mut self) -> Result<Vec<EncodedPacket>, Error> {
        Ok(Vec::new())
    }

    fn set_bitrate(&mut self, bitrate: BitsPerSecond) -> Result<(), Error> {
        self.bitrate = bitrate;
        Ok(())
    }

    fn parameters(&self) -> &VideoConfig {
        &self.parameters
    }

    fn description(&self) -> Description {
        Description { name: "fake", profile: "Baseline", level: "1.0".into() }
    }
}
