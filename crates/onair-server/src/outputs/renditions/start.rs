//! Starts renditions, if enough CPU time is available.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::base::worker::Worker;
use crate::media::{FrameRate, Size};
use crate::server::event::RenditionState;
use crate::server::outputs::renditions::news::tell;
use crate::server::outputs::renditions::transcoder::transcode;
use crate::server::registry::Registry;
use crate::server::renditions::ladder::VideoRendition;
use crate::server::renditions::load::CpuShortage;
use crate::server::renditions::refusal::Refusal;
use crate::server::renditions::running::{RenditionUse, RunningRendition};
use crate::server::renditions::transcoders::Transcoder;
use crate::server::stream::Stream;
use crate::server::stream::message_sink::MessageSink;

/// Maximum number of renditions per core, if no limit is configured.
const MAX_RENDITIONS_PER_CORE: usize = 4;

/// Returns a rendition of a published stream, and starts it if necessary.
///
/// # Errors
/// Fails with the reason for the viewer.
pub(crate) fn rendition_of(
    registry: &Arc<Registry>,
    stream: &Arc<Stream>,
    rendition: VideoRendition,
) -> Result<RenditionUse, Refusal> {
    let found = begin(registry, stream, rendition);
    if let Err(why) = &found
        && !why.is_passing()
        && registry.transcoders.bar(stream, &rendition.name(), why, registry.clock.now())
    {
        tell(registry, stream, &rendition.name(), RenditionState::Refused, Some(why));
    }
    found
}

fn begin(
    registry: &Arc<Registry>,
    stream: &Arc<Stream>,
    rendition: VideoRendition,
) -> Result<RenditionUse, Refusal> {
    let mut all = registry.transcoders.all.lock();
    let key = (stream.app.clone(), stream.name.clone());
    let known = all.get(&key).filter(|known| Arc::ptr_eq(&known.stream, stream));
    if let Some(known) = known {
        let wanted = known.wanted.lock();
        let running = wanted.iter().find(|it| it.rendition == rendition);
        if let Some(running) = running.filter(|it| it.ended().is_none()) {
            return Ok(running.used());
        }
    }
    let now = registry.clock.now();
    if let Some(refusal) = registry.transcoders.barred(stream, &rendition.name(), now) {
        return Err(refusal);
    }
    let count: usize = all.values().map(|it| it.wanted.lock().len()).sum();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let rules = registry.rules();
    let usual = match rules.renditions.has_any() {
        true => cores * MAX_RENDITIONS_PER_CORE,
        // Without configured renditions, encoders are needed only for browsers that decode nothing
        // but Constrained Baseline.
        false => (cores / 2).max(1),
    };
    let most = rules.renditions.limit.unwrap_or(usual);
    if count >= most {
        return Err(Refusal::Full(most));
    }
    reserve_cpu(registry, stream, rendition, known.is_some())?;
    let id = registry.next_id();
    let its = Stream::new(
        stream.app.clone(),
        stream.name.clone(),
        stream.opened_by,
        registry.config.limits.clone(),
    );
    let watermarks = rules.renditions.watermarks(&stream.app, &rendition.name());
    let running = Arc::new(RunningRendition::new(rendition, Arc::new(its), id, watermarks));
    let used = running.used();
    match known {
        Some(known) => {
            known.wanted.lock().push(running);
            known.sink.wake();
        }
        None => {
            let transcoder = start(registry, stream, running)?;
            all.insert(key, transcoder);
        }
    }
    drop(all);
    tell(registry, stream, &rendition.name(), RenditionState::Started, None);
    Ok(used)
}

/// Checks that the stream has this rendition, and reserves CPU time for it.
fn reserve_cpu(
    registry: &Registry,
    stream: &Stream,
    rendition: VideoRendition,
    is_decoded: bool,
) -> Result<(), Refusal> {
    let publisher = stream.publisher_figures(registry.clock.now());
    let video = publisher.and_then(|it| it.video).ok_or(Refusal::Absent)?;
    let rate = video.fps.and_then(|fps| FrameRate::new(fps.round() as u32, 1));
    let rate = rate.unwrap_or(FrameRate::FPS_30);
    // The size of some codecs is known only to their decoders. The stream is then assumed to be 16:9 and as large as
    // the rendition.
    let assumed = Size::new(rendition.height * 16 / 9, rendition.height);
    let (size, encoded) = match video.displayed_size() {
        Some(size) => (size, rendition.size(size).ok_or(Refusal::Absent)?),
        None => (assumed, assumed),
    };
    let decoded = (!is_decoded).then_some(size);
    let (load, limit) = (&registry.transcoders.load, registry.rules().renditions.cpu);
    load.reserve(encoded, decoded, rate, limit).map_err(|CpuShortage { share, is_passing }| {
        Refusal::Busy { percent: (share * 100.0).round() as u32, is_passing }
    })
}

/// Starts to decode a stream for its first rendition.
fn start(
    registry: &Arc<Registry>,
    stream: &Arc<Stream>,
    running: Arc<RunningRendition>,
) -> Result<Arc<Transcoder>, Refusal> {
    let transcoder = Arc::new(Transcoder {
        stream: Arc::clone(stream),
        sink: MessageSink::new(registry.next_id(), registry.config.limits.queue_bytes * 2),
        wanted: Mutex::new(vec![running]),
        worker: Mutex::default(),
    });
    let (its_registry, its) = (Arc::clone(registry), Arc::clone(&transcoder));
    let worker = Worker::spawn("renditions", move |_| transcode(&its_registry, &its));
    let worker = worker.map_err(|error| Refusal::Thread(error.to_string()))?;
    *transcoder.worker.lock() = Some(worker);
    stream.join(Arc::<MessageSink>::clone(&transcoder.sink));
    Ok(transcoder)
}
