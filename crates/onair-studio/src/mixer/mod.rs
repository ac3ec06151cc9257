//! The strips of the mixer: the main strip, whose source is the chosen audio source, and other
//! strips with their own sources. The strips' settings are saved, and the open sources follow them.

pub(crate) mod fallback;
pub mod loudness;
pub mod monitoring;
mod page_audio;
pub mod push_to_talk;
mod strip_end;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::audio::{self, AudioChoice};
use crate::base::Timestamp;
use crate::capture::VideoChoice;
use crate::media::playback_control::EndBehavior;
use crate::media::source_status::SourceReport;
use crate::mix::filter::Filter;
use crate::mix::{MAX_STRIPS, Mixer, Strip, StripId};
use crate::studio::mixer::fallback::StripFallback;
pub(super) use crate::studio::mixer::strip_end::StripEnd;
use crate::studio::notices::message::StudioMessage;
use crate::studio::scenes;
use crate::studio::sources::{self, Chosen};
use crate::text::problem::{Problem, problem};

/// Maximum number of strips, including the main one. The mixer has one more strip, for stingers.
pub const MAX_MIXER_STRIPS: usize = MAX_STRIPS - 1;

/// Maximum length of a name in characters; a longer name is cut off.
pub const MAX_NAME: usize = 64;

/// The push-to-talk mode of a strip.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum TalkMode {
    /// Always audible unless muted.
    #[default]
    Open,
    /// Audible only while the key is held.
    PushToTalk,
    /// Muted while the key is held.
    PushToMute,
    /// Audible only while the program shows the video of the same media file or stream.
    WhileShown,
}

/// The push-to-talk keys that are held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldTalkKeys {
    /// True if all strips are held.
    pub all: bool,
    /// Otherwise, the held strips.
    pub strips: BTreeSet<StripId>,
}

impl HeldTalkKeys {
    /// Returns true if a strip's key is held.
    pub fn is_held(&self, id: StripId) -> bool {
        self.all || self.strips.contains(&id)
    }
}

/// The saved settings of a strip. The source of the main strip is
/// [`Settings::audio`](crate::studio::settings::Settings).
#[derive(Clone, Debug, PartialEq)]
pub struct AudioStrip {
    pub id: StripId,
    /// The name set by the user; if empty, the strip is named after its source.
    pub name: String,
    pub choice: AudioChoice,
    pub strip: Strip,
    pub talk: TalkMode,
    /// The end behavior of a file without video. A file that is also shown follows its video
    /// source.
    pub at_end: EndBehavior,
    /// The fallback while the source is silent or lost.
    pub if_silent: Option<AudioChoice>,
    /// The name of the only scene in which the strip is heard; empty means always. While no scene
    /// has this name, the strip is silent, so that an undo restores a removed scene with its audio.
    pub scene: String,
}

impl AudioStrip {
    /// Returns the main strip with default settings.
    pub fn main() -> Self {
        Self::new(StripId::MAIN, AudioChoice::None)
    }

    /// Creates a strip with default settings.
    pub fn new(id: StripId, choice: AudioChoice) -> Self {
        let (strip, talk, at_end) = (Strip::default(), TalkMode::Open, EndBehavior::Loop);
        let (name, scene, if_silent) = (String::new(), String::new(), None);
        Self { id, name, choice, strip, talk, at_end, if_silent, scene }
    }

    /// Returns true if the strip is heard only while its scene or its video is in the program.
    pub fn follows_program(&self) -> bool {
        !self.scene.is_empty() || (self.talk == TalkMode::WhileShown && has_video(&self.choice))
    }

    /// Returns true if the strip is muted; `held` is the state of the push-to-talk key, and `shown`
    /// is true if the strip's video is visible and its scene is in the program.
    pub fn is_muted(&self, held: bool, shown: bool) -> bool {
        let silenced = match self.talk {
            TalkMode::Open => false,
            TalkMode::PushToTalk => !held,
            TalkMode::PushToMute => held,
            TalkMode::WhileShown => !shown && has_video(&self.choice),
        };
        self.strip.muted || silenced || (!self.scene.is_empty() && !shown)
    }

    /// Returns the settings for the mixer with this state of the key and the video.
    pub fn effective_strip(&self, held: bool, shown: bool) -> Strip {
        Strip { muted: self.is_muted(held, shown), ..self.strip.clone() }
    }
}

/// Returns a name of limited length without control characters.
pub fn clean_name(name: &str) -> String {
    scenes::clean(name, MAX_NAME)
}

/// Parses the fallback of a strip as in `--control` and in settings. `keep` means no fallback.
///
/// # Errors
/// Fails with the valid values.
pub fn fallback_of(word: &str) -> Result<Option<AudioChoice>, Problem> {
    match word {
        "keep" => Ok(None),
        word => match word.parse() {
            Ok(AudioChoice::None) | Err(_) => {
                // Only the scheme of an address is used, because the rest may be secret and this
                // text is displayed.
                let word = word.split("://").next().unwrap_or_default();
                Err(problem!("choice-no-audio-fallback", text = word))
            }
            Ok(choice) => Ok(Some(choice)),
        },
    }
}

/// Returns a strip id that no strip and no filter uses.
pub fn free_id(strips: &[AudioStrip]) -> Option<StripId> {
    if strips.len() >= MAX_MIXER_STRIPS {
        return None;
    }
    // A filter that names a removed strip must not follow the next new strip.
    let filters = strips.iter().flat_map(|strip| &strip.strip.filters);
    let named: BTreeSet<StripId> = filters.filter_map(|slot| slot.filter.side_chain()).collect();
    (1..).map(StripId).find(|id| !named.contains(id) && strips.iter().all(|it| it.id != *id))
}

/// Merges imported strips. If an existing strip has the same source (`main` is the main strip's
/// source), the imported strip replaces its settings, but not its filters if the imported strip has
/// none. Other strips are added while there is space. Returns whether each strip was taken, and
/// what could not be imported.
pub fn take_in(
    strips: &mut Vec<AudioStrip>,
    main: Option<&AudioChoice>,
    taken: Vec<AudioStrip>,
) -> (Vec<bool>, Vec<Problem>) {
    let mut set: Vec<StripId> = Vec::new();
    let (mut came, mut left_out) = (Vec::new(), Vec::new());
    // Maps the imported ids to the ids here, for the filters that refer to them.
    let mut numbers: BTreeMap<StripId, StripId> = BTreeMap::new();
    let mut brought: Vec<StripId> = Vec::new();
    for strip in taken {
        let (was, brings) = (strip.id, !strip.strip.filters.is_empty());
        let hears = |it: &&mut AudioStrip| {
            let choice = if it.id == StripId::MAIN { main } else { Some(&it.choice) };
            choice == Some(&strip.choice) && !set.contains(&it.id)
        };
        let id = match strips.iter_mut().find(hears) {
            Some(known) => {
                let filters = std::mem::take(&mut known.strip.filters);
                known.name = strip.name;
                known.talk = strip.talk;
                known.at_end = strip.at_end;
                known.if_silent = strip.if_silent;
                known.scene = strip.scene;
                known.strip = strip.strip;
                if !brings {
                    known.strip.filters = filters;
                }
                known.id
            }
            None => {
                let Some(id) = free_id(strips) else {
                    let (name, most) = (called(&strip), MAX_MIXER_STRIPS);
                    let why = problem!("import-no-room-for-audio", called = &name, most = most);
                    left_out.push(why);
                    came.push(false);
                    continue;
                };
                strips.push(AudioStrip { id, ..strip });
                id
            }
        };
        set.push(id);
        came.push(true);
        numbers.insert(was, id);
        if brings {
            brought.push(id);
        }
    }
    for strip in strips.iter_mut().filter(|strip| brought.contains(&strip.id)) {
        let called = called(strip);
        // A compressor whose side chain was not added would use its own strip instead.
        strip.strip.filters.retain_mut(|slot| match &mut slot.filter {
            Filter::Compressor { side_chain: Some(side), .. } => {
                let here = numbers.get(side).map(|id| *side = *id).is_some();
                if !here {
                    left_out.push(problem!("import-side-chain-gone", called = &called));
                }
                here
            }
            _ => true,
        });
    }
    (came, left_out)
}

/// Returns the name of a strip. A strip without a name is named by its kind, because an address may
/// be secret.
fn called(strip: &AudioStrip) -> String {
    let choice = strip.choice.to_string();
    let kind = choice.split(':').next().unwrap_or_default();
    format!("'{}'", if strip.name.is_empty() { kind } else { &strip.name })
}

/// Opens audio with this end behavior.
pub(super) type Open<'a> =
    dyn FnMut(&AudioChoice, EndBehavior) -> Result<audio::Source, Problem> + 'a;

/// The open sources of all strips except the main one.
#[derive(Debug, Default)]
pub(super) struct Strips {
    open: BTreeMap<StripId, Chosen<AudioChoice>>,
    ends: BTreeMap<StripId, StripEnd>,
    fallbacks: BTreeMap<StripId, StripFallback>,
    /// The last reports of sources that were closed.
    closed: Vec<SourceReport>,
}

/// A state change of a strip's source.
#[derive(Debug)]
pub(super) struct StripChange {
    pub choice: AudioChoice,
    pub report: SourceReport,
    pub before: SourceReport,
}

impl StripChange {
    /// Returns the state change of a strip's fallback, if any.
    pub fn of(open_fallbacks: &mut StripFallback) -> Option<Self> {
        let (choice, report, before) = open_fallbacks.change()?;
        Some(Self { choice, report, before })
    }
}

impl Strips {
    /// Updates the mixer, opens the required sources, and closes those that are no longer required.
    /// Returns the failures with their choices.
    pub fn sync(
        &mut self,
        wanted: &[AudioStrip],
        effective_strip: &dyn Fn(&AudioStrip) -> Strip,
        at_end: &dyn Fn(&AudioStrip) -> EndBehavior,
        open: &mut Open<'_>,
        mixer: &Mixer,
    ) -> Vec<(AudioChoice, StudioMessage)> {
        let gone = |id: &StripId| wanted.iter().all(|strip| strip.id != *id);
        let lost: Vec<StripId> = self.open.keys().copied().filter(gone).collect();
        for id in lost {
            self.closed.extend(self.open.remove(&id).map(|it| it.last_report));
            self.ends.remove(&id);
            if let Some(mut gone) = self.fallbacks.remove(&id) {
                gone.set(None);
                self.closed.extend(gone.closed());
            }
            mixer.remove_strip(id);
        }
        let mut messages = Vec::new();
        for strip in wanted {
            mixer.set_strip(strip.id, effective_strip(strip));
            self.ends.entry(strip.id).or_default().set(at_end(strip));
            if strip.id == StripId::MAIN {
                continue;
            }
            self.fallbacks.entry(strip.id).or_default().set(strip.if_silent.as_ref());
            if self.open.get(&strip.id).is_none_or(|open| open.choice != strip.choice) {
                let message = self.open(strip, open, mixer);
                messages.extend(message.map(|message| (strip.choice.clone(), message)));
            }
        }
        messages
    }

    fn open(
        &mut self,
        strip: &AudioStrip,
        open: &mut Open<'_>,
        mixer: &Mixer,
    ) -> Option<StudioMessage> {
        // The previous source must be closed first, because some devices can be opened only once.
        mixer.set_feed(strip.id, None);
        let end = self.ends.entry(strip.id).or_default();
        let open_fallbacks = self.fallbacks.entry(strip.id).or_default();
        let opened = match &strip.choice {
            AudioChoice::None => Ok(None),
            choice => open(choice, end.at_end).map(|source| {
                let source = open_fallbacks.over(choice, source, mixer.config().rate);
                end.follow(source.transport);
                Some((source.feed, source.status))
            }),
        };
        if opened.is_err() {
            open_fallbacks.bare();
        }
        let (feed, chosen, message) = sources::settle(strip.choice.clone(), opened);
        mixer.set_feed(strip.id, feed);
        let before = self.open.insert(strip.id, chosen);
        self.closed.extend(before.map(|it| it.last_report));
        message
    }

    /// Returns true if a strip has a source.
    pub fn has_sources(&self) -> bool {
        self.open.values().any(|it| it.choice != AudioChoice::None)
    }

    /// Returns the sources that could not be opened.
    pub fn failed(&self) -> impl Iterator<Item = &AudioChoice> {
        self.open.values().filter(|it| it.failed()).map(|it| &it.choice)
    }

    /// Retries the sources that are `due`. Returns the new messages, or all messages if the user
    /// `asked`.
    pub fn retry(
        &mut self,
        due: impl Fn(&AudioChoice) -> bool,
        asked: bool,
        open: &mut Open<'_>,
        mixer: &Mixer,
    ) -> Vec<(AudioChoice, StudioMessage)> {
        let mut messages = Vec::new();
        for (id, chosen) in &mut self.open {
            if chosen.failed() && due(&chosen.choice) {
                let end = self.ends.entry(*id).or_default();
                let open_fallbacks = self.fallbacks.entry(*id).or_default();
                let opened = open(&chosen.choice, end.at_end).map(|source| {
                    let source = open_fallbacks.over(&chosen.choice, source, mixer.config().rate);
                    end.follow(source.transport);
                    (source.feed, source.status)
                });
                let (feed, message) = sources::retry(chosen, opened, asked);
                if feed.is_some() {
                    mixer.set_feed(*id, feed);
                }
                messages.extend(message.map(|message| (chosen.choice.clone(), message)));
            }
        }
        messages
    }

    /// Opens the sources that are `due` again, because they open in another way now. Sources that
    /// could not be opened are retried anyway.
    pub fn reopen(
        &mut self,
        due: &dyn Fn(&AudioChoice) -> bool,
        open: &mut Open<'_>,
        mixer: &Mixer,
    ) {
        let due = self.open.iter().filter(|(_, it)| !it.failed() && due(&it.choice));
        let due: Vec<AudioStrip> =
            due.map(|(id, it)| AudioStrip::new(*id, it.choice.clone())).collect();
        for strip in &due {
            self.open(strip, open, mixer);
        }
    }

    /// Opens the fallbacks of silent strips, and closes those of audible strips.
    pub fn open_fallbacks(
        &mut self,
        now: Timestamp,
        open: &mut fallback::Open<'_>,
    ) -> Vec<(AudioChoice, StudioMessage)> {
        let mut messages = Vec::new();
        for (id, open_fallbacks) in &mut self.fallbacks {
            if let Some(first) = self.open.get(id) {
                messages.extend(open_fallbacks.poll(&first.report(), now, open));
            }
        }
        messages
    }

    /// Retries failed fallbacks at the user's request.
    pub fn retry_fallbacks(
        &mut self,
        now: Timestamp,
        open: &mut fallback::Open<'_>,
    ) -> Vec<(AudioChoice, StudioMessage)> {
        let others = self.fallbacks.values_mut();
        others.filter_map(|open_fallbacks| open_fallbacks.retry(now, true, open)).collect()
    }

    /// Restarts a strip's file.
    pub fn restart(&self, id: StripId) {
        if let Some(end) = self.ends.get(&id) {
            end.restart();
        }
    }

    /// Returns the state of a strip's source.
    pub fn report(&self, id: StripId) -> Option<SourceReport> {
        self.open.get(&id).map(Chosen::report)
    }

    /// Returns the last report of a strip's fallback, if the fallback is open.
    pub fn fallback_report(&self, id: StripId) -> Option<&SourceReport> {
        self.fallbacks.get(&id).and_then(StripFallback::last_report)
    }

    /// Returns the last reports of the open sources and fallbacks.
    pub fn last_reports(&self) -> impl Iterator<Item = &SourceReport> {
        let own = self.open.values().map(|open| &open.last_report);
        own.chain(self.fallbacks.values().filter_map(StripFallback::last_report))
    }

    /// Returns the last reports of sources that are now closed.
    pub fn closed(&mut self) -> Vec<SourceReport> {
        self.closed.extend(self.fallbacks.values_mut().flat_map(StripFallback::closed));
        std::mem::take(&mut self.closed)
    }

    /// Returns the sources whose state changed since the last call.
    pub fn changes(&mut self) -> Vec<StripChange> {
        let change = |chosen: &mut Chosen<AudioChoice>| {
            let (report, before) = chosen.change()?;
            Some(StripChange { choice: chosen.choice.clone(), report, before })
        };
        let own = self.open.values_mut().filter_map(change);
        own.chain(self.fallbacks.values_mut().filter_map(StripChange::of)).collect()
    }
}

/// Returns true if the audio source may have video too.
pub(super) fn has_video(choice: &AudioChoice) -> bool {
    matches!(choice, AudioChoice::Stream(_) | AudioChoice::File(_) | AudioChoice::Guest(_))
}

/// Returns the audio of a video source, or `None` if this kind has none. The function does not
/// access media files.
pub fn audio_of(choice: &VideoChoice) -> Option<AudioChoice> {
    match choice {
        VideoChoice::Stream(url) => Some(AudioChoice::Stream(url.clone())),
        VideoChoice::Guest(id) => Some(AudioChoice::Guest(id.clone())),
        VideoChoice::File(path) if !is_silent(path) => Some(AudioChoice::File(path.clone())),
        _ => page_audio::of(choice).filter(|_| audio::has_server()),
    }
}

/// Returns true if an audio source is the [audio](audio_of) of a video source.
pub fn is_audio_of(audio: &AudioChoice, shown: &VideoChoice) -> bool {
    match (audio, shown) {
        (AudioChoice::Stream(audio), VideoChoice::Stream(shown))
        | (AudioChoice::Guest(audio), VideoChoice::Guest(shown)) => audio == shown,
        (AudioChoice::File(audio), VideoChoice::File(shown)) => audio == shown && !is_silent(shown),
        _ => page_audio::of(shown).as_ref() == Some(audio),
    }
}

/// Returns true if this kind of file has no audio.
fn is_silent(path: &Path) -> bool {
    path.extension().is_some_and(|it| it.eq_ignore_ascii_case("y4m"))
}
