//! JSON requests in the format of MediaMTX (`authMethod: http`).

use serde_json::json;
use url::form_urlencoded;

use crate::base::Secret;
use crate::server::access::callback::exchange::{ReceiverAnswer, Verdict};
use crate::server::access::callback::visit::{Call, Visit};
use crate::server::event::Protocol;

/// Returns the body of a request.
pub(super) fn json(visit: &Visit, call: &Call) -> String {
    let parameter = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(visit.query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let action = match call {
        Call::Publish { .. } => "publish",
        _ => "read",
    };
    // MediaMTX has no HTTP-FLV, so FLV viewers have the protocol name of HLS viewers, who also
    // watch over HTTP.
    let protocol = match visit.protocol {
        Protocol::Rtmp => "rtmp",
        Protocol::Whep => "webrtc",
        _ => "hls",
    };
    // The secret of an RTMP client that names none is its whole query, which is no token for MediaMTX.
    let token = visit.secret.as_ref().map_or("", Secret::expose);
    let token = if token == visit.query { "" } else { token };
    json!({
        "ip": visit.address.to_string(),
        "user": parameter("user").unwrap_or_default(),
        "password": parameter("pass").unwrap_or_default(),
        "token": token,
        "action": action,
        "path": format!("{}/{}", visit.app, visit.stream),
        "protocol": protocol,
        "id": visit.id.to_string(),
        "query": visit.query,
        "userAgent": visit.client.client_software,
    })
    .to_string()
}

/// Returns the decision: a 2xx status accepts the client.
pub(super) fn verdict(answer: &ReceiverAnswer) -> Verdict {
    if (200..=299).contains(&answer.status) { Verdict::Accept } else { Verdict::Refuse }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::access::callback::exchange::samples::{answer, visit};
    use serde_json::Value;

    #[test]
    fn requests_have_the_fields_of_mediamtx() {
        let mut visit = visit();
        visit.query = "user=me&pass=p%20w".to_owned();
        let body: Value = serde_json::from_str(&json(&visit, &Call::play())).unwrap();
        assert_eq!(
            body,
            json!({
                "ip": "192.0.2.1", "user": "me", "password": "p w", "token": "a.b",
                "action": "read", "path": "live/my show&x", "protocol": "rtmp", "id": "7",
                "query": "user=me&pass=p%20w", "userAgent": "FMLE/3.0 (compatible)",
            })
        );
    }

    #[test]
    fn a_user_name_and_a_password_are_no_token() {
        let mut visit = visit();
        visit.query = "user=me&pass=pw".to_owned();
        visit.secret = Some(Secret::from(&*visit.query));
        let body: Value = serde_json::from_str(&json(&visit, &Call::play())).unwrap();
        assert_eq!([&body["user"], &body["password"], &body["token"]], ["me", "pw", ""]);
    }

    #[test]
    fn every_success_accepts() {
        let accepts = |status| verdict(&answer(status, "no")) == Verdict::Accept;
        assert!(accepts(200) && accepts(204));
        assert!(!accepts(199) && !accepts(302) && !accepts(401) && !accepts(500));
    }
}
