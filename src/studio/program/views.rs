//! Handles views that are drawn from the same sources in addition to the program: the preview scene
//! and other views.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::Latest;
use crate::compose::scene::Plan;
use crate::compose::{SideView, ViewOf};
use crate::media::VideoFrame;
use crate::studio::program::Program;

impl Program {
    /// Draws the preview scene separately.
    pub(in crate::studio) fn prepare(&mut self, prepared: Option<(Plan, Latest<VideoFrame>)>) {
        self.plans.1.clone_from(&prepared);
        let resolved = prepared.map(|(plan, slot)| (Arc::new(self.sources.resolve(plan)), slot));
        self.compositor.prepare(resolved);
    }

    /// Draws exactly these views.
    pub(in crate::studio) fn set_views(&mut self, views: BTreeMap<ViewOf, SideView>) {
        self.views = views;
        let resolved = self.views.iter().map(|(of, view)| {
            let plan = Arc::new(self.sources.resolve((*view.plan).clone()));
            (*of, SideView { plan, ..view.clone() })
        });
        self.compositor.set_views(resolved.collect());
    }
}
