//! The chat of a stream: a list beside the frame, a field for new messages, and danmaku over the
//! frame.

use std::sync::Arc;

use egui::epaint::RectShape;
use egui::text::LayoutJob;
use egui::{
    Align, Color32, CornerRadius, Id, Key, Layout, Rect, Response, Role, ScrollArea, Sense, Shape,
    TextFormat, Ui, WidgetInfo, pos2, vec2,
};

use crate::player::chat::ChatState;
use crate::studio::watch::chat::{
    ChatChoices, ChatView, MAX_BLOCKED_WORD_CHARS, MAX_BLOCKED_WORDS, OPACITY_RANGE,
    SPEED_FACTOR_RANGE, TEXT_SIZE_RANGE_POINTS, check_place,
};
use crate::studio::watch::choices::MAX_ADDRESS_LENGTH;
use crate::studio::watch::own_chat::ChatCommand;
use crate::studio::watch::view::WatchState;
use crate::studio::{Command, Snapshot, WatchCommand};
use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{FRAME_BACKGROUND, Type, VIDEO_TEXT_COLOR, gap, size};
use crate::ui::view::View;
use crate::ui::watch::commands::{name_of, send};
use crate::ui::watch::danmaku::{DanmakuLayer, MAX_INITIAL_MESSAGES};
use crate::ui::watch::draft::Draft;
use crate::ui::widgets::{
    Button, ButtonWeight, Field, icon_button, label, named_switch, paragraph, popup, section,
    slider, truncated,
};
use crate::wire::chat::{ChatLine, ChatRefusal, ChatRole, MAX_NAME_CHARS, MAX_TEXT_CHARS};

/// The fraction of the frame's height that danmaku uses, from the top.
const DANMAKU_HEIGHT_FRACTION: f32 = 0.6;
/// The height of a lane, relative to the font size.
const LANE_HEIGHT_RATIO: f32 = 1.5;
/// The time between two repaints while danmaku moves.
const REPAINT_INTERVAL: std::time::Duration = std::time::Duration::from_millis(33);
/// The space on both sides of the text on a badge, in points.
const BADGE_PADDING_POINTS: f32 = 5.0;
/// The minimum height of the list, in points. In less space, the list is omitted.
const MIN_LIST_HEIGHT: f32 = 60.0;

/// Returns the id of the message field.
fn field() -> Id {
    Id::unique("chat-say")
}

/// Draws the chat in the panel. The heading is *Chat* if `titled` is true, and otherwise the name
/// of the stream.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, titled: bool) {
    let (theme, texts) = (view.theme, view.texts);
    let size = vec2(ui.available_width(), size::SMALL_CONTROL_HEIGHT);
    // The button is drawn first, because a heading takes all the available width.
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        options(ui, view, draft);
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            if titled {
                section(ui, theme, &texts.get("chat"));
            } else {
                let of = name_of(&view.snapshot.watch_figures.url);
                truncated(ui, &of, Type::Small, theme.secondary);
            }
        });
    });
    let state = view.snapshot.chat.state.clone();
    let open = state == Some(ChatState::Open);
    let foot = if state.is_some() { size::CONTROL_HEIGHT + gap::S } else { 0.0 };
    let height = ui.available_height() - foot;
    if height >= MIN_LIST_HEIGHT {
        ui.allocate_ui(vec2(ui.available_width(), height), |ui| {
            ui.set_min_height(height);
            trouble(ui, view, state.as_ref());
            lines(ui, view);
        });
    }
    if state.is_none() {
        return;
    }
    take_back(&view.snapshot.chat, draft);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = gap::S;
        let (name, hint, send_text) =
            (texts.get("chat-say"), texts.get("chat-say-hint"), texts.get("chat-send"));
        let button = 64.0;
        let kept = Field {
            name: &name,
            hint: &hint,
            limit: MAX_TEXT_CHARS,
            width: ui.available_width() - button - gap::S,
            ..Field::new(field(), &mut draft.message)
        }
        .show(ui, theme);
        let entered = kept.response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let can = open && !draft.message.trim().is_empty();
        let pressed = Button::new(&send_text)
            .weight(ButtonWeight::Primary)
            .width(button)
            .enabled(can)
            .show(ui, theme)
            .clicked();
        if can && (pressed || entered) {
            let text = std::mem::take(&mut draft.message);
            if is_own(view.snapshot) {
                say_as_streamer(view, text);
            } else {
                send(view, WatchCommand::Say(text));
            }
        }
        if entered {
            kept.response.request_focus();
        }
    });
}

/// Puts the text of the next refused message back into its field, unless the user writes another
/// one.
fn take_back(chat: &ChatView, draft: &mut Draft) {
    let next = chat.returned.iter().find(|(number, _)| *number > draft.returned);
    if let Some((number, text)) = next
        && draft.message.is_empty()
    {
        draft.returned = *number;
        draft.message = text.to_string();
    }
}

/// Returns true if the chat of the selected player is that of onair's own stream, which the
/// streamer moderates.
pub fn is_own(snapshot: &Snapshot) -> bool {
    let (server, address) = (&snapshot.server, &snapshot.chat.address);
    server.chat.is_some() && address.as_ref().is_some_and(|it| server.is_own_chat(it))
}

/// Sends a message to the chat of onair's own stream, as the streamer.
pub fn say_as_streamer(view: &mut View<'_>, text: String) {
    let chosen = &view.snapshot.chat_choices.name;
    let name = match chosen.is_empty() {
        true => view.texts.get("chat-streamer").to_string(),
        false => chosen.clone(),
    };
    view.send(Command::Chat(ChatCommand::Say { name, text }));
}

/// Draws a text that explains why the chat is empty or accepts no messages.
fn trouble(ui: &mut Ui, view: &mut View<'_>, state: Option<&ChatState>) {
    let (theme, texts) = (view.theme, view.texts);
    let with = |key, cause| texts.with(key, &[("cause", texts.say(cause).into())]);
    let text = match state {
        Some(ChatState::Open) if view.snapshot.chat.lines.is_empty() => {
            texts.get("chat-empty").to_string()
        }
        // The player looks for a chat when the stream plays.
        None if matches!(view.snapshot.watch, WatchState::Opening { .. }) => {
            texts.get("watch-opening").to_string()
        }
        None | Some(ChatState::Absent) if view.snapshot.chat.lines.is_empty() => {
            match view.snapshot.chat.address {
                Some(_) => texts.get("chat-none").to_string(),
                // Without an address, the player did not look for a chat.
                None => texts.get("chat-unsought").to_string(),
            }
        }
        None | Some(ChatState::Open | ChatState::Absent) => return,
        Some(ChatState::Connecting) => texts.get("chat-connecting").to_string(),
        Some(ChatState::Lost { cause, .. }) => with("chat-lost", cause),
        Some(ChatState::Refused { cause }) => with("chat-refused", cause),
    };
    paragraph(ui, &text, Type::Small, theme.secondary);
    if let Some(ChatState::Lost { offered: Some(offered), .. }) = state {
        let (text, name) = (texts.get("remedy-trust"), texts.get("chat-trust"));
        let tip = offered.pin.to_string();
        let button = Button::new(&text).name(&name).small().show(ui, theme);
        if button.on_hover_text(tip).clicked() {
            send(view, WatchCommand::TrustChat(offered.pin));
        }
    }
}

/// Draws the messages, the newest at the bottom.
fn lines(ui: &mut Ui, view: &View<'_>) {
    let theme = view.theme;
    ScrollArea::vertical()
        .id_salt("chat-lines")
        .auto_shrink([false, false])
        .stick_to_bottom(true)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = gap::XS;
            for message in view.snapshot.chat.lines.iter() {
                let mut job = LayoutJob::default();
                job.wrap.max_width = ui.available_width();
                let own = message.line.name.is_empty();
                let name = append_role(&mut job, view, message.role, &message.line.name);
                let mut add = |text: &str, color| append(&mut job, text, color);
                if !name.is_empty() {
                    add(&format!("{name} "), theme.secondary);
                }
                let refusal = message.refusal.as_ref().map(|it| refusal_text(view, it));
                let text = refusal.as_deref().unwrap_or(&message.line.text);
                add(text, if own { theme.secondary } else { theme.text });
                add_message(ui, view, message.role, egui::Label::new(job).selectable(true));
            }
        });
}

/// Returns the reason why the server did not pass on the user's message.
fn refusal_text(view: &View<'_>, refusal: &ChatRefusal) -> String {
    let key = match (refusal.reason.as_str(), refusal.wait) {
        ("slow", Some(wait)) => {
            let seconds = wait.to_string();
            return view.texts.with("chat-refusal-slow", &[("seconds", seconds.into())]);
        }
        ("muted", _) => key!("chat-refusal-muted"),
        ("blocked", _) => key!("chat-refusal-blocked"),
        ("reserved", _) => key!("chat-refusal-reserved"),
        _ => key!("chat-refusal"),
    };
    view.texts.get(key).to_string()
}

/// Appends text in a color.
pub fn append(job: &mut LayoutJob, text: &str, color: Color32) {
    job.append(text, 0.0, TextFormat::simple(Type::Body.font(), color));
}

/// Returns the text on the badge of a role, if the role has one.
fn badge_of(view: &View<'_>, role: ChatRole) -> Option<Arc<str>> {
    match role {
        ChatRole::Viewer => None,
        ChatRole::Streamer => Some(view.texts.get("chat-streamer")),
        ChatRole::Moderator => Some(view.texts.get("chat-moderator")),
    }
}

/// Draws a message. If it begins with a badge, the badge has its own background, so no name can
/// look like it.
pub fn add_message(ui: &mut Ui, view: &View<'_>, role: ChatRole, message: egui::Label) -> Response {
    let theme = view.theme;
    let Some(badge) = badge_of(view, role) else { return ui.add(message) };
    let below = ui.painter().add(Shape::Noop);
    let response = ui.add(message);
    let font = Type::Body.font();
    let text = ui.painter().layout_no_wrap(badge.to_string(), font, theme.on_accent);
    let size = text.size() + vec2(2.0 * BADGE_PADDING_POINTS, 0.0);
    let plate = Rect::from_min_size(response.rect.min, size);
    ui.painter().set(below, RectShape::filled(plate, CornerRadius::same(4), theme.accent));
    response
}

/// Appends the text on the badge of a role. `add_message` draws its background. Returns the name to
/// display next to the badge, or an empty text if the name is the text of the badge.
pub fn append_role<'a>(
    job: &mut LayoutJob,
    view: &View<'_>,
    role: ChatRole,
    name: &'a str,
) -> &'a str {
    let Some(badge) = badge_of(view, role) else { return name };
    let format = TextFormat::simple(Type::Body.font(), view.theme.on_accent);
    job.append(&badge, BADGE_PADDING_POINTS, format.clone());
    job.append(" ", BADGE_PADDING_POINTS, format);
    if name == &*badge { "" } else { name }
}

/// Draws the options: the look of danmaku, the words that hide messages, and the user's name.
fn options(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("chat-options");
    let button = icon_button(ui, theme, Icon::Settings, &name, size::SMALL_CONTROL_HEIGHT);
    let is_open = popup(&button, theme, 280.0, |ui| {
        let mut choices = view.snapshot.chat_choices.clone();
        choose(ui, view, draft, &mut choices);
        place(ui, view, draft);
        if choices != view.snapshot.chat_choices {
            send(view, WatchCommand::SetChat(choices));
        }
    });
    if !is_open {
        draft.words = None;
        // The address in the field also applies when the popup is closed while the user edits it.
        if let Some((stream, typed)) = draft.chat_at.take()
            && stream == view.snapshot.watch_figures.url
        {
            go_there(view, &typed);
        }
    }
}

/// Draws the options of danmaku.
pub fn danmaku_options(ui: &mut Ui, view: &View<'_>, choices: &mut ChatChoices) {
    let (theme, texts) = (view.theme, view.texts);
    if named_switch(ui, theme, &texts.get("chat-flying"), "", Type::Body, choices.flying) {
        choices.flying = !choices.flying;
    }
    let percent = |value: f32| format!("{:.0}\u{a0}%", value * 100.0);
    let points = |value: f32| format!("{value:.0}");
    let standard = ChatChoices::default();
    type Words = fn(f32) -> String;
    let rows: [(&'static str, &mut f32, _, f32, Words); 3] = [
        (key!("chat-opacity"), &mut choices.opacity, OPACITY_RANGE, standard.opacity, percent),
        (key!("chat-speed"), &mut choices.speed, SPEED_FACTOR_RANGE, standard.speed, percent),
        (key!("chat-size"), &mut choices.size, TEXT_SIZE_RANGE_POINTS, standard.size, points),
    ];
    for (key, value, range, rest, words) in rows {
        let name = texts.get(key);
        section(ui, theme, &name);
        ui.horizontal(|ui| {
            slider(ui, theme, value, range, rest, &name, 190.0);
            label(ui, &words(*value), Type::FigureStrong, theme.text);
        });
    }
}

fn choose(ui: &mut Ui, view: &View<'_>, draft: &mut Draft, choices: &mut ChatChoices) {
    let (theme, texts) = (view.theme, view.texts);
    danmaku_options(ui, view, choices);
    let name = texts.get("chat-words");
    section(ui, theme, &name);
    let typed = draft.words.get_or_insert_with(|| choices.words.join(", "));
    let line = |id, text: &mut String, name: &str, hint: &str, limit, ui: &mut Ui| {
        let width = ui.available_width();
        Field { name, hint, limit, width, ..Field::new(Id::unique(id), text) }
            .show(ui, theme)
            .response
            .changed()
    };
    let hint = texts.get("chat-words-hint");
    if line("chat-words", typed, &name, &hint, MAX_BLOCKED_WORDS * MAX_BLOCKED_WORD_CHARS, ui) {
        let words = typed.split([',', '，', '、']).map(|word| word.trim().to_owned());
        choices.words = words.filter(|word| !word.is_empty()).take(MAX_BLOCKED_WORDS).collect();
    }
    let name = texts.get("chat-name");
    section(ui, theme, &name);
    let hint = texts.get("chat-name-hint");
    line("chat-name", &mut choices.name, &name, &hint, MAX_NAME_CHARS, ui);
}

/// Draws the field for the chat address of the current stream, for streams whose chat onair cannot
/// find.
fn place(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    let stream = view.snapshot.watch_figures.url.clone();
    if stream.is_empty() {
        return;
    }
    let now = view.snapshot.chat_choices.place_of(&stream).unwrap_or_default().to_owned();
    let typed = draft.chat_at.take().filter(|(of, _)| *of == stream);
    let mut typed = typed.map_or(now, |(_, text)| text);
    let name = texts.get("chat-at");
    section(ui, theme, &name).on_hover_text(&*texts.get("tip-chat-at"));
    let wrong = (!typed.trim().is_empty()).then(|| check_place(&typed).err()).flatten();
    let width = ui.available_width();
    let field = Field {
        name: &name,
        hint: &texts.get("chat-at-hint"),
        wrong: wrong.is_some(),
        limit: MAX_ADDRESS_LENGTH,
        width,
        ..Field::new(Id::unique("chat-at"), &mut typed)
    }
    .show(ui, theme);
    if let Some(why) = &wrong {
        paragraph(ui, &texts.say(why), Type::Small, theme.warn);
    } else if field.response.lost_focus() {
        go_there(view, &typed);
    }
    draft.chat_at = Some((stream, typed));
}

/// Joins the chat at this address, if the address is valid and has changed.
fn go_there(view: &mut View<'_>, typed: &str) {
    let (typed, stream) = (typed.trim(), &view.snapshot.watch_figures.url);
    let now = view.snapshot.chat_choices.place_of(stream).unwrap_or_default();
    if typed != now && (typed.is_empty() || check_place(typed).is_ok()) {
        send(view, WatchCommand::SetChatAddress(typed.to_owned()));
    }
}

/// Draws new messages as danmaku over the frame.
pub fn flying(ui: &mut Ui, view: &View<'_>, draft: &mut Draft, room: Rect) {
    take(&view.snapshot.chat, draft, ui.input(|input| input.time));
    if !view.snapshot.chat_choices.flying || view.theme.still {
        draft.sky.clear();
    } else if draft.sky.is_busy() {
        draw_danmaku(ui, view, &mut draft.sky, room);
    }
}

/// Lets the new messages of people fly. Deleted messages disappear.
fn take(chat: &ChatView, draft: &mut Draft, now: f64) {
    if std::mem::replace(&mut draft.chat_generation, chat.generation) != chat.generation {
        draft.sky.clear();
        draft.flown = 0;
    }
    let lines = &chat.lines;
    let newest = lines.last().map_or(draft.flown, |message| message.number);
    let before = std::mem::replace(&mut draft.flown, newest);
    if before > 0 || lines.len() <= MAX_INITIAL_MESSAGES {
        let new = lines.iter().filter(|it| it.number > before && it.refusal.is_none());
        new.for_each(|message| draft.sky.add(Arc::clone(&message.line), now));
    }
    if std::mem::replace(&mut draft.deletions, chat.deletions) != chat.deletions {
        draft.sky.keep(|line| lines.iter().any(|message| Arc::ptr_eq(&message.line, line)));
    }
}

/// Draws the messages in flight, and starts those that wait.
pub fn draw_danmaku(ui: &mut Ui, view: &View<'_>, sky: &mut DanmakuLayer, room: Rect) {
    let (choices, now) = (&view.snapshot.chat_choices, ui.input(|input| input.time));
    let font = egui::FontId { size: choices.size, ..Type::BodyStrong.font() };
    let lay = |text: &str, color| ui.painter().layout_no_wrap(text.to_owned(), font.clone(), color);
    let lane = choices.size * LANE_HEIGHT_RATIO;
    let lanes = ((room.height() * DANMAKU_HEIGHT_FRACTION - gap::M) / lane).max(0.0) as usize;
    sky.tick(now, room.width(), lanes, choices.speed, |line: &ChatLine| {
        lay(&line.text, VIDEO_TEXT_COLOR).size().x
    });
    let painter = ui.painter().with_clip_rect(room.intersect(ui.clip_rect()));
    let mut shown_texts = Vec::new();
    for flight in sky.flights() {
        let x = room.left() + flight.x(room.width(), now);
        let at = pos2(x, room.top() + gap::M + lane * flight.lane as f32);
        let (bright, dark) = (
            VIDEO_TEXT_COLOR.gamma_multiply(choices.opacity),
            FRAME_BACKGROUND.gamma_multiply(choices.opacity * 0.75),
        );
        // Letters with an outline are readable on every background.
        let shadow = lay(&flight.line.text, dark);
        for (dx, dy) in [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0), (1.5, 1.5)] {
            painter.galley(at + vec2(dx, dy), Arc::clone(&shadow), dark);
        }
        painter.galley(at, lay(&flight.line.text, bright), bright);
        shown_texts.push(flight.line.text.as_str());
    }
    let name = view.texts.with("chat-flies", &[("lines", shown_texts.join("; ").into())]);
    ui.interact(
        Rect::from_min_size(room.min, vec2(room.width(), 1.0)),
        ui.scope_id().with("danmaku"),
        Sense::hover(),
    )
    .widget_info(|| WidgetInfo::labeled(Role::Label, true, &name));
    ui.request_repaint_after(REPAINT_INTERVAL);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::watch::chat::ReceivedLine;

    fn message(number: u64, refusal: Option<ChatRefusal>) -> ReceivedLine {
        let line = Arc::new(ChatLine::new("ann", "hello").unwrap());
        ReceivedLine { number, id: None, role: ChatRole::Viewer, line, refusal }
    }

    #[test]
    fn the_texts_of_refused_messages_come_back_one_after_the_other() {
        let mut draft = Draft::default();
        draft.message.push_str("mine");
        let returned = [(1, Arc::<str>::from("one")), (2, Arc::from("two"))].into();
        let chat = ChatView { returned, ..ChatView::default() };
        let mut sent = Vec::new();
        for _ in 0..4 {
            take_back(&chat, &mut draft);
            sent.push(std::mem::take(&mut draft.message));
        }
        assert_eq!(sent, ["mine", "one", "two", ""]);
    }

    #[test]
    fn only_messages_of_people_fly() {
        let mut draft = Draft::default();
        let refusal = ChatRefusal { reason: "muted".to_owned(), wait: None, number: None };
        let mut chat =
            ChatView { lines: [message(1, Some(refusal))].into(), ..ChatView::default() };
        take(&chat, &mut draft, 0.0);
        assert!(!draft.sky.is_busy());
        chat.lines = chat.lines.iter().cloned().chain([message(2, None)]).collect();
        take(&chat, &mut draft, 0.0);
        assert!(draft.sky.is_busy());
    }

    #[test]
    fn the_earlier_messages_of_another_chat_do_not_fly() {
        let mut draft = Draft::default();
        let of = |generation, first, end| {
            let lines = (first..end).map(|number| message(number, None)).collect();
            ChatView { lines, generation, ..ChatView::default() }
        };
        take(&of(1, 1, 2), &mut draft, 0.0);
        assert!(draft.sky.is_busy());
        take(&of(2, 2, 2), &mut draft, 0.0);
        assert!(!draft.sky.is_busy(), "the messages of the last chat are gone");
        take(&of(2, 2, 32), &mut draft, 0.0);
        assert!(!draft.sky.is_busy());
        take(&of(2, 2, 33), &mut draft, 0.0);
        assert!(draft.sky.is_busy());
    }
}
