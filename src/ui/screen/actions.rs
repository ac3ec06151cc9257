//! Executes the actions of the window, from the keyboard, the buttons and the command palette.

use std::collections::BTreeMap;

use super::{Screen, apply_scale, theme_of};
use crate::compose::scene::SceneId;
use crate::mix::StripLamp;
use crate::studio::command::GuestCommand;
use crate::studio::live::view::LiveState;
use crate::studio::settings::{Panel, Panels};
use crate::studio::targets::sharing::ServerReach;
use crate::studio::{Command, Language, Theme as ThemeChoice};
use crate::ui::dialogs::{Dialog, PartsDraft};
use crate::ui::input::actions::Action;
use crate::ui::input::named::{AnyCommand, NamedCommand, NamedKind, show_scene};
use crate::ui::input::possible::ImpossibleReason;
use crate::ui::recordings;
use crate::ui::scenes;
use crate::ui::screen::bars::{self, Page};
use crate::ui::screen::guide::{self, GuideAnswer};
use crate::ui::studio_page::docks;
use crate::ui::studio_page::mixer::labels::MixerSelection;
use crate::ui::studio_page::parts::SideTab;
use crate::ui::style::scale;
use crate::ui::text;
use crate::ui::view::{View, WindowRequest};
use crate::ui::watch;

impl Screen {
    /// Executes an action.
    pub(super) fn act(&mut self, ctx: &egui::Context, action: Action) {
        match action {
            Action::GoLive => self.go_live_or_stop(),
            Action::Record => match self.snapshot.recording {
                Some(_) => self.send(Command::StopRecording),
                None => self.requests.push(WindowRequest::Record),
            },
            Action::PauseRecording => {
                let paused = self.snapshot.recording.as_ref().is_some_and(|it| it.paused);
                self.send(if paused { Command::ResumeRecording } else { Command::PauseRecording });
            }
            Action::Chapter => self.send(Command::Chapter(String::new())),
            Action::ReplayBuffer => {
                let replay = &mut self.preferences.recording.replay;
                // A buffer that is turned on again has the same length as before.
                match replay.take() {
                    Some(length) => self.replay_length = length,
                    None => *replay = Some(self.replay_length),
                }
                self.requests.push(WindowRequest::Preferences);
            }
            Action::SaveReplay => self.requests.push(WindowRequest::SaveReplay),
            Action::Screenshot => self.requests.push(WindowRequest::Screenshot),
            Action::VirtualCamera => {
                self.send(Command::SwitchVirtualCamera(!self.snapshot.virtual_camera.is_on()));
            }
            Action::Mute if self.page == Page::Watch => self.act(ctx, Action::MutePlayer),
            Action::Mute => self.mute_program(),
            Action::MutePlayer => {
                self.send(Command::SetPlayerMuted(!self.snapshot.watch_figures.muted));
            }
            Action::FullScreen => self.set_full_screen(!self.full_screen),
            Action::Palette => self.toggle(Dialog::Palette),
            Action::Settings => self.toggle(Dialog::Settings),
            Action::Help => self.toggle(Dialog::Help),
            Action::Preflight => self.toggle(Dialog::Preflight),
            Action::EventLog => self.toggle(Dialog::EventLog),
            Action::Notices => {
                let open = !self.tray.open;
                self.tray = bars::TrayState { open, fresh: open };
            }
            Action::Remedy => {
                if let Some(remedy) = self.health.remedy {
                    self.help(remedy);
                }
            }
            Action::Developer => self.toggle(Dialog::Developer),
            Action::SendFile => self.toggle(Dialog::Passthrough),
            Action::Services => self.toggle(Dialog::Services),
            Action::CollectionsAndProfiles => {
                self.parts = PartsDraft::default();
                self.toggle(Dialog::CollectionsAndProfiles);
            }
            Action::SetUp => self.toggle(Dialog::Guide),
            Action::AddSource => {
                self.page = Page::Studio;
                self.scenes.add_source();
            }
            Action::AddScene => {
                self.page = Page::Studio;
                let edit = self.scenes.add_scene(&self.texts, &self.snapshot);
                self.send(edit);
            }
            Action::StudioMode => {
                self.page = Page::Studio;
                let switch = self.scenes.switch_studio_mode(&self.snapshot);
                self.send(switch);
            }
            Action::ImportScenes => self.requests.push(WindowRequest::PickScenes),
            Action::ExportScenes => self.requests.push(WindowRequest::SaveScenes),
            Action::Mixer => self.toggle(Dialog::Mixer),
            Action::Filters => {
                if let Some(source) = self.scenes.source(&self.snapshot) {
                    self.page = Page::Studio;
                    self.scenes.show_filters(source);
                    self.docks.enter(Panel::Inspector);
                }
            }
            Action::Properties => {
                if let Some(source) = self.scenes.source_with_properties(&self.snapshot) {
                    self.page = Page::Studio;
                    self.scenes.show_properties(source);
                    self.docks.enter(Panel::Inspector);
                }
            }
            Action::AddAudio => {
                MixerSelection { adds: true, ..MixerSelection::get(ctx) }.set(ctx);
                self.open(Dialog::Mixer);
            }
            Action::AddTarget => {
                self.show_side(SideTab::Broadcast);
                self.target.begin_adding();
            }
            Action::RecordingPlay
            | Action::RecordingShow
            | Action::RecordingRename
            | Action::RecordingTrash
            | Action::RecordingRepair
            | Action::RecordingCopy => self.act_on_recording(action),
            Action::RecordingsFolder => self.requests.push(WindowRequest::PickRecordingFolder),
            Action::LayoutSimple => self.use_layout(Panels::SIMPLE),
            Action::LayoutStudio => self.use_layout(Panels::STUDIO),
            Action::LayoutMonitor => self.use_layout(Panels::MONITOR),
            Action::LayoutReset | Action::LayoutDelete => {
                self.page = Page::Studio;
                docks::menu::discard(&mut self.preferences.panels, &mut self.docks, action);
                self.requests.push(WindowRequest::Preferences);
            }
            Action::ArrangePanels => {
                self.page = Page::Studio;
                self.docks.arranging ^= true;
            }
            Action::Multiview => self.toggle_multiview(),
            Action::Share => {
                self.show_side(SideTab::Share);
                self.docks.enter(Panel::Share);
            }
            Action::ProgramDisplay
            | Action::ProgramWindow
            | Action::PreviewDisplay
            | Action::PreviewWindow
            | Action::MultiviewDisplay
            | Action::MultiviewWindow
            | Action::SourceDisplay
            | Action::SourceWindow
            | Action::CloseProjectors => self.project(action),
            Action::ZoomIn => self.scenes.zoom.step(true),
            Action::ZoomOut => self.scenes.zoom.step(false),
            Action::ZoomFit => self.scenes.zoom.fit(),
            Action::ZoomActual => self.scenes.zoom.set(1.0),
            Action::SafeAreas => {
                self.preferences.safe_areas = !self.preferences.safe_areas;
                self.scenes.safe_areas = self.preferences.safe_areas;
                self.requests.push(WindowRequest::Preferences);
            }
            Action::Studio => self.page = Page::Studio,
            Action::Watch => self.page = Page::Watch,
            Action::Recordings => self.page = Page::Recordings,
            Action::RetryNow => self.send(Command::RetryNow),
            Action::RefreshDevices => self.send(Command::RefreshDevices),
            Action::TestPattern => {
                let command = scenes::test_pattern(&self.texts, &self.snapshot);
                self.scenes.await_items(&self.snapshot);
                self.send(command);
            }
            Action::ClearClip => self.send(Command::ClearClip(StripLamp::All)),
            Action::ResetLoudness => self.send(Command::ResetLoudness),
            _ if action.is_about_items() || action.is_about_scene() => {
                self.act_on_scene(ctx, action);
            }
            Action::Server => self.send(Command::Serve(!self.snapshot.server.is_running())),
            Action::Network => {
                let reach = self.snapshot.server.reach;
                let reach = ServerReach { http: !reach.http, ..reach };
                self.send(Command::SetReach(reach));
            }
            Action::NewPlayKey => self.send(Command::NewPlayKey),
            Action::InviteGuest => {
                self.send(Command::Guest(GuestCommand::Invite));
                self.page = Page::Studio;
                // The simple layout has a bar with the guests, and the other layouts have a panel.
                self.docks.reveal(Panel::Guests);
            }
            Action::CopyAddress => ctx.copy_text(self.snapshot.server.play_url.clone()),
            Action::WatchOwn => {
                let url = self.snapshot.server.play_url.clone();
                self.watch.set_url(url.clone());
                self.page = Page::Watch;
                self.send(Command::Watch { url });
            }
            Action::OpenFile => self.requests.push(WindowRequest::PickWatchFile),
            Action::Undo => self.send(Command::Undo),
            Action::Redo => self.send(Command::Redo),
            Action::Transition => self.send(Command::Transition),
            Action::MediaPause
            | Action::MediaRestart
            | Action::MediaNext
            | Action::MediaPrevious
            | Action::MediaForward
            | Action::MediaBack => {
                let asked =
                    crate::ui::scenes::playback_bar::asked(&self.scenes, &self.snapshot, action);
                self.requests.extend(asked.map(WindowRequest::Command));
            }
            Action::Scene1
            | Action::Scene2
            | Action::Scene3
            | Action::Scene4
            | Action::Scene5
            | Action::Scene6
            | Action::Scene7
            | Action::Scene8
            | Action::Scene9 => {
                let scenes = &self.snapshot.scenes.collection.scenes;
                let scene = action.scene().and_then(|place| scenes.get(place));
                if let Some(id) = scene.map(|scene| scene.id) {
                    self.switch_scene(id);
                }
            }
            Action::Theme => {
                self.preferences.theme = match self.preferences.theme {
                    ThemeChoice::Dark => ThemeChoice::Light,
                    ThemeChoice::Light => ThemeChoice::Dark,
                };
                self.restyle(ctx);
                self.requests.push(WindowRequest::Preferences);
            }
            Action::Language => {
                self.preferences.language = match self.texts.language() {
                    text::Language::English => Language::Chinese,
                    text::Language::Chinese => Language::English,
                };
                self.restyle(ctx);
                self.requests.push(WindowRequest::Preferences);
            }
            Action::Larger => self.scale(ctx, true),
            Action::Smaller => self.scale(ctx, false),
            Action::ResetSize => self.set_scale(ctx, None),
            Action::Quit => self.ask_to_close(),
            other => match (other.rule_key(), other.panel()) {
                (Some(number), _) => self.send(Command::RuleKey(number)),
                (None, Some(panel)) => self.toggle_panel(panel),
                (None, None) => self.act_on_players(other),
            },
        }
    }

    /// Sends a command to the studio.
    pub(super) fn send(&mut self, command: Command) {
        self.requests.push(WindowRequest::Command(command));
    }

    /// Mutes the program, or unmutes it.
    pub(super) fn mute_program(&mut self) {
        let muted = self.snapshot.audio.as_ref().is_some_and(|audio| audio.muted);
        self.send(Command::SetMuted(!muted));
    }

    /// Executes any command.
    pub(super) fn act_on(&mut self, ctx: &egui::Context, command: &AnyCommand) {
        match command {
            AnyCommand::Action(action) => self.act(ctx, *action),
            AnyCommand::Named(command) => self.act_named(command),
        }
    }

    /// Executes a command for a named object, if the command is possible.
    pub(super) fn act_named(&mut self, command: &NamedCommand) {
        if command.kind == NamedKind::Layout && command.is_possible(&self.snapshot) {
            return self.use_layout(&command.name);
        }
        match command.command(&self.snapshot) {
            // Studio mode may have changed since the snapshot.
            Some(Command::SwitchScene(id) | Command::SetPreviewScene(Some(id))) => {
                self.switch_scene(id);
            }
            command => self.requests.extend(command.map(WindowRequest::Command)),
        }
    }

    /// Returns the reason why a command is currently impossible; `None` if it is possible.
    pub(super) fn why_not(&self, action: Action) -> Option<ImpossibleReason> {
        action
            .why_not(&self.snapshot, &self.health)
            .or_else(|| scenes::commands::why_not(&self.snapshot, &self.scenes, action))
            .or_else(|| docks::menu::why_not(&self.preferences.panels, action))
    }

    /// Returns all commands that are currently impossible, with the reasons.
    pub(super) fn impossible(&self) -> BTreeMap<Action, ImpossibleReason> {
        let all = Action::ALL.iter().copied();
        all.filter_map(|action| Some((action, self.why_not(action)?))).collect()
    }

    /// Executes an action on the current scene or on its selected items.
    fn act_on_scene(&mut self, ctx: &egui::Context, action: Action) {
        self.page = Page::Studio;
        // The list contains the field for a new name.
        let renames = matches!(action, Action::ItemRename | Action::SceneRename);
        if renames && !self.preferences.panels.is_simple() {
            self.docks.reveal(Panel::Sources);
        }
        let mut view = view!(self);
        scenes::commands::act(ctx, &mut view, &mut self.scenes, action);
    }

    /// Executes an action on the selected recording.
    fn act_on_recording(&mut self, action: Action) {
        self.page = Page::Recordings;
        let mut view = view!(self);
        let play = recordings::commands::act(&mut view, &mut self.recordings, action);
        if let Some(path) = play {
            self.picked_watch(&path);
        }
    }

    /// Shows a panel, and gives it the keyboard focus. A panel that has the focus is hidden instead,
    /// unless it belongs to the simple layout.
    fn toggle_panel(&mut self, panel: Panel) {
        self.page = Page::Studio;
        let side = SideTab::of(panel);
        let stays =
            side.is_some() || matches!(panel, Panel::Sources | Panel::Program | Panel::Mixer);
        if stays && self.preferences.panels.is_simple() && !self.docks.arranging {
            self.side = side.unwrap_or(self.side);
            self.docks.enter(panel);
        } else {
            self.docks.show_or_hide(&mut self.preferences.panels, panel);
        }
        self.requests.push(WindowRequest::Preferences);
    }

    /// Executes an action on the players, and opens the players' page unless they are visible
    /// elsewhere.
    fn act_on_players(&mut self, action: Action) {
        if !self.plays_apart() {
            self.page = Page::Watch;
        }
        let mut view = view!(self);
        watch::keys::act(&mut view, &mut self.watch, action);
    }

    /// Shows a scene, see [`show_scene`].
    pub(super) fn switch_scene(&mut self, id: SceneId) {
        let command = show_scene(self.scenes.studio_mode, id);
        self.send(command);
    }

    /// Scales the interface one step up or down.
    fn scale(&mut self, ctx: &egui::Context, larger: bool) {
        let now = self.used_scale();
        let mut steps = scale::PERCENT_CHOICES.into_iter();
        let next =
            if larger { steps.find(|step| *step > now) } else { steps.rfind(|step| *step < now) };
        // A larger scale that does not fit would only replace the stored one.
        if let Some(next) = next.filter(|step| self.fitted_scale(*step) != now) {
            self.set_scale(ctx, Some(next));
        }
    }

    /// Sets the scale of the interface. `None` means the scale that suits the display.
    fn set_scale(&mut self, ctx: &egui::Context, scale: Option<u16>) {
        self.preferences.ui_scale = scale;
        self.restyle(ctx);
        self.requests.push(WindowRequest::Preferences);
    }

    /// Applies the preferences to the whole window: theme, scale and language.
    pub(super) fn restyle(&mut self, ctx: &egui::Context) {
        let (theme, language) = (theme_of(&self.preferences), self.preferences.language.spoken());
        if (theme, language) != (self.theme, self.texts.language()) {
            // A part of this pass may have the old colors or texts.
            ctx.request_discard("the theme or the language");
        }
        self.theme = theme;
        self.theme.apply(ctx);
        apply_scale(ctx, self.used_scale());
        if language != self.texts.language() {
            self.texts = text::Texts::new(language);
        }
    }

    fn use_layout(&mut self, name: &str) {
        self.page = Page::Studio;
        let mut view = view!(self);
        docks::menu::choose(&mut view, &mut self.preferences.panels, name);
        self.requests.push(WindowRequest::Preferences);
    }

    fn toggle(&mut self, dialog: Dialog) {
        if self.dialog == Some(dialog) {
            self.dialog = None;
        } else {
            self.open(dialog);
        }
    }

    /// Draws the first-run guide, and handles its answer.
    pub(super) fn guide(&mut self, ctx: &egui::Context) {
        let program = self.guided.get_or_insert_with(|| self.program.again("guide"));
        let mut view = view!(self);
        let fresh = std::mem::take(&mut self.dialog_is_fresh);
        let (guide, preferences) = (&mut self.guide, &mut self.preferences);
        match guide::show(ctx, &mut view, guide, preferences, program, fresh) {
            None => {}
            Some(GuideAnswer::TargetChanged(id)) => self.target.relearn(id),
            Some(answer) => {
                guide::name_first_scene(&mut view);
                guide::name_first_source(&mut view);
                guide::name_first_parts(&mut view);
                self.dialog = None;
                // This writes the settings file, so that the guide does not appear at the next
                // start.
                self.requests.push(WindowRequest::Preferences);
                if answer == GuideAnswer::GoLive {
                    self.go_live_or_stop();
                }
            }
        }
    }

    /// Returns the command that stores the preferences.
    pub fn preferences_command(&self) -> Command {
        let (preferences, part_changes) = (self.preferences.clone(), self.part_changes);
        Command::SetPreferences { preferences, part_changes }
    }

    /// Handles a request to close the window.
    pub fn ask_to_close(&mut self) {
        if self.dialog == Some(Dialog::Closing) {
            return;
        }
        if self.must_ask_before_closing() {
            self.open(Dialog::ConfirmClose);
        } else {
            self.open(Dialog::Closing);
            self.requests.push(WindowRequest::Quit);
        }
    }

    /// Closes a question about something that has ended in the meantime.
    pub(super) fn close_needless_question(&mut self) {
        let is_needless = match self.dialog {
            // The recording of the broadcast may continue.
            Some(Dialog::ConfirmStop) => {
                matches!(self.snapshot.live, LiveState::Idle | LiveState::Stopping)
            }
            Some(Dialog::ConfirmClose) => !self.must_ask_before_closing(),
            _ => false,
        };
        if is_needless {
            self.dialog = None;
        }
    }

    /// Returns true if the stream can start. Otherwise shows what prevents the start.
    pub fn may_go_live(&mut self) -> bool {
        let wrong = self.target.complain(&self.snapshot);
        if wrong {
            self.show_side(SideTab::Broadcast);
        }
        !wrong
    }

    /// Executes the *Go Live* button: goes live, or asks for confirmation to stop.
    pub fn go_live_or_stop(&mut self) {
        match self.snapshot.live {
            _ if self.snapshot.is_starting() => self.send(Command::StopLive),
            LiveState::Idle => {
                if self.may_go_live() {
                    self.send(Command::GoLive);
                }
            }
            LiveState::Stopping => {}
            _ => self.open(Dialog::ConfirmStop),
        }
    }
}
