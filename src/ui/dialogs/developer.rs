//! The dialog for developers: switches for the simulated faults of the built-in server.

use egui::{Align, Layout, ScrollArea, Ui, vec2};

use crate::server::Fault;
use crate::studio::Command;
use crate::ui::dialogs::card::{DialogAnswer, DialogContext, heading, modal};
use crate::ui::dialogs::successor;
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::View;
use crate::ui::widgets::{label, paragraph, switch};

/// The faults as given to `onair serve --fault`, and the names of their texts.
const FAULT_NAMES: [(&str, &str); 11] = [
    ("reset@media:5s..10s", key!("fault-reset")),
    ("half-close@media:5s", key!("fault-half-close")),
    ("stall@media:5s+8s", key!("fault-stall")),
    ("throttle@media:500k", key!("fault-throttle")),
    ("delay@media:300ms", key!("fault-delay")),
    ("garbage@media:5s", key!("fault-garbage")),
    ("noack@media", key!("fault-noack")),
    ("busy@publish:3", key!("fault-busy")),
    ("reject@publish:Unauthorized", key!("fault-key")),
    ("reject@connect:InvalidApp", key!("fault-app")),
    ("stall@connect:+20s", key!("fault-silent")),
];

pub fn show(
    ctx: &egui::Context,
    view: &mut View<'_>,
    needs: &mut DialogContext<'_>,
) -> Option<DialogAnswer> {
    if needs.fresh {
        *needs.successor = None;
    }
    modal(ctx, view.theme, "developer", 480.0, |ui| {
        let close = heading(ui, view, &view.texts.get("developer"));
        let list = ScrollArea::vertical().max_height(490.0).min_scrolled_height(490.0);
        list.auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = gap::XS;
            successor::show(ui, view, needs.successor);
            label(ui, &view.texts.get("developer-faults"), Type::Body, view.theme.text);
            paragraph(ui, &view.texts.get("developer-note"), Type::Small, view.theme.secondary);
            for (written, key) in FAULT_NAMES {
                if let Ok(fault) = written.parse() {
                    line(ui, view, &fault, key);
                }
            }
        });
        close.then_some(DialogAnswer::Close)
    })
}

fn line(ui: &mut Ui, view: &mut View<'_>, fault: &Fault, key: &'static str) {
    let (name, on) = (view.texts.get(key), view.snapshot.server.faults.contains(fault));
    let size = vec2(ui.available_width(), 40.0);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        if switch(ui, view.theme, &name, on) {
            let mut faults = view.snapshot.server.faults.clone();
            faults.retain(|one| one != fault);
            if !on {
                faults.push(fault.clone());
            }
            view.send(Command::SetFaults(faults));
        }
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            label(ui, &name, Type::Body, view.theme.text);
            label(ui, &fault.to_string(), Type::Small, view.theme.secondary);
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_faults_and_written_as_they_are_read() {
        for (written, _) in FAULT_NAMES {
            assert_eq!(written.parse::<Fault>().unwrap().to_string(), written);
        }
    }
}
