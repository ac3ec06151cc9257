//! The choice of the number of sizes in which a WHIP target gets the video at once.

use egui::Ui;

use crate::studio::targets::Simulcast;
use crate::studio::{Command, Target};
use crate::ui::input::actions::key;
use crate::ui::style::theme::Type;
use crate::ui::targets::Draft;
use crate::ui::view::View;
use crate::ui::widgets::{Select, label, menu_item};

/// Draws the choice for a target whose protocol can carry several sizes. A target that is `running`
/// reconnects with the new choice.
pub(in crate::ui::targets) fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    target: &Target,
    running: bool,
    width: f32,
) {
    let server = draft.texts(target.id).server.trim().to_ascii_lowercase();
    let is_whip = server.starts_with("whip") || server.starts_with("http");
    // Only the frames of the main program are encoded in several sizes.
    if !is_whip || target.second_canvas {
        return;
    }
    let (theme, texts) = (view.theme, view.texts);
    let title = texts.get("target-simulcast");
    let tip = match running {
        true => key!("target-simulcast-running-tip"),
        false => key!("target-simulcast-tip"),
    };
    label(ui, &title, Type::Small, theme.secondary).on_hover_text(&*texts.get(tip));
    let name = |sizes: Simulcast| {
        texts.get(match sizes.get() {
            1 => key!("target-simulcast-one"),
            2 => key!("target-simulcast-two"),
            _ => key!("target-simulcast-three"),
        })
    };
    let chosen = target.simulcast;
    let mut wanted = None;
    Select::new(&title, &name(chosen), width).show(ui, theme, |ui| {
        for sizes in (1..=Simulcast::MAX).filter_map(Simulcast::new) {
            let is_chosen = sizes == chosen;
            if menu_item(ui, theme, &name(sizes), "", is_chosen, true) && !is_chosen {
                wanted = Some(sizes);
            }
        }
    });
    if let Some(simulcast) = wanted {
        let target = Target { simulcast, ..draft.put(target) };
        view.send(match running {
            true => Command::RestartTarget(target),
            false => Command::PutTarget(target),
        });
    }
}
