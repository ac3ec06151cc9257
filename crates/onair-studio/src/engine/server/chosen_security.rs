//! Applies what the settings choose for SRT and HTTPS (`security`) to the built-in server, after the flags.

use std::time::Instant;

use crate::base::Secret;
use crate::net::Identity;
use crate::net::srt::url::checked;
use crate::net::tls::acme::AcmeConfig;
use crate::net::tls::acme::domain::check_domain;
use crate::studio::engine::Engine;
use crate::studio::engine::server::BuiltIn;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::CertificateFiles;
use crate::studio::settings::stream_keys::KeyOwner;
use crate::studio::targets::sharing::{ServerCertificate, check_names};
use crate::text::Problem;

/// The name under which the passphrase is stored.
const PASSPHRASE_NAME: &str = "srt-passphrase";

impl BuiltIn {
    /// Returns the passphrase that SRT clients need.
    pub(super) fn srt_passphrase(&self) -> Option<Secret> {
        self.flags.srt_passphrase.clone().or_else(|| self.security.passphrase.clone())
    }

    /// Returns the certificate in files, if there is one.
    pub(super) fn given_identity(&self) -> Option<&Identity> {
        let chosen = self.security.identity.as_ref().filter(|_| self.flags.acme.is_none());
        self.flags.identity.as_ref().or(chosen)
    }

    /// Returns the authority that issues the certificate, if there is one.
    pub(super) fn authority(&self) -> Option<&AcmeConfig> {
        let chosen = self.security.authority.as_ref().filter(|_| self.flags.identity.is_none());
        self.flags.acme.as_ref().or(chosen)
    }

    /// Returns the names by which browsers may address the server.
    pub(super) fn host_names(&self) -> Vec<String> {
        let domains = self.authority().into_iter().flat_map(|it| &it.domains);
        self.names.hosts.iter().chain(domains).cloned().collect()
    }

    /// Replaces the given certificate by a newer one in the same files.
    pub(super) fn renew_identity(&mut self, identity: Identity) {
        match self.flags.identity.is_some() {
            true => self.flags.identity = Some(identity),
            false => self.security.identity = Some(identity),
        }
    }

    /// Sets the passphrase that SRT clients need. Connections that exist stay.
    fn set_srt_passphrase(&mut self, passphrase: Option<Secret>) {
        self.security.passphrase = passphrase;
        self.reload();
    }

    /// Uses this certificate for new clients. An authority is asked from the next start of the server on.
    ///
    /// # Errors
    /// Fails if the certificate cannot be used. The earlier one then stays.
    fn set_certificate(&mut self, chosen: &ServerCertificate) -> Result<(), Problem> {
        // The fields show what the user has entered, even if it is not used.
        self.security.certificate.clone_from(chosen);
        self.security.choose(chosen)?;
        self.certificate_files = CertificateFiles::of(self.given_identity(), Instant::now());
        // The present certificate stays until an authority can be asked, at the next start.
        if self.authority().is_some() {
            return Ok(());
        }
        let Some(listen) = self.https_listen() else { return Ok(()) };
        let identity = self.https_identity(listen)?;
        if let Some(server) = &self.server {
            server.set_identity(identity);
        }
        Ok(())
    }
}

impl Engine {
    /// Requests the stored passphrase of SRT, and reports a certificate that cannot be used.
    pub fn fetch_srt_passphrase(&mut self) {
        if let Some(reason) = self.built_in.security.problem.take() {
            self.notices.raise(&StudioMessage::CertificateKept { reason }, "");
        }
        if let Some(keys) = self.secrets.keys.as_ref().filter(|_| self.settings.srt_passphrase) {
            keys.load(KeyOwner::SrtClients, PASSPHRASE_NAME);
            self.secrets.pending = true;
        }
    }

    /// Takes the stored passphrase. If it is lost, the server stays closed for SRT clients.
    pub fn srt_passphrase_loaded(&mut self, passphrase: Option<Secret>) {
        if let Some(passphrase) = passphrase.filter(|_| self.settings.srt_passphrase) {
            self.built_in.set_srt_passphrase(Some(passphrase));
        }
    }

    /// Sets the passphrase of SRT; an empty one means none.
    pub fn set_srt_passphrase(&mut self, passphrase: &Secret) {
        let passphrase = match passphrase.expose().trim() {
            "" => None,
            text => match checked(text) {
                Ok(passphrase) => Some(passphrase),
                // The window has reported a wrong passphrase.
                Err(_) => return,
            },
        };
        self.settings.srt_passphrase = passphrase.is_some();
        if let Some(keys) = &self.secrets.keys {
            match &passphrase {
                Some(passphrase) => keys.keep_or_file(PASSPHRASE_NAME, passphrase),
                None => keys.forget(PASSPHRASE_NAME),
            }
        }
        self.changed();
        self.built_in.set_srt_passphrase(passphrase);
    }

    /// Sets where the certificate of HTTPS comes from.
    pub fn set_server_certificate(&mut self, chosen: &ServerCertificate) {
        let domains = check_names(chosen.domains.iter().map(String::as_str), check_domain);
        // The window has reported bad domains.
        let Ok(domains) = domains else { return };
        let [cert, key] = [&chosen.cert, &chosen.key].map(|path| path.trim().to_owned());
        let chosen = ServerCertificate { cert, key, domains };
        if chosen == self.settings.server_certificate {
            return;
        }
        self.notices.take_back("certificate-kept");
        if let Err(reason) = self.built_in.set_certificate(&chosen) {
            self.notices.raise(&StudioMessage::CertificateKept { reason }, "");
        }
        self.settings.server_certificate = chosen;
        self.changed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Clock;
    use crate::net::{OwnCertificate, Runtime};
    use crate::studio::engine::handlers::live::tests::at_rest;
    use crate::studio::engine::server::Serve;
    use crate::studio::engine::server::flags::ServerFlags;
    use crate::studio::settings::Settings;
    use crate::studio::targets::sharing::ServerReach;

    /// Writes a certificate and its key, and returns their paths.
    fn written(folder: &std::path::Path) -> ServerCertificate {
        let own = OwnCertificate::generate(&["localhost".to_owned()]).unwrap();
        let text = own.to_text();
        let mut lines = text.expose().lines();
        let [cert, key] = ["CERTIFICATE", "PRIVATE KEY"].map(|label| {
            let (file, part) = (folder.join(label), lines.next().unwrap());
            let pem = format!("-----BEGIN {label}-----\n{part}\n-----END {label}-----\n");
            std::fs::write(&file, pem).unwrap();
            file.display().to_string()
        });
        ServerCertificate { cert, key, domains: Vec::new() }
    }

    #[test]
    fn the_certificate_of_the_settings_serves_at_once_unless_it_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let chosen = written(folder.path());
        let reach = ServerReach { https: true, ..ServerReach::default() };
        let settings = Settings { reach, ..Settings::default() };
        let runtime = Runtime::start().unwrap();
        let mut built_in = BuiltIn::new(Serve::WhenNeeded, None, None, &settings);
        built_in.start(&runtime, Clock::start()).unwrap();
        let own = built_in.figures().https_fingerprint;
        assert!(!own.is_empty(), "onair has made it");
        built_in.set_certificate(&chosen).unwrap();
        assert_eq!(built_in.figures().https_fingerprint, "", "that of the files");
        let pin = built_in.given_identity().unwrap().pin();
        let missing = ServerCertificate { key: "/nowhere".to_owned(), ..chosen };
        assert_eq!(built_in.set_certificate(&missing).unwrap_err().id(), "serve-tls-file");
        assert_eq!(built_in.given_identity().unwrap().pin(), pin, "the earlier one stays");
        assert_eq!(built_in.figures().certificate, missing, "what the user has entered");
        built_in.set_certificate(&ServerCertificate::default()).unwrap();
        assert_eq!(built_in.figures().https_fingerprint, own, "its own one again");
        built_in.shutdown();
    }

    #[test]
    fn flags_precede_the_settings_and_domains_are_names_of_the_server() {
        let domains = vec!["live.example.com".to_owned()];
        let server_certificate = ServerCertificate { domains, ..ServerCertificate::default() };
        let settings = Settings { server_certificate, srt_passphrase: true, ..Settings::default() };
        let built_in = BuiltIn::new(Serve::WhenNeeded, None, None, &settings);
        assert_eq!(built_in.host_names(), ["live.example.com"]);
        let unknown = built_in.srt_passphrase().unwrap();
        assert!(checked(unknown.expose()).is_ok(), "nobody knows it, but it is one");
        let given = Secret::new("planted-passphrase");
        let srt_passphrase = Some(given.clone());
        let flags = ServerFlags { srt_passphrase, ..ServerFlags::default() };
        assert_eq!(built_in.with_flags(flags).srt_passphrase(), Some(given));
    }

    #[test]
    fn a_passphrase_is_stored_as_a_key_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let (mut engine, _ends) = at_rest(Some(folder.path()));
        engine.set_srt_passphrase(&Secret::new("short"));
        assert!(!engine.settings.srt_passphrase, "too short");
        engine.set_srt_passphrase(&Secret::new(" planted-passphrase "));
        assert!(engine.settings.srt_passphrase && engine.built_in.figures().srt_passphrase);
        assert_eq!(engine.built_in.srt_passphrase().unwrap().expose(), "planted-passphrase");
        let file = folder.path().join("written.toml");
        engine.settings.write(&file).unwrap();
        assert!(!std::fs::read_to_string(file).unwrap().contains("planted"));
        assert!(!format!("{:?}", engine.built_in).contains("planted"));
        // Another one is loaded only while one is wanted.
        engine.set_srt_passphrase(&Secret::default());
        engine.srt_passphrase_loaded(Some(Secret::new("planted-passphrase")));
        assert!(!engine.settings.srt_passphrase && engine.built_in.srt_passphrase().is_none());
    }
}
