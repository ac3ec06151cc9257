//! The viewer page on a phone, a tablet and a desktop, in both themes and languages, and in each of its states: no text
//! or button is cut, and no text is outside the window, on other text or too pale. `ONAIR_PAGE_PICTURES` names a folder
//! for pictures of all. The tests of the operator page use the same checks.

use std::path::PathBuf;

use super::chromium::{Chromium, Page};
use super::{NO_B_FRAMES, choose, has_status, plays, say, start_with};
use crate::peers;

const SIZES: [(&str, u32, u32); 3] =
    [("phone", 390, 844), ("tablet", 768, 1_024), ("desktop", 1_280, 720)];
const THEMES: [&str; 2] = ["dark", "light"];
const LANGUAGES: [&str; 2] = ["en", "zh-CN"];
/// A list of what is wrong with the layout of a page.
pub const CHECK: &str = include_str!("layout.js");

/// The folder for screenshots, and the layout faults that were found.
pub struct Album {
    folder: Option<PathBuf>,
    faults: Vec<String>,
}

impl Album {
    pub fn new() -> Self {
        let folder = std::env::var_os("ONAIR_PAGE_PICTURES").map(PathBuf::from);
        Self { folder, faults: Vec::new() }
    }

    /// Fails if a fault was found.
    #[track_caller]
    pub fn check(&self) {
        assert!(self.faults.is_empty(), "{:#?}", self.faults);
    }

    /// Checks this state, and takes screenshots, in each size, theme and language. `prepare`
    /// restores the state.
    pub fn take(&mut self, page: &Page<'_>, state: &str, prepare: impl Fn()) {
        for (device, width, height) in SIZES {
            page.resize(width, height);
            for theme in THEMES {
                for language in LANGUAGES {
                    choose(page, "theme", theme);
                    choose(page, "language", language);
                    prepare();
                    // A pointer over the video keeps the controls visible.
                    page.value(
                        "document.getElementById('stage')
                            ?.dispatchEvent(new PointerEvent('pointermove', { bubbles: true }))",
                    );
                    page.value("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
                    let name = format!("{state}-{device}-{theme}-{language}");
                    let found = page.value(CHECK);
                    let found = found.as_array().unwrap_or_else(|| panic!("{name}: no answer"));
                    self.faults.extend(found.iter().map(|fault| format!("{name}: {fault}")));
                    if let Some(folder) = &self.folder {
                        page.picture(&folder.join(format!("{name}.png")));
                    }
                }
            }
        }
    }
}

#[test]
fn every_state_of_the_page_is_laid_out_well() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let mut album = Album::new();
    let running = start_with(|config| {
        config.media.renditions.others = "480p:900k,240p:400k,audio".parse().unwrap();
    });
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait(&has_status("waiting"));
    album.take(&page, "waiting", || ());
    let _publisher = running.publish(&NO_B_FRAMES);
    plays(&page, "whep", 30);
    page.wait("!document.getElementById('say').disabled");
    let lines = [
        ("guest-2", "is that the 77.5 kHz one?"),
        ("Workshop", "Yes: Mainflingen, you can hear it all over Europe"),
        ("小林", "这个焊点现在好看了"),
        ("guest-4", "greetings from Lyon"),
    ];
    for (name, line) in lines {
        say(&page, name, line);
    }
    page.wait(&format!("document.querySelectorAll('#lines p').length === {}", lines.len()));
    album.take(&page, "playing", || ());
    album.take(&page, "menu", || {
        page.value("if (document.getElementById('menu').hidden) document.getElementById('settings').click()");
    });
    page.value("document.getElementById('settings').click()");
    album.take(&page, "code", || {
        page.value("if (!document.getElementById('code-dialog').open) document.getElementById('code').click()");
        page.wait("document.getElementById('code-image').naturalWidth > 100");
    });
    page.value("document.getElementById('code-dialog').close()");
    album.take(&page, "name", || {
        page.value("if (document.getElementById('name').hidden) document.getElementById('name-toggle').click()");
    });
    page.value("document.getElementById('play').click()");
    page.wait(&has_status("paused"));
    album.take(&page, "paused", || ());
    album.check();
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
