//! The row above the frame: the address field, the recent addresses, and the button that adds a
//! tile.

pub(in crate::ui::watch) mod connection;

use egui::{Id, Key, Popup, Rect, Ui};

use crate::studio::watch::choices::{MAX_ADDRESS_LENGTH, MAX_TILES};
use crate::studio::watch::view::WatchState;
use crate::studio::{Command, WatchCommand};
use crate::ui::input::hotkeys::return_letters;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::view::{View, WindowRequest};
use crate::ui::watch::commands::{name_of, play, send};
use crate::ui::watch::draft::Draft;
use crate::ui::widgets::{
    Button, ButtonWeight, Field, LIST_MARGINS_WIDTH, icon_button, menu_frame, menu_item, menu_rule,
    paragraph, path_item, return_focus, row_in, select_all, weighted_icon_button,
};

/// The minimum width of the menu of recent streams.
const MIN_RECENT_WIDTH_POINTS: f32 = 380.0;
/// The maximum width of the menu of recent streams.
const MAX_RECENT_WIDTH_POINTS: f32 = 560.0;

/// Returns the id of the address field.
pub fn url_field() -> Id {
    Id::unique("watch-url")
}

/// Draws the row.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, rect: Rect) {
    let (theme, texts) = (view.theme, view.texts);
    let ui = &mut row_in(ui, rect, "address", gap::S);
    let busy = view.snapshot.watch.is_busy();
    let press = texts.get(if busy { "watch-stop" } else { "play" });
    let measure = |text: &str| {
        let galley =
            ui.painter().layout_no_wrap(text.to_owned(), Type::BodyStrong.font(), theme.text);
        galley.size().x
    };
    // The button is wide enough for both of its texts, so that nothing moves when they change.
    let both = measure(&texts.get("watch-stop")).max(measure(&texts.get("play"))) + 48.0;
    let tile = texts.get("tile-add");
    let tile_width = measure(&tile) + 2.0 * gap::M + 24.0;
    let rest = both + tile_width + 3.0 * size::CONTROL_HEIGHT + 5.0 * gap::S;
    let field = Field {
        name: &texts.get("watch-url"),
        hint: &texts.get("watch-url-hint"),
        limit: MAX_ADDRESS_LENGTH,
        width: (rect.width() - rest).max(120.0),
        ..Field::new(url_field(), &mut draft.url)
    }
    .show(ui, theme);
    // A user who opens the page while nothing plays wants to type or paste an address.
    let pass = ui.ctx().cumulative_pass_nr();
    let opened = draft.shown_in + 1 < pass;
    draft.shown_in = pass;
    if opened && !busy {
        field.response.request_focus();
        select_all(ui, url_field(), &draft.url);
    }
    if field.response.changed() {
        let typed = draft.url.clone();
        draft.set_url(typed);
    }
    let entered = field.response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    recent(ui, view, draft, field.response.rect);
    let weight = if busy { ButtonWeight::Plain } else { ButtonWeight::Primary };
    let can = busy || !draft.url.trim().is_empty();
    let pressed =
        Button::new(&press).weight(weight).width(both).enabled(can).show(ui, theme).clicked();
    if pressed && busy {
        view.send(Command::StopWatching);
    } else if pressed || entered {
        play(view, draft);
    }
    follow_entered(ui, view, draft, entered);
    let room = view.snapshot.tiles.len() < MAX_TILES;
    let can = room && !draft.url.trim().is_empty();
    let more = Button::new(&tile).icon(Icon::Plus).enabled(can).show(ui, theme);
    if more.on_hover_text(&*texts.get("tip-tile-add")).clicked() && can {
        send(view, WatchCommand::Add { url: draft.url.trim().to_owned() });
        draft.enlarged = None;
    }
    let open = texts.get("open-file");
    let (side, weight) = (size::CONTROL_HEIGHT, ButtonWeight::Plain);
    if weighted_icon_button(ui, theme, Icon::Folder, &open, side, weight).clicked() {
        view.request(WindowRequest::PickWatchFile);
    }
    connection::options(ui, view, draft);
}

/// Gives keys without a modifier to the player as soon as it plays the entered address. If the
/// player cannot play the address, the field gets the focus again, so that the user can correct it.
fn follow_entered(ui: &Ui, view: &View<'_>, draft: &mut Draft, entered: bool) {
    let (attempts, state) = (view.snapshot.watch_attempts, &view.snapshot.watch);
    if entered && !draft.url.trim().is_empty() {
        draft.entered = Some(attempts);
    }
    // Until the next attempt begins, the state is that of the previous stream.
    if draft.entered.is_none_or(|before| before == attempts) {
        return;
    }
    match state {
        WatchState::Opening { .. } | WatchState::Reconnecting { .. } => return,
        WatchState::Playing => return_letters(ui.ctx()),
        WatchState::Failed { .. } => {
            let free = ui.memory(|it| it.focused().is_none() && it.top_modal_layer().is_none());
            if free {
                ui.memory_mut(|memory| memory.request_focus(url_field()));
                select_all(ui, url_field(), &draft.url);
            }
        }
        _ => {}
    }
    draft.entered = None;
}

/// Draws the menu of recently watched streams, which opens below the address field.
fn recent(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, field: Rect) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("watch-recents");
    let (side, weight) = (size::CONTROL_HEIGHT, ButtonWeight::Plain);
    let button = weighted_icon_button(ui, theme, Icon::ChevronDown, &name, side, weight);
    return_focus(&button);
    let width = field.width().clamp(MIN_RECENT_WIDTH_POINTS, MAX_RECENT_WIDTH_POINTS);
    let menu = Popup::menu(&button).anchor(field).width(width);
    menu.frame(menu_frame(ui.ctx(), theme)).show(|ui| {
        let inner = width - LIST_MARGINS_WIDTH;
        ui.spacing_mut().item_spacing = egui::vec2(0.0, 1.0);
        ui.set_width(inner);
        let recent = view.snapshot.recent.clone();
        if recent.is_empty() {
            paragraph(ui, &texts.get("watch-recents-none"), Type::Small, theme.secondary);
            return;
        }
        for url in &recent {
            ui.horizontal(|ui| {
                ui.set_width(inner);
                let width = ui.available_width() - size::SMALL_CONTROL_HEIGHT;
                let chosen = ui
                    .allocate_ui(egui::vec2(width, 32.0), |ui| {
                        ui.set_width(width);
                        path_item(ui, theme, url)
                    })
                    .inner;
                if chosen {
                    draft.set_url(url.clone());
                    play(view, draft);
                    ui.close();
                }
                let name = name_of(url);
                let forget = texts.with("watch-forget", &[("name", name.as_str().into())]);
                let side = size::SMALL_CONTROL_HEIGHT;
                if icon_button(ui, theme, Icon::Close, &forget, side).clicked() {
                    send(view, WatchCommand::Forget(url.clone()));
                }
            });
        }
        menu_rule(ui, theme);
        if menu_item(ui, theme, &texts.get("watch-forget-all"), "", false, true) {
            send(view, WatchCommand::ForgetAll);
            ui.close();
        }
    });
}
