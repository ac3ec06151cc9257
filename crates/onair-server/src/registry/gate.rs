//! Decides for every protocol whether a client may publish or play a stream. The module checks
//! addresses first, then keys and tokens, and finally asks a callback.

use std::sync::Arc;

use crate::server::access::action::Action;
use crate::server::access::callback::calls::{Admitted, Callbacks, RecordCall};
use crate::server::access::callback::visit::{Call, Visit};
use crate::server::access::denied::Denied;
use crate::server::access::grant::Grant;
use crate::server::access::login_failures::GuessedSecret;
use crate::server::access::pass::Proof;
use crate::server::access::rules::ActionRules;
use crate::server::access::token::claims::TokenUse;
use crate::server::access::token::verify::is_token;
use crate::server::event::Refusal;
use crate::server::registry::Registry;

/// A client that wants to publish or play.
pub(crate) struct AccessRequest {
    pub action: Action,
    pub visit: Visit,
    /// The question for a callback. `None` for requests that cause no callback, such as those of a stream's chat.
    pub call: Option<Call>,
}

/// Decides whether a client may publish or play.
///
/// # Errors
/// Fails with the reason why the client may not.
pub(crate) async fn check(
    registry: Arc<Registry>,
    request: AccessRequest,
) -> Result<Grant, Denied> {
    let expelled = registry.expulsions();
    match decide(&registry, &request).await {
        Ok(grant) => Ok(Grant { expelled, ..grant }),
        Err(why) => {
            let AccessRequest { action, visit, call } = &request;
            let protocol = call.as_ref().map(|_| visit.protocol);
            let refusal = refusal_of(visit, action.name(), &why, *action);
            registry.reporter.refuse(Refusal { protocol, ..refusal });
            Err(why)
        }
    }
}

/// Returns true if a pass of these names opens the stream of the visit for a client at this address. The rules are
/// checked again with each request, so that a reload ends the passes of those whom it refuses. Callbacks are not asked
/// again.
pub(crate) fn admits_pass(
    registry: &Registry,
    pass: &str,
    visit: &Visit,
    names: (&str, &str),
) -> bool {
    let Visit { app, stream, address, .. } = visit;
    let access = registry.access();
    let play = access.rules.of(app).of(Action::Play);
    let own = registry.config.own_stream.as_ref();
    let own = own.filter(|own| own.app == *app && own.stream == *stream);
    let signers = if play.tokens { access.tokens.signers() } else { &[] };
    let secrets = play.keys.iter().map(Proof::Key).chain(signers.iter().map(Proof::Token));
    let callback = (!play.needs_secret()).then_some(Proof::Callback);
    let is_here = play.addresses.admits(*address);
    let proofs = secrets.chain(callback).filter(|_| is_here);
    let proofs = own.map(|own| Proof::Key(&own.key)).into_iter().chain(proofs);
    registry.passes.opens(pass, names, *address, registry.unix_seconds(), proofs)
}

fn refusal_of(visit: &Visit, action: &'static str, why: &Denied, of: Action) -> Refusal {
    Refusal {
        address: visit.address,
        protocol: Some(visit.protocol),
        action,
        app: visit.app.clone(),
        stream: visit.stream.clone(),
        cause: why.name(),
        reason: why.problem(of),
        times: 1,
    }
}

async fn decide(registry: &Arc<Registry>, request: &AccessRequest) -> Result<Grant, Denied> {
    let AccessRequest { action, visit, call } = request;
    let action = *action;
    if visit.stream.is_empty() {
        return Err(Denied::NoName);
    }
    if let Some(decision) = own_stream(registry, action, visit) {
        return decision;
    }
    let access = registry.access();
    let app = access.rules.of(&visit.app);
    let rules = app.of(action);
    if !rules.addresses.admits(visit.address) {
        return Err(Denied::Address);
    }
    let mut grant = Grant { limits: app.limits, ..Grant::default() };
    if rules.needs_secret() {
        check_secret(registry, rules, action, visit, &mut grant).await?;
    }
    if let (Some(call), Some(callbacks)) = (call, access.callbacks(&visit.app)) {
        ask(callbacks, visit, call, &mut grant).await?;
    }
    Ok(grant)
}

/// Decides whether an RTMP client may connect. The grant contains another application if a callback
/// changed it.
///
/// # Errors
/// Fails with the reason why the client may not.
pub(crate) async fn connect(registry: Arc<Registry>, visit: Visit) -> Result<Grant, Denied> {
    let mut grant = Grant::default();
    if let Some(callbacks) = registry.access().callbacks(&visit.app)
        && let Err(why) = ask(callbacks, &visit, &Call::Connect, &mut grant).await
    {
        registry.reporter.refuse(refusal_of(&visit, "connect", &why, Action::Play));
        return Err(why);
    }
    Ok(grant)
}

/// Returns the decision about onair's own stream, which onair itself publishes with the stream's
/// own key. onair also watches the stream with this key, whatever key viewers need.
fn own_stream(registry: &Registry, action: Action, visit: &Visit) -> Option<Result<Grant, Denied>> {
    let own = registry.config.own_stream.as_ref()?;
    if own.app != visit.app || own.stream != visit.stream {
        return None;
    }
    // This key cannot be guessed, and onair itself must not wait.
    let rules = ActionRules { keys: vec![own.key.clone()], ..ActionRules::default() };
    match (action, &visit.secret) {
        (_, Some(secret)) if rules.has_key(secret.expose()) => {
            Some(Ok(Grant { proven: true, is_own: true, ..Grant::default() }))
        }
        (Action::Publish, _) => Some(Err(Denied::WrongSecret)),
        (Action::Play, _) => None,
    }
}

/// Checks the key or token of a client.
async fn check_secret(
    registry: &Registry,
    rules: &ActionRules,
    action: Action,
    visit: &Visit,
    grant: &mut Grant,
) -> Result<(), Denied> {
    let secret = visit.secret.as_ref().ok_or(Denied::NoSecret)?.expose();
    grant.proven = true;
    let mut wrong = Denied::WrongSecret;
    if rules.tokens && is_token(secret) {
        let wanted = TokenUse {
            action,
            app: &visit.app,
            stream: &visit.stream,
            address: visit.address,
            now: i64::try_from(registry.unix_seconds()).unwrap_or(i64::MAX),
            audience: None,
            issuer: None,
        };
        let access = registry.access();
        match access.tokens.check(secret, wanted, registry.clock).await {
            // Signatures cannot be guessed, so a valid token is accepted even during the wait after
            // wrong attempts.
            Ok((claims, signer)) => {
                grant.signer = signer;
                grant.ends = Some(claims.ends());
                grant.networks = claims.networks();
                return Ok(());
            }
            Err(problem) if problem.is_forged() => wrong = Denied::Token(problem),
            Err(problem) => return Err(Denied::Token(problem)),
        }
    }
    let guessed = GuessedSecret::Key(registry.access().rules.own_name(&visit.app), action);
    let tried = registry.tries(visit.address, &guessed, || rules.has_key(secret));
    tried.map_err(|denied| match denied {
        Denied::WrongSecret => wrong,
        other => other,
    })
}

/// Asks a callback.
async fn ask(
    callbacks: &Arc<Callbacks>,
    visit: &Visit,
    call: &Call,
    grant: &mut Grant,
) -> Result<(), Denied> {
    grant.followed = callbacks.follows(call);
    let Admitted { renamed, done } = callbacks.admit(visit, call).await?;
    (grant.renamed, grant.done) = (renamed, done.map(Box::new));
    // This call does not depend on the others: pulled streams cause it too.
    grant.recorded = matches!(call, Call::Publish { .. })
        .then(|| Box::new(RecordCall::new(callbacks, visit.clone())));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Runtime;
    use crate::server::access::callback::calls::tests::Unreachable;
    use crate::server::access::callback::exchange::samples;
    use crate::server::access::callback::rules::CallKind;

    #[test]
    fn the_end_of_a_client_that_a_receiver_does_not_know_is_not_reported() {
        let runtime = Runtime::start().unwrap();
        let visit = samples::visit();
        // Without `on_play`, the receiver counts only the ends.
        for (kinds, reported) in
            [(&[CallKind::Play, CallKind::PlayDone][..], false), (&[CallKind::PlayDone][..], true)]
        {
            let receiver = Unreachable::new(&runtime, kinds, true);
            let mut grant = Grant::default();
            let call = Call::play();
            runtime.block_on(ask(&receiver.callbacks, &visit, &call, &mut grant)).unwrap();
            drop(grant);
            assert_eq!(!receiver.notices.is_idle(), reported, "{kinds:?}");
        }
    }

    #[test]
    fn the_recording_of_a_publisher_that_a_receiver_does_not_know_is_reported() {
        let runtime = Runtime::start().unwrap();
        let kinds = [CallKind::Publish, CallKind::PublishDone, CallKind::RecordDone];
        let receiver = Unreachable::new(&runtime, &kinds, true);
        let (visit, mut grant) = (samples::visit(), Grant::default());
        let call = Call::Publish { kind: "live".to_owned() };
        runtime.block_on(ask(&receiver.callbacks, &visit, &call, &mut grant)).unwrap();
        let recorded = grant.recorded.take().unwrap();
        drop(grant);
        assert!(receiver.notices.is_idle());
        recorded.finished("live-show.flv".as_ref());
        assert!(!receiver.notices.is_idle());
    }
}
