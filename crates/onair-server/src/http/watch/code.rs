//! The address of the viewer page as a QR code, for the camera of a phone.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use qrcode::render::svg::Color;
use qrcode::{EcLevel, QrCode};
use url::form_urlencoded;

use crate::server::http::path::{encode, encode_name};

/// Width and height of the image in pixels, without scaling.
const IMAGE_SIDE_PIXELS: u32 = 240;

/// Returns an SVG image. The page names its scheme in the query, because a proxy may use TLS in
/// front of this server.
pub(super) fn response(headers: &HeaderMap, app: &str, stream: &str, query: &str) -> Response {
    let is_secure = form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| name == "scheme" && value == "https");
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let image = host.and_then(|host| {
        let scheme = if is_secure { "https" } else { "http" };
        let (app, stream) = (encode(app), encode_name(stream));
        let secret = secret(query);
        image(&format!("{scheme}://{host}/watch/{app}/{stream}{secret}"))
    });
    match image {
        Some(image) => {
            let head =
                [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "no-store")];
            (head, image).into_response()
        }
        // There is no host, or the address is too long for a code.
        None => StatusCode::BAD_REQUEST.into_response(),
    }
}

/// Returns the key or token of the page's address, which opens the stream on the phone too.
fn secret(query: &str) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let secret = pairs.filter(|(name, _)| matches!(&**name, "key" | "token"));
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(secret).finish();
    if query.is_empty() { query } else { format!("?{query}") }
}

fn image(address: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(address, EcLevel::M).ok()?;
    Some(code.render::<Color<'_>>().min_dimensions(IMAGE_SIDE_PIXELS, IMAGE_SIDE_PIXELS).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_page_goes_along() {
        assert_eq!(secret("scheme=https"), "");
        assert_eq!(secret("token=a.b&scheme=https&x=1"), "?token=a.b");
        assert_eq!(secret("key=a%26b"), "?key=a%26b");
    }

    #[test]
    fn an_address_becomes_an_image_unless_it_is_too_long() {
        let svg = image("http://192.0.2.1:8088/watch/live/show").unwrap();
        assert!(svg.contains("<svg") && svg.contains("<path"), "{svg}");
        assert!(image(&"x".repeat(10_000)).is_none());
    }
}
