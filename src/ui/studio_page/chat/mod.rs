//! The chat panel of the studio: the chat of onair's own stream, which the streamer moderates, and
//! the chat of the watched stream.

pub mod danmaku;
mod draft;
mod own;
mod rules;

use egui::Ui;

use crate::ui::input::actions::Action;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::watch;
use crate::ui::widgets::{Button, label, paragraph, tab_bar};

pub use draft::Draft;

/// Draws the chat in the available space. Returns the action that the user selected.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    watching: &mut watch::Draft,
) -> Option<Action> {
    let snapshot = view.snapshot;
    let url = &snapshot.watch_figures.url;
    let watched = (snapshot.chat.state.is_some() || !snapshot.chat.lines.is_empty())
        && !watch::chat::is_own(snapshot);
    match (&snapshot.server.chat, watched) {
        (Some(_), true) => {
            let (own, other) = (view.texts.get("chat-own"), watch::name_of(url));
            let chosen = usize::from(draft.watched);
            if let Some(pressed) = tab_bar(ui, view.theme, &[&*own, &other], chosen) {
                draft.watched = pressed > 0;
            }
            ui.add_space(gap::XS);
            match draft.watched {
                true => watch::chat::show(ui, view, watching, false),
                false => own::show(ui, view, draft),
            }
            None
        }
        (Some(_), false) => {
            own::show(ui, view, draft);
            None
        }
        (None, _) if snapshot.chat.state.is_some() || !snapshot.chat.lines.is_empty() => {
            watch::chat::show(ui, view, watching, false);
            None
        }
        (None, _) => none(ui, view),
    }
}

/// Draws a text that explains how to get a chat.
fn none(ui: &mut Ui, view: &View<'_>) -> Option<Action> {
    let (theme, texts) = (view.theme, view.texts);
    ui.spacing_mut().item_spacing.y = gap::S;
    label(ui, &texts.get("chat-studio-none"), Type::BodyStrong, theme.text);
    paragraph(ui, &texts.get("chat-studio-advice"), Type::Body, theme.secondary);
    let (text, action) = if Action::WatchOwn.is_possible(view.snapshot, view.health) {
        (texts.get("action-watch-own"), Action::WatchOwn)
    } else {
        (texts.get("chat-studio-open"), Action::Watch)
    };
    Button::new(&text).small().show(ui, theme).clicked().then_some(action)
}
