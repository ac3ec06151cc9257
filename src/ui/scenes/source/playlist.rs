//! The playlist of a source: the files that the source plays or shows after its first file.

use std::path::{Path, PathBuf};

use egui::{Align, Ui, vec2};

use crate::capture::Properties;
use crate::compose::scene::SourceId;
use crate::ui::input::actions::key;
use crate::ui::scenes::source::fields::line;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::Type;
use crate::ui::view::file_request::{FileRequest, PlaylistRequest};
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, elided, icon_button, label, paragraph};

/// The side length of the buttons before a file name, in points.
const BUTTON_SIDE_POINTS: f32 = 26.0;

/// A change to the playlist.
enum PlaylistEdit {
    Up(usize),
    Gone(usize),
    Another(usize, PathBuf),
}

/// Draws the reason why a source skips this file, if it does.
pub fn left_out(ui: &mut Ui, view: &View<'_>, source: SourceId, path: &Path) {
    let source = view.snapshot.scenes.source(source);
    if let Some(reason) = source.and_then(|source| source.file_problem(path)) {
        let reason = view.texts.say(reason);
        let words = view.texts.with("clips-skipped", &[("reason", reason.into())]);
        paragraph(ui, &words, Type::Small, view.theme.warn);
    }
}

/// Draws the playlist for files of this kind.
pub fn contents(
    ui: &mut Ui,
    view: &mut View<'_>,
    (source, pick): (SourceId, FileRequest),
    files: &mut Vec<PathBuf>,
) {
    let of = |path: &PathBuf| path.parent().map(PathBuf::from);
    let name = view.texts.get("clips-then").to_string();
    line(ui, view, &name, |ui, view| {
        let slides = pick == FileRequest::Image;
        let key = if slides { key!("clips-add-images") } else { key!("clips-add") };
        let text = view.texts.get(key);
        let room = files.len() < Properties::MAX_ADDITIONAL_FILES;
        if Button::new(&text).small().enabled(room).show(ui, view.theme).clicked() {
            let then = PlaylistRequest { source, pick, at: None };
            view.request(WindowRequest::PickThen(then, files.last().and_then(of)));
        }
    });
    let mut done = None;
    for (index, path) in files.iter().enumerate() {
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let number = (index + 2).to_string();
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            label(ui, &number, Type::Figure, view.theme.secondary);
            let named = [("name", file.as_str().into())];
            let button = |ui: &mut Ui, icon, key| {
                let (name, side) = (view.texts.with(key, &named), BUTTON_SIDE_POINTS);
                icon_button(ui, view.theme, icon, &name, side).clicked()
            };
            if button(ui, Icon::ChevronUp, key!("clips-up")) && index > 0 {
                done = Some(PlaylistEdit::Up(index));
            }
            if button(ui, Icon::Folder, key!("clips-another")) {
                done = Some(PlaylistEdit::Another(index, path.clone()));
            }
            if button(ui, Icon::Close, key!("clips-remove")) {
                done = Some(PlaylistEdit::Gone(index));
            }
            let size = vec2(ui.available_width(), BUTTON_SIDE_POINTS);
            let (room, response) = ui.allocate_exact_size(size, egui::Sense::hover());
            elided(ui, room, Align::Min, &file, Type::Body.font(), view.theme.text);
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &*file));
            response.on_hover_text(path.display().to_string());
        });
        left_out(ui, view, source, path);
    }
    match done {
        Some(PlaylistEdit::Up(index)) => files.swap(index, index - 1),
        Some(PlaylistEdit::Gone(index)) => drop(files.remove(index)),
        Some(PlaylistEdit::Another(index, path)) => {
            let folder = of(&path);
            let then = PlaylistRequest { source, pick, at: Some((index, path)) };
            view.request(WindowRequest::PickThen(then, folder));
        }
        None => {}
    }
}
