//! The stream delay on air: its current length, unless the health bar shows it, and the button that
//! ends the stream without losing content.

use egui::Ui;

use crate::studio::event::stats::{DelayFigures, DelayState};
use crate::studio::{Command, Snapshot};
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::{Texts, format};
use crate::ui::view::View;
use crate::ui::widgets::{Button, paragraph};

/// Returns a sentence about how far viewers are behind, or `None` if there is no delay, or if the
/// delay has not sent a packet yet.
pub fn sentence(texts: &Texts, snapshot: &Snapshot) -> Option<String> {
    let held = snapshot.held?;
    let (key, time) = match held {
        DelayFigures { state: DelayState::Draining, held, .. } => (key!("delay-ending"), held),
        // Until the first packet is sent, the studio is connecting. The health bar has the time.
        DelayFigures { begins_in: Some(_), .. } => return None,
        DelayFigures { delay, .. } => (key!("delay-later"), delay),
    };
    Some(texts.with(key, &[("time", format::minutes(time).into())]))
}

/// Draws the state of the delay, and the button that ends the stream after the delay.
pub(super) fn on_air(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let Some(held) = view.snapshot.held else { return };
    if let Some(text) = sentence(texts, view.snapshot).filter(|_| !view.health.is_about_delay()) {
        let color = if held.state == DelayState::Shortened { theme.warn } else { theme.text };
        paragraph(ui, &text, Type::Small, color);
    }
    if held.state != DelayState::Draining && !held.held.is_zero() {
        let name = texts.get("stop-after-delay");
        let button = Button::new(&name).small().show(ui, theme);
        if button.on_hover_text(&*texts.get("tip-stop-after-delay")).clicked() {
            view.send(Command::StopAfterDelay);
        }
    }
    ui.add_space(gap::XS);
}
