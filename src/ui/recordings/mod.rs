//! The *Recordings* page: the files in the recordings folder, and the actions for the selected
//! file.

pub mod commands;
mod details;
mod draft;
mod list;
mod trim;

use std::path::PathBuf;

use egui::{Align, Layout, Rect, Ui, vec2};

use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::targets::child;
use crate::ui::text::format;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Field, at_line_end, elided, icon_button};

pub use draft::Draft;

/// Draws the page in `room`. Returns the recording to play, if any.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    room: Rect,
    right: f32,
) -> Option<PathBuf> {
    let recordings = std::sync::Arc::clone(&view.snapshot.recordings);
    draft.learn(&recordings, ui.memory(egui::Memory::focused));
    draft.begin(&recordings);
    let split = room.right() - right;
    let (left, side) = room.split_left_right_at_x(split);
    let bar = Rect::from_min_size(left.min, vec2(left.width(), size::WATCH_ADDRESS_BAR_HEIGHT));
    let files = Rect::from_min_max(bar.left_bottom(), left.max);
    ui.painter().hline(bar.x_range(), bar.bottom() - 0.5, view.theme.border());
    ui.painter().vline(side.left() + 0.5, side.y_range(), view.theme.border());
    header(ui, view, draft, bar.shrink2(vec2(gap::L, 9.0)));
    let mut below = child(ui, files, "recordings");
    let mut play = list::show(&mut below, view, &recordings, draft);
    draft.forget_focus(&recordings, ui.memory(egui::Memory::focused));
    let mut panel = child(ui, side.shrink2(vec2(gap::L, gap::M)), "recording");
    play = play.or(details::show(&mut panel, view, &recordings, draft));
    draft.thumbnails.forget_unseen();
    play
}

/// Draws the folder, its free space, and the search field.
fn header(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, room: Rect) {
    let (theme, texts) = (view.theme, view.texts);
    let mut bar = ui.new_child(
        egui::UiBuilder::new().max_rect(room).layout(Layout::right_to_left(Align::Center)),
    );
    at_line_end(&mut bar, |bar| {
        Field {
            name: &texts.get("recordings-search"),
            hint: &texts.get("recordings-search"),
            limit: 200,
            width: 180.0,
            ..Field::new(egui::Id::unique("recordings-search"), &mut draft.search)
        }
        .show(bar, theme);
        let name = texts.get("recordings-choose-folder");
        if icon_button(bar, theme, Icon::Folder, &name, 30.0).clicked() {
            view.request(WindowRequest::PickRecordingFolder);
        }
    });
    let folder = view.snapshot.preferences.recording_folder.display().to_string();
    let text = match view.snapshot.recordings.free {
        Some(free) => {
            let args = [("folder", folder.into()), ("free", format::bytes(free).into())];
            texts.with("recordings-folder-free", &args)
        }
        None => folder,
    };
    let words = room.with_max_x(bar.min_rect().left() - gap::M);
    let shown = elided(ui, words, Align::Min, &text, Type::Small.font(), theme.secondary);
    let response = ui.interact(shown, ui.scope_id().with("recording-folder"), egui::Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &text));
    response.on_hover_text(&text);
}
