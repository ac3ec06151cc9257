//! Everything a person can do, with its name and shortcut: the command palette, the help and the
//! keyboard read this one list.

use egui::{Key, KeyboardShortcut, Modifiers};

use crate::capture::UsedProperties;
use crate::studio::Snapshot;
use crate::studio::live::view::LiveState;
use crate::studio::notices::health::Health;
use crate::studio::snapshot::VideoSource;
use crate::studio::watch::view::WatchState;

/// A thing to do.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Action {
    GoLive,
    /// A media file goes out as it is.
    SendFile,
    Ready,
    Record,
    PauseRecording,
    Chapter,
    SaveReplay,
    Snapshot,
    Mute,
    Mixer,
    Filters,
    /// How the selected text looks, its slides follow each other, its pointer is seen.
    Properties,
    FullScreen,
    Palette,
    Settings,
    Help,
    History,
    /// All notices.
    Notices,
    /// What the health bar's button does.
    Remedy,
    Developer,
    /// The person's own services.
    Services,
    Studio,
    Watch,
    RetryNow,
    RefreshDevices,
    TestPicture,
    ClearClip,
    CopyAddress,
    WatchOwn,
    OpenFile,
    Undo,
    Redo,
    Transition,
    MediaPause,
    MediaRestart,
    MediaNext,
    MediaPrevious,
    MediaForward,
    MediaBack,
    MutePlayer,
    Theme,
    Language,
    Quit,
}

/// Names a text; the test of texts looks for this.
macro_rules! key {
    ($key:literal) => {
        $key
    };
}

impl Action {
    /// In the order of the palette and the help.
    pub const ALL: [Self; 43] = [
        Self::GoLive,
        Self::SendFile,
        Self::Ready,
        Self::Record,
        Self::PauseRecording,
        Self::Chapter,
        Self::SaveReplay,
        Self::Snapshot,
        Self::Mute,
        Self::Mixer,
        Self::Filters,
        Self::Properties,
        Self::FullScreen,
        Self::Palette,
        Self::Settings,
        Self::Help,
        Self::History,
        Self::Notices,
        Self::Remedy,
        Self::Developer,
        Self::Services,
        Self::Studio,
        Self::Watch,
        Self::RetryNow,
        Self::RefreshDevices,
        Self::TestPicture,
        Self::ClearClip,
        Self::CopyAddress,
        Self::WatchOwn,
        Self::OpenFile,
        Self::Undo,
        Self::Redo,
        Self::Transition,
        Self::MediaPause,
        Self::MediaRestart,
        Self::MediaNext,
        Self::MediaPrevious,
        Self::MediaForward,
        Self::MediaBack,
        Self::MutePlayer,
        Self::Theme,
        Self::Language,
        Self::Quit,
    ];

    /// The key of its name.
    pub fn key(self) -> &'static str {
        match self {
            Self::GoLive => key!("action-go-live"),
            Self::SendFile => key!("action-send-file"),
            Self::Ready => key!("action-preflight"),
            Self::Record => key!("action-record"),
            Self::PauseRecording => key!("action-pause-recording"),
            Self::Chapter => key!("action-chapter"),
            Self::SaveReplay => key!("action-save-replay"),
            Self::Snapshot => key!("action-screenshot"),
            Self::Mute => key!("action-mute"),
            Self::Mixer => key!("action-mixer"),
            Self::Filters => key!("action-filters"),
            Self::Properties => key!("action-properties"),
            Self::FullScreen => key!("action-full-screen"),
            Self::Palette => key!("action-palette"),
            Self::Settings => key!("action-settings"),
            Self::Help => key!("action-help"),
            Self::History => key!("action-event-log"),
            Self::Notices => key!("action-notices"),
            Self::Remedy => key!("action-remedy"),
            Self::Developer => key!("action-developer"),
            Self::Services => key!("action-services"),
            Self::Studio => key!("action-studio"),
            Self::Watch => key!("action-watch"),
            Self::RetryNow => key!("action-retry"),
            Self::RefreshDevices => key!("action-refresh"),
            Self::TestPicture => key!("action-test-pattern"),
            Self::ClearClip => key!("action-clear-clip"),
            Self::CopyAddress => key!("action-copy-address"),
            Self::WatchOwn => key!("action-watch-own"),
            Self::OpenFile => key!("action-open-file"),
            Self::Undo => key!("action-undo"),
            Self::Redo => key!("action-redo"),
            Self::Transition => key!("action-transition"),
            Self::MediaPause => key!("action-media-pause"),
            Self::MediaRestart => key!("action-media-restart"),
            Self::MediaNext => key!("action-media-next"),
            Self::MediaPrevious => key!("action-media-previous"),
            Self::MediaForward => key!("action-media-forward"),
            Self::MediaBack => key!("action-media-back"),
            Self::MutePlayer => key!("action-mute-player"),
            Self::Theme => key!("action-theme"),
            Self::Language => key!("action-language"),
            Self::Quit => key!("action-quit"),
        }
    }

    /// The shortcut, if it has one.
    pub fn shortcut(self) -> Option<KeyboardShortcut> {
        let command = |key| Some(KeyboardShortcut::new(Modifiers::COMMAND, key));
        let plain = |key| Some(KeyboardShortcut::new(Modifiers::NONE, key));
        match self {
            Self::GoLive => command(Key::L),
            Self::Ready => command(Key::T),
            Self::Record => command(Key::R),
            Self::PauseRecording => command(Key::P),
            Self::Chapter => command(Key::B),
            Self::SaveReplay => command(Key::S),
            Self::Snapshot => command(Key::G),
            Self::Palette => command(Key::K),
            Self::Settings => command(Key::Comma),
            Self::Mixer => command(Key::M),
            Self::Filters => command(Key::F),
            Self::Properties => command(Key::E),
            Self::History => command(Key::H),
            Self::Notices => command(Key::N),
            Self::Remedy => command(Key::Period),
            Self::Studio => command(Key::Num1),
            Self::Watch => command(Key::Num2),
            Self::OpenFile => command(Key::O),
            Self::Undo => command(Key::Z),
            Self::Redo => command(Key::Y),
            Self::Transition => command(Key::Enter),
            Self::MediaPause => command(Key::Space),
            Self::MediaRestart => command(Key::Home),
            Self::MediaNext => command(Key::PageDown),
            Self::MediaPrevious => command(Key::PageUp),
            Self::MediaForward => command(Key::ArrowRight),
            Self::MediaBack => command(Key::ArrowLeft),
            Self::Quit => command(Key::Q),
            Self::Mute => plain(Key::M),
            Self::FullScreen => plain(Key::F),
            Self::Help => plain(Key::F1),
            _ => None,
        }
    }

    /// Whether a text field wants the shortcut for itself.
    pub fn is_letter(self) -> bool {
        matches!(
            self,
            Self::Mute
                | Self::FullScreen
                | Self::Undo
                | Self::Redo
                | Self::MediaRestart
                | Self::MediaForward
                | Self::MediaBack
        )
    }

    /// Whether it makes sense now.
    pub fn is_possible(self, snapshot: &Snapshot) -> bool {
        match self {
            Self::GoLive => snapshot.live != LiveState::Stopping,
            Self::Ready | Self::SendFile => snapshot.live == LiveState::Idle,
            Self::PauseRecording | Self::Chapter => snapshot.recording.is_some(),
            Self::SaveReplay => snapshot.replay.is_some(),
            Self::Snapshot => snapshot.video.is_some(),
            Self::Mute => snapshot.audio.is_some(),
            Self::RetryNow => matches!(snapshot.live, LiveState::Reconnecting { .. }),
            Self::Remedy => Health::of(snapshot).remedy.is_some(),
            Self::ClearClip => snapshot.has_clipped(),
            Self::CopyAddress => !snapshot.server.play_url.is_empty(),
            Self::WatchOwn => {
                !snapshot.server.play_url.is_empty() && snapshot.live == LiveState::OnAir
            }
            Self::Properties => {
                let camera = |video: &VideoSource| {
                    UsedProperties::of(&video.choice) == Some(UsedProperties::Camera)
                };
                !snapshot.scenes.collection.sources.is_empty()
                    || snapshot.video.as_ref().is_some_and(camera)
            }
            Self::Undo => snapshot.scenes.can_undo,
            Self::Redo => snapshot.scenes.can_redo,
            Self::Transition => snapshot.scenes.prepared.is_some(),
            Self::MediaPause
            | Self::MediaRestart
            | Self::MediaNext
            | Self::MediaPrevious
            | Self::MediaForward
            | Self::MediaBack => {
                snapshot.scenes.sources.iter().any(|source| source.playing.is_some())
            }
            Self::MutePlayer => snapshot.watch != WatchState::Idle,
            _ => true,
        }
    }
}

pub(in crate::ui) use key;

/// A shortcut in words: `Ctrl+L`.
pub fn shortcut_text(ctx: &egui::Context, action: Action) -> Option<String> {
    action.shortcut().map(|shortcut| ctx.format_shortcut(&shortcut))
}
