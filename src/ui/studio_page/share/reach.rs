//! The switches that determine which computers can reach the built-in server, and their effect on
//! each address.

use egui::{Align, Layout, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::studio::Command;
use crate::studio::snapshot::ServerFigures;
use crate::studio::targets::sharing::{NetworkAddress, ServerReach};
use crate::ui::input::actions::key;
use crate::ui::style::icons::{self, Icon};
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{Button, elided, named_switch, paragraph};

/// The height of an address row.
const ADDRESS_ROW_HEIGHT_POINTS: f32 = 24.0;
/// The height of the second line of a row, if its state is below the address.
const STATE_ROW_HEIGHT_POINTS: f32 = 18.0;
/// The side length of the icon in the row.
const ICON_SIDE_POINTS: f32 = 14.0;

/// Draws the switch that lets other computers watch.
pub(super) fn network(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts, reach) = (view.theme, view.texts, view.snapshot.server.reach);
    let (name, tip) = (texts.get("share-network"), texts.get("tip-share-network"));
    if named_switch(ui, theme, &name, &tip, Type::Body, reach.http) {
        view.send(Command::SetReach(ServerReach { http: !reach.http, ..reach }));
    }
}

/// Draws the switch for HTTPS, and what to compare with the warning of a browser.
pub(super) fn https(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts, server) = (view.theme, view.texts, &view.snapshot.server);
    let (name, tip) = (texts.get("share-https"), texts.get("tip-share-https"));
    if named_switch(ui, theme, &name, &tip, Type::Body, server.reach.https) {
        let reach = server.reach;
        view.send(Command::SetReach(ServerReach { https: !reach.https, ..reach }));
    }
    if !server.https_fingerprint.is_empty() {
        let fingerprint = [("fingerprint", server.https_fingerprint.clone().into())];
        let text = texts.with("share-https-fingerprint", &fingerprint);
        paragraph(ui, &text, Type::Small, theme.secondary);
    }
}

/// Draws the switch that makes viewers need a key, and the button that makes a new key.
pub(super) fn play_key(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts, needed) = (view.theme, view.texts, view.snapshot.server.play_key);
    let (name, tip) = (texts.get("share-key"), texts.get("tip-share-key"));
    if named_switch(ui, theme, &name, &tip, Type::Body, needed) {
        view.send(Command::SetPlayKey(!needed));
    }
    if needed {
        let button = Button::new(&texts.get("share-key-new")).small().show(ui, theme);
        if button.on_hover_text(&*texts.get("tip-share-key-new")).clicked() {
            view.send(Command::NewPlayKey);
        }
    }
}

/// Draws a text that explains what it means if other computers can watch.
pub(super) fn open_to(ui: &mut Ui, view: &View<'_>) {
    let (theme, texts, server) = (view.theme, view.texts, &view.snapshot.server);
    if server.reach.http {
        let (key, color) = match server.play_key {
            true => (key!("share-key-needed"), theme.secondary),
            false => (key!("share-network-open"), theme.warn),
        };
        paragraph(ui, &texts.get(key), Type::Small, color);
        let port = [("port", port(&server.http).into())];
        paragraph(ui, &texts.with("share-firewall", &port), Type::Small, theme.secondary);
        if let Some(port) = server.webrtc_port {
            let text = texts.with("share-firewall-webrtc", &[("port", port.to_string().into())]);
            paragraph(ui, &text, Type::Small, theme.secondary);
        }
    }
}

/// Draws the addresses, and the switch for RTMP.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts, server) = (view.theme, view.texts, &view.snapshot.server);
    addresses(ui, view, server);
    let reach = server.reach;
    let (name, tip) = (texts.get("share-rtmp"), texts.get("tip-share-rtmp"));
    if named_switch(ui, theme, &name, &tip, Type::Body, reach.rtmp) {
        view.send(Command::SetReach(ServerReach { rtmp: !reach.rtmp, ..reach }));
    }
    if reach.rtmp {
        paragraph(ui, &texts.get("share-rtmp-open"), Type::Small, theme.secondary);
    }
    let (name, tip) = (texts.get("share-srt"), texts.get("tip-share-srt"));
    if named_switch(ui, theme, &name, &tip, Type::Body, reach.srt) {
        view.send(Command::SetReach(ServerReach { srt: !reach.srt, ..reach }));
    }
}

/// Returns the port of an address such as `http://127.0.0.1:8088`.
fn port(address: &str) -> String {
    address.rsplit_once(':').map(|(_, port)| port.to_owned()).unwrap_or_default()
}

fn addresses(ui: &mut Ui, view: &View<'_>, server: &ServerFigures) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        let here = view.texts.get("share-this-computer");
        address(ui, view, &here, "127.0.0.1", (key!("share-can"), true));
        for network in server.networks.iter() {
            let ip = network.ip.to_string();
            let name = if network.interface.is_empty() { "–" } else { &network.interface };
            address(ui, view, name, &ip, state(network, server.reach));
        }
    });
}

/// Returns the text key for what other computers can do at an address, and whether they can watch.
fn state(network: &NetworkAddress, reach: ServerReach) -> (&'static str, bool) {
    match (network.http, network.rtmp) {
        (true, _) if network.is_public => (key!("share-can-public"), true),
        (true, true) => (key!("share-can"), true),
        (true, false) => (key!("share-can-browser"), true),
        (false, true) => (key!("share-can-rtmp"), true),
        // The server listens on all interfaces, but only on IPv4.
        (false, false) if reach.http && network.ip.is_ipv6() => (key!("share-not-ipv6"), false),
        (false, false) => (key!("share-cannot"), false),
    }
}

/// Draws the row of an address: its interface, the address, and what other computers can do there.
/// A long state is below the address, so that the whole address is readable.
fn address(ui: &mut Ui, view: &View<'_>, name: &str, ip: &str, (key, can): (&'static str, bool)) {
    let (theme, words) = (view.theme, view.texts.get(key));
    let (icon, color) = match can {
        true => (Icon::Check, theme.good),
        false => (Icon::Close, theme.secondary),
    };
    let of = format!("{name} · {ip}");
    let width_of_address = {
        let galley = ui.painter().layout_no_wrap(of.clone(), Type::Small.font(), theme.text);
        galley.size().x
    };
    let galley = ui.painter().layout_no_wrap(words.to_string(), Type::Small.font(), color);
    let width_of_state = ICON_SIDE_POINTS + gap::XS + galley.size().x;
    let width = ui.available_width();
    let is_beside = width_of_address + gap::S + width_of_state <= width;
    let below = if is_beside { 0.0 } else { STATE_ROW_HEIGHT_POINTS };
    let (row, response) =
        ui.allocate_exact_size(vec2(width, ADDRESS_ROW_HEIGHT_POINTS + below), Sense::hover());
    response
        .widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{name} {ip}: {words}")));
    let first = row.with_max_y(row.top() + ADDRESS_ROW_HEIGHT_POINTS);
    let last = if is_beside { first } else { row.with_min_y(first.bottom()) };
    let left = last.right() - galley.size().x;
    let at = pos2(left, last.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, color);
    let center = pos2(left - gap::XS - ICON_SIDE_POINTS / 2.0, last.center().y);
    icons::paint_at(ui.painter(), icon, center, ICON_SIDE_POINTS, color);
    elided(ui, first, Align::Min, &of, Type::Small.font(), theme.text);
    response.on_hover_ui(|ui| {
        ui.with_layout(Layout::top_down(Align::Min), |ui| ui.label(of));
    });
}
