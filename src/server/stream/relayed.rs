//! A stream's interface for relays: the source of the stream, and its next connection.

use crate::server::relay::path::RelaySource;
use crate::server::stream::Stream;

impl Stream {
    /// Records the source of the stream of publisher `id`.
    pub fn set_source(&self, id: u64, source: RelaySource) {
        let mut inner = self.inner.lock();
        if let Some(publisher) = inner.publisher.as_mut().filter(|it| it.id == id) {
            publisher.source = source;
        }
    }

    /// Returns the source of the stream.
    pub fn source(&self) -> RelaySource {
        let inner = self.inner.lock();
        inner.publisher.as_ref().map(|publisher| publisher.source.clone()).unwrap_or_default()
    }

    /// Records that publisher `id`, a relay, continues with the data of another connection.
    /// Timestamps continue, and viewers stay.
    pub fn renew(&self, id: u64) {
        let _sending = self.sending.lock();
        let mut inner = self.inner.lock();
        if inner.publisher.as_ref().is_some_and(|publisher| publisher.id == id) {
            inner.release().send();
            inner.cache.forget();
            inner.fresh = true;
            inner.viewers.iter().for_each(|viewer| viewer.sink.resume());
        }
    }
}
