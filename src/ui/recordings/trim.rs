//! The section for copying a part of a recording, or the whole recording to another format. Packets
//! are copied, and nothing is encoded.

use std::path::PathBuf;
use std::time::Duration;

use egui::{Key, Ui};

use crate::broadcast::recorder::remux::Cut;
use crate::studio::Command;
use crate::studio::live::recording::library::RecordingsCommand;
use crate::studio::live::recording::library::details::Details;
use crate::studio::live::recording::library::view::{RecordingFile, RecordingsView};
use crate::ui::input::actions::key;
use crate::ui::recordings::draft::CutDraft;
use crate::ui::recordings::{Draft, list};
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{Button, Field, Select, label, menu_item, paragraph, section, slider};
use crate::wire::container::Format;

/// Width of a time field, in points.
const TIME_WIDTH: f32 = 92.0;
/// A part whose end is this close to the end of the recording has no end, because sliders round times.
const END_TOLERANCE: Duration = Duration::from_millis(10);

/// Draws the section below the buttons of a recording.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    recordings: &RecordingsView,
    file: &RecordingFile,
    details: &Details,
    draft: &mut Draft,
) {
    let (theme, texts) = (view.theme, view.texts);
    section(ui, theme, &texts.get("recordings-copy"));
    if let Some(copy) = &recordings.copy {
        let name = copy.to.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let percent = format!("{:.0}", copy.share * 100.0);
        let args = [("name", name.into()), ("percent", percent.into())];
        let (text, stop) = match copy.repairs {
            true => (texts.with("recordings-repairing", &args), "recordings-stop-repair"),
            false => (texts.with("recordings-copying", &args), "recordings-stop-copy"),
        };
        paragraph(ui, &text, Type::Body, theme.text);
        ui.add(egui::ProgressBar::new(copy.share).desired_height(4.0));
        if Button::new(&texts.get(stop)).small().show(ui, theme).clicked() {
            view.send(Command::Recordings(RecordingsCommand::StopCopy));
        }
        return;
    }
    let length = details.duration;
    let mut cut = std::mem::take(&mut draft.cut);
    let mut looked = None;
    let from = point(ui, view, (key!("recordings-from"), 0), &mut cut.typed, cut.from, length);
    if let Some((from, by_key)) = from {
        cut.from = beginning(details, cut.from, from, by_key);
        looked = Some(cut.from);
    }
    if !cut.from.is_zero() {
        let args = [("time", time_text(cut.from).into())];
        paragraph(ui, &texts.with("recordings-keyframe", &args), Type::Small, theme.secondary);
    }
    let now = cut.to.unwrap_or(length).min(length);
    let to = point(ui, view, (key!("recordings-to"), 1), &mut cut.typed, now, length);
    if let Some((to, _)) = to {
        cut.to = (to + END_TOLERANCE < length).then_some(to);
        looked = Some(to.min(length));
    }
    let own = Format::of_path(&file.path);
    format_choice(ui, view, &mut cut, own);
    if let Some(at) = looked.filter(|at| cut.asked != Some(*at)) {
        cut.asked = Some(at);
        let command = RecordingsCommand::FrameAt(file.path.clone(), at);
        view.send(Command::Recordings(command));
    }
    let copy = copy(recordings, file, details, &cut);
    let button = texts.get("recordings-save-copy");
    if Button::new(&button).enabled(copy.is_some()).show(ui, theme).clicked()
        && let Some(copy) = copy
    {
        view.send(Command::Recordings(copy));
    }
    if cut.to.unwrap_or(length) <= cut.from {
        paragraph(ui, &texts.get("recordings-empty-part"), Type::Small, theme.secondary);
    }
    // Without the hint, the panel would be shorter, and its controls would move.
    paragraph(ui, &texts.get("recordings-copy-hint"), Type::Small, theme.secondary);
    draft.cut = cut;
}

/// Returns true if a typed text is not a time.
fn is_wrong(cut: &CutDraft) -> bool {
    cut.typed.iter().flatten().any(|text| parse_time(text).is_none())
}

/// Returns the command that copies the chosen part, or `None` if a typed time is wrong, the part is
/// empty, or nothing would change.
pub(super) fn copy(
    recordings: &RecordingsView,
    file: &RecordingFile,
    details: &Details,
    cut: &CutDraft,
) -> Option<RecordingsCommand> {
    let own = Format::of_path(&file.path);
    let (part, format) = (cut.part(), cut.format.or(own)?);
    let changes = part != Cut::default() || Some(format) != own;
    let is_some = cut.to.unwrap_or(details.duration) > cut.from;
    if !(changes && is_some) || is_wrong(cut) {
        return None;
    }
    let to = free_name(recordings, file, part != Cut::default(), format);
    Some(RecordingsCommand::Copy { from: file.path.clone(), to, part })
}

/// Draws a time, which can be entered or chosen on a slider. Returns the time if it was changed, and
/// true if a key moved the slider.
fn point(
    ui: &mut Ui,
    view: &View<'_>,
    (name, number): (&'static str, usize),
    typed: &mut [Option<String>; 2],
    now: Duration,
    length: Duration,
) -> Option<(Duration, bool)> {
    let (theme, name) = (view.theme, view.texts.get(name));
    let (mut changed, mut by_key) = (None, false);
    let slot = typed.get_mut(number)?;
    label(ui, &name, Type::Small, theme.secondary);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        let width = ui.available_width() - TIME_WIDTH - gap::S;
        let mut at = now.as_secs_f32();
        let rest = if number == 0 { 0.0 } else { length.as_secs_f32() };
        let rail = view.texts.with("recordings-rail", &[("name", name.to_string().into())]);
        let moved =
            slider(ui, theme, &mut at, 0.0..=length.as_secs_f32().max(0.01), rest, &rail, width);
        if moved.changed() {
            *slot = None;
            changed = Duration::try_from_secs_f32(at).ok();
            by_key = moved.interact_pointer_pos().is_none();
        }
        let mut text = slot.clone().unwrap_or_else(|| time_text(now));
        let wrong = parse_time(&text).is_none();
        let response = Field {
            name: &name,
            hint: "0:00",
            wrong,
            limit: 16,
            width: TIME_WIDTH,
            ..Field::new(egui::Id::unique(("recordings-time", number)), &mut text)
        }
        .show(ui, theme)
        .response;
        if response.changed() {
            *slot = Some(text.clone());
        }
        let escaped = ui.input(|input| input.key_pressed(Key::Escape));
        if response.lost_focus() && (escaped || !wrong) {
            *slot = None;
        }
        if response.lost_focus() && !escaped {
            changed = changed.or(parse_time(&text).map(|at| at.min(length)));
            changed = changed.filter(|at| time_text(*at) != time_text(now));
        }
    });
    // A text that is not a time stays in its field, so that the user can correct it.
    if slot.as_ref().is_some_and(|text| parse_time(text).is_none()) {
        paragraph(ui, &view.texts.get("recordings-time-wrong"), Type::Small, theme.warn);
    }
    changed.map(|at| (at, by_key))
}

fn format_choice(ui: &mut Ui, view: &View<'_>, cut: &mut CutDraft, own: Option<Format>) {
    let chosen = cut.format.or(own).map(|it| it.extension().to_uppercase()).unwrap_or_default();
    let name = view.texts.get("recordings-format");
    label(ui, &name, Type::Small, view.theme.secondary);
    Select::new(&name, &chosen, ui.available_width()).show(ui, view.theme, |ui| {
        for format in Format::ALL {
            let text = format.extension().to_uppercase();
            let is_chosen = text == chosen;
            if menu_item(ui, view.theme, &text, "", is_chosen, true) {
                cut.format = Some(format);
                ui.close();
            }
        }
    });
}

/// Returns the new beginning of a part that began at `now`. The step of a key can be shorter than the
/// distance of two keyframes, so a key that moves the slider forward goes at least to the next one.
fn beginning(details: &Details, now: Duration, at: Duration, by_key: bool) -> Duration {
    let from = keyframe_before(details, at);
    if !by_key || at <= now || from > now {
        return from;
    }
    details.keyframes.iter().copied().find(|key| *key > now).unwrap_or(from)
}

/// Returns the position at which a part from `at` actually begins: the last keyframe at or before
/// it, or else the first keyframe.
fn keyframe_before(details: &Details, at: Duration) -> Duration {
    let keys = || details.keyframes.iter().copied();
    if details.keyframes.is_empty() {
        return at;
    }
    keys().rfind(|key| *key <= at).or_else(|| keys().next()).unwrap_or(at)
}

/// Formats a time as `1:02:03.5` or `2:03.0`.
fn time_text(at: Duration) -> String {
    let tenths = (at.as_secs_f64() * 10.0).round() as u64;
    let (seconds, tenth) = (tenths / 10, tenths % 10);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}.{tenth}")
    } else {
        format!("{minutes}:{seconds:02}.{tenth}")
    }
}

/// Parses a time like `1:02:03.5` or `1:02:03,5`, in which hours and minutes may be missing.
fn parse_time(text: &str) -> Option<Duration> {
    let parts: Vec<&str> = text.trim().split(':').collect();
    let (seconds, larger) = parts.split_last()?;
    if larger.len() > 2 || !seconds.starts_with(|it: char| it.is_ascii_digit()) {
        return None;
    }
    let mut total = seconds.replace(',', ".").parse::<f64>().ok()?;
    for (part, factor) in larger.iter().rev().zip([60.0, 3_600.0]) {
        total += f64::from(part.parse::<u32>().ok()?) * factor;
    }
    Duration::try_from_secs_f64(total).ok()
}

/// Returns a path for the copy, in the folder of the recording, that no listed file has.
fn free_name(
    recordings: &RecordingsView,
    file: &RecordingFile,
    is_part: bool,
    format: Format,
) -> PathBuf {
    let stem = list::stem(file);
    let stem = if is_part { format!("{stem} part") } else { stem };
    let names = (1..1_000).map(|number| match number {
        1 => format!("{stem}.{}", format.extension()),
        _ => format!("{stem} {number}.{}", format.extension()),
    });
    let mut names = names.map(|name| file.path.with_file_name(name));
    let taken = |path: &PathBuf| recordings.files.iter().any(|other| other.path == *path);
    let first = names.find(|path| !taken(path));
    first.unwrap_or_else(|| file.path.with_extension(format.extension()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_moves_the_beginning_to_the_next_keyframe() {
        let seconds = Duration::from_secs;
        let details = Details {
            duration: seconds(60),
            video: None,
            audio: Vec::new(),
            keyframes: [0, 4, 8].map(seconds).to_vec(),
            thumbnail: None,
            unfinished: false,
        };
        let step = Duration::from_millis(500);
        for (now, wanted) in [(0, 4), (4, 8), (8, 8)] {
            let now = seconds(now);
            assert_eq!(beginning(&details, now, now + step, true), seconds(wanted), "{now:?}");
            // The mouse and an entered time stay at the keyframe before.
            assert_eq!(beginning(&details, now, now + step, false), now);
        }
        assert_eq!(beginning(&details, seconds(8), seconds(8) - step, true), seconds(4));
        assert_eq!(beginning(&details, seconds(0), seconds(9), true), seconds(8));
    }

    #[test]
    fn times_are_written_and_read() {
        for (text, seconds) in
            [("0:00.0", 0.0), ("1:05.5", 65.5), ("1:02:03.4", 3_723.4), ("59:59.9", 3_599.9)]
        {
            let at = parse_time(text).unwrap();
            assert!((at.as_secs_f64() - seconds).abs() < 1e-6, "{text}");
            assert_eq!(time_text(at), text);
        }
        assert_eq!(parse_time(" 90 "), Some(Duration::from_secs(90)));
        assert_eq!(parse_time("0:01,5"), Some(Duration::from_millis(1_500)));
        for bad in ["", ":", "1:2:3:4", "-1", "1:-2", "nan", "inf", "1e400", "a", "1:x", "1,5:00"] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
    }
}
