//! The panel with the guests of the show: a card for each, with what the guest's camera shows, the state, and all that
//! the user does with a guest during a show. *Share > Guests* remains for setting up: who can reach the links.
//!
//! The cards have the same size in every layout, so that a button stays at its place when a guest joins. In the simple
//! layout, the panel is a bar above the mixer, which is there only while there are guests: a show without guests loses
//! no room. Nothing of a guest in the lobby may reach the program from here: a card only shows the small image that the
//! server makes for the user.

mod card;
pub(super) mod states;
mod traffic;

use egui::{CornerRadius, Rect, Ui, vec2};

use crate::server::guests::MAX_GUESTS;
use crate::studio::Command;
use crate::studio::command::GuestCommand;
use crate::ui::studio_page::share;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::targets::child;
use crate::ui::view::View;
use crate::ui::widgets::{Button, paragraph};

/// Returns the height of the bar above the mixer.
pub(super) fn bar_height(view: &View<'_>) -> f32 {
    let line = view.snapshot.guest_traffic.map_or(0.0, |_| traffic::HEIGHT_POINTS + gap::XS);
    card::HEIGHT_POINTS + 2.0 * gap::S + line
}

/// Returns true if the simple layout shows the bar.
pub(super) fn has_bar(view: &View<'_>) -> bool {
    !view.snapshot.guests.is_empty()
}

/// Draws the bar above the mixer.
pub(super) fn bar(ui: &mut Ui, view: &mut View<'_>, draft: &mut share::Draft, room: Rect) {
    ui.painter().rect_filled(room, CornerRadius::ZERO, view.theme.panel);
    ui.painter().hline(room.x_range(), room.top() + 0.5, view.theme.border());
    let inner = room.shrink2(vec2(gap::M, gap::S));
    let mut inside = child(ui, inner, "guests-inside");
    // All places fit side by side in the narrowest window.
    cards(&mut inside, view, draft, MAX_GUESTS);
    let line = inner.with_min_y(inner.bottom() - traffic::HEIGHT_POINTS);
    traffic::show(&mut child(ui, line, "guests-traffic"), view, true);
}

/// Draws the panel.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut share::Draft) {
    let (theme, texts) = (view.theme, view.texts);
    if view.snapshot.guests.is_empty() {
        paragraph(ui, &texts.get("guests-none"), Type::Small, theme.secondary);
        ui.add_space(gap::S);
        invite(ui, view);
        return;
    }
    let in_line = card::in_line(ui.available_width());
    cards(ui, view, draft, in_line);
    traffic::show(ui, view, false);
    if view.snapshot.guests.len() < MAX_GUESTS {
        ui.add_space(gap::S);
        invite(ui, view);
    }
}

fn invite(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let text = texts.get("guest-invite");
    let button = Button::new(&text).icon(Icon::Plus).small().show(ui, theme);
    if button.on_hover_text(&*texts.get("tip-guest-invite")).clicked() {
        view.send(Command::Guest(GuestCommand::Invite));
    }
}

/// Draws the cards, this many in a line.
fn cards(ui: &mut Ui, view: &mut View<'_>, draft: &mut share::Draft, in_line: usize) {
    let snapshot = view.snapshot;
    draft.keep_guests(&snapshot.guests);
    let width = card::width(ui.available_width(), in_line);
    ui.spacing_mut().item_spacing = vec2(gap::S, gap::S);
    for line in snapshot.guests.chunks(in_line.max(1)) {
        ui.horizontal(|ui| {
            for guest in line {
                ui.push_id(("guest", &guest.id), |ui| card::show(ui, view, draft, guest, width));
            }
        });
    }
}
