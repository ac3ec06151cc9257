//! The present state of the studio: plain values for the window and for tests.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use crate::media::source_status::SourceState;

use crate::audio::AudioChoice;
use crate::base::Latest;
use crate::capture::{CameraControl, CameraFormat, ScreenInfo, VideoChoice, WindowInfo};
use crate::compose::ViewOf;
use crate::compose::scene::{SceneId, SourceId};
use crate::encode::KnownEncoder;
use crate::media::playback_control::{Position, SkippedFile};
use crate::media::{RenditionId, Size, VideoFrame};
use crate::mix;
use crate::server::Fault;
use crate::studio::KeyPlace;
use crate::studio::event::stats::DelayFigures;
use crate::studio::live::monitor::view::MonitorView;
use crate::studio::live::recording::audio_tracks::TrackNames;
use crate::studio::live::recording::library::view::RecordingsView;
use crate::studio::live::view::{BroadcastSummary, LiveFigures, LiveState, PassthroughView};
use crate::studio::mixer::AudioStrip;
use crate::studio::mixer::monitoring::Monitoring;
use crate::studio::notices::event_log::LogEntry;
use crate::studio::notices::{Notice, PastNotice};
use crate::studio::preflight::recommendation::MeasuredQuality;
use crate::studio::scenes::{Collection, MAIN};
use crate::studio::settings::Preferences;
use crate::studio::settings::part::versions::Version;
use crate::studio::settings::part::{InUse, PartKind};
use crate::studio::targets::quality::Quality;
use crate::studio::targets::services::ServiceList;
use crate::studio::targets::{Target, TargetState};
use crate::studio::watch::chat::{ChatChoices, ChatView};
use crate::studio::watch::choices::PlayerChoices;
use crate::studio::watch::view::{TileView, WatchFigures, WatchState};
use crate::text::Problem;

/// A device to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Stable over replugging and restarts.
    pub id: String,
    /// For people.
    pub name: String,
    /// The system's default.
    pub default: bool,
}

/// The video source.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoSource {
    pub choice: VideoChoice,
    pub state: SourceState,
    /// Human name of what is open.
    pub name: String,
    /// Size and rate of what it delivers, once known.
    pub format: Option<(Size, f64)>,
}

/// A source of the scenes.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneSource {
    pub id: SourceId,
    pub state: SourceState,
    /// Human name of what is open.
    pub name: String,
    /// Size of what it delivers, once known.
    pub size: Option<Size>,
    /// Why it does not deliver; empty while it does.
    pub reason: Problem,
    /// Where it is, if it plays something that can be paused.
    pub playing: Option<Position>,
    /// Those of its files that it continues without.
    pub left_out: Arc<[SkippedFile]>,
    /// Files of its filters that cannot be used.
    pub filters_lack: Vec<SkippedFile>,
    /// The device's own id; empty for what is no device.
    pub device: String,
}

/// The scenes and how their sources fare.
#[derive(Clone, Debug, Default)]
pub struct Scenes {
    pub collection: Arc<Collection>,
    /// The main video source among them, if it is shown in any scene.
    pub sources: Vec<SceneSource>,
    /// The scene that is prepared.
    pub prepared: Option<SceneId>,
    /// Its frame, small.
    pub picture: Latest<VideoFrame>,
    /// What is looked at beside the program.
    pub views: Arc<BTreeMap<ViewOf, Latest<VideoFrame>>>,
    pub can_undo: bool,
    pub can_redo: bool,
    /// The machine does not keep up: filters that only make a frame nicer are left out.
    pub lacks_filters: bool,
    /// Files of transitions that cannot be used.
    pub transitions_lack: Vec<SkippedFile>,
    /// What cameras that are open let be set, by their ids.
    pub controls: BTreeMap<String, Arc<Vec<CameraControl>>>,
    /// What they offer.
    pub formats: BTreeMap<String, Arc<Vec<CameraFormat>>>,
}

/// Why this file is among those that cannot be used.
fn lack<'a>(files: &'a [SkippedFile], path: &Path) -> Option<&'a Problem> {
    files.iter().find(|it| it.path == path).map(|it| &it.reason)
}

impl SceneSource {
    /// Why it continues without this file.
    pub fn lacks(&self, path: &Path) -> Option<&Problem> {
        lack(&self.left_out, path)
    }

    /// Why its filters cannot work with this file.
    pub fn filter_lacks(&self, path: &Path) -> Option<&Problem> {
        lack(&self.filters_lack, path)
    }
}

impl Scenes {
    /// How a source fares.
    pub fn source(&self, id: SourceId) -> Option<&SceneSource> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// Why transitions cannot work with this file.
    pub fn transition_lacks(&self, path: &Path) -> Option<&Problem> {
        lack(&self.transitions_lack, path)
    }
}

/// The audio source and its meter.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioSource {
    pub choice: AudioChoice,
    pub state: SourceState,
    pub name: String,
    pub gain_db: f32,
    pub muted: bool,
    /// Sample peak since the last snapshot, with the meter's decay, dBFS (-60 and below: silence).
    pub peak_dbfs: f32,
    /// Highest peak held, dBFS.
    pub held_dbfs: f32,
    /// Root of the mean square over about 300 ms, dBFS.
    pub rms_dbfs: f32,
    /// Stays lit until [`Command::ClearClip`](crate::studio::command::Command).
    pub clipped: bool,
    /// The device's clock against ours, parts per million, once measured.
    pub drift_ppm: Option<f64>,
}

/// A strip of the mixer, what it hears, and its meter.
#[derive(Clone, Debug, PartialEq)]
pub struct StripView {
    pub sound: AudioStrip,
    /// As a person calls it, else after its device or source: as in the figures of a broadcast.
    pub name: String,
    /// What the system calls what it hears; empty: not open.
    pub device: String,
    pub state: SourceState,
    /// A scene on the program shows the frame of what it hears.
    pub shown: bool,
    /// Its talk key is held: its own, or that of all strips.
    pub held: bool,
    /// It is a media file or stream that is open and has no audio.
    pub soundless: bool,
    /// The device's clock against ours, parts per million, once measured.
    pub drift_ppm: Option<f64>,
    /// After fader and mute.
    pub meter: mix::Reading,
}

/// A target as the window shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetView {
    pub target: Target,
    /// What it did last; `None` while it has not been tried.
    pub state: Option<TargetState>,
    /// Where on the way it is or failed: `dns`, `tcp`, `tls`…
    pub stage: Option<&'static str>,
    /// What went wrong last, and what to do about it.
    pub cause: Option<Problem>,
    /// The server said no, by words or by hanging up.
    pub refused: bool,
    /// Until the next try, and how many have failed since it was live last.
    pub retry_in: Option<Duration>,
    pub tries: u32,
    /// Bits a second over the last second, while on air.
    pub bitrate: u32,
    /// What waits to be sent, by its timestamps.
    pub queued: Duration,
    pub dropped_frames: u64,
    pub total_frames: u64,
    pub reconnects: u32,
    pub round_trip: Option<Duration>,
    /// Which encode goes there, and the size of its frames.
    pub rendition_id: RenditionId,
    pub size: Option<Size>,
    /// True if what its viewers get is looked at while it is on air…
    pub monitored: bool,
    /// …and what is seen.
    pub monitor: Option<MonitorView>,
}

impl TargetView {
    /// A target that has not been tried.
    pub fn idle(target: Target) -> Self {
        Self {
            target,
            state: None,
            stage: None,
            cause: None,
            refused: false,
            retry_in: None,
            tries: 0,
            bitrate: 0,
            queued: Duration::ZERO,
            dropped_frames: 0,
            total_frames: 0,
            reconnects: 0,
            round_trip: None,
            rendition_id: RenditionId::Main,
            size: None,
            monitored: false,
            monitor: None,
        }
    }
}

/// The recording.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingFigures {
    pub path: PathBuf,
    /// Of all its files.
    pub duration: Duration,
    /// Of the file in work.
    pub bytes: u64,
    pub paused: bool,
    /// Chapters in the file in work.
    pub chapters: u32,
}

/// The replay buffer.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ReplayFigures {
    /// So much it has…
    pub filled: Duration,
    /// …of this much.
    pub room: Duration,
}

/// A look whether everything is ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Errors, warnings, and what is good.
    pub found: Vec<Notice>,
    /// More is to come.
    pub running: bool,
}

/// The built-in server.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ServerFigures {
    /// Where it publishes and plays, `rtmp://127.0.0.1:1935`; empty while it does not run.
    pub rtmp: String,
    pub http: String,
    /// What to open in a player to see the broadcast.
    pub play_url: String,
    pub viewers: usize,
    /// What it does wrong on request.
    pub faults: Vec<Fault>,
    /// Where its clients are asked to go when it ends; empty: nowhere else.
    pub successor: String,
}

/// The scene collections and profiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartsView {
    /// Their names, in order, the one in use among them.
    pub collections: Vec<String>,
    pub profiles: Vec<String>,
    pub in_use: InUse,
    /// Earlier versions of the one that was asked for last.
    pub versions: Option<PartVersions>,
    /// They are remembered, so that there can be several.
    pub is_kept: bool,
    /// How often another one came into use: what is chosen in the window may be another.
    pub changes: u64,
}

impl PartsView {
    /// The names of this kind.
    pub fn names(&self, kind: PartKind) -> &[String] {
        match kind {
            PartKind::Collection => &self.collections,
            PartKind::Profile => &self.profiles,
        }
    }
}

/// Earlier versions of a collection or profile, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartVersions {
    pub kind: PartKind,
    pub name: String,
    pub versions: Vec<Version>,
}

/// Everything the window draws, save the frames themselves.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub cameras: Vec<Device>,
    pub microphones: Vec<Device>,
    /// Monitors, the main one first, and all of them together.
    pub screens: Arc<[ScreenInfo]>,
    /// Windows that programs show.
    pub windows: Arc<[WindowInfo]>,
    pub video: Option<VideoSource>,
    /// Nothing is shown on purpose: a broadcast has no video.
    pub audio_only: bool,
    pub scenes: Scenes,
    /// The scene collections and profiles.
    pub parts: Arc<PartsView>,
    pub audio: Option<AudioSource>,
    /// The strips of the mixer, the main one first.
    pub strips: Vec<StripView>,
    /// What the audio tracks of a recording would be called, by their numbers from 1.
    pub track_names: TrackNames,
    /// The meter of the program's audio.
    pub loudness: mix::Reading,
    /// The monitoring device.
    pub monitoring: Monitoring,
    pub speakers: Vec<Device>,
    /// Applications that play, whose audio can be heard alone.
    pub applications: Vec<String>,
    pub quality: Quality,
    /// Tells this run from others, for names that must not repeat.
    pub born: u64,
    /// The built-in server first.
    pub targets: Vec<TargetView>,
    /// The services that are known, with the person's own.
    pub services: ServiceList,
    /// Where stream keys are kept, once that is known.
    pub key_place: Option<KeyPlace>,
    pub live: LiveState,
    pub figures: LiveFigures,
    /// The file that is sent in the program's stead.
    pub passthrough: Option<PassthroughView>,
    /// How much later viewers are to see the stream, from the next *Go Live* on.
    pub delay: Duration,
    /// What is held back now.
    pub held: Option<DelayFigures>,
    pub recording: Option<RecordingFigures>,
    /// What became of the last broadcast, until the next one begins.
    pub last_broadcast: Option<BroadcastSummary>,
    /// The recordings in their folder, while somebody looks.
    pub recordings: Arc<RecordingsView>,
    /// The recording that was finished last since the start.
    pub last_recording: Option<PathBuf>,
    /// The replay buffer, while there is one.
    pub replay: Option<ReplayFigures>,
    /// The players, in the order in which they are shown; `watch` and `watch_figures` are the chosen
    /// one's.
    pub tiles: Vec<TileView>,
    /// How all of them play.
    pub player: PlayerChoices,
    /// The encoders that onair knows.
    pub encoders: &'static [KnownEncoder],
    /// There is more than one decoder to choose from.
    pub decoders: bool,
    /// The graphics hardware that decodes, or why none does; `None`: nobody has asked it yet.
    pub hardware: Option<Result<&'static str, Problem>>,
    /// What is said about the chosen one, and how that is shown.
    pub chat: ChatView,
    pub chat_choices: ChatChoices,
    /// Streams to offer again, the newest first.
    pub recent: Vec<String>,
    pub watch: WatchState,
    pub watch_figures: WatchFigures,
    pub server: ServerFigures,
    pub preferences: Preferences,
    /// The last stream watched, to offer again.
    pub watch_url: String,
    /// The last look whether everything is ready.
    pub checked: Option<Checked>,
    /// The last measurement of what quality is carried.
    pub measured: Option<MeasuredQuality>,
    /// What happened in this run, oldest first.
    pub history: Arc<VecDeque<LogEntry>>,
    /// The file it is written to, once there is something in it.
    pub history_path: Option<PathBuf>,
    /// Those that hold, newest last, at most 20.
    pub notices: Vec<Notice>,
    /// Those that are over, newest last.
    pub past_notices: Vec<PastNotice>,
    /// Of this process, 1.0 is one core.
    pub cpu: f32,
    pub rss_bytes: u64,
    /// How many commands have been carried out.
    pub obeyed: u64,
    /// Set once [`Command::Quit`](crate::studio::command::Command) has been carried out.
    pub ended: bool,
}

impl Snapshot {
    /// The slot of the player that is chosen.
    pub fn chosen_slot(&self) -> usize {
        self.tiles.iter().find(|tile| tile.chosen).map_or(0, |tile| tile.id.slot())
    }

    /// What a source shows, the main video source included; `None`: there is none of this number.
    pub fn shown_by(&self, id: SourceId) -> Option<&VideoChoice> {
        match self.scenes.collection.source(id) {
            Some(source) => Some(&source.choice),
            None => self.video.as_ref().map(|it| &it.choice).filter(|_| id == MAIN),
        }
    }

    /// The frame that is meant where one is spoken of: that of `--video`, or the lowest source of the scene
    /// that is sent.
    pub fn usual_video(&self) -> Option<VideoSource> {
        let main = self.video.as_ref().filter(|video| video.choice != VideoChoice::None);
        main.cloned().or_else(|| {
            let id = self.scenes.collection.usual_source();
            let source = self.scenes.collection.source(id)?;
            let state = self.scenes.source(id).map_or(SourceState::Opening, |it| it.state);
            let (choice, name) = (source.choice.clone(), source.name.clone());
            Some(VideoSource { choice, state, name, format: None })
        })
    }

    /// Returns true if something of the scene that is sent delivers a frame, or none is wanted.
    pub fn delivers_video(&self) -> bool {
        let collection = &self.scenes.collection;
        let open = |id: SourceId| match self.video.as_ref().filter(|_| id == MAIN) {
            Some(video) => video.state == SourceState::Open && video.choice != VideoChoice::None,
            None => self.scenes.source(id).is_some_and(|it| it.state == SourceState::Open),
        };
        self.audio_only || collection.plan(collection.current).sources().any(open)
    }

    /// Returns true if any clip lamp is lit.
    pub fn has_clipped(&self) -> bool {
        self.loudness.clipped
            || self.audio.as_ref().is_some_and(|audio| audio.clipped)
            || self.strips.iter().any(|strip| strip.meter.clipped)
    }
}
