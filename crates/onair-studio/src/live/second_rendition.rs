//! The second encode of the program's video, for targets whose link is too slow for the main
//! encode, or, if the main encode is not H.264, for targets that do not take its codec. It runs only
//! while a target needs it.

use std::time::Duration;

use crate::base::queue::{self, Full, Sender};
use crate::broadcast::Hub;
use crate::encode::{self, VideoEncoder};
use crate::media::{BitsPerSecond, EncodedPacket, RenditionId, Size, VideoCodec};
use crate::studio::program::Program;
use crate::studio::targets::quality::Quality;
use crate::text::Problem;

/// Maximum number of frames that wait for the encoder. More would only add delay.
const MAX_QUEUED_FRAMES: usize = 4;

/// The second encoder of the program's video.
#[derive(Debug)]
pub struct SecondRendition {
    /// The queue for the encoder's packets, shared with the main encoder.
    packets: Sender<EncodedPacket>,
    /// The configuration, as for the main encoder.
    config: encode::video::Config,
    encoder: Option<VideoEncoder>,
    /// The frames that earlier encoders have skipped.
    skipped: u64,
    /// True if the encoder is not available.
    failed: bool,
    /// True if the encode has the codec of the main encode, so that targets can change between them.
    has_same_codec: bool,
}

impl SecondRendition {
    /// Creates the state; no encoder runs yet. The program is composed at the size `composed`.
    pub fn new(packets: Sender<EncodedPacket>, quality: &Quality, composed: Size) -> Self {
        let config = encode::video::Config { size: composed, ..quality.second_config() };
        let has_same_codec = quality.codec() == VideoCodec::H264;
        Self { packets, config, encoder: None, skipped: 0, failed: false, has_same_codec }
    }

    /// Returns true if slow targets can get this encode.
    pub fn serves_slow_links(&self) -> bool {
        !self.failed && self.has_same_codec
    }

    /// Starts, changes or ends the encoder.
    ///
    /// # Errors
    /// Fails once if the encoder is not available, with the reason.
    pub fn follow(
        &mut self,
        wanted: Option<(BitsPerSecond, Size)>,
        program: &Program,
        hub: &Hub,
    ) -> Result<(), Problem> {
        let Some((bitrate, size)) = wanted.filter(|_| !self.failed) else {
            self.end(program, hub);
            return Ok(());
        };
        if let Some(error) = self.encoder.as_ref().and_then(VideoEncoder::failed) {
            self.failed = true;
            self.end(program, hub);
            return Err(Problem::from(&error));
        }
        if let Some(encoder) = &self.encoder {
            encoder.set_bitrate(bitrate);
            encoder.set_size(size);
            return Ok(());
        }
        let (frames, waiting) =
            queue::bounded("second frames", MAX_QUEUED_FRAMES, Full::DropOldest);
        let config = encode::video::Config { bitrate, ..self.config };
        let packets = self.packets.clone();
        match VideoEncoder::spawn_rendition(config, RenditionId::Second, size, waiting, packets) {
            Ok(encoder) => {
                let ask = encoder.keyframe_request();
                hub.on_keyframe_wanted_of(RenditionId::Second, Some(Box::new(ask)));
                program.compositor().attach_second(Some(frames));
                self.encoder = Some(encoder);
                Ok(())
            }
            Err(error) => {
                self.failed = true;
                Err(Problem::from(&error))
            }
        }
    }

    /// Returns the encoder while it runs.
    pub fn encoder(&self) -> Option<&VideoEncoder> {
        self.encoder.as_ref()
    }

    /// Returns the current size and bitrate.
    pub fn now(&self) -> Option<(Size, BitsPerSecond)> {
        let figures = self.encoder.as_ref()?.figures();
        Some((figures.size, figures.bitrate))
    }

    /// Returns the number of frames that the encoders have skipped.
    pub fn skipped(&self) -> u64 {
        self.skipped + self.encoder.as_ref().map_or(0, |encoder| encoder.figures().skipped)
    }

    fn end(&mut self, program: &Program, hub: &Hub) {
        self.skipped = self.skipped();
        if self.encoder.take().is_some() {
            hub.on_keyframe_wanted_of(RenditionId::Second, None);
            program.compositor().attach_second(None);
        }
    }

    /// Waits for the encoder at the end of the broadcast, after the program has detached it.
    pub fn join(self, limit: Duration) -> Result<(), crate::base::worker::Stuck> {
        self.encoder.map_or(Ok(()), |encoder| encoder.join(limit))
    }
}
