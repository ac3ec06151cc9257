//! The names and colors of the states of guests.

use egui::Color32;

use crate::server::guests::GuestState;
use crate::ui::input::actions::key;
use crate::ui::style::theme::Theme;

/// Returns the key of a state's name.
pub(in crate::ui::studio_page) fn state_key(state: GuestState) -> &'static str {
    match state {
        GuestState::Invited => key!("guest-invited"),
        GuestState::Lobby => key!("guest-lobby"),
        GuestState::OnAir => key!("guest-on-air"),
        GuestState::Away => key!("guest-away"),
        GuestState::Left => key!("guest-left"),
    }
}

/// Returns the color of a state's name.
pub(in crate::ui::studio_page) fn state_color(theme: &Theme, state: GuestState) -> Color32 {
    match state {
        GuestState::OnAir => theme.live,
        GuestState::Lobby | GuestState::Away => theme.warn,
        GuestState::Invited | GuestState::Left => theme.secondary,
    }
}
