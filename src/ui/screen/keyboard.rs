//! Hotkeys in the window, and the keyboard focus after dialogs.

use egui::{Context, Key, Modifiers, Popup, Ui};

use crate::studio::live::view::LiveState;
use crate::ui::dialogs::Dialog;
use crate::ui::input::actions::Action;
use crate::ui::input::hotkeys::{self, Keymap};
use crate::ui::input::named::AnyCommand;
use crate::ui::screen::Screen;
use crate::ui::screen::bars::Page;
use crate::ui::view::WindowRequest;
use crate::ui::widgets::continue_after_enter;

impl Screen {
    /// Returns true while onair's file chooser or the wait for the desktop's is open.
    pub(super) fn chooses_file(&self) -> bool {
        self.file_chooser.is_some() || self.file_wait
    }

    /// Gives the keyboard focus back to the control that had it before a dialog or file chooser. The
    /// first element of `dialog_focus` has this control, and the second one that of
    /// [`Self::return_chooser_focus`].
    pub(super) fn return_dialog_focus(&mut self, ctx: &Context) {
        let is_open = self.asks() || self.chooses_file();
        if self.scenes.awaits_items() && !is_open {
            // The row of the new item gets the focus.
            self.dialog_focus = Default::default();
        }
        self.scenes.count_focus_pass(ctx);
        let [dialog, _] = &mut self.dialog_focus;
        dialog.follow_dialog(ctx, is_open);
    }

    /// Gives the keyboard focus back to the control of a dialog that opened a file chooser. Call this
    /// after the dialog is drawn, because the dialog accepts the focus only from then on.
    pub(super) fn return_chooser_focus(&mut self, ctx: &Context) {
        let is_open = self.dialog.is_some() && self.chooses_file();
        let [_, chooser] = &mut self.dialog_focus;
        chooser.follow(ctx, is_open);
    }

    /// Makes the hotkeys available to the whole window, and runs the commands of pressed ones.
    pub(super) fn keyboard(&mut self, ui: &Ui) {
        if self.full_screen || self.page != Page::Studio {
            self.docks.forget_focus();
        }
        let ctx = ui.ctx().clone();
        Keymap::new(&self.preferences, &self.snapshot).install(&ctx);
        continue_after_enter(&ctx);
        let is_deaf = self.dialog == Some(Dialog::Closing) || self.chooses_key();
        let is_busy = is_deaf || self.chooses_file();
        // The canvas says it in each frame in which a page gets the keys.
        let page = self.scenes.interaction.as_mut();
        let types_on_page = page.is_some_and(|page| std::mem::take(&mut page.takes_keys));
        let typing = ctx.text_edit_focused() || types_on_page;
        if !is_busy
            && self.dialog.is_none()
            && self.full_screen
            && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))
        {
            self.set_full_screen(false);
        }
        // A key that is held when a chooser opens must not keep the microphone open.
        let key = self.preferences.push_to_talk_key;
        let command = self.talk.poll(&ctx, &self.snapshot, key, typing || is_busy);
        self.requests.extend(command.map(WindowRequest::Command));
        if is_deaf {
            return;
        }
        let asked = self.is_blocked() || self.scenes.is_adding() || is_busy;
        if !asked {
            hotkeys::follow_letters(&ctx);
        }
        let letters = hotkeys::letters_act(&ctx);
        let is_over = asked || self.dialog.is_some();
        let live_letters = letters || (is_over && !typing && !Popup::is_any_open(&ctx));
        for (command, hotkey) in Keymap::installed(&ctx).all() {
            let action = match command {
                // The players handle their own hotkeys where they have the keyboard focus.
                AnyCommand::Action(action) if action.is_about_players() => continue,
                AnyCommand::Action(action) => Some(*action),
                AnyCommand::Named(_) => None,
            };
            let is_live = command.may_be_global() && !self.hides_start(action);
            // In a dialog, Space and Enter press the focused button.
            let acts_over = is_live && !matches!(hotkey.key(), "Space" | "Enter");
            if hotkey.edits() && (typing || (asked && !acts_over)) {
                continue;
            }
            let lets = if acts_over { live_letters } else { letters };
            if hotkey.types() && !lets {
                continue;
            }
            if is_busy && !is_live {
                continue;
            }
            let repeats = action.is_some_and(Action::repeats);
            let pressed = ctx.input_mut(|input| hotkeys::take(input, hotkey, repeats));
            // While a dialog is open, only live commands and actions that open another dialog work.
            let other = matches!(
                action,
                Some(
                    Action::Palette
                        | Action::Settings
                        | Action::Help
                        | Action::EventLog
                        | Action::Preflight
                        | Action::Mixer
                )
            );
            if !pressed || !(!self.is_blocked() || other || is_live) {
                continue;
            }
            let acts = |action: Action| action.answers_always() || self.why_not(action).is_none();
            if action.is_none_or(acts) {
                self.act_on(&ctx, command);
            }
        }
    }

    /// Returns true if the action would start a broadcast behind a dialog that is not about one.
    fn hides_start(&self, action: Option<Action>) -> bool {
        let is_idle = self.snapshot.live == LiveState::Idle;
        let asks = matches!(self.dialog, Some(Dialog::Guide | Dialog::ConfirmClose))
            || self.chooses_file();
        action == Some(Action::GoLive) && is_idle && asks
    }
}
