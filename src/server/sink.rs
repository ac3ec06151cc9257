//! A viewer, as a stream sees it: somewhere to put messages.

use std::fmt::Debug;

use super::batch::Batch;

/// Where the messages of a stream go. Called while the stream is locked: must not wait, and must
/// not call the stream.
pub(super) trait Sink: Debug + Send + Sync {
    /// Of the connection.
    fn id(&self) -> u64;

    /// Sends messages, or queues them behind what waits.
    fn deliver(&self, batch: &Batch<'_>);

    /// The publisher has gone.
    fn end(&self);

    /// There is a publisher again.
    fn resume(&self);
}
