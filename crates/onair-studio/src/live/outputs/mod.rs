//! The list of a broadcast's outputs: targets, the recording, the replay buffer. It polls and stops
//! all outputs, regardless of their kind.

pub mod target;

use std::any::Any;
use std::fmt;
use std::time::Duration;

use crate::base::queue::Sender;
use crate::base::{Timestamp, Worker};
use crate::broadcast::publisher::Flow;
use crate::broadcast::recorder::Replay;
use crate::broadcast::{Output, OutputState};
use crate::studio::event::{self, Event};
use crate::studio::live::stream_delay;
use crate::studio::notices::message::StudioMessage;
use crate::text::Problem;

/// A report of an output.
#[derive(Debug)]
pub enum OutputNews {
    Target(event::Target),
    /// The link of a live target went down or recovered.
    Flow {
        id: u32,
        host: String,
        flow: Flow,
    },
    Recording(event::Recording),
    Chapter(event::Chapter),
    Delay(stream_delay::Changed),
    /// An encoder failed.
    Encoder(Problem),
    Message(StudioMessage),
    /// The notices with this key no longer apply.
    NoticeOver(&'static str),
}

impl OutputNews {
    /// Returns the event for an output that is ending.
    pub fn last_word(self) -> Option<Event> {
        match self {
            Self::Target(target) => Some(Event::Target(target)),
            Self::Recording(recording) => Some(Event::Recording(recording)),
            Self::Chapter(chapter) => Some(Event::Chapter(chapter)),
            Self::Message(message) => Some(Event::Notice(message.notice(0, ""))),
            Self::Flow { .. } | Self::Delay(_) | Self::Encoder(_) | Self::NoticeOver(_) => None,
        }
    }
}

/// An output and its events for the studio.
pub trait LiveOutput: Any + fmt::Debug + Send {
    fn output(&self) -> &dyn Output;
    fn output_mut(&mut self) -> &mut dyn Output;
    /// Returns the events since the last call.
    fn poll(&mut self, _now: Timestamp) -> Vec<OutputNews> {
        Vec::new()
    }
    /// Returns the remaining events after the output was stopped or removed.
    fn last_words(&mut self) -> Vec<OutputNews> {
        Vec::new()
    }
    /// Returns true if the output needs the audio that is late at the end of the broadcast. An
    /// output that is not running is stopped before that audio.
    fn needs_last_audio(&self) -> bool {
        self.output().state() == OutputState::Running
    }
    /// Returns true if the output ended early, and its end was reported.
    fn is_forgotten(&self) -> bool {
        false
    }
}

/// The outputs of a broadcast.
#[derive(Debug, Default)]
pub struct Outputs(Vec<Box<dyn LiveOutput>>);

fn of_kind<T: LiveOutput>(output: &dyn LiveOutput) -> Option<&T> {
    (output as &dyn Any).downcast_ref()
}

impl Outputs {
    pub fn add(&mut self, output: impl LiveOutput) {
        self.0.push(Box::new(output));
    }

    /// Returns the outputs of one kind in starting order.
    pub fn all<T: LiveOutput>(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(|output| of_kind(&**output))
    }

    pub fn all_mut<T: LiveOutput>(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().filter_map(|output| (&mut **output as &mut dyn Any).downcast_mut())
    }

    /// Removes and returns the matching outputs of one kind.
    pub fn take<T: LiveOutput>(&mut self, which: impl Fn(&T) -> bool) -> Self {
        let is_meant = |output: &mut Box<dyn LiveOutput>| of_kind(&**output).is_some_and(&which);
        Self(self.0.extract_if(.., is_meant).collect())
    }

    /// Returns true if an output needs the audio that is late at the end of the broadcast.
    pub fn need_last_audio(&self) -> bool {
        self.0.iter().any(|output| output.needs_last_audio())
    }

    /// Returns the events since the last call, in order.
    pub fn poll(&mut self, now: Timestamp) -> Vec<OutputNews> {
        let news = self.0.iter_mut().flat_map(|output| output.poll(now)).collect();
        self.0.retain(|output| !output.is_forgotten());
        news
    }

    /// Returns the remaining events of these outputs.
    pub fn last_words(&mut self) -> Vec<OutputNews> {
        self.0.iter_mut().flat_map(|output| output.last_words()).collect()
    }

    /// Requests the end of outputs with a link that do not need the late audio, within `limit`.
    pub fn stop_early(&self, limit: Duration) {
        let outputs = self.0.iter().filter(|output| !output.needs_last_audio());
        let outputs = outputs.map(|output| output.output());
        let with_link = outputs.filter(|output| output.estimate().is_some());
        with_link.for_each(|output| output.ask_to_stop(limit));
    }

    /// Ends all outputs in parallel, and reports their last events. An output with a link has the
    /// time `limit`. A file has the time `file_limit`, and is awaited last, because it can be on a
    /// slow disk.
    pub fn stop(&mut self, limit: Duration, file_limit: Duration, mut tell: impl FnMut(Event)) {
        let has_link = |output: &dyn LiveOutput| output.output().estimate().is_some();
        let limit_of = |output: &dyn LiveOutput| if has_link(output) { limit } else { file_limit };
        self.0.sort_by_key(|output| !has_link(&**output));
        self.0.iter().for_each(|output| output.output().ask_to_stop(limit_of(&**output)));
        for output in &mut self.0 {
            let limit = limit_of(&**output);
            output.output_mut().stop(limit);
            let words = output.last_words().into_iter();
            words.filter_map(OutputNews::last_word).for_each(&mut tell);
        }
    }

    /// Stops all outputs in the background, like [`Outputs::stop`].
    pub fn stop_beside(mut self, limit: Duration, tell: Sender<Event>) -> Option<Worker> {
        background("end-outputs", move || {
            self.stop(limit, limit, |event| {
                let _ = tell.send(event);
            });
        })
    }
}

/// Runs a task on a thread. Before the studio ends, it waits for the thread.
pub fn background(name: &str, work: impl FnOnce() + Send + 'static) -> Option<Worker> {
    Worker::spawn(name, move |_| work())
        .inspect_err(|error| tracing::error!(%error, name, "a thread could not be started"))
        .ok()
}

impl LiveOutput for Replay {
    fn output(&self) -> &dyn Output {
        self
    }

    fn output_mut(&mut self) -> &mut dyn Output {
        self
    }

    /// The contents of the replay buffer end with the broadcast.
    fn needs_last_audio(&self) -> bool {
        false
    }
}
