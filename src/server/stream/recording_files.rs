//! The files that publications are being written into.

use std::sync::Arc;

use parking_lot::Mutex;

use super::Stream;
use crate::server::stream::flv_sink::FlvSink;
use crate::server::stream::sink::Sink;

/// At most [`Limits::files`](crate::server::config::Limits::files) of them.
#[derive(Debug, Default)]
pub(in crate::server) struct Files(Mutex<Vec<UnderWay>>);

#[derive(Debug)]
struct UnderWay {
    stream: Arc<Stream>,
    sink: Arc<FlvSink>,
}

/// What became of the wish for a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum RecordingStart {
    Anew,
    GoesOn,
    Full,
}

impl Files {
    /// One more, unless there are `most`, or one of this stream still takes what comes: its publisher
    /// has come back on another connection before the first was missed.
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
