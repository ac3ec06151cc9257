//! A strip of the mixer: the parts common to both fader directions, and the strip with a horizontal
//! fader.

use egui::{
    Align, Color32, CornerRadius, Rect, Response, Sense, Ui, UiBuilder, Vec2, WidgetInfo, pos2,
    vec2,
};

use crate::mix::{self, StripId, StripLamp};
use crate::studio::Command;
use crate::studio::snapshot::{AudioSource, SourceState, StripView};
use crate::ui::studio_page::mixer::labels;
use crate::ui::studio_page::mixer::{clip_lamps, monitoring};
use crate::ui::style::icons::{self, Icon};
use crate::ui::style::theme::{CARD_RADIUS, Type, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{
    ButtonWeight, Levels, elided, icon_button, row_in, slider, weighted_icon_button,
};

/// The side length of the buttons.
pub(super) const BUTTON_SIDE_POINTS: f32 = 26.0;
/// The height of the line with the name.
const NAME_LINE_HEIGHT_POINTS: f32 = 22.0;
/// The largest distance of the controls from the top of a strip, in points. A taller panel must not
/// pull the meter and the fader apart.
const MAX_CONTROLS_TOP_POINTS: f32 = 72.0;
/// The widest number for a level.
const WIDEST_LEVEL_TEXT: &str = "−60.0\u{a0}dB";
/// The width of a lit clip lamp.
const CLIP_LAMP_WIDTH_POINTS: f32 = 44.0;

/// The responses of a drawn strip.
pub(super) struct StripParts {
    pub area: Response,
    /// The mute button, the fader and the settings button.
    pub controls: [Response; 3],
}

/// The displayed values and the settings of a strip.
pub(super) struct Strip {
    pub id: StripId,
    pub name: String,
    pub icon: Icon,
    /// The text of the level, or the reason why there is none.
    pub level: String,
    /// True if there is a problem.
    pub trouble: bool,
    pub levels: Levels,
    pub silent: Option<String>,
    pub clipped: bool,
    pub gain_db: f32,
    pub muted: bool,
    /// The tooltip of the name, with details.
    pub more: String,
    /// All settings of the strip; `None` if the strip is only the selected audio.
    pub set: Option<mix::Strip>,
}

impl Strip {
    /// Returns all strips. While there are fewer than two, returns a strip for the selected audio,
    /// if any.
    pub fn all(view: &View<'_>) -> Vec<Self> {
        let snapshot = view.snapshot;
        match &snapshot.audio {
            Some(audio) if snapshot.strips.len() < 2 => vec![Self::alone(view, audio)],
            _ => snapshot.strips.iter().map(|strip| Self::of(view, strip)).collect(),
        }
    }

    fn of(view: &View<'_>, strip: &StripView) -> Self {
        let (down, reading) = (is_down(strip.state), strip.meter);
        let level = match down {
            true => labels::state_of(view, strip.state, None).0,
            false => labels::level(view, strip),
        };
        Self {
            id: strip.audio.id,
            name: labels::label_of(view, strip),
            icon: labels::icon_of(&strip.audio.choice),
            level,
            trouble: down || labels::is_unheard(view, strip),
            levels: reading.into(),
            silent: labels::silent(view, strip).or_else(|| labels::unheard(view, strip)),
            clipped: reading.clipped,
            gain_db: strip.audio.strip.gain_db,
            muted: strip.audio.strip.muted,
            more: match labels::is_unheard(view, strip) {
                true => view.texts.get("strip-unheard-why").to_string(),
                false => String::new(),
            },
            set: Some(strip.audio.strip.clone()),
        }
    }

    fn alone(view: &View<'_>, audio: &AudioSource) -> Self {
        // Without selected audio, no source is opening.
        let none = audio.choice == crate::audio::AudioChoice::None;
        let state = if none { SourceState::Open } else { audio.state };
        let silent = labels::main_silent(view, audio);
        let main = view.snapshot.strips.iter().find(|strip| strip.audio.id == StripId::MAIN);
        let unheard = main.is_some_and(|strip| labels::is_unheard(view, strip));
        let words = match unheard {
            true => view.texts.get("strip-unheard-why").to_string(),
            false => labels::state_of(view, state, audio.drift_ppm).0,
        };
        let level = match state {
            SourceState::Open if unheard => view.texts.get("strip-unheard").to_string(),
            SourceState::Open => {
                silent.clone().unwrap_or_else(|| format::decibels(audio.peak_dbfs))
            }
            _ => words.clone(),
        };
        let label = |strip| labels::label_of(view, strip);
        Self {
            id: StripId::MAIN,
            name: main.map_or_else(|| labels::name_of(view, audio), label),
            icon: labels::icon_of(&audio.choice),
            level,
            trouble: is_down(state) || unheard,
            levels: labels::levels_of(audio),
            silent,
            clipped: audio.clipped,
            gain_db: audio.gain_db,
            muted: audio.muted,
            more: words,
            set: None,
        }
    }

    /// Returns the width that fits the strip's name and a level, for a horizontal or a vertical
    /// fader. Neither a changing level nor a problem changes this width.
    pub fn width(&self, ui: &Ui, upright: bool) -> f32 {
        let wide = |text: &str, kind: Type| {
            ui.painter().layout_no_wrap(text.to_owned(), kind.font(), Color32::PLACEHOLDER).size().x
        };
        if upright {
            return wide(&self.name, Type::Figure).ceil() + 2.0 * gap::S;
        }
        let level = wide(WIDEST_LEVEL_TEXT, Type::FigureStrong);
        let lamp = if self.clipped { CLIP_LAMP_WIDTH_POINTS + gap::XS } else { 0.0 };
        let name = wide(&self.name, Type::BodyStrong);
        (16.0 + name + lamp + level).ceil() + 4.0 * gap::S
    }

    /// Sets the gain and mute.
    pub fn set(&self, view: &mut View<'_>, gain_db: f32, muted: bool) {
        let id = self.id;
        match &self.set {
            Some(before) => {
                let strip = mix::Strip { gain_db, muted, ..before.clone() };
                view.send(Command::SetStrip { id, before: before.clone(), strip });
            }
            None if muted != self.muted => view.send(Command::SetMuted(muted)),
            None => view.send(Command::SetGain(gain_db)),
        }
    }

    /// Draws the mute button. Returns it, and the new mute state.
    pub fn mute(&self, ui: &mut Ui, view: &View<'_>) -> (Response, bool) {
        let (icon, weight, key) = match self.muted {
            true => (Icon::SpeakerOff, ButtonWeight::Warn, "unmute-of"),
            false => (Icon::Speaker, ButtonWeight::Quiet, "mute-of"),
        };
        let name = view.texts.with(key, &[("name", self.name.as_str().into())]);
        let button = weighted_icon_button(ui, view.theme, icon, &name, BUTTON_SIDE_POINTS, weight);
        let muted = button.clicked() != self.muted;
        (button, muted)
    }

    /// Draws the settings button.
    pub fn settings(&self, ui: &mut Ui, view: &View<'_>) -> Response {
        let name = view.texts.with("mixer-settings-of", &[("name", self.name.as_str().into())]);
        icon_button(ui, view.theme, Icon::Settings, &name, BUTTON_SIDE_POINTS)
    }

    /// Returns the accessible name of the fader.
    pub fn fader_name(&self, view: &View<'_>) -> String {
        view.texts.with("gain-of", &[("name", self.name.as_str().into())])
    }

    /// Returns the color of the level's text.
    pub fn color(&self, view: &View<'_>) -> Color32 {
        match (self.trouble, self.clipped) {
            (true, _) => view.theme.warn,
            (_, true) => view.theme.live,
            _ => view.theme.secondary,
        }
    }
}

fn is_down(state: SourceState) -> bool {
    matches!(state, SourceState::Stalled | SourceState::Lost | SourceState::Failed)
}

/// Creates the UI for a part of a strip.
pub(super) fn part(ui: &mut Ui, rect: Rect, salt: &str) -> Ui {
    let layout = egui::Layout::left_to_right(Align::Center);
    ui.new_child(UiBuilder::new().max_rect(rect).layout(layout).id_salt(salt))
}

/// Draws the icon, the name, and at the end of the line the level, after a lit clip lamp.
fn head(
    ui: &mut Ui,
    view: &mut View<'_>,
    line: Rect,
    (icon, name, more): (Icon, &str, &str),
    (level, color): (&str, Color32),
    lamp: Option<StripLamp>,
) {
    let theme = view.theme;
    let at = Rect::from_min_size(pos2(line.left(), line.center().y - 8.0), Vec2::splat(16.0));
    icons::paint(ui.painter(), icon, at, theme.secondary);
    // A state may be longer than a level. At least half of the line remains for the name.
    let half = line.with_min_x(line.center().x);
    let font = Type::FigureStrong.font();
    let whole = ui.painter().layout_no_wrap(level.to_owned(), font.clone(), color).size().x;
    let level_rect = elided(ui, half, Align::Max, level, font, color);
    let mut right = level_rect.left() - gap::S;
    if let Some(which) = lamp {
        let rect = line.with_min_x(right - CLIP_LAMP_WIDTH_POINTS).with_max_x(right);
        clip_lamps::lamp(ui, view, rect, name, which);
        right = rect.left() - gap::XS;
    }
    let words = line.with_min_x(at.right() + gap::S).with_max_x(right);
    elided(ui, words, Align::Min, name, Type::BodyStrong.font(), theme.text);
    let tip = if more.is_empty() { name.to_owned() } else { format!("{name}\n{more}") };
    ui.interact(words, ui.scope_id().with("name"), Sense::hover()).on_hover_text(tip);
    let response = ui.interact(level_rect, ui.scope_id().with("level"), Sense::hover());
    let of = view.texts.with("level-of", &[("name", name.into())]);
    response.widget_info(|| WidgetInfo {
        current_text_value: Some(level.to_owned()),
        ..WidgetInfo::labeled(egui::Role::Label, true, &of)
    });
    let meaning = view.texts.get("tip-level");
    response.on_hover_text(match whole > half.width() {
        true => format!("{level}\n{meaning}"),
        false => meaning.to_string(),
    });
}

/// Returns the three lines of a strip: its head, its meter, and its controls.
fn lines(rect: Rect) -> [Rect; 3] {
    let inner = rect.shrink2(vec2(gap::S, gap::XS));
    let line = |top: f32, height: f32| {
        Rect::from_min_size(inner.min + vec2(0.0, top), vec2(inner.width(), height))
    };
    [
        line(0.0, NAME_LINE_HEIGHT_POINTS),
        line(NAME_LINE_HEIGHT_POINTS + 6.0, 28.0),
        line((inner.height() - 28.0).min(MAX_CONTROLS_TOP_POINTS), 28.0),
    ]
}

/// Draws a strip with a horizontal fader.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, strip: &Strip, rect: Rect) -> StripParts {
    let theme = view.theme;
    let area = ui.interact(rect, ui.scope_id().with("strip"), Sense::CLICK);
    if ui.rect_contains_pointer(rect) {
        ui.painter().rect_filled(rect, CornerRadius::same(CARD_RADIUS), theme.raised);
    }
    let [first, second, third] = lines(rect);
    let lamp = strip.clipped.then_some(StripLamp::Strip(strip.id));
    let level = (strip.level.as_str(), strip.color(view));
    head(ui, view, first, (strip.icon, &strip.name, &strip.more), level, lamp);
    let mut bar = part(ui, second, "meter");
    let silent = strip.silent.clone();
    labels::meter_of(&mut bar, view, &strip.name, strip.levels, silent, second.width());
    let mut foot = row_in(ui, third, "foot", gap::XS);
    let (mute, muted) = strip.mute(&mut foot, view);
    let mut gain = strip.gain_db;
    let width = foot.available_width() - BUTTON_SIDE_POINTS - gap::S;
    let name = strip.fader_name(view);
    let moved = slider(&mut foot, theme, &mut gain, -60.0..=20.0, 0.0, &name, width);
    // The fader snaps to zero, which is the most common value.
    if moved.dragged() && gain.abs() < 0.6 {
        gain = 0.0;
    }
    let gain_text = format!("{}\u{a0}dB", format::signed(f64::from(strip.gain_db), 1, true));
    let moved = moved.on_hover_text(format!("{gain_text}\n{}", view.texts.get("tip-gain")));
    if muted != strip.muted || gain.to_bits() != strip.gain_db.to_bits() {
        strip.set(view, gain, muted);
    }
    let settings = strip.settings(&mut foot, view);
    StripParts { area, controls: [mute, moved, settings] }
}

/// Returns the text for the loudness of the program.
pub(super) fn loudness(view: &View<'_>) -> String {
    match view.snapshot.loudness.short_term_lufs {
        Some(lufs) => format!("{}\u{a0}LUFS", format::signed(f64::from(lufs), 1, false)),
        None => "–\u{a0}LUFS".to_owned(),
    }
}

/// Draws the program's strip: its loudness, its level, and the monitoring device.
pub(super) fn program(ui: &mut Ui, view: &mut View<'_>, rect: Rect) {
    let [first, second, third] = lines(rect);
    let reading = view.snapshot.loudness;
    let name = view.texts.get("mixer-program").to_string();
    let level = loudness(view);
    let color = if reading.clipped { view.theme.live } else { view.theme.secondary };
    let lamp = reading.clipped.then_some(StripLamp::Program);
    let tip = view.texts.get("tip-short-term").to_string();
    head(ui, view, first, (Icon::Broadcast, &name, &tip), (&level, color), lamp);
    let mut bar = part(ui, second, "meter");
    labels::meter_of(&mut bar, view, &name, reading.into(), None, second.width());
    // The icon is aligned with the left edge of the meter, as in the other strips.
    let edge = (BUTTON_SIDE_POINTS - 16.0) / 2.0 - gap::S;
    let foot_room = third.with_min_x(third.left() + edge);
    let mut foot = part(ui, foot_room, "foot");
    monitoring::button(&mut foot, view, foot_room.width(), true);
}
