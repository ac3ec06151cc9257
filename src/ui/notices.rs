//! Notices as cards beside what they are about: cause, advice, a button that helps, and one that
//! puts the card away.

use egui::{CornerRadius, Frame, Margin, Role, Sense, Stroke, Ui, Vec2, WidgetInfo, vec2};

use crate::capture::VideoChoice;
use crate::studio::live::view::LiveState;
use crate::studio::{Command, Level, Notice, Remedy, WatchCommand};
use crate::ui::style::icons;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{RADIUS_LARGE, Theme, Type, gap};
use crate::ui::text::Texts;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, ButtonWeight, icon_button, paragraph};

/// Where a notice stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NoticePlace {
    /// Over the program.
    Stage,
    /// Above the mixer.
    Mixer,
    /// In the target's panel.
    Target,
    /// Over the player's picture.
    Watch,
}

/// What a notice is about, by its key and its remedy.
pub fn place_of(notice: &Notice) -> NoticePlace {
    let about = |words: &[&str]| words.iter().any(|word| notice.key().starts_with(word));
    if about(&["watch", "player"]) {
        NoticePlace::Watch
    } else if about(&["microphone", "no-microphone"]) {
        NoticePlace::Mixer
    } else if about(&[
        "target",
        "monitor",
        "no-target",
        "server",
        "port",
        "recording",
        "replay",
        "screenshot",
        "passthrough",
        "disk",
        "key-",
        "settings",
    ]) || matches!(notice.remedy, Some(Remedy::EditTarget(_) | Remedy::ChooseFolder))
    {
        NoticePlace::Target
    } else {
        NoticePlace::Stage
    }
}

/// Whether a notice is shown there. A picture is saved on both pages.
fn is_at(notice: &Notice, place: NoticePlace) -> bool {
    place_of(notice) == place
        || place == NoticePlace::Watch && notice.key().starts_with("screenshot")
}

/// The words of a notice in the language of the window.
pub fn words(texts: &Texts, notice: &Notice) -> (String, String) {
    (texts.say(&notice.problem), texts.cure(&notice.problem).unwrap_or_default())
}

/// A card ready to be shown.
#[derive(Debug)]
pub struct Card<'a> {
    pub level: Level,
    pub title: &'a str,
    pub advice: &'a str,
    pub detail: &'a str,
    pub button: Option<&'a str>,
    pub dismissible: bool,
}

/// What was pressed on a card.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Pressed {
    pub button: bool,
    pub dismiss: bool,
}

impl Card<'_> {
    /// Shows it as wide as there is room. Under 400 points the button stands below the words.
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
            .corner_radius(CornerRadius::same(RADIUS_LARGE))
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

/// Shows the newest notices about `place`, at most `limit`, newest first.
pub fn cards(ui: &mut Ui, view: &mut View<'_>, place: NoticePlace, limit: usize) -> Option<Remedy> {
    // While the connection is lost, the stage says so and offers the retry.
    // That there is no camera, the list of pictures says all the time.
    let retried = |notice: &&Notice| notice.remedy == Some(Remedy::RetryNow);
    // Of several it tells of one.
    let alone = view.snapshot.notices.iter().filter(retried).count() == 1;
    let said = |notice: &Notice| {
        alone && retried(&notice) && matches!(view.snapshot.live, LiveState::Reconnecting { .. })
            || matches!(notice.key(), "no-camera" | "no-microphone")
    };
    let here: Vec<&Notice> = view
        .snapshot
        .notices
        .iter()
        .rev()
        .filter(|notice| is_at(notice, place) && !said(notice))
        .collect();
    let mut remedy = None;
    for notice in here.iter().take(limit) {
        let (title, advice) = words(view.texts, notice);
        let button = notice.remedy.map(|remedy| view.texts.get(remedy_key(remedy)));
        let card = Card {
            level: notice.level,
            title: &title,
            advice: &advice,
            detail: &notice.detail,
            button: button.as_deref(),
            dismissible: true,
        };
        let pressed = ui.push_id(notice.id, |ui| card.show(ui, view.theme, view.texts)).inner;
        if pressed.button {
            remedy = notice.remedy;
            apply(view, notice.remedy);
        }
        if pressed.dismiss || pressed.button {
            view.wishes.push(WindowRequest::Command(Command::Dismiss(notice.id)));
        }
    }
    if here.len() > limit {
        let text = view.texts.counted("more-notices", here.len() - limit);
        paragraph(ui, &text, Type::Small, view.theme.secondary);
    }
    remedy
}

pub fn remedy_key(remedy: Remedy) -> &'static str {
    use crate::ui::input::actions::key;
    match remedy {
        Remedy::RetryNow => key!("remedy-retry"),
        Remedy::EditTarget(_) => key!("remedy-target"),
        Remedy::TrustCertificate { .. } | Remedy::TrustStream { .. } => key!("remedy-trust"),
        Remedy::UseTestSource => key!("remedy-test"),
        Remedy::Unmute => key!("unmute"),
        Remedy::RefreshDevices => key!("remedy-refresh"),
        Remedy::ChooseFolder => key!("remedy-folder"),
        Remedy::EditSource(_) => key!("remedy-source"),
        Remedy::EditFilters(_) => key!("remedy-filters"),
        Remedy::EditTransition => key!("remedy-transition"),
        Remedy::TryAgain => key!("try-again"),
    }
}

/// Does what a remedy's button promises. Showing what is to be changed is up to the screen.
pub fn apply(view: &mut View<'_>, remedy: Option<Remedy>) {
    match remedy {
        Some(Remedy::RetryNow) => view.send(Command::RetryNow),
        Some(Remedy::UseTestSource) => view.send(Command::SelectVideo(VideoChoice::Test)),
        Some(Remedy::Unmute) => view.send(Command::SetMuted(false)),
        Some(Remedy::RefreshDevices) => view.send(Command::RefreshDevices),
        Some(Remedy::ChooseFolder) => view.wish(WindowRequest::PickRecordingFolder),
        Some(Remedy::TrustCertificate { target, pin }) => {
            view.send(Command::TrustCertificate { target, pin });
        }
        Some(Remedy::TrustStream { tile, pin }) => {
            view.send(Command::Player(WatchCommand::Trust { tile, pin }));
        }
        Some(Remedy::TryAgain) => view.send(Command::TryAgain),
        Some(
            Remedy::EditTarget(_)
            | Remedy::EditSource(_)
            | Remedy::EditFilters(_)
            | Remedy::EditTransition,
        )
        | None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::notices::message::StudioMessage;

    #[test]
    fn a_saved_picture_is_told_on_both_pages() {
        let (path, reason) = ("a.png".to_owned(), "the disk is full".into());
        for message in [
            StudioMessage::SnapshotSaved { path: path.clone() },
            StudioMessage::SnapshotFailed { path, reason },
        ] {
            let notice = message.notice(1, "");
            assert!(is_at(&notice, NoticePlace::Watch) && is_at(&notice, NoticePlace::Target));
            assert!(!is_at(&notice, NoticePlace::Mixer));
        }
    }
}
