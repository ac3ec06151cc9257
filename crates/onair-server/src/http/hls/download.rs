//! The download of a whole recording. The client counts as a viewer until it has
//! received nothing for a minute.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::Method;
use axum::response::Response;
use http_body::{Frame, SizeHint};

use crate::server::access::callback::calls::DoneCall;
use crate::server::access::grant::AdmittedViewer;
use crate::server::event::{Event, NoRoom, Peer, Protocol};
use crate::server::hls::viewers::{ViewerKey, ViewerLimit};
use crate::server::http::refusals::too_many_viewers;
use crate::server::recordings::name::stem;
use crate::server::recordings::opened::VOD_APP;
use crate::server::recordings::viewers::connected::FileClient;
use crate::server::registry::Registry;

/// The client of a whole recording.
pub(super) struct FileViewer {
    registry: Arc<Registry>,
    /// The name of the file.
    file: String,
    /// The application of its stream.
    app: String,
    client: FileClient,
    /// Number of times that all viewers had to leave before this client was admitted.
    expelled: u64,
    /// When dropped, tells a callback that the client has finished. Without a pass, each request is a visit. With a
    /// pass, all requests of the viewer are one visit, so the report belongs to the viewer's entry.
    done: Option<Box<DoneCall>>,
}

impl FileViewer {
    /// Creates the viewer of this file, a recording of an application.
    pub fn new(
        registry: &Arc<Registry>,
        (file, app): (&str, &str),
        (key, address): (ViewerKey, std::net::SocketAddr),
        viewer: AdmittedViewer,
    ) -> Self {
        Self {
            registry: Arc::clone(registry),
            file: file.to_owned(),
            app: app.to_owned(),
            client: FileClient { key, address, id: viewer.id },
            expelled: viewer.expelled,
            done: viewer.done,
        }
    }

    /// Returns true if the operator has disconnected the client, or all viewers.
    pub fn is_barred(&self) -> bool {
        let now = self.registry.clock.now();
        self.expelled != self.registry.expulsions()
            || self.registry.recording_viewers.is_barred(&self.file, self.client.key, now)
    }

    /// Counts bytes for the client. Fails if there are too many viewers. A new viewer with a pass gets the report of
    /// its end.
    fn note(&self, bytes: u64) -> Result<(), NoRoom> {
        let (viewers, opened) = (&self.registry.recording_viewers, &self.registry.opened);
        let on_new = || {
            let done = self.done.as_deref().and_then(DoneCall::again).map(Box::new);
            (done, viewers.count_rtmp(&self.file) + opened.count_viewers(&self.file))
        };
        let most = self.registry.max_viewers(&self.app);
        let is_shared = self.registry.is_shared(self.client.key.address);
        let limit = ViewerLimit { most, others: 0, is_shared };
        let limits = (limit, self.registry.clock.now());
        if viewers.note(&self.file, (self.client, on_new), bytes, limits)? {
            let FileClient { address, id, .. } = self.client;
            let (app, stream) = (VOD_APP.to_owned(), stem(&self.file).to_owned());
            let peer = Peer { app, stream, address, id, protocol: Protocol::HttpFlv };
            self.registry.tell(Event::Join(peer));
        }
        Ok(())
    }

    /// Wraps a response with the file or a part of it, so that the sent bytes are counted.
    pub fn watch(self, method: &Method, response: Response) -> Response {
        if *method == Method::HEAD || !response.status().is_success() {
            return response;
        }
        if let Err(why) = self.note(0) {
            return too_many_viewers(why);
        }
        response.map(|body| Body::new(ViewedBody { body, viewer: self }))
    }
}

/// The body of a response, with its viewer.
struct ViewedBody {
    body: Body,
    viewer: FileViewer,
}

impl http_body::Body for ViewedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if this.viewer.is_barred() {
            let ended = io::Error::from(io::ErrorKind::ConnectionAborted);
            return Poll::Ready(Some(Err(axum::Error::new(ended))));
        }
        let polled = Pin::new(&mut this.body).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            // A client that received nothing for a while becomes a viewer again.
            let _ = this.viewer.note(data.len() as u64);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::net::Runtime;
    use crate::server::access::callback::CallKind;
    use crate::server::access::callback::calls::tests::Unreachable;
    use crate::server::access::callback::exchange::samples;
    use crate::server::access::callback::visit::Call;
    use crate::server::registry::config::Config;
    use crate::server::webrtc::whep::session::tests::start_registry;

    #[test]
    fn the_requests_of_a_download_with_a_pass_are_one_visit() {
        let runtime = Runtime::start().unwrap();
        let (registry, _events) = start_registry(&runtime, Config::default());
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let key = ViewerKey { address, client_hash: 1, protocol: Protocol::HttpFlv };
        let request = |method, receiver: &Unreachable| {
            let done = DoneCall::returning(&receiver.callbacks, &samples::visit(), &Call::play());
            let viewer = AdmittedViewer { id: 1, done: done.map(Box::new), expelled: 0 };
            let client = (key, (address, 5).into());
            let viewer = FileViewer::new(&registry, ("live-show.mp4", "live"), client, viewer);
            viewer.watch(&method, Response::new(Body::from("file")))
        };
        let kinds = [CallKind::Play, CallKind::PlayDone];
        let [head, first, other, paused] =
            [(); 4].map(|()| Unreachable::new(&runtime, &kinds, false));
        drop(request(Method::HEAD, &head));
        assert!(head.notices.is_idle());
        drop(request(Method::GET, &first));
        assert!(!first.notices.is_idle(), "the beginning");
        drop(request(Method::GET, &other));
        assert!(other.notices.is_idle(), "a known viewer");
        // A client that receives more after a pause begins another visit.
        let response = request(Method::GET, &paused);
        registry.recording_viewers.end_files(|_, _| true, None);
        assert!(paused.notices.is_idle());
        let received = axum::body::to_bytes(response.into_body(), usize::MAX);
        assert_eq!(runtime.block_on(received).unwrap(), "file");
        assert!(!paused.notices.is_idle(), "the beginning of another visit");
        // Without `on_play`, only ends cause notices.
        let [ends, again] =
            [(); 2].map(|()| Unreachable::new(&runtime, &[CallKind::PlayDone], false));
        registry.recording_viewers.end_files(|_, _| true, None);
        drop(request(Method::GET, &ends));
        drop(request(Method::GET, &again));
        assert!(ends.notices.is_idle() && again.notices.is_idle(), "the viewer may continue");
        registry.recording_viewers.end_files(|_, _| true, None);
        assert!(!ends.notices.is_idle() && again.notices.is_idle());
    }
}
