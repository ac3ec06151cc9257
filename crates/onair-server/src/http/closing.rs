//! The last message of a WebSocket: why the server closes it (RFC 6455 §7.4), and where the client finds the stream.

use axum::extract::ws::{CloseFrame, Message, close_code};

use crate::server::http::path::{encode, encode_name};
use crate::server::registry::Registry;
use crate::server::registry::http_successor::HttpSuccessor;

/// Maximum length of a reason in bytes (RFC 6455 §5.5).
const MAX_REASON_BYTES: usize = 123;

/// Returns the message for the end of a stream or of its chat. If another server has the stream, the code is 1012 and
/// the reason is the address there. `suffix` follows the name of the stream in the path.
pub(super) fn of_stream(registry: &Registry, (app, stream): (&str, &str), suffix: &str) -> Message {
    let is_stopping = registry.is_stopping();
    let successor = match is_stopping {
        true => registry.http_successor.lock().clone(),
        false => registry.moved_to(app, stream),
    };
    match successor {
        Some(successor) => moved(&successor, (app, stream), suffix),
        None if is_stopping => frame(close_code::AWAY, "The server stops.".to_owned()),
        None => frame(close_code::NORMAL, String::new()),
    }
}

/// Returns the message for a client that may not stay.
pub(super) fn of_client(reason: &str) -> Message {
    frame(close_code::POLICY, reason.to_owned())
}

fn moved(successor: &HttpSuccessor, (app, stream): (&str, &str), suffix: &str) -> Message {
    let origin = successor.to_string();
    // `http` becomes `ws`, and `https` becomes `wss`.
    let origin = origin.strip_prefix("http").map_or(origin.clone(), |rest| format!("ws{rest}"));
    let address = format!("{origin}/{}/{}{suffix}", encode(app), encode_name(stream));
    let fits = |text: &String| text.len() <= MAX_REASON_BYTES;
    frame(close_code::RESTART, Some(address).filter(fits).unwrap_or(origin))
}

fn frame(code: u16, reason: String) -> Message {
    let reason = Some(reason).filter(|reason| reason.len() <= MAX_REASON_BYTES).unwrap_or_default();
    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_learns_the_address_of_its_stream() {
        let of = |successor: &str, stream: &str| {
            let message = moved(&successor.parse().unwrap(), ("live", stream), ".flv");
            let Message::Close(Some(frame)) = message else { panic!("{message:?}") };
            assert_eq!(frame.code, 1012);
            frame.reason.to_string()
        };
        assert_eq!(of("http://next:8088", "show"), "ws://next:8088/live/show.flv");
        assert_eq!(of("https://next", "a b"), "wss://next/live/a%20b.flv");
        assert_eq!(of("http://next:8088", &"x".repeat(120)), "ws://next:8088", "it is too long");
        assert_eq!(of(&format!("http://{}", "x.".repeat(70)), "show"), "");
    }
}
