//! The *Go Live* button in all its states, and the record button.

use egui::{Ui, UiBuilder};

use crate::studio::Command;
use crate::studio::live::view::LiveState;
use crate::studio::notices::health::Activity;
use crate::ui::input::actions::{Action, key};
use crate::ui::input::hotkeys::{shortcut_text, tooltip};
use crate::ui::input::possible::ImpossibleReason;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CARD_RADIUS, Type, gap, size};
use crate::ui::targets::passthrough;
use crate::ui::targets::stage::stage_key;
use crate::ui::text::format;
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, ButtonWeight};

/// The width of a button beside the record button, with the gap before it.
const SIDE_BUTTON_WIDTH: f32 = size::RECORD_BUTTON_HEIGHT + gap::S;
/// The width in points from which there is room for the chapter button.
const MIN_WIDTH_WITH_CHAPTER: f32 = 320.0;
/// The width of the record button in points below which its text is smaller.
const NARROW_RECORD_WIDTH: f32 = 120.0;
/// The width of a button in points that its text cannot use if it has an icon.
const ICON_AND_MARGINS_WIDTH: f32 = 16.0 + gap::S + 2.0 * gap::XS;
/// The height of [`show`], in points.
pub const BUTTONS_HEIGHT_POINTS: f32 =
    size::GO_LIVE_BUTTON_HEIGHT + gap::S + size::RECORD_BUTTON_HEIGHT;

/// Draws the *Go Live* button, and below it the record button with the buttons beside it. Returns
/// the action that the user selected.
pub fn show(ui: &mut Ui, view: &mut View<'_>) -> Option<Action> {
    ui.spacing_mut().item_spacing.y = gap::S;
    let pressed = big(ui, view);
    let beside = ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        record(ui, view)
    });
    pressed.or(beside.inner)
}

/// Draws the button that goes live or stops, at the same position in all states.
fn big(ui: &mut Ui, view: &mut View<'_>) -> Option<Action> {
    let (theme, texts) = (view.theme, view.texts);
    let width = ui.available_width();
    let tip = tooltip(ui.ctx(), texts, Action::GoLive);
    let base = |text| {
        Button::new(text)
            .height(size::GO_LIVE_BUTTON_HEIGHT)
            .width(width)
            .radius(CARD_RADIUS)
            .kind(Type::Big)
    };
    if view.snapshot.is_starting() {
        let cancel = texts.get("cancel-connecting");
        let stage = match &view.snapshot.live {
            LiveState::Connecting { stage } => Some(stage_key(stage)),
            LiveState::Idle if view.snapshot.keys_pending => Some(key!("stage-keys")),
            _ => None,
        };
        let (text, second) = match (view.snapshot.opening_file(), stage) {
            (Some(file), _) => (passthrough::sentence(texts, file), cancel.to_string()),
            (None, Some(stage)) => {
                let stage = texts.get(stage);
                (texts.get("connecting-to").to_string(), format!("{stage} · {cancel}"))
            }
            (None, None) => (texts.get("connecting-to").to_string(), cancel.to_string()),
        };
        if base(&text).kind(Type::Title).second(&second).show(ui, theme).clicked() {
            view.send(Command::StopLive);
        }
        return None;
    }
    let pressed = match &view.snapshot.live {
        LiveState::Idle => {
            let text = texts.get("go-live");
            let button = match view.health.activity {
                // A click on the button still works, and shows the missing values.
                Activity::NotReady => base(&text).weight(ButtonWeight::Raised),
                _ => base(&text).weight(ButtonWeight::Primary),
            };
            button.show(ui, theme).on_hover_text(tip).clicked()
        }
        LiveState::Stopping => {
            let text = texts.get("stopping-button");
            base(&text).enabled(false).show(ui, theme);
            false
        }
        _ => {
            let text = texts.get("stop");
            base(&text).weight(ButtonWeight::Live).show(ui, theme).on_hover_text(tip).clicked()
        }
    };
    pressed.then_some(Action::GoLive)
}

/// A button beside the record button.
struct SideButton {
    icon: Icon,
    name: &'static str,
    action: Action,
}

fn record(ui: &mut Ui, view: &mut View<'_>) -> Option<Action> {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    let recording = snapshot.recording.as_ref();
    let mut beside: Vec<SideButton> = Vec::new();
    if let Some(recording) = recording {
        let (icon, name) = if recording.paused {
            (Icon::Play, key!("resume-recording"))
        } else {
            (Icon::Pause, key!("pause-recording"))
        };
        beside.push(SideButton { icon, name, action: Action::PauseRecording });
        // If there is no room for this button, the command palette and the hotkey still offer its
        // command.
        if ui.available_width() > MIN_WIDTH_WITH_CHAPTER {
            let (icon, name) = (Icon::Flag, key!("set-chapter"));
            beside.push(SideButton { icon, name, action: Action::Chapter });
        }
    }
    let (icon, name) = (Icon::Replay, key!("save-replay"));
    beside.push(SideButton { icon, name, action: Action::SaveReplay });
    let (icon, name) = (Icon::Screenshot, key!("take-screenshot"));
    beside.push(SideButton { icon, name, action: Action::Screenshot });
    if ui.available_width() > MIN_WIDTH_WITH_CHAPTER {
        let name = match snapshot.virtual_camera.is_on() {
            true => key!("stop-virtual-camera"),
            false => key!("start-virtual-camera"),
        };
        beside.push(SideButton { icon: Icon::Camera, name, action: Action::VirtualCamera });
    }
    let width = ui.available_width() - SIDE_BUTTON_WIDTH * beside.len() as f32;
    let mut asked = None;
    match recording {
        Some(recording) => stop_recording(ui, view, recording, width),
        None => {
            let text = texts.get("record");
            let response = Button::new(&text)
                .icon_colored(Icon::Dot, theme.secondary)
                .height(size::RECORD_BUTTON_HEIGHT)
                .width(width)
                .radius(CARD_RADIUS)
                .show(ui, theme)
                .on_hover_text(tooltip(ui.ctx(), texts, Action::Record));
            if response.clicked() {
                view.request(WindowRequest::Record);
            }
        }
    }
    for SideButton { icon, name, action } in beside {
        let off = action.why_not(snapshot, view.health);
        let name = texts.get(name);
        let keys = shortcut_text(ui.ctx(), action);
        let name = keys.map_or_else(|| name.to_string(), |keys| format!("{name} ({keys})"));
        // Without a buffer, the button leads to its setting.
        let sets_up = off == Some(ImpossibleReason::ReplayOff);
        let button = Button::new("").icon(icon).name(&name).enabled(off.is_none() || sets_up);
        let button = button
            .height(size::RECORD_BUTTON_HEIGHT)
            .width(size::RECORD_BUTTON_HEIGHT)
            .radius(CARD_RADIUS);
        // A button keeps the keyboard focus when others appear beside it.
        let own = UiBuilder::new().scope_id(ui.scope_id().with(action.name()));
        let response = ui.scope_builder(own, |ui| button.show(ui, theme)).inner;
        let tip = off.map_or(name.clone(), |off| off.say(texts));
        let clicked = response.on_hover_text(tip).clicked();
        if clicked && sets_up {
            view.request(WindowRequest::ShowReplaySetting);
        } else if clicked && off.is_none() {
            asked = Some(action);
        }
    }
    asked
}

fn stop_recording(
    ui: &mut Ui,
    view: &mut View<'_>,
    recording: &crate::studio::snapshot::RecordingFigures,
    width: f32,
) {
    let (theme, texts) = (view.theme, view.texts);
    let mut time = format::clock(recording.duration);
    if width < 200.0 && time.starts_with("00:") {
        time.drain(..3);
    }
    let text = match (recording.paused, width) {
        (true, _) => texts.with("recording-paused", &[("time", time.into())]),
        (false, ..200.0) => texts.with("recording-short", &[("time", time.into())]),
        (false, _) => texts.with("recording", &[("time", time.into())]),
    };
    let path = recording.path.display().to_string();
    let bytes = format::bytes(recording.bytes);
    let tip = texts.with("tip-recording", &[("path", path.into()), ("bytes", bytes.into())]);
    let name = texts.get("stop-recording");
    let (icon, color) =
        if recording.paused { (Icon::Pause, theme.warn) } else { (Icon::Dot, theme.live) };
    // Beside other buttons, the words are more important than the icon.
    let kind = if width < NARROW_RECORD_WIDTH { Type::SmallStrong } else { Type::BodyStrong };
    let words = ui.painter().layout_no_wrap(text.clone(), kind.font(), theme.text).size().x;
    let button = match words + ICON_AND_MARGINS_WIDTH <= width {
        true => Button::new(&text).icon_colored(icon, color),
        false => Button::new(&text),
    };
    let response = button
        .name(&name)
        .kind(kind)
        .height(size::RECORD_BUTTON_HEIGHT)
        .width(width)
        .radius(CARD_RADIUS)
        .show(ui, theme)
        .on_hover_text(format!("{name}\n{tip}"));
    if response.clicked() {
        view.send(Command::StopRecording);
    }
}
