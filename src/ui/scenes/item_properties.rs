//! The settings of one item: what it shows, where, how it looks.

use egui::{DragValue, Grid, Ui};

use crate::capture::VideoChoice;
use crate::compose::scene::{Content, Crop, Item, Placement};
use crate::studio::scenes::MAIN;
use crate::studio::{Command, Edit};
use crate::ui::dialogs::{DialogAnswer, heading, modal};
use crate::ui::scenes::draft::{BLENDS, Draft, FITS, name_of};
use crate::ui::scenes::placement;
use crate::ui::scenes::source::kind_fields::taken;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{Field, Select, label, menu_item, paragraph, slider};

/// Width of the fields.
const FIELD: f32 = 300.0;

/// Shows the dialog while it is asked for.
pub fn show(ctx: &egui::Context, view: &mut View<'_>, draft: &mut Draft) {
    let Some(id) = draft.settings else { return };
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let Some(item) = collection.item(id) else {
        draft.settings = None;
        return;
    };
    let answer = modal(ctx, view.theme, "item-settings", 420.0, |ui| {
        let title = name_of(view, item);
        if heading(ui, view, &title) {
            return Some(DialogAnswer::Close);
        }
        contents(ui, view, draft, item);
        None
    });
    if answer.is_some() {
        draft.settings = None;
        draft.source_text = None;
    }
}

fn contents(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, item: &Item) {
    let texts = view.texts;
    if let Content::Source(source) = item.content
        && source != MAIN
    {
        shown(ui, view, draft, source);
        ui.add_space(gap::M);
    }
    let canvas = view.snapshot.quality.size;
    let mut now = item.place;
    Grid::new("item-place").num_columns(4).spacing([gap::S, gap::S]).show(ui, |ui| {
        let [mut x, mut y, mut width, mut height] = placement::pixels(&now, canvas);
        let most = 50.0 * f64::from(canvas.width.max(canvas.height));
        number(ui, view, &texts.get("placement-x"), &mut x, -most..=most, " px");
        number(ui, view, &texts.get("placement-y"), &mut y, -most..=most, " px");
        ui.end_row();
        number(ui, view, &texts.get("placement-width"), &mut width, 2.0..=most, " px");
        number(ui, view, &texts.get("placement-height"), &mut height, 2.0..=most, " px");
        ui.end_row();
        number(ui, view, &texts.get("placement-rotation"), &mut now.rotation, -360.0..=360.0, "°");
        ui.end_row();
        let (cw, ch) = (f64::from(canvas.width), f64::from(canvas.height));
        now = Placement { x: x / cw, y: y / ch, width: width / cw, height: height / ch, ..now };
        let Crop { left, top, right, bottom } = now.crop;
        let mut sides = [left, top, right, bottom].map(|side| side * 100.0);
        for (index, (name, side)) in [
            texts.get("crop-left"),
            texts.get("crop-top"),
            texts.get("crop-right"),
            texts.get("crop-bottom"),
        ]
        .into_iter()
        .zip(&mut sides)
        .enumerate()
        {
            number(ui, view, &name, side, 0.0..=99.0, " %");
            if index % 2 == 1 {
                ui.end_row();
            }
        }
        let [left, top, right, bottom] = sides.map(|side| side / 100.0);
        now.crop = Crop { left, top, right, bottom };
    });
    ui.add_space(gap::S);
    label(ui, &texts.get("placement-fit"), Type::Small, view.theme.secondary);
    let fit = FITS.iter().find(|(_, fit)| *fit == now.fit).map_or("", |(name, _)| name);
    let name = texts.get("placement-fit");
    let chosen = texts.get(fit);
    Select::new(&name, &chosen, FIELD).show(ui, view.theme, |ui| {
        for (name, fit) in FITS {
            if menu_item(ui, view.theme, &texts.get(name), "", fit == now.fit, true) {
                now.fit = fit;
            }
        }
    });
    if now != item.place && !item.locked {
        view.send(Command::Edit(Edit::SetPlace(item.id, now)));
    }
    label(ui, &texts.get("item-blend"), Type::Small, view.theme.secondary);
    let blend = BLENDS.iter().find(|(_, blend)| *blend == item.blend).map_or("", |(name, _)| name);
    let (name, chosen) = (texts.get("item-blend"), texts.get(blend));
    let mut blend = item.blend;
    Select::new(&name, &chosen, FIELD).show(ui, view.theme, |ui| {
        for (name, mode) in BLENDS {
            if menu_item(ui, view.theme, &texts.get(name), "", mode == item.blend, true) {
                blend = mode;
            }
        }
    });
    if blend != item.blend {
        view.send(Command::Edit(Edit::SetBlend(item.id, blend)));
    }
    let text = texts.get("item-opacity");
    label(ui, &text, Type::Small, view.theme.secondary);
    let mut opacity = item.opacity;
    slider(ui, view.theme, &mut opacity, 0.0..=1.0, 1.0, &text, FIELD);
    if opacity.to_bits() != item.opacity.to_bits() {
        view.send(Command::Edit(Edit::SetOpacity(item.id, opacity)));
    }
}

fn number(
    ui: &mut Ui,
    view: &View<'_>,
    name: &str,
    value: &mut f64,
    range: std::ops::RangeInclusive<f64>,
    unit: &str,
) {
    label(ui, name, Type::Small, view.theme.secondary);
    let before = *value;
    let field = DragValue::new(value).range(range).max_decimals(1).speed(1.0).suffix(unit);
    ui.add_sized([96.0, 26.0], field).accessible_name(name);
    // What is only rounded for showing stays what it is.
    if (*value - before).abs() < 0.051 {
        *value = before;
    }
}

/// What a source shows, as `--video` writes it, and why it does not.
fn shown(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, id: crate::compose::scene::SourceId) {
    let texts = view.texts;
    let Some(source) = view.snapshot.scenes.collection.source(id) else { return };
    let (choice, written) = (source.choice.clone(), source.choice.to_string());
    let name = texts.get("source-content");
    label(ui, &name, Type::Small, view.theme.secondary);
    let text = draft.source_text.get_or_insert(written);
    let parsed = text.trim().parse::<VideoChoice>();
    let kept = Field {
        id: egui::Id::unique("source-text"),
        text,
        name: &name,
        hint: "image:/…",
        hidden: false,
        wrong: parsed.is_err(),
        limit: 4_096,
        buttons: &[],
        width: 380.0,
    }
    .show(ui, view.theme);
    match parsed {
        Ok(new) if new != choice => {
            let enter =
                kept.response.lost_focus() && ui.input(|it| it.key_pressed(egui::Key::Enter));
            if taken(ui, view, enter) {
                view.send(Command::Edit(Edit::SetSource(id, new)));
                draft.source_text = None;
            }
        }
        Ok(_) => {
            let reason = view.snapshot.scenes.source(id).map(|it| it.reason.clone());
            if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
                paragraph(ui, &view.texts.say_with_cure(&reason), Type::Small, view.theme.warn);
            }
        }
        Err(why) => {
            paragraph(ui, &view.texts.say(&why), Type::Small, view.theme.warn);
        }
    }
}
