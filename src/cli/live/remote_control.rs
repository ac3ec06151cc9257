//! Remote control during `onair live`: the flags, and the server.

use serde_json::json;

use crate::base::Secret;
use crate::cli::live::args::Args;
use crate::cli::live::targets::KeySource;
use crate::cli::output::Output;
use crate::cli::output::exit::Exit;
use crate::cli::output::standard_error::announce;
use crate::net::random_hex;
use crate::remote::{ListenOptions, RemoteServer};
use crate::studio::Studio;
use crate::text::Problem;
use crate::text::problem::problem;

/// Returns where other programs can control onair, if the flags ask for it.
///
/// # Errors
/// Fails if the password cannot be read.
pub(super) fn read(args: &Args) -> Result<Option<ListenOptions>, (Problem, Exit)> {
    let Some(address) = args.obs_websocket else { return Ok(None) };
    let password = match args.obs_websocket_password_env.clone() {
        Some(name) => KeySource::Env(name).read()?,
        None => {
            let no_randomness = || (problem!("server-no-randomness"), Exit::Error);
            let text = random_hex().ok_or_else(no_randomness)?;
            // The user must see the password this once. From then on it is a secret, which every
            // other output hides.
            announce(&problem!("out-remote-password", password = text.as_str()));
            Secret::new(text)
        }
    };
    Ok(Some(ListenOptions { address, password }))
}

/// Starts the server, and prints its address.
///
/// # Errors
/// Fails if the address cannot be used.
pub(super) fn start(
    studio: &Studio,
    options: ListenOptions,
    output: &Output,
) -> Result<RemoteServer, Problem> {
    let asked = options.address.to_string();
    let server = RemoteServer::start(studio.link(), options).map_err(|error| {
        let flag = format!("--obs-websocket {asked}");
        problem!("cli-flag", flag = flag, reason = Problem::from(&error))
    })?;
    let address = server.address().to_string();
    let text = problem!("out-remote", address = address.as_str());
    let fields = json!({ "protocol": "obs-websocket", "address": address });
    output.event("remote", fields, || Some(output.say(&text)));
    Ok(server)
}
