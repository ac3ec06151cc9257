//! The registry of sources. Each source is opened once, however many scenes show it, and two
//! sources with the same choice share one open source.

pub(crate) mod background_search;
pub(crate) mod camera_decoder;
pub(crate) mod choice;
pub(crate) mod fallback;
pub(crate) mod missing_files;
pub(crate) mod open;
mod shown_fallbacks;
#[cfg(test)]
mod tests;
pub(crate) mod transition_assets;
pub(crate) mod video_filters;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;

use crate::capture::{self, LiveProperties, Properties, VideoChoice, VideoFallback, WhenHidden};
use crate::compose::filter::Slot;
use crate::compose::scene::{Plan, SourceId};
use crate::compose::{Compositor, SourceFrame};
use crate::media::playback_control::{SkippedFile, TransportCommand};
use crate::media::source_status::{SourceAlarm, SourceReport, SourceState, SourceStatus};
use crate::media::{Transport, VideoFeed};
use crate::studio::notices::message::StudioMessage;
use crate::studio::scenes::{Collection, MAIN_SOURCE, Source};
use crate::studio::sources::choice::{SourceChoice, failure, label};
use crate::text::Problem;

/// A chosen source and its state.
#[derive(Debug)]
pub struct Chosen<C> {
    pub choice: C,
    /// The status; `None` for the choice `none` and for a source that could not be started.
    pub status: Option<Arc<SourceStatus>>,
    /// The last report.
    pub last_report: SourceReport,
    /// True if [`Chosen::change`] has returned the failure to start.
    is_failure_reported: bool,
}

impl<C> Chosen<C> {
    /// Creates the state of a choice for which no source is open.
    pub fn nothing(choice: C) -> Self {
        Self::new(choice, None, SourceReport::default())
    }

    fn new(choice: C, status: Option<Arc<SourceStatus>>, last_report: SourceReport) -> Self {
        Self { choice, status, last_report, is_failure_reported: false }
    }

    /// Returns true if the source could not even be started.
    pub fn failed(&self) -> bool {
        self.status.is_none() && self.last_report.state == SourceState::Failed
    }

    /// Records that another attempt succeeded; the last report still states the failure.
    pub fn opened(&mut self, status: Arc<SourceStatus>) {
        self.status = Some(status);
    }

    /// Returns the current state.
    pub fn report(&self) -> SourceReport {
        self.status.as_ref().map_or_else(|| self.last_report.clone(), |it| it.report())
    }

    /// Clears the source's alarm, because its frames are no longer drawn.
    fn unwatched(&self) {
        let blank = |alarm: Option<SourceAlarm>| alarm.is_some_and(SourceAlarm::is_blank);
        if let Some(status) = self.status.as_ref().filter(|it| blank(it.state_and_alarm().1)) {
            status.update(|report| {
                if blank(report.alarm) {
                    report.alarm = None;
                }
            });
        }
    }

    /// Returns the report and the previous one, if the state, name or format changed since the last
    /// call. The failure to start, which already has its notice, is returned once as both reports.
    pub fn change(&mut self) -> Option<(SourceReport, SourceReport)> {
        let Some(status) = &self.status else {
            let is_new = self.failed() && !std::mem::replace(&mut self.is_failure_reported, true);
            return is_new.then(|| (self.last_report.clone(), self.last_report.clone()));
        };
        let report = status.report();
        // During the change from failed to open, nothing has changed yet.
        if self.last_report.state == SourceState::Failed && report.state == SourceState::Opening {
            return None;
        }
        let same = report.state == self.last_report.state
            && report.name == self.last_report.name
            && report.format == self.last_report.format
            && report.reason == self.last_report.reason
            && report.id == self.last_report.id
            && report.alarm == self.last_report.alarm;
        if same {
            return None;
        }
        let before = std::mem::replace(&mut self.last_report, report.clone());
        Some((report, before))
    }
}

/// Opens a video source, or returns the reason why it cannot be started.
pub type Open<'a> =
    dyn FnMut(&VideoChoice, &LiveProperties) -> Result<capture::Source, Problem> + 'a;

/// Returns the first report of a source: the reason why it failed, or otherwise a report that
/// differs from every real one.
pub fn first_report(choice: &impl Display, failed: Option<Problem>) -> SourceReport {
    match failed {
        Some(reason) => SourceReport {
            state: SourceState::Failed,
            name: label(choice),
            reason,
            ..SourceReport::default()
        },
        None => SourceReport { name: format!("({choice})"), ..SourceReport::default() },
    }
}

/// Returns the frames of a choice for the compositor.
pub fn frames_of(choice: &VideoChoice, feed: Option<Box<dyn VideoFeed>>) -> SourceFrame {
    match feed {
        Some(feed) if choice.is_still() => SourceFrame::Still(feed),
        feed => SourceFrame::Feed(feed),
    }
}

/// Handles the result of opening a source. Returns its feed if it was opened, its state, and the
/// message if it could not be started.
pub fn settle<C: SourceChoice, F>(
    choice: C,
    opened: Result<Option<(F, Arc<SourceStatus>)>, Problem>,
) -> (Option<F>, Chosen<C>, Option<StudioMessage>) {
    let (opened, failed) = match opened {
        Ok(opened) => (opened, None),
        Err(reason) => (None, Some(reason)),
    };
    let (feed, status) = opened.unzip();
    let message = failed.clone().map(|reason| failure(&choice, reason));
    let last_report = first_report(&choice, failed);
    (feed, Chosen::new(choice, status, last_report), message)
}

/// Retries a source that [`settle`] could not open. Returns its feed, or a message if the reason
/// changed or the user `asked`.
pub fn retry<C: SourceChoice, F>(
    chosen: &mut Chosen<C>,
    opened: Result<(F, Arc<SourceStatus>), Problem>,
    asked: bool,
) -> (Option<F>, Option<StudioMessage>) {
    let reason = match opened {
        Ok((feed, status)) => {
            chosen.opened(status);
            return (Some(feed), None);
        }
        Err(reason) => reason,
    };
    let now = first_report(&chosen.choice, Some(reason.clone()));
    let is_same = now.reason == chosen.last_report.reason;
    chosen.last_report = now;
    chosen.is_failure_reported &= is_same;
    (None, (asked || !is_same).then(|| failure(&chosen.choice, reason)))
}

/// A change of a scene source.
#[derive(Debug)]
pub struct SourceChange {
    pub id: SourceId,
    pub name: String,
    pub choice: VideoChoice,
    pub report: SourceReport,
    pub before: SourceReport,
}

/// An open source.
#[derive(Debug)]
struct Opened {
    name: String,
    chosen: Chosen<VideoChoice>,
    /// The handle through which the source's properties are changed.
    dials: LiveProperties,
    /// The properties that apply to the source's kind, as currently set.
    heeded: Properties,
    when_hidden: WhenHidden,
    /// True if no scene showed the source at the last check.
    hidden: Option<bool>,
    /// True if the source is paused because no scene shows it.
    stands: bool,
    /// The files that the source skips, as last reported.
    left_out: Arc<[SkippedFile]>,
}

impl Opened {
    fn new(source: &Source, chosen: Chosen<VideoChoice>, dials: LiveProperties) -> Self {
        let (name, when_hidden) = (source.name.clone(), source.properties.hidden);
        let heeded = source.properties.heeded(&source.choice);
        Self {
            name,
            chosen,
            dials,
            heeded,
            when_hidden,
            hidden: None,
            stands: false,
            left_out: Arc::default(),
        }
    }

    /// Sets whether a scene of the program shows the source, and applies its behavior while hidden.
    fn attend(&mut self, shown: bool) {
        if self.hidden == Some(!shown) {
            return;
        }
        let transport = self.dials.transport();
        let before = self.hidden.replace(!shown);
        let position = transport.position();
        let restarts = self.when_hidden == WhenHidden::Restarts
            && position.is_some_and(|it| !it.is_at_start());
        if !shown {
            // The source waits at its beginning, so that its first frame is ready when it returns.
            if restarts {
                transport.ask(TransportCommand::Restart);
            }
            let by_user = position.is_some_and(|it| it.paused && !(it.stopped && restarts));
            if self.when_hidden != WhenHidden::Plays && !by_user {
                transport.ask(TransportCommand::Pause);
                self.stands = true;
            }
            return;
        }
        // The user may have moved the hidden source.
        if restarts && before == Some(true) {
            transport.ask(TransportCommand::Restart);
        }
        if std::mem::take(&mut self.stands) {
            transport.ask(TransportCommand::Resume);
        }
    }
}

/// The sources of the scenes, in addition to the main video source.
#[derive(Debug, Default)]
pub struct Sources {
    open: BTreeMap<SourceId, Opened>,
    /// The sources that share an open source, each with the source that owns it.
    shared: BTreeMap<SourceId, SourceId>,
    /// The shared sources with other filters, which are drawn separately.
    views: BTreeSet<SourceId>,
    /// The sources that fallbacks replace.
    out: BTreeSet<SourceId>,
    /// The fallback source of each replaced source.
    fallback: BTreeMap<SourceId, SourceId>,
    /// The names that the placeholders of fallback sources display.
    placeholders: BTreeMap<SourceId, String>,
    /// The last reports of sources that are closed or renamed, each with its name.
    closed: Vec<(String, SourceReport)>,
}

/// The first of several equal sources. The other ones share its open source.
struct FirstSource<'a> {
    choice: &'a VideoChoice,
    set: Properties,
    id: SourceId,
    filters: &'a [Slot],
    fallback: &'a VideoFallback,
}

impl Sources {
    /// Opens the wanted sources that are not open, and closes those that are no longer wanted.
    /// `main` is the main video source and its state.
    pub fn sync(
        &mut self,
        collection: &Collection,
        main: (&VideoChoice, &SourceReport),
        opener: &mut Open<'_>,
        compositor: &Compositor,
    ) -> Vec<StudioMessage> {
        self.out = self.replaced_sources(collection, main);
        let stand_ins = fallback::wanted(collection, &self.out, label);
        let wanted: Vec<&Source> = collection.sources.iter().chain(&stand_ins).collect();
        let mut messages = Vec::new();
        // Two equal sources are shared only while their settings are equal.
        let mut first = vec![FirstSource {
            choice: main.0,
            set: Properties::default(),
            id: MAIN_SOURCE,
            filters: &collection.main_filters,
            fallback: &collection.main_fallback,
        }];
        self.shared.clear();
        let before = std::mem::take(&mut self.views);
        for source in &wanted {
            let set = source.properties.heeded(&source.choice);
            let mut open = first.iter();
            let same = open.find(|it| it.choice.is_same_as(&source.choice) && it.set == set);
            let Source { id, choice, filters, fallback, .. } = source;
            if let Some(of) = same.filter(|_| *choice != VideoChoice::None) {
                self.shared.insert(*id, of.id);
                // A placeholder shows the name of the source that it replaces.
                let alike = of.fallback == fallback && *fallback != VideoFallback::Placeholder;
                if of.filters != filters || !alike {
                    self.views.insert(*id);
                }
            } else {
                first.push(FirstSource { choice, set, id: *id, filters, fallback });
            }
        }
        for id in before.difference(&self.views) {
            compositor.set_source(*id, None);
        }
        self.hand_over(&first, compositor);
        let stays = |id: &SourceId, open: &Opened| {
            let wanted = first.iter().find(|it| it.id == *id);
            let same = wanted.filter(|it| it.choice.equals_but_region(&open.chosen.choice));
            // A file that could not be opened can be the first one of a playlist.
            same.is_some_and(|it| !open.chosen.failed() || it.set.files == open.heeded.files)
        };
        // Sources are closed first, because a device may be wanted under another name.
        let closed = &mut self.closed;
        self.open.retain(|id, open| {
            let stays = stays(id, open);
            if !stays {
                compositor.set_source(*id, None);
                closed.push((open.name.clone(), open.chosen.last_report.clone()));
            }
            stays
        });
        for source in wanted.iter().filter(|source| !self.shared.contains_key(&source.id)) {
            if let Some(open) = self.open.get_mut(&source.id) {
                if open.name != source.name {
                    self.closed.push((open.name.clone(), open.chosen.last_report.clone()));
                    open.chosen.last_report.alarm = None;
                    open.left_out = Arc::default();
                    open.name.clone_from(&source.name);
                    // A problem that was reported under the old name is reported again.
                    if open.chosen.failed() {
                        let reason = open.chosen.last_report.reason.clone();
                        messages.push(failed_for(source.id, &source.name, reason));
                    } else if open.chosen.last_report.state.is_down() {
                        open.chosen.last_report.state = SourceState::Opening;
                    }
                }
                if open.chosen.choice != source.choice {
                    open.dials.set_region(&source.choice);
                    open.chosen.choice.clone_from(&source.choice);
                }
                open.dials.set(&source.properties);
                open.heeded = source.properties.heeded(&source.choice);
                if open.when_hidden != source.properties.hidden {
                    // The pause state is reset: a paused source first continues.
                    open.attend(true);
                    (open.when_hidden, open.hidden) = (source.properties.hidden, None);
                }
                continue;
            }
            let (opened, failed) = open(source, opener, compositor);
            messages.extend(failed);
            self.open.insert(source.id, opened);
        }
        for id in &self.views {
            if let Some(of) = self.shared.get(id) {
                compositor.set_view(*id, *of);
            }
        }
        self.watch(collection, main.0);
        self.show_fallbacks(collection, main.1, compositor);
        messages
    }

    /// Passes an open source that is no longer wanted to another source that shared it, so that the
    /// device stays open.
    fn hand_over(&mut self, first: &[FirstSource<'_>], compositor: &Compositor) {
        let heir = |id: &SourceId, open: &Opened| {
            let choice = &open.chosen.choice;
            if first.iter().any(|it| it.id == *id && it.choice == choice) {
                return None;
            }
            let mut heirs = first.iter().filter(|it| it.id != MAIN_SOURCE && it.choice == choice);
            heirs.find(|it| it.set == open.heeded).map(|it| (*id, it.id))
        };
        let moves: Vec<_> = self.open.iter().filter_map(|(id, open)| heir(id, open)).collect();
        for (from, to) in moves {
            if self.open.contains_key(&to) {
                continue;
            }
            if let Some(open) = self.open.remove(&from) {
                compositor.hand_over(from, to);
                compositor.set_source(from, None);
                self.open.insert(to, open);
            }
        }
    }

    /// Returns the sources that could not be started.
    pub fn failed(&self) -> impl Iterator<Item = &VideoChoice> {
        self.open.values().map(|open| &open.chosen).filter(|it| it.failed()).map(|it| &it.choice)
    }

    /// Retries the sources that are `due`. Returns the new messages, or all messages if the user
    /// `asked`.
    pub fn retry(
        &mut self,
        due: impl Fn(&VideoChoice) -> bool,
        asked: bool,
        opener: &mut Open<'_>,
        compositor: &Compositor,
    ) -> Vec<StudioMessage> {
        let mut messages = Vec::new();
        for (id, open) in &mut self.open {
            let chosen = &mut open.chosen;
            if !chosen.failed() || !due(&chosen.choice) {
                continue;
            }
            match opener(&chosen.choice, &open.dials) {
                Ok(opened) => {
                    compositor.give(*id, frames_of(&chosen.choice, Some(opened.feed)));
                    chosen.opened(opened.status);
                    // The source has something to play only from now on.
                    (open.hidden, open.stands) = (None, false);
                }
                Err(reason) => {
                    let is_same = reason == chosen.last_report.reason;
                    chosen.is_failure_reported &= is_same;
                    if asked || !is_same {
                        messages.push(failed_for(*id, &open.name, reason.clone()));
                    }
                    chosen.last_report = first_report(&chosen.choice, Some(reason));
                }
            }
        }
        messages
    }

    /// Returns the id under which a source is open.
    pub fn origin(&self, id: SourceId) -> SourceId {
        self.shared.get(&id).copied().unwrap_or(id)
    }

    /// Replaces each source in the plan by the id under which it is open.
    pub fn resolve(&self, mut plan: Plan) -> Plan {
        for layer in plan.all_layers_mut() {
            let drawn_apart = self.views.contains(&layer.source);
            if let Some(id) = self.shared.get(&layer.source).filter(|_| !drawn_apart) {
                layer.source = *id;
            }
        }
        plan
    }

    /// Sets the sources that the program shows. Other sources are paused, if they are set to pause.
    /// Returns the source if only one is shown.
    pub fn attend(&mut self, shown: &BTreeSet<SourceId>) -> Option<SourceId> {
        let of = |id: &SourceId| self.origin(*id);
        let shown: BTreeSet<SourceId> = shown.iter().map(of).collect();
        let alone = shown.first().copied().filter(|_| shown.len() == 1);
        for (id, open) in &mut self.open {
            open.attend(shown.contains(id));
            open.dials.set_alone(alone == Some(*id));
        }
        alone
    }

    /// Clears the alarms of sources that are not drawn. A source that its fallback replaces keeps
    /// its alarm. Otherwise it would be shown black for seconds whenever it is retried.
    pub fn unwatch(&self, drawn: &BTreeSet<SourceId>, main: &Chosen<VideoChoice>) {
        let of = |id: &SourceId| self.origin(*id);
        let by = drawn.iter().filter_map(|id| self.fallback.get(id));
        let kept: BTreeSet<SourceId> = drawn.iter().chain(by).chain(&self.out).map(of).collect();
        let all =
            self.open.iter().map(|(id, open)| (*id, &open.chosen)).chain([(MAIN_SOURCE, main)]);
        for (id, chosen) in all {
            if !kept.contains(&id) {
                chosen.unwatched();
            }
        }
    }

    /// Returns the control for pausing a source and seeking in it, or `None` for the main video
    /// source, whose control is elsewhere.
    pub fn transport(&self, id: SourceId) -> Option<Transport> {
        self.open.get(&self.origin(id)).map(|open| open.dials.transport())
    }

    /// Returns the live properties of an open source other than the main video source.
    pub fn dials(&self, id: SourceId) -> Option<&LiveProperties> {
        self.open.get(&self.origin(id)).map(|open| &open.dials)
    }

    /// Returns the state of a source, or `None` for the main video source, whose state is
    /// elsewhere.
    pub fn report(&self, id: SourceId) -> Option<SourceReport> {
        self.open.get(&self.origin(id)).map(|open| open.chosen.report())
    }

    /// Returns the last reports, since the previous call, of sources that are closed or renamed.
    pub fn closed(&mut self) -> Vec<(String, SourceReport)> {
        std::mem::take(&mut self.closed)
    }

    /// Returns the names of the sources whose skipped files changed since the last call. If a
    /// source still skips files, its message is included. For a source that does not deliver at
    /// all, its failure is more important.
    pub fn left_out(&mut self) -> Vec<(String, Option<StudioMessage>)> {
        let changes = self.open.iter_mut().filter_map(|(id, open)| {
            let mut now = open.dials.transport().left_out();
            if open.chosen.last_report.state.is_down() {
                now = Arc::default();
            }
            if now == open.left_out {
                return None;
            }
            open.left_out = Arc::clone(&now);
            let message = now.first().map(|first| {
                let (id, source) = (fallback::owner(*id), open.name.clone());
                let path = first.path.display().to_string();
                let reason = first.reason.clone();
                match now.len() - 1 {
                    0 => StudioMessage::FileLeftOut { id, source, path, reason },
                    others => {
                        let others = others.to_string();
                        StudioMessage::FilesLeftOut { id, source, path, others, reason }
                    }
                }
            });
            Some((open.name.clone(), message))
        });
        changes.collect()
    }

    /// Returns the changes since the last call.
    pub fn changes(&mut self) -> Vec<SourceChange> {
        let changes = self.open.iter_mut().filter_map(|(id, Opened { name, chosen, .. })| {
            let (report, before) = chosen.change()?;
            let (name, choice) = (name.clone(), chosen.choice.clone());
            Some(SourceChange { id: *id, name, choice, report, before })
        });
        changes.collect()
    }
}

fn open(
    source: &Source,
    opener: &mut Open<'_>,
    compositor: &Compositor,
) -> (Opened, Option<StudioMessage>) {
    let choice = source.choice.clone();
    let dials = LiveProperties::new(&source.properties);
    if choice == VideoChoice::None {
        return (Opened::new(source, Chosen::nothing(choice), dials), None);
    }
    let (status, failed) = match opener(&choice, &dials) {
        Ok(opened) => {
            compositor.give(source.id, frames_of(&choice, Some(opened.feed)));
            (Some(opened.status), None)
        }
        Err(reason) => (None, Some(reason)),
    };
    let last_report = first_report(&choice, failed.clone());
    let chosen = Chosen::new(choice, status, last_report);
    let message = failed.map(|reason| failed_for(source.id, &source.name, reason));
    (Opened::new(source, chosen, dials), message)
}

/// Returns the message that a source of the scenes cannot be shown.
fn failed_for(id: SourceId, name: &str, reason: Problem) -> StudioMessage {
    let id = fallback::owner(id);
    StudioMessage::SourceFailed { id, source: name.to_owned(), reason }
}

/// Returns the message for a change, if one is needed.
pub fn message(change: &SourceChange) -> Option<StudioMessage> {
    // The failure to start already has its notice.
    if change.report == change.before {
        return None;
    }
    let source = change.name.clone();
    let reason = change.report.reason.clone();
    let was_down = change.before.state.is_down();
    // The fallback is set in the properties of the source that it replaces.
    let id = fallback::owner(change.id);
    let message = match change.report.state {
        SourceState::Failed => StudioMessage::SourceFailed { id, source, reason },
        SourceState::Stalled | SourceState::Lost => {
            StudioMessage::SourceLost { id, source, reason }
        }
        SourceState::Open if was_down => StudioMessage::SceneSourceBack { source },
        _ => return None,
    };
    Some(message)
}
