//! The settings: pages at the left, found by a search through all of them in both languages; each setting
//! explained, its default marked and brought back by a button.

mod about;
mod audio;
mod general;
mod hotkeys;
mod network;
mod output;
mod recording;
mod row;
mod table;
mod video;

use egui::{Id, ScrollArea, Ui, vec2};

use crate::ui::dialogs::card::{DialogAnswer, Needs, heading, modal};
use crate::ui::input::actions::Action;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::{Language, Texts};
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, ButtonWeight, Field, label, section};

pub use general::SCALES as UI_SCALES;
pub use table::{Setting, SettingsPage};

/// Of what is in it, and of the list of pages.
const WIDTH: f32 = 780.0;
const PAGES: f32 = 168.0;

/// What is looked at and typed in the settings.
#[derive(Debug)]
pub struct SettingsDraft {
    page: SettingsPage,
    query: String,
    /// What was gone to: it is lit, and scrolled to once.
    lit: Option<Setting>,
    found: Option<Setting>,
    /// The command whose hotkey is chosen, and whether the last keys could not be it.
    hotkey: Option<(Action, bool)>,
    /// While the talk key is waited for: whether the last one could not be it.
    talk_key: Option<bool>,
    /// The language that the window does not speak.
    other: Option<Texts>,
}

impl Default for SettingsDraft {
    fn default() -> Self {
        Self {
            page: SettingsPage::General,
            query: String::new(),
            lit: None,
            found: None,
            hotkey: None,
            talk_key: None,
            other: None,
        }
    }
}

impl SettingsDraft {
    /// Shows this setting.
    pub fn show(&mut self, setting: Setting) {
        *self = Self { page: setting.page(), ..Self::default() };
        (self.lit, self.found) = (Some(setting), Some(setting));
    }

    /// Keys are chosen by pressing them: they do nothing else.
    pub fn waits_for_keys(&self) -> bool {
        self.hotkey.is_some() || self.talk_key.is_some()
    }

    fn results(&mut self, view: &View<'_>) -> Vec<Setting> {
        let language = match view.texts.language() {
            Language::English => Language::Chinese,
            Language::Chinese => Language::English,
        };
        if self.other.as_ref().is_none_or(|texts| texts.language() != language) {
            self.other = Some(Texts::new(language));
        }
        let languages: Vec<&Texts> = [view.texts].into_iter().chain(&self.other).collect();
        let hotkeys = self::hotkeys::any_fits(&languages, &self.query);
        let fits = |setting: &Setting| {
            setting.fits(&languages, &self.query) || (*setting == Setting::Hotkeys && hotkeys)
        };
        Setting::ALL.iter().copied().filter(fits).collect()
    }
}

pub fn show(
    ctx: &egui::Context,
    view: &mut View<'_>,
    needs: &mut Needs<'_>,
    draft: &mut SettingsDraft,
) -> Option<DialogAnswer> {
    let theme = view.theme;
    let room = ctx.content_rect().size();
    let width = WIDTH.min(room.x - 80.0).max(320.0);
    let mut answer = None;
    let closed = modal(ctx, theme, "settings", width, |ui| {
        let close = heading(ui, view, &view.texts.get("settings"));
        let before = needs.preferences.clone();
        // As high as the window lets it be, below the heading; all pages alike, so that nothing jumps.
        let height = (room.y - 140.0).clamp(160.0, 560.0);
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap::L;
            let size = vec2(PAGES, height);
            ui.allocate_ui(size, |ui| {
                ui.vertical(|ui| {
                    ui.set_min_size(size);
                    pages(ui, view, draft);
                });
            });
            ui.vertical(|ui| {
                ui.set_width(ui.available_width());
                let area =
                    ScrollArea::vertical().id_salt((draft.page.key(), draft.query.is_empty()));
                area.max_height(height).min_scrolled_height(height).auto_shrink(false).show(
                    ui,
                    |ui| {
                        // Clear of the bar beside the list.
                        ui.set_width(ui.available_width() - gap::M);
                        answer = contents(ui, view, needs, draft);
                    },
                );
            });
        });
        if *needs.preferences != before {
            view.wish(WindowRequest::Preferences);
        }
        close.then_some(DialogAnswer::Close)
    });
    if closed.is_some() {
        (draft.hotkey, draft.talk_key, draft.lit) = (None, None, None);
    }
    answer.or(closed)
}

/// The search, and the pages below it.
fn pages(ui: &mut Ui, view: &View<'_>, draft: &mut SettingsDraft) {
    let (theme, texts) = (view.theme, view.texts);
    ui.spacing_mut().item_spacing.y = gap::XS;
    Field {
        id: Id::unique("settings-search"),
        text: &mut draft.query,
        name: &texts.get("settings-search"),
        hint: &texts.get("settings-search"),
        hidden: false,
        wrong: false,
        limit: 100,
        buttons: &[],
        width: PAGES,
    }
    .show(ui, theme);
    ui.add_space(gap::XS);
    for page in SettingsPage::ALL {
        let name = texts.get(page.key());
        let chosen = draft.query.is_empty() && draft.page == *page;
        let button = Button::new(&name).look(ButtonWeight::Quiet).icon(page.icon());
        if button.width(PAGES).leading().selected(chosen).show(ui, theme).clicked() {
            draft.page = *page;
            draft.query.clear();
            draft.lit = None;
        }
    }
}

fn contents(
    ui: &mut Ui,
    view: &mut View<'_>,
    needs: &mut Needs<'_>,
    draft: &mut SettingsDraft,
) -> Option<DialogAnswer> {
    let searched = !draft.query.trim().is_empty();
    let shown: Vec<Setting> = if searched {
        draft.results(view)
    } else {
        Setting::ALL.iter().copied().filter(|setting| setting.page() == draft.page).collect()
    };
    if shown.is_empty() {
        label(ui, &view.texts.get("palette-none"), Type::Body, view.theme.secondary);
    }
    let (mut answer, mut page) = (None, None);
    for setting in shown {
        if searched && page.replace(setting.page()) != Some(setting.page()) {
            section(ui, view.theme, &view.texts.get(setting.page().key()));
        }
        answer = answer.or(one(ui, view, needs, draft, setting));
    }
    answer
}

/// A setting with its control.
fn one(
    ui: &mut Ui,
    view: &mut View<'_>,
    needs: &mut Needs<'_>,
    draft: &mut SettingsDraft,
    setting: Setting,
) -> Option<DialogAnswer> {
    match setting {
        Setting::Language => general::language(ui, view, needs, draft),
        Setting::Theme => general::theme(ui, view, needs, draft),
        Setting::Scale => general::scale(ui, view, needs, draft),
        Setting::Motion => general::motion(ui, view, needs, draft),
        Setting::Meter => general::meter(ui, view, needs, draft),
        Setting::Size => video::size(ui, view, draft),
        Setting::Rate => video::rate(ui, view, draft),
        Setting::Bitrate => video::bitrate(ui, view, draft),
        Setting::Monitoring => audio::monitoring(ui, view, draft),
        Setting::PushToTalk => audio::push_to_talk_key(ui, view, needs, draft),
        Setting::Encoder => output::encoder(ui, view, draft),
        Setting::Adaptation => output::adaptation(ui, view, draft),
        Setting::Keyframes => output::keyframes(ui, view, draft),
        Setting::AudioFormat => output::audio_format(ui, view, draft),
        Setting::Delay => output::delay(ui, view, draft),
        Setting::Folder => recording::folder(ui, view, needs, draft),
        Setting::Format => recording::format(ui, view, needs, draft),
        Setting::Split => recording::split(ui, view, needs, draft),
        Setting::Replay => recording::replay(ui, view, needs, draft),
        Setting::ReplayAlways => recording::replay_always(ui, view, needs, draft),
        Setting::Tracks => recording::tracks(ui, view, needs, draft),
        Setting::Hotkeys => hotkeys::list(ui, view, needs, draft),
        Setting::Services => return network::services(ui, view, draft),
        Setting::Successor => network::successor(ui, view, needs, draft),
        Setting::Renderer => about::renderer(ui, view, needs, draft),
        Setting::Keys => about::keys(ui, view, draft),
        Setting::Version => about::version(ui, view, draft),
    }
    None
}
