//! The common part of the addresses of SRT and of raw transport streams: `scheme://host:port?options`.

use crate::base::sanitize::is_harmless;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::rtmp::url::MAX_URL_LENGTH;

/// An address without secrets in its host and port.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct MediaAddress<'a> {
    pub scheme: &'a str,
    /// Name or address, without the brackets of IPv6.
    pub host: &'a str,
    pub port: u16,
    query: &'a str,
}

/// What a family of addresses allows, and its texts.
#[derive(Copy, Clone, Debug)]
pub struct AddressRules {
    /// The text about a path.
    pub has_path: fn() -> Problem,
    /// The text about a login.
    pub has_login: fn() -> Problem,
    /// The text about a missing port.
    pub has_no_port: fn() -> Problem,
    /// True if the host can be empty, as that of a listener.
    pub may_lack_host: bool,
    /// True if the host can begin with an @, as VLC and ffmpeg write a multicast group.
    pub may_begin_with_at: bool,
}

impl<'a> MediaAddress<'a> {
    /// Splits an address into its parts.
    ///
    /// # Errors
    /// Fails with the wrong part. The problem contains no secret.
    pub fn parse(text: &'a str, rules: &AddressRules) -> Result<Self, Problem> {
        let text = text.trim();
        if text.len() > MAX_URL_LENGTH {
            return Err(problem!("url-too-long", bytes = MAX_URL_LENGTH));
        }
        if text.chars().any(|c| c.is_whitespace() || !is_harmless(c)) {
            return Err(problem!("url-character"));
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| problem!("url-no-scheme"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let place = place.strip_suffix('/').unwrap_or(place);
        let place = place.strip_prefix('@').filter(|_| rules.may_begin_with_at).unwrap_or(place);
        if place.contains('/') {
            return Err((rules.has_path)());
        }
        if place.contains('@') {
            return Err((rules.has_login)());
        }
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or_else(|| problem!("url-brackets"))?;
                (host, rest.strip_prefix(':'))
            }
            None => match place.rsplit_once(':') {
                Some((host, _)) if host.contains(':') => return Err(problem!("url-brackets")),
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        if host.is_empty() && !rules.may_lack_host {
            return Err(problem!("url-no-host"));
        }
        let port = port.ok_or_else(rules.has_no_port)?;
        let port = port.parse::<std::num::NonZeroU16>();
        let port = port.map_err(|_| problem!("url-ts-port"))?.get();
        Ok(Self { scheme, host, port, query })
    }

    /// Returns the options, by name and value.
    pub fn options(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let all = self.query.split('&').filter(|option| !option.is_empty());
        all.map(|option| option.split_once('=').unwrap_or((option, "")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: AddressRules = AddressRules {
        has_path: || problem!("url-srt-path"),
        has_login: || problem!("url-srt-login"),
        has_no_port: || problem!("url-srt-no-port"),
        may_lack_host: true,
        may_begin_with_at: false,
    };

    #[test]
    fn what_a_family_allows_is_read_and_the_rest_is_named() {
        let address = MediaAddress::parse(" x://[::1]:7/?a=1&&b ", &RULES).unwrap();
        assert_eq!((address.scheme, address.host, address.port), ("x", "::1", 7));
        assert_eq!(address.options().collect::<Vec<_>>(), [("a", "1"), ("b", "")]);
        let strict = AddressRules { may_lack_host: false, may_begin_with_at: true, ..RULES };
        let id = |text, rules| MediaAddress::parse(text, rules).map_err(|it| it.id().to_owned());
        assert!(id("x://:7", &RULES).is_ok() && id("x://@h:7", &strict).is_ok());
        for (text, rules, wrong) in [
            ("x://:7", &strict, "url-no-host"),
            ("x://@h:7", &RULES, "url-srt-login"),
            ("x://h", &RULES, "url-srt-no-port"),
            ("x://h:7/y", &RULES, "url-srt-path"),
            ("h:7", &RULES, "url-no-scheme"),
        ] {
            assert_eq!(id(text, rules), Err(wrong.to_owned()), "{text}");
        }
    }
}
