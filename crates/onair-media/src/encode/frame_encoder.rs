//! A video encoder on its caller's thread. The caller decides which frames become keyframes.

use crate::base::partial_debug;
use crate::encode::backend::{self, VideoBackend};
use crate::encode::config::{Profile, Video as Config};
use crate::encode::error::Error;
use crate::encode::scale::Scaler;
use crate::media::{EncodedPacket, VideoConfig, VideoFrame};

/// An open encoder, which scales frames to its size.
pub struct FrameEncoder {
    backend: Box<dyn VideoBackend>,
    scaler: Scaler,
}

partial_debug! { FrameEncoder {} }

impl FrameEncoder {
    /// Opens the first backend that works.
    ///
    /// # Errors
    /// Fails if the settings cannot be encoded, or no backend opens.
    pub fn open(config: &Config, profile: Profile) -> Result<Self, Error> {
        let backend = match profile {
            Profile::High => backend::open_video(config)?.backend,
            Profile::ConstrainedBaseline => backend::open_baseline(config)?,
        };
        Ok(Self { backend, scaler: Scaler::new(config.size) })
    }

    /// Returns the codec config, which is constant.
    pub fn config(&self) -> &VideoConfig {
        self.backend.config()
    }

    /// Scales a frame, passes it through `draw`, and encodes it, as a keyframe if `key` is true.
    /// `draw` returns frames in the program's colors, which the codec config declares. Calls `each`
    /// for every packet that is ready.
    ///
    /// # Errors
    /// Fails if the library fails.
    pub fn encode(
        &mut self,
        frame: &VideoFrame,
        key: bool,
        draw: &mut dyn FnMut(VideoFrame) -> VideoFrame,
        each: &mut dyn FnMut(EncodedPacket),
    ) -> Result<(), Error> {
        let scaled = draw(self.scaler.scale(frame));
        self.backend.send_frame(&scaled, key)?;
        while let Some(packet) = self.backend.receive_packet()? {
            each(packet);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::encode::config::{Choice, Preset, RateControl};
    use crate::media::{BitsPerSecond, FrameRate, Size};

    #[test]
    fn the_parameter_sets_have_the_profile() {
        let config = Config {
            size: Size::new(320, 180),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(500_000),
            keyframe_interval: Duration::from_secs(2),
            encoder: Choice::Auto,
            preset: Preset::Auto,
            rate_control: RateControl::Cbr,
            b_frames: 0,
            look_ahead: 0,
        };
        let of = |profile| {
            let encoder = FrameEncoder::open(&config, profile).unwrap();
            let record = &encoder.config().codec_config;
            (record[1], record[2] & 0x40)
        };
        assert_eq!(of(Profile::High).0, 100);
        // Constrained Baseline is Baseline with constraint_set1_flag (H.264, A.2.1.1).
        assert_eq!(of(Profile::ConstrainedBaseline), (66, 0x40));
    }
}
