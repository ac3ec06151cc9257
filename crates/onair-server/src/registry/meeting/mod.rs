//! The studios that meet their guests at this server, and the links of these guests.
//!
//! A studio keeps one connection to the server, and names the links of its guests by their hashes: the server learns a
//! token only when a guest uses it. A request for a link is passed to its studio, within limits. After a connection was
//! lost, the server remembers the links for a while, so that a guest's page waits instead of ending.

pub mod meeting_place;

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};

use crate::base::{Secret, partial_debug};

/// Maximum number of studios at the same time.
pub(crate) const MAX_STUDIOS: usize = 64;
/// Maximum number of links of a studio.
pub(crate) const MAX_LINKS: usize = 16;
/// Maximum number of all links, of which half are those of studios that are connected. If there are more, the server
/// forgets links that have ended, then links whose studios were lost, the oldest first.
const MAX_ALL_LINKS: usize = 2 * MAX_STUDIOS * MAX_LINKS;
/// Length of the name of a link.
const NAME_LENGTH: usize = 64;
/// Maximum number of requests that wait for a studio. Further ones are refused.
const MAX_WAITING_REQUESTS: usize = 32;
/// Maximum number of requests for a link in a period. A page asks for the state each second, and connects sometimes.
const MAX_REQUESTS: u32 = 80;
const REQUEST_PERIOD: Duration = Duration::from_secs(10);
/// How long the links of a studio are remembered after its connection was lost. A studio that knows nothing of the
/// restart of the server gets the same time to return.
const RETURN_TIME: Duration = Duration::from_secs(90);

/// A request of a guest.
#[derive(Debug)]
pub(crate) struct GuestRequest {
    pub method: String,
    pub path: String,
    pub content_type: String,
    pub if_match: String,
    pub body: String,
    /// The address of the guest.
    pub from: String,
    pub answer: oneshot::Sender<GuestAnswer>,
}

/// The answer of a studio.
#[derive(Debug)]
pub(crate) struct GuestAnswer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// The reason why there is no studio for a link.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoStudio {
    /// Nobody has named this link.
    Unknown,
    /// The studio is not connected now, or may not be yet.
    Away,
    /// Too many requests for this link, or for the studio.
    Busy,
}

/// The studios and links.
pub struct Meeting {
    key: Secret,
    began: Instant,
    inner: Mutex<Inner>,
}

partial_debug!(Meeting { key });

#[derive(Default)]
struct Inner {
    studios: HashMap<u64, mpsc::Sender<GuestRequest>>,
    links: HashMap<String, Link>,
    count: u64,
}

/// The link of a guest.
struct Link {
    studio: u64,
    /// The time at which the studio's connection was lost, or the link ended.
    lost: Option<Instant>,
    /// True after the studio has ended the link. The server remembers it for a while, because soon after a restart, it
    /// takes an unknown link for one of a studio that has not returned.
    is_over: bool,
    /// The beginning of the period, and the number of requests since.
    period: (Instant, u32),
}

impl Link {
    fn end(&mut self, now: Instant) {
        (self.lost, self.is_over) = (Some(now), true);
    }
}

/// A studio that is connected. When dropped, its links wait for its return.
#[derive(Debug)]
pub(crate) struct StudioSeat<'a> {
    meeting: &'a Meeting,
    id: u64,
    pub requests: mpsc::Receiver<GuestRequest>,
}

/// Returns the name of a link: the hash of its token.
pub(crate) fn link_name(token: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(token.as_bytes()))
}

/// Returns true if a text can be the name of a link.
fn is_name(text: &str) -> bool {
    text.len() == NAME_LENGTH && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
}

impl Meeting {
    /// Creates a place for studios that know this key.
    pub fn new(key: Secret) -> Self {
        Self { key, began: Instant::now(), inner: Mutex::default() }
    }

    pub(crate) fn key(&self) -> &Secret {
        &self.key
    }

    /// Adds a studio. Returns `None` if there are too many.
    pub(crate) fn enter(&self) -> Option<StudioSeat<'_>> {
        let mut inner = self.inner.lock();
        if inner.studios.len() >= MAX_STUDIOS {
            return None;
        }
        inner.count += 1;
        let id = inner.count;
        let (requests, waiting) = mpsc::channel(MAX_WAITING_REQUESTS);
        inner.studios.insert(id, requests);
        Some(StudioSeat { meeting: self, id, requests: waiting })
    }

    /// Returns the queue of the studio to which a link belongs.
    pub(crate) fn studio(
        &self,
        token: &str,
        now: Instant,
    ) -> Result<mpsc::Sender<GuestRequest>, NoStudio> {
        let name = link_name(token);
        let mut inner = self.inner.lock();
        inner.forget_old(now);
        let Some(link) = inner.links.get_mut(&name) else {
            let may_return = now.duration_since(self.began) < RETURN_TIME;
            return Err(if may_return { NoStudio::Away } else { NoStudio::Unknown });
        };
        if link.is_over {
            return Err(NoStudio::Unknown);
        }
        if now.duration_since(link.period.0) >= REQUEST_PERIOD {
            link.period = (now, 0);
        }
        link.period.1 += 1;
        if link.period.1 > MAX_REQUESTS {
            return Err(NoStudio::Busy);
        }
        let studio = link.studio;
        inner.studios.get(&studio).cloned().ok_or(NoStudio::Away)
    }
}

impl Inner {
    fn forget_old(&mut self, now: Instant) {
        let is_old = |lost: Instant| now.duration_since(lost) >= RETURN_TIME;
        self.links.retain(|_, link| !link.lost.is_some_and(is_old));
    }

    /// Forgets a link that nobody uses if there are too many. Returns false if all are in use.
    fn make_room(&mut self) -> bool {
        if self.links.len() < MAX_ALL_LINKS {
            return true;
        }
        let unused = self.links.iter().filter_map(|(name, link)| Some((name, link.lost?, link)));
        let oldest = unused.min_by_key(|(_, lost, link)| (!link.is_over, *lost));
        let Some(name) = oldest.map(|(name, ..)| name.clone()) else { return false };
        self.links.remove(&name).is_some()
    }
}

impl StudioSeat<'_> {
    /// Sets the links of the studio. Only the studio that made a link can name it: if an older connection has it, the
    /// studio has connected again before the server noticed that this one is dead, and all links of it are replaced.
    pub fn set_links(&self, names: &[String], now: Instant) {
        let mut inner = self.meeting.inner.lock();
        inner.forget_old(now);
        let names: Vec<_> = names.iter().filter(|it| is_name(it)).take(MAX_LINKS).collect();
        let earlier: HashSet<u64> = (names.iter())
            .filter_map(|name| inner.links.get(*name).map(|link| link.studio))
            .filter(|studio| *studio <= self.id)
            .chain([self.id])
            .collect();
        for (name, link) in &mut inner.links {
            if earlier.contains(&link.studio) && !link.is_over && !names.contains(&name) {
                link.end(now);
            }
        }
        for name in names {
            if !inner.links.contains_key(name) && !inner.make_room() {
                continue;
            }
            match inner.links.get_mut(name) {
                // This is an old connection, whose last message comes late.
                Some(link) if link.studio > self.id && link.lost.is_none() => {}
                Some(link) => {
                    (link.studio, link.lost, link.is_over) = (self.id, None, false);
                }
                None => {
                    let period = (now, 0);
                    let link = Link { studio: self.id, lost: None, is_over: false, period };
                    inner.links.insert(name.clone(), link);
                }
            }
        }
    }
}

impl Drop for StudioSeat<'_> {
    fn drop(&mut self) {
        let (now, mut inner) = (Instant::now(), self.meeting.inner.lock());
        inner.studios.remove(&self.id);
        for link in inner.links.values_mut().filter(|link| link.studio == self.id) {
            link.lost = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meeting() -> Meeting {
        Meeting::new(Secret::new("the key of the meeting"))
    }

    #[test]
    fn a_request_goes_to_the_studio_that_named_the_link() {
        let meeting = meeting();
        let late = meeting.began + RETURN_TIME;
        let (first, second) = (meeting.enter().unwrap(), meeting.enter().unwrap());
        first.set_links(&[link_name("a"), link_name("b")], late);
        second.set_links(&[link_name("c")], late);
        let studio = |token: &str| meeting.studio(token, late).map(|it| it.same_channel(&it));
        assert_eq!(studio("a"), Ok(true));
        let of_b = meeting.studio("b", late).unwrap();
        assert!(of_b.same_channel(&meeting.studio("a", late).unwrap()));
        assert!(!of_b.same_channel(&meeting.studio("c", late).unwrap()));
        assert_eq!(studio("d"), Err(NoStudio::Unknown));
        assert_eq!(studio(&link_name("a")), Err(NoStudio::Unknown), "the hash opens nothing");
        first.set_links(&[link_name("b")], late);
        assert_eq!(studio("a"), Err(NoStudio::Unknown), "the guest was removed");
        drop(second);
        assert_eq!(studio("c"), Err(NoStudio::Away));
        let third = meeting.enter().unwrap();
        third.set_links(&[link_name("c")], Instant::now());
        assert_eq!(studio("c"), Ok(true), "it has returned");
        drop(first);
        let much_later = Instant::now() + 2 * RETURN_TIME;
        assert_eq!(meeting.studio("b", much_later).unwrap_err(), NoStudio::Unknown);
    }

    #[test]
    fn the_links_of_a_studio_that_connects_again_follow_it_while_its_old_connection_looks_alive() {
        let meeting = meeting();
        let now = meeting.began + RETURN_TIME;
        let names = |tokens: &[&str]| -> Vec<String> {
            tokens.iter().map(|token| link_name(token)).collect()
        };
        let is_with = |seat: &StudioSeat<'_>, token: &str| {
            let queue = meeting.studio(token, now).unwrap();
            queue.same_channel(&meeting.inner.lock().studios[&seat.id])
        };
        let old = meeting.enter().unwrap();
        old.set_links(&names(&["a", "b", "c"]), now);
        let new = meeting.enter().unwrap();
        new.set_links(&names(&["a", "b"]), now);
        assert!(is_with(&new, "a") && is_with(&new, "b"));
        let removed = meeting.studio("c", now).unwrap_err();
        assert_eq!(removed, NoStudio::Unknown, "the guest was removed while the studio was away");
        // A message that was on its way, and the end of the old connection, take nothing away.
        old.set_links(&names(&["a", "b", "c"]), now);
        assert!(is_with(&new, "a") && is_with(&new, "b"));
        old.set_links(&[], now);
        drop(old);
        assert!(is_with(&new, "a") && is_with(&new, "b"));
    }

    #[test]
    fn names_that_are_no_hashes_are_ignored_and_all_links_have_a_limit() {
        let meeting = meeting();
        let now = Instant::now();
        let seat = meeting.enter().unwrap();
        let wrong = ["", "a", &"g".repeat(64), &"A".repeat(64), &"a".repeat(1 << 20)];
        seat.set_links(&wrong.map(String::from), now);
        assert_eq!(meeting.inner.lock().links.len(), 0);
        drop(seat);
        for studio in 0..=MAX_ALL_LINKS / 4 {
            let names: Vec<_> = (0..4).map(|it| link_name(&format!("{studio} {it}"))).collect();
            meeting.enter().unwrap().set_links(&names, now);
        }
        assert_eq!(meeting.inner.lock().links.len(), MAX_ALL_LINKS, "links of lost studios");
        let seat = meeting.enter().unwrap();
        for round in 0..100 {
            seat.set_links(&[link_name(&round.to_string())], now);
        }
        assert_eq!(meeting.inner.lock().links.len(), MAX_ALL_LINKS, "links that have ended");
        assert!(meeting.studio("99", now).is_ok());
    }

    #[test]
    fn after_a_restart_of_the_server_a_page_waits_for_the_studio() {
        let meeting = meeting();
        let at = |time| meeting.studio("a", time).unwrap_err();
        assert_eq!(at(meeting.began), NoStudio::Away);
        assert_eq!(at(meeting.began + RETURN_TIME), NoStudio::Unknown);
        let seat = meeting.enter().unwrap();
        seat.set_links(&[link_name("a")], meeting.began);
        assert!(meeting.studio("a", meeting.began).is_ok());
        seat.set_links(&[], meeting.began);
        assert_eq!(at(meeting.began), NoStudio::Unknown, "the studio has ended the link");
    }

    #[test]
    fn the_numbers_of_studios_links_and_requests_have_limits() {
        let meeting = meeting();
        let now = Instant::now();
        let mut seats: Vec<_> = (0..MAX_STUDIOS).map(|_| meeting.enter().unwrap()).collect();
        assert!(meeting.enter().is_none());
        seats.pop();
        let seat = meeting.enter().unwrap();
        let names: Vec<String> = (0..100).map(|it| link_name(&it.to_string())).collect();
        seat.set_links(&names, now);
        assert_eq!(meeting.inner.lock().links.len(), MAX_LINKS);
        let passed = (0..1_000).filter(|_| meeting.studio("0", now).is_ok()).count();
        assert_eq!(passed, MAX_REQUESTS as usize);
        assert_eq!(meeting.studio("0", now).unwrap_err(), NoStudio::Busy);
        assert!(meeting.studio("1", now).is_ok(), "another guest");
        assert!(meeting.studio("0", now + REQUEST_PERIOD).is_ok());
    }
}
