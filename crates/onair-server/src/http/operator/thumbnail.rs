//! The thumbnail of a stream: `/api/v1/thumbnails/{app}/{stream}`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::server::http::operator::streams::missing;
use crate::server::http::operator::{error, stream_names};
use crate::server::registry::Registry;
use crate::server::stream::thumbnails::Thumbnail;

/// Maximum wait for a thumbnail.
const THUMBNAIL_TIMEOUT: Duration = Duration::from_secs(5);

/// Returns a JPEG image of the last keyframe, at most a few seconds old.
pub(in crate::http) async fn of_stream(
    State(registry): State<Arc<Registry>>,
    uri: Uri,
) -> Response {
    let Some(names) = stream_names(&uri) else { return missing() };
    let Some(stream) = registry.find(&names.0, &names.1) else { return missing() };
    let now = registry.clock.now();
    let Some(publisher) = stream.publisher_figures(now).filter(|it| it.video.is_some()) else {
        return error(StatusCode::NOT_FOUND, "this stream has no video now");
    };
    let keyframe = || stream.keyframe();
    let jpeg = match registry.thumbnails.of_stream(&names, publisher.id, now, keyframe) {
        Thumbnail::Ready(jpeg) => Some(jpeg),
        Thumbnail::Undecodable => None,
        Thumbnail::Busy => return busy(),
        Thumbnail::Soon(soon) => match tokio::time::timeout(THUMBNAIL_TIMEOUT, soon).await {
            Ok(Ok(jpeg)) => jpeg,
            _ => return busy(),
        },
    };
    match jpeg {
        Some(jpeg) => image(jpeg),
        None => error(StatusCode::NOT_FOUND, "the video cannot be decoded here"),
    }
}

fn image(jpeg: Bytes) -> Response {
    let head =
        [(header::CONTENT_TYPE, "image/jpeg"), (header::CACHE_CONTROL, "private, max-age=2")];
    (head, Body::from(jpeg)).into_response()
}

fn busy() -> Response {
    let mut response = error(StatusCode::SERVICE_UNAVAILABLE, "the thumbnail is not ready yet");
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("2"));
    response
}
