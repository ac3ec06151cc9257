//! The page *Remote control*: programs that control onair with the protocol of obs-websocket.

use std::time::Duration;

use egui::{Id, Ui};

use crate::studio::Command;
use crate::studio::settings::RemoteChoices;
use crate::ui::dialogs::card::DialogContext;
use crate::ui::dialogs::settings::draft::SettingsDraft;
use crate::ui::dialogs::settings::row::{CONTROL_WIDTH_POINTS, row};
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::sentence;
use crate::ui::view::View;
use crate::ui::widgets::{Button, Field, label, paragraph, switch};

/// The time for which the button shows that it has copied the password, in seconds.
const COPIED_DURATION_SECONDS: f64 = 2.0;
/// Maximum number of clients that the page lists.
const MAX_LISTED_CLIENTS: usize = 16;

/// Draws the switch that lets other programs control onair.
pub(super) fn on(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let now = view.snapshot.remote.choices;
    let off = view.texts.get("setting-off");
    let mut pressed = false;
    let default = now.obs_websocket.then_some(&*off);
    let reset = row(ui, view, draft, Setting::RemoteControl, default, |ui, name| {
        pressed = switch(ui, view.theme, name, now.obs_websocket);
    });
    if pressed || reset {
        let obs_websocket = !now.obs_websocket;
        view.send(Command::SetRemoteControl(RemoteChoices { obs_websocket, ..now }));
    }
}

/// Draws the field for the port. A port takes effect when the field is left.
pub(super) fn port(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let (now, theme) = (view.snapshot.remote.choices, view.theme);
    let usual = RemoteChoices::DEFAULT_PORT;
    let (mut wanted, name) = (None, usual.to_string());
    let mut typed = draft.remote_port.take().unwrap_or_else(|| now.port.to_string());
    let mut is_kept = false;
    let default = (now.port != usual).then_some(&*name);
    let reset = row(ui, view, draft, Setting::RemotePort, default, |ui, name| {
        let port = |text: &str| text.trim().parse().ok().filter(|port: &u16| *port > 0);
        let field = Field {
            name,
            wrong: port(&typed).is_none(),
            limit: 5,
            width: CONTROL_WIDTH_POINTS,
            ..Field::new(Id::unique(Setting::RemotePort.key()), &mut typed)
        }
        .show(ui, theme);
        is_kept = field.response.has_focus();
        wanted = port(&typed).filter(|port| !is_kept && *port != now.port);
    });
    draft.remote_port = is_kept.then_some(typed);
    if reset {
        (wanted, draft.remote_port) = (Some(usual), None);
    }
    if let Some(port) = wanted {
        view.send(Command::SetRemoteControl(RemoteChoices { port, ..now }));
    }
}

/// Draws the switch that lets programs on other computers connect.
pub(super) fn network(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let now = view.snapshot.remote.choices;
    let off = view.texts.get("setting-off");
    let mut pressed = false;
    let default = now.network.then_some(&*off);
    let reset = row(ui, view, draft, Setting::RemoteNetwork, default, |ui, name| {
        pressed = switch(ui, view.theme, name, now.network);
    });
    if pressed || reset {
        view.send(Command::SetRemoteControl(RemoteChoices { network: !now.network, ..now }));
    }
}

/// Draws the buttons that copy the password and make a new one. The password itself is never on
/// screen, because viewers could see it.
pub(super) fn password(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let password = view.snapshot.remote.password.clone();
    let now = ui.input(|input| input.time);
    let draft = &mut *needs.settings;
    let was_copied = draft.password_copied_at.is_some_and(|at| now - at < COPIED_DURATION_SECONDS);
    let (mut copied, mut renewed) = (false, false);
    row(ui, view, draft, Setting::RemotePassword, None, |ui, _| {
        let text = match was_copied {
            true => texts.get("copied"),
            false => texts.get("remote-copy-password"),
        };
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = gap::S;
            let button = Button::new(&text).small().enabled(password.is_some());
            copied = button.show(ui, theme).clicked();
            let name = texts.get("remote-new-password");
            let button = Button::new(&name).small().enabled(password.is_some()).show(ui, theme);
            renewed = button.on_hover_text(&*texts.get("tip-remote-new-password")).clicked();
        });
    });
    if let Some(password) = password.filter(|_| copied) {
        // The user needs the password in another program.
        ui.ctx().copy_text(password.expose().to_owned());
        draft.password_copied_at = Some(now);
        ui.ctx().request_repaint_after(Duration::from_secs_f64(COPIED_DURATION_SECONDS + 0.05));
    }
    if renewed {
        view.send(Command::NewRemotePassword);
    }
}

/// Draws the address, the problem, and the connected programs.
pub(super) fn clients(ui: &mut Ui, view: &View<'_>, draft: &mut SettingsDraft) {
    let (theme, texts, report) = (view.theme, view.texts, &view.snapshot.remote.report);
    row(ui, view, draft, Setting::RemoteClients, None, |ui, _| {
        ui.spacing_mut().item_spacing.y = gap::XS;
        if let Some(problem) = &report.problem {
            paragraph(ui, &sentence(&texts.say(problem)), Type::Small, theme.warn);
        }
        match report.address {
            Some(address) => label(ui, &address.to_string(), Type::Body, theme.text),
            None => label(ui, &texts.get("remote-off"), Type::Body, theme.secondary),
        };
        for client in report.clients.iter().take(MAX_LISTED_CLIENTS) {
            let (key, color) = match client.is_identified {
                true => (key!("remote-connected"), theme.good),
                false => (key!("remote-no-password"), theme.secondary),
            };
            let args = [("address", client.address.to_string().into())];
            paragraph(ui, &texts.with(key, &args), Type::Small, color);
        }
    });
}
