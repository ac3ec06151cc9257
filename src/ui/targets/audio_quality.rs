//! How the sound goes out: its bitrate, samples a second, channels.

use egui::Ui;

use crate::media::BitsPerSecond;
use crate::studio::Quality;
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, label, slider};

/// Kilobits a second.
const MIN_KBPS: f32 = 32.0;
const MAX_KBPS: f32 = 320.0;
/// AAC has room for no more in one channel at 44.1 kHz.
const MAX_MONO: f32 = 256.0;
const STEP: f32 = 16.0;

/// What was chosen, if anything was; `idle`: nothing goes out that it would change.
pub fn choice(ui: &mut Ui, view: &View<'_>, now: &Quality, idle: bool) -> Option<Quality> {
    let texts = view.texts;
    let mut wanted = None;
    ui.add_enabled_ui(idle, |ui| {
        let name = texts.get("audio-bitrate");
        figure_line(ui, view, &name, &format::bitrate(now.audio_bitrate.0));
        let most = if now.channels == 1 { MAX_MONO } else { MAX_KBPS };
        let mut kbps = now.audio_bitrate.0 as f32 / 1000.0;
        let width = ui.available_width();
        let response = slider(ui, view.theme, &mut kbps, MIN_KBPS..=most, 128.0, &name, width);
        if response.changed() && idle {
            let kbps = ((kbps / STEP).round() * STEP).clamp(MIN_KBPS, most) as u32;
            wanted = Some(Quality { audio_bitrate: BitsPerSecond(kbps * 1_000), ..now.clone() });
        }
        response.on_hover_text(&*texts.get("tip-audio-bitrate"));
        let khz = |text: &str| format!("{text}\u{a0}kHz");
        let rates = [(44_100, khz("44.1")), (48_000, khz("48"))];
        if let Some(sample_rate) =
            one_of(ui, view, key!("sample-rate"), &rates, now.sample_rate, idle)
        {
            wanted = Some(Quality { sample_rate, ..now.clone() });
        }
        let ways = [
            (1, texts.get(key!("channels-mono")).to_string()),
            (2, texts.get(key!("channels-stereo")).to_string()),
        ];
        if let Some(channels) = one_of(ui, view, key!("channels"), &ways, now.channels, idle) {
            let most = if channels == 1 { MAX_MONO } else { MAX_KBPS };
            let audio_bitrate = now.audio_bitrate.min(BitsPerSecond(most as u32 * 1_000));
            wanted = Some(Quality { channels, audio_bitrate, ..now.clone() });
        }
    });
    wanted
}

/// A name and a few beside each other, of which one is chosen; gives the one that was pressed.
fn one_of<T: Copy + PartialEq>(
    ui: &mut Ui,
    view: &View<'_>,
    name: &'static str,
    all: &[(T, String)],
    chosen: T,
    idle: bool,
) -> Option<T> {
    let theme = view.theme;
    let name = view.texts.get(name);
    let mut pressed = None;
    ui.horizontal(|ui| {
        label(ui, &name, Type::Figure, theme.secondary);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = gap::XS;
            for (one, text) in all.iter().rev() {
                let of_it = format!("{name} {text}");
                let button = Button::new(text)
                    .small()
                    .look(ButtonWeight::Quiet)
                    .name(&of_it)
                    .enabled(idle)
                    .selected(*one == chosen);
                if button.show(ui, theme).clicked() {
                    pressed = Some(*one);
                }
            }
        });
    });
    pressed
}

/// A name, and its figure at the end of the line.
pub(super) fn figure_line(ui: &mut Ui, view: &View<'_>, name: &str, value: &str) {
    ui.horizontal(|ui| {
        label(ui, name, Type::Figure, view.theme.secondary);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            label(ui, value, Type::FigureStrong, view.theme.text);
        });
    });
}
