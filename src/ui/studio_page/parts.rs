//! What the *Studio* page works with.

use crate::studio::settings::Panels;
use crate::ui::input::actions::key;
use crate::ui::studio_page::multiview::Multiview;
use crate::ui::video::FrameView;
use crate::ui::{scenes, targets, watch};

/// What the panel at the right shows.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum SideTab {
    /// Where the stream goes, and on air how it fares.
    #[default]
    Broadcast,
    /// What is selected.
    Inspector,
    Chat,
}

impl SideTab {
    pub(super) const ALL: [(Self, &'static str); 3] = [
        (Self::Broadcast, key!("tab-broadcast")),
        (Self::Inspector, key!("tab-inspector")),
        (Self::Chat, key!("tab-chat")),
    ];
}

/// What the *Studio* page works with.
#[derive(Debug)]
pub struct PageParts<'a> {
    pub target: &'a mut targets::Draft,
    pub scenes: &'a mut scenes::Draft,
    pub watch: &'a mut watch::Draft,
    pub side: &'a mut SideTab,
    pub program: &'a mut FrameView,
    pub prepared: Option<&'a mut FrameView>,
    pub multiview: &'a mut Multiview,
    /// The players' frames, by the slots of their tiles.
    pub watched: &'a mut [FrameView],
    /// The layout in use, and those that were changed.
    pub panels: &'a mut Panels,
    /// The inspector was drawn in this frame.
    pub inspected: bool,
}
