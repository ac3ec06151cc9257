//! The quality of the stream: presets, size, frame rate and bitrate.

use egui::Ui;

use crate::media::{BitsPerSecond, FrameRate, Size};
use crate::studio::targets::quality::PRESETS;
use crate::studio::{Command, Quality};
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap};
use crate::ui::targets::limits;
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, ButtonWeight, Select, label, menu_item, menu_rule, paragraph, whole_slider,
};

const fn fps(num: u32) -> FrameRate {
    match FrameRate::new(num, 1) {
        Some(rate) => rate,
        None => FrameRate::FPS_30,
    }
}

/// The names of the presets and the texts that describe them, in the order of the presets.
pub const PRESET_TEXTS: [(&str, &str); PRESETS.len()] = [
    (key!("quality-480p30"), key!("quality-480p30-second")),
    (key!("quality-720p30"), key!("quality-720p30-second")),
    (key!("quality-720p60"), key!("quality-720p60-second")),
    (key!("quality-1080p30"), key!("quality-1080p30-second")),
];

/// Returns the quality as a text, such as `720p · 30 fps · 2 500 kbps`.
pub fn quality_text(view: &View<'_>) -> String {
    let quality = &view.snapshot.quality;
    let args = [
        ("size", format::size_name(quality.size).into()),
        ("rate", format::rate(quality.frame_rate).into()),
        ("bitrate", format::bitrate(quality.video_bitrate.0).into()),
    ];
    view.texts.with("quality-line", &args)
}

/// The common frame sizes to choose from.
const FRAME_SIZE_CHOICES: [Size; 5] = [
    Size::new(854, 480),
    Size::new(1280, 720),
    Size::new(1920, 1080),
    Size::new(2560, 1440),
    Size::new(3840, 2160),
];
/// The common frame rates to choose from.
const FRAME_RATE_CHOICES: [FrameRate; 5] = [fps(24), fps(25), fps(30), fps(50), fps(60)];

/// Draws the quality fields: presets, size, frame rate and bitrate. The other settings are on the
/// *Output* page of the settings dialog.
pub fn quality(ui: &mut Ui, view: &mut View<'_>, width: f32) {
    let (theme, texts) = (view.theme, view.texts);
    let now = view.snapshot.quality.clone();
    let idle = !view.snapshot.is_live_or_recording();
    let mut wanted: Option<Quality> = None;
    let (name, chosen) = (texts.get("quality"), quality_text(view));
    let select = Select { close_on_click: false, ..Select::new(&name, &chosen, width) };
    select.show(ui, theme, |ui| {
        for (preset, (title, second)) in PRESETS.iter().zip(PRESET_TEXTS) {
            let chosen = preset.is_of(&now);
            let (second, why_not) = (texts.get(second), limits::why_no_preset(view, preset));
            let (enabled, second) =
                (idle && why_not.is_none(), why_not.as_deref().unwrap_or(&second));
            if menu_item(ui, theme, &texts.get(title), second, chosen, enabled) {
                wanted = Some(preset.applied_to(&now));
            }
        }
        menu_rule(ui, theme);
        egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = gap::XS;
            if !idle {
                paragraph(ui, &texts.get("quality-on-air"), Type::Small, theme.secondary);
            }
            ui.add_enabled_ui(idle, |ui| {
                let of = |size: Size| format::size_name(size);
                let why_not = |size| limits::why_no_size(view, &Quality { size, ..now.clone() });
                let name = key!("quality-size");
                if let Some(size) =
                    one_of(ui, view, name, &FRAME_SIZE_CHOICES, now.size, of, why_not)
                {
                    wanted = Some(Quality { size, ..now.clone() });
                }
                let name = key!("quality-rate");
                let why_not =
                    |frame_rate| limits::why_no_rate(view, &Quality { frame_rate, ..now.clone() });
                let rate = one_of(
                    ui,
                    view,
                    name,
                    &FRAME_RATE_CHOICES,
                    now.frame_rate,
                    format::rate,
                    why_not,
                );
                if let Some(frame_rate) = rate {
                    wanted = Some(Quality { frame_rate, ..now.clone() });
                }
            });
            let name = texts.get("bitrate");
            let mut kbps = now.video_bitrate.0 as f32 / 1000.0;
            ui.horizontal(|ui| {
                label(ui, &name, Type::Figure, theme.secondary);
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    let value = format::bitrate(now.video_bitrate.0);
                    label(ui, &value, Type::FigureStrong, theme.text);
                });
            });
            let width = ui.available_width();
            let limit = limits::video_bitrate(view);
            let most = limit.as_ref().map_or(limits::MAX_VIDEO_BITRATE, |(most, _)| *most);
            let range = 300.0..=most.0 as f32 / 1_000.0;
            let response =
                whole_slider(ui, theme, &mut kbps, (range, 100.0), 2_500.0, &name, width);
            if response.changed() {
                let video_bitrate = BitsPerSecond(kbps as u32 * 1_000);
                wanted = Some(Quality { video_bitrate, ..now.clone() });
            }
            response.on_hover_text(&*texts.get("setting-bitrate-note"));
            if let Some((_, why)) = &limit {
                paragraph(ui, why, Type::Small, theme.secondary);
            }
        });
    });
    if let Some(quality) = wanted {
        view.send(Command::SetQuality(quality));
    }
}

/// Draws a label, and below it the common values, and the selected value if it is not a common one.
/// Returns the value that was pressed. A value that cannot be selected has a tooltip with the
/// reason.
fn one_of<T: Copy + PartialEq>(
    ui: &mut Ui,
    view: &View<'_>,
    name: &'static str,
    usual: &[T],
    chosen: T,
    text: impl Fn(T) -> String,
    why_not: impl Fn(T) -> Option<String>,
) -> Option<T> {
    let theme = view.theme;
    let name = view.texts.get(name);
    let mut pressed = None;
    label(ui, &name, Type::Figure, theme.secondary);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(2.0, 2.0);
        let other = Some(chosen).filter(|chosen| !usual.contains(chosen));
        for one in usual.iter().copied().chain(other) {
            let text = text(one);
            let button = Button::new(&text).small().weight(ButtonWeight::Quiet);
            let (of_it, why_not) = (format!("{name} {text}"), why_not(one));
            let enabled = ui.is_enabled() && why_not.is_none();
            let button = button.name(&of_it).enabled(enabled).selected(one == chosen);
            let response = button.show(ui, theme);
            if response.clicked() && enabled {
                pressed = Some(one);
            }
            if let Some(why) = why_not {
                response.on_hover_text(why);
            }
        }
    });
    pressed
}
