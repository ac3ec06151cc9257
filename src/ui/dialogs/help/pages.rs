//! The pages included in the executable: the guide in both languages, and the reference in English.

use crate::ui::dialogs::help::markdown::{self, Block, Content};
use crate::ui::input::actions::key;
use crate::ui::text::Language;

/// The topic that is displayed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    /// A page by its index.
    Page(usize),
    Hotkeys,
}

/// The groups of pages in the list.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Start,
    Tasks,
    Reference,
    Background,
}

impl Part {
    pub const ALL: [Self; 4] = [Self::Start, Self::Tasks, Self::Reference, Self::Background];

    /// Returns the text key for the name of the group.
    pub fn key(self) -> &'static str {
        match self {
            Self::Start => key!("help-start"),
            Self::Tasks => key!("help-tasks"),
            Self::Reference => key!("help-reference"),
            Self::Background => key!("help-background"),
        }
    }
}

/// One page.
#[derive(Debug)]
pub struct Page {
    pub part: Part,
    /// The path below `docs/`.
    pub path: &'static str,
    english: &'static str,
    /// The Chinese text; `None` if there is only the English page.
    chinese: Option<&'static str>,
}

macro_rules! both {
    ($part:ident $path:literal) => {
        Page {
            part: Part::$part,
            path: $path,
            english: include_str!(concat!("../../../../docs/", $path)),
            chinese: Some(include_str!(concat!("../../../../docs/zh-CN/", $path))),
        }
    };
}

macro_rules! english {
    ($part:ident $path:literal) => {
        Page {
            part: Part::$part,
            path: $path,
            english: include_str!(concat!("../../../../docs/", $path)),
            chinese: None,
        }
    };
}

/// All pages in the order of the list. A test checks that the folders contain no other pages.
pub static HELP_PAGES: &[Page] = &[
    both!(Start "tutorial/first-broadcast-window.md"),
    both!(Start "tutorial/first-broadcast-command-line.md"),
    both!(Tasks "how-to/build-a-scene.md"),
    both!(Tasks "how-to/switch-scenes.md"),
    both!(Tasks "how-to/mix-audio.md"),
    both!(Tasks "how-to/stream-to-services.md"),
    both!(Tasks "how-to/check-before-going-live.md"),
    both!(Tasks "how-to/choose-an-encoder.md"),
    both!(Tasks "how-to/read-the-health-bar.md"),
    both!(Tasks "how-to/lay-out-the-window.md"),
    both!(Tasks "how-to/set-up-hotkeys.md"),
    both!(Tasks "how-to/second-canvas.md"),
    both!(Tasks "how-to/record.md"),
    both!(Tasks "how-to/profiles.md"),
    both!(Tasks "how-to/delay-the-stream.md"),
    both!(Tasks "how-to/send-a-file.md"),
    both!(Tasks "how-to/watch-and-save.md"),
    both!(Tasks "how-to/restricted-networks.md"),
    both!(Tasks "how-to/secure-servers.md"),
    both!(Tasks "how-to/viewer-page.md"),
    both!(Tasks "how-to/run-a-server.md"),
    both!(Tasks "how-to/control-access.md"),
    both!(Tasks "how-to/operate-a-server.md"),
    both!(Tasks "how-to/relay-streams.md"),
    both!(Tasks "how-to/mix-on-a-server.md"),
    both!(Tasks "how-to/test-against-faults.md"),
    both!(Tasks "how-to/script-a-broadcast.md"),
    both!(Tasks "how-to/rules.md"),
    both!(Tasks "how-to/virtual-camera.md"),
    both!(Tasks "how-to/use-audio-plugins.md"),
    both!(Tasks "how-to/guests.md"),
    both!(Tasks "how-to/browser-pages.md"),
    both!(Tasks "how-to/remote-control.md"),
    both!(Tasks "how-to/install-on-windows.md"),
    both!(Tasks "how-to/build.md"),
    english!(Reference "reference/scenes.md"),
    english!(Reference "reference/sources.md"),
    english!(Reference "reference/filters.md"),
    english!(Reference "reference/sound.md"),
    english!(Reference "reference/hotkeys.md"),
    english!(Reference "reference/obs-websocket.md"),
    english!(Reference "reference/watch.md"),
    english!(Reference "reference/hls.md"),
    english!(Reference "reference/settings.md"),
    english!(Reference "reference/messages.md"),
    english!(Reference "reference/platforms.md"),
    english!(Reference "reference/events.md"),
    english!(Background "explanation/slow.md"),
    english!(Background "explanation/monitor.md"),
    english!(Background "explanation/scale.md"),
    english!(Background "explanation/sandbox.md"),
];

impl Page {
    /// Returns the text of the page in this language, or else in English.
    pub fn text(&self, language: Language) -> &'static str {
        match language {
            Language::Chinese => self.chinese.unwrap_or(self.english),
            Language::English => self.english,
        }
    }

    /// Returns the heading of the page.
    pub fn title(&self, language: Language) -> &'static str {
        self.text(language).lines().find_map(|line| line.strip_prefix("# ")).unwrap_or(self.path)
    }

    pub fn blocks(&self, language: Language) -> Vec<Block> {
        markdown::read(self.text(language))
    }

    /// Returns the target of a link on this page.
    pub fn target(&self, link: &str) -> Option<Target> {
        if link.starts_with("https://") || link.starts_with("http://") {
            return Some(Target::Web);
        }
        let (path, anchor) =
            link.split_once('#').map_or((link, None), |(path, it)| (path, Some(it)));
        let mut parts: Vec<&str> = self.path.split('/').collect();
        if !path.is_empty() {
            parts.pop();
        }
        // On a Chinese page, the path to the reference has one more `..`, which has no effect here.
        for part in path.split('/').filter(|part| !part.is_empty()) {
            match part {
                ".." => {
                    parts.pop();
                }
                _ => parts.push(part),
            }
        }
        let path = parts.join("/");
        let page = HELP_PAGES.iter().position(|page| page.path == path)?;
        Some(Target::Page(page, anchor.map(ToOwned::to_owned)))
    }
}

/// The target of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A page, and the anchor of a heading in it, if any.
    Page(usize, Option<String>),
    /// An address on the web.
    Web,
}

/// Returns the anchor of a heading, for links to it.
pub fn anchor_of(block: &Block) -> Option<String> {
    match &block.content {
        Content::Heading(_, spans) => Some(markdown::anchor(&markdown::plain(spans))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_window_has_every_page_of_these_folders() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let folders = ["tutorial", "how-to", "reference", "explanation"];
        let mut there = BTreeSet::new();
        for folder in folders {
            for file in std::fs::read_dir(docs.join(folder)).unwrap() {
                there.insert(format!("{folder}/{}", file.unwrap().file_name().to_str().unwrap()));
            }
        }
        let shown: BTreeSet<String> = HELP_PAGES.iter().map(|page| page.path.to_owned()).collect();
        assert_eq!(shown, there);
        assert_eq!(shown.len(), HELP_PAGES.len(), "a page is listed twice");
    }

    #[test]
    fn links_lead_to_pages_and_their_headings() {
        let page = |path: &str| HELP_PAGES.iter().position(|page| page.path == path).unwrap();
        let record = &HELP_PAGES[page("how-to/record.md")];
        let tracks = Some(Target::Page(page("reference/sound.md"), Some("tracks".into())));
        assert_eq!(record.target("../reference/sound.md#tracks"), tracks);
        // This is the form of the link on a Chinese page.
        assert_eq!(record.target("../../reference/sound.md#tracks"), tracks);
        let server = Some(Target::Page(page("how-to/run-a-server.md"), None));
        assert_eq!(record.target("run-a-server.md"), server);
        let here = Some(Target::Page(page("how-to/record.md"), Some("x".into())));
        assert_eq!(record.target("#x"), here);
        assert_eq!(record.target("https://example.org"), Some(Target::Web));
        assert_eq!(record.target("../evidence/measured.md"), None);
    }

    #[test]
    fn every_heading_that_a_link_names_is_there() {
        for page in HELP_PAGES {
            for language in Language::ALL {
                let spans =
                    page.blocks(language).into_iter().flat_map(|block| match block.content {
                        Content::Heading(_, spans) | Content::Paragraph(spans) => spans,
                        Content::Table(rows) => rows.into_iter().flatten().flatten().collect(),
                        Content::Image(..) | Content::Code(_) => Vec::new(),
                    });
                for link in spans.filter_map(|span| span.link) {
                    let Some(Target::Page(target, Some(anchor))) = page.target(&link) else {
                        continue;
                    };
                    let blocks = HELP_PAGES[target].blocks(language);
                    let found = blocks.iter().filter_map(anchor_of).any(|it| it == anchor);
                    assert!(found, "{}: {link}", page.path);
                }
            }
        }
    }

    #[test]
    fn every_image_is_in_the_installed_folder_and_has_the_expected_shape() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/pictures");
        let mut count = 0;
        for page in HELP_PAGES {
            for block in Language::ALL.into_iter().flat_map(|language| page.blocks(language)) {
                let Content::Image(file, alternative) = block.content else { continue };
                assert!(!alternative.is_empty(), "{}: {file}", page.path);
                let (width, height) = image::image_dimensions(folder.join(&file)).expect(&file);
                assert_eq!(width * 9, height * 16, "{file}");
                count += 1;
            }
        }
        assert!(count > 36, "{count}");
    }

    #[test]
    fn every_page_has_a_title() {
        for page in HELP_PAGES {
            for language in Language::ALL {
                assert_ne!(page.title(language), page.path);
            }
        }
    }

    #[test]
    fn the_first_page_begins_with_the_open_window() {
        for language in Language::ALL {
            let blocks = HELP_PAGES[0].blocks(language);
            let code = blocks.iter().position(|it| matches!(it.content, Content::Code(_)));
            assert!(code.is_none_or(|at| at > blocks.len() / 2), "{language:?}: {code:?}");
        }
    }
}
