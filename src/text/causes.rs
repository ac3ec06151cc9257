//! What the parts below the window say in English (causes, reasons, advice) in the window's
//! language. Their English words are the key: `assets/i18n/<language>/causes.txt` pairs them with
//! ours, with places for what differs. What has no pair stays English.

use std::borrow::Cow;

use crate::text::spacing::{CLOSE, OPEN, closed_up};

/// A cause within a cause within… goes no deeper.
pub(crate) const MAX_DEPTH: usize = 4;

/// Pairs of a language.
#[derive(Debug, Default)]
pub struct Causes {
    pub(crate) pairs: Vec<Pair>,
}

/// English words and ours, cut at their places.
#[derive(Debug)]
pub(crate) struct Pair {
    /// What stands before, between and after the places.
    pub(crate) english: Vec<String>,
    pub(crate) ours: Vec<SentencePiece>,
}

#[derive(Debug)]
pub(crate) enum SentencePiece {
    Words(String),
    /// What stands at this place of the English words, from 0.
    Place(usize),
}

impl Causes {
    /// Reads pairs: a line of English, a line of ours, an empty line; `#` begins a remark.
    pub fn parse(text: &str) -> Self {
        let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let mut pairs = Vec::new();
        while let (Some(english), Some(ours)) = (lines.next(), lines.next()) {
            let english = pieces(english).into_iter().fold(vec![String::new()], |mut all, it| {
                match it {
                    SentencePiece::Words(words) => {
                        if let Some(last) = all.last_mut() {
                            last.push_str(&words);
                        }
                    }
                    SentencePiece::Place(_) => all.push(String::new()),
                }
                all
            });
            pairs.push(Pair { english, ours: pieces(ours) });
        }
        Self { pairs }
    }

    /// The words in our language, or as they are where there are none.
    pub fn say<'a>(&self, english: &'a str) -> Cow<'a, str> {
        match self.find(english, MAX_DEPTH) {
            Some(ours) => Cow::Owned(ours),
            None => Cow::Borrowed(english),
        }
    }

    pub(crate) fn find(&self, english: &str, depth: usize) -> Option<String> {
        let depth = depth.checked_sub(1)?;
        // A sentence may end with its stop where the words come without.
        let bare = english.strip_suffix('.').unwrap_or(english);
        if let Some((server, cause)) = whose(bare)
            && let Some(ours) = self.find(cause, depth)
        {
            return Some(format!("{server}：{ours}"));
        }
        let (pair, places) = self.pairs.iter().find_map(|pair| {
            let places = pair.places(english).or_else(|| pair.places(bare))?;
            Some((pair, places))
        })?;
        let mut said = String::new();
        for piece in &pair.ours {
            match piece {
                SentencePiece::Words(words) => said.push_str(words),
                SentencePiece::Place(at) => {
                    let inner = places.get(*at).copied().unwrap_or_default();
                    said.push(OPEN);
                    said.push_str(&self.find(inner, depth).unwrap_or_else(|| inner.to_owned()));
                    said.push(CLOSE);
                }
            }
        }
        Some(closed_up(&said))
    }
}

/// The server that is named before its cause, and the cause.
fn whose(text: &str) -> Option<(&str, &str)> {
    let (server, cause) = text.split_once(": ")?;
    let is_address = !server.contains(' ') && server.contains(['.', ':']);
    is_address.then_some((server, cause))
}

impl Pair {
    /// What stands at the places, if these are the words.
    pub(crate) fn places<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let (first, rest) = self.english.split_first()?;
        let Some((last, between)) = rest.split_last() else {
            return (first == text).then(Vec::new);
        };
        let mut left = text.strip_prefix(first.as_str())?.strip_suffix(last.as_str())?;
        let mut places = Vec::with_capacity(rest.len());
        for words in between {
            let (place, after) = left.split_once(words.as_str())?;
            places.push(place);
            left = after;
        }
        places.push(left);
        Some(places)
    }
}

/// A text cut at `{1}`, `{2}`…
fn pieces(text: &str) -> Vec<SentencePiece> {
    let mut pieces = Vec::new();
    let mut left = text;
    while let Some((before, after)) = left.split_once('{') {
        let place = after.split_once('}').and_then(|(number, rest)| {
            let number = number.parse::<usize>().ok()?.checked_sub(1)?;
            Some((number, rest))
        });
        let Some((number, rest)) = place else { break };
        pieces.push(SentencePiece::Words(before.to_owned()));
        pieces.push(SentencePiece::Place(number));
        left = rest;
    }
    pieces.push(SentencePiece::Words(left.to_owned()));
    pieces
}
