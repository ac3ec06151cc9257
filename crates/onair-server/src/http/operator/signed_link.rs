//! Links to one recording for a limited time, because the elements of a page cannot send a token. A link contains its
//! expiry time, and an HMAC of the recording and that time.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::base::Secret;
use crate::base::secret::is_same_secret;
use crate::server::http::path::query_value;

/// How long a link works, in seconds: a long recording can be watched to its end.
const LINK_VALIDITY_SECONDS: u64 = 12 * 3_600;

/// Returns the query of a link to this file, or `None` if there is no key.
pub(in crate::http) fn query(key: &Secret, file: &str, now: u64) -> Option<String> {
    let expires = now.saturating_add(LINK_VALIDITY_SECONDS);
    let signature = signature(key, file, expires)?;
    Some(format!("expires={expires}&signature={signature}"))
}

/// Returns true if this query belongs to a link to this file that has not expired.
pub(in crate::http) fn is_valid(key: &Secret, file: &str, query: &str, now: u64) -> bool {
    let expires = query_value(query, "expires").and_then(|it| it.parse::<u64>().ok());
    let given = query_value(query, "signature");
    let (Some(expires), Some(given)) = (expires, given) else { return false };
    let expected = signature(key, file, expires);
    expected.is_some_and(|it| is_same_secret(it.as_bytes(), given.as_bytes())) && now < expires
}

fn signature(key: &Secret, file: &str, expires: u64) -> Option<String> {
    let key = Some(key.expose().as_bytes()).filter(|key| !key.is_empty())?;
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(format!("{expires}/{file}").as_bytes());
    Some(data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_opens_one_file_until_it_expires() {
        let key = Secret::new("0123456789abcdef");
        let link = query(&key, "a.flv", 1_000).unwrap();
        assert!(is_valid(&key, "a.flv", &link, 1_000));
        assert!(is_valid(
            &key,
            "a.flv",
            &format!("download&{link}"),
            1_000 + LINK_VALIDITY_SECONDS - 1
        ));
        assert!(!is_valid(&key, "a.flv", &link, 1_000 + LINK_VALIDITY_SECONDS));
        assert!(!is_valid(&key, "b.flv", &link, 1_000));
        assert!(!is_valid(&Secret::new("other"), "a.flv", &link, 1_000));
        let longer = link.replacen(&(1_000 + LINK_VALIDITY_SECONDS).to_string(), "9999999999", 1);
        assert!(!is_valid(&key, "a.flv", &longer, 1_000));
        for bad in ["", "expires=99999999999", "signature=", "expires=x&signature=x"] {
            assert!(!is_valid(&key, "a.flv", bad, 1_000), "{bad}");
        }
        let none = Secret::new("");
        assert_eq!(query(&none, "a.flv", 1_000), None);
        assert!(!is_valid(&none, "a.flv", &link, 1_000));
    }
}
