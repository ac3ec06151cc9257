//! A segment with its parts and the data that they need. This module is pure.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::base::Timestamp;
use crate::server::hls::part::{Initialization, Part};

/// The data that consecutive segments without a discontinuity share.
#[derive(Debug)]
pub(crate) struct Span {
    pub initialization: Initialization,
    /// The first segment number.
    pub number: u64,
    /// The media time at the start of the span.
    pub origin: Timestamp,
    /// The start of the span in microseconds since 1970, not before the end of the previous span,
    /// unless the clock of the publisher was fast.
    pub start: i64,
}

/// A segment.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub number: u64,
    /// True if the segment does not continue the previous one.
    pub discontinuity: bool,
    /// The span to which the segment belongs.
    pub span: Arc<Span>,
    /// Wall-clock time of the segment, in microseconds since 1970.
    pub made: i64,
    pub parts: Vec<Part>,
    /// The segment as MPEG-TS, once requested; see `mpeg_ts`.
    pub ts: OnceCell<Option<Bytes>>,
}

impl Segment {
    /// Returns the duration of the segment.
    pub fn duration(&self) -> Duration {
        self.parts.iter().map(|part| part.duration).sum()
    }

    /// Returns the media time at the start of the segment.
    pub fn start(&self) -> Timestamp {
        self.parts.first().map_or(self.span.origin, |part| part.start)
    }

    /// Returns the end of the segment in microseconds since 1970, counted from the start of its
    /// span.
    pub fn span_end(&self) -> i64 {
        let end = self.start() + self.duration();
        self.span.start.saturating_add(end.micros_since(self.span.origin))
    }

    /// Returns the total size of the parts in bytes.
    pub fn size(&self) -> usize {
        self.parts.iter().map(Part::size).sum()
    }

    /// Returns the size in memory, in bytes.
    pub fn stored(&self) -> usize {
        self.size() + self.ts.get().and_then(Option::as_ref).map_or(0, Bytes::len)
    }
}
