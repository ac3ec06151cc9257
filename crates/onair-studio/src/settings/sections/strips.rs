//! The strips of the mixer in the settings file: `[[strips]]`, one table each, the main strip
//! first. The main strip's source is at the top of the file, where old files also have its gain and
//! mute.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Value;

use crate::audio::AudioChoice;
use crate::media::playback_control::EndBehavior;
use crate::media::{ExtraTrack, ExtraTracks, MAX_TRACKS};
use crate::mix::filter::Slot;
use crate::mix::{MonitoringMode, Strip, StripId};
use crate::studio::mixer;
use crate::studio::mixer::monitoring::Monitoring;
use crate::studio::mixer::{AudioStrip, MAX_MIXER_STRIPS, TalkMode, clean_name};
use crate::studio::scenes;
use crate::studio::settings::reading::lenient::Document;
use crate::studio::settings::reading::parts;
use crate::studio::settings::reading::values::{self, form, is_usual, layout, within, words};
use crate::studio::settings::sections::filters;
use crate::text::problem::problem;

pub const MONITORING_WORDS: [(&str, MonitoringMode); 4] = [
    ("off", MonitoringMode::Program),
    ("both", MonitoringMode::Both),
    ("only", MonitoringMode::MonitorOnly),
    ("tracks", MonitoringMode::Tracks),
];
const TALK_MODE_NAMES: [(&str, TalkMode); 4] = [
    ("open", TalkMode::Open),
    ("push-to-talk", TalkMode::PushToTalk),
    ("push-to-mute", TalkMode::PushToMute),
    ("while-shown", TalkMode::WhileShown),
];

form! {
    /// Reads and writes the monitoring device.
    pub(in crate::settings) monitoring: Monitoring;
    write monitoring => match monitoring {
        Monitoring::Off => String::new(),
        Monitoring::Default => "default".to_owned(),
        Monitoring::Device(id) => format!("device:{id}"),
    };
    read text: String::deserialize => Ok(match text.split_once(':') {
        Some(("device", id)) => Monitoring::Device(id.chars().take(MAX_DEVICE_ID_LENGTH).collect()),
        _ if text == "default" => Monitoring::Default,
        _ => Monitoring::Off,
    });
}

/// Maximum length of a device id.
const MAX_DEVICE_ID_LENGTH: usize = 1_024;

/// The value for a side chain whose strip was removed.
const REMOVED_STRIP_NUMBER: i64 = 999_999;

layout! {
    /// The layout of one strip. Missing values are neutral.
    struct Table of AudioStrip = AudioStrip::main(); {
        #[serde(skip_serializing_if = "is_usual")]
        name: String = name,
        /// The source, which is absent for the main strip.
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "source")]
        source: Option<String>,
        #[serde(serialize_with = "values::rounded", deserialize_with = "gain")]
        gain_db: f32 = strip.gain_db,
        muted: bool = strip.muted,
        #[serde(serialize_with = "values::rounded", deserialize_with = "balance")]
        balance: f32 = strip.balance,
        mono: bool = strip.mono,
        #[serde(serialize_with = "as_milliseconds", deserialize_with = "offset")]
        offset_ms: i64 = strip.offset_us,
        #[serde(with = "mode")]
        monitoring: MonitoringMode = strip.monitoring,
        #[serde(with = "tracks", skip_serializing_if = "is_usual")]
        tracks: ExtraTracks = strip.tracks,
        solo: bool = strip.solo,
        #[serde(with = "talk")]
        talk: TalkMode = talk,
        #[serde(with = "at_end", skip_serializing_if = "is_usual")]
        at_end: EndBehavior = at_end,
        #[serde(
            serialize_with = "values::text_or_none::serialize",
            deserialize_with = "if_silent",
            skip_serializing_if = "is_usual"
        )]
        if_silent: Option<AudioChoice> = if_silent,
        /// The only scene in which the strip is heard.
        #[serde(skip_serializing_if = "is_usual")]
        scene: String = scene,
        #[serde(skip_serializing_if = "is_usual")]
        filters: Vec<toml::Table>,
    }
}

/// Reads a source. An invalid value gives no source, but does not make the strip the main one.
fn source<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Some(Value::deserialize(from)?.as_str().unwrap_or_default().to_owned()))
}

within! {
    gain: f32 = -60.0..=20.0, "dB";
    balance: f32 = -1.0..=1.0;
    milliseconds: f64 = -MAX_OFFSET_MS..=MAX_OFFSET_MS, "ms";
}

const MAX_OFFSET_MS: f64 = Strip::MAX_OFFSET.as_millis() as f64;

fn offset<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    milliseconds(from).map(|ms| (ms * 1_000.0) as i64)
}

fn as_milliseconds<S: Serializer>(us: &i64, to: S) -> Result<S::Ok, S::Error> {
    (*us as f64 / 1_000.0).serialize(to)
}

fn if_silent<'de, D: Deserializer<'de>>(from: D) -> Result<Option<AudioChoice>, D::Error> {
    mixer::fallback_of(&String::deserialize(from)?).map_err(values::refuse)
}

words!(mode, MonitoringMode, super::MONITORING_WORDS);
words!(talk, TalkMode, super::TALK_MODE_NAMES);
words!(at_end, EndBehavior, EndBehavior::ALL);

/// Reads and writes the numbers of extra tracks, from 2.
pub(super) mod tracks {
    use super::*;

    struct Number(ExtraTrack);

    impl<'de> Deserialize<'de> for Number {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let track = ExtraTrack::new(values::bounded(from, 2..=MAX_TRACKS, "")?).map(Self);
            track.ok_or_else(|| values::refuse(problem!("value-no-number")))
        }
    }

    pub fn serialize<S: Serializer>(tracks: &ExtraTracks, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(tracks.iter().map(ExtraTrack::number))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<ExtraTracks, D::Error> {
        Ok(Vec::<Number>::deserialize(from)?.into_iter().map(|Number(track)| track).collect())
    }
}

/// Formats the strips. A side chain is written as the position of a strip in the file.
pub fn tables(strips: &[AudioStrip]) -> Vec<Table> {
    strips.iter().map(|strip| table(strip, strips)).collect()
}

/// Formats strips without the main strip. They are merged with another main strip later.
pub fn tables_of_others(strips: &[AudioStrip]) -> Vec<Table> {
    let all: Vec<AudioStrip> =
        std::iter::once(AudioStrip::main()).chain(strips.iter().cloned()).collect();
    strips.iter().map(|strip| table(strip, &all)).collect()
}

/// Formats a strip, whose side chain can refer to `others`.
fn table(it: &AudioStrip, others: &[AudioStrip]) -> Table {
    let source = (it.id != StripId::MAIN).then(|| it.choice.to_string());
    let filters = it.strip.filters.iter().map(|slot| filter_table(slot, others)).collect();
    Table { source, filters, ..Table::of(it) }
}

fn filter_table(slot: &Slot, others: &[AudioStrip]) -> toml::Table {
    let mut table = filters::table(slot.enabled, &slot.filter);
    if let Some(id) = slot.filter.side_chain() {
        let place = others.iter().position(|strip| strip.id == id);
        // A removed strip has no position: the filter then has no effect.
        let place =
            place.and_then(|place| i64::try_from(place).ok()).unwrap_or(REMOVED_STRIP_NUMBER);
        table.insert("side_chain".into(), place.into());
    }
    table
}

/// Reads the strips of these tables. The main strip is always first; if the tables lack it, the
/// given one is used.
pub fn from_tables(tables: &[Table], main: AudioStrip, from: &mut Document<'_>) -> Vec<AudioStrip> {
    if tables.len() > MAX_MIXER_STRIPS {
        from.note("strips", &problem!("settings-strips-beyond", most = MAX_MIXER_STRIPS));
    }
    let own = tables.first().is_some_and(|first| first.source.is_none());
    let mut strips = if own { Vec::new() } else { vec![main] };
    let room = MAX_MIXER_STRIPS - strips.len();
    for (at, table) in tables.iter().take(room).enumerate() {
        let id = StripId(u32::try_from(at).unwrap_or(u32::MAX) + u32::from(!own));
        strips.extend(strip(id, table, at, from));
    }
    for (at, strip) in strips.iter().enumerate() {
        for chain in strip.strip.filters.iter().filter_map(|slot| slot.filter.side_chain()) {
            let there = strips.iter().any(|it| it.id == chain)
                || i64::from(chain.0) == REMOVED_STRIP_NUMBER;
            if !there {
                let why = problem!("settings-no-such-strip", number = chain.0);
                from.note(&format!("strips.{}.side_chain", at - usize::from(!own)), &why);
            }
        }
    }
    strips
}

/// Reads one strip; `at` is its index among the tables.
fn strip(id: StripId, table: &Table, at: usize, from: &mut Document<'_>) -> Option<AudioStrip> {
    let choice = match table.source.as_deref().unwrap_or_default().parse() {
        _ if id == StripId::MAIN => AudioChoice::None,
        Ok(choice) => choice,
        Err(why) => {
            from.note(
                &format!("strips.{at}.source"),
                &problem!("settings-strip-left-out", why = why),
            );
            return None;
        }
    };
    let mut strip = AudioStrip::new(id, choice);
    table.put(&mut strip);
    strip.name = clean_name(&strip.name);
    strip.scene = scenes::clean_name(&strip.scene);
    let filters = filters::read(&table.filters, &format!("strips.{at}.filters"), from).into_iter();
    strip.strip.filters = filters.map(|(enabled, filter)| Slot { enabled, filter }).collect();
    Some(strip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::filter::Filter;
    use crate::studio::settings::Settings;

    fn read_text(text: &str) -> (Vec<AudioStrip>, Vec<crate::text::Problem>) {
        let (settings, warnings) = Settings::parse(text);
        (settings.strips, warnings)
    }

    #[test]
    fn a_side_chain_of_a_missing_strip_is_reported() {
        let of = |chain: &str| {
            let filter = format!("{{ kind = \"compressor\", side_chain = {chain} }}");
            read_text(&format!("[[strips]]\n[[strips]]\nsource = \"mic\"\nfilters = [{filter}]")).1
        };
        assert_eq!((of("0"), of("1")), (Vec::new(), Vec::new()));
        // The form written for a removed strip.
        assert_eq!(of("999999"), Vec::<String>::new());
        assert_eq!(
            of("2"),
            [
                "onair ignores the setting 'strips.side_chain' on line 2, column 1: there is no audio source 2"
            ]
        );
    }

    #[test]
    fn strips_come_back_as_they_were() {
        let filters =
            Filter::ALL_KINDS.map(|filter| Slot { enabled: filter.kind() != "gate", filter });
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
                monitoring: MonitoringMode::Tracks,
                tracks: ExtraTrack::all().filter(|track| track.number() != 4).collect(),
                solo: true,
                filters,
            },
            talk: TalkMode::PushToMute,
            scene: "Talk".into(),
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
    fn bad_values_fall_back_and_are_reported() {
        let (strips, warnings) = read_text(
            "[[strips]]\nsource = 'tone'\ngain_db = 1e300\nbalance = nan\nmonitoring = 'mars'\nat_end = 'never'\nif_silent = 'shout'\n\
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
            (strip.gain_db, strip.balance, strip.monitoring),
            (0.0, 0.0, MonitoringMode::Program)
        );
        assert_eq!(strip.filters, [Slot { enabled: true, filter: Filter::Gain { db: -60.0 } }]);
        assert_eq!(strip.tracks.iter().map(ExtraTrack::number).collect::<Vec<_>>(), [2]);
        assert_eq!(warnings.len(), 14, "{warnings:#?}");
        assert_eq!(read_text("strips = 3").1.len(), 1);
        // Each bad value gets its default, and is reported with its strip.
        let (strips, warnings) = read_text(
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
        assert_eq!((voice.strip.mono, voice.strip.offset_us), (false, 0));
        let limiter = Filter::Limiter { threshold_dbfs: -3.0, release_ms: 60.0 };
        let slot = |filter| Slot { enabled: true, filter };
        assert_eq!(mic.strip.filters, [slot(Filter::Gain { db: 30.0 }), slot(limiter)]);
        let wanted = [
            ("gain_db", "it must be a number from -60 to 20 dB"),
            ("mono", "it must be true or false"),
            ("offset_ms", "it must be a number from -20000 to 20000 ms"),
            ("tracks", "it must be a list"),
            ("filters", "it must be a list"),
            ("solo", "it must be true or false"),
            ("name", "it must be text"),
            ("filters.enabled", "it must be true or false"),
            ("filters.db", "it must be a number from -60 to 30 dB"),
            ("filters.release_ms", "it must be a number"),
        ];
        assert_eq!(warnings.len(), wanted.len(), "{warnings:#?}");
        for (warning, (key, why)) in warnings.iter().map(ToString::to_string).zip(wanted) {
            assert!(
                warning.starts_with(&format!("onair ignores the setting 'strips.{key}' on line ")),
                "{warning}"
            );
            assert!(warning.ends_with(&format!(": {why}")), "{warning}");
        }
        let many = "[[strips]]\nsource = 'tone'\n".repeat(100);
        assert_eq!(read_text(&many).0.len(), MAX_MIXER_STRIPS);
    }

    #[test]
    fn warnings_contain_no_secret() {
        let (strips, warnings) = read_text(
            "[[strips]]\nsource = 'stream:rtmp://ada:pw@host/pw?token=pw'\nmono = 3\n\
             if_silent = 'rtmp://ada:pw@host/pw'\n\
             [[strips]]\nsource = 'rtmp://ada:pw@host/pw'\nmono = 3\n",
        );
        assert_eq!(strips.len(), 2);
        let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
        let [mono, silent, source, _] = &warnings[..] else { panic!("{warnings:#?}") };
        assert!(silent.contains("'strips.if_silent' on line 4, column 13"), "{silent}");
        assert!(mono.contains("'strips.mono' on line 3"), "{mono}");
        assert!(source.contains("'strips.source' on line 6") && source.contains("'rtmp' is not"));
        assert!(source.ends_with("; onair leaves out this audio source"), "{source}");
        assert!(warnings.iter().all(|why| !why.contains("pw")), "{warnings:?}");
    }

    #[test]
    fn warnings_about_malformed_files_are_short_and_clean() {
        let odd = "\\u0007x".repeat(5_000);
        let mut text = format!(
            "[[strips]]\nsource = 'tone'\nmonitoring = \"{odd}\"\nat_end = \"{odd}\"\n\
             [[strips.filters]]\nkind = \"{odd}\"\n[[strips.filters]]\nkind = 'gain'\n"
        );
        for key in 0..1_000 {
            text += &format!("\"{key}{odd}\" = 1\n");
        }
        let (_, warnings) = read_text(&text);
        assert_eq!(warnings.len(), 21);
        assert_eq!(*warnings.last().unwrap(), "more invalid values in the settings: 983");
        for why in warnings.iter().map(ToString::to_string) {
            assert!(why.chars().count() < 400 && !why.contains(char::is_control), "{why}");
        }
    }
}
