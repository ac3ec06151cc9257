//! The user's own services: `services.toml` next to the settings file, with one table `[[service]]`
//! each.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::media::BitsPerSecond;
use crate::studio::settings::disk::{keep_broken, put, read_bounded, resolved};
use crate::studio::settings::reading::lenient::Document;
use crate::studio::settings::reading::syntax;
use crate::studio::settings::reading::values::not_from;
use crate::studio::targets::address::parse;
use crate::studio::targets::services::{Limits, Service, ServiceList, USUAL_LIMITS};
use crate::text::problem::{Problem, problem};

/// Maximum number of services that are read.
pub const MAX_SERVICES: usize = 64;
/// Maximum number of servers of a service.
const MAX_SERVERS: usize = 16;
/// Maximum length of a service name in bytes.
const MAX_NAME_BYTES: usize = 1_024;

/// The layout of the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    service: Vec<Table>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Table {
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    earlier_ids: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    server: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    servers: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    key_page: String,
    max_video_kbps: Option<u32>,
    max_audio_kbps: Option<u32>,
    max_height: Option<u32>,
    max_fps: Option<u32>,
    keyframe_seconds: Option<u64>,
}

/// Returns the path of the services file for these settings.
pub fn services_beside(settings: &Path) -> PathBuf {
    settings.with_file_name("services.toml")
}

/// Reads the services of the file, and adds the known ones. The second result lists the problems of
/// the file. A missing file is not a problem.
pub fn read_services(path: &Path) -> (ServiceList, Vec<Problem>) {
    match read_bounded(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Default::default(),
        Err(error) => {
            let (path, reason) = (path.display().to_string(), syntax::unreadable(&error));
            let wrong = problem!("settings-unreadable", path = path, reason = reason);
            (ServiceList::default(), vec![wrong])
        }
        Ok(text) => {
            let (own, wrong) = parse_services(&text);
            let path = path.display().to_string();
            let named = |why| problem!("source-file", path = &path, reason = why);
            (ServiceList::with_own(own), wrong.into_iter().map(named).collect())
        }
    }
}

fn parse_services(text: &str) -> (Vec<Service>, Vec<Problem>) {
    let mut document = match Document::parse(text) {
        Ok(document) => document,
        Err(why) => return (Vec::new(), vec![why]),
    };
    let tables = document.read::<File>().service;
    let mut wrong: Vec<Problem> = document.finish().iter().map(Problem::from).collect();
    if tables.len() > MAX_SERVICES {
        wrong.push(problem!("settings-the-rest", most = MAX_SERVICES));
    }
    let mut services: Vec<Service> = Vec::new();
    for (number, table) in (1_usize..).zip(tables.into_iter().take(MAX_SERVICES)) {
        match service(table) {
            Ok(service) if services.iter().any(|known| known.id == service.id) => {
                wrong.push(problem!("settings-service-twice", name = service.name));
            }
            Ok(service) => services.push(service),
            Err((part, why)) => {
                let reason = match part.limit_key() {
                    Some(key) => problem!("value-in", path = key, reason = why),
                    None => why,
                };
                wrong.push(problem!("settings-service", number = number, reason = reason));
            }
        }
    }
    (services, wrong)
}

/// The part of a service that is not valid.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum OwnPart {
    Name,
    Servers,
    KeyPage,
    Video,
    Audio,
    Keyframes,
    Height,
    Fps,
}

impl OwnPart {
    /// Returns the key of a limit in the file; `None` for the other parts.
    fn limit_key(self) -> Option<&'static str> {
        match self {
            Self::Name | Self::Servers | Self::KeyPage => None,
            Self::Video => Some("max_video_kbps"),
            Self::Audio => Some("max_audio_kbps"),
            Self::Keyframes => Some("keyframe_seconds"),
            Self::Height => Some("max_height"),
            Self::Fps => Some("max_fps"),
        }
    }
}

/// A service as entered by the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnService {
    pub name: String,
    /// Addresses, separated by spaces or commas.
    pub servers: String,
    pub key_page: String,
    /// The maximum video bitrate. An empty text means no limit, here and in the fields below, and the
    /// usual limit for the keyframe interval.
    pub video_kbps: String,
    pub audio_kbps: String,
    pub keyframe_seconds: String,
    pub height: String,
    pub fps: String,
}

impl From<&Service> for OwnService {
    fn from(service: &Service) -> Self {
        let limits = &service.limits;
        let kbps = |rate: Option<BitsPerSecond>| rate.map(|rate| (rate.0 / 1_000).to_string());
        Self {
            name: service.name.to_string(),
            servers: service.servers.join(" "),
            key_page: service.key_page.to_string(),
            video_kbps: kbps(limits.video).unwrap_or_default(),
            audio_kbps: kbps(limits.audio).unwrap_or_default(),
            keyframe_seconds: limits.keyframe_seconds.to_string(),
            height: limits.height.map(|it| it.to_string()).unwrap_or_default(),
            fps: limits.fps.map(|it| it.to_string()).unwrap_or_default(),
        }
    }
}

/// Parses the user's input.
///
/// # Errors
/// Fails with the invalid part and the reason.
pub fn read_own(own: &OwnService) -> Result<Service, (OwnPart, Problem)> {
    let number = |text: &str, part| match text.trim() {
        "" => Ok(None),
        text => match text.parse::<u32>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err((part, problem!("service-number"))),
        },
    };
    service(Table {
        name: own.name.clone(),
        servers: own.servers.split([' ', ',', '，']).map(str::to_owned).collect(),
        key_page: own.key_page.trim().to_owned(),
        max_video_kbps: number(&own.video_kbps, OwnPart::Video)?,
        max_audio_kbps: number(&own.audio_kbps, OwnPart::Audio)?,
        max_height: number(&own.height, OwnPart::Height)?,
        max_fps: number(&own.fps, OwnPart::Fps)?,
        keyframe_seconds: number(&own.keyframe_seconds, OwnPart::Keyframes)?.map(u64::from),
        ..Table::default()
    })
}

/// Stands for the key of the user. It is long enough for a passphrase of SRT.
const UNKNOWN_KEY: &str = "stream-key";

fn service(table: Table) -> Result<Service, (OwnPart, Problem)> {
    let name = table.name.trim();
    // The id, as on the command line and in the settings.
    let letter = |c: char| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let id: String = name.chars().map(letter).collect();
    if name.is_empty() {
        return Err((OwnPart::Name, problem!("service-no-name")));
    }
    if name.len() > MAX_NAME_BYTES {
        return Err((OwnPart::Name, problem!("service-long-name")));
    }
    let mut servers = table.servers;
    servers.insert(0, table.server);
    servers.retain(|server| !server.trim().is_empty());
    if servers.len() > MAX_SERVERS {
        return Err((OwnPart::Servers, problem!("own-service-servers", most = MAX_SERVERS)));
    }
    for server in &servers {
        parse(server, Some(&UNKNOWN_KEY.into())).map_err(|why| (OwnPart::Servers, why))?;
    }
    if !table.key_page.is_empty() && !table.key_page.starts_with("https://") {
        return Err((OwnPart::KeyPage, problem!("own-service-key-page")));
    }
    let within = |number: Option<u64>, (least, most, unit): (u64, u64, &str), part| match number {
        Some(number) if !(least..=most).contains(&number) => {
            Err((part, not_from(least.to_string(), most.to_string(), unit)))
        }
        number => Ok(number),
    };
    let small = |number: Option<u32>, limits: (u64, u64, &str), part| {
        let number = within(number.map(u64::from), limits, part)?;
        Ok(number.and_then(|number| u32::try_from(number).ok()))
    };
    let kbps = |kbps: Option<u32>| kbps.map(|kbps| BitsPerSecond(kbps.saturating_mul(1_000)));
    let keyframes = within(table.keyframe_seconds, (1, 20, "s"), OwnPart::Keyframes)?;
    Ok(Service {
        id: id.into(),
        earlier_ids: table.earlier_ids.into_iter().map(Into::into).collect::<Vec<_>>().into(),
        name: name.to_owned().into(),
        servers: servers.iter().map(|it| it.trim().to_owned().into()).collect::<Vec<_>>().into(),
        domains: &[],
        app: None,
        key_page: table.key_page.into(),
        limits: Limits {
            video: kbps(small(table.max_video_kbps, (100, 200_000, "kbps"), OwnPart::Video)?),
            audio: kbps(small(table.max_audio_kbps, (16, 2_000, "kbps"), OwnPart::Audio)?),
            keyframe_seconds: keyframes.unwrap_or(USUAL_LIMITS.keyframe_seconds),
            height: small(table.max_height, (16, 8_192, "px"), OwnPart::Height)?,
            fps: small(table.max_fps, (1, 240, "fps"), OwnPart::Fps)?,
        },
        test_query: None,
        loudness: None,
    })
}

/// Writes the file by atomic replacement, and creates its folder. A previous file that could be read
/// only in part is kept next to it as `services.toml.old`, with a number if there is one already.
///
/// # Errors
/// Fails with the error of the system.
pub fn write_services(path: &Path, services: &[Service]) -> io::Result<()> {
    let file = File { service: services.iter().map(Table::from).collect() };
    let text = toml::to_string_pretty(&file).map_err(io::Error::other)?;
    let head = "# Own services of onair: written by its window, and may be edited.\n\n";
    let path = resolved(path)?;
    keep_broken(&path, ".old", |text| parse_services(text).1.is_empty())?;
    put(&path, &format!("{head}{text}"))
}

impl From<&Service> for Table {
    fn from(service: &Service) -> Self {
        let limits = &service.limits;
        let kbps = |rate: Option<BitsPerSecond>| rate.map(|rate| rate.0 / 1_000);
        Self {
            name: service.name.to_string(),
            earlier_ids: service.earlier_ids.iter().map(ToString::to_string).collect(),
            server: String::new(),
            servers: service.servers.iter().map(ToString::to_string).collect(),
            key_page: service.key_page.to_string(),
            max_video_kbps: kbps(limits.video),
            max_audio_kbps: kbps(limits.audio),
            max_height: limits.height,
            max_fps: limits.fps,
            keyframe_seconds: Some(limits.keyframe_seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_service_can_take_streams_by_srt_and_whip() {
        let servers = "srt://live.school.example:9000?streamid=publish:live/a \
                       whips://live.school.example/live/a/whip, rtmps://live.school.example/app";
        let (name, servers) = ("My School".to_owned(), servers.to_owned());
        let service = read_own(&OwnService { name, servers, ..OwnService::default() }).unwrap();
        let schemes = service.servers.iter().map(|it| it.split_once(':').unwrap().0);
        assert_eq!(schemes.collect::<Vec<_>>(), ["srt", "whips", "rtmps"]);
    }

    #[test]
    fn own_services_are_read_and_wrong_ones_named() {
        let text = r#"
            [[service]]
            name = "My School"
            server = "rtmps://live.school.example/app"
            key_page = "https://school.example/key"
            max_video_kbps = 3000
            keyframe_seconds = 2
            [[service]]
            name = "No address"
            server = "http://school.example"
            [[service]]
            name = "my school"
            [[service]]
            name = "Typo"
            max_video = 3
            [[service]]
            server = "rtmp://nameless.example/app"
        "#;
        let (services, wrong) = parse_services(text);
        // The service with a typing error is read, except for the wrong key.
        assert_eq!(services.iter().map(|it| &*it.id).collect::<Vec<_>>(), ["my-school", "typo"]);
        assert!(
            wrong[0].to_string().contains("'service.max_video' on line 15, column 13"),
            "{wrong:#?}"
        );
        let school = &services[0];
        assert_eq!((&*school.id, &*school.name), ("my-school", "My School"));
        assert_eq!(school.limits.video, Some(BitsPerSecond(3_000_000)));
        assert_eq!(wrong.len(), 4, "{wrong:#?}");
        for bad in ["service = 3", "[[service", "\u{0}"] {
            assert_eq!(parse_services(bad).0, [], "{bad}");
            assert_eq!(parse_services(bad).1.len(), 1, "{bad}");
        }
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_services(&folder.path().join("none")).1.len(), 0);
        assert_eq!(read_services(folder.path()).1.len(), 1);
    }

    #[test]
    fn a_limit_out_of_range_is_reported_with_its_key_and_unit() {
        let text = "[[service]]\nname = 'A'\nkeyframe_seconds = 60\n\
            [[service]]\nname = 'B'\nmax_video_kbps = 1";
        let (services, wrong) = parse_services(text);
        assert_eq!(services, []);
        let words: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        let wanted = [
            "service 1: 'keyframe_seconds': it must be a number from 1 to 20 s",
            "service 2: 'max_video_kbps': it must be a number from 100 to 200000 kbps",
        ];
        assert_eq!(words, wanted);
        let chinese = crate::text::Language::Chinese.say(&wrong[0]);
        assert_eq!(chinese, "平台 1：“keyframe_seconds”：应为 1 到 20 秒之间的数字");
    }

    fn typed() -> OwnService {
        OwnService {
            name: "My School".into(),
            servers: "rtmps://live.school.example/app, rtmp://old.school.example/app".into(),
            key_page: "https://school.example/key".into(),
            video_kbps: "3000".into(),
            keyframe_seconds: "2".into(),
            height: "720".into(),
            ..OwnService::default()
        }
    }

    #[test]
    fn what_is_typed_is_written_and_read_again() {
        let school = read_own(&typed()).unwrap();
        assert_eq!((&*school.id, school.servers.len()), ("my-school", 2));
        assert_eq!(school.limits.video, Some(BitsPerSecond(3_000_000)));
        assert_eq!(read_own(&OwnService::from(&school)), Ok(school.clone()));
        let unlimited = OwnService { keyframe_seconds: String::new(), ..typed() };
        let limits = read_own(&unlimited).unwrap().limits;
        assert_eq!(limits.keyframe_seconds, USUAL_LIMITS.keyframe_seconds);
        // A Chinese keyboard has another comma.
        let servers = typed().servers.replace(", ", "，");
        assert_eq!(read_own(&OwnService { servers, ..typed() }), Ok(school.clone()));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("services.toml");
        write_services(&path, std::slice::from_ref(&school)).unwrap();
        let (book, wrong) = read_services(&path);
        assert_eq!((book.own(), wrong.len()), (&[school.clone()][..], 0));
        // A file that could not be read completely is not lost.
        fs::write(&path, "[[service]]\nname = 'Typo'\nmax = 3\n").unwrap();
        write_services(&path, &[school]).unwrap();
        assert_eq!(read_services(&path).1.len(), 0);
        let old = fs::read_to_string(path.with_file_name("services.toml.old")).unwrap();
        assert!(old.contains("Typo"));
    }

    #[cfg(unix)]
    #[test]
    fn damaged_files_and_a_link_survive() {
        let school = read_own(&typed()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dotfiles.toml");
        let path = folder.path().join("services.toml");
        std::os::unix::fs::symlink("dotfiles.toml", &path).unwrap();
        // The third file is no text, and the last one is too large.
        let all = [
            &b"[[service]]\nname = 'One'\nmax = 3\n"[..],
            b"[[service]]\nname = 'Two",
            b"\xFF",
            &vec![b'#'; 9 << 20],
        ];
        for damaged in all {
            fs::write(&file, damaged).unwrap();
            // A text that is too large cannot be written.
            let large = Service { key_page: "x".repeat(9 << 20).into(), ..school.clone() };
            assert!(write_services(&path, &[large]).is_err());
            assert!(fs::read(&file).unwrap() == damaged, "it stays");
            write_services(&path, std::slice::from_ref(&school)).unwrap();
            assert_eq!(read_services(&path).0.own(), std::slice::from_ref(&school));
        }
        assert!(path.is_symlink());
        let names = [
            "dotfiles.toml.old",
            "dotfiles.toml-1.old",
            "dotfiles.toml-2.old",
            "dotfiles.toml-3.old",
        ];
        for (name, damaged) in names.into_iter().zip(all) {
            assert!(fs::read(folder.path().join(name)).unwrap() == damaged, "{name}");
        }
        // The link, the file and one copy each.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2 + all.len());
    }

    #[test]
    fn an_error_is_reported_with_its_part() {
        let wrong = |change: fn(&mut OwnService)| {
            let mut own = typed();
            change(&mut own);
            read_own(&own).map_err(|(part, _)| part).unwrap_err()
        };
        assert_eq!(wrong(|it| it.name = " ".into()), OwnPart::Name);
        assert_eq!(wrong(|it| it.servers = "http://h/app".into()), OwnPart::Servers);
        assert_eq!(wrong(|it| it.servers = "rtmp://h/a ".repeat(17)), OwnPart::Servers);
        assert_eq!(wrong(|it| it.key_page = "school.example".into()), OwnPart::KeyPage);
        assert_eq!(wrong(|it| it.video_kbps = "3 Mbit".into()), OwnPart::Video);
        assert_eq!(wrong(|it| it.audio_kbps = "1".into()), OwnPart::Audio);
        assert_eq!(wrong(|it| it.keyframe_seconds = "0".into()), OwnPart::Keyframes);
        assert_eq!(wrong(|it| it.height = "99999".into()), OwnPart::Height);
        assert_eq!(wrong(|it| it.fps = "-1".into()), OwnPart::Fps);
    }
}
