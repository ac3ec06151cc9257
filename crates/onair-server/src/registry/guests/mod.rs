//! Guests: people who join the studio from a browser by a link.
//!
//! The studio makes a *place* for each guest: an id, and a random token that is the guest's link. The browser of the
//! guest publishes to the server by WHIP, as stream `guest/{id}`, and gets audio back over the same connection. The
//! streams of guests are ordinary streams with a key that only the studio knows, so that the studio plays them like any
//! other stream, and nobody else can publish, play or guess them. A place is shared: the studio writes its state, the
//! tasks of HTTP and WebRTC read it and report who is there.
//!
//! What must never happen: a token outlives the show or opens two places; two browsers are in one place at the same
//! time; a guest reaches the stream of another guest; a guest who sends too much costs the studio more than a publisher.

mod slot;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::base::secret::is_same_secret;
use crate::base::{Secret, partial_debug};
use crate::net::random_hex;
use crate::server::registry::meeting::meeting_place::MeetingPlace;

pub(crate) use crate::server::registry::guests::slot::GuestSlot;
pub use crate::server::registry::guests::slot::{GuestState, GuestView};

/// The application of the streams of guests.
pub const GUEST_APP: &str = "guest";
/// Maximum number of guests at the same time.
pub const MAX_GUESTS: usize = 4;
/// Maximum size of a guest's picture, in either orientation.
pub(crate) const MAX_SIZE: (u32, u32) = (1_920, 1_080);
/// Maximum bitrate of a guest, in bits per second.
pub(crate) const MAX_BITRATE: u64 = 6_000_000;
/// The bitrate of the video of a single guest, in bits per second. Several guests share twice as much.
const VIDEO_BITRATE: u32 = 1_500_000;
/// The maximum height and frame rate of a guest's video, and those while the studio's computer does not keep up.
const VIDEO_SHAPES: [(u32, u32); 2] = [(720, 30), (360, 15)];
/// The maximum bitrate while the studio's computer does not keep up.
const LOWERED_VIDEO_BITRATE: u32 = 500_000;
/// The bitrate that browsers need at most for the audio of a guest.
const AUDIO_BITRATE: u32 = 64_000;

/// The places of guests of a show.
pub struct Guests {
    /// The key of the streams of guests.
    key: Secret,
    places: Mutex<Slots>,
    /// Changes when there is another list of places.
    changes: watch::Sender<()>,
    /// The server at which guests across the internet meet the studio.
    meeting: watch::Sender<Option<Arc<MeetingPlace>>>,
    /// True while guests send less, because the studio's computer does not keep up.
    is_lowered: AtomicBool,
}

partial_debug!(Guests { key });

#[derive(Default)]
struct Slots {
    all: Vec<Arc<GuestSlot>>,
    /// The number of places so far.
    count: u32,
}

/// What the guests who are connected may send.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestBudget {
    /// The number of guests.
    pub count: usize,
    /// The limit for all of them together, video and audio, in bits per second.
    pub bitrate: u32,
    /// The maximum height and frame rate of the video of each.
    pub shape: (u32, u32),
    /// True while they are asked for less than usual, because the studio's computer does not keep up.
    pub is_lowered: bool,
}

/// A new place.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub id: String,
    /// The last part of the link.
    pub token: Secret,
}

impl Guests {
    /// Creates the list of a show. Returns `None` if the system has no randomness.
    pub fn new() -> Option<Self> {
        Some(Self {
            key: Secret::new(random_hex()?),
            places: Mutex::default(),
            changes: watch::Sender::new(()),
            meeting: watch::Sender::new(None),
            is_lowered: AtomicBool::new(false),
        })
    }

    /// Returns the key with which the studio plays the streams of guests.
    pub fn key(&self) -> &Secret {
        &self.key
    }

    /// Makes a place, if there are fewer than `most` of them. Returns `None` otherwise.
    pub fn invite(&self, most: usize) -> Option<Invitation> {
        let token = Secret::new(random_hex()?);
        let mut places = self.places.lock();
        if places.all.len() >= most.min(MAX_GUESTS) {
            return None;
        }
        places.count += 1;
        let id = format!("g{}", places.count);
        places.all.push(Arc::new(GuestSlot::new(id.clone(), token.clone())));
        drop(places);
        self.changes.send_replace(());
        Some(Invitation { id, token })
    }

    /// Takes a place away: its guest leaves, and its link is dead. Returns false if there is no such place.
    pub fn remove(&self, id: &str) -> bool {
        let removed = {
            let mut places = self.places.lock();
            let found = places.all.iter().position(|place| place.id == id);
            found.map(|index| places.all.remove(index))
        };
        if let Some(place) = &removed {
            place.end();
            self.changes.send_replace(());
        }
        removed.is_some()
    }

    /// Ends the show: all links are dead.
    pub fn end(&self) {
        let ended = std::mem::take(&mut self.places.lock().all);
        ended.iter().for_each(|place| place.end());
        self.changes.send_replace(());
    }

    /// Returns a receiver that is notified when there is another list of places.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Sets the server at which guests across the internet meet the studio. The connection to an earlier one ends.
    pub fn set_meeting(&self, place: Option<Arc<MeetingPlace>>) {
        self.meeting.send_replace(place);
    }

    pub(crate) fn meeting(&self) -> watch::Receiver<Option<Arc<MeetingPlace>>> {
        self.meeting.subscribe()
    }

    /// Sets the state that the page of a guest shows, and whether viewers see or hear the place.
    pub fn set_state(&self, id: &str, state: GuestState, is_shown: bool) {
        if let Some(place) = self.of_id(id) {
            place.set_state(state, is_shown);
        }
    }

    /// Returns the places in the order of their invitations.
    pub fn views(&self) -> Vec<GuestView> {
        self.places.lock().all.iter().map(|place| place.view()).collect()
    }

    /// Asks all guests to send less video, or as much as usual.
    pub fn set_lowered(&self, is_lowered: bool) {
        self.is_lowered.store(is_lowered, Ordering::Relaxed);
    }

    /// Returns true while guests are asked to send less video.
    pub fn is_lowered(&self) -> bool {
        self.is_lowered.load(Ordering::Relaxed)
    }

    /// Returns the maximum height and frame rate of the video that a guest should send.
    pub(crate) fn video_shape(&self) -> (u32, u32) {
        let [usual, lowered] = VIDEO_SHAPES;
        if self.is_lowered() { lowered } else { usual }
    }

    /// Returns the bits per second that a guest should send as video.
    pub(crate) fn video_bitrate(&self) -> u32 {
        if self.is_lowered() {
            return LOWERED_VIDEO_BITRATE;
        }
        VIDEO_BITRATE.min(2 * VIDEO_BITRATE / self.present().max(1))
    }

    /// Returns the number of guests who are connected.
    fn present(&self) -> u32 {
        let count = self.places.lock().all.iter().filter(|place| place.is_present()).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Returns what the guests may send. Returns `None` if nobody is connected.
    pub fn budget(&self) -> Option<GuestBudget> {
        let count = self.present();
        let each = self.video_bitrate() + AUDIO_BITRATE;
        (count > 0).then(|| GuestBudget {
            count: count as usize,
            bitrate: each.saturating_mul(count),
            shape: self.video_shape(),
            is_lowered: self.is_lowered(),
        })
    }

    /// Returns the ids of the guests, and those of the sessions in which they see the program.
    pub(crate) fn sessions(&self) -> Vec<(String, Option<u64>)> {
        let places = self.places.lock();
        places.all.iter().map(|place| (place.id.clone(), place.viewer())).collect()
    }

    pub(crate) fn of_id(&self, id: &str) -> Option<Arc<GuestSlot>> {
        self.places.lock().all.iter().find(|place| place.id == id).cloned()
    }

    /// Returns the place of a link. Each token is compared completely, so that timing reveals nothing.
    pub(crate) fn of_token(&self, token: &str) -> Option<Arc<GuestSlot>> {
        let is_it = |place: &&Arc<GuestSlot>| {
            is_same_secret(place.token.expose().as_bytes(), token.as_bytes())
        };
        let places = self.places.lock();
        let mut found = None;
        for place in &places.all {
            found = if is_it(&place) { Some(place) } else { found };
        }
        found.cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_its_own_place_until_the_place_or_the_show_ends() {
        let guests = Guests::new().unwrap();
        let [first, second] = [(); 2].map(|()| guests.invite(2).unwrap());
        assert!(guests.invite(2).is_none(), "both places are taken");
        let of = |invitation: &Invitation| {
            guests.of_token(invitation.token.expose()).map(|place| place.id.clone())
        };
        assert_eq!((of(&first), of(&second)), (Some("g1".into()), Some("g2".into())));
        assert!(first.token.expose().len() >= 32, "128 bits");
        for wrong in ["", "g1", &first.token.expose()[..31]] {
            assert!(guests.of_token(wrong).is_none(), "{wrong}");
        }
        assert!(guests.remove("g1") && !guests.remove("g1"));
        assert_eq!(of(&first), None);
        let third = guests.invite(2).unwrap();
        assert_eq!(third.id, "g3", "ids are not used again");
        guests.end();
        assert_eq!((of(&second), of(&third)), (None, None));
    }

    #[test]
    fn several_guests_share_the_bandwidth() {
        let guests = Guests::new().unwrap();
        let places: Vec<_> =
            (0..4).map(|_| guests.of_id(&guests.invite(4).unwrap().id).unwrap()).collect();
        assert_eq!((guests.video_bitrate(), guests.budget()), (VIDEO_BITRATE, None));
        for (session, place) in (1..).zip(&places) {
            assert!(place.ask("seat", "") && place.connected(session, "seat"));
        }
        assert_eq!((guests.video_bitrate(), guests.video_shape()), (VIDEO_BITRATE / 2, (720, 30)));
        let usual = GuestBudget {
            count: 4,
            bitrate: 2 * VIDEO_BITRATE + 4 * AUDIO_BITRATE,
            shape: (720, 30),
            is_lowered: false,
        };
        assert_eq!(guests.budget(), Some(usual));
        guests.set_lowered(true);
        assert_eq!((guests.video_bitrate(), guests.video_shape()), (500_000, (360, 15)));
        let lowered = guests.budget().unwrap();
        assert_eq!((lowered.bitrate, lowered.is_lowered), (4 * (500_000 + AUDIO_BITRATE), true));
    }
}
