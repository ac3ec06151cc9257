//! The notices a person has not dismissed yet, newest last.

use crate::studio::Notice;
use crate::studio::message::Message;

/// The most notices that are kept.
const MOST: usize = 20;

/// Numbers notices, keeps the newest, and drops repetitions.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    next: u64,
    notices: Vec<Notice>,
}

impl Ledger {
    /// Adds a message with what the machine said. The same message about the same thing replaces
    /// its older self.
    pub(super) fn add(&mut self, message: &Message, detail: impl Into<String>) -> Notice {
        self.next += 1;
        let notice = message.notice(self.next, detail);
        self.notices.retain(|old| old.key != notice.key || old.args != notice.args);
        self.notices.push(notice.clone());
        if self.notices.len() > MOST {
            self.notices.remove(0);
        }
        notice
    }

    /// Takes back what is no longer true.
    pub(super) fn clear(&mut self, keys: &[&str]) {
        self.notices.retain(|notice| !keys.contains(&notice.key));
    }

    /// Takes back what is no longer true of one device, source, scene or file.
    pub(super) fn clear_of(&mut self, keys: &[&str], device: &str) {
        let of = |notice: &Notice| {
            let mut args = notice.args.iter();
            args.any(|(name, value)| {
                matches!(*name, "device" | "source" | "scene" | "path") && value == device
            })
        };
        self.notices.retain(|notice| !keys.contains(&notice.key) || !of(notice));
    }

    /// Takes back what is no longer true of this host.
    pub(super) fn clear_at(&mut self, key: &str, host: &str) {
        let about =
            |notice: &Notice| notice.args.iter().any(|(name, it)| *name == "host" && it == host);
        self.notices.retain(|notice| notice.key != key || !about(notice));
    }

    /// The person has read it.
    pub(super) fn dismiss(&mut self, id: u64) {
        self.notices.retain(|notice| notice.id != id);
    }

    /// Those not dismissed.
    pub(super) fn notices(&self) -> &[Notice] {
        &self.notices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_repetitions_are_not() {
        let mut ledger = Ledger::default();
        let lost = Message::CameraLost { device: "C920".into() };
        ledger.add(&lost, "");
        let second = ledger.add(&lost, "again");
        assert_eq!(ledger.notices().len(), 1);
        for number in 0..30 {
            ledger.add(&Message::CameraLost { device: number.to_string() }, "");
        }
        assert_eq!(ledger.notices().len(), MOST);
        ledger.dismiss(second.id);
        ledger.clear(&["camera-lost"]);
        assert_eq!(ledger.notices(), []);
    }
}
