//! The recordings: their list at `/api/v1/recordings`, and the files at `/recordings/{file}`, with ranges for
//! players and interrupted downloads. A slow client occupies no thread: each piece is read when it is due.

use std::fs::{self, File};
use std::future::Future;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Path as UrlPath, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body::{Frame, SizeHint};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use url::form_urlencoded;

use crate::files::{Trouble, free_space};
use crate::server::hls::Mode;
use crate::server::http::caller::Caller;
use crate::server::http::guard;
use crate::server::http::hls::slot::ActiveGuard;
use crate::server::http::operator::ranges::{self, RangeAnswer};
use crate::server::http::operator::{Authorized, authorized, error, signed_link, unix_seconds};
use crate::server::http::path::{encode_name, query_value};
use crate::server::outputs::recordings::retention;
use crate::server::outputs::viewers::{self, ViewerChoice};
use crate::server::recordings::folder::{self, ListedFile, MAX_LISTED_FILES};
use crate::server::recordings::name::{format_of, media_type, stem, stream_of};
use crate::server::recordings::viewers::keeper::KeptFile;
use crate::server::registry::Registry;
use crate::text::Language;
use crate::text::problem::problem;

/// Number of bytes per read.
const READ_CHUNK_BYTES: u64 = 256 << 10;

/// Lists the recordings, newest first. `offset` and `limit` in the query choose a part of the list.
pub(in crate::http) async fn list(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(folder) = registry.config.record.clone() else {
        let none = json!({ "enabled": false, "recordings": [], "all": 0, "free_bytes": null });
        return Json(none).into_response();
    };
    let (mut offset, mut limit) = (0, MAX_LISTED_FILES);
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let chosen = match &*name {
            "offset" => &mut offset,
            "limit" => &mut limit,
            _ => continue,
        };
        match value.parse() {
            Ok(number) => *chosen = number,
            Err(_) => return error(StatusCode::BAD_REQUEST, "offset and limit are numbers"),
        }
    }
    let read = move || (folder::read(&folder, offset, limit), free_space(&folder));
    let (list, free) = match tokio::task::spawn_blocking(read).await {
        Ok((Ok(list), free)) => (list, free),
        Ok((Err(failure), _)) => {
            let why = Language::English.say(&Trouble::problem(&failure));
            return error(StatusCode::INTERNAL_SERVER_ERROR, &why);
        }
        Err(_) => return error(StatusCode::INTERNAL_SERVER_ERROR, "the folder was not read"),
    };
    let signs = !guard::is_local(&registry, &caller, &headers);
    let recordings: Vec<_> = list.files.iter().map(|it| to_json(&registry, it, signs)).collect();
    Json(json!({
        "enabled": true,
        "recordings": recordings,
        "all": list.all,
        "free_bytes": free,
    }))
    .into_response()
}

fn to_json(registry: &Registry, file: &ListedFile, signs: bool) -> Value {
    let mut url = format!("/recordings/{}", encode_name(&file.name));
    let signed = || signed_link::query(&registry.link_key, &file.name, registry.unix_seconds());
    if let Some(query) = signs.then(signed).flatten() {
        url = format!("{url}?{query}");
    }
    let is_writing = registry.files.is_writing(&file.path);
    let is_played = registry.rules().recording.playback && registry.config.hls.mode != Mode::Off;
    let vod = (is_played && stream_of(&file.name).is_some()).then(signed).flatten();
    let vod = vod.map(|query| format!("/vod/{}.m3u8?{query}", encode_name(stem(&file.name))));
    json!({
        "name": file.name,
        "url": url,
        "vod": vod,
        "format": file.format.extension(),
        "bytes": file.bytes,
        "seconds": file.length.map(|length| length.as_secs_f64()),
        "has_audio": file.tracks.map(|tracks| tracks.audio),
        "has_video": file.tracks.map(|tracks| tracks.video),
        "modified": unix_seconds(file.modified),
        "state": if is_writing { "writing" } else { "finished" },
    })
}

/// Deletes a recording, with the server's token.
pub(in crate::http) async fn delete(
    State(registry): State<Arc<Registry>>,
    _: Authorized,
    UrlPath(name): UrlPath<String>,
) -> Response {
    let missing = || error(StatusCode::NOT_FOUND, "there is no such recording");
    let (Some(_), Some(folder)) = (format_of(&name), &registry.config.record) else {
        return missing();
    };
    let path = folder.join(&name);
    if registry.files.is_writing(&path) {
        return error(StatusCode::CONFLICT, "the recording is still being written");
    }
    let (work, file) = (Arc::clone(&registry), path.clone());
    let removed = tokio::task::spawn_blocking(move || {
        fs::symlink_metadata(&file)?;
        // A viewer that first met the missing file would leave with the wrong reason.
        let reason = problem!("left-recording-deleted");
        viewers::end(&work, ViewerChoice::Recording(&name), &reason);
        folder::remove(&file)
    })
    .await;
    match removed {
        Ok(Ok(bytes)) => {
            registry.opened.forget(&path);
            retention::tell_deleted(&registry, &path, bytes, problem!("recorded-deleted"));
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(Err(failure)) if failure.kind() == io::ErrorKind::NotFound => missing(),
        Ok(Err(failure)) => {
            let why = Language::English.say(&Trouble::problem(&failure));
            error(StatusCode::INTERNAL_SERVER_ERROR, &why)
        }
        Err(_) => error(StatusCode::INTERNAL_SERVER_ERROR, "the file was not deleted"),
    }
}

/// Returns a recording or a part of it, to clients that may read, or that have a link. With `download` in the
/// query, browsers save the file.
pub(in crate::http) async fn file(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    UrlPath(name): UrlPath<String>,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    let now = registry.unix_seconds();
    let is_linked = signed_link::is_valid(&registry.link_key, &name, &query, now);
    let may_read = is_linked || guard::is_local(&registry, &caller, &headers);
    if !may_read && let Err(refused) = authorized(&registry, &caller, &headers) {
        return *refused;
    }
    send(&registry, &caller, &name, &query, (&method, &headers)).await
}

/// Returns a recording or a part of it. With `download` in the query, browsers save the file.
pub(in crate::http) async fn send(
    registry: &Arc<Registry>,
    caller: &Caller,
    name: &str,
    query: &str,
    (method, headers): (&Method, &HeaderMap),
) -> Response {
    let missing = || error(StatusCode::NOT_FOUND, "there is no such recording");
    let (Some(format), Some(folder)) = (format_of(name), &registry.config.record) else {
        return missing();
    };
    let path = folder.join(name);
    let kept = KeptFile::new(&registry.retention, registry.clock, &path);
    let Ok(Ok((file, size, tag))) = tokio::task::spawn_blocking(move || open(&path)).await else {
        return missing();
    };
    let mut response = match ranges::of_request(headers, &tag, size) {
        RangeAnswer::Unsatisfiable => return ranges::unsatisfiable(size),
        RangeAnswer::Whole => part_of((registry, caller, method), file, kept, 0..size)
            .map(IntoResponse::into_response),
        RangeAnswer::Part(part) => {
            let range = format!("bytes {}-{}/{size}", part.start, part.end - 1);
            part_of((registry, caller, method), file, kept, part).map(|body| {
                let head = [(header::CONTENT_RANGE, range)];
                (StatusCode::PARTIAL_CONTENT, head, body).into_response()
            })
        }
    }
    .unwrap_or_else(|| error(StatusCode::SERVICE_UNAVAILABLE, "there are too many connections"));
    let is_download = query_value(query, "download").is_some();
    let disposition = if is_download { "attachment" } else { "inline" };
    let disposition = format!("{disposition}; filename*=UTF-8''{}", encode_name(name));
    for (name, value) in [
        (header::CONTENT_TYPE, media_type(format)),
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, "private, no-cache"),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"),
        (header::ETAG, &tag),
        (header::CONTENT_DISPOSITION, &disposition),
    ] {
        if response.status().is_success()
            && let Ok(value) = HeaderValue::from_str(value)
        {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Opens a file. Returns its size, and its tag, which changes when the file changes.
fn open(path: &Path) -> io::Result<(File, u64, String)> {
    let file = folder::open(path)?;
    let metadata = file.metadata()?;
    let modified = metadata.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let tag = format!("\"{:x}-{:x}\"", modified.as_micros(), metadata.len());
    Ok((file, metadata.len(), tag))
}

/// Returns the body with a part of the file; for `HEAD`, only its length. Returns `None` if there are too
/// many connections.
fn part_of(
    (registry, caller, method): (&Arc<Registry>, &Caller, &Method),
    file: File,
    kept: KeptFile,
    part: std::ops::Range<u64>,
) -> Option<Body> {
    // A download does not count as an idle connection.
    let settled = ActiveGuard::new(registry, &caller.spot)?;
    Some(Body::new(FileBody {
        piece: FilePiece::Here(file),
        at: part.start,
        left: part.end - part.start,
        is_head: *method == Method::HEAD,
        registry: Arc::clone(registry),
        _settled: settled,
        _kept: kept,
    }))
}

/// A part of a file.
struct FileBody {
    piece: FilePiece,
    at: u64,
    left: u64,
    is_head: bool,
    registry: Arc<Registry>,
    _settled: ActiveGuard,
    _kept: KeptFile,
}

/// The file between two pieces, and while one is being read.
enum FilePiece {
    Here(File),
    Reading(JoinHandle<io::Result<(File, Vec<u8>)>>),
    Over,
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        if this.left == 0 || this.is_head {
            return Poll::Ready(None);
        }
        let mut reading = match std::mem::replace(&mut this.piece, FilePiece::Over) {
            FilePiece::Here(file) => {
                let (at, length) = (this.at, this.left.min(READ_CHUNK_BYTES));
                tokio::task::spawn_blocking(move || read(file, at, length))
            }
            FilePiece::Reading(reading) => reading,
            FilePiece::Over => return Poll::Ready(None),
        };
        let Poll::Ready(read) = Pin::new(&mut reading).poll(cx) else {
            this.piece = FilePiece::Reading(reading);
            return Poll::Pending;
        };
        let (file, bytes) = match read.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(read) => read,
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        this.piece = FilePiece::Here(file);
        let length = bytes.len() as u64;
        (this.at, this.left) = (this.at + length, this.left.saturating_sub(length));
        this.registry.totals.sent_bytes.fetch_add(length, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(bytes.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Reads exactly this part. A file that has become shorter is an error, because its length was
/// promised.
fn read(mut file: File, at: u64, length: u64) -> io::Result<(File, Vec<u8>)> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    file.read_exact(&mut bytes)?;
    Ok((file, bytes))
}
