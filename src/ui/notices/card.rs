//! Cards over a player's frame: the cause, the advice, a button with the remedy, and a button that
//! dismisses the card.

use egui::{CornerRadius, Frame, Margin, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, vec2};

use crate::studio::{Command, Level, Notice};
use crate::ui::notices::remedy::{apply, remedy_name, words};
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CARD_RADIUS, Theme, Type, gap};
use crate::ui::text::Texts;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, ButtonWeight, icon_button, paragraph};

/// Returns true if a notice is about a player. Notices about screenshots count as well, because the
/// *Watch* page can also save screenshots.
fn is_watched(notice: &Notice) -> bool {
    ["watch", "player", "screenshot"].iter().any(|word| notice.key().starts_with(word))
}

/// A card that is ready to be drawn.
#[derive(Debug)]
pub struct Card<'a> {
    pub level: Level,
    pub title: &'a str,
    pub advice: &'a str,
    pub detail: &'a str,
    pub button: Option<&'a str>,
    pub dismissible: bool,
}

/// The buttons that were pressed on a card.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Pressed {
    pub button: bool,
    pub dismiss: bool,
}

impl Card<'_> {
    /// Draws the card as wide as the space allows. Below 400 points, the button is below the text.
    pub fn show(&self, ui: &mut Ui, theme: &Theme, texts: &Texts) -> Pressed {
        let (icon, color) = match self.level {
            Level::Info => (Icon::Info, theme.accent),
            Level::Warning | Level::Error => (Icon::Warning, theme.warn),
        };
        let border = if self.level == Level::Info { theme.line } else { theme.warn };
        let width = ui.available_width();
        let wide = width >= 400.0;
        let mut pressed = Pressed::default();
        let response = Frame::new()
            .fill(theme.raised)
            .stroke(Stroke::new(1.0, border))
            .corner_radius(CornerRadius::same(CARD_RADIUS))
            .inner_margin(Margin::symmetric(12, 10))
            .show(ui, |ui| {
                ui.set_width(width - 26.0);
                ui.horizontal_top(|ui| {
                    ui.spacing_mut().item_spacing = vec2(gap::S, gap::XS);
                    let (place, _) = ui.allocate_exact_size(Vec2::splat(20.0), Sense::hover());
                    icons::paint(ui.painter(), icon, place.shrink(1.0), color);
                    let button = self.button.filter(|_| wide);
                    let button_width = button.map_or(0.0, |text| {
                        let font = Type::FigureStrong.font();
                        let galley = ui.painter().layout_no_wrap(text.to_owned(), font, theme.text);
                        galley.size().x + 2.0 * gap::M + gap::S
                    });
                    let close = if self.dismissible { 28.0 + gap::S } else { 0.0 };
                    let words = ui.available_width() - button_width - close;
                    ui.allocate_ui(vec2(words, 0.0), |ui| {
                        ui.vertical(|ui| {
                            ui.set_width(words);
                            ui.spacing_mut().item_spacing.y = 2.0;
                            let title = paragraph(ui, self.title, Type::BodyStrong, theme.text);
                            if !self.detail.is_empty() {
                                title.on_hover_text(self.detail);
                            }
                            if !self.advice.is_empty() {
                                paragraph(ui, self.advice, Type::Small, theme.secondary);
                            }
                            if let Some(text) = self.button.filter(|_| !wide) {
                                ui.add_space(gap::XS);
                                pressed.button =
                                    Button::new(text).small().show(ui, theme).clicked();
                            }
                        });
                    });
                    if let Some(text) = button {
                        pressed.button = Button::new(text).small().show(ui, theme).clicked();
                    }
                    if self.dismissible {
                        pressed.dismiss = icon_button(
                            ui,
                            theme,
                            Icon::Close,
                            &texts.get("dismiss"),
                            28.0,
                            ButtonWeight::Quiet,
                        )
                        .clicked();
                    }
                });
            })
            .response;
        response.widget_info(|| WidgetInfo::labeled(Role::Alert, true, self.title));
        pressed
    }
}

/// Draws the newest notices about players, at most `limit`, newest first.
pub fn watch_cards(ui: &mut Ui, view: &mut View<'_>, limit: usize) {
    let here: Vec<&Notice> =
        view.snapshot.notices.iter().rev().filter(|notice| is_watched(notice)).collect();
    for notice in here.iter().take(limit) {
        let (title, advice) = words(view.texts, notice);
        let remedy = notice.remedies.first().copied();
        let button = remedy.map(|remedy| remedy_name(view.texts, remedy));
        let card = Card {
            level: notice.level,
            title: &title,
            advice: &advice,
            detail: &notice.detail,
            button: button.as_deref(),
            dismissible: true,
        };
        let pressed = ui.push_id(notice.id, |ui| card.show(ui, view.theme, view.texts)).inner;
        if let Some(remedy) = remedy.filter(|_| pressed.button) {
            apply(view, remedy);
        }
        if pressed.dismiss || pressed.button {
            view.requests.push(WindowRequest::Command(Command::Dismiss(notice.id)));
        }
    }
    if here.len() > limit {
        let text = view.texts.counted("more-notices", here.len() - limit);
        paragraph(ui, &text, Type::Small, view.theme.secondary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::notices::message::StudioMessage;

    #[test]
    fn a_saved_picture_is_told_over_what_is_watched_too() {
        let (path, reason) = ("a.png".to_owned(), "the disk is full".into());
        for message in [
            StudioMessage::SnapshotSaved { path: path.clone() },
            StudioMessage::SnapshotFailed { path, reason },
        ] {
            assert!(is_watched(&message.notice(1, "")));
        }
        assert!(!is_watched(&StudioMessage::NoTarget {}.notice(1, "")));
    }
}
