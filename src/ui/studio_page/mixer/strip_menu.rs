//! The context menu of a strip.

use egui::Ui;

use crate::mix::{MonitoringMode, Strip as Settings, StripId};
use crate::studio::{Command, Monitoring};
use crate::ui::input::actions::key;
use crate::ui::studio_page::mixer::labels::{self, MixerSelection};
use crate::ui::studio_page::mixer::strip::{Strip, StripParts};
use crate::ui::view::View;
use crate::ui::widgets::{context_menu_among, menu_item, menu_rule};

/// Draws the menu of a strip. Returns true if the user requested the mixer dialog, from the menu or
/// with the settings button.
pub(super) fn asks(parts: &StripParts, view: &mut View<'_>, strip: &Strip) -> bool {
    let [.., settings] = &parts.controls;
    let mut asked = settings.clicked();
    context_menu_among(&parts.area, &parts.controls, view.theme, |ui| {
        asked |= lines(ui, view, strip);
    });
    if asked {
        MixerSelection { strip: strip.id, ..MixerSelection::default() }.set(&settings.ctx);
    }
    asked
}

fn line(ui: &mut Ui, view: &View<'_>, key: &'static str, chosen: bool, enabled: bool) -> bool {
    named(ui, view, &view.texts.get(key), chosen, enabled)
}

fn named(ui: &mut Ui, view: &View<'_>, text: &str, chosen: bool, enabled: bool) -> bool {
    let pressed = menu_item(ui, view.theme, text, "", chosen, enabled);
    if pressed {
        ui.close();
    }
    pressed
}

/// Draws the lines of the menu.
fn lines(ui: &mut Ui, view: &mut View<'_>, strip: &Strip) -> bool {
    let mute = if strip.muted { key!("unmute") } else { key!("mute") };
    if line(ui, view, mute, false, true) {
        strip.set(view, strip.gain_db, !strip.muted);
    }
    if line(ui, view, key!("strip-unity"), false, strip.gain_db != 0.0) {
        strip.set(view, 0.0, strip.muted);
    }
    if let Some(before) = &strip.set
        && let Some(after) = more(ui, view, before)
    {
        view.send(Command::SetStrip { id: strip.id, before: before.clone(), strip: after });
    }
    let all = &view.snapshot.strips;
    let own = all.iter().find(|it| it.audio.id == strip.id);
    if own.is_some_and(|own| labels::is_unheard(view, own))
        && line(ui, view, key!("turn-on-monitoring"), false, true)
    {
        view.send(Command::SetMonitoring(Monitoring::Default));
    }
    menu_rule(ui, view.theme);
    let asked = line(ui, view, key!("item-settings"), false, true);
    if strip.id != StripId::MAIN && line(ui, view, key!("strip-remove"), false, true) {
        view.send(Command::RemoveStrip(strip.id));
    }
    asked
}

/// Draws the lines for solo, balance and monitoring. Returns the changed settings.
fn more(ui: &mut Ui, view: &View<'_>, before: &Settings) -> Option<Settings> {
    let mut after = before.clone();
    if line(ui, view, key!("strip-solo"), before.solo, true) {
        after.solo = !before.solo;
    }
    if line(ui, view, key!("strip-center"), false, before.balance != 0.0) {
        after.balance = 0.0;
    }
    menu_rule(ui, view.theme);
    for (key, mode) in [
        (key!("monitoring-off"), MonitoringMode::Program),
        (key!("monitoring-both"), MonitoringMode::Both),
        (key!("monitoring-only"), MonitoringMode::MonitorOnly),
    ] {
        let mode_name = view.texts.get(key).to_string();
        let text = view.texts.with("strip-monitoring", &[("mode", mode_name.into())]);
        if named(ui, view, &text, before.monitoring == mode, true) {
            after.monitoring = mode;
        }
    }
    (after != *before).then_some(after)
}
