//! The players side by side.

use super::states::WALL_MICROS;
use super::*;
use onair::text::problem::problem;

/// A tile of the wall.
pub(super) fn tile(id: u8, state: WatchState, figures: WatchFigures) -> TileView {
    TileView { id: TileId(id), chosen: id == 0, state, figures, ..TileView::default() }
}

/// A notice about a player that is not selected.
fn tile_notice() -> Notice {
    Notice {
        target: None,
        id: 0,
        problem: problem!("player-damaged-stream"),
        level: Level::Warning,
        detail: String::new(),
        file: None,
        remedies: Vec::new(),
        wall_micros: WALL_MICROS,
        times: 1,
    }
}

/// Five players. Two of them play.
pub(super) fn wall(playing: &WatchFigures) -> Vec<TileView> {
    let of = |name: &str| WatchFigures {
        url: format!("rtmp://live.example.com/app/{name}"),
        ..playing.clone()
    };
    let lost = "the server closed the connection".into();
    let none = "there is no stream of this name".into();
    vec![
        tile(0, WatchState::Playing, of("main-hall")),
        TileView { notices: vec![tile_notice()], ..tile(1, WatchState::Playing, of("workshop")) },
        tile(2, WatchState::Opening { stage: None }, of("garden")),
        tile(3, WatchState::Reconnecting { cause: lost }, of("stage")),
        tile(4, WatchState::Failed { cause: none, kind: FailureKind::NoSuchStream }, of("nobody")),
    ]
}
