//! The mixer dialog. It contains every strip with its source, fader, balance, sync offset,
//! monitoring and filters, and also the loudness of the program and the monitoring device.

mod clipboard;
mod filters;
mod plugin;
mod row;
mod strip;

use egui::{Align, Layout, ScrollArea, Ui, vec2};

use crate::mix::StripId;
use crate::studio::Command;
use crate::studio::snapshot::{SourceState, StripView};
use crate::ui::dialogs::card::{DialogAnswer, dialog_room, floating, heading_with_close};
use crate::ui::studio_page::loudness;
use crate::ui::studio_page::mixer::add_audio;
use crate::ui::studio_page::mixer::labels;
use crate::ui::studio_page::mixer::labels::MixerSelection;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{Row, Select, label, scroll, section};

const DIALOG_WIDTH_POINTS: f32 = 860.0;
/// The height of the content in points, where the window has it. More content makes it higher.
const CONTENT_HEIGHT_POINTS: f32 = 520.0;
/// The share of the room for dialogs that the dialog takes up at most in a large window.
const MAX_ROOM_SHARE: f32 = 0.85;
/// The height around the content that the window must have, in points.
const OUTER_HEIGHT_POINTS: f32 = 120.0;
/// The height of the left column without the list of strips, in points.
const COLUMN_REST_HEIGHT: f32 = 352.0;
const LIST_WIDTH_POINTS: f32 = 220.0;

pub fn show(ctx: &egui::Context, view: &mut View<'_>, fresh: bool) -> Option<DialogAnswer> {
    let mut selected = MixerSelection::get(ctx);
    let snapshot = view.snapshot;
    let strip = snapshot.strips.iter().find(|strip| strip.audio.id == selected.strip);
    let strip = strip.or_else(|| snapshot.strips.first());
    // The open list of audio to add takes the focus itself.
    let focused = strip.map(|it| it.audio.id).filter(|_| fresh && !selected.adds);
    let answer = floating(ctx, view.theme, "mixer", DIALOG_WIDTH_POINTS, |ui| {
        let close = heading_with_close(ui, view, &view.texts.get("mixer"));
        if fresh && strip.is_none() && !selected.adds {
            close.request_focus();
        }
        let room = dialog_room(ui.ctx()).y;
        let most = (room * MAX_ROOM_SHARE - OUTER_HEIGHT_POINTS).max(CONTENT_HEIGHT_POINTS);
        let height = (room - OUTER_HEIGHT_POINTS).clamp(240.0, most);
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap::L;
            ui.allocate_ui_with_layout(
                vec2(LIST_WIDTH_POINTS, height),
                Layout::top_down(Align::Min),
                |ui| {
                    ui.set_min_height(height.min(CONTENT_HEIGHT_POINTS));
                    let area = ScrollArea::vertical().max_height(height);
                    scroll(area, "column", ui, |ui| {
                        ui.set_width(LIST_WIDTH_POINTS);
                        ui.spacing_mut().item_spacing = vec2(gap::S, gap::S);
                        let list_height = (height - COLUMN_REST_HEIGHT).max(100.0);
                        list(ui, view, &mut selected, list_height, focused);
                        program(ui, view);
                        monitoring(ui, view);
                    });
                },
            );
            let rest = vec2(ui.available_width(), height);
            ui.allocate_ui_with_layout(rest, Layout::top_down(Align::Min), |ui| {
                ScrollArea::vertical().id_salt("strip").max_height(height).show(ui, |ui| {
                    ui.set_width(rest.x - gap::M);
                    ui.spacing_mut().item_spacing = vec2(gap::S, gap::S);
                    match strip {
                        Some(strip) => one(ui, view, strip, &mut selected),
                        None => {
                            let text = view.texts.get("mixer-empty");
                            label(ui, &text, Type::Body, view.theme.secondary);
                        }
                    }
                });
            });
        });
        close.clicked().then_some(DialogAnswer::Close)
    });
    selected.set(ctx);
    answer
}

/// Draws the selected strip.
fn one(ui: &mut Ui, view: &mut View<'_>, strip: &StripView, selected: &mut MixerSelection) {
    let before = strip.audio.strip.clone();
    let mut after = before.clone();
    strip::show(ui, view, strip, &mut after);
    ui.add_space(gap::M);
    filters::show(ui, view, strip, &mut after.filters, selected);
    ui.add_space(gap::S);
    strip::if_silent(ui, view, strip);
    if after != before {
        view.send(Command::SetStrip { id: strip.audio.id, before, strip: after });
    }
}

/// Draws the list of strips, and gives the strip `focused` the keyboard focus.
fn list(
    ui: &mut Ui,
    view: &mut View<'_>,
    selected: &mut MixerSelection,
    height: f32,
    focused: Option<StripId>,
) {
    section(ui, view.theme, &view.texts.get("mixer-strips"));
    ui.spacing_mut().item_spacing.y = 2.0;
    ScrollArea::vertical().id_salt("strips").max_height(height).show(ui, |ui| {
        for strip in &view.snapshot.strips {
            let name = labels::label_of(view, strip);
            let level = labels::level(view, strip);
            let chosen = strip.audio.id == selected.strip;
            let icon = labels::icon_of(&strip.audio.choice);
            let down = matches!(
                strip.state,
                SourceState::Stalled | SourceState::Lost | SourceState::Failed
            );
            let lamp = down.then_some(view.theme.warn);
            let level = if down { labels::state_of(view, strip.state, None).0 } else { level };
            let row = Row { icon, title: &name, second: &level, chosen, lamp };
            let row = row.show(ui, view.theme);
            if focused == Some(strip.audio.id) {
                row.request_focus();
            }
            if row.clicked() {
                *selected = MixerSelection { strip: strip.audio.id, ..MixerSelection::default() };
            }
        }
    });
    ui.add_space(gap::XS);
    add(ui, view, std::mem::take(&mut selected.adds));
}

/// Draws the list of sources that can be added as a strip. The list opens if `opens` is true.
fn add(ui: &mut Ui, view: &mut View<'_>, opens: bool) {
    let name = view.texts.get("mixer-add");
    let select = Select {
        enabled: view.snapshot.strips.len() < crate::studio::MAX_STRIPS,
        opens,
        ..Select::new(&name, &name, ui.available_width())
    };
    select.show(ui, view.theme, |ui| add_audio::list(ui, view));
}

fn program(ui: &mut Ui, view: &mut View<'_>) {
    ui.add_space(gap::M);
    section(ui, view.theme, &view.texts.get("mixer-loudness"));
    loudness::figures(ui, view);
}

fn monitoring(ui: &mut Ui, view: &mut View<'_>) {
    ui.add_space(gap::S);
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("monitoring-device");
    section(ui, theme, &name).on_hover_text(&*texts.get("tip-monitoring-device"));
    crate::ui::studio_page::mixer::monitoring::field(ui, view);
}
