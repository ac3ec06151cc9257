//! Whether guests send less video, because the computer does not keep up. Decoding and scaling four guests at 720p is
//! what a small computer can least afford, and guests are small in the program.

use std::time::Duration;

use crate::base::Timestamp;

/// How long the computer must keep up before guests send as much as before.
const RECOVERY: Duration = Duration::from_secs(60);

/// What guests should send.
#[derive(Debug, Default)]
pub struct GuestLoad {
    is_lowered: bool,
    /// True while the computer does not keep up, also while there is no guest.
    is_slow: bool,
    /// The time since which the computer keeps up again.
    good_since: Option<Timestamp>,
    /// True if guests sent as much as before, and the computer did not keep up with it. They are not asked again.
    is_final: bool,
    was_restored: bool,
}

impl GuestLoad {
    /// The computer does not keep up. Returns true if guests should now send less.
    pub fn slow(&mut self, has_guests: bool) -> bool {
        (self.is_slow, self.good_since) = (true, None);
        self.lower(has_guests)
    }

    /// Guests may have arrived. Returns true if guests should now send less, because the computer does not keep up.
    pub fn arrived(&mut self, has_guests: bool) -> bool {
        self.is_slow && self.lower(has_guests)
    }

    fn lower(&mut self, has_guests: bool) -> bool {
        let is_new = has_guests && !self.is_lowered;
        if is_new {
            self.is_lowered = true;
            self.is_final = self.was_restored;
        }
        is_new
    }

    /// The computer keeps up again.
    pub fn recovered(&mut self, now: Timestamp) {
        self.is_slow = false;
        self.good_since = self.is_lowered.then_some(now);
    }

    /// The encoders have ended, and with them what the computer did not keep up with. Another broadcast may be lighter.
    pub fn ended(&mut self, now: Timestamp) {
        self.is_final = false;
        self.recovered(now);
    }

    /// Returns true if guests should now send as much as before: the computer has kept up for a while, or no place is in
    /// use any more. The place of a guest who reloads the page is in use.
    pub fn is_over(&mut self, now: Timestamp, is_used: bool) -> bool {
        let is_good = self.good_since.is_some_and(|since| now.since(since) >= RECOVERY);
        let is_over = self.is_lowered && (!is_used || (is_good && !self.is_final));
        if !is_over {
            return false;
        }
        *self = Self { was_restored: is_used, is_slow: self.is_slow, ..Self::default() };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn guests_send_less_until_the_computer_has_kept_up_for_a_minute() {
        let mut load = GuestLoad::default();
        assert!(!load.slow(false), "there is nobody to ask");
        assert!(load.slow(true) && !load.slow(true));
        load.recovered(at(10));
        assert!(!load.is_over(at(60), true));
        assert!(load.is_over(at(70), true) && !load.is_lowered);
        // A second time, they stay as they are, so that the picture does not change again and again.
        assert!(load.slow(true));
        load.recovered(at(80));
        assert!(!load.is_over(at(1_000), true));
        assert!(load.is_over(at(1_001), false), "the last guest has left");
    }

    #[test]
    fn guests_who_arrive_while_the_computer_does_not_keep_up_send_less_too() {
        let mut load = GuestLoad::default();
        assert!(!load.arrived(true), "the computer keeps up");
        assert!(!load.slow(false) && load.arrived(true) && !load.arrived(true));
        // The last guest has left, and another one arrives.
        assert!(load.is_over(at(5), false) && load.arrived(true));
        load.recovered(at(10));
        assert!(load.is_over(at(70), true) && !load.arrived(true));
    }

    #[test]
    fn another_broadcast_is_another_chance() {
        let mut load = GuestLoad { was_restored: true, ..GuestLoad::default() };
        assert!(load.slow(true));
        load.recovered(at(0));
        assert!(!load.is_over(at(1_000), true), "it was tried before");
        load.ended(at(1_000));
        assert!(!load.is_over(at(1_059), true) && load.is_over(at(1_060), true));
    }
}
