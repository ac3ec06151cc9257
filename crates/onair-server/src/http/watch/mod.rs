//! The viewer page: `/watch/{app}/{stream}`. It is the same for all streams. Its scripts read the names from the
//! address, and the state of the stream from `/{app}/{stream}/state`.

mod code;
pub(super) mod state;

use std::fmt::Write;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};

use crate::server::http::assets::{self, Asset};
use crate::server::http::caller::wants_websocket;
use crate::server::http::hls;
use crate::server::http::path::split;
use crate::server::registry::Registry;

/// The page.
static VIEWER_PAGE: Asset =
    Asset::new("text/html; charset=utf-8", include_bytes!("../../../../../assets/web/watch.html"));

/// The resource of a stream that a path of the viewer page names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WatchResource {
    /// `/watch/{app}/{stream}`: the page.
    Page,
    /// `/{app}/{stream}/state`: the state of the stream.
    State,
    /// `/{app}/{stream}/code.svg`: the address of the page as a QR code.
    Code,
}

/// Returns the application, the stream and the resource of a request for the viewer page, or from
/// its scripts.
pub(super) fn find(request: &Request) -> Option<((String, String), WatchResource)> {
    let asks = matches!(*request.method(), Method::GET | Method::HEAD);
    let path = request.uri().path().strip_prefix('/')?;
    resource(path).filter(|_| asks && !wants_websocket(request.headers()))
}

fn resource(path: &str) -> Option<((String, String), WatchResource)> {
    // An application may be called "watch": its media keep their paths.
    let is_media = path.ends_with(".flv")
        || path.ends_with(".m3u8")
        || path.ends_with(".mpd")
        || path.rsplit_once("/hls/").is_some_and(|(_, file)| hls::is_file(file));
    if let Some(names) = path.strip_prefix("watch/").filter(|_| !is_media).and_then(split) {
        return Some((names, WatchResource::Page));
    }
    let (stream, resource) = match path.strip_suffix("/state") {
        Some(stream) => (stream, WatchResource::State),
        None => (path.strip_suffix("/code.svg")?, WatchResource::Code),
    };
    Some((split(stream)?, resource))
}

/// Returns the ICE servers that need no login, for the configuration of a browser's connection. The others are in the
/// answer to its offer.
pub(super) fn public_ice_servers(registry: &Registry) -> Vec<serde_json::Value> {
    let rules = registry.rules();
    let open = rules.ice_servers.iter().filter(|server| server.login().is_none());
    open.map(|server| serde_json::json!({ "urls": server.url() })).collect()
}

/// Answers a request for the viewer page or one of its files.
pub(super) fn response(
    registry: &Registry,
    headers: &HeaderMap,
    (app, stream): (&str, &str),
    resource: &WatchResource,
    query: &str,
) -> Response {
    match resource {
        WatchResource::Page => page(registry, headers),
        WatchResource::State => state::response(registry, app, stream),
        WatchResource::Code => code::response(headers, app, stream, query),
    }
}

fn page(registry: &Registry, headers: &HeaderMap) -> Response {
    let mut response = assets::response(&VIEWER_PAGE, headers);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let policy = security_policy(host, &registry.access().cors);
    let head = response.headers_mut();
    match HeaderValue::from_str(&policy) {
        Ok(policy) => head.insert(header::CONTENT_SECURITY_POLICY, policy),
        // The page is never sent without its policy.
        Err(_) => return axum::http::StatusCode::BAD_REQUEST.into_response(),
    };
    head.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Returns the Content Security Policy of a page at this host, which pages of these origins may
/// frame. Everything comes from this server, only the page's own scripts run, and scripts create no
/// markup from text (Trusted Types).
fn security_policy(host: Option<&str>, cors: &[String]) -> String {
    let mut connect = "'self'".to_owned();
    // Older browsers do not count WebSockets to the same host as 'self'. A source cannot be an IPv6 address
    // (CSP3 §2.3.1).
    if let Some(host) = host.filter(|host| host.bytes().all(is_of_host)) {
        let _ = write!(connect, " ws://{host} wss://{host}");
    }
    let mut ancestors = "'self'".to_owned();
    for origin in cors.iter().filter(|origin| origin.bytes().all(is_of_origin)) {
        let _ = write!(ancestors, " {origin}");
    }
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
         img-src 'self' data:; media-src 'self' blob:; connect-src {connect}; base-uri 'none'; \
         form-action 'none'; frame-ancestors {ancestors}; require-trusted-types-for 'script'; \
         trusted-types onair"
    )
}

fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-:".contains(&byte)
}

fn is_of_origin(byte: u8) -> bool {
    is_of_host(byte) || b"/*[]".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_the_page_and_what_it_needs() {
        let of = |path: &str| {
            resource(path).map(|((app, stream), resource)| (format!("{app}|{stream}"), resource))
        };
        let page = |names: &str| Some((names.to_owned(), WatchResource::Page));
        assert_eq!(of("watch/live/show"), page("live|show"));
        assert_eq!(of("watch/a/b/c%20d"), page("a/b|c d"));
        assert_eq!(of("watch/live/chat"), page("live|chat"));
        assert_eq!(of("watch/live/state"), page("live|state"));
        assert_eq!(of("live/show/state"), Some(("live|show".to_owned(), WatchResource::State)));
        assert_eq!(of("live/show/code.svg"), Some(("live|show".to_owned(), WatchResource::Code)));
        for other in [
            "watch/live",
            "watch/live/",
            "watch/show.flv",
            "watch/live/show.flv",
            "watch/live/show.m3u8",
            "watch/live/show.mpd",
            "watch/live/show/hls/list.m3u8",
            "live/show",
            "live/state",
            "watch/live/%ff",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn nothing_from_elsewhere_is_let_in() {
        let policy = security_policy(Some("192.0.2.1:8088"), &["https://a.example".to_owned()]);
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("connect-src 'self' ws://192.0.2.1:8088 wss://192.0.2.1:8088;"));
        assert!(policy.contains("frame-ancestors 'self' https://a.example;"), "{policy}");
    }

    #[test]
    fn names_do_not_change_the_policy() {
        let policy = security_policy(Some("a; script-src *"), &["https://b.example; x".to_owned()]);
        assert!(policy.contains("connect-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'self';"), "{policy}");
        let policy = security_policy(Some("[::1]:8088"), &[]);
        assert!(policy.contains("connect-src 'self';"), "{policy}");
    }
}
