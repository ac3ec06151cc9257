//! What all dialogs share: the card over a dimmed window, the title, and what they answer.

use std::path::PathBuf;

use egui::{Align, CornerRadius, Frame, Id, Layout, Margin, Modal, Ui, vec2};

use crate::compose::scene::{SceneId, SourceId};
use crate::studio::Preferences;
use crate::studio::settings::part::PartKind;
use crate::studio::settings::{Own, OwnPart};
use crate::ui::dialogs::parts::draft::PartsDraft;
use crate::ui::dialogs::settings::draft::SettingsDraft;
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::Action;
use crate::ui::input::global_key::{GlobalHotkeys, GlobalKeySupport};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{RADIUS_LARGE, Theme, Type, gap};
use crate::ui::view::{Renderer, View};
use crate::ui::widgets::{ButtonWeight, icon_button, label};

/// What came of a dialog.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DialogAnswer {
    Close,
    Act(Action),
    /// Close, and show this setting.
    Setting(Setting),
    /// Close, and use the collection or profile at this place of the list.
    UsePart(PartKind, usize),
    /// Close, and switch to this scene.
    Scene(SceneId),
    /// Close, and show this source.
    Source(SourceId),
    /// Close, and show this target for correction.
    EditTarget(u32),
    /// Close, and send the chosen file.
    SendFile,
    StopLive,
    Quit,
}

/// What the dialogs need beside the view.
#[derive(Debug)]
pub struct Needs<'a> {
    pub preferences: &'a mut Preferences,
    pub renderer: &'a Renderer,
    /// How the talk key is heard while another window has the keyboard.
    pub elsewhere: &'a GlobalKeySupport,
    /// And how the hotkeys of commands are.
    pub global_hotkeys: &'a GlobalHotkeys,
    pub settings: &'a mut SettingsDraft,
    pub passthrough: &'a mut PassthroughDraft,
    pub services: &'a mut Services,
    pub parts: &'a mut PartsDraft,
    /// What is typed as the built-in server's successor.
    pub successor: &'a mut Option<String>,
    /// The dialog was opened in this frame.
    pub fresh: bool,
}

/// A dialog's surroundings: backdrop, card, escape. Gives the contents' answer, or `Close`.
pub fn modal(
    ctx: &egui::Context,
    theme: &Theme,
    name: &'static str,
    width: f32,
    contents: impl FnOnce(&mut Ui) -> Option<DialogAnswer>,
) -> Option<DialogAnswer> {
    let response = Modal::new(Id::unique(name))
        .backdrop_color(egui::Color32::from_black_alpha(if theme.dark { 150 } else { 90 }))
        .frame(
            Frame::popup(&ctx.global_style())
                .fill(theme.panel)
                .corner_radius(CornerRadius::same(RADIUS_LARGE))
                .inner_margin(Margin::same(20)),
        )
        .show(ctx, |ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing = vec2(gap::S, gap::S);
            contents(ui)
        });
    let away = response.should_close();
    response.inner.or(away.then_some(DialogAnswer::Close))
}

/// The title with a cross at its end; tells whether the cross was pressed.
pub fn heading(ui: &mut Ui, view: &View<'_>, title: &str) -> bool {
    let mut close = false;
    ui.horizontal(|ui| {
        label(ui, title, Type::Title, view.theme.text);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let name = view.texts.get("close");
            close = icon_button(ui, view.theme, Icon::Close, &name, 28.0, ButtonWeight::Quiet)
                .clicked();
        });
    });
    ui.add_space(gap::S);
    close
}

/// Of the dialog that sends a media file.
#[derive(Clone, Debug, Default)]
pub struct PassthroughDraft {
    pub path: Option<PathBuf>,
    pub again: bool,
}

/// About one of the person's own services.
#[derive(Clone, Debug, Default)]
pub struct Services {
    /// The id that it had, where it is not new.
    pub(super) was: Option<String>,
    pub(super) typed: Option<Own>,
    /// What was wrong when it was to be kept.
    pub(super) wrong: Option<(OwnPart, crate::text::Problem)>,
}
