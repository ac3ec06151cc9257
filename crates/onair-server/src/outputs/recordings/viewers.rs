//! All viewers of recordings, over any protocol.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::server::access::callback::calls::DoneCall;
use crate::server::access::grant::AdmittedViewer;
use crate::server::event::{NoRoom, ViewerFigures};
use crate::server::hls::viewers::{ViewerKey, ViewerLimit, Viewers};
use crate::server::recordings::opened::{OpenError, OpenRecording, VOD_APP};
use crate::server::registry::Registry;
use crate::text::problem::{Problem, problem};

/// Opens a recording, which may still be written, and reports that the viewers of displaced
/// recordings have left.
///
/// # Errors
/// Fails if the file cannot be read.
pub(crate) async fn open(
    registry: &Arc<Registry>,
    path: &Path,
) -> Result<Arc<OpenRecording>, OpenError> {
    let (work, file) = (Arc::clone(registry), path.to_owned());
    let is_writing = move || work.files.is_writing(&file);
    let (recording, left) = registry.opened.open(path, registry.clock, is_writing).await?;
    for (name, viewer) in left {
        registry.tell(viewer.leave((VOD_APP, &name), problem!("left-too-many-recordings")));
    }
    Ok(recording)
}

/// Returns the viewers, for the operator.
pub(crate) fn figures(registry: &Registry, now: Timestamp) -> Vec<ViewerFigures> {
    let mut all = registry.recording_viewers.figures(now);
    for recording in registry.opened.all() {
        let viewers = recording.viewers.lock();
        all.extend(viewers.iter().map(|viewer| viewer.figures((VOD_APP, &recording.name), now)));
    }
    all
}

/// Disconnects viewers, by the names of their files and their ids. With `bars`, those without a
/// connection stay out for a while. Returns their number.
pub(crate) fn end(
    registry: &Registry,
    is_chosen: impl Fn(&str, u64) -> bool,
    bars: bool,
    reason: &Problem,
) -> usize {
    let barred = bars.then(|| registry.clock.now());
    let of_rtmp = registry.recording_viewers.end_rtmp(&is_chosen, reason);
    let mut ended = registry.recording_viewers.end_files(&is_chosen, barred);
    for recording in registry.opened.all() {
        let file = recording.file_name();
        let left = recording.viewers.lock().disconnect(|id| is_chosen(&file, id), barred);
        ended.extend(left.into_iter().map(|viewer| (recording.name.clone(), viewer)));
    }
    for (name, viewer) in &ended {
        registry.tell(viewer.leave((VOD_APP, name), reason.clone()));
    }
    of_rtmp + ended.len()
}

/// Removes and reports the viewers who have stopped requesting data.
pub(crate) fn leave_quiet(registry: &Registry, now: Timestamp) {
    let of_segments = registry.opened.leave(now);
    let of_segments = of_segments.into_iter().map(|(it, viewer)| (it.name.clone(), viewer));
    let of_files = registry.recording_viewers.leave_quiet(now);
    for (name, viewer) in of_segments.chain(of_files) {
        registry.tell(viewer.leave((VOD_APP, &name), problem!("left-quiet")));
    }
}

/// Records a request of a viewer of a stream, or of one of its recordings. A viewer who continues live, or in another
/// file of the broadcast, is one visit for receivers of callbacks. `file` is the recording, or `None` for the live
/// stream.
pub(crate) fn note(
    registry: &Registry,
    viewers: &Mutex<Viewers>,
    (stream, file): ((&str, &str), Option<&Path>),
    (key, address): (ViewerKey, SocketAddr),
    (mut viewer, limit): (AdmittedViewer, ViewerLimit),
) -> Result<bool, NoRoom> {
    let _continuing = viewer.done.is_some().then(|| registry.opened.continuing.lock());
    let needs_done = viewer.done.is_some() && viewers.lock().needs_done(key);
    let admitted = viewer.done.take_if(|_| needs_done);
    let arrived = viewers.lock().note(key, address, viewer, limit, registry.clock.now());
    // Without room here, the viewer keeps the report where it was.
    if let Some(admitted) = admitted.filter(|_| arrived.is_ok()) {
        let done = take_done(registry, stream, file, key).unwrap_or(admitted);
        viewers.lock().set_done(key, done);
    }
    arrived
}

/// Takes the report of the end from a viewer who now continues live, or in another file of the broadcast. `file` is the
/// file in which the viewer continues, or `None` for the live stream.
fn take_done(
    registry: &Registry,
    (app, stream): (&str, &str),
    file: Option<&Path>,
    key: ViewerKey,
) -> Option<Box<DoneCall>> {
    let files = registry.files.of_stream(app, stream)?;
    if file.is_some_and(|file| !files.parts.iter().any(|part| part.as_path() == file)) {
        return None;
    }
    let live = registry.hls.find(app, stream);
    let done = live.and_then(|it| it.viewers.lock().take_done(key));
    done.or_else(|| {
        let recordings = registry.opened.all();
        let mut others = recordings.iter().filter(|it| files.parts.contains(&it.path));
        others.find_map(|it| it.viewers.lock().take_done(key))
    })
}
