//! The encode of a recording with its own encoder or quality. It takes the same frames as the encoder
//! of the stream, and its packets go only to the recording, with the audio of the stream.
//!
//! Its failure must not cost the recording anything: the recording then continues with the frames of
//! the stream, in a new file.

use std::time::Duration;

use crate::base::Timestamp;
use crate::base::queue::{self, Full, Sender};
use crate::broadcast::Hub;
use crate::broadcast::hub::own_video::{OwnPackets, OwnVideo};
use crate::encode::{Incident, VideoEncoder, video};
use crate::media::{ExtraTrack, ExtraTracks, ProgramId, Size, VideoFrame};
use crate::studio::event::{self, ProgramName};
use crate::studio::program::Program;
use crate::text::Problem;

/// Maximum number of frames that wait for the encoder. More would only add delay.
const MAX_QUEUED_FRAMES: usize = 8;

/// An encoder that gets no frames yet, because opening it takes a while.
#[derive(Debug)]
pub struct OpenedEncode {
    encoder: VideoEncoder,
    frames: Sender<VideoFrame>,
    packets: OwnPackets,
    /// How much later than those of other encoders the packets come.
    delay: Duration,
}

/// The running encode of a recording.
#[derive(Debug)]
pub struct OwnEncode {
    hub: Hub,
    /// The hub with the recording's mix.
    mixed: Option<Hub>,
    encoder: VideoEncoder,
    video: OwnVideo,
    has_failed: bool,
}

impl OpenedEncode {
    /// Opens the first of these encoders that can be opened. Its frames are of the size `composed`,
    /// and scaled to that of the configuration.
    ///
    /// # Errors
    /// Fails with the reason of the last one.
    pub fn open(configs: &[video::Config], composed: Size) -> Option<Result<Self, Problem>> {
        let mut last = None;
        for config in configs {
            let (frames, waiting) =
                queue::bounded("recorded frames", MAX_QUEUED_FRAMES, Full::DropOldest);
            let packets = OwnPackets::default();
            let its = video::Config { size: composed, ..*config };
            match VideoEncoder::spawn_sole(its, config.size, waiting, packets.packets.clone()) {
                Ok(encoder) => {
                    return Some(Ok(Self { encoder, frames, packets, delay: config.delay() }));
                }
                Err(error) => last = Some(Problem::from(&error)),
            }
        }
        last.map(Err)
    }

    /// Returns the event about the encoder.
    pub fn event(&self, program: ProgramName) -> event::Encoder {
        event::Encoder::of_video(program, &self.encoder, true)
    }

    /// Takes the frames of a program from this instant on, beside the stream of this hub.
    ///
    /// # Errors
    /// Fails if the system provides no thread.
    pub fn begin(
        self,
        stream: &Hub,
        (program, id): (&Program, ProgramId),
        from: Timestamp,
    ) -> std::io::Result<OwnEncode> {
        let Self { encoder, frames, packets, delay } = self;
        let (hub, video) = stream.with_video(encoder.config().clone(), packets)?;
        hub.on_keyframe_wanted(encoder.keyframe_request());
        hub.set_video_delay(delay);
        program.compositor().attach_recorder(id, frames, from);
        let mut encode = OwnEncode { hub, mixed: None, encoder, video, has_failed: false };
        encode.follow(stream);
        Ok(encode)
    }
}

impl OwnEncode {
    /// Returns the hub for a recording with this mix.
    pub fn recorded_hub(&mut self, mix: Option<ExtraTrack>) -> &Hub {
        match mix {
            Some(track) => self.mixed.get_or_insert_with(|| self.hub.with_mix(track)),
            None => &self.hub,
        }
    }

    /// Returns the hubs of the recording.
    pub fn hubs(&self) -> impl Iterator<Item = &Hub> {
        std::iter::once(&self.hub).chain(&self.mixed)
    }

    /// Sets the extra audio tracks of the stream.
    pub fn set_extras(&self, extras: ExtraTracks) {
        self.hub.set_extras(extras);
    }

    /// Follows the delays of the stream, whose hub passes the audio on. After the encoder has
    /// failed, continues with the frames of the stream, and returns the reason once.
    pub fn follow(&mut self, stream: &Hub) -> Option<Problem> {
        self.hub.set_audio_delay(stream.audio_delay() + stream.video_delay());
        let error = self.encoder.failed().filter(|_| !self.has_failed)?;
        self.has_failed = true;
        self.hub.set_video_delay(stream.video_delay());
        self.video.use_stream(stream);
        Some(Problem::from(&error))
    }

    /// Returns the failures that the encoder survived since the last call.
    pub fn take_incidents(&self) -> Vec<Incident> {
        self.encoder.take_incidents()
    }

    /// Waits until the encoder has encoded its last frames, which were already requested.
    pub fn finish(&mut self, limit: Duration) {
        let limit = limit + self.hub.video_delay();
        if let Err(stuck) = self.encoder.wait(limit) {
            tracing::warn!(%stuck, "ending the encoder of the recording failed");
        }
    }
}
