//! Panels in separate windows. They stay open on every page of the main window.

use egui::{CornerRadius, Id, Ui, ViewportBuilder, ViewportId};

use crate::studio::settings::{Panel, Panels};
use crate::ui::input::actions::Action;
use crate::ui::input::other_windows;
use crate::ui::studio_page::docks::{Docks, contents, shape};
use crate::ui::studio_page::parts::PageParts;
use crate::ui::view::View;

impl Docks {
    /// Returns the panels that are in separate windows, each with its window.
    pub fn windows(
        &mut self,
        view: &View<'_>,
        panels: &Panels,
    ) -> Vec<(Panel, ViewportId, ViewportBuilder)> {
        self.follow_windows(panels);
        let window = |(panel, size): &(Panel, [u16; 2])| {
            let builder = ViewportBuilder::default()
                .with_title(view.texts.get(contents::title(*panel)).to_string())
                .with_app_id("onair")
                .with_inner_size(size.map(f32::from))
                .with_min_inner_size([240.0, 160.0]);
            (*panel, Self::window_id(*panel), builder)
        };
        self.windows.iter().map(window).collect()
    }

    /// Returns the id of a panel's window.
    pub(super) fn window_id(panel: Panel) -> ViewportId {
        ViewportId(Id::unique(("panel", panel.name())))
    }

    /// Opens the separate windows of the layout in use, and closes those of another layout.
    fn follow_windows(&mut self, panels: &Panels) {
        // As on the page, the simple layout needs no tree while the user does not arrange panels.
        if panels.is_simple() && !self.arranging {
            self.windows.clear();
            // If the user returns to the same layout, its windows must open again.
            self.kept = None;
        } else {
            self.follow(panels);
        }
    }

    /// Returns true if a panel is in a separate window.
    pub fn is_apart(&self, panel: Panel) -> bool {
        self.windows.iter().any(|(apart, _)| *apart == panel)
    }

    /// Returns true if any panel is in a separate window.
    pub fn has_windows(&self) -> bool {
        !self.windows.is_empty()
    }

    /// Returns true if a separate window shows the scenes as thumbnails.
    pub fn shows_scenes_apart(&self, panels: &Panels) -> bool {
        self.is_apart(Panel::Multiview)
            || (self.is_apart(Panel::Sources) && contents::has_thumbnails(panels))
    }

    /// Draws the window of a panel. When the user closes the window, its panel returns to the
    /// layout. Returns the action that the user selected.
    pub fn draw_window(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        parts: &mut PageParts<'_>,
        panel: Panel,
    ) -> Option<Action> {
        let room = ui.max_rect();
        ui.painter().rect_filled(room, CornerRadius::ZERO, view.theme.panel);
        let asked = contents::show(ui, view, parts, panel, room);
        other_windows::run(ui.ctx(), view);
        let (closes, held) =
            ui.ctx().input(|input| (input.viewport().close_requested(), input.pointer.any_down()));
        let size: [f32; 2] = room.size().into();
        let size = size.map(|side| side.clamp(100.0, 8_000.0) as u16);
        self.learn_window(parts.panels, (panel, size), closes, held);
        asked
    }

    /// Stores the size of a panel's window, or that the user closes it.
    fn learn_window(
        &mut self,
        panels: &mut Panels,
        (panel, now): (Panel, [u16; 2]),
        closes: bool,
        held: bool,
    ) {
        // While the main window is hidden, nothing else notices that another layout was chosen.
        self.follow_windows(panels);
        let Some((_, size)) = self.windows.iter_mut().find(|(apart, _)| *apart == panel) else {
            return;
        };
        *size = now;
        if let Some(mut tree) = self.tree.take() {
            if closes {
                self.windows.retain(|(apart, _)| *apart != panel);
                shape::put_back(&mut tree, panel, &mut self.sizes);
            }
            if !held {
                self.keep(&tree, panels);
            }
            self.tree = Some(tree);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::studio::settings::PanelLayout;

    #[test]
    fn a_layout_keeps_its_windows_while_the_simple_layout_is_in_use() {
        let text = "row(* program, 304 column(* broadcast, 120 controls)); chat 360x480";
        let layout: PanelLayout = text.parse().unwrap();
        let mut panels = Panels {
            layout: "mine".to_owned(),
            layouts: BTreeMap::from([("mine".to_owned(), layout)]),
            ..Panels::default()
        };
        let before = panels.clone();
        let mut docks = Docks::default();
        docks.follow_windows(&panels);
        assert!(docks.is_apart(Panel::Chat));
        Panels::SIMPLE.clone_into(&mut panels.layout);
        docks.follow_windows(&panels);
        assert!(!docks.has_windows());
        "mine".clone_into(&mut panels.layout);
        docks.follow_windows(&panels);
        assert!(docks.is_apart(Panel::Chat));
        let tree = docks.tree.take().unwrap();
        docks.keep(&tree, &mut panels);
        assert_eq!(panels, before);
    }

    #[test]
    fn a_window_that_closes_after_another_layout_was_chosen_does_not_change_that_layout() {
        let mine = "row(* program, 304 column(* broadcast, 120 controls)); chat 360x480";
        let other = "row(* players, 304 controls); stats 300x200";
        let layouts = [("mine", mine), ("other", other)];
        let layouts =
            layouts.map(|(name, text)| (name.to_owned(), text.parse::<PanelLayout>().unwrap()));
        let layout = "mine".to_owned();
        let mut panels = Panels { layout, layouts: BTreeMap::from(layouts), ..Panels::default() };
        let mut docks = Docks::default();
        docks.follow_windows(&panels);
        // A hotkey in the window of the chat chooses the other layout.
        "other".clone_into(&mut panels.layout);
        let before = panels.clone();
        docks.learn_window(&mut panels, (Panel::Chat, [400, 500]), true, false);
        assert_eq!(panels, before);
        assert!(!docks.is_apart(Panel::Chat) && docks.is_apart(Panel::Stats));
        // In its own layout, the window keeps its size.
        docks.learn_window(&mut panels, (Panel::Stats, [400, 500]), false, false);
        assert!(panels.layouts["other"].to_string().ends_with("; stats 400x500"));
    }
}
