//! The health of a broadcast or a recording: its targets, its frame rate, and the sentence if all
//! is well.

use std::time::Duration;

use crate::compose::scene::SourceId;
use crate::media::RenditionId;
use crate::studio::event::stats::{DelayFigures, DelayState};
use crate::studio::live::view::{LiveState, MIN_FRAME_RATE_SHARE};
use crate::studio::notices::message::{
    is_ended_by_server, is_server_failure, server_text, wants_application, wants_login,
};
use crate::studio::notices::row::Group;
use crate::studio::notices::{Level, Notice, Remedy};
use crate::studio::snapshot::health::finding::{Finding, named, running_recording};
use crate::studio::snapshot::health::signal::is_partly_muted;
use crate::studio::snapshot::{Snapshot, TargetView};
use crate::studio::targets::address::AddressFault;
use crate::studio::targets::{Target, TargetState, address, services};
use crate::text::problem::{Value, problem};
use crate::text::{Problem, minutes};

/// Time from the start after which the frame rate is known.
const FRAME_RATE_DELAY: Duration = Duration::from_secs(3);
/// A backlog longer than this is visible to viewers.
const LONG_BACKLOG: Duration = Duration::from_millis(500);
/// The share of the wanted frame rate below which viewers see hardly more than single frames.
const HEAVY_LOSS_SHARE: f64 = 0.5;
/// The share of a frame's time from which drawing or encoding is the cause of a low frame rate.
const SLOW_PART_SHARE: f64 = 0.8;

/// Notices about a computer that does not keep up.
const OVERLOAD_NOTICES: &[&str] = &[
    "encoder-slow",
    "degradation-preview",
    "degradation-transitions",
    "degradation-filters",
    "degradation-rate",
];

/// Returns the name of a target.
fn name_of(target: &Target) -> Value {
    if target.is_built_in() {
        return problem!("health-built-in").into();
    }
    let service = || services::KNOWN_SERVICES.iter().find(|it| it.id == target.service);
    match (target.name.trim(), service(), services::authority_of(target.server())) {
        (name, ..) if !name.is_empty() => name.into(),
        (_, Some(service), _) => (&*service.name).into(),
        (.., Some(authority)) => authority.into(),
        _ => problem!("health-unnamed-target").into(),
    }
}

fn seconds(time: Duration) -> String {
    time.as_secs_f64().ceil().to_string()
}

/// Formats a time as `96 ms` or `1.9 s`.
fn short_time(time: Duration) -> String {
    match time.as_millis() {
        millis @ ..1_000 => format!("{millis}\u{a0}ms"),
        _ => format!("{:.1}\u{a0}s", time.as_secs_f64()),
    }
}

/// Returns the problems of the targets.
pub fn of_targets(snapshot: &Snapshot) -> Vec<Finding> {
    match &snapshot.live {
        LiveState::Stopping => Vec::new(),
        LiveState::Idle => before_going_live(snapshot).into_iter().collect(),
        LiveState::Connecting { .. } => missed(snapshot).chain(unfinished(snapshot)).collect(),
        LiveState::Reconnecting { cause, .. } => vec![off_air(snapshot, cause)],
        LiveState::OnAir => {
            let stalled = stalled(snapshot);
            missed(snapshot)
                .chain(stalled)
                .chain(closes(snapshot))
                .chain(viewers(snapshot))
                .chain(queue(snapshot))
                .chain(unfinished(snapshot))
                .collect()
        }
    }
}

/// Returns the problem that prevents going live, if any.
fn before_going_live(snapshot: &Snapshot) -> Option<Finding> {
    if snapshot.recording.is_some() || snapshot.passthrough.is_some() {
        return None;
    }
    let mut enabled = snapshot.targets.iter().map(|it| &it.target).filter(|it| it.enabled);
    let Some(first) = enabled.next() else {
        let sentence = problem!("health-no-target");
        return Some(Finding::new(Some(Level::Warning), sentence).blocking());
    };
    let mut waits = false;
    let found = std::iter::once(first).chain(enabled).find_map(|target| {
        let fault = address::fault(target)?;
        if fault == AddressFault::NoKey && snapshot.awaits_key(target) {
            waits = true;
            return None;
        }
        Some(unusable(snapshot, target, fault, Level::Warning).blocking())
    });
    // The keyring's answer does not end the other problems.
    let pending = || Finding::new(Some(Level::Info), problem!("health-keys-pending")).blocking();
    found.or_else(|| waits.then(pending))
}

/// Returns the finding that a target's address or key cannot be used.
fn unusable(snapshot: &Snapshot, target: &Target, fault: AddressFault, level: Level) -> Finding {
    let finding = |sentence| Finding::new(Some(level), sentence);
    let name = name_of(target);
    let remedy = match fault.is_of_key() {
        true => Remedy::EditKey(target.id),
        false => Remedy::EditTarget(target.id),
    };
    let silent = named(snapshot, &["keyring-silent"]).next().filter(|_| target.remembers_key());
    let finding = match fault {
        AddressFault::NoServer => finding(problem!("health-no-server", name = name)),
        AddressFault::Server(cause) => {
            finding(problem!("health-bad-address", name = name)).with_details([cause])
        }
        AddressFault::NoApplication => finding(problem!("health-no-app", name = name)),
        AddressFault::NoKey => match silent {
            Some(notice) => Finding::of_notice(notice),
            None => finding(problem!("health-no-key", name = name)),
        },
        AddressFault::Key(cause) => finding(problem!("health-bad-key", name = name, cause = cause)),
    };
    finding.with_remedy(remedy)
}

/// Returns the findings about targets that were added on air and whose address or key is not
/// complete. The user may still be typing, so this is no warning.
fn unfinished(snapshot: &Snapshot) -> impl Iterator<Item = Finding> + '_ {
    let added = move |entry: &&TargetView| {
        entry.target.enabled && entry.state.is_none() && !snapshot.awaits_key(&entry.target)
    };
    snapshot.targets.iter().filter(added).filter_map(move |entry| {
        let fault = address::fault(&entry.target)?;
        Some(unusable(snapshot, &entry.target, fault, Level::Info))
    })
}

/// Returns the notices about a target's connection.
fn about<'a>(snapshot: &'a Snapshot, target: &TargetView) -> impl Iterator<Item = &'a Notice> {
    let id = target.target.id;
    named(snapshot, Group::Target.keys()).filter(move |notice| notice.target == Some(id))
}

/// Returns the error of a target, what to check, and the next step.
fn details(target: &TargetView) -> impl Iterator<Item = Problem> {
    let (cause, check) = (target.cause.clone(), doubtful_part(target));
    let [first, second] = match (target.state, target.retry_in) {
        (Some(TargetState::Failed), _) => [cause, Some(problem!("next-given-up"))],
        (_, Some(wait)) if !wait.is_zero() => {
            let (seconds, number) = (seconds(wait), target.tries + 1);
            let next = Some(problem!("health-next-try", seconds = seconds, number = number));
            // A narrow window cuts the end of the text. An attempt does not help if the address is
            // wrong.
            if check.is_some() { [cause, next] } else { [next, cause] }
        }
        (_, _) if cause.is_some() => [cause, Some(problem!("health-trying-now"))],
        _ => [None, None],
    };
    first.into_iter().chain(check).chain(second)
}

/// Returns what to check in the address of a target that was never live, if somebody typed the address
/// and it is probably wrong.
fn doubtful_part(target: &TargetView) -> Option<Problem> {
    let was_live = target.was_live || target.state == Some(TargetState::Reconnecting);
    let is_typed = target.target.service.is_empty() && !target.target.is_built_in();
    let cause = target.cause.as_ref().filter(|_| is_typed && !was_live)?;
    match () {
        // The host or the port of the proxy is wrong.
        () if cause.contains("net-proxy-unreachable") => None,
        () if cause.contains("net-no-such-host") => Some(problem!("health-check-host")),
        () if cause.contains("net-connection-refused") => Some(problem!("health-check-port")),
        () => None,
    }
}

/// Returns the sentence and the remedy for a target whose server refuses its stream key or its
/// login, or ended its stream. A server that failed or that ends the connection may accept the
/// stream later.
fn refusal(entry: &TargetView, on_air: bool) -> Option<(Problem, Remedy)> {
    let cause = entry.cause.as_ref();
    if !entry.refused || cause.is_some_and(is_server_failure) {
        return None;
    }
    let (name, id) = (name_of(&entry.target), entry.target.id);
    let ended = cause.is_some_and(is_ended_by_server);
    let login = cause.is_some_and(wants_login);
    let is_of_key = cause.is_some_and(|cause| cause.contains("net-refused-unauthorized"));
    let words = cause.and_then(server_text).filter(|_| !is_of_key);
    let says = words.is_some();
    let application = !says && cause.is_some_and(wants_application);
    let sentence = match on_air {
        true if ended => problem!("health-partly-ended", name = name),
        false if ended => problem!("health-ended", name = name),
        true if application => problem!("health-partly-app", name = name),
        false if application => problem!("health-app-refused", name = name),
        true if login => problem!("health-partly-login", name = name),
        false if login => problem!("health-login", name = name),
        _ if let Some(words) = words => match on_air {
            true => problem!("health-partly-says", name = name, words = words),
            false => problem!("health-says", name = name, words = words),
        },
        true => problem!("health-partly-refused", name = name),
        false => problem!("health-refused", name = name),
    };
    let remedy = match () {
        () if ended => retry(entry),
        () if login || application || says => Remedy::EditTarget(id),
        () => Remedy::EditKey(id),
    };
    Some((sentence, remedy))
}

/// Returns the remedy for a target whose server refuses nothing.
fn retry(entry: &TargetView) -> Remedy {
    match entry.state {
        _ if doubtful_part(entry).is_some() => Remedy::EditTarget(entry.target.id),
        Some(TargetState::Failed) => Remedy::StartTarget(entry.target.id),
        _ => Remedy::RetryNow,
    }
}

/// Returns the sentence for a target that was never live and does not refuse the stream. It goes by
/// the stage that was reached.
fn not_reached(entry: &TargetView, name: Value) -> Problem {
    let silent = |cause: &Problem| {
        cause.contains("net-unanswered")
            || cause.contains("net-no-answer") && !matches!(entry.stage, Some("dns" | "tcp"))
    };
    match entry.stage {
        _ if entry.cause.as_ref().is_some_and(silent) => {
            problem!("health-no-answer", name = name)
        }
        Some("publish" | "media") => problem!("health-not-accepted", name = name),
        _ => problem!("health-not-reached", name = name),
    }
}

/// Returns the findings about targets that do not get the stream while other targets do.
fn missed(snapshot: &Snapshot) -> impl Iterator<Item = Finding> + '_ {
    let missing = |entry: &&TargetView| {
        // A target that is connecting for the first time is not a problem yet.
        let trouble = entry.cause.is_some() || entry.state == Some(TargetState::Failed);
        entry.target.enabled && entry.state != Some(TargetState::Live) && trouble
    };
    snapshot.targets.iter().filter(missing).map(|entry| {
        let on_air = snapshot.live == LiveState::OnAir;
        let (sentence, remedy) = refusal(entry, on_air).unwrap_or_else(|| {
            let name = name_of(&entry.target);
            let sentence = match on_air {
                true => problem!("health-partly", name = name),
                false => not_reached(entry, name),
            };
            (sentence, retry(entry))
        });
        Finding::new(Some(Level::Error), sentence)
            .with_details(details(entry))
            .of_target(entry.target.id)
            .with_remedy(remedy)
            .covering(about(snapshot, entry))
    })
}

/// Returns the finding that no target is live.
fn off_air(snapshot: &Snapshot, cause: &Problem) -> Finding {
    let sought = |entry: &&TargetView| entry.target.enabled && entry.cause.is_some();
    let mut sought = snapshot.targets.iter().filter(sought);
    let (first, others) = (sought.next(), sought.count());
    let name = first.map_or_else(|| problem!("health-the-server").into(), |it| name_of(&it.target));
    let refusal = first.and_then(|entry| refusal(entry, false));
    let (sentence, remedy) = refusal.unwrap_or_else(|| {
        let sentence = match snapshot.figures.was_live() {
            true => problem!("health-lost", name = name),
            false => match first {
                Some(entry) => not_reached(entry, name),
                None => problem!("health-not-reached", name = name),
            },
        };
        (sentence, first.map_or(Remedy::RetryNow, retry))
    });
    let mut finding = Finding::new(Some(Level::Error), sentence).with_remedy(remedy);
    match first {
        Some(entry) => {
            finding = finding.with_details(details(entry)).of_target(entry.target.id);
            finding = finding.covering(about(snapshot, entry));
        }
        None => finding = finding.with_details([cause.clone()]),
    }
    if running_recording(snapshot).is_some() {
        finding = finding.with_details([problem!("health-recording-goes-on")]);
    }
    if others > 0 {
        finding = finding.with_details([problem!("health-others-too", count = others)]);
    }
    finding
}

/// Returns the problem that a notice contains under this name.
fn inner_problem(notice: &Notice, name: &str) -> Option<Problem> {
    notice.problem.args().iter().find_map(|(known, value)| match value {
        Value::Problem(problem) if *known == name => Some(problem.clone()),
        _ => None,
    })
}

/// Returns the finding that a connection is open, but that the server accepts no data.
fn stalled(snapshot: &Snapshot) -> Option<Finding> {
    let stalled = named(snapshot, &address::STALLED_NOTICES).next()?;
    let entry = snapshot.targets.iter().find(|it| Some(it.target.id) == stalled.target)?;
    let sentence = problem!("health-stalled", name = name_of(&entry.target));
    let cause = inner_problem(stalled, "cause");
    Some(Finding::new(Some(Level::Error), sentence).with_details(cause).covering([stalled]))
}

/// Returns the finding that a server which gets the stream has closed the connection several times,
/// each time after the same time, and will probably do so again.
fn closes(snapshot: &Snapshot) -> Option<Finding> {
    let mut live = snapshot.targets.iter().filter(|it| it.state == Some(TargetState::Live));
    let (entry, (times, after)) = live.find_map(|entry| Some((entry, entry.closes?)))?;
    let (name, seconds) = (name_of(&entry.target), format!("{:.0}", after.as_secs_f64()));
    let sentence = problem!("health-closes", name = name, times = times, seconds = seconds);
    let finding = Finding::new(Some(Level::Warning), sentence).of_target(entry.target.id);
    Some(finding.with_remedy(Remedy::EditKey(entry.target.id)))
}

/// Returns the finding that viewers do not get the stream that onair sends.
fn viewers(snapshot: &Snapshot) -> Option<Finding> {
    let troubled = |entry: &&TargetView| {
        entry.monitor.as_ref().is_some_and(|monitor| trouble_of_viewers(monitor.state).is_some())
    };
    let entry = snapshot.targets.iter().find(troubled)?;
    let monitor = entry.monitor.as_ref()?;
    let what = trouble_of_viewers(monitor.state)?;
    let key = format!("monitor-{}", monitor.state.replace('_', "-"));
    let sentence = problem!("health-viewers", name = name_of(&entry.target), what = what);
    let is_about = |notice: &&Notice| {
        notice.key() == key && notice.value("host").is_some_and(|host| host == monitor.host)
    };
    let known = snapshot.notices.iter().filter(is_about);
    let cause = Some(monitor.cause.clone()).filter(|cause| !cause.is_empty());
    let remedy = Remedy::ShowViewers(entry.target.id);
    let finding = Finding::new(Some(Level::Warning), sentence).with_details(cause);
    Some(finding.with_remedy(remedy).covering(known))
}

/// Returns the problem for a state of the viewers' stream, or `None` if the state is no problem.
pub fn trouble_of_viewers(state: &str) -> Option<Problem> {
    Some(match state {
        "different" => problem!("viewers-different"),
        "unreachable" => problem!("viewers-unreachable"),
        "no_stream" => problem!("viewers-no-stream"),
        "stalled" => problem!("viewers-stalled"),
        "black" => problem!("viewers-black"),
        "frozen" => problem!("viewers-frozen"),
        "silent" => problem!("viewers-silent"),
        "late" => problem!("viewers-late"),
        _ => return None,
    })
}

/// Returns the finding that the stream reaches the server late.
fn queue(snapshot: &Snapshot) -> Option<Finding> {
    let live = |entry: &&TargetView| entry.state == Some(TargetState::Live);
    let entry = snapshot.targets.iter().filter(live).max_by_key(|entry| entry.queued);
    let queued = entry.map_or(snapshot.figures.queued, |entry| entry.queued);
    let dropping = || named(snapshot, Group::DroppedFrames.keys());
    if let Some(notice) = dropping().next() {
        let entry = snapshot.targets.iter().find(|it| Some(it.target.id) == notice.target);
        let name =
            entry.map_or_else(|| problem!("health-the-server").into(), |it| name_of(&it.target));
        let sentence = match notice.key() {
            "frames-late" => problem!("health-late", name = name),
            _ => problem!("health-dropping", name = name),
        };
        let of_target = dropping().filter(|it| it.target == notice.target);
        return Some(Finding::new(Some(Level::Warning), sentence).covering(of_target));
    }
    let sentence = problem!("health-queue", time = short_time(queued));
    let misleads = entry.is_some_and(|entry| entry.queue_misleads);
    (queued > LONG_BACKLOG && !misleads).then(|| Finding::new(Some(Level::Warning), sentence))
}

/// Returns the finding that the recording has ended while the broadcast continues.
pub fn recording_ended(snapshot: &Snapshot) -> Option<Finding> {
    let mut ended = named(snapshot, Group::RecordingEnded.keys());
    let notice = ended.next().filter(|_| snapshot.recording.is_none())?;
    let reason = inner_problem(notice, "reason");
    let on_air = snapshot.live == LiveState::OnAir;
    let sentence = match on_air {
        true if notice.key() == "recording-not-started" => {
            problem!("health-recording-not-started")
        }
        true => problem!("health-recording-ended"),
        false => notice.problem.clone(),
    };
    Some(Finding::new(Some(Level::Error), sentence).with_details(reason).covering([notice]))
}

fn wanted_fps(snapshot: &Snapshot) -> f64 {
    match snapshot.figures.wanted_fps {
        wanted if wanted > 0.0 => wanted,
        _ => snapshot.quality.frame_rate.as_f64(),
    }
}

/// Returns true if most frames are lost, in case [`too_slow`] returns a finding.
pub fn is_loss_heavy(snapshot: &Snapshot) -> bool {
    snapshot.figures.fps < HEAVY_LOSS_SHARE * wanted_fps(snapshot)
}

/// Returns the finding that too few frames are encoded.
pub fn too_slow(snapshot: &Snapshot) -> Option<Finding> {
    let (figures, wanted) = (&snapshot.figures, wanted_fps(snapshot));
    let encodes =
        snapshot.passthrough.is_none() && snapshot.video.is_some() && !snapshot.audio_only;
    let runs_for = match snapshot.live {
        LiveState::OnAir => figures.on_air_for,
        _ => running_recording(snapshot).map_or(Duration::ZERO, |recording| recording.duration),
    };
    let known = runs_for > FRAME_RATE_DELAY && figures.is_fps_known();
    if !encodes || !known || figures.fps >= MIN_FRAME_RATE_SHARE * wanted {
        return None;
    }
    let (cause, remedy) = slow_part(snapshot, wanted);
    let (fps, wanted) = (format!("{:.0}", figures.fps), format!("{wanted:.0}"));
    let sentence = problem!("health-too-slow", fps = fps, wanted = wanted);
    let finding = Finding::new(Some(Level::Warning), sentence).with_details(cause);
    let finding = finding.with_remedy(remedy);
    Some(finding.covering(named(snapshot, OVERLOAD_NOTICES)))
}

/// Returns a source of the current scene with an enabled filter.
fn filtered(snapshot: &Snapshot) -> Option<SourceId> {
    let collection = &snapshot.scenes.collection;
    let has_filter = |id: &SourceId| collection.filters(*id).iter().any(|slot| slot.enabled);
    collection.program_plan(collection.current).sources().find(has_filter)
}

/// Returns the part that takes most of the time of a frame, with its cure and its remedy. There is
/// no part if neither does, because then other programs take the time.
fn slow_part(snapshot: &Snapshot, wanted: f64) -> (Vec<Problem>, Remedy) {
    let draw = snapshot.draw_time.unwrap_or_default();
    let encode = snapshot.figures.encode_time.unwrap_or_default();
    if draw.max(encode).as_secs_f64() * wanted < SLOW_PART_SHARE {
        return (Vec::new(), Remedy::EditQuality);
    }
    match draw > encode {
        true => {
            let cause = problem!("health-slow-drawing", time = short_time(draw));
            match filtered(snapshot) {
                Some(id) => {
                    (vec![cause, problem!("health-fewer-filters")], Remedy::EditFilters(id))
                }
                None => (vec![cause, problem!("health-fewer-sources")], Remedy::EditQuality),
            }
        }
        false => {
            let cause = problem!("health-slow-encoding", time = short_time(encode));
            (vec![cause, problem!("health-smaller-next-time")], Remedy::EditQuality)
        }
    }
}

/// Returns the finding that all is well.
pub fn all_is_well(snapshot: &Snapshot) -> Finding {
    let good = |sentence| Finding::new(None, sentence);
    if let Some(passthrough) = &snapshot.passthrough {
        let name = passthrough.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return match passthrough.opening {
            true => good(problem!("health-file-opening", name = name)),
            false => good(problem!("health-file-on-air", name = name))
                .with_details([problem!("health-file-instead")]),
        };
    }
    let muted = is_partly_muted(snapshot).then(|| problem!("health-partly-muted"));
    match &snapshot.live {
        LiveState::Stopping => good(problem!("health-stopping")),
        LiveState::Connecting { .. } => {
            let held = snapshot.held.and_then(delayed);
            good(held.unwrap_or_else(|| problem!("health-connecting")))
                .with_details(enabled(snapshot))
        }
        LiveState::OnAir | LiveState::Reconnecting { .. } => good(problem!("health-good"))
            .with_details(snapshot.held.and_then(delayed))
            .with_details(reached(snapshot))
            .with_details(muted),
        LiveState::Idle if snapshot.has_postponed_commands && snapshot.keys_pending => {
            good(problem!("health-keys-pending"))
        }
        LiveState::Idle if snapshot.waits_to_go_live => {
            good(problem!("health-connecting")).with_details(enabled(snapshot))
        }
        LiveState::Idle => match &snapshot.recording {
            Some(recording) if recording.paused => {
                Finding::new(Some(Level::Info), problem!("health-recording-paused"))
            }
            Some(_) => good(problem!("health-recording")).with_details(muted),
            None => good(problem!("health-ready")).with_details(enabled(snapshot)),
        },
    }
}

/// Returns the names of the enabled targets.
fn enabled(snapshot: &Snapshot) -> impl Iterator<Item = Problem> + '_ {
    let targets = snapshot.targets.iter().filter(|entry| entry.target.enabled);
    targets.map(|entry| problem!("health-target", name = name_of(&entry.target)))
}

/// Returns further texts about the live targets: the latency of their viewers, the number of
/// viewers, and the targets that get a lower quality.
fn reached(snapshot: &Snapshot) -> Vec<Problem> {
    let mut texts = Vec::new();
    let live: Vec<&TargetView> = snapshot
        .targets
        .iter()
        .filter(|entry| entry.state.is_none_or(|state| state == TargetState::Live))
        .filter(|entry| entry.target.enabled)
        .collect();
    // A stream without viewers has a latency for the monitor only.
    let watched = live.iter().filter(|entry| !snapshot.is_unwatched(&entry.target));
    let seen = watched.filter_map(|entry| entry.monitor.as_ref());
    let behind = seen.filter(|it| it.state == "ok").filter_map(|it| it.latency).max();
    texts.extend(behind.map(|time| problem!("health-behind", time = short_time(time))));
    if live.iter().any(|entry| entry.target.is_built_in()) {
        // Only the built-in server knows the number of viewers.
        texts.push(match snapshot.server.viewers {
            0 => problem!("health-nobody-watches"),
            count => problem!("health-watching", count = count),
        });
    }
    let second = live.iter().filter(|entry| entry.rendition_id == RenditionId::Second);
    texts.extend(second.map(|entry| problem!("health-smaller", name = name_of(&entry.target))));
    texts
}

/// Returns the text about the stream delay.
fn delayed(held: DelayFigures) -> Option<Problem> {
    Some(match held {
        DelayFigures { state: DelayState::Draining, held, .. } => {
            problem!("health-delay-ending", time = minutes(held))
        }
        DelayFigures { begins_in: Some(time), .. } => {
            problem!("health-delay-begins", time = minutes(time))
        }
        DelayFigures { delay, .. } if delay.is_zero() => return None,
        DelayFigures { delay, .. } => problem!("health-delay", time = minutes(delay)),
    })
}
