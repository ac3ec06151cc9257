//! The mixer below the program. One strip has the whole room: name and state, meter with scale, gain,
//! level in figures, clip lamp, mute. Several stand side by side, each with name, level, meter, gain
//! and mute. All the rest is in the mixer.

pub mod clip_lamps;
pub mod labels;

use egui::{Align, Align2, Rect, ScrollArea, Sense, Ui, UiBuilder, Vec2, pos2, vec2};

use crate::audio::AudioChoice;
use crate::mix::{StripId, StripLamp};
use crate::studio::Command;
use crate::studio::snapshot::{AudioSource, SourceState, StripView};
use crate::ui::mixer::labels::{MixerSelection, choice_of, icon_of, label_of, name_of};
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, elided, icon_button, place, slider};

const NAME: f32 = 168.0;
const NUMBERS: f32 = 100.0;
const BUTTONS: f32 = 92.0;
const GAIN_VALUE: f32 = 72.0;
/// Side of the button that opens the mixer.
const MIXER_BUTTON: f32 = 26.0;
/// Widths of one of several strips.
const STRIP_MIN: f32 = 250.0;
const MAX_STRIP: f32 = 460.0;
/// Width of the program beside them.
const PROGRAM: f32 = 88.0;
/// Width of a strip's clip lamp, while it is lit.
const CLIP_LAMP_WIDTH: f32 = 52.0;

/// The mixer in `room`, [`MIXER`](crate::ui::style::theme::size::MIXER) high; whether the mixer was asked for.
pub fn show(ui: &mut Ui, view: &mut View<'_>, room: Rect) -> bool {
    let theme = view.theme;
    ui.painter().hline(room.x_range(), room.top() + 0.5, theme.border());
    let mut inner = room.shrink2(vec2(gap::L, 20.0));
    if view.snapshot.strips.len() > 1 {
        let end = Rect::from_min_max(pos2(inner.right() - PROGRAM, inner.top()), inner.max);
        inner.max.x = end.left() - gap::L;
        let mixer_asked = strips(ui, view, inner);
        let mut child = ui.new_child(UiBuilder::new().max_rect(end).id_salt("program"));
        clip_lamps::program(&mut child, view, end);
        return mixer_asked;
    }
    let Some(audio) = view.snapshot.audio.as_ref() else {
        let text = view.texts.get("no-microphone-title");
        elided(ui, inner, Align::Min, &text, Type::Body.font(), theme.secondary);
        return false;
    };
    let name = Rect::from_min_size(inner.min, vec2(NAME, inner.height()));
    let buttons = Rect::from_min_max(pos2(inner.right() - BUTTONS, inner.top()), inner.max);
    let numbers = Rect::from_min_max(
        pos2(buttons.left() - gap::L - NUMBERS, inner.top()),
        pos2(buttons.left() - gap::L, inner.bottom()),
    );
    let middle = Rect::from_min_max(
        pos2(name.right() + gap::L, inner.top()),
        pos2(numbers.left() - gap::L, inner.bottom()),
    );
    identity(ui, view, audio, name);
    level(ui, view, audio, middle);
    figures(ui, view, audio, numbers);
    lamps(ui, view, audio, buttons);
    let corner = pos2(name.right() - MIXER_BUTTON, name.top() - 2.0);
    mixer_button(ui, view, StripId::MAIN, Rect::from_min_size(corner, Vec2::splat(MIXER_BUTTON)))
}

/// Opens the mixer at a strip; whether it was pressed.
fn mixer_button(ui: &mut Ui, view: &View<'_>, strip: StripId, rect: Rect) -> bool {
    let mut child = ui.new_child(UiBuilder::new().max_rect(rect).id_salt(("mixer", strip.0)));
    let name = view.texts.get("action-mixer");
    let pressed = icon_button(
        &mut child,
        view.theme,
        Icon::Settings,
        &name,
        rect.width(),
        ButtonWeight::Quiet,
    )
    .clicked();
    if pressed {
        MixerSelection { strip, filter: 0 }.set(ui.ctx());
    }
    pressed
}

/// Several strips side by side; whether the mixer was asked for.
fn strips(ui: &mut Ui, view: &mut View<'_>, room: Rect) -> bool {
    let count = view.snapshot.strips.len() as f32;
    // Whole points: a hair more than there is room for would bring a scroll bar.
    let width = ((room.width() - gap::L * (count - 1.0)) / count).floor();
    let width = width.clamp(STRIP_MIN, MAX_STRIP);
    let mut mixer_asked = false;
    let mut child = ui.new_child(UiBuilder::new().max_rect(room).id_salt("strips"));
    ScrollArea::horizontal().id_salt("strips").show(&mut child, |ui| {
        ui.spacing_mut().item_spacing.x = gap::L;
        ui.horizontal_top(|ui| {
            for strip in &view.snapshot.strips {
                let (rect, _) = ui.allocate_exact_size(vec2(width, 88.0), Sense::hover());
                // Not a scope, which would take room of its own.
                let builder = UiBuilder::new().max_rect(rect).id_salt(("strip", strip.sound.id.0));
                mixer_asked |= column(&mut ui.new_child(builder), view, strip, rect);
            }
        });
    });
    mixer_asked
}

/// One of several strips.
fn column(ui: &mut Ui, view: &mut View<'_>, strip: &StripView, rect: Rect) -> bool {
    let theme = view.theme;
    let name = label_of(view, strip);
    let sound = &strip.sound;
    let at = Rect::from_min_size(rect.min + vec2(0.0, 1.0), Vec2::splat(16.0));
    icons::paint(ui.painter(), icon_of(choice_of(view, strip)), at, theme.text);
    let lamp = Rect::from_min_max(
        rect.right_top() + vec2(-84.0 - CLIP_LAMP_WIDTH, -2.0),
        rect.right_top() + vec2(-84.0, 20.0),
    );
    let lit = strip.meter.clipped;
    let right = if lit { lamp.left() - gap::XS } else { lamp.right() };
    let head = Rect::from_min_max(rect.min + vec2(24.0, 0.0), pos2(right, rect.top() + 18.0));
    if lit {
        clip_lamps::lamp(ui, view, lamp, Some(&name), StripLamp::Strip(sound.id), lit);
    }
    elided(ui, head, Align::Min, &name, Type::BodyStrong.font(), theme.text);
    let level = labels::level(view, strip);
    let color = if lit { theme.live } else { theme.secondary };
    let end = pos2(rect.right(), head.center().y);
    place(ui, end, Align2::RIGHT_CENTER, &level, Type::FigureStrong, color);

    let row = Rect::from_min_size(rect.min + vec2(0.0, 24.0), vec2(rect.width(), 34.0));
    let mut bar = ui.new_child(UiBuilder::new().max_rect(row).id_salt("meter"));
    let reading = strip.meter;
    let levels = (reading.peak_dbfs, reading.held_dbfs, reading.rms_dbfs);
    let silent = labels::silent(view, strip);
    labels::meter_of(&mut bar, view, &name, levels, silent, rect.width());

    let foot = Rect::from_min_max(pos2(rect.left(), rect.top() + 62.0), rect.max);
    let mut fader = ui.new_child(UiBuilder::new().max_rect(foot).id_salt("gain"));
    let mut after = sound.strip.clone();
    let of = view.texts.with("gain-of", &[("name", name.as_str().into())]);
    let width = rect.width() - 2.0 * MIXER_BUTTON - gap::S;
    slider(&mut fader, theme, &mut after.gain_db, -60.0..=20.0, 0.0, &of, width)
        .on_hover_text(&*view.texts.get("tip-gain"));
    let at = pos2(rect.right() - 2.0 * MIXER_BUTTON - 2.0, foot.top() - 2.0);
    let place = Rect::from_min_size(at, Vec2::splat(MIXER_BUTTON));
    let mut button = ui.new_child(UiBuilder::new().max_rect(place).id_salt("mute"));
    let icon = if after.muted { Icon::SpeakerOff } else { Icon::Speaker };
    let key = if after.muted { "unmute-of" } else { "mute-of" };
    let of = view.texts.with(key, &[("name", name.as_str().into())]);
    let look = if after.muted { ButtonWeight::Warn } else { ButtonWeight::Quiet };
    if icon_button(&mut button, theme, icon, &of, MIXER_BUTTON, look).clicked() {
        after.muted = !after.muted;
    }
    if after != sound.strip {
        view.send(Command::SetStrip { id: sound.id, strip: after });
    }
    let at = pos2(rect.right() - MIXER_BUTTON, foot.top() - 2.0);
    mixer_button(ui, view, sound.id, Rect::from_min_size(at, Vec2::splat(MIXER_BUTTON)))
}

fn identity(ui: &Ui, view: &View<'_>, audio: &AudioSource, rect: Rect) {
    let theme = view.theme;
    let icon = icon_of(&audio.choice);
    let at = Rect::from_min_size(rect.min + vec2(0.0, 2.0), Vec2::splat(18.0));
    icons::paint(ui.painter(), icon, at, theme.text);
    let line = |y: f32, height: f32| {
        Rect::from_min_size(
            pos2(rect.left() + 28.0, rect.top() + y),
            vec2(rect.width() - 28.0, height),
        )
    };
    // The mixer's button stands at its end.
    let mut first = line(0.0, 22.0);
    first.max.x -= MIXER_BUTTON + gap::XS;
    let name = name_of(view, audio);
    elided(ui, first, Align::Min, &name, Type::BodyStrong.font(), theme.text);
    // Where no sound was chosen none is on its way.
    let none = audio.choice == AudioChoice::None;
    let state = if none { SourceState::Open } else { audio.state };
    let (text, color) = labels::state_of(view, state, audio.drift_ppm);
    elided(ui, line(22.0, 16.0), Align::Min, &text, Type::Small.font(), color);
    if audio.drift_ppm.is_some() {
        ui.interact(line(22.0, 16.0), ui.scope_id().with("drift"), Sense::hover())
            .on_hover_text(&*view.texts.get("tip-drift"));
    }
    // Beside the slider, which has its own row.
    let label = line(58.0, 20.0);
    elided(ui, label, Align::Min, &view.texts.get("gain"), Type::Small.font(), theme.secondary);
}

fn level(ui: &mut Ui, view: &mut View<'_>, audio: &AudioSource, rect: Rect) {
    let theme = view.theme;
    let name = name_of(view, audio);
    let mut upper = ui.new_child(UiBuilder::new().max_rect(rect).id_salt("meter"));
    upper.add_space(3.0);
    let levels = (audio.peak_dbfs, audio.held_dbfs, audio.rms_dbfs);
    let silent = labels::main_silent(view, audio);
    labels::meter_of(&mut upper, view, &name, levels, silent, rect.width());

    let row = Rect::from_min_max(
        pos2(rect.left(), rect.top() + 58.0),
        pos2(rect.right(), rect.top() + 78.0),
    );
    let mut lower = ui.new_child(UiBuilder::new().max_rect(row).id_salt("gain"));
    let mut gain = audio.gain_db;
    let gain_name = view.texts.with("gain-of", &[("name", name.into())]);
    let width = rect.width() - GAIN_VALUE;
    let response = slider(&mut lower, theme, &mut gain, -60.0..=20.0, 0.0, &gain_name, width)
        .on_hover_text(&*view.texts.get("tip-gain"));
    if response.changed() {
        // Zero is where most people want to be: it holds a little.
        let gain = if gain.abs() < 0.6 && response.dragged() { 0.0 } else { gain };
        view.send(Command::SetGain(gain));
    }
    let text = format!("{}\u{a0}dB", format::signed(f64::from(audio.gain_db), 1, true));
    place(ui, row.right_center(), Align2::RIGHT_CENTER, &text, Type::FigureStrong, theme.text);
}

fn figures(ui: &Ui, view: &View<'_>, audio: &AudioSource, rect: Rect) {
    let theme = view.theme;
    let silent = labels::main_silent(view, audio);
    let muted = silent.is_some();
    let (kind, color) =
        if muted { (Type::Title, theme.secondary) } else { (Type::Key, theme.text) };
    let text = silent.unwrap_or_else(|| format::decibels(audio.peak_dbfs));
    let top = Rect::from_min_size(rect.min, vec2(rect.width(), 28.0));
    elided(ui, top, Align::Max, &text, kind.font(), color);
    let held = format::decibels(if muted { f32::NEG_INFINITY } else { audio.held_dbfs });
    let held = view.texts.with("peak-hold", &[("value", held.into())]);
    let below = Rect::from_min_size(rect.min + vec2(0.0, 28.0), vec2(rect.width(), 18.0));
    elided(ui, below, Align::Max, &held, Type::Small.font(), theme.secondary);
    ui.interact(below, ui.scope_id().with("peak-hold"), Sense::hover())
        .on_hover_text(&*view.texts.get("tip-peak-hold"));
    ui.interact(top, ui.scope_id().with("peak"), Sense::hover())
        .on_hover_text(&*view.texts.get("tip-level"));
}

fn lamps(ui: &mut Ui, view: &mut View<'_>, audio: &AudioSource, rect: Rect) {
    let theme = view.theme;
    // With one strip its lamp is the program's too.
    let lit = audio.clipped || view.snapshot.loudness.clipped;
    let lamp = Rect::from_min_size(rect.min, vec2(rect.width(), clip_lamps::HEIGHT));
    clip_lamps::lamp(ui, view, lamp, None, StripLamp::All, lit);

    let below = Rect::from_min_max(
        pos2(rect.left(), rect.top() + 50.0),
        pos2(rect.right(), rect.top() + 84.0),
    );
    let mut child = ui.new_child(UiBuilder::new().max_rect(below).id_salt("mute"));
    let (icon, look) = if audio.muted {
        (Icon::SpeakerOff, ButtonWeight::Warn)
    } else {
        (Icon::Speaker, ButtonWeight::Plain)
    };
    let text = view.texts.get(if audio.muted { "muted" } else { "mute" });
    let name = view.texts.get(if audio.muted { "unmute" } else { "mute" });
    let pressed = Button::new(&text)
        .name(&name)
        .icon(icon)
        .look(look)
        .kind(Type::FigureStrong)
        .width(rect.width())
        .show(&mut child, theme)
        .on_hover_text(format!("{name} (M)"))
        .clicked();
    if pressed {
        view.send(Command::SetMuted(!audio.muted));
    }
}

/// Names chosen by state, for the test of texts.
const _: [&str; 2] = {
    use crate::ui::input::actions::key;
    [key!("unmute"), key!("mute")]
};
