//! What the *Watch* page itself remembers between two frames: what is typed, how the frame is
//! looked at, and a minute of a few figures.

use std::collections::VecDeque;

use egui::{Pos2, Rect, Vec2, pos2};

use crate::studio::watch::view::WatchState;
use crate::studio::watch::viewport;
use crate::studio::{Command, TileId, WatchCommand};
use crate::ui::view::View;
use crate::ui::watch::danmaku::DanmakuLayer;
use crate::ui::watch::network_form::NetworkForm;
use crate::ui::watch::viewport::Viewport;

/// Points of a graph: a minute.
const MINUTE: usize = 60;

/// A figure over the last minute, a value a second.
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
        while self.values.len() > MINUTE {
            self.values.pop_front();
        }
    }

    /// The values, oldest first.
    pub fn values(&self) -> Vec<f32> {
        self.values.iter().copied().collect()
    }

    /// Points of a line in `room`: the newest at its right edge, from zero to above the largest.
    pub fn points(&self, room: Rect) -> Vec<Pos2> {
        let top = self.values.iter().copied().fold(self.least, f32::max).max(1e-3) * 1.15;
        let step = room.width() / (MINUTE - 1) as f32;
        let count = self.values.len();
        let point = |(index, value): (usize, &f32)| {
            let x = room.right() - step * (count - 1 - index) as f32;
            pos2(x, room.bottom() - room.height() * (value / top).clamp(0.0, 1.0))
        };
        self.values.iter().enumerate().map(point).collect()
    }
}

/// The figures that are drawn over the last minute.
#[derive(Clone, Debug)]
pub struct Graphs {
    /// In milliseconds.
    pub buffer: Graph,
    /// Kilobits a second.
    pub bitrate: Graph,
    pub fps: Graph,
    /// Of which player they are.
    of: Option<TileId>,
    at: f64,
}

impl Default for Graphs {
    fn default() -> Self {
        let [buffer, bitrate, fps] = [300.0, 100.0, 25.0].map(Graph::new);
        Self { buffer, bitrate, fps, of: None, at: 0.0 }
    }
}

/// Where the players are shown.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Where {
    /// On the page.
    #[default]
    Here,
    /// In a separate window.
    Window,
    /// In a small one above all others.
    Small,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub struct Draft {
    /// The pass in which the page was shown last.
    pub(super) shown_in: u64,
    /// True if the last address was taken over.
    known: bool,
    pub url: String,
    pub graphs: Graphs,
    /// The figures lie over the frame.
    pub figures: bool,
    pub look: Viewport,
    /// The frame is to be moved by this much, in points.
    pub moved: Vec2,
    /// Whose frame is looked at so, and how the studio knows it.
    looked: Option<(Option<TileId>, viewport::Viewport)>,
    /// The tile that is shown alone.
    pub enlarged: Option<TileId>,
    /// Where on the bar it is being dragged to, 0…1.
    pub seeking: Option<f32>,
    pub place: Where,
    /// An address is held over the window by the pointer.
    pub address_over: bool,
    /// The frame was clicked twice.
    pub double_clicked: bool,
    /// What flies over the frame, and the last line that was let fly.
    pub sky: DanmakuLayer,
    pub flown: u64,
    /// What is being written into the chat, and words to keep lines out, as they are typed.
    pub saying: String,
    pub words: Option<String>,
    /// How servers are to be reached, and the address of the chat about a stream, as they are typed.
    pub connection: Option<NetworkForm>,
    pub chat_at: Option<(String, String)>,
    /// True if the hardware that decodes was asked for.
    pub asked_hardware: bool,
    /// When the pointer last moved over a full screen.
    pub pointed: Option<f64>,
}

impl Draft {
    /// Takes over what is or was played, while nothing was typed; and the figures of this second.
    pub fn learn(&mut self, view: &View<'_>, now: f64) {
        let snapshot = view.snapshot;
        if !self.known {
            let last = &snapshot.watch_url;
            let own = &snapshot.server.play_url;
            let first =
                [&snapshot.watch_figures.url, last, own].into_iter().find(|url| !url.is_empty());
            if let Some(first) = first {
                self.url.clone_from(first);
                self.known = true;
            }
        }
        if self.enlarged.is_some_and(|id| !snapshot.tiles.iter().any(|tile| tile.id == id)) {
            self.enlarged = None;
        }
        let chosen = snapshot.tiles.iter().find(|tile| tile.chosen).map(|tile| tile.id);
        let known = snapshot.tiles.iter().find(|tile| tile.chosen).map(|tile| tile.look);
        let known = known.unwrap_or(snapshot.player.look);
        if self.looked.is_none_or(|(of, _)| of != chosen) {
            self.look = known.into();
            self.looked = Some((chosen, known));
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

    /// Tells the studio how the frame is looked at where that was changed, so that it is kept.
    pub fn tell(&mut self, view: &mut View<'_>) {
        if let Some((of, known)) = &mut self.looked
            && *known != self.look.kept()
        {
            *known = self.look.kept();
            view.send(Command::Player(WatchCommand::SetLook(of.unwrap_or_default(), *known)));
        }
    }

    /// What to play from now on.
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
        assert_eq!((points.len(), graph.values().len()), (MINUTE, MINUTE));
        assert!(points.iter().all(|point| room.expand(0.1).contains(*point)), "{points:?}");
        assert_eq!(points.last().unwrap().y, room.bottom());
        assert!((points.last().unwrap().x - room.right()).abs() < 0.1);
    }
}
