//! The domains for which an authority can issue a certificate.

use crate::text::Problem;
use crate::text::problem::problem;

/// Maximum length of a domain (RFC 1035 §2.3.4).
const MAX_DOMAIN_LENGTH: usize = 253;

/// Checks a domain for a certificate. Wildcards need a check over DNS, which onair cannot answer.
///
/// # Errors
/// Fails if the text is not such a domain.
pub fn check_domain(text: &str) -> Result<String, Problem> {
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
}
