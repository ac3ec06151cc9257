//! The program: its video and audio, on air or not. It owns the compositor, the mixer and the
//! chosen sources, and supplies the broadcast with video and audio.

#[cfg(test)]
mod change_tests;
#[cfg(test)]
pub(crate) mod lip_sync_tests;
#[cfg(test)]
mod open_tests;
mod outputs;
pub(crate) mod source_strips;
mod video;

pub use outputs::{ProgramQueues, ProgramSound};

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::audio::{self, AudioChoice};
use crate::base::{Clock, Latest, Timestamp};
use crate::capture::{self, LiveProperties, VideoChoice};
use crate::compose::degradation::Degradation;
use crate::compose::filter::Slot;
use crate::compose::scene::{Plan, SceneId, SourceId};
use crate::compose::transition::Transition;
use crate::compose::{self, Compositor, SideView, ViewOf};
use crate::media::playback_control::{EndBehavior, SkippedFile};
use crate::media::source_status::SourceReport;
use crate::media::{FrameGrid, FrameRate, ProgramId, Size, Transport, VideoFrame};
use crate::mix::{self, Mixer};
use crate::studio::mixer;
use crate::studio::mixer::fallback::StripFallback;
use crate::studio::mixer::{AudioStrip, StripEnd, Strips};
use crate::studio::notices::message::StudioMessage;
use crate::studio::scenes::{Collection, MAIN_SOURCE};
use crate::studio::sources::missing_files::{FileNews, MissingFiles};
use crate::studio::sources::open::{Shape, SourceOpener};
use crate::studio::sources::transition_assets::TransitionLoader;
use crate::studio::sources::video_filters::Filters;
use crate::studio::sources::{self, Chosen, Sources};
use crate::studio::targets::quality::Quality;

/// Time limit for the end of a part.
const STOP_TIMEOUT: Duration = Duration::from_millis(500);

/// The reason why the program could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Compose(#[from] compose::Error),
    #[error(transparent)]
    Mix(#[from] mix::Error),
}

/// The messages of a retry.
#[derive(Debug, Default)]
pub struct RetryReport {
    pub messages: Vec<StudioMessage>,
    /// Messages for strips, with the choices of the strips, to avoid repeated messages.
    pub strips: Vec<(AudioChoice, StudioMessage)>,
}

/// The content of another program's canvas.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum CanvasContent {
    Scene(SceneId),
    /// One source alone, with its filters.
    Source(SourceId),
}

/// The canvas of another program made from the same sources, and its content.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct OtherCanvas {
    pub shows: CanvasContent,
    pub size: Size,
    /// The frame rate, at most that of the main program.
    pub rate: FrameRate,
}

/// The running program.
#[derive(Debug)]
pub struct Program {
    clock: Clock,
    grid: FrameGrid,
    compositor: Compositor,
    mixer: Mixer,
    media: SourceOpener,
    video: Chosen<VideoChoice>,
    /// True if a scene without a source gives black video, and not only audio.
    keeps_video: bool,
    /// The live properties of the main video source.
    dials: LiveProperties,
    /// Sources of a scene that is being replaced, and the time until which they are visible.
    leaving: Vec<(SourceId, Timestamp)>,
    /// The visible sources with those in `leaving`; `seen_changed` is true after a change.
    seen: BTreeSet<SourceId>,
    seen_changed: bool,
    sources: Sources,
    filters: Filters,
    transition_assets: TransitionLoader,
    /// The current plans, before shared sources are resolved.
    plans: (Plan, Option<(Plan, Latest<VideoFrame>)>),
    /// The plan at the other end of the T-bar, while the program shows a part of it.
    t_bar: Option<Plan>,
    /// The views in addition to the program, before shared sources are resolved.
    views: BTreeMap<ViewOf, SideView>,
    /// The plans of other programs, before shared sources are resolved.
    others: BTreeMap<ProgramId, (OtherCanvas, Plan)>,
    /// The slots for frames of other programs that the window shows.
    canvas_views: BTreeMap<ProgramId, Latest<VideoFrame>>,
    audio: Chosen<AudioChoice>,
    audio_end: StripEnd,
    audio_fallback: StripFallback,
    strips: Strips,
    /// Files that could not be opened.
    absent: MissingFiles,
}

impl Program {
    /// Starts a program of this quality that shows the placeholder and is silent.
    pub fn start(
        clock: Clock,
        quality: &Quality,
        preview: Latest<VideoFrame>,
        media: SourceOpener,
    ) -> Result<Self, Error> {
        let grid = FrameGrid { origin: clock.now(), rate: quality.frame_rate };
        let compositor =
            Compositor::spawn(compose::Config { size: quality.size, grid, clock }, preview)?;
        Self::with(clock, quality, compositor, media)
    }

    /// Creates a program whose frames a test requests at any instant.
    #[cfg(test)]
    fn by_hand(
        clock: Clock,
        quality: &Quality,
        media: SourceOpener,
    ) -> Result<(Self, compose::Ticker), Error> {
        let grid = FrameGrid { origin: clock.now(), rate: quality.frame_rate };
        let config = compose::Config { size: quality.size, grid, clock };
        let (compositor, ticker) = Compositor::by_hand(config, Latest::default());
        Ok((Self::with(clock, quality, compositor, media)?, ticker))
    }

    fn with(
        clock: Clock,
        quality: &Quality,
        compositor: Compositor,
        media: SourceOpener,
    ) -> Result<Self, Error> {
        let grid = compositor.config().grid;
        let mixer = Mixer::spawn(mix::Config {
            rate: quality.sample_rate,
            channels: quality.channels,
            origin: grid.origin,
            clock,
        })?;
        Ok(Self {
            clock,
            grid,
            compositor,
            mixer,
            media,
            video: Chosen::nothing(VideoChoice::None),
            keeps_video: false,
            dials: LiveProperties::default(),
            leaving: Vec::new(),
            seen: BTreeSet::new(),
            seen_changed: false,
            sources: Sources::default(),
            filters: Filters::default(),
            transition_assets: TransitionLoader::default(),
            plans: (Plan::simple(MAIN_SOURCE), None),
            t_bar: None,
            views: BTreeMap::new(),
            others: BTreeMap::new(),
            canvas_views: BTreeMap::new(),
            audio: Chosen::nothing(AudioChoice::None),
            audio_end: StripEnd::default(),
            audio_fallback: StripFallback::default(),
            strips: Strips::default(),
            absent: MissingFiles::default(),
        })
    }

    /// Shows this video source. If the source cannot be opened, shows the placeholder and returns
    /// the message.
    pub fn select_video(&mut self, choice: VideoChoice) -> Option<StudioMessage> {
        let shape = self.shape();
        let opened = match &choice {
            VideoChoice::None => Ok(None),
            choice => {
                self.dials = LiveProperties::default();
                self.media.open_video(choice, &self.dials, &shape).map(Some)
            }
        };
        let opened = opened.map(|it| it.map(|source| (source.feed, source.status)));
        let (feed, chosen, message) = sources::settle(choice, opened);
        self.compositor.give(MAIN_SOURCE, sources::frames_of(&chosen.choice, feed));
        self.video = chosen;
        message
    }

    /// Returns the format of the program for its sources.
    fn shape(&self) -> Shape {
        let mix::Config { rate, channels, .. } = self.mixer.config();
        let size = self.compositor.config().size;
        let (clock, grid) = (self.clock, self.grid);
        Shape {
            video: capture::Context { clock, grid, size },
            audio: audio::Context { clock, grid, rate, channels, at_end: EndBehavior::Loop },
        }
    }

    /// Sets the sources of the scenes in addition to the main video source, and all their filters.
    pub fn set_sources(&mut self, collection: &Collection) -> Vec<StudioMessage> {
        self.set_shown_files(&collection.sources);
        let _held = self.hold();
        let shape = self.shape();
        let mut open = |choice: &VideoChoice, dials: &LiveProperties| {
            self.media.open_video(choice, dials, &shape)
        };
        let report = self.video.report();
        let main = (&self.video.choice, &report);
        let messages = self.sources.sync(collection, main, &mut open, &self.compositor);
        self.dials.set_fallback(self.sources.watches_main(collection, &self.video.choice));
        self.filters.sync(collection, &self.compositor);
        self.transition_assets.sync(collection.transitions(), &shape);
        // The sources that share an open source may have changed.
        let (plan, preview) = self.plans.clone();
        self.show(plan, None);
        self.prepare(preview);
        self.set_views(self.views.clone());
        for (id, canvas) in self.others.iter().map(|(id, other)| (*id, other.0)).collect::<Vec<_>>()
        {
            self.set_other(id, Some(canvas), collection);
        }
        messages
    }

    /// Sets the canvas of another program, whose frames are drawn only while it has an encoder.
    /// `None` ends that program.
    pub fn set_other(
        &mut self,
        id: ProgramId,
        canvas: Option<OtherCanvas>,
        collection: &Collection,
    ) {
        self.others.remove(&id);
        let other = canvas.map(|canvas| {
            let plan = match canvas.shows {
                CanvasContent::Scene(scene) => collection.program_plan(scene),
                CanvasContent::Source(source) => Plan::simple(source),
            };
            let preview = self.canvas_views.get(&id).cloned();
            self.others.insert(id, (canvas, plan.clone()));
            let OtherCanvas { size, rate, .. } = canvas;
            let plan = Arc::new(self.sources.resolve(plan));
            compose::OtherProgram { plan, size, rate, preview }
        });
        self.attend();
        self.compositor.set_other(id, other);
    }

    /// Returns a guard. When it is dropped, all changes are applied together.
    pub fn hold(&self) -> compose::ChangeGuard {
        self.compositor.hold()
    }

    /// Sets the sources of the scenes and the displayed plan. No frame contains only a part of the
    /// change.
    pub fn change(
        &mut self,
        collection: &Collection,
        plan: Plan,
        transition: Option<Transition>,
    ) -> Vec<StudioMessage> {
        let _held = self.hold();
        let messages = self.set_sources(collection);
        self.show(plan, transition);
        messages
    }

    /// Shows this plan. With a transition, the plan is that of another scene.
    pub fn show(&mut self, plan: Plan, transition: Option<Transition>) {
        // The compositor then only cuts, and the audio of a stinger must not play without its video.
        let cuts = self.compositor.figures().degradation >= Degradation::Transitions;
        let transition = transition.map(|it| if cuts { Transition::CUT } else { it });
        if let Some(transition) = &transition {
            let until = self.clock.now() + transition.hides_after();
            let leaving = self.plans.0.sources().map(|id| (id, until));
            self.leaving.extend(leaving);
        }
        if transition.is_none() {
            self.keep_leaving_items(&plan);
        }
        self.plans.0.clone_from(&plan);
        self.attend();
        let (now, shape) = (self.clock.now(), self.shape());
        let change =
            transition.map(|it| self.transition_assets.change(it, &self.mixer, now, &shape));
        self.compositor.show(Arc::new(self.sources.resolve(plan)), change);
    }

    /// Informs the sources about their visibility.
    pub(super) fn attend(&mut self) {
        let now = self.clock.now();
        self.leaving.retain(|(_, until)| *until > now);
        let leaving = self.leaving.iter().map(|(id, _)| *id);
        let others = self.others.values().flat_map(|(_, plan)| plan.sources());
        let others = others.chain(self.t_bar.iter().flat_map(Plan::sources));
        let seen = self.plans.0.sources().chain(others).chain(leaving).collect();
        self.seen_changed |= seen != self.seen;
        self.seen = seen;
        self.dials.set_alone(self.sources.attend(&self.seen) == Some(MAIN_SOURCE));
        let preview = self.plans.1.iter().flat_map(|(plan, _)| plan.sources());
        let looked_at = self.views.values().flat_map(|view| view.plan.sources());
        let drawn = self.seen.iter().copied().chain(preview).chain(looked_at).collect();
        self.sources.unwatch(&drawn, &self.video);
    }

    /// Returns the control with which a source is paused and moved to another position.
    pub fn transport(&self, id: SourceId) -> Transport {
        self.sources.transport(id).unwrap_or_else(|| self.dials.transport())
    }

    pub fn retry_missing_files(&mut self) -> RetryReport {
        let mut wanted = BTreeSet::new();
        if self.video.failed() {
            wanted.extend(self.video.choice.path().map(Path::to_owned));
        }
        if self.audio.failed() {
            wanted.extend(self.audio.choice.path().map(Path::to_owned));
        }
        let sources = self.sources.failed().filter_map(VideoChoice::path);
        wanted.extend(sources.map(Path::to_owned));
        let strips = self.strips.failed().filter_map(AudioChoice::path);
        wanted.extend(strips.map(Path::to_owned));
        wanted.extend(self.filters.failed().map(Path::to_owned));
        wanted.extend(self.transition_assets.skipped_files().map(|it| it.path));
        let due = self.absent.check(self.clock.now(), &wanted);
        if due.is_empty() { RetryReport::default() } else { self.retry(Some(&due)) }
    }

    /// Retries failed sources: the files in `due`, or everything at the user's request (`None`).
    pub fn retry(&mut self, due: Option<&BTreeSet<PathBuf>>) -> RetryReport {
        let shape = self.shape();
        let (asked, mut messages) = (due.is_none(), Vec::new());
        // The results of these two calls are reported as soon as they are known.
        self.filters.retry(due);
        self.transition_assets.retry(due, &shape);
        let is_due =
            |path: Option<&Path>| due.is_none_or(|due| path.is_some_and(|path| due.contains(path)));
        if self.video.failed() && is_due(self.video.choice.path()) {
            self.dials = LiveProperties::default();
            let opened = self.media.open_video(&self.video.choice, &self.dials, &shape);
            let opened = opened.map(|source| (source.feed, source.status));
            let (feed, message) = sources::retry(&mut self.video, opened, asked);
            if feed.is_some() {
                self.compositor.give(MAIN_SOURCE, sources::frames_of(&self.video.choice, feed));
            }
            messages.extend(message);
        }
        if self.audio.failed() && is_due(self.audio.choice.path()) {
            let opened = self.media.open_audio(&self.audio.choice, self.audio_end.at_end, &shape);
            let opened = opened.map(|source| {
                let rate = shape.audio.rate;
                let source = self.audio_fallback.over(&self.audio.choice, source, rate);
                self.audio_end.follow(source.transport);
                (source.feed, source.status)
            });
            let (feed, message) = sources::retry(&mut self.audio, opened, asked);
            if feed.is_some() {
                self.mixer.set_feed(mix::StripId::MAIN, feed);
            }
            messages.extend(message);
        }
        let mut open = |choice: &VideoChoice, dials: &LiveProperties| {
            self.media.open_video(choice, dials, &shape)
        };
        let shown = |choice: &VideoChoice| is_due(choice.path());
        messages.extend(self.sources.retry(shown, asked, &mut open, &self.compositor));
        let mut open = |choice: &AudioChoice, at_end| self.media.open_audio(choice, at_end, &shape);
        let is_audio_due = |choice: &AudioChoice| is_due(choice.path());
        let mut strips = self.strips.retry(is_audio_due, asked, &mut open, &self.mixer);
        if asked {
            // Without a request from the user, fallbacks wait for their own retry time.
            let now = self.clock.now();
            let mut open =
                |choice: &AudioChoice| self.media.open_audio(choice, EndBehavior::Loop, &shape);
            strips.extend(self.strips.retry_fallbacks(now, &mut open));
            strips.extend(self.audio_fallback.retry(now, true, &mut open));
        }
        RetryReport { messages, strips }
    }

    /// Returns the state of a scene source.
    pub fn source_report(&self, id: SourceId) -> SourceReport {
        self.sources.report(id).unwrap_or_else(|| self.video.report())
    }

    /// Returns the changes of scene sources since the last call.
    pub fn source_changes(&mut self) -> Vec<sources::SourceChange> {
        self.media.tidy();
        self.attend();
        self.sources.changes()
    }

    /// Returns the names of the sources whose skipped files changed since the last call. If a
    /// source still skips files, its message is included.
    pub fn files_left_out(&mut self) -> Vec<(String, Option<StudioMessage>)> {
        self.sources.left_out()
    }

    /// Returns true if the fallbacks must change. The caller must then call
    /// [`Program::set_sources`].
    pub fn is_out_otherwise(&self, collection: &Collection) -> bool {
        let report = self.video.report();
        self.sources.is_out_otherwise(collection, (&self.video.choice, &report))
    }

    /// Returns the last reports of scene sources that are closed or renamed.
    pub fn sources_closed(&mut self) -> Vec<(String, SourceReport)> {
        self.sources.closed()
    }

    /// Returns the unusable files of these filters, with the reasons.
    pub fn filter_problems(&self, slots: &[Slot]) -> Vec<SkippedFile> {
        self.filters.skipped_files(slots)
    }

    /// Returns true if a visible source waits for the file of a filter.
    pub fn awaits_filters(&self) -> bool {
        self.filters.awaits(&self.seen)
    }

    /// Takes over filters' files that were read for an earlier program.
    pub fn inherit(&mut self, filters: Filters) {
        self.filters = filters.anew();
    }

    /// Returns the news of transitions' files since the last call.
    pub fn transition_changes(&mut self) -> FileNews {
        self.transition_assets.poll(&self.mixer, self.clock.now())
    }

    /// Returns the files of transitions that cannot be used, with the reasons.
    pub fn transition_problems(&self) -> Vec<SkippedFile> {
        self.transition_assets.skipped_files().collect()
    }

    /// Plays this audio source, with this end behavior. If it cannot be opened, plays silence and
    /// returns the message.
    pub fn select_audio(
        &mut self,
        choice: AudioChoice,
        at_end: EndBehavior,
    ) -> Option<StudioMessage> {
        let shape = self.shape();
        self.audio_end.set(at_end);
        let opened = match &choice {
            AudioChoice::None => Ok(None),
            choice => self.media.open_audio(choice, at_end, &shape).map(Some),
        };
        let opened = opened.map(|it| {
            it.map(|source| {
                let source = self.audio_fallback.over(&choice, source, shape.audio.rate);
                self.audio_end.follow(source.transport);
                (source.feed, source.status)
            })
        });
        if opened.is_err() {
            self.audio_fallback.bare();
        }
        let (feed, chosen, message) = sources::settle(choice, opened);
        self.mixer.set_feed(mix::StripId::MAIN, feed);
        self.audio = chosen;
        message
    }

    /// Sets the strips of the mixer and their settings. Returns the failures.
    pub fn set_strips(
        &mut self,
        strips: &[AudioStrip],
        effective_strip: &dyn Fn(&AudioStrip) -> mix::Strip,
        at_end: &dyn Fn(&AudioStrip) -> EndBehavior,
    ) -> Vec<(AudioChoice, StudioMessage)> {
        if let Some(main) = strips.iter().find(|strip| strip.id == mix::StripId::MAIN) {
            self.audio_end.set(at_end(main));
            self.audio_fallback.set(main.if_silent.as_ref());
        }
        let shape = self.shape();
        let mut open = |choice: &AudioChoice, at_end| self.media.open_audio(choice, at_end, &shape);
        self.strips.sync(strips, effective_strip, at_end, &mut open, &self.mixer)
    }

    /// Starts or ends the fallbacks of silent or lost strips, and returns the failures.
    pub fn open_audio_fallbacks(&mut self) -> Vec<(AudioChoice, StudioMessage)> {
        let shape = self.shape();
        let now = self.clock.now();
        let mut open =
            |choice: &AudioChoice| self.media.open_audio(choice, EndBehavior::Loop, &shape);
        let mut messages = self.strips.open_fallbacks(now, &mut open);
        messages.extend(self.audio_fallback.poll(&self.audio.report(), now, &mut open));
        messages
    }

    /// Restarts a strip's file.
    pub fn restart_strip(&self, id: mix::StripId) {
        if id == mix::StripId::MAIN { self.audio_end.restart() } else { self.strips.restart(id) }
    }

    /// Returns the state of a strip's source. For the main strip, use [`Program::audio_report`].
    pub fn strip_report(&self, id: mix::StripId) -> SourceReport {
        self.strips.report(id).unwrap_or_default()
    }

    /// Returns the last reports of strips' closed sources.
    pub fn strips_closed(&mut self) -> Vec<SourceReport> {
        let mut closed = self.strips.closed();
        closed.extend(self.audio_fallback.closed());
        closed
    }

    /// Returns the changes of strips since the last call.
    pub fn strip_changes(&mut self) -> Vec<mixer::StripChange> {
        let mut changes = self.strips.changes();
        changes.extend(mixer::StripChange::of(&mut self.audio_fallback));
        changes
    }

    pub fn video_choice(&self) -> &VideoChoice {
        &self.video.choice
    }

    pub fn audio_choice(&self) -> &AudioChoice {
        &self.audio.choice
    }

    /// Returns the state of the video source.
    pub fn video_report(&self) -> SourceReport {
        self.video.report()
    }

    /// Returns the state of the audio source.
    pub fn audio_report(&self) -> SourceReport {
        self.audio.report()
    }

    /// Returns the video source's report and the previous one, if its state, name or format changed
    /// since the last call.
    pub fn video_change(&mut self) -> Option<(SourceReport, SourceReport)> {
        self.video.change()
    }

    /// Returns the audio source's report and the previous one, if its state, name or format changed
    /// since the last call.
    pub fn audio_change(&mut self) -> Option<(SourceReport, SourceReport)> {
        self.audio.change()
    }

    pub fn compositor(&self) -> &Compositor {
        &self.compositor
    }

    pub fn mixer(&self) -> &Mixer {
        &self.mixer
    }

    /// Ends the compositor and the mixer, and then closes the sources. Returns the files of the
    /// filters.
    pub fn end(self) -> Filters {
        let stuck = [self.compositor.join(STOP_TIMEOUT).err(), self.mixer.join(STOP_TIMEOUT).err()];
        for stuck in stuck.into_iter().flatten() {
            tracing::warn!(%stuck, "ending the program failed");
        }
        self.filters
    }
}
