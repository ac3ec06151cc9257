//! Projectors: the program, the preview, all scenes or one source, on a whole display or in a
//! separate window. Esc closes a projector. A projector whose display is disconnected is hidden
//! until the display is connected again. Projectors accept the hotkeys that do not need the main
//! window.

pub mod display;
pub mod frame;
pub mod menu;
pub(super) mod second_canvas;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use egui::{
    Context, CornerRadius, Id, Key, Modifiers, Popup, Role, Sense, Ui, ViewportBuilder,
    ViewportCommand, ViewportId, WidgetInfo,
};

use crate::compose::{ViewDetail, ViewOf};
use crate::studio::settings::{MAX_PROJECTORS, ProjectorContent, ProjectorPlace};
use crate::studio::{Collection, Command, Preferences, Snapshot};
use crate::ui::input::{hotkeys, other_windows};
use crate::ui::studio_page::multiview;
use crate::ui::studio_page::projectors::display::Display;
use crate::ui::studio_page::projectors::frame::{ProjectorFrame, ProjectorParts};
use crate::ui::style::theme::FRAME_BACKGROUND;
use crate::ui::view::View;
use crate::ui::widgets::context_menu;

/// The initial size of a projector window in points.
const INITIAL_WINDOW_SIZE_POINTS: [f32; 2] = [960.0, 540.0];
/// The minimum size of a projector window in points.
const MIN_WINDOW_SIZE_POINTS: [f32; 2] = [240.0, 135.0];
/// The repaint interval of a projector whose frames do not wake the window.
const REPAINT_INTERVAL: Duration = Duration::from_millis(33);
/// The repaint interval of such a projector with software rendering.
const SLOW_REPAINT_INTERVAL: Duration = Duration::from_millis(66);

#[derive(Debug)]
struct Projector {
    /// The number that identifies the projector's window.
    number: u64,
    place: ProjectorPlace,
    frame: ProjectorFrame,
    /// True if the projector must come to the front.
    raised: bool,
    /// The display's place in the desktop's list when the projector became visible. The window stays
    /// on its display if this place changes.
    index: Option<usize>,
}

/// All open projectors.
#[derive(Debug, Default)]
pub struct Projectors {
    open: Vec<Projector>,
    opened: u64,
    /// The displays, or `None` while they are unknown.
    displays: Option<Arc<[Display]>>,
    /// The disconnected displays on which projectors were visible before.
    gone: BTreeSet<String>,
}

impl Projectors {
    /// Sets the current displays. The first call also opens the stored projectors. Returns the
    /// displays of projectors that were disconnected, and those that are connected again.
    pub fn set_displays(
        &mut self,
        displays: Vec<Display>,
        preferences: &Preferences,
    ) -> Vec<Command> {
        let first = self.displays.is_none();
        if self.displays.as_deref() == Some(displays.as_slice()) {
            return Vec::new();
        }
        let before: BTreeSet<String> =
            self.seen().filter_map(|it| it.place.display.clone()).collect();
        self.displays = Some(displays.into());
        let is_lost = |name: &String| self.index_of(name).is_none();
        let lost: Vec<String> = before.into_iter().filter(is_lost).collect();
        let back: Vec<String> = self.gone.iter().filter(|it| !is_lost(it)).cloned().collect();
        self.gone.retain(|name| !back.contains(name));
        self.gone.extend(lost.iter().cloned());
        let display_commands = |names: Vec<String>, is_gone| {
            names.into_iter().map(move |name| Command::ProjectorDisplay { name, is_gone })
        };
        let news = display_commands(lost, true).chain(display_commands(back, false)).collect();
        if first && preferences.projectors.restore {
            for place in preferences.projectors.open.clone() {
                self.open(place);
            }
        }
        news
    }

    /// Returns true if the stored projectors have been opened.
    pub fn are_begun(&self) -> bool {
        self.displays.is_some()
    }

    /// Returns the known displays.
    pub fn displays(&self) -> Arc<[Display]> {
        self.displays.clone().unwrap_or_default()
    }

    /// Opens a projector if there are not too many, or brings it to the front. A display shows only
    /// one projector at a time.
    pub fn open(&mut self, place: ProjectorPlace) {
        if let Some(known) = self.open.iter_mut().find(|it| it.place == place) {
            known.raised = true;
            return;
        }
        if place.display.is_some() {
            self.open.retain(|it| it.place.display != place.display);
        }
        if self.open.len() < MAX_PROJECTORS {
            self.opened += 1;
            let (number, frame) = (self.opened, ProjectorFrame::default());
            self.open.push(Projector { number, place, frame, raised: false, index: None });
        }
    }

    /// Opens a projector on a display, if possible one without the main window, or in a window.
    /// Closes the projector if it is open.
    pub fn toggle(&mut self, shows: ProjectorContent, fills: bool) {
        let displays = self.displays();
        let is_here = |name: &String| displays.iter().any(|display| display.name == *name);
        // The projector of a disconnected display is not visible, so it stays.
        let is = |it: &Projector| {
            let fits = it.place.display.as_ref().map_or(!fills, |name| fills && is_here(name));
            it.place.shows == shows && fits
        };
        if self.open.iter().any(is) {
            return self.open.retain(|it| !is(it));
        }
        let other = displays.iter().find(|display| !display.is_own).or_else(|| displays.first());
        let display = other.filter(|_| fills).map(|display| display.name.clone());
        self.open(ProjectorPlace { shows, display });
    }

    /// Closes the projector at this place.
    pub fn close(&mut self, place: &ProjectorPlace) {
        self.open.retain(|it| it.place != *place);
    }

    /// Closes all projectors.
    pub fn close_all(&mut self) {
        self.open.clear();
    }

    /// Closes the projectors of sources when another collection replaces theirs. Its sources can have
    /// the same ids.
    pub fn leave_collection(&mut self, old: &Collection, new: &Collection) {
        self.open.retain(|it| it.place.shows.is_same_in(old, new));
    }

    /// Returns the places of the projectors.
    pub fn places(&self) -> Vec<ProjectorPlace> {
        self.open.iter().map(|it| it.place.clone()).collect()
    }

    /// Lets the windows leave full screen whose displays are disconnected. The desktop moves such a
    /// window to another display, where it can cover the main window, which then draws nothing and
    /// does not close the projector. If the display returns, the projector gets a new window there.
    pub fn uncover(&mut self, ctx: &Context) {
        let mut open = std::mem::take(&mut self.open);
        for projector in &mut open {
            let display = projector.place.display.as_ref();
            if display.is_some_and(|name| self.index_of(name).is_none()) {
                ctx.send_viewport_cmd_to(projector.viewport(), ViewportCommand::Fullscreen(false));
                self.opened += 1;
                (projector.number, projector.index) = (self.opened, None);
            }
        }
        self.open = open;
    }

    /// Returns the index of a display, or `None` if it is disconnected.
    fn index_of(&self, name: &str) -> Option<usize> {
        self.displays.as_ref()?.iter().position(|display| display.name == name)
    }

    /// Returns the visible projectors.
    fn seen(&self) -> impl Iterator<Item = &Projector> {
        self.open
            .iter()
            .filter(|it| it.place.display.as_ref().is_none_or(|name| self.index_of(name).is_some()))
    }

    /// Returns true if any projector is visible.
    pub fn any(&self) -> bool {
        self.seen().next().is_some()
    }

    /// Returns the views that the projectors need in addition to the program.
    pub fn looks_at(&self, snapshot: &Snapshot) -> BTreeMap<ViewOf, ViewDetail> {
        let mut views = BTreeMap::new();
        for projector in self.seen() {
            match projector.place.shows {
                ProjectorContent::Multiview => multiview::looks_at(snapshot, &mut views),
                shows => {
                    let of = frame::view_of(shows, snapshot);
                    views.extend(of.map(|of| (of, ViewDetail::Full)));
                }
            }
        }
        views
    }

    /// Returns the windows of the visible projectors, by number.
    pub fn windows(
        &mut self,
        ctx: &Context,
        view: &View<'_>,
    ) -> Vec<(u64, ViewportId, ViewportBuilder)> {
        // A projector closes if its content was deleted from the scenes.
        self.open.retain(|it| frame::is_there(it.place.shows, view.snapshot));
        let displays = self.displays();
        let index_of = |name: &String| displays.iter().position(|it| it.name == *name);
        let mut windows = Vec::new();
        for projector in &mut self.open {
            let index = match &projector.place.display {
                None => None,
                Some(name) => match index_of(name) {
                    None => {
                        projector.index = None;
                        continue;
                    }
                    Some(index) => Some(*projector.index.get_or_insert(index)),
                },
            };
            let id = projector.viewport();
            let name = menu::title(view, projector.place.shows);
            let title = view.texts.with("projector-title", &[("name", name.into())]);
            let builder = ViewportBuilder::default()
                .with_title(title)
                .with_app_id("onair")
                .with_inner_size(INITIAL_WINDOW_SIZE_POINTS)
                .with_min_inner_size(MIN_WINDOW_SIZE_POINTS);
            let builder = match index {
                Some(index) => builder.with_monitor(index),
                None => builder,
            };
            if std::mem::take(&mut projector.raised) {
                ctx.send_viewport_cmd_to(id, ViewportCommand::Focus);
            }
            windows.push((projector.number, id, builder));
        }
        windows
    }

    /// Returns true if the projector with this number is visible.
    pub fn is_seen(&self, number: u64) -> bool {
        self.seen().any(|it| it.number == number)
    }

    /// Draws the window of a projector, and closes the projector if the user closes its window.
    pub fn draw(
        &mut self,
        ui: &mut Ui,
        number: u64,
        view: &mut View<'_>,
        parts: &mut ProjectorParts<'_>,
    ) {
        let displays = self.displays();
        let Some(projector) = self.open.iter_mut().find(|it| it.number == number) else { return };
        window(ui, view, parts, projector, &displays);
        other_windows::run(ui.ctx(), view);
        // Only new frames of the program wake the window, so other content needs a timer.
        if frame::view_of(projector.place.shows, view.snapshot).is_some() {
            let interval = if parts.software { SLOW_REPAINT_INTERVAL } else { REPAINT_INTERVAL };
            ui.ctx().request_repaint_after(interval);
        }
        if is_closed(ui.ctx()) {
            self.open.retain(|it| it.number != number);
        }
    }
}

impl Projector {
    fn viewport(&self) -> ViewportId {
        ViewportId(Id::unique(("projector", self.number)))
    }
}

/// Draws the contents of a projector's window.
fn window(
    ui: &mut Ui,
    view: &mut View<'_>,
    parts: &mut ProjectorParts<'_>,
    projector: &mut Projector,
    displays: &[Display],
) {
    let room = ui.max_rect();
    ui.painter().rect_filled(room, CornerRadius::ZERO, FRAME_BACKGROUND);
    let place = &projector.place;
    let response = ui.interact(room, ui.scope_id().with("projector"), Sense::click());
    let name = menu::title(view, place.shows);
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    hotkeys::accept_letters(&response);
    projector.frame.paint(ui, view, parts, place.shows, room);
    // A double click in a window toggles full screen on its current display.
    if response.double_clicked() && place.display.is_none() {
        let full = ui.ctx().input(|input| input.viewport().fullscreen.unwrap_or(false));
        ui.ctx().send_viewport_cmd(ViewportCommand::Fullscreen(!full));
    }
    context_menu(&response, view.theme, |ui| {
        menu::of_projector(ui, view, &mut parts.preferences.projectors, displays, place);
    });
}

/// Returns true if the user closed the window, with Esc or in the usual way.
fn is_closed(ctx: &Context) -> bool {
    // If a menu is open, Esc only closes the menu.
    let escaped = !Popup::is_any_open(ctx)
        && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    escaped || ctx.input(|input| input.viewport().close_requested())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::VideoChoice;
    use crate::media::Size;
    use crate::studio::Edit;
    use crate::studio::scenes::MAIN_SOURCE;
    use crate::studio::settings::Projectors as Kept;

    fn display(name: &str, is_own: bool) -> Display {
        Display { name: name.to_owned(), size: Size::new(1920, 1080), is_own }
    }

    fn place(shows: ProjectorContent, display: Option<&str>) -> ProjectorPlace {
        ProjectorPlace { shows, display: display.map(str::to_owned) }
    }

    fn two_displays() -> Projectors {
        let mut projectors = Projectors::default();
        let displays = vec![display("eDP-1", true), display("HDMI-1", false)];
        projectors.set_displays(displays, &Preferences::default());
        projectors
    }

    #[test]
    fn commands_use_the_display_that_the_window_is_not_on() {
        let mut projectors = two_displays();
        projectors.toggle(ProjectorContent::Program, true);
        projectors.toggle(ProjectorContent::Preview, false);
        let both = [
            place(ProjectorContent::Program, Some("HDMI-1")),
            place(ProjectorContent::Preview, None),
        ];
        assert_eq!(projectors.places(), both);
        projectors.toggle(ProjectorContent::Program, true);
        assert_eq!(projectors.places(), both[1..], "the same command closes it");
        // With a single display, the projector opens on it.
        let mut alone = Projectors::default();
        alone.set_displays(vec![display("eDP-1", true)], &Preferences::default());
        alone.toggle(ProjectorContent::Multiview, true);
        assert_eq!(alone.places(), [place(ProjectorContent::Multiview, Some("eDP-1"))]);
        // Without a known display, the projector opens in a window.
        let mut blind = Projectors::default();
        blind.toggle(ProjectorContent::Program, true);
        assert_eq!(blind.places(), [place(ProjectorContent::Program, None)]);
    }

    #[test]
    fn a_display_shows_one_at_a_time_and_there_are_not_too_many() {
        let mut projectors = two_displays();
        let program = place(ProjectorContent::Program, Some("HDMI-1"));
        projectors.open(program.clone());
        projectors.open(program);
        projectors.open(place(ProjectorContent::Multiview, Some("HDMI-1")));
        assert_eq!(projectors.places(), [place(ProjectorContent::Multiview, Some("HDMI-1"))]);
        for id in 0..40 {
            projectors
                .open(place(ProjectorContent::Source(crate::compose::scene::SourceId(id)), None));
        }
        assert_eq!(projectors.places().len(), MAX_PROJECTORS);
    }

    #[test]
    fn one_whose_display_is_gone_is_not_seen_until_it_is_back() {
        let mut projectors = two_displays();
        projectors.open(place(ProjectorContent::Program, Some("HDMI-1")));
        assert!(projectors.any());
        let expected = |is_gone| [Command::ProjectorDisplay { name: "HDMI-1".to_owned(), is_gone }];
        let alone = vec![display("eDP-1", true)];
        let news = projectors.set_displays(alone.clone(), &Preferences::default());
        assert_eq!(news, expected(true));
        assert_eq!(projectors.set_displays(alone, &Preferences::default()), [], "once");
        assert!(!projectors.any());
        assert_eq!(projectors.looks_at(&Snapshot::default()), BTreeMap::new());
        let displays = vec![display("HDMI-1", false), display("eDP-1", true)];
        let news = projectors.set_displays(displays, &Preferences::default());
        assert_eq!(news, expected(false));
        assert!(projectors.any());
        assert_eq!(projectors.index_of("HDMI-1"), Some(0), "wherever it is in the list now");
    }

    #[test]
    fn a_command_does_not_close_a_projector_whose_display_is_gone() {
        let mut projectors = two_displays();
        let hidden = place(ProjectorContent::Program, Some("HDMI-1"));
        projectors.open(hidden.clone());
        projectors.set_displays(vec![display("eDP-1", true)], &Preferences::default());
        projectors.toggle(ProjectorContent::Program, true);
        let seen = place(ProjectorContent::Program, Some("eDP-1"));
        assert_eq!(projectors.places(), [hidden.clone(), seen]);
        projectors.toggle(ProjectorContent::Program, true);
        assert_eq!(projectors.places(), [hidden]);
    }

    #[test]
    fn a_source_of_another_collection_does_not_take_over_a_projector() {
        let with = |name: &str| {
            let mut collection = Collection::default();
            let (scene, choice) = (collection.current, VideoChoice::Test);
            assert!(collection.apply(&Edit::AddSource { scene, name: name.to_owned(), choice }));
            collection
        };
        let (talk, game) = (with("Guest"), with("Game"));
        let source = talk.sources[0].id;
        assert_eq!(game.sources[0].id, source);
        let program = place(ProjectorContent::Program, None);
        let mut projectors = Projectors::default();
        projectors.open(program.clone());
        projectors.open(place(ProjectorContent::Source(source), None));
        projectors.open(place(ProjectorContent::Source(MAIN_SOURCE), None));
        projectors.leave_collection(&talk, &with("Guest"));
        assert_eq!(projectors.places().len(), 3, "for example an earlier version");
        projectors.leave_collection(&talk, &game);
        let main = place(ProjectorContent::Source(MAIN_SOURCE), None);
        assert_eq!(projectors.places(), [program, main]);
    }

    #[test]
    fn the_projector_of_a_source_stays_until_the_scenes_are_known() {
        let source = ProjectorContent::Source(crate::compose::scene::SourceId(7));
        assert!(frame::is_there(source, &Snapshot::default()));
    }

    #[test]
    fn those_that_are_remembered_come_with_the_first_list_of_displays_if_that_is_wanted() {
        let open = vec![
            place(ProjectorContent::Program, Some("HDMI-1")),
            place(ProjectorContent::Preview, None),
        ];
        for restore in [true, false] {
            let kept = Kept { restore, open: open.clone() };
            let preferences = Preferences { projectors: Box::new(kept), ..Preferences::default() };
            let mut projectors = Projectors::default();
            for _ in 0..2 {
                projectors.set_displays(vec![display("eDP-1", true)], &preferences);
            }
            assert_eq!(projectors.places(), if restore { open.clone() } else { Vec::new() });
        }
    }
}
