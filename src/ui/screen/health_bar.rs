//! The health bar under the top bar. The bar shows the activity and its duration, the health
//! sentence with its cause, the remedy button, and the number of other notices.

use egui::{
    Align, Align2, Color32, CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo,
    pos2, vec2,
};

use crate::studio::notices::health::{Activity, Health};
use crate::studio::{Level, Remedy};
use crate::ui::input::actions::key;
use crate::ui::notices::remedy_name;
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{BORDER_WIDTH, CONTROL_RADIUS, Type, gap, size};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, Wrapped, elided, focus_ring, row_in};

/// The gap between the sentence and its cause, in points.
const CAUSE_GAP_POINTS: f32 = 8.0;
/// The activities that the bar shows with their duration.
const TIMED_ACTIVITIES: [Activity; 5] = [
    Activity::OnAir,
    Activity::Reconnecting,
    Activity::Recording,
    Activity::RecordingPaused,
    Activity::Stopping,
];
/// The place of the word in the pill, after its mark.
const PILL_WORD_LEFT_POINTS: f32 = 28.0;
/// The gap between the duration and the end of the pill.
const PILL_END_GAP_POINTS: f32 = 10.0;

/// The control that was pressed in the bar.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum HealthBarClick {
    /// The remedy button.
    Help(Remedy),
    /// The number of other notices, or the sentence.
    Notices,
}

/// Draws the bar. `inset` is the width at the right end that is reserved for other controls.
pub fn show(ui: &mut Ui, view: &View<'_>, room: Rect, inset: f32) -> Option<HealthBarClick> {
    let (theme, health) = (view.theme, view.health);
    let trouble = health.is_trouble();
    let line = if trouble {
        ui.painter().rect_filled(room, CornerRadius::ZERO, theme.warn_tint);
        Stroke::new(BORDER_WIDTH, theme.warn_line())
    } else {
        theme.border()
    };
    if trouble {
        ui.painter().hline(room.x_range(), room.top() - 0.5, line);
    }
    ui.painter().hline(room.x_range(), room.bottom() - 0.5, line);

    let status = PillText::of(view);
    let texts = button_texts(view);
    let [place, words, buttons_room] = parts(ui, view, &status, &texts, room, inset);
    pill(ui, view, &status, place);
    let asked = sentence(ui, view, health, words);
    let pressed = buttons(ui, view, &texts, buttons_room.shrink2(vec2(0.0, 6.0)));
    pressed.or(asked.then_some(HealthBarClick::Notices))
}

/// Returns true if the sentence and its cause fit in one line beside other controls with this
/// `inset`.
pub fn fits(ui: &Ui, view: &View<'_>, room: Rect, inset: f32) -> bool {
    let (sentence, beside) = view.health.words(view.texts.language());
    let [_, words, _] = parts(ui, view, &PillText::of(view), &button_texts(view), room, inset);
    line_width(ui, &sentence, &beside) <= words.width()
}

/// Returns the places of the pill, of the sentence and of the buttons.
fn parts(
    ui: &Ui,
    view: &View<'_>,
    status: &PillText,
    texts: &[Option<String>],
    room: Rect,
    inset: f32,
) -> [Rect; 3] {
    let left = pos2(room.left() + gap::M, room.center().y);
    let size = vec2(status.width(ui, view), size::SMALL_CONTROL_HEIGHT);
    let pill = Align2::LEFT_CENTER.anchor_size(left, size);
    let right = room.right() - inset - gap::M;
    let buttons = room.with_max_x(right).with_min_x(right - width_of(ui, texts));
    let words = room.with_min_x(pill.right() + gap::M).with_max_x(buttons.left() - gap::M);
    [pill, words, buttons]
}

fn text_width(ui: &Ui, text: &str, kind: Type) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), kind.font(), Color32::PLACEHOLDER).size().x
}

/// The texts of the pill.
struct PillText {
    word: String,
    /// The duration of the activity.
    time: Option<String>,
    /// True if the stream cannot start, or can start although there is a problem.
    warns: bool,
}

impl PillText {
    fn of(view: &View<'_>) -> Self {
        let (activity, figures) = (view.health.activity, &view.snapshot.figures);
        let warns = activity == Activity::NotReady
            || (activity == Activity::Ready && view.health.is_trouble());
        let time = match activity {
            Activity::OnAir | Activity::Reconnecting | Activity::Stopping if figures.was_live() => {
                Some(figures.on_air_for)
            }
            Activity::Recording | Activity::RecordingPaused => {
                view.snapshot.recording.as_ref().map(|recording| recording.duration)
            }
            _ => None,
        };
        let word = match activity {
            // Beside a problem, "Ready" would contradict the sentence.
            Activity::Ready if warns => view.texts.get("activity-off-air").to_uppercase(),
            _ => view.texts.say(&activity.problem()).to_uppercase(),
        };
        Self { word, time: time.map(format::clock), warns }
    }

    /// Returns the width of the pill. Where there is room, all states have one width, so that the
    /// sentence begins at the same place.
    fn width(&self, ui: &Ui, view: &View<'_>) -> f32 {
        let needed = |word: &str, time: Option<&str>| {
            let time =
                time.map_or(0.0, |time| text_width(ui, time, Type::Timer) + PILL_END_GAP_POINTS);
            PILL_WORD_LEFT_POINTS + text_width(ui, word, Type::Pill) + gap::M + time
        };
        let own = needed(&self.word, self.time.as_deref());
        if self.time.is_none() && ui.ctx().content_rect().width() < size::NARROW_WINDOW_WIDTH {
            return own;
        }
        let usual = TIMED_ACTIVITIES.map(|activity| {
            needed(&view.texts.say(&activity.problem()).to_uppercase(), Some("00:00:00"))
        });
        usual.into_iter().fold(own, f32::max)
    }
}

/// Draws the activity and its duration.
fn pill(ui: &Ui, view: &View<'_>, PillText { word, time, warns }: &PillText, place: Rect) {
    let (theme, activity) = (view.theme, view.health.activity);
    let (fill, border, text) = match activity {
        Activity::OnAir => (theme.live_fill, theme.live_fill, Color32::WHITE),
        Activity::Ready if !*warns => {
            (Color32::TRANSPARENT, theme.good.gamma_multiply(0.5), theme.good)
        }
        Activity::Connecting => (Color32::TRANSPARENT, theme.line, theme.accent),
        Activity::Ready | Activity::Reconnecting | Activity::NotReady => {
            (Color32::TRANSPARENT, theme.warn_line(), theme.warn)
        }
        Activity::Recording => (Color32::TRANSPARENT, theme.live, theme.live),
        Activity::RecordingPaused | Activity::Stopping => {
            (Color32::TRANSPARENT, theme.line, theme.secondary)
        }
    };
    let (radius, border) = (CornerRadius::same(CONTROL_RADIUS), Stroke::new(BORDER_WIDTH, border));
    ui.painter().rect(place, radius, fill, border, StrokeKind::Inside);
    let y = place.center().y;
    let dot = pos2(place.left() + 15.0, y);
    match warns {
        true => {
            icons::paint_at(ui.painter(), Icon::Warning, dot, 14.0, text);
        }
        false => {
            ui.painter().circle_filled(dot, 4.5, text);
        }
    }
    let at = pos2(place.left() + PILL_WORD_LEFT_POINTS, y);
    ui.painter().text(at, Align2::LEFT_CENTER, word, Type::Pill.font(), text);
    if let Some(time) = time {
        let color = if activity == Activity::OnAir { Color32::WHITE } else { theme.text };
        let at = pos2(place.right() - PILL_END_GAP_POINTS, y);
        ui.painter().text(at, Align2::RIGHT_CENTER, time, Type::Timer.font(), color);
    }
    let response = ui.interact(place, ui.scope_id().with("activity"), Sense::hover());
    response.widget_info(|| {
        let name = format!("{word} {}", time.as_deref().unwrap_or(""));
        WidgetInfo::labeled(Role::Status, true, name.trim_end())
    });
    if time.is_some() && activity != Activity::Recording {
        response.on_hover_text(&*view.texts.get("tip-on-air-time"));
    }
}

/// Returns the texts of the buttons at the right end: the remedy, and the number of other notices.
fn button_texts(view: &View<'_>) -> [Option<String>; 2] {
    let health = view.health;
    let remedy = health.remedy.map(|remedy| remedy_name(view.texts, remedy));
    let key = match remedy.is_some() || health.level > Some(Level::Info) {
        true => key!("health-more"),
        false => key!("health-notices"),
    };
    let more = (health.more > 0).then(|| view.texts.counted(key, health.more));
    [remedy, more]
}

/// Returns the width of buttons with these texts.
fn width_of(ui: &Ui, texts: &[Option<String>]) -> f32 {
    let width = |text: &String| text_width(ui, text, Type::FigureStrong) + 2.0 * gap::M;
    let widths = texts.iter().flatten().map(width);
    widths.reduce(|all, width| all + gap::S + width).unwrap_or_default()
}

/// Draws the buttons at the right end. Returns the pressed one.
fn buttons(
    ui: &mut Ui,
    view: &View<'_>,
    [remedy, more]: &[Option<String>; 2],
    room: Rect,
) -> Option<HealthBarClick> {
    let mut bar = row_in(ui, room, "health-buttons", gap::S);
    let mut button = |text: &str, weight| {
        Button::new(text).small().weight(weight).show(&mut bar, view.theme).clicked()
    };
    let mut pressed = None;
    if remedy.as_ref().is_some_and(|text| button(text, ButtonWeight::Primary)) {
        pressed = view.health.remedy.map(HealthBarClick::Help);
    }
    if more.as_ref().is_some_and(|text| button(text, ButtonWeight::Raised)) {
        pressed = Some(HealthBarClick::Notices);
    }
    pressed
}

/// Returns the width of the sentence and its cause in one line.
fn line_width(ui: &Ui, sentence: &str, beside: &str) -> f32 {
    let sentence = text_width(ui, sentence, Type::Sentence);
    match beside {
        "" => sentence,
        beside => sentence + CAUSE_GAP_POINTS + text_width(ui, beside, Type::Figure),
    }
}

/// Draws the sentence with its cause. The cause gets a second line if one line is too short for both.
/// A sentence that is too long for one line gets both lines. Returns true if the sentence was pressed.
fn sentence(ui: &Ui, view: &View<'_>, health: &Health, room: Rect) -> bool {
    let theme = view.theme;
    let (sentence, beside) = health.words(view.texts.language());
    let in_one_line = beside.is_empty() || line_width(ui, &sentence, &beside) <= room.width();
    let width = room.width();
    let first = if in_one_line { room } else { room.with_max_y(room.center().y + 1.0) };
    let is_long = text_width(ui, &sentence, Type::Small) > width;
    let sentence_rect = if is_long {
        let (small, color, height) = (Type::Small, theme.text, room.height());
        let lines = Wrapped::new(ui, &sentence, small, color, width, height, Align::Min);
        lines.paint(ui, pos2(room.left(), room.center().y - lines.height() / 2.0))
    } else {
        let is_wide = text_width(ui, &sentence, Type::Sentence) > width;
        let kind = if is_wide { Type::Small } else { Type::Sentence };
        elided(ui, first, Align::Min, &sentence, kind.font(), theme.text)
    };
    let response = ui.interact(sentence_rect, ui.scope_id().with("sentence"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, &sentence));
    focus_ring(ui, theme, &response, CONTROL_RADIUS);
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_live(egui::accesskit::Live::Polite);
    });
    let cure = view.texts.cure(&health.sentence).filter(|cure| *cure != beside);
    let whole: Vec<&str> = [Some(&sentence), Some(&beside), cure.as_ref()]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .filter(|text| !text.is_empty())
        .collect();
    let whole = whole.join("\n");
    let mut pressed = response.on_hover_text(&whole).clicked();
    let (rest, kind) = match in_one_line {
        true => (room.with_min_x(sentence_rect.right() + CAUSE_GAP_POINTS), Type::Figure),
        false => (room.with_min_y(room.center().y), Type::Small),
    };
    if is_long && !beside.is_empty() {
        // The cause is in the tooltip, and a screen reader reads it.
        let none = Rect::from_min_size(sentence_rect.right_bottom(), vec2(0.0, 0.0));
        let response = ui.interact(none, ui.scope_id().with("beside"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &beside));
    } else if !beside.is_empty() {
        let cause_rect = elided(ui, rest, Align::Min, &beside, kind.font(), theme.secondary);
        let response = ui.interact(cause_rect, ui.scope_id().with("beside"), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &beside));
        focus_ring(ui, theme, &response, CONTROL_RADIUS);
        pressed |= response.on_hover_text(&whole).clicked();
    }
    pressed
}
