//! The keys of a connection's payload (draft-sharabayko-srt-01 §6). A sender alternates between an
//! even and an odd key.

use std::fmt;
use std::time::Duration;

use srt_runtime::crypto::{SALT_LEN, aes_ctr_apply, derive_kek, unwrap_sek};
use srt_runtime::packet::{EncryptionKeyField, KeyMaterial, KmKeyFlag};
use zeroize::Zeroizing;

use crate::base::{Secret, Timestamp};

/// Minimum time between two new keys, because each takes thousands of hashes.
const MIN_KEY_AGE: Duration = Duration::from_secs(1);

struct StreamKey {
    key: Zeroizing<Vec<u8>>,
    salt: [u8; SALT_LEN],
}

/// The keys. `Debug` shows none of them.
#[derive(Default)]
pub struct Keys {
    even: Option<StreamKey>,
    odd: Option<StreamKey>,
    /// The passphrase, from which the sender's next keys are read.
    passphrase: Secret,
    changed: Option<Timestamp>,
}

impl Keys {
    /// Creates the keys from the first one, which is the even one.
    pub fn new(key: &[u8], salt: [u8; SALT_LEN], passphrase: Secret) -> Self {
        let even = Some(StreamKey { key: Zeroizing::new(key.to_vec()), salt });
        Self { even, odd: None, passphrase, changed: None }
    }

    /// Returns true if the payload is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.even.is_some() || self.odd.is_some()
    }

    /// Encrypts a payload. Returns the name of the key for the packet.
    pub fn encrypt(&self, sequence: u32, payload: &mut [u8]) -> Option<EncryptionKeyField> {
        let Some(even) = &self.even else { return Some(EncryptionKeyField::NotEncrypted) };
        aes_ctr_apply(&even.key, &even.salt, sequence, payload).ok()?;
        Some(EncryptionKeyField::Even)
    }

    /// Decrypts a payload. Returns false if it cannot be read, or is not encrypted although it must
    /// be.
    pub fn decrypt(&self, name: EncryptionKeyField, sequence: u32, payload: &mut [u8]) -> bool {
        let key = match name {
            EncryptionKeyField::NotEncrypted => return !self.is_encrypted(),
            EncryptionKeyField::Even => self.even.as_ref(),
            EncryptionKeyField::Odd => self.odd.as_ref(),
            _ => None,
        };
        key.is_some_and(|key| aes_ctr_apply(&key.key, &key.salt, sequence, payload).is_ok())
    }

    /// Takes the sender's next keys. Returns false if they are not wrapped with the passphrase.
    pub fn renew(&mut self, material: &KeyMaterial<'_>, now: Timestamp) -> bool {
        let is_early = self.changed.is_some_and(|at| now.since(at) < MIN_KEY_AGE);
        if !self.is_encrypted() || is_early {
            return false;
        }
        self.changed = Some(now);
        let Ok(salt) = <[u8; SALT_LEN]>::try_from(material.salt) else { return false };
        let length = material.x_sek.len();
        let Ok(wrapping) = derive_kek(self.passphrase.expose().as_bytes(), &salt, length) else {
            return false;
        };
        let wrapped: Vec<u8> = [material.x_sek, material.o_sek.unwrap_or_default()].concat();
        let Ok(plain) = unwrap_sek(&wrapping, &material.icv, &wrapped) else { return false };
        let key = |part: Option<&[u8]>| {
            part.map(|key| StreamKey { key: Zeroizing::new(key.to_vec()), salt })
        };
        let (first, second) = (plain.get(..length), plain.get(length..));
        match material.kk {
            KmKeyFlag::Even => self.even = key(first),
            KmKeyFlag::Odd => self.odd = key(first),
            KmKeyFlag::Both => (self.even, self.odd) = (key(first), key(second)),
            _ => return false,
        }
        true
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("encrypted", &self.is_encrypted()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use srt_runtime::crypto::wrap_sek;
    use srt_runtime::packet::{Cipher, KmAuth, StreamEncapsulation};

    use super::*;

    const PASSPHRASE: &str = "planted-passphrase";

    #[test]
    fn a_payload_is_read_only_with_its_key_and_a_plain_one_is_refused_once_there_is_a_key() {
        let keys = Keys::new(&[9; 16], [3; SALT_LEN], PASSPHRASE.into());
        let mut payload = [0x47; 188];
        let name = keys.encrypt(7, &mut payload).unwrap();
        assert!(name == EncryptionKeyField::Even && payload != [0x47; 188]);
        let mut odd = payload;
        assert!(!keys.decrypt(EncryptionKeyField::Odd, 7, &mut odd));
        assert!(!keys.decrypt(EncryptionKeyField::NotEncrypted, 7, &mut odd));
        assert!(!Keys::default().decrypt(name, 7, &mut odd));
        assert!(keys.decrypt(name, 7, &mut payload) && payload == [0x47; 188]);
        assert!(!format!("{keys:?}").contains("planted"));
    }

    #[test]
    fn new_keys_are_taken_if_they_are_wrapped_with_the_passphrase_and_not_too_often() {
        let at = Timestamp::from_millis;
        let (salt, next) = ([3; SALT_LEN], Keys::new(&[5; 16], [3; SALT_LEN], Secret::default()));
        let wrapping = derive_kek(PASSPHRASE.as_bytes(), &salt, 16).unwrap();
        let (icv, wrapped) = wrap_sek(&wrapping, &[[5; 16], [6; 16]].concat()).unwrap();
        let (x_sek, o_sek) = wrapped.split_at(16);
        let material = KeyMaterial {
            kk: KmKeyFlag::Both,
            keki: 0,
            cipher: Cipher::AesCtr,
            auth: KmAuth::None,
            se: StreamEncapsulation::MpegTsSrt,
            salt: &salt,
            icv,
            x_sek,
            o_sek: Some(o_sek),
        };
        let mut other = Keys::new(&[9; 16], salt, "another-passphrase".into());
        assert!(!other.renew(&material, at(0)));
        assert!(!Keys::default().renew(&material, at(0)));
        let mut keys = Keys::new(&[9; 16], salt, PASSPHRASE.into());
        assert!(keys.renew(&material, at(0)));
        assert!(!keys.renew(&material, at(999)) && keys.renew(&material, at(1_000)));
        let mut payload = [1; 20];
        next.encrypt(8, &mut payload).unwrap();
        assert!(keys.decrypt(EncryptionKeyField::Even, 8, &mut payload) && payload == [1; 20]);
        assert!(keys.decrypt(EncryptionKeyField::Odd, 8, &mut payload));
    }
}
