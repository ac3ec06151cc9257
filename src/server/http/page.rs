//! The overview page: plain HTML without external resources.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::server::hls::Mode;
use crate::server::http::path::{encode, encode_name};
use crate::server::registry::Registry;

const PAGE_HEADER: &str = "<!doctype html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><title>onair</title>
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta http-equiv=\"refresh\" content=\"5\">
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8884; }
</style></head><body><h1>onair</h1>
";

/// The streams, with links.
pub(super) async fn overview(State(registry): State<Arc<Registry>>) -> impl IntoResponse {
    let mut page = PAGE_HEADER.to_owned();
    let streams = registry.figures();
    if streams.is_empty() {
        page.push_str("<p>Nobody is publishing.</p>\n");
    } else {
        page.push_str(
            "<table><tr><th>Stream<th>Pictures<th>Sound<th>Bitrate<th>Viewers<th></tr>\n",
        );
    }
    for stream in &streams {
        let path = format!("{}/{}", escape(&stream.app), escape(&stream.stream));
        let link = format!("/{}/{}", encode(&stream.app), encode_name(&stream.stream));
        let (mut pictures, mut sound) = ("–".to_owned(), "–".to_owned());
        let (mut rate, mut links) = ("waiting".to_owned(), String::new());
        if let Some(publisher) = &stream.publisher {
            if let Some(video) = &publisher.video {
                pictures = escape(&video.codec);
                if let Some((width, height)) = video.size {
                    let _ = write!(pictures, " {width}×{height}");
                }
                if let Some(fps) = video.fps {
                    let _ = write!(pictures, " {}", (fps * 100.0).round() / 100.0);
                }
            }
            if let Some(audio) = &publisher.audio {
                sound = escape(&audio.codec);
                if let Some(rate) = audio.sample_rate {
                    let _ = write!(sound, " {rate} Hz");
                }
            }
            rate = format!("{} kbps", publisher.bitrate / 1_000);
            links = format!("<a href=\"/watch{link}\">Watch</a> <a href=\"{link}.flv\">FLV</a>");
            if registry.config.hls.mode != Mode::Off {
                let _ = write!(links, " <a href=\"{link}.m3u8\">HLS</a>");
            }
        }
        let viewers = stream.viewers;
        let _ = writeln!(
            page,
            "<tr><td>{path}<td>{pictures}<td>{sound}<td>{rate}<td>{viewers}<td>{links}</tr>"
        );
    }
    if !streams.is_empty() {
        page.push_str("</table>\n");
    }
    page.push_str("<p><a href=\"/api/v1/streams\">JSON</a> · <a href=\"/metrics\">Metrics</a></p>");
    page.push_str("</body></html>\n");
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    (
        [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, policy),
        ],
        page,
    )
}

fn escape(text: &str) -> String {
    let pairs = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(*from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_no_harm() {
        assert_eq!(escape("<a b='c'>&"), "&lt;a b=&#39;c&#39;&gt;&amp;");
    }
}
