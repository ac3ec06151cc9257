//! The fields for the name of a source and for its content, which depend on its kind.

use std::path::Path;
use std::time::Duration;

use egui::{Align, DragValue, Id, Ui, vec2};

use crate::capture::text::{ChatBoard, Content};
use crate::capture::{self, Area, CameraChoice, ColorSource, VideoChoice};
use crate::compose::scene::SourceId;
use crate::studio::scenes::{MAX_NAME, Source};
use crate::studio::{Command, Edit};
use crate::ui::input::actions::key;
use crate::ui::input::keystrokes::is_composing;
use crate::ui::scenes::add_source::{screen_kind, screen_name, window_name};
use crate::ui::scenes::draft::Draft;
use crate::ui::scenes::source::fields::{color, failure, figure, line, part, unit};
use crate::ui::scenes::source::playlist::left_out;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::sentence;
use crate::ui::view::file_request::FileRequest;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, Field, Select, TextBox, elided, menu_item, paragraph};

/// Seconds without typing after which typed text is applied.
const TYPING_PAUSE_SECONDS: f64 = 0.8;

/// Maximum number of characters that can be typed, because longer texts are not laid out.
const MAX_TYPED_CHARS: usize = 4_000;

/// Maximum coordinate of the captured part of a display, in pixels.
const MAX_COORDINATE: u32 = (1 << 16) - 1;

/// Draws the first fields of a source; its properties follow below them.
pub fn contents(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, source: &Source) {
    named(ui, view, draft, source);
    let held = draft.held.take().filter(|(id, _)| *id == source.id);
    let mut now = held.map_or_else(|| source.choice.clone(), |(_, choice)| choice);
    file(ui, view, source);
    match &mut now {
        VideoChoice::Camera(chosen) => camera(ui, view, chosen),
        VideoChoice::Color(fill) => filled(ui, view, fill),
        VideoChoice::Screen(screen) => monitor(ui, view, screen),
        VideoChoice::Window(id) => window(ui, view, id),
        VideoChoice::Text(content) => text_fields(ui, view, draft, source.id, content),
        VideoChoice::Stream(url) => {
            let name = view.texts.get("content-address").to_string();
            let is_address = |url: &str| format!("stream:{url}").parse::<VideoChoice>().is_ok();
            let mut valid = true;
            line(ui, view, &name, |ui, view| {
                valid = typed(ui, view, draft, source.id, (&name, "rtmp://…"), url, is_address);
            });
            if view.snapshot.server.is_own_stream(url) {
                let own = view.texts.get("add-address-own");
                paragraph(ui, &own, Type::Small, view.theme.warn);
            }
            if !valid {
                let wrong = view.texts.get("content-address-wrong");
                paragraph(ui, &wrong, Type::Small, view.theme.warn);
            }
        }
        VideoChoice::Browser(page) => {
            let name = view.texts.get("content-page").to_string();
            let is_page = |page: &str| {
                let choice = format!("browser:{page}").parse::<VideoChoice>();
                choice.is_ok_and(|it| it.path().is_none_or(Path::is_absolute))
            };
            let mut valid = true;
            line(ui, view, &name, |ui, view| {
                valid = typed(ui, view, draft, source.id, (&name, "https://…"), page, is_page);
            });
            if !valid {
                let wrong = view.texts.get("content-page-wrong");
                paragraph(ui, &wrong, Type::Small, view.theme.warn);
            }
        }
        _ => {}
    }
    if now != source.choice {
        // Most changes open another source, so a value is applied only when the user releases the
        // pointer.
        if ui.input(|input| input.pointer.any_down()) {
            draft.held = Some((source.id, now));
        } else {
            view.send(Command::Edit(Edit::SetSource(source.id, now)));
        }
    }
    let reason = view.snapshot.scenes.source(source.id).map(|it| it.reason.clone());
    if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
        let words = sentence(&view.texts.say_with_cure(&reason));
        failure(ui, view, &words);
    }
    ui.add_space(gap::S);
}

/// Draws the field for the name of the source, which lists and messages use.
fn named(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, source: &Source) {
    let (name, mut empty) = (view.texts.get("source-name").to_string(), false);
    line(ui, view, &name, |ui, view| {
        let kept = draft.name.take().filter(|(id, _)| *id == source.id);
        let is_kept = kept.is_some();
        let mut text = kept.map_or_else(|| source.name.clone(), |(_, text)| text);
        empty = text.trim().is_empty();
        let response = Field {
            name: &name,
            wrong: empty,
            limit: MAX_NAME,
            width: ui.available_width(),
            ..Field::new(Id::unique(("source-name", source.id)), &mut text)
        }
        .show(ui, view.theme)
        .response;
        let cancelled = ui.input(|input| input.key_pressed(egui::Key::Escape));
        if response.has_focus() {
            // After Enter, the source has its new name a moment later.
            draft.name = (is_kept || response.changed()).then_some((source.id, text));
        } else if response.lost_focus() && !cancelled && !empty && text != source.name {
            view.send(Command::Edit(Edit::RenameSource(source.id, text)));
        } else if empty && !cancelled {
            // The message stays until the user enters a name, or presses Escape for the old one.
            draft.name = Some((source.id, text));
        }
    });
    if empty {
        let warning = view.texts.with("source-name-empty", &[("name", source.name.clone().into())]);
        paragraph(ui, &warning, Type::Small, view.theme.warn);
    }
}

/// Draws the path of the file or folder, and the buttons that choose another one.
fn file(ui: &mut Ui, view: &mut View<'_>, source: &Source) {
    let Some((pick, path)) = FileRequest::of(&source.choice).zip(source.choice.path()) else {
        return;
    };
    let key = match pick {
        FileRequest::Slides => key!("content-folder"),
        FileRequest::Slide => key!("content-slide"),
        _ => key!("content-file"),
    };
    let other = match pick {
        FileRequest::Slides => Some((key!("content-choose-image"), FileRequest::Slide)),
        FileRequest::Slide => Some((key!("content-choose-folder"), FileRequest::Slides)),
        _ => None,
    };
    let name = view.texts.get(key).to_string();
    line(ui, view, &name, |ui, view| {
        for (key, pick) in std::iter::once((key!("content-choose"), pick)).chain(other) {
            let text = view.texts.get(key);
            if Button::new(&text).small().show(ui, view.theme).clicked() {
                let folder = path.parent().map(Path::to_owned);
                view.request(WindowRequest::PickAnother(pick, source.id, folder));
            }
        }
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let size = vec2(ui.available_width() - gap::S, 26.0);
        let (room, response) = ui.allocate_exact_size(size, egui::Sense::hover());
        elided(ui, room, Align::Min, &file, Type::Body.font(), view.theme.text);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &*file));
        response.on_hover_text(path.display().to_string());
    });
    left_out(ui, view, source.id, path);
}

/// Draws the list of cameras. Choosing another camera resets the format, because every camera has
/// its own formats.
fn camera(ui: &mut Ui, view: &mut View<'_>, now: &mut CameraChoice) {
    let snapshot = view.snapshot;
    let (name, first) = (view.texts.get("camera-which"), view.texts.get("camera-first"));
    let known = |id: &String| snapshot.cameras.iter().find(|camera| camera.id == *id);
    let chosen = match &now.id {
        None => first.to_string(),
        Some(id) => known(id).map_or_else(|| id.clone(), |camera| camera.name.clone()),
    };
    line(ui, view, &name, |ui, view| {
        choice(ui, &name, &chosen).show(ui, view.theme, |ui| {
            if menu_item(ui, view.theme, &first, "", now.id.is_none(), true) && now.id.is_some() {
                *now = CameraChoice::default();
            }
            for camera in &snapshot.cameras {
                let is_it = now.id.as_ref() == Some(&camera.id);
                if menu_item(ui, view.theme, &camera.name, "", is_it, true) && !is_it {
                    *now = CameraChoice::of(&camera.id);
                }
            }
        });
    });
}

/// Draws the fields for a color or a gradient of two colors.
fn filled(ui: &mut Ui, view: &mut View<'_>, fill: &mut ColorSource) {
    color(ui, view, key!("fill-color"), &mut fill.color);
    part(ui, view, key!("fill-gradient"), &mut fill.to, capture::Rgba::BLACK);
    if let Some(to) = &mut fill.to {
        color(ui, view, key!("fill-to"), to);
        exact(ui, view, key!("fill-degrees"), &mut fill.degrees, 0..=359, "°");
    }
}

/// Draws the list of displays, and the fields for a part of the display.
fn monitor(ui: &mut Ui, view: &mut View<'_>, screen: &mut capture::DisplayTarget) {
    let snapshot = view.snapshot;
    let texts = view.texts;
    let name = texts.get("screen-which").to_string();
    let known = |id: &str| snapshot.screens.iter().find(|screen| screen.id == id);
    if !snapshot.screens.is_empty() {
        let main = texts.get("screen-main");
        let chosen = match &screen.id {
            None => main.to_string(),
            Some(id) => known(id).map_or_else(|| id.clone(), |screen| screen_name(view, screen)),
        };
        line(ui, view, &name, |ui, view| {
            choice(ui, &name, &chosen).show(ui, view.theme, |ui| {
                if menu_item(ui, view.theme, &main, "", screen.id.is_none(), true) {
                    screen.id = None;
                }
                for one in snapshot.screens.iter() {
                    let (title, kind) = (screen_name(view, one), screen_kind(view, one));
                    let is_it = screen.id.as_ref() == Some(&one.id);
                    if menu_item(ui, view.theme, &title, &kind, is_it, true) {
                        screen.id = Some(one.id.clone());
                    }
                }
            });
        });
    }
    let shown = screen.id.as_deref().and_then(known).or(snapshot.screens.first());
    let whole = shown.map_or(Area::new(0, 0, 1920, 1080), |screen| {
        Area::new(0, 0, screen.area.width, screen.area.height)
    });
    part(ui, view, key!("screen-part"), &mut screen.part, whole);
    if let Some(Area { x, y, width, height }) = &mut screen.part {
        exact(ui, view, key!("part-x"), x, 0..=MAX_COORDINATE, " px");
        exact(ui, view, key!("part-y"), y, 0..=MAX_COORDINATE, " px");
        exact(ui, view, key!("part-width"), width, 2..=MAX_COORDINATE, " px");
        exact(ui, view, key!("part-height"), height, 2..=MAX_COORDINATE, " px");
    }
}

fn window(ui: &mut Ui, view: &mut View<'_>, id: &mut String) {
    let snapshot = view.snapshot;
    if snapshot.windows.is_empty() {
        return;
    }
    let name = view.texts.get("window-which").to_string();
    let known = snapshot.windows.iter().find(|window| window.id == *id);
    let chosen = known.map_or_else(|| id.clone(), |window| window_name(window).to_owned());
    line(ui, view, &name, |ui, view| {
        choice(ui, &name, &chosen).show(ui, view.theme, |ui| {
            egui::ScrollArea::vertical().id_salt("windows").max_height(300.0).show(ui, |ui| {
                for one in snapshot.windows.iter() {
                    let title = window_name(one);
                    if menu_item(ui, view.theme, title, &one.class, one.id == *id, true) {
                        id.clone_from(&one.id);
                    }
                }
            });
        });
    });
}

/// Creates a drop-down list with the full available width.
fn choice<'a>(ui: &Ui, name: &'a str, chosen: &'a str) -> Select<'a> {
    Select::new(name, chosen, ui.available_width())
}

fn text_fields(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    id: SourceId,
    content: &mut Content,
) {
    match content {
        Content::Words(words) => {
            let name = view.texts.get("content-text").to_string();
            typed_lines(ui, view, draft, id, &name, words);
        }
        Content::Clock(format) => {
            let name = view.texts.get("content-format").to_string();
            line(ui, view, &name, |ui, view| {
                typed(ui, view, draft, id, (&name, "%H:%M:%S"), format, |_| true);
            });
        }
        Content::Countdown(from) => {
            let before = from.as_secs();
            let (mut minutes, mut seconds) = (before / 60, before % 60);
            let [min, s] =
                [key!("settings-minutes"), key!("settings-seconds")].map(|it| unit(view, it));
            exact(ui, view, key!("content-minutes"), &mut minutes, 0..=5_999, &min);
            exact(ui, view, key!("content-seconds"), &mut seconds, 0..=59, &s);
            let now = minutes * 60 + seconds;
            if now != before {
                *from = Duration::from_secs(now);
            }
        }
        Content::Chat(lines) => {
            exact(ui, view, key!("content-chat-lines"), lines, 1..=ChatBoard::MAX_LINES, "");
        }
        Content::File(_) | Content::Stopwatch | Content::GuestName(_) => {}
    }
}

/// Returns the text that was typed for a source, or its current value.
fn draft_of(draft: &mut Draft, id: SourceId, now: &str) -> String {
    draft.words.remove(&id).unwrap_or_else(|| now.to_owned())
}

/// Returns the content of a source with this new text, format or address, or `None` if the input is
/// not valid.
pub fn with_words(choice: &VideoChoice, words: &str) -> Option<VideoChoice> {
    match choice {
        // An empty text is not a source; the user can hide the source instead.
        VideoChoice::Text(Content::Words(_)) if !words.trim().is_empty() => {
            Some(VideoChoice::Text(Content::Words(words.to_owned())))
        }
        VideoChoice::Text(Content::Clock(_)) => {
            Some(VideoChoice::Text(Content::Clock(words.trim().to_owned())))
        }
        VideoChoice::Stream(_) => format!("stream:{}", words.trim()).parse().ok(),
        VideoChoice::Browser(_) => format!("browser:{}", words.trim()).parse().ok(),
        _ => None,
    }
}

/// Returns true if the user has stopped typing, so that the text can be applied.
fn has_paused(ui: &Ui, draft: &mut Draft, response: &egui::Response) -> bool {
    let now = ui.input(|input| input.time);
    if response.changed() || is_composing(ui.ctx()) {
        draft.typed_at = now;
    }
    let left = draft.typed_at + TYPING_PAUSE_SECONDS - now;
    if left > 0.0 {
        ui.ctx().request_repaint_after(Duration::from_secs_f64(left));
    }
    left <= 0.0
}

/// Draws a single-line text field. The text is applied when the user presses Enter or the field
/// loses the focus, so that viewers never see half of it. Returns whether the text is valid.
fn typed(
    ui: &mut Ui,
    view: &View<'_>,
    draft: &mut Draft,
    id: SourceId,
    (name, hint): (&str, &str),
    value: &mut String,
    is_valid: impl Fn(&str) -> bool,
) -> bool {
    let mut text = draft_of(draft, id, value);
    let valid = is_valid(text.trim());
    let response = Field {
        name,
        hint,
        wrong: !valid,
        limit: MAX_TYPED_CHARS,
        width: ui.available_width(),
        ..Field::new(Id::unique(("source-typed", id)), &mut text)
    }
    .show(ui, view.theme)
    .response;
    if text != *value {
        if valid && response.lost_focus() {
            text.trim().clone_into(value);
        } else {
            draft.words.insert(id, text);
        }
    }
    valid
}

/// Draws a multi-line text field. Its text is applied when the user stops typing or presses
/// Ctrl+Enter.
fn typed_lines(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    id: SourceId,
    name: &str,
    value: &mut String,
) {
    let mut text = draft_of(draft, id, value);
    // This runs before the field, which would insert a line break.
    let field = Id::unique(("source-lines", id));
    let focused = ui.memory(|memory| memory.has_focus(field));
    let enter =
        focused && ui.input_mut(|it| it.consume_key(egui::Modifiers::COMMAND, egui::Key::Enter));
    crate::ui::widgets::label(ui, name, Type::Small, view.theme.secondary);
    let width = ui.available_width();
    let response =
        TextBox { id: field, text: &mut text, name, rows: 3, limit: MAX_TYPED_CHARS, width }
            .show(ui, view.theme);
    if text == *value {
        return;
    }
    let taken = enter || response.lost_focus() || has_paused(ui, draft, &response);
    // An empty text is not a source; the user can hide the source instead.
    if taken && !text.trim().is_empty() {
        *value = text;
    } else {
        draft.words.insert(id, text);
    }
}

/// Draws a field for a number, which is applied after the user has finished typing.
fn exact<N: egui::emath::Numeric>(
    ui: &mut Ui,
    view: &mut View<'_>,
    key: &'static str,
    value: &mut N,
    range: std::ops::RangeInclusive<N>,
    unit: &str,
) {
    let range = range.start().to_f64()..=range.end().to_f64();
    let field = DragValue::new(value).update_while_editing(false);
    figure(ui, view, key, field, range, unit);
}
