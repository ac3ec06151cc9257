//! The viewer monitor: plays the viewers' stream of each target, and compares it with the stream
//! that onair sent. It checks once per second on the studio's thread. The decoders have their own
//! threads (two per target, and one for the sent stream), which never block the studio.

mod compare;
mod evidence;
mod finding;
mod frames;
mod judge;
mod reference;
#[cfg(test)]
mod tests;
pub mod view;

use std::collections::BTreeMap;
use std::time::Duration;

pub use finding::{Finding, Trouble};
pub(crate) use reference::Reference;

use crate::base::{Clock, Latest, Secret, Timestamp, Worker};
use crate::broadcast::TargetAddress;
use crate::media::VideoFrame;
use crate::net::{self, Runtime};
use crate::player::State;
use crate::player::probe::reading::{ProbeMemory, ProbeReading};
use crate::player::probe::viewer::{ProbeTarget, ViewerProbe};
use crate::studio::event;
use crate::studio::live::monitor::compare::{Comparison, is_coming};
use crate::studio::live::monitor::evidence::{FIGURES_TIMEOUT, MatchResult, SentStream};
use crate::studio::live::monitor::finding::Symptom;
use crate::studio::live::monitor::judge::{Case, judge};
use crate::studio::live::monitor::view::{MonitorView, ViewerFrame};
use crate::studio::notices::message::StudioMessage;
use crate::studio::targets::services;
use crate::text::problem::problem;
use crate::text::{Problem, time_of_day};

/// The length of the stored history of the viewers' stream: one minute of frames, and 20 s of
/// audio.
const PROBE_MEMORY: ProbeMemory = ProbeMemory { keyframes: 64, loudness: 1_000 };
/// Pauses in seconds before an unavailable stream is retried.
const RETRY_DELAYS_SECONDS: [u64; 4] = [2, 3, 5, 10];
/// Time limit for the end of the threads.
const STOP_TIMEOUT: Duration = Duration::from_millis(800);

/// A target to be monitored.
#[derive(Debug)]
pub(crate) struct WantedMonitor {
    pub id: u32,
    /// The URL in events, without the key.
    pub url: String,
    pub host: String,
    /// The playback address, if it differs from the publishing address; it can be empty.
    pub play_url: Secret,
    /// The publishing address.
    pub publish: TargetAddress,
    /// The options of the publishing connection.
    pub net: net::Options,
    /// True if the target currently accepts the stream.
    pub live: bool,
    /// The intentional delay of the stream.
    pub delay: Duration,
    /// True if the target gets other audio than the program's.
    pub has_own_sound: bool,
    /// The number of frames that onair has dropped for the target.
    pub dropped_frames: u64,
}

/// Report of the viewer monitor to the engine.
#[derive(Debug)]
pub(crate) enum MonitorNews {
    /// The state for the command line.
    Event(event::Monitor),
    /// A fault has begun.
    Begun(StudioMessage),
    /// A fault has ended. The fields are the message's key and the host.
    Over { key: &'static str, host: String },
    /// All faults have ended, after this duration.
    Well(StudioMessage),
}

/// The monitor of one target.
#[derive(Debug)]
struct TargetMonitor {
    url: String,
    host: String,
    play_url: Secret,
    publish: TargetAddress,
    probe: Option<ViewerProbe>,
    /// The reason why the stream cannot be played.
    unavailable: Option<Problem>,
    place: Option<ProbeTarget>,
    again_at: Timestamp,
    tries: usize,
    live_since: Option<Timestamp>,
    delay: Duration,
    /// True if the sent audio is not known here.
    has_own_sound: bool,
    dropped_frames: u64,
    dropped_at: Option<Timestamp>,
    /// The last reading.
    seen: Option<ProbeReading>,
    /// The current faults.
    findings: Vec<Finding>,
    /// The time since which there has been a fault.
    wrong_since: Option<Timestamp>,
    comparison: Comparison,
    /// The time of the last check.
    now: Timestamp,
    frame: Latest<VideoFrame>,
    /// The empty slot that is shown while no data arrives.
    no_frame: Latest<VideoFrame>,
    last_event: Option<event::Monitor>,
    last_signs: Vec<Symptom>,
}

/// The monitors of all targets.
#[derive(Debug, Default)]
pub(crate) struct Monitors {
    reference: Option<Reference>,
    each: BTreeMap<u32, TargetMonitor>,
    /// The ends of the faults that ended monitors had found.
    over: Vec<MonitorNews>,
}

impl Monitors {
    /// Returns true if no target is monitored.
    pub fn is_empty(&self) -> bool {
        self.each.is_empty()
    }

    /// Sets the targets to monitor. `begin` returns a subscription to the sent stream.
    pub fn follow(
        &mut self,
        wanted: Vec<WantedMonitor>,
        begin: impl FnOnce() -> Option<Reference>,
        runtime: &Runtime,
        clock: Clock,
    ) -> Vec<Worker> {
        // A monitor of an earlier address would judge a stream that no longer exists.
        let is_gone = |one: &TargetMonitor, id: u32| !wanted.iter().any(|it| one.is_for(id, it));
        let gone = self.each.extract_if(.., |id, one| is_gone(one, *id)).map(|(_, one)| one);
        let gone: Vec<TargetMonitor> = gone.collect();
        self.over.extend(gone.iter().flat_map(TargetMonitor::ends));
        let probes: Vec<ViewerProbe> = gone.into_iter().filter_map(|one| one.probe).collect();
        let reference = self.reference.take_if(|_| wanted.is_empty());
        if self.reference.is_none() && !wanted.is_empty() {
            self.reference = begin();
        }
        for it in wanted {
            let one = self.each.entry(it.id).or_insert_with(|| TargetMonitor::new(&it, clock));
            one.follow(&it, runtime, clock);
        }
        ending(probes, reference)
    }

    /// Ends all monitors in the background.
    pub fn end(&mut self) -> Vec<Worker> {
        let each = std::mem::take(&mut self.each);
        let probes = each.into_values().filter_map(|one| one.probe).collect();
        ending(probes, self.reference.take())
    }

    /// Compares the received streams with the stream that onair sent.
    pub fn poll(&mut self, now: Timestamp) -> Vec<MonitorNews> {
        let mut news = std::mem::take(&mut self.over);
        let Some(reference) = &mut self.reference else { return news };
        reference.with(now, |sent| {
            for (id, one) in &mut self.each {
                let unknown = SentStream { has_audio: false, ..*sent };
                let sent = if one.has_own_sound { &unknown } else { sent };
                one.poll(*id, sent, now, &mut news);
            }
        });
        news
    }

    /// Returns the state of one target for the window and the statistics.
    pub fn view(&self, id: u32) -> Option<MonitorView> {
        self.each.get(&id).map(TargetMonitor::view)
    }
}

/// Ends these probes on a separate thread.
fn ending(probes: Vec<ViewerProbe>, reference: Option<Reference>) -> Vec<Worker> {
    if probes.is_empty() && reference.is_none() {
        return Vec::new();
    }
    let end = move |_: &crate::base::Stop| {
        // Dropping the reference only requests its end, so it ends while the probes are stopped.
        drop(reference);
        for probe in probes {
            probe.stop(STOP_TIMEOUT);
        }
    };
    Worker::spawn("monitor-end", end)
        .inspect_err(
            |error| tracing::warn!(%error, "no thread could be started to end the viewer monitor"),
        )
        .into_iter()
        .collect()
}

impl TargetMonitor {
    fn new(wanted: &WantedMonitor, clock: Clock) -> Self {
        let now = clock.now();
        let service = services::of_host(wanted.publish.host());
        let (place, unavailable) = match service {
            _ if !wanted.play_url.is_empty() => {
                (Some(ProbeTarget::Address(wanted.play_url.clone())), None)
            }
            Some(service) => {
                (None, Some(problem!("monitor-service", service = service.name.to_string())))
            }
            None => match (wanted.publish.as_rtmp(), wanted.publish.play_address()) {
                (Some(url), _) => (Some(ProbeTarget::Rtmp(Box::new(url.clone()))), None),
                (None, Some(url)) => (Some(ProbeTarget::Address(url)), None),
                (None, None) => (None, Some(problem!("monitor-no-play-url"))),
            },
        };
        Self {
            url: wanted.url.clone(),
            host: wanted.host.clone(),
            play_url: wanted.play_url.clone(),
            publish: wanted.publish.clone(),
            probe: None,
            unavailable,
            place,
            again_at: now,
            tries: 0,
            live_since: None,
            delay: wanted.delay,
            has_own_sound: wanted.has_own_sound,
            dropped_frames: wanted.dropped_frames,
            dropped_at: None,
            seen: None,
            findings: Vec::new(),
            wrong_since: None,
            comparison: Comparison::default(),
            now,
            frame: Latest::default(),
            no_frame: Latest::default(),
            last_event: None,
            last_signs: Vec::new(),
        }
    }

    /// Returns true if this is the monitor of the target with this id, under the same addresses.
    fn is_for(&self, id: u32, wanted: &WantedMonitor) -> bool {
        wanted.id == id
            && (&wanted.host, &wanted.play_url) == (&self.host, &self.play_url)
            && wanted.publish == self.publish
    }

    /// Returns the ends of the current faults, for a monitor that ends.
    fn ends(&self) -> impl Iterator<Item = MonitorNews> {
        self.findings
            .iter()
            .map(|finding| MonitorNews::Over { key: key(finding.trouble), host: self.host.clone() })
    }

    /// Starts a probe as soon as the stream can be played, and retries.
    fn follow(&mut self, wanted: &WantedMonitor, runtime: &Runtime, clock: Clock) {
        let now = clock.now();
        self.delay = wanted.delay;
        if self.dropped_frames != wanted.dropped_frames {
            (self.dropped_frames, self.dropped_at) = (wanted.dropped_frames, Some(now));
        }
        self.live_since = wanted.live.then(|| self.live_since.unwrap_or(now));
        let over = self.probe.as_ref().is_some_and(|probe| probe.seen().state.is_final());
        if over && now >= self.again_at {
            self.seen = self.probe.take().map(|probe| probe.seen());
        }
        if self.probe.is_some() || !wanted.live || now < self.again_at {
            return;
        }
        let Some(place) = &self.place else { return };
        let pause = RETRY_DELAYS_SECONDS
            .get(self.tries)
            .or(RETRY_DELAYS_SECONDS.last())
            .copied()
            .unwrap_or(10);
        self.tries += 1;
        // The pause counts from the start of this attempt.
        self.again_at = now + Duration::from_secs(pause);
        let mut net = wanted.net.clone();
        if matches!(place, ProbeTarget::Address(_)) {
            // The pinned certificate belongs to the server that the stream is published to.
            net.trust.pin = None;
        }
        match ViewerProbe::open(place, &net, runtime, clock, PROBE_MEMORY, self.frame.clone()) {
            Ok(probe) => self.probe = Some(probe),
            Err(failure) => {
                self.place = None;
                self.unavailable = Some(failure.problem);
            }
        }
    }

    fn poll(
        &mut self,
        id: u32,
        sent: &SentStream<'_>,
        now: Timestamp,
        news: &mut Vec<MonitorNews>,
    ) {
        if let Some(probe) = &self.probe {
            let seen = probe.seen();
            // During a retry after a failure or an end, that is still reported.
            let opening = matches!(seen.state, State::Starting | State::Opening { .. });
            let failed = self.seen.as_ref().is_some_and(|it| it.state.is_final());
            if !(opening && failed && self.live_since.is_some()) {
                if seen.state == State::Playing {
                    self.tries = 0;
                }
                self.seen = Some(seen);
            }
        }
        self.now = now;
        if let Some(seen) = &self.seen {
            self.comparison.update(now, self.delay, seen, sent);
        }
        let findings = match (&self.seen, self.live_since) {
            (Some(seen), Some(live_since)) => judge(&Case {
                now,
                live_since,
                delay: self.delay,
                latency: self.comparison.latency(now, seen).map(|(latency, _)| latency),
                dropped_at: self.dropped_at,
                proof: self.comparison.proof(now),
                seen,
                sent,
            }),
            _ => Vec::new(),
        };
        self.tell(findings, now, news);
        let event = self.event(id);
        let signs: Vec<Symptom> = self.findings.iter().map(|it| it.sign).collect();
        let other = self.last_event.as_ref().is_none_or(|last| differs(last, &event));
        if other || self.last_signs != signs {
            self.last_event = Some(event.clone());
            self.last_signs = signs;
            news.push(MonitorNews::Event(event));
        }
    }

    /// Reports new and ended faults.
    fn tell(&mut self, mut findings: Vec<Finding>, now: Timestamp, news: &mut Vec<MonitorNews>) {
        let alike = |a: &Finding, b: &Finding| (a.trouble, a.sign) == (b.trouble, b.sign);
        for finding in &mut findings {
            // Only the newest frames are stored, so an earlier start time is kept.
            let old = self.findings.iter().find(|old| alike(old, finding));
            finding.since = old.map_or(finding.since, |old| old.since.min(finding.since));
            // The time of day stays the same, even if the computer sleeps in the meantime.
            finding.since_micros = match old {
                Some(old) if old.since == finding.since => old.since_micros,
                _ => finding.since.map(|it| Clock::system_micros() - now.micros_since(it)),
            };
        }
        let old = std::mem::replace(&mut self.findings, findings);
        for finding in &self.findings {
            if !old.iter().any(|it| alike(it, finding)) {
                news.push(MonitorNews::Begun(self.message(finding)));
            }
        }
        for finding in &old {
            if !self.findings.iter().any(|it| it.trouble == finding.trouble) {
                let key = key(finding.trouble);
                news.push(MonitorNews::Over { key, host: self.host.clone() });
            }
        }
        if !self.findings.is_empty() {
            self.wrong_since.get_or_insert(now);
        } else if self.live_since.is_none() {
            self.wrong_since = None;
        } else if self.state() == "ok"
            && let Some(since) = self.wrong_since.take()
        {
            let seconds = format!("{:.0}", now.since(since).as_secs_f64());
            news.push(MonitorNews::Well(StudioMessage::MonitorWell {
                host: self.host.clone(),
                seconds,
            }));
        }
    }

    fn message(&self, finding: &Finding) -> StudioMessage {
        StudioMessage::Monitor {
            key: key(finding.trouble),
            host: self.host.clone(),
            cause: self.cause(finding),
        }
    }

    /// Returns the text of a fault, with its start time instead of a duration, which would be wrong
    /// a second later.
    fn cause(&self, finding: &Finding) -> Problem {
        finding.cause.problem(&finding.since_micros.map(time_of_day).unwrap_or_default())
    }

    /// Returns the last reading, if data is still arriving.
    fn coming(&self) -> Option<&ProbeReading> {
        self.seen.as_ref().filter(|seen| is_coming(self.now, seen))
    }

    fn state(&self) -> &'static str {
        match self.findings.first() {
            _ if self.unavailable.is_some() => "unavailable",
            Some(finding) => finding.trouble.name(),
            None if self.live_since.is_none() => "waiting",
            None => match self.seen.as_ref().map(|seen| &seen.state) {
                Some(State::Playing) => match self.comparison.proof(self.now) {
                    MatchResult::Matched => "ok",
                    MatchResult::Unsure => "unsure",
                    MatchResult::Comparing | MatchResult::Different => "comparing",
                },
                _ => "waiting",
            },
        }
    }

    fn event(&self, id: u32) -> event::Monitor {
        let seen = self.coming();
        let video = seen.filter(|seen| self.is_fresh(seen.last_video));
        let audio = seen.filter(|seen| self.is_fresh(seen.last_audio));
        let latency = seen.and_then(|seen| self.comparison.latency(self.now, seen));
        let marked = video.and(audio).filter(|_| self.comparison.is_marked());
        let finding = self.findings.first();
        let state = self.state();
        event::Monitor {
            index: id as usize,
            url: self.url.clone(),
            state,
            troubles: self.findings.iter().map(|it| it.trouble.name()).collect(),
            latency_ms: latency.map(|(latency, _)| latency.as_secs_f64() * 1e3),
            latency_by: latency.map(|(_, by)| by.name()),
            av_offset_ms: marked.and_then(|seen| seen.av_offset_ms),
            size: video.and_then(|seen| seen.size),
            fps: video.and_then(|seen| seen.fps),
            bitrate: seen.map(|seen| seen.bitrate),
            video: video.map(|seen| seen.video.clone()).filter(|name| !name.is_empty()),
            audio: audio.map(|seen| seen.audio.clone()).filter(|name| !name.is_empty()),
            cause: match (finding, state) {
                (Some(finding), _) => Some(self.cause(finding)),
                (None, "unsure") => Some(problem!("monitor-unsure")),
                (None, _) => self.unavailable.clone(),
            },
            notice: match (finding, &self.unavailable) {
                (Some(finding), _) => Some(self.message(finding).problem()),
                (None, Some(cause)) => Some(problem!("monitor-no-address", cause = cause)),
                (None, None) => None,
            },
        }
    }

    fn is_fresh(&self, last: Option<Timestamp>) -> bool {
        last.is_some_and(|last| self.now.since(last) < FIGURES_TIMEOUT)
    }

    fn view(&self) -> MonitorView {
        let event = self.event(0);
        let latency = self.coming().and_then(|seen| self.comparison.latency(self.now, seen));
        let frame = if event.size.is_some() { &self.frame } else { &self.no_frame };
        MonitorView {
            host: self.host.clone(),
            state: event.state,
            cause: event.cause.unwrap_or_default(),
            latency: latency.map(|(latency, _)| latency),
            latency_by: latency.map(|(_, by)| by),
            av_offset_ms: event.av_offset_ms,
            size: event.size,
            fps: event.fps,
            bitrate: event.bitrate.unwrap_or_default(),
            frame: ViewerFrame(frame.clone()),
        }
    }
}

/// Returns the key of the fault's message.
fn key(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Unreachable => "monitor-unreachable",
        Trouble::NoStream => "monitor-no-stream",
        Trouble::Stalled => "monitor-stalled",
        Trouble::Different => "monitor-different",
        Trouble::Black => "monitor-black",
        Trouble::Frozen => "monitor-frozen",
        Trouble::Silent => "monitor-silent",
        Trouble::Late => "monitor-late",
        Trouble::WrongSize => "monitor-wrong-size",
    }
}

/// Returns true if another event line is needed. Figures do not count, because they change
/// constantly and are in `stats`.
fn differs(last: &event::Monitor, now: &event::Monitor) -> bool {
    (last.state, &last.troubles) != (now.state, &now.troubles)
        || (last.size, last.latency_by) != (now.size, now.latency_by)
        || (last.av_offset_ms.is_none() && now.av_offset_ms.is_some())
}
