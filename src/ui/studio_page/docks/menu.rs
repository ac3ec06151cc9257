//! The menu that selects a layout and changes the current one.

use egui::{Id, Popup, PopupCloseBehavior, Rect, Ui, vec2};

use crate::studio::Command;
use crate::studio::settings::{
    MAX_LAYOUT_NAME_CHARS, MAX_LAYOUTS, PREDEFINED_LAYOUTS, Panel, Panels, is_predefined_layout,
};
use crate::ui::input::actions::{Action, key};
use crate::ui::input::named::{AnyCommand, NamedCommand, NamedKind};
use crate::ui::input::possible::ImpossibleReason;
use crate::ui::studio_page::docks::{Docks, contents};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::targets::child;
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, ButtonWeight, Field, command_item, label, menu_frame, menu_item, menu_rule, paragraph,
    return_focus,
};

const POPUP_WIDTH_POINTS: f32 = 240.0;
/// The maximum width of the menu button.
const MAX_BUTTON_WIDTH: f32 = 220.0;

/// Returns the name of a layout. Built-in layouts have a name in the window's language.
fn title(view: &View<'_>, name: &str) -> String {
    match name {
        Panels::SIMPLE => view.texts.get("layout-simple").to_string(),
        Panels::STUDIO => view.texts.get("layout-studio").to_string(),
        Panels::MONITOR => view.texts.get("layout-monitor").to_string(),
        name => name.to_owned(),
    }
}

/// Selects a layout. *Studio* turns studio mode on, and the other built-in layouts turn it off.
pub fn choose(view: &mut View<'_>, panels: &mut Panels, name: &str) {
    let studio_mode = view.snapshot.scenes.preview_scene.is_some();
    let current = view.snapshot.scenes.collection.current;
    match name {
        Panels::STUDIO if !studio_mode => view.send(Command::SetPreviewScene(Some(current))),
        Panels::SIMPLE | Panels::MONITOR if studio_mode && panels.layout == Panels::STUDIO => {
            view.send(Command::SetPreviewScene(None));
        }
        _ => {}
    }
    name.clone_into(&mut panels.layout);
}

/// Returns the reason why *Reset* or *Delete* is impossible for the current layout.
pub fn why_not(panels: &Panels, action: Action) -> Option<ImpossibleReason> {
    let predefined = is_predefined_layout(&panels.layout);
    let stored = panels.layouts.contains_key(&panels.layout);
    match action {
        Action::LayoutReset if !(predefined && stored) => Some(ImpossibleReason::LayoutUnchanged),
        Action::LayoutDelete if predefined || !stored => Some(ImpossibleReason::LayoutNotOwn),
        _ => None,
    }
}

/// Resets the current layout, or deletes it, if that is possible.
pub fn discard(panels: &mut Panels, docks: &mut Docks, action: Action) {
    if why_not(panels, action).is_some() {
        return;
    }
    panels.layouts.remove(&panels.layout);
    if action == Action::LayoutDelete {
        Panels::SIMPLE.clone_into(&mut panels.layout);
    }
    docks.arranging = false;
}

/// Returns the command that selects a layout.
fn command_of(name: &str) -> AnyCommand {
    match name {
        Panels::SIMPLE => Action::LayoutSimple.into(),
        Panels::STUDIO => Action::LayoutStudio.into(),
        Panels::MONITOR => Action::LayoutMonitor.into(),
        name => NamedCommand { kind: NamedKind::Layout, name: name.to_owned() }.into(),
    }
}

/// Returns the name of the menu button.
fn name(view: &View<'_>, panels: &Panels) -> String {
    let now = title(view, &panels.layout);
    view.texts.with("layout-is", &[("name", now.into())])
}

/// Returns the width of the menu button. In a narrow window, and for a very long name, the button
/// has only its icon.
pub fn width(ui: &Ui, view: &View<'_>, panels: &Panels, narrow: bool) -> f32 {
    let (name, font) = (name(view, panels), Type::Small.font());
    let words = ui.painter().layout_no_wrap(name, font, view.theme.text).size().x;
    let width = 16.0 + gap::S + words.ceil() + 2.0 * gap::M;
    if narrow || width > MAX_BUTTON_WIDTH { size::SMALL_CONTROL_HEIGHT } else { width }
}

/// Draws the menu button at `place`, which has the width from [`width`].
pub fn show(ui: &mut Ui, view: &mut View<'_>, panels: &mut Panels, docks: &mut Docks, place: Rect) {
    let theme = view.theme;
    let mut at = child(ui, place, "layout");
    let name = name(view, panels);
    let has_words = place.width() > size::SMALL_CONTROL_HEIGHT;
    let text = if has_words { name.as_str() } else { "" };
    let weight = if has_words { ButtonWeight::Raised } else { ButtonWeight::Quiet };
    let button = Button::new(text).icon(Icon::Layout).weight(weight).kind(Type::Small).name(&name);
    let button = button.height(place.height()).width(place.width());
    let button = button.show(&mut at, theme).on_hover_text(&name);
    return_focus(&button);
    Popup::menu(&button)
        .width(POPUP_WIDTH_POINTS)
        .gap(gap::XS)
        .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
        .frame(menu_frame(ui.ctx(), theme))
        .show(|ui| {
            ui.spacing_mut().item_spacing = vec2(0.0, 2.0);
            ui.set_width(POPUP_WIDTH_POINTS - 10.0);
            let height = (ui.ctx().content_rect().height() - 140.0).max(120.0);
            egui::ScrollArea::vertical().max_height(height).show(ui, |ui| {
                layouts(ui, view, panels);
                menu_rule(ui, theme);
                arrange(ui, view, panels, docks);
                menu_rule(ui, theme);
                save(ui, view, panels, docks);
            });
        });
}

fn layouts(ui: &mut Ui, view: &mut View<'_>, panels: &mut Panels) {
    let presets = PREDEFINED_LAYOUTS.iter().map(|(name, _)| (*name).to_owned());
    let own: Vec<String> = panels.own_names().cloned().collect();
    for name in presets.chain(own) {
        let title = title(view, &name);
        let (command, chosen) = (command_of(&name), panels.layout == name);
        if command_item(ui, view.theme, command, &title, "", chosen, None) {
            choose(view, panels, &name);
            ui.close();
        }
    }
}

/// Draws the menu items that move, show and hide panels.
fn arrange(ui: &mut Ui, view: &View<'_>, panels: &mut Panels, docks: &mut Docks) {
    let (theme, texts) = (view.theme, view.texts);
    let (name, second) = (texts.get("layout-arrange"), texts.get("layout-arrange-second"));
    if command_item(ui, theme, Action::ArrangePanels, &name, &second, docks.arranging, None) {
        docks.arranging ^= true;
        ui.close();
    }
    if docks.arranging {
        for panel in Panel::ALL.into_iter().filter(|panel| *panel != Panel::Controls) {
            let shown = docks.shows(panel);
            if menu_item(ui, theme, &texts.get(contents::title(panel)), "", shown, true) {
                docks.toggle(panel);
            }
        }
    }
    for (action, name) in
        [(Action::LayoutReset, key!("layout-reset")), (Action::LayoutDelete, key!("layout-delete"))]
    {
        if why_not(panels, action).is_none()
            && command_item(ui, theme, action, &texts.get(name), "", false, None)
        {
            discard(panels, docks, action);
            ui.close();
        }
    }
}

/// Draws the form that saves the current layout under another name.
fn save(ui: &mut Ui, view: &View<'_>, panels: &mut Panels, docks: &mut Docks) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("layout-name");
    ui.add_space(gap::XS);
    label(ui, &name, Type::Small, theme.secondary);
    let typed = docks.naming.trim().to_owned();
    let taken = is_predefined_layout(&typed);
    let full = panels.own_names().count() >= MAX_LAYOUTS && !panels.layouts.contains_key(&typed);
    let kept = Field {
        name: &name,
        hint: &texts.get("layout-name-hint"),
        wrong: taken || full,
        limit: MAX_LAYOUT_NAME_CHARS,
        width: ui.available_width(),
        ..Field::new(Id::unique("layout-name"), &mut docks.naming)
    }
    .show(ui, theme);
    if taken || full {
        let key = if taken { key!("layout-taken") } else { key!("layout-full") };
        paragraph(ui, &texts.get(key), Type::Small, theme.warn);
    }
    let entered = kept.response.lost_focus() && ui.input(|it| it.key_pressed(egui::Key::Enter));
    let may = !typed.is_empty() && !taken && !full;
    let save = texts.get("layout-save");
    let pressed = Button::new(&save).small().enabled(may).show(ui, theme).clicked();
    if (pressed || entered)
        && may
        && let Some(layout) = panels.current()
    {
        panels.layouts.insert(typed.clone(), layout);
        panels.layout = typed;
        docks.naming.clear();
        ui.close();
    }
}
