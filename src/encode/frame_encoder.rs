//! A video encoder on its caller's thread. The caller decides which frames become keyframes.

use crate::encode::backend::{self, VideoBackend};
use crate::encode::config::Video as Config;
use crate::encode::error::Error;
use crate::encode::scale::Scaler;
use crate::media::{EncodedPacket, VideoConfig, VideoFrame};

/// An open encoder, which scales frames to its size.
pub(crate) struct FrameEncoder {
    backend: Box<dyn VideoBackend>,
    scaler: Scaler,
}

impl FrameEncoder {
    /// Opens the first backend that works.
    ///
    /// # Errors
    /// Fails if the settings cannot be encoded, or no backend opens.
    pub fn open(config: &Config) -> Result<Self, Error> {
        let backend = backend::open_video(config)?.backend;
        Ok(Self { backend, scaler: Scaler::new(config.size) })
    }

    /// Returns the codec config, which is constant.
    pub fn parameters(&self) -> &VideoConfig {
        self.backend.parameters()
    }

    /// Scales a frame, passes it through `draw`, and encodes it, with `key` as a keyframe. Calls `each` for
    /// every packet that is ready.
    ///
    /// # Errors
    /// Fails if the library does.
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
