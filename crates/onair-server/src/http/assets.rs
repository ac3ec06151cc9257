//! The files of the viewer page and of the operator page. They are part of the executable, so that the pages need no
//! other server. A browser asks whether a file has changed (ETag), and gets the file only if it has.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::server::registry::Registry;

const SCRIPT_TYPE: &str = "text/javascript; charset=utf-8";
const STYLE_TYPE: &str = "text/css; charset=utf-8";
const FONT_TYPE: &str = "font/otf";

/// A file of a page.
#[derive(Debug)]
pub(super) struct Asset {
    kind: &'static str,
    bytes: &'static [u8],
    /// The entity tag, computed for the first request.
    tag: OnceLock<String>,
}

macro_rules! asset {
    ($path:literal, $kind:expr, $file:literal) => {
        (
            concat!("/assets/", $path),
            Asset::new($kind, include_bytes!(concat!("../../../../assets/", $file))),
        )
    };
}

/// All files, by path.
static PAGE_ASSETS: [(&str, Asset); 33] = [
    asset!("theme.css", STYLE_TYPE, "web/theme.css"),
    asset!("watch.css", STYLE_TYPE, "web/watch.css"),
    asset!("early.js", SCRIPT_TYPE, "web/early.js"),
    asset!("watch.js", SCRIPT_TYPE, "web/watch.js"),
    asset!("language.js", SCRIPT_TYPE, "web/language.js"),
    asset!("texts.js", SCRIPT_TYPE, "web/texts.js"),
    asset!("preferences.js", SCRIPT_TYPE, "web/preferences.js"),
    asset!("state.js", SCRIPT_TYPE, "web/state.js"),
    asset!("playback.js", SCRIPT_TYPE, "web/playback.js"),
    asset!("whep.js", SCRIPT_TYPE, "web/whep.js"),
    asset!("ll_hls.js", SCRIPT_TYPE, "web/ll_hls.js"),
    asset!("flv.js", SCRIPT_TYPE, "web/flv.js"),
    asset!("chat.js", SCRIPT_TYPE, "web/chat.js"),
    asset!("danmaku.js", SCRIPT_TYPE, "web/danmaku.js"),
    asset!("controls.js", SCRIPT_TYPE, "web/controls.js"),
    asset!("guest/guest.css", STYLE_TYPE, "web/guest/guest.css"),
    asset!("guest/guest.js", SCRIPT_TYPE, "web/guest/guest.js"),
    asset!("guest/texts.js", SCRIPT_TYPE, "web/guest/texts.js"),
    asset!("operator/operator.css", STYLE_TYPE, "web/operator/operator.css"),
    asset!("operator/operator.js", SCRIPT_TYPE, "web/operator/operator.js"),
    asset!("operator/access.js", SCRIPT_TYPE, "web/operator/access.js"),
    asset!("operator/api.js", SCRIPT_TYPE, "web/operator/api.js"),
    asset!("operator/chat.js", SCRIPT_TYPE, "web/operator/chat.js"),
    asset!("operator/dialogs.js", SCRIPT_TYPE, "web/operator/dialogs.js"),
    asset!("operator/format.js", SCRIPT_TYPE, "web/operator/format.js"),
    asset!("operator/lists.js", SCRIPT_TYPE, "web/operator/lists.js"),
    asset!("operator/rows.js", SCRIPT_TYPE, "web/operator/rows.js"),
    asset!("operator/streams.js", SCRIPT_TYPE, "web/operator/streams.js"),
    asset!("operator/texts.js", SCRIPT_TYPE, "web/operator/texts.js"),
    asset!("hls.light.min.mjs", SCRIPT_TYPE, "web/vendor/hls.light.min.mjs"),
    asset!("mpegts.js", SCRIPT_TYPE, "web/vendor/mpegts.js"),
    asset!("latin-400.otf", FONT_TYPE, "fonts/latin-400.otf"),
    asset!("latin-600.otf", FONT_TYPE, "fonts/latin-600.otf"),
];

impl Asset {
    pub const fn new(kind: &'static str, bytes: &'static [u8]) -> Self {
        Self { kind, bytes, tag: OnceLock::new() }
    }

    /// Returns the entity tag, which changes with the content.
    fn tag(&self) -> &str {
        self.tag.get_or_init(|| {
            let mut hasher = DefaultHasher::new();
            self.bytes.hash(&mut hasher);
            format!("\"{:016x}\"", hasher.finish())
        })
    }
}

/// Adds the files to the paths of the server.
pub(super) fn add_to(router: Router<Arc<Registry>>) -> Router<Arc<Registry>> {
    PAGE_ASSETS.iter().fold(router, |router, (path, asset)| {
        router.route(path, get(async move |headers: HeaderMap| response(asset, &headers)))
    })
}

/// Returns the file, or a response that the browser already has it.
pub(super) fn response(asset: &Asset, headers: &HeaderMap) -> Response {
    let tag = asset.tag();
    let known = headers.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    let is_known = known.is_some_and(|tags| tags.split(',').any(|it| it.trim() == tag));
    let head = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, tag),
    ];
    if is_known {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    (head, Body::from(Bytes::from_static(asset.bytes))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_a_file_once() {
        let asset = Asset::new(SCRIPT_TYPE, b"let x;");
        let mut headers = HeaderMap::new();
        let first = response(&asset, &headers);
        assert_eq!(first.status(), StatusCode::OK);
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(response(&asset, &headers).status(), StatusCode::NOT_MODIFIED);
        let changed = Asset::new(SCRIPT_TYPE, b"let y;");
        assert_eq!(response(&changed, &headers).status(), StatusCode::OK);
    }

    /// Every file that the page or one of its scripts names is served.
    #[test]
    fn nothing_that_the_page_names_is_missing() {
        let page = include_str!("../../../../assets/web/watch.html");
        let texts = PAGE_ASSETS
            .iter()
            .filter(|(path, asset)| {
                asset.kind != FONT_TYPE && !path.contains("mpegts") && !path.contains("hls.light")
            })
            .map(|(_, asset)| std::str::from_utf8(asset.bytes).unwrap());
        let mut named = 0;
        for text in std::iter::once(page).chain(texts) {
            for (at, _) in text.match_indices("/assets/") {
                let rest = &text[at..];
                let end = rest.find(['\'', '"', ')', '`']).unwrap();
                let path = &rest[..end];
                assert!(PAGE_ASSETS.iter().any(|(known, _)| *known == path), "{path}");
                named += 1;
            }
        }
        assert!(named > 8, "{named}");
    }
}
