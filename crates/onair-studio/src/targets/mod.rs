//! The targets of a stream: entries of the list of targets.

pub mod address;
pub mod misfits;
pub mod quality;
pub mod renditions;
pub mod services;
pub mod sharing;

use data_encoding::HEXLOWER;

use crate::base::{Secret, named};
use crate::media::{BitsPerSecond, ExtraTrack, ExtraTracks};
use crate::net::{self, CertificatePin};
use crate::studio::targets::renditions::RenditionChoice;
use crate::text::problem::{Problem, problem};
use crate::wire::rtmp::url::Url;

/// Maximum number of saved targets.
pub const MAX_TARGETS: usize = 16;

/// The address of a target.
#[derive(Clone, PartialEq, Eq)]
pub enum TargetPlace {
    /// The built-in server, with the stream `live/onair`.
    BuiltIn,
    /// Any RTMP(S) server: the URL of the application, and the key separately. If the key is empty,
    /// the URL is complete and its last part is the key.
    Custom { server: String, key: Secret },
}

impl std::fmt::Debug for TargetPlace {
    /// Prints only the host, because a complete URL contains the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("BuiltIn"),
            Self::Custom { server, .. } => {
                let host = crate::studio::targets::services::host_of(server).unwrap_or_default();
                write!(f, "Custom({host})")
            }
        }
    }
}

/// One entry of the list of targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The id in the list while onair runs, and in events.
    pub id: u32,
    /// The name set by the user; if empty, the target is named after its service or host.
    pub name: String,
    /// The id of the service in [`services`]; empty means none.
    pub service: String,
    pub place: TargetPlace,
    /// True if the stream is sent to this target.
    pub enabled: bool,
    /// True to monitor the viewers' stream; `None` means that the studio decides.
    pub monitor: Option<bool>,
    /// The playback address, if it differs from the publishing address. It may contain secrets.
    pub play_url: Secret,
    /// True if the playback address was entered while the key was missing, so that it may contain the
    /// key.
    pub play_url_unchecked: bool,
    /// The only accepted certificate for `rtmps://`, instead of those that the system trusts.
    pub pin: Option<CertificatePin>,
    /// True if the key is stored across runs (never in the settings file).
    pub remember_key: bool,
    /// The name under which the key is stored.
    pub keep_as: String,
    /// True if the key was entered separately, so that the saved URL is the application's URL,
    /// whatever its form.
    pub key_apart: bool,
    /// The minimum video bitrate for its connection; `None` means the value for all targets.
    pub least_bitrate: Option<BitsPerSecond>,
    /// The mix that the target gets: an extra audio track; `None` means the program's audio.
    pub mix: Option<ExtraTrack>,
    /// The number of sizes in which the target gets the video at once.
    pub simulcast: Simulcast,
    /// The audio tracks that the target gets besides its mix, if its server takes several.
    pub tracks: ExtraTracks,
    /// The renditions that the target gets besides its video, if its server takes several.
    pub renditions: Vec<RenditionChoice>,
    /// True if the target gets the program of the second canvas.
    pub second_canvas: bool,
    /// The route of the connection.
    pub route: Route,
}

/// The number of sizes in which a target gets the video at once: one, or up to three, each with half
/// the width and height of the one before (simulcast).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Simulcast(u8);

impl Simulcast {
    /// Maximum number of sizes.
    pub const MAX: u8 = 3;

    /// Returns `None` for a number that is not possible.
    pub fn new(sizes: u8) -> Option<Self> {
        (1..=Self::MAX).contains(&sizes).then_some(Self(sizes))
    }

    /// Returns the number of sizes.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for Simulcast {
    fn default() -> Self {
        Self(1)
    }
}

/// The route to a target, as entered; empty values mean the values for all targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The ports in the order in which they are tried if the URL contains no port, such as `1935,
    /// 443`.
    pub ports: String,
    /// The proxy: `http://[user:password@]host:port`, `socks5://…`, or `none`.
    pub proxy: Secret,
    /// A local address, or on Linux a network interface.
    pub bind: String,
}

/// Maximum number of ports to try.
const MAX_PORTS: usize = 8;

impl Route {
    /// Applies these values to the options of a connection.
    ///
    /// # Errors
    /// Fails with the problem, without a password.
    pub fn apply(&self, options: &mut net::Options) -> Result<(), Problem> {
        let ports = self.ports.trim();
        if !ports.is_empty() {
            let read = |port: &str| port.trim().parse::<std::num::NonZeroU16>();
            let ports: Result<Vec<_>, _> = ports.split(',').map(read).collect();
            let ports = ports.map_err(|_| problem!("route-ports"))?;
            if ports.len() > MAX_PORTS {
                return Err(problem!("route-too-many-ports", most = MAX_PORTS));
            }
            options.ports = ports.into_iter().map(std::num::NonZero::get).collect();
        }
        match self.proxy.expose().trim() {
            "" => {}
            "none" => options.proxy = None,
            proxy => options.proxy = Some(proxy.parse::<net::Proxy>()?),
        }
        match self.bind.trim() {
            "" => {}
            bind => options.bind = Some(bind.parse::<net::Bind>()?),
        }
        Ok(())
    }

    /// Returns the problems of the ports, the proxy and the local address, without a password.
    pub fn faults(&self) -> [Option<Problem>; 3] {
        let Self { ports, proxy, bind } = self.clone();
        let each = [
            Self { ports, ..Self::default() },
            Self { proxy, ..Self::default() },
            Self { bind, ..Self::default() },
        ];
        each.map(|route| route.apply(&mut net::Options::default()).err())
    }

    /// Returns the proxy for saving: without user and password; empty if it cannot be parsed.
    pub fn proxy_without_password(&self) -> String {
        match self.proxy.expose().trim() {
            "none" => "none".into(),
            proxy => proxy.parse::<net::Proxy>().map(|it| it.to_string()).unwrap_or_default(),
        }
    }
}

impl Target {
    /// Returns the built-in server as a target.
    pub fn built_in() -> Self {
        Self { place: TargetPlace::BuiltIn, ..Self::custom(0, "", Secret::default()) }
    }

    /// Creates a target with the URL and key of a server, used unchanged.
    pub fn custom(id: u32, server: &str, key: Secret) -> Self {
        Self {
            id,
            name: String::new(),
            service: String::new(),
            place: TargetPlace::Custom { server: server.trim().to_owned(), key },
            enabled: true,
            monitor: None,
            play_url: Secret::default(),
            play_url_unchecked: false,
            pin: None,
            remember_key: false,
            keep_as: String::new(),
            key_apart: false,
            least_bitrate: None,
            mix: None,
            simulcast: Simulcast::default(),
            tracks: ExtraTracks::NONE,
            renditions: Vec::new(),
            second_canvas: false,
            route: Route::default(),
        }
    }

    /// Creates a new entry for `list`, to be filled in.
    pub fn new_for(list: &[Self]) -> Self {
        let id = list.iter().map(|target| target.id).max().unwrap_or_default().saturating_add(1);
        let keep_as = Self::new_key_name();
        Self { remember_key: true, keep_as, ..Self::custom(id, "", Secret::default()) }
    }

    /// Returns a new name for a stored key. The name is random, because the targets of all profiles
    /// store their keys in one place. If the system has no randomness, the name is empty, and the
    /// key is not stored.
    pub fn new_key_name() -> String {
        net::random_bytes::<8>().map(|bytes| HEXLOWER.encode(&bytes)).unwrap_or_default()
    }

    /// Returns true if the key is stored across runs. A new target has no key yet.
    pub fn remembers_key(&self) -> bool {
        self.remember_key && !self.keep_as.is_empty()
    }

    /// Returns true if the target is the built-in server.
    pub fn is_built_in(&self) -> bool {
        self.place == TargetPlace::BuiltIn
    }

    /// Returns the key, if it is separate from the URL.
    pub fn key(&self) -> Option<&Secret> {
        match &self.place {
            TargetPlace::Custom { key, .. } if !key.is_empty() => Some(key),
            _ => None,
        }
    }

    /// Returns the stream key, which may be a part of the URL. A query of the key is left out,
    /// because the rest is secret too. `None` means that the key is missing.
    pub fn stream_key(&self) -> Option<Secret> {
        let key = match self.key() {
            Some(key) => key.clone(),
            None if self.key_apart => return None,
            None => Url::parse(self.server().trim()).ok()?.stream,
        };
        let name = key.expose().split('?').next().filter(|name| !name.is_empty());
        let name = name.unwrap_or(key.expose());
        (!name.is_empty()).then(|| Secret::new(name))
    }

    /// Returns true if the playback address contains no apparent secret.
    pub fn may_show_play_url(&self) -> bool {
        let url = self.play_url.expose();
        let may_hold_key = match self.stream_key() {
            Some(key) => url.contains(key.expose()),
            None => self.play_url_unchecked,
        };
        !url.contains(['?', '@', '#']) && !may_hold_key
    }

    /// Returns the server's URL; empty for the built-in one.
    pub fn server(&self) -> &str {
        match &self.place {
            TargetPlace::Custom { server, .. } => server,
            TargetPlace::BuiltIn => "",
        }
    }
}

named! {
    /// The state of a target.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
    pub enum TargetState {
        #[default]
        Connecting = "connecting",
        Live = "live",
        Reconnecting = "reconnecting",
        Stopped = "stopped",
        Failed = "failed",
    }
    /// Returns the name of the state in events.
    fn name;
}

impl TargetState {
    /// Returns true if the target is live or stopped, so that no change is pending.
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Live | Self::Stopped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_read_and_its_password_is_not_remembered() {
        let route = Route {
            ports: "443, 1935".into(),
            proxy: "socks5://me:planted@proxy.example:1080".into(),
            bind: "127.0.0.1".into(),
        };
        let mut options = net::Options::default();
        route.apply(&mut options).unwrap();
        assert_eq!(options.ports, [443, 1935]);
        assert!(options.proxy.is_some_and(|proxy| proxy.credentials.is_some()));
        assert!(options.bind.is_some());
        assert_eq!(route.proxy_without_password(), "socks5://proxy.example:1080");
        assert!(!format!("{route:?}").contains("planted"));
        for wrong in [
            Route { ports: "1935;443".into(), ..Route::default() },
            Route { ports: "0".into(), ..Route::default() },
            Route { proxy: "ftp://me:planted@h".into(), ..Route::default() },
            Route { bind: "not an address".into(), ..Route::default() },
        ] {
            let why = wrong.apply(&mut net::Options::default()).unwrap_err();
            assert!(!why.to_string().contains("planted"), "{why}");
        }
    }

    #[test]
    fn new_entries_have_their_own_numbers_and_names() {
        let mut list = vec![Target::built_in()];
        for _ in 0..3 {
            list.push(Target::new_for(&list));
        }
        let ids: Vec<u32> = list.iter().map(|target| target.id).collect();
        assert_eq!(ids, [0, 1, 2, 3]);
        assert_ne!(list[1].keep_as, list[2].keep_as);
        // The list of another profile has the same numbers.
        assert_ne!(list[1].keep_as, Target::new_for(&list[..1]).keep_as);
        assert_eq!(list[1].keep_as.len(), 16);
    }
}
