//! Runs `onair live --copy`: a file's packets to the targets, until it ends or somebody ends it.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::base::Stop;
use crate::cli::live::broadcast::Outcome;
use crate::cli::live::folded::Folded;
use crate::cli::output::exit::Exit;
use crate::cli::output::redact::check_file;
use crate::cli::output::{Output, complain, events};
use crate::cli::process::signals::Interrupt;
use crate::studio::engine::passthrough_only::{Copying, Error};
use crate::studio::{Config, Event};

/// How often it is looked what happened.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Runs it to its end.
pub(super) fn run(
    config: &Config,
    path: &Path,
    again: bool,
    duration: Option<Duration>,
    drain: bool,
    output: &Output,
) -> Exit {
    let clock = config.clock;
    let Some(interrupt) = Interrupt::listen() else { return Exit::Error };
    let enabled = config.settings.targets.iter().filter(|target| target.enabled);
    let targets: Vec<usize> = enabled.map(|target| target.id as usize).collect();
    if let Err(why) = check_file(path) {
        complain(&why);
        output.event("summary", json!({"error": why, "exit": Exit::File.code()}), || None);
        return Exit::File;
    }
    let mut copying = match Copying::start(config, path, again) {
        Ok(copying) => copying,
        Err(error) => {
            let why = error.to_string();
            let exit = match error {
                Error::Film(_) => Exit::File,
                Error::Target(_) => Exit::Usage,
                Error::System(_) => Exit::Error,
            };
            complain(&why);
            output.event("summary", json!({"error": why, "exit": exit.code()}), || None);
            return exit;
        }
    };
    let (mut outcome, mut folded, mut first) = (Outcome::default(), Folded::default(), None);
    let mut hear = |events: Vec<Event>| {
        for event in events {
            outcome.note(&event);
            folded.print(output, &event);
        }
    };
    let (started, mut draining) = (clock.now(), false);
    loop {
        hear(copying.look());
        if first.is_none() && copying.packets() > 0 {
            first = Some(clock.now());
        }
        let since = first.unwrap_or(started);
        let over = duration.is_some_and(|limit| clock.now() >= since + limit);
        let stop = over || interrupt.is_set();
        if drain && stop && !draining {
            draining = copying.drain();
        }
        if copying.is_over() || stop && !draining {
            break;
        }
        Stop::new().wait(POLL_INTERVAL);
    }
    let (last_words, figures) = copying.end();
    hear(last_words);
    folded.end(output);
    let exit = outcome.exit(&targets, false);
    let seconds = first.map(|first| events::seconds(clock.now().since(first)));
    events::summary(output, Some(&figures), exit, || json!({ "seconds": seconds }));
    exit
}
