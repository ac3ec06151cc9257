//! What lies still below everything that moves: drawn once, copied from then on.

use std::sync::Arc;

use crate::base::Pooled;
use crate::compose::piece::Piece;
use crate::media::Planes;

/// Drawings in a row with the same lowest pieces before they are kept as one picture: a source that
/// merely has fewer pictures a second than the program would cost a copy more each time.
const STILL: u32 = 3;

/// The lowest pieces of a picture as one picture. Holds what they show only as long as they are the
/// lowest.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pieces: Vec<Piece>,
    picture: Option<Arc<Pooled<Planes>>>,
    streak: u32,
}

impl Settled {
    /// A picture of these pieces is drawn, of which the `same` lowest were the lowest of the last one
    /// too. Tells how many should be drawn as one picture now, and given to [`Settled::keep`].
    pub fn due(&mut self, pieces: &[Piece], same: usize) -> Option<usize> {
        if pieces.get(..self.pieces.len()) != Some(&self.pieces) {
            self.clear();
        }
        // One alone is as cheap as its copy.
        let worth = same > self.pieces.len().max(1);
        self.streak = if worth { self.streak + 1 } else { 0 };
        (self.streak >= STILL).then_some(same)
    }

    /// These pieces as one picture.
    pub fn keep(&mut self, pieces: &[Piece], picture: Arc<Pooled<Planes>>) {
        self.pieces.clear();
        self.pieces.extend_from_slice(pieces);
        (self.picture, self.streak) = (Some(picture), 0);
    }

    /// How many of the lowest pieces are there as one picture, and that picture.
    pub fn kept(&self) -> Option<(usize, &Planes)> {
        self.picture.as_ref().map(|picture| (self.pieces.len(), &***picture))
    }

    /// Lets go of everything.
    pub fn clear(&mut self) {
        self.pieces.clear();
        (self.picture, self.streak) = (None, 0);
    }
}
