//! Hotkeys in the other windows of onair: projectors, detached panels and the players' window.

use egui::Context;

use crate::ui::input::actions::Action;
use crate::ui::input::hotkeys::{self, Keymap};
use crate::ui::input::named::AnyCommand;
use crate::ui::view::{View, WindowRequest};

/// Returns true if a command needs nothing of the main window, and is currently possible or answers
/// that it is not.
fn works(command: &AnyCommand, view: &View<'_>) -> bool {
    match command {
        // *Go Live* is excluded, because only the main window can ask for confirmation to stop.
        AnyCommand::Action(action) => {
            action.may_be_global()
                && *action != Action::GoLive
                && (action.answers_always() || action.is_possible(view.snapshot, view.health))
        }
        AnyCommand::Named(command) => command.is_possible(view.snapshot),
    }
}

/// Requests the commands whose hotkeys were pressed in the window that is being drawn. Call this
/// after the window's own keys.
pub fn run(ctx: &Context, view: &mut View<'_>) {
    hotkeys::follow_letters(ctx);
    let (typing, letters) = (ctx.text_edit_focused(), hotkeys::letters_act(ctx));
    for (command, hotkey) in Keymap::installed(ctx).all() {
        let is_text = (hotkey.edits() && typing) || (hotkey.types() && !letters);
        if is_text || !works(command, view) {
            continue;
        }
        if ctx.input_mut(|input| hotkeys::take(input, hotkey, false)) {
            view.request(WindowRequest::Run(command.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::Snapshot;
    use crate::studio::notices::health::Health;
    use crate::ui::style::theme::Theme;
    use crate::ui::text::{Language, Texts};

    #[test]
    fn commands_about_files_answer_even_if_they_are_impossible() {
        let snapshot = Snapshot::default();
        let health = Health::of(&snapshot);
        let view = View {
            theme: &Theme::DARK,
            texts: &Texts::new(Language::English),
            snapshot: &snapshot,
            health: &health,
            requests: &mut Vec::new(),
        };
        let works = |action: Action| works(&action.into(), &view);
        for action in [Action::SaveReplay, Action::PauseRecording, Action::Chapter] {
            assert!(works(action), "{action:?}");
        }
        assert!(!works(Action::Mute) && !works(Action::GoLive));
    }
}
