//! The place of one guest.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::base::secret::is_same_secret;
use crate::base::{Secret, Worker, partial_debug};
use crate::server::event::LinkFigures;

/// Maximum number of packets (20 ms) of audio for the guest. Beyond this number, the oldest are dropped.
const MAX_WAITING_PACKETS: usize = 10;
/// Maximum number of characters of a guest's name.
const MAX_NAME_CHARS: usize = 40;

/// The state of a guest, as the studio decides it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum GuestState {
    /// Nobody has used the link yet.
    #[default]
    Invited,
    /// The guest is connected, and waits.
    Lobby,
    /// Viewers see and hear the guest.
    OnAir,
    /// The connection was lost. The guest can return by the same link.
    Away,
    /// The guest was removed, or the show has ended.
    Left,
}

impl GuestState {
    /// Returns the word in events and for the page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Lobby => "lobby",
            Self::OnAir => "on-air",
            Self::Away => "away",
            Self::Left => "left",
        }
    }
}

/// What is known about a guest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GuestView {
    pub id: String,
    /// The last part of the link.
    pub token: Secret,
    /// The name that the guest has given; empty before.
    pub name: String,
    /// True while the guest is connected.
    pub is_present: bool,
    /// The number of connections so far. It changes when a guest returns.
    pub connections: u32,
    pub rtt: Option<Duration>,
    /// The lost part of the packets, from 0 to 1.
    pub loss: Option<f32>,
}

/// The place of one guest.
pub(crate) struct GuestSlot {
    pub id: String,
    pub token: Secret,
    inner: Mutex<Inner>,
    /// Wakes the task of the guest's connection.
    news: Notify,
}

partial_debug!(GuestSlot { id });

/// Ends the session in which a guest sees the program.
type ViewerEnding = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Inner {
    name: String,
    state: GuestState,
    /// What identifies the browser that has taken the place.
    seat: Secret,
    /// What identifies the browser that asked for the place last, and the name that it gave.
    asking: (Secret, String),
    /// True while viewers see or hear the place, also if nobody is connected.
    is_shown: bool,
    /// The connection of the guest.
    session: Option<u64>,
    connections: u32,
    is_over: bool,
    link: LinkFigures,
    /// Opus packets for the guest, with their times in µs.
    waiting: VecDeque<(i64, Bytes)>,
    /// The thread that encodes the audio for the guest.
    encoder: Option<Worker>,
    /// The session in which the guest sees the program.
    viewer: Option<(u64, ViewerEnding)>,
}

impl Inner {
    /// Returns true if a browser with this seat may have the place.
    fn lets_in(&self, seat: &str) -> bool {
        let has_it = is_same_secret(self.seat.expose().as_bytes(), seat.as_bytes());
        !self.is_over && (has_it || (self.session.is_none() && !self.is_shown))
    }

    fn is_asking(&self, seat: &str) -> bool {
        is_same_secret(self.asking.0.expose().as_bytes(), seat.as_bytes())
    }
}

impl GuestSlot {
    pub fn new(id: String, token: Secret) -> Self {
        Self { id, token, inner: Mutex::default(), news: Notify::new() }
    }

    /// Asks for the place with this name. Another browser than the one that has the place gets it only while nobody is
    /// connected and no viewer sees the place, so that a link that was passed on puts nobody on air.
    pub fn ask(&self, seat: &str, name: &str) -> bool {
        let mut inner = self.inner.lock();
        if !inner.lets_in(seat) {
            return false;
        }
        let name = name.chars().filter(|it| !it.is_control()).take(MAX_NAME_CHARS);
        inner.asking = (Secret::from_client(seat), name.collect::<String>().trim().to_owned());
        true
    }

    /// Records that the browser with this seat is connected. A connection replaces an earlier one of the same browser.
    /// Returns false if another browser has taken the place meanwhile.
    pub fn connected(&self, session: u64, seat: &str) -> bool {
        let mut inner = self.inner.lock();
        if !inner.lets_in(seat) {
            return false;
        }
        if inner.is_asking(seat) {
            inner.name = inner.asking.1.clone();
        }
        inner.seat = Secret::from_client(seat);
        inner.session = Some(session);
        inner.connections = inner.connections.wrapping_add(1);
        inner.waiting.clear();
        true
    }

    /// Records the end of a connection.
    pub fn left(&self, session: u64) {
        let mut inner = self.inner.lock();
        if inner.session == Some(session) {
            inner.session = None;
            inner.link = LinkFigures::default();
            inner.waiting = VecDeque::new();
        }
    }

    pub fn note_link(&self, link: LinkFigures) {
        self.inner.lock().link = link;
    }

    pub fn is_present(&self) -> bool {
        self.inner.lock().session.is_some()
    }

    /// Sets the state, and whether viewers see or hear the place.
    pub fn set_state(&self, state: GuestState, is_shown: bool) {
        let mut inner = self.inner.lock();
        (inner.state, inner.is_shown) = (state, is_shown);
    }

    pub fn state(&self) -> GuestState {
        self.inner.lock().state
    }

    pub fn view(&self) -> GuestView {
        let inner = self.inner.lock();
        GuestView {
            id: self.id.clone(),
            token: self.token.clone(),
            name: inner.name.clone(),
            is_present: inner.session.is_some(),
            connections: inner.connections,
            rtt: inner.link.rtt,
            loss: inner.link.loss,
        }
    }

    /// Ends the place.
    pub fn end(&self) {
        let (encoder, viewer) = {
            let mut inner = self.inner.lock();
            (inner.is_over, inner.state) = (true, GuestState::Left);
            inner.waiting.clear();
            (inner.encoder.take(), inner.viewer.take())
        };
        // Dropping a thread may wait for it.
        drop(encoder);
        if let Some((_, end)) = viewer {
            end();
        }
        self.news.notify_one();
    }

    pub fn is_over(&self) -> bool {
        self.inner.lock().is_over
    }

    /// Records that the guest sees the program in the session with this id, which `end` ends. The earlier one ends, so
    /// that a page has one session at most, and the last one ends with the place.
    pub fn set_viewer(&self, id: u64, end: impl FnOnce() + Send + 'static) {
        let viewer: (u64, ViewerEnding) = (id, Box::new(end));
        let mut inner = self.inner.lock();
        let earlier = match inner.is_over {
            true => Some(viewer),
            false => inner.viewer.replace(viewer),
        };
        drop(inner);
        if let Some((_, end)) = earlier {
            end();
        }
    }

    /// Returns the id of the session in which the guest sees the program.
    pub fn viewer(&self) -> Option<u64> {
        self.inner.lock().viewer.as_ref().map(|(id, _)| *id)
    }

    /// Keeps the thread that encodes the audio for the guest. The earlier one ends.
    pub fn set_encoder(&self, encoder: Worker) {
        let earlier = self.inner.lock().encoder.replace(encoder);
        drop(earlier);
    }

    /// Adds a packet of audio for the guest.
    pub fn say(&self, at: i64, packet: Bytes) {
        let mut inner = self.inner.lock();
        if inner.session.is_none() {
            return;
        }
        if inner.waiting.len() >= MAX_WAITING_PACKETS {
            inner.waiting.pop_front();
        }
        inner.waiting.push_back((at, packet));
        drop(inner);
        self.news.notify_one();
    }

    /// Waits for audio or the end of the place. Only one task may wait.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// Takes the waiting audio of a connection.
    pub fn take_audio(&self, session: u64) -> VecDeque<(i64, Bytes)> {
        let mut inner = self.inner.lock();
        match inner.session == Some(session) {
            true => std::mem::take(&mut inner.waiting),
            false => VecDeque::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn one_browser_at_a_time_has_the_place_and_can_return() {
        let place = GuestSlot::new("g1".into(), Secret::new("token"));
        assert!(place.ask("phone", "Ada") && place.connected(1, "phone"));
        assert!(!place.ask("desk", "Eve") && !place.connected(7, "desk"), "the link was passed on");
        assert!(place.ask("phone", "Ada"), "it returns before the server has noticed the loss");
        assert!(place.connected(2, "phone"));
        place.left(1);
        assert!(place.is_present(), "the earlier connection has ended");
        place.left(2);
        assert!(!place.is_present() && place.ask("desk", "Ada"), "the guest changes the device");
        place.end();
        assert!(!place.ask("desk", "Ada") && !place.connected(3, "desk"));
    }

    #[test]
    fn a_place_that_viewers_see_is_kept_for_its_browser_and_its_name() {
        let place = GuestSlot::new("g1".into(), Secret::new("token"));
        assert!(place.ask("phone", "Ada"));
        assert!(place.ask("desk", "Eve"), "nobody is connected yet");
        assert!(place.connected(1, "phone"));
        assert_eq!(place.view().name, "", "the name of the browser that asked last is not its own");
        assert!(!place.connected(2, "desk"));
        assert!(place.ask("phone", "Ada") && place.connected(3, "phone"));
        assert_eq!(place.view().name, "Ada");
        place.set_state(GuestState::Away, true);
        place.left(3);
        assert!(!place.ask("desk", "Eve"), "on air without a click of the streamer");
        assert!(place.ask("phone", "Ada"));
        place.set_state(GuestState::Away, false);
        assert!(place.ask("desk", "Ada"));
    }

    #[test]
    fn a_guest_who_has_left_without_a_word_keeps_the_place_and_no_memory() {
        let place = GuestSlot::new("g1".into(), Secret::new("token"));
        assert!(place.ask("phone", "Ada") && place.connected(1, "phone"));
        place.set_state(GuestState::OnAir, true);
        place.say(0, Bytes::from_static(b"audio"));
        assert_eq!(place.inner.lock().waiting.len(), 1);
        place.left(1);
        place.say(1, Bytes::from_static(b"audio"));
        assert_eq!(place.inner.lock().waiting.capacity(), 0);
        let view = place.view();
        assert_eq!((view.name.as_str(), view.is_present, view.connections), ("Ada", false, 1));
        assert!(!place.ask("desk", "Eve") && place.ask("phone", "Ada"), "only the guest returns");
    }

    #[test]
    fn the_program_ends_for_a_guest_with_the_place_and_with_the_next_session() {
        let place = GuestSlot::new("g1".into(), Secret::new("token"));
        let ended = Arc::new(Mutex::new(Vec::new()));
        let watch = |session: u64| {
            let ended = Arc::clone(&ended);
            place.set_viewer(session, move || ended.lock().push(session));
        };
        watch(1);
        assert!(ended.lock().is_empty() && place.viewer() == Some(1));
        watch(2);
        assert_eq!(*ended.lock(), [1]);
        place.end();
        assert_eq!(*ended.lock(), [1, 2]);
        watch(3);
        assert_eq!(*ended.lock(), [1, 2, 3], "the place ended while the session began");
    }

    #[test]
    fn audio_waits_only_for_the_present_connection_and_only_briefly() {
        let place = GuestSlot::new("g1".into(), Secret::new("token"));
        place.say(0, Bytes::from_static(b"lost"));
        assert!(place.connected(1, "phone"));
        for at in 0..2 * MAX_WAITING_PACKETS as i64 {
            place.say(at, Bytes::new());
        }
        assert!(place.take_audio(7).is_empty());
        let taken = place.take_audio(1);
        assert_eq!((taken.len(), taken[0].0), (MAX_WAITING_PACKETS, MAX_WAITING_PACKETS as i64));
    }

    #[test]
    fn a_name_is_short_and_has_no_control_characters() {
        let place = GuestSlot::new("g1".into(), Secret::new("token"));
        assert!(place.ask("phone", &format!(" Ada\n{}", "x".repeat(100))));
        assert!(place.connected(1, "phone"));
        let name = place.view().name;
        assert!(name.starts_with("Adax") && name.chars().count() < MAX_NAME_CHARS, "{name}");
    }
}
