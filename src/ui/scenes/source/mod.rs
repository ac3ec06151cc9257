//! The properties of a source in the inspector: content, text style, slide timing, playback and the
//! visibility of the pointer. Every change takes effect at once.

pub mod camera;
pub mod color_button;
pub mod fallback;
pub mod fields;
pub mod kind_fields;
mod page;
pub mod playlist;

use std::ops::RangeInclusive;
use std::time::Duration;

use egui::{DragValue, Id, Ui, vec2};

use crate::capture::sharing::asks_desktop;
use crate::capture::text::{self, Scroll, ScrollDirection, Shadow, Style, TextAppearance};
use crate::capture::{Order, Pace, Properties, Rgba, UsedProperties, VideoChoice, WhenHidden};
use crate::compose::scene::SourceId;
use crate::media::Size;
use crate::media::playback_control::EndBehavior;
use crate::studio::{Command, Edit};
use crate::ui::input::actions::key;
use crate::ui::scenes::draft::{Draft, heeds, may_be_out};
use crate::ui::scenes::source::fields::{choice, color, figure, flag, hint, line, part, unit};
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::view::file_request::FileRequest;
use crate::ui::widgets::{
    Button, ButtonWeight as Dress, Field, expander, label, named_switch, paragraph,
};

/// Draws all properties of a source: its content by kind, and its fallback.
pub fn contents(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, id: SourceId) {
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let heeds = heeds(view.snapshot, id);
    let source = collection.source(id);
    let before = source.map(|source| source.properties.clone()).unwrap_or_default();
    let mut now = before.clone();
    if let Some(source) = source {
        kind_fields::contents(ui, view, draft, source);
    }
    if let Some(heeds) = heeds {
        properties(ui, view, draft, (id, heeds), &mut now);
    }
    recorded(ui, view, id);
    if may_be_out(view.snapshot, id) {
        fallback::contents(ui, view, id);
    }
    if now != before {
        view.send(Command::Edit(Edit::SetProperties(id, now)));
    }
}

/// Draws the switch that records a source alone, beside each recording of the program.
fn recorded(ui: &mut Ui, view: &mut View<'_>, id: SourceId) {
    let Some(source) = view.snapshot.scenes.collection.source(id) else { return };
    let (on, texts) = (source.record, view.texts);
    let (text, tip) = (texts.get("source-record"), texts.get("tip-source-record"));
    if named_switch(ui, view.theme, &text, &tip, Type::Body, on) {
        view.send(Command::Edit(Edit::SetRecorded(id, !on)));
    }
    if view.snapshot.recorded_sources.contains(&id) {
        hint(ui, view, &texts.get("source-recording"));
    }
    ui.add_space(gap::S);
}

/// Draws the button *Advanced*, and below it a field with the content of a source in the notation of
/// `--video`, for users who know it. The field can also change the kind of the source.
pub fn written(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, id: SourceId) {
    let Some(source) = view.snapshot.scenes.collection.source(id) else { return };
    ui.add_space(gap::S);
    let advanced = view.texts.get("advanced");
    expander(ui, view.theme, &advanced, &mut draft.advanced);
    if !draft.advanced {
        apply_written(view, draft);
        return;
    }
    let name = view.texts.get("source-content").to_string();
    let typed = draft.source_text.take_if(|(of, _)| *of == id);
    let mut text = typed.map_or_else(|| source.choice.to_string(), |(_, text)| text);
    let parsed = text.trim().parse::<VideoChoice>();
    line(ui, view, &name, |ui, view| {
        let kept = Field {
            name: &name,
            hint: "image:/…",
            wrong: parsed.is_err(),
            limit: 4_096,
            width: ui.available_width(),
            ..Field::new(Id::unique(("source-text", id)), &mut text)
        }
        .show(ui, view.theme);
        match &parsed {
            Ok(choice) if kept.response.lost_focus() && *choice != source.choice => {
                view.send(Command::Edit(Edit::SetSource(id, choice.clone())));
            }
            _ if kept.response.has_focus() && text != source.choice.to_string()
                || parsed.is_err() =>
            {
                draft.source_text = Some((id, text.clone()));
            }
            _ => {}
        }
    });
    if let Err(why) = parsed {
        paragraph(ui, &view.texts.say(&why), Type::Small, view.theme.warn);
    }
}

/// Applies the text that was entered as the content of a source, because its field is no longer
/// shown. Text that is not valid is kept.
pub fn apply_written(view: &mut View<'_>, draft: &mut Draft) {
    let Some((id, text)) = &draft.source_text else { return };
    let id = *id;
    let Some(source) = view.snapshot.scenes.collection.source(id) else {
        draft.source_text = None;
        return;
    };
    let Ok(choice) = text.trim().parse::<VideoChoice>() else { return };
    draft.source_text = None;
    if choice != source.choice {
        view.send(Command::Edit(Edit::SetSource(id, choice)));
    }
}

fn properties(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    (id, heeds): (SourceId, UsedProperties),
    now: &mut Properties,
) {
    match heeds {
        UsedProperties::Text => {
            letters(ui, view, draft, id, &mut now.text.style);
            around(ui, view, &mut now.text.style);
            room(ui, view, &mut now.text);
        }
        UsedProperties::Slides => {
            playlist::contents(ui, view, (id, FileRequest::Image), &mut now.files);
            slides(ui, view, &mut now.slides);
            hidden(ui, view, &mut now.hidden);
        }
        UsedProperties::Media => {
            playlist::contents(ui, view, (id, FileRequest::Video), &mut now.files);
            at_end(ui, view, &mut now.at_end);
            hidden(ui, view, &mut now.hidden);
        }
        UsedProperties::Camera => camera::contents(ui, view, id),
        UsedProperties::Page => page::contents(ui, view, draft, id, &mut now.page),
        UsedProperties::Pointer => {
            let own = view.snapshot.scenes.collection.source(id).map(|source| &source.choice);
            let asks = own.is_none_or(asks_desktop);
            if own.is_some() {
                let mut shown = !now.without_pointer;
                flag(ui, view, key!("show-pointer"), &mut shown);
                now.without_pointer = !shown;
            }
            if asks {
                share_again(ui, view, id);
            }
        }
    }
}

/// Draws the button that makes the desktop ask again which display or window to share.
fn share_again(ui: &mut Ui, view: &mut View<'_>, id: SourceId) {
    ui.add_space(gap::S);
    let text = view.texts.get("share-again");
    if Button::new(&text).small().show(ui, view.theme).clicked() {
        view.send(Command::ShareAgain(id));
    }
    let hint = view.texts.get("share-again-hint");
    paragraph(ui, &hint, Type::Small, view.theme.secondary);
}

/// Draws the fields for the font.
fn letters(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, id: SourceId, style: &mut Style) {
    let name = view.texts.get("text-font").to_string();
    line(ui, view, &name, |ui, view| {
        let hint = view.texts.get("text-font-hint");
        let text = draft.family.get_or_insert_with(|| style.family.clone());
        let kept = Field {
            name: &name,
            hint: &hint,
            limit: Style::MAX_FAMILY,
            width: ui.available_width(),
            ..Field::new(Id::unique(("text-font", id)), text)
        }
        .show(ui, view.theme);
        if kept.response.has_focus() || kept.response.lost_focus() {
            text.trim().clone_into(&mut style.family);
        } else {
            // The text in the field is discarded, because an undo may have changed the font.
            draft.family = None;
        }
    });
    if !style.family.is_empty() && draft.knows_family(&style.family) == Some(false) {
        let warning = view.texts.get("text-font-unknown");
        paragraph(ui, &warning, Type::Small, view.theme.warn);
    }
    let [least, most] = [*Style::FONT_SIZE_RANGE.start(), *Style::FONT_SIZE_RANGE.end()];
    number(ui, view, key!("text-size"), &mut style.size, least..=most, " px");
    number(ui, view, key!("text-weight"), &mut style.weight, 100..=900, "");
    flag(ui, view, key!("text-italic"), &mut style.italic);
    color(ui, view, key!("text-color"), &mut style.color);
    let aligns = [
        (key!("text-left"), text::Align::Left),
        (key!("text-center"), text::Align::Center),
        (key!("text-right"), text::Align::Right),
    ];
    one_of(ui, view, key!("text-align"), &aligns, &mut style.align);
}

/// Draws the fields for outline, shadow, background and padding.
fn around(ui: &mut Ui, view: &mut View<'_>, style: &mut Style) {
    let most = Style::MAX_OUTLINE_WIDTH;
    part(ui, view, key!("text-outline"), &mut style.outline, (Rgba::BLACK, 4));
    if let Some((of, width)) = &mut style.outline {
        color(ui, view, key!("text-outline-color"), of);
        number(ui, view, key!("text-outline-width"), width, 0..=most, " px");
    }
    let begin = Shadow { color: Rgba { alpha: 160, ..Rgba::BLACK }, right: 4, down: 4, blur: 4 };
    part(ui, view, key!("text-shadow"), &mut style.shadow, begin);
    if let Some(shadow) = &mut style.shadow {
        let far = Style::MAX_SHADOW_OFFSET;
        color(ui, view, key!("text-shadow-color"), &mut shadow.color);
        number(ui, view, key!("text-shadow-right"), &mut shadow.right, -far..=far, " px");
        number(ui, view, key!("text-shadow-down"), &mut shadow.down, -far..=far, " px");
        number(ui, view, key!("text-shadow-blur"), &mut shadow.blur, 0..=most, " px");
    }
    let begin = Rgba { alpha: 160, ..Rgba::BLACK };
    part(ui, view, key!("text-background"), &mut style.background, begin);
    if let Some(of) = &mut style.background {
        color(ui, view, key!("text-background-color"), of);
    }
    let most = Style::MAX_PADDING;
    number(ui, view, key!("text-padding"), &mut style.padding, 0..=most, " px");
}

/// Draws the fields for the width and the scrolling of a text.
fn room(ui: &mut Ui, view: &mut View<'_>, appearance: &mut TextAppearance) {
    let Size { width, height } = view.snapshot.quality.size;
    let sides = TextAppearance::MIN_SIDE..=Size::MAX_SIDE;
    part(ui, view, key!("text-wrap"), &mut appearance.width, width);
    if let Some(width) = &mut appearance.width {
        number(ui, view, key!("text-width"), width, sides.clone(), " px");
    }
    let directions = [
        (key!("text-scroll-none"), None),
        (key!("text-scroll-left"), Some(ScrollDirection::Left)),
        (key!("text-scroll-right"), Some(ScrollDirection::Right)),
        (key!("text-scroll-up"), Some(ScrollDirection::Up)),
        (key!("text-scroll-down"), Some(ScrollDirection::Down)),
    ];
    let mut direction = appearance.scroll.map(|it| it.direction);
    choice(ui, view, key!("text-scroll"), &directions, &mut direction);
    let speed = appearance.scroll.map_or(120, |it| it.speed);
    appearance.scroll = direction.map(|direction| Scroll { direction, speed });
    if let Some(scroll) = &mut appearance.scroll {
        let speeds = 1..=Scroll::MAX_SCROLL_SPEED;
        number(ui, view, key!("text-scroll-speed"), &mut scroll.speed, speeds, " px/s");
        if matches!(scroll.direction, ScrollDirection::Up | ScrollDirection::Down) {
            part(ui, view, key!("text-own-height"), &mut appearance.height, height);
            if let Some(height) = &mut appearance.height {
                number(ui, view, key!("text-height"), height, sides, " px");
            }
        }
    }
}

/// Draws the choice of what a source does while no scene shows it.
fn hidden(ui: &mut Ui, view: &mut View<'_>, hidden: &mut WhenHidden) {
    let ways = [
        (key!("while-hidden-play"), WhenHidden::Plays),
        (key!("while-hidden-pause"), WhenHidden::Pauses),
        (key!("while-hidden-restart"), WhenHidden::Restarts),
    ];
    one_of(ui, view, key!("while-hidden"), &ways, hidden);
}

/// Draws the choice of what a source does at the end of playback.
fn at_end(ui: &mut Ui, view: &mut View<'_>, at_end: &mut EndBehavior) {
    let ways = [
        (key!("at-end-loop"), EndBehavior::Loop),
        (key!("at-end-clear"), EndBehavior::Clear),
        (key!("at-end-hold"), EndBehavior::Hold),
    ];
    one_of(ui, view, key!("at-end"), &ways, at_end);
}

fn slides(ui: &mut Ui, view: &mut View<'_>, pace: &mut Pace) {
    let [least, most] = Pace::TIME_RANGE;
    for (key, time, low, high) in [
        (key!("slides-time"), &mut pace.time, least, most),
        (key!("slides-fade"), &mut pace.fade, Duration::ZERO, Pace::MAX_FADE),
    ] {
        seconds(ui, view, key, time, low..=high);
    }
    let orders =
        [(key!("slides-by-name"), Order::Name), (key!("slides-shuffled"), Order::Shuffled)];
    one_of(ui, view, key!("slides-order"), &orders, &mut pace.order);
    flag(ui, view, key!("slides-repeat"), &mut pace.repeat);
}

pub(super) fn number<N: egui::emath::Numeric>(
    ui: &mut Ui,
    view: &mut View<'_>,
    key: &'static str,
    value: &mut N,
    range: RangeInclusive<N>,
    unit: &str,
) {
    let speed = if N::INTEGRAL { 1.0 } else { 0.05 };
    let range = range.start().to_f64()..=range.end().to_f64();
    let field = DragValue::new(value).speed(speed).max_decimals(2);
    figure(ui, view, key, field, range, unit);
}

/// Draws a field for a time in seconds, which keeps a time that the user does not change.
pub(super) fn seconds(
    ui: &mut Ui,
    view: &mut View<'_>,
    key: &'static str,
    time: &mut Duration,
    range: RangeInclusive<Duration>,
) {
    let before = time.as_secs_f64();
    let mut seconds = before;
    let range = range.start().as_secs_f64()..=range.end().as_secs_f64();
    let unit = unit(view, key!("settings-seconds"));
    number(ui, view, key, &mut seconds, range, &unit);
    if (seconds - before).abs() > 1e-9 {
        *time = Duration::from_millis((seconds * 1e3).round().max(0.0) as u64);
    }
}

/// Draws a choice of a few values as adjacent buttons, in more than one row if the panel is narrow.
fn one_of<T: Copy + PartialEq>(
    ui: &mut Ui,
    view: &View<'_>,
    key: &'static str,
    all: &[(&'static str, T)],
    value: &mut T,
) {
    label(ui, &view.texts.get(key), Type::Small, view.theme.secondary);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(2.0, 2.0);
        for (key, one) in all {
            let text = view.texts.get(key);
            let button = Button::new(&text).selected(*value == *one).weight(Dress::Quiet).small();
            if button.show(ui, view.theme).clicked() {
                *value = *one;
            }
        }
    });
}
