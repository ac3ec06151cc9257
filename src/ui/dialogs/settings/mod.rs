//! The settings dialog: pages at the left, and a search through all of them in both languages. Each
//! setting has an explanation, a marked default, and a button that restores it.

mod about;
mod audio;
pub mod draft;
mod encoder;
mod general;
mod hotkeys;
mod network;
mod output;
mod recording;
mod remote_control;
mod row;
mod rules;
pub mod table;
mod video;

use egui::{Id, ScrollArea, Ui, vec2};

use crate::ui::dialogs::card::{DialogAnswer, DialogContext, dialog_room, heading, modal};
use crate::ui::dialogs::settings::draft::SettingsDraft;
use crate::ui::dialogs::settings::table::{Setting, SettingsPage};
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::{Language, Texts};
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, ButtonWeight, Field, label, section};

/// Width of the content in points.
const CONTENT_WIDTH_POINTS: f32 = 780.0;
/// Width of the list of pages in points.
const PAGE_LIST_WIDTH_POINTS: f32 = 168.0;
/// Minimum width of a page in points. In a narrower window, the page scrolls.
const MIN_PAGE_WIDTH_POINTS: f32 = 460.0;

/// Returns the settings that match the search, in either language.
fn results(draft: &mut SettingsDraft, view: &View<'_>) -> Vec<Setting> {
    let language = match view.texts.language() {
        Language::English => Language::Chinese,
        Language::Chinese => Language::English,
    };
    if draft.other.as_ref().is_none_or(|texts| texts.language() != language) {
        draft.other = Some(Texts::new(language));
    }
    let languages: Vec<&Texts> = [view.texts].into_iter().chain(&draft.other).collect();
    let hotkeys = hotkeys::any_fits(&languages, view, &draft.query);
    let fits = |setting: &Setting| {
        setting.fits(&languages, &draft.query) || (*setting == Setting::Hotkeys && hotkeys)
    };
    Setting::ALL.iter().copied().filter(fits).collect()
}

pub fn show(
    ctx: &egui::Context,
    view: &mut View<'_>,
    needs: &mut DialogContext<'_>,
) -> Option<DialogAnswer> {
    let theme = view.theme;
    let room = dialog_room(ctx);
    let width = CONTENT_WIDTH_POINTS.min(room.x - 80.0).max(320.0);
    let mut answer = None;
    let closed = modal(ctx, theme, "settings", width, |ui| {
        let close = heading(ui, view, &view.texts.get("settings"));
        let before = needs.preferences.clone();
        // The dialog is as high as the window allows; all pages have the same height, so that
        // nothing moves.
        let height = (room.y - 140.0).clamp(160.0, 560.0);
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap::L;
            let size = vec2(PAGE_LIST_WIDTH_POINTS, height);
            ui.allocate_ui(size, |ui| {
                ui.vertical(|ui| {
                    ui.set_min_size(size);
                    let area = ScrollArea::vertical().id_salt("pages").max_height(height);
                    area.show(ui, |ui| pages(ui, view, needs.settings, needs.fresh));
                });
            });
            ui.vertical(|ui| {
                ui.set_width(ui.available_width());
                let area = ScrollArea::both()
                    .id_salt((needs.settings.page.key(), needs.settings.query.is_empty()));
                area.max_height(height).min_scrolled_height(height).auto_shrink(false).show(
                    ui,
                    |ui| {
                        // This leaves space for the scroll bar.
                        ui.set_width((ui.available_width() - gap::M).max(MIN_PAGE_WIDTH_POINTS));
                        answer = contents(ui, view, needs);
                    },
                );
            });
        });
        if *needs.preferences != before {
            view.request(WindowRequest::Preferences);
        }
        close.then_some(DialogAnswer::Close)
    });
    if closed.is_some() {
        let draft = &mut *needs.settings;
        (draft.hotkey, draft.talk_key, draft.lit) = (None, None, None);
    }
    answer.or(closed)
}

/// Draws the search field, and the pages below it. In a dialog that was just opened, the selected page
/// gets the keyboard focus: in a field, the push-to-talk key would type.
fn pages(ui: &mut Ui, view: &View<'_>, draft: &mut SettingsDraft, fresh: bool) {
    let (theme, texts) = (view.theme, view.texts);
    let (page_before, query_before) = (draft.page, draft.query.clone());
    ui.spacing_mut().item_spacing.y = gap::XS;
    Field {
        name: &texts.get("settings-search"),
        hint: &texts.get("settings-search"),
        limit: 100,
        width: PAGE_LIST_WIDTH_POINTS,
        ..Field::new(Id::unique("settings-search"), &mut draft.query)
    }
    .show(ui, theme);
    ui.add_space(gap::XS);
    for page in SettingsPage::ALL {
        let name = texts.get(page.key());
        let chosen = draft.query.is_empty() && draft.page == *page;
        let button = Button::new(&name).weight(ButtonWeight::Quiet).icon(page.icon());
        let button = button.width(PAGE_LIST_WIDTH_POINTS).leading().selected(chosen);
        let button = button.show(ui, theme);
        if fresh && draft.page == *page {
            button.request_focus();
        }
        if button.clicked() {
            draft.page = *page;
            draft.query.clear();
            draft.lit = None;
        }
    }
    if draft.page != page_before || draft.query != query_before {
        // The button that waits for a key may no longer be drawn.
        (draft.hotkey, draft.talk_key) = (None, None);
    }
}

fn contents(
    ui: &mut Ui,
    view: &mut View<'_>,
    needs: &mut DialogContext<'_>,
) -> Option<DialogAnswer> {
    let draft = &mut *needs.settings;
    let searched = !draft.query.trim().is_empty();
    let shown: Vec<Setting> = if searched {
        results(draft, view)
    } else {
        Setting::ALL.iter().copied().filter(|setting| setting.page() == draft.page).collect()
    };
    if shown.is_empty() {
        label(ui, &view.texts.get("palette-none"), Type::Body, view.theme.secondary);
    }
    let (mut answer, mut page) = (None, None);
    draft.explained = false;
    for setting in shown {
        if searched && page.replace(setting.page()) != Some(setting.page()) {
            section(ui, view.theme, &view.texts.get(setting.page().key()));
        }
        answer = answer.or(one(ui, view, needs, setting));
    }
    answer
}

/// Draws a setting with its control.
fn one(
    ui: &mut Ui,
    view: &mut View<'_>,
    needs: &mut DialogContext<'_>,
    setting: Setting,
) -> Option<DialogAnswer> {
    match setting {
        Setting::Language => general::language(ui, view, needs),
        Setting::Theme => general::theme(ui, view, needs),
        Setting::Scale => general::scale(ui, view, needs),
        Setting::Motion => general::motion(ui, view, needs),
        Setting::Meter => general::meter(ui, view, needs),
        Setting::Size => video::size(ui, view, needs.settings),
        Setting::Rate => video::rate(ui, view, needs.settings),
        Setting::Bitrate => video::bitrate(ui, view, needs.settings),
        Setting::CameraSource => video::camera_source(ui, view, needs.settings),
        Setting::CameraSize => video::camera_size(ui, view, needs.settings),
        Setting::CameraMirrored => video::camera_mirrored(ui, view, needs.settings),
        Setting::Monitoring => audio::monitoring(ui, view, needs.settings),
        Setting::PushToTalk => audio::push_to_talk_key(ui, view, needs),
        Setting::Aim => encoder::aim(ui, view, needs.settings),
        Setting::Codec => encoder::codec(ui, view, needs.settings),
        Setting::Encoder => encoder::encoder(ui, view, needs.settings),
        Setting::EncoderPreset => encoder::preset(ui, view, needs.settings),
        Setting::RateControl => encoder::rate_control(ui, view, needs.settings),
        Setting::BFrames => encoder::b_frames(ui, view, needs.settings),
        Setting::LookAhead => encoder::look_ahead(ui, view, needs.settings),
        Setting::Adaptation => output::adaptation(ui, view, needs),
        Setting::Keyframes => output::keyframes(ui, view, needs),
        Setting::AudioFormat => output::audio_format(ui, view, needs),
        Setting::Delay => output::delay(ui, view, needs),
        Setting::Folder => recording::folder(ui, view, needs),
        Setting::Format => recording::format(ui, view, needs),
        Setting::FileName => recording::file_name(ui, view, needs),
        Setting::Split => recording::split(ui, view, needs),
        Setting::RecordEncoder => recording::encoder(ui, view, needs),
        Setting::RecordQuality => recording::quality(ui, view, needs),
        Setting::RecordSize => recording::size(ui, view, needs),
        Setting::Replay => recording::replay(ui, view, needs),
        Setting::ReplayAlways => recording::replay_always(ui, view, needs),
        Setting::Tracks => recording::tracks(ui, view, needs),
        Setting::Hotkeys => hotkeys::list(ui, view, needs),
        Setting::Rules => rules::list(ui, view, needs),
        Setting::Services => return network::services(ui, view, needs),
        Setting::ServerNames => network::names(ui, view, needs),
        Setting::ServerCertificate => network::certificate(ui, view, needs),
        Setting::ServerDomains => network::domains(ui, view, needs),
        Setting::SrtPassphrase => network::srt_passphrase(ui, view, needs),
        Setting::YouTubeKey => network::youtube_key(ui, view, needs),
        Setting::ServerOrigins => network::origins(ui, view, needs),
        Setting::Successor => network::successor(ui, view, needs),
        Setting::RemoteControl => remote_control::on(ui, view, needs.settings),
        Setting::RemotePort => remote_control::port(ui, view, needs.settings),
        Setting::RemoteNetwork => remote_control::network(ui, view, needs.settings),
        Setting::RemotePassword => remote_control::password(ui, view, needs),
        Setting::RemoteClients => remote_control::clients(ui, view, needs.settings),
        Setting::Renderer => about::renderer(ui, view, needs),
        Setting::Keys => about::keys(ui, view, needs),
        Setting::Version => about::version(ui, view, needs),
    }
    None
}
