//! The progress of a command that takes long: after a second, a bar on a terminal, or `progress` events with `--json`.
//! A thread shows the progress, so it is also there while the command waits for a disk.

use std::io::{IsTerminal as _, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::base::{Clock, Stop, Worker};
use crate::cli::output::Output;

/// A command that ends sooner shows nothing.
const FIRST_AFTER: Duration = Duration::from_secs(1);
/// Interval between two events.
const EVENT_INTERVAL: Duration = Duration::from_secs(1);
/// Interval between two drawings of the bar.
const BAR_INTERVAL: Duration = Duration::from_millis(150);
/// Time limit for the thread, which may write a line.
const END_TIMEOUT: Duration = Duration::from_millis(500);

/// A share of the work, in thousandths.
const WHOLE: u32 = 1_000;
/// The share while it is unknown.
const UNKNOWN: u32 = u32::MAX;

/// The displayed progress. Dropping the value removes the bar.
#[derive(Debug)]
pub struct Progress {
    share: Arc<AtomicU32>,
    worker: Option<Worker>,
}

/// Where the progress goes.
#[derive(Clone, Debug)]
enum Display {
    /// Events on standard output.
    Events(Clock),
    /// A bar on the terminal of standard error, with this text.
    Bar(String),
}

impl Progress {
    /// Shows the progress of a command with events. `text` is beside the bar.
    pub fn of_events(output: &Output, text: String) -> Self {
        match output.is_json() {
            true => Self::start(Some(Display::Events(output.clock))),
            false => Self::of_answer(output, text),
        }
    }

    /// Shows the progress of a command that prints one object, which gets no events.
    pub fn of_answer(output: &Output, text: String) -> Self {
        let is_watched = !output.is_json() && stderr().is_terminal();
        Self::start(is_watched.then_some(Display::Bar(text)))
    }

    fn start(display: Option<Display>) -> Self {
        let share = Arc::new(AtomicU32::new(UNKNOWN));
        let shown = Arc::clone(&share);
        let worker = display.and_then(|display| {
            let body = move |stop: &Stop| show(&display, &shown, stop);
            let worker = Worker::spawn("onair-progress", body);
            worker.inspect_err(|error| tracing::debug!(%error, "no progress is shown")).ok()
        });
        Self { share, worker }
    }

    /// Sets the finished share of the work, from 0 to 1.
    pub fn set(&self, share: f32) {
        self.share.store((share * WHOLE as f32) as u32, Ordering::Relaxed);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        // The lines of the result come after the bar.
        if let Some(worker) = self.worker.take() {
            let _ = worker.join(END_TIMEOUT);
        }
    }
}

fn show(display: &Display, share: &AtomicU32, stop: &Stop) {
    if stop.wait(FIRST_AFTER) {
        return;
    }
    match display {
        Display::Events(clock) => {
            let output = Output::new(*clock, true);
            loop {
                output.event("progress", fields(share.load(Ordering::Relaxed)), || None);
                if stop.wait(EVENT_INTERVAL) {
                    return;
                }
            }
        }
        Display::Bar(text) => {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_message(text.clone());
            draw(&bar, share, stop);
            bar.finish_and_clear();
        }
    }
}

/// Returns the fields of an event.
fn fields(share: u32) -> serde_json::Value {
    let known = (share != UNKNOWN).then(|| f64::from(share) / f64::from(WHOLE));
    json!({ "share": known })
}

fn draw(bar: &ProgressBar, share: &AtomicU32, stop: &Stop) {
    let style = |template| {
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    };
    bar.set_style(style("{spinner} {msg} {elapsed}"));
    let mut has_length = false;
    loop {
        match share.load(Ordering::Relaxed) {
            UNKNOWN => bar.tick(),
            share => {
                if !std::mem::replace(&mut has_length, true) {
                    bar.set_length(u64::from(WHOLE));
                    bar.set_style(style("{msg} {wide_bar} {percent} % {eta}"));
                }
                bar.set_position(u64::from(share));
            }
        }
        if stop.wait(BAR_INTERVAL) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    #[test]
    fn an_event_has_the_share_once_it_is_known() {
        assert_eq!(fields(UNKNOWN), json!({ "share": null }));
        assert_eq!(fields(250), json!({ "share": 0.25 }));
    }

    #[test]
    fn a_bar_shows_the_text_and_the_share() {
        let (terminal, stop) = (InMemoryTerm::new(4, 60), Stop::new());
        stop.set();
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_message("show.flv");
        draw(&bar, &AtomicU32::new(UNKNOWN), &stop);
        assert!(terminal.contents().contains("show.flv"), "{}", terminal.contents());
        draw(&bar, &AtomicU32::new(420), &stop);
        assert!(terminal.contents().contains("42 %"), "{}", terminal.contents());
    }
}
