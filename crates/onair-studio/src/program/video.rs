//! The video of the program: whether it has video, its source, and the views that are drawn from
//! the same sources, such as the preview scene.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::Latest;
use crate::capture::browser::PageInput;
use crate::capture::{LiveProperties, VideoChoice};
use crate::compose::filter::WantedFilter;
use crate::compose::scene::{Plan, SourceId};
use crate::compose::transition::{self, ManualTransition};
use crate::compose::{SideView, ViewOf};
use crate::media::VideoFrame;
use crate::media::source_status::{SourceFormat, SourceReport, SourceState};
use crate::studio::program::Program;
use crate::studio::scenes::{Collection, MAIN_SOURCE};
use crate::studio::sources;
use crate::studio::sources::missing_files::FileNews;
use crate::text::Problem;
use crate::text::problem::problem;

/// The id under which the frames before a filter are drawn. No source has this id, and it is not
/// that of a scene or group.
const BEFORE_FILTER: SourceId = SourceId(u32::MAX >> 2);

impl Program {
    /// Returns the visible sources.
    pub fn seen(&self) -> &BTreeSet<SourceId> {
        &self.seen
    }

    /// Returns true if the visible sources changed since the last call.
    pub fn seen_changed(&mut self) -> bool {
        std::mem::take(&mut self.seen_changed)
    }

    /// Keeps the sources of items that `next` hides with a transition of their own, until it has
    /// ended.
    pub(super) fn keep_leaving_items(&mut self, next: &Plan) {
        let now = self.clock.now();
        let leaving = self.plans.0.leaving_after(next).into_iter();
        self.leaving.extend(leaving.map(|(id, time)| (id, now + time)));
    }

    /// Mixes another plan into the program with a transition of this kind, as far as the T-bar is
    /// moved. `None` shows the program alone.
    pub fn set_t_bar(&mut self, other: Option<(Plan, transition::Kind, f32)>) {
        if other.is_none() && self.t_bar.is_none() {
            return;
        }
        self.t_bar = other.as_ref().map(|(plan, ..)| plan.clone());
        self.attend();
        let bar = other.map(|(plan, kind, position)| {
            let image = self.transition_assets.image(&kind);
            let plan = Arc::new(self.sources.resolve(plan));
            ManualTransition::new(plan, kind, image, position)
        });
        self.compositor.set_t_bar(bar);
    }

    /// From now on, shows black video for a scene without a source.
    pub fn keep_video(&mut self) {
        self.keeps_video = true;
    }

    /// Loads the page of a browser source again.
    pub fn refresh_page(&self, id: SourceId) {
        if let Some(dials) = self.dials_of(id) {
            dials.refresh_page();
        }
    }

    /// Passes on what the user does on the page of a browser source.
    pub fn page_input(&self, id: SourceId, input: PageInput) {
        if let Some(dials) = self.dials_of(id) {
            dials.page_input(input);
        }
    }

    fn dials_of(&self, id: SourceId) -> Option<&LiveProperties> {
        if id == MAIN_SOURCE { Some(&self.dials) } else { self.sources.dials(id) }
    }

    /// Returns true if a scene without a source gives black video.
    pub fn keeps_video(&self) -> bool {
        self.keeps_video
    }

    /// Returns the name of the source in the current scene that delivers video, or `None` if there
    /// is none.
    pub fn open_video(&self, collection: &Collection) -> Option<Problem> {
        let shows = |id: &SourceId| {
            let report = self.source_report(*id);
            report.state == SourceState::Open && !has_only_audio(&report)
        };
        let id = self.plans.0.sources().find(shows)?;
        Some(match collection.source(id) {
            Some(source) => Problem::words(source.name.as_str()),
            None if self.video.choice == VideoChoice::Test => problem!("source-test-pattern"),
            None => Problem::words(self.video.report().name),
        })
    }

    /// Returns the names of the sources that the current scene shows although they deliver no
    /// video. The main source is not among them.
    pub fn video_down(&self, collection: &Collection) -> Vec<String> {
        let down = |id: &SourceId| self.source_report(*id).state.is_down();
        let ids: BTreeSet<SourceId> = self.plans.0.sources().filter(down).collect();
        let name = |id| collection.source(id).map(|source| source.name.clone());
        ids.into_iter().filter_map(name).collect()
    }

    /// Returns the reason why the first source in the current scene without video delivers none, or
    /// `None` if no source states a reason.
    pub fn video_failure(&self) -> Option<Problem> {
        let reason = |report: SourceReport| match has_only_audio(&report) {
            true => problem!("source-only-audio", name = report.name),
            false => report.reason,
        };
        let mut reasons = self.plans.0.sources().map(|id| reason(self.source_report(id)));
        reasons.find(|reason| !reason.is_empty())
    }

    /// Returns true if there is a frame to encode.
    pub fn has_video(&self) -> bool {
        self.keeps_video
            || self.video.choice != VideoChoice::None
            || self.plans.0.sources().any(|source| source != MAIN_SOURCE)
    }

    /// Draws the preview scene separately.
    pub fn prepare(&mut self, preview: Option<(Plan, Latest<VideoFrame>)>) {
        self.plans.1.clone_from(&preview);
        let resolved = preview.map(|(plan, slot)| (Arc::new(self.sources.resolve(plan)), slot));
        self.compositor.prepare(resolved);
    }

    /// Returns the news of filters' files since the last call.
    pub fn filter_changes(&mut self, collection: &Collection) -> FileNews {
        let before = self.filters_before();
        let main = sources::choice::label(&self.video.choice);
        let news = self.filters.poll(collection, &main, &self.compositor);
        if self.filters_before() != before {
            self.set_views(self.views.clone());
        }
        news
    }

    /// Returns the filters that apply to the view before a filter, if there is such a view.
    fn filters_before(&self) -> Option<Vec<WantedFilter>> {
        before_filter(&self.views).map(|(source, index)| self.filters.before(source, index))
    }

    /// Draws exactly these views.
    pub fn set_views(&mut self, views: BTreeMap<ViewOf, SideView>) {
        let _held = self.hold();
        let before = std::mem::replace(&mut self.views, views);
        match before_filter(&self.views) {
            Some((source, index)) => {
                self.compositor.set_view(BEFORE_FILTER, self.sources.origin(source));
                self.compositor.set_filters(BEFORE_FILTER, self.filters.before(source, index));
            }
            None if before_filter(&before).is_some() => {
                self.compositor.set_source(BEFORE_FILTER, None);
                self.compositor.set_filters(BEFORE_FILTER, Vec::new());
            }
            None => {}
        }
        let resolved = self.views.iter().map(|(of, view)| {
            let plan = match of {
                ViewOf::BeforeFilter(..) => Plan::simple(BEFORE_FILTER),
                ViewOf::Scene(_) | ViewOf::Source(_) => self.sources.resolve((*view.plan).clone()),
            };
            (*of, SideView { plan: Arc::new(plan), ..view.clone() })
        });
        self.compositor.set_views(resolved.collect());
    }
}

/// Returns the source and the filter of the view before a filter. The window needs at most one such
/// view.
fn before_filter(views: &BTreeMap<ViewOf, SideView>) -> Option<(SourceId, usize)> {
    views.keys().find_map(|of| match *of {
        ViewOf::BeforeFilter(source, index) => Some((source, index)),
        ViewOf::Scene(_) | ViewOf::Source(_) => None,
    })
}

/// Returns true for an open file or stream without video: all other open sources have a format.
fn has_only_audio(report: &SourceReport) -> bool {
    (report.state, report.format) == (SourceState::Open, SourceFormat::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Size;

    #[test]
    fn an_open_source_without_a_format_has_only_audio() {
        let of = |state, format| {
            has_only_audio(&SourceReport { state, format, ..SourceReport::default() })
        };
        let video = SourceFormat::Video { size: Size::new(64, 36), fps: 30.0 };
        assert!(of(SourceState::Open, SourceFormat::Unknown));
        assert!(!of(SourceState::Open, video));
        assert!(!of(SourceState::Opening, SourceFormat::Unknown));
        assert!(!of(SourceState::Failed, SourceFormat::Unknown));
    }
}
