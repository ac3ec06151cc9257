//! The strips of the mixer as the studio knows them: the main one, whose source is the chosen sound,
//! and any number beside it, each with a source of its own. What is set is remembered; what is open
//! follows what is set.

use std::collections::BTreeMap;

use crate::audio::{self, AudioChoice};
use crate::media::source::Report;
use crate::mix::{MOST_STRIPS, Mixer, Strip, StripId};
use crate::studio::message::Message;
use crate::studio::sources::{Chosen, told};

/// The most strips there are, the main one included.
pub const MOST: usize = MOST_STRIPS;

/// A name longer than this is cut off.
pub const MOST_NAME: usize = 64;

/// When a strip is heard at all.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Talk {
    /// Whenever it is not muted.
    #[default]
    Open,
    /// Only while the key is held.
    PushToTalk,
    /// Not while the key is held.
    PushToMute,
}

/// A strip as it is remembered. The main one's source is [`Settings::audio`](super::Settings).
#[derive(Clone, Debug, PartialEq)]
pub struct SoundStrip {
    pub id: StripId,
    /// What a person calls it; empty: after its source.
    pub name: String,
    pub choice: AudioChoice,
    pub strip: Strip,
    pub talk: Talk,
}

impl SoundStrip {
    /// The main strip as it is at first.
    pub fn main() -> Self {
        Self::new(StripId::MAIN, AudioChoice::None)
    }

    /// A strip that changes nothing.
    pub fn new(id: StripId, choice: AudioChoice) -> Self {
        Self { id, name: String::new(), choice, strip: Strip::default(), talk: Talk::Open }
    }

    /// What the mixer is to do while the talk key is held, or not.
    pub fn heard(&self, held: bool) -> Strip {
        let silenced = match self.talk {
            Talk::Open => false,
            Talk::PushToTalk => !held,
            Talk::PushToMute => held,
        };
        Strip { muted: self.strip.muted || silenced, ..self.strip.clone() }
    }
}

/// A name as it is kept: one line, no control characters, not endless.
pub fn clean_name(name: &str) -> String {
    let printable = name.chars().filter(|c| !c.is_control()).take(MOST_NAME);
    printable.collect::<String>().trim().to_owned()
}

/// A strip that is not yet taken.
pub(super) fn free_id(strips: &[SoundStrip]) -> Option<StripId> {
    if strips.len() >= MOST {
        return None;
    }
    (1..).map(StripId).find(|id| strips.iter().all(|strip| strip.id != *id))
}

/// What is open on the strips beside the main one.
#[derive(Debug, Default)]
pub(super) struct Strips {
    open: BTreeMap<StripId, Chosen<AudioChoice>>,
}

/// What happened to a strip's source.
#[derive(Debug)]
pub(super) struct Change {
    pub choice: AudioChoice,
    pub report: Report,
    pub before: Report,
}

impl Strips {
    /// Sets the mixer as wanted, opens what is wanted and not open, and closes what no longer is.
    pub fn sync(
        &mut self,
        wanted: &[SoundStrip],
        held: bool,
        open: &mut dyn FnMut(&AudioChoice) -> Result<audio::Source, String>,
        mixer: &Mixer,
    ) -> Vec<Message> {
        let gone = |id: &StripId| wanted.iter().all(|strip| strip.id != *id);
        let lost: Vec<StripId> = self.open.keys().copied().filter(gone).collect();
        for id in lost {
            self.open.remove(&id);
            mixer.remove_strip(id);
        }
        let mut messages = Vec::new();
        for strip in wanted {
            mixer.set_strip(strip.id, strip.heard(held));
            if strip.id != StripId::MAIN
                && self.open.get(&strip.id).is_none_or(|open| open.choice != strip.choice)
            {
                messages.extend(self.open(strip, open, mixer));
            }
        }
        messages
    }

    fn open(
        &mut self,
        strip: &SoundStrip,
        open: &mut dyn FnMut(&AudioChoice) -> Result<audio::Source, String>,
        mixer: &Mixer,
    ) -> Option<Message> {
        // What was open before must be closed first: some devices can be opened once only.
        mixer.set_feed(strip.id, None);
        let (opened, message) = match &strip.choice {
            AudioChoice::None => (None, None),
            choice => match open(choice) {
                Ok(source) => (Some(source), None),
                Err(reason) => {
                    let path = choice.to_string();
                    (None, Some(Message::FileFailed { path, reason }))
                }
            },
        };
        let (feed, status) = opened.map(|source| (source.feed, source.status)).unzip();
        mixer.set_feed(strip.id, feed);
        let failed = message.as_ref().map(Message::summary);
        let told = told(&strip.choice, failed);
        self.open.insert(strip.id, Chosen { choice: strip.choice.clone(), status, told });
        message
    }

    /// How a strip's source fares.
    pub fn report(&self, id: StripId) -> Option<Report> {
        self.open.get(&id).map(Chosen::report)
    }

    /// Which sources fare otherwise than at the last call.
    pub fn changes(&mut self) -> Vec<Change> {
        let change = |chosen: &mut Chosen<AudioChoice>| {
            let (report, before) = chosen.change()?;
            Some(Change { choice: chosen.choice.clone(), report, before })
        };
        self.open.values_mut().filter_map(change).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_talk_key_opens_and_shuts() {
        let strip = |talk, muted| SoundStrip {
            talk,
            strip: Strip { muted, ..Strip::default() },
            ..SoundStrip::main()
        };
        // Talk, muted by hand, muted while held, muted otherwise.
        let table = [
            (Talk::Open, false, false, false),
            (Talk::Open, true, true, true),
            (Talk::PushToTalk, false, false, true),
            (Talk::PushToTalk, true, true, true),
            (Talk::PushToMute, false, true, false),
        ];
        for (talk, muted, held, otherwise) in table {
            assert_eq!(strip(talk, muted).heard(true).muted, held, "{talk:?}");
            assert_eq!(strip(talk, muted).heard(false).muted, otherwise, "{talk:?}");
        }
    }

    #[test]
    fn names_are_one_short_line() {
        assert_eq!(clean_name("  my\nmic\u{7} "), "mymic");
        assert_eq!(clean_name(&"x".repeat(1_000)).len(), MOST_NAME);
    }
}
