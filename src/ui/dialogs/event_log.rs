//! The dialog of the event log: one line per event, the newest first, with its duration.

use std::borrow::Cow;
use std::time::Duration;

use egui::{Align, Color32, Layout, Role, ScrollArea, Ui, WidgetInfo, vec2};

use crate::studio::Level;
use crate::studio::notices::event_log::LogEntry;
use crate::ui::dialogs::card::{DialogAnswer, heading_with_close, modal};
use crate::ui::input::actions::key;
use crate::ui::notices::words;
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Theme, Type, gap};
use crate::ui::text::{Texts, format};
use crate::ui::view::View;
use crate::ui::widgets::{Button, label, paragraph};

pub fn show(ctx: &egui::Context, view: &View<'_>, fresh: bool) -> Option<DialogAnswer> {
    modal(ctx, view.theme, "event-log", 620.0, |ui| {
        let close = heading_with_close(ui, view, &view.texts.get("event-log"));
        if fresh {
            close.request_focus();
        }
        ScrollArea::vertical().max_height(420.0).auto_shrink([false, true]).show(ui, |ui| {
            lines(ui, view);
        });
        if !view.snapshot.event_log.is_empty() {
            below(ui, view);
        }
        close.clicked().then_some(DialogAnswer::Close)
    })
}

/// Draws the entries, the newest at the top.
pub fn lines(ui: &mut Ui, view: &View<'_>) {
    let entries = &view.snapshot.event_log;
    if entries.is_empty() {
        paragraph(ui, &view.texts.get("event-log-empty"), Type::Body, view.theme.secondary);
    }
    ui.spacing_mut().item_spacing.y = gap::S;
    for (number, entry) in entries.iter().enumerate().rev() {
        ui.push_id(number, |ui| line(ui, view, entry));
    }
}

/// Returns the message, with the number of its repetitions and its duration, if any.
fn text(texts: &Texts, entry: &LogEntry) -> String {
    let (text, _) = words(texts, &entry.notice);
    if entry.times <= 1 && entry.lasted.is_none() {
        return text;
    }
    let mut text = text.trim_end_matches(['.', '。']).to_owned();
    if entry.times > 1 {
        text += &format!(" ×{}", entry.times);
    }
    match entry.lasted {
        Some(lasted) => {
            let time = duration(texts, lasted);
            texts.with("event-log-lasted", &[("text", text.into()), ("time", time.into())])
        }
        None => text,
    }
}

/// Formats a duration in whole seconds, such as `5 s`, `2 min 23 s` or `1 h 5 min`.
fn duration(texts: &Texts, time: Duration) -> String {
    let seconds = (time.as_secs_f64().round() as u64).max(1);
    let minutes = seconds / 60;
    let of = |number: u64| Cow::from(number.to_string());
    match (minutes / 60, minutes) {
        (0, 0) => texts.with("seconds", &[("count", of(seconds))]),
        (0, _) => {
            let args = [("minutes", of(minutes)), ("seconds", of(seconds % 60))];
            texts.with("minutes-and-seconds", &args)
        }
        (hours, _) => {
            let args = [("hours", of(hours)), ("minutes", of(minutes % 60))];
            texts.with("hours-and-minutes", &args)
        }
    }
}

/// Returns the icon for the level of an entry, its name, and its color.
fn mark(theme: &Theme, entry: &LogEntry) -> (Icon, &'static str, Color32) {
    match entry.notice.level {
        Level::Info => (Icon::Info, key!("mark-info"), theme.secondary),
        Level::Warning if entry.lasted.is_some() => {
            (Icon::Check, key!("mark-over"), theme.secondary)
        }
        Level::Warning => (Icon::Warning, key!("mark-warning"), theme.warn),
        Level::Error => (Icon::Close, key!("mark-error"), theme.live),
    }
}

fn line(ui: &mut Ui, view: &View<'_>, entry: &LogEntry) {
    let theme = view.theme;
    let (icon, name, color) = mark(theme, entry);
    ui.horizontal_top(|ui| {
        let (rect, level) = ui.allocate_exact_size(vec2(14.0, 18.0), egui::Sense::hover());
        icons::paint_at(ui.painter(), icon, rect.center(), 14.0, color);
        let name = view.texts.get(name);
        level.widget_info(|| WidgetInfo::labeled(Role::Image, true, &*name));
        level.on_hover_text(&*name);
        label(ui, &format::time_of_day(entry.wall_micros), Type::Figure, theme.secondary);
        ui.vertical(|ui| {
            let shown = paragraph(ui, &text(view.texts, entry), Type::Body, theme.text);
            if !entry.notice.detail.is_empty() {
                shown.on_hover_text(&entry.notice.detail);
            }
        });
    });
}

/// Draws the path of the log file, and a button that copies the diagnostics.
fn below(ui: &mut Ui, view: &View<'_>) {
    ui.add_space(gap::S);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let copy = view.texts.get("event-log-copy");
        if Button::new(&copy).icon(Icon::Copy).show(ui, view.theme).clicked() {
            let lines = view.snapshot.event_log.iter().map(|entry| {
                let text = text(view.texts, entry);
                format!(
                    "{}  {text} [{}]",
                    format::time_of_day(entry.wall_micros),
                    entry.notice.key()
                )
            });
            ui.ctx().copy_text(lines.collect::<Vec<_>>().join("\n"));
        }
        if let Some(path) = &view.snapshot.event_log_path {
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let path = path.display().to_string();
                let message = view.texts.with("event-log-file", &[("path", path.into())]);
                paragraph(ui, &message, Type::Small, view.theme.secondary);
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::notices::message::StudioMessage;
    use crate::ui::text::Language;

    fn entry(message: &StudioMessage, lasted: Option<Duration>) -> LogEntry {
        LogEntry { wall_micros: 0, notice: message.notice(1, ""), times: 1, lasted }
    }

    #[test]
    fn a_duration_has_whole_units_in_the_brackets_of_the_language() {
        let lost = |seconds| {
            let message = StudioMessage::MicrophoneLost { device: "Yeti".into() };
            entry(&message, Some(Duration::from_secs_f64(seconds)))
        };
        for (seconds, english, chinese) in [
            (0.2, "1 s", "1 秒"),
            (5.09, "5 s", "5 秒"),
            (143.0, "2 min 23 s", "2 分 23 秒"),
            (3_900.0, "1 h 5 min", "1 小时 5 分"),
        ] {
            let text = |language| text(&Texts::new(language), &lost(seconds));
            let english = format!("Microphone Yeti is disconnected (for {english})");
            assert_eq!(text(Language::English), english);
            let chinese = format!("麦克风 Yeti 已断开（持续 {chinese}）");
            assert_eq!(text(Language::Chinese), chinese);
        }
        let repeated = LogEntry { times: 3, lasted: None, ..lost(1.0) };
        let text = text(&Texts::new(Language::English), &repeated);
        assert_eq!(text, "Microphone Yeti is disconnected ×3");
    }

    #[test]
    fn each_level_has_its_own_icon_and_name() {
        let saved = StudioMessage::RecordingSaved { path: "a.mp4".into() };
        let slow = StudioMessage::EncoderSlow { percent: "40 %".into() };
        let failed = StudioMessage::RecordingFailed { path: "a.mp4".into(), reason: "full".into() };
        let entries = [
            entry(&saved, None),
            entry(&slow, None),
            entry(&slow, Some(Duration::from_secs(8))),
            entry(&failed, None),
        ];
        let marks = entries.map(|entry| mark(&Theme::DARK, &entry));
        for (index, (icon, name, _)) in marks.iter().enumerate() {
            for (other_icon, other_name, _) in &marks[index + 1..] {
                assert!(icon != other_icon && name != other_name, "{name} and {other_name}");
            }
        }
    }
}
