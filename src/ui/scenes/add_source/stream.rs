//! The page of *Add source* for a stream or a browser page, whose address the user enters. No address is entered in
//! advance, because onair connects to it at once.

use egui::{Id, Key, Ui};

use crate::capture::VideoChoice;
use crate::ui::input::actions::key;
use crate::ui::scenes::add_source::new_source::add;
use crate::ui::scenes::add_source::page::Adding;
use crate::ui::scenes::draft::Draft;
use crate::ui::style::theme::Type;
use crate::ui::view::View;
use crate::ui::widgets::{Button, Field, paragraph};

/// Maximum length of an address.
const MAX_ADDRESS: usize = 2_000;

/// Draws the page for a stream, or for a browser page. Returns true if the source was added.
pub(super) fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    adding: &mut Adding,
    browser: bool,
) -> bool {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get(if browser { key!("content-page") } else { key!("content-address") });
    let hint = if browser { "https://…" } else { "rtmp://server/app/stream" };
    let field = Field {
        name: &name,
        hint,
        limit: MAX_ADDRESS,
        width: ui.available_width(),
        ..Field::new(Id::unique("add-stream-address"), &mut adding.address)
    }
    .show(ui, theme);
    if !adding.shown {
        field.response.request_focus();
    }
    let address = adding.address.trim();
    let kind = if browser { "browser" } else { "stream" };
    let choice = format!("{kind}:{address}").parse::<VideoChoice>().ok();
    // Half of an address also looks like a file.
    let choice = choice.filter(|it| it.path().is_none_or(std::path::Path::is_absolute));
    if view.snapshot.server.is_own_stream(address) {
        paragraph(ui, &texts.get("add-address-own"), Type::Small, theme.warn);
    } else if choice.is_none() && !address.is_empty() {
        let wrong =
            if browser { key!("content-page-wrong") } else { key!("content-address-wrong") };
        paragraph(ui, &texts.get(wrong), Type::Small, theme.secondary);
    }
    let entered = field.response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let text = texts.get("add-address-add");
    let pressed = Button::new(&text).enabled(choice.is_some()).show(ui, theme).clicked();
    let Some(choice) = choice.filter(|_| entered || pressed) else { return false };
    let name =
        texts.get(if browser { key!("add-browser") } else { key!("add-stream") }).to_string();
    add(view, draft, name, choice);
    true
}
