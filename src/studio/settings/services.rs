//! A person's own services: `services.toml` beside the settings, `[[service]]`, one table each.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::media::BitsPerSecond;
use crate::studio::services::{Book, Limits, Service, USUAL};
use crate::studio::targets::parse;

/// A file larger than this is not one of ours.
const MAX_BYTES: u64 = 256 << 10;
/// Services that are read.
const MOST: usize = 64;
/// Servers of one.
const MOST_SERVERS: usize = 16;
/// Longest text.
const MOST_TEXT: usize = 1_024;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Table {
    name: String,
    server: String,
    servers: Vec<String>,
    key_page: String,
    max_video_kbps: Option<u32>,
    max_audio_kbps: Option<u32>,
    max_height: Option<u32>,
    max_fps: Option<u32>,
    keyframe_seconds: Option<u64>,
}

/// The file that belongs to these settings.
pub fn services_beside(settings: &Path) -> PathBuf {
    settings.with_file_name("services.toml")
}

/// The services of the file beside the known ones; the second value tells what is wrong with it. A
/// file that is not there is not wrong.
pub fn read_services(path: &Path) -> (Book, Vec<String>) {
    let mut text = String::new();
    let read =
        fs::File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
    match read {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Default::default(),
        Err(error) => {
            (Book::default(), vec![format!("{} cannot be read: {error}", path.display())])
        }
        Ok(size) if size as u64 > MAX_BYTES => {
            (Book::default(), vec![format!("{} is far too large", path.display())])
        }
        Ok(_) => {
            let (own, wrong) = parse_services(&text);
            let named = |why| format!("{}: {why}", path.display());
            (Book::with_own(own), wrong.into_iter().map(named).collect())
        }
    }
}

fn parse_services(text: &str) -> (Vec<Service>, Vec<String>) {
    let mut wrong = Vec::new();
    let tables = match text.parse::<toml::Table>() {
        Ok(mut file) => match file.remove("service") {
            Some(toml::Value::Array(tables)) => tables,
            None => Vec::new(),
            Some(_) => {
                wrong.push("write each service under [[service]]".into());
                Vec::new()
            }
        },
        Err(error) => {
            wrong.push(error.message().to_owned());
            Vec::new()
        }
    };
    if tables.len() > MOST {
        wrong.push(format!("of more than {MOST} services the rest is left out"));
    }
    let mut services: Vec<Service> = Vec::new();
    for (at, table) in tables.into_iter().take(MOST).enumerate() {
        let table = table.try_into::<Table>().map_err(|error| error.message().to_owned());
        match table.and_then(service) {
            Ok(service) if services.iter().any(|known| known.id == service.id) => {
                wrong.push(format!("the name '{}' is there twice", service.name));
            }
            Ok(service) => services.push(service),
            Err(why) => wrong.push(format!("service {}: {why}", at + 1)),
        }
    }
    (services, wrong)
}

fn service(table: Table) -> Result<Service, String> {
    let name = table.name.trim();
    // As it is written on the command line and in the settings.
    let letter = |c: char| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let id: String = name.chars().map(letter).collect();
    if name.is_empty() || name.len() > MOST_TEXT {
        return Err("it has no name".into());
    }
    let mut servers = table.servers;
    if !table.server.is_empty() {
        servers.insert(0, table.server);
    }
    if servers.len() > MOST_SERVERS {
        return Err(format!("at most {MOST_SERVERS} servers"));
    }
    for server in &servers {
        parse(server, Some(&"key".into())).map_err(|why| format!("its server: {why}"))?;
    }
    if !table.key_page.is_empty() && !table.key_page.starts_with("https://") {
        return Err("its key_page is no https:// address".into());
    }
    let kbps = |kbps: Option<u32>| kbps.map(|kbps| BitsPerSecond(kbps.saturating_mul(1_000)));
    Ok(Service {
        id: id.into(),
        name: name.to_owned().into(),
        servers: servers.into_iter().map(Into::into).collect::<Vec<_>>().into(),
        key_page: table.key_page.into(),
        limits: Limits {
            video: kbps(table.max_video_kbps),
            audio: kbps(table.max_audio_kbps),
            keyframe_seconds: table.keyframe_seconds.unwrap_or(USUAL.keyframe_seconds).max(1),
            height: table.max_height,
            fps: table.max_fps,
        },
        test_query: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(services.len(), 1);
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
}
