//! The second canvas below the targets: its switch, size, scene and recording. Its picture is beside the program.

use std::sync::Arc;

use egui::Ui;

use crate::media::Size;
use crate::studio::live::second_canvas::SecondCanvas;
use crate::studio::{Command, ProgramCommand, Target};
use crate::ui::style::theme::{Type, gap};
use crate::ui::targets::Draft;
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Select, label, menu_item, named_switch, scrolled};

/// The offered sizes: upright, and square.
const SIZES: [Size; 4] = [
    Size::new(720, 1_280),
    Size::new(1_080, 1_920),
    Size::new(1_080, 1_350),
    Size::new(1_080, 1_080),
];

/// Draws the second canvas.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, width: f32) {
    let (theme, texts) = (view.theme, view.texts);
    let mut canvas = view.snapshot.canvas.clone();
    let (text, tip) = (texts.get("second-canvas"), texts.get("tip-second-canvas"));
    if named_switch(ui, theme, &text, &tip, Type::Body, canvas.enabled) {
        canvas.enabled = !canvas.enabled;
    }
    if view.snapshot.canvas.enabled {
        figures(ui, view);
        fields(ui, view, &mut canvas, width);
    }
    if canvas != view.snapshot.canvas {
        view.send(Command::Programs(ProgramCommand::SetCanvas(canvas)));
    }
    ui.add_space(gap::S);
}

/// Draws what the encoder makes, while the canvas is sent or recorded.
fn figures(ui: &mut Ui, view: &View<'_>) {
    let Some(video) = view.snapshot.canvas_figures else { return };
    let rate = format!("{:.0}", video.fps);
    let values = [("rate", rate.into()), ("bitrate", format::bitrate(video.bitrate).into())];
    let text = view.texts.with("second-canvas-figures", &values);
    let shown = label(ui, &text, Type::Small, view.theme.secondary);
    shown.on_hover_text(&*view.texts.get("tip-second-canvas-figures"));
}

/// Draws the size, the scene, and whether the canvas is recorded.
fn fields(ui: &mut Ui, view: &mut View<'_>, canvas: &mut SecondCanvas, width: f32) {
    let (theme, texts) = (view.theme, view.texts);
    let is_live = view.snapshot.is_live_or_recording();
    let title = texts.get("second-canvas-size");
    label(ui, &title, Type::Small, theme.secondary);
    let name = |size: Size| format!("{} × {}", size.width, size.height);
    let shown = name(canvas.size);
    let mut select = Select::new(&title, &shown, width);
    select.enabled = !is_live;
    select.show(ui, theme, |ui| {
        for size in SIZES {
            if menu_item(ui, theme, &name(size), "", size == canvas.size, true) {
                canvas.size = size;
            }
        }
    });
    let (title, same) = (texts.get("second-canvas-scene"), texts.get("second-canvas-same"));
    label(ui, &title, Type::Small, theme.secondary);
    let collection = Arc::clone(&view.snapshot.scenes.collection);
    let own = canvas.scene.clone();
    let known = collection.scene_named(&own).is_some();
    let shown = if known { &*own } else { &*same };
    Select::new(&title, shown, width).show(ui, theme, |ui| {
        if menu_item(ui, theme, &same, "", !known, true) {
            canvas.scene = String::new();
        }
        scrolled(ui, "second-canvas-scenes", |ui| {
            for scene in &collection.scenes {
                if menu_item(ui, theme, &scene.name, "", scene.name == own, true) {
                    canvas.scene.clone_from(&scene.name);
                }
            }
        });
    });
    let (text, tip) = (texts.get("second-canvas-record"), texts.get("tip-second-canvas-record"));
    if named_switch(ui, theme, &text, &tip, Type::Small, canvas.record) {
        canvas.record = !canvas.record;
    }
}

/// Draws the switch that sends the second canvas to a target instead of the program, if there is a
/// second canvas. A target that is `running` reconnects.
pub(super) fn of_target(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &Draft,
    target: &Target,
    running: bool,
) {
    if !view.snapshot.canvas.enabled && !target.second_canvas {
        return;
    }
    let texts = view.texts;
    let (text, tip) = (texts.get("target-canvas"), texts.get("tip-target-canvas"));
    if named_switch(ui, view.theme, &text, &tip, Type::Small, target.second_canvas) {
        let second_canvas = !target.second_canvas;
        let target = Target { second_canvas, ..draft.put(target) };
        view.send(match running {
            true => Command::RestartTarget(target),
            false => Command::PutTarget(target),
        });
    }
}
