//! Imports a profile of OBS: `basic.ini` for size, rate, bitrates and recordings,
//! `streamEncoder.json` for the advanced output, and `service.json` for the target. The stream key
//! is read, but stored only on request.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::broadcast::delay::MAX_STREAM_DELAY;
use crate::media::{BitsPerSecond, FrameRate, Size};
use crate::net::srt::{Mode, SrtUrl};
use crate::studio::settings::Settings;
use crate::studio::settings::disk::read_import;
use crate::studio::settings::import::obs::json;
use crate::studio::settings::part::import::PartImport;
use crate::studio::settings::reading::syntax;
use crate::studio::targets::Target;
use crate::studio::targets::services::{KNOWN_SERVICES, Service};
use crate::text::problem::{Problem, problem};
use crate::wire::container::Format;

/// The limits of the video bitrate in the settings, in kbit/s.
const VIDEO_KBPS_RANGE: std::ops::RangeInclusive<u32> = 100..=100_000;
/// The limits of the audio bitrate in the settings, in kbit/s.
const AUDIO_KBPS_RANGE: std::ops::RangeInclusive<u32> = 32..=512;
/// The default audio bitrate of OBS, in kbit/s.
const AUDIO_KBPS: u32 = 160;
/// The default stream delay of OBS, in seconds.
const DELAY_SECONDS: u32 = 20;

/// Values by section and key, both in lowercase.
#[derive(Debug, Default)]
struct Ini(BTreeMap<(String, String), String>);

impl Ini {
    fn parse(text: &str) -> Self {
        let (mut values, mut section) = (BTreeMap::new(), String::new());
        for line in syntax::without_mark(text).lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
                section = name.trim().to_lowercase();
            } else if let Some((key, value)) = line.split_once('=') {
                let place = (section.clone(), key.trim().to_lowercase());
                values.insert(place, value.trim().to_owned());
            }
        }
        Self(values)
    }

    fn get(&self, section: &str, key: &str) -> Option<&str> {
        let value = self.0.get(&(section.to_lowercase(), key.to_lowercase()));
        value.map(String::as_str).filter(|it| !it.is_empty())
    }

    fn number(&self, section: &str, key: &str) -> Option<u32> {
        self.get(section, key)?.parse().ok()
    }

    /// Returns a number, or the default of OBS, which does not write defaults.
    fn number_or(&self, section: &str, key: &str, default: u32) -> Option<u32> {
        match self.get(section, key) {
            Some(text) => text.parse().ok(),
            None => Some(default),
        }
    }

    fn is_on(&self, section: &str, key: &str) -> bool {
        self.get(section, key).is_some_and(|it| it.eq_ignore_ascii_case("true") || it == "1")
    }
}

/// Reads a profile by its folder, or by the `basic.ini` in it.
///
/// # Errors
/// Fails if the path is not a profile of OBS.
pub fn import(path: &Path) -> Result<PartImport, Problem> {
    let file = if path.is_dir() { path.join("basic.ini") } else { path.to_owned() };
    let folder = file.parent().unwrap_or_else(|| Path::new("."));
    let text = read_import(&file)?;
    let ini = Ini::parse(&text);
    let is_one = ini.0.keys().any(|(section, _)| {
        matches!(section.as_str(), "video" | "simpleoutput" | "advout" | "output")
    });
    if !is_one {
        return Err(problem!("import-no-profile"));
    }
    let beside =
        |name: &str| -> Option<Value> { syntax::json(&read_import(&folder.join(name)).ok()?).ok() };
    let encoder = beside("streamEncoder.json").unwrap_or_default();
    let mut import = Importing::default();
    import.quality(&ini, &encoder);
    import.recording(&ini);
    match beside("service.json") {
        Some(service) => import.target(&service),
        None => import.leave_out(problem!("obs-profile-no-service")),
    }
    let own = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let name = ini.get("General", "Name").map_or(own, ToOwned::to_owned);
    let Importing { settings, left_out } = import;
    Ok(PartImport::new(name, settings, left_out))
}

#[derive(Debug, Default)]
struct Importing {
    settings: Settings,
    left_out: Vec<Problem>,
}

impl Importing {
    fn leave_out(&mut self, what: Problem) {
        self.left_out.push(what);
    }

    fn quality(&mut self, ini: &Ini, encoder: &Value) {
        let side = |name: &str| {
            let scaled = ini.number("Video", &format!("Output{name}"));
            scaled.or_else(|| ini.number("Video", &format!("Base{name}")))
        };
        let output = side("CX").zip(side("CY")).map(|(width, height)| format!("{width}x{height}"));
        if let Some(text) = rescaled(ini, "").map(str::to_owned).or(output) {
            match text.parse::<Size>() {
                Ok(size) => self.settings.quality.size = size,
                Err(_) => self.leave_out(problem!("obs-profile-size", size = text)),
            }
        }
        match frame_rate(ini) {
            Some(Ok(rate)) => self.settings.quality.frame_rate = rate,
            Some(Err(text)) => self.leave_out(problem!("obs-profile-rate", rate = text)),
            None => {}
        }
        let advanced = is_advanced(ini);
        let (video, audio) = match advanced {
            true => (
                json::whole(encoder, "bitrate").and_then(|it| u32::try_from(it).ok()),
                ini.number_or("AdvOut", "Track1Bitrate", AUDIO_KBPS),
            ),
            false => (
                ini.number("SimpleOutput", "VBitrate"),
                ini.number_or("SimpleOutput", "ABitrate", AUDIO_KBPS),
            ),
        };
        let quality = &mut self.settings.quality;
        if let Some(kbps) = video.filter(|it| VIDEO_KBPS_RANGE.contains(it)) {
            quality.video_bitrate = BitsPerSecond(kbps * 1_000);
            quality.least_bitrate.0 = quality.least_bitrate.0.min(quality.video_bitrate.0);
        }
        if let Some(kbps) = audio.filter(|it| AUDIO_KBPS_RANGE.contains(it)) {
            quality.audio_bitrate = BitsPerSecond(kbps * 1_000);
        }
        let seconds = json::whole(encoder, "keyint_sec").filter(|_| advanced);
        if let Some(seconds) = seconds.filter(|it| (1..=10).contains(it)) {
            quality.keyframe_interval = Duration::from_secs(seconds);
        }
        if let Some(rate) =
            ini.number("Audio", "SampleRate").filter(|it| [44_100, 48_000].contains(it))
        {
            quality.sample_rate = rate;
        }
        match ini.get("Audio", "ChannelSetup") {
            Some("Mono") => quality.channels = 1,
            Some("Stereo") | None => {}
            Some(other) => self.left_out.push(problem!("obs-profile-channels", channels = other)),
        }
        let named = match advanced {
            true => ini.get("AdvOut", "Encoder"),
            false => ini.get("SimpleOutput", "StreamEncoder"),
        };
        if let Some(encoder) = named.filter(|it| !it.contains("x264")) {
            // The choice of an encoder depends on the computer, so onair chooses its own.
            self.left_out.push(problem!("obs-profile-encoder", encoder = encoder));
        }
        if ini.is_on("Output", "DelayEnable") {
            let delay = ini.number_or("Output", "DelaySec", DELAY_SECONDS).unwrap_or_default();
            self.settings.delay = Duration::from_secs(delay.into()).min(MAX_STREAM_DELAY);
        }
    }

    fn recording(&mut self, ini: &Ini) {
        let section = if is_advanced(ini) { "AdvOut" } else { "SimpleOutput" };
        let recording = &mut self.settings.preferences.recording;
        let named = ini.get(section, "RecFormat2").or_else(|| ini.get(section, "RecFormat"));
        match named {
            Some(name) if name.ends_with("mp4") => recording.format = Format::Mp4,
            Some("mkv") => recording.format = Format::Mkv,
            Some("flv") => recording.format = Format::Flv,
            None => {}
            Some(other) => self.left_out.push(problem!("obs-profile-format", format = other)),
        }
        if let Some(text) = rescaled(ini, "Rec") {
            match text.parse::<Size>() {
                Ok(size) => recording.size = Some(size),
                Err(_) => self.left_out.push(problem!("obs-profile-size", size = text)),
            }
        }
        if ini.is_on(section, "RecRB") {
            let seconds = ini.number(section, "RecRBTime").unwrap_or(20).clamp(1, 3_600);
            recording.replay = Some(Duration::from_secs(seconds.into()));
        }
    }

    fn target(&mut self, service: &Value) {
        let set = json::part(service, "settings");
        let (server, mut key) = (json::text(set, "server"), json::text(set, "key"));
        // A web address is that of an endpoint here, whatever words it has.
        let endpoint = match server.split_once("://") {
            Some(("https", rest)) => format!("whips://{rest}"),
            Some(("http", rest)) => format!("whip://{rest}"),
            _ => String::new(),
        };
        let named = json::text(set, "service");
        let known = known_service(named);
        let address = match (json::text(service, "type"), known) {
            ("rtmp_custom", _) => server,
            ("whip_custom", _) if !endpoint.is_empty() => {
                key = json::text(set, "bearer_token");
                &endpoint
            }
            ("rtmp_common", _) if server.contains("://") => server,
            ("rtmp_common", Some(known)) => known.servers.first().map_or("", |it| &**it),
            (kind, _) => {
                let what = if named.is_empty() { kind } else { named };
                self.leave_out(problem!("obs-profile-service", service = what));
                return;
            }
        };
        if SrtUrl::is_one(address) {
            self.srt_target(address, set);
            return;
        }
        if !["rtmp://", "rtmps://", "whip://", "whips://"].iter().any(|it| address.starts_with(it))
        {
            self.leave_out(problem!("obs-profile-service", service = named));
            return;
        }
        if json::text(service, "type") == "rtmp_custom" && json::is_on(set, "use_auth") {
            self.leave_out(problem!("obs-profile-login"));
        }
        let service = known.map(|it| it.id.to_string()).unwrap_or_default();
        self.add_target(service, Target::custom(0, address, key.into()));
    }

    /// Adds a target of SRT. The stream key of OBS is the stream id, and the password of its login
    /// is the passphrase. Latencies of OBS are in microseconds.
    fn srt_target(&mut self, address: &str, set: &Value) {
        let Ok(mut url) = SrtUrl::parse(address, None) else {
            self.leave_out(problem!("obs-profile-service", service = "SRT"));
            return;
        };
        let (key, password) = (json::text(set, "key"), json::text(set, "password"));
        if url.stream_id.is_none() && !key.is_empty() && url.mode == Mode::Caller {
            url.stream_id = Some(key.into());
        }
        if json::is_on(set, "use_auth") && !password.is_empty() {
            url.passphrase = Some(password.into());
        }
        let passphrase = url.passphrase.clone().unwrap_or_default();
        let server = url.without_passphrase(true);
        self.add_target(String::new(), Target::custom(0, &server, passphrase));
    }

    fn add_target(&mut self, service: String, target: Target) {
        let Target { id, keep_as, .. } = Target::new_for(&self.settings.targets);
        self.settings.targets.push(Target {
            id,
            service,
            keep_as,
            remember_key: true,
            key_apart: true,
            ..target
        });
        if let Some(built_in) = self.settings.targets.first_mut() {
            built_in.enabled = false;
        }
    }
}

fn is_advanced(ini: &Ini) -> bool {
    ini.get("Output", "Mode") == Some("Advanced")
}

/// Returns the size to which the advanced output scales the stream, or with the prefix `Rec` the
/// recording, if it does. Older versions of OBS write `Rescale` instead of a filter.
fn rescaled<'a>(ini: &'a Ini, of: &str) -> Option<&'a str> {
    let key = |name: &str| format!("{of}Rescale{name}");
    let is_rescaled = match ini.get("AdvOut", &key("Filter")) {
        Some(filter) => filter != "0",
        None => ini.is_on("AdvOut", &key("")),
    };
    ini.get("AdvOut", &key("Res")).filter(|_| is_advanced(ini) && is_rescaled)
}

/// Returns the frame rate. An error contains the original text.
fn frame_rate(ini: &Ini) -> Option<Result<FrameRate, String>> {
    let text = match ini.number("Video", "FPSType").unwrap_or(0) {
        0 => {
            // OBS adds the television standard: `24 NTSC`, `25 PAL`.
            let common = ini.get("Video", "FPSCommon")?;
            common.split(' ').next().unwrap_or_default().to_owned()
        }
        1 => ini.get("Video", "FPSInt").unwrap_or("30").to_owned(),
        _ => {
            let part = |key, default| ini.get("Video", key).unwrap_or(default);
            format!("{}/{}", part("FPSNum", "30"), part("FPSDen", "1"))
        }
    };
    // OBS means 24000/1001 by this.
    let ntsc = ini.get("Video", "FPSCommon") == Some("24 NTSC");
    let text = if ntsc && text == "24" { "23.976".into() } else { text };
    Some(text.parse().map_err(|_| text))
}

/// Returns the service with this name in OBS: `Twitch`, `YouTube - RTMPS`, `Bilibili Live - RTMP |
/// 哔哩哔哩直播 - RTMP`.
fn known_service(named: &str) -> Option<&'static Service> {
    let words = named.to_lowercase();
    let first = words.split([' ', '-', '|', '.']).next().filter(|it| !it.is_empty())?;
    KNOWN_SERVICES.iter().find(|service| {
        let name = service.name.to_lowercase();
        name == words || service.id == first || name.split(' ').next() == Some(first)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(basic: &str, service: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("basic.ini"), basic).unwrap();
        std::fs::write(folder.path().join("service.json"), service).unwrap();
        folder
    }

    const SIMPLE_PROFILE: &str = "\u{FEFF}[General]\nName=Evening\n\n[Video]\nBaseCX=1920\nBaseCY=1080\n\
        OutputCX=1280\nOutputCY=720\nFPSType=0\nFPSCommon=59.94\n\n[SimpleOutput]\nVBitrate=4500\n\
        ABitrate=160\nStreamEncoder=nvenc\nRecFormat2=mkv\nRecRB=true\nRecRBTime=30\n\n\
        [Audio]\nSampleRate=44100\nChannelSetup=5.1\n\n[Output]\nMode=Simple\nDelayEnable=true\nDelaySec=20\n";

    const TWITCH_SERVICE: &str = r#"{"type": "rtmp_common", "settings":
        {"service": "Twitch", "server": "auto", "key": "planted_key", "use_auth": false}}"#;

    #[test]
    fn a_profile_of_obs_comes_with_its_figures_and_its_service() {
        let folder = folder(SIMPLE_PROFILE, TWITCH_SERVICE);
        let came = import(folder.path()).unwrap();
        let quality = &came.settings.quality;
        assert_eq!(came.name, "Evening");
        assert_eq!(
            (quality.size, quality.frame_rate.to_string()),
            (Size::new(1280, 720), "59.94".into())
        );
        assert_eq!((quality.video_bitrate.0, quality.audio_bitrate.0), (4_500_000, 160_000));
        assert_eq!((quality.sample_rate, quality.channels), (44_100, 2));
        assert_eq!(came.settings.delay, Duration::from_secs(20));
        let recording = &came.settings.preferences.recording;
        assert_eq!(
            (recording.format, recording.replay),
            (Format::Mkv, Some(Duration::from_secs(30)))
        );
        let target = &came.settings.targets[1];
        assert_eq!((&*target.service, target.enabled), ("twitch", true));
        assert!(target.server().starts_with("rtmp"), "{}", target.server());
        let left_out: Vec<_> = came.left_out.iter().map(Problem::id).collect();
        assert_eq!(left_out, ["obs-profile-channels", "obs-profile-encoder"]);
        // The key is returned only on request, and is written to no file.
        assert_eq!(came.keys().count(), 1);
        let kind = crate::studio::settings::part::PartKind::Profile;
        assert!(!kind.text_of(&came.settings).unwrap().contains("planted"));
        assert!(!format!("{came:?}").contains("planted"));
    }

    #[test]
    fn the_advanced_output_has_its_figures_beside_it() {
        let basic = "[Output]\nMode=Advanced\n[Video]\nFPSType=2\nFPSNum=30000\nFPSDen=1001\n\
                     [AdvOut]\nTrack1Bitrate=192\nEncoder=obs_x264\nRecFormat=flv\n";
        let folder = folder(
            basic,
            r#"{"type":"rtmp_custom","settings":{"server":"rtmp://h/app","key":"k"}}"#,
        );
        let encoder = r#"{"bitrate": 6000, "keyint_sec": 2}"#;
        std::fs::write(folder.path().join("streamEncoder.json"), encoder).unwrap();
        let came = import(&folder.path().join("basic.ini")).unwrap();
        let quality = &came.settings.quality;
        assert_eq!((quality.video_bitrate.0, quality.audio_bitrate.0), (6_000_000, 192_000));
        assert_eq!(quality.frame_rate.to_string(), "29.97");
        assert_eq!(came.settings.targets[1].server(), "rtmp://h/app");
        assert_eq!(came.left_out, Vec::<String>::new());
    }

    #[test]
    fn keys_that_obs_leaves_out_have_the_defaults_of_obs() {
        let service = r#"{"type":"rtmp_custom","settings":{"server":"rtmp://h/app","key":"k"}}"#;
        for (basic, rate) in [
            ("[Video]\nFPSType=2\nFPSNum=60\n[Output]\nDelayEnable=true\n", "60"),
            ("[Video]\nFPSType=2\n[Output]\nMode=Advanced\nDelayEnable=true\n", "30"),
            ("[Video]\nFPSType=1\n[Output]\nDelayEnable=true\n", "30"),
        ] {
            let came = import(folder(basic, service).path()).unwrap();
            let Settings { quality, delay, .. } = &came.settings;
            assert_eq!((&*quality.frame_rate.to_string(), delay.as_secs()), (rate, 20));
            assert_eq!(quality.audio_bitrate.0, 160_000);
            assert_eq!(came.left_out, Vec::<String>::new());
        }
    }

    #[test]
    fn the_advanced_output_may_scale_the_stream() {
        let size = |mode: &str, rescale: &str| {
            let basic = format!(
                "[Output]\nMode={mode}\n[Video]\nOutputCX=1920\nOutputCY=1080\n\
                 [AdvOut]\nRescaleRes=640x360\n{rescale}\n"
            );
            import(folder(&basic, "{}").path()).unwrap().settings.quality.size.height
        };
        assert_eq!(size("Advanced", "Rescale=true"), 360);
        assert_eq!(size("Advanced", "RescaleFilter=3"), 360);
        assert_eq!(size("Advanced", "Rescale=true\nRescaleFilter=0"), 1080);
        assert_eq!(size("Advanced", ""), 1080);
        assert_eq!(size("Simple", "Rescale=true"), 1080);
    }

    #[test]
    fn the_advanced_output_may_scale_the_recording() {
        let size = |rescale: &str| {
            let basic = format!("[Output]\nMode=Advanced\n[AdvOut]\n{rescale}\n");
            let settings = import(folder(&basic, "{}").path()).unwrap().settings;
            settings.preferences.recording.size
        };
        let hd = Some(Size::new(1920, 1080));
        assert_eq!(size("RecRescaleRes=1920x1080\nRecRescaleFilter=3"), hd);
        assert_eq!(size("RecRescaleRes=1920x1080\nRecRescale=true"), hd);
        assert_eq!(size("RecRescaleRes=1920x1080\nRecRescale=true\nRecRescaleFilter=0"), None);
        assert_eq!(size("RecRescaleRes=1921x1080\nRecRescale=true"), None);
    }

    #[test]
    fn a_login_that_is_not_imported_is_reported() {
        let left_out = |use_auth: bool| {
            let service = serde_json::json!({"type": "rtmp_custom", "settings": {
                "server": "rtmp://h/app", "key": "k", "use_auth": use_auth,
                "username": "me", "password": "planted"}});
            let folder = folder("[Video]\nFPSType=0\n", &service.to_string());
            let came = import(folder.path()).unwrap();
            assert!(!format!("{came:?}").contains("planted"));
            came.left_out
        };
        let login = "the user name and password (enter them in the target's address: \
                     rtmp://user:password@server/app)";
        assert_eq!(left_out(true), [login]);
        assert_eq!(left_out(false), Vec::<String>::new());
    }

    #[test]
    fn an_srt_target_has_its_stream_id_and_its_passphrase_and_a_latency_in_milliseconds() {
        let service = serde_json::json!({"type": "rtmp_custom", "settings": {
            "server": "srt://h:9000?latency=200000&mode=caller", "key": "planted-id",
            "use_auth": true, "password": "planted-passphrase"}});
        let folder = folder("[Video]\nFPSType=0\n", &service.to_string());
        let came = import(folder.path()).unwrap();
        let target = &came.settings.targets[1];
        assert_eq!(target.server(), "srt://h:9000?streamid=planted-id&latency=200");
        assert_eq!(target.key().unwrap().expose(), "planted-passphrase");
        assert_eq!(came.left_out, Vec::<String>::new());
        let kind = crate::studio::settings::part::PartKind::Profile;
        assert!(!kind.text_of(&came.settings).unwrap().contains("planted"));
        assert!(!format!("{came:?}").contains("planted-passphrase"));
    }

    #[test]
    fn every_common_frame_rate_of_obs_is_read() {
        for (named, wanted) in [
            ("10", "10"),
            ("24 NTSC", "23.976"),
            ("25 PAL", "25"),
            ("29.97", "29.97"),
            ("50 PAL", "50"),
            ("60", "60"),
        ] {
            let ini = Ini::parse(&format!("[Video]\nFPSCommon={named}\n"));
            assert_eq!(frame_rate(&ini), Some(Ok(wanted.parse().unwrap())), "{named}");
        }
    }

    #[test]
    fn a_whip_target_has_its_token_as_the_key() {
        let service = serde_json::json!({"type": "whip_custom", "settings": {
            "service": "WHIP", "server": "https://h/x/publish", "bearer_token": "planted-token"}});
        let folder = folder("[Video]\nFPSType=0\n", &service.to_string());
        let came = import(folder.path()).unwrap();
        let target = &came.settings.targets[1];
        assert_eq!(target.server(), "whips://h/x/publish");
        assert_eq!(target.key().unwrap().expose(), "planted-token");
        assert_eq!(came.left_out, Vec::<String>::new());
        let kind = crate::studio::settings::part::PartKind::Profile;
        assert!(!kind.text_of(&came.settings).unwrap().contains("planted"));
    }

    #[test]
    fn nonsense_in_every_value_leaves_the_usual_ones() {
        let usual = Settings::default();
        for junk in ["x", "-1", "99999999999", "0", "NaN", "\u{0}", "1e9"] {
            let basic = format!(
                "[Video]\nOutputCX={junk}\nOutputCY={junk}\nFPSType={junk}\nFPSCommon={junk}\n\
                 FPSInt={junk}\n[SimpleOutput]\nVBitrate={junk}\nABitrate={junk}\nRecRBTime={junk}\n\
                 [Audio]\nSampleRate={junk}\n[[[\n=\n"
            );
            for service in [junk, "[]", r#"{"type":3,"settings":[]}"#, r#"{"type":"whip_custom"}"#]
            {
                let folder = folder(&basic, service);
                let came = import(folder.path()).unwrap();
                assert_eq!(came.settings.quality, usual.quality, "{junk}");
                assert_eq!(came.settings.targets.len(), 1);
                assert!(!came.left_out.is_empty());
            }
        }
        assert!(import(folder("", "").path()).is_err(), "nothing of OBS is in it");
    }
}
