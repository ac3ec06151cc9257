//! The card of a guest: what the camera shows, name and state, and the buttons.

use egui::{CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, Vec2, WidgetInfo, pos2, vec2};

use crate::mix;
use crate::server::guests::GuestState;
use crate::studio::Command;
use crate::studio::command::GuestCommand;
use crate::studio::snapshot::GuestFigures;
use crate::ui::input::actions::key;
use crate::ui::studio_page::guests::states::{state_color, state_key};
use crate::ui::studio_page::share;
use crate::ui::style::icons::{self, Icon};
use crate::ui::style::theme::{CARD_RADIUS, FRAME_BACKGROUND, Type, gap};
use crate::ui::targets::child;
use crate::ui::view::View;
use crate::ui::widgets::{
    Button, ButtonWeight, icon_button, popup, row_in, slider, truncated, weighted_icon_button,
};

/// The height of a card.
pub(super) const HEIGHT_POINTS: f32 = 108.0;
/// The usual and the largest width of a card.
const WIDTH_POINTS: (f32, f32) = (220.0, 300.0);
/// The size of the image, and that in a narrow card.
const IMAGE_SIZES_POINTS: [Vec2; 2] = [vec2(96.0, 54.0), vec2(64.0, 36.0)];
/// The side of the buttons. Those of a guest on air fit in a narrow card.
const BUTTON_SIDE_POINTS: f32 = 26.0;
/// The minimum width of the fader.
const MIN_FADER_WIDTH_POINTS: f32 = 36.0;
/// The side of the QR code, and of the popup around it.
const QR_CODE_SIDE_POINTS: f32 = 180.0;

/// Returns the number of cards in a line of this width.
pub(super) fn in_line(room: f32) -> usize {
    ((room + gap::S) / (WIDTH_POINTS.0 + gap::S)).floor().max(1.0) as usize
}

/// Returns the width of the cards, if there are this many in a line of this width.
pub(super) fn width(room: f32, in_line: usize) -> f32 {
    let count = in_line.max(1) as f32;
    ((room - (count - 1.0) * gap::S) / count).floor().min(WIDTH_POINTS.1)
}

/// Draws the card of a guest.
pub(super) fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut share::Draft,
    guest: &GuestFigures,
    width: f32,
) {
    let theme = view.theme;
    let (card, response) = ui.allocate_exact_size(vec2(width, HEIGHT_POINTS), Sense::hover());
    let name = guest.shown_name();
    let state = view.texts.get(state_key(guest.state));
    let spoken = format!("{name}: {state}");
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, spoken.clone()));
    let radius = CornerRadius::same(CARD_RADIUS);
    ui.painter().rect_filled(card, radius, theme.raised);
    let border = match guest.state {
        GuestState::OnAir => Stroke::new(2.0, theme.live),
        _ => theme.border(),
    };
    ui.painter().rect_stroke(card, radius, border, StrokeKind::Inside);
    let inner = card.shrink(gap::S);
    let is_narrow = width < WIDTH_POINTS.0 - gap::XL;
    let [wide, narrow] = IMAGE_SIZES_POINTS;
    let place = Rect::from_min_size(inner.min, if is_narrow { narrow } else { wide });
    image(ui, view, draft, guest, (name, place));
    let text_place = Rect::from_min_max(
        pos2(place.right() + gap::S, inner.top()),
        pos2(inner.right(), inner.top() + wide.y),
    );
    let mut lines = child(ui, text_place, "words");
    lines.spacing_mut().item_spacing.y = 2.0;
    let color = state_color(theme, guest.state);
    truncated(&mut lines, name, Type::BodyStrong, theme.text);
    truncated(&mut lines, &state, Type::Small, color);
    if let Some(rtt) = guest.rtt {
        // Less than one packet in a hundred is no news.
        let text = match guest.loss.map(|loss| f64::from(loss) * 100.0) {
            Some(loss) if loss >= 1.0 => format!("{} ms · {loss:.0}\u{a0}%", rtt.as_millis()),
            _ => format!("{} ms", rtt.as_millis()),
        };
        let shown = truncated(&mut lines, &text, Type::Small, theme.secondary);
        shown.on_hover_text(&*view.texts.get("tip-guest-link"));
    }
    let foot = inner.with_min_y(inner.bottom() - BUTTON_SIDE_POINTS);
    let mut row = row_in(ui, foot, "buttons", if is_narrow { 2.0 } else { gap::XS });
    if let Some(command) = buttons(&mut row, view, draft, guest, name) {
        view.send(command);
    }
}

/// Draws what the camera shows, or a symbol in its place.
fn image(
    ui: &mut Ui,
    view: &View<'_>,
    draft: &mut share::Draft,
    guest: &GuestFigures,
    (name, place): (&str, Rect),
) {
    let theme = view.theme;
    ui.painter().rect_filled(place, CornerRadius::same(4), FRAME_BACKGROUND);
    let Some(preview) = &guest.preview else {
        let at = Rect::from_center_size(place.center(), vec2(20.0, 20.0));
        icons::paint(ui.painter(), Icon::NoVideo, at, theme.secondary);
        return;
    };
    let key = match guest.state {
        GuestState::OnAir => key!("guest-picture"),
        _ => key!("guest-preview"),
    };
    let words = view.texts.with(key, &[("name", name.into())]);
    draft.preview_of(&guest.id).fit(ui, &preview.0, &words, place);
}

/// Draws the buttons of a guest. Returns what the user asked for.
fn buttons(
    ui: &mut Ui,
    view: &View<'_>,
    draft: &mut share::Draft,
    guest: &GuestFigures,
    name: &str,
) -> Option<Command> {
    let (theme, texts) = (view.theme, view.texts);
    let id = || guest.id.clone();
    let mut asked = None;
    let mut press = |ui: &mut Ui, icon, weight, key: &'static str, command| {
        let full = format!("{}: {name}", texts.get(key));
        if weighted_icon_button(ui, theme, icon, &full, BUTTON_SIDE_POINTS, weight).clicked() {
            asked = Some(Command::Guest(command));
        }
    };
    let quiet = ButtonWeight::Quiet;
    match guest.state {
        GuestState::Lobby => {
            let text = texts.get("guest-admit");
            let full = format!("{text}: {name}");
            let button = Button::new(&text).name(&full).weight(ButtonWeight::Primary).small();
            if button.show(ui, theme).clicked() {
                return Some(Command::Guest(GuestCommand::Admit(id())));
            }
        }
        GuestState::OnAir => {
            let (icon, weight, key) = match guest.muted {
                true => (Icon::SpeakerOff, ButtonWeight::Warn, key!("guest-unmute")),
                false => (Icon::Speaker, quiet, key!("guest-mute")),
            };
            press(ui, icon, weight, key, GuestCommand::Mute(id(), !guest.muted));
            let (icon, weight, key) = match guest.hidden {
                true => (Icon::EyeOff, ButtonWeight::Warn, key!("guest-show")),
                false => (Icon::Eye, quiet, key!("guest-hide")),
            };
            press(ui, icon, weight, key, GuestCommand::Hide(id(), !guest.hidden));
        }
        GuestState::Invited | GuestState::Away => invitation(ui, view, draft, guest, name),
        GuestState::Left => {}
    }
    let (weight, key) = match guest.tagged {
        true => (quiet, key!("guest-untag")),
        false => (ButtonWeight::Warn, key!("guest-tag")),
    };
    press(ui, Icon::Text, weight, key, GuestCommand::Tag(id(), !guest.tagged));
    if guest.state == GuestState::OnAir {
        let dismiss = GuestCommand::Dismiss(id());
        press(ui, Icon::Previous, quiet, key!("guest-dismiss"), dismiss);
    }
    press(ui, Icon::Trash, quiet, key!("guest-remove"), GuestCommand::Remove(id()));
    asked.or(volume(ui, view, guest, name))
}

/// Draws the buttons that copy the link and show its QR code.
fn invitation(
    ui: &mut Ui,
    view: &View<'_>,
    draft: &mut share::Draft,
    guest: &GuestFigures,
    name: &str,
) {
    if guest.link.is_empty() {
        return;
    }
    let (theme, texts) = (view.theme, view.texts);
    let copy = format!("{}: {name}", texts.get("guest-copy"));
    if icon_button(ui, theme, Icon::Copy, &copy, BUTTON_SIDE_POINTS).clicked() {
        ui.ctx().copy_text(guest.link.clone());
    }
    let code = texts.get("guest-code");
    let full = format!("{code}: {name}");
    let button = icon_button(ui, theme, Icon::Share, &full, BUTTON_SIDE_POINTS);
    popup(&button, theme, QR_CODE_SIDE_POINTS, |ui| {
        draft.code_of(&guest.id).show(ui, &guest.link, &code, QR_CODE_SIDE_POINTS);
    });
}

/// Draws the fader of a guest on air in the rest of the line.
fn volume(ui: &mut Ui, view: &View<'_>, guest: &GuestFigures, name: &str) -> Option<Command> {
    let strip = guest.strip?;
    let before = &view.snapshot.strips.iter().find(|it| it.audio.id == strip)?.audio.strip;
    let mut gain_db = before.gain_db;
    let spoken = view.texts.with("gain-of", &[("name", name.into())]);
    let width = ui.available_width() - gap::XS;
    if width < MIN_FADER_WIDTH_POINTS {
        return None;
    }
    let moved = slider(ui, view.theme, &mut gain_db, -60.0..=20.0, 0.0, &spoken, width);
    // As in the mixer, the fader snaps to zero.
    if moved.dragged() && gain_db.abs() < 0.6 {
        gain_db = 0.0;
    }
    if gain_db.to_bits() == before.gain_db.to_bits() {
        return None;
    }
    let after = mix::Strip { gain_db, ..before.clone() };
    Some(Command::SetStrip { id: strip, before: before.clone(), strip: after })
}
