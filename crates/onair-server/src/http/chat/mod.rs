//! `/{app}/{stream}/chat`: the stream's chat as a WebSocket. Both sides send text messages of JSON
//! `{"name","text"}`; a message without a name is from the server itself. See [`ChatFrame`] for
//! other messages. If a client adds a `number` to a message, the server answers with
//! `{"passed": number}`, or adds the number to its own message.

pub(super) mod moderation;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};

use crate::server::access::admission::Purpose;
use crate::server::access::grant::{self, AdmittedViewer};
use crate::server::http::caller::Caller;
use crate::server::http::closing;
use crate::server::http::guard::{self, is_trusted};
use crate::server::http::refusals::no_such_stream;
use crate::server::registry::Registry;
use crate::server::registry::chat::{ChatMember, PostRefusal};
use crate::wire::chat::{ChatFrame, ChatLine, ChatRole, MAX_MESSAGE_BYTES};

/// Interval at which the server pings a silent client, before the connection counts as idle.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// Interval at which the server checks whether a stream has moved to another server, while that is possible.
const MOVE_CHECK_INTERVAL: Duration = Duration::from_millis(200);
/// This many invalid or excess messages in a row end the connection.
const MAX_BAD_MESSAGES: u32 = 20;

/// The sentence for pages of other origins, with the cure.
const OTHER_ORIGIN: &str = "Pages of this origin can only read the chat. The server's operator can \
                            add the origin to cors, or pass on Host in the proxy.";

/// Returns the response to a client that joins.
pub(super) fn upgraded(
    registry: Arc<Registry>,
    (caller, viewer): (Caller, AdmittedViewer),
    headers: &HeaderMap,
    (app, stream): (&str, &str),
    upgrade: WebSocketUpgrade,
) -> Response {
    if registry.find(app, stream).is_none() && !registry.chats.is_open(app, stream) {
        return no_such_stream();
    }
    let (AdmittedViewer { id: number, expelled, .. }, now) = (viewer, registry.clock.now());
    let Caller { address: peer, spot, .. } = caller;
    let seat = registry
        .admission
        .settle(&spot, Purpose::Play)
        .then(|| registry.chats.enter((app, stream), number, peer.ip(), now))
        .flatten();
    let Some(seat) = seat else {
        registry.admission.unsettle(&spot);
        return (StatusCode::SERVICE_UNAVAILABLE, "The chat is full.\n").into_response();
    };
    let is_moderator = guard::has_token(&registry, headers);
    let seat = seat.with_role(if is_moderator { ChatRole::Moderator } else { ChatRole::Viewer });
    tracing::debug!(%peer, app, is_moderator, "a person joins the chat");
    // If `*` allows every page, pages of other origins may read the chat but not write in the name
    // of their visitor.
    let may_talk = is_trusted(&registry.access().cors, headers);
    upgrade
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| talk(socket, (seat, expelled), registry, may_talk))
}

/// Passes on messages until either side closes.
async fn talk(
    mut socket: WebSocket,
    (mut seat, admitted): (ChatMember, u64),
    registry: Arc<Registry>,
    may_talk: bool,
) {
    for line in std::mem::take(&mut seat.past) {
        if socket.send(text(&line)).await.is_err() {
            return;
        }
    }
    let mut expelled = registry.expelled.subscribe();
    let mut ping = interval(PING_INTERVAL);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut check = interval(MOVE_CHECK_INTERVAL);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_draining = false;
    let (app, stream) = seat.stream();
    let (app, stream) = (app.to_owned(), stream.to_owned());
    let end = || closing::of_stream(&registry, (&app, &stream), "/chat");
    let mut bad = 0;
    loop {
        let mut missed = Vec::new();
        let answer = tokio::select! {
            () = registry.stopped() => Some(end()),
            _ = expelled.wait_for(|count| *count != admitted) => {
                Some(closing::of_client(&grant::expelled().to_string()))
            }
            () = registry.drains(), if !is_draining => {
                is_draining = true;
                None
            }
            _ = check.tick(), if is_draining => {
                registry.moved_to(&app, &stream).is_some().then(end)
            }
            _ = ping.tick() => Some(Message::Ping(Bytes::new())),
            frame = seat.frames.recv() => match frame {
                Ok(frame) => Some(text(&frame)),
                // The member has missed messages. Messages that the operator deleted must still
                // disappear.
                Err(RecvError::Lagged(_)) => {
                    missed = seat.missed();
                    None
                }
                Err(RecvError::Closed) => Some(end()),
            },
            received = socket.recv() => match received {
                Some(Ok(Message::Text(json))) => {
                    let (line, number) = (ChatLine::from_json(&json), number(&json));
                    let refused = match &line {
                        Some(line) if may_talk => {
                            seat.say(line, registry.clock.now()).err().map(not_passed)
                        }
                        Some(_) => Some(("origin", None, OTHER_ORIGIN)),
                        None => Some((
                            "invalid",
                            None,
                            "A chat message must be JSON: {\"name\",\"text\"}.",
                        )),
                    };
                    bad = if refused.is_none() { 0 } else { bad + 1 };
                    match refused {
                        Some((_, _, words)) if bad >= MAX_BAD_MESSAGES => Some(closing::of_client(words)),
                        Some(refused) => Some(own(refused, number)),
                        None => number.map(|number| text(&ChatFrame::Passed(number).to_json())),
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => None,
            },
        };
        for frame in missed {
            if socket.send(text(&frame.to_json())).await.is_err() {
                return;
            }
        }
        let Some(answer) = answer else { continue };
        let last = matches!(answer, Message::Close(_));
        if socket.send(answer).await.is_err() || last {
            return;
        }
    }
}

fn text(line: &str) -> Message {
    Message::Text(Utf8Bytes::from(line))
}

/// The reason why the server does not pass on a message: a word for clients, the seconds to wait,
/// and a sentence.
type Refused = (&'static str, Option<u64>, &'static str);

fn not_passed(why: PostRefusal) -> Refused {
    match why {
        PostRefusal::TooFast => ("fast", None, "That was too much at once: not passed on."),
        PostRefusal::Slow(wait) => {
            let seconds = wait.as_millis().div_ceil(1_000) as u64;
            ("slow", Some(seconds), "Slow mode is on: not passed on.")
        }
        PostRefusal::Muted => ("muted", None, "You are muted here: not passed on."),
        PostRefusal::Reserved => {
            ("reserved", None, "This name is that of the streamer or a moderator: not passed on.")
        }
        PostRefusal::Blocked => ("blocked", None, "A word in it is blocked here: not passed on."),
    }
}

/// Returns the number that the client gave to its message. The client recognizes the answer by it, because the text
/// that the server passes on may differ.
fn number(json: &str) -> Option<u64> {
    serde_json::from_str::<Value>(json).ok()?.get("number")?.as_u64()
}

/// Returns a message of the server itself, about the client's message with this number.
fn own((reason, wait, words): Refused, number: Option<u64>) -> Message {
    let mut message = json!({ "name": "", "text": words, "refused": reason });
    for (name, value) in [("wait", wait), ("number", number)] {
        if let (Some(value), Some(message)) = (value, message.as_object_mut()) {
            message.insert(name.to_owned(), json!(value));
        }
    }
    text(&message.to_string())
}
