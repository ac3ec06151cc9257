//! The playlist of a broadcast from its start, while the server records it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;

use crate::server::access::grant::AdmittedViewer;
use crate::server::event::Protocol;
use crate::server::hls::Mode;
use crate::server::http::hls::answers::{
    PLAYLIST_TYPE, busy, disconnected, failed, is_known, viewer_key,
};
use crate::server::http::hls::recorded::{note, text_response};
use crate::server::http::hls::request::{HlsRequest, is_new};
use crate::server::http::path::encode_name;
use crate::server::http::refusals::too_many_viewers;
use crate::server::outputs::recordings::viewers::open;
use crate::server::recordings::name::stream_of;
use crate::server::recordings::opened::{OpenError, OpenRecording, VOD_APP};
use crate::server::recordings::playlist::broadcast::{
    BroadcastForm, BroadcastPlaylist, EVENT_PLAYLIST_NAME,
};
use crate::server::recordings::playlist::recording::master_of_list;
use crate::server::recordings::rules::Retention;
use crate::server::recordings::under_way::BroadcastFiles;
use crate::server::registry::Registry;

/// Maximum number of files that one request opens.
const MAX_OPENED_FILES: usize = 24;

/// The server does not know the last broadcast after a restart, or after broadcasts of many other streams.
const UNKNOWN_BROADCAST_TEXT: &str = "The server does not know the last broadcast of this stream. \
    Its recordings are at /vod/NAME.m3u8.\n";
const LONG_NAME_TEXT: &str = "The name of this stream is too long to play its recordings.\n";

/// Answers a request for the playlist of a stream. Players request the playlist again and again at the same address.
/// Without the pass in this address, each request would be another visit. So the first response is a multivariant
/// playlist, which contains the address with the pass.
pub(super) async fn event(request: &HlsRequest<'_>, viewer: AdmittedViewer) -> Response {
    let HlsRequest { registry, method, headers, path, query, app, stream, .. } = *request;
    let pass = request.pass.as_deref();
    let key = viewer_key(&request.caller, headers, Protocol::Hls);
    let rules = registry.rules();
    let is_on = rules.recording.playback && registry.config.hls.mode != Mode::Off;
    let Some(files) = registry.files.of_stream(app, stream).filter(|_| is_on) else {
        let is_recorded =
            registry.config.record.is_some() && is_on && rules.recording.of(app, stream).is_some();
        let text =
            if is_recorded { UNKNOWN_BROADCAST_TEXT } else { "This stream is not recorded.\n" };
        return failed(StatusCode::NOT_FOUND, text);
    };
    // The names of all files begin with the name of the stream.
    if files.parts.first().is_some_and(|path| !has_whole_name(path)) {
        return failed(StatusCode::NOT_FOUND, LONG_NAME_TEXT);
    }
    let now = registry.clock.now();
    let live = registry.hls.find(app, stream);
    if live.is_some_and(|it| it.is_barred(key, now))
        || registry.opened.is_barred(&files.parts, key, now)
    {
        return disconnected();
    }
    // The viewer may have been admitted with another file of the broadcast.
    registry.opened.refresh(&files.parts, key, now);
    let list = &files.list;
    let mut unknown = list.unknown(&files.parts, files.first);
    // The playlist begins after the last file that is gone.
    if let Some(path) = missing(list.to_check(now)).await.last() {
        list.note_gone(path);
        unknown = list.unknown(&files.parts, files.first);
    }
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
            Err(error) if error.is_of_short_file() && registry.files.is_writing(part) => {}
            Err(OpenError::Unreadable(error)) => {
                tracing::debug!(%error, "a file of a broadcast cannot be played");
                list.note_unreadable(part);
            }
        }
    }
    let root = "../".repeat(path.matches('/').count().saturating_sub(1));
    let keeps_all = registry.rules().recording.keep == Retention::default();
    let form = BroadcastForm { root: &root, ended: files.ended, keeps_all };
    let playlist = list.playlist(form, |version| is_known(headers, &tag(version)));
    match playlist {
        BroadcastPlaylist::Text(text) => {
            let is_first = pass.is_some_and(|pass| is_new(pass, query));
            if is_first && let Some(recording) = begins_with(registry, &files).await {
                let address = request.caller.address;
                if let Err(why) = note(registry, &recording, address, key, viewer) {
                    return too_many_viewers(why);
                }
                // A callback may have renamed the stream, and the pass opens only the stream with the new name.
                let list = format!("../../{}/hls/{EVENT_PLAYLIST_NAME}", encode_name(stream));
                let master = master_of_list(&recording.content(), &list);
                let head = (PLAYLIST_TYPE, tag(&format!("m{}", text.version)), text.ended);
                let client = (method, headers);
                return text_response((registry, app), client, head, master.into(), pass, false);
            }
            let head = (PLAYLIST_TYPE, tag(&text.version), text.ended);
            text_response((registry, app), (method, headers), head, text.text, pass, false)
        }
        BroadcastPlaylist::Empty => busy("There is no segment yet.\n"),
        BroadcastPlaylist::Gone => {
            failed(StatusCode::NOT_FOUND, "The recording of this broadcast was deleted.\n")
        }
    }
}

/// Returns the recording with which players begin: the newest one, or the first one of a broadcast that has ended.
async fn begins_with(
    registry: &Arc<Registry>,
    files: &BroadcastFiles,
) -> Option<Arc<OpenRecording>> {
    let mut parts: Vec<&PathBuf> = files.parts.iter().collect();
    if !files.ended {
        parts.reverse();
    }
    for part in parts.into_iter().take(MAX_OPENED_FILES) {
        let Ok(recording) = open(registry, part).await else { continue };
        let is_empty = recording.content().index.segments.is_empty();
        if !is_empty {
            return Some(recording);
        }
    }
    None
}

/// Returns true if the file has the complete name of its stream, so that the server knows who may play the file.
fn has_whole_name(path: &Path) -> bool {
    path.file_name().is_some_and(|name| stream_of(&name.to_string_lossy()).is_some())
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
