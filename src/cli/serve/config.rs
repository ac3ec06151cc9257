//! `onair serve --config FILE`: reads the flags in a file, and the keys and access rules, which no
//! flag may contain.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::base::Secret;
use crate::base::file_stamp::read_with;
use crate::cli::serve::access::{self, AppTable, TokenTable};
use crate::cli::serve::args::{Args, SLOW_MODE_RANGE, hls_mode, percent};
use crate::cli::serve::recording::{self, RuleTable};
use crate::cli::serve::relays::{self, RelayTable};
use crate::cli::serve::renditions;
use crate::cli::serve::tls::acme_values::{check_directory, check_email};
use crate::cli::serve::values::{
    self, KEEP_TIME_RANGE, MAX_CONNECTIONS_RANGE, MAX_PER_ADDRESS_RANGE, MAX_STREAMS_RANGE,
    RuleValues, SPLIT_TIME_RANGE, number, within,
};
use crate::cli::serve::watermarks::WatermarkTable;
use crate::cli::serve::webrtc::ice_servers::{self, IceServerTable};
use crate::cli::serve::webrtc::meeting::MeetingTable;
use crate::net::tls::acme::domain::check_domain;
use crate::server::access::{AccessRules, TokenRules};
use crate::server::hls::Settings;
use crate::server::relay::RelayRule;
use crate::server::renditions::{Ladder, LadderRule, Watermark};
use crate::server::{Fault, IceServer};
use crate::studio::settings::{BadValue, Document, check_successor};
use crate::studio::targets::sharing::{check_host, check_origin};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::chat::blocked_words::MAX_BLOCKED_WORDS;

/// Maximum size of the file in bytes.
const MAX_FILE_BYTES: u64 = 64 << 10;

/// The content of the file that no flag may contain.
#[derive(Debug, Default)]
pub(super) struct FileRules {
    pub publish_keys: Vec<Secret>,
    pub access: AccessRules,
    /// Renditions of individual applications.
    pub ladders: HashMap<String, Ladder>,
    /// Renditions of single streams.
    pub ladder_rules: Vec<LadderRule>,
    /// Watermarks by application; see [`access::OTHER_APPS`].
    pub watermarks: HashMap<String, Vec<Watermark>>,
    pub relays: Vec<RelayRule>,
    pub ice_servers: Vec<IceServer>,
}

/// The content of the file. Flags have precedence over the file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    rtmp: Option<String>,
    http: Option<String>,
    name: Vec<String>,
    cors: Vec<String>,
    trusted_proxies: Vec<String>,
    proxy_header: Option<String>,
    proxy_protocol: bool,
    rtmps: Option<String>,
    https: Option<String>,
    https_redirect: Option<bool>,
    acme: Vec<String>,
    acme_directory: Option<String>,
    acme_email: Option<String>,
    acme_ca: Option<PathBuf>,
    rtmpt: Option<String>,
    cert: Option<PathBuf>,
    cert_key: Option<PathBuf>,
    record: Option<PathBuf>,
    record_format: Option<String>,
    split_time: Option<String>,
    split_size: Option<String>,
    keep_time: Option<String>,
    keep_size: Option<String>,
    vod: Option<String>,
    record_rule: Vec<RuleTable>,
    #[serde(skip)]
    record_rules: Vec<RuleValues>,
    webrtc: Option<String>,
    webrtc_address: Vec<String>,
    srt: Option<String>,
    srt_passphrase_file: Option<PathBuf>,
    hls: Option<String>,
    hls_part: Option<String>,
    hls_segment: Option<String>,
    hls_window: Option<String>,
    renditions: Vec<String>,
    renditions_limit: Option<usize>,
    renditions_cpu: Option<u32>,
    rendition_rule: Vec<renditions::RuleTable>,
    max_connections: Option<usize>,
    max_per_address: Option<usize>,
    max_streams: Option<usize>,
    chat_slow: Option<String>,
    blocked_words: Vec<String>,
    successor: Option<String>,
    successor_http: Option<String>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    auth: Option<String>,
    publish_keys: Vec<String>,
    watermark: Vec<WatermarkTable>,
    app: BTreeMap<String, AppTable>,
    tokens: TokenTable,
    relay: Vec<RelayTable>,
    ice_server: Vec<IceServerTable>,
    meeting: MeetingTable,
    #[serde(skip)]
    access: AccessRules,
    #[serde(skip)]
    ladders: HashMap<String, Ladder>,
    #[serde(skip)]
    ladder_rules: Vec<LadderRule>,
    #[serde(skip)]
    watermarks: HashMap<String, Vec<Watermark>>,
    #[serde(skip)]
    relays: Vec<RelayRule>,
    #[serde(skip)]
    ice_servers: Vec<IceServer>,
    fault: Vec<String>,
    fault_seed: Option<u64>,
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// Fails with the problem of the file for the user, without secrets.
    pub(super) fn read(path: &Path) -> Result<Self, Problem> {
        let failed = |why: Problem| with_path(path, why);
        let read = read_with(path, |file| {
            let mut text = String::new();
            file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map(|_| text)
        });
        let text = read.map_err(|error| failed(error.into()))?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(failed(problem!("serve-config-too-long", kib = MAX_FILE_BYTES >> 10)));
        }
        Self::parse(&text).map_err(failed)
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let mut document = Document::parse(text)?;
        let mut config: Self = document.read();
        // A value that was left out would cause further problems, such as a list without entries.
        if document.has_bad() {
            return Err(first_problem(document).unwrap_or_default());
        }
        let (apps, tokens) = (std::mem::take(&mut config.app), std::mem::take(&mut config.tokens));
        let tables = std::mem::take(&mut config.relay);
        let ice_tables = std::mem::take(&mut config.ice_server);
        let record_rules = std::mem::take(&mut config.record_rule);
        let mut note = |path: &str, why: &Problem| document.note(path, why);
        config.ladders = access::ladders(&apps, &mut note);
        config.ladder_rules = renditions::rules(&config.rendition_rule, &mut note);
        config.watermarks = access::watermarks(&config.watermark, &apps, &mut note);
        config.access = access::rules(apps, tokens, &mut note);
        let proxy = (config.proxy_header.as_deref(), config.proxy_protocol);
        config.access.proxies = access::proxies(&config.trusted_proxies, proxy, &mut note);
        config.relays = relays::rules(tables, &mut note);
        config.ice_servers = ice_servers::servers(ice_tables, &mut note);
        config.record_rules = recording::rules(record_rules, &mut note);
        // A server must not start with a configuration that its operator did not intend.
        if let Some(problem) = first_problem(document) {
            return Err(problem);
        }
        access::check_keys(&config.publish_keys)?;
        if config.blocked_words.len() > MAX_BLOCKED_WORDS {
            return Err(problem!("serve-too-many-words", most = MAX_BLOCKED_WORDS));
        }
        match config.auth.as_deref() {
            None | Some("adobe" | "llnw") => {}
            Some(other) => return Err(problem!("serve-auth", other = other)),
        }
        Ok(config)
    }

    /// Returns the token rules of the file.
    pub(super) fn into_token_rules(self) -> TokenRules {
        self.access.tokens
    }

    /// Returns the flags, completed from the file, and the rules of the file.
    ///
    /// # Errors
    /// Fails with the invalid part.
    pub(super) fn complete(mut self, args: &Args) -> Result<(Args, FileRules), Problem> {
        let mut all = args.clone();
        fill(&mut all.rtmp, "rtmp", self.rtmp, values::address)?;
        fill(&mut all.rtmps, "rtmps", self.rtmps, values::address)?;
        fill(&mut all.https, "https", self.https, values::address)?;
        all.https_redirect |= self.https_redirect.unwrap_or_default();
        fill_list(&mut all.acme, "acme", &self.acme, check_domain)?;
        fill(&mut all.acme_directory, "acme_directory", self.acme_directory, check_directory)?;
        fill(&mut all.acme_email, "acme_email", self.acme_email, check_email)?;
        all.acme_ca = all.acme_ca.or(self.acme_ca.take());
        fill(&mut all.rtmpt, "rtmpt", self.rtmpt, values::address)?;
        fill(&mut all.http, "http", self.http, |it| it.parse())?;
        fill(&mut all.webrtc, "webrtc", self.webrtc, |it| it.parse())?;
        fill(&mut all.srt, "srt", self.srt, values::address)?;
        all.srt_passphrase_file = all.srt_passphrase_file.or(self.srt_passphrase_file);
        self.meeting.complete(&mut all)?;
        fill_list(&mut all.name, "name", &self.name, check_host)?;
        fill_list(&mut all.webrtc_address, "webrtc_address", &self.webrtc_address, values::ip)?;
        fill_list(&mut all.cors, "cors", &self.cors, check_origin)?;
        fill(&mut all.hls, "hls", self.hls, hls_mode)?;
        for (name, flag, setting, bounds) in [
            ("hls_part", &mut all.hls_part, self.hls_part, Settings::PART_DURATION_RANGE),
            (
                "hls_segment",
                &mut all.hls_segment,
                self.hls_segment,
                Settings::SEGMENT_DURATION_RANGE,
            ),
            ("hls_window", &mut all.hls_window, self.hls_window, Settings::WINDOW_DURATION_RANGE),
            ("chat_slow", &mut all.chat_slow, self.chat_slow, SLOW_MODE_RANGE),
            ("split_time", &mut all.split_time, self.split_time, SPLIT_TIME_RANGE),
            ("keep_time", &mut all.keep_time, self.keep_time, KEEP_TIME_RANGE),
        ] {
            fill(flag, name, setting, |it| within(it, bounds))?;
        }
        if all.renditions.is_none() && !self.renditions.is_empty() {
            let names = self.renditions.iter().map(String::as_str);
            all.renditions = Some(Ladder::of(names).map_err(|why| value("renditions", why))?);
        }
        let of_others = self.ladders.remove(access::OTHER_APPS);
        all.renditions = all.renditions.or(of_others);
        all.renditions_limit = all.renditions_limit.or(self.renditions_limit);
        fill(&mut all.renditions_cpu, "renditions_cpu", self.renditions_cpu, percent)?;
        for (name, flag, setting, bounds) in [
            (
                "max_connections",
                &mut all.max_connections,
                self.max_connections,
                MAX_CONNECTIONS_RANGE,
            ),
            (
                "max_per_address",
                &mut all.max_per_address,
                self.max_per_address,
                MAX_PER_ADDRESS_RANGE,
            ),
            ("max_streams", &mut all.max_streams, self.max_streams, MAX_STREAMS_RANGE),
        ] {
            fill(flag, name, setting, |it| number(it, bounds))?;
        }
        fill(&mut all.record_format, "record_format", self.record_format, values::format)?;
        fill(&mut all.split_size, "split_size", self.split_size, values::size)?;
        fill(&mut all.keep_size, "keep_size", self.keep_size, values::size)?;
        fill(&mut all.vod, "vod", self.vod, values::switch)?;
        all.record_rules = self.record_rules;
        all.blocked_words = self.blocked_words;
        all.cert = all.cert.or(self.cert);
        all.cert_key = all.cert_key.or(self.cert_key);
        all.record = all.record.or(self.record);
        all.user = all.user.or(self.user);
        all.password_file = all.password_file.or(self.password_file);
        all.auth = all.auth.or(self.auth);
        all.fault_seed = all.fault_seed.or(self.fault_seed);
        if let Some(successor) = self.successor.filter(|_| all.successor.is_none()) {
            all.successor = Some(check_successor(&successor)?);
        }
        fill(&mut all.successor_http, "successor_http", self.successor_http, |it| it.parse())?;
        if all.fault.is_empty() {
            let faults = self.fault.iter().map(|fault| fault.parse::<Fault>());
            all.fault = faults.collect::<Result<_, _>>().map_err(|error| error.0)?;
        }
        let publish_keys = self.publish_keys.into_iter().map(Secret::new).collect();
        let rules = FileRules {
            publish_keys,
            access: self.access,
            ladders: self.ladders,
            ladder_rules: self.ladder_rules,
            watermarks: self.watermarks,
            relays: self.relays,
            ice_servers: self.ice_servers,
        };
        Ok((all, rules))
    }
}

/// Returns the first bad value, with its position.
fn first_problem(document: Document<'_>) -> Option<Problem> {
    let BadValue { path, place, reason, .. } = document.finish().into_iter().next()?;
    let (line, column) = place.unwrap_or((1, 1));
    let value = problem!("value-in", path = path, reason = reason);
    Some(problem!("serve-config-at", line = line, column = column, what = value))
}

/// Adds the name of the file to a problem.
pub(super) fn with_path(path: &Path, why: Problem) -> Problem {
    problem!("serve-config", path = path.display().to_string(), reason = why)
}

/// Reads the value of an omitted flag from the file.
fn fill<T>(
    flag: &mut Option<T>,
    key: &str,
    setting: Option<impl ToString>,
    read: impl FnOnce(&str) -> Result<T, Problem>,
) -> Result<(), Problem> {
    if flag.is_none()
        && let Some(setting) = setting
    {
        *flag = Some(read(&setting.to_string()).map_err(|why| value(key, why))?);
    }
    Ok(())
}

/// Reads the values of an omitted flag from the file.
fn fill_list<T>(
    flag: &mut Vec<T>,
    key: &str,
    settings: &[String],
    read: impl Fn(&str) -> Result<T, Problem>,
) -> Result<(), Problem> {
    if flag.is_empty() {
        let values = settings.iter().map(|it| read(it)).collect::<Result<_, _>>();
        *flag = values.map_err(|why| value(key, why))?;
    }
    Ok(())
}

fn value(key: &str, why: Problem) -> Problem {
    problem!("value-in", path = key, reason = why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::serve::args::{Http, WebRtc};

    #[test]
    fn a_file_adds_to_the_flags_and_gives_way_to_them() {
        let text = "rtmp = \"127.0.0.1:1\"\nhttp = \"127.0.0.1:2\"\nrecord = \"/r\"\n\
                    publish_keys = [\"k1\"]\nfault = [\"reset@media:3s\"]\nfault_seed = 7\n";
        let args = Args { rtmp: "127.0.0.1:9".parse().ok(), ..Args::default() };
        let (all, rules) = Config::parse(text).unwrap().complete(&args).unwrap();
        assert_eq!(all.rtmp, "127.0.0.1:9".parse().ok());
        assert_eq!(all.http, "127.0.0.1:2".parse().ok());
        let none = Config::parse("http = \"none\"\ncors = [\"HTTPS://A.example\"]\n").unwrap();
        let (all_of_it, _) = none.complete(&args).unwrap();
        assert_eq!(all_of_it.http, Some(Http::None));
        assert_eq!(all_of_it.cors, ["https://a.example"]);
        let webrtc = Config::parse("webrtc = \"192.0.2.1:8189\"\n").unwrap();
        let webrtc = webrtc.complete(&args).unwrap().0.webrtc;
        assert_eq!(webrtc, Some(WebRtc::At("192.0.2.1:8189".parse().unwrap())));
        assert_eq!((all.record, all.fault_seed), (Some("/r".into()), Some(7)));
        let hls = Config::parse("hls = \"always\"\nhls_part = \"200ms\"\n").unwrap();
        let hls = hls.complete(&args).unwrap().0.hls_settings();
        let (mode, part) = (hls.mode, hls.lengths.part);
        assert_eq!((mode, part.as_millis()), (crate::server::hls::Mode::Always, 200));
        assert_eq!((all.fault.len(), rules.publish_keys), (1, vec![Secret::new("k1")]));
        let text = "renditions = [\"480p:1M\", \"audio\"]\nrenditions_cpu = 50\n\
                    [app.\"a/b\"]\nrenditions = [\"240p\"]\n[app.c]\nrenditions = []\n[app.d]\n\
                    [[rendition_rule]]\nstreams = \"*/big*\"\nrenditions = [\"720p\"]\n\
                    [[rendition_rule]]\nstreams = \"d/big-raw\"\n";
        let (args_of_it, rules_of_it) = Config::parse(text).unwrap().complete(&args).unwrap();
        let FileRules { ladders, ladder_rules, watermarks, .. } = rules_of_it;
        let ladders = args_of_it.ladders(ladders, ladder_rules, watermarks);
        for (app, stream, height) in [
            ("a/b", "show", Some(240)),
            ("c", "show", None),
            ("c", "big", Some(720)),
            ("d", "show", Some(480)),
            ("d", "big-raw", None),
        ] {
            let ladder = ladders.of(app, stream);
            assert_eq!(ladder.video.first().map(|it| it.height), height, "{app}/{stream}");
        }
        assert!(ladders.of("other", "show").audio_only && (ladders.cpu - 0.5).abs() < 1e-9);
        let chat = "chat_slow = \"5s\"\nblocked_words = [\"Spoiler\", \" \"]\n";
        let rules = Config::parse(chat).unwrap().complete(&args).unwrap().0.chat_rules();
        assert_eq!((rules.slow.as_secs(), rules.words.words().len()), (5, 1));
        let text = "max_connections = 20000\nmax_per_address = 9\nmax_streams = 3\n";
        let args = Args { max_streams: Some(5), ..Args::default() };
        let limits = Config::parse(text).unwrap().complete(&args).unwrap().0.limits();
        assert_eq!((limits.connections, limits.viewers), (20_000, 20_000));
        assert_eq!((limits.per_address, limits.streams), (9, 5));
    }

    #[test]
    fn the_container_records_only_with_a_limit() {
        let text = include_str!("../../../packaging/container/serve.toml");
        assert!(Config::parse(text).unwrap().record.is_none());
        let example =
            text.replace("# record =", "record =").replace("# keep_size =", "keep_size =");
        let example = Config::parse(&example).unwrap();
        assert!(example.record.is_some() && example.keep_size.is_some());
        assert!(example.complete(&Args::default()).is_ok());
    }

    #[test]
    fn a_file_has_ice_servers_with_their_logins() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "Pl4nted\n").unwrap();
        let text = format!(
            "[[ice_server]]\nurl = \"stun:stun.example\"\n[[ice_server]]\nurl = \"turn:a?transport=tcp\"\n\
             username = \"onair\"\ncredential_file = {:?}\n",
            file.path()
        );
        let (_, rules) = Config::parse(&text).unwrap().complete(&Args::default()).unwrap();
        let [stun, turn] = &rules.ice_servers[..] else { panic!("{:?}", rules.ice_servers) };
        assert!(stun.url() == "stun:stun.example" && stun.login().is_none());
        let login = turn.login().unwrap();
        assert_eq!((&*login.username, login.credential.expose()), ("onair", "Pl4nted"));
    }

    #[test]
    fn errors_are_reported_without_a_key() {
        for (text, why) in [
            ("rtmp = 5", "line 1"),
            ("\n\nport = 1935", "line 3, column 1: 'port': onair has no such setting"),
            ("auth = \"md5\"", "adobe or llnw"),
            ("publish_keys = [\"\"]", "1 to 512"),
            ("publish_keys = [\"Pl4nted\", 5]", "line 1"),
            ("publish_keys = [\"Pl4nted]", "line 1"),
            (
                "\npublish_keys = \"Pl4nted\"",
                "line 2, column 16: 'publish_keys': it must be a list",
            ),
            ("fault_seed = 'Pl4nted'", "line 1"),
            ("max_connections = \"5\"", "'max_connections': it must be a whole number"),
            ("[app.a.limits]\nstreams = 'Pl4nted'", "it must be a whole number"),
            ("[app.live.play]\nkeys = [\"Pl4nted\", 5]", "line 2"),
            (
                "[app.live.play]\n\nallow = [\"10.0.0.0/99\"]",
                "line 3, column 10: 'app.live.play.allow'",
            ),
            (
                "[app.live]\nrenditions = [\"tall\"]",
                "line 2, column 14: 'app.live.renditions': 'tall' is not a rendition",
            ),
            ("[[record_rule]]\nstreams = \"a\"\nsplit = 1", "'record_rule.split'"),
            (
                "[[watermark]]\ntext = \"a\"\n\n[[watermark]]\nimage = \"/none/logo.png\"",
                "line 5, column 9: 'watermark.image': onair cannot use the image /none/logo.png",
            ),
            ("[[record_rule]]\nformat = \"flv\"", "'record_rule.streams'"),
            ("[[rendition_rule]]\nrenditions = []", "'rendition_rule.streams'"),
            (
                "[[rendition_rule]]\nstreams = \"live/*\"\n\n[[rendition_rule]]\nstreams = \"a\"\n\
                 renditions = [\"wide\"]",
                "line 6, column 14: 'rendition_rule.renditions': 'wide' is not a rendition",
            ),
            ("trusted_proxies = [\"10.0.0.0/8\", \"proxy\"]", "'trusted_proxies"),
            ("proxy_header = \"x-real-ip\"", "'proxy_header': it must be one of x-forwarded-for"),
            (
                "[[ice_server]]\n\nurl = \"turn:a\"",
                "line 3, column 7: 'ice_server.url': a TURN server needs",
            ),
            ("[[ice_server]]\nurl = \"http://Pl4nted\"", "'ice_server.url': use stun:HOST"),
            ("[[ice_server]]\nurl = \"stun:a\"\nusername = \"Pl4nted\"", "'ice_server.username'"),
            ("[app.live]\nplya = 1", "line 2, column 1: 'app.live.plya'"),
            ("[app.\"/\".play]\nkeys = [\"Pl4nted\"]", "use an application name"),
            ("[app.\"\"]\nrenditions = []", "use an application name"),
            (
                "[[relay]]\npush = \"live/*\"\nto = \"rtmp://a/Pl4nted\"",
                "line 3, column 6: 'relay.to': it must be a list",
            ),
        ] {
            let error = Config::parse(text).err().unwrap().to_string();
            assert!(error.contains(why) && !error.contains("Pl4nted"), "{text}: {error}");
        }
        for (text, why) in [
            ("successor = \"http://a\"", "does not support http://"),
            ("successor_http = \"http://a/live\"", "'successor_http': use http://HOST"),
            ("fault = [\"nonsense\"]", "nonsense"),
            ("http = \"here\"", "'http': use an address"),
            ("rtmp = \":1935\"", "'rtmp': use an IP address with a port, such as 127.0.0.1:1935"),
            ("webrtc_address = [\"a\"]", "'webrtc_address': use an IP address, such as"),
            ("name = [\"http://a\"]", "'name': 'http://a' is not a host name"),
            ("webrtc = \"8189\"", "'webrtc': use an address"),
            ("cors = [\"here\"]", "'cors': use an origin"),
            ("hls = \"on\"", "'hls': use on-demand, always or off"),
            ("chat_slow = \"1h\"", "'chat_slow': use a duration from 0s to 10m"),
            ("renditions = [\"720\"]", "'renditions': '720' is not a rendition"),
            ("renditions_cpu = 0", "'renditions_cpu': use a percentage from 1 to 100"),
            ("max_connections = 10", "'max_connections': use a number from 64 to 65536"),
            ("max_streams = 0", "'max_streams': use a number from 1 to 4096"),
            ("record_format = \"mkv\"", "'record_format': it must be one of flv, mp4"),
            ("split_size = \"1\"", "'split_size': '1' is not a valid size"),
            ("keep_time = \"5s\"", "'keep_time': use a duration from 1m"),
            ("vod = \"yes\"", "'vod': it must be one of on, off"),
            ("hls_part = \"3s\"", "'hls_part': use a duration from 0.1s to 2s"),
        ] {
            let error =
                Config::parse(text).unwrap().complete(&Args::default()).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        let refused = |path: &str| Config::read(Path::new(path)).err().unwrap().to_string();
        assert!(refused("/none/at/all.toml").contains("--config"));
        assert!(refused("/dev/zero").contains("larger than"));
    }
}
