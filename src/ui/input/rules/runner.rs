//! The thread that follows the rules: it watches snapshots of the studio, and sends commands.

use std::time::Duration;

use crate::base::{Stop, Timestamp, Worker};
use crate::capture::screen::front::FrontWindow;
use crate::studio::engine::handle::StudioLink;
use crate::studio::{Command, Snapshot};
use crate::text::local_time;
use crate::ui::input::rules::effect::rule_command;
use crate::ui::input::rules::limits::{RuleLimits, RuleVerdict};
use crate::ui::input::rules::watcher::RuleWatcher;

/// Interval between two looks at the studio.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// The same while there are no rules.
const IDLE_LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Interval between attempts to learn which window is in front.
const FRONT_INTERVAL: Duration = Duration::from_secs(10);

/// The window in front, while a rule waits for one.
#[derive(Debug, Default)]
struct FrontWatch {
    connection: Option<FrontWindow>,
    next_attempt: Timestamp,
}

impl FrontWatch {
    /// Returns the program and title of the window in front, which are empty without such a window, or `None` if it is
    /// not known.
    fn look(&mut self, now: Timestamp, snapshot: &Snapshot) -> Option<String> {
        if !snapshot.rules.iter().any(|rule| rule.enabled && rule.when.starts_with("window:")) {
            *self = Self::default();
            return None;
        }
        if self.connection.is_none() && now >= self.next_attempt {
            self.next_attempt = now + FRONT_INTERVAL;
            match FrontWindow::connect() {
                Ok(connection) => self.connection = Some(connection),
                Err(why) => tracing::debug!(%why, "rules do not know the window in front"),
            }
        }
        match self.connection.as_ref()?.window() {
            Ok(window) => Some(window.map(|window| window.id).unwrap_or_default()),
            Err(why) => {
                tracing::debug!(%why, "rules lost the window in front");
                self.connection = None;
                None
            }
        }
    }
}

/// The running rules. Dropping this value ends them.
#[derive(Debug)]
pub struct RuleRunner {
    _worker: Worker,
}

impl RuleRunner {
    /// Follows the rules of this studio.
    ///
    /// # Errors
    /// Fails if the system cannot start a thread.
    pub fn start(link: StudioLink) -> std::io::Result<Self> {
        let worker = Worker::spawn("rules", move |stop| run(&link, stop))?;
        Ok(Self { _worker: worker })
    }
}

fn run(link: &StudioLink, stop: &Stop) {
    let (mut watcher, mut limits) = (RuleWatcher::default(), RuleLimits::default());
    let mut front = FrontWatch::default();
    let (mut seen, mut newest) = (0, None);
    loop {
        newest = link.snapshots.newer(&mut seen).or(newest);
        let idle = newest.as_ref().is_none_or(|it: &Snapshot| it.rules.is_empty());
        if let Some(snapshot) = newest.as_ref().filter(|it| !it.ended) {
            for command in step(link, (&mut watcher, &mut front), &mut limits, snapshot) {
                if link.send(command).is_none() {
                    tracing::warn!("the studio is busy: the command of a rule is lost");
                }
            }
        }
        if stop.wait(if idle { IDLE_LOOK_INTERVAL } else { LOOK_INTERVAL }) {
            return;
        }
    }
}

/// Returns the commands of the rules that apply now.
fn step(
    link: &StudioLink,
    (watcher, front): (&mut RuleWatcher, &mut FrontWatch),
    limits: &mut RuleLimits,
    snapshot: &Snapshot,
) -> Vec<Command> {
    let now = link.clock.now();
    let text = local_time(link.clock.wall_micros(now), "%H:%M");
    let part = |text: &str| text.parse().unwrap_or(0);
    let minute = text.split_once(':').map_or((0, 0), |(hour, minute)| (part(hour), part(minute)));
    let front = front.look(now, snapshot);
    let due = watcher.step(now, (minute, front.as_deref()), snapshot);
    limits.keep(|line| snapshot.rules.iter().any(|rule| rule.line() == line));
    if !due.is_empty() {
        limits.begin(now, due.iter().any(|it| it.is_caused));
    }
    let mut commands = Vec::new();
    for it in due {
        let line = it.rule.line();
        match limits.run(&line, now) {
            RuleVerdict::Run => {
                tracing::info!(rule = line, "a rule applies");
                commands.extend(rule_command(&it.rule.then, snapshot));
            }
            RuleVerdict::Skip => tracing::debug!(rule = line, "a rule applies too often"),
            RuleVerdict::Pause => commands.push(Command::PauseRule(it.rule)),
        }
    }
    commands
}
