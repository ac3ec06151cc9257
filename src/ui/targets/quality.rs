//! What goes out, in figures: the usual choices, bitrate and keyframes.

use std::time::Duration;

use egui::Ui;

use crate::media::{BitsPerSecond, FrameRate, Size};
use crate::studio::live::view::LiveState;
use crate::studio::{Adapt, Command, Quality};
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap};
use crate::ui::targets::audio_quality::figure_line;
use crate::ui::targets::{audio_quality, stream_delay};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, ButtonWeight, Select, label, menu_item, menu_rule, named_switch, paragraph, slider,
};

const fn fps(num: u32) -> FrameRate {
    match FrameRate::new(num, 1) {
        Some(rate) => rate,
        None => FrameRate::FPS_30,
    }
}

/// The usual choices.
const PRESETS: [(&str, &str, Size, FrameRate, u32); 4] = [
    (
        key!("quality-480p30"),
        key!("quality-480p30-second"),
        Size::new(854, 480),
        fps(30),
        1_200_000,
    ),
    (
        key!("quality-720p30"),
        key!("quality-720p30-second"),
        Size::new(1280, 720),
        fps(30),
        2_500_000,
    ),
    (
        key!("quality-720p60"),
        key!("quality-720p60-second"),
        Size::new(1280, 720),
        fps(60),
        4_500_000,
    ),
    (
        key!("quality-1080p30"),
        key!("quality-1080p30-second"),
        Size::new(1920, 1080),
        fps(30),
        4_500_000,
    ),
];

/// `720p · 30 fps · 2 500 kbps`.
pub fn quality_text(view: &View<'_>) -> String {
    let quality = &view.snapshot.quality;
    view.texts.with(
        "quality-line",
        &[
            ("size", format::size_name(quality.size).into()),
            ("rate", format::rate(quality.frame_rate).into()),
            ("bitrate", format::bitrate(quality.video_bitrate.0).into()),
        ],
    )
}

/// The choice of quality.
pub fn quality(ui: &mut Ui, view: &mut View<'_>, width: f32) {
    let (theme, texts) = (view.theme, view.texts);
    let now = view.snapshot.quality.clone();
    let idle = view.snapshot.live == LiveState::Idle;
    let mut wanted: Option<Quality> = None;
    let select = Select {
        name: &texts.get("quality"),
        chosen: &quality_text(view),
        width,
        enabled: true,
        close_on_click: false,
    };
    select.show(ui, theme, |ui| {
        for (title, second, size, frame_rate, bitrate) in PRESETS {
            let chosen = now.size == size && now.frame_rate == frame_rate;
            if menu_item(ui, theme, &texts.get(title), &texts.get(second), chosen, idle) {
                wanted = Some(Quality {
                    size,
                    frame_rate,
                    video_bitrate: BitsPerSecond(bitrate),
                    ..now.clone()
                });
            }
        }
        if !idle {
            egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
                paragraph(ui, &texts.get("quality-on-air"), Type::Small, theme.secondary);
            });
        }
        menu_rule(ui, theme);
        egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            let mut kbps = now.video_bitrate.0 as f32 / 1000.0;
            figure_line(ui, view, &texts.get("bitrate"), &format::bitrate(now.video_bitrate.0));
            let width = ui.available_width();
            let name = texts.get("bitrate");
            let response = slider(ui, theme, &mut kbps, 300.0..=12_000.0, 2_500.0, &name, width);
            if response.changed() {
                let step = (kbps / 100.0).round().clamp(3.0, 120.0) as u32;
                wanted =
                    Some(Quality { video_bitrate: BitsPerSecond(step * 100_000), ..now.clone() });
            }
            response.on_hover_text(&*texts.get("tip-bitrate"));
            ui.add_space(gap::XS);
            if let Some(adapt) = adaptation(ui, view, &now) {
                wanted = Some(adapt);
            }
            ui.add_space(gap::XS);
            stream_delay::choice(ui, view);
            ui.add_space(gap::XS);
            ui.add_enabled_ui(idle, |ui| {
                ui.horizontal(|ui| {
                    let name = texts.get("keyframe-every");
                    label(ui, &name, Type::Figure, theme.secondary)
                        .on_hover_text(&*texts.get("tip-keyframe"));
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        ui.spacing_mut().item_spacing.x = gap::XS;
                        for seconds in [4_u64, 2, 1] {
                            let text =
                                texts.with("seconds", &[("count", seconds.to_string().into())]);
                            let every = Duration::from_secs(seconds);
                            let pressed = Button::new(&text)
                                .small()
                                .look(ButtonWeight::Quiet)
                                .name(&format!("{name} {text}"))
                                .enabled(idle)
                                .selected(now.keyframe_interval == every)
                                .show(ui, theme)
                                .clicked();
                            if pressed {
                                wanted = Some(Quality { keyframe_interval: every, ..now.clone() });
                            }
                        }
                    });
                });
            });
            ui.add_space(gap::XS);
            if let Some(sound) = audio_quality::choice(ui, view, &now, idle) {
                wanted = Some(sound);
            }
        });
    });
    if let Some(quality) = wanted {
        view.send(Command::SetQuality(quality));
    }
}

/// Whose connection the bitrate follows, and how far down.
fn adaptation(ui: &mut Ui, view: &View<'_>, now: &Quality) -> Option<Quality> {
    let (theme, texts) = (view.theme, view.texts);
    let mut wanted = None;
    let name = texts.get("adapt");
    label(ui, &name, Type::Figure, theme.secondary).on_hover_text(&*texts.get("tip-adapt"));
    // In most languages too wide for one row.
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = gap::XS;
        let choices = [
            (Adapt::Slowest, key!("adapt-slowest")),
            (Adapt::First, key!("adapt-first")),
            (Adapt::SecondRendition, key!("adapt-rendition")),
            (Adapt::Off, key!("adapt-off")),
        ];
        for (adapt, text) in choices {
            let text = texts.get(text);
            let pressed = Button::new(&text)
                .small()
                .look(ButtonWeight::Quiet)
                .name(&format!("{name} {text}"))
                .selected(now.adapt == adapt)
                .show(ui, theme)
                .clicked();
            if pressed {
                wanted = Some(Quality { adapt, ..now.clone() });
            }
        }
    });
    if now.adapt != Adapt::Off {
        let name = texts.get("min-bitrate");
        figure_line(ui, view, &name, &format::bitrate(now.least_bitrate.0));
        let mut kbps = now.least_bitrate.0 as f32 / 1000.0;
        let width = ui.available_width();
        if slider(ui, theme, &mut kbps, 100.0..=3_000.0, 300.0, &name, width).changed() {
            let step = (kbps / 50.0).round().clamp(2.0, 60.0) as u32;
            wanted = Some(Quality { least_bitrate: BitsPerSecond(step * 50_000), ..now.clone() });
        }
        let wish = |ui: &mut Ui, name, tip, on| {
            named_switch(ui, theme, &texts.get(name), &texts.get(tip), Type::Small, on)
        };
        // With a second encode the main one is left as it is.
        let frames = now.adapt_frames;
        if now.adapt != Adapt::SecondRendition
            && wish(ui, key!("adapt-frames"), key!("tip-adapt-frames"), frames)
        {
            wanted = Some(Quality { adapt_frames: !frames, ..now.clone() });
        }
        if wish(ui, key!("adapt-size"), key!("tip-adapt-size"), now.adapt_size) {
            wanted = Some(Quality { adapt_size: !now.adapt_size, ..now.clone() });
        }
    }
    wanted
}
