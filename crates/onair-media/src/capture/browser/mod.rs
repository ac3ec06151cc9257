//! A browser page as a source: the system's Chromium, in processes of its own.
//!
//! A page is a program of somebody else, and Chromium is millions of lines that crash and hang, so
//! none of it runs in onair's process. [`base::launcher`](crate::base::launcher) starts this program
//! with the hidden command `browser-process` (outside of the sandbox of the command, which could not
//! start Chromium). That process starts Chromium without a window, speaks its DevTools protocol over
//! two pipes, which no other user can reach, decodes its images, and sends planes over a socket.
//! `wire` defines the messages. In `backend`, `supervisor` is onair's side, and the rest the other one.
//!
//! Frames come only when the page changes: Chromium's *screencast* captures damaged frames, with
//! their alpha, and waits for an answer to each, which sets the pace. A page that does not change
//! sends nothing, and the compositor repeats the last frame. Chromium also has `beginFrame`, which
//! draws a frame on request: it exists only in some builds, needs other options at the start, and
//! costs requests even for a page that does not change. Screenshots (polled) are the second choice
//! where a screencast comes without alpha.
//!
//! The user's clicks and keys go the other way (`input`), in order, and in one message each. onair looks
//! for them every few milliseconds while they come, and rarely otherwise.
//!
//! A process that ends, hangs, uses too much memory or sends nonsense is killed with everything that
//! it started. The source then shows its placeholder, has a notice, and starts another process, with
//! longer and longer waits. The kernel kills the processes if onair itself is killed.
//!
//! What must never happen: onair waits for the process on any thread but the source's own; the
//! address of a page, which can contain a token, appears in a log, an error or the process list; the
//! page reaches a file other than those beside the chosen one, or an address of the local network
//! that the user did not choose; Chromium inherits onair's environment, which can contain keys.

#[cfg(target_os = "linux")]
mod backend;
mod input;
#[cfg(not(target_os = "linux"))]
mod no_browser;
mod page;
mod pixels;
mod studio;
mod wire;

#[cfg(target_os = "linux")]
pub(super) use backend::open;
#[cfg(target_os = "linux")]
pub use backend::{PageHost, run};
pub use input::{HeldKeys, PageInput, PageInputs, PageKey, PointerButton, PointerPress};
#[cfg(not(target_os = "linux"))]
pub(super) use no_browser::open;
pub(super) use page::parse;
pub use page::{BrowserPage, DEFAULT_CSS, is_address, label, sink_name};
pub use studio::{PageStudio, StudioBoard};
