//! The last step: a summary of all choices on one page.

use egui::{Align, Layout, Ui, vec2};

use crate::audio::AudioChoice;
use crate::capture::VideoChoice;
use crate::ui::input::actions::Action;
use crate::ui::input::hotkeys::shortcut_text;
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Theme, Type, gap};
use crate::ui::targets::{quality_text, title};
use crate::ui::view::View;
use crate::ui::widgets::{label, paragraph};

pub(super) fn show(ui: &mut Ui, view: &View<'_>) {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    ui.spacing_mut().item_spacing.y = gap::S;
    let video = match snapshot.usual_video() {
        Some(video) if video.choice == VideoChoice::Test => texts.get("test-pattern").to_string(),
        Some(video) if !video.name.is_empty() => video.name,
        _ => texts.get("guide-no-camera").to_string(),
    };
    let audio = match snapshot.audio.as_ref() {
        Some(audio) if audio.choice == AudioChoice::Tone => texts.get("test-tone").to_string(),
        Some(audio) if audio.choice == AudioChoice::Silence => texts.get("silence").to_string(),
        Some(audio) if !audio.name.is_empty() => audio.name.clone(),
        _ => texts.get("guide-no-microphone").to_string(),
    };
    let enabled = snapshot.targets.iter().filter(|entry| entry.target.enabled);
    let targets: Vec<String> = enabled.map(|entry| title(texts, &entry.target)).collect();
    let targets = match targets.is_empty() {
        true => texts.get("no-target-on").to_string(),
        false => targets.join(" · "),
    };
    let lines = [
        (Icon::Camera, texts.get("guide-camera"), video),
        (Icon::Microphone, texts.get("guide-microphone"), audio),
        (Icon::Broadcast, texts.get("guide-destination"), targets),
        (Icon::Film, texts.get("guide-quality"), quality_text(view)),
    ];
    for (icon, name, value) in lines {
        line(ui, theme, icon, &name, &value);
    }
    ui.add_space(gap::S);
    let sentence = view.health.words(texts.language()).0;
    paragraph(ui, &sentence, Type::BodyStrong, theme.text);
    let keys = shortcut_text(ui.ctx(), Action::Palette);
    let keys = keys.unwrap_or_else(|| texts.get("commands").to_string());
    let again = texts.with("guide-again", &[("keys", keys.into())]);
    paragraph(ui, &again, Type::Small, theme.secondary);
}

fn line(ui: &mut Ui, theme: &Theme, icon: Icon, name: &str, value: &str) {
    let room = vec2(ui.available_width(), 28.0);
    ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = gap::M;
        let (at, _) = ui.allocate_exact_size(vec2(20.0, 28.0), egui::Sense::hover());
        icons::paint_at(ui.painter(), icon, at.center(), 16.0, theme.secondary);
        let (cell, _) = ui.allocate_exact_size(vec2(140.0, 28.0), egui::Sense::hover());
        let mut name_ui = ui.new_child(
            egui::UiBuilder::new().max_rect(cell).layout(Layout::left_to_right(Align::Center)),
        );
        label(&mut name_ui, name, Type::Body, theme.secondary);
        label(ui, value, Type::BodyStrong, theme.text);
    });
}
