//! What of the broadcast is kept: the recording and the replay buffer.

pub mod audio_tracks;
pub(in crate::studio) mod repair;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::Worker;
use crate::base::queue::Sender;
use crate::broadcast::recorder::replay::{Replay, Room};
use crate::broadcast::recorder::{self, Options, RecordedTracks, Recorder, Split};
use crate::broadcast::{Hub, recorder::replay::Clip};
use crate::media::ExtraTracks;
use crate::studio::event::{self, Event};
use crate::studio::live::recording::audio_tracks::TrackNames;
use crate::studio::notices::message::StudioMessage;
use crate::wire::container::Format;

/// How long finishing a file may take while others wait for it…
const END: Duration = Duration::from_millis(800);
/// …and while nobody does: on a slow disk.
const END_ALONE: Duration = Duration::from_millis(2_000);
/// In the background of a stream that goes on.
const END_BESIDE: Duration = Duration::from_secs(30);
/// Memory of the replay buffer unless something else is chosen.
const REPLAY_BYTES: u64 = 512 << 20;

/// How recordings are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingChoices {
    /// Of recordings, replays too, that the window names.
    pub format: Format,
    /// Goes on in a new file after so long.
    pub split_time: Option<Duration>,
    /// Goes on in a new file before this one is larger.
    pub split_bytes: Option<u64>,
    /// While the encoders run so much of the past is kept, to be saved; `None`: nothing.
    pub replay: Option<Duration>,
    /// And never more than so many bytes of memory.
    pub replay_bytes: u64,
    /// The encoders run for that alone too, neither on air nor recording.
    pub replay_always: bool,
    /// What the sound tracks are called.
    pub track_names: TrackNames,
}

impl Default for RecordingChoices {
    fn default() -> Self {
        Self {
            format: Format::Mp4,
            split_time: None,
            split_bytes: None,
            replay: None,
            replay_bytes: REPLAY_BYTES,
            replay_always: false,
            track_names: TrackNames::default(),
        }
    }
}

impl RecordingChoices {
    /// Whether the encoders run for the replay buffer alone.
    pub fn keeps_always(&self) -> bool {
        self.replay_always && self.replay.is_some()
    }

    fn room(&self) -> Option<Room> {
        let bytes = usize::try_from(self.replay_bytes).unwrap_or(usize::MAX);
        self.replay.map(|duration| Room { duration, bytes })
    }
}

/// Recording and replay buffer of a broadcast.
#[derive(Debug, Default)]
pub(in crate::studio) struct Recordings {
    recorder: Option<Recorder>,
    /// What the recording has.
    tracks: ExtraTracks,
    replay: Option<Replay>,
}

/// Something to tell.
#[derive(Debug)]
pub(in crate::studio) enum RecordingNews {
    /// A file is begun, or another one is paused.
    Writing(event::Recording),
    /// A file is whole or given up.
    Over(event::Recording),
    Chapter(event::Chapter),
    Message(StudioMessage),
}

impl Recordings {
    /// Records into this file.
    pub(in crate::studio) fn record(
        &mut self,
        path: &Path,
        hub: &Hub,
        choices: &RecordingChoices,
        journal: Option<PathBuf>,
        sounds: RecordedTracks,
    ) -> Result<event::Recording, recorder::Error> {
        let split = Split { every: choices.split_time, bytes: choices.split_bytes };
        let tracks = sounds.wanted();
        let recorder = Recorder::start_with(path, hub, Options { split, journal, sounds })?;
        let recording = told(&recorder.figures());
        (self.recorder, self.tracks) = (Some(recorder), tracks);
        Ok(recording)
    }

    /// The recording, if there is one.
    pub(in crate::studio) fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    /// The extra sound tracks of the recording, while there is one.
    pub(in crate::studio) fn tracks(&self) -> ExtraTracks {
        self.recorder.as_ref().map_or(ExtraTracks::NONE, |_| self.tracks)
    }

    /// How much the replay buffer has, and how much it will keep.
    pub(in crate::studio) fn replay(&self) -> Option<(Duration, Duration)> {
        self.replay.as_ref().map(|replay| (replay.filled().0, replay.room().duration))
    }

    /// Keeps as much of the past as is chosen.
    pub(in crate::studio) fn keep(&mut self, hub: &Hub, choices: &RecordingChoices) {
        let room = choices.room();
        if self.replay.as_ref().map(Replay::room) == room {
            return;
        }
        self.replay = room.and_then(|room| {
            Replay::start(hub, room)
                .inspect_err(|error| tracing::error!(%error, "starting the replay buffer"))
                .ok()
        });
    }

    /// What the replay buffer has, with those of these sound tracks that it has; `None` where it has
    /// nothing.
    pub(in crate::studio) fn clip(&self, sounds: RecordedTracks) -> Option<Clip> {
        self.replay.as_ref().map(|replay| replay.clip(sounds)).filter(|clip| !clip.is_empty())
    }

    /// What happened since the last call.
    pub(in crate::studio) fn look(&mut self) -> Vec<RecordingNews> {
        let Some(recorder) = &self.recorder else { return Vec::new() };
        let happenings = drain(recorder);
        if matches!(recorder.figures().state, recorder::State::Failed(_))
            && happenings.iter().any(|happening| matches!(happening, RecordingNews::Over(_)))
        {
            self.recorder = None;
        }
        happenings
    }

    /// Finishes the recording in the background while the stream goes on. Until the worker has
    /// ended, its last word is still to come.
    pub(in crate::studio) fn finish_beside(&mut self, tell: Sender<Event>) -> Option<Worker> {
        let recorder = self.recorder.take()?;
        Worker::spawn("finish-recording", move |_| finish(recorder, END_BESIDE, &tell))
            .inspect_err(|error| tracing::error!(%error, "finishing in the background"))
            .ok()
    }

    /// Finishes the recording and waits for it, a shorter time where others are waiting.
    pub(in crate::studio) fn finish(self, alone: bool, tell: &Sender<Event>) {
        if let Some(recorder) = self.recorder {
            finish(recorder, if alone { END_ALONE } else { END }, tell);
        }
    }
}

fn finish(recorder: Recorder, limit: Duration, tell: &Sender<Event>) {
    // The last file's end is told by what `finish` gives, whatever is told besides.
    for happening in drain(&recorder) {
        let event = match happening {
            RecordingNews::Writing(recording) => Event::Recording(recording),
            RecordingNews::Over(recording)
                if recording.state == event::RecordingState::Finished =>
            {
                Event::Recording(recording)
            }
            RecordingNews::Chapter(chapter) => Event::Chapter(chapter),
            RecordingNews::Over(_) | RecordingNews::Message(_) => continue,
        };
        let _ = tell.send(event);
    }
    let figures = recorder.finish(limit);
    let _ = tell.send(Event::Recording(told(&figures)));
}

fn drain(recorder: &Recorder) -> Vec<RecordingNews> {
    let events = recorder.events().waiting();
    events
        .filter_map(|event| match event {
            // The first one was told when it was asked for.
            recorder::Event::Began(figures) if figures.part == 1 => None,
            recorder::Event::Began(figures) => Some(RecordingNews::Writing(told(&figures))),
            recorder::Event::Paused(figures) => Some(RecordingNews::Writing(told(&figures))),
            recorder::Event::Parted(figures) => Some(RecordingNews::Over(told(&figures))),
            recorder::Event::Over(figures) => {
                let failed = matches!(figures.state, recorder::State::Failed(_));
                failed.then(|| RecordingNews::Over(told(&figures)))
            }
            recorder::Event::Chapter { at, title } => {
                let path = recorder.figures().path;
                Some(RecordingNews::Chapter(event::Chapter { path, at, title }))
            }
            recorder::Event::Held(error) => {
                Some(RecordingNews::Message(StudioMessage::RecordingHeld {
                    path: recorder.figures().path.display().to_string(),
                    reason: error.problem(),
                }))
            }
            recorder::Event::Warning(warning) => {
                Some(RecordingNews::Message(StudioMessage::of_disk(warning)))
            }
        })
        .collect()
}

fn told(figures: &recorder::Figures) -> event::Recording {
    let (state, error) = match &figures.state {
        recorder::State::Writing => (event::RecordingState::Writing, None),
        recorder::State::Finished => (event::RecordingState::Finished, None),
        recorder::State::Failed(error) => (event::RecordingState::Failed, Some(error)),
    };
    event::Recording {
        path: figures.path.clone(),
        state,
        duration: figures.duration,
        bytes: figures.bytes,
        reason: error.map(ToString::to_string),
        trouble: error.map(recorder::Error::problem),
        part: figures.part,
        paused: figures.paused,
    }
}
