//! The dialog for sending a media file unchanged: the file, the loop switch, and the start button.

use egui::{Align, Sense, Ui, vec2};

use crate::studio::live::view::LiveState;
use crate::ui::dialogs::card::{DialogAnswer, PassthroughDraft, heading, modal};
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, ButtonWeight, elided, named_switch, paragraph};

pub fn show(
    ctx: &egui::Context,
    view: &mut View<'_>,
    passthrough: &mut PassthroughDraft,
) -> Option<DialogAnswer> {
    modal(ctx, view.theme, "passthrough", 460.0, |ui| {
        let (theme, texts) = (view.theme, view.texts);
        let close = heading(ui, view, &texts.get("passthrough"));
        paragraph(ui, &texts.get("passthrough-note"), Type::Body, theme.text);
        paragraph(ui, &texts.get("passthrough-codecs"), Type::Small, theme.secondary);
        ui.add_space(gap::S);
        file(ui, view, passthrough);
        ui.add_space(gap::XS);
        let again = texts.get("passthrough-loop");
        if named_switch(ui, theme, &again, "", Type::Body, passthrough.again) {
            passthrough.again = !passthrough.again;
        }
        ui.add_space(gap::S);
        // A running broadcast or recording must end first.
        let free = view.snapshot.live == LiveState::Idle && view.snapshot.recording.is_none();
        if !free {
            paragraph(ui, &texts.get("passthrough-busy"), Type::Small, theme.warn);
        }
        let name = texts.get("passthrough-send");
        let button = Button::new(&name)
            .weight(ButtonWeight::Primary)
            .enabled(free && passthrough.path.is_some());
        let sent = button.width(ui.available_width()).show(ui, theme).clicked();
        match sent {
            true => Some(DialogAnswer::SendFile),
            false => close.then_some(DialogAnswer::Close),
        }
    })
}

fn file(ui: &mut Ui, view: &mut View<'_>, passthrough: &PassthroughDraft) {
    let (theme, texts) = (view.theme, view.texts);
    ui.horizontal(|ui| {
        let room = vec2(ui.available_width() - 130.0, size::CONTROL_HEIGHT);
        let (rect, response) = ui.allocate_exact_size(room, Sense::hover());
        match &passthrough.path {
            Some(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                elided(ui, rect, Align::Min, &name, Type::Body.font(), theme.text);
                response.on_hover_text(path.display().to_string());
            }
            None => {
                let none = texts.get("passthrough-none");
                elided(ui, rect, Align::Min, &none, Type::Body.font(), theme.secondary);
            }
        }
        if Button::new(&texts.get("passthrough-choose")).width(122.0).show(ui, theme).clicked() {
            view.request(WindowRequest::PickPassthrough);
        }
    });
}
