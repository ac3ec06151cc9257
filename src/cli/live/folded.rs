//! Prints the events of a target. Each event is printed once, followed by the number of its
//! repetitions.

use std::collections::BTreeMap;

use crate::cli::output::{Output, events};
use crate::studio::Event;
use crate::studio::event::Target;
use crate::text::problem::{Problem, problem};

/// Prints events, and folds repeated attempts of a target into one line with a count. With
/// `--json`, every event has its own line.
#[derive(Debug, Default)]
pub(super) struct Folded {
    last: BTreeMap<usize, LastTargetEvent>,
}

/// The last printed event of a target.
#[derive(Debug)]
struct LastTargetEvent {
    target: Target,
    /// The number of later attempts with the same result.
    again: u32,
}

impl Folded {
    pub(super) fn print(&mut self, output: &Output, event: &Event) {
        match event {
            Event::Target(target) if !output.is_json() => {
                if let Some(text) = self.counted(target) {
                    output.line(&output.say(&text));
                }
                if self.last.get(&target.index).is_some_and(|last| last.target == *target) {
                    events::print(output, event);
                }
            }
            _ => events::print(output, event),
        }
    }

    /// Prints the counts that have not been printed yet.
    pub(super) fn end(&mut self, output: &Output) {
        for last in std::mem::take(&mut self.last).into_values() {
            if let Some(text) = last.counted() {
                output.line(&output.say(&text));
            }
        }
    }

    /// Returns the line with the count of repetitions, which is printed before the target's next
    /// line or at the end.
    fn counted(&mut self, target: &Target) -> Option<Problem> {
        // The stages of an attempt after a failure are the same as those of the previous attempt.
        let retried = target.cause.is_some() && target.retry_in.is_none() && target.exit.is_none();
        let known = self.last.get_mut(&target.index);
        if let Some(last) = known {
            let same = |it: &Target| (it.state, it.stage, it.cause.clone());
            let failing = target.retry_in.is_some() && last.target.retry_in.is_some();
            if failing && same(&last.target) == same(target) {
                last.again += 1;
                return None;
            }
            if retried && last.target.retry_in.is_some() && !target.state.is_settled() {
                return None;
            }
        }
        let before =
            self.last.insert(target.index, LastTargetEvent { target: target.clone(), again: 0 });
        before.and_then(|last| last.counted())
    }
}

impl LastTargetEvent {
    fn counted(&self) -> Option<Problem> {
        let (url, times) = (&self.target.url, self.again);
        (times > 0).then(|| problem!("out-target-folded", times = times, url = url))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::studio::event::TargetState;
    use crate::text::Language;

    #[test]
    fn fifteen_tries_are_a_line_and_a_count() {
        let mut folded = Folded::default();
        let mut lines = Vec::new();
        let mut tell = |index, state, stage, cause: Option<&str>, wait: Option<u64>| {
            let target = Target {
                index,
                url: format!("rtmp://host{index}/live/***"),
                state,
                stage: Some(stage),
                cause: cause.map(Into::into),
                retry_in: wait.map(Duration::from_millis),
                ..Target::default()
            };
            lines.extend(folded.counted(&target).map(|it| Language::English.say(&it)));
            let own = folded.last.get(&index).is_some_and(|last| last.target == target);
            lines.extend(own.then(|| format!("{index} {} {stage}", state.name())));
        };
        use TargetState::{Connecting, Live, Reconnecting};
        for index in [0, 1] {
            tell(index, Connecting, "dns", None, None);
            tell(index, Live, "media", None, None);
        }
        let refused = Some("connection refused");
        for wait in 0..15 {
            for index in [0, 1] {
                tell(index, Reconnecting, "tcp", refused, Some(400 + wait));
                tell(index, Reconnecting, "dns", refused, None);
                tell(index, Reconnecting, "tcp", refused, None);
            }
        }
        tell(1, Reconnecting, "publish", Some("the name is in use"), Some(500));
        tell(1, Live, "media", None, None);
        assert_eq!(
            lines,
            [
                "0 connecting dns",
                "0 live media",
                "1 connecting dns",
                "1 live media",
                "0 reconnecting tcp",
                "1 reconnecting tcp",
                "Target rtmp://host1/live/***: last message repeated 14 more times",
                "1 reconnecting publish",
                "1 live media",
            ]
        );
        assert_eq!(
            folded.last[&0].counted().map(|it| Language::English.say(&it)).as_deref(),
            Some("Target rtmp://host0/live/***: last message repeated 14 more times")
        );
    }
}
