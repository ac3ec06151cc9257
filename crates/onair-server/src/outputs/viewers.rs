//! All viewers of a server, over any protocol: their list, and their disconnection.

use crate::base::Timestamp;
use crate::server::event::ViewerFigures;
use crate::server::outputs::hls;
use crate::server::outputs::recordings::viewers;
use crate::server::registry::Registry;
use crate::text::Problem;

/// The viewers that must leave.
#[derive(Copy, Clone, Debug)]
pub(crate) enum ViewerChoice<'a> {
    /// All viewers, and all members of chats. Those who may still play can return at once.
    All,
    /// The viewer with this id. Without a connection to close, the viewer stays out for a while.
    Id(u64),
    /// The viewers of the recording in the file of this name. Another file may have the same recording in another
    /// format.
    Recording(&'a str),
}

/// Returns all viewers, in no particular order.
pub(crate) fn figures(registry: &Registry, now: Timestamp) -> Vec<ViewerFigures> {
    let mut all = viewers::figures(registry, now);
    for stream in registry.streams() {
        all.extend(stream.viewers(now));
    }
    for production in registry.hls.all() {
        all.extend(production.viewer_figures(now));
    }
    all
}

/// Disconnects viewers. Returns true if there were any.
pub(crate) fn end(registry: &Registry, choice: ViewerChoice<'_>, reason: &Problem) -> bool {
    let bars = !matches!(choice, ViewerChoice::All);
    if !bars {
        // Viewers of HLS and DASH return with their pass, and downloads and chats watch the count.
        // A viewer who is being admitted compares the count last, so it changes first.
        registry.expelled.send_modify(|count| *count += 1);
        registry.passes.revoke();
    }
    let of_stream = |id| match choice {
        ViewerChoice::All => true,
        ViewerChoice::Id(chosen) => chosen == id,
        ViewerChoice::Recording(_) => false,
    };
    let mut ended = 0;
    for stream in registry.streams() {
        ended += stream.end_viewers(of_stream, reason);
    }
    // WHEP sessions are viewers of a stream only once they are connected.
    ended += registry.webrtc.end_viewers(of_stream, reason);
    for production in registry.hls.all() {
        ended += hls::end_viewers(registry, &production, of_stream, bars, reason);
    }
    let of_recording = |file: &str, id| match choice {
        ViewerChoice::Recording(chosen) => chosen == file,
        ViewerChoice::All | ViewerChoice::Id(_) => of_stream(id),
    };
    ended += viewers::end(registry, of_recording, bars, reason);
    ended > 0
}
