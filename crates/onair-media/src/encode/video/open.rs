//! The open encoder of the thread: it follows requested sizes and bitrates, and another encoder
//! replaces it if its process fails.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::encode::backend::{Replacement, VideoBackend};
use crate::encode::config::Video as Config;
use crate::encode::error::Error;
use crate::encode::scale::Scaler;
use crate::encode::video::shared::{Incident, MAX_INCIDENTS, Shared, packed, unpacked};
use crate::media::{BitsPerSecond, EncodedPacket, Rendition, RenditionId, Size, VideoFrame};
use crate::text::Problem;

/// Bitrates that differ by less than this share are not worth opening an encoder again, which costs
/// some frames.
const MIN_BITRATE_CHANGE: f64 = 0.08;

/// Returns true if another bitrate is worth opening an encoder again.
fn differs(now: BitsPerSecond, wanted: BitsPerSecond) -> bool {
    (f64::from(now.0) - f64::from(wanted.0)).abs() > f64::from(now.0) * MIN_BITRATE_CHANGE
}

/// An open encoder for one size.
pub(super) struct Open {
    backend: Box<dyn VideoBackend>,
    pub(super) scaler: Scaler,
    rendition: Arc<Rendition>,
    /// The bitrate that was requested from the encoder.
    bitrate: BitsPerSecond,
    /// The bitrate that the encoder uses.
    pub(super) used_bitrate: BitsPerSecond,
    replacement: Replacement,
}

impl Open {
    pub(super) fn new(
        backend: Box<dyn VideoBackend>,
        rendition_id: RenditionId,
        replacement: Replacement,
    ) -> Self {
        let video = backend.config().clone();
        let (scaler, bitrate) = (Scaler::new(video.size), video.bitrate);
        let rendition = Arc::new(Rendition { rendition_id, video });
        Self { backend, scaler, rendition, bitrate, used_bitrate: bitrate, replacement }
    }

    fn size(&self) -> Size {
        self.rendition.video.size
    }

    /// Passes on all available packets. Returns false if there is no receiver.
    pub(super) fn drain(
        &mut self,
        deliver: &dyn Fn(EncodedPacket, &Arc<Rendition>) -> bool,
    ) -> Result<bool, Error> {
        while let Some(packet) = self.backend.receive_packet()? {
            if !deliver(packet, &self.rendition) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Ends the input of the encoder. A process that fails only here takes nothing along but the
    /// packets that it delayed.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        match self.backend.finish() {
            Err(error @ Error::Process { .. }) => {
                tracing::warn!(%error, "the encoder failed at the end");
                Ok(())
            }
            done => done,
        }
    }

    /// Encodes a frame with this bitrate. If the encoder's process fails, another encoder takes
    /// over with this frame as a keyframe.
    pub(super) fn encode(
        &mut self,
        frame: &VideoFrame,
        (key, wanted): (bool, BitsPerSecond),
        config: &Config,
        shared: &Shared,
    ) -> Result<(), Error> {
        let mut key = key;
        loop {
            let error = match self.attempt(frame, key, wanted) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let encoder = self.backend.description().name;
            let reason = Problem::from(&error);
            let same = Config { size: self.size(), bitrate: wanted, ..*config };
            let opened = self.replacement.after(error, frame.pts, &same)?;
            let description = opened.backend.description();
            let now = description.name;
            tracing::warn!(%reason, encoder, now, "the encoder was replaced");
            *shared.description.lock() = description;
            {
                let mut incidents = shared.incidents.lock();
                if incidents.len() < MAX_INCIDENTS {
                    incidents.push(Incident { encoder, reason, now });
                }
            }
            let (id, replacement) =
                (self.rendition.rendition_id, std::mem::take(&mut self.replacement));
            let before = Arc::clone(&self.rendition);
            *self = Self::new(opened.backend, id, replacement);
            // The same encoder writes the same parameter sets, so nothing changes for receivers.
            if before.video.codec_config == self.rendition.video.codec_config {
                self.rendition = before;
            }
            key = true;
        }
    }

    fn attempt(
        &mut self,
        frame: &VideoFrame,
        key: bool,
        wanted: BitsPerSecond,
    ) -> Result<(), Error> {
        if wanted != self.bitrate && self.backend.changes_bitrate() {
            self.used_bitrate = self.backend.set_bitrate(wanted)?;
            self.bitrate = wanted;
        }
        self.backend.send_frame(frame, key)
    }

    /// Changes the size if a change was requested. At a keyframe, also changes the bitrate of an
    /// encoder that must be opened again for that. Returns true if the next frame is the first one
    /// of another encoder, or `None` if there is no receiver of packets.
    pub(super) fn follow(
        &mut self,
        (key, wanted): (bool, BitsPerSecond),
        config: &Config,
        shared: &Shared,
        deliver: &dyn Fn(EncodedPacket, &Arc<Rendition>) -> bool,
    ) -> Result<Option<bool>, Error> {
        let size = unpacked(shared.size.load(Ordering::Relaxed));
        let needs_other = !self.backend.changes_bitrate() && differs(self.bitrate, wanted);
        if size == self.size() && !(key && needs_other) {
            return Ok(Some(false));
        }
        match self.replacement.open(&Config { size, bitrate: wanted, ..*config }) {
            Ok(opened) => {
                self.finish()?;
                if !self.drain(deliver)? {
                    return Ok(None);
                }
                let replacement = std::mem::take(&mut self.replacement);
                *self = Self::new(opened.backend, self.rendition.rendition_id, replacement);
                shared.encoded_size.store(packed(size), Ordering::Relaxed);
                Ok(Some(true))
            }
            Err(error) => {
                tracing::warn!(%error, %size, "reopening the encoder failed");
                shared.size.store(packed(self.size()), Ordering::Relaxed);
                Ok(Some(false))
            }
        }
    }
}
