//! Imports audio sources of OBS's files as mixer strips: microphones, speaker outputs, and the
//! audio of media files and streams, with fader, mute, balance, sync offset, filters, monitoring
//! and tracks.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ptr;

use serde_json::Value;

use crate::audio::AudioChoice;
use crate::media::{ExtraTrack, ExtraTracks, MAX_TRACKS, TrackKind};
use crate::mix::{MonitoringMode, Strip, StripId};
use crate::studio::mixer::{AudioStrip, MAX_MIXER_STRIPS, TalkMode, clean_name, has_video};
use crate::studio::settings::import::obs::audio_filters;
use crate::studio::settings::import::obs::devices::UNRESOLVED;
use crate::studio::settings::import::obs::json::{
    array, is_group_copy, is_off, is_on, number, part, text, whole,
};
use crate::studio::settings::import::obs::video_filters::kind;
use crate::studio::settings::import::obs::video_sources::names_device;
use crate::text::problem::{Problem, problem};

/// The global audio devices of a file.
const GLOBAL_DEVICES: [&str; 6] = [
    "DesktopAudioDevice1",
    "DesktopAudioDevice2",
    "AuxAudioDevice1",
    "AuxAudioDevice2",
    "AuxAudioDevice3",
    "AuxAudioDevice4",
];

/// The bits of all tracks in a source's `mixers`.
const ALL_TRACKS: u64 = (1 << MAX_TRACKS) - 1;

/// The flag for mono in a source's flags.
const MONO_FLAG: u64 = 1 << 1;

/// The scenes that show each source. OBS plays an audio source only while the scene on air shows
/// it.
#[derive(Debug, Default)]
pub struct SceneCounts<'a> {
    /// The number of all scenes.
    total: usize,
    /// By source, the number of scenes that show it, also in groups and nested scenes.
    showing: BTreeMap<&'a str, usize>,
}

impl<'a> SceneCounts<'a> {
    /// Counts the scenes that show each source; `by_name` contains scenes, groups and sources.
    pub fn of(
        scenes: impl Iterator<Item = &'a str>,
        by_name: &BTreeMap<&'a str, &'a Value>,
    ) -> Self {
        let mut counts = Self::default();
        for scene in scenes {
            counts.total += 1;
            let mut shown = BTreeSet::from([scene]);
            let mut next = vec![scene];
            while let Some(name) = next.pop() {
                let Some(source) = by_name.get(name).copied() else { continue };
                for item in array(part(source, "settings"), "items") {
                    let name = text(item, "name");
                    if !is_off(item, "visible") && !is_group_copy(item) && shown.insert(name) {
                        next.push(name);
                    }
                }
            }
            for name in shown {
                *counts.showing.entry(name).or_default() += 1;
            }
        }
        counts
    }
}

/// Returns the choice for an audio source, or `None` for other kinds.
pub fn choice(source: &Value) -> Option<AudioChoice> {
    match kind(source).0 {
        // The server's names of devices are the same here, if the devices exist.
        "pulse_input_capture" if pulse_device(source).is_some() => {
            Some(AudioChoice::Mic(pulse_device(source)))
        }
        "pulse_output_capture" if pulse_device(source).is_some() => {
            Some(AudioChoice::System(pulse_device(source)))
        }
        // Other device ids are not valid here: the default device is used, and must be chosen
        // again.
        "pulse_input_capture"
        | "alsa_input_capture"
        | "wasapi_input_capture"
        | "coreaudio_input_capture" => Some(AudioChoice::Mic(None)),
        "pulse_output_capture"
        | "wasapi_output_capture"
        | "coreaudio_output_capture"
        | "sck_audio_capture" => Some(AudioChoice::System(None)),
        "pipewire_audio_application_capture" | "wasapi_process_output_capture" => {
            Some(application(source)?)
        }
        _ => None,
    }
}

/// Returns the name that the audio server has for the device of a source, as an id. A monitor is
/// that of a speaker.
fn pulse_device(source: &Value) -> Option<String> {
    let name = text(source.get("settings")?, "device_id");
    let name = name.strip_suffix(".monitor").unwrap_or(name);
    let is_plain = !name.is_empty() && name != "default" && !name.contains(char::is_control);
    (is_plain && name.len() <= 300).then(|| format!("{UNRESOLVED}{name}"))
}

/// Returns a captured application, identified by its name or its program's name.
fn application(source: &Value) -> Option<AudioChoice> {
    let settings = source.get("settings")?;
    let name = text(settings, "TargetName");
    // The format is "TITLE:CLASS:PROGRAM.exe", in which colons are written as numbers.
    let program = text(settings, "window").rsplit(':').next().unwrap_or_default();
    let name = if name.is_empty() { program.trim_end_matches(".exe") } else { name };
    let name = clean_name(name);
    (!name.is_empty()).then_some(AudioChoice::Application(name))
}

/// Reads the strips of a file, by name: its audio sources, and the audio of video sources
/// (`beside`). Parts that are not imported are added to `left_out`. A strip plays in every scene,
/// so a device that no scene shows is muted.
pub fn read(
    json: &Value,
    beside: &BTreeMap<&str, AudioChoice>,
    scenes: &SceneCounts<'_>,
    left_out: &mut HashSet<Problem>,
) -> Vec<AudioStrip> {
    let global = GLOBAL_DEVICES.iter().filter_map(|key| json.get(key));
    let of = |source: &Value| choice(source).or_else(|| beside.get(text(source, "name")).cloned());
    let mut audio: Vec<(&Value, AudioChoice)> = Vec::new();
    // The names of sources that share another source's strip.
    let mut shared: Vec<(&str, AudioChoice)> = Vec::new();
    for source in global.chain(array(json, "sources")) {
        let Some(choice) = of(source) else { continue };
        let device = matches!(choice, AudioChoice::Mic(None) | AudioChoice::System(None));
        if device && source.get("settings").is_some_and(names_device) {
            let name = text(source, "name");
            left_out.insert(problem!("import-default-device", name = &name));
        }
        let same = |(_, other): &(&Value, AudioChoice)| *other == choice;
        // Media is opened once, regardless of how many sources show it.
        if has_video(&choice)
            && let Some((first, _)) = audio.iter().find(|it| same(it))
        {
            let (name, first) = (text(source, "name"), text(first, "name"));
            left_out.insert(problem!("import-shared-strip", name = &name, first = &first));
            shared.push((name, choice));
        } else if audio.len() <= MAX_MIXER_STRIPS {
            audio.push((source, choice));
        }
    }
    if audio.len() > MAX_MIXER_STRIPS {
        left_out.insert(problem!("import-audio-beyond", most = MAX_MIXER_STRIPS));
        audio.truncate(MAX_MIXER_STRIPS);
    }
    // OBS puts all audio into every track until the user changes that, and the tracks of the
    // recording are set elsewhere. A track that contains all sources is therefore the same as the
    // program.
    let everywhere = audio.iter().fold(ALL_TRACKS, |all, (source, _)| all & mixers(source));
    let named = (1..).map(StripId).zip(&audio);
    let mut named: BTreeMap<&str, StripId> =
        named.map(|(id, (source, _))| (text(source, "name"), id)).collect();
    for (name, choice) in shared {
        let ids = (1..).map(StripId).zip(&audio);
        let of = ids.into_iter().find(|(_, (_, other))| *other == choice);
        named.extend(of.map(|(id, _)| (name, id)));
    }
    let mut strips = Vec::new();
    for (id, (source, choice)) in (1..).map(StripId).zip(audio) {
        let name = clean_name(text(source, "name"));
        let also_video = self::choice(source).is_none();
        let taken = audio_filters::read(source, &named, also_video);
        left_out.extend(taken.left_out(TrackKind::Audio, &name));
        left_out.extend(
            taken.otherwise.iter().map(|not| problem!("import-of-audio", name = &name, what = not)),
        );
        let talk = match (is_on(source, "push-to-talk"), is_on(source, "push-to-mute")) {
            (true, _) => TalkMode::PushToTalk,
            (_, true) => TalkMode::PushToMute,
            _ if has_video(&choice) => TalkMode::WhileShown,
            _ => TalkMode::Open,
        };
        let mut strip = Strip { filters: taken.slots, ..strip(source, mixers(source), everywhere) };
        let is_global =
            GLOBAL_DEVICES.iter().any(|key| json.get(key).is_some_and(|it| ptr::eq(it, source)));
        if !also_video && !is_global {
            match scenes.showing.get(text(source, "name")).copied().unwrap_or_default() {
                0 => {
                    strip.muted = true;
                    left_out.insert(problem!("import-audio-hidden", name = &name));
                }
                count if count < scenes.total => {
                    left_out.insert(problem!(
                        "import-audio-of-scenes",
                        name = &name,
                        count = count,
                        scenes = scenes.total
                    ));
                }
                _ => {}
            }
        }
        strips.push(AudioStrip { name, strip, talk, ..AudioStrip::new(id, choice) });
    }
    strips
}

/// Returns the tracks of a source, one bit each.
fn mixers(source: &Value) -> u64 {
    whole(source, "mixers").unwrap_or(ALL_TRACKS) & ALL_TRACKS
}

fn strip(source: &Value, mixers: u64, everywhere: u64) -> Strip {
    let number = |key: &str, default: f64| number(source, key).unwrap_or(default);
    let monitoring = number("monitoring_type", 0.0) as i64;
    let mode = match (mixers & 1 != 0, monitoring) {
        // In OBS, "monitor only" silences every track.
        (_, 1) | (false, 2) => MonitoringMode::MonitorOnly,
        (true, 2) => MonitoringMode::Both,
        (true, _) => MonitoringMode::Program,
        (false, _) => MonitoringMode::Tracks,
    };
    let own = if monitoring == 1 { 0 } else { mixers & !everywhere };
    let tracks: ExtraTracks =
        ExtraTrack::all().filter(|track| own & 1 << (track.number() - 1) != 0).collect();
    let flags = whole(source, "flags").unwrap_or(0);
    let most = Strip::MAX_OFFSET.as_micros() as f64;
    Strip {
        gain_db: (20.0 * number("volume", 1.0).max(1e-6).log10()).clamp(-60.0, 20.0) as f32,
        muted: is_on(source, "muted"),
        balance: (number("balance", 0.5) * 2.0 - 1.0).clamp(-1.0, 1.0) as f32,
        mono: flags & MONO_FLAG != 0,
        // OBS's value is in nanoseconds.
        offset_us: (number("sync", 0.0) / 1_000.0).clamp(-most, most) as i64,
        monitoring: mode,
        tracks,
        ..Strip::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> (Vec<AudioStrip>, HashSet<Problem>) {
        let mut left_out = HashSet::new();
        let beside = [("Clip", AudioChoice::File("/v/clip.mp4".into()))].into();
        let json: Value = serde_json::from_str(text).unwrap();
        let sources = array(&json, "sources");
        let showing = sources.into_iter().map(|it| (super::text(it, "name"), 1)).collect();
        let scenes = SceneCounts { total: 1, showing };
        (read(&json, &beside, &scenes, &mut left_out), left_out)
    }

    fn tracks(strip: &AudioStrip) -> Vec<u8> {
        strip.strip.tracks.iter().map(ExtraTrack::number).collect()
    }

    #[test]
    fn the_mixers_of_a_source_are_its_tracks() {
        let (strips, left_out) = read_text(
            r#"{"DesktopAudioDevice1": {"id": "pulse_output_capture", "name": "Desktop",
                  "mixers": 5, "volume": 0.5, "sync": -20000000, "balance": 0.25},
                "AuxAudioDevice1": {"id": "pulse_input_capture", "name": "Mic", "mixers": 3,
                  "muted": true, "flags": 2, "push-to-talk": true, "filters": [
                    {"id": "compressor_filter", "settings": {"sidechain_source": "Desktop"}},
                    {"id": "vst_filter", "name": "Reverb"}]},
                "sources": [
                  {"id": "wasapi_input_capture_v2", "name": "Second", "mixers": 2},
                  {"id": "ffmpeg_source", "name": "Clip", "mixers": 255, "volume": 0.5,
                   "filters": [{"id": "chroma_key_filter_v2"}, {"id": "gain_filter"}]},
                  {"id": "ffmpeg_source", "name": "Unused", "mixers": 255},
                  {"id": "pulse_input_capture", "name": "Ear", "mixers": 63,
                   "monitoring_type": 1},
                  {"id": "pulse_input_capture", "name": "Both", "mixers": 255,
                   "monitoring_type": 2}]}"#,
        );
        let names: Vec<_> = strips.iter().map(|strip| strip.name.as_str()).collect();
        assert_eq!(names, ["Desktop", "Mic", "Second", "Clip", "Ear", "Both"]);
        assert_eq!(strips[3].choice.to_string(), "file:/v/clip.mp4");
        assert!((strips[3].strip.gain_db + 6.02).abs() < 0.01);
        // Video filters are not read here.
        assert_eq!(strips[3].strip.filters.len(), 1);
        let all: Vec<_> = strips.iter().map(tracks).collect();
        assert_eq!(
            all,
            [vec![3], vec![2], vec![2], vec![2, 3, 4, 5, 6], vec![], vec![2, 3, 4, 5, 6]]
        );
        let modes: Vec<_> = strips.iter().map(|strip| strip.strip.monitoring).collect();
        use MonitoringMode::{Both, MonitorOnly, Program, Tracks};
        assert_eq!(modes, [Program, Program, Tracks, Program, MonitorOnly, Both]);
        let desktop = &strips[0].strip;
        assert!((desktop.gain_db + 6.02).abs() < 0.01 && (desktop.balance + 0.5).abs() < 1e-6);
        assert_eq!(desktop.offset_us, -20_000);
        let mic = &strips[1];
        assert!(mic.strip.muted && mic.strip.mono && mic.talk == TalkMode::PushToTalk);
        assert_eq!(mic.choice, AudioChoice::Mic(None));
        let [slot] = mic.strip.filters.as_slice() else { panic!("{mic:?}") };
        assert_eq!(slot.filter.side_chain(), Some(StripId(1)));
        let left_out: Vec<_> = left_out.into_iter().collect();
        assert_eq!(left_out, ["filters of the audio source 'Mic' (vst_filter 'Reverb')"]);
    }

    #[test]
    fn sources_that_play_one_file_have_one_strip_which_is_audible_while_it_is_shown() {
        let file = serde_json::json!({
            "AuxAudioDevice1": {"id": "pulse_input_capture", "name": "Mic", "filters": [
                {"id": "compressor_filter", "settings": {"sidechain_source": "Clip 2"}}]},
            "sources": [
                {"id": "ffmpeg_source", "name": "Clip", "volume": 0.5},
                {"id": "ffmpeg_source", "name": "Clip 2"},
                {"id": "ffmpeg_source", "name": "Jingle", "push-to-mute": true},
                {"id": "pulse_input_capture", "name": "Second"},
            ],
        });
        let clip = AudioChoice::File("/v/clip.mp4".into());
        let jingle = AudioChoice::File("/v/jingle.mp4".into());
        let beside = [("Clip", clip.clone()), ("Clip 2", clip), ("Jingle", jingle)].into();
        let mut left_out = HashSet::new();
        let scenes = SceneCounts { total: 1, showing: [("Second", 1)].into() };
        let strips = read(&file, &beside, &scenes, &mut left_out);
        let found: Vec<_> = strips.iter().map(|it| (it.name.as_str(), it.talk)).collect();
        let (open, shown, keyed) = (TalkMode::Open, TalkMode::WhileShown, TalkMode::PushToMute);
        assert_eq!(found, [("Mic", open), ("Clip", shown), ("Jingle", keyed), ("Second", open)]);
        assert_eq!(strips[0].strip.filters[0].filter.side_chain(), Some(StripId(2)));
        let left_out: Vec<_> = left_out.into_iter().collect();
        assert_eq!(left_out, ["'Clip 2' in the mixer (it plays the same audio as 'Clip')"]);
    }

    #[test]
    fn applications_are_known_by_name_or_program() {
        let (strips, _) = read_text(
            r#"{"sources": [
              {"id": "pipewire_audio_application_capture", "name": "a",
               "settings": {"TargetName": "Firefox"}},
              {"id": "wasapi_process_output_capture", "name": "b",
               "settings": {"window": "A#3A Title:Class:game.exe"}},
              {"id": "wasapi_process_output_capture", "name": "c", "settings": {}}]}"#,
        );
        let choices: Vec<_> = strips.iter().map(|strip| strip.choice.to_string()).collect();
        assert_eq!(choices, ["app:Firefox", "app:game"]);
    }

    #[test]
    fn what_nobody_chose_makes_no_tracks() {
        let (strips, _) = read_text(
            r#"{"DesktopAudioDevice1": {"id": "pulse_output_capture", "name": "a", "mixers": 255},
                "AuxAudioDevice1": {"id": "pulse_input_capture", "name": "b"},
                "AuxAudioDevice2": 7, "sources": "none"}"#,
        );
        assert_eq!(strips.len(), 2);
        assert!(strips.iter().all(|strip| tracks(strip).is_empty()));
        assert!(strips.iter().all(|strip| strip.strip.monitoring == MonitoringMode::Program));
    }
}
