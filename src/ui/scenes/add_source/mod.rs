//! The dialog *Add source*. It shows every kind of source as a card with an icon and a name. It
//! also contains a search over kinds, devices and existing sources, and the device lists that cards
//! open.

pub(in crate::ui::scenes) mod arrivals;
mod devices;
mod new_source;
pub(in crate::ui::scenes) mod page;
mod stream;

pub(in crate::ui::scenes) use devices::{screen_kind, screen_name, window_name};
use egui::{
    Align, CornerRadius, FocusDirection, Id, Key, Modifiers, Response, Role, ScrollArea, Sense,
    StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2,
};
pub(in crate::ui) use new_source::{edit_for, edits_for};

use crate::capture::text::{ChatBoard, Content};
use crate::capture::{self, ColorSource, Rgba, VideoChoice};
use crate::studio::MAX_STRIPS;
use crate::ui::dialogs::{DialogAnswer, dialog_room, modal};
use crate::ui::input::actions::{Action, key};
use crate::ui::scenes::add_source::devices::FoundSource;
use crate::ui::scenes::add_source::new_source::{add, asked_for};
use crate::ui::scenes::add_source::page::{Adding, Page};
use crate::ui::scenes::draft::{Draft, edited};
use crate::ui::scenes::kind::icon_of_choice;
use crate::ui::studio_page::mixer::labels;
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CARD_RADIUS, Theme, Type, gap};
use crate::ui::view::file_request::FileRequest;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Field, Wrapped, focus_ring, label};

/// Size of a card.
const CARD_SIZE: Vec2 = vec2(126.0, 76.0);
/// Width of the dialog in points.
const DIALOG_WIDTH_POINTS: f32 = 5.0 * CARD_SIZE.x + 4.0 * gap::S + 12.0;
/// Height below the health bar that the list leaves free for the rest of the dialog, in points.
const RESERVED_HEIGHT_POINTS: f32 = 140.0;
/// Minimum height of the list, in points.
const MIN_LIST_HEIGHT_POINTS: f32 = 120.0;

/// The initial color of a color source.
const INITIAL_COLOR: Rgba = Rgba { red: 0x1e, green: 0x24, blue: 0x30, alpha: 255 };
/// The initial end color of a gradient.
const INITIAL_GRADIENT_END: Rgba = Rgba { red: 0x3b, green: 0x5b, blue: 0x8c, alpha: 255 };

/// The action of a card.
enum CardAction {
    To(Page),
    ToFile(FileRequest),
    ToSource(VideoChoice),
    /// To the list of audio sources in the mixer.
    ToMixer,
}

/// A kind of source.
struct Kind {
    name: &'static str,
    /// The key of other words that find this kind; empty if there are none.
    words: &'static str,
    icon: Icon,
    leads: CardAction,
}

/// Draws the dialog while it is open.
pub fn show(ctx: &egui::Context, view: &mut View<'_>, draft: &mut Draft) {
    let Some(mut adding) = draft.adding.take() else { return };
    let page = adding.page;
    let mut opens = !adding.shown;
    let answer = modal(ctx, view.theme, "add-source", DIALOG_WIDTH_POINTS, |ui| {
        // The list of windows changes over time.
        labels::look_again(ui, view);
        let (close, asked) = head(ui, view, &mut adding);
        let room = dialog_room(ui.ctx()).y - RESERVED_HEIGHT_POINTS;
        let height = room.max(MIN_LIST_HEIGHT_POINTS);
        // All kinds are visible at once where the window is high enough.
        let area = ScrollArea::vertical().id_salt("add").min_scrolled_height(height);
        let done = area.max_height(height).show(ui, |ui| {
            ui.set_width(DIALOG_WIDTH_POINTS);
            ui.spacing_mut().item_spacing = vec2(gap::S, gap::S);
            match adding.page {
                None => {
                    opens = false;
                    everything(ui, view, draft, &mut adding, asked)
                }
                Some(page @ (Page::Stream | Page::Browser)) => {
                    opens = false;
                    stream::show(ui, view, draft, &mut adding, page == Page::Browser)
                }
                Some(page) => devices::list(ui, view, draft, page, &mut opens),
            }
        });
        (close || done.inner).then_some(DialogAnswer::Close)
    });
    // An empty list still opens when its first row appears.
    adding.shown = adding.page == page && !opens;
    // Escape goes back before it closes the dialog.
    let escaped = ctx.input(|input| input.key_pressed(Key::Escape));
    match answer {
        None => draft.adding = Some(adding),
        Some(_) if escaped && adding.page.is_some() => {
            draft.adding = Some(Adding { page: None, shown: false, ..adding });
        }
        Some(_) => {}
    }
    if draft.adding.is_none() {
        // The search field is gone. The row of the new source may have the keyboard focus.
        ctx.memory_mut(|memory| {
            if let Some(id) = memory.focused() {
                memory.surrender_focus(id);
            }
        });
    }
}

/// A key in the search field that is about the first result.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum SearchKey {
    /// Enter chooses the first result.
    Choose,
    /// Down gives the first result the keyboard focus.
    Focus,
}

/// Draws the title, and the search field or the back button. Returns whether the dialog was closed,
/// and the key that was pressed in the search field.
fn head(ui: &mut Ui, view: &View<'_>, adding: &mut Adding) -> (bool, Option<SearchKey>) {
    let texts = view.texts;
    let title = match adding.page {
        None => key!("source-add-title"),
        Some(Page::Cameras) => key!("add-camera"),
        Some(Page::Screens) => key!("add-screen"),
        Some(Page::Windows) => key!("add-window"),
        Some(Page::Again) => key!("add-again"),
        Some(Page::Stream) => key!("add-stream"),
        Some(Page::Browser) => key!("add-browser"),
    };
    let close = crate::ui::dialogs::heading(ui, view, &texts.get(title));
    if adding.page.is_some() {
        let text = texts.get("add-back");
        if crate::ui::widgets::Button::new(&text).small().show(ui, view.theme).clicked() {
            adding.page = None;
        }
        return (close, None);
    }
    let (name, hint) = (texts.get("add-search"), texts.get("add-search-hint"));
    let field = Field {
        name: &name,
        hint: &hint,
        limit: 200,
        width: DIALOG_WIDTH_POINTS,
        ..Field::new(Id::unique("add-source-search"), &mut adding.search)
    }
    .show(ui, view.theme);
    if !adding.shown {
        field.response.request_focus();
    }
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    let asked = if field.response.lost_focus() && pressed(Key::Enter) {
        Some(SearchKey::Choose)
    } else if field.response.has_focus() && pressed(Key::ArrowDown) {
        Some(SearchKey::Focus)
    } else {
        None
    };
    (close, asked)
}

fn kinds(view: &View<'_>) -> Vec<Kind> {
    let words = view.texts.get("text-first-words");
    let graded =
        ColorSource { to: Some(INITIAL_GRADIENT_END), ..ColorSource::plain(INITIAL_COLOR) };
    let minutes = std::time::Duration::from_secs(300);
    let to = |name, icon, page| Kind { name, words: "", icon, leads: CardAction::To(page) };
    let file = |name, icon, file| Kind { name, words: "", icon, leads: CardAction::ToFile(file) };
    let ready = |name, choice: VideoChoice| Kind {
        name,
        words: "",
        icon: icon_of_choice(&choice),
        leads: CardAction::ToSource(choice),
    };
    let text = |content| VideoChoice::Text(content);
    let mut kinds = vec![
        to(key!("add-camera"), Icon::Camera, Page::Cameras),
        to(key!("add-screen"), Icon::Screen, Page::Screens),
        to(key!("add-window"), Icon::Window, Page::Windows),
        ready(key!("add-text"), text(Content::Words(words.to_string()))),
        file(key!("add-image"), Icon::Image, FileRequest::Image),
        file(key!("add-video"), Icon::Film, FileRequest::Video),
        to(key!("add-stream"), Icon::Stream, Page::Stream),
        to(key!("add-browser"), Icon::Browser, Page::Browser),
        file(key!("add-slides"), Icon::Slides, FileRequest::Slides),
        file(key!("add-slide"), Icon::Slides, FileRequest::Slide),
        file(key!("add-text-file"), Icon::Document, FileRequest::Text),
        ready(key!("add-clock"), text(Content::Clock(String::new()))),
        ready(key!("add-countdown"), text(Content::Countdown(minutes))),
        ready(key!("add-stopwatch"), text(Content::Stopwatch)),
        ready(key!("add-chat"), text(Content::Chat(ChatBoard::USUAL_LINES))),
        ready(key!("add-color"), VideoChoice::Color(ColorSource::plain(INITIAL_COLOR))),
        ready(key!("add-gradient"), VideoChoice::Color(graded)),
        ready(key!("test-pattern"), VideoChoice::Test),
        to(key!("add-again"), Icon::Copy, Page::Again),
    ];
    if view.snapshot.strips.len() < MAX_STRIPS {
        let audio = Kind {
            name: key!("add-to-mixer"),
            words: "",
            icon: Icon::Speaker,
            leads: CardAction::ToMixer,
        };
        kinds.push(audio);
    }
    for kind in &mut kinds {
        kind.words = other_words(kind.name);
    }
    kinds
}

/// Returns the key of other words for a kind of source, which users of other programs search for.
fn other_words(kind: &str) -> &'static str {
    match kind {
        "add-camera" => key!("words-camera"),
        "add-screen" => key!("words-screen"),
        "add-window" => key!("words-window"),
        "add-text" | "add-text-file" => key!("words-text"),
        "add-image" => key!("words-image"),
        "add-video" => key!("words-video"),
        "add-stream" => key!("words-stream"),
        "add-browser" => key!("words-browser"),
        "add-slides" | "add-slide" => key!("words-slides"),
        "add-countdown" | "add-stopwatch" => key!("words-countdown"),
        "add-color" | "add-gradient" => key!("words-color"),
        "add-to-mixer" => key!("words-audio"),
        _ => "",
    }
}

/// Returns true if a search finds this kind by its name or its other words.
fn finds(view: &View<'_>, kind: &Kind, search: &str) -> bool {
    let mut names = view.texts.get(kind.name).to_string();
    if !kind.words.is_empty() {
        names.push(' ');
        names.push_str(&view.texts.get(kind.words));
    }
    fits(&names, search)
}

/// Returns true if all words of the search occur in a name.
fn fits(name: &str, search: &str) -> bool {
    let name = name.to_lowercase();
    search.to_lowercase().split_whitespace().all(|word| name.contains(word))
}

/// Draws all kinds, or the search results. `asked` is about the first one. Returns true if a source was
/// added.
fn everything(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    adding: &mut Adding,
    asked: Option<SearchKey>,
) -> bool {
    let texts = view.texts;
    let search = adding.search.clone();
    let searched = !search.trim().is_empty();
    let mut first = searched && asked == Some(SearchKey::Choose);
    let mut focuses = asked == Some(SearchKey::Focus);
    let kinds = kinds(view);
    let found = kinds.iter().filter(|kind| finds(view, kind, &search));
    let (mut pressed, mut cards) = (None, Vec::new());
    ui.horizontal_wrapped(|ui| {
        for kind in found {
            let name = texts.get(kind.name);
            let card = card(ui, view.theme, kind.icon, &name);
            if std::mem::take(&mut focuses) {
                card.request_focus();
            }
            if card.clicked() || std::mem::take(&mut first) {
                pressed = Some(kind);
            }
            cards.push(card);
        }
    });
    let others: Vec<FoundSource> = match searched {
        true => devices::all(view).into_iter().filter(|it| fits(&it.name, &search)).collect(),
        false => Vec::new(),
    };
    if others.is_empty() {
        lead_down(ui, &cards);
    }
    let mut added = false;
    for found in &others {
        let row = devices::row(ui, view, found);
        if std::mem::take(&mut focuses) {
            row.request_focus();
        }
        if row.clicked() || std::mem::take(&mut first) {
            devices::take(view, draft, found);
            added = true;
        }
    }
    if searched && others.is_empty() && cards.is_empty() {
        label(ui, &texts.get("add-nothing-found"), Type::Body, view.theme.secondary);
    }
    added || pressed.is_some_and(|kind| follow(view, draft, adding, kind))
}

/// Leads from a card with nothing below it to the last card, if that is in a lower row and Down is
/// pressed.
fn lead_down(ui: &Ui, cards: &[Response]) {
    let Some(from) = cards.iter().find(|card| card.has_focus()) else { return };
    let is_below = |card: &Response| card.rect.top() >= from.rect.bottom();
    let has_next = cards
        .iter()
        .any(|card| is_below(card) && card.rect.x_range().contains(from.rect.center().x));
    let Some(last) = cards.last().filter(|last| is_below(last) && !has_next) else { return };
    if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::ArrowDown)) {
        last.request_focus();
        ui.memory_mut(|memory| memory.move_focus(FocusDirection::None));
    }
}

/// Carries out the action of a card. Returns true if the dialog is done.
fn follow(view: &mut View<'_>, draft: &mut Draft, adding: &mut Adding, kind: &Kind) -> bool {
    let name = view.texts.get(kind.name);
    match &kind.leads {
        CardAction::To(page @ (Page::Screens | Page::Windows)) => {
            let window = *page == Page::Windows;
            let snapshot = view.snapshot;
            let none =
                if window { snapshot.windows.is_empty() } else { snapshot.screens.is_empty() };
            // Each capture needs its own request to the desktop. An existing capture can be shown
            // again.
            if none && capture::in_wayland() {
                let choice = asked_for(view, window);
                add(view, draft, &*name, choice);
                return true;
            }
            adding.page = Some(*page);
            false
        }
        CardAction::To(page) => {
            adding.page = Some(*page);
            false
        }
        CardAction::ToFile(pick) => {
            view.request(WindowRequest::PickSource(*pick, edited(view.snapshot)));
            true
        }
        CardAction::ToSource(choice) => {
            add(view, draft, &*name, choice.clone());
            true
        }
        CardAction::ToMixer => {
            view.request(WindowRequest::Act(Action::AddAudio));
            true
        }
    }
}

/// Draws a card of the grid: an icon above a name.
fn card(ui: &mut Ui, theme: &Theme, icon: Icon, name: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(CARD_SIZE, Sense::click());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    let fill = if response.hovered() { theme.hover } else { theme.raised };
    let radius = CornerRadius::same(CARD_RADIUS);
    ui.painter().rect(rect, radius, fill, theme.border(), StrokeKind::Inside);
    let at = pos2(rect.center().x, rect.top() + 24.0);
    icons::paint_at(ui.painter(), icon, at, 24.0, theme.text);
    // A longer name uses a second line.
    let room = rect.shrink2(vec2(6.0, 4.0)).with_min_y(rect.top() + 40.0);
    let (width, height) = (room.width(), room.height());
    let words = Wrapped::new(ui, name, Type::Small, theme.text, width, height, Align::Center);
    words.paint(ui, pos2(room.left(), room.center().y - words.height() / 2.0));
    focus_ring(ui, theme, &response, CARD_RADIUS);
    response
}
