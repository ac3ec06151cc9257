//! A target of a broadcast: its publisher, and its events.

use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::protocol::link::Redirect;
use crate::broadcast::{Output, Publisher, publisher};
use crate::media::{BitsPerSecond, ExtraTrack, ExtraTracks};
use crate::studio::event::{self, ProgramName, stats};
use crate::studio::live::dropped_frames::DroppedFrames;
use crate::studio::live::outputs::{LiveOutput, OutputNews};
use crate::studio::live::target_events;
use crate::studio::notices::message::StudioMessage;
use crate::studio::targets::renditions::RenditionChoice;

/// The displayed bitrate is zero after the server has accepted nothing for this long.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(1);

/// Returns the bits per second of a target; zero while the server accepts nothing.
pub fn carried(figures: &publisher::Figures) -> u32 {
    if figures.silent >= SILENCE_TIMEOUT {
        return 0;
    }
    u32::try_from(figures.bitrate).unwrap_or(u32::MAX)
}

/// A target to send to.
#[derive(Debug)]
pub struct WantedTarget {
    pub id: u32,
    /// The name in messages.
    pub label: String,
    /// True for the built-in server, whose stream names are not secret.
    pub built_in: bool,
    pub floor: Option<BitsPerSecond>,
    /// The extra track that the target gets in the place of the program's audio.
    pub mix: Option<ExtraTrack>,
    /// The extra tracks that the target gets besides.
    pub tracks: ExtraTracks,
    /// The renditions that the target gets besides its video.
    pub renditions: Vec<RenditionChoice>,
    pub target: publisher::Target,
}

/// A target with its publisher.
#[derive(Debug)]
pub struct TargetOutput {
    pub id: u32,
    /// The program that the target gets.
    pub program: ProgramName,
    /// The name in messages.
    pub label: String,
    /// True for the built-in server, whose stream names are not secret.
    pub built_in: bool,
    pub publisher: Publisher,
    /// The minimum video bitrate for its connection.
    pub floor: Option<BitsPerSecond>,
    /// The extra track that the target gets in the place of the program's audio.
    pub mix: Option<ExtraTrack>,
    pub tracks: ExtraTracks,
    pub renditions: Vec<RenditionChoice>,
    pub drops: DroppedFrames,
}

impl TargetOutput {
    pub fn is_over(&self) -> bool {
        self.publisher.state().is_over()
    }

    /// Returns the figures of the target.
    pub fn figures(&self) -> stats::Target {
        let figures = self.publisher.figures();
        stats::Target {
            state: target_events::state(self.publisher.state()),
            sent_bytes: figures.sent_bytes,
            bitrate: carried(&figures),
            queued_ms: u64::try_from(figures.queued.as_millis()).unwrap_or(u64::MAX),
            dropped_frames: figures.dropped_frames,
            dropped_audio: figures.dropped_audio,
            lost_frames: figures.lost_frames,
            sent_frames: figures.total_frames.saturating_sub(figures.dropped_frames),
            reconnects: figures.reconnects,
            frame_age_ms: figures.frame_age.map(|age| age.as_secs_f64() * 1_000.0),
            round_trip_ms: figures.round_trip.map(|trip| trip.as_secs_f64() * 1_000.0),
            loss: figures.loss,
            repeated_bytes: figures.repeated_bytes,
            layers: figures.layers,
            rendition_id: target_events::rendition_id(&figures),
            size: figures.rendition.as_ref().map(|rendition| rendition.video.size),
            monitor: None,
        }
    }

    fn happened(&self, event: publisher::Event) -> OutputNews {
        let host = self.label.clone();
        match event {
            publisher::Event::Changed(report) => {
                let of = (self.id, self.label.as_str());
                let target = self.publisher.target();
                let event = target_events::target_event(of, target, self.built_in, &report);
                OutputNews::Target(event::Target { program: self.program.clone(), ..event })
            }
            publisher::Event::Flow(flow) => OutputNews::Flow { id: self.id, host, flow },
            publisher::Event::Unannounced(codecs) => {
                let codecs = codecs.join(" and ");
                OutputNews::Message(StudioMessage::CodecsUnannounced { host, codecs })
            }
            publisher::Event::ExtrasLeftOut => {
                OutputNews::Message(StudioMessage::ExtrasLeftOut { host, id: self.id })
            }
            publisher::Event::RenditionsLeftOut => {
                OutputNews::Message(StudioMessage::ExtraRenditionsLeftOut { host, id: self.id })
            }
            publisher::Event::LayersLeftOut { wanted, taken } => {
                let (wanted, taken) = (wanted.to_string(), taken.to_string());
                OutputNews::Message(StudioMessage::LayersLeftOut {
                    host,
                    wanted,
                    taken,
                    id: self.id,
                })
            }
            publisher::Event::Redirected(Redirect { to, with_password }) => {
                OutputNews::Message(match with_password {
                    true => StudioMessage::Redirected { host, to },
                    false => StudioMessage::RedirectedWithoutLogin { host, to },
                })
            }
            publisher::Event::Replaced(codecs) => {
                let codecs = codecs.join(" and ");
                OutputNews::Message(StudioMessage::CodecReplaced { host, codecs })
            }
            publisher::Event::ServerStatus(status) => {
                let text = status.to_string();
                OutputNews::Message(StudioMessage::ServerSays { host, text })
            }
        }
    }

    fn happenings(&self) -> Vec<OutputNews> {
        self.publisher.events().waiting().map(|event| self.happened(event)).collect()
    }
}

impl LiveOutput for TargetOutput {
    fn output(&self) -> &dyn Output {
        &self.publisher
    }

    fn output_mut(&mut self) -> &mut dyn Output {
        &mut self.publisher
    }

    fn poll(&mut self, now: Timestamp) -> Vec<OutputNews> {
        let mut news = self.happenings();
        let (state, figures) = (self.publisher.state(), self.publisher.figures());
        let drops = self.drops.update(now, state, &figures);
        let message = |drops| self.drops.message(drops, self.id, &self.label, figures.bitrate);
        news.extend(drops.map(message).map(OutputNews::Message));
        news
    }

    fn last_words(&mut self) -> Vec<OutputNews> {
        let mut news = self.happenings();
        let message = |drops| self.drops.message(drops, self.id, &self.label, 0);
        news.extend(self.drops.over().map(message).map(OutputNews::Message));
        news
    }
}
