//! Makes the playlists of the renditions of one stream, in the task that cuts the stream itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::base::Timestamp;
use crate::server::hls::listing::{Listing, MEDIA_PLAYLIST_NAME};
use crate::server::hls::maker::Maker;
use crate::server::registry::Registry;
use crate::server::renditions::playlist::{PlaylistState, RenditionKind, RenditionPlaylist, show};
use crate::server::renditions::playlist_productions::PlaylistProduction;
use crate::server::renditions::running::RenditionUse;
use crate::server::stream::Stream;
use crate::server::stream::message::Takes;
use crate::server::stream::message_sink::{Arrival, MessageSink};
use crate::server::stream::sink::Sink as _;
use crate::wire::container::flv::TagKind;
use crate::wire::hls::Report;

/// Maximum wait of a playlist for its first AAC. The thread that encodes it starts in a few milliseconds.
const FIRST_AAC_TIMEOUT: Duration = Duration::from_secs(3);

/// The renditions of a stream that are being made.
#[derive(Debug)]
pub(crate) struct PlaylistMakers {
    /// The stream itself.
    stream: Arc<Stream>,
    /// The queue of the stream.
    sink: Arc<MessageSink>,
    made: Vec<PlaylistMaker>,
}

/// The maker of one playlist.
#[derive(Debug)]
struct PlaylistMaker {
    playlist: Arc<RenditionPlaylist>,
    maker: Maker,
    source: PlaylistSource,
    received: Vec<Arrival>,
    /// How long to wait for the first audio, because its encoder has to start. `None` means that there is no wait.
    waits_until: Option<Timestamp>,
}

impl PlaylistMaker {
    /// Returns what can be added to the playlist now.
    fn take(&mut self, now: Timestamp) -> Vec<Arrival> {
        if let Some(until) = self.waits_until {
            let is_audio = |arrival: &Arrival| match arrival {
                Arrival::Message(message) => message.kind == TagKind::Audio,
                _ => false,
            };
            if !self.received.iter().any(is_audio) && now < until {
                return Vec::new();
            }
            self.waits_until = None;
            in_order(&mut self.received);
        }
        std::mem::take(&mut self.received)
    }
}

/// Puts configs first, and then the messages in the order of their times.
fn in_order(arrivals: &mut [Arrival]) {
    let first = arrivals.iter().find_map(|arrival| match arrival {
        Arrival::Message(message) if message.mark.is_none() => Some(message.time_ms),
        _ => None,
    });
    let Some(first) = first else { return };
    arrivals.sort_by_key(|arrival| match arrival {
        // The 32-bit times may wrap, and audio may begin earlier.
        Arrival::Message(message) if message.mark.is_none() => {
            (true, i64::from(message.time_ms.wrapping_sub(first) as i32))
        }
        _ => (false, 0),
    });
}

/// The stream of a rendition, and its queue.
#[derive(Debug)]
struct PlaylistSource {
    stream: Arc<Stream>,
    sink: Arc<MessageSink>,
    /// `None` means the stream itself.
    used: Option<RenditionUse>,
    is_audio_only: bool,
}

impl PlaylistSource {
    fn take(&self) -> Vec<Arrival> {
        let mut arrivals = self.sink.take();
        if self.is_audio_only {
            let is_audio = |arrival: &Arrival| match arrival {
                Arrival::Message(message) => message.kind == TagKind::Audio,
                _ => true,
            };
            arrivals.retain(is_audio);
        }
        arrivals
    }
}

impl Drop for PlaylistSource {
    fn drop(&mut self) {
        self.stream.leave(self.sink.id());
    }
}

impl PlaylistMakers {
    /// Creates the makers for the task of a production.
    pub fn new(production: &PlaylistProduction) -> Self {
        Self {
            stream: Arc::clone(&production.stream),
            sink: Arc::clone(&production.sink),
            made: Vec::new(),
        }
    }

    /// Begins to make the playlists that were requested.
    pub fn begin(&mut self, registry: &Registry, production: &PlaylistProduction) {
        for playlist in &*production.renditions.lock() {
            let mut state = playlist.state.lock();
            if !matches!(*state, PlaylistState::Begun(_)) {
                continue;
            }
            let PlaylistState::Begun(used) = std::mem::replace(&mut *state, PlaylistState::Running)
            else {
                continue;
            };
            drop(state);
            let stream = used.as_ref().map_or(&self.stream, |it| &it.running.stream);
            let takes = match playlist.kind {
                RenditionKind::Aac => Takes::ONE_TRACK_WITHOUT_OPUS,
                RenditionKind::Audio | RenditionKind::Video(_) => Takes::ONE_TRACK,
            };
            let sink = self.sink.beside(registry.next_id(), takes);
            stream.join(Arc::<MessageSink>::clone(&sink));
            let after = playlist.next_number.load(Ordering::Acquire).checked_sub(1);
            let (settings, tag) = (playlist.settings, &playlist.tag);
            let (maker, waits_until) = match playlist.kind {
                RenditionKind::Aac => (
                    Maker::without_opus(settings, tag, after),
                    Some(registry.clock.now() + FIRST_AAC_TIMEOUT),
                ),
                _ => (Maker::of_rendition(settings, tag, after), None),
            };
            let is_audio_only = playlist.kind == RenditionKind::Audio;
            let source = PlaylistSource { stream: Arc::clone(stream), sink, used, is_audio_only };
            let (playlist, received) = (Arc::clone(playlist), Vec::new());
            self.made.push(PlaylistMaker { playlist, maker, source, received, waits_until });
        }
    }

    /// Takes the packets from the encoders, and the audio.
    pub fn receive(&mut self) {
        for made in &mut self.made {
            made.received.extend(made.source.take());
        }
    }

    /// Adds the taken packets to the playlists, after the stream itself. Returns true if a playlist changed.
    pub fn make(&mut self, main: &mut Maker, now: Timestamp) -> bool {
        let (target, offset) = (main.target_duration(), main.window.offset());
        let mut changed = false;
        for made in &mut self.made {
            let received = made.take(now);
            changed |= !received.is_empty();
            made.maker.align(main.window.starts(), target);
            made.maker.take_at(received, now, offset);
            // The playlist ends together with the stream itself.
            changed |= main.ended && made.maker.end_if_gone(now);
        }
        changed
    }

    /// Returns the progress of all playlists except this one.
    pub fn reports(&self, but: Option<&RenditionPlaylist>) -> Vec<Report> {
        let others =
            self.made.iter().filter(|it| but.is_none_or(|but| but.name != it.playlist.name));
        let report = |made: &PlaylistMaker| {
            let listing = made.playlist.listing.borrow();
            listing.report(made.playlist.list_name())
        };
        others.filter_map(report).collect()
    }

    /// Makes the playlists available to requests; `main` is the listing of the stream itself.
    pub fn publish(&self, main: &Listing) {
        for made in &self.made {
            let mut reports = self.reports(Some(&*made.playlist));
            reports.extend(main.report(MEDIA_PLAYLIST_NAME.to_owned()));
            let listing = made.maker.window.listing().with_reports(reports);
            made.playlist.next_number.fetch_max(listing.end_number(), Ordering::AcqRel);
            show(listing, &made.playlist.listing);
        }
    }

    /// Ends playlists that nobody requests, and those whose rendition has ended.
    pub fn end_unused(&mut self, now: Timestamp) {
        self.made.retain(|made| {
            let used = made.source.used.as_ref();
            let ended = used.is_some_and(|it| it.running.ended().is_some());
            let goes_on = made.playlist.is_asked(now) && !ended;
            if !goes_on {
                made.playlist.clear();
            }
            goes_on
        });
    }
}

impl Drop for PlaylistMakers {
    fn drop(&mut self) {
        self.made.iter().for_each(|made| made.playlist.clear());
    }
}
