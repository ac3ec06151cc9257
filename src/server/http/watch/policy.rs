//! The Content Security Policy of the viewer page: everything comes from this server, only the page's own scripts
//! run, and scripts create no markup from text (Trusted Types).

use std::fmt::Write;

/// Returns the policy for a page at this host, which pages of these origins may frame.
pub(super) fn of_page(host: Option<&str>, cors: &[String]) -> String {
    let mut connect = "'self'".to_owned();
    // Older browsers do not count WebSockets to the same host as 'self'. A source cannot be an IPv6 address
    // (CSP3 §2.3.1).
    if let Some(host) = host.filter(|host| host.bytes().all(is_of_host)) {
        let _ = write!(connect, " ws://{host} wss://{host}");
    }
    let mut ancestors = "'self'".to_owned();
    for origin in cors.iter().filter(|origin| origin.bytes().all(is_of_origin)) {
        let _ = write!(ancestors, " {origin}");
    }
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
         img-src 'self' data:; media-src 'self' blob:; connect-src {connect}; base-uri 'none'; \
         form-action 'none'; frame-ancestors {ancestors}; require-trusted-types-for 'script'; \
         trusted-types onair"
    )
}

fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-:".contains(&byte)
}

fn is_of_origin(byte: u8) -> bool {
    is_of_host(byte) || b"/*[]".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_elsewhere_is_let_in() {
        let policy = of_page(Some("192.0.2.1:8088"), &["https://a.example".to_owned()]);
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("connect-src 'self' ws://192.0.2.1:8088 wss://192.0.2.1:8088;"));
        assert!(policy.contains("frame-ancestors 'self' https://a.example;"), "{policy}");
    }

    #[test]
    fn names_do_not_change_the_policy() {
        let policy = of_page(Some("a; script-src *"), &["https://b.example; x".to_owned()]);
        assert!(policy.contains("connect-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'self';"), "{policy}");
        let policy = of_page(Some("[::1]:8088"), &[]);
        assert!(policy.contains("connect-src 'self';"), "{policy}");
    }
}
