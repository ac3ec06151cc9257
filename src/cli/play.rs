//! `onair play`: pulls streams or reads files, and plays them, with `--headless` without a window.

mod args;
mod beside;
mod headless;
mod words;

use std::time::Duration;

use crate::base::Clock;
use crate::cli::output::{Output, complain};
use crate::cli::signals::Interrupt;
use crate::cli::{Exit, Globals, window};
use crate::net::Runtime;
use crate::player::Config;
use crate::studio;

pub use args::Args;
use args::chat_at;
use beside::Watcher;
pub(super) use words::{exit_of, sentence};

/// Runs the command.
pub fn run(args: &Args, globals: &Globals, clock: Clock) -> Exit {
    let config = match args.config() {
        Ok(config) => config,
        Err((why, exit)) => {
            complain(&why);
            return exit;
        }
    };
    if !args.headless {
        let chat = args.chat.as_deref().filter(|at| !at.is_empty());
        if let Some(Err(why)) = chat.map(|at| chat_at(at, args.first())) {
            complain(&why);
            return Exit::Usage;
        }
        let settings = match window::settings(globals) {
            Ok(settings) => settings,
            Err(why) => {
                complain(&why);
                return Exit::File;
            }
        };
        let beside = Watcher::new(args, Output::new(clock, globals.json), clock);
        let net = match args.route.beneath() {
            Ok(net) => net,
            Err((why, exit)) => {
                complain(&why);
                return exit;
            }
        };
        let config = args.with_remembered(&settings.0, Config { net, ..config });
        let (urls, full_screen, way) = (&args.sources, args.fullscreen, (args.network(), chat));
        let beside = Box::new(beside);
        let path = globals.settings.clone().or_else(studio::settings::default_path);
        return window::play(urls, (settings, path), config, way, full_screen, beside, clock);
    }
    let output = Output::new(clock, globals.json);
    let Some(interrupt) = Interrupt::listen() else { return Exit::Error };
    let runtime = match Runtime::start() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("the network cannot be used: {error}"));
            return Exit::Error;
        }
    };
    let exit = headless::run(args, &config, &output, &interrupt, &runtime, clock);
    runtime.shutdown(Duration::from_secs(1));
    exit
}
