//! The values of `--acme` and of the flags beside it.

use crate::net::tls::acme::domain::check_domain;
use crate::net::web::WebUrl;
use crate::text::Problem;
use crate::text::problem::problem;

/// Checks the address of an authority.
pub(in crate::cli) fn check_directory(text: &str) -> Result<String, Problem> {
    let url = WebUrl::parse(text).map_err(|error| Problem::from(&error))?;
    if url.is_secure() && !url.is_websocket() {
        Ok(text.trim().to_owned())
    } else {
        Err(problem!("serve-acme-directory"))
    }
}

/// Checks an address of a person.
pub(in crate::cli) fn check_email(text: &str) -> Result<String, Problem> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'?');
    match text.split_once('@') {
        Some((name, host)) if is_plain && !name.is_empty() && check_domain(host).is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err(problem!("serve-acme-email")),
    }
}

/// Checks the flags that depend on each other: whether there is `--acme`, whether it can serve a
/// page, and whether there are flags that complete it.
pub(in crate::cli) fn check_together(
    has_acme: bool,
    is_page_of_its_own: bool,
    is_completed: bool,
) -> Result<(), Problem> {
    if has_acme && !is_page_of_its_own {
        return Err(problem!("serve-acme-alone"));
    }
    if is_completed && !has_acme {
        let flags = "--acme, --acme-directory, --acme-email, --acme-ca";
        return Err(problem!("serve-together", flags = flags));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_asked_over_https_only_and_mails_are_addresses() {
        assert!(check_directory("https://ca.example/dir").is_ok());
        for bad in ["http://ca.example/dir", "wss://ca.example/dir", "ca.example"] {
            assert!(check_directory(bad).is_err(), "{bad}");
        }
        assert!(check_email("me@example.com").is_ok());
        for bad in ["me", "@example.com", "a b@example.com", "me@x?subject=y"] {
            assert!(check_email(bad).is_err(), "{bad}");
        }
    }
}
