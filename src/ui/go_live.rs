//! The big button through all its states, and the button that records.

use egui::{Ui, vec2};

use crate::studio::Command;
use crate::studio::snapshot::LiveState;
use crate::ui::actions::{Action, key, shortcut_text};
use crate::ui::format;
use crate::ui::icons::Icon;
use crate::ui::theme::{RADIUS_LARGE, Type, gap, size};
use crate::ui::view::{View, Wish};
use crate::ui::widgets::{Button, Look, icon_button};

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
            let button = Button::new(&text).look(Look::Live).height(size::RECORD).width(width);
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
    let tip = shortcut_text(ui.ctx(), Action::GoLive).unwrap_or_default();
    let base = |text| {
        Button::new(text).height(size::GO_LIVE).width(width).radius(RADIUS_LARGE).kind(Type::Big)
    };
    match &view.snapshot.live {
        LiveState::Idle => {
            let text = texts.get("go-live");
            let response = base(&text).look(Look::Primary).show(ui, theme).on_hover_text(tip);
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
            let response = base(&text).look(Look::Live).show(ui, theme).on_hover_text(tip);
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
            let response =
                base(&text).kind(Type::BodyStrong).second(&second).look(Look::Warn).show(ui, theme);
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

/// The text of a stage of connecting.
pub fn stage_key(stage: &str) -> &'static str {
    match stage {
        "dns" => key!("stage-dns"),
        "tcp" => key!("stage-tcp"),
        "tls" => key!("stage-tls"),
        "handshake" => key!("stage-handshake"),
        "connect" => key!("stage-connect"),
        "publish" => key!("stage-publish"),
        _ => key!("stage-media"),
    }
}

fn record(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    let folder = size::RECORD + gap::S;
    if let Some(recording) = view.snapshot.recording.as_ref() {
        let time = format::clock(recording.duration);
        // Beside another button there is room for the time only.
        let text = if ui.available_width() < 200.0 {
            time
        } else {
            texts.with("recording", &[("time", time.into())])
        };
        let path = recording.path.display().to_string();
        let tip = texts.with(
            "tip-recording",
            &[("path", path.into()), ("bytes", format::bytes(recording.bytes).into())],
        );
        let name = texts.get("stop-recording");
        let response = Button::new(&text)
            .name(&name)
            .icon_colored(Icon::Dot, theme.live)
            .height(size::RECORD)
            .width(ui.available_width())
            .radius(RADIUS_LARGE)
            .show(ui, theme)
            .on_hover_text(format!("{name}\n{tip}"));
        if response.clicked() {
            view.send(Command::StopRecording);
        }
        return;
    }
    let text = texts.get("record");
    let response = Button::new(&text)
        .icon_colored(Icon::Dot, theme.secondary)
        .height(size::RECORD)
        .width(ui.available_width() - folder)
        .radius(RADIUS_LARGE)
        .show(ui, theme)
        .on_hover_text(shortcut_text(ui.ctx(), Action::Record).unwrap_or_default());
    if response.clicked() {
        view.wish(Wish::Record);
    }
    ui.allocate_ui(vec2(size::RECORD, size::RECORD), |ui| {
        let name = texts.get("choose-folder");
        if icon_button(ui, theme, Icon::Folder, &name, size::RECORD, Look::Plain).clicked() {
            view.wish(Wish::PickRecordingFolder);
        }
    });
}
