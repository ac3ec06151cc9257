//! The layout of chat messages that fly over the frame from right to left (*danmaku*). This module
//! is pure: the caller supplies widths and times. Two messages in one lane never touch.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::wire::chat::ChatLine;

/// If a chat has more messages than this when it is first displayed, none of them fly: they would all start at the same
/// time.
pub(in crate::ui) const MAX_INITIAL_MESSAGES: usize = 3;
/// The time that a message takes to cross the frame at speed 1, in seconds.
const CROSSING_TIME_SECONDS: f64 = 9.0;
/// The minimum gap between two messages in a lane, in points.
const MIN_MESSAGE_GAP_POINTS: f32 = 24.0;
/// Maximum number of messages that wait for a free lane. The oldest are discarded.
const MAX_WAITING_MESSAGES: usize = 24;
/// Time in seconds after which a waiting message is outdated and discarded.
const MAX_WAITING_SECONDS: f64 = 6.0;
/// Maximum number of messages in flight.
const MAX_FLYING_MESSAGES: usize = 128;

/// A message in flight.
#[derive(Clone, Debug, PartialEq)]
pub struct FlyingMessage {
    pub line: Arc<ChatLine>,
    pub lane: usize,
    /// Width of the message in points.
    pub width: f32,
    /// The time when the message started at the right edge, in seconds.
    begun: f64,
    /// The time that the message takes to cross, in seconds.
    crossing: f64,
}

impl FlyingMessage {
    /// Returns the distance from the left edge of the room to the left edge of the message.
    pub fn x(&self, room: f32, now: f64) -> f32 {
        let part = ((now - self.begun) / self.crossing) as f32;
        room - (room + self.width) * part
    }

    fn ends(&self) -> f64 {
        self.begun + self.crossing
    }

    /// Returns true if a message of this width that starts now stays behind `self`.
    fn leaves_room_for(&self, width: f32, crossing: f64, room: f32, now: f64) -> bool {
        let tail = self.x(room, now) + self.width;
        // When `self` has left the frame, the new message must not have reached the left edge yet.
        let other = room - (room + width) * ((self.ends() - now) / crossing) as f32;
        tail + MIN_MESSAGE_GAP_POINTS <= room && other >= MIN_MESSAGE_GAP_POINTS
    }
}

/// All messages in flight, and those that wait for a lane.
#[derive(Clone, Debug, Default)]
pub struct DanmakuLayer {
    flying: VecDeque<FlyingMessage>,
    waiting: VecDeque<(Arc<ChatLine>, f64)>,
}

impl DanmakuLayer {
    /// Adds a message that will fly over the frame.
    pub fn add(&mut self, line: Arc<ChatLine>, now: f64) {
        while self.waiting.len() >= MAX_WAITING_MESSAGES {
            self.waiting.pop_front();
        }
        self.waiting.push_back((line, now));
    }

    /// Keeps only these messages, in flight or waiting.
    pub fn keep(&mut self, keeps: impl Fn(&Arc<ChatLine>) -> bool) {
        self.flying.retain(|flight| keeps(&flight.line));
        self.waiting.retain(|(line, _)| keeps(line));
    }

    /// Removes all messages.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns true if the layer must be drawn again.
    pub fn is_busy(&self) -> bool {
        !self.flying.is_empty() || !self.waiting.is_empty()
    }

    /// Removes the messages that have crossed, and starts waiting messages in free lanes. The room
    /// has `lanes` lanes and is `room` points wide. `measure` returns the width of a message, and a
    /// `speed` of 1 is normal.
    pub fn tick(
        &mut self,
        now: f64,
        room: f32,
        lanes: usize,
        speed: f32,
        mut measure: impl FnMut(&ChatLine) -> f32,
    ) {
        // If the clock goes backwards, no message remains forever.
        self.flying.retain(|flight| now >= flight.begun && now < flight.ends());
        self.waiting.retain(|(_, since)| (0.0..MAX_WAITING_SECONDS).contains(&(now - since)));
        let crossing = CROSSING_TIME_SECONDS / f64::from(speed.clamp(0.25, 4.0));
        while let Some((line, _)) = self.waiting.front() {
            let width = measure(line).max(1.0);
            let free = |lane: &usize| {
                let mut there = self.flying.iter().filter(|it| it.lane == *lane);
                there.all(|it| it.leaves_room_for(width, crossing, room, now))
            };
            let Some(lane) =
                (0..lanes).find(free).filter(|_| self.flying.len() < MAX_FLYING_MESSAGES)
            else {
                break;
            };
            if let Some((line, _)) = self.waiting.pop_front() {
                self.flying.push_back(FlyingMessage { line, lane, width, begun: now, crossing });
            }
        }
    }

    /// Returns the messages in flight.
    pub fn flights(&self) -> impl Iterator<Item = &FlyingMessage> {
        self.flying.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Arc<ChatLine> {
        Arc::new(ChatLine::new("ann", text).unwrap())
    }

    /// Measures a message with letters that are ten points wide.
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
        assert_eq!(x(&sky, CROSSING_TIME_SECONDS), Some(-50.0));
        sky.tick(CROSSING_TIME_SECONDS - 0.01, 400.0, 3, 1.0, width);
        assert!(sky.is_busy());
        sky.tick(CROSSING_TIME_SECONDS, 400.0, 3, 1.0, width);
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
            // The speed also changes while messages are in flight.
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
    fn a_flood_of_lines_is_bounded_and_old_lines_are_dropped() {
        let mut sky = DanmakuLayer::default();
        for number in 0..1_000 {
            sky.add(line(&number.to_string()), 0.0);
        }
        sky.tick(0.0, 300.0, 2, 1.0, width);
        assert_eq!(sky.flights().count(), 2);
        assert_eq!(sky.waiting.len(), MAX_WAITING_MESSAGES - 2);
        sky.tick(MAX_WAITING_SECONDS, 300.0, 2, 1.0, width);
        assert!(sky.waiting.is_empty());
        // Without lanes, no message flies, and `clear` removes those that wait.
        sky.add(line("x"), MAX_WAITING_SECONDS);
        sky.tick(MAX_WAITING_SECONDS, 300.0, 0, 1.0, width);
        sky.clear();
        assert!(!sky.is_busy());
    }
}
