//! The tokens that a server accepts, and their keys. The keys are in the configuration, or in a JWK
//! set at a URL. The server fetches the set when it is needed, and again after an hour.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::base::{Clock, Secret, Timestamp};
use crate::net::connect::Options;
use crate::net::web::{Client, StallTimeout, WebUrl};
use crate::server::access::token::claims::{Claims, NewClaims, TokenUse};
use crate::server::access::token::keys::{PublicKey, SharedKey, Signer, parse_set};
use crate::server::access::token::problem::TokenProblem;
use crate::server::access::token::verify::{self, Keys};

/// A key set is fetched again after this time.
const REFRESH_INTERVAL: Duration = Duration::from_hours(1);
/// Minimum interval between two fetches: tokens with unknown keys must not cause more requests.
const MIN_FETCH_INTERVAL: Duration = Duration::from_secs(30);
/// Minimum interval between two fetches while there are no keys, so that no token is valid.
const MIN_FIRST_FETCH_INTERVAL: Duration = Duration::from_secs(1);
/// Time limit of a fetch.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of a key set in bytes.
pub(super) const MAX_KEY_SET_BYTES: usize = 256 << 10;

/// The tokens that a server accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRules {
    /// Shared secrets (HS256), the newest first.
    pub secrets: Vec<Secret>,
    pub key_set: Option<KeySource>,
    /// If set, tokens must contain this `aud` and `iss`.
    pub audience: Option<String>,
    pub issuer: Option<String>,
}

impl TokenRules {
    /// Returns true if no token can be valid.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.key_set.is_none()
    }

    /// Makes a token with the newest secret. Returns `None` if there is no secret.
    pub fn issue(&self, claims: &NewClaims) -> Option<Secret> {
        self.secrets.first().map(|secret| verify::issue(claims, secret))
    }
}

/// Public keys, or their location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    Keys(KeySet),
    Url(WebUrl),
}

/// Public keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet(Arc<Vec<PublicKey>>);

impl KeySet {
    /// Reads a JWK set. Returns `None` if it is too long, or contains no usable key (RSA, P-256 or
    /// Ed25519).
    pub fn parse(text: &[u8]) -> Option<Self> {
        (text.len() <= MAX_KEY_SET_BYTES).then(|| parse_set(text))?.map(|keys| Self(Arc::new(keys)))
    }
}

/// Checks tokens.
#[derive(Debug, Default)]
pub(in crate::server) struct Tokens {
    shared: Vec<SharedKey>,
    fixed: Vec<PublicKey>,
    remote: Option<RemoteKeys>,
    /// The identities of the shared keys, and then of the fixed keys or of the key set at a URL.
    signers: Vec<Signer>,
    audience: Option<String>,
    issuer: Option<String>,
}

impl Tokens {
    /// Creates the checker for these rules. A key set at the same URL as before is not fetched
    /// again.
    pub fn new(rules: &TokenRules, before: Option<&Self>) -> Self {
        let TokenRules { secrets, key_set, audience, issuer } = rules.clone();
        // If the rules need other claims, it is unknown whether the tokens of running viewers have them.
        let signer =
            |kind: &str, key: &str| Signer::new(&format!("{kind} {audience:?} {issuer:?}"), key);
        let mut signers: Vec<Signer> =
            secrets.iter().map(|secret| signer("secret", secret.expose())).collect();
        let (fixed, remote) = match key_set {
            Some(KeySource::Keys(KeySet(keys))) => {
                // The text contains the key and its id.
                signers.extend(keys.iter().map(|key| signer("public", &format!("{key:?}"))));
                (keys.to_vec(), None)
            }
            Some(KeySource::Url(url)) => {
                signers.push(signer("set", &url.whole()));
                let before = before.and_then(|it| it.remote.clone()).filter(|it| it.0.url == url);
                (Vec::new(), before.or_else(|| Some(RemoteKeys::new(url))))
            }
            None => (Vec::new(), None),
        };
        let shared = secrets.iter().map(SharedKey::new).collect();
        Self { shared, fixed, remote, signers, audience, issuer }
    }

    /// Returns the identities of all keys that may sign tokens.
    pub fn signers(&self) -> &[Signer] {
        &self.signers
    }

    /// Checks a token for a use. Returns its claims and its signer. The audience and the issuer come from
    /// the rules.
    ///
    /// # Errors
    /// Fails with the reason why the token does not allow the use.
    pub async fn check(
        &self,
        token: &str,
        wanted: TokenUse<'_>,
        clock: Clock,
    ) -> Result<(Claims, Option<Signer>), TokenProblem> {
        let wanted = TokenUse {
            audience: self.audience.as_deref(),
            issuer: self.issuer.as_deref(),
            ..wanted
        };
        let (claims, signer) = match &self.remote {
            None => self.verify(token, Some(&self.fixed))?,
            Some(remote) => {
                let known = remote.known(clock);
                match self.verify(token, known.as_ref().map(|keys| keys.as_slice())) {
                    // The token may be signed with a new key.
                    Err(TokenProblem::Signature | TokenProblem::NoKeys) => {
                        let newest = remote.newest(clock).await;
                        self.verify(token, newest.as_ref().map(|keys| keys.as_slice()))?
                    }
                    verified => verified?,
                }
            }
        };
        claims.allow(&wanted)?;
        // All keys of a set at a URL have the identity of the set, because the keys may change at any time.
        Ok((claims, self.signers.get(signer).or(self.signers.last()).copied()))
    }

    fn verify(
        &self,
        token: &str,
        public: Option<&[PublicKey]>,
    ) -> Result<(Claims, usize), TokenProblem> {
        verify::verify(token, &Keys { shared: &self.shared, public })
    }
}

/// A key set at a URL.
#[derive(Clone, Debug)]
struct RemoteKeys(Arc<RemoteSet>);

#[derive(Debug)]
struct RemoteSet {
    url: WebUrl,
    /// `None` until the first keys arrive.
    keys: RwLock<Option<Arc<Vec<PublicKey>>>>,
    /// The time at which the newest keys arrived.
    fetched: RwLock<Option<Timestamp>>,
    /// The time at which the last fetch began. The lock is held during a fetch, so other tasks wait
    /// for its result.
    tried: Mutex<Option<Timestamp>>,
}

impl RemoteKeys {
    fn new(url: WebUrl) -> Self {
        let (keys, fetched, tried) = (RwLock::default(), RwLock::default(), Mutex::default());
        Self(Arc::new(RemoteSet { url, keys, fetched, tried }))
    }

    /// Returns the current keys. Old keys are renewed in the background.
    fn known(&self, clock: Clock) -> Option<Arc<Vec<PublicKey>>> {
        let fetched = *self.0.fetched.read();
        if fetched.is_some_and(|at| clock.now().since(at) >= REFRESH_INTERVAL) {
            let set = Arc::clone(&self.0);
            tokio::spawn(async move { set.fetch(clock).await });
        }
        self.0.keys.read().clone()
    }

    /// Fetches the keys again, unless the last fetch was a moment ago, and returns the keys.
    async fn newest(&self, clock: Clock) -> Option<Arc<Vec<PublicKey>>> {
        // The fetch continues if the client leaves.
        let set = Arc::clone(&self.0);
        let _ = tokio::spawn(async move { set.fetch(clock).await }).await;
        self.0.keys.read().clone()
    }
}

impl RemoteSet {
    async fn fetch(&self, clock: Clock) {
        let mut tried = self.tried.lock().await;
        let has_keys = self.keys.read().is_some();
        let interval = if has_keys { MIN_FETCH_INTERVAL } else { MIN_FIRST_FETCH_INTERVAL };
        if tried.is_some_and(|at| clock.now().since(at) < interval) {
            return;
        }
        let answer = timeout(FETCH_TIMEOUT, self.get()).await;
        *tried = Some(clock.now());
        match answer {
            Ok(Ok(keys)) => {
                *self.keys.write() = Some(Arc::new(keys));
                *self.fetched.write() = *tried;
            }
            // The previous keys stay valid.
            Ok(Err(cause)) => tracing::warn!(url = %self.url, cause, "no keys for tokens"),
            Err(_) => tracing::warn!(url = %self.url, "no keys for tokens: no response"),
        }
    }

    async fn get(&self) -> Result<Vec<PublicKey>, String> {
        let mut client = Client::new(Options::default());
        let answer = client.get(&self.url, None, &|_| {}).await.map_err(|it| it.to_string())?;
        let mut patience = StallTimeout::new(FETCH_TIMEOUT, FETCH_TIMEOUT);
        let text = client.read(answer, MAX_KEY_SET_BYTES, &mut patience).await;
        let text = text.map_err(|it| it.to_string())?;
        parse_set(&text).ok_or_else(|| "it is no set of usable keys".to_owned())
    }
}
