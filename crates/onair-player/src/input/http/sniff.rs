//! Identifies a body by its first bytes, because servers send wrong content types, or send error
//! pages with `200 OK`.

use std::time::Duration;

use bytes::BytesMut;
use tokio::time::{Instant, timeout_at};

use crate::net::web::{Flow, WebUrl};
use crate::net::{Cause, ConnectStage, Error};
use crate::player::input::http::pull_error::PullError;
use crate::text::problem::problem;
use crate::wire::container::ts::PACKET_BYTES;
use crate::wire::container::{Format, audio};
use crate::wire::hls::is_playlist;

/// Time limit for the first [`SNIFF_BYTES`].
const SNIFF_TIMEOUT: Duration = Duration::from_secs(10);
/// Number of bytes that suffice to identify a body.
const SNIFF_BYTES: usize = PACKET_BYTES + 1;

/// Content type of DASH manifests.
const DASH_TYPE: &str = "application/dash+xml";

/// Format of an HTTP response body.
#[derive(Debug)]
pub(super) enum Body {
    Flv,
    /// MPEG transport stream.
    Ts,
    /// HLS.
    Playlist,
    /// MP4 or Matroska. `None` means a file that, judging by its beginning or its declared type,
    /// may be an audio file.
    Indexed(Option<Format>),
}

/// Content types of audio streams that begin in the middle, without a recognizable header.
const AUDIO_CONTENT_TYPES: [&str; 6] =
    ["audio/mpeg", "audio/mp3", "audio/aac", "audio/aacp", "audio/x-aac", "audio/x-mpeg"];

/// Identifies a body by its beginning, and also returns that beginning.
pub(super) async fn sniff(flow: &mut Flow) -> Result<(Body, BytesMut), PullError> {
    sniff_within(flow, SNIFF_TIMEOUT).await
}

async fn sniff_within(flow: &mut Flow, patience: Duration) -> Result<(Body, BytesMut), PullError> {
    let (mut start, until) = (BytesMut::new(), Instant::now() + patience);
    while start.len() < SNIFF_BYTES {
        let peer = flow.url().endpoint().to_string();
        match timeout_at(until, flow.next()).await {
            // Nothing has played yet: the error belongs to the request.
            Ok(piece) => {
                match piece.map_err(|error| Error { stage: ConnectStage::Request, ..error })? {
                    Some(piece) => start.extend_from_slice(&piece),
                    None => break,
                }
            }
            Err(_) => {
                let cause = Cause::TimedOut { after: patience };
                return Err(Error { stage: ConnectStage::Request, cause, peer }.into());
            }
        }
        if let Some(body) = known(&start, flow) {
            return Ok((body, start));
        }
        if start.len() >= 16 && start.first() != Some(&0x47) {
            break;
        }
    }
    match known(&start, flow) {
        Some(body) => Ok((body, start)),
        None if is_audio_type(&start, flow) => Ok((Body::Indexed(None), start)),
        None => Err(unknown(&start, flow)),
    }
}

fn known(start: &[u8], flow: &Flow) -> Option<Body> {
    match start {
        [b'F', b'L', b'V', ..] => Some(Body::Flv),
        [0x47, ..] if start.get(PACKET_BYTES) == Some(&0x47) => Some(Body::Ts),
        _ if is_playlist(start) => Some(Body::Playlist),
        // WebSocket messages are a stream, not a file.
        _ if matches!(flow, Flow::Socket(_)) => None,
        _ if audio::may_begin(start) => Some(Body::Indexed(None)),
        _ => Format::of_bytes(start).map(|format| Body::Indexed(Some(format))),
    }
}

/// Returns true if the server declares the body of an HTTP response as audio, and the body is not
/// empty.
fn is_audio_type(start: &[u8], flow: &Flow) -> bool {
    let kind = flow.content_type().unwrap_or_default();
    let named = AUDIO_CONTENT_TYPES.iter().any(|name| kind.eq_ignore_ascii_case(name));
    named && matches!(flow, Flow::Http(_)) && !start.is_empty()
}

/// Returns the error of a failed request. Only `POST` requests play a stream at a WHEP address, which
/// answers other requests without media (draft-ietf-wish-whep).
pub(super) fn refused(url: &WebUrl, error: Error) -> PullError {
    match matches!(error.cause, Cause::Answer { status: 204 | 405, .. }) && is_whep(url) {
        true => unsupported_protocol(),
        false => error.into(),
    }
}

fn is_whep(url: &WebUrl) -> bool {
    url.path().ends_with("/whep")
}

fn unsupported_protocol() -> PullError {
    PullError::no_stream(problem!("play-whep-or-dash"))
}

/// Returns the error with the actual kind of data.
pub(super) fn unknown(start: &[u8], flow: &Flow) -> PullError {
    let kind = flow.content_type().map(|name| name.chars().take(60).collect::<String>());
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_xml = text.starts_with('<');
    let is_manifest = is_xml && text.contains("<MPD") || kind.as_deref() == Some(DASH_TYPE);
    if is_manifest || flow.url().path().ends_with(".mpd") || is_whep(flow.url()) {
        return unsupported_protocol();
    }
    let page = is_xml || kind.as_deref() == Some("text/html");
    PullError::no_stream(match (start, kind) {
        ([], _) => problem!("play-sends-nothing"),
        _ if page => problem!("play-sends-page"),
        (_, Some(kind)) => problem!("play-unknown-type", type = kind),
        (_, None) => problem!("play-unknown-data"),
    })
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_beginning_that_trickles_has_one_limit_for_all_of_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            // The server sends sync bytes of MPEG-TS, of which 189 bytes identify the format.
            while socket.write_all(&[0x47]).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        let url = WebUrl::parse(&format!("http://{address}/live.ts")).unwrap();
        let mut flow = Flow::open(&url, &crate::net::Options::default(), &|_| {}).await.unwrap();
        let result = sniff_within(&mut flow, Duration::from_secs(1)).await;
        let Err(PullError::Net(error)) = result else { panic!("{result:?}") };
        assert!(matches!(error.cause, Cause::TimedOut { .. }), "{error:?}");
    }
}
