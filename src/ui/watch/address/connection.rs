//! The connection options behind a button beside the address: proxy, bind address, certificates and
//! automatic reconnection.

use egui::{Align, Id, Layout, Ui, vec2};

use crate::studio::watch::choices::{Network, WatchCommand};
use crate::text::Problem;
use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, size};
use crate::ui::view::View;
use crate::ui::watch::commands::send;
use crate::ui::watch::controls::options::POPUP_WIDTH_POINTS;
use crate::ui::watch::draft::Draft;
use crate::ui::watch::network_form::NetworkForm;
use crate::ui::widgets::{
    ButtonWeight, Field, elided, icon_button, named_switch, paragraph, popup, section,
    weighted_icon_button,
};

/// Draws the button and its popup.
pub fn options(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("connection-options");
    let (side, weight) = (size::CONTROL_HEIGHT, ButtonWeight::Plain);
    let button = weighted_icon_button(ui, theme, Icon::Settings, &name, side, weight);
    let open = popup(&button, theme, POPUP_WIDTH_POINTS, |ui| {
        let mut network = view.snapshot.player.network.clone();
        fields(ui, view, draft, &mut network);
        trusted(ui, view, &mut network);
        if network != view.snapshot.player.network {
            send(view, WatchCommand::SetNetwork(network));
        }
    });
    if !open {
        draft.connection = None;
    }
}

fn fields(ui: &mut Ui, view: &View<'_>, draft: &mut Draft, network: &mut Network) {
    let (theme, texts) = (view.theme, view.texts);
    let (name, tip) = (texts.get("reconnect"), texts.get("tip-reconnect"));
    if named_switch(ui, theme, &name, &tip, Type::Body, network.reconnect) {
        network.reconnect = !network.reconnect;
    }
    let typed = draft.connection.get_or_insert_with(|| NetworkForm::of(network));
    let [ports, proxy, bind] = typed.route().faults();
    let rows: [(&mut String, &'static str, &'static str, Option<Problem>); 4] = [
        (&mut typed.proxy, key!("target-proxy"), key!("target-proxy-hint"), proxy),
        (&mut typed.bind, key!("target-bind"), key!("target-bind-hint"), bind),
        (&mut typed.ports, key!("target-ports"), key!("target-ports-hint"), ports),
        (&mut typed.ca_file, key!("tls-ca"), key!("tls-ca-hint"), None),
    ];
    for (text, name, hint, fault) in rows {
        let title = texts.get(name);
        section(ui, theme, &title);
        Field {
            name: &title,
            hint: &texts.get(hint),
            wrong: fault.is_some(),
            limit: 512,
            width: ui.available_width(),
            ..Field::new(Id::unique(("watch", name)), text)
        }
        .show(ui, theme);
        if let Some(why) = fault {
            paragraph(ui, &texts.say(&why), Type::Small, theme.warn);
        }
    }
    if typed.put_into(network).is_ok() {
        paragraph(ui, &texts.get("connection-next"), Type::Small, theme.secondary);
    }
}

/// Lists the servers whose certificate was accepted, each with a button that removes it.
fn trusted(ui: &mut Ui, view: &View<'_>, network: &mut Network) {
    let (theme, texts) = (view.theme, view.texts);
    if network.trusted.is_empty() {
        return;
    }
    section(ui, theme, &texts.get("trusted-servers"));
    let mut gone = None;
    egui::ScrollArea::vertical().id_salt("trusted").max_height(120.0).show(ui, |ui| {
        for (server, pin) in &network.trusted {
            let row = vec2(ui.available_width(), size::SMALL_CONTROL_HEIGHT);
            ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
                let name = texts.with("distrust", &[("server", server.as_str().into())]);
                let side = size::SMALL_CONTROL_HEIGHT;
                if icon_button(ui, theme, Icon::Close, &name, side).clicked() {
                    gone = Some(server.clone());
                }
                let room = ui.available_rect_before_wrap();
                elided(ui, room, Align::Min, server, Type::Body.font(), theme.text);
                let whole = ui.interact(room, ui.scope_id().with(server), egui::Sense::hover());
                whole.on_hover_text(pin.to_string());
            });
        }
    });
    if let Some(gone) = gone {
        network.trusted.retain(|(server, _)| *server != gone);
    }
}
