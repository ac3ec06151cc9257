//! The streams: `/api/v1/streams` and `/api/v1/streams/{app}/{stream}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::server::event::{Protocol, PublisherFigures, StreamFigures};
use crate::server::http::operator::{Authorized, ended_by_operator, error, stream_names};
use crate::server::registry::Registry;
use crate::server::renditions::running::RenditionFigures;
use crate::server::stream::Stream;
use crate::server::stream::bitrate_history::STEP_DURATION;

/// Returns all streams.
pub(in crate::http) async fn all(State(registry): State<Arc<Registry>>) -> Json<Value> {
    let figures = registry.figures();
    let streams: Vec<_> =
        figures.iter().map(|it| to_json(&registry, it, &history(&registry, it))).collect();
    Json(json!({ "streams": streams }))
}

/// Returns one stream.
pub(in crate::http) async fn one(State(registry): State<Arc<Registry>>, uri: Uri) -> Response {
    match found(&registry, &uri) {
        Some(stream) => {
            let now = registry.clock.now();
            let figures = registry.figures_of(&stream, now);
            Json(to_json(&registry, &figures, &stream.bitrate_history(now))).into_response()
        }
        None => missing(),
    }
}

/// Disconnects a stream's publisher, with the server's token.
pub(in crate::http) async fn end(
    State(registry): State<Arc<Registry>>,
    _: Authorized,
    uri: Uri,
) -> Response {
    match found(&registry, &uri) {
        Some(stream) if stream.dismiss(ended_by_operator()) => {
            StatusCode::NO_CONTENT.into_response()
        }
        _ => missing(),
    }
}

/// Returns the stream that the path of a request names.
fn found(registry: &Registry, uri: &Uri) -> Option<Arc<Stream>> {
    let (app, name) = stream_names(uri)?;
    registry.find(&app, &name)
}

pub(super) fn missing() -> Response {
    error(StatusCode::NOT_FOUND, "there is no such stream")
}

fn history(registry: &Registry, figures: &StreamFigures) -> Vec<u64> {
    let stream = registry.find(&figures.app, &figures.stream);
    stream.map(|stream| stream.bitrate_history(registry.clock.now())).unwrap_or_default()
}

fn to_json(registry: &Registry, figures: &StreamFigures, history: &[u64]) -> Value {
    let renditions = registry.transcoders.figures(&figures.app, &figures.stream);
    let count = |protocol| figures.protocols.get(&protocol).copied().unwrap_or_default();
    let viewers_by: Map<_, _> = Protocol::OF_VIEWERS
        .map(|it| (it.name().to_owned(), json!(count(it))))
        .into_iter()
        .collect();
    json!({
        "app": figures.app,
        "stream": figures.stream,
        "viewers": figures.viewers,
        "hls_viewers": figures.hls_viewers,
        "whep_viewers": figures.whep_viewers,
        "viewers_by_protocol": viewers_by,
        "publisher": figures.publisher.as_ref().map(|it| publisher(it, history)),
        "renditions": renditions.iter().map(rendition).collect::<Vec<_>>(),
    })
}

fn rendition(rendition: &RenditionFigures) -> Value {
    json!({
        "name": rendition.name,
        "width": rendition.size.map(|size| size.width),
        "height": rendition.size.map(|size| size.height),
        "bitrate": rendition.bitrate,
        "frames": rendition.frames,
        "cpu_seconds": rendition.busy.as_secs_f64(),
    })
}

fn publisher(publisher: &PublisherFigures, history: &[u64]) -> Value {
    json!({
        "id": publisher.id,
        "peer": publisher.address.to_string(),
        "protocol": publisher.protocol.name(),
        "loss": publisher.link.loss,
        "rtt_ms": publisher.link.rtt.map(|rtt| rtt.as_secs_f64() * 1_000.0),
        "layers": publisher.layers.iter().map(|(width, height)| json!({
            "width": width,
            "height": height,
        })).collect::<Vec<_>>(),
        "encoder": publisher.encoder,
        "seconds": publisher.since.as_secs_f64(),
        "bytes": publisher.bytes,
        "bitrate": publisher.bitrate,
        "history": { "step": STEP_DURATION.as_secs(), "bitrates": history },
        "stalls": {
            "count": publisher.stalls.count,
            "longest": publisher.stalls.longest.as_secs_f64(),
        },
        "video": publisher.video.as_ref().map(|video| json!({
            "codec": video.codec,
            "profile": video.profile,
            "width": video.size.map(|(width, _)| width),
            "height": video.size.map(|(_, height)| height),
            "fps": video.fps,
        })),
        "audio": publisher.audio.as_ref().map(|audio| json!({
            "codec": audio.codec,
            "sample_rate": audio.sample_rate,
            "channels": audio.channels,
        })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Clock, queue};
    use crate::net::Runtime;
    use crate::server::access::rules::AppLimits;
    use crate::server::registry::PublishRight;
    use crate::server::registry::config::Config;
    use crate::wire::rtmp::stream_name::StreamName;

    #[test]
    fn a_publisher_whose_stream_has_a_slash_in_its_name_can_be_disconnected() {
        let runtime = Runtime::start().unwrap();
        let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
        let registry = Registry::new(Config::default(), Clock::start(), sender, runtime.handle());
        let registry = Arc::new(registry);
        let name = StreamName::resolve("", "live", "c/d");
        let right = PublishRight { proven: true, relayed: false, limits: AppLimits::default() };
        registry.publish(1, "127.0.0.1:5".parse().unwrap(), &name, right).unwrap();
        let end = |path: &str| {
            let uri = path.parse().unwrap();
            runtime.block_on(end(State(Arc::clone(&registry)), Authorized, uri)).status()
        };
        // This is the stream `d` of the application `live/c`.
        assert_eq!(end("/api/v1/streams/live/c/d"), StatusCode::NOT_FOUND);
        assert_eq!(end("/api/v1/streams/live/c%2Fd"), StatusCode::NO_CONTENT);
    }
}
