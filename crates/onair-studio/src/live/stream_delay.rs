//! The stream delay of a broadcast, and its messages for the user.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::Clock;
use crate::broadcast::delay::{Config, Room};
use crate::broadcast::{Delay, Hub};
use crate::studio::event;
use crate::studio::event::stats::{DelayFigures, DelayState};
use crate::studio::notices::message::StudioMessage;
use crate::text::problem::problem;
use crate::text::{Problem, minutes};

/// A change to report.
#[derive(Debug)]
pub(crate) struct Changed {
    pub event: event::Delay,
    /// A message for the user.
    pub message: Option<StudioMessage>,
    /// A message for the event log only.
    pub note: Option<StudioMessage>,
}

/// A running delay.
#[derive(Debug)]
pub(crate) struct StreamDelay {
    delay: Delay,
    last_reported: Option<(DelayState, Duration)>,
    /// The last error of the delay's files, and its cure. Without an error, they were too slow.
    trouble: Problem,
}

impl StreamDelay {
    /// Delays the packets of the hub; files go to `folder`.
    pub fn start(
        duration: Duration,
        folder: PathBuf,
        hub: &Hub,
        clock: Clock,
    ) -> std::io::Result<Self> {
        let config = Config { duration, folder, room: Room::default() };
        let delay = Delay::start(&config, hub, clock)?;
        Ok(Self { delay, last_reported: None, trouble: problem!("delay-slow-disk") })
    }

    /// Returns the hub that passes on due packets.
    pub fn hub(&self) -> &Hub {
        self.delay.hub()
    }

    /// Sends the held packets, and accepts no more.
    pub fn drain(&self) {
        self.delay.drain();
    }

    /// Drops the held packets.
    pub fn discard(&self) {
        self.delay.discard();
    }

    pub fn figures(&self) -> DelayFigures {
        let figures = self.delay.figures();
        let state = if self.delay.is_draining() {
            DelayState::Draining
        } else if figures.delay < self.delay.wanted() {
            DelayState::Shortened
        } else if figures.begun {
            DelayState::On
        } else {
            DelayState::Filling
        };
        DelayFigures {
            state,
            delay: figures.delay,
            held: figures.held,
            begins_in: self.delay.begins_in(),
            memory_bytes: figures.memory_bytes as u64,
            disk_bytes: figures.disk_bytes as u64,
        }
    }

    /// Returns the changes since the last call.
    pub fn poll(&mut self) -> Option<Changed> {
        if let Some(trouble) = self.delay.trouble() {
            tracing::warn!(%trouble, "the stream delay cannot use its files");
            self.trouble = trouble;
        }
        let figures = self.figures();
        let now = (figures.state, figures.delay);
        let before = self.last_reported.replace(now);
        // The delay becomes shorter packet by packet. Only changes of at least a second are
        // reported.
        let same = before.is_some_and(|(state, delay)| {
            state == now.0 && delay.abs_diff(now.1) < Duration::from_secs(1)
        });
        if same {
            self.last_reported = before;
            return None;
        }
        let wanted = self.delay.wanted();
        let (mut message, mut note) = (None, None);
        match figures.state {
            DelayState::On => note = Some(StudioMessage::DelayOn { time: minutes(figures.delay) }),
            DelayState::Shortened => {
                let (time, wanted) = (minutes(figures.delay), minutes(wanted));
                let reason = self.trouble.clone();
                message = Some(StudioMessage::DelayShort { time, wanted, reason });
            }
            DelayState::Filling | DelayState::Draining => {}
        }
        let event = event::Delay { state: figures.state, delay: figures.delay, wanted };
        Some(Changed { event, message, note })
    }
}
