//! The keyboard of the *Watch* page, as in other players. The help shows this list.

use std::time::Duration;

use egui::{Context, Key, Modifiers, Vec2, vec2};

use crate::studio::{Command, WatchCommand};
use crate::ui::input::actions::key;
use crate::ui::view::{View, WindowRequest};
use crate::ui::watch::commands::{is_busy, play, send};
use crate::ui::watch::controls::seek_bar::{STEP, Span};
use crate::ui::watch::draft::{Draft, Where};

/// What a key does.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum KeyAction {
    Hold,
    Back,
    Ahead,
    FarBack,
    FarAhead,
    Beginning,
    Live,
    Louder,
    Softer,
    Snapshot,
    Record,
    Figures,
    Aspect,
    Larger,
    Smaller,
    Turn,
    Move,
    AudioEarlier,
    AudioLater,
    OwnWindow,
    SmallWindow,
    Leave,
}

impl KeyAction {
    /// Whether it goes from where one is on the way to, so that two of them are two steps.
    const fn is_step(self) -> bool {
        use KeyAction::{Ahead, AudioEarlier, AudioLater, Back, FarAhead, FarBack, Louder, Softer};
        matches!(
            self,
            Back | Ahead | FarBack | FarAhead | Louder | Softer | AudioEarlier | AudioLater
        )
    }
}

/// Keys with what they do, and how the help names them; several for one deed stand together.
pub const KEYS: &[(KeyAction, &str, &str, &[Key])] = &[
    (KeyAction::Hold, key!("key-hold"), "Space", &[Key::Space]),
    (KeyAction::Back, key!("key-back"), "←", &[Key::ArrowLeft]),
    (KeyAction::Ahead, key!("key-ahead"), "→", &[Key::ArrowRight]),
    (KeyAction::FarBack, key!("key-far-back"), "Page Down", &[Key::PageDown]),
    (KeyAction::FarAhead, key!("key-far-ahead"), "Page Up", &[Key::PageUp]),
    (KeyAction::Beginning, key!("key-beginning"), "Home", &[Key::Home]),
    (KeyAction::Live, key!("key-live"), "L, End", &[Key::L, Key::End]),
    (KeyAction::Louder, key!("key-louder"), "↑, 0", &[Key::ArrowUp, Key::Num0]),
    (KeyAction::Softer, key!("key-softer"), "↓, 9", &[Key::ArrowDown, Key::Num9]),
    (KeyAction::Snapshot, key!("watch-screenshot"), "S", &[Key::S]),
    (KeyAction::Record, key!("key-record"), "R", &[Key::R]),
    (KeyAction::Figures, key!("statistics"), "I", &[Key::I]),
    (KeyAction::Aspect, key!("key-aspect"), "A", &[Key::A]),
    (KeyAction::Larger, key!("key-larger"), "+", &[Key::Plus, Key::Equals]),
    (KeyAction::Smaller, key!("key-smaller"), "−", &[Key::Minus]),
    (KeyAction::Turn, key!("key-rotate"), "T", &[Key::T]),
    // See `MOVES`.
    (KeyAction::Move, key!("key-move"), "Alt + ← → ↑ ↓", &[]),
    (KeyAction::AudioEarlier, key!("key-audio-earlier"), "J", &[Key::J]),
    (KeyAction::AudioLater, key!("key-audio-later"), "K", &[Key::K]),
    (KeyAction::OwnWindow, key!("own-window"), "D", &[Key::D]),
    (KeyAction::SmallWindow, key!("small-window"), "P", &[Key::P]),
    (KeyAction::Leave, key!("key-leave"), "Esc", &[Key::Escape]),
];

/// Where the frame goes with these keys and Alt.
const MOVES: [(Key, Vec2); 4] = [
    (Key::ArrowLeft, vec2(-1.0, 0.0)),
    (Key::ArrowRight, vec2(1.0, 0.0)),
    (Key::ArrowUp, vec2(0.0, -1.0)),
    (Key::ArrowDown, vec2(0.0, 1.0)),
];

/// Tiles are chosen by the keys 1 to 8: 9 and 0 make it softer and louder.
const DIGITS: [Key; 8] =
    [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8];

/// A step of loudness, of the audio's offset, of the zoom, of the frame in points.
const LOUDER: f32 = 0.05;
const LATER_MS: i32 = 10;
const LARGER: f32 = 1.1;
const FURTHER: f32 = 24.0;
const LONG_SEEK: Duration = Duration::from_secs(30);

/// Whether keys are nobody else's: no control has the focus, no list is open.
pub fn are_free(ctx: &Context) -> bool {
    ctx.memory(|memory| memory.focused().is_none()) && !egui::Popup::is_any_open(ctx)
}

/// Takes the keys that are pressed, while nothing else has the keyboard.
pub fn take(ctx: &Context, view: &mut View<'_>, draft: &mut Draft) {
    if !are_free(ctx) {
        return;
    }
    // First: the arrows alone are taken with Alt too.
    for (key, way) in MOVES {
        if ctx.input_mut(|input| input.consume_key(Modifiers::ALT, key)) {
            draft.moved += way * FURTHER;
        }
    }
    for (deed, _, _, keys) in KEYS {
        let presses =
            |key: &Key| ctx.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, *key));
        let presses: usize = keys.iter().map(presses).sum();
        // Two steps between two frames are two; of the rest the second would not know what became of the first.
        let times = if deed.is_step() { presses } else { presses.min(1) };
        (0..times).for_each(|_| act(view, draft, *deed));
    }
    // With Shift on many keyboards.
    if ctx.input_mut(|input| input.consume_key(Modifiers::SHIFT, Key::Plus)) {
        act(view, draft, KeyAction::Larger);
    }
    for (index, key) in DIGITS.iter().enumerate() {
        if ctx.input_mut(|input| input.consume_key(Modifiers::NONE, *key))
            && let Some(tile) = view.snapshot.tiles.get(index)
        {
            send(view, WatchCommand::Choose(tile.id));
        }
    }
}

fn act(view: &mut View<'_>, draft: &mut Draft, deed: KeyAction) {
    let watch = &view.snapshot.watch_figures;
    let (span, busy) = (Span::of(watch), is_busy(&view.snapshot.watch));
    let some = |view: &mut View<'_>, playing: Option<WatchCommand>| {
        if let Some(playing) = playing {
            send(view, playing);
        }
    };
    match deed {
        KeyAction::Hold if busy => send(view, WatchCommand::Pause(!watch.paused)),
        KeyAction::Hold => play(view, draft),
        KeyAction::Back => some(view, span.step(STEP, false)),
        KeyAction::Ahead => some(view, span.step(STEP, true)),
        KeyAction::FarBack => some(view, span.step(LONG_SEEK, false)),
        KeyAction::FarAhead => some(view, span.step(LONG_SEEK, true)),
        KeyAction::Beginning => some(view, span.at(0.0)),
        KeyAction::Live => {
            if watch.live && busy {
                send(view, WatchCommand::GoToLive);
            }
        }
        KeyAction::Louder => view.send(Command::StepVolume(LOUDER)),
        KeyAction::Softer => view.send(Command::StepVolume(-LOUDER)),
        KeyAction::Snapshot if busy => view.wish(WindowRequest::WatchSnapshot),
        KeyAction::Record if watch.saving.is_some() => send(view, WatchCommand::StopSaving),
        KeyAction::Record if busy && watch.live => view.wish(WindowRequest::WatchSave),
        KeyAction::Figures => draft.figures = !draft.figures,
        KeyAction::Aspect => draft.look.aspect = draft.look.aspect.next(),
        KeyAction::Larger => draft.look.zoom_by(LARGER),
        KeyAction::Smaller => draft.look.zoom_by(1.0 / LARGER),
        KeyAction::Turn => draft.look.turn = draft.look.turn.next(),
        KeyAction::AudioEarlier | KeyAction::AudioLater => {
            let by = if deed == KeyAction::AudioLater { LATER_MS } else { -LATER_MS };
            send(view, WatchCommand::StepAvOffset(by));
        }
        KeyAction::OwnWindow => {
            draft.place = if draft.place == Where::Window { Where::Here } else { Where::Window };
        }
        KeyAction::SmallWindow => {
            draft.place = if draft.place == Where::Small { Where::Here } else { Where::Small };
        }
        KeyAction::Leave if draft.enlarged.is_some() => draft.enlarged = None,
        KeyAction::Leave => draft.place = Where::Here,
        KeyAction::Snapshot | KeyAction::Record | KeyAction::Move => {}
    }
}
