//! The state of a passthrough file on air: its name and position.

use egui::Ui;

use crate::studio::live::view::PassthroughView;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::{Texts, format};
use crate::ui::view::View;
use crate::ui::widgets::paragraph;

/// Draws the file at the top of the panel during passthrough.
pub(super) fn show(ui: &mut Ui, view: &View<'_>) {
    let Some(passthrough) = &view.snapshot.passthrough else { return };
    let (theme, texts) = (view.theme, view.texts);
    let response = paragraph(ui, &sentence(texts, passthrough), Type::BodyStrong, theme.text);
    response.on_hover_text(passthrough.path.display().to_string());
    paragraph(ui, &far(texts, passthrough), Type::Small, theme.secondary);
    ui.add_space(gap::S);
}

/// Returns a sentence that names the file on air.
pub fn sentence(texts: &Texts, passthrough: &PassthroughView) -> String {
    let name = passthrough.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let key = if passthrough.opening { "passthrough-opening" } else { "passthrough-on-air" };
    texts.with(key, &[("name", name.into())])
}

/// Returns the position, such as `00:12 / 03:40`, and the number of the current pass of a looping
/// file.
fn far(texts: &Texts, passthrough: &PassthroughView) -> String {
    let mut far = format::clock(passthrough.position);
    if let Some(duration) = passthrough.duration {
        far = format!("{far} / {}", format::clock(duration));
    }
    if passthrough.again {
        let round = (u64::from(passthrough.rounds) + 1).to_string();
        far =
            format!("{far} · {}", texts.with("passthrough-loop-count", &[("count", round.into())]));
    }
    far
}
