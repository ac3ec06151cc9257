//! Determines the effect of a hotkey that the user presses in another window, or of a rule. onair's
//! window may get no frames then, so these commands go directly to the studio.

use crate::files::new_path;
use crate::studio::live::view::LiveState;
use crate::studio::notices::health::Health;
use crate::studio::{Command, Snapshot};
use crate::ui::input::actions::Action;
use crate::ui::input::named::{
    AnyCommand, NamedCommand, NamedKind, items_of, name_of_target, show_scene,
};

/// The effect of a hotkey.
#[derive(Clone, Debug, PartialEq)]
pub enum HotkeyEffect {
    Send(Box<Command>),
    /// The command needs confirmation, so the window must come to the front and ask for it.
    Ask(Action),
    /// The window decides what the command does.
    Press(Action),
    /// The command is not possible now.
    Nothing,
}

/// Returns the current effect of this command's hotkey. `here` is true if onair's window has the
/// keyboard focus.
pub fn effect(command: &AnyCommand, snapshot: &Snapshot, here: bool) -> HotkeyEffect {
    let action = match command {
        // On the *Watch* page, the window mutes the player.
        AnyCommand::Action(Action::Mute) if here => return HotkeyEffect::Press(Action::Mute),
        AnyCommand::Action(action) => *action,
        AnyCommand::Named(named) => {
            let command = named.command(snapshot).filter(|_| command.may_be_global());
            return command.map_or(HotkeyEffect::Nothing, |it| HotkeyEffect::Send(Box::new(it)));
        }
    };
    let acts = action.answers_always() || action.is_possible(snapshot, &Health::of(snapshot));
    if !action.may_be_global() || !acts {
        return HotkeyEffect::Nothing;
    }
    let (folder, recording) =
        (&snapshot.preferences.recording_folder, &snapshot.preferences.recording);
    let extension = recording.format.extension();
    HotkeyEffect::Send(Box::new(match action {
        Action::GoLive => match snapshot.live {
            _ if snapshot.is_starting() => Command::StopLive,
            LiveState::Idle => Command::GoLive,
            _ => return HotkeyEffect::Ask(action),
        },
        Action::Record if snapshot.recording.is_some() => Command::StopRecording,
        Action::Record => {
            Command::StartRecording(recording.new_recording(folder, &snapshot.name_values()))
        }
        Action::PauseRecording => match &snapshot.recording {
            Some(recording) if recording.paused => Command::ResumeRecording,
            _ => Command::PauseRecording,
        },
        Action::Chapter => Command::Chapter(String::new()),
        Action::SaveReplay => Command::SaveReplay(new_path(folder, "onair replay", extension)),
        Action::Screenshot => Command::Screenshot(new_path(folder, "onair screenshot", "png")),
        Action::VirtualCamera => Command::SwitchVirtualCamera(!snapshot.virtual_camera.is_on()),
        Action::Mute => {
            Command::SetMuted(!snapshot.audio.as_ref().is_some_and(|audio| audio.muted))
        }
        Action::Transition => Command::Transition,
        _ => {
            let scenes = &snapshot.scenes.collection.scenes;
            let scene = action.scene().and_then(|place| scenes.get(place));
            match (action.rule_key(), scene) {
                (Some(number), _) => Command::RuleKey(number),
                (None, Some(scene)) => {
                    show_scene(snapshot.scenes.preview_scene.is_some(), scene.id)
                }
                (None, None) => return HotkeyEffect::Nothing,
            }
        }
    }))
}

/// How a rule runs a command that turns something on or off.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RuleSwitch {
    Toggle,
    On,
    Off,
}

/// Reads the command of a rule, such as `save-replay`, `on mute:Microphone` or `off record`.
pub fn parse_rule(text: &str) -> Option<(RuleSwitch, AnyCommand)> {
    let (switch, name) = match text.trim().split_once(' ') {
        Some(("on", name)) => (RuleSwitch::On, name),
        Some(("off", name)) => (RuleSwitch::Off, name),
        _ => (RuleSwitch::Toggle, text.trim()),
    };
    let command = AnyCommand::parse(name).filter(may_be_in_rule)?;
    Some((switch, command))
}

/// Returns true if a rule can run the command, which needs no window.
pub fn may_be_in_rule(command: &AnyCommand) -> bool {
    match command {
        AnyCommand::Action(action) => action.may_be_global(),
        AnyCommand::Named(named) => named.kind != NamedKind::Layout,
    }
}

/// Returns whether the thing that the command turns on or off is on; `None` for other commands.
pub fn is_on(command: &AnyCommand, snapshot: &Snapshot) -> Option<bool> {
    match command {
        AnyCommand::Action(action) => match action {
            Action::GoLive => Some(snapshot.live != LiveState::Idle),
            Action::Record => Some(snapshot.recording.is_some()),
            Action::PauseRecording => Some(snapshot.recording.as_ref().is_some_and(|it| it.paused)),
            Action::VirtualCamera => Some(snapshot.virtual_camera.is_on()),
            Action::Mute => Some(snapshot.audio.as_ref().is_some_and(|audio| audio.muted)),
            _ => None,
        },
        AnyCommand::Named(NamedCommand { kind, name }) => match kind {
            NamedKind::Source => {
                let items = items_of(&snapshot.scenes.collection, name);
                Some(items.iter().any(|item| !item.hidden))
            }
            NamedKind::Strip => {
                let strip = snapshot.strips.iter().find(|strip| strip.name == *name);
                Some(strip.is_some_and(|it| it.audio.strip.muted))
            }
            NamedKind::Target => {
                let mut targets = snapshot.targets.iter().map(|it| &it.target);
                let target = targets.find(|it| name_of_target(it) == Some(name));
                Some(target.is_some_and(|it| it.enabled))
            }
            _ => None,
        },
    }
}

/// Returns what the studio must do for a rule. Returns `None` if the command is not possible now, or
/// has nothing to change. The user who wrote the rule has agreed, so nothing is asked.
pub fn rule_command(text: &str, snapshot: &Snapshot) -> Option<Command> {
    let (switch, command) = parse_rule(text)?;
    let wanted = match switch {
        RuleSwitch::Toggle => None,
        RuleSwitch::On => Some(true),
        RuleSwitch::Off => Some(false),
    };
    if wanted.is_some() && is_on(&command, snapshot) == wanted {
        return None;
    }
    if let AnyCommand::Named(named) = &command {
        return named.command(snapshot);
    }
    match effect(&command, snapshot, false) {
        HotkeyEffect::Send(command) => Some(*command),
        HotkeyEffect::Ask(Action::GoLive) => Some(Command::StopLive),
        HotkeyEffect::Ask(_) | HotkeyEffect::Press(_) | HotkeyEffect::Nothing => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::audio::AudioChoice;
    use crate::capture::VideoChoice;
    use crate::mix::{Strip, StripId};
    use crate::studio::snapshot::StripView;
    use crate::studio::{AudioStrip, Edit};

    /// Returns the effect of the hotkey with this name in the settings file.
    fn of(name: &str, snapshot: &Snapshot) -> HotkeyEffect {
        effect(&AnyCommand::parse(name).unwrap(), snapshot, false)
    }

    fn send(command: Command) -> HotkeyEffect {
        HotkeyEffect::Send(Box::new(command))
    }

    #[test]
    fn every_command_that_may_be_global_does_something_and_stop_asks() {
        let mut snapshot = Snapshot::default();
        assert_eq!(of("go-live", &snapshot), send(Command::GoLive));
        snapshot.live = LiveState::OnAir;
        assert_eq!(of("go-live", &snapshot), HotkeyEffect::Ask(Action::GoLive));
        let HotkeyEffect::Send(command) = of("record", &snapshot) else { panic!("nothing") };
        assert!(matches!(*command, Command::StartRecording(path) if path.extension().is_some()));
        let first = snapshot.scenes.collection.scenes.first().unwrap().id;
        for name in ["scene-1", "scene:Main"] {
            snapshot.scenes.preview_scene = None;
            assert_eq!(of(name, &snapshot), send(Command::SwitchScene(first)), "{name}");
            snapshot.scenes.preview_scene = Some(first);
            assert_eq!(of(name, &snapshot), send(Command::SetPreviewScene(Some(first))), "{name}");
        }
        // Without a replay buffer, the studio reports that there is nothing to save.
        let HotkeyEffect::Send(command) = of("save-replay", &snapshot) else { panic!("nothing") };
        assert!(matches!(*command, Command::SaveReplay(_)));
        // Nor is a pause or a chapter silent without a recording.
        assert_eq!(of("pause-recording", &snapshot), send(Command::PauseRecording));
        assert_eq!(of("chapter", &snapshot), send(Command::Chapter(String::new())));
        // These hotkeys have no effect: there is no microphone or second scene, and *Settings* and
        // targets have no global hotkeys.
        let none = ["mute", "scene-2", "scene:Talk", "show-hide:Logo", "mute:Guest"];
        for name in none.into_iter().chain(["settings", "target:"]) {
            assert_eq!(of(name, &snapshot), HotkeyEffect::Nothing, "{name}");
        }
        let mute = effect(&Action::Mute.into(), &snapshot, true);
        assert_eq!(mute, HotkeyEffect::Press(Action::Mute));
    }

    #[test]
    fn one_source_is_hidden_and_one_strip_is_muted() {
        let mut snapshot = Snapshot::default();
        let scene = snapshot.scenes.collection.current;
        let logo = Edit::AddSource { scene, name: "Logo".into(), choice: VideoChoice::Test };
        assert!(Arc::make_mut(&mut snapshot.scenes.collection).apply(&logo));
        let HotkeyEffect::Send(command) = of("show-hide:Logo", &snapshot) else {
            panic!("nothing")
        };
        let Command::EditProgram(Edit::Several(edits)) = &*command else { panic!("{command:?}") };
        assert!(matches!(edits[..], [Edit::HideItem(_, true)]), "{edits:?}");
        let audio = AudioStrip::new(StripId(3), AudioChoice::None);
        snapshot.strips.push(StripView::open(audio, "Guest"));
        let (before, strip) = (Strip::default(), Strip { muted: true, ..Strip::default() });
        let muted = send(Command::SetStrip { id: StripId(3), before, strip });
        assert_eq!(of("mute:Guest", &snapshot), muted);
    }

    #[test]
    fn a_rule_turns_things_on_or_off_and_needs_no_answer() {
        let mut snapshot = Snapshot::default();
        assert_eq!(rule_command("on go-live", &snapshot), Some(Command::GoLive));
        assert_eq!(rule_command("off go-live", &snapshot), None);
        snapshot.live = LiveState::OnAir;
        assert_eq!(rule_command("go-live", &snapshot), Some(Command::StopLive));
        assert_eq!(rule_command("on go-live", &snapshot), None);
        let camera = |on| Some(Command::SwitchVirtualCamera(on));
        assert_eq!(rule_command("virtual-camera", &snapshot), camera(true));
        assert_eq!(rule_command("on virtual-camera", &snapshot), camera(true));
        let first = snapshot.scenes.collection.scenes[0].id;
        assert_eq!(rule_command("scene:Main", &snapshot), Some(Command::SwitchScene(first)));
        for bad in ["", "moon", "layout:Mine", "settings", "on", "scene:Absent"] {
            assert_eq!(rule_command(bad, &snapshot), None, "{bad}");
        }
    }
}
