//! The reports of the engine: events for the command line, notices for the window, and the event
//! log.

use crate::base::Clock;
use crate::base::queue::Sender;
use crate::studio::event::Event;
use crate::studio::notices::active_notices::ActiveNotices;
use crate::studio::notices::event_log::{EventLog, LogTime};
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::{Notice, TileId};
use crate::studio::preflight::backend;

/// The sink of all reports; see the module documentation.
pub(in crate::studio) struct NoticeBoard {
    events: Sender<Event>,
    /// The notices that are displayed to the user.
    pub active: ActiveNotices,
    /// The ids of active notices, with the tiles whose players raised them.
    of_tiles: Vec<(TileId, u64)>,
    pub log: EventLog,
}

impl NoticeBoard {
    pub fn new(events: Sender<Event>) -> Self {
        let (active, log) = (ActiveNotices::default(), EventLog::default());
        Self { events, active, of_tiles: Vec::new(), log }
    }

    pub fn tell(&mut self, message: &StudioMessage, detail: impl Into<String>) {
        self.tell_notice(message.notice(0, detail));
    }

    pub fn tell_notice(&mut self, notice: Notice) {
        let notice = self.active.put(notice);
        self.log.add(&notice, now());
        self.happened(Event::Notice(notice));
    }

    /// Shows the notice of a message that is already in the event log.
    pub fn tell_again(&mut self, message: &StudioMessage) {
        let notice = self.active.add(message, "");
        self.happened(Event::Notice(notice));
    }

    /// Writes a message only to the event log, without a notice.
    pub fn note(&mut self, message: &StudioMessage) {
        self.log.add(&message.notice(0, ""), now());
    }

    pub fn tell_some(&mut self, message: impl Into<LoggedMessage>) {
        if let LoggedMessage(Some((message, detail))) = message.into() {
            self.tell(&message, detail);
        }
    }

    pub fn happened(&mut self, event: Event) {
        // It does not matter if nothing reads the events.
        let _ = self.events.send(event);
    }

    /// Withdraws all notices with this key.
    pub fn take_back(&mut self, key: &'static str) {
        self.active.clear(&[key]);
        self.log.over(key, "", now());
    }

    /// Records that this tile's player raised the newest notice.
    pub fn note_tile(&mut self, tile: TileId) {
        let active = self.active.notices();
        self.of_tiles.retain(|(_, id)| active.iter().any(|notice| notice.id == *id));
        self.of_tiles.extend(active.last().map(|newest| (tile, newest.id)));
    }

    /// Withdraws the notices with these keys that this tile's player raised.
    pub fn take_back_of(&mut self, tile: TileId, keys: &[&str]) {
        let of = |it: &&Notice| keys.contains(&it.key()) && self.of_tiles.contains(&(tile, it.id));
        let ids: Vec<u64> = self.active.notices().iter().filter(of).map(|it| it.id).collect();
        self.active.end(&ids);
    }

    /// Writes to the event log that this problem has ended.
    pub fn is_over(&mut self, key: &str, of: &str) {
        self.log.over(key, of, now());
    }
}

fn now() -> LogTime {
    let uptime = backend::uptime().unwrap_or_default();
    LogTime { wall_micros: Clock::system_micros(), uptime }
}

/// A message to report and its detail; `None` if there is nothing to report.
pub(in crate::studio) struct LoggedMessage(Option<(StudioMessage, String)>);

impl From<Option<StudioMessage>> for LoggedMessage {
    fn from(message: Option<StudioMessage>) -> Self {
        Self(message.map(|message| (message, String::new())))
    }
}

impl From<Option<(StudioMessage, String)>> for LoggedMessage {
    fn from(message: Option<(StudioMessage, String)>) -> Self {
        Self(message)
    }
}
