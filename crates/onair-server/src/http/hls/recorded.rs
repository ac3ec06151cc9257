//! Recordings over HTTP: playlists, segments and whole files, for clients that may play the stream that was
//! recorded.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::server::access::callback::visit::{Call, ClientDetails, Visit};
use crate::server::access::grant::AdmittedViewer;
use crate::server::access::pass::{PassScope, Proof};
use crate::server::event::{Event, NoRoom, Protocol};
use crate::server::hls::Mode;
use crate::server::hls::listing::TS_EXTENSION;
use crate::server::hls::viewers::{ViewerKey, ViewerLimit};
use crate::server::http::caller::{Caller, Credentials, access, client_details};
use crate::server::http::hls::answers::{
    ChunkBody, MANIFEST_TYPE, MP4_MEDIA_TYPE, PLAYLIST_TYPE, ResponseHead, TS_MEDIA_TYPE,
    UNSUPPORTED_TS_TEXT, busy, cache_scope, disconnected, failed, file_age, missing, sent_size,
    viewer_key,
};
use crate::server::http::hls::download::FileViewer;
use crate::server::http::hls::slot::ActiveGuard;
use crate::server::http::operator::ranges::{self, RangeAnswer};
use crate::server::http::operator::{recordings, signed_link};
use crate::server::http::path::{encode_name, query_value, split};
use crate::server::http::refusals::{self, too_many_viewers};
use crate::server::outputs::recordings::viewers::{self, open};
use crate::server::recordings::folder;
use crate::server::recordings::name::{RecordedStream, stem, stream_of};
use crate::server::recordings::opened::{OpenError, OpenRecording, VOD_APP};
use crate::server::recordings::playlist::recording::{self, ListedRecording, RecordedFile};
use crate::server::recordings::viewers::keeper::KeptFile;
use crate::server::registry::Registry;
use crate::wire::container::Format;
use crate::wire::hls::with_query;

/// How long caches keep the playlist of a complete recording, which can be deleted.
const ENDED_AGE: &str = "max-age=60";
/// How long caches keep the playlist of a growing recording.
const GROWING_AGE: &str = "max-age=1";
/// How long a pass stays valid after its link has expired, in seconds, so that a viewer who is watching can
/// continue.
const LINK_GRACE_SECONDS: u64 = 3_600;

/// The resource of a recording that a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum RecordedResource {
    /// `/vod/{name}.m3u8`: the master playlist.
    Master,
    /// `/vod/{name}.mpd`: the DASH manifest.
    Manifest,
    /// `/vod/{name}.flv` or `.mp4`: the whole file.
    Whole(Format),
    /// `/vod/{name}/hls/…`.
    Below(RecordedFile),
}

impl RecordedResource {
    /// Returns the name of a recording without extension, and the resource, for a path without its
    /// first slash.
    pub fn find(path: &str) -> Option<(String, Self)> {
        if let Some((names, file)) = path.rsplit_once("/hls/") {
            let file = RecordedFile::parse(file)?;
            return Some((name(names)?, Self::Below(file)));
        }
        let (names, extension) = path.rsplit_once('.')?;
        let resource = match extension {
            "m3u8" => Self::Master,
            "mpd" => Self::Manifest,
            "flv" => Self::Whole(Format::Flv),
            "mp4" => Self::Whole(Format::Mp4),
            _ => return None,
        };
        Some((name(names)?, resource))
    }

    fn protocol(&self) -> Protocol {
        match self {
            Self::Manifest => Protocol::Dash,
            Self::Below(file) if file.is_dash() => Protocol::Dash,
            Self::Master | Self::Below(_) => Protocol::Hls,
            Self::Whole(_) => Protocol::HttpFlv,
        }
    }
}

/// Returns the name of the recording at this path.
fn name(path: &str) -> Option<String> {
    let (app, name) = split(path)?;
    let name = stem(&name).to_owned();
    (app == VOD_APP && stream_of(&name).is_some()).then_some(name)
}

/// Answers a request for a recording.
pub(in crate::http) async fn response(
    registry: &Arc<Registry>,
    caller: Caller,
    name: &str,
    asked: RecordedResource,
    request: Request,
) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let none = || failed(StatusCode::NOT_FOUND, "There is no such recording.\n");
    let is_file = matches!(asked, RecordedResource::Whole(_));
    let is_off = !is_file && registry.config.hls.mode == Mode::Off;
    let folder = registry.config.record.as_ref().filter(|_| registry.rules().recording.playback);
    let (Some(folder), Some(stream), false) = (folder, stream_of(name), is_off) else {
        return none();
    };
    let query = request.uri().query().unwrap_or_default().to_owned();
    let protocol = asked.protocol();
    let client = client_details(&request, &stream.app, caller.is_secure);
    let shown = (Credentials::of(&request), client, query.clone());
    // Access comes first, so that strangers do not learn which recordings exist.
    let (pass, viewer) = match admit(registry, &caller, shown, &stream, (protocol, name)).await {
        Ok(admitted) => admitted,
        Err(refused) => return *refused,
    };
    let wanted = match asked {
        RecordedResource::Whole(format) => format!("{name}.{}", format.extension()),
        _ => name.to_owned(),
    };
    let Some(path) = folder::find(folder, &wanted).await else { return none() };
    let (method, headers) = (request.method(), request.headers());
    let key = viewer_key(&caller, headers, protocol);
    if is_file {
        let (of, client) = ((wanted.as_str(), stream.app.as_str()), (key, caller.address));
        let viewer = FileViewer::new(registry, of, client, viewer);
        if viewer.is_barred() {
            return disconnected();
        }
        let sent = recordings::send(registry, &caller, &wanted, &query, (method, headers)).await;
        return viewer.watch(method, sent);
    }
    let _kept = KeptFile::new(&registry.retention, registry.clock, &path);
    let Some(_settled) = ActiveGuard::new(registry, &caller.spot) else {
        return too_many_viewers(NoRoom::Server);
    };
    let recording = match open(registry, &path).await {
        Ok(recording) => recording,
        // The recording has just begun.
        Err(error) if error.is_of_short_file() && registry.files.is_writing(&path) => {
            return busy("There is no segment yet.\n");
        }
        Err(error) => return unreadable(&error),
    };
    if recording.viewers.lock().is_barred(key, registry.clock.now()) {
        return disconnected();
    }
    if let Err(why) = note(registry, &recording, caller.address, key, viewer) {
        return too_many_viewers(why);
    }
    let of = (recording.stream.app.as_str(), name);
    let segment = |read: Result<Option<Bytes>, OpenError>, file: &str| match read {
        Ok(Some(bytes)) => {
            let response = part(registry, headers, (of, file), &bytes);
            recording.viewers.lock().count(key, sent_size(method, &response));
            response
        }
        Ok(None) => missing(),
        Err(error) => unreadable(&error),
    };
    match asked {
        RecordedResource::Below(RecordedFile::Initialization(tracks, _)) => {
            let found = recording.content().initialization_of(tracks);
            let file = format!("{tracks:?}-init");
            found.map_or_else(missing, |bytes| part(registry, headers, (of, &file), &bytes))
        }
        RecordedResource::Below(RecordedFile::Segment(tracks, number, _)) => {
            let read = registry.opened.segment(&recording, tracks, number).await;
            segment(read, &format!("{tracks:?}-{number}"))
        }
        RecordedResource::Below(RecordedFile::Ts(number)) => {
            let read = registry.opened.ts_segment(&recording, number).await;
            segment(read, &format!("{number}{TS_EXTENSION}"))
        }
        _ => {
            let is_dash = asked == RecordedResource::Manifest;
            let client = (method, headers);
            list(registry, client, &recording, &asked, pass.as_deref()).unwrap_or_else(|| {
                match is_dash {
                    true => busy("The recording is not complete.\n"),
                    false => busy("There is no segment yet.\n"),
                }
            })
        }
    }
}

/// Checks that a client may play the stream that was recorded, or has a link of the operator. Returns its pass, and the
/// admitted viewer. `name` is the name of the recording, which may not exist.
async fn admit(
    registry: &Arc<Registry>,
    caller: &Caller,
    (credentials, client, query): (Credentials, ClientDetails, String),
    stream: &RecordedStream,
    (protocol, name): (Protocol, &str),
) -> Result<(Option<String>, AdmittedViewer), Box<Response>> {
    let (id, expelled) = (registry.next_id(), registry.expulsions());
    let viewer = |done| AdmittedViewer { id, done, expelled };
    let now = registry.unix_seconds();
    let is_linked = [Format::Mp4, Format::Flv].into_iter().any(|format| {
        let file = format!("{name}.{}", format.extension());
        signed_link::is_valid(&registry.link_key, &file, &query, now)
    });
    if is_linked {
        // The link is for this recording alone, and not for the stream.
        let scope = PassScope { app: VOD_APP, stream: name, networks: &[], proof: Proof::Link };
        let pass = Some(registry.passes.issue_until(scope, now, pass_end(&query)));
        return Ok((pass, viewer(None)));
    }
    let Credentials { secret, login, pass } = credentials;
    let address = caller.address.ip().to_canonical();
    let opens = |pass: &String| {
        let links = std::iter::once(Proof::Link);
        registry.passes.opens(pass, (VOD_APP, name), address, now, links)
    };
    if pass.as_ref().is_some_and(opens) {
        return Ok((pass, viewer(None)));
    }
    let visit = Visit {
        id,
        address,
        protocol,
        app: stream.app.clone(),
        stream: stream.stream.clone(),
        query,
        secret,
        login,
        client,
    };
    let client = (registry, &caller.spot);
    match access(client, visit, Some(Call::play()), (pass, Some(name))).await {
        // If a callback renames the stream, the new name applies only to the live stream.
        Ok(entry) => Ok((entry.pass, viewer(entry.done))),
        Err(why) => Err(Box::new(refusals::denied(&why))),
    }
}

/// Returns the end of a pass for a valid link with this query, in seconds since 1970.
fn pass_end(query: &str) -> u64 {
    let expires = query_value(query, "expires").and_then(|it| it.parse::<u64>().ok());
    expires.unwrap_or_default().saturating_add(LINK_GRACE_SECONDS)
}

fn unreadable(error: &OpenError) -> Response {
    match error {
        OpenError::Missing => failed(StatusCode::NOT_FOUND, "There is no such recording.\n"),
        OpenError::Unreadable(error) => {
            tracing::debug!(%error, "a recording cannot be played");
            failed(StatusCode::NOT_FOUND, "This recording cannot be played.\n")
        }
        OpenError::Busy => busy("The recording cannot be read now.\n"),
    }
}

/// Counts a viewer. Fails if there are too many.
pub(super) fn note(
    registry: &Registry,
    recording: &OpenRecording,
    address: SocketAddr,
    key: ViewerKey,
    viewer: AdmittedViewer,
) -> Result<(), NoRoom> {
    let id = viewer.id;
    let most = registry.max_viewers(&recording.stream.app);
    let (connected, file) = (&registry.recording_viewers, recording.file_name());
    let others = connected.count_rtmp(&file) + connected.count_downloads(&file);
    let limit = ViewerLimit { most, others, is_shared: registry.is_shared(key.address) };
    let names = (recording.stream.app.as_str(), recording.stream.stream.as_str());
    let of = (names, Some(recording.path.as_path()));
    let (client, entry) = ((key, address), (viewer, limit));
    if viewers::note(registry, &recording.viewers, of, client, entry)? {
        registry.tell(Event::Join(recording.peer(address, id, key.protocol)));
    }
    Ok(())
}

/// Returns a playlist or manifest, or `None` if the recording has no content for it yet.
fn list(
    registry: &Arc<Registry>,
    client: (&Method, &HeaderMap),
    recording: &OpenRecording,
    asked: &RecordedResource,
    pass: Option<&str>,
) -> Option<Response> {
    let content = recording.content();
    if content.index.segments.is_empty() {
        return None;
    }
    let folder = format!("{}/hls/", encode_name(&recording.name));
    let (count, ended) = (content.index.segments.len(), content.ended);
    let (text, kind, form) = match asked {
        RecordedResource::Master => {
            (recording::master(&content, &folder), PLAYLIST_TYPE, "m".to_owned())
        }
        RecordedResource::Manifest => {
            let query = pass.map_or_else(String::new, |it| format!("?pass={it}"));
            let listed = ListedRecording { content: &content, folder: &folder, began: None };
            (ended.then(|| recording::manifest(listed, &query))?, MANIFEST_TYPE, "d".to_owned())
        }
        RecordedResource::Below(RecordedFile::TsMaster | RecordedFile::TsList) => {
            let listed = ListedRecording { content: &content, folder: "", began: recording.began };
            let is_master = *asked == RecordedResource::Below(RecordedFile::TsMaster);
            let text = if is_master {
                recording::ts_master(&content)
            } else {
                recording::ts_media(listed)
            };
            let Some(text) = text else {
                return Some(failed(StatusCode::NOT_FOUND, UNSUPPORTED_TS_TEXT));
            };
            (text, PLAYLIST_TYPE, if is_master { "tm" } else { "t" }.to_owned())
        }
        RecordedResource::Below(RecordedFile::List(tracks)) => {
            let listed = ListedRecording { content: &content, folder: "", began: recording.began };
            let Some(text) = recording::media(listed, *tracks) else { return Some(missing()) };
            (text, PLAYLIST_TYPE, format!("l{tracks:?}"))
        }
        _ => return None,
    };
    let tag = format!("\"{form}{count}{ended}\"");
    let is_manifest = *asked == RecordedResource::Manifest;
    let of = (registry, recording.stream.app.as_str());
    Some(text_response(of, client, (kind, tag, ended), text.into(), pass, is_manifest))
}

/// Returns a playlist or manifest of a recording of this application.
pub(super) fn text_response(
    (registry, app): (&Arc<Registry>, &str),
    (method, headers): (&Method, &HeaderMap),
    (kind, tag, ended): (&'static str, String, bool),
    text: Bytes,
    pass: Option<&str>,
    has_pass: bool,
) -> Response {
    let text = match pass.filter(|_| !has_pass) {
        Some(pass) => with_query(&String::from_utf8_lossy(&text), &format!("pass={pass}")).into(),
        None => text,
    };
    // A pass is for this viewer alone.
    let age = match pass {
        Some(_) => "no-store".to_owned(),
        None => {
            let age = if ended { ENDED_AGE } else { GROWING_AGE };
            format!("{}, {age}", cache_scope(registry, app))
        }
    };
    let head = ResponseHead { kind, age, tag };
    let response = head.respond(headers, Body::from(text));
    registry.totals.sent_bytes.fetch_add(sent_size(method, &response), Ordering::Relaxed);
    response
}

/// Returns a file that never changes, or the requested part of it.
fn part(
    registry: &Arc<Registry>,
    headers: &HeaderMap,
    ((app, name), file): ((&str, &str), &str),
    bytes: &Bytes,
) -> Response {
    let size = bytes.len() as u64;
    let tag = format!("\"{}-{file}\"", encode_name(name));
    let (status, part) = match ranges::of_request(headers, &tag, size) {
        RangeAnswer::Unsatisfiable => return ranges::unsatisfiable(size),
        RangeAnswer::Whole => (StatusCode::OK, 0..size),
        RangeAnswer::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
    };
    let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    let chunk = bytes.slice(within(part.start)..within(part.end));
    let left = chunk.len() as u64;
    let body = ChunkBody { chunks: [chunk].into(), left, registry: Arc::clone(registry) };
    let kind = if file.ends_with(TS_EXTENSION) { TS_MEDIA_TYPE } else { MP4_MEDIA_TYPE };
    let age = file_age(cache_scope(registry, app), headers);
    let head = ResponseHead { kind, age, tag };
    let mut response = head.respond(headers, Body::new(body));
    let is_fresh = response.status() == StatusCode::OK;
    let fields = response.headers_mut();
    fields.insert(header::ACCEPT_RANGES, header::HeaderValue::from_static("bytes"));
    if is_fresh && status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{size}", part.start, part.end.saturating_sub(1));
        if let Ok(range) = header::HeaderValue::from_str(&range) {
            fields.insert(header::CONTENT_RANGE, range);
        }
        *response.status_mut() = status;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::recordings::segments::RecordedTracks;

    #[test]
    fn a_pass_ends_soon_after_its_link() {
        assert_eq!(
            pass_end("download&expires=1000&signature=0&expires=9"),
            1_000 + LINK_GRACE_SECONDS
        );
        assert_eq!(pass_end(&format!("expires={}", u64::MAX)), u64::MAX);
        assert_eq!(pass_end("expires=x"), LINK_GRACE_SECONDS);
    }

    #[test]
    fn only_recordings_are_found() {
        let stem = "live-show 2026-11-25 18-00-00";
        let found = |rest: &str| {
            RecordedResource::find(&format!("vod/live-show%202026-11-25%2018-00-00{rest}"))
        };
        let all = |resource| Some((stem.to_owned(), resource));
        assert_eq!(found(".m3u8"), all(RecordedResource::Master));
        assert_eq!(found(".mp4.m3u8"), all(RecordedResource::Master));
        assert_eq!(found(".mpd"), all(RecordedResource::Manifest));
        assert_eq!(found(".flv"), all(RecordedResource::Whole(Format::Flv)));
        let list = RecordedResource::Below(RecordedFile::List(RecordedTracks::All));
        assert_eq!(found("/hls/main.m3u8"), all(list));
        let list = RecordedResource::Below(RecordedFile::TsMaster);
        assert_eq!(found("/hls/ts.m3u8"), all(list));
        for other in ["", ".txt", "/hls/x", "/hls/../a.m4s", "/chat", ".m3u8/hls/0.m4s/x"] {
            assert_eq!(found(other), None, "{other}");
        }
        for other in ["vod/show.m3u8", "live/live-show%202026-11-25%2018-00-00.m3u8", "vod.m3u8"] {
            assert_eq!(RecordedResource::find(other), None, "{other}");
        }
    }
}
