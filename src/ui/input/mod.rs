//! User input: commands, hotkeys, keystrokes, push-to-talk.

pub mod actions;
pub mod event_order;
pub(in crate::ui) mod global_key;
pub mod hotkeys;
pub mod keystrokes;
pub mod named;
pub mod other_windows;
pub mod possible;
pub mod push_to_talk;
pub mod rules;
