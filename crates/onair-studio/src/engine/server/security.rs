//! The passphrase of SRT and the certificate of HTTPS that the settings choose, unless the command line says otherwise.

use crate::base::Secret;
use crate::net::tls::acme::AcmeConfig;
use crate::net::{Identity, random_hex};
use crate::studio::settings::{Settings, read_certificate};
use crate::studio::targets::sharing::ServerCertificate;
use crate::text::Problem;

/// What the settings choose.
#[derive(Debug, Default)]
pub(super) struct ServerSecurity {
    /// The passphrase that all SRT clients need.
    pub passphrase: Option<Secret>,
    /// The certificate in the files of the settings.
    pub identity: Option<Identity>,
    /// The authority that issues the certificate.
    pub authority: Option<AcmeConfig>,
    /// What the settings say about the certificate.
    pub certificate: ServerCertificate,
    /// Why the files of the settings could not be used.
    pub problem: Option<Problem>,
}

impl ServerSecurity {
    pub fn new(settings: &Settings) -> Self {
        // Until the stored passphrase is loaded, clients need one that nobody knows.
        let unknown = || Secret::new(random_hex().unwrap_or_default());
        let passphrase = settings.srt_passphrase.then(unknown);
        let mut new = Self { passphrase, ..Self::default() };
        new.problem = new.choose(&settings.server_certificate).err();
        new.certificate.clone_from(&settings.server_certificate);
        new
    }

    /// Takes the certificate of the settings.
    ///
    /// # Errors
    /// Fails if its files cannot be read. The earlier certificate then stays.
    pub fn choose(&mut self, chosen: &ServerCertificate) -> Result<(), Problem> {
        let files = chosen.files();
        let identity = files.map(|(cert, key)| read_certificate(cert, key)).transpose()?;
        let is_wanted = identity.is_none() && !chosen.domains.is_empty();
        self.authority = is_wanted.then(|| AcmeConfig::usual(chosen.domains.clone()));
        self.identity = identity;
        Ok(())
    }
}
