//! Viewers of recordings over RTMP, and of whole files over HTTP. The open recordings hold the HLS and DASH viewers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::server::access::callback::calls::DoneCall;
use crate::server::access::grant::AdmittedViewer;
use crate::server::event::{NoRoom, Peer, ViewerFigures};
use crate::server::hls::viewers::{Viewer, ViewerKey, ViewerLimit, Viewers};
use crate::server::recordings::name::stem;
use crate::server::recordings::opened::{VIEWER_TIMEOUT, VOD_APP};
use crate::server::stream::sink::Sink;
use crate::text::Problem;

/// The viewers of recordings over RTMP, and of whole files over HTTP.
#[derive(Debug, Default)]
pub(crate) struct ConnectedViewers {
    rtmp: Mutex<Vec<RtmpViewer>>,
    /// The viewers of whole files, by the name of the file.
    files: Mutex<HashMap<String, Viewers>>,
}

/// A viewer over RTMP.
#[derive(Debug)]
struct RtmpViewer {
    peer: Peer,
    /// The name of the file.
    file: String,
    since: Timestamp,
    /// Bytes that were sent on the connection before the viewer joined.
    sent_before: u64,
    sink: Arc<dyn Sink>,
}

/// A client that downloads a whole file, in one or several requests.
#[derive(Copy, Clone, Debug)]
pub(crate) struct FileClient {
    pub key: ViewerKey,
    pub address: SocketAddr,
    /// The id for the client if it is a new viewer.
    pub id: u64,
}

impl ConnectedViewers {
    /// Adds a viewer of this file over RTMP. The file may have `most` viewers; `others` of them use other protocols.
    ///
    /// # Errors
    /// Fails if the file has too many viewers.
    pub fn join(
        &self,
        (peer, since): (Peer, Timestamp),
        file: String,
        sink: Arc<dyn Sink>,
        (most, others): (usize, usize),
    ) -> Result<(), NoRoom> {
        let sent_before = sink.sent();
        let mut rtmp = self.rtmp.lock();
        if count(&rtmp, &file) + others >= most {
            return Err(NoRoom::Stream(most));
        }
        rtmp.push(RtmpViewer { peer, file, since, sent_before, sink });
        Ok(())
    }

    /// Returns the number of viewers of this file over RTMP.
    pub fn count_rtmp(&self, file: &str) -> usize {
        count(&self.rtmp.lock(), file)
    }

    /// Returns the number of viewers of this whole file over HTTP.
    pub fn count_downloads(&self, file: &str) -> usize {
        self.files.lock().get(file).map_or(0, Viewers::len)
    }

    /// Removes a viewer over RTMP.
    pub fn leave(&self, id: u64) {
        self.rtmp.lock().retain(|viewer| viewer.peer.id != id);
    }

    /// Counts bytes of a file for a client. If the client is not a viewer yet, it becomes one. `on_new` then returns
    /// the report of its end, and the number of the file's viewers over other protocols, which replaces
    /// `limit.others`. Returns true for a new viewer.
    ///
    /// # Errors
    /// Fails if there is no room for a new viewer.
    pub fn note(
        &self,
        file: &str,
        (client, on_new): (FileClient, impl FnOnce() -> (Option<Box<DoneCall>>, usize)),
        bytes: u64,
        (limit, now): (ViewerLimit, Timestamp),
    ) -> Result<bool, NoRoom> {
        let mut files = self.files.lock();
        let viewers = files.entry(file.to_owned()).or_default();
        let (done, others) = if viewers.needs_done(client.key) { on_new() } else { (None, 0) };
        let limit = ViewerLimit { others, ..limit };
        let viewer = AdmittedViewer { id: client.id, done, expelled: 0 };
        let arrived = viewers.note(client.key, client.address, viewer, limit, now);
        viewers.count(client.key, bytes);
        arrived
    }

    /// Returns true if this viewer of a file was just disconnected.
    pub fn is_barred(&self, file: &str, key: ViewerKey, now: Timestamp) -> bool {
        self.files.lock().get(file).is_some_and(|viewers| viewers.is_barred(key, now))
    }

    /// Returns the viewers, for the operator.
    pub fn figures(&self, now: Timestamp) -> Vec<ViewerFigures> {
        let rtmp = self.rtmp.lock();
        let of_rtmp = rtmp.iter().map(|viewer| ViewerFigures {
            id: viewer.peer.id,
            app: VOD_APP.to_owned(),
            stream: viewer.peer.stream.clone(),
            protocol: viewer.peer.protocol,
            address: viewer.peer.address,
            since: now.since(viewer.since),
            bytes: viewer.sink.sent().saturating_sub(viewer.sent_before),
        });
        let mut all: Vec<_> = of_rtmp.collect();
        drop(rtmp);
        for (file, viewers) in &*self.files.lock() {
            let of = (VOD_APP, stem(file));
            all.extend(viewers.iter().map(|viewer| viewer.figures(of, now)));
        }
        all
    }

    /// Disconnects viewers over RTMP, by the names of their files and their ids. Returns their
    /// number.
    pub fn end_rtmp(&self, is_chosen: impl Fn(&str, u64) -> bool, reason: &Problem) -> usize {
        let rtmp = self.rtmp.lock();
        let chosen = |viewer: &&RtmpViewer| is_chosen(&viewer.file, viewer.peer.id);
        rtmp.iter().filter(chosen).inspect(|viewer| viewer.sink.dismiss(reason.clone())).count()
    }

    /// Removes viewers of files, by the names of the files and their ids. Returns the names of the
    /// recordings, and the viewers. `barred` is the time from which they are not served for a while.
    pub fn end_files(
        &self,
        is_chosen: impl Fn(&str, u64) -> bool,
        barred: Option<Timestamp>,
    ) -> Vec<(String, Viewer)> {
        let mut ended = Vec::new();
        for (file, viewers) in &mut *self.files.lock() {
            let of_file = viewers.disconnect(|id| is_chosen(file, id), barred);
            ended.extend(of_file.into_iter().map(|viewer| (stem(file).to_owned(), viewer)));
        }
        ended
    }

    /// Removes the viewers of files who have received nothing for a while.
    pub fn leave_quiet(&self, now: Timestamp) -> Vec<(String, Viewer)> {
        let mut gone = Vec::new();
        self.files.lock().retain(|file, viewers| {
            let left = viewers.remove_idle(VIEWER_TIMEOUT, now).into_iter();
            gone.extend(left.map(|viewer| (stem(file).to_owned(), viewer)));
            viewers.len() > 0 || viewers.has_barred(now)
        });
        gone
    }
}

/// Returns the number of viewers of this file.
fn count(viewers: &[RtmpViewer], file: &str) -> usize {
    viewers.iter().filter(|viewer| viewer.file == file).count()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::server::event::Protocol;
    use crate::server::stream::flv_sink::FlvSink;

    #[test]
    fn the_viewers_of_a_file_are_limited_over_all_protocols() {
        let (viewers, now) = (ConnectedViewers::default(), Timestamp::from_millis(1_000));
        let address: SocketAddr = "192.0.2.1:5".parse().unwrap();
        let join = |id, file: &str, limit| {
            let (app, stream) = (VOD_APP.to_owned(), file.to_owned());
            let peer = Peer { app, stream, address, id, protocol: Protocol::Rtmp };
            let sink: Arc<dyn Sink> = FlvSink::for_viewer(id, 1_000, Protocol::Rtmp);
            viewers.join((peer, now), file.to_owned(), sink, limit)
        };
        assert_eq!(join(1, "a", (2, 1)), Ok(()));
        assert_eq!(join(2, "a", (2, 1)), Err(NoRoom::Stream(2)));
        assert_eq!(join(3, "b", (2, 1)), Ok(()), "another file");
        assert_eq!((viewers.count_rtmp("a"), viewers.count_downloads("a")), (1, 0));
        let key = ViewerKey { address: address.ip(), client_hash: 1, protocol: Protocol::HttpFlv };
        let (client, limit) = (
            FileClient { key, address, id: 4 },
            ViewerLimit { most: 2, others: 0, is_shared: false },
        );
        let note = |others| viewers.note("a", (client, || (None, others)), 0, (limit, now));
        assert_eq!(note(2), Err(NoRoom::Stream(2)));
        assert_eq!((note(1), note(2)), (Ok(true), Ok(false)));
        assert_eq!(viewers.count_downloads("a"), 1);
    }

    #[test]
    fn requests_of_one_player_are_one_viewer_while_it_gets_bytes() {
        let (viewers, address) = (ConnectedViewers::default(), "192.0.2.1:5".parse().unwrap());
        let client = |client_hash, id| {
            let protocol = Protocol::HttpFlv;
            let key = ViewerKey { address: SocketAddr::ip(&address), client_hash, protocol };
            FileClient { key, address, id }
        };
        let now = Timestamp::from_millis(1_000);
        let limit = ViewerLimit { most: 2, others: 0, is_shared: false };
        let note =
            |client, bytes, now| viewers.note("a", (client, || (None, 0)), bytes, (limit, now));
        assert_eq!(note(client(1, 7), 0, now), Ok(true));
        assert_eq!(note(client(1, 8), 500, now + VIEWER_TIMEOUT / 2), Ok(false));
        assert_eq!(note(client(2, 9), 3, now), Ok(true));
        assert_eq!(note(client(3, 10), 0, now), Err(NoRoom::Stream(2)));
        let figures = viewers.figures(now + Duration::from_secs(1));
        let mut bytes: Vec<_> = figures.iter().map(|it| (it.id, it.bytes)).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, [(7, 500), (9, 3)]);
        assert!(figures.iter().all(|it| (&*it.app, &*it.stream) == (VOD_APP, "a")));
        let gone: Vec<_> =
            viewers.leave_quiet(now + VIEWER_TIMEOUT).into_iter().map(|it| it.1.id).collect();
        assert_eq!(gone, [9]);
        let ended =
            viewers.end_files(|name, id| name == "a" && id == 7, Some(now + VIEWER_TIMEOUT));
        let [(name, ended)] = &ended[..] else { panic!("{ended:?}") };
        assert_eq!((name.as_str(), ended.bytes), ("a", 500));
        assert!(viewers.is_barred("a", client(1, 7).key, now + VIEWER_TIMEOUT));
        // The server remembers the viewer for as long as it is barred.
        viewers.leave_quiet(now + VIEWER_TIMEOUT * 3 / 2);
        assert!(viewers.is_barred("a", client(1, 7).key, now + VIEWER_TIMEOUT * 3 / 2));
        viewers.leave_quiet(now + VIEWER_TIMEOUT * 3);
        assert!(viewers.files.lock().is_empty());
    }
}
