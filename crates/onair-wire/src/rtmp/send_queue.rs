//! The send queue of a session, which defines the order of chunks.
//!
//! Control messages and commands go first, then the earlier of audio and video. Frames are sent
//! chunk by chunk, and audio may overtake them between two chunks: without limit if it is only
//! slightly ahead, otherwise one message per [`AUDIO_OVERTAKE_INTERVAL_MS`], so that bursts keep
//! their order. A slice takes about [`SLICE_DURATION_MS`] at the link rate, and the system should
//! buffer at most [`MAX_UNSENT_MS`] before it, so audio waits at most the sum of both behind a
//! keyframe.
//!
//! The chunk size is chosen for a link of a quarter of the rate, so that these times also hold on a
//! slower link. It never decreases: nginx-rtmp (1.2.2) loses synchronization when more bytes follow
//! a smaller size, and closes the connection. It grows only between messages.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::media::BitsPerSecond;
use crate::wire::rtmp::chunk::{Pending, Writer};
use crate::wire::rtmp::message::{Control, Kind, Message};

/// Duration of a slice in ms at the link rate, for which audio may wait behind a piece of a frame.
const SLICE_DURATION_MS: u32 = 9;
/// Maximum unsent data in the system before the next slice, in ms at the link rate.
const MAX_UNSENT_MS: u32 = 6;
/// Minimum of the limit for unsent data, in bytes.
const MIN_UNSENT_BYTES: u32 = 1_024;
/// Minimum chunk size in bytes. Smaller chunks add too many headers.
const MIN_CHUNK_BYTES: u32 = 128;
/// Maximum chunk size in bytes. Larger chunks have no benefit.
const MAX_CHUNK_BYTES: u32 = 65_536;
/// Interval at which audio far ahead of the video may overtake it, in ms at the link rate. At this
/// interval, the audio keeps up, but hardly increases its lead.
const AUDIO_OVERTAKE_INTERVAL_MS: u32 = 18;
/// Lead of audio over a frame, in ms, up to which audio may overtake the frame without a limit.
const FREE_AUDIO_LEAD_MS: i32 = 100;
/// Maximum lead of audio over a frame, in ms.
const MAX_AUDIO_LEAD_MS: i32 = 1_000;
/// Maximum size of a slice in bytes if the rate is unknown.
const MAX_SLICE_BYTES: usize = 2 * MAX_CHUNK_BYTES as usize;
/// Maximum number of waiting control messages, without data messages. Only a peer that sends
/// requests and does not read the replies exceeds this number.
const MAX_CONTROL_MESSAGES: usize = 512;

/// The outgoing direction of a session.
#[derive(Debug, Default)]
pub(super) struct SendQueue {
    writer: Writer,
    /// Bytes of the handshake, which precede everything else.
    raw: Vec<u8>,
    control: VecDeque<Message>,
    audio: VecDeque<Message>,
    video: VecDeque<Pending>,
    queued: usize,
    /// The measured link rate.
    rate: Option<BitsPerSecond>,
    /// A new chunk size, announced before the next message.
    next_size: Option<u32>,
    /// True if a piece of a frame was sent last.
    after_video: bool,
    /// Number of bytes sent since the start of the last audio message, including that message.
    since_audio: usize,
}

/// Returns the number of bytes that a link of this rate carries in this many milliseconds.
fn carried(rate: BitsPerSecond, ms: u32) -> u64 {
    u64::from(rate.0) * u64::from(ms) / 8_000
}

/// Returns the chunk size for a link of this rate, which is one slice at a quarter of the rate.
fn chunk_size_for(rate: BitsPerSecond) -> u32 {
    u32::try_from(carried(rate, SLICE_DURATION_MS) / 4)
        .unwrap_or(MAX_CHUNK_BYTES)
        .clamp(MIN_CHUNK_BYTES, MAX_CHUNK_BYTES)
}

impl SendQueue {
    /// Returns the buffer for the handshake.
    pub(super) fn raw(&mut self) -> &mut Vec<u8> {
        &mut self.raw
    }

    /// Queues a control message, a command or data.
    pub(super) fn push_control(&mut self, message: Message) {
        self.queued += message.body.len();
        self.control.push_back(message);
    }

    /// Queues audio or video.
    pub(super) fn push_media(&mut self, message: Message) {
        self.queued += message.body.len();
        match message.kind {
            Kind::AUDIO => self.audio.push_back(message),
            _ => self.video.push_back(Pending::new(message)),
        }
    }

    /// Returns true if the peer causes more messages than it reads. Data messages do not count,
    /// because the caller sends them, and limits them with [`Self::queued_bytes`].
    pub(super) fn is_flooded(&self) -> bool {
        let mut caused = self.control.iter().filter(|message| message.kind != Kind::DATA);
        caused.nth(MAX_CONTROL_MESSAGES).is_some()
    }

    /// Returns the number of waiting bytes, without headers.
    pub(super) fn queued_bytes(&self) -> usize {
        self.queued + self.raw.len()
    }

    pub(super) fn chunk_size(&self) -> u32 {
        self.writer.chunk_size()
    }

    /// Changes the chunk size before the next message, and announces it to the peer.
    pub(super) fn set_chunk_size(&mut self, size: u32) {
        self.next_size = Some(size).filter(|size| *size != self.writer.chunk_size());
    }

    /// Follows the link rate. The slice size changes at once. The chunk size changes only if it
    /// would at least double.
    pub(super) fn set_rate(&mut self, rate: BitsPerSecond) {
        self.rate = Some(rate);
        let (now, size) = (self.next_size.unwrap_or(self.chunk_size()), chunk_size_for(rate));
        if size >= now.saturating_mul(2) {
            self.set_chunk_size(size);
        }
    }

    /// Returns the maximum number of unsent bytes in the system before the next slice, if the rate
    /// is known.
    pub(super) fn unsent_limit(&self) -> Option<u32> {
        let bytes = carried(self.rate?, MAX_UNSENT_MS);
        Some(
            u32::try_from(bytes)
                .unwrap_or(MAX_CHUNK_BYTES)
                .clamp(MIN_UNSENT_BYTES, MAX_CHUNK_BYTES),
        )
    }

    /// Drops media whose first chunk is not sent.
    pub(super) fn discard_media(&mut self) {
        self.audio.clear();
        self.video.retain(Pending::is_started);
        self.queued = self.control.iter().map(|message| message.body.len()).sum::<usize>()
            + self.video.iter().map(Pending::remaining).sum::<usize>();
    }

    /// Returns the next bytes to send, at most a slice, or one chunk if a chunk is longer.
    pub(super) fn next_slice(&mut self) -> Option<Bytes> {
        let mut out = std::mem::take(&mut self.raw);
        self.change_size(&mut out);
        out.reserve(self.slice().min(self.queued + 64));
        while out.len() < self.slice() {
            self.change_size(&mut out);
            if let Some(message) = self.control.pop_front() {
                self.queued -= message.body.len();
                self.writer.write(&message, &mut out);
            } else if self.audio_is_next() {
                let Some(message) = self.audio.pop_front() else { break };
                self.queued -= message.body.len();
                self.writer.write(&message, &mut out);
                self.since_audio = message.body.len();
                self.after_video = false;
            } else if let Some(mut pending) = self.video.pop_front() {
                let before = pending.remaining();
                let chunk = before.min(self.chunk_size() as usize);
                if !out.is_empty() && out.len() + chunk > self.slice() {
                    self.video.push_front(pending);
                    break;
                }
                let done = self.writer.write_chunk(&mut pending, &mut out);
                self.queued -= before - pending.remaining();
                self.since_audio += chunk;
                self.after_video = true;
                if !done {
                    self.video.push_front(pending);
                }
            } else {
                break;
            }
        }
        if out.is_empty() {
            return None;
        }
        Some(out.into())
    }

    /// Returns the maximum number of bytes of a slice.
    fn slice(&self) -> usize {
        let chunk = self.chunk_size() as usize;
        match self.rate.map(|rate| carried(rate, SLICE_DURATION_MS)) {
            Some(slice) => usize::try_from(slice)
                .unwrap_or(MAX_SLICE_BYTES)
                .clamp(chunk + 64, MAX_SLICE_BYTES.max(chunk + 64)),
            None if chunk >= MAX_CHUNK_BYTES as usize => MAX_SLICE_BYTES,
            None => 2 * chunk + 64,
        }
    }

    /// Announces and applies a new chunk size, unless a message is in progress.
    fn change_size(&mut self, out: &mut Vec<u8>) {
        let started = self.video.front().is_some_and(Pending::is_started);
        if !started && let Some(size) = self.next_size.take() {
            self.writer.write(&Control::SetChunkSize(size).message(), out);
            self.writer.set_chunk_size(size);
        }
    }

    /// Returns the minimum number of bytes between two audio messages that are far ahead.
    fn turn(&self) -> usize {
        let bytes = self.rate.map(|rate| carried(rate, AUDIO_OVERTAKE_INTERVAL_MS));
        bytes.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or_else(|| self.slice())
    }

    /// Returns true if the next audio message precedes the next piece of a frame.
    fn audio_is_next(&self) -> bool {
        let Some(audio) = self.audio.front() else { return false };
        let Some(video) = self.video.front() else { return true };
        match audio.time.since(video.message().time) {
            lead if lead <= 0 => true,
            lead if !self.after_video || lead > MAX_AUDIO_LEAD_MS => false,
            lead if lead <= FREE_AUDIO_LEAD_MS => true,
            _ => self.since_audio >= self.turn(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::rtmp::Time;
    use crate::wire::rtmp::chunk::Reader;
    use crate::wire::rtmp::message::chunk_stream;

    fn media(kind: Kind, time: u32, length: usize) -> Message {
        let chunk_stream =
            if kind == Kind::AUDIO { chunk_stream::AUDIO } else { chunk_stream::VIDEO };
        let body = vec![kind.0; length].into();
        Message { chunk_stream, kind, stream: 1, time: Time(time), body }
    }

    /// Simulates a live stream over a link of exactly `rate` without losses. Returns the maximum
    /// delay of audio in ms, and the share of headers in all bytes.
    fn simulate(rate: u32, stream_rate: u32, changed_to: Option<u32>) -> (f64, f64) {
        let mut out = SendQueue::default();
        out.set_rate(BitsPerSecond(rate));
        let (mut clock, mut rate) = (0.0_f64, f64::from(rate));
        let (mut longest, mut bytes, mut sent) = (0.0_f64, Vec::new(), Vec::new());
        let mut waiting: VecDeque<(u32, f64)> = VecDeque::new();
        let frame = (stream_rate / 8 / 30) as usize;
        let mut arrivals: Vec<(u32, Kind, usize)> = (0..120_u32)
            .map(|n| (n * 33, Kind::VIDEO, if n % 60 == 0 { frame * 12 } else { frame * 4 / 5 }))
            .chain((0..185).map(|n| (n * 1_024 / 48, Kind::AUDIO, 340)))
            .collect();
        arrivals.sort_by_key(|arrival| arrival.0);
        let mut arrivals = arrivals.into_iter().peekable();
        let mut reader = Reader::default();
        loop {
            while let Some((at, kind, length)) =
                arrivals.next_if(|(at, ..)| f64::from(*at) <= clock)
            {
                let message = media(kind, at, length);
                sent.push((kind, at));
                if kind == Kind::AUDIO {
                    waiting.push_back((at, f64::from(at).max(0.0)));
                }
                out.push_media(message);
            }
            if clock > 2_000.0
                && let Some(new) = changed_to
                && (rate - f64::from(new)).abs() > 1.0
            {
                rate = f64::from(new);
                out.set_rate(BitsPerSecond(new));
            }
            let Some(slice) = out.next_slice() else {
                let Some((at, ..)) = arrivals.peek() else { break };
                clock = f64::from(*at);
                continue;
            };
            // Messages in this slice have waited until now.
            let mut input = slice.as_ref();
            while let Some(message) = reader.read(&mut input).unwrap() {
                if message.kind == Kind::AUDIO {
                    let (at, since) = waiting.pop_front().unwrap();
                    assert_eq!(message.time.0, at);
                    longest = longest.max(clock - since);
                }
                sent.retain(|sent| *sent != (message.kind, message.time.0));
            }
            clock += slice.len() as f64 * 8_000.0 / rate;
            bytes.extend_from_slice(&slice);
        }
        assert_eq!(sent, [], "everything arrives");
        let payload: usize = 185 * 340 + 2 * frame * 12 + 118 * (frame * 4 / 5);
        (longest, (bytes.len() - payload) as f64 / bytes.len() as f64)
    }

    #[test]
    fn audio_never_waits_long_behind_a_keyframe_on_a_slow_link() {
        let most = f64::from(20 - MAX_UNSENT_MS);
        for rate in [300_000, 500_000, 1_000_000, 2_500_000, 6_000_000] {
            let (longest, _) = simulate(rate, (rate - 140_000) / 10 * 9, None);
            assert!(longest <= most, "{rate}: {longest} ms");
        }
        // The same applies if the link gets slower or faster during the stream.
        let (longest, _) = simulate(4_000_000, 1_500_000, Some(1_800_000));
        assert!(longest <= most, "slower: {longest} ms");
        let (longest, _) = simulate(1_000_000, 700_000, Some(4_000_000));
        assert!(longest <= most, "faster: {longest} ms");
    }

    #[test]
    fn headers_cost_little() {
        for rate in [2_500_000, 6_000_000] {
            let (_, share) = simulate(rate * 2, rate, None);
            assert!(share < 0.005, "{rate}: {share}");
        }
    }

    #[test]
    fn the_chunk_size_grows_between_messages_only_and_never_shrinks() {
        assert_eq!(chunk_size_for(BitsPerSecond(2_500_000)), 703);
        assert_eq!(chunk_size_for(BitsPerSecond(10_000)), MIN_CHUNK_BYTES);
        assert_eq!(chunk_size_for(BitsPerSecond(1_000_000_000)), MAX_CHUNK_BYTES);
        let mut out = SendQueue::default();
        out.set_rate(BitsPerSecond(2_500_000));
        out.push_media(media(Kind::VIDEO, 0, 100_000));
        let slice = out.next_slice().unwrap().len();
        assert!((2_100..=2_900).contains(&slice), "{slice}");
        assert_eq!(out.chunk_size(), 703);
        out.set_rate(BitsPerSecond(20_000_000));
        out.next_slice().unwrap();
        assert_eq!(out.chunk_size(), 703, "the message under way keeps its size");
        out.push_media(media(Kind::VIDEO, 33, 1_000));
        while out.next_slice().is_some() {}
        assert_eq!(out.chunk_size(), 5_625);
        out.set_rate(BitsPerSecond(250_000));
        out.push_media(media(Kind::VIDEO, 66, 20_000));
        assert_eq!(out.next_slice().unwrap().len() / 1_000, 5, "a slice is one chunk at least");
        while out.next_slice().is_some() {}
        assert_eq!(out.chunk_size(), 5_625);
        assert_eq!(out.queued_bytes(), 0);
    }

    #[test]
    fn bursts_keep_their_order_but_for_one_slice() {
        let mut out = SendQueue::default();
        out.set_rate(BitsPerSecond(2_500_000));
        for n in 0..60 {
            out.push_media(media(Kind::VIDEO, n * 33, 5_000));
        }
        for n in 0..94 {
            out.push_media(media(Kind::AUDIO, n * 21, 300));
        }
        let (mut reader, mut newest) = (Reader::default(), 0);
        while let Some(slice) = out.next_slice() {
            let mut input = slice.as_ref();
            while let Some(message) = reader.read(&mut input).unwrap() {
                if message.kind == Kind::VIDEO {
                    assert!(newest <= message.time.0 + 200, "{newest} {}", message.time.0);
                }
                newest = newest.max(message.time.0);
            }
        }
    }

    #[test]
    fn discarding_keeps_what_is_under_way() {
        let mut out = SendQueue::default();
        out.push_media(media(Kind::VIDEO, 0, 1_000));
        out.push_media(media(Kind::VIDEO, 33, 1_000));
        out.push_media(media(Kind::AUDIO, 20, 1_000));
        let mut bytes = out.next_slice().unwrap().to_vec();
        out.discard_media();
        while let Some(slice) = out.next_slice() {
            bytes.extend_from_slice(&slice);
        }
        assert_eq!(out.queued_bytes(), 0);
        let (mut reader, mut input) = (Reader::default(), bytes.as_slice());
        let mut times = Vec::new();
        while let Some(message) = reader.read(&mut input).unwrap() {
            times.push(message.time.0);
        }
        // The audio was sent before; the second frame is dropped.
        assert_eq!(times, [20, 0]);
        assert_eq!(reader.partial_bytes(), 0);
    }
}
