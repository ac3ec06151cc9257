//! Lines of a chat that fly over the frame from right to left (*danmaku*): where each of them is.
//! This module is pure: widths and times come from outside. Two lines in one lane never touch.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::wire::chat::ChatLine;

/// Seconds that a line takes to cross at speed 1.
const CROSSING: f64 = 9.0;
/// Between two lines of a lane, in points.
const GAP: f32 = 24.0;
/// Lines that wait for a free lane; the oldest go.
const WAITING: usize = 24;
/// One that waited this long (seconds) is old news.
const STALE: f64 = 6.0;
/// Lines in flight.
const FLYING: usize = 128;

/// A line on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct Flight {
    pub line: Arc<ChatLine>,
    pub lane: usize,
    /// Points.
    pub width: f32,
    /// When it began at the right edge, seconds.
    begun: f64,
    /// Seconds that it takes.
    crossing: f64,
}

impl Flight {
    /// Where its left edge is, from the room's.
    pub fn x(&self, room: f32, now: f64) -> f32 {
        let part = ((now - self.begun) / self.crossing) as f32;
        room - (room + self.width) * part
    }

    fn ends(&self) -> f64 {
        self.begun + self.crossing
    }

    /// Returns true if one of this width that begins now stays behind it.
    fn leaves_room_for(&self, width: f32, crossing: f64, room: f32, now: f64) -> bool {
        let tail = self.x(room, now) + self.width;
        // When this one is gone, the other must not have reached the edge.
        let other = room - (room + width) * ((self.ends() - now) / crossing) as f32;
        tail + GAP <= room && other >= GAP
    }
}

/// All that is in the air.
#[derive(Clone, Debug, Default)]
pub struct DanmakuLayer {
    flying: VecDeque<Flight>,
    waiting: VecDeque<(Arc<ChatLine>, f64)>,
}

impl DanmakuLayer {
    /// A line that is to fly.
    pub fn add(&mut self, line: Arc<ChatLine>, now: f64) {
        while self.waiting.len() >= WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back((line, now));
    }

    /// Nothing flies any more.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns true if anything has to be drawn again.
    pub fn is_busy(&self) -> bool {
        !self.flying.is_empty() || !self.waiting.is_empty()
    }

    /// Lets those go that have crossed, and those begin for which there is a lane of `lanes` in a
    /// room of this width; `measure` gives a line's width. `speed` 1 is as usual.
    pub fn tick(
        &mut self,
        now: f64,
        room: f32,
        lanes: usize,
        speed: f32,
        mut measure: impl FnMut(&ChatLine) -> f32,
    ) {
        // A clock that went back leaves nothing hanging in the air.
        self.flying.retain(|flight| now >= flight.begun && now < flight.ends());
        self.waiting.retain(|(_, since)| (0.0..STALE).contains(&(now - since)));
        let crossing = CROSSING / f64::from(speed.clamp(0.25, 4.0));
        while let Some((line, _)) = self.waiting.front() {
            let width = measure(line).max(1.0);
            let free = |lane: &usize| {
                let mut there = self.flying.iter().filter(|it| it.lane == *lane);
                there.all(|it| it.leaves_room_for(width, crossing, room, now))
            };
            let Some(lane) = (0..lanes).find(free).filter(|_| self.flying.len() < FLYING) else {
                break;
            };
            if let Some((line, _)) = self.waiting.pop_front() {
                self.flying.push_back(Flight { line, lane, width, begun: now, crossing });
            }
        }
    }

    /// What is in the air.
    pub fn flights(&self) -> impl Iterator<Item = &Flight> {
        self.flying.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Arc<ChatLine> {
        Arc::new(ChatLine::new("ann", text).unwrap())
    }

    /// Ten points a letter.
    fn width(line: &ChatLine) -> f32 {
        10.0 * line.text.chars().count() as f32
    }

    #[test]
    fn a_line_crosses_from_edge_to_edge() {
        let mut sky = DanmakuLayer::default();
        sky.add(line("hello"), 0.0);
        sky.tick(0.0, 400.0, 3, 1.0, width);
        let x = |sky: &DanmakuLayer, now| sky.flights().next().map(|it| it.x(400.0, now));
        assert_eq!(x(&sky, 0.0), Some(400.0));
        assert_eq!(x(&sky, CROSSING), Some(-50.0));
        sky.tick(CROSSING - 0.01, 400.0, 3, 1.0, width);
        assert!(sky.is_busy());
        sky.tick(CROSSING, 400.0, 3, 1.0, width);
        assert!(!sky.is_busy());
    }

    #[test]
    fn lines_of_a_lane_never_touch() {
        let mut sky = DanmakuLayer::default();
        let mut random = 7_u32;
        let mut most = 0;
        for step in 0..4_000 {
            let now = f64::from(step) * 0.03;
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if random >> 28 < 3 {
                sky.add(line(&"x".repeat(1 + (random >> 8) as usize % 60)), now);
            }
            // The speed is changed in mid-flight too.
            let speed = if step < 2_000 { 1.0 } else { 1.7 };
            sky.tick(now, 640.0, 3, speed, width);
            let flights: Vec<_> = sky.flights().collect();
            most = most.max(flights.len());
            for (at, a) in flights.iter().enumerate() {
                for b in flights.iter().skip(at + 1).filter(|b| b.lane == a.lane) {
                    let (ax, bx) = (a.x(640.0, now), b.x(640.0, now));
                    assert!(ax + a.width <= bx + 0.5 || bx + b.width <= ax + 0.5, "{a:?} {b:?}");
                }
            }
        }
        assert!(most >= 6, "{most} at once: hardly any flew");
    }

    #[test]
    fn a_flood_is_bounded_and_old_news_is_left_out() {
        let mut sky = DanmakuLayer::default();
        for number in 0..1_000 {
            sky.add(line(&number.to_string()), 0.0);
        }
        sky.tick(0.0, 300.0, 2, 1.0, width);
        assert_eq!(sky.flights().count(), 2);
        assert_eq!(sky.waiting.len(), WAITING - 2);
        sky.tick(STALE, 300.0, 2, 1.0, width);
        assert!(sky.waiting.is_empty());
        // No lane, no flight, no end without one.
        sky.add(line("x"), STALE);
        sky.tick(STALE, 300.0, 0, 1.0, width);
        sky.clear();
        assert!(!sky.is_busy());
    }
}
