//! Confirmations before something ends.

use std::time::Duration;

use egui::Ui;

use crate::studio::live::view::LiveState;
use crate::ui::dialogs::card::{DialogAnswer, modal};
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, at_right_end, label, paragraph};

const DIALOG_WIDTH_POINTS: f32 = 400.0;

fn ask(
    ui: &mut Ui,
    view: &View<'_>,
    [title, text, yes, no]: [&str; 4],
    answer: DialogAnswer,
    fresh: bool,
) -> Option<DialogAnswer> {
    let theme = view.theme;
    label(ui, title, Type::Title, theme.text);
    paragraph(ui, text, Type::Body, theme.secondary);
    ui.add_space(gap::M);
    let buttons = |ui: &mut Ui| {
        let no = Button::new(no).weight(ButtonWeight::Primary).show(ui, theme);
        let yes = Button::new(yes).weight(ButtonWeight::Live).show(ui, theme);
        if fresh {
            // Enter cancels.
            no.request_focus();
        }
        if yes.clicked() {
            Some(answer)
        } else if no.clicked() {
            Some(DialogAnswer::Close)
        } else {
            None
        }
    };
    at_right_end(ui, buttons)
}

/// Asks for confirmation before a broadcast is stopped.
pub fn stop(ctx: &egui::Context, view: &View<'_>, fresh: bool) -> Option<DialogAnswer> {
    let texts = view.texts;
    modal(ctx, view.theme, "confirm-stop", DIALOG_WIDTH_POINTS, |ui| {
        let ends = match view.snapshot.has_no_viewers() {
            true => texts.get("confirm-stop-unwatched"),
            false => texts.get("confirm-stop"),
        };
        let mut lines = vec![ends.to_string()];
        if view.snapshot.recording.is_some() {
            lines.push(texts.get("confirm-stop-recording").to_string());
        }
        let held = view.snapshot.held.map(|delay| delay.held);
        if let Some(held) = held.filter(|held| *held >= Duration::from_secs(1)) {
            let args = [("time", format::minutes(held).into())];
            lines.push(texts.with("confirm-stop-delay", &args));
        }
        let words = [
            &*texts.get("confirm-stop-title"),
            &*lines.join("\n"),
            &*texts.get("confirm-stop-yes"),
            &*texts.get("keep-on-air"),
        ];
        ask(ui, view, words, DialogAnswer::StopLive, fresh)
    })
}

/// Asks for confirmation before the window is closed on air, while recording, or during a copy of a
/// recording.
pub fn close(ctx: &egui::Context, view: &View<'_>, fresh: bool) -> Option<DialogAnswer> {
    let texts = view.texts;
    let copy = view.snapshot.recordings.copy.as_ref().map(|_| texts.get("confirm-close-copy"));
    let (title, ends) = if copy.is_some() && !view.snapshot.is_live_or_recording() {
        (texts.get("confirm-close-copy-title"), None)
    } else if view.snapshot.live == LiveState::Idle {
        let ends = texts.get("confirm-close-recording");
        (texts.get("confirm-close-recording-title"), Some(ends))
    } else {
        let ends = match view.snapshot.figures.was_live() {
            true if view.snapshot.has_no_viewers() => texts.get("confirm-close-unwatched"),
            true => texts.get("confirm-close"),
            false => texts.get("confirm-close-unconnected"),
        };
        (texts.get("confirm-close-title"), Some(ends))
    };
    let text = ends.into_iter().chain(copy).collect::<Vec<_>>().join("\n");
    modal(ctx, view.theme, "confirm-close", DIALOG_WIDTH_POINTS, |ui| {
        let words = [&*title, &*text, &*texts.get("confirm-close-yes"), &*texts.get("cancel")];
        ask(ui, view, words, DialogAnswer::Quit, fresh)
    })
}

/// Shows that onair is ending.
pub fn closing(ctx: &egui::Context, view: &View<'_>) {
    modal(ctx, view.theme, "closing", 240.0, |ui| {
        ui.vertical_centered(|ui| {
            label(ui, &view.texts.get("closing"), Type::Title, view.theme.text);
        });
        None
    });
}
