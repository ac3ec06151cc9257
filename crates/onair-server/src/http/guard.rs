//! Access control: checks every request first. A request for another host name comes from a page
//! that exploits DNS rebinding, and a request with another origin comes from an unrelated page.
//! Changes also need the token. A connection ends with a refused upgrade. Browsers must not guess the
//! type of any response.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::base::secret::is_same_secret;
use crate::server::access::denied::{Denied, too_often};
use crate::server::access::login_failures::GuessedSecret;
use crate::server::access::proxies::ProxyRules;
use crate::server::event::Refusal;
use crate::server::http::caller::Caller;
use crate::server::registry::Registry;
use crate::text::problem::problem;
use crate::wire::http::{is_known_host, is_loopback_host, is_same_origin};

/// The types of bodies that a path accepts (W3C Linked Data Platform §7.1).
const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");

/// Methods that at least one path supports.
const ALLOWED_METHODS: &str = "GET, HEAD, OPTIONS, POST, PATCH, DELETE";

/// Advice that names the file with the token.
const TOKEN_CURE: &str = "take it from the file that onair named when it started";

/// Checks a request, and declares in the response which pages may read it.
pub(super) async fn check(
    State(registry): State<Arc<Registry>>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_upgrade = request.headers().contains_key(header::UPGRADE);
    let mut response = match name_host(&mut request) {
        Err(why) => (StatusCode::BAD_REQUEST, why).into_response(),
        Ok(()) => match to_https(&registry, &request) {
            Some(moved) => moved,
            None => guarded(&registry, request, next).await,
        },
    };
    let nosniff = HeaderValue::from_static("nosniff");
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    // After a request for an upgrade, some proxies pass on everything unread. Further requests would
    // then come from the proxy's address without the headers of a proxy.
    if is_upgrade && response.status() != StatusCode::SWITCHING_PROTOCOLS {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Answers a request that names one host, over the protocol that the server wants.
async fn guarded(registry: &Registry, mut request: Request, next: Next) -> Response {
    let access = registry.access();
    name_client(&access.rules.proxies, &mut request);
    let allowed = allowed_origin(&access.cors, request.headers());
    let mut response = answer(registry, allowed.is_some(), request, next).await;
    declare(response.headers_mut(), &access.cors, allowed);
    response
}

/// Paths that programs on this computer check, which stay on HTTP.
const PLAIN_PATHS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Below this path, an authority checks over HTTP that the server has its domain.
const CHALLENGE_PATH: &str = "/.well-known/acme-challenge/";

/// Returns the redirect of a request over plain HTTP, if the server redirects to HTTPS. The method stays (RFC 9110
/// §15.4.9).
fn to_https(registry: &Registry, request: &Request) -> Option<Response> {
    let port = *registry.redirect_to.get()?;
    let ConnectInfo(caller) = request.extensions().get::<ConnectInfo<Caller>>()?;
    let host = text(request.headers(), header::HOST);
    let path = request.uri().path();
    let is_plain = PLAIN_PATHS.contains(&path) || path.starts_with(CHALLENGE_PATH);
    if caller.is_secure || is_plain || !is_known_host(host, &registry.access().http_names) {
        return None;
    }
    let at = location(host?, port, request.uri().path_and_query()?.as_str());
    Some((StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, at)]).into_response())
}

/// Returns an address of HTTPS on the same host.
fn location(host: &str, port: u16, path: &str) -> String {
    // The colons of an IPv6 address are in brackets.
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    };
    match port {
        443 => format!("https://{name}{path}"),
        port => format!("https://{name}:{port}{path}"),
    }
}

/// Declares which pages may read a response.
fn declare(headers: &mut HeaderMap, cors: &[String], allowed: Option<HeaderValue>) {
    // If the response is the same for all origins, caches do not have to distinguish them. Otherwise, a
    // response to a request without an origin must not serve a page of an allowed one.
    if !cors.is_empty() && cors.iter().all(|allowed| allowed != "*") {
        headers.insert(header::VARY, HeaderValue::from_static("origin"));
    }
    let Some(origin) = allowed else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    let more = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, range, content-type, if-match"),
        // The age of a playlist tells a low-latency player how much of the stream the playlist
        // lacks.
        (
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "accept-patch, accept-post, age, date, etag, link, location",
        ),
    ];
    for (name, value) in more {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Replaces `Host` with the host of an absolute URI, which counts instead (RFC 9112, 3.2.2).
///
/// # Errors
/// Fails if the request has several hosts, because a proxy may have checked another one than the server.
fn name_host(request: &mut Request) -> Result<(), &'static str> {
    if request.headers().get_all(header::HOST).iter().nth(1).is_some() {
        return Err("The request has more than one Host header.\n");
    }
    let Some(authority) = request.uri().authority() else { return Ok(()) };
    let host = Some(authority.as_str()).filter(|host| !host.contains('@'));
    let host = host.and_then(|host| HeaderValue::from_str(host).ok());
    let host = host.ok_or("The URI of the request has no valid host.\n")?;
    request.headers_mut().insert(header::HOST, host);
    Ok(())
}

/// Replaces the address of a trusted proxy with that of its client.
fn name_client(proxies: &ProxyRules, request: &mut Request) {
    let Some(ConnectInfo(caller)) = request.extensions().get::<ConnectInfo<Caller>>() else {
        return;
    };
    let peer = caller.address.ip();
    if !proxies.is_trusted(peer) {
        return;
    }
    let values = request.headers().get_all(proxies.header.name()).iter();
    // A value that is not text hides the values before it.
    let client = proxies.client(peer, values.map(|value| value.to_str().unwrap_or("?")));
    if let Some(ConnectInfo(caller)) = request.extensions_mut().get_mut::<ConnectInfo<Caller>>() {
        caller.address.set_ip(client);
    }
}

/// Passes on a request, unless it names an unknown host or comes from a page that is not allowed.
async fn answer(registry: &Registry, allowed: bool, request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !is_known_host(text(headers, header::HOST), &registry.access().http_names) {
        let why = "This server has no such host name. Add it to the setting `name`.\n";
        return (StatusCode::MISDIRECTED_REQUEST, why).into_response();
    }
    if !(allowed || is_of_here(headers) && is_asked_for(headers)) {
        let why = "Pages of this origin have no access. Add the origin to the setting `cors`.\n";
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    match *request.method() {
        Method::OPTIONS => {
            let path = request.uri().path();
            let takes_offers = path.ends_with("/whep") || path.ends_with("/whip");
            // These endpoints name the type of their offers (draft-ietf-wish-whep; RFC 9725).
            let mut response =
                (StatusCode::NO_CONTENT, [(header::ALLOW, ALLOWED_METHODS)]).into_response();
            if takes_offers {
                let kind = HeaderValue::from_static("application/sdp");
                response.headers_mut().insert(ACCEPT_POST, kind);
            }
            response
        }
        _ => next.run(request).await,
    }
}

/// Returns the allowed origin for the response.
fn allowed_origin(cors: &[String], headers: &HeaderMap) -> Option<HeaderValue> {
    if cors.iter().any(|allowed| allowed == "*") {
        return Some(HeaderValue::from_static("*"));
    }
    let origin = headers.get(header::ORIGIN)?;
    cors.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
}

/// Returns true unless a page of another site embeds the requested resource (Fetch Metadata).
/// Requests for frames, videos and similar resources have no origin. Following a link is allowed.
fn is_asked_for(headers: &HeaderMap) -> bool {
    text(headers, HeaderName::from_static("sec-fetch-site")) != Some("cross-site")
        || text(headers, HeaderName::from_static("sec-fetch-mode")) == Some("navigate")
}

/// Returns true if the request comes from no page, or from a page of this server.
pub(super) fn is_of_here(headers: &HeaderMap) -> bool {
    is_same_origin(text(headers, header::ORIGIN), text(headers, header::HOST))
}

/// Returns true if the request comes from no page, from a page of this server, or from an allowed
/// origin.
pub(super) fn is_trusted(cors: &[String], headers: &HeaderMap) -> bool {
    is_of_here(headers)
        || headers.get(header::ORIGIN).is_some_and(|origin| {
            cors.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes())
        })
}

/// Headers of a proxy, which forwards requests of other computers.
const PROXY_HEADERS: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Returns true if the request comes from a program or page on this computer: from a loopback address,
/// with a loopback host name, not through a proxy, and not from a page of another site, unless that site
/// is trusted.
pub(super) fn is_local(registry: &Registry, caller: &Caller, headers: &HeaderMap) -> bool {
    caller.address.ip().to_canonical().is_loopback()
        && is_loopback_host(text(headers, header::HOST))
        && is_trusted(&registry.access().cors, headers)
        && !PROXY_HEADERS.iter().any(|name| headers.contains_key(*name))
}

/// Returns true if a request has the server's token. A wrong token may be a key to the stream, so it does
/// not count as a failed attempt; the token cannot be guessed.
pub(super) fn has_token(registry: &Registry, headers: &HeaderMap) -> bool {
    let access = registry.access();
    let Some(token) = &access.http_token else { return false };
    let given = bearer(headers);
    given.is_some_and(|given| is_same_secret(token.expose().as_bytes(), given.as_bytes()))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let given = text(headers, header::AUTHORIZATION)?.strip_prefix("Bearer ")?;
    Some(given.trim())
}

/// Checks the token.
pub(super) fn authorize(
    registry: &Registry,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<(), (StatusCode, String)> {
    let access = registry.access();
    let Some(token) = &access.http_token else {
        return Err((StatusCode::FORBIDDEN, "this server has no token".to_owned()));
    };
    let Some(given) = bearer(headers) else {
        return Err((
            StatusCode::UNAUTHORIZED,
            format!("this needs the server's token: {TOKEN_CURE}"),
        ));
    };
    // Tokens cannot be guessed, so a correct one is accepted even during the wait after wrong
    // attempts.
    if is_same_secret(token.expose().as_bytes(), given.as_bytes()) {
        return Ok(());
    }
    let tried = registry.tries(caller.address.ip(), &GuessedSecret::ServerToken, || false);
    tried.map_err(|refused| {
        let (cause, why, status, text) = match refused {
            Denied::TooOften(wait) => {
                let why = too_often("tokens", wait);
                let text = why.to_string();
                ("too-often", why, StatusCode::TOO_MANY_REQUESTS, text)
            }
            _ => {
                let why = problem!("denied-wrong-token");
                let text = format!("{why}: {TOKEN_CURE}");
                ("wrong-token", why, StatusCode::UNAUTHORIZED, text)
            }
        };
        registry.reporter.refuse(Refusal::early(caller.address.ip(), "operate", (cause, why)));
        (status, text)
    })
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).map(|value| value.to_str().unwrap_or("?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_names_the_same_host_with_the_port_of_https() {
        assert_eq!(location("a.example", 443, "/x?y=1"), "https://a.example/x?y=1");
        assert_eq!(location("a.example:8088", 8443, "/"), "https://a.example:8443/");
        assert_eq!(location("[::1]", 8443, "/"), "https://[::1]:8443/");
        assert_eq!(location("[::1]:8088", 443, "/"), "https://[::1]/");
    }

    #[test]
    fn caches_distinguish_origins_unless_all_get_the_same() {
        let declared = |cors: &[&str], origin: Option<&'static str>| {
            let cors: Vec<_> = cors.iter().map(|it| (*it).to_owned()).collect();
            let mut request = HeaderMap::new();
            if let Some(origin) = origin {
                request.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            let mut response = HeaderMap::new();
            declare(&mut response, &cors, allowed_origin(&cors, &request));
            let has = |name: HeaderName| response.contains_key(name);
            (has(header::VARY), has(header::ACCESS_CONTROL_ALLOW_ORIGIN))
        };
        let page = "https://a.example";
        assert_eq!(declared(&[page], Some(page)), (true, true));
        // A cache would give these responses to the page.
        assert_eq!(declared(&[page], None), (true, false));
        assert_eq!(declared(&[page], Some("https://b.example")), (true, false));
        assert_eq!(declared(&["*"], None), (false, true));
        assert_eq!(declared(&[], None), (false, false));
    }
}
