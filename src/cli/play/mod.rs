//! `onair play`: pulls streams or reads files, and plays them, with `--headless` without a window.

mod args;
mod control;
mod headless;
mod report;
mod session;
mod window;

use std::time::Duration;

use serde_json::json;

use crate::base::{Clock, sandbox};
use crate::cli::flags::Globals;
use crate::cli::output::exit::Exit;
use crate::cli::output::{Output, complain};
use crate::cli::process::signals::Interrupt;
use crate::net::Runtime;
use crate::player::Config;

pub use args::Args;
use args::chat_at;
pub(super) use report::{exit_of, sentence_of};
use window::WindowWatcher;

/// Runs the command.
pub fn run(args: &Args, globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    // Before anything is played; the last line says so too.
    let refuse = |(why, exit): (String, Exit)| {
        complain(&why);
        output.event("summary", json!({"error": why, "exit": exit.code()}), || None);
        exit
    };
    let config = match args.config() {
        Ok(config) => config,
        Err(refusal) => return refuse(refusal),
    };
    let chat = args.chat.as_deref().map(|at| chat_at(at, args.first())).transpose();
    let chat = match chat {
        Ok(chat) => chat.flatten(),
        Err(why) => return refuse((why, Exit::Usage)),
    };
    if !args.headless {
        let settings = match crate::cli::window::settings(globals) {
            Ok(settings) => settings,
            Err(why) => return refuse((why, Exit::File)),
        };
        let net = match args.route.beneath() {
            Ok(net) => net,
            Err(refusal) => return refuse(refusal),
        };
        let beside = match WindowWatcher::new(args, output, clock) {
            Ok(beside) => beside,
            Err(error) => {
                complain(&format!("listening for commands: {error}"));
                return Exit::Error;
            }
        };
        let config = args.with_remembered(&settings.0, Config { net, ..config });
        // What stands beside a stream, the window finds by itself.
        let chat = args.chat.as_deref().filter(|at| !at.is_empty());
        let (urls, options, way) = (&args.sources, args.options(), (args.network(), chat));
        let beside = Box::new(beside);
        let path = globals.settings.clone().or_else(crate::studio::settings::default_path);
        return crate::cli::window::play(
            urls,
            (settings, path),
            config,
            way,
            options,
            beside,
            clock,
        );
    }
    // What is told by --control may name other files later.
    if !args.control {
        let files = [&args.save, &args.snapshot, &args.audio_dump];
        sandbox::files(&files.into_iter().flatten().map(|path| path.as_path()).collect::<Vec<_>>());
    }
    let Some(interrupt) = Interrupt::listen() else { return Exit::Error };
    let runtime = match Runtime::start() {
        Ok(runtime) => runtime,
        Err(error) => {
            return refuse((format!("the network cannot be used: {error}"), Exit::Error));
        }
    };
    let exit = headless::run(args, &config, chat, &output, &interrupt, &runtime, clock);
    runtime.shutdown(Duration::from_secs(1));
    exit
}
