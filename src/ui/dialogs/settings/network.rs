//! The page *Network*: the user's own services, and the names, the successor, the certificate and
//! the passphrase of the built-in server, and the keys of other services.

use egui::{Id, Key, Ui};

use crate::base::Secret;
use crate::net::srt::url::checked;
use crate::net::tls::acme::domain::check_domain;
use crate::studio::Command;
use crate::studio::settings::OwnService;
use crate::studio::targets::sharing::{
    ServerCertificate, ServerNames, check_host, check_names, check_origin,
};
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

/// Maximum length of the path of a file.
const MAX_PATH_CHARS: usize = 1_024;
/// Maximum length of a secret.
const MAX_SECRET_CHARS: usize = 512;

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

/// Draws the fields for the files of the certificate. They take effect when they are left.
pub(super) fn certificate(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let setting = Setting::ServerCertificate;
    wide_row(ui, view, needs, setting, None, |ui, view, needs| {
        let now = view.snapshot.server.certificate.clone();
        let typed = &mut needs.settings.server_certificate;
        let files = typed.get_or_insert_with(|| [now.cert.clone(), now.key.clone()]);
        let hints = [key!("setting-server-cert-hint"), key!("setting-server-key-hint")];
        let mut is_kept = false;
        for (file, hint) in files.iter_mut().zip(hints) {
            let hint = view.texts.get(hint);
            let field = Field {
                name: &hint,
                hint: &hint,
                limit: MAX_PATH_CHARS,
                width: ui.available_width() - gap::M,
                ..Field::new(Id::unique((setting.key(), &*hint)), file)
            }
            .show(ui, view.theme);
            is_kept |= field.response.has_focus();
        }
        // One file alone is no certificate.
        let [cert, key] = files.each_ref().map(|file| file.trim().to_owned());
        if !is_kept && cert.is_empty() == key.is_empty() {
            *typed = None;
            if (&cert, &key) != (&now.cert, &now.key) {
                view.send(Command::SetServerCertificate(ServerCertificate { cert, key, ..now }));
            }
        }
    });
}

/// Draws the field for the domains for which an authority issues the certificate.
pub(super) fn domains(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let setting = Setting::ServerDomains;
    wide_row(ui, view, needs, setting, None, |ui, view, needs| {
        let now = view.snapshot.server.certificate.clone();
        let hint = key!("setting-server-names-hint");
        let text = &mut needs.settings.server_domains;
        if let Some(domains) = list(ui, view, text, (setting, hint), &now.domains, check_domain) {
            view.send(Command::SetServerCertificate(ServerCertificate { domains, ..now }));
        }
    });
}

/// Draws the field for the passphrase of SRT, which is never shown.
pub(super) fn srt_passphrase(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let setting = Setting::SrtPassphrase;
    wide_row(ui, view, needs, setting, None, |ui, view, needs| {
        let (text, is_set) =
            (&mut needs.settings.srt_passphrase, view.snapshot.server.srt_passphrase);
        let is_right = |text: &str| checked(text).is_ok();
        if let Some(passphrase) = secret(ui, view, text, (setting, is_set), is_right) {
            view.send(Command::SetSrtPassphrase(passphrase));
        }
    });
}

/// Draws the field for the key of YouTube's API, which is never shown.
pub(super) fn youtube_key(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let setting = Setting::YouTubeKey;
    wide_row(ui, view, needs, setting, None, |ui, view, needs| {
        let (text, is_set) =
            (&mut needs.settings.youtube_key, view.snapshot.chat_choices.youtube_key);
        let is_right = |text: &str| !text.chars().any(char::is_control);
        if let Some(key) = secret(ui, view, text, (setting, is_set), is_right) {
            view.send(Command::SetYouTubeKey(key));
        }
    });
}

/// Draws a masked field for a new secret, and the buttons that store it and remove the stored one.
/// Returns the secret to store; an empty one removes it. A stored secret never comes back to the
/// window.
fn secret(
    ui: &mut Ui,
    view: &View<'_>,
    text: &mut String,
    (setting, is_set): (Setting, bool),
    is_right: fn(&str) -> bool,
) -> Option<Secret> {
    let (theme, texts) = (view.theme, view.texts);
    let hint = match is_set {
        true => texts.get("secret-stored"),
        false => texts.get("secret-none"),
    };
    let is_given = !text.trim().is_empty();
    let is_wrong = is_given && !is_right(text.trim());
    let field = Field {
        name: &texts.get(setting.key()),
        hint: &hint,
        hidden: true,
        wrong: is_wrong,
        limit: MAX_SECRET_CHARS,
        // This leaves space for the scroll bar.
        width: ui.available_width() - gap::M,
        ..Field::new(Id::unique(setting.key()), text)
    }
    .show(ui, theme);
    let enter = field.response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let (mut stored, mut removed) = (false, false);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        let name = texts.get("secret-store");
        let button = Button::new(&name).small().enabled(is_given && !is_wrong);
        stored = button.show(ui, theme).clicked() || enter && is_given && !is_wrong;
        let name = texts.get("secret-remove");
        removed = Button::new(&name).small().enabled(is_set).show(ui, theme).clicked();
    });
    match (stored, removed) {
        (true, _) => Some(Secret::new(std::mem::take(text).trim())),
        (false, true) => {
            text.clear();
            Some(Secret::default())
        }
        (false, false) => None,
    }
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
