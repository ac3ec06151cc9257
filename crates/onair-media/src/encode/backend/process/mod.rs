//! Encoders of the system's FFmpeg libraries, each in a process of its own.
//!
//! Three reasons demand the process border. The libraries may be under the GPL (x264), which does
//! not go together with other parts of onair, so onair's own process never loads them. Drivers of
//! graphics hardware crash and hang, and a broadcast must outlive that. And what runs in C on data
//! from anywhere is better off in a sandbox.
//!
//! The process is this program, started by [`base::child_process`](crate::base::child_process) with the hidden
//! command `encoder-process`. It inherits a stream and a memory that only onair can write. onair
//! copies a frame into the memory and sends its number; the process answers with packets and with
//! the end of that frame. One frame is under way at a time, as with an encoder in onair's own
//! process, so a frame costs a copy and two messages more, and nothing queues up behind a process
//! that hangs. [`wire`] defines the messages, [`client`] is onair's side, [`child`] the other one.
//!
//! [`software`] and [`hardware`] know the encoders and their options. [`library`] loads `libavcodec`: the newest of
//! the known versions that has the encoder. [`surfaces`] uploads frames to graphics cards. `system` is what differs between Linux and Windows.
//!
//! What must never happen: onair waits for the process longer than 2 s for a frame; a message is
//! believed because it came; a pointer of the library is used at an offset that was not checked;
//! `library` is used outside of the process.

mod child;
mod client;
mod connection;
mod families;
mod family;
mod functions;
mod hardware;
mod library;
#[cfg(target_os = "linux")]
mod linux;
mod software;
mod surfaces;
mod trouble;
#[cfg(windows)]
mod windows;
mod wire;

pub use child::run;
pub(super) use client::Client;
pub(super) use families::{families, family_of};
pub(super) use family::Family;
#[cfg(target_os = "linux")]
use linux as system;
pub(super) use trouble::Packet;
pub use trouble::Trouble;
#[cfg(windows)]
use windows as system;
