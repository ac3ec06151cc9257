//! The tables `[app.NAME]` and `[tokens]` of `onair serve --config FILE`: who may publish and play.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::net::IpAddr;
use std::path::Path;

use serde::Deserialize;

use crate::base::Secret;
use crate::base::file_stamp::read_with;
use crate::cli::serve::values::{Note, valid, within};
use crate::cli::serve::watermarks::{self, WatermarkTable};
use crate::media::{BitsPerSecond, Size};
use crate::net::connect::network::Network;
use crate::net::web::WebUrl;
use crate::server::access::{
    AccessRules, ActionRules, AddressList, AppLimits, AppRules, CallKind, CallbackRules, Dialect,
    KeySet, KeySource, ProxyRules, TokenRules,
};
use crate::server::renditions::{Ladder, Watermark};
use crate::text::Problem;
use crate::text::problem::problem;

/// Maximum number of keys of one kind.
pub(super) const MAX_KEYS: usize = 256;
/// Maximum length of a key in bytes.
pub(super) const MAX_KEY_BYTES: usize = 512;
/// Maximum number of applications with rules.
const MAX_APPS: usize = 256;
/// Maximum number of networks in a list.
const MAX_NETWORKS: usize = 1_024;
/// Minimum length of a token secret in bytes: the length of the hash (RFC 7518 §3.2).
const MIN_SECRET_BYTES: usize = 32;
/// Maximum size of a key set file, in bytes.
const MAX_KEY_SET_BYTES: u64 = 256 << 10;
/// The name of the rules for all other applications.
pub(super) const OTHER_APPS: &str = "*";

/// The table `[app.NAME]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AppTable {
    publish: ActionTable,
    play: ActionTable,
    limits: LimitsTable,
    callbacks: Option<CallbackTable>,
    renditions: Option<Vec<String>>,
    watermark: Option<Vec<WatermarkTable>>,
}

/// The tables `[app.NAME.publish]` and `[app.NAME.play]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ActionTable {
    keys: Vec<String>,
    tokens: bool,
    allow: Vec<String>,
    deny: Vec<String>,
}

/// The table `[app.NAME.limits]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsTable {
    streams: Option<usize>,
    viewers: Option<usize>,
    bitrate: Option<String>,
    size: Option<String>,
}

/// The table `[app.NAME.callbacks]`. The aliases are the field names of SRS.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CallbackTable {
    dialect: Option<String>,
    on_connect: Option<String>,
    on_publish: Option<String>,
    on_play: Option<String>,
    #[serde(alias = "on_unpublish")]
    on_publish_done: Option<String>,
    #[serde(alias = "on_stop")]
    on_play_done: Option<String>,
    #[serde(alias = "on_dvr")]
    on_record_done: Option<String>,
    auth: Option<String>,
    timeout: Option<String>,
    if_unreachable: Option<String>,
}

/// The table `[tokens]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TokenTable {
    secrets: Vec<String>,
    jwks: Option<String>,
    audience: Option<String>,
    issuer: Option<String>,
}

/// Returns the rules in the tables. `note` gets the path of each invalid value, such as
/// `app.live.publish.allow.0`.
pub(super) fn rules(
    tables: BTreeMap<String, AppTable>,
    tokens: TokenTable,
    note: Note<'_>,
) -> AccessRules {
    if tables.len() > MAX_APPS {
        note("app", &problem!("serve-too-many-apps", most = MAX_APPS));
    }
    let mut rules = AccessRules { tokens: of_tokens(tokens, note), ..AccessRules::default() };
    let mut names = HashSet::new();
    for (name, AppTable { publish, play, limits, callbacks, .. }) in tables {
        let path = format!("app.{name}");
        let app = name.trim_matches('/');
        if app.is_empty() {
            note(&path, &problem!("serve-app-name"));
        } else if !names.insert(app.to_owned()) {
            // The rules in one table would replace those in the other.
            note(&path, &problem!("serve-app-twice", app = app));
        }
        let of_app = AppRules {
            publish: action(publish, &format!("{path}.publish"), note),
            play: action(play, &format!("{path}.play"), note),
            limits: of_limits(&limits, &format!("{path}.limits"), note),
            callbacks: callbacks.map(|it| of_callbacks(&it, &format!("{path}.callbacks"), note)),
        };
        for (kind, rules_of) in [("publish", &of_app.publish), ("play", &of_app.play)] {
            if rules_of.tokens && rules.tokens.is_empty() {
                note(&format!("{path}.{kind}.tokens"), &problem!("serve-tokens-without-key"));
            }
        }
        match app {
            OTHER_APPS => rules.others = of_app,
            _ => drop(rules.apps.insert(app.to_owned(), of_app)),
        }
    }
    rules
}

/// Returns the renditions of individual applications; `note` is as in [`rules`].
pub(super) fn ladders(
    tables: &BTreeMap<String, AppTable>,
    note: Note<'_>,
) -> HashMap<String, Ladder> {
    let mut ladders = HashMap::new();
    for (name, table) in tables {
        let Some(renditions) = &table.renditions else { continue };
        match Ladder::of(renditions.iter().map(String::as_str)) {
            Ok(ladder) => drop(ladders.insert(name.trim_matches('/').to_owned(), ladder)),
            Err(why) => note(&format!("app.{name}.renditions"), &why),
        }
    }
    ladders
}

/// Returns the watermarks of each application, and those of the whole server under [`OTHER_APPS`];
/// `note` is as in [`rules`].
pub(super) fn watermarks(
    of_server: &[WatermarkTable],
    tables: &BTreeMap<String, AppTable>,
    note: Note<'_>,
) -> HashMap<String, Vec<Watermark>> {
    let mut all = HashMap::new();
    all.insert(OTHER_APPS.to_owned(), watermarks::list(of_server, "watermark", note));
    for (name, table) in tables {
        let Some(tables) = &table.watermark else { continue };
        let its = watermarks::list(tables, &format!("app.{name}.watermark"), note);
        all.insert(name.trim_matches('/').to_owned(), its);
    }
    all
}

/// Checks keys.
///
/// # Errors
/// Fails if there are too many keys, or if a key is too long or empty.
pub(super) fn check_keys(keys: &[String]) -> Result<(), Problem> {
    if keys.len() > MAX_KEYS {
        return Err(problem!("serve-too-many-keys", most = MAX_KEYS));
    }
    let fair = |key: &String| (1..=MAX_KEY_BYTES).contains(&key.len());
    if keys.iter().all(fair) {
        Ok(())
    } else {
        Err(problem!("serve-key-length", most = MAX_KEY_BYTES))
    }
}

fn action(table: ActionTable, path: &str, note: Note<'_>) -> ActionRules {
    let ActionTable { keys, tokens, allow, deny } = table;
    if let Err(why) = check_keys(&keys) {
        note(&format!("{path}.keys"), &why);
    }
    let addresses = AddressList {
        allow: networks(&allow, &format!("{path}.allow"), note),
        deny: networks(&deny, &format!("{path}.deny"), note),
    };
    ActionRules { keys: keys.into_iter().map(Secret::new).collect(), tokens, addresses }
}

/// Returns the proxies that may name their clients; `note` is as in [`rules`].
pub(super) fn proxies(
    trusted: &[String],
    (header, protocol): (Option<&str>, bool),
    note: Note<'_>,
) -> ProxyRules {
    let trusted = networks(trusted, "trusted_proxies", note);
    let header = valid(header.map(str::parse), "proxy_header", note).unwrap_or_default();
    ProxyRules { trusted, header, protocol }
}

fn networks(list: &[String], path: &str, note: Note<'_>) -> Vec<Network> {
    if list.len() > MAX_NETWORKS {
        note(path, &problem!("serve-too-many-networks", most = MAX_NETWORKS));
    }
    let mut networks = Vec::new();
    for (at, text) in list.iter().enumerate() {
        match text.parse() {
            Ok(network) => networks.push(network),
            Err(why) => note(&format!("{path}.{at}"), &why),
        }
    }
    networks
}

fn of_limits(table: &LimitsTable, path: &str, note: Note<'_>) -> AppLimits {
    let mut refuse = |name: &str, why: &Problem| note(&format!("{path}.{name}"), why);
    let bitrate = table.bitrate.as_ref().map(|text| text.parse::<BitsPerSecond>());
    let bitrate = valid(bitrate, "bitrate", &mut refuse);
    let size = table.size.as_ref().map(|text| text.parse::<Size>());
    let size = valid(size, "size", &mut refuse);
    AppLimits {
        streams: table.streams,
        viewers: table.viewers,
        bitrate: bitrate.map(|it| it.0.into()),
        size: size.map(|it| (it.width, it.height)),
    }
}

fn of_callbacks(table: &CallbackTable, path: &str, note: Note<'_>) -> CallbackRules {
    let mut refuse = |name: &str, why: &Problem| note(&format!("{path}.{name}"), why);
    let dialect = table.dialect.as_ref().map(|text| text.parse::<Dialect>());
    let dialect = valid(dialect, "dialect", &mut refuse).unwrap_or_default();
    let mut urls = HashMap::new();
    for (name, kinds, text, is_of_mediamtx) in [
        ("on_connect", &[CallKind::Connect][..], &table.on_connect, false),
        ("on_publish", &[CallKind::Publish], &table.on_publish, false),
        ("on_play", &[CallKind::Play], &table.on_play, false),
        ("on_publish_done", &[CallKind::PublishDone], &table.on_publish_done, false),
        ("on_play_done", &[CallKind::PlayDone], &table.on_play_done, false),
        ("on_record_done", &[CallKind::RecordDone], &table.on_record_done, false),
        ("auth", &[CallKind::Publish, CallKind::Play], &table.auth, true),
    ] {
        let Some(text) = text else { continue };
        if is_of_mediamtx != (dialect == Dialect::MediaMtx) {
            refuse(name, &problem!("serve-callback-dialect"));
            continue;
        }
        match web_url(text) {
            Ok(url) => urls.extend(kinds.iter().map(|kind| (*kind, url.clone()))),
            Err(why) => refuse(name, &why),
        }
    }
    let timeout = table.timeout.as_ref().map(|text| within(text, CallbackRules::TIMEOUT_RANGE));
    let timeout = valid(timeout, "timeout", &mut refuse);
    let timeout = timeout.unwrap_or(CallbackRules::DEFAULT_TIMEOUT);
    let accepts_without_answer = match table.if_unreachable.as_deref() {
        None | Some("refuse") => false,
        Some("accept") => true,
        Some(_) => {
            refuse("if_unreachable", &problem!("value-none-of", known = "refuse, accept"));
            false
        }
    };
    CallbackRules { dialect, urls, timeout, accepts_without_answer }
}

fn web_url(text: &str) -> Result<WebUrl, Problem> {
    let url = WebUrl::parse(text).map_err(|_| problem!("serve-callback-url"))?;
    if url.is_websocket() {
        return Err(problem!("serve-callback-url"));
    }
    // At link-local addresses, cloud services provide the secrets of a machine.
    match url.endpoint().host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if address.is_link_local() => Err(problem!("serve-link-local")),
        Ok(IpAddr::V6(address)) if address.is_unicast_link_local() => {
            Err(problem!("serve-link-local"))
        }
        _ => Ok(url),
    }
}

fn of_tokens(table: TokenTable, note: Note<'_>) -> TokenRules {
    let TokenTable { secrets, jwks, audience, issuer } = table;
    let is_long = |secret: &String| (MIN_SECRET_BYTES..=MAX_KEY_BYTES).contains(&secret.len());
    if secrets.len() > MAX_KEYS || !secrets.iter().all(is_long) {
        let why = problem!("serve-token-secret", least = MIN_SECRET_BYTES, most = MAX_KEY_BYTES);
        note("tokens.secrets", &why);
    }
    let key_set = valid(jwks.as_deref().map(key_source), "tokens.jwks", note);
    let secrets = secrets.into_iter().map(Secret::new).collect();
    TokenRules { secrets, key_set, audience, issuer }
}

/// Parses the source of a key set: a URL, which must be secure or on this computer, or a file.
fn key_source(text: &str) -> Result<KeySource, Problem> {
    if WebUrl::is_one(text) {
        let url = web_url(text)?;
        let host = url.endpoint().host;
        let is_here = host.parse::<IpAddr>().is_ok_and(|it| it.is_loopback());
        return match url.is_secure() || is_here || host == "localhost" {
            true => Ok(KeySource::Url(url)),
            false => Err(problem!("serve-jwks-insecure")),
        };
    }
    let bytes = read_with(Path::new(text), |file| {
        let mut bytes = Vec::new();
        file.take(MAX_KEY_SET_BYTES + 1).read_to_end(&mut bytes).map(|_| bytes)
    })?;
    KeySet::parse(&bytes).map(KeySource::Keys).ok_or_else(|| problem!("serve-jwks-no-keys"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::access::Action;

    fn read(text: &str) -> (AccessRules, Vec<String>) {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Document {
            app: BTreeMap<String, AppTable>,
            tokens: TokenTable,
        }
        let mut bad = Vec::new();
        let document: Document = toml::from_str(text).unwrap();
        let mut note = |path: &str, why: &Problem| bad.push(format!("{path}: {why}"));
        let rules = rules(document.app, document.tokens, &mut note);
        (rules, bad)
    }

    #[test]
    fn tables_become_rules() {
        let (rules, bad) = read(
            "[app.\"*\".publish]\nallow = [\"10.0.0.0/8\"]\n\
             [app.live]\nlimits = { streams = 2, viewers = 3, bitrate = \"8M\", size = \"1920x1080\" }\n\
             [app.live.play]\nkeys = [\"pl4y\"]\ndeny = [\"2001:db8::/32\"]\n",
        );
        assert_eq!(bad, Vec::<String>::new());
        let live = rules.of("live");
        assert!(live.play.needs_secret() && !live.publish.needs_secret());
        assert!(!live.of(Action::Play).addresses.admits("2001:db8::1".parse().unwrap()));
        let limits = AppLimits {
            streams: Some(2),
            viewers: Some(3),
            bitrate: Some(8_000_000),
            size: Some((1_920, 1_080)),
        };
        assert_eq!(live.limits, limits);
        let others = &rules.of("other").publish.addresses;
        assert!(others.admits("10.1.2.3".parse().unwrap()));
        assert!(!others.admits("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn callbacks_and_tokens_are_read() {
        let (rules, bad) = read(
            "[tokens]\nsecrets = [\"0123456789abcdef0123456789abcdef\"]\njwks = \"https://a/keys\"\n\
             [app.a.play]\ntokens = true\n\
             [app.a.callbacks]\ndialect = \"srs\"\non_publish = \"http://a/p\"\non_stop = \"http://a/s\"\n\
             if_unreachable = \"accept\"\ntimeout = \"2s\"\n\
             [app.b.callbacks]\ndialect = \"mediamtx\"\nauth = \"http://a/auth\"\n",
        );
        assert_eq!(bad, Vec::<String>::new());
        assert!(rules.of("a").play.needs_secret() && !rules.tokens.is_empty());
        let [a, b] = ["a", "b"].map(|app| rules.of(app).callbacks.clone().unwrap());
        assert_eq!(
            (a.dialect, a.timeout.as_secs(), a.accepts_without_answer),
            (Dialect::Srs, 2, true)
        );
        assert!(a.urls.contains_key(&CallKind::PlayDone) && !a.urls.contains_key(&CallKind::Play));
        assert_eq!((b.urls.len(), b.accepts_without_answer), (2, false));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place_and_without_a_key() {
        for (text, path) in [
            ("[app.live.play]\nkeys = [\"\"]", "app.live.play.keys"),
            ("[app.live.play]\nallow = [\"::/0\", \"10.0.0.0/33\"]", "app.live.play.allow.1"),
            ("[app.live.publish]\ndeny = [\"here\"]", "app.live.publish.deny.0"),
            ("[app.live.limits]\nbitrate = \"fast\"", "app.live.limits.bitrate"),
            ("[app.live.limits]\nsize = \"big\"", "app.live.limits.size"),
            ("[app.live.play]\ntokens = true", "app.live.play.tokens"),
            ("[tokens]\nsecrets = [\"Pl4nted\"]", "tokens.secrets"),
            ("[tokens]\njwks = \"/none/at/all.json\"", "tokens.jwks"),
            ("[tokens]\njwks = \"http://192.0.2.1/keys\"", "tokens.jwks"),
            ("[app.a.callbacks]\ndialect = \"other\"", "app.a.callbacks.dialect"),
            ("[app.a.callbacks]\non_play = \"rtmp://here\"", "app.a.callbacks.on_play"),
            ("[app.a.callbacks]\non_play = \"http://169.254.169.254/\"", "app.a.callbacks.on_play"),
            ("[app.a.callbacks]\nauth = \"http://here\"", "app.a.callbacks.auth"),
            ("[app.a.callbacks]\ntimeout = \"1m\"", "app.a.callbacks.timeout"),
            ("[app.a.callbacks]\nif_unreachable = \"\"", "app.a.callbacks.if_unreachable"),
            ("[app.\"/a\".publish]\nkeys = [\"k\"]\n[app.a.limits]\nviewers = 1", "app.a"),
            ("[app.\"/*\".play]\nkeys = [\"k\"]\n[app.\"*\"]", "app./*"),
        ] {
            let (_, bad) = read(text);
            assert!(bad.len() == 1 && bad[0].starts_with(&format!("{path}: ")), "{text}: {bad:?}");
        }
        let (_, bad) = read("[app.\"/\".play]\n[app.\"\".play]");
        assert_eq!(bad.len(), 2, "{bad:?}");
        let long = format!("[app.live.play]\nkeys = [\"{}\"]", "Pl4nted".repeat(100));
        let (_, bad) = read(&long);
        assert!(bad[0].contains("1 to 512") && !bad[0].contains("Pl4nted"), "{bad:?}");
    }
}
