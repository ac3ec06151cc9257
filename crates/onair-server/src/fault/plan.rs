//! The effect of faults on one connection: when each fault strikes, how much may be read, and which data
//! is delayed. This module is pure: the connection passes the current time, and carries out the actions.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use crate::base::{SplitMix64, Timestamp};
use crate::server::fault::spec::{Fault, FaultKind, Phase, Span};
use crate::wire::rtmp::status::{Level, Status, code};

/// Duration of a stall without an explicit end. It ends, so that the server then notices which clients
/// have closed their connections.
const DEFAULT_STALL: Duration = Duration::from_secs(60);
/// Maximum number of delayed bytes. Beyond this number, nothing is read.
const MAX_DELAYED_BYTES: usize = 4 << 20;
/// Maximum time for which a throttled connection saves up its read allowance.
const MAX_SAVED_ALLOWANCE: Duration = Duration::from_millis(50);
/// Size of the garbage in bytes.
const GARBAGE_BYTES: usize = 4_096;
/// The text of a rejection, and of a request to reconnect.
pub const FAULT_TEXT: &str = "This is a simulated fault.";

/// An action on the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultAction {
    Reset,
    Close,
    HalfClose,
    /// Sends this data; `deaf` means that all later data is ignored.
    Garbage {
        bytes: Bytes,
        deaf: bool,
    },
    /// Requests that the client connect to this URL.
    Reconnect(String),
    NoAck,
    /// Reading is slowed down or stopped: the system should buffer little.
    Hold,
}

/// The decision about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Reject(Status),
    Redirect(String),
}

#[derive(Debug)]
struct PendingFault {
    index: usize,
    fault: Fault,
    due: Option<Timestamp>,
}

/// The plan of one connection.
#[derive(Debug)]
pub struct Plan {
    armed: Vec<PendingFault>,
    random: SplitMix64,
    stalled_until: Option<Timestamp>,
    delay: Duration,
    late: VecDeque<(Timestamp, Bytes)>,
    late_bytes: usize,
    throttle: Option<Throttle>,
}

#[derive(Debug)]
struct Throttle {
    bits: u32,
    /// Number of bytes that may be read.
    credit: f64,
    at: Timestamp,
}

impl Plan {
    /// Makes a plan of these faults for a connection in this phase; earlier phases do not recur.
    /// Returns `None` if no fault applies.
    pub fn new(
        faults: impl Iterator<Item = (usize, Fault)>,
        phase: Option<Phase>,
        seed: u64,
        now: Timestamp,
    ) -> Option<Self> {
        let armed: Vec<_> = faults
            .filter(|(_, fault)| phase.is_none_or(|phase| fault.phase >= phase))
            .map(|(index, fault)| PendingFault { index, fault, due: None })
            .collect();
        if armed.is_empty() {
            return None;
        }
        let mut plan = Self {
            armed,
            random: SplitMix64::new(seed),
            stalled_until: None,
            delay: Duration::ZERO,
            late: VecDeque::new(),
            late_bytes: 0,
            throttle: None,
        };
        plan.reach(phase, now);
        Some(plan)
    }

    /// Records that the client has reached this phase. The phase is `None` for clients other than
    /// publishers.
    pub fn reach(&mut self, phase: Option<Phase>, now: Timestamp) {
        let Some(phase) = phase else { return };
        for at in 0..self.armed.len() {
            let Some(armed) = self.armed.get(at) else { return };
            if armed.due.is_none() && armed.fault.phase <= phase && !armed.fault.is_decision() {
                let after = self.draw(armed.fault.after);
                if let Some(armed) = self.armed.get_mut(at) {
                    armed.due = Some(now + after);
                }
            }
        }
    }

    /// Returns the strikes that are due now. `claim` gets the index of each fault, and can prevent
    /// its strike.
    pub fn strikes(
        &mut self,
        now: Timestamp,
        mut claim: impl FnMut(usize, &Fault) -> bool,
    ) -> Vec<FaultAction> {
        let mut strikes = Vec::new();
        let due = |armed: &mut PendingFault| armed.due.is_some_and(|due| due <= now);
        while let Some(at) = self.armed.iter_mut().position(due) {
            let PendingFault { index, fault, .. } = self.armed.remove(at);
            if !claim(index, &fault) {
                continue;
            }
            match fault.what {
                FaultKind::Reset => strikes.push(FaultAction::Reset),
                FaultKind::Close => strikes.push(FaultAction::Close),
                FaultKind::HalfClose => strikes.push(FaultAction::HalfClose),
                FaultKind::Stall { lasts } => {
                    let lasts = lasts.map_or(DEFAULT_STALL, |lasts| self.draw(lasts));
                    self.stalled_until = self.stalled_until.max(Some(now + lasts));
                    strikes.push(FaultAction::Hold);
                }
                // During requests and replies, a delay is a short stall.
                FaultKind::Delay(by) if fault.phase < Phase::Media => {
                    let by = self.draw(by);
                    self.stalled_until = self.stalled_until.max(Some(now + by));
                }
                FaultKind::Delay(by) => self.delay = self.delay.max(self.draw(by)),
                FaultKind::Throttle(rate) => {
                    self.throttle = Some(Throttle { bits: rate.0, credit: 0.0, at: now });
                    strikes.push(FaultAction::Hold);
                }
                FaultKind::Garbage => {
                    let words =
                        (0..GARBAGE_BYTES / 8).flat_map(|_| self.random.number().to_le_bytes());
                    let bytes = words.collect();
                    strikes.push(FaultAction::Garbage { bytes, deaf: fault.phase < Phase::Media });
                }
                FaultKind::Redirect(url) => strikes.push(FaultAction::Reconnect(url)),
                FaultKind::NoAck => strikes.push(FaultAction::NoAck),
                FaultKind::Reject(_) | FaultKind::Busy => {}
            }
        }
        strikes
    }

    /// Returns the answer to this phase's request, if a fault determines it.
    pub fn verdict(
        &mut self,
        phase: Phase,
        mut claim: impl FnMut(usize, &Fault) -> bool,
    ) -> Option<Verdict> {
        let fits = |armed: &PendingFault| armed.fault.is_decision() && armed.fault.phase == phase;
        while let Some(at) = self.armed.iter().position(fits) {
            let PendingFault { index, fault, .. } = self.armed.remove(at);
            if !claim(index, &fault) {
                continue;
            }
            let status =
                |code: &str, text| Some(Verdict::Reject(Status::new(Level::Error, code, text)));
            return match fault.what {
                FaultKind::Busy => status(code::PUBLISH_BAD_NAME, "Already publishing."),
                FaultKind::Redirect(url) => Some(Verdict::Redirect(url)),
                FaultKind::Reject(code) if phase == Phase::Connect => {
                    status(&format!("NetConnection.Connect.{code}"), FAULT_TEXT)
                }
                FaultKind::Reject(code) => status(&format!("NetStream.Publish.{code}"), FAULT_TEXT),
                _ => None,
            };
        }
        None
    }

    /// Returns true while the server neither reads nor replies.
    pub fn is_stalled(&self, now: Timestamp) -> bool {
        self.stalled_until.is_some_and(|until| now < until)
    }

    /// Returns the time until which the server does not handle data as soon as the data arrives, or
    /// `None` if the server does. A throttle counts only until its next read.
    pub fn late_until(&self, now: Timestamp) -> Option<Timestamp> {
        let throttled = self.throttle.as_ref().and_then(Throttle::wake_at);
        let delayed = self.late.back().map(|(due, _)| *due);
        let ends = [self.stalled_until, throttled, delayed].into_iter().flatten();
        ends.filter(|end| now < *end).max()
    }

    /// Returns the number of bytes that may be read now, at most `most`.
    pub fn allowance(&mut self, most: usize, now: Timestamp) -> usize {
        if self.is_stalled(now) || self.late_bytes >= MAX_DELAYED_BYTES {
            return 0;
        }
        match &mut self.throttle {
            None => most,
            Some(throttle) => throttle.allowance(now).min(most),
        }
    }

    /// Records that this many bytes were read.
    pub fn took(&mut self, bytes: usize) {
        if let Some(throttle) = &mut self.throttle {
            throttle.credit -= bytes as f64;
        }
    }

    /// Delays received data if a fault requires it. Returns true if the data is delayed.
    pub fn hold_back(&mut self, data: &[u8], now: Timestamp) -> bool {
        if self.delay.is_zero() && self.late.is_empty() {
            return false;
        }
        self.late_bytes += data.len();
        self.late.push_back((now + self.delay, Bytes::copy_from_slice(data)));
        true
    }

    /// Continues with the delayed data of the plan that this plan replaces.
    pub fn inherit(&mut self, before: Self) {
        (self.late, self.late_bytes) = (before.late, before.late_bytes);
    }

    /// Returns the delayed data that is due.
    pub fn late(&mut self, now: Timestamp) -> Option<Bytes> {
        if self.is_stalled(now) || self.late.front().is_none_or(|(due, _)| *due > now) {
            return None;
        }
        let (_, bytes) = self.late.pop_front()?;
        self.late_bytes -= bytes.len();
        Some(bytes)
    }

    /// Returns true if data is still delayed: the end of the connection must follow it.
    pub fn holds_back(&self) -> bool {
        !self.late.is_empty()
    }

    /// Returns the time of the next check.
    pub fn wake_at(&self, now: Timestamp) -> Option<Timestamp> {
        if let Some(until) = self.stalled_until.filter(|until| now < *until) {
            let due = self.armed.iter().filter_map(|armed| armed.due);
            return Some(due.fold(until, Timestamp::min));
        }
        let due = self.armed.iter().filter_map(|armed| armed.due);
        let late = self.late.front().map(|(due, _)| *due);
        let more = self.throttle.as_ref().and_then(|throttle| throttle.wake_at());
        due.chain(late).chain(more).min()
    }

    fn draw(&mut self, span: Span) -> Duration {
        let width = u64::try_from((span.to - span.from).as_millis()).unwrap_or(u64::MAX);
        match width {
            0 => span.from,
            width => {
                span.from + Duration::from_millis(self.random.number() % width.saturating_add(1))
            }
        }
    }
}

impl Throttle {
    fn allowance(&mut self, now: Timestamp) -> usize {
        let per_second = f64::from(self.bits) / 8.0;
        let most = (per_second * MAX_SAVED_ALLOWANCE.as_secs_f64()).max(256.0);
        self.credit = (self.credit + now.since(self.at).as_secs_f64() * per_second).min(most);
        self.at = now;
        // Avoid reading byte by byte.
        if self.credit < most / 4.0 { 0 } else { self.credit as usize }
    }

    /// Returns the time at which reading becomes possible again, or `None` if it is possible now.
    fn wake_at(&self) -> Option<Timestamp> {
        let per_second = f64::from(self.bits) / 8.0;
        let wanted = (per_second * MAX_SAVED_ALLOWANCE.as_secs_f64()).max(256.0) / 2.0;
        let missing = wanted - self.credit;
        (missing > 0.0).then(|| self.at + Duration::from_secs_f64(missing / per_second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START_TIME: Timestamp = Timestamp::from_millis(1_000);

    fn plan(faults: &[&str], phase: Phase, seed: u64) -> Plan {
        let faults = faults.iter().map(|text| text.parse().unwrap()).enumerate();
        Plan::new(faults, Some(phase), seed, START_TIME).unwrap()
    }

    fn at(millis: u64) -> Timestamp {
        START_TIME + Duration::from_millis(millis)
    }

    #[test]
    fn a_fault_waits_for_its_phase_and_its_time_and_strikes_once() {
        let mut plan = plan(&["reset@media:3s"], Phase::Handshake, 1);
        assert_eq!((plan.strikes(at(9_000), |_, _| true), plan.wake_at(at(0))), (vec![], None));
        plan.reach(Some(Phase::Publish), at(9_000));
        assert_eq!(plan.wake_at(at(9_000)), None);
        plan.reach(Some(Phase::Media), at(10_000));
        plan.reach(Some(Phase::Media), at(11_000));
        assert_eq!(plan.wake_at(at(11_000)), Some(at(13_000)));
        assert_eq!(plan.strikes(at(12_999), |_, _| true), []);
        assert_eq!(plan.strikes(at(13_000), |_, _| true), [FaultAction::Reset]);
        assert_eq!(plan.strikes(at(14_000), |_, _| true), []);
    }

    #[test]
    fn what_has_passed_does_not_come_again_and_what_is_not_claimed_not_at_all() {
        let faults = ["reset@connect".parse::<Fault>().unwrap()];
        let faults = || faults.iter().cloned().enumerate();
        assert!(Plan::new(faults(), Some(Phase::Media), 1, START_TIME).is_none());
        let mut plan = Plan::new(faults(), Some(Phase::Connect), 1, START_TIME).unwrap();
        assert_eq!(plan.strikes(START_TIME, |index, _| index == 1), []);
        assert_eq!(plan.strikes(START_TIME, |_, _| true), []);
    }

    #[test]
    fn times_are_drawn_from_the_seed() {
        let due =
            |seed| plan(&["reset@media:2s..9s"], Phase::Media, seed).wake_at(START_TIME).unwrap();
        let all: Vec<_> = (0..20).map(due).collect();
        assert_eq!(all, (0..20).map(due).collect::<Vec<_>>());
        assert!(all.iter().all(|due| (at(2_000)..=at(9_000)).contains(due)), "{all:?}");
        assert!(all.iter().max() > all.iter().min());
    }

    #[test]
    fn a_stall_reads_nothing_and_ends() {
        let mut plan = plan(&["stall@media:+8s"], Phase::Media, 1);
        assert_eq!(plan.allowance(100, START_TIME), 100);
        assert_eq!(plan.strikes(START_TIME, |_, _| true), [FaultAction::Hold]);
        assert_eq!((plan.allowance(100, at(7_999)), plan.is_stalled(at(7_999))), (0, true));
        assert_eq!(plan.wake_at(at(1)), Some(at(8_000)));
        assert_eq!((plan.allowance(100, at(8_000)), plan.wake_at(at(8_000))), (100, None));
    }

    #[test]
    fn a_throttle_lets_so_much_through_in_a_second() {
        let mut plan = plan(&["throttle@media:800k"], Phase::Media, 1);
        plan.strikes(START_TIME, |_, _| true);
        let (mut now, mut read) = (START_TIME, 0);
        while now < at(10_000) {
            let some = plan.allowance(1_000_000, now);
            plan.took(some);
            read += some;
            let wake = plan.wake_at(now).unwrap();
            assert!(wake > now, "it would spin");
            now = wake;
        }
        assert!((990_000..=1_005_000).contains(&read), "{read}");
    }

    #[test]
    fn a_throttle_is_late_only_until_its_next_read() {
        // 1 byte per millisecond.
        let mut plan = plan(&["throttle@media:8k"], Phase::Media, 1);
        plan.strikes(START_TIME, |_, _| true);
        assert_eq!(plan.late_until(at(1)), Some(at(128)));
        // The client is silent.
        assert_eq!((plan.allowance(1_000, at(128)), plan.late_until(at(128))), (128, None));
        assert_eq!((plan.allowance(1_000, at(9_000)), plan.late_until(at(9_000))), (256, None));
        plan.took(256);
        assert_eq!(plan.late_until(at(9_001)), Some(at(9_128)));
    }

    #[test]
    fn a_delay_keeps_the_order_and_has_a_limit() {
        let mut plan = plan(&["delay@media:200ms"], Phase::Media, 1);
        assert!(!plan.hold_back(b"a", START_TIME), "not yet");
        plan.strikes(START_TIME, |_, _| true);
        assert!(plan.hold_back(b"b", START_TIME) && plan.hold_back(b"c", at(10)));
        assert_eq!((plan.late(at(199)), plan.wake_at(at(199))), (None, Some(at(200))));
        assert_eq!(plan.late(at(205)).as_deref(), Some(&b"b"[..]));
        assert_eq!(plan.late(at(205)), None);
        assert!(plan.holds_back());
        assert_eq!(plan.late_until(at(205)), Some(at(210)));
        plan.hold_back(&vec![0; MAX_DELAYED_BYTES], at(205));
        assert_eq!(plan.allowance(100, at(206)), 0);
    }

    #[test]
    fn data_stays_delayed_when_the_faults_change() {
        let mut before = plan(&["delay@media:200ms"], Phase::Media, 1);
        before.strikes(START_TIME, |_, _| true);
        before.hold_back(b"a", START_TIME);
        let mut plan = plan(&["noack@media"], Phase::Media, 1);
        plan.inherit(before);
        assert!(plan.hold_back(b"b", at(100)), "it would overtake the earlier data");
        assert_eq!(plan.late(at(199)), None);
        let rest: Vec<_> = std::iter::from_fn(|| plan.late(at(200))).collect();
        assert_eq!((rest.concat(), plan.late_bytes), (b"ab".to_vec(), 0));
    }

    #[test]
    fn requests_are_rejected_with_the_code_of_the_fault() {
        let code = |text: &str, phase| match plan(&[text], Phase::Handshake, 1)
            .verdict(phase, |_, _| true)
        {
            Some(Verdict::Reject(status)) => status.code,
            other => format!("{other:?}"),
        };
        assert_eq!(code("busy@publish:2", Phase::Publish), code::PUBLISH_BAD_NAME);
        assert_eq!(code("reject@connect:InvalidApp", Phase::Connect), code::CONNECT_INVALID_APP);
        assert_eq!(code("reject@publish:Denied", Phase::Publish), code::PUBLISH_DENIED);
        assert_eq!(code("reject@publish:Denied", Phase::Connect), "None");
        assert!(code("redirect@connect:rtmp://a/b", Phase::Connect).contains("rtmp://a/b"));
    }
}
