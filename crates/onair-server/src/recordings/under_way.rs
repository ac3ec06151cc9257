//! The files of publications that are being recorded, and of the last ones that were recorded.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::server::recordings::playlist::broadcast::BroadcastList;
use crate::server::stream::Stream;
use crate::server::stream::flv_sink::FlvSink;
use crate::server::stream::sink::Sink;

/// Maximum number of ended publications whose files are remembered.
const MAX_ENDED_PUBLICATIONS: usize = 64;

/// The files of publications. At most
/// [`Limits::files`](crate::server::access::limits::Limits::files) are being recorded.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    under_way: Vec<UnderWay>,
    /// The last ended publication of each stream, newest last.
    ended: VecDeque<EndedBroadcast>,
}

#[derive(Debug)]
struct UnderWay {
    stream: Arc<Stream>,
    sink: Arc<FlvSink>,
    files: BroadcastFiles,
    /// The parts that are not complete: the current one and, during a change, the previous one.
    open: Vec<PathBuf>,
    /// A file that was created, and is not the current one yet.
    next: Option<PathBuf>,
}

#[derive(Debug)]
struct EndedBroadcast {
    app: String,
    stream: String,
    files: BroadcastFiles,
}

/// The files of one publication, in the order of recording.
#[derive(Clone, Debug, Default)]
pub(crate) struct BroadcastFiles {
    /// The files, without those at the start that are gone from the playlist.
    pub parts: Arc<Vec<PathBuf>>,
    /// Number of the first file in `parts`.
    pub first: usize,
    /// The known properties of these files.
    pub list: Arc<BroadcastList>,
    /// True if no more files will follow.
    pub ended: bool,
}

impl BroadcastFiles {
    /// Adds a file, and drops the files that are gone.
    fn add(&mut self, path: &Path) {
        let parts = Arc::make_mut(&mut self.parts);
        let gone = self.list.dropped().saturating_sub(self.first).min(parts.len());
        parts.drain(..gone);
        parts.push(path.to_owned());
        self.first += gone;
    }
}

impl UnderWay {
    /// Returns true if this is a recording of the stream whose queue has not ended.
    fn goes_on(&self, stream: &Arc<Stream>) -> bool {
        Arc::ptr_eq(&self.stream, stream) && !self.sink.has_ended()
    }
}

/// The result of a request for a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum RecordingStart {
    Anew,
    GoesOn,
    Full,
}

impl Files {
    /// Adds a file, unless there are `most` files, or one of this stream is still open because its
    /// publisher reconnected before the first connection timed out.
    pub fn begin(&self, stream: &Arc<Stream>, sink: &Arc<FlvSink>, most: usize) -> RecordingStart {
        let mut inner = self.0.lock();
        let files = &mut inner.under_way;
        if files.iter().any(|file| file.goes_on(stream)) {
            return RecordingStart::GoesOn;
        }
        if files.len() >= most {
            return RecordingStart::Full;
        }
        let (stream, sink) = (Arc::clone(stream), Arc::clone(sink));
        let (broadcast, open) = (BroadcastFiles::default(), Vec::new());
        files.push(UnderWay { stream, sink, files: broadcast, open, next: None });
        RecordingStart::Anew
    }

    /// Continues the recording whose sink has the same id with this sink. Returns false if there is no such
    /// recording, or if another one of its stream has begun.
    pub fn renew(&self, sink: &Arc<FlvSink>) -> bool {
        let mut inner = self.0.lock();
        let files = inner.under_way.iter_mut();
        let (mut its, others): (Vec<_>, Vec<_>) =
            files.partition(|file| file.sink.id() == sink.id());
        let Some(file) = its.pop() else { return false };
        if others.iter().any(|other| other.goes_on(&file.stream)) {
            return false;
        }
        file.sink = Arc::clone(sink);
        true
    }

    /// Changes the recording with this sink, if it is under way.
    fn change(&self, sink: u64, change: impl FnOnce(&mut UnderWay)) {
        let mut inner = self.0.lock();
        if let Some(file) = inner.under_way.iter_mut().find(|file| file.sink.id() == sink) {
            change(file);
        }
    }

    /// Records that this file was created, before the publication continues in it.
    pub fn note_next(&self, sink: u64, path: &Path) {
        self.change(sink, |file| {
            file.next = Some(path.to_owned());
        });
    }

    /// Records that the publication continues in this file.
    pub fn note_part(&self, sink: u64, path: &Path) {
        self.change(sink, |file| {
            file.files.add(path);
            file.open.push(path.to_owned());
            file.next = None;
        });
    }

    /// Records that this file is complete, or that nothing more is written to it.
    pub fn note_closed(&self, sink: u64, path: &Path) {
        self.change(sink, |file| {
            file.open.retain(|open| open != path);
            file.next.take_if(|next| next == path);
        });
    }

    /// Records that this file was deleted, so that the playlist of its broadcast forgets it.
    pub fn note_deleted(&self, path: &Path) {
        let inner = self.0.lock();
        let running = inner.under_way.iter().map(|it| &it.files);
        for files in running.chain(inner.ended.iter().map(|it| &it.files)) {
            if files.parts.iter().any(|part| part == path) {
                files.list.note_deleted(&files.parts, files.first, path);
            }
        }
    }

    /// Records that the publication has ended.
    pub fn remove(&self, sink: u64) {
        let mut inner = self.0.lock();
        let Some(at) = inner.under_way.iter().position(|file| file.sink.id() == sink) else {
            return;
        };
        let UnderWay { stream, mut files, .. } = inner.under_way.swap_remove(at);
        files.ended = true;
        let (app, stream) = (stream.app.clone(), stream.name.clone());
        inner.ended.retain(|it| (&it.app, &it.stream) != (&app, &stream));
        if inner.ended.len() >= MAX_ENDED_PUBLICATIONS {
            inner.ended.pop_front();
        }
        inner.ended.push_back(EndedBroadcast { app, stream, files });
    }

    pub fn count(&self) -> usize {
        self.0.lock().under_way.len()
    }

    /// Returns true if the current publication of a stream is being recorded.
    pub fn is_recording(&self, app: &str, name: &str) -> bool {
        let inner = self.0.lock();
        let is_its = |file: &UnderWay| file.stream.app == app && file.stream.name == name;
        inner.under_way.iter().any(|file| is_its(file) && !file.sink.has_ended())
    }

    /// Returns true if a publication writes to this file.
    pub fn is_writing(&self, path: &Path) -> bool {
        let inner = self.0.lock();
        let writes = |file: &UnderWay| {
            file.open.iter().any(|open| open == path)
                || file.next.as_ref().is_some_and(|next| next == path)
        };
        inner.under_way.iter().any(writes)
    }

    /// Returns the files of the current publication of a stream, or of the last one.
    pub fn of_stream(&self, app: &str, name: &str) -> Option<BroadcastFiles> {
        let inner = self.0.lock();
        let mut running = inner.under_way.iter().rev();
        let running = running.find(|file| file.stream.app == app && file.stream.name == name);
        let ended = || inner.ended.iter().find(|it| it.app == app && it.stream == name);
        running.map(|file| &file.files).or_else(|| ended().map(|it| &it.files)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::server::access::limits::Limits;

    fn stream() -> Arc<Stream> {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Arc::new(Stream::new("live".to_owned(), "show".to_owned(), here, Limits::default()))
    }

    #[test]
    fn a_recording_gets_a_new_queue_unless_another_one_has_begun() {
        let (files, stream) = (Files::default(), stream());
        let [first, again, other] = [7, 7, 8].map(|id| FlvSink::for_file(id, 10));
        assert!(!files.renew(&again));
        assert_eq!(files.begin(&stream, &first, 2), RecordingStart::Anew);
        first.end();
        assert!(files.renew(&again));
        assert_eq!(files.begin(&stream, &other, 2), RecordingStart::GoesOn);
        again.end();
        assert_eq!(files.begin(&stream, &other, 2), RecordingStart::Anew);
        assert!(!files.renew(&FlvSink::for_file(7, 10)));
    }

    #[test]
    fn files_are_being_written_until_they_are_closed() {
        let (files, stream) = (Files::default(), stream());
        let sink = FlvSink::for_file(7, 10);
        assert_eq!(files.begin(&stream, &sink, 1), RecordingStart::Anew);
        let [one, two, never] = ["1.flv", "2.flv", "3.flv"].map(Path::new);
        let written = |path| [one, two, never].map(|it| files.is_writing(it)) == path;
        files.note_next(7, one);
        assert!(written([true, false, false]));
        files.note_part(7, one);
        files.note_next(7, two);
        files.note_part(7, two);
        assert!(written([true, true, false]), "the first part is not complete yet");
        files.note_closed(7, one);
        files.note_next(7, never);
        assert!(written([false, true, true]));
        files.note_closed(7, never);
        files.note_closed(7, two);
        assert!(written([false; 3]));
        files.remove(7);
        let ended = files.of_stream("live", "show").unwrap();
        assert_eq!(*ended.parts, [one, two]);
    }

    #[test]
    fn deleted_files_are_forgotten() {
        let (files, stream) = (Files::default(), stream());
        files.begin(&stream, &FlvSink::for_file(7, 10), 1);
        let path = |number: usize| PathBuf::from(format!("{number}.flv"));
        let broadcast = || files.of_stream("live", "show").unwrap();
        for number in 0..100 {
            files.note_part(7, &path(number));
            files.note_deleted(&path(number));
        }
        files.note_part(7, &path(100));
        let BroadcastFiles { parts, first, list, .. } = broadcast();
        assert_eq!(*parts, [path(100)]);
        assert_eq!(first, 100);
        assert_eq!(list.unknown(&parts, first), [path(100)]);
    }
}
