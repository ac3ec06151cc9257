//! The messages of AAC in a stream, see `aac_need`.

use std::sync::Arc;

use crate::server::stream::Stream;
use crate::server::stream::late_join_cache::CacheRule;
use crate::server::stream::message::{Class, Message, Takes};
use crate::server::stream::receivers::aac_need::AacBody;
use crate::wire::container::flv::TagKind;

/// The cache slot of the AAC config, which no track of a publisher uses.
const AAC_CACHE_SLOT: u16 = u16::MAX;

impl Stream {
    /// Returns true if the caller must start a thread that encodes AAC. It then calls [`Stream::end_aac`] at its end.
    pub fn claim_aac(&self) -> bool {
        self.inner.lock().aac.claim()
    }

    /// Returns the number of publishers so far, and whether AAC is needed.
    pub fn aac_need(&self) -> (u64, bool) {
        let need = &self.inner.lock().aac;
        (need.epoch(), need.is_needed())
    }

    /// Records that the thread ends. Returns false if it must go on, because AAC is needed again.
    pub fn end_aac(&self) -> bool {
        self.inner.lock().aac.end()
    }

    /// Records that AAC cannot be encoded for this publisher. The receivers without Opus get the configs of its Opus, which
    /// were withheld.
    pub fn fail_aac(&self) {
        let mut sending = self.finished();
        let mut inner = self.inner.lock();
        inner.aac.fail();
        for config in inner.cache.end_aac(AAC_CACHE_SLOT) {
            let time_ms = inner.last.map_or(config.time_ms, |(time_ms, _)| time_ms);
            let Some(form) = config.for_viewer(Takes::ONE_TRACK) else { continue };
            let message = Message::new(form.kind, form.class, time_ms, &form.body());
            let message = message.with_mark(config.mark).replacing_opus();
            inner.held.push(Arc::new(message));
        }
        *sending = inner.release();
        drop(inner);
        sending.begin();
        sending.finish();
    }

    /// Sends AAC to the receivers without Opus, unless another publisher than that of `epoch` sends now.
    pub fn add_aac(&self, epoch: u64, bodies: Vec<AacBody>) {
        let mut sending = self.finished();
        let mut inner = self.inner.lock();
        if inner.aac.epoch() != epoch || inner.publisher.is_none() {
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
