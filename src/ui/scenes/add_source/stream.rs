//! The page of *Add source* for a stream, whose address the user enters. No address is entered in
//! advance, because onair connects to it at once.

use egui::{Id, Key, Ui};

use crate::capture::VideoChoice;
use crate::ui::scenes::add_source::new_source::add;
use crate::ui::scenes::add_source::page::Adding;
use crate::ui::scenes::draft::Draft;
use crate::ui::style::theme::Type;
use crate::ui::view::View;
use crate::ui::widgets::{Button, Field, paragraph};

/// Maximum length of an address.
const MAX_ADDRESS: usize = 2_000;

/// Draws the page. Returns true if the stream was added.
pub(super) fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    adding: &mut Adding,
) -> bool {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("content-address");
    let field = Field {
        name: &name,
        hint: "rtmp://server/app/stream",
        limit: MAX_ADDRESS,
        width: ui.available_width(),
        ..Field::new(Id::unique("add-stream-address"), &mut adding.address)
    }
    .show(ui, theme);
    if !adding.shown {
        field.response.request_focus();
    }
    let address = adding.address.trim();
    let choice = format!("stream:{address}").parse::<VideoChoice>().ok();
    if view.snapshot.server.is_own_stream(address) {
        paragraph(ui, &texts.get("add-address-own"), Type::Small, theme.warn);
    } else if choice.is_none() && !address.is_empty() {
        paragraph(ui, &texts.get("content-address-wrong"), Type::Small, theme.secondary);
    }
    let entered = field.response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let text = texts.get("add-address-add");
    let pressed = Button::new(&text).enabled(choice.is_some()).show(ui, theme).clicked();
    let Some(choice) = choice.filter(|_| entered || pressed) else { return false };
    let name = texts.get("add-stream").to_string();
    add(view, draft, name, choice);
    true
}
