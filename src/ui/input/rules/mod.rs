//! Rules: "when this happens, run this command", such as "when the scene *Break* is shown, mute the
//! microphone".
//!
//! A rule is two texts in the settings. `event` reads the first one; the second is a command of the
//! palette, as hotkeys use it (`effect`). So everything that a hotkey can do in other windows, a rule
//! can do too, and a new command needs no change here. `watcher` is pure: it compares a snapshot of
//! the studio with the one before, and returns the rules that apply. `runner` is the only part with a
//! thread. It runs beside the window and beside `onair live`, and only sends commands, so rules work
//! while the window is hidden, and a rule can do nothing that the user could not.
//!
//! A rule must never run twice for one event, and rules must never run each other for ever: `limits`
//! counts the rules that follow each other, and pauses the one that goes on too long.

pub mod effect;
pub mod event;
mod limits;
pub mod runner;
mod watcher;
