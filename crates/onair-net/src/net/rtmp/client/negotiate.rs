//! Connects as often as needed to find a port with RTMP, to get a handshake accepted, to
//! authenticate, and to follow redirects.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{Client, Listener, Options, SessionGoal, seed, stage_of};
use crate::base::Clock;
use crate::net::connect::Endpoint;
use crate::net::error::{Cause, ConnectStage, Error, FailedAttempt, NotRtmp, ProxyProblem, Step};
use crate::text::problem::problem;
use crate::wire::rtmp::auth;
use crate::wire::rtmp::client::{Config, Refused};
use crate::wire::rtmp::url::{Scheme, Url};

/// Maximum number of connections of one [`Client::connect`]. Authentication takes three
/// connections, and each redirect takes one more.
const MAX_CONNECTIONS: u32 = 8;
/// Maximum number of redirects.
const MAX_REDIRECTS: usize = 4;
/// A server that is silent for this long at the handshake may expect TLS.
const TLS_TRIAL_DELAY: Duration = Duration::from_secs(2);
/// Time limit of the trial of TLS.
const TLS_TRIAL_LIMIT: Duration = Duration::from_secs(3);
/// Time limit for connecting to a port and for the handshake, if another port can be tried.
const PORT_TIMEOUT: Duration = Duration::from_secs(4);

impl Client {
    /// Connects as often as needed to find a working port, to authenticate, and to follow
    /// redirects.
    pub(super) async fn negotiate(
        mut config: Config,
        options: &Options,
        clock: Clock,
        on_step: &Listener<'_>,
        until: SessionGoal,
    ) -> Result<Self, Error> {
        let mut hops = Hops::new(&config.url);
        for _ in 1..MAX_CONNECTIONS {
            let (client, refused) =
                match Self::try_ports(&mut config, options, clock, on_step, until).await? {
                    (client, None) => return Ok(client),
                    (client, Some(refused)) => (client, refused),
                };
            if refused.redirect.is_some() {
                send_on(&mut config, &refused, &mut hops, on_step)
                    .map_err(|cause| client.error(ConnectStage::Connect, cause))?;
            } else if !answer(&mut config, &refused, seed(clock)) {
                return Err(client.refusal(&refused));
            }
        }
        match Self::try_ports(&mut config, options, clock, on_step, until).await? {
            (client, None) => Ok(client),
            (client, Some(refused)) => Err(client.refusal(&refused)),
        }
    }

    /// Returns the error of a rejection.
    pub(super) fn refusal(&self, refused: &Refused) -> Error {
        let cause = Cause::Status {
            refusal: refused.refusal,
            code: refused.status.code.clone(),
            description: refused.status.description.clone(),
        };
        self.error(stage_of(refused.stage), cause)
    }

    /// Connects to the URL's port, or to the first of the configured ports that speaks RTMP, and
    /// keeps that port. A rejection is returned with its connection.
    async fn try_ports(
        config: &mut Config,
        options: &Options,
        clock: Clock,
        on_step: &Listener<'_>,
        until: SessionGoal,
    ) -> Result<(Self, Option<Box<Refused>>), Error> {
        let ports = match options.net.ports.as_slice() {
            ports if ports.is_empty() || config.url.names_port => vec![config.url.port],
            ports => ports.to_vec(),
        };
        let mut tried = Vec::new();
        for (at, port) in ports.iter().enumerate() {
            let last = at + 1 == ports.len();
            config.url.port = *port;
            let options = limited(options, config, last);
            let error = match Self::try_port(config, &options, clock, on_step, until).await {
                Ok(done) => {
                    config.url.names_port = true;
                    return Ok(done);
                }
                Err(error) => error,
            };
            if !depends_on_port(&error) || ports.len() == 1 {
                return Err(error);
            }
            tracing::info!(%error, stage = %error.stage, "connecting through this port failed");
            if !last {
                on_step(Step::NextPort(&error));
            }
            tried.push((*port, error));
        }
        Err(no_port(tried, &config.url.host))
    }

    /// Connects to one port. If the server closes the connection at the simple handshake, onair
    /// tries again with digests.
    async fn try_port(
        config: &mut Config,
        options: &Options,
        clock: Clock,
        on_step: &Listener<'_>,
        until: SessionGoal,
    ) -> Result<(Self, Option<Box<Refused>>), Error> {
        let simple = Self::try_handshake(config, options, clock, on_step, until).await;
        let Err(error) = simple else { return simple };
        if config.digests || !hung_up_at_handshake(&error) {
            return Err(error);
        }
        tracing::info!(%error, "the server closed the connection during the simple handshake: retrying with digests");
        on_step(Step::Digests(&error));
        config.digests = true;
        match Self::try_handshake(config, options, clock, on_step, until).await {
            // Digests do not help: restore the simple handshake.
            Err(again) if again.stage <= ConnectStage::Handshake => {
                config.digests = false;
                Err(error)
            }
            signed => signed,
        }
    }

    async fn try_handshake(
        config: &Config,
        options: &Options,
        clock: Clock,
        on_step: &Listener<'_>,
        until: SessionGoal,
    ) -> Result<(Self, Option<Box<Refused>>), Error> {
        let mut client = Self::open(config, options, clock, on_step).await?;
        let shakes = AtomicBool::new(true);
        let watched = |step: Step<'_>| {
            if matches!(step, Step::Stage(stage) if stage > ConnectStage::Handshake) {
                shakes.store(false, Ordering::Relaxed);
            }
            on_step(step);
        };
        let established = tokio::select! {
            biased;
            result = client.establish(&watched, until) => result,
            () = shows_tls(config, options, &shakes) => {
                let (stage, cause) = (ConnectStage::Handshake, Cause::NotRtmp(NotRtmp::Tls));
                let peer = Endpoint::of(&config.url).to_string();
                return Err(Error { stage, cause, peer });
            }
        };
        match established {
            Ok(()) => Ok((client, None)),
            Err((_, Some(refused))) => Ok((client, Some(Box::new(refused)))),
            Err((error, None)) => Err(error),
        }
    }
}

/// Waits until the server has been silent for a while at the handshake, and then tries TLS. Returns
/// only if the server speaks TLS on this port.
async fn shows_tls(config: &Config, options: &Options, shakes: &AtomicBool) {
    tokio::time::sleep(TLS_TRIAL_DELAY).await;
    let plain = !config.url.scheme.is_secure() && !config.url.scheme.is_tunnel();
    if !plain || !shakes.load(Ordering::Relaxed) || !speaks_tls(config, options).await {
        std::future::pending::<()>().await;
    }
}

/// Returns true if the server speaks TLS on the port, whatever its certificate.
async fn speaks_tls(config: &Config, options: &Options) -> bool {
    let endpoint = Endpoint { tls: true, ..Endpoint::of(&config.url) };
    let trial = crate::net::connect(&endpoint, &options.net, &|_: Step<'_>| {});
    match tokio::time::timeout(TLS_TRIAL_LIMIT, trial).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) => matches!(error.cause, Cause::Certificate { .. }),
        Err(_) => false,
    }
}

/// Returns the options for a port, and sets the session's limit for the handshake. Only the last
/// port gets the full time.
fn limited(options: &Options, config: &mut Config, last: bool) -> Options {
    let mut options = options.clone();
    if !last {
        options.net.tcp_limit = options.net.tcp_limit.min(PORT_TIMEOUT);
        options.net.proxy_limit = options.net.proxy_limit.min(PORT_TIMEOUT);
        options.handshake_limit = options.handshake_limit.min(PORT_TIMEOUT);
    }
    config.handshake_timeout = options.handshake_limit;
    options
}

/// Returns true if the server, rather than the network, may have rejected the handshake.
fn hung_up_at_handshake(error: &Error) -> bool {
    error.stage == ConnectStage::Handshake && matches!(error.cause, Cause::Closed | Cause::Reset)
}

/// Returns true if another port may work.
fn depends_on_port(error: &Error) -> bool {
    match error.stage {
        ConnectStage::Tcp | ConnectStage::Tls | ConnectStage::Handshake => match &error.cause {
            Cause::TrustFile { .. } | Cause::Bind { .. } => false,
            Cause::Proxy { problem, .. } => {
                matches!(problem, ProxyProblem::Refused(_) | ProxyProblem::Unreachable(_))
            }
            _ => true,
        },
        _ => false,
    }
}

/// Returns the error after all ports of a host have failed. If each port that answers has a bad
/// certificate, the error is about the first one, which the user can accept.
fn no_port(tried: Vec<(u16, Error)>, host: &str) -> Error {
    let is_bad_certificate = |error: &Error| matches!(error.cause, Cause::Certificate { .. });
    let mut answers =
        tried.iter().map(|(_, error)| error).filter(|it| it.stage > ConnectStage::Tcp);
    if let Some(first) = answers.next().filter(|it| is_bad_certificate(it))
        && answers.all(is_bad_certificate)
    {
        return first.clone();
    }
    let stage = tried.iter().map(|(_, error)| error.stage).max().unwrap_or(ConnectStage::Tcp);
    let attempt = |(port, error): (u16, Error)| FailedAttempt {
        port,
        stage: error.stage,
        cause: error.cause,
    };
    let cause = Cause::EveryPort(tried.into_iter().map(attempt).collect());
    Error { stage, cause, peer: host.to_owned() }
}

/// The visited addresses, to detect redirect loops.
struct Hops(Vec<(Scheme, String, u16, String)>);

impl Hops {
    fn new(url: &Url) -> Self {
        Self(vec![Self::place(url)])
    }

    fn place(url: &Url) -> (Scheme, String, u16, String) {
        (url.scheme, url.host.to_ascii_lowercase(), url.port, url.app.clone())
    }

    /// Adds an address. Fails for a repeated address, and for too many addresses.
    fn go(&mut self, url: &Url) -> Result<(), Cause> {
        let place = Self::place(url);
        if self.0.contains(&place) {
            return Err(Cause::Protocol(problem!("net-sent-in-a-circle")));
        }
        if self.0.len() > MAX_REDIRECTS {
            return Err(Cause::Protocol(problem!("net-sent-too-often")));
        }
        self.0.push(place);
        Ok(())
    }
}

/// Prepares the connection to the destination of a redirect.
fn send_on(
    config: &mut Config,
    refused: &Refused,
    hops: &mut Hops,
    on_step: &Listener<'_>,
) -> Result<(), Cause> {
    let target = refused.redirect.as_deref().unwrap_or_default();
    let url = config
        .url
        .redirected(target)
        .ok_or_else(|| Cause::Protocol(problem!("net-sent-nowhere")))?;
    hops.go(&url)?;
    let with_password = url.credentials.is_some() || config.url.credentials.is_none();
    tracing::info!(to = %url, with_password, "the server redirects to another address");
    on_step(Step::Elsewhere { to: &url.to_string(), with_password });
    // Each server gets the simple handshake first.
    (config.url, config.auth_query, config.digests) = (url, None, false);
    Ok(())
}

/// Prepares the next connection after a rejection with an authentication challenge. Returns false
/// if there is no challenge, if the URL has no credentials, or if the same response was already
/// rejected.
fn answer(config: &mut Config, refused: &Refused, seed: u64) -> bool {
    let Some((challenge, credentials)) =
        refused.challenge.as_ref().zip(config.url.credentials.as_ref())
    else {
        return false;
    };
    let client_challenge = format!("{:08x}", seed >> 32);
    let query = auth::next_query(challenge, credentials, &config.url.app, &client_challenge);
    let new = query.is_some() && query != config.auth_query;
    config.auth_query = query;
    new
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::error::CertificateProblem;
    use crate::wire::rtmp::client::{ClientStage, Purpose};
    use crate::wire::rtmp::status::{Level, Refusal, Status, code};

    #[test]
    fn a_redirect_begins_with_the_simple_handshake_again() {
        let url = Url::parse("rtmp://h/live/key").unwrap();
        let mut hops = Hops::new(&url);
        let mut config = Config { digests: true, ..Config::new(url, Purpose::Publish) };
        let refused = Refused {
            stage: ClientStage::Connect,
            refusal: Refusal::Rejected,
            status: Status::new(Level::Error, code::CONNECT_REJECTED, ""),
            challenge: None,
            redirect: Some("rtmp://elsewhere/live".to_owned()),
        };
        send_on(&mut config, &refused, &mut hops, &|_: Step<'_>| {}).unwrap();
        assert_eq!((config.url.host.as_str(), config.digests), ("elsewhere", false));
    }

    #[test]
    fn a_bad_certificate_on_the_only_port_that_answers_is_the_error() {
        let problem = CertificateProblem::UnknownIssuer;
        let certificate = Cause::Certificate { problem, presented: None };
        let failed = |port, stage, cause| (port, Error { stage, cause, peer: format!("h:{port}") });
        let closed = failed(1935, ConnectStage::Tcp, Cause::ConnectionRefused);
        let [first, second] =
            [443, 8443].map(|port| failed(port, ConnectStage::Tls, certificate.clone()));
        let tried = vec![closed.clone(), first.clone(), second];
        assert_eq!(no_port(tried, "h"), first.1);
        let other = failed(80, ConnectStage::Handshake, Cause::Closed);
        for tried in
            [vec![closed.clone()], vec![closed, first.clone(), other.clone()], vec![other, first]]
        {
            assert!(matches!(no_port(tried, "h").cause, Cause::EveryPort(_)));
        }
    }

    #[test]
    fn the_last_port_gets_the_whole_time_for_the_handshake() {
        let url = Url::parse("rtmp://h/live/key").unwrap();
        let mut config = Config::new(url, Purpose::Publish);
        let options = Options::default();
        for (last, limit) in [(false, PORT_TIMEOUT), (true, options.handshake_limit)] {
            let limited = limited(&options, &mut config, last);
            assert_eq!((limited.handshake_limit, config.handshake_timeout), (limit, limit));
        }
        assert!(options.handshake_limit > PORT_TIMEOUT);
    }
}
