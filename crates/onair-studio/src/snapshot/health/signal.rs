//! The health of the signal for viewers: an empty scene, sources without data, silence.

use std::collections::BTreeSet;

use crate::audio::AudioChoice;
use crate::capture::VideoChoice;
use crate::compose::scene::SourceId;
use crate::studio::live::view::LiveState;
use crate::studio::mixer::TalkMode;
use crate::studio::notices::row::Group;
use crate::studio::notices::{Level, Notice, Remedy};
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::snapshot::health::finding::{Finding, is_broadcasting, is_used, named};
use crate::studio::snapshot::{AudioSource, Snapshot, SourceState, StripView};
use crate::text::Problem;
use crate::text::problem::problem;

/// A level below this is inaudible.
const SILENT_DBFS: f32 = -59.0;
/// Notices about a device that is unplugged or sends nothing.
const GONE_NOTICES: &[&str] =
    &["camera-lost", "camera-stalled", "microphone-lost", "microphone-stalled"];

/// Whether the video and the audio of the program are free of problems.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    pub video: bool,
    pub audio: bool,
}

/// A visible source of the current scene.
struct ShownSource<'a> {
    id: SourceId,
    name: &'a str,
    state: SourceState,
    /// True if the source delivers no video, and will deliver none.
    is_down: bool,
}

/// Returns the sources that the current scene shows.
fn shown(snapshot: &Snapshot) -> Vec<ShownSource<'_>> {
    let scenes = &snapshot.scenes;
    let ids: BTreeSet<SourceId> =
        scenes.collection.program_plan(scenes.collection.current).sources().collect();
    let of = |id: SourceId| {
        if id == MAIN_SOURCE {
            let video = snapshot.video.as_ref().filter(|it| it.choice != VideoChoice::None)?;
            let is_down = video.state.is_down() || video.has_only_audio();
            return Some(ShownSource { id, name: &video.name, state: video.state, is_down });
        }
        let source = scenes.collection.source(id)?;
        // The source is about to be opened.
        let state = scenes.source(id).map_or(SourceState::Opening, |it| it.state);
        Some(ShownSource { id, name: &source.name, state, is_down: state.is_down() })
    };
    ids.into_iter().filter_map(of).collect()
}

/// Returns true if a visible source of the current scene delivers video, or is about to.
pub fn shows_video(snapshot: &Snapshot) -> bool {
    shown(snapshot).iter().any(|source| !source.is_down)
}

/// Returns the problem of the video.
pub fn video(snapshot: &Snapshot) -> Option<Finding> {
    if snapshot.passthrough.is_some() {
        return None;
    }
    let shown = shown(snapshot);
    if shown.is_empty() {
        return nothing_shown(snapshot);
    }
    let down = shown.iter().find(|source| source.is_down);
    if let Some(source) = down {
        let all = shown.iter().all(|source| source.is_down);
        let known = snapshot.notices.iter().rev().find(|notice| is_down(notice, source.name));
        let sentence = problem!("health-source-gone", name = source.name);
        let finding = Finding::new(Some(Level::Warning), sentence);
        let finding = match known {
            Some(notice) => Finding::of_notice(notice),
            None if all => finding.with_remedy(Remedy::UseTestSource),
            None => finding,
        };
        let remedy = finding.remedy.unwrap_or(Remedy::EditSource(source.id));
        let finding = finding.with_remedy(remedy);
        let sees = problem!("health-viewers-see-fallback");
        return Some(on_air_only(snapshot, known, finding, sees));
    }
    let opening = shown.iter().find(|source| source.state == SourceState::Opening)?;
    let all = shown.iter().all(|source| source.state == SourceState::Opening);
    all.then(|| {
        let sentence = match opening.name {
            "" => problem!("health-opening"),
            name => problem!("health-opening-source", name = name),
        };
        Finding::new(Some(Level::Info), sentence).blocking()
    })
}

/// Adds what viewers get instead of a source that is gone. Off air there are no viewers, and the
/// cure of a device that failed is more important.
fn on_air_only(
    snapshot: &Snapshot,
    known: Option<&Notice>,
    finding: Finding,
    effect: Problem,
) -> Finding {
    let fails = known.is_some_and(|notice| !GONE_NOTICES.contains(&notice.key()));
    let on_air = snapshot.live == LiveState::OnAir;
    finding.with_details((on_air && !fails).then_some(effect))
}

/// Returns true if a notice reports that this source does not deliver.
fn is_down(notice: &Notice, name: &str) -> bool {
    let families = [Group::SourceDown.keys(), Group::SceneSource.keys()];
    families.iter().any(|keys| keys.contains(&notice.key()))
        && ["device", "source", "path"].iter().any(|it| notice.value(it).as_deref() == Some(name))
}

/// Returns the finding that the scene has no visible source.
fn nothing_shown(snapshot: &Snapshot) -> Option<Finding> {
    let collection = &snapshot.scenes.collection;
    if snapshot.audio_only && snapshot.is_live_or_recording() {
        let sentence = match is_broadcasting(snapshot) {
            true => problem!("health-audio-only"),
            false => problem!("health-recording-audio-only"),
        };
        // A paused recording and the end of a broadcast have their own sentences.
        return is_used(snapshot).then(|| Finding::new(Some(Level::Info), sentence));
    }
    let shows_main =
        collection.program_plan(collection.current).sources().any(|id| id == MAIN_SOURCE);
    if shows_main || (snapshot.video.is_none() && collection.sources.is_empty()) {
        let finding = Finding::new(Some(Level::Warning), problem!("health-no-video"));
        return Some(finding.with_remedy(Remedy::UseTestSource).blocking());
    }
    let current = collection.current();
    let scene = current.map_or("", |scene| &scene.name);
    // The test pattern is offered only for a scene without items, because a hidden item should be
    // shown again rather than covered. It is not offered during a broadcast.
    let own = collection.program_scene().is_some_and(|scene| scene.items.is_empty())
        && !is_broadcasting(snapshot);
    let finding = Finding::new(Some(Level::Warning), problem!("health-scene-empty", scene = scene));
    Some(finding.with_remedy(own.then_some(Remedy::UseTestSource)).blocking())
}

/// Returns true if viewers get the strip, not only the operator or recordings.
fn is_in_program(strip: &StripView) -> bool {
    strip.audio.strip.monitoring.in_program()
}

/// Returns the main audio source, if viewers get it.
fn main_in_program(snapshot: &Snapshot) -> Option<&AudioSource> {
    snapshot.audio.as_ref().filter(|_| snapshot.strips.first().is_none_or(is_in_program))
}

/// Returns true if the program is audible.
fn is_audible(snapshot: &Snapshot) -> bool {
    let strip = |strip: &StripView| {
        is_in_program(strip) && !strip.audio.strip.muted && strip.meter.held_dbfs > SILENT_DBFS
    };
    let main = |audio: &AudioSource| !audio.muted && audio.held_dbfs > SILENT_DBFS;
    snapshot.loudness.held_dbfs > SILENT_DBFS
        || main_in_program(snapshot).is_some_and(main)
        || snapshot.strips.iter().any(strip)
}

/// Returns the finding that an audio source is gone although it should be audible.
pub fn audio_gone(snapshot: &Snapshot) -> Option<Finding> {
    if snapshot.passthrough.is_some() {
        return None;
    }
    let main = snapshot.audio.as_ref().filter(|audio| !audio.muted);
    let main = main.map(|audio| (&audio.name, audio.state));
    let strips = snapshot.strips.iter().skip(1).filter(|it| it.shown && !it.audio.strip.muted);
    let strips = strips.map(|strip| (&strip.name, strip.state));
    let (name, _) = main.into_iter().chain(strips).find(|(_, state)| state.is_down())?;
    let known = snapshot.notices.iter().rev().find(|notice| is_down(notice, name));
    let finding = match known {
        Some(notice) => Finding::of_notice(notice),
        None => Finding::new(Some(Level::Warning), problem!("health-audio-gone", name = &**name))
            .with_remedy(Remedy::OpenMixer),
    };
    Some(on_air_only(snapshot, known, finding, problem!("health-viewers-hear-fallback")))
}

/// Returns the parts of the program for which no source and no notice reports a problem.
pub fn readiness(snapshot: &Snapshot) -> Readiness {
    let reported = |families: [&str; 2]| {
        snapshot
            .notices
            .iter()
            .filter(|notice| notice.level > Level::Info)
            .any(|notice| families.iter().any(|family| notice.key().starts_with(family)))
    };
    let shown = video(snapshot).is_none_or(|finding| finding.level <= Some(Level::Info));
    Readiness {
        video: snapshot.delivers_video() && shown && !reported(["camera-", "scene-source-"]),
        audio: sends_audio(snapshot)
            && audio_gone(snapshot).is_none()
            && !reported(["microphone-", "audio-"]),
    }
}

/// Returns true if the choice is a source that viewers can hear.
fn is_audio_source(choice: &AudioChoice) -> bool {
    !matches!(choice, AudioChoice::None | AudioChoice::Silence)
}

/// Returns true if an audio source in the program is open and not muted. Silence sends nothing to
/// hear.
fn sends_audio(snapshot: &Snapshot) -> bool {
    let main = main_in_program(snapshot);
    match main.filter(|audio| is_audio_source(&audio.choice)) {
        Some(audio) => !audio.muted && audio.state == SourceState::Open,
        None => snapshot.strips.iter().skip(1).filter(|it| is_in_program(it)).any(|strip| {
            let open = strip.state == SourceState::Open && !strip.audio.strip.muted;
            open && is_audio_source(&strip.audio.choice)
        }),
    }
}

/// Returns true if the program is silent only because push-to-talk keys are not held: a strip waits
/// for its key, and no other strip works without being muted.
fn only_waits_for_key(snapshot: &Snapshot) -> bool {
    let works = |strip: &&StripView| {
        let sends = strip.state == SourceState::Open && !strip.has_no_audio;
        let is_source = is_audio_source(&strip.audio.choice);
        is_in_program(strip) && sends && is_source && !strip.audio.strip.muted
    };
    // The push-to-talk mode, or a hidden video, also mutes a strip.
    let is_muted = |strip: &StripView| strip.audio.is_muted(strip.held, strip.shown);
    let waits = |strip: &StripView| strip.audio.talk == TalkMode::PushToTalk && !strip.held;
    let mut working = snapshot.strips.iter().filter(works);
    working.clone().any(waits) && working.all(is_muted)
}

/// Returns the finding that the program is silent, but should not be.
pub fn audio(snapshot: &Snapshot) -> Option<Finding> {
    if snapshot.passthrough.is_some() || is_audible(snapshot) {
        return None;
    }
    let main = snapshot.audio.as_ref()?;
    let mut others = snapshot.strips.iter().skip(1).filter(|it| is_in_program(it));
    let others = others.any(|strip| is_audio_source(&strip.audio.choice));
    if !is_audio_source(&main.choice) && !others {
        // A user who chose silence needs no warning.
        let unchosen = !main.chosen && main.choice == AudioChoice::Silence;
        let finding = Finding::new(Some(Level::Warning), problem!("health-no-microphone"));
        let finding = finding.with_remedy(Remedy::OpenMixer);
        return unchosen.then(|| finding.covering(named(snapshot, &["no-microphone"])));
    }
    if only_waits_for_key(snapshot) {
        return None;
    }
    if main_in_program(snapshot).is_some_and(|it| it.muted && is_audio_source(&it.choice)) {
        let sentence = problem!("health-muted");
        return Some(Finding::new(Some(Level::Warning), sentence).with_remedy(Remedy::Unmute));
    }
    let quiet = |notice: &&Notice| {
        notice.key().starts_with("audio-") || notice.key().starts_with("microphone-")
    };
    let known = snapshot.notices.iter().rev().find(quiet);
    Some(match known {
        Some(notice) => Finding::of_notice(notice),
        None => {
            let captures = |choice: &AudioChoice| {
                !matches!(choice, AudioChoice::File(_) | AudioChoice::Stream(_))
            };
            let audible = snapshot.strips.iter().filter(|it| is_in_program(it));
            let mut choices = audible.map(|it| &it.audio.choice).chain([&main.choice]);
            let sentence = match choices.any(|it| is_audio_source(it) && captures(it)) {
                true => problem!("health-silent"),
                false => problem!("health-silent-media"),
            };
            Finding::new(Some(Level::Warning), sentence).with_remedy(Remedy::OpenMixer)
        }
    })
}

/// Returns true if the main source is muted while other sources are audible.
pub fn is_partly_muted(snapshot: &Snapshot) -> bool {
    is_audible(snapshot) && snapshot.audio.as_ref().is_some_and(|audio| audio.muted)
}
