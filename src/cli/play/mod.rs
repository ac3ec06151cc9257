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
use crate::player::Config;
use crate::text::Problem;
use crate::text::problem::problem;

pub use args::Args;
use args::chat_at;
pub(super) use report::{exit_of, sentence_of};
use watcher::Watcher;

/// Runs the command.
pub fn run(args: &Args, globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    // These problems are detected before playback; the last line contains these problems too.
    let refuse = |(why, exit): (Problem, Exit)| {
        output.refuse(&why, exit);
        exit
    };
    let config = match args.config() {
        Ok(config) => config,
        Err(refusal) => return refuse(refusal),
    };
    // The window itself finds the chat of a stream.
    let chat = args.chat.as_deref().map(|at| chat_at(at, args.first(), args.headless));
    let chat = match chat.transpose() {
        Ok(chat) => chat.flatten(),
        Err(why) => return refuse((why.into(), Exit::Usage)),
    };
    if args.headless {
        // Commands of --control may name other files later.
        if !args.control {
            let files = [&args.save, &args.snapshot, &args.audio_dump];
            let files: Vec<_> = files.into_iter().flatten().map(|path| path.as_path()).collect();
            sandbox::files(&files);
        }
        let started = Interrupt::listen().and_then(|interrupt| Ok((interrupt, commands(args)?)));
        let (interrupt, lines) = match started {
            Ok(started) => started,
            Err(why) => return refuse((why, Exit::Error)),
        };
        let mut watcher = Watcher::new(args, output, lines, clock);
        let (urls, chat) = (&args.sources, chat.as_deref());
        return crate::cli::window::headless(urls, config, chat, &interrupt, &mut watcher, clock);
    }
    let settings = match crate::cli::window::settings(globals) {
        Ok(settings) => settings,
        Err(why) => return refuse((why, Exit::File)),
    };
    let net = match args.route.beneath() {
        Ok(net) => net,
        Err(refusal) => return refuse(refusal),
    };
    let lines = match commands(args) {
        Ok(lines) => lines,
        Err(why) => return refuse((why, Exit::Error)),
    };
    let config = args.with_remembered(&settings.0, Config { net, ..config });
    let (urls, options, way) = (&args.sources, args.options(), (args.network(), chat.as_deref()));
    let path = globals.settings.clone().or_else(crate::studio::settings::default_path);
    let beside = Box::new(Watcher::new(args, output, lines, clock));
    crate::cli::window::play(urls, (settings, path), config, way, options, beside, clock)
}

/// Starts to read the commands of `--control`, if requested.
fn commands(args: &Args) -> Result<Option<Lines>, Problem> {
    let lines = args.control.then(Lines::listen).transpose();
    lines.map_err(|error| problem!("play-no-commands", reason = Problem::from(&error)))
}
