//! Checks which server a browser addresses (`Host`, RFC 9110 §7.2) and which page sent the request
//! (`Origin`, RFC 6454 §7). A foreign name that resolves to this machine (DNS rebinding) is
//! rejected, whatever origin the page has.

use std::net::{IpAddr, Ipv6Addr};

/// Returns true if the server accepts this `Host`: any IP address (rebinding needs a name),
/// `localhost`, or one of these names. Clients other than browsers may omit it.
pub fn is_known_host(host: Option<&str>, names: &[String]) -> bool {
    let Some(host) = host else { return true };
    if host.starts_with('[') {
        return ipv6(host).is_some();
    }
    let name = name(host);
    let known = |known: &str| name.eq_ignore_ascii_case(known);
    name.parse::<IpAddr>().is_ok() || known("localhost") || names.iter().any(|it| known(it))
}

/// Returns true if this `Host` is this computer: a loopback address, or `localhost`.
pub fn is_loopback_host(host: Option<&str>) -> bool {
    let Some(host) = host else { return true };
    if host.starts_with('[') {
        return ipv6(host).is_some_and(|address| address.to_canonical().is_loopback());
    }
    let name = name(host);
    name.parse::<IpAddr>().map_or(name.eq_ignore_ascii_case("localhost"), |it| it.is_loopback())
}

/// Returns the address in brackets.
fn ipv6(host: &str) -> Option<Ipv6Addr> {
    host.strip_prefix('[')?.split_once(']')?.0.parse().ok()
}

/// Returns the name without port and final dot.
fn name(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

/// Returns true if the request comes from a page of this server, or from no page.
pub fn is_same_origin(origin: Option<&str>, host: Option<&str>) -> bool {
    match origin {
        Some(origin) => {
            let of_page = origin.split_once("://").map(|(_, host)| host);
            of_page.is_some() && of_page == host
        }
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_names_and_addresses_are_known() {
        let names = ["studio.example".to_owned()];
        for known in [
            "127.0.0.1",
            "127.0.0.1:8088",
            "192.0.2.7:80",
            "[::1]",
            "[2001:db8::1]:8088",
            "localhost",
            "LocalHost:8088",
            "localhost.",
            "studio.example:8088",
            "Studio.Example.",
        ] {
            assert!(is_known_host(Some(known), &names), "{known}");
        }
        for other in [
            "",
            "evil.example",
            "evil.example:8088",
            "127.0.0.1.evil.example",
            "localhost.evil",
            "[evil]",
            "[",
            "studio.example.evil",
            "127.0.0.1:80:evil",
            "a:b",
            "notlocalhost",
        ] {
            assert!(!is_known_host(Some(other), &names), "{other}");
        }
        assert!(is_known_host(None, &[]));
    }

    #[test]
    fn only_this_computer_is_loopback() {
        for here in ["127.0.0.1", "127.9.0.1:80", "[::1]:8088", "localhost", "LocalHost.:1"] {
            assert!(is_loopback_host(Some(here)), "{here}");
        }
        assert!(is_loopback_host(Some("[::ffff:127.0.0.1]")) && is_loopback_host(None));
        for other in ["", "192.0.2.7", "[2001:db8::1]", "localhost.evil", "[", "studio.example"] {
            assert!(!is_loopback_host(Some(other)), "{other}");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_told_by_its_origin() {
        let host = Some("127.0.0.1:8088");
        assert!(is_same_origin(None, host));
        assert!(is_same_origin(Some("http://127.0.0.1:8088"), host));
        for other in ["http://127.0.0.1", "null", "http://evil.example", ""] {
            assert!(!is_same_origin(Some(other), host), "{other}");
        }
        assert!(!is_same_origin(Some("null"), None));
    }
}
