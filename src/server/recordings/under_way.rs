//! The open files of recorded publications.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::server::stream::Stream;
use crate::server::stream::flv_sink::FlvSink;
use crate::server::stream::sink::Sink;

/// There are at most [`Limits::files`](crate::server::service::config::Limits::files) of them.
#[derive(Debug, Default)]
pub(in crate::server) struct Files(Mutex<Vec<UnderWay>>);

#[derive(Debug)]
struct UnderWay {
    stream: Arc<Stream>,
    sink: Arc<FlvSink>,
}

/// The result of a request for a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum RecordingStart {
    Anew,
    GoesOn,
    Full,
}

impl Files {
    /// Adds a file, unless there are `most`, or one of this stream is still open: its publisher has
    /// reconnected before the first connection timed out.
    pub fn begin(&self, stream: &Arc<Stream>, sink: &Arc<FlvSink>, most: usize) -> RecordingStart {
        let mut files = self.0.lock();
        if files.iter().any(|file| Arc::ptr_eq(&file.stream, stream) && !file.sink.has_ended()) {
            return RecordingStart::GoesOn;
        }
        if files.len() >= most {
            return RecordingStart::Full;
        }
        files.push(UnderWay { stream: Arc::clone(stream), sink: Arc::clone(sink) });
        RecordingStart::Anew
    }

    pub fn remove(&self, sink: u64) {
        self.0.lock().retain(|file| file.sink.id() != sink);
    }

    pub fn count(&self) -> usize {
        self.0.lock().len()
    }
}
