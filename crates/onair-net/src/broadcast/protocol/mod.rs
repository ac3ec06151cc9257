//! The protocols by which a stream reaches its targets: the seam between the publisher and
//! everything that knows a protocol.
//!
//! The publisher decides when to connect, what to drop, when a link is dead and what to report. It
//! knows no protocol. A protocol knows its addresses ([`ProtocolAddress`]), how to connect to one
//! of them ([`Request`]), and how the packets of the hub look on a connection ([`Link`]). The rest
//! of onair sees only a [`TargetAddress`], so a new protocol is a folder here and a line in
//! `registry`.
//!
//! The muxer is a part of the link, not of the hub, because a new connection begins with headers
//! of its own, at whatever packet comes first. A link's `send` never waits and never fails: it
//! queues, and the publisher decides by [`Link::queued_bytes`] how much it passes on. In this way,
//! packets stay where they can still be dropped. An earlier form gave the publisher the session of
//! the RTMP client; then every decision of the publisher had to know chunks.
//!
//! What must never happen: an address that shows its key in `Display` or `Debug`; a link that keeps
//! a queue without the publisher knowing its size; a link that reads a clock to decide about
//! retries; an error that says less than stage, host and cause.

pub mod address;
mod elementary;
pub mod link;
mod registry;
mod rtmp;
mod srt;
mod ts;
mod whip;

pub use address::{AddressError, ProtocolAddress, Request, TargetAddress, TargetProtocol};
pub use link::{CodecSupport, Link, LinkEvent, Options};
