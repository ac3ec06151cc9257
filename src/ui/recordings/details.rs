//! The selected recording: a frame, its details, and its actions.

use std::path::PathBuf;

use egui::{Color32, Key, Rect, ScrollArea, Ui, vec2};

use crate::studio::Command;
use crate::studio::live::recording::library::RecordingsCommand;
use crate::studio::live::recording::library::change::check_name;
use crate::studio::live::recording::library::view::{FileState, RecordingFile, RecordingsView};
use crate::ui::recordings::draft::row_id;
use crate::ui::recordings::{Draft, list, trim};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{FRAME_BACKGROUND, Type, gap};
use crate::ui::targets::child;
use crate::ui::text::format;
use crate::ui::video::fitted;
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, ButtonWeight, Field, announced, figure, label, paragraph, scroll, select_all,
};

/// Draws the panel. Returns the recording to play, if any.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    recordings: &RecordingsView,
    draft: &mut Draft,
) -> Option<PathBuf> {
    let width = ui.available_width();
    ui.spacing_mut().item_spacing.y = gap::S;
    let selected = draft.selected.clone();
    let file = recordings.files.iter().find(|file| Some(&file.path) == selected.as_ref());
    let lines = outcome(view, recordings, draft);
    let height: f32 = lines.iter().map(|(text, color)| line_height(ui, text, *color, width)).sum();
    // The result is below the scrolled panel, which does not move when the result appears.
    let room = ui.available_rect_before_wrap();
    let end = (room.bottom() - height).max(room.top());
    let (above, below) = room.split_top_bottom_at_y(end);
    let mut panel = child(ui, above, "recording-panel");
    let contents = |ui: &mut Ui| {
        ui.set_width(width);
        let Some(file) = file else {
            let text = view.texts.get("recordings-choose");
            paragraph(ui, &text, Type::Body, view.theme.secondary);
            return None;
        };
        one(ui, view, recordings, file, draft)
    };
    let area = ScrollArea::vertical().auto_shrink(false);
    let play = scroll(area, "recording", &mut panel, contents).inner;
    let mut place = child(ui, below, "recording-outcome");
    place.spacing_mut().item_spacing.y = 0.0;
    for (text, color) in &lines {
        place.add_space(gap::S);
        announced(&paragraph(&mut place, text, Type::Small, *color));
    }
    play
}

/// Returns the height of a text of the result and of the gap above it.
fn line_height(ui: &Ui, text: &str, color: Color32, width: f32) -> f32 {
    let galley = ui.painter().layout(text.to_owned(), Type::Small.font(), color, width);
    galley.size().y + gap::S
}

/// Returns the texts about the result of the last change, with their colors.
fn outcome(view: &View<'_>, recordings: &RecordingsView, draft: &Draft) -> Vec<(String, Color32)> {
    let outcome = recordings.outcome.as_ref().filter(|_| draft.shows_outcome);
    let Some(outcome) = outcome else { return Vec::new() };
    let theme = view.theme;
    let color = if outcome.failed { theme.warn } else { theme.good };
    let cure = view.texts.cure(&outcome.text).map(|cure| (cure, theme.secondary));
    std::iter::once((view.texts.say(&outcome.text), color)).chain(cure).collect()
}

fn one(
    ui: &mut Ui,
    view: &mut View<'_>,
    recordings: &RecordingsView,
    file: &RecordingFile,
    draft: &mut Draft,
) -> Option<PathBuf> {
    let theme = view.theme;
    let width = ui.available_width();
    let (room, _) =
        ui.allocate_exact_size(vec2(width, (width * 9.0 / 16.0).round()), egui::Sense::hover());
    large(ui, recordings, file, draft, room);
    name(ui, view, file, draft);
    let is_busy = view.snapshot.is_being_written(file);
    match &file.state {
        _ if is_busy => {
            paragraph(ui, &view.texts.get("recordings-changing-long"), Type::Body, theme.secondary);
        }
        FileState::Known(details) => {
            let texts = view.texts;
            let mut lines = vec![
                (texts.get("recordings-length"), format::clock(details.duration)),
                (texts.get("recordings-size"), format::bytes(file.bytes)),
            ];
            if let Some(video) = &details.video {
                let mut text = format!("{} {}", video.codec.name(), format::size(video.size));
                if let Some(fps) = video.fps {
                    let value = format!("{fps:.2}");
                    let value = value.trim_end_matches('0').trim_end_matches('.').to_owned();
                    text = format!("{text}, {}", texts.with("fps", &[("value", value.into())]));
                }
                lines.push((texts.get("recordings-video"), text));
            }
            for track in &details.audio {
                let kilohertz = f64::from(track.sample_rate) / 1e3;
                let channels = texts.counted("recordings-channels", track.channels.into());
                let codec = track.codec.name();
                let text = format!("{codec} {kilohertz}\u{a0}kHz, {channels}");
                let text =
                    if track.name.is_empty() { text } else { format!("{}: {text}", track.name) };
                lines.push((texts.get("recordings-audio"), text));
            }
            ui.scope(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                for (number, (name, value)) in lines.iter().enumerate() {
                    ui.push_id(number, |ui| figure(ui, theme, name, value, value));
                }
            });
            if details.unfinished {
                unfinished(ui, view, file);
            }
        }
        FileState::Waiting | FileState::Changing => {
            label(ui, &view.texts.get("recordings-waiting"), Type::Body, theme.secondary);
        }
        FileState::Unreadable(problem) => {
            paragraph(ui, &view.texts.say(problem), Type::Body, theme.warn);
            if let Some(cure) = view.texts.cure(problem) {
                paragraph(ui, &cure, Type::Small, theme.secondary);
            }
        }
    }
    let play = buttons(ui, view, file, draft);
    if let Some(details) = file.details().filter(|_| !is_busy) {
        ui.add_space(gap::S);
        trim::show(ui, view, recordings, file, details, draft);
    }
    play
}

/// Draws the note that a recording was interrupted, and offers to repair it.
fn unfinished(ui: &mut Ui, view: &mut View<'_>, file: &RecordingFile) {
    let (theme, texts) = (view.theme, view.texts);
    paragraph(ui, &texts.get("recordings-unfinished"), Type::Small, theme.warn);
    let text = texts.get("recordings-repair");
    let button = Button::new(&text).small().show(ui, theme);
    if button.clicked() {
        view.send(Command::Recordings(RecordingsCommand::Repair(file.path.clone())));
    }
    button.on_hover_text(&*texts.get("tip-recordings-repair"));
}

/// Draws the frame at which a part begins or ends, or else the thumbnail of the recording.
fn large(
    ui: &Ui,
    recordings: &RecordingsView,
    file: &RecordingFile,
    draft: &mut Draft,
    room: Rect,
) {
    let asked = recordings
        .frame
        .as_ref()
        .filter(|frame| frame.path == file.path && draft.cut.asked == Some(frame.asked));
    let Some(frame) = asked.and_then(|asked| asked.frame.as_ref()) else {
        list::thumbnail(ui, file, draft, room);
        return;
    };
    ui.painter().rect_filled(room, egui::CornerRadius::same(4), FRAME_BACKGROUND);
    // This view needs its own key, different from that of the thumbnail.
    let view = draft.thumbnails.view(&file.path.join("frame"), frame);
    let rect = fitted(room, view.shape(), ui.pixels_per_point());
    view.paint(ui, rect);
}

/// Draws the name of a recording, which can be edited.
fn name(ui: &mut Ui, view: &mut View<'_>, file: &RecordingFile, draft: &mut Draft) {
    let width = ui.available_width();
    let stem = list::stem(file);
    let mut text = draft.name.clone().unwrap_or_else(|| stem.clone());
    let wrong = check_name(&text).err();
    let id = egui::Id::unique("recording-name");
    let response = Field {
        name: &view.texts.get("recordings-name"),
        wrong: wrong.is_some(),
        limit: 200,
        width,
        ..Field::new(id, &mut text)
    }
    .show(ui, view.theme)
    .response;
    if std::mem::take(&mut draft.names) {
        response.request_focus();
        select_all(ui, id, &text);
    }
    if response.changed() {
        draft.name = Some(text.clone());
    }
    if let Some(wrong) = &wrong {
        paragraph(ui, &view.texts.say(wrong), Type::Small, view.theme.warn);
    }
    let pressed = |key| ui.input(|input| input.key_pressed(key));
    let (escaped, entered) = (pressed(Key::Escape), pressed(Key::Enter));
    let left = response.lost_focus();
    if left && entered && wrong.is_some() {
        // The name stays in its field, so that the user can correct it.
        response.request_focus();
    } else if left && (entered || escaped) {
        ui.memory_mut(|memory| memory.request_focus(row_id(&file.path)));
    }
    if left && escaped {
        draft.name = None;
    } else if left && wrong.is_none() && text.trim() != stem {
        draft.name = None;
        let command = RecordingsCommand::Rename(file.path.clone(), text);
        view.send(Command::Recordings(command));
    }
}

fn buttons(
    ui: &mut Ui,
    view: &mut View<'_>,
    file: &RecordingFile,
    draft: &mut Draft,
) -> Option<PathBuf> {
    let (theme, texts) = (view.theme, view.texts);
    let known = file.details().is_some();
    let busy = view.snapshot.is_being_written(file);
    if draft.asks_trash {
        trash_question(ui, view, file, draft);
        return None;
    }
    let mut play = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(gap::S, gap::S);
        let text = texts.get("recordings-play");
        let button = Button::new(&text).icon(Icon::Play).weight(ButtonWeight::Primary).small();
        if button.enabled(known).show(ui, theme).clicked() {
            play = Some(file.path.clone());
        }
        let text = texts.get("recordings-show");
        if Button::new(&text).icon(Icon::Folder).small().show(ui, theme).clicked() {
            let command = RecordingsCommand::ShowInFolder(file.path.clone());
            view.send(Command::Recordings(command));
        }
        let text = texts.get("recordings-trash");
        if Button::new(&text).icon(Icon::Trash).small().enabled(!busy).show(ui, theme).clicked() {
            draft.ask_trash();
        }
    });
    play
}

/// Asks before a recording is moved to the trash. Escape and Enter cancel. The keyboard focus then
/// returns to the row of the recording.
fn trash_question(ui: &mut Ui, view: &mut View<'_>, file: &RecordingFile, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    let args = [("name", file.name().into())];
    let question = texts.with("recordings-trash-ask", &args);
    announced(&paragraph(ui, &question, Type::Body, theme.text));
    let (trash, cancel) = (texts.get("recordings-trash"), texts.get("cancel"));
    let buttons = ui.horizontal(|ui| {
        let yes = Button::new(&trash).weight(ButtonWeight::Live).small().show(ui, theme);
        (yes, Button::new(&cancel).small().show(ui, theme))
    });
    let (yes, no) = buttons.inner;
    if std::mem::take(&mut draft.focuses_cancel) {
        no.request_focus();
    }
    let escaped =
        (yes.lost_focus() || no.lost_focus()) && ui.input(|input| input.key_pressed(Key::Escape));
    if yes.clicked() {
        draft.remember_next(&view.snapshot.recordings, &file.path);
        view.send(Command::Recordings(RecordingsCommand::Trash(file.path.clone())));
    }
    if yes.clicked() || no.clicked() || escaped {
        draft.asks_trash = false;
        ui.memory_mut(|memory| memory.request_focus(row_id(&file.path)));
    }
}
