//! The state that the *Studio* page works with.

use crate::studio::settings::{Panel, Panels};
use crate::ui::input::actions::key;
use crate::ui::studio_page::multiview::Multiview;
use crate::ui::studio_page::{chat, share};
use crate::ui::video::FrameView;
use crate::ui::{scenes, targets, watch};

/// The tab in the right panel.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum SideTab {
    /// The targets of the stream and, on air, the state of their connections.
    #[default]
    Broadcast,
    /// The properties of the selection.
    Inspector,
    Chat,
    /// The links of the built-in server's stream.
    Share,
}

impl SideTab {
    pub(super) const ALL: [(Self, &'static str); 4] = [
        (Self::Broadcast, key!("tab-broadcast")),
        (Self::Inspector, key!("tab-inspector")),
        (Self::Chat, key!("tab-chat")),
        (Self::Share, key!("tab-share")),
    ];

    /// Returns the tab that shows the same as a panel.
    pub fn of(panel: Panel) -> Option<Self> {
        match panel {
            Panel::Broadcast => Some(Self::Broadcast),
            Panel::Inspector => Some(Self::Inspector),
            Panel::Chat => Some(Self::Chat),
            Panel::Share => Some(Self::Share),
            _ => None,
        }
    }
}

/// The state that the *Studio* page works with.
#[derive(Debug)]
pub struct PageParts<'a> {
    pub target: &'a mut targets::Draft,
    pub scenes: &'a mut scenes::Draft,
    pub watch: &'a mut watch::Draft,
    pub share: &'a mut share::Draft,
    pub chat: &'a mut chat::Draft,
    pub side: &'a mut SideTab,
    pub program: &'a mut FrameView,
    pub preview: Option<&'a mut FrameView>,
    pub multiview: &'a mut Multiview,
    /// The views of the players' frames, by the slots of their tiles.
    pub watched: &'a mut [FrameView],
    /// The current layout, and the layouts that the user has changed.
    pub panels: &'a mut Panels,
    /// True if the inspector was drawn in this frame.
    pub inspected: bool,
}
