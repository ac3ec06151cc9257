//! A file that is on air in the program's stead: its name, and how far it is.

use egui::Ui;

use crate::studio::live::view::PassthroughView;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::{Texts, format};
use crate::ui::view::View;
use crate::ui::widgets::paragraph;

/// At the top of the panel while a file goes out.
pub(super) fn show(ui: &mut Ui, view: &View<'_>) {
    let Some(film) = &view.snapshot.film else { return };
    let (theme, texts) = (view.theme, view.texts);
    let said = paragraph(ui, &sentence(texts, film), Type::BodyStrong, theme.text);
    said.on_hover_text(film.path.display().to_string());
    paragraph(ui, &far(texts, film), Type::Small, theme.secondary);
    ui.add_space(gap::S);
}

/// That it is on air, in a sentence.
pub fn sentence(texts: &Texts, film: &PassthroughView) -> String {
    let name = film.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let key = if film.opening { "film-opening" } else { "film-on-air" };
    texts.with(key, &[("name", name.into())])
}

/// `00:12 / 03:40`, and how often it has begun again.
fn far(texts: &Texts, film: &PassthroughView) -> String {
    let mut far = format::clock(film.position);
    if let Some(duration) = film.duration {
        far = format!("{far} / {}", format::clock(duration));
    }
    if film.again {
        let round = (u64::from(film.rounds) + 1).to_string();
        far = format!("{far} · {}", texts.with("film-round", &[("count", round.into())]));
    }
    far
}
