//! The viewers of a stream for the operator: who watches, since when, and how many bytes each
//! viewer got.

use std::net::IpAddr;
use std::sync::Arc;

use crate::base::Timestamp;
use crate::server::event::{Protocol, ViewerFigures};
use crate::server::stream::relayed::RelayPath;
use crate::server::stream::sink::{Sink, ViewerRecord};
use crate::server::stream::{Inner, NO_MESSAGE, Stream};
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
        let viewers = inner.connected().filter_map(|viewer| {
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

    /// Returns the address of the first viewer with a connection. Returns `None` if no such viewer waits.
    pub fn waiting_viewer(&self) -> Option<IpAddr> {
        let inner = self.inner.lock();
        let first = inner.connected().next()?.id();
        let record = inner.records.iter().find(|record| record.id == first)?;
        Some(record.address.ip())
    }

    /// Returns the servers that wait for the stream, or `None` if there is no viewer. If the servers do not all fit
    /// into a path, the servers of some viewers are missing, but none of `known` that still waits.
    pub fn waiting_servers(&self, known: &RelayPath) -> Option<RelayPath> {
        let inner = self.inner.lock();
        let paths: Vec<_> = inner.connected().map(|viewer| viewer.relay_path()).collect();
        let fitting = |all: RelayPath, path: &RelayPath| {
            all.joined(path).filter(RelayPath::has_room).unwrap_or(all)
        };
        (!paths.is_empty()).then(|| paths.iter().fold(known.on_any(&paths), fitting))
    }

    /// Disconnects the viewers with the chosen ids. Returns their number.
    pub fn end_viewers(&self, is_chosen: impl Fn(u64) -> bool, reason: &Problem) -> usize {
        let inner = self.inner.lock();
        let chosen = inner.connected().filter(|viewer| is_chosen(viewer.id()));
        chosen.inspect(|viewer| viewer.dismiss(reason.clone())).count()
    }

    /// Returns the bitrates of the publisher in steps, oldest first. The result is empty if there
    /// is no publisher.
    pub fn bitrate_history(&self, now: Timestamp) -> Vec<u64> {
        let inner = self.inner.lock();
        inner.publisher.as_ref().map(|it| it.history.bitrates(now)).unwrap_or_default()
    }
}

impl Inner {
    /// Returns the viewers, without other receivers.
    fn connected(&self) -> impl Iterator<Item = &Arc<dyn Sink>> {
        self.viewers.iter().map(|viewer| &viewer.sink).filter(|sink| sink.is_viewer())
    }

    /// Returns true for a relay of a server that the publisher's stream has already passed through under the relay's
    /// name. The relay gets nothing, because the other server would send the rest of an ended stream in a circle.
    pub(in crate::stream) fn is_loop(&self, viewer: &dyn Sink) -> bool {
        let path = self.publisher.as_ref().map(|publisher| &publisher.source.path);
        path.is_some_and(|path| path.last().is_some() && path.shares(&viewer.relay_path()))
    }

    /// Applies [`Self::is_loop`] to the viewers of a new publisher.
    pub(in crate::stream) fn bar_loops(&mut self) {
        let next = self.released + self.held.len() as u64;
        let are_loops: Vec<_> =
            self.viewers.iter().map(|viewer| self.is_loop(&*viewer.sink)).collect();
        if !are_loops.contains(&true) && self.viewers.iter().all(|it| it.first != NO_MESSAGE) {
            return;
        }
        for (viewer, is_loop) in Arc::make_mut(&mut self.viewers).iter_mut().zip(are_loops) {
            viewer.first = match (is_loop, viewer.first) {
                (true, _) => NO_MESSAGE,
                (false, NO_MESSAGE) => next,
                (false, first) => first,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use parking_lot::Mutex;

    use super::*;
    use crate::server::access::limits::Limits;
    use crate::server::access::rules::AppLimits;
    use crate::server::stream::message::Batch;
    use crate::server::stream::relayed::RelaySource;
    use crate::server::stream::{Claim, Incoming};
    use crate::wire::container::flv::TagKind;

    /// A relay for the servers of a path. It records the times of the messages.
    #[derive(Debug)]
    struct Relay(u64, &'static str, Mutex<Vec<u32>>);

    impl Sink for Relay {
        fn id(&self) -> u64 {
            self.0
        }

        fn relay_path(&self) -> RelayPath {
            RelayPath::parse(self.1).unwrap()
        }

        fn deliver(&self, batch: &Batch<'_>) {
            self.2.lock().extend(batch.messages.iter().map(|message| message.time_ms));
        }

        fn end(&self) {}

        fn resume(&self) {}
    }

    fn stream() -> Stream {
        let address = IpAddr::from([127, 0, 0, 1]);
        Stream::new("live".into(), "a".into(), address, Limits::default())
    }

    fn publish(stream: &Stream, id: u64) {
        let address = "127.0.0.1:5".parse().unwrap();
        let (credentials, limits) = ("", AppLimits::default());
        let claim = Claim {
            id,
            protocol: Protocol::Rtmp,
            address,
            credentials,
            proven: false,
            relayed: false,
            limits,
        };
        assert!(stream.publish(claim, Timestamp::ZERO).is_some());
    }

    fn send(stream: &Stream, id: u64, time_ms: u32, first: u8) {
        let body = Bytes::from(vec![first, 1, 0, 0, 0, 0, 0, 0, 1, 0x65]);
        let frame = Incoming { kind: TagKind::Video, time_ms, body, metadata: false };
        stream.take(id, &mut vec![frame], Timestamp::ZERO);
    }

    fn join(stream: &Stream, id: u64, path: &'static str) -> Arc<Relay> {
        let relay = Arc::new(Relay(id, path, Mutex::default()));
        assert!(stream.join(Arc::<Relay>::clone(&relay)));
        relay
    }

    #[test]
    fn a_stream_does_not_return_to_a_server_that_it_has_passed_through() {
        let stream = stream();
        publish(&stream, 1);
        let early = join(&stream, 7, "edge");
        let path = RelayPath::parse("first,edge").unwrap();
        stream.set_source(1, RelaySource { path, origin: None });
        send(&stream, 1, 0, 0x17);
        let (late, other) = (join(&stream, 8, "edge,next"), join(&stream, 9, "next"));
        send(&stream, 1, 33, 0x27);
        let got = || [&early, &late, &other].map(|relay| relay.2.lock().clone());
        assert_eq!(got(), [vec![], vec![], vec![0, 33]]);
        // The next stream comes from elsewhere.
        assert!(stream.unpublish(1));
        publish(&stream, 2);
        send(&stream, 2, 66, 0x17);
        assert_eq!(got(), [vec![66], vec![66], vec![0, 33, 66]]);
    }

    #[test]
    fn the_servers_that_wait_are_those_of_the_current_viewers() {
        let stream = stream();
        let none = RelayPath::default();
        assert_eq!(stream.waiting_servers(&none), None);
        for (id, path) in [(7, "a,b,c,d,e,f,g,h"), (8, "b"), (9, "c")] {
            join(&stream, id, path);
        }
        let waiting = |path| stream.waiting_servers(&none) == RelayPath::parse(path);
        assert!(waiting("b,c"), "a full path blocks nobody");
        assert!(stream.leave(8).is_some());
        assert!(waiting("c"));
    }

    #[test]
    fn a_path_keeps_the_servers_that_still_wait() {
        let stream = stream();
        for (id, path) in [(7, "x"), (8, "a,b,c,d"), (9, "e,f,g")] {
            join(&stream, id, path);
        }
        let known = RelayPath::parse("a,b,c,d,e,f,g").unwrap();
        assert_eq!(stream.waiting_servers(&known), Some(known.clone()));
        assert!(stream.leave(9).is_some());
        assert_eq!(stream.waiting_servers(&known), RelayPath::parse("a,b,c,d,x"));
    }
}
