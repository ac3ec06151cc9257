//! The smaller sizes of the program's video, for targets that take several at once (simulcast). Each
//! size is encoded once for all targets, from the frames that the compositor draws once. Every layer
//! has a hub of its own, so that targets can drop the frames of one layer. Layers run only while a
//! connected target takes them.

use std::time::Duration;

use crate::base::queue::{self, Full};
use crate::base::worker::Stuck;
use crate::broadcast::Hub;
use crate::broadcast::adaptation::{LayerChoice, layer_bitrate, layer_size};
use crate::compose::MAX_SMALLER_LAYERS;
use crate::encode::{Incident, VideoEncoder, video};
use crate::media::{BitsPerSecond, RenditionId, Size, StreamConfig};
use crate::studio::program::Program;
use crate::studio::targets::quality::Quality;
use crate::text::Problem;

/// Maximum number of frames that wait for an encoder. More would only add delay.
const MAX_QUEUED_FRAMES: usize = 4;
/// Maximum number of packets that wait for a hub, which never waits for an output.
const MAX_QUEUED_PACKETS: usize = 256;

/// News about the layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerNews {
    /// An encoder is not available.
    Failed(Problem),
    /// The stream is sent in this many sizes, of `wanted` ones, because the link or the computer is
    /// too slow for more.
    Sent { sent: usize, wanted: usize },
}

/// The encoder of a layer, and its hub.
#[derive(Debug)]
struct Layer {
    encoder: VideoEncoder,
    hub: Hub,
}

/// The encoders of the smaller layers of the main program.
#[derive(Debug)]
pub struct LayerEncodes {
    config: video::Config,
    /// The largest first.
    layers: Vec<Layer>,
    /// The frames that earlier encoders were to encode, and those that they have skipped.
    past: (u64, u64),
    /// True if an encoder is not available.
    pub(super) failed: bool,
    pub(super) choice: LayerChoice,
    /// The number of sizes of the last news, and that of the wanted ones.
    pub(super) reported: Option<(usize, usize)>,
}

impl LayerEncodes {
    /// Creates the state; no encoder runs yet. The program is composed at the size `composed`.
    pub fn new(quality: &Quality, composed: Size) -> Self {
        // WebRTC has no B-frames, and viewers are close to live.
        let config = quality.video_config();
        let config = video::Config { size: composed, b_frames: 0, look_ahead: 0, ..config };
        Self {
            config,
            layers: Vec::new(),
            past: (0, 0),
            failed: false,
            choice: LayerChoice::default(),
            reported: None,
        }
    }

    /// Starts, changes and ends encoders, so that there are this many. `main` is the present
    /// bitrate and size of the stream, and `step` the step between its encoded frames.
    ///
    /// # Errors
    /// Fails once if an encoder is not available, with the reason.
    pub(super) fn follow(
        &mut self,
        wanted: usize,
        (bitrate, size): (BitsPerSecond, Size),
        step: u32,
        program: &Program,
    ) -> Result<(), Problem> {
        let wanted = if self.failed { 0 } else { wanted.min(MAX_SMALLER_LAYERS) };
        let failure = self.layers.iter().find_map(|layer| layer.encoder.failed());
        while self.layers.len() > if failure.is_some() { 0 } else { wanted } {
            self.end_smallest(program);
        }
        if let Some(error) = failure {
            self.failed = true;
            return Err(Problem::from(&error));
        }
        for (layer, number) in self.layers.iter().zip(1..) {
            layer.encoder.set_bitrate(layer_bitrate(bitrate, number));
            layer.encoder.set_size(layer_size(size, number));
            layer.encoder.set_frame_step(step);
        }
        while self.layers.len() < wanted {
            let number = self.layers.len() + 1;
            let bitrate = layer_bitrate(bitrate, number);
            match self.begin(number, bitrate, layer_size(size, number), program) {
                Ok(layer) => self.layers.push(layer),
                Err(why) => {
                    self.failed = true;
                    return Err(why);
                }
            }
        }
        Ok(())
    }

    fn begin(
        &self,
        number: usize,
        bitrate: BitsPerSecond,
        size: Size,
        program: &Program,
    ) -> Result<Layer, Problem> {
        let (frames, waiting) = queue::bounded("layer frames", MAX_QUEUED_FRAMES, Full::DropOldest);
        let (packets, input) = queue::bounded("layer packets", MAX_QUEUED_PACKETS, Full::Block);
        let config = video::Config { bitrate, ..self.config };
        // Each layer is the main rendition of its own hub.
        let encoder =
            VideoEncoder::spawn_rendition(config, RenditionId::Main, size, waiting, packets)
                .map_err(|error| Problem::from(&error))?;
        let stream = StreamConfig { video: Some(encoder.config().clone()), audio: None };
        let hub = Hub::spawn(stream, input).map_err(Problem::from)?;
        hub.on_keyframe_wanted(encoder.keyframe_request());
        program.compositor().attach_layer(number, Some(frames));
        Ok(Layer { encoder, hub })
    }

    fn end_smallest(&mut self, program: &Program) {
        let number = self.layers.len();
        let Some(layer) = self.layers.pop() else { return };
        let figures = layer.encoder.figures();
        self.past.0 += figures.encoded + figures.skipped;
        self.past.1 += figures.skipped;
        program.compositor().attach_layer(number, None);
    }

    /// Returns the hubs of the running layers, the largest first.
    pub(super) fn hubs(&self) -> Vec<&Hub> {
        self.layers.iter().map(|layer| &layer.hub).collect()
    }

    /// Returns the number of frames that the encoders were to encode, and of those that they have
    /// skipped.
    pub(super) fn frames(&self) -> (u64, u64) {
        let all = self.layers.iter().map(|layer| layer.encoder.figures());
        all.fold(self.past, |(due, skipped), it| {
            (due + it.encoded + it.skipped, skipped + it.skipped)
        })
    }

    /// Returns the failures that encoders have survived since the last call.
    pub fn take_incidents(&self) -> Vec<Incident> {
        self.layers.iter().flat_map(|layer| layer.encoder.take_incidents()).collect()
    }

    /// Waits for the encoders at the end of the broadcast, after the program has detached them.
    ///
    /// # Errors
    /// Fails if one does not end in time.
    pub fn join(self, limit: Duration) -> Result<(), Stuck> {
        let ends = self.layers.into_iter().map(|layer| layer.encoder.join(limit));
        ends.fold(Ok(()), Result::and)
    }
}
