//! The page *Network*: the user's own services, and the names and the successor of the built-in
//! server.

use egui::{Id, Ui};

use crate::studio::Command;
use crate::studio::settings::OwnService;
use crate::studio::targets::sharing::{ServerNames, check_host, check_names, check_origin};
use crate::text::Problem;
use crate::ui::dialogs::DialogAnswer;
use crate::ui::dialogs::card::DialogContext;
use crate::ui::dialogs::settings::row::{row, wide_row};
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::dialogs::successor;
use crate::ui::input::actions::{Action, key};
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::sentence;
use crate::ui::view::View;
use crate::ui::widgets::{Button, Field, paragraph};

pub(super) fn services(
    ui: &mut Ui,
    view: &View<'_>,
    needs: &mut DialogContext<'_>,
) -> Option<DialogAnswer> {
    let (mut pressed, count) = (false, view.snapshot.services.own().len());
    row(ui, view, needs.settings, Setting::Services, None, |ui, _| {
        let text = view.texts.counted("setting-services-edit", count);
        pressed = Button::new(&text).small().show(ui, view.theme).clicked();
    });
    if !pressed {
        return None;
    }
    needs.services.from_settings = true;
    if count == 0 && needs.services.typed.is_none() {
        needs.services.open(None, OwnService::default());
    }
    Some(DialogAnswer::Act(Action::Services))
}

pub(super) fn successor(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    wide_row(ui, view, needs, Setting::Successor, None, |ui, view, needs| {
        successor::field(ui, view, needs.successor);
    });
}

pub(super) fn names(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let setting = Setting::ServerNames;
    wide_row(ui, view, needs, setting, None, |ui, view, needs| {
        let now = view.snapshot.server.names.clone();
        let hint = key!("setting-server-names-hint");
        let text = &mut needs.settings.server_names;
        if let Some(hosts) = list(ui, view, text, (setting, hint), &now.hosts, check_host) {
            view.send(Command::SetServerNames(ServerNames { hosts, ..now }));
        }
    });
}

pub(super) fn origins(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let setting = Setting::ServerOrigins;
    wide_row(ui, view, needs, setting, None, |ui, view, needs| {
        let now = view.snapshot.server.names.clone();
        let hint = key!("setting-server-origins-hint");
        let text = &mut needs.settings.server_origins;
        if let Some(origins) = list(ui, view, text, (setting, hint), &now.origins, check_origin) {
            view.send(Command::SetServerNames(ServerNames { origins, ..now }));
        }
    });
}

/// Draws a field for a list whose entries are separated by commas or spaces. Returns the list after
/// a change, if all entries are valid. `text` is the text while it is being entered.
fn list(
    ui: &mut Ui,
    view: &View<'_>,
    text: &mut Option<String>,
    (setting, hint): (Setting, &'static str),
    now: &[String],
    check: fn(&str) -> Result<String, Problem>,
) -> Option<Vec<String>> {
    let (theme, texts) = (view.theme, view.texts);
    let entries = |text: &str| {
        let parts = text.split([',', '，', ' ']).filter(|part| !part.is_empty());
        check_names(parts, check)
    };
    let typed = text.get_or_insert_with(|| now.join(", "));
    let field = Field {
        name: &texts.get(setting.key()),
        hint: &texts.get(hint),
        wrong: entries(typed).is_err(),
        limit: 2_048,
        // This leaves space for the scroll bar.
        width: ui.available_width() - gap::M,
        ..Field::new(Id::unique(setting.key()), typed)
    }
    .show(ui, theme);
    match entries(typed) {
        Ok(list) if field.response.changed() => Some(list),
        Ok(_) => {
            if !field.response.has_focus() {
                *text = None;
            }
            None
        }
        Err(why) => {
            paragraph(ui, &sentence(&texts.say(&why)), Type::Small, theme.warn);
            None
        }
    }
}
