//! The playlist of a broadcast from its start, while the server records it.

use std::path::PathBuf;
use std::sync::Arc;

use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;

use crate::server::hls::Mode;
use crate::server::hls::viewers::ViewerKey;
use crate::server::http::hls::answers::{PLAYLIST_TYPE, busy, disconnected, failed, is_known};
use crate::server::http::hls::recorded::text_response;
use crate::server::http::path::encode_name;
use crate::server::outputs::recordings::viewers::open;
use crate::server::recordings::opened::{OpenError, VOD_APP};
use crate::server::recordings::playlist::broadcast::{BroadcastForm, BroadcastPlaylist};
use crate::server::recordings::rules::Retention;
use crate::server::registry::Registry;

/// Maximum number of files that one request opens.
const MAX_OPENED_FILES: usize = 24;

/// Answers a request for the playlist of this stream; `path` is the request's path.
pub(super) async fn event(
    registry: &Arc<Registry>,
    ((method, headers), key): ((&Method, &HeaderMap), ViewerKey),
    path: &str,
    (app, stream): (&str, &str),
    pass: Option<&str>,
) -> Response {
    let is_on = registry.rules().recording.playback && registry.config.hls.mode != Mode::Off;
    let Some(files) = registry.files.of_stream(app, stream).filter(|_| is_on) else {
        return failed(StatusCode::NOT_FOUND, "This stream is not recorded.\n");
    };
    let now = registry.clock.now();
    let mut live = registry.hls.all().into_iter();
    let live = live.find(|it| it.stream.app == app && it.stream.name == stream);
    if live.is_some_and(|it| it.is_barred(key, now))
        || registry.opened.is_barred(&files.parts, key, now)
    {
        return disconnected();
    }
    let list = &files.list;
    let mut unknown = list.unknown(&files.parts);
    let gone = missing(list.to_check(now)).await;
    gone.iter().for_each(|path| list.note_gone(path));
    unknown.retain(|path| !gone.contains(path));
    for (index, part) in unknown.iter().enumerate() {
        if index >= MAX_OPENED_FILES {
            // The next request reads the rest.
            return busy("The files of the broadcast are being read.\n");
        }
        match open(registry, part).await {
            Ok(recording) => {
                let folder = format!("{VOD_APP}/{}/hls/", encode_name(&recording.name));
                list.note(&recording, &folder);
            }
            Err(OpenError::Missing) => list.note_gone(part),
            Err(OpenError::Busy) => return busy("The recording cannot be read now.\n"),
            // The file has no segment yet.
            Err(OpenError::Unreadable(_)) if registry.files.is_writing(part) => {}
            Err(OpenError::Unreadable(error)) => {
                tracing::debug!(%error, "a file of a broadcast cannot be played");
                list.note_unreadable(part);
            }
        }
    }
    let root = "../".repeat(path.matches('/').count().saturating_sub(1));
    let keeps_all = registry.rules().recording.keep == Retention::default();
    let form = BroadcastForm { root: &root, ended: files.ended, keeps_all };
    match list.playlist(form, |version| is_known(headers, &tag(version))) {
        BroadcastPlaylist::Text(text) => {
            let head = (PLAYLIST_TYPE, tag(&text.version), text.ended);
            text_response(registry, (method, headers), head, text.text, pass, false)
        }
        BroadcastPlaylist::Empty => busy("There is no segment yet.\n"),
        BroadcastPlaylist::Gone => {
            failed(StatusCode::NOT_FOUND, "The recording of this broadcast was deleted.\n")
        }
    }
}

fn tag(version: &str) -> String {
    format!("\"{version}\"")
}

/// Returns the files that no longer exist.
async fn missing(mut files: Vec<PathBuf>) -> Vec<PathBuf> {
    if files.is_empty() {
        return files;
    }
    let look = move || {
        files.retain(|path| {
            path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
        });
        files
    };
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}
