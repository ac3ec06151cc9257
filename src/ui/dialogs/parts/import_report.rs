//! The result of an import of scenes: what was lost, what is different, what hardly matters, and the
//! files that the user can locate.

use std::path::Path;
use std::sync::Arc;

use egui::{Align, ScrollArea, Sense, Ui, vec2};

use crate::studio::settings::ImportReport;
use crate::text::Problem;
use crate::ui::dialogs::card::{DialogAnswer, heading, modal};
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::view::file_request::FileRequest;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, ButtonWeight, elided, label, paragraph};

const WIDTH_POINTS: f32 = 560.0;
/// Maximum height of the lists, in points.
const MAX_LIST_HEIGHT_POINTS: f32 = 380.0;
const LOCATE_WIDTH_POINTS: f32 = 110.0;

pub fn show(ctx: &egui::Context, view: &mut View<'_>) -> Option<DialogAnswer> {
    let Some(report) = view.snapshot.scenes.import_report.clone() else {
        return Some(DialogAnswer::Close);
    };
    modal(ctx, view.theme, "import-report", WIDTH_POINTS, |ui| {
        let (theme, texts) = (view.theme, view.texts);
        let close = heading(ui, view, &texts.get("import-report"));
        let values = [
            ("name", report.collection.as_str().into()),
            ("scenes", report.scenes.to_string().into()),
            ("sources", report.sources.to_string().into()),
        ];
        paragraph(ui, &texts.with("import-report-counts", &values), Type::Body, theme.text);
        if !report.is_used {
            let why = texts.get("import-report-unused");
            paragraph(ui, &why, Type::Small, theme.secondary);
        }
        ui.add_space(gap::S);
        let height = MAX_LIST_HEIGHT_POINTS.min(ctx.content_rect().height() - 260.0).max(120.0);
        ScrollArea::vertical().max_height(height).show(ui, |ui| lists(ui, view, &report));
        ui.add_space(gap::S);
        let done = Button::new(&texts.get("import-report-done"))
            .weight(ButtonWeight::Primary)
            .width(ui.available_width())
            .show(ui, theme)
            .clicked();
        (close || done).then_some(DialogAnswer::Close)
    })
}

fn lists(ui: &mut Ui, view: &mut View<'_>, report: &Arc<ImportReport>) {
    if !report.missing.is_empty() {
        title(ui, view, key!("import-report-missing"), report.missing.len());
        for missing in &report.missing {
            let choice = view.snapshot.scenes.collection.source(missing.source);
            let choice = choice.filter(|_| report.is_used).map(|source| source.choice.clone());
            let is_located = choice.as_ref().is_some_and(|it| it.path() != Some(&missing.path));
            ui.horizontal(|ui| {
                let room = ui.available_width() - LOCATE_WIDTH_POINTS - gap::S;
                let room = vec2(room, size::SMALL_CONTROL_HEIGHT);
                let (rect, response) = ui.allocate_exact_size(room, Sense::hover());
                let path = missing.path.display().to_string();
                let text = format!("{}: {path}", missing.name);
                elided(ui, rect, Align::Min, &text, Type::Body.font(), view.theme.text);
                response.on_hover_text(&path);
                if is_located {
                    let done = view.texts.get("import-report-located");
                    label(ui, &done, Type::Small, view.theme.secondary);
                    return;
                }
                let pick = choice.as_ref().and_then(FileRequest::of);
                let text = view.texts.get("import-report-locate");
                let name = format!("{text} {}", missing.name);
                let button = Button::new(&text).small().width(LOCATE_WIDTH_POINTS).name(&name);
                let button = button.enabled(pick.is_some());
                if button.show(ui, view.theme).clicked()
                    && let Some(pick) = pick
                {
                    let folder = missing.path.parent().filter(|it| it.is_dir());
                    let folder = folder.map(Path::to_owned);
                    view.request(WindowRequest::PickAnother(pick, missing.source, folder));
                }
            });
        }
        ui.add_space(gap::S);
    }
    let groups = [
        (key!("import-report-lost"), &report.lost),
        (key!("import-report-changed"), &report.changed),
        (key!("import-report-cosmetic"), &report.cosmetic),
    ];
    for (name, parts) in groups {
        group(ui, view, name, parts);
    }
}

fn title(ui: &mut Ui, view: &View<'_>, name: &'static str, count: usize) {
    let text = format!("{} ({count})", view.texts.get(name));
    label(ui, &text, Type::BodyStrong, view.theme.text);
}

fn group(ui: &mut Ui, view: &View<'_>, name: &'static str, parts: &[Problem]) {
    if parts.is_empty() {
        return;
    }
    title(ui, view, name, parts.len());
    for part in parts {
        let text = format!("· {}", view.texts.say(part));
        paragraph(ui, &text, Type::Small, view.theme.secondary);
    }
    ui.add_space(gap::S);
}
