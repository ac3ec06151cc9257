//! Prints events of the built-in server about refused clients, and about callbacks.

use serde_json::json;

use crate::cli::output::Output;
use crate::server;
use crate::text::problem::problem;

/// Returns a name, if there is one.
fn named(name: &str) -> Option<&str> {
    Some(name).filter(|name| !name.is_empty())
}

/// Prints that the server refused a client.
pub(super) fn print_refusal(output: &Output, refusal: &server::Refusal) {
    let peer = refusal.address.to_string();
    let fields = json!({
        "action": refusal.action,
        "app": named(&refusal.app),
        "stream": named(&refusal.stream),
        "peer": peer,
        "protocol": refusal.protocol.map(server::Protocol::name),
        "cause": refusal.cause,
        "reason": refusal.reason,
        "times": refusal.times,
    });
    output.event("refused", fields, || {
        let reason = refusal.reason.clone();
        Some(output.say(&if refusal.app.is_empty() {
            problem!("out-refused", peer = peer, reason = reason)
        } else {
            let stream = format!("{}/{}", refusal.app, refusal.stream);
            problem!("out-refused-stream", peer = peer, stream = stream, reason = reason)
        }))
    });
}

/// Prints the answer of a callback.
pub(super) fn print_callback(output: &Output, answer: &server::CallbackAnswer) {
    let took = u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX);
    let fields = json!({
        "callback": answer.callback,
        "host": answer.host,
        "app": named(&answer.app),
        "stream": named(&answer.stream),
        "state": answer.result.name(),
        "status": answer.status,
        "took_ms": took,
        "cause": answer.cause,
        "reason": answer.reason,
        "times": answer.times,
    });
    output.event("callback", fields, || {
        let (name, host) = (answer.callback, answer.host.clone());
        let stream = match answer.stream.is_empty() {
            true => answer.app.clone(),
            false => format!("{}/{}", answer.app, answer.stream),
        };
        let text = match answer.status {
            Some(status) => problem!(
                "out-callback",
                name = name,
                host = host,
                stream = stream,
                status = u64::from(status),
                ms = took
            ),
            None => problem!(
                "out-callback-failed",
                name = name,
                host = host,
                stream = stream,
                ms = took,
                reason = answer.reason.clone().unwrap_or_default()
            ),
        };
        Some(output.say(&text))
    });
}
