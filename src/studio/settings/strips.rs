//! The strips of the mixer in the settings: `[[strips]]`, one table each, the main one first, whose
//! source stands at the top of the file. Files of old have its gain and mute there too.

use serde::{Deserialize, Serialize};

use crate::audio::AudioChoice;
use crate::media::transport::AtEnd;
use crate::media::{ExtraTrack, MOST_TRACKS};
use crate::mix::filter::{Filter, MOST_FILTERS, Slot};
use crate::mix::{Heard, Strip, StripId};
use crate::studio::phones::Phones;
use crate::studio::strips::{self, MOST, SoundStrip, Talk, clean_name};

const HEARD: [(&str, Heard); 4] = [
    ("program", Heard::Program),
    ("both", Heard::Both),
    ("desk", Heard::Desk),
    ("tracks", Heard::Tracks),
];
const TALK: [(&str, Talk); 4] = [
    ("open", Talk::Open),
    ("push-to-talk", Talk::PushToTalk),
    ("push-to-mute", Talk::PushToMute),
    ("while-shown", Talk::WhileShown),
];

/// Where the desk is heard, as settings spell it.
pub(super) fn phones_text(phones: &Phones) -> String {
    match phones {
        Phones::Off => String::new(),
        Phones::Default => "default".to_owned(),
        Phones::Device(id) => format!("device:{id}"),
    }
}

/// The same read.
pub(super) fn phones(text: &str) -> Phones {
    match text.split_once(':') {
        Some(("device", id)) => Phones::Device(id.chars().take(MOST_ID).collect()),
        _ if text == "default" => Phones::Default,
        _ => Phones::Off,
    }
}

/// Longer ids are no system's.
const MOST_ID: usize = 1_024;

/// The side chain of a filter whose strip has been taken away.
const GONE: i64 = 999_999;

/// One strip as it is laid out; what is missing is as in [`Strip::default`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Table {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    source: String,
    gain_db: f64,
    muted: bool,
    balance: f64,
    mono: bool,
    offset_ms: f64,
    heard: String,
    /// Numbers of extra tracks, from 2.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tracks: Vec<i64>,
    solo: bool,
    talk: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    at_end: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    if_silent: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    filters: Vec<toml::Table>,
}

/// How the strips are written. A side chain names a strip by its place in the file.
pub(super) fn tables(strips: &[SoundStrip]) -> Vec<Table> {
    strips.iter().map(|strip| table(strip, strips)).collect()
}

/// How strips are written that are taken in beside a main one that is not among them.
pub(super) fn tables_of_others(strips: &[SoundStrip]) -> Vec<Table> {
    let all: Vec<SoundStrip> =
        std::iter::once(SoundStrip::main()).chain(strips.iter().cloned()).collect();
    strips.iter().map(|strip| table(strip, &all)).collect()
}

/// How a strip is written, one of or beside these.
fn table(strip: &SoundStrip, others: &[SoundStrip]) -> Table {
    let SoundStrip { id, name, choice, strip, talk, at_end, if_silent } = strip;
    let at_end = AtEnd::WORDS.iter().find(|it| it.1 == *at_end && *at_end != AtEnd::Loop);
    let heard = HEARD.iter().find(|it| it.1 == strip.heard).map(|it| it.0);
    let talk = TALK.iter().find(|it| it.1 == *talk).map(|it| it.0);
    let source = if *id == StripId::MAIN { String::new() } else { choice.to_string() };
    Table {
        name: name.clone(),
        source,
        gain_db: rounded(strip.gain_db),
        muted: strip.muted,
        balance: rounded(strip.balance),
        mono: strip.mono,
        offset_ms: strip.offset_us as f64 / 1_000.0,
        heard: heard.unwrap_or_default().to_owned(),
        tracks: strip.tracks.iter().map(|track| track.number().into()).collect(),
        solo: strip.solo,
        talk: talk.unwrap_or_default().to_owned(),
        at_end: at_end.map_or("", |it| it.0).to_owned(),
        if_silent: if_silent.as_ref().map(ToString::to_string).unwrap_or_default(),
        filters: strip.filters.iter().map(|slot| filter_table(slot, others)).collect(),
    }
}

/// As people read it, not as binary fractions are.
fn rounded(value: f32) -> f64 {
    (f64::from(value) * 1_000.0).round() / 1_000.0
}

fn filter_table(slot: &Slot, others: &[SoundStrip]) -> toml::Table {
    let mut table = toml::Table::new();
    let mut filter = slot.filter;
    table.insert("kind".into(), filter.kind().into());
    table.insert("enabled".into(), slot.enabled.into());
    let names = filter.parameters();
    for (parameter, value) in names.iter().zip(filter.values()) {
        table.insert(parameter.name.into(), rounded(*value).into());
    }
    if let Some(id) = slot.filter.side_chain() {
        let place = others.iter().position(|strip| strip.id == id);
        // A strip that has been taken away is named by none: the filter rests.
        let place = place.and_then(|place| i64::try_from(place).ok()).unwrap_or(GONE);
        table.insert("side_chain".into(), place.into());
    }
    table
}

/// Reads a strip; `bad` is told what is left out.
fn read(id: StripId, value: &toml::Value, bad: &mut dyn FnMut(String)) -> Option<SoundStrip> {
    let Ok(table) = value.clone().try_into::<Table>() else {
        bad("a strip of sound that is not as onair writes it".into());
        return None;
    };
    let choice = match table.source.parse::<AudioChoice>() {
        _ if id == StripId::MAIN => AudioChoice::None,
        Ok(choice) => choice,
        Err(why) => {
            bad(format!("a strip's source: {why}"));
            return None;
        }
    };
    let number = |value: f64, low: f64, high: f64| {
        if value.is_finite() { value.clamp(low, high) } else { 0.0 }
    };
    let most = Strip::MOST_OFFSET.as_millis() as f64;
    let heard = HEARD.iter().find(|it| it.0 == table.heard).map(|it| it.1);
    let talk = TALK.iter().find(|it| it.0 == table.talk).map(|it| it.1);
    if (heard.is_none() && !table.heard.is_empty()) || (talk.is_none() && !table.talk.is_empty()) {
        bad("a strip's 'heard' or 'talk' is no word that onair knows".into());
    }
    let at_end = match table.at_end.as_str() {
        "" => AtEnd::Loop,
        word => word.parse().unwrap_or_else(|why| {
            bad(format!("a strip's 'at_end': {why}"));
            AtEnd::Loop
        }),
    };
    let if_silent = match table.if_silent.as_str() {
        "" => None,
        word => match strips::stand_by_of(word) {
            Ok(choice) => choice,
            Err(why) => {
                bad(format!("a strip's 'if_silent': {why}"));
                None
            }
        },
    };
    if table.filters.len() > MOST_FILTERS {
        bad(format!("of more than {MOST_FILTERS} filters of a strip the rest is left out"));
    }
    let filters = table.filters.iter().take(MOST_FILTERS);
    let filters = filters.filter_map(|table| read_filter(table, bad)).collect();
    let track = |number: &i64| u8::try_from(*number).ok().and_then(ExtraTrack::new);
    if table.tracks.iter().any(|number| track(number).is_none()) {
        bad(format!("a strip's 'tracks' are numbers from 2 to {MOST_TRACKS}"));
    }
    let strip = Strip {
        gain_db: number(table.gain_db, -60.0, 20.0) as f32,
        muted: table.muted,
        balance: number(table.balance, -1.0, 1.0) as f32,
        mono: table.mono,
        offset_us: (number(table.offset_ms, -most, most) * 1_000.0) as i64,
        heard: heard.unwrap_or_default(),
        tracks: table.tracks.iter().filter_map(track).collect(),
        solo: table.solo,
        filters,
    };
    let name = clean_name(&table.name);
    let talk = talk.unwrap_or_default();
    Some(SoundStrip { id, name, choice, strip, talk, at_end, if_silent })
}

fn read_filter(table: &toml::Table, bad: &mut dyn FnMut(String)) -> Option<Slot> {
    let kind = table.get("kind").and_then(toml::Value::as_str).unwrap_or_default();
    let Some(mut filter) = Filter::of_kind(kind) else {
        bad("a filter of a kind that onair does not know".into());
        return None;
    };
    let enabled = table.get("enabled").and_then(toml::Value::as_bool).unwrap_or(true);
    for (name, value) in table {
        let number = value.as_float().or_else(|| value.as_integer().map(|it| it as f64));
        match (name.as_str(), number) {
            ("kind" | "enabled", _) => {}
            ("side_chain", Some(id)) => {
                if let Filter::Compressor { side_chain, .. } = &mut filter {
                    *side_chain = (0.0..1e6).contains(&id).then_some(StripId(id as u32));
                }
            }
            (name, Some(number)) if filter.set(name, number as f32) => {}
            _ => bad(format!("a number that a filter of kind {kind} has not")),
        }
    }
    Some(Slot { enabled, filter })
}

/// Reads the list; the main strip, as given where the file has none, is always the first.
pub(super) fn read_list(
    value: Option<&toml::Value>,
    main: SoundStrip,
    bad: &mut dyn FnMut(String),
) -> Vec<SoundStrip> {
    let tables = match value {
        None => return vec![main],
        Some(toml::Value::Array(tables)) => tables,
        Some(_) => {
            bad("'strips' is not a list".into());
            return vec![main];
        }
    };
    if tables.len() > MOST {
        bad(format!("of more than {MOST} strips the rest is left out"));
    }
    let is_main = |table: &toml::Value| table.get("source").is_none();
    let own = tables.first().is_some_and(is_main);
    let mut strips = if own { Vec::new() } else { vec![main.clone()] };
    let first = u32::from(!own);
    for (id, table) in (first..).map(StripId).zip(tables.iter().take(MOST - strips.len())) {
        strips.extend(read(id, table, bad));
    }
    if strips.first().is_none_or(|strip| strip.id != StripId::MAIN) {
        strips.insert(0, main);
    }
    strips
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Vec<SoundStrip>, Vec<String>) {
        let table: toml::Table = text.parse().unwrap();
        let mut told = Vec::new();
        let strips = read_list(table.get("strips"), SoundStrip::main(), &mut |why| told.push(why));
        (strips, told)
    }

    #[test]
    fn strips_come_back_as_they_were() {
        let filters = Filter::KINDS.map(|filter| Slot { enabled: filter.kind() != "gate", filter });
        let mut filters = filters.to_vec();
        if let Some(Slot { filter: Filter::Compressor { side_chain, .. }, .. }) =
            filters.iter_mut().find(|slot| slot.filter.kind() == "compressor")
        {
            *side_chain = Some(StripId(1));
        }
        let music = SoundStrip {
            id: StripId(1),
            name: "Music".into(),
            choice: "file:/a b.wav".parse().unwrap(),
            strip: Strip {
                gain_db: -12.5,
                muted: true,
                balance: -0.25,
                mono: true,
                offset_us: -1_234_500,
                heard: Heard::Tracks,
                tracks: ExtraTrack::all().filter(|track| track.number() != 4).collect(),
                solo: true,
                filters,
            },
            talk: Talk::PushToMute,
            at_end: AtEnd::Clear,
            if_silent: Some("mic:pulse:second".parse().unwrap()),
        };
        let talk = Talk::WhileShown;
        let voice = SoundStrip { talk, ..SoundStrip::new(StripId(2), AudioChoice::Tone) };
        let mut main = SoundStrip::main();
        main.strip.gain_db = 3.0;
        let strips = vec![main, music, voice];
        #[derive(Serialize)]
        struct File {
            strips: Vec<Table>,
        }
        let text = toml::to_string_pretty(&File { strips: tables(&strips) }).unwrap();
        assert_eq!(read_text(&text), (strips, Vec::new()), "{text}");
    }

    #[test]
    fn what_is_bad_falls_back_and_is_told() {
        let (strips, told) = read_text(
            "[[strips]]\nsource = 'tone'\ngain_db = 1e300\nbalance = nan\nheard = 'mars'\nat_end = 'never'\nif_silent = 'shout'\n\
             tracks = [1, 2, 7, 300, -2]\n\
             [[strips.filters]]\nkind = 'reverb'\n\
             [[strips.filters]]\nkind = 'gain'\ndb = -1e9\ncolour = 3\n\
             [[strips]]\nsource = 'nothing-like-it:'\n\
             [[strips]]\nsource = 5\n",
        );
        assert_eq!(strips.len(), 2);
        assert_eq!(strips[0], SoundStrip::main());
        let strip = &strips[1].strip;
        assert_eq!((strip.gain_db, strip.balance, strip.heard), (20.0, 0.0, Heard::Program));
        assert_eq!(strip.filters, [Slot { enabled: true, filter: Filter::Gain { db: -60.0 } }]);
        assert_eq!(strip.tracks.iter().map(ExtraTrack::number).collect::<Vec<_>>(), [2]);
        assert_eq!(told.len(), 8, "{told:?}");
        assert_eq!(read_text("strips = 3").1.len(), 1);
        let many = "[[strips]]\nsource = 'tone'\n".repeat(100);
        assert_eq!(read_text(&many).0.len(), MOST);
    }
}
