//! `onair serve token`: creates a token that is signed with a secret of the configuration.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use crate::cli::output::Output;
use crate::cli::output::exit::Exit;
use crate::cli::serve::args::TokenArgs;
use crate::cli::serve::config::Config;
use crate::server::access::NewClaims;
use crate::text::problem::problem;

/// Runs the command.
pub(super) fn run(args: &TokenArgs, output: &Output) -> Exit {
    let rules = match Config::read(&args.config) {
        Ok(config) => config.into_token_rules(),
        Err(why) => return output.refuse(&why, Exit::File),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let expires = now.as_secs().saturating_add(args.lasting.as_secs());
    let claims = NewClaims {
        subject: args.sub.clone(),
        actions: args.act.clone(),
        expires: i64::try_from(expires).unwrap_or(i64::MAX),
        addresses: args.ip.iter().map(ToString::to_string).collect(),
        audience: rules.audience.clone(),
        issuer: rules.issuer.clone(),
    };
    let Some(token) = rules.issue(&claims) else {
        return output.refuse(&problem!("serve-token-no-secret"), Exit::File);
    };
    // The token is the result of the command.
    let fields = json!({ "token": token.expose(), "expires": expires, "exit": 0 });
    output.event("token", fields, || Some(token.expose().to_owned()));
    Exit::Ok
}
