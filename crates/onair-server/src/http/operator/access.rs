//! The rules for publishing and playing: `/api/v1/access`. Keys, passwords and callback URLs stay secret.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::net::connect::network::Network;
use crate::server::access::action::Action;
use crate::server::access::callback::rules::{CallKind, CallbackRules};
use crate::server::access::rules::AppRules;
use crate::server::registry::Registry;

/// Returns the rules of each application that has its own, sorted by name, and then those for all others.
pub(in crate::http) async fn rules(State(registry): State<Arc<Registry>>) -> Json<Value> {
    let access = registry.access();
    let login = registry.is_login_limited();
    let mut names: Vec<_> = access.rules.apps.keys().collect();
    names.sort_unstable();
    let apps = names.into_iter().map(|name| (Some(name), access.rules.of(name)));
    let apps = apps.chain([(None, &access.rules.others)]);
    let apps: Vec<_> = apps.map(|(name, rules)| app(name, rules, login)).collect();
    let tokens = &access.rules.tokens;
    Json(json!({
        "login": login,
        "tokens": {
            "secrets": tokens.secrets.len(),
            "key_set": tokens.key_set.is_some(),
            "audience": tokens.audience,
            "issuer": tokens.issuer,
        },
        "apps": apps,
    }))
}

fn app(name: Option<&String>, rules: &AppRules, login: bool) -> Value {
    let limits = rules.limits;
    json!({
        "app": name,
        "publish": action(rules, Action::Publish, login),
        "play": action(rules, Action::Play, false),
        "limits": {
            "streams": limits.streams,
            "viewers": limits.viewers,
            "bitrate": limits.bitrate,
            "width": limits.size.map(|(width, _)| width),
            "height": limits.size.map(|(_, height)| height),
        },
        "callbacks": rules.callbacks.as_ref().map(callbacks),
    })
}

fn action(app: &AppRules, action: Action, login: bool) -> Value {
    let rules = app.of(action);
    let networks = |list: &[Network]| list.iter().map(Network::to_string).collect::<Vec<_>>();
    json!({
        "keys": rules.keys.len(),
        "tokens": rules.tokens,
        "login": login,
        "allow": networks(&rules.addresses.allow),
        "deny": networks(&rules.addresses.deny),
        "callback": app.is_asked(action),
    })
}

fn callbacks(rules: &CallbackRules) -> Value {
    let kinds = CallKind::ALL.into_iter().filter(|kind| rules.urls.contains_key(kind));
    json!({
        "dialect": rules.dialect.name(),
        "calls": kinds.map(CallKind::name).collect::<Vec<_>>(),
        "timeout": rules.timeout.as_secs_f64(),
        "accepts_without_answer": rules.accepts_without_answer,
    })
}
