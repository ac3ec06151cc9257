//! The links of the stream, each with a button that copies it.

use std::collections::BTreeMap;
use std::time::Duration;

use egui::{Align, Layout, Ui, vec2};

use crate::studio::snapshot::GuestFigures;
use crate::ui::studio_page::share::code::AddressCode;
use crate::ui::studio_page::share::preview::PreviewTexture;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::view::View;
use crate::ui::widgets::{icon_button, label, truncated};

/// The width of the name of a link.
const LINK_NAME_WIDTH_POINTS: f32 = 78.0;
/// The time for which a button shows that it has copied its link, in seconds.
const COPIED_DURATION_SECONDS: f64 = 2.0;

/// The state of the *Share* panel, which is kept between frames.
#[derive(Debug, Default)]
pub struct Draft {
    /// The index of the link that was copied last, and the time of the copy in seconds.
    pub(super) copied: Option<(usize, f64)>,
    pub(super) code: AddressCode,
    /// The codes of the links of guests, by the id of the guest.
    pub(super) guest_codes: BTreeMap<String, AddressCode>,
    /// What the cameras of guests show, by the id of the guest.
    pub(super) guest_previews: BTreeMap<String, PreviewTexture>,
    /// The address and the key of the server at which guests meet the studio, until the user connects.
    pub(super) meeting_url: String,
    pub(super) meeting_key: String,
}

impl Draft {
    /// Forgets guests who are not there any more.
    pub(in crate::ui::studio_page) fn keep_guests(&mut self, guests: &[GuestFigures]) {
        self.guest_previews.retain(|id, _| guests.iter().any(|guest| guest.id == *id));
        self.guest_codes.retain(|id, _| guests.iter().any(|guest| guest.id == *id));
    }

    pub(in crate::ui::studio_page) fn preview_of(&mut self, id: &str) -> &mut PreviewTexture {
        self.guest_previews.entry(id.to_owned()).or_default()
    }

    pub(in crate::ui::studio_page) fn code_of(&mut self, id: &str) -> &mut AddressCode {
        self.guest_codes.entry(id.to_owned()).or_default()
    }
}

/// Draws all links.
pub(super) fn show(ui: &mut Ui, view: &View<'_>, draft: &mut Draft) {
    let links = &*view.snapshot.server.links;
    let page = view.texts.get("share-page");
    let rows = [
        (&*page, &links.page),
        ("HLS", &links.hls),
        ("HLS (TS)", &links.hls_ts),
        ("DASH", &links.dash),
        ("HTTP-FLV", &links.flv),
        ("WHEP", &links.whep),
        ("RTMP", &links.rtmp),
        ("SRT", &links.srt),
    ];
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (index, (name, url)) in rows.into_iter().enumerate() {
            if !url.is_empty() {
                row(ui, view, draft, (index, name), url);
            }
        }
    });
}

fn row(ui: &mut Ui, view: &View<'_>, draft: &mut Draft, (index, name): (usize, &str), url: &str) {
    let (theme, texts) = (view.theme, view.texts);
    let now = ui.input(|input| input.time);
    let copied =
        draft.copied.is_some_and(|(of, at)| of == index && now - at < COPIED_DURATION_SECONDS);
    let (icon, button) = match copied {
        true => (Icon::Check, texts.get("copied").to_string()),
        false => (Icon::Copy, format!("{}: {name}", texts.get("copy-address"))),
    };
    let room = vec2(ui.available_width(), size::SMALL_CONTROL_HEIGHT);
    ui.allocate_ui_with_layout(room, Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = gap::XS;
        if icon_button(ui, theme, icon, &button, size::SMALL_CONTROL_HEIGHT).clicked() {
            ui.ctx().copy_text(url.to_owned());
            draft.copied = Some((index, now));
            ui.ctx().request_repaint_after(Duration::from_secs_f64(COPIED_DURATION_SECONDS + 0.05));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let size = vec2(LINK_NAME_WIDTH_POINTS, size::SMALL_CONTROL_HEIGHT);
            ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(LINK_NAME_WIDTH_POINTS);
                label(ui, name, Type::Small, theme.secondary);
            });
            // The scheme is omitted, to leave more room for the part that distinguishes the links.
            let shown = url.split_once("://").map_or(url, |(_, rest)| rest);
            truncated(ui, shown, Type::Small, theme.text).on_hover_text(url);
        });
    });
}
