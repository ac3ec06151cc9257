//! Keeps rules from running each other for ever. A rule's command can cause the event of another
//! rule, so rules that follow each other at once form a chain. A rule that makes the chain too long
//! is paused. Events that no command causes, such as chat messages, only have a maximum rate, because
//! otherwise viewers could pause a rule.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::base::Timestamp;

/// Maximum number of times that a rule runs in a second.
pub const MAX_RUNS_PER_SECOND: usize = 5;
/// Maximum number of rules that run one after the other.
pub const MAX_CHAIN: u32 = 8;
/// An event that comes this soon after a rule belongs to the rule's chain. The studio executes a
/// command within this time.
const CHAIN_GAP: Duration = Duration::from_millis(400);

/// Whether a rule may run.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RuleVerdict {
    Run,
    /// The rule ran too often in the last second.
    Skip,
    /// Rules run each other for ever.
    Pause,
}

/// Counts the runs of rules.
#[derive(Debug, Default)]
pub struct RuleLimits {
    /// The times of the last runs of each rule.
    runs: BTreeMap<String, VecDeque<Timestamp>>,
    chain: u32,
    last: Option<Timestamp>,
}

impl RuleLimits {
    /// Begins a step in which at least one rule applies. `is_caused` is true if a command can have
    /// caused its event.
    pub fn begin(&mut self, now: Timestamp, is_caused: bool) {
        let follows = self.last.is_some_and(|last| now.since(last) < CHAIN_GAP);
        self.chain = if follows && is_caused { self.chain + 1 } else { 1 };
    }

    /// Counts a run of this rule, unless it may not run.
    pub fn run(&mut self, rule: &str, now: Timestamp) -> RuleVerdict {
        if self.chain > MAX_CHAIN {
            self.chain = 0;
            self.last = None;
            return RuleVerdict::Pause;
        }
        let runs = self.runs.entry(rule.to_owned()).or_default();
        runs.retain(|at| now.since(*at) < Duration::from_secs(1));
        if runs.len() >= MAX_RUNS_PER_SECOND {
            return RuleVerdict::Skip;
        }
        runs.push_back(now);
        self.last = Some(now);
        RuleVerdict::Run
    }

    /// Forgets rules that no longer exist.
    pub fn keep(&mut self, is_known: impl Fn(&str) -> bool) {
        self.runs.retain(|rule, _| is_known(rule));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_rules_is_paused_and_slow_ones_are_not() {
        let mut limits = RuleLimits::default();
        let mut step = |millis: i64, rule: &str| {
            let now = Timestamp::from_millis(millis);
            limits.begin(now, true);
            limits.run(rule, now)
        };
        let chain: Vec<_> = (0..10).map(|at| step(at * 300, ["a", "b"][at as usize % 2])).collect();
        assert!(chain[..8].iter().all(|it| *it == RuleVerdict::Run), "{chain:?}");
        assert_eq!(chain[8], RuleVerdict::Pause);
        // Without the paused rule, the chain is over.
        assert_eq!(chain[9], RuleVerdict::Run);
        assert!((10..40).all(|at| step(at * 1_000, "a") == RuleVerdict::Run));
    }

    #[test]
    fn a_rule_that_applies_often_is_skipped_but_not_paused() {
        let mut limits = RuleLimits::default();
        let runs = (0..1_000).filter(|at| {
            let now = Timestamp::from_millis(at * 10);
            limits.begin(now, false);
            let verdict = limits.run("chat", now);
            assert_ne!(verdict, RuleVerdict::Pause);
            verdict == RuleVerdict::Run
        });
        assert_eq!(runs.count(), 10 * MAX_RUNS_PER_SECOND);
        limits.keep(|rule| rule == "other");
        assert!(limits.runs.is_empty());
    }
}
