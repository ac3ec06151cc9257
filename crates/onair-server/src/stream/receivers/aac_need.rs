//! AAC for the receivers of a stream that do not take its Opus, such as older players over RTMP and HTTP-FLV. A thread
//! encodes the audio once for all of them, while there are any (`outputs/aac`). Its messages are in the stream and in its
//! cache beside those of the publisher, so that each receiver gets one of both. Receivers with Opus never get AAC, and
//! a stream without Opus never changes.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::base::worker::Worker;
use crate::wire::container::flv::TagKind;
use crate::wire::container::flv::audio::is_opus;
use crate::wire::container::flv::metadata::with_aac_instead_of_opus;

/// The encoders of AAC of all streams.
#[derive(Debug, Default)]
pub(crate) struct AacEncoders {
    /// Wakes the task that starts them.
    pub wanted: Arc<Notify>,
    pub workers: Mutex<Vec<Worker>>,
}

/// Whether a stream needs AAC.
#[derive(Debug, Default)]
pub(in crate::stream) struct AacNeed {
    /// Number of receivers without Opus.
    receivers: usize,
    /// True if the publisher sends Opus.
    is_opus: bool,
    /// True while a thread encodes AAC.
    is_running: bool,
    /// True if AAC cannot be encoded. All receivers then get Opus.
    has_failed: bool,
    /// Number of publishers so far.
    epoch: u64,
}

impl AacNeed {
    /// Handles the beginning of a publisher's data.
    pub fn begin(&mut self) {
        (self.is_opus, self.has_failed) = (false, false);
        self.epoch += 1;
    }

    pub fn join(&mut self, takes_opus: bool) {
        self.receivers += usize::from(!takes_opus);
    }

    pub fn leave(&mut self, takes_opus: bool) {
        self.receivers = self.receivers.saturating_sub(usize::from(!takes_opus));
    }

    /// Returns true if a thread must start.
    pub fn is_wanted(&self) -> bool {
        self.is_needed() && !self.is_running
    }

    pub fn is_needed(&self) -> bool {
        self.receivers > 0 && self.is_opus && !self.has_failed
    }

    /// Returns the number of publishers so far.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns true if the caller must start a thread.
    pub fn claim(&mut self) -> bool {
        let is_wanted = self.is_wanted();
        self.is_running |= is_wanted;
        is_wanted
    }

    /// Records that the thread ends. Returns false if it must go on.
    pub fn end(&mut self) -> bool {
        self.is_running = self.is_needed();
        !self.is_running
    }

    /// Records that AAC cannot be encoded for this publisher.
    pub fn fail(&mut self) {
        (self.has_failed, self.is_running) = (true, false);
    }

    /// Returns the form of a message for receivers without Opus, if that differs: another body or nothing.
    pub fn form_without_opus(
        &mut self,
        kind: TagKind,
        is_metadata: bool,
        body: Option<&Bytes>,
    ) -> Option<Option<Bytes>> {
        if self.has_failed {
            return None;
        }
        match kind {
            TagKind::Audio if is_opus(body?) => {
                self.is_opus = true;
                Some(None)
            }
            TagKind::Script if is_metadata => with_aac_instead_of_opus(body?).map(Some),
            _ => None,
        }
    }
}

/// A body of AAC.
#[derive(Debug)]
pub(crate) struct AacBody {
    pub time_ms: u32,
    pub body: Bytes,
    pub is_config: bool,
}
