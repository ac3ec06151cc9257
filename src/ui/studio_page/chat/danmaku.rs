//! The *Danmaku* panel: the messages of the chat as they fly over the video, and the danmaku
//! options.

use std::sync::Arc;

use egui::{Align, CornerRadius, Rect, Sense, Ui, pos2, vec2};

use crate::studio::WatchCommand;
use crate::studio::watch::chat::ChatView;
use crate::studio::watch::own_chat::OwnChatView;
use crate::ui::input::actions::{Action, key};
use crate::ui::studio_page::chat::draft::Draft;
use crate::ui::studio_page::chat::none;
use crate::ui::style::theme::{CONTROL_RADIUS, FRAME_BACKGROUND, Type, VIDEO_TEXT_COLOR, gap};
use crate::ui::view::View;
use crate::ui::watch;
use crate::ui::watch::danmaku::MAX_INITIAL_MESSAGES;
use crate::ui::widgets::Wrapped;

/// The minimum height of the area over which messages fly.
const MIN_DANMAKU_HEIGHT_POINTS: f32 = 96.0;
/// The height of the options below.
const OPTIONS_HEIGHT_POINTS: f32 = 176.0;

/// Draws the panel with this height. Returns the action that the user selected.
pub fn show(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, height: f32) -> Option<Action> {
    let snapshot = view.snapshot;
    if snapshot.server.chat.is_none() && snapshot.chat.lines.is_empty() {
        return none(ui, view);
    }
    let size =
        vec2(ui.available_width(), (height - OPTIONS_HEIGHT_POINTS).max(MIN_DANMAKU_HEIGHT_POINTS));
    let (room, _) = ui.allocate_exact_size(size, Sense::hover());
    ui.painter().rect_filled(room, CornerRadius::same(CONTROL_RADIUS), FRAME_BACKGROUND);
    fly(ui, view, draft, room);
    ui.add_space(gap::XS);
    let mut choices = snapshot.chat_choices.clone();
    watch::chat::danmaku_options(ui, view, &mut choices);
    if choices != snapshot.chat_choices {
        watch::send(view, WatchCommand::SetChat(choices));
    }
    None
}

/// Draws the flying messages, or the reason why there are none.
fn fly(ui: &mut Ui, view: &View<'_>, draft: &mut Draft, room: Rect) {
    let (choices, now) = (&view.snapshot.chat_choices, ui.input(|input| input.time));
    let snapshot = view.snapshot;
    take(snapshot.server.chat.as_ref(), &snapshot.chat, draft, now);
    let still = match (choices.flying, view.theme.still) {
        (false, _) => Some(key!("danmaku-off")),
        (true, true) => Some(key!("danmaku-still")),
        (true, false) => None,
    };
    let Some(still) = still else {
        if draft.sky.is_busy() {
            watch::chat::draw_danmaku(ui, view, &mut draft.sky, room);
        } else {
            quiet(ui, view, room, key!("danmaku-none"));
        }
        return;
    };
    draft.sky.clear();
    quiet(ui, view, room, still);
}

fn quiet(ui: &Ui, view: &View<'_>, room: Rect, key: &'static str) {
    let text = view.texts.get(key);
    let inner = room.shrink(gap::S);
    let (width, height) = (inner.width(), inner.height());
    let words =
        Wrapped::new(ui, &text, Type::Small, VIDEO_TEXT_COLOR, width, height, Align::Center);
    words.paint(ui, pos2(inner.left(), inner.center().y - words.height() / 2.0));
}

/// Adds the new messages of onair's own chat or, without one, those of the watched stream's chat.
/// Deleted messages disappear, and so do those of another chat.
fn take(own: Option<&OwnChatView>, watched: &ChatView, draft: &mut Draft, now: f64) {
    let Draft { sky, flown, chat, .. } = draft;
    let current = own.is_none().then_some(watched.generation);
    if std::mem::replace(chat, current) != current {
        sky.clear();
        *flown = 0;
    }
    if let Some(own) = own {
        let newest = own.posts.last().map_or(0, |post| post.id);
        let before = std::mem::replace(flown, newest);
        if before > 0 || own.posts.len() <= MAX_INITIAL_MESSAGES {
            let new = own.posts.iter().filter(|post| post.id > before);
            new.for_each(|post| sky.add(Arc::new(post.line.clone()), now));
        }
        sky.keep(|line| own.posts.iter().any(|post| post.line == **line));
    } else {
        let lines = &watched.lines;
        let newest = lines.last().map_or(0, |message| message.number);
        let before = std::mem::replace(flown, newest);
        if before > 0 || lines.len() <= MAX_INITIAL_MESSAGES {
            let new = lines.iter().filter(|it| it.number > before && it.refusal.is_none());
            new.for_each(|message| sky.add(Arc::clone(&message.line), now));
        }
        sky.keep(|line| lines.iter().any(|message| Arc::ptr_eq(&message.line, line)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::watch::chat::ReceivedLine;
    use crate::wire::chat::{ChatLine, ChatPost, ChatRole};

    #[test]
    fn the_earlier_messages_of_another_chat_do_not_fly() {
        let line = ChatLine::new("ann", "hello").unwrap();
        let role = ChatRole::Viewer;
        let own = |last: u64| {
            let post = |id| ChatPost { id, from: 1, role, line: line.clone() };
            OwnChatView { posts: (1..=last).map(post).collect(), ..OwnChatView::default() }
        };
        let of = |generation, last: u64| {
            let message = |number| {
                let line = Arc::new(line.clone());
                ReceivedLine { number, id: None, role, line, refusal: None }
            };
            let lines = (1..=last).map(message).collect();
            ChatView { lines, generation, ..ChatView::default() }
        };
        let mut draft = Draft::default();
        let mut flies = |own: Option<&OwnChatView>, watched: &ChatView| {
            take(own, watched, &mut draft, 0.0);
            draft.sky.is_busy()
        };
        assert!(!flies(Some(&own(5)), &of(1, 50)));
        assert!(flies(Some(&own(6)), &of(1, 50)));
        // The server stops, so the panel shows the other chat, whose numbers are higher.
        assert!(!flies(None, &of(1, 50)));
        assert!(flies(None, &of(1, 51)));
        assert!(!flies(None, &of(2, 60)));
    }
}
