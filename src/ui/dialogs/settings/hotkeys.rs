//! The page *Hotkeys*. The user chooses a hotkey by pressing it, and the page shows conflicts next
//! to it.

use egui::{Align, Layout, Ui, vec2};

use crate::studio::settings::hotkeys::Hotkey;
use crate::ui::dialogs::card::DialogContext;
use crate::ui::dialogs::settings::row::wide_row;
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::{Action, key};
use crate::ui::input::hotkeys::{self, PressedHotkey};
use crate::ui::input::named::{AnyCommand, NamedCommand};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::Texts;
use crate::ui::view::View;
use crate::ui::widgets::{Button, elided, icon_button, paragraph, switch};

/// Width of the column of hotkeys at the end of a row, in points.
const HOTKEYS_WIDTH_POINTS: f32 = 150.0;
/// Width of a small button in points.
const SMALL_BUTTON_POINTS: f32 = 28.0;
/// Width of the column of switches in points.
const SWITCH_WIDTH_POINTS: f32 = 36.0;

/// Returns true if all words of `query` occur in the name of a command, in any of these languages.
fn fits(command: &AnyCommand, languages: &[&Texts], query: &str) -> bool {
    let names: Vec<_> = languages.iter().map(|texts| command.title(texts)).collect();
    let names = names.join(" ").to_lowercase();
    query.to_lowercase().split_whitespace().all(|word| names.contains(word))
}

/// Returns true if any command matches the query.
pub(super) fn any_fits(languages: &[&Texts], view: &View<'_>, query: &str) -> bool {
    let named = NamedCommand::all(view.snapshot).into_iter().map(AnyCommand::from);
    let mut all = Action::ALL.iter().copied().map(AnyCommand::from).chain(named);
    all.any(|command| fits(&command, languages, query))
}

/// Returns all commands: those of the table, those for existing objects, and those for objects that
/// no longer exist but still have a hotkey, so that the user can remove the hotkey.
fn commands(view: &View<'_>, needs: &DialogContext<'_>) -> Vec<AnyCommand> {
    let mut all: Vec<AnyCommand> = Action::ALL.iter().copied().map(AnyCommand::from).collect();
    let named = NamedCommand::all(view.snapshot).into_iter().map(AnyCommand::from);
    for command in named.chain(hotkeys::named(needs.preferences)) {
        if !all.contains(&command) {
            all.push(command);
        }
    }
    all
}

pub(super) fn list(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    wide_row(ui, view, needs, Setting::Hotkeys, None, |ui, view, needs| {
        if let Some((command, _)) = needs.settings.hotkey.clone()
            && let Some(pressed) = hotkeys::pressed(ui.ctx())
        {
            let refused = pressed == PressedHotkey::Refused;
            needs.settings.hotkey = refused.then(|| (command.clone(), true));
            if let PressedHotkey::Hotkey(hotkey) = pressed {
                hotkeys::choose(needs.preferences, command, Some(hotkey));
            }
        }
        let languages: Vec<&Texts> =
            [view.texts].into_iter().chain(&needs.settings.other).collect();
        let searched = !needs.settings.query.trim().is_empty();
        let found =
            |command: &AnyCommand| !searched || fits(command, &languages, &needs.settings.query);
        let all = commands(view, needs);
        let mut shown: Vec<AnyCommand> = all.iter().filter(|it| found(it)).cloned().collect();
        if shown.is_empty() {
            shown = all;
        }
        ui.spacing_mut().item_spacing.y = gap::XS;
        let any = !needs.preferences.hotkeys.other_windows.is_empty();
        if let Some(note) = needs.global_hotkeys.note(any) {
            paragraph(ui, &view.texts.get(note), Type::Small, view.theme.secondary);
        }
        columns(ui, view);
        for command in shown {
            line(ui, view, needs, &command);
        }
        ui.add_space(gap::S);
        let text = view.texts.get("hotkeys-reset-all");
        let changed = !needs.preferences.hotkeys.keys.is_empty();
        if Button::new(&text).small().enabled(changed).show(ui, view.theme).clicked() {
            needs.preferences.hotkeys.keys.clear();
        }
    });
}

fn shown(texts: &Texts, hotkey: Option<Hotkey>) -> String {
    hotkey.map_or_else(|| texts.get("hotkey-none").to_string(), hotkeys::text_of)
}

/// Draws the column names above the switches and the hotkeys.
fn columns(ui: &mut Ui, view: &View<'_>) {
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 20.0), egui::Sense::hover());
    let end = rect.right() - HOTKEYS_WIDTH_POINTS - 2.0 * (SMALL_BUTTON_POINTS + gap::XS);
    let font = || Type::SmallStrong.font();
    let above = |left: f32, right: f32| rect.with_min_x(left).with_max_x(right);
    let (global, keys) = (view.texts.get("hotkeys-elsewhere"), view.texts.get("hotkeys-keys"));
    let color = view.theme.secondary;
    elided(ui, above(rect.left(), end - gap::L), Align::Max, &global, font(), color);
    elided(ui, above(end, rect.right()), Align::Min, &keys, font(), color);
}

/// Draws the switch for using the hotkey in other windows, if that is allowed.
fn everywhere(
    ui: &mut Ui,
    view: &View<'_>,
    needs: &mut DialogContext<'_>,
    command: &AnyCommand,
    name: &str,
) {
    let room = vec2(SWITCH_WIDTH_POINTS, 30.0);
    ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(SWITCH_WIDTH_POINTS);
        if !command.may_be_global() {
            return;
        }
        let setting = command.setting();
        let on = needs.preferences.hotkeys.other_windows.contains(&setting);
        let called = view.texts.with("hotkey-global", &[("name", name.into())]);
        ui.add_enabled_ui(needs.global_hotkeys.support.can_be(), |ui| {
            if switch(ui, view.theme, &called, on) {
                let chosen = &mut needs.preferences.hotkeys.other_windows;
                if !chosen.remove(&setting) {
                    chosen.insert(setting);
                }
            }
        });
    });
}

fn line(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>, command: &AnyCommand) {
    let (theme, texts) = (view.theme, view.texts);
    let name = command.title(texts);
    let hotkey = hotkeys::hotkey_of(needs.preferences, command.clone());
    let waits =
        needs.settings.hotkey.as_ref().filter(|(one, _)| one == command).map(|(_, bad)| *bad);
    ui.push_id(command.setting(), |ui| {
        let room = vec2(ui.available_width(), 30.0);
        ui.allocate_ui_with_layout(room, Layout::left_to_right(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = gap::XS;
            let ends = HOTKEYS_WIDTH_POINTS
                + 2.0 * (SMALL_BUTTON_POINTS + gap::XS)
                + SWITCH_WIDTH_POINTS
                + gap::M;
            let words = ui.available_width() - ends;
            let (rect, name_response) =
                ui.allocate_exact_size(vec2(words, 30.0), egui::Sense::hover());
            elided(ui, rect, Align::Min, &name, Type::Body.font(), theme.text);
            name_response.on_hover_text(&*texts.get(command.tip()));
            everywhere(ui, view, needs, command, &name);
            let preferences = &mut *needs.preferences;
            let text = match waits {
                Some(_) => texts.get("hotkey-press").to_string(),
                None => shown(texts, hotkey),
            };
            let args = [("name", (&*name).into()), ("keys", (&*text).into())];
            let called = texts.with("hotkey-of", &args);
            let button = Button::new(&text).name(&called).width(HOTKEYS_WIDTH_POINTS).small();
            let response = button.selected(waits.is_some()).show(ui, theme);
            if response.clicked() {
                needs.settings.hotkey = waits.is_none().then(|| (command.clone(), false));
                response.request_focus();
            } else if waits.is_some() && !response.has_focus() {
                needs.settings.hotkey = None;
            }
            let usual = command.usual_hotkey();
            if hotkey != usual {
                let keys = shown(texts, usual);
                let args = [("name", (&*name).into()), ("keys", keys.into())];
                let tip = texts.with(key!("hotkey-reset"), &args);
                if icon_button(ui, theme, Icon::Refresh, &tip, SMALL_BUTTON_POINTS).clicked() {
                    hotkeys::choose(preferences, command.clone(), usual);
                }
            } else {
                // The button that removes the hotkey stays in its place.
                ui.add_space(SMALL_BUTTON_POINTS + gap::XS);
            }
            if hotkey.is_some() {
                let tip = texts.with(key!("hotkey-remove"), &[("name", (&*name).into())]);
                if icon_button(ui, theme, Icon::Close, &tip, SMALL_BUTTON_POINTS).clicked() {
                    hotkeys::choose(preferences, command.clone(), None);
                }
            }
        });
        if waits == Some(true) {
            paragraph(ui, &texts.get("hotkey-refused"), Type::Small, theme.warn);
        }
        let preferences = &*needs.preferences;
        let chosen = &preferences.hotkeys.other_windows;
        let global = command.may_be_global() && chosen.contains(&command.setting());
        let note = global.then(|| needs.global_hotkeys.note_of(command, hotkey)).flatten();
        if let Some((note, trigger, wrong)) = note {
            let note = texts.with(note, &[("trigger", trigger.into())]);
            let color = if wrong { theme.warn } else { theme.secondary };
            paragraph(ui, &note, Type::Small, color);
        }
        let others = hotkeys::conflicts(preferences, command.clone());
        if !others.is_empty() {
            let names: Vec<_> = others.iter().map(|other| other.title(texts)).collect();
            let conflict = texts.with("hotkey-conflict", &[("names", names.join(", ").into())]);
            paragraph(ui, &conflict, Type::Small, theme.warn);
        }
        if let Some(fixed) = hotkeys::fixed_use(preferences, command.clone()) {
            let conflict = texts
                .with("hotkey-conflict-fixed", &[("use", texts.get(fixed).to_string().into())]);
            paragraph(ui, &conflict, Type::Small, theme.warn);
        }
        if hotkeys::is_talk_key(preferences, command.clone()) {
            paragraph(ui, &texts.get("hotkey-conflict-talk"), Type::Small, theme.warn);
        }
    });
}
