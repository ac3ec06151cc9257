//! Converts a target that the user entered to the configuration of a publisher, and the reports of
//! a publisher to messages.

use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::base::Secret;
use crate::broadcast::protocol::Options;
use crate::broadcast::publisher;
use crate::broadcast::publisher::Flow;
use crate::broadcast::{AddressError, TargetAddress};
use crate::net::{self, Cause, ConnectStage, Trouble};
use crate::studio::notices::Next;
use crate::studio::notices::message::StudioMessage;
use crate::studio::targets::services::{self, ServiceList};
use crate::studio::targets::{Target, TargetPlace};
use crate::text::problem::{Problem, problem};
use crate::wire::rtmp::url::Url;

/// The application and name of the program's own stream on the built-in server.
pub(crate) const OWN_STREAM: (&str, &str) = ("live", "onair");

/// The address at which the program publishes to the built-in server.
#[derive(Copy, Clone, Debug)]
pub(crate) struct BuiltInIngest<'a> {
    pub address: SocketAddr,
    pub key: &'a Secret,
}

/// Returns the publisher's configuration for a target. `built_in` is the address of the built-in
/// server.
///
/// # Errors
/// Fails with the problem of the URL.
pub(crate) fn resolve(
    wanted: &Target,
    built_in: Option<BuiltInIngest<'_>>,
    options: &Options,
    retry_for: Option<Duration>,
) -> Result<publisher::Target, Problem> {
    let url = match &wanted.place {
        TargetPlace::BuiltIn => {
            let BuiltInIngest { address, key } =
                built_in.ok_or_else(|| problem!("target-built-in-off"))?;
            let url = format!("{}?key={}", play_url(address), key.expose());
            parse(&url, None)?
        }
        TargetPlace::Custom { server, .. } if lacks_key(wanted, server) => {
            return Err(problem!("target-key-missing"));
        }
        TargetPlace::Custom { server, .. } => parse(server, wanted.key())?,
    };
    let mut target = publisher::Target::new(url);
    target.options = options.clone();
    if wanted.pin.is_some() {
        target.options.net.trust.pin = wanted.pin;
    }
    target.retry_for = retry_for;
    target.own_server = wanted.is_built_in();
    let net = &mut target.options.net;
    if target.own_server {
        // This server is on the same computer, so no route to other servers leads there.
        (net.proxy, net.bind, net.ports) = (None, None, Vec::new());
    } else {
        wanted.route.apply(net)?;
    }
    Ok(target)
}

/// Returns true if the key of a target is entered separately, and still missing.
fn lacks_key(target: &Target, server: &str) -> bool {
    target.key_apart && target.key().is_none() && TargetAddress::requires_key(server)
}

/// Returns true if a target with this server address can have a stream key or a passphrase.
pub fn needs_key(server: &str) -> bool {
    TargetAddress::needs_key(server)
}

/// Returns true if the address of a target contains the key.
pub fn has_key_in_address(target: &Target) -> bool {
    let has_secret = || parse(target.server(), None).is_ok_and(|url| url.has_secret());
    !target.is_built_in() && target.key().is_none() && has_secret()
}

/// Returns true if a server with this address can have streams of other names for a test.
pub(crate) fn has_test_streams(server: &str) -> bool {
    parse(server, None)
        .or_else(|_| parse(server, Some(&Secret::new("test"))))
        .map_or(true, |url| url.with_stream("test").is_some())
}

/// Returns the URL of a target without its key.
pub(crate) fn shown(wanted: &Target) -> String {
    match &wanted.place {
        TargetPlace::BuiltIn => "built-in".into(),
        TargetPlace::Custom { server, .. } => {
            parse(server, wanted.key()).map_or_else(|_| "***".into(), |url| url.to_string())
        }
    }
}

/// Parses the URL of a target in the form in which its service shows it.
///
/// # Errors
/// Fails with the problem of the URL, which never contains the key.
pub fn parse(url: &str, key: Option<&Secret>) -> Result<TargetAddress, Problem> {
    TargetAddress::parse(&services::completed(url), key).map_err(|error| Problem::from(&error))
}

/// The reason why a target cannot be used: its server address or its stream key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressFault {
    NoServer,
    /// The server address is not valid.
    Server(Problem),
    /// The server address has no application.
    NoApplication,
    NoKey,
    /// The stream key is not valid.
    Key(Problem),
}

impl AddressFault {
    /// Returns true if the user must edit the stream key, and false for the server address.
    pub fn is_of_key(&self) -> bool {
        matches!(self, Self::NoKey | Self::Key(_))
    }

    /// Returns the text for the field that the user must edit. The text never contains the key.
    pub fn problem(&self) -> Problem {
        match self {
            Self::NoServer => problem!("server-missing"),
            Self::Server(cause) | Self::Key(cause) => cause.clone(),
            Self::NoApplication => problem!("app-missing"),
            Self::NoKey => problem!("key-missing"),
        }
    }
}

/// Returns the reason why a target cannot be used, if any. The server address comes first.
pub fn fault(target: &Target) -> Option<AddressFault> {
    if target.is_built_in() {
        return None;
    }
    let server = services::completed(target.server());
    if server.is_empty() {
        return Some(AddressFault::NoServer);
    }
    let no_key = lacks_key(target, &server);
    // Any key completes the address.
    let error = TargetAddress::parse(&server, Some(&Secret::new("key"))).err();
    let error = error.filter(|error| !matches!(error, AddressError::Key(_)));
    if error.is_none() && no_key {
        return Some(AddressFault::NoKey);
    }
    let error = error.or_else(|| TargetAddress::parse(&server, target.key()).err())?;
    Some(match error {
        AddressError::NoApplication(_) => AddressFault::NoApplication,
        AddressError::NoKey(_) => AddressFault::NoKey,
        AddressError::Key(problem) => AddressFault::Key(problem),
        AddressError::Address(problem) => AddressFault::Server(problem),
    })
}

/// Splits a complete URL into the server's address and the URL, which has the key. A user name and a
/// port stay as they were typed. Returns `None` for other texts.
pub fn split(typed: &str) -> Option<(String, Url)> {
    let url = Url::parse(typed).and_then(Url::require_stream).ok()?;
    let rest = typed.trim().strip_suffix(url.stream.expose());
    let server = rest.and_then(|rest| rest.strip_suffix('/'));
    Some((server.map_or_else(|| url.tc_url(), str::to_owned), url))
}

/// Returns the playback address of the broadcast on the built-in server.
pub(crate) fn play_url(address: SocketAddr) -> String {
    let (app, stream) = OWN_STREAM;
    format!("rtmp://{address}/{app}/{stream}")
}

/// The query parameters of an application that contain no secret.
const PLAIN_PARAMETERS: [&str; 2] = ["vhost", "backup"];

/// Removes the query parameters of a URL that can contain a secret, such as a token.
pub(crate) fn without_tokens(url: &str) -> String {
    let Some((start, query)) = url.split_once('?') else { return url.to_owned() };
    let is_plain = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        PLAIN_PARAMETERS.iter().any(|plain| plain.eq_ignore_ascii_case(name))
    };
    match query.split('&').filter(is_plain).collect::<Vec<_>>().join("&") {
        plain if plain.is_empty() => start.to_owned(),
        plain => format!("{start}?{plain}"),
    }
}

/// Returns the start of an invalid address, up to its host and port. The rest can contain a key, a
/// password or a token.
fn start_of(server: &str) -> String {
    let is_name = |scheme: &str| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let parts = server.split_once("://").filter(|(scheme, _)| is_name(scheme));
    let (scheme, rest) = parts.unwrap_or(("rtmp", ""));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = match authority.rsplit_once('@') {
        Some((_, authority)) => authority,
        // A password can contain an unescaped `/` or `?`.
        None if rest.contains('@') => "",
        None => authority,
    };
    // A key can follow any other character, such as a space or the colon of a port.
    let is_of_host = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    let host_length = |text: &str| text.find(|c: char| !is_of_host(c)).unwrap_or(text.len());
    let bracketed = authority.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let address = bracketed.map(|(it, _)| it).filter(|it| it.parse::<Ipv6Addr>().is_ok());
    let length = address.map_or_else(|| host_length(authority), |it| it.len() + 2);
    let (host, rest) = authority.split_at(length);
    let port = rest.strip_prefix(':').map(|rest| rest.split_at(host_length(rest)).0);
    let port = port.and_then(|port| port.parse::<u16>().ok());
    let port = port.map_or_else(String::new, |port| format!(":{port}"));
    format!("{scheme}://{host}{port}")
}

/// Returns the URL of a custom server for saving, without the password, the tokens of its
/// application, and without the key if the URL contains the key. `apart` means that the URL contains
/// no key, even if no separate key is given. A URL that was already saved stays unchanged.
pub(crate) fn without_key(server: &str, key: &Secret, apart: bool) -> String {
    let server = services::completed(server);
    let address = TargetAddress::parse(&server, None);
    if let Some(saved) = address.as_ref().ok().and_then(|address| address.saved()) {
        return saved;
    }
    if !needs_key(&server) {
        return start_of(&server);
    }
    let url = match key.is_empty() && !apart {
        true => Url::parse(&server),
        // The key itself may be invalid.
        false => Url::with_key(&server, ""),
    };
    let bare = url.map(|url| without_tokens(&url.tc_url()));
    let Ok(bare) = bare else { return start_of(&server) };
    // Without a slash at the end, the last part of a longer path would be read as the key. The
    // slash marks an address without a key.
    let passes = Url::parse(&bare).is_ok_and(|url| !url.stream.is_empty());
    if passes && !bare.contains('?') { bare + "/" } else { bare }
}

/// Returns the secret of a target, which is stored outside the settings. It is the key or, if the
/// URL contains the key, a user and password or a token, the whole URL. If there is also a separate key, it
/// is on a second line.
pub(crate) fn secret_of(target: &Target) -> Option<Secret> {
    let (server, key) = (services::completed(target.server()), target.key());
    if !needs_key(&server) {
        return None;
    }
    let url = match key {
        Some(key) => Url::with_key(&server, key.expose()),
        None if target.key_apart => Url::with_key(&server, ""),
        None => Url::parse(&server),
    };
    let address = TargetAddress::parse(&server, None).ok();
    let has_own_secret = address.is_some_and(|it| it.saved().is_some() && it.has_secret());
    let is_whole = has_own_secret
        || url.is_ok_and(|url| {
            let has_tokens = without_tokens(&url.app) != url.app;
            has_tokens || url.credentials.is_some() || (key.is_none() && !url.stream.is_empty())
        });
    match key {
        Some(key) if is_whole => Some(Secret::new(format!("{server}\n{}", key.expose()))),
        None if is_whole => Some(Secret::new(server.into_owned())),
        key => key.cloned(),
    }
}

/// Adds a stored secret to a target, unless it has a key or was edited in the meantime.
pub(crate) fn add_secret(target: &mut Target, secret: &Secret) {
    let key_apart = target.key_apart;
    let TargetPlace::Custom { server, key } = &mut target.place else { return };
    if !key.is_empty() {
        return;
    }
    let stored = secret.expose();
    let (url, rest) = stored.split_once('\n').unwrap_or((stored, ""));
    if TargetAddress::is_known(url) {
        let rest = Secret::new(rest);
        if without_key(url, &rest, key_apart) == *server {
            url.clone_into(server);
        }
        *key = rest;
    } else {
        *key = secret.clone();
    }
}

/// Returns the name of a target in messages: its name or service, if it has one, and its host.
pub(crate) fn label(
    target: &Target,
    place: &str,
    services: &ServiceList,
    all: &[Target],
) -> String {
    let service = || services.of_target(&target.service, target.server());
    let named = match target.name.trim() {
        "" => service().map(|service| service.name.to_string()),
        name => Some(name.to_owned()),
    };
    let alike = |other: &&Target| {
        let url = parse(other.server(), other.key()).ok();
        other.enabled && other.id != target.id && url.is_some_and(|it| it.authority() == place)
    };
    let numbered = || {
        let at = all.iter().position(|it| it.id == target.id)?;
        let more = place.is_empty() || all.iter().any(|it| alike(&it));
        // The number is the same in every language.
        more.then(|| format!("#{}", at + 1))
    };
    match named.or_else(numbered) {
        Some(name) if place.is_empty() => name,
        Some(name) => format!("{name} ({place})"),
        None => place.to_owned(),
    }
}

/// Returns the name of the message for a kind of trouble.
pub(crate) const fn key(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Settings => "target-settings",
        Trouble::NoSuchHost => "target-no-such-host",
        Trouble::NoNetwork => "target-no-network",
        Trouble::Unreachable => "target-unreachable",
        Trouble::Timeout => "target-timeout",
        Trouble::Certificate => "target-certificate",
        Trouble::NotRtmp => "target-not-rtmp",
        Trouble::Refused | Trouble::NoSuchStream => "target-refused",
        Trouble::Busy => "target-busy",
        Trouble::Silent => "target-silent",
        Trouble::Lost => "target-lost",
        Trouble::Failed | Trouble::Internal => "target-failed",
    }
}

/// Returns the message about a live target that accepts no data; `None` once it accepts data again.
pub(crate) fn stalled(id: u32, host: &str, flow: Flow) -> Option<StudioMessage> {
    let cause = match flow {
        Flow::Through => return None,
        Flow::Silent => Cause::Silent,
        Flow::NoNetwork => Cause::NoNetwork,
    };
    let error = net::Error { stage: ConnectStage::Media, cause, peer: String::new() };
    Some(StudioMessage::Target {
        key: key(error.trouble()),
        id,
        pin: None,
        host: host.to_owned(),
        cause: error.problem(),
        next: Next::Waiting,
    })
}

/// The names of the messages of [`stalled`].
pub(crate) const STALLED_NOTICES: [&str; 2] = [key(Trouble::Silent), key(Trouble::NoNetwork)];

/// Returns the name of the keyring entry with this whole address, if the entry is not loaded yet.
pub(crate) fn kept_name(url: &str) -> Option<&str> {
    url.rsplit_once(KEYRING_ENTRY_SEPARATOR).map(|(_, name)| name).filter(|name| is_name(name))
}

/// Returns the names of all keyring entries in a text.
pub(crate) fn kept_names(text: &str) -> impl Iterator<Item = &str> {
    let after = text.split(KEYRING_ENTRY_SEPARATOR).skip(1);
    after.filter_map(|rest| rest.get(..16)).filter(|name| is_name(name))
}

/// Returns true for sixteen hexadecimal digits, the form of an entry name.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The separator between the displayable part of an address and the name of its keyring entry.
pub(crate) const KEYRING_ENTRY_SEPARATOR: &str = "#kept=";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::targets::Route;

    #[test]
    fn what_is_missing_or_bad_is_named() {
        let of = |server: &str, key: &str| fault(&Target::custom(1, server, Secret::new(key)));
        assert_eq!(fault(&Target::built_in()), None);
        assert_eq!(of("rtmp://live.example.com/app", "key"), None);
        assert_eq!(of("rtmp://live.example.com/app/key", ""), None);
        assert_eq!(of(" ", "key"), Some(AddressFault::NoServer));
        for key in ["", "key", "two words"] {
            for server in ["rtmp://live.example.com", "rtmps://live.example.com/"] {
                assert_eq!(of(server, key), Some(AddressFault::NoApplication), "{server} {key}");
            }
        }
        assert_eq!(of("rtmp://live.example.com/app", " "), Some(AddressFault::NoKey));
        let kick = "rtmps://fa723fc1b171.global-contribute.live-video.net";
        assert_eq!((of(kick, "key"), of(kick, "")), (None, Some(AddressFault::NoKey)));
        let listed = "rtmp://fra05.contribute.live-video.net/app/{stream_key}";
        assert_eq!((of(listed, "key"), of(listed, "")), (None, Some(AddressFault::NoKey)));
        let url = parse(kick, Some(&Secret::new("key"))).unwrap();
        assert_eq!(url.to_string(), format!("{kick}/app/***"));
        let target = Target::custom(1, "rtmp://live.example.com/app/more", Secret::default());
        let apart = Target { key_apart: true, ..target };
        assert_eq!(fault(&apart), Some(AddressFault::NoKey));
        for server in ["live.example.com", "http://a/b", "rtmp:///app", "rtmp://a b/c"] {
            let fault = of(server, "");
            assert!(matches!(fault, Some(AddressFault::Server(_))), "{server}: {fault:?}");
        }
    }

    #[test]
    fn the_route_to_other_servers_does_not_apply_to_the_built_in_one() {
        let route = Route {
            ports: "443".into(),
            proxy: Secret::new("proxy.example:1"),
            bind: "192.0.2.1".into(),
        };
        let mut options = Options::default();
        route.apply(&mut options.net).unwrap();
        let key = Secret::new("key");
        let ingest =
            BuiltInIngest { address: SocketAddr::from(([127, 0, 0, 1], 1_935)), key: &key };
        let target = Target { route, ..Target::built_in() };
        let resolved = resolve(&target, Some(ingest), &options, None).unwrap();
        assert_eq!(resolved.options, Options::default());
        let custom = Target::custom(1, "rtmp://h/app", key);
        assert_eq!(resolve(&custom, None, &options, None).unwrap().options, options);
    }

    #[test]
    fn nothing_secret_of_an_invalid_address_is_saved() {
        let saved = |server: &str, key: &str| without_key(server, &Secret::new(key), false);
        for (server, key, safe) in [
            ("srt://h:9000?streamid=planted&passphrase=planted", "", "srt://h:9000"),
            ("https://h/live/planted", "key", "https://h"),
            ("rtmp://me:planted@h", "key", "rtmp://h"),
            ("rtmp://me:pl/anted@h/app", "", "rtmp://"),
            ("live_planted rtmp://h/app", "", "rtmp://"),
            ("live_planted", "", "rtmp://"),
            ("rtmp://h/app?auth=planted", "two words", "rtmp://h/app"),
            ("rtmp://h", "", "rtmp://h"),
            ("rtmps://a1.example.com sk_us-west-2_planted", "", "rtmps://a1.example.com"),
            ("rtmps://h\u{200B}planted/app", "", "rtmps://h"),
            ("rtmp://h:live_planted/app", "", "rtmp://h"),
            ("rtmp://h:19_planted/app", "", "rtmp://h"),
            ("rtmp://h:1935 planted", "", "rtmp://h:1935"),
            ("rtmp://[planted]/app", "", "rtmp://"),
            ("rtmp://[::1]:1935 planted", "", "rtmp://[::1]:1935"),
        ] {
            assert_eq!(saved(server, key), safe, "{server}");
            assert_eq!(saved(safe, key), safe);
        }
    }

    #[test]
    fn a_complete_url_has_a_server_and_a_key() {
        for (typed, server, key) in [
            (" rtmp://me:pw@h:1935/app/k ", "rtmp://me:pw@h:1935/app", "k"),
            ("rtmps://H/app/k?token=1", "rtmps://H/app", "k?token=1"),
        ] {
            let split = split(typed).map(|(server, url)| (server, url.stream));
            assert_eq!(split, Some((server.to_owned(), Secret::new(key))));
        }
        for typed in ["", "live_123_abc", "rtmp://h/app", "https://h/app/k"] {
            assert!(split(typed).is_none(), "{typed}");
        }
    }

    #[test]
    fn an_address_without_a_key_is_complete_and_saved_whole() {
        let server = "udp://239.1.1.1:5000?ttl=4&localaddr=192.0.2.7";
        let target = Target::custom(1, server, Secret::default());
        // The user may have typed a key for another address before.
        let typed = Target { key_apart: true, ..Target::custom(1, server, "planted key".into()) };
        let apart = Target { key_apart: true, ..target.clone() };
        for target in [target, typed, apart] {
            assert_eq!((fault(&target), secret_of(&target)), (None, None));
            let resolved = resolve(&target, None, &Options::default(), None).unwrap();
            assert_eq!(resolved.url.to_string(), server);
            let key = target.key().cloned().unwrap_or_default();
            assert_eq!(without_key(server, &key, target.key_apart), server);
        }
        let target = Target::custom(1, "udp://h", Secret::default());
        assert!(matches!(fault(&target), Some(AddressFault::Server(_))));
        let bad = without_key("tcp://me:planted@h:1?planted", &Secret::default(), false);
        assert_eq!(bad, "tcp://h:1");
    }

    #[test]
    fn a_bad_key_is_not_missing_and_not_shown() {
        let target = Target::custom(1, "rtmp://live.example.com/app", "planted key".into());
        let fault = fault(&target).unwrap();
        assert!(fault.is_of_key());
        assert_eq!(fault.problem(), "the stream key contains a space");
        assert!(!format!("{fault:?}").contains("planted"), "{fault:?}");
    }
}
