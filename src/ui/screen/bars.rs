//! The top bar: name, pages, commands, notices, tools.

use egui::{Align2, Rect, Ui, pos2, vec2};

use crate::studio::live::view::LiveState;
use crate::ui::input::actions::Action;
use crate::ui::input::hotkeys::{shortcut_text, tooltip};
use crate::ui::notices::{self, TrayRequest};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::text::Language;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, icon_button, place, row_in};

/// The pages of the window.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Page {
    #[default]
    Studio,
    Watch,
    Recordings,
}

/// The control that was pressed in the top bar.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TopBarClick {
    Act(Action),
    Tray(TrayRequest),
}

/// The state of the notice tray: whether the tray is open, and whether the keyboard has just opened
/// it.
#[derive(Copy, Clone, Debug, Default)]
pub struct TrayState {
    pub open: bool,
    pub fresh: bool,
}

/// Draws the top bar. Returns the control that was pressed.
pub fn top(
    ui: &mut Ui,
    view: &View<'_>,
    page: Page,
    tray: &mut TrayState,
    room: Rect,
) -> Option<TopBarClick> {
    let theme = view.theme;
    ui.painter().hline(room.x_range(), room.bottom() - 0.5, theme.border());
    let on_air = matches!(view.snapshot.live, LiveState::OnAir);
    let dot = pos2(room.left() + gap::L + 5.0, room.center().y);
    ui.painter().circle_filled(dot, 5.0, if on_air { theme.live } else { theme.secondary });
    let name = view.texts.get("app-name");
    let name =
        place(ui, dot + vec2(13.0, 0.0), Align2::LEFT_CENTER, &name, Type::Timer, theme.text);

    let mut pressed = None;
    let tabs = [
        (Page::Studio, Action::Studio, "tab-studio"),
        (Page::Watch, Action::Watch, "tab-watch"),
        (Page::Recordings, Action::Recordings, "tab-recordings"),
    ];
    let left = Rect::from_min_max(pos2(name.right() + 20.0, room.top() + 7.0), room.max);
    let mut bar = row_in(ui, left.with_max_y(left.top() + 30.0), "tabs", 2.0);
    for (tab, action, key) in tabs {
        let text = view.texts.get(key);
        let button = Button::new(&text).weight(ButtonWeight::Quiet).height(30.0);
        let tip = tooltip(ui.ctx(), view.texts, action);
        if button.selected(page == tab).show(&mut bar, theme).on_hover_text(tip).clicked() {
            pressed = Some(TopBarClick::Act(action));
        }
    }
    pressed.or(tools(ui, view, tray, room))
}

fn tools(ui: &mut Ui, view: &View<'_>, tray: &mut TrayState, room: Rect) -> Option<TopBarClick> {
    let (theme, texts) = (view.theme, view.texts);
    let language = match texts.language() {
        Language::English => "EN / 中",
        Language::Chinese => "中 / EN",
    };
    let count = view.snapshot.notices.len() + usize::from(view.health.alone);
    let bell_text = if count == 0 { String::new() } else { count.to_string() };
    let commands = texts.get("commands");
    let keys = shortcut_text(ui.ctx(), Action::Palette).unwrap_or_default();
    let commands_text = format!("{commands} {keys}");
    let width_of = |text: &str, kind: Type| {
        ui.painter().layout_no_wrap(text.to_owned(), kind.font(), theme.text).size().x
    };
    let bell_width =
        if count == 0 { 30.0 } else { 16.0 + width_of(&bell_text, Type::Small) + 22.0 };
    let commands_width = 16.0 + gap::S + width_of(&commands_text, Type::Small) + 2.0 * gap::M;
    let width = commands_width + bell_width + 64.0 + 2.0 * 30.0 + 4.0 * gap::XS;
    let at = Rect::from_min_size(
        pos2(room.right() - gap::M - width, room.center().y - 15.0),
        vec2(width, 30.0),
    );
    let mut bar = row_in(ui, at, "tools", gap::XS);
    let mut pressed = None;
    let quiet = |text| Button::new(text).weight(ButtonWeight::Quiet).kind(Type::Small).height(30.0);
    let button = quiet(&commands_text).icon(Icon::Search).name(&commands).width(commands_width);
    let tip = tooltip(ui.ctx(), texts, Action::Palette);
    if button.show(&mut bar, theme).on_hover_text(tip).clicked() {
        pressed = Some(TopBarClick::Act(Action::Palette));
    }
    let name = texts.counted("notices-count", count);
    let button = quiet(&bell_text).icon(Icon::Bell).name(&name).width(bell_width);
    let bell = button.selected(tray.open).show(&mut bar, theme).on_hover_text(&name);
    if bell.clicked() {
        tray.open = !tray.open;
    }
    let fresh = std::mem::take(&mut tray.fresh);
    let corner = pos2(room.right() - gap::M, room.bottom() + size::HEALTH_BAR_HEIGHT);
    let asked = notices::tray(&bell, corner, view, &mut tray.open, fresh);
    pressed = pressed.or(asked.map(TopBarClick::Tray));
    let name = texts.get("language-switch");
    let button = quiet(language).name(&name).width(64.0);
    if button.show(&mut bar, theme).on_hover_text(&*name).clicked() {
        pressed = Some(TopBarClick::Act(Action::Language));
    }
    let (icon, name) = if theme.dark {
        (Icon::Sun, texts.get("theme-to-light"))
    } else {
        (Icon::Moon, texts.get("theme-to-dark"))
    };
    if icon_button(&mut bar, theme, icon, &name, 30.0).clicked() {
        pressed = Some(TopBarClick::Act(Action::Theme));
    }
    let name = texts.get("settings");
    if icon_button(&mut bar, theme, Icon::Gear, &name, 30.0).clicked() {
        pressed = Some(TopBarClick::Act(Action::Settings));
    }
    pressed
}
