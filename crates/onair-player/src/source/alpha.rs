//! The alpha of a clip's frames in a separate stream (VP8 and VP9 in WebM), decoded by a second
//! decoder in sync with the first.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{Pool, Timestamp};
use crate::files::samples;
use crate::media::{Planes, Size, VideoFrame};
use crate::wire::container::{Index, ReadAt, SampleLocation};
use onair_media::decode::VideoBackend;

/// Maximum number of frames that wait for their counterparts because of decoder delay.
const MAX_UNPAIRED_FRAMES: usize = 64;
/// Number of frames kept for reuse.
const MAX_IDLE_FRAMES: usize = 12;

pub(crate) struct AlphaTrack {
    decoder: Box<dyn VideoBackend>,
    places: BTreeMap<Timestamp, SampleLocation>,
    /// Decoded alpha frames in presentation order.
    ready: VecDeque<VideoFrame>,
    pool: Option<(Size, Pool<Planes>)>,
}

impl AlphaTrack {
    pub(crate) fn new(decoder: Box<dyn VideoBackend>, places: &[SampleLocation]) -> Self {
        let places = places.iter().map(|place| (place.pts, *place)).collect();
        Self { decoder, places, ready: VecDeque::new(), pool: None }
    }

    /// Decodes the alpha of the frame with this time.
    pub(crate) fn take(&mut self, disk: &mut dyn ReadAt, index: &Index, pts: Timestamp) {
        let Some(place) = self.places.remove(&pts) else { return };
        let packet = match samples::sample(disk, index, &place) {
            Ok(Some(packet)) => packet,
            Ok(None) => return,
            Err(error) => return tracing::debug!(%error, "reading the alpha of a clip failed"),
        };
        match self.decoder.decode(&packet) {
            Ok(frames) => self.keep(frames),
            Err(error) => tracing::debug!(%error, "reading the alpha of a clip failed"),
        }
    }

    /// Flushes the decoder at the end of the clip.
    pub(crate) fn flush(&mut self) {
        let rest = self.decoder.flush();
        self.keep(rest);
    }

    fn keep(&mut self, frames: Vec<VideoFrame>) {
        self.ready.extend(frames);
        while self.ready.len() > MAX_UNPAIRED_FRAMES {
            self.ready.pop_front();
        }
    }

    /// Adds the alpha to a frame. If the frame's alpha is missing, it adds the previous one.
    pub(crate) fn over(&mut self, frame: VideoFrame) -> VideoFrame {
        while self.ready.get(1).is_some_and(|next| next.pts <= frame.pts) {
            self.ready.pop_front();
        }
        let size = frame.size();
        let alpha = self.ready.front().filter(|it| it.pts <= frame.pts && it.size() == size);
        let Some(alpha) = alpha else { return frame };
        if self.pool.as_ref().is_none_or(|(of, _)| *of != size) {
            self.pool = Some((size, Planes::alpha_pool(size, MAX_IDLE_FRAMES)));
        }
        let Some((_, pool)) = &self.pool else { return frame };
        let mut planes = pool.fresh();
        planes.copy_pixels(frame.planes());
        if let Some(seen) = &mut planes.alpha {
            seen.copy_from_slice(&alpha.planes().y);
        }
        VideoFrame { surface: planes.share().into(), ..frame }
    }
}
