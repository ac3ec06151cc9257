//! Input from outside the page: dropped files and links, and pasted addresses.

use std::path::Path;

use egui::{Align2, CornerRadius, Rect, Ui, vec2};

use crate::player::source_text;
use crate::studio::watch::choices::{MAX_ADDRESS_LENGTH, MAX_TILES};
use crate::studio::{Command, WatchCommand};
use crate::ui::style::theme::{CARD_RADIUS, TEXT_PLATE, Type, VIDEO_TEXT_COLOR};
use crate::ui::view::View;
use crate::ui::watch::commands::send;
use crate::ui::watch::draft::Draft;
use crate::ui::widgets::place;

/// Plays files dropped on the page, and addresses pasted while no text field has the focus.
pub fn dropped(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, room: Rect) {
    let (hovering, mut come) = ui.input(|input| {
        let files = input.raw.dropped_files.iter();
        let names = files.map(|file| {
            dropped_name(file.path(), || {
                let small = file.path().metadata().is_ok_and(|it| it.len() <= MAX_LINK_FILE_BYTES);
                small.then(|| file.bytes().ok()).flatten()
            })
        });
        let come: Vec<String> = names.collect();
        (!input.raw.hovered_files.is_empty(), come)
    });
    if !ui.ctx().text_edit_focused() {
        let pasted = ui.input(|input| {
            input.events.iter().find_map(|event| match event {
                egui::Event::Paste(text) => Some(text.trim().to_owned()),
                _ => None,
            })
        });
        come.extend(pasted.filter(|text| is_address(text)));
    }
    if hovering || draft.address_over {
        let at = Rect::from_center_size(room.center(), vec2(room.width().min(360.0), 64.0));
        ui.painter().rect_filled(at, CornerRadius::same(CARD_RADIUS), TEXT_PLATE);
        let text = view.texts.get("drop-to-play");
        place(ui, at.center(), Align2::CENTER_CENTER, &text, Type::Title, VIDEO_TEXT_COLOR);
    }
    if come.len() > MAX_TILES {
        view.send(Command::TooManyDropped { count: come.len(), most: MAX_TILES });
    }
    let mut come = come.into_iter().take(MAX_TILES);
    if let Some(first) = come.next() {
        draft.set_url(first.clone());
        view.send(Command::Watch { url: first });
        for url in come {
            send(view, WatchCommand::Add { url });
        }
    }
}

/// Returns true if a text is a single address and nothing else.
pub fn is_address(text: &str) -> bool {
    text.contains("://") && text.len() <= MAX_ADDRESS_LENGTH && !text.contains(char::is_whitespace)
}

/// The maximum size in bytes of a file that contains only an address.
const MAX_LINK_FILE_BYTES: u64 = 64 << 10;

/// Returns the source to play for a dropped file: the file itself or, for a link file, the address
/// in it.
fn dropped_name(path: &Path, read: impl FnOnce() -> Option<Vec<u8>>) -> String {
    let link = path.extension().is_some_and(|it| it == "url" || it == "desktop");
    let held = if link { read().and_then(|bytes| address_in(&bytes)) } else { None };
    held.unwrap_or_else(|| source_text(path.as_os_str()))
}

/// Returns the first address in a link file of Windows (`.url`) or of a Linux desktop (`.desktop`).
fn address_in(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("URL="));
    lines.map(str::to_owned).find(|address| is_address(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_or_pasted_is_an_address_or_a_file() {
        let name =
            |path: &str, bytes: &[u8]| dropped_name(Path::new(path), || Some(bytes.to_vec()));
        assert_eq!(name("/a b.flv", b""), "/a b.flv");
        let link = b"[InternetShortcut]\r\nURL=https://host/live.m3u8\r\n";
        assert_eq!(name("/a.url", link), "https://host/live.m3u8");
        assert_eq!(name("/a.url", b"just words"), "/a.url");
        assert_eq!(name("/a.desktop", &[0xFF; 9_000]), "/a.desktop");
        assert_eq!(name("/a.flv", link), "/a.flv");
        assert!(is_address("rtmp://host/live/a") && !is_address("see rtmp://host/live/a"));
    }
}
