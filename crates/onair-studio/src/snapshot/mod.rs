//! The current state of the studio: plain values for the window and for tests.

mod guests;
pub mod health;
mod others;
mod queries;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use crate::capture::VirtualCameraState;
pub use crate::media::source_status::SourceState;
pub use crate::server::guests::GuestState;
pub use crate::studio::snapshot::guests::{GuestFigures, GuestPreview};
pub use crate::studio::snapshot::others::{
    RemoteClient, RemoteControlView, RemoteReport, VirtualCameraView,
};

use crate::audio::AudioChoice;
use crate::base::Latest;
use crate::capture::{CameraControl, CameraFormat, ScreenInfo, VideoChoice, WindowInfo};
use crate::compose::ViewOf;
use crate::compose::scene::{SceneId, SourceId};
use crate::encode::KnownEncoder;
use crate::media::playback_control::{Position, SkippedFile};
use crate::media::{RenditionId, Size, VideoFrame};
use crate::mix;
use crate::server::{ChatRules, Fault, MeetingState, Protocol};
use crate::studio::event::stats::{self, DelayFigures};
use crate::studio::live::monitor::view::MonitorView;
use crate::studio::live::recording::audio_tracks::TrackNames;
use crate::studio::live::recording::free_space::DiskSpace;
use crate::studio::live::recording::library::view::RecordingsView;
use crate::studio::live::second_canvas::SecondCanvas;
use crate::studio::live::view::{
    BroadcastSummary, EncoderView, LiveFigures, LiveState, PassthroughView,
};
use crate::studio::mixer::AudioStrip;
use crate::studio::mixer::loudness::LoudnessHistory;
use crate::studio::mixer::monitoring::Monitoring;
use crate::studio::notices::event_log::LogEntry;
use crate::studio::notices::{Notice, PastNotice};
use crate::studio::preflight::recommendation::MeasuredQuality;
use crate::studio::scenes::Collection;
use crate::studio::settings::ImportReport;
use crate::studio::settings::Preferences;
use crate::studio::settings::Rule;
use crate::studio::settings::part::versions::Version;
use crate::studio::settings::part::{InUse, PartKind};
use crate::studio::settings::stream_keys::KeyPlace;
use crate::studio::targets::quality::Quality;
use crate::studio::targets::services::ServiceList;
use crate::studio::targets::sharing::{
    NetworkAddress, ServerCertificate, ServerNames, ServerReach, ShareLinks,
};
use crate::studio::targets::{Target, TargetState};
use crate::studio::watch::chat::{ChatChoices, ChatView};
use crate::studio::watch::choices::PlayerChoices;
use crate::studio::watch::own_chat::OwnChatView;
use crate::studio::watch::service_chats::ServiceChatsView;
use crate::studio::watch::view::{TileView, WatchFigures, WatchState};
use crate::text::Problem;

/// A device that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The id, which stays the same after replugging and restarts.
    pub id: String,
    /// The displayed name.
    pub name: String,
    /// True for the system's default device.
    pub default: bool,
}

/// The state of the video source.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoSource {
    pub choice: VideoChoice,
    pub state: SourceState,
    /// The displayed name of the open source.
    pub name: String,
    /// The size and frame rate that it delivers, once known.
    pub format: Option<(Size, f64)>,
}

impl VideoSource {
    /// Returns true for an open file or stream without video, instead of which viewers see a
    /// placeholder.
    pub fn has_only_audio(&self) -> bool {
        self.state == SourceState::Open
            && self.format.is_none()
            && matches!(self.choice, VideoChoice::File(_) | VideoChoice::Stream(_))
    }
}

/// The state of a source of the scenes.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneSource {
    pub id: SourceId,
    pub state: SourceState,
    /// The displayed name of the open source.
    pub name: String,
    /// The size that it delivers after its filters, once known.
    pub size: Option<Size>,
    /// The size of its frames before its filters, once known.
    pub frame_size: Option<Size>,
    /// The reason why the source does not deliver; empty while it delivers.
    pub reason: Problem,
    /// The current position, if the source plays something that can be paused.
    pub playing: Option<Position>,
    /// The files of the source's playlist that it skips.
    pub left_out: Arc<[SkippedFile]>,
    /// Files of its filters that cannot be used.
    pub filter_problems: Vec<SkippedFile>,
    /// The id of the device; empty for sources that are not devices.
    pub device: String,
}

/// The scenes, and the states of their sources.
#[derive(Clone, Debug, Default)]
pub struct Scenes {
    pub collection: Arc<Collection>,
    /// The sources, including the main video source if it is in any scene.
    pub sources: Vec<SceneSource>,
    /// The preview scene.
    pub preview_scene: Option<SceneId>,
    /// The position of the T-bar, from 0 (program) to 1 (preview).
    pub t_bar: f32,
    /// What the last import could not carry over, until the user has read it.
    pub import_report: Option<Arc<ImportReport>>,
    /// The small frames of the preview scene.
    pub preview: Latest<VideoFrame>,
    /// The views in addition to the program.
    pub views: Arc<BTreeMap<ViewOf, Latest<VideoFrame>>>,
    pub can_undo: bool,
    pub can_redo: bool,
    /// True if the computer is overloaded and cosmetic filters are skipped.
    pub skips_filters: bool,
    /// Files of transitions that cannot be used.
    pub transition_problems: Vec<SkippedFile>,
    /// The controls of open cameras, by the cameras' ids.
    pub controls: BTreeMap<String, Arc<Vec<CameraControl>>>,
    /// The formats that open cameras offer, by the cameras' ids.
    pub formats: BTreeMap<String, Arc<Vec<CameraFormat>>>,
}

/// Returns the reason why this file cannot be used, if it is in the list.
fn problem_with<'a>(files: &'a [SkippedFile], path: &Path) -> Option<&'a Problem> {
    files.iter().find(|it| it.path == path).map(|it| &it.reason)
}

impl SceneSource {
    /// Returns the reason why the source skips this file.
    pub fn file_problem(&self, path: &Path) -> Option<&Problem> {
        problem_with(&self.left_out, path)
    }

    /// Returns the reason why the source's filters cannot use this file.
    pub fn filter_problem(&self, path: &Path) -> Option<&Problem> {
        problem_with(&self.filter_problems, path)
    }
}

impl Scenes {
    /// Returns the state of a source.
    pub fn source(&self, id: SourceId) -> Option<&SceneSource> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// Returns the reason why transitions cannot use this file.
    pub fn transition_problem(&self, path: &Path) -> Option<&Problem> {
        problem_with(&self.transition_problems, path)
    }
}

/// The state of the audio source, and its meter.
#[derive(Clone, Debug, PartialEq)]
pub struct AudioSource {
    pub choice: AudioChoice,
    /// False if onair made the choice, because the user has made none.
    pub chosen: bool,
    pub state: SourceState,
    pub name: String,
    pub gain_db: f32,
    pub muted: bool,
    /// The sample peak since the last snapshot, with the meter's decay, in dBFS (-60 and below is
    /// silence).
    pub peak_dbfs: f32,
    /// The sample peaks of the left and right channel; `None` if the audio is mono.
    pub channels_dbfs: Option<[f32; 2]>,
    /// The highest held peak in dBFS.
    pub held_dbfs: f32,
    /// The RMS level over about 300 ms, in dBFS.
    pub rms_dbfs: f32,
    /// True after a sample reached full scale, until
    /// [`Command::ClearClip`](crate::studio::command::Command).
    pub clipped: bool,
    /// The drift of the device's clock relative to the session clock in parts per million, once
    /// measured.
    pub drift_ppm: Option<f64>,
}

/// A strip of the mixer, its source, and its meter.
#[derive(Clone, Debug, PartialEq)]
pub struct StripView {
    /// The settings, with the source that the strip plays, also for the main strip.
    pub audio: AudioStrip,
    /// The name set by the user, otherwise that of its device or source, as in the figures of a
    /// broadcast.
    pub name: String,
    /// The system's name for the source; empty if it is not open.
    pub device: String,
    pub state: SourceState,
    /// True if the program shows the video of the same source.
    pub shown: bool,
    /// True if the strip's push-to-talk key, or the common key of all strips, is held.
    pub held: bool,
    /// True for an open media file or stream that has no audio.
    pub has_no_audio: bool,
    /// The drift of the device's clock relative to the session clock in parts per million, once
    /// measured.
    pub drift_ppm: Option<f64>,
    /// The level after fader and mute.
    pub meter: mix::Reading,
}

#[cfg(any(test, feature = "test-support"))]
impl StripView {
    /// Returns a strip with an open source whose name the system does not know.
    pub fn open(audio: AudioStrip, name: &str) -> Self {
        Self {
            audio,
            name: name.to_owned(),
            device: String::new(),
            state: SourceState::Open,
            shown: false,
            held: false,
            has_no_audio: false,
            drift_ppm: None,
            meter: mix::Reading::default(),
        }
    }
}

/// A target as displayed in the window.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetView {
    pub target: Target,
    /// The last state; `None` if no attempt was made.
    pub state: Option<TargetState>,
    /// The stage that was reached, or at which the attempt failed: `dns`, `tcp`, `tls`…
    pub stage: Option<&'static str>,
    /// The last problem and its cure.
    pub cause: Option<Problem>,
    /// True if the server refused, explicitly or by closing the connection.
    pub refused: bool,
    /// True if the target was live in this broadcast.
    pub was_live: bool,
    /// The number of closes by the server in a row and the time after which each came, if it is the
    /// same time.
    pub closes: Option<(u32, Duration)>,
    /// The time until the next attempt.
    pub retry_in: Option<Duration>,
    /// The number of failed attempts since the target was last live.
    pub tries: u32,
    /// The bits per second over the last second, while on air.
    pub bitrate: u32,
    /// The duration of the backlog by its packets' timestamps.
    pub queued: Duration,
    /// True while `queued` does not show a slow connection: an interruption is caught up with, or
    /// this computer is too busy to send in time.
    pub queue_misleads: bool,
    pub dropped_frames: u64,
    pub total_frames: u64,
    pub reconnects: u32,
    pub round_trip: Option<Duration>,
    /// The rendition of the target.
    pub rendition_id: RenditionId,
    /// The frame size of the rendition.
    pub size: Option<Size>,
    /// True if the viewers' stream is monitored while on air.
    pub monitored: bool,
    /// The result of the viewer monitor.
    pub monitor: Option<MonitorView>,
}

impl TargetView {
    /// Creates a target for which no attempt was made.
    pub fn idle(target: Target) -> Self {
        Self {
            target,
            state: None,
            stage: None,
            cause: None,
            refused: false,
            was_live: false,
            closes: None,
            retry_in: None,
            tries: 0,
            bitrate: 0,
            queued: Duration::ZERO,
            queue_misleads: false,
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

/// The figures of the recording.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingFigures {
    pub path: PathBuf,
    /// The duration of all files of the recording.
    pub duration: Duration,
    /// The size of the current file in bytes.
    pub bytes: u64,
    pub paused: bool,
    /// The number of chapters in the current file.
    pub chapters: u32,
}

/// The figures of the replay buffer.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ReplayFigures {
    /// The duration of the buffer's content.
    pub filled: Duration,
    /// The maximum duration of the buffer.
    pub room: Duration,
}

/// The state of a pre-flight check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// The findings: errors, warnings, and confirmations.
    pub found: Vec<Notice>,
    /// True if more findings are expected.
    pub running: bool,
}

/// The figures of the built-in server.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ServerFigures {
    /// The address for publishing and playing, such as `rtmp://127.0.0.1:1935`; empty while the
    /// server does not run.
    pub rtmp: String,
    pub http: String,
    /// The address of HTTPS, such as `https://127.0.0.1:8443`; empty while it is not open.
    pub https: String,
    /// The fingerprint of the certificate of HTTPS that onair made; empty without one.
    pub https_fingerprint: String,
    /// The UDP port of WebRTC; `None` while it is not open.
    pub webrtc_port: Option<u16>,
    /// The address to open in a player for the broadcast; empty while the server does not run.
    pub play_url: String,
    /// The viewer page of the stream, for browsers.
    pub page_url: String,
    /// The links to the stream for other people, if possible with an address that other computers
    /// can reach; empty while the server does not run.
    pub links: Arc<ShareLinks>,
    /// The addresses of this computer.
    pub networks: Arc<[NetworkAddress]>,
    /// The ports of the server that other computers can reach.
    pub reach: ServerReach,
    /// True if viewers need the play key, which the links contain.
    pub play_key: bool,
    pub names: ServerNames,
    /// Where the certificate of HTTPS comes from.
    pub certificate: ServerCertificate,
    /// True if SRT clients need a passphrase.
    pub srt_passphrase: bool,
    /// This computer's name in the local network, such as `studio.local`.
    pub local_name: Option<String>,
    pub viewers: usize,
    /// The number of viewers by protocol.
    pub viewers_by: BTreeMap<Protocol, usize>,
    /// The chat of the program's own stream, while the server runs with a window.
    pub chat: Option<OwnChatView>,
    /// The rules of all chats of the server.
    pub chat_rules: ChatRules,
    /// The simulated faults.
    pub faults: Vec<Fault>,
    /// The server to which clients are sent when this one ends; empty means none.
    pub successor: String,
    /// The server at which guests across the internet meet the studio, and the state of the connection.
    pub meeting: Option<(String, MeetingState)>,
}

impl ServerFigures {
    pub fn is_running(&self) -> bool {
        !self.rtmp.is_empty()
    }

    /// Returns the playback address without its key, for places that are often on screen.
    pub fn shown_url(&self) -> &str {
        self.play_url.split_once('?').map_or(&self.play_url, |(url, _)| url)
    }

    /// Returns true if other computers can open the links.
    pub fn is_reachable(&self) -> bool {
        self.networks.iter().any(|network| network.http)
    }
}

/// The scene collections and profiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartsView {
    /// The sorted names of the collections, including the one in use.
    pub collections: Vec<String>,
    /// The sorted names of the profiles, including the one in use.
    pub profiles: Vec<String>,
    /// The sorted names of deleted collections that can be restored.
    pub deleted_collections: Vec<String>,
    /// The sorted names of deleted profiles that can be restored.
    pub deleted_profiles: Vec<String>,
    pub in_use: InUse,
    /// The earlier versions of the collection or profile for which they were last requested.
    pub versions: Option<PartVersions>,
    /// True if collections and profiles are saved, so that there can be several.
    pub is_kept: bool,
    /// The number of times that the collection or profile in use was replaced. After a
    /// replacement, a selection in the window may be outdated.
    pub changes: u64,
    /// The number of times that the collection in use was replaced. After a replacement, the same
    /// identifier can belong to another scene, source or strip.
    pub collection_changes: u64,
}

impl PartsView {
    /// Returns the names of the collections or profiles.
    pub fn names(&self, kind: PartKind) -> &[String] {
        match kind {
            PartKind::Collection => &self.collections,
            PartKind::Profile => &self.profiles,
        }
    }

    /// Returns the names of deleted collections or profiles that can be restored.
    pub fn deleted(&self, kind: PartKind) -> &[String] {
        match kind {
            PartKind::Collection => &self.deleted_collections,
            PartKind::Profile => &self.deleted_profiles,
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

/// The number of rule keys: hotkeys that are events of rules.
pub const RULE_KEYS: u8 = 4;

/// The complete state that the window displays, except the frames themselves.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub cameras: Vec<Device>,
    pub microphones: Vec<Device>,
    /// The displays, the main one first, and then an entry for all displays together.
    pub screens: Arc<[ScreenInfo]>,
    /// The windows of other programs.
    pub windows: Arc<[WindowInfo]>,
    pub video: Option<VideoSource>,
    /// True if there is intentionally no video: a broadcast contains only audio.
    pub audio_only: bool,
    pub scenes: Scenes,
    /// The scene collections and profiles.
    pub parts: Arc<PartsView>,
    pub audio: Option<AudioSource>,
    /// The strips of the mixer, the main one first.
    pub strips: Vec<StripView>,
    /// The default names of a recording's audio tracks, by their numbers from 1.
    pub track_names: TrackNames,
    /// The meter of the program's audio.
    pub loudness: mix::Reading,
    /// The loudness of the program in the last ten minutes.
    pub loudness_history: Arc<LoudnessHistory>,
    /// The monitoring device.
    pub monitoring: Monitoring,
    pub speakers: Vec<Device>,
    /// Applications that play audio, which can be captured individually.
    pub applications: Vec<String>,
    pub quality: Quality,
    /// The targets, the built-in server first.
    pub targets: Vec<TargetView>,
    /// The known services and the user's own.
    pub services: ServiceList,
    /// The place where stream keys are stored, once known.
    pub key_place: Option<KeyPlace>,
    pub live: LiveState,
    pub figures: LiveFigures,
    /// The mean time to draw a program frame; `None` if nothing is drawn.
    pub draw_time: Option<Duration>,
    /// The file that is sent instead of the program.
    pub passthrough: Option<PassthroughView>,
    /// The stream delay from the next *Go Live* on.
    pub delay: Duration,
    /// The figures of the current stream delay.
    pub held: Option<DelayFigures>,
    pub recording: Option<RecordingFigures>,
    /// How often each rule key was pressed.
    pub rule_keys: [u32; RULE_KEYS as usize],
    /// The second canvas, and its newest frame while the window shows it.
    pub canvas: SecondCanvas,
    pub canvas_frames: Latest<VideoFrame>,
    /// True if the frames are drawn for the window.
    pub canvas_shown: bool,
    /// The figures of its last second, while it is sent or recorded.
    pub canvas_figures: Option<stats::Video>,
    /// The sources that are recorded alone.
    pub recorded_sources: Vec<SourceId>,
    /// The summary of the last broadcast, until the next one begins.
    pub last_broadcast: Option<BroadcastSummary>,
    /// The recordings in their folder, while they are displayed.
    pub recordings: Arc<RecordingsView>,
    /// The figures of the replay buffer, while there is one.
    pub replay: Option<ReplayFigures>,
    /// The players in display order; `watch` and `watch_figures` belong to the selected one.
    pub tiles: Vec<TileView>,
    /// The playback options of all players.
    pub player: PlayerChoices,
    /// The space for recordings, once known.
    pub disk: Option<DiskSpace>,
    /// The video encoder that runs now.
    pub encoder: Option<EncoderView>,
    /// The encoders that onair supports.
    pub encoders: &'static [KnownEncoder],
    /// True if there is more than one decoder to choose from.
    pub decoders: bool,
    /// The graphics hardware that decodes, or the reason why none does; `None` if this was not
    /// checked yet.
    pub hardware: Option<Result<&'static str, Problem>>,
    /// The chat of the selected player.
    pub chat: ChatView,
    /// The chats of streaming services.
    pub service_chats: ServiceChatsView,
    /// The display options of the chat.
    pub chat_choices: ChatChoices,
    /// Recent streams, the newest first.
    pub recent: Vec<String>,
    pub watch: WatchState,
    /// The number of times that a player began to open a stream or file.
    pub watch_attempts: u64,
    pub watch_figures: WatchFigures,
    pub server: ServerFigures,
    /// The guests of the show in the order of their invitations.
    pub guests: Vec<GuestFigures>,
    /// What the guests cost, while one is connected.
    pub guest_traffic: Option<stats::Guests>,
    pub remote: RemoteControlView,
    pub virtual_camera: VirtualCameraView,
    pub rules: Vec<Rule>,
    pub preferences: Preferences,
    /// The last stream that was played.
    pub watch_url: String,
    /// The last pre-flight check.
    pub checked: Option<Checked>,
    /// The last measurement of the possible quality.
    pub measured: Option<MeasuredQuality>,
    /// The entries of the event log in this run, oldest first.
    pub event_log: Arc<VecDeque<LogEntry>>,
    /// The file to which the event log is written, once it exists.
    pub event_log_path: Option<PathBuf>,
    /// The active notices, newest last, at most 20.
    pub notices: Vec<Notice>,
    /// The ended notices, newest last.
    pub past_notices: Vec<PastNotice>,
    /// The CPU use of this process; 1.0 is one core.
    pub cpu: f32,
    pub rss_bytes: u64,
    /// The number of executed commands.
    pub handled_commands: u64,
    /// True if handled commands wait until the startup or the end of a broadcast is over.
    pub has_postponed_commands: bool,
    /// True if *Go Live* is one of the waiting commands.
    pub waits_to_go_live: bool,
    /// True while stream keys and other secrets are loaded from the keyring.
    pub keys_pending: bool,
    /// True after [`Command::Quit`](crate::studio::command::Command) was executed.
    pub ended: bool,
}
