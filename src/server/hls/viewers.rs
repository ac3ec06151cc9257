//! Counts the viewers of HLS. There is no connection per viewer: a client with a recent playlist
//! request counts as one, identified by address and user agent. Clients behind a cache count as one
//! viewer. This module is pure.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::base::Timestamp;
use crate::server::access::callback::calls::DoneCall;
use crate::server::access::grant::AdmittedViewer;

/// The key of a viewer: the address, and a hash of the user agent.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::server) struct ViewerKey {
    pub address: IpAddr,
    pub program: u64,
}

/// A viewer.
#[derive(Debug)]
pub(super) struct Viewer {
    pub id: u64,
    pub peer: SocketAddr,
    pub since: Timestamp,
    /// Time of the last request.
    pub asked: Timestamp,
    pub bytes: u64,
    /// Tells a callback that the viewer has finished, when dropped.
    _done: Option<Box<DoneCall>>,
}

/// All viewers of a stream.
#[derive(Debug, Default)]
pub(super) struct Viewers(HashMap<ViewerKey, Viewer>);

/// The result of a request for a playlist.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Arrived {
    Known,
    New,
    /// There are too many viewers.
    Full,
}

impl Viewers {
    /// Records a playlist request. The admitted viewer is used if it is a new one.
    pub fn note(
        &mut self,
        key: ViewerKey,
        peer: SocketAddr,
        admitted: AdmittedViewer,
        most: usize,
        now: Timestamp,
    ) -> Arrived {
        if let Some(viewer) = self.0.get_mut(&key) {
            viewer.asked = now;
            return Arrived::Known;
        }
        if self.0.len() >= most {
            return Arrived::Full;
        }
        let AdmittedViewer { id, done: _done } = admitted;
        self.0.insert(key, Viewer { id, peer, since: now, asked: now, bytes: 0, _done });
        Arrived::New
    }

    /// Adds bytes that were sent to a viewer.
    pub fn count(&mut self, key: ViewerKey, bytes: u64) {
        if let Some(viewer) = self.0.get_mut(&key) {
            viewer.bytes += bytes;
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Removes viewers without a request for this long.
    pub fn leave(&mut self, quiet: Duration, now: Timestamp) -> Vec<Viewer> {
        let gone = self.0.extract_if(|_, viewer| now.since(viewer.asked) >= quiet);
        gone.map(|(_, viewer)| viewer).collect()
    }
}
