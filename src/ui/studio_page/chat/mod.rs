//! The chat panel of the studio: the chat of onair's own stream, which the streamer moderates, the
//! chat of the watched stream, and the chats of streaming services.

pub mod danmaku;
mod draft;
mod own;
mod rules;
mod services;

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
    let own = view.texts.get("chat-own");
    let services = view.texts.get("chat-services");
    let other = watch::name_of(url);
    let mut tabs = vec![&*own];
    if snapshot.server.chat.is_some() && watched {
        tabs.push(&other);
    }
    tabs.push(&services);
    let last = tabs.len() - 1;
    let chosen = if draft.services { last } else { usize::from(draft.watched && last > 1) };
    if let Some(pressed) = tab_bar(ui, view.theme, &tabs, chosen) {
        draft.services = pressed == last;
        draft.watched = pressed > 0 && pressed < last;
    }
    ui.add_space(gap::XS);
    if draft.services {
        services::show(ui, view, draft);
        return None;
    }
    match &snapshot.server.chat {
        Some(_) if draft.watched && watched => watch::chat::show(ui, view, watching, false),
        Some(_) => own::show(ui, view, draft),
        None if snapshot.chat.state.is_some() || !snapshot.chat.lines.is_empty() => {
            watch::chat::show(ui, view, watching, false);
        }
        None => return none(ui, view),
    }
    None
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
