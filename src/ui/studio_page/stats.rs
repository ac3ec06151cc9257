//! The *Stats* panel: the performance of the computer. The state of the connections is in
//! *Broadcast*.

use std::time::Duration;

use egui::{Align2, Color32, Ui, vec2};

use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{figure, place, sparkline};

/// The number of seconds that the graphs show.
const GRAPH_SPAN_SECONDS: usize = 600;

/// The minimum and maximum height of a graph, in points.
const GRAPH_HEIGHT_RANGE_POINTS: [f32; 2] = [32.0, 160.0];

/// Draws the figures, and graphs of the frame times and the bitrate in the rest of `height`.
pub fn show(ui: &mut Ui, view: &View<'_>, height: f32) {
    let top = ui.cursor().top();
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    let live = &snapshot.figures;
    let dash = || "–".to_owned();
    let millis = |time: Option<Duration>| {
        time.map_or_else(dash, |time| format!("{:.1}\u{a0}ms", time.as_secs_f64() * 1_000.0))
    };
    let audio = snapshot.audio.as_ref();
    let drift = audio.and_then(|audio| audio.drift_ppm);
    let drift = drift.map_or_else(dash, |ppm| format!("{}\u{a0}ppm", format::signed(ppm, 0, true)));
    let monitors = snapshot.targets.iter().filter_map(|target| target.monitor.as_ref());
    let offset = monitors.filter_map(|monitor| monitor.av_offset_ms).next();
    let offset = offset.map_or_else(dash, |ms| format!("{}\u{a0}ms", format::signed(ms, 1, true)));
    let (skipped, dropped) = (live.skipped_frames, live.dropped_frames);
    let lost = format!("{} · {}", format::grouped(skipped), format::grouped(dropped));
    let lines = [
        (key!("stats-encode"), millis(live.encode_time), key!("tip-stats-encode")),
        (key!("stats-draw"), millis(snapshot.draw_time), key!("tip-stats-draw")),
        (key!("stats-skipped"), lost, key!("tip-stats-skipped")),
        (key!("stats-av-offset"), offset, key!("tip-stats-av-offset")),
        (key!("stats-drift"), drift, key!("tip-stats-drift")),
    ];
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (name, value, tip) in lines {
            figure(ui, theme, &texts.get(name), &value, &texts.get(tip));
        }
    });
    ui.spacing_mut().item_spacing.y = gap::XS;
    ui.add_space(gap::XS);
    let [least, most] = GRAPH_HEIGHT_RANGE_POINTS;
    let left = height - (ui.cursor().top() - top) - gap::XS;
    let each = (left / 2.0).floor().clamp(least, most);
    let rate = snapshot.quality.frame_rate.as_f64().max(1.0);
    let period = (1_000.0 / rate) as f32;
    let [fine, ..] = theme.meter;
    let times = (key!("stats-frame-time"), key!("tip-stats-frame-time"));
    graph(ui, view, times, &live.frame_times, (period, fine), each);
    let rates: Vec<f32> = live.bitrate_history.iter().map(|rate| *rate as f32).collect();
    let chosen = snapshot.quality.bitrate() as f32;
    let bitrates = (key!("stats-bitrate"), key!("tip-stats-bitrate"));
    graph(ui, view, bitrates, &rates, (chosen, theme.accent), each);
}

/// Draws a graph of the last ten minutes, with its name in the corner and a line at `least`.
fn graph(
    ui: &mut Ui,
    view: &View<'_>,
    (name, tip): (&'static str, &'static str),
    values: &[f32],
    (least, color): (f32, Color32),
    height: f32,
) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get(name);
    let graph = sparkline(ui, theme, &name, (values, GRAPH_SPAN_SECONDS), least, color, height);
    let corner = graph.rect.right_top() + vec2(-6.0, 3.0);
    place(ui, corner, Align2::RIGHT_TOP, &name, Type::Tiny, theme.secondary);
    graph.on_hover_text(&*texts.get(tip));
}
