//! The commands of the window, in a table with one line for each: its name in settings and texts,
//! its icon and its hotkey. Buttons, the palette, the help, the settings and the keyboard read this
//! table.

use crate::studio::settings::Panel;
use crate::studio::settings::hotkeys::Hotkey;
use crate::ui::style::icons::Icon;

/// Marks a text key, so that the test of texts finds it.
macro_rules! key {
    ($key:literal) => {
        $key
    };
}

/// Defines the table: variant, name, icon, hotkey (empty means none). The name is the key in
/// `[hotkeys.keys]`, and the texts are `action-NAME` and `tip-action-NAME`.
macro_rules! actions {
    ($($variant:ident $name:literal $icon:ident $hotkey:literal;)*) => {
        /// A command of the window.
        #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Action {
            $($variant,)*
        }

        impl Action {
            /// All commands in the order of the palette, the help and the settings.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the text key for the name of the command.
            pub fn key(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("action-", $name),)*
                }
            }

            /// Returns the text key for the sentence that explains the command.
            pub fn tip(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!("tip-action-", $name),)*
                }
            }

            /// Returns the name in the settings file.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Returns the icon of the command.
            pub fn icon(self) -> Icon {
                match self {
                    $(Self::$variant => Icon::$icon,)*
                }
            }

            /// Returns the default hotkey, or `None` if there is none.
            pub fn usual_hotkey(self) -> Option<Hotkey> {
                let text = match self {
                    $(Self::$variant => $hotkey,)*
                };
                text.parse().ok()
            }
        }
    };
}

actions! {
    GoLive "go-live" Broadcast "Ctrl+L";
    SendFile "send-file" Film "";
    Preflight "preflight" Check "Ctrl+T";
    Record "record" Dot "Ctrl+R";
    PauseRecording "pause-recording" Pause "Ctrl+P";
    Chapter "chapter" Flag "Ctrl+B";
    SaveReplay "save-replay" Replay "Ctrl+S";
    ReplayBuffer "replay-buffer" Replay "";
    Screenshot "screenshot" Screenshot "Ctrl+G";
    VirtualCamera "virtual-camera" Camera "";
    RuleKey1 "rule-key-1" Keyboard "";
    RuleKey2 "rule-key-2" Keyboard "";
    RuleKey3 "rule-key-3" Keyboard "";
    RuleKey4 "rule-key-4" Keyboard "";
    Mute "mute" SpeakerOff "M";
    AddSource "add-source" Plus "";
    AddScene "add-scene" Plus "";
    AddAudio "add-audio" Plus "";
    AddTarget "add-target" Plus "";
    StudioMode "studio-mode" Transition "";
    ImportScenes "import-scenes" Folder "";
    ExportScenes "export-scenes" Document "";
    Mixer "mixer" Speaker "Ctrl+M";
    Filters "filters" Settings "Ctrl+F";
    Properties "properties" Settings "Ctrl+E";
    FullScreen "full-screen" FullScreen "F";
    Palette "palette" Search "Ctrl+K";
    Settings "settings" Settings "Ctrl+Comma";
    Help "help" Help "F1";
    EventLog "event-log" Info "Ctrl+H";
    Notices "notices" Bell "Ctrl+N";
    Remedy "remedy" Check "Ctrl+Period";
    Developer "developer" Warning "";
    SetUp "set-up" Check "";
    Services "services" Broadcast "";
    CollectionsAndProfiles "parts" Film "";
    LayoutSimple "layout-simple" Layout "";
    LayoutStudio "layout-studio" Layout "";
    LayoutMonitor "layout-monitor" Layout "";
    LayoutReset "layout-reset" Layout "";
    LayoutDelete "layout-delete" Trash "";
    ArrangePanels "arrange-panels" Layout "";
    PanelSources "panel-sources" Scene "";
    PanelProgram "panel-program" Screen "";
    PanelMixer "panel-mixer" Speaker "";
    PanelLoudness "panel-loudness" Speaker "";
    PanelBroadcast "panel-broadcast" Broadcast "";
    PanelInspector "panel-inspector" Settings "";
    PanelChat "panel-chat" Text "";
    PanelDanmaku "panel-danmaku" Text "";
    PanelShare "panel-share" Share "";
    PanelGuests "panel-guests" Microphone "";
    PanelStats "panel-stats" Info "";
    PanelEventLog "panel-event-log" Info "";
    PanelPlayers "panel-players" Play "";
    ZoomIn "zoom-in" Plus "Alt+Equals";
    ZoomOut "zoom-out" Search "Alt+Minus";
    ZoomFit "zoom-fit" FullScreen "Alt+0";
    ZoomActual "zoom-actual" Screenshot "Alt+Z";
    SafeAreas "safe-areas" Screen "";
    Multiview "multiview" Scene "";
    ProgramDisplay "program-display" FullScreen "";
    ProgramWindow "program-window" External "";
    PreviewDisplay "preview-display" FullScreen "";
    PreviewWindow "preview-window" External "";
    MultiviewDisplay "multiview-display" FullScreen "";
    MultiviewWindow "multiview-window" External "";
    SourceDisplay "source-display" FullScreen "";
    SourceWindow "source-window" External "";
    CloseProjectors "close-projectors" Close "";
    Studio "studio" Camera "Ctrl+1";
    Watch "watch" Play "Ctrl+2";
    Recordings "recordings" Film "Ctrl+3";
    RecordingPlay "recording-play" Play "";
    RecordingShow "recording-show" Folder "";
    RecordingRename "recording-rename" Text "";
    RecordingTrash "recording-trash" Trash "";
    RecordingRepair "recording-repair" Check "";
    RecordingCopy "recording-copy" Copy "";
    RecordingsFolder "recordings-folder" Folder "";
    RetryNow "retry" Refresh "";
    RefreshDevices "refresh" Refresh "";
    TestPattern "test-pattern" TestPattern "";
    ClearClip "clear-clip" Close "";
    ResetLoudness "reset-loudness" Refresh "";
    Copy "copy" Copy "";
    Cut "cut" Copy "";
    Paste "paste" Paste "";
    CopyTransform "copy-transform" Copy "";
    PasteTransform "paste-transform" Paste "";
    Duplicate "duplicate" Copy "";
    Delete "delete" Trash "";
    Group "group" Folder "";
    Ungroup "ungroup" Folder "";
    ShowHide "show-hide" Eye "";
    Lock "lock" Lock "";
    AlignLeft "align-left" Layout "";
    AlignCenter "align-center" Layout "";
    AlignRight "align-right" Layout "";
    AlignTop "align-top" Layout "";
    AlignMiddle "align-middle" Layout "";
    AlignBottom "align-bottom" Layout "";
    ItemFit "item-fit" FullScreen "";
    ItemFill "item-fill" FullScreen "";
    ItemStretch "item-stretch" FullScreen "";
    ItemCenter "item-center" Layout "";
    ItemOriginalSize "item-original-size" Screenshot "";
    ItemFlipX "item-flip-horizontally" Transition "";
    ItemFlipY "item-flip-vertically" Transition "";
    ItemRotate "item-rotate" Refresh "";
    ItemInteract "item-interact" Browser "";
    ItemReset "item-reset" Replay "";
    ItemUp "item-up" ChevronUp "";
    ItemDown "item-down" ChevronDown "";
    ItemTop "item-top" ChevronUp "";
    ItemBottom "item-bottom" ChevronDown "";
    ItemIntoGroup "item-into-group" Folder "";
    ItemOutOfGroup "item-out-of-group" Folder "";
    ItemRename "item-rename" Text "";
    DuplicateSource "duplicate-source" Copy "";
    SceneRename "scene-rename" Text "";
    SceneDuplicate "scene-duplicate" Copy "";
    SceneTransition "scene-transition" Transition "";
    SceneFilters "scene-filters" Settings "";
    SceneUp "scene-up" ChevronUp "";
    SceneDown "scene-down" ChevronDown "";
    SceneRemove "scene-remove" Trash "";
    Share "share" Share "";
    Server "server" Broadcast "";
    Network "network" Share "";
    NewPlayKey "new-play-key" Refresh "";
    InviteGuest "invite-guest" Plus "";
    CopyAddress "copy-address" Copy "";
    WatchOwn "watch-own" Eye "";
    OpenFile "open-file" Folder "Ctrl+O";
    Undo "undo" Previous "Ctrl+Z";
    Redo "redo" Next "Ctrl+Y";
    Transition "transition" Next "Ctrl+Enter";
    Scene1 "scene-1" Film "Alt+1";
    Scene2 "scene-2" Film "Alt+2";
    Scene3 "scene-3" Film "Alt+3";
    Scene4 "scene-4" Film "Alt+4";
    Scene5 "scene-5" Film "Alt+5";
    Scene6 "scene-6" Film "Alt+6";
    Scene7 "scene-7" Film "Alt+7";
    Scene8 "scene-8" Film "Alt+8";
    Scene9 "scene-9" Film "Alt+9";
    MediaPause "media-pause" Pause "Ctrl+Space";
    MediaRestart "media-restart" Replay "Ctrl+Home";
    MediaNext "media-next" Next "Ctrl+PageDown";
    MediaPrevious "media-previous" Previous "Ctrl+PageUp";
    MediaForward "media-forward" Next "Ctrl+Right";
    MediaBack "media-back" Previous "Ctrl+Left";
    MutePlayer "mute-player" SpeakerOff "";
    WatchPause "watch-pause" Pause "";
    WatchBack "watch-back" Previous "";
    WatchAhead "watch-ahead" Next "";
    WatchFarBack "watch-far-back" Previous "";
    WatchFarAhead "watch-far-ahead" Next "";
    WatchBeginning "watch-beginning" Previous "";
    WatchLive "watch-live" Next "L";
    WatchLouder "watch-louder" Speaker "";
    WatchQuieter "watch-quieter" Speaker "";
    WatchScreenshot "watch-screenshot" Screenshot "S";
    WatchRecord "watch-record" Dot "R";
    WatchStatistics "watch-statistics" Info "I";
    WatchAspect "watch-aspect" FullScreen "A";
    WatchZoomIn "watch-zoom-in" Plus "Plus";
    WatchZoomOut "watch-zoom-out" Search "Minus";
    WatchRotate "watch-rotate" Refresh "T";
    WatchAudioEarlier "watch-audio-earlier" Previous "J";
    WatchAudioLater "watch-audio-later" Next "K";
    WatchWindow "watch-window" External "D";
    WatchPictureInPicture "watch-picture-in-picture" PictureInPicture "P";
    Theme "theme" Sun "";
    Language "language" Info "";
    Larger "larger" Plus "Ctrl+Equals";
    Smaller "smaller" Search "Ctrl+Minus";
    ResetSize "reset-size" Replay "Ctrl+0";
    Quit "quit" Close "Ctrl+Q";
}

impl Action {
    /// Returns the command with this name in the settings file.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.name() == name)
    }

    /// Returns the command that switches to the scene at this index of the list.
    pub fn of_scene(place: usize) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.scene() == Some(place))
    }

    /// Returns the index of the scene to which the command switches.
    pub fn scene(self) -> Option<usize> {
        self.name().strip_prefix("scene-")?.parse::<usize>().ok()?.checked_sub(1)
    }

    /// Returns the panel that the command shows or hides.
    pub fn panel(self) -> Option<Panel> {
        let name = self.name().strip_prefix("panel-")?;
        Panel::ALL.into_iter().find(|panel| panel.name() == name)
    }

    /// Returns true if the command repeats while its hotkey is held.
    pub fn repeats(self) -> bool {
        matches!(
            self,
            Self::Undo
                | Self::Redo
                | Self::MediaForward
                | Self::MediaBack
                | Self::WatchBack
                | Self::WatchAhead
                | Self::WatchFarBack
                | Self::WatchFarAhead
                | Self::WatchLouder
                | Self::WatchQuieter
                | Self::WatchZoomIn
                | Self::WatchZoomOut
                | Self::WatchAudioEarlier
                | Self::WatchAudioLater
                | Self::ZoomIn
                | Self::ZoomOut
        )
    }

    /// Returns the number of the rule key, from 1: its hotkey is the event `hotkey` of rules.
    pub fn rule_key(self) -> Option<u8> {
        self.name().strip_prefix("rule-key-")?.parse().ok()
    }

    /// Returns true if the hotkey of the command may work in other windows. This is allowed only
    /// for commands that do not need a visible window.
    pub fn may_be_global(self) -> bool {
        self.scene().is_some()
            || self.rule_key().is_some()
            || matches!(
                self,
                Self::GoLive
                    | Self::Record
                    | Self::PauseRecording
                    | Self::Chapter
                    | Self::SaveReplay
                    | Self::Screenshot
                    | Self::VirtualCamera
                    | Self::Mute
                    | Self::Transition
            )
    }

    /// Returns true if the command applies to items of the current scene. The table lists these
    /// commands together.
    pub fn is_about_items(self) -> bool {
        (Self::Copy..=Self::DuplicateSource).contains(&self)
    }

    /// Returns true if the command applies to the current scene as a whole. The table lists these
    /// commands together.
    pub fn is_about_scene(self) -> bool {
        (Self::SceneRename..=Self::SceneRemove).contains(&self)
    }

    /// Returns true if the command controls players. Its hotkey works where the players have the
    /// keyboard focus.
    pub fn is_about_players(self) -> bool {
        self.name().starts_with("watch-") && self != Self::WatchOwn
    }
}

pub(in crate::ui) use key;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::ui::text::{Language, Texts};

    #[test]
    fn every_action_has_a_name_a_tooltip_and_no_hotkey_of_another() {
        let (mut hotkeys, mut names) = (BTreeSet::new(), BTreeSet::new());
        for language in [Language::English, Language::Chinese] {
            let texts = Texts::new(language);
            for action in Action::ALL {
                for key in [action.key(), action.tip()] {
                    assert!(texts.has(key) && !texts.get(key).is_empty(), "{key}");
                }
                assert_ne!(texts.get(action.key()), texts.get(action.tip()), "{action:?}");
            }
        }
        for action in Action::ALL {
            assert!(names.insert(action.name()), "{action:?}");
            assert_eq!(Action::named(action.name()), Some(*action));
            if let Some(hotkey) = action.usual_hotkey() {
                assert!(hotkeys.insert(hotkey), "{action:?}: {hotkey}");
            }
        }
        // The documentation lists these hotkeys.
        for (action, keys) in [
            (Action::GoLive, "Ctrl+L"),
            (Action::Record, "Ctrl+R"),
            (Action::Mute, "M"),
            (Action::FullScreen, "F"),
            (Action::Palette, "Ctrl+K"),
            (Action::Settings, "Ctrl+Comma"),
            (Action::Help, "F1"),
        ] {
            assert_eq!(action.usual_hotkey().map(|it| it.to_string()).as_deref(), Some(keys));
        }
    }

    #[test]
    fn the_guide_lists_every_command_with_its_hotkey() {
        let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/hotkeys.md");
        let guide = std::fs::read_to_string(guide).unwrap();
        let texts = Texts::new(Language::English);
        for action in Action::ALL {
            let hotkey = action.usual_hotkey().map_or("–".into(), |it| format!("`{it}`"));
            let row = format!("| `{}` | {hotkey} | {} |", action.name(), texts.get(action.tip()));
            assert!(guide.contains(&row), "docs/reference/hotkeys.md lacks: {row}");
        }
    }

    #[test]
    fn scenes_have_actions_by_their_places() {
        assert_eq!(Action::of_scene(0), Some(Action::Scene1));
        assert_eq!(Action::of_scene(9), None);
        assert_eq!((Action::Scene9.scene(), Action::Mute.scene()), (Some(8), None));
        assert!(Action::Scene4.may_be_global() && !Action::Settings.may_be_global());
    }
}
