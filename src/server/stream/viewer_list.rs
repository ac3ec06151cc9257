//! The viewers of a stream for the operator: who watches, since when, and how many bytes each
//! viewer got.

use std::net::IpAddr;
use std::sync::Arc;

use crate::base::Timestamp;
use crate::server::event::{Protocol, ViewerFigures};
use crate::server::stream::Stream;
use crate::server::stream::relayed::RelayPath;
use crate::server::stream::sink::{Sink, ViewerRecord};
use crate::text::Problem;

impl Stream {
    /// Adds the record of a viewer that has just joined, unless it has left already.
    pub fn note_viewer(&self, record: ViewerRecord) {
        let mut inner = self.inner.lock();
        if inner.viewers.iter().any(|viewer| viewer.sink.id() == record.id) {
            inner.records.push(record);
        }
    }

    /// Returns true if a viewer watches the stream over this protocol. HLS viewers have no connection.
    pub fn has_viewer(&self, protocol: Protocol) -> bool {
        self.inner.lock().counts.by_protocol().contains_key(&protocol)
    }

    /// Returns the number of viewers with a connection. HLS viewers have none.
    pub fn viewer_count(&self) -> usize {
        self.inner.lock().counts.total()
    }

    /// Returns the current viewers with a connection. HLS viewers have none.
    pub fn viewers(&self, now: Timestamp) -> Vec<ViewerFigures> {
        let inner = self.inner.lock();
        let mut records = inner.records.clone();
        records.sort_unstable_by_key(|record| record.id);
        let sinks = inner.viewers.iter().map(|viewer| &viewer.sink);
        let viewers = sinks.filter(|viewer| viewer.is_viewer()).filter_map(|viewer| {
            let at = records.binary_search_by_key(&viewer.id(), |record| record.id).ok()?;
            let record = records.get(at)?;
            Some(ViewerFigures {
                id: record.id,
                app: self.app.clone(),
                stream: self.name.clone(),
                protocol: viewer.protocol(),
                address: record.address,
                since: now.since(record.since),
                bytes: viewer.sent().saturating_sub(record.sent_before),
            })
        });
        viewers.collect()
    }

    /// Returns the address of a viewer with a connection, and the servers that wait for the stream. Returns `None` if
    /// nobody waits, or if there are too many servers.
    pub fn waiting_viewer(&self) -> Option<(IpAddr, RelayPath)> {
        let inner = self.inner.lock();
        let sinks = inner.viewers.iter().map(|viewer| &viewer.sink);
        let viewers: Vec<_> = sinks.filter(|viewer| viewer.is_viewer()).collect();
        let mut paths = viewers.iter().map(|viewer| viewer.relay_path());
        let path = paths.try_fold(RelayPath::default(), |all, path| all.joined(&path))?;
        let first = viewers.first()?.id();
        let record = inner.records.iter().find(|record| record.id == first)?;
        Some((record.address.ip(), path))
    }

    /// Disconnects the viewers with the chosen ids. Returns their number.
    pub fn end_viewers(&self, is_chosen: impl Fn(u64) -> bool, reason: &Problem) -> usize {
        let inner = self.inner.lock();
        let chosen = |viewer: &&Arc<dyn Sink>| viewer.is_viewer() && is_chosen(viewer.id());
        inner
            .viewers
            .iter()
            .map(|viewer| &viewer.sink)
            .filter(chosen)
            .inspect(|viewer| viewer.dismiss(reason.clone()))
            .count()
    }

    /// Returns the bitrates of the publisher in steps, oldest first. The result is empty if there
    /// is no publisher.
    pub fn bitrate_history(&self, now: Timestamp) -> Vec<u64> {
        let inner = self.inner.lock();
        inner.publisher.as_ref().map(|it| it.history.bitrates(now)).unwrap_or_default()
    }
}
