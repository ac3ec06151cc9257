//! A file that is on air in the program's stead: its name, and how far it is.

use egui::Ui;

use crate::studio::live::view::PassthroughView;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::{Texts, format};
use crate::ui::view::View;
use crate::ui::widgets::paragraph;

/// At the top of the panel while a file is sent.
pub(super) fn show(ui: &mut Ui, view: &View<'_>) {
    let Some(passthrough) = &view.snapshot.passthrough else { return };
    let (theme, texts) = (view.theme, view.texts);
    let said = paragraph(ui, &sentence(texts, passthrough), Type::BodyStrong, theme.text);
    said.on_hover_text(passthrough.path.display().to_string());
    paragraph(ui, &far(texts, passthrough), Type::Small, theme.secondary);
    ui.add_space(gap::S);
}

/// That it is on air, in a sentence.
pub fn sentence(texts: &Texts, passthrough: &PassthroughView) -> String {
    let name = passthrough.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let key = if passthrough.opening { "passthrough-opening" } else { "passthrough-on-air" };
    texts.with(key, &[("name", name.into())])
}

/// `00:12 / 03:40`, and how often it has begun again.
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
