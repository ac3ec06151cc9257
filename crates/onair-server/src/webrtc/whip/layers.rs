//! Chooses among the layers of a publisher that sends its picture in several sizes at once (simulcast). Viewers get the
//! largest layer that arrives. A change of the layer is possible only at a keyframe, because each layer is a stream of
//! its own.

use std::time::{Duration, Instant};

use str0m::media::Rid;

/// Maximum number of layers. OBS and browsers send at most four.
pub(super) const MAX_LAYERS: usize = 4;
/// A layer that sends nothing for this long has been given up by its publisher, whose link has become slow.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(1);

/// The layers of one publisher.
#[derive(Debug, Default)]
pub(super) struct Layers {
    seen: Vec<Layer>,
    chosen: Option<Rid>,
}

#[derive(Debug)]
struct Layer {
    rid: Rid,
    /// Width and height of its last keyframe, if known.
    size: Option<(u32, u32)>,
    last: Instant,
}

impl Layer {
    /// Returns the number of pixels; 0 before the first keyframe.
    fn pixels(&self) -> u64 {
        self.size.map_or(0, |(width, height)| u64::from(width) * u64::from(height))
    }
}

/// What to do with a frame.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Use,
    /// This frame is the first one of another layer.
    Change,
    Drop,
}

impl Layers {
    /// Takes a frame of a layer; `size` is width and height of a keyframe.
    pub fn frame(&mut self, rid: Rid, size: Option<(u32, u32)>, now: Instant) -> Verdict {
        let place = self.seen.iter().position(|layer| layer.rid == rid);
        let place = match place {
            Some(place) => place,
            None if self.seen.len() < MAX_LAYERS => {
                self.seen.push(Layer { rid, size: None, last: now });
                self.seen.len() - 1
            }
            None => return Verdict::Drop,
        };
        let Some(layer) = self.seen.get_mut(place) else { return Verdict::Drop };
        layer.last = now;
        layer.size = size.or(layer.size);
        let own = layer.pixels();
        if self.chosen == Some(rid) {
            return Verdict::Use;
        }
        if size.is_none() {
            return Verdict::Drop;
        }
        let chosen = self.seen.iter().find(|layer| Some(layer.rid) == self.chosen);
        let is_better = chosen.is_none_or(|chosen| {
            own > chosen.pixels() || now.duration_since(chosen.last) >= SILENCE_TIMEOUT
        });
        if !is_better {
            return Verdict::Drop;
        }
        match self.chosen.replace(rid) {
            Some(_) => Verdict::Change,
            None => Verdict::Use,
        }
    }

    /// Returns the layers from which keyframes are needed: the one that viewers get and larger ones or, if it is silent,
    /// all.
    pub fn wanted(&self, now: Instant) -> Vec<Rid> {
        let chosen = self.seen.iter().find(|layer| Some(layer.rid) == self.chosen);
        let least = chosen
            .filter(|chosen| now.duration_since(chosen.last) < SILENCE_TIMEOUT)
            .map_or(0, Layer::pixels);
        // The size of a layer without a keyframe is unknown.
        let needed = |layer: &&Layer| layer.pixels() == 0 || layer.pixels() >= least;
        self.seen.iter().filter(needed).map(|layer| layer.rid).collect()
    }

    /// Returns the sizes of the layers that arrive, the largest first.
    pub fn sizes(&self, now: Instant) -> Vec<(u32, u32)> {
        let arrives = |layer: &&Layer| now.duration_since(layer.last) < SILENCE_TIMEOUT;
        let mut sizes: Vec<_> =
            self.seen.iter().filter(arrives).filter_map(|layer| layer.size).collect();
        sizes.sort_unstable_by_key(|(width, height)| std::cmp::Reverse((*width, *height)));
        sizes
    }

    /// Returns true if the publisher sends layers.
    pub fn is_used(&self) -> bool {
        !self.seen.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rid(name: &str) -> Rid {
        Rid::from(name)
    }

    #[test]
    fn viewers_get_the_largest_layer_from_its_first_keyframe_on() {
        let (mut layers, now) = (Layers::default(), Instant::now());
        assert_eq!(layers.frame(rid("1"), None, now), Verdict::Drop);
        assert_eq!(layers.frame(rid("1"), Some((100, 1)), now), Verdict::Use);
        assert_eq!(layers.frame(rid("2"), Some((50, 1)), now), Verdict::Drop);
        assert_eq!(layers.frame(rid("0"), None, now), Verdict::Drop);
        assert_eq!(layers.wanted(now), [rid("1"), rid("0")]);
        assert_eq!(layers.frame(rid("0"), Some((400, 1)), now), Verdict::Change);
        assert_eq!(layers.frame(rid("0"), None, now), Verdict::Use);
        assert_eq!(layers.sizes(now), [(400, 1), (100, 1), (50, 1)]);
        assert_eq!(layers.frame(rid("1"), Some((100, 1)), now), Verdict::Drop);
        assert_eq!(layers.wanted(now), [rid("0")]);
    }

    #[test]
    fn a_layer_that_ends_is_replaced_and_comes_back() {
        let (mut layers, begun) = (Layers::default(), Instant::now());
        let at = |ms| begun + Duration::from_millis(ms);
        assert_eq!(layers.frame(rid("0"), Some((400, 1)), at(0)), Verdict::Use);
        assert_eq!(layers.frame(rid("1"), Some((100, 1)), at(900)), Verdict::Drop);
        assert_eq!(layers.frame(rid("1"), None, at(1_100)), Verdict::Drop);
        assert_eq!(layers.wanted(at(1_100)), [rid("0"), rid("1")]);
        assert_eq!(layers.frame(rid("1"), Some((100, 1)), at(1_200)), Verdict::Change);
        assert_eq!(layers.frame(rid("0"), None, at(1_300)), Verdict::Drop);
        assert_eq!(layers.frame(rid("0"), Some((400, 1)), at(1_400)), Verdict::Change);
    }

    #[test]
    fn the_number_of_layers_is_bounded() {
        let (mut layers, now) = (Layers::default(), Instant::now());
        for number in 0..100 {
            layers.frame(rid(&number.to_string()), Some((number, 1)), now);
        }
        assert_eq!(layers.seen.len(), MAX_LAYERS);
    }
}
