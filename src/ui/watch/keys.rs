//! The keyboard of the *Watch* page, as in other players. The help shows this list.

use std::time::Duration;

use egui::{Context, Key, Modifiers, Vec2, vec2};

use crate::player::MAX_AV_OFFSET_MS;
use crate::studio::{Command, Playing};
use crate::ui::input::actions::key;
use crate::ui::view::{View, Wish};
use crate::ui::watch::commands::{is_busy, play, send};
use crate::ui::watch::controls::seek_bar::{STEP, Span};
use crate::ui::watch::draft::{Draft, Where};

/// What a key does.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Deed {
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
    SoundEarlier,
    SoundLater,
    OwnWindow,
    SmallWindow,
    Leave,
}

impl Deed {
    /// Whether it goes from where one is on the way to.
    const fn is_step(self) -> bool {
        matches!(self, Self::Back | Self::Ahead | Self::FarBack | Self::FarAhead)
    }
}

/// Keys with what they do, and how the help names them; several for one deed stand together.
pub const KEYS: &[(Deed, &str, &str, &[Key])] = &[
    (Deed::Hold, key!("key-hold"), "Space", &[Key::Space]),
    (Deed::Back, key!("key-back"), "←", &[Key::ArrowLeft]),
    (Deed::Ahead, key!("key-ahead"), "→", &[Key::ArrowRight]),
    (Deed::FarBack, key!("key-far-back"), "Page Down", &[Key::PageDown]),
    (Deed::FarAhead, key!("key-far-ahead"), "Page Up", &[Key::PageUp]),
    (Deed::Beginning, key!("key-beginning"), "Home", &[Key::Home]),
    (Deed::Live, key!("key-live"), "L, End", &[Key::L, Key::End]),
    (Deed::Louder, key!("key-louder"), "↑, 0", &[Key::ArrowUp, Key::Num0]),
    (Deed::Softer, key!("key-softer"), "↓, 9", &[Key::ArrowDown, Key::Num9]),
    (Deed::Snapshot, key!("watch-snapshot"), "S", &[Key::S]),
    (Deed::Record, key!("key-record"), "R", &[Key::R]),
    (Deed::Figures, key!("figures"), "I", &[Key::I]),
    (Deed::Aspect, key!("key-aspect"), "A", &[Key::A]),
    (Deed::Larger, key!("key-larger"), "+", &[Key::Plus, Key::Equals]),
    (Deed::Smaller, key!("key-smaller"), "−", &[Key::Minus]),
    (Deed::Turn, key!("key-turn"), "T", &[Key::T]),
    // See `MOVES`.
    (Deed::Move, key!("key-move"), "Alt + ← → ↑ ↓", &[]),
    (Deed::SoundEarlier, key!("key-sound-earlier"), "J", &[Key::J]),
    (Deed::SoundLater, key!("key-sound-later"), "K", &[Key::K]),
    (Deed::OwnWindow, key!("own-window"), "D", &[Key::D]),
    (Deed::SmallWindow, key!("small-window"), "P", &[Key::P]),
    (Deed::Leave, key!("key-leave"), "Esc", &[Key::Escape]),
];

/// Where the picture goes with these keys and Alt.
const MOVES: [(Key, Vec2); 4] = [
    (Key::ArrowLeft, vec2(-1.0, 0.0)),
    (Key::ArrowRight, vec2(1.0, 0.0)),
    (Key::ArrowUp, vec2(0.0, -1.0)),
    (Key::ArrowDown, vec2(0.0, 1.0)),
];

/// Tiles are chosen by the keys 1 to 8: 9 and 0 make it softer and louder.
const DIGITS: [Key; 8] =
    [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8];

/// A step of loudness, of the sound's offset, of the zoom, of the picture in points.
const LOUDER: f32 = 0.05;
const LATER_MS: i32 = 10;
const LARGER: f32 = 1.1;
const FURTHER: f32 = 24.0;
const FAR: Duration = Duration::from_secs(30);

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
        act(view, draft, Deed::Larger);
    }
    for (index, key) in DIGITS.iter().enumerate() {
        if ctx.input_mut(|input| input.consume_key(Modifiers::NONE, *key))
            && let Some(tile) = view.snapshot.tiles.get(index)
        {
            send(view, Playing::Choose(tile.id));
        }
    }
}

fn act(view: &mut View<'_>, draft: &mut Draft, deed: Deed) {
    let watch = &view.snapshot.watch_figures;
    let (span, busy) = (Span::of(watch), is_busy(&view.snapshot.watch));
    let choices = &view.snapshot.player;
    let some = |view: &mut View<'_>, playing: Option<Playing>| {
        if let Some(playing) = playing {
            send(view, playing);
        }
    };
    match deed {
        Deed::Hold if busy => send(view, Playing::Pause(!watch.paused)),
        Deed::Hold => play(view, draft),
        Deed::Back => some(view, span.step(STEP, false)),
        Deed::Ahead => some(view, span.step(STEP, true)),
        Deed::FarBack => some(view, span.step(FAR, false)),
        Deed::FarAhead => some(view, span.step(FAR, true)),
        Deed::Beginning => some(view, span.at(0.0)),
        Deed::Live => {
            if watch.live && busy {
                send(view, Playing::GoToLive);
            }
        }
        Deed::Louder => view.send(Command::SetVolume((watch.volume + LOUDER).min(1.0))),
        Deed::Softer => view.send(Command::SetVolume((watch.volume - LOUDER).max(0.0))),
        Deed::Snapshot if busy => view.wish(Wish::WatchSnapshot),
        Deed::Record if watch.saving.is_some() => send(view, Playing::StopSaving),
        Deed::Record if busy && watch.live => view.wish(Wish::WatchSave),
        Deed::Figures => draft.figures = !draft.figures,
        Deed::Aspect => draft.look.aspect = draft.look.aspect.next(),
        Deed::Larger => draft.look.zoom_by(LARGER),
        Deed::Smaller => draft.look.zoom_by(1.0 / LARGER),
        Deed::Turn => draft.look.turn = draft.look.turn.next(),
        Deed::SoundEarlier | Deed::SoundLater => {
            let by = if deed == Deed::SoundLater { LATER_MS } else { -LATER_MS };
            let millis = (choices.av_offset_ms + by).clamp(-MAX_AV_OFFSET_MS, MAX_AV_OFFSET_MS);
            send(view, Playing::SetAvOffset(millis));
        }
        Deed::OwnWindow => {
            draft.place = if draft.place == Where::Window { Where::Here } else { Where::Window };
        }
        Deed::SmallWindow => {
            draft.place = if draft.place == Where::Small { Where::Here } else { Where::Small };
        }
        Deed::Leave if draft.enlarged.is_some() => draft.enlarged = None,
        Deed::Leave => draft.place = Where::Here,
        Deed::Snapshot | Deed::Record | Deed::Move => {}
    }
}
