//! Reads one Rust file as tokens. It finds the paths that the file names and re-exports, the words
//! that it uses with their lines, and which code is test code. It ignores comments, documentation
//! and string literals.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

/// A path as written, one segment a string (`crate::media::{Size}` gives `crate media Size`; a
/// glob ends in `*`).
#[derive(Clone, Debug)]
pub struct Path {
    pub segments: Vec<String>,
    pub line: usize,
    /// True if the path is compiled only for tests.
    pub test: bool,
    /// The inline modules around the path.
    pub inside: Vec<String>,
    /// For a visible `use`: the name under which the item is re-exported.
    pub exported: Option<String>,
}

/// A word of the code.
#[derive(Clone, Debug)]
pub struct Word {
    pub text: String,
    pub line: usize,
    pub test: bool,
    /// True for a method call: a word between a dot and a parenthesis.
    pub called: bool,
}

/// One source file.
#[derive(Debug)]
pub struct Source {
    /// Relative to `src/`, with forward slashes.
    pub name: String,
    pub lines: usize,
    pub paths: Vec<Path>,
    pub words: Vec<Word>,
    /// Modules in separate files that are declared here; `true` means only for tests.
    pub children: Vec<(String, bool)>,
    /// The `//!` lines at the top.
    pub head: String,
    /// Types that product code defines, each with its line.
    pub types: Vec<(String, usize)>,
    /// Visible functions, constants and statics of product code, each with its line.
    pub items: Vec<(String, usize)>,
    /// The line of the first item of product code after the unit tests, if there is one.
    pub after_tests: Option<usize>,
    /// The lines of calls that use egui's context while they hold its lock.
    pub double_locks: Vec<usize>,
}

impl Source {
    /// Reads `text` as the file `name`.
    pub fn read(name: &str, text: &str) -> Result<Self, String> {
        let tokens: TokenStream =
            text.parse().map_err(|error| format!("{name}: not Rust: {error}"))?;
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut source = Self {
            name: name.to_owned(),
            lines: text.lines().count(),
            paths: Vec::new(),
            words: Vec::new(),
            children: Vec::new(),
            head: text
                .lines()
                .take_while(|line| line.starts_with("//!") || line.trim().is_empty())
                .collect::<Vec<_>>()
                .join(" "),
            types: Vec::new(),
            items: Vec::new(),
            after_tests: None,
            double_locks: Vec::new(),
        };
        let whole = tokens.windows(3).any(|three| {
            is_punct(&three[0], '#') && is_punct(&three[1], '!') && is_test_attribute(&three[2])
        });
        source.walk(&tokens, whole, &mut Vec::new(), true);
        Ok(source)
    }

    /// Returns the module path: `wire/rtmp/mod.rs` is `wire rtmp`.
    pub fn module(&self) -> Vec<String> {
        let stem = self.name.strip_suffix(".rs").unwrap_or(&self.name);
        let mut parts: Vec<String> = stem.split('/').map(str::to_owned).collect();
        if parts.last().is_some_and(|last| last == "mod") {
            parts.pop();
        }
        parts
    }

    fn walk(&mut self, tokens: &[TokenTree], test: bool, inside: &mut Vec<String>, top: bool) {
        let mut at = 0;
        let mut tests_seen = false;
        while at < tokens.len() {
            if let Some(attribute) = attribute_at(tokens, at) {
                let its_test = !test && is_test_attribute(attribute);
                if its_test {
                    let end = item_end(tokens, at);
                    let item = &tokens[at..end];
                    if top && is_inline_module(item) {
                        tests_seen = true;
                    }
                    self.walk_plain(item, true, inside);
                    at = end;
                    continue;
                }
            } else if tests_seen && self.after_tests.is_none() {
                self.after_tests = Some(line(&tokens[at]));
            }
            at = self.step(tokens, at, test, inside);
        }
    }

    fn walk_plain(&mut self, tokens: &[TokenTree], test: bool, inside: &mut Vec<String>) {
        let mut at = 0;
        while at < tokens.len() {
            at = self.step(tokens, at, test, inside);
        }
    }

    /// Reads one token, path, `use` or module, and returns the position after it.
    fn step(
        &mut self,
        tokens: &[TokenTree],
        at: usize,
        test: bool,
        inside: &mut Vec<String>,
    ) -> usize {
        match &tokens[at] {
            TokenTree::Ident(word) if word == "use" && !is_capture(tokens, at) => {
                let end =
                    (at..tokens.len()).find(|&i| is_punct(&tokens[i], ';')).unwrap_or(tokens.len());
                let exported = at > 0 && is_visible(tokens, at - 1);
                self.tree(&tokens[at + 1..end], &[], test, inside, Some(exported));
                end
            }
            TokenTree::Ident(word) if word == "mod" => {
                match (tokens.get(at + 1), tokens.get(at + 2)) {
                    (Some(TokenTree::Ident(name)), Some(TokenTree::Punct(_))) => {
                        self.children.push((name.to_string(), test));
                        at + 2
                    }
                    (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) => {
                        inside.push(name.to_string());
                        let body: Vec<TokenTree> = body.stream().into_iter().collect();
                        self.walk(&body, test, inside, false);
                        inside.pop();
                        at + 3
                    }
                    _ => at + 1,
                }
            }
            TokenTree::Ident(word) => {
                let kinds = ["struct", "enum", "trait", "type", "union"];
                if let Some(TokenTree::Ident(name)) = tokens.get(at + 1)
                    && kinds.iter().any(|kind| word == kind)
                    && !test
                {
                    self.types.push((name.to_string(), line(&tokens[at])));
                }
                let kinds = ["fn", "const", "static"];
                if let Some(TokenTree::Ident(name)) = tokens.get(at + 1)
                    && kinds.iter().any(|kind| word == kind)
                    && name != "fn"
                    && !test
                    && is_shown(tokens, at)
                {
                    self.items.push((name.to_string(), line(&tokens[at])));
                }
                if locks_twice(tokens, at) {
                    self.double_locks.push(line(&tokens[at]));
                }
                let end = path_end(tokens, at);
                if end > at + 1 {
                    self.tree(&tokens[at..end], &[], test, inside, None);
                } else {
                    self.word(word, test, is_called(tokens, at));
                }
                end
            }
            // A path in `pub(in crate::room)` is not an import.
            TokenTree::Group(_) if is_visible(tokens, at) => at + 1,
            TokenTree::Group(group) => {
                self.group(group, test, inside);
                at + 1
            }
            _ => at + 1,
        }
    }

    fn group(&mut self, group: &Group, test: bool, inside: &mut Vec<String>) {
        let body: Vec<TokenTree> = group.stream().into_iter().collect();
        self.walk(&body, test, inside, false);
    }

    fn word(&mut self, word: &Ident, test: bool, called: bool) {
        self.words.push(Word {
            text: word.to_string(),
            line: word.span().start().line,
            test,
            called,
        });
    }

    /// Reads a path or a `use` tree, and stores every path that it contains.
    fn tree(
        &mut self,
        tokens: &[TokenTree],
        before: &[String],
        test: bool,
        inside: &[String],
        import: Option<bool>,
    ) {
        let mut segments = before.to_vec();
        let mut renamed = None;
        let mut at = 0;
        let mut first_line = tokens.first().map_or(0, line);
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(word) if word == "as" => {
                    renamed = tokens.get(at + 1).map(ToString::to_string);
                    at += 1;
                }
                TokenTree::Ident(word) => {
                    self.word(word, test, false);
                    first_line = word.span().start().line;
                    segments.push(word.to_string());
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    let body: Vec<TokenTree> = group.stream().into_iter().collect();
                    for branch in body.split(|token| is_punct(token, ',')) {
                        if !branch.is_empty() {
                            self.tree(branch, &segments, test, inside, import);
                        }
                    }
                    return;
                }
                token if is_punct(token, '*') => segments.push("*".to_owned()),
                _ => {}
            }
            at += 1;
        }
        if import.is_some() && segments.len() > 1 && segments.last().is_some_and(|s| s == "self") {
            segments.pop();
        }
        let exported = import
            .filter(|visible| *visible)
            .and_then(|_| renamed.or_else(|| segments.last().cloned()));
        let inside = inside.to_vec();
        self.paths.push(Path { segments, line: first_line, test, inside, exported });
    }
}

fn line(token: &TokenTree) -> usize {
    token.span().start().line
}

fn is_punct(token: &TokenTree, wanted: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted)
}

/// Returns true if the word at `at` is a method call.
fn is_called(tokens: &[TokenTree], at: usize) -> bool {
    at > 0
        && is_punct(&tokens[at - 1], '.')
        && matches!(tokens.get(at + 1),
            Some(TokenTree::Group(g)) if g.delimiter() == Delimiter::Parenthesis)
}

/// Returns true if the word at `at` calls a function of egui that holds egui's lock during a closure,
/// and the closure takes the lock again.
fn locks_twice(tokens: &[TokenTree], at: usize) -> bool {
    locked(tokens, at).is_some_and(|closure| takes_lock(&closure))
}

/// Returns the argument of the call at `at`, if egui's lock is held during a closure in it.
fn locked(tokens: &[TokenTree], at: usize) -> Option<Vec<TokenTree>> {
    const LOCKING: [&str; 18] = [
        "data",
        "data_mut",
        "fonts",
        "fonts_mut",
        "graphics",
        "graphics_mut",
        "input",
        "input_for",
        "input_mut",
        "input_mut_for",
        "memory",
        "memory_mut",
        "options",
        "options_mut",
        "output",
        "output_mut",
        "viewport",
        "viewport_for",
    ];
    let argument = argument_of(tokens, at, &LOCKING)?;
    argument.iter().any(|token| is_punct(token, '|')).then_some(argument)
}

/// Returns true if the code uses a context, holds the lock during another closure, or calls a method
/// of a response or a `Ui` that takes the lock. The memory has methods of the same names with an argument.
fn takes_lock(tokens: &[TokenTree]) -> bool {
    const LOCKING: [&str; 10] = [
        "clicked_elsewhere",
        "drag_delta",
        "drag_motion",
        "gained_focus",
        "has_focus",
        "lost_focus",
        "request_focus",
        "surrender_focus",
        "total_drag_delta",
        "ui_contains_pointer",
    ];
    const LOCKING_WITH_ARGUMENT: [&str; 7] = [
        "clicked_by",
        "double_clicked_by",
        "drag_started_by",
        "drag_stopped_by",
        "dragged_by",
        "rect_contains_pointer",
        "triple_clicked_by",
    ];
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(word) => {
            word == "ctx"
                || locked(tokens, at).is_some()
                || argument_of(tokens, at, &LOCKING).is_some_and(|it| it.is_empty())
                || argument_of(tokens, at, &LOCKING_WITH_ARGUMENT).is_some()
        }
        TokenTree::Group(group) => takes_lock(&group.stream().into_iter().collect::<Vec<_>>()),
        _ => false,
    })
}

/// Returns the argument of the call at `at`, if it calls one of these methods.
fn argument_of(tokens: &[TokenTree], at: usize, methods: &[&str]) -> Option<Vec<TokenTree>> {
    let TokenTree::Ident(word) = &tokens[at] else { return None };
    match tokens.get(at + 1)? {
        TokenTree::Group(group)
            if is_called(tokens, at) && methods.iter().any(|name| word == name) =>
        {
            Some(group.stream().into_iter().collect())
        }
        _ => None,
    }
}

/// Returns true if the `use` at `at` belongs to `impl Trait + use<'a>`.
fn is_capture(tokens: &[TokenTree], at: usize) -> bool {
    tokens.get(at + 1).is_some_and(|next| is_punct(next, '<'))
}

/// Returns true if the token at `at` ends a visibility: `pub`, or `pub(crate)`.
fn is_visible(tokens: &[TokenTree], at: usize) -> bool {
    match &tokens[at] {
        TokenTree::Ident(word) => word == "pub",
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis && at > 0 => {
            matches!(&tokens[at - 1], TokenTree::Ident(word) if word == "pub")
        }
        _ => false,
    }
}

/// Returns true if the item with its keyword at `at` is visible outside its module.
fn is_shown(tokens: &[TokenTree], at: usize) -> bool {
    let qualifiers = ["const", "async", "unsafe"];
    let before = tokens[..at].iter().rposition(
        |token| !matches!(token, TokenTree::Ident(word) if qualifiers.iter().any(|it| word == it)),
    );
    before.is_some_and(|before| is_visible(tokens, before))
}

/// Returns the `[…]` of the outer or inner attribute that begins at `at`.
fn attribute_at(tokens: &[TokenTree], at: usize) -> Option<&TokenTree> {
    if !is_punct(&tokens[at], '#') {
        return None;
    }
    let next = tokens.get(at + 1)?;
    let bracket = if is_punct(next, '!') { tokens.get(at + 2)? } else { next };
    matches!(bracket, TokenTree::Group(g) if g.delimiter() == Delimiter::Bracket).then_some(bracket)
}

/// Returns true for `[cfg(test)]`, `[cfg(all(test, …))]`, `[test]` and `[tokio::test(…)]`.
fn is_test_attribute(attribute: &TokenTree) -> bool {
    let TokenTree::Group(group) = attribute else { return false };
    let text: String = group.stream().to_string().split_whitespace().collect();
    text == "test"
        || text == "cfg(test)"
        || text.starts_with("cfg(all(test,")
        || text == "cfg(any(test,feature=\"test-support\"))"
        || text.starts_with("tokio::test")
}

/// Returns the end of the path that begins at `at`, such as `a::b::C`. Only identifiers after `::`
/// continue it.
fn path_end(tokens: &[TokenTree], at: usize) -> usize {
    let mut end = at + 1;
    while tokens.get(end).is_some_and(|t| is_punct(t, ':'))
        && tokens.get(end + 1).is_some_and(|t| is_punct(t, ':'))
        && matches!(tokens.get(end + 2), Some(TokenTree::Ident(_)))
    {
        end += 3;
    }
    end
}

/// Returns the end (exclusive) of the item with the attribute at `at`.
fn item_end(tokens: &[TokenTree], at: usize) -> usize {
    let mut start = at;
    while attribute_at(tokens, start).is_some() {
        start += if is_punct(&tokens[start + 1], '!') { 3 } else { 2 };
        if start >= tokens.len() {
            return tokens.len();
        }
    }
    let to_semicolon = tokens[start..]
        .iter()
        .take(4)
        .take_while(
            |token| !matches!(token, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace),
        )
        .any(|token| {
            matches!(token, TokenTree::Ident(word)
                if ["use", "const", "static", "type", "let"].iter().any(|w| word == w))
        })
        && !tokens[start..]
            .iter()
            .take(4)
            .any(|token| matches!(token, TokenTree::Ident(w) if w == "fn"));
    for (offset, token) in tokens[start..].iter().enumerate() {
        let ends = match token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !to_semicolon,
            TokenTree::Punct(punct) => {
                punct.as_char() == ';' || (punct.as_char() == ',' && !to_semicolon)
            }
            _ => false,
        };
        if ends {
            return start + offset + 1;
        }
    }
    tokens.len()
}

fn is_inline_module(item: &[TokenTree]) -> bool {
    item.iter().any(|token| matches!(token, TokenTree::Ident(word) if word == "mod"))
        && matches!(item.last(), Some(TokenTree::Group(_)))
}
