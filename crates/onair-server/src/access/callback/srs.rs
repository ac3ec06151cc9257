//! JSON requests in the format of SRS (`http_hooks`).

use serde_json::{Value, json};

use crate::server::access::callback::exchange::{ReceiverAnswer, Verdict};
use crate::server::access::callback::visit::{Call, Visit};

/// The name of the only virtual host. SRS can have several.
const DEFAULT_VHOST: &str = "__defaultVhost__";
/// The id of this server and of this service in SRS requests.
const SERVER_ID: &str = "onair";

/// Returns the body of a request.
pub(super) fn json(visit: &Visit, call: &Call) -> String {
    let (app, stream) = (&visit.app, &visit.stream);
    let param = match visit.query.as_str() {
        "" => String::new(),
        query => format!("?{query}"),
    };
    let mut body = json!({
        "server_id": SERVER_ID,
        "service_id": SERVER_ID,
        "action": action(call),
        "client_id": visit.id.to_string(),
        "ip": visit.address.to_string(),
        "vhost": DEFAULT_VHOST,
        "app": app,
        "stream": stream,
        "param": param,
    });
    let mut add = |name: &str, value: Value| {
        if let Some(object) = body.as_object_mut() {
            object.insert(name.to_owned(), value);
        }
    };
    add("tcUrl", json!(visit.client.tc_url));
    if matches!(call, Call::Connect | Call::Play { .. }) {
        add("pageUrl", json!(visit.client.page_url));
    }
    if *call != Call::Connect {
        add("stream_url", json!(format!("/{app}/{stream}")));
        add("stream_id", json!(format!("{app}/{stream}")));
    }
    if let Call::RecordDone { path } = call {
        let folder = std::path::Path::new(path).parent().unwrap_or_else(|| "".as_ref());
        add("cwd", json!(folder.display().to_string()));
        add("file", json!(path));
    }
    body.to_string()
}

fn action(call: &Call) -> &'static str {
    match call {
        Call::Connect => "on_connect",
        Call::Publish { .. } => "on_publish",
        Call::Play { .. } => "on_play",
        Call::PublishDone => "on_unpublish",
        Call::PlayDone => "on_stop",
        Call::RecordDone { .. } => "on_dvr",
    }
}

/// Returns the decision: a status of 200 or 201 accepts if the body is `0`, or an object with the
/// code 0.
pub(super) fn verdict(answer: &ReceiverAnswer) -> Verdict {
    let body = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    let code = body.as_i64().or_else(|| body.get("code")?.as_i64());
    match (answer.status, code) {
        (200 | 201, Some(0)) => Verdict::Accept,
        _ => Verdict::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::access::callback::exchange::samples::{answer, visit};

    #[test]
    fn requests_have_the_fields_of_srs() {
        let of = |call: Call| serde_json::from_str::<Value>(&json(&visit(), &call)).unwrap();
        let publish = of(Call::Publish { kind: "live".to_owned() });
        assert_eq!(
            publish,
            json!({
                "server_id": "onair", "service_id": "onair", "action": "on_publish",
                "client_id": "7", "ip": "192.0.2.1", "vhost": "__defaultVhost__", "app": "live",
                "stream": "my show&x", "param": "?token=a.b&x=1", "tcUrl": "rtmp://host:1935/live",
                "stream_url": "/live/my show&x", "stream_id": "live/my show&x",
            })
        );
        assert_eq!(of(Call::play())["pageUrl"], "");
        assert_eq!(of(Call::PlayDone)["action"], "on_stop");
        let dvr = of(Call::RecordDone { path: "/r/a.flv".to_owned() });
        assert_eq!((&dvr["cwd"], &dvr["file"]), (&json!("/r"), &json!("/r/a.flv")));
    }

    #[test]
    fn a_zero_accepts() {
        for (status, body, accepted) in [
            (200, "0", true),
            (201, " 0\n", true),
            (200, "{\"code\":0,\"msg\":\"OK\"}", true),
            (200, "{\"code\":\"0\"}", false),
            (200, "{\"code\":1}", false),
            (200, "1", false),
            (200, "", false),
            (200, "{}", false),
            (204, "0", false),
            (302, "0", false),
            (500, "0", false),
        ] {
            let is_accepted = verdict(&answer(status, body)) == Verdict::Accept;
            assert_eq!(is_accepted, accepted, "{status} {body}");
        }
    }
}
