//! The running productions, and the state that requests share with their tasks.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::base::Timestamp;
use crate::server::event::{Protocol, ViewerFigures};
use crate::server::hls::Settings;
use crate::server::hls::listing::Listing;
use crate::server::hls::viewers::{ViewerKey, Viewers};
use crate::server::renditions::ladder::Ladder;
use crate::server::renditions::playlist::{RenditionKind, RenditionPlaylist};
use crate::server::stream::Stream;
use crate::server::stream::message_sink::MessageSink;

/// All streams that are being cut.
#[derive(Debug, Default)]
pub(crate) struct PlaylistProductions {
    pub(crate) all: Mutex<HashMap<(String, String), Arc<PlaylistProduction>>>,
    /// The first discontinuity sequence number that no production has used.
    discontinuities: AtomicU64,
}

/// A stream that is being cut.
#[derive(Debug)]
pub(crate) struct PlaylistProduction {
    pub stream: Arc<Stream>,
    pub sink: Arc<MessageSink>,
    pub(crate) listing: watch::Sender<Arc<Listing>>,
    /// Time of the last request, in microseconds of the clock.
    pub(crate) last_request: AtomicI64,
    pub(crate) viewers: Mutex<Viewers>,
    /// True if the playlist has ended; a new publisher with this name begins another playlist.
    pub(crate) over: AtomicBool,
    /// The names of its files begin with this tag.
    pub(crate) tag: String,
    /// The playlists of its renditions, and of former ones that are still being made.
    pub(crate) renditions: Mutex<Vec<Arc<RenditionPlaylist>>>,
}

impl PlaylistProductions {
    /// Returns the number of viewers of a stream.
    pub fn viewers(&self, app: &str, name: &str) -> usize {
        self.find(app, name).map_or(0, |production| production.viewers.lock().len())
    }

    /// Returns the production of a stream.
    pub fn find(&self, app: &str, name: &str) -> Option<Arc<PlaylistProduction>> {
        self.all.lock().get(&(app.to_owned(), name.to_owned())).cloned()
    }

    /// Returns all productions, in no particular order.
    pub fn all(&self) -> Vec<Arc<PlaylistProduction>> {
        self.all.lock().values().cloned().collect()
    }

    /// Returns the number of viewers of a stream by protocol.
    pub fn viewers_by(&self, app: &str, name: &str) -> BTreeMap<Protocol, usize> {
        let found = self.find(app, name);
        found.map(|it| it.viewers.lock().by_protocol().clone()).unwrap_or_default()
    }

    /// Returns the first discontinuity sequence number of a new production. It increases across
    /// productions, and with the hours since 1970 across runs of the server. It stays small,
    /// because hls.js loops over all smaller numbers. With the number of seconds since 1970, this
    /// loop would take minutes.
    pub(crate) fn first_discontinuity(&self, hours: u64) -> u64 {
        self.discontinuities.fetch_max(hours, Ordering::AcqRel).max(hours)
    }

    /// Records that a production has used all numbers before this one.
    pub(crate) fn use_discontinuities(&self, next: u64) {
        self.discontinuities.fetch_max(next, Ordering::AcqRel);
    }

    /// Removes an unused production. Returns false if it was just requested.
    pub(crate) fn end(
        &self,
        production: &Arc<PlaylistProduction>,
        is_needed: impl FnOnce() -> bool,
    ) -> bool {
        let mut all = self.all.lock();
        if is_needed() {
            return false;
        }
        let key = (production.stream.app.clone(), production.stream.name.clone());
        if all.get(&key).is_some_and(|known| Arc::ptr_eq(known, production)) {
            all.remove(&key);
        }
        true
    }
}

impl PlaylistProduction {
    /// Returns a receiver of the available resources.
    pub fn listing(&self) -> watch::Receiver<Arc<Listing>> {
        self.listing.subscribe()
    }

    /// Returns the rendition to which a playlist or file belongs; `None` is the stream itself.
    pub fn rendition(&self, file: &str) -> Option<Arc<RenditionPlaylist>> {
        self.renditions.lock().iter().find(|it| it.has(file)).cloned()
    }

    /// Returns the playlists of the renditions in a ladder.
    pub fn offered(&self, ladder: &Ladder) -> Vec<Arc<RenditionPlaylist>> {
        let all = self.renditions.lock();
        all.iter().filter(|it| ladder.has(&it.name)).cloned().collect()
    }

    /// Returns the playlist with AAC instead of the Opus of the stream.
    pub fn aac(&self) -> Option<Arc<RenditionPlaylist>> {
        self.renditions.lock().iter().find(|it| it.kind == RenditionKind::Aac).cloned()
    }

    /// Takes over the renditions of a ladder, which may have changed.
    pub fn set_ladder(&self, ladder: &Ladder, settings: Settings) {
        // The numbers of renditions are those of the stream itself.
        let first = self.listing.borrow().end_number();
        let mut all = self.renditions.lock();
        *all = RenditionPlaylist::of(ladder, settings, (self.tag.as_str(), first), &all);
    }

    /// Returns the viewers for the operator.
    pub fn viewer_figures(&self, now: Timestamp) -> Vec<ViewerFigures> {
        let viewers = self.viewers.lock();
        let of = (self.stream.app.as_str(), self.stream.name.as_str());
        viewers.iter().map(|viewer| viewer.figures(of, now)).collect()
    }

    /// Returns true if this viewer was just disconnected.
    pub fn is_barred(&self, key: ViewerKey, now: Timestamp) -> bool {
        self.viewers.lock().is_barred(key, now)
    }

    /// Adds bytes that were sent to a viewer.
    pub fn count(&self, key: ViewerKey, bytes: u64) {
        self.viewers.lock().count(key, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::access::limits::Limits;
    use crate::server::hls::window::Window;

    #[test]
    fn a_rendition_that_returns_uses_no_number_again() {
        let (app, name) = ("live".to_owned(), "show".to_owned());
        let opened_by = "127.0.0.1".parse().unwrap();
        let settings = Settings::default();
        let listing = |number| Arc::new(Window::new(settings, "tag", (number, 0)).listing());
        let production = PlaylistProduction {
            stream: Arc::new(Stream::new(app, name, opened_by, Limits::default())),
            sink: MessageSink::new(1, 1_000),
            listing: watch::Sender::new(listing(5)),
            last_request: AtomicI64::new(0),
            viewers: Mutex::default(),
            over: AtomicBool::new(false),
            tag: "tag".to_owned(),
            renditions: Mutex::default(),
        };
        let next_number = |ladder: &str| {
            production.set_ladder(&ladder.parse().unwrap(), settings);
            let playlist = production.rendition("480p.m3u8")?;
            Some(playlist.next_number.load(Ordering::Acquire))
        };
        assert_eq!(next_number("480p"), Some(5));
        production.listing.send_replace(listing(8));
        assert_eq!(next_number("480p"), Some(5));
        assert_eq!(next_number("360p"), None);
        assert_eq!(next_number("480p:2M"), Some(8));
    }

    #[test]
    fn discontinuity_numbers_increase_and_stay_small() {
        let productions = PlaylistProductions::default();
        let hours = 1_800_000_000 / 3_600;
        assert_eq!(productions.first_discontinuity(hours), hours);
        productions.use_discontinuities(hours + 7);
        assert_eq!(productions.first_discontinuity(hours), hours + 7);
        assert_eq!(productions.first_discontinuity(hours + 9), hours + 9);
        assert!(hours < 1_000_000, "hls.js takes its time for more");
    }
}
