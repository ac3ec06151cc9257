//! The files that publications are being written into.

use std::sync::Arc;

use parking_lot::Mutex;

use super::flv::FlvSink;
use super::sink::Sink;
use super::stream::Stream;

/// At most [`Limits::files`](super::Limits::files) of them.
#[derive(Debug, Default)]
pub(super) struct Files(Mutex<Vec<UnderWay>>);

#[derive(Debug)]
struct UnderWay {
    stream: Arc<Stream>,
    sink: Arc<FlvSink>,
}

impl Files {
    pub fn add(&self, stream: &Arc<Stream>, sink: &Arc<FlvSink>) {
        let file = UnderWay { stream: Arc::clone(stream), sink: Arc::clone(sink) };
        self.0.lock().push(file);
    }

    pub fn remove(&self, sink: u64) {
        self.0.lock().retain(|file| file.sink.id() != sink);
    }

    pub fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// Whether a file of this stream still takes what comes: its publisher has come back on another
    /// connection before the first was missed.
    pub fn goes_on(&self, stream: &Arc<Stream>) -> bool {
        let files = self.0.lock();
        files.iter().any(|file| Arc::ptr_eq(&file.stream, stream) && !file.sink.has_ended())
    }
}
