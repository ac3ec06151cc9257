//! Checks which server a browser addresses (`Host`, RFC 9110 §7.2) and which page sent the request
//! (`Origin`, RFC 6454 §7). A foreign name that resolves to this machine (DNS rebinding) is
//! rejected, whatever origin the page has.

use std::net::{IpAddr, Ipv6Addr};

/// Maximum length of a host name in bytes (RFC 1035 §2.3.4).
const MAX_HOST_NAME_BYTES: usize = 253;

/// Returns true if the server accepts this `Host`: any IP address (rebinding needs a name),
/// `localhost`, or one of these names. Clients other than browsers may omit `Host`.
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

/// Returns the address in brackets, which only a port may follow.
fn ipv6(host: &str) -> Option<Ipv6Addr> {
    let (address, rest) = host.strip_prefix('[')?.split_once(']')?;
    let port = if rest.is_empty() { "" } else { rest.strip_prefix(':')? };
    if port.bytes().all(|byte| byte.is_ascii_digit()) { address.parse().ok() } else { None }
}

/// Returns the name without the port and the final dot.
fn name(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

/// Returns true if the text can be the name of a host, without a port.
pub fn is_host_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    (1..=MAX_HOST_NAME_BYTES).contains(&text.len())
        && text.bytes().all(fits)
        && !text.starts_with('.')
}

/// Returns true if the text can be an origin, such as `https://example.com`.
pub fn is_origin(text: &str) -> bool {
    let host = text.split_once("://").map(|(_, host)| host);
    host.is_some_and(|host| {
        !host.is_empty() && host.bytes().all(|it| it.is_ascii_graphic() && it != b'/')
    })
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
            "[::1].evil.example",
            "[::1]:80:evil",
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
    fn names_and_origins_have_their_forms() {
        for name in ["studio.example", "localhost", "a", "my_host-2.lan"] {
            assert!(is_host_name(name), "{name}");
        }
        let long = "a".repeat(254);
        for other in ["", ".example", "studio:80", "a b", "https://a", "工作室", &long] {
            assert!(!is_host_name(other), "{other}");
        }
        assert!(is_origin("https://example.com") && is_origin("http://[::1]:80"));
        for other in ["", "example.com", "https://", "https://a/b", "https://a b", "*"] {
            assert!(!is_origin(other), "{other}");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_detected() {
        let host = Some("127.0.0.1:8088");
        assert!(is_same_origin(None, host));
        assert!(is_same_origin(Some("http://127.0.0.1:8088"), host));
        for other in ["http://127.0.0.1", "null", "http://evil.example", ""] {
            assert!(!is_same_origin(Some(other), host), "{other}");
        }
        assert!(!is_same_origin(Some("null"), None));
    }
}
