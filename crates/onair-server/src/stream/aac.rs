//! AAC for the receivers of a stream that do not take its Opus, such as older players over RTMP and HTTP-FLV. A thread
//! encodes the audio once for all of them, while there are any (`outputs/aac`). Its messages are in the stream and in its
//! cache beside those of the publisher, so that each receiver gets one of both. Receivers with Opus never get AAC, and
//! a stream without Opus never changes.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::base::worker::Worker;
use crate::server::stream::Stream;
use crate::server::stream::late_join_cache::CacheRule;
use crate::server::stream::message::{Class, Message};
use crate::wire::container::flv::TagKind;
use crate::wire::container::flv::audio::is_opus;
use crate::wire::container::flv::metadata::with_aac_instead_of_opus;

/// The cache slot of the AAC config, which no track of a publisher uses.
const AAC_CACHE_SLOT: u16 = u16::MAX;

/// The encoders of AAC of all streams.
#[derive(Debug, Default)]
pub(crate) struct AacEncoders {
    /// Wakes the task that starts them.
    pub wanted: Arc<Notify>,
    pub workers: Mutex<Vec<Worker>>,
}

/// Whether a stream needs AAC.
#[derive(Debug, Default)]
pub(super) struct AacNeed {
    /// Number of receivers without Opus.
    receivers: usize,
    /// True if the publisher sends Opus.
    is_opus: bool,
    /// True while a thread encodes AAC.
    is_running: bool,
    /// True if AAC cannot be encoded. All receivers then get Opus.
    has_failed: bool,
    /// Number of publishers so far.
    epoch: u64,
}

impl AacNeed {
    /// Handles the beginning of a publisher's data.
    pub fn begin(&mut self) {
        (self.is_opus, self.has_failed) = (false, false);
        self.epoch += 1;
    }

    pub fn join(&mut self, takes_opus: bool) {
        self.receivers += usize::from(!takes_opus);
    }

    pub fn leave(&mut self, takes_opus: bool) {
        self.receivers = self.receivers.saturating_sub(usize::from(!takes_opus));
    }

    /// Returns true if a thread must start.
    pub fn is_wanted(&self) -> bool {
        self.is_needed() && !self.is_running
    }

    fn is_needed(&self) -> bool {
        self.receivers > 0 && self.is_opus && !self.has_failed
    }

    /// Returns the form of a message for receivers without Opus, if that differs: another body or nothing.
    pub fn form_without_opus(
        &mut self,
        kind: TagKind,
        is_metadata: bool,
        body: Option<&Bytes>,
    ) -> Option<Option<Bytes>> {
        if self.has_failed {
            return None;
        }
        match kind {
            TagKind::Audio if is_opus(body?) => {
                self.is_opus = true;
                Some(None)
            }
            TagKind::Script if is_metadata => with_aac_instead_of_opus(body?).map(Some),
            _ => None,
        }
    }
}

/// A body of AAC.
#[derive(Debug)]
pub(crate) struct AacBody {
    pub time_ms: u32,
    pub body: Bytes,
    pub is_config: bool,
}

impl Stream {
    /// Returns true if the caller must start a thread that encodes AAC. It then calls [`Stream::end_aac`] at its end.
    pub fn claim_aac(&self) -> bool {
        let need = &mut self.inner.lock().aac;
        let is_wanted = need.is_wanted();
        need.is_running |= is_wanted;
        is_wanted
    }

    /// Returns the number of publishers so far, and whether AAC is needed.
    pub fn aac_need(&self) -> (u64, bool) {
        let need = &self.inner.lock().aac;
        (need.epoch, need.is_needed())
    }

    /// Records that the thread ends. Returns false if it must go on, because AAC is needed again.
    pub fn end_aac(&self) -> bool {
        let need = &mut self.inner.lock().aac;
        need.is_running = need.is_needed();
        !need.is_running
    }

    /// Records that AAC cannot be encoded for this publisher.
    pub fn fail_aac(&self) {
        let need = &mut self.inner.lock().aac;
        (need.has_failed, need.is_running) = (true, false);
    }

    /// Sends AAC to the receivers without Opus, unless another publisher than that of `epoch` sends now.
    pub fn add_aac(&self, epoch: u64, bodies: Vec<AacBody>) {
        let mut sending = self.finished();
        let mut inner = self.inner.lock();
        if inner.aac.epoch != epoch || inner.publisher.is_none() {
            return;
        }
        for AacBody { time_ms, body, is_config } in bodies {
            let (class, keep) = match is_config {
                true => (Class::Vital, CacheRule::Header(AAC_CACHE_SLOT)),
                false => (Class::Audio, CacheRule::Media),
            };
            let Ok(mark) = inner.cache.mark(TagKind::Audio, keep, &body) else { continue };
            let message = Message::new(TagKind::Audio, class, time_ms, &body).with_mark(mark);
            let message = Arc::new(message.replacing_opus());
            inner.cache.store(&message, keep, self.limits.group_bytes);
            inner.held.push(message);
        }
        *sending = inner.release();
        drop(inner);
        sending.begin();
        sending.finish();
    }
}
