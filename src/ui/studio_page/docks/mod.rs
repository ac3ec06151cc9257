//! Docked panels, side by side, in tabs, or in separate windows. The panels follow the current
//! layout, which stores the user's changes. A panel behind another tab is not drawn at all.

mod behavior;
mod contents;
pub mod menu;
mod shape;
mod windows;

use egui::{Id, Key, Memory, Rect, Ui, UserAttentionType, ViewportCommand};
use egui_tiles::Tree;

use crate::studio::settings::{Panel, PanelLayout, Panels};
use crate::ui::input::actions::Action;
use crate::ui::studio_page::docks::behavior::{Docked, TAB_PADDING_POINTS};
use crate::ui::studio_page::docks::shape::TileSizes;
use crate::ui::studio_page::parts::PageParts;
use crate::ui::targets::child;
use crate::ui::view::View;
use crate::ui::widgets::{ends_wait, is_free};

/// The state of the panels, which is kept between frames.
#[derive(Debug, Default)]
pub struct Docks {
    tree: Option<Tree<Panel>>,
    /// The layout from which the tree was made, or that was stored last.
    kept: Option<(String, PanelLayout)>,
    sizes: TileSizes,
    windows: Vec<(Panel, [u16; 2])>,
    /// True if every panel has a tab, so that the user can move it, close it or put it into a
    /// window.
    pub arranging: bool,
    /// The typed name of a new layout.
    pub naming: String,
    /// The panel to show when the panels are drawn next.
    wanted: Option<Panel>,
    /// The panel that gets the keyboard focus when the panels are drawn next.
    entered: Option<Panel>,
    /// The pass in which this panel began to wait for the focus.
    waits_since: Option<u64>,
    /// The panel that has the keyboard focus, or had it before a dialog.
    focused: Option<Panel>,
    /// The control that had the keyboard focus when the panels were drawn last.
    focused_control: Option<Id>,
    /// The pass in which the focused panel was entered, if it has neither controls nor a tab. Another
    /// control then has the focus.
    bare_since: Option<u64>,
}

impl Docks {
    /// Brings a panel to the front.
    pub fn reveal(&mut self, panel: Panel) {
        self.wanted = Some(panel);
    }

    /// Brings a panel or its window to the front, and gives it the keyboard focus.
    pub fn enter(&mut self, panel: Panel) {
        self.reveal(panel);
        self.entered = Some(panel);
        self.waits_since = None;
    }

    /// Forgets the panel that waits for the keyboard focus, and the one that has it. Call this while
    /// the panels are not drawn.
    pub fn forget_focus(&mut self) {
        (self.entered, self.focused) = (None, None);
    }

    /// Returns the panel that gets the keyboard focus now. While a dialog closes, the panel waits. If
    /// the dialog stays open, the panel does not get the focus. For a panel in a separate window, its
    /// window gets the focus, or the user's attention: a Wayland desktop gives a window no focus
    /// without a token.
    pub fn take_entered(&mut self, ui: &Ui) -> Option<Panel> {
        let pass = ui.ctx().cumulative_pass_nr();
        let mut panel = self.take_entered_in(pass, is_free(ui));
        if self.entered.is_some() {
            ui.ctx().request_repaint();
        }
        if let Some(apart) = panel.take_if(|it| self.is_apart(*it)) {
            for command in raising() {
                ui.ctx().send_viewport_cmd_to(Self::window_id(apart), command);
            }
        }
        panel
    }

    fn take_entered_in(&mut self, pass: u64, is_free: bool) -> Option<Panel> {
        let entered = self.entered?;
        if ends_wait(&mut self.waits_since, pass, is_free) {
            self.entered = None;
        }
        is_free.then_some(entered)
    }

    /// Returns true if the page needs no tree: in the simple layout, while the user does not arrange
    /// panels. That layout has its own tabs. A later layout must not show a panel that was brought to
    /// the front in them.
    pub fn needs_no_tree(&mut self, panels: &Panels) -> bool {
        let is_simple = panels.is_simple() && !self.arranging;
        if is_simple {
            self.wanted = None;
        }
        is_simple
    }

    /// Returns true if a panel is in the layout or in a window.
    pub fn shows(&self, panel: Panel) -> bool {
        self.is_apart(panel)
            || self.tree.as_ref().is_some_and(|tree| tree.tiles.find_pane(&panel).is_some())
    }

    /// Shows or hides a panel in the current layout, even if the layout was never drawn.
    pub fn toggle_in(&mut self, panels: &mut Panels, panel: Panel) {
        self.follow(panels);
        self.toggle(panel);
        if let Some(tree) = self.tree.take() {
            self.keep(&tree, panels);
            self.tree = Some(tree);
        }
    }

    /// Shows a panel, and gives it the keyboard focus. A panel that has the focus is hidden instead,
    /// and so is a panel in a separate window.
    pub fn show_or_hide(&mut self, panels: &mut Panels, panel: Panel) {
        self.follow(panels);
        let has_focus = self.focused.take_if(|focused| *focused == panel).is_some();
        if has_focus || self.is_apart(panel) || !self.shows(panel) {
            self.toggle_in(panels, panel);
        }
        if self.shows(panel) {
            self.enter(panel);
        }
    }

    /// Shows a hidden panel, or hides a visible one.
    pub fn toggle(&mut self, panel: Panel) {
        let before = self.windows.len();
        self.windows.retain(|(apart, _)| *apart != panel);
        let Some(tree) = self.tree.as_mut().filter(|_| self.windows.len() == before) else {
            return;
        };
        match tree.tiles.find_pane(&panel) {
            Some(id) => shape::remove(tree, id, &mut self.sizes),
            None => shape::put_back(tree, panel, &mut self.sizes),
        }
    }

    /// Draws the panels in `room`. Returns the action that the user selected.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        parts: &mut PageParts<'_>,
        room: Rect,
    ) -> Option<Action> {
        self.follow(parts.panels);
        let mut tree = self.tree.take()?;
        if let Some(panel) = self.wanted.take() {
            if tree.tiles.find_pane(&panel).is_none() && !self.is_apart(panel) {
                shape::put_back(&mut tree, panel, &mut self.sizes);
            }
            tree.make_active(|_, tile| matches!(tile, egui_tiles::Tile::Pane(it) if *it == panel));
        }
        let entered = self.take_entered(ui);
        let control = ui.memory(Memory::focused);
        let focus = control.filter(|_| entered.is_none()).and_then(|id| place_of(ui, id));
        // The panel of a control that was scrolled out of view is known from before.
        let is_out_of_view = focus.is_some_and(|place| !place.is_positive());
        let is_same = std::mem::replace(&mut self.focused_control, control) == control;
        let focus = control.zip(focus.filter(|_| !is_out_of_view).map(|place| place.center()));
        let set = shape::fit(&mut tree, &self.sizes, room, self.arranging);
        let mut docked = Docked {
            view,
            parts: &mut *parts,
            arranging: self.arranging,
            asked: None,
            apart: None,
            hidden: None,
            moved: None,
            groups: if self.arranging { shape::groups(&tree) } else { Vec::new() },
            entered,
            tree: tree.id(),
            focus,
            focused: None,
            buttons: None,
            around: TAB_PADDING_POINTS,
            most: f32::INFINITY,
            passes_lines: ui.input(|input| input.key_pressed(Key::Tab)),
        };
        let mut inner = child(ui, room, "docks");
        let dragged = tree.dragged_id(ui.ctx());
        tree.ui(&mut docked, &mut inner);
        let (asked, apart, hidden) = (docked.asked, docked.apart, docked.hidden);
        let moved = docked.moved;
        let pass = ui.ctx().cumulative_pass_nr();
        if entered.is_some() {
            self.focused = entered;
            self.bare_since = (ui.memory(Memory::focused) == control).then_some(pass);
        } else if is_free(ui) && !(is_out_of_view && is_same) {
            // After a dialog, the focus returns to the control before it in the next pass.
            let is_left = !is_same && self.bare_since.is_some_and(|since| pass > since + 1);
            if is_left || self.focused.is_none() {
                self.bare_since = None;
            }
            if self.bare_since.is_none() {
                self.focused = docked.focused;
            }
        }
        shape::learn(&tree, &set, &mut self.sizes);
        if let Some(id) = dragged.filter(|_| ui.input(|input| input.pointer.any_released())) {
            shape::after_drop(&mut tree, id, &mut self.sizes);
        }
        if let Some((id, group, position)) = moved {
            shape::move_beside(&mut tree, id, (group, position), &mut self.sizes);
            // The keyboard focus follows the panel.
            ui.memory_mut(|memory| memory.request_focus(id.egui_id(tree.id())));
            ui.ctx().request_repaint();
        }
        for id in [apart, hidden].into_iter().flatten() {
            if let Some(egui_tiles::Tile::Pane(panel)) = tree.tiles.get(id).cloned() {
                let size = tree.tiles.rect(id).map_or([360.0, 480.0], |rect| rect.size().into());
                if Some(id) == apart {
                    self.windows.push((panel, size.map(|side| side.clamp(200.0, 2_000.0) as u16)));
                }
                shape::remove(&mut tree, id, &mut self.sizes);
            }
        }
        if !ui.input(|input| input.pointer.any_down()) {
            self.keep(&tree, parts.panels);
        }
        self.tree = Some(tree);
        asked
    }

    /// Rebuilds the tree if another layout was selected, or the layout was changed elsewhere.
    fn follow(&mut self, panels: &Panels) {
        let Some(layout) = panels.current() else { return };
        let wanted = (panels.layout.clone(), layout);
        if self.tree.is_some() && self.kept.as_ref() == Some(&wanted) {
            return;
        }
        self.sizes.clear();
        self.tree = Some(shape::tree(&wanted.1.root, &mut self.sizes));
        self.windows.clone_from(&wanted.1.windows);
        self.kept = Some(wanted);
    }

    /// Stores the user's changes in the current layout.
    fn keep(&mut self, tree: &Tree<Panel>, panels: &mut Panels) {
        let Some(root) = shape::read(tree, &self.sizes) else { return };
        let now = PanelLayout { root, windows: self.windows.clone() };
        let name = panels.layout.clone();
        if self.kept.as_ref().is_some_and(|(_, kept)| *kept != now) {
            panels.layouts.insert(name.clone(), now.clone());
            self.kept = Some((name, now));
        }
    }
}

/// Returns the commands that bring a window to the front.
fn raising() -> [ViewportCommand; 3] {
    let attention = ViewportCommand::RequestUserAttention(UserAttentionType::Informational);
    [ViewportCommand::Minimized(false), ViewportCommand::Focus, attention]
}

/// Returns the visible part of a control, unless the control is above the panels, as in a menu.
fn place_of(ui: &Ui, control: Id) -> Option<Rect> {
    let response = ui.ctx().read_response(control)?;
    (response.layer_id == ui.layer_id()).then_some(response.interact_rect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_does_not_wait_for_the_focus_until_a_dialog_closes_much_later() {
        let mut docks = Docks::default();
        docks.enter(Panel::Chat);
        assert_eq!(docks.take_entered_in(7, false), None);
        assert_eq!(docks.take_entered_in(8, true), Some(Panel::Chat));
        assert_eq!(docks.take_entered_in(9, true), None);
        docks.enter(Panel::Chat);
        for pass in 10..=15 {
            assert_eq!(docks.take_entered_in(pass, false), None);
        }
        assert_eq!(docks.entered, None);
        // A panel does not get the focus when the user returns to the page, either.
        docks.enter(Panel::Chat);
        docks.forget_focus();
        assert_eq!(docks.take_entered_in(20, true), None);
    }

    #[test]
    fn a_command_for_a_panel_in_a_window_brings_the_window_to_the_front() {
        let mut docks = Docks::default();
        docks.windows.push((Panel::Inspector, [360, 480]));
        let mut sent = Vec::new();
        let mut output = egui::Context::default().run_ui(egui::RawInput::default(), |ui| {
            docks.enter(Panel::Inspector);
            assert_eq!(docks.take_entered(ui), None);
            let window = Docks::window_id(Panel::Inspector);
            sent = ui.ctx().viewport_for(window, |it| it.commands.clone());
        });
        output.textures_delta.clear();
        let attention = ViewportCommand::RequestUserAttention(UserAttentionType::Informational);
        let raise = [ViewportCommand::Minimized(false), ViewportCommand::Focus, attention];
        assert_eq!(sent, raise);
    }

    #[test]
    fn only_a_panel_with_the_focus_is_hidden() {
        let mut panels = Panels { layout: Panels::MONITOR.to_owned(), ..Panels::default() };
        let mut docks = Docks::default();
        docks.show_or_hide(&mut panels, Panel::Players);
        assert!(docks.shows(Panel::Players) && panels.layouts.is_empty());
        assert_eq!(docks.take_entered_in(1, true), Some(Panel::Players));
        docks.focused = Some(Panel::Players);
        docks.show_or_hide(&mut panels, Panel::Players);
        assert!(!docks.shows(Panel::Players));
        assert_eq!(docks.take_entered_in(2, true), None);
        docks.show_or_hide(&mut panels, Panel::Players);
        assert!(docks.shows(Panel::Players));
    }

    #[test]
    fn a_panel_that_comes_to_the_front_in_the_simple_layout_is_not_added_to_another_one() {
        let mut docks = Docks::default();
        docks.reveal(Panel::Chat);
        assert!(docks.needs_no_tree(&Panels::default()));
        let mut panels = Panels { layout: Panels::MONITOR.to_owned(), ..Panels::default() };
        assert!(!docks.needs_no_tree(&panels));
        assert_eq!(docks.wanted, None);
        // In a layout with a tree, the panel comes to the front when the tree is drawn.
        docks.reveal(Panel::Chat);
        assert!(!docks.needs_no_tree(&panels));
        assert_eq!(docks.wanted, Some(Panel::Chat));
        Panels::SIMPLE.clone_into(&mut panels.layout);
        docks.arranging = true;
        assert!(!docks.needs_no_tree(&panels));
        assert_eq!(docks.wanted, Some(Panel::Chat));
    }
}
