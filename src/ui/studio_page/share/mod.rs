//! The *Share* panel: the links of the built-in server's stream, the stream's viewers, and which
//! computers can reach the server.

mod code;
mod guests;
mod links;
mod meeting;
mod preview;
mod reach;

use egui::{Align, Layout, Ui, vec2};

use crate::server::Protocol;
use crate::studio::Command;
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::view::View;
use crate::ui::widgets::{Button, figure, label, paragraph, section};

pub use links::Draft;

/// The side of the QR code.
const QR_CODE_SIDE_POINTS: f32 = 140.0;
/// The minimum width of the text beside the QR code.
const MIN_TEXT_WIDTH_POINTS: f32 = 76.0;

/// Draws the panel.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    ui.spacing_mut().item_spacing.y = gap::S;
    header(ui, view);
    if !view.snapshot.server.is_running() {
        paragraph(ui, &texts.get("share-stopped-advice"), Type::Body, theme.secondary);
        return;
    }
    reach::network(ui, view);
    reach::https(ui, view);
    reach::play_key(ui, view);
    invitation(ui, view, draft);
    reach::open_to(ui, view);
    guests::show(ui, view, draft);
    section(ui, theme, &texts.get("share-links"));
    links::show(ui, view, draft);
    section(ui, theme, &texts.get("share-reach"));
    reach::show(ui, view);
    section(ui, theme, &texts.get("share-viewers"));
    viewers(ui, view);
}

/// Draws the state of the server, and the button that starts or stops it.
fn header(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    let runs = snapshot.server.is_running();
    let busy = snapshot.is_server_busy();
    let room = vec2(ui.available_width(), size::SMALL_CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(room, Layout::right_to_left(Align::Center), |ui| {
        let (text, name) = match runs {
            true => (texts.get("share-stop"), texts.get("share-stop-server")),
            false => (texts.get("share-start"), texts.get("share-start-server")),
        };
        let button = Button::new(&text).name(&name).small().enabled(!busy).show(ui, theme);
        let clicked = button.clicked();
        if busy {
            button.on_hover_text(&*texts.get("share-busy"));
        }
        if clicked {
            view.send(Command::Serve(!runs));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = gap::S;
            label(ui, &texts.get("share-server"), Type::BodyStrong, theme.text);
            let (key, color) = match runs {
                true => (key!("share-running"), theme.good),
                false => (key!("share-stopped"), theme.secondary),
            };
            label(ui, &texts.get(key), Type::Small, color);
        });
    });
}

/// Draws the QR code of the viewer page, or the reason why no phone can open the page.
fn invitation(ui: &mut Ui, view: &View<'_>, draft: &mut Draft) {
    let (theme, texts, server) = (view.theme, view.texts, &view.snapshot.server);
    let words = |ui: &mut Ui, title, advice| {
        label(ui, &texts.get(title), Type::BodyStrong, theme.text);
        paragraph(ui, &texts.get(advice), Type::Small, theme.secondary);
    };
    if !server.is_reachable() {
        let (title, advice) = match server.reach.http {
            true => (key!("share-no-network"), key!("share-no-network-advice")),
            false => (key!("share-only-here"), key!("share-only-here-advice")),
        };
        ui.scope(|ui| {
            ui.spacing_mut().item_spacing.y = gap::XS;
            words(ui, title, advice);
        });
        return;
    }
    let name = texts.get("share-code");
    let shown = |ui: &mut Ui, draft: &mut Draft| {
        draft.code.show(ui, &server.links.page, &name, QR_CODE_SIDE_POINTS);
    };
    if ui.available_width() < QR_CODE_SIDE_POINTS + gap::M + MIN_TEXT_WIDTH_POINTS {
        shown(ui, draft);
        paragraph(ui, &texts.get("share-scan-advice"), Type::Small, theme.secondary);
        return;
    }
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = gap::M;
        shown(ui, draft);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = gap::XS;
            paragraph(ui, &texts.get("share-scan"), Type::BodyStrong, theme.text);
            paragraph(ui, &texts.get("share-scan-advice"), Type::Small, theme.secondary);
        });
    });
}

/// Draws the number of viewers of each protocol.
fn viewers(ui: &mut Ui, view: &View<'_>) {
    let (theme, texts, server) = (view.theme, view.texts, &view.snapshot.server);
    if server.viewers == 0 {
        paragraph(ui, &texts.get("share-viewers-none"), Type::Small, theme.secondary);
        return;
    }
    let meaning = texts.get("tip-share-viewers");
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (protocol, count) in server.viewers_by.iter().filter(|(_, count)| **count > 0) {
            figure(ui, theme, name_of(*protocol), &count.to_string(), &meaning);
        }
    });
}

/// Returns the name of a protocol, the same in all languages.
fn name_of(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Rtmp => "RTMP",
        Protocol::HttpFlv => "HTTP-FLV",
        Protocol::WsFlv => "WebSocket-FLV",
        Protocol::Hls => "HLS",
        Protocol::Dash => "DASH",
        Protocol::Whep => "WebRTC (WHEP)",
        Protocol::Whip => "WebRTC (WHIP)",
        Protocol::Srt => "SRT",
    }
}
