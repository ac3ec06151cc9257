//! The guide in the window: topics at the left, the selected page at the right, and all hotkeys.

mod draw;
pub mod images;
mod markdown;
mod pages;
mod shortcuts;

use std::sync::Arc;

use egui::{
    Align, Color32, CornerRadius, Id, Key, Layout, Response, Role, ScrollArea, Sense, Ui,
    WidgetInfo, vec2,
};

use crate::studio::live::view::LiveState;
use crate::ui::dialogs::card::{DialogAnswer, dialog_room, heading, modal};
use crate::ui::dialogs::help::images::HelpImages;
use crate::ui::dialogs::help::markdown::Block;
use crate::ui::dialogs::help::pages::{HELP_PAGES, Part, Target, Topic};
use crate::ui::input::actions::Action;
use crate::ui::input::hotkeys::accept_letters;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CONTROL_RADIUS, Type, gap};
use crate::ui::text::Language;
use crate::ui::view::View;
use crate::ui::widgets::{Button, focus_ring, section};

/// The state of the dialog, which is kept as long as the window exists.
#[derive(Clone, Debug)]
struct Reading {
    topic: Topic,
    /// The previously displayed topics, the most recent at the end.
    before: Vec<Topic>,
    /// The heading to scroll to.
    heading: Option<String>,
    /// The page as blocks.
    blocks: Arc<Vec<Block>>,
    /// The page and the language from which the blocks were parsed.
    read: Option<(usize, Language)>,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            topic: Topic::Page(0),
            before: Vec::new(),
            heading: None,
            blocks: Arc::default(),
            read: None,
        }
    }
}

impl Reading {
    fn open(&mut self, topic: Topic, heading: Option<String>) {
        self.heading = heading;
        if topic != self.topic {
            self.before.push(std::mem::replace(&mut self.topic, topic));
        }
    }

    fn back(&mut self) {
        self.heading = None;
        if let Some(topic) = self.before.pop() {
            self.topic = topic;
        }
    }

    fn blocks(&mut self, number: usize, language: Language) -> Arc<Vec<Block>> {
        if self.read != Some((number, language)) {
            self.read = Some((number, language));
            self.blocks =
                Arc::new(HELP_PAGES.get(number).map_or_else(Vec::new, |it| it.blocks(language)));
        }
        Arc::clone(&self.blocks)
    }
}

pub fn show(
    ctx: &egui::Context,
    view: &View<'_>,
    images: &mut HelpImages,
    fresh: bool,
) -> Option<DialogAnswer> {
    let place = Id::unique("guide-reading");
    let mut reading: Reading = ctx.data(|data| data.get_temp(place)).unwrap_or_default();
    let room = dialog_room(ctx);
    let width = (room.x - 80.0).clamp(320.0, 1080.0);
    let height = (room.y - 140.0).clamp(160.0, 860.0);
    let answer = modal(ctx, view.theme, "help", width, |ui| {
        let close = heading(ui, view, &view.texts.get("help"));
        let mut answer = None;
        ui.allocate_ui_with_layout(vec2(width, height), Layout::left_to_right(Align::Min), |ui| {
            let list = if width < 960.0 { 220.0 } else { 272.0 };
            ui.allocate_ui_with_layout(vec2(list, height), Layout::top_down(Align::Min), |ui| {
                contents(ui, view, &mut reading, fresh);
            });
            ui.add_space(gap::M);
            let page = vec2(ui.available_width(), height);
            ui.allocate_ui_with_layout(page, Layout::top_down(Align::Min), |ui| {
                answer = topic(ui, view, &mut reading, images);
            });
        });
        answer.or(close.then_some(DialogAnswer::Close))
    });
    ctx.data_mut(|data| data.insert_temp(place, reading));
    answer
}

/// Draws the list at the left.
fn contents(ui: &mut Ui, view: &View<'_>, reading: &mut Reading, fresh: bool) {
    let language = view.texts.language();
    ScrollArea::vertical().id_salt("help-topics").auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        let mut shown = |ui: &mut Ui, title: &str, topic: Topic| {
            let chosen = reading.topic == topic;
            let response = entry(ui, view, title, chosen);
            if fresh && chosen {
                response.request_focus();
                response.scroll_to_me(None);
            }
            if response.clicked() {
                reading.open(topic, None);
            }
        };
        for part in Part::ALL {
            if part != Part::Start {
                ui.add_space(gap::M);
            }
            section(ui, view.theme, &view.texts.get(part.key()));
            for (number, page) in
                HELP_PAGES.iter().enumerate().filter(|(_, page)| page.part == part)
            {
                shown(ui, page.title(language), Topic::Page(number));
            }
            if part == Part::Start {
                shown(ui, &view.texts.get("help-shortcuts"), Topic::Hotkeys);
            }
        }
    });
}

/// Draws a title in the list, over as many lines as it needs.
fn entry(ui: &mut Ui, view: &View<'_>, title: &str, chosen: bool) -> Response {
    let theme = view.theme;
    let color = if chosen { theme.text } else { theme.secondary };
    let kind = if chosen { Type::FigureStrong } else { Type::Figure };
    let width = ui.available_width() - gap::S;
    let galley = ui.painter().layout(title.to_owned(), kind.font(), color, width - gap::S * 2.0);
    let size = vec2(width, galley.size().y + gap::S + gap::XS);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    response
        .widget_info(|| WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, title));
    let fill = match (chosen, response.hovered()) {
        (true, _) => theme.selected(),
        (_, true) => theme.raised,
        _ => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, CornerRadius::same(CONTROL_RADIUS), fill);
    let at = rect.left_center() + vec2(gap::S, -galley.size().y / 2.0);
    ui.painter().galley(at, galley, color);
    focus_ring(ui, theme, &response, CONTROL_RADIUS);
    accept_letters(&response);
    response
}

/// Draws the displayed topic at the right.
fn topic(
    ui: &mut Ui,
    view: &View<'_>,
    reading: &mut Reading,
    images: &mut HelpImages,
) -> Option<DialogAnswer> {
    let (back, again) = (view.texts.get("help-back"), view.texts.get("action-set-up"));
    let back = Button::new(&back).icon(Icon::Previous).small().enabled(!reading.before.is_empty());
    let again = Button::new(&again).small().enabled(view.snapshot.live == LiveState::Idle);
    let (back, again) = ui
        .horizontal(|ui| {
            let back = back.show(ui, view.theme);
            let end = Layout::right_to_left(Align::Center);
            (back, ui.with_layout(end, |ui| again.show(ui, view.theme)).inner)
        })
        .inner;
    if back.clicked() {
        reading.back();
    }
    if again.clicked() {
        return Some(DialogAnswer::Act(Action::SetUp));
    }
    ui.add_space(gap::S);
    let topic = reading.topic;
    images.turn_to(topic, view.texts.language());
    let area = ScrollArea::vertical().id_salt(("help-page", topic));
    let shown = area.auto_shrink(false).show(ui, |ui| {
        scroll_by_keys(ui);
        let Topic::Page(number) = topic else { return shortcuts::list(ui, view) };
        let blocks = reading.blocks(number, view.texts.language());
        let page = HELP_PAGES.get(number)?;
        let link = draw::page(ui, view, page, &blocks, &mut reading.heading, images)?;
        match page.target(&link)? {
            Target::Page(number, anchor) => reading.open(Topic::Page(number), anchor),
            Target::Web => ui.ctx().open_url(egui::OpenUrl::new_tab(link)),
        }
        None
    });
    shown.inner
}

/// Scrolls with keys, because a page without links has nothing that takes the keyboard focus.
fn scroll_by_keys(ui: &Ui) {
    let page = (ui.clip_rect().height() - 40.0).max(40.0);
    for (key, by) in [
        (Key::PageDown, -page),
        (Key::PageUp, page),
        (Key::Home, f32::INFINITY),
        (Key::End, f32::NEG_INFINITY),
    ] {
        if ui.input_mut(|input| input.consume_key(egui::Modifiers::NONE, key)) {
            ui.scroll_with_delta(vec2(0.0, by.clamp(-1e6, 1e6)));
        }
    }
}
