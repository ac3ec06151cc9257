//! The output settings that few change: adaptive bitrate, stream delay, keyframe interval and audio format,
//! each with its usual value.

use std::time::Duration;

use egui::{Align, Layout, Ui};

use crate::media::BitsPerSecond;
use crate::studio::live::view::LiveState;
use crate::studio::{Adapt, Command, Quality};
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Button, label, named_switch, paragraph, slider};

/// The usual delays in seconds; others are in the settings file and on the command line.
const DELAYS: [u64; 7] = [0, 10, 30, 120, 300, 900, 1_800];
/// Kilobits a second of the audio encoder.
const MIN_AUDIO_KBPS: f32 = 32.0;
const MAX_AUDIO_KBPS: f32 = 320.0;
/// AAC has room for no more in one channel at 44.1 kHz.
const MAX_MONO_KBPS: f32 = 256.0;
const AUDIO_STEP: f32 = 16.0;

/// The page, as high as it needs to be.
pub fn output_page(ui: &mut Ui, view: &mut View<'_>) {
    let now = view.snapshot.quality.clone();
    let idle = view.snapshot.live == LiveState::Idle;
    let wanted = ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = gap::XS;
        let adapted = adaptation(ui, view, &now);
        delay(ui, view);
        if !idle {
            paragraph(ui, &view.texts.get("output-next"), Type::Small, view.theme.secondary);
        }
        let encoded =
            ui.add_enabled_ui(idle, |ui| keyframes(ui, view, &now).or(audio(ui, view, &now)));
        adapted.or(encoded.inner)
    });
    if let Some(quality) = wanted.inner {
        view.send(Command::SetQuality(quality));
    }
}

/// The name of a setting, and at the end of the line its value or what is usual.
fn named(ui: &mut Ui, view: &View<'_>, name: &str, tip: &'static str, usual: &str) {
    ui.add_space(gap::S);
    let (theme, texts) = (view.theme, view.texts);
    ui.horizontal(|ui| {
        let said = label(ui, name, Type::BodyStrong, theme.text);
        if !tip.is_empty() {
            said.on_hover_text(&*texts.get(tip));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let usual = texts.with("output-usual", &[("value", usual.to_owned().into())]);
            label(ui, &usual, Type::Small, theme.secondary);
        });
    });
}

/// A few beside each other, of which one is chosen; gives the one that was pressed.
fn one_of<T: Copy + PartialEq>(
    ui: &mut Ui,
    view: &View<'_>,
    name: &str,
    all: &[(T, String)],
    chosen: T,
) -> Option<T> {
    let mut pressed = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(gap::XS, gap::XS);
        for (one, text) in all {
            let of_it = format!("{name} {text}");
            let enabled = ui.is_enabled();
            let button = Button::new(text).small().name(&of_it).enabled(enabled);
            if button.selected(*one == chosen).show(ui, view.theme).clicked() {
                pressed = Some(*one);
            }
        }
    });
    pressed
}

/// A slider with its value behind it, in kilobits a second; gives what it was moved to, in whole steps.
fn kilobits(
    ui: &mut Ui,
    view: &View<'_>,
    name: &str,
    now: BitsPerSecond,
    (range, rest, step): (std::ops::RangeInclusive<f32>, f32, f32),
) -> Option<BitsPerSecond> {
    let mut kbps = now.0 as f32 / 1_000.0;
    let moved = ui.horizontal(|ui| {
        let width = ui.available_width() - 90.0;
        let (least, most) = (*range.start(), *range.end());
        let moved = slider(ui, view.theme, &mut kbps, range, rest, name, width).changed();
        label(ui, &format::bitrate(now.0), Type::FigureStrong, view.theme.text);
        moved.then(|| ((kbps / step).round() * step).clamp(least, most) as u32)
    });
    moved.inner.filter(|_| ui.is_enabled()).map(|kbps| BitsPerSecond(kbps * 1_000))
}

/// Whose connection the bitrate follows, and how far down.
fn adaptation(ui: &mut Ui, view: &View<'_>, now: &Quality) -> Option<Quality> {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("adapt");
    named(ui, view, &name, key!("tip-adapt"), &texts.get("adapt-slowest"));
    let all = [
        (Adapt::Slowest, key!("adapt-slowest")),
        (Adapt::First, key!("adapt-first")),
        (Adapt::SecondRendition, key!("adapt-rendition")),
        (Adapt::Off, key!("adapt-off")),
    ]
    .map(|(adapt, text)| (adapt, texts.get(text).to_string()));
    let chosen = one_of(ui, view, &name, &all, now.adapt);
    let mut wanted = chosen.map(|adapt| Quality { adapt, ..now.clone() });
    if now.adapt == Adapt::Off {
        return wanted;
    }
    let name = texts.get("min-bitrate");
    named(ui, view, &name, "", &format::bitrate(Quality::default().least_bitrate.0));
    let range = (100.0..=3_000.0, 300.0, 50.0);
    if let Some(least_bitrate) = kilobits(ui, view, &name, now.least_bitrate, range) {
        wanted = Some(Quality { least_bitrate, ..now.clone() });
    }
    let wish = |ui: &mut Ui, name, tip, on| {
        named_switch(ui, theme, &texts.get(name), &texts.get(tip), Type::Body, on)
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
    wanted
}

/// How much later viewers see the stream.
fn delay(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("delay");
    let none = texts.get("delay-none");
    named(ui, view, &name, key!("tip-delay"), &none);
    let all = DELAYS.map(|seconds| {
        let delay = Duration::from_secs(seconds);
        (delay, if delay.is_zero() { none.to_string() } else { format::minutes(delay) })
    });
    if let Some(delay) = one_of(ui, view, &name, &all, view.snapshot.delay) {
        view.send(Command::SetDelay(delay));
    }
    let held = view.snapshot.held.is_some();
    if view.snapshot.live != LiveState::Idle && held == view.snapshot.delay.is_zero() {
        paragraph(ui, &texts.get("delay-next"), Type::Small, theme.secondary);
    }
}

fn keyframes(ui: &mut Ui, view: &View<'_>, now: &Quality) -> Option<Quality> {
    let texts = view.texts;
    let name = texts.get("keyframe-every");
    let seconds = |count: u64| texts.with("seconds", &[("count", count.to_string().into())]);
    named(ui, view, &name, key!("tip-keyframe"), &seconds(2));
    let all = [1, 2, 4].map(|count| (Duration::from_secs(count), seconds(count)));
    let every = one_of(ui, view, &name, &all, now.keyframe_interval)?;
    Some(Quality { keyframe_interval: every, ..now.clone() })
}

/// Bitrate, sample rate and channels of the audio.
fn audio(ui: &mut Ui, view: &View<'_>, now: &Quality) -> Option<Quality> {
    let texts = view.texts;
    let mut wanted = None;
    let most = |channels| if channels == 1 { MAX_MONO_KBPS } else { MAX_AUDIO_KBPS };
    let name = texts.get("audio-bitrate");
    named(
        ui,
        view,
        &name,
        key!("tip-audio-bitrate"),
        &format::bitrate(Quality::default().audio_bitrate.0),
    );
    let range = (MIN_AUDIO_KBPS..=most(now.channels), 128.0, AUDIO_STEP);
    if let Some(audio_bitrate) = kilobits(ui, view, &name, now.audio_bitrate, range) {
        wanted = Some(Quality { audio_bitrate, ..now.clone() });
    }
    let khz = |text: &str| format!("{text}\u{a0}kHz");
    let name = texts.get("sample-rate");
    named(ui, view, &name, "", &khz("48"));
    let rates = [(44_100, khz("44.1")), (48_000, khz("48"))];
    if let Some(sample_rate) = one_of(ui, view, &name, &rates, now.sample_rate) {
        wanted = Some(Quality { sample_rate, ..now.clone() });
    }
    let name = texts.get("channels");
    let stereo = texts.get("channels-stereo").to_string();
    named(ui, view, &name, "", &stereo);
    let ways = [(1, texts.get("channels-mono").to_string()), (2, stereo)];
    if let Some(channels) = one_of(ui, view, &name, &ways, now.channels) {
        let most = BitsPerSecond(most(channels) as u32 * 1_000);
        let audio_bitrate = now.audio_bitrate.min(most);
        wanted = Some(Quality { channels, audio_bitrate, ..now.clone() });
    }
    wanted
}
