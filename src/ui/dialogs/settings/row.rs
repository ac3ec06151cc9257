//! A row of a settings page: name, explanation, control, and the button that restores the default.

use egui::{
    Align, CornerRadius, Direction, Frame, Id, Layout, Margin, Rect, Ui, UiBuilder, Vec2, pos2,
    vec2,
};

use crate::ui::dialogs::card::DialogContext;
use crate::ui::dialogs::settings::draft::SettingsDraft;
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CONTROL_RADIUS, Type, gap, size};
use crate::ui::view::View;
use crate::ui::widgets::{Select, icon_button, label, menu_item, paragraph};

/// Width of the controls at the end of a row, in points.
pub(super) const CONTROL_WIDTH_POINTS: f32 = 216.0;
/// Width of the button that restores the default, in points.
const RESET_WIDTH_POINTS: f32 = 30.0;

/// Draws a row. `default` is the name of the default value, if another value is set. Returns true
/// if the default should be restored.
pub(super) fn row(
    ui: &mut Ui,
    view: &View<'_>,
    draft: &mut SettingsDraft,
    setting: Setting,
    default: Option<&str>,
    control: impl FnOnce(&mut Ui, &str),
) -> bool {
    let theme = view.theme;
    let name = view.texts.get(setting.key());
    let mut reset = false;
    framed(ui, view, draft, setting, |ui| {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = gap::M;
            let words =
                ui.available_width() - CONTROL_WIDTH_POINTS - RESET_WIDTH_POINTS - 2.0 * gap::M;
            let column = Layout::top_down(Align::Min);
            // The explanation is below the name, so that all explanations begin at the same edge.
            ui.allocate_ui_with_layout(vec2(words, 0.0), column, |ui| {
                ui.set_width(words);
                ui.spacing_mut().item_spacing.y = 2.0;
                label(ui, &name, Type::BodyStrong, theme.text);
                let note = view.texts.get(setting.note());
                paragraph(ui, &note, Type::Small, theme.secondary);
            });
            let shown = ui.allocate_ui(vec2(CONTROL_WIDTH_POINTS, 0.0), |ui| {
                ui.set_width(CONTROL_WIDTH_POINTS);
                ui.vertical(|ui| control(ui, &name));
            });
            if let Some(button) = reset_name(ui, view, &name, default) {
                // The button is beside the middle of the control, or of its first line.
                let control = shown.response.rect;
                let line = control.height().min(size::CONTROL_HEIGHT);
                let middle =
                    pos2(ui.cursor().left() + RESET_WIDTH_POINTS / 2.0, control.top() + line / 2.0);
                let place = Rect::from_center_size(middle, Vec2::splat(RESET_WIDTH_POINTS));
                let layout = Layout::centered_and_justified(Direction::LeftToRight);
                let room = UiBuilder::new().max_rect(place).layout(layout);
                reset = ui.scope_builder(room, |ui| reset_button(ui, view, &name, &button)).inner;
            }
        });
    });
    reset && default.is_some()
}

/// Draws a row whose control needs the whole width, below the explanation. Like [`row`], returns
/// true if the default should be restored.
///
/// The function of a setting takes the [`DialogContext`] if it draws a wide row or uses more than
/// the draft. Otherwise it takes only the draft.
pub(super) fn wide_row(
    ui: &mut Ui,
    view: &mut View<'_>,
    needs: &mut DialogContext<'_>,
    setting: Setting,
    default: Option<&str>,
    control: impl FnOnce(&mut Ui, &mut View<'_>, &mut DialogContext<'_>),
) -> bool {
    let theme = view.theme;
    let (name, note) = (view.texts.get(setting.key()), view.texts.get(setting.note()));
    let (found, mut reset) = (needs.settings.found, false);
    let rect = ui
        .scope(|ui| {
            ui.spacing_mut().item_spacing.y = gap::XS;
            ui.allocate_ui(vec2(ui.available_width(), RESET_WIDTH_POINTS), |ui| {
                ui.horizontal(|ui| {
                    label(ui, &name, Type::BodyStrong, theme.text);
                    if let Some(button) = reset_name(ui, view, &name, default) {
                        reset = reset_button(ui, view, &name, &button);
                    }
                });
            });
            paragraph(ui, &note, Type::Small, theme.secondary);
            ui.add_space(gap::XS);
            control(ui, view, needs);
        })
        .response
        .rect;
    if found == Some(setting) {
        ui.scroll_to_rect(rect, Some(egui::Align::Min));
        needs.settings.found = None;
    }
    ui.add_space(gap::M);
    reset && default.is_some()
}

/// Highlights a setting to which the user navigated, and scrolls to it once.
fn framed(
    ui: &mut Ui,
    view: &View<'_>,
    draft: &mut SettingsDraft,
    setting: Setting,
    contents: impl FnOnce(&mut Ui),
) {
    let ground = ui.painter().add(egui::Shape::Noop);
    let rect = ui.scope(contents).response.rect;
    if draft.lit == Some(setting) {
        let lit = rect.expand2(vec2(gap::S, gap::XS));
        let fill =
            egui::Shape::rect_filled(lit, CornerRadius::same(CONTROL_RADIUS), view.theme.raised);
        ui.painter().set(ground, fill);
    }
    if draft.found == Some(setting) {
        ui.scroll_to_rect(rect, Some(egui::Align::Center));
        draft.found = None;
    }
    ui.add_space(gap::M);
}

/// Returns the id under which the button that restores the default of a setting is remembered.
fn reset_key(name: &str) -> Id {
    Id::unique(("setting-reset", name))
}

/// Returns the name of the button that restores the default, or `None` if there is no button. The
/// name contains the default. After a press, the button stays until it loses the keyboard focus, so
/// that the focus keeps its place.
fn reset_name(ui: &Ui, view: &View<'_>, name: &str, default: Option<&str>) -> Option<String> {
    if let Some(default) = default {
        let args = [("name", name.into()), ("default", default.into())];
        return Some(view.texts.with(key!("setting-reset"), &args));
    }
    let known: Option<(Id, String)> = ui.data(|data| data.get_temp(reset_key(name)));
    let known = known.filter(|(id, _)| ui.memory(|memory| memory.has_focus(*id)));
    known.map(|(_, button)| button)
}

/// Draws the button that restores the default of the setting `name`.
fn reset_button(ui: &mut Ui, view: &View<'_>, name: &str, button: &str) -> bool {
    let response = icon_button(ui, view.theme, Icon::Refresh, button, 28.0);
    ui.data_mut(|data| data.insert_temp(reset_key(name), (response.id, button.to_owned())));
    response.clicked()
}

/// An entry of a choice: a value, its name, and the reason why it cannot be chosen.
pub(super) type Choice<T> = (T, String, Option<String>);

/// Draws a choice in which the default is marked. Returns the chosen value.
pub(super) fn choice<T: PartialEq + Copy>(
    ui: &mut Ui,
    view: &View<'_>,
    name: &str,
    (now, default): (T, T),
    shown: &str,
    choices: &[Choice<T>],
) -> Option<T> {
    let mut wanted = None;
    // If no value can be chosen and all reasons are the same, the reason is displayed only once.
    let mut reasons = choices.iter().map(|(.., why_not)| why_not.as_ref());
    let first = reasons.next().flatten();
    let shared = first.filter(|first| choices.len() > 1 && reasons.all(|it| it == Some(*first)));
    let marked = |(one, name, _): &Choice<T>| match *one == default {
        true => view.texts.with(key!("setting-default"), &[("name", name.as_str().into())]),
        false => name.clone(),
    };
    let titles: Vec<String> = choices.iter().map(marked).collect();
    let select = Select::new(name, shown, ui.available_width());
    select.room_for(&titles).show(ui, view.theme, |ui| {
        if let Some(shared) = shared {
            Frame::new().inner_margin(Margin::same(8)).show(ui, |ui| {
                paragraph(ui, shared, Type::Small, view.theme.secondary);
            });
        }
        crate::ui::widgets::scrolled(ui, name, |ui| {
            for ((one, _, why_not), title) in choices.iter().zip(&titles) {
                let second = why_not.as_deref().filter(|_| shared.is_none()).unwrap_or_default();
                if menu_item(ui, view.theme, title, second, *one == now, why_not.is_none()) {
                    wanted = Some(*one);
                }
            }
        });
    });
    wanted
}

/// Draws a row with a choice. Returns the chosen value, or the default if the user restored it.
pub(super) fn choice_row<T: PartialEq + Copy>(
    ui: &mut Ui,
    view: &View<'_>,
    draft: &mut SettingsDraft,
    setting: Setting,
    values: (T, T),
    choices: &[Choice<T>],
) -> Option<T> {
    noted_choice_row(ui, view, draft, setting, values, choices, None)
}

/// Draws a row like [`choice_row`], with a note below the choice that says why the chosen value has
/// only a part of its effect.
pub(super) fn noted_choice_row<T: PartialEq + Copy>(
    ui: &mut Ui,
    view: &View<'_>,
    draft: &mut SettingsDraft,
    setting: Setting,
    (now, default): (T, T),
    choices: &[Choice<T>],
    note: Option<&str>,
) -> Option<T> {
    let name_of = |value: T| choices.iter().find(|(one, ..)| *one == value).map(|it| &*it.1);
    let changed = (now != default).then(|| name_of(default).unwrap_or_default());
    let mut wanted = None;
    let reset = row(ui, view, draft, setting, changed, |ui, name| {
        let shown = name_of(now).unwrap_or_default();
        wanted = choice(ui, view, name, (now, default), shown, choices);
        if let Some(note) = note {
            paragraph(ui, note, Type::Small, view.theme.warn);
        }
    });
    if reset { Some(default) } else { wanted }
}
