//! The talk key: the space bar, held down, where a strip listens to one.

use egui::{Context, Key, Modifiers};

use crate::studio::{Snapshot, Talk};

/// Whether it is held now. It is not while somebody types, or another window has the keyboard.
pub fn held(ctx: &Context, snapshot: &Snapshot, typing: bool) -> bool {
    let wanted = snapshot
        .strips
        .iter()
        .any(|strip| matches!(strip.sound.talk, Talk::PushToTalk | Talk::PushToMute));
    wanted
        && !typing
        && ctx.input_mut(|input| {
            // What has the keyboard is not pressed by it.
            input.consume_key(Modifiers::NONE, Key::Space);
            input.focused && input.key_down(Key::Space)
        })
}
