//! The page *About*: the renderer of the window, the storage of stream keys, and the version.

use egui::Ui;

use crate::studio::KeyPlace;
use crate::ui::dialogs::card::DialogContext;
use crate::ui::dialogs::settings::row::wide_row;
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::style::theme::Type;
use crate::ui::view::View;
use crate::ui::widgets::paragraph;

/// Draws a row with a text, which can be long.
fn text_row(
    ui: &mut Ui,
    view: &mut View<'_>,
    needs: &mut DialogContext<'_>,
    setting: Setting,
    text: &str,
) {
    wide_row(ui, view, needs, setting, None, |ui, view, _| {
        paragraph(ui, text, Type::Body, view.theme.text);
    });
}

pub(super) fn renderer(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let (texts, name) = (view.texts, needs.renderer.name.clone());
    let text = if name.is_empty() {
        texts.get("renderer-unknown").to_string()
    } else if needs.renderer.software {
        texts.with("renderer-software", &[("name", name.into())])
    } else {
        texts.with("renderer-gpu", &[("name", name.into())])
    };
    text_row(ui, view, needs, Setting::Renderer, &text);
}

pub(super) fn keys(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let texts = view.texts;
    let text = match &view.snapshot.key_place {
        Some(KeyPlace::File(path)) => {
            let path = path.display().to_string();
            texts.with("key-in-file", &[("path", path.into())])
        }
        Some(KeyPlace::Keyring) => texts.get("key-in-keyring").to_string(),
        None => texts.get("key-forgotten").to_string(),
    };
    text_row(ui, view, needs, Setting::Keys, &text);
}

pub(super) fn version(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    text_row(ui, view, needs, Setting::Version, concat!("onair ", env!("CARGO_PKG_VERSION")));
}
