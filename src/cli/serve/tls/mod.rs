//! The certificate of `onair serve` for RTMPS and HTTPS: from files, which are read again when they change, or the
//! server's own.

pub(in crate::cli) mod acme;
pub(in crate::cli) mod acme_values;

use serde_json::json;

use crate::cli::output::Output;
use crate::cli::serve::args::Args;
use crate::net::{CertificatePin, Identity};
use crate::server::{Config, Server};
use crate::studio::settings::{own_identity, read_certificate};
use crate::text::problem::{Problem, problem};

/// Returns the certificate in the files, if given.
pub(super) fn identity(args: &Args) -> Result<Option<Identity>, Problem> {
    let (Some(cert), Some(key)) = (&args.cert, &args.cert_key) else { return Ok(None) };
    read_certificate(cert, key).map(Some)
}

/// Adds the server's own certificate if HTTPS has none, and returns its fingerprint. `--check` makes no certificate.
pub(super) fn add_own_certificate(
    config: &mut Config,
    only_check: bool,
) -> Result<Option<CertificatePin>, Problem> {
    let Some(listen) = config.https.filter(|_| config.identity.is_none() && !only_check) else {
        return Ok(None);
    };
    let (identity, pin) = own_identity(config.http_names.clone(), listen.address.ip())?;
    config.identity = Some(identity);
    Ok(Some(pin))
}

/// Gives the server its new certificate, or reports why it keeps the old one.
pub(super) fn apply(server: &Server, read: Result<Identity, Problem>, output: &Output) {
    let error = match read {
        Ok(identity) => {
            let pin = identity.pin();
            server.set_identity(identity);
            let fields = json!({"sha256": pin.to_string()});
            output.event("certificate", fields, || {
                Some(output.say(&problem!("out-certificate-replaced")))
            });
            return;
        }
        Err(error) => error,
    };
    let why = output.say(&error);
    output.event("certificate", json!({"error": why}), || {
        Some(output.say(&problem!("out-certificate-kept", reason = error)))
    });
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_certificate_that_cannot_be_used_is_named_in_the_language_of_the_user() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (cert, why) in
            [("/none.pem", "there is no such file or folder"), ("", "no certificate")]
        {
            let cert = if cert.is_empty() { file.path() } else { Path::new(cert) };
            let args = Args {
                rtmps: "127.0.0.1:0".parse().ok(),
                cert: Some(cert.to_owned()),
                cert_key: Some(file.path().to_owned()),
                ..Args::default()
            };
            let refused = identity(&args).err().unwrap();
            let text = refused.to_string();
            assert!(text.contains(why) && text.contains(&*cert.to_string_lossy()), "{text}");
            assert_eq!(refused.id(), "serve-tls-file");
        }
    }
}
