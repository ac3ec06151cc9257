//! The life of a relay: it connects to the addresses of its rule, one after the other, until something ends it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::base::{Secret, Timestamp};
use crate::net::rtmp::Options;
use crate::server::registry::relays::rules::RelayRule;
use crate::server::relay::attempts::Attempts;
use crate::server::relay::task::{RelayTask, ticks};
use crate::server::stream::relayed::RelayPath;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::rtmp::url::Url;

/// Time limit for connecting if the rule has further addresses.
pub(super) const FAIL_OVER_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The reason why a connection, or the relay, ends.
pub(super) enum End {
    /// The relay ends.
    Over(Problem),
    /// The server redirects the relay to this URL.
    Elsewhere(Url),
    /// The relay connects to the same address again, or to an address of its new rule, once [`Relaying::prepare`]
    /// returns.
    Again,
    /// The server has another publisher of the stream's name.
    Busy(Problem),
    Failed(Problem),
}

/// The destination of a connection.
#[derive(Copy, Clone)]
pub(super) struct Destination<'a> {
    /// The address in the rule.
    pub home: &'a Url,
    /// The address to connect to, which differs from `home` after a redirect.
    pub url: &'a Url,
    /// The rule of the address. A pull reconnects if a rule with other addresses replaces it.
    pub rule: &'a RelayRule,
}

/// The parts of a relay that differ between pushes and pulls.
pub(super) trait Relaying: Send {
    /// Time limit for the handshake and for each command if the rule has further addresses.
    const FAIL_OVER_COMMAND_TIMEOUT: Option<Duration>;

    fn task(&self) -> &Arc<RelayTask>;

    /// Waits until the relay may connect.
    ///
    /// # Errors
    /// Fails if the relay ends.
    fn prepare(&mut self) -> impl Future<Output = Result<(), Problem>> + Send;

    /// Returns the other servers on the path of the next connection.
    fn path(&mut self) -> RelayPath;

    /// Connects, and transfers the stream until something ends the connection.
    fn connection(
        &mut self,
        to: Destination<'_>,
        options: &Options,
    ) -> impl Future<Output = End> + Send;

    /// Records the end of a connection. Returns the time of its first media.
    fn disconnected(&mut self, now: Timestamp) -> Option<Timestamp>;

    /// Performs the regular checks. This function is called a few times per second, even without a
    /// connection.
    ///
    /// # Errors
    /// Fails if the relay has to end.
    fn check(&mut self) -> Result<(), Problem>;
}

/// Runs a relay. Returns why it ended.
pub(super) async fn run(relaying: &mut impl Relaying) -> Problem {
    let task = Arc::clone(relaying.task());
    loop {
        if let Err(why) = by_rule(relaying, &task.relay.rule()).await {
            return why;
        }
    }
}

/// Connects to the addresses of a rule until a rule with other addresses replaces it.
///
/// # Errors
/// Fails if the relay ends.
async fn by_rule<R: Relaying>(relaying: &mut R, rule: &RelayRule) -> Result<(), Problem> {
    let task = Arc::clone(relaying.task());
    let mut options = rule.options.clone();
    if rule.targets.len() > 1 {
        options.net.tcp_limit = options.net.tcp_limit.min(FAIL_OVER_CONNECT_TIMEOUT);
        options.net.proxy_limit = options.net.proxy_limit.min(FAIL_OVER_CONNECT_TIMEOUT);
        if let Some(limit) = R::FAIL_OVER_COMMAND_TIMEOUT {
            options.handshake_limit = options.handshake_limit.min(limit);
            options.command_limit = options.command_limit.min(limit);
        }
    }
    let mut attempts = Attempts::new(rule.targets.len(), task.registry.clock.now(), task.relay.id);
    let mut elsewhere = None;
    loop {
        relaying.prepare().await?;
        if task.relay.connects_unlike(rule) {
            return Ok(());
        }
        let target = rule.targets.get(attempts.target());
        let target = target.ok_or_else(|| problem!("relay-too-long"))?;
        let (app, stream) = (task.relay.app.as_str(), task.relay.stream.as_str());
        let home = target.of(app, stream);
        let (url, shown) = match elsewhere.take() {
            Some(url) => {
                let shown = without_secrets(&url);
                (url, shown)
            }
            None => (home.clone(), target.shown(app, stream)),
        };
        let path = relaying.path().with(&task.own_id());
        let path = path.ok_or_else(|| problem!("relay-too-long"))?;
        options.relay_path = Some(path.to_string());
        task.connecting(shown);
        let to = Destination { home: &home, url: &url, rule };
        let end = relaying.connection(to, &options).await;
        let now = task.registry.clock.now();
        let first_media = relaying.disconnected(now);
        let mut wait = None;
        let cause = match end {
            End::Over(why) => return Err(why),
            _ if task.relay.connects_unlike(rule) => return Ok(()),
            End::Again => continue,
            End::Elsewhere(next) if attempts.redirect(first_media, now) => {
                elsewhere = Some(next);
                continue;
            }
            End::Elsewhere(_) => problem!("net-sent-too-often"),
            End::Busy(cause) => {
                wait = attempts.busy(now);
                cause
            }
            End::Failed(cause) => cause,
        };
        let wait = wait.unwrap_or_else(|| attempts.fail(first_media, now));
        task.failed(cause, wait, attempts.has_tried_all());
        let pause = async {
            tokio::select! {
                () = sleep(wait) => {}
                () = task.relay.readdressed(rule) => {}
            }
        };
        meanwhile(relaying, pause).await?;
    }
}

/// Waits for `work` while the relay has no connection.
///
/// # Errors
/// Fails if the relay ends.
pub(super) async fn meanwhile<R: Relaying, T>(
    relaying: &mut R,
    work: impl Future<Output = T> + Send,
) -> Result<T, Problem> {
    let task = Arc::clone(relaying.task());
    let mut ticks = ticks();
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            () = task.stopped() => return Err(problem!("relay-stopped")),
            done = &mut work => return Ok(done),
            _ = ticks.tick() => relaying.check()?,
        }
    }
}

/// Returns the address to which another server redirects the relay, for display. The server may have added a token.
fn without_secrets(url: &Url) -> String {
    Url { stream: Secret::default(), ..url.clone() }.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_of_a_redirect_is_not_shown() {
        let home = Url::parse("rtmp://a.example/live/stream-key").unwrap();
        let shown = |to: &str| without_secrets(&home.asked_to(&home, Some(to)).unwrap());
        assert_eq!(shown("rtmp://b.example:1936/in"), "rtmp://b.example:1936/in");
        assert_eq!(shown("rtmp://b.example/in?token=abc"), "rtmp://b.example/in?***");
    }
}
