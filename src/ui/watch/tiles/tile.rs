//! The frame of one player, or a text in its place.

use std::borrow::Cow;

use egui::{
    CornerRadius, EventFilter, PointerButton, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui,
    Vec2, WidgetInfo,
};

use crate::player::WAITING_MESSAGE_ID;
use crate::studio::watch::view::{WatchFigures, WatchState};
use crate::studio::{Command, WatchCommand};
use crate::ui::input::actions::Action;
use crate::ui::input::hotkeys::accept_letters;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{
    CONTROL_RADIUS, FOCUS_RING_WIDTH, FRAME_BACKGROUND, VIDEO_TEXT_COLOR,
};
use crate::ui::text::{Texts, sentence as capitalized};
use crate::ui::video::placeholder::placeholder;
use crate::ui::video::{FrameView, fill_around};
use crate::ui::view::View;
use crate::ui::watch::commands::send;
use crate::ui::watch::draft::{Draft, PlayerLocation};
use crate::ui::watch::tiles::overlays;
use crate::ui::watch::viewport::Viewport;
use crate::ui::widgets::Button;

/// The state of a player as text.
#[derive(Debug)]
pub struct Sentence {
    pub icon: Icon,
    pub title: String,
    pub advice: String,
}

/// Returns true if playback has ended, failed or not begun.
pub fn can_play_again(state: &WatchState) -> bool {
    matches!(state, WatchState::Idle | WatchState::Ended | WatchState::Failed { .. })
}

/// Returns the text for a state.
pub fn sentence(texts: &Texts, state: &WatchState) -> Sentence {
    let plain = |icon, title: &'static str, advice: Cow<'_, str>| Sentence {
        icon,
        title: texts.get(title).to_string(),
        advice: advice.into_owned(),
    };
    let get = |key| Cow::Owned(texts.get(key).to_string());
    let with = |key, cause| Cow::Owned(texts.with(key, &[("cause", texts.say(cause).into())]));
    use crate::ui::input::actions::key;
    match state {
        WatchState::Playing => {
            plain(Icon::Broadcast, key!("watch-opening"), get(key!("watch-opening-advice")))
        }
        WatchState::Opening { stage } => {
            plain(Icon::Broadcast, key!("watch-opening"), get(waits_for(*stage)))
        }
        WatchState::Reconnecting { cause } if cause.id() == WAITING_MESSAGE_ID => {
            plain(Icon::Refresh, key!("watch-ended"), get(key!("watch-waiting-advice")))
        }
        WatchState::Reconnecting { cause } => plain(
            Icon::Refresh,
            key!("watch-reconnecting"),
            with(key!("watch-reconnecting-advice"), cause),
        ),
        WatchState::Ended => plain(Icon::Stop, key!("watch-over"), get(key!("watch-over-advice"))),
        WatchState::Failed { cause, .. } => {
            let cure = texts.cure(cause);
            let cure = cure.unwrap_or_else(|| texts.get("watch-failed-advice").to_string());
            // Elsewhere, the cause stands within a sentence.
            let cause = capitalized(&texts.say(cause));
            let advice = texts.language().joined(&cause, &cure);
            plain(Icon::Warning, key!("watch-failed-title"), advice.into())
        }
        WatchState::Idle => plain(Icon::Play, key!("watch-empty"), get(key!("watch-empty-advice"))),
    }
}

/// Returns the key of the text for the current stage of opening a stream.
fn waits_for(stage: Option<&'static str>) -> &'static str {
    use crate::ui::input::actions::key;
    match stage {
        Some("file") => key!("watch-opening-file"),
        Some("dns") => key!("watch-opening-dns"),
        Some("tcp") => key!("watch-opening-tcp"),
        Some("tls") => key!("watch-opening-tls"),
        Some("handshake") => key!("watch-opening-handshake"),
        Some("connect") => key!("watch-opening-connect"),
        Some("play" | "request") => key!("watch-opening-play"),
        // The player waits for the first frame.
        _ => key!("watch-opening-advice"),
    }
}

/// Returns true if a player in this state displays a frame, including the first frame while the
/// stream opens.
pub fn is_seen(state: &WatchState) -> bool {
    matches!(
        state,
        WatchState::Opening { .. } | WatchState::Playing | WatchState::Reconnecting { .. }
    )
}

/// Returns the text in place of a player's frame. A stream without video plays without a frame.
pub fn in_place_of_frame(texts: &Texts, state: &WatchState, figures: &WatchFigures) -> Sentence {
    let has_audio_only =
        *state == WatchState::Playing && figures.video.is_empty() && figures.audio_samples > 0;
    if !has_audio_only {
        return sentence(texts, state);
    }
    use crate::ui::input::actions::key;
    Sentence {
        icon: Icon::Speaker,
        title: texts.get(key!("watch-audio-plays")).to_string(),
        advice: texts.get(key!("watch-audio-plays-advice")).to_string(),
    }
}

/// Returns the text over a frame that no longer moves, if the state needs one.
pub fn still(texts: &Texts, state: &WatchState) -> Option<Sentence> {
    match state {
        WatchState::Opening { .. } => Some(Sentence {
            icon: Icon::Broadcast,
            title: texts.get("watch-buffering").to_string(),
            advice: texts.get("watch-buffering-advice").to_string(),
        }),
        WatchState::Reconnecting { .. } => Some(sentence(texts, state)),
        _ => None,
    }
}

/// Returns the id of the chosen player's frame in this part of the window.
pub fn frame_id(ui: &Ui) -> egui::Id {
    ui.scope_id().with("watched")
}

/// Draws the chosen player's frame, with the overlays. In a panel of the studio, an empty player
/// has a button that opens the *Watch* page, as a double click does. Returns the text over a frame
/// that does not move.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    frame: Option<&mut FrameView>,
    room: Rect,
    panel: bool,
) -> Option<Sentence> {
    let texts = view.texts;
    let state = view.snapshot.watch.clone();
    let name = texts.get("watch-video");
    let over = ui.interact(room, frame_id(ui), Sense::click_and_drag());
    over.widget_info(|| WidgetInfo::labeled(Role::Image, true, &*name));
    take_focus(&over, draft, panel);
    accept_letters(&over);
    // In the small window, dragging the frame moves the window instead.
    if over.dragged() && draft.place != PlayerLocation::Small {
        draft.moved += over.drag_delta();
    }
    if over.double_clicked() {
        draft.double_clicked = true;
    }
    if over.hovered() {
        let scrolled = ui.input(|input| input.zoom_delta());
        if scrolled != 1.0 {
            draft.viewport.zoom_by(scrolled);
        }
    }
    let shown =
        frame.filter(|_| is_seen(&state)).and_then(|frame| paint_chosen(ui, frame, draft, room));
    // Without a frame, the movement is discarded, so that a later frame does not jump.
    draft.moved = Vec2::ZERO;
    if shown.is_none() {
        fill_around(ui, room, Rect::from_min_max(room.min, room.min), FRAME_BACKGROUND);
    }
    let showing = shown.is_some();
    if !showing {
        let own = view.snapshot.plays_own_stream() && state == WatchState::Idle;
        let mut words = in_place_of_frame(texts, &state, &view.snapshot.watch_figures);
        let opens = panel && state == WatchState::Idle;
        if opens {
            words.advice = texts.get("watch-empty-panel").to_string();
        }
        let chosen = view.snapshot.tiles.iter().find(|tile| tile.chosen);
        let trust =
            chosen.and_then(|tile| Some(WatchCommand::Trust { tile: tile.id, pin: tile.offered? }));
        let button = match (&trust, own, opens) {
            (Some(_), ..) => Some(texts.get("remedy-trust")),
            (None, true, _) => Some(texts.get("watch-own")),
            (None, false, true) => Some(texts.get(Action::Watch.key())),
            (None, false, false) => None,
        };
        let button = button.as_deref().map(Button::new);
        let pressed = placeholder(ui, room, words.icon, &words.title, &words.advice, button);
        if let Some(trust) = trust.filter(|_| pressed) {
            send(view, trust);
        } else if pressed && own {
            let url = view.snapshot.server.play_url.clone();
            draft.set_url(url.clone());
            view.send(Command::Watch { url });
        } else if pressed {
            draft.double_clicked = true;
        }
    }
    overlays::show(ui, view, draft, room);
    // After a click, a ring would only disturb.
    if !draft.clicked {
        ring(ui, &over);
    }
    still(texts, &state).filter(|_| showing)
}

/// Gives the clicked frame the keyboard focus, and the focused frame the arrow keys, which act on
/// the player. In a panel of the studio, the keys do not act on the player.
fn take_focus(frame: &Response, draft: &mut Draft, panel: bool) {
    draft.frame = (!panel).then_some(frame.id);
    if frame.clicked() && !panel {
        frame.request_focus();
    }
    let clicked = draft.clicked || frame.clicked_by(PointerButton::Primary);
    draft.clicked = clicked && frame.has_focus();
    if frame.has_focus() && !panel {
        let filter = EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            ..EventFilter::default()
        };
        frame.ctx.memory_mut(|memory| memory.set_focus_lock_filter(frame.id, filter));
    }
}

/// Draws the ring of a frame that has the keyboard focus.
pub fn ring(ui: &Ui, frame: &Response) {
    if frame.has_focus() {
        let (rect, radius) = (frame.rect.shrink(3.0), CornerRadius::same(CONTROL_RADIUS));
        let stroke = Stroke::new(FOCUS_RING_WIDTH, VIDEO_TEXT_COLOR);
        ui.painter().rect_stroke(rect, radius, stroke, StrokeKind::Inside);
    }
}

/// Applies the requested movement, and paints the chosen player's frame. Returns the frame's
/// position.
pub fn paint_chosen(
    ui: &mut Ui,
    frame: &mut FrameView,
    draft: &mut Draft,
    room: Rect,
) -> Option<Rect> {
    if draft.moved != Vec2::ZERO {
        draft.viewport.move_by(draft.moved, room, frame.size()?, ui.pixels_per_point());
    }
    paint(ui, frame, &draft.viewport, room)
}

/// Paints a frame with its viewport. Returns the frame's position.
pub fn paint(ui: &mut Ui, frame: &mut FrameView, viewport: &Viewport, room: Rect) -> Option<Rect> {
    let size = frame.size()?;
    let rect = viewport.place(room, size, ui.pixels_per_point());
    fill_around(ui, room, rect.intersect(room), FRAME_BACKGROUND);
    frame.paint_turned(ui, rect, room, viewport.turn).then_some(rect)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::problem::{Problem, problem};
    use crate::ui::text::Language;

    #[test]
    fn each_stage_of_opening_is_shown() {
        for language in [Language::English, Language::Chinese] {
            let texts = Texts::new(language);
            let advice = |stage| sentence(&texts, &WatchState::Opening { stage }).advice;
            let stages = ["file", "dns", "tcp", "tls", "handshake", "connect", "play", "media"];
            let mut all: Vec<String> =
                stages.into_iter().map(|stage| advice(Some(stage))).collect();
            assert_eq!(advice(None), advice(Some("media")));
            assert_eq!(advice(Some("request")), advice(Some("play")));
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), stages.len(), "{all:?}");
        }
    }

    #[test]
    fn a_stream_without_video_is_not_called_opening_while_it_plays() {
        let texts = Texts::new(Language::English);
        let mut figures = WatchFigures::default();
        let title =
            |figures: &WatchFigures| in_place_of_frame(&texts, &WatchState::Playing, figures).title;
        assert_eq!(title(&figures), "Opening…");
        figures.counted.audio_samples = 1_024;
        assert_eq!(title(&figures), "Playing audio");
        figures.counted.video = "H.264 High".to_owned();
        assert_eq!(title(&figures), "Opening…", "its first frame comes");
    }

    #[test]
    fn a_broadcaster_who_left_is_not_called_a_loss() {
        let texts = Texts::new(Language::English);
        let state = |cause| WatchState::Reconnecting { cause };
        let words = sentence(&texts, &state(Problem::new(WAITING_MESSAGE_ID, [])));
        assert_eq!(words.title, "The stream has ended");
        assert_eq!(words.advice, "Waiting for the stream to return.");
        let words = sentence(&texts, &state(problem!("play-nothing-came", seconds = 10)));
        assert_eq!(words.title, "The stream was lost");
        assert!(words.advice.contains("no data for 10 s"), "{}", words.advice);
    }

    #[test]
    fn the_end_of_a_file_is_not_called_the_end_of_a_stream() {
        let texts = Texts::new(Language::English);
        assert_eq!(sentence(&texts, &WatchState::Ended).title, "Playback has ended");
    }

    #[test]
    fn the_reason_of_a_failure_is_a_sentence() {
        let texts = Texts::new(Language::English);
        let (cause, kind) = (problem!("net-closed"), crate::player::FailureKind::Lost);
        let words = sentence(&texts, &WatchState::Failed { cause, kind });
        assert!(words.advice.starts_with("The server closed the connection. "), "{words:?}");
    }
}
