//! `onair play --headless`: one stream or several, each with a player of its own; what befalls one of
//! them ends no other.

use std::time::Duration;

use crate::base::{Clock, Latest};
use crate::cli::output::exit::Exit;
use crate::cli::output::{Output, complain};
use crate::cli::play::args::Args;
use crate::cli::play::control::headless::Steering;
use crate::cli::play::report;
use crate::cli::play::report::{exit_of, sentence_of};
use crate::cli::play::session::Watching;
use crate::cli::process::signals::Interrupt;
use crate::media::VideoFrame;
use crate::net::Runtime;
use crate::net::web::WebUrl;
use crate::player::chat::Chat;
use crate::player::{Config, Figures, Player, Source, State};

/// How often it is looked what has happened.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Plays without a window; the exit code is that of the first stream that did not end well.
pub(super) fn run(
    args: &Args,
    config: &Config,
    chat: Option<WebUrl>,
    output: &Output,
    interrupt: &Interrupt,
    runtime: &Runtime,
    clock: Clock,
) -> Exit {
    let steering = args.control.then(|| Steering::listen(config, args.sources.len())).transpose();
    let mut steering = match steering {
        Ok(steering) => steering,
        Err(error) => {
            complain(&format!("listening for commands: {error}"));
            return Exit::Error;
        }
    };
    let chat = chat.map(|url| Chat::join(url, config.net.clone(), runtime));
    let several = args.sources.len() > 1;
    let mut chat = Some(chat);
    let mut exits = Vec::new();
    let mut all: Vec<Watching<'_>> = Vec::new();
    for (number, source) in args.sources.iter().enumerate() {
        let index = several.then_some(number);
        let source = Source::parse(source);
        let muted = config.muted || number > 0;
        let config = Config { source, muted, ..config.clone() };
        match Player::open(&config, runtime, clock, Latest::<VideoFrame>::default()) {
            Ok(player) => {
                let chat = chat.take().flatten();
                all.push(Watching::new((args, output, clock), index, player, chat));
            }
            Err(failure) => {
                complain(&report::numbered(index, sentence_of(&config.source, &failure)));
                let exit = exit_of(failure.kind);
                if let Some(fields) = report::state(&State::Failed(failure)) {
                    report::event(output, index, "play", fields, || None);
                }
                report::summary(output, &Figures::default(), args.measure, index, exit);
                exits.push((number, exit));
            }
        }
    }
    if steering.is_some() {
        Steering::share_memory(&all);
    }
    while all.iter().any(|stream| stream.ended.is_none()) {
        let asked = steering.as_mut().is_some_and(|steering| steering.handle(&all, output));
        let stop = asked || interrupt.is_set();
        for stream in all.iter_mut().filter(|stream| stream.ended.is_none()) {
            let exit = if stop { Some(Exit::Ok) } else { stream.step() };
            if let Some(exit) = exit {
                stream.end(exit);
            }
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    exits.extend(all.iter().map(|stream| (stream.number(), stream.ended.unwrap_or(Exit::Ok))));
    exits.sort_by_key(|(number, _)| *number);
    let bad = exits.iter().map(|(_, exit)| *exit).find(|exit| *exit != Exit::Ok);
    let exit = bad.unwrap_or(Exit::Ok);
    if several {
        let figures: Vec<Figures> = all.iter().map(|stream| stream.player.figures()).collect();
        report::totals(output, &figures, args.sources.len(), exit);
    }
    exit
}
