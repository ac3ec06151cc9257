//! The talk key and hotkeys, as the window's surroundings hear them.

use egui::Context;

use super::Screen;
use crate::studio::settings::hotkeys::Hotkey;
use crate::studio::{Command, PushToTalkKey};
use crate::ui::input::actions::{Action, key};
use crate::ui::input::global_key::{GlobalHotkeys, GlobalKeyReply, GlobalKeySupport};
use crate::ui::input::hotkeys::hotkey_of;
use crate::ui::input::push_to_talk;

impl Screen {
    /// How the talk key is heard while another window has the keyboard, and what came of asking for that.
    pub fn set_elsewhere(&mut self, elsewhere: GlobalKeySupport) {
        self.elsewhere = elsewhere;
    }

    /// The person does not want it to be heard there: what is to be kept, where that is news. They are asked
    /// again when they switch it on.
    pub fn talk_refused(&mut self) -> Option<Command> {
        if self.elsewhere != GlobalKeySupport::Asked(GlobalKeyReply::Refused) {
            return None;
        }
        let talk = std::mem::take(&mut self.preferences.push_to_talk_everywhere);
        let hotkeys = std::mem::take(&mut self.preferences.hotkeys.other_windows);
        (talk || !hotkeys.is_empty()).then(|| Command::SetPreferences(self.preferences.clone()))
    }

    /// What the desktop is to call a command, or the talk key, where it asks for a key for it.
    pub fn hotkey_called(&self, action: Option<Action>) -> String {
        self.texts.get(action.map_or(key!("push-to-talk-key"), Action::key)).to_string()
    }

    /// What became of the hotkeys of commands behind other windows.
    pub fn set_global_hotkeys(&mut self, hotkeys: GlobalHotkeys) {
        self.global_hotkeys = hotkeys;
    }

    /// The commands whose hotkeys are to be heard behind other windows.
    pub fn hotkeys_elsewhere(&self) -> Vec<(Action, Option<Hotkey>)> {
        let chosen = &self.preferences.hotkeys.other_windows;
        let all = Action::ALL.iter().copied().filter(|action| action.may_be_global());
        let wanted = all.filter(|action| chosen.contains(action.name()));
        wanted.map(|action| (action, hotkey_of(&self.preferences, action))).collect()
    }

    /// The talk key is held, as was told last.
    pub fn talks(&self) -> bool {
        self.talk.held()
    }

    /// The key to be looked at while another window has the keyboard.
    pub fn talk_key_elsewhere(&self) -> Option<PushToTalkKey> {
        push_to_talk::wanted_elsewhere(&self.snapshot, &self.preferences)
    }

    /// Whether that key is held, wherever; what the studio is to be told, also of a hidden window.
    pub fn talk_elsewhere(&mut self, ctx: &Context, held: bool, hidden: bool) -> Option<Command> {
        let away = hidden || !ctx.input(|input| input.focused);
        self.talk.heard_elsewhere(held, away)
    }
}
