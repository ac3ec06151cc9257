//! The targets in the settings: `[[targets]]`, one table each, without keys.

use serde::{Deserialize, Serialize};

use crate::base::Secret;
use crate::media::BitsPerSecond;
use crate::net::CertificatePin;
use crate::studio::settings::reading::values::{short_text, text_or_none};
use crate::studio::targets::address::without_key;
use crate::studio::targets::{MAX_TARGETS, Route, Target, TargetPlace};

/// One target as it is laid out.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::studio::settings) struct Table {
    /// Without it, this is the server inside the program.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "short_text")]
    server: String,
    enabled: bool,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "short_text")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "short_text")]
    service: String,
    #[serde(skip_serializing_if = "Option::is_none", with = "text_or_none")]
    tls_pin: Option<CertificatePin>,
    /// Whether what its viewers get is looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    monitor: Option<bool>,
    /// Where, if not where it is published to; what is secret of it has been taken out before.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "short_text")]
    play_url: String,
    remember_key: bool,
    /// The server's URL has no key in it, whatever it looks like.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    key_apart: bool,
    /// Under which name the keyring has the key.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "short_text")]
    key_name: String,
    /// Bits a second; 0: as for all targets.
    #[serde(skip_serializing_if = "is_zero")]
    least_bitrate: u32,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "short_text")]
    ports: String,
    /// Without user and password.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "short_text")]
    proxy: String,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "short_text")]
    bind: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Default for Table {
    fn default() -> Self {
        Self {
            server: String::new(),
            // Who writes a target by hand means it.
            enabled: true,
            name: String::new(),
            service: String::new(),
            tls_pin: None,
            monitor: None,
            play_url: String::new(),
            remember_key: false,
            key_apart: false,
            key_name: String::new(),
            least_bitrate: 0,
            ports: String::new(),
            proxy: String::new(),
            bind: String::new(),
        }
    }
}

/// How the targets are written.
pub(in crate::studio::settings) fn tables(targets: &[Target]) -> Vec<Table> {
    let table = |target: &Target| Table {
        server: match &target.place {
            TargetPlace::BuiltIn => String::new(),
            // A target that is not filled in yet is still not the built-in one.
            TargetPlace::Custom { server, .. } if server.is_empty() => "rtmp://".into(),
            TargetPlace::Custom { server, key } => without_key(server, key, target.key_apart),
        },
        // Without a query the URL itself says so.
        key_apart: (target.key_apart || target.key().is_some()) && target.server().contains('?'),
        enabled: target.enabled,
        name: target.name.clone(),
        service: target.service.clone(),
        tls_pin: target.pin,
        monitor: target.monitor,
        play_url: target.play_url.expose().to_owned(),
        remember_key: target.remember_key,
        key_name: target.keep_as.clone(),
        least_bitrate: target.least_bitrate.map_or(0, |bitrate| bitrate.0),
        ports: target.route.ports.clone(),
        proxy: target.route.proxy_without_password(),
        bind: target.route.bind.clone(),
    };
    targets.iter().map(table).collect()
}

/// The targets of these tables; the built-in server is always the first.
pub(in crate::studio::settings) fn from_tables(tables: Vec<Table>) -> Vec<Target> {
    let mut targets = vec![Target::built_in()];
    for table in tables.into_iter().take(MAX_TARGETS) {
        if table.server.is_empty() {
            if let Some(built_in) = targets.first_mut() {
                built_in.enabled = table.enabled;
                built_in.monitor = table.monitor;
            }
            continue;
        }
        let id = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        let server = if table.server == "rtmp://" { "" } else { table.server.as_str() };
        targets.push(Target {
            name: table.name,
            service: table.service,
            enabled: table.enabled,
            pin: table.tls_pin,
            monitor: table.monitor,
            play_url: Secret::new(table.play_url),
            remember_key: table.remember_key && !table.key_name.is_empty(),
            keep_as: table.key_name,
            key_apart: table.key_apart,
            least_bitrate: Some(table.least_bitrate).filter(|it| *it > 0).map(BitsPerSecond),
            route: Route { ports: table.ports, proxy: Secret::new(table.proxy), bind: table.bind },
            ..Target::custom(id, server, Secret::default())
        });
    }
    targets
}

#[cfg(test)]
mod tests {
    use crate::studio::settings::Settings;
    use crate::studio::targets::Target;
    use crate::wire::rtmp::url::Url;

    #[test]
    fn an_address_to_watch_is_written_where_it_holds_no_secret() {
        let mut settings = Settings::default();
        let watched = |id, url: &str| Target {
            monitor: Some(true),
            play_url: url.into(),
            ..Target::custom(id, "rtmp://h/app", "planted_key".into())
        };
        let good = "rtmp://play.example.com/live/show";
        settings.targets.extend([
            watched(1, good),
            watched(2, "rtmp://h/app/planted_key"),
            watched(3, "rtmp://me:planted@h/app/show"),
            watched(4, "rtmp://h/app/show?token=planted"),
        ]);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        settings.write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("planted"), "{text}");
        let read = Settings::read(&path).0.targets;
        let urls: Vec<_> = read.iter().skip(1).map(|it| it.play_url.expose()).collect();
        // Of these targets nothing is kept.
        assert_eq!(urls, [good, "", "", ""]);
        assert!(read.iter().skip(1).all(|target| target.monitor == Some(true)));
    }

    #[test]
    fn a_server_stays_whole_however_often_it_is_written() {
        let mut settings = Settings::default();
        let apart = Target::custom(1, "rtmp://me:password@h/live/eu", "planted_key".into());
        let whole = Target::custom(2, "rtmp://h/live/eu/planted_key", "".into());
        settings.targets.extend([apart, whole, Target::custom(3, "rtmp://h/app", "k".into())]);
        let asking =
            Target::custom(4, "rtmp://me:password@h/live/eu?vhost=x", "planted_key".into());
        settings.targets.push(asking);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        for _ in 0..3 {
            settings.write(&path).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("planted_key") && !text.contains("password"), "{text}");
            settings = Settings::read(&path).0;
            let apps = settings
                .targets
                .iter()
                .skip(1)
                .map(|target| Url::with_key(target.server(), "k").unwrap().app);
            assert_eq!(apps.collect::<Vec<_>>(), ["live/eu", "live/eu", "app", "live/eu?vhost=x"]);
        }
        // Its last part is no key, which is still to come.
        assert!(!crate::studio::targets::address::names_stream(&settings.targets[4]));
    }
}
