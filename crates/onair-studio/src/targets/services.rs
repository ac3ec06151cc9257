//! The streaming services: their servers, and the limits that they set for a stream. The data comes
//! from the services' public pages for broadcasters. A service that gives each stream a separate
//! address has no address here.

use std::borrow::Cow;
use std::sync::Arc;

use crate::media::BitsPerSecond;
use crate::text::Language;
use crate::wire::rtmp::url::{Scheme, Url};

/// A service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The id in settings and on the command line.
    pub id: Cow<'static, str>,
    /// The ids before the service was renamed. Targets of unused profiles may still have them.
    pub earlier_ids: Cow<'static, [Cow<'static, str>]>,
    /// The proper name. [`name_in`](Self::name_in) is displayed in the window.
    pub name: Cow<'static, str>,
    /// The servers. The first one is used unless another is chosen. The list is empty if the
    /// service's dashboard gives an address together with the key.
    pub servers: Cow<'static, [Cow<'static, str>]>,
    /// The domains that contain all servers of the service, in every region. The user's own services
    /// have only the hosts of their servers.
    pub domains: &'static [&'static str],
    /// The application, if the service shows its address without it.
    pub app: Option<&'static str>,
    /// The page where the key is found; empty if there is no particular page.
    pub key_page: Cow<'static, str>,
    pub limits: Limits,
    /// The suffix of a key for a test mode, in which the stream is not shown to anyone.
    pub test_query: Option<&'static str>,
    /// The loudness in LUFS to which the service turns louder streams down; most services state none.
    pub loudness: Option<i8>,
}

/// The limits of a service.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum video bitrate in bits per second.
    pub video: Option<BitsPerSecond>,
    /// Maximum audio bitrate in bits per second.
    pub audio: Option<BitsPerSecond>,
    /// Maximum keyframe interval in seconds.
    pub keyframe_seconds: u64,
    /// Maximum frame height in lines.
    pub height: Option<u32>,
    /// Maximum frame rate.
    pub fps: Option<u32>,
}

/// The usual limits of nearly all services.
pub const USUAL_LIMITS: Limits =
    Limits { video: None, audio: None, keyframe_seconds: 4, height: None, fps: None };

/// The limits of services that give each show an address and a key. They state the maximum bitrate
/// on the same page, depending on the channel's rank.
const PER_SHOW_LIMITS: Limits = Limits { keyframe_seconds: 2, fps: Some(60), ..USUAL_LIMITS };

/// The end of the addresses in Twitch's list of servers.
const KEY_PLACEHOLDER: &str = "/{stream_key}";

const fn kbps(kilobits: u32) -> Option<BitsPerSecond> {
    Some(BitsPerSecond(kilobits * 1_000))
}

/// Defines the known services. Each leaves out what it does not have, and the usual limits.
macro_rules! known_services {
    (@some) => { None };
    (@some $value:literal) => { Some($value) };
    (@limits) => { USUAL_LIMITS };
    (@limits $limits:expr) => { $limits };
    ($(
        $id:literal as $name:literal {
            servers: [$($server:literal),* $(,)?],
            domains: [$($domain:literal),* $(,)?],
            $(app: $app:literal,)?
            key_page: $key_page:literal,
            $(limits: $limits:expr,)?
            $(test_query: $test_query:literal,)?
            $(loudness: $loudness:literal,)?
        }
    )*) => {
        /// All known services in alphabetical order.
        pub static KNOWN_SERVICES: &[Service] = &[$(
            Service {
                id: Cow::Borrowed($id),
                earlier_ids: Cow::Borrowed(&[]),
                name: Cow::Borrowed($name),
                servers: Cow::Borrowed(&[$(Cow::Borrowed($server)),*]),
                domains: &[$($domain),*],
                app: known_services!(@some $($app)?),
                key_page: Cow::Borrowed($key_page),
                limits: known_services!(@limits $($limits)?),
                test_query: known_services!(@some $($test_query)?),
                loudness: known_services!(@some $($loudness)?),
            },
        )*];
    };
}

known_services! {
    "bilibili" as "Bilibili" {
        servers: ["rtmp://live-push.bilivideo.com/live-bvc/"],
        domains: ["bilivideo.com", "live-send.acg.tv"],
        key_page: "https://link.bilibili.com/p/center/index#/my-room/start-live",
    }
    "dailymotion" as "Dailymotion" {
        servers: ["rtmp://publish.dailymotion.com/publish-dm"],
        domains: ["dailymotion.com"],
        key_page: "https://www.dailymotion.com/partner",
    }
    "douyin" as "Douyin" {
        servers: [],
        domains: ["douyincdn.com"],
        key_page: "https://creator.douyin.com/creator-micro/live/manage",
        limits: PER_SHOW_LIMITS,
    }
    "douyu" as "Douyu" {
        servers: [],
        domains: ["douyu.com"],
        key_page: "https://mp.douyu.com/live/main",
        limits: PER_SHOW_LIMITS,
    }
    "facebook" as "Facebook Live" {
        servers: ["rtmps://live-api-s.facebook.com:443/rtmp/"],
        domains: ["facebook.com"],
        key_page: "https://www.facebook.com/live/producer",
        limits: Limits {
            video: kbps(9_000),
            audio: kbps(128),
            keyframe_seconds: 4,
            height: Some(1_080),
            fps: Some(60),
        },
    }
    "huya" as "Huya" {
        servers: [],
        domains: ["huya.com"],
        key_page: "https://i.huya.com/index.php?m=ProfileSetting",
        limits: PER_SHOW_LIMITS,
    }
    "kick" as "Kick" {
        servers: [],
        domains: ["fa723fc1b171.global-contribute.live-video.net"],
        app: "app",
        key_page: "https://dashboard.kick.com/channel/stream",
        limits: Limits {
            video: kbps(8_000),
            audio: kbps(160),
            keyframe_seconds: 2,
            height: Some(1_080),
            fps: Some(60),
        },
    }
    "kuaishou" as "Kuaishou" {
        servers: [],
        domains: ["kuaishou.com", "voip.yximgs.com"],
        key_page: "https://cp.kuaishou.com/",
        limits: PER_SHOW_LIMITS,
    }
    "restream" as "Restream" {
        servers: ["rtmp://live.restream.io/live", "rtmps://live.restream.io:1937/live"],
        domains: ["restream.io"],
        key_page: "https://app.restream.io/settings/streaming-setup",
    }
    "trovo" as "Trovo" {
        servers: ["rtmp://livepush.trovo.live/live/"],
        domains: ["trovo.live"],
        key_page: "https://studio.trovo.live/mychannel/stream",
        limits: Limits { keyframe_seconds: 2, ..USUAL_LIMITS },
    }
    "twitch" as "Twitch" {
        servers: [
            "rtmps://ingest.global-contribute.live-video.net:443/app",
            "rtmp://ingest.global-contribute.live-video.net/app",
        ],
        domains: [
            "twitch.tv",
            "contribute.live-video.net",
            "ingest.global-contribute.live-video.net",
        ],
        key_page: "https://dashboard.twitch.tv/settings/stream",
        limits: Limits {
            video: kbps(6_000),
            audio: kbps(320),
            keyframe_seconds: 2,
            height: Some(1_080),
            fps: Some(60),
        },
        test_query: "bandwidthtest=true",
    }
    "vimeo" as "Vimeo" {
        servers: ["rtmps://rtmp-global.cloud.vimeo.com:443/live"],
        domains: ["vimeo.com"],
        key_page: "https://vimeo.com/manage/events",
    }
    "xiaohongshu" as "Xiaohongshu" {
        servers: [],
        domains: ["xhscdn.com"],
        key_page: "https://redlive.xiaohongshu.com/live_plan",
        limits: PER_SHOW_LIMITS,
    }
    "youtube" as "YouTube" {
        servers: ["rtmps://a.rtmps.youtube.com:443/live2", "rtmp://a.rtmp.youtube.com/live2"],
        domains: ["youtube.com"],
        key_page: "https://studio.youtube.com/channel/UC/livestreaming",
        limits: Limits { video: kbps(51_000), fps: Some(60), ..USUAL_LIMITS },
        loudness: -14,
    }
}

/// The known services and the user's own, which take precedence if the id or server is the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceList {
    own: Arc<[Service]>,
}

/// Returns the known service to which a host belongs.
pub fn of_host(host: &str) -> Option<&'static Service> {
    KNOWN_SERVICES.iter().find(|service| service.has_host(host))
}

/// Returns the address of the same application over TLS on port 443, which networks rarely block.
/// Returns `None` if the service has no such address.
pub fn on_port_443(server: &str) -> Option<&'static str> {
    let url = Url::parse(server).ok().filter(|url| url.scheme == Scheme::Rtmp)?;
    // The application of a backup server differs, and its stream must not replace the main one.
    let fits = |other: &str| {
        let is_same = |it: Url| it.scheme == Scheme::Rtmps && it.port == 443 && it.app == url.app;
        Url::parse(other).is_ok_and(is_same)
    };
    of_host(&url.host)?.servers.iter().map(|server| &**server).find(|server| fits(server))
}

/// Returns the address of a server with the application, even if the service shows it without, and
/// without a placeholder for the stream key. The address is owned if it differs.
pub fn completed(server: &str) -> Cow<'_, str> {
    let server = server.trim();
    let bare = server.trim_end_matches('/');
    if let Some(before) = bare.strip_suffix(KEY_PLACEHOLDER) {
        return before.to_owned().into();
    }
    let has_no_app = bare.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?']));
    let service = host_of(server).filter(|_| has_no_app).and_then(of_host);
    service.and_then(|it| it.app).map_or(server.into(), |app| format!("{bare}/{app}").into())
}

impl ServiceList {
    /// Creates a list with these services in addition to the known ones.
    pub fn with_own(own: Vec<Service>) -> Self {
        Self { own: own.into() }
    }

    /// Returns the user's own services.
    pub fn own(&self) -> &[Service] {
        &self.own
    }

    /// Returns all services, the user's own first.
    pub fn all(&self) -> impl Iterator<Item = &Service> {
        self.own.iter().chain(KNOWN_SERVICES)
    }

    /// Returns the service with this id, or else the service that had this id earlier.
    pub fn find(&self, id: &str) -> Option<&Service> {
        let earlier = |service: &&Service| service.earlier_ids.iter().any(|known| known == id);
        self.all().find(|service| service.id == id).or_else(|| self.own.iter().find(earlier))
    }

    /// Returns the service to which a server's URL belongs, by its host.
    pub fn of_server(&self, url: &str) -> Option<&Service> {
        let host = host_of(url)?;
        self.all().find(|service| service.has_host(host))
    }

    /// Returns the service with this id. If there is none, or if the user has replaced the server of a
    /// known service with that of another service, returns the service of the server.
    pub fn of_target(&self, id: &str, server: &str) -> Option<&Service> {
        let chosen = self.find(id);
        let is_own = |service: &Service| self.own.iter().any(|own| own.id == service.id);
        let kept = chosen.filter(|service| is_own(service) || service.has_server(server));
        kept.or_else(|| self.of_server(server)).or(chosen)
    }
}

/// Returns true if a host is this domain, or in this domain.
fn is_within(host: &str, domain: &str) -> bool {
    let parts = host.len().checked_sub(domain.len()).and_then(|at| host.split_at_checked(at));
    parts.is_some_and(|(labels, rest)| {
        rest.eq_ignore_ascii_case(domain) && (labels.is_empty() || labels.ends_with('.'))
    })
}

/// Returns the host in a server's URL, without user, password or port, and without the brackets of
/// an IPv6 address.
pub fn host_of(url: &str) -> Option<&str> {
    let rest = url.trim().split_once("://")?.1;
    let authority = rest.split(['/', '?']).next()?;
    let authority = authority.rsplit('@').next()?;
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    host.filter(|host| !host.is_empty())
}

/// Returns the host of a URL, with the port if the URL contains one.
pub fn authority_of(url: &str) -> Option<&str> {
    let rest = url.trim().split_once("://")?.1;
    let authority = rest.split(['/', '?']).next()?.rsplit('@').next()?;
    host_of(url).map(|_| authority)
}

impl Service {
    /// Returns the name in a language. Chinese services have a Chinese name.
    pub fn name_in(&self, language: Language) -> &str {
        match (language, &*self.name) {
            (Language::Chinese, "Bilibili") => "哔哩哔哩",
            (Language::Chinese, "Douyin") => "抖音",
            (Language::Chinese, "Douyu") => "斗鱼",
            (Language::Chinese, "Huya") => "虎牙",
            (Language::Chinese, "Kuaishou") => "快手",
            (Language::Chinese, "Xiaohongshu") => "小红书",
            (_, name) => name,
        }
    }

    /// Returns true if the host of this URL belongs to the service.
    pub fn has_server(&self, url: &str) -> bool {
        host_of(url).is_some_and(|host| self.has_host(host))
    }

    /// Returns true if this host belongs to the service.
    fn has_host(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        let is_server = |at: &str| host_of(at).is_some_and(|it| it.eq_ignore_ascii_case(host));
        self.domains.iter().any(|domain| is_within(host, domain))
            || self.servers.iter().any(|at| is_server(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_a_name_and_servers_that_can_be_used() {
        for pair in KNOWN_SERVICES.windows(2) {
            assert!(pair[0].id < pair[1].id, "{} is out of order", pair[1].id);
        }
        let book = ServiceList::default();
        for service in KNOWN_SERVICES {
            assert!(service.key_page.starts_with("https://"), "{}", service.id);
            assert_eq!(book.find(&service.id), Some(service));
            for server in service.servers.iter() {
                let url = Url::with_key(server, "key").unwrap();
                assert!(!url.app.is_empty(), "{server}");
                assert_eq!(book.of_server(server), Some(service));
                let is_within = |domain: &&str| is_within(&url.host, domain);
                assert!(service.domains.iter().any(is_within), "{server}");
            }
        }
        for id in ["douyin", "douyu", "huya", "kick", "kuaishou", "xiaohongshu"] {
            let service = book.find(id).unwrap();
            assert!(service.servers.is_empty(), "{id}");
            assert_eq!(
                (service.limits.keyframe_seconds, service.limits.fps),
                (2, Some(60)),
                "{id}"
            );
        }
        assert_eq!(book.of_server("rtmp://example.org/live"), None);
        let youtube = on_port_443("rtmp://a.rtmp.youtube.com/live2").unwrap();
        assert_eq!(youtube, "rtmps://a.rtmps.youtube.com:443/live2");
        let twitch = on_port_443("RTMP://fra02.contribute.live-video.net/app/").unwrap();
        assert_eq!(twitch, "rtmps://ingest.global-contribute.live-video.net:443/app");
        // Otherwise, the stream to the backup server would go to the main server.
        let backup = "rtmp://b.rtmp.youtube.com/live2?backup=1";
        for none in
            [youtube, "rtmp://live.restream.io/live", "rtmp://example.org/live", backup, "x"]
        {
            assert_eq!(on_port_443(none), None, "{none}");
        }
        assert_eq!(book.of_server("twitch"), None);
    }

    #[test]
    fn a_server_in_any_region_belongs_to_its_service() {
        let book = ServiceList::default();
        for (server, id) in [
            ("rtmp://live.twitch.tv/app", "twitch"),
            ("rtmps://LIVE-FRA.Twitch.TV:443/app/live_1", "twitch"),
            ("rtmp://fra02.contribute.live-video.net/app", "twitch"),
            ("rtmps://fa723fc1b171.global-contribute.live-video.net", "kick"),
            ("rtmps://b.rtmps.youtube.com/live2?backup=1", "youtube"),
            ("rtmps://rtmp-api.facebook.com.:443/rtmp/", "facebook"),
            ("rtmp://eu.restream.io/live", "restream"),
            ("rtmp://txy.live-send.acg.tv/live-txy/?streamname=a&key=b", "bilibili"),
            ("rtmp://sendtc3.douyu.com/live", "douyu"),
            ("rtmp://tx.direct.huya.com/huyalive", "huya"),
            ("rtmp://push-rtmp-l6.douyincdn.com/third", "douyin"),
            ("rtmp://open-push.voip.yximgs.com/gifshow", "kuaishou"),
            ("rtmp://live-push-hw.xhscdn.com/live", "xiaohongshu"),
            ("rtmp://rtmp.cloud.vimeo.com/live", "vimeo"),
        ] {
            let of_host = host_of(server).and_then(of_host);
            let found = [book.of_server(server), of_host].map(|it| it.map(|it| &*it.id));
            assert_eq!(found, [Some(id); 2], "{server}");
            assert!(book.find(id).unwrap().has_server(server), "{server}");
        }
        for other in [
            "rtmp://nottwitch.tv/app",
            "rtmp://twitch.tv.example.org/app",
            "rtmp://a1b2c3d4e5f6.global-contribute.live-video.net/app",
            "rtmp://tv/app",
            "rtmp://直播.tv/app",
        ] {
            assert_eq!(book.of_server(other), None, "{other}");
        }
        // The user may replace the address of a target.
        for (id, server, of) in [
            ("twitch", "rtmp://live.twitch.tv/app", "twitch"),
            ("twitch", "rtmp://relay.example/app", "twitch"),
            ("twitch", "rtmp://b.rtmp.youtube.com/live2", "youtube"),
            ("twitch", "", "twitch"),
            ("", "rtmp://live.twitch.tv/app", "twitch"),
        ] {
            assert_eq!(book.of_target(id, server), book.find(of), "{id} {server}");
        }
        // In its test mode, Twitch shows the stream to nobody. Kick would show it.
        let kick = "rtmps://fa723fc1b171.global-contribute.live-video.net/app";
        assert!(!book.find("twitch").unwrap().has_server(kick));
    }

    #[test]
    fn a_placeholder_is_no_stream_key() {
        let server = "rtmp://fra05.contribute.live-video.net/app";
        for end in [" ", "/", "//\n"] {
            let shown = format!("{server}/{{stream_key}}{end}");
            assert!(matches!(completed(&shown), Cow::Owned(it) if it == server));
        }
        assert!(matches!(completed(server), Cow::Borrowed(it) if it == server));
    }

    #[test]
    fn the_address_of_kick_needs_no_application() {
        let kick = "rtmps://fa723fc1b171.global-contribute.live-video.net";
        let complete = format!("{kick}/app");
        for server in [kick, &*format!(" {kick}//\n"), &*complete] {
            assert_eq!(completed(server), complete, "{server}");
        }
        assert_eq!(completed(&format!("{kick}:443/")), format!("{kick}:443/app"));
        for other in [&*format!("{kick}/other/"), "rtmp://live.twitch.tv", "rtmp:///", "", "kick"] {
            assert_eq!(completed(other), other);
        }
    }

    #[test]
    fn a_host_has_no_user_port_or_brackets() {
        for (url, host) in [
            ("rtmp://live.example/app", Some("live.example")),
            (" rtmps://me:pass@live.example:443/app?key=1", Some("live.example")),
            ("rtmp://[::1]:1935/live/x", Some("::1")),
            ("rtmp://me@[2001:db8::7]/live", Some("2001:db8::7")),
            ("rtmp://[::1", Some("::1")),
            ("rtmp://[]:1935/live", None),
            ("rtmp:///live", None),
            ("live.example", None),
        ] {
            assert_eq!(host_of(url), host, "{url}");
        }
    }

    #[test]
    fn two_servers_on_one_host_differ_by_their_ports() {
        for (url, authority) in [
            ("rtmp://live.example/app", Some("live.example")),
            (" rtmps://me:pass@127.0.0.1:443/app?key=1", Some("127.0.0.1:443")),
            ("rtmp://[::1]:1935/live/x", Some("[::1]:1935")),
            ("rtmp://[]:1935/live", None),
            ("live.example", None),
        ] {
            assert_eq!(authority_of(url), authority, "{url}");
        }
    }

    #[test]
    fn own_services_come_first() {
        let own = Service {
            id: "school".into(),
            earlier_ids: vec!["twitch".into(), "college".into()].into(),
            name: "School".into(),
            servers: vec!["rtmp://live.restream.io/school".into()].into(),
            domains: &[],
            app: None,
            key_page: "".into(),
            limits: Limits { height: Some(720), ..USUAL_LIMITS },
            test_query: None,
            loudness: None,
        };
        let book = ServiceList::with_own(vec![own.clone()]);
        assert_eq!(book.find("school"), Some(&own));
        assert_eq!(book.find("college"), Some(&own));
        assert_eq!(book.of_target("college", "rtmp://live.twitch.tv/app"), Some(&own));
        assert_eq!(book.of_server("rtmp://live.restream.io/live"), Some(&own));
        assert_eq!(book.of_target("school", "rtmp://live.twitch.tv/app"), Some(&own));
        let restream = "rtmp://live.restream.io/live";
        assert_eq!(book.of_target("restream", restream), book.find("restream"));
        assert!(book.find("twitch").is_some_and(|it| it.id == "twitch"), "another service");
        assert_eq!(book.all().count(), KNOWN_SERVICES.len() + 1);
    }

    #[test]
    fn chinese_services_have_their_chinese_names_in_the_chinese_window_only() {
        let names = |language| -> Vec<&str> {
            KNOWN_SERVICES.iter().map(|it| it.name_in(language)).collect()
        };
        let chinese = names(Language::Chinese);
        for name in ["抖音", "斗鱼", "虎牙", "快手", "小红书", "Twitch"] {
            assert!(chinese.contains(&name), "{name}");
        }
        assert!(names(Language::English).iter().all(|name| name.is_ascii()));
    }
}
