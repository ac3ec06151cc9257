//! The notice tray: all notices with their remedies, newest first. Ended notices are dimmed.

use egui::{
    Align, Frame, Layout, Margin, Popup, PopupAnchor, PopupCloseBehavior, Pos2, Rect, RectAlign,
    Response, Role, ScrollArea, Sense, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};

use crate::studio::notices::PastNotice;
use crate::studio::snapshot::health::is_possible;
use crate::studio::{Level, Notice, Remedy};
use crate::ui::notices::remedy::{remedy_name, words};
use crate::ui::studio_page::go_live;
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, ButtonWeight, baseline_of, icon_button, label, line_height_of, paragraph,
};

/// Maximum width of the tray in points.
const MAX_TRAY_WIDTH_POINTS: f32 = 520.0;
const ICON_SIZE_POINTS: f32 = 20.0;
/// Width and height of the close button, in points.
const CLOSE_SIDE_POINTS: f32 = 24.0;
/// Gap between the columns of a row, in points.
const COLUMN_GAP_POINTS: f32 = 10.0;
/// Width of the time of day with the close button next to it, in points.
const SIDE_WIDTH_POINTS: f32 = 96.0;
/// Additional width of the number of repetitions, in points.
const COUNT_WIDTH_POINTS: f32 = 40.0;
/// Height of the last line of the tray in points, including its gaps.
const FOOTER_HEIGHT_POINTS: f32 = 72.0;
/// Maximum number of lines of the event log in the diagnostics text.
const MAX_LOG_LINES: usize = 100;

/// A request from the tray.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TrayRequest {
    /// Carries out this remedy of a notice. `notice` is `None` if only the health sentence reports
    /// the problem.
    Help {
        notice: Option<u64>,
        remedy: Remedy,
    },
    Dismiss(u64),
    EventLog,
}

/// Draws the open tray with its upper right corner at the given position. `fresh` is true if the
/// keyboard has just opened the tray.
pub fn tray(
    bell: &Response,
    corner: Pos2,
    view: &View<'_>,
    open: &mut bool,
    fresh: bool,
) -> Option<TrayRequest> {
    let window = bell.ctx.content_rect();
    let width = MAX_TRAY_WIDTH_POINTS.min(window.width() - 2.0 * gap::M);
    // The buttons that start and end a broadcast stay visible.
    let below = size::STATUS_BAR_HEIGHT + go_live::BUTTONS_HEIGHT_POINTS + FOOTER_HEIGHT_POINTS;
    let height =
        (window.height() - size::TOP_BAR_HEIGHT - size::HEALTH_BAR_HEIGHT - below).max(120.0);
    let frame = Frame::popup(&bell.ctx.global_style()).fill(view.theme.panel);
    let name = view.texts.get("notices");
    let shown = Popup::from_response(bell)
        .open_bool(open)
        .anchor(PopupAnchor::ParentRect(Rect::from_min_max(corner, corner)))
        .align(RectAlign::BOTTOM_END)
        .align_alternatives(&[])
        .gap(gap::XS)
        .width(width)
        .accessible_name(&*name)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .frame(frame.inner_margin(Margin::same(6)))
        .show(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing = vec2(gap::S, 0.0);
            let mut asked = None;
            ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
                asked = list(ui, view, fresh);
            });
            asked.or(footer(ui, view, fresh))
        });
    let asked = shown.and_then(|shown| shown.inner);
    if asked.is_some_and(|asked| !matches!(asked, TrayRequest::Dismiss(_))) {
        *open = false;
    }
    asked
}

fn list(ui: &mut Ui, view: &View<'_>, mut fresh: bool) -> Option<TrayRequest> {
    let snapshot = view.snapshot;
    let mut asked = None;
    if snapshot.notices.is_empty() && snapshot.past_notices.is_empty() && !view.health.alone {
        inside(ui, |ui| {
            paragraph(ui, &view.texts.get("notices-none"), Type::Body, view.theme.secondary);
        });
    }
    let mut first = true;
    if view.health.alone {
        line_above(ui, view, &mut first);
        let pressed = ui.push_id("health", |ui| unreported(ui, view, fresh)).inner;
        asked = asked.or(pressed);
        fresh &= view.health.remedy.is_none();
    }
    for notice in snapshot.notices.iter().rev() {
        line_above(ui, view, &mut first);
        let pressed = ui.push_id(notice.id, |ui| entry(ui, view, notice, fresh)).inner;
        asked = asked.or(pressed);
        // The first button gets the keyboard, and the newest notice may have none.
        fresh &= !has_buttons(view, notice);
    }
    for past in snapshot.past_notices.iter().rev() {
        line_above(ui, view, &mut first);
        ui.push_id(("past", past.notice.id), |ui| over(ui, view, past));
    }
    asked
}

fn line_above(ui: &Ui, view: &View<'_>, first: &mut bool) {
    if !std::mem::take(first) {
        let at = ui.cursor();
        ui.painter().hline(at.x_range(), at.top(), view.theme.border());
    }
}

fn inside<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    Frame::new().inner_margin(Margin::symmetric(10, 9)).show(ui, contents).inner
}

/// The content at the right end of a row.
#[derive(Default)]
struct RowEnd<'a> {
    /// The time of day at which the notice began.
    time: Option<String>,
    /// The number of repetitions.
    count: Option<&'a str>,
    /// True if the row has a button that closes it.
    closes: bool,
}

impl RowEnd<'_> {
    fn width(&self) -> f32 {
        SIDE_WIDTH_POINTS + if self.count.is_some() { COUNT_WIDTH_POINTS } else { 0.0 }
    }

    /// Draws the content in `room`, beside a title of this type. The times of all rows are below
    /// one another, on the baselines of the titles. Returns true if the close button was pressed.
    fn show(&self, ui: &mut Ui, view: &View<'_>, title: Type, room: Rect) -> bool {
        let theme = view.theme;
        let middle = room.top() + line_height_of(ui, title) / 2.0;
        let close = Rect::from_center_size(
            pos2(room.right() - CLOSE_SIDE_POINTS / 2.0, middle),
            Vec2::splat(CLOSE_SIDE_POINTS),
        );
        let closed = self.closes && {
            let name = view.texts.get("dismiss");
            let mut at = ui.new_child(UiBuilder::new().max_rect(close).id_salt("close"));
            icon_button(&mut at, theme, Icon::Close, &name, CLOSE_SIDE_POINTS).clicked()
        };
        let top = room.top() + baseline_of(ui, title) - baseline_of(ui, Type::Small);
        let left = room.with_min_y(top).with_max_x(close.left() - COLUMN_GAP_POINTS);
        let layout = Layout::right_to_left(Align::Min);
        let left = UiBuilder::new().max_rect(left).layout(layout).id_salt("time");
        let mut left = ui.new_child(left);
        if let Some(time) = &self.time {
            label(&mut left, time, Type::Small, theme.secondary);
        }
        if let Some(count) = self.count {
            let response = label(&mut left, count, Type::SmallStrong, theme.text);
            hide(&response);
        }
        closed
    }
}

/// Draws the icon at the left, the text in the middle, and `end` at the right. The first line of
/// the text has the type `title`. Returns true if the close button was pressed.
fn columns(
    ui: &mut Ui,
    view: &View<'_>,
    (icon, color): (Icon, egui::Color32),
    title: Type,
    words: impl FnOnce(&mut Ui),
    end: &RowEnd<'_>,
) -> bool {
    let row = ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = COLUMN_GAP_POINTS;
        let (place, _) = ui.allocate_exact_size(Vec2::splat(ICON_SIZE_POINTS), Sense::hover());
        icons::paint(ui.painter(), icon, place.shrink(1.0), color);
        let room = (ui.available_width() - end.width() - COLUMN_GAP_POINTS).max(80.0);
        ui.allocate_ui(vec2(room, 0.0), |ui| {
            ui.vertical(|ui| {
                ui.set_width(room);
                ui.spacing_mut().item_spacing.y = 2.0;
                words(ui);
            });
        });
        let (_, rest) = ui.allocate_space(vec2(ui.available_width(), ICON_SIZE_POINTS));
        end.show(ui, view, title, rest)
    });
    row.inner
}

/// Draws the title of a row.
fn titled(ui: &mut Ui, title: &str, kind: Type, color: egui::Color32) -> Response {
    let response = paragraph(ui, title, kind, color);
    hide(&response);
    response
}

/// Hides a text that is part of the row's accessible name, so that screen readers do not read it
/// twice.
fn hide(response: &Response) {
    response.ctx.accesskit_node_builder(response.id, egui::accesskit::Node::set_hidden);
}

/// Draws an active notice.
fn entry(ui: &mut Ui, view: &View<'_>, notice: &Notice, fresh: bool) -> Option<TrayRequest> {
    let (theme, texts) = (view.theme, view.texts);
    let mark = match notice.level {
        Level::Info => (Icon::Info, theme.accent),
        Level::Warning | Level::Error => (Icon::Warning, theme.warn),
    };
    let (title, advice) = words(texts, notice);
    // At the end of the sentence "onair will not retry.", the number would contradict it.
    let count = (notice.times > 1).then(|| format!("×{}", notice.times));
    let time = Some(format::time_of_day(notice.wall_micros));
    let end = RowEnd { time, count: count.as_deref(), closes: true };
    let name = count.as_ref().map_or_else(|| title.clone(), |count| format!("{title} {count}"));
    let mut asked = None;
    let frame = Frame::new().inner_margin(Margin::symmetric(10, 9)).show(ui, |ui| {
        let mut helped = None;
        let dismissed = columns(
            ui,
            view,
            mark,
            Type::Sentence,
            |ui| {
                let response = titled(ui, &title, Type::Sentence, theme.text);
                if !notice.detail.is_empty() {
                    response.on_hover_text(&notice.detail);
                }
                if !advice.is_empty() {
                    paragraph(ui, &advice, Type::Small, theme.secondary);
                }
                let weight = match is_newest(view, notice) {
                    true => ButtonWeight::Primary,
                    false => ButtonWeight::Plain,
                };
                helped = buttons(ui, view, &notice.remedies, (&name, weight, fresh));
            },
            &end,
        );
        asked = helped.map(|remedy| TrayRequest::Help { notice: Some(notice.id), remedy });
        asked = asked.or(dismissed.then_some(TrayRequest::Dismiss(notice.id)));
    });
    frame.response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &name));
    asked
}

/// Returns true if the notice has a possible remedy.
fn has_buttons(view: &View<'_>, notice: &Notice) -> bool {
    notice.remedies.iter().any(|it| is_possible(*it, view.snapshot))
}

/// Returns true for the newest notice with a possible remedy, unless the health sentence is about
/// another problem. The first button of this notice is the only primary one in the tray.
fn is_newest(view: &View<'_>, notice: &Notice) -> bool {
    let newest = view.snapshot.notices.iter().rev().find(|it| has_buttons(view, it));
    !view.health.alone && newest.is_some_and(|newest| newest.id == notice.id)
}

/// Draws the problem of the health sentence, if no notice reports it.
fn unreported(ui: &mut Ui, view: &View<'_>, fresh: bool) -> Option<TrayRequest> {
    let (theme, health) = (view.theme, view.health);
    let (title, beside) = health.words(view.texts.language());
    let mut helped = None;
    let frame = Frame::new().inner_margin(Margin::symmetric(10, 9)).show(ui, |ui| {
        columns(
            ui,
            view,
            (Icon::Warning, theme.warn),
            Type::Sentence,
            |ui| {
                titled(ui, &title, Type::Sentence, theme.text);
                if !beside.is_empty() {
                    paragraph(ui, &beside, Type::Small, theme.secondary);
                }
                let offered = health.remedy.as_slice();
                helped = buttons(ui, view, offered, (&title, ButtonWeight::Primary, fresh));
            },
            &RowEnd::default(),
        );
    });
    frame.response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &title));
    helped.map(|remedy| TrayRequest::Help { notice: None, remedy })
}

/// Draws the remedies, the best first.
fn buttons(
    ui: &mut Ui,
    view: &View<'_>,
    remedies: &[Remedy],
    (title, best, fresh): (&str, ButtonWeight, bool),
) -> Option<Remedy> {
    let possible = remedies.iter().filter(|it| is_possible(**it, view.snapshot));
    let remedies: Vec<Remedy> = possible.copied().collect();
    if remedies.is_empty() {
        return None;
    }
    ui.add_space(gap::XS);
    let mut helped = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(gap::S, gap::XS);
        for (index, remedy) in remedies.into_iter().enumerate() {
            let name = remedy_name(view.texts, remedy);
            let weight = if index == 0 { best } else { ButtonWeight::Plain };
            // The health bar may have the same button, so this one contains its subject.
            let whose = format!("{name}: {title}");
            let button =
                Button::new(&name).small().weight(weight).name(&whose).show(ui, view.theme);
            if fresh && index == 0 {
                button.request_focus();
            }
            if button.clicked() {
                helped = Some(remedy);
            }
        }
    });
    helped
}

/// Draws an ended notice.
fn over(ui: &mut Ui, view: &View<'_>, past: &PastNotice) {
    let (theme, texts) = (view.theme, view.texts);
    let title = texts.say(&past.notice.problem);
    // Information ends with its time, even if what it reports continues.
    let is_info = past.notice.level == Level::Info;
    let icon = if is_info { Icon::Info } else { Icon::Check };
    let time = Some(format::time_of_day(past.notice.wall_micros));
    let end = RowEnd { time, ..RowEnd::default() };
    let frame = Frame::new().inner_margin(Margin::symmetric(10, 9)).show(ui, |ui| {
        columns(
            ui,
            view,
            (icon, theme.secondary),
            Type::Body,
            |ui| {
                titled(ui, &title, Type::Body, theme.secondary);
                if !is_info {
                    let response =
                        paragraph(ui, &texts.get("mark-over"), Type::Small, theme.secondary);
                    // One time in a row is enough to see. The other one has its own text.
                    let time = format::time_of_day(past.over_micros);
                    let since = texts.with("notice-over", &[("time", time.into())]);
                    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &since));
                    response.on_hover_text(since);
                }
            },
            &end,
        );
    });
    frame.response.widget_info(|| WidgetInfo::labeled(Role::ListItem, true, &title));
}

/// Draws the buttons for the event log and for copying the diagnostics.
fn footer(ui: &mut Ui, view: &View<'_>, fresh: bool) -> Option<TrayRequest> {
    let (theme, texts) = (view.theme, view.texts);
    let at = ui.cursor();
    ui.painter().hline(at.x_range(), at.top(), theme.border());
    ui.add_space(gap::XS);
    let mut asked = None;
    ui.horizontal(|ui| {
        let name = texts.get("event-log");
        let log = Button::new(&name).small().weight(ButtonWeight::Quiet).show(ui, theme);
        let any = (view.health.alone && view.health.remedy.is_some())
            || view.snapshot.notices.iter().any(|notice| has_buttons(view, notice));
        if fresh && !any {
            log.request_focus();
        }
        if log.clicked() {
            asked = Some(TrayRequest::EventLog);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let name = texts.get("copy-diagnostics");
            let copy = Button::new(&name).small().weight(ButtonWeight::Quiet).show(ui, theme);
            if copy.on_hover_text(&*texts.get("tip-copy-diagnostics")).clicked() {
                ui.ctx().copy_text(diagnostics(view));
            }
        });
    });
    asked
}

/// Returns the diagnostics text for support: the version, the health sentence, the notices and the
/// event log. The text contains no secrets.
fn diagnostics(view: &View<'_>) -> String {
    let (snapshot, health) = (view.snapshot, view.health);
    let language = view.texts.language();
    let (sentence, beside) = health.words(language);
    let mut lines = vec![
        format!("onair {}", env!("CARGO_PKG_VERSION")),
        format!("{}: {sentence} {beside}", health.activity.name()),
    ];
    let line = |micros: i64, notice: &Notice| {
        let time = format::time_of_day(micros);
        let (summary, detail) = (language.say(&notice.problem), &notice.detail);
        format!("{time}  {summary} [{}] {detail}", notice.key()).trim_end().to_owned()
    };
    lines.extend(snapshot.notices.iter().rev().map(|it| line(it.wall_micros, it)));
    lines.push(String::new());
    let log = snapshot.event_log.iter().rev().take(MAX_LOG_LINES);
    lines.extend(log.map(|entry| line(entry.wall_micros, &entry.notice)));
    lines.join("\n")
}
