//! The controls between preview and program in studio mode: *Take*, the T-bar, and the transition
//! with its duration. They are a column between two frames beside each other, or a bar below or
//! between the frames, whichever leaves the frames the most room. Nothing is hidden in a menu: in
//! either form, one press chooses each of the usual transitions.

use egui::{Align, CornerRadius, Layout, Rect, Ui, Vec2, vec2};

use crate::compose::scene::Scene;
use crate::compose::transition::Transition;
use crate::studio::{Command, Edit};
use crate::ui::input::actions::{Action, key};
use crate::ui::input::hotkeys::tooltip;
use crate::ui::scenes;
use crate::ui::scenes::transition::TransitionChoice;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::targets::child;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, label, slider};

/// The width of the column between preview and program.
const COLUMN_WIDTH_POINTS: f32 = 84.0;
/// The height of the bar below or between them.
const BAR_HEIGHT_POINTS: f32 = 44.0;
/// The height of a line above the transitions in the column.
const HEADING_HEIGHT_POINTS: f32 = 18.0;
/// The height of the T-bar.
const T_BAR_HEIGHT_POINTS: f32 = 24.0;
/// The widths of *Take* and of the T-bar in the bar.
const TAKE_WIDTH_POINTS: f32 = 96.0;
const T_BAR_WIDTH_POINTS: f32 = 110.0;
/// The widths of a transition and of its duration in the bar.
const KIND_WIDTH_POINTS: f32 = 72.0;
const DURATION_WIDTH_POINTS: f32 = 76.0;
/// The width of the mark of a scene's own transition in the bar.
const OWN_MARK_WIDTH_POINTS: f32 = 100.0;
/// A T-bar that is released this close to an end goes there.
const T_BAR_CATCH: f32 = 0.03;

/// The transitions that have a permanent button, in this order, as far as there is room.
const KINDS: [TransitionChoice; 5] = [
    TransitionChoice::Cut,
    TransitionChoice::Fade,
    TransitionChoice::Color,
    TransitionChoice::Slide,
    TransitionChoice::Swipe,
];

/// The areas of studio mode.
#[derive(Copy, Clone, Debug)]
pub(super) struct StudioAreas {
    pub preview: Rect,
    pub program: Rect,
    pub controls: Rect,
    /// True if the controls are a bar.
    is_bar: bool,
}

impl StudioAreas {
    /// Divides `room` so that frames of this aspect ratio become as large as possible.
    pub fn of(room: Rect, aspect: f32) -> Self {
        let all = [Self::columns(room), Self::above_bar(room), Self::stacked(room)];
        let area = |it: &Self| {
            let frame = it.preview.shrink(gap::M).size().max(Vec2::ZERO);
            let width = frame.x.min(frame.y * aspect);
            width * width / aspect.max(0.01)
        };
        // The first form that is almost the best is used.
        let best = all.iter().map(area).fold(0.0, f32::max);
        let [columns, ..] = all;
        all.into_iter().find(|it| area(it) >= best * 0.97).unwrap_or(columns)
    }

    fn columns(room: Rect) -> Self {
        let half = (room.width() - COLUMN_WIDTH_POINTS) / 2.0;
        let preview = room.with_max_x(room.left() + half);
        let program = room.with_min_x(room.right() - half);
        let controls = Rect::from_x_y_ranges(preview.right()..=program.left(), room.y_range());
        Self { preview, program, controls, is_bar: false }
    }

    fn above_bar(room: Rect) -> Self {
        let edge = room.bottom() - BAR_HEIGHT_POINTS;
        let (frames, controls) = (room.with_max_y(edge), room.with_min_y(edge));
        let preview = frames.with_max_x(frames.center().x);
        let program = frames.with_min_x(frames.center().x);
        Self { preview, program, controls, is_bar: true }
    }

    fn stacked(room: Rect) -> Self {
        let half = (room.height() - BAR_HEIGHT_POINTS) / 2.0;
        let preview = room.with_max_y(room.top() + half);
        let program = room.with_min_y(room.bottom() - half);
        let controls = Rect::from_x_y_ranges(room.x_range(), preview.bottom()..=program.top());
        Self { preview, program, controls, is_bar: true }
    }
}

/// What the controls change: the transition of the preview's scene, if the scene has its own one,
/// or else the default one.
struct ShownTransition<'a> {
    owner: Option<&'a Scene>,
    now: &'a Transition,
    chosen: TransitionChoice,
}

/// Draws the controls.
pub(super) fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut scenes::Draft,
    areas: &StudioAreas,
) {
    ui.painter().rect_filled(areas.controls, CornerRadius::ZERO, view.theme.canvas);
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let owner = view.snapshot.scenes.preview_scene.and_then(|id| collection.scene(id));
    let owner = owner.filter(|scene| collection.own_transitions.contains_key(&scene.id));
    let now = owner.map_or(&collection.transition, |scene| collection.transition_to(scene.id));
    let shown = ShownTransition { owner, now, chosen: TransitionChoice::of(&now.kind) };
    if areas.is_bar {
        bar(ui, view, draft, areas.controls, &shown);
    } else {
        column(ui, view, draft, areas.controls, &shown);
    }
}

/// Returns the transitions for this number of buttons. The chosen one is always there.
fn kinds_for(room: usize, chosen: TransitionChoice) -> Vec<TransitionChoice> {
    let mut kinds: Vec<_> = KINDS.into_iter().take(room.max(1)).collect();
    if !kinds.contains(&chosen) {
        kinds.truncate(room.saturating_sub(1));
        kinds.push(chosen);
    }
    kinds
}

fn column(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut scenes::Draft,
    room: Rect,
    shown: &ShownTransition<'_>,
) {
    let headings = if shown.owner.is_some() { 2.0 } else { 1.0 } * HEADING_HEIGHT_POINTS;
    let above = 52.0 + T_BAR_HEIGHT_POINTS + headings + 2.0 * gap::S;
    let row = size::SMALL_CONTROL_HEIGHT + gap::S;
    // The last row is the duration.
    let rows = ((room.height() - 2.0 * gap::S - above) / row).floor().max(2.0) as usize;
    let kinds = kinds_for((rows - 1).min(KINDS.len()), shown.chosen);
    let height = above + (kinds.len() + 1) as f32 * row;
    let inner = Rect::from_center_size(room.center(), vec2(COLUMN_WIDTH_POINTS - 8.0, height));
    let mut column = child(ui, inner, "take");
    column.spacing_mut().item_spacing.y = gap::S;
    let width = inner.width();
    take(&mut column, view, vec2(width, 52.0));
    t_bar(&mut column, view, draft, width);
    heading(&mut column, view, shown);
    for kind in kinds {
        kind_button(&mut column, view, shown, kind, width);
    }
    duration(&mut column, view, draft, shown, width);
}

fn bar(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut scenes::Draft,
    room: Rect,
    shown: &ShownTransition<'_>,
) {
    let own = if shown.owner.is_some() { OWN_MARK_WIDTH_POINTS } else { 0.0 };
    let fixed = TAKE_WIDTH_POINTS + T_BAR_WIDTH_POINTS + DURATION_WIDTH_POINTS + own + 3.0 * gap::S;
    let place = (room.width() - 2.0 * gap::M - fixed) / (KIND_WIDTH_POINTS + gap::S);
    let most = KINDS.len() + usize::from(!KINDS.contains(&shown.chosen));
    let kinds = kinds_for((place.floor().max(1.0) as usize).min(most), shown.chosen);
    let width = fixed + kinds.len() as f32 * (KIND_WIDTH_POINTS + gap::S);
    let inner = vec2(width.min(room.width() - gap::S), size::CONTROL_HEIGHT);
    let mut row = child(ui, Rect::from_center_size(room.center(), inner), "take");
    row.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        take(ui, view, vec2(TAKE_WIDTH_POINTS, size::CONTROL_HEIGHT));
        t_bar(ui, view, draft, T_BAR_WIDTH_POINTS);
        own_mark(ui, view, shown);
        for kind in kinds {
            kind_button(ui, view, shown, kind, KIND_WIDTH_POINTS);
        }
        duration(ui, view, draft, shown, DURATION_WIDTH_POINTS);
    });
}

fn take(ui: &mut Ui, view: &mut View<'_>, size: Vec2) {
    let (name, tip) = (view.texts.get("take"), tooltip(ui.ctx(), view.texts, Action::Transition));
    let button = Button::new(&name).weight(ButtonWeight::Primary).height(size.y).width(size.x);
    if button.show(ui, view.theme).on_hover_text(tip).clicked() {
        view.send(Command::Transition);
    }
}

/// Draws the T-bar. At its other end, the preview becomes the program, and the bar is at its
/// beginning again as soon as it is released.
fn t_bar(ui: &mut Ui, view: &mut View<'_>, draft: &mut scenes::Draft, width: f32) {
    let (name, before) = (view.texts.get("t-bar"), view.snapshot.scenes.t_bar);
    let mut position = before;
    let response = slider(ui, view.theme, &mut position, 0.0..=1.0, 0.0, &name, width);
    let response = response.on_hover_text(&*view.texts.get("tip-t-bar"));
    let is_held = response.dragged() || response.is_pointer_button_down_on();
    if draft.t_bar_is_over {
        draft.t_bar_is_over = is_held;
        return;
    }
    if response.drag_stopped() {
        let end = match position {
            it if it <= T_BAR_CATCH => Some(0.0),
            it if it >= 1.0 - T_BAR_CATCH => Some(1.0),
            _ => None,
        };
        if let Some(end) = end.filter(|end| *end != before) {
            view.send(Command::TBar(end));
        }
    } else if response.changed() {
        view.send(Command::TBar(position));
        draft.t_bar_is_over = position >= 1.0 && is_held;
    }
}

fn heading(ui: &mut Ui, view: &View<'_>, shown: &ShownTransition<'_>) {
    let (theme, texts) = (view.theme, view.texts);
    ui.vertical_centered(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        label(ui, &texts.get("transition-kind"), Type::Small, theme.secondary);
        own_mark(ui, view, shown);
    });
}

/// Says that the transition belongs to the scene in the preview, if it does.
fn own_mark(ui: &mut Ui, view: &View<'_>, shown: &ShownTransition<'_>) {
    if let Some(scene) = shown.owner {
        let values = [("scene", scene.name.as_str().into())];
        let tip = view.texts.with("tip-transition-of-scene", &values);
        let own = view.texts.get("transition-of-scene");
        label(ui, &own, Type::Small, view.theme.accent).on_hover_text(tip);
    }
}

/// Draws the button that chooses a kind of transition.
fn kind_button(
    ui: &mut Ui,
    view: &mut View<'_>,
    shown: &ShownTransition<'_>,
    kind: TransitionChoice,
    width: f32,
) {
    let texts = view.texts;
    let name = texts.get(kind.name());
    let name = name.trim_end_matches('…');
    let tip = match shown.owner {
        Some(scene) => texts.with(
            "tip-transition-choose-own",
            &[("scene", scene.name.as_str().into()), ("kind", name.into())],
        ),
        None => texts.with("tip-transition-choose", &[("kind", name.into())]),
    };
    let button = Button::new(name).small().width(width).selected(kind == shown.chosen);
    if button.show(ui, view.theme).on_hover_text(tip).clicked() && kind != shown.chosen {
        let transition = Transition { kind: kind.kind(&shown.now.kind), ..shown.now.clone() };
        view.send(Command::Edit(match shown.owner {
            Some(scene) => Edit::SetSceneTransition(scene.id, Some(transition)),
            None => Edit::SetTransition(transition),
        }));
    }
}

/// Draws the button with the duration, which opens the options of the transition.
fn duration(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut scenes::Draft,
    shown: &ShownTransition<'_>,
    width: f32,
) {
    let (theme, texts) = (view.theme, view.texts);
    let duration = format!("{}\u{a0}ms", shown.now.duration.as_millis());
    // A cut has no duration.
    let (button, name) = match shown.chosen {
        TransitionChoice::Cut => (
            Button::new("").icon(Icon::Settings),
            texts.get(key!("transition-options")).to_string(),
        ),
        _ => {
            let values = [("duration", duration.as_str().into())];
            (Button::new(&duration), texts.with("transition-duration-is", &values))
        }
    };
    let button = button.small().weight(ButtonWeight::Quiet).width(width).name(&name);
    if button.show(ui, theme).on_hover_text(&name).clicked() {
        draft.transition = Some(shown.owner.map_or(scenes::TransitionScope::Every, |scene| {
            scenes::TransitionScope::Scene(scene.id)
        }));
    }
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    fn areas(width: f32, height: f32) -> StudioAreas {
        StudioAreas::of(Rect::from_min_size(pos2(10.0, 20.0), vec2(width, height)), 16.0 / 9.0)
    }

    #[test]
    fn a_wide_room_has_the_frames_side_by_side_and_a_high_one_above_each_other() {
        let wide = areas(1_400.0, 420.0);
        assert!(wide.preview.right() <= wide.program.left() && !wide.is_bar);
        let high = areas(600.0, 620.0);
        assert!(high.preview.bottom() <= high.controls.top());
        assert!(high.controls.bottom() <= high.program.top() && high.is_bar);
        // The column would cost more than a bar in a room that is higher than needed.
        let between = areas(900.0, 420.0);
        assert!(between.controls.top() >= between.preview.bottom() && between.is_bar);
        for it in [wide, high, between] {
            assert_eq!(it.preview.size(), it.program.size());
        }
    }

    #[test]
    fn the_chosen_transition_always_has_a_button() {
        for room in 0..8 {
            for chosen in TransitionChoice::ALL {
                let kinds = kinds_for(room, chosen);
                assert!(kinds.contains(&chosen) && kinds.len() <= room.max(1), "{room}");
            }
        }
    }
}
