//! Parses `--control` lines for video and audio filters: on, off, and values, with the names of
//! settings files.

use toml::Table;

use crate::cli::control::split;
use crate::cli::live::control::items::with_values;
use crate::compose::filter as video_filter;
use crate::mix::{StripId, filter as audio_filter};
use crate::studio::settings::scenes::amounts;
use crate::text::Problem;
use crate::text::problem::problem;

/// The syntax of these lines.
const FILTER_SYNTAX: &str = "filter on|off|remove KIND [NAME] · filter window|restart plugin [NAME] · filter set KIND [NAME:] WHAT=VALUE … · \
                     filter add KIND [NAME:] [WHAT=VALUE …] (KIND#2, KIND#3…)";

/// A change of a filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    On(bool),
    Set(Table),
    Add(Table),
    Remove,
    /// Shows the plugin's own window.
    Window,
    /// Starts a plugin again that failed.
    Restart,
}

/// A filter, which a line identifies by its kind and its index among the filters of that kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub kind: String,
    /// The index of the filter, from 0.
    pub nth: usize,
    pub change: Change,
}

fn syntax() -> Problem {
    problem!("control-write", syntax = FILTER_SYNTAX)
}

/// Parses `off blur Face`, `set chroma-key Face: similarity=0.4`. Returns the name of the source,
/// and the filter with its change.
///
/// # Errors
/// Fails with a sentence that shows the syntax.
pub fn parse(text: &str) -> Result<(String, Filter), Problem> {
    let (word, rest) = split(text);
    let (kind, rest) = split(rest);
    let (kind, nth) = match kind.split_once('#') {
        Some((kind, number)) => {
            let number = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            (kind, number.ok_or_else(syntax)?)
        }
        None => (kind, 0),
    };
    if kind.is_empty() {
        return Err(syntax());
    }
    let (name, change) = match word {
        "on" | "off" => (rest.to_owned(), Change::On(word == "on")),
        "remove" => (rest.to_owned(), Change::Remove),
        "window" => (rest.to_owned(), Change::Window),
        "restart" => (rest.to_owned(), Change::Restart),
        "set" | "add" => {
            let (name, values) = with_values(rest)?;
            match word {
                "set" if values.is_empty() => return Err(syntax()),
                "set" => (name, Change::Set(values)),
                _ => (name, Change::Add(values)),
            }
        }
        _ => return Err(syntax()),
    };
    Ok((name, Filter { kind: kind.to_owned(), nth, change }))
}

/// Returns the video filters after this change.
///
/// # Errors
/// Fails with the reason why the change is not possible.
pub fn of_video(
    filter: &Filter,
    slots: &[video_filter::Slot],
) -> Result<Vec<video_filter::Slot>, Problem> {
    let one = |kind: &str| {
        let filter = video_filter::Filter::of_kind(kind)?;
        Some(video_filter::Slot { enabled: true, filter })
    };
    let list = List {
        most: video_filter::MAX_FILTERS,
        known: video_filter::Filter::kinds().iter().map(video_filter::Filter::kind).collect(),
        kind: &|slot: &video_filter::Slot| slot.filter.kind(),
        switch: &|slot, on| slot.enabled = on,
        one: &one,
        set: &amounts::of_video_filter,
    };
    list.changed(filter, slots)
}

/// Returns the audio filters after this change. Side chains refer to one of `strips` by its name.
///
/// # Errors
/// Fails with the reason why the change is not possible.
pub fn of_audio(
    filter: &Filter,
    slots: &[audio_filter::Slot],
    strips: &[(String, StripId)],
) -> Result<Vec<audio_filter::Slot>, Problem> {
    if matches!(filter.change, Change::Window | Change::Restart) {
        let mut plugins = slots.iter().filter_map(|slot| slot.filter.plugin());
        let plugin =
            plugins.nth(filter.nth).filter(|_| filter.kind == audio_filter::Filter::PLUGIN);
        let kind = &filter.kind;
        let plugin = plugin.ok_or_else(|| problem!("control-no-such-filter", kind = kind))?;
        match filter.change {
            Change::Window => plugin.link.show_window(),
            _ => plugin.link.restart(),
        }
        return Ok(slots.to_vec());
    }
    let one = |kind: &str| {
        let filter = audio_filter::Filter::of_kind(kind)?;
        Some(audio_filter::Slot { enabled: true, filter })
    };
    let list = List {
        most: audio_filter::MAX_FILTERS,
        known: audio_filter::Filter::ALL_KINDS
            .iter()
            .map(audio_filter::Filter::kind)
            .chain([audio_filter::Filter::PLUGIN])
            .collect(),
        kind: &|slot: &audio_filter::Slot| slot.filter.kind(),
        switch: &|slot, on| slot.enabled = on,
        one: &one,
        set: &|slot, values| amounts::of_audio_filter(slot, values, strips),
    };
    list.changed(filter, slots)
}

/// The common part of video and audio filters.
struct List<'a, S> {
    most: usize,
    known: Vec<&'static str>,
    kind: &'a dyn Fn(&S) -> &'static str,
    switch: &'a dyn Fn(&mut S, bool),
    one: &'a dyn Fn(&str) -> Option<S>,
    set: &'a dyn Fn(&S, &Table) -> Result<S, Problem>,
}

impl<S: Clone> List<'_, S> {
    fn changed(&self, filter: &Filter, slots: &[S]) -> Result<Vec<S>, Problem> {
        let Filter { kind, nth, change } = filter;
        if !self.known.contains(&kind.as_str()) {
            return Err(problem!("control-no-filter-kind", kind = kind, known = &self.known));
        }
        let mut slots = slots.to_vec();
        if let Change::Add(values) = change {
            if slots.len() >= self.most {
                return Err(problem!("control-most-filters", most = self.most));
            }
            let fresh =
                (self.one)(kind).ok_or_else(|| problem!("settings-no-such-filter", kind = kind))?;
            slots.push((self.set)(&fresh, values)?);
            return Ok(slots);
        }
        let of_kind = slots.iter().enumerate().filter(|(_, slot)| (self.kind)(slot) == kind);
        let at = of_kind.map(|(at, _)| at).nth(*nth);
        let slot = at.and_then(|at| slots.get_mut(at).map(|slot| (at, slot)));
        let Some((at, slot)) = slot else {
            return Err(problem!("control-no-such-filter", kind = kind));
        };
        match change {
            Change::On(on) => (self.switch)(slot, *on),
            Change::Set(values) => *slot = (self.set)(slot, values)?,
            Change::Remove | Change::Add(_) => {
                slots.remove(at);
            }
            // Only plugins have a window and a process.
            Change::Window | Change::Restart => return Err(syntax()),
        }
        Ok(slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::NumericSettings;

    fn change_video(
        slots: &[video_filter::Slot],
        line: &str,
    ) -> Result<Vec<video_filter::Slot>, Problem> {
        let (name, filter) = parse(line)?;
        assert_eq!(name, "Face");
        of_video(&filter, slots)
    }

    #[test]
    fn filters_of_video_are_added_set_switched_and_removed() {
        let slots = change_video(&[], "add color Face").unwrap();
        let slots = change_video(&slots, "add blur Face").unwrap();
        let slots = change_video(&slots, "add color Face: gain=2").unwrap();
        let slots = change_video(&slots, "off color Face").unwrap();
        let slots = change_video(&slots, "set color#2 Face: contrast=1.5").unwrap();
        let values = |at: usize| slots[at].filter.clone().values().iter().map(|it| **it).collect();
        let (first, second): (Vec<f32>, Vec<f32>) = (values(0), values(2));
        assert_eq!((first[0], second[0], second[2]), (1.0, 2.0, 1.5));
        let kinds: Vec<_> = slots.iter().map(|it| (it.filter.kind(), it.enabled)).collect();
        assert_eq!(kinds, [("color", false), ("blur", true), ("color", true)]);
        assert_eq!(change_video(&slots, "remove color#2 Face").unwrap().len(), 2);
        for (line, why) in [
            ("on hologram Face", "chroma-key"),
            ("on sharpen Face", "filter add sharpen"),
            ("set color#3 Face: gain=1", "no color filter"),
            ("set color Face: swirl=1", "swirl"),
            ("set color Face", "filter set KIND"),
            ("glow color Face", "filter set KIND"),
            ("on", "filter set KIND"),
        ] {
            let error = change_video(&slots, line).unwrap_err().to_string();
            assert!(error.contains(why), "{line}: {error}");
        }
        let full = vec![slots[0].clone(); video_filter::MAX_FILTERS];
        assert!(change_video(&full, "add blur Face").unwrap_err().to_string().contains("at most"));
    }

    #[test]
    fn filters_of_audio_are_changed_alike() {
        let strips = [("Music".to_owned(), StripId(2))];
        let change = |slots: &[audio_filter::Slot], line: &str| {
            let (name, filter) = parse(line).unwrap();
            assert_eq!(name, "");
            of_audio(&filter, slots, &strips)
        };
        let slots = change(&[], "add compressor side_chain=Music ratio=8").unwrap();
        assert_eq!(slots[0].filter.side_chain(), Some(StripId(2)));
        let slots = change(&slots, "off compressor").unwrap();
        assert!(!slots[0].enabled && slots[0].filter.side_chain() == Some(StripId(2)));
        assert!(change(&slots, "set compressor ratio=no").is_err());
        let with_plugin = change(&slots, "add plugin plugin=/a.clap#org.a 3=0.5").unwrap();
        let plugin = with_plugin[1].filter.plugin().unwrap();
        assert_eq!((&*plugin.plugin.id, plugin.values[&3]), ("org.a", 0.5));
        let set = change(&with_plugin, "set plugin 3=0.75").unwrap();
        let same = set[1].filter.plugin().unwrap();
        assert!(std::sync::Arc::ptr_eq(&same.link, &plugin.link) && same.values[&3] == 0.75);
        let other = change(&set, "set plugin plugin=/a.clap#org.b").unwrap();
        assert!(other[1].filter.plugin().unwrap().values.is_empty());
        assert_eq!(change(&set, "window plugin").unwrap(), set);
        assert!(change(&slots, "window plugin").is_err());
        assert!(change(&slots, "window compressor").is_err());
        assert!(change(&slots, "add echo").unwrap_err().to_string().contains("limiter"));
    }
}
