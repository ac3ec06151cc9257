//! The big button through all its states, and the button that records.

use egui::{Ui, vec2};

use crate::studio::Command;
use crate::studio::live::view::LiveState;
use crate::ui::input::actions::{Action, key};
use crate::ui::input::hotkeys::{shortcut_text, tooltip};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{RADIUS_LARGE, Type, gap, size};
use crate::ui::targets::stage::stage_key;
use crate::ui::text::format;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, ButtonWeight, icon_button};

/// What was pressed here that a screen must answer.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// Go live, if the target allows it.
    GoLive,
    /// Stop, after asking.
    Stop,
}

/// How high [`show`] is.
pub const HEIGHT: f32 = size::GO_LIVE + gap::S + size::RECORD;

/// Both buttons.
pub fn show(ui: &mut Ui, view: &mut View<'_>) -> Option<Pressed> {
    ui.spacing_mut().item_spacing.y = gap::S;
    let pressed = big(ui, view);
    let reconnecting = matches!(view.snapshot.live, LiveState::Reconnecting { .. });
    let mut stop = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        if reconnecting {
            let width = (ui.available_width() - gap::S) / 2.0 - 22.0;
            let text = view.texts.get("stop");
            let button =
                Button::new(&text).look(ButtonWeight::Live).height(size::RECORD).width(width);
            if button.radius(RADIUS_LARGE).show(ui, view.theme).clicked() {
                stop = Some(Pressed::Stop);
            }
        }
        record(ui, view);
    });
    pressed.or(stop)
}

fn big(ui: &mut Ui, view: &mut View<'_>) -> Option<Pressed> {
    let (theme, texts) = (view.theme, view.texts);
    let width = ui.available_width();
    let tip = tooltip(ui.ctx(), texts, Action::GoLive);
    let base = |text| {
        Button::new(text).height(size::GO_LIVE).width(width).radius(RADIUS_LARGE).kind(Type::Big)
    };
    match &view.snapshot.live {
        LiveState::Idle => {
            let text = texts.get("go-live");
            let response =
                base(&text).look(ButtonWeight::Primary).show(ui, theme).on_hover_text(tip);
            response.clicked().then_some(Pressed::GoLive)
        }
        LiveState::Connecting { stage } => {
            let text = texts.get("connecting-to");
            let second =
                format!("{} · {}", texts.get(stage_key(stage)), texts.get("cancel-connecting"));
            let response = base(&text).kind(Type::Title).second(&second).show(ui, theme);
            if response.clicked() {
                view.send(Command::StopLive);
            }
            None
        }
        LiveState::OnAir => {
            let text = texts.get("stop");
            let response = base(&text).look(ButtonWeight::Live).show(ui, theme).on_hover_text(tip);
            response.clicked().then_some(Pressed::Stop)
        }
        LiveState::Reconnecting { retry_in, .. } => {
            let seconds = format::countdown(*retry_in);
            let (now, soon) = if view.snapshot.figures.was_live() {
                (key!("reconnecting-now"), key!("reconnecting-in"))
            } else {
                (key!("trying-now"), key!("trying-in"))
            };
            let text = if seconds == 0 {
                texts.get(now).to_string()
            } else {
                texts.with(soon, &[("count", seconds.to_string().into())])
            };
            let second = texts.get("retry-now");
            let response = base(&text)
                .kind(Type::BodyStrong)
                .second(&second)
                .look(ButtonWeight::Warn)
                .show(ui, theme);
            if response.clicked() {
                view.send(Command::RetryNow);
            }
            None
        }
        LiveState::Stopping => {
            let text = texts.get("stopping-button");
            base(&text).enabled(false).show(ui, theme);
            None
        }
    }
}

/// The buttons beside the one that records, and how many there is room for.
const BUTTONS_WIDTH: f32 = size::RECORD + gap::S;
/// The button that records is no narrower than this beside others.
const NARROWEST: f32 = 92.0;

fn record(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let snapshot = view.snapshot;
    let recording = snapshot.recording.as_ref();
    let paused = recording.is_some_and(|recording| recording.paused);
    let mut beside: Vec<(Icon, &str, Option<Action>, Beside)> = Vec::new();
    if recording.is_some() {
        let (icon, name, command) = if paused {
            (Icon::Play, key!("resume-recording"), Command::ResumeRecording)
        } else {
            (Icon::Pause, key!("pause-recording"), Command::PauseRecording)
        };
        beside.push((icon, name, Some(Action::PauseRecording), Beside::Send(command)));
        let chapter = Beside::Send(Command::Chapter(String::new()));
        beside.push((Icon::Flag, key!("set-chapter"), Some(Action::Chapter), chapter));
    }
    if snapshot.replay.is_some() {
        let wish = Beside::Wish(WindowRequest::SaveReplay);
        beside.push((Icon::Replay, key!("save-replay"), Some(Action::SaveReplay), wish));
    }
    if snapshot.video.is_some() {
        let wish = Beside::Wish(WindowRequest::Snapshot);
        beside.push((Icon::Picture, key!("take-screenshot"), Some(Action::Snapshot), wish));
    }
    if recording.is_none() {
        let wish = Beside::Wish(WindowRequest::PickRecordingFolder);
        beside.push((Icon::Folder, key!("choose-folder"), None, wish));
    }
    // What there is no room for is in the palette and on the keyboard.
    let room = ((ui.available_width() - NARROWEST) / BUTTONS_WIDTH).max(0.0) as usize;
    beside.truncate(room);
    let width = ui.available_width() - BUTTONS_WIDTH * beside.len() as f32;
    match recording {
        Some(recording) => stop_recording(ui, view, recording, width),
        None => {
            let text = texts.get("record");
            let response = Button::new(&text)
                .icon_colored(Icon::Dot, theme.secondary)
                .height(size::RECORD)
                .width(width)
                .radius(RADIUS_LARGE)
                .show(ui, theme)
                .on_hover_text(tooltip(ui.ctx(), texts, Action::Record));
            if response.clicked() {
                view.wish(WindowRequest::Record);
            }
        }
    }
    for (icon, name, action, does) in beside {
        ui.allocate_ui(vec2(size::RECORD, size::RECORD), |ui| {
            let name = texts.get(name);
            let shortcut = action.and_then(|action| shortcut_text(ui.ctx(), action));
            let tip = shortcut.map_or_else(|| name.to_string(), |keys| format!("{name} ({keys})"));
            if icon_button(ui, theme, icon, &tip, size::RECORD, ButtonWeight::Plain).clicked() {
                match does {
                    Beside::Send(command) => view.send(command),
                    Beside::Wish(wish) => view.wish(wish),
                }
            }
        });
    }
}

/// What a button beside the one that records does.
enum Beside {
    Send(Command),
    Wish(WindowRequest),
}

fn stop_recording(
    ui: &mut Ui,
    view: &mut View<'_>,
    recording: &crate::studio::snapshot::RecordingFigures,
    width: f32,
) {
    let (theme, texts) = (view.theme, view.texts);
    let mut time = format::clock(recording.duration);
    if width < 120.0 && time.starts_with("00:") {
        time.drain(..3);
    }
    // Beside other buttons there is room for the time only.
    let text = match (recording.paused, width < 200.0) {
        (_, true) => time,
        (true, false) => texts.with("recording-paused", &[("time", time.into())]),
        (false, false) => texts.with("recording", &[("time", time.into())]),
    };
    let path = recording.path.display().to_string();
    let tip = texts.with(
        "tip-recording",
        &[("path", path.into()), ("bytes", format::bytes(recording.bytes).into())],
    );
    let name = texts.get("stop-recording");
    let (icon, color) =
        if recording.paused { (Icon::Pause, theme.warn) } else { (Icon::Dot, theme.live) };
    let response = Button::new(&text)
        .name(&name)
        .icon_colored(icon, color)
        .height(size::RECORD)
        .width(width)
        .radius(RADIUS_LARGE)
        .show(ui, theme)
        .on_hover_text(format!("{name}\n{tip}"));
    if response.clicked() {
        view.send(Command::StopRecording);
    }
}
