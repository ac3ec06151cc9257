//! A media file on the air without a studio around it: its packets go to the targets as they are.

use std::path::Path;
use std::time::Duration;

use crate::base::{Clock, Timestamp};
use crate::broadcast::passthrough::Playback;
use crate::broadcast::{PassthroughFile, Publisher, publisher};
use crate::net::Runtime;
use crate::studio::engine::handle::Config;
use crate::studio::engine::system::process::Process;
use crate::studio::event::stats::Stats;
use crate::studio::event::{Event, stats};
use crate::studio::live::dropped_frames::DroppedFrames;
use crate::studio::live::outputs::target::TargetOutput;
use crate::studio::live::outputs::{OutputNews, Outputs};
use crate::studio::live::stream_delay::StreamDelay;
use crate::studio::targets::address;

/// How long the targets may take to say goodbye.
const END: Duration = Duration::from_secs(2);
/// From one line of figures to the next.
const SECOND: Duration = Duration::from_secs(1);

/// Why it cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Film(#[from] crate::broadcast::passthrough::Error),
    #[error("{0}")]
    Target(String),
    #[error("starting: {0}")]
    System(String),
}

/// The file on its way to its targets.
#[derive(Debug)]
pub struct Copying {
    runtime: Runtime,
    showing: Playback,
    stream_delay: Option<StreamDelay>,
    outputs: Outputs,
    clock: Clock,
    usage: Process,
    next_stats: Timestamp,
}

impl Copying {
    /// Sends the file to the enabled targets of the settings, once or again and again.
    ///
    /// # Errors
    /// The file cannot be sent, or a target cannot be read.
    pub fn start(config: &Config, path: &Path, again: bool) -> Result<Self, Error> {
        let clock = config.clock;
        let film = PassthroughFile::open(path)?;
        let mut wanted = Vec::new();
        for target in config.settings.targets.iter().filter(|target| target.enabled) {
            let resolved = address::resolve(target, None, &config.options, config.retry_for);
            wanted.push((target.id, resolved.map_err(Error::Target)?.whole()));
        }
        let system = |error: &dyn std::fmt::Display| Error::System(error.to_string());
        let runtime = Runtime::start().map_err(|error| system(&error))?;
        let showing = film.show(again, clock).map_err(|error| system(&error))?;
        let delay = config.settings.delay;
        let stream_delay = if delay.is_zero() {
            None
        } else {
            let folder = config.delay_folder.clone();
            Some(StreamDelay::start(delay, folder, &showing.hub, clock).map_err(|it| system(&it))?)
        };
        let mut outputs = Outputs::default();
        for (id, target) in wanted {
            let hub = stream_delay.as_ref().map_or(&showing.hub, StreamDelay::hub);
            let target = publisher::Target { await_media: stream_delay.is_some(), ..target };
            let publisher = Publisher::start(&runtime, target, hub, clock);
            outputs.add(TargetOutput {
                id,
                label: publisher.target().url.authority(),
                built_in: false,
                publisher,
                bitrate: stats::Meter::default(),
                floor: None,
                drops: DroppedFrames::of_file(),
            });
        }
        if stream_delay.is_some() {
            // Nobody is connected before something is due.
            showing.projection.begin();
        }
        let next_stats = clock.now() + SECOND;
        let usage = Process::new();
        Ok(Self { runtime, showing, stream_delay, outputs, clock, usage, next_stats })
    }

    /// What happened since the last call.
    pub fn look(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        if !self.showing.projection.has_begun() {
            self.showing.projection.begin_for(self.targets().map(|sent| &sent.publisher));
        }
        let now = self.clock.now();
        events.extend(self.outputs.look(now).into_iter().filter_map(told));
        events.extend(
            self.stream_delay.as_mut().and_then(StreamDelay::look).map(|it| Event::Delay(it.told)),
        );
        if now >= self.next_stats {
            self.next_stats = now + SECOND;
            events.push(Event::Stats(Box::new(self.stats(now))));
        }
        events
    }

    /// Pictures and sounds taken from the file so far.
    pub fn packets(&self) -> u64 {
        let figures = self.showing.hub.figures();
        figures.frames + figures.sounds
    }

    /// Whether nothing more will happen: the file has ended and everything is sent, or no target is
    /// left.
    pub fn is_over(&self) -> bool {
        self.targets().all(TargetOutput::is_over)
    }

    fn targets(&self) -> impl Iterator<Item = &TargetOutput> {
        self.outputs.all()
    }

    /// Lets out what is held back and no more; `false` where nothing is.
    pub fn drain(&self) -> bool {
        self.stream_delay.as_ref().inspect(|stream_delay| stream_delay.drain()).is_some()
    }

    fn held(&self) -> Option<stats::DelayFigures> {
        self.stream_delay.as_ref().map(StreamDelay::figures)
    }

    /// Ends in order; what was said at last, and the last figures.
    pub fn end(mut self) -> (Vec<Event>, Stats) {
        if let Some(stream_delay) = &self.stream_delay {
            stream_delay.discard();
        }
        let now = self.clock.now();
        let mut events: Vec<_> = self.outputs.look(now).into_iter().filter_map(told).collect();
        self.outputs.stop(END, |event| events.push(event));
        let figures = self.stats(now);
        if let Err(stuck) = self.showing.end(END) {
            tracing::warn!(%stuck, "ending the file");
        }
        self.runtime.shutdown(END);
        (events, figures)
    }

    fn stats(&mut self, now: Timestamp) -> Stats {
        let (cpu, rss_bytes) = self.usage.read();
        let targets = self.outputs.all_mut().map(|sent: &mut TargetOutput| sent.figures(now));
        let targets = targets.collect();
        let strips = Vec::new();
        Stats { video: None, audio: None, strips, targets, delay: self.held(), cpu, rss_bytes }
    }
}

fn told(news: OutputNews) -> Option<Event> {
    match news {
        OutputNews::Flow { id, host, flow } => {
            address::stalled(id, &host, flow).map(|it| Event::Notice(it.notice(0, "")))
        }
        news => news.last_word(),
    }
}
