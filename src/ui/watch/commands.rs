//! Helpers of the *Watch* page for commands and stream names.

use crate::studio::{Command, WatchCommand};
use crate::ui::view::View;
use crate::ui::watch::draft::Draft;

/// Sends a command to the players.
pub fn send(view: &mut View<'_>, playing: WatchCommand) {
    view.send(Command::Player(playing));
}

/// Plays the typed address.
pub fn play(view: &mut View<'_>, draft: &Draft) {
    let url = draft.url.trim();
    if !url.is_empty() {
        view.send(Command::Watch { url: url.to_owned() });
    }
}

/// Plays the stream of the selected tile again. A single tile, or a tile without a stream, plays the
/// typed address.
pub fn play_chosen(view: &mut View<'_>, draft: &Draft) {
    let tiles = &view.snapshot.tiles;
    let chosen = tiles.iter().find(|tile| tile.chosen && !tile.figures.url.is_empty());
    match chosen.filter(|_| tiles.len() > 1) {
        Some(tile) => send(view, WatchCommand::Again(tile.id)),
        None => play(view, draft),
    }
}

/// Returns a short name of a stream or file, without secrets.
pub fn name_of(url: &str) -> String {
    let whole = url.split(['?', '#']).next().unwrap_or_default();
    let rest = whole.split_once("://").map_or(whole, |(_, rest)| rest);
    let (host, path) = match whole.contains("://") {
        true => rest.split_once('/').unwrap_or((rest, "")),
        false => ("", rest),
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let last = path.trim_end_matches('/').rsplit(['/', '\\']).next().unwrap_or_default();
    match (last.is_empty(), host.is_empty()) {
        (false, false) => format!("{last} · {host}"),
        (false, true) => last.to_owned(),
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_hold_no_secret() {
        for (url, name) in [
            ("rtmp://me:planted@host:1935/live/show?token=planted", "show · host:1935"),
            ("https://host/a/b/live.m3u8#planted", "live.m3u8 · host"),
            ("rtmp://host", "host"),
            ("/home/ada/film.flv", "film.flv"),
            ("film.mkv", "film.mkv"),
            ("", ""),
        ] {
            assert_eq!(name_of(url), name);
        }
    }
}
