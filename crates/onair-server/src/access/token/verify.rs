//! Checks the signature of a token, and makes tokens.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::base::Secret;
use crate::server::access::token::claims::{Claims, NewClaims};
use crate::server::access::token::keys::{Algorithm, PublicKey, SharedKey};
use crate::server::access::token::problem::TokenProblem;

/// Maximum length of a token in bytes.
const MAX_TOKEN_BYTES: usize = 4_096;

/// The keys at one moment.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    pub shared: &'a [SharedKey],
    /// `None` if it is not known which public keys there are.
    pub public: Option<&'a [PublicKey]>,
    /// True if there may be newer public keys, which could not be fetched.
    pub is_outdated: bool,
}

/// Returns true if a text has the form of a token.
pub(crate) fn is_token(text: &str) -> bool {
    text.bytes().filter(|it| *it == b'.').count() == 2 && text.starts_with("ey")
}

/// Returns the claims of a token with a valid signature, and the index of the key that signed it: public keys follow
/// the shared ones.
///
/// # Errors
/// Fails if the token is malformed, or no key has signed it, or its key is not known.
pub(super) fn verify(token: &str, keys: &Keys<'_>) -> Result<(Claims, usize), TokenProblem> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenProblem::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenProblem::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenProblem::Malformed)?;
    let header = decode(header)?;
    // onair knows no extensions, so a token that requires one is invalid (RFC 7515 §4.1.11).
    if header.get("crit").is_some() {
        return Err(TokenProblem::Malformed);
    }
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let algorithm = text("alg").and_then(Algorithm::named).ok_or(TokenProblem::Algorithm)?;
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes());
    let signature = signature.map_err(|_| TokenProblem::Malformed)?;
    let message = signed.as_bytes();
    let signer = match algorithm {
        // A public key is never used as a shared secret.
        Algorithm::Hs256 => keys.shared.iter().enumerate().fold(None, |found, (at, key)| {
            if key.verifies(message, &signature) { Some(at) } else { found }
        }),
        _ => {
            let public = keys.public.ok_or(TokenProblem::NoKeys)?;
            let id = text("kid");
            let signer = public.iter().position(|key| {
                key.algorithm() == algorithm && key.fits(id) && key.verifies(message, &signature)
            });
            // A newer key may have signed the token, unless the token names one of these keys.
            let is_named = id.is_some() && public.iter().any(|key| key.id() == id);
            if signer.is_none() && keys.is_outdated && !is_named {
                return Err(TokenProblem::NoKeys);
            }
            signer.map(|at| keys.shared.len() + at)
        }
    };
    let signer = signer.ok_or(TokenProblem::Signature)?;
    let claims = Claims::of(&decode(claims)?).ok_or(TokenProblem::Malformed)?;
    Ok((claims, signer))
}

fn decode(part: &str) -> Result<Value, TokenProblem> {
    let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| TokenProblem::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenProblem::Malformed)
}

/// Makes a token that is signed with a shared secret (HS256).
pub(super) fn issue(claims: &NewClaims, secret: &Secret) -> Secret {
    let encode = |value: Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let header = encode(json!({ "alg": "HS256", "typ": "JWT" }));
    let signed = format!("{header}.{}", encode(claims.to_json()));
    let tag = SharedKey::new(secret).sign(signed.as_bytes());
    Secret::new(format!("{signed}.{}", BASE64URL_NOPAD.encode(tag.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::access::action::Action;
    use crate::server::access::token::keys::parse_set;
    use ring::rand::SystemRandom;
    use ring::signature::{self, KeyPair};

    const HMAC_SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn claims() -> NewClaims {
        NewClaims {
            subject: "live/show".to_owned(),
            actions: vec![Action::Play],
            expires: 2_000_000_000,
            addresses: Vec::new(),
            audience: None,
            issuer: None,
        }
    }

    fn shared(secret: &str) -> Vec<SharedKey> {
        vec![SharedKey::new(&Secret::new(secret))]
    }

    fn unsigned(header: &Value) -> String {
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        format!("{}.{}", encode(header), encode(&claims().to_json()))
    }

    #[test]
    fn a_token_of_a_secret_is_valid_and_no_other() {
        let token = issue(&claims(), &Secret::new(HMAC_SECRET));
        let token = token.expose();
        assert!(is_token(token) && !is_token("a.key") && !is_token("a.b.c"));
        let check = |token: &str, secret: &str| {
            let shared = &shared(secret);
            verify(token, &Keys { shared, public: Some(&[]), is_outdated: false }).map(|_| ())
        };
        assert_eq!(check(token, HMAC_SECRET), Ok(()));
        assert_eq!(check(token, "another secret, also long enough"), Err(TokenProblem::Signature));
        let none = |alg: &str| format!("{}.", unsigned(&json!({ "alg": alg })));
        for alg in ["none", "None", "HS512", "RS512", ""] {
            assert_eq!(check(&none(alg), HMAC_SECRET), Err(TokenProblem::Algorithm), "{alg}");
        }
        assert_eq!(
            check(&none("HS256"), HMAC_SECRET),
            Err(TokenProblem::Signature),
            "no signature"
        );
        let critical = unsigned(&json!({ "alg": "HS256", "crit": ["b64"], "b64": false }));
        assert_eq!(check(&format!("{critical}.AA"), HMAC_SECRET), Err(TokenProblem::Malformed));
        // Changing any character makes the token invalid.
        for at in 0..token.len() {
            let mut other = token.as_bytes().to_vec();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).unwrap();
            assert!(check(&other, HMAC_SECRET).is_err_and(TokenProblem::is_forged), "{at}");
        }
        for wrong in ["", ".", "..", "a.b", "ey.ey.ey", &"ey.".repeat(3_000), "ä.ö.ü"] {
            assert!(check(wrong, HMAC_SECRET).is_err_and(TokenProblem::is_forged), "{wrong}");
        }
    }

    #[test]
    fn a_token_is_no_forgery_while_the_public_keys_are_not_known() {
        let check = |header: Value, public| {
            let token = format!("{}.AA", unsigned(&header));
            let shared = &shared(HMAC_SECRET);
            verify(&token, &Keys { shared, public, is_outdated: false }).map(|_| ())
        };
        let public = json!({ "alg": "EdDSA" });
        assert_eq!(check(public.clone(), None), Err(TokenProblem::NoKeys));
        assert!(!TokenProblem::NoKeys.is_forged());
        assert_eq!(check(public, Some(&[])), Err(TokenProblem::Signature));
        // These are wrong whatever the keys are.
        assert_eq!(check(json!({ "alg": "HS256" }), None), Err(TokenProblem::Signature));
        assert_eq!(check(json!({ "alg": "none" }), None), Err(TokenProblem::Algorithm));
    }

    #[test]
    fn only_a_token_that_names_a_known_key_is_a_forgery_while_there_may_be_newer_keys() {
        let x = BASE64URL_NOPAD.encode(&[7; 32]);
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
        let mut named = key.clone();
        named["kid"] = "known".into();
        let public = parse_set(json!({ "keys": [key, named] }).to_string().as_bytes()).unwrap();
        for (header, problem) in [
            (json!({ "alg": "EdDSA", "kid": "known" }), TokenProblem::Signature),
            (json!({ "alg": "EdDSA", "kid": "newer" }), TokenProblem::NoKeys),
            (json!({ "alg": "EdDSA" }), TokenProblem::NoKeys),
        ] {
            let token = format!("{}.AA", unsigned(&header));
            let keys = Keys { shared: &[], public: Some(&public), is_outdated: true };
            assert_eq!(verify(&token, &keys).map(|_| ()), Err(problem), "{header}");
        }
    }

    #[test]
    fn tokens_of_public_keys_are_valid_and_a_public_key_is_no_secret() {
        let random = SystemRandom::new();
        let pkcs8 = signature::Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let edwards = signature::Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = signature::EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let weier =
            signature::EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let point = weier.public_key().as_ref();
        let x = encode(edwards.public_key().as_ref());
        let set = json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "kid": "e", "x": x},
            {"kty": "EC", "crv": "P-256", "kid": "w", "x": encode(&point[1..33]), "y": encode(&point[33..])},
        ]});
        let public = parse_set(set.to_string().as_bytes()).unwrap();
        let check = |header: Value, sign: &dyn Fn(&[u8]) -> Vec<u8>, shared: &[SharedKey]| {
            let signed = unsigned(&header);
            let token = format!("{signed}.{}", encode(&sign(signed.as_bytes())));
            let keys = Keys { shared, public: Some(&public), is_outdated: false };
            verify(&token, &keys).map(|_| ())
        };
        let by_edwards = |message: &[u8]| edwards.sign(message).as_ref().to_vec();
        let by_weier = |message: &[u8]| weier.sign(&random, message).unwrap().as_ref().to_vec();
        for header in [json!({"alg": "EdDSA"}), json!({"alg": "EdDSA", "kid": "e"})] {
            assert_eq!(check(header, &by_edwards, &[]), Ok(()));
        }
        assert_eq!(check(json!({"alg": "ES256", "kid": "w"}), &by_weier, &[]), Ok(()));
        for (header, sign) in [
            (json!({"alg": "EdDSA", "kid": "w"}), &by_edwards as &dyn Fn(&[u8]) -> Vec<u8>),
            (json!({"alg": "ES256"}), &by_edwards),
            (json!({"alg": "EdDSA"}), &by_weier),
            (json!({"alg": "RS256"}), &by_weier),
        ] {
            let refused = check(header.clone(), sign, &[]);
            assert_eq!(refused, Err(TokenProblem::Signature), "{header}");
        }
        // HS256 with the public key as the secret: the classic algorithm confusion.
        let confused = |message: &[u8]| {
            let key = SharedKey::new(&Secret::new(x.clone()));
            key.sign(message).as_ref().to_vec()
        };
        for shared in [vec![], shared(HMAC_SECRET)] {
            let refused = check(json!({"alg": "HS256"}), &confused, &shared);
            assert_eq!(refused, Err(TokenProblem::Signature));
        }
    }
}
