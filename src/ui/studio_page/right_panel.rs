//! The right panel: the tabs *Broadcast*, *Inspector*, *Chat* and *Share*, with the same buttons at
//! the bottom of each tab.

use egui::{Rect, ScrollArea, Ui, pos2, vec2};

use crate::studio::settings::Panel;
use crate::ui::input::actions::Action;
use crate::ui::scenes::inspector;
use crate::ui::studio_page::parts::{PageParts, SideTab};
use crate::ui::studio_page::{chat, go_live, share};
use crate::ui::style::theme::gap;
use crate::ui::targets;
use crate::ui::targets::child;
use crate::ui::view::View;
use crate::ui::widgets::{TAB_BAR_HEIGHT, focus_first, scroll, tab_bar, tab_id};

/// Draws the panel in `side`. If the front tab is the panel `entered`, its contents get the keyboard
/// focus. Returns the action that the user selected.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    parts: &mut PageParts<'_>,
    side: Rect,
    entered: Option<Panel>,
) -> Option<Action> {
    if parts.scenes.follow(view.snapshot) {
        *parts.side = SideTab::Inspector;
    }
    ui.painter().vline(side.left() + 0.5, side.y_range(), view.theme.border());
    let inner = side.shrink2(vec2(14.0, 0.0));
    let bar = Rect::from_min_size(
        pos2(inner.left(), inner.top() + gap::S),
        vec2(inner.width(), TAB_BAR_HEIGHT),
    );
    let end = inner.bottom() - gap::M;
    let foot = inner.with_min_y(end - go_live::BUTTONS_HEIGHT_POINTS).with_max_y(end);
    let middle = inner.with_min_y(bar.bottom() + gap::S).with_max_y(foot.top() - gap::M);
    let names = SideTab::ALL.map(|(_, name)| view.texts.get(name).to_string());
    let names = names.each_ref().map(String::as_str);
    let chosen = SideTab::ALL.iter().position(|(tab, _)| *tab == *parts.side);
    let mut tabs = child(ui, bar, "side-tabs");
    let pressed = tab_bar(&mut tabs, view.theme, &names, chosen.unwrap_or_default());
    if let Some((tab, _)) = pressed.and_then(|index| SideTab::ALL.get(index)) {
        *parts.side = *tab;
    }
    let scrolls = *parts.side != SideTab::Chat;
    // The scroll bar is in the margin, beside the figures.
    let beside = if scrolls { gap::S } else { 0.0 };
    let mut contents = child(ui, middle.with_max_x(middle.right() + beside), "side");
    if *parts.side != SideTab::Inspector {
        inspector::keep_typed(view, parts.scenes, None);
    }
    let enters = entered.and_then(SideTab::of) == Some(*parts.side);
    let tab = chosen.map(|index| tab_id(&tabs, index));
    let asked = focus_first(&mut contents, enters, tab, |contents| match *parts.side {
        SideTab::Broadcast => {
            scrolled(contents, "broadcast", |ui| targets::broadcast(ui, view, parts.target))
        }
        SideTab::Inspector => scrolled(contents, "inspector", |ui| {
            inspector::show(ui, view, parts.scenes);
            None
        }),
        SideTab::Chat => chat::show(contents, view, parts.chat, parts.watch),
        SideTab::Share => scrolled(contents, "share", |ui| {
            share::show(ui, view, parts.share);
            None
        }),
    });
    let mut lower = child(ui, foot, "go-live");
    asked.or(go_live::show(&mut lower, view))
}

/// Draws contents that may be higher than the panel.
fn scrolled(
    ui: &mut Ui,
    salt: &str,
    contents: impl FnOnce(&mut Ui) -> Option<Action>,
) -> Option<Action> {
    let width = ui.available_width() - gap::S;
    let area = ScrollArea::vertical().auto_shrink(false);
    let shown = scroll(area, salt, ui, |ui| {
        ui.set_width(width);
        contents(ui)
    });
    shown.inner
}
