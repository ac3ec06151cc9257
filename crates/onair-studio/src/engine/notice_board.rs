//! The reports of the engine: events for the command line, notices for the window, and the event
//! log.

use std::path::PathBuf;

use crate::base::Clock;
use crate::base::queue::Sender;
use crate::platform::clocks;
use crate::studio::event::Event;
use crate::studio::notices::active_notices::ActiveNotices;
use crate::studio::notices::event_log::{EventLog, LogTime};
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::{Notice, TileId};

/// The sink of all reports; see the module documentation.
pub struct NoticeBoard {
    events: Sender<Event>,
    /// The notices that are displayed to the user.
    pub active: ActiveNotices,
    /// The tiles whose players raised notices, with the ids of these notices.
    of_tiles: Vec<(TileId, u64)>,
    pub log: EventLog,
}

impl NoticeBoard {
    pub fn new(events: Sender<Event>) -> Self {
        let (active, log) = (ActiveNotices::default(), EventLog::default());
        Self { events, active, of_tiles: Vec::new(), log }
    }

    pub fn raise(&mut self, message: &StudioMessage, detail: impl Into<String>) {
        self.raise_notice(message.notice(0, detail));
    }

    /// Reports a message about this file. The path in the texts of the message may be inexact.
    pub fn raise_of_file(&mut self, message: &StudioMessage, file: impl Into<Option<PathBuf>>) {
        self.raise_notice(Notice { file: file.into(), ..message.notice(0, "") });
    }

    pub fn raise_notice(&mut self, notice: Notice) {
        let notice = self.put(notice);
        self.log.add(&notice, now());
        self.send_event(Event::Notice(notice));
    }

    /// Reports a message of this tile's player.
    pub fn raise_of(&mut self, tile: TileId, message: &StudioMessage) {
        let notice = self.put_of(tile, message);
        self.log.add(&notice, now());
        self.send_event(Event::Notice(notice));
    }

    /// Shows the notice of a message that is already in the event log.
    pub fn raise_again(&mut self, message: &StudioMessage) {
        let notice = self.active.add(message, "");
        self.send_event(Event::Notice(notice));
    }

    /// Works like [`raise_again`](Self::raise_again), for a message of this tile's player.
    pub fn raise_again_of(&mut self, tile: TileId, message: &StudioMessage) {
        let notice = self.put_of(tile, message);
        self.send_event(Event::Notice(notice));
    }

    /// Adds a notice. If it replaces an equal one, it is also of the tiles of the equal one.
    fn put(&mut self, notice: Notice) -> Notice {
        let replaced = self.active.notices().iter().find(|old| old.is_same(&notice));
        let replaced = replaced.map(|old| old.id);
        let notice = self.active.put(notice);
        for (_, id) in self.of_tiles.iter_mut().filter(|(_, id)| Some(*id) == replaced) {
            *id = notice.id;
        }
        notice
    }

    fn put_of(&mut self, tile: TileId, message: &StudioMessage) -> Notice {
        let notice = self.put(message.notice(0, ""));
        let active = self.active.notices();
        self.of_tiles.retain(|(_, id)| active.iter().any(|notice| notice.id == *id));
        if !self.of_tiles.contains(&(tile, notice.id)) {
            self.of_tiles.push((tile, notice.id));
        }
        notice
    }

    /// Writes a message only to the event log, without a notice.
    pub fn note(&mut self, message: &StudioMessage) {
        self.log.add(&message.notice(0, ""), now());
    }

    pub fn raise_some(&mut self, message: impl Into<LoggedMessage>) {
        if let LoggedMessage(Some((message, detail))) = message.into() {
            self.raise(&message, detail);
        }
    }

    pub fn send_event(&mut self, event: Event) {
        // It does not matter if nothing reads the events.
        let _ = self.events.send(event);
    }

    /// Withdraws all notices with this key.
    pub fn take_back(&mut self, key: &'static str) {
        self.active.clear(&[key]);
        self.log.over(key, "", now());
    }

    /// Withdraws all notices with these keys, because the broadcast that they are about has ended.
    pub fn end_all(&mut self, keys: &[&str]) {
        self.active.clear(keys);
        self.log_ended(keys);
    }

    /// Ends all messages with these keys in the event log only. Their notices remain.
    pub fn log_ended(&mut self, keys: &[&str]) {
        self.log.end_all(|it| keys.contains(&it.key()), now());
    }

    /// Withdraws the notices with these keys about one target, and ends them in the event log.
    pub fn end_target(&mut self, keys: &[&str], target: u32) {
        self.active.clear_target(keys, target);
        self.log_ended_of(keys, target, "");
    }

    /// Ends the messages with these keys about one target in the event log only. A message without
    /// the id of a target names its `host`.
    pub fn log_ended_of(&mut self, keys: &[&str], target: u32, host: &str) {
        let is_about = |it: &Notice| match it.target {
            Some(id) => id == target,
            None => it.value("host").is_some_and(|name| name == host),
        };
        self.log.end_all(|it| keys.contains(&it.key()) && is_about(it), now());
    }

    /// Withdraws the notices with these keys that this tile's player raised, unless another tile's
    /// player has raised them too.
    pub fn take_back_of(&mut self, tile: TileId, keys: &[&str]) {
        let of = |it: &&Notice| keys.contains(&it.key()) && self.of_tiles.contains(&(tile, it.id));
        let mut ids: Vec<u64> = self.active.notices().iter().filter(of).map(|it| it.id).collect();
        self.of_tiles.retain(|(owner, id)| *owner != tile || !ids.contains(id));
        ids.retain(|id| self.of_tiles.iter().all(|(_, other)| other != id));
        self.active.end(&ids);
    }

    /// Writes to the event log that this problem has ended.
    pub fn is_over(&mut self, key: &str, of: &str) {
        self.log.over(key, of, now());
    }
}

fn now() -> LogTime {
    let uptime = clocks::uptime().unwrap_or_default();
    LogTime { wall_micros: Clock::system_micros(), uptime }
}

/// A message to report and its detail; `None` if there is nothing to report.
pub struct LoggedMessage(Option<(StudioMessage, String)>);

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
