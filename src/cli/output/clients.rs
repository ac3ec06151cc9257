//! Prints events of the built-in server about refused clients, and about callbacks.

use serde_json::json;

use crate::cli::output::Output;
use crate::server;
use crate::text::problem::{Problem, problem};

/// Returns a name, if there is one.
fn named(name: &str) -> Option<&str> {
    Some(name).filter(|name| !name.is_empty())
}

/// Prints that the server refused a client.
pub(super) fn print_refusal(output: &Output, refusal: &server::Refusal) {
    let fields = json!({
        "action": refusal.action,
        "app": named(&refusal.app),
        "stream": named(&refusal.stream),
        "peer": refusal.address.to_string(),
        "protocol": refusal.protocol.map(server::Protocol::name),
        "cause": refusal.cause,
        "reason": output.say(&refusal.reason),
        "times": refusal.times,
    });
    output.event("refused", fields, || Some(output.say(&refusal_line(refusal))));
}

fn refusal_line(refusal: &server::Refusal) -> Problem {
    let (peer, reason) = (refusal.address.to_string(), &refusal.reason);
    if refusal.app.is_empty() {
        return problem!("out-refused", peer = peer, reason = reason);
    }
    let stream = format!("{}/{}", refusal.app, refusal.stream);
    problem!("out-refused-stream", peer = peer, stream = stream, reason = reason)
}

/// Prints the answer of a callback.
pub(super) fn print_callback(output: &Output, answer: &server::CallbackAnswer) {
    let took = u64::try_from(answer.took.as_millis()).unwrap_or(u64::MAX);
    let fields = json!({
        "callback": answer.callback,
        "host": answer.host,
        "id": answer.id,
        "app": named(&answer.app),
        "stream": named(&answer.stream),
        "state": answer.result.name(),
        "status": answer.status,
        "took_ms": took,
        "cause": answer.cause,
        "reason": answer.reason.as_ref().map(|reason| output.say(reason)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn a_refused_client_is_named_in_chinese_without_an_english_sentence() {
        let refusal = server::Refusal {
            address: [192, 0, 2, 1].into(),
            protocol: Some(server::Protocol::Rtmp),
            action: "publish",
            app: "live".to_owned(),
            stream: "show".to_owned(),
            cause: "wrong-key",
            reason: problem!("denied-wrong-key", action = "publish"),
            times: 1,
        };
        let say = |refusal: &server::Refusal| Language::Chinese.say(&refusal_line(refusal));
        assert_eq!(say(&refusal), "服务器：已拒绝 192.0.2.1 访问 live/show：推流密钥错误。");
        let early = server::Refusal { app: String::new(), ..refusal };
        assert_eq!(say(&early), "服务器：已拒绝 192.0.2.1：推流密钥错误。");
    }
}
