//! The flags of `onair serve` for a certificate from an authority.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::output::Output;
use crate::cli::serve::args::{Args, Http};
use crate::net::Options;
use crate::net::tls::acme::{AcmeConfig, AcmeEvent, LETS_ENCRYPT};
use crate::net::tls::trust::Trust;
use crate::net::web::WebUrl;
use crate::server::{Config, Server};
use crate::text::Problem;
use crate::text::problem::problem;

/// Maximum length of a domain (RFC 1035 §2.3.4).
const MAX_DOMAIN_LENGTH: usize = 253;

/// Checks a domain for a certificate. Wildcards need a check over DNS, which onair cannot answer.
pub(in crate::cli::serve) fn check_domain(text: &str) -> Result<String, Problem> {
    let is_label = |label: &str| {
        let is_of_label = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(is_of_label)
    };
    let domain = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let is_address = domain.parse::<std::net::IpAddr>().is_ok();
    if domain.len() > MAX_DOMAIN_LENGTH || is_address || !domain.split('.').all(is_label) {
        return Err(problem!("serve-acme-domain", domain = text));
    }
    Ok(domain)
}

/// Checks the address of an authority.
pub(in crate::cli::serve) fn check_directory(text: &str) -> Result<String, Problem> {
    let url = WebUrl::parse(text).map_err(|error| Problem::from(&error))?;
    if url.is_secure() && !url.is_websocket() {
        Ok(text.trim().to_owned())
    } else {
        Err(problem!("serve-acme-directory"))
    }
}

/// Checks an address of a person.
pub(in crate::cli::serve) fn check_email(text: &str) -> Result<String, Problem> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'?');
    match text.split_once('@') {
        Some((name, host)) if is_plain && !name.is_empty() && check_domain(host).is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err(problem!("serve-acme-email")),
    }
}

/// Checks the flags that depend on each other.
pub(in crate::cli::serve) fn check(args: &Args) -> Result<(), Problem> {
    let has_acme = !args.acme.is_empty();
    if has_acme && (args.https.is_none() || args.cert.is_some()) {
        return Err(problem!("serve-acme-alone"));
    }
    let is_completed =
        args.acme_directory.is_some() || args.acme_email.is_some() || args.acme_ca.is_some();
    if is_completed && !has_acme {
        let flags = "--acme, --acme-directory, --acme-email, --acme-ca";
        return Err(problem!("serve-together", flags = flags));
    }
    Ok(())
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_of_a_certificate_are_names_without_wildcards() {
        assert_eq!(check_domain(" Live.Example.com. ").unwrap(), "live.example.com");
        assert_eq!(check_domain("localhost").unwrap(), "localhost");
        for bad in
            ["", "*.example.com", "192.0.2.1", "a..b", "https://a.example", "a b", "a.example:443"]
        {
            assert!(check_domain(bad).is_err(), "{bad}");
        }
        assert!(check_domain(&"a.".repeat(200)).is_err());
    }

    #[test]
    fn authorities_are_asked_over_https_only_and_mails_are_addresses() {
        assert!(check_directory("https://ca.example/dir").is_ok());
        for bad in ["http://ca.example/dir", "wss://ca.example/dir", "ca.example"] {
            assert!(check_directory(bad).is_err(), "{bad}");
        }
        assert!(check_email("me@example.com").is_ok());
        for bad in ["me", "@example.com", "a b@example.com", "me@x?subject=y"] {
            assert!(check_email(bad).is_err(), "{bad}");
        }
    }
}
