//! The further renditions of the program: encodes at other sizes, which targets get on the same
//! connection, if their servers take several video tracks. An encode is shared by all targets that
//! want it, and runs only while one of them does.

use std::time::Duration;

use super::{MAX_QUEUED_FRAMES, OnAir, encoder_message};
use crate::base::queue::{self, Full, Sender};
use crate::base::worker::Stuck;
use crate::broadcast::Hub;
use crate::broadcast::protocol::link::SentRendition;
use crate::encode::{VideoEncoder, video};
use crate::media::{EncodedPacket, ExtraRendition, Size};
use crate::studio::live::outputs::OutputNews;
use crate::studio::live::outputs::target::WantedTarget;
use crate::studio::notices::message::StudioMessage;
use crate::studio::program::Program;
use crate::studio::targets::quality::Quality;
use crate::studio::targets::renditions::RenditionChoice;
use crate::text::Problem;
use crate::text::problem::problem;

/// The encoders of further renditions.
#[derive(Debug)]
pub struct ExtraRenditions {
    /// The queue for the encoders' packets, shared with the main encoder.
    packets: Sender<EncodedPacket>,
    stream: Quality,
    /// The size of the program's frames.
    composed: Size,
    running: Vec<Running>,
}

#[derive(Debug)]
struct Running {
    track: ExtraRendition,
    choice: RenditionChoice,
    encoder: VideoEncoder,
    has_failed: bool,
}

impl ExtraRenditions {
    /// Creates the list; no encoder runs yet. The program is composed at the size `composed`.
    pub fn new(packets: Sender<EncodedPacket>, stream: &Quality, composed: Size) -> Self {
        Self { packets, stream: stream.clone(), composed, running: Vec::new() }
    }

    /// Starts the required encoders, and ends those that are no longer required. A keyframe that is
    /// requested from the `main` encoder is also requested from them.
    fn follow(
        &mut self,
        wanted: &[RenditionChoice],
        main: Option<&VideoEncoder>,
        (program, hub): (&Program, &Hub),
    ) -> Result<(), Problem> {
        let before: Vec<_> = self.running.iter().map(|it| it.track).collect();
        self.running.retain(|it| {
            let stays = wanted.contains(&it.choice);
            if !stays {
                program.compositor().attach_rendition(it.track, None);
            }
            stays
        });
        let mut result = Ok(());
        for choice in wanted {
            if self.running.iter().any(|it| it.choice == *choice) {
                continue;
            }
            if let Err(reason) = self.start(*choice, program) {
                result = Err(reason);
            }
        }
        if let Some(main) = main.filter(|_| !self.running.iter().map(|it| it.track).eq(before)) {
            let asks: Vec<_> = std::iter::once(main)
                .chain(self.running.iter().map(|it| &it.encoder))
                .map(VideoEncoder::keyframe_request)
                .collect();
            hub.on_keyframe_wanted(move || asks.iter().for_each(|ask| ask()));
        }
        result
    }

    fn start(&mut self, choice: RenditionChoice, program: &Program) -> Result<(), Problem> {
        let is_free = |track: &ExtraRendition| self.running.iter().all(|it| it.track != *track);
        let track = ExtraRendition::all().find(is_free);
        let track =
            track.ok_or_else(|| problem!("renditions-full", most = RenditionChoice::MAX))?;
        let (frames, waiting) =
            queue::bounded("rendition frames", MAX_QUEUED_FRAMES, Full::DropOldest);
        let (size, bitrate) = (choice.size_in(self.stream.size), choice.bitrate_in(&self.stream));
        let config = video::Config { size: self.composed, bitrate, ..self.stream.video_config() };
        let packets = self.packets.clone();
        let encoder = VideoEncoder::spawn_extra(config, track, size, waiting, packets)
            .map_err(|error| Problem::from(&error))?;
        program.compositor().attach_rendition(track, Some(frames));
        self.running.push(Running { track, choice, encoder, has_failed: false });
        Ok(())
    }

    /// Returns those of the chosen renditions that are encoded, in the order of the choice.
    fn sent(&self, choices: &[RenditionChoice]) -> Vec<SentRendition> {
        let of = |choice: &RenditionChoice| {
            let its = self.running.iter().find(|it| it.choice == *choice)?;
            Some(SentRendition { track: its.track, video: its.encoder.config().clone() })
        };
        choices.iter().filter_map(of).collect()
    }

    /// Returns the messages about encoders that were replaced or that failed.
    fn poll(&mut self) -> Vec<StudioMessage> {
        let mut messages = Vec::new();
        for its in &mut self.running {
            messages.extend(its.encoder.take_incidents().into_iter().map(encoder_message));
            if let Some(error) = its.encoder.failed().filter(|_| !its.has_failed) {
                its.has_failed = true;
                let reason = Problem::from(&error);
                messages.push(StudioMessage::ExtraRenditionFailed { reason });
            }
        }
        messages
    }

    /// Waits for the encoders at the end of the broadcast, after the program has detached them.
    pub fn join(self, limit: Duration) -> Result<(), Stuck> {
        let Self { packets, running, .. } = self;
        drop(packets);
        running.into_iter().map(|it| it.encoder.join(limit)).fold(Ok(()), Result::and)
    }
}

impl OnAir {
    /// Starts the encoders of these targets' further renditions before the targets are added.
    ///
    /// # Errors
    /// Fails if an encoder is not available, with the reason. The targets then do not get its rendition.
    pub fn encode_renditions(
        &mut self,
        added: &[WantedTarget],
        program: &Program,
    ) -> Result<(), Problem> {
        let targets = self.outputs.all().filter(|it: &&super::TargetOutput| !it.is_over());
        let chosen = targets.flat_map(|it| &it.renditions);
        let chosen = chosen.chain(added.iter().flat_map(|it| &it.renditions));
        let mut wanted: Vec<RenditionChoice> = Vec::new();
        for choice in chosen {
            if !wanted.contains(choice) {
                wanted.push(*choice);
            }
        }
        let Some(renditions) = &mut self.renditions else { return Ok(()) };
        renditions.follow(&wanted, self.video.as_ref(), (program, &self.hub))
    }

    /// Returns those of a target's further renditions that are encoded.
    pub(super) fn sent_renditions(&self, choices: &[RenditionChoice]) -> Vec<SentRendition> {
        self.renditions.as_ref().map(|it| it.sent(choices)).unwrap_or_default()
    }

    /// Returns the news about the encoders of further renditions.
    pub(super) fn poll_renditions(&mut self) -> impl Iterator<Item = OutputNews> + use<> {
        let messages = self.renditions.as_mut().map(ExtraRenditions::poll).unwrap_or_default();
        messages.into_iter().map(OutputNews::Message)
    }
}
