//! The list of recordings: thumbnail, name, and details of each file, the newest first.

use std::path::PathBuf;

use egui::{
    Align, Color32, CornerRadius, Key, Memory, Popup, Rect, Role, ScrollArea, Sense, Ui,
    WidgetInfo, pos2, vec2,
};

use crate::studio::Command;
use crate::studio::live::recording::library::RecordingsCommand;
use crate::studio::live::recording::library::details::Details;
use crate::studio::live::recording::library::view::{
    FileState, MAX_LISTED_RECORDINGS, RecordingFile, RecordingsView,
};
use crate::ui::input::actions::{Action, key};
use crate::ui::input::hotkeys::accept_letters;
use crate::ui::recordings::Draft;
use crate::ui::recordings::draft::row_id;
use crate::ui::scenes::menu;
use crate::ui::style::icons::{self, Icon};
use crate::ui::style::theme::{
    CONTROL_RADIUS, FRAME_BACKGROUND, TEXT_PLATE, Type, VIDEO_TEXT_COLOR, gap,
};
use crate::ui::text::{Texts, format};
use crate::ui::video::fitted;
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, command_item, elided, focus_ring, label, paragraph, pressed_once, row_by_arrow, scroll,
};

/// Height of a row, in points.
const ROW_HEIGHT_POINTS: f32 = 72.0;
/// Size of the thumbnail, in points.
const THUMBNAIL_SIZE: egui::Vec2 = vec2(107.0, 60.0);

/// Draws the list. Returns the recording to play, if any.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    recordings: &RecordingsView,
    draft: &mut Draft,
) -> Option<PathBuf> {
    let files = draft.found(recordings);
    if files.is_empty() {
        empty(ui, view, recordings);
        return None;
    }
    let (mut play, mut next) = (None, None);
    // The list is one stop of the Tab key: its selected row, or else the first one.
    let selected = files.iter().position(|file| draft.selected.as_ref() == Some(&file.path));
    let tab_stop = selected.unwrap_or_default();
    let area = ScrollArea::vertical().auto_shrink(false);
    scroll(area, "recordings", ui, |ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        ui.add_space(gap::S);
        for (index, file) in files.iter().enumerate() {
            let is_tab_stop = index == tab_stop;
            play = play.take().or(row(ui, view, file, draft, is_tab_stop));
            next = next.or(row_by_arrow(ui, row_id(&file.path), index, files.len() - 1));
        }
        if recordings.more > 0 {
            let text = view.texts.counted("recordings-more", recordings.more);
            let more = view.texts.get("recordings-list-more");
            ui.horizontal(|ui| {
                ui.add_space(gap::L);
                label(ui, &text, Type::Small, view.theme.secondary);
                ui.add_space(gap::S);
                let can = recordings.files.len() < MAX_LISTED_RECORDINGS;
                if can && Button::new(&more).small().show(ui, view.theme).clicked() {
                    view.send(Command::Recordings(RecordingsCommand::ListMore));
                }
            });
        }
        ui.add_space(gap::S);
    });
    // The row can get the focus because it is selected when it is drawn next.
    if let Some(file) = next.and_then(|index| files.get(index)) {
        select(view, file, draft);
        ui.memory_mut(|memory| memory.request_focus(row_id(&file.path)));
    }
    play
}

fn empty(ui: &mut Ui, view: &View<'_>, recordings: &RecordingsView) {
    let texts = view.texts;
    let (title, advice) = match &recordings.problem {
        Some(problem) => (texts.get("recordings-unreadable").to_string(), texts.say(problem)),
        None if !recordings.is_read => (texts.get("recordings-reading").to_string(), String::new()),
        None if recordings.files.is_empty() => (
            texts.get("recordings-none").to_string(),
            texts.get("recordings-none-cure").to_string(),
        ),
        None => (texts.get("recordings-none-found").to_string(), String::new()),
    };
    ui.add_space(ui.available_height() * 0.35);
    ui.vertical_centered(|ui| {
        label(ui, &title, Type::Title, view.theme.text);
        if !advice.is_empty() {
            ui.set_max_width(440.0);
            paragraph(ui, &advice, Type::Body, view.theme.secondary);
        }
    });
}

/// Returns the time, duration and size of a recording.
fn summary(texts: &Texts, file: &RecordingFile, is_busy: bool) -> String {
    let mut parts = vec![format::date_and_time(file.wall_micros)];
    if let Some(details) = file.details().filter(|_| !is_busy) {
        parts.push(format::clock(details.duration));
    }
    parts.push(format::bytes(file.bytes));
    parts.extend(obstacle(file, is_busy).map(|key| texts.get(key).to_string()));
    parts.join(" · ")
}

/// Returns the text key for the state of a recording that is not ready.
fn obstacle(file: &RecordingFile, is_busy: bool) -> Option<&'static str> {
    match &file.state {
        _ if is_busy => Some(key!("recordings-changing")),
        FileState::Waiting => Some(key!("recordings-waiting")),
        FileState::Unreadable(_) => Some(key!("recordings-damaged")),
        FileState::Known(_) | FileState::Changing => None,
    }
}

/// Returns the tracks as text: `1920×1080 · H.264 · AAC`.
pub fn tracks(texts: &Texts, details: &Details) -> String {
    let mut parts = Vec::new();
    if let Some(video) = &details.video {
        parts.push(format::size(video.size));
        parts.push(video.codec.name().to_owned());
    }
    match details.audio.as_slice() {
        [] => {}
        [one] => parts.push(one.codec.name().to_owned()),
        [first, ..] => {
            let count = details.audio.len().to_string();
            let args = [("count", count.into()), ("codec", first.codec.name().into())];
            parts.push(texts.with("recordings-audio-tracks", &args));
        }
    }
    parts.join(" · ")
}

/// Selects another recording.
fn select(view: &mut View<'_>, file: &RecordingFile, draft: &mut Draft) {
    // The field for the name shows the other recording before it loses the focus.
    if draft.selected.as_ref() != Some(&file.path) {
        draft.end_name().into_iter().for_each(|command| view.send(command));
    }
    draft.select(Some(file.path.clone()));
    draft.scroll_to = false;
}

/// Handles the keys of the row with the keyboard focus: Enter plays the recording, F2 renames it,
/// and Delete asks whether to move it to the trash. Returns the recording to play, if any.
fn by_key(
    ui: &Ui,
    view: &mut View<'_>,
    file: &RecordingFile,
    draft: &mut Draft,
) -> Option<PathBuf> {
    // While the menu of the row is open, the keys act in the menu.
    if Popup::is_any_open(ui.ctx()) {
        return None;
    }
    if pressed_once(ui, Key::F2) {
        select(view, file, draft);
        draft.begin_name(stem(file));
    } else if pressed_once(ui, Key::Delete) && !view.snapshot.is_being_written(file) {
        select(view, file, draft);
        draft.ask_trash();
    } else if pressed_once(ui, Key::Enter) {
        return file.details().map(|_| file.path.clone());
    }
    None
}

fn row(
    ui: &mut Ui,
    view: &mut View<'_>,
    file: &RecordingFile,
    draft: &mut Draft,
    is_tab_stop: bool,
) -> Option<PathBuf> {
    let (theme, texts) = (view.theme, view.texts);
    let width = ui.available_width();
    let (_, whole) = ui.allocate_space(vec2(width, ROW_HEIGHT_POINTS));
    let sense = if is_tab_stop { Sense::click() } else { Sense::CLICK };
    let response = ui.interact(whole, row_id(&file.path), sense);
    let chosen = draft.selected.as_ref() == Some(&file.path);
    let (name, second) = (file.name(), summary(texts, file, view.snapshot.is_being_written(file)));
    response.widget_info(|| {
        let accessible_name = format!("{name}, {second}");
        WidgetInfo::selected(Role::RadioButton, ui.is_enabled(), chosen, accessible_name)
    });
    accept_letters(&response);
    let is_entered = response.gained_focus() && !chosen && draft.follows_focus(response.id);
    if response.clicked() || response.secondary_clicked() || is_entered {
        select(view, file, draft);
    }
    if chosen
        && let Some(before) = draft.focused_before.take()
        && ui.memory(Memory::focused).is_none_or(|now| now == before)
    {
        response.request_focus();
    }
    if response.clicked() {
        response.request_focus();
    }
    if chosen && std::mem::take(&mut draft.scroll_to) {
        response.scroll_to_me(Some(Align::Center));
    }
    let mut play = response.double_clicked().then(|| file.path.clone());
    if response.has_focus() {
        play = play.or(by_key(ui, view, file, draft));
    }
    menu::context(&response, view, |ui, view| {
        play = play.take().or(lines(ui, view, file, draft));
    });
    let rect = whole.shrink2(vec2(gap::S, 0.0));
    if ui.is_rect_visible(whole) {
        let fill = match (chosen, response.hovered()) {
            (true, _) => theme.selected(),
            (false, true) => theme.raised,
            _ => Color32::TRANSPARENT,
        };
        ui.painter().rect_filled(rect, CornerRadius::same(CONTROL_RADIUS), fill);
        let at = pos2(rect.left() + gap::S, rect.center().y - THUMBNAIL_SIZE.y / 2.0);
        let room = Rect::from_min_size(at, THUMBNAIL_SIZE);
        thumbnail(ui, file, draft, room);
        let words = rect.shrink2(vec2(gap::M, gap::S)).with_min_x(room.right() + gap::M);
        let line = |number: f32| {
            let height = words.height() / 3.0;
            let min = words.min + vec2(0.0, height * number);
            Rect::from_min_size(min, vec2(words.width(), height))
        };
        elided(ui, line(0.0), Align::Min, &name, Type::BodyStrong.font(), theme.text);
        elided(ui, line(1.0), Align::Min, &second, Type::Small.font(), theme.secondary);
        let third = file.details().map(|it| tracks(texts, it)).unwrap_or_default();
        elided(ui, line(2.0), Align::Min, &third, Type::Small.font(), theme.secondary);
    }
    // The focus scrolls to a row that is not visible.
    focus_ring(ui, theme, &response.with_new_rect(rect), CONTROL_RADIUS);
    play
}

/// Draws the thumbnail of a recording, or an icon.
pub fn thumbnail(ui: &Ui, file: &RecordingFile, draft: &mut Draft, room: Rect) {
    ui.painter().rect_filled(room, CornerRadius::same(4), FRAME_BACKGROUND);
    let frame = file.details().and_then(|details| details.thumbnail.as_ref());
    if let Some(frame) = frame {
        let view = draft.thumbnails.view(&file.path, frame);
        let rect = fitted(room, view.shape(), ui.pixels_per_point());
        if view.paint(ui, rect) {
            return length(ui, file, room);
        }
    }
    let icon = match &file.state {
        FileState::Unreadable(_) => Icon::Warning,
        FileState::Known(details) if details.video.is_none() => Icon::Note,
        _ => Icon::Film,
    };
    let color = crate::ui::style::theme::VIDEO_SECONDARY_TEXT_COLOR;
    icons::paint_at(ui.painter(), icon, room.center(), 22.0, color);
    length(ui, file, room);
}

/// Draws the duration of a recording in the corner of its thumbnail.
fn length(ui: &Ui, file: &RecordingFile, room: Rect) {
    let Some(details) = file.details() else { return };
    let text = format::clock(details.duration);
    let galley = ui.painter().layout_no_wrap(text, Type::Tiny.font(), VIDEO_TEXT_COLOR);
    let size = galley.size() + vec2(gap::S, 2.0);
    let plate = Rect::from_min_size(room.max - size - vec2(3.0, 3.0), size);
    ui.painter().rect_filled(plate, CornerRadius::same(3), TEXT_PLATE);
    ui.painter().galley(plate.center() - galley.size() / 2.0, galley, VIDEO_TEXT_COLOR);
}

/// Draws the context menu of a recording.
fn lines(
    ui: &mut Ui,
    view: &mut View<'_>,
    file: &RecordingFile,
    draft: &mut Draft,
) -> Option<PathBuf> {
    let busy = view.snapshot.is_being_written(file);
    let mut pressed = |action: Action, key: &'static str, can: bool, view: &View<'_>| {
        let why_not = obstacle(file, busy).unwrap_or(key!("recordings-changing"));
        let (title, why_not) = (view.texts.get(key), view.texts.get(why_not));
        let why_not = (!can).then_some(&*why_not);
        let pressed = command_item(ui, view.theme, action, &title, "", false, why_not);
        if pressed {
            ui.close();
        }
        pressed
    };
    let known = file.details().is_some();
    if pressed(Action::RecordingPlay, key!("recordings-play"), known, view) {
        return Some(file.path.clone());
    }
    if pressed(Action::RecordingShow, key!("recordings-show"), true, view) {
        let command = RecordingsCommand::ShowInFolder(file.path.clone());
        view.send(Command::Recordings(command));
    }
    if pressed(Action::RecordingRename, key!("recordings-rename"), true, view) {
        draft.select(Some(file.path.clone()));
        draft.begin_name(stem(file));
    }
    if pressed(Action::RecordingTrash, key!("recordings-trash"), !busy, view) {
        draft.select(Some(file.path.clone()));
        draft.ask_trash();
    }
    None
}

/// Returns the name without its extension.
pub fn stem(file: &RecordingFile) -> String {
    file.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
