//! Delivers keystrokes to the field that the user sees as focused. In each frame, egui gets all
//! events since the last frame, and the field with the focus would take all of them. On a slow
//! computer, a stream key that the user types after the server address and Tab would then end up in
//! the server's field, where it is readable. Therefore, events after a Tab, an Enter or a click wait
//! for the next frame. While a field is about to appear, all keystrokes wait.

use egui::{Context, Event, Id, ImeEvent, Key, RawInput, ViewportId};

/// Maximum number of events that wait for a window's next frame. Beyond this number, all events are
/// delivered immediately.
const MAX_EVENTS: usize = 1_024;

/// Maximum number of consecutive frames in which keystrokes wait for a field. Beyond this number, the field
/// does not appear.
const MAX_HELD_FRAMES: u32 = 60;

/// The waiting events by window. `Debug` does not print them, because they may contain a password.
#[derive(Default)]
pub struct Keystrokes {
    waiting: Vec<(ViewportId, Vec<Event>)>,
    /// Number of frames in which keystrokes have waited for a field.
    held_frames: u32,
}

impl std::fmt::Debug for Keystrokes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keystrokes").field("windows", &self.waiting.len()).finish()
    }
}

impl egui::Plugin for Keystrokes {
    fn debug_name(&self) -> &'static str {
        "keystrokes"
    }

    fn input_hook(&mut self, ctx: &Context, input: &mut RawInput) {
        let id = input.viewport_id;
        // Text that was typed into a window that has closed must not go to a later window with the
        // same name.
        self.waiting.retain(|(of, _)| input.viewports.contains_key(of));
        if let Some(at) = self.waiting.iter().position(|(of, _)| *of == id) {
            let mut events = self.waiting.swap_remove(at).1;
            events.append(&mut input.events);
            input.events = events;
        }
        // The frames of other windows do not count.
        let is_main = id == ViewportId::ROOT;
        if is_main {
            let is_held = ctx.data_mut(|data| data.remove_temp::<bool>(held())).is_some();
            self.held_frames = if is_held { self.held_frames + 1 } else { 0 };
        }
        let end = match self.held_frames {
            1..=MAX_HELD_FRAMES if is_main => input.events.iter().position(is_typed),
            _ => end_of_turn(&input.events),
        };
        if let Some(end) = end
            && input.events.len() - end <= MAX_EVENTS
        {
            self.waiting.push((id, input.events.split_off(end)));
            ctx.request_repaint_of(id);
        }
        if let Some(composes) = input.events.iter().rev().find_map(composition) {
            ctx.data_mut(|data| data.insert_temp(composing(), composes));
        }
    }
}

/// Lets the keystrokes of the next frame of the main window wait, because a field is about to appear that will
/// have the focus.
pub fn hold(ctx: &Context) {
    ctx.data_mut(|data| data.insert_temp(held(), true));
}

fn held() -> Id {
    Id::unique("keystrokes-held")
}

fn composing() -> Id {
    Id::unique("composing")
}

/// Returns true if an event begins or continues a composition with an input method, and false if it
/// ends one. Returns `None` for other events.
fn composition(event: &Event) -> Option<bool> {
    match event {
        Event::Ime(ImeEvent::Preedit { text, .. }) => Some(!text.is_empty()),
        Event::Ime(ImeEvent::Commit(_)) | Event::Text(_) => Some(false),
        _ => None,
    }
}

/// Returns true while the user composes characters with an input method. The field contains the
/// letters of the unfinished composition, which viewers must not see.
pub fn is_composing(ctx: &Context) -> bool {
    ctx.data(|data| data.get_temp(composing())).unwrap_or_default()
}

fn is_typed(event: &Event) -> bool {
    matches!(
        event,
        Event::Text(_) | Event::Paste(_) | Event::Ime(_) | Event::Key { pressed: true, .. }
    )
}

/// Returns the index after the first Tab, Enter or click, at which the events of this frame end, if
/// further text or key presses follow.
fn end_of_turn(events: &[Event]) -> Option<usize> {
    let moves = |event: &Event| {
        matches!(
            event,
            Event::Key { key: Key::Tab | Key::Enter, pressed: true, .. }
                | Event::PointerButton { pressed: false, .. }
        )
    };
    let end = events.iter().position(moves)? + 1;
    events.get(end..)?.iter().any(is_typed).then_some(end)
}

#[cfg(test)]
mod tests {
    use egui::{Modifiers, Plugin, ViewportInfo};

    use super::*;

    fn key(key: Key, pressed: bool) -> Event {
        Event::Key { key, physical_key: None, pressed, repeat: false, modifiers: Modifiers::NONE }
    }

    fn text(text: &str) -> Event {
        Event::Text(text.to_owned())
    }

    fn other() -> ViewportId {
        ViewportId::from_hash_of("other")
    }

    fn of(id: ViewportId, events: &[Event]) -> RawInput {
        let viewports = [ViewportId::ROOT, other()].map(|id| (id, ViewportInfo::default()));
        let viewports = viewports.into_iter().collect();
        RawInput { viewport_id: id, viewports, events: events.to_vec(), ..RawInput::default() }
    }

    #[test]
    fn what_follows_a_tab_waits_for_its_window() {
        let ctx = Context::default();
        let (root, other) = (ViewportId::ROOT, other());
        let mut keystrokes = Keystrokes::default();
        let mut seen = |id, events: &[Event]| {
            let mut input = of(id, events);
            keystrokes.input_hook(&ctx, &mut input);
            input.events
        };
        let tab = key(Key::Tab, true);
        let typed = [text("server"), tab.clone(), key(Key::Tab, false), text("key"), tab.clone()];
        assert_eq!(seen(root, &typed), [text("server"), tab.clone()]);
        // The frames of another window consume none of these events.
        assert_eq!(seen(other, &[text("x")]), [text("x")]);
        let rest = [key(Key::Tab, false), text("key"), tab.clone()];
        assert_eq!(seen(root, &[text("more")]), rest);
        assert_eq!(seen(root, &[]), [text("more")]);
        // If neither text nor a key press follows, no event waits.
        let alone = [tab, key(Key::Tab, false)];
        assert_eq!(seen(root, &alone), alone);
        assert_eq!(seen(root, &[]), []);
    }

    #[test]
    fn what_a_window_left_that_has_closed_is_forgotten() {
        let ctx = Context::default();
        let mut keystrokes = Keystrokes::default();
        let typed = [key(Key::Tab, true), text("secret")];
        keystrokes.input_hook(&ctx, &mut of(other(), &typed));
        assert_eq!(keystrokes.waiting.len(), 1);
        let mut alone = of(ViewportId::ROOT, &[]);
        alone.viewports.remove(&other());
        keystrokes.input_hook(&ctx, &mut alone);
        assert!(keystrokes.waiting.is_empty());
    }

    #[test]
    fn what_is_typed_before_a_field_appears_waits_for_it() {
        let ctx = Context::default();
        let (root, other) = (ViewportId::ROOT, other());
        let mut keystrokes = Keystrokes::default();
        let mut seen = |id, events: &[Event]| {
            let mut input = of(id, events);
            keystrokes.input_hook(&ctx, &mut input);
            input.events
        };
        hold(&ctx);
        let released = Event::PointerGone;
        assert_eq!(seen(other, &[text("x")]), [text("x")]);
        assert_eq!(seen(root, &[released.clone(), text("Bre")]), [released]);
        hold(&ctx);
        assert_eq!(seen(root, &[text("ak")]), []);
        assert_eq!(seen(root, &[]), [text("Bre"), text("ak")]);
        // If the field never appears, the keystrokes do not wait forever.
        let frames = (0..).take_while(|_| {
            hold(&ctx);
            seen(other, &[]);
            seen(root, &[text("x")]).is_empty()
        });
        assert_eq!(frames.count(), MAX_HELD_FRAMES as usize);
    }

    #[test]
    fn a_flood_is_not_kept() {
        let mut keystrokes = Keystrokes::default();
        let flood = vec![key(Key::Tab, true); MAX_EVENTS + 2];
        let mut input = of(ViewportId::ROOT, &flood);
        keystrokes.input_hook(&Context::default(), &mut input);
        assert_eq!(input.events.len(), MAX_EVENTS + 2);
        assert!(keystrokes.waiting.is_empty());
    }
}
