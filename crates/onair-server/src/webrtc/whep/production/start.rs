//! Makes frames of one stream for all its WHEP viewers, on a separate thread, while the stream has such viewers.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::base::worker::Worker;
use crate::base::{Timestamp, sandbox};
use crate::server::registry::Registry;
use crate::server::renditions::running::RenditionUse;
use crate::server::stream::Stream;
use crate::server::stream::message_sink::MessageSink;
use crate::server::stream::sink::Sink;
use crate::server::webrtc::whep::production::frame_maker::{
    FrameMaker, Listeners, ProductionEvent,
};
use crate::server::webrtc::whep::production::productions::{
    Production, ProductionKey, ProductionUse, WantedTracks,
};
use crate::server::webrtc::whep::production::timeline::Timeline;
use crate::server::webrtc::whep::tracks::Unplayable;

/// Interval between checks for remaining viewers.
const VIEWER_CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// Duration for which a production continues without viewers, for a viewer that reloads the page.
const PRODUCTION_IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// Time for which the studio's own stream waits for the program's audio before it uses the stream's audio. That audio
/// is later, and receivers adapt to the first audio that they get.
const PROGRAM_AUDIO_TIMEOUT: Duration = Duration::from_millis(500);

/// Returns the production of a stream, and starts it if necessary. Returns `None` if the system cannot
/// start a thread.
pub(in crate::webrtc) fn of_stream(
    registry: &Arc<Registry>,
    stream: &Arc<Stream>,
    wanted: WantedTracks,
) -> Option<ProductionUse> {
    let key = ProductionKey::of(stream, String::new());
    let mut all = registry.webrtc.productions.all.lock();
    let known = all.get(&key).filter(|known| Arc::ptr_eq(&known.stream, stream));
    let production = match known {
        Some(known) => Arc::clone(known),
        None => {
            let begun = begin(registry, (key.clone(), Arc::clone(stream)), Arc::default())?;
            all.insert(key, Arc::clone(&begun));
            begun
        }
    };
    Some(production.used(wanted, None))
}

/// Returns the production of a rendition, on the timeline of the stream's own production, and starts it if
/// necessary. Returns `None` if the system cannot start a thread.
pub(in crate::webrtc) fn of_rendition(
    registry: &Arc<Registry>,
    main: &Production,
    encoded: RenditionUse,
    wanted: WantedTracks,
) -> Option<ProductionUse> {
    let key = ProductionKey::of(&main.stream, encoded.running.rendition.name());
    let stream = Arc::clone(&encoded.running.stream);
    let mut all = registry.webrtc.productions.all.lock();
    let is_same = |known: &&Arc<Production>| {
        Arc::ptr_eq(&known.stream, &stream) && Arc::ptr_eq(&known.timeline, &main.timeline)
    };
    let production = match all.get(&key).filter(is_same) {
        Some(known) => Arc::clone(known),
        None => {
            let begun = begin(registry, (key.clone(), stream), Arc::clone(&main.timeline))?;
            all.insert(key, Arc::clone(&begun));
            begun
        }
    };
    Some(production.used(wanted, Some(encoded)))
}

/// Starts the thread of a production.
fn begin(
    registry: &Arc<Registry>,
    (key, stream): (ProductionKey, Arc<Stream>),
    timeline: Arc<Mutex<Timeline>>,
) -> Option<Arc<Production>> {
    let own = registry.config.own_stream.as_ref();
    let is_own = own.is_some_and(|own| own.app == stream.app && own.stream == stream.name);
    let is_own = is_own && key.rendition.is_empty();
    let sink = MessageSink::new(registry.next_id(), registry.config.limits.queue_bytes * 2);
    let production = Arc::new(Production::new(key, (stream, sink), timeline, is_own));
    let (registry, made) = (Arc::clone(registry), Arc::clone(&production));
    // The thread decodes audio from untrusted clients.
    let worker = Worker::spawn("whep frames", move |_| {
        sandbox::video_decoder();
        produce(&registry, &made);
    });
    match worker {
        Ok(worker) => *production.worker.lock() = Some(worker),
        Err(error) => {
            tracing::warn!(%error, "starting a WHEP thread failed");
            return None;
        }
    }
    production.stream.join(Arc::<MessageSink>::clone(&production.sink));
    Some(production)
}

/// Makes frames until there are no more viewers.
fn produce(registry: &Registry, production: &Arc<Production>) {
    let timeline = Arc::clone(&production.timeline);
    let mut maker = FrameMaker::new(registry.clock, production.id(), timeline);
    maker.is_rendition = production.is_rendition();
    let mut events = Vec::new();
    let mut used: Timestamp = registry.clock.now();
    let mut listened_since: Option<Instant> = None;
    while !registry.is_stopping() {
        let sink = &production.sink;
        let due = production.release_if_due(Instant::now());
        sink.wait(due.map_or(VIEWER_CHECK_INTERVAL, |due| due.min(VIEWER_CHECK_INTERVAL)));
        let now = Instant::now();
        let mut listeners = production.listeners();
        if listeners == Listeners::None {
            listened_since = None;
        } else {
            let since = *listened_since.get_or_insert(now);
            let awaits_program =
                production.is_own && now.duration_since(since) < PROGRAM_AUDIO_TIMEOUT;
            if awaits_program || production.has_program_audio() {
                listeners = Listeners::None;
            }
        }
        for arrival in sink.take() {
            maker.take(&arrival, now, listeners, &mut events);
            for event in events.drain(..) {
                if let ProductionEvent::Tracks(tracks) = &event
                    && tracks.refused == Some(Unplayable::BFrames)
                {
                    let publisher = production.stream.publisher_figures(registry.clock.now());
                    if let Some(publisher) = publisher {
                        registry.webrtc.productions.refuse(publisher.id);
                    }
                }
                production.publish(event, registry.config.limits.group_bytes);
            }
        }
        let now = registry.clock.now();
        if production.users.load(Ordering::Acquire) > 0 {
            used = now;
        } else if now.since(used) >= PRODUCTION_IDLE_TIMEOUT
            && registry.webrtc.productions.end(production)
        {
            break;
        }
    }
    production.set_program_audio(None);
    production.stream.leave(production.sink.id());
    registry.tidy(&production.stream);
}
