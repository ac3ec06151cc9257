//! The media files that a source plays one after the other: those that follow its first one.

use std::path::PathBuf;

use egui::{Align, Ui, vec2};

use crate::capture::Properties;
use crate::compose::scene::SourceId;
use crate::ui::icons::Icon;
use crate::ui::scenes::filters::line;
use crate::ui::theme::Type;
use crate::ui::view::{View, Wish};
use crate::ui::widgets::{Button, Look, elided, icon_button};

/// Side of the buttons behind a name.
const SIDE: f32 = 26.0;

/// What is done to the list.
enum Done {
    Up(usize),
    Gone(usize),
}

pub(super) fn contents(ui: &mut Ui, view: &mut View<'_>, id: SourceId, files: &mut Vec<PathBuf>) {
    let name = view.texts.get("clips-then").to_string();
    line(ui, view, &name, |ui, view| {
        let text = view.texts.get("clips-add");
        let room = files.len() < Properties::MOST_FILES;
        if Button::new(&text).small().enabled(room).show(ui, view.theme).clicked() {
            let folder = files.last().and_then(|path| path.parent()).map(PathBuf::from);
            view.wish(Wish::PickThen(id, folder));
        }
    });
    let mut done = None;
    for (index, path) in files.iter().enumerate() {
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let number = (index + 2).to_string();
        line(ui, view, &number, |ui, view| {
            let named = [("name", file.as_str().into())];
            let up = view.texts.with("clips-up", &named);
            let up = icon_button(ui, view.theme, Icon::ChevronUp, &up, SIDE, Look::Quiet);
            if up.clicked() && index > 0 {
                done = Some(Done::Up(index));
            }
            let away = view.texts.with("clips-remove", &named);
            let away = icon_button(ui, view.theme, Icon::Close, &away, SIDE, Look::Quiet);
            if away.clicked() {
                done = Some(Done::Gone(index));
            }
            let size = vec2(ui.available_width(), SIDE);
            let (room, response) = ui.allocate_exact_size(size, egui::Sense::hover());
            elided(ui, room, Align::Min, &file, Type::Body.font(), view.theme.text);
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &*file));
            response.on_hover_text(path.display().to_string());
        });
    }
    match done {
        Some(Done::Up(index)) => files.swap(index, index - 1),
        Some(Done::Gone(index)) => drop(files.remove(index)),
        None => {}
    }
}
