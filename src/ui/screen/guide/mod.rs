//! The first-run guide: language, camera and microphone, destination, quality, ready. Each step
//! takes effect at once and can be skipped.

mod columns;
mod destination;
mod devices;
mod quality;
mod ready;

use egui::{
    Align, Color32, CornerRadius, Frame, Id, Key, Layout, Margin, Modal, Modifiers, Popup, Rect,
    Role, Sense, Ui, WidgetInfo, pos2, vec2,
};

use crate::capture::VideoChoice;
use crate::compose::scene::Scene;
use crate::studio::command::PartCommand;
use crate::studio::settings::part::{DEFAULT_NAME, PartKind};
use crate::studio::{Collection, Command, Edit, Language, Preferences};
use crate::text::problem::problem;
use crate::ui::dialogs::hide_tooltips;
use crate::ui::input::actions::key;
use crate::ui::screen::guide::destination::Destination;
use crate::ui::style::theme::{CARD_RADIUS, Type, gap, size};
use crate::ui::text::Language as Spoken;
use crate::ui::video::FrameView;
use crate::ui::view::View;
use crate::ui::widgets::{Button, ButtonWeight, at_right_end, elided, paragraph};

/// The outer width of the card in points, if the window is wide enough.
const MAX_CARD_WIDTH_POINTS: f32 = 820.0;
/// The height of a step in points, which is fixed so that the buttons do not move.
const STEP_HEIGHT_POINTS: f32 = 288.0;
const CARD_MARGIN_POINTS: i8 = 28;

/// A step of the guide.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Language,
    Devices,
    Destination,
    Quality,
    Ready,
}

impl Step {
    const ALL: [Self; 5] =
        [Self::Language, Self::Devices, Self::Destination, Self::Quality, Self::Ready];

    /// Returns the text keys of the step's name, title and description.
    const fn texts(self) -> [&'static str; 3] {
        match self {
            Self::Language => {
                [key!("guide-language"), key!("guide-welcome"), key!("guide-welcome-second")]
            }
            Self::Devices => {
                [key!("guide-devices"), key!("guide-is-this-you"), key!("guide-devices-second")]
            }
            Self::Destination => {
                [key!("guide-destination"), key!("guide-where"), key!("guide-where-second")]
            }
            Self::Quality => {
                [key!("guide-quality"), key!("guide-how-good"), key!("guide-quality-second")]
            }
            Self::Ready => [key!("guide-ready"), key!("guide-all-set"), key!("guide-ready-second")],
        }
    }

    fn index(self) -> usize {
        Self::ALL.iter().position(|step| *step == self).unwrap_or_default()
    }

    fn after(self, steps: isize) -> Self {
        let at = self.index().saturating_add_signed(steps);
        Self::ALL.get(at).copied().unwrap_or(self)
    }
}

/// The state of the guide, which is kept between frames.
#[derive(Debug, Default)]
pub struct Guide {
    step: Step,
    /// True until the step is drawn for the first time. The step's button then gets the keyboard
    /// focus.
    arrived: bool,
    destination: Destination,
    /// True if the user left the guide with Escape before the typed text was applied.
    is_left: bool,
    /// The quality preset that the user chose instead of the recommended one.
    preset: Option<usize>,
}

impl Guide {
    /// Returns true if the current step shows the picture of the camera.
    pub fn shows_picture(&self) -> bool {
        self.step == Step::Devices
    }
}

/// Renames a single scene that has its initial name to the usual name in the chosen language. The
/// scene may already have sources, because at the first start onair adds the camera to it.
pub fn name_first_scene(view: &mut View<'_>) {
    let name = view.texts.get("guide-first-scene");
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    let initial = Collection::default();
    let is_initial = |scene: &Scene| initial.scenes.iter().any(|it| it.name == scene.name);
    if let [scene] = collection.scenes.as_slice()
        && is_initial(scene)
        && *scene.name != *name
    {
        view.send(Command::Edit(Edit::RenameScene(scene.id, name.to_string())));
    }
}

/// Renames a single source that is the test pattern with its initial name to the usual name in the
/// chosen language. At the first start, onair adds this source in the language of the system.
pub fn name_first_source(view: &mut View<'_>) {
    let initial = problem!("source-test-pattern");
    let name = view.texts.say(&initial);
    let collection = std::sync::Arc::clone(&view.snapshot.scenes.collection);
    if let [source] = collection.sources.as_slice()
        && source.choice == VideoChoice::Test
        && Spoken::ALL.into_iter().any(|it| it.say(&initial) == source.name)
        && source.name != name
    {
        view.send(Command::Edit(Edit::RenameSource(source.id, name)));
    }
}

/// Renames the only scene collection and the only profile, if they have their initial name, to the
/// usual name in the chosen language.
pub fn name_first_parts(view: &mut View<'_>) {
    let name = view.texts.get("guide-first-part").to_string();
    let parts = std::sync::Arc::clone(&view.snapshot.parts);
    for kind in PartKind::ALL {
        if let [was] = parts.names(kind)
            && was == DEFAULT_NAME
            && *was != name
        {
            let (was, name) = (was.clone(), name.clone());
            view.send(Command::Part(PartCommand::Rename { kind, was, name }));
        }
    }
}

/// The result of the guide.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum GuideAnswer {
    Close,
    GoLive,
    /// The guide has changed this target, so its fields must be read again.
    TargetChanged(u32),
}

/// A button at the bottom of the guide.
enum FooterButton {
    Skip,
    Back,
    Next,
    GoLive,
}

/// Draws the current step. `fresh` is true when the guide opens.
pub fn show(
    ctx: &egui::Context,
    view: &mut View<'_>,
    guide: &mut Guide,
    preferences: &mut Preferences,
    program: &mut FrameView,
    fresh: bool,
) -> Option<GuideAnswer> {
    if fresh && !std::mem::take(&mut guide.is_left) {
        *guide = Guide { destination: Destination::of(view.snapshot), ..Guide::default() };
    }
    guide.arrived |= fresh;
    hide_tooltips(ctx);
    let room = ctx.content_rect().width() - 2.0 * gap::XL;
    let width = room.min(MAX_CARD_WIDTH_POINTS) - 2.0 * f32::from(CARD_MARGIN_POINTS);
    let theme = view.theme;
    let response = Modal::new(Id::unique("guide"))
        .backdrop_color(Color32::from_black_alpha(if theme.dark { 190 } else { 120 }))
        .frame(
            Frame::popup(&ctx.global_style())
                .fill(theme.panel)
                .corner_radius(CornerRadius::same(CARD_RADIUS))
                .inner_margin(Margin::same(CARD_MARGIN_POINTS)),
        )
        .show(ctx, |ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing = vec2(gap::S, 0.0);
            contents(ui, view, guide, preferences, program)
        });
    // A click beside the card is often an accident, so it does not close the guide.
    let beside = response.backdrop_response.clicked();
    let escaped = response.should_close() && !beside;
    // After Escape, the guide opens again at the same step, with the typed text.
    guide.is_left = escaped && guide.destination.has_typed(view.snapshot);
    response.inner.or(escaped.then_some(GuideAnswer::Close))
}

fn contents(
    ui: &mut Ui,
    view: &mut View<'_>,
    guide: &mut Guide,
    preferences: &mut Preferences,
    program: &mut FrameView,
) -> Option<GuideAnswer> {
    let (theme, texts) = (view.theme, view.texts);
    let arrived = std::mem::take(&mut guide.arrived);
    // A click beside all controls takes the focus away from the button that continues.
    let free = !arrived && ui.memory(|memory| memory.focused().is_none());
    let entered = free
        && !Popup::is_any_open(ui.ctx())
        && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Enter));
    steps(ui, view, guide.step);
    ui.add_space(gap::L);
    let [_, title, second] = guide.step.texts();
    paragraph(ui, &texts.get(title), Type::Key, theme.text);
    ui.add_space(2.0);
    paragraph(ui, &texts.get(second), Type::Body, theme.secondary);
    ui.add_space(gap::L);
    let (body, _) =
        ui.allocate_exact_size(vec2(ui.available_width(), STEP_HEIGHT_POINTS), Sense::hover());
    let mut inner = ui.new_child(
        egui::UiBuilder::new()
            .max_rect(body)
            .layout(Layout::top_down(Align::Min))
            .id_salt(("step", guide.step.index())),
    );
    let mut wants_next = entered;
    {
        let ui = &mut inner;
        ui.spacing_mut().item_spacing = vec2(gap::S, gap::XS);
        match guide.step {
            Step::Language => language(ui, view, preferences),
            Step::Devices => devices::show(ui, view, program),
            Step::Destination => {
                wants_next |= destination::show(ui, view, &mut guide.destination);
            }
            Step::Quality => quality::show(ui, view, &mut guide.preset, arrived),
            Step::Ready => ready::show(ui, view),
        }
    }
    ui.add_space(gap::L);
    let pressed = foot(ui, view, guide.step, arrived).or(wants_next.then_some(FooterButton::Next));
    match pressed? {
        FooterButton::Skip => Some(GuideAnswer::Close),
        FooterButton::GoLive => Some(GuideAnswer::GoLive),
        FooterButton::Back => {
            go(guide, -1);
            None
        }
        FooterButton::Next => next(view, guide),
    }
}

fn go(guide: &mut Guide, steps: isize) {
    guide.step = guide.step.after(steps);
    guide.arrived = true;
}

/// Applies the choices of the step, and continues with the next step.
fn next(view: &mut View<'_>, guide: &mut Guide) -> Option<GuideAnswer> {
    let mut answer = None;
    match guide.step {
        Step::Destination => match destination::apply(view, &mut guide.destination) {
            Ok(changed) => answer = changed.map(GuideAnswer::TargetChanged),
            Err(destination::Incomplete) => return None,
        },
        Step::Quality => quality::apply(view, guide.preset),
        Step::Ready => return Some(GuideAnswer::Close),
        Step::Language | Step::Devices => {}
    }
    go(guide, 1);
    answer
}

/// Draws the five steps, with the completed ones marked and the current one highlighted.
fn steps(ui: &mut Ui, view: &View<'_>, now: Step) {
    let theme = view.theme;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 32.0), Sense::hover());
    let count = Step::ALL.len() as f32;
    let width = (rect.width() - (count - 1.0) * gap::S) / count;
    for (index, step) in Step::ALL.into_iter().enumerate() {
        let left = rect.left() + index as f32 * (width + gap::S);
        let at = Rect::from_min_size(pos2(left, rect.top()), vec2(width, rect.height()));
        let color = match index.cmp(&now.index()) {
            std::cmp::Ordering::Less => theme.good,
            std::cmp::Ordering::Equal => theme.accent,
            std::cmp::Ordering::Greater => theme.line,
        };
        let bar = at.with_max_y(at.top() + 3.0);
        ui.painter().rect_filled(bar, CornerRadius::same(1), color);
        let [name, ..] = step.texts();
        let name = view.texts.get(name);
        let (kind, color) = match step == now {
            true => (Type::SmallStrong, theme.text),
            false => (Type::Small, theme.secondary),
        };
        let words = at.with_min_y(bar.bottom() + 6.0);
        elided(ui, words, Align::Min, &name, kind.font(), color);
        let place = ("number", (index + 1).to_string().into());
        let args = [
            place,
            ("count", Step::ALL.len().to_string().into()),
            ("name", name.to_string().into()),
        ];
        let accessible_name = match step == now {
            true => view.texts.with("guide-step-now", &args),
            false => view.texts.with("guide-step", &args),
        };
        let response = ui.interact(at, ui.scope_id().with(("step", index)), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &accessible_name));
    }
}

/// Draws the choice between the two languages, each with its own name.
fn language(ui: &mut Ui, view: &View<'_>, preferences: &mut Preferences) {
    let theme = view.theme;
    ui.add_space(gap::XL);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::L;
        let width = (ui.available_width() - gap::L) / 2.0;
        let texts = view.texts;
        let languages = [
            (
                Spoken::English,
                Language::English,
                texts.get("guide-english"),
                texts.get("guide-english-second"),
            ),
            (
                Spoken::Chinese,
                Language::Chinese,
                texts.get("guide-chinese"),
                texts.get("guide-chinese-second"),
            ),
        ];
        for (spoken, language, name, second) in languages {
            let chosen = view.texts.language() == spoken;
            let button = Button::new(&name)
                .second(&second)
                .kind(Type::Title)
                .height(96.0)
                .width(width)
                .radius(CARD_RADIUS)
                .selected(chosen);
            if button.show(ui, theme).clicked() {
                preferences.language = language;
            }
        }
    });
}

fn foot(ui: &mut Ui, view: &View<'_>, step: Step, arrived: bool) -> Option<FooterButton> {
    let (theme, texts) = (view.theme, view.texts);
    let mut pressed = None;
    let height = size::CONTROL_HEIGHT + gap::XS;
    let room = vec2(ui.available_width(), height);
    // In a Ui of its own: the shifted button does not widen the card to the left.
    let (row, _) = ui.allocate_exact_size(room, Sense::hover());
    let row = egui::UiBuilder::new().max_rect(row).layout(Layout::left_to_right(Align::Center));
    let mut row = ui.new_child(row);
    {
        let ui = &mut row;
        let skip = texts.get("guide-skip");
        let last = step == Step::Ready;
        if !last {
            let button = Button::new(&skip).weight(ButtonWeight::Quiet).kind(Type::Body);
            // The button's text begins at the edge of the texts above it.
            ui.add_space(-gap::M);
            if button.height(height).show(ui, theme).clicked() {
                pressed = Some(FooterButton::Skip);
            }
        }
        let buttons = |ui: &mut Ui| {
            let back = texts.get("guide-back");
            if step != Step::Language && Button::new(&back).height(height).show(ui, theme).clicked()
            {
                pressed = Some(FooterButton::Back);
            }
            // Who presses Enter, or clicks at the same place, in every step must not go on air.
            let go_live = texts.get("go-live");
            if last && Button::new(&go_live).height(height).show(ui, theme).clicked() {
                pressed = Some(FooterButton::GoLive);
            }
            let next = texts.get(match step {
                Step::Devices => key!("guide-that-is-me"),
                Step::Ready => key!("guide-open-studio"),
                _ => key!("guide-next"),
            });
            let button = Button::new(&next).weight(ButtonWeight::Primary).height(height);
            let response = button.width(width_of(ui, &next)).show(ui, theme);
            if arrived {
                response.request_focus();
            }
            if response.clicked() {
                pressed = Some(FooterButton::Next);
            }
        };
        at_right_end(ui, buttons);
    }
    pressed
}

/// Returns the width of the button that continues: wide enough for the text, and at least the
/// minimum.
fn width_of(ui: &Ui, text: &str) -> f32 {
    let galley =
        ui.painter().layout_no_wrap(text.to_owned(), Type::BodyStrong.font(), Color32::WHITE);
    (galley.size().x + 2.0 * gap::XL).max(104.0)
}
