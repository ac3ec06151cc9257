//! The bar at the top (name, lamp, pages, tools) and the bar at the bottom (the truth in one
//! sentence, figures, the built-in server).

use std::time::Duration;

use egui::{
    Align, Align2, Color32, CornerRadius, Layout, Rect, Role, Sense, Stroke, StrokeKind, Ui,
    UiBuilder, WidgetInfo, pos2, vec2,
};

use crate::audio::AudioChoice;
use crate::studio::Snapshot;
use crate::studio::live::view::LiveState;
use crate::studio::snapshot::SourceState;
use crate::studio::targets::TargetState;
use crate::studio::watch::view::WatchState;
use crate::ui::input::actions::{Action, key};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{BORDER, RADIUS, Theme, Type, gap};
use crate::ui::targets;
use crate::ui::text::{Language, Texts, format};
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, elided, icon_button, place};

/// So long after the start there is a rate of pictures.
const RATE_KNOWN_AFTER: Duration = Duration::from_secs(3);

/// The pages of the window.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Page {
    #[default]
    Studio,
    Watch,
}

/// The top bar; gives what was pressed.
pub fn top(ui: &mut Ui, view: &mut View<'_>, page: Page, room: Rect) -> Option<Action> {
    let theme = view.theme;
    ui.painter().hline(room.x_range(), room.bottom() - 0.5, theme.border());
    let on_air = matches!(view.snapshot.live, LiveState::OnAir);
    let dot = pos2(room.left() + gap::L + 5.0, room.center().y);
    ui.painter().circle_filled(dot, 5.0, if on_air { theme.live } else { theme.secondary });
    let name = view.texts.get("app-name");
    let name =
        place(ui, dot + vec2(13.0, 0.0), Align2::LEFT_CENTER, &name, Type::Timer, theme.text);

    let lamps = Rect::from_min_max(pos2(name.right() + gap::XL, room.top()), room.max);
    let mut lamp = ui.new_child(
        UiBuilder::new()
            .max_rect(lamps)
            .layout(Layout::left_to_right(Align::Center))
            .id_salt("lamps"),
    );
    lamp.spacing_mut().item_spacing.x = gap::S;
    on_air_lamp(&mut lamp, view);

    let mut pressed = None;
    let tabs =
        [(Page::Studio, Action::Studio, "tab-studio"), (Page::Watch, Action::Watch, "tab-watch")];
    let widths: Vec<f32> = tabs
        .iter()
        .map(|(_, _, key)| {
            let text = view.texts.get(key).to_string();
            let galley = ui.painter().layout_no_wrap(text, Type::BodyStrong.font(), theme.text);
            galley.size().x + 28.0
        })
        .collect();
    let total: f32 = widths.iter().sum::<f32>() + gap::XS;
    // In the middle of the window, unless the lamps reach that far.
    let left = (room.center().x - total / 2.0).max(lamp.min_rect().right() + gap::XL);
    let place = Rect::from_min_size(pos2(left, room.center().y - 15.0), vec2(total, 30.0));
    let mut bar = ui.new_child(
        UiBuilder::new()
            .max_rect(place)
            .layout(Layout::left_to_right(Align::Center))
            .id_salt("tabs"),
    );
    bar.spacing_mut().item_spacing.x = gap::XS;
    for ((tab, action, key), width) in tabs.into_iter().zip(widths) {
        let text = view.texts.get(key);
        let button = Button::new(&text).look(ButtonWeight::Quiet).height(30.0).width(width);
        if button.selected(page == tab).show(&mut bar, theme).clicked() {
            pressed = Some(action);
        }
    }
    pressed.or(tools(ui, view, room))
}

fn tools(ui: &mut Ui, view: &View<'_>, room: Rect) -> Option<Action> {
    let (theme, texts) = (view.theme, view.texts);
    let language = match texts.language() {
        Language::English => "EN / 中",
        Language::Chinese => "中 / EN",
    };
    let width = 64.0 + 2.0 * 30.0 + 2.0 * 6.0;
    let at = Rect::from_min_size(
        pos2(room.right() - gap::L - width, room.center().y - 15.0),
        vec2(width, 30.0),
    );
    let mut bar = ui.new_child(
        UiBuilder::new().max_rect(at).layout(Layout::left_to_right(Align::Center)).id_salt("tools"),
    );
    bar.spacing_mut().item_spacing.x = 6.0;
    let mut pressed = None;
    let name = texts.get("language-switch");
    let button = Button::new(language).name(&name).kind(Type::Small).height(30.0).width(64.0);
    if button.show(&mut bar, theme).on_hover_text(&*name).clicked() {
        pressed = Some(Action::Language);
    }
    let (icon, name) = if theme.dark {
        (Icon::Sun, texts.get("theme-to-light"))
    } else {
        (Icon::Moon, texts.get("theme-to-dark"))
    };
    if icon_button(&mut bar, theme, icon, &name, 30.0, ButtonWeight::Plain).clicked() {
        pressed = Some(Action::Theme);
    }
    let name = texts.get("settings");
    if icon_button(&mut bar, theme, Icon::Settings, &name, 30.0, ButtonWeight::Plain).clicked() {
        pressed = Some(Action::Settings);
    }
    pressed
}

/// What the lamp says, with its colours and whether a time stands beside it.
fn lamp_of<'a>(view: &'a View<'_>) -> Option<(std::sync::Arc<str>, Color32, Color32, bool)> {
    let theme: &'a Theme = view.theme;
    match view.snapshot.live {
        LiveState::Idle => None,
        LiveState::Connecting { .. } => {
            Some((view.texts.get("connecting"), theme.accent, theme.raised, false))
        }
        LiveState::OnAir => Some((view.texts.get("on-air"), theme.live, theme.live_tint, true)),
        LiveState::Reconnecting { .. } if !view.snapshot.figures.was_live() => {
            Some((view.texts.get("trying"), theme.warn, theme.warn_tint, false))
        }
        LiveState::Reconnecting { .. } => {
            Some((view.texts.get("reconnecting"), theme.warn, theme.warn_tint, true))
        }
        LiveState::Stopping => {
            Some((view.texts.get("stopping"), theme.secondary, theme.raised, true))
        }
    }
}

fn on_air_lamp(ui: &mut Ui, view: &View<'_>) {
    if let Some((word, color, fill, timed)) = lamp_of(view) {
        let time = timed.then(|| format::clock(view.snapshot.figures.on_air_for));
        let response = lamp(ui, view.theme, &word, time.as_deref(), color, fill);
        response.on_hover_text(&*view.texts.get("tip-on-air-time"));
    }
    if let Some(recording) = &view.snapshot.recording {
        let time = format::clock(recording.duration);
        let only = view.snapshot.live == LiveState::Idle;
        let word = view.texts.get("recording-indicator");
        lamp(ui, view.theme, &word, only.then_some(&*time), view.theme.live, view.theme.panel);
    }
}

fn lamp(
    ui: &mut Ui,
    theme: &Theme,
    word: &str,
    time: Option<&str>,
    color: Color32,
    fill: Color32,
) -> egui::Response {
    let font = crate::ui::style::theme::Weight::Bold.family();
    let word_galley =
        ui.painter().layout_no_wrap(word.to_owned(), egui::FontId::new(14.0, font), color);
    let time_galley = time
        .map(|time| ui.painter().layout_no_wrap(time.to_owned(), Type::Timer.font(), theme.text));
    let time_width = time_galley.as_ref().map_or(0.0, |galley| galley.size().x + 10.0);
    let width = 10.0 + 12.0 + 5.0 + word_galley.size().x + time_width + 12.0;
    let (rect, response) = ui.allocate_exact_size(vec2(width, 28.0), Sense::hover());
    response.widget_info(|| {
        WidgetInfo::labeled(Role::Status, true, format!("{word} {}", time.unwrap_or("")))
    });
    let stroke = Stroke::new(BORDER, color);
    ui.painter().rect(rect, CornerRadius::same(RADIUS), fill, stroke, StrokeKind::Inside);
    ui.painter().circle_filled(pos2(rect.left() + 16.0, rect.center().y), 5.0, color);
    let at = pos2(rect.left() + 27.0, rect.center().y - word_galley.size().y / 2.0);
    let end = at.x + word_galley.size().x;
    ui.painter().galley(at, word_galley, color);
    if let Some(galley) = time_galley {
        let at = pos2(end + 10.0, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, theme.text);
    }
    response
}

/// Whether far fewer pictures go out than are wanted, also than half of them, as a slow connection may have.
fn crawls(snapshot: &Snapshot) -> bool {
    let live = &snapshot.figures;
    live.on_air_for > RATE_KNOWN_AFTER && live.fps < 0.4 * snapshot.quality.frame_rate.as_f64()
}

/// The truth in one sentence: how it stands, and the colour of its lamp.
pub fn sentence(theme: &Theme, texts: &Texts, snapshot: &Snapshot) -> (String, Color32) {
    let plain = |key: &'static str| texts.get(key).to_string();
    let audible = snapshot.audio.as_ref().filter(|audio| audio.choice != AudioChoice::None);
    let picture = snapshot.video.as_ref().map(|video| video.state);
    let live = &snapshot.figures;
    let recording = snapshot.recording.is_some();
    match &snapshot.live {
        LiveState::Idle if snapshot.recording.as_ref().is_some_and(|it| it.paused) => {
            (plain(key!("status-recording-paused")), theme.warn)
        }
        LiveState::Idle if recording => (plain(key!("status-recording")), theme.live),
        LiveState::Idle if snapshot.passthrough.is_some() => {
            let said = snapshot
                .passthrough
                .as_ref()
                .map(|passthrough| crate::ui::targets::passthrough::sentence(texts, passthrough));
            (said.unwrap_or_default(), theme.accent)
        }
        LiveState::Idle if snapshot.video.is_none() => (plain(key!("status-no-video")), theme.warn),
        LiveState::Idle => (plain(key!("status-ready")), theme.good),
        LiveState::Connecting { .. } => {
            let held = crate::ui::targets::stream_delay::sentence(texts, snapshot);
            (held.unwrap_or_else(|| plain(key!("status-connecting"))), theme.accent)
        }
        LiveState::Reconnecting { .. } if !live.was_live() => {
            (plain(key!("status-trying")), theme.warn)
        }
        LiveState::Reconnecting { .. } if recording => {
            (plain(key!("status-reconnecting-recording")), theme.warn)
        }
        LiveState::Reconnecting { .. } => (plain(key!("status-reconnecting")), theme.warn),
        LiveState::Stopping => (plain(key!("status-stopping")), theme.secondary),
        LiveState::OnAir => {
            // A target that is only on its way at first is no trouble yet.
            let missed = snapshot.targets.iter().find(|entry| {
                let trouble = entry.cause.is_some() || entry.state == Some(TargetState::Failed);
                entry.target.enabled && entry.state != Some(TargetState::Live) && trouble
            });
            if let Some(missed) = missed {
                let name = targets::title(texts, &missed.target);
                return (texts.with("status-partly", &[("name", name.into())]), theme.warn);
            }
            let troubled = snapshot.targets.iter().find_map(|entry| {
                let monitor = entry.monitor.as_ref().filter(|it| targets::is_trouble(it))?;
                Some((entry, monitor))
            });
            if let Some((entry, monitor)) = troubled {
                let name = targets::title(texts, &entry.target);
                let what = texts.get(targets::viewers_words(monitor.state)).to_string();
                let args = [("name", name.into()), ("what", what.into())];
                return (texts.with("status-viewers", &args), theme.warn);
            }
            let dropped = 100.0 * live.dropped_frames as f64 / (live.total_frames as f64).max(1.0);
            if dropped > 1.0 {
                let percent = format!("{dropped:.1}");
                let text = texts.with("status-dropping", &[("percent", percent.into())]);
                (text, theme.warn)
            } else if live.queued.as_millis() > 500 {
                let time = format::short_time(live.queued);
                (texts.with("status-queue", &[("time", time.into())]), theme.warn)
            } else if let Some(passthrough) = &snapshot.passthrough {
                (crate::ui::targets::passthrough::sentence(texts, passthrough), theme.good)
            } else if matches!(
                picture,
                Some(SourceState::Stalled | SourceState::Lost | SourceState::Failed)
            ) {
                (plain(key!("status-stalled")), theme.warn)
            } else if picture.is_some() && crawls(snapshot) {
                let fps = format!("{:.0}", live.fps);
                (texts.with("status-too-slow", &[("fps", fps.into())]), theme.warn)
            } else if audible.is_some_and(|audio| audio.muted) {
                (plain(key!("status-muted")), theme.warn)
            } else if audible.is_some_and(|audio| {
                matches!(audio.choice, AudioChoice::Mic(_)) && audio.held_dbfs <= -59.0
            }) {
                (plain(key!("status-silent")), theme.warn)
            } else if let Some(held) = crate::ui::targets::stream_delay::sentence(texts, snapshot) {
                (held, theme.good)
            } else {
                let seen = snapshot.targets.iter().filter_map(|entry| entry.monitor.as_ref());
                let behind = seen.filter(|it| it.state == "ok").filter_map(|it| it.latency).max();
                match behind.map(format::short_time) {
                    Some(time) => {
                        let text = texts.with("status-on-air-seen", &[("time", time.into())]);
                        (text, theme.good)
                    }
                    None => (plain(key!("status-on-air")), theme.good),
                }
            }
        }
    }
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

/// The bottom bar; tells whether its sentence was pressed.
pub fn status(ui: &mut Ui, view: &View<'_>, page: Page, room: Rect) -> bool {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    ui.painter().hline(room.x_range(), room.top() + 0.5, theme.border());
    let (text, color) = match page {
        // What is wrong with one's own broadcast comes first.
        Page::Watch => {
            let own = sentence(theme, texts, snapshot);
            let calm = match snapshot.watch {
                WatchState::Idle => snapshot.live == LiveState::Idle,
                _ => snapshot.live == LiveState::Idle || own.1 == theme.good,
            };
            if calm { watch_sentence(theme, texts, snapshot) } else { own }
        }
        _ => sentence(theme, texts, snapshot),
    };
    let y = room.center().y;
    ui.painter().circle_filled(pos2(room.left() + gap::L + 4.0, y), 4.0, color);
    let at = pos2(room.left() + gap::L + 18.0, y);
    let words = place(ui, at, Align2::LEFT_CENTER, &text, Type::SmallStrong, theme.text);
    let said = ui.interact(words, ui.scope_id().with("sentence"), Sense::click());
    said.widget_info(|| WidgetInfo::labeled(Role::Status, true, &text));
    let pressed = said.on_hover_text(&*texts.get("tip-event-log")).clicked();
    let mut x = words.right() + 10.0;
    let mut facts: Vec<(String, &'static str)> = Vec::new();
    if page == Page::Watch {
        if let Some(first) = snapshot.watch_figures.first_frame {
            let time = format::short_time(first);
            facts.push((
                texts.with("status-first-frame", &[("time", time.into())]),
                key!("tip-first-frame"),
            ));
            let figures = &snapshot.watch_figures;
            // One that also ran dry is one.
            let count = figures.underruns.max(figures.losses.into());
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            facts.push((texts.counted("status-interruptions", count), key!("tip-interruptions")));
        }
    } else if snapshot.live != LiveState::Idle || snapshot.recording.is_some() {
        let fps = format!("{:.1}", snapshot.figures.fps);
        facts.push((texts.with("fps", &[("value", fps.into())]), key!("tip-fps")));
    }
    facts.push((format!("CPU {:.0}\u{a0}%", f64::from(snapshot.cpu) * 100.0), key!("tip-cpu")));
    facts.push((format::bytes(snapshot.rss_bytes), key!("tip-memory")));
    for (index, (fact, tip)) in facts.into_iter().enumerate() {
        let words = if index == 0 { fact.clone() } else { format!("· {fact}") };
        let rect = place(ui, pos2(x, y), Align2::LEFT_CENTER, &words, Type::Small, theme.secondary);
        let told = ui.interact(rect, ui.scope_id().with(("fact", index)), Sense::hover());
        told.widget_info(|| WidgetInfo::labeled(Role::Label, true, &fact));
        told.on_hover_text(&*texts.get(tip));
        x = rect.right() + 5.0;
    }
    server(ui, view, room, x);
    pressed
}

fn server(ui: &Ui, view: &View<'_>, room: Rect, left: f32) {
    let server = &view.snapshot.server;
    if server.play_url.is_empty() {
        return;
    }
    let viewers = view.texts.counted("viewers", server.viewers);
    let args = [("viewers", viewers.into()), ("url", server.play_url.as_str().into())];
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
