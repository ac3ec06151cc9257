//! Handles files that are dropped on the *Studio* page. An audio file becomes an audio source, and
//! every other file becomes a source of the edited scene.

use std::path::PathBuf;

use egui::{Align2, CornerRadius, Rect, Ui, vec2};

use crate::audio::AudioChoice;
use crate::capture::VideoChoice;
use crate::studio::targets::services::host_of;
use crate::studio::{Command, Edit, Snapshot};
use crate::ui::scenes::add_source::{edit_for, edits_for};
use crate::ui::scenes::draft::{Draft, edited};
use crate::ui::scenes::kind::{Dropped, what_is};
use crate::ui::style::theme::{CARD_RADIUS, TEXT_PLATE, Type, VIDEO_TEXT_COLOR};
use crate::ui::view::View;
use crate::ui::widgets::place;

/// Maximum number of files that can be dropped together.
const MAX_DROPPED_FILES: usize = 16;

/// Handles dropped files, and shows a hint while files are dragged over `room`.
pub fn show(ui: &Ui, view: &mut View<'_>, draft: &mut Draft, room: Rect) {
    let (hovering, paths, count) = ui.input(|input| {
        let files = input.raw.dropped_files.iter().take(MAX_DROPPED_FILES);
        let paths: Vec<PathBuf> = files.map(|file| file.path().to_owned()).collect();
        (!input.raw.hovered_files.is_empty(), paths, input.raw.dropped_files.len())
    });
    if hovering {
        let at = Rect::from_center_size(room.center(), vec2(room.width().min(360.0), 64.0));
        ui.painter().rect_filled(at, CornerRadius::same(CARD_RADIUS), TEXT_PLATE);
        let text = view.texts.get("drop-to-add");
        place(ui, at.center(), Align2::CENTER_CENTER, &text, Type::Title, VIDEO_TEXT_COLOR);
    }
    if count > MAX_DROPPED_FILES {
        view.send(Command::TooManyDropped { count, most: MAX_DROPPED_FILES });
    }
    let mut sources = Vec::new();
    for path in paths {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match what_is(path) {
            Dropped::Video(choice) => sources.push((name, choice)),
            Dropped::Audio(path) => view.send(Command::AddStrip(AudioChoice::File(path))),
        }
    }
    if !sources.is_empty() {
        let edits = edits_for(view.snapshot, edited(view.snapshot), sources);
        draft.await_items(view.snapshot);
        view.send(Command::Edit(Edit::Several(edits)));
    }
}

/// Returns the edit for a dropped address. It adds a source that plays the address and is named
/// after the host.
pub fn of_address(snapshot: &Snapshot, address: String) -> Edit {
    let host = host_of(&address).unwrap_or_default().to_owned();
    edit_for(snapshot, edited(snapshot), host, VideoChoice::Stream(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_address_names_its_source_after_the_host() {
        for (address, host) in [
            ("rtmp://me:pass@live.example:1935/live/x", "live.example"),
            ("rtmp://[::1]:1935/live/x", "::1"),
        ] {
            let edit = of_address(&Snapshot::default(), address.to_owned());
            let Edit::PlaceSource { name, .. } = &edit else { panic!("{edit:?}") };
            assert_eq!(name, host);
        }
    }
}
