//! Certificates from an authority such as Let's Encrypt (ACME, RFC 8555), which are renewed in the last third of their
//! time.
//!
//! instant-acme knows the protocol. This folder has the rest: `client` passes its requests through onair's own web
//! client, with the trust and the proxies of other connections; `tls::challenges` answers the authority over
//! TLS (TLS-ALPN-01) and over HTTP (HTTP-01); `kept` keeps the account and the certificate; `validity` reads when a
//! certificate ends.
//!
//! What must never happen: a server without a certificate because an authority fails; more attempts than an authority
//! allows, so failures wait longer and longer, and a rate limit for hours; a key that others can read.

mod client;
pub mod domain;
mod kept;
mod validity;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Error as AcmeError, Identifier, Key, NewOrder,
    OrderStatus, RetryPolicy,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use time::OffsetDateTime;
use tokio::time::{sleep, timeout};

use crate::base::Secret;
use crate::net::connect::Options;
use crate::net::tls::acme::client::{AcmeClient, WantedWait};
use crate::net::tls::acme::kept::{Folder, Issued, Usable};
use crate::net::tls::challenges::Challenges;
use crate::net::tls::identity::Identity;

/// The directory of Let's Encrypt.
pub const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// Time limit for getting a certificate.
const ISSUE_TIMEOUT: Duration = Duration::from_secs(180);
/// Time limit for the authority to check the challenges, and to make the certificate.
const POLL_TIMEOUT: Duration = Duration::from_secs(60);
/// The wait after the first failure, which doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(60);
/// The longest wait after a failure. Let's Encrypt allows five failures for a domain in an hour.
const MAX_WAIT: Duration = Duration::from_secs(6 * 3_600);
/// The wait after an authority has named a rate limit without saying how long it lasts.
const LIMITED_WAIT: Duration = Duration::from_secs(3 * 3_600);
/// The longest wait that an authority can ask for.
const MAX_WANTED_WAIT: Duration = Duration::from_secs(24 * 3_600);
/// Maximum number of attempts in a row that fail because the authority has dropped the nonces of the requests. It may do
/// so at any time, and counts no such attempt.
const MAX_NONCE_ATTEMPTS: usize = 5;
/// Interval between two looks at the clock, which may be set in the meantime.
const CLOCK_INTERVAL: Duration = Duration::from_secs(600);

/// What to ask an authority for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmeConfig {
    /// The names in the certificate.
    pub domains: Vec<String>,
    /// The address of the authority.
    pub directory: String,
    /// The address to which the authority may write.
    pub email: Option<String>,
    /// The folder for the account and the certificate.
    pub folder: PathBuf,
    /// The options of the connections to the authority.
    pub options: Options,
    /// The ways in which the authority can check the domains.
    pub over_tls: bool,
    pub over_http: bool,
}

/// A change of the certificate.
#[derive(Debug)]
pub enum AcmeEvent {
    /// There is a new certificate, which is valid until this time (Unix time in seconds).
    Issued { identity: Identity, ends: i64 },
    /// The certificate could not be got, for this reason. The next attempt follows.
    Failed { reason: String, retry_in: Duration },
}

impl AcmeConfig {
    /// Returns what to ask the usual authority for. The account and the certificate are kept in the
    /// folder of the program's state.
    pub fn usual(domains: Vec<String>) -> Self {
        let folder = dirs::state_dir().or_else(dirs::data_local_dir).unwrap_or_default();
        Self {
            domains,
            directory: LETS_ENCRYPT.to_owned(),
            email: None,
            folder: folder.join("onair").join("acme"),
            options: Options::default(),
            over_tls: true,
            over_http: true,
        }
    }

    /// Returns the certificate of an earlier run, if it is still valid.
    pub fn kept(&self) -> Option<Identity> {
        let usable = self.usable()?;
        (usable.ends > OffsetDateTime::now_utc()).then_some(usable.identity)
    }

    fn usable(&self) -> Option<Usable> {
        self.files().issued(&self.directory, &self.domains)?.usable().ok()
    }

    fn files(&self) -> Folder {
        Folder(self.folder.clone())
    }
}

/// Gets the certificate, and renews it, forever.
pub async fn run(
    config: AcmeConfig,
    challenges: Arc<Challenges>,
    on_event: impl Fn(AcmeEvent) + Send,
) {
    let mut renew_at = config.usable().map(|usable| usable.renew_at);
    let mut failures = 0_u32;
    loop {
        while let Some(at) = renew_at
            && let Ok(left) = Duration::try_from(at - OffsetDateTime::now_utc())
        {
            sleep(left.min(CLOCK_INTERVAL)).await;
        }
        let wanted_wait = WantedWait::default();
        let issued = issue_by_any(&config, &challenges, &wanted_wait).await;
        let usable = issued.and_then(|issued| {
            let usable = issued.usable().map_err(|reason| Failure::from(&*reason))?;
            config
                .files()
                .keep_issued(&config.directory, &config.domains, &issued)
                .map_err(|error| Failure::from(&*error.to_string()))?;
            Ok(usable)
        });
        match usable {
            Ok(Usable { identity, renew_at: next, ends }) => {
                failures = 0;
                renew_at = Some(next);
                on_event(AcmeEvent::Issued { identity, ends: ends.unix_timestamp() });
            }
            Err(Failure { reason, is_limited, .. }) => {
                let retry_in = wait(failures, is_limited, wanted_wait.take());
                failures = failures.saturating_add(1);
                on_event(AcmeEvent::Failed { reason, retry_in });
                sleep(retry_in).await;
            }
        }
    }
}

/// Returns the wait after a failure that follows this many others. `wanted` is what the authority asked for.
fn wait(failures: u32, is_limited: bool, wanted: Option<Duration>) -> Duration {
    let wait = FIRST_WAIT.saturating_mul(1 << failures.min(16)).min(MAX_WAIT);
    match wanted {
        Some(wanted) => wait.max(wanted.min(MAX_WANTED_WAIT)),
        None if is_limited => wait.max(LIMITED_WAIT),
        None => wait,
    }
}

/// The reason why there is no certificate.
#[derive(Debug)]
struct Failure {
    reason: String,
    /// True if the authority allows no more attempts for now.
    is_limited: bool,
    /// True if the authority has dropped the nonces of the requests.
    is_of_nonce: bool,
}

impl From<&str> for Failure {
    fn from(reason: &str) -> Self {
        Self { reason: reason.to_owned(), is_limited: false, is_of_nonce: false }
    }
}

impl From<AcmeError> for Failure {
    fn from(error: AcmeError) -> Self {
        let is_of_kind = |end: &str| match &error {
            AcmeError::Api(problem) => {
                problem.r#type.as_deref().is_some_and(|kind| kind.ends_with(end))
            }
            _ => false,
        };
        Self {
            is_limited: is_of_kind(":rateLimited"),
            is_of_nonce: is_of_kind(":badNonce"),
            reason: error.to_string(),
        }
    }
}

/// Gets a certificate, by each of the ways in which the authority can check the domains.
async fn issue_by_any(
    config: &AcmeConfig,
    challenges: &Challenges,
    wanted_wait: &WantedWait,
) -> Result<Issued, Failure> {
    let ways =
        [(ChallengeType::TlsAlpn01, config.over_tls), (ChallengeType::Http01, config.over_http)];
    let mut failure = Failure::from("this server has no address that an authority can check");
    for (kind, _) in ways.into_iter().filter(|(_, is_on)| *is_on) {
        for _ in 0..MAX_NONCE_ATTEMPTS {
            let issued = issue(config, (challenges, wanted_wait), kind.clone());
            let issued = timeout(ISSUE_TIMEOUT, issued).await;
            challenges.clear();
            failure = match issued.unwrap_or_else(|_| Err(Failure::from("it takes too long"))) {
                Ok(issued) => return Ok(issued),
                Err(failure) if failure.is_limited => return Err(failure),
                Err(failure) => failure,
            };
            tracing::debug!(reason = failure.reason, "the authority issued no certificate");
            if !failure.is_of_nonce {
                break;
            }
        }
    }
    Err(failure)
}

/// Gets a certificate with this kind of check.
async fn issue(
    config: &AcmeConfig,
    (challenges, wanted_wait): (&Challenges, &WantedWait),
    kind: ChallengeType,
) -> Result<Issued, Failure> {
    let account = account(config, wanted_wait).await?;
    let identifiers: Vec<_> = config.domains.iter().cloned().map(Identifier::Dns).collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await?;
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        match authorization.status {
            AuthorizationStatus::Valid => continue,
            AuthorizationStatus::Pending => {}
            _ => return Err(Failure::from("the authority has closed an authorization")),
        }
        let is_tls = kind == ChallengeType::TlsAlpn01;
        let missing = || Failure::from("the authority does not offer this kind of check");
        let mut challenge = authorization.challenge(kind.clone()).ok_or_else(missing)?;
        let answer = challenge.key_authorization();
        let Identifier::Dns(domain) = challenge.identifier().identifier else {
            return Err(Failure::from("the authority checks something that is no domain"));
        };
        if is_tls {
            challenges
                .add_certificate(domain, answer.digest().as_ref())
                .map_err(|reason| Failure::from(&*reason))?;
        } else {
            challenges.add_text(&challenge.token, answer.as_str());
        }
        challenge.set_ready().await?;
    }
    let patience = RetryPolicy::new().timeout(POLL_TIMEOUT);
    if order.poll_ready(&patience).await? != OrderStatus::Ready {
        let problem = order.state().error.as_ref().map(ToString::to_string);
        let reason = problem.unwrap_or_else(|| {
            "the authority could not reach this server at its domain".to_owned()
        });
        return Err(Failure::from(&*reason));
    }
    let (request, key) =
        request(&config.domains).map_err(|error| Failure::from(&*error.to_string()))?;
    order.finalize_csr(&request).await?;
    let chain = order.poll_certificate(&patience).await?;
    Ok(Issued { chain, key })
}

/// Returns the account, which is made by the first request.
async fn account(config: &AcmeConfig, wanted_wait: &WantedWait) -> Result<Account, Failure> {
    let client = AcmeClient { options: config.options.clone(), wanted_wait: wanted_wait.clone() };
    let builder = Account::builder_with_http(Box::new(client));
    let der = match config.files().account_key(&config.directory) {
        Some(key) => PrivatePkcs8KeyDer::from(key.to_vec()),
        None => {
            let (_, der) = Key::generate_pkcs8()?;
            config
                .files()
                .keep_account_key(&config.directory, der.secret_pkcs8_der())
                .map_err(|error| Failure::from(&*error.to_string()))?;
            der
        }
    };
    let key = Key::from_pkcs8_der(der.clone_key())?;
    let pair = (key, PrivateKeyDer::Pkcs8(der));
    let (account, _) = builder.create_from_key(pair, config.directory.clone()).await?;
    if let Some(email) = &config.email {
        account.update_contacts(&[&format!("mailto:{email}")]).await?;
    }
    Ok(account)
}

/// Makes the request for a certificate with these names, and its key in PEM.
fn request(domains: &[String]) -> Result<(Vec<u8>, Secret), rcgen::Error> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut parameters = rcgen::CertificateParams::new(domains.to_vec())?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    let request = parameters.serialize_request(&key)?;
    Ok((request.der().to_vec(), Secret::new(key.serialize_pem())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_wait_longer_and_longer_and_a_rate_limit_for_hours() {
        let minutes = |failures| wait(failures, false, None).as_secs() / 60;
        assert_eq!([0, 1, 2, 3].map(minutes), [1, 2, 4, 8]);
        assert_eq!(minutes(90), 360);
        assert_eq!(wait(0, true, None), LIMITED_WAIT);
        assert_eq!(wait(20, true, None), MAX_WAIT);
    }

    #[test]
    fn a_wait_that_the_authority_asks_for_counts_within_bounds() {
        let hours = |count: u64| Duration::from_secs(count * 3_600);
        assert_eq!(wait(0, true, Some(hours(1))), hours(1));
        assert_eq!(wait(0, true, Some(Duration::ZERO)), FIRST_WAIT);
        assert_eq!(wait(0, false, Some(hours(1_000))), MAX_WANTED_WAIT);
    }

    /// Answers the requests on one connection after the other, as an authority that limits orders does.
    async fn limit_orders(listener: tokio::net::TcpListener, at: String) {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let directory = format!(
            r#"{{"newNonce":"{at}/nonce","newAccount":"{at}/account","newOrder":"{at}/order"}}"#
        );
        let limited = r#"{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many"}"#;
        while let Ok((mut socket, _)) = listener.accept().await {
            let (mut request, mut piece) = (Vec::new(), [0; 4_096]);
            let path = loop {
                let length = socket.read(&mut piece).await.unwrap();
                request.extend_from_slice(&piece[..length]);
                let text = String::from_utf8_lossy(&request).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let field = head.lines().find_map(|it| it.strip_prefix("Content-Length: "));
                if body.len() >= field.map_or(0, |it| it.parse().unwrap()) {
                    break head.split(' ').nth(1).unwrap().to_owned();
                }
            };
            let (status, more, body) = match &*path {
                "/directory" => ("200 OK", String::new(), &*directory),
                "/nonce" => ("204 No Content", String::new(), ""),
                "/account" => ("201 Created", format!("Location: {at}/account/1\r\n"), "{}"),
                _ => ("429 Too Many Requests", "Retry-After: 7200\r\n".to_owned(), limited),
            };
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nReplay-Nonce: bm9uY2U\r\nContent-Type: application/json\r\n\
                 {more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    }

    #[test]
    fn an_authority_that_limits_orders_is_asked_again_when_it_says() {
        let runtime = crate::net::Runtime::start().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let failed = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let at = format!("http://{}", listener.local_addr().unwrap());
            tokio::spawn(limit_orders(listener, at.clone()));
            let config = AcmeConfig {
                domains: vec!["a.example".to_owned()],
                directory: format!("{at}/directory"),
                email: None,
                folder: folder.path().to_owned(),
                options: Options::default(),
                over_tls: true,
                over_http: true,
            };
            let (sender, mut events) = tokio::sync::mpsc::channel(1);
            let asked = run(config, Arc::default(), move |event| drop(sender.try_send(event)));
            tokio::select! {
                () = asked => None,
                event = events.recv() => event,
            }
        });
        let Some(AcmeEvent::Failed { reason, retry_in }) = failed else { panic!("{failed:?}") };
        assert!(reason.contains("too many"), "{reason}");
        assert_eq!(retry_in, Duration::from_secs(7_200));
    }
}
