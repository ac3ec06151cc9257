//! The overlays on the frame, as a list of layers that are drawn in order in the same space. A new
//! overlay is added to this list.

use egui::{Align2, CornerRadius, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::decode::DecoderInfo;
use crate::studio::watch::view::WatchFigures;
use crate::ui::style::theme::{
    CONTROL_RADIUS, TEXT_PLATE, Type, VIDEO_SECONDARY_TEXT_COLOR, VIDEO_TEXT_COLOR, gap,
};
use crate::ui::text::{Texts, format};
use crate::ui::view::View;
use crate::ui::watch::chat;
use crate::ui::watch::draft::{Draft, Graph};
use crate::ui::widgets::place;

/// A function that draws one layer.
type Layer = fn(&mut Ui, &View<'_>, &mut Draft, Rect);

/// The layers, from the lowest to the topmost.
const OVERLAY_LAYERS: &[Layer] = &[chat::flying, figures];

/// Draws all layers.
pub fn show(ui: &mut Ui, view: &View<'_>, draft: &mut Draft, room: Rect) {
    for layer in OVERLAY_LAYERS {
        layer(ui, view, draft, room);
    }
}

const LINE_HEIGHT_POINTS: f32 = 17.0;
const STATISTICS_WIDTH_POINTS: f32 = 292.0;
/// The minimum width in points of a tile with statistics. A narrower tile has no room for a name
/// and its value.
const MIN_TILE_WIDTH_POINTS: f32 = 200.0;
const GRAPH_HEIGHT_POINTS: f32 = 26.0;

/// Draws the statistics of the current stream, with small graphs over the last minute.
fn figures(ui: &mut Ui, view: &View<'_>, draft: &mut Draft, room: Rect) {
    // In other states, the space shows a text, which the statistics would cover.
    let busy = view.snapshot.watch.is_busy();
    if !draft.figures || !busy || room.width() < MIN_TILE_WIDTH_POINTS || room.height() < 120.0 {
        return;
    }
    let texts = view.texts;
    let lines = lines(texts, &view.snapshot.watch_figures);
    let graphs = [
        (&draft.graphs.bitrate, texts.get("bitrate")),
        (&draft.graphs.buffer, texts.get("statistic-buffer")),
        (&draft.graphs.fps, texts.get("statistic-fps")),
    ];
    let wanted = lines.len() as f32 * LINE_HEIGHT_POINTS
        + graphs.len() as f32 * (GRAPH_HEIGHT_POINTS + gap::XS)
        + 2.0 * gap::S;
    let size = vec2(
        STATISTICS_WIDTH_POINTS.min(room.width() - 2.0 * gap::M),
        wanted.min(room.height() - 2.0 * gap::M),
    );
    // The statistics are at the bottom, because the state of the player is at the top.
    let corner = pos2(room.left() + gap::M, room.bottom() - gap::M - size.y);
    let plate = Rect::from_min_size(corner, size);
    ui.painter().rect_filled(plate, CornerRadius::same(CONTROL_RADIUS), TEXT_PLATE);
    let summary = lines.iter().map(|(name, value)| format!("{name}: {value}"));
    let summary = summary.collect::<Vec<_>>().join("; ");
    let name = texts.with("statistics-of", &[("figures", summary.into())]);
    ui.interact(plate, ui.scope_id().with("statistics"), Sense::hover())
        .widget_info(|| WidgetInfo::labeled(Role::Label, true, &name));
    let mut y = plate.top() + gap::S;
    for (name, value) in &lines {
        if y + LINE_HEIGHT_POINTS > plate.bottom() {
            return;
        }
        let middle = y + LINE_HEIGHT_POINTS / 2.0;
        let left = pos2(plate.left() + gap::S, middle);
        place(ui, left, Align2::LEFT_CENTER, name, Type::Small, VIDEO_SECONDARY_TEXT_COLOR);
        let right = pos2(plate.right() - gap::S, middle);
        place(ui, right, Align2::RIGHT_CENTER, value, Type::SmallStrong, VIDEO_TEXT_COLOR);
        y += LINE_HEIGHT_POINTS;
    }
    for (graph, name) in graphs {
        if y + GRAPH_HEIGHT_POINTS > plate.bottom() {
            return;
        }
        let whole = Rect::from_min_size(
            pos2(plate.left() + gap::S, y),
            vec2(plate.width() - 2.0 * gap::S, GRAPH_HEIGHT_POINTS),
        );
        line(ui, graph, &name, whole);
        y += GRAPH_HEIGHT_POINTS + gap::XS;
    }
}

fn line(ui: &Ui, graph: &Graph, name: &str, room: Rect) {
    let color = VIDEO_SECONDARY_TEXT_COLOR;
    place(ui, room.left_center(), Align2::LEFT_CENTER, name, Type::Tiny, color);
    let inner = Rect::from_min_max(pos2(room.left() + 92.0, room.top() + 2.0), room.max);
    let stroke = Stroke::new(1.0, color.gamma_multiply(0.4));
    ui.painter().hline(inner.x_range(), inner.bottom(), stroke);
    let points = graph.points(inner);
    if points.len() > 1 {
        ui.painter().add(Shape::line(points, Stroke::new(1.4, VIDEO_TEXT_COLOR)));
    }
}

/// Returns the library that decodes the video, and its hardware.
fn decoder(texts: &Texts, by: DecoderInfo) -> String {
    let library = ("library", by.library.into());
    match by.hardware {
        Some(hardware) => texts.with("decoder-hardware", &[library, ("hardware", hardware.into())]),
        None => texts.with("decoder-software", &[library]),
    }
}

/// Returns a player's description of the audio in the language of the window.
pub fn audio(texts: &Texts, described: &str) -> String {
    let (before, channels) = match described.rsplit_once(' ') {
        Some((before, "mono")) => (before, texts.get("channels-mono")),
        Some((before, "stereo")) => (before, texts.get("channels-stereo")),
        _ => return described.to_owned(),
    };
    format!("{before} {}", channels.to_lowercase())
}

/// Returns the text for the latency of the video. The text mentions the sender's clock if the
/// latency is known only from that clock.
pub fn latency(texts: &Texts, watch: &WatchFigures) -> String {
    match (watch.latency(), watch.sender_latency()) {
        (Some(latency), _) => format::short_time(latency),
        (None, Some(latency)) => {
            texts.with("latency-by-sender", &[("time", format::short_time(latency).into())])
        }
        (None, None) => "–".to_owned(),
    }
}

/// Returns the names and values of the statistics.
fn lines(texts: &Texts, watch: &WatchFigures) -> Vec<(String, String)> {
    let dash = || "–".to_owned();
    let or_dash = |text: &str| if text.is_empty() { dash() } else { text.to_owned() };
    let name = |key: &'static str| texts.get(key).to_string();
    use crate::ui::input::actions::key;
    let mut lines = vec![
        (name(key!("statistic-video")), or_dash(&watch.video)),
        (name(key!("statistic-decoder")), watch.decoder.map_or_else(dash, |by| decoder(texts, by))),
        (name(key!("statistic-size")), watch.size.map_or_else(dash, format::size)),
        (name(key!("statistic-fps")), format!("{:.1}", watch.fps)),
        (name(key!("statistic-audio")), or_dash(&audio(texts, &watch.audio))),
        (name(key!("bitrate")), format::bitrate(watch.bitrate)),
        (name(key!("statistic-buffer")), format::short_time(watch.buffer)),
        (name(key!("statistic-speed")), format!("{:.2}×", watch.speed)),
        (name(key!("statistic-latency")), latency(texts, watch)),
        (name(key!("statistic-jitter")), watch.jitter.map_or_else(dash, format::short_time)),
        (
            name(key!("statistic-watch-dropped")),
            format!("{} · {}", format::grouped(watch.dropped), format::grouped(watch.late)),
        ),
        (
            name(key!("statistic-lip-sync")),
            watch
                .av_offset_ms
                .map_or_else(dash, |ms| format!("{}\u{a0}ms", format::signed(ms, 0, true))),
        ),
        (name(key!("statistic-underruns")), format::grouped(watch.underruns)),
        // One loss counts once, however many attempts it takes.
        (name(key!("statistic-reconnects")), format::grouped(watch.losses.into())),
    ];
    if let Some(time_shift) = watch.time_shift {
        let range = format::short_time(time_shift.range);
        let kept = match time_shift.bytes {
            // Zero bytes here mean that the server stores the DVR window.
            0 => range,
            bytes => format!("{range} · {}", format::bytes(bytes)),
        };
        lines.push((name(key!("statistic-time-shift")), kept));
    }
    lines
}
