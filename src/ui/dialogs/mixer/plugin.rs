//! The settings of a plugin: which one it is, its state, its own window, and its parameters.

use std::sync::Arc;

use egui::Ui;

use crate::mix::plugin::{self, LinkState, Plugin, PluginParameter, Report};
use crate::text::Problem;
use crate::ui::dialogs::mixer::row::{line, slider_line};
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::filter_list::{NumberDisplay, NumberStep};
use crate::ui::widgets::{Button, Select, label, menu_item};

/// Maximum number of parameters that are displayed. Plugins with more have a window of their own.
const MAX_SHOWN: usize = 64;

pub fn show(ui: &mut Ui, view: &mut View<'_>, its: &mut Arc<Plugin>) {
    choice(ui, view, its);
    if its.plugin.is_none() {
        return;
    }
    let report = its.link.report();
    let (color, text) = (view.theme.secondary, state(view, &report));
    label(ui, &text, Type::Small, color);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::XS;
        let name = view.texts.get(key!("plugin-window"));
        let running = report.state == LinkState::Running && report.has_window;
        if Button::new(&name).small().enabled(running).show(ui, view.theme).clicked() {
            its.link.show_window();
        }
        let name = view.texts.get(key!("plugin-try-again"));
        let failed = matches!(report.state, LinkState::Bypassed(_));
        if failed && Button::new(&name).small().show(ui, view.theme).clicked() {
            its.link.restart();
        }
    });
    for parameter in report.parameters.iter().take(MAX_SHOWN) {
        number(ui, view, its, parameter);
    }
}

/// Draws the choice of the plugin.
fn choice(ui: &mut Ui, view: &mut View<'_>, its: &mut Arc<Plugin>) {
    let name = view.texts.get(key!("filter-plugin"));
    line(ui, view, &name, |ui, view| {
        let theme = view.theme;
        let chosen = match its.plugin.is_none() {
            true => view.texts.get(key!("plugin-choose")).to_string(),
            false => its.plugin.short().to_owned(),
        };
        let width = ui.available_width();
        Select::new(&name, &chosen, width).show(ui, theme, |ui| {
            // Plugins may have been installed since the list was open last.
            let (seen, pass) = (egui::Id::unique("plugin-list"), ui.ctx().cumulative_pass_nr());
            let before =
                ui.data_mut(|data| std::mem::replace(data.get_temp_mut_or(seen, 0_u64), pass));
            let found = plugin::found(pass > before + 1);
            for (id, name) in &found.plugins {
                let is_chosen = *id == its.plugin;
                if menu_item(ui, theme, name, "", is_chosen, true) && !is_chosen {
                    *its = Arc::new(Plugin::new(id.clone()));
                }
            }
            if found.searching {
                label(ui, &view.texts.get(key!("plugin-searching")), Type::Small, theme.secondary);
            } else if found.plugins.is_empty() {
                label(ui, &view.texts.get(key!("plugin-none-found")), Type::Small, theme.secondary);
            }
        });
    });
}

/// Returns the state of a plugin's process.
fn state(view: &View<'_>, report: &Report) -> String {
    let with = |id: &'static str, trouble| {
        let reason = view.texts.say(&Problem::from(trouble));
        view.texts.with(id, &[("reason", reason.into())])
    };
    match &report.state {
        LinkState::Off => view.texts.get(key!("plugin-state-off")).to_string(),
        LinkState::Starting => view.texts.get(key!("plugin-state-starting")).to_string(),
        LinkState::Running => view.texts.get(key!("plugin-state-running")).to_string(),
        LinkState::Restarting(trouble) => with(key!("plugin-state-restarting"), trouble),
        LinkState::Bypassed(trouble) => with(key!("plugin-state-bypassed"), trouble),
    }
}

/// Draws a parameter, which the plugin gets when it changes.
fn number(ui: &mut Ui, view: &mut View<'_>, its: &mut Arc<Plugin>, parameter: &PluginParameter) {
    let PluginParameter { id, name, lowest, highest, rest, stepped, value } = parameter;
    let now = its.values.get(id).unwrap_or(value);
    let before = *now as f32;
    let mut value = before;
    let range = *lowest as f32..=*highest as f32;
    let decimals = if *stepped { 0 } else { 2 };
    let step = if *stepped { NumberStep::Whole } else { NumberStep::Linear };
    let display = NumberDisplay { factor: 1.0, decimals, unit: "", step };
    slider_line(ui, view, (name, name), &mut value, (&range, *rest as f32), display);
    if value != before {
        let value = if *stepped { value.round() } else { value };
        Arc::make_mut(its).set(*id, f64::from(value).clamp(*lowest, *highest));
    }
}
