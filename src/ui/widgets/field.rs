//! Fields for texts and numbers.

use std::cell::{Cell, RefCell};
use std::ops::RangeInclusive;

use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{
    Align2, Context, CornerRadius, DragValue, FocusDirection, Id, Key, Margin, Response, Stroke,
    StrokeKind, TextEdit, Ui, UiBuilder, Vec2, vec2,
};

use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{
    BORDER_WIDTH, CONTROL_RADIUS, FOCUS_RING_WIDTH, Theme, Type, gap, size,
};
use crate::ui::text::Texts;
use crate::ui::view::View;
use crate::ui::widgets::{focus_in_view, focus_ring, icon_button, paragraph, scroll};

/// A single-line text field with a border, and small buttons at its end.
#[derive(Debug)]
pub struct Field<'a> {
    pub id: Id,
    pub text: &'a mut String,
    /// The accessible name.
    pub name: &'a str,
    pub hint: &'a str,
    /// True if the field displays dots instead of characters.
    pub hidden: bool,
    /// True if the field is marked as invalid.
    pub wrong: bool,
    pub limit: usize,
    /// The icon and name of each button.
    pub buttons: &'a [(Icon, &'a str)],
    pub width: f32,
}

/// The events of a field.
#[derive(Debug)]
pub struct FieldOutcome {
    /// The response of the text field.
    pub response: Response,
    /// The index of the pressed button.
    pub pressed: Option<usize>,
}

impl<'a> Field<'a> {
    /// Creates a field without a name, a hint or buttons. Its width is zero, and its text has no
    /// limit.
    pub fn new(id: Id, text: &'a mut String) -> Self {
        Self {
            id,
            text,
            name: "",
            hint: "",
            hidden: false,
            wrong: false,
            limit: usize::MAX,
            buttons: &[],
            width: 0.0,
        }
    }

    pub fn show(self, ui: &mut Ui, theme: &Theme) -> FieldOutcome {
        let (rect, _) =
            ui.allocate_exact_size(vec2(self.width, size::CONTROL_HEIGHT), egui::Sense::hover());
        let frame = ui.painter().add(egui::Shape::Noop);
        let side = 26.0;
        let buttons_width = self.buttons.len() as f32 * side;
        let mut inner = rect.shrink2(vec2(0.0, 1.0));
        inner.max.x -= buttons_width + if self.buttons.is_empty() { 0.0 } else { gap::XS };
        let edit = TextEdit::singleline(self.text)
            .id(self.id)
            .frame(egui::Frame::NONE.inner_margin(Margin::symmetric(10, 0)))
            .font(Type::Body.font())
            .text_color(theme.text)
            .hint_text(egui::RichText::new(self.hint).color(theme.secondary))
            .password(self.hidden)
            .char_limit(self.limit)
            .desired_width(inner.width())
            .min_size(inner.size())
            .align(Align2::LEFT_CENTER);
        let mut child = ui.new_child(UiBuilder::new().max_rect(inner));
        find_control_before(ui, self.id);
        let mut output = edit.show(&mut child);
        if self.hidden {
            // The undo history must not keep a secret text.
            output.state.clear_undoer();
            output.state.store(ui.ctx(), self.id);
        }
        let response = output.response.response.accessible_name(self.name);
        follow_enter(ui, &response);
        let focused = response.has_focus();
        if focused {
            focus_in_view(ui, self.id, rect);
        }
        let width = if focused { FOCUS_RING_WIDTH } else { BORDER_WIDTH };
        let border = if self.wrong {
            Stroke::new(width, theme.warn)
        } else if focused {
            Stroke::new(width, theme.accent)
        } else if response.hovered() {
            Stroke::new(width, theme.secondary)
        } else {
            theme.border()
        };
        let (radius, kind) = (CornerRadius::same(CONTROL_RADIUS), StrokeKind::Inside);
        let shape = egui::epaint::RectShape::new(rect, radius, theme.raised, border, kind);
        ui.painter().set(frame, shape);
        let mut pressed = None;
        for (index, (icon, name)) in self.buttons.iter().enumerate() {
            let left = rect.right() - gap::XS - buttons_width + index as f32 * side;
            let at = egui::Rect::from_min_size(
                egui::pos2(left, rect.center().y - side / 2.0),
                egui::Vec2::splat(side),
            );
            let mut child = ui.new_child(UiBuilder::new().max_rect(at).id_salt((self.id, index)));
            if icon_button(&mut child, theme, *icon, name, side).clicked() {
                pressed = Some(index);
            }
        }
        FieldOutcome { response, pressed }
    }
}

/// The field from which Enter took the keyboard focus.
#[derive(Copy, Clone, Debug)]
struct EnteredField {
    id: Id,
    /// The direction in which Tab or Shift+Tab moves the focus from the field in this pass.
    tabbed: FocusDirection,
    /// The control before the field, which gets the focus in the next pass.
    before: Option<Id>,
}

impl EnteredField {
    fn key(ctx: &Context) -> Id {
        Id::unique(("entered-field", ctx.viewport_id()))
    }

    fn load(ctx: &Context) -> Option<Self> {
        let key = Self::key(ctx);
        ctx.data(|data| data.get_temp(key))
    }

    fn store(self, ctx: &Context) {
        let key = Self::key(ctx);
        ctx.data_mut(|data| data.insert_temp(key, self));
    }
}

/// Lets Tab and Shift+Tab continue at the field from which Enter took the keyboard focus, until
/// another control gets the focus or the user presses the pointer. Call this at the start of each pass.
pub fn continue_after_enter(ctx: &Context) {
    let Some(entered) = EnteredField::load(ctx) else { return };
    let key = EnteredField::key(ctx);
    let (is_tab, modifiers, is_pointed) = ctx
        .input(|input| (input.key_pressed(Key::Tab), input.modifiers, input.pointer.any_pressed()));
    let is_free = ctx.memory(|memory| memory.focused().is_none());
    let is_drawn = ctx.read_response(entered.id).is_some();
    let is_tabbed = entered.tabbed != FocusDirection::None;
    if is_tabbed || is_pointed || !is_free || !is_drawn {
        ctx.data_mut(|data| data.remove::<EnteredField>(key));
    }
    if is_tabbed && is_free {
        ctx.memory_mut(|memory| match entered.before {
            Some(before) => memory.request_focus(before),
            // No control comes after the field, so the first one gets the focus.
            None => memory.move_focus(entered.tabbed),
        });
    } else if is_tab && is_free && is_drawn && (modifiers.is_none() || modifiers.shift_only()) {
        // The first or last control of the window must not get the focus.
        ctx.memory_mut(|memory| memory.move_focus(FocusDirection::None));
        let tabbed = match modifiers.shift {
            true => FocusDirection::Previous,
            false => FocusDirection::Next,
        };
        EnteredField { tabbed, ..entered }.store(ctx);
        ctx.request_repaint();
    }
}

/// Finds the control before the field that Enter left, if the user pressed Shift+Tab. Call this before
/// the field is drawn.
fn find_control_before(ui: &Ui, id: Id) {
    let is_it = |it: EnteredField| it.id == id && it.tabbed == FocusDirection::Previous;
    if EnteredField::load(ui.ctx()).is_some_and(is_it) {
        // When the field is drawn, egui gives the focus to the control that was drawn before it.
        ui.memory_mut(|memory| memory.move_focus(FocusDirection::Previous));
    }
}

/// Notes that Enter took the keyboard focus from a field. If the user pressed Tab or Shift+Tab since
/// then, the control after or before the field gets the focus. Call this after the field is drawn.
fn follow_enter(ui: &Ui, response: &Response) {
    let had_focus = ui.memory(|memory| memory.had_focus_last_frame(response.id));
    if had_focus && response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)) {
        let tabbed = FocusDirection::None;
        EnteredField { id: response.id, tabbed, before: None }.store(ui.ctx());
    }
    let entered = EnteredField::load(ui.ctx()).filter(|it| it.id == response.id);
    let Some(entered) = entered else { return };
    match entered.tabbed {
        FocusDirection::Next => ui.memory_mut(|memory| memory.move_focus(FocusDirection::Next)),
        FocusDirection::Previous => {
            // A control that gets the focus after it was drawn does not notice it.
            let before = ui.memory_mut(|memory| {
                let before = memory.focused();
                memory.stop_text_input();
                memory.move_focus(FocusDirection::None);
                before
            });
            EnteredField { before, ..entered }.store(ui.ctx());
        }
        _ => {}
    }
}

/// Selects the whole text of a field, so that new input replaces it.
pub fn select_all(ui: &Ui, id: Id, text: &str) {
    let mut state = TextEditState::load(ui.ctx(), id).unwrap_or_default();
    let all = CCursorRange::two(CCursor::new(0), CCursor::new(text.chars().count()));
    state.cursor.set_char_range(Some(all));
    state.store(ui.ctx(), id);
}

/// A text field with several lines and a border, in which longer texts scroll.
#[derive(Debug)]
pub struct TextBox<'a> {
    pub id: Id,
    pub text: &'a mut String,
    /// The accessible name.
    pub name: &'a str,
    pub rows: usize,
    pub limit: usize,
    pub width: f32,
}

impl TextBox<'_> {
    pub fn show(self, ui: &mut Ui, theme: &Theme) -> Response {
        let frame = egui::Frame::new()
            .fill(theme.raised)
            .stroke(theme.border())
            .corner_radius(CornerRadius::same(CONTROL_RADIUS))
            .inner_margin(Margin::symmetric(10, 6));
        let height = Type::Body.font().size * 1.5 * self.rows as f32;
        let shown = frame.show(ui, |ui| {
            let area = egui::ScrollArea::vertical().max_height(height);
            let edit = TextEdit::multiline(self.text)
                .id(self.id)
                .frame(egui::Frame::NONE)
                .font(Type::Body.font())
                .text_color(theme.text)
                .char_limit(self.limit)
                .desired_rows(self.rows)
                .desired_width(self.width - 20.0);
            scroll(area, self.id, ui, |ui| ui.add(edit)).inner.accessible_name(self.name)
        });
        if shown.inner.has_focus() {
            let (rect, radius) = (shown.response.rect, CornerRadius::same(CONTROL_RADIUS));
            let ring = Stroke::new(FOCUS_RING_WIDTH, theme.accent);
            ui.painter().rect_stroke(rect, radius, ring, StrokeKind::Inside);
            focus_in_view(ui, self.id, rect);
        }
        shown.inner
    }
}

/// The reason why the text of a number field is not its value.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum NumberFault {
    NotANumber,
    /// The number is below this smallest value, which applies instead.
    TooSmall(f64),
    /// The number is above this largest value, which applies instead.
    TooLarge(f64),
}

impl NumberFault {
    /// Returns the message beside the field.
    pub fn say(self, ui: &Ui, texts: &Texts, unit: &str) -> String {
        let (key, limit) = match self {
            Self::NotANumber => return texts.get("number-wrong").to_string(),
            Self::TooSmall(limit) => (key!("number-small"), limit),
            Self::TooLarge(limit) => (key!("number-large"), limit),
        };
        let limit = with_minus(&ui.style().number_formatter.format(limit, 0..=2));
        texts.with(key, &[("limit", format!("{limit}{unit}").into())])
    }
}

/// Draws the message below a field whose text is not its value.
pub fn number_fault(ui: &mut Ui, view: &View<'_>, fault: Option<NumberFault>, unit: &str) {
    if let Some(fault) = fault {
        paragraph(ui, &fault.say(ui, view.texts, unit), Type::Small, view.theme.warn);
    }
}

/// A text that stays in its number field although it is not the value.
#[derive(Clone, Debug, Default)]
struct KeptText {
    text: String,
    /// The value that applies.
    value: f64,
    /// The value before, which the field shows until its owner has the new one.
    before: f64,
    /// True if the user has left the field or pressed Enter since the text was typed.
    is_entered: bool,
}

impl KeptText {
    fn fits(&self, now: f64) -> bool {
        is_near(self.value, now) || is_near(self.before, now)
    }
}

/// Compares the value of a field with the same value from its owner, who may have converted it.
fn is_near(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-6 * one.abs().max(1.0)
}

/// Draws a field for a number in this range, which the user can type or drag. Returns in addition
/// the reason if the text in the field is not its value. The text then stays in the field.
pub fn number_field(
    ui: &mut Ui,
    theme: &Theme,
    field: DragValue<'_>,
    range: RangeInclusive<f64>,
    (name, unit): (&str, &str),
    size: Vec2,
) -> (Response, Option<NumberFault>) {
    let id = ui.next_auto_id();
    let wrong = id.with("wrong");
    let known: Option<KeptText> = ui.data(|data| data.get_temp(wrong));
    let (now, typed) = (Cell::new(f64::NAN), RefCell::new(None));
    let formatter = ui.style().number_formatter.clone();
    let is_edited = ui.memory(|memory| memory.has_focus(id));
    let field = DragValue::custom_formatter(field.range(range.clone()), |value, decimals| {
        now.set(value);
        match &known {
            Some(known) if known.fits(value) => known.text.clone(),
            _ if is_edited => formatter.format(value, decimals),
            _ => with_minus(&formatter.format(value, decimals)),
        }
    });
    let field = field.custom_parser(|text| {
        let read = read_number(text, unit, &range);
        *typed.borrow_mut() = Some((text.to_owned(), read.err()));
        match read {
            Ok(value) | Err(NumberFault::TooSmall(value) | NumberFault::TooLarge(value)) => {
                Some(value)
            }
            Err(NumberFault::NotANumber) => None,
        }
    });
    let before = ui.visuals().override_text_color;
    if known.is_some() {
        ui.visuals_mut().override_text_color = Some(theme.warn);
    }
    find_control_before(ui, id);
    let response = ui.add(field.suffix(unit).min_size(size)).accessible_name(name);
    ui.visuals_mut().override_text_color = before;
    follow_enter(ui, &response);
    focus_ring(ui, theme, &response, CONTROL_RADIUS);
    // Escape brings the number back. egui reads the text once more in the next pass.
    let (pass, left) = (ui.ctx().cumulative_pass_nr(), wrong.with("left"));
    if response.lost_focus() && ui.input(|input| input.key_pressed(Key::Escape)) {
        ui.data_mut(|data| data.insert_temp(left, pass));
    }
    let escaped = ui.data(|data| data.get_temp::<u64>(left)).is_some_and(|at| pass <= at + 2);
    let (now, typed) = (now.get(), typed.take());
    let known = match typed {
        _ if escaped => None,
        Some((text, fault)) => fault.map(|fault| {
            let value = match fault {
                NumberFault::NotANumber => now,
                NumberFault::TooSmall(limit) | NumberFault::TooLarge(limit) => limit,
            };
            KeptText { text, value, before: now, is_entered: false }
        }),
        None => {
            known.filter(|known| known.fits(now)).map(|known| match is_near(known.value, now) {
                true => KeptText { before: known.value, ..known },
                false => known,
            })
        }
    };
    let is_left = !response.has_focus();
    let known = known.map(|known| KeptText { is_entered: known.is_entered || is_left, ..known });
    // A half-typed number is not reported.
    let fault = known.as_ref().and_then(|known| {
        let is_done = known.is_entered || known.text.contains(char::is_alphabetic);
        read_number(&known.text, unit, &range).err().filter(|_| is_done)
    });
    ui.data_mut(|data| {
        if let Some(known) = known {
            data.insert_temp(wrong, known);
        } else {
            data.remove_temp::<KeptText>(wrong);
        }
    });
    (response, fault)
}

/// Reads a number in this range.
fn read_number(text: &str, unit: &str, range: &RangeInclusive<f64>) -> Result<f64, NumberFault> {
    match parse_number(text, unit).ok_or(NumberFault::NotANumber)? {
        value if value < *range.start() => Err(NumberFault::TooSmall(*range.start())),
        value if value > *range.end() => Err(NumberFault::TooLarge(*range.end())),
        value => Ok(value),
    }
}

/// Returns the text of a number with a Unicode minus sign, as in the rest of the window. Zero has no
/// sign.
fn with_minus(text: &str) -> String {
    let is_zero = !text.contains(|it: char| matches!(it, '1'..='9'));
    text.replace('-', if is_zero { "" } else { "−" })
}

/// Parses a number, with or without its unit.
fn parse_number(text: &str, unit: &str) -> Option<f64> {
    let text = text.trim();
    let text = text.strip_suffix(unit.trim()).unwrap_or(text);
    let text: String = text.chars().filter(|it| !it.is_whitespace()).collect();
    with_point(text.replace('−', "-")).parse().ok().filter(|number: &f64| number.is_finite())
}

/// Replaces a decimal comma. Between a whole number and three digits, a comma stays, because it may
/// separate thousands.
fn with_point(text: String) -> String {
    match text.split_once(',') {
        Some((whole, decimals))
            if !whole.contains('.')
                && !decimals.is_empty()
                && decimals.bytes().all(|it| it.is_ascii_digit())
                && (decimals.len() != 3 || matches!(whole, "" | "-" | "0" | "-0")) =>
        {
            format!("{whole}.{decimals}")
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use egui::{Event, Memory, Modifiers, RawInput, Rect, Sense, Shape, pos2};

    use super::*;

    #[test]
    fn after_enter_in_the_last_field_tab_and_shift_tab_do_not_stop() {
        let (ctx, mut text) = (Context::default(), String::new());
        let (first, field) = (Id::unique("first"), Id::unique("field"));
        let mut pass = |pressed: Option<(Key, Modifiers)>| {
            let mut input = RawInput::default();
            if let Some((key, modifiers)) = pressed {
                let (physical_key, repeat) = (None, false);
                let press = |pressed| Event::Key { key, physical_key, pressed, repeat, modifiers };
                input.events = vec![Event::ModifiersChanged(modifiers), press(true), press(false)];
            }
            let mut output = ctx.run_ui(input, |ui| {
                continue_after_enter(ui.ctx());
                let place = Rect::from_min_size(pos2(0.0, 100.0), vec2(20.0, 20.0));
                ui.interact(place, first, Sense::click());
                Field { width: 100.0, ..Field::new(field, &mut text) }.show(ui, &Theme::DARK);
            });
            output.textures_delta.clear();
            ctx.memory(Memory::focused)
        };
        for modifiers in [Modifiers::NONE, Modifiers::SHIFT] {
            pass(None);
            ctx.memory_mut(|memory| memory.request_focus(field));
            assert_eq!(pass(None), Some(field));
            assert_eq!(pass(Some((Key::Enter, Modifiers::NONE))), None);
            assert_eq!(pass(Some((Key::Tab, modifiers))), None, "{modifiers:?}");
            assert_eq!(pass(None), Some(first), "{modifiers:?}");
        }
    }

    #[test]
    fn a_negative_number_has_a_minus_sign_until_it_is_edited() {
        let (ctx, mut number) = (Context::default(), -36.5);
        let mut pass = || {
            let mut id = None;
            let mut output = ctx.run_ui(RawInput::default(), |ui| {
                let field = DragValue::new(&mut number).max_decimals(1);
                let (range, named, size) = (-60.0..=0.0, ("Level", " dB"), vec2(90.0, 26.0));
                id = Some(number_field(ui, &Theme::DARK, field, range, named, size).0.id);
            });
            output.textures_delta.clear();
            let texts = output.shapes.iter().filter_map(|it| match &it.shape {
                Shape::Text(text) => Some(text.galley.text().to_owned()),
                _ => None,
            });
            (id.unwrap(), texts.collect::<Vec<_>>())
        };
        let (id, texts) = pass();
        assert!(texts.iter().any(|text| text.starts_with("−36.5")), "{texts:?}");
        ctx.memory_mut(|memory| memory.request_focus(id));
        let (_, texts) = pass();
        assert!(texts.iter().any(|text| text.starts_with("-36.5")), "{texts:?}");
    }

    #[test]
    fn numbers_are_read_with_and_without_their_unit() {
        for (text, unit, number) in [
            ("5", "", 5.0),
            (" −1 000.5 px", " px", -1_000.5),
            ("90°", "°", 90.0),
            ("12", "\u{a0}%", 12.0),
            ("12 %", "\u{a0}%", 12.0),
            ("33,5", "", 33.5),
            ("−0,125 px", " px", -0.125),
            (",125", "", 0.125),
            ("−,125", "", -0.125),
        ] {
            assert_eq!(parse_number(text, unit), Some(number), "{text}");
        }
        for text in ["", "x", "1e999", "nan", "inf", "1,", "1,000", "1,5,0", "1.5,0", "5 px"] {
            assert_eq!(parse_number(text, "°"), None, "{text}");
        }
    }

    #[test]
    fn a_number_outside_of_the_range_gives_way_to_the_limit() {
        let read = |text| read_number(text, " px", &(-20.0..=60.0));
        assert_eq!(read("60 px"), Ok(60.0));
        assert_eq!(read("61"), Err(NumberFault::TooLarge(60.0)));
        assert_eq!(read("-1e30"), Err(NumberFault::TooSmall(-20.0)));
        assert_eq!(read("1e999"), Err(NumberFault::NotANumber));
    }
}
