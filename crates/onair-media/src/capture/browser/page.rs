//! The address of a page, and its properties.

use std::path::{Path, PathBuf};

use crate::media::Size;

/// The style that onair adds to a page: transparent, without margins or scroll bars, as in OBS.
pub const DEFAULT_CSS: &str =
    "body { background-color: rgba(0, 0, 0, 0); margin: 0px auto; overflow: hidden; }";

/// Maximum length of an address.
const MAX_ADDRESS: usize = 8_192;

/// The properties of a page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BrowserPage {
    /// The size of the page in pixels; `None` for the size of the program.
    pub size: Option<Size>,
    /// The highest frame rate of the page; `None` for the frame rate of the program.
    pub fps: Option<u32>,
    /// A style sheet that is added to the page.
    pub css: String,
    /// True to end the page's processes while the page is not shown.
    pub shut_down_when_hidden: bool,
    /// True to load the page again whenever it is shown.
    pub refresh_when_shown: bool,
    /// True if the page may use addresses of this computer and of the local network.
    pub local_network: bool,
}

impl Default for BrowserPage {
    fn default() -> Self {
        Self {
            size: None,
            fps: None,
            css: DEFAULT_CSS.to_owned(),
            shut_down_when_hidden: false,
            refresh_when_shown: false,
            local_network: false,
        }
    }
}

impl BrowserPage {
    /// Minimum width and height in pixels.
    pub const MIN_SIDE: u32 = 16;
    /// Maximum width and height in pixels.
    pub const MAX_SIDE: u32 = 4_096;
    /// Maximum frame rate.
    pub const MAX_FPS: u32 = 60;
    /// Maximum length of the style sheet in bytes.
    pub const MAX_CSS: usize = 64 << 10;

    /// Returns true if the switches are equal.
    pub fn differs_only_in_values(&self, other: &Self) -> bool {
        let switches =
            |it: &Self| (it.shut_down_when_hidden, it.refresh_when_shown, it.local_network);
        switches(self) == switches(other)
    }

    /// Returns the properties with every value clamped to its range.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let side = |side: u32| side.clamp(Self::MIN_SIDE, Self::MAX_SIDE).next_multiple_of(2);
        self.size = self.size.map(|size| Size::new(side(size.width), side(size.height)));
        self.fps = self.fps.map(|fps| fps.clamp(1, Self::MAX_FPS));
        if self.css.len() > Self::MAX_CSS {
            let end = (0..=Self::MAX_CSS).rev().find(|end| self.css.is_char_boundary(*end));
            self.css.truncate(end.unwrap_or(0));
        }
        self
    }
}

/// Returns the address or the path of a page as it is saved, or `None` if a page cannot have it.
/// `file://` becomes a path.
pub fn parse(text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > MAX_ADDRESS || text.contains(|c: char| c.is_control()) {
        return None;
    }
    if is_address(text) {
        let host = host_of(text)?;
        return (!host.is_empty() && !text.contains(' ')).then(|| text.to_owned());
    }
    match text.split_once("://") {
        Some((scheme, path)) if scheme.eq_ignore_ascii_case("file") => {
            path.starts_with('/').then(|| percent_decoded(path)).flatten()
        }
        // A path can contain anything, but not begin like another scheme.
        Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => None,
        _ if text.starts_with("data:") || text.starts_with("javascript:") => None,
        _ => Some(text.to_owned()),
    }
}

/// Returns true for an address of the web, and false for a path.
pub fn is_address(text: &str) -> bool {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme).unwrap_or_default();
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Returns the host and port of an address, without a user and a password.
pub fn host_of(url: &str) -> Option<&str> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    Some(authority.rsplit('@').next().unwrap_or(authority))
}

/// Returns the name of a page for display: its host, or the name of its file. The rest of an address
/// can be secret.
pub(super) fn name_of(page: &str) -> String {
    match is_address(page) {
        true => host_of(page).unwrap_or_default().to_owned(),
        false => Path::new(page)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
    }
}

/// Returns a page for display. The path of an address can contain a token, so it is hidden.
pub fn label(page: &str) -> String {
    match (page.split_once("://"), is_address(page)) {
        (Some((scheme, rest)), true) => {
            let has_path = rest.trim_end_matches('/').contains(['/', '?', '#']);
            let path = if has_path { "/…" } else { "" };
            format!("{scheme}://{}{path}", host_of(page).unwrap_or_default())
        }
        _ => page.to_owned(),
    }
}

/// Returns the address of a page for Chromium. A relative path begins at the working folder.
pub(super) fn url_of(page: &str) -> String {
    if is_address(page) {
        return page.to_owned();
    }
    let path = std::path::absolute(page).unwrap_or_else(|_| PathBuf::from(page));
    let mut url = String::from("file://");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => url.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => url.push(char::from(*byte)),
            byte => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

/// Returns the host and port that the user chose, if it is one of the local network by its name or
/// number: a choice is a permission. A name of the web that leads to the local network is not.
pub(super) fn chosen_local_host(page: &str) -> Option<String> {
    let authority = host_of(page).filter(|_| is_address(page))?.to_ascii_lowercase();
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port),
        _ if page.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:")) => {
            (authority.as_str(), "443")
        }
        _ => (authority.as_str(), "80"),
    };
    let number = host.trim_start_matches('[').trim_end_matches(']');
    let is_local = number.parse::<std::net::IpAddr>().is_ok()
        || !host.contains('.')
        || [".local", ".lan", ".home.arpa", ".internal", ".localhost"]
            .iter()
            .any(|ending| host.ends_with(ending));
    is_local.then(|| format!("{host}:{port}"))
}

/// Returns the name of the folder for a page's logins and storage: the same for every token, so that
/// a new token keeps the login.
pub(super) fn profile_name(page: &str) -> String {
    let identity = page.split(['?', '#']).next().unwrap_or(page);
    // FNV-1a with 64 bits. The name only has to differ between pages, not to hide anything.
    let hash = identity.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// Returns the name of the audio server's sink for a page.
pub fn sink_name(page: &str) -> String {
    format!("onair-page-{}", profile_name(page))
}

/// Returns true if Chromium may load this `file:` address for a page: a file beside the chosen one, or
/// in a folder beside it.
pub(super) fn may_load(page: &str, url: &str) -> bool {
    if is_address(page) {
        return false;
    }
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let Some(path) = path.strip_prefix("file://").and_then(percent_decoded) else { return false };
    let real = |path: &Path| path.canonicalize().ok();
    let absolute = std::path::absolute(page).ok().and_then(|page| real(&page));
    let Some(folder) = absolute.as_deref().and_then(Path::parent) else { return false };
    // A file beside the system's root folder would allow every file.
    let Some(path) = real(Path::new(&path)) else { return false };
    if folder.parent().is_none() {
        return absolute.as_deref() == Some(&*path);
    }
    path.starts_with(folder)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            bytes.push((high * 16 + low) as u8);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_and_paths_are_pages() {
        for page in ["https://alerts.example/a?token=1", "http://h", "HTTPS://h/x", "/a/b.html"] {
            assert_eq!(parse(page).as_deref(), Some(page), "{page}");
        }
        assert_eq!(parse(" a b.html ").as_deref(), Some("a b.html"));
        assert_eq!(parse("file:///a/b%20c.html").as_deref(), Some("/a/b c.html"));
        for bad in [
            "",
            "ftp://h/a",
            "chrome://settings",
            "javascript:alert(1)",
            "data:text/html,a",
            "http://",
            "https:///x",
            "http://a b/",
            "file://host/a",
            "file:///a%zz",
            "file:///a%00",
            "http://h/\nx",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!(parse(&"a".repeat(MAX_ADDRESS + 1)), None);
    }

    #[test]
    fn names_contain_no_secret() {
        assert_eq!(name_of("https://me:pw@alerts.example:8443/x?token=1"), "alerts.example:8443");
        assert_eq!(name_of("https://h?token=1"), "h");
        assert_eq!(name_of("/a/b.html"), "b.html");
        assert_eq!(label("https://me:pw@h/v3/token"), "https://h/…");
        assert_eq!(label("https://h/"), "https://h");
        assert_eq!(label("/a/b.html"), "/a/b.html");
        let folder = |page: &str| profile_name(page);
        assert_eq!(folder("https://h/a?token=1"), folder("https://h/a?token=2"));
        assert_ne!(folder("https://h/a"), folder("https://h/b"));
    }

    #[test]
    fn only_a_chosen_local_host_is_a_permission() {
        let host = |page: &str| chosen_local_host(page);
        assert_eq!(host("http://127.0.0.1:8080/a").as_deref(), Some("127.0.0.1:8080"));
        assert_eq!(host("https://NAS.local/").as_deref(), Some("nas.local:443"));
        assert_eq!(host("http://localhost").as_deref(), Some("localhost:80"));
        assert_eq!(host("http://[::1]:9/").as_deref(), Some("[::1]:9"));
        assert_eq!(host("https://rebind.example/"), None);
        assert_eq!(host("/a/b.html"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_local_page_loads_only_what_is_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("over lay");
        std::fs::create_dir_all(inside.join("css")).unwrap();
        for file in ["over lay/page.html", "over lay/css/a.css", "secret.txt"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        std::os::unix::fs::symlink(folder.path().join("secret.txt"), inside.join("link")).unwrap();
        let page = inside.join("page.html").display().to_string();
        let may = |file: &str| may_load(&page, &url_of(&inside.join(file).display().to_string()));
        assert!(may("page.html") && may("css/a.css") && may("css/../page.html"));
        assert!(!may("../secret.txt"), "outside");
        assert!(!may("link"), "a link to the outside");
        assert!(!may("absent"));
        assert!(!may_load(&page, "file:///etc/passwd"));
        assert!(!may_load(&page, "file://host/etc/passwd"));
        assert!(!may_load("https://h/", "file:///etc/passwd"));
        assert!(may_load(&page, &format!("{}?a#b", url_of(&page))));
    }

    #[test]
    fn values_stay_in_their_ranges() {
        let page = BrowserPage {
            size: Some(Size::new(1, 99_999)),
            fps: Some(0),
            css: "ä".repeat(BrowserPage::MAX_CSS),
            ..BrowserPage::default()
        };
        let page = page.bounded();
        assert_eq!(page.size, Some(Size::new(16, 4_096)));
        assert_eq!((page.fps, page.css.len()), (Some(1), BrowserPage::MAX_CSS));
    }
}
