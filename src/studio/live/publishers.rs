//! The targets of a broadcast: each with its publisher, what happened there, and their end.

use std::time::Duration;

use crate::base::queue::Sender;
use crate::base::{Timestamp, Worker};
use crate::broadcast::publisher::Flow;
use crate::broadcast::{Publisher, publisher};
use crate::media::BitsPerSecond;
use crate::studio::event::{self, Event, stats};
use crate::studio::live::dropped_frames::DroppedFrames;
use crate::studio::live::{recording, stream_delay};
use crate::studio::notices::message::StudioMessage;

/// How long they may take to say goodbye, within the 3 s that Stop may take.
pub(in crate::studio) const END: Duration = Duration::from_millis(900);

/// Something to tell.
#[derive(Debug)]
pub(in crate::studio) enum PublisherNews {
    Target(event::Target),
    /// Nothing gets through to a live target any more, or something does again.
    Flow {
        id: u32,
        host: String,
        flow: Flow,
    },
    /// The server said something in passing.
    Said {
        host: String,
        text: String,
    },
    Recording(recording::RecordingNews),
    Delay(stream_delay::Changed),
    /// A server did not say whether it takes what is sent as it is.
    Unannounced {
        host: String,
        codecs: String,
    },
    /// Frames are dropped for a target, or no longer.
    Drops(StudioMessage),
    /// An encoder gave up.
    Encoder(String),
}

impl PublisherNews {
    /// The message that it is by itself.
    pub fn message(&self) -> Option<StudioMessage> {
        match self {
            Self::Said { host, text } => {
                Some(StudioMessage::ServerSays { host: host.clone(), text: text.clone() })
            }
            Self::Unannounced { host, codecs } => Some(StudioMessage::CodecsUnannounced {
                host: host.clone(),
                codecs: codecs.clone(),
            }),
            Self::Drops(message) => Some(message.clone()),
            _ => None,
        }
    }

    /// As it is told of a target that is being ended.
    pub fn last_word(self) -> Option<Event> {
        match self {
            Self::Target(told) => Some(Event::Target(told)),
            other => other.message().map(|message| Event::Notice(message.notice(0, ""))),
        }
    }
}

/// A target to send to.
#[derive(Debug)]
pub(in crate::studio) struct WantedTargets {
    pub id: u32,
    /// What messages call it.
    pub label: String,
    /// It is the server inside the program, whose stream names are no secrets.
    pub built_in: bool,
    pub floor: Option<BitsPerSecond>,
    pub target: publisher::Target,
}

/// A target with its publisher.
#[derive(Debug)]
pub(in crate::studio) struct Publishers {
    pub id: u32,
    /// What messages call it.
    pub label: String,
    /// It is the server inside the program, whose stream names are no secrets.
    pub built_in: bool,
    pub publisher: Publisher,
    pub bitrate: stats::Meter,
    /// Of the picture, for its connection.
    pub floor: Option<BitsPerSecond>,
    pub drops: DroppedFrames,
}

impl Publishers {
    /// Looks whether its connection has become too slow, or carries everything again.
    pub fn look_at_drops(&mut self, now: Timestamp) -> Option<PublisherNews> {
        let (state, figures) = (self.publisher.state(), self.publisher.figures());
        let news = self.drops.look(now, state, &figures)?;
        Some(PublisherNews::Drops(self.drops.message(news, self.id, &self.label)))
    }

    /// What is to be told where it ends now.
    pub fn last_drops(&self) -> Option<PublisherNews> {
        let news = self.drops.over()?;
        Some(PublisherNews::Drops(self.drops.message(news, self.id, &self.label)))
    }
}

pub(in crate::studio) fn background(
    name: &str,
    work: impl FnOnce() + Send + 'static,
) -> Option<Worker> {
    Worker::spawn(name, move |_| work())
        .inspect_err(|error| tracing::error!(%error, "ending in the background"))
        .ok()
}

/// Ends publishers, all at once, and tells their last words.
pub(in crate::studio) fn stop(sent: &[Publishers], tell: &Sender<Event>) {
    for sent in sent {
        sent.publisher.ask_to_stop(END);
    }
    for sent in sent {
        sent.publisher.stop(END);
        let mut happenings = Vec::new();
        drain(sent, &mut happenings);
        happenings.extend(sent.last_drops());
        for event in happenings.into_iter().filter_map(PublisherNews::last_word) {
            let _ = tell.send(event);
        }
    }
}

pub(in crate::studio) fn drain(sent: &Publishers, happenings: &mut Vec<PublisherNews>) {
    while let Ok(event) = sent.publisher.events().try_recv() {
        match event {
            publisher::Event::Changed(report) => {
                let target = sent.publisher.target();
                let told = crate::studio::live::target_events::told(
                    (sent.id, &sent.label),
                    target,
                    sent.built_in,
                    &report,
                );
                happenings.push(PublisherNews::Target(told));
            }
            publisher::Event::Flow(flow) => {
                happenings.push(PublisherNews::Flow {
                    id: sent.id,
                    host: sent.label.clone(),
                    flow,
                });
            }
            publisher::Event::Said(status)
                if crate::studio::live::target_events::is_routine(&status) =>
            {
                tracing::debug!(%status, "the server says");
            }
            publisher::Event::Unannounced(codecs) => {
                let host = sent.label.clone();
                happenings.push(PublisherNews::Unannounced { host, codecs: codecs.join(" and ") });
            }
            publisher::Event::Said(status) => {
                let (host, text) = (sent.label.clone(), status.to_string());
                happenings.push(PublisherNews::Said { host, text });
            }
        }
    }
}
