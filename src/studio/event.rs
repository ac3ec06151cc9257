//! What happened, as the command line prints it.

use crate::studio::Notice;

/// Something that happened in the studio.
#[derive(Clone, Debug)]
pub enum Event {
    /// A new notice.
    Notice(Notice),
}
