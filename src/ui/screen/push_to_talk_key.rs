//! The push-to-talk key and the hotkeys as the desktop reports them.

use egui::Context;

use super::Screen;
use crate::studio::settings::hotkeys::Hotkey;
use crate::studio::{Command, PushToTalkKey};
use crate::ui::dialogs::Dialog;
use crate::ui::input::actions::{Action, key};
use crate::ui::input::global_key::{
    GlobalHotkeys, GlobalKeyReply, GlobalKeySupport, PUSH_TO_TALK_ID,
};
use crate::ui::input::hotkeys::Keymap;
use crate::ui::input::named::AnyCommand;
use crate::ui::input::push_to_talk;

impl Screen {
    /// Sets the support for the push-to-talk key in other windows, with the result of the request
    /// to the desktop.
    pub fn set_elsewhere(&mut self, elsewhere: GlobalKeySupport) {
        self.elsewhere = elsewhere;
    }

    /// Handles the user's refusal of keys in other windows. Returns the command that stores changed
    /// preferences. The keys that the desktop granted earlier stay enabled. The desktop asks again
    /// when the user enables a key for other windows again.
    pub fn talk_refused(&mut self) -> Option<Command> {
        if self.elsewhere != GlobalKeySupport::Asked(GlobalKeyReply::Refused) {
            return None;
        }
        let mut changed = false;
        for name in &self.global_hotkeys.refusable {
            changed |= name == PUSH_TO_TALK_ID
                && std::mem::take(&mut self.preferences.push_to_talk_everywhere);
            changed |= self.preferences.hotkeys.other_windows.remove(name);
        }
        changed.then(|| self.preferences_command())
    }

    /// Returns the name of a command, or of the push-to-talk key, for the desktop's key dialog.
    pub fn hotkey_called(&self, command: Option<&AnyCommand>) -> String {
        let talk = || self.texts.get(key!("push-to-talk-key")).to_string();
        command.map_or_else(talk, |command| command.title(&self.texts))
    }

    /// Sets the state of the hotkeys that work in other windows.
    pub fn set_global_hotkeys(&mut self, hotkeys: GlobalHotkeys) {
        self.global_hotkeys = hotkeys;
    }

    /// Executes an action whose global hotkey was pressed while this window has the keyboard focus.
    pub fn press(&mut self, ctx: &Context, action: Action) {
        if self.why_not(action).is_none() {
            self.act(ctx, action);
        }
    }

    /// Returns true while the user chooses a hotkey or the push-to-talk key by pressing it. This
    /// press must not run a command.
    pub fn chooses_key(&self) -> bool {
        self.dialog == Some(Dialog::Settings) && self.settings.waits_for_keys()
    }

    /// Returns the commands whose hotkeys must also work in other windows, in the order of the
    /// settings dialog. Commands whose scene, source or strip is gone are not among them. While the
    /// user chooses a key, there are none, because a grabbed key does not reach the window. A
    /// desktop that assigns the keys would ask the user again, so its keys stay. `away` is true if
    /// the window does not have the keyboard focus, so that the user chooses no key now.
    pub fn hotkeys_elsewhere(&self, away: bool) -> Vec<(AnyCommand, Option<Hotkey>)> {
        let chooses_key = !away && self.chooses_key();
        if chooses_key && !matches!(self.elsewhere, GlobalKeySupport::Asked(_)) {
            return Vec::new();
        }
        let names = self.preferences.hotkeys.other_windows.iter();
        let all = names.filter_map(|name| AnyCommand::parse(name));
        let all = all.filter(|it| it.may_be_global() && it.has_object(&self.snapshot));
        let keymap = Keymap::new(&self.preferences, &self.snapshot);
        let with_hotkey = |it: AnyCommand| (it.clone(), keymap.hotkey(it));
        let mut all: Vec<_> = all.map(with_hotkey).collect();
        all.sort();
        all
    }

    /// Returns true if the push-to-talk key is held, as last reported.
    pub fn talks(&self) -> bool {
        self.talk.held()
    }

    /// Returns the key to watch while another window has the keyboard focus. A press in this window
    /// continues there: on X11, the press of a global hotkey takes the focus.
    pub fn watched_talk_key(&self) -> Option<PushToTalkKey> {
        push_to_talk::wanted(&self.snapshot, &self.preferences).filter(|_| self.follows_talk_key())
    }

    /// Returns true if the push-to-talk key counts in other windows, or its press continues there.
    fn follows_talk_key(&self) -> bool {
        self.preferences.push_to_talk_everywhere || self.talk.held()
    }

    /// Updates the state of the push-to-talk key, which can be held in any window. Returns the
    /// command for the studio, even if the window is hidden.
    pub fn talk_elsewhere(&mut self, ctx: &Context, held: bool, hidden: bool) -> Option<Command> {
        let away = hidden || !ctx.input(|input| input.focused);
        // The key may be watched a moment longer than it counts.
        let held = held && self.follows_talk_key();
        self.talk.handle_elsewhere(held, away)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Latest;
    use crate::studio::Preferences;
    use crate::ui::input::hotkeys::choose;

    #[test]
    fn a_default_hotkey_that_is_chosen_for_another_command_is_not_grabbed() {
        let ctx = Context::default();
        let elsewhere = |preferences: &Preferences| {
            let screen = Screen::new(&ctx, preferences.clone(), Latest::default(), Vec::new());
            screen.hotkeys_elsewhere(false)
        };
        let mut preferences = Preferences::default();
        preferences.hotkeys.other_windows = ["record".to_owned()].into();
        let (record, keys) = (AnyCommand::from(Action::Record), Action::Record.usual_hotkey());
        assert!(keys.is_some());
        assert_eq!(elsewhere(&preferences), [(record.clone(), keys)]);
        choose(&mut preferences, Action::GoLive, keys);
        assert_eq!(elsewhere(&preferences), [(record, None)]);
    }
}
