//! HTTP clients: the data, the credentials and the access of each request.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use data_encoding::BASE64;
use url::form_urlencoded;

use crate::base::Secret;
use crate::server::access::action::Action;
use crate::server::access::admission::Spot;
use crate::server::access::callback::calls::DoneCall;
use crate::server::access::callback::visit::{Call, ClientDetails, Visit};
use crate::server::access::denied::Denied;
use crate::server::access::pass::{PassScope, Proof};
use crate::server::http::hls::slot::DecisionGuard;
use crate::server::recordings::opened::VOD_APP;
use crate::server::registry::Registry;
use crate::server::registry::gate::{self, AccessRequest};

/// The credentials with which a client plays a stream.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    /// A key or token: `?key=…`, `?token=…`, or `Authorization: Bearer …`.
    pub secret: Option<Secret>,
    /// A user name and password: `Authorization: Basic …`, or `Bearer USER:PASSWORD` as in MediaMTX.
    pub login: Option<(String, Secret)>,
    /// The pass of an address in an HLS playlist: `?pass=…`.
    pub pass: Option<String>,
}

impl Credentials {
    pub fn of(request: &Request) -> Self {
        let mut credentials = Self::default();
        let query = request.uri().query().unwrap_or_default();
        for (name, value) in query_pairs(query) {
            match name {
                "key" | "token" if !value.is_empty() => {
                    credentials.secret.get_or_insert_with(|| Secret::from_client(&*value));
                }
                "pass" => credentials.pass = Some(value.into_owned()),
                _ => {}
            }
        }
        let header = request.headers().get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
        credentials.login = header.and_then(login);
        let bearer = header.and_then(|it| it.strip_prefix("Bearer "));
        let bearer = bearer.map(str::trim).filter(|it| !it.is_empty());
        credentials.secret = credentials.secret.or(bearer.map(Secret::from_client));
        credentials
    }
}

/// Returns the user name and the password in an `Authorization` header.
fn login(header: &str) -> Option<(String, Secret)> {
    let (scheme, rest) = header.split_once(' ')?;
    let rest = rest.trim();
    let pair = match scheme.to_ascii_lowercase().as_str() {
        "basic" => String::from_utf8(BASE64.decode(rest.as_bytes()).ok()?).ok()?,
        "bearer" => rest.to_owned(),
        _ => return None,
    };
    let (user, password) = pair.split_once(':')?;
    Some((user.to_owned(), Secret::from_client(password)))
}

/// Returns the names and values in a query. Only the values are decoded: caches recognize secrets by names that they
/// read without decoding, and must not store the response to a secret that only onair recognizes.
pub(super) fn query_pairs(query: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    query.split('&').filter_map(|pair| {
        let (name, _) = pair.split_once('=')?;
        let (_, value) = form_urlencoded::parse(pair.as_bytes()).next()?;
        Some((name, value))
    })
}

/// Returns true for a WebSocket request. Some clients offer other protocols in `Upgrade`, such as HTTP/2 (`h2c`), which
/// the server ignores (RFC 9110, 7.8).
pub(super) fn wants_websocket(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(header::UPGRADE).iter();
    let mut protocols = fields.filter_map(|field| field.to_str().ok()).flat_map(|it| it.split(','));
    protocols.any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
}

/// Returns the details that a client reports about itself in a request, in RTMP terms.
pub(super) fn client_details(request: &Request, app: &str, is_secure: bool) -> ClientDetails {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let text = |name| text(name).unwrap_or_default().to_owned();
    ClientDetails {
        client_software: text(header::USER_AGENT),
        swf_url: String::new(),
        tc_url: format!(
            "{}://{}/{app}",
            if is_secure { "https" } else { "http" },
            text(header::HOST)
        ),
        page_url: text(header::REFERER),
    }
}

/// The client of a request.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub address: SocketAddr,
    pub spot: Arc<Spot>,
    /// The local address of the connection.
    pub local: Option<IpAddr>,
    /// True if the connection is encrypted.
    pub is_secure: bool,
    /// True for a guest whose request came through a server at which guests and studio meet.
    pub meets: bool,
}

/// The result for a client that may play.
pub(super) struct ViewerEntry {
    /// The pass for the addresses in playlists, if they need one.
    pub pass: Option<String>,
    /// When dropped, reports that the viewer has finished.
    pub done: Option<Box<DoneCall>>,
    /// The name of the stream, if a callback changed it.
    pub renamed: Option<String>,
}

/// Checks that a client may play. A valid pass is enough. `recording` is the name of the recording if the client plays
/// one of the stream.
pub(super) async fn access(
    (registry, spot): (&Arc<Registry>, &Arc<Spot>),
    visit: Visit,
    call: Option<Call>,
    (pass, recording): (Option<String>, Option<&str>),
) -> Result<ViewerEntry, Denied> {
    let recording = recording.map(|name| (VOD_APP, name));
    let opens = |pass: &String| {
        let stream = (visit.app.as_str(), visit.stream.as_str());
        let mut names = [Some(stream), recording].into_iter().flatten();
        names.any(|names| gate::admits_pass(registry, pass, &visit, names))
    };
    if let Some(pass) = pass.filter(opens) {
        let access = registry.access();
        let callbacks = access.callbacks(&visit.app);
        let done =
            call.zip(callbacks).and_then(|(call, it)| DoneCall::returning(it, &visit, &call));
        return Ok(ViewerEntry { pass: Some(pass), done: done.map(Box::new), renamed: None });
    }
    // The receiver of a callback may take as long as a whole request.
    let is_slow = call.is_some() && registry.access().callbacks(&visit.app).is_some();
    let _deciding = is_slow.then(|| DecisionGuard::new(spot));
    let Visit { app, stream, secret, .. } = visit.clone();
    let request = AccessRequest { action: Action::Play, visit, call };
    let grant = gate::check(Arc::clone(registry), request).await?;
    let (app, stream) = match (&grant.renamed, recording) {
        // A pass for the old name would open the live stream that the callback replaces.
        (Some(_), Some(recording)) => recording,
        (Some(renamed), None) => (app.as_str(), renamed.as_str()),
        (None, _) => (app.as_str(), stream.as_str()),
    };
    let proof = match (&grant.signer, &secret) {
        (Some(signer), _) => Proof::Token(signer),
        (None, Some(key)) if grant.proven => Proof::Key(key),
        (None, _) => Proof::Callback,
    };
    let scope = PassScope { app, stream, networks: &grant.networks, proof };
    let (now, end) = (registry.unix_seconds(), grant.ends.unwrap_or(u64::MAX));
    // Without a pass, each request of an HLS viewer would be another visit.
    let pass =
        (grant.proven || grant.followed).then(|| registry.passes.issue_until(scope, now, end));
    // All viewers had to leave in the meantime, so a new pass must not open the stream again.
    if pass.is_some() && grant.expelled != registry.expulsions() {
        return Err(Denied::WrongSecret);
    }
    Ok(ViewerEntry { pass, done: grant.done, renamed: grant.renamed })
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::Duration;

    use super::*;
    use crate::net::Runtime;
    use crate::net::web::WebUrl;
    use crate::server::access::callback::exchange::samples;
    use crate::server::access::callback::{CallKind, CallbackRules, Dialect};
    use crate::server::registry::config::Config;
    use crate::server::webrtc::whep::session::tests::start_registry;

    #[test]
    fn a_viewer_whose_end_alone_is_reported_is_one_visit() {
        let runtime = Runtime::start().unwrap();
        let url = WebUrl::parse("http://127.0.0.1:9/done").unwrap();
        let mut config = Config::default();
        config.access.others.callbacks = Some(CallbackRules {
            dialect: Dialect::Nginx,
            urls: [(CallKind::PlayDone, url)].into(),
            timeout: CallbackRules::DEFAULT_TIMEOUT,
            accepts_without_answer: false,
        });
        let (registry, _events) = start_registry(&runtime, config);
        let place = registry.admit("127.0.0.1:5".parse().unwrap()).unwrap();
        let visit = |pass| {
            let client = (&registry, place.spot());
            let asked = access(client, samples::visit(), Some(Call::play()), (pass, None));
            runtime.block_on(asked).unwrap()
        };
        let is_notified = || !runtime.block_on(registry.finished(Duration::ZERO));
        let first = visit(None);
        assert!(first.done.is_some());
        let pass = first.pass.unwrap();
        drop(visit(Some(pass.clone())));
        assert!(!is_notified(), "a reload of the playlist");
        let mut returned = visit(Some(pass)).done.unwrap();
        returned.begin();
        drop(returned);
        assert!(is_notified());
    }

    #[test]
    fn a_client_that_waits_for_a_callback_takes_no_slot_of_a_player() {
        let runtime = Runtime::start().unwrap();
        // The receiver does not answer.
        let receiver = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/play", receiver.local_addr().unwrap());
        let mut config = Config::default();
        config.access.others.callbacks = Some(CallbackRules {
            dialect: Dialect::Nginx,
            urls: [(CallKind::Play, WebUrl::parse(&url).unwrap())].into(),
            timeout: CallbackRules::DEFAULT_TIMEOUT,
            accepts_without_answer: false,
        });
        let (registry, _events) = start_registry(&runtime, config);
        let place = registry.admit("127.0.0.1:5".parse().unwrap()).unwrap();
        let spot = place.spot();
        let asked = access((&registry, spot), samples::visit(), Some(Call::play()), (None, None));
        runtime.block_on(async {
            let mut asked = Box::pin(asked);
            let waits = poll_fn(|cx| Poll::Ready(asked.as_mut().poll(cx).is_pending())).await;
            assert!(waits && spot.is_deciding() && !spot.is_settled());
        });
        assert!(!spot.is_deciding());
    }

    #[test]
    fn a_login_is_in_the_header() {
        let of = |header: &str| {
            let request = Request::builder().header(header::AUTHORIZATION, header);
            let read = Credentials::of(&request.body(axum::body::Body::empty()).unwrap());
            read.login.map(|(user, password)| format!("{user} {}", password.expose()))
        };
        assert_eq!(of("Basic bWU6cHc6Mg=="), Some("me pw:2".to_owned()));
        assert_eq!(of("Bearer me:pw"), Some("me pw".to_owned()));
        for other in ["Bearer a.b.c", "Basic bWU=", "Basic ?", "Digest me:pw", "Basic"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn a_secret_counts_only_under_a_name_that_caches_recognize() {
        let of = |query: &str| {
            let request = Request::builder().uri(format!("http://a.example/live/show?{query}"));
            let read = Credentials::of(&request.body(axum::body::Body::empty()).unwrap());
            (read.secret.map(|it| it.expose().to_owned()), read.pass)
        };
        assert_eq!(of("key=a%2Db&pass=c"), (Some("a-b".into()), Some("c".into())));
        assert_eq!(of("x=1&token=t"), (Some("t".into()), None));
        assert_eq!(of("%6bey=a&%70ass=c&key="), (None, None));
    }
}
