//! The open encoder of the thread: it follows requested sizes and bitrates, and another encoder
//! replaces it if its process fails.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::encode::backend::{Description, Replacement, VideoBackend, lighter as lighter_preset};
use crate::encode::config::{Preset, Video as Config};
use crate::encode::error::Error;
use crate::encode::scale::Scaler;
use crate::encode::video::shared::{Incident, Shared, packed, unpacked};
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
    /// The maximum number of B-frames in a row.
    b_frames: u8,
    /// The preset, if it is lighter than that of the configuration.
    lighter: Option<&'static str>,
    load: Load,
}

/// How much of the time between frames the encoder needs.
#[derive(Copy, Clone, Debug, Default)]
struct Load {
    frames: u32,
    busy: Duration,
}

/// The number of frames over which the load is measured.
const LOAD_FRAMES: u32 = 45;
/// The load above which frames will soon be dropped.
const MAX_LOAD: f64 = 0.9;

impl Load {
    /// Counts a frame. Returns true if the encoder is too slow.
    fn is_too_high(&mut self, took: Duration, period: Duration) -> bool {
        self.frames += 1;
        self.busy += took;
        if self.frames < LOAD_FRAMES {
            return false;
        }
        let load = self.busy.as_secs_f64() / (f64::from(self.frames) * period.as_secs_f64());
        *self = Self::default();
        load > MAX_LOAD
    }
}

impl Open {
    pub(super) fn new(
        backend: Box<dyn VideoBackend>,
        rendition_id: RenditionId,
        replacement: Replacement,
        b_frames: u8,
    ) -> Self {
        let video = backend.config().clone();
        let (scaler, bitrate) = (Scaler::new(video.size), video.bitrate);
        let rendition = Arc::new(Rendition { rendition_id, video });
        Self {
            backend,
            scaler,
            rendition,
            bitrate,
            used_bitrate: bitrate,
            replacement,
            b_frames,
            lighter: None,
            load: Load::default(),
        }
    }

    /// Counts the time that a frame took. If the encoder is too slow, it gets a lighter preset at the
    /// next keyframe, before frames are dropped.
    pub(super) fn took(&mut self, took: Duration, config: &Config, shared: &Shared) {
        if !self.load.is_too_high(took, config.frame_rate.period()) {
            return;
        }
        let Description { name, preset, .. } = self.backend.description();
        if self.lighter.is_some() && self.lighter != preset {
            // The next keyframe brings the lighter preset.
            return;
        }
        let lighter = preset.zip(name.parse().ok());
        let Some(lighter) = lighter.and_then(|(preset, it)| lighter_preset(it, preset)) else {
            return;
        };
        tracing::warn!(encoder = name, preset, lighter, "the encoder is too slow");
        self.lighter = Some(lighter);
        let (reason, lighter) = (Problem::default(), Some(lighter));
        shared.report(Incident { encoder: name, reason, now: name, lighter });
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
            let preset = self.lighter.map_or(config.preset, Preset::Named);
            let b_frames = self.b_frames;
            let same = Config { size: self.size(), bitrate: wanted, preset, b_frames, ..*config };
            let opened = self.replacement.after(error, frame.pts, &same)?;
            let description = opened.backend.description();
            let now = description.name;
            tracing::warn!(%reason, encoder, now, "the encoder was replaced");
            *shared.description.lock() = description;
            shared.report(Incident { encoder, reason, now, lighter: None });
            let (id, replacement) =
                (self.rendition.rendition_id, std::mem::take(&mut self.replacement));
            let (before, lighter) = (Arc::clone(&self.rendition), self.lighter);
            *self = Self::new(opened.backend, id, replacement, b_frames);
            self.lighter = lighter;
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
        let current = self.backend.description().preset;
        // The built-in encoder, which may have taken over, has no presets.
        let is_slow = self.lighter.is_some() && current.is_some() && self.lighter != current;
        let needs_other =
            is_slow || !self.backend.changes_bitrate() && differs(self.bitrate, wanted);
        let b_frames = shared.b_frames.load(Ordering::Relaxed).min(config.b_frames);
        let is_same = (size, b_frames) == (self.size(), self.b_frames);
        if is_same && !(key && needs_other) {
            return Ok(Some(false));
        }
        let preset = self.lighter.map_or(config.preset, Preset::Named);
        let other = Config { size, bitrate: wanted, preset, b_frames, ..*config };
        match self.replacement.open(&other) {
            Ok(opened) => {
                self.finish()?;
                if !self.drain(deliver)? {
                    return Ok(None);
                }
                let replacement = std::mem::take(&mut self.replacement);
                let lighter = self.lighter;
                let id = self.rendition.rendition_id;
                *self = Self::new(opened.backend, id, replacement, b_frames);
                self.lighter = lighter;
                *shared.description.lock() = self.backend.description();
                shared.encoded_size.store(packed(size), Ordering::Relaxed);
                Ok(Some(true))
            }
            Err(error) => {
                tracing::warn!(%error, %size, "reopening the encoder failed");
                shared.size.store(packed(self.size()), Ordering::Relaxed);
                shared.b_frames.store(self.b_frames, Ordering::Relaxed);
                Ok(Some(false))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_that_needs_nearly_all_the_time_is_too_slow() {
        let period = Duration::from_millis(33);
        let loads = |millis: u64| {
            let mut load = Load::default();
            let took = Duration::from_millis(millis);
            let all: Vec<bool> = (0..90).map(|_| load.is_too_high(took, period)).collect();
            (all.iter().position(|it| *it), all.iter().filter(|it| **it).count())
        };
        assert_eq!((loads(20), loads(29)), ((None, 0), (None, 0)));
        assert_eq!(loads(31), (Some(44), 2));
    }
}
