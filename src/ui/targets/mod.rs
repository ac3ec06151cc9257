//! The *Broadcast* panel. Before going live, it shows the targets, the quality and the readiness.
//! On air, it shows the figures, and the targets with their states.

mod advanced;
mod draft;
mod edit;
mod ended;
pub mod limits;
mod list;
pub(in crate::ui) mod media;
pub(in crate::ui) mod passthrough;
mod quality;
mod second_canvas;
pub mod stage;
pub mod stream_delay;
mod viewer_monitor;

use std::time::Duration;

use egui::{Ui, UiBuilder, vec2};

use crate::studio::live::view::LiveState;
use crate::studio::snapshot::health;
use crate::ui::input::actions::{Action, key};
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, SPARKLINE_HEIGHT_POINTS, Tag, judged_figure, label, place, sparkline,
};

pub use draft::{Draft, key_field, server_field};
pub use list::title;
pub use quality::{PRESET_TEXTS, quality_text};

/// A loss above this share is unusual.
const MAX_USUAL_LOSS: f64 = 0.05;
/// The length of the send queue from which its figure has a mark.
const LONG_BACKLOG: Duration = Duration::from_millis(500);

/// Draws the panel. Once a target was live, the figures come first. Returns the action that the user
/// selected.
pub fn broadcast(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) -> Option<Action> {
    // The figures must not come and go with each attempt, because the user may be about to click a
    // field below them.
    let before = view.snapshot.live == LiveState::Idle || view.snapshot.is_starting();
    let width = ui.available_width();
    ui.spacing_mut().item_spacing.y = gap::S;
    if before {
        ended::show(ui, view, draft);
    }
    passthrough::show(ui, view);
    if !before {
        live_figures(ui, view);
        stream_delay::on_air(ui, view);
    }
    let services = list::show(ui, view, draft).then_some(Action::Services);
    label(ui, &view.texts.get("quality"), Type::Small, view.theme.secondary);
    quality::quality(ui, view, width);
    second_canvas::show(ui, view, width);
    let asked = if before { readiness(ui, view, draft) } else { None };
    asked.or(services)
}

/// Draws the readiness, and the button for the pre-flight check.
fn readiness(ui: &mut Ui, view: &View<'_>, draft: &Draft) -> Option<Action> {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    let ready = health::readiness(snapshot);
    let enabled = || snapshot.targets.iter().map(|it| &it.target).filter(|it| it.enabled);
    let count = enabled().count();
    // A stopped built-in server starts with the broadcast.
    let targets = count > 0 && enabled().all(|target| draft.fault_of(target).is_none());
    let wrapped = ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
        let mut chip = |text: &str, good: bool, yes: &'static str, no: &'static str| {
            let tip = texts.get(if good { yes } else { no });
            Tag { text, good }.show(ui, theme).on_hover_text(&*tip);
        };
        let (yes, no) = (key!("tip-ready-video"), key!("tip-not-ready-video"));
        chip(&texts.get("ready-video"), ready.video, yes, no);
        let (yes, no) = (key!("tip-ready-audio"), key!("tip-not-ready-audio"));
        chip(&texts.get("ready-audio"), ready.audio, yes, no);
        let (yes, no) = (key!("tip-ready-targets"), key!("tip-not-ready-targets"));
        chip(&texts.counted("ready-targets", count), targets, yes, no);
        let mut asked = None;
        let offers = [
            (key!("preflight-start"), Action::Preflight, ""),
            (key!("passthrough-offer"), Action::SendFile, key!("passthrough-note")),
        ];
        for (name, action, tip) in offers {
            let name = texts.get(name);
            let button = Button::new(&name).height(22.0).kind(Type::Small).radius(11);
            let response = button.show(ui, theme);
            if response.clicked() {
                asked = Some(action);
            }
            if !tip.is_empty() {
                response.on_hover_text(&*texts.get(tip));
            }
        }
        asked
    });
    wrapped.inner
}

/// Draws the figures of the broadcast. A bad value has a mark.
fn live_figures(ui: &mut Ui, view: &View<'_>) {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    let live = &snapshot.figures;
    let history: Vec<f32> = live.bitrate_history.iter().map(|rate| *rate as f32).collect();
    let chosen = snapshot.quality.bitrate() as f32;
    let name = texts.get("bitrate-minute");
    let graph =
        sparkline(ui, theme, &name, (&history, 60), chosen, theme.accent, SPARKLINE_HEIGHT_POINTS);
    let corner = graph.rect.right_top() + vec2(-6.0, 3.0);
    place(ui, corner, egui::Align2::RIGHT_TOP, &name, Type::Tiny, theme.secondary);
    graph.on_hover_text(&*texts.get("tip-sparkline"));
    let mut dropped = format::part_of(live.dropped_frames, live.total_frames);
    if live.dropped_audio > 0 {
        let audio = format::grouped(live.dropped_audio);
        let args = [("frames", dropped.into()), ("audio", audio.into())];
        dropped = texts.with("dropped-with-audio", &args);
    }
    let rate = |value: f64| texts.with("fps", &[("value", format!("{value:.1}").into())]);
    let dash = || "–".to_owned();
    let on_air = snapshot.live == LiveState::OnAir;
    let bitrate = if on_air { format::bitrate(live.bitrate) } else { dash() };
    let round_trip = live.round_trip.map_or_else(dash, format::short_time);
    let lost = matches!(snapshot.live, LiveState::Reconnecting { .. });
    let (slow, drops) = (live.is_slow(), live.loses_frames());
    let frames = if live.fps_pending { dash() } else { rate(live.fps) };
    let late = live.queued > LONG_BACKLOG;
    // A target without a connection has no send queue, except during passthrough.
    let queue = match lost && live.queued.is_zero() {
        true => dash(),
        false => format::short_time(live.queued),
    };
    let mut lines = vec![
        (key!("statistic-bitrate"), bitrate, key!("tip-bitrate"), lost),
        (key!("statistic-frames"), frames, key!("tip-frames"), slow),
        (key!("statistic-dropped"), dropped, key!("tip-dropped"), drops),
        (key!("statistic-queue"), queue, key!("tip-queue"), late),
        (key!("statistic-round-trip"), round_trip, key!("tip-round-trip"), false),
        (key!("statistic-reconnects"), live.reconnects.to_string(), key!("tip-reconnects"), false),
        (key!("statistic-sent"), format::bytes(live.sent_bytes), key!("tip-sent"), false),
    ];
    if let Some(loss) = live.loss {
        let (share, much) = (format!("{:.1} %", loss * 100.0), loss > MAX_USUAL_LOSS);
        lines.insert(5, (key!("statistic-loss"), share, key!("tip-loss"), much));
    }
    if live.skipped_frames > 0 {
        let (skipped, bad) = (format::grouped(live.skipped_frames), live.skips_frames());
        lines.insert(2, (key!("statistic-skipped"), skipped, key!("tip-ended-skipped"), bad));
    }
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (name, value, tip, bad) in lines {
            let warning = texts.get("mark-warning");
            let mark = bad.then_some(&*warning);
            judged_figure(ui, theme, (&texts.get(name), &value), &texts.get(tip), mark);
        }
    });
}

/// Creates a child of `ui` in `rect`, with a layout from top to bottom. What continues beyond the edge
/// of a list in it fades to the color of a panel, because egui does not know what is painted below.
pub fn child(ui: &mut Ui, rect: egui::Rect, salt: &str) -> Ui {
    let below = egui::Frame::new().fill(ui.visuals().panel_fill);
    ui.new_child(
        UiBuilder::new()
            .max_rect(rect)
            .layout(egui::Layout::top_down(egui::Align::Min))
            .ui_stack_info(egui::UiStackInfo::default().with_frame(below))
            .id_salt(salt),
    )
}
