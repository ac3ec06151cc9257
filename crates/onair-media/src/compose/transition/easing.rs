//! The course of a movement: how far it is at each moment.

/// How fast a movement is at its beginning and its end.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Easing {
    /// Slow at both ends.
    #[default]
    Smooth,
    /// Equally fast.
    Linear,
    /// Slow at the beginning.
    In,
    /// Slow at the end.
    Out,
    /// Goes a little too far, and comes back.
    Back,
    /// Bounces at the end.
    Bounce,
}

impl Easing {
    /// All values, with their names in settings.
    pub const ALL: [(&str, Self); 6] = [
        ("smooth", Self::Smooth),
        ("linear", Self::Linear),
        ("in", Self::In),
        ("out", Self::Out),
        ("back", Self::Back),
        ("bounce", Self::Bounce),
    ];

    /// Returns the part of the way that lies behind the movement after `part` (0…1) of its time. Only
    /// [`Back`](Self::Back) goes beyond 1.
    pub(in crate::compose) fn at(self, part: f32) -> f32 {
        let part = part.clamp(0.0, 1.0);
        let left = 1.0 - part;
        match self {
            Self::Smooth => part * part * (3.0 - 2.0 * part),
            Self::Linear => part,
            Self::In => part.powi(3),
            Self::Out => 1.0 - left.powi(3),
            Self::Back => 1.0 - left * left * (2.70158 * left - 1.70158),
            Self::Bounce => bounced(part),
        }
    }
}

/// Returns a fall with three bounces, each a parabola.
fn bounced(part: f32) -> f32 {
    const STEEPNESS: f32 = 7.5625;
    const PERIOD: f32 = 2.75;
    let (middle, base) = match part * PERIOD {
        ..1.0 => (0.0, 0.0),
        ..2.0 => (1.5 / PERIOD, 0.75),
        ..2.5 => (2.25 / PERIOD, 0.9375),
        _ => (2.625 / PERIOD, 0.984_375),
    };
    let from = part - middle;
    (STEEPNESS * from * from + base).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_movement_begins_and_ends_at_its_places_without_a_jump() {
        for (name, easing) in Easing::ALL {
            assert!(easing.at(0.0).abs() < 1e-5, "{name}");
            assert!((easing.at(1.0) - 1.0).abs() < 1e-5, "{name}");
            assert_eq!(easing.at(7.0), easing.at(1.0));
            let values: Vec<f32> = (0..=1_000).map(|it| easing.at(it as f32 / 1_000.0)).collect();
            assert!(values.windows(2).all(|two| (two[1] - two[0]).abs() < 0.01), "{name}");
            let most = values.iter().copied().fold(0.0, f32::max);
            assert_eq!(most > 1.01, easing == Easing::Back, "{name}: {most}");
        }
    }

    #[test]
    fn movements_differ_in_the_middle() {
        let at = |easing: Easing| easing.at(0.25);
        assert!(at(Easing::In) < at(Easing::Smooth) && at(Easing::Smooth) < at(Easing::Linear));
        assert!(at(Easing::Linear) < at(Easing::Out));
    }
}
