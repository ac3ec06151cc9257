//! The further renditions of the program: encodes at other sizes, which targets get on the same
//! connection, if their servers take several video tracks. An encode is shared by all targets that
//! want it, and runs only while one of them does.

use std::time::Duration;

use crate::base::queue::{self, Full, Sender};
use crate::base::worker::Stuck;
use crate::broadcast::Hub;
use crate::broadcast::protocol::link::SentRendition;
use crate::encode::{Incident, VideoEncoder, video};
use crate::media::{EncodedPacket, ExtraRendition, Size};
use crate::studio::program::Program;
use crate::studio::targets::quality::Quality;
use crate::studio::targets::renditions::RenditionChoice;
use crate::text::Problem;
use crate::text::problem::problem;

/// Maximum number of frames that wait for an encoder. More would only add delay.
const MAX_QUEUED_FRAMES: usize = 4;

/// What happened to an encoder.
#[derive(Debug)]
pub(super) enum RenditionNews {
    /// It was started again, or replaced.
    Incident(Incident),
    /// It cannot go on.
    Failed(Problem),
}

/// The encoders of further renditions.
#[derive(Debug)]
pub struct ExtraRenditions {
    /// The queue for the encoders' packets, shared with the main encoder.
    packets: Sender<EncodedPacket>,
    stream: Quality,
    /// The size of the program's frames.
    composed: Size,
    running: Vec<Running>,
    /// Encoders that are no longer required, until they have encoded their last frames.
    ending: Vec<Running>,
    /// What cannot be encoded. It is tried again after no target has wanted it.
    failed: Vec<RenditionChoice>,
    /// What is not reported yet.
    news: Vec<RenditionNews>,
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
        let (running, ending, failed, news) = Default::default();
        Self { packets, stream: stream.clone(), composed, running, ending, failed, news }
    }

    /// Starts the required encoders, and ends those that are no longer required. A keyframe that is
    /// requested from the `main` encoder is also requested from them.
    pub(super) fn follow(
        &mut self,
        wanted: &[RenditionChoice],
        main: Option<&VideoEncoder>,
        (program, hub): (&Program, &Hub),
    ) {
        let list = |running: &[Running]| -> Vec<_> {
            running.iter().map(|it| (it.track, it.choice)).collect()
        };
        let before = list(&self.running);
        let stays = |it: &Running| wanted.contains(&it.choice) && !it.has_failed;
        for ended in self.running.extract_if(.., |it| !stays(it)) {
            program.compositor().attach_rendition(ended.track, None);
            if ended.has_failed {
                self.failed.push(ended.choice);
            }
            self.ending.push(ended);
        }
        self.ending.retain(|it| !it.encoder.is_finished());
        self.failed.retain(|choice| wanted.contains(choice));
        for choice in wanted {
            let is_known = self.running.iter().any(|it| it.choice == *choice);
            if is_known || self.failed.contains(choice) {
                continue;
            }
            if let Err(reason) = self.start(*choice, program) {
                self.failed.push(*choice);
                self.news.push(RenditionNews::Failed(reason));
            }
        }
        if let Some(main) = main.filter(|_| list(&self.running) != before) {
            let asks: Vec<_> = std::iter::once(main)
                .chain(self.running.iter().map(|it| &it.encoder))
                .map(VideoEncoder::keyframe_request)
                .collect();
            hub.on_keyframe_wanted(move || asks.iter().for_each(|ask| ask()));
        }
    }

    fn start(&mut self, choice: RenditionChoice, program: &Program) -> Result<(), Problem> {
        // The last packets of an encoder that ends must not come after those of the next one.
        let used = || self.running.iter().chain(&self.ending);
        let is_free = |track: &ExtraRendition| used().all(|it| it.track != *track);
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
    pub(super) fn sent(&self, choices: &[RenditionChoice]) -> Vec<SentRendition> {
        let of = |choice: &RenditionChoice| {
            let its = self.running.iter().find(|it| it.choice == *choice && !it.has_failed)?;
            Some(SentRendition { track: its.track, video: its.encoder.config().clone() })
        };
        choices.iter().filter_map(of).collect()
    }

    /// Returns what happened to the encoders since the last call.
    pub(super) fn poll(&mut self) -> Vec<RenditionNews> {
        let mut news = std::mem::take(&mut self.news);
        for its in &mut self.running {
            news.extend(its.encoder.take_incidents().into_iter().map(RenditionNews::Incident));
            if let Some(error) = its.encoder.failed().filter(|_| !its.has_failed) {
                its.has_failed = true;
                news.push(RenditionNews::Failed(Problem::from(&error)));
            }
        }
        news
    }

    /// Waits for the encoders at the end of the broadcast, after the program has detached them.
    pub fn join(self, limit: Duration) -> Result<(), Stuck> {
        let Self { packets, running, ending, .. } = self;
        drop(packets);
        running.into_iter().chain(ending).map(|it| it.encoder.join(limit)).fold(Ok(()), Result::and)
    }
}
