//! The projectors of the window, and the views that they and the multiview need in addition to the
//! program.

use std::collections::BTreeMap;

use egui::Context;

use super::Screen;
use crate::studio::Command;
use crate::studio::settings::{Panel, ProjectorContent};
use crate::ui::dialogs::{Dialog, PartsDraft, Setting};
use crate::ui::input::actions::Action;
use crate::ui::input::named::AnyCommand;
use crate::ui::scenes::canvas::color_pick;
use crate::ui::scenes::inspector;
use crate::ui::screen::bars::Page;
use crate::ui::studio_page::multiview;
use crate::ui::studio_page::projectors::display::Display;
use crate::ui::view::WindowRequest;

impl Screen {
    /// Sets the current displays of this computer. Returns the commands for the studio, which must
    /// not wait until the window draws its next frame: a projector may cover the window.
    pub fn set_displays(&mut self, ctx: &Context, displays: Vec<Display>) -> Vec<Command> {
        let news = self.projectors.set_displays(displays, &self.preferences);
        self.scenes.displays = self.projectors.displays();
        if !news.is_empty() {
            self.projectors.uncover(ctx);
        }
        news
    }

    /// Returns true if a projector or the separate window of a panel shows the program or scenes,
    /// regardless of the main window.
    pub fn projects(&self) -> bool {
        self.projectors.any()
            || self.docks.is_apart(Panel::Program)
            || self.docks.shows_scenes_apart(&self.preferences.panels)
    }

    /// Returns true if any panel is in a separate window.
    pub fn has_panel_windows(&self) -> bool {
        self.docks.has_windows()
    }

    /// Handles the requests that the windows send to the screen itself, and stores the places of
    /// projectors if the user wants to restore them.
    pub(super) fn handle_own_requests(&mut self, ctx: &Context) {
        for request in std::mem::take(&mut self.requests) {
            match request {
                WindowRequest::ShowParts => {
                    self.parts = PartsDraft::default();
                    self.open(Dialog::CollectionsAndProfiles);
                }
                WindowRequest::ShowReplaySetting => {
                    self.settings.show(Setting::Replay);
                    self.open(Dialog::Settings);
                }
                WindowRequest::ShowProgram => {
                    self.page = Page::Studio;
                    self.docks.enter(Panel::Program);
                }
                WindowRequest::Act(action) => self.act(ctx, action),
                // The other windows are not about the page of the main window.
                WindowRequest::Run(AnyCommand::Action(Action::Mute)) => self.mute_program(),
                WindowRequest::Run(command) => self.act_on(ctx, &command),
                WindowRequest::PlayRecording(path) => self.picked_watch(&path),
                WindowRequest::ShowRecording(path) => self.show_recording(Some(path)),
                WindowRequest::Project(place) => self.projectors.open(place),
                WindowRequest::CloseProjector(place) => self.projectors.close(&place),
                request => self.requests.push(request),
            }
        }
        let kept = &mut self.preferences.projectors;
        let open = if kept.restore { self.projectors.places() } else { Vec::new() };
        // Before the displays are known, the stored projectors are not open yet.
        if kept.open != open && self.projectors.are_begun() {
            kept.open = open;
            if !self.requests.contains(&WindowRequest::Preferences) {
                self.requests.push(WindowRequest::Preferences);
            }
        }
    }

    /// Executes a command about projectors.
    pub(super) fn project(&mut self, action: Action) {
        use Action as A;
        use ProjectorContent as C;
        let source = || self.scenes.source(&self.snapshot).map(C::Source);
        let (shows, fills) = match action {
            A::ProgramDisplay => (Some(C::Program), true),
            A::ProgramWindow => (Some(C::Program), false),
            A::PreviewDisplay => (Some(C::Preview), true),
            A::PreviewWindow => (Some(C::Preview), false),
            A::MultiviewDisplay => (Some(C::Multiview), true),
            A::MultiviewWindow => (Some(C::Multiview), false),
            A::SourceDisplay => (source(), true),
            A::SourceWindow => (source(), false),
            _ => return self.projectors.close_all(),
        };
        if let Some(shows) = shows {
            self.projectors.toggle(shows, fills);
        }
    }

    /// Shows the multiview among the panels, or hides it.
    pub(super) fn toggle_multiview(&mut self) {
        self.page = Page::Studio;
        self.docks.toggle_in(&mut self.preferences.panels, Panel::Multiview);
        self.requests.push(WindowRequest::Preferences);
    }

    /// Requests from the studio exactly the views that are visible.
    pub(super) fn look(&mut self, ctx: &Context) {
        let mut views = self.projectors.looks_at(&self.snapshot);
        if std::mem::take(&mut self.multiview.seen)
            || self.docks.shows_scenes_apart(&self.preferences.panels)
        {
            multiview::looks_at(&self.snapshot, &mut views);
        }
        let picking = self.scenes.pick.as_ref();
        let expanded =
            picking.and_then(|_| inspector::expanded_filter(&self.snapshot, &self.scenes));
        color_pick::looks_at(ctx, &self.snapshot, &mut self.scenes.pick, expanded, &mut views);
        if views != self.looked_at {
            self.looked_at.clone_from(&views);
            self.send(Command::LookAt(views));
            // The requested views arrive with a later snapshot.
            ctx.request_repaint();
        }
    }

    /// Handles a window that has become hidden. Returns the command that ends its views, if it has
    /// any and no other window shows the program or scenes.
    pub fn look_away(&mut self) -> Option<Command> {
        let looked = !self.looked_at.is_empty() && !self.projects();
        if looked {
            self.looked_at.clear();
        }
        looked.then(|| Command::LookAt(BTreeMap::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Latest;
    use crate::studio::Preferences;

    #[test]
    fn mute_in_another_window_is_about_the_program() {
        let ctx = Context::default();
        let mut screen =
            Screen::new(&ctx, Preferences::default(), Latest::default(), vec![Latest::default()]);
        screen.set_page(Page::Watch);
        screen.requests.push(WindowRequest::Run(Action::Mute.into()));
        screen.handle_own_requests(&ctx);
        let muted = WindowRequest::Command(Command::SetMuted(true));
        assert!(screen.requests.contains(&muted), "{:?}", screen.requests);
    }
}
