//! The commands for players, and the keyboard of the *Watch* page, which works as in other players.

use std::time::Duration;

use egui::{Context, Key, Modifiers, Vec2, vec2};

use crate::studio::settings::hotkeys::Hotkey;
use crate::studio::{Command, WatchCommand};
use crate::ui::input::actions::Action;
use crate::ui::input::hotkeys::{self, Keymap, shortcut_text};
use crate::ui::view::{View, WindowRequest};
use crate::ui::watch::commands::{play_chosen, send};
use crate::ui::watch::controls::seek_bar::{SEEK_STEP, Span};
use crate::ui::watch::draft::{Draft, PlayerLocation};

/// Fixed keys that are common in players: the command, the name of the keys in the help, and the
/// keys. Hotkeys work in addition to them.
pub const FIXED_KEYS: &[(Action, &str, &[Key])] = &[
    (Action::WatchPause, "Space", &[Key::Space]),
    (Action::WatchBack, "←", &[Key::ArrowLeft]),
    (Action::WatchAhead, "→", &[Key::ArrowRight]),
    (Action::WatchFarBack, "Page Down", &[Key::PageDown]),
    (Action::WatchFarAhead, "Page Up", &[Key::PageUp]),
    (Action::WatchBeginning, "Home", &[Key::Home]),
    (Action::WatchLive, "End", &[Key::End]),
    (Action::WatchLouder, "↑, 0", &[Key::ArrowUp, Key::Num0]),
    (Action::WatchQuieter, "↓, 9", &[Key::ArrowDown, Key::Num9]),
    (Action::WatchZoomIn, "=", &[Key::Equals]),
];

/// Returns the keys of a player command, as named in the help.
pub fn keys_of(ctx: &Context, action: Action) -> String {
    let fixed = FIXED_KEYS.iter().find(|(of, _, _)| *of == action).map(|(_, name, _)| *name);
    let hotkey = shortcut_text(ctx, action);
    let all: Vec<&str> = hotkey.as_deref().into_iter().chain(fixed).collect();
    all.join(", ")
}

/// The keys that move the frame with Alt, and the directions of the movement.
const FRAME_MOVE_KEYS: [(Key, Vec2); 4] = [
    (Key::ArrowLeft, vec2(-1.0, 0.0)),
    (Key::ArrowRight, vec2(1.0, 0.0)),
    (Key::ArrowUp, vec2(0.0, -1.0)),
    (Key::ArrowDown, vec2(0.0, 1.0)),
];

/// The keys that select tiles. The keys 9 and 0 change the volume.
const TILE_KEYS: [Key; 8] =
    [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8];

/// The step of the volume.
const VOLUME_STEP: f32 = 0.05;
/// The step of the audio offset in milliseconds.
const AUDIO_OFFSET_STEP_MS: i32 = 10;
/// The step of the zoom.
const ZOOM_STEP_FACTOR: f32 = 1.1;
/// The step of the frame position in points.
const MOVE_STEP_POINTS: f32 = 24.0;
/// The step of a long seek.
const LONG_SEEK_STEP: Duration = Duration::from_secs(30);

/// Returns true if no popup is open, and no control but a player's frame has the keyboard focus.
fn are_free(ctx: &Context, draft: &Draft) -> bool {
    let focused = ctx.memory(egui::Memory::focused);
    (focused.is_none() || focused == draft.frame) && !egui::Popup::is_any_open(ctx)
}

/// Returns true if a key enters text in a field.
fn types(key: Key) -> bool {
    Hotkey::new(false, false, false, key.name()).is_some_and(Hotkey::types)
}

/// Handles the pressed keys. Keys that enter text act only while a frame or a list has the focus,
/// and the others while no other control than a frame has it.
pub fn take(ctx: &Context, view: &mut View<'_>, draft: &mut Draft) {
    let (free, letters) = (are_free(ctx, draft), hotkeys::letters_act(ctx));
    let acts = |types: bool| if types { letters } else { free };
    // The keys with Alt are handled first, because the plain arrow keys would also match with Alt.
    for (key, way) in FRAME_MOVE_KEYS {
        if free && ctx.input_mut(|input| input.consume_key(Modifiers::ALT, key)) {
            draft.moved += way * MOVE_STEP_POINTS;
        }
    }
    let keymap = Keymap::installed(ctx);
    for action in Action::ALL.iter().copied().filter(|action| action.is_about_players()) {
        let fixed =
            FIXED_KEYS.iter().filter(|(of, _, _)| *of == action).flat_map(|(_, _, keys)| *keys);
        let fixed: usize = fixed
            .filter(|key| acts(types(**key)))
            .map(|key| ctx.input_mut(|input| input.count_and_consume_key(Modifiers::NONE, *key)))
            .sum();
        let hotkey = keymap.hotkey(action).filter(|hotkey| acts(hotkey.types()));
        let chosen = hotkey.map_or(0, |hotkey| {
            ctx.input_mut(|input| hotkeys::presses(input, hotkey, action.repeats()))
        });
        // Two presses of a command that repeats between two frames are two steps. Other commands
        // run once, because the second press could not see the result of the first.
        let presses = fixed + chosen;
        let times = if action.repeats() { presses } else { presses.min(1) };
        (0..times).for_each(|_| act(view, draft, action));
    }
    if free && ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
        match draft.enlarged {
            Some(_) => draft.enlarged = None,
            None => draft.place = PlayerLocation::Here,
        }
    }
    if !letters {
        return;
    }
    // On many keyboards, the plus sign needs Shift.
    let plus =
        keymap.hotkey(Action::WatchZoomIn).is_some_and(|hotkey| hotkey.key() == Key::Plus.name());
    if plus && ctx.input_mut(|input| input.consume_key(Modifiers::SHIFT, Key::Plus)) {
        act(view, draft, Action::WatchZoomIn);
    }
    for (index, key) in TILE_KEYS.iter().enumerate() {
        if ctx.input_mut(|input| input.consume_key(Modifiers::NONE, *key))
            && let Some(tile) = view.snapshot.tiles.get(index)
        {
            send(view, WatchCommand::Choose(tile.id));
        }
    }
}

/// Executes a player command.
pub fn act(view: &mut View<'_>, draft: &mut Draft, action: Action) {
    let watch = &view.snapshot.watch_figures;
    let (span, busy) = (Span::of(watch), view.snapshot.watch.is_busy());
    let some = |view: &mut View<'_>, playing: Option<WatchCommand>| {
        if let Some(playing) = playing {
            send(view, playing);
        }
    };
    match action {
        Action::WatchPause if busy => send(view, WatchCommand::Pause(!watch.paused)),
        Action::WatchPause => play_chosen(view, draft),
        Action::WatchBack => some(view, span.step(SEEK_STEP, false)),
        Action::WatchAhead => some(view, span.step(SEEK_STEP, true)),
        Action::WatchFarBack => some(view, span.step(LONG_SEEK_STEP, false)),
        Action::WatchFarAhead => some(view, span.step(LONG_SEEK_STEP, true)),
        Action::WatchBeginning => some(view, span.at(0.0)),
        Action::WatchLive if watch.live && busy => send(view, WatchCommand::GoToLive),
        Action::WatchLouder => view.send(Command::StepVolume(VOLUME_STEP)),
        Action::WatchQuieter => view.send(Command::StepVolume(-VOLUME_STEP)),
        Action::WatchScreenshot if busy => view.request(WindowRequest::WatchScreenshot),
        Action::WatchRecord if watch.saving.is_some() => send(view, WatchCommand::StopSaving),
        Action::WatchRecord if busy && watch.live => view.request(WindowRequest::WatchSave),
        Action::WatchStatistics => draft.figures = !draft.figures,
        Action::WatchAspect => draft.viewport.aspect = draft.viewport.aspect.next(),
        Action::WatchZoomIn => draft.viewport.zoom_by(ZOOM_STEP_FACTOR),
        Action::WatchZoomOut => draft.viewport.zoom_by(1.0 / ZOOM_STEP_FACTOR),
        Action::WatchRotate => draft.viewport.turn = draft.viewport.turn.next(),
        Action::WatchAudioEarlier | Action::WatchAudioLater => {
            let by = if action == Action::WatchAudioLater {
                AUDIO_OFFSET_STEP_MS
            } else {
                -AUDIO_OFFSET_STEP_MS
            };
            send(view, WatchCommand::StepAvOffset(by));
        }
        Action::WatchWindow => {
            draft.place = if draft.place == PlayerLocation::Window {
                PlayerLocation::Here
            } else {
                PlayerLocation::Window
            };
        }
        Action::WatchPictureInPicture => {
            draft.place = if draft.place == PlayerLocation::Small {
                PlayerLocation::Here
            } else {
                PlayerLocation::Small
            };
        }
        _ => {}
    }
}
