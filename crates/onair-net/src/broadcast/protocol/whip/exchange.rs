//! The HTTP requests of WHIP (RFC 9725): the offer and its answer, and the end of the session.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::base::Secret;
use crate::base::sanitize::sanitized;
use crate::broadcast::protocol::whip::address::WhipAddress;
use crate::net::connect::Options;
use crate::net::web::{Client, Message, StallTimeout, WebResponse, WebUrl};
use crate::net::{Cause, ConnectStage, Error, Refusal, Step, WebProblem};
use crate::text::problem::problem;

/// The content type of offers and answers.
const SDP_TYPE: &str = "application/sdp";
/// Maximum size of an answer in bytes.
const MAX_ANSWER_BYTES: usize = 64 << 10;
/// Maximum size of the text of an error in bytes.
const MAX_ERROR_BYTES: usize = 4 << 10;
/// Maximum number of characters of such a text that the user sees.
const MAX_WORDS: usize = 200;
/// Maximum number of redirects.
const MAX_REDIRECTS: usize = 5;
/// Time limit of an answer, from its first byte to its last one.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Time limit for the end of a session for which nobody waits.
const DELETE_TIMEOUT: Duration = Duration::from_secs(2);
/// The content type of the parts of descriptions in a restart (RFC 8840).
const FRAGMENT_TYPE: &str = "application/trickle-ice-sdpfrag";
/// Maximum size of such a part in bytes.
const MAX_FRAGMENT_BYTES: usize = 16 << 10;
/// The entity tag by which a request is a restart, whatever the present state is (RFC 9725 §4.3.2).
const ANY_TAG: &str = "*";

/// A callback for the steps of a connection.
type Listener<'a> = dyn Fn(Step<'_>) + Send + Sync + 'a;

/// A session at the server. Dropping the value ends the session there, so that the server does not
/// keep the stream of a connection that nobody uses.
#[derive(Debug)]
pub(super) struct Session {
    /// The resource of the session, until the session has been ended.
    resource: Option<WebUrl>,
    token: Option<Secret>,
    options: Options,
    /// True if the server has named the state of ICE, which means that it takes restarts.
    has_tag: bool,
}

/// What a server answered to an offer.
#[derive(Debug)]
pub(super) struct Accepted {
    pub answer: String,
    pub session: Session,
    /// The endpoint after all redirects.
    pub endpoint: WebUrl,
}

/// Sends an offer, and follows redirects.
pub(super) async fn offer(
    address: &WhipAddress,
    offer: &str,
    options: &Options,
    on_step: &Listener<'_>,
) -> Result<Accepted, Error> {
    let mut at = address.clone();
    for _ in 0..=MAX_REDIRECTS {
        let mut client = Client::new(options.clone());
        let message = Message {
            method: "POST",
            content_type: Some(SDP_TYPE),
            body: offer.as_bytes(),
            bearer: at.token.as_ref(),
            ..Message::default()
        };
        let response = client.send(&at.url, &message, on_step).await?;
        let fail = |cause| failure(&at.url, cause);
        match response.status() {
            // The standard says 201, and some servers 200.
            200 | 201 => {
                let resource = response.location().map(|to| at.url.join(to)).transpose();
                let resource =
                    resource.map_err(|error| fail(Cause::Web(WebProblem::Nowhere(error))))?;
                let may_have_token =
                    resource.as_ref().is_some_and(|resource| may_have_token(&at.url, resource));
                let token = at.token.clone().filter(|_| may_have_token);
                let has_tag = response.field("etag").is_some();
                let options = options.clone();
                let session = Session { resource, token, options, has_tag };
                let answer = text(&mut client, response, MAX_ANSWER_BYTES).await?;
                return Ok(Accepted { answer, session, endpoint: at.url });
            }
            301 | 302 | 307 | 308 => {
                at = redirected(&at, &response, on_step).map_err(|it| failure(&at.url, it))?;
            }
            _ => return Err(refusal(&at.url, &mut client, response).await),
        }
    }
    Err(failure(&at.url, Cause::Web(WebProblem::RoundAndRound)))
}

/// Asks the server whether it has an endpoint there, which starts nothing.
pub(super) async fn check(
    address: &WhipAddress,
    options: &Options,
    on_step: &Listener<'_>,
) -> Result<(), Error> {
    let mut at = address.clone();
    for _ in 0..=MAX_REDIRECTS {
        let mut client = Client::new(options.clone());
        let bearer = at.token.as_ref();
        let message = Message { method: "OPTIONS", bearer, ..Message::default() };
        let response = client.send(&at.url, &message, on_step).await?;
        match response.status() {
            // A server may know the endpoint and not the method.
            200..=299 | 405 | 501 => return Ok(()),
            301 | 302 | 307 | 308 => {
                at = redirected(&at, &response, on_step).map_err(|it| failure(&at.url, it))?;
            }
            _ => return Err(refusal(&at.url, &mut client, response).await),
        }
    }
    Err(failure(&at.url, Cause::Web(WebProblem::RoundAndRound)))
}

/// Returns the address to which a server redirects, and reports it. The token goes along only to
/// the same server, and to an encrypted one of the same domain.
fn redirected(
    from: &WhipAddress,
    response: &WebResponse,
    on_step: &Listener<'_>,
) -> Result<WhipAddress, Cause> {
    let fail = Cause::Web;
    let to = from.url.join(response.location().unwrap_or_default());
    let to = to.map_err(|error| fail(WebProblem::Nowhere(error)))?;
    if from.url.is_secure() && !to.is_secure() {
        return Err(fail(WebProblem::Unsafe));
    }
    if to.is_websocket() {
        return Err(fail(WebProblem::OtherProtocol));
    }
    let token = from.token.clone().filter(|_| may_have_token(&from.url, &to));
    let has_secret = from.token.is_some() || from.url.has_credentials();
    let with_password = !has_secret || token.is_some() || to.has_credentials();
    let next = from.at(to, token);
    if next.url.endpoint() != from.url.endpoint() {
        on_step(Step::Elsewhere { to: &next.to_string(), with_password });
    }
    Ok(next)
}

/// Returns true if a server may get the token that was meant for another one. Large services
/// redirect to a server near the user, in the same domain.
fn may_have_token(from: &WebUrl, to: &WebUrl) -> bool {
    let (from, to) = (from.endpoint(), to.endpoint());
    if from.host == to.host {
        return from == to || (to.tls && !from.tls);
    }
    let is_name = |host: &str| host.parse::<std::net::IpAddr>().is_err();
    let domain = from.host.split_once('.').map(|(_, domain)| domain);
    let Some(domain) = domain.filter(|it| it.contains('.') && is_name(&from.host)) else {
        return false;
    };
    let is_within = to.host.strip_suffix(domain).is_some_and(|start| start.ends_with('.'));
    to.tls && is_within
}

fn failure(url: &WebUrl, cause: Cause) -> Error {
    Error { stage: ConnectStage::Request, cause, peer: url.endpoint().to_string() }
}

/// Returns the error for an answer that is not a success, with the words of the server.
async fn refusal(url: &WebUrl, client: &mut Client, response: WebResponse) -> Error {
    let status = response.status();
    let is_text = response.content_type().is_none_or(|it| {
        it.eq_ignore_ascii_case("text/plain") || it.to_ascii_lowercase().ends_with("json")
    });
    let words = match is_text {
        true => text(client, response, MAX_ERROR_BYTES).await.unwrap_or_default(),
        // A page says nothing about the endpoint.
        false => String::new(),
    };
    failure(url, cause_of(status, &words))
}

/// Returns the cause for a status and the first line of a text.
fn cause_of(status: u16, words: &str) -> Cause {
    let line = words.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line: String = line.chars().take(MAX_WORDS).collect();
    let description = sanitized(&line).into_owned();
    let refusal = match status {
        401 | 403 => Refusal::Unauthorized,
        404 | 405 | 410 => return Cause::NoEndpoint { status },
        409 => Refusal::Busy,
        429 | 500..=599 => Refusal::Failed,
        _ => Refusal::Rejected,
    };
    Cause::Status { refusal, code: format!("HTTP {status}"), description }
}

/// Reads the text of a response.
async fn text(client: &mut Client, response: WebResponse, most: usize) -> Result<String, Error> {
    let mut limit = StallTimeout::new(ANSWER_TIMEOUT, ANSWER_TIMEOUT);
    let peer = response.url().clone();
    let bytes = client.read(response, most, &mut limit).await?;
    String::from_utf8(bytes.to_vec())
        .map_err(|_| failure(&peer, Cause::Protocol(problem!("net-whip-answer"))))
}

impl Session {
    /// Returns true if the server has said that it takes restarts of ICE.
    pub fn takes_restarts(&self) -> bool {
        self.has_tag && self.resource.is_some()
    }

    /// Asks the server for another path, with the credentials and candidates of this side
    /// (RFC 9725 §4.3.2). Returns `None` if the server [takes no restarts](Self::takes_restarts). The
    /// request ends with the server's credentials and candidates, or `None` if it refuses.
    pub fn restart(&self, fragment: String) -> Option<BoxFuture<'static, Option<String>>> {
        let resource = self.resource.clone().filter(|_| self.has_tag)?;
        let (token, options) = (self.token.clone(), self.options.clone());
        Some(Box::pin(async move {
            let mut client = Client::new(options);
            let message = Message {
                method: "PATCH",
                content_type: Some(FRAGMENT_TYPE),
                body: fragment.as_bytes(),
                bearer: token.as_ref(),
                if_match: Some(ANY_TAG),
                ..Message::default()
            };
            let response = match client.send(&resource, &message, &|_| {}).await {
                Ok(response) => response,
                Err(error) => {
                    tracing::debug!(%error, "an ICE restart failed");
                    return None;
                }
            };
            tracing::debug!(status = response.status(), "asked for an ICE restart");
            // 204 would mean that the server has taken the request for new candidates only.
            if response.status() != 200 {
                return None;
            }
            text(&mut client, response, MAX_FRAGMENT_BYTES).await.ok()
        }))
    }

    /// Ends the session at the server.
    pub async fn end(mut self, limit: Duration) {
        if let Some(resource) = self.resource.take() {
            let _ = timeout(limit, delete(resource, self.token.take(), self.options.clone())).await;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(resource) = self.resource.take() else { return };
        // Outside of the runtime, the server detects the end by the silence.
        if let Ok(runtime) = Handle::try_current() {
            let (token, options) = (self.token.take(), self.options.clone());
            runtime.spawn(async move {
                let _ = timeout(DELETE_TIMEOUT, delete(resource, token, options)).await;
            });
        }
    }
}

async fn delete(resource: WebUrl, token: Option<Secret>, options: Options) {
    let message = Message { method: "DELETE", bearer: token.as_ref(), ..Message::default() };
    match Client::new(options).send(&resource, &message, &|_| {}).await {
        Ok(response) => tracing::debug!(status = response.status(), "ended a WHIP session"),
        Err(error) => tracing::debug!(%error, "ending a WHIP session failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_only_to_servers_of_the_same_domain() {
        let url = |text: &str| WebUrl::parse(text).unwrap();
        for (from, to, expected) in [
            ("https://whip.live.example/x", "https://eu.whip.live.example/y", true),
            ("https://global.whip.live.example/x", "https://eu.whip.live.example/y", true),
            ("https://whip.live.example/x", "https://whip.live.example/y", true),
            ("http://live.example/x", "https://live.example/x", true),
            ("http://live.example/x", "http://live.example:81/x", false),
            ("https://whip.live.example/x", "http://eu.live.example/y", false),
            ("https://whip.live.example/x", "https://evillive.example/y", false),
            ("https://live.example/x", "https://other.example/y", false),
            ("https://10.0.0.1/x", "https://9.0.0.1/y", false),
            ("https://localhost/x", "https://live.example/y", false),
        ] {
            assert_eq!(may_have_token(&url(from), &url(to)), expected, "{from} {to}");
        }
    }

    #[test]
    fn refusals_say_what_the_publisher_can_do() {
        let error = |status, words| {
            failure(&WebUrl::parse("https://h/x").unwrap(), cause_of(status, words))
        };
        assert!(!error(401, "").may_pass() && !error(404, "").may_pass());
        assert!(!error(422, "no H.264\nx").may_pass());
        assert!(
            error(409, "").may_pass() && error(503, "").may_pass() && error(429, "").may_pass()
        );
        let text = error(422, "\n  The offer has no H.264.\nsecond").to_string();
        assert!(text.contains("The offer has no H.264") && !text.contains("second"), "{text}");
    }
}
