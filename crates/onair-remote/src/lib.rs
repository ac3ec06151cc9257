//! Floor 6: remote control by other programs, with the protocol of obs-websocket 5.
//!
//! ```text
//! socket → protocol (JSON, MessagePack) → session → requests → studio::Command
//!    ↑                                       │          └──── reads the Snapshot
//!    └──────────── events ←── difference of two Snapshots
//! ```
//! Like the window, this room sends [`Command`](onair_studio::Command)s and reads
//! [`Snapshot`](onair_studio::Snapshot)s. Therefore every change can be undone as in the window, and a
//! program that speaks this protocol can do nothing that a user cannot do. The translation is pure:
//! `session` has no socket and no clock, `requests` are functions of a snapshot, and `events` are
//! the difference of two snapshots, so that a change appears in the events no matter who made it.
//! Only `server` waits, on the network runtime.
//!
//! What must never happen: a client that has not proven the password reads or changes anything; a
//! stream key or another secret leaves the studio through an answer; a client that is slow, floods
//! or hangs delays the program, the window or another client. So there are limits for clients,
//! messages, requests per second and waiting time. A client that does not read is disconnected.

use onair_base::base;
use onair_media::{audio, capture, compose, files, mix};
use onair_net::net;

mod call;
mod events;
mod follow;
mod names;
mod password;
mod protocol;
pub mod requests;
mod server;
mod session;

pub use follow::RemoteControl;
pub use server::{ListenOptions, RemoteServer};
