//! The strips of the mixer in the settings: `[[strips]]`, one table each, the main one first, whose
//! source stands at the top of the file. Files of old have its gain and mute there too.

use serde::Serialize;
use toml::Value;

use crate::audio::AudioChoice;
use crate::media::playback_control::EndBehavior;
use crate::media::{ExtraTrack, ExtraTracks, MAX_TRACKS};
use crate::mix::filter::{Filter, MAX_FILTERS, Slot};
use crate::mix::{MonitoringMode, Strip, StripId};
use crate::studio::mixer::monitoring::Monitoring;
use crate::studio::mixer::{AudioStrip, MAX_MIXER_STRIPS, TalkMode, clean_name};
use crate::studio::notices::settings_warnings;
use crate::studio::settings::reading::parts::{self, number};
use crate::studio::settings::reading::unknown_keys;
use crate::studio::{mixer, sources};

pub(in crate::studio::settings) const MONITORING: [(&str, MonitoringMode); 4] = [
    ("program", MonitoringMode::Program),
    ("both", MonitoringMode::Both),
    ("desk", MonitoringMode::Desk),
    ("tracks", MonitoringMode::Tracks),
];
const PUSH_TO_TALK: [(&str, TalkMode); 4] = [
    ("open", TalkMode::Open),
    ("push-to-talk", TalkMode::PushToTalk),
    ("push-to-mute", TalkMode::PushToMute),
    ("while-shown", TalkMode::WhileShown),
];

/// Where the desk is heard.
pub(in crate::studio::settings) mod monitoring {
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{MAX_ID, Monitoring};

    pub(in crate::studio::settings) fn serialize<S: Serializer>(
        monitoring: &Monitoring,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match monitoring {
            Monitoring::Off => to.serialize_str(""),
            Monitoring::Default => to.serialize_str("default"),
            Monitoring::Device(id) => to.collect_str(&format_args!("device:{id}")),
        }
    }

    pub(in crate::studio::settings) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Monitoring, D::Error> {
        let text = String::deserialize(from)?;
        Ok(match text.split_once(':') {
            Some(("device", id)) => Monitoring::Device(id.chars().take(MAX_ID).collect()),
            _ if text == "default" => Monitoring::Default,
            _ => Monitoring::Off,
        })
    }
}

/// Longer ids are no system's.
const MAX_ID: usize = 1_024;

/// The side chain of a filter whose strip has been taken away.
const REMOVED_STRIP: i64 = 999_999;

/// One strip as it is laid out; what is missing is as in [`Strip::default`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(in crate::studio::settings) struct Table {
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
pub(in crate::studio::settings) fn tables(strips: &[AudioStrip]) -> Vec<Table> {
    strips.iter().map(|strip| table(strip, strips)).collect()
}

/// How strips are written that are taken in beside a main one that is not among them.
pub(in crate::studio::settings) fn tables_of_others(strips: &[AudioStrip]) -> Vec<Table> {
    let all: Vec<AudioStrip> =
        std::iter::once(AudioStrip::main()).chain(strips.iter().cloned()).collect();
    strips.iter().map(|strip| table(strip, &all)).collect()
}

/// How a strip is written, one of or beside these.
fn table(strip: &AudioStrip, others: &[AudioStrip]) -> Table {
    let AudioStrip { id, name, choice, strip, talk, at_end, if_silent } = strip;
    let at_end =
        EndBehavior::WORDS.iter().find(|it| it.1 == *at_end && *at_end != EndBehavior::Loop);
    let heard = MONITORING.iter().find(|it| it.1 == strip.heard).map(|it| it.0);
    let talk = PUSH_TO_TALK.iter().find(|it| it.1 == *talk).map(|it| it.0);
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

fn filter_table(slot: &Slot, others: &[AudioStrip]) -> toml::Table {
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
        let place = place.and_then(|place| i64::try_from(place).ok()).unwrap_or(REMOVED_STRIP);
        table.insert("side_chain".into(), place.into());
    }
    table
}

/// Takes the values of a strip one by one: a bad one falls back by itself, and is told by its name and that
/// of the strip.
struct Fields<'a> {
    table: &'a toml::Table,
    /// For people.
    strip: String,
    bad: &'a mut dyn FnMut(String),
}

impl<'a> Fields<'a> {
    fn bad(&mut self, key: &str, why: impl std::fmt::Display) {
        let (key, why) = (parts::quoted(key), parts::reason(&why.to_string()));
        (self.bad)(settings_warnings::of_strip(&key, &self.strip, &why));
    }

    /// It is told, and is as if nothing were written.
    fn none<T: Default>(&mut self, key: &str, why: &str) -> T {
        self.bad(key, why);
        T::default()
    }

    fn text(&mut self, key: &str) -> &'a str {
        let text = parts::text(self.table.get(key)).map(Option::unwrap_or_default);
        text.unwrap_or_else(|fault| self.none(key, &fault.it_is()))
    }

    fn flag(&mut self, key: &str) -> bool {
        parts::flag(self.table.get(key)).unwrap_or_else(|fault| self.none(key, &fault.it_is()))
    }

    fn list(&mut self, key: &str) -> &'a [Value] {
        parts::list(self.table.get(key)).unwrap_or_else(|fault| self.none(key, &fault.it_is()))
    }

    /// What is beyond the bounds becomes the nearest that is not.
    fn number(&mut self, key: &str, low: f64, high: f64) -> f64 {
        let Some(value) = self.table.get(key) else { return 0.0 };
        match number(value).filter(|it| !it.is_nan()) {
            Some(number) if (low..=high).contains(&number) => number,
            Some(number) => {
                let nearest = number.clamp(low, high);
                self.bad(key, settings_warnings::it_becomes(&low, &high, &nearest));
                nearest
            }
            None => self.none(key, &settings_warnings::it_is_no_number()),
        }
    }

    fn one_of<T: Copy + Default>(&mut self, key: &str, words: &[(&str, T)]) -> T {
        let word = self.text(key);
        let known = parts::meant(word, words);
        if known.is_none() && !word.is_empty() {
            let word = parts::quoted(word);
            self.bad(key, settings_warnings::unknown_word(&word));
        }
        known.unwrap_or_default()
    }
}

/// How a strip is called where something of it is bad: by its name, its source without what may be secret in
/// it, or its place.
fn called(id: StripId, table: &toml::Table) -> String {
    let text = |key| table.get(key).and_then(Value::as_str).filter(|it| !it.is_empty());
    let source = || text("source")?.parse::<AudioChoice>().ok().map(|it| sources::label(&it));
    match text("name").map(str::to_owned).or_else(source) {
        Some(name) => settings_warnings::strip_named(&clean_name(&name)),
        None if id == StripId::MAIN => settings_warnings::main_strip(),
        None => settings_warnings::strip_number(&(id.0 + 1)),
    }
}

/// Reads a strip; `bad` is told what is left out.
fn read(id: StripId, value: &Value, bad: &mut dyn FnMut(String)) -> Option<AudioStrip> {
    let Some(table) = value.as_table() else {
        bad(settings_warnings::no_strip(&(id.0 + 1)));
        return None;
    };
    let called = called(id, table);
    unknown_keys::strip(table, &called, bad);
    let mut fields = Fields { table, strip: called, bad };
    let source = table.get("source").map_or(Some(""), Value::as_str);
    let choice = source.ok_or_else(settings_warnings::it_is_no_text).and_then(str::parse);
    let choice = match choice {
        _ if id == StripId::MAIN => AudioChoice::None,
        Ok(choice) => choice,
        Err(why) => {
            fields.bad("source", settings_warnings::left_out(&why));
            return None;
        }
    };
    let at_end = match fields.text("at_end") {
        "" => EndBehavior::Loop,
        word => word.parse().unwrap_or_else(|why| {
            fields.bad("at_end", why);
            EndBehavior::Loop
        }),
    };
    let if_silent = match fields.text("if_silent") {
        "" => None,
        word => mixer::fallback_of(word).unwrap_or_else(|why| {
            fields.bad("if_silent", why);
            None
        }),
    };
    let most = Strip::MAX_OFFSET.as_millis() as f64;
    let strip = Strip {
        gain_db: fields.number("gain_db", -60.0, 20.0) as f32,
        muted: fields.flag("muted"),
        balance: fields.number("balance", -1.0, 1.0) as f32,
        mono: fields.flag("mono"),
        offset_us: (fields.number("offset_ms", -most, most) * 1_000.0) as i64,
        heard: fields.one_of("heard", &MONITORING),
        tracks: tracks(&mut fields),
        solo: fields.flag("solo"),
        filters: filters(&mut fields),
    };
    let (name, talk) = (clean_name(fields.text("name")), fields.one_of("talk", &PUSH_TO_TALK));
    Some(AudioStrip { id, name, choice, strip, talk, at_end, if_silent })
}

fn tracks(fields: &mut Fields<'_>) -> ExtraTracks {
    let of = |number: &Value| {
        number.as_integer().and_then(|it| u8::try_from(it).ok()).and_then(ExtraTrack::new)
    };
    let list = fields.list("tracks");
    let (tracks, any_bad) =
        (list.iter().filter_map(of).collect(), list.iter().any(|number| of(number).is_none()));
    if any_bad {
        fields.bad("tracks", settings_warnings::tracks(&MAX_TRACKS));
    }
    tracks
}

fn filters(fields: &mut Fields<'_>) -> Vec<Slot> {
    let tables = fields.list("filters");
    if tables.len() > MAX_FILTERS {
        fields.bad("filters", settings_warnings::the_rest(&MAX_FILTERS));
    }
    tables.iter().take(MAX_FILTERS).filter_map(|table| filter(table, fields)).collect()
}

fn filter(table: &Value, fields: &mut Fields<'_>) -> Option<Slot> {
    let Some(table) = table.as_table() else {
        fields.bad("filters", settings_warnings::one_no_table());
        return None;
    };
    let kind = table.get("kind").and_then(Value::as_str).unwrap_or_default();
    let Some(mut filter) = Filter::of_kind(kind) else {
        let kind = parts::quoted(kind);
        fields.bad("filters", settings_warnings::no_such_filter(&kind));
        return None;
    };
    let mut enabled = true;
    for (name, value) in table {
        let ranges = filter.parameters();
        let range = ranges.iter().find(|it| it.name == name).map(|it| it.range.clone());
        match (name.as_str(), number(value), range) {
            ("kind", ..) => {}
            ("enabled", ..) => match value.as_bool() {
                Some(on) => enabled = on,
                None => {
                    fields.bad(
                        name,
                        settings_warnings::of_its_filter(
                            &kind,
                            &settings_warnings::it_is_no_flag(),
                        ),
                    );
                }
            },
            ("side_chain", Some(id), _) => {
                if let Filter::Compressor { side_chain, .. } = &mut filter {
                    *side_chain = (0.0..1e6).contains(&id).then_some(StripId(id as u32));
                }
            }
            (name, Some(number), Some(range)) => {
                let value = number as f32;
                if !range.contains(&value) {
                    let (low, high) = (range.start(), range.end());
                    let why = settings_warnings::it_is_not_from(&low, &high);
                    fields.bad(name, settings_warnings::of_its_filter(&kind, &why));
                }
                filter.set(name, value);
            }
            (name, None, Some(_)) => {
                fields.bad(
                    name,
                    settings_warnings::of_its_filter(&kind, &settings_warnings::it_is_no_number()),
                );
            }
            (name, ..) => fields.bad(name, settings_warnings::no_such_value(&kind)),
        }
    }
    Some(Slot { enabled, filter })
}

/// A filter with some values changed, but for its side chain; `bad` is told what makes no sense.
pub(in crate::studio::settings) fn changed(
    slot: &Slot,
    values: toml::Table,
    bad: &mut dyn FnMut(String),
) -> Option<Slot> {
    let mut table = filter_table(slot, &[]);
    table.remove("side_chain");
    table.extend(values);
    let strip = settings_warnings::strip_itself();
    filter(&Value::Table(table), &mut Fields { table: &toml::Table::new(), strip, bad })
}

/// Reads the list; the main strip, as given where the file has none, is always the first.
pub(in crate::studio::settings) fn read_list(
    value: Option<&Value>,
    main: AudioStrip,
    bad: &mut dyn FnMut(String),
) -> Vec<AudioStrip> {
    parts::counted(&settings_warnings::the_strips(), bad, |bad| read_all(value, main, bad))
}

fn read_all(
    value: Option<&Value>,
    main: AudioStrip,
    bad: &mut dyn FnMut(String),
) -> Vec<AudioStrip> {
    let tables = match (value, parts::list(value)) {
        (None, _) => return vec![main],
        (_, Ok(tables)) => tables,
        (_, Err(_)) => {
            bad(settings_warnings::strips_no_list());
            return vec![main];
        }
    };
    if tables.len() > MAX_MIXER_STRIPS {
        bad(settings_warnings::strips_beyond(&MAX_MIXER_STRIPS));
    }
    let is_main = |table: &Value| table.get("source").is_none();
    let own = tables.first().is_some_and(is_main);
    let mut strips = if own { Vec::new() } else { vec![main.clone()] };
    let first = u32::from(!own);
    for (id, table) in
        (first..).map(StripId).zip(tables.iter().take(MAX_MIXER_STRIPS - strips.len()))
    {
        strips.extend(read(id, table, bad));
    }
    if strips.first().is_none_or(|strip| strip.id != StripId::MAIN) {
        strips.insert(0, main);
    }
    for strip in &strips {
        for chain in strip.strip.filters.iter().filter_map(|slot| slot.filter.side_chain()) {
            let there =
                strips.iter().any(|it| it.id == chain) || i64::from(chain.0) == REMOVED_STRIP;
            if !there {
                let called = match strip {
                    AudioStrip { id: StripId::MAIN, .. } => settings_warnings::main_strip(),
                    AudioStrip { name, choice, .. } if name.is_empty() => {
                        settings_warnings::strip_named(&sources::label(choice))
                    }
                    AudioStrip { name, .. } => settings_warnings::strip_named(name),
                };
                let why = settings_warnings::no_such_strip(&chain.0);
                bad(settings_warnings::of_strip(&"side_chain", &called, &why));
            }
        }
    }
    strips
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Vec<AudioStrip>, Vec<String>) {
        let table: toml::Table = text.parse().unwrap();
        let mut told = Vec::new();
        let strips = read_list(table.get("strips"), AudioStrip::main(), &mut |why| told.push(why));
        (strips, told)
    }

    #[test]
    fn a_side_chain_of_a_strip_that_is_not_there_is_told() {
        let of = |chain: &str| {
            let filter = format!("{{ kind = \"compressor\", side_chain = {chain} }}");
            read_text(&format!("[[strips]]\n[[strips]]\nsource = \"mic\"\nfilters = [{filter}]")).1
        };
        assert_eq!((of("0"), of("1")), (Vec::new(), Vec::new()));
        // As it is written of one that was taken away.
        assert_eq!(of("999999"), Vec::<String>::new());
        assert_eq!(of("2"), ["'side_chain' of the strip 'mic': there is no strip 2"]);
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
        let music = AudioStrip {
            id: StripId(1),
            name: "Music".into(),
            choice: "file:/a b.wav".parse().unwrap(),
            strip: Strip {
                gain_db: -12.5,
                muted: true,
                balance: -0.25,
                mono: true,
                offset_us: -1_234_500,
                heard: MonitoringMode::Tracks,
                tracks: ExtraTrack::all().filter(|track| track.number() != 4).collect(),
                solo: true,
                filters,
            },
            talk: TalkMode::PushToMute,
            at_end: EndBehavior::Clear,
            if_silent: Some("mic:pulse:second".parse().unwrap()),
        };
        let talk = TalkMode::WhileShown;
        let voice = AudioStrip { talk, ..AudioStrip::new(StripId(2), AudioChoice::Tone) };
        let mut main = AudioStrip::main();
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
        assert_eq!(strips[0], AudioStrip::main());
        let strip = &strips[1].strip;
        assert_eq!(
            (strip.gain_db, strip.balance, strip.heard),
            (20.0, 0.0, MonitoringMode::Program)
        );
        assert_eq!(strip.filters, [Slot { enabled: true, filter: Filter::Gain { db: -60.0 } }]);
        assert_eq!(strip.tracks.iter().map(ExtraTrack::number).collect::<Vec<_>>(), [2]);
        assert_eq!(told.len(), 11, "{told:?}");
        assert_eq!(read_text("strips = 3").1.len(), 1);
        // Each falls back by itself, and is told with the strip that it is of.
        let (strips, told) = read_text(
            "[[strips]]\ngain_db = 'loud'\n\
             [[strips]]\nsource = 'tone'\nname = 'Voice'\ngain_db = -6\nmuted = true\nmono = 'yes'\n\
             offset_ms = 60000\nbalance = 1\ntracks = 2\nfilters = 5\ntalk = 'push-to-talk'\nsolo = 1\n\
             [[strips]]\nsource = 'mic'\nname = 7\n\
             [[strips.filters]]\nkind = 'gain'\nenabled = 'no'\ndb = 99\n\
             [[strips.filters]]\nkind = 'limiter'\nrelease_ms = 'long'\nthreshold_dbfs = -3\n",
        );
        let [main, voice, mic] = &strips[..] else { panic!("{strips:?}") };
        assert_eq!(main.strip, Strip::default());
        let kept = (voice.strip.gain_db, voice.strip.muted, voice.strip.balance, voice.talk);
        assert_eq!(kept, (-6.0, true, 1.0, TalkMode::PushToTalk));
        assert_eq!((voice.strip.mono, voice.strip.offset_us), (false, 20_000_000));
        let limiter = Filter::Limiter { threshold_dbfs: -3.0, release_ms: 60.0 };
        let slot = |filter| Slot { enabled: true, filter };
        assert_eq!(mic.strip.filters, [slot(Filter::Gain { db: 30.0 }), slot(limiter)]);
        assert_eq!(
            told,
            [
                "'gain_db' of the main strip: it is not a number",
                "'mono' of the strip 'Voice': it is neither true nor false",
                "'offset_ms' of the strip 'Voice': it is not from -20000 to 20000; 20000 is taken",
                "'tracks' of the strip 'Voice': it is not a list",
                "'solo' of the strip 'Voice': it is neither true nor false",
                "'filters' of the strip 'Voice': it is not a list",
                "'db' of the strip 'mic': of its gain: it is not from -60 to 30",
                "'enabled' of the strip 'mic': of its gain: it is neither true nor false",
                "'release_ms' of the strip 'mic': of its limiter: it is not a number",
                "'name' of the strip 'mic': it is not a text",
            ]
        );
        let many = "[[strips]]\nsource = 'tone'\n".repeat(100);
        assert_eq!(read_text(&many).0.len(), MAX_MIXER_STRIPS);
    }

    #[test]
    fn what_is_told_holds_nothing_secret() {
        let (strips, told) = read_text(
            "[[strips]]\nsource = 'stream:rtmp://ada:pw@host/pw?token=pw'\nmono = 3\n\
             if_silent = 'rtmp://ada:pw@host/pw'\n\
             [[strips]]\nsource = 'rtmp://ada:pw@host/pw'\nmono = 3\n",
        );
        assert_eq!(strips.len(), 2);
        let [silent, mono, source] = &told[..] else { panic!("{told:?}") };
        assert!(silent.starts_with("'if_silent' of the strip 'stream:rtmp://host': "), "{silent}");
        assert!(mono.starts_with("'mono' of the strip 'stream:rtmp://host': "), "{mono}");
        assert!(source.starts_with("'source' of strip 3: 'rtmp' is no"), "{source}");
        assert!(source.ends_with("; the strip is left out"), "{source}");
        assert!(told.iter().all(|why| !why.contains("pw")), "{told:?}");
    }

    #[test]
    fn what_is_told_of_odd_files_is_short_and_clean() {
        let odd = "\\u0007x".repeat(5_000);
        let mut text = format!(
            "[[strips]]\nsource = 'tone'\nheard = \"{odd}\"\nat_end = \"{odd}\"\n\
             [[strips.filters]]\nkind = \"{odd}\"\n[[strips.filters]]\nkind = 'gain'\n"
        );
        for key in 0..1_000 {
            text += &format!("\"{key}{odd}\" = 1\n");
        }
        let (_, told) = read_text(&text);
        assert_eq!(told.len(), 21);
        assert_eq!(told.last().unwrap(), "983 more things in the strips are not as they should be");
        for why in &told {
            assert!(why.chars().count() < 400 && !why.contains(char::is_control), "{why}");
        }
    }
}
