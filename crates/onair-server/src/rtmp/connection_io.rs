//! What the lock of an RTMP connection protects: its socket with the queue, its session, and the
//! state of its simulated faults.

use std::collections::VecDeque;
use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead as _, AsyncReadExt as _, ReadBuf};

use crate::base::{Clock, Timestamp};
use crate::server::fault::{Phase, Plan};
use crate::server::stream::message::{Batch, Class, MESSAGE_STREAM_ID, Message, Takes};
use crate::server::stream::outgoing::Outgoing;
use crate::text::Problem;
use crate::wire::byte_block::ByteBlock;
use crate::wire::rtmp::server::{Error, Event, Output, Session, Step};

/// The read size. The buffer is on the stack unless the client publishes, because hundreds of
/// viewers need no buffer each.
pub(super) const READ_BYTES: usize = 32 << 10;

/// What the lock of a connection protects.
#[derive(Debug)]
pub(super) struct Io {
    pub out: Outgoing,
    pub session: Session,
    /// The read buffer of a publisher; empty for all others.
    pub block: BytesMut,
    pub waker: Option<Waker>,
    pub events: VecDeque<Event>,
    pub deadline: Option<Timestamp>,
    /// The reason for a disconnection by the operator.
    pub dismissed: Option<Problem>,
    pub paused: bool,
    /// Whether the player wants audio, and whether it wants video.
    pub wanted: (bool, bool),
    /// Whether the player asks for Opus, or for AAC instead. `None` means that connect says it.
    pub asks_opus: Option<bool>,
    pub lab: ConnectionFaults,
}

/// The simulated faults of the connection.
#[derive(Debug, Default)]
pub(super) struct ConnectionFaults {
    /// Generation of the server's faults at the last check.
    pub generation: u64,
    pub plan: Option<Box<Plan>>,
    /// The time at which the connection's task must check again.
    pub wake_at: Option<Timestamp>,
    /// True if received data is ignored, and nothing is answered.
    pub deaf: bool,
    pub mute: bool,
}

impl ConnectionFaults {
    /// Returns true while the server neither reads nor replies.
    pub fn is_stalled(&self, now: Timestamp) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.is_stalled(now))
    }
}

impl Io {
    pub fn new(out: Outgoing, session: Session) -> Self {
        Self {
            out,
            session,
            block: BytesMut::new(),
            waker: None,
            events: VecDeque::new(),
            deadline: None,
            dismissed: None,
            paused: false,
            wanted: (true, true),
            asks_opus: None,
            lab: ConnectionFaults::default(),
        }
    }

    /// Returns a context that wakes the connection's own task, if that task is running.
    fn context(waker: Option<&Waker>) -> Context<'_> {
        Context::from_waker(waker.unwrap_or(Waker::noop()))
    }

    /// Returns what the player supports, as it declared in connect or asked for in the name of the stream.
    pub fn takes(&self) -> Takes {
        let opus = self.asks_opus.unwrap_or_else(|| self.session.takes_codec("Opus"));
        Takes { tracks: self.session.takes_tracks(), opus }
    }

    /// Returns true if the viewer gets the same bytes as most viewers.
    pub fn takes_joined(&self, batch: &Batch<'_>) -> bool {
        let everything = self.wanted == (true, true) && !self.paused;
        // Nearly all messages are the same for all viewers, and this is asked for each viewer.
        let is_whole = || {
            let takes = self.takes();
            batch.messages.iter().all(|message| message.is_whole_for(takes))
        };
        everything
            && (!batch.messages.iter().any(|message| message.is_divided()) || is_whole())
            && self.session.message_stream() == MESSAGE_STREAM_ID
    }

    pub fn send_past_queue(&mut self, batch: &Batch<'_>) -> bool {
        self.takes_joined(batch)
            && self.out.send_past_queue(batch, &mut Self::context(self.waker.as_ref()))
    }

    pub fn queue(&mut self, messages: &[Arc<Message>]) {
        let stream = self.session.message_stream();
        let takes = self.takes();
        for message in messages.iter().filter_map(|message| message.for_viewer(takes)) {
            let wanted = match message.class {
                Class::Vital => true,
                Class::Audio => self.wanted.0 && !self.paused,
                Class::Key | Class::Inter => self.wanted.1 && !self.paused,
            };
            if wanted {
                self.out.queue.push(message.class, message.mark, message.piece(stream));
            }
        }
    }

    pub fn flush(&mut self, clock: Clock) {
        self.out.flush(&mut Self::context(self.waker.as_ref()), clock);
        let over = self.out.failed.is_some() || self.out.queue.is_overrun();
        if let Some(waker) = self.waker.as_ref().filter(|_| over) {
            waker.wake_by_ref();
        }
    }

    /// Takes the session's output, and queues it before or after the waiting media.
    pub fn pump(&mut self, behind: bool) {
        loop {
            match self.session.poll_output() {
                Output::Transmit(bytes) => self.say(bytes, behind),
                Output::Event(event) => self.events.push_back(event),
                Output::Timeout(at) => {
                    self.deadline = Some(at);
                    return;
                }
                Output::Idle => {
                    self.deadline = None;
                    return;
                }
            }
        }
    }

    /// Reads once, at most this many bytes, and passes them to the session. Returns the number of
    /// bytes and the result. A publisher's frames share the block into which they were read.
    pub fn poll_read(
        &mut self,
        clock: Clock,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(usize, Result<(), Error>)>> {
        if self.lab.plan.is_none() && self.session.is_publishing() {
            self.block.reserve(READ_BYTES);
            let read = pin!(self.out.stream.read_buf(&mut self.block)).poll(cx);
            return read.map_ok(|length| {
                let block = ByteBlock::new(&mut self.block);
                let result = self.session.handle_block(clock.now(), block);
                self.pump(false);
                (length, result)
            });
        }
        let mut space = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut buffer = ReadBuf::uninit(space.get_mut(..most).unwrap_or(&mut []));
        let read = Pin::new(&mut self.out.stream).poll_read(cx, &mut buffer);
        read.map_ok(|()| match buffer.filled() {
            [] => (0, Ok(())),
            data => (data.len(), self.take(clock.now(), data)),
        })
    }

    /// Handles received data: passes it to the session, unless a fault intervenes.
    fn take(&mut self, now: Timestamp, data: &[u8]) -> Result<(), Error> {
        if let Some(plan) = &mut self.lab.plan {
            plan.took(data.len());
            if self.lab.deaf || plan.hold_back(data, now) {
                return Ok(());
            }
        }
        let result = self.session.handle_input(now, data);
        self.pump(false);
        result
    }

    pub fn holds_back(&self) -> bool {
        self.lab.plan.as_ref().is_some_and(|plan| plan.holds_back())
    }

    /// Returns the client's phase for faults.
    pub fn phase(&self) -> Option<Phase> {
        Some(match self.session.step()? {
            Step::Handshake => Phase::Handshake,
            Step::Connect => Phase::Connect,
            Step::Connected => Phase::CreateStream,
            Step::Publish => Phase::Publish,
            Step::Publishing => Phase::Media,
        })
    }

    fn say(&mut self, bytes: Bytes, behind: bool) {
        if self.lab.mute {
            return;
        }
        if behind {
            self.out.queue.push_session(bytes);
        } else {
            self.out.queue.push_control(bytes);
        }
    }
}
