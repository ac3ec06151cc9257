//! The flags of the built-in server.

use std::path::Path;

use crate::base::Secret;
use crate::cli::live::args::Args;
use crate::cli::live::targets::KeySource;
use crate::cli::output::exit::Exit;
use crate::net::srt::UrlError;
use crate::net::srt::url::checked;
use crate::studio::ServerFlags;
use crate::studio::settings::read_certificate;
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
        identity: identity.map_err(|why| (why, Exit::File))?,
        srt: args.srt,
        srt_passphrase: args.srt_passphrase_file.as_deref().map(read_passphrase).transpose()?,
    })
}
