//! All renditions that are being encoded, and those that were refused.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::base::worker::Worker;
use crate::server::renditions::load::CpuLoad;
use crate::server::renditions::refusal::Refusal;
use crate::server::renditions::running::{RenditionFigures, RunningRendition};
use crate::server::stream::Stream;
use crate::server::stream::message_sink::MessageSink;

/// After a refusal, the same rendition is not started for this long.
const REFUSAL_PAUSE: Duration = Duration::from_secs(30);
/// Maximum number of remembered refusals.
const MAX_REFUSALS: usize = 256;

/// The transcoders by application and stream.
type ByStream = HashMap<(String, String), Arc<Transcoder>>;

/// All renditions of a server.
#[derive(Debug, Default)]
pub(crate) struct Transcoders {
    pub(crate) all: Mutex<ByStream>,
    barred: Mutex<VecDeque<BarredRendition>>,
    pub load: CpuLoad,
}

/// The decoding of a stream, and the stream's renditions.
#[derive(Debug)]
pub(crate) struct Transcoder {
    pub stream: Arc<Stream>,
    pub(crate) sink: Arc<MessageSink>,
    pub(crate) wanted: Mutex<Vec<Arc<RunningRendition>>>,
    pub(crate) worker: Mutex<Option<Worker>>,
}

/// A rendition that was refused.
#[derive(Debug)]
struct BarredRendition {
    app: String,
    stream: String,
    name: String,
    since: Timestamp,
    refusal: Refusal,
}

impl Transcoders {
    /// Returns the reason why a rendition was refused recently, if it was.
    pub(crate) fn barred(&self, stream: &Stream, name: &str, now: Timestamp) -> Option<Refusal> {
        let mut barred = self.barred.lock();
        barred.retain(|it| now.since(it.since) < REFUSAL_PAUSE);
        let mut all = barred.iter();
        let found =
            all.find(|it| it.app == stream.app && it.stream == stream.name && it.name == name);
        found.map(|it| it.refusal.clone())
    }

    /// Remembers a refusal. Returns false if the refusal is already known.
    pub(crate) fn bar(&self, stream: &Stream, name: &str, why: &Refusal, now: Timestamp) -> bool {
        if self.barred(stream, name, now).is_some() {
            return false;
        }
        let mut barred = self.barred.lock();
        barred.truncate(MAX_REFUSALS - 1);
        barred.push_front(BarredRendition {
            app: stream.app.clone(),
            stream: stream.name.clone(),
            name: name.to_owned(),
            since: now,
            refusal: why.clone(),
        });
        true
    }

    /// Removes a rendition that has ended, or has no users. Returns false if the rendition was just
    /// requested.
    pub(crate) fn remove(
        &self,
        transcoder: &Transcoder,
        running: &Arc<RunningRendition>,
        now: Timestamp,
    ) -> bool {
        // While this lock is held, nobody can begin to use the rendition.
        let all = self.all.lock();
        let why = running.ended();
        if why.is_none() && running.is_used() {
            return false;
        }
        transcoder.wanted.lock().retain(|it| !Arc::ptr_eq(it, running));
        drop(all);
        // The size of the video refuses such a rendition without a pause, and the video can become larger again.
        let video = transcoder.stream.publisher_figures(now).and_then(|it| it.video);
        let size = video.and_then(|it| it.displayed_size());
        let is_too_small = size.is_some_and(|size| running.rendition.size(size).is_none());
        if let Some(why) = why.as_ref().filter(|why| **why != Refusal::Absent || !is_too_small) {
            self.bar(&transcoder.stream, &running.rendition.name(), why, now);
        }
        true
    }

    /// Removes a transcoder without renditions. Returns false if a rendition was just requested.
    pub(crate) fn end(&self, transcoder: &Arc<Transcoder>) -> bool {
        let mut all = self.all.lock();
        if !transcoder.wanted.lock().is_empty() {
            return false;
        }
        let key = (transcoder.stream.app.clone(), transcoder.stream.name.clone());
        if all.get(&key).is_some_and(|known| Arc::ptr_eq(known, transcoder)) {
            all.remove(&key);
        }
        true
    }

    /// Returns the renditions of a stream that are being encoded, the largest first. After a reload, renditions with
    /// the same name and different bitrates count as one.
    pub fn figures(&self, app: &str, name: &str) -> Vec<RenditionFigures> {
        let all = self.all.lock();
        let Some(found) = all.get(&(app.to_owned(), name.to_owned())) else { return Vec::new() };
        let mut wanted = found.wanted.lock().clone();
        wanted.sort_by_key(|it| std::cmp::Reverse(it.rendition.height));
        let mut figures: Vec<RenditionFigures> = Vec::new();
        for new in wanted.iter().map(|it| it.figures()) {
            match figures.iter_mut().find(|it| it.name == new.name) {
                Some(known) => known.add(&new),
                None => figures.push(new),
            }
        }
        figures
    }
}

impl Transcoder {
    /// Ends the most expensive rendition, because the encoders do not keep up.
    pub(crate) fn step_down(&self) {
        let wanted = self.wanted.lock();
        let running = wanted.iter().filter(|it| it.ended().is_none());
        if let Some(running) = running.max_by_key(|it| it.rendition.height) {
            running.end(Refusal::TooSlow);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::Size;
    use crate::server::access::limits::Limits;
    use crate::server::access::rules::AppLimits;
    use crate::server::event::Protocol;
    use crate::server::renditions::ladder::Ladder;
    use crate::server::stream::{Claim, Incoming};
    use crate::wire::amf0::Value;
    use crate::wire::container::flv::{TagKind, metadata_body};

    /// Returns a published stream whose video has this size.
    fn stream_of(width: f64, height: f64) -> Arc<Stream> {
        let home = [127, 0, 0, 1].into();
        let stream = Stream::new("live".into(), "show".into(), home, Limits::default());
        let (address, limits) = ("127.0.0.1:5".parse().unwrap(), AppLimits::default());
        let claim = Claim {
            id: 1,
            protocol: Protocol::Rtmp,
            address,
            credentials: "",
            proven: true,
            relayed: false,
            limits,
        };
        stream.publish(claim, Timestamp::ZERO).unwrap();
        let size = [("width", width), ("height", height)];
        let size = size.map(|(name, value)| (name.to_owned(), Value::Number(value)));
        let message = |kind, body, metadata| Incoming { kind, time_ms: 0, body, metadata };
        let metadata = metadata_body(&Value::EcmaArray(size.into()));
        // A keyframe of Sorenson H.263, whose size only the metadata contains.
        let keyframe = Bytes::from_static(&[0x12, 0, 0]);
        let mut all = vec![
            message(TagKind::Script, metadata, true),
            message(TagKind::Video, keyframe, false),
        ];
        stream.take(1, &mut all, Timestamp::ZERO);
        Arc::new(stream)
    }

    #[test]
    fn renditions_with_one_name_are_one_in_figures() {
        let (transcoders, stream) = (Transcoders::default(), stream_of(1_280.0, 720.0));
        let running = |text: &str, frames| {
            let rendition = text.parse::<Ladder>().unwrap().video[0];
            let running = RunningRendition::new(rendition, Arc::clone(&stream), 2, Vec::new());
            for _ in 0..frames {
                running.counters.note(Size::new(854, 480), Duration::from_millis(1));
            }
            Arc::new(running)
        };
        // A viewer still watches the rendition from before the reload.
        let wanted = vec![running("480p:1M", 5), running("360p", 1), running("480p:2M", 3)];
        let (sink, wanted) = (MessageSink::new(3, 1_000), Mutex::new(wanted));
        let key = (stream.app.clone(), stream.name.clone());
        let transcoder =
            Transcoder { stream: Arc::clone(&stream), sink, wanted, worker: Mutex::default() };
        transcoders.all.lock().insert(key, Arc::new(transcoder));
        let figures = transcoders.figures("live", "show");
        let names: Vec<_> =
            figures.iter().map(|it| (&*it.name, it.frames, it.busy.as_millis())).collect();
        assert_eq!(names, [("480p", 8, 8), ("360p", 1, 1)]);
        assert_eq!(figures[0].bitrate, 2_000_000);
    }

    #[test]
    fn a_rendition_of_a_stream_that_is_too_small_gets_no_pause() {
        let transcoders = Transcoders::default();
        let rendition = "480p".parse::<Ladder>().unwrap().video[0];
        let ended = |stream: Arc<Stream>| {
            let running = RunningRendition::new(rendition, Arc::clone(&stream), 2, Vec::new());
            let running = Arc::new(running);
            running.end(Refusal::Absent);
            let wanted = Mutex::new(vec![Arc::clone(&running)]);
            let sink = MessageSink::new(3, 1_000);
            let transcoder = Transcoder { stream, sink, wanted, worker: Mutex::default() };
            assert!(transcoders.remove(&transcoder, &running, Timestamp::ZERO));
            transcoders.barred(&transcoder.stream, "480p", Timestamp::ZERO)
        };
        assert_eq!(ended(stream_of(640.0, 360.0)), None);
        // The frames were smaller than the publisher declares.
        assert_eq!(ended(stream_of(1_280.0, 720.0)), Some(Refusal::Absent));
    }
}
