//! The guests of the show, as displayed.

use std::sync::Arc;
use std::time::Duration;

use crate::mix::StripId;
use crate::server::ThumbnailImage;
use crate::server::guests::GuestState;

/// A guest of the show.
#[derive(Clone, Debug, PartialEq)]
pub struct GuestFigures {
    pub id: String,
    /// The name that the guest has given; empty before.
    pub name: String,
    pub state: GuestState,
    /// The link to join, which is a secret; empty while the server does not run.
    pub link: String,
    pub rtt: Option<Duration>,
    /// The lost part of the packets, from 0 to 1.
    pub loss: Option<f32>,
    /// The guest's strip in the mixer, on air.
    pub strip: Option<StripId>,
    pub muted: bool,
    /// True if no viewer sees the guest, who is still heard.
    pub hidden: bool,
    /// True if the guest's name is on the video.
    pub tagged: bool,
    /// What the camera of a guest in the lobby or on air shows, if there is a window for it.
    pub preview: Option<GuestPreview>,
}

impl GuestFigures {
    /// Returns the name as it is shown: the ID until the guest has given one.
    pub fn shown_name(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }
}

/// A small image of a guest. Two of them are equal if they are the same.
#[derive(Clone, Debug)]
pub struct GuestPreview(pub Arc<ThumbnailImage>);

impl PartialEq for GuestPreview {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
