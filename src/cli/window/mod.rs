//! `onair` and `onair studio`: the window for the studio. `onair play` opens the same window and
//! shows the player.

mod first;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::app::{self, Options};
use crate::base::queue::{self, Full, Receiver};
use crate::base::{Clock, Latest, Stop, Worker};
use crate::cli::flags::Globals;
use crate::cli::output::exit::Exit;
use crate::cli::output::{complain, standard_error};
use crate::cli::process::signals::{Interrupt, cannot_start};
use crate::cli::window::first::FirstStart;
use crate::media::VideoFrame;
use crate::platform::signals;
use crate::player;
use crate::remote::RemoteControl;
use crate::studio::settings::part::files::PartFiles;
use crate::studio::settings::part::on_air::OnAirMark;
use crate::studio::settings::{read_services, services_beside};
use crate::studio::watch::choices::{Network, PlayerChoices};
use crate::studio::{
    self, Collection, Command, Event, Preferences, Serve, Settings, Snapshot, Studio,
};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::ui::input::rules::runner::RuleRunner;
use crate::ui::{Dialog, Page, unknown_names};

/// The arguments of the window.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Args {
    /// Files and streams to play. If the window is already open, it comes to the front and plays
    /// them
    #[arg(value_name = "URL|FILE")]
    pub(super) open: Vec<String>,
}

/// Opens the studio and runs it to its end.
pub fn run(args: &Args, globals: &Globals, clock: Clock) -> Exit {
    // A broadcast must not wait for a terminal that stops reading.
    standard_error::write_beside();
    let path = globals.settings.clone().or_else(crate::studio::settings::default_path);
    // Without saved settings, this is the first start, and the guide is displayed.
    let is_first = path.as_deref().is_some_and(|path| !path.exists());
    let open: Vec<String> = args.open.iter().map(|it| first::absolute(it)).collect();
    let mut first = FirstStart::default();
    if let Some(path) = &path {
        first = match first::begin(globals, &open, path) {
            Ok(first) => first,
            Err(exit) => return exit,
        };
    }
    let (mut settings, mut warnings) = path.as_deref().map(Settings::read).unwrap_or_default();
    if let Some(files) = path.as_deref().map(PartFiles::beside) {
        for (kind, name) in globals.parts() {
            match files.switch(kind, name, &mut settings) {
                Ok(bad) => warnings.extend(bad),
                Err(why) => {
                    complain(why);
                    return Exit::File;
                }
            }
        }
    }
    let beside = path.as_deref().map(services_beside);
    let (services, wrong) = beside.as_deref().map(read_services).unwrap_or_default();
    warnings.extend(wrong);
    let (preferences, choices) = (settings.preferences.clone(), settings.player.clone());
    warnings.extend(unknown_hotkeys(&preferences));
    let mut config = studio::Config {
        keys_path: path.as_deref().map(crate::studio::settings::keys_beside),
        journal: crate::studio::settings::default_journal(),
        on_air_mark: path.as_deref().map(OnAirMark::place),
        settings_path: path,
        event_log_path: crate::studio::notices::event_log::default_path(
            clock.wall_micros(clock.now()),
        ),
        crashes: crate::studio::engine::system::crash_reports::default_folder(),
        server_token: crate::studio::settings::ServerToken::of_user_or_none(),
        services,
        warnings,
        serve: Serve::AtOnce,
        guests: crate::server::guests::MAX_GUESTS,
        scenes_only: true,
        monitor_own: true,
        ..studio::Config::new(clock, settings)
    };
    choices.apply(&mut config.player);
    config.player.volume = config.settings.volume;
    config.player.muted = config.settings.player_muted;
    let open_is_empty = open.is_empty();
    let page = if open_is_empty { Page::Studio } else { Page::Watch };
    let watch = (!open.is_empty()).then_some(Command::WatchAll(open));
    let handed_over = first.handed_over.take();
    let guides = is_first && open_is_empty;
    let dialog = guides.then_some(Dialog::Guide);
    let options = Options { preferences, page, dialog, handed_over, ..Options::default() };
    self::open(config, options, watch.as_slice(), Box::new(Nothing), &first.windowless)
}

/// Returns the hotkeys in the settings for which the window has no command.
fn unknown_hotkeys(preferences: &Preferences) -> impl Iterator<Item = Problem> {
    unknown_names(preferences).into_iter().map(|name| {
        let (path, reason) = (format!("hotkeys.{name}"), problem!("value-unknown-name"));
        problem!("settings-ignored", path = path, reason = reason)
    })
}

/// A task that runs alongside a window, on a separate thread.
pub(super) trait WindowCompanion: Send {
    /// Returns the interval of the polls, and of the checks for signals. Each one wakes the
    /// processor.
    fn interval(&self) -> Duration;
    /// Prints the reason why the studio does not start. Returns the exit code.
    fn refuse(&self, why: &Problem) -> Exit;
    /// Checks the studio and the events since the last poll. Returns whether the window should be
    /// closed.
    fn poll(&mut self, studio: &Studio, events: &Receiver<Event>) -> bool;
    /// Polls for the last time, after the window is closed and the studio has ended. `failure` is
    /// the reason why there is no window, if it did not end normally. Returns the exit code.
    fn end(&mut self, studio: &Studio, events: &Receiver<Event>, failure: Option<&Problem>)
    -> Exit;
}

/// A companion without a task.
struct Nothing;

impl WindowCompanion for Nothing {
    fn interval(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn refuse(&self, why: &Problem) -> Exit {
        complain(why.clone());
        Exit::Error
    }

    fn poll(&mut self, _: &Studio, _: &Receiver<Event>) -> bool {
        false
    }

    fn end(&mut self, _: &Studio, _: &Receiver<Event>, failure: Option<&Problem>) -> Exit {
        failure.map_or(Exit::Ok, |_| Exit::Device)
    }
}

/// Returns the requested settings, or else the user's settings.
///
/// # Errors
/// Fails like [`Globals::named_settings`].
pub(super) fn settings(globals: &Globals) -> Result<(Settings, Vec<Problem>), Problem> {
    Ok(globals.named_settings()?.unwrap_or_else(|| {
        let path = crate::studio::settings::default_path();
        // Problems of the settings are reported by the studio that owns them.
        (path.as_deref().map(Settings::read).unwrap_or_default().0, Vec::new())
    }))
}

/// Opens the player with one or more streams, and runs it to its end. `network` contains the
/// connection options of flags, if any, and `options` contains the options with which the window
/// opens.
pub(super) fn play(
    urls: &[String],
    ((mut settings, warnings), players_path): ((Settings, Vec<Problem>), Option<PathBuf>),
    player: player::Config,
    (network, chat): (Option<Network>, Option<&str>),
    mut options: Options,
    beside: Box<dyn WindowCompanion>,
    clock: Clock,
) -> Exit {
    // Options from the command line have precedence; the user's trusted servers are trusted here
    // too.
    let mut known = std::mem::take(&mut settings.player.network);
    if let Some(network) = network {
        known = Network { trusted: known.trusted, ..network };
    }
    let player = player::Config { reconnect: known.reconnect, ..player };
    // From here on, only changes by the user are saved.
    let viewport = settings.player.viewport;
    settings.player = PlayerChoices { network: known, viewport, ..PlayerChoices::of(&player) };
    (settings.volume, settings.player_muted) = (player.volume, player.muted);
    if let (Some(chat), Some(url)) = (chat, urls.first()) {
        settings.chat.put_place(url, chat.trim());
    }
    settings.chat = settings.chat.checked();
    // No camera or microphone was requested.
    settings.collection = Collection::default();
    settings.video = Some(crate::capture::VideoChoice::None);
    settings.audio = Some(crate::audio::AudioChoice::None);
    settings.wall.clear();
    let time_shift = Some(player::TimeShiftDepth::default());
    // In a window, the user ends the player.
    let player = player::Config { time_shift, patient: true, ..player };
    let preferences = settings.preferences.clone();
    let config = studio::Config {
        player,
        warnings,
        players_path,
        scenes_only: true,
        ..studio::Config::new(clock, settings)
    };
    (options.preferences, options.page) = (preferences, Page::Watch);
    open(config, options, &[Command::WatchAll(urls.to_vec())], beside, &Arc::default())
}

/// Plays streams without a window, until the task or a signal ends playback. `chat` is the chat of
/// the first stream.
pub(super) fn headless(
    urls: &[String],
    player: player::Config,
    chat: Option<&str>,
    interrupt: &Interrupt,
    beside: &mut dyn WindowCompanion,
    clock: Clock,
) -> Exit {
    let mut settings = Settings { player: PlayerChoices::of(&player), ..Settings::default() };
    if let (Some(chat), Some(url)) = (chat, urls.first()) {
        settings.chat.put_place(url, chat);
    }
    let own = studio::Config::new(clock, settings);
    let config = studio::Config { player, program: false, find_chat: false, ..own };
    let (studio, events) = match start(config) {
        Ok(started) => started,
        Err(why) => return beside.refuse(&why),
    };
    studio.send(Command::WatchAll(urls.to_vec()));
    while !beside.poll(&studio, &events) && !interrupt.is_set() && !studio.has_crashed() {
        std::thread::sleep(HEADLESS_POLL_INTERVAL);
    }
    studio.send(Command::Quit);
    let ended = has_ended(&studio, STUDIO_END_TIMEOUT);
    match beside.end(&studio, &events, None) {
        Exit::Ok if !ended => Exit::Error,
        exit => exit,
    }
}

/// Starts a studio.
fn start(config: studio::Config) -> Result<(Studio, Receiver<Event>), Problem> {
    let mut studio = Studio::start(config).map_err(|error| cannot_start(&error))?;
    let events = studio.events().ok_or_else(|| problem!("internal-error"))?;
    Ok((studio, events))
}

/// Interval between checks for a signal or the end of the studio.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(30);

/// Interval between checks for a signal or the end of the studio, in a run without a window and
/// with `--duration`.
const HEADLESS_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Time limit for the end of the studio.
const STUDIO_END_TIMEOUT: Duration = Duration::from_secs(5);

/// Time limit for closing the window after the end of the studio.
const WINDOW_CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

fn open(
    config: studio::Config,
    options: Options,
    first: &[Command],
    beside: Box<dyn WindowCompanion>,
    windowless: &Arc<AtomicBool>,
) -> Exit {
    // A window that only plays streams has no settings file, and nothing to control.
    let is_controllable = config.settings_path.is_some();
    let started = Interrupt::listen().and_then(|interrupt| Ok((interrupt, start(config)?)));
    let (interrupt, (studio, events)) = match started {
        Ok(started) => started,
        Err(why) => return beside.refuse(&why),
    };
    let _remote = is_controllable.then(|| RemoteControl::follow(studio.link()));
    let rules = is_controllable.then(|| RuleRunner::start(studio.link())).transpose();
    let _rules = rules.inspect_err(|error| tracing::warn!(%error, "rules are not followed")).ok();
    let studio = Arc::new(studio);
    for command in first {
        studio.send(command.clone());
    }
    let (tell, ended) = queue::bounded("window-ended", 1, Full::Block);
    // Shared, because the companion reports the error if there is no thread for it.
    let beside = Arc::new(Mutex::new(beside));
    let failure = Arc::new(OnceLock::new());
    let listener = {
        let (studio, windowless) = (Arc::clone(&studio), Arc::clone(windowless));
        let (beside, failure) = (Arc::clone(&beside), Arc::clone(&failure));
        Worker::spawn("onair-signals", move |stop| {
            let mut beside = beside.lock();
            let shared = (&*windowless, &*failure);
            let exit = heed(&interrupt, &studio, &events, &mut **beside, stop, shared);
            let _ = tell.send(exit);
        })
    };
    let listener = match listener {
        Ok(listener) => listener,
        Err(error) => return beside.lock().refuse(&cannot_start(&error)),
    };
    crate::encode::try_encoders();
    let shown = app::run(Arc::clone(&studio), options);
    // If the window disappeared together with its display, the studio may still be working.
    let lost = !studio.is_ending() && studio.snapshot().is_live_or_recording();
    if lost {
        tell_of_lost_display(&studio, windowless);
    }
    if let Err(error) = &shown
        && !lost
    {
        // The companion's last line contains the failure.
        let _ = failure.set(no_window(error));
    }
    while lost && !studio.is_ending() && studio.snapshot().is_live_or_recording() {
        std::thread::sleep(POLL_INTERVAL);
    }
    studio.send(Command::Quit);
    if !has_ended(&studio, STUDIO_END_TIMEOUT) {
        tracing::warn!("the studio did not end in time");
    }
    drop(listener);
    let exit = ended.recv_timeout(WINDOW_CLOSE_TIMEOUT);
    if let Some(why) = failure.get() {
        complain(why.clone());
    } else if shown.is_err() {
        complain(problem!("display-lost-ended"));
    }
    final_exit(exit.ok(), failure.get().is_some(), studio.has_crashed())
}

/// Returns the exit code of the program. The companion's exit code, if any, is already in its last
/// line, so a failure of the window does not change this code.
fn final_exit(companion: Option<Exit>, window_failed: bool, has_crashed: bool) -> Exit {
    match companion {
        Some(exit) if window_failed && exit != Exit::Ok => exit,
        _ if has_crashed => Exit::Error,
        Some(exit) => exit,
        None if window_failed => Exit::Device,
        None => Exit::Ok,
    }
}

/// Returns the problem of a window that cannot open, or that ended with an error.
fn no_window(error: &app::Error) -> Problem {
    let app::Error::Window(cause) = error;
    problem!("cli-no-display", reason = cause.trim_end_matches('.'))
}

/// Reports the lost display. The broadcast continues until it ends, or until a signal ends it.
fn tell_of_lost_display(studio: &Studio, windowless: &AtomicBool) {
    windowless.store(true, Ordering::Relaxed);
    studio.send(Command::WindowLost);
    complain(problem!("display-lost-goes-on", process = i64::from(std::process::id())));
}

/// Ends the studio cleanly on a signal or request, regardless of the window's thread. The window
/// then closes, or the process ends without waiting for the window. Returns the exit code.
fn heed(
    interrupt: &Interrupt,
    studio: &Studio,
    events: &Receiver<Event>,
    beside: &mut dyn WindowCompanion,
    stop: &Stop,
    (windowless, failure): (&AtomicBool, &OnceLock<Problem>),
) -> Exit {
    let mut lost = None;
    loop {
        let over = beside.poll(studio, events);
        // The report of a crash is already on standard error.
        if over || interrupt.is_set() || studio.has_crashed() {
            break;
        }
        if app::is_display_gone() {
            // The window's thread has stopped for good.
            let was_at_work = *lost.get_or_insert_with(|| {
                let at_work = studio.snapshot().is_live_or_recording();
                if at_work {
                    tell_of_lost_display(studio, windowless);
                }
                at_work
            });
            if !studio.snapshot().is_live_or_recording() {
                let message = match was_at_work {
                    true => problem!("display-lost-ended"),
                    false => problem!("cli-display-gone"),
                };
                complain(message);
                break;
            }
        }
        if stop.wait(beside.interval()) {
            return beside.end(studio, events, failure.get());
        }
    }
    if interrupt.is_set() {
        tracing::info!("a signal ends the program");
    }
    studio.send(Command::Quit);
    let ended = has_ended(studio, STUDIO_END_TIMEOUT);
    let gone = (lost == Some(false)).then(|| problem!("cli-display-gone"));
    let exit = beside.end(studio, events, gone.as_ref().or(failure.get()));
    if lost.is_some() {
        if interrupt.is_set() {
            complain(problem!("display-lost-ended"));
        }
        exit_now(if ended { exit } else { Exit::Error });
    }
    if !stop.wait(WINDOW_CLOSE_TIMEOUT) {
        tracing::warn!("the window did not close in time; the program ends without it");
        let exit = if ended { exit } else { Exit::Error };
        exit_now(exit);
    }
    exit
}

/// Ends the process without its main thread.
fn exit_now(exit: Exit) -> ! {
    standard_error::flush();
    signals::end_at_once(exit.code())
}

/// Waits for the end of the studio, for at most `limit`. A crash is no end.
fn has_ended(studio: &Studio, limit: Duration) -> bool {
    let since = Instant::now();
    while !studio.snapshot().ended {
        if studio.has_crashed() || since.elapsed() > limit {
            return false;
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    true
}

impl app::Studio for Arc<Studio> {
    fn snapshot(&self) -> Snapshot {
        Studio::snapshot(self)
    }

    fn send(&self, command: Command) {
        Studio::send(self, command);
    }

    fn sender(&self) -> Box<dyn Fn(Command) + Send + Sync> {
        let studio = Arc::downgrade(self);
        Box::new(move |command| {
            if let Some(studio) = studio.upgrade() {
                studio.send(command);
            }
        })
    }

    fn watcher(&self) -> Box<dyn Fn() -> Option<Snapshot> + Send + Sync> {
        let studio = Arc::downgrade(self);
        Box::new(move || studio.upgrade().map(|studio| Studio::snapshot(&studio)))
    }

    fn program(&self) -> Latest<VideoFrame> {
        Studio::program(self)
    }

    fn watched(&self) -> Vec<Latest<VideoFrame>> {
        Studio::watched(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_ends_with_the_exit_code_of_the_last_line() {
        for (companion, window_failed, has_crashed, exit) in [
            (Some(Exit::Ok), true, false, Exit::Ok),
            (Some(Exit::Lost), true, false, Exit::Lost),
            (Some(Exit::Lost), false, false, Exit::Lost),
            (Some(Exit::Device), true, true, Exit::Device),
            (Some(Exit::Ok), true, true, Exit::Error),
            (Some(Exit::Ok), false, true, Exit::Error),
            (None, true, false, Exit::Device),
            (None, false, false, Exit::Ok),
        ] {
            let found = final_exit(companion, window_failed, has_crashed);
            assert_eq!(found, exit, "{companion:?} {window_failed} {has_crashed}");
        }
    }
}
