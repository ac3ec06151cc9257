//! Checks the documentation: every link and image exists, and the user guide has the same pages,
//! commands and sections in both languages.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every page below `folder`.
fn pages_below(folder: &Path, pages: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages_below(&path, pages);
        } else if path.extension().is_some_and(|it| it == "md") {
            pages.push(path);
        }
    }
}

/// All documentation pages.
fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "md") {
            pages.push(path);
        }
    }
    pages_below(&root().join("docs"), &mut pages);
    pages
}

/// What a page links to, images included, and the anchors of its headings.
fn links_and_anchors(page: &Path) -> (Vec<String>, BTreeSet<String>) {
    let text = std::fs::read_to_string(page).unwrap();
    let (mut links, mut anchors) = (Vec::new(), BTreeSet::new());
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                links.push(dest_url.into_string());
            }
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let heading = heading.take().unwrap_or_default().to_lowercase();
                let kept = heading.chars().filter(|it| it.is_alphanumeric() || " -_".contains(*it));
                anchors.insert(kept.collect::<String>().replace(' ', "-"));
            }
            _ => {}
        }
    }
    (links, anchors)
}

#[test]
fn every_link_and_image_of_every_page_is_there() {
    let (mut wrong, mut followed) = (Vec::new(), 0);
    for page in pages() {
        for link in links_and_anchors(&page).0 {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            followed += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target =
                if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let there = target.exists()
                && (anchor.is_empty() || links_and_anchors(&target).1.contains(anchor));
            if !there {
                wrong.push(format!("{}: {link}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere: {wrong:#?}");
    assert!(followed > 200, "{followed}");
}

/// The file names of the pages in a folder of the guide.
fn names(folder: &str) -> BTreeSet<String> {
    let mut pages = Vec::new();
    pages_below(&root().join(folder), &mut pages);
    pages.iter().map(|it| it.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn the_guide_has_the_same_pages_in_both_languages_and_lists_all() {
    for folder in ["tutorial", "how-to"] {
        let english = names(&format!("docs/{folder}"));
        assert!(english.len() > 1, "{folder}");
        assert_eq!(english, names(&format!("docs/zh-CN/{folder}")), "{folder}");
        for index in ["docs/README.md", "docs/zh-CN/README.md"] {
            let listed = links_and_anchors(&root().join(index)).0;
            for page in &english {
                let link = format!("{folder}/{page}");
                assert!(listed.contains(&link), "{index} does not list {link}");
            }
        }
    }
}

/// Both pages of a pair show the same commands, so that neither translation lags behind.
#[test]
fn both_languages_show_the_same_commands_and_the_same_sections() {
    let parts = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        let (mut code, mut headings, mut inside) = (Vec::new(), 0, false);
        for event in Parser::new(&text) {
            match event {
                Event::Start(Tag::CodeBlock(_)) => inside = true,
                Event::End(TagEnd::CodeBlock) => inside = false,
                Event::Start(Tag::Heading { .. }) => headings += 1,
                Event::Text(line) if inside => code.push(line.into_string()),
                _ => {}
            }
        }
        (code.concat(), headings)
    };
    for folder in ["tutorial", "how-to"] {
        for page in names(&format!("docs/{folder}")) {
            let english = parts(&root().join("docs").join(folder).join(&page));
            let chinese = parts(&root().join("docs/zh-CN").join(folder).join(&page));
            assert_eq!(english, chinese, "{folder}/{page}");
        }
    }
}

/// The table of platforms claims for Windows only what a check shows, and names all checks.
#[test]
fn the_table_of_platforms_names_exactly_the_checks_that_run_under_wine() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).unwrap();
    let script = read("packaging/windows/test.sh");
    let checks = script.lines().filter_map(|line| line.trim().strip_prefix("expect \""));
    let checks: BTreeSet<&str> = checks.filter_map(|rest| Some(rest.split_once('"')?.0)).collect();
    let page = read("docs/reference/platforms.md");
    // Other tables follow.
    let table = page.lines().skip_while(|line| !line.starts_with('|'));
    let table = table.take_while(|line| line.starts_with('|'));
    let rows: Vec<&str> = table.filter(|line| line.starts_with("| ")).skip(1).collect();
    let mut named = BTreeSet::new();
    for row in &rows {
        let windows = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let seen = windows.starts_with("seen under wine");
        let is_known = seen || windows.starts_with("written") || windows == "no";
        assert!(is_known, "an unknown state: {row}");
        let names: Vec<&str> = windows.split('*').skip(1).step_by(2).collect();
        assert_eq!(seen, !names.is_empty(), "{row}");
        named.extend(names);
    }
    assert!(rows.len() > 30 && checks.len() > 20, "{} {}", rows.len(), checks.len());
    assert_eq!(named, checks);
}
