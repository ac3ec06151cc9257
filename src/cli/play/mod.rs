//! `onair play`: pulls streams or reads files, and plays them; with `--headless`, without a window.

mod args;
mod control;
mod report;
mod watcher;

use crate::base::{Clock, sandbox};
use crate::cli::control::Lines;
use crate::cli::flags::Globals;
use crate::cli::output::Output;
use crate::cli::output::exit::Exit;
use crate::cli::process::signals::Interrupt;
use crate::cli::window;
use crate::player::Config;
use crate::text::Problem;
use crate::text::problem::problem;

pub use args::Args;
use args::chat_at;
pub(super) use report::{exit_of, sentence_of};
use watcher::Watcher;

/// Runs the command.
pub fn run(args: &Args, globals: &Globals, clock: Clock) -> Exit {
    // These problems are detected before playback; the last line contains these problems too.
    play(args, globals, clock)
        .unwrap_or_else(|(why, exit)| Output::new(clock, globals.json).refuse(&why, exit))
}

fn play(args: &Args, globals: &Globals, clock: Clock) -> Result<Exit, (Problem, Exit)> {
    let output = Output::new(clock, globals.json);
    let config = args.config()?;
    // The window itself finds the chat of a stream.
    let chat = args.chat.as_deref().map(|at| chat_at(at, args.first(), args.headless));
    let chat = chat.transpose().map_err(|why| (Problem::from(why), Exit::Usage))?.flatten();
    if args.headless {
        // Commands of --control may name other files later.
        if !args.control {
            let files = [&args.save, &args.snapshot, &args.audio_dump];
            let files: Vec<_> = files.into_iter().flatten().map(|path| path.as_path()).collect();
            sandbox::files(&files);
        }
        let interrupt = Interrupt::listen().map_err(|why| (why, Exit::Error))?;
        let mut watcher = Watcher::new(args, output, commands(args)?, clock);
        let (urls, chat) = (&args.sources, chat.as_deref());
        return Ok(window::headless(urls, config, chat, &interrupt, &mut watcher, clock));
    }
    let settings = window::settings(globals).map_err(|why| (why, Exit::File))?;
    let net = args.route.beneath()?;
    let lines = commands(args)?;
    let config = args.with_remembered(&settings.0, Config { net, ..config });
    let (urls, options, way) = (&args.sources, args.options(), (args.network(), chat.as_deref()));
    let path = globals.settings.clone().or_else(crate::studio::settings::default_path);
    let beside = Box::new(Watcher::new(args, output, lines, clock));
    Ok(window::play(urls, (settings, path), config, way, options, beside, clock))
}

/// Starts to read the commands of `--control`, if requested.
fn commands(args: &Args) -> Result<Option<Lines>, (Problem, Exit)> {
    args.control.then(Lines::listen).transpose().map_err(|error| {
        (problem!("play-no-commands", reason = Problem::from(&error)), Exit::Error)
    })
}
