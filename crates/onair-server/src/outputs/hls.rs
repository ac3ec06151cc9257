//! Cuts one stream in a separate task, from the first request until there have been no requests for
//! a while. A production continues when the publisher changes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::base::{Clock, Timestamp};
use crate::net::random_hex;
use crate::server::access::grant::AdmittedViewer;
use crate::server::event::{Event, NoRoom};
use crate::server::hls::Mode;
use crate::server::hls::listing::Listing;
use crate::server::hls::maker::Maker;
use crate::server::hls::viewers::{Viewer, ViewerKey, ViewerLimit};
use crate::server::hls::window::Window;
use crate::server::outputs::playlist_makers::PlaylistMakers;
use crate::server::outputs::recordings::viewers::note;
use crate::server::outputs::renditions::start::rendition_of;
use crate::server::registry::{Registry, peer};
use crate::server::renditions::playlist::{PlaylistState, RenditionKind, RenditionPlaylist, show};
use crate::server::renditions::playlist_productions::PlaylistProduction;
use crate::server::renditions::refusal::Refusal;
use crate::server::stream::Stream;
use crate::server::stream::message_sink::MessageSink;
use crate::server::stream::sink::Sink;
use crate::text::problem::{Problem, problem};
use crate::wire::hls::OfferedVariant;

/// Duration for which a production continues after the last request.
const PRODUCTION_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How often to check for viewers and publishers.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// A viewer without a request for this long counts as gone.
const VIEWER_TIMEOUT: Duration = Duration::from_secs(12);
/// Length of the tag that distinguishes productions, in characters.
const TAG_LENGTH: usize = 8;

/// Starts to cut a published stream, if the server always cuts streams.
pub(crate) fn begin(registry: &Arc<Registry>, stream: &Stream) {
    if registry.config.hls.mode == Mode::Always && registry.config.http.is_some() {
        of_stream(registry, &stream.app, &stream.name);
    }
}

/// Returns the production of a stream, and starts it if necessary. Returns `None` if there is no
/// production, and nobody publishes the stream. This function must be called within the runtime.
pub(crate) fn of_stream(
    registry: &Arc<Registry>,
    app: &str,
    name: &str,
) -> Option<Arc<PlaylistProduction>> {
    let now = registry.clock.now();
    let mut all = registry.hls.all.lock();
    let key = (app.to_owned(), name.to_owned());
    let known = all.get(&key);
    if let Some(known) = known {
        let published = || registry.find(app, name).is_some_and(|it| it.is_published());
        if !known.over.load(Ordering::Acquire) || !published() {
            known.last_request.store(now.as_micros(), Ordering::Release);
            return Some(Arc::clone(known));
        }
    }
    let stream = registry.find(app, name).filter(|stream| stream.is_published())?;
    let viewers = known.map(|known| known.viewers.lock().of_next_playlist()).unwrap_or_default();
    let settings = registry.config.hls;
    // The value increases from one production to the next without stored state.
    let first = u64::try_from(registry.clock.wall_micros(now) / 1_000_000).unwrap_or(0);
    let discontinuity = registry.hls.first_discontinuity(first / 3_600);
    let random = random_hex().unwrap_or_default();
    let tag = random.get(..TAG_LENGTH).unwrap_or("onair");
    let window = Window::new(settings, tag, (first, discontinuity));
    let rules = registry.rules();
    let renditions = RenditionPlaylist::of(rules.renditions.of(app, name), settings, (tag, 0), &[]);
    let production = Arc::new(PlaylistProduction {
        renditions: Mutex::new(renditions),
        tag: tag.to_owned(),
        sink: MessageSink::new(registry.next_id(), registry.config.limits.queue_bytes * 2),
        listing: watch::Sender::new(Arc::new(window.listing())),
        last_request: AtomicI64::new(now.as_micros()),
        viewers: Mutex::new(viewers),
        over: AtomicBool::new(false),
        stream,
    });
    all.insert(key, Arc::clone(&production));
    drop(all);
    let interval = production.stream.key_interval();
    production.stream.join(Arc::<MessageSink>::clone(&production.sink));
    let maker = Maker::new(settings, window, interval);
    tokio::spawn(produce(Arc::clone(registry), Arc::clone(&production), maker));
    Some(production)
}

/// Records a playlist request of a viewer. Fails if the stream has too many viewers.
pub(crate) fn note_viewer(
    registry: &Registry,
    production: &PlaylistProduction,
    key: ViewerKey,
    address: SocketAddr,
    viewer: AdmittedViewer,
) -> Result<(), NoRoom> {
    let (stream, id) = (&production.stream, viewer.id);
    let others = stream.viewer_count();
    let most = registry.max_viewers(&stream.app);
    let limit = ViewerLimit { most, others, is_shared: registry.is_shared(key.address) };
    let names = (stream.app.as_str(), stream.name.as_str());
    let (client, entry) = ((key, address), (viewer, limit));
    if note(registry, &production.viewers, (names, None), client, entry)? {
        registry.tell(Event::Join(peer(stream, id, address, key.protocol)));
    }
    Ok(())
}

/// Disconnects the viewers with the chosen ids. With `bars`, they stay out for a while. Returns their
/// number.
pub(crate) fn end_viewers(
    registry: &Registry,
    production: &PlaylistProduction,
    is_chosen: impl Fn(u64) -> bool,
    bars: bool,
    reason: &Problem,
) -> usize {
    let barred = bars.then(|| registry.clock.now());
    let ended = production.viewers.lock().disconnect(is_chosen, barred);
    let count = ended.len();
    tell_left(registry, production, ended, reason);
    count
}

/// Starts a rendition, or keeps it running.
///
/// # Errors
/// Fails with the reason for the viewer.
pub(crate) fn ask_rendition(
    registry: &Arc<Registry>,
    production: &PlaylistProduction,
    playlist: &RenditionPlaylist,
) -> Result<(), Refusal> {
    playlist.ask(registry.clock.now());
    let mut state = playlist.state.lock();
    if matches!(*state, PlaylistState::Idle) {
        let used = match playlist.kind {
            RenditionKind::Audio | RenditionKind::Aac => None,
            RenditionKind::Video(video) => Some(rendition_of(registry, &production.stream, video)?),
        };
        *state = PlaylistState::Begun(used);
        production.sink.wake();
    }
    Ok(())
}

/// Returns the playlists of the renditions that the stream has by the current rules.
pub(crate) fn offered(
    registry: &Registry,
    production: &PlaylistProduction,
) -> Vec<Arc<RenditionPlaylist>> {
    let (rules, stream) = (registry.rules(), &production.stream);
    production.offered(rules.renditions.of(&stream.app, &stream.name))
}

/// Returns the variants of the multivariant playlist, except the stream itself.
pub(crate) fn variants(
    registry: &Registry,
    production: &PlaylistProduction,
    main: &Listing,
) -> Vec<OfferedVariant> {
    let now = registry.clock.now();
    let refusal =
        |it: &RenditionPlaylist| registry.transcoders.barred(&production.stream, &it.name, now);
    let offered = offered(registry, production);
    offered.iter().filter(|it| refusal(it).is_none()).filter_map(|it| it.variant(main)).collect()
}

/// Reports that viewers without a request for this long have left.
fn leave(registry: &Registry, production: &PlaylistProduction, quiet: Duration) {
    let now = registry.clock.now();
    let gone = production.viewers.lock().remove_idle(quiet, now);
    tell_left(registry, production, gone, &problem!("left-quiet"));
}

fn tell_left(
    registry: &Registry,
    production: &PlaylistProduction,
    gone: impl IntoIterator<Item = Viewer>,
    reason: &Problem,
) {
    let stream = (production.stream.app.as_str(), production.stream.name.as_str());
    for viewer in gone {
        registry.tell(viewer.leave(stream, reason.clone()));
    }
}

/// Returns true if the production of a stream must continue after this time without a request. With
/// `bars`, it keeps a disconnected viewer out.
fn is_used(mode: Mode, ended: bool, quiet: Duration, bars: bool) -> bool {
    quiet < PRODUCTION_IDLE_TIMEOUT || mode == Mode::Always && !ended || bars
}

/// Runs until there are no more requests.
async fn produce(registry: Arc<Registry>, production: Arc<PlaylistProduction>, mut maker: Maker) {
    let stopped = registry.stopped();
    tokio::pin!(stopped);
    let mut check = interval(CHECK_INTERVAL);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (sink, stream) = (Arc::clone(&production.sink), Arc::clone(&production.stream));
    let mode = registry.config.hls.mode;
    let mut renditions = PlaylistMakers::new(&production);
    loop {
        let checks = tokio::select! {
            biased;
            () = &mut stopped => break,
            () = sink.arrived() => false,
            _ = check.tick() => true,
        };
        let now = registry.clock.now();
        renditions.begin(&registry, &production);
        // The renditions come first: the packets of the stream, which are taken next, are then at
        // least as new.
        renditions.receive();
        let arrivals = sink.take();
        let mut changed = !arrivals.is_empty();
        maker.take(arrivals, now, Clock::system_micros());
        changed |= renditions.make(&mut maker, now);
        if checks && !stream.is_published() {
            // The publisher may have left before the queue joined the stream, and the queue knows nothing of it.
            maker.note_gone(now);
        }
        if checks && maker.end_if_gone(now) {
            changed = true;
            production.over.store(true, Ordering::Release);
            stream.leave(sink.id());
            registry.tidy(&stream);
        }
        if changed {
            registry.hls.use_discontinuities(maker.window.next_discontinuity());
            let listing = maker.window.listing().with_reports(renditions.reports(None));
            renditions.publish(&listing);
            show(listing, &production.listing);
        }
        if !checks {
            continue;
        }
        leave(&registry, &production, VIEWER_TIMEOUT);
        renditions.end_unused(now);
        // A reload may have changed the ladder.
        let rules = registry.rules();
        let ladder = rules.renditions.of(&stream.app, &stream.name);
        production.set_ladder(ladder, registry.config.hls);
        let is_needed = || {
            let last_request = production.last_request.load(Ordering::Acquire);
            let bars = production.viewers.lock().has_barred(now);
            is_used(mode, maker.ended, now.since(Timestamp::from_micros(last_request)), bars)
        };
        if !is_needed() && registry.hls.end(&production, is_needed) {
            break;
        }
    }
    leave(&registry, &production, Duration::ZERO);
    stream.leave(sink.id());
    registry.tidy(&stream);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_cut_until_thirty_seconds_after_the_last_request() {
        let used = |mode, ended, seconds| is_used(mode, ended, Duration::from_secs(seconds), false);
        assert!(used(Mode::OnDemand, false, 29) && !used(Mode::OnDemand, false, 30));
        assert!(used(Mode::Always, false, 3_600) && !used(Mode::Always, true, 30));
        // Otherwise, a disconnected viewer could return before its minute is over.
        assert!(is_used(Mode::OnDemand, true, Duration::from_secs(30), true));
    }
}
