//! Moderation of a chat with the server's token: `/api/v1/chats/{app}/{stream}`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use crate::server::http::operator::{Authorized, error, stream_names};
use crate::server::registry::Registry;
use crate::server::registry::chat::moderation::{ChatRules, MAX_SLOW_MODE_INTERVAL};
use crate::wire::chat::blocked_words::{BlockedWords, MAX_BLOCKED_WORDS};

/// Maximum length of a request in bytes.
const MAX_BODY_BYTES: usize = 64 << 10;
/// Maximum number of messages or people in a request.
const MAX_IDS: usize = 256;

/// The requested changes. Omitted fields keep their values.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Changes {
    delete: Vec<u64>,
    mute: Vec<u64>,
    unmute: Vec<u64>,
    slow_seconds: Option<u64>,
    blocked_words: Option<Vec<String>>,
}

/// Returns the last messages, the muted people and the rules.
pub(in crate::http) async fn chat(
    State(registry): State<Arc<Registry>>,
    _: Authorized,
    uri: Uri,
) -> Response {
    match stream_names(&uri) {
        Some((app, stream)) => state(&registry, &app, &stream),
        None => missing(),
    }
}

/// Deletes messages, mutes people, and sets rules. The rules are those of all chats of the server.
pub(in crate::http) async fn change(
    State(registry): State<Arc<Registry>>,
    _: Authorized,
    uri: Uri,
    body: Body,
) -> Response {
    let Some((app, stream)) = stream_names(&uri) else { return missing() };
    let (app, stream) = (app.as_str(), stream.as_str());
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return error(StatusCode::PAYLOAD_TOO_LARGE, "a request has at most 64 KiB");
    };
    let changes: Changes = match serde_json::from_slice(&body) {
        Ok(changes) => changes,
        Err(wrong) => return error(StatusCode::BAD_REQUEST, &wrong.to_string()),
    };
    if let Some(why) = changes.fault() {
        return error(StatusCode::UNPROCESSABLE_ENTITY, &why);
    }
    let chats = &registry.chats;
    let staff = |id: &&u64| chats.is_staff(app, stream, **id);
    if let Some(id) = changes.mute.iter().find(staff) {
        return not_muted(*id);
    }
    if !changes.delete.is_empty() && !chats.delete(app, stream, &changes.delete) {
        return missing();
    }
    let unknown = |ids: &[u64], act: &dyn Fn(u64) -> bool| -> Vec<u64> {
        ids.iter().copied().filter(|id| !act(*id)).collect()
    };
    let mut unknown_people = unknown(&changes.mute, &|id| chats.mute(app, stream, id).is_ok());
    unknown_people.extend(unknown(&changes.unmute, &|id| chats.unmute(app, stream, id)));
    if !unknown_people.is_empty() {
        let why = format!("this chat knows nobody with the number {unknown_people:?}");
        return error(StatusCode::NOT_FOUND, &why);
    }
    if changes.slow_seconds.is_some() || changes.blocked_words.is_some() {
        let was = chats.rules();
        chats.set_rules(ChatRules {
            slow: changes.slow_seconds.map_or(was.slow, Duration::from_secs),
            words: changes.blocked_words.map_or_else(|| was.words.clone(), BlockedWords::new),
        });
    }
    state(&registry, app, stream)
}

impl Changes {
    /// Returns the exceeded limit, if any.
    fn fault(&self) -> Option<String> {
        if [&self.delete, &self.mute, &self.unmute].iter().any(|ids| ids.len() > MAX_IDS) {
            return Some(format!("a request has at most {MAX_IDS} messages or people"));
        }
        if self.slow_seconds.is_some_and(|slow| slow > MAX_SLOW_MODE_INTERVAL.as_secs()) {
            return Some(format!("slow_seconds is at most {}", MAX_SLOW_MODE_INTERVAL.as_secs()));
        }
        let words = self.blocked_words.as_ref().map_or(0, Vec::len);
        (words > MAX_BLOCKED_WORDS)
            .then(|| format!("blocked_words has at most {MAX_BLOCKED_WORDS} words"))
    }
}

fn state(registry: &Registry, app: &str, stream: &str) -> Response {
    let (chats, rules) = (&registry.chats, registry.chats.rules());
    let posts = chats.posts(app, stream).unwrap_or_default();
    let messages: Vec<_> = posts
        .iter()
        .map(|post| {
            let line = &post.line;
            let role = post.role.name();
            json!({
                "id": post.id, "from": post.from, "name": line.name, "text": line.text, "role": role,
            })
        })
        .collect();
    let muted = chats.muted(app, stream);
    let muted: Vec<_> =
        muted.iter().map(|person| json!({ "from": person.id, "name": person.name })).collect();
    Json(json!({
        "app": app,
        "stream": stream,
        "open": chats.is_open(app, stream),
        "messages": messages,
        "muted": muted,
        "slow_seconds": rules.slow.as_secs(),
        "blocked_words": rules.words.words(),
    }))
    .into_response()
}

/// Returns the response to a request that would mute a member of the staff. It changes nothing.
fn not_muted(id: u64) -> Response {
    let why = format!("{id} is the streamer or a moderator, who cannot be muted");
    (StatusCode::CONFLICT, Json(json!({ "error": why, "reason": "staff" }))).into_response()
}

fn missing() -> Response {
    error(StatusCode::NOT_FOUND, "there is no such chat")
}
