//! What lies still below everything that moves: drawn once. From then on it is copied: all of it into a
//! buffer that had something else in it, and into one that had it already, below other things, only where
//! these were.

use std::sync::Arc;

use crate::base::Pooled;
use crate::compose::draw::layer::DrawStep;
use crate::compose::layout::Rect;
use crate::media::{Planes, Size};

/// Drawings in a row with the same lowest pieces before they are kept as one frame: a source that
/// merely has fewer frames a second than the program would cost a copy more each time.
const STILL: u32 = 3;

/// Pieces of a frame are looked at one by one up to this many.
const MAX_PARTS: usize = 8;

/// The lowest pieces of a frame as one frame. Holds what they show only as long as they are the
/// lowest.
#[derive(Debug, Default)]
pub(in crate::compose) struct StaticLayers {
    pieces: Vec<DrawStep>,
    picture: Option<(Arc<Pooled<Planes>>, u64)>,
    streak: u32,
}

/// Where pieces lie, within a frame.
#[derive(Copy, Clone, Debug)]
pub(in crate::compose) struct StaticAreas {
    places: [Option<Rect>; MAX_PARTS],
}

impl StaticAreas {
    /// Those of these pieces; where there are more, the last of them are one.
    pub fn of(pieces: &[DrawStep], size: Size) -> Self {
        let mut places = [None; MAX_PARTS];
        let seen = pieces.iter().filter_map(|it| it.bounds().common(Rect::whole(size)));
        for (index, place) in seen.enumerate() {
            if let Some(slot) = places.get_mut(index.min(MAX_PARTS - 1)) {
                *slot = Some(slot.map_or(place, |it: Rect| it.around(place)));
            }
        }
        Self { places }
    }

    /// Copies what is there.
    pub fn copy(&self, from: &Planes, out: &mut Planes) {
        for place in self.places.iter().flatten() {
            let side = |side: i64| usize::try_from(side).unwrap_or(0);
            let corner = (side(place.x), side(place.y));
            out.copy_rect(from, corner, corner, (side(place.width), side(place.height)));
        }
    }

    /// Pixels of luma in all of them.
    #[cfg(test)]
    pub fn pixels(&self) -> usize {
        self.places.iter().flatten().map(|place| place.size().pixels()).sum()
    }
}

/// What is in a buffer: what had settled, by its number, and above it something at these places.
#[derive(Copy, Clone, Debug)]
pub(in crate::compose) struct Written {
    pub below: u64,
    pub above: StaticAreas,
}

impl StaticLayers {
    /// A frame of these pieces is drawn, of which the `same` lowest were the lowest of the last one
    /// too. Tells how many should be drawn as one frame now, and given to [`StaticLayers::keep`].
    pub fn due(&mut self, pieces: &[DrawStep], same: usize) -> Option<usize> {
        if pieces.get(..self.pieces.len()) != Some(&self.pieces) {
            self.clear();
        }
        let worth = same > self.pieces.len();
        self.streak = if worth { self.streak + 1 } else { 0 };
        (self.streak >= STILL).then_some(same)
    }

    /// These pieces as one frame, which has a number that no other has.
    pub fn keep(&mut self, pieces: &[DrawStep], picture: Arc<Pooled<Planes>>, number: u64) {
        self.pieces.clear();
        self.pieces.extend_from_slice(pieces);
        (self.picture, self.streak) = (Some((picture, number)), 0);
    }

    /// How many of the lowest pieces are there as one frame, that frame and its number.
    pub fn kept(&self) -> Option<(usize, &Planes, u64)> {
        self.picture.as_ref().map(|(picture, number)| (self.pieces.len(), &***picture, *number))
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        self.pieces.clear();
        (self.picture, self.streak) = (None, 0);
    }
}
