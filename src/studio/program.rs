//! The program: what is seen and heard, on air or not. Owns the compositor, the mixer and the
//! chosen sources; the broadcast takes pictures and sound from here.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use crate::audio::{self, AudioChoice};
use crate::base::queue::Sender;
use crate::base::{Clock, Latest};
use crate::capture::{self, VideoChoice};
use crate::compose::{self, Compositor};
use crate::media::source::{Report, State, Status};
use crate::media::{FrameGrid, Samples, VideoFrame};
use crate::mix::{self, Mixer};
use crate::studio::Quality;
use crate::studio::message::Message;

/// How long a part may take to end.
const END: Duration = Duration::from_millis(500);

/// Why there is no program.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Compose(#[from] compose::Error),
    #[error(transparent)]
    Mix(#[from] mix::Error),
}

/// A chosen source and how it fares.
#[derive(Debug)]
struct Chosen<C> {
    choice: C,
    /// `None` for `none` and for what could not be begun with.
    status: Option<Arc<Status>>,
    /// What was last told of it.
    told: Report,
}

/// The running program.
#[derive(Debug)]
pub(super) struct Program {
    clock: Clock,
    grid: FrameGrid,
    compositor: Compositor,
    mixer: Mixer,
    video: Chosen<VideoChoice>,
    audio: Chosen<AudioChoice>,
}

impl Program {
    /// Starts a program of this quality that shows the slate and is silent.
    pub(super) fn start(
        clock: Clock,
        quality: &Quality,
        preview: Latest<VideoFrame>,
    ) -> Result<Self, Error> {
        let grid = FrameGrid { origin: clock.now(), rate: quality.frame_rate };
        let compositor =
            Compositor::spawn(compose::Config { size: quality.size, grid, clock }, preview)?;
        let mixer = Mixer::spawn(mix::Config {
            rate: quality.sample_rate,
            channels: quality.channels,
            origin: grid.origin,
            clock,
        })?;
        let nothing = Report::default;
        Ok(Self {
            clock,
            grid,
            compositor,
            mixer,
            video: Chosen { choice: VideoChoice::None, status: None, told: nothing() },
            audio: Chosen { choice: AudioChoice::None, status: None, told: nothing() },
        })
    }

    /// Shows this source. A file that cannot be played leaves the slate and gives the message.
    pub(super) fn select_video(&mut self, choice: VideoChoice) -> Option<Message> {
        let size = self.compositor.config().size;
        let context = capture::Context { clock: self.clock, grid: self.grid, size };
        let opened = match &choice {
            VideoChoice::None => Ok(None),
            choice => capture::open(choice, &context).map(Some),
        };
        let (source, message) = source_or_message(opened, &choice);
        let (feed, status) = source.map(|source| (source.feed, source.status)).unzip();
        self.compositor.set_feed(feed);
        self.video = Chosen { told: told(&choice, message.as_ref()), choice, status };
        message
    }

    /// Hears this source. A file that cannot be played leaves silence and gives the message.
    pub(super) fn select_audio(&mut self, choice: AudioChoice) -> Option<Message> {
        let mix::Config { rate, channels, .. } = self.mixer.config();
        let context = audio::Context { clock: self.clock, grid: self.grid, rate, channels };
        let opened = match &choice {
            AudioChoice::None => Ok(None),
            choice => audio::open(choice, &context).map(Some),
        };
        let (source, message) = source_or_message(opened, &choice);
        let (feed, status) = source.map(|source| (source.feed, source.status)).unzip();
        self.mixer.set_feed(mix::StripId::MAIN, feed);
        self.audio = Chosen { told: told(&choice, message.as_ref()), choice, status };
        message
    }

    pub(super) fn video_choice(&self) -> &VideoChoice {
        &self.video.choice
    }

    pub(super) fn audio_choice(&self) -> &AudioChoice {
        &self.audio.choice
    }

    /// The picture source now.
    pub(super) fn video_report(&self) -> Report {
        self.video.status.as_ref().map_or_else(|| self.video.told.clone(), |it| it.report())
    }

    /// The sound source now.
    pub(super) fn audio_report(&self) -> Report {
        self.audio.status.as_ref().map_or_else(|| self.audio.told.clone(), |it| it.report())
    }

    /// The picture source's report if its state, name or format changed since the last call, with
    /// what was told before.
    pub(super) fn video_change(&mut self) -> Option<(Report, Report)> {
        self.video.change()
    }

    /// The same of the sound source.
    pub(super) fn audio_change(&mut self) -> Option<(Report, Report)> {
        self.audio.change()
    }

    pub(super) fn compositor(&self) -> &Compositor {
        &self.compositor
    }

    pub(super) fn mixer(&self) -> &Mixer {
        &self.mixer
    }

    /// Pictures and sound go to these queues too, from the next ones on.
    pub(super) fn attach(&self, video: Option<Sender<VideoFrame>>, audio: Option<Sender<Samples>>) {
        if let Some(video) = video {
            self.compositor.attach_encoder(video);
        }
        if let Some(audio) = audio {
            self.mixer.attach_encoder(audio);
        }
    }

    /// The queues end.
    pub(super) fn detach(&self) {
        self.compositor.detach_encoder();
        self.mixer.detach_encoder();
    }

    /// Ends composing and mixing; sources close behind them.
    pub(super) fn end(self) {
        let stuck = [self.compositor.join(END).err(), self.mixer.join(END).err()];
        for stuck in stuck.into_iter().flatten() {
            tracing::warn!(%stuck, "ending the program");
        }
    }
}

impl<C> Chosen<C> {
    fn change(&mut self) -> Option<(Report, Report)> {
        let report = self.status.as_ref()?.report();
        let same = report.state == self.told.state
            && report.name == self.told.name
            && report.format == self.told.format
            && report.reason == self.told.reason
            && report.id == self.told.id
            && report.alarm == self.told.alarm;
        if same {
            return None;
        }
        let before = std::mem::replace(&mut self.told, report.clone());
        Some((report, before))
    }
}

/// What was opened, or why it cannot even be begun with.
fn source_or_message<S, E: Display>(
    opened: Result<Option<S>, E>,
    choice: &impl Display,
) -> (Option<S>, Option<Message>) {
    match opened {
        Ok(source) => (source, None),
        Err(error) => {
            let path = choice.to_string();
            (None, Some(Message::FileFailed { path, reason: error.to_string() }))
        }
    }
}

fn told(choice: &impl Display, failed: Option<&Message>) -> Report {
    match failed {
        Some(message) => Report {
            state: State::Failed,
            name: choice.to_string(),
            reason: message.summary(),
            ..Report::default()
        },
        // So that the first look at it is a change.
        None => Report { name: format!("({choice})"), ..Report::default() },
    }
}
