//! The flags of `onair serve` for a certificate from an authority.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::output::Output;
use crate::cli::serve::args::{Args, Http};
use crate::net::Options;
use crate::net::tls::acme::{AcmeConfig, AcmeEvent, LETS_ENCRYPT};
use crate::net::tls::trust::Trust;
use crate::server::{Config, Server};
use crate::text::problem::problem;

/// Returns what to ask the authority for, if the flags want a certificate.
pub(in crate::cli::serve) fn config(args: &Args) -> Option<AcmeConfig> {
    if args.acme.is_empty() {
        return None;
    }
    let folder = dirs::state_dir().or_else(dirs::data_local_dir).unwrap_or_default();
    let trust = Trust { ca_file: args.acme_ca.clone(), ..Trust::default() };
    Some(AcmeConfig {
        domains: args.acme.clone(),
        directory: args.acme_directory.clone().unwrap_or_else(|| LETS_ENCRYPT.to_owned()),
        email: args.acme_email.clone(),
        folder: folder.join("onair").join("acme"),
        options: Options { trust, ..Options::default() },
        over_tls: args.https.is_some(),
        over_http: args.http != Some(Http::None),
    })
}

/// Uses the kept certificate, and allows requests for the domains.
pub(in crate::cli::serve) fn prepare(config: &mut Config) {
    let Some(acme) = &config.acme else { return };
    config.http_names.extend(acme.domains.iter().cloned());
    config.identity = acme.kept().or_else(|| config.identity.take());
}

/// Returns the folder that must be writable.
pub(in crate::cli::serve) fn folder(config: &Config) -> Option<PathBuf> {
    config.acme.as_ref().map(|acme| acme.folder.join("certificate"))
}

/// Reports the changes of the certificate.
pub(in crate::cli::serve) fn report(server: &Server, domains: &str, output: &Output) {
    while let Some(event) = server.next_certificate() {
        match event {
            AcmeEvent::Issued { identity, ends } => {
                let pin = identity.pin().to_string();
                let fields = json!({"sha256": pin, "domains": domains, "valid_until": ends});
                output.event("certificate", fields, || {
                    Some(output.say(&problem!("out-certificate-issued", domains = domains)))
                });
            }
            AcmeEvent::Failed { reason, retry_in } => {
                let minutes = retry_in.as_secs().div_ceil(60);
                let why = problem!(
                    "out-certificate-failed",
                    domains = domains,
                    reason = &reason,
                    minutes = minutes.to_string()
                );
                let fields = json!({
                    "error": output.say(&why),
                    "domains": domains,
                    "retry_in": retry_in.as_secs(),
                });
                output.event("certificate", fields, || Some(output.say(&why)));
            }
        }
    }
}
