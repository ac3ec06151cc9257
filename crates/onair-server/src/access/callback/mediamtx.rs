//! JSON requests in the format of MediaMTX (`authMethod: http`).

use serde_json::json;
use url::form_urlencoded;

use crate::base::Secret;
use crate::server::access::callback::exchange::{ReceiverAnswer, Verdict};
use crate::server::access::callback::visit::{Call, Visit};
use crate::server::event::Protocol;

/// Returns the user name, the password and the token of a client. They are empty if the client has none.
fn credentials(visit: &Visit) -> [String; 3] {
    let token = visit.secret.as_ref().map_or("", Secret::expose);
    if let Some((user, password)) = &visit.login {
        // The secret in `Bearer USER:PASSWORD` is no token for MediaMTX.
        let is_login = token.split_once(':') == Some((user.as_str(), password.expose()));
        let token = if is_login { "" } else { token };
        return [user.clone(), password.expose().to_owned(), token.to_owned()];
    }
    let parameter = |wanted: &str| {
        let mut pairs = form_urlencoded::parse(visit.query.as_bytes());
        pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    // If an RTMP client names no secret, its secret is the whole query, which is no token either.
    let token = if token == visit.query { "" } else { token };
    let [user, password] = ["user", "pass"].map(|name| parameter(name).unwrap_or_default());
    [user, password, token.to_owned()]
}

/// Returns true if a client that was refused has sent no credentials, and may send some.
pub(super) fn may_log_in(visit: &Visit) -> bool {
    credentials(visit).iter().all(String::is_empty)
}

/// Returns the body of a request.
pub(super) fn json(visit: &Visit, call: &Call) -> String {
    let action = match call {
        Call::Publish { .. } => "publish",
        _ => "read",
    };
    // MediaMTX has no HTTP-FLV, so FLV viewers have the protocol name of HLS viewers, who also
    // watch over HTTP.
    let protocol = match visit.protocol {
        Protocol::Rtmp => "rtmp",
        Protocol::Whep | Protocol::Whip => "webrtc",
        Protocol::Srt => "srt",
        _ => "hls",
    };
    let [user, password, token] = credentials(visit);
    json!({
        "ip": visit.address.to_string(),
        "user": user,
        "password": password,
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
        assert!(!may_log_in(&visit));
    }

    #[test]
    fn a_login_in_the_header_replaces_that_in_the_query() {
        let mut visit = visit();
        visit.login = Some(("me".to_owned(), "pw".into()));
        let of = |visit: &Visit| {
            let body: Value = serde_json::from_str(&json(visit, &Call::play())).unwrap();
            ["user", "password", "token"].map(|name| body[name].as_str().unwrap().to_owned())
        };
        assert_eq!(of(&visit), ["me", "pw", "a.b"]);
        visit.secret = Some("me:pw".into());
        assert_eq!(of(&visit), ["me", "pw", ""]);
        (visit.login, visit.secret, visit.query) = (None, None, "x=1".to_owned());
        assert_eq!(of(&visit), ["", "", ""]);
        assert!(may_log_in(&visit));
    }

    #[test]
    fn every_success_accepts() {
        let accepts = |status| verdict(&answer(status, "no")) == Verdict::Accept;
        assert!(accepts(200) && accepts(204));
        assert!(!accepts(199) && !accepts(302) && !accepts(401) && !accepts(500));
    }
}
