//! The talk key, as the window's surroundings hear it.

use egui::Context;

use super::Screen;
use crate::studio::{Command, TalkKey};
use crate::ui::talk;

impl Screen {
    /// Whether the desktop tells of keys while another window has the keyboard.
    pub fn set_hears_elsewhere(&mut self, hears: bool) {
        self.hears_elsewhere = hears;
    }

    /// The key to be looked at while another window has the keyboard.
    pub fn talk_key_elsewhere(&self) -> Option<TalkKey> {
        talk::wanted_elsewhere(&self.snapshot, &self.preferences)
    }

    /// Whether that key is held, wherever; what the studio is to be told, also of a hidden window.
    pub fn talk_elsewhere(&mut self, ctx: &Context, held: bool, hidden: bool) -> Option<Command> {
        let away = hidden || !ctx.input(|input| input.focused);
        self.talk.heard_elsewhere(held, away)
    }
}
