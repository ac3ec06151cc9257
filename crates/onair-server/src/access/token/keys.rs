//! Keys that verify tokens: shared secrets (HS256), and public keys of a JWK set (RFC 7517, 7518,
//! 8037).

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use ring::{digest, hmac, signature};
use serde_json::Value;

use crate::base::Secret;

/// Maximum number of keys in a set.
const MAX_KEYS: usize = 64;

/// The algorithms of tokens. Others are not supported, in particular not `none`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Hs256,
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    /// Returns the algorithm with this name in a token.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "HS256" => Self::Hs256,
            "RS256" => Self::Rs256,
            "ES256" => Self::Es256,
            "EdDSA" => Self::EdDsa,
            _ => return None,
        })
    }
}

/// The identity of a key that signs tokens, without the key. It stays the same after a reload that keeps the key.
#[derive(Copy, Clone)]
pub(crate) struct Signer(digest::Digest);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Signer {
    /// Returns the identity of a key, or of a key set at an address. `kind` contains no zero byte, and separates keys
    /// that the rules use differently.
    pub fn new(kind: &str, key: &str) -> Self {
        Self(digest::digest(&digest::SHA256, format!("{kind}\0{key}").as_bytes()))
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_ref()
    }
}

/// A shared secret.
pub(super) struct SharedKey(hmac::Key);

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl SharedKey {
    pub fn new(secret: &Secret) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()))
    }

    /// Verifies a tag in constant time.
    pub fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.0, message, tag).is_ok()
    }

    pub fn sign(&self, message: &[u8]) -> hmac::Tag {
        hmac::sign(&self.0, message)
    }
}

/// A public key and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    id: Option<String>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// The uncompressed point (SEC 1, 2.3.3).
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl PublicKey {
    /// Returns the algorithm of the key's tokens. It follows from the key, so that a token cannot
    /// choose another algorithm.
    pub(super) fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Rsa { .. } => Algorithm::Rs256,
            Material::P256(_) => Algorithm::Es256,
            Material::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Returns true if this key could have signed a token with this key id.
    pub(super) fn fits(&self, id: Option<&str>) -> bool {
        id.is_none() || self.id.is_none() || self.id.as_deref() == id
    }

    pub(super) fn verifies(&self, message: &[u8], signed: &[u8]) -> bool {
        let verified = match &self.material {
            Material::Rsa { n, e } => signature::RsaPublicKeyComponents { n, e }.verify(
                &signature::RSA_PKCS1_2048_8192_SHA256,
                message,
                signed,
            ),
            Material::P256(point) => {
                signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point)
                    .verify(message, signed)
            }
            Material::Ed25519(key) => {
                signature::UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signed)
            }
        };
        verified.is_ok()
    }
}

/// Reads a JWK set, and skips keys of other kinds. Returns `None` if the text is not a JWK set, or
/// contains no usable key.
pub(super) fn parse_set(text: &[u8]) -> Option<Vec<PublicKey>> {
    let set: Value = serde_json::from_slice(text).ok()?;
    let keys = set.get("keys")?.as_array()?;
    let keys: Vec<PublicKey> = keys.iter().filter_map(parse_key).take(MAX_KEYS).collect();
    (!keys.is_empty()).then_some(keys)
}

fn parse_key(key: &Value) -> Option<PublicKey> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let bytes = |name: &str| BASE64URL_NOPAD.decode(text(name)?.as_bytes()).ok();
    if text("use").is_some_and(|it| it != "sig") {
        return None;
    }
    let (material, algorithm) = match (text("kty")?, text("crv")) {
        ("RSA", _) => {
            // Leading zeros are not allowed here, but occur.
            let trimmed = |bytes: Vec<u8>| {
                let zeros = bytes.iter().take_while(|it| **it == 0).count();
                bytes.get(zeros..).unwrap_or_default().to_vec()
            };
            (Material::Rsa { n: trimmed(bytes("n")?), e: trimmed(bytes("e")?) }, "RS256")
        }
        ("EC", Some("P-256")) => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            let point = (x.len() == 32 && y.len() == 32).then(|| [&[4][..], &x, &y].concat())?;
            (Material::P256(point), "ES256")
        }
        ("OKP", Some("Ed25519")) => {
            (Material::Ed25519(bytes("x").filter(|it| it.len() == 32)?), "EdDSA")
        }
        _ => return None,
    };
    // A key for another algorithm of its kind, such as RS512, cannot sign these tokens.
    let fits = text("alg").is_none_or(|it| it == algorithm);
    fits.then(|| PublicKey { id: text("kid").map(str::to_owned), material })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_set_gives_the_keys_that_can_be_used() {
        let x = BASE64URL_NOPAD.encode(&[7; 32]);
        let set = json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "a"},
            {"kty": "OKP", "crv": "X25519", "x": x},
            {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
            {"kty": "EC", "crv": "P-256", "x": x, "y": x, "use": "sig"},
            {"kty": "EC", "crv": "P-384", "x": x, "y": x},
            {"kty": "RSA", "n": x, "e": "AQAB", "use": "enc"},
            {"kty": "RSA", "n": x, "e": "AQAB", "alg": "RS512"},
            {"kty": "RSA", "n": x, "e": "AQAB"},
            {"kty": "oct", "k": x},
            7,
        ]});
        let keys = parse_set(set.to_string().as_bytes()).unwrap();
        let algorithms: Vec<_> = keys.iter().map(PublicKey::algorithm).collect();
        assert_eq!(algorithms, [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256]);
        assert!(keys[0].fits(Some("a")) && keys[0].fits(None) && !keys[0].fits(Some("b")));
        assert!(keys[1].fits(Some("b")));
        for wrong in ["", "{}", "[]", "{\"keys\":[]}", "{\"keys\":{}}", "\u{0}"] {
            assert_eq!(parse_set(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(Algorithm::named("none"), None);
    }

    /// A key and a token made by PyJWT.
    const RSA_MODULUS: &str = concat!(
        "iqwXRjuq1_bbm-uoJSWC3TaOpd1QXP-i2rzoAkjGW_sWJ0SzkMh5Fe0au4HQwvZO9P4Wa2eB3fMhjh72yVQMgzpR",
        "syfR4QItxmyyj5Mla8nIxdmifmolTXrUXGJX14O4vfYEfPDPM52LJ56tXBXz7z1em7IjMrDqUy7U8k1_AOvewV9A",
        "KLZW7Wb2MdzmlL92tZJCneTt2Iipz-jUs_1l29gkp8TMftnTK-az-4mZyuAGAYZ2CcK1DuvZQXPrEbVavMHGhfPm",
        "xjj-5bU8gyfTKLz7PQzUomEdu2tC9H4WA5RgUj6uVOzOMvXRS6fS7D5vdft_tDhmvge_8YvOkiM2QQ",
    );
    const RSA_TOKEN: &str = concat!(
        "eyJhbGciOiJSUzI1NiIsImtpZCI6InIiLCJ0eXAiOiJKV1QifQ.eyJzdWIiOiJsaXZlL3Nob3ciLCJhY3QiOiJwb",
        "GF5IiwiZXhwIjo0MDAwMDAwMDAwfQ.UCQnKmiA8A36yqASLvTlNyw8VFS3p_4AnddlMWCoaXASc6fXnwXxeaJVRp",
        "vNVFcERoZ9XgAzS3V9agVTHn1xTMtRJt4thlBu1pAokd-cPKb0_RTv-sWNUzg4bG3SsIh9M7aaRX8MRlIFXtIpeT",
        "rRTapDElJq5ldCCIbJfiABGtCycv6ZEXmSZH--BRenPvt0DU2B0E3ckFbhOkXW4F7vt3trUWtu5k8vRG1Kjr9M9y",
        "suvX4JNtQUl4ehWkFY1n8iTHFgjksBLUdvMK5tkP4P5Kj5CD0QoLKsyagONihYR8LYpbLME6fTfH3SR1AL_XqkmA",
        "ZOre6dyOM8nC_WWsTaHw",
    );

    #[test]
    fn an_rsa_key_verifies_what_other_software_signed() {
        let set = json!({"keys": [{"kty": "RSA", "kid": "r", "n": RSA_MODULUS, "e": "AQAB"}]});
        let keys = parse_set(set.to_string().as_bytes()).unwrap();
        let (signed, signature) = RSA_TOKEN.rsplit_once('.').unwrap();
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        assert!(keys[0].verifies(signed.as_bytes(), &signature));
        assert!(!keys[0].verifies(&signed.as_bytes()[1..], &signature));
    }
}
