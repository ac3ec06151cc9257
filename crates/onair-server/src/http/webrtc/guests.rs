//! The page of a guest and its requests, all below `/guest/{token}`. The token is the right to do all of this, for as
//! long as the guest's place exists.

use std::sync::Arc;

use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::server::access::action::Action;
use crate::server::access::grant::{AdmittedViewer, Grant};
use crate::server::access::login_failures::GuessedSecret;
use crate::server::access::rules::AppLimits;
use crate::server::http::assets::{self, Asset};
use crate::server::http::caller::{Caller, query_pairs};
use crate::server::http::refusals;
use crate::server::http::watch::public_ice_servers;
use crate::server::http::watch::state::ice_server;
use crate::server::http::webrtc::whep::{self, WhepResource};
use crate::server::http::webrtc::whip::{WhipResource, refused, session};
use crate::server::http::webrtc::{SDP_TYPE, arrival, created, let_in, no_session, text};
use crate::server::registry::Registry;
use crate::server::registry::guests::{GUEST_APP, GuestSlot, Guests, MAX_BITRATE, MAX_SIZE};
use crate::server::webrtc::endpoint::Role;
use crate::server::webrtc::whip::session::{AdmittedPublisher, begin};
use crate::text::problem::problem;
use crate::wire::rtmp::stream_name::StreamName;

/// The page.
static GUEST_PAGE: Asset = Asset::new(
    "text/html; charset=utf-8",
    include_bytes!("../../../../../assets/web/guest/guest.html"),
);

/// Maximum length of the value that identifies a browser.
const MAX_SEAT_BYTES: usize = 64;

/// What the page may do: nothing of another server, and only its own scripts.
const SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' \
    data:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// Adds the paths to those of the server, if guests may join.
pub(in crate::http) fn add_to(
    router: Router<Arc<Registry>>,
    registry: &Registry,
) -> Router<Arc<Registry>> {
    if registry.config.guests.is_none() {
        return router;
    }
    router
        .route("/guest/{token}", get(page))
        .route("/guest/{token}/state", get(state))
        .route("/guest/{token}/whip", post(publish))
        .route("/guest/{token}/whip/{session}", delete(change).patch(change))
        .route("/guest/{token}/whep", post(watch))
}

pub(in crate::http) async fn page(headers: HeaderMap) -> Response {
    let mut response = assets::response(&GUEST_PAGE, &headers);
    let head = response.headers_mut();
    head.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(SECURITY_POLICY));
    // The address is a secret.
    head.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    head.insert(
        header::HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static("camera=(self), microphone=(self)"),
    );
    response
}

/// Returns the place of a link. Who tries links must wait after some wrong ones, but a right one always works, because
/// it cannot be guessed.
fn place(
    registry: &Registry,
    caller: &Caller,
    token: &str,
) -> Result<(Arc<Guests>, Arc<GuestSlot>), Box<Response>> {
    let guests = registry.config.guests.as_ref();
    if let Some((guests, place)) = guests.and_then(|it| Some((it, it.of_token(token)?))) {
        return Ok((Arc::clone(guests), place));
    }
    Err(Box::new(invalid_link(registry, caller)))
}

/// Returns the response to somebody who has no link.
pub(in crate::http) fn invalid_link(registry: &Registry, caller: &Caller) -> Response {
    match registry.tries(caller.address.ip(), &GuessedSecret::GuestLink, || false) {
        Err(why) if why.name() == "too-often" => refusals::denied_to(&why, Action::Publish),
        _ => {
            let head = [(header::CACHE_CONTROL, "no-store")];
            (StatusCode::NOT_FOUND, head, "This link is not valid.\n").into_response()
        }
    }
}

/// Returns what the page shows.
async fn state(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    Path(token): Path<String>,
) -> Response {
    let (guests, place) = match place(&registry, &caller, &token) {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let own = registry.config.own_stream.as_ref();
    let own = own.and_then(|own| registry.find(&own.app, &own.stream));
    let (video_height, video_fps) = guests.video_shape();
    let state = json!({
        "state": place.state().name(),
        "present": place.is_present(),
        "program": own.is_some_and(|stream| stream.is_published()),
        "video_bitrate": guests.video_bitrate(),
        "video_height": video_height,
        "video_fps": video_fps,
        "ice_servers": ice_servers(&registry, &caller),
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(state)).into_response()
}

/// Returns the ICE servers for a guest. Across the internet, a guest gets the logins of TURN servers too: the link is the
/// right to use them.
fn ice_servers(registry: &Registry, caller: &Caller) -> Vec<Value> {
    let guests = registry.config.guests.as_ref().filter(|_| caller.meets);
    match guests.and_then(|guests| guests.meeting().borrow().clone()) {
        Some(place) => place.ice_servers().iter().map(ice_server).collect(),
        None => public_ice_servers(registry),
    }
}

/// Takes the camera and the microphone of the guest.
async fn publish(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let place = match place(&registry, &caller, &token) {
        Ok((_, place)) => place,
        Err(response) => return *response,
    };
    let (head, body) = request.into_parts();
    let (mut seat, mut name) = (String::new(), String::new());
    for (key, value) in query_pairs(head.uri.query().unwrap_or_default()) {
        match key {
            "seat" => seat = value.into_owned(),
            "name" => name = value.into_owned(),
            _ => {}
        }
    }
    if seat.is_empty() || seat.len() > MAX_SEAT_BYTES {
        return (StatusCode::BAD_REQUEST, "The request names no browser.\n").into_response();
    }
    if !place.ask(&seat, &name) {
        let why = "Somebody else is using this link now.\n";
        return (StatusCode::CONFLICT, why).into_response();
    }
    let offer = match text(&head.headers, body, SDP_TYPE).await {
        Ok(offer) => offer,
        Err(response) => return *response,
    };
    let limits =
        AppLimits { size: Some(MAX_SIZE), bitrate: Some(MAX_BITRATE), ..AppLimits::default() };
    let publisher = AdmittedPublisher {
        id: registry.next_id(),
        // A guest who returns takes over from the earlier connection.
        name: StreamName {
            app: GUEST_APP.to_owned(),
            stream: place.id.clone(),
            query: format!("seat={seat}"),
        },
        grant: Grant { proven: true, limits, ..Grant::default() },
        welcome: true,
        encoder: "guest".to_owned(),
        guest: Some(place),
    };
    let arrival = arrival(&caller, &head.headers);
    match begin(&registry, &offer, (caller.address, arrival), publisher) {
        Ok(begun) => {
            let_in(&registry, &caller, Role::Publisher, &begun.resource, &offer);
            let location = format!("/guest/{token}/whip/{}", begun.resource);
            created(&registry, &location, &begun.tag, begun.answer)
        }
        Err(why) => refused(&why),
    }
}

/// Ends the guest's connection, or restarts its ICE.
async fn change(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    Path((token, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    match place(&registry, &caller, &token) {
        Ok(_) => session(&registry, WhipResource::Session(id), request).await,
        Err(response) => *response,
    }
}

/// Shows the program to the guest.
async fn watch(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let place = match place(&registry, &caller, &token) {
        Ok((_, place)) => place,
        Err(response) => return *response,
    };
    let Some(own) = &registry.config.own_stream else { return no_session() };
    let expelled = registry.expulsions();
    let viewer = AdmittedViewer { id: registry.next_id(), done: None, expelled };
    let (id, names) = (viewer.id, (own.app.as_str(), own.stream.as_str()));
    let client = (&caller, viewer);
    let response = whep::response(&registry, client, names, WhepResource::Endpoint, request).await;
    if response.status() == StatusCode::CREATED {
        let registry = Arc::downgrade(&registry);
        place.set_viewer(id, move || {
            if let Some(registry) = registry.upgrade() {
                registry.webrtc.end_viewers(|it| it == id, &problem!("left-guest-removed"));
            }
        });
    }
    response
}
