//! Parses the pages of the guide into blocks: headings, paragraphs, images, lists, code and tables
//! of CommonMark.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// The emphasis of text.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Emphasis {
    None,
    /// Medium weight, for texts of the window.
    Medium,
    Strong,
    Code,
}

/// Text with one style.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub text: String,
    pub emphasis: Emphasis,
    /// The target of the link, if any.
    pub link: Option<String>,
}

/// The marker before a list item.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Marker {
    Bullet,
    Number(u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A heading, with its level from 1.
    Heading(u8, Vec<Span>),
    Paragraph(Vec<Span>),
    /// An image: the name of its file, and the alternative text.
    Image(String, String),
    Code(String),
    /// A table; the first row contains the column names.
    Table(Vec<Vec<Vec<Span>>>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The nesting depth of lists.
    pub depth: usize,
    pub marker: Option<Marker>,
    pub content: Content,
}

/// Parses a page into blocks.
pub fn read(text: &str) -> Vec<Block> {
    let mut reader = Reader::default();
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        reader.take(event);
    }
    reader.blocks
}

/// Returns the text without styles.
pub fn plain(spans: &[Span]) -> String {
    spans.iter().map(|span| span.text.as_str()).collect()
}

/// Returns the anchor of a heading for links: lowercase letters and digits, with hyphens for
/// spaces.
pub fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|it| it.is_alphanumeric() || [' ', '-', '_'].contains(it));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    spans: Vec<Span>,
    /// The enclosing lists, each with the next number if the list is numbered.
    lists: Vec<Option<u64>>,
    marker: Option<Marker>,
    medium: bool,
    strong: bool,
    link: Option<String>,
    code: Option<String>,
    rows: Vec<Vec<Vec<Span>>>,
    /// The name of the current image's file, and its alternative text so far.
    image: Option<(String, String)>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.begin(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.push_str(&text),
                None => self.push(&text, false),
            },
            Event::Code(text) => self.push(&text, true),
            // A line that ends between Chinese characters is joined without a space.
            Event::SoftBreak => {
                let before = self.spans.last().and_then(|span| span.text.chars().last());
                if before.is_some_and(|it| it < '\u{2E80}') {
                    self.push(" ", false);
                }
            }
            Event::HardBreak => self.push("\n", false),
            _ => {}
        }
    }

    fn push(&mut self, text: &str, code: bool) {
        if let Some((_, alternative)) = &mut self.image {
            alternative.push_str(text);
            return;
        }
        let emphasis = match (code, self.strong, self.medium) {
            (true, ..) => Emphasis::Code,
            (_, true, _) => Emphasis::Strong,
            (.., true) => Emphasis::Medium,
            _ => Emphasis::None,
        };
        match self.spans.last_mut() {
            Some(last) if last.emphasis == emphasis && last.link == self.link => {
                last.text.push_str(text);
            }
            _ => {
                self.spans.push(Span { text: text.to_owned(), emphasis, link: self.link.clone() });
            }
        }
    }

    fn begin(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => {
                self.code = Some(String::new());
            }
            Tag::List(first) => {
                // The paragraph before a nested list ends here.
                self.finish_paragraph();
                self.lists.push(first);
            }
            Tag::Item => {
                self.marker = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let marker = Marker::Number(*number);
                        *number += 1;
                        marker
                    }
                    _ => Marker::Bullet,
                });
            }
            Tag::Table(_) => self.rows.clear(),
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            Tag::Emphasis => self.medium = true,
            Tag::Strong => self.strong = true,
            Tag::Link { dest_url, .. } => self.link = Some(dest_url.into_string()),
            Tag::Image { dest_url, .. } => {
                let file = dest_url.rsplit('/').next().unwrap_or_default();
                self.image = Some((file.to_owned(), String::new()));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => {
                let spans = std::mem::take(&mut self.spans);
                self.block(Content::Heading(level_number(level), spans));
            }
            TagEnd::Paragraph | TagEnd::Item => self.finish_paragraph(),
            TagEnd::CodeBlock => {
                if let Some(code) = self.code.take() {
                    self.block(Content::Code(code.trim_end().to_owned()));
                }
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::TableCell => {
                let spans = std::mem::take(&mut self.spans);
                if let Some(row) = self.rows.last_mut() {
                    row.push(spans);
                }
            }
            TagEnd::Table => {
                let rows = std::mem::take(&mut self.rows);
                self.block(Content::Table(rows));
            }
            TagEnd::Emphasis => self.medium = false,
            TagEnd::Strong => self.strong = false,
            TagEnd::Link => self.link = None,
            TagEnd::Image => {
                if let Some((file, alternative)) = self.image.take() {
                    // The text before the image ends here.
                    self.finish_paragraph();
                    self.block(Content::Image(file, alternative));
                }
            }
            _ => {}
        }
    }

    fn finish_paragraph(&mut self) {
        let spans = std::mem::take(&mut self.spans);
        // The paragraph of an image has no other text.
        if !plain(&spans).trim().is_empty() {
            self.block(Content::Paragraph(spans));
        }
    }

    fn block(&mut self, content: Content) {
        let marker = self.marker.take();
        self.blocks.push(Block { depth: self.lists.len(), marker, content });
    }
}

fn level_number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str, emphasis: Emphasis, link: Option<&str>) -> Span {
        Span { text: text.into(), emphasis, link: link.map(Into::into) }
    }

    #[test]
    fn a_page_becomes_headings_paragraphs_lists_code_and_tables() {
        let page = "# Go live\n\nPress *Go Live*, see [keys](../k.md#all).\n\n1. One\n2. Two\n   - inner `x`\n\n\
                    ```sh\nonair live\n```\n\n| a | b |\n|---|---|\n| **c** | d |\n";
        let none = |text| span(text, Emphasis::None, None);
        let block = |depth, marker, content| Block { depth, marker, content };
        let row = |a, b| vec![vec![a], vec![b]];
        let expected = [
            block(0, None, Content::Heading(1, vec![none("Go live")])),
            block(
                0,
                None,
                Content::Paragraph(vec![
                    none("Press "),
                    span("Go Live", Emphasis::Medium, None),
                    none(", see "),
                    span("keys", Emphasis::None, Some("../k.md#all")),
                    none("."),
                ]),
            ),
            block(1, Some(Marker::Number(1)), Content::Paragraph(vec![none("One")])),
            block(1, Some(Marker::Number(2)), Content::Paragraph(vec![none("Two")])),
            block(
                2,
                Some(Marker::Bullet),
                Content::Paragraph(vec![none("inner "), span("x", Emphasis::Code, None)]),
            ),
            block(0, None, Content::Code("onair live".into())),
            block(
                0,
                None,
                Content::Table(vec![
                    row(none("a"), none("b")),
                    row(span("c", Emphasis::Strong, None), none("d")),
                ]),
            ),
        ];
        assert_eq!(read(page), expected);
    }

    #[test]
    fn an_image_has_its_file_and_alternative_text() {
        let image = |file: &str, text: &str| Content::Image(file.into(), text.into());
        let words = |text| Content::Paragraph(vec![span(text, Emphasis::None, None)]);
        let read = |text| read(text).into_iter().map(|it| it.content).collect::<Vec<_>>();
        let all_good = "![The bar: *All good.*](../../assets/pictures/a.zh-CN.jpg)";
        assert_eq!(read(all_good), [image("a.zh-CN.jpg", "The bar: All good.")]);
        let within = "Before ![One](a.jpg)\n![Two](b.jpg)";
        let expected = [words("Before "), image("a.jpg", "One"), image("b.jpg", "Two")];
        assert_eq!(read(within), expected);
    }

    #[test]
    fn chinese_lines_join_without_a_space() {
        let blocks = read("开始\n直播\n\none\ntwo");
        let words: Vec<String> = blocks
            .iter()
            .map(|it| match &it.content {
                Content::Paragraph(spans) => plain(spans),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(words, ["开始直播", "one two"]);
    }

    #[test]
    fn headings_are_named_as_in_links() {
        assert_eq!(anchor("The built-in server over HTTP"), "the-built-in-server-over-http");
        assert_eq!(anchor("`onair check`, fields"), "onair-check-fields");
    }
}
