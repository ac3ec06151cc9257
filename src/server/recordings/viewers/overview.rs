//! All viewers of recordings, over any protocol.

use std::path::Path;
use std::sync::Arc;

use crate::base::Timestamp;
use crate::server::event::{Ended, Event, Peer, ViewerFigures};
use crate::server::hls::viewers::Viewer;
use crate::server::recordings::opened::{OpenError, OpenRecording, VOD};
use crate::server::registry::Registry;

/// Opens a recording, which may still be written, and reports the viewers of those that it displaces.
///
/// # Errors
/// Fails if the file cannot be read.
pub(in crate::server) async fn open(
    registry: &Arc<Registry>,
    path: &Path,
) -> Result<Arc<OpenRecording>, OpenError> {
    let (work, file) = (Arc::clone(registry), path.to_owned());
    let is_writing = move || work.files.is_writing(&file);
    let (recording, left) = registry.opened.open(path, registry.clock, is_writing).await?;
    for (name, viewer) in left {
        tell_left(registry, name, &viewer, "too many recordings are watched");
    }
    Ok(recording)
}

/// Returns the viewers, for the operator.
pub(in crate::server) fn figures(registry: &Registry, now: Timestamp) -> Vec<ViewerFigures> {
    let mut all = registry.recording_viewers.figures(now);
    for recording in registry.opened.all() {
        let viewers = recording.viewers.lock();
        all.extend(viewers.iter().map(|viewer| viewer.figures((VOD, &recording.name), now)));
    }
    all
}

/// Disconnects a viewer. Returns `false` if no viewer has this id.
pub(in crate::server) fn end(registry: &Registry, id: u64, reason: &'static str) -> bool {
    if registry.recording_viewers.end_rtmp(id, reason) {
        return true;
    }
    let now = registry.clock.now();
    let of_segments = || {
        let mut all = registry.opened.all().into_iter();
        all.find_map(|it| Some((it.name.clone(), it.viewers.lock().end(id, now)?)))
    };
    let ended = registry.recording_viewers.end_file(id, now).or_else(of_segments);
    let Some((name, viewer)) = ended else { return false };
    tell_left(registry, name, &viewer, reason);
    true
}

/// Removes and reports the viewers who have stopped requesting data.
pub(in crate::server) fn leave_quiet(registry: &Registry, now: Timestamp) {
    let of_segments = registry.opened.leave(now);
    let of_segments = of_segments.into_iter().map(|(it, viewer)| (it.name.clone(), viewer));
    let of_files = registry.recording_viewers.leave_quiet(now);
    for (name, viewer) in of_segments.chain(of_files) {
        tell_left(registry, name, &viewer, "asks no more");
    }
}

fn tell_left(registry: &Registry, stream: String, viewer: &Viewer, reason: &str) {
    let after = viewer.asked.since(viewer.since);
    let ended = Ended { reason: reason.to_owned(), after, bytes: viewer.bytes };
    let (address, id, protocol) = (viewer.peer, viewer.id, viewer.protocol);
    let peer = Peer { app: VOD.to_owned(), stream, address, id, protocol };
    registry.tell(Event::Leave(peer, ended));
}
