//! The panel beside the frame: the figures of the current stream.

use egui::Ui;

use crate::studio::watch::view::WatchFigures;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::{Texts, format};
use crate::ui::view::View;
use crate::ui::watch::chat;
use crate::ui::watch::draft::Draft;
use crate::ui::watch::is_address;
use crate::ui::watch::tiles::overlays::{audio, latency};
use crate::ui::widgets::{SPARKLINE_HEIGHT_POINTS, figures, label, paragraph, section, sparkline};

/// The minimum height, in points, of the graph and the chat together. In less space, the chat comes
/// without the graph.
const MIN_GRAPH_AND_CHAT_HEIGHT: f32 = 280.0;

/// Draws the panel.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    let watch = &view.snapshot.watch_figures;
    ui.spacing_mut().item_spacing.y = gap::XS;
    section(ui, theme, &texts.get("stream"));
    ui.add_space(gap::XS);
    if !view.snapshot.watch.is_busy() {
        paragraph(ui, &texts.get("watch-no-statistics"), Type::Small, theme.secondary);
        return;
    }
    let dash = || "–".to_owned();
    let or_dash = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
    let size = watch.size.map_or_else(dash, |size| {
        let fps = format!("{:.0}", watch.fps);
        match watch.fps > 0.0 {
            true => {
                let rate = texts.with("fps", &[("value", fps.into())]);
                format!("{} · {rate}", format::size(size))
            }
            false => format::size(size),
        }
    });
    figures(
        ui,
        theme,
        &[
            (
                &texts.get("statistic-video"),
                or_dash(&watch.video),
                &texts.get("tip-statistic-video"),
            ),
            (&texts.get("quality-size"), size, &texts.get("tip-statistic-size")),
            (
                &texts.get("statistic-audio"),
                or_dash(&audio(texts, &watch.audio)),
                &texts.get("tip-statistic-audio"),
            ),
            (
                &texts.get("bitrate"),
                format::bitrate(watch.bitrate),
                &texts.get("tip-watch-bitrate"),
            ),
            (&texts.get("statistic-latency"), latency(texts, watch), &texts.get("tip-latency")),
            (&texts.get("statistic-buffer"), buffer(texts, watch), &texts.get("tip-buffer")),
            (
                &texts.get("statistic-speed"),
                format!("{:.2}×", watch.speed),
                &texts.get("tip-speed"),
            ),
            (
                &texts.get("statistic-watch-dropped"),
                format!("{} · {}", format::grouped(watch.dropped), format::grouped(watch.late)),
                &texts.get("tip-watch-dropped"),
            ),
            (
                &texts.get("statistic-lip-sync"),
                watch
                    .av_offset_ms
                    .map_or_else(dash, |ms| format!("{}\u{a0}ms", format::signed(ms, 0, true))),
                &texts.get("tip-lip-sync"),
            ),
            (
                &texts.get("statistic-playing-for"),
                format::clock(watch.playing_for),
                &texts.get("tip-playing-for"),
            ),
        ],
    );
    // A file on this computer has no chat.
    let has_chat = is_address(&watch.url) || view.snapshot.chat.state.is_some();
    if !has_chat || ui.available_height() >= MIN_GRAPH_AND_CHAT_HEIGHT {
        ui.add_space(gap::M);
        let name = texts.get("buffer-minute");
        label(ui, &name, Type::Small, theme.secondary);
        let values = draft.graphs.buffer.values();
        sparkline(ui, theme, &name, (&values, 60), 300.0, theme.good, SPARKLINE_HEIGHT_POINTS)
            .on_hover_text(&*texts.get("tip-buffer-minute"));
    }
    if has_chat {
        ui.add_space(gap::M);
        chat::show(ui, view, draft, true);
    }
}

/// Returns the text for the buffer length and the jitter.
fn buffer(texts: &Texts, watch: &WatchFigures) -> String {
    let buffer = format::short_time(watch.buffer);
    let Some(jitter) = watch.jitter.map(format::short_time) else { return buffer };
    texts.with("buffer-and-jitter", &[("buffer", buffer.into()), ("jitter", jitter.into())])
}
