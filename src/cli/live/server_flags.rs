//! The flags of the built-in server.

use std::path::Path;

use crate::base::Secret;
use crate::cli::live::args::Args;
use crate::cli::live::targets::KeySource;
use crate::cli::output::exit::Exit;
use crate::net::srt::UrlError;
use crate::net::srt::url::checked;
use crate::studio::settings::read_certificate;
use crate::studio::{ServerFlags, Target};
use crate::text::problem::{Problem, problem};

/// Reads the passphrase of SRT in a file.
pub(in crate::cli) fn read_passphrase(path: &Path) -> Result<Secret, (Problem, Exit)> {
    let named = |why: Problem| problem!("serve-srt-passphrase-file", reason = why);
    let found =
        KeySource::File(path.to_owned()).read().map_err(|(why, exit)| (named(why), exit))?;
    match checked(found.expose()) {
        Ok(passphrase) => Ok(passphrase),
        Err(UrlError::Passphrase(why) | UrlError::Address(why)) => Err((named(why), Exit::File)),
    }
}

/// Reads the files of the flags.
pub(super) fn read(args: &Args) -> Result<ServerFlags, (Problem, Exit)> {
    let files = args.cert.as_ref().zip(args.cert_key.as_ref());
    let identity = files.map(|(cert, key)| read_certificate(cert, key)).transpose();
    Ok(ServerFlags {
        https: args.https,
        acme: args.acme.config(true, true),
        identity: identity.map_err(|why| (why, Exit::File))?,
        srt: args.srt,
        srt_passphrase: args.srt_passphrase_file.as_deref().map(read_passphrase).transpose()?,
    })
}

/// Fails if a flag of the built-in server is given, and the server is not a target.
pub(super) fn check(args: &Args, targets: &[Target]) -> Result<(), (Problem, Exit)> {
    let flags = [
        ("--network", args.network),
        ("--https", args.https.is_some()),
        ("--srt", args.srt.is_some()),
        ("--play-key-env", args.play_key_env.is_some()),
        ("--play-key-file", args.play_key_file.is_some()),
        ("--name", !args.name.is_empty()),
        ("--cors", !args.cors.is_empty()),
    ];
    let is_target = targets.iter().any(|target| target.enabled && target.is_built_in());
    match flags.into_iter().find(|(_, is_given)| *is_given && !is_target) {
        Some((flag, _)) => Err((problem!("cli-no-server", flag = flag), Exit::Usage)),
        None => Ok(()),
    }
}

/// Returns the play key of the flags.
pub(super) fn play_key(args: &Args) -> Result<Option<Secret>, (Problem, Exit)> {
    let source = args.play_key_env.clone().map(KeySource::Env);
    let source = source.or_else(|| args.play_key_file.clone().map(KeySource::File));
    source.map(|source| source.read_for_links()).transpose()
}
