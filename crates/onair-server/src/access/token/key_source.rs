//! The tokens that a server accepts, and their keys. The keys are in the configuration, or in a JWK
//! set at a URL. The server fetches the set when it is needed, and again after an hour.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
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
/// An older key set is fetched again before it is used, because its keys may no longer be valid.
const MAX_AGE: Duration = Duration::from_hours(2);
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
pub(crate) struct Tokens {
    shared: Vec<SharedKey>,
    fixed: Vec<PublicKey>,
    remote: Option<RemoteKeys>,
    /// The identities of the shared keys, and then of the fixed keys or of the key set at a URL.
    signers: Vec<Signer>,
    audience: Option<String>,
    issuer: Option<String>,
}

impl Tokens {
    /// Creates the checker for these rules. A key set at the same URL as before is kept until the
    /// next token, and then fetched again.
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
                let before = before.and_then(|it| it.remote.as_ref()).filter(|it| it.0.url == url);
                let keys = before.and_then(|it| it.0.keys.read().clone());
                (Vec::new(), Some(RemoteKeys::new(url, keys)))
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
            None => self.verify(token, Some(&self.fixed), false)?,
            Some(remote) => {
                let known = remote.known(clock).await;
                match self.verify(token, known.as_ref().map(|keys| keys.as_slice()), false) {
                    // The token may be signed with a new key.
                    Err(TokenProblem::Signature | TokenProblem::NoKeys) => {
                        let (newest, is_outdated) = remote.newest(clock).await;
                        let newest = newest.as_ref().map(|keys| keys.as_slice());
                        self.verify(token, newest, is_outdated)?
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
        is_outdated: bool,
    ) -> Result<(Claims, usize), TokenProblem> {
        verify::verify(token, &Keys { shared: &self.shared, public, is_outdated })
    }
}

/// A key set at a URL.
#[derive(Debug)]
struct RemoteKeys(Arc<RemoteSet>);

#[derive(Debug)]
struct RemoteSet {
    url: WebUrl,
    /// `None` until the first keys arrive.
    keys: RwLock<Option<Arc<Vec<PublicKey>>>>,
    /// The time at which the newest keys arrived; `None` if none arrived since the last reload.
    fetched: RwLock<Option<Timestamp>>,
    /// The time at which the last fetch began. The lock is held during a fetch, so other tasks wait
    /// for its result.
    tried: Mutex<Option<Timestamp>>,
}

impl RemoteKeys {
    fn new(url: WebUrl, keys: Option<Arc<Vec<PublicKey>>>) -> Self {
        let (keys, fetched, tried) = (RwLock::new(keys), RwLock::default(), Mutex::default());
        Self(Arc::new(RemoteSet { url, keys, fetched, tried }))
    }

    /// Returns the current keys. Old keys are renewed in the background, and very old ones first.
    async fn known(&self, clock: Clock) -> Option<Arc<Vec<PublicKey>>> {
        let fetched = *self.0.fetched.read();
        let age = fetched.map_or(Duration::MAX, |at| clock.now().since(at));
        let has_keys = self.0.keys.read().is_some();
        if has_keys && age >= REFRESH_INTERVAL {
            let fetch = self.fetch(clock);
            if age >= MAX_AGE {
                let _ = fetch.await;
            }
        }
        self.0.keys.read().clone()
    }

    /// Fetches the keys again, unless the last fetch was a moment ago. Returns the keys, and true
    /// if there may be newer keys because the last fetch failed.
    async fn newest(&self, clock: Clock) -> (Option<Arc<Vec<PublicKey>>>, bool) {
        let is_current = self.fetch(clock).await.unwrap_or(false);
        (self.0.keys.read().clone(), !is_current)
    }

    /// Starts a fetch, which continues if the client leaves.
    fn fetch(&self, clock: Clock) -> JoinHandle<bool> {
        let set = Arc::clone(&self.0);
        tokio::spawn(async move { set.fetch(clock).await })
    }
}

impl RemoteSet {
    /// Fetches the keys, unless the last fetch was a moment ago. Returns true if the last fetch
    /// succeeded.
    async fn fetch(&self, clock: Clock) -> bool {
        let mut tried = self.tried.lock().await;
        let has_keys = self.keys.read().is_some();
        let interval = if has_keys { MIN_FETCH_INTERVAL } else { MIN_FIRST_FETCH_INTERVAL };
        if tried.is_some_and(|at| clock.now().since(at) < interval) {
            return *self.fetched.read() == *tried;
        }
        let answer = timeout(FETCH_TIMEOUT, self.get()).await;
        *tried = Some(clock.now());
        match answer {
            Ok(Ok(keys)) => {
                *self.keys.write() = Some(Arc::new(keys));
                *self.fetched.write() = *tried;
                return true;
            }
            // The previous keys stay valid.
            Ok(Err(cause)) => tracing::warn!(url = %self.url, cause, "no keys for tokens"),
            Err(_) => tracing::warn!(url = %self.url, "no keys for tokens: no response"),
        }
        false
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

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;
    use ring::rand::SystemRandom;
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::net::{Listener, Runtime};
    use crate::server::access::token::claims::tests::wanted;

    /// Returns a set with a new key, and a token that is signed with the key.
    fn signed(id: &str) -> (String, String) {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let x = BASE64URL_NOPAD.encode(pair.public_key().as_ref());
        let set = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": x }] });
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let header = encode(&json!({ "alg": "EdDSA", "kid": id }));
        let claims = encode(&json!({ "sub": "live/show", "act": "play", "exp": 2_000 }));
        let text = format!("{header}.{claims}");
        let signature = BASE64URL_NOPAD.encode(pair.sign(text.as_bytes()).as_ref());
        (set.to_string(), format!("{text}.{signature}"))
    }

    fn rules(port: u16) -> TokenRules {
        let url = WebUrl::parse(&format!("http://127.0.0.1:{port}/keys")).unwrap();
        TokenRules { key_set: Some(KeySource::Url(url)), ..TokenRules::default() }
    }

    /// Returns the checker for these rules after it fetched this set.
    fn tokens(rules: &TokenRules, set: &str, fetched: Timestamp) -> Tokens {
        let tokens = Tokens::new(rules, None);
        let RemoteKeys(remote) = tokens.remote.as_ref().unwrap();
        *remote.keys.write() = Some(Arc::new(parse_set(set.as_bytes()).unwrap()));
        *remote.fetched.write() = Some(fetched);
        *remote.tried.try_lock().unwrap() = Some(fetched);
        tokens
    }

    async fn check(tokens: &Tokens, token: &str, clock: Clock) -> Result<(), TokenProblem> {
        tokens.check(token, wanted(), clock).await.map(|_| ())
    }

    #[test]
    fn a_token_of_a_newer_key_is_no_forgery_while_the_keys_cannot_be_fetched() {
        let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
        let ((set, token), (_, newer), (_, forged)) =
            (signed("first"), signed("second"), signed("first"));
        let now = clock.now();
        for (fetched, problem) in [
            (now - MIN_FETCH_INTERVAL, TokenProblem::NoKeys),
            (now - MAX_AGE, TokenProblem::NoKeys),
            // The last fetch succeeded a moment ago.
            (now + REFRESH_INTERVAL, TokenProblem::Signature),
        ] {
            // No server has this port.
            let tokens = tokens(&rules(1), &set, fetched);
            let check = |token: &str| runtime.block_on(check(&tokens, token, clock));
            assert_eq!(check(&token), Ok(()));
            assert_eq!([check(&newer), check(&newer)], [Err(problem); 2]);
            assert_eq!(check(&forged), Err(TokenProblem::Signature));
        }
    }

    #[test]
    fn keys_are_fetched_again_before_use_if_they_are_very_old_or_after_a_reload() {
        let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
        for is_reload in [false, true] {
            let ((old, removed), (set, token)) = (signed("first"), signed("second"));
            let address = "127.0.0.1:0".parse().unwrap();
            let listener = Listener::bind(runtime.handle(), address).unwrap();
            let rules = rules(listener.local_addr().port());
            runtime.spawn(async move {
                let (mut socket, _) = listener.accept().await;
                let _ = socket.read(&mut [0; 4_096]).await;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", set.len());
                socket.write_all(format!("{head}{set}").as_bytes()).await.unwrap();
            });
            let age = if is_reload { Duration::ZERO } else { MAX_AGE };
            let mut tokens = tokens(&rules, &old, clock.now() - age);
            if is_reload {
                let before = tokens;
                tokens = Tokens::new(&rules, Some(&before));
                // A fetch that began before the reload ends.
                let RemoteKeys(remote) = before.remote.as_ref().unwrap();
                *remote.fetched.write() = Some(clock.now());
            }
            let check = |token: &str| runtime.block_on(check(&tokens, token, clock));
            assert_eq!(check(&removed), Err(TokenProblem::Signature), "{is_reload}");
            assert_eq!(check(&token), Ok(()), "{is_reload}");
        }
    }
}
