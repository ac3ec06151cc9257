//! The upper part of the right panel: where the stream goes. Idle: the targets, the quality, what is
//! ready. On air: the targets and figures.

mod advanced;
mod audio_quality;
mod draft;
mod edit;
mod list;
pub(in crate::ui) mod passthrough;
mod quality;
pub mod stage;
pub mod stream_delay;
mod viewer_monitor;

use egui::{Ui, UiBuilder, vec2};

use crate::capture::VideoChoice;
use crate::studio::Snapshot;
use crate::studio::live::view::LiveState;
use crate::studio::snapshot::SourceState;
use crate::ui::input::actions::{Action, key};
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, Tag, figures, label, sparkline};

pub use draft::{Draft, key_field, server_field};
pub use list::title;
pub use quality::quality_text;

/// The panel while nothing goes out; gives what is asked for in it.
pub fn idle(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) -> Option<Action> {
    let width = ui.available_width();
    ui.spacing_mut().item_spacing.y = gap::XS;
    passthrough::show(ui, view);
    let services = list::show(ui, view, draft).then_some(Action::Services);
    ui.add_space(gap::XS);
    edit::show(ui, view, draft, width);
    ui.add_space(gap::S);
    label(ui, &view.texts.get("quality"), Type::Small, view.theme.secondary);
    quality::quality(ui, view, width);
    ui.add_space(gap::S);
    readiness(ui, view, draft).or(services)
}

fn readiness(ui: &mut Ui, view: &View<'_>, draft: &Draft) -> Option<Action> {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    let picture = snapshot
        .video
        .as_ref()
        .is_some_and(|video| video.state == SourceState::Open || video.choice == VideoChoice::None);
    let sound = snapshot.audio.as_ref().is_some_and(|audio| audio.state == SourceState::Open);
    let server = draft.servers_are_typed(snapshot) && (!sends_to_us(snapshot) || serves(snapshot));
    let mut keys = snapshot
        .targets
        .iter()
        .map(|entry| &entry.target)
        .filter(|target| target.enabled && !target.is_built_in())
        .peekable();
    let wrapped = ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
        let mut chip = |text: &'static str, good: bool, yes: &'static str, no: &'static str| {
            let tip = texts.get(if good { yes } else { no });
            Tag { text: &texts.get(text), good }.show(ui, theme).on_hover_text(&*tip);
        };
        chip(key!("ready-video"), picture, key!("tip-ready-video"), key!("tip-not-ready-video"));
        chip(key!("ready-audio"), sound, key!("tip-ready-audio"), key!("tip-not-ready-audio"));
        chip(key!("ready-server"), server, key!("tip-ready-server"), key!("tip-not-ready-server"));
        if keys.peek().is_some() {
            let all = keys.all(crate::studio::targets::address::names_stream);
            chip(key!("ready-key"), all, key!("tip-ready-key"), key!("tip-not-ready-key"));
        }
        let mut asked = None;
        let offers = [
            (key!("preflight-start"), Action::Ready, ""),
            (key!("passthrough-offer"), Action::SendFile, key!("passthrough-note")),
        ];
        for (name, action, tip) in offers {
            let name = texts.get(name);
            let response = Button::new(&name).small().look(ButtonWeight::Quiet).show(ui, theme);
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

fn sends_to_us(snapshot: &Snapshot) -> bool {
    snapshot.targets.iter().any(|entry| entry.target.is_built_in() && entry.target.enabled)
}

fn serves(snapshot: &Snapshot) -> bool {
    !snapshot.server.rtmp.is_empty() || !snapshot.server.play_url.is_empty()
}

/// The panel while a broadcast is on; gives what is asked for in it.
pub fn on_air(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) -> Option<Action> {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    let width = ui.available_width();
    let live = &snapshot.figures;
    ui.spacing_mut().item_spacing.y = gap::XS;
    passthrough::show(ui, view);
    let services = list::show(ui, view, draft).then_some(Action::Services);
    ui.add_space(gap::XS);
    stream_delay::on_air(ui, view);
    edit::show(ui, view, draft, width);
    ui.add_space(gap::S);
    label(ui, &texts.get("bitrate-minute"), Type::Small, theme.secondary);
    let history: Vec<f32> = live.bitrate_history.iter().map(|rate| *rate as f32).collect();
    let chosen = (snapshot.quality.video_bitrate.0 + snapshot.quality.audio_bitrate.0) as f32;
    sparkline(ui, theme, &texts.get("bitrate-minute"), &history, chosen, theme.accent)
        .on_hover_text(&*texts.get("tip-sparkline"));
    ui.add_space(gap::XS);
    let share = 100.0 * live.dropped_frames as f64 / (live.total_frames as f64).max(1.0);
    let mut dropped = format!("{} ({share:.1}\u{a0}%)", format::grouped(live.dropped_frames));
    if live.dropped_audio > 0 {
        let audio = format::grouped(live.dropped_audio);
        let args = [("frames", dropped.into()), ("audio", audio.into())];
        dropped = texts.with("dropped-with-audio", &args);
    }
    let rate = |value: f64| texts.with("fps", &[("value", format!("{value:.1}").into())]);
    let dash = || "–".to_owned();
    let on_air = snapshot.live == LiveState::OnAir;
    figures(
        ui,
        theme,
        &[
            (
                &texts.get("statistic-bitrate"),
                if on_air { format::bitrate(live.bitrate) } else { dash() },
                &texts.get("tip-bitrate"),
            ),
            (&texts.get("statistic-frames"), rate(live.fps), &texts.get("tip-frames")),
            (&texts.get("statistic-dropped"), dropped, &texts.get("tip-dropped")),
            (
                &texts.get("statistic-queue"),
                format::short_time(live.queued),
                &texts.get("tip-queue"),
            ),
            (
                &texts.get("statistic-round-trip"),
                live.round_trip.map_or_else(dash, format::short_time),
                &texts.get("tip-round-trip"),
            ),
            (
                &texts.get("statistic-reconnects"),
                live.reconnects.to_string(),
                &texts.get("tip-reconnects"),
            ),
            (&texts.get("statistic-sent"), format::bytes(live.sent_bytes), &texts.get("tip-sent")),
        ],
    );
    ui.add_space(gap::S);
    label(ui, &texts.get("statistic-quality"), Type::Small, theme.secondary);
    quality::quality(ui, view, width);
    services
}

/// A child of `ui` in `rect`, top down.
pub fn child(ui: &mut Ui, rect: egui::Rect, salt: &str) -> Ui {
    ui.new_child(
        UiBuilder::new()
            .max_rect(rect)
            .layout(egui::Layout::top_down(egui::Align::Min))
            .id_salt(salt),
    )
}
