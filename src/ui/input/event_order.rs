//! Spreads input events over several frames where the order matters. egui handles all events of a
//! frame at once, and a text field that loses the keyboard focus in a frame drops what was typed in
//! this frame. A slow frame can contain both.

use std::collections::VecDeque;

use egui::{Event, Key};

/// Maximum number of events that wait for the next frame. More events are handled at once.
const MAX_WAITING_EVENTS: usize = 1_024;

/// The events that wait for the next frame.
#[derive(Debug, Default)]
pub struct EventOrder {
    waiting: VecDeque<Event>,
}

impl EventOrder {
    /// Replaces the new events by those for this frame. Returns true if others wait for the next
    /// frame.
    pub fn follow(&mut self, events: &mut Vec<Event>) -> bool {
        self.waiting.extend(events.drain(..));
        let count = match self.waiting.len() {
            all @ ..=MAX_WAITING_EVENTS => frame_length(&self.waiting).min(all),
            all => all,
        };
        events.extend(self.waiting.drain(..count));
        !self.waiting.is_empty()
    }
}

/// Returns the number of events up to the first one that must wait: a press of the mouse button
/// after something was typed, or something typed after the focus may have moved.
fn frame_length(events: &VecDeque<Event>) -> usize {
    let (mut has_typed, mut has_moved) = (false, false);
    for (index, event) in events.iter().enumerate() {
        let is_click = matches!(event, Event::PointerButton { .. });
        let is_press = matches!(event, Event::PointerButton { pressed: true, .. });
        let is_typed = is_typed(event);
        if (is_press && has_typed) || (is_typed && has_moved) {
            return index;
        }
        has_typed |= is_typed;
        has_moved |= is_click || moves_focus(event);
    }
    events.len()
}

fn is_typed(event: &Event) -> bool {
    match event {
        Event::Text(_) | Event::Paste(_) | Event::Cut | Event::Copy | Event::Ime(_) => true,
        Event::Key { pressed, .. } => *pressed,
        _ => false,
    }
}

/// Returns true if a key can move the focus. Keys that type text cannot.
fn moves_focus(event: &Event) -> bool {
    let Event::Key { key, pressed: true, modifiers, .. } = event else { return false };
    let is_command = modifiers.command || modifiers.ctrl || modifiers.alt;
    is_command || matches!(key, Key::Tab | Key::Enter | Key::Escape | Key::F2)
}

#[cfg(test)]
mod tests {
    use egui::{Modifiers, PointerButton, pos2};

    use super::*;

    fn key(key: Key, modifiers: Modifiers) -> Event {
        Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
    }

    fn click(pressed: bool) -> Event {
        let (pos, button) = (pos2(1.0, 1.0), PointerButton::Primary);
        Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE }
    }

    fn letter(name: Key, text: &str) -> [Event; 2] {
        [key(name, Modifiers::NONE), Event::Text(text.into())]
    }

    /// Returns the events of each frame, if all events arrive before the first one.
    fn frames(events: Vec<Event>) -> Vec<Vec<Event>> {
        let mut order = EventOrder::default();
        let (mut new, mut frames) = (events, Vec::new());
        loop {
            let waits = order.follow(&mut new);
            frames.push(std::mem::take(&mut new));
            if !waits {
                return frames;
            }
        }
    }

    #[test]
    fn text_typed_between_two_clicks_has_its_own_frame() {
        let clicked = || vec![Event::PointerMoved(pos2(1.0, 1.0)), click(true), click(false)];
        let typed = || [letter(Key::A, "a"), letter(Key::B, "b")].concat();
        let all = [clicked(), typed(), clicked()].concat();
        let [first, second, third] = &frames(all)[..] else { panic!() };
        // The pointer may move at any time.
        let moved = [typed(), vec![Event::PointerMoved(pos2(1.0, 1.0))]].concat();
        assert_eq!((first, second), (&clicked(), &moved));
        assert_eq!(third, &[click(true), click(false)]);
    }

    #[test]
    fn a_key_that_moves_the_focus_ends_its_frame_and_letters_do_not() {
        let name = || [letter(Key::A, "a"), letter(Key::B, "b")].concat();
        let add = key(Key::N, Modifiers::COMMAND);
        let enter = key(Key::Enter, Modifiers::NONE);
        let all = [vec![add.clone()], name(), vec![enter.clone()], name()].concat();
        let ends = [name(), vec![enter]].concat();
        assert_eq!(frames(all), [vec![add], ends, name()]);
        assert_eq!(frames(name()), [name()]);
        assert_eq!(frames(Vec::new()), [Vec::new()]);
    }

    #[test]
    fn the_number_of_waiting_events_is_bounded_and_none_is_lost() {
        let tab = || key(Key::Tab, Modifiers::NONE);
        let frames = frames(vec![tab(); MAX_WAITING_EVENTS + 7]);
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].len(), MAX_WAITING_EVENTS + 7);
    }
}
