//! The bar below the frame: pause, volume, position, and the other commands for the player.

mod button;
pub(in crate::ui::watch) mod options;
pub(in crate::ui::watch) mod seek_bar;

use egui::{Align, Layout, Rect, Ui};

use crate::studio::watch::view::WatchState;
use crate::studio::{Command, WatchCommand};
use crate::ui::input::actions::{Action, key};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::text::format;
use crate::ui::view::{View, WindowRequest};
use crate::ui::watch::commands::{play_chosen, send};
use crate::ui::watch::controls::button::{added_width, control};
use crate::ui::watch::controls::seek_bar::Span;
use crate::ui::watch::draft::{Draft, PlayerLocation};
use crate::ui::widgets::{Button, ButtonWeight, at_line_end, icon_button, label, row_in, slider};

/// The width that the left part needs at most, in points: the buttons, the volume, a position, and
/// the button that returns to the live edge.
const LEFT_PART_WIDTH_POINTS: f32 = 360.0;
/// The labels of the buttons at the right while the player is in the main window. The labels of the
/// icons that are hardest to recognize are first.
const BUTTON_LABELS: [&str; 8] = [
    key!("player-audio"),
    key!("player-video"),
    key!("player-statistics"),
    key!("player-record"),
    key!("player-small"),
    key!("player-window"),
    key!("player-screenshot"),
    key!("player-full-screen"),
];

/// Draws the bar. Returns the window action that the user selected.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, rect: Rect) -> Option<Action> {
    let ui = &mut row_in(ui, rect, "controls", gap::XS);
    hold(ui, view, draft);
    loudness(ui, view);
    ui.add_space(gap::S);
    time(ui, view);
    let mut action = None;
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = gap::XS;
        let labels = labels(ui, view, draft, rect.width() - LEFT_PART_WIDTH_POINTS);
        action = at_line_end(ui, |ui| right(ui, view, draft, &labels));
    });
    action
}

/// Returns the labels for which there is room beside the icons.
fn labels(ui: &Ui, view: &View<'_>, draft: &Draft, room: f32) -> Vec<&'static str> {
    let mut all = BUTTON_LABELS.to_vec();
    if draft.place != PlayerLocation::Here {
        all.retain(|key| ![key!("player-small"), key!("player-window")].contains(key));
        all.push(key!("player-back"));
    }
    let mut rest = room - all.len() as f32 * (size::CONTROL_HEIGHT + gap::XS);
    all.retain(|key| {
        let added = added_width(ui, &view.texts.get(key));
        let fits = added <= rest;
        rest -= if fits { added } else { 0.0 };
        fits
    });
    all
}

fn hold(ui: &mut Ui, view: &mut View<'_>, draft: &Draft) {
    let (theme, texts) = (view.theme, view.texts);
    let busy = view.snapshot.watch.is_busy();
    let paused = view.snapshot.watch_figures.paused;
    let (icon, name) = match (busy, paused) {
        (true, false) => (Icon::Pause, texts.get("pause")),
        (true, true) => (Icon::Play, texts.get("go-on")),
        (false, _) => (Icon::Play, texts.get("play")),
    };
    if icon_button(ui, theme, icon, &name, size::CONTROL_HEIGHT).clicked() {
        if busy { send(view, WatchCommand::Pause(!paused)) } else { play_chosen(view, draft) }
    }
}

fn loudness(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let watch = &view.snapshot.watch_figures;
    let (icon, name) = if watch.muted {
        (Icon::SpeakerOff, texts.get("unmute-player"))
    } else {
        (Icon::Speaker, texts.get("mute-player"))
    };
    let muted = watch.muted;
    let mut volume = watch.volume;
    if icon_button(ui, theme, icon, &name, size::CONTROL_HEIGHT).clicked() {
        view.send(Command::SetPlayerMuted(!muted));
    }
    let name = texts.get("volume");
    if slider(ui, theme, &mut volume, 0.0..=1.0, 1.0, &name, 90.0).on_hover_text(&*name).changed() {
        view.send(Command::SetVolume(volume));
    }
}

/// Draws the position in a recording, the delay behind the live edge, or the latency.
fn time(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let watch = &view.snapshot.watch_figures;
    let span = Span::of(watch);
    let has_time = match view.snapshot.watch {
        WatchState::Playing | WatchState::Reconnecting { .. } => true,
        // A seek plays the recording again.
        WatchState::Ended => matches!(span, Span::Recording { .. }),
        _ => false,
    };
    if !has_time {
        return;
    }
    match span {
        Span::Recording { position, duration } => {
            let time = format!("{} / {}", format::minutes(position), format::minutes(duration));
            label(ui, &time, Type::BodyStrong, theme.text)
                .on_hover_text(&*texts.get("tip-position"));
        }
        Span::Broadcast { behind, .. } if !behind.is_zero() || watch.paused => {
            let time = format::behind(behind);
            label(ui, &time, Type::BodyStrong, theme.warn).on_hover_text(&*texts.get("tip-behind"));
            let text = texts.get("go-to-live");
            let button = Button::new(&text).small().weight(ButtonWeight::Primary).show(ui, theme);
            if button.on_hover_text(&*texts.get("tip-go-to-live")).clicked() {
                send(view, WatchCommand::GoToLive);
            }
        }
        _ => match watch.latency() {
            Some(latency) => {
                label(ui, &texts.get("live-latency"), Type::Body, theme.secondary);
                let behind = format!("−{}", format::short_time(latency));
                label(ui, &behind, Type::BodyStrong, theme.text)
                    .on_hover_text(&*texts.get("tip-latency"));
            }
            None => {
                let time = format::clock(watch.playing_for);
                label(ui, &time, Type::BodyStrong, theme.text)
                    .on_hover_text(&*texts.get("tip-playing-for"));
            }
        },
    }
}

/// Draws the right part of the bar.
fn right(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    labels: &[&'static str],
) -> Option<Action> {
    let (theme, texts) = (view.theme, view.texts);
    let mut action = None;
    let named = |key: &'static str| match labels.contains(&key) {
        true => texts.get(key).to_string(),
        false => String::new(),
    };
    let button = |ui: &mut Ui,
                  icon: Icon,
                  (word, name): (&'static str, &'static str),
                  keys: &str,
                  can: bool| {
        let (word, name) = (named(word), texts.get(name));
        let button = control(icon, &word, &name).enabled(can).show(ui, theme);
        button.on_hover_text(format!("{name} ({keys})")).clicked() && can
    };
    let busy = view.snapshot.watch.is_busy();
    let watch = &view.snapshot.watch_figures;
    match &watch.saving {
        Some(saving) => {
            let time = format::minutes(saving.time);
            let name = texts.get("watch-record-stop");
            let (path, bytes) = (saving.path.display().to_string(), format::bytes(saving.bytes));
            let args = [("path", path.into()), ("bytes", bytes.into())];
            let tip = texts.with("tip-watch-recording", &args);
            let red = theme.live;
            let button =
                Button::new(&time).icon_colored(Icon::Dot, red).weight(ButtonWeight::Live).small();
            if button.name(&name).show(ui, theme).on_hover_text(tip).clicked() {
                send(view, WatchCommand::StopSaving);
            }
        }
        None => {
            let record = (key!("player-record"), key!("watch-record"));
            if busy && !watch.live {
                let (word, name) = (named(record.0), texts.get(record.1));
                let button = control(Icon::Dot, &word, &name).enabled(false);
                button.show(ui, theme).on_hover_text(&*texts.get("tip-watch-record-not"));
            } else if button(ui, Icon::Dot, record, "R", busy) {
                view.request(WindowRequest::WatchSave);
            }
        }
    }
    let playing = view.snapshot.watch == WatchState::Playing;
    let screenshot = (key!("player-screenshot"), key!("watch-screenshot"));
    if button(ui, Icon::Screenshot, screenshot, "S", playing) {
        view.request(WindowRequest::WatchScreenshot);
    }
    options::audio_options(ui, view, &named(key!("player-audio")));
    options::view(ui, view, draft, &named(key!("player-video")));
    let (word, name) = (named(key!("player-statistics")), texts.get("statistics"));
    let figures = control(Icon::Info, &word, &name).selected(draft.figures).show(ui, theme);
    if figures.on_hover_text(format!("{name} (I)")).clicked() {
        draft.figures = !draft.figures;
    }
    let (window, small) = (key!("player-window"), (key!("player-small"), key!("small-window")));
    if draft.place == PlayerLocation::Here {
        if button(ui, Icon::External, (window, key!("own-window")), "D", true) {
            draft.place = PlayerLocation::Window;
        }
        if button(ui, Icon::PictureInPicture, small, "P", true) {
            draft.place = PlayerLocation::Small;
        }
    } else if button(ui, Icon::External, (key!("player-back"), key!("window-back")), "D", true) {
        draft.place = PlayerLocation::Here;
    }
    if button(ui, Icon::FullScreen, (key!("player-full-screen"), key!("full-screen")), "F", true) {
        action = Some(Action::FullScreen);
    }
    action
}
