//! The server's side: studios that connect, and requests of guests that are passed on to them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::connect_info::ConnectInfo;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::base::secret::is_same_secret;
use crate::server::access::action::Action;
use crate::server::access::admission::Purpose;
use crate::server::access::login_failures::GuessedSecret;
use crate::server::http::caller::Caller;
use crate::server::http::refusals;
use crate::server::http::webrtc::meeting::message::{
    IceServerEntry, MAX_MESSAGE_BYTES, PASSED_HEADERS, Question, Reply, SILENCE_LIMIT, ToServer,
    ToStudio, text,
};
use crate::server::http::webrtc::{guests, short_text};
use crate::server::registry::Registry;
use crate::server::registry::meeting::{
    GuestAnswer, GuestRequest, MAX_LINKS, Meeting, NoStudio, StudioSeat,
};

/// Interval between pings, with which both sides notice a lost connection.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// Time limit for the answer of a studio. The page waits a little longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(7);
/// Seconds after which a new attempt of a page is useful.
const RETRY_SECONDS: &str = "2";
/// The types of a studio's answer that reach the guest. None of them is shown as a page.
const PASSED_TYPES: [&str; 4] =
    ["application/sdp", "application/trickle-ice-sdpfrag", "application/json", "text/plain"];

/// Adds the paths to those of the server, if guests and studios meet here.
pub(in crate::http) fn add_to(
    router: Router<Arc<Registry>>,
    registry: &Registry,
) -> Router<Arc<Registry>> {
    if registry.config.meeting.is_none() {
        return router;
    }
    router
        .route("/meet", get(enter))
        .route("/guest/{token}", get(guests::page))
        .route("/guest/{token}/state", get(pass_on))
        .route("/guest/{token}/whip", post(pass_on))
        .route("/guest/{token}/whip/{session}", delete(pass_on).patch(pass_on))
        .route("/guest/{token}/whep", post(pass_on))
}

/// Lets a studio in that knows the key.
async fn enter(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let Some(meeting) = registry.config.meeting.clone() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|it| it.strip_prefix("Bearer ")).unwrap_or_default().trim();
    let is_right = || is_same_secret(meeting.key().expose().as_bytes(), given.as_bytes());
    let address = caller.address.ip();
    if let Err(why) = registry.tries(address, &GuessedSecret::MeetingKey, is_right) {
        return match why.name() {
            "too-often" => refusals::denied_to(&why, Action::Publish),
            _ => (StatusCode::UNAUTHORIZED, "The key of the meeting is wrong.\n").into_response(),
        };
    }
    if !registry.admission.settle(&caller.spot, Purpose::Play) {
        return (StatusCode::SERVICE_UNAVAILABLE, "The server is full.\n").into_response();
    }
    tracing::info!(peer = %caller.address, "a studio waits for its guests");
    upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| async move { host(socket, &meeting, &registry).await })
}

/// Serves a studio until either side ends.
async fn host(mut socket: WebSocket, meeting: &Meeting, registry: &Registry) {
    let Some(mut seat) = meeting.enter() else { return };
    let endpoint = registry.webrtc.endpoint();
    let port = endpoint.and_then(|endpoint| endpoint.open_port());
    let ice_servers = registry.rules().ice_servers.iter().map(IceServerEntry::from).collect();
    if socket.send(message(&ToStudio::Welcome { webrtc_port: port, ice_servers })).await.is_err() {
        return;
    }
    let mut ping = interval(PING_INTERVAL);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut waiting = HashMap::new();
    let (mut count, mut last) = (0_u64, Instant::now());
    loop {
        let next = tokio::select! {
            () = registry.stopped() => Message::Close(None),
            _ = ping.tick() => {
                waiting.retain(|_, answer: &mut oneshot::Sender<GuestAnswer>| !answer.is_closed());
                if last.elapsed() >= SILENCE_LIMIT {
                    return;
                }
                Message::Ping(Bytes::new())
            }
            asked = seat.requests.recv() => {
                let Some(request) = asked else { return };
                count += 1;
                question(request, count, &mut waiting)
            }
            received = socket.recv() => {
                last = Instant::now();
                match received {
                    Some(Ok(Message::Text(json))) => {
                        if !take(&json, &seat, &mut waiting) {
                            return;
                        }
                        continue;
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    Some(Ok(_)) => continue,
                }
            }
        };
        let is_last = matches!(next, Message::Close(_));
        let sent = timeout(SILENCE_LIMIT, socket.send(next)).await;
        if is_last || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

/// Returns the message for a request, whose answer is awaited under this number.
fn question(
    request: GuestRequest,
    id: u64,
    waiting: &mut HashMap<u64, oneshot::Sender<GuestAnswer>>,
) -> Message {
    let GuestRequest { method, path, content_type, if_match, body, from, answer } = request;
    waiting.insert(id, answer);
    message(&ToStudio::Ask(Question { id, method, path, content_type, if_match, body, from }))
}

/// Takes a message of a studio. Returns false if the studio leaves or does not follow the rules.
fn take(
    json: &str,
    seat: &StudioSeat<'_>,
    waiting: &mut HashMap<u64, oneshot::Sender<GuestAnswer>>,
) -> bool {
    match serde_json::from_str(json) {
        Ok(ToServer::Links(links)) if links.len() <= MAX_LINKS => {
            seat.set_links(&links, Instant::now());
            true
        }
        Ok(ToServer::Answer(Reply { id, status, headers, body })) => {
            if let Some(answer) = waiting.remove(&id) {
                let headers = headers.into_iter().collect();
                // The guest may not wait any more.
                let _ = answer.send(GuestAnswer { status, headers, body });
            }
            true
        }
        Ok(ToServer::Bye) => {
            seat.set_links(&[], Instant::now());
            false
        }
        Ok(ToServer::Links(_)) | Err(_) => false,
    }
}

fn message(message: &ToStudio) -> Message {
    Message::Text(Utf8Bytes::from(text(message)))
}

/// Passes a request of a guest on to the studio.
async fn pass_on(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    Path(parts): Path<BTreeMap<String, String>>,
    request: Request,
) -> Response {
    let token = parts.get("token").map(String::as_str).unwrap_or_default();
    let Some(meeting) = &registry.config.meeting else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let studio = match meeting.studio(token, Instant::now()) {
        Ok(studio) => studio,
        Err(NoStudio::Unknown) => return guests::invalid_link(&registry, &caller),
        Err(NoStudio::Away) => return away(),
        Err(NoStudio::Busy) => return busy(),
    };
    let (head, body) = request.into_parts();
    let body = match short_text(body).await {
        Ok(body) => body,
        Err(response) => return *response,
    };
    let field = |name: HeaderName| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (answer, answered) = oneshot::channel();
    let request = GuestRequest {
        method: head.method.to_string(),
        path: head.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        content_type: field(header::CONTENT_TYPE),
        if_match: field(header::IF_MATCH),
        body,
        from: caller.address.to_string(),
        answer,
    };
    if studio.try_send(request).is_err() {
        return busy();
    }
    match timeout(ANSWER_TIMEOUT, answered).await {
        Ok(Ok(answer)) => passed(answer),
        Ok(Err(_)) | Err(_) => away(),
    }
}

/// Returns the answer of a studio, without anything that a browser would show as a page.
fn passed(answer: GuestAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).ok();
    // A page follows redirects, and 1xx is no answer.
    let status =
        status.filter(|it| it.is_success() || it.is_client_error() || it.is_server_error());
    let mut response = (status.unwrap_or(StatusCode::BAD_GATEWAY), answer.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in answer.headers {
        let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value))
        else {
            continue;
        };
        let kind = || value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
        let is_passed = PASSED_HEADERS.contains(&name.as_str())
            && (name != header::CONTENT_TYPE || PASSED_TYPES.contains(&kind().trim()));
        if is_passed {
            headers.insert(name, value);
        }
    }
    response
}

fn away() -> Response {
    let head = [(header::RETRY_AFTER, RETRY_SECONDS), (header::CACHE_CONTROL, "no-store")];
    let why = "The studio is not connected now.\n";
    (StatusCode::SERVICE_UNAVAILABLE, head, why).into_response()
}

fn busy() -> Response {
    let head = [(header::RETRY_AFTER, RETRY_SECONDS), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::SERVICE_UNAVAILABLE, head, "Too many requests for this link.\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_a_studio_is_never_shown_as_a_page() {
        let of = |status: u16, headers: &[(&str, &str)]| {
            let headers =
                headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            passed(GuestAnswer { status, headers, body: "<script>".into() })
        };
        let kind = |response: &Response| response.headers()[header::CONTENT_TYPE].clone();
        let page = of(200, &[("content-type", "text/html"), ("set-cookie", "a=b")]);
        assert_eq!(kind(&page), "text/plain; charset=utf-8");
        assert!(!page.headers().contains_key("set-cookie"));
        let answer = of(201, &[("content-type", "application/sdp"), ("location", "/guest/a/b")]);
        assert_eq!(
            (kind(&answer), answer.headers()["location"].clone()),
            (HeaderValue::from_static("application/sdp"), HeaderValue::from_static("/guest/a/b"))
        );
        for status in [0, 101, 302, 99, 9_999] {
            assert_eq!(of(status, &[("location", "https://evil.example")]).status(), 502);
        }
    }
}
