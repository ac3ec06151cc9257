//! The dialog for a transition: its kind, its duration, and the options of its kind. Every change
//! takes effect at the next scene change.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use egui::{Layout, Ui, vec2};

use crate::compose::scene::SceneId;
use crate::compose::transition::{
    Easing, Kind, MAX_STINGER_DURATION, Matte, Order, Pattern, Side, Stinger, Transition, Wipe,
};
use crate::studio::{Command, Edit};
use crate::ui::dialogs::{DialogAnswer, heading, modal};
use crate::ui::input::actions::key;
use crate::ui::scenes::draft::{Draft, TransitionScope};
use crate::ui::scenes::source::color_button::opaque_color_button;
use crate::ui::scenes::source::fields::{failure, flag, line, part};
use crate::ui::scenes::source::seconds;
use crate::ui::style::theme::{Type, gap};
use crate::ui::view::file_request::{TransitionFile, TransitionFilePart};
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, Select, label, menu_item, paragraph, slider};

const DIALOG_WIDTH_POINTS: f32 = 470.0;
/// The width of the lists, in points.
const LIST_WIDTH_POINTS: f32 = 250.0;
/// The width of the value after a slider, in points.
const VALUE_WIDTH_POINTS: f32 = 60.0;

/// The range of durations and points in time, up to the longest stinger.
const DURATION_RANGE: RangeInclusive<Duration> = Duration::ZERO..=MAX_STINGER_DURATION;

/// The kinds of transition in the list.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::ui) enum TransitionChoice {
    Cut,
    Fade,
    Move,
    Color,
    Slide,
    Swipe,
    Wipe,
    Image,
    Stinger,
}

impl TransitionChoice {
    pub const ALL: [Self; 9] = [
        Self::Cut,
        Self::Fade,
        Self::Move,
        Self::Color,
        Self::Slide,
        Self::Swipe,
        Self::Wipe,
        Self::Image,
        Self::Stinger,
    ];

    /// Returns the list entry for a kind.
    pub fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Cut => Self::Cut,
            Kind::Fade => Self::Fade,
            Kind::Move(_) => Self::Move,
            Kind::FadeColor(_) => Self::Color,
            Kind::Slide(_) => Self::Slide,
            Kind::Swipe(_) => Self::Swipe,
            Kind::Luma(Wipe { order: Order::Pattern(_), .. }) => Self::Wipe,
            Kind::Luma(Wipe { order: Order::Image(_), .. }) => Self::Image,
            Kind::Stinger(_) => Self::Stinger,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Cut => key!("transition-cut"),
            Self::Fade => key!("transition-fade"),
            Self::Move => key!("transition-move"),
            Self::Color => key!("transition-color"),
            Self::Slide => key!("transition-slide"),
            Self::Swipe => key!("transition-swipe"),
            Self::Wipe => key!("transition-wipe"),
            Self::Image => key!("transition-image"),
            Self::Stinger => key!("transition-stinger"),
        }
    }

    /// Returns true if choosing the kind must also show its options.
    pub fn asks(self) -> bool {
        matches!(self, Self::Wipe | Self::Image | Self::Stinger)
    }

    /// Creates a transition of this kind that keeps as many values of `before` as possible.
    pub fn kind(self, before: &Kind) -> Kind {
        let wipe = match before {
            Kind::Luma(wipe) => wipe.clone(),
            _ => Wipe::default(),
        };
        let side = match before {
            Kind::Slide(side) | Kind::Swipe(side) => *side,
            _ => Side::Right,
        };
        match self {
            Self::Cut => Kind::Cut,
            Self::Fade => Kind::Fade,
            Self::Move => Kind::Move(Easing::default()),
            Self::Color => Kind::FadeColor([0; 3]),
            Self::Slide => Kind::Slide(side),
            Self::Swipe => Kind::Swipe(side),
            Self::Wipe => Kind::Luma(Wipe { order: Order::Pattern(Pattern::default()), ..wipe }),
            Self::Image => Kind::Luma(Wipe { order: Order::Image("".into()), ..wipe }),
            Self::Stinger => Kind::Stinger(Stinger::default()),
        }
    }
}

/// Draws the dialog while it is open.
pub fn show(ctx: &egui::Context, view: &mut View<'_>, draft: &mut Draft) {
    let Some(whose) = draft.transition else { return };
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let (edit, closed) = match whose {
        TransitionScope::Every => {
            let mut now = collection.transition.clone();
            let title = view.texts.get("transition-kind").to_string();
            let closed = dialog(ctx, view, &title, |ui, view| {
                contents(ui, view, None, &mut now);
            });
            let edit = (now != collection.transition).then_some(Edit::SetTransition(now));
            (edit, closed)
        }
        TransitionScope::Scene(id) => {
            // The scene may have been removed meanwhile.
            let Some(scene) = collection.scene(id) else {
                draft.transition = None;
                return;
            };
            let before = collection.own_transitions.get(&id);
            let mut now = before.cloned();
            let title = view.texts.with("transition-to", &[("scene", scene.name.as_str().into())]);
            let closed = dialog(ctx, view, &title, |ui, view| {
                let begin = collection.transition.clone();
                part(ui, view, key!("transition-own"), &mut now, begin);
                match &mut now {
                    Some(now) => contents(ui, view, Some(id), now),
                    None => hint(ui, view, key!("transition-own-hint")),
                }
            });
            let changed = now.as_ref() != before;
            (changed.then_some(Edit::SetSceneTransition(id, now)), closed)
        }
    };
    if let Some(edit) = edit {
        view.send(Command::Edit(edit));
    }
    if closed {
        draft.transition = None;
    }
}

/// Draws the dialog. Returns true if it was closed.
fn dialog(
    ctx: &egui::Context,
    view: &mut View<'_>,
    title: &str,
    lines: impl FnOnce(&mut Ui, &mut View<'_>),
) -> bool {
    let answer = modal(ctx, view.theme, "transition-options", DIALOG_WIDTH_POINTS, |ui| {
        let close = heading(ui, view, title);
        ui.spacing_mut().item_spacing = vec2(gap::S, gap::XS);
        lines(ui, view);
        close.then_some(DialogAnswer::Close)
    });
    answer.is_some()
}

/// Draws the fields of a transition. `scene` is set if the transition belongs to one scene.
fn contents(ui: &mut Ui, view: &mut View<'_>, scene: Option<SceneId>, now: &mut Transition) {
    let mut way = TransitionChoice::of(&now.kind);
    let ways = TransitionChoice::ALL.map(|way| (way.name(), way));
    choose(ui, view, key!("transition-kind"), &ways, &mut way);
    if way != TransitionChoice::of(&now.kind) {
        now.kind = way.kind(&now.kind);
    }
    if !matches!(now.kind, Kind::Cut | Kind::Stinger(_)) {
        seconds(ui, view, key!("transition-duration"), &mut now.duration, DURATION_RANGE);
    }
    match &mut now.kind {
        Kind::Cut | Kind::Fade => {}
        Kind::Move(easing) => {
            let easings = [
                (key!("easing-smooth"), Easing::Smooth),
                (key!("easing-linear"), Easing::Linear),
                (key!("easing-in"), Easing::In),
                (key!("easing-out"), Easing::Out),
                (key!("easing-back"), Easing::Back),
                (key!("easing-bounce"), Easing::Bounce),
            ];
            choose(ui, view, key!("transition-easing"), &easings, easing);
        }
        Kind::FadeColor(color) => rgb(ui, view, key!("transition-color-of"), color),
        Kind::Slide(side) | Kind::Swipe(side) => {
            let sides = [
                (key!("transition-side-right"), Side::Right),
                (key!("transition-side-left"), Side::Left),
                (key!("transition-side-top"), Side::Top),
                (key!("transition-side-bottom"), Side::Bottom),
            ];
            choose(ui, view, key!("transition-from"), &sides, side);
        }
        Kind::Luma(wipe) => luma(ui, view, scene, wipe),
        Kind::Stinger(of) => stinger(ui, view, scene, of),
    }
}

fn luma(ui: &mut Ui, view: &mut View<'_>, scene: Option<SceneId>, wipe: &mut Wipe) {
    match &mut wipe.order {
        Order::Pattern(pattern) => {
            let patterns = Pattern::ALL.map(|(_, pattern)| (pattern_name(pattern), pattern));
            choose(ui, view, key!("transition-pattern"), &patterns, pattern);
        }
        Order::Image(path) => {
            let of = TransitionFile { scene, means: TransitionFilePart::Image };
            file(ui, view, path, &[(key!("transition-file-choose"), of)]);
        }
    }
    percent(ui, view, key!("transition-softness"), &mut wipe.softness, 9);
    flag(ui, view, key!("transition-invert"), &mut wipe.invert);
    if wipe.image().is_some() {
        hint(ui, view, key!("transition-image-hint"));
    }
}

fn stinger(ui: &mut Ui, view: &mut View<'_>, scene: Option<SceneId>, of: &mut Stinger) {
    let ways = [
        (key!("transition-file-choose"), TransitionFile { scene, means: TransitionFilePart::Clip }),
        (
            key!("transition-folder-choose"),
            TransitionFile { scene, means: TransitionFilePart::Folder },
        ),
    ];
    file(ui, view, &of.file, &ways);
    seconds(ui, view, key!("transition-cut-at"), &mut of.cut, DURATION_RANGE);
    let color = match of.matte {
        Matte::Color(color) => color,
        _ => [0, 255, 0],
    };
    let mattes = [
        (key!("transition-matte-own"), Matte::Own),
        (key!("transition-matte-right"), Matte::Right),
        (key!("transition-matte-below"), Matte::Below),
        (key!("transition-matte-color"), Matte::Color(color)),
        (key!("transition-matte-dark"), Matte::Dark),
    ];
    choose(ui, view, key!("transition-matte"), &mattes, &mut of.matte);
    if let Matte::Color(color) = &mut of.matte {
        rgb(ui, view, key!("transition-color-of"), color);
    }
    flag(ui, view, key!("transition-invert"), &mut of.invert);
    percent(ui, view, key!("transition-volume"), &mut of.volume, 100);
    hint(ui, view, key!("transition-stinger-hint"));
}

fn hint(ui: &mut Ui, view: &View<'_>, text: &'static str) {
    ui.add_space(gap::S);
    paragraph(ui, &view.texts.get(text), Type::Small, view.theme.secondary);
}

/// Draws the path of the chosen file, and the buttons that choose another one.
fn file(ui: &mut Ui, view: &mut View<'_>, path: &Path, ways: &[(&'static str, TransitionFile)]) {
    let name = view.texts.get("transition-file").to_string();
    let shown = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    line(ui, view, &name, |ui, view| {
        for (text, of) in ways {
            let text = view.texts.get(text);
            if Button::new(&text).small().show(ui, view.theme).clicked() {
                let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
                view.request(WindowRequest::PickTransitionFile(*of, folder.map(Path::to_owned)));
            }
        }
        if !shown.is_empty() {
            let room = egui::Rect::from_min_size(
                ui.cursor().min,
                vec2(ui.available_width(), ui.available_height()),
            );
            let font = Type::Body.font();
            crate::ui::widgets::elided(ui, room, egui::Align::Min, &shown, font, view.theme.text);
        }
    });
    if shown.is_empty() {
        let text = view.texts.get("transition-file-none");
        paragraph(ui, &text, Type::Small, view.theme.warn);
    }
    if let Some(reason) = view.snapshot.scenes.transition_problem(path) {
        let reason = view.texts.say(reason);
        let words = view.texts.with("transition-unusable", &[("reason", reason.into())]);
        failure(ui, view, &words);
    }
}

fn percent(ui: &mut Ui, view: &mut View<'_>, name: &'static str, value: &mut u8, rest: u8) {
    let name = view.texts.get(name).to_string();
    line(ui, view, &name, |ui, view| {
        let mut share = f32::from(*value) / 100.0;
        let width = LIST_WIDTH_POINTS - VALUE_WIDTH_POINTS;
        slider(ui, view.theme, &mut share, 0.0..=1.0, f32::from(rest) / 100.0, &name, width);
        *value = (share * 100.0).round() as u8;
        label(ui, &format!("{value}\u{a0}%"), Type::Body, view.theme.text);
    });
}

fn rgb(ui: &mut Ui, view: &mut View<'_>, name: &'static str, color: &mut [u8; 3]) {
    let name = view.texts.get(name).to_string();
    line(ui, view, &name, |ui, view| {
        opaque_color_button(ui, view, &name, color);
        let [r, g, b] = color;
        let text = format!("#{r:02x}{g:02x}{b:02x}");
        label(ui, &text, Type::Small, view.theme.secondary);
    });
}

fn choose<T: Copy + PartialEq>(
    ui: &mut Ui,
    view: &mut View<'_>,
    name: &'static str,
    all: &[(&'static str, T)],
    value: &mut T,
) {
    let name = view.texts.get(name).to_string();
    line(ui, view, &name, |ui, view| {
        let texts = view.texts;
        let chosen = all.iter().find(|(_, it)| it == value).map_or("", |(key, _)| key);
        let chosen = texts.get(chosen);
        let (width, enabled) = (LIST_WIDTH_POINTS, true);
        let select = Select { enabled, ..Select::new(&name, &chosen, width) };
        select.show(ui, view.theme, |ui| {
            let most = 360.0;
            egui::ScrollArea::vertical().max_height(most).show(ui, |ui| {
                ui.with_layout(Layout::top_down_justified(egui::Align::Min), |ui| {
                    for (key, one) in all {
                        let is_chosen = *value == *one;
                        if menu_item(ui, view.theme, &texts.get(key), "", is_chosen, true) {
                            *value = *one;
                        }
                    }
                });
            });
        });
    });
}

fn pattern_name(pattern: Pattern) -> &'static str {
    match pattern {
        Pattern::Circle => key!("wipe-circle"),
        Pattern::Box => key!("wipe-box"),
        Pattern::Diamond => key!("wipe-diamond"),
        Pattern::Clock => key!("wipe-clock"),
        Pattern::Left => key!("wipe-left"),
        Pattern::Right => key!("wipe-right"),
        Pattern::Top => key!("wipe-top"),
        Pattern::Bottom => key!("wipe-bottom"),
        Pattern::Diagonal => key!("wipe-diagonal"),
        Pattern::UpperRight => key!("wipe-upper-right"),
        Pattern::LowerLeft => key!("wipe-lower-left"),
        Pattern::LowerRight => key!("wipe-lower-right"),
        Pattern::Doors => key!("wipe-doors"),
        Pattern::FlatDoors => key!("wipe-flat-doors"),
        Pattern::Blinds => key!("wipe-blinds"),
        Pattern::FlatBlinds => key!("wipe-flat-blinds"),
        Pattern::Dissolve => key!("wipe-dissolve"),
    }
}
