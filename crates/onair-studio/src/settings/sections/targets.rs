//! The targets in the settings file: `[[targets]]`, one table each, without keys.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::Secret;
use crate::media::{BitsPerSecond, ExtraTrack, ExtraTracks, MAX_TRACKS};
use crate::net::CertificatePin;
use crate::studio::settings::reading::values::{
    self, form, is_usual, layout, short_text, text_or_none,
};
use crate::studio::targets::address::without_key;
use crate::studio::targets::renditions::RenditionChoice;
use crate::studio::targets::{MAX_TARGETS, Simulcast, Target, TargetPlace};
use crate::text::problem::{Problem, problem};

layout! {
    /// The layout of one target. A target in an edited file is enabled by default.
    struct Table of Target = Target::built_in(); {
        /// The URL of the server; without one, the target is the built-in server.
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "short_text")]
        server: String,
        enabled: bool = enabled,
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "short_text")]
        name: String = name,
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "short_text")]
        service: String = service,
        #[serde(skip_serializing_if = "is_usual", with = "text_or_none")]
        tls_pin: Option<CertificatePin> = pin,
        /// Whether the viewer monitor is enabled.
        #[serde(skip_serializing_if = "is_usual")]
        monitor: Option<bool> = monitor,
        /// The playback address, if it differs from the publishing address, with its secrets removed.
        #[serde(skip_serializing_if = "is_usual", with = "address")]
        play_url: Secret = play_url,
        remember_key: bool = remember_key,
        /// True if the server's URL contains no key, whatever its form.
        #[serde(skip_serializing_if = "is_usual")]
        key_apart: bool = key_apart,
        /// The name of the key in the keyring.
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "short_text")]
        key_name: String = keep_as,
        /// The minimum bitrate in bits per second; 0 means the value for all targets.
        #[serde(skip_serializing_if = "is_usual", with = "bitrate")]
        least_bitrate: Option<BitsPerSecond> = least_bitrate,
        /// The number of the audio track that the target gets; 1 means the program.
        #[serde(skip_serializing_if = "is_usual", with = "mix")]
        mix: Option<ExtraTrack> = mix,
        /// The number of sizes in which the target gets the video at once.
        #[serde(skip_serializing_if = "is_usual", with = "simulcast")]
        simulcast: Simulcast = simulcast,
        /// The numbers of the audio tracks that the target gets besides.
        #[serde(skip_serializing_if = "is_usual", with = "super::strips::tracks")]
        tracks: ExtraTracks = tracks,
        /// The renditions that the target gets besides its video, such as `640x360@800000`.
        #[serde(skip_serializing_if = "is_usual", with = "renditions")]
        renditions: Vec<RenditionChoice> = renditions,
        #[serde(skip_serializing_if = "is_usual")]
        second_canvas: bool = second_canvas,
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "short_text")]
        ports: String = route.ports,
        /// The proxy without user and password.
        #[serde(skip_serializing_if = "is_usual", with = "address")]
        proxy: Secret = route.proxy,
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "short_text")]
        bind: String = route.bind,
    }
}

form! {
    /// Reads and writes an address without its secrets.
    pub(super) address: Secret;
    write address => address.expose();
    read address: short_text => Ok(address);
}

form! {
    bitrate: Option<BitsPerSecond>;
    write bitrate => bitrate.map_or(0, |rate| rate.0);
    read rate: u32::deserialize => Ok(Some(rate).filter(|it| *it > 0).map(BitsPerSecond));
}

form! {
    /// Reads and writes the number of the audio track that an output gets as its sound.
    pub(super) mix: Option<ExtraTrack>;
    write mix => mix.map_or(1, ExtraTrack::number);
    read number: track_number => Ok(ExtraTrack::new(number));
}

form! {
    simulcast: Simulcast;
    write simulcast => simulcast.get();
    read sizes: layer_count => Ok(Simulcast::new(sizes).unwrap_or_default());
}

fn layer_count<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    values::bounded(from, 1..=Simulcast::MAX, "")
}

fn track_number<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    values::bounded(from, 1..=MAX_TRACKS, "")
}

/// Reads and writes the further renditions as texts.
mod renditions {
    use super::*;

    pub fn serialize<S: Serializer>(all: &[RenditionChoice], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(all.iter().map(ToString::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<RenditionChoice>, D::Error> {
        let texts = toml::Value::deserialize(from)?.try_into::<Vec<String>>();
        let texts = texts.map_err(|_| values::refuse(problem!("value-rendition")))?;
        let all = texts.iter().take(RenditionChoice::MAX).map(|it| it.parse());
        all.collect::<Result<_, Problem>>().map_err(values::refuse)
    }
}

/// Formats the targets.
pub fn tables(targets: &[Target]) -> Vec<Table> {
    let table = |target: &Target| Table {
        server: match &target.place {
            TargetPlace::BuiltIn => String::new(),
            // A target whose address is still empty is not the built-in server.
            TargetPlace::Custom { server, .. } if server.is_empty() => "rtmp://".into(),
            TargetPlace::Custom { server, key } => without_key(server, key, target.key_apart),
        },
        // Without a query, the form of the URL shows whether it contains a key.
        key_apart: (target.key_apart || target.key().is_some()) && target.server().contains('?'),
        proxy: Secret::new(target.route.proxy_without_password()),
        ..Table::of(target)
    };
    targets.iter().map(table).collect()
}

/// Reads the targets of these tables. The built-in server is always the first.
pub fn from_tables(tables: Vec<Table>) -> Vec<Target> {
    let mut targets = vec![Target::built_in()];
    for table in tables.into_iter().take(MAX_TARGETS) {
        if table.server.is_empty() {
            if let Some(built_in) = targets.first_mut() {
                built_in.enabled = table.enabled;
                built_in.monitor = table.monitor;
                built_in.mix = table.mix;
                built_in.tracks = table.tracks;
                built_in.renditions = table.renditions;
                built_in.second_canvas = table.second_canvas;
            }
            continue;
        }
        let id = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        let server = if table.server == "rtmp://" { "" } else { table.server.as_str() };
        let mut target = Target::custom(id, server, Secret::default());
        table.put(&mut target);
        target.remember_key &= !target.keep_as.is_empty();
        targets.push(target);
    }
    targets
}

#[cfg(test)]
mod tests {
    use crate::base::Secret;
    use crate::studio::settings::Settings;
    use crate::studio::targets::{Target, address};
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
        // Nothing of these targets is kept.
        assert_eq!(urls, [good, "", "", ""]);
        assert!(read.iter().skip(1).all(|target| target.monitor == Some(true)));
    }

    #[test]
    fn the_built_in_server_keeps_the_second_canvas() {
        let built_in = Target { second_canvas: true, ..Target::built_in() };
        let settings = Settings { targets: vec![built_in.clone()], ..Settings::default() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        settings.write(&path).unwrap();
        assert_eq!(Settings::read(&path).0.targets, [built_in]);
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
        // The last part of its URL is not a key: the key is missing.
        let fault = crate::studio::targets::address::fault(&settings.targets[4]);
        assert_eq!(fault, Some(crate::studio::targets::address::AddressFault::NoKey));
    }

    #[test]
    fn an_address_with_a_placeholder_for_the_key_is_saved_without_it() {
        let listed = "rtmp://fra05.contribute.live-video.net/app/{stream_key}";
        let key = Secret::new("planted_key");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        // An earlier version of onair has saved the second address.
        for server in [listed.to_owned(), format!("{listed}/")] {
            for (key, key_apart) in [(&key, false), (&Secret::default(), true)] {
                let target = Target::custom(1, &server, key.clone());
                let target = Target { key_apart, ..target };
                assert_eq!(address::secret_of(&target), target.key().cloned());
                let mut settings = Settings::default();
                settings.targets.push(target);
                settings.write(&path).unwrap();
                let mut read = Settings::read(&path).0.targets.remove(1);
                assert_eq!(read.server(), "rtmp://fra05.contribute.live-video.net/app");
                address::add_secret(&mut read, &Secret::new("planted_key"));
                assert_eq!(address::fault(&read), None);
            }
        }
    }

    #[test]
    fn a_token_of_the_application_is_a_secret() {
        let key = Secret::new("planted_key");
        for server in [
            "rtmps://h/app?auth=planted",
            "rtmps://h/live/eu?vhost=x&auth=planted",
            "rtmp://h/a?t=planted",
        ] {
            let target = Target::custom(1, server, key.clone());
            let secret = address::secret_of(&target).unwrap();
            let mut settings = Settings::default();
            settings.targets.push(target);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("settings.toml");
            // The settings are also saved before the secret is loaded.
            for _ in 0..2 {
                settings.write(&path).unwrap();
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains("planted"), "{text}");
                settings = Settings::read(&path).0;
            }
            let mut read = settings.targets[1].clone();
            address::add_secret(&mut read, &secret);
            assert_eq!((read.server(), read.key()), (server, Some(&key)));
        }
    }
}
