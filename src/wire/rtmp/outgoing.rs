//! What is waiting to be sent, and in which order its chunks leave.
//!
//! Control and commands go first, then whichever of sound and picture is earlier. Pictures leave
//! chunk by chunk: behind each slice of a picture one sound message may overtake the rest, so that
//! on a slow link sound never waits behind a keyframe. A slice lasts at most [`SLICE_MS`] at the
//! link's rate; that also fixes the chunk size, which follows the rate between messages.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::chunk::{Pending, Writer};
use super::message::{Control, Kind, Message};
use crate::media::BitsPerSecond;

/// A slice of two chunks at the link's rate: how long sound may have to wait behind a picture.
pub(super) const SLICE_MS: u32 = 18;
/// Chunk sizes used: below, headers cost too much; above, nothing is gained.
const SMALLEST: u32 = 128;
const LARGEST: u32 = 65_536;
/// How far sound may run ahead of the picture it overtakes.
const LONGEST_LEAD: Duration = Duration::from_secs(1);
/// Bytes of one slice where no rate is known.
const SLICE: usize = 2 * LARGEST as usize;
/// Control messages waiting: more only where a peer asks and does not read.
const MOST_CONTROL: usize = 512;

/// The outgoing direction of a session.
#[derive(Debug)]
pub(super) struct Outgoing {
    writer: Writer,
    /// Bytes that go before anything else: the handshake.
    raw: Vec<u8>,
    control: VecDeque<Message>,
    audio: VecDeque<Message>,
    video: VecDeque<Pending>,
    /// Whole messages, encoded elsewhere.
    shared: VecDeque<Bytes>,
    queued: usize,
    /// A chunk size to be told before the next message begins.
    next_size: Option<u32>,
    /// A slice of a picture was the last to leave.
    after_video: bool,
    sent: u64,
}

/// The chunk size for a link of that rate: half a slice.
pub(super) fn chunk_size_for(rate: BitsPerSecond) -> u32 {
    let bytes = u64::from(rate.0) * u64::from(SLICE_MS) / 2 / 8_000;
    u32::try_from(bytes).unwrap_or(LARGEST).clamp(SMALLEST, LARGEST)
}

impl Outgoing {
    pub(super) fn new() -> Self {
        Self {
            writer: Writer::new(),
            raw: Vec::new(),
            control: VecDeque::new(),
            audio: VecDeque::new(),
            video: VecDeque::new(),
            shared: VecDeque::new(),
            queued: 0,
            next_size: None,
            after_video: false,
            sent: 0,
        }
    }

    /// Where the handshake is appended.
    pub(super) fn raw(&mut self) -> &mut Vec<u8> {
        &mut self.raw
    }

    /// Queues a control message, a command or data.
    pub(super) fn push_control(&mut self, message: Message) {
        self.queued += message.body.len();
        self.control.push_back(message);
    }

    /// Queues sound or pictures.
    pub(super) fn push_media(&mut self, message: Message) {
        self.queued += message.body.len();
        match message.kind {
            Kind::AUDIO => self.audio.push_back(message),
            _ => self.video.push_back(Pending::new(message)),
        }
    }

    /// Queues bytes that are whole messages already.
    pub(super) fn push_shared(&mut self, bytes: Bytes) {
        self.queued += bytes.len();
        self.shared.push_back(bytes);
    }

    /// Whether the peer makes us say more than it reads.
    pub(super) fn is_flooded(&self) -> bool {
        self.control.len() > MOST_CONTROL
    }

    /// Bytes waiting, without headers.
    pub(super) fn queued_bytes(&self) -> usize {
        self.queued + self.raw.len()
    }

    /// Bytes handed out so far.
    pub(super) fn sent_bytes(&self) -> u64 {
        self.sent
    }

    pub(super) fn chunk_size(&self) -> u32 {
        self.writer.chunk_size()
    }

    /// Changes the chunk size before the next message begins, telling the peer.
    pub(super) fn set_chunk_size(&mut self, size: u32) {
        self.next_size = Some(size).filter(|size| *size != self.writer.chunk_size());
    }

    /// Follows the link's rate. Small changes are not worth a message.
    pub(super) fn set_rate(&mut self, rate: BitsPerSecond) {
        let (now, size) = (self.next_size.unwrap_or(self.chunk_size()), chunk_size_for(rate));
        if size >= now.saturating_mul(2) || size <= now / 2 {
            self.set_chunk_size(size);
        }
    }

    /// Throws away media whose first chunk has not left.
    pub(super) fn discard_media(&mut self) {
        self.audio.clear();
        self.video.retain(Pending::is_started);
        self.queued = self.control.iter().map(|message| message.body.len()).sum::<usize>()
            + self.video.iter().map(Pending::remaining).sum::<usize>()
            + self.shared.iter().map(Bytes::len).sum::<usize>();
    }

    /// The next bytes to send: at most a slice, or one chunk where that is longer.
    pub(super) fn next_slice(&mut self) -> Option<Bytes> {
        let slice = match self.chunk_size() as usize {
            size if size >= LARGEST as usize => SLICE,
            size => 2 * size + 64,
        };
        let mut out = std::mem::take(&mut self.raw);
        out.reserve(slice.min(self.queued + 64));
        while out.len() < slice {
            let started = self.video.front().is_some_and(Pending::is_started);
            if !started && let Some(size) = self.next_size.take() {
                self.writer.write(&Control::SetChunkSize(size).message(), &mut out);
                self.writer.set_chunk_size(size);
            }
            if let Some(message) = self.control.pop_front() {
                self.queued -= message.body.len();
                self.writer.write(&message, &mut out);
            } else if self.sound_is_next() {
                let Some(message) = self.audio.pop_front() else { break };
                self.queued -= message.body.len();
                self.writer.write(&message, &mut out);
                self.after_video = false;
            } else if let Some(mut pending) = self.video.pop_front() {
                let before = pending.remaining();
                let chunk = before.min(self.chunk_size() as usize);
                if !out.is_empty() && out.len() + chunk > slice {
                    self.video.push_front(pending);
                    break;
                }
                let done = self.writer.write_chunk(&mut pending, &mut out);
                self.queued -= before - pending.remaining();
                self.after_video = true;
                if !done {
                    self.video.push_front(pending);
                }
            } else {
                break;
            }
        }
        if out.is_empty() {
            let shared = self.shared.pop_front()?;
            self.queued -= shared.len();
            self.sent += shared.len() as u64;
            return Some(shared);
        }
        self.sent += out.len() as u64;
        Some(out.into())
    }

    fn sound_is_next(&self) -> bool {
        let Some(audio) = self.audio.front() else { return false };
        let Some(video) = self.video.front() else { return true };
        let lead = audio.time.since(video.message().time);
        lead <= 0 || (self.after_video && i64::from(lead) <= LONGEST_LEAD.as_millis() as i64)
    }
}
