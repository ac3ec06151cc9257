//! Compares snapshots of the studio, and returns the rules whose events have happened. Nothing that
//! was already so at the start is an event.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Timestamp;
use crate::studio::Snapshot;
use crate::studio::settings::Rule;
use crate::studio::snapshot::RULE_KEYS;
use crate::studio::targets::TargetState;
use crate::ui::input::named::name_of_target;
use crate::ui::input::rules::event::RuleEvent;

/// The level at which audio counts as silent, in dBFS.
const SILENCE_DBFS: f32 = -60.0;

/// What rules depend on.
#[derive(Clone, Debug, Default, PartialEq)]
struct Facts {
    scene: String,
    lost_sources: BTreeSet<String>,
    lost_targets: BTreeSet<String>,
    /// The hour and minute of the day.
    minute: (u8, u8),
    /// The program and title of the window in front, in lower case, or of the last one that was known.
    front: Option<String>,
    /// The number of the newest chat message.
    chat: u64,
    /// The same of the chats of services.
    service_chat: u64,
    /// How often each rule key was pressed.
    keys: [u32; RULE_KEYS as usize],
}

impl Facts {
    fn of(snapshot: &Snapshot, minute: (u8, u8), front: Option<&str>) -> Self {
        let collection = &snapshot.scenes.collection;
        let sources = snapshot.scenes.sources.iter().filter(|it| it.state.is_down());
        let name = |id| collection.sources.iter().find(|it| it.id == id).map(|it| it.name.clone());
        let is_lost = |state| matches!(state, TargetState::Reconnecting | TargetState::Failed);
        let targets =
            snapshot.targets.iter().filter(|it| it.was_live && it.state.is_some_and(is_lost));
        let target = |it: &crate::studio::targets::Target| {
            name_of_target(it).map(str::to_owned).unwrap_or_default()
        };
        Self {
            scene: collection.program_scene().map(|it| it.name.clone()).unwrap_or_default(),
            lost_sources: sources
                .map(|it| name(it.id).unwrap_or_else(|| it.name.clone()))
                .collect(),
            lost_targets: targets.map(|it| target(&it.target)).collect(),
            minute,
            front: front.map(str::to_lowercase),
            chat: snapshot.chat.lines.last().map_or(0, |line| line.number),
            service_chat: snapshot.service_chats.lines.last().map_or(0, |line| line.number),
            keys: snapshot.rule_keys,
        }
    }
}

/// A rule that applies.
#[derive(Clone, Debug, PartialEq)]
pub struct DueRule {
    pub rule: Rule,
    /// True if the command of a rule can have caused the event.
    pub is_caused: bool,
}

/// Watches the studio for rules.
#[derive(Debug, Default)]
pub struct RuleWatcher {
    before: Option<Facts>,
    /// The times at which the audio of rules became silent; `None` after the rule has run.
    silent: BTreeMap<String, Option<Timestamp>>,
}

impl RuleWatcher {
    /// Returns the rules whose events have happened since the last call. `minute` is the hour and
    /// minute of the day, and `front` the program and title of the window in front.
    pub fn step(
        &mut self,
        now: Timestamp,
        (minute, front): ((u8, u8), Option<&str>),
        snapshot: &Snapshot,
    ) -> Vec<DueRule> {
        let mut facts = Facts::of(snapshot, minute, front);
        let known = self.before.as_ref().and_then(|before| before.front.clone());
        facts.front = facts.front.or(known);
        let before = self.before.replace(facts.clone());
        let rules = snapshot.rules.iter().filter(|rule| rule.enabled);
        // A rule that was paused begins to wait again.
        self.silent.retain(|when, _| rules.clone().any(|rule| rule.when == *when));
        let mut due = Vec::new();
        for rule in rules {
            let Some(event) = RuleEvent::parse(&rule.when) else { continue };
            let is_due = match &event {
                RuleEvent::Silent(..) => self.is_silent(now, &rule.when, &event, snapshot),
                event => {
                    before.as_ref().is_some_and(|it| has_happened(event, it, &facts, snapshot))
                }
            };
            if is_due {
                let is_caused = can_be_caused(&event);
                due.push(DueRule { rule: rule.clone(), is_caused });
            }
        }
        // Rules with the same event share its silence.
        for it in &due {
            if let Some(since) = self.silent.get_mut(&it.rule.when) {
                *since = None;
            }
        }
        due
    }

    fn is_silent(
        &mut self,
        now: Timestamp,
        when: &str,
        event: &RuleEvent,
        snapshot: &Snapshot,
    ) -> bool {
        let RuleEvent::Silent(time, strip) = event else { return false };
        let level = match strip.as_str() {
            "" => Some(snapshot.loudness.peak_dbfs),
            name => {
                let mut strips = snapshot.strips.iter();
                strips.find(|it| it.name == name).map(|it| it.meter.peak_dbfs)
            }
        };
        if level.is_none_or(|level| level > SILENCE_DBFS) {
            self.silent.remove(when);
            return false;
        }
        let since = *self.silent.entry(when.to_owned()).or_insert(Some(now));
        since.is_some_and(|since| now.since(since) >= *time)
    }
}

/// Returns true if the command of a rule can cause this event.
fn can_be_caused(event: &RuleEvent) -> bool {
    match event {
        RuleEvent::Scene(_)
        | RuleEvent::SourceLost(_)
        | RuleEvent::TargetLost(_)
        | RuleEvent::Hotkey(_) => true,
        RuleEvent::Silent(..) | RuleEvent::Time(..) | RuleEvent::Chat(_) | RuleEvent::Window(_) => {
            false
        }
    }
}

/// Returns true if the event happened between these facts.
fn has_happened(event: &RuleEvent, before: &Facts, after: &Facts, snapshot: &Snapshot) -> bool {
    let fresh = |name: &str, before: &BTreeSet<String>, after: &BTreeSet<String>| {
        after.difference(before).any(|it| name.is_empty() || it == name)
    };
    match event {
        RuleEvent::Scene(name) => after.scene == *name && before.scene != *name,
        RuleEvent::SourceLost(name) => fresh(name, &before.lost_sources, &after.lost_sources),
        RuleEvent::TargetLost(name) => fresh(name, &before.lost_targets, &after.lost_targets),
        RuleEvent::Time(hour, minute) => {
            after.minute == (*hour, *minute) && before.minute != after.minute
        }
        RuleEvent::Chat(word) => {
            let word = word.to_lowercase();
            let has_word = |text: &str| {
                let text = text.to_lowercase();
                text.split_whitespace().any(|it| it == word)
            };
            let lines = snapshot.chat.lines.iter().rev();
            let mut lines = lines.take_while(|line| line.number > before.chat);
            let services = snapshot.service_chats.lines.iter().rev();
            let mut services = services.take_while(|line| line.number > before.service_chat);
            lines.any(|line| has_word(&line.line.text))
                || services.any(|line| has_word(&line.post.line.text))
        }
        RuleEvent::Window(text) => {
            let text = text.to_lowercase();
            let has = |front: &str| front.contains(&text);
            // A window that is known for the first time may have been in front before.
            matches!((&before.front, &after.front), (Some(old), Some(new)) if !has(old) && has(new))
        }
        RuleEvent::Hotkey(number) => {
            let pressed = |keys: &[u32]| {
                keys.get(usize::from(*number).wrapping_sub(1)).copied().unwrap_or_default()
            };
            pressed(&before.keys) != pressed(&after.keys)
        }
        RuleEvent::Silent(..) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::studio::Edit;
    use crate::studio::event::service_chat::ServiceLine;
    use crate::wire::chat::service::ServicePost;
    use crate::wire::chat::{ChatLine, ChatRole};

    fn rule(when: &str) -> Rule {
        Rule { when: when.to_owned(), then: "record".to_owned(), enabled: true }
    }

    fn snapshot(events: &[&str]) -> Snapshot {
        let mut snapshot =
            Snapshot { rules: events.iter().map(|it| rule(it)).collect(), ..Snapshot::default() };
        snapshot.loudness.peak_dbfs = -20.0;
        let collection = Arc::make_mut(&mut snapshot.scenes.collection);
        assert!(collection.apply(&Edit::AddScene("Break".to_owned())));
        let first = collection.scenes[0].id;
        collection.current = first;
        snapshot
    }

    fn due(watcher: &mut RuleWatcher, millis: i64, minute: u8, snapshot: &Snapshot) -> Vec<String> {
        let facts = ((20, minute), Some(""));
        let due = watcher.step(Timestamp::from_millis(millis), facts, snapshot);
        due.into_iter().map(|it| it.rule.when).collect()
    }

    #[test]
    fn a_scene_and_a_time_happen_once_and_not_at_the_start() {
        let mut it = snapshot(&["scene:Break", "scene:Main", "time:20:15"]);
        let mut watcher = RuleWatcher::default();
        assert!(due(&mut watcher, 0, 14, &it).is_empty());
        let scenes = it.scenes.collection.scenes.clone();
        Arc::make_mut(&mut it.scenes.collection).current = scenes[1].id;
        assert_eq!(due(&mut watcher, 100, 14, &it), ["scene:Break"]);
        assert!(due(&mut watcher, 200, 14, &it).is_empty());
        assert_eq!(due(&mut watcher, 300, 15, &it), ["time:20:15"]);
        assert!(due(&mut watcher, 400, 15, &it).is_empty());
        Arc::make_mut(&mut it.scenes.collection).current = scenes[0].id;
        it.rules[1].enabled = false;
        assert!(due(&mut watcher, 500, 16, &it).is_empty(), "the rule is paused");
    }

    #[test]
    fn a_hotkey_is_an_event_each_time_it_is_pressed() {
        let mut it = snapshot(&["hotkey:1", "hotkey:2"]);
        let mut watcher = RuleWatcher::default();
        it.rule_keys = [3, 0, 0, 0];
        assert!(due(&mut watcher, 0, 14, &it).is_empty());
        for (millis, keys, expected) in [
            (100, [4, 0, 0, 0], &["hotkey:1"][..]),
            (200, [4, 1, 0, 0], &["hotkey:2"]),
            (300, [4, 1, 0, 9], &[]),
        ] {
            it.rule_keys = keys;
            assert_eq!(due(&mut watcher, millis, 14, &it), expected);
        }
    }

    #[test]
    fn events_of_scenes_sources_and_targets_can_be_caused_by_rules() {
        let is_caused = |text: &str| can_be_caused(&RuleEvent::parse(text).unwrap());
        assert!(["scene:Break", "source-lost:Camera", "target-lost:"].into_iter().all(is_caused));
        assert!(!["silent:10", "time:20:15", "chat:!pause"].into_iter().any(is_caused));
    }

    #[test]
    fn a_word_in_the_chat_of_a_service_counts_once() {
        let mut it = snapshot(&["chat:!pause"]);
        let address = Arc::new("twitch:show".parse().unwrap());
        let line = |number, text: &str| ServiceLine {
            number,
            address: Arc::clone(&address),
            post: ServicePost {
                id: String::new(),
                from: String::new(),
                role: ChatRole::Viewer,
                line: ChatLine::new("Ann", text).unwrap(),
            },
        };
        let mut watcher = RuleWatcher::default();
        it.service_chats.lines = [line(1, "!pause")].into();
        assert!(due(&mut watcher, 0, 0, &it).is_empty(), "said before");
        it.service_chats.lines = [line(1, "!pause"), line(2, "please !PAUSE now")].into();
        assert_eq!(due(&mut watcher, 100, 0, &it), ["chat:!pause"]);
        it.service_chats.lines = [line(2, "!pause"), line(3, "!pauses")].into();
        assert!(due(&mut watcher, 200, 0, &it).is_empty());
    }

    #[test]
    fn a_window_counts_when_it_comes_to_the_front() {
        let it = snapshot(&["window:Firefox"]);
        let mut watcher = RuleWatcher::default();
        let mut look = |millis, front: Option<&str>| {
            watcher.step(Timestamp::from_millis(millis), ((20, 0), front), &it).len()
        };
        assert_eq!(look(0, None), 0);
        assert_eq!(look(50, Some("firefox/News")), 0, "it may have been there before");
        let mut in_front = |millis, front: &str| look(millis, Some(front));
        assert_eq!(in_front(100, "Terminal/sh"), 0);
        assert_eq!(in_front(200, "firefox/News"), 1);
        assert_eq!(in_front(300, "firefox/Weather"), 0, "the same program");
        assert_eq!((in_front(400, ""), in_front(500, "Editor/firefox.txt")), (0, 1));
        assert_eq!(look(600, None), 0, "the display does not answer");
        assert_eq!(look(700, Some("Editor/firefox.txt")), 0, "the same window as before");
    }

    #[test]
    fn silence_counts_from_its_beginning_and_once() {
        let mut it = snapshot(&["silent:10", "silent:10:Absent"]);
        let mut watcher = RuleWatcher::default();
        assert!(due(&mut watcher, 0, 0, &it).is_empty());
        it.loudness.peak_dbfs = -90.0;
        assert!(due(&mut watcher, 1_000, 0, &it).is_empty());
        assert!(due(&mut watcher, 10_900, 0, &it).is_empty());
        assert_eq!(due(&mut watcher, 11_000, 0, &it), ["silent:10"]);
        assert!(due(&mut watcher, 60_000, 0, &it).is_empty());
        it.loudness.peak_dbfs = -20.0;
        assert!(due(&mut watcher, 61_000, 0, &it).is_empty());
        it.loudness.peak_dbfs = -90.0;
        assert!(due(&mut watcher, 62_000, 0, &it).is_empty());
        assert_eq!(due(&mut watcher, 72_000, 0, &it), ["silent:10"]);
    }

    #[test]
    fn a_rule_that_was_paused_waits_for_the_whole_silence_again() {
        let mut it = snapshot(&["silent:10"]);
        let mut watcher = RuleWatcher::default();
        it.loudness.peak_dbfs = -90.0;
        assert!(due(&mut watcher, 0, 0, &it).is_empty());
        it.rules[0].enabled = false;
        assert!(due(&mut watcher, 5_000, 0, &it).is_empty());
        it.rules[0].enabled = true;
        assert!(due(&mut watcher, 12_000, 0, &it).is_empty());
        assert!(due(&mut watcher, 21_900, 0, &it).is_empty());
        assert_eq!(due(&mut watcher, 22_000, 0, &it), ["silent:10"]);
    }
}
