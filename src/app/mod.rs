//! Floor 7: the application window. `ui/` draws its content. This room connects the studio, the
//! desktop and the screens: it handles repaints, file dialogs, full screen and closing. The window
//! runs on the main thread; the studio's threads wake it for new frames. This file is long because
//! it connects all parts of the room.

mod backend;
mod desktop;
mod dialog_process;
mod displays;
mod drops;
mod file_dialogs;
mod gesture;
mod global_keys;
mod icon;
mod media_keys;
mod raise;
mod redraw;
mod repaint_pace;
mod window_place;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use eframe::egui;
use egui::ViewportCommand;
use parking_lot::Mutex;

use crate::base::queue::{self, Full, Receiver};
use crate::base::{CodePages, Latest};
use crate::files::new_path;
use crate::media::VideoFrame;
use crate::studio::command::PartCommand;
use crate::studio::settings::part::PartKind;
use crate::studio::{Command, Preferences, Snapshot, WatchCommand};
use crate::ui::input::event_order::EventOrder;
use crate::ui::input::rules::effect::{HotkeyEffect, effect};
use crate::ui::style::{scale, theme};
use crate::ui::watch::PlayerLocation;
use crate::ui::{Action, AnyCommand, Dialog, Page, Renderer, Screen, WindowRequest};

pub use backend::display::is_gone as is_display_gone;
pub use backend::draw_on_one_thread;
pub use desktop::{DesktopRequest, DesktopState, DesktopStatus};
pub use dialog_process::run_file_dialog;
use displays::Displays;
use drops::{Drag, Drops};
use file_dialogs::{FileNews, Files, Kind};
use gesture::Gesture;
use global_keys::GlobalKeys;
use media_keys::{MediaKeyRequest, MediaKeys, State};
use raise::Raiser;
pub use raise::{LaterStart, LaterStartSender, LaterStarts};
use repaint_pace::Pace;
use window_place::WindowPlace;

/// The interface of the studio for the window. All calls return immediately.
pub trait Studio: 'static {
    /// Returns the current state of the studio.
    fn snapshot(&self) -> Snapshot;
    /// Sends a command; later snapshots show its effect.
    fn send(&self, command: Command);
    /// Returns a function that sends commands from other threads, and does not keep the studio
    /// alive.
    fn sender(&self) -> Box<dyn Fn(Command) + Send + Sync>;
    /// Returns a function that reads the snapshot from other threads, and does not keep the studio
    /// alive.
    fn watcher(&self) -> Box<dyn Fn() -> Option<Snapshot> + Send + Sync>;
    /// Returns the slot of the program's newest frame.
    fn program(&self) -> Latest<VideoFrame>;
    /// Returns the slots of the players' newest frames, in the order of their tiles.
    fn watched(&self) -> Vec<Latest<VideoFrame>>;
}

/// The options with which the window opens.
#[derive(Debug)]
pub struct Options {
    /// The preferences of an earlier run.
    pub preferences: Preferences,
    /// The page that the window opens with.
    pub page: Page,
    /// True to show the video in full screen from the start.
    pub full_screen: bool,
    /// The place where the players appear.
    pub place: PlayerLocation,
    /// True to draw statistics over the video.
    pub figures: bool,
    /// The dialog that the window opens with.
    pub dialog: Option<Dialog>,
    /// Receives the requests of later starts of onair.
    pub handed_over: Option<LaterStarts>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            preferences: Preferences::default(),
            page: Page::Studio,
            full_screen: false,
            place: PlayerLocation::Here,
            figures: false,
            dialog: None,
            handed_over: None,
        }
    }
}

/// The reason why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no display or no graphics driver, or the window failed later.
    #[error("running the window: {0}")]
    Window(String),
}

/// The interval at which the desktop gets the state of the studio.
const DESKTOP_INTERVAL: Duration = Duration::from_millis(250);

/// The time limit for the studio to stop. After this time, the window closes without waiting for
/// the studio.
const STUDIO_END_TIMEOUT: Duration = Duration::from_secs(4);

/// Opens the window for `studio` and runs it until it closes. This function must be called on the
/// main thread.
///
/// # Errors
/// Fails if no window can be opened, or if the window fails later.
pub fn run(studio: impl Studio, options: Options) -> Result<(), Error> {
    backend::display::outlive();
    let scale = f32::from(options.preferences.ui_scale.unwrap_or(scale::DEFAULT_PERCENT)) / 100.0;
    let size = options.preferences.size.map_or(theme::size::INITIAL_WINDOW, |it| it.map(f32::from));
    let viewport = egui::ViewportBuilder::default()
        .with_title("onair")
        .with_app_id(icon::app_id())
        .with_inner_size(size.map(|side| side * scale))
        .with_maximized(options.preferences.maximized)
        .with_min_inner_size(scale::min_window_size())
        .with_icon(icon::lamp());
    let native = eframe::NativeOptions {
        viewport,
        // OpenGL works everywhere, even without a graphics processor, and starts fastest.
        renderer: eframe::Renderer::Glow,
        persist_window: false,
        dithering: false,
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "onair",
        native,
        Box::new(move |context| Ok(Box::new(Window::new(context, studio, options)))),
    )
    .map_err(|error| Error::Window(cause(&error.to_string()).to_owned()))
}

/// Returns the cause of an error without the preceding location in the source of winit.
fn cause(text: &str) -> &str {
    let place = text.split_once("os error at ").and_then(|(_, rest)| rest.split_once(".rs:"));
    place.and_then(|(_, rest)| rest.split_once(": ")).map_or(text, |(_, cause)| cause)
}

/// Handles keys that the user presses in other windows. The commands of these keys go directly to
/// the studio, or to the window if a command needs confirmation. While `chooses_key` is true, the
/// keys have no effect.
fn global_keys(
    context: &eframe::CreationContext<'_>,
    studio: &impl Studio,
    chooses_key: Arc<AtomicBool>,
) -> (GlobalKeys, Receiver<HotkeyEffect>) {
    let (send, tell, look) = (studio.sender(), studio.sender(), studio.watcher());
    let (ask, questions) = queue::bounded("hotkeys", 8, Full::DropOldest);
    let wake = context.egui_ctx.clone();
    let pressed = move |command: &AnyCommand, here: bool| {
        if chooses_key.load(Ordering::Relaxed) {
            return;
        }
        let Some(snapshot) = look() else { return };
        match effect(command, &snapshot, here) {
            HotkeyEffect::Send(command) => tell(*command),
            effect @ (HotkeyEffect::Ask(_) | HotkeyEffect::Press(_)) => {
                // The window may be gone by now.
                let _ = ask.send(effect);
                wake.request_repaint();
            }
            HotkeyEffect::Nothing => {}
        }
    };
    let keys = GlobalKeys::new(context, move |held| send(Command::PushToTalkKeys(held)), pressed);
    (keys, questions)
}

struct Window<S> {
    studio: S,
    /// On Wayland, the windows other than the main one lock the screen to draw themselves.
    screen: Arc<Mutex<Screen>>,
    pace: Arc<Pace>,
    files: Files,
    media_keys: MediaKeys,
    desktop: DesktopStatus,
    /// The time of the next update for the desktop.
    desktop_at: Instant,
    code_pages: CodePages,
    displays: Displays,
    place: WindowPlace,
    event_order: EventOrder,
    drops: Drops,
    global_keys: GlobalKeys,
    /// True while the user chooses a hotkey by pressing it in onair's window.
    chooses_key: Arc<AtomicBool>,
    /// Global hotkeys that onair's window handles, for example because they need confirmation.
    questions: Receiver<HotkeyEffect>,
    /// The number of frames drawn.
    drawn: u64,
    /// True if the window was drawn since its logic last ran.
    is_drawn: bool,
    /// True if the window showed a dialog when its logic last ran.
    asks: bool,
    handed_over: Option<LaterStarts>,
    raiser: Raiser,
    /// The value of `drawn` when the window became hidden; `None` while the window is visible.
    unseen: Option<u64>,
    /// True while no window shows the program.
    is_program_unseen: bool,
    gesture: Gesture,
    /// The time at which the end of the studio was requested.
    ending: Option<Instant>,
    may_close: bool,
}

impl<S: Studio> Window<S> {
    fn new(context: &eframe::CreationContext<'_>, studio: S, options: Options) -> Self {
        let ctx = &context.egui_ctx;
        let (program, watched) = (studio.program(), studio.watched());
        let mut screen = Screen::new(ctx, options.preferences, program.clone(), watched.clone());
        let renderer =
            context.gl.as_ref().map_or_else(Renderer::default, |gl| backend::renderer(gl));
        tracing::info!(
            renderer = renderer.name,
            software = renderer.software,
            "graphics of the window"
        );
        let pace = Arc::new(Pace::new(renderer.software, screen.others()));
        let slots = watched.into_iter().map(|slot| (Page::Watch, slot));
        for (page, slot) in std::iter::once((Page::Studio, program)).chain(slots) {
            let (pace, ctx) = (Arc::clone(&pace), ctx.clone());
            slot.on_change(move || {
                if pace.is_due(page) {
                    pace.wake(&ctx);
                }
            });
        }
        let gl = context.gl.as_ref();
        let surfaces = gl.and_then(|gl| redraw::surfaces(ctx, gl, renderer.software));
        if let Some(surfaces) = surfaces {
            screen.set_surfaces(&surfaces);
        }
        if let Some(later) = &options.handed_over {
            let ctx = ctx.clone();
            later.on_request(move || ctx.request_repaint_of(egui::ViewportId::ROOT));
        }
        screen.set_renderer(renderer);
        screen.set_page(options.page);
        if let Some(dialog) = options.dialog {
            screen.open(dialog);
        }
        screen.set_snapshot(studio.snapshot());
        let chooses_key = Arc::<AtomicBool>::default();
        let (global_keys, questions) = global_keys(context, &studio, Arc::clone(&chooses_key));
        screen.set_elsewhere(global_keys.elsewhere());
        screen.begin_watching(options.place, options.figures);
        if options.full_screen {
            screen.fill_screen();
        }
        Self {
            studio,
            // On X11, the main window draws the others, also while it is hidden.
            screen: match displays::is_wayland(context) {
                true => screen.shared(),
                false => Arc::new(Mutex::new(screen)),
            },
            pace,
            files: Files::default(),
            media_keys: MediaKeys::new(ctx.clone()),
            desktop: DesktopStatus::new(ctx.clone(), None),
            desktop_at: Instant::now(),
            code_pages: CodePages::default(),
            displays: Displays::new(context),
            place: WindowPlace::default(),
            event_order: EventOrder::default(),
            drops: Drops::new(context),
            global_keys,
            chooses_key,
            questions,
            handed_over: options.handed_over,
            raiser: Raiser::new(context),
            drawn: 0,
            is_drawn: true,
            asks: false,
            unseen: None,
            is_program_unseen: false,
            gesture: Gesture::default(),
            ending: None,
            may_close: false,
        }
    }

    fn fulfil(&mut self, ctx: &egui::Context, request: WindowRequest) {
        let folder = self.screen.lock().preferences().recording_folder.clone();
        match request {
            WindowRequest::Command(Command::PushToTalkKeys(held)) => {
                self.global_keys.here(held);
            }
            WindowRequest::Command(command) => self.studio.send(command),
            WindowRequest::PickSource(pick, scene) => {
                self.files.ask(ctx, Kind::Source(pick, scene), None);
            }
            WindowRequest::PickAnother(pick, source, folder) => {
                self.files.ask(ctx, Kind::Another(pick, source), folder);
            }
            WindowRequest::PickThen(then, folder) => {
                self.files.ask(ctx, Kind::PlaylistRequest(then), folder);
            }
            WindowRequest::PickFilterFile(asset, of, folder) => {
                self.files.ask(ctx, Kind::Filter(asset, of), folder);
            }
            WindowRequest::PickTransitionFile(of, folder) => {
                self.files.ask(ctx, Kind::Transition(of), folder);
            }
            // If nothing is saved, there is only one collection.
            WindowRequest::PickScenes if self.studio.snapshot().parts.is_kept => {
                self.files.ask(ctx, Kind::Part(PartKind::Collection, false), None);
            }
            WindowRequest::PickScenes | WindowRequest::PickMoreScenes => {
                self.files.ask(ctx, Kind::Scenes, None);
            }
            WindowRequest::SaveScenes => self.files.ask(ctx, Kind::NewScenes, None),
            // The screen has already handled these requests.
            WindowRequest::ShowParts
            | WindowRequest::ShowReplaySetting
            | WindowRequest::ShowProgram
            | WindowRequest::Act(_)
            | WindowRequest::Run(_)
            | WindowRequest::PlayRecording(_)
            | WindowRequest::ShowRecording(_)
            | WindowRequest::Project(_)
            | WindowRequest::CloseProjector(_) => {}
            WindowRequest::PickPart(kind, with_key) => {
                self.files.ask(ctx, Kind::Part(kind, with_key), None);
            }
            WindowRequest::SavePart(kind, name) => {
                self.files.ask(ctx, Kind::NewPart(kind, name), None);
            }
            WindowRequest::PickStripFile(strip) => self.files.ask(ctx, Kind::Strip(strip), None),
            WindowRequest::PickWatchFile => self.files.ask(ctx, Kind::Watch, None),
            WindowRequest::PickPassthrough => self.files.ask(ctx, Kind::Passthrough, None),
            WindowRequest::FilesChosen(paths) => self.files.answer(paths),
            WindowRequest::OwnFileChooser => self.files.use_own(),
            WindowRequest::PickRecordingFolder => self.files.ask(ctx, Kind::Folder, Some(folder)),
            WindowRequest::Record => {
                let values = self.studio.snapshot().name_values();
                let choices = self.screen.lock().preferences().recording.clone();
                let path = choices.new_recording(&folder, &values);
                self.studio.send(Command::StartRecording(path));
            }
            WindowRequest::SaveReplay => {
                let format = self.screen.lock().preferences().recording.format.extension();
                let path = new_path(&folder, "onair replay", format);
                self.studio.send(Command::SaveReplay(path));
            }
            WindowRequest::Screenshot => {
                self.studio.send(Command::Screenshot(new_path(&folder, "onair screenshot", "png")));
            }
            WindowRequest::WatchScreenshot => {
                let path = new_path(&folder, "onair watched", "png");
                self.studio.send(Command::Player(WatchCommand::Screenshot(path)));
            }
            WindowRequest::WatchSave => {
                let path = new_path(&folder, "onair watched", "flv");
                self.studio.send(Command::Player(WatchCommand::Save(path)));
            }
            WindowRequest::FullScreen(full) => {
                ctx.send_viewport_cmd(ViewportCommand::Fullscreen(full));
            }
            WindowRequest::Paste => ctx.send_viewport_cmd(ViewportCommand::RequestPaste),
            WindowRequest::Preferences => {
                self.studio.send(self.screen.lock().preferences_command());
            }
            WindowRequest::Quit => {
                if self.ending.is_none() {
                    self.ending = Some(Instant::now());
                    self.studio.send(Command::Quit);
                }
            }
        }
    }

    /// Handles the requests of the desktop's media keys.
    fn handle_media_keys(&mut self, ctx: &egui::Context, snapshot: &Snapshot) {
        self.media_keys.show(snapshot);
        let asked: Vec<MediaKeyRequest> = self.media_keys.asked().collect();
        for ask in asked {
            match &ask {
                MediaKeyRequest::Raise => self.raiser.raise(ctx, None),
                MediaKeyRequest::Quit => self.screen.lock().ask_to_close(),
                _ => {}
            }
            // The state of the players is read again, because earlier requests may have changed it.
            let commands = State::of(snapshot).map(|state| state.commands(&ask));
            for command in commands.into_iter().flatten() {
                self.studio.send(command);
            }
        }
    }

    /// Updates the notification and the status icon, and handles their requests.
    fn follow_desktop(&mut self, ctx: &egui::Context) {
        if Instant::now() >= self.desktop_at {
            self.desktop_at = Instant::now() + DESKTOP_INTERVAL;
            let seen = ctx.input(|input| input.viewport().focused.unwrap_or(true));
            let screen = self.screen.lock();
            self.desktop.show(DesktopState::of(screen.health(), screen.language(), seen));
        }
        for request in self.desktop.asked().collect::<Vec<_>>() {
            let token = self.desktop.token();
            if request == DesktopRequest::Raise || !self.go_live_or_stop_hidden() {
                self.raiser.raise(ctx, token.as_deref());
            }
        }
    }

    /// Executes *Go Live* or *Stop* for a window that may be hidden, and therefore get no frames.
    /// Returns false if the window must ask the user something, and so must be visible.
    fn go_live_or_stop_hidden(&mut self) -> bool {
        if let HotkeyEffect::Send(command) =
            effect(&Action::GoLive.into(), &self.studio.snapshot(), false)
            && (*command == Command::StopLive || self.screen.lock().may_go_live())
        {
            self.studio.send(*command);
            return true;
        }
        self.screen.lock().go_live_or_stop();
        false
    }

    /// Handles later starts of onair: brings the window to the front, switches to the requested
    /// collections and profiles, and opens the addresses and files.
    fn follow_later_starts(&mut self, ctx: &egui::Context) {
        let Some(later) = &self.handed_over else { return };
        let is_closing = self.ending.is_some() || self.may_close;
        for LaterStart { open, parts, token, taken } in later.take(is_closing) {
            self.raiser.raise(ctx, token.as_deref());
            for (kind, name) in parts {
                self.studio.send(Command::Part(PartCommand::Use(kind, name)));
            }
            if !open.is_empty() {
                self.screen.lock().open_streams(open);
            }
            // The other process may have given up.
            let _ = taken.send(());
        }
    }

    /// Follows the push-to-talk key and hotkeys while another window has the keyboard focus.
    fn follow_global_keys(&mut self, ctx: &egui::Context, hidden: bool) {
        let away = hidden || !ctx.input(|input| input.focused);
        let held = {
            let screen = self.screen.lock();
            self.chooses_key.store(!away && screen.chooses_key(), Ordering::Relaxed);
            let (wanted, hotkeys) = (screen.watched_talk_key(), screen.hotkeys_elsewhere(away));
            let called = |command: Option<&AnyCommand>| screen.hotkey_called(command);
            self.global_keys.follow(wanted, screen.preferences(), &hotkeys, called)
        };
        while let Ok(question) = self.questions.try_recv() {
            if let HotkeyEffect::Press(action) = question {
                self.screen.lock().press(ctx, action);
                continue;
            }
            // If a confirmation is needed, the window must be visible.
            self.raiser.raise(ctx, None);
            if question == HotkeyEffect::Ask(Action::GoLive) {
                self.screen.lock().go_live_or_stop();
            }
        }
        let talk = self.screen.lock().talk_elsewhere(ctx, held, hidden);
        if let Some(command) = talk {
            self.fulfil(ctx, WindowRequest::Command(command));
        }
        if held && self.screen.lock().talks() {
            // The key is held now, whether the window is visible or not.
            self.global_keys.here(true);
        }
        self.screen.lock().set_elsewhere(self.global_keys.elsewhere());
        self.screen.lock().set_global_hotkeys(self.global_keys.hotkeys());
        let refused = self.screen.lock().talk_refused();
        if let Some(command) = refused {
            self.studio.send(command);
        }
    }

    /// Logs when the window becomes hidden or visible.
    fn tell_of(&mut self, hidden: bool) {
        if hidden && self.unseen.is_none() {
            tracing::debug!("the window is hidden");
            self.studio.send(Command::SetHidden(true));
            self.unseen = Some(self.drawn);
        } else if !hidden && let Some(before) = self.unseen.take() {
            let drawn = self.drawn - before;
            self.studio.send(Command::SetHidden(false));
            tracing::debug!("the window is visible again; frames drawn while hidden: {drawn}");
        }
    }

    /// Tells the studio when no window shows the program any more, and when one shows it again.
    fn tell_of_program(&mut self, hidden: bool) {
        let is_unseen = hidden && !self.screen.lock().projects();
        if is_unseen != self.is_program_unseen {
            self.is_program_unseen = is_unseen;
            self.studio.send(Command::SetProgramUnseen(is_unseen));
        }
    }

    /// Fulfills requests, and tells the studio when the user presses and releases a mouse button
    /// in a window; see [`Gesture::follow`].
    fn fulfil_all(&mut self, ctx: &egui::Context, asked: Vec<WindowRequest>, is_last: bool) {
        // A hidden window has the input of the time when it was last drawn.
        let windows: Vec<_> = ctx.input(|input| {
            let windows = input.raw.viewports.iter();
            let seen = windows.filter(|(_, window)| window.visible() != Some(false));
            seen.map(|(id, _)| *id).collect()
        });
        let is_held = |id| ctx.input_for(id, |input| input.pointer.any_down());
        let [begin, end] = self.gesture.follow(windows.into_iter().any(is_held), is_last);
        begin.into_iter().for_each(|command| self.studio.send(command));
        for request in asked {
            self.fulfil(ctx, request);
        }
        end.into_iter().for_each(|command| self.studio.send(command));
    }
}

impl<S: Studio> eframe::App for Window<S> {
    fn raw_input_hook(&mut self, ctx: &egui::Context, input: &mut egui::RawInput) {
        if input.viewport_id == egui::ViewportId::ROOT && self.event_order.follow(&mut input.events)
        {
            ctx.request_repaint();
        }
    }

    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        let snapshot = self.studio.snapshot();
        let (hidden, close) = ctx.input(|input| {
            let viewport = input.viewport();
            (viewport.visible() == Some(false), viewport.close_requested())
        });
        self.tell_of(hidden);
        self.tell_of_program(hidden);
        self.pace.follow_screen(&self.screen.lock(), hidden);
        let commands = self.displays.follow(ctx, frame, &mut self.screen.lock());
        for command in commands {
            self.studio.send(command);
        }
        self.place.follow(ctx, &mut self.screen.lock(), Instant::now());
        self.place.follow_size(ctx, frame, &mut self.screen.lock(), Instant::now());
        self.code_pages.poll(Instant::now());
        let looked_away = if hidden { self.screen.lock().look_away() } else { None };
        self.files.follow_collection(snapshot.parts.collection_changes);
        let chosen = match self.files.poll() {
            Some(FileNews::Chosen(kind, paths)) => kind.pass_on(&mut self.screen.lock(), paths),
            Some(FileNews::OpenOwn(kind, folder)) => {
                self.screen.lock().choose_file(ctx, kind, folder);
                None
            }
            None => None,
        };
        looked_away.into_iter().chain(chosen).for_each(|command| self.studio.send(command));
        self.screen.lock().set_file_wait(self.files.waits());
        for drag in self.drops.come() {
            match drag {
                Drag::Over(over) => self.screen.lock().set_address_over(over),
                Drag::Dropped(address) => self.screen.lock().dropped_address(address),
            }
        }
        let late = self.ending.is_some_and(|since| since.elapsed() > STUDIO_END_TIMEOUT);
        if !self.may_close && (snapshot.ended || late) {
            if late {
                tracing::warn!("the studio did not end in time; the window closes without it");
            }
            self.may_close = true;
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        self.handle_media_keys(ctx, &snapshot);
        self.follow_global_keys(ctx, hidden);
        let touched = ctx.input(|input| !input.events.is_empty());
        self.pace.follow(&snapshot, touched);
        let patience = self.pace.patience(&snapshot, self.ending.is_some());
        if touched {
            self.pace.wake_others(ctx);
        }
        let is_drawn = std::mem::take(&mut self.is_drawn);
        let asked = {
            let mut screen = self.screen.lock();
            screen.set_snapshot(snapshot);
            screen.set_patience(patience);
            let asked = screen.requests(ctx, is_drawn);
            let asked_before = std::mem::replace(&mut self.asks, screen.asks());
            // A panel in a separate window may have opened the dialog.
            if self.asks && !asked_before && !is_drawn {
                self.raiser.raise(ctx, None);
            }
            asked
        };
        // If the window is drawn in this frame, further requests follow.
        self.fulfil_all(ctx, asked, false);
        self.follow_desktop(ctx);
        self.follow_later_starts(ctx);
        if close && !self.may_close {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.screen.lock().ask_to_close();
            if hidden {
                // The question must be visible.
                self.raiser.raise(ctx, None);
            }
        }
        ctx.request_repaint_after(patience);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        // When the second frame begins, the first one is on the screen.
        if ui.ctx().current_pass_index() == 0 {
            self.drawn += 1;
        }
        if self.drawn == 2 {
            tracing::info!("the window shows its first frame");
        }
        if self.drawn <= 2 {
            ui.ctx().request_repaint();
        }
        self.is_drawn = true;
        let asked = self.screen.lock().show(ui);
        self.fulfil_all(ui.ctx(), asked, true);
        let talks = self.screen.lock().talks();
        if talks {
            self.global_keys.here(true);
            ui.ctx().request_repaint_after(global_keys::REPORT_RENEWAL_INTERVAL);
        }
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        self.screen.lock().ground().to_normalized_gamma_f32()
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_what_went_wrong_and_no_place_in_somebodys_source() {
        let text = "winit EventLoopError: os error at /a/winit-0.30/linux/mod.rs:788: no X: server";
        assert_eq!(cause(text), "no X: server");
        assert_eq!(cause("no graphics driver"), "no graphics driver");
    }
}
