//! The talk key, as the window's surroundings hear it.

use egui::Context;

use super::Screen;
use crate::studio::{Command, PushToTalkKey};
use crate::ui::input::global_key::{GlobalKeyReply, GlobalKeySupport};
use crate::ui::input::push_to_talk;

impl Screen {
    /// How the talk key is heard while another window has the keyboard, and what came of asking for that.
    pub fn set_elsewhere(&mut self, elsewhere: GlobalKeySupport) {
        self.elsewhere = elsewhere;
    }

    /// The person does not want it to be heard there: what is to be kept, where that is news. They are asked
    /// again when they switch it on.
    pub fn talk_refused(&mut self) -> Option<Command> {
        let is_news = self.elsewhere == GlobalKeySupport::Asked(GlobalKeyReply::Refused);
        let is_news = is_news && std::mem::take(&mut self.preferences.push_to_talk_everywhere);
        is_news.then(|| Command::SetPreferences(self.preferences.clone()))
    }

    /// What the desktop is to call the talk key where it asks for one.
    pub fn talk_called(&self) -> String {
        self.texts.get("push-to-talk-key").to_string()
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
