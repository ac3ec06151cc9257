//! The operator page. It contains no figures: its scripts request them from the API. Its policy allows only
//! its own scripts, forbids markup from text (Trusted Types), and prevents other pages from framing it.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::server::http::assets::{self, Asset};

/// The page.
static OPERATOR_PAGE: Asset = Asset::new(
    "text/html; charset=utf-8",
    include_bytes!("../../../../../assets/web/operator/operator.html"),
);

/// The description of the API.
static OPENAPI_DESCRIPTION: Asset =
    Asset::new("application/json", include_bytes!("../../../../../assets/openapi.json"));

const PAGE_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
    img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types onair";

/// Returns the page.
pub(in crate::http) async fn page(headers: HeaderMap) -> Response {
    let mut response = assets::response(&OPERATOR_PAGE, &headers);
    let head = response.headers_mut();
    head.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_SECURITY_POLICY));
    head.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Returns the description of the API.
pub(in crate::http) async fn openapi(headers: HeaderMap) -> Response {
    assets::response(&OPENAPI_DESCRIPTION, &headers).into_response()
}
