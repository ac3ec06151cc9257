//! The public state of a stream, for the viewer page: no addresses, no names of viewers.

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::base::Clock;
use crate::server::access::action::Action;
use crate::server::event::StreamFigures;
use crate::server::hls::Mode;
use crate::server::registry::Registry;
use crate::server::registry::ice_server::{IceLogin, IceServer};

/// Returns the state as JSON. A stream that nobody publishes has a state too. A stream that has moved is not live here.
pub(super) fn response(registry: &Registry, app: &str, stream: &str) -> Response {
    let here = registry.find(app, stream).filter(|_| registry.moved_to(app, stream).is_none());
    let figures = here.map(|stream| registry.figures_of(&stream, registry.clock.now()));
    let protocols = protocols(registry.webrtc.endpoint().is_some(), registry.config.hls.mode);
    // The page measures the latency of HLS by the clock of the times in the playlists.
    let now = Clock::system_micros();
    // Only while the stream is live. Otherwise, in an application without access rules, any
    // stream name would reveal the logins.
    let is_live = figures.as_ref().is_some_and(|figures| figures.publisher.is_some());
    let rules = registry.rules();
    // A callback is asked only when the viewer plays. Those whom it admits get the logins with
    // the answer to their offer.
    let has_logins = !registry.access().rules.of(app).is_asked(Action::Play);
    let may_have = |server: &&IceServer| is_live && (has_logins || server.login().is_none());
    let ice: Vec<_> = rules.ice_servers.iter().filter(may_have).map(ice_server).collect();
    let renditions = figures.as_ref().map(|figures| renditions(registry, figures));
    let of_server = json!({
        "renditions": renditions.unwrap_or_default(),
        "on_demand": registry.relays.demand_rule(app, stream).is_some(),
        "protocols": protocols,
        "successor": registry.http_successor().map(|origin| origin.to_string()),
        "ice_servers": ice,
        "now": now as f64 / 1_000.0,
    });
    let mut state = of_stream(figures.as_ref());
    if let (Value::Object(state), Value::Object(of_server)) = (&mut state, of_server) {
        state.extend(of_server);
    }
    // A shared cache checks neither addresses nor secrets.
    let is_open = registry.access().rules.of(app).play.is_open();
    let age = if is_open { "max-age=0, s-maxage=1" } else { "no-store" };
    ([(header::CACHE_CONTROL, age)], Json(state)).into_response()
}

/// Returns the protocols in the order in which the page tries them.
fn protocols(whep: bool, hls: Mode) -> Vec<&'static str> {
    let all = [("whep", whep), ("hls", hls != Mode::Off), ("flv", true)];
    all.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name).collect()
}

/// Returns an ICE server as browsers take it (`RTCIceServer`). Most pages need the server before they
/// post an offer, so a `Link` header in the answer would be too late for them.
pub(in crate::http) fn ice_server(server: &IceServer) -> Value {
    match server.login() {
        None => json!({ "urls": server.url() }),
        Some(IceLogin { username, credential }) => json!({
            "urls": server.url(),
            "username": username,
            "credential": credential.expose(),
        }),
    }
}

/// Returns the names of the renditions that a viewer may choose.
fn renditions(registry: &Registry, figures: &StreamFigures) -> Vec<String> {
    let Some(publisher) = &figures.publisher else { return Vec::new() };
    let size = publisher.video.as_ref().and_then(|video| video.displayed_size());
    let rules = registry.rules();
    rules.renditions.of(&figures.app, &figures.stream).names(size, publisher.audio.is_some())
}

fn of_stream(figures: Option<&StreamFigures>) -> Value {
    let publisher = figures.and_then(|figures| figures.publisher.as_ref());
    let video = publisher.and_then(|publisher| publisher.video.as_ref());
    let audio = publisher.and_then(|publisher| publisher.audio.as_ref());
    json!({
        "live": publisher.is_some(),
        "publication": publisher.map(|publisher| publisher.id),
        "seconds": publisher.map(|publisher| publisher.since.as_secs_f64()),
        "viewers": figures.map_or(0, |figures| figures.viewers),
        "video": video.map(|video| json!({
            "codec": video.codec,
            "width": video.size.map(|(width, _)| width),
            "height": video.size.map(|(_, height)| height),
            "fps": video.fps,
        })),
        "audio": audio.map(|audio| json!({ "codec": audio.codec })),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use axum::body::to_bytes;

    use super::*;
    use crate::base::{Secret, queue};
    use crate::net::Runtime;
    use crate::net::connect::network::Network;
    use crate::server::access::{ActionRules, AddressList};
    use crate::server::event::{LinkFigures, Protocol, PublisherFigures, Stalls};
    use crate::server::registry::config::Config;

    #[test]
    fn the_page_has_the_clock_of_the_times_in_playlists() {
        let runtime = Runtime::start().unwrap();
        let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
        // The system's clock was set after the server started.
        let clock = Clock::start_at(0);
        let registry = Registry::new(Config::default(), clock, sender, runtime.handle());
        let before = Clock::system_micros() / 1_000;
        let body = response(&registry, "live", "show").into_body();
        let body = runtime.block_on(to_bytes(body, usize::MAX)).unwrap();
        let state: Value = serde_json::from_slice(&body).unwrap();
        let now = state["now"].as_f64().unwrap();
        let since = now - before as f64;
        assert!((0.0..60_000.0).contains(&since), "{since}");
    }

    #[test]
    fn shared_caches_keep_the_state_only_if_everybody_may_play() {
        let runtime = Runtime::start().unwrap();
        let age = |play: ActionRules| {
            let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
            let mut config = Config::default();
            config.access.others.play = play;
            let registry = Registry::new(config, Clock::start(), sender, runtime.handle());
            response(&registry, "live", "show").headers()[header::CACHE_CONTROL].clone()
        };
        assert_eq!(age(ActionRules::default()), "max-age=0, s-maxage=1");
        let addresses = AddressList { deny: Network::LOOPBACK.to_vec(), ..AddressList::default() };
        assert_eq!(age(ActionRules { addresses, ..ActionRules::default() }), "no-store");
        let keys = vec![Secret::new("k3y")];
        assert_eq!(age(ActionRules { keys, ..ActionRules::default() }), "no-store");
    }

    #[test]
    fn the_state_is_public_and_says_no_addresses() {
        let publisher = PublisherFigures {
            protocol: Protocol::Rtmp,
            link: LinkFigures::default(),
            layers: Vec::new(),
            id: 7,
            address: "192.0.2.77:5000".parse().unwrap(),
            since: Duration::from_secs(3),
            bytes: 10,
            bitrate: 20,
            encoder: None,
            stalls: Stalls::default(),
            video: None,
            audio: None,
        };
        let figures = StreamFigures {
            app: "live".to_owned(),
            stream: "show".to_owned(),
            publisher: Some(publisher),
            viewers: 2,
            hls_viewers: 1,
            whep_viewers: 1,
            protocols: BTreeMap::new(),
        };
        let state = of_stream(Some(&figures));
        assert_eq!((&state["live"], &state["viewers"]), (&json!(true), &json!(2)));
        assert!(!state.to_string().contains("192.0.2.77"), "{state}");
        assert_eq!(of_stream(None)["live"], json!(false));
    }

    #[test]
    fn protocols_that_are_off_are_not_offered() {
        assert_eq!(protocols(true, Mode::Off), ["whep", "flv"]);
        assert_eq!(protocols(false, Mode::Always), ["hls", "flv"]);
    }
}
