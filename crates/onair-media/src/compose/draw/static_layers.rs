//! Caches the static layers below all moving ones, so that they are drawn only once. Later drawings
//! copy the cached layers: entirely into a buffer with other content, and otherwise only where
//! other layers covered them.

use std::sync::Arc;

use crate::base::Pooled;
use crate::compose::draw::layer::DrawStep;
use crate::compose::layout::Rect;
use crate::media::{Planes, Size};

/// The number of drawings with the same lowest pieces after which these are cached as one frame.
/// With a lower number, a source with a low frame rate would cost extra copies.
const MIN_UNCHANGED_DRAWINGS: u32 = 3;

/// Maximum number of separately tracked areas of a frame.
const MAX_TRACKED_AREAS: usize = 8;

/// The lowest pieces of a frame, cached as one frame, as long as they are the lowest.
#[derive(Debug, Default)]
pub struct StaticLayers {
    pieces: Vec<DrawStep>,
    frame: Option<(Arc<Pooled<Planes>>, u64)>,
    streak: u32,
}

/// The areas of pieces in a frame.
#[derive(Copy, Clone, Debug)]
pub struct StaticAreas {
    places: [Option<Rect>; MAX_TRACKED_AREAS],
}

impl StaticAreas {
    /// Returns the areas of these pieces. Areas beyond the maximum number are combined.
    pub fn of(pieces: &[DrawStep], size: Size) -> Self {
        let mut places = [None; MAX_TRACKED_AREAS];
        let seen = pieces.iter().filter_map(|it| it.bounds().common(Rect::whole(size)));
        for (index, place) in seen.enumerate() {
            if let Some(slot) = places.get_mut(index.min(MAX_TRACKED_AREAS - 1)) {
                *slot = Some(slot.map_or(place, |it: Rect| it.around(place)));
            }
        }
        Self { places }
    }

    /// Copies these areas.
    pub fn copy(&self, from: &Planes, out: &mut Planes) {
        for place in self.places.iter().flatten() {
            let side = |side: i64| usize::try_from(side).unwrap_or(0);
            let corner = (side(place.x), side(place.y));
            out.copy_rect(from, corner, corner, (side(place.width), side(place.height)));
        }
    }

    /// Returns the number of luma pixels in all areas.
    #[cfg(test)]
    pub fn pixels(&self) -> usize {
        self.places.iter().flatten().map(|place| place.size().pixels()).sum()
    }
}

/// The content of a buffer: the number of a static frame, and the areas that were drawn above it.
#[derive(Copy, Clone, Debug)]
pub struct BufferContent {
    pub below: u64,
    pub above: StaticAreas,
}

impl StaticLayers {
    /// Takes the pieces of a new frame. The `same` lowest pieces were also the lowest of the last
    /// frame. Returns how many of them the caller must now draw as one frame and pass to
    /// [`StaticLayers::keep`].
    pub fn due(&mut self, pieces: &[DrawStep], same: usize) -> Option<usize> {
        if pieces.get(..self.pieces.len()) != Some(&self.pieces) {
            self.clear();
        }
        let worth = same > self.pieces.len();
        self.streak = if worth { self.streak + 1 } else { 0 };
        (self.streak >= MIN_UNCHANGED_DRAWINGS).then_some(same)
    }

    /// Caches these pieces as one frame with a unique number.
    pub fn keep(&mut self, pieces: &[DrawStep], frame: Arc<Pooled<Planes>>, number: u64) {
        self.pieces.clear();
        self.pieces.extend_from_slice(pieces);
        (self.frame, self.streak) = (Some((frame, number)), 0);
    }

    /// Returns the number of cached lowest pieces, their frame and its number.
    pub fn kept(&self) -> Option<(usize, &Planes, u64)> {
        self.frame.as_ref().map(|(frame, number)| (self.pieces.len(), &***frame, *number))
    }

    /// Drops the cached frame and its pieces.
    pub fn clear(&mut self) {
        self.pieces.clear();
        (self.frame, self.streak) = (None, 0);
    }
}
