//! The flags of `onair serve` and `onair live` for a certificate from an authority.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::output::Output;
use crate::cli::serve::args::{Args, Http};
use crate::cli::serve::tls::acme_values::{check_directory, check_email};
use crate::net::Options;
use crate::net::tls::acme::domain::check_domain;
use crate::net::tls::acme::{AcmeConfig, AcmeEvent};
use crate::net::tls::trust::Trust;
use crate::server::{Config, Server};
use crate::text::problem::problem;

/// Returns what to ask the authority for, if the flags want a certificate.
pub(in crate::cli::serve) fn config(args: &Args) -> Option<AcmeConfig> {
    let flags = AcmeFlags {
        acme: args.acme.clone(),
        acme_directory: args.acme_directory.clone(),
        acme_email: args.acme_email.clone(),
        acme_ca: args.acme_ca.clone(),
    };
    flags.config(args.https.is_some(), args.http != Some(Http::None))
}

/// The flags of `onair live` for a certificate from an authority.
#[derive(Clone, Debug, Default, clap::Args)]
pub(in crate::cli) struct AcmeFlags {
    /// Get the certificate of --https for this domain from an authority (repeatable), which must reach --https at
    /// port 443, or the pages at port 80 of the domain. With this flag, you agree to the authority's terms of service
    #[arg(long, value_name = "DOMAIN", value_parser = check_domain, requires = "https",
          conflicts_with = "cert", help_heading = "Targets")]
    acme: Vec<String>,
    /// Directory of the authority for --acme [default: Let's Encrypt]
    #[arg(long, value_name = "URL", value_parser = check_directory, requires = "acme",
          help_heading = "Targets")]
    acme_directory: Option<String>,
    /// Address to which the authority for --acme may write
    #[arg(long, value_name = "ADDRESS", value_parser = check_email, requires = "acme",
          help_heading = "Targets")]
    acme_email: Option<String>,
    /// Certificates (PEM) that --acme trusts besides those of the system, for an authority of your own
    #[arg(long, value_name = "FILE", requires = "acme", help_heading = "Targets")]
    acme_ca: Option<PathBuf>,
}

impl AcmeFlags {
    /// Returns what to ask the authority for, which can check the domains in these ways.
    pub(in crate::cli) fn config(&self, over_tls: bool, over_http: bool) -> Option<AcmeConfig> {
        if self.acme.is_empty() {
            return None;
        }
        let trust = Trust { ca_file: self.acme_ca.clone(), ..Trust::default() };
        let usual = AcmeConfig::usual(self.acme.clone());
        Some(AcmeConfig {
            directory: self.acme_directory.clone().unwrap_or_else(|| usual.directory.clone()),
            email: self.acme_email.clone(),
            options: Options { trust, ..Options::default() },
            over_tls,
            over_http,
            ..usual
        })
    }
}

/// Uses the kept certificate, and allows requests for the domains.
pub(in crate::cli::serve) fn prepare(config: &mut Config) {
    if let Some(acme) = config.acme.take() {
        config.use_authority(acme);
    }
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
