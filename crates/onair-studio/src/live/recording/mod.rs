//! The recording options of a broadcast, and the recording as one of its outputs.

pub mod audio_tracks;
pub mod free_space;
pub mod library;
pub(crate) mod own_encode;
pub mod own_quality;
pub(crate) mod repair;
pub(crate) mod space_again;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::recorder::replay::Room;
use crate::broadcast::recorder::{self, Options, RecordedTracks, Recorder, Split};
use crate::broadcast::{Hub, Output};
use crate::encode;
use crate::files::disk_space::DiskChange;
use crate::files::name_pattern::{self, NameValues};
use crate::media::{ExtraTrack, ExtraTracks, Size};
use crate::studio::event::{self, ProgramName};
use crate::studio::live::outputs::{LiveOutput, OutputNews};
use crate::studio::live::recording::audio_tracks::TrackNames;
use crate::studio::live::recording::own_encode::OwnEncode;
use crate::studio::live::recording::own_quality::{OwnQuality, RecordQuality};
use crate::studio::notices::message::StudioMessage;
use crate::wire::container::Format;

/// The default memory of the replay buffer in bytes.
const DEFAULT_REPLAY_BYTES: u64 = 512 << 20;

/// The recording options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingChoices {
    /// The format of recordings and replays whose file names the window chooses.
    pub format: Format,
    /// The [pattern](name_pattern) of the names of recordings, unless a command names the file.
    pub file_name: String,
    /// The duration after which a recording continues in a new file.
    pub split_time: Option<Duration>,
    /// The size in bytes that a file may reach before the recording continues in a new file.
    pub split_bytes: Option<u64>,
    /// The duration of the replay buffer; `None` disables the buffer.
    pub replay: Option<Duration>,
    /// The maximum memory of the replay buffer in bytes.
    pub replay_bytes: u64,
    /// True if the encoders run even if only the replay buffer needs them.
    pub replay_always: bool,
    /// The extra track that recordings get as their first track; `None` means the program's audio.
    pub mix: Option<ExtraTrack>,
    /// The names of the audio tracks.
    pub track_names: TrackNames,
    /// The encoder, if it is not that of the stream.
    pub encoder: Option<encode::Choice>,
    /// The quality, if it is not that of the stream.
    pub quality: Option<RecordQuality>,
    /// The size of recordings of the main program, if it is not that of the stream.
    pub size: Option<Size>,
}

impl Default for RecordingChoices {
    fn default() -> Self {
        Self {
            format: Format::Mp4,
            file_name: name_pattern::DEFAULT_PATTERN.to_owned(),
            split_time: None,
            split_bytes: None,
            replay: None,
            replay_bytes: DEFAULT_REPLAY_BYTES,
            replay_always: false,
            mix: None,
            track_names: TrackNames::default(),
            encoder: None,
            quality: None,
            size: None,
        }
    }
}

impl RecordingChoices {
    /// Maximum duration of a recording's files in seconds.
    pub const MAX_SPLIT_SECONDS: u64 = 31_536_000;
    /// Maximum duration of the replay buffer in seconds.
    pub const MAX_REPLAY_SECONDS: u64 = 3_600;
    /// The range of the memory of the replay buffer in MiB.
    pub const REPLAY_MEBIBYTES_RANGE: RangeInclusive<u64> = 1..=16_384;

    /// Returns true if the encoders run even if only the replay buffer needs them.
    pub fn keeps_always(&self) -> bool {
        self.replay_always && self.replay.is_some()
    }

    /// Returns the encoder, quality and size of recordings.
    pub const fn own(&self) -> OwnQuality {
        OwnQuality { encoder: self.encoder, quality: self.quality, size: self.size }
    }

    /// Returns the path of a new recording in this folder.
    pub fn new_recording(&self, folder: &Path, values: &NameValues) -> PathBuf {
        let name = name_pattern::named_by(&self.file_name, values);
        folder.join(format!("{name}.{}", self.format.extension()))
    }

    /// Returns the limits of the replay buffer.
    pub(crate) fn room(&self) -> Option<Room> {
        let bytes = usize::try_from(self.replay_bytes).unwrap_or(usize::MAX);
        self.replay.map(|duration| Room { duration, bytes })
    }
}

/// A recording, as an output of a broadcast.
#[derive(Debug)]
pub(crate) struct RecordingOutput {
    pub recorder: Recorder,
    /// The recorded program or source.
    program: ProgramName,
    /// The extra audio tracks, which are encoded until the recording is dropped.
    pub tracks: Arc<ExtraTracks>,
    /// The encode that only the recording has.
    pub own: Option<OwnEncode>,
    /// True if the recording ended early, and its end was reported.
    is_over: bool,
}

impl RecordingOutput {
    /// Starts to record this program or source to this file.
    pub fn start(
        program: ProgramName,
        path: &Path,
        hub: &Hub,
        choices: &RecordingChoices,
        journal: Option<PathBuf>,
        (audio_tracks, mix): (RecordedTracks, Option<ExtraTrack>),
        after: Option<Timestamp>,
    ) -> Result<Self, recorder::Error> {
        let split = Split { every: choices.split_time, bytes: choices.split_bytes };
        let mixed = mix.into_iter().collect();
        let tracks = Arc::new(audio_tracks.wanted().and(mixed));
        let recorder =
            Recorder::start_with(path, hub, Options { split, journal, audio_tracks, after })?;
        Ok(Self { recorder, program, tracks, own: None, is_over: false })
    }

    /// Returns the state as an event.
    pub fn event(&self) -> event::Recording {
        self.event_of(&self.recorder.figures())
    }

    fn event_of(&self, figures: &recorder::Figures) -> event::Recording {
        event::Recording { program: self.program.clone(), ..recording_event(figures) }
    }

    fn happened(&self, event: recorder::Event) -> Option<OutputNews> {
        let path = || self.recorder.figures().path;
        match event {
            // The first file was reported when the recording was started.
            recorder::Event::Began(figures) if figures.part == 1 => None,
            recorder::Event::Began(figures)
            | recorder::Event::Paused(figures)
            | recorder::Event::Parted(figures) => {
                Some(OutputNews::Recording(self.event_of(&figures)))
            }
            recorder::Event::Over(figures) => {
                let failed = matches!(figures.state, recorder::State::Failed(_));
                failed.then(|| OutputNews::Recording(self.event_of(&figures)))
            }
            recorder::Event::Chapter { at, title } => {
                Some(OutputNews::Chapter(event::Chapter { path: path(), at, title }))
            }
            recorder::Event::Held(error) => {
                let (path, reason) = (path().display().to_string(), error.problem());
                Some(OutputNews::Message(StudioMessage::RecordingHeld { path, reason }))
            }
            recorder::Event::Disk(change) => Some(disk_news(change)),
        }
    }
}

impl LiveOutput for RecordingOutput {
    fn output(&self) -> &dyn Output {
        &self.recorder
    }

    fn output_mut(&mut self) -> &mut dyn Output {
        &mut self.recorder
    }

    fn poll(&mut self, _: Timestamp) -> Vec<OutputNews> {
        let events: Vec<_> = self.recorder.events().waiting().collect();
        let is_end = |event: &recorder::Event| matches!(event, recorder::Event::Over(_));
        let failed = matches!(self.recorder.figures().state, recorder::State::Failed(_));
        self.is_over |= failed && events.iter().any(is_end);
        events.into_iter().filter_map(|event| self.happened(event)).collect()
    }

    fn last_words(&mut self) -> Vec<OutputNews> {
        // The figures report the last file, regardless of other events.
        let is_end = |event: &recorder::Event| matches!(event, recorder::Event::Over(_));
        let events = self.recorder.events().waiting().filter(|event| !is_end(event));
        let mut news: Vec<_> = events.filter_map(|event| self.happened(event)).collect();
        news.push(OutputNews::Recording(self.event()));
        news
    }

    fn is_forgotten(&self) -> bool {
        self.is_over
    }
}

fn disk_news(change: DiskChange) -> OutputNews {
    match change {
        DiskChange::Warning(warning) => OutputNews::Message(StudioMessage::of_disk(warning)),
        DiskChange::SpaceOver => OutputNews::NoticeOver("disk-space"),
        DiskChange::SlowOver => OutputNews::NoticeOver("disk-slow"),
    }
}

fn recording_event(figures: &recorder::Figures) -> event::Recording {
    let (state, error) = match &figures.state {
        recorder::State::Writing => (event::RecordingState::Writing, None),
        recorder::State::Finished => (event::RecordingState::Finished, None),
        recorder::State::Failed(error) => (event::RecordingState::Failed, Some(error)),
    };
    event::Recording {
        program: ProgramName::Main,
        path: figures.path.clone(),
        state,
        duration: figures.duration,
        bytes: figures.bytes,
        reason: error.map(recorder::Error::problem),
        part: figures.part,
        paused: figures.paused,
    }
}
