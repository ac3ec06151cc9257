//! The whole window: bars, pages, dialogs, keyboard. The screen draws one snapshot per frame, and
//! returns the requests of the user. It does not depend on eframe, so tests use it in the same way
//! as the application. The file is long because one place decides what has the keyboard.

/// Creates a `View` from fields of the screen. The other fields can still be borrowed.
macro_rules! view {
    ($screen:ident) => {
        View {
            theme: &$screen.theme,
            texts: &$screen.texts,
            snapshot: &$screen.snapshot,
            health: &$screen.health,
            requests: &mut $screen.requests,
        }
    };
}

/// Creates the parts of the *Studio* page from fields of the screen, like [`view!`].
macro_rules! parts {
    ($screen:ident) => {
        crate::ui::studio_page::parts::PageParts {
            target: &mut $screen.target,
            scenes: &mut $screen.scenes,
            watch: &mut $screen.watch,
            share: &mut $screen.share,
            chat: &mut $screen.chat,
            side: &mut $screen.side,
            program: &mut $screen.program,
            preview: $screen.preview.as_mut(),
            watched: &mut $screen.watched,
            panels: &mut $screen.preferences.panels,
            multiview: &mut $screen.multiview,
            inspected: false,
        }
    };
}

mod actions;
pub mod bars;
mod chosen_files;
mod guide;
mod health_bar;
mod keyboard;
mod layout;
mod notice_requests;
mod other_windows;
mod projectors;
mod push_to_talk_key;
mod status_bar;
mod window_list;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use egui::{Ui, Vec2};

use crate::base::Latest;
use crate::compose::scene::{SceneId, SourceId};
use crate::compose::{ViewDetail, ViewOf};
use crate::media::VideoFrame;
use crate::studio::command::PartCommand;
use crate::studio::notices::health::Health;
use crate::studio::settings::{Panel, Panels};
use crate::studio::snapshot::Scenes;
use crate::studio::{Command, Preferences, Remedy, Snapshot, Theme as ThemeChoice};
use crate::ui::dialogs::file_chooser::FileChooser;
use crate::ui::dialogs::{self, Dialog, DialogAnswer, PassthroughDraft};
use crate::ui::input::global_key::{GlobalHotkeys, GlobalKeySupport};
use crate::ui::input::keystrokes;
use crate::ui::input::push_to_talk;
use crate::ui::notices::Toast;
use crate::ui::screen::bars::Page;
use crate::ui::studio_page::docks::Docks;
use crate::ui::studio_page::mixer::labels::MixerSelection;
use crate::ui::studio_page::multiview::Multiview;
use crate::ui::studio_page::parts::SideTab;
use crate::ui::studio_page::projectors::Projectors;
use crate::ui::studio_page::{chat, share};
use crate::ui::style::theme::{Theme, size};
use crate::ui::style::{fonts, scale};
use crate::ui::text::{self, Texts};
use crate::ui::video::{FrameView, Surfaces};
use crate::ui::view::{Renderer, View, WindowRequest};
use crate::ui::widgets::FocusReturn;
use crate::ui::{recordings, scenes, targets, watch};

/// The length of the replay buffer for users who never chose one.
const DEFAULT_REPLAY_LENGTH: Duration = Duration::from_secs(30);

/// The state of the window, which is kept between frames.
#[derive(Debug)]
pub struct Screen {
    preferences: Preferences,
    theme: Theme,
    texts: Texts,
    renderer: Renderer,
    /// The scale in percent that suits the display, for users who did not choose one.
    display_scale: u16,
    /// The size of the window in points at 100 %, as soon as the desktop reports it.
    window_size: Option<Vec2>,
    snapshot: Snapshot,
    /// The health of the current snapshot.
    health: Health,
    page: Page,
    /// The tab in the right panel of the *Studio* page.
    side: SideTab,
    /// The docked panels of the *Studio* page.
    docks: Docks,
    dialog: Option<Dialog>,
    dialog_is_fresh: bool,
    dialog_focus: [FocusReturn; 2],
    tray: bars::TrayState,
    search: dialogs::Search,
    target: targets::Draft,
    settings: dialogs::SettingsDraft,
    /// onair's own file chooser.
    file_chooser: Option<FileChooser>,
    toast: Toast,
    /// The folder of the last choice.
    last_folder: Option<PathBuf>,
    /// True while the desktop's file dialog does not respond.
    file_wait: bool,
    passthrough: dialogs::PassthroughDraft,
    services: dialogs::Services,
    parts: dialogs::PartsDraft,
    /// The number of switches to another collection or profile, according to the last snapshot.
    part_changes: u64,
    profile_changed: bool,
    successor: Option<String>,
    /// The images of the open page of the help.
    help_images: dialogs::HelpImages,
    guide: guide::Guide,
    /// The view of the program frame for the guide.
    guided: Option<FrameView>,
    watch: watch::Draft,
    share: share::Draft,
    chat: chat::Draft,
    recordings: recordings::Draft,
    scenes: scenes::Draft,
    multiview: Multiview,
    projectors: Projectors,
    /// The pending request for studio mode at the start, with the scene that was last put into the
    /// preview for this request.
    studio_at_start: Option<Option<SceneId>>,
    /// The views, in addition to the program, that were last requested from the studio.
    looked_at: BTreeMap<ViewOf, ViewDetail>,
    /// The view of the preview frame; `None` before the first preview.
    preview: Option<FrameView>,
    program: FrameView,
    /// The views of the players' frames, by the slots of their tiles.
    watched: Vec<FrameView>,
    full_screen: bool,
    /// The length of the replay buffer when the user turns it on with a command.
    replay_length: Duration,
    talk: push_to_talk::TalkState,
    /// The support for the push-to-talk key while another window has the keyboard focus.
    elsewhere: GlobalKeySupport,
    global_hotkeys: GlobalHotkeys,
    others: window_list::WindowList<Self>,
    requests: Vec<WindowRequest>,
}

fn theme_of(preferences: &Preferences) -> Theme {
    let theme = match preferences.theme {
        ThemeChoice::Dark => Theme::DARK,
        ThemeChoice::Light => Theme::LIGHT,
    };
    Theme { still: preferences.reduced_motion, ..theme }
}

/// Turns studio mode on once, if requested. The first snapshots may arrive before the scenes. The
/// request is then repeated with the current scene.
fn studio_mode_at_start(
    wanted: &mut Option<Option<SceneId>>,
    snapshot: &Snapshot,
) -> Option<WindowRequest> {
    let asked = wanted.as_mut()?;
    if snapshot.scenes.preview_scene.is_some() {
        *wanted = None;
        return None;
    }
    let current = snapshot.scenes.collection.current;
    let is_new = asked.replace(current) != Some(current);
    is_new.then_some(WindowRequest::Command(Command::SetPreviewScene(Some(current))))
}

/// Applies the interface scale in percent to the whole window.
fn apply_scale(ctx: &egui::Context, scale: u16) {
    ctx.set_zoom_factor(f32::from(scale) / 100.0);
}

impl Screen {
    /// Creates a window for these frames. Installs fonts and style.
    pub fn new(
        ctx: &egui::Context,
        preferences: Preferences,
        program: Latest<VideoFrame>,
        watched: Vec<Latest<VideoFrame>>,
    ) -> Self {
        ctx.add_plugin(keystrokes::Keystrokes::default());
        ctx.set_fonts(fonts::definitions());
        let theme = theme_of(&preferences);
        theme.apply(ctx);
        let texts = Texts::new(preferences.language.spoken());
        apply_scale(ctx, preferences.ui_scale.unwrap_or(scale::DEFAULT_PERCENT));
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        let studio_at_start = (preferences.panels.layout == Panels::STUDIO).then_some(None);
        Self {
            preferences,
            theme,
            texts,
            studio_at_start,
            renderer: Renderer::default(),
            display_scale: scale::DEFAULT_PERCENT,
            window_size: None,
            health: Health::of(&Snapshot::default()),
            snapshot: Snapshot::default(),
            page: Page::Studio,
            side: SideTab::default(),
            docks: Docks::default(),
            dialog: None,
            dialog_is_fresh: false,
            dialog_focus: Default::default(),
            tray: bars::TrayState::default(),
            search: dialogs::Search::default(),
            target: targets::Draft::default(),
            settings: dialogs::SettingsDraft::default(),
            file_chooser: None,
            toast: Toast::default(),
            last_folder: None,
            file_wait: false,
            passthrough: dialogs::PassthroughDraft::default(),
            services: dialogs::Services::default(),
            parts: dialogs::PartsDraft::default(),
            part_changes: 0,
            profile_changed: false,
            successor: None,
            help_images: dialogs::HelpImages::default(),
            guide: guide::Guide::default(),
            guided: None,
            watch: watch::Draft::default(),
            share: share::Draft::default(),
            chat: chat::Draft::default(),
            recordings: recordings::Draft::default(),
            scenes: scenes::Draft::default(),
            multiview: Multiview::default(),
            projectors: Projectors::default(),
            looked_at: BTreeMap::new(),
            preview: None,
            program: FrameView::new("program", program),
            watched: watched.into_iter().map(|slot| FrameView::new("watched", slot)).collect(),
            full_screen: false,
            replay_length: DEFAULT_REPLAY_LENGTH,
            talk: push_to_talk::TalkState::default(),
            elsewhere: GlobalKeySupport::default(),
            global_hotkeys: GlobalHotkeys::default(),
            others: window_list::WindowList::default(),
            requests: Vec::new(),
        }
    }

    /// Returns the preferences of the window.
    pub fn preferences(&self) -> &Preferences {
        &self.preferences
    }

    /// Changes the preferences of the window.
    pub fn set_preferences(&mut self, ctx: &egui::Context, preferences: Preferences) {
        if preferences != self.preferences {
            self.preferences = preferences;
            self.restyle(ctx);
            self.requests.push(WindowRequest::Preferences);
        }
    }

    /// Sets the renderer that the settings display.
    pub fn set_renderer(&mut self, renderer: Renderer) {
        self.renderer = renderer;
    }

    /// Sets the scale in percent that suits the display. It applies unless the user chose a scale.
    /// Returns true if the scale of the window changed.
    pub fn set_display_scale(&mut self, ctx: &egui::Context, scale: u16) -> bool {
        let changes = self.display_scale != scale && self.preferences.ui_scale.is_none();
        self.display_scale = scale;
        if changes {
            self.restyle(ctx);
        }
        changes
    }

    /// Sets the size of the window in points at 100 %. A window that is too small for its scale gets
    /// a smaller one. Returns true if the scale of the window changed.
    pub fn set_window_size(&mut self, ctx: &egui::Context, size: Vec2) -> bool {
        let before = self.used_scale();
        self.window_size = Some(size);
        let changes = self.used_scale() != before;
        if changes {
            self.restyle(ctx);
        }
        changes
    }

    /// Returns the scale in percent that the user chose, or that suits the display.
    fn wanted_scale(&self) -> u16 {
        self.preferences.ui_scale.unwrap_or(self.display_scale)
    }

    /// Returns the scale in percent of the window.
    fn used_scale(&self) -> u16 {
        self.fitted_scale(self.wanted_scale())
    }

    /// Returns the scale in percent of the window if the user wants this one.
    fn fitted_scale(&self, wanted: u16) -> u16 {
        self.window_size.map_or(wanted, |size| scale::fitting(wanted, size))
    }

    /// Stores the size of the window in points, if it is not maximized. The next start wants a scale
    /// that can differ from the used one.
    pub fn set_place(&mut self, size: Option<[u16; 2]>, maximized: bool) {
        // Stored settings would keep the guide from appearing again if it does not end.
        if self.dialog == Some(Dialog::Guide) {
            return;
        }
        let scale = f32::from(self.used_scale()) / f32::from(self.wanted_scale());
        let size = size.map(|size| size.map(|side| (f32::from(side) * scale).round() as u16));
        let preferences = &mut self.preferences;
        let usual = size::INITIAL_WINDOW.map(|side| side as u16);
        let size = size.or(preferences.size).filter(|size| *size != usual);
        if (preferences.size, preferences.maximized) != (size, maximized) {
            (preferences.size, preferences.maximized) = (size, maximized);
            self.requests.push(WindowRequest::Preferences);
        }
    }

    /// Uses these surfaces for the frames. Call this before the first frame.
    pub fn set_surfaces(&mut self, surfaces: &Arc<dyn Surfaces>) {
        self.watched.iter_mut().chain([&mut self.program]).for_each(|it| it.lay_on(surfaces));
    }

    /// Sets the snapshot to draw.
    pub fn set_snapshot(&mut self, snapshot: Snapshot) {
        self.health = Health::of(&snapshot);
        if self.part_changes != snapshot.parts.changes {
            // A profile has its own hotkeys and recording format.
            self.part_changes = snapshot.parts.changes;
            self.preferences.clone_from(&snapshot.preferences);
            self.profile_changed = true;
            self.target.forget_idle();
            if self.snapshot.scenes.collection != snapshot.scenes.collection {
                self.scenes.leave_collection();
                let (old, new) = (&self.snapshot.scenes.collection, &snapshot.scenes.collection);
                self.projectors.leave_collection(old, new);
            }
        }
        let number = |scenes: &Scenes| scenes.import_report.as_ref().map(|it| it.number);
        let report = number(&snapshot.scenes);
        if report.is_some() && report != number(&self.snapshot.scenes) && !self.is_blocked() {
            self.open(Dialog::ImportReport);
        }
        self.snapshot = snapshot;
        let released = self.target.learn(&self.snapshot);
        self.requests.extend(released.into_iter().map(WindowRequest::Command));
        let next = self.scenes.learn(&self.snapshot);
        self.requests.extend(next.map(WindowRequest::Command));
        let scenes = &self.snapshot.scenes;
        self.scenes.studio_mode = scenes.preview_scene.is_some();
        self.requests.extend(studio_mode_at_start(&mut self.studio_at_start, &self.snapshot));
        self.scenes.safe_areas = self.preferences.safe_areas;
        self.scenes.space_talks = push_to_talk::is_space(&self.snapshot, &self.preferences);
        if scenes.preview_scene.is_none() {
            self.preview = None;
        } else if self.preview.is_none() {
            self.preview = Some(self.program.beside("preview", scenes.preview.clone()));
        }
    }

    /// Returns the health of the studio, as the health bar shows it.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Shows the filters of a source.
    pub fn show_filters(&mut self, source: SourceId) {
        self.scenes.show_filters(source);
    }

    /// Shows this tab in the right panel of the *Studio* page.
    pub(super) fn show_side(&mut self, side: SideTab) {
        (self.page, self.side) = (Page::Studio, side);
        self.docks.reveal(match side {
            SideTab::Broadcast => Panel::Broadcast,
            SideTab::Inspector => Panel::Inspector,
            SideTab::Chat => Panel::Chat,
            SideTab::Share => Panel::Share,
        });
    }

    /// Returns the current page.
    pub fn page(&self) -> Page {
        self.page
    }

    /// Shows a page.
    pub fn set_page(&mut self, page: Page) {
        self.page = page;
    }

    /// Returns the language of the window.
    pub fn language(&self) -> text::Language {
        self.texts.language()
    }

    /// Opens a dialog.
    pub fn open(&mut self, dialog: Dialog) {
        self.dialog = Some(dialog);
        self.dialog_is_fresh = true;
    }

    /// Returns true if the main window asks the user something: it shows a dialog.
    pub fn asks(&self) -> bool {
        self.dialog.is_some() || self.scenes.is_adding() || self.scenes.transition.is_some()
    }

    /// Returns true if a dialog keeps the rest of the window from being used.
    pub fn is_blocked(&self) -> bool {
        self.dialog.is_some_and(|dialog| dialog != Dialog::Mixer)
    }

    /// Returns true while the first-run guide is open.
    pub fn shows_guide(&self) -> bool {
        self.dialog == Some(Dialog::Guide)
    }

    /// Returns true if the first-run guide shows the picture of the camera.
    pub fn shows_guide_picture(&self) -> bool {
        self.dialog == Some(Dialog::Guide) && self.guide.shows_picture()
    }

    /// Returns the open dialog.
    pub fn dialog(&self) -> Option<Dialog> {
        self.dialog
    }

    /// Returns true if closing now would end a stream, a recording or a copy of a recording.
    pub fn must_ask_before_closing(&self) -> bool {
        self.snapshot.is_live_or_recording() || self.snapshot.recordings.copy.is_some()
    }

    /// Draws the window. Returns the requests of the user.
    pub fn show(&mut self, ui: &mut Ui) -> Vec<WindowRequest> {
        if std::mem::take(&mut self.profile_changed) {
            self.restyle(ui.ctx());
        }
        let before = self.preferences.clone();
        self.close_needless_question();
        self.keyboard(ui);
        // A screen reader announces the window's name when the window gets the keyboard focus.
        ui.ctx().accesskit_node_builder(egui::accesskit_root_id(), |node| node.set_label("onair"));
        let room = ui.max_rect();
        if self.full_screen {
            self.filled(ui, room);
        } else {
            self.fitted(ui, room);
        }
        let below = dialogs::health_bar(ui.ctx()).map(|bar| bar.bottom());
        let view = view!(self);
        self.toast.show(ui.ctx(), &view, below);
        self.player_keys(ui.ctx());
        self.other_windows(ui.ctx());
        self.return_dialog_focus(ui.ctx());
        self.dialogs(ui.ctx());
        self.file_dialogs(ui.ctx());
        if self.scenes.awaits_scene() {
            keystrokes::hold(ui.ctx());
        }
        if self.preferences != before {
            self.restyle(ui.ctx());
            if !self.requests.contains(&WindowRequest::Preferences) {
                self.requests.push(WindowRequest::Preferences);
            }
        }
        self.handle_own_requests(ui.ctx());
        self.look(ui.ctx());
        self.recordings.follow(self.page == Page::Recordings, &mut self.requests);
        std::mem::take(&mut self.requests)
    }

    /// Handles the keyboard of the *Watch* page.
    fn player_keys(&mut self, ctx: &egui::Context) {
        let is_free = self.page == Page::Watch && !self.is_blocked() && !self.chooses_file();
        let mut view = view!(self);
        if is_free {
            watch::keys::take(ctx, &mut view, &mut self.watch);
        }
        self.watch.tell(&mut view);
    }

    /// Returns true if the players are displayed outside their page.
    pub fn plays_apart(&self) -> bool {
        let docked = !self.preferences.panels.is_simple() && self.docks.shows(Panel::Players);
        self.watch.place != watch::PlayerLocation::Here || docked
    }

    fn dialogs(&mut self, ctx: &egui::Context) {
        if !self.is_blocked() {
            let mut view = view!(self);
            crate::ui::scenes::add_source::show(ctx, &mut view, &mut self.scenes);
            crate::ui::scenes::transition::show(ctx, &mut view, &mut self.scenes);
        }
        if self.dialog != Some(Dialog::Help) {
            self.help_images = dialogs::HelpImages::default();
        }
        if self.dialog == Some(Dialog::Guide) {
            return self.guide(ctx);
        }
        self.guided = None;
        let Some(dialog) = self.dialog else {
            return;
        };
        let scales = (self.wanted_scale(), self.used_scale());
        let impossible = match dialog {
            Dialog::Palette => self.impossible(),
            _ => BTreeMap::new(),
        };
        let mut view = view!(self);
        let mut needs = dialogs::DialogContext {
            preferences: &mut self.preferences,
            renderer: &self.renderer,
            display_scale: self.display_scale,
            scales,
            elsewhere: &self.elsewhere,
            global_hotkeys: &self.global_hotkeys,
            impossible,
            settings: &mut self.settings,
            passthrough: &mut self.passthrough,
            services: &mut self.services,
            parts: &mut self.parts,
            successor: &mut self.successor,
            images: &mut self.help_images,
            fresh: std::mem::take(&mut self.dialog_is_fresh),
        };
        match dialogs::show(ctx, &mut view, dialog, &mut needs, &mut self.search) {
            None => {}
            Some(DialogAnswer::Close) => {
                self.dialog = None;
                if dialog == Dialog::ImportReport && self.snapshot.scenes.import_report.is_some() {
                    self.send(Command::CloseImportReport);
                }
            }
            Some(DialogAnswer::EditTarget(id)) => {
                self.dialog = None;
                self.show_side(SideTab::Broadcast);
                self.target.edit(id);
            }
            Some(DialogAnswer::Setting(setting)) => {
                self.settings.show(setting);
                self.open(Dialog::Settings);
            }
            Some(DialogAnswer::Scene(id)) => {
                self.dialog = None;
                self.switch_scene(id);
            }
            Some(DialogAnswer::Source(id)) => {
                self.dialog = None;
                self.help(Remedy::EditSource(id));
            }
            Some(DialogAnswer::Strip(strip)) => {
                MixerSelection { strip, ..MixerSelection::default() }.set(ctx);
                self.open(Dialog::Mixer);
            }
            Some(DialogAnswer::UsePart(kind, place)) => {
                self.dialog = None;
                let name = self.snapshot.parts.names(kind).get(place).cloned();
                let used = name.map(|name| Command::Part(PartCommand::Use(kind, name)));
                self.requests.extend(used.map(WindowRequest::Command));
            }
            Some(DialogAnswer::SendFile) => {
                self.dialog = None;
                let PassthroughDraft { path, again } = self.passthrough.clone();
                let may = self.may_go_live();
                if let Some(path) = path.filter(|_| may) {
                    self.send(Command::SendFile { path, again });
                }
            }
            Some(DialogAnswer::StopLive) => {
                self.dialog = None;
                self.send(Command::StopLive);
            }
            Some(DialogAnswer::Quit) => {
                self.dialog = Some(Dialog::Closing);
                self.requests.push(WindowRequest::Quit);
            }
            Some(DialogAnswer::Act(action)) => {
                self.dialog = None;
                self.act(ctx, action);
            }
            Some(DialogAnswer::Named(command)) => {
                self.dialog = None;
                self.act_named(&command);
            }
        }
    }

    /// Sets where the players appear at first, and whether their statistics are visible.
    pub fn begin_watching(&mut self, place: watch::PlayerLocation, figures: bool) {
        (self.watch.place, self.watch.figures) = (place, figures);
    }

    /// Fills the screen with the page's frame.
    pub fn fill_screen(&mut self) {
        self.set_full_screen(true);
    }

    /// Returns the clear color of the window: the color of the panels, because the panels paint no
    /// background.
    pub fn ground(&self) -> egui::Color32 {
        self.theme.panel
    }

    fn set_full_screen(&mut self, full: bool) {
        self.full_screen = full;
        self.requests.push(WindowRequest::FullScreen(full));
    }
}
