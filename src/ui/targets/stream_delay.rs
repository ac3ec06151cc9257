//! The stream delay: how long, and what is held back now.

use std::time::Duration;

use egui::Ui;

use crate::studio::event::stats::{DelayFigures, DelayState};
use crate::studio::live::view::LiveState;
use crate::studio::{Command, Snapshot};
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::{Texts, format};
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, label, paragraph};

/// The usual choices in seconds; others are in the settings file and on the command line.
const CHOICES: [u64; 7] = [0, 10, 30, 120, 300, 900, 1_800];

/// The choice, inside a list that stays open.
pub(super) fn choice(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("delay");
    label(ui, &name, Type::Figure, theme.secondary).on_hover_text(&*texts.get("tip-delay"));
    let mut wanted = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(gap::XS, gap::XS);
        for seconds in CHOICES {
            let delay = Duration::from_secs(seconds);
            let text = match seconds {
                0 => texts.get("delay-none").to_string(),
                _ => format::minutes(delay),
            };
            let pressed = Button::new(&text)
                .small()
                .look(ButtonWeight::Quiet)
                .name(&format!("{name} {text}"))
                .selected(view.snapshot.delay == delay)
                .show(ui, theme)
                .clicked();
            if pressed {
                wanted = Some(delay);
            }
        }
    });
    if let Some(delay) = wanted {
        view.send(Command::SetDelay(delay));
    }
    let held = view.snapshot.held.is_some();
    if view.snapshot.live != LiveState::Idle && held == view.snapshot.delay.is_zero() {
        paragraph(ui, &texts.get("delay-next"), Type::Small, theme.secondary);
    }
}

/// What viewers see of it, in a sentence; `None` while nothing is held back.
pub fn sentence(texts: &Texts, snapshot: &Snapshot) -> Option<String> {
    let held = snapshot.held?;
    let (key, time) = match held {
        DelayFigures { state: DelayState::Draining, held, .. } => (key!("delay-ending"), held),
        DelayFigures { begins_in: Some(time), .. } => (key!("delay-begins"), time),
        DelayFigures { delay, .. } => (key!("delay-later"), delay),
    };
    Some(texts.with(key, &[("time", format::minutes(time).into())]))
}

/// On air: how it stands, and the end that loses nothing.
pub(super) fn on_air(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let Some(held) = view.snapshot.held else { return };
    let said = sentence(texts, view.snapshot).unwrap_or_default();
    let color = if held.state == DelayState::Shortened { theme.warn } else { theme.text };
    paragraph(ui, &said, Type::Small, color);
    if held.state != DelayState::Draining && !held.held.is_zero() {
        let name = texts.get("stop-after-delay");
        let button = Button::new(&name).small().look(ButtonWeight::Quiet).show(ui, theme);
        if button.on_hover_text(&*texts.get("tip-stop-after-delay")).clicked() {
            view.send(Command::StopAfterDelay);
        }
    }
    ui.add_space(gap::XS);
}
