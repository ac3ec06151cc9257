//! The top bar (name, pages, commands, notices, tools) and the status bar at the bottom (figures,
//! the built-in server).

use egui::{
    Align, Align2, Color32, Layout, Rect, Role, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::studio::Snapshot;
use crate::studio::live::view::LiveState;
use crate::studio::watch::view::WatchState;
use crate::ui::input::actions::{Action, key};
use crate::ui::input::hotkeys::{shortcut_text, tooltip};
use crate::ui::notices::{self, TrayRequest};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Theme, Type, gap, size};
use crate::ui::text::{Language, Texts, format};
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, elided, icon_button, place};

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
pub enum Pressed {
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
) -> Option<Pressed> {
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
    let mut bar = ui.new_child(
        UiBuilder::new()
            .max_rect(left.with_max_y(left.top() + 30.0))
            .layout(Layout::left_to_right(Align::Center))
            .id_salt("tabs"),
    );
    bar.spacing_mut().item_spacing.x = 2.0;
    for (tab, action, key) in tabs {
        let text = view.texts.get(key);
        let button = Button::new(&text).look(ButtonWeight::Quiet).height(30.0);
        let tip = tooltip(ui.ctx(), view.texts, action);
        if button.selected(page == tab).show(&mut bar, theme).on_hover_text(tip).clicked() {
            pressed = Some(Pressed::Act(action));
        }
    }
    pressed.or(tools(ui, view, tray, room))
}

fn tools(ui: &mut Ui, view: &View<'_>, tray: &mut TrayState, room: Rect) -> Option<Pressed> {
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
    let mut bar = ui.new_child(
        UiBuilder::new().max_rect(at).layout(Layout::left_to_right(Align::Center)).id_salt("tools"),
    );
    bar.spacing_mut().item_spacing.x = gap::XS;
    let mut pressed = None;
    let quiet = |text| Button::new(text).look(ButtonWeight::Quiet).kind(Type::Small).height(30.0);
    let button = quiet(&commands_text).icon(Icon::Search).name(&commands).width(commands_width);
    let tip = tooltip(ui.ctx(), texts, Action::Palette);
    if button.show(&mut bar, theme).on_hover_text(tip).clicked() {
        pressed = Some(Pressed::Act(Action::Palette));
    }
    let name = texts.counted("notices-count", count);
    let button = quiet(&bell_text).icon(Icon::Bell).name(&name).width(bell_width);
    let bell = button.selected(tray.open).show(&mut bar, theme).on_hover_text(&name);
    if bell.clicked() {
        tray.open = !tray.open;
    }
    let fresh = std::mem::take(&mut tray.fresh);
    let corner = pos2(room.right() - gap::M, room.bottom() + size::HEALTH_BAR);
    let asked = notices::tray(&bell, corner, view, &mut tray.open, fresh);
    pressed = pressed.or(asked.map(Pressed::Tray));
    let name = texts.get("language-switch");
    let button = Button::new(language).name(&name).kind(Type::Small).height(30.0).width(64.0);
    if button.show(&mut bar, theme).on_hover_text(&*name).clicked() {
        pressed = Some(Pressed::Act(Action::Language));
    }
    let (icon, name) = if theme.dark {
        (Icon::Sun, texts.get("theme-to-light"))
    } else {
        (Icon::Moon, texts.get("theme-to-dark"))
    };
    if icon_button(&mut bar, theme, icon, &name, 30.0, ButtonWeight::Quiet).clicked() {
        pressed = Some(Pressed::Act(Action::Theme));
    }
    let name = texts.get("settings");
    if icon_button(&mut bar, theme, Icon::Gear, &name, 30.0, ButtonWeight::Quiet).clicked() {
        pressed = Some(Pressed::Act(Action::Settings));
    }
    pressed
}

fn watch_sentence(theme: &Theme, texts: &Texts, snapshot: &Snapshot) -> (String, Color32) {
    let (key, color) = match &snapshot.watch {
        WatchState::Idle => (key!("status-watch-idle"), theme.secondary),
        WatchState::Opening { .. } => (key!("status-watch-opening"), theme.accent),
        WatchState::Playing => (key!("status-watch-playing"), theme.good),
        WatchState::Reconnecting { .. } => (key!("status-watch-reconnecting"), theme.warn),
        WatchState::Ended => (key!("status-watch-ended"), theme.secondary),
        WatchState::Failed { .. } => (key!("status-watch-failed"), theme.warn),
    };
    (texts.get(key).to_string(), color)
}

/// Draws the status bar: the figures, and on the *Watch* page the state of the player.
pub fn status(ui: &mut Ui, view: &View<'_>, page: Page, room: Rect) {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    ui.painter().hline(room.x_range(), room.top() + 0.5, theme.border());
    let y = room.center().y;
    let mut x = room.left() + gap::L;
    let mut facts: Vec<(String, &'static str)> = Vec::new();
    if page == Page::Watch {
        let (text, color) = watch_sentence(theme, texts, snapshot);
        ui.painter().circle_filled(pos2(x + 4.0, y), 4.0, color);
        let at = pos2(x + 18.0, y);
        let words = place(ui, at, Align2::LEFT_CENTER, &text, Type::SmallStrong, theme.text);
        let said = ui.interact(words, ui.scope_id().with("player-sentence"), Sense::hover());
        said.widget_info(|| WidgetInfo::labeled(Role::Status, true, &text));
        x = words.right() + gap::L;
        if let Some(first) = snapshot.watch_figures.first_frame {
            let time = format::short_time(first);
            facts.push((
                texts.with("status-first-frame", &[("time", time.into())]),
                key!("tip-first-frame"),
            ));
            let figures = &snapshot.watch_figures;
            // A lost connection that also emptied the buffer counts as one interruption.
            let count = figures.underruns.max(figures.losses.into());
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            facts.push((texts.counted("status-interruptions", count), key!("tip-interruptions")));
        }
    } else if snapshot.live != LiveState::Idle || snapshot.recording.is_some() {
        let fps = format!("{:.1}", snapshot.figures.fps);
        facts.push((texts.with("fps", &[("value", fps.into())]), key!("tip-fps")));
        let dropped = format::grouped(snapshot.figures.dropped_frames);
        let dropped = texts.with("status-dropped", &[("count", dropped.into())]);
        facts.push((dropped, key!("tip-dropped")));
    }
    facts.push((format!("CPU {:.0}\u{a0}%", f64::from(snapshot.cpu) * 100.0), key!("tip-cpu")));
    facts.push((format::bytes(snapshot.rss_bytes), key!("tip-memory")));
    for (index, (fact, tip)) in facts.into_iter().enumerate() {
        let rect = place(ui, pos2(x, y), Align2::LEFT_CENTER, &fact, Type::Small, theme.secondary);
        let told = ui.interact(rect, ui.scope_id().with(("fact", index)), Sense::hover());
        told.widget_info(|| WidgetInfo::labeled(Role::Label, true, &fact));
        told.on_hover_text(&*texts.get(tip));
        x = rect.right() + gap::L;
    }
    server(ui, view, room, x);
}

fn server(ui: &Ui, view: &View<'_>, room: Rect, left: f32) {
    let server = &view.snapshot.server;
    let on = view.snapshot.targets.iter().any(|it| it.target.is_built_in() && it.target.enabled);
    if server.play_url.is_empty() || !(on || server.viewers > 0) {
        return;
    }
    let viewers = view.texts.counted("viewers", server.viewers);
    let args = [("viewers", viewers.into()), ("url", server.shown_url().into())];
    let text = view.texts.with("builtin-server", &args);
    let rect = Rect::from_min_max(
        pos2(left + gap::XL, room.top()),
        pos2(room.right() - gap::L, room.bottom()),
    );
    let color = view.theme.secondary;
    let painted = elided(ui, rect, Align::Max, &text, Type::Small.font(), color);
    ui.interact(painted, ui.scope_id().with("server"), Sense::hover())
        .on_hover_text(&*view.texts.get("tip-viewers"));
}
