//! Floor 7: the window as a program. See `ui/` for what is drawn; here the studio, the desktop and
//! the screens meet. Thread: the main one.

use crate::base::Latest;
use crate::media::VideoFrame;
use crate::studio::{Command, Snapshot};

/// The studio as the window needs it. All calls return at once.
pub trait Studio: 'static {
    /// The studio as it is now.
    fn snapshot(&self) -> Snapshot;
    /// Asks for something; the next snapshots show what became of it.
    fn send(&self, command: Command);
    /// What goes out.
    fn program(&self) -> Latest<VideoFrame>;
    /// What the player shows.
    fn watched(&self) -> Latest<VideoFrame>;
}
