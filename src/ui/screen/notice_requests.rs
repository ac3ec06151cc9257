//! Requests from the notice tray and the health bar.

use std::path::PathBuf;

use super::Screen;
use super::bars::TopBarClick;
use super::health_bar;
use crate::studio::live::recording::library::RecordingsCommand;
use crate::studio::settings::Panel;
use crate::studio::{Command, Remedy};
use crate::ui::dialogs::{Dialog, Setting};
use crate::ui::input::actions::Action;
use crate::ui::notices::{self, TrayRequest};
use crate::ui::screen::bars::{Page, TrayState};
use crate::ui::studio_page::parts::SideTab;
use crate::ui::view::View;

impl Screen {
    /// Handles the control that was pressed in the top bar or the health bar.
    pub(super) fn answer(
        &mut self,
        ctx: &egui::Context,
        top: Option<TopBarClick>,
        health: Option<health_bar::HealthBarClick>,
    ) {
        match top {
            Some(TopBarClick::Act(action)) => self.act(ctx, action),
            Some(TopBarClick::Tray(TrayRequest::EventLog)) => self.act(ctx, Action::EventLog),
            Some(TopBarClick::Tray(TrayRequest::Dismiss(notice))) => self.dismiss(notice),
            Some(TopBarClick::Tray(TrayRequest::Help { notice, remedy })) => {
                let opens = matches!(
                    remedy,
                    Remedy::PlayRecording | Remedy::ShowRecording | Remedy::ShowInFolder
                );
                if opens {
                    self.open_saved(notice, remedy);
                } else {
                    self.help(remedy);
                }
                if let Some(notice) = notice.filter(|_| notices::is_final(remedy)) {
                    self.dismiss(notice);
                }
            }
            None => {}
        }
        match health {
            Some(health_bar::HealthBarClick::Help(remedy)) => self.help(remedy),
            Some(health_bar::HealthBarClick::Notices) => {
                self.tray = TrayState { open: true, fresh: true };
            }
            None => {}
        }
    }

    fn dismiss(&mut self, notice: u64) {
        self.send(Command::Dismiss(notice));
    }

    /// Selects a recording on its page.
    pub(super) fn show_recording(&mut self, path: Option<PathBuf>) {
        self.recordings.select(path);
        self.page = Page::Recordings;
    }

    /// Plays the file that a notice names, or shows it on the page of recordings or in its folder.
    fn open_saved(&mut self, notice: Option<u64>, remedy: Remedy) {
        let mut notices = self.snapshot.notices.iter();
        let notice = notices.find(|it| Some(it.id) == notice);
        let Some(path) = notice.and_then(|it| it.file.clone()) else { return };
        match remedy {
            Remedy::PlayRecording => self.picked_watch(&path),
            Remedy::ShowInFolder => {
                let command = Command::Recordings(RecordingsCommand::ShowInFolder(path));
                self.send(command);
            }
            _ => self.show_recording(Some(path)),
        }
    }

    /// Executes a remedy.
    pub(super) fn help(&mut self, remedy: Remedy) {
        let shows = match remedy {
            Remedy::EditTarget(id) => {
                self.show_side(SideTab::Broadcast);
                self.target.edit(id);
                true
            }
            Remedy::EditKey(id) => {
                self.show_side(SideTab::Broadcast);
                self.target.edit_key(id);
                true
            }
            Remedy::ShowViewers(id) => {
                self.show_side(SideTab::Broadcast);
                self.target.show(id);
                true
            }
            Remedy::EditSource(id) => {
                self.scenes.show_properties(id);
                self.docks.enter(Panel::Inspector);
                true
            }
            Remedy::EditFilters(id) => {
                self.scenes.show_lacking_filter(&self.snapshot.scenes, id);
                self.docks.enter(Panel::Inspector);
                true
            }
            Remedy::UsePort443(id) => {
                self.target.relearn(id);
                false
            }
            Remedy::EditQuality => {
                self.settings.show(Setting::Size);
                self.open(Dialog::Settings);
                return;
            }
            Remedy::OpenMixer => {
                self.open(Dialog::Mixer);
                return;
            }
            Remedy::EditTransition => {
                self.scenes.show_lacking_transition(&self.snapshot.scenes);
                true
            }
            _ => false,
        };
        if shows {
            self.page = Page::Studio;
            return;
        }
        let mut view = view!(self);
        notices::apply(&mut view, remedy);
    }
}
