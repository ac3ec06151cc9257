//! The *Loudness* panel: the loudness of the program by EBU R 128, compared with a target.

use egui::{
    Align2, CornerRadius, Rect, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use crate::studio::Command;
use crate::studio::mixer::loudness::{LoudnessHistory, LoudnessTarget, LoudnessVerdict};
use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{CONTROL_RADIUS, Type, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, Select, figure, menu_item, paragraph, place};

/// The width of the figures.
const FIGURES_WIDTH_POINTS: f32 = 220.0;
/// The panel width from which the figures are beside the graph.
const MIN_SIDE_BY_SIDE_WIDTH: f32 = 440.0;
/// The minimum height of the graph.
const MIN_GRAPH_HEIGHT_POINTS: f32 = 72.0;
/// The range of the graph above and below the target, which is the EBU +9 scale (EBU Tech 3341).
const RANGE_ABOVE_LU: f32 = 9.0;
const RANGE_BELOW_LU: f32 = 18.0;
/// The number of seconds that the graph shows.
const GRAPH_SPAN_SECONDS: usize = 600;
/// The number of seconds per point of the graph.
const SECONDS_PER_POINT: usize = 4;
/// The true peak in dBTP that EBU R 128 permits.
const MAX_TRUE_PEAK_DBTP: f32 = -1.0;
/// The loudness targets to choose from, each with its purpose.
const LOUDNESS_TARGETS: [(i8, &str); 5] = [
    (-14, key!("loudness-services")),
    (-16, key!("loudness-music")),
    (-18, key!("loudness-speech")),
    (-23, key!("loudness-europe")),
    (-24, key!("loudness-america")),
];

fn lufs(value: f32) -> String {
    format!("{}\u{a0}LUFS", format::signed(f64::from(value), 1, false))
}

fn whole_lufs(value: i8) -> String {
    format!("{}\u{a0}LUFS", format::signed(f64::from(value), 0, false))
}

/// Draws the figures of the program, and the button that resets them.
pub fn figures(ui: &mut Ui, view: &mut View<'_>) {
    let (theme, texts, reading) = (view.theme, view.texts, view.snapshot.loudness);
    let shown = |value: Option<f32>| value.map_or_else(|| "–".to_owned(), lufs);
    let peak = format!("{}TP", format::decibels(reading.true_peak_dbtp));
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for (name, value, meaning) in [
            (key!("mixer-rms"), format::decibels(reading.rms_dbfs), key!("tip-rms")),
            (key!("mixer-momentary"), shown(reading.momentary_lufs), key!("tip-momentary")),
            (key!("mixer-short-term"), shown(reading.short_term_lufs), key!("tip-short-term")),
            (key!("mixer-integrated"), shown(reading.integrated_lufs), key!("tip-integrated")),
            (key!("mixer-true-peak"), peak, key!("tip-true-peak")),
        ] {
            figure(ui, theme, &texts.get(name), &value, &texts.get(meaning));
        }
    });
    let (text, name) = (texts.get("mixer-reset"), texts.get("action-reset-loudness"));
    let button =
        Button::new(&text).name(&name).weight(ButtonWeight::Quiet).icon(Icon::Refresh).small();
    if button.show(ui, theme).clicked() {
        view.send(Command::ResetLoudness);
    }
}

/// Draws the panel. `chosen` is the loudness target that the user chose, and `height` the height of
/// the panel.
pub(super) fn show(ui: &mut Ui, view: &mut View<'_>, chosen: &mut Option<i8>, height: f32) {
    let snapshot = view.snapshot;
    let targets = snapshot.targets.iter().map(|it| &it.target);
    let target = LoudnessTarget::of(*chosen, targets.clone(), &snapshot.services);
    let automatic = LoudnessTarget::of(None, targets, &snapshot.services);
    let left = |ui: &mut Ui, view: &mut View<'_>, chosen: &mut Option<i8>| {
        choose(ui, view, chosen, &automatic);
        figures(ui, view);
    };
    ui.spacing_mut().item_spacing.y = gap::XS;
    if ui.available_width() < MIN_SIDE_BY_SIDE_WIDTH {
        verdict(ui, view, &target);
        left(ui, view, chosen);
        graph(ui, view, &target, MIN_GRAPH_HEIGHT_POINTS);
        return;
    }
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = gap::L;
        ui.vertical(|ui| {
            ui.set_width(FIGURES_WIDTH_POINTS);
            left(ui, view, chosen);
        });
        ui.vertical(|ui| {
            let top = ui.cursor().top();
            verdict(ui, view, &target);
            let rest = height - (ui.cursor().top() - top);
            graph(ui, view, &target, rest.max(MIN_GRAPH_HEIGHT_POINTS));
        });
    });
}

/// Draws the list of loudness targets.
fn choose(ui: &mut Ui, view: &View<'_>, chosen: &mut Option<i8>, automatic: &LoudnessTarget) {
    let (theme, texts) = (view.theme, view.texts);
    let value = [("lufs", whole_lufs(automatic.lufs).into())];
    let of_itself = match &automatic.service {
        Some(service) => {
            let [value] = value;
            texts.with("loudness-automatic-of", &[value, ("service", service.as_str().into())])
        }
        None => texts.with("loudness-automatic", &value),
    };
    let shown = chosen.map_or_else(|| of_itself.clone(), whole_lufs);
    let name = texts.get("loudness-target");
    let select = Select::new(&name, &shown, ui.available_width());
    select.show(ui, theme, |ui| {
        if menu_item(ui, theme, &of_itself, "", chosen.is_none(), true) {
            *chosen = None;
        }
        for (lufs, purpose) in LOUDNESS_TARGETS {
            let is_chosen = *chosen == Some(lufs);
            if menu_item(ui, theme, &whole_lufs(lufs), &texts.get(purpose), is_chosen, true) {
                *chosen = Some(lufs);
            }
        }
    });
}

/// Draws a sentence that compares the program with the target.
fn verdict(ui: &mut Ui, view: &View<'_>, target: &LoudnessTarget) {
    let (theme, texts, reading) = (view.theme, view.texts, view.snapshot.loudness);
    let off = |key, units: f32| {
        let units = format::signed(f64::from(units), 1, false);
        let goal = whole_lufs(target.lufs);
        (texts.with(key, &[("units", units.into()), ("lufs", goal.into())]), theme.warn)
    };
    let (sentence, color) = match target.judge(reading.integrated_lufs) {
        LoudnessVerdict::Unknown => (texts.get("loudness-unknown").to_string(), theme.secondary),
        LoudnessVerdict::OnTarget => {
            let goal = whole_lufs(target.lufs);
            (texts.with("loudness-on-target", &[("lufs", goal.into())]), theme.good)
        }
        LoudnessVerdict::Above(units) => off(key!("loudness-above"), units),
        LoudnessVerdict::Below(units) => off(key!("loudness-below"), units),
    };
    paragraph(ui, &sentence, Type::Body, color);
    if reading.true_peak_dbtp > MAX_TRUE_PEAK_DBTP {
        paragraph(ui, &texts.get("loudness-peaks"), Type::Small, theme.warn);
    }
}

/// Draws the short-term loudness of the last ten minutes, with a band at the target.
fn graph(ui: &mut Ui, view: &View<'_>, target: &LoudnessTarget, height: f32) {
    let (theme, texts) = (view.theme, view.texts);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let name = texts.get("loudness-graph");
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    let painter = ui.painter();
    let corners = CornerRadius::same(CONTROL_RADIUS);
    painter.rect(rect, corners, theme.raised, theme.border(), StrokeKind::Inside);
    let inner = rect.shrink(6.0);
    let goal = f32::from(target.lufs);
    let y = |lufs: f32| {
        let part = (goal + RANGE_ABOVE_LU - lufs) / (RANGE_ABOVE_LU + RANGE_BELOW_LU);
        inner.top() + inner.height() * part.clamp(0.0, 1.0)
    };
    let band = Rect::from_x_y_ranges(inner.x_range(), y(goal + 1.0)..=y(goal - 1.0));
    painter.rect_filled(band, 0, theme.good.gamma_multiply(0.2));
    let step = inner.width() / (GRAPH_SPAN_SECONDS / SECONDS_PER_POINT - 1) as f32;
    for line in lines(&view.snapshot.loudness_history) {
        let points: Vec<_> = line
            .iter()
            .map(|(age, lufs)| pos2(inner.right() - step * *age as f32, y(*lufs)))
            .collect();
        painter.add(Shape::line(points, Stroke::new(1.6, theme.accent)));
    }
    let at = rect.right_top() + vec2(-6.0, 3.0);
    place(ui, at, Align2::RIGHT_TOP, &name, Type::Tiny, theme.secondary);
    let at = pos2(inner.left(), band.top() - 1.0);
    place(ui, at, Align2::LEFT_BOTTOM, &whole_lufs(target.lufs), Type::Tiny, theme.secondary);
    response.on_hover_text(&*texts.get("tip-loudness-graph"));
}

/// Returns the lines of the graph, which silence interrupts. Each point has its age and the highest
/// of its values.
fn lines(history: &LoudnessHistory) -> Vec<Vec<(usize, f32)>> {
    let newest: Vec<Option<f32>> = history.iter().rev().take(GRAPH_SPAN_SECONDS).copied().collect();
    let points = newest
        .chunks(SECONDS_PER_POINT)
        .map(|some| some.iter().flatten().copied().reduce(f32::max));
    let mut lines = vec![Vec::new()];
    for (age, point) in points.enumerate() {
        match (point, lines.last_mut()) {
            (Some(lufs), Some(line)) => line.push((age, lufs)),
            (None, Some(line)) if !line.is_empty() => lines.push(Vec::new()),
            _ => {}
        }
    }
    lines.retain(|line| line.len() > 1);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_interrupts_the_line_and_the_loudest_second_is_shown() {
        let mut history: LoudnessHistory = std::iter::repeat_n(Some(-20.0), 12).collect();
        history.extend([None; 8]);
        history.extend([Some(-14.0), Some(-9.0), None, Some(-14.0)]);
        history.extend([Some(-15.0); 4]);
        let newest = vec![(0, -15.0), (1, -9.0)];
        assert_eq!(lines(&history), [newest, vec![(4, -20.0), (5, -20.0), (6, -20.0)]]);
        assert_eq!(lines(&LoudnessHistory::new()), Vec::<Vec<(usize, f32)>>::new());
        history.extend([Some(-15.0); 2_000]);
        assert_eq!(lines(&history)[0].len(), GRAPH_SPAN_SECONDS / SECONDS_PER_POINT);
    }
}
