//! The state of the *Watch* page that is kept between frames: typed texts, the viewport, and the
//! last minute of some figures.

use std::collections::VecDeque;

use egui::{Id, Pos2, Rect, Vec2, pos2};

use crate::studio::snapshot::TargetView;
use crate::studio::watch::view::WatchState;
use crate::studio::watch::viewport;
use crate::studio::{Command, TileId, WatchCommand};
use crate::ui::view::View;
use crate::ui::watch::danmaku::DanmakuLayer;
use crate::ui::watch::network_form::NetworkForm;
use crate::ui::watch::viewport::Viewport;
use crate::ui::widgets::HandleDrag;

/// The number of points in a graph: one minute.
const MAX_GRAPH_VALUES: usize = 60;

/// The values of a figure over the last minute, one per second.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    values: VecDeque<f32>,
    least: f32,
}

impl Graph {
    fn new(least: f32) -> Self {
        Self { values: VecDeque::new(), least }
    }

    fn push(&mut self, value: f32) {
        self.values.push_back(if value.is_finite() { value } else { 0.0 });
        while self.values.len() > MAX_GRAPH_VALUES {
            self.values.pop_front();
        }
    }

    /// Returns the values, oldest first.
    pub fn values(&self) -> Vec<f32> {
        self.values.iter().copied().collect()
    }

    /// Returns the points of the curve in `room`, with the newest value at the right edge. The
    /// scale goes from zero to above the largest value.
    pub fn points(&self, room: Rect) -> Vec<Pos2> {
        let top = self.values.iter().copied().fold(self.least, f32::max).max(1e-3) * 1.15;
        let step = room.width() / (MAX_GRAPH_VALUES - 1) as f32;
        let count = self.values.len();
        let point = |(index, value): (usize, &f32)| {
            let x = room.right() - step * (count - 1 - index) as f32;
            pos2(x, room.bottom() - room.height() * (value / top).clamp(0.0, 1.0))
        };
        self.values.iter().enumerate().map(point).collect()
    }
}

/// The figures with a graph over the last minute.
#[derive(Clone, Debug)]
pub struct Graphs {
    /// The buffer in milliseconds.
    pub buffer: Graph,
    /// The bitrate in kilobits per second.
    pub bitrate: Graph,
    pub fps: Graph,
    /// The player to which these figures belong.
    of: Option<TileId>,
    at: f64,
}

impl Default for Graphs {
    fn default() -> Self {
        let [buffer, bitrate, fps] = [300.0, 100.0, 25.0].map(Graph::new);
        Self { buffer, bitrate, fps, of: None, at: 0.0 }
    }
}

/// The place where the players are displayed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum PlayerLocation {
    /// The *Watch* page.
    #[default]
    Here,
    /// A separate window.
    Window,
    /// A small window that stays above all others.
    Small,
}

/// The state of the *Watch* page; see the module documentation.
#[derive(Debug, Default)]
pub struct Draft {
    /// The number of the last pass in which the page was shown.
    pub(super) shown_in: u64,
    /// True if the address field was edited, or filled with the address of a played stream.
    known: bool,
    pub url: String,
    /// The number of attempts to play before Enter was pressed in the address field; `None` once
    /// the player plays the address or has ended.
    pub entered: Option<u64>,
    pub graphs: Graphs,
    /// True if the statistics are displayed over the frame.
    pub figures: bool,
    pub viewport: Viewport,
    /// The requested movement of the frame, in points.
    pub moved: Vec2,
    /// The player to which `viewport` belongs, and the viewport that the studio has stored for it.
    stored_viewport: Option<(Option<TileId>, viewport::Viewport)>,
    /// The tile that is shown alone.
    pub enlarged: Option<TileId>,
    /// The drag on the seek bar.
    pub seeking: HandleDrag,
    pub place: PlayerLocation,
    /// True while the pointer drags an address over the window.
    pub address_over: bool,
    /// The frame of the player that is shown alone.
    pub frame: Option<Id>,
    /// True if the frame got the keyboard focus by a click.
    pub clicked: bool,
    /// True if the frame was double-clicked.
    pub double_clicked: bool,
    /// The danmaku over the frame.
    pub sky: DanmakuLayer,
    /// The number of the last message that danmaku has handled.
    pub flown: u64,
    /// The chat from which the danmaku comes.
    pub chat_generation: u64,
    /// The number of chat deletions that danmaku has already applied.
    pub deletions: u64,
    /// The typed chat message.
    pub message: String,
    /// The number of the last text of a refused message that has returned to the field.
    pub returned: u64,
    /// The typed words that hide messages.
    pub words: Option<String>,
    /// The typed connection options.
    pub connection: Option<NetworkForm>,
    /// A stream with the typed address of its chat.
    pub chat_at: Option<(String, String)>,
    /// True if the hardware decoders were probed.
    pub asked_hardware: bool,
    /// The time when the pointer last moved over a full screen.
    pub pointed: Option<f64>,
}

impl Draft {
    /// Fills the address field once with the address of the current or last played stream. Until
    /// then, the field shows the address of onair's own stream while the built-in server is a
    /// target. Adds the figures of this second.
    pub fn learn(&mut self, view: &View<'_>, now: f64) {
        let snapshot = view.snapshot;
        if !self.known {
            let is_target = |it: &TargetView| it.target.is_built_in() && it.target.enabled;
            let has_own = snapshot.targets.iter().any(is_target);
            let own = Some(&snapshot.server.play_url).filter(|_| has_own);
            let played = [&snapshot.watch_figures.url, &snapshot.watch_url];
            let played = played.into_iter().find(|url| !url.is_empty());
            self.known = played.is_some();
            self.url.clear();
            self.url.extend(played.or(own).map(String::as_str));
        }
        if self.enlarged.is_some_and(|id| !snapshot.tiles.iter().any(|tile| tile.id == id)) {
            self.enlarged = None;
        }
        let chosen = snapshot.tiles.iter().find(|tile| tile.chosen).map(|tile| tile.id);
        let known = snapshot.tiles.iter().find(|tile| tile.chosen).map(|tile| tile.viewport);
        let known = known.unwrap_or(snapshot.player.viewport);
        if self.stored_viewport.is_none_or(|(of, _)| of != chosen) {
            self.viewport = known.into();
            self.stored_viewport = Some((chosen, known));
        }
        let playing = snapshot.watch == WatchState::Playing;
        if !playing || self.graphs.of != chosen {
            self.graphs = Graphs { of: chosen, ..Graphs::default() };
        }
        if playing && now - self.graphs.at >= 1.0 {
            let figures = &snapshot.watch_figures;
            self.graphs.at = now;
            self.graphs.buffer.push(figures.buffer.as_secs_f32() * 1_000.0);
            self.graphs.bitrate.push(figures.bitrate as f32 / 1_000.0);
            self.graphs.fps.push(figures.fps as f32);
        }
    }

    /// Sends a changed viewport to the studio, which stores it.
    pub fn tell(&mut self, view: &mut View<'_>) {
        if let Some((of, known)) = &mut self.stored_viewport
            && *known != self.viewport.kept()
        {
            *known = self.viewport.kept();
            view.send(Command::Player(WatchCommand::SetViewport(of.unwrap_or_default(), *known)));
        }
    }

    /// Sets the address to play next.
    pub fn set_url(&mut self, url: String) {
        self.known = true;
        self.url = url;
    }
}

#[cfg(test)]
mod tests {
    use egui::vec2;

    use super::*;

    #[test]
    fn a_graph_holds_a_minute_and_stays_in_its_room() {
        let room = Rect::from_min_size(pos2(5.0, 5.0), vec2(118.0, 20.0));
        let mut graph = Graph::new(10.0);
        assert!(graph.points(room).is_empty());
        for value in 0..200 {
            graph.push(value as f32);
        }
        graph.push(f32::NAN);
        let points = graph.points(room);
        assert_eq!((points.len(), graph.values().len()), (MAX_GRAPH_VALUES, MAX_GRAPH_VALUES));
        assert!(points.iter().all(|point| room.expand(0.1).contains(*point)), "{points:?}");
        assert_eq!(points.last().unwrap().y, room.bottom());
        assert!((points.last().unwrap().x - room.right()).abs() < 0.1);
    }
}
