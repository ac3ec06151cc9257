//! The common parts of all dialogs: the card over the dimmed window, the title, and the answers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use egui::layers::PaintList;
use egui::{
    Align, Align2, Color32, CornerRadius, Frame, Id, Key, Layout, Margin, Modal, Modifiers, Order,
    Popup, Rect, Response, Ui, Vec2, vec2,
};

use crate::compose::scene::{SceneId, SourceId};
use crate::mix::StripId;
use crate::studio::Preferences;
use crate::studio::settings::part::PartKind;
use crate::studio::settings::{OwnPart, OwnService};
use crate::ui::dialogs::help::images::HelpImages;
use crate::ui::dialogs::parts::draft::PartsDraft;
use crate::ui::dialogs::settings::draft::SettingsDraft;
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::Action;
use crate::ui::input::global_key::{GlobalHotkeys, GlobalKeySupport};
use crate::ui::input::named::NamedCommand;
use crate::ui::input::possible::ImpossibleReason;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CARD_RADIUS, Theme, Type, gap};
use crate::ui::view::{Renderer, View};
use crate::ui::widgets::{Button, ButtonWeight, announced, icon_button, label, paragraph};

/// The result of a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DialogAnswer {
    Close,
    Act(Action),
    /// Closes the dialog and runs a command for a named object, such as a source.
    Named(NamedCommand),
    /// Closes the dialog and shows this setting.
    Setting(Setting),
    /// Closes the dialog and uses the collection or profile at this position in the list.
    UsePart(PartKind, usize),
    /// Closes the dialog and switches to this scene.
    Scene(SceneId),
    /// Closes the dialog and shows this source.
    Source(SourceId),
    /// Opens the mixer dialog with this strip.
    Strip(StripId),
    /// Closes the dialog and shows this target for correction.
    EditTarget(u32),
    /// Closes the dialog and sends the chosen file.
    SendFile,
    StopLive,
    Quit,
}

/// State that the dialogs need in addition to the view.
#[derive(Debug)]
pub struct DialogContext<'a> {
    pub preferences: &'a mut Preferences,
    pub renderer: &'a Renderer,
    /// The scale in percent that suits the display.
    pub display_scale: u16,
    /// The scale in percent that is wanted, and the one that the size of the window allows.
    pub scales: (u16, u16),
    /// The support for the push-to-talk key while another window has the focus.
    pub elsewhere: &'a GlobalKeySupport,
    /// The state of global hotkeys of commands.
    pub global_hotkeys: &'a GlobalHotkeys,
    /// The commands that are currently impossible, if the dialog lists commands.
    pub impossible: BTreeMap<Action, ImpossibleReason>,
    pub settings: &'a mut SettingsDraft,
    pub passthrough: &'a mut PassthroughDraft,
    pub services: &'a mut Services,
    pub parts: &'a mut PartsDraft,
    /// The text entered as the successor of the built-in server.
    pub successor: &'a mut Option<String>,
    pub images: &'a mut HelpImages,
    /// True if the dialog was opened in this frame.
    pub fresh: bool,
}

/// Stores the place of the health bar, if the page has one. Call this in every frame.
pub fn set_health_bar(ctx: &egui::Context, bar: Option<Rect>) {
    ctx.data_mut(|data| data.insert_temp(Id::unique("health-bar"), bar));
}

pub fn health_bar(ctx: &egui::Context) -> Option<Rect> {
    ctx.data(|data| data.get_temp::<Option<Rect>>(Id::unique("health-bar"))).flatten()
}

/// Returns the size of the room for a dialog: the window below the health bar.
pub fn dialog_room(ctx: &egui::Context) -> Vec2 {
    let window = ctx.content_rect();
    window.with_min_y(health_bar(ctx).map_or(window.top(), |bar| bar.bottom())).size()
}

/// Hides the tooltips that the window has drawn below a dialog. While the pointer rests on a
/// control, egui keeps the tooltip of the control open, and above the dialog.
pub fn hide_tooltips(ctx: &egui::Context) {
    let visible = ctx.memory(|memory| memory.areas().visible_layer_ids());
    ctx.graphics_mut(|graphics| {
        for layer in visible.into_iter().filter(|layer| layer.order == Order::Tooltip) {
            *graphics.entry(layer) = PaintList::default();
        }
    });
}

/// Draws a dialog's backdrop and card, and handles Escape. The health bar stays visible, unless the
/// card is higher than the room below it. Returns the answer of the contents, or `Close`.
pub fn modal(
    ctx: &egui::Context,
    theme: &Theme,
    name: &'static str,
    width: f32,
    contents: impl FnOnce(&mut Ui) -> Option<DialogAnswer>,
) -> Option<DialogAnswer> {
    hide_tooltips(ctx);
    let (window, bar) = (ctx.content_rect(), health_bar(ctx));
    let top = bar.map_or(window.top(), |bar| bar.bottom());
    let offset = vec2(0.0, (top - window.top()) / 2.0);
    let area = Modal::default_area(Id::unique(name)).anchor(Align2::CENTER_CENTER, offset);
    // egui's own backdrop would also cover the health bar.
    let shade = Color32::from_black_alpha(if theme.dark { 150 } else { 90 });
    let painter = ctx.layer_painter(area.layer());
    painter.rect_filled(window.with_min_y(top), CornerRadius::ZERO, shade);
    if let Some(bar) = bar {
        painter.rect_filled(window.with_max_y(bar.top()), CornerRadius::ZERO, shade);
    }
    let response = Modal::new(Id::unique(name))
        .area(area)
        .backdrop_color(Color32::TRANSPARENT)
        .frame(
            Frame::popup(&ctx.global_style())
                .fill(theme.panel)
                .corner_radius(CornerRadius::same(CARD_RADIUS))
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

/// Draws a card over the window that leaves the rest of the window usable, and that the user can
/// move. Escape closes it. Returns the answer of the contents, or `Close`.
pub fn floating(
    ctx: &egui::Context,
    theme: &Theme,
    name: &'static str,
    width: f32,
    contents: impl FnOnce(&mut Ui) -> Option<DialogAnswer>,
) -> Option<DialogAnswer> {
    let window = ctx.content_rect();
    let room = window.with_min_y(health_bar(ctx).map_or(window.top(), |bar| bar.bottom()));
    let is_covered = ctx.memory(|memory| memory.top_modal_layer().is_some());
    let is_top = !is_covered && !Popup::is_any_open(ctx);
    let card = egui::Area::new(Id::unique(name))
        .order(Order::Middle)
        .pivot(Align2::CENTER_CENTER)
        .default_pos(room.center())
        .constrain_to(room)
        .show(ctx, |ui| {
            let frame = Frame::popup(&ctx.global_style())
                .fill(theme.panel)
                .corner_radius(CornerRadius::same(CARD_RADIUS))
                .inner_margin(Margin::same(20));
            let card = frame.show(ui, |ui| {
                ui.set_width(width);
                ui.spacing_mut().item_spacing = vec2(gap::S, gap::S);
                contents(ui)
            });
            card.inner
        });
    let away = is_top && ctx.input_mut(|it| it.consume_key(Modifiers::NONE, Key::Escape));
    card.inner.or(away.then_some(DialogAnswer::Close))
}

/// Draws the title with a close button. Returns true if the button was pressed.
pub fn heading(ui: &mut Ui, view: &View<'_>, title: &str) -> bool {
    heading_with_close(ui, view, title).clicked()
}

/// Draws the title with a close button. Returns the response of the button.
pub(super) fn heading_with_close(ui: &mut Ui, view: &View<'_>, title: &str) -> Response {
    let line = ui.horizontal(|ui| {
        label(ui, title, Type::Title, view.theme.text);
        let layout = Layout::right_to_left(Align::Center);
        let close = ui.with_layout(layout, |ui| {
            let name = view.texts.get("close");
            icon_button(ui, view.theme, Icon::Close, &name, 28.0)
        });
        close.inner
    });
    ui.add_space(gap::S);
    line.inner
}

/// Draws two buttons side by side.
pub(super) fn buttons(
    ui: &mut Ui,
    theme: &Theme,
    yes: &str,
    weight: ButtonWeight,
    no: &str,
) -> [Response; 2] {
    ui.add_space(gap::S);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        let yes = Button::new(yes).weight(weight).show(ui, theme);
        [yes, Button::new(no).show(ui, theme)]
    })
    .inner
}

/// Asks for confirmation before something is removed. `yes` is the button that removes it. The other
/// button gets the keyboard focus if `focuses_no` is set. Returns the answer, true for a removal.
pub(super) fn removal_question(
    ui: &mut Ui,
    view: &View<'_>,
    title: &str,
    note: &str,
    yes: &str,
    focuses_no: bool,
) -> Option<bool> {
    let theme = view.theme;
    announced(&label(ui, title, Type::Body, theme.text));
    paragraph(ui, note, Type::Small, theme.secondary);
    let [yes, no] = buttons(ui, theme, yes, ButtonWeight::Live, &view.texts.get("part-keep"));
    if focuses_no {
        no.request_focus();
    }
    // Escape ends the question, not the dialog.
    let escaped = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
    if yes.clicked() { Some(true) } else { (no.clicked() || escaped).then_some(false) }
}

/// The state of the dialog that sends a media file.
#[derive(Clone, Debug, Default)]
pub struct PassthroughDraft {
    pub path: Option<PathBuf>,
    pub again: bool,
}

/// A control of the dialog *Your own services* that gets the keyboard focus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ServicesFocus {
    /// *Keep it*, in the question before a removal.
    Keep,
    /// The button that removes the service with this id.
    Remove(String),
    Add,
}

/// The state of the dialog *Your own services*.
#[derive(Clone, Debug, Default)]
pub struct Services {
    /// The previous id, if the service is not new.
    pub(super) was: Option<String>,
    pub(super) typed: Option<OwnService>,
    /// The texts of the forms that the user left before saving them, by the previous id.
    pub(super) left: BTreeMap<Option<String>, OwnService>,
    /// The part whose field gets the keyboard focus next.
    pub(super) focused: Option<OwnPart>,
    /// The id of the service about whose removal the dialog asks.
    pub(super) removal: Option<String>,
    /// The control outside the form that gets the keyboard focus next.
    pub(super) next_focus: Option<ServicesFocus>,
    /// The problem that prevented saving the service.
    pub(super) wrong: Option<(OwnPart, crate::text::Problem)>,
    /// True if the settings open the dialog next.
    pub(super) from_settings: bool,
    /// True if the settings opened the dialog, so that they open again after it.
    pub(super) returns: bool,
}

impl Services {
    /// Opens the form for a new service, or for the one with this id. A form of the same service
    /// that the user left before continues.
    pub(super) fn open(&mut self, id: Option<String>, service: OwnService) {
        self.typed = Some(self.left.remove(&id).unwrap_or(service));
        (self.was, self.wrong, self.focused) = (id, None, Some(OwnPart::Name));
    }
}
