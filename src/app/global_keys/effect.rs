//! Determines the effect of a hotkey that the user presses in another window. onair's window may
//! get no frames then, so these commands go directly to the studio.

use crate::files::new_path;
use crate::studio::live::view::LiveState;
use crate::studio::notices::health::Health;
use crate::studio::{Command, Snapshot};
use crate::ui::Action;

/// The effect of a hotkey.
#[derive(Clone, Debug, PartialEq)]
pub enum HotkeyEffect {
    Send(Box<Command>),
    /// The command needs confirmation, so the window must come to the front and ask for it.
    Ask(Action),
    /// The command is not possible now.
    Nothing,
}

/// Returns the current effect of this command's hotkey.
pub fn effect(action: Action, snapshot: &Snapshot) -> HotkeyEffect {
    if !action.may_be_global() || !action.is_possible(snapshot, &Health::of(snapshot)) {
        return HotkeyEffect::Nothing;
    }
    let (folder, recording) =
        (&snapshot.preferences.recording_folder, &snapshot.preferences.recording);
    let extension = recording.format.extension();
    HotkeyEffect::Send(Box::new(match action {
        Action::GoLive => match snapshot.live {
            LiveState::Idle => Command::GoLive,
            LiveState::Connecting { .. } => Command::StopLive,
            _ => return HotkeyEffect::Ask(action),
        },
        Action::Record if snapshot.recording.is_some() => Command::StopRecording,
        Action::Record => Command::StartRecording(new_path(folder, "onair", extension)),
        Action::PauseRecording => match &snapshot.recording {
            Some(recording) if recording.paused => Command::ResumeRecording,
            _ => Command::PauseRecording,
        },
        Action::Chapter => Command::Chapter(String::new()),
        Action::SaveReplay => Command::SaveReplay(new_path(folder, "onair replay", extension)),
        Action::Screenshot => Command::Screenshot(new_path(folder, "onair picture", "png")),
        Action::Mute => {
            Command::SetMuted(!snapshot.audio.as_ref().is_some_and(|audio| audio.muted))
        }
        Action::Transition => Command::Transition,
        _ => {
            let scenes = &snapshot.scenes;
            let scene = action.scene().and_then(|place| scenes.collection.scenes.get(place));
            match (scene, scenes.prepared) {
                (Some(scene), Some(_)) => Command::PrepareScene(Some(scene.id)),
                (Some(scene), None) => Command::SwitchScene(scene.id),
                (None, _) => return HotkeyEffect::Nothing,
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_that_may_be_global_does_something_and_stop_asks() {
        let mut snapshot = Snapshot::default();
        let send = |command| HotkeyEffect::Send(Box::new(command));
        assert_eq!(effect(Action::GoLive, &snapshot), send(Command::GoLive));
        snapshot.live = LiveState::OnAir;
        assert_eq!(effect(Action::GoLive, &snapshot), HotkeyEffect::Ask(Action::GoLive));
        let HotkeyEffect::Send(command) = effect(Action::Record, &snapshot) else {
            panic!("nothing")
        };
        assert!(matches!(*command, Command::StartRecording(path) if path.extension().is_some()));
        let first = snapshot.scenes.collection.scenes.first().unwrap().id;
        assert_eq!(effect(Action::Scene1, &snapshot), send(Command::SwitchScene(first)));
        snapshot.scenes.prepared = Some(first);
        assert_eq!(effect(Action::Scene1, &snapshot), send(Command::PrepareScene(Some(first))));
        // These hotkeys have no effect: there is no microphone, replay buffer or second scene, and
        // *Settings* is not a global hotkey.
        for action in [Action::Mute, Action::SaveReplay, Action::Scene2, Action::Settings] {
            assert_eq!(effect(action, &snapshot), HotkeyEffect::Nothing, "{action:?}");
        }
    }
}
